"""The command line, as processes of its own on one data folder."""

import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.installation import Installation
from tests.backend.running import eventually
from tests.support.mqtt import Client
from tests.support.processes import children
from tools.brokers import free_port


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@pytest.fixture
def serving(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "backend", "serve"],
        env=installation.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Answerback: http://")
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_token_on_a_new_folder_makes_the_administrator(installation: Installation) -> None:
    first, second = installation.run("token", "one"), installation.run("token", "two")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "sign in with" in first.stderr and not second.stderr
    assert len({first.stdout, second.stdout}) == 2


@pytest.mark.usefixtures("serving")
def test_a_board_enrolled_beside_a_running_backend_may_come(installation: Installation) -> None:
    told = installation.run("enroll", "pond-9").stdout
    password = dict(line.split("=", 1) for line in told.splitlines())["password"]
    token = installation.run("token", "a test").stdout.strip()

    def let_in() -> bool:
        board = Client(installation, "pond-9", password)
        refused = board.connect()[0].is_failure
        board.close()
        return not refused

    eventually(let_in)
    assert [board["id"] for board in installation.get("boards", token)["boards"]] == ["pond-9"]


@pytest.mark.usefixtures("serving")
def test_a_board_retired_beside_a_running_backend_is_shut_out(installation: Installation) -> None:
    told = installation.run("enroll", "pond-9").stdout
    password = dict(line.split("=", 1) for line in told.splitlines())["password"]
    board = Client(installation, "pond-9", password)
    eventually(lambda: not board.connect()[0].is_failure)
    board.gone.clear()
    retired = installation.run("retire", "pond-9")
    assert (retired.returncode, retired.stdout) == (0, "pond-9 is retired\n")
    assert board.gone.wait(10)
    assert board.connect()[0].is_failure
    board.close()
    nowhere = installation.run("map", "pond-9", "nowhere")
    assert nowhere.returncode == 1 and "there is no site 'nowhere'" in nowhere.stderr


@pytest.mark.parametrize(
    ("words", "variables", "why"),
    [
        (["enroll", "no spaces"], {}, "board_id: use 1 to 64 of"),
        (["enroll", "x"], {"DATABASE_URL": "sqlite:////proc/x.db"}, "DATABASE_URL: /proc/x.db"),
        (["enroll", "x"], {"DATABASE_URL": "mysql://x"}, "DATABASE_URL: 'mysql://x'"),
        (["serve"], {"HTTP_PORT": "door"}, "HTTP_PORT: 'door'"),
        (["serve"], {"BROKER_URL": "mqtt://u:p@h:door"}, "BROKER_URL: is no address"),
        (["serve"], {"PUBLIC_URL": "ponds"}, "PUBLIC_URL: 'ponds'"),
        (["serve"], {"LOG_LEVEL": "loud"}, "LOG_LEVEL: 'loud'"),
        (["serve"], {"LOOK_EVERY": "31"}, "LOOK_EVERY: '31' is too much or too little; use 1 to"),
        (["serve"], {"DIALECTS": "museum,x"}, "DIALECTS: 'x' is unknown"),
        (["serve"], {"DISCOVER": "room1/#/x"}, "DISCOVER: 'room1/#/x'"),
        (["enroll", "x", "--dialect", "museum"], {}, "options.targets"),
        (["enroll", "x", "--dialect", "museum", "--options", "[]"], {}, "--options: must be"),
        (["serve"], {"TRUSTED_PROXY": "nginx"}, "TRUSTED_PROXY: 'nginx'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    installation: Installation, words: list[str], variables: dict[str, str], why: str
) -> None:
    done = installation.run(*words, **variables)
    assert done.returncode != 0
    assert why in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_the_file_with_the_keys_is_for_its_owner_only(installation: Installation) -> None:
    assert installation.run("enroll", "pond-1").returncode == 0
    folder = Path(installation.environment["DATA_DIR"])
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "answerback.db")] == [
        0o700,
        0o600,
    ]


def test_a_folder_with_odd_characters_is_the_one_that_is_used(tmp_path: Path) -> None:
    odd = Installation(tmp_path / "a#b?c%20d")
    assert odd.run("enroll", "pond-1").returncode == 0
    assert Path(odd.environment["DATA_DIR"], "answerback.db").exists()


@pytest.mark.usefixtures("serving")
def test_a_second_backend_on_the_same_data_is_refused(installation: Installation) -> None:
    ports = {"HTTP_PORT": str(free_port()), "BROKER_PORT": str(free_port())}
    second = installation.run("serve", **ports)
    assert second.returncode == 1
    assert "another Answerback uses" in second.stderr and second.stderr.count("\n") == 1


def test_a_start_that_fails_makes_no_password_that_nobody_sees(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.http))
        taken.listen()
        assert "HTTP_PORT" in installation.run("serve").stderr
    assert "the user admin was made" in installation.run("token", "later").stderr


def test_a_password_may_come_from_a_program(installation: Installation) -> None:
    assert installation.run("password").returncode == 0
    nobody = installation.run("password", "nobody")
    assert nobody.returncode == 1 and "nobody" in nobody.stderr


def test_an_embedded_broker_that_died_is_started_again(
    installation: Installation, serving: subprocess.Popen[str]
) -> None:
    def health() -> int:
        try:
            with urllib.request.urlopen(
                f"http://{installation.host}:{installation.http}/health", timeout=10
            ) as response:
                return int(response.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    eventually(lambda: health() == 200)
    (broker,) = children(serving.pid)
    os.kill(broker, signal.SIGKILL)
    eventually(lambda: health() == 503)
    eventually(lambda: health() == 200)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and takes processors")
def test_its_threads_share_a_processor_and_its_broker_does_not(
    serving: subprocess.Popen[str],
) -> None:
    every = os.sched_getaffinity(0)
    threads = [int(task.name) for task in Path(f"/proc/{serving.pid}/task").iterdir()]
    where = [os.sched_getaffinity(thread) for thread in threads]
    bound = [processors for processors in where if processors != every]
    if len(every) == 1:
        return  # there is nothing to choose
    assert len(where) - len(bound) == 2  # the main thread, and who reads the broker's log
    assert len(bound) > 5 and all(processors == bound[0] for processors in bound)
    assert len(bound[0]) == 1
    (broker,) = children(serving.pid)
    assert os.sched_getaffinity(broker) == every
