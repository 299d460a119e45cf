"""Running a command from the serial console; see console.py.

Rules of this file:
- what is run from here goes the way of a command from the backend: signed with the board's key,
  under an id of its own, through the dispatcher, the journal and all limits. Only a link is not
  asked for: whoever is at the prompt is the link, and Ctrl-C is their stop;
- whenever the prompt is back, all outputs are safe.
"""

import asyncio
import json
import os

import machine
from micropython import const
from protocol import ProtocolError, encode
from protocol.fields import reason, whole
from protocol.limits import EPOCH_MAX, EPOCH_MIN
from protocol.messages import RESULTS
from protocol.verbs import verb as verb_of

from . import actuators, board, once
from .clock import ticks_ms
from .commands import Dispatcher
from .flash import Flash
from .journal import BEGUN, QUEUED, Journal
from .latch import Latch

_LIFE_S = const(60)
_LOOK_MS = const(50)
_NO_TIME = """\
The board does not know the time, and so can't tell what is too late. It asks the backend when it
connects (Ctrl-D). Without a backend tell it here: clock(seconds since 1970). From a computer:
mpremote connect PORT resume exec "import console; console.clock($(date +%s))"
"""


def run(clock, verb, target, parameters):
    """Do it and print its acks; returns when it is over. Raises ValueError (wrong settings)."""
    settings, config = once("settings").load(Flash())
    outputs = actuators.build(config, board)
    try:
        command_id, data = _command(settings["key"], clock, verb, target, parameters)
    except ProtocolError as error:
        return print("rejected:", error)
    commands = _dispatcher(settings["key"], clock, outputs)
    try:
        asyncio.run(_carry_out(commands, command_id, data))
    except KeyboardInterrupt:
        print("Ctrl-C")
    finally:
        asyncio.new_event_loop()
        commands.set_safe()
    return _explain(commands, outputs)


def clock(known, timestamp):
    """Set the clock, unless the backend has."""
    now = known.now(ticks_ms())
    why = reason(whole(EPOCH_MIN, EPOCH_MAX), timestamp)
    if now:
        print("the clock is set already:", now)
    elif why:
        print("timestamp", why)
    else:
        known.set(timestamp, ticks_ms())


def _dispatcher(key, clock, outputs):
    """As the node makes it, but that nothing is sent and no service runs."""
    boot = os.urandom(4).hex()
    journal = Journal(Flash(), boot)
    return Dispatcher(
        key, boot, clock, journal, outputs, Latch(Flash()), _no_service, _show, _nothing, _nothing
    )


def _no_service(command_id, verb, parameters):
    raise ProtocolError("unknown_type", "command_type", "is not for the prompt")


def _command(key, clock, verb, target, parameters):
    """(id, signed bytes) of a command. Raises ProtocolError."""
    known = verb_of(verb)
    if known and known.internal:
        raise ProtocolError("unknown_type", "command_type", "is for the backend alone")
    now = clock.now(ticks_ms()) or EPOCH_MIN  # without a time only a stop is obeyed
    command_id = "console-" + os.urandom(8).hex()
    message = {
        "command_id": command_id,
        "command_type": verb,
        "target": target,
        "parameters": parameters,
        "timestamp": now,
        "expires_at": now + _LIFE_S,
        "attempt": 1,
    }
    return command_id, encode("command", message, key)


async def _carry_out(commands, command_id, data):
    """Until it has its result, and nothing moves any more."""
    watchdog = board.Watchdog()
    watchdog.rest()
    commands.receive(data, ticks_ms())
    while True:
        watchdog.feed()
        commands.tick(ticks_ms())
        phase = commands._journal.find(command_id)
        if not commands.running() and phase not in (QUEUED, BEGUN):
            return
        due = commands.next_due(ticks_ms())
        await asyncio.sleep_ms(_LOOK_MS if due is None else min(due, _LOOK_MS))


def _nothing(*_):
    return 0


def _show(_kind, ack):
    words = [ack["state"] + ":"]
    if ack["error"]:
        words.append(ack["error"])
    if ack["message"] not in (ack["error"], ack["state"]):
        words.append(ack["message"])
    if ack["result"] or ack["state"] not in RESULTS:
        words.append(json.dumps(ack["result"]))
    print(*words)


def _explain(commands, outputs):
    """Why there was no answer, where there was none; and what is left to say."""
    for name in commands.dropped:
        print("not run:", name)
        if name == "clock_unset":
            print(_NO_TIME, end="")
    for name in outputs:
        if outputs[name].stuck:
            print(name, "COULD NOT BE MADE SAFE: take its power away")
    if commands.restarting:
        machine.reset()
