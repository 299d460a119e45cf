"""Users, sessions and tokens, in a time of the test's own."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from backend import schema
from backend.errors import Busy, Conflict, Invalid, NotFound
from backend.people.accounts import HASHES_AT_ONCE, HASHES_WAITING, Accounts
from backend.people.audit import Actor
from backend.people.credentials import ABSOLUTE_MS, IDLE_MS, REREAD_MS, SEEN_MS, Credential, User
from backend.people.throttle import (
    KEYS_MAX,
    TRIES_PER_ADDRESS,
    TRIES_PER_USER,
    WINDOW_MS,
    Throttle,
)
from backend.people.users import People
from tests.backend.running import eventually
from tests.web.site import QUICK_HASHER

START = 1_800_000_000_000


class Clock:
    """A clock that stands still until it is set."""

    now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    database = schema.open_database(f"sqlite:///{tmp_path / 'test.db'}")
    accounts = Accounts(QUICK_HASHER, clock)
    yield accounts
    database.close()


def signed_in(accounts: Accounts) -> tuple[str, str]:
    """(password, session secret) of the administrator."""
    password = accounts.ensure_admin()
    assert password
    secret = accounts.sign_in("admin", password, "::1")
    assert secret
    return password, secret


def test_the_first_administrator_is_made_once(accounts: Accounts) -> None:
    assert accounts.ensure_admin()
    assert accounts.ensure_admin() is None


def test_no_secret_is_in_the_database(accounts: Accounts, tmp_path: Path) -> None:
    password, secret = signed_in(accounts)
    token = accounts.create_token("admin", "robot")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for hidden in (password, secret, token, token.removeprefix("ab_")):
        assert hidden.encode() not in stored
    assert User.get_by_id("admin").password.startswith("$argon2id$")


def test_an_idle_session_ends(accounts: Accounts, clock: Clock) -> None:
    _, secret = signed_in(accounts)
    clock.now += IDLE_MS - 1
    assert accounts.session(secret)
    clock.now += IDLE_MS - 1  # it was used in between
    assert accounts.session(secret)
    clock.now += IDLE_MS + REREAD_MS
    assert accounts.session(secret) is None


def test_a_session_in_use_ends_as_well_one_day(accounts: Accounts, clock: Clock) -> None:
    _, secret = signed_in(accounts)
    while clock.now < START + ABSOLUTE_MS - 1:
        clock.now = min(clock.now + IDLE_MS // 2, START + ABSOLUTE_MS - 1)
        assert accounts.session(secret)
    clock.now += 2
    assert accounts.session(secret) is None


def test_ended_sessions_are_swept_and_tokens_stay(accounts: Accounts, clock: Clock) -> None:
    password, _ = signed_in(accounts)
    token = accounts.create_token("admin", "robot")
    clock.now += ABSOLUTE_MS + 1
    accounts.sign_in("admin", password, "::1")
    assert sorted(row.kind for row in Credential.select()) == ["session", "token"]
    assert accounts.bearer(token)


def test_a_session_survives_a_restart(accounts: Accounts, clock: Clock) -> None:
    _, secret = signed_in(accounts)
    identity = Accounts(QUICK_HASHER, clock).session(secret)
    assert identity == accounts.session(secret)


def test_a_known_token_costs_no_query(
    accounts: Accounts, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.ensure_admin()
    token = accounts.create_token("admin", "robot")
    assert accounts.bearer(token)
    caplog.set_level(logging.DEBUG, "peewee")  # it logs every query
    assert accounts.bearer(token)
    assert not caplog.records
    clock.now += REREAD_MS
    assert accounts.bearer(token)
    assert caplog.records


def test_a_token_revoked_elsewhere_ends_within_a_second(accounts: Accounts, clock: Clock) -> None:
    accounts.ensure_admin()
    token = accounts.create_token("admin", "robot")
    assert accounts.bearer(token)
    Credential.delete().execute()
    clock.now += REREAD_MS
    assert accounts.bearer(token) is None


def test_a_write_lock_of_somebody_else_holds_nobody_up(
    accounts: Accounts, clock: Clock, tmp_path: Path
) -> None:
    accounts.ensure_admin()
    tokens = [accounts.create_token("admin", name) for name in ("one", "two")]
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    clock.now += SEEN_MS
    began = time.monotonic()
    assert all(accounts.bearer(token) for token in tokens)
    assert time.monotonic() - began < 4  # nobody waits for a lock less than 5 s
    assert {row.seen_at for row in Credential.select()} == {START}
    other.execute("ROLLBACK")
    clock.now += REREAD_MS
    assert all(accounts.bearer(token) for token in tokens)
    assert {row.seen_at for row in Credential.select()} == {clock.now}
    patience = Credential._meta.database.execute_sql("PRAGMA busy_timeout").fetchone()
    assert patience == (5_000,)
    other.close()


def test_a_busy_token_is_read_once_a_second_and_noted_once_a_minute(
    accounts: Accounts, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.ensure_admin()
    token = accounts.create_token("admin", "robot")
    accounts.bearer(token)
    clock.now += 1
    caplog.set_level(logging.DEBUG, "peewee")
    for _ in range(120):
        clock.now += REREAD_MS // 2
        assert accounts.bearer(token)
    said = [str(record.msg) for record in caplog.records]
    assert sum('FROM "credential"' in line for line in said) <= 61
    assert sum("UPDATE" in line for line in said) == 1


def test_a_failed_sign_in_is_logged_and_its_name_can_not_forge_a_line(
    accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.sign_in("admin\nINFO all is well" + "x" * 100, "guess", "192.0.2.7")
    (record,) = [one for one in caplog.records if one.name == "backend.people.accounts"]
    assert record.levelno == logging.WARNING
    assert "'admin\\nINFO all is well" in record.getMessage()
    assert "192.0.2.7" in record.getMessage()
    assert "\n" not in record.getMessage() and len(record.getMessage()) < 150


def test_any_number_may_sign_in_from_one_address(accounts: Accounts) -> None:
    password, _ = signed_in(accounts)
    for _ in range(TRIES_PER_ADDRESS + 1):
        assert accounts.sign_in("admin", password, "192.0.2.7")


def test_a_new_password_ends_every_session(accounts: Accounts) -> None:
    password, secret = signed_in(accounts)
    token = accounts.create_token("admin", "robot")
    people, me = People(accounts), Actor("admin")
    people.set_password(me, "admin", "correct horse")
    assert accounts.session(secret) is None
    assert accounts.bearer(token)  # tokens are not made from passwords
    assert accounts.sign_in("admin", password, "::1") is None
    assert accounts.sign_in("admin", "correct horse", "::1")
    with pytest.raises(Invalid):
        people.set_password(me, "admin", "short")
    with pytest.raises(NotFound):
        people.set_password(me, "nobody", "correct horse")


def test_a_hash_of_older_settings_is_renewed(accounts: Accounts, clock: Clock) -> None:
    password, _ = signed_in(accounts)
    before = User.get_by_id("admin").password
    stronger = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    assert Accounts(stronger, clock).sign_in("admin", password, "::1")
    assert User.get_by_id("admin").password != before
    assert "t=2" in User.get_by_id("admin").password


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb", "\ud800"])
def test_a_token_needs_a_name(accounts: Accounts, name: str) -> None:
    accounts.ensure_admin()
    with pytest.raises(Invalid):
        accounts.create_token("admin", name)


def test_a_token_needs_a_user_and_a_name_of_its_own(accounts: Accounts) -> None:
    accounts.ensure_admin()
    accounts.create_token("admin", "robot")
    with pytest.raises(Conflict):
        accounts.create_token("admin", "robot")
    with pytest.raises(NotFound):
        accounts.create_token("nobody", "robot")


class SlowHasher(PasswordHasher):
    """Waits in `verify` until it is let go, and counts how many are in it."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()
        self.entered = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.go.wait(10)
        with self.lock:
            self.inside -= 1
        return super().verify(hash, password)


def test_unknown_users_cost_a_hash_and_few_are_made_at_once(
    accounts: Accounts, clock: Clock
) -> None:
    hasher = SlowHasher()
    slow = Accounts(hasher, clock)
    places = HASHES_AT_ONCE + HASHES_WAITING
    threads = [
        threading.Thread(target=slow.sign_in, args=(f"user{i}", "guess", f"10.0.0.{i}"))
        for i in range(places)
    ]
    for thread in threads:
        thread.start()
    for _ in range(HASHES_AT_ONCE):
        assert hasher.entered.acquire(timeout=10)
    eventually(lambda: slow._places._value == 0)  # the others have come and wait
    with pytest.raises(Busy):
        slow.sign_in("admin", "guess", "10.0.1.1")
    hasher.go.set()
    for thread in threads:
        thread.join(10)
    assert hasher.most == HASHES_AT_ONCE


def test_tries_are_limited_for_user_and_address() -> None:
    throttle = Throttle()
    for _ in range(TRIES_PER_USER):
        assert throttle.begin("ann", "a", START) == 0
    assert throttle.begin("ann", "a", START + 1_000) == WINDOW_MS // 1000 - 1
    assert throttle.begin("ann", "b", START) == 0
    assert throttle.begin("bob", "a", START) == 0
    assert throttle.begin("ann", "a", START + WINDOW_MS) == 0


def test_one_address_can_not_try_all_users() -> None:
    throttle = Throttle()
    for number in range(TRIES_PER_ADDRESS):
        assert throttle.begin(f"user{number}", "a", START) == 0
    assert throttle.begin("another", "a", START) == WINDOW_MS // 1000


def test_a_success_wipes_the_count() -> None:
    throttle = Throttle()
    for _ in range(TRIES_PER_USER * 3):
        assert throttle.begin("ann", "a", START) == 0
        throttle.succeeded("ann", "a", START)


def test_a_try_that_was_not_decided_does_not_count() -> None:
    throttle = Throttle()
    for _ in range(TRIES_PER_ADDRESS * 2):
        assert throttle.begin("ann", "a", START) == 0
        throttle.take_back("ann", "a", START)


def test_the_throttle_forgets_the_oldest() -> None:
    throttle = Throttle()
    for number in range(KEYS_MAX):
        throttle.begin("ann", f"address{number}", START)
    assert len(throttle._tries) == KEYS_MAX
