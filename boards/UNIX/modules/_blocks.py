"""How long the firmware keeps asyncio's loop from turning: the processor's time, step by step.

A step is what one task does until it waits again. It is measured in this process's CPU time, in
whole ms: what other programs make the machine do meanwhile does not count. A step that takes
BOARD_BLOCKS ms or more becomes an event, with how often operations worth a name were done in it
and how long they took. One that uses another (an import reads flash) includes it.
"""

import builtins
import gc
import hashlib
import os
import sys
import time

import _board

_LEAST_MS = int(os.getenv("BOARD_BLOCKS"))
spent = {}  # operation: [how often, ms], in this step
under_way = []
_open = open


def now_ms():
    return round(time.clock() * 1000)


def timed(name, function):
    """`function`, its time added to that of the operation; once where it uses itself."""

    def call(*args):
        if name in under_way:
            return function(*args)
        began = now_ms()
        under_way.append(name)
        try:
            return function(*args)
        finally:
            under_way.remove(name)
            one = spent.setdefault(name, [0, 0])
            one[0] += 1
            one[1] += now_ms() - began

    return call


class Sha256:
    def __init__(self, data=b""):
        self._hash = hashlib.sha256()
        self.digest = timed("sha256", self._hash.digest)
        self.update = timed("sha256", self._hash.update)
        self.update(data)


class Module:
    def __init__(self, values):
        for name in values:
            if name not in ("__class__", "__name__", "__dict__"):
                setattr(self, name, values[name])


class File:
    """An open file whose every use is timed."""

    def __init__(self, file):
        self._file = file
        self.read = timed("flash read", file.read)
        self.readinto = timed("flash read", file.readinto)
        self.write = timed("flash write", file.write)
        self.close = timed("flash write", file.close)
        self.flush = timed("flash write", file.flush)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __iter__(self):
        return iter(self._file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def opened(*args):
    return File(_open(*args))


def replaced(module, names, operation):
    """The module from now on, its members of these names timed."""
    values = {each: getattr(module, each) for each in dir(module)}
    for name in names:
        values[name] = timed(operation, values[name])
    return Module(values)


def watch():
    """From now on; asyncio must find the `time` it is to have."""
    from asyncio import core

    builtins.__import__ = timed("import", __import__)
    builtins.open = timed("flash open", opened)
    sys.modules["gc"] = replaced(gc, ["collect"], "gc")
    names = ["rename", "remove", "stat", "statvfs", "ilistdir", "listdir", "mkdir", "rmdir"]
    sys.modules["os"] = replaced(os, names, "flash other")
    hashes = sys.modules["hashlib"] = replaced(hashlib, [], "")
    hashes.sha256 = Sha256
    original, began = core.IOQueue.wait_io_event, None

    def wait_io_event(queue, dt):
        nonlocal began
        took = 0 if began is None else now_ms() - began
        if took >= _LEAST_MS:
            task = str(core.cur_task and core.cur_task.coro)
            _board.send("block", took=took, task=task, spent=spent)
        spent.clear()
        original(queue, dt)
        began = now_ms()

    core.IOQueue.wait_io_event = wait_io_event
