"""Certificates for tests, made with the openssl command: an authority and what it vouches for."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """`path` is PEM, as brokers want it; `key` its private key."""

    path: Path
    key: Path

    @property
    def der(self) -> bytes:
        """As a board wants it."""
        return _openssl("x509", "-in", self.path, "-outform", "der")


def authority(folder: Path, name: str = "ca") -> Certificate:
    """A certificate authority of our own."""
    made = _certificate(folder, name)
    _openssl(
        *("req", "-x509", "-new", "-key", made.key, "-subj", f"/CN={name}", "-days", 365),
        *("-addext", "keyUsage=critical,keyCertSign", "-out", made.path),
    )
    return made


def server(
    folder: Path, name: str, by: Certificate, host: str = HOST, days: int = 90
) -> Certificate:
    """A broker's certificate, vouched for by `by`; with negative `days` it has expired."""
    made = _certificate(folder, name)
    request, more = folder / f"{name}.csr", folder / f"{name}.ext"
    kind = "IP" if host[0].isdigit() else "DNS"
    more.write_text(f"subjectAltName={kind}:{host}\n")
    _openssl("req", "-new", "-key", made.key, "-subj", f"/CN={host}", "-out", request)
    _openssl(
        *("x509", "-req", "-in", request, "-CA", by.path, "-CAkey", by.key, "-CAcreateserial"),
        *("-days", days, "-extfile", more, "-out", made.path),
    )
    return made


def _certificate(folder: Path, name: str) -> Certificate:
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", made.key)
    return made


def _openssl(*arguments: object) -> bytes:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command: apt install openssl, or brew install openssl")
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
