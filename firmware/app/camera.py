"""The camera's verbs. What takes longer is done by jobs, see camera_jobs: one after another."""

from micropython import const
from protocol import ProtocolError

from . import once, services
from .actuators import Fault
from .flash import Flash

_SECONDS = const(120)


def add_verbs():
    """This board has a camera."""
    for verb in once("image_verbs", "protocol").add():
        services.MODULES[verb] = "camera"


def start(node, command_id, verb, parameters):
    """See `services`."""
    try:
        if verb == "capture_image":
            return _capture(node, command_id, parameters)
        pictures = once("pictures").Pictures()
        if verb == "list_images":
            return {pictures.id_of(name): _described(pictures, name) for name in pictures.names()}
        name = _find(pictures, parameters)
        if verb == "send_image":
            return _send(node, pictures, command_id, name, parameters)
        pictures.remove(name)
        return {}
    except OSError:
        raise Fault("storage", {})


def _capture(node, command_id, parameters):
    try:
        config = once("camera_settings").load(Flash())
    except ValueError as why:
        once("errorlog").write(why)
        config = None
    if config is None:  # it was right when this board started
        raise ProtocolError("hardware", "camera.json", "is missing or wrong; see get_log")
    if parameters.get("flash") and config["flash_pin"] is None:
        reason = "is not possible: camera.json names no flash_pin"
        raise ProtocolError("bad_parameter", "parameters.flash", reason)
    once("camera_jobs").add(node, "capture", (command_id, parameters, config), 1)
    return _SECONDS


def _send(node, pictures, command_id, name, parameters):
    size = sum(pictures.size(one) for one in ([name] if name else pictures.names("u")))
    parts = None
    if "missing" in parameters:
        image = once("image", "protocol")
        count = image.chunks_of(size, image.CHUNK_SIZE)
        ranges = once("image_ranges", "protocol")
        parts = ranges.parse_ranges(parameters["missing"], count)
    job = (command_id, parameters.get("image_id"), parts)
    once("camera_jobs").add(node, "transfer", job, 16)
    return min(_SECONDS + size // 1024, 3600)  # a second for each chunk


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
