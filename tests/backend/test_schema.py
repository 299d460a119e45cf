"""A database file of an older version is brought up and keeps what it holds; a later one is left.

`v0.sql` is what version 0 made: all its tables, with a board, a command and its first step.
"""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backend import schema
from backend.database import dbfile
from backend.database.models import Board, Command, History, Site
from backend.people.credentials import SCOPES, Credential, User

OLD = Path(__file__).with_name("v0.sql").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(OLD)
        old.execute("INSERT INTO user VALUES ('ann', 'argon2', 'admin', 1)")
        old.execute("INSERT INTO credential VALUES (1, 'd', 'token', 'ann', 'robot', 1, 1)")
    return path


def columns(path: Path) -> dict[str, set[tuple[str, str, int]]]:
    """{table: {(column, type, not null)}}."""
    with sqlite3.connect(path) as db:
        tables = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {
            table: {row[1:4] for row in db.execute(f"PRAGMA table_info({table})")}
            for table in tables
        }


def indexes(path: Path) -> set[str]:
    with sqlite3.connect(path) as db:
        return {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='index'")}


def test_an_old_file_keeps_what_it_holds(path: Path) -> None:
    with schema.open_database(f"sqlite:///{path}") as db:
        assert db.execute_sql("PRAGMA foreign_keys").fetchone() == (1,)
        assert db.execute_sql("PRAGMA foreign_key_check").fetchall() == []
        board = Board.get_by_id("pond")
        assert (board.name, board.key, board.state) == ("Pond", "ab" * 32, "active")
        assert (board.site, board.dialect, board.next_wake_at) == (None, "answerback", None)
        command = Command.get(Command.id == "c-1")
        assert (command.status, command.target, command.via) == ("PENDING", "feeder1", "")
        assert History.get(History.command == command.seq).event == "create"
        assert Site.select().count() == 0
        token = Credential.get_by_id(1)
        assert (tuple(token.scopes.split()), token.expires_at) == (SCOPES, None)
        assert User.get_by_id("ann").disabled is False


def test_an_old_file_becomes_what_a_new_one_is(path: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "new.db"
    for one in (path, fresh):
        schema.open_database(f"sqlite:///{one}").close()
    assert columns(path) == columns(fresh)
    assert indexes(path) == indexes(fresh)


def test_a_second_opening_changes_nothing(path: Path) -> None:
    schema.open_database(f"sqlite:///{path}").close()
    before = columns(path)
    db = schema.open_database(f"sqlite:///{path}")
    assert schema.version(db) == schema.VERSION
    db.close()
    assert columns(path) == before


def test_a_file_of_a_later_version_is_left_alone(path: Path) -> None:
    schema.open_database(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a later version of this program made it"):
        schema.open_database(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_copy_of_the_old_file_is_put_aside(path: Path) -> None:
    schema.open_database(f"sqlite:///{path}").close()
    aside = path.with_name("old.db.v0")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert dbfile.examine(aside) == 0
    with sqlite3.connect(aside) as old:
        assert old.execute("SELECT id FROM command").fetchall() == [("c-1",)]


STRIDE = 29  # statements, to be quick


def test_an_upgrade_killed_at_any_statement_leaves_the_old_version_whole(
    path: Path, seed: int
) -> None:
    """The script forks: each child upgrades a copy, and is killed at another statement."""
    first = str(1 + seed % STRIDE)
    subprocess.run([sys.executable, "-c", KILLED, str(path), first], check=True, timeout=60)
    versions = []
    for copy in sorted(path.parent.glob("killed-*.db")):
        versions.append(dbfile.examine(copy))
        with sqlite3.connect(copy) as db:
            assert db.execute("SELECT id FROM command").fetchall() == [("c-1",)]
    assert versions.count(0) > 4
    half = path.with_name(f"killed-{int(first) + STRIDE * (versions.count(0) - 1):03}.db")
    schema.open_database(f"sqlite:///{half}").close()  # the next start makes it
    assert dbfile.examine(half) == schema.VERSION
    assert schema.VERSION in versions  # killed only after the commit


KILLED = f"""
STRIDE = {STRIDE}
"""
KILLED += """
import os, shutil, signal, sys
from pathlib import Path
from peewee import SqliteDatabase
from backend import schema
from backend.database import dbfile

path, run = Path(sys.argv[1]), SqliteDatabase.execute_sql
for nth in range(int(sys.argv[2]), 1000, STRIDE):
    copy = path.with_name(f"killed-{nth:03}.db")
    shutil.copy(path, copy)
    child = os.fork()
    if child == 0:
        left = nth
        def counted(self, *words, **more):
            global left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return run(self, *words, **more)
        SqliteDatabase.execute_sql = counted
        schema.open_database(f"sqlite:///{copy}")
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
else:
    sys.exit("it never came to an end")
"""


def test_a_file_that_is_in_use_is_not_upgraded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbfile, "LOCK_SECONDS", 0.1)
    with (
        dbfile.hold(path),
        pytest.raises(ValueError, match="of another version and in use.*; end what uses it"),
    ):
        schema.open_database(f"sqlite:///{path}")
    assert dbfile.examine(path) == 0


def test_processes_that_start_at_once_make_or_upgrade_one_database(path: Path) -> None:
    opens = "import sys; from backend import schema; schema.open_database(sys.argv[1])"
    for one in (path, path.with_name("fresh.db")):
        command = [sys.executable, "-c", opens, f"sqlite:///{one}"]
        processes = [subprocess.Popen(command) for _ in range(3)]
        assert [process.wait(30) for process in processes] == [0, 0, 0]
        assert dbfile.examine(one) == schema.VERSION


def limited(path: Path, before: str) -> str:
    """What opening says in a process in which `before` was done."""
    code = (
        "import os, resource, signal, sys\n"
        "from backend import schema\n"
        f"{before}\n"
        "try: schema.open_database(sys.argv[1])\n"
        "except ValueError as why: print(why)\n"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{path}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def test_a_full_disk_is_said_and_changes_nothing(path: Path) -> None:
    size = path.stat().st_size
    full = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size // 2}, {size // 2}))"
    )
    assert "DATABASE_URL" in (said := limited(path, full)) and "its disk may be full" in said
    assert dbfile.examine(path) == 0
    assert not list(path.parent.glob("*.part")) + list(path.parent.glob("*.v0"))


def test_a_file_that_may_only_be_read_is_said(path: Path) -> None:
    """As somebody else, where the tests are run by root."""
    path.chmod(0o444)
    for folder in (path.parent, *path.parent.parents[:2]):
        folder.chmod(0o555 if folder == path.parent else 0o755)
    said = limited(path, "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)")
    path.parent.chmod(0o755)
    assert "let this user write to the file and to its folder" in said, said
    assert dbfile.examine(path) == 0
