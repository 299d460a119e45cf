"""The commands that run the backend in parts and look after an installation."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend import processes
from backend.cli import check, configuration, copies, unit
from backend.cli.options import command
from backend.settings import Given, Settings

COMMANDS = ("worker", "web", "config", "check", "backup", "restore", "unit")


def add_arguments(commands: Any) -> None:
    """Describe these commands to argparse."""
    command(commands, "worker", "run all but the web side; `web` is that, in other processes")
    web = command(commands, "web", "run a web side for the worker of the same data folder")
    web.add_argument("--port", type=int, help="instead of HTTP_PORT, where several run")
    shows = command(commands, "config", "print the settings in force, and where from")
    shows.add_argument("--table", action="store_true", help="all there are, as Markdown")
    command(commands, "check", "look whether everything is as it should be")
    saves = command(commands, "backup", "copy the database to a file, also while it runs")
    saves.add_argument("file", type=Path, help="that is not there yet")
    puts_back = command(commands, "restore", "put a backup in place of the database")
    puts_back.add_argument("file", type=Path, help="a backup")
    prints = command(commands, "unit", "print a unit for systemd")
    prints.add_argument("part", nargs="?", default="serve", choices=unit.PARTS, help="else serve")


def run(options: Settings, found: Mapping[str, Given], arguments: argparse.Namespace) -> int:
    """Run one of COMMANDS. Returns the exit code. Raises ValueError, OSError, BrokerError."""
    wanted = arguments.command
    if wanted == "worker":
        return processes.worker(options)
    if wanted == "web":
        return processes.web(options, arguments.port)
    if wanted == "config":
        print(
            configuration.table() if arguments.table else configuration.effective(options, found)
        )
    elif wanted == "check":
        return check.run(options, found)
    elif wanted == "backup":
        return copies.backup(options, arguments.file)
    elif wanted == "restore":
        return copies.restore(options, arguments.file)
    else:
        print(unit.text(arguments.part))
    return 0
