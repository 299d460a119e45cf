"""A board at a serial port, as `tools.deploy` needs it: what lies on its flash, and changing that.

It talks through mpremote's own transport. What runs on the board is told to stop first, with all
outputs safe; `reset` lets it go on. Everything raises DeployError, with what to do.
"""

import ast
import contextlib
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

_PIECE = 512
_ATTEMPTS = 5
_STOP_SECONDS = 3
_READ_SECONDS = 1.0
_ANSWER_SECONDS = 5  # between two bytes; a write to a full flash takes its time
_ERRORS = (TransportError, OSError, ValueError)

# Runs on the board: helpers, defined once.
_HELPERS = """
import binascii, hashlib, os

def _sha(path):
    sha, buffer = hashlib.sha256(), memoryview(bytearray(512))
    with open(path, "rb") as file:
        count = file.readinto(buffer)
        while count:
            sha.update(buffer[:count])
            count = file.readinto(buffer)
    return binascii.hexlify(sha.digest()).decode()

def _show(folder):
    for entry in os.ilistdir(folder or "/"):
        path = folder + "/" + entry[0]
        if entry[1] != 0x4000:
            print(repr((path, _sha(path))))
        elif folder or entry[0] in ("a", "b"):
            _show(path)

def _folders(path):
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)

def _copy(old, new):
    with open(old, "rb") as source, open(new, "wb") as target:
        piece = source.read(512)
        while piece:
            target.write(piece)
            piece = source.read(512)
"""


class DeployError(RuntimeError):
    """The board could not be changed; what it ran before it still has."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        text = str(error).strip().splitlines() or ["no answer"]
        raise DeployError(f"the board does not do as it is told: {text[-1]}") from error


class SerialBoard:
    """Stopped, at a prompt that programs use, until `reset` or `close`."""

    def __init__(self, port: str) -> None:
        self._port = port
        try:
            self._transport = SerialTransport(port, timeout=_READ_SECONDS)
        except (TransportError, OSError) as error:
            raise DeployError(f"there is no board at {port}: {error}") from error
        self._stop()
        self.run(_HELPERS)

    def _stop(self) -> None:
        """Ends what runs; opening the port may just have reset the board, so more than once."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it got
                    self._transport.enter_raw_repl(timeout_overall=_STOP_SECONDS)
                return
            except _ERRORS as error:
                if attempt == _ATTEMPTS:
                    raise DeployError(
                        f"the board at {self._port} does not stop: {error}"
                    ) from error

    def close(self) -> None:
        """Gives the port back."""
        with contextlib.suppress(*_ERRORS):
            self._transport.close()

    def run(self, code: str) -> str:
        """What a piece of MicroPython prints."""
        with _told():
            return str(self._execute(code).decode())

    def _execute(self, code: str) -> bytes:
        printed, error = self._transport.exec_raw(code, timeout=_ANSWER_SECONDS)
        if error:
            raise TransportExecError(printed, error.decode())
        return bytes(printed)

    def value(self, expression: str) -> Any:
        """Of an expression, a literal."""
        return ast.literal_eval(self.run(f"print(repr({expression}))"))

    def hashes(self) -> dict[str, str]:
        """{absolute path: SHA-256} of the files in `/` and in both slots."""
        return dict(ast.literal_eval(line) for line in self.run("_show('')").splitlines())

    def write(self, path: str, content: bytes, tell: Callable[[int], object]) -> None:
        """A file; `tell` hears of each piece."""
        with _told():
            self._execute(f"_folders({path!r})\nf = open({path!r}, 'wb')")
            for at in range(0, len(content), _PIECE):
                piece = content[at : at + _PIECE]
                self._execute(f"f.write({piece!r})")
                tell(len(piece))
            self._execute("f.close()")

    def copy(self, old: str, new: str) -> None:
        """A file that is on the board already."""
        self.run(f"_folders({new!r})\n_copy({old!r}, {new!r})")

    def replace(self, path: str, content: bytes) -> None:
        """A file, whole or not at all."""
        self.write(path + ".new", content, lambda _: None)
        self.run(f"os.rename({path + '.new'!r}, {path!r})")

    def remove(self, path: str) -> None:
        """A file that is there."""
        self.run(f"os.remove({path!r})")

    def reset(self) -> None:
        """It starts again, as after power came."""
        with contextlib.suppress(*_ERRORS):  # no waiting for an answer: there may be none
            self._transport.serial.write(b"\x03\x01import machine\nmachine.reset()\x04")

    def lines(self, seconds: float) -> Iterator[str]:
        """What it says on its console from now on; the port may go and come back."""
        deadline, rest = time.monotonic() + seconds, b""
        while time.monotonic() < deadline:
            try:
                rest += self._transport.serial.read(self._transport.serial.in_waiting)
            except OSError:  # a chip with USB of its own leaves while it starts
                self._reopen()
            *whole, rest = rest.split(b"\n")
            yield from (line.decode(errors="replace").strip() for line in whole)
            time.sleep(0.02)  # pyserial has no way to wait for a line until a deadline

    def _reopen(self) -> None:
        self.close()
        with contextlib.suppress(TransportError, OSError):
            self._transport = SerialTransport(self._port, timeout=_READ_SECONDS)
