"""Scene files: what loads, and what is refused, by the place where it stands."""

import copy
import json
import pickle
from typing import Any

import pytest
from protocol import ProtocolError

from backend.dialects import museum
from backend.errors import Conflict, Invalid
from backend.scenes import rows
from backend.scenes.checks import check
from backend.scenes.plan import plan_of
from backend.scenes.tasks import Check, Control, Delete, Save, Start, StopRoom
from tests.scenes.conftest import Stage, mqtt, scene

MUSEUM: Any = {
    "sceneId": "intro",
    "version": "2.0",
    "description": "The first room",
    "initialState": "INTRO",
    "globalEvents": [
        {"type": "mqttMessage", "topic": "room1/panic", "message": "1", "goto": "END"}
    ],
    "states": {
        "INTRO": {
            "description": "it begins",
            "onEnter": [mqtt("light", "ON"), {"action": "audio", "message": "PLAY:a.mp3:70"}],
            "onExit": [{"action": "video", "message": "STOP"}],
            "timeline": [
                {"at": 1.5, **mqtt("motor1", "ON:80:R:300")},
                {"at": 0.5, "actions": [mqtt("steam", "1"), mqtt("motor1", "SPEED:20")]},
            ],
            "transitions": [
                {"type": "audioEnd", "target": "a.mp3", "goto": "WAIT"},
                {"type": "timeout", "delay": 30, "goto": "END"},
            ],
        },
        "WAIT": {"transitions": [{"type": "always", "goto": "END"}]},
    },
}
FLAT: Any = [
    {"timestamp": 5.0, "topic": "room1/steam", "message": "ON"},
    {"timestamp": 0.0, "topic": "room1/light", "message": "ON"},
    {"at": 2.5, "topic": "room1/audio", "message": "bg.mp3"},
]


def wrong(raw: Any) -> list[str]:
    _, errors, _ = check(raw)
    return [f"{place} {reason}" for place, reason in errors]


def changed(path: str, value: Any) -> Any:
    """The museum's file with one member set; `path` as `states/INTRO/timeline/0/at`."""
    raw = copy.deepcopy(MUSEUM)
    *way, last = [int(one) if one.isdigit() else one for one in path.split("/")]
    node = raw
    for one in way:
        node = node[one]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return raw


def test_a_museums_file_loads() -> None:
    assert wrong(MUSEUM) == []
    plan = plan_of(MUSEUM)
    assert [cue.at for cue in plan.states["INTRO"].timeline] == [500, 1500]
    assert [one.text for one in plan.states["INTRO"].on_enter] == [
        "room1/light ON",
        "audio PLAY:a.mp3:70",
    ]
    assert plan.rooms == {"room1"}


@pytest.mark.parametrize("raw", [FLAT, {"sceneId": "x", "actions": FLAT}])
def test_a_flat_list_is_one_state(raw: Any) -> None:
    assert wrong(raw) == []
    (state,) = plan_of(raw).states.values()
    played = [(cue.at, cue.actions[0].kind, cue.actions[0].place) for cue in state.timeline]
    first = "" if isinstance(raw, list) else "actions"
    assert played == [
        (0, "mqtt", f"{first}[1]"), (2500, "audio", f"{first}[2]"), (5000, "mqtt", f"{first}[0]")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("states/INTRO/timeline/0/at", "soon", "states.INTRO.timeline[0].at must be a number"),
        ("states/INTRO/timeline/1/at", None, "states.INTRO.timeline[1].at is missing"),
        ("states/INTRO/timeline/0/at", -1, "states.INTRO.timeline[0].at must be at least 0"),
        ("states/INTRO/onEnter/0/topic", None, "states.INTRO.onEnter[0].topic is missing"),
        ("states/INTRO/onEnter/0/action", "shout",
         "states.INTRO.onEnter[0].action must be one of mqtt, command, audio, video"),
        ("states/INTRO/music", [], "states.INTRO.music is unknown here; use description, onEnter,"
         " onExit, timeline, transitions"),
        ("states/INTRO/transitions/1/goto", "OUT",
         "states.INTRO.transitions[1].goto names the state 'OUT', which there is not"),
        ("states/INTRO/transitions/1/delay", None,
         "states.INTRO.transitions[1].delay is missing"),
        ("initialState", "FIRST", "initialState names the state 'FIRST', which there is not"),
        ("globalEvents/0", {"type": "always", "goto": "END"},
         "globalEvents[0] would hold at once in every state; give it a delay"),
        ("states/WAIT/transitions/0/goto", "WAIT",
         "states.WAIT.transitions[0] leads WAIT -> WAIT without end; give it a delay"),
        ("states/INTRO/onEnter/1/message", "PLAY:../../etc/passwd:1",
         "states.INTRO.onEnter[1].message must name a file in the folder for scenes, without .."),
        ("globalEvents/0/topic", "room1/light/feedback",
         "globalEvents[0].topic is where boards answer; wait for another one"),
        ("globalEvents/0/topic", "devices/pond/ack",
         "globalEvents[0].topic must be a topic of a room, such as room1/light"),
        ("states/INTRO/onEnter/0", {"action": "command", "board": "b1",
         "command_type": "update_config", "parameters": {"wifi-0-password": "hush"}},
         "states.INTRO.onEnter[0].parameters must hold no passwords, for they would be kept; send"
         " such a command by itself"),
        ("states/INTRO/onEnter/0/topic", "room1/#",
         "states.INTRO.onEnter[0].topic must be a topic of a room, such as room1/light"),
        ("states", [], "states must be an object"),
        ("onFailure", "panic", "onFailure must be one of continue, retry, abort, safe"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_place(path: str, value: Any, said: str) -> None:
    assert wrong(changed(path, value)) == [said]


@pytest.mark.parametrize("raw", [None, 7, "x", [], {}, [[]], {"states": {"A": 1}}, {"actions": 1}])
def test_what_is_no_scene_at_all_is_refused(raw: Any) -> None:
    assert wrong(raw)


def test_a_flat_action_needs_its_time() -> None:
    assert wrong([{"topic": "room1/light", "message": "ON"}]) == ["[0].at is missing"]


def test_what_is_strange_is_a_warning(stage: Stage) -> None:
    raw = changed("states/LOST", {"timeline": [{"at": 0, **mqtt("door", "OPEN")}]})
    raw["states"]["INTRO"]["onEnter"][0]["message"] = "BLINK"
    raw["colour"] = "red"
    found = stage.do(Check(json.dumps(raw), None))
    assert found["errors"] == []
    said = dict(found["warnings"])
    assert said["colour"] == "is unknown and does nothing"
    assert said["states.LOST"] == "is never reached"
    assert "'room1/door' belongs to no board" in said["states.LOST.timeline[0]"]
    assert "must be ON or OFF" in said["states.INTRO.onEnter[0]"]


@pytest.mark.parametrize(
    ("kind", "word", "sent"),
    [
        ("switch", "on", "ON"),
        ("switch", "1", "ON"),
        ("switch", "STOP", "OFF"),
        ("motor", "ON:80:R", "ON:80:R"),
        ("motor", "ON:80:L:300", "ON:80:L:300"),
        ("motor", "START", "ON:100:L"),
        ("motor", "SPEED:7", "SPEED:7"),
        ("motor", "DIR:R", "DIR:R"),
        ("motor", "0", "OFF"),
    ],
)
def test_words_of_a_museum_mean_commands(kind: str, word: str, sent: str) -> None:
    command_type, parameters = museum.meant(kind, word)
    facts = {"actuators": {"it": {"kind": kind, "topic": "room1/it"}}}
    museum.MUSEUM.check(command_type, "it", parameters, facts["actuators"])
    command = {"command_type": command_type, "target": "it", "parameters": parameters}
    assert museum.write(facts, command) == [("room1/it", sent.encode(), 0)]


@pytest.mark.parametrize(
    ("kind", "word"), [("switch", "BLINK"), ("motor", "ON:fast"), ("motor", "")]
)
def test_words_that_mean_nothing_are_refused(kind: str, word: str) -> None:
    with pytest.raises(ProtocolError, match="must be"):
        museum.meant(kind, word)


def test_what_is_asked_for_goes_between_processes() -> None:
    asked = (
        Save("show", None, "[]", "ann"), Delete("x"), Start("x", "ann"), Check("[]", None),
        Control(1, "stop", "ann"), StopRoom("x", "ann"),
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(asked)) == asked


def test_keeping_replacing_and_deleting(stage: Stage) -> None:
    stage.keep(scene())
    with pytest.raises(Conflict, match="already"):
        stage.do(Save("show", None, json.dumps(scene()), "ann"))
    with pytest.raises(Invalid) as why:
        stage.keep([{"at": "x", "topic": "a/b", "message": "ON"}])
    assert why.value.field == "[0].at"
    assert stage.keep(scene())["revision"] == 2
    run = stage.play(scene(delay=5))
    with pytest.raises(Conflict):
        stage.do(Delete("show"))
    stage.control(run, "stop")
    stage.do(Delete("show"))
    assert rows.Scene.select().count() == 0
