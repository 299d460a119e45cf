"""One board whose quiet hours are skipped, its commands, and what must be true of them.

Time is only skipped, in steps the firmware could have slept through: what happens takes the time
it takes. So no deadline of the protocol is any shorter than in a real day, and a busy machine
makes the day last longer instead of breaking links.
"""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

from tools.chaos_report import Report
from tools.chaos_site import Site, has_ended
from tools.chaos_truth import judge_command, judge_count, pulses_of
from tools.day_clock import Clock
from tools.day_idle import at_work, soon

BOARD = "pond-1"
FEEDER, VALVE, MOTOR, LIGHT = 16, 17, 19, 21
ACTUATORS = {
    "feeder1": {"kind": "feeder", "pin": FEEDER, "grams_per_second": 100, "longest_s": 60},
    "valve1": {"kind": "valve", "fill_pin": VALVE, "drain_pin": 18, "longest_s": 60},
    "motor1": {"kind": "motor", "pin": MOTOR, "longest_s": 60},
    "light1": {"kind": "switch", "pin": LIGHT, "longest_s": 60},
}
# name -> (verb, target, parameters, the pin it switches on once or None)
KINDS: dict[str, tuple[str, str, dict[str, Any], int | None]] = {
    "feed": ("feed", "feeder1", {"amount": 3}, FEEDER),
    "water": ("water", "valve1", {"action": "fill", "seconds": 1}, VALVE),
    "motor": ("motor", "motor1", {"action": "start", "speed": 50, "seconds": 1}, MOTOR),
    "light": ("switch", "light1", {"state": "on", "seconds": 1}, LIGHT),
    "dark": ("switch", "light1", {"state": "off"}, None),
    "ping": ("ping", "", {}, None),
    "log": ("get_log", "", {}, None),
    "config": ("get_config", "", {}, None),
    "change": ("update_config", "", {"hold_s": 31}, None),
    "sensors": ("read_sensors", "", {}, None),
    "picture": ("capture_image", "", {}, None),
    "pictures": ("list_images", "", {}, None),
    "halt": ("emergency_stop", "", {}, None),
    "clear": ("clear_stop", "", {}, None),
}
ANY_TIME = ("feed", "water", "ping", "log", "config", "change", "sensors", "picture", "pictures")
EXPIRES_S = 120  # the journal has room for 48 commands that have not expired
BEAT_S = 10
_MINUTE_S = 60
_LATE_S = 2  # at most, until a heartbeat that was due is known
_PINGS = 30

_STEP_S = 5  # after so long the board asks whether the broker is there
_SOON_S = 0.04  # of the host's: time for what is under way
_ASKED, _ANSWER_S = 2, 0.25  # chunks, there and back; it takes far less on an idle machine
# What may become of a command on such a day: done, too late, cut short by power, or called off.
_ENDS = (None, "expired", "interrupted", "never", "cancelled", "stopped", "reverted")


class World:
    """What happens is counted in `report`, and what must not happen is blamed there."""

    def __init__(self, site: Site, clock: Clock, seed: int, report: Report) -> None:
        self.site, self.clock, self.report = site, clock, report
        self.board, self.random = site.board(BOARD), random.Random(seed)
        self.began = clock.monotonic()
        self.heaps: list[tuple[str, float, int]] = []  # (boot, hour, bytes free)
        self._posted: list[tuple[str, int | None]] = []  # of this minute
        self._number = 0
        self._pulses: Counter[int] = Counter()

    @property
    def hours(self) -> float:
        """How long the day has lasted."""
        return (self.clock.monotonic() - self.began) / 3_600_000

    def skip(self, seconds: float) -> None:
        """So much time has passed at once."""
        self.clock.skip(round(seconds * 1000))
        self.board.skip(seconds)

    def away(self, seconds: int) -> None:
        """So much time passes, what it takes included."""
        end = self.clock.monotonic() + seconds * 1000
        while (left := end - self.clock.monotonic()) > 0:
            self._step(min(_STEP_S, left / 1000))

    def _step(self, seconds: float) -> None:
        """As long as a link may be silent until the board asks the broker; it gets its answer."""
        passed = self.site.proxy.passed
        self.skip(seconds)
        enough = passed + _ASKED  # others may have been slower: they are waited for, too
        soon(lambda: self.site.proxy.passed >= enough and not at_work(), _ANSWER_S)

    def wait(self, what: Any, seconds: float = 240) -> Any:
        """Let time pass until something is so; time is only skipped while it is not soon so.

        Raises TimeoutError after so many of the board's seconds.
        """
        end = self.clock.monotonic() + seconds * 1000
        while not (found := soon(what, _SOON_S)):
            if self.clock.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s of the board's time: {self._open()}")
            self.skip(1)
        return found

    def _open(self) -> str:
        """What has no end yet, for who looks for the reason."""
        found = [self.site.api.command(command_id) for command_id, _ in self._posted]
        verbs = [f"{it['command_type']} is {it['status']}" for it in found if not has_ended(it)]
        link = "online" if self.site.is_online(BOARD) else "away"
        return f"the board is {link}; {', '.join(verbs) or 'nothing is open'}"

    def happens(self, event: str, since: int) -> None:
        """Let time pass until such an event has come after that number."""
        self.wait(lambda: any(it["number"] >= since for it in self.board.log.of(event)))

    def seen(self) -> Any:
        """The board as the backend sees it."""
        return self.site.seen(BOARD)

    def post(self, *names: str) -> None:
        """Commands of these kinds."""
        for name in names:
            verb, target, parameters, pin = KINDS[name]
            self.say(verb, pin, target=target, parameters=parameters)

    def say(self, verb: str, pin: int | None = None, **more: Any) -> Any:
        """One command; it is judged at the end of the minute."""
        self._number += 1
        more = {"expires_in": EXPIRES_S, **more}
        command, _ = self.site.api.post(f"day-{self._number}", BOARD, verb, **more)
        self._posted.append((command["id"], pin))
        return command

    def settle(self) -> None:
        """Until the board is there and every command of this minute has its end."""
        self.wait(lambda: self.site.is_online(BOARD))
        self.post("ping")  # both ways, the link is there again
        for command_id, _ in self._posted[::-1]:
            self.wait(lambda one=command_id: has_ended(self.site.api.command(one)))

    def fill_journal(self) -> None:
        """As many commands as the board remembers until they expire, so that it has its size."""
        self.post(*["ping"] * _PINGS)
        self.settle()
        self.judge()
        self.away(EXPIRES_S)  # for there is no room for more that have not expired

    def judge(self) -> None:
        """Every command of this minute against what the pins have done since the last one."""
        found = [(self.site.api.command(one), pin) for one, pin in self._posted]
        self._posted.clear()
        for command, pin in found:
            self._count(command)
            self.report.blame(judge_command(command) if pin is None else [])
        for pin in (FEEDER, VALVE, MOTOR, LIGHT):
            pulses = pulses_of(self.board, pin, self._pulses[pin])
            self._pulses[pin] += len(pulses)
            mine = [command for command, of in found if of == pin]
            self.report.blame([f"pin {pin}: {line}" for line in judge_count(mine, pulses)])
            self.report.count("pulses at pins", len(pulses))

    def _count(self, command: Any) -> None:
        why = f", {command['error']}" if command["error"] else ""
        self.report.count(f"commands {command['status']}{why}")
        if command["error"] not in _ENDS:
            self.report.blame([f"{command['command_type']} is {command['status']}{why}"])

    def beats(self, after: str) -> None:
        """A minute without trouble, as the backend sees it: each heartbeat is there."""
        before = self.seen()
        try:
            seen = [self.wait(lambda: self._newer(before), BEAT_S + _LATE_S)]
        except TimeoutError:
            self.report.blame([f"no heartbeat at {before['uptime']} s, after: {after}"])
            return
        for _ in range(_MINUTE_S // _STEP_S):  # so often that none is missed between two looks
            self.away(_STEP_S)
            seen.append(self.seen())
        said = list(dict.fromkeys((one["boot"], one["uptime"]) for one in seen))
        self.report.count("heartbeats outside faults", len(said))
        for (boot, one), (_, other) in pairwise([*said, (said[-1][0], said[0][1] + _MINUTE_S)]):
            if boot != said[0][0] or other - one >= 2 * BEAT_S:
                gap = f"between {one} and {other} s, after: {after}"
                self.report.blame([f"no heartbeat {gap}"])

    def _newer(self, before: Any) -> Any:
        now = self.seen()
        return now if (now["boot"], now["uptime"]) != (before["boot"], before["uptime"]) else None

    def note_heap(self) -> None:
        """What is free now: the last heartbeat, a minute after all commands, has collected."""
        now = self.seen()
        self.heaps.append((now["boot"], self.hours, now["heap"]))
