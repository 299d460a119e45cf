"""A twin: the firmware does one command and tells the supervisor, in virtual time; tools/twin.py.

Stands where main.py would. The firmware is the real one, but for its link: the command is handed
to it as one that came, and what it says becomes an event. Time stands still while it works, and
jumps where it waits.
"""

import asyncio
import json
import sys
import time
from asyncio import core

import _board

sys.path.insert(0, "/a")

# Ahead of the real clock, which asyncio's queue takes for "now": see _skip.
moment = [time.ticks_ms() + 1000000]
said = []


def ticks_ms():
    return moment[0]


def wait_io_event(queue, dt):
    moment[0] += max(dt, 0)
    _board.step()


def say(node, kind, message):
    said.append(message["state"])
    _board.send("said", ack=message)


def go(node):
    with open("/twin.json") as file:
        about = json.load(file)
    asyncio.run(both(node, about))


async def both(node, about):
    node.look_ms = node.link.down_since = None  # it has proved itself, and stands
    asyncio.create_task(node._act())
    now = ticks_ms()
    node.clock.set(about["now"], now)
    node.commands.latch.on = node.latched = about["latched"]
    for name, one in about["sensors"].items():
        node.commands.latest[name] = one["value"], now - one["age_s"] * 1000
    for name in about["running"]:
        if name in node.actuators:
            one = node.actuators[name]
            one.command_id, one._began_ms = "running", now
            one.for_ms = one.facts["longest_s"] * 1000
    _board.send("begin")
    node.heard("", bytes.fromhex(about["data"]))
    target = node.actuators.get(about["target"])
    while not said or said[-1] == "accepted" or target and target.command_id == "twin":
        await asyncio.sleep_ms(1000)


time.ticks_ms = core.ticks = _board.host_ms = ticks_ms
core.IOQueue.wait_io_event = wait_io_event

from app import once  # noqa: E402 (after time has become virtual)
from app.node import Node  # noqa: E402

Node.go, Node.acknowledge = go, say
try:
    begin = once("start").main("a", "confirmed")
    if begin:
        begin()
except Exception as why:
    sys.print_exception(why)
_board.send("done")
_board.stop()
