"""The page in a real browser, on a real backend and broker; the test speaks for the board."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.web.pond import Pond, sign_in
from tests.web.site import Site


def actuator(view: Page, name: str) -> Locator:
    return view.locator(f"[data-board=pond] [data-target={name}]")


def newest(view: Page) -> Locator:
    return view.locator("#history tbody tr").first


def test_a_wrong_password_is_told(site: Site, browser: Browser) -> None:
    page = browser.new_page()
    sign_in(page, site, "wrong password")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_role("heading", name="Boards")).to_be_hidden()
    page.close()


def test_a_feed_is_followed_from_click_to_history(view: Page, pond: Pond) -> None:
    feeder = actuator(view, "feeder1")
    feeder.get_by_label("Amount").fill("35")
    feeder.get_by_role("button", name="Feed 35 g").click()
    chip = feeder.locator(".chip")
    command = pond.next_command()
    assert command["parameters"] == {"amount": 35}
    expect(chip).to_have_text("SENT")
    pond.say(command, "accepted", within=8)
    expect(chip).to_have_text("ACKNOWLEDGED")
    expect(feeder.get_by_role("progressbar")).to_be_visible()
    expect(feeder.locator(".running")).to_contain_text(re.compile(r"at most [1-8] s more"))
    pond.say(command, "completed", grams=35)
    expect(chip).to_have_text("COMPLETED")
    expect(feeder.get_by_role("progressbar")).to_be_hidden()
    expect(newest(view)).to_contain_text("Feed 35 g")
    expect(newest(view)).to_contain_text("COMPLETED")


def test_the_timeline_tells_every_step_and_goes_on_live(view: Page, pond: Pond) -> None:
    actuator(view, "feeder1").locator("form").get_by_role("button", name="Feed").click()
    command = pond.next_command()
    expect(newest(view).locator(".chip")).to_have_text("SENT")
    newest(view).click()
    dialog = view.get_by_role("dialog")
    steps = dialog.locator("ol.steps > li")
    expect(steps).to_have_count(2)
    pond.say(command, "accepted", within=8)
    expect(steps).to_have_count(3)
    pond.say(command, "failed", "hardware")
    expect(steps).to_have_count(4)
    expect(steps.nth(0)).to_contain_text("Written down")
    expect(steps.nth(3)).to_contain_text("the actuator reported a fault")
    for time in steps.locator("time").all_inner_texts():
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", time)
    expect(steps.nth(3)).to_contain_text(re.compile(r"\(\+\d+(\.\d)? m?s\)"))
    view.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_every_actuator_has_its_actions(view: Page, pond: Pond) -> None:
    names = ("valve1", "motor1", "light1")
    valve, motor, light = (actuator(view, name).locator("form") for name in names)
    valve.get_by_label("Time").fill("7")
    clicks = [
        (valve.get_by_role("button", name="Fill 7 s"), {"action": "fill", "seconds": 7}),
        (valve.get_by_role("button", name="Drain 7 s"), {"action": "drain", "seconds": 7}),
        (valve.get_by_role("button", name="Stop"), {"action": "stop"}),
        (motor.get_by_role("button", name="Set speed 50 %"), {"action": "speed", "speed": 50}),
        (light.get_by_role("button", name="On"), {"state": "on"}),
        (light.get_by_role("button", name="Off"), {"state": "off"}),
        (view.get_by_role("button", name="Emergency stop"), {}),
    ]
    for button, parameters in clicks:
        button.click()
        command = pond.next_command()
        assert command["parameters"] == parameters
        pond.say(command, "completed")


def test_the_slider_and_the_label_follow_each_other(view: Page, pond: Pond) -> None:
    motor = actuator(view, "motor1")
    motor.get_by_label("Speed").fill("80")
    motor.get_by_label("Time").fill("5")
    motor.get_by_role("button", name="Start at 80 % for 5 s").click()
    command = pond.next_command()
    assert command["parameters"] == {"action": "start", "speed": 80, "seconds": 5}
    pond.say(command, "completed")
    pond.beat(motor1=command["command_id"])
    expect(motor.get_by_role("progressbar")).to_be_visible()
    pond.beat()
    expect(motor.get_by_role("progressbar")).to_be_hidden()


def test_a_field_that_is_wrong_stops_its_buttons(view: Page) -> None:
    feeder = actuator(view, "feeder1")
    feeder.get_by_label("Amount").fill("99999")
    expect(feeder.locator("button[type=submit]")).to_be_disabled()


def test_unknown_is_an_open_question(view: Page, pond: Pond) -> None:
    feeder = actuator(view, "feeder1")
    feeder.locator("form").get_by_role("button", name="Feed").click()
    command = pond.next_command()
    pond.say(command, "unknown", "interrupted")
    expect(feeder.locator(".chip")).to_have_text("UNKNOWN")
    expect(feeder.locator(".why")).to_contain_text("Open question")


def test_an_offline_board_says_what_a_click_means(view: Page, pond: Pond) -> None:
    pond.leave()
    card = view.locator("[data-board=pond]")
    expect(card.locator(".board-head")).to_contain_text("Offline")
    expect(card.locator(".note")).to_contain_text("within 60 s")
    actuator(view, "light1").locator("form").get_by_role("button", name="On").click()
    expect(actuator(view, "light1").locator(".chip")).to_have_text("PENDING")
    pond.arrive()
    expect(card.locator(".board-head")).to_contain_text("Online")
    pond.say(pond.next_command(), "completed")
    expect(actuator(view, "light1").locator(".chip")).to_have_text("COMPLETED")


def test_a_waiting_command_can_be_called_off(view: Page, pond: Pond) -> None:
    pond.leave()
    actuator(view, "feeder1").locator("form").get_by_role("button", name="Feed").click()
    expect(newest(view)).to_contain_text(re.compile("Feed.*PENDING"))
    newest(view).click()
    view.get_by_role("button", name="Call it off").click()
    expect(view.get_by_role("dialog").locator("header .chip")).to_have_text("CANCELLED")
    expect(view.get_by_role("button", name="Call it off")).to_be_hidden()


def test_the_history_filters_and_pages(view: Page, pond: Pond, site: Site) -> None:
    program = site.program()
    body = {"board_id": "pond", "command_type": "ping"}
    for _ in range(60):
        assert program.call("POST", "commands", body).status == 202
    view.get_by_label("Type").select_option("ping")
    rows = view.locator("#history tbody tr")
    expect(rows).to_have_count(50)
    view.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(60)
    expect(view.get_by_role("button", name="Older")).to_be_hidden()
    view.get_by_label("Status").select_option("REJECTED")
    expect(view.get_by_text("Nothing here yet.")).to_be_visible()
    view.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(50)


def test_a_command_that_comes_while_the_list_is_loading_is_not_lost(
    view: Page, pond: Pond, site: Site
) -> None:
    pond.leave()  # so that the command's first step stays its last
    held: list[Route] = []
    address = "**/api/v1/commands?command_type=restart"
    view.route(address, lambda route: held.append(route))
    with view.expect_request(address):
        view.get_by_label("Type").select_option("restart")
    body = {"board_id": "pond", "command_type": "restart"}
    posted = site.program().call("POST", "commands", body).json["id"]
    expect(newest(view)).to_have_attribute("data-command", posted)
    held[0].fulfill(json={"commands": [], "next": None})  # what was true when it was asked
    expect(view.locator("#history tbody tr").filter(has_not_text="Restart")).to_have_count(0)
    expect(newest(view)).to_have_attribute("data-command", posted)


def test_a_lost_stream_is_told_and_comes_back(view: Page, site: Site) -> None:
    port = site.server.port
    site.server.stop()
    expect(view.locator("#banner")).to_contain_text("lost")
    site.serve(port)
    expect(view.locator("#banner")).to_contain_text("Connected again")
    expect(view.locator("#live")).to_have_text("Live")


def test_signing_out_leaves_nothing_on_the_page(view: Page) -> None:
    view.get_by_role("button", name="Sign out").click()
    expect(view.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(view.locator("[data-board]")).to_have_count(0)


def test_text_from_outside_stays_text(view: Page, site: Site) -> None:
    body = {"board_id": "pond", "command_type": "ping", "reason": "<img src=x onerror=boom()>"}
    posted = site.program().call("POST", "commands", body)
    assert posted.status == 202
    view.locator(f"#history tr[data-command='{posted.json['id']}']").click()
    expect(view.get_by_role("dialog")).to_contain_text("<img src=x onerror=boom()>")


def test_it_fits_a_phone(view: Page, tmp_path: Path) -> None:
    view.set_viewport_size({"width": 375, "height": 740})
    width = view.evaluate("document.documentElement.scrollWidth")
    assert width <= 375
