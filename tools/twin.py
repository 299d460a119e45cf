"""Tries a command on a twin of a board: the real firmware, emulated, in virtual time.

    python -m tools.twin boards/UNIX/actuators/pond.json feed feeder1 amount=20
    python -m tools.twin boards/UNIX/actuators/pond.json water valve1 action=fill seconds=10 \\
        --only-if '{"output": "feeder1", "is": "off"}'
    python -m tools.twin - < request.json

The last is how the backend asks, and gets JSON: {"firmware", "acks": [{"ms", "state", ...}],
"pins": [{"output", "part", "pin", "before", "changes": [{"ms", "percent"}]}], "took_ms"}, or
{"refused": why}, or {"missing": what is not installed}. `percent` is how much a pin is on,
whichever level that is; ms count from the command's arrival. Nothing real moves.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from protocol import ProtocolError, encode
from protocol.conditions import wrap
from protocol.messages import RESULTS

from tools import slim, stage, umqtt
from tools.emulator import Board, EmulatorError, Event
from tools.emulator_flash import FlashImage
from tools.fleet import BoardSpec

COMMAND_ID = "twin"
KEY = bytes(32)  # of nobody's board
LIFE_S = 60
PATIENCE = 10.0  # seconds

_FLASH_KIB = 512
_PARTS = {"pin": "", "fill_pin": "fill", "drain_pin": "drain"}
_SAID = ("state", "error", "message", "result")

Answer = dict[str, Any]


class Refused(ValueError):
    """There can be no twin that is equal; the text says why."""


def try_out(request: dict[str, Any]) -> Answer:
    """What a twin makes of a request. Raises Refused, EmulatorError, StageError, FetchError."""
    firmware = stage.version({"app/__init__.mpy": b""})
    if request["firmware"] != firmware:
        runs = f"the board runs {request['firmware']}, and the twin would run {firmware}"
        raise Refused(f"{runs}: update the board, or the source tree that has the twin")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(image(), folder / "flash.img")
        with Board(folder, skips=True) as board:
            board.flash.write(_files(request))
            board.start()
            try:
                board.wait(lambda event: event["event"] in ("done", "exit"), PATIENCE)
            except TimeoutError as why:
                raise EmulatorError(f"the twin did not end: {why}") from None
            return _story(board, request, firmware)


def image() -> Path:
    """A flash image with this tree's firmware, made when the firmware has changed."""
    sources = stage.Manifest(stage.BOARDS / "UNIX" / "manifest.py").sources
    whole = hashlib.sha256(Path(slim.__file__).read_bytes())
    for place in sorted(sources):
        whole.update(f"{place} ".encode() + sources[place].read_bytes())
    path = umqtt.CACHE / "twin" / f"{whole.hexdigest()[:32]}.img"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            made = FlashImage(Path(folder) / "flash.img", _FLASH_KIB)
            made.write({**stage.files(), "main.py": b"import _twin\n"})
            umqtt.write_atomically(path, made.path.read_bytes())
        for older in set(path.parent.glob("*.img")) - {path}:
            older.unlink(missing_ok=True)
    return path


def _files(request: dict[str, Any]) -> dict[str, str]:
    """What the twin finds on its flash beside the firmware. Raises Refused."""
    now = int(time.time())
    message = {
        "command_id": COMMAND_ID,
        "timestamp": now,
        "expires_at": now + LIFE_S,
        "attempt": 1,
        **request["command"],
    }
    conditions = message.pop("conditions", [])
    try:
        data = encode("command", wrap(message, conditions), KEY)
    except ProtocolError as why:
        raise Refused(str(why)) from None
    spec = BoardSpec("twin", KEY.hex(), "", request["actuators"])
    about = {name: request[name] for name in ("sensors", "running", "latched")}
    about |= {"now": now, "data": data.hex(), "target": message["target"]}
    return {**spec.files(("127.0.0.1", 1)), "twin.json": json.dumps(about)}


def _story(board: Board, request: dict[str, Any], firmware: str) -> Answer:
    begin = board.log.of("begin")
    if not begin:
        board.power_cut()  # then all of its words are here
        raise Refused("the firmware did not start: " + board.console.strip()[-200:])
    zero = begin[0]["ms"]
    acks = [
        {"ms": one["ms"] - zero, **{name: one["ack"][name] for name in _SAID}}
        for one in board.log.of("said")
    ]
    if not acks or acks[-1]["state"] not in RESULTS:
        raise EmulatorError("the twin gave no result: " + board.console.strip()[-200:])
    pins = list(_pins(board, request["actuators"], begin[0]))
    moments = [one["ms"] for pin in pins for one in pin["changes"]] + [acks[-1]["ms"]]
    return {"firmware": firmware, "acks": acks, "pins": pins, "took_ms": max(moments)}


def _pins(board: Board, actuators: dict[str, Any], begin: Event) -> Iterator[Answer]:
    events = sorted(board.log.of("pin") + board.log.of("pwm"), key=lambda one: one["number"])
    later = [one for one in events if one["number"] > begin["number"]]
    for name, about in sorted(actuators.items()):
        for place in sorted(_PARTS.keys() & about.keys(), reverse=True):
            changes = [
                {"ms": one["ms"] - begin["ms"], "percent": _percent(one, about)}
                for one in later
                if one["pin"] == about[place]
            ]
            of = {"output": name, "part": _PARTS[place], "pin": about[place]}
            yield {**of, "before": 100 if about.get("safe") else 0, "changes": changes}


def _percent(event: Event, about: dict[str, Any]) -> int:
    if event["event"] == "pwm":
        return round(float(event["duty"]) * 100 / 65535)
    return 0 if event["value"] == about.get("active_low", 0) else 100


def table(answer: Answer) -> str:
    """For people: what was said, and a line for each pin that moved."""
    lines = [f"{one['ms']:8.0f} ms  {one['state']} {one['result']}" for one in answer["acks"]]
    for pin in answer["pins"]:
        name = f"{pin['output']} {pin['part']}".strip()
        story = ", ".join(f"{one['percent']} % at {one['ms']:.0f} ms" for one in pin["changes"])
        if story:
            lines.append(f"{name} (GPIO {pin['pin']}): {story}")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0 where there was a twin, or JSON was asked for."""
    arguments = _arguments(argv)
    asked = arguments.actuators == "-"
    try:
        request = json.load(sys.stdin) if asked else _request(arguments)
        answer = try_out(request)
    except Refused as why:
        answer = {"refused": str(why)}
    except (EmulatorError, stage.StageError, umqtt.FetchError) as why:
        answer = {"missing": str(why)}
    good = "acks" in answer
    print(json.dumps(answer) if asked else table(answer) if good else min(answer.values()))
    return 0 if good or asked else 1


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    """A board that rests, with these actuators. Raises Refused."""
    try:
        actuators = json.loads(Path(arguments.actuators).read_text())["actuators"]
        conditions = [json.loads(text) for text in arguments.only_if]
    except (OSError, ValueError, KeyError) as why:
        raise Refused(f"{arguments.actuators} or a condition can't be read: {why}") from None
    given = dict(text.partition("=")[::2] for text in arguments.parameters)
    read = dict(text.partition("=")[::2] for text in arguments.sensor)
    return {
        "firmware": stage.version({"app/__init__.mpy": b""}),
        "actuators": actuators,
        "sensors": {name: {"value": _value(text), "age_s": 0} for name, text in read.items()},
        "running": [],
        "latched": False,
        "command": {
            "command_type": arguments.command,
            "target": arguments.target,
            "parameters": {name: _value(text) for name, text in given.items()},
            "conditions": conditions,
        },
    }


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.twin", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("actuators", help="an actuators.json; -: a request from standard input")
    parser.add_argument("command", nargs="?", default="", help="such as feed")
    parser.add_argument("target", nargs="?", default="", help="such as feeder1")
    parser.add_argument("parameters", nargs="*", help="name=value")
    parser.add_argument("--only-if", action="append", default=[], help="a condition, as JSON")
    parser.add_argument("--sensor", action="append", default=[], help="name=value, just read")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
