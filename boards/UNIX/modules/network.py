"""`network` of an ESP32, on the host: Wi-Fi is there when the supervisor says so.

One that hangs ("wifi_hangs") connects to nothing until it is switched off and on. Only what such
firmware uses. Sockets are the host's own, so a broken network is made with a proxy
in between, not here.
"""

import _board

STA_IF = 0


class WLAN:
    PM_NONE = 0

    def __init__(self, id=0):
        self._wanted = None

    def active(self, value=None):
        if value is False:
            _board.values.pop("wifi_hangs", 0)
            self._wanted = None
            _board.send("radio", value=0)
        return True

    def connect(self, ssid=None, key=None, **_):
        self._wanted = ssid
        _board.send("wifi", ssid=ssid)

    def disconnect(self):
        self._wanted = None

    def isconnected(self):
        _board.step()
        there = _board.values["wifi"]  # true: every network, or a list of those that are there
        if not there or not self._wanted or _board.values.get("wifi_hangs"):
            return False
        return there is True or self._wanted in there

    def status(self, name=None):
        return -50 if name == "rssi" else 1010 if self.isconnected() else 1000

    def config(self, **_):
        pass
