"""Switches an emulated board on: mounts its flash as `/`, then runs boot.py and main.py.

Run by the Unix port of MicroPython. As on hardware, what main.py raises ends in the REPL. The
shimmed modules are mounted at /emulation and found first.
"""

import os
import sys


def _run(name):
    try:
        with open(name) as file:
            code = compile(file.read(), name, "exec")
    except OSError:
        return
    exec(code, globals())


def mount():
    modules = os.getenv("BOARD_MODULES")
    sys.path[:] = [modules]
    import _board
    import vfs

    try:
        root = vfs.VfsLfs2(_board.flash, mtime=False)
    except OSError:  # an empty chip
        vfs.VfsLfs2.mkfs(_board.flash)
        root = vfs.VfsLfs2(_board.flash, mtime=False)
    vfs.umount("/")
    vfs.mount(root, "/")
    vfs.mount(vfs.VfsPosix(modules), "/emulation")
    os.chdir("/")
    sys.path[:] = ["", "/emulation", ".frozen", "/lib"]
    if os.getenv("BOARD_AHEAD"):
        import _skip  # noqa: F401
    _board.idle()
    if os.getenv("BOARD_BLOCKS"):
        __import__("_blocks").watch()
    _board.send("boot", cause=int(os.getenv("BOARD_CAUSE")))


mount()
del mount  # on hardware nothing of this takes memory
try:
    _run("boot.py")
    if not os.getenv("BOARD_SKIP_MAIN"):
        _run("main.py")
except SystemExit:  # on hardware the end of a program is a soft reset
    import machine

    machine.soft_reset()
