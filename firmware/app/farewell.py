"""The last thing a program does that was told to restart."""

import asyncio

import machine
from micropython import const

from . import once
from .clock import ticks_diff, ticks_ms

_LONGEST_MS = const(2000)


async def say(node):
    """Let out what was said, and restart."""
    while node.outbox and ticks_diff(ticks_ms(), node.restarting) < _LONGEST_MS:
        await asyncio.sleep_ms(20)
    once("health").well()  # it was meant to
    machine.reset()
