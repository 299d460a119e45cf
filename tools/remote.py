"""The board at a serial port, by way of the real mpremote.

Rules of this file:
- no secret stands on a command line, where every process of this machine could read it;
- files come onto the board all or none: under other names first, checked there, then renamed.
Whatever is done here stops the program on the board, with its outputs safe, as Ctrl-C does.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SECONDS = 60.0

_NEW = ".new"
_SWAP = """
import hashlib, os
files = {files!r}
for name in files:
    with open("/" + name + {new!r}, "rb") as file:
        if hashlib.sha256(file.read()).digest().hex() != files[name]:
            raise OSError("/" + name + " did not arrive whole")
for name in files:
    os.rename("/" + name + {new!r}, "/" + name)
"""
# What was stopped stays in memory, for the console; here its memory is needed.
_FREE = """
import gc, sys
if "app" in sys.modules:
    import asyncio
    sys.modules["app"].stopped = asyncio.core.cur_task = None
gc.collect()
"""
_READ = """
try:
    with open({name!r}, "rb") as file:
        print(file.read().hex())
except OSError:
    print("none")
"""


class RemoteError(RuntimeError):
    """The board could not be talked to; the text is a line or two that say what to do."""


def command(port: str, *words: str) -> list[str]:
    """The command line of mpremote; "" as a port lets it find the only board there is."""
    connect = ["connect", port] if port else []
    return [sys.executable, "-m", "mpremote", *connect, *words]


def mpremote(port: str, *words: str, seconds: float = SECONDS) -> str:
    """What `mpremote connect PORT words...` prints. Raises RemoteError."""
    try:
        done = subprocess.run(
            command(port, *words), capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise RemoteError(f"the board at {port} does not answer: press its reset button") from None
    if done.returncode:
        raise RemoteError(_reason(port, (done.stdout + done.stderr).strip()))
    return done.stdout


def _reason(port: str, said: str) -> str:
    last = said.splitlines()[-1] if said else "mpremote said nothing"
    if "failed to access" in last or "no device" in last:
        return (
            f"no board at {port or 'any port'}: plug it in, and end other programs that use the "
            "port; `mpremote connect list` shows which ports there are"
        )
    if "could not enter raw repl" in last:
        return f"what is at {port} does not speak MicroPython: flash it first (make flash)"
    return f"the board at {port} says: {last}"


def read(port: str, name: str) -> bytes | None:
    """A file of the board, or None where it has none. Raises RemoteError."""
    said = mpremote(port, "resume", "exec", _FREE + _READ.format(name="/" + name)).strip()
    return None if said == "none" else bytes.fromhex(said)


def replace(port: str, files: Mapping[str, bytes]) -> None:
    """Puts {name: content} into the board's root, and starts it anew. Raises RemoteError.

    Power may fail at any moment: each file is then there as it was or as it is to be.
    """
    with tempfile.TemporaryDirectory() as folder:  # only its owner may look into it
        paths = [Path(folder) / (name + _NEW) for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        swap = _SWAP.format(files=digests, new=_NEW)
        copy = ("fs", "cp", *map(str, paths), ":/")
        mpremote(port, "resume", "exec", _FREE, "+", *copy, "+", "exec", swap, "+", "reset")
