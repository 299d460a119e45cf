"""Thumbnails of whatever is sent as a JPEG: small, or none, and never for long."""

import io
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.gallery import jpeg
from tests.gallery.conftest import SEEN


def opened(data: bytes | None) -> Image.Image:
    """What a thumbnail is."""
    assert data is not None
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def made(width: int, height: int, **how: object) -> bytes:
    """A JPEG of noise, as it comes out of a camera."""
    out = io.BytesIO()
    picture = Image.effect_noise((320, 240), 90).convert("RGB").resize((width, height))
    picture.save(out, "JPEG", **how)
    return out.getvalue()


def test_it_is_small_and_has_its_shape() -> None:
    assert jpeg.size_of(SEEN) == (160, 120)
    assert opened(jpeg.thumbnail(SEEN)).size == (160, 120)
    large = made(1600, 1200, quality=60, comment=b"secret")
    small = jpeg.thumbnail(large)
    assert opened(small).size == (320, 240) and b"secret" not in (small or b"")
    assert len(small or b"") < 60_000


def test_what_ends_too_early_or_has_a_hole_is_shown_as_far_as_it_goes() -> None:
    data = bytearray(made(640, 480))
    assert opened(jpeg.thumbnail(bytes(data[: len(data) // 2]))).size == (320, 240)
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    assert opened(jpeg.thumbnail(bytes(data))).size == (320, 240)


@given(st.binary(max_size=300), st.binary(max_size=40), st.integers(0, len(SEEN)))
@settings(max_examples=60, deadline=None)
def test_anything_at_all_is_a_thumbnail_or_none(noise: bytes, part: bytes, at: int) -> None:
    for data in (noise, b"\xff\xd8" + noise, SEEN[:at] + part + SEEN[at + len(part) :]):
        size, small = jpeg.size_of(data), jpeg.thumbnail(data)
        assert size is None or min(size) > 0
        assert small is None or max(opened(small).size) <= jpeg.EDGE


def test_a_bomb_is_not_even_begun() -> None:
    at = SEEN.index(b"\xff\xc0") + 5
    huge = SEEN[:at] + struct.pack(">HH", 65500, 65500) + SEEN[at + 4 :]
    assert jpeg.size_of(huge) == (65500, 65500)
    many = made(64, 64, progressive=True)
    scan = many.index(b"\xff\xda")
    scans = many[:-2] + many[scan:-2] * 40 + b"\xff\xd9"
    for bomb in (huge, scans):
        began = time.monotonic()
        assert jpeg.thumbnail(bomb) is None and time.monotonic() - began < 1


def test_the_largest_that_is_begun_does_not_take_long() -> None:
    data = made(3264, 2448, quality=8, progressive=True)
    began = time.process_time()
    assert opened(jpeg.thumbnail(data)).size == (320, 240)
    assert time.process_time() - began < 3


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "WAIT_SECONDS", 0.01)
    with jpeg._ONE, pytest.raises(TimeoutError):
        jpeg.thumbnail(SEEN)
    assert jpeg.thumbnail(SEEN)
