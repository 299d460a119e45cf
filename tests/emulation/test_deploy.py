"""make deploy, on an emulated board's serial port with mpremote's own transport."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend import manifest
from tests.emulation.boards import MakeBoard
from tests.support.brokers import running
from tools import deploy, deploy_board, stage
from tools.brokers import Broker
from tools.emulator import Board
from tools.fleet import BoardSpec

USERS = {"answerback": "backend's", "pond-1": "one's"}
Tell = Callable[[int], object]
SPEC = BoardSpec("pond-1", "0a" * 32, USERS["pond-1"])


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Broker]:
    with running("embedded", tmp_path / "mqtt", USERS) as broker:
        yield broker


@pytest.fixture
def board(tmp_path: Path, embedded: Broker) -> Iterator[Board]:
    """One that has a release in slot a, and is online."""
    settings = SPEC.files(("127.0.0.1", embedded.port))
    files: dict[str, bytes | str] = {**stage.files(), **settings}
    with Board(tmp_path / "board", files, heap="160K", serial=True) as board:
        board.start().wait_for("console", line="answerback: connected, session 1")
        yield board


def slot_of(board: Board, slot: str) -> dict[str, bytes]:
    """The files of a slot of a board that is off."""
    files = board.flash.files().items()
    return {name[2:]: content for name, content in files if name.startswith(slot + "/")}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that go over the cable from now on."""
    sent: list[str] = []
    write = deploy_board.SerialBoard.write

    def noted(self: deploy_board.SerialBoard, path: str, *rest: object) -> None:
        sent.append(path)
        write(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(deploy_board.SerialBoard, "write", noted)
    return sent


def test_an_empty_board_gets_everything(
    make_board: MakeBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    board = make_board("", serial=True, heap="160K")
    board.wait_for("console", line='Type "help()" for more information.')
    assert deploy.main(["UNIX", board.port]) == 0
    assert "settings.json and actuators.json" in capsys.readouterr().out
    board.power_cut()
    expected = {name: content for name, content in stage.files().items() if name != "slots"}
    assert {name: board.flash.files()[name] for name in expected} == expected


def test_only_what_changed_goes_over_the_cable(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = stage.release(stage.BOARDS / "UNIX")
    changed = {**made, "app/extra.mpy": made["app/flash.mpy"] + b"more"}
    monkeypatch.setattr(stage, "release", lambda _: changed)
    sent = counted(monkeypatch)
    assert deploy.main(["UNIX", board.port]) == 0
    assert "online: slot b runs, trial" in capsys.readouterr().out
    assert sent == ["/b/app/extra.mpy", "/update.json.new"]
    board.power_cut()
    assert {"settings.json", "actuators.json", "journal0"} & set(board.flash.files())
    files = slot_of(board, "b")
    assert files.pop(manifest.NAME) == manifest.manifest(stage.version(changed), changed)
    assert files == changed and board.flash.read("slots") == b"a b 2 confirmed"
    board.start().wait_for("console", line="answerback: slot b trial")


def test_one_that_was_interrupted_leaves_the_old_release(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*_: object) -> None:
        raise deploy_board.DeployError("the cable was pulled")

    since = len(board.log)
    with monkeypatch.context() as broken:
        broken.setattr(deploy.Deployment, "_check", gone)
        assert deploy.main(["UNIX", board.port]) == 1
    assert "the cable was pulled" in capsys.readouterr().err
    board.wait_for("console", since=since, line="answerback: slot a confirmed")
    board.wait_for("console", since=since, line="answerback: connected, session 1")
    assert deploy.main(["UNIX", board.port]) == 0


def test_power_that_fails_on_the_way_leaves_the_old_release(
    board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = deploy_board.SerialBoard.write
    pieces: list[str] = []

    def cut(self: deploy_board.SerialBoard, path: str, content: bytes, tell: Tell) -> None:
        pieces.append(path)
        if len(pieces) == 3:
            board.power_cut()
        write(self, path, content, tell)

    monkeypatch.setattr(deploy_board.SerialBoard, "write", cut)
    made = stage.release(stage.BOARDS / "UNIX")
    changed = {name: content + b"more" for name, content in made.items()}
    monkeypatch.setattr(stage, "release", lambda _: changed)
    since = len(board.log)
    assert deploy.main(["UNIX", board.port]) == 1
    assert "does not do as it is told" in capsys.readouterr().err
    assert board.pid is None  # and what was typed while it was off is gone
    board.start()
    board.wait_for("console", since=since, line="answerback: slot a confirmed")
    board.wait_for("console", since=since, line="answerback: connected, session 1")


def test_a_port_without_a_board_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["UNIX", "/dev/null-and-void"]) == 1
    assert capsys.readouterr().err.startswith("there is no board at /dev/null-and-void")
