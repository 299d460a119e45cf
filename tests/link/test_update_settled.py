"""Power is cut between the change of slots and the journal: the backend learns of it anyway."""

from pathlib import Path

from backend import manifest
from backend.delivery.wishes import NewCommand
from tests.backend.running import eventually
from tests.link.real_backend import real_backend
from tests.link.site import BOARD_ID, make_board, settings_with
from tests.link.updating import HEAP, VERSION, made, quick, signed
from tools.brokers import Broker
from tools.range_server import RangeServer

# What ends a command is not written any more, as where power fails right before.
UNWRITTEN = """
from app import node
node.Node.finish = lambda self, command_id, state, error, result: print("would be", state)
"""


def test_the_trial_says_what_the_journal_can_not(embedded_broker: Broker, tmp_path: Path) -> None:
    files = signed(made())
    board = make_board(tmp_path / "board", embedded_broker.port, UNWRITTEN, heap=HEAP)
    settings_with(board, health_s=20)
    quick(board)
    with (
        RangeServer(files) as server,
        real_backend(tmp_path, embedded_broker) as backend,
        board,
    ):
        backend.start()
        board.start()
        eventually(lambda: backend.board(BOARD_ID)["online"])
        release = manifest.sha256(files[manifest.NAME])
        wanted = {"version": VERSION, "url": server.url(manifest.NAME), "sha256": release}
        new = NewCommand(BOARD_ID, "update_firmware", "", wanted, None, "ann")
        asked = backend.post(new)[0]["id"]
        board.wait_for("console", line="would be completed", timeout=20)
        assert board.power_cut().flash.read("slots").startswith(b"a b 3")
        board.start()
        eventually(lambda: backend.command(asked)["status"] == "COMPLETED")
        shown = backend.command(asked)
        assert shown["result"] == {"version": VERSION, "slot": "b"}
        steps = [step["event"] for step in shown["history"]]
        assert steps[-2:] == ["unknown", "found"] and backend.board(BOARD_ID)["slot"] == "b"
