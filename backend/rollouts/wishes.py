"""What people may wish of rollouts: that one begin, be paused, go on, or be aborted. Tasks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import chunked
from protocol.limits import TEXT_LENGTH

from backend.delivery.work import Work
from backend.errors import Conflict
from backend.fleet import selection
from backend.fleet.presence import Presence, Roster
from backend.rollouts import releases, rows
from backend.rollouts.fitting import is_step_back, unfit
from backend.rollouts.releases import Release
from backend.rollouts.rows import Rollout, RolloutBoard

_NAMED = 3  # boards that a reason names
_AT_ONCE = 500  # rows in a statement


@dataclass(frozen=True)
class Begin:
    """The wish that a release go to the boards of a selection. `values`: columns of Rollout, with
    `deadline_s` in place of `deadline_at`.
    """

    release_id: str
    selection: Mapping[str, Any]
    base: str
    values: Mapping[str, Any]
    user: str

    def __call__(self, work: Work) -> rows.Values:
        """The rollout. Raises NotFound; Conflict, Invalid, which name what stands in the way."""
        part = work.parts.rollouts
        release = releases.get(self.release_id)
        chosen, skipped = _sorted(part.orders.roster, self.selection, release)
        self._check(release, chosen, skipped)
        row = self._insert(work, release, skipped, len(chosen))
        names = [board.board_id for board in chosen]
        for some in chunked(names, _AT_ONCE):
            about = {"rollout_id": row.id, "updated_at": work.now}
            RolloutBoard.insert_many([{**about, "board_id": name} for name in some]).execute()
        part.begun(row.id, names)
        return rows.public(row)

    def _check(self, release: Release, chosen: list[Presence], skipped: Mapping[str, str]) -> None:
        if not chosen:
            found = next((f": {board} {why}" for board, why in skipped.items()), "")
            raise Conflict("no_boards", "selection", f"holds no board that needs it{found}")
        busy = rows.open_boards()
        taken = [board.board_id for board in chosen if board.board_id in busy]
        if taken:
            reason = f"holds {_some(taken)}, in rollout {busy[taken[0]]}: abort that, or wait"
            raise Conflict("in_rollout", "selection", reason)
        lower = [
            f"{one.board_id} with {one.firmware}" for one in chosen if is_step_back(release, one)
        ]
        if lower and not self.values["allow_downgrade"]:
            reason = (
                f"holds boards that run a later version than {release.version}, or one that can't"
                f" be compared with it ({_some(lower)}): set allow_downgrade, or leave them out"
            )
            raise Conflict("downgrade", "selection", reason)
        longest = max(chosen, key=lambda board: len(board.board_id))
        url = releases.address(self.base, release.id, longest.board_id, longest.key)
        if len(url) > TEXT_LENGTH:
            reason = f"the address {self.base} is too long for boards: set a shorter FIRMWARE_URL"
            raise Conflict("address", "", reason)

    def _insert(
        self, work: Work, release: Release, skipped: Mapping[str, str], count: int
    ) -> Rollout:
        values = {**self.values, "canary": min(self.values["canary"], count)}
        deadline_at = work.now + 1000 * values.pop("deadline_s")
        made: Rollout = Rollout.create(
            site=self.selection.get("site"),
            release=release.id,
            board=release.board,
            version=release.version,
            selection=json.dumps(dict(self.selection)),
            skipped=json.dumps(skipped),
            base=self.base,
            user=self.user,
            created_at=work.now,
            deadline_at=deadline_at,
            **values,
        )
        return made


def _sorted(
    roster: Roster, wanted: Mapping[str, Any], release: Release
) -> tuple[list[Presence], dict[str, str]]:
    """The boards that are meant and need the release; and those that are not to get it: why."""
    chosen, skipped = [], {}
    for board_id in selection.select(roster, wanted):
        board = roster.get(board_id)
        assert board is not None
        why = unfit(release, board)
        if why:
            skipped[board_id] = why
        else:
            chosen.append(board)
    return chosen, skipped


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Pause:
    """The wish that nothing more be sent for now; what was sent goes on."""

    rollout_id: int

    def __call__(self, work: Work) -> rows.Values:
        """The rollout. Raises NotFound; Conflict where it does not go on any more."""
        return _changed(work, self.rollout_id, (rows.ACTIVE,), rows.PAUSED)


@dataclass(frozen=True, slots=True)
class Resume:
    """The wish that a rollout that was paused go on."""

    rollout_id: int

    def __call__(self, work: Work) -> rows.Values:
        """The rollout. Raises NotFound; Conflict where it is not paused."""
        return _changed(work, self.rollout_id, (rows.PAUSED,), rows.ACTIVE)


@dataclass(frozen=True, slots=True)
class Abort:
    """The wish that nothing more be sent, and that be called off what can be."""

    rollout_id: int
    user: str

    def __call__(self, work: Work) -> rows.Values:
        """The rollout. Raises NotFound; Conflict where it has ended."""
        row = _checked(self.rollout_id, rows.GOING_ON, rows.ABORTED)
        work.parts.rollouts.halt(work, row, rows.ABORTED, f"by {self.user}", self.user)
        return rows.public(row)


def _changed(work: Work, rollout_id: int, before: tuple[str, ...], after: str) -> rows.Values:
    row = _checked(rollout_id, before, after)
    row.state = after
    row.save(only=[Rollout.state])
    work.parts.rollouts.look(row.id)
    return rows.public(row)


def _checked(rollout_id: int, before: tuple[str, ...], after: str) -> Rollout:
    row = rows.get(rollout_id)
    if row.state not in before:
        raise Conflict("not_possible", "rollout", f"is {row.state}, and can't be {after} now")
    return row
