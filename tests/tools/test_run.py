"""What `make run` says of what happens."""

import pytest

from tools.run import narrate

COMMAND = {
    "board_id": "pond-1",
    "command_type": "feed",
    "target": "feeder1",
    "parameters": {"amount": 20},
    "status": "SENT",
    "last": {"error": None},
}


def test_events_of_other_kinds_do_not_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    others = [
        (None, "connection", {"site": "lake", "status": "error"}),
        (None, "sites", {}),
        (None, "reset", {}),
        (None, "alert", {"board_id": "pond-1"}),
    ]
    narrate([[*others, (1, "command", COMMAND)]])
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" ", 1)[1] for line in said] == ["pond-1       feed feeder1 20: SENT"]
