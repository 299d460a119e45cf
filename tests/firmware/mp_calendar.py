"""The chip's clock and what NTP says: whole numbers, whatever year a port counts from."""

import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from mp_machine import machine  # noqa: E402, I001 (before what asks for the chip)
from app import calendar, ntp  # noqa: E402

# Unix seconds and what a calendar shows, weekday 0 being Monday.
DAYS = (
    (0, (1970, 1, 1, 3, 0, 0, 0, 0)),
    (946684800, (2000, 1, 1, 5, 0, 0, 0, 0)),
    (951782400 + 86399, (2000, 2, 29, 1, 23, 59, 59, 0)),
    (1735689600, (2025, 1, 1, 2, 0, 0, 0, 0)),
    (1772323199, (2026, 2, 28, 5, 23, 59, 59, 0)),
    (2147483648, (2038, 1, 19, 1, 3, 14, 8, 0)),
    (4102444799, (2099, 12, 31, 3, 23, 59, 59, 0)),
)


def test_days():
    for unix, shown in DAYS:
        assert calendar.fields(unix) == shown, (unix, calendar.fields(unix))
        assert calendar.seconds(shown) == unix, shown


def test_every_day_follows_the_one_before():
    before = calendar.fields(1735689600 - 86400)
    for day in range(3000):
        unix = 1735689600 + day * 86400 + day
        now = calendar.fields(unix)
        assert calendar.seconds(now) == unix
        assert now[2] == before[2] + 1 or now[2] == 1 and before[2] in (28, 29, 30, 31)
        assert now[3] == (before[3] + 1) % 7
        before = now


def test_the_chip_is_believed_only_where_it_was_set():
    machine.RTC.now = (2000, 1, 1, 5, 0, 3, 9, 1)
    assert calendar.get() == 0
    calendar.set(1800000001)
    assert machine.RTC.now == (2027, 1, 15, 4, 8, 0, 1, 0)
    assert calendar.get() == 1800000001


def packet(question, seconds, first=0x24, stratum=2):
    stamp = (seconds + 2208988800) & 0xFFFFFFFF
    stamp = bytes((stamp >> 24, stamp >> 16 & 255, stamp >> 8 & 255, stamp & 255))
    return bytes((first, stratum)) + bytes(22) + question[40:48] + bytes(8) + stamp + bytes(4)


def test_an_answer_of_ntp():
    question = ntp.request(b"12345678")
    assert len(question) == 48
    for unix in (1735689600, 1800000001, 2085978496, 2085978495, 4102444799):
        assert ntp.answer(packet(question, unix), question) == unix, unix


def test_what_is_no_answer():
    question = ntp.request(b"12345678")
    good = packet(question, 1800000000)
    for wrong in (
        b"",
        good[:47],
        packet(question, 1800000000, first=0x23),  # a question
        packet(question, 1800000000, first=0xE4),  # a server that does not know the time
        packet(question, 1800000000, stratum=0),
        packet(question, 1800000000, stratum=16),
        packet(ntp.request(b"87654321"), 1800000000),  # to somebody else's question
        packet(question, 946684800),
    ):
        assert ntp.answer(wrong, question) is None, wrong
    assert ntp.answer(good, question) == 1800000000
