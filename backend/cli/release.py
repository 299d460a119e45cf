"""`python -m backend release ...`: what boards may be updated to, looked after at the keyboard."""

import argparse
from pathlib import Path
from typing import Any

from backend.cli.options import command
from backend.cli.people import at_the_keyboard
from backend.delivery.writer import now_ms
from backend.fleet import provisioning
from backend.people.audit import Noted
from backend.rollouts import archive, releases
from backend.schema import open_database
from backend.settings import Settings


def add_arguments(commands: Any) -> None:
    """Describe these commands to argparse."""
    deeds = command(commands, "release", "look after releases of the firmware").add_subparsers(
        dest="deed", metavar="DEED", required=True
    )
    adds = command(deeds, "add", "take in a release that `make release` has made; prints its id")
    adds.add_argument("folder", type=Path, help="as `make release BOARD=... OUT=folder` made it")
    adds.add_argument("--notes", default="", help="what people should know of it")
    command(deeds, "list", "print those there are, newest first")
    deletes = command(deeds, "delete", "delete one that no rollout is bringing to boards")
    deletes.add_argument("id", help="its id")


def run(options: Settings, arguments: argparse.Namespace) -> int:
    """Run one of these. Returns the exit code. Raises a Refusal, OSError, ValueError, Locked."""
    open_database(options.database)
    folder = options.data_dir.absolute() / releases.FOLDER
    if arguments.deed == "add":
        found = archive.checked(archive.of_folder(arguments.folder))
        made, new = releases.add(folder, found, arguments.notes, at_the_keyboard(), now_ms())
        print(f"{_line(made)}{'' if new else ' (it was there already)'}")
    elif arguments.deed == "delete":
        wish = releases.Delete(folder, arguments.id)
        noted = Noted(wish, at_the_keyboard(), "release.delete", arguments.id)
        provisioning.alone(noted, now_ms())
        print("deleted")
    else:
        for row in releases.everything():
            print(_line(row))
    return 0


def _line(row: releases.Values) -> str:
    facts = f"{row['id']}  {row['board']} {row['version']}, {row['files']} files, {row['size']:,d}"
    return f"{facts} bytes  {row['notes']}".rstrip()
