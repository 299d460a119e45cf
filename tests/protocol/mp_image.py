"""Pictures on the wire, on both interpreters: known bytes, what is refused, lists of ranges."""

import binascii
import hashlib
import struct

from protocol import ProtocolError, image
from protocol.image_ranges import parse_ranges, ranges
from protocol.image_reading import decode
from protocol.signature import _hmac
from protocol.verbs import check_parameters

KEY = bytes(range(32))
DIGEST = hashlib.sha256(b"picture").digest()
HEADER = ("pic-1", 1500, 1024, 1800000000, 160, 120, DIGEST)

# A second opinion: the header's first 24 bytes, put together by hand.
HEADER_HEX = "4142010005" + "7069632d31" + "000005dc" + "0400" + "6b49d200" + "00a0" + "0078"


def seal(body):
    return body + _hmac(KEY, (body,))


def refusal(data):
    try:
        decode(data, KEY)
    except ProtocolError as error:
        return error.code, error.field
    return None


def parse_refused(text, count):
    try:
        parse_ranges(text, count)
    except ProtocolError as error:
        return error.code == "bad_parameter" and error.field == "parameters.missing"
    return False


def test_a_header_is_these_bytes():
    body = b"AB\x01\x00\x05pic-1" + struct.pack(">IHIHH", 1500, 1024, 1800000000, 160, 120)
    data = image.encode_header(HEADER, KEY)
    assert data == seal(body + DIGEST)
    assert binascii.hexlify(data[:24]).decode() == HEADER_HEX
    assert tuple(decode(data, KEY)) == HEADER


def test_a_chunk_is_these_bytes():
    data = image.encode_chunk("pic-1", 1, b"123456789", KEY)
    head = b"AB\x01\x01\x05pic-1\x00\x01\x00\x09"
    assert data == seal(head + binascii.unhexlify("cbf43926") + b"123456789")  # the CRC's check
    assert tuple(decode(memoryview(data), KEY)) == ("pic-1", 1, b"123456789")


def test_the_limits_are_taken():
    for size, chunk_size in ((1, 256), (1 << 20, 2048)):
        header = ("a", size, chunk_size, 0, 0, 65535, bytes(32))
        assert tuple(decode(image.encode_header(header, KEY), KEY)) == header
    data = image.encode_chunk("x" * 64, image.CHUNKS - 1, bytes(2048), KEY)
    assert decode(data, KEY).index == image.CHUNKS - 1 and len(data) < 4096


def test_what_is_out_of_range_is_neither_written_nor_read():
    for place, bad in (
        (0, ""), (0, "a b"), (0, "a" * 65), (0, "../a"), (1, 0), (1, (1 << 20) + 1), (2, 255),
        (2, 2049), (3, 1), (3, 1735689599), (4, 65536), (6, bytes(31)),
    ):  # fmt: skip
        header = HEADER[:place] + (bad,) + HEADER[place + 1 :]
        try:
            image.encode_header(header, KEY)
        except ProtocolError as error:
            assert error.code == "malformed"
        else:
            raise AssertionError(bad)


def test_what_is_no_message_is_refused():
    chunk = b"AB\x01\x01\x01a\x00\x00\x00\x01" + binascii.unhexlify("8cdc1683") + b"b"
    good = seal(b"AB\x01\x01\x01a" + struct.pack(">HHI", 0, 1, binascii.crc32(b"b")) + b"b")
    assert refusal(good) is None
    malformed = (
        b"", b"A", b"AB\x01\x01", b"AB\x02\x01\x01a", b"AC\x01\x01\x01a", b"AB\x01\x02\x01a",
        b"AB\x01\x01\x01a", b"AB\x01\x01\xffa", b"AB\x01\x00\x01a" + bytes(45),
        b"AB\x01\x00\x01a" + bytes(47), b"AB\x01\x01\x01/" + good[6:-32], good[:-32] + b"c",
        b"AB\x01\x01\x00" + good[6:-32], chunk, good[:-33] + b"c",
        b"AB\x01\x01\x01a" + struct.pack(">HHI", 4096, 1, binascii.crc32(b"b")) + b"b",
        b"AB\x01\x01\x01a" + struct.pack(">HHI", 0, 0, 0),
        b"AB\x01\x01\x01\xff" + good[6:-32], b'{"a":1}',
    )  # fmt: skip
    for body in malformed:
        code, _ = refusal(seal(body)) or (None, None)
        assert code == "malformed", body
    for data in (b"", bytes(32), good[:-1], good[1:], good + b"x", good[:-1] + b"x"):
        assert refusal(data) == ("bad_signature", "image"), data
    assert refusal(bytes(4097)) == ("too_large", "image")


def test_ranges_are_written_and_read():
    for numbers, text in (
        ([], ""), ([0], "0"), ([0, 1, 2, 3, 7, 9, 10, 11, 12], "0-3,7,9-12"), ([5, 6], "5-6"),
    ):  # fmt: skip
        assert ranges(numbers) == text
    assert parse_ranges("0-3,7,9-12", 13) == [(0, 3), (7, 7), (9, 12)]
    assert parse_ranges("0", 1) == [(0, 0)]
    short = ranges(range(0, 4000, 2))
    assert 190 < len(short) <= 200 and len(parse_ranges(short, 4096)) > 40


def test_ranges_that_are_none():
    for text in (
        "", ",", "a", "-", "1-", "-1", "1-2-3", "3-1", "1,1", "2,1", "0-5,5", "13", "0-13", " 1",
        "1 ", "1,,2", "+1", "1_0", "999999", "0x1", "\u0661",
    ):  # fmt: skip
        assert parse_refused(text, 13), text


def test_the_verbs():
    good = (
        ("capture_image", {}), ("capture_image", {"quality": 5, "flash": True, "send": False}),
        ("send_image", {}), ("send_image", {"image_id": "a", "missing": "0-3"}),
        ("list_images", {}), ("delete_image", {"image_id": "a"}),
    )  # fmt: skip
    for verb, parameters in good:
        assert check_parameters(verb, parameters).kind == "set"
    bad = (
        ("capture_image", {"quality": 0}), ("capture_image", {"flash": 1}),
        ("send_image", {"image_id": "../a"}), ("send_image", {"missing": "1" * 201}),
        ("list_images", {"a": 1}), ("delete_image", {}),
    )  # fmt: skip
    for verb, parameters in bad:
        try:
            check_parameters(verb, parameters)
        except ProtocolError as error:
            assert error.code == "bad_parameter"
        else:
            raise AssertionError(verb, parameters)
