"""The page's part about schedules and commands to many boards, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from backend.service import Backend
from tests.web.pond import Pond
from tests.web.site import Site
from tests.web.village import add_site, place


@pytest.fixture(scope="module")
def lake(site: Site) -> Backend:
    """`pond` and three boards that are away, all at the lake; two of these are pumps."""
    backend, program = site.station.backend, site.program()
    add_site("lake")
    place(backend, "pond", "lake")
    for number in range(3):
        program.call("POST", "boards", {"board_id": f"pump-{number}", "site": "lake"})
    for number in range(2):
        program.call("PATCH", f"boards/pump-{number}", {"labels": ["pump"]})
    program.call("PATCH", "sites/lake", {"timezone": "Europe/Rome"})
    return backend


def opened(view: Page, button: str) -> Locator:
    view.get_by_role("link", name="Schedules", exact=True).click()
    view.get_by_role("button", name=button).click()
    return view.get_by_role("dialog")


def test_a_schedule_from_the_form_to_what_it_did(view: Page, pond: Pond, lake: Backend) -> None:
    dialog = opened(view, "New schedule")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert").last).to_contain_text("tick at least one")
    dialog.get_by_label("pond").check()
    dialog.get_by_label("Of what").select_option("feeder1")
    dialog.get_by_label("Amount").fill("12")
    expect(dialog).to_contain_text("Chosen: feeder1, Feed 12 g")
    dialog.locator("[name=how]").select_option("cron")
    dialog.get_by_label("Cron").fill("0 25 * * *")
    expect(dialog.locator(".preview")).to_contain_text("wrong hour, '25'")
    dialog.locator("[name=how]").select_option("weekdays")
    dialog.get_by_label("Time", exact=True).fill("07:30")
    expect(dialog.locator(".preview li")).to_have_count(5)
    expect(dialog.locator(".preview")).to_contain_text(re.compile("Europe/Rome.*07:30", re.DOTALL))
    dialog.get_by_label("Name").fill("Morning feed")
    dialog.get_by_role("button", name="Save").click()

    row = view.get_by_role("region", name="Morning feed")
    expect(row).to_contain_text("feeder1: Feed 12 g · pond · Lake")
    expect(row.locator(".next")).to_contain_text(re.compile(r"In .*07:30 \(\+0[12]:00\)"))
    row.get_by_role("button", name="Run now").click()
    pond.say(pond.next_command(), "completed")
    expect(row).to_contain_text("1 done")
    row.get_by_role("button", name="Pause").click()
    expect(row.locator(".next")).to_contain_text("Paused")
    row.get_by_role("button", name="Edit").click()
    expect(dialog.get_by_label("Amount")).to_have_value("12")
    expect(dialog.locator("[name=how]")).to_have_value("weekdays")
    dialog.get_by_label("Amount").fill("15")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Feed 15 g")
    row.get_by_role("link", name="Last").click()
    expect(view.locator("#view-schedules .run-boards li")).to_contain_text("1 done")
    view.get_by_role("link", name="All schedules").click()
    row.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_a_command_to_many_is_followed_and_the_rest_cancelled(
    view: Page, pond: Pond, lake: Backend
) -> None:
    dialog = opened(view, "Command to many boards")
    dialog.get_by_label("Which boards").select_option("*")
    dialog.get_by_label("Of what").select_option("feeder1")
    dialog.locator("[name=rate]").fill("20")
    dialog.get_by_role("button", name="Send").click()
    bar, boards = view.locator(".run-legend"), view.locator("[data-run-board]")
    expect(boards).to_have_count(4)
    command = pond.next_command()
    expect(bar).to_contain_text("1 sent")
    view.get_by_role("button", name="Pause").click()
    pond.say(command, "completed")
    expect(bar).to_contain_text("1 done")
    expect(view.get_by_role("button", name="Go on")).to_be_visible()
    view.get_by_role("button", name="Cancel the rest").click()
    expect(bar).to_contain_text("called off before a turn")
    expect(view.locator("[data-run-board=pond]")).to_contain_text("done")
    view.get_by_role("button", name="pond").click()
    expect(view.locator("#timeline")).to_contain_text("Done")


def test_labels_are_set_where_boards_are(view: Page, lake: Backend) -> None:
    view.get_by_role("link", name="Sites").click()
    row = view.locator("[data-board-row=pump-2]")
    row.get_by_role("button", name="Labels").click()
    view.get_by_role("dialog").get_by_label("Words").fill("pump, north side")
    view.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(row).to_contain_text("#north #pump #side")
