"""The board sleeps between the times at which it is wanted; for its verbs see wake_schedule.py.

Rules of this file:
- the backend says in how many seconds, or when, the board is wanted, and wherever it says no
  more, it is again after as many;
- awake, it stays until it is told that there is nothing more (`sleep`), or nothing was heard for
  `quiet_s`; at most `awake_s`, also where no broker is there, for the battery's sake;
- it never sleeps while something moves, nor, until `awake_s` have passed, while a message is not
  confirmed or a command of a service is under way;
- the clock that wakes it runs wrong by some percent. A board that woke too early sleeps the rest,
  and that was no wake: so none comes twice;
- what is to be known after waking is in the RTC's memory, see rtc.py: a power cut ends it all,
  and the board stays awake until it is told again.
"""

import asyncio

import machine
from micropython import const

from . import once
from .clock import ticks_diff, ticks_ms

_EARLY_S = const(5)  # a wake so early is on time
_LOOK_MS = const(100)
_SAID_MS = const(3000)


class Sleeper:
    """`told`: there is nothing more to do. `counted`: this wake is, or there was none."""

    def __init__(self, counted):
        self.told, self.counted = False, counted

    def count(self, rtc):
        """One wake more, unless it was counted before."""
        if not self.counted:
            self.counted = True
            rtc.write(wakes=rtc.read()["wakes"] + 1)


def next_wake(now, wake_at, every_s):
    """Unix seconds of the wake to sleep for; `wake_at` is the one before, or still to come."""
    if wake_at <= now + _EARLY_S:
        wake_at += ((now + _EARLY_S - wake_at) // every_s + 1) * every_s
    return wake_at


async def keep(node, woken=True):
    """Sends the board to sleep when it is time. `woken`: it has started for a wake."""
    node.sleeper = sleeper = Sleeper(not woken or node.presence.cause != "deepsleep")
    rtc, began_ms = once("rtc"), ticks_ms()
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        kept, now = rtc.read(), node.time()
        if not kept["every_s"]:
            break
        if now and not sleeper.counted:
            if kept["wake_at"] - now > _EARLY_S:
                sleeper.counted = True
                began_ms = await _sleep(node, kept["wake_at"], kept["wake_at"] - now, began_ms)
                continue
            sleeper.count(rtc)
        if _may_sleep(node, kept, ticks_diff(ticks_ms(), began_ms)):
            at = next_wake(now, kept["wake_at"], kept["every_s"]) if now else 0
            rtc.write(wake_at=at)
            began_ms = await _sleep(node, at, at - now if at else kept["every_s"], began_ms)
    node.sleeper = None


def _may_sleep(node, kept, awake_ms):
    if node.moving():
        return False
    if awake_ms >= kept["awake_s"] * 1000:
        return True
    if node.outbox or node.commands.serving or node.link.down_since is not None or not node.time():
        return False
    quiet_ms = ticks_diff(ticks_ms(), node.heard_ms)
    return node.sleeper.told or min(quiet_ms, awake_ms) >= kept["quiet_s"] * 1000


async def _sleep(node, until, seconds, began_ms):
    """Takes leave and sleeps. Returns where a message came meanwhile, with ticks it came at."""
    heard_ms, link = node.heard_ms, node.link
    if link.down_since is None:
        node.presence.asleep(link.number, until)
        link.wake()
        await _wait(lambda: not node.outbox or link.down_since is not None)
        if node.heard_ms != heard_ms or node.moving():
            node.presence.online(link.number)
            link.wake()
            node.sleeper.told = False
            return ticks_ms()
        if link.connection:
            node.leaving = True
            link.connection.leave()
            await _wait(lambda: link.down_since is not None)
    node.commands.set_safe()
    print("answerback: asleep for {} s".format(seconds))
    machine.deepsleep(seconds * 1000)
    return began_ms  # only where the chip refused to


async def _wait(done):
    for _ in range(_SAID_MS // _LOOK_MS):
        if done():
            return
        await asyncio.sleep_ms(_LOOK_MS)
