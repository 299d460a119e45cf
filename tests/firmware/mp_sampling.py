"""What raw values mean, when sensors are read, and what is kept of them."""

from app.clock import ticks_add
from app.outbox import LIMIT, Outbox
from app.readings import Readings
from app.sampling import Schedule, Sensor, calibrated, measured, plain

PROBE = ((1000, 0), (3000, 10), (5000, 50))
NAN = float("nan")


def sensor(low=0, high=20, points=(), decimals=2):
    return Sensor("oxygen1", "mg/l", low, high, points, decimals, 1000, None, "")


def test_calibration_lies_on_the_lines_between_the_points():
    given = [1000, 2000, 3000, 4000, 5000, 0, 6000]
    assert [calibrated(PROBE, raw) for raw in given] == [0, 5, 10, 30, 50, -5, 70]
    assert calibrated((), 7) == 7
    assert calibrated(((0, 20), (10, 0)), 2.5) == 15


def test_what_can_not_be_right_is_no_value():
    for raw in (-0.01, 20.01, NAN, float("inf"), None, "7", True, [7], b"7"):
        assert measured(sensor(), raw) is None, raw
    assert measured(sensor(), 0) == 0 and measured(sensor(), 20.0) == 20
    assert measured(sensor(points=PROBE), 3000) == 10
    assert measured(sensor(points=PROBE), 4000) is None


def test_a_value_has_no_more_digits_than_are_true():
    assert measured(sensor(), 6.23456) == 6.23
    assert measured(sensor(decimals=4), 6.23456) == 6.2346
    assert measured(sensor(high=1e9, decimals=6), 123456.789) == 123457
    assert measured(sensor(high=1e9), 1013.254) == 1013.25
    assert [plain(value) for value in (21.0, 1234567, 0.1 + 0.2, -0.0)] == [21, 1234570, 0.3, 0]
    assert type(plain(21.0)) is int and type(plain(-0.0)) is int


def test_each_sensor_is_due_at_once_and_then_in_its_own_time():
    now = 5000
    schedule = Schedule([1000, 3000], now)
    assert schedule.due(now) == [0, 1] and schedule.wait(now) == 0
    schedule.done(0, now + 10)
    schedule.done(1, now + 10)
    assert schedule.due(now + 999) == [] and schedule.wait(now + 999) == 1
    assert schedule.due(now + 1000) == [0]
    schedule.done(0, now + 1700)  # late, and the next is in time all the same
    assert schedule.due(now + 1999) == [] and schedule.due(now + 2000) == [0]
    assert schedule.due(now + 3000) == [0, 1]


def test_what_was_missed_is_not_made_up_for():
    schedule = Schedule([1000], 0)
    schedule.done(0, 10500)
    assert schedule.due(11499) == [] and schedule.due(11500) == [0]
    schedule.done(0, 11500)
    schedule.done(0, 11600)  # asked for beside the schedule
    assert schedule.due(12500) == [] and schedule.due(12600) == [0]


def test_the_schedule_goes_on_where_the_ticks_wrap():
    start = ticks_add(0, -1500)
    schedule = Schedule([1000], start)
    for passed in range(0, 4000, 1000):
        now = ticks_add(start, passed)
        assert schedule.due(now) == [0] and schedule.wait(now) == 0
        schedule.done(0, ticks_add(now, 20))
        assert schedule.due(ticks_add(now, 999)) == []


def test_nothing_to_read_is_no_hurry():
    assert Schedule([], 0).due(0) == [] and Schedule([], 0).wait(0) > 0


def test_readings_come_out_as_they_went_in():
    readings = Readings(4)
    given = [(0, 21.44, 1800000000), (15, -5, 0), (255, 999999, 4102444800), (1, 0.000123, 1)]
    for one in given:
        readings.add(*one)
    assert len(readings) == 4 and readings.take(8) == given
    readings.settle(True)
    assert len(readings) == 0 and readings.take(8) == [] and readings.dropped == 0


def test_the_oldest_go_first_and_are_counted():
    readings = Readings(16)
    for number in range(20):
        readings.add(number, number, 0)
    assert readings.dropped == 4
    assert [one[0] for one in readings.take(3)] == [4, 5, 6]
    readings.settle(False)
    assert [one[0] for one in readings.take(16)] == list(range(4, 20))


def test_what_is_on_its_way_counts_as_dropped_only_where_it_did_not_arrive():
    for arrived in (True, False):
        readings = Readings(4)
        for number in range(4):
            readings.add(number, number, 0)
        readings.take(3)
        readings.add(4, 4, 0)
        readings.add(5, 5, 0)
        readings.settle(arrived)
        assert readings.dropped == (0 if arrived else 2)
        kept = [3, 4, 5] if arrived else [2, 3, 4, 5]
        assert [one[0] for one in readings.take(9)] == kept


def test_a_reading_is_forgotten_with_its_puback_and_not_before():
    outbox, readings = Outbox(), Readings(4)
    readings.add(1, 6.5, 0)
    readings.take(8)
    message = outbox.ack("t", b"6.5")
    assert message in outbox.messages
    outbox.confirm(outbox.take().packet_id + 1)  # another's
    outbox.disconnected()
    assert message in outbox.messages and message.data == b"6.5"
    outbox.confirm(message.packet_id)  # it was not sent on this connection
    assert message in outbox.messages
    outbox.confirm(outbox.take().packet_id)
    assert message not in outbox.messages and message.data is None
    readings.settle(message.data is None)
    assert len(readings) == 0


def test_a_message_that_had_to_go_was_not_confirmed():
    outbox = Outbox()
    message = outbox.ack("t", b"6.5")
    for number in range(LIMIT):
        outbox.ack("t", number)
    assert message not in outbox.messages and message.data == b""
