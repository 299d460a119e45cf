"""What the board does by itself when a limit is crossed, also where nobody else is there.

It gives itself a command, signed and with an id of its own, which goes the way of any other:
through the dispatcher, the journal, interlocks and bounds, and its acks say what became of it.
Before the board knows the time nothing is done, and it is tried again with the next reading.
"""

import json

from protocol import ProtocolError, encode

_LIFE_S = 60


def act(node, limit, now_ms):
    """Do what is due for a limit that `acts`."""
    now, way = node.time(), "do" if limit.crossed else "undo"
    data = node.flash.read("limits.json")
    if not now or data is None:
        return
    limit.reflex[1] = now_ms if limit.crossed else None
    values = json.loads(data.decode()).get(limit.name, {})
    if way not in values:
        return
    message = json.loads(values[way])
    message["command_id"] = "{}-{}-{}-{}".format(limit.name, way, node.boot, now_ms)
    message["timestamp"], message["expires_at"], message["attempt"] = now, now + _LIFE_S, 1
    try:
        node.heard("", encode("command", message, node.key))
    except ProtocolError:
        node.commands.drop("reflex")
