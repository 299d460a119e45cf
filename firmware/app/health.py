"""Whether this release does well: it has reached the broker, and has run for a while since.

A release on trial is confirmed then; one that is not in time is given up. One that was confirmed
before has its count of bad boots cleared. Then all this is not needed any more.
"""

import asyncio

import machine
from micropython import const

from . import once
from .clock import ticks_diff, ticks_ms

_LOOK_MS = const(250)
_TRIES_MS = const(4)  # so many times the time it takes to be healthy, and a trial has failed


def at_prompt():
    """Somebody is at the prompt: nothing bites, and this was no bad boot."""
    machine.Timer(0).deinit()
    from . import board

    board.Watchdog().rest()
    well()


def well():
    """The boots before this one are forgotten."""
    rules, rtc = once("slots"), machine.RTC()
    if rules.bad_boots(rtc.memory()):
        rtc.memory(rules.with_bad_boots(rtc.memory(), 0))


async def prove(node, flash, seconds):
    """Returns once it is healthy, or its trial is over and the board about to restart.

    `seconds`: how long it has to run after it has reached the broker.
    """
    began, reached = ticks_ms(), None
    while True:
        await asyncio.sleep_ms(_LOOK_MS)
        now = ticks_ms()
        if reached is None and node.online():
            reached = now
        if reached is not None and ticks_diff(now, reached) >= seconds * 1000 and node.online():
            if _confirm(node, flash):
                return
        late = ticks_diff(now, began) >= seconds * 1000 * _TRIES_MS
        if late and node.slot_state == "trial" and not node.moving():
            return _give_up(node, flash, "no broker" if reached is None else "not healthy")


def _confirm(node, flash):
    """Returns whether that is on flash."""
    if node.slot_state == "trial":
        rules = once("slots")
        try:
            flash.replace(rules.FILE, rules.encode(rules.confirmed(_state(rules, flash))))
        except OSError:
            return False
        machine.Timer(0).deinit()
        node.confirmed(rules.CONFIRMED)
    if not node.slot_state.startswith("safe_mode"):
        well()
    return True


def _give_up(node, flash, why):
    rules = once("slots")
    try:
        flash.replace(rules.FILE, rules.encode(rules.rolled_back(_state(rules, flash), why)))
    except OSError:
        pass  # then it is counted down
    print("answerback: the trial has failed:", why)
    node.restart()


def _state(rules, flash):
    return rules.parse(flash.read(rules.FILE))
