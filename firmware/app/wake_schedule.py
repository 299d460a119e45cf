"""set_wake_schedule and sleep; what follows is in sleep.py."""

from micropython import const
from protocol import ProtocolError

from . import once

_AWAKE_S = const(60)
_QUIET_S = const(10)


def start(node, command_id, verb, parameters):
    """See `services`."""
    if verb == "sleep":
        if node.sleeper is None:
            raise ProtocolError("bad_parameter", "command_type", "must wait: no wake is scheduled")
        node.sleeper.told = True
        return {}
    seconds, now = parameters["seconds"], node.time()
    wake_at = now + seconds
    if seconds and "wake_at" in parameters:
        wake_at = once("sleep").next_wake(now, parameters["wake_at"], seconds)
    rtc = once("rtc")
    if node.sleeper:
        node.sleeper.count(rtc)  # what is written now is another wake than this one
    rtc.write(
        every_s=seconds,
        awake_s=parameters.get("awake_s", _AWAKE_S),
        quiet_s=parameters.get("quiet_s", _QUIET_S),
        wake_at=wake_at,
    )
    if seconds and node.sleeper is None:
        node.spawn(once("sleep").keep(node, False))
    return {"wake_at": wake_at, "wakes": rtc.read()["wakes"]} if seconds else {}
