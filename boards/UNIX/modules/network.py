"""`network` of an ESP32, on the host: Wi-Fi is there when the supervisor says so.

Only what such firmware uses. Sockets are the host's own, so a broken network is made with a proxy
in between, not here.
"""

import _board

STA_IF = 0


class WLAN:
    PM_NONE = 0
    _wanted = False  # there is one chip, however many objects

    def __init__(self, id=0):
        pass

    def active(self, value=None):
        return True

    def connect(self, ssid=None, key=None, **_):
        WLAN._wanted = True
        _board.send("wifi", ssid=ssid)

    def disconnect(self):
        WLAN._wanted = False

    def isconnected(self):
        _board.step()
        return WLAN._wanted and _board.values["wifi"]

    def status(self, name=None):
        return -50 if name == "rssi" else 1010 if self.isconnected() else 1000

    def config(self, **_):
        pass
