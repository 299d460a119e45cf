"""What the page shows of health, alerts and messages, in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import Client, Site


def test_a_failing_board_rings_the_bell_and_stands_in_the_table(
    view: Page, pond: Pond, program: Client
) -> None:
    expect(view.locator("#bell")).to_be_hidden()

    def feed(state: str, error: str | None) -> None:
        posted = program.feed().json["id"]
        pond.say(pond.next_command(), "accepted", within=5)
        pond.say({"command_id": posted}, state, error)
        eventually(lambda: program.call("GET", f"commands/{posted}").json["result"] is not None)

    for _ in range(3):
        feed("failed", "hardware")
    expect(view.locator("#bell")).to_have_text("1 alert")
    view.locator("#bell").click()
    health = view.locator("#view-health")
    expect(health.locator("[data-alert=pond].open")).to_contain_text("3 failures")
    row = health.locator("#stats tr[data-row=pond]")
    expect(row).to_contain_text("the actuator reported a fault")
    expect(row.get_by_role("img")).to_have_attribute("aria-label", "0 succeeded, 3 did not")
    assert row.locator("rect.bad").count() >= 1
    for _ in range(3):
        feed("completed", None)
    expect(view.locator("#bell")).to_be_hidden()
    expect(health.locator("[data-alert=pond].open")).to_have_count(0)
    expect(row).to_contain_text("50 %")
    health.get_by_label("Of").select_option("command_type")
    expect(health.locator("#stats tr[data-row=feed]")).to_contain_text("50 %")


def test_when_a_board_was_away_is_told(view: Page, pond: Pond) -> None:
    pond.leave()
    pond.arrive(session=2)
    view.get_by_role("link", name="Health").click()
    health = view.locator("#view-health")
    expect(health).to_contain_text("1 of 1")
    health.get_by_role("button", name="pond", exact=True).click()
    expect(health.locator("#outages li").first).to_contain_text("its connection ended")


def test_the_timeline_shows_the_messages(view: Page, site: Site, pond: Pond) -> None:
    site.program().feed()
    pond.say(pond.next_command(), "completed", grams=20)
    row = view.locator("#history tbody tr").first
    expect(row).to_contain_text("COMPLETED")
    row.click()
    view.get_by_role("dialog").get_by_text("Messages").click()
    lines = view.locator("dialog .messages li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text(re.compile("→ board feed.*bytes"))
    expect(lines.nth(1)).to_contain_text("← board ack")


def test_a_share_says_of_how_many(view: Page) -> None:
    counts = {"COMPLETED": 2, "FAILED": 1, "UNKNOWN": 1, "CANCELLED": 1}
    words = view.evaluate(
        "async (counts) => (await import('/page/health.js')).inAll(counts)", counts
    )
    assert words == "of 3; 2 open or cancelled"
