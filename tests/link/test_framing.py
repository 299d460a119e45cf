"""Packets out of a stream: the pieces it comes in make no difference, and no bytes break it."""

from app.wire import Framer, LinkDown
from hypothesis import given
from hypothesis import strategies as st

LIMIT = 300
SMALL = 40


def packet(first: int, body: bytes) -> bytes:
    """One MQTT packet."""
    length = bytearray()
    number = len(body)
    while number > 0x7F:
        length.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([first, *length, number]) + body


def fed(framer: Framer, data: bytes, pieces: list[int]) -> list[bytes]:
    """What comes out when `data` is fed in pieces of these lengths, over and over."""
    out, turn = [], 0
    while data:
        space = framer.space()
        assert len(space) > 0
        count = min(pieces[turn % len(pieces)], len(space), len(data))
        space[:count] = data[:count]
        framer.filled(count)
        data, turn = data[count:], turn + 1
        while (found := framer.next()) is not None:
            out.append(bytes(found))
    return out


packets = st.lists(
    st.builds(packet, st.integers(0, 255), st.binary(max_size=LIMIT - 3)), max_size=8
)
pieces = st.lists(st.integers(1, LIMIT), min_size=1, max_size=5)


@given(packets, pieces)
def test_what_goes_in_comes_out(given_packets: list[bytes], given_pieces: list[int]) -> None:
    assert fed(Framer(LIMIT, SMALL), b"".join(given_packets), given_pieces) == given_packets


@given(st.binary(max_size=2 * LIMIT), pieces)
def test_any_bytes_are_packets_or_an_error(data: bytes, given_pieces: list[int]) -> None:
    framer = Framer(LIMIT, SMALL)
    try:
        out = fed(framer, data, given_pieces)
    except LinkDown as error:
        assert error.reason in ("malformed", "too_large")
    else:
        assert data.startswith(b"".join(out))


@given(st.binary(min_size=1, max_size=SMALL))
def test_a_new_stream_begins_anew(rest: bytes) -> None:
    framer = Framer(LIMIT, SMALL)
    space = framer.space()
    space[: len(rest)] = rest
    framer.filled(len(rest))
    framer.clear()
    ping = packet(0xD0, b"")
    assert fed(framer, ping, [1]) == [ping]
