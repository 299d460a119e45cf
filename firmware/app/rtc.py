"""What a board keeps in the RTC's memory: it outlives deep sleep and resets, but no power cut.

The first bytes belong to `slots`. Then come FIELDS, each a whole number of 32 bits, and their
CRC-32. Memory that does not fit its CRC counts as never written: all fields are 0.
"""

import binascii
import struct

import machine

from .slots import RTC_REST

FIELDS = (
    "every_s",  # see sleep.py: seconds between two wakes, 0 for a board that does not sleep
    "awake_s",
    "quiet_s",
    "wake_at",  # Unix seconds of the wake that is to come, or was the last
    "wakes",
)
_FORMAT = "<{}I".format(len(FIELDS))


def read():
    """{field: number}."""
    data = machine.RTC().memory()[RTC_REST:]
    body = data[:-4]
    if len(body) != struct.calcsize(_FORMAT) or data[-4:] != _check(body):
        body = bytes(struct.calcsize(_FORMAT))
    return dict(zip(FIELDS, struct.unpack(_FORMAT, body)))


def write(**fields):
    """Changes some of them."""
    kept = read()
    kept.update(fields)
    body = struct.pack(_FORMAT, *[kept[name] for name in FIELDS])
    memory = machine.RTC().memory()[:RTC_REST]
    memory += bytes(RTC_REST - len(memory))
    machine.RTC().memory(memory + body + _check(body))


def _check(body):
    return struct.pack("<I", binascii.crc32(body))
