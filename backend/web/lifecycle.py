"""The lifecycle of a command as a page: a diagram drawn from the table the backend runs on.

Statuses stand in columns by how far they are from the start; an arrow is a step, with the events
that cause it. Nothing is placed by hand, so the picture can't tell another story than the table.
"""

from collections import defaultdict
from html import escape

from backend.delivery.lifecycle import ENDED, IN_FLIGHT, START, STATUSES, TABLE, UNKNOWN

BOX_WIDTH, BOX_HEIGHT = 166, 42
COLUMN, ROW, MARGIN = 310, 62, 30
BEND, LINE = 14, 15

_Point = tuple[float, float]


def arrows(table: dict[tuple[str, str], str]) -> dict[tuple[str, str], list[str]]:
    """{(from, to): events}, in the order of the table."""
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (status, event), new in table.items():
        out[status, new].append(event)
    return dict(out)


def ranks(table: dict[tuple[str, str], str]) -> dict[str, int]:
    """The column of each status: open ones by the longest way from the start, ended ones last."""
    rank = {START: 0}
    for _ in STATUSES:
        for (status, _event), new in table.items():
            if status in rank and new != status:
                rank[new] = max(rank.get(new, 0), min(rank[status] + 1, len(STATUSES)))
    last = max(rank[status] for status in rank if status not in ENDED) + 1
    return {status: last if status in ENDED else column for status, column in rank.items()}


def places(table: dict[tuple[str, str], str]) -> dict[str, _Point]:
    """The upper left corner of each box: open ones in one row, ended ones above and below it."""
    rank = ranks(table)
    ended = [status for status in STATUSES if status in ENDED]
    above = (len(ended) + 1) // 2
    middle = MARGIN + above * ROW + 2 * LINE
    out: dict[str, _Point] = {}
    for status in STATUSES:
        x = MARGIN + rank[status] * COLUMN
        row = ended.index(status) if status in ended else 0
        if status not in ended:
            out[status] = (x, middle)
        elif row < above:
            out[status] = (x, MARGIN + row * ROW)
        else:
            out[status] = (x, middle + 2 * ROW + (row - above) * ROW)
    return out


def _kind(status: str) -> str:
    if status == UNKNOWN:
        return "open"
    if status in ENDED:
        return "good" if status == "COMPLETED" else "ended"
    return "flight" if status in IN_FLIGHT else "start"


def _box(status: str, place: _Point) -> str:
    x, y = place
    return (
        f'<g class="{_kind(status)}"><rect x="{x}" y="{y}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="10"/><text x="{x + BOX_WIDTH / 2}" '
        f'y="{y + BOX_HEIGHT / 2 + 5}" class="status">{escape(status)}</text></g>'
    )


def _text(x: float, y: float, events: list[str]) -> str:
    return f'<text x="{x}" y="{y}" class="event">{escape(", ".join(events))}</text>'


def _straight(a: _Point, b: _Point, events: list[str]) -> str:
    """To the next box of the same row, one event to a line."""
    y, x1 = a[1] + BOX_HEIGHT / 2, a[0] + BOX_WIDTH
    lines = [_text(x1 + 10, y - 6 - LINE * i, [event]) for i, event in enumerate(events)]
    return f'<path d="M{x1},{y} H{b[0] - 6}" marker-end="url(#tip)"/>' + "".join(lines)


def _below(a: _Point, b: _Point, events: list[str]) -> str:
    """To a box further on in the same row, under those between."""
    x1, x2, y1 = a[0] + BOX_WIDTH * 0.7, b[0] + BOX_WIDTH * 0.3, a[1] + BOX_HEIGHT
    y2 = y1 + ROW / 2
    turns = f"V{y2 - BEND} q0,{BEND} {BEND},{BEND} H{x2 - BEND} q{BEND},0 {BEND},{-BEND}"
    drawn = f'<path d="M{x1},{y1} {turns} V{y1 + 6}" marker-end="url(#tip)"/>'
    return drawn + _text(x1 + BEND, y2 - 5, events)


def _corner(a: _Point, b: _Point, events: list[str]) -> str:
    """To a box of another row: up or down first, then along that row."""
    up = b[1] < a[1]
    x1, y1 = a[0] + BOX_WIDTH / 2, a[1] + (0 if up else BOX_HEIGHT)
    y2 = b[1] + BOX_HEIGHT / 2
    bend = -BEND if up else BEND
    turns = f"V{y2 - bend} q0,{bend} {BEND},{bend} H{b[0] - 6}"
    drawn = f'<path d="M{x1},{y1} {turns}" marker-end="url(#tip)"/>'
    return drawn + _text(x1 + BEND, y2 - 5, events)


def _arrow(a: _Point, b: _Point, events: list[str]) -> str:
    if a[1] != b[1]:
        return _corner(a, b, events)
    return _straight(a, b, events) if b[0] - a[0] == COLUMN else _below(a, b, events)


def _diagram() -> str:
    where = places(TABLE)
    steps = [(pair, names) for pair, names in arrows(TABLE).items() if pair[0] != pair[1]]
    lines = [_arrow(where[old], where[new], names) for (old, new), names in steps]
    boxes = [_box(status, place) for status, place in where.items()]
    width = max(x for x, _ in where.values()) + BOX_WIDTH + MARGIN
    height = max(y for _, y in where.values()) + BOX_HEIGHT + MARGIN
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Lifecycle of a command">'
        f"{tip}{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _row(old: str, new: str, events: list[str]) -> str:
    cells = (old, ", ".join(events), new if new != old else f"{new} (stays)")
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def document() -> str:
    """The whole page: the diagram, and the table in words."""
    rows = "".join(_row(old, new, events) for (old, new), events in arrows(TABLE).items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Lifecycle of a command</title>"
        '<link rel="stylesheet" href="/page/style.css"></head><body class="lifecycle">'
        "<main><h1>Lifecycle of a command</h1>"
        "<p>Drawn from the table the backend runs on. What is not in it does not happen: a late "
        "or doubled message changes nothing.</p>"
        f'<div class="diagram">{_diagram()}</div><table class="steps"><thead><tr>'
        "<th>Status</th><th>What happens</th><th>Status then</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></main></body></html>"
    )
