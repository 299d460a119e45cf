"""Sensors with the real firmware on an emulated board, over real brokers."""

import contextlib
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from protocol import topics

from tests.link.site import FEEDER, LATE_MS, Backend, Message, lateness, site
from tests.link.test_link import QUICK
from tools.brokers import Broker

HEAP = "168K"
ROMS = ("28ff000000000001", "28ff000000000002")
WATER, AIR, OXYGEN, DOOR = 4, 5, 34, 6
LOW = {"name": "low_oxygen", "below": 4, "hysteresis": 0.5}
ADC: dict[str, Any] = {"kind": "analog", "pin": OXYGEN, "unit": "mg/l"}
PROBE = {**ADC, "scale": 0.001, "low": 0.5}
CLOCK_S = 2  # how far the board's clock may be off: whole seconds, and the way of the answer

# Counts how often it was read, and says so.
COUNTER = {"kind": "module", "module": "counter"}
COUNTS = """
count = {}
def read(key):
    count[key] = count.get(key, -1) + 1
    print("counted", key, count[key])
    return count[key]
"""


def files(every_s: int = 1, more: dict[str, str] | None = None, **sensors: Any) -> dict[str, str]:
    """What is put on the flash for these sensors."""
    config = {"every_s": every_s, "keep": 16, "sensors": sensors}
    return {"sensors.json": json.dumps(config), **(more or {})}


def readings(backend: Backend, sensor: str, since: int = 0) -> list[Message]:
    """All that came of a sensor, in order."""
    said = [message for leaf, message in backend.heard[since:] if leaf == topics.SENSORS]
    return [one for message in said for one in message["readings"] if one["sensor"] == sensor]


def states(backend: Backend, since: int = 0) -> list[Message]:
    """All that came of limits, in order."""
    return [message for leaf, message in backend.heard[since:] if leaf == topics.THRESHOLD]


def next_reading(backend: Backend, sensor: str, at: int = 0, **wanted: Any) -> Message:
    """The first reading with these members that was made at Unix second `at` or later."""

    def found() -> Message | None:
        mine = [one for one in readings(backend, sensor) if one["timestamp"] >= at]
        return next((one for one in mine if wanted.items() <= one.items()), None)

    return backend.until(found)


def dropped(backend: Backend, reason: str, count: int) -> Message:
    """Waits for a heartbeat that counts so many."""
    return backend.until(
        lambda: next(
            (
                message
                for leaf, message in backend.heard
                if leaf == topics.HEARTBEAT and message["dropped"].get(reason, 0) >= count
            ),
            None,
        ),
    )


def test_every_kind_is_read_with_its_unit_and_its_time(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    wired = files(
        more={"my_sensor.py": "def read(config):\n    return {'ph': config['is'], 'redox': 210}"},
        oxygen1={**ADC, "points": [[0, 1], [50000, 11]]},
        water1={"kind": "ds18b20", "pin": WATER, "rom": ROMS[0]},
        water2={"kind": "ds18b20", "pin": WATER, "rom": ROMS[1]},
        air1={"kind": "dht22", "pin": AIR, "value": "humidity", "unit": "%", "every_s": 2},
        door1={"kind": "digital", "pin": DOOR, "active_low": 1},
        ph1={"kind": "module", "module": "my_sensor", "value": "ph", "config": {"is": 7.123}},
    )
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        board.set_adc(OXYGEN, 25000)
        board.set_temperatures(WATER, {ROMS[0]: 21.5, ROMS[1]: -3.0625})
        board.set_air(AIR, 19.5, 61.5)
        board.set_pin(DOOR, 1)
        assert next_reading(backend, "ph1")["timestamp"] == 0, "nobody had told the time"
        since = int(time.time())
        for name, value, unit in (
            ("oxygen1", 6, "mg/l"),
            ("water1", 21.5, "°C"),
            ("water2", -3.06, "°C"),
            ("air1", 61.5, "%"),
            ("door1", 0, ""),
            ("ph1", 7.12, ""),
        ):
            one = next_reading(backend, name, since, value=value, unit=unit)
            assert since <= one["timestamp"] <= time.time() + CLOCK_S, name


def test_what_is_broken_is_told_and_never_sent(embedded_broker: Broker, tmp_path: Path) -> None:
    wired = files(
        more={"bad.py": "def read(config):\n    return float('nan')"},
        oxygen1=PROBE,
        water1={"kind": "ds18b20", "pin": WATER},
        air1={"kind": "dht11", "pin": AIR, "value": "temperature", "every_s": 2},
        nan1={"kind": "module", "module": "bad"},
    )
    with site(tmp_path, embedded_broker, QUICK, wired, HEAP) as (board, backend, _):
        broken = {"oxygen1": "range", "water1": "driver", "air1": "driver", "nan1": "range"}
        backend.wait(topics.SENSORS, {"readings": [], "failed": broken})
        dropped(backend, "sensor_driver", 2)
        dropped(backend, "sensor_range", 2)
        assert all(not readings(backend, name) for name in broken)
        board.set_temperatures(WATER, {ROMS[0]: 4.0, ROMS[1]: 5.0})  # which of them?
        board.set_adc(OXYGEN, 6000)
        next_reading(backend, "oxygen1", value=6)
        board.wait(lambda it: it["event"] == "console" and " ".join(ROMS) in it["line"])
        board.set_temperatures(WATER, {ROMS[1]: 5.0})
        board.set_air(AIR, 21)
        next_reading(backend, "water1", value=5)
        next_reading(backend, "air1", value=21)
        backend.wait(topics.SENSORS, {"failed": {"nan1": "range"}})
        assert not readings(backend, "nan1")
        assert len(board.log.of("boot")) == 1


def test_a_missing_link_delays_readings_and_the_oldest_are_counted(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    names = ("a", "b", "c", "d")
    counters: dict[str, Any] = {name: {**COUNTER, "config": name} for name in names}
    wired = files(more={"counter.py": COUNTS}, **counters)
    with site(tmp_path, embedded_broker, QUICK, wired, HEAP) as (board, backend, proxy):
        before = {name: next_reading(backend, name, value=2) for name in names}
        proxy.refuse(True)
        proxy.drop()
        since = len(backend.heard)
        board.wait_for("console", line="counted d 8")
        proxy.refuse(False)
        backend.online(since=since)
        now = int(time.time())
        for name in names:
            next_reading(backend, name, value=10)
        missing = 0
        for name in names:
            values = list(dict.fromkeys(one["value"] for one in readings(backend, name)))
            assert values == sorted(values), "in order; one that was under way may come twice"
            gaps = [(old, new) for old, new in pairwise(values) if new - old > 1]
            missing += sum(new - old - 1 for old, new in gaps)
            first = gaps[0][1] if gaps else values[-1]
            late = [one for one in readings(backend, name) if one["value"] >= first]
            times = [one["timestamp"] for one in late]
            assert len(gaps) <= 1, "the oldest, and no others"
            assert times == sorted(times), "each has its own time"
            assert times[0] - before[name]["timestamp"] >= first - 2 - 1
            assert not gaps or times[0] <= now - 2
        assert missing > 0
        beats = [message for leaf, message in backend.heard if leaf == topics.HEARTBEAT]
        beat = dropped(backend, "readings", missing)
        assert beat["dropped"]["readings"] == missing
        assert all(beat["dropped"].get("unconfirmed", 0) == 0 for beat in beats)


def test_a_limit_that_is_crossed_while_the_broker_is_away_is_told_later(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    clock = {**COUNTER, "config": "s"}
    wired = files(more={"counter.py": COUNTS}, oxygen1={**PROBE, "limits": [LOW]}, seconds=clock)
    with site(tmp_path, embedded_broker, QUICK, wired, HEAP) as (board, backend, _):
        board.set_adc(OXYGEN, 6000)
        backend.wait(topics.THRESHOLD, {"state": "cleared", "value": 6})
        now = next_reading(backend, "seconds", value=2)["value"]
        backend.close()
        embedded_broker.kill()
        crossed = int(time.time())
        board.set_adc(OXYGEN, 3500)
        board.wait_for("console", line=f"counted s {now + 5}")
        embedded_broker.start()
        back = int(time.time())
        with contextlib.closing(Backend(embedded_broker).connect()) as later:
            state = later.wait(topics.THRESHOLD, {"sensor": "oxygen1", "limit": "low_oxygen"})
            assert (state["state"], state["value"], state["unit"]) == ("crossed", 3.5, "mg/l")
            assert crossed - 1 <= state["timestamp"] <= back - CLOCK_S
            board.set_adc(OXYGEN, 4400)
            next_reading(later, "oxygen1", value=4.4)
            board.set_adc(OXYGEN, 4600)
            later.wait(topics.THRESHOLD, {"state": "cleared", "value": 4.6})


def test_noise_around_a_limit_is_one_crossing_each_way(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    noise = [5, 3.9, 4.1, 3.8, 4.3, 3.9, 4.6, 4.1, 4.4]
    module = f"values = {noise}\ndef read(config):\n    return values.pop(0) if values else 4.2"
    wired = files(
        3600,
        more={"noise.py": module},
        oxygen1={"kind": "module", "module": "noise", "limits": [LOW]},
    )
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (_, backend, _):
        for _ in noise:
            backend.result(backend.command("read_sensors"))
        next_reading(backend, "oxygen1", value=4.2)
        told = [(one["state"], one["value"]) for one in states(backend)]
        assert told == [("cleared", 5), ("crossed", 3.9), ("cleared", 4.6)]


def test_a_limit_has_to_be_crossed_for_a_while(embedded_broker: Broker, tmp_path: Path) -> None:
    wired = files(every_s=60, oxygen1={**PROBE, "limits": [{**LOW, "for_s": 3}]})
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        board.set_adc(OXYGEN, 6000)
        backend.result(backend.command("read_sensors"))
        began = time.monotonic()
        board.set_adc(OXYGEN, 3000)
        backend.result(backend.command("read_sensors"))
        backend.wait(topics.THRESHOLD, {"state": "crossed", "value": 3})
        assert 3 <= time.monotonic() - began < 50, "not before, and long before the next reading"
        assert len(readings(backend, "oxygen1")) <= 3, "looks in between are not told"


def test_all_are_read_when_that_is_asked_for(embedded_broker: Broker, tmp_path: Path) -> None:
    wired = files(
        every_s=3600, oxygen1=PROBE, water1={"kind": "ds18b20", "pin": WATER}, door1=
        {"kind": "digital", "pin": DOOR, "pull_up": 1},
    )  # fmt: skip
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        board.set_adc(OXYGEN, 6000)
        asked = backend.command("read_sensors")
        assert backend.result(asked)["result"] == {"readings": 2}
        next_reading(backend, "door1", value=1)
        assert backend.acks(asked) == ["accepted", "completed"]
        board.set_temperatures(WATER, {ROMS[0]: 85.5})
        assert backend.result(backend.command("read_sensors"))["result"] == {"readings": 3}
        next_reading(backend, "water1", value=85.5)


def test_the_motor_keeps_its_time_beside_sensors(embedded_broker: Broker, tmp_path: Path) -> None:
    wired = files(
        oxygen1=PROBE,
        water1={"kind": "ds18b20", "pin": WATER, "rom": ROMS[0]},
        water2={"kind": "ds18b20", "pin": WATER, "rom": ROMS[1]},
        water3={"kind": "ds18b20", "pin": 7},
        air1={"kind": "dht22", "pin": AIR, "value": "humidity", "every_s": 2},
        air2={"kind": "dht22", "pin": 8, "value": "humidity", "every_s": 2},
    )
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        board.set_temperatures(WATER, {ROMS[0]: 21.5, ROMS[1]: 3})
        board.set_temperatures(7, {ROMS[0]: 10})
        board.set_air(AIR, 20)
        board.set_air(8, 20)
        for number, grams in enumerate((3.1, 5.7, 8.3, 10.9, 13.5)):
            backend.result(backend.command("feed", "feeder1", amount=grams))
            late = lateness(board, FEEDER, grams * 100)
            print(f"motor beside sensors, dose {number}: {late:.0f} ms off")
            assert late <= LATE_MS
        assert len(readings(backend, "water2")) >= 3


def test_a_mistake_in_the_file_leaves_the_rest_of_the_board_at_work(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    wired = files(oxygen1={**PROBE, "pin": FEEDER})
    with site(tmp_path, embedded_broker, QUICK, wired, HEAP) as (board, backend, _):
        said = "answerback: no sensors: /sensors.json: oxygen1.pin is GPIO 16, which feeder1 has"
        board.wait(lambda it: it["event"] == "console" and it["line"].startswith(said))
        dropped(backend, "sensors_file", 1)
        assert backend.result(backend.command("read_sensors"))["result"] == {"readings": 0}
        backend.result(backend.command("feed", "feeder1", amount=2))
        assert lateness(board, FEEDER, 200) <= LATE_MS


def test_a_module_that_can_not_be_loaded_is_a_mistake_too(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    wired = files(ph1={"kind": "module", "module": "nowhere"})
    with site(tmp_path, embedded_broker, files=wired, heap=HEAP) as (board, backend, _):
        said = "answerback: no sensors: /sensors.json: ph1 can't be set up: ImportError"
        board.wait(lambda it: it["event"] == "console" and it["line"].startswith(said))
        assert backend.result(backend.command("ping"))


def test_a_board_without_sensors_loads_nothing_of_it(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    turned = """
import asyncio
async def later():
    await asyncio.sleep_ms(500)
    print("loaded", sorted(name for name in sys.modules if "sens" in name or "sampl" in name))
asyncio.create_task(later())
"""
    with site(tmp_path, embedded_broker, turned) as (board, backend, _):
        board.wait_for("console", line="loaded []")
        assert backend.result(backend.command("read_sensors"))["result"] == {"readings": 0}
