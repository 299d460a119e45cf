"""Sites on brokers of their own: what one of them suffers, the others don't notice."""

import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.brokers import connections
from backend.brokers.connections import MqttConnection
from backend.brokers.linkstate import ERROR, Report
from backend.database.models import Site, database
from backend.delivery.wishes import NewCommand
from backend.errors import Busy
from tests.backend.estate import KINDS, Estate
from tests.backend.running import eventually
from tests.support import certificates
from tests.support.mqtt import Client
from tools.brokers import MosquittoBroker, free_port

ROUNDS = 40


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    estate = Estate(tmp_path, KINDS)
    yield estate
    estate.close()


def test_one_down_and_one_with_a_wrong_password_leave_the_third_undisturbed(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    garda = estate.opened("garda")
    for _ in range(ROUNDS):  # to warm up
        estate.round_ms("garda")
    alone = statistics.median(estate.round_ms("garda") for _ in range(ROUNDS))
    estate["como"].save(is_active=True)  # its broker does not run
    estate["elba"].broker.start()
    estate["elba"].save("wrong", is_active=True)
    estate.backend.connections_changed()
    como, elba = estate.until("como", "error"), estate.until("elba", "error")
    assert "can't be reached" in como["error"] and "site como" in como["error"]
    assert "correct user and password" in elba["error"] and "site elba" in elba["error"]
    beside = statistics.median(estate.round_ms("garda") for _ in range(ROUNDS))
    ratio = f"{beside / alone:.2f} ({beside:.1f} / {alone:.1f} ms)"
    record_property("latency beside two broken sites / alone", ratio)
    assert beside < 3 * alone + 5
    eventually(lambda: estate["como"].shown()["retries"] > 1)
    assert [estate.online(name) for name in KINDS] == [True, None, None]
    assert {entry["level"] for entry in garda.log()} == {"INFO"}
    told = estate.backend.health()
    assert told["status"] == "healthy"
    assert {site: one["status"] for site, one in told["connections"].items()} == {
        "garda": "connected", "como": "error", "elba": "error",
    }  # fmt: skip


def test_a_broker_killed_and_back_is_an_outage_of_its_site_alone(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    garda, como = estate.opened("garda"), estate.opened("como")
    como.broker.kill()
    lost = estate.until("como", "error")
    eventually(lambda: estate.online("como") is None)
    assert estate.online("garda") is True and lost["is_active"] is True
    waiting = estate.ping("como")
    eventually(lambda: como.shown()["retries"] > 3)
    said = [one for one in caplog.records if "como" in one.getMessage()]
    assert len(said) <= 2  # lost, and can't be reached: not each of the tries
    assert estate.round_ms("garda") < 2_000 and not como.board.messages.qsize()
    como.broker.start()
    estate.until("como", "connected")
    como.arrive()
    assert como.answer()["command_id"] == waiting["id"]
    levels = [(one["level"], one["retry_attempt"]) for one in como.log()]
    assert ("ERROR", 1) in levels and ("WARNING", 3) in levels and levels[-1] == ("INFO", 0)
    refused = next(one for one in como.log() if one["exception_type"])
    assert refused["exception_type"] == "ConnectionRefusedError"
    assert "Traceback" in refused["exception_traceback"]
    assert refused["broker_host"] == f"127.0.0.1:{como.broker.port}"
    assert garda.shown()["retries"] == 0


def test_another_process_starts_and_stops_it(estate: Estate) -> None:
    estate["como"].broker.start()
    estate["como"].save()
    for active, status in ((1, "connected"), (0, "disconnected")):
        script = (
            f"import sqlite3; db = sqlite3.connect({str(estate.path)!r}); "
            f"db.execute('UPDATE mqttconnection SET is_active = {active}'); db.commit()"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
        assert estate.until("como", status)["is_active"] == bool(active)
    assert estate.online("como") is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_link_whose_thread_has_died_is_replaced(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    como = estate.opened("como")
    link = estate.backend._links.get("como")
    assert link is not None

    def die(*_: object) -> None:
        raise ValueError("what paho or we did not think of")

    monkeypatch.setattr(link._client, "on_message", die)
    como.say_online(como.board)
    eventually(lambda: estate.backend._links.get("como") is not link)
    estate.until("como", "connected")
    como.say_online(como.board)  # the one that was not acknowledged comes again, too
    eventually(lambda: estate.online("como"))
    assert estate.round_ms("como") < 2_000


def test_the_reconciler_goes_on_after_an_error_of_its_own(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    estate["como"].broker.start()
    estate["como"].save(is_active=True)
    with monkeypatch.context() as patch:
        patch.setattr(connections, "wanted", lambda: 1 / 0)
        estate.backend.connections_changed()
        eventually(lambda: "ZeroDivisionError" in caplog.text)
    estate.until("como", "connected")


def test_a_row_that_nobody_could_have_entered_here_stops_no_other(estate: Estate) -> None:
    for name in ("como", "elba"):
        estate[name].broker.start()
        estate[name].save(is_active=True)
    MqttConnection.update(port=70_000).where(MqttConnection.site == "como").execute()
    estate.backend.connections_changed()
    assert "port: must be from 1 to 65535" in estate.until("como", "error")["error"]
    estate.until("elba", "connected")
    assert [one["level"] for one in estate["como"].log()].count("ERROR") == 1
    estate["como"].save()
    estate.until("como", "connected")


def test_a_message_by_the_link_of_another_site_is_refused(estate: Estate) -> None:
    como, garda = estate.opened("como"), estate["garda"]
    garda.save(is_active=True)  # its broker does not run
    como.broker.set_users({**como.users, "garda": "another"})
    liar = Client(como.broker, "garda", "another")
    liar.connect()
    garda.say_online(liar)
    eventually(lambda: estate.backend.health()["refused"].get("wrong_link") == 1)
    assert estate.online("garda") is None
    liar.close()


def test_a_site_that_stalls_is_busy_and_no_other(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"garda": MosquittoBroker, "como": MosquittoBroker}, window=20)
    garda = estate.opened("garda")
    estate.opened("como")
    assert garda.broker.pid
    os.kill(garda.broker.pid, signal.SIGSTOP)
    try:
        for _ in range(22):  # stops wait for nobody, and are not refused
            estate.backend.post(NewCommand("garda", "stop", "", {}, None, "ann"))
        with pytest.raises(Busy):
            estate.ping("garda")
        assert estate.round_ms("como") < 2_000
    finally:
        os.kill(garda.broker.pid, signal.SIGCONT)
    eventually(lambda: estate.ping_or_none("garda"))
    estate.close()


def test_its_own_connection_takes_the_boards_and_gives_them_back(estate: Estate) -> None:
    como = estate["como"]
    estate.broker.set_users(como.users)
    voice = Client(estate.broker, "como", como.users["como"])
    voice.connect()
    como.say_online(voice)
    eventually(lambda: estate.online("como"))
    como.save()  # not even started: nobody else speaks for the site's boards now
    estate.backend.connections_changed()
    eventually(lambda: estate.online("como") is None)
    connections.remove("como")
    estate.backend.connections_changed()
    eventually(lambda: "como" not in estate.backend._core.roster._own)
    como.say_online(voice)
    eventually(lambda: estate.online("como"))
    voice.close()


def test_tls_is_for_brokers_that_the_authority_vouches_for(estate: Estate, tmp_path: Path) -> None:
    garda = estate["garda"]
    authority = certificates.authority(tmp_path)
    shows = certificates.server(tmp_path, "broker", authority)
    assert isinstance(garda.broker, MosquittoBroker)
    garda.broker.tls = (free_port(), shows.path, shows.key)
    garda.broker.start()
    tls: dict[str, Any] = {"port": garda.broker.tls[0], "tls": True, "is_active": True}
    garda.save(**tls)
    estate.backend.connections_changed()
    assert "is not believed" in estate.until("garda", "error")["error"]
    garda.save(**tls, ca=authority.path.read_text())
    estate.backend.connections_changed()
    estate.until("garda", "connected")


def test_the_log_of_a_connection_is_bounded(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOG_ROWS_MAX", 20)
    estate["como"].save()
    with database.atomic():
        for number in range(30):
            connections.record("como", Report(ERROR, "no", number), number)
    rows = connections.log_page("como")
    assert [row["retry_attempt"] for row in rows] == list(range(29, 9, -1))
    Site.delete().where(Site.id == "como").execute()
    assert "como" not in connections.sites()
    assert connections.record("como", Report(ERROR, "late"), 1) is None
