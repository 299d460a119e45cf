"""Taking a picture: the camera is on only for that, and the picture goes to flash piece by piece.

Rules of this file:
- while the driver starts up, which takes most of a second, nothing else runs: so it begins only
  when no action is about to end;
- whatever happens, light and camera are off afterwards.
"""

import asyncio
import binascii

from micropython import const
from protocol.limits import IMAGE_BYTES
from protocol.messages import COMPLETED

from . import board, once
from .actuators import Fault
from .clock import ticks_ms
from .flash import Flash

_QUIET_MS = const(3000)  # no action may end sooner than that
_WAIT_MS = const(60000)  # for that to be so
_LOOK_MS = const(20)
_FRAME_MS = const(2000)  # for a frame to be there
_SETTLE = const(3)  # frames, until the exposure is right


async def run(node, command_id, parameters):
    """Take one; then it is sent, unless `send` is false. See camera_jobs. Raises Fault."""
    config = _config()
    if parameters.get("flash") and config["flash_pin"] is None:
        raise Fault("bad_parameter", {})
    await _quiet(node)
    result = await _taken(node, command_id, parameters, config)
    all_unsent = ("transfer", ("", None, None))
    if parameters.get("send", True) and all_unsent not in node.camera[1:]:
        node.camera.append(all_unsent)
    return COMPLETED, None, result


def _config():
    """What camera.json says; it was right when this board started."""
    try:
        config = once("camera_settings").load(Flash())
    except ValueError as why:
        once("errorlog").write(why)
        config = None
    if config is None:
        raise Fault("hardware", {})
    return config


async def _quiet(node):
    """Wait until the driver may block. Raises Fault (busy)."""
    for _ in range(_WAIT_MS // _LOOK_MS):
        due = node.commands.next_due(ticks_ms())
        if due is None or due > _QUIET_MS:
            return
        await asyncio.sleep_ms(_LOOK_MS)
    raise Fault("busy", {})


async def _taken(node, image_id, parameters, config):
    """The result. Raises Fault."""
    camera = Camera(config, parameters.get("quality", config["quality"]))
    try:
        picture = await camera.picture(parameters.get("flash"))
        size = len(picture)
        digest = await _stored(node, image_id, picture, config)
    finally:
        camera.close()
    return {"image_id": image_id, "bytes": size, "sha256": binascii.hexlify(digest).decode()}


class Camera:
    """A camera that is on; what goes wrong with it is a Fault (hardware), and the log says why."""

    def __init__(self, config, quality):
        self._config = config
        module = _safely(once, "camera_driver")
        self._driver = _safely(module.opened, config, quality)

    async def picture(self, flash):
        """A JPEG, with light if `flash`; good until `close`."""
        config = self._config
        light = board.Output(config["flash_pin"], config["flash_active_low"]) if flash else None
        try:
            if light:
                light.on()
            for _ in range(_SETTLE):
                await self._frame()
                _safely(self._driver.free)
            return await self._frame()
        finally:
            if light:
                light.off()

    def close(self):
        """Off."""
        _safely(self._driver.close)

    async def _frame(self):
        for _ in range(_FRAME_MS // _LOOK_MS):
            if _safely(self._driver.ready):
                return _safely(self._driver.capture)
            await asyncio.sleep_ms(_LOOK_MS)
        raise Fault("hardware", {})


def _safely(function, *arguments):
    # What drivers raise; ImportError where there is none, AttributeError where it does not
    # know a frame size.
    try:
        return function(*arguments)
    except (
        OSError, ValueError, TypeError, RuntimeError, ImportError, AttributeError, MemoryError,
    ) as why:  # fmt: skip
        once("errorlog").write(why)
        raise Fault("hardware", {})


async def _stored(node, image_id, picture, config):
    """Its SHA-256, once it is on flash. Raises Fault (too_large, full, storage)."""
    size = len(picture)
    if size > IMAGE_BYTES:
        raise Fault("too_large", {"bytes": size})
    pictures = once("pictures").Pictures()
    writing = once("picture_writing")
    facts = (node.time(), config["width"], config["height"])
    try:
        if not writing.room_for(pictures, size):
            raise Fault("full", {"bytes": size})
        for _ in writing.write(pictures, image_id, memoryview(picture), *facts):
            await asyncio.sleep_ms(0)
        return pictures.facts(pictures.find(image_id))[1]
    except OSError:
        writing.give_up(pictures)
        raise Fault("storage", {"bytes": size})
