"""Scenes over HTTP: kept, checked, played, and told of; with a museum board spoken for here."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backend.brokers import speech
from backend.brokers.broker import BACKEND_USER, EmbeddedBroker
from backend.fleet import boards
from tests.backend.running import PASSWORD, eventually
from tests.support.mqtt import Client as Mqtt
from tests.web.site import Client, Site

ROOM: Any = {
    "sceneId": "room",
    "initialState": "A",
    "states": {
        "A": {
            "onEnter": [{"action": "mqtt", "topic": "room1/light", "message": "ON"}],
            "timeline": [{"at": 0.5, "action": "mqtt", "topic": "room1/fog", "message": "ON"}],
            "transitions": [
                {"type": "mqttMessage", "topic": "room1/door", "message": "open", "goto": "B"}
            ],
        },
        "B": {"timeline": [{"at": 60, "action": "audio", "message": "STOP"}]},
    },
}


class Room:
    """The museum board `hall`, which answers to its light and never to its fog."""

    def __init__(self, site: Site) -> None:
        station = site.station
        targets = {"light": "room1/light", "fog": "room1/fog"}
        told = boards.enroll("hall", 1, dialect="museum", options={"targets": targets})
        station.backend._core.roster.add(boards.presence("hall"))
        users = {**boards.passwords(), BACKEND_USER: PASSWORD}
        patterns = {**speech.rights(), BACKEND_USER: speech.patterns([])}
        assert isinstance(station.broker, EmbeddedBroker)
        station.broker.set_users(users, patterns)
        self.voice = Mqtt(station.broker, "hall", told["password"])
        self.voice.connect()
        self.voice.subscribe("room1/light")
        self.voice._paho.on_message = lambda *_: self.voice.send("room1/light/feedback", b"OK")
        self.voice.publish("devices/hall/status", b"online")
        eventually(lambda: station.backend.board("hall")["online"])


@pytest.fixture(scope="module")
def room(site: Site) -> Iterator[Room]:
    room = Room(site)
    yield room
    room.voice.close()


def test_a_scene_is_kept_played_and_told_of(site: Site, room: Room, program: Client) -> None:
    made = program.call("POST", "scenes", {"scene": ROOM})
    assert (made.status, made.json["warnings"]) == (201, [])
    site.station.backend.listen()
    heard: list[Any] = []
    with site.station.backend.events.subscribe(None) as events:
        listening = threading.Thread(
            target=lambda: heard.extend(itertools.chain.from_iterable(events)), daemon=True
        )
        listening.start()
        run = program.call("POST", "scenes/room/start").json["id"]

        def shown() -> Any:
            return program.call("GET", f"scene-runs/{run}").json

        eventually(lambda: [one["status"] for one in shown()["steps"]] == ["OK", "NO_FEEDBACK"])
        site.station.say("room1/door", b"open")
        eventually(lambda: shown()["state"] == "B")
        assert [one["text"] for one in shown()["ahead"]] == ["audio STOP"]
        assert program.call("POST", f"scene-runs/{run}/pause").json["status"] == "PAUSED"
        assert program.call("POST", f"scene-runs/{run}/resume").json["status"] == "RUNNING"
        assert program.call("POST", "scenes/room/start").json["error"] == "in_use"
        assert program.call("DELETE", "scenes/room").status == 409
        assert program.call("POST", "scenes/room/stop-room").json["stopped"] == [run]
        eventually(lambda: shown()["status"] == "STOPPED")
    told = [data for _, kind, data in heard if kind == "scene"]
    assert {one["status"] for one in told} >= {"RUNNING", "PAUSED", "STOPPED"}
    assert all(one["run"] == run and one["site"] is None for one in told)
    again = program.call("POST", f"scene-runs/{run}/pause")
    assert (again.status, again.json["error"]) == (409, "ended")


def test_a_button_starts_it(site: Site, room: Room, program: Client) -> None:
    program.call("POST", "scenes", {"scene": ROOM, "replace": True})
    site.station.backend.listen()
    site.station.say("room1/start_scene", b"room")
    eventually(lambda: program.call("GET", "scenes/room").json["last_run"]["status"] == "RUNNING")
    run = program.call("GET", "scene-runs?scene_id=room&limit=1").json["runs"][0]
    assert run["user"] == "button room1/start_scene"
    site.station.say("room1/STOP", b"1")
    eventually(lambda: program.call("GET", f"scene-runs/{run['id']}").json["status"] == "STOPPED")


def test_what_is_wrong_names_its_place(program: Client) -> None:
    wrong = json.loads(json.dumps(ROOM))
    wrong["states"]["A"]["timeline"][0]["at"] = "soon"
    wrong["states"]["B"]["transitions"] = [{"type": "always", "goto": "C"}]
    refused = program.call("POST", "scenes", {"scene": wrong, "id": "wrong"})
    assert refused.status == 400
    assert refused.json["field"] == "states.A.timeline[0].at"
    assert refused.json["message"].startswith("states.A.timeline[0].at must be a number")
    found = program.call("POST", "scenes/validate", {"scene": wrong}).json
    assert found["errors"] == [{"place": "states.A.timeline[0].at", "reason": "must be a number"}]
    assert program.call("GET", "scenes/wrong").status == 404
    assert program.call("POST", "scenes", {"scene": []}).json["field"] == "id"
    for odd in ('"\\ud800"', '"\\u0000"'):
        raw = f'{{"id": "odd", "scene": {{"initialState": {odd}, "states": {{}}}}}}'.encode()
        reply = program.call("POST", "scenes", raw, Content_Type="application/json")
        assert (reply.status, reply.json["error"]) == (400, "bad_scene")
    big = {"scene": {**ROOM, "description": "x" * 60_000}, "id": "big"}
    assert program.call("POST", "scenes", big).status == 201
    big["scene"]["description"] = "x" * 70_000  # type: ignore[index]
    assert program.call("POST", "scenes", big).status == 413
