"""update_firmware: brings a release into the spare slot, and begins its trial.

Rules of this file:
- the slot that runs is never touched; the spare one is no release from the first change on to the
  last, for its release.json goes first and comes last;
- everything is checked where it lies on flash: the manifest against the command's SHA-256 and this
  board's key, each file against the manifest;
- what is on flash already is not fetched again, so a command that is given again goes on where an
  earlier one ended;
- nothing waits here for the network or computes for long, and the board restarts only when
  nothing moves.
"""

import asyncio
import gc

from micropython import const
from protocol import ProtocolError
from protocol.messages import COMPLETED, FAILED

from . import once
from .actuators import Fault

_SECONDS = const(900)
_QUIET_MS = const(200)
_ENOSPC = const(28)  # MicroPython's errno has no name for it


def start(node, command_id, verb, parameters):
    """See `services`."""
    if node.updating or node.slot_state == "trial":
        raise ProtocolError("busy", "slot", "must be confirmed first")
    gc.collect()  # it takes what is free in one piece
    address = once("download").split(parameters["url"])
    node.updating = True
    node.spawn(_update(node, command_id, address, parameters))
    return _SECONDS


async def _update(node, command_id, address, wanted):
    try:
        release = once("release").Release(node, address, wanted, _SECONDS)
        trial = await release.install()
        result = release.result()
    except Fault as fault:
        node.finish(command_id, FAILED, fault.code, fault.result)
        return
    except MemoryError:
        node.finish(command_id, FAILED, "busy", {})
        return
    except OSError as why:
        code = "no_space" if why.errno == _ENOSPC else "storage"
        node.finish(command_id, FAILED, code, {})
        return
    finally:
        node.updating = False
    node.finish(command_id, COMPLETED, None, result)
    if trial:
        while node.moving():
            await asyncio.sleep_ms(_QUIET_MS)
        node.commands.restarting = True
        node.restart()
