"""What boards measure: the last of each counts, however late or often the rest comes."""

from typing import Any

from backend.delivery.work import Outcome
from backend.fleet import boards, sensors
from backend.fleet.presence import Presence
from tests.backend.conftest import START, Desk

NOW = START // 1000


def pond(desk: Desk) -> Presence:
    board = desk.core.roster.get("pond")
    assert board is not None
    return board


def shown(desk: Desk) -> dict[str, Any]:
    """{sensor: (value, unit, at in ms, error)}"""
    found: dict[str, dict[str, Any]] = boards.public(pond(desk))["sensors"]
    return {name: tuple(one.values()) for name, one in found.items()}


def read(desk: Desk, *values: tuple[str, float, int], boot: str = "b1", **failed: str) -> Outcome:
    """The board says (sensor, value, timestamp) of each; all in mg/l."""
    readings = [
        {"sensor": name, "value": value, "unit": "mg/l", "timestamp": timestamp}
        for name, value, timestamp in values
    ]
    message = {"boot": boot, "readings": readings, "failed": failed}
    return desk.say("data/sensors", "sensors", message)


def cross(desk: Desk, state: str, timestamp: int, boot: str = "b1", limit: str = "low") -> None:
    """The board says how the limit of `oxygen1` is."""
    message = {"boot": boot, "sensor": "oxygen1", "limit": limit, "state": state,
               "value": 3.5, "unit": "mg/l", "timestamp": timestamp}  # fmt: skip
    desk.say("threshold", "threshold", message)


def test_the_last_value_has_its_unit_and_its_time_and_is_pushed(desk: Desk) -> None:
    desk.startup()
    out = read(desk, ("oxygen1", 6.5, NOW), ("air1", 40, NOW + 1))
    assert list(out.boards) == ["pond"]
    assert shown(desk) == {
        "oxygen1": (6.5, "mg/l", START, None),
        "air1": (40, "mg/l", START + 1000, None),
    }


def test_what_was_read_before_changes_nothing(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    read(desk, ("oxygen1", 9, NOW - 60), ("oxygen1", 8, 0))
    assert shown(desk)["oxygen1"] == (6.5, "mg/l", START, None)
    read(desk, ("oxygen1", 7, NOW - 60), ("oxygen1", 7.5, NOW + 60))
    assert shown(desk)["oxygen1"] == (7.5, "mg/l", START + 60_000, None)


def test_without_a_time_only_the_boot_that_runs_is_believed(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, 0))
    assert shown(desk)["oxygen1"] == (6.5, "mg/l", None, None)
    read(desk, ("oxygen1", 7.5, 0), boot="b0", oxygen1="driver")
    assert shown(desk)["oxygen1"] == (6.5, "mg/l", None, None)


def test_a_sensor_that_fails_keeps_its_last_value_and_says_why(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    read(desk, oxygen1="range", water1="driver")
    assert shown(desk) == {
        "oxygen1": (6.5, "mg/l", START, "range"),
        "water1": (None, "", None, "driver"),
    }
    read(desk, ("oxygen1", 6, NOW + 1), water1="driver")
    assert shown(desk)["oxygen1"][3] is None and shown(desk)["water1"][3] == "driver"


def test_a_limit_is_as_it_was_said_last(desk: Desk) -> None:
    desk.startup()
    cross(desk, "crossed", NOW)
    assert boards.public(pond(desk))["limits"] == {"oxygen1.low": "crossed"}
    cross(desk, "cleared", NOW - 1)
    cross(desk, "cleared", 0)
    assert boards.public(pond(desk))["limits"] == {"oxygen1.low": "crossed"}
    cross(desk, "cleared", NOW)
    assert boards.public(pond(desk))["limits"] == {"oxygen1.low": "cleared"}


def test_a_new_boot_begins_anew_and_a_new_connection_does_not(desk: Desk) -> None:
    desk.startup()
    read(desk, ("oxygen1", 6.5, NOW))
    cross(desk, "crossed", NOW)
    desk.startup("b1", 2)
    assert shown(desk) and pond(desk).limits
    desk.startup("b2", 1)
    assert not shown(desk) and not pond(desk).limits


def test_names_without_end_are_left_out_and_counted(desk: Desk) -> None:
    desk.startup()
    for number in range(0, 96, 16):
        read(desk, *((f"s{number + i}", 1, NOW) for i in range(16)))
        cross(desk, "crossed", NOW, limit=f"l{number}")
    assert len(shown(desk)) == sensors.SENSORS_MAX
    assert desk.core.refused["too_many_sensors"] == 96 - sensors.SENSORS_MAX
    for number in range(sensors.SENSORS_MAX):
        cross(desk, "crossed", NOW, limit=f"more{number}")
    assert len(pond(desk).limits) == sensors.SENSORS_MAX
    read(desk, ("s0", 2, NOW + 1))
    assert shown(desk)["s0"][0] == 2


def test_measuring_is_no_sign_of_which_session_it_is(desk: Desk) -> None:
    desk.startup("b1", 3)
    desk.status("offline", "b1", 3)
    read(desk, ("oxygen1", 6.5, NOW))
    assert pond(desk).online is False and pond(desk).session == 3
