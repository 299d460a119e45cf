"""package.json: the real mpremote installs the firmware's library by it, from here or by HTTP."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.serial.site import mpremote
from tools import package, stage
from tools.emulator import Board

USES_IT = (
    "from app import actuator_settings; import protocol; "
    "print(actuator_settings.actuators({'actuators': {}}))"
)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Board]:
    """A board with nothing but MicroPython; compiling takes memory."""
    with Board(tmp_path / "bare", {"main.py": ""}, serial=True, heap="256K") as board:
        board.start().wait_for("boot")
        yield board


@pytest.fixture
def address() -> Iterator[str]:
    """Where a file server on this machine has the checkout."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(stage.ROOT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with contextlib.ExitStack() as stack:
            stack.callback(server.shutdown)
            yield f"http://127.0.0.1:{server.server_port}"


def test_it_is_in_step_with_the_files() -> None:
    assert package.PATH.read_text() == package.content(), "run: python -m tools.package"
    assert '"app/node.py", "firmware/app/node.py"' in package.content()
    assert "main.py" not in package.content() and "umqtt" not in package.content()


def test_from_a_checkout(bare: Board) -> None:
    mpremote(bare, "mip", "install", str(package.PATH))
    assert "{}" in mpremote(bare, "exec", USES_IT)
    bare.power_cut()
    files = bare.flash.files()
    for place in ("app/node.py", "protocol/verbs.py", "console.py"):
        folder = "firmware/lib" if place.startswith("protocol") else "firmware"
        assert files["lib/" + place] == (stage.ROOT / folder / place).read_bytes()


def test_from_an_address(bare: Board, address: str) -> None:
    mpremote(bare, "mip", "install", f"{address}/package.json")
    assert "{}" in mpremote(bare, "exec", USES_IT)
