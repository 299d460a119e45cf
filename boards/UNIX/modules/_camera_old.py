"""`camera` with functions, as the project micropython-camera-driver has it: what is used here."""

import _board
import _camera

JPEG = 4
XCLK_10MHz, XCLK_20MHz = 10000000, 20000000
DRAM, PSRAM = 1, 0
FRAME_QQVGA, FRAME_QVGA, FRAME_CIF, FRAME_VGA, FRAME_SVGA = 1, 5, 6, 8, 9

_SIZES = {1: (160, 120), 5: (320, 240), 6: (400, 296), 8: (640, 480), 9: (800, 600)}
_state = {}


def init(number, format=JPEG, framesize=FRAME_VGA, quality=12, **pins):
    if format != JPEG or framesize not in _SIZES or not 0 <= quality <= 63:
        raise ValueError("Image format is not valid")
    _camera.on(pins)
    _state["size"], _state["quality"] = _SIZES[framesize], 100 * (63 - quality) // 53
    return True


def deinit():
    _state.clear()
    _board.send("camera", pins=None)
    return True


def capture():
    if not _state:
        return False
    return _camera.frame(_state["size"], _state["quality"])
