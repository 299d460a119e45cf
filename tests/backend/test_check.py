"""`check`: what it says of a good installation, and of each trouble."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend import schema
from backend.brokers import connections, probe
from backend.brokers.broker import BACKEND_USER
from backend.brokers.linkstate import Address
from backend.cli import check, unit
from backend.database.models import Site
from backend.fleet import boards
from backend.settings import Given, Settings
from tests.backend.installation import Installation
from tests.backend.running import eventually
from tests.support.brokers import running
from tools.brokers import free_port


@pytest.fixture
def options(tmp_path: Path) -> Settings:
    """Of an installation with one board."""
    made = Settings(data_dir=tmp_path / "data", http_port=free_port(), broker_port=free_port())
    schema.open_database(made.database)
    boards.enroll("pond", 1)
    return made


def troubles(options: Settings, found: dict[str, Given] | None = None) -> dict[str, str]:
    """{what was looked at: what is said and what to do}."""
    return {
        name: f"{what}: {remedy}"
        for name, what, remedy in check.findings(options, found or {})
        if remedy
    }


def test_where_all_is_well_it_says_so(
    options: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.run(options, {}) == 0
    said = capsys.readouterr().out
    assert f"is whole, version {schema.VERSION} of {schema.VERSION}" in said
    assert "TROUBLE" not in said and "does not run just now" in said


def test_a_folder_for_all_and_a_damaged_database_are_trouble(
    options: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    options.data_dir.chmod(0o755)
    path = options.data_dir / "answerback.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with open(path, "r+b") as file:
        file.seek(size)
        file.write(b"\xff" * 2 * size)
    said = troubles(options)
    assert "chmod 700" in said["folder"]
    assert "restore a backup" in said["database"]
    assert check.run(options, {}) == 1
    assert capsys.readouterr().out.count("TROUBLE") == 2


def test_taken_ports_are_trouble(options: Settings) -> None:
    with socket.socket() as http, socket.socket() as mqtt:
        for one, port in ((http, options.http_port), (mqtt, options.broker_port)):
            one.bind(("127.0.0.1", port))
            one.listen()
        assert set(troubles(options)) == {"HTTP_PORT", "BROKER_PORT"}


def test_a_history_of_tomorrow_is_trouble(options: Settings) -> None:
    tomorrow = int(time.time() + 86_400) * 1000
    with sqlite3.connect(options.data_dir / "answerback.db") as db:
        db.execute("PRAGMA foreign_keys = 0")
        db.execute(
            "INSERT INTO history (command_seq, at, event, from_status, to_status, detail, actor)"
            " VALUES (1, ?, 'create', '', 'PENDING', '{}', '')",
            (tomorrow,),
        )
    assert "set the time" in troubles(options)["clock"]


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_a_broker_is_asked_and_not_disturbed(tmp_path: Path, kind: str) -> None:
    with running(kind, tmp_path, {BACKEND_USER: "right"}) as broker:
        place = f"127.0.0.1:{broker.port}"
        assert probe.trouble(Address.of(f"mqtt://{BACKEND_USER}:right@{place}")) is None
        wrong = probe.trouble(Address.of(f"mqtt://{BACKEND_USER}:wrong@{place}"))
        assert wrong and "check user and password" in wrong
    assert "can't be reached" in str(probe.trouble(Address.of(f"mqtt://{place}")))


def test_the_broker_of_a_site_is_asked(options: Settings) -> None:
    Site.insert(id="farm", name="Farm", created_at=1).execute()
    connections.save("farm", {"host": "127.0.0.1", "port": free_port(), "is_active": True}, 1)
    said = troubles(options)
    assert set(said) == {"site farm"} and "can't be reached" in said["site farm"]


def test_a_broker_that_is_none_is_said(options: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        url = f"mqtt://a:s3cret@127.0.0.1:{other.getsockname()[1]}"
        client = subprocess.Popen(
            [sys.executable, "-m", "backend", "check"],
            env={**os.environ, "DATA_DIR": str(options.data_dir), "BROKER_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        one, _ = other.accept()
        one.recv(100)
        one.sendall(b"HTTP/1.1 400 no\r\n")
        one.close()
        said = client.communicate(timeout=30)[0]
    assert client.returncode == 1
    assert "answers something that is not MQTT" in said and "s3cret" not in said


def test_one_that_runs_is_asked_how_it_is(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.running("serve"):
        done = eventually(lambda: _well(installation))
    assert "runs already" in done and "says healthy" in done


def _well(installation: Installation) -> str:
    done = installation.run("check")
    return done.stdout if done.returncode == 0 else ""


def test_the_command_line_says_what_there_is(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    assert installation.run("--version").stdout.startswith("Answerback 0.")
    for command in ("worker", "web", "config", "check", "backup", "restore", "unit"):
        assert installation.run(command, "--help").returncode == 0
    assert installation.run("config").stdout.startswith(f"DATA_DIR={installation.folder}  # env")
    (tmp_path / "x.toml").write_text("windw = 1")
    wrong = installation.run("config", ANSWERBACK_CONFIG=str(tmp_path / "x.toml"))
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert not installation.folder.exists()  # looking makes nothing


def test_lines_are_json_where_that_is_asked_for(tmp_path: Path) -> None:
    url = f"mqtt://ann:hunter2@127.0.0.1:{free_port()}"
    more = {"LOG_FORMAT": "json", "BROKER_URL": url}
    with subprocess.Popen(
        [sys.executable, "-m", "backend"],
        env={**Installation(tmp_path).environment, **more},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = json.loads(process.stderr.readline())
        process.terminate()
        rest = process.stderr.read()
    assert (line["level"], line["logger"]) == ("ERROR", "backend.brokers.mqtt")
    assert "can't be reached" in line["message"] and "hunter2" not in str(line) + rest


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = "answerback ba"
    complete = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    more = {"_ARGCOMPLETE_STDOUT_FILENAME": str(out), "_ARGCOMPLETE_SUPPRESS_SPACE": "1"}
    command = [sys.executable, "-m", "backend"]
    subprocess.run(command, env={**os.environ, **complete, **more}, check=True, timeout=30)
    assert out.read_text() == "backup"


@pytest.mark.parametrize("part", unit.PARTS)
def test_a_unit_runs_this_program_here(part: str) -> None:
    said = unit.text(part)
    assert f"{sys.executable} -m backend {part}" in said
    assert f"WorkingDirectory={Path.cwd()}" in said
