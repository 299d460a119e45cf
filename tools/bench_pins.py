"""Click to pin: emulated boards that run the real firmware, and a feed's motor pin going on.

Times are of the host's monotonic clock on both sides: from when a click was due, over the whole
system, to the edge of the pin. The n-th feed of a board is the n-th time its pin goes on.
"""

import threading
from collections.abc import Iterator
from typing import Any

from tools import bench_site
from tools.bench_load import Times
from tools.bench_parts import Size, since
from tools.bench_report import Report
from tools.bench_site import Site
from tools.chaos_http import until
from tools.fleet import BoardSpec, Fleet

RATE = 20  # feeds per second over all boards
_PIN = 16  # the feeder's, in boards/UNIX/actuators/pond.json
_PART = f"Real firmware on {bench_site.BOARDS} emulated boards, {RATE} feeds per second in all"


class Edges:
    """When (ms) each board's feeder went on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[str, list[float]] = {}

    def note(self, board_id: str, event: dict[str, Any]) -> None:
        """Take an event of a board."""
        if event["event"] == "pin" and event["pin"] == _PIN and event["value"]:
            with self._lock:
                self._on.setdefault(board_id, []).append(event["ms"])

    def of(self, board_id: str) -> list[float]:
        """Those of one board, in order."""
        with self._lock:
            return list(self._on.get(board_id, []))


def pins_steps(size: Size) -> int:
    """How often `pins` yields."""
    return 2


def pins(size: Size, report: Report, broker: str) -> Iterator[None]:
    """20 boards with the real firmware; each feeds for a tenth of a second at a time."""
    edges = Edges()
    with bench_site.running(broker, prefix="pond") as site, site.backend():
        specs = [BoardSpec(**told) for told in site.keys.values()]
        with Fleet(specs, site.folder / "boards", site.address, edges.note):
            until(site.all_online)
            yield
            targets = [(board, "feeder1") for board in site.keys]
            times = site.load(size.pins, rate=RATE, targets=targets)
        report.broken += site.check()
    delays = _delays(site, times, edges, report)
    report.spread(_PART, "click to pin on", delays, 25.0, 60.0)
    report.spread(_PART, "click to accepted", since(times, times.accepted))
    yield


def _delays(site: Site, times: Times, edges: Edges, report: Report) -> list[float]:
    """ms from click to pin; what does not add up is reported as broken."""
    out = []
    for place, board_id in enumerate(site.keys):
        clicks, on = times.due[place :: len(site.keys)], edges.of(board_id)
        if len(clicks) != len(on):
            report.broken.append(f"{board_id}: {len(clicks)} feeds, its motor ran {len(on)} times")
        out += [edge - 1000 * click for click, edge in zip(clicks, on, strict=False)]
    return out
