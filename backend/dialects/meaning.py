"""What a message means in our own words, whatever dialect it was said in.

A dialect's `read` gives a list of these: one message may say several things. Times are Unix
seconds, or 0 where the board gave none that can be right.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Hello:
    """The board has woken and can be spoken to. `pending`: pictures it has not sent yet."""

    pending: int = 0
    claims: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Presence:
    """The board is there, or (its last will) is not."""

    online: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer without an id: whose it is can only be guessed. `state` as in an ack.

    `line` is what it came on: a topic for boards that answer by topic, "" for the whole board.
    """

    line: str
    state: str
    error: str | None = None
    command_type: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Readings by sensor: (value, unit)."""

    at: int
    readings: dict[str, tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture is on its way: `size` bytes in `count` chunks of `chunk_size`.

    `readings`: what was measured with it, as in `Measured`.
    """

    name: str
    size: int
    chunk_size: int
    count: int
    at: int
    error: int = 0
    readings: dict[str, tuple[float, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One chunk of a picture."""

    name: str
    index: int
    data: bytes


Meaning = Hello | Presence | Answer | Measured | Picture | Part
