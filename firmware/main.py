"""Chooses one of the two releases on flash, /a and /b, and starts it.

This file, boot.py and slots.py are the part of a board that is never updated over the air: no
release can break what goes back to the other one. They stay source, so that they run under any
version of MicroPython. A release on trial runs under a watchdog from its first line on, and under
a timer that ends the trial whatever the release believes of itself; see slots.py.
"""

import gc
import os
import sys
import time

import machine

_WATCHDOG_MS = 30000
_AT_PROMPT_MS = 3600000
_TRIAL_MS = 900000
_PAUSE_MS = 1000  # to read an error and press Ctrl-C, and to spare the flash where it repeats


def slots():
    """The rules, which take no memory any more once they were asked."""
    module = __import__("slots")
    del sys.modules["slots"]
    return module


def state(rules):
    """What the pointer file says."""
    try:
        with open("/" + rules.FILE, "rb") as file:
            return rules.parse(file.read())
    except OSError:
        return rules.FRESH


def keep(rules, state):
    """Puts it into the pointer file. Raises OSError."""
    path = "/" + rules.FILE
    with open(path + ".new", "wb") as file:
        file.write(rules.encode(state))
    os.rename(path + ".new", path)


def complete():
    """The slots that hold a whole release: its release.json comes last and goes first."""
    found = ""
    for slot in "ab":
        try:
            os.stat("/" + slot + "/release.json")
            found += slot
        except OSError:
            pass
    return found


def choose():
    """(slot, what to say of it), written down before it is tried. Slot None: there is none."""
    rules, rtc, cause = slots(), machine.RTC(), machine.reset_cause()
    before, bad = state(rules), rules.bad_boots(rtc.memory())
    after, slot, text = rules.boot(before, complete(), cause == machine.WDT_RESET, bad)
    if after != before:
        try:
            keep(rules, after)
        except OSError as why:  # then nothing is tried that could not be taken back
            print("answerback:", why)
            slot, text = after[0], rules.ROLLED_BACK + "storage"
    if text != rules.TRIAL and cause != machine.DEEPSLEEP_RESET:
        rtc.memory(rules.with_bad_boots(rtc.memory(), bad + 1))
    return slot, text


def run(slot, text):
    """Never returns but to a prompt."""
    machine.WDT(timeout=_WATCHDOG_MS)
    if text == "trial":
        ends = machine.Timer.ONE_SHOT
        machine.Timer(0).init(mode=ends, period=_TRIAL_MS, callback=lambda _: machine.reset())
    sys.path.insert(0, "/" + slot)
    print("answerback: slot", slot, text)
    from app import start

    start.main(slot, text)


def failed(text, why):
    """Nobody is watching: a trial is over, the traceback is kept, and it begins again."""
    gc.collect()
    try:
        sys.print_exception(why)
        if text == "trial":
            rules = slots()
            keep(rules, rules.rolled_back(state(rules), repr(why)))
        from app import errorlog

        errorlog.write(why)
        time.sleep_ms(_PAUSE_MS)
    except Exception as error:
        print("answerback:", error)
    machine.reset()


def main():
    """See above."""
    slot, text = choose()
    if slot is None:
        print("answerback: no release is on this board: copy one with make deploy")
        return
    try:
        run(slot, text)
    except KeyboardInterrupt:
        machine.Timer(0).deinit()
        machine.WDT(timeout=_AT_PROMPT_MS)
        raise
    except Exception as why:
        failed(text, why)


main()
