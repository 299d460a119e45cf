"""Tries settings, and keeps them or goes back to those before; see config.py."""

import asyncio
import json

from micropython import const
from protocol.messages import COMPLETED, FAILED

from . import once

_FILE = const("settings.json")
_LOOK_MS = const(100)
_SAID_MS = const(2000)


async def run(node, command_id, text, new, trial_s):
    """Until it is known whether the board reaches the broker with `new`, made of `text`."""
    await _wait(lambda: not node.outbox, _SAID_MS)  # that it was accepted
    addresses, new["addresses"] = new["addresses"], new["addresses"][:1]
    _use(node, new)
    del new  # it is in use, or was
    number = node.link.number
    error = "reverted"
    if await _wait(
        lambda: node.link.number > number and node.link.down_since is None, trial_s * 1000
    ):
        error = _write(node.flash, text)
    if error:
        print("answerback: the settings on trial were no good:", error)
        _use(node, once("settings").again(node.flash))
    else:
        node.link.addresses = addresses
    node.trying = False
    state = FAILED if error else COMPLETED
    node.finish(command_id, state, error, {} if error else once("config").shown(json.loads(text)))


def _use(node, settings):
    """From now on; network and broker are left and looked for anew."""
    codec = once("assembly").codec(node, settings["broker"])
    node.hold_s = settings["hold_s"]
    node.wifi.change(settings["wifi"])
    node.link.change(settings["addresses"], codec, settings["tls"])


def _write(flash, text):
    try:
        flash.replace(_FILE, text.encode())
    except OSError:
        return "storage"
    return None


async def _wait(done, ms):
    """Whether `done()` within so long."""
    while not done() and ms > 0:
        await asyncio.sleep_ms(_LOOK_MS)
        ms -= _LOOK_MS
    return done()
