"""Power is cut at flash writes of an update: after each, the board runs an entire release, old or
new, and the command given once more brings it to the new one.

    python -m tests.link.update_cuts [--count N]     (without: at every single write)
"""

import argparse
import contextlib
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from tests.link.site import USERS
from tests.link.updating import Pond, made, pond, signed
from tests.support.brokers import running
from tools import manifest
from tools.emulator import Board

SECONDS = 60
WRITES = 690  # an update has some more


def check_slots(board: Board) -> list[str]:
    """The slots that hold a release; every file of it is what it should be."""
    files = board.flash.files()
    found = [slot for slot in "ab" if f"{slot}/{manifest.NAME}" in files]
    for slot in found:
        _, listed = manifest.read(files[f"{slot}/{manifest.NAME}"])
        for name, (size, digest) in listed.items():
            content = files[f"{slot}/{name}"]
            assert (len(content), manifest.sha256(content)) == (size, digest), (slot, name)
    return found


@contextlib.contextmanager
def victim(folder: Path) -> Iterator[Pond]:
    """A board whose power will be cut; its flash as it is now is kept in `fresh.img`."""
    files = signed(made(more=9000))
    with running("embedded", folder, USERS) as broker, pond(folder, broker, files) as site:
        site.board.power_cut()
        shutil.copy(site.board.flash.path, folder / "fresh.img")
        yield site


def cut_update(site: Pond, folder: Path, write: int) -> bool:
    """One update with power cut at that write; False where it has fewer writes."""
    shutil.copy(folder / "fresh.img", site.board.flash.path)
    since, heard = len(site.board.log), len(site.backend.heard)
    site.board.start()
    site.backend.online(SECONDS, heard)
    site.board.cut_at_write(write)
    site.begin()
    event = site.board.wait(
        lambda it: it["event"] in ("power_cut", "reset"), timeout=SECONDS, since=since
    )
    was_cut = bool(event["event"] == "power_cut")
    if was_cut:
        assert "a" in check_slots(site.board)
        complete(site)
    site.board.power_cut()
    return was_cut


def complete(site: Pond) -> None:
    """The board comes back with an entire release, and ends with the new one confirmed."""
    heard = len(site.backend.heard)
    site.board.start()
    site.backend.online(SECONDS, heard)
    if site.runs_now(heard)["slot"] == "a":
        done = site.update(SECONDS)
        assert done["state"] == "completed", done
    site.runs("b", "confirmed", SECONDS, heard)
    site.board.power_cut()
    assert check_slots(site.board) == ["a", "b"]


def cut_trial(site: Pond, folder: Path, write: int) -> bool:
    """The first boot of a trial with power cut at that write; False where it has fewer."""
    if not (folder / "trial.img").exists():
        prepare_trial(site, folder)
    shutil.copy(folder / "trial.img", site.board.flash.path)
    since, heard = len(site.board.log), len(site.backend.heard)
    site.board.cut_at_write(write)
    site.board.start()

    with contextlib.suppress(TimeoutError):
        site.runs("b", "confirmed", 3, heard)
    site.board.power_cut()
    was_cut = any(event["number"] >= since for event in site.board.log.of("cut"))
    if was_cut:
        complete(site)
    return was_cut


def prepare_trial(site: Pond, folder: Path) -> None:
    """The flash of a board that is about to boot into a trial."""
    shutil.copy(folder / "fresh.img", site.board.flash.path)
    spare = {f"b/{name}": content for name, content in site.server.files.items()}
    site.board.flash.write({**spare, "slots": b"a b 3 confirmed"})
    shutil.copy(site.board.flash.path, folder / "trial.img")


def run(folder: Path, writes: Iterable[int], trials: Iterable[int]) -> tuple[int, int]:
    """(cuts made in updates, in first boots of a trial); each ends where there are no more."""
    with victim(folder) as site:
        cuts = list(itertools.takewhile(lambda n: cut_update(site, folder, n), writes))
        boots = list(itertools.takewhile(lambda n: cut_trial(site, folder, n), trials))
    return len(cuts), len(boots)


def main(argv: list[str] | None = None) -> int:
    """The exit code; a failure is a traceback that names the write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, help="so many writes, by chance")
    count = parser.parse_args(argv).count
    writes: Iterable[int] = itertools.count(1)
    if count:
        writes = random.sample(range(1, WRITES), count)
    with tempfile.TemporaryDirectory() as folder:
        cuts, boots = run(Path(folder), tqdm(writes, unit="cut"), itertools.count(1))
    print(f"{cuts} cuts in updates, {boots} in first boots of a trial: none was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
