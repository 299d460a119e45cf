"""The serial side of an emulated board: the console's terminal, and the port people connect to.

`open_console` gives one boot its terminal. `SerialPort` is a pseudo-terminal that stays the same
while the board behind it resets, as a USB-serial chip does; mpremote connects to its `path`.
"""

import contextlib
import fcntl
import os
import termios
import tty

_PENDING = 64 * 1024
_CTRL_A, _CTRL_B = 1, 2


def open_console() -> tuple[int, int]:
    """(our end, the board's end) of a terminal that changes no byte; Ctrl-C is SIGINT."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    settings = termios.tcgetattr(theirs)
    settings[3] |= termios.ISIG
    never = bytes([os.fpathconf(theirs, "PC_VDISABLE") & 0xFF])
    for character in (termios.VQUIT, termios.VSUSP):
        settings[6][character] = never
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    return ours, theirs


def take_terminal() -> None:
    """In a child that leads its session: makes standard input its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_some(fd: int) -> bytes:
    """What has come, or b"" where the other end is closed."""
    try:
        return os.read(fd, 65536)
    except OSError:  # Linux says EIO where others say end of file
        return b""


class SerialPort:
    """The port of the board: `path` for mpremote, `fd` our end (non-blocking).

    `raw` is True while who is connected has the REPL in raw mode: a board that soft-resets then
    comes back in raw mode without running main.py.
    """

    def __init__(self) -> None:
        self.fd, self._far_end = os.openpty()  # the far end stays open, else reading fails
        tty.setraw(self._far_end)
        os.set_blocking(self.fd, False)
        self.path = os.ttyname(self._far_end)
        self.raw = False
        self._pending = bytearray()

    @property
    def backlog(self) -> bool:
        """True while something waits to be written."""
        return bool(self._pending)

    def write(self, data: bytes) -> None:
        """Towards mpremote; what nobody reads is kept up to 64 KiB, the oldest goes first."""
        self._pending += data
        del self._pending[:-_PENDING]
        self.flush()

    def flush(self) -> None:
        """Writes what the terminal takes now."""
        with contextlib.suppress(BlockingIOError):
            while self._pending:
                del self._pending[: os.write(self.fd, self._pending)]

    def read(self) -> bytes:
        """What mpremote sent."""
        data = read_some(self.fd)
        for byte in data:
            if byte in (_CTRL_A, _CTRL_B):
                self.raw = byte == _CTRL_A
        return data

    def close(self) -> None:
        """Gives the terminal back."""
        os.close(self.fd)
        os.close(self._far_end)
