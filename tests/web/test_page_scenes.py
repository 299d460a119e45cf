"""The page's part about scenes, in a real browser: a file with a fault, mended and played."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.pond import Pond
from tests.web.site import Site

LIGHT = {"action": "command", "board": "pond", "target": "light1", "command_type": "switch"}


def scene(at: Any) -> str:
    say = {**LIGHT, "parameters": {"state": "on"}}
    timeline = [{"at": 0, **say}, {"at": at, **say, "parameters": {"state": "off"}}]
    leaves = [{"type": "timeout", "delay": 120, "goto": "END"}]
    state = {"timeline": timeline, "transitions": leaves}
    raw = {
        "sceneId": "dusk",
        "description": "Evening",
        "initialState": "A",
        "states": {"A": state},
    }
    return json.dumps(raw, indent=2)


def test_a_scene_from_its_file_to_its_end(view: Page, site: Site, pond: Pond) -> None:
    view.get_by_role("link", name="Scenes").click()
    scenes = view.locator("#view-scenes")
    expect(scenes).to_contain_text("There are no scenes yet")
    scenes.get_by_role("button", name="Add a scene").click()
    dialog = view.get_by_role("dialog")
    dialog.get_by_label("The file").fill("{")
    dialog.get_by_role("button", name="Check").click()
    expect(dialog.locator(".problems")).to_contain_text("It is no JSON")
    dialog.get_by_label("The file").fill(scene("soon"))
    dialog.get_by_role("button", name="Save").click()
    problem = dialog.locator(".problems li")
    expect(problem).to_have_text("Line 19 states.A.timeline[1].at must be a number")
    marked = dialog.get_by_label("The file").evaluate(
        "node => node.value.slice(node.selectionStart, node.selectionEnd)"
    )
    assert marked.strip() == '"at": "soon",'
    dialog.get_by_label("The file").fill(scene(60))
    dialog.get_by_role("button", name="Save").click()
    card = scenes.locator("[data-scene=dusk]")
    expect(card).to_contain_text("Evening · 1 state · 2 actions")
    expect(card).to_contain_text("It was not played yet")

    card.get_by_role("button", name="Start").click()
    expect(card.locator(".run-head")).to_contain_text("RUNNING")
    pond.say(pond.next_command(), "completed")
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("ok")
    expect(rows.nth(0)).to_contain_text(re.compile(r"\+\d+ ms"))
    expect(rows.nth(1)).to_contain_text("to come")
    expect(card.get_by_role("img")).to_have_attribute("aria-label", "2 steps, on 1 lane")
    card.get_by_role("button", name="Pause").click()
    expect(card.locator(".run-head")).to_contain_text("PAUSED")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".run-head")).to_contain_text("RUNNING")
    card.get_by_role("button", name="Stop", exact=True).click()
    expect(card.locator(".run-head")).to_contain_text("STOPPED")
    expect(card).to_contain_text("stopped by admin")
    rows.nth(0).get_by_role("button").click()
    expect(view.get_by_role("dialog")).to_contain_text("Written down by the backend")
    view.get_by_role("button", name="Close").click()
    card.get_by_text("Earlier runs").click()
    expect(card.locator(".runs li")).to_have_count(1)
    card.get_by_role("button", name="Delete").click()
    view.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(scenes).to_contain_text("There are no scenes yet")
