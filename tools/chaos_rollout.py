"""Rollouts to many boards with the real firmware: of a release that is bad, then of a good one.

The bad one ends in its canary: it stops by itself, nobody else is touched, and what is told of
each board is what its flash and its resets show. Then the good one reaches them all, though the
backend is killed while boards fetch it.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import manifest
from backend.brokers.broker import EmbeddedBroker
from backend.delivery.writer import now_ms
from tools import release, stage
from tools.chaos_http import until
from tools.chaos_report import Report
from tools.chaos_site import Actuators, MakeBroker, Site, has_ended
from tools.chaos_truth import feeder, judge_command
from tools.fleet import BoardSpec

OLD, BAD, GOOD = "0.1.0", "0.2.0", "0.2.1"
WHY = "no good"
UNIX = stage.BOARDS / "UNIX"
_AT_ONCE = 4
_PATIENCE = 1200.0
_PAUSE = ("_PAUSE_MS = 1000", "_PAUSE_MS = 10")


@dataclass(frozen=True)
class Spec(BoardSpec):
    """A board whose releases are on trial for a few seconds only: the more boards share this
    machine, the longer each takes to connect.
    """

    health_s: int = 1

    def files(self, broker: tuple[str, int]) -> dict[str, str]:
        """See BoardSpec."""
        files = super().files(broker)
        settings = {**json.loads(files["settings.json"]), "health_s": self.health_s}
        return {**files, "settings.json": json.dumps(settings)}


class Many(Site):
    """A site of boards whose releases are on trial for so long."""

    def __init__(self, folder: Path, names: Mapping[str, Actuators], *more: Any, **made: Any):
        self.health_s = 2 + len(names) // 10
        super().__init__(folder, names, *more, **made)

    def _enroll(self, board_id: str, actuators: Actuators) -> BoardSpec:
        return Spec(**vars(super()._enroll(board_id, actuators)), health_s=self.health_s)


def bad_files() -> dict[str, bytes]:
    """A release that crashes when it starts."""
    files = release.make(UNIX, BAD)
    files.pop(manifest.NAME)
    source = stage.ROOT / "firmware" / "app" / "node.py"
    with tempfile.TemporaryDirectory() as folder:
        worse = Path(folder) / "node.py"
        worse.write_text(f"{source.read_text()}\nraise RuntimeError('{WHY}')\n")
        files[stage.place_of("app/node")] = stage.compiled(worse, "app.node")
    return release.with_manifest(BAD, files)


class Campaign:
    """Rollouts to all boards of a site, and what became of them."""

    def __init__(self, site: Site, report: Report, tick: Callable[[], object]) -> None:
        self._site, self._report, self._tick = site, report, tick
        self._names = list(site.fleet.boards)
        self._over = 0

    def bring(self, files: Mapping[str, bytes], canary: int, killed: bool = False) -> Any:
        """Roll a release out to its end; the rollout with its boards. `killed`: the backend is,
        as soon as a board fetches.
        """
        whole = {**files, manifest.ABOUT: release.about(UNIX)}
        status, made = self._site.api.call(
            "POST", "releases", raw=release.zipped(whole), Content_Type="application/zip"
        )
        assert status == 201, made
        wanted = {"release": made["id"], "selection": {"boards": self._names}}
        more = {"canary": canary, "at_once": _AT_ONCE, "error_share": 20, "min_finished": 5}
        status, begun = self._site.api.call("POST", "rollouts", {**wanted, **more})
        assert status == 201, begun
        if killed:
            until(lambda: self._states(begun["id"])["downloading"])
            self._site.backend.kill()
            self._site.start_backend()
            self._report.count("backend killed")
        return until(lambda: self._ended(begun["id"]), _PATIENCE)

    def check_bad(self, goes: Any, canary: int) -> None:
        """Stopped, `canary` boards are back where they were, and the rest never knew of it."""
        if goes["state"] != "stopped":
            self._report.blame([f"the bad release: it is {goes['state']}"])
        for one in goes["boards"]:
            touched = one["state"] == "rolled_back"
            self._report.count(f"bad release: {one['state']}")
            right = (OLD, "a", f"RuntimeError('{WHY}',)" if touched else "")
            said = (one["firmware"], one["slot"], one["why"])
            self._expect(one, said == right, "what is told of it is", said)
            boots = len(self._site.board(one["board_id"]).log.of("boot"))
            self._expect(one, boots == (3 if touched else 1), "boots", boots)
            updates = self._updates(goes, one)
            self._expect(one, len(updates) == touched, "updates", len(updates))
        counts = Counter(one["state"] for one in goes["boards"])
        rest = len(self._names) - canary
        if counts != Counter(rolled_back=canary, untouched=rest):
            self._report.blame([f"the bad release: {dict(counts)}"])

    def check_good(self, goes: Any) -> None:
        """Every board runs it for good, as its flash has it, after one command."""
        if goes["state"] != "done":
            self._report.blame([f"the good release: it is {goes['state']}, {goes['why']}"])
        for one in goes["boards"]:
            self._report.count(f"good release: {one['state']}")
            told = (one["state"], one["firmware"], one["slot"])
            self._expect(one, told == ("running", GOOD, "b"), "what is told of it is", told)
            updates = self._updates(goes, one)
            self._expect(one, len(updates) == one["attempt"], "updates", len(updates))
            self._report.blame([line for command in updates for line in judge_command(command)])
            self._report.blame([f"{c['id']} is open" for c in updates if not has_ended(c)])
            flash = self._site.board(one["board_id"]).power_cut().flash
            self._expect(one, flash.read("slots") == b"b - 0 confirmed", "slots", "")
            version, listed = manifest.read(flash.read(f"b/{manifest.NAME}"))
            whole = {name: manifest.sha256(flash.read(f"b/{name}")) for name in listed}
            right = {name: digest for name, (_, digest) in listed.items()}
            self._expect(one, (version, whole) == (GOOD, right), "release on flash", version)

    def _states(self, rollout_id: int) -> Any:
        return self._site.api.get(f"rollouts/{rollout_id}")["states"]

    def _ended(self, rollout_id: int) -> Any:
        goes = self._site.api.get(f"rollouts/{rollout_id}")
        over = sum(goes["states"][state] for state in ("running", "rolled_back"))
        for _ in range(over - self._over):
            self._tick()
        self._over = max(over, self._over)
        return goes if goes["ended_at"] else None

    def _updates(self, goes: Any, board: Any) -> list[Any]:
        """The commands that a board got for a rollout, with their histories."""
        found = self._site.api.commands(board["board_id"])
        mine = [one for one in found if one["cause"].startswith(f"rollout/{goes['id']}/")]
        return [self._site.api.command(one["id"]) for one in mine]

    def _expect(self, one: Any, good: bool, what: str, found: object) -> None:
        if not good:
            line = f"{one['board_id']} ({one['state']}, {one['why']}): {what} {found}"
            self._report.blame([line])


def run(
    folder: Path,
    count: int,
    seed: int,
    tick: Callable[[], object],
    make_broker: MakeBroker = EmbeddedBroker,
) -> Report:
    """Two rollouts to `count` boards, a tenth of which come first."""
    report = Report(f"rollouts to {count} boards")
    canary = max(2, count // 10)
    names: dict[str, Actuators] = {
        f"pond-{number}": {"feeder1": feeder(16)} for number in range(1, count + 1)
    }
    main = stage.files()["main.py"].decode()
    assert _PAUSE[0] in main
    with Many(folder, names, make_broker, files={"main.py": main.replace(*_PAUSE)}) as site:
        campaign = Campaign(site, report, tick)
        since = now_ms()
        campaign.check_bad(campaign.bring(bad_files(), canary), canary)
        report.say(f"the bad release ended after {(now_ms() - since) / 1000:.0f} s")
        since = now_ms()
        campaign.check_good(campaign.bring(release.make(UNIX, GOOD), canary, True))
        report.say(f"the good one after {(now_ms() - since) / 1000:.0f} s")
    return report
