"""What the camera has to do, one after another: taking a picture, sending some.

A job is (module, arguments): `once(module).run(node, *arguments)` returns (state, error, result)
or raises Fault. The first argument is the command's id, or "" where nobody asked. The modules of
one job are let go before those of the next are loaded, for a small board has no room for both.
`node.camera` is the list, the job that is being done first, or None.
"""

import gc

from micropython import const
from protocol import ProtocolError
from protocol.messages import FAILED

from . import once
from .actuators import Fault

_LIMIT = const(6)


def add(node, module, arguments, place):
    """Do it when its turn comes; it overtakes all from that place in the list on.

    Raises ProtocolError (busy).
    """
    if node.camera is None:
        node.camera = []
        node.spawn(_run(node))
    if len(node.camera) >= _LIMIT:
        raise ProtocolError("busy", "command_type", "the camera has too much to do already")
    node.camera.insert(place, (module, arguments))


async def _run(node):
    while node.camera:
        module, arguments = node.camera[0]
        gc.collect()  # else what the job before has left lies between its modules
        try:
            done = await once(module).run(node, *arguments)
        except Fault as fault:
            done = FAILED, fault.code, fault.result
        except MemoryError:
            done = FAILED, "busy", {}
        if arguments[0]:
            node.finish(arguments[0], *done)
        del node.camera[0]
    node.camera = None
