"""The camera's chip on the host: the supervisor makes each frame and says in which file it is."""

import sys
import time

import _board
import vfs

_START_MS = 200  # a real one takes up to a second


def on(pins):
    """Starts it. As with a real driver nothing else runs meanwhile."""
    time.sleep_ms(_START_MS)
    _board.step()
    if not _board.values.get("camera", True):
        raise OSError("no camera was found")
    _board.send("camera", pins=pins)


def frame(size, quality):
    """The bytes of one picture; `size` is width << 16 | height, `quality` in %."""
    _board.send("frame", width=size >> 16, height=size & 0xFFFF, quality=quality)
    while "frame" not in _board.values:
        _board.poller.poll(100)
        _board.step()
    host, path = vfs.VfsPosix("/"), _board.values.pop("frame")
    picture = bytearray(host.stat(path)[6])
    file = host.open(path, "rb")
    file.readinto(picture)
    file.close()
    return picture


def off():
    """Stops it. On a chip all this is C: here it must not take the firmware's memory for ever."""
    _board.send("camera", pins=None)
    for name in ("camera", "_camera", "_camera_modern", "_camera_old"):
        sys.modules.pop(name, None)
