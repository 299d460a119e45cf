"""What somebody does first: `make run`, sign in, click; then Ctrl-C, and the same again.

Everything is real: the command in a process of its own, the broker, two boards with the real
firmware under MicroPython, Chromium. The pins are read from what the run prints.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.support.browser import launched
from tests.support.processes import Ended, children
from tools.brokers import free_port

SECONDS = 30.0
STATUSES = ["PENDING", "SENT", "ACKNOWLEDGED", "COMPLETED"]


class Run:
    """`python -m tools.run` with its data in `folder`; `lines` are what it prints."""

    def __init__(self, folder: Path, http_port: int, broker_port: int) -> None:
        self.lines: list[str] = []
        self._grown = threading.Condition()
        ports = {"HTTP_PORT": str(http_port), "BROKER_PORT": str(broker_port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.run"],
            env={**os.environ, **ports, "DATA_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def line(self, pattern: str) -> re.Match[str]:
        """The first line that fits, waited for."""
        deadline = time.monotonic() + SECONDS
        with self._grown:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                left = deadline - time.monotonic()
                assert left > 0, f"no line like {pattern!r} in:\n" + "\n".join(self.lines)
                self._grown.wait(left)

    def interrupt(self) -> tuple[int, float]:
        """Ctrl-C: the exit code, and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(SECONDS)
        return code, time.monotonic() - began

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._grown:
                self.lines.append(line.rstrip())
                self._grown.notify_all()


class Place:
    """Where it runs: the same folder and ports each time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, (free_port(), free_port())
        self.runs: list[Run] = []

    def run(self, folder: str = "var") -> Run:
        self.runs.append(Run(self.folder / folder, *self.ports))
        return self.runs[-1]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    for run in place.runs:
        run.process.kill()
        run.process.wait()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        page = launched(playwright).new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(SECONDS * 1000)
        yield page


def sign_in(page: Page, url: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("User").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#live")).to_have_text("Live")


def actuator(page: Page, name: str) -> Locator:
    return page.locator(f"[data-board=pond-1] [data-target={name}]")


def note_statuses(page: Page) -> None:
    """Has the page note each status of the feeder's chip from now on, in `seen`."""
    page.evaluate("""() => {
        window.seen = [];
        new MutationObserver(() => {
            const chip = document.querySelector("[data-target=feeder1] .chip");
            const now = chip && chip.textContent;
            if (now && window.seen.at(-1) !== now) window.seen.push(now);
        }).observe(document.body, {subtree: true, childList: true, characterData: true});
    }""")


def milliseconds(match: re.Match[str]) -> int:
    hours, minutes, seconds, thousandths = (int(part) for part in match.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def test_a_click_runs_a_motor_and_the_history_tells_it(place: Place, page: Page) -> None:
    run = place.run()
    url = run.line(r"Answerback is at (\S+)").group(1)
    password = run.line(r"with the password (\S+)").group(1)
    sign_in(page, url, password)
    for board in ("pond-1", "museum-1"):
        expect(page.locator(f"[data-board={board}]")).to_contain_text("Online")
    expect(page.locator("[data-board=pond-1]")).to_contain_text(re.compile(r"level1 *[45]\d"))
    expect(page.locator("[data-board=museum-1]")).to_contain_text("Camera")
    note_statuses(page)
    actuator(page, "feeder1").get_by_role("button", name="Feed 20 g").click()
    chip = actuator(page, "feeder1").locator(".chip")
    expect(chip).to_have_text("COMPLETED")
    # The 202 may come when it is sent already; from there on each step is seen.
    assert page.evaluate("() => window.seen")[-3:] == STATUSES[1:]
    time_of = r"^(\d+):(\d+):(\d+)\.(\d+) pond-1 +pin 16 "
    on, off = run.line(time_of + "on"), run.line(time_of + "off")
    assert -100 < milliseconds(off) - milliseconds(on) - 2000 < 1000  # as the terminal saw it
    page.locator("#history tbody tr").first.click()
    timeline = page.get_by_role("dialog")
    for status in STATUSES:
        expect(timeline).to_contain_text(status)
    started = [Ended(pid) for pid in children(run.process.pid)]
    assert len(started) == 3  # the broker and two boards
    code, took = run.interrupt()
    assert (code, took < 20) == (0, True)
    assert all(child.within(10) for child in started)

    again = place.run()
    again.line(r"sign in as admin")
    page.goto(url)  # still signed in
    expect(page.locator("#history tbody tr").first).to_contain_text("COMPLETED")
    assert again.interrupt()[0] == 0


def test_what_is_taken_is_one_line_that_says_what_to_do(place: Place) -> None:
    first = place.run()
    first.line(r"Answerback is at")
    for folder, why in (
        ("var", r"DATA_DIR: another Answerback uses .*; end it"),
        ("elsewhere", r"port \d+ on 127\.0\.0\.1 is taken: .* set HTTP_PORT to another one$"),
    ):
        second = place.run(folder)
        assert second.process.wait(SECONDS) == 1
        second.line(why)
        assert len(second.lines) == 1
    assert first.interrupt()[0] == 0


def test_ctrl_c_at_once_ends_it_in_good_order(place: Place) -> None:
    run = place.run()
    run.line(r"with the password")
    code, took = run.interrupt()
    assert (code, took < 20) == (0, True)
    assert "Traceback" not in "\n".join(run.lines)
