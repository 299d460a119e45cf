"""What is written down ahead and goes out in time, and what is played by a program of the host."""

import dataclasses
import queue
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from protocol.messages import ack, encode

from backend.brokers.outbox import Outbox
from backend.database.models import Command
from backend.delivery.core import Batch
from backend.delivery.part import Part
from backend.delivery.work import Work
from backend.scenes.cast import Order
from backend.scenes.part import LEAD_MS
from backend.scenes.player import Player
from backend.scenes.rows import SceneStep
from tests.dialects.conftest import START
from tests.scenes.conftest import LAMP, Stage, mqtt, scene

ON, OFF = mqtt("light", "ON"), mqtt("light", "OFF")


@pytest.fixture
def outbox(stage: Stage) -> Outbox:
    """The stage plays ahead; the outbox is filled by the test, and publishes nothing."""
    outbox = Outbox()
    stage.core.parts.scenes.plays_ahead(outbox)
    return outbox


def handed(stage: Stage, outbox: Outbox) -> list[tuple[float, str]]:
    """[(seconds, type)] of what the last transaction hands over for later."""
    said = []
    for _, message in stage.out.publish:
        at = stage.out.later.get(message["command_id"])
        if at is not None:
            outbox.put(message["command_id"], at, lambda: True)
            said.append(((at - START) / 1000, message["command_type"]))
    return said


def test_what_is_to_come_is_written_down_before_its_time(stage: Stage, outbox: Outbox) -> None:
    states: Any = {
        "A": {"timeline": [{"at": 2, **ON}], "transitions": [
            {"type": "timeout", "delay": 2.1, "goto": "B"}]},
        "B": {"onEnter": [mqtt("motor1", "ON:9:L")], "transitions": [
            {"type": "timeout", "delay": 9, "goto": "END"}]},
    }  # fmt: skip
    run = stage.play({"initialState": "A", "states": states})
    assert stage.core.next_due() == START + 2000 - LEAD_MS
    stage.at(1.7).tick()
    assert handed(stage, outbox) == [(2.0, "switch")]
    (step,) = stage.run(run)["steps"]
    assert (step["status"], step["planned_at"]) == ("SENT", START + 2000)
    history = stage.history({"id": step["command_id"]})
    assert history[1][1]["not_before"] == START + 2000
    stage.at(1.8).tick()
    assert handed(stage, outbox) == [(2.1, "motor")]
    assert stage.run(run)["state"] == "A"
    stage.at(2.2).tick()
    assert (stage.run(run)["state"], handed(stage, outbox)) == ("B", [])
    assert [one["place"] for one in stage.run(run)["steps"]] == [
        "states.A.timeline[0]", "states.B.onEnter[0]"
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["pause", "stop", "event"])
def test_what_is_not_to_come_is_taken_back(stage: Stage, outbox: Outbox, what: str) -> None:
    leave = [{"type": "mqttMessage", "topic": "room1/door", "message": "1", "goto": "END"}]
    run = stage.play(scene({"at": 1, **ON}, globalEvents=leave))
    stage.at(0.8).tick()
    handed(stage, outbox)
    (command,) = Command.select()
    if what == "event":
        stage.hear("room1/door", "1")
    else:
        stage.control(run, what)
    assert stage.words() == ([] if what == "pause" else [["room1/light", "OFF"]])
    assert stage.stands({"id": command.id}) == ("CANCELLED", "cancelled")
    assert not SceneStep.select().where(SceneStep.place == "states.A.timeline[0]").exists()
    if what == "pause":
        stage.at(10)
        stage.control(run, "resume")
        assert handed(stage, outbox) == [(10.2, "switch")]


def test_a_busy_target_is_left_for_its_time(stage: Stage, outbox: Outbox) -> None:
    run = stage.play(scene({"at": 0, **ON}, {"at": 0.2, **OFF}))
    assert (stage.words(), handed(stage, outbox)) == ([["room1/light", "ON"]], [])
    stage.at(0.1)
    stage.ok("light")
    assert handed(stage, outbox) == [(0.2, "switch")]
    assert [status for _, status in stage.steps(run)] == ["OK", "SENT"]


def test_the_outbox_publishes_in_time_and_in_order() -> None:
    outbox, heard = Outbox(), queue.SimpleQueue[tuple[str, float]]()
    outbox.start()
    now = time.time_ns() // 1_000_000

    def saying(what: str) -> Any:
        def say() -> bool:
            heard.put((what, time.time() * 1000))
            return what != "lost"

        return say

    for what, after in (("late", 200), ("soon", 60), ("never", 100), ("lost", 120)):
        outbox.put(what, now + after, saying(what))
    assert outbox.withdraw("never") and not outbox.withdraw("never")
    told = [heard.get(timeout=20) for _ in range(3)]
    assert [what for what, _ in told] == ["soon", "lost", "late"]
    assert all(at >= now + after for (_, at), after in zip(told, (60, 120, 200), strict=True))
    assert not outbox.withdraw("soon")
    outbox.stop()
    outbox.join(20)
    assert [(one.command_id, one.ok) for one in outbox.done()] == [
        ("soon", True), ("lost", False), ("late", True)
    ]  # fmt: skip


class Deck:
    """A player whose program is Python, and what it says of ends."""

    def __init__(self, folder: Path) -> None:
        (folder / "media").mkdir()
        for name in ("short.wav", "long.wav"):
            (folder / "media" / name).write_text(name)
        program = (
            "import sys, time; name, volume = sys.argv[1:];"
            f"open({str(folder / 'played')!r}, 'a').write(name[-9:] + volume + ' ');"
            "time.sleep(60 * ('long' in name)); sys.exit(int(volume) % 2)"
        )
        (folder / "program.py").write_text(program)
        self.ends: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        command = f"{sys.executable} {folder / 'program.py'} {{file}} {{volume}}"
        self.player = Player(command, folder / "media", lambda *one: self.ends.put(one))
        self.player.start()
        self.played = folder / "played"


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[Deck]:
    deck = Deck(tmp_path)
    yield deck
    deck.player.stop()
    deck.player.join(20)
    assert not deck.player.is_alive()


def test_a_program_plays_files_and_its_end_is_theirs(deck: Deck) -> None:
    deck.player.do(1, "audio", "PLAY:long.wav:70")
    deck.player.do(1, "audio", "PLAY:short.wav:70")
    assert deck.ends.get(timeout=20) == (1, "audio", "short.wav", "")
    deck.player.do(1, "video", "PLAY:short.wav:1")
    assert deck.ends.get(timeout=20)[:3] == (1, "video", "short.wav")
    deck.player.do(1, "audio", "PLAY:gone.wav:70")
    assert "there is no file 'gone.wav'" in deck.ends.get(timeout=20)[3]
    for message in ("PAUSE", "RESUME", "STOP"):
        deck.player.do(1, "audio", message)
    deck.player.do(2, "audio", "short.wav")
    assert deck.ends.get(timeout=20) == (2, "audio", "short.wav", "")  # the long one is silent
    played = {"short.wav70", "short.wav1", "short.wav100"}
    assert played <= set(deck.played.read_text().split())


def test_a_link_out_of_the_folder_is_not_followed(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "media" / "out.wav").symlink_to(tmp_path / "program.py")
    deck.player.do(1, "audio", "PLAY:out.wav:5")
    assert "there is no file" in deck.ends.get(timeout=20)[3]


def test_a_real_player_ends_a_state(stage: Stage) -> None:
    stage.core.parts.scenes.has_player = True
    states = {
        "A": {"onEnter": [{"action": "audio", "message": "PLAY:a.wav:50"}],
              "transitions": [{"type": "audioEnd", "goto": "B"}]},
        "B": {"onEnter": [ON], "transitions": [{"type": "timeout", "delay": 1, "goto": "END"}]},
    }  # fmt: skip
    from backend.scenes.tasks import MediaEnded

    run = stage.play({"initialState": "A", "states": states})
    assert stage.until(30) == [] and stage.steps(run) == [("audio PLAY:a.wav:50", "PLAYED")]
    stage.do(MediaEnded(run, "audio", "a.wav", "it broke"))
    assert stage.words() == [["room1/light", "ON"]]
    assert ("audio a.wav", "FAILED") in stage.steps(run)


@pytest.mark.parametrize(
    ("when", "state", "stands"),
    [
        (0.8, "cancelled", ("NOT_SENT", None)),
        (0.8, "completed", ("OK", None)),  # it went out just then
        (1.1, "cancelled", ("FAILED", START + 1000)),
    ],
)
def test_a_step_that_somebody_cancels_tells_what_became_of_it(
    stage: Stage, outbox: Outbox, when: float, state: str, stands: tuple[str, int | None]
) -> None:
    board = stage.own_board()
    run = stage.play(scene({"at": 1, **mqtt("lamp", "ON")}, topics=LAMP))
    stage.at(0.8).tick()
    assert handed(stage, outbox) == [(1.0, "switch")]
    (command,) = Command.select()
    stage.at(when)
    stage.post("b1", "stop", "light1")
    stage.at(1.2)
    said = encode("ack", ack(command.id, state, "x"), board.key)
    stage.apply(Batch([], [], [stage.core.ingest.read("devices/b1/ack", said)]))  # type: ignore[list-item]
    (step,) = stage.run(run)["steps"]
    assert (step["status"], step["sent_at"]) == stands


def test_what_is_prepared_while_the_run_ends_does_not_go_out(stage: Stage, outbox: Outbox) -> None:
    fails = {"at": 0, **mqtt("nobody", "ON"), "onFailure": "abort"}
    run = stage.play(scene(fails, {"at": 0.2, **ON}))
    assert stage.run(run)["status"] == "ABORTED"
    assert (stage.words(), stage.out.later) == ([], {})
    assert [row.status for row in Command.select()] == ["CANCELLED"]


def test_what_is_called_off_in_the_transaction_that_prepares_it_does_not_go_out(
    stage: Stage, outbox: Outbox
) -> None:
    board = stage.own_board()
    stage.play(scene({"at": 1, **mqtt("lamp", "ON")}, topics=LAMP))

    class Stronger(Part):
        def act(self, work: Work) -> None:
            new = Order("b1", "light1", "stop", {}).command(9)
            self.orders.post(work, dataclasses.replace(new, cause="automation/1/1", priority=950))

    parts = stage.core.parts
    parts.all = (*parts.all, Stronger(parts.orders))
    stage.at(0.8).tick()
    assert board.online and stage.out.later == {}
    told = [message["command_type"] for _, message in stage.out.publish]
    assert sorted(told) == ["cancel", "stop"]


def test_what_went_out_as_the_run_ended_is_not_said_to_be_unsent(stage: Stage) -> None:
    fails = {**mqtt("nobody", "ON"), "onFailure": "abort"}
    run = stage.play(scene({"at": 0, "actions": [ON, OFF, fails]}))
    assert ["room1/light", "ON"] in stage.words()
    assert stage.steps(run)[0] == ("room1/light ON", "SUPERSEDED")
