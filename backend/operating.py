"""The commands that run the backend in parts and look after an installation."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend import check, configuration, copies, processes, unit
from backend.settings import Given, Settings

COMMANDS = ("worker", "web", "config", "check", "backup", "restore", "unit")


def add_arguments(commands: Any) -> None:
    """Describe these commands to argparse."""
    commands.add_parser(
        "worker", help="run all but the web side; `web` is that, in other processes"
    )
    web = commands.add_parser("web", help="run a web side for the worker of the same data folder")
    web.add_argument("--port", type=int, help="instead of HTTP_PORT, where several run")
    shows = commands.add_parser("config", help="print the settings in force, and where from")
    shows.add_argument("--table", action="store_true", help="all there are, as Markdown")
    commands.add_parser("check", help="look whether everything is as it should be")
    saves = commands.add_parser("backup", help="copy the database to a file, also while it runs")
    saves.add_argument("file", type=Path)
    puts_back = commands.add_parser("restore", help="put a backup in place of the database")
    puts_back.add_argument("file", type=Path)
    prints = commands.add_parser("unit", help="print a unit for systemd")
    prints.add_argument("part", nargs="?", default="serve", choices=unit.PARTS)


def run(options: Settings, found: Mapping[str, Given], arguments: argparse.Namespace) -> int:
    """Run one of COMMANDS. Returns the exit code. Raises ValueError, OSError, BrokerError."""
    command = arguments.command
    if command == "worker":
        return processes.worker(options)
    if command == "web":
        return processes.web(options, arguments.port)
    if command == "config":
        print(
            configuration.table() if arguments.table else configuration.effective(options, found)
        )
    elif command == "check":
        return check.run(options, found)
    elif command == "backup":
        return copies.backup(options, arguments.file)
    elif command == "restore":
        return copies.restore(options, arguments.file)
    else:
        print(unit.text(arguments.part))
    return 0
