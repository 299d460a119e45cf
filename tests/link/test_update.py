"""update_firmware: what becomes of a board when a release is good, bad or only half there."""

from pathlib import Path

import pytest

from tests.link.updating import VERSION, made, pond, signed
from tools import manifest
from tools.brokers import Broker


def test_a_good_release_is_fetched_tried_and_confirmed(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    with pond(tmp_path, embedded_broker, signed(made())) as site:
        assert site.runs("a", "confirmed")["firmware"] == "0.1.0"
        done = site.update()
        assert (done["state"], done["error"]) == ("completed", None), done
        changed = {path for path, _ in site.server.asked}
        assert changed == {manifest.NAME, "app/__init__.mpy"}
        assert done["result"] == {"version": VERSION, "slot": "b", "bytes": site.server.sent}
        assert site.runs("b", "trial")["firmware"] == VERSION
        site.runs("b", "confirmed")
        site.backend.result(site.backend.command("ping"))
        again = site.update()
        assert again["result"] == {"version": VERSION, "slot": "b", "bytes": 0}
        site.board.power_cut()
        assert site.board.flash.read("slots") == b"b - 0 confirmed"
