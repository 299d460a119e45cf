"""What follows where a release does well, or does not within its time; loaded just for that.

A release on trial is confirmed where it does well, and one that was confirmed before has its bad
boots forgotten.
"""

import machine

from . import board, once


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
