"""HMAC-SHA256 against the known answers of RFC 4231, section 4.

Test cases 5 (cut to 128 bits) and 6 and 7 (keys longer than a block) do not apply: the protocol's
keys are 32 bytes and its signatures whole.
"""

import binascii

from protocol.signature import _equal, _hmac

unhex = binascii.unhexlify

# key, data, HMAC-SHA-256
KNOWN = {
    "case 1": (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    "case 2": (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    "case 3": (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    "case 4": (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
}


def test_known_answers():
    for name, (key, data, digest) in KNOWN.items():
        assert _hmac(key, (data,)) == unhex(digest), name


def test_equal():
    assert _equal(b"abc", b"abc")
    assert not _equal(b"abc", b"abd")
    assert not _equal(b"abc", b"ab")
    assert not _equal(b"", b"a")
