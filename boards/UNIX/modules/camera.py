"""`camera` of an ESP32-CAM, on the host: one of the two modules there are, or none."""

import os

_KIND = os.getenv("BOARD_CAMERA")

if _KIND == "modern":
    from _camera_modern import *  # noqa: F403
elif _KIND == "old":
    from _camera_old import *  # noqa: F403
else:
    raise ImportError("no module named 'camera'")
