"""What the serial console shows of the board; see console.py."""

import gc
import json

import machine
import network

from . import VERSION, errorlog, once
from . import journal as journals
from .clock import ticks_ms
from .flash import Flash
from .latch import Latch

_SECRETS = ("key", "pass", "secret", "token")  # what stands in the name of one
_HELP = """\
status()     the board, its memory, its link      wifi()      networks and address
pins()       what is wired where, and its level   settings()  /settings.json, secrets masked
journal()    what became of each command          log()       the errors kept on flash
run("feed", "feeder1", amount=5)                  run("water", "valve1", action="fill", seconds=3)
run("switch", "light1", state="on", seconds=5)    run("stop")
clock(1800000000)   tell a board that does not know it the time, in Unix seconds
Ctrl-C ends a run, with all outputs safe. Ctrl-D starts the program again.
"""


def help():
    """What there is."""
    print(_HELP, end="")


def status(clock, reason, dropped):
    """The board, its memory, its link; what the program that was stopped knew of it."""
    values = _file("/settings.json")
    broker = values.get("broker") or {}
    print("board     ", values.get("board_id"), "with firmware", VERSION)
    print("started by", once("origin").reset_cause())
    print("clock     ", clock.now(ticks_ms()) or "not set")
    print("emergency stop", 'holds until run("clear_stop")' if Latch(Flash()).on else "off")
    print("broker    ", broker.get("host"), broker.get("port", 1883), reason)
    print("dropped   ", {name: dropped[name] for name in dropped if dropped[name]})
    gc.collect()
    print("memory    ", gc.mem_free(), "bytes free")


def pins():
    """What /actuators.json says is wired where, and the level of each pin now."""
    config = _file("/actuators.json").get("actuators", {})
    for name in sorted(config):
        for field in ("pin", "fill_pin", "drain_pin"):
            if field in config[name]:
                number = config[name][field]
                level = "high" if machine.Pin(number).value() else "low"
                kind = config[name].get("kind")
                print("{:12} {:7} {:9} GPIO {:2} {}".format(name, kind, field, number, level))


def journal():
    """What became of each command."""
    kept = once("recovery").Found(Flash())
    for lines in kept.lines:
        for line in journals.lines_in(lines):
            name, entry = line.split(b" ", 1)
            ended = journals.phase_of(entry) == journals.ENDED
            print(name.decode(), *(journals.answer_of(entry) if ended else ("under way",)))
    if kept.bad:
        print(kept.bad, "lines are corrupt")


def settings():
    """What /settings.json holds, secrets masked."""
    values = _file("/settings.json")
    for name in sorted(values):
        print("{:10} {}".format(name, json.dumps(_masked(name, values[name]))))


def wifi():
    """The networks it knows, and how it is connected."""
    for known in _file("/settings.json").get("wifi", []):
        print("knows    ", known.get("ssid"))
    station = network.WLAN(network.STA_IF)
    if station.isconnected():
        address = station.ifconfig()[0] if hasattr(station, "ifconfig") else "(emulated)"
        print("connected", address, station.status("rssi"), "dBm")
    else:
        print("not connected")


def log():
    """The errors that were kept on flash, oldest first."""
    for name in errorlog.NAMES:
        for at in range(0, errorlog.size(name), 256):
            print(errorlog.read(name, at, 256), end="")


def _file(path):
    """The object in a file of JSON; what is wrong with it is printed."""
    try:
        with open(path) as file:
            value = json.load(file)
    except (OSError, ValueError) as why:
        print(path, "can't be read:", why)
        return {}
    return value if type(value) is dict else {}


def _masked(name, value):
    if type(value) is dict:
        return {key: _masked(key, value[key]) for key in value}
    if type(value) is list:
        return [_masked(name, one) for one in value]
    return "***" if value and any(word in name for word in _SECRETS) else value
