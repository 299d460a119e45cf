"""Runs before everything else: each output to its safe level, so that nothing moves by itself.

Imports nothing of the firmware and never raises: a board with a broken file must still start.
"""


def _boot():
    import json

    from machine import Pin

    def rest(facts):
        level = 1 if facts.get("safe") else 0
        if facts.get("active_low"):
            level = 1 - level
        for name in ["pin", "fill_pin", "drain_pin"]:
            if name in facts:
                Pin(facts[name], Pin.OUT, value=level)

    with open("/actuators.json") as file:
        config = json.load(file)["actuators"]
    for name in config:
        try:
            rest(config[name])
        except Exception as why:  # the other outputs still have to be made safe
            print("boot:", name, repr(why))


try:
    _boot()
except Exception as why:  # main.py says what is wrong with the file
    print("boot:", repr(why))
del _boot  # main.py has the memory to itself
