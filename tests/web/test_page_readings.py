"""The view of sensors, in a real browser."""

import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from protocol.topics import SENSORS

from backend.database.models import Board
from backend.database.models import Site as SiteRow
from tests.support.browser import PATIENCE_MS
from tests.web.pond import Pond, sign_in
from tests.web.site import Site
from tests.web.village import add_site, place

ROOT = "document.documentElement"
POLICY = "Content Security Policy"


def read(pond: Pond, *values: tuple[str, float, str, int], **failed: str) -> None:
    """The board tells of (sensor, value, unit, Unix seconds)."""
    readings = [{"sensor": name, "value": value, "unit": unit, "timestamp": at}
                for name, value, unit, at in values]  # fmt: skip
    pond.say_as(SENSORS, "sensors", {"boot": "b1", "readings": readings, "failed": failed})


@pytest.fixture
def sensors(site: Site, pond: Pond, browser: Browser) -> Iterator[Page]:
    """The view on a phone in dark mode; whatever the policy refuses fails the test."""
    page = browser.new_page(
        viewport={"width": 390, "height": 800}, color_scheme="dark", timezone_id="UTC"
    )
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if POLICY in said.text else None)
    sign_in(page, site, site.password)
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("link", name="Sensors", exact=True).click()
    yield page
    page.close()
    assert not faults


def test_cards_and_chart_follow_what_comes(sensors: Page, pond: Pond) -> None:
    view = sensors.locator("#view-sensors")
    expect(view).to_contain_text("No board has told of a reading yet")
    now = int(time.time())
    for minute in range(60, 0, -1):
        if not 20 < minute < 30:
            at = now - 60 * minute
            read(pond, ("oxygen1", 6 + minute / 60, "mg/l", at), ("water1", 21.5, "°C", at))
    card = view.locator("[data-sensor=oxygen1]")
    expect(card).to_contain_text("6.017 mg/l")
    expect(card).to_contain_text("min ago")
    expect(card.locator("canvas")).to_be_visible()
    view.get_by_role("button", name="hour").click()
    legend = view.locator(".plot .u-legend")
    expect(legend).to_contain_text("oxygen1")
    read(pond, ("oxygen1", 3.5, "mg/l", int(time.time())), water1="driver")
    expect(card).to_contain_text("3.5 mg/l just now")
    expect(view.locator("[data-sensor=water1]")).to_contain_text("it does not answer")
    view.get_by_text("Values", exact=True).click()
    expect(view.locator("#reading-table tbody tr").first).to_contain_text("3.5 mg/l")
    assert view.locator("#reading-table tbody tr").count() <= 100
    box = view.locator(".plot .u-over").bounding_box()
    assert box and box["width"] > 200 and box["x"] + box["width"] <= 390
    sensors.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(legend).to_contain_text(re.compile(r"oxygen1\W*6\.\d+ mg/l"))
    view.get_by_role("button", name="water1 in the chart").click()
    expect(legend).not_to_contain_text("water1")
    with sensors.expect_download() as download:
        view.get_by_role("link", name="Download as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 52 and all("oxygen1" in line for line in lines[1:])
    assert sensors.evaluate(f"{ROOT}.scrollWidth <= {ROOT}.clientWidth")


def test_an_administrator_names_a_sensor(sensors: Page, pond: Pond) -> None:
    read(pond, ("oxygen1", 7.5, "mg/l", int(time.time())))
    card = sensors.locator("#view-sensors [data-sensor=oxygen1]")
    expect(card).to_contain_text("7.5 mg/l")
    card.get_by_text("Name and range").click()
    card.get_by_label("Name", exact=True).fill("Oxygen, deep end")
    card.get_by_label("Least that can be right").fill("20")
    card.get_by_label("Most that can be right").fill("10")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("alert")).to_have_text("low must be below high")
    card.get_by_label("Least that can be right").fill("0")
    card.get_by_role("button", name="Save").click()
    expect(card.locator(".choose b")).to_have_text("Oxygen, deep end")


def test_times_are_those_of_the_site(sensors: Page, site: Site, pond: Pond) -> None:
    texts: dict[str, Any] = sensors.evaluate(
        """async () => {
            const { clockOf } = await import('/page/chart.js');
            const [rome, parts] = [clockOf('Europe/Rome'), { hour: '2-digit', minute: '2-digit' }];
            const at = (text) => rome(new Date(text) / 1000, parts);
            return { summer: at('2026-10-25T00:59:00Z'), winter: at('2026-10-25T01:00:00Z') };
        }"""
    )
    assert texts == {"summer": "02:59", "winter": "02:00"}
    add_site("north")
    SiteRow.update(timezone="Europe/Rome").where(SiteRow.id == "north").execute()
    place(site.station.backend, "pond", "north")
    now = int(time.time())
    read(pond, ("oxygen1", 5, "mg/l", now))
    sensors.reload()
    view = sensors.locator("#view-sensors")
    expect(view).to_contain_text("Times in Europe/Rome")
    view.get_by_role("button", name="day", exact=True).click()
    view.get_by_text("Values", exact=True).click()
    begins = datetime.fromtimestamp(now // 300 * 300, ZoneInfo("Europe/Rome"))
    expect(view.locator("#reading-table tbody")).to_contain_text(f"{begins:%H:%M}:00")
    Board.update(site=None).where(Board.id == "pond").execute()
