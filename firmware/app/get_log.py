"""get_log: the errors that were kept on flash, in messages of kind `log`, oldest first."""

import asyncio

from micropython import const
from protocol.limits import LOG_TEXT
from protocol.messages import COMPLETED, FAILED
from protocol.topics import LOG

from . import once

errorlog = once("errorlog")

_WAIT_MS = const(50)
_SECONDS = const(60)
_UNCONFIRMED = const(4)  # messages; the outbox has room for more, but acks must get through


def start(node, command_id, verb, parameters):
    """See `services`."""
    node.spawn(_send(node, command_id, [name for name in errorlog.NAMES if errorlog.size(name)]))
    return _SECONDS


async def _send(node, command_id, names):
    parts = sum((errorlog.size(name) + LOG_TEXT - 1) // LOG_TEXT for name in names)
    part = 0
    try:
        for name in names:
            for at in range(0, errorlog.size(name), LOG_TEXT):
                while len(node.outbox) >= _UNCONFIRMED:
                    await asyncio.sleep_ms(_WAIT_MS)
                part += 1
                text = errorlog.read(name, at, LOG_TEXT)
                message = {"command_id": command_id, "part": part, "parts": parts, "text": text}
                node.report(LOG, "log", message)
    except OSError:
        node.finish(command_id, FAILED, "storage", {"parts": part})
    else:
        node.finish(command_id, COMPLETED, None, {"parts": part})
