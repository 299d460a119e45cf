"""What the page offers of a board beside its actuators: only what it has, in plain words."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from protocol import ack
from protocol.topics import ACK

from tests.backend.running import eventually
from tests.web.pond import ACTUATORS, Pond
from tests.web.site import Site

ALL = ["Camera", "Settings", "Sleep", "Firmware", "Look after it"]
REPORTED: dict[str, Any] = {
    "hold_s": 30,
    "broker-host": "10.0.0.2",
    "broker-tls": False,
    "wifi-0-ssid": "pond",
}


@pytest.fixture
def card(view: Page, pond: Pond) -> Locator:
    """The board with all there is."""
    pond.arrive(has="camera sensors sleep")
    card = view.locator("[data-board=pond]")
    expect(card.locator("details")).to_have_count(len(ALL))
    return card


def opened(card: Locator, name: str) -> Locator:
    group = card.locator(f"[data-group='{name}']")
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    return group


def answered(pond: Pond, **result: Any) -> dict[str, Any]:
    """The next command, which the board completes."""
    command = pond.next_command()
    pond.say(command, "completed", **result)
    return command


def test_a_board_is_offered_only_what_it_has(card: Locator, pond: Pond) -> None:
    expect(card.locator("summary")).to_have_text(ALL)
    care = opened(card, "Look after it")
    expect(care.get_by_role("button", name="Read the sensors")).to_be_visible()
    pond.arrive(has="", slot="", actuators={"light1": ACTUATORS["light1"]})
    expect(card.locator("summary")).to_have_text(["Settings", "Look after it"])
    expect(card.locator("[data-target]")).to_have_count(1)
    care = opened(card, "Look after it")
    expect(care.get_by_role("button", name="Ping")).to_be_visible()
    expect(care.get_by_role("button", name="Read the sensors")).to_have_count(0)


def test_a_picture_is_taken_listed_sent_and_deleted(card: Locator, pond: Pond) -> None:
    camera = opened(card, "Camera")
    camera.get_by_label("Quality").fill("70")
    camera.get_by_label("With its light on").check()
    camera.get_by_role("button", name="Take a picture").click()
    assert answered(pond)["parameters"] == {"quality": 70, "flash": True}
    camera.get_by_label("Send it at once").uncheck()
    camera.get_by_role("button", name="Take a picture").click()
    assert answered(pond)["parameters"] == {"quality": 70, "flash": True, "send": False}
    camera.get_by_role("button", name="List the pictures").click()
    answered(pond, **{"b1-1": "12345 unsent", "b1-2": "4021 sent"})
    expect(camera.locator("li")).to_have_count(2)
    expect(camera.locator("li").first).to_contain_text("13 KB, unsent")
    for word, verb in (("Send", "send_image"), ("Delete", "delete_image")):
        camera.get_by_role("button", name=f"{word} b1-1").click()
        command = answered(pond)
        assert (command["command_type"], command["parameters"]) == (verb, {"image_id": "b1-1"})


def test_settings_are_read_changed_and_compared(
    card: Locator, pond: Pond, view: Page, site: Site
) -> None:
    part = opened(card, "Settings")
    part.get_by_role("button", name="Read the settings").click()
    assert answered(pond, **REPORTED)["parameters"] == {}
    hold = part.get_by_label("Outputs stay on")
    expect(hold).to_have_value("30")
    hold.fill("20")
    part.get_by_label("TLS to the broker").check()
    part.get_by_label("Wi-Fi 1, password").fill("of the pond")
    part.get_by_role("button", name="Change").click()
    command = pond.next_command()
    wanted = {"hold_s": 20, "broker-tls": True, "wifi-0-password": "of the pond"}
    assert command["parameters"] == wanted
    expect(part.locator(".wish")).to_have_text(
        ["wanted: true", "wanted: 20", "wanted: another one"]
    )
    expect(part.locator(".why")).to_contain_text("Wanted since")
    pond.say(command, "completed", **{**REPORTED, "hold_s": 20, "broker-tls": True})
    expect(part.locator(".wish")).to_have_count(0)
    expect(hold).to_have_value("20")
    listed = site.program().call("GET", "commands?command_type=update_config").raw
    assert b"of the pond" not in view.content().encode() + listed


def test_a_refused_setting_says_which_and_why(card: Locator, pond: Pond) -> None:
    part = opened(card, "Settings")
    part.get_by_label("Name of another setting").fill("hold_s")
    part.get_by_label("Its value").fill("5000")
    part.get_by_role("button", name="Change").click()
    command = pond.next_command()
    assert command["parameters"] == {"hold_s": 5000}
    why = "hold_s: must be from 1 to 3600"
    said = ack(command["command_id"], "rejected", "b1", error="bad_parameter", message=why)
    pond.say_as(ACK, "ack", said)
    expect(part.locator(".why")).to_contain_text("refused, nothing has changed")
    expect(part.locator(".why")).to_contain_text(why)
    expect(part.locator(".wish.rejected")).to_have_text("wanted: 5000")


def test_sleep_and_updates_have_their_forms(card: Locator, pond: Pond) -> None:
    sleep = opened(card, "Sleep")
    sleep.get_by_label("Wake every").fill("3600")
    sleep.get_by_label("Sleep when quiet for").fill("15")
    sleep.get_by_role("button", name="Wake every 1 h").click()
    assert answered(pond)["parameters"] == {"seconds": 3600, "quiet_s": 15}
    sleep.get_by_label("Wake every").fill("0")
    sleep.get_by_role("button", name="Stay awake").click()
    assert answered(pond)["parameters"] == {"seconds": 0, "quiet_s": 15}
    part = opened(card, "Firmware")
    expect(part.locator(".release")).to_have_text("Runs 0.1.0 out of slot a: it has proved itself")
    update = part.get_by_role("button", name="Update")
    expect(update).to_be_disabled()
    part.get_by_label("Version").fill("0.2.0")
    part.get_by_label("Address").fill("http://10.0.0.9:8000/release.json")
    part.get_by_label("SHA-256").fill("0a" * 32)
    part.get_by_role("button", name="Update to 0.2.0").click()
    command = pond.next_command()
    assert command["parameters"]["sha256"] == "0a" * 32
    pond.say(command, "failed", "bad_release")
    expect(part.locator(".result")).to_contain_text("The release is damaged")
    pond.arrive(has="camera sensors sleep", slot_state="rolled_back: watchdog")
    expect(part.locator(".release")).to_contain_text("went back to it, watchdog")


def test_an_emergency_stop_is_cleared_where_it_is_told(card: Locator, pond: Pond) -> None:
    clear = card.locator(".note").get_by_role("button", name="Clear the emergency stop")
    expect(clear).to_have_count(0)
    pond.arrive(has="camera sensors sleep", latched=True)
    clear.click()
    assert answered(pond)["command_type"] == "clear_stop"
    pond.arrive(has="camera sensors sleep")
    expect(clear).to_have_count(0)


def test_water_goes_by_the_amount_where_the_valve_was_measured(card: Locator, pond: Pond) -> None:
    valve = card.locator("[data-target=valve1]")
    expect(valve.get_by_label("Measured")).to_have_count(0)
    measured = {**ACTUATORS["valve1"], "ml_per_second": 50}
    pond.arrive(has="", actuators={"valve1": measured})
    valve.get_by_label("Measured").select_option("by amount")
    valve.get_by_label("Amount").fill("300")
    valve.get_by_role("button", name="Fill 300 ml").click()
    assert answered(pond)["parameters"] == {"action": "fill", "amount": 300}
    valve.get_by_label("Measured").select_option("by time")
    valve.get_by_role("button", name="Drain 10 s").click()
    assert answered(pond)["parameters"] == {"action": "drain", "seconds": 10}


def test_the_error_log_is_read_in_its_story(card: Locator, pond: Pond, view: Page) -> None:
    opened(card, "Look after it").get_by_role("button", name="Fetch the error log").click()
    command = pond.next_command()
    part = {"command_id": command["command_id"], "part": 1, "parts": 1, "text": "OSError: 28"}
    pond.say_as("data/log", "log", part)
    pond.say(command, "completed")
    backend = pond.station.backend
    eventually(lambda: backend.command(command["command_id"])["status"] == "COMPLETED")
    view.locator("#history tbody tr").first.click()
    expect(view.get_by_role("dialog").locator("pre")).to_have_text("OSError: 28")
