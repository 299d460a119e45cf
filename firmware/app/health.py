"""What follows where a release does well, or does not within its time; loaded just for that.

It does well once it has reached the broker and has run for a while since. A release on trial is
confirmed then, and one that was confirmed before has its bad boots forgotten.
"""

import asyncio

import machine
from micropython import const

from . import board, once
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
        if good and confirm(node, node.flash):
            return None
        late = ticks_diff(now, began_ms) >= _TRIES * healthy_ms
        if late and node.slot_state == "trial" and not node.moving():
            why = "no broker" if reached is None else "no steady connection"
            return give_up(node, node.flash, why)


def well():
    """The boots before this one are forgotten."""
    rules, rtc = once("slots"), machine.RTC()
    if rules.bad_boots(rtc.memory()):
        rtc.memory(rules.with_bad_boots(rtc.memory(), 0))


def at_prompt():
    """Somebody is at the prompt: nothing bites, and this was no bad boot."""
    machine.Timer(0).deinit()
    board.Watchdog().rest()
    well()


def confirm(node, flash):
    """It does well. Returns whether that is on flash."""
    if node.slot_state == "trial":
        rules = once("slots")
        try:
            _change(rules, flash, rules.confirmed)
        except OSError:
            return False
        machine.Timer(0).deinit()
        node.confirmed(rules.CONFIRMED)
    if not node.slot_state.startswith("safe_mode"):
        well()
    return True


def give_up(node, flash, why):
    """The trial is over, and the board restarts; where that can't be written, it was counted."""
    rules = once("slots")
    try:
        _change(rules, flash, lambda state: rules.rolled_back(state, why))
    except OSError:
        pass
    print("answerback: the trial has failed:", why)
    node.commands.restarting = True
    node.restart()


def _change(rules, flash, change):
    state = rules.parse(flash.read(rules.FILE))
    flash.replace(rules.FILE, rules.encode(change(state)))
