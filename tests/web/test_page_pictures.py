"""The gallery: taken, on its way, there, large, turned through, deleted; and on the home view."""

from playwright.sync_api import Page, expect
from protocol import image
from protocol.topics import IMAGE, topic

from tests.gallery.conftest import SEEN, TAKEN, parts
from tests.web.pond import Pond
from tests.web.site import Site
from tests.web.test_pictures import send
from tools.emulator_camera import jpeg

DAY = 86_400


def test_a_gallery_from_nothing_to_deleted(view: Page, pond: Pond, site: Site) -> None:
    pond.arrive(has="camera")
    view.get_by_role("link", name="Pictures").click()
    part = view.locator("#view-pictures")
    expect(part.locator(".empty")).to_contain_text("Take one")
    part.get_by_role("button", name="Take a picture").click()
    command = pond.next_command()
    assert (command["command_type"], command["parameters"]) == ("capture_image", {})
    expect(part.locator(".newest")).to_contain_text("SENT")
    taken = command["command_id"]
    pond.say(command, "completed", image_id=taken, bytes=len(SEEN))

    header = image.encode_header(parts(taken, SEEN)[0], pond.station.key)
    for said in (header, image.encode_chunk(taken, 0, SEEN[:1024], pond.station.key)):
        pond.station.board.publish(topic("pond", IMAGE), said)
    expect(part.locator(".coming")).to_contain_text(f"Picture {taken}: 1 of")
    send(site.station, taken)
    shot = part.locator(f"[data-picture='{taken}']")
    expect(shot.locator("img")).to_have_js_property("naturalWidth", 160)
    expect(part.locator(".coming")).to_be_empty()

    send(site.station, "yesterday", jpeg(2, 160, 120, 60), TAKEN - DAY)
    send(site.station, "no-clock", jpeg(3, 160, 120, 60), 0)
    expect(part.locator(".days h3")).to_have_count(3)
    expect(part.locator(".shot").first).to_contain_text("arrived")
    shot.click()
    large = part.get_by_role("dialog")
    expect(large.locator("img")).to_have_js_property("naturalWidth", 160)
    expect(large).to_contain_text("160 × 120 pixels")
    view.keyboard.press("ArrowLeft")
    expect(large).to_contain_text("The board did not know the time")
    view.keyboard.press("ArrowRight")
    view.keyboard.press("ArrowRight")
    expect(view).to_have_url(f"{site.url}#pictures/pond/yesterday")
    expect(large.get_by_role("button", name="Older")).to_be_disabled()
    large.get_by_role("button", name="Delete").click()
    large.get_by_role("button", name="Delete it for good").click()
    expect(large).to_be_hidden()
    expect(part.locator(".shot")).to_have_count(2)

    shot.click()
    large.get_by_role("button", name="What took it").click()
    story = view.locator("#timeline")
    expect(story).to_contain_text("Take a picture")
    story.get_by_role("link", name="Show the picture").click()
    expect(story).to_be_hidden()
    view.keyboard.press("Escape")
    expect(large).to_be_hidden()
    view.get_by_role("link", name="Boards").click()
    card = view.locator("[data-board=pond] .latest")
    expect(card.locator("img")).to_have_js_property("naturalWidth", 160)
    card.click()
    expect(part.locator(".shot")).to_have_count(2)
