"""What ships on a board: the manifest, the compiler, and the one library from elsewhere."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from tests.emulation.boards import MakeBoard
from tools import stage, umqtt

MANIFEST = """
module("main.py", base_path="source")
package("greeting", base_path="source")
package("tongue", base_path="source/lib")
require("umqtt.simple")
"""

MAIN = """
import sys
sys.path.insert(0, "/a")
import greeting.words, umqtt.simple
print(greeting.words.hello())
"""


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """The directory of a made-up board whose main.py uses what ships with it."""
    sources = {
        "board/manifest.py": 'include("../manifest.py")',
        "manifest.py": MANIFEST,
        "source/main.py": MAIN,
        "source/greeting/__init__.py": "",
        "source/greeting/words.py": "import tongue\ndef hello(): return tongue.HELLO",
        "source/lib/tongue/__init__.py": "HELLO = 'salut'",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "board"


def test_a_board_runs_what_is_staged(board: Path, make_board: MakeBoard) -> None:
    files = stage.files(board)
    assert set(files) == {
        "main.py",
        "slots",
        "a/release.json",
        "a/greeting/__init__.mpy",
        "a/greeting/words.mpy",
        "a/tongue/__init__.mpy",
        "a/umqtt/simple.mpy",
    }
    running = make_board("")
    running.power_cut()
    running.flash.write(files)
    running.start().wait_for("console", line="salut")


def test_staging_writes_a_folder_and_says_how_large(board: Path, tmp_path: Path) -> None:
    sizes = stage.stage(board, tmp_path / "out")
    assert stage.read(tmp_path / "out") == stage.files(board)
    assert sizes == {name: len(content) for name, content in stage.files(board).items()}
    assert stage.table(sizes).endswith(f"{sum(sizes.values()):,d}  bytes in 7 files")


def test_a_changed_source_is_compiled_again(board: Path) -> None:
    before = stage.files(board)
    words = board.parent / "source" / "greeting" / "words.py"
    words.write_text(words.read_text() + "\nX = 1\n")
    after = stage.files(board)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"a/greeting/words.mpy", "a/release.json"}


def test_a_syntax_error_names_file_and_line(board: Path) -> None:
    (board.parent / "source" / "greeting" / "words.py").write_text(
        "x = 1\nmatch x:\n  case 1: 0\n"
    )
    with pytest.raises(stage.StageError, match=r"(?s)words\.py.*line 2"):
        stage.files(board)


def test_a_missing_file_is_named(board: Path) -> None:
    (board.parent / "source" / "main.py").unlink()
    with pytest.raises(stage.StageError, match=r"main\.py.*missing"):
        stage.files(board)


def test_umqtt_is_the_one_we_know_and_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = umqtt.fetch()
    assert b"class MQTTClient" in source.read_bytes()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert umqtt.fetch() == source


def test_a_tampered_archive_is_thrown_away(tmp_path: Path) -> None:
    archive = tmp_path / f"micropython-umqtt.simple-{umqtt.VERSION}.tar.gz"
    with tarfile.open(archive, "w:gz"):
        pass
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    with pytest.raises(umqtt.FetchError, match=found):
        umqtt.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_offline_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(umqtt.FetchError, match=r"(?s)Go online .* put .*tar\.gz into"):
        umqtt.fetch(tmp_path)
