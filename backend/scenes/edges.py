"""Where scenes meet the world: the outbox that keeps their time, and a player, if there is one."""

from pathlib import Path

from backend.brokers.outbox import Outbox
from backend.delivery.core import Core
from backend.delivery.writer import Writer
from backend.scenes.player import Player
from backend.scenes.tasks import MediaEnded


class Edges:
    """`player`: a program, or "" for none; `media`: the folder of what it plays."""

    def __init__(self, core: Core, writer: Writer, player: str, media: Path) -> None:
        self._writer = writer
        self._threads: list[Outbox | Player] = [writer.outbox]
        core.parts.scenes.plays_ahead(writer.outbox)
        if player:
            core.parts.scenes.has_player = True
            writer.player = Player(player, media, self._ended)
            self._threads.append(writer.player)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Publish and play no more."""
        for thread in self._threads:
            thread.stop()

    def _ended(self, run: int, channel: str, file: str, error: str) -> None:
        self._writer.perform(MediaEnded(run, channel, file, error))
