"""Gets `umqtt/simple.py`, the MQTT codec of the boards, which no installer can install.

It is published as an old source archive without a setup.py, so it is downloaded as a file,
checked against the one SHA-256 we know, and unpacked into `var/cache`. Stock ESP32 images have
umqtt frozen in; a board then uses whichever comes first on its `sys.path`.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.3.4"
SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
CACHE = Path(__file__).resolve().parents[1] / "var" / "cache"

_NAME = f"micropython-umqtt.simple-{VERSION}"
_DOWNLOAD_SECONDS = 120


class FetchError(RuntimeError):
    """umqtt could not be had; the text says what to do."""


def fetch(cache: Path = CACHE) -> Path:
    """The path of `simple.py`, downloaded once into `cache`. Raises FetchError."""
    source = cache / f"umqtt-{VERSION}" / "simple.py"
    if not source.exists():
        archive = cache / f"{_NAME}.tar.gz"
        if not archive.exists():
            _download(archive)
        _unpack(_checked(archive), source)
    return source


def _download(archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    requirement = f"micropython-umqtt.simple=={VERSION}"
    command = [sys.executable, "-m", "unearth", requirement, *_index(), "--no-binary"]
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:  # others may do the same now
        try:
            done = subprocess.run(
                [*command, "--download", folder],
                capture_output=True,
                text=True,
                timeout=_DOWNLOAD_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise FetchError(_advice(archive.parent, "no answer in time")) from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise FetchError(_advice(archive.parent, lines[-1]))
        found = Path(folder) / archive.name
        if not found.exists():
            raise FetchError(_advice(archive.parent, "the index has no such file"))
        found.replace(archive)


def _index() -> list[str]:
    """Where pip was told to look, for machines that reach nothing else."""
    ask = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    told = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    url = os.environ.get("PIP_INDEX_URL", told)
    return ["--index-url", url] if url else []


def _advice(cache: Path, why: str) -> str:
    return (
        f"could not download micropython-umqtt.simple {VERSION} ({why}). "
        f"Go online and try again, or put {_NAME}.tar.gz into {cache}"
    )


def _checked(archive: Path) -> Path:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        archive.unlink()
        raise FetchError(_advice(archive.parent, f"its SHA-256 is {found}, not {SHA256}"))
    return archive


def _unpack(archive: Path, source: Path) -> None:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"{_NAME}/umqtt/simple.py")
        assert member is not None  # the archive is the one we know
        write_atomically(source, member.read())


def write_atomically(path: Path, content: bytes) -> None:
    """Puts the file there whole or not at all, whoever else is doing the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


if __name__ == "__main__":
    try:
        print(fetch())
    except FetchError as error:
        sys.exit(str(error))
