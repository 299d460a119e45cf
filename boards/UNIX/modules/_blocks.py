"""How long the firmware keeps asyncio's loop from turning: the processor's time, step by step.

A step is what one task does until it waits again. It is measured in this process's CPU time: what
other programs make the machine do meanwhile does not count. A step that takes BOARD_BLOCKS ms or
more becomes an event, with the part of it that went into operations worth a name. An operation
that uses another (an import reads flash) includes it.
"""

import builtins
import gc
import hashlib
import os
import sys
import time
from asyncio import core

import _board

_LEAST_US = int(float(os.getenv("BOARD_BLOCKS")) * 1000)
spent = {}  # operation: microseconds, in this step


def now_us():
    return int(time.clock() * 1000000)


def timed(name, function):
    """`function`, its time added to that of the operation."""

    def call(*args):
        began = now_us()
        try:
            return function(*args)
        finally:
            spent[name] = spent.get(name, 0) + now_us() - began

    return call


class Sha256:
    def __init__(self, data=b""):
        self._hash = hashlib.sha256()
        self.digest = timed("sha256", self._hash.digest)
        self.update = timed("sha256", self._hash.update)
        self.update(data)


class Module:
    """Another module with one of its members replaced."""

    def __init__(self, module, name, value):
        for each in dir(module):
            if each not in ("__class__", "__name__", "__dict__"):
                setattr(self, each, getattr(module, each))
        setattr(self, name, value)


def watch():
    flash = _board.Flash
    flash.writeblocks = timed("flash write", flash.writeblocks)
    flash.readblocks = timed("flash read", flash.readblocks)
    builtins.__import__ = timed("import", __import__)
    sys.modules["gc"] = Module(gc, "collect", timed("gc", gc.collect))
    sys.modules["hashlib"] = Module(hashlib, "sha256", Sha256)
    original = core.IOQueue.wait_io_event
    began = now_us()

    def wait_io_event(queue, dt):
        nonlocal began
        took = now_us() - began
        if took >= _LEAST_US:
            task = str(core.cur_task and core.cur_task.coro)
            _board.send("block", us=took, task=task, spent=spent)
        spent.clear()
        original(queue, dt)
        began = now_us()

    core.IOQueue.wait_io_event = wait_io_event


watch()
