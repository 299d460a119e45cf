"""Boards for a dry run of a scene: which it takes, and museum boards that obey and answer at once.

A museum board is a client of the broker, no more: it keeps what is on, and answers `OK`. Boards
that the scene names by their id run the real firmware.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.catalogue import VERBS

from backend.scenes.plan import Plan
from tools.bench_mqtt import Login, make_client

_PINS = (16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33)
_MOTOR = ("ON:", "SPEED:", "DIR:")
_WIRED: dict[str, dict[str, Any]] = {
    "switch": {"longest_s": 3600},
    "motor": {"pwm_hz": 1000, "longest_s": 3600},
    "feeder": {"grams_per_second": 10, "longest_s": 600},
    "valve": {"longest_s": 3600},
}


@dataclass
class Cast:
    """What a scene takes. `museum`: {board: {target: topic}}; `own`: {board: its actuators};
    `pins`: {(board, target): the pin that shows it}.
    """

    museum: dict[str, dict[str, str]] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    pins: dict[tuple[str, str], int] = field(default_factory=dict)


def cast_of(plan: Plan) -> Cast:
    """One museum board for each room, and each board that is named, with all that is used."""
    cast = Cast()
    for one in plan.actions():
        if one.kind == "command" and one.target:
            verb = VERBS.get(one.command_type)
            _wire(cast, one.board, one.target, (verb and verb.actuator) or "switch")
        elif one.kind == "command":
            cast.own.setdefault(one.board, {})
        elif one.topic in plan.topics:
            kind = "motor" if _moves(plan, one.topic) else "switch"
            _wire(cast, *plan.topics[one.topic], kind)
        elif one.kind == "mqtt" and not one.topic.endswith("/STOP"):
            room, _, rest = one.topic.partition("/")
            cast.museum.setdefault(f"museum-{room}", {})[rest.replace("/", "-")] = one.topic
    return cast


def _moves(plan: Plan, topic: str) -> bool:
    words = [one.message.upper() for one in plan.actions() if one.topic == topic]
    return any(word.startswith(_MOTOR) for word in words)


def _wire(cast: Cast, board: str, target: str, kind: str) -> None:
    wired = cast.own.setdefault(board, {})
    if target in wired:
        return
    pins = _PINS[2 * len(wired) % len(_PINS) :]
    named = {"fill_pin": pins[0], "drain_pin": pins[1]} if kind == "valve" else {"pin": pins[0]}
    wired[target] = {"kind": kind, **named, **_WIRED[kind]}
    cast.pins[board, target] = pins[0]


class MuseumBoard:
    """A museum board with these targets. `log`: [(ms since 1970, topic, word)] of what it did."""

    def __init__(self, login: Login, targets: Mapping[str, str]) -> None:
        self.log: list[tuple[float, str, str]] = []
        self.on: set[str] = set()
        self._topics, self._status = set(targets.values()), f"devices/{login.user}/status"
        self._ready = threading.Event()
        rooms = {f"{topic.split('/')[0]}/STOP" for topic in self._topics}
        self._client = make_client(login)
        self._client.on_message = self._obey
        self._wanted = [(topic, 0) for topic in sorted(self._topics | rooms)]
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.will_set(self._status, b"offline", retain=True)
        self._client.connect(login.host, login.port)
        self._client.loop_start()
        if not self._ready.wait(20):
            raise TimeoutError(f"{login.user} did not reach the broker")
        self._client.publish(self._status, b"online", retain=True)

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, *_: Any) -> None:
        self._client.subscribe(self._wanted)

    def _obey(self, client: Any, userdata: Any, message: Any) -> None:
        topic, word = message.topic, message.payload.decode()
        self.log.append((time.time() * 1000, topic, word))
        if topic.endswith("/STOP"):
            self.on.clear()
            return
        if word in ("OFF", "0", "STOP"):
            self.on.discard(topic)
        elif not word.startswith(("SPEED:", "DIR:")):
            self.on.add(topic)
        client.publish(f"{topic}/feedback", b"OK")
