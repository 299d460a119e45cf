"""The page when things go wrong: lost answers, a lost broker, weeks on a wall."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.backend.running import eventually
from tests.web.pond import Pond
from tests.web.site import Site

POST = "**/api/v1/commands"


def feeder(view: Page) -> Locator:
    return view.locator("[data-board=pond] [data-target=feeder1]")


def feed(view: Page) -> None:
    feeder(view).locator("form").get_by_role("button", name="Feed").click()


def feeds(site: Site) -> list[dict[str, Any]]:
    return site.station.backend.commands(command_type="feed", limit=200)


class Loser:
    """Lets every post through and loses its answer, until `well`; `keys` has what came by."""

    def __init__(self, view: Page, status: int | None = None) -> None:
        self.keys: list[str] = []
        self.well = False
        self._status = status
        view.route(POST, self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method != "POST":
            return route.fallback()
        self.keys.append(route.request.headers["idempotency-key"])
        if self.well:
            return route.continue_()
        route.fetch()  # the backend takes it
        if self._status is None:
            return route.abort()
        problem = {"error": "slow", "field": None, "message": "nobody can say yet"}
        return route.fulfill(status=self._status, json=problem)


@pytest.mark.parametrize("status", [None, 503])
def test_a_click_whose_answers_are_lost_is_one_command(
    view: Page, pond: Pond, site: Site, status: int | None
) -> None:
    before = len(feeds(site))
    loser = Loser(view, status)
    feed(view)
    # The routes are handled only while Playwright is waited for, so nothing else is until then.
    expect(feeder(view).get_by_role("alert")).to_contain_text("asking again")
    command = pond.next_command()
    pond.say(command, "accepted", within=600)  # or it would be sent again on a slow machine
    again = feeder(view).get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(feeder(view).get_by_role("alert")).to_contain_text("may have been taken or not")
    feed(view)  # the same once more, while nobody knows: the same click
    expect(again).to_be_hidden()
    expect(again).to_be_visible()
    loser.well = True
    again.click()
    expect(feeder(view).get_by_role("alert")).to_have_count(0)
    pond.say(command, "completed", grams=20)
    expect(feeder(view).locator(".chip")).to_have_text("COMPLETED")
    assert len(loser.keys) == 7 and len(set(loser.keys)) == 1
    assert len(feeds(site)) == before + 1
    feed(view)
    expect(feeder(view).locator(".chip")).not_to_have_text("COMPLETED")
    eventually(lambda: len(feeds(site)) == before + 2)
    assert len(set(loser.keys)) == 2
    pond.say(pond.next_command(), "completed", grams=20)


def test_a_refusal_is_told_once_and_not_repeated(view: Page, pond: Pond) -> None:
    asked: list[Route] = []
    problem = {"error": "busy", "field": None, "message": "too many commands are under way"}

    def refuse(route: Route) -> None:
        asked.append(route)
        route.fulfill(status=429, json=problem)

    view.route(POST, lambda r: refuse(r) if r.request.method == "POST" else r.fallback())
    feed(view)
    expect(feeder(view).get_by_role("alert")).to_have_text("too many commands are under way")
    assert len(asked) == 1


@pytest.fixture
def no_broker(site: Site) -> Iterator[Callable[[], None]]:
    """Takes the broker away; call it to have it back, which happens in the end anyhow."""
    backend = site.station.backend
    site.station.broker.stop()
    eventually(lambda: not backend.health()["mqtt"]["connected"])

    @functools.cache
    def back() -> None:
        site.station.broker.start()
        eventually(lambda: backend.health()["mqtt"]["connected"])
        site.station.board.close()
        site.station.connect()

    yield back
    back()


def test_a_broker_that_is_lost_is_told(view: Page, no_broker: Callable[[], None]) -> None:
    view.reload()
    expect(view.locator("#trouble")).to_contain_text("does not reach its broker")
    no_broker()
    view.reload()
    expect(view.locator("#live")).to_have_text("Live")
    expect(view.locator("#trouble")).to_be_hidden()


def test_a_page_left_open_does_not_grow_and_leaves_no_gap(
    view: Page, pond: Pond, site: Site
) -> None:
    expect(view.locator("#live")).to_have_text("Live")
    program = site.program()
    body = {"board_id": "pond", "command_type": "ping"}
    seqs = [program.call("POST", "commands", body).json["seq"] for _ in range(260)]
    rows = view.locator("#history tbody tr")
    expect(rows.first).to_have_attribute("data-seq", str(seqs[-1]))
    expect(rows).to_have_count(200)
    view.get_by_role("button", name="Older").click()
    expect(rows).to_have_count(250)
    shown = rows.evaluate_all("rows => rows.map(row => Number(row.dataset.seq))")
    assert shown == seqs[::-1][:250]
    seqs.append(program.call("POST", "commands", body).json["seq"])
    expect(rows.first).to_have_attribute("data-seq", str(seqs[-1]))
    expect(rows).to_have_count(250)


def test_the_store_keeps_the_newest_of_each_target_and_few_others(view: Page) -> None:
    kept = view.evaluate("""async () => {
        const { Store } = await import("/page/store.js");
        const store = new Store();
        const command = (seq, target) => ({ id: `c${seq}`, seq, board_id: "b", target,
            status: "PENDING", updated_at: `${seq}`.padStart(9, "0"),
            last: { id: seq, event: "create", detail: {} } });
        store.commandEvent(command(1, "rare"));
        for (let seq = 2; seq <= 1000; seq++) store.commandEvent(command(seq, "often"));
        store.put({ ...command(1, "rare"), status: "OLD", updated_at: "000000000" });
        const both = [store.newest("b", "rare"), store.newest("b", "often")];
        return [store.commands.size, ...both.map((one) => `${one.id} ${one.status}`)];
    }""")
    assert kept == [200, "c1 PENDING", "c1000 PENDING"]


def test_a_phone_shows_it_all_without_scrolling_sideways(
    view: Page, pond: Pond, tmp_path: Path
) -> None:
    view.set_viewport_size({"width": 375, "height": 740})
    Loser(view)
    feed(view)
    expect(feeder(view).get_by_role("button", name="Try again")).to_be_visible()
    assert view.evaluate("document.documentElement.scrollWidth") <= 375
