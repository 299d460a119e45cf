"""A camera's flash: power that fails at each write of a picture, no room, and how much heap."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.link.pictures import SMALL, Viewer, check, studio
from tools.brokers import Broker

CUTS = 60
LITTLE_ROOM = "from app import picture_writing\npicture_writing.LIMIT = 3"
NO_ROOM = "from app import picture_writing\npicture_writing.SPARE_BYTES = 1 << 30"
ALL_ROOM = "from app import picture_writing\npicture_writing.SPARE_BYTES = -(1 << 30)"


def stored(board: Any) -> dict[str, bytes]:
    """{name: content} of the pictures on the flash of a board that is off."""
    files = board.flash.files()
    return {name: files[name] for name in files if name.startswith("images/")}


def test_power_that_fails_at_each_write(
    embedded_broker: Broker, tmp_path: Path, seed: int
) -> None:
    """At each second one, in fact: which ones, the seed says."""
    kept = []
    with studio(tmp_path, embedded_broker) as (board, viewer, _):
        for number in range(1 + seed % 2, CUTS, 2):
            board.cut_at_write(number)
            viewer.command("capture_image", "", f"p{number}", send=False)
            since = len(viewer.heard)
            if not was_cut(board, viewer, f"p{number}"):
                break
            files = stored(board)
            kept.append(any(name.endswith(f"u-p{number}") for name in files))
            board.start()
            viewer.online(since=since)
        else:
            raise AssertionError("power never outlived a capture: raise CUTS")
        since = len(viewer.heard)
        board.power_cut()  # what is left of the count goes with it
        board.start()
        viewer.online(since=since)
        check_whole(viewer)
    assert kept.count(True) >= 1 and kept.count(False) >= 3, kept


def was_cut(board: Any, viewer: Viewer, command_id: str) -> bool:
    """Whether power has failed before the capture was over."""

    def over() -> dict[str, Any] | None:
        cuts, boots = board.log.of("power_cut"), board.log.of("boot")
        return {"cut": True} if len(cuts) == len(boots) else ended(viewer, command_id)

    return "cut" in poll(viewer, over)


def poll(viewer: Viewer, found: Callable[[], Any], seconds: float = 10) -> Any:
    """As `until`, where what is waited for may come without a message."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            return viewer.until(found, 0.05)
    raise TimeoutError


def ended(viewer: Viewer, command_id: str) -> dict[str, Any] | None:
    """The end of a command, if it is known."""
    return {"state": "completed"} if "completed" in viewer.acks(command_id) else None


def check_whole(viewer: Viewer) -> None:
    """Every picture the board lists can be sent whole; nothing unfinished lies around."""
    listed = viewer.result(viewer.command("list_images"))["result"]
    assert listed
    viewer.result(viewer.command("send_image"))
    for image_id, facts in listed.items():
        assert len(viewer.picture(image_id)) == int(facts.split()[0])


def test_sent_pictures_make_room_and_unsent_do_not(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    turned = turned_once(LITTLE_ROOM)
    with studio(tmp_path, embedded_broker, turned=turned) as (_, viewer, _):
        first = viewer.captured()["image_id"]
        viewer.picture(first)
        viewer.result(viewer.command("send_image"))  # the one before is done by then
        unsent = [viewer.captured(send=False)["image_id"] for _ in range(3)]
        listed = viewer.result(viewer.command("list_images"))["result"]
        assert sorted(listed) == sorted(unsent)
        full = viewer.ended(viewer.command("capture_image"))
        assert full["error"] == "full" and full["result"]["bytes"] > 0
        viewer.result(viewer.command("send_image"))
        result = viewer.captured()
        check(viewer.picture(result["image_id"]), result)


def test_no_room_on_flash_is_said(embedded_broker: Broker, tmp_path: Path) -> None:
    with studio(tmp_path, embedded_broker, turned=turned_once(NO_ROOM)) as (board, viewer, _):
        assert viewer.ended(viewer.command("capture_image"))["error"] == "full"
        assert viewer.result(viewer.command("list_images"))["result"] == {}
        assert len(board.log.of("boot")) == 1


def test_a_flash_that_is_full_in_truth(embedded_broker: Broker, tmp_path: Path) -> None:
    turned = turned_once(
        "from app import picture_writing\npicture_writing.SPARE_BYTES = -(1 << 30)"
    )
    large = {**SMALL, "frame_size": "VGA"}
    with studio(tmp_path, embedded_broker, large, heap="320K", turned=turned) as (b, viewer, _):
        b.power_cut()
        used = sum(4096 * (1 + len(data) // 4096) for data in b.flash.files().values())
        b.flash.write({"ballast": bytes(1024 * 1024 - used - 24 * 4096)})
        since = len(viewer.heard)
        b.start()
        viewer.online(since=since)
        errors = [
            viewer.ended(viewer.command("capture_image", "", f"f{n}", send=False))["error"]
            for n in range(6)
        ]
        assert "storage" in errors and set(errors) <= {None, "storage"}
        check_whole(viewer)
        assert len(b.log.of("reset")) == 0


def turned_once(change: str) -> str:
    """A change of a module that is loaded anew each time: made whenever it is."""
    name = change.split("import ")[1].split("\n")[0]
    setting = change.split("\n")[1].split(".", 1)[1]
    return f"""
import app
_once = app.once
def once(name, *package):
    module = _once(name, *package)
    if name == "{name}":
        module.{setting}
    return module
app.once = once
"""
