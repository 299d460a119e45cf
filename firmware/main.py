"""Starts the board. At the serial console Ctrl-C ends it, with all outputs safe, in a prompt."""

import asyncio
import gc
import sys
import time

import machine

sys.path.append("/lib")  # where a port does not look by itself

# A collection after so many bytes keeps what lives together, and the free memory in one piece.
gc.threshold(8192)

_PAUSE_MS = 1000  # to read an error and press Ctrl-C, and to spare the flash where it repeats


def main():
    """Run until something fails; then write down why, and start over."""
    from app import flash, once

    storage = flash.Flash()
    try:
        # What checks the settings takes 7 KB of memory, and is not needed any more then.
        config = once("settings").load(storage)
        data = storage.read("sensors.json")
        sensors = None if data is None else once("sensor_setup").setup(data, config[1])
    except ValueError as why:
        print("answerback:", why)
        return
    from app import node

    board = node.Node(storage, config[0], config[1], sensors)
    del config, data, sensors  # the board has kept what it needs
    run(board)


def run(board):
    """Never returns but for Ctrl-C."""
    try:
        asyncio.run(board.run())
    except KeyboardInterrupt:
        import app

        board.rest()
        asyncio.new_event_loop()
        app.stopped = board  # type: ignore[attr-defined]  # console.py takes it from here
    finally:
        board.stop()
    print("answerback: stopped, outputs are safe; Ctrl-D starts it again")


def restart(why):
    """Nobody is watching: keep the traceback, and begin again, whatever happens on the way."""
    gc.collect()
    try:
        sys.print_exception(why)
        from app import errorlog

        errorlog.write(why)
        time.sleep_ms(_PAUSE_MS)
    except Exception as error:
        print("answerback:", error)
    machine.reset()


try:
    main()
except Exception as why:
    restart(why)
