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

MODULES = {
    "get_log": "get_log",
    "read_sensors": "read_sensors",
    "get_config": "config",
    "update_config": "update_config",
    "set_wake_schedule": "wake_schedule",
    "sleep": "wake_schedule",
    "update_firmware": "update_firmware",
}
OF_A_CAMERA = {
    "capture_image": "camera",
    "send_image": "picture_verbs",
    "list_images": "picture_verbs",
    "delete_image": "picture_verbs",
}


def module_of(verb, flash):
    """What serves a verb. Raises ProtocolError (unknown_type), MemoryError."""
    name = MODULES.get(verb)
    if name is None and flash.read("camera.json") is not None:
        name = OF_A_CAMERA.get(verb)
    if name is None:
        raise ProtocolError("unknown_type", "command_type", "is no command of this board")
    return once(name)
