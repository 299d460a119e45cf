"""The camera's verbs: capture_image here, those of stored pictures in picture_verbs.

What takes longer is done by jobs, one after another: see camera_jobs.
"""

from micropython import const

from . import once, services

_SECONDS = const(120)


def add_verbs():
    """This board has a camera."""
    for verb in ("send_image", "list_images", "delete_image"):
        services.MODULES[verb] = "picture_verbs"
    services.MODULES["capture_image"] = "camera"


def start(node, command_id, verb, parameters):
    """See `services`."""
    once("camera_jobs").add(node, "capture", (command_id, parameters), 1)
    return _SECONDS
