"""Wi-Fi: the known networks in turn, for ever, without holding anything up.

A board never restarts because a network or a hub is away; but the radio is switched off and on
again where it fails again and again.
"""

import asyncio

import network
from micropython import const

from . import once

_TRY_MS = 15000
_LOOK_MS = 500
_PAUSE_MS = (1000, 2000, 5000, 10000, 30000)
_RESET_AFTER = const(4)  # failures in a row, for a driver can be in a state of its own


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
            elif not await self._join(failures):
                await asyncio.sleep_ms(_PAUSE_MS[min(failures, len(_PAUSE_MS) - 1)])
                failures += 1
                if failures % _RESET_AFTER == 0:
                    await once("joining").reset(self._station)

    async def _join(self, failures):
        """Whether the network whose turn it is was there."""
        network = self.networks[failures % len(self.networks)]
        return await once("joining").join(self._station, network, _TRY_MS, _LOOK_MS)
