"""`network` of an ESP32, on the host: Wi-Fi is there when the supervisor says so.

Only what such firmware uses. Sockets are the host's own, so a broken network is made with a proxy
in between, not here.
"""

import _board

STA_IF = 0


class WLAN:
    PM_NONE = 0

    def __init__(self, id=0):
        self._wanted = False

    def active(self, value=None):
        return True

    def connect(self, ssid=None, key=None, **_):
        self._wanted = True
        _board.send("wifi", ssid=ssid)

    def disconnect(self):
        self._wanted = False

    def isconnected(self):
        _board.step()
        return self._wanted and _board.values["wifi"]

    def status(self, name=None):
        return -50 if name == "rssi" else 1010 if self.isconnected() else 1000

    def config(self, **_):
        pass
