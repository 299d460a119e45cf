"""The lifecycle of a command as a page: a diagram drawn from the table the backend runs on.

Statuses stand in columns by how far they are from the start; an arrow is a step, with the events
that cause it. Nothing is placed by hand, so the picture can't tell another story than the table.
"""

from collections import defaultdict
from html import escape

from backend.lifecycle import ENDED, IN_FLIGHT, START, STATUSES, TABLE, UNKNOWN

BOX_WIDTH, BOX_HEIGHT = 150, 46
COLUMN, ROW = 330, 96
MARGIN = 40

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


def _places() -> dict[str, _Point]:
    """The upper left corner of each status's box."""
    columns: dict[int, list[str]] = defaultdict(list)
    rank = ranks(TABLE)
    for status in STATUSES:
        columns[rank[status]].append(status)
    tallest = max(map(len, columns.values()))
    out: dict[str, _Point] = {}
    for column, names in columns.items():
        top = MARGIN + (tallest - len(names)) * ROW / 2
        for row, status in enumerate(names):
            out[status] = (MARGIN + column * COLUMN, top + row * ROW)
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


def _path(a: _Point, b: _Point) -> str:
    """A curve from the right side of one box to the left side of another."""
    x1, y1 = a[0] + BOX_WIDTH, a[1] + BOX_HEIGHT / 2
    x2, y2 = b[0] - 8, b[1] + BOX_HEIGHT / 2
    bend = (x2 - x1) / 2
    return f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"


def _arrow(a: _Point, b: _Point) -> str:
    return f'<path d="{_path(a, b)}" marker-end="url(#tip)"/>'


def _diagram() -> str:
    places = _places()
    steps = [pair for pair in arrows(TABLE) if pair[0] != pair[1]]
    lines = [_arrow(places[old], places[new]) for old, new in steps]
    boxes = [_box(status, place) for status, place in places.items()]
    width = max(x for x, _ in places.values()) + BOX_WIDTH + MARGIN
    height = max(y for _, y in places.values()) + BOX_HEIGHT + MARGIN
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
