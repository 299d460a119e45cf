"""Pictures of which every tenth piece is lost, and a backend that is killed in between: all that
were taken are kept, each once and as it was taken.

python -m tools.chaos_pictures SEED       as `python -m backend`, which loses them
"""

import http.client
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from protocol.image_reading import Chunk, Header

from backend import settings
from backend.__main__ import main
from backend.brokers.broker import EmbeddedBroker
from backend.delivery.work import Work
from backend.fleet.presence import Presence
from backend.gallery.pictures import Pictures
from tools.chaos_http import PATIENCE, until
from tools.chaos_pictures_judge import judge, memory_mb
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site, has_ended
from tools.chaos_truth import feeder

BOARDS = 4
KILLS = 3
SHARE = 0.1
CAMERA = {"model": "built_in", "frame_size": "VGA", "quality": 80}
IDLE_S = 2
LIFE_S = 20  # of a command; a board's journal has room for some 48 that have not expired
LOST = "lost"  # a file: a byte for each piece

_OPEN = 3  # pictures of one board that may be on their way; with more, it stops to take them
_LOOK = 0.2  # seconds between two looks
_QUIET = 15.0  # seconds in which nothing was heard of a picture, so that it is asked for by hand
_TRIES = 40


def lose(seed: int, note: Path) -> None:
    """From now on this process does not hear a share of the pieces, though it has confirmed them.

    `note`: gets a byte for each.
    """
    choice, take = random.Random(seed), Pictures.take
    lost = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def lossy(self: Pictures, work: Work, board: Presence, said: Header | Chunk) -> None:
        if choice.random() < SHARE:
            os.write(lost, b".")
        else:
            take(self, work, board, said)

    setattr(Pictures, "take", lossy)  # noqa: B010 (a method may not be assigned to)


class _Photographer:
    """Has one board take pictures, one after another, and sees to it that they come."""

    def __init__(self, site: Site, board_id: str, report: Report) -> None:
        self._site, self._board, self._report = site, board_id, report
        self._since: dict[str, float] = {}  # pictures that are not here yet: last heard of
        self.taken: dict[str, str] = {}  # {image id: SHA-256}

    def run(self, count: int, done: Callable[[], object]) -> None:
        """Returns when all are here; `done` is called for each."""
        for number in range(count):
            result = self._capture(number)
            self.taken[result["image_id"]] = result["sha256"]
            self._since[result["image_id"]] = time.monotonic()
            self._wait(_OPEN - 1, done)
        self._wait(0, done)

    def _capture(self, number: int) -> Any:
        for again in range(_TRIES):
            ended = self._ended(f"{self._board}-{number}-{again}", "capture_image")
            if ended["status"] == "COMPLETED":
                return ended["result"]
            self._report.count(f"captures {ended['status']} ({ended['error']}), taken again")
            _pause(3)
        raise TimeoutError(f"{self._board} can't take picture {number}: {ended}")

    def _ended(self, key: str, verb: str, **parameters: Any) -> Any:
        """A command that is given, and its end."""
        post, api = self._site.api.post, self._site.api
        command, _ = post(key, self._board, verb, parameters=parameters, expires_in=LIFE_S)
        until(lambda: has_ended(api.command(command["id"])), 2 * PATIENCE)
        return api.command(command["id"])

    def _wait(self, most: int, done: Callable[[], object]) -> None:
        """Until no more than so many are on their way. Raises TimeoutError."""
        deadline = time.monotonic() + 5 * PATIENCE
        while len(self._since) > most:
            for image_id in [one for one in self._since if self._is_kept(one)]:
                del self._since[image_id]
                done()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._board}: {list(self._since)} do not come")
            if len(self._since) > most:
                self._look()
                _pause(_LOOK)

    def _is_kept(self, image_id: str) -> bool:
        with suppress(OSError, http.client.HTTPException, ValueError):
            path = f"boards/{self._board}/pictures/{image_id}"
            return self._site.api.call("GET", path)[0] == 200
        return False

    def _look(self) -> None:
        """What a person would do about one that does not get on."""
        coming, now = self._site.seen(self._board)["pictures"], time.monotonic()
        if any(not one["waiting"] for one in coming.values()):
            self._report.count("boards started anew, since three requests were not enough")
            self._site.board(self._board).power_cut().start()
            until(lambda: self._site.is_online(self._board), PATIENCE)
            until(lambda: not self._gave_up(), PATIENCE)
        for image_id, since in list(self._since.items()):
            if image_id in coming:
                self._since[image_id] = now
            elif now - since > _QUIET:
                self._since[image_id] = now
                self._report.count("pictures of which nothing was known, sent by hand")
                key = f"{image_id}-{now}"
                self._ended(key, "send_image", image_id=image_id)

    def _gave_up(self) -> bool:
        coming = self._site.seen(self._board)["pictures"]
        return any(not one["waiting"] for one in coming.values())


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
    boards: int = BOARDS,
    kills: int = KILLS,
) -> Report:
    """`count` pictures of so many boards; `tick` is called for each that is kept."""
    report = Report(f"pictures, {SHARE:.0%} of the pieces lost")
    names = [f"pond-{number}" for number in range(1, boards + 1)]
    made: Any = {"heap": "320K", "backend": ("tools.chaos_pictures", str(seed))}
    made["files"] = {"camera.json": json.dumps(CAMERA)}
    made["more"] = {"IMAGE_IDLE_S": str(IDLE_S)}
    actuators = {name: {"feeder1": feeder(16)} for name in names}
    with Site(folder, actuators, make_broker, seed, **made) as site:
        began, crew = time.monotonic(), [_Photographer(site, name, report) for name in names]
        when = {count * n // (kills + 1) for n in range(1, kills + 1)}
        _all_taken(site, crew, count, when, report, tick)
        report.count("seconds in all", round(time.monotonic() - began))
        until(lambda: not any(site.seen(name)["pictures"] for name in names))
        taken = {name: one.taken for name, one in zip(names, crew, strict=True)}
        judge(site, folder, taken, report)
    report.count("pieces lost", (folder / LOST).stat().st_size)
    return report


def _all_taken(
    site: Site,
    crew: list[_Photographer],
    count: int,
    kills: set[int],
    report: Report,
    tick: Callable[[], object],
) -> None:
    """The boards take them at once; the backend is killed each time a part of them is here."""
    kept = threading.Semaphore(0)
    held = [memory_mb(site.backend.pid)]
    with ThreadPoolExecutor(len(crew)) as pool:
        shares = [count // len(crew) + (n < count % len(crew)) for n in range(len(crew))]
        work = [pool.submit(one.run, n, kept.release) for one, n in zip(crew, shares, strict=True)]
        for number in range(count):
            while not kept.acquire(timeout=1):
                _raise_from(work)
            tick()
            if number in kills:
                held.append(memory_mb(site.backend.pid))
                site.backend.kill()
                site.start_backend()
                report.count("times the backend was killed")
        _raise_from(work, wait=True)
    held.append(memory_mb(site.backend.pid))
    report.say(f"memory of the backend: {held[0]:.0f} MB at first, {max(held):.0f} MB at most")


def _raise_from(work: list[Any], wait: bool = False) -> None:
    for one in work:
        if wait or one.done():
            one.result()


if __name__ == "__main__":
    _folder = settings.load().data_dir
    lose(int(sys.argv[1]), _folder / LOST)
    sys.exit(main([]))
