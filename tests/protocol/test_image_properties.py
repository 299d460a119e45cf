"""What holds for every picture message and every list of chunks, looked for with hypothesis."""

from hypothesis import given
from hypothesis import strategies as st
from protocol import ProtocolError, image
from protocol.errors import CODES
from protocol.image_ranges import parse_ranges, ranges
from protocol.image_reading import Chunk, Header, decode
from protocol.limits import EPOCH_MAX, EPOCH_MIN, IMAGE_BYTES, MESSAGE_BYTES
from protocol.signature import _hmac

from tests.protocol.samples import KEY
from tests.protocol.test_properties import ids

headers = st.builds(
    Header,
    ids,
    st.integers(1, IMAGE_BYTES),
    st.integers(image.CHUNK_LEAST, image.CHUNK_MOST),
    st.just(0) | st.integers(EPOCH_MIN, EPOCH_MAX),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.binary(min_size=32, max_size=32),
)
chunks = st.builds(
    Chunk, ids, st.integers(0, image.CHUNKS - 1), st.binary(min_size=1, max_size=image.CHUNK_MOST)
)
messages = headers.map(lambda it: image.encode_header(it, KEY)) | chunks.map(
    lambda it: image.encode_chunk(*it, KEY)
)


def value_or_refusal(data: bytes) -> Header | Chunk | None:
    """The value, None where it was refused; any other exception ends the test."""
    try:
        value: Header | Chunk = decode(data, KEY)
    except ProtocolError as error:
        assert error.code in CODES.split() and error.field and error.reason
        return None
    return value


@given(headers)
def test_headers_are_read_as_written(header: Header) -> None:
    assert decode(image.encode_header(header, KEY), KEY) == header


@given(chunks)
def test_chunks_are_read_as_written(chunk: Chunk) -> None:
    data = image.encode_chunk(*chunk, KEY)
    assert len(data) <= MESSAGE_BYTES and decode(data, KEY) == chunk


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert value_or_refusal(data) is None


@given(st.binary(max_size=300) | st.binary(max_size=300).map(b"AB\x01".__add__))
def test_any_signed_bytes(body: bytes) -> None:
    said = value_or_refusal(body + _hmac(KEY, (body,)))
    if isinstance(said, Header):
        assert image.encode_header(said, KEY)[:-32] == body
    elif said is not None:
        assert image.encode_chunk(*said, KEY)[:-32] == body


@given(st.data(), messages, st.integers(1, 255))
def test_no_byte_can_be_changed(data: st.DataObject, message: bytes, flip: int) -> None:
    changed = bytearray(message)
    changed[data.draw(st.integers(0, len(message) - 1))] ^= flip
    assert value_or_refusal(bytes(changed)) is None


@given(messages, st.integers(0, 3000))
def test_no_part_passes(message: bytes, length: int) -> None:
    assert value_or_refusal(message[: min(length, len(message) - 1)]) is None


@given(st.sets(st.integers(0, 4095)))
def test_ranges_are_read_as_written(numbers: set[int]) -> None:
    text = ranges(sorted(numbers))
    assert len(text) <= 200
    read = [
        n
        for first, last in (parse_ranges(text, 4096) if text else [])
        for n in range(first, last + 1)
    ]
    assert read == sorted(numbers)[: len(read)]
    assert len(read) == len(numbers) or len(text) > 180


@given(st.text(max_size=200) | st.text("0123456789-,", max_size=200), st.integers(1, 4096))
def test_any_text_as_ranges(text: str, count: int) -> None:
    try:
        parts = parse_ranges(text, count)
    except ProtocolError as error:
        assert (error.code, error.field) == ("bad_parameter", "parameters.missing")
        return
    flat = [number for part in parts for number in part]
    assert flat == sorted(flat) and flat[-1] < count
