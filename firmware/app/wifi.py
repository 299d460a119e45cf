"""Wi-Fi: the known networks in turn, for ever, without holding anything up.

A board never restarts because a network or a hub is away; but the radio is switched off and on
again where it fails again and again.
"""

import asyncio

import network
from micropython import const

_TRY_MS = 15000
_LOOK_MS = 500
_PAUSE_MS = (1000, 2000, 5000, 10000, 30000)
_RESET_AFTER = const(4)  # failures in a row, for a driver can be in a state of its own
_OFF_MS = const(200)


class Wifi:
    """`networks` is [{"ssid", "password"}]; with none the interface is left as it is."""

    def __init__(self, networks):
        self.networks = networks
        self._station = network.WLAN(network.STA_IF)

    def connected(self):
        """Whether the network is there; where no Wi-Fi was asked for it is taken to be."""
        return not self.networks or self._station.isconnected()

    def change(self, networks):
        """Other networks from now on; the first of them is tried first."""
        if networks != self.networks:
            self.networks = networks
            if self._station.isconnected():
                self._station.disconnect()

    def rssi(self):
        """Signal strength in dBm, 0 where it is not known."""
        try:
            return min(max(self._station.status("rssi"), -200), 0)
        except (OSError, TypeError, ValueError):
            return 0

    async def run(self):
        """Keep the connection up."""
        failures = 0
        while True:
            if not self.networks or self._station.isconnected():
                failures = 0
                await asyncio.sleep_ms(_LOOK_MS)
            elif not await self.join(**self.networks[failures % len(self.networks)]):
                await asyncio.sleep_ms(_PAUSE_MS[min(failures, len(_PAUSE_MS) - 1)])
                failures += 1
                if failures % _RESET_AFTER == 0:
                    await self._reset()

    async def _reset(self):
        print("answerback: no Wi-Fi: radio off and on")
        try:
            self._station.active(False)
            await asyncio.sleep_ms(_OFF_MS)
            self._station.active(True)
        except OSError:
            pass  # it is tried again after as many failures

    async def join(self, ssid, password):
        """Whether that network was there."""
        try:
            self._station.active(True)
            self._stay_awake()
            self._station.disconnect()
            self._station.connect(ssid, password)
        except OSError:  # the driver is in a state of its own
            return False
        for _ in range(_TRY_MS // _LOOK_MS):
            if self._station.isconnected():
                return True
            await asyncio.sleep_ms(_LOOK_MS)
        return False

    def _stay_awake(self):
        # Asleep between two beacons, a board hears a stop up to 300 ms late.
        try:
            self._station.config(pm=self._station.PM_NONE)
        except (AttributeError, ValueError):
            pass  # this port does not sleep
