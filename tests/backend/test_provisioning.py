"""Boards mapped to sites, moved, retired and brought back: rows, roster and first commands."""

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.database.models import Site
from backend.delivery.core import Batch
from backend.errors import Conflict, Invalid, NotFound
from backend.fleet import boards, provisioning, sites
from backend.fleet.provisioning import Enrolment, Mapping, Retirement, Return
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, orders, queued, refusal, site, stands

NINE, NOON = "0 9 * * *", "0 12 * * *"
HOUR = 3_600_000
SLEEPER = Mapping("pond", "lake", "ann", sleeps=True)


def test_mapping_fills_in_lineage_and_queues_what_the_board_is_to_be_told(desk: Desk) -> None:
    site(wake_cron=NOON, settings={"hold_s": 40})
    answer = done(desk, Mapping("pond", "lake", "ann", "Trout pond", sleeps=True))
    board = desk.core.roster.get("pond")
    assert board and (board.site, board.name, board.sleeps) == ("lake", "Trout pond", True)
    assert stands("pond") == ("active", "lake", "the lake's")
    assert boards.get("pond").programme == "trout" and boards.get("pond").mapped_at == START
    noon = START + 3 * HOUR  # it is 9 in Rome
    assert boards.get("pond").next_wake_at == board.next_wake_at == noon
    config, schedule = queued()
    assert [config["id"], schedule["id"]] == answer["queued"]
    assert (config["command_type"], config["parameters"]) == ("update_config", {"hold_s": 40})
    assert schedule["parameters"] == {"seconds": 86400, "wake_at": noon // 1000}
    assert schedule["expires_at"] == START + 24 * HOUR and schedule["user"] == "system"


def test_it_waits_for_the_board_and_goes_out_when_it_comes(desk: Desk) -> None:
    site(wake_cron=NOON)
    done(desk, SLEEPER)
    assert desk.sent() == []
    desk.restart()  # what was committed is all there is
    desk.at(7200).startup()
    (order,) = queued()
    assert desk.sent() == [("set_wake_schedule", order["id"])]
    desk.ack(order, "completed")
    assert orders() == [("set_wake_schedule", "COMPLETED")]


def test_a_board_that_is_there_is_told_at_once(desk: Desk) -> None:
    site(wake_cron=NOON)
    desk.startup()
    done(desk, SLEEPER)
    assert [kind for kind, _ in desk.sent()] == ["set_wake_schedule"]


def test_twice_is_once(desk: Desk) -> None:
    site(wake_cron=NOON)
    done(desk, SLEEPER)
    assert done(desk, SLEEPER) == {"board_id": "pond", "queued": []}
    assert len(queued()) == len(provisioning.moves("pond")) == 1


def test_a_board_that_does_not_sleep_is_told_no_wakes(desk: Desk) -> None:
    site(wake_cron=NOON)
    done(desk, Mapping("pond", "lake", "ann"))
    assert queued() == [] and boards.get("pond").next_wake_at is None


def test_moving_takes_back_what_was_not_told_and_tells_of_the_new_place(desk: Desk) -> None:
    site(wake_cron=NOON, settings={"hold_s": 40})
    site("river", owner="another", timezone="UTC", wake_cron=NINE)
    done(desk, SLEEPER)
    desk.at(60)
    done(desk, Mapping("pond", "river", "bob"))
    assert orders() == [
        ("update_config", "CANCELLED"),
        ("set_wake_schedule", "CANCELLED"),
        ("set_wake_schedule", "PENDING"),
    ]
    assert stands("pond") == ("active", "river", "another")
    way = [
        (move["user"], move["site_from"], move["site_to"]) for move in provisioning.moves("pond")
    ]
    assert way == [("ann", None, "lake"), ("bob", "lake", "river")]
    done(desk, Mapping("pond", "river", "bob", sleeps=False))
    assert queued()[-1]["parameters"] == {"seconds": 0}


def test_a_retired_board_gets_nothing_and_comes_back_where_it_was(desk: Desk) -> None:
    site()
    desk.startup()
    done(desk, Mapping("pond", "lake", "ann"))
    sent, waiting = desk.post(), desk.post()
    password = boards.credentials("pond")["password"]
    assert done(desk, Retirement("pond", "ann"))["cancelled"] == [waiting["id"]]
    assert [kind for kind, _ in desk.sent()] == ["cancel"]  # it may still hear that
    assert desk.stands(sent) == "SENT" and desk.stands(waiting) == "CANCELLED"
    assert boards.passwords() == {} and not desk.core.roster.is_online("pond")
    with pytest.raises(Conflict, match="is retired: map it to a site"):
        desk.post()
    assert desk.core.ingest.read("devices/pond/status", b"{}") is None
    assert desk.core.refused["retired"] == 1
    desk.at(100).tick()
    assert desk.stands(sent) == "UNKNOWN"  # nobody can say, and nobody says so
    done(desk, Return("pond", "ann"))
    assert stands("pond")[:2] == ("active", "lake") and boards.passwords() == {"pond": password}
    assert refusal(desk, Return("pond", "ann")) == ("not_retired", "board_id")


def test_a_board_without_a_site_comes_back_without_one(desk: Desk) -> None:
    done(desk, Retirement("pond", "ann"))
    done(desk, Return("pond", "ann"))
    assert stands("pond") == ("active", None, "")


def test_another_process_is_followed(desk: Desk) -> None:
    """It may do anything while the backend runs, or does not."""
    site(wake_cron=NOON)
    desk.startup()
    provisioning.alone(SLEEPER, desk.now)
    assert desk.core.revision != boards.revision()
    desk.out = desk.core.apply(Batch([], [], [], look=True), desk.now)
    assert [kind for kind, _ in desk.sent()] == ["set_wake_schedule"]
    assert desk.core.revision == boards.revision()
    provisioning.alone(Retirement("pond", "bob"), desk.now)
    late = desk.post("ping", "")  # before it is known here
    desk.out = desk.core.apply(Batch([], [], [], look=True), desk.now)
    assert desk.stands(late) == "CANCELLED"
    assert desk.core.roster.all()[0].state == "retired"


def test_a_renewed_key_counts_at_once(desk: Desk) -> None:
    boards.renew("pond")
    desk.core.apply(Batch([], [], [], look=True), desk.now)
    board = desk.core.roster.get("pond")
    assert board and board.key.hex() == boards.credentials("pond")["key"]
    desk.startup()


def test_enrolled_at_a_site_at_none_or_pending(desk: Desk) -> None:
    site(wake_cron=NOON)
    told = done(desk, Enrolment("a", "ann", site="lake", sleeps=True))
    assert told == boards.credentials("a") and stands("a")[:2] == ("active", "lake")
    assert orders("a") == [("set_wake_schedule", "PENDING")]
    done(desk, Enrolment("b", "ann"))
    done(desk, Enrolment("c", "ann", pending=True))
    assert (stands("b")[0], stands("c")[0]) == ("active", "pending_mapping")
    assert set(boards.passwords()) == {"a", "b", "c", "pond"}  # c may say that it is there


def test_what_cannot_be_is_refused_and_changes_nothing(desk: Desk) -> None:
    site()
    assert refusal(desk, Mapping("nobody", "lake", "ann")) == ("unknown_board", "board_id")
    assert refusal(desk, Mapping("pond", "nowhere", "ann")) == ("unknown_site", "site")
    assert refusal(desk, Retirement("nobody", "ann")) == ("unknown_board", "board_id")
    assert refusal(desk, Enrolment("x", "ann", site="nowhere")) == ("unknown_site", "site")
    assert refusal(desk, Enrolment("pond", "ann")) == ("exists", "board_id")
    assert refusal(desk, Enrolment("no id", "ann")) == ("malformed", "board_id")
    assert stands("pond") == ("active", None, "") and provisioning.moves("pond") == []


def test_a_site_is_deleted_only_when_empty(desk: Desk) -> None:
    site()
    done(desk, Mapping("pond", "lake", "ann"))
    with pytest.raises(Conflict, match="has 1 boards; move or retire them first"):
        sites.delete("lake")
    done(desk, Retirement("pond", "ann"))
    sites.delete("lake")
    assert Site.select().count() == 0 and stands("pond")[1] is None
    with pytest.raises(NotFound):
        sites.get("lake")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"wake_cron": "at noon"}, "wake_cron"),
        ({"wake_cron": "* * * * * *"}, "wake_cron"),
        ({"wake_cron": "0 0 30 2 *"}, "wake_cron"),
        ({"wake_cron": "61 * * * *"}, "wake_cron"),
        ({"name": " "}, "name"),
        ({"settings": {"hold_s": [1]}}, "settings"),
        ({"settings": {"wifi-0-password": "x"}}, "settings"),
    ],
)
def test_a_site_that_cannot_be_names_the_field(
    desk: Desk, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as why:
        site(**values)
    assert why.value.field == field and Site.select().count() == 0
    site("good")
    assert refusal(desk, sites.Change("good", values))[1] == field


def test_other_wake_times_are_told_to_who_sleeps(desk: Desk) -> None:
    site(wake_cron=NOON)
    done(desk, SLEEPER)
    done(desk, sites.Change("lake", {"wake_cron": "0 18 * * *"}))
    assert orders() == [("set_wake_schedule", "CANCELLED"), ("set_wake_schedule", "PENDING")]
    assert boards.get("pond").next_wake_at == START + 9 * HOUR
    done(desk, sites.Change("lake", {"timezone": "UTC", "owner": "new"}))
    assert boards.get("pond").next_wake_at == START + 10 * HOUR
    assert stands("pond")[2] == "the lake's"  # as it was when it was mapped
    done(desk, sites.Change("lake", {"wake_cron": ""}))
    assert boards.get("pond").next_wake_at is None
    assert {status for _, status in orders()} == {"CANCELLED"}


def test_start_is_when_the_tests_say() -> None:
    assert datetime.fromtimestamp(START / 1000, UTC).isoformat() == "2027-01-15T08:00:00+00:00"
