"""Boards with the real firmware at three sites on three brokers, of which one is down and one
refuses the backend.
"""

import contextlib
from pathlib import Path

from backend.delivery.wishes import NewCommand
from tests.backend.estate import KINDS, Estate
from tests.backend.running import PASSWORD, eventually
from tools.fleet import BoardSpec, Fleet


def completes(estate: Estate, name: str) -> None:
    """A feed on the board of a place runs to its end."""
    new = NewCommand(name, "feed", "feeder1", {"amount": 2}, None, "ann")
    command = estate.backend.post(new)[0]["id"]
    eventually(lambda: estate.backend.command(command)["status"] == "COMPLETED")


def test_each_site_has_its_own_fate(tmp_path: Path) -> None:
    with contextlib.closing(Estate(tmp_path, KINDS)) as estate:
        garda = estate["garda"]
        for name in ("garda", "elba"):  # como's broker is down
            estate[name].broker.start()
        for name, password in (("garda", PASSWORD), ("como", PASSWORD), ("elba", "wrong")):
            estate[name].save(password, is_active=True)
        estate.backend.connections_changed()
        spec = BoardSpec("garda", garda.key.hex(), garda.users["garda"])
        with Fleet([spec], tmp_path / "boards", (garda.broker.host, garda.broker.port)):
            estate.until("como", "error")
            estate.until("elba", "error")
            eventually(lambda: estate.online("garda"))
            completes(estate, "garda")
            garda.broker.kill()
            eventually(lambda: estate.online("garda") is None)
            garda.broker.start()
            eventually(lambda: estate.online("garda"))
            completes(estate, "garda")
        assert (estate.online("como"), estate.online("elba")) == (None, None)
