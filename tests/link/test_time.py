"""The chip's clock: set by NTP while the backend is away, by the backend after that."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from protocol import topics

from tests.link.site import Backend, make_board, settings_with, site
from tools.brokers import Broker
from tools.emulator import Board

YEAR = 365 * 86400


def ntp_packet(question: bytes, unix: int) -> bytes:
    """What a server of stratum 2 answers."""
    stamp = ((unix + 2208988800) % 2**32).to_bytes(4, "big") + bytes(4)
    return b"\x24\x02" + bytes(22) + question[40:48] + bytes(8) + stamp


@contextlib.contextmanager
def ntp_server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """The port of a server that answers each question so."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                question, who = sock.recvfrom(1024)
                if not question:
                    return
                sock.sendto(answer(question), who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", sock.getsockname())
            thread.join()


def clock_set(board: Board, near: float, timeout: float = 10) -> None:
    """Waits until the chip's clock is within some seconds of Unix time `near`."""
    board.wait(
        lambda it: it["event"] == "clock" and abs(it["ahead"] + time.time() - near) < 60, timeout
    )


@pytest.fixture
def now() -> int:
    return int(time.time())


def test_ntp_sets_the_chips_clock_and_no_command_is_obeyed_by_it(
    tmp_path: Path, embedded_broker: Broker, now: int
) -> None:
    """It says that last year is now: a command that expired a minute ago stays refused."""
    with (
        ntp_server(lambda question: ntp_packet(question, now - YEAR)) as port,
        make_board(tmp_path / "board", embedded_broker.port) as board,
        contextlib.closing(Backend(embedded_broker).connect()) as backend,
    ):
        settings_with(board, ntp=f"127.0.0.1:{port}")
        backend.telling = False
        board.start()
        clock_set(board, now - YEAR)
        startup = backend.wait(topics.STARTUP, {})
        assert startup["timestamp"] == 0
        ping = backend.command("ping")
        with pytest.raises(TimeoutError):
            backend.result(ping, 1)
        backend.telling = True
        backend.tell_time(startup)
        clock_set(board, now)
        backend.result(backend.command("ping"))


def test_a_first_lie_is_asked_after_again(tmp_path: Path, now: int) -> None:
    said = iter([now + 50 * YEAR])
    with (
        ntp_server(lambda question: ntp_packet(question, next(said, now))) as port,
        make_board(tmp_path, 1) as board,
    ):
        settings_with(board, ntp=f"127.0.0.1:{port}")
        board.start()
        clock_set(board, now + 50 * YEAR)
        board.wait(lambda _: len(board.log.of("clock")) >= 2, timeout=20)
        clock_set(board, now)


def test_what_is_no_answer_is_none(tmp_path: Path, now: int) -> None:
    said = iter([b"\xff" * 48, ntp_packet(bytes(48), now)])
    asked = []

    def answer(question: bytes) -> bytes:
        asked.append(question)
        return next(said, None) or ntp_packet(question, now)

    with ntp_server(answer) as port, make_board(tmp_path, 1) as board:
        settings_with(board, ntp=f"127.0.0.1:{port}")
        board.start()
        clock_set(board, now, 15)
        assert len(asked) == 3 and len(board.log.of("boot")) == 1


def test_the_backend_sets_the_chips_clock(
    tmp_path: Path, embedded_broker: Broker, now: int
) -> None:
    """After a power cut it begins where the backend was heard last, to a day."""
    with site(tmp_path, embedded_broker, "", ntp="127.0.0.1:9") as (board, backend, _):
        clock_set(board, now)
        backend.result(backend.command("ping"))
        board.power_cut()
        kept = int(board.flash.read("time"))
        assert abs(kept - now) < 60
        since = len(board.log)
        backend.telling = False
        board.start()
        event = board.wait_for("clock", since=since)
        assert abs(event["ahead"] + time.time() - kept) < 60
