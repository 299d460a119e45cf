"""Bytes no backend would send, straight to the board: each is counted, and nothing else happens.

Every message below is made so that the board must not answer it. What the heartbeat says was
dropped is compared with what was sent, reason by reason.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from protocol import encode
from protocol.limits import MESSAGE_BYTES
from protocol.signature import sign

Noise = tuple[str, bytes]  # the reason the board ought to give, and the message


def command(key: bytes, command_id: str, command_type: str, now: int, **more: Any) -> bytes:
    """A command as the backend signs it; `now` is in Unix seconds."""
    message = {
        "command_id": command_id,
        "command_type": command_type,
        "target": "",
        "parameters": {},
        "timestamp": now,
        "expires_at": now + 60,
        "attempt": 1,
        **more,
    }
    return bytes(encode("command", message, key))


class Noisemaker:
    """Makes malformed messages for the board with this key, the same for the same seed."""

    def __init__(self, key: bytes, now: int, seed: int) -> None:
        self._key, self._now, self._random = key, now, random.Random(seed)
        feed = {"target": "feeder1", "parameters": {"amount": 10}}
        self._valid = command(key, "noise", "feed", now, **feed)
        self._kinds: list[Callable[[], Noise]] = [
            self._flipped,
            self._cut,
            self._spliced,
            self._random_bytes,
            self._wrong_key,
            self._no_json,
            self._wrong_type,
            self._missing,
            self._deep,
            self._too_large,
        ]

    def messages(self, count: int) -> Iterator[Noise]:
        """So many, of all kinds."""
        for _ in range(count):
            yield self._random.choice(self._kinds)()

    def huge(self) -> bytes:
        """More than a board takes in: it ends the connection."""
        return self._random.randbytes(2 * MESSAGE_BYTES)

    def _flipped(self) -> Noise:
        data = bytearray(self._valid)
        data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return "bad_signature", bytes(data)

    def _cut(self) -> Noise:
        return "bad_signature", self._valid[: self._random.randrange(len(self._valid))]

    def _spliced(self) -> Noise:
        at = self._random.randrange(len(self._valid))
        more = self._random.randbytes(self._random.randint(1, 40))
        return "bad_signature", self._valid[:at] + more + self._valid[at:]

    def _random_bytes(self) -> Noise:
        return "bad_signature", self._random.randbytes(self._random.randrange(MESSAGE_BYTES))

    def _wrong_key(self) -> Noise:
        return "bad_signature", command(os.urandom(32), "noise", "emergency_stop", self._now)

    def _no_json(self) -> Noise:
        body = b"{" + self._random.randbytes(self._random.randint(1, 300)) + b"}"
        return "malformed", sign(body[:-1], self._key)

    def _wrong_type(self) -> Noise:
        wrong: Any = self._random.choice([None, True, -1, 1.5, [], {}, "", "\u0000" * 65, 1 << 70])
        name = self._random.choice(["command_id", "command_type", "timestamp", "attempt"])
        return "malformed", self._signed(
            name, "" if name == "attempt" and wrong is True else wrong
        )

    def _missing(self) -> Noise:
        return "malformed", self._signed(self._random.choice(["target", "expires_at"]), None)

    def _deep(self) -> Noise:
        depth = self._random.randint(20, 1500)
        return "malformed", sign(b'{"a":' + b"[" * depth + b"]" * depth, self._key)

    def _too_large(self) -> Noise:
        return "too_large", self._random.randbytes(MESSAGE_BYTES + self._random.randint(1, 64))

    def _signed(self, name: str, value: Any) -> bytes:
        """A command with one member replaced (None: left out), signed as it ought to be."""
        members = json.loads(self._valid)
        del members["sig"]
        members[name] = value
        if value is None:
            del members[name]
        return bytes(sign(json.dumps(members).encode()[:-1], self._key))


def missing(sent: Counter[str], dropped: dict[str, int]) -> dict[str, tuple[int, int]]:
    """{reason: (sent, counted)} where the board's count is not what it was sent."""
    return {
        reason: (count, dropped.get(reason, 0))
        for reason, count in sent.items()
        if dropped.get(reason, 0) != count
    }
