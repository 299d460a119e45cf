"""Makes this release ready to run; main.py has chosen it.

At the serial console Ctrl-C ends it, with all outputs safe, in a prompt. What is wrong with the
program itself is raised, and main.py decides what becomes of it.
"""

import gc

from . import flash, once

# A collection after so many bytes keeps what lives together, and the free memory in one piece.
_THRESHOLD = 8192


def main(slot, state):
    """What runs it until something fails, or None where it can't. `slot`: "a" or "b"; `state`:
    what main.py says of it.
    """
    gc.threshold(_THRESHOLD)
    storage = flash.Flash()
    _make_names(slot)
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
        return None
    if state.startswith("safe_mode"):
        config = {}  # boot.py has made the outputs safe, and nothing touches them any more
    board = once("assembly").assembled(storage, settings, config, slot, state)
    if sensors:
        from .sensors import Sensors  # it takes memory only where there are some

        board.sensors = Sensors(board, board.outbox, board.clock, sensors)
        if storage.read("limits.json") is not None:
            once("pushed").load(board)
    elif sensors is not None:
        board.commands.dropped["sensors_file"] = 1
    return board.go


def _make_names(slot):
    """So that what is loaded later finds them: see tools/slim.py."""
    try:
        with open("/" + slot + "/app/names") as file:
            for line in file:
                getattr(file, line[:-1], None)
    except OSError:
        pass  # it does without
