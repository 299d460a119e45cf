"""A database file of an older version is brought up and keeps what it holds; a later one is left.

`v0.sql` is what version 0 made: all its tables, with a board, a command and its first step.
"""

import sqlite3
from pathlib import Path

import pytest

from backend import schema
from backend.credentials import SCOPES, Credential, User
from backend.models import Board, Command, History, Site

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
