"""Taking a picture: the camera is on only for that, and the picture goes to flash piece by piece.

Rules of this file:
- while the driver starts up, which takes most of a second, nothing else runs: so it begins only
  when no action is about to end;
- whatever happens, light and camera are off afterwards.
"""

import asyncio
import binascii

from micropython import const
from protocol.image import IMAGE_BYTES
from protocol.messages import COMPLETED, FAILED

from . import board, once
from .actuators import Fault
from .clock import ticks_ms

_QUIET_MS = const(3000)  # no action may end sooner than that
_WAIT_MS = const(60000)  # for that to be so
_LOOK_MS = const(20)
_FRAME_MS = const(2000)  # for a frame to be there
_SETTLE = const(3)  # frames, until the exposure is right


async def take(node, pictures, command_id, parameters, config):
    """Take one and say what became of it; then it is sent, unless `send` is false."""
    under_way = node.camera
    try:
        result = await _taken(node, pictures, command_id, parameters, config)
    except Fault as fault:
        node.finish(command_id, FAILED, fault.code, fault.result)
    else:
        node.finish(command_id, COMPLETED, None, result)
        if parameters.get("send", True):
            under_way.add("", None, None)
    under_way.capturing = False
    under_way.rest()


async def _taken(node, pictures, image_id, parameters, config):
    await _quiet(node)
    driver = _guarded((ImportError,), once, "camera_driver")
    light = _light(config) if parameters.get("flash") else None
    quality = parameters.get("quality", config["quality"])
    camera = _guarded(driver.FAILURES, driver.opened, config, quality)
    try:
        picture = await _frame(driver, camera, light)
        where = (image_id, picture, node.now(), config["width"], config["height"])
        digest = await _stored(pictures, *where)
        size = len(picture)
    finally:
        _guarded(driver.FAILURES, camera.close)
    digest = binascii.hexlify(digest).decode()
    return {"image_id": image_id, "bytes": size, "sha256": digest}


async def _quiet(node):
    """Wait until the driver may block. Raises Fault (busy)."""
    for _ in range(_WAIT_MS // _LOOK_MS):
        due = node.commands.next_due(ticks_ms())
        if due is None or due > _QUIET_MS:
            return
        await asyncio.sleep_ms(_LOOK_MS)
    raise Fault("busy", {})


def _light(config):
    return board.Output(config["flash_pin"], config["flash_active_low"])


async def _frame(driver, camera, light):
    """The picture. Raises Fault (hardware)."""
    try:
        if light:
            light.on()
        for _ in range(_SETTLE):
            await _next(driver, camera)
            _guarded(driver.FAILURES, camera.free)
        return await _next(driver, camera)
    finally:
        if light:
            light.off()


async def _next(driver, camera):
    for _ in range(_FRAME_MS // _LOOK_MS):
        if _guarded(driver.FAILURES, camera.ready):
            return _guarded(driver.FAILURES, camera.capture)
        await asyncio.sleep_ms(_LOOK_MS)
    raise Fault("hardware", {})


async def _stored(pictures, image_id, picture, captured, width, height):
    """Its SHA-256, once it is on flash. Raises Fault (full, storage)."""
    if len(picture) > IMAGE_BYTES:
        raise Fault("too_large", {"bytes": len(picture)})
    try:
        if not pictures.room_for(len(picture)):
            raise Fault("full", {"bytes": len(picture)})
        for _ in pictures.write(image_id, memoryview(picture), captured, width, height):
            await asyncio.sleep_ms(0)
        return pictures.facts(pictures.find(image_id))[1]
    except OSError:
        _removed(pictures)
        raise Fault("storage", {"bytes": len(picture)})


def _removed(pictures):
    try:
        pictures.tidy()
    except OSError:
        pass  # the next picture tries again


def _guarded(failures, function, *arguments):
    """What the function returns. Raises Fault (hardware), and the log says why."""
    try:
        return function(*arguments)
    except failures as why:
        once("errorlog").write(why)
        raise Fault("hardware", {})
