"""Puts the firmware on a board at a serial port, into the slot that does not run.

    python -m tools.deploy UNIX /dev/ttyUSB0

Only what is not on the board yet goes over the cable. The release gets a trial: the board comes
back to the one before if it does not do well. Interrupted, it leaves that one running.
"""

import argparse
import contextlib
import re
import sys
from collections.abc import Mapping

from tqdm import tqdm

from backend import manifest
from tools import release, stage, umqtt
from tools.deploy_board import DeployError, SerialBoard

ONLINE_SECONDS = 60.0

_BY_HAND = ("settings.json", "actuators.json")

# Runs on the board, with its own rules.
_STATE = """
import slots

def _state():
    try:
        return slots.parse(open("/" + slots.FILE, "rb").read())
    except OSError:
        return slots.FRESH
"""
_POINT = """
with open("/slots.new", "wb") as file:
    file.write(slots.encode({}))
os.rename("/slots.new", "/slots")
"""


class Deployment:
    """One release, on its way to one stopped board. `files`: what `release.make` returned."""

    def __init__(self, board: SerialBoard, fixed: Mapping[str, bytes], files: Mapping[str, bytes]):
        self._board, self._fixed = board, fixed
        self._marker, self._files = files[manifest.NAME], dict(files)
        del self._files[manifest.NAME]
        self._there = board.hashes()

    def run(self) -> str:
        """Everything; the slot the release is in. Raises DeployError."""
        slot = self._slot()
        marker = f"/{slot}/{manifest.NAME}"
        if self._there.pop(marker, None):
            self._board.remove(marker)
        self._clear(slot)
        self._fill(slot)
        self._check(slot)
        for name in sorted(self._fixed, key=lambda name: name == "main.py"):
            if self._there.get(f"/{name}") != manifest.sha256(self._fixed[name]):
                self._board.replace(f"/{name}", self._fixed[name])
        self._board.replace("/update.json", self._marker)
        self._board.run(f"os.rename('/update.json', {marker!r})")
        self._board.run(_STATE)
        self._point(slot)
        return slot

    def missing(self) -> list[str]:
        """What the board needs beside its firmware, and does not have."""
        return [name for name in _BY_HAND if f"/{name}" not in self._there]

    def _slot(self) -> str:
        """The one that may be filled; a trial that is going on ends here."""
        if "/slots.mpy" not in self._there:
            return "a"
        self._board.run(_STATE)
        active, trial, _, why = self._board.value("_state()")
        if trial != "-":
            self._board.run(_POINT.format(repr((active, "-", 0, why))))
        whole = f"/{active}/{manifest.NAME}" in self._there
        return str(self._board.value(f"slots.other({active!r})") if whole else active)

    def _point(self, slot: str) -> None:
        active = self._board.value("_state()")[0]
        if active != slot:
            self._board.run(_POINT.format("slots.begin(_state())"))

    def _clear(self, slot: str) -> None:
        """What the release does not have, or has otherwise."""
        folder = f"/{slot}/"
        wanted = {folder + name: manifest.sha256(it) for name, it in self._files.items()}
        for path in [path for path in self._there if path.startswith(folder)]:
            if wanted.get(path) != self._there[path]:
                self._board.remove(path)
                del self._there[path]

    def _fill(self, slot: str) -> None:
        places = {digest: path for path, digest in self._there.items()}
        absent = {n: c for n, c in self._files.items() if f"/{slot}/{n}" not in self._there}
        sent = {n: c for n, c in absent.items() if manifest.sha256(c) not in places}
        for name in absent.keys() - sent.keys():
            self._board.copy(places[manifest.sha256(absent[name])], f"/{slot}/{name}")
        total = sum(map(len, sent.values()))
        with tqdm(total=total, unit="B", unit_scale=True, desc=f"slot {slot}") as bar:
            for name, content in sorted(sent.items()):
                self._board.write(f"/{slot}/{name}", content, bar.update)

    def _check(self, slot: str) -> None:
        there = self._board.hashes()
        wrong = [
            name
            for name, content in self._files.items()
            if there.get(f"/{slot}/{name}") != manifest.sha256(content)
        ]
        if wrong:
            raise DeployError(f"{', '.join(wrong)} did not get there whole: try again")


def deploy(board_name: str, port: str) -> int:
    """The exit code: 0 where the new release is online, or waits for its settings.

    Raises DeployError, StageError, FetchError.
    """
    folder = stage.BOARDS / board_name
    fixed, files = stage.fixed(folder), release.make(folder)
    board = SerialBoard(port)
    with contextlib.closing(board):
        try:
            deployment = Deployment(board, fixed, files)
            slot = deployment.run()
        finally:
            board.reset()
        if missing := deployment.missing():
            print(f"slot {slot} is filled; the board still needs {' and '.join(missing)}")
            return 0
        return _watch(board, slot)


def _watch(board: SerialBoard, slot: str) -> int:
    """Until it is online; whether with the new release."""
    runs = state = ""
    for line in board.lines(ONLINE_SECONDS):
        _, said, text = line.partition("answerback: ")  # the prompt's last word is before it
        if said:
            print(said + text)
        if running := re.match(r"slot (\w) (.*)", text):
            runs, state = running.groups()
        if runs and text.startswith("connected"):
            print(f"online: slot {runs} runs, {state}")
            return 0 if runs == slot else 1
    print(f"it was not online within {ONLINE_SECONDS:.0f} s: see make repl", file=sys.stderr)
    return 1


def main(argv: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("board", help="a folder of boards/")
    parser.add_argument("port", help="such as /dev/ttyUSB0")
    given = parser.parse_args(argv)
    if not (stage.BOARDS / given.board / "manifest.py").exists():
        parser.error(f"there is no board {given.board}: see the folders of {stage.BOARDS}")
    try:
        return deploy(given.board, given.port)
    except (DeployError, stage.StageError, umqtt.FetchError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
