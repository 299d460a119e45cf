"""What happened on an emulated board: the events in order, and each pin's edges with their times.

An event is a dict with `event` (its name), `ms` (the host's monotonic clock, milliseconds, the
same for all boards and all boots) and `number` (0, 1, 2, ... for this board):

    boot cause                   1 power, 2 reset, 3 watchdog, 4 deep sleep, 5 soft reset
    pin pin value                an output changed
    pwm pin freq duty            duty 0 to 65535
    watchdog timeout             started, milliseconds; `bite`: nobody fed it
    reset | soft_reset | deepsleep for_ms | cut (power failed at a flash write) | power_cut
    wifi ssid                    asked to connect
    rtc memory                   hexadecimal
    camera pins                  switched on, or off (None)
    frame width height quality   a picture was taken
    block took task spent        a step of asyncio took so many ms; {operation: [times, ms]} of it
    skipped ahead                it has noticed that its clocks are so many ms ahead
    console line                 a line of the serial console; `cut` if a reset came before its end
    exit code                    the interpreter ended by itself, which it never should
"""

import threading
import time
from collections.abc import Callable
from itertools import starmap, zip_longest
from typing import Any

Event = dict[str, Any]
Listener = Callable[[Event], None]

_KEPT = 20_000


class Pulse:
    """A time an output was on: `start` and `end` in ms; `end` is None while it lasts.

    `waited` is how many ms of it the host ran others while the board wanted to run.
    """

    def __init__(self, start: float, end: float | None, waited: float = 0.0) -> None:
        self.start, self.end, self.waited = start, end, waited

    @property
    def ms(self) -> float:
        """How long it lasted. Raises ValueError while it does."""
        if self.end is None:
            raise ValueError("the pulse has not ended")
        return self.end - self.start

    def off_by(self, wanted_ms: float) -> float:
        """How many ms it was too long or too short, but for what the host has to answer for.

        Raises ValueError while it lasts.
        """
        return max(0.0, abs(self.ms - wanted_ms) - self.waited)

    def __repr__(self) -> str:
        return f"Pulse({self.start:.0f}, {'on' if self.end is None else f'{self.ms:.0f} ms'})"


class EventLog:
    """The last 20,000 events, every edge of every output, and a way to wait for an event."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._events: list[Event] = []
        self._dropped = 0
        self._edges: dict[int, list[tuple[float, int, float]]] = {}
        self._changed = threading.Condition()
        self._listener = listener

    def __len__(self) -> int:
        """How many events there have been: the number the next one gets."""
        return self._dropped + len(self._events)

    def add(self, event: Event, waited: float = 0.0) -> None:
        """Takes an event in, wakes who waits, then tells the listener.

        `waited`: how many ms the board has been ready to run since its boot, and did not run.
        """
        event.setdefault("ms", time.monotonic() * 1000)
        with self._changed:
            event["number"] = len(self)
            self._note_edge(event, waited)
            self._events.append(event)
            if len(self._events) > _KEPT:
                del self._events[: _KEPT // 2]
                self._dropped += _KEPT // 2
            self._changed.notify_all()
        if self._listener:
            self._listener(event)

    def outputs_off(self) -> None:
        """The processor lost its outputs (reset, power): what was on falls."""
        for pin, edges in list(self._edges.items()):
            if edges[-1][1]:
                self.add({"event": "pin", "pin": pin, "value": 0, "by": "reset"})

    def of(self, name: str) -> list[Event]:
        """The kept events of one name, oldest first."""
        with self._changed:
            return [event for event in self._events if event["event"] == name]

    def level(self, pin: int) -> int:
        """1 where the output is on (a pin high, or a PWM with any duty), else 0."""
        edges = self._edges.get(pin)
        return edges[-1][1] if edges else 0

    def pulses(self, pin: int) -> list[Pulse]:
        """Every time the output was on, since the board was made."""
        with self._changed:
            edges = list(self._edges.get(pin, ()))
        ends = [edge for edge in edges if not edge[1]]
        starts = [edge for edge in edges if edge[1]]
        return list(starmap(_pulse, zip_longest(starts, ends)))

    def wait(self, wanted: Callable[[Event], bool], timeout: float, since: int = 0) -> Event:
        """The first event from number `since` on that is `wanted`; waits `timeout` seconds.

        Raises TimeoutError that shows the last events.
        """
        deadline = time.monotonic() + timeout
        while fresh := self._from(since, deadline):
            for event in fresh:  # not under the lock: `wanted` may ask the board for more
                if wanted(event):
                    return event
            since = fresh[-1]["number"] + 1
        last = "\n".join(map(str, self._events[-12:]))
        raise TimeoutError(f"not within {timeout} s; the last events:\n{last}")

    def _from(self, since: int, deadline: float) -> list[Event]:
        """The events from that number on, as soon as there is one; none after the deadline."""
        with self._changed:
            while len(self) <= since:
                if not self._changed.wait(deadline - time.monotonic()):
                    return []
            return self._events[max(0, since - self._dropped) :]

    def _note_edge(self, event: Event, waited: float) -> None:
        if event["event"] == "pin":
            level = event["value"]
        elif event["event"] == "pwm":
            level = 1 if event["duty"] else 0
        else:
            return
        if level != self.level(event["pin"]):
            self._edges.setdefault(event["pin"], []).append((event["ms"], level, waited))


def _pulse(start: tuple[float, int, float], end: tuple[float, int, float] | None) -> Pulse:
    if end is None:
        return Pulse(start[0], None)
    return Pulse(start[0], end[0], max(0.0, end[2] - start[2]))
