"""Backup and restore, as somebody does them: beside a backend under load, and back again."""

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.database import dbfile
from tests.backend.installation import Installation
from tests.backend.running import eventually
from tools.chaos_http import Api


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.run("enroll", "pond")
    return made


def ids(path: Path) -> set[str]:
    with sqlite3.connect(path) as db:
        return {row[0] for row in db.execute("SELECT id FROM command")}


def post_until(ending: threading.Event, api: Api, name: str, accepted: list[str]) -> None:
    number = 0
    while not ending.is_set():
        number += 1
        command, _ = api.post(f"{name}-{number}", "pond", "ping", expires_in=3600)
        accepted.append(command["id"])


@pytest.fixture
def load(installation: Installation) -> Iterator[list[str]]:
    """The ids of commands that got their 202, growing while the test runs."""
    accepted: list[str] = []
    ending = threading.Event()
    with installation.running("serve"), ThreadPoolExecutor(4) as threads:
        api = Api(installation.http, installation.run("token", "a test").stdout.strip())
        running = [
            threads.submit(post_until, ending, api, f"key-{number}", accepted)
            for number in range(4)
        ]
        try:
            yield accepted
        finally:
            ending.set()
            for one in running:
                one.result()


def test_all_that_was_accepted_before_is_in_a_backup_made_under_load(
    installation: Installation, load: list[str], tmp_path: Path
) -> None:
    eventually(lambda: len(load) > 100)
    before = set(load)
    target = tmp_path / "copy.db"
    done = installation.run("backup", str(target))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert before <= ids(target)
    assert "inside:  boards with their keys" in done.stdout
    assert f"outside: 0 pictures, 0.0 MB, in {installation.folder / 'images'}" in done.stdout
    refused = installation.run("restore", str(target))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "end the backend" in refused.stderr


def test_what_is_restored_is_what_was_saved_and_what_was_there_is_kept(
    installation: Installation, tmp_path: Path
) -> None:
    saved = tmp_path / "copy.db"
    assert installation.run("backup", str(saved)).returncode == 0
    installation.run("enroll", "later")
    assert "is there already" in installation.run("backup", str(saved)).stderr
    done = installation.run("restore", str(saved))
    assert done.returncode == 0, done.stderr
    (kept,) = installation.folder.glob("answerback.db.replaced-*")
    assert str(kept) in done.stdout
    assert [boards(path) for path in (installation.folder / "answerback.db", kept)] == [
        ["pond"],
        ["later", "pond"],
    ]
    assert installation.run("enroll", "later").returncode == 0


def boards(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return sorted(row[0] for row in db.execute("SELECT id FROM board"))


@pytest.mark.parametrize("kind", ["torn", "text", "other", "later", "none"])
def test_what_is_no_backup_is_not_restored(
    installation: Installation, tmp_path: Path, kind: str
) -> None:
    bad = tmp_path / "bad.db"
    if kind in ("torn", "later"):
        dbfile.copy(installation.folder / "answerback.db", bad)
    if kind == "torn":
        bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    elif kind == "text":
        bad.write_text("not a database, but long enough to be looked at" * 100)
    elif kind == "other":
        sqlite3.connect(bad).execute("CREATE TABLE pets (name)")
    elif kind == "later":
        sqlite3.connect(bad).execute("PRAGMA user_version = 99")
    done = installation.run("restore", str(bad))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert boards(installation.folder / "answerback.db") == ["pond"]


@pytest.mark.parametrize("word", ["backup", "restore"])
def test_one_killed_at_any_step_leaves_whole_databases(
    installation: Installation, tmp_path: Path, word: str, seed: int
) -> None:
    """The script forks: each child is killed at another file it touches."""
    data, saved = installation.folder / "answerback.db", tmp_path / "saved.db"
    dbfile.copy(data, saved)
    with sqlite3.connect(data) as db:
        db.execute("UPDATE board SET name = 'changed'")
    command = [sys.executable, "-c", KILLED, word, str(saved), str(1 + seed % 2)]
    done = subprocess.run(command, env=installation.environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    steps = sorted(tmp_path.glob("step-*"))
    assert len(steps) > 5
    found = {names(step / "answerback.db") for step in steps}
    assert found == ({"changed"} if word == "backup" else {"changed", "pond"})
    assert names(steps[-1] / "answerback.db") == ("changed" if word == "backup" else "pond")
    copies = [step / "copy.db" for step in steps if (step / "copy.db").exists()]
    assert {names(copy) for copy in copies} == ({"changed"} if word == "backup" else set())


def names(path: Path) -> str:
    """The name of the one board of a database that is whole."""
    dbfile.examine(path)
    with sqlite3.connect(path) as db:
        return str(db.execute("SELECT name FROM board").fetchone()[0])


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from backend import settings
from backend.cli import copies

word, saved, first = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
data = settings.load().data_dir
for nth in range(first, 400, 2):
    folder = saved.parent / f"step-{nth:03}"
    shutil.copytree(data, folder)
    child = os.fork()
    if child == 0:
        options = settings.load({"DATA_DIR": str(folder)})
        left = nth
        def count(event, arguments):
            global left
            if event in ("open", "os.rename", "os.link", "os.remove", "sqlite3.connect"):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(count)
        target = folder / "copy.db" if word == "backup" else saved
        getattr(copies, word)(options, target)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
else:
    sys.exit("it never came to an end")
"""
