"""Joins one Wi-Fi network; see wifi.py. Takes no memory once it is joined."""

import asyncio

from micropython import const

_OFF_MS = const(200)


async def reset(station):
    """Off and on: a driver can be in a state of its own."""
    print("answerback: no Wi-Fi: radio off and on")
    try:
        station.active(False)
        await asyncio.sleep_ms(_OFF_MS)
        station.active(True)
    except OSError:
        pass  # it is tried again after as many failures


async def join(station, network, for_ms, look_ms):
    """Whether that network was there."""
    try:
        station.active(True)
        _stay_awake(station)
        station.disconnect()
        station.connect(network["ssid"], network["password"])
    except OSError:  # the driver is in a state of its own
        return False
    for _ in range(for_ms // look_ms):
        if station.isconnected():
            return True
        await asyncio.sleep_ms(look_ms)
    return False


def _stay_awake(station):
    # Asleep between two beacons, a board hears a stop up to 300 ms late.
    try:
        station.config(pm=station.PM_NONE)
    except (AttributeError, ValueError):
        pass  # this port does not sleep
