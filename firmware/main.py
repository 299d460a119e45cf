"""Chooses one of the two releases on flash, /a and /b, and starts it.

What is in `/` (this file, boot.py, chooser.py, slots.py) is never updated over the air: no release
can break what goes back to the other one. A release runs under a watchdog from its first line on,
and one on trial under a timer that ends it, whatever it believes of itself.
"""

import gc
import sys
import time

import machine

_WATCHDOG_MS = 30000
_AT_PROMPT_MS = 3600000
_TRIAL_MS = 900000
_PAUSE_MS = 1000  # to read an error and press Ctrl-C, and to spare the flash where it repeats


def chooser():
    """It takes no memory any more once it was asked."""
    module = __import__("chooser")
    del sys.modules["chooser"]
    return module


def run(slot, text):
    """Never returns but to a prompt."""
    machine.WDT(timeout=_WATCHDOG_MS)
    if text == "trial":
        ends = machine.Timer.ONE_SHOT
        machine.Timer(0).init(mode=ends, period=_TRIAL_MS, callback=lambda _: machine.reset())
    sys.path.insert(0, "/" + slot)
    print("answerback: slot", slot, text)
    from app import once

    go = once("start").main(slot, text)
    if go:
        go()  # what has made it ready takes no memory any more


def failed(text, why):
    """Nobody is watching: a trial is over, the traceback is kept, and it begins again."""
    gc.collect()
    try:
        sys.print_exception(why)
        if text == "trial":
            chooser().give_up(repr(why))
        from app import errorlog

        errorlog.write(why)
        time.sleep_ms(_PAUSE_MS)
    except Exception as error:
        print("answerback:", error)
    machine.reset()


def main():
    """See above."""
    slot, text = chooser().choose()
    if slot is None:
        print("answerback: no release is on this board: copy one with make deploy")
        return
    try:
        run(slot, text)
    except KeyboardInterrupt:
        machine.WDT(timeout=_AT_PROMPT_MS)
        machine.Timer(0).deinit()
        raise
    except Exception as why:
        failed(text, why)


main()
