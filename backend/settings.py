"""Every setting, its default and its environment variable; nothing else reads the environment."""

import ipaddress
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from backend import messages, retention
from backend.alerts import Rule
from backend.dialects.registry import DIALECTS, is_pattern
from backend.upkeep import Options

METRICS = ("loopback", "token", "off")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Settings:
    """What can be set. `broker_url` None: the embedded broker is started."""

    data_dir: Path = Path("var")
    database_url: str = ""
    broker_url: str | None = None
    broker_ca: Path | None = None  # who vouches for it, where it is mqtts; None: the system knows
    broker_port: int = 1884
    dialects: tuple[str, ...] = ()  # listened for even where no board of them is known
    discover: tuple[str, ...] = ()  # further topic patterns to listen to
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http_threads: int = 8
    image_idle_s: int = 15  # without a new part of a picture, before its board is asked for it
    window: int = 2_000  # unfinished publishes and unanswered requests before 429
    retry_cap: int = 60  # seconds between two tries to connect to a broker, at most
    look_every: int = 5  # seconds until a connection changed by another process is seen
    secure_cookies: bool = False
    trusted_proxy: str | None = None  # the address whose X-Forwarded-For is believed
    public_url: str = ""  # where people reach the page, for what is printed; "": where it listens
    log_level: str = "INFO"
    message_log: str = messages.COMMANDS
    retention: Mapping[str, int] = field(default_factory=dict)  # table: days; else see retention
    alert_after: int = Rule.after  # failures in a row
    alert_share: int = Rule.share  # % of the last ones
    alert_clear_after: int = Rule.clear_after  # successes in a row
    metrics: str = METRICS[0]  # who may read them: see backend.web.metrics

    @property
    def database(self) -> str:
        """The database's address: `database_url`, or a file in `data_dir`."""
        return (
            self.database_url or f"sqlite:///{quote(f'{self.data_dir.absolute()}/answerback.db')}"
        )

    @property
    def upkeep(self) -> Options:
        """What the core is to keep, and for how long."""
        rule = Rule(self.alert_after, self.alert_share, self.alert_clear_after)
        return Options(self.message_log, self.retention, rule)

    @property
    def address(self) -> str:
        """Where people reach the page, without a slash at the end."""
        return self.public_url or f"http://{self.http_host}:{self.http_port}"


def _port(name: str, text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"{name}: {text!r} is no port; use a number from 1 to 65535")
    return int(text)


def _count(name: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{name}: {text!r} is no count; use a whole number from 1")
    return int(text)


def _at_most_30(name: str, text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 30:
        raise ValueError(f"{name}: {text!r} is too much or too little; use 1 to 30")
    return int(text)


def _broker(name: str, text: str) -> str:
    parts = urlsplit(text)
    try:
        usable = parts.scheme in ("mqtt", "mqtts") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable:  # not shown: there is a password in it
        raise ValueError(f"{name}: is no address; use mqtt://user:password@host:port, or mqtts://")
    return text


def _authority(name: str, text: str) -> Path:
    try:
        ssl.create_default_context(cafile=text)
    except OSError as why:  # ssl.SSLError is one
        reason = why.strerror if type(why) is not ssl.SSLError else "there is no certificate in it"
        raise ValueError(f"{name}: {text} can't be used: {reason}; name a PEM file") from why
    return Path(text)


def _database(name: str, text: str) -> str:
    if not text.startswith("sqlite:///") or text == "sqlite:///":
        raise ValueError(f"{name}: {text!r} is not supported; use sqlite:///path")
    return text


def _address(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no address; use one like 127.0.0.1") from None


def _web(name: str, text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
    ):
        raise ValueError(f"{name}: {text!r} is no address; use one like https://ponds.example.org")
    return text.rstrip("/")


def _level(name: str, text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(f"{name}: {text!r} is no level; use one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("0", "1", "true", "false"):
        raise ValueError(f"{name}: {text!r} is neither; use 1 or 0")
    return text.lower() in ("1", "true")


def _choice(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"{name}: {text!r} is none of them; use one of {', '.join(choices)}")
        return text.lower()

    return read


def _share(name: str, text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise ValueError(f"{name}: {text!r} is no share; use a whole number from 1 to 100 (%)")
    return int(text)


def _days(name: str, text: str) -> dict[str, int]:
    """`30` is for every table, `30,messages=7` sets one apart; 0 keeps for ever."""
    out: dict[str, int] = {}
    for part in text.split(","):
        table, found, days = part.strip().rpartition("=")
        if not days.isdigit() or len(days) > 5 or (found and table not in retention.TABLES):
            tables = ", ".join(retention.TABLES)
            reason = f"{part!r} can't be read; use days such as 30, and TABLE=DAYS for {tables}"
            raise ValueError(f"{name}: {reason}")
        out |= {table: int(days)} if found else dict.fromkeys(retention.TABLES, int(days))
    return out


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
    "BROKER_CA": _authority,
    "BROKER_PORT": _port,
    "DIALECTS": _dialects,
    "DISCOVER": _patterns,
    "HTTP_HOST": lambda name, text: text,
    "HTTP_PORT": _port,
    "HTTP_THREADS": _count,
    "IMAGE_IDLE_S": _count,
    "WINDOW": _count,
    "RETRY_CAP": _count,
    "LOOK_EVERY": _at_most_30,
    "SECURE_COOKIES": _flag,
    "TRUSTED_PROXY": _address,
    "PUBLIC_URL": _web,
    "LOG_LEVEL": _level,
    "MESSAGE_LOG": _choice(*messages.MODES),
    "RETENTION": _days,
    "ALERT_AFTER": _count,
    "ALERT_SHARE": _share,
    "ALERT_CLEAR_AFTER": _count,
    "METRICS": _choice(*METRICS),
}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises ValueError naming the variable and what to do."""
    source = os.environ if environment is None else environment
    given = {name: source[name] for name in _READERS if source.get(name)}
    if "BROKER_CA" in given and not given.get("BROKER_URL", "").startswith("mqtts:"):
        raise ValueError("BROKER_CA: is for TLS only; let BROKER_URL begin with mqtts://")
    return Settings(**{name.lower(): _READERS[name](name, text) for name, text in given.items()})
