# What ships on every board, in MicroPython's manifest notation (paths relative to this file).
# The first four are the fixed part; the rest is the release. All but boot.py and main.py is
# compiled to .mpy, since compiling on the board is the peak of its memory use.

module("boot.py", base_path="../firmware")
module("main.py", base_path="../firmware")
module("chooser.py", base_path="../firmware")
module("slots.py", base_path="../firmware/app")
package("app", base_path="../firmware")
package("protocol", base_path="../firmware/lib")
require("umqtt.simple")
