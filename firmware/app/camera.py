"""The camera's verbs: capture_image here, those of stored pictures in picture_verbs.

What takes longer is done by jobs, one after another: see camera_jobs.
"""

from micropython import const

from . import once

_SECONDS = const(120)


def start(node, command_id, verb, parameters):
    """See `services`."""
    once("camera_jobs").add(node, "capture", (command_id, parameters), 1)
    return _SECONDS
