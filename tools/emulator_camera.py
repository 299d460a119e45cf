"""What the camera of an emulated board sees: the number of the frame, on changing colours.

Real baseline JPEG (ITU-T T.81), made here so that nothing has to be installed for it: each 8 x 8
block has one colour and a slope, that is two coefficients of 64, and the Huffman tables give every
symbol four bits. A better quality divides by less, so the file gets longer.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from tools.umqtt import write_atomically

FRAME = "frame.jpg"

# 3 x 5 blocks of each digit, row by row.
_DIGITS = [
    "111101101101111",
    "010110010010111",
    "111001111100111",
    "111001111001111",
    "101101111001001",
    "111100111001111",
    "111100111101111",
    "111001001001001",
    "111101111101111",
    "111101111001111",
]
_LIGHT = 1000  # DC of white: 8 times 127, a little less
_SLOPE = 60

# (length, symbols): 12 categories of DC differences; end of block and 11 sizes of a coefficient.
_DC_SYMBOLS = bytes(range(12))
_AC_SYMBOLS = bytes(range(12))
_CODE_BITS = 4


class Camera:
    """Puts its pictures into `folder`, each over the one before."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FRAME
        self._number = 0

    def take(self, width: int, height: int, quality: int) -> str:
        """The path of a new picture; `quality` in %."""
        self._number += 1
        write_atomically(self._path, jpeg(self._number, width, height, quality))
        return str(self._path)


def jpeg(number: int, width: int, height: int, quality: int) -> bytes:
    """A picture of `number`, width x height pixels."""
    step = max(1, min(255, 2 * (101 - quality)))
    columns, rows = (width + 7) // 8, (height + 7) // 8
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, bytes([0]) + bytes([step] * 64)),
            _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + _components(b"\x11\0")),
            _segment(0xC4, _table(0x00, _DC_SYMBOLS) + _table(0x10, _AC_SYMBOLS)),
            _segment(0xDA, b"\x03" + _components(b"\0") + b"\0\x3f\0"),
            _scan(_blocks(number, columns, rows), step),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _components(facts: bytes) -> bytes:
    return b"".join(bytes([number]) + facts for number in (1, 2, 3))


def _table(kind: int, symbols: bytes) -> bytes:
    counts = [len(symbols) if length == _CODE_BITS else 0 for length in range(1, 17)]
    return bytes([kind, *counts]) + symbols


def _blocks(number: int, columns: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """(luminance, Cb, Cr) of each block, row by row, as DC values."""
    digits = [_DIGITS[int(digit)] for digit in f"{number % 10_000:04d}"]
    for row in range(rows):
        for column in range(columns):
            blue = (column * 40 + number * 97) % 1201 - 600
            red = (row * 53 + number * 61) % 1201 - 600
            yield (_LIGHT if _is_ink(digits, column, row) else -_LIGHT // 2), blue, red


def _is_ink(digits: list[str], column: int, row: int) -> bool:
    digit, x, y = (column - 1) // 4, (column - 1) % 4, row - 2
    return 0 <= digit < len(digits) and x < 3 and 0 <= y < 5 and digits[digit][3 * y + x] == "1"


def _scan(blocks: Iterator[tuple[int, int, int]], step: int) -> bytes:
    """The entropy-coded data."""
    before = [0, 0, 0]
    bits = []
    for block in blocks:
        for component, value in enumerate(block):
            level = round(value / step)
            bits.append(_coded(level - before[component], _DC_SYMBOLS))
            before[component] = level
            slope = round((_SLOPE if component == 0 else -_SLOPE) / step)
            bits.append(_coded(slope, _AC_SYMBOLS) if slope else "")
            bits.append(f"{0:0{_CODE_BITS}b}")  # end of block
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _coded(value: int, symbols: bytes) -> str:
    """The code of a value's size, and the value in so many bits (one's complement if negative)."""
    size = abs(value).bit_length()
    code = f"{symbols.index(size):0{_CODE_BITS}b}"
    if not size:
        return code
    return code + f"{value if value > 0 else value + (1 << size) - 1:0{size}b}"
