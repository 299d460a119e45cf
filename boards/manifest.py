# What ships on every board, in MicroPython's manifest notation (paths relative to this file).
# The first five are the fixed part; the rest is the release. All but boot.py and main.py is
# compiled to .mpy, since compiling on the board is the peak of its memory use.
#
# Of that notation only this is used, so that tools/stage.py and MicroPython's own build read the
# same files alike: include(path), module(path, base_path=), package(path, base_path=) and
# require(name). What a path begins with $(...) for is MicroPython's own tree: every image has it
# already, so stage.py passes it over.

module("boot.py", base_path="../firmware")
module("main.py", base_path="../firmware")
module("chooser.py", base_path="../firmware")
module("slots.py", base_path="../firmware/app")
module("console.py", base_path="../firmware")
package("app", base_path="../firmware")
package("protocol", base_path="../firmware/lib")
require("umqtt.simple")
