"""Rollouts on the page: a release is brought, goes out, is followed live, and stops by itself."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.rollouts.squad import NEW, content, zipped
from tests.web.pond import Pond
from tests.web.site import Site


def bring(view: Page, tmp_path: Path) -> None:
    """Add the release by its form."""
    path = tmp_path / "release.zip"
    path.write_bytes(b"no zip")
    form = view.get_by_role("form", name="Add a release")
    form.get_by_label("Zip").set_input_files(path)
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("alert")).to_contain_text("is no zip")
    path.write_bytes(zipped(content()))
    form.get_by_label("Zip").set_input_files(path)
    form.get_by_label("Notes").fill("Feeds more gently")
    form.get_by_role("button", name="Add").click()


def test_a_rollout_from_the_upload_to_its_end(
    site: Site, view: Page, pond: Pond, tmp_path: Path
) -> None:
    view.get_by_role("link", name="Rollouts").click()
    expect(view.get_by_text("add a release below")).to_be_visible()
    bring(view, tmp_path)
    release = view.locator(f"[data-release='{NEW}']")
    expect(release).to_contain_text("Feeds more gently")
    view.get_by_role("button", name="New rollout").click()
    form = view.get_by_role("form", name="New rollout")
    expect(form).to_contain_text("without it yet: 1 of 1")
    form.get_by_label("Boards that come first").fill("1")
    form.get_by_role("button", name="Begin").click()
    card = view.locator("[data-rollout]")
    expect(card.locator(".chip")).to_have_text("First boards")
    row = card.locator("[data-board-row=pond]")
    expect(row.locator(".state")).to_have_text("sent")
    card.get_by_role("button", name="Pause").click()
    expect(card.locator(".chip")).to_contain_text("Paused")
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible()

    command = pond.next_command()
    pond.say(command, "accepted", within=900)
    expect(row.locator(".state")).to_have_text("downloading")
    pond.say(command, "completed", version=NEW, slot="b")
    pond.arrive(boot="b2", firmware=NEW, slot="b", slot_state="trial")
    expect(row.locator(".state")).to_have_text("on trial")
    expect(row).to_contain_text(f"{NEW}, slot b")
    pond.arrive(boot="b3", slot="a", slot_state="rolled_back: no broker")
    expect(row.locator(".state")).to_have_text("rolled back")
    expect(row.locator(".why").first).to_have_text("no broker")
    expect(card.locator(".chip")).to_have_text("Stopped")
    expect(card).to_contain_text("Stopped by itself: 1 of 1 boards went wrong")
    expect(card.get_by_role("img")).to_have_attribute("aria-label", "1 rolled back")
    expect(card.get_by_role("button", name="Abort")).to_have_count(0)

    row.get_by_role("button", name="1").click()
    expect(view.locator("#timeline")).to_contain_text(f"Update to {NEW}")
    view.keyboard.press("Escape")
    view.on("dialog", lambda dialog: dialog.accept())
    release.get_by_role("button", name="Delete").click()
    expect(release).to_have_count(0)
