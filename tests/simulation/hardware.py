"""The hardware of a board: flash that power can fail at any operation, pins that remember.

Only what lies below the firmware's own contract is made up here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.world import World


class PowerCut(Exception):
    """The power went: nothing that was in memory is left."""


class Flash:
    """Files in memory that outlive every boot.

    `cut_in`: power fails at that many operations from now (1: the next), or None; `cut_how`:
    before it, after it, or torn, where half of what is appended stands there. `broken`: every
    write fails; where it is "half", half of an append stands there all the same.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.cut_in: int | None = None
        self.cut_how = "before"
        self.broken = ""

    def read(self, name: str) -> bytes | None:
        """The bytes of a file, or None."""
        return bytes(self.files[name]) if name in self.files else None

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file."""
        file = self.files.setdefault(name, bytearray())
        half = data[: len(data) // 2]
        if self.broken == "half":
            file.extend(half)
        how = self._fails()
        if how != "before":
            file.extend(half if how == "torn" else data)
        if how:
            raise PowerCut

    def replace(self, name: str, data: bytes) -> None:
        """Put `data` in the place of a file."""
        how = self._fails()
        if how in (None, "after"):
            self.files[name] = bytearray(data)
        if how:
            raise PowerCut

    def holds(self, text: str) -> bool:
        """Whether the text stands in any file."""
        return any(text.encode() in data for data in self.files.values())

    def _fails(self) -> str | None:
        if self.broken:
            raise OSError(28)
        if self.cut_in is None:
            return None
        self.cut_in -= 1
        if self.cut_in:
            return None
        self.cut_in = None
        return self.cut_how


@dataclass(slots=True)
class Pulse:
    """A time in which an output was not in its safe state.

    `began`, `ended`: ms of true time; `moment`: the order in which pulses began; `ticks`: how long
    it was by the board's own clock; `cut`: power ended it. When it began, the targets in `on` were
    on, and `read` was the newest reading of the sensor, (value, its age in ms), or None.
    """

    owner: str
    board: str
    target: str
    pin: int
    began: int
    moment: int
    ticks_began: int
    on: frozenset[str]
    read: tuple[float, int] | None
    ended: int | None = None
    ticks: int = 0
    cut: bool = False


@dataclass
class Pin:
    """An output; `value` is its level, 0 to 100 %. `changed(pin)` hears of every drive."""

    number: int
    safe: int
    changed: Callable[["Pin"], None]
    value: int = 0
    pulse: Pulse | None = None

    def speed(self, percent: int) -> None:
        """Drive it."""
        self.value = percent
        self.changed(self)

    def on(self) -> None:
        """Fully on."""
        self.speed(100)

    def off(self) -> None:
        """Off."""
        self.speed(0)


@dataclass
class Pins:
    """The pins of one boot of one board, as the firmware's factory of pins.

    `actuators`: {name: config}; `owner(target)`: id of the command whose action is on; `ticks()`.
    `sensed()`: the newest reading of the sensor, (value, its age in ms), or None.
    """

    world: World
    board: str
    wiring: dict[int, tuple[str, int]]  # pin: target, level that is safe
    owner: Callable[[str], str]
    ticks: Callable[[], int]
    log: list[Pulse]
    driven: Callable[[Pulse], None]
    sensed: Callable[[], tuple[float, int] | None]
    pins: dict[int, Pin] = field(default_factory=dict)
    powered: bool = False  # until the board has started, levels are those of the safe state

    def Output(self, number: int, active_low: bool) -> Pin:
        """An output pin."""
        pin = self.pins[number] = Pin(number, self.wiring[number][1], self._changed)
        return pin

    def Speed(self, number: int, hz: int) -> Pin:
        """A pin with pulses of a width."""
        return self.Output(number, False)

    def resting(self) -> bool:
        """True where everything is in its safe state."""
        return all(pin.pulse is None for pin in self.pins.values())

    def cut(self) -> None:
        """Power fails."""
        self.powered = False
        for pin in self.pins.values():
            self._end(pin, True)

    def _changed(self, pin: Pin) -> None:
        if not self.powered:
            return None
        target, safe = self.wiring[pin.number]
        if pin.value == safe:
            return self._end(pin, False)
        owner = self.owner(target)
        if pin.pulse is None or pin.pulse.owner != owner:
            self._end(pin, False)
            self._begin(pin, target, owner)
        return None

    def _begin(self, pin: Pin, target: str, owner: str) -> None:
        world = self.world
        about = (world.now, world.moment(), self.ticks(), self._on(), self.sensed())
        pin.pulse = Pulse(owner, self.board, target, pin.number, *about)
        self.log.append(pin.pulse)
        world.note(self.board, "pulse begins", target, owner)
        self.driven(pin.pulse)

    def _on(self) -> frozenset[str]:
        return frozenset(self.wiring[pin.number][0] for pin in self.pins.values() if pin.value)

    def _end(self, pin: Pin, cut: bool) -> None:
        pulse, pin.pulse = pin.pulse, None
        if pulse:
            pulse.ended, pulse.cut = self.world.now, cut
            pulse.ticks = self.ticks() - pulse.ticks_began
            self.world.note(self.board, "pulse ends", pulse.target, pulse.owner, pulse.ticks, cut)
