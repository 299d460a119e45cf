"""Makes the README's picture from a real `make run`: `python -m tests.picture [file]`."""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.support.browser import launched
from tests.test_newcomer import Place, sign_in

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "backend" / "web" / "page.png"


def click(page: Page, board: str, target: str, button: str) -> None:
    """Press a button of an actuator."""
    area = page.locator(f"[data-board={board}] [data-target={target}]")
    area.get_by_role("button", name=re.compile(rf"^{button}\b")).first.click()


def ended(page: Page) -> None:
    """Wait until the newest command has ended well."""
    expect(page.locator("#history tbody tr").first).to_contain_text("COMPLETED")


def take(page: Page, url: str, password: str, path: Path) -> None:
    """A feed that is done, a light, a motor, a valve, and a feed under way."""
    sign_in(page, url, password)
    for board in ("pond-1", "museum-1"):
        expect(page.locator(f"[data-board={board}]")).to_contain_text("Online")
    for board, target, button in (
        ("pond-1", "feeder1", "Feed 20 g"),
        ("pond-1", "light1", "On"),
        ("museum-1", "motor1", "Start"),
        ("pond-1", "valve1", "Fill"),
    ):
        click(page, board, target, button)
        if target != "valve1":
            ended(page)
    click(page, "pond-1", "feeder1", "Feed 20 g")
    expect(page.locator("#history tbody tr").first).to_contain_text("ACKNOWLEDGED")
    page.screenshot(path=path, full_page=True)


def main() -> None:
    """Start it all, take the picture, end it all."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = Place(Path(folder)).run()
        try:
            url = run.line(r"Answerback is at (\S+)").group(1)
            password = run.line(r"with the password (\S+)").group(1)
            page = launched(playwright).new_page(viewport={"width": 1100, "height": 800})
            take(page, url, password, path)
        finally:
            run.interrupt()


if __name__ == "__main__":
    main()
