"""`check`: is everything as it should be? One line for each thing, and what to do where not.

It changes nothing, and disturbs no backend that runs: of that it asks /health instead of taking
its place at the broker.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend import schema
from backend.brokers import probe
from backend.brokers.broker import BrokerError, EmbeddedBroker, check_port_free
from backend.brokers.linkstate import Address
from backend.cli import configuration
from backend.database import dbfile
from backend.settings import Given, Settings

# (what was looked at, what was found, what to do or "")
Finding = tuple[str, str, str]

FREE_LOW = 200 * 1024 * 1024
_BORN = 1_767_225_600  # 2026-01-01: no clock that is right says earlier


def run(options: Settings, found: Mapping[str, Given]) -> int:
    """Print the list. Returns the exit code: 1 where there is trouble."""
    bad = 0
    for name, what, remedy in findings(options, found):
        bad += bool(remedy)
        print(
            f"{'TROUBLE' if remedy else 'ok':8}{name}: {what}" + (f": {remedy}" if remedy else "")
        )
    return 1 if bad else 0


def findings(options: Settings, found: Mapping[str, Given]) -> Iterator[Finding]:
    """All there is to say."""
    yield from _settings(found)
    yield from _folder(options.data_dir)
    path = dbfile.path_of(options.database)
    yield from _database(path) if path else ()
    yield _disk(options.data_dir)
    running = runs(options.data_dir)
    yield "backend", "runs already" if running else "does not run just now", ""
    yield from _health(options) if running else _places(options)
    yield _clock(path)


def _settings(found: Mapping[str, Given]) -> Iterator[Finding]:
    sources = sorted({given.source for given in found.values()})
    yield "settings", f"{len(found)} set, in {', '.join(sources) or 'none'}", ""
    for path in configuration.exposed(found):
        yield "settings", f"others may read {path}, with a password in it", f"chmod 600 {path}"


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        yield "folder", f"{folder} is not there yet; the first start makes it", ""
        return
    about = folder.stat()
    mode = stat.S_IMODE(about.st_mode)
    if about.st_uid != os.geteuid():
        yield "folder", f"{folder} belongs to another user", f"chown -R {os.geteuid()} {folder}"
    elif mode & 0o077:
        yield "folder", f"others may look into {folder}", f"chmod 700 {folder}"
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield "folder", f"nobody may write to {folder}", f"chmod 700 {folder}"
    else:
        yield "folder", f"{folder} is for this user only", ""


def _database(path: Path) -> Iterator[Finding]:
    if not path.exists() or not path.stat().st_size:
        yield "database", f"{path} is not there yet; the first start makes it", ""
        return
    try:
        version = dbfile.examine(path)
        schema.check_not_later(version)
    except ValueError as why:
        yield "database", str(why), f"restore a backup; {path} itself is kept"
        return
    known = f"version {version} of {schema.VERSION}"
    later = "" if version == schema.VERSION else "; the next start upgrades it and keeps a copy"
    yield "database", f"{path} is whole, {known}{later}", ""


def _disk(folder: Path) -> Finding:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    remedy = "make room, before commands are refused" if free < FREE_LOW else ""
    return "disk", f"{free / 1e9:.1f} GB free at {there}", remedy


def runs(folder: Path) -> bool:
    """Whether a backend uses this data folder."""
    try:
        with open(folder / "lock") as claim:
            fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _health(options: Settings) -> Iterator[Finding]:
    url = f"http://{options.http_host}:{options.http_port}/health"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            yield "health", f"{url} says {json.load(answer)['status']}", ""
    except urllib.error.HTTPError as why:
        yield "health", f"{url} says {why.code}", "look at the page or the log for what is missing"
    except (OSError, ValueError) as why:
        remedy = "where `worker` and `web` are apart, start a web; else look at the log"
        yield "health", f"{url} does not answer ({why})", remedy


def _places(options: Settings) -> Iterator[Finding]:
    yield _port("HTTP_PORT", options.http_host, options.http_port)
    if options.broker_url is None:
        yield _port("BROKER_PORT", EmbeddedBroker.host, options.broker_port)
    else:
        ca = options.broker_ca.read_text() if options.broker_ca else ""
        yield _broker("BROKER_URL", Address.of(options.broker_url, ca))
    path = dbfile.path_of(options.database)
    for site, address in _sites(path) if path else ():
        yield _broker(f"site {site}", address, site)


def _broker(name: str, address: Address, site: str = "") -> Finding:
    wrong, _, remedy = (probe.trouble(address, site) or "").partition("; ")
    return name, f"the broker at {address} {wrong or 'lets us in'}", remedy


def _sites(path: Path) -> list[tuple[str, Address]]:
    """Sites' own connections that are wanted; read as they are, by whatever version."""
    rows = _read(
        path,
        "SELECT site, host, port, username, password, tls, ca FROM mqttconnection WHERE is_active",
    )
    return [(row[0], Address(*row[1:])) for row in rows]


def _port(name: str, host: str, port: int) -> Finding:
    try:
        check_port_free(host, port, name)
    except BrokerError as why:
        return name, f"{port} can't be used", str(why)
    return name, f"{port} is free", ""


def _clock(path: Path | None) -> Finding:
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    newest = _newest(path) if path else 0
    if now < _BORN:
        return "clock", f"it is {said}", "set the time, and have it kept (NTP)"
    if newest / 1000 > now + 60:
        late = f"it is {said}, yet the history has steps from {newest / 1000 - now:.0f} s later"
        return "clock", late, "set the time, and have it kept (NTP)"
    return "clock", f"it is {said}", ""


def _newest(path: Path) -> int:
    """When the newest step of the history was, ms; 0 where there is none."""
    rows = _read(path, "SELECT at FROM history ORDER BY id DESC LIMIT 1")
    return int(rows[0][0]) if rows else 0


def _read(path: Path, query: str) -> list[Any]:
    """Rows of a database that is not to be changed; none where there is no such table."""
    if not path.exists() or not path.stat().st_size:
        return []
    try:
        with dbfile.opened(path) as db:
            return db.execute(query).fetchall()
    except sqlite3.Error:  # what is wrong with the file is told elsewhere
        return []
