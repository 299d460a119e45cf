"""People looked after at the keyboard: each command as `python -m backend` runs it."""

import io
import sys
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.database.models import as_rows, database
from backend.people.credentials import Credential


class Keyboard:
    """Runs commands on a data folder of its own, with a password at hand."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        patch.setenv("DATA_DIR", str(folder / "data"))

    def run(self, *words: str) -> int:
        """The exit code."""
        self._patch.setattr(sys, "stdin", io.StringIO("a long enough one\n"))
        try:
            return main(list(words))
        finally:
            database.close()


@pytest.fixture
def keyboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyboard:
    keyboard = Keyboard(tmp_path, monkeypatch)
    assert keyboard.run("user", "add", "ann", "--role", "operator") == 0
    return keyboard


def test_what_can_not_be_done_is_one_line(
    keyboard: Keyboard, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, why in (
        ("user role admin viewer", "nobody would be left"),
        ("user member ann moon viewer", "there is no site 'moon'"),
        ("user remove nobody", "there is no user 'nobody'"),
        ("user add Ann", "name: is in use"),
        ("token robot --user nobody", "there is no user 'nobody'"),
    ):
        capsys.readouterr()
        assert keyboard.run(*words.split()) == 1
        said = capsys.readouterr()
        assert said.out == "" and why in said.err and said.err.count("\n") == 1


def test_what_is_done_is_so_and_is_noted(
    keyboard: Keyboard, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ("role ann admin", "disable admin", "sign-out ann"):
        assert keyboard.run("user", *words.split()) == 0
    assert keyboard.run("password", "ann") == 0
    assert keyboard.run("token", "robot", "--user=ann", "--scope=read", "--expires-in=60") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("ab_")
    keyboard.run("user", "list")
    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert listed == [["admin", "admin", "disabled"], ["ann", "admin"]]
    with database.connection_context():
        noted = "SELECT action, subject, user, via FROM auditentry ORDER BY id"
        rows = database.execute_sql(noted).fetchall()
        (kept,) = as_rows(Credential.select())
    assert [row[:2] for row in rows] == [
        ("user.add", "admin"), ("user.add", "ann"), ("user.change", "ann"),
        ("user.change", "admin"), ("user.sign_out", "ann"), ("user.password", "ann"),
        ("token.make", "robot"),
    ]  # fmt: skip
    assert rows[-1][2:] == ("ann", "command line")
    assert (kept["scopes"], kept["expires_at"] - kept["created_at"]) == ("read", 60_000)
