"""The wires of an emulated board: a line to the supervisor, one JSON object a line, both ways.

To the supervisor go events: `{"event": name, "ms": when, ...}`, `ms` being the host's monotonic
clock. From it come orders: `{"op": "pin" | "adc" | "ds18b20" | "dht" | "set" | "cut", ...}`.
Orders are taken when the firmware looks at a pin, and whenever asyncio idles; never in the middle
of other code.
A board whose supervisor is gone ends.

These files stand for what is C on a chip, and take the firmware's memory: so they use names that
MicroPython or the firmware has already wherever there are some.
"""

import json
import os
import select
import sys
import time
from time import ticks_ms as host_ms

line = open(int(os.getenv("BOARD_FD")), "r+b")  # noqa: SIM115 (for life)
poller = select.poll()
poller.register(line, select.POLLIN)

# The surroundings: ("pin", number): the level the host puts on an input, ("adc", number): what
# the ADC reads, 0 to 65535, ("irq", number): called with an input's new level, name: other facts.
values = {"wifi": True}
timers = []  # running machine.Timer objects


class Flash:
    """The flash chip: an image file as a block device, and where power fails while writing."""

    def __init__(self, path):
        self.file = open(path, "r+b")  # noqa: SIM115 (for life)
        self.left = None  # power fails in the middle of the write that makes this 0

    def readblocks(self, n, buf, start=0):
        self.file.seek(n * 4096 + start)
        self.file.readinto(buf)

    def writeblocks(self, n, buf, start=0):
        self.file.seek(n * 4096 + start)
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.file.write(bytes(buf)[: len(buf) // 2])
                send("cut")
                stop()
        self.file.write(buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self.file.seek(0, 2) // 4096
        return 4096 if op == 5 else 0


flash = Flash(os.getenv("BOARD_FLASH"))
if os.getenv("BOARD_CUT_AT"):
    flash.left = int(os.getenv("BOARD_CUT_AT"))


def send(event, **members):
    """Tells the supervisor what happened."""
    members["event"] = event
    members["ms"] = host_ms()
    line.write(json.dumps(members) + "\n")


def step():
    """Carries out the orders that have come, and runs the timers that are due."""
    while poller.poll(0):
        _obey(_read())
    for timer in timers[:]:
        timer.tick(time.ticks_ms())


def stop():
    """Nothing more happens here: the supervisor's SIGKILL comes, so no `finally` runs."""
    while True:
        poller.poll(-1)
        _read()


def _read():
    data = line.readline()
    if not data:
        sys.exit(1)  # the supervisor is gone
    return json.loads(data)


def _obey(request):
    if request["op"] == "set":
        values.update(request["members"])
    elif request["op"] == "cut":
        flash.left = request["writes"]
    else:
        place = (request["op"], request["pin"])
        before, values[place] = values.get(place, 0), request["value"]
        changed = values.get(("irq", request["pin"]))
        if changed and request["op"] == "pin" and request["value"] != before:
            changed(request["value"])


def idle():
    """Lets every asyncio loop take orders while it has nothing to do."""
    from asyncio import core

    original = core.IOQueue.wait_io_event

    def wait_io_event(queue, dt):
        if id(line) not in queue.map:  # the original drops it each time it wakes
            queue.map[id(line)] = [None, None, line]
            queue.poller.register(line, select.POLLIN)
        due = [timer.remaining(time.ticks_ms()) for timer in timers]
        original(queue, min(due + [dt]) if dt >= 0 or not due else min(due))
        step()

    core.IOQueue.wait_io_event = wait_io_event
