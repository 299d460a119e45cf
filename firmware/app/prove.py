"""Looks whether a release does well: it has reached the broker and has run for a while since.

What follows is in health.py. Nothing of this takes memory between two looks.
"""

from micropython import const

from . import once
from .clock import ticks_add, ticks_diff, ticks_ms

_AGAIN_MS = const(1000)
_TRIES = const(4)  # times what it takes to do well, and a trial has failed


def first(node):
    """Ticks at which to look where the broker is never reached."""
    node.began_ms = ticks_ms()
    return ticks_add(node.began_ms, _TRIES * node.health_s * 1000)


def look(node):
    """Ticks at which to look again, or None: it is known, or the broker has to be reached."""
    reached, now, healthy_ms = node.reached_ms, ticks_ms(), node.health_s * 1000
    good = (
        reached is not None
        and node.link.down_since is None
        and ticks_diff(now, reached) >= healthy_ms
    )
    if good and once("health").confirm(node, node.flash):
        return None
    if node.slot_state != "trial":
        return None if reached is None else ticks_add(now, _AGAIN_MS)
    if ticks_diff(now, node.began_ms) >= _TRIES * healthy_ms and not node.moving():
        why = "no broker" if reached is None else "no steady connection"
        once("health").give_up(node, node.flash, why)
        return None
    return ticks_add(now, _AGAIN_MS)
