"""The wires of an emulated board: a line to the supervisor, one JSON object a line, both ways.

To the supervisor go events: `{"event": name, "ms": when, ...}`, `ms` being the host's monotonic
clock. From it come orders: `{"op": "pin" | "adc" | "set" | "cut", ...}`. Orders are taken when
the firmware looks at a pin, and whenever asyncio idles; never in the middle of other code.
A board whose supervisor is gone ends.
"""

import json
import os
import select
import sys
import time

_line = open(int(os.getenv("BOARD_FD")), "r+b")  # noqa: SIM115 (for life)
_waiting = select.poll()
_waiting.register(_line, select.POLLIN)

levels = {}  # pin -> level the host puts on an input
readings = {}  # pin -> what the ADC reads, 0 to 65535
world = {"wifi": True}  # facts about the surroundings
watchers = {}  # pin -> called with the new level when the host changes an input
timers = []  # running machine.Timer objects


class Flash:
    """The flash chip: an image file as a block device, and where power fails while writing."""

    BLOCK = 4096

    def __init__(self, path):
        self._image = open(path, "r+b")  # noqa: SIM115 (for life)
        self._blocks = os.stat(path)[6] // self.BLOCK
        self.writes_left = None  # power fails in the middle of the write that makes this 0

    def readblocks(self, block, buffer, offset=0):
        self._image.seek(block * self.BLOCK + offset)
        self._image.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._image.seek(block * self.BLOCK + offset)
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left == 0:
                self._image.write(bytes(buffer)[: len(buffer) // 2])
                send("cut")
                hang()
        self._image.write(buffer)

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._blocks
        if operation == 5:
            return self.BLOCK
        return 0


flash = Flash(os.getenv("BOARD_FLASH"))
if os.getenv("BOARD_CUT_AT"):
    flash.writes_left = int(os.getenv("BOARD_CUT_AT"))


def send(event, **members):
    """Tells the supervisor what happened."""
    members["event"] = event
    members["ms"] = time.ticks_ms()
    _line.write(json.dumps(members) + "\n")


def pump():
    """Carries out the orders that have come, and runs the timers that are due."""
    while _waiting.poll(0):
        _obey(_read())
    for timer in timers[:]:
        timer.tick(time.ticks_ms())


def hang():
    """Nothing more happens here: the supervisor's SIGKILL comes, so no `finally` runs."""
    while True:
        _waiting.poll(-1)
        _read()


def _read():
    line = _line.readline()
    if not line:
        sys.exit(1)  # the supervisor is gone
    return json.loads(line)


def _obey(order):
    if order["op"] == "pin":
        pin, level = order["pin"], order["value"]
        before, levels[pin] = levels.get(pin, 0), level
        if level != before and pin in watchers:
            watchers[pin](level)
    elif order["op"] == "adc":
        readings[order["pin"]] = order["value"]
    elif order["op"] == "set":
        world.update(order["members"])
    elif order["op"] == "cut":
        flash.writes_left = order["writes"]


def serve_while_idle():
    """Lets every asyncio loop take orders while it has nothing to do."""
    from asyncio import core

    original = core.IOQueue.wait_io_event

    def wait_io_event(queue, delay):
        if id(_line) not in queue.map:  # the original drops it each time it wakes
            queue.map[id(_line)] = [None, None, _line]
            queue.poller.register(_line, select.POLLIN)
        due = [timer.due_in(time.ticks_ms()) for timer in timers]
        original(queue, min(due + [delay]) if delay >= 0 or not due else min(due))
        pump()

    core.IOQueue.wait_io_event = wait_io_event
