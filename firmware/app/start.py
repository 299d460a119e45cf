"""Starts this release; main.py has chosen it.

At the serial console Ctrl-C ends it, with all outputs safe, in a prompt. What is wrong with the
program itself is raised, and main.py decides what becomes of it.
"""

import asyncio
import gc
import sys

from . import flash, once

# A collection after so many bytes keeps what lives together, and the free memory in one piece.
_THRESHOLD = 8192


def main(slot, state):
    """Runs until something fails. `slot`: "a" or "b"; `state`: what main.py says of it."""
    gc.threshold(_THRESHOLD)
    storage = flash.Flash()
    try:
        # What checks the settings takes 7 KB of memory, and is not needed any more then.
        settings, config = once("settings").load(storage)
        data = storage.read("sensors.json")
        sensors = None if data is None else once("sensor_setup").setup(data, config)
    except ValueError as why:
        if state == "trial":  # the other release may have understood them
            raise
        print("answerback:", why)
        once("health").at_prompt()
        return
    from . import node

    if state.startswith("safe_mode"):
        config = {}  # boot.py has made the outputs safe, and nothing touches them any more
    board = node.Node(storage, settings, config, sensors, slot, state)
    del settings, config, data, sensors  # the board has kept what it needs
    _run(board)


def _run(board):
    """Never returns but for Ctrl-C."""
    try:
        asyncio.run(board.run())
    except KeyboardInterrupt:
        once("health").at_prompt()
        asyncio.new_event_loop()
        sys.modules["app"].stopped = board  # type: ignore[attr-defined]  # for console.py
    finally:
        board.commands.set_safe()
    print("answerback: stopped, outputs are safe; Ctrl-D starts it again")
