"""One life of an emulated board, reset to reset: a process of MicroPython's Unix port."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from backend.brokers.broker import end_with_parent
from tools import stage, umqtt
from tools.emulator_events import Event
from tools.emulator_serial import open_console, read_some, take_terminal

MODULES = stage.BOARDS / "UNIX" / "modules"

_START = "_start.py"
_CTRL_C = b"\x03"
_IDLE_S = 0.3  # that Ctrl-C waits at most


class EmulatorError(RuntimeError):
    """The board can't do what was asked; the text says what to do."""


def interpreter() -> str:
    """The Unix port: $MICROPYTHON, or the one installed beside Python. Raises EmulatorError."""
    beside = Path(sys.executable).with_name("micropython")
    named = os.environ.get("MICROPYTHON") or (str(beside) if beside.exists() else "micropython")
    found = shutil.which(named)
    if found is None:
        raise EmulatorError(
            "there is no MicroPython for this machine among the packages: build the Unix port "
            "and set MICROPYTHON to the path of its executable"
        )
    return found


@cache
def compiled_modules() -> Path:
    """The folder of the shimmed modules, compiled: a board's heap should not pay for them."""
    sources = sorted(MODULES.glob("*.py"))
    contents = {
        path.name.replace(".py", ".mpy"): stage.compiled(path, f"/emulation/{path.stem}.mpy")
        for path in sources
        if path.name != _START
    }
    contents[_START] = (MODULES / _START).read_bytes()
    folder = umqtt.CACHE / f"unix-{stage.digest(contents)}"
    for name, content in contents.items():
        if not (folder / name).exists():
            umqtt.write_atomically(folder / name, content)
    return folder


class Processor:
    """A running board. `control` and `console` are for a selector; nothing here waits.

    `variables` are the BOARD_... settings the modules read. Must be made in a thread that lives
    as long as the board: on Linux the kernel kills the process with that thread.
    """

    def __init__(self, variables: Mapping[str, str], heap: str) -> None:
        self.control, far_end = socket.socketpair()
        self.console, terminal = open_console()
        os.set_blocking(self.console, False)
        modules = compiled_modules()
        settings = {"BOARD_FD": str(far_end.fileno()), "BOARD_MODULES": str(modules), **variables}
        end = end_with_parent(signal.SIGKILL)

        def before_exec() -> None:
            take_terminal()
            end()

        try:
            self._process = subprocess.Popen(
                [interpreter(), "-X", "heapsize=" + heap, "-i", str(modules / _START)],
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                pass_fds=[far_end.fileno()],
                env={**os.environ, **settings},
                start_new_session=True,
                preexec_fn=before_exec,
            )
        finally:
            os.close(terminal)
            far_end.close()
        self._partial = b""

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def waited_ms(self) -> float:
        """How long it was ready to run, so far, and the machine ran others; 0 but on Linux."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e6
        except (OSError, IndexError):  # no such file in some containers; it has ended
            return 0.0

    def events(self) -> list[Event] | None:
        """The events that have come (call when `control` is readable); None: it has ended."""
        try:
            data = self.control.recv(65536)
        except ConnectionResetError:  # it ended with orders unread (Linux)
            return None
        if not data:
            return None
        *lines, self._partial = (self._partial + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def order(self, **order: object) -> None:
        """Sends an order to the board's modules; one that ends right now hears nothing."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.control.sendall(json.dumps(order).encode() + b"\n")

    def output(self) -> bytes:
        """What it wrote to its console (call when `console` is readable); b"": it has ended."""
        return read_some(self.console)

    def type(self, data: bytes) -> None:
        """Types on its console; what the board does not take in is lost, as on a UART.

        Ctrl-C waits a moment for the processor to be idle: a chip raises it between two steps of
        a program, and the Unix port in the midst of one, with the heap locked for good by chance.
        """
        end = time.monotonic() + _IDLE_S
        while _CTRL_C in data and not self._idle() and time.monotonic() < end:
            time.sleep(0.001)
        with contextlib.suppress(BlockingIOError):
            os.write(self.console, data)

    def _idle(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] in "SZ"
        except OSError:  # no Linux, or it has ended
            return True

    def kill(self) -> int:
        """Ends it at once, whatever it does; its exit code. Harmless where it has ended."""
        self._process.kill()
        return self._process.wait()

    def rest(self) -> tuple[list[Event], bytes]:
        """After `kill`: the last events and console output; closes everything."""
        events: list[Event] = []
        while (more := self.events()) is not None:
            events += more
        os.set_blocking(self.console, True)  # the kernel hands over the last words a little later
        output = bytearray()
        while data := self.output():
            output += data
        self.control.close()
        os.close(self.console)
        return events, bytes(output)
