"""Wi-Fi: the known networks in turn, for ever, without stopping anything else."""

import asyncio

import network

_TRY_MS = 15000
_LOOK_MS = 500
_PAUSE_MS = (1000, 2000, 5000, 10000, 30000)


class Wifi:
    """`networks` is [{"ssid", "password"}]; with none the interface is left as it is."""

    def __init__(self, networks):
        self._networks = networks
        self._station = network.WLAN(network.STA_IF)

    def rssi(self):
        """Signal strength in dBm, 0 where it is not known."""
        try:
            return min(max(self._station.status("rssi"), -200), 0)
        except (OSError, TypeError, ValueError):
            return 0

    async def run(self):
        """Keep the connection up."""
        failures = 0
        while self._networks:
            if self._station.isconnected():
                failures = 0
                await asyncio.sleep_ms(_LOOK_MS)
                continue
            chosen = self._networks[failures % len(self._networks)]
            if not await self._join(chosen):
                await asyncio.sleep_ms(_PAUSE_MS[min(failures, len(_PAUSE_MS) - 1)])
                failures += 1

    async def _join(self, chosen):
        try:
            self._station.active(True)
            self._station.disconnect()
            self._station.connect(chosen["ssid"], chosen["password"])
        except OSError:
            return False
        for _ in range(_TRY_MS // _LOOK_MS):
            if self._station.isconnected():
                return True
            await asyncio.sleep_ms(_LOOK_MS)
        return False
