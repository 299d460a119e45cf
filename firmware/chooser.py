"""The pointer file and the RTC memory, as `slots` wants them read and written; see main.py."""

import os
import sys

import machine
import slots  # type: ignore[import-not-found]  # app/slots.py, beside this file

del sys.modules["slots"]  # it takes no memory any more once this module is gone


def choose():
    """(slot, what to say of it), written down before it is tried. Slot None: there is none."""
    rtc, cause = machine.RTC(), machine.reset_cause()
    before, bad = _state(), slots.bad_boots(rtc.memory())
    after, slot, text = slots.boot(before, _complete(), cause == machine.WDT_RESET, bad)
    if after != before:
        try:
            _keep(after)
        except OSError as why:  # then nothing is tried that could not be taken back
            print("answerback:", why)
            slot, text = after[0], slots.ROLLED_BACK + "storage"
    if text != slots.TRIAL and cause != machine.DEEPSLEEP_RESET:
        rtc.memory(slots.with_bad_boots(rtc.memory(), bad + 1))
    return slot, text


def give_up(why):
    """The release on trial has failed. Raises OSError."""
    _keep(slots.rolled_back(_state(), why))


def _state():
    try:
        with open("/" + slots.FILE, "rb") as file:
            return slots.parse(file.read())
    except OSError:
        return slots.FRESH


def _keep(state):
    path = "/" + slots.FILE
    with open(path + ".new", "wb") as file:
        file.write(slots.encode(state))
    os.rename(path + ".new", path)


def _complete():
    """The slots that hold a whole release: its release.json comes last and goes first."""
    found = ""
    for slot in "ab":
        try:
            os.stat("/" + slot + "/release.json")
            found += slot
        except OSError:
            pass
    return found
