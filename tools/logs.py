"""Follows the console of a board until Ctrl-C.

    python -m tools.logs --port /dev/ttyUSB0 [--errors]

Following only listens: the program runs on. The errors it kept on flash can't be read beside it,
for there is one serial port and the program has it; so --errors stops it for that, with its
outputs safe, and starts it anew. The command get_log fetches them without stopping anything.
"""

import argparse
import sys

import serial

from tools import remote, stage
from tools.remote import RemoteError

sys.path.append(str(stage.ROOT / "firmware"))
from app import errorlog  # noqa: E402 (after the path is right)

BAUD = 115200


def errors(port: str) -> None:
    """Prints what was kept on flash, oldest first, and starts the program anew."""
    print("stopping the program to read its errors; it starts anew then", file=sys.stderr)
    kept = [remote.read(port, name) or b"" for name in errorlog.NAMES]
    remote.mpremote(port, "resume", "reset")
    print(b"".join(kept).decode(errors="replace") or "no errors were kept", flush=True)


def follow(port: str) -> None:
    """Prints what comes, for ever. Raises OSError where the port can't be used, or goes."""
    with serial.Serial(port, BAUD) as line:
        while True:
            sys.stdout.write(line.read(line.in_waiting or 1).decode(errors="replace"))
            sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C, 1 with a line that says why."""
    parser = argparse.ArgumentParser(prog="python -m tools.logs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", default="", help="serial port")
    parser.add_argument("--errors", action="store_true", help="first the errors kept on flash")
    given = parser.parse_args(argv)
    if not given.port:
        print("which port? make logs PORT=/dev/ttyUSB0", file=sys.stderr)
        return 1
    try:
        if given.errors:
            errors(given.port)
        print("listening; Ctrl-C ends it, the program runs on", file=sys.stderr)
        follow(given.port)
    except KeyboardInterrupt:
        return 0
    except RemoteError as why:
        print(why, file=sys.stderr)
    except OSError as why:  # pyserial's own is one
        print(f"{given.port} can't be listened to: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
