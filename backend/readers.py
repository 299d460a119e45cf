"""How the text of a setting becomes its value: `reader(name, text)`.

Each raises ValueError that names the setting and says what to do; what may hold a password is not
repeated.
"""

import ipaddress
import shlex
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend.database import retention
from backend.dialects.registry import DIALECTS, is_pattern

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("text", "json")
METRICS = ("loopback", "token", "off")

Reader = Callable[[str, str], Any]


def words(name: str, text: str) -> str:
    """Text as it is."""
    return text


def program(name: str, text: str) -> str:
    """A program with its arguments, as a shell would take them apart."""
    try:
        shlex.split(text)
    except ValueError as why:
        raise ValueError(f"{name}: {text!r} can't be taken apart: {why}") from why
    return text


def path(name: str, text: str) -> Path:
    """A file or a folder."""
    return Path(text)


def port(name: str, text: str) -> int:
    """A TCP port."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{name}: {text!r} is no port; use a number from 1 to 65535")
    return int(text)


def count(name: str, text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{name}: {text!r} is no count; use a whole number from 1")
    return int(text)


def at_most_30(name: str, text: str) -> int:
    """A whole number from 1 to 30."""
    if not text.isdigit() or not 1 <= int(text) <= 30:
        raise ValueError(f"{name}: {text!r} is too much or too little; use 1 to 30")
    return int(text)


def broker(name: str, text: str) -> str:
    """A broker's address, passed on as it is."""
    parts = urlsplit(text)
    try:
        usable = parts.scheme in ("mqtt", "mqtts") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable:  # not shown: there is a password in it
        raise ValueError(f"{name}: is no address; use mqtt://user:password@host:port, or mqtts://")
    return text


def authority(name: str, text: str) -> Path:
    """A PEM file with certificates."""
    try:
        ssl.create_default_context(cafile=text)
    except OSError as why:  # ssl.SSLError is one
        reason = why.strerror if type(why) is not ssl.SSLError else "there is no certificate in it"
        raise ValueError(f"{name}: {text} can't be used: {reason}; name a PEM file") from why
    return Path(text)


def database(name: str, text: str) -> str:
    """A database's address."""
    if not text.startswith("sqlite:///") or text == "sqlite:///":
        raise ValueError(f"{name}: {text!r} is not supported; use sqlite:///path")
    return text


def address(name: str, text: str) -> str:
    """An IP address."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no address; use one like 127.0.0.1") from None


def web(name: str, text: str) -> str:
    """The address of a page."""
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
    ):
        raise ValueError(f"{name}: {text!r} is no address; use one like https://ponds.example.org")
    return text.rstrip("/")


def level(name: str, text: str) -> str:
    """One of LOG_LEVELS, in any case."""
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"{name}: {text!r} is no level; use one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def flag(name: str, text: str) -> bool:
    """Yes or no."""
    if text.lower() not in ("0", "1", "true", "false"):
        raise ValueError(f"{name}: {text!r} is neither; use 1 or 0")
    return text.lower() in ("1", "true")


def layout(name: str, text: str) -> str:
    """One of LOG_FORMATS."""
    if text not in LOG_FORMATS:
        raise ValueError(f"{name}: {text!r} is no format; use {' or '.join(LOG_FORMATS)}")
    return text


def dialects(name: str, text: str) -> tuple[str, ...]:
    """Names of dialects, with commas between."""
    wanted = _list(text)
    for word in wanted:
        if word not in DIALECTS:
            raise ValueError(f"{name}: {word!r} is unknown; use some of {', '.join(DIALECTS)}")
    return wanted


def patterns(name: str, text: str) -> tuple[str, ...]:
    """Topic patterns, with commas between."""
    wanted = _list(text)
    for word in wanted:
        if not is_pattern(word):
            raise ValueError(f"{name}: {word!r} is no topic pattern; use one like room1/# or #")
    return wanted


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def choice(*choices: str) -> Reader:
    """A reader of one of these words, in any case."""

    def read(name: str, text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"{name}: {text!r} is none of them; use one of {', '.join(choices)}")
        return text.lower()

    return read


def share(name: str, text: str) -> int:
    """A share in %."""
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise ValueError(f"{name}: {text!r} is no share; use a whole number from 1 to 100 (%)")
    return int(text)


def days(name: str, text: str) -> dict[str, int]:
    """`30` is for every table, `30,messages=7` sets one apart; 0 keeps for ever."""
    out: dict[str, int] = {}
    for part in text.split(","):
        table, found, number = part.strip().rpartition("=")
        if not number.isdigit() or len(number) > 5 or (found and table not in retention.TABLES):
            tables = ", ".join(retention.TABLES)
            reason = f"{part!r} can't be read; use days such as 30, and TABLE=DAYS for {tables}"
            raise ValueError(f"{name}: {reason}")
        out |= {table: int(number)} if found else dict.fromkeys(retention.TABLES, int(number))
    return out
