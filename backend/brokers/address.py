"""The address of a broker as an administrator gives it: read, and refused by field where it can't
be meant.

A stored password goes to no other place than the one it was given for: whoever changes where it
would go has to give it again, so that nobody learns one they don't know by sending it to a host of
their own.
"""

import ipaddress
import re
import ssl
from dataclasses import asdict, replace
from typing import Any

from backend.brokers.linkstate import Address
from backend.errors import Invalid

TEXT_LENGTH = 256  # of user and password
CA_LENGTH = 12_000

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")


def read(asked: dict[str, Any], known: Address | None) -> Address:
    """What was asked for, with the password that is known where none is given. Raises Invalid."""
    address = Address(**{name: asked[name] for name in asked if name != "is_active"})
    if "password" in asked or known is None or not known.password:
        return address
    same = replace(address, password=known.password)
    if same != known:
        changed = [name for name, value in asdict(same).items() if asdict(known)[name] != value]
        reason = f"must be given again, since {', '.join(changed)} changes; or give an empty one"
        raise Invalid("bad_parameter", "password", reason)
    return same


def check(address: Address) -> None:
    """Raises Invalid, naming the field."""
    checks = {
        "host": _host(address.host),
        "port": None if 1 <= address.port <= 65535 else "must be from 1 to 65535",
        "username": _username(address),
        "ca": _authority(address),
    }
    for name, reason in checks.items():
        if reason:
            raise Invalid("bad_parameter", name, reason)


def _host(host: str) -> str | None:
    if _NAME.fullmatch(host) or _is_address(host):
        return None
    return "must be a name like broker.example.org or an IP address, without mqtt:// and port"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _username(address: Address) -> str | None:
    if address.password and not address.username:
        return "is missing: MQTT knows no password without a user"
    return None


def _authority(address: Address) -> str | None:
    if not address.ca:
        return None
    if not address.tls:
        return "is of no use without TLS: set tls to true, or leave ca empty"
    if "PRIVATE KEY" in address.ca:
        return "holds a private key; give the authority's certificate alone"
    try:
        ssl.create_default_context(cadata=address.ca)
    except (ssl.SSLError, ValueError):
        return "must be certificates in PEM (-----BEGIN CERTIFICATE-----)"
    return None
