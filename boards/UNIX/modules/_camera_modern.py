"""`camera` with a class, as the project micropython-camera-API has it: what the firmware uses."""

import _board
import _camera


class PixelFormat:
    RGB565, JPEG = 0, 4


class FrameSize:
    QQVGA, QVGA, CIF, VGA, SVGA, XGA, HD, SXGA, UXGA = 1, 6, 8, 10, 11, 12, 13, 14, 15


_SIZES = {1: (160, 120), 6: (320, 240), 8: (400, 296), 10: (640, 480), 11: (800, 600)}
_SIZES.update({12: (1024, 768), 13: (1280, 720), 14: (1280, 1024), 15: (1600, 1200)})


class Camera:
    def __init__(self, *, pixel_format=0, frame_size=6, jpeg_quality=85, **pins):
        if pixel_format != PixelFormat.JPEG or frame_size not in _SIZES:
            raise ValueError("Invalid pixel_format")
        if "data_pins" in pins and len(pins["data_pins"]) != 8:
            raise ValueError("data_pins must have 8 elements")
        self._size, self._quality, self._frame = _SIZES[frame_size], jpeg_quality, None
        self._waiting = 2
        _camera.on(pins)

    def frame_available(self):
        self._waiting -= 1
        return self._waiting < 0

    def capture(self):
        if self._frame is None:
            self._frame = _camera.frame(self._size, self._quality)
        return memoryview(self._frame)

    def free_buffer(self):
        self._frame, self._waiting = None, 2

    def deinit(self):
        self._frame = None
        _board.send("camera", pins=None)
