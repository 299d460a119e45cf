"""update_firmware: what becomes of a board when a release is good, bad or only half there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol import topics

from backend import manifest
from tests.link.site import FEEDER, LATE_MS, USERS, lateness
from tests.link.updating import VERSION, Pond, made, pond, signed
from tests.support.brokers import running
from tools.brokers import Broker


def test_a_good_release_is_fetched_tried_and_confirmed(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with pond(tmp_path, embedded_broker, signed(made())) as site:
        assert site.runs("a", "confirmed")["firmware"] == "0.1.0"
        done = site.update()
        assert (done["state"], done["error"]) == ("completed", None), done
        changed = {path for path, _ in site.server.asked}
        assert changed == {manifest.NAME, "app/__init__.mpy"}
        assert done["result"] == {"version": VERSION, "slot": "b", "bytes": site.server.sent}
        assert site.runs("b", "trial")["firmware"] == VERSION
        site.runs("b", "confirmed")
        site.backend.result(site.backend.command("ping"))
        again = site.update()
        assert again["result"] == {"version": VERSION, "slot": "b", "bytes": 0}
        site.board.power_cut()
        assert site.board.flash.read("slots") == b"b - 0 confirmed"


def test_the_motor_keeps_its_time_and_the_restart_waits_for_it(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with pond(tmp_path, embedded_broker, signed(made(more=20_000))) as site:
        feed = site.backend.command("feed", "feeder1", amount=60)
        site.board.wait_for("pin", pin=FEEDER, value=1)
        done = site.update()
        assert done["state"] == "completed", done["result"]
        assert site.board.level(FEEDER) == 1
        assert site.backend.result(feed)["result"]["grams"] == 60
        site.runs("b", "trial")
        late = lateness(site.board, FEEDER, 6000)
        print(f"motor during an update: {late:.0f} ms off")
        assert late <= LATE_MS


# What is wrong with a release, and what is said of the one that runs then.
FAILING = {
    "crashes": ({"node": "raise RuntimeError('no')"}, "rolled_back: RuntimeError('no',)"),
    "crashes later": (
        {"presence": "Presence.online = lambda *_: 1 // 0"},
        "rolled_back: ZeroDivisionError",
    ),
    "hangs": ({"node": "while True:\n    pass"}, "rolled_back: watchdog"),
    "finds no broker": (
        {"dial": "def peer(host, port):\n    raise OSError(113)"},
        "rolled_back: no broker",
    ),
    "does not understand the settings": (
        {"settings": "def load(flash):\n    raise ValueError('hold_s')"},
        "rolled_back: ValueError('hold_s'",
    ),
}


@pytest.mark.parametrize("what", FAILING)
def test_a_release_that_fails_ends_in_the_old_one(
    embedded_broker: Broker, tmp_path: Path, what: str
) -> None:
    changed, said = FAILING[what]
    with pond(tmp_path, embedded_broker, signed(made(changed))) as site:
        assert site.update()["state"] == "completed"
        back = site.runs("a", "rolled_back")
        assert back["firmware"] == "0.1.0" and back["slot_state"].startswith(said)
        site.backend.result(site.backend.command("ping"))


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pond]:
    """A board that never gets anything worth installing."""
    folder = tmp_path_factory.mktemp("steady")
    with running("embedded", folder, USERS) as broker, pond(folder, broker, {}) as site:
        yield site
        site.board.power_cut()
        assert not any(name.startswith("b/release") for name in site.board.flash.files())
        assert len(site.board.log.of("boot")) == 1


def test_what_is_not_the_release_that_was_meant(steady: Pond) -> None:
    files = signed(made())
    steady.server.files = files
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"sha256": "0a" * 32}, "bad_release"),
        ({"version": "0.3.0"}, "bad_release"),
        ({"url": steady.server.url("nothing.json"), "sha256": "0b" * 32}, "download"),
    )
    for parameters, code in wrong:
        done = steady.update(**parameters)
        assert (done["state"], done["error"]) == ("failed", code), parameters
    done = steady.update(url="https://127.0.0.1/release.json")
    assert (done["state"], done["error"]) == ("rejected", "bad_parameter")
    steady.server.files = signed(made(), bytes(32))
    assert steady.update()["error"] == "bad_release"


def test_one_that_is_too_big(steady: Pond) -> None:
    steady.server.files = signed(made(more=1_000_000))
    asked = len(steady.server.asked)
    done = steady.update()
    assert done["error"] == "no_space" and done["result"]["need"] > 1_000_000
    assert [path for path, _ in steady.server.asked[asked:]] == [manifest.NAME]


@pytest.mark.parametrize("wrong", ["truncated", "changed"])
def test_a_file_that_is_not_what_was_signed(steady: Pond, wrong: str) -> None:
    steady.server.files = files = signed(made(more=9000))
    content = files["app/more.bin"]
    broken = {"truncated": content[:-100], "changed": content[:-1] + b"?"}[wrong]
    steady.server.broken = {"app/more.bin": broken}
    done = steady.update()
    assert done["error"] == "bad_release", done
    steady.server.broken = {}


def test_a_server_that_is_gone(steady: Pond) -> None:
    steady.server.files = signed(made(more=9000))
    steady.server.budget = 0
    done = steady.update()
    steady.server.budget = None
    assert (done["state"], done["error"]) == ("failed", "download"), done


def test_a_server_that_breaks_off_is_asked_for_the_rest(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    files = signed(made(more=30_000))
    with pond(tmp_path, embedded_broker, files) as site:
        site.server.budget = len(files[manifest.NAME]) + len(files["app/__init__.mpy"]) + 20_000
        command_id = site.begin()
        site.backend.wait(topics.ACK, {"command_id": command_id, "state": "accepted"})
        site.server.wait_until_asked("app/more.bin", 20_000)
        site.server.budget = None
        assert site.outcome(command_id)["state"] == "completed"
        assert site.server.sent <= sum(map(len, files.values()))
        site.runs("b", "confirmed")


def test_a_server_without_ranges_begins_anew(embedded_broker: Broker, tmp_path: Path) -> None:
    files = signed(made(more=30_000))
    with pond(tmp_path, embedded_broker, files) as site:
        site.server.ranges = False
        assert site.update()["state"] == "completed"
        site.runs("b", "confirmed")


def test_no_update_while_a_release_is_on_trial(embedded_broker: Broker, tmp_path: Path) -> None:
    with pond(tmp_path, embedded_broker, signed(made())) as site:
        site.update()
        site.runs("b", "trial")
        site.backend.online(since=len(site.backend.heard) - 1)
        done = site.update()
        assert (done["state"], done["error"]) == ("rejected", "busy")


CRASHES = """
if slot == "a" and not text.startswith("safe_mode"):
    raise RuntimeError("bad")
"""


def test_safe_mode_moves_nothing_and_takes_an_update(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with pond(tmp_path, embedded_broker, signed(made()), CRASHES) as site:
        safe = site.runs("a", "safe_mode: 5 bad boots")
        assert safe["actuators"] == {}
        site.backend.command("feed", "feeder1", "f", amount=1)
        site.backend.wait(topics.ACK, {"command_id": "f", "error": "unknown_target"})
        assert site.update()["state"] == "completed"
        assert "feeder1" in site.runs("b", "trial")["actuators"]
        site.runs("b", "confirmed")
        assert site.board.pulses(FEEDER) == []


def test_the_other_release_is_tried_before_safe_mode(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with pond(tmp_path, embedded_broker, signed(made())) as site:
        site.update()
        site.runs("b", "confirmed")
        site.board.power_cut()
        main = site.board.flash.read("main.py").decode()
        start = "    from app import once\n"
        crashes = f'    if slot == "b":\n        raise RuntimeError("bad")\n{start}'
        site.board.flash.write({"main.py": main.replace(start, crashes)})
        since = len(site.backend.heard)
        site.board.start()
        site.runs("a", "trial", since=since)
        assert site.runs("a", "confirmed", since=since)["firmware"] == "0.1.0"
