"""Check a scene's file, or play it on emulated boards with a broker and a backend of their own.

    python -m tools.scene FILE                 what is wrong with it, by place
    python -m tools.scene FILE --dry-run       its timeline, with what the pins did and when
    ... --say 5:room1/door=open                what somebody says on a topic after so many seconds

The exit code is 0 where every step was done, 1 where one was not, 2 where the file is no scene.
"""

import argparse
import json
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from backend.brokers.broker import BACKEND_USER
from backend.scenes import checks
from backend.scenes.plan import Plan
from tools.bench_mqtt import Login, make_client
from tools.chaos_http import until
from tools.chaos_site import PASSWORD, Site
from tools.scene_boards import Cast, MuseumBoard, cast_of

GOOD = ("OK", "LATE", "PLAYED")
MEDIA = ("audio", "video")
LONGEST_S = 3600.0
_SLACK_MS = 100.0


class DryRun:
    """A site with all that a scene takes, while it is played once."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._cast: Cast = cast_of(plan)
        rooms = tuple(sorted(plan.rooms))
        museum = self._cast.museum
        self._site = Site(folder, self._cast.own, museum=museum, rooms=rooms)
        self._offset = (time.time() - time.monotonic()) * 1000

    def play(self, raw: Any, says: list[tuple[float, str, str]], longest: float) -> Any:
        """The run, once it is over; each step has `pin`: when it moved, ms since 1970, or None."""
        with self._site as site:
            address = ("127.0.0.1", site.broker.port)
            self._museum = [
                MuseumBoard(Login(*address, name, site.logins[name]), targets)
                for name, targets in self._cast.museum.items()
            ]
            try:
                until(lambda: all(site.is_online(name) for name in self._cast.museum))
                run = self._run(site, raw, says, longest)
            finally:
                for board in self._museum:
                    board.stop()
            return {**run, "steps": [{**one, "pin": self._pin(one)} for one in run["steps"]]}

    def _run(self, site: Site, raw: Any, says: Any, longest: float) -> Any:
        status, told = site.api.call("POST", "scenes", {"id": "dry-run", "scene": raw})
        if status != 201:
            raise ValueError(told["message"])
        _, run = site.api.call("POST", "scenes/dry-run/start", {})
        path, began = f"scene-runs/{run['id']}", time.monotonic()
        left = sorted(says)

        def over() -> bool:
            while left and time.monotonic() - began >= left[0][0]:
                _say(site, *left.pop(0)[1:])
            if time.monotonic() - began > longest:
                site.api.call("POST", f"{path}/stop", {})
            found = site.api.get(path)
            waits = [one for one in found["steps"] if one["status"] in ("SENT", "WAITING")]
            return bool(found["ended_at"]) and not waits

        until(over, longest + 120)
        return site.api.get(path)

    def _pin(self, step: Any) -> float | None:
        """When an output did what a step says, as far as it shows."""
        planned = _ms(step["planned_at"])
        place = step["board_id"], step["target"]
        if place in self._cast.pins:
            board = self._site.board(step["board_id"])
            pulses = board.pulses(self._cast.pins[place])
            edges = [edge for one in pulses for edge in (one.start, one.end) if edge is not None]
            times = [edge + self._offset for edge in edges]
        else:
            topic = self._cast.museum.get(step["board_id"], {}).get(step["target"], "")
            times = [at for board in self._museum for at, where, _ in board.log if where == topic]
        after = [at for at in times if at >= planned - _SLACK_MS]
        near = min(after, default=None)
        return near if near is not None and near < planned + 2_000 else None


def _say(site: Site, topic: str, text: str) -> None:
    login = Login("127.0.0.1", site.broker.port, BACKEND_USER, PASSWORD)
    client = make_client(login, "dry-run")
    client.connect(login.host, login.port)
    client.loop_start()
    client.publish(topic, text.encode(), 1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def lines(run: Any) -> list[str]:
    """The timeline of a run, for people."""
    began = _ms(run["started_at"])
    out = [f"{'planned':>9} {'sent':>7} {'pin':>7} {'answer':>8}  {'status':12} what"]
    for one in run["steps"]:
        planned = _ms(one["planned_at"])
        sent, pin = _after(one["sent_at"], planned), one["pin"]
        moved = "" if pin is None else f"{pin - planned:+.0f}"
        answer = _after(one["feedback_at"], _ms(one["sent_at"])) if one["feedback_at"] else ""
        why = f"  ({one['detail']})" if one["detail"] else ""
        out.append(
            f"{(planned - began) / 1000:8.2f}s {sent:>7} {moved:>7} {answer:>8}  "
            f"{one['status']:12} {one['state']}: {one['text']}{why}"
        )
    late = [_ms(one["sent_at"]) - _ms(one["planned_at"]) for one in run["steps"] if one["sent_at"]]
    if late:
        out.append(f"published at worst {max(late):.0f} ms after its time, {len(late)} steps")
    return [*out, f"{run['status']} {run['reason']}".strip()]


def _after(text: str | None, since: float) -> str:
    return f"{_ms(text) - since:+.0f}" if text else ""


def done(run: Any) -> bool:
    """Whether all was done as planned; no sound or picture is expected."""
    bad = [
        one
        for one in run["steps"]
        if one["status"] not in GOOD and one["text"].split(" ")[0].split("/")[-1] not in MEDIA
    ]
    return run["status"] == "COMPLETED" and not bad


def _spoken(text: str) -> tuple[float, str, str]:
    seconds, _, rest = text.partition(":")
    topic, _, said = rest.partition("=")
    return float(seconds), topic, said


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.scene", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="play it on emulated boards")
    parser.add_argument("--say", action="append", type=_spoken, default=[], metavar="S:TOPIC=TEXT")
    parser.add_argument("--longest", type=float, default=LONGEST_S, help="seconds, then stop it")
    given = parser.parse_args(argv)
    try:
        raw = json.loads(given.file.read_text())
    except (OSError, ValueError) as why:
        print(f"{given.file}: {why}", file=sys.stderr)
        return 2
    plan, errors, warnings = checks.check(raw)
    for kind, found in (("error", errors), ("warning", warnings)):
        for place, reason in found:
            print(f"{kind}: {place} {reason}", file=sys.stderr)
    if plan is None or errors:
        return 2
    if not given.dry_run:
        print(f"{len(plan.states)} states, {sum(1 for _ in plan.actions())} actions: fine")
        return 0
    with tempfile.TemporaryDirectory(prefix="scene-") as folder:
        run = DryRun(Path(folder), plan).play(raw, given.say, given.longest)
    print("\n".join(lines(run)))
    return 0 if done(run) else 1


if __name__ == "__main__":
    sys.exit(main())
