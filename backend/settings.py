"""Every setting, in one place: its default, how it is read, and what it is for.

Rules of this file:
- nothing else reads the environment;
- a setting stands in the environment (`HTTP_PORT=8080`) or in a TOML file (`http_port = 8080`),
  `answerback.toml` or what ANSWERBACK_CONFIG names; the environment wins;
- what is unknown in the file is refused by name; nothing in it is ignored.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from backend import readers
from backend.delivery import messages
from backend.delivery.upkeep import Options
from backend.fleet.alerts import Rule
from backend.gallery import bounds
from backend.gallery.bounds import Bounds
from backend.readers import Reader

CONFIG = "ANSWERBACK_CONFIG"
CONFIG_FILE = "answerback.toml"


def _is(default: Any, read: Reader, about: str) -> Any:
    return field(default=default, metadata={"read": read, "about": about})


@dataclass(frozen=True)
class Settings:
    """What can be set. `broker_url` None: the embedded broker is started."""

    data_dir: Path = _is(Path("var"), readers.path, "database, pictures, the broker's data")
    database_url: str = _is(
        "", readers.database, "`sqlite:///path`; empty: `answerback.db` in `DATA_DIR`"
    )
    broker_url: str | None = _is(
        None,
        readers.broker,
        "`mqtt://user:password@host:port`, MQTT 3.1.1, `mqtts://` for TLS; empty: the embedded "
        "broker",
    )
    broker_ca: Path | None = _is(
        None, readers.authority, "PEM file of who vouches for it; empty: whom the system trusts"
    )
    broker_port: int = _is(1884, readers.port, "port of the embedded broker")
    dialects: tuple[str, ...] = _is(
        (), readers.dialects, "listened for though no board of them is known, with commas between"
    )
    discover: tuple[str, ...] = _is(
        (), readers.patterns, "further topic patterns to listen to, such as `room1/#`"
    )
    http_host: str = _is("127.0.0.1", readers.words, "address the page is served at")
    http_port: int = _is(8080, readers.port, "its port")
    http_threads: int = _is(8, readers.count, "requests at once")
    image_idle_s: int = _is(
        15, readers.count, "seconds without a new part of a picture, before its board is asked"
    )
    pictures: Bounds = _is(
        Bounds(),
        bounds.read,
        "pictures kept, the oldest go first: `days` (0 is for ever), megabytes in all (`mb`) and "
        "of a board (`board_mb`), pictures of a `board`",
    )
    window: int = _is(
        2_000, readers.count, "unconfirmed publishes and unanswered requests before 429"
    )
    retry_cap: int = _is(
        60, readers.count, "seconds between two tries to connect to a broker, at most"
    )
    look_every: int = _is(
        5, readers.at_most_30, "seconds until a connection changed by another process is seen"
    )
    scene_player: str = _is(
        "",
        readers.program,
        "program that plays files of `DATA_DIR/media` in scenes, such as `mpv --volume={volume}`; "
        "empty: none",
    )
    secure_cookies: bool = _is(False, readers.flag, "1 behind https")
    trusted_proxy: str | None = _is(
        None, readers.address, "address of the proxy whose `X-Forwarded-For` is believed"
    )
    public_url: str = _is(
        "", readers.web, "where people reach the page, for labels; empty: where it listens"
    )
    firmware_url: str = _is(
        "", readers.web, "where boards fetch releases, by plain `http`; empty: `PUBLIC_URL`"
    )
    log_level: str = _is("INFO", readers.level, "one of " + ", ".join(readers.LOG_LEVELS))
    log_format: str = _is("text", readers.layout, "`text`, or `json`: an object a line")
    message_log: str = _is(
        messages.COMMANDS,
        readers.choice(*messages.MODES),
        "messages kept: `commands` and their answers, `all`, or `off`",
    )
    retention: Mapping[str, int] | None = _is(
        None,
        readers.days,
        "days things are kept: `30`, or `30,messages=7`; 0 is for ever; empty: 30, the audit 365, "
        "hours of readings 3650",
    )
    alert_after: int = _is(Rule.after, readers.count, "failures in a row that raise an alert")
    alert_share: int = _is(Rule.share, readers.share, "% of the last commands that do")
    alert_clear_after: int = _is(
        Rule.clear_after, readers.count, "successes in a row that clear it"
    )
    twin_command: str = _is(
        "",
        readers.words,
        "runs the twin of a board for a dry run; empty: `python -m tools.twin` of this source "
        "tree; `off`: none are run",
    )
    metrics: str = _is(
        readers.METRICS[0],
        readers.choice(*readers.METRICS),
        "who may read `/metrics`: `loopback`, `token` or `off`",
    )

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
        return Options(self.message_log, self.retention or {}, rule, self.pictures)

    @property
    def address(self) -> str:
        """Where people reach the page, without a slash at the end."""
        return self.public_url or f"http://{self.http_host}:{self.http_port}"

    @property
    def firmware_address(self) -> str:
        """Where boards reach the web side, without a slash at the end."""
        return self.firmware_url or self.address


class Given(NamedTuple):
    """A setting as it was found: its text, and where ("" for the default)."""

    text: str
    source: str


SETTINGS: dict[str, Field[Any]] = {one.name.upper(): one for one in fields(Settings)}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises ValueError naming the setting and what to do."""
    return read(find(environment))


def find(environment: Mapping[str, str] | None = None) -> dict[str, Given]:
    """What was set and where, by the name it has in the environment. Raises ValueError."""
    source = os.environ if environment is None else environment
    named = source.get(CONFIG)
    path = Path(named or CONFIG_FILE)
    found = _of_file(path) if named or path.is_file() else {}
    for name in SETTINGS:
        if text := source.get(name):
            found[name] = Given(text, "environment")
    return found


def read(found: Mapping[str, Given]) -> Settings:
    """Settings of what was found. Raises ValueError, which names the file it stands in."""
    values = {name.lower(): _value(name, given) for name, given in found.items()}
    made = Settings(**values)
    if made.broker_ca and not (made.broker_url or "").startswith("mqtts:"):
        raise ValueError("BROKER_CA: is for TLS only; let BROKER_URL begin with mqtts://")
    return made


def _value(name: str, given: Given) -> Any:
    try:
        return SETTINGS[name].metadata["read"](name, given.text)
    except ValueError as why:
        if given.source == "environment":
            raise
        raise ValueError(f"{given.source}: {why}") from None


def _of_file(path: Path) -> dict[str, Given]:
    try:
        content = tomllib.loads(path.read_text())
    except OSError as why:
        raise ValueError(f"{CONFIG}: {path} can't be read: {why.strerror}") from why
    except ValueError as why:  # no UTF-8, or no TOML
        raise ValueError(f"{path}: is no TOML: {why}") from why
    return {_name(path, key): Given(_text(path, key, content[key]), str(path)) for key in content}


def _name(path: Path, key: str) -> str:
    if key.upper() in SETTINGS and key.islower():
        return key.upper()
    known = [name.lower() for name in SETTINGS]
    near = difflib.get_close_matches(key.lower(), known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"use some of {', '.join(known)}"
    raise ValueError(f"{path}: {key!r} is unknown; {hint}")


def _text(path: Path, key: str, value: Any) -> str:
    """A value of the file as it would stand in the environment."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str | int):
        return str(value)
    raise ValueError(f"{path}: {key} must be text, a whole number, true or false, or [texts]")
