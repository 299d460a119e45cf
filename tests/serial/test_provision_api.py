"""tools/provision.py over the API of a backend that runs, with the real mpremote."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.fleet import boards
from tests.serial.test_provision import GIVEN, command, on_flash
from tests.web.site import Site
from tools.emulator import Board


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with contextlib.closing(Site(tmp_path_factory.mktemp("backend"))) as site:
        site.program().call("POST", "sites", {"id": "lake"})
        yield site


def provision(
    board: Board, site: Site, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "ANSWERBACK_TOKEN": site.token, "DATA_DIR": "nowhere", **variables}
    return subprocess.run(
        command(board, *GIVEN, "--api", site.url, *words),
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_board_and_backend_know_the_same(board: Board, site: Site) -> None:
    done = provision(board, site, "--site", "lake")
    assert done.returncode == 0, done.stderr
    backend = boards.credentials("pond-7")
    assert boards.get("pond-7").site == "lake"
    again = provision(board, site)  # it holds its key, and keeps it
    assert again.returncode == 0, again.stderr
    assert site.token not in done.stdout + done.stderr + again.stdout
    told = on_flash(board)
    assert told["key"] == backend["key"] and told["broker"]["password"] == backend["password"]
    held = json.loads(board.flash.read("settings.json"))
    board.flash.write({"settings.json": json.dumps({**held, "board_id": "another"})})
    board.start()
    refused = provision(board, site)
    assert refused.returncode == 1 and "give --new-key" in refused.stderr
    assert provision(board, site, "--new-key").returncode == 0
    assert on_flash(board)["key"] == boards.credentials("pond-7")["key"] != backend["key"]


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("--site", "nowhere"), {}, "there is no site 'nowhere'"),
        (("--api", "10.0.0.5"), {}, "is no address: use one like http://"),
        (("--api", "http://127.0.0.1:9"), {}, "no backend at http://127.0.0.1:9/api/v1"),
        ((), {"ANSWERBACK_TOKEN": "wrong"}, "this token is unknown, expired or revoked"),
        ((), {"ANSWERBACK_TOKEN": ""}, "a token is missing"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    board: Board, site: Site, words: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    before = on_flash(board)
    board.start()
    done = provision(board, site, *words, "--id", "pond-9", **variables)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert on_flash(board) == before and not Path("nowhere").exists()
    assert "pond-9" not in boards.passwords()
