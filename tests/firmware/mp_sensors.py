"""Sensors between their drivers and the outbox: what is sent, when, and what again."""

from app.clock import Clock, ticks_ms
from app.outbox import LIMIT, Outbox
from app.sampling import Sensor
from app.sensors import Sensors
from app.thresholds import Limit

NOW = 1800000000


class Source:
    """What is read is `value`; where it is an exception, that is raised."""

    value = 6.5

    def begin(self):
        return 0

    def read(self, part):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class Node:
    """As much of a node as sensors see; messages go to a real outbox as they are."""

    boot = "b1"
    down_since = restarting = None

    def __init__(self, *limits):
        self.latest = {}
        self.dropped, self.outbox, self.clock = {}, Outbox(), Clock()
        self.commands = self.link = self
        self.source = Source()
        names = ("oxygen1", "water1")
        sensors = [Sensor(name, "mg/l", 0, 20, (), 2, 60000, self.source, "") for name in names]
        self.sensors = Sensors(self, self.outbox, self.clock, (16, sensors, list(limits)))

    def spawn(self, coroutine):
        coroutine.close()

    def drop(self, reason):
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def next_due(self, now_ms):
        return None

    def report(self, leaf, kind, message):
        return self.outbox.ack(leaf, message)

    async def read(self, value):
        self.source.value = value
        return await self.sensors.sample([0], [])

    def sent(self):
        """The values in what is to be sent now."""
        self.sensors.send()
        message = self.outbox.take()
        if message is None:
            return None
        if "limit" in message.data:
            return message.data["state"]
        return [one["value"] for one in message.data["readings"]]

    def confirm(self):
        self.outbox.confirm(self.outbox.messages[0].packet_id)


async def test_one_message_at_a_time_and_the_next_after_its_puback():
    node = Node()
    assert await node.read(6.5) == 1
    assert node.sent() == [6.5]
    for value in range(10):
        await node.read(value)
    assert node.sent() is None
    node.confirm()
    assert node.sent() == list(range(4))
    node.confirm()
    assert node.sent() == list(range(4, 8))
    node.confirm()
    assert node.sent() == [8, 9]
    node.confirm()
    assert node.sent() is None


async def test_without_memory_nothing_is_lost_and_it_is_tried_again():
    node = Node(Limit(0, "low", False, 4, 0, 0))
    report, node.report = node.report, lambda *message: bytearray(1 << 40)
    await node.read(3)
    assert node.sent() is None and node.sent() is None
    assert node.dropped["memory"] == 2
    node.report = report
    assert node.sent() == "crossed"
    node.confirm()
    node.report = lambda *message: bytearray(1 << 40)
    assert node.sent() is None
    node.report = report
    assert node.sent() == [3]
    assert node.dropped["readings"] == node.dropped["limits"] == 0


async def test_what_had_to_make_room_in_the_outbox_is_sent_again():
    node = Node()
    await node.read(6.5)
    assert node.sent() == [6.5]
    for number in range(LIMIT):
        node.outbox.ack("ack", number)
    node.sensors.send()
    node.outbox.messages = []
    assert node.sent() == [6.5]


async def test_acks_have_room_and_nothing_is_sent_without_a_link():
    node = Node()
    await node.read(6.5)
    for number in range(4):
        node.outbox.ack("ack", number)
    node.sensors.send()
    assert len(node.outbox) == 4
    node.outbox.messages = []
    node.down_since = 5
    assert node.sent() is None
    node.down_since, node.restarting = None, 5
    assert node.sent() is None
    node.restarting = None
    assert node.sent() == [6.5]


async def test_a_failure_is_counted_and_told_once_without_a_value():
    node = Node()
    assert await node.read(OSError(5)) == 0 and await node.read(21) == 0
    assert await node.read(Exception("CRC error")) == 0
    assert node.sent() == []
    assert node.outbox.messages[0].data["failed"] == {"oxygen1": "driver"}
    assert node.dropped["sensor_driver"] == 2 and node.dropped["sensor_range"] == 1
    node.confirm()
    assert node.sent() is None
    await node.read(None)
    assert node.sent() is None
    await node.read(6)
    assert node.sent() == [6] and node.outbox.messages[0].data["failed"] == {}


async def test_each_reading_has_the_time_at_which_it_was_read():
    node = Node()
    await node.read(6)
    node.clock.set(NOW, ticks_ms())
    await node.read(7)
    node.clock.set(NOW + 60, ticks_ms())
    assert node.sent() == [6, 7]
    times = [one["timestamp"] for one in node.outbox.messages[0].data["readings"]]
    assert times[0] == 0 and NOW <= times[1] < NOW + 10


async def test_a_limit_is_told_before_what_was_read():
    node = Node(Limit(0, "low", False, 4, 0.5, 0))
    await node.read(6)
    await node.read(3)
    said = []
    for _ in range(3):
        said.append(node.sent())
        node.confirm()
    assert said == ["cleared", "crossed", [6, 3]]


async def test_looks_in_between_are_held_against_limits_and_not_told():
    node = Node(Limit(0, "low", False, 4, 0.5, 0))
    node.source.value = 3
    assert await node.sensors.sample([], [0]) == 0
    assert node.sent() == "crossed"
    node.confirm()
    assert node.sent() is None
