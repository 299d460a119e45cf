"""Runs: what is sent when, what comes back, what fails, and how all of it is recorded."""

import json
from typing import Any

import pytest

from backend.database.models import Command
from backend.database.retention import FIRST_MS, Sweep
from backend.delivery.core import Batch
from backend.delivery.wishes import NewCommand
from backend.errors import Conflict
from backend.scenes import rows
from backend.scenes.tasks import Save, Start, StopRoom
from tests.dialects.conftest import START
from tests.scenes.conftest import BOARD, LAMP, Stage, mqtt, scene

ON, OFF = mqtt("light", "ON"), mqtt("light", "OFF")


def at(seconds: float, action: dict[str, Any]) -> dict[str, Any]:
    return {"at": seconds, **action}


def test_a_run_says_what_its_file_says_when_it_says_it(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(2, mqtt("motor1", "ON:80:R")), at(4.2, OFF), delay=6))
    assert stage.words() == [["room1/light", "ON"]]
    stage.at(0.2)
    stage.ok("light")
    assert stage.until(3) == [(2, "room1/motor1", "ON:80:R")]
    stage.at(5)
    assert stage.until(5.5) == [(5, "room1/light", "OFF")]  # looked at too late, and it says so
    stage.ok("light")
    assert [one[1:] for one in stage.until(6.5)] == [
        ("room1/light", "OFF"),
        ("room1/motor1", "OFF"),
    ]
    shown = stage.run(run)
    assert (shown["status"], shown["state"]) == ("COMPLETED", "A")
    first, motor, late, *safe = shown["steps"]
    assert (first["status"], first["feedback_at"] - first["sent_at"]) == ("OK", 200)
    assert (motor["status"], motor["command_status"]) == ("NO_FEEDBACK", "UNKNOWN")
    assert late["sent_at"] - late["planned_at"] == 800
    assert [one["place"] for one in safe] == ["safe state", "safe state"]
    row = Command.get(Command.id == first["command_id"])
    assert (row.cause, row.user, row.status) == (f"scene/show/{run}", "system", "COMPLETED")


def test_the_same_scene_twice_is_the_same_twice(stage: Stage) -> None:
    raw = scene(at(0.3, ON), at(1.7, OFF), at(3, mqtt("motor1", "ON:5:L")), delay=4)
    told = []
    for start in (10, 100):
        stage.at(start)
        run = stage.play(raw)
        said = [(round(when - start, 3), *rest) for when, *rest in stage.until(start + 8)]
        begun = stage.run(run)["started_at"]
        steps = stage.run(run)["steps"]
        timeline = [(one["place"], one["text"], one["planned_at"] - begun) for one in steps]
        told.append((said, timeline, stage.steps(run)))
    assert told[0] == told[1]


def test_states_follow_each_other_without_drift(stage: Stage) -> None:
    states = {
        "A": {"onEnter": [ON], "onExit": [OFF],
              "transitions": [{"type": "timeout", "delay": 1.5, "goto": "B"}]},
        "B": {"onEnter": [mqtt("steam", "ON")], "timeline": [at(0.5, mqtt("steam", "OFF"))],
              "transitions": [{"type": "mqttMessage", "topic": "room1/door", "message": "open",
                               "goto": "END"}]},
    }  # fmt: skip
    run = stage.play({"initialState": "A", "states": states})
    stage.at(1.8)  # the writer was busy
    stage.tick()
    assert stage.words() == [["room1/light", "OFF"], ["room1/steam", "ON"]]
    assert stage.until(4) == [(2.0, "room1/steam", "OFF")]  # half a second after 1.5
    stage.hear("room1/door", "OPEN")
    assert stage.run(run)["status"] == "RUNNING"  # exactly, it says
    stage.hear("room1/door", "open")
    assert stage.run(run)["status"] == "COMPLETED"


def test_the_first_transition_wins(stage: Stage) -> None:
    leaves = [{"type": "mqttMessage", "topic": "room1/b", "message": "1", "goto": name}
              for name in ("ONE", "TWO")]  # fmt: skip
    states = {"A": {"transitions": leaves}, "ONE": {"transitions": leaves[1:]}, "TWO": {
        "transitions": leaves[:1]}}  # fmt: skip
    run = stage.play({"initialState": "A", "states": states})
    stage.hear("room1/b", "1")
    assert stage.run(run)["state"] == "ONE"
    stage.hear("room1/b", "1")
    assert stage.run(run)["state"] == "TWO"


def test_the_null_player_ends_what_it_plays_in_time(stage: Stage) -> None:
    enter = [{"action": "audio", "message": "PLAY:a.wav:50"}]
    states = {
        "A": {"onEnter": enter, "transitions": [{"type": "audioEnd", "target": "a.wav",
                                                 "goto": "B"}]},
        "B": {"onEnter": [ON], "transitions": [{"type": "timeout", "delay": 1, "goto": "END"}]},
    }  # fmt: skip
    run = stage.play({"initialState": "A", "media": {"a.wav": 2.5}, "states": states})
    assert stage.out.local == [(run, "audio", "PLAY:a.wav:50")]
    assert stage.until(3) == [(2.5, "room1/light", "ON")]
    assert stage.run(run)["steps"][0]["status"] == "SIMULATED"


def test_a_second_command_replaces_the_wait_and_says_so(stage: Stage) -> None:
    fast = [at(0, mqtt("motor1", "ON:10:L")), at(0, mqtt("motor1", "DIR:R")), at(0.3, mqtt(
        "motor1", "SPEED:90"))]  # fmt: skip
    run = stage.play(scene(*fast, delay=5))
    assert [word for _, word in stage.words()] == ["ON:10:L", "DIR:R"]
    assert stage.until(0.5) == [(0.3, "room1/motor1", "SPEED:90")]
    stage.ok("motor1")
    stage.until(2)
    assert [status for _, status in stage.steps(run)] == ["SUPERSEDED", "SUPERSEDED", "OK"]
    assert "no answer tells" in stage.run(run)["steps"][0]["detail"]


def test_an_answer_after_its_time_is_late(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON)))
    stage.until(1.4)
    assert stage.steps(run) == [("room1/light ON", "NO_FEEDBACK")]
    stage.ok("light")
    assert stage.steps(run) == [("room1/light ON", "LATE")]


@pytest.mark.parametrize(
    ("policy", "status", "sent"),
    [
        ("continue", "COMPLETED", ["ON", "ON", "OFF", "OFF"]),
        ("retry", "COMPLETED", ["ON", "ON", "ON", "ON", "OFF", "OFF"]),
        ("abort", "ABORTED", ["ON"]),
        ("safe", "ABORTED", ["ON", "OFF", "OFF", "OFF"]),  # until it is answered
    ],
)
def test_a_failed_step_follows_its_policy(
    stage: Stage, policy: str, status: str, sent: list[str]
) -> None:
    run = stage.play(
        scene(at(0, {**ON, "onFailure": policy}), at(5, mqtt("steam", "ON")), delay=7)
    )
    said = stage.words()
    stage.at(0.1).say("room1/light/feedback", "ERROR")
    said += [list(one[1:]) for one in stage.until(0.2)]
    for _ in range(2 if policy == "retry" else 0):
        stage.say("room1/light/feedback", "ERROR")
        said += [list(one[1:]) for one in stage.until((stage.now - 1_800_000_000_000) / 1000)]
    said += [list(one[1:]) for one in stage.until(7.5)]
    assert [word for _, word in said] == sent
    assert stage.run(run)["status"] == status
    assert stage.steps(run)[0][1] == "FAILED"


def test_a_pause_moves_all_that_is_to_come(stage: Stage) -> None:
    run = stage.play(scene(at(1, ON), at(3, OFF), delay=4))
    stage.until(1.5)
    stage.ok("light")
    stage.control(run, "pause")
    assert stage.until(10) == []
    with pytest.raises(Conflict):
        stage.control(run, "pause")
    stage.control(run, "resume")
    assert stage.until(12) == [(11.5, "room1/light", "OFF")]
    stage.ok("light")
    stage.until(13)
    assert stage.run(run)["status"] == "COMPLETED"


def test_a_stop_switches_off_what_was_used(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(1, mqtt("steam", "ON")), at(2, mqtt("motor1", "ON:1:L"))))
    stage.until(1.2)
    stage.control(run, "stop")
    assert stage.words() == [["room1/light", "OFF"], ["room1/steam", "OFF"]]
    stage.ok("light")
    stage.ok("steam")
    assert stage.until(5) == []
    assert stage.run(run)["reason"] == "stopped by ann"


def test_what_must_not_be_there_is_left_alone(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), delay=1, atEnd="keep"))
    stage.ok("light")
    assert stage.until(3) == []
    assert stage.run(run)["status"] == "COMPLETED"
    stage.play(scene(at(0, ON), delay=1, safeState=[mqtt("steam", "OFF")]))
    stage.ok("light")
    assert stage.until(5) == [(4, "room1/steam", "OFF")]


def test_a_target_is_of_one_run_at_a_time(stage: Stage, second: str) -> None:
    run = stage.play(scene(at(5, ON)))
    stage.keep(scene(at(0, OFF)), "other")
    with pytest.raises(Conflict, match=f"light of {BOARD} is used by the run {run} of show"):
        stage.do(Start("other", "ann"))
    fog = stage.play(scene(at(0, mqtt("fog", "ON"))), "third")
    assert stage.words() == [["room1/fog", "ON"]]
    assert [stage.run(one)["status"] for one in (run, fog)] == ["RUNNING", "RUNNING"]


@pytest.mark.parametrize("how", ["heard", "posted", "asked"])
def test_a_room_stop_ends_what_plays_there(stage: Stage, second: str, how: str) -> None:
    run = stage.play(scene(at(0, ON), at(4, mqtt("fog", "ON"))))
    stage.ok("light")
    stage.at(1)
    if how == "heard":
        said = stage.hear("room1/STOP", "now")
    elif how == "posted":
        new = NewCommand(second, "emergency_stop", "", {}, None, "ann")
        stage.apply(Batch([("me", new)], [], []))
        said = stage.words()
        said += [list(one[1:]) for one in stage.until(1)]
    else:
        stage.do(StopRoom("show", "ann"))
        said = stage.words()
    stops = {"heard": 0, "posted": 1, "asked": 2}[how]
    assert said.count(["room1/STOP", "STOP"]) == stops
    assert ["room1/light", "OFF"] in said
    assert stage.run(run)["status"] == "STOPPED"
    again = stage.play(scene(at(0, ON)), "next")
    for _ in range(stops):
        stage.hear("room1/STOP", "STOP")  # our own word comes back, and means nothing new
    assert stage.run(again)["status"] == "RUNNING"
    stage.hear("room1/STOP", "STOP")
    assert stage.run(again)["status"] == "STOPPED"


def test_buttons_start_scenes(stage: Stage) -> None:
    stage.keep(scene(at(0, ON), sceneId="one"), "one")
    assert stage.hear("room1/scene", "START") == [["room1/light", "ON"]]
    stage.ok("light")
    stage.until(20)
    stage.keep(scene(at(0, mqtt("steam", "ON")), sceneId="two", default=True), "two")
    assert stage.hear("room1/scene", "START") == [["room1/steam", "ON"]]
    assert stage.hear("room1/start_scene", "one.json") == [["room1/light", "ON"]]
    stage.hear("room1/start_scene", "nonsense")
    users = [one["user"] for one in rows.runs(None, None, None, 9)]
    assert users == ["button room1/start_scene", "button room1/scene", "button room1/scene"]


def test_boards_that_switch_off_by_themselves_are_kept_on(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(1, mqtt("steam", "ON")), at(2, mqtt("steam", "OFF")),
                           at(500, OFF), delay=501))  # fmt: skip
    stage.ok("light")
    said = []
    for second in range(1, 300):
        said += stage.until(second)
        for topic in ("light", "steam"):
            stage.ok(topic)
    assert said[2:] == [(122.0, "room1/light", "ON"), (242.0, "room1/light", "ON")]
    assert [status for _, status in stage.steps(run)] == ["OK"] * 5
    assert stage.run(run)["steps"][3]["place"] == "keep alive"


def test_without_a_broker_it_is_a_simulation(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(2, mqtt("steam", "ON")), at(6, OFF), delay=8))
    stage.ok("light")
    stage.core.roster.listen(None)
    assert stage.until(4) == []
    assert stage.run(run)["simulated"] is True
    stage.core.roster.listen(stage.now)
    stage.greet()
    assert stage.words() == []  # nothing is caught up on
    assert stage.until(7) == [(6.0, "room1/light", "OFF")]
    assert [status for _, status in stage.steps(run)][:2] == ["OK", "SIMULATED"]


def test_a_board_that_is_away_gets_nothing_later(stage: Stage) -> None:
    stage.say(f"devices/{BOARD}/status", "offline")
    run = stage.play(scene(at(0, ON), at(3, mqtt("steam", "ON")), delay=6))
    stage.until(1)
    stage.greet()
    assert stage.words() == []
    assert stage.until(4) == [(3.0, "room1/steam", "ON")]
    assert stage.run(run)["steps"][0]["detail"] == "the board is offline"


def test_what_waits_behind_somebody_elses_command_is_called_off(stage: Stage) -> None:
    stage.post(BOARD, "switch", "light", state="on")
    run = stage.play(scene(at(0, {**ON, "message": "ON"})))
    assert stage.until(1.5) == []
    assert stage.steps(run) == [("room1/light ON", "NOT_SENT")]
    stage.ok("light")
    assert stage.until(3) == []


def test_a_killed_backend_takes_nothing_up_again(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(1, mqtt("steam", "ON")), at(2, mqtt("motor1", "ON:9:L"))))
    stage.until(1.1)
    stage.at(1.3).restart()
    assert stage.tick() == [["room1/light", "OFF"], ["room1/steam", "OFF"]]
    stage.ok("light")
    stage.ok("steam")
    assert stage.until(5) == []
    shown = stage.run(run)
    assert (shown["status"], shown["ahead"]) == ("INTERRUPTED", [])
    assert [one["status"] for one in shown["steps"]][:2] == ["NO_FEEDBACK", "NO_FEEDBACK"]
    assert not stage.core.parts.scenes.going


def test_a_run_that_is_far_behind_is_interrupted(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(1, OFF), delay=60))
    stage.ok("light")
    stage.at(30).tick()
    assert stage.run(run)["status"] == "INTERRUPTED"


def test_a_clock_that_is_set_moves_no_step(stage: Stage) -> None:
    run = stage.play(scene(at(0, ON), at(5, OFF), delay=6))
    stage.ok("light")
    stage.at(3601)
    stage.core.clock_set(3_600_000, stage.now)
    assert stage.until(3605.5) == [(3605.0, "room1/light", "OFF")]
    assert stage.run(run)["status"] == "RUNNING"


def test_a_scene_that_changes_without_end_is_ended(stage: Stage) -> None:
    hop = {"transitions": [{"type": "timeout", "delay": 0.001, "goto": "B"}]}
    back = {"transitions": [{"type": "timeout", "delay": 0.001, "goto": "A"}]}
    run = stage.play({"initialState": "A", "states": {"A": hop, "B": back}})
    stage.until(2)
    assert stage.run(run)["status"] == "ABORTED"


def test_old_runs_go_with_their_steps(stage: Stage) -> None:
    for _ in range(2):
        run = stage.play(scene(at(0, ON), delay=1))
        stage.ok("light")
        stage.until((stage.now - START) / 1000 + 2)
        stage.ok("light")
        stage.until((stage.now - START) / 1000 + 2)
    later = stage.now + 31 * 86_400_000
    sweep = Sweep({})
    for step in range(200):
        sweep.turn(later + step * FIRST_MS, True)
    assert sweep.deleted["scenes"] == 1  # the newest stays
    assert {one.run_id for one in rows.SceneStep.select()} == {run}


def test_our_own_boards_play_a_museums_file(stage: Stage) -> None:
    stage.own_board()
    raw = scene(at(0, mqtt("lamp", "ON")), topics=LAMP)
    stage.do(Save("own", None, json.dumps(raw), "ann"))
    stage.do(Start("own", "ann"))
    (sent,) = stage.out.publish
    assert sent[0] == "b1" and sent[1]["parameters"] == {"state": "on"}


def test_a_board_that_has_left_the_site_is_left_alone(stage: Stage) -> None:
    board = stage.own_board()
    again = at(1, mqtt("lamp", "OFF"))
    run = stage.play(scene(at(0, mqtt("lamp", "ON")), again, topics=LAMP))
    assert len(stage.out.publish) == 1
    board.site = "lake"
    stage.at(1).tick()
    assert not stage.out.publish
    step = stage.run(run)["steps"][1]
    assert (step["status"], step["board_id"]) == ("NOT_SENT", "b1")
