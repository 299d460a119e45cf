"""What a board measures, in the API and on the page."""

import re
import time
from typing import Any

from playwright.sync_api import Page, expect
from protocol.topics import SENSORS, THRESHOLD

from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import Client
from tests.web.test_openapi import validator


def read(pond: Pond, value: float, **failed: str) -> None:
    """The oxygen is so and so now."""
    now = int(time.time())
    reading = {"sensor": "oxygen1", "value": value, "unit": "mg/l", "timestamp": now}
    pond.say_as(SENSORS, "sensors", {"boot": "b1", "readings": [reading], "failed": failed})


def cross(pond: Pond, state: str) -> None:
    """The limit of the oxygen is so and so now."""
    message = {"boot": "b1", "sensor": "oxygen1", "limit": "low_oxygen", "state": state,
               "value": 3.5, "unit": "mg/l", "timestamp": int(time.time())}  # fmt: skip
    pond.say_as(THRESHOLD, "threshold", message)


def test_a_board_shows_what_it_measures(pond: Pond, program: Client) -> None:
    def shown() -> dict[str, Any]:
        board: dict[str, Any] = program.call("GET", "boards/pond").json
        return board

    read(pond, 6.5, water1="driver")
    cross(pond, "crossed")
    board = eventually(lambda: shown()["limits"] and shown()["sensors"] and shown())
    validator("Board").validate(board)
    assert board["limits"] == {"oxygen1.low_oxygen": "crossed"}
    oxygen, water = board["sensors"]["oxygen1"], board["sensors"]["water1"]
    assert (oxygen["value"], oxygen["unit"], oxygen["error"]) == (6.5, "mg/l", None)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", oxygen["at"])
    assert water == {"value": None, "unit": "", "at": None, "error": "driver"}


def test_the_page_has_a_line_for_each_sensor_and_keeps_it_up_to_date(
    view: Page, pond: Pond
) -> None:
    line = view.locator("[data-board=pond] [data-sensor=oxygen1]")
    read(pond, 6.5, water1="driver")
    cross(pond, "cleared")
    expect(line).to_have_text("oxygen1 6.5 mg/l just now")
    dead = view.locator("[data-board=pond] [data-sensor=water1]")
    expect(dead).to_have_text("water1 no value · it does not answer")
    read(pond, 3.5)
    cross(pond, "crossed")
    expect(line).to_have_text("oxygen1 3.5 mg/l just now · low oxygen")
    cross(pond, "cleared")
    expect(line).to_have_text("oxygen1 3.5 mg/l just now")


def test_a_unit_is_no_markup(view: Page, pond: Pond) -> None:
    reading = {"sensor": "odd1", "value": 1, "unit": "<img src=x onerror=boom()>", "timestamp": 0}
    pond.say_as(SENSORS, "sensors", {"boot": "b1", "readings": [reading], "failed": {}})
    line = view.locator("[data-board=pond] [data-sensor=odd1]")
    expect(line).to_have_text("odd1 1 <img src=x onerror=boom()> at an unknown time")
