# What ships on every board, in MicroPython's manifest notation (paths relative to this file).
# boot.py and main.py stay source; the rest is compiled to .mpy, since compiling on the board is
# the peak of its memory use.

module("boot.py", base_path="../firmware")
module("main.py", base_path="../firmware")
package("app", base_path="../firmware")
package("protocol", base_path="../firmware/lib")
require("umqtt.simple")
