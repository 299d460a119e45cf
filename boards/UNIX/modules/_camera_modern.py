"""`camera` with a class, as the project micropython-camera-API has it: what the firmware uses."""

import _camera


class PixelFormat:
    RGB565, JPEG = 0, 4


class FrameSize:  # here width << 16 | height
    QQVGA, QVGA, CIF, VGA, SVGA = 0xA00078, 0x14000F0, 0x1900128, 0x28001E0, 0x3200258


class Camera:
    def __init__(self, *, pixel_format=0, frame_size=0, jpeg_quality=85, **pins):
        if pixel_format != PixelFormat.JPEG:
            raise ValueError("Invalid pixel_format")
        self._size, self._quality = frame_size, jpeg_quality
        _camera.on(pins)
        self.free_buffer()

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
        _camera.off()
