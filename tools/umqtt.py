"""Gets `umqtt/simple.py`, the MQTT codec of the boards, which no installer can install.

It is published as an old source archive without a setup.py, so it is downloaded as a file,
checked against the one SHA-256 we know, and unpacked into `var/cache`. Stock ESP32 images have
umqtt frozen in; a board then uses whichever comes first on its `sys.path`.
"""

import hashlib
import subprocess
import sys
import tarfile
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
            _download(cache)
        _unpack(_checked(archive), source)
    return source


def _download(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    requirement = f"micropython-umqtt.simple=={VERSION}"
    command = [sys.executable, "-m", "unearth", requirement, "--no-binary", "--download"]
    try:
        done = subprocess.run(
            [*command, str(cache)], capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(_advice(cache, "no answer in time")) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise FetchError(_advice(cache, lines[-1]))


def _advice(cache: Path, why: str) -> str:
    return (
        f"could not download micropython-umqtt.simple {VERSION} ({why}). "
        f"Go online and try again, or put {_NAME}.tar.gz into {cache}"
    )


def _checked(archive: Path) -> Path:
    if not archive.exists():
        raise FetchError(_advice(archive.parent, "the index has no such file"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        archive.unlink()
        raise FetchError(_advice(archive.parent, f"its SHA-256 is {found}, not {SHA256}"))
    return archive


def _unpack(archive: Path, source: Path) -> None:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"{_NAME}/umqtt/simple.py")
        assert member is not None  # the archive is the one we know
        text = member.read()
    source.parent.mkdir(parents=True, exist_ok=True)
    fresh = source.with_suffix(".new")
    fresh.write_bytes(text)
    fresh.replace(source)


if __name__ == "__main__":
    try:
        print(fetch())
    except FetchError as error:
        sys.exit(str(error))
