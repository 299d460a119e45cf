"""Under an action form: what the command depends on, and a try on a twin of the board."""

import time

import pytest
from playwright.sync_api import Locator, Page, expect
from protocol.topics import SENSORS

from backend.database.models import Command
from tests.web.pond import Pond
from tests.web.test_twins import FULL, LOW, complete


@pytest.fixture
def feeder(view: Page, pond: Pond) -> Locator:
    """The form of a feeder whose board can do all that."""
    complete(pond)
    reading = {"sensor": "oxygen1", "value": 3.5, "unit": "mg/l", "timestamp": int(time.time())}
    said = {"boot": "b1", "readings": [reading], "failed": {}}
    pond.say_as(SENSORS, "sensors", said)
    expect(view.locator("[data-sensor=oxygen1]")).to_contain_text("3.5 mg/l")
    return view.locator("[data-target=feeder1]")


def only_if(feeder: Locator, choice: str) -> Locator:
    """One more condition, as a person makes it."""
    if feeder.locator(".more-of").get_attribute("open") is None:
        feeder.locator(".more-of > summary").click()
    feeder.get_by_role("button", name="Add a condition").click()
    row = feeder.locator(".condition").last
    row.get_by_label("What it depends on").select_option(label=choice)
    return row


def test_a_command_is_sent_with_what_it_depends_on(
    feeder: Locator, pond: Pond, view: Page
) -> None:
    row = only_if(feeder, "oxygen1 is below")
    feeder.get_by_role("button", name="Feed 20 g").click()
    assert row.get_by_label("Limit").evaluate("node => node.matches(':invalid')")
    row.get_by_label("Limit").fill("4.5")
    row.get_by_label("Its reading may be").fill("60")
    only_if(feeder, "light1 is off")
    expect(feeder.locator(".more-of > summary")).to_have_text("Only if 2 conditions hold")
    feeder.get_by_role("button", name="Feed 20 g").click()
    command = pond.next_command()
    assert command["conditions"] == [LOW, {"output": "light1", "is": "off"}]
    pond.say(command, "failed", "condition", condition=0, found=6.25)
    expect(feeder.locator(".why")).to_contain_text("oxygen1 must be below 4.5, and it was 6.25")
    feeder.locator("[data-command]").click()
    told = view.locator("dialog[open]")
    expect(told).to_contain_text("oxygen1 is below 4.5, read in the last 60 s; light1 is off")
    told.get_by_role("button", name="Close").click()


def test_a_try_shows_the_pins_of_a_twin_and_moves_nothing(feeder: Locator, view: Page) -> None:
    before = Command.select().count()
    only_if(feeder, "light1 is off")
    feeder.get_by_role("button", name="Try it first").click()
    shown = feeder.locator(".trial")
    expect(shown).to_contain_text("Only a try: nothing real moved.")
    expect(shown.locator(".chip")).to_have_text("COMPLETED")
    expect(shown.locator(".pin")).to_have_text(["feeder1 GPIO 16on at 0 ms, off at 2.0 s"])
    expect(shown.locator(".track i")).to_have_count(1)
    feeder.get_by_role("button", name="Remove this condition").first.click()
    feeder.get_by_label("Amount").fill("5000")
    feeder.get_by_role("button", name="Try it first").click()
    expect(shown).to_contain_text("No pin has changed.")
    expect(shown).to_contain_text("longest")
    assert Command.select().count() == before
    expect(view.locator("[data-target=light1]").locator("[data-try]")).to_have_count(1)


def test_an_older_board_is_offered_neither(view: Page, pond: Pond) -> None:
    pond.arrive(has="sensors", actuators=FULL)
    expect(view.locator("[data-target=feeder1] form")).to_be_visible()
    expect(view.locator(".more-of")).to_have_count(0)
