"""What has booted, and why: asked once, for the startup messages, and not needed any more."""

import os
import sys

import machine

_CAUSES = {
    "PWRON_RESET": "power_on",
    "HARD_RESET": "hard",
    "WDT_RESET": "watchdog",
    "DEEPSLEEP_RESET": "deepsleep",
    "SOFT_RESET": "soft",
}


def reset_cause():
    """Why this boot began: power_on, hard, watchdog, deepsleep, soft or unknown."""
    cause = machine.reset_cause()
    for constant, name in _CAUSES.items():
        if getattr(machine, constant, None) == cause:
            return name
    return "unknown"


def board_name():
    """What MicroPython was built for, such as ESP32_GENERIC, as an identifier."""
    name = getattr(sys.implementation, "_build", sys.platform)
    return "".join(ch if ch.isalpha() or ch.isdigit() else "_" for ch in name)[:64]


def parts():
    """What it has beside actuators: "conditions" (it knows them), "camera", "sensors", "sleep"."""
    has = ["conditions"] + [
        part for part in ("camera", "sensors") if part + ".json" in os.listdir("/")
    ]
    return " ".join(has + ["sleep"] if hasattr(machine, "deepsleep") else has)
