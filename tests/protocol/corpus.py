"""Messages with a few bytes changed, by the thousand, the same for the same seed."""

import random
from collections.abc import Iterator

from tests.protocol.samples import MESSAGES, RIGHT, WRONG, body_of, sealed

# Pieces that parsers trip over.
_PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"-", b"0", b".", b"e9", b" ", b"\n"),
    *(b"\0", b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf"),
    *(b"null", b"true", b"NaN", b"Infinity", b"1e999", b"1e5", b"0x1", b"01", b"1_0", b"9" * 40),
    *(b"\\u0000", b"\\ud800", b"\\uZZZZ", b"\\q", b'{"a":', b"[" * 70, b'"sig":"', b"//", b"'"),
)


def bodies() -> list[tuple[str, bytes]]:
    """(kind, unsigned body): one for each sample, good or bad, that has no lone surrogate."""
    found = []
    for kind, message in MESSAGES.items():
        wrong = [{name: bad} for name, values in WRONG[kind].items() for bad in values]
        for members in [{}, *RIGHT[kind], *wrong]:
            body = body_of({**message, **members})
            if b"\\ud" not in body:
                found.append((kind, body))
    return found


def changed(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """`data` with one piece put in, cut out, overwritten, doubled, or taken from `other`."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice((0, 0, 1, 1, 2, 8, 40)))
    piece = rng.choice(
        (
            lambda: rng.choice(_PIECES),
            lambda: bytes([rng.randrange(256)]),
            lambda: b"",
            lambda: data[start:end] * 2,
            lambda: other[start : end + 8],
        )
    )()
    return data[:start] + piece + data[end:]


def messages(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` of (kind, bytes): three in four signed after the change, the rest before it."""
    rng = random.Random(seed)
    samples = bodies()
    for _ in range(count):
        (kind, data), (_, other) = rng.choice(samples), rng.choice(samples)
        resign = rng.random() < 0.75
        if not resign:
            data = sealed(data)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            data = changed(rng, data, other)
        yield kind, sealed(data) if resign else data
