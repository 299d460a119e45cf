"""A click on somebody's pond, followed through every branch: who may, what is asked, and what the
board does. Real broker, real database, real firmware under MicroPython; a JWT for each person.
"""

import sqlite3
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from backend.brokers.broker import BACKEND_USER
from backend.fleet import boards
from backend.people.access import OPERATOR, VIEWER
from tests.backend.running import PASSWORD as BROKER_PASSWORD
from tests.backend.running import PATIENCE, eventually
from tests.web.site import Client, Reply, Site
from tests.web.village import PASSWORD, add_site, add_user, place
from tools.emulator import Board
from tools.fleet import BoardSpec, Fleet

PIN = 16
FEEDER = {"feeder1": {"kind": "feeder", "pin": PIN, "grams_per_second": 100, "longest_s": 120}}


class Farm:
    """`pond-1` with its real firmware, its owner, a neighbour and somebody who watches."""

    def __init__(self, site: Site, board: Board) -> None:
        self.site, self.board, self.backend = site, board, site.station.backend
        self.owner = self.signed_in("owner")
        self.neighbour, self.watcher = self.signed_in("neighbour"), self.signed_in("watcher")

    def signed_in(self, user: str) -> Client:
        """A client with a JWT, got for the password."""
        client = self.site.client()
        reply = client.call("POST", "token", {"user": user, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {reply.json['access_token']}"
        return client

    def feed(self, who: Client, amount: Any = 20, key: str = "", **more: Any) -> Reply:
        """Press the button."""
        parameters = {"amount": amount, **more.pop("parameters", {})}
        body = {"board_id": "pond-1", "command_type": "feed", "target": "feeder1"}
        headers = {"Idempotency_Key": key or str(uuid.uuid4())}
        return who.call("POST", "commands", {**body, "parameters": parameters, **more}, **headers)

    def ends(self, posted: Reply, status: str) -> Any:
        """Wait until a command has come to this: the command, with its history."""
        path = f"commands/{posted.json['id']}"
        eventually(lambda: self.owner.call("GET", path).json["status"] == status)
        return self.owner.call("GET", path).json

    def online(self, wanted: bool = True) -> None:
        """Wait until the board is, or is not."""
        eventually(lambda: self.backend.board("pond-1")["online"] is wanted)


@pytest.fixture(scope="module")
def farm(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    station = site.station
    told = station.backend.enroll("pond-1")
    station.broker.set_users({BACKEND_USER: BROKER_PASSWORD, **boards.passwords()})
    for name in ("mine", "theirs"):
        add_site(name)
    place(station.backend, "pond-1", "mine")
    add_user(site.accounts, "owner", mine=OPERATOR)
    add_user(site.accounts, "watcher", mine=VIEWER)
    add_user(site.accounts, "neighbour", theirs=OPERATOR)
    folder = tmp_path_factory.mktemp("boards")
    spec = BoardSpec(**told, actuators=FEEDER)
    with Fleet([spec], folder, ("127.0.0.1", station.broker.port)) as fleet:
        farm = Farm(site, fleet.boards["pond-1"])
        farm.online()
        yield farm


def pulses(farm: Farm) -> int:
    return len(farm.board.pulses(PIN))


def test_the_owners_feed_runs_and_its_history_says_all(farm: Farm) -> None:
    before = pulses(farm)
    posted = farm.feed(farm.owner, reason="the evening feed")
    assert posted.status == 202
    done = farm.ends(posted, "COMPLETED")
    assert pulses(farm) == before + 1
    steps = [step["to"] for step in done["history"]]
    assert steps == ["PENDING", "SENT", "ACKNOWLEDGED", "COMPLETED"]
    said = [done[name] for name in ("user", "via", "source", "reason")]
    assert said == ["owner", "jwt", "127.0.0.1", "the evening feed"]


def test_without_a_token_or_with_an_invalid_one_nothing_happens(farm: Farm, site: Site) -> None:
    before = len(farm.owner.call("GET", "commands").json["commands"])
    nobody, forger = site.client(), site.client()
    forger.headers["Authorization"] = farm.owner.headers["Authorization"][:-8] + "AAAAAAAA"
    for client in (nobody, forger):
        reply = farm.feed(client)
        assert (reply.status, reply.json["error"]) == (401, "unauthorized")
    assert len(farm.owner.call("GET", "commands").json["commands"]) == before


@pytest.mark.parametrize("who", ["neighbour", "watcher"])
def test_who_does_not_own_the_pond_may_not_feed_it(farm: Farm, who: str) -> None:
    before = pulses(farm)
    reply = farm.feed(getattr(farm, who))
    assert (reply.status, reply.json["error"]) == (403, "forbidden")
    assert reply.json["message"] == "you must be operator at the site mine; ask an administrator"
    seen = getattr(farm, who).call("GET", "boards/pond-1").status
    assert seen == (200 if who == "watcher" else 403)
    assert pulses(farm) == before


@pytest.mark.parametrize("amount", [0, -1, "100", None, True])
def test_an_amount_that_is_none_is_refused_by_name(farm: Farm, amount: object) -> None:
    reply = farm.feed(farm.owner, amount)
    assert reply.status == 400
    assert reply.json["field"] == ("parameters" if amount is None else "parameters.amount")


def test_an_action_that_is_none_is_refused_by_name(farm: Farm) -> None:
    reply = farm.feed(farm.owner, command_type="dance")
    assert (reply.status, reply.json["error"]) == (400, "unknown_type")


def test_a_database_that_hangs_is_said_and_the_click_is_not_lost(
    farm: Farm, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.delivery.answering.ANSWER_SECONDS", 0.3)
    before = pulses(farm)
    other = sqlite3.connect(site.station.database.database, PATIENCE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reply = farm.feed(farm.owner, key="the-same-click")
    other.execute("ROLLBACK")
    other.close()
    assert reply.status in (429, 503) and reply.headers["Retry-After"]
    monkeypatch.undo()
    again = farm.feed(farm.owner, key="the-same-click")
    assert again.status == 202
    farm.ends(again, "COMPLETED")
    assert pulses(farm) == before + 1


def test_without_its_broker_a_command_waits_and_goes_out_afterwards(
    farm: Farm, site: Site
) -> None:
    before = pulses(farm)
    site.station.broker.stop()
    eventually(lambda: not farm.backend.healthy())
    posted = farm.feed(farm.owner)
    assert (posted.status, posted.json["status"]) == (202, "PENDING")
    assert farm.owner.call("GET", "health").json["status"] == "degraded"
    site.station.broker.start()
    farm.ends(posted, "COMPLETED")
    assert pulses(farm) == before + 1


def test_what_the_board_refuses_is_told_with_its_reason(farm: Farm) -> None:
    for verb in ("emergency_stop", "clear_stop"):
        body = {"board_id": "pond-1", "command_type": verb}
        farm.ends(farm.owner.call("POST", "commands", body), "COMPLETED")
        if verb == "emergency_stop":
            refused = farm.ends(farm.feed(farm.owner), "REJECTED")
            assert refused["error"] == refused["history"][-1]["error"] == "latched"


def test_a_board_that_is_away_gets_it_in_time_or_not_at_all(farm: Farm) -> None:
    before = pulses(farm)
    farm.board.power_cut()
    farm.online(False)
    late = farm.feed(farm.owner, expires_in=1)
    assert farm.ends(late, "EXPIRED")["attempt"] == 0
    farm.board.start()
    farm.online()
    farm.ends(farm.feed(farm.owner), "COMPLETED")
    assert pulses(farm) == before + 1


def test_a_pond_that_changes_hands_is_lost_at_once(farm: Farm) -> None:
    place(farm.backend, "pond-1", "theirs")
    try:
        assert farm.feed(farm.owner).status == 403
        posted = farm.feed(farm.neighbour)
        assert posted.status == 202
        path = f"commands/{posted.json['id']}"
        eventually(lambda: farm.neighbour.call("GET", path).json["status"] == "COMPLETED")
        assert farm.owner.call("GET", path).status == 403
    finally:
        place(farm.backend, "pond-1", "mine")
