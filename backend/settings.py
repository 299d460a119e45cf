"""Every setting, its default and its environment variable; nothing else reads the environment."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from backend.dialects.registry import DIALECTS, is_pattern

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Settings:
    """What can be set. `broker_url` None: the embedded broker is started."""

    data_dir: Path = Path("var")
    database_url: str = ""
    broker_url: str | None = None
    broker_port: int = 1884
    dialects: tuple[str, ...] = ()  # listened for even where no board of them is known
    discover: tuple[str, ...] = ()  # further topic patterns to listen to
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http_threads: int = 8
    window: int = 2_000  # unfinished publishes and unanswered requests before 429
    secure_cookies: bool = False
    trusted_proxy: str | None = None  # the address whose X-Forwarded-For is believed
    log_level: str = "INFO"

    @property
    def database(self) -> str:
        """The database's address: `database_url`, or a file in `data_dir`."""
        return (
            self.database_url or f"sqlite:///{quote(f'{self.data_dir.absolute()}/answerback.db')}"
        )


def _port(name: str, text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{name}: {text!r} is no port; use a number from 1 to 65535")
    return int(text)


def _count(name: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{name}: {text!r} is no count; use a whole number from 1")
    return int(text)


def _broker(name: str, text: str) -> str:
    parts = urlsplit(text)
    try:
        usable = parts.scheme == "mqtt" and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable:  # not shown: there is a password in it
        raise ValueError(f"{name}: is no address; use mqtt://user:password@host:port")
    return text


def _database(name: str, text: str) -> str:
    if not text.startswith("sqlite:///") or text == "sqlite:///":
        raise ValueError(f"{name}: {text!r} is not supported; use sqlite:///path")
    return text


def _address(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no address; use one like 127.0.0.1") from None


def _level(name: str, text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"{name}: {text!r} is no level; use one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("0", "1", "true", "false"):
        raise ValueError(f"{name}: {text!r} is neither; use 1 or 0")
    return text.lower() in ("1", "true")


def _dialects(name: str, text: str) -> tuple[str, ...]:
    wanted = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in wanted:
        if word not in DIALECTS:
            raise ValueError(f"{name}: {word!r} is unknown; use some of {', '.join(DIALECTS)}")
    return wanted


def _patterns(name: str, text: str) -> tuple[str, ...]:
    wanted = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in wanted:
        if not is_pattern(word):
            raise ValueError(f"{name}: {word!r} is no topic pattern; use one like room1/# or #")
    return wanted


_READERS: dict[str, Callable[[str, str], Any]] = {
    "DATA_DIR": lambda name, text: Path(text),
    "DATABASE_URL": _database,
    "BROKER_URL": _broker,
    "BROKER_PORT": _port,
    "DIALECTS": _dialects,
    "DISCOVER": _patterns,
    "HTTP_HOST": lambda name, text: text,
    "HTTP_PORT": _port,
    "HTTP_THREADS": _count,
    "WINDOW": _count,
    "SECURE_COOKIES": _flag,
    "TRUSTED_PROXY": _address,
    "LOG_LEVEL": _level,
}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises ValueError naming the variable and what to do."""
    source = os.environ if environment is None else environment
    given = {name: source[name] for name in _READERS if source.get(name)}
    return Settings(**{name.lower(): _READERS[name](name, text) for name, text in given.items()})
