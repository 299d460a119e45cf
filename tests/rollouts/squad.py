"""Boards that a release goes to, spoken for by the test, over a core in a time of its own."""

import json
from pathlib import Path
from typing import Any

from protocol import ack, encode

from backend import manifest
from backend.database.models import Board, Command, as_rows
from backend.delivery.work import Outcome
from backend.fleet import boards
from backend.people.audit import Actor
from backend.rollouts import archive, releases, rows
from backend.rollouts.wishes import Begin
from backend.web.rollouts import NUMBERS
from tests.backend.conftest import START, Desk
from tests.backend.fleet import done, site
from tools import release

OLD, NEW = "0.1.0", "0.2.0"
BASE = "http://10.0.0.1:8080"
WHO = Actor("ann")
BACK = "rolled_back: RuntimeError('no',)"


def content(version: str = NEW, build: str = "UNIX", more: str = "") -> dict[str, bytes]:
    """The files of a small release, in its folder."""
    files = {"app/__init__.mpy": version.encode(), "app/node.mpy": b"node" + more.encode()}
    said = {manifest.NAME: manifest.manifest(version, files)}
    return {**files, **said, manifest.ABOUT: manifest.about("UNIX", build)}


def zipped(files: dict[str, bytes], above: str = "") -> bytes:
    """A zip of them, in a folder."""
    return release.zipped({above + name: one for name, one in files.items()})


def added(folder: Path, **made: str) -> str:
    """The id of a release that was added to this data folder."""
    found = archive.checked(content(**made))
    return str(releases.add(folder / releases.FOLDER, found, "", WHO, START)[0]["id"])


class Squad(Desk):
    """Boards `b1` ... `b9` and `bA` at the site `lake`, with 0.1.0; `release` is 0.2.0."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "test.db")
        self.folder = folder
        site()
        self.names = [f"b{number}" for number in "123456789A"]
        for name in self.names:
            boards.enroll(name, START)
        Board.update(site="lake").where(Board.id << self.names).execute()
        self.release = added(folder)
        self.restart()
        self.arrive(*self.names)

    def tick(self) -> Outcome:
        """Let the time do its work, and what follows at once."""
        super().tick()
        while (due := self.core.next_due()) is not None and due <= self.now:
            before = self.out.publish
            super().tick()
            self.out.publish[:0] = before
        return self.out

    def hear(self, heard: list[Any]) -> Outcome:
        """See Desk; and what follows at once."""
        before = super().hear(heard).publish
        self.tick()
        self.out.publish[:0] = before
        return self.out

    def speak(self, name: str, leaf: str, kind: str, message: dict[str, Any]) -> Outcome:
        """Say something as one of the boards."""
        board = self.core.roster.get(name)
        assert board is not None
        payload = bytes(encode(kind, message, board.key))
        return self.hear([self.core.ingest.read(f"devices/{name}/{leaf}", payload)])

    def arrive(self, *names: str, boot: str = "1", **more: Any) -> None:
        """Boards start, or say anew what they run."""
        said = {"session": 1, "cause": "power_on", "firmware": OLD, "board": "UNIX",
                "actuators": {}, "has": "", "slot": "a", "slot_state": "confirmed",
                "latched": False, "heap": 60000, "timestamp": 0, **more}  # fmt: skip
        for name in names:
            self.speak(name, "data/startup", "startup", {"boot": boot, **said})

    def later(self, seconds: float) -> None:
        """It is so late; the boards that were there still are."""
        there = [board for board in self.core.roster.all() if board.online]
        self.at(seconds)
        for board in there:
            said = {"boot": board.boot, "session": board.session, "uptime": 1, "heap": 1,
                    "rssi": -50, "running": {}, "latched": False, "dropped": {}}  # fmt: skip
            self.speak(board.board_id, "data/heartbeat", "heartbeat", said)
        self.tick()

    def leave(self, *names: str, boot: str = "1") -> None:
        """Boards are gone, as their last wills say."""
        for name in names:
            said = {"status": "offline", "boot": boot, "session": 1, "until": 0}
            self.speak(name, "status", "status", said)

    def begin(self, wanted: dict[str, Any] | None = None, release: str = "", **more: Any) -> Any:
        """A rollout, or the Refusal."""
        values = {name: default for name, (_, _, default) in NUMBERS.items()}
        values |= {"canary": 2, "allow_downgrade": False, **more}
        wish = Begin(release or self.release, wanted or {"site": "lake"}, BASE, values, "ann")
        answer = done(self, wish)
        self.tick()
        if isinstance(answer, dict):
            self.rollout = int(answer["id"])
        return answer

    def answer(self, name: str, state: str, error: str | None = None, boot: str = "1") -> None:
        """A board answers its update."""
        command = self.shown(name)["command_id"]
        said = ack(command, state, boot, 0, error, {"within": 900} if state == "accepted" else {})
        self.speak(name, "ack", "ack", said)

    def install(self, *names: str) -> None:
        """Boards take the release, and start it."""
        for name in names:
            self.answer(name, "accepted")
            self.answer(name, "completed")
            self.arrive(name, boot="2", firmware=NEW, slot="b", slot_state="trial")

    def good(self, *names: str) -> None:
        """Boards take the release and keep it."""
        self.install(*names)
        self.arrive(*names, boot="2", firmware=NEW, slot="b", slot_state="confirmed")

    def bad(self, *names: str) -> None:
        """Boards take the release and go back."""
        self.install(*names)
        self.arrive(*names, boot="3", slot_state=BACK)

    def goes(self) -> dict[str, Any]:
        """The rollout as it stands."""
        return rows.public(rows.get(self.rollout))

    def counts(self) -> dict[str, int]:
        """How many boards are in each state."""
        return {state: count for state, count in self.goes()["states"].items() if count}

    def shown(self, name: str) -> dict[str, Any]:
        """A board in the rollout."""
        return next(one for one in rows.boards_of(self.rollout) if one["board_id"] == name)

    def states(self) -> dict[str, str]:
        """The state of each board."""
        return {one["board_id"]: one["state"] for one in rows.boards_of(self.rollout)}

    def ordered(self, name: str) -> list[dict[str, Any]]:
        """The parameters of every update that a board was ever to do."""
        wanted = (Command.board_id == name) & (Command.command_type == "update_firmware")
        found = Command.select().where(wanted).order_by(Command.seq)
        return [json.loads(row["parameters"]) for row in as_rows(found)]
