"""Commands that move nothing: reading the log, changing the configuration, and the like.

Each group of verbs is a module of its own, loaded when it is asked for and let go afterwards. Its
`start(node, command_id, verb, parameters)` does one of four things:
- it returns a result, a dict of scalars: the command is COMPLETED;
- it returns a number of seconds, within which `node.finish(command_id, state, error, result)` will
  be called;
- it raises Fault: the command FAILED with that code;
- it raises ProtocolError: the command is REJECTED, and nothing was done.
It is on flash as begun when `start` is called, and after a power cut its answer is `interrupted`.
"""

from protocol import ProtocolError

from . import once

MODULES = {  # a camera adds its own
    "get_log": "get_log",
    "read_sensors": "read_sensors",
    "get_config": "config",
    "update_config": "config",
    "set_wake_schedule": "sleep",
    "sleep": "sleep",
    "update_firmware": "update_firmware",
}


class Services:
    """The services of a board; `verb in services` is whether it has one."""

    def __init__(self, node):
        self._node = node

    def __contains__(self, verb):
        return verb in MODULES

    def start(self, command_id, verb, parameters):
        """See above."""
        try:
            module = once(MODULES[verb])
        except MemoryError:
            raise ProtocolError("busy", "command_type", "needs more memory than there is now")
        return module.start(self._node, command_id, verb, parameters)
