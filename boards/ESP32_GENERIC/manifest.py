# What ships on this board. Read by tools/stage.py, and by MicroPython's build where it is frozen
# into an image of one's own (make BOARD=... FROZEN_MANIFEST=this file); see ../manifest.py.

include("$(PORT_DIR)/boards/manifest.py")
include("../manifest.py")
