"""What no broker would do: the board's end of the connection against a program of ours."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from protocol import topics

from tests.link import peer
from tests.link.peer import Line, Peer
from tests.link.site import FEEDER, LATE_MS, lateness, make_board
from tools.emulator import Board

MUTATIONS = 400
SOON = 10  # seconds: before it gives up a line that is merely silent
STRANGER = bytes(32)  # whose key is not the board's

AT_ONCE = "from app import link\nlink.BACKOFF_MS = (2,)"


@pytest.fixture
def broker() -> Iterator[Peer]:
    """Where the board connects to."""
    with Peer() as listening:
        yield listening


@pytest.fixture
def board(tmp_path: Path, broker: Peer) -> Iterator[Board]:
    """A running board that comes back at once; the longest packet takes 12 KB while it is read."""
    with make_board(tmp_path, broker.port, AT_ONCE, heap="208K") as board:
        yield board.start()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bytes of it changed, put in, taken out, or the end cut off; never the same."""
    out = bytearray(data)
    while out == data:
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(out) + 1)
            length = chance.choice((0, 1, 1, 2, 8))
            out[place : place + length] = chance.randbytes(chance.choice((0, 1, 1, 2, 8)))
        if chance.random() < 0.3:
            out = out[: chance.randint(0, len(out))]
    return bytes(out)


def test_malformed_bytes_end_a_connection_at_worst(board: Board, broker: Peer, seed: int) -> None:
    chance = random.Random(seed)
    packets = (
        peer.publish(peer.command("feed", "x", "feeder1", STRANGER, amount=1), 7),
        peer.publish(peer.command("ping", "y", "", STRANGER), 8),
        peer.publish(b"", 9),
        peer.puback(3),
        peer.suback(4),
        peer.PINGRESP,
        peer.CONNACK,
    )
    heaps = []
    for _ in range(MUTATIONS):
        with broker.line() as line:
            if chance.random() < 0.1:
                mutate_greeting(line, chance)
                line.end()
                continue
            heaps.append(line.welcome().message["heap"])
            line.send(mutated(chance.choice(packets), chance))
            line.end()
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(peer.command("ping", "last"), 2))
        assert line.until(peer.PUBLISH, topics.ACK).message["command_id"] == "last"
    early, late = max(heaps[:100]), max(heaps[-100:])
    print(f"free heap in {MUTATIONS} connections: {early} early, {late} late")
    assert late > early - 4096  # ten bytes a connection; the smallest object takes 32
    assert len(board.log.of("boot")) == 1 and board.pulses(FEEDER) == []


def mutate_greeting(line: Line, chance: random.Random) -> None:
    """Answers CONNECT or SUBSCRIBE with something like an answer."""
    line.until(peer.CONNECT)
    if chance.random() < 0.5:
        line.send(mutated(peer.CONNACK, chance))
    else:
        line.send(peer.CONNACK)
        line.send(mutated(peer.suback(line.until(peer.SUBSCRIBE).packet_id), chance))


WRONG = {
    "QoS 2": b"\x34\x06\x00\x01t\x00\x05x",
    "QoS 3": b"\x36\x06\x00\x01t\x00\x05x",
    "a topic longer than the packet": b"\x32\x06\x00\x09t\x00\x05x",
    "no room for the packet id": b"\x32\x04\x00\x01t\x00",
    "an empty PUBLISH": b"\x30\x00",
    "a second CONNACK": peer.CONNACK,
    "PINGRESP with a body": b"\xd0\x01x",
    "a long PUBACK": b"\x40\x03\x00\x01x",
    "a short SUBACK": b"\x90\x02\x00\x01",
    "flags in a PUBACK": b"\x42\x02\x00\x01",
    "a CONNECT": b"\x10\x00",
    "type 0": b"\x00\x00",
    "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
}


def test_what_breaks_the_rules_ends_the_connection(board: Board, broker: Peer) -> None:
    for name, packet in WRONG.items():
        with broker.line() as line:
            line.welcome()
            line.send(packet)
            assert line.hung_up() < SOON, name
    with broker.line() as line:
        line.welcome()
    assert len(board.log.of("boot")) == 1


def test_an_ack_without_confirmation_is_sent_again(board: Board, broker: Peer) -> None:
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(peer.command("ping", "p"), 2))
        first = line.until(peer.PUBLISH, topics.ACK)
        assert not first.dup
    with broker.line() as line:
        line.welcome_silently()
        again = line.until(peer.PUBLISH, topics.ACK)
        assert again.dup and again.body == first.body
        line.send(peer.puback(again.packet_id))
        assert [packet for packet in line.end() if packet.leaf == topics.ACK] == []
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(peer.command("ping", "q"), 2))
        assert line.until(peer.PUBLISH, topics.ACK).message["command_id"] == "q"


def test_startup_and_status_belong_to_their_connection(board: Board, broker: Peer) -> None:
    for session in (1, 2):
        with broker.line() as line:
            line.welcome_silently()
            startup = line.until(peer.PUBLISH, topics.STARTUP)
            status = line.until(peer.PUBLISH, topics.STATUS)
            for packet in (startup, status):
                assert packet.message["session"] == session and not packet.dup


def test_a_packet_that_is_too_long_ends_the_connection(board: Board, broker: Peer) -> None:
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(bytes(8192), 2))
        assert line.hung_up() < SOON
    with broker.line() as line:
        line.welcome()
        line.send(b"\x32\xff\xff\xff\x7f")  # 256 MB are announced
        assert line.hung_up() < SOON
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(bytes(4096), 5))
        assert line.confirms(5)


def test_a_flood_does_not_delay_the_motor(board: Board, broker: Peer) -> None:
    with broker.line() as line:
        line.welcome()
        line.send(peer.publish(peer.command("feed", "f", "feeder1", amount=10), 2))
        junk = peer.publish(peer.command("ping", "y", "", STRANGER), 3)
        board.wait_for("pin", pin=FEEDER, value=1)
        while board.level(FEEDER):
            line.send(junk * 20)
            for _ in range(20):
                line.until(peer.PUBACK)
    print(f"motor under a flood: {lateness(board, FEEDER, 1000):.0f} ms late")
    assert lateness(board, FEEDER, 1000) <= LATE_MS


def test_no_puback_before_the_journal_is_on_flash(
    tmp_path: Path, board: Board, broker: Peer
) -> None:
    """Power fails at every flash write of a command: what was confirmed is known afterwards."""
    known: dict[int, tuple[bool, bool]] = {}
    for write in range(1, 9):
        number = f"w{write}"
        with broker.line() as line:
            line.welcome()
            line.send(peer.publish(peer.command("ping", f"ready{write}"), 2))
            line.until(peer.PUBACK)
            board.cut_at_write(write)
            line.send(peer.publish(peer.command("feed", number, "feeder1", amount=0.1), 3))
            confirmed = line.confirms(3)
            board.power_cut()
        board.start()
        with broker.line() as line:
            line.welcome()
            line.send(peer.publish(peer.command("query", number), 2))
            answer = line.until(peer.PUBLISH, topics.ACK).message
            while answer["command_id"] != number:
                answer = line.until(peer.PUBLISH, topics.ACK).message
            known[write] = (confirmed, answer["error"] != "never")
    print("power cut at write n: (confirmed, known afterwards):", known)
    assert all(afterwards for confirmed, afterwards in known.values() if confirmed)
    assert known[1] == (False, False)
    assert known[8][0]
