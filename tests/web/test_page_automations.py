"""Automations on the page, in a real browser: made, at work, switched off."""

import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.pond import Pond
from tests.web.site import Client

READING = {"sensor": "oxygen1", "unit": "mg/l"}


def read(pond: Pond, value: float) -> None:
    one = {**READING, "value": value, "timestamp": int(time.time()) + 1}
    pond.say_as("data/sensors", "sensors", {"boot": "b1", "readings": [one], "failed": {}})


def switch(state: str) -> dict[str, Any]:
    parameters = {"state": state, **({"seconds": 600} if state == "on" else {})}
    return {"board_id": "pond", "command_type": "switch", "target": "light1",
            "parameters": parameters}  # fmt: skip


def test_a_rule_is_made_from_what_the_board_has(view: Page, pond: Pond, program: Client) -> None:
    read(pond, 6.5)
    view.get_by_role("link", name="Automations").click()
    part = view.locator("#view-automations")
    expect(part).to_contain_text("There are no rules yet. Add one")
    expect(view.locator("[data-board=pond] .sensors")).to_contain_text("6.5")
    part.get_by_role("button", name="Add a rule").click()
    form = view.get_by_role("dialog")
    form.get_by_label("Name").fill("Aerator")
    form.get_by_label("Limit", exact=True).fill("4")
    form.get_by_label("Back by").fill("1")
    form.get_by_label("When it is crossed", exact=True).select_option(label="pond: light1")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("choose what it is to do")
    crossed = form.get_by_role("form", name="Actions of When it is crossed light1")
    crossed.get_by_label("Time").fill("600")
    crossed.get_by_role("button", name="On for 600 s").click()
    form.get_by_label("When it is back", exact=True).select_option(label="pond: light1")
    back = form.get_by_role("form", name="Actions of When it is back light1")
    back.get_by_role("button", name="Off").click()
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(part.locator("[data-rule]")).to_contain_text("below 4: pond light1: On for 600 s")
    [rule] = program.call("GET", "automations").json["automations"]
    assert (rule["action"], rule["clear_action"]) == (switch("on"), switch("off"))


def test_a_rule_at_work_and_what_it_did(view: Page, pond: Pond, program: Client) -> None:
    view.get_by_role("link", name="Automations").click()
    card = view.locator("#view-automations [data-rule]")
    read(pond, 3.5)
    expect(card).to_contain_text("3.5 mg/l: below 4 mg/l since")
    pond.say(pond.next_command(), "completed", seconds=600)
    expect(card).to_contain_text("It has acted.")
    row = view.locator("#executions tbody tr").first
    expect(row).to_contain_text("crossed at 3.5 (below 4)")
    expect(row).to_contain_text("COMPLETED")
    row.get_by_role("button", name="Its command").click()
    expect(view.locator("#timeline")).to_contain_text("On for 600 s")
    view.locator("#timeline").get_by_role("button", name="Close").click()
    posted = program.call("POST", "commands", switch("off")).json["id"]
    pond.say(pond.next_command(), "completed")
    view.get_by_label("By").select_option("MANUAL_COMMAND")
    expect(row).to_contain_text("admin")
    expect(row).to_contain_text("COMPLETED")
    shown = program.call("GET", "executions?type=MANUAL_COMMAND").json["executions"][0]
    assert (shown["command_id"], shown["status"], shown["priority"]) == (posted, "COMPLETED", 1000)


def test_a_rule_is_switched_off_and_deleted(view: Page, program: Client) -> None:
    view.get_by_role("link", name="Automations").click()
    card = view.locator("#view-automations [data-rule]")
    card.get_by_role("button", name="Switch off").click()
    expect(card).to_contain_text("Switched off.")
    card.get_by_role("button", name="Delete").click()
    view.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    assert program.call("GET", "automations").json == {"automations": []}
