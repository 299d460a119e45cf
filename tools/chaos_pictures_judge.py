"""What is wrong with the pictures that were kept, held against those that were taken."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from tools.chaos_report import Report
from tools.chaos_site import Site

MEMORY_MB = 200


def memory_mb(pid: int) -> float:
    """How much memory a process holds (Linux)."""
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if "VmRSS" in line) / 1024


def judge(site: Site, folder: Path, taken: dict[str, dict[str, str]], report: Report) -> None:
    """`taken`: {board: {image id: SHA-256}}."""
    for board_id, pictures in taken.items():
        report.blame(_judge_rows(site, board_id, pictures))
        report.blame(_judge_files(folder / "images" / board_id, pictures))
        report.count("pictures kept, each as it was taken", len(pictures))
        mine = [one for one in site.api.commands(board_id) if one["user"] == "system"]
        asked = sum(one["command_type"] == "send_image" for one in mine)
        report.count("times the backend asked for what was missing", asked)
    with sqlite3.connect(folder / "chaos.db") as db:
        left = db.execute("SELECT COUNT(*) FROM picturechunk").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0] * 4 // 1024
    if left:
        report.blame([f"{left} pieces are left in the database"])
    if memory_mb(site.backend.pid) > MEMORY_MB:
        report.blame([f"the backend holds {memory_mb(site.backend.pid):.0f} MB"])
    size = sum(one.stat().st_size for one in (folder / "images").rglob("*")) / 1e6
    report.say(f"on disk: {size:.1f} MB of pictures, a database of {pages} MB")


def _judge_rows(site: Site, board_id: str, taken: dict[str, str]) -> list[str]:
    rows = _rows(site, board_id)
    found = [row["image_id"] for row in rows]
    out = [f"{board_id}: {name} is there twice" for name in set(found) if found.count(name) > 1]
    out += [f"{board_id}: {name} has no row" for name in taken.keys() - set(found)]
    for row in rows:
        name = row["image_id"]
        ours = site.api.command(row["command_id"]) if row["command_id"] else None
        if name in taken and (row["sha256"] != taken[name] or not row["whole"]):
            out.append(f"{board_id}: the row of {name} is of another picture")
        if ours is None or ours["command_type"] != "capture_image":
            out.append(f"{board_id}: nobody knows what took {name}")
        elif ours["status"] == "COMPLETED" and ours["result"]["image_id"] != name:
            out.append(f"{board_id}: the command of {name} took another one")
    return out


def _rows(site: Site, board_id: str) -> list[Any]:
    out: list[Any] = []
    path: str | None = f"boards/{board_id}/pictures?limit=200"
    while path:
        page = site.api.get(path)
        out += page["pictures"]
        path = page["next"] and page["next"].removeprefix("/api/v1/")
    return out


def _judge_files(folder: Path, taken: dict[str, str]) -> list[str]:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    wrong = [name for name in taken if sums.get(f"{name}.jpg") != taken[name]]
    out = [f"{folder.name}: the file of {name} is not what was taken" for name in wrong]
    extra = {name.removesuffix(".jpg") for name in files} - taken.keys()
    return out + [f"{folder.name}: nobody knows of the file {name}" for name in extra]
