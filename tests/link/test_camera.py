"""The camera of a board with the real firmware, on real brokers, over a network that fails."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from protocol import topics
from protocol.image_ranges import ranges
from protocol.image_reading import Chunk

from tests.link.pictures import board_with_camera, check, studio
from tests.link.site import FEEDER, LATE_MS, LIGHT, lateness
from tests.support.browser import launched
from tools.brokers import Broker

QUICK = "from app import link\nlink.BACKOFF_MS = (200,)"
LARGE = {"model": "built_in", "frame_size": "VGA", "quality": 80}
LARGE_HEAP = "320K"
FLASH_LED = 4

# Average colours, as a browser decodes it: a picture that is broken is grey or none.
LOOK = """async (data) => {
    const picture = new Image();
    picture.src = "data:image/jpeg;base64," + data;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return [canvas.width, canvas.height, ...context.getImageData(60, 60, 1, 1).data];
}"""


@pytest.mark.parametrize("module", ["modern", "old"])
def test_two_pictures_arrive_and_differ(
    embedded_broker: Broker, tmp_path: Path, module: str
) -> None:
    with studio(tmp_path, embedded_broker, module=module) as (board, viewer, _):
        results = [viewer.captured(), viewer.captured()]
        pictures = [viewer.picture(result["image_id"]) for result in results]
        for picture, result in zip(pictures, results, strict=True):
            check(picture, result)
        assert pictures[0] != pictures[1]
        assert len(board.log.of("boot")) == 1
        on = [event for event in board.log.of("camera") if event["pins"] is not None][-1]
        board.wait(lambda it: it["event"] == "camera" and it["pins"] is None, since=on["number"])


def test_a_browser_shows_it(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (_, viewer, _):
        picture = viewer.picture(viewer.captured()["image_id"])
    with sync_playwright() as playwright:
        page = launched(playwright).new_page()
        seen = page.evaluate(LOOK, base64.b64encode(picture).decode())
        assert seen[:2] == [160, 120] and len(set(seen[2:5])) > 1


def test_quality_light_and_no_sending(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        poor = viewer.captured(quality=5, send=False)
        good = viewer.captured(quality=100, send=False, flash=True)
        assert poor["bytes"] < good["bytes"]
        board.wait_for("pin", pin=FLASH_LED, value=0)
        (lit,) = board.pulses(FLASH_LED)
        frames = [frame["ms"] for frame in board.log.of("frame")]
        assert lit.start < frames[-1] < (lit.end or 0)
        told = viewer.result(viewer.command("list_images"))["result"]
        assert told == {it["image_id"]: f"{it['bytes']} unsent" for it in (poor, good)}
        assert viewer.chunks == []
        sent = viewer.result(viewer.command("send_image"))["result"]
        assert sent["images"] == 2 and sent["bytes"] == poor["bytes"] + good["bytes"]
        check(viewer.picture(poor["image_id"]), poor)
        check(viewer.picture(good["image_id"]), good)
        viewer.result(viewer.command("delete_image", image_id=poor["image_id"]))
        told = viewer.result(viewer.command("list_images"))["result"]
        assert told == {good["image_id"]: f"{good['bytes']} sent"}


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_what_was_lost_is_sent_again(
    embedded_broker: Broker, tmp_path: Path, seed: int, share: float
) -> None:
    lost = {number for number in range(24) if (number * 7919 + seed) % 100 < 100 * share} | {3, 23}
    with studio(tmp_path, embedded_broker, LARGE, heap=LARGE_HEAP) as (_, viewer, _):
        viewer.wanted = lambda said: not (isinstance(said, Chunk) and said.index in lost)
        result = viewer.captured(quality=80)
        image_id = result["image_id"]
        last = (result["bytes"] - 1) // 1024
        viewer.until(lambda: {} if viewer.seen(image_id, last) else None)
        missing = viewer.receiver.missing("pond-1", image_id)
        assert missing == ranges(sorted(lost)) and image_id not in viewer.pictures
        viewer.wanted = lambda _: True
        again = viewer.command("send_image", image_id=image_id, missing=missing)
        check(viewer.picture(image_id), result)
        assert viewer.result(again)["result"]["chunks"] == len(lost)


def test_nonsense_is_refused(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (_, viewer, _):
        image_id = viewer.captured(send=False)["image_id"]
        for missing in ("", "3-1", "0,0", "a", "0-999", "1-2-3", "-1", "99999999999"):
            asked = viewer.command("send_image", image_id=image_id, missing=missing)
            assert viewer.ended(asked)["error"] == "bad_parameter", missing
        assert viewer.ended(viewer.command("send_image", missing="0"))["error"] == "bad_parameter"
        gone = viewer.command("delete_image", image_id="another")
        assert viewer.ended(gone)["error"] == "bad_parameter"
        assert viewer.chunks == []


def test_a_link_that_is_cut_in_the_middle(embedded_broker: Broker, tmp_path: Path) -> None:
    made: Any = {"heap": LARGE_HEAP, "turned": QUICK}
    with studio(tmp_path, embedded_broker, LARGE, **made) as (board, viewer, proxy):
        result = viewer.captured(send=False)
        sending = viewer.command("send_image", image_id=result["image_id"])
        viewer.until(lambda: {} if viewer.seen(result["image_id"], 4) else None)
        proxy.drop()
        check(viewer.picture(result["image_id"]), result)
        startups = [said["session"] for leaf, said in viewer.heard if leaf == topics.STARTUP]
        assert startups == [1, 2]  # the rest of it came over the second connection
        said = viewer.result(sending)["result"]
        assert said["bytes"] == result["bytes"]
        indexes = [said.index for said in viewer.chunks if isinstance(said, Chunk)]
        doubled = len(indexes) - len(set(indexes))
        assert doubled <= 4  # it went on, and did not begin anew
        assert len(board.log.of("boot")) == 1


def test_power_that_is_cut_in_the_middle(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker, LARGE, heap=LARGE_HEAP) as (board, viewer, _):
        result = viewer.captured(send=False)
        image_id = result["image_id"]
        sending = viewer.command("send_image", image_id=image_id)
        viewer.until(lambda: {} if viewer.seen(image_id, 4) else None)
        board.power_cut()
        since = len(viewer.heard)
        board.start()
        viewer.online(since=since)
        viewer.command("query", "", sending)
        assert viewer.ended(sending)["error"] == "interrupted"
        missing = viewer.receiver.missing("pond-1", image_id)
        assert missing and not missing.startswith("0")
        viewer.result(viewer.command("send_image", image_id=image_id, missing=missing))
        check(viewer.picture(image_id), result)


def test_what_was_not_sent_goes_with_the_next_picture(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        first = viewer.captured(send=False)
        board.power_cut()
        since = len(viewer.heard)
        board.start()
        viewer.online(since=since)
        second = viewer.captured()
        check(viewer.picture(first["image_id"]), first)
        check(viewer.picture(second["image_id"]), second)


def test_commands_get_through_while_a_picture_is_sent(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with studio(tmp_path, embedded_broker, LARGE, heap=LARGE_HEAP) as (board, viewer, proxy):
        image_id = viewer.captured(send=False)["image_id"]
        viewer.result(viewer.command("switch", "light1", state="on"))
        viewer.command("feed", "feeder1", amount=10)
        board.wait_for("pin", pin=FEEDER, value=1)
        proxy.latency(0.05)  # a picture takes a second or two then
        viewer.command("send_image", image_id=image_id)
        viewer.until(lambda: {} if viewer.seen(image_id, 2) else None)
        viewer.result(viewer.command("stop", "light1"))
        assert image_id not in viewer.pictures  # it was still on its way
        board.wait(lambda _: board.level(LIGHT) == 0)
        viewer.picture(image_id)
        late = lateness(board, FEEDER, 1000)
        print(f"a feed of 1 s while a picture is sent: {late:.0f} ms off")
        assert late <= LATE_MS


def test_a_feed_keeps_its_time_beside_a_capture(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        viewer.command("feed", "feeder1", amount=15)
        board.wait_for("pin", pin=FEEDER, value=1)
        result = viewer.captured()
        off = [event for event in board.log.of("pin") if event["pin"] == FEEDER][-1]
        assert off["value"] == 0 and off["ms"] < board.log.of("camera")[0]["ms"]
        check(viewer.picture(result["image_id"]), result)
        assert lateness(board, FEEDER, 1500) <= LATE_MS


def test_a_camera_that_does_not_answer(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        board.set_camera(False)
        assert viewer.ended(viewer.command("capture_image"))["error"] == "hardware"
        viewer.result(viewer.command("get_log"))
        logs = [said["text"] for leaf, said in viewer.heard if leaf == topics.LOG]
        assert "no camera was found" in "".join(logs)
        board.set_camera(True)
        result = viewer.captured()
        check(viewer.picture(result["image_id"]), result)
        assert len(board.log.of("boot")) == 1


def test_an_image_without_the_module(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker, module="") as (board, viewer, _):
        for _ in range(2):
            assert viewer.ended(viewer.command("capture_image"))["error"] == "hardware"
        assert len(board.log.of("boot")) == 1


def test_a_board_without_a_camera_says_so(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        board.power_cut()
        board.flash.remove("camera.json")
        since = len(viewer.heard)
        board.start()
        viewer.online(since=since)
        for verb in ("capture_image", "send_image", "list_images"):
            assert viewer.ended(viewer.command(verb))["error"] == "unknown_type"


def test_a_wrong_file_is_one_line_on_the_console(tmp_path: Path) -> None:
    wrong = {"model": "AI_THINKER", "frame_size": "HUGE"}
    with board_with_camera(tmp_path, 1, wrong) as board:
        board.start()
        line = board.wait(lambda it: it["event"] == "console" and "camera.json" in it["line"])
        assert "frame_size must be one of" in line["line"] and "mpremote" in line["line"]


def test_both_modules_get_the_pins(embedded_broker: Broker, tmp_path: Path) -> None:
    pins = {"data": [5, 12, 13, 14, 36, 39, 34, 35], "pclk": 23, "vsync": 25, "href": 26}
    pins = {**pins, "sda": 27, "scl": 32, "xclk": 0, "powerdown": 33}
    camera = {"pins": pins, "frame_size": "QQVGA"}
    told = {}
    for module in ("modern", "old"):
        with studio(tmp_path / module, embedded_broker, camera, module=module) as (
            board,
            viewer,
            _,
        ):
            viewer.captured(send=False)
            told[module] = json.loads(json.dumps(board.log.of("camera")[0]["pins"]))
    assert told["modern"]["data_pins"] == pins["data"] and told["modern"]["sda_pin"] == 27
    assert told["modern"]["powerdown_pin"] == 33 and told["modern"]["reset_pin"] == -1
    assert [told["old"][f"d{n}"] for n in range(8)] == pins["data"]
    assert told["old"]["siod"] == 27 and told["old"]["pwdn"] == 33 and told["old"]["pclk"] == 23
