"""Looks whether a release does well: it has reached the broker and has run for a while since.

What follows is in health.py, which takes no memory while this waits.
"""

import asyncio

from micropython import const

from . import once
from .clock import ticks_diff, ticks_ms

_LOOK_MS = const(500)
_TRIES = const(4)  # times what it takes to do well, and a trial has failed


async def prove(node, healthy_ms):
    """Until it is known whether this release does well."""
    began_ms = ticks_ms()
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        reached, now = node.reached_ms, ticks_ms()
        good = reached is not None and node.online() and ticks_diff(now, reached) >= healthy_ms
        if good and once("health").confirm(node, node.flash):
            return None
        late = ticks_diff(now, began_ms) >= _TRIES * healthy_ms
        if late and node.slot_state == "trial" and not node.moving():
            why = "no broker" if reached is None else "no steady connection"
            return once("health").give_up(node, node.flash, why)
