"""The firmware: what a board does with commands. Started by main.py; see there for how it hangs
together. `commands`, `journal`, `actuators` and `clock` are pure: time is an argument, and what
they touch is handed to them.
"""
