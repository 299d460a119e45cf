"""One name for the two `camera` modules of ESP32 images: `opened(config, quality)`.

`config` is what camera_settings.load returned, `quality` in %. Both kinds have ready(), capture(),
free() and close(), and raise what the driver raises.

- The modern one is a class (micropython-camera-API): its picture is a view into the driver's own
  memory, good until `free`.
- The older one is a few functions (micropython-camera-driver): its picture is a copy, and it says
  False where it failed.
"""

import camera


class _Modern:
    def __init__(self, config, quality):
        wires = config["wires"]
        pins = {name + "_pin": wires[name] for name in wires}
        if config["data"]:
            pins["data_pins"] = list(config["data"])
        self._camera = camera.Camera(
            pixel_format=camera.PixelFormat.JPEG,
            frame_size=getattr(camera.FrameSize, config["frame_size"]),
            jpeg_quality=quality,
            fb_count=1,
            xclk_freq=config["xclk_mhz"] * 1000000,
            **pins,
        )
        self.ready = self._camera.frame_available
        self.free = self._camera.free_buffer
        self.close = self._camera.deinit

    def capture(self):
        return _checked(self._camera.capture())


class _Old:
    def __init__(self, config, quality):
        names = {"sda": "siod", "scl": "sioc", "powerdown": "pwdn"}
        wires = config["wires"]
        pins = {names.get(name, name): wires[name] for name in wires}
        for number, pin in enumerate(config["data"] or ()):
            pins["d{}".format(number)] = pin
        done = camera.init(
            0,
            format=camera.JPEG,
            framesize=getattr(camera, "FRAME_" + config["frame_size"]),
            quality=63 - 53 * quality // 100,  # 10 is best, 63 worst
            xclk_freq=camera.XCLK_20MHz if config["xclk_mhz"] == 20 else camera.XCLK_10MHz,
            fb_location=camera.PSRAM,
            **pins,
        )
        if done is False:
            raise OSError("the camera does not answer")

    def ready(self):
        return True  # nobody can ask: `capture` waits

    def capture(self):
        return _checked(camera.capture())

    def free(self):
        pass

    def close(self):
        camera.deinit()


def opened(config, quality):
    """A camera that is on. Takes up to a second, in which nothing else runs."""
    kind = _Modern if hasattr(camera, "Camera") else _Old
    return kind(config, quality)


def _checked(picture):
    """The picture, if it is one."""
    if not picture or bytes(picture[:2]) != b"\xff\xd8":
        raise OSError("the camera gave no JPEG")
    return picture
