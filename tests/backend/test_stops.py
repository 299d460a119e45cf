"""What stops something is held back by nobody but a board that is known to be away."""

from pathlib import Path

import pytest

from backend import schema
from backend.delivery.wishes import NewCommand
from backend.errors import Busy, Invalid
from backend.fleet import boards
from backend.service import Backend
from tests.backend.conftest import Desk
from tools.brokers import free_port


def test_a_stop_goes_to_a_board_that_was_not_heard_yet(desk: Desk) -> None:
    stop = desk.post("emergency_stop", "")
    assert desk.sent() == [("emergency_stop", stop["id"])]
    desk.heartbeat()
    assert desk.sent() == [("emergency_stop", stop["id"])]  # again, for it may not have heard
    desk.ack(stop, "completed")
    assert desk.stands(stop) == "COMPLETED"


def test_a_feed_waits_for_a_board_that_was_not_heard_yet(desk: Desk) -> None:
    desk.post()
    assert desk.sent() == []


def test_a_stop_waits_for_a_board_that_is_away(desk: Desk) -> None:
    desk.startup()
    desk.status("offline")
    stop = desk.post("stop", "")
    assert (desk.sent(), desk.stands(stop)) == ([], "PENDING")
    desk.startup()
    assert desk.sent() == [("stop", stop["id"])]


def test_a_stop_waits_while_there_is_no_link(desk: Desk) -> None:
    desk.startup()
    desk.core.roster.listen(None)
    stop = desk.post("stop", "")
    assert (desk.sent(), desk.stands(stop)) == ([], "PENDING")
    desk.core.roster.listen(desk.now)
    desk.heartbeat()
    assert desk.sent() == [("stop", stop["id"])]


def test_a_stop_is_taken_however_much_is_under_way(tmp_path: Path) -> None:
    database = schema.open_database(f"sqlite:///{tmp_path / 'test.db'}")
    boards.enroll("pond", 1)
    backend = Backend(f"mqtt://127.0.0.1:{free_port()}", window=-1)  # always full
    backend.start()
    with pytest.raises(Busy):
        backend.post(NewCommand("pond", "ping", "", {}, None, "ann"))
    for verb in ("stop", "emergency_stop"):
        posted, _ = backend.post(NewCommand("pond", verb, "", {}, None, "ann"))
        assert posted["status"] == "PENDING"
    backend.stop()
    database.close()


def test_no_board_has_the_name_of_the_backend(desk: Desk) -> None:
    with pytest.raises(Invalid) as why:
        boards.enroll("answerback", 1)
    assert (why.value.code, why.value.field) == ("reserved", "board_id")
