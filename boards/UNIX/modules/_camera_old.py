"""`camera` with functions, as the project micropython-camera-driver has it: what is used here."""

import _camera

JPEG = 4
XCLK_10MHz, XCLK_20MHz = 10000000, 20000000
PSRAM = 0
# Here width << 16 | height.
FRAME_QQVGA, FRAME_QVGA, FRAME_CIF, FRAME_VGA, FRAME_SVGA = (
    0xA00078, 0x14000F0, 0x1900128, 0x28001E0, 0x3200258,
)  # fmt: skip

_state = []


def init(number, format=JPEG, framesize=FRAME_VGA, quality=12, **pins):
    if format != JPEG or not 10 <= quality <= 63:
        raise ValueError("Image format is not valid")
    _camera.on(pins)
    _state[:] = framesize, 100 * (63 - quality) // 53
    return True


def deinit():
    _state.clear()
    _camera.off()
    return True


def capture():
    return bytes(_camera.frame(*_state)) if _state else False
