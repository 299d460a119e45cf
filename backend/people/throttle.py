"""How often somebody may try to sign in. Time is an argument (ms); memory is bounded.

Rules of this file:
- tries are counted when they begin, so that many at once don't slip through;
- one that succeeds is no longer counted, and wipes the count of its own user and address;
- one that was not decided is no longer counted either;
- the oldest counts go first when there are too many of them.
"""

import contextlib
import threading
from collections import OrderedDict

WINDOW_MS = 5 * 60_000
TRIES_PER_USER = 5
TRIES_PER_ADDRESS = 30
KEYS_MAX = 10_000

_Key = tuple[str, str]


class Throttle:
    """Counts tries by (user, address) and by address over the last five minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: OrderedDict[_Key, list[int]] = OrderedDict()

    def begin(self, user: str, address: str, now: int) -> int:
        """Count a try: 0. Where there were too many: the seconds to wait; it does not count."""
        limits = {(user, address): TRIES_PER_USER, ("", address): TRIES_PER_ADDRESS}
        with self._lock:
            wait = max(self._wait(key, limit, now) for key, limit in limits.items())
            if wait == 0:
                for key in limits:
                    self._note(key, now)
            return wait

    def take_back(self, user: str, address: str, at: int) -> None:
        """Count the try that began at `at` no longer: nothing was decided."""
        with self._lock:
            self._drop((user, address), at)
            self._drop(("", address), at)

    def succeeded(self, user: str, address: str, at: int) -> None:
        """The try that began at `at` was right: forget the tries of this user from there."""
        with self._lock:
            self._drop(("", address), at)
            self._tries.pop((user, address), None)

    def _wait(self, key: _Key, limit: int, now: int) -> int:
        recent = [at for at in self._tries.get(key, ()) if at > now - WINDOW_MS]
        if len(recent) < limit:
            return 0
        return max(1, -(-(recent[-limit] + WINDOW_MS - now) // 1000))

    def _note(self, key: _Key, now: int) -> None:
        recent = [at for at in self._tries.pop(key, ()) if at > now - WINDOW_MS]
        self._tries[key] = [*recent, now]
        while len(self._tries) > KEYS_MAX:
            self._tries.popitem(last=False)

    def _drop(self, key: _Key, at: int) -> None:
        with contextlib.suppress(ValueError):
            self._tries.get(key, []).remove(at)
