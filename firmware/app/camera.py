"""The camera's verbs; what runs longer is in modules of its own, which are let go afterwards.

`node.camera` is what is under way: a Transfer, or None where nothing is.
"""

from micropython import const
from protocol import ProtocolError

from . import once
from .actuators import Fault
from .flash import Flash

_CAPTURE_S = const(120)
_SEND_S = const(60)  # and a second for each KiB


def start(node, command_id, verb, parameters):
    """See `services`."""
    config = _config()
    try:
        return _done(node, once("pictures").Pictures(), command_id, verb, parameters, config)
    except OSError:
        raise Fault("storage", {})


def _done(node, pictures, command_id, verb, parameters, config):
    if verb == "capture_image":
        return _capture(node, pictures, command_id, parameters, config)
    if verb == "list_images":
        return {name[8:]: _described(pictures, name) for name in pictures.names()}
    name = _find(pictures, parameters)
    if verb == "send_image":
        return _send(node, pictures, command_id, name, parameters)
    pictures.remove(name)
    return {}


def _send(node, pictures, command_id, name, parameters):
    parts = _parts(pictures, name, parameters)
    names = [name] if name else pictures.names("u")
    size = sum(pictures.size(one) for one in names)
    _transfer(node, pictures).add(command_id, parameters.get("image_id"), parts)
    return min(_SEND_S + size // 1024, 3600)


def _transfer(node, pictures):
    """What is under way; made where nothing is."""
    if node.camera is None:
        node.camera = once("transfer").Transfer(node, pictures)
    return node.camera


def _config():
    try:
        config = once("camera_settings").load(Flash())
    except ValueError as why:
        once("errorlog").write(why)
        raise ProtocolError("hardware", "camera.json", str(why))
    if config is None:
        raise ProtocolError("unknown_type", "command_type", "needs a camera: no /camera.json")
    return config


def _described(pictures, name):
    return "{} {}".format(pictures.size(name), "unsent" if name[6] == "u" else "sent")


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


def _parts(pictures, name, parameters):
    """The chunks that are asked for as [(first, last)], None for all."""
    if "missing" not in parameters:
        return None
    from protocol import image

    size = pictures.size(name)
    return image.parse_ranges(parameters["missing"], image.chunks_of(size, image.CHUNK_SIZE))


def _capture(node, pictures, command_id, parameters, config):
    if parameters.get("flash") and config["flash_pin"] is None:
        reason = "is not possible: camera.json names no flash_pin"
        raise ProtocolError("bad_parameter", "parameters.flash", reason)
    under_way = _transfer(node, pictures)
    if under_way.capturing:
        raise ProtocolError("busy", "command_type", "a picture is being taken")
    under_way.capturing = True
    taking = once("capture").take(node, pictures, command_id, parameters, config)
    node.spawn(taking)
    return _CAPTURE_S
