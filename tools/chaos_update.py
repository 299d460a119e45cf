"""Power is cut at flash writes of an update, and of the first boot after it.

After each the board runs an entire release, old or new, and the command given once more brings it
to the new one. With as many rounds as an update has writes, each write has its turn.
"""

import itertools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol.signature import key_from_hex

from backend import manifest
from backend.brokers.broker import EmbeddedBroker
from tools import release, stage
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import MakeBroker, Site, has_ended
from tools.chaos_truth import feeder, judge_command
from tools.range_server import RangeServer

BOARD = "pond-1"
VERSION = "0.2.0"
WRITES = 720  # an update has about as many
BOOTS = 6  # and a first boot so many

_TRIAL_EVERY = 5  # rounds
_SECONDS = 30
_QUICK = (("_WATCHDOG_MS", 30000, 1000), ("_PAUSE_MS", 1000, 10))


class Victim:
    """A board that is told to update itself; each round begins with the flash it has now."""

    def __init__(self, site: Site, server: RangeServer, folder: Path, report: Report) -> None:
        self._site, self._server, self._report = site, server, report
        self._board, self._posted = site.board(BOARD), 0
        self._fresh, self._trial = folder / "fresh.img", folder / "trial.img"
        flash = self._board.power_cut().flash
        settings = {**json.loads(flash.read("settings.json")), "health_s": 1}
        main = flash.read("main.py").decode()
        for name, slow, fast in _QUICK:
            main = main.replace(f"{name} = {slow}", f"{name} = {fast}")
        flash.write({"settings.json": json.dumps(settings), "main.py": main})
        shutil.copy(flash.path, self._fresh)
        spare = {f"b/{name}": content for name, content in server.files.items()}
        flash.write({**spare, "slots": b"a b 3 confirmed"})
        shutil.copy(flash.path, self._trial)

    def cut_update(self, write: int) -> None:
        """Power fails at that write of an update."""
        shutil.copy(self._fresh, self._board.flash.path)
        self._boot()
        since = len(self._board.log)
        self._board.cut_at_write(write)
        command = self._update()
        event = self._board.wait(
            lambda it: it["event"] in ("power_cut", "reset"), timeout=_SECONDS, since=since
        )
        self._board.power_cut().cut_at_write(0)
        self._report.count("updates cut" if event["event"] == "power_cut" else "updates not cut")
        self._complete(f"write {write} of an update", command)

    def cut_trial(self, write: int) -> None:
        """Power fails at that write of the first boot after an update, where it has so many."""
        shutil.copy(self._trial, self._board.flash.path)
        since, before = len(self._board.log), self._site.seen(BOARD)["boot"]
        self._board.cut_at_write(write)
        self._board.start()
        until(lambda: self._cut(since) or self._confirmed(before), _SECONDS)
        self._board.power_cut().cut_at_write(0)
        self._report.count("first boots cut" if self._cut(since) else "first boots not cut")
        self._complete(f"write {write} of a first boot", None)

    def _complete(self, where: str, command: Any) -> None:
        """The board comes back with an entire release, and ends with the new one confirmed."""
        self._check(where)
        seen = self._boot()
        if command:
            command = self._ended(command)
            self._report.count(f"update {command['status']}")
            self._report.blame([f"{where}: {line}" for line in judge_command(command)])
        if seen["slot"] == "a":
            again = self._ended(self._update())
            if again["status"] != "COMPLETED":
                self._report.blame([f"{where}: then {again['status']} {again['error']}"])
        until(self._confirmed, _SECONDS)
        self._board.power_cut()
        self._check(where)

    def _check(self, where: str) -> None:
        """Every slot with a release.json has all of its files, as it names them."""
        files = self._board.flash.files()
        slots = [slot for slot in "ab" if f"{slot}/{manifest.NAME}" in files]
        for slot in slots:
            for name, (size, digest) in manifest.read(files[f"{slot}/{manifest.NAME}"])[1].items():
                content = files.get(f"{slot}/{name}", b"")
                if (len(content), manifest.sha256(content)) != (size, digest):
                    self._report.blame([f"{where}: {slot}/{name} is not what it should be"])
        if not slots:
            self._report.blame([f"{where}: there is no release left"])

    def _boot(self) -> Any:
        """The board as the backend sees it once it is there."""
        before = self._site.seen(BOARD)["boot"]
        self._board.start()
        until(lambda: self._site.seen(BOARD)["boot"] != before, _SECONDS)
        return self._site.seen(BOARD)

    def _update(self) -> Any:
        self._posted += 1
        said = self._server.files[manifest.NAME]
        parameters = {
            "version": VERSION,
            "url": self._server.url(manifest.NAME),
            "sha256": manifest.sha256(said),
        }
        key = f"update-{self._posted}"
        return self._site.api.post(key, BOARD, "update_firmware", parameters=parameters)[0]

    def _ended(self, command: Any) -> Any:
        until(lambda: has_ended(self._site.api.command(command["id"])))
        return self._site.api.command(command["id"])

    def _confirmed(self, before: str = "") -> bool:
        """Whether the new release runs for good, in another boot than `before`."""
        seen = self._site.seen(BOARD)
        new = seen["slot"] == "b" and seen["boot"] != before
        return bool(new and seen["slot_state"].startswith("confirmed"))

    def _cut(self, since: int) -> bool:
        return any(event["number"] >= since for event in self._board.log.of("cut"))


def writes(count: int, seed: int) -> list[int]:
    """So many writes, evenly from all of an update; each of them where there are enough rounds."""
    count = min(count, WRITES)
    first = random.Random(seed).random()
    return [1 + int((n + first) * WRITES / count) for n in range(count)]


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """Cut power `count` times in updates, and now and then in a first boot."""
    report = Report("power cuts of updates")
    boots = itertools.cycle(range(1, BOOTS + 1))
    with Site(folder, {BOARD: {"feeder1": feeder(16)}}, make_broker, heap="160K") as site:
        files = dict(release.make(stage.BOARDS / "UNIX", VERSION))
        key = key_from_hex(site.key(BOARD))
        files[manifest.NAME] = manifest.signed(files[manifest.NAME], key)
        with RangeServer(files) as server:
            victim = Victim(site, server, folder, report)
            for number, write in enumerate(writes(count, seed)):
                victim.cut_update(write)
                if number % _TRIAL_EVERY == 0:
                    victim.cut_trial(next(boots))
                tick()
    return report
