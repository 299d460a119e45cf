"""Plays sound and picture with a program of this host: a process for each file.

Rules of this file:
- the program gets a file of one folder and nothing else from a scene; no shell is asked;
- a process that ends, for whatever reason, is the end of its file;
- all of them end with this thread, and, on Linux, with the backend, whatever that dies of.
"""

import contextlib
import logging
import queue
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from backend.brokers.broker import end_with_parent
from backend.scenes import media

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.01  # between looks at what plays
Key = tuple[int, str, str]  # run, channel, file


class Player(threading.Thread):
    """`command` is a program with arguments; {file} and {volume} in it are filled in.

    `on_end(run, channel, file, error or "")` is called on this thread.
    """

    def __init__(
        self, command: str, folder: Path, on_end: Callable[[int, str, str, str], object]
    ) -> None:
        super().__init__(name="player", daemon=True)
        self._words, self._folder, self._on_end = shlex.split(command), folder, on_end
        if not any("{file}" in word for word in self._words):
            self._words.append("{file}")
        self._asked: queue.SimpleQueue[tuple[int, str, str] | None] = queue.SimpleQueue()
        self._playing: dict[Key, subprocess.Popen[bytes]] = {}

    def do(self, run: int, channel: str, message: str) -> None:
        """Do what a scene says, soon."""
        self._asked.put((run, channel, message))

    def stop(self) -> None:
        """End all that plays, and the thread."""
        self._asked.put(None)

    def run(self) -> None:
        """The thread."""
        while True:
            wait = LOOK_SECONDS if self._playing else None
            with contextlib.suppress(queue.Empty):
                asked = self._asked.get(timeout=wait)
                if asked is None:
                    break
                self._obey(*asked)
            self._look()
        for process in self._playing.values():
            process.kill()
            process.wait()

    def _obey(self, run: int, channel: str, message: str) -> None:
        said = media.said(message)
        if said.verb == media.PLAY:
            return self._play((run, channel, said.file), said.volume)
        for key, process in list(self._playing.items()):
            if key[:2] == (run, channel) and said.file in ("", key[2]):
                self._tell(key, process, said.verb)
        return None

    def _tell(self, key: Key, process: subprocess.Popen[bytes], verb: str) -> None:
        if verb == media.STOP:
            del self._playing[key]
            process.kill()
            process.wait()
        else:
            process.send_signal(signal.SIGSTOP if verb == media.PAUSE else signal.SIGCONT)

    def _play(self, key: Key, volume: int) -> None:
        if key in self._playing:  # from the beginning
            self._tell(key, self._playing[key], media.STOP)
        path = self._folder / key[2]
        if not path.is_file() or not path.resolve().is_relative_to(self._folder.resolve()):
            self._on_end(*key, f"there is no file {key[2]!r} in {self._folder}")
            return
        filled = {"{file}": str(path.absolute()), "{volume}": str(volume)}
        words = [_filled(word, filled) for word in self._words]
        try:
            self._playing[key] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        except OSError as why:
            self._on_end(*key, f"{words[0]} can't be run: {why.strerror}; check SCENE_PLAYER")

    def _look(self) -> None:
        ended = [key for key, process in self._playing.items() if process.poll() is not None]
        for key in ended:
            code = self._playing.pop(key).returncode
            self._on_end(*key, f"{self._words[0]} ended with {code}" if code else "")


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word
