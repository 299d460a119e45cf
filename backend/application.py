"""The composition root: broker, database, core and web side, put together and taken apart."""

import contextlib
import fcntl
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any

from backend.brokers import speech
from backend.brokers.broker import BACKEND_USER, BrokerError, EmbeddedBroker, check_port_free
from backend.fleet import boards
from backend.gate import Gate
from backend.people.accounts import Accounts
from backend.schema import open_database
from backend.service import Backend
from backend.settings import Settings
from backend.web.app import make_app
from backend.web.server import Server

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5  # between looks at what ends the program, and at boards enrolled elsewhere


def ending_signals() -> threading.Event:
    """An event that SIGINT (Ctrl-C) and SIGTERM set from now on; a second one ends all at once.

    Call it in the main thread.
    """
    ending = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ending.is_set():  # a second one does not wait
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        ending.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return ending


def _claimed(folder: Path) -> IO[str]:
    """Keeps others out of a data folder until it is closed, or this process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    claim = open(folder / "lock", "w")  # noqa: SIM115 (for life)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as why:
        claim.close()
        used = (
            f"DATA_DIR: another Answerback uses {folder}; end it, or set DATA_DIR to another one"
        )
        raise ValueError(used) from why
    return claim


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Threads that are started inside share one processor (Linux); child processes do not.

    Only one thread runs Python at a time, and handing that on to another processor costs more
    than the work itself. Measured on two processors with Mosquitto: 1,474 commands/s at most
    instead of 759, and at 500/s click to completed p50 5 ms instead of 32.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def make_server(backend: Backend, accounts: Accounts, settings: Settings) -> Server:
    """The web side, as it is set."""
    return Server(
        make_app(backend, accounts, settings),
        settings.http_host,
        settings.http_port,
        settings.http_threads,
        trusted_proxy=settings.trusted_proxy,
    )


class Application:
    """Everything that `python -m backend` runs, in this process; without `web` a `Gate` for web
    processes in place of the web side.

    `admin_password` is set where the first administrator was made by `start`. Raises ValueError
    where another one uses the same data folder.
    """

    def __init__(self, settings: Settings, *, web: bool = True) -> None:
        self.settings = settings
        self._claim = _claimed(settings.data_dir)
        self._database = open_database(settings.database)
        self.accounts = Accounts()
        self.admin_password: str | None = None
        self._broker_password = secrets.token_urlsafe(24)
        self.broker: EmbeddedBroker | None = None
        self._let_in_last: tuple[dict[str, str], dict[str, list[str]]] = {}, {}
        if settings.broker_url is None:
            folder = settings.data_dir.absolute() / "broker"
            self.broker = EmbeddedBroker(
                folder, settings.broker_port, self._users(), self._rights()
            )
        self.backend = Backend(
            self._broker_url(),
            settings.window,
            settings.data_dir / "images",
            settings.broker_ca,
            settings.image_idle_s,
            settings.upkeep,
            retry_cap=settings.retry_cap,
            look_every=settings.look_every,
            dialects=settings.dialects,
            discover=settings.discover,
            player=settings.scene_player,
            media=settings.data_dir / "media",
        )
        self.backend.on_boards = self._let_in
        self._letting_in = threading.Lock()
        if settings.secure_cookies and settings.trusted_proxy is None:
            log.warning("TRUSTED_PROXY is not set: behind a proxy all clients look like one")
        self._front: Server | Gate = (
            make_server(self.backend, self.accounts, settings)
            if web
            else Gate(settings.data_dir, self.backend)
        )

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{self.settings.http_host}:{self.settings.http_port}/"

    def start(self) -> None:
        """Start everything. Raises BrokerError or OSError with a line that says what to do."""
        if isinstance(self._front, Server):
            check_port_free(self.settings.http_host, self.settings.http_port, "HTTP_PORT")
        if self.broker:
            self.broker.start()
        with one_processor():
            self.backend.start()
            self._front.start()
        # Last: a password that is made must also be shown, and a start may fail.
        self.admin_password = self.accounts.ensure_admin()

    def wait(self, ending: threading.Event) -> bool:
        """Return when `ending` is set, or when a part has failed; whether one has.

        Call it in the main thread. Boards that another process enrolls are taken in meanwhile.
        """
        while not ending.wait(_LOOK_SECONDS) and not self.backend.failed.is_set():
            self._look_after()
        return self.backend.failed.is_set()

    def stop(self) -> None:
        """End everything, the web side first; what was accepted is in the database."""
        self.backend.events.close()
        self._front.stop()
        self.backend.stop()
        if self.broker:
            self.broker.stop()
        self._database.close()
        self._claim.close()

    def enroll(self, board_id: str, name: str = "", **more: Any) -> dict[str, str]:
        """Make a board known to the backend and to the embedded broker; see `boards.enroll`."""
        told = self.backend.enroll(board_id, name, **more)
        self._let_in()
        return told

    def _look_after(self) -> None:
        if self.backend.adopt():
            self._let_in()
        self.backend.listen()  # what was adopted is known by the next look
        if self.broker and self.broker.ended:
            log.error("the embedded broker has ended by itself; starting it again")
            with contextlib.suppress(BrokerError):  # it was logged; the next look tries again
                self.broker.start()

    def _let_in(self) -> None:
        """Let the embedded broker know who may use it, where that has changed; then we may, too,
        listen to what is new.
        """
        if self.broker is not None:
            self._let_in_by(self.broker)
        self.backend.listen()

    def _let_in_by(self, broker: EmbeddedBroker) -> None:
        with self._letting_in:
            users = self._users(), self._rights()
            if users == self._let_in_last:
                return
            try:
                broker.set_users(*users)
            except BrokerError as why:  # it takes them when it starts again; so do we, then
                log.error("%s", why)
            else:
                self._let_in_last = users

    def _rights(self) -> dict[str, list[str]]:
        more = {BACKEND_USER: [*speech.patterns(self.settings.dialects), *self.settings.discover]}
        return {**speech.rights(), **more}

    def _users(self) -> dict[str, str]:
        return {**boards.passwords(), BACKEND_USER: self._broker_password}

    def _broker_url(self) -> str:
        if self.settings.broker_url is not None:
            return self.settings.broker_url
        host, port = EmbeddedBroker.host, self.settings.broker_port
        return f"mqtt://{BACKEND_USER}:{self._broker_password}@{host}:{port}"
