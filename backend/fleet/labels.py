"""Labels to stick on boards: name, id, site, and a QR code that leads to the board on the page."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import segno

WIDTH_MM, HEIGHT_MM = 70, 30
_QR, _QUIET = 22, 4  # mm; four modules of nothing around the code, so that it can be read
_LETTERS = 18  # of a line, at its size


def label(address: str, board: Mapping[str, Any]) -> str:
    """SVG of 70 x 30 mm for a board; `address` is the page's, without a slash at the end."""
    code = segno.make(f"{address}/#board/{board['id']}", error="m", micro=False)
    modules = len(code.matrix)
    place = f"translate({_QUIET} {_QUIET}) scale({_QR / modules:.5f})"
    also = board["id"] if board["id"] != board["name"] else ""
    lines = [(board["name"], 11, 5, "bold"), (also, 18, 3.5, "normal")]
    lines.append((board["site"] or "", 24, 3.5, "normal"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" role="img" aria-label="{escape(board["id"])}">'
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>'
        f'<path transform="{place}" d="{_path(code.matrix)}"/>'
        f"{''.join(_line(*line) for line in lines)}</svg>"
    )


def sheet(title: str, addresses: Iterable[str]) -> str:
    """A page of labels, given where each is, to be printed."""
    images = "".join(f'<img src="{escape(one)}" alt="">' for one in addresses)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Labels: {escape(title)}</title>"
        '<link rel="stylesheet" href="/page/labels.css"></head>'
        f"<body>{images or 'This site has no boards.'}</body></html>"
    )


def _path(matrix: Iterable[Iterable[int]]) -> str:
    """The dark modules, each a square of 1."""
    return "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    )


def _line(text: str, y: float, size: float, weight: str) -> str:
    """One line; a long one is squeezed into the place there is."""
    squeezed = ' textLength="38" lengthAdjust="spacingAndGlyphs"' if len(text) > _LETTERS else ""
    return (
        f'<text x="30" y="{y}" font-family="sans-serif" font-size="{size}" '
        f'font-weight="{weight}"{squeezed}>{escape(_printable(text))}</text>'
    )


def _printable(text: str) -> str:
    """Without what XML can't hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
