"""`/metrics` for Prometheus: counters since this process began, and how things stand now.

Open to programs on this machine (`loopback`), to administrators' bearer tokens (`token`; these
are taken with `loopback` too), or to nobody (`off`). Where cookies are for https only there is a
proxy; unless it is trusted, everybody looks like this machine, so `loopback` is no way in then.
Nothing in it names a board, a user or a site.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from backend.delivery.tally import BOUNDS, Histogram
from backend.errors import NotFound
from backend.people.access import ADMIN
from backend.readers import METRICS
from backend.service import Backend
from backend.settings import Settings
from backend.web.auth import Authenticator
from backend.web.http import Answer, Call, Problem
from backend.web.routes import Route

_LOOPBACK, _BY_TOKEN, _OFF = METRICS
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsRoutes:
    """`/metrics`."""

    def __init__(self, backend: Backend, authenticator: Authenticator, settings: Settings) -> None:
        hidden = settings.secure_cookies and settings.trusted_proxy is None
        self._authenticator = authenticator
        self._way = _BY_TOKEN if settings.metrics == _LOOPBACK and hidden else settings.metrics
        self._registry = CollectorRegistry()
        self._registry.register(_Backend(backend))

    def routes(self) -> list[Route]:
        """What is served."""
        return [Route("GET", "/metrics", self.show, public=True)]

    def show(self, call: Call) -> Answer:
        """All of them, as text."""
        if self._way == _OFF:
            raise NotFound("not_found", "", "METRICS is off")
        if self._way == _BY_TOKEN or not _is_near(call):
            who = self._authenticator.identify(call.environ)
            if who.role != ADMIN:
                raise Problem(403, "forbidden", "metrics are for administrators")
        return Answer(generate_latest(self._registry), 200, {"Content-Type": _TYPE})


def _is_near(call: Call) -> bool:
    return ipaddress.ip_address(call.address).is_loopback


class _Backend(Collector):
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def describe(self) -> list[Metric]:
        """Nothing: else it would be asked before the backend has begun."""
        return []

    def collect(self) -> Iterator[Metric]:
        health, (tally, swept) = self._backend.health(), self._backend.figures()
        yield _gauge("link_up", "The broker is reached", int(health["mqtt"]["connected"]))
        yield _gauge("unfinished_publishes", "Not confirmed by the broker yet",
                     health["mqtt"]["unfinished"])  # fmt: skip
        yield _gauge("queue_depth", "Waiting for the writer", health["commandQueue"]["waiting"])
        yield _gauge("boards_online", "Boards that are there", health["boards"]["online"])
        yield _gauge("boards_known", "Boards in all", health["boards"]["known"])
        yield _gauge("alerts_open", "Boards whose commands fail", health["alerts"])
        yield _gauge("uptime_seconds", "Since the start", health["uptime"])
        for kind, name, about, labels, values in (
            (GaugeMetricFamily, "commands_open", "Not ended yet", "status", health["commands"]),
            (CounterMetricFamily, "commands", "That came to a status", "command_type status",
             tally.commands),
            (CounterMetricFamily, "messages", "Read and sent", "direction kind", tally.messages),
            (CounterMetricFamily, "messages_refused", "By reason", "reason", health["refused"]),
            (CounterMetricFamily, "rows_swept", "Deleted by age", "table", swept),
        ):  # fmt: skip
            yield _labelled(kind, name, about, labels.split(), values)
        for name, histogram in tally.took.items():
            yield _times(name, histogram)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"answerback_{name}", about, value)


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    about: str,
    labels: list[str],
    values: Mapping[Any, int],
) -> Metric:
    family = kind(f"answerback_{name}", about, labels=labels)
    for key, value in dict(values).items():  # a copy at once: the writer goes on counting
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family


def _times(name: str, histogram: Histogram) -> Metric:
    about = f"Seconds from the click until the board had {name} it"
    family = HistogramMetricFamily(f"answerback_command_{name}_seconds", about)
    counts, buckets, below = list(histogram.counts), list[tuple[str, float]](), 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        below += count
        buckets.append((bound, below))
    family.add_metric((), buckets, histogram.total)
    return family
