"""The verbs of stored pictures: send_image, list_images, delete_image."""

from micropython import const
from protocol import ProtocolError

from . import once
from .actuators import Fault

_SECONDS = const(60)
_LAST = const(99)  # in the list of jobs


def start(node, command_id, verb, parameters):
    """See `services`."""
    try:
        return _done(node, command_id, verb, parameters)
    except OSError:
        raise Fault("storage", {})


def _done(node, command_id, verb, parameters):
    pictures = once("pictures").Pictures()
    if verb == "list_images":
        return {pictures.id_of(name): _described(pictures, name) for name in pictures.names()}
    name = _find(pictures, parameters)
    if verb == "send_image":
        return _send(node, pictures, command_id, name, parameters)
    pictures.remove(name)
    return {}


def _described(pictures, name):
    return "{} {}".format(pictures.size(name), "sent" if pictures.is_sent(name) else "unsent")


def _find(pictures, parameters):
    """The name of the picture that is meant, None for all that were not sent."""
    if "image_id" not in parameters:
        if "missing" in parameters:
            raise ProtocolError("bad_parameter", "parameters.missing", "needs an image_id")
        return None
    name = pictures.find(parameters["image_id"])
    if name is None:
        raise ProtocolError("bad_parameter", "parameters.image_id", "is no picture on this board")
    return name


def _send(node, pictures, command_id, name, parameters):
    size = sum(pictures.size(one) for one in ([name] if name else pictures.names("u")))
    parts = None
    if "missing" in parameters:
        image = once("image", "protocol")
        count = image.chunks_of(size, image.CHUNK_SIZE)
        ranges = once("image_ranges", "protocol")
        parts = ranges.parse_ranges(parameters["missing"], count)
    job = (command_id, parameters.get("image_id"), parts)
    once("camera_jobs").add(node, "transfer", job, _LAST)
    return min(_SECONDS + size // 1024, 3600)  # a second for each KiB
