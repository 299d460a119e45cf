"""Commands and boards as the API shows them: times become RFC 3339 text here and nowhere else."""

import functools
import time
from typing import Any

from backend.delivery import conditions
from backend.delivery.texts import TEXTS
from backend.web.routes import API

_BOARD_TIMES = ("last_seen", "asleep_until", "next_wake_at", "announced_at")
_COMMAND_TIMES = ("created_at", "expires_at", "updated_at")


@functools.lru_cache(4096)  # the steps of many commands share their times
def rfc3339(ms: int) -> str:
    """Milliseconds since 1970 as UTC: 2026-11-21T07:00:00.123Z"""
    seconds, rest = divmod(ms, 1000)
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z"


def optional_time(ms: int | None) -> str | None:
    """The same where there may be none."""
    return None if ms is None else rfc3339(ms)


def times(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """A row whose members of these names are times, or None."""
    return {**row, **{name: optional_time(row[name]) for name in names}}


def command(row: dict[str, Any]) -> dict[str, Any]:
    """A command, with its history or its last step where it has them."""
    out = dict(row)
    out["message"] = TEXTS.get(row["message"], row["message"])  # the board may say just the code
    if row["error"] == "condition":
        out["message"] = conditions.told(row["conditions"], row["result"])
    for name in _COMMAND_TIMES:
        out[name] = rfc3339(row[name])
    if "history" in row:
        out["history"] = [step(entry) for entry in row["history"]]
    if "last" in row:
        out["last"] = step(row["last"])
    return out


def step(entry: dict[str, Any]) -> dict[str, Any]:
    """One step of a command's history."""
    return {**entry, "at": rfc3339(entry["at"])}


def board(row: dict[str, Any]) -> dict[str, Any]:
    """A board."""
    sensors = {name: _reading(one) for name, one in row["sensors"].items()}
    times = {name: optional_time(row[name]) for name in _BOARD_TIMES}
    return {**row, **times, "sensors": sensors}


def _reading(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "at": optional_time(row["at"])}


def site(row: dict[str, Any]) -> dict[str, Any]:
    """A site."""
    return {**row, "created_at": rfc3339(row["created_at"])}


def move(row: dict[str, Any]) -> dict[str, Any]:
    """A step of a board's way."""
    return {**row, "at": rfc3339(row["at"])}


def connection(row: dict[str, Any]) -> dict[str, Any]:
    """A site's connection, or how one now is."""
    times = {name: optional_time(row[name]) for name in ("retry_at", "changed_at")}
    return {**row, **times}


def version(picture: dict[str, Any]) -> str:
    """What is another where a picture is another."""
    return str(picture["sha256"][:16])


def picture(row: dict[str, Any]) -> dict[str, Any]:
    """A picture, and where it is."""
    base = f"{API}/boards/{row['board_id']}/pictures/{row['image_id']}"
    which = f"?v={version(row)}"
    places = {"url": f"{base}.jpg{which}", "thumbnail": f"{base}/thumbnail.jpg{which}"}
    return {**times(row, "at", "taken_at", "received_at"), **places}


def token(row: dict[str, Any]) -> dict[str, Any]:
    """A token, without its secret."""
    times = {name: optional_time(row[name]) for name in ("created_at", "expires_at", "seen_at")}
    return {**row, **times}


def user(row: dict[str, Any]) -> dict[str, Any]:
    """A user."""
    return {**row, "created_at": rfc3339(row["created_at"])}


def audit_entry(row: dict[str, Any]) -> dict[str, Any]:
    """Something that was done."""
    return {**row, "at": rfc3339(row["at"])}


def schedule(row: dict[str, Any]) -> dict[str, Any]:
    """A schedule, with its last run."""
    last = row["last_run"] and run(row["last_run"])
    return {**times(row, "at", "next_at", "created_at"), "last_run": last}


def run(row: dict[str, Any]) -> dict[str, Any]:
    """A command to boards."""
    return times(row, "due_at", "at", "missed_from", "ended_at")


def scene_run(row: dict[str, Any]) -> dict[str, Any]:
    """A run of a scene, with its steps where it has them."""
    out = times(row, "entered_at", "started_at", "ended_at")
    if "steps" in row:
        names = ("planned_at", "sent_at", "feedback_at")
        out["steps"] = [times(one, *names) for one in row["steps"]]
        out["ahead"] = [times(one, "planned_at") for one in row["ahead"]]
    return out


def scene(row: dict[str, Any]) -> dict[str, Any]:
    """A scene, with its last run."""
    last = row["last_run"] and scene_run(row["last_run"])
    return {**times(row, "updated_at"), "last_run": last}
