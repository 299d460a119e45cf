"""`network` of an ESP32, on the host: Wi-Fi is there when the supervisor says so.

Sockets are the host's own, so a broken network is made with a proxy in between, not here.
"""

import _board

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP, STAT_NO_AP_FOUND = 1000, 1001, 1010, 201

_wanted = False


class WLAN:
    IF_STA, IF_AP = 0, 1
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2

    def __init__(self, interface=0):
        self._active = False

    def active(self, is_active=None):
        if is_active is not None:
            self._active = bool(is_active)
        return self._active

    def connect(self, ssid=None, key=None, **_):
        global _wanted
        _wanted = True
        _board.send("wifi", ssid=ssid)

    def disconnect(self):
        global _wanted
        _wanted = False

    def isconnected(self):
        _board.pump()
        return _wanted and _board.world["wifi"]

    def status(self, parameter=None):
        if parameter == "rssi":
            return -50
        if self.isconnected():
            return STAT_GOT_IP
        return STAT_NO_AP_FOUND if _wanted else STAT_IDLE

    def ifconfig(self, settings=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")

    def config(self, name=None, **_):
        return b"\x02\x00\x00\x00\x00\x01" if name == "mac" else None


def hostname(name=None):
    return name or "emulated"


def country(code=None):
    return code or "XX"
