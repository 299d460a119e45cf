"""When a board is to wake, and what it keeps while it sleeps."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_machine import machine  # noqa: E402, I001 (before what asks for the chip)
from app import rtc, sleep, wake_schedule  # noqa: E402
from app.slots import RTC_REST  # noqa: E402

NOW = 1800000000


class Node:
    """As far as an order needs one."""

    sleeper, spawned = None, 0

    def time(self):
        return NOW

    def spawn(self, task):
        task.close()
        self.spawned += 1


def test_the_next_wake():
    for now, wake_at, expected in (
        (NOW, NOW + 3600, NOW + 3600),  # it is still to come
        (NOW, NOW, NOW + 60),
        (NOW, NOW + 5, NOW + 65),  # so early is on time
        (NOW, NOW + 6, NOW + 6),
        (NOW, NOW - 59, NOW + 61),  # the next one would be in a second
        (NOW, NOW - 54, NOW + 6),
        (NOW, NOW - 6000, NOW + 60),  # many were missed
    ):
        assert sleep.next_wake(now, wake_at, 60) == expected, (now, wake_at)


def test_an_order_that_names_the_time_is_right_however_late_it_comes():
    for wake_at, expected in ((NOW + 600, NOW + 600), (NOW - 600, NOW + 3000)):
        machine.RTC.kept = b""
        node = Node()
        asked = {"seconds": 3600, "wake_at": wake_at}
        told = wake_schedule.start(node, "c", "set_wake_schedule", asked)
        assert told == {"wake_at": expected, "wakes": 0}
        assert rtc.read()["wake_at"] == expected and node.spawned == 1


def test_what_is_kept():
    machine.RTC.kept = b""
    assert rtc.read() == dict.fromkeys(rtc.FIELDS, 0)
    rtc.write(every_s=604800, wake_at=4102444800)
    rtc.write(wakes=2)
    kept = rtc.read()
    assert (kept["every_s"], kept["wake_at"], kept["wakes"]) == (604800, 4102444800, 2)


def test_what_does_not_fit_its_check_is_nothing():
    rtc.write(wakes=2)
    good = machine.RTC.kept
    for at in range(RTC_REST, len(good)):  # what is before is not ours
        machine.RTC.kept = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        assert rtc.read()["wakes"] == 0, at
    for length in (0, RTC_REST, len(good) - 1):
        machine.RTC.kept = good[:length]
        assert rtc.read()["wakes"] == 0
    machine.RTC.kept = good + b"x"
    assert rtc.read()["wakes"] == 0
    machine.RTC.kept = bytes(8192)  # as after a power cut
    assert rtc.read()["wakes"] == 0
