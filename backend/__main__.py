"""`python -m backend`: run the backend, or look after its boards, users and tokens."""

import argparse
import contextlib
import json
import sys
from importlib.metadata import version
from typing import Any

import argcomplete

from backend import loglines, settings
from backend.application import Application, ending_signals
from backend.brokers.broker import BrokerError
from backend.cli import operating
from backend.cli import people as people_cli
from backend.cli import release as release_cli
from backend.cli.options import command
from backend.database.store import Locked
from backend.delivery.work import Task
from backend.delivery.writer import now_ms
from backend.dialects.registry import DIALECTS
from backend.errors import Refusal
from backend.fleet import boards, provisioning
from backend.fleet.provisioning import Mapping, Retirement
from backend.people.accounts import ADMIN, Accounts
from backend.schema import open_database
from backend.settings import Settings

OPERATOR = "command line"


def serve(options: Settings) -> int:
    """Run until a signal, or until a part fails. Returns the exit code."""
    ending = ending_signals()
    application = Application(options)
    application.start()
    print(f"Answerback: {application.url}", flush=True)
    if application.admin_password:
        print(f"sign in as admin with {application.admin_password}", flush=True)
    failed = application.wait(ending)
    application.stop()
    return 1 if failed else 0


def enroll(options: Settings, arguments: argparse.Namespace) -> int:
    """Make a board known and print what it must be told."""
    open_database(options.database)
    spoken = arguments.dialect, _options(arguments.options)
    told = boards.enroll(arguments.board_id, now_ms(), arguments.name, arguments.pending, *spoken)
    for key, value in told.items():
        print(f"{key}={value}")
    return 0


def _perform(options: Settings, task: Task) -> int:
    """Do something about a board; a backend that runs takes it over within a second."""
    open_database(options.database)
    done = provisioning.alone(task, now_ms())
    row = boards.get(done["board_id"])
    told = {"queued": "commands that wait for it", "cancelled": "commands called off"}
    counts = [f"{words}: {len(done[name])}" for name, words in told.items() if done.get(name)]
    print("; ".join([f"{row.id} is {row.state}{row.site and f' at {row.site}' or ''}", *counts]))
    return 0


def _options(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        read = json.loads(text)
        if isinstance(read, dict):
            return read
    raise ValueError('--options: must be a JSON object, such as {"prefix": "device"}')


def _accounts(options: Settings) -> Accounts:
    open_database(options.database)
    accounts = Accounts()
    if first := accounts.ensure_admin():
        print(f"the user {ADMIN} was made; sign in with {first}", file=sys.stderr)
    return accounts


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__)
    named = f"Answerback {version('answerback')}"
    parser.add_argument("--version", action="version", version=named)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    command(commands, "serve", "run the backend (the default)")
    operating.add_arguments(commands)
    board = command(commands, "enroll", "make a board known; prints its key and password")
    board.add_argument("board_id", help="its name on the broker")
    board.add_argument("--name", default="", help="what people call it")
    board.add_argument("--dialect", default="answerback", choices=DIALECTS, help="what it speaks")
    board.add_argument(
        "--options", default="{}", help="JSON: what a dialect must be told of its board"
    )
    board.add_argument(
        "--pending", action="store_true", help="not to be used before it is mapped to a site"
    )
    mapped = command(commands, "map", "map a board to a site, or move it to another one")
    mapped.add_argument("board_id", help="its id")
    mapped.add_argument("site", help="its id")
    mapped.add_argument(
        "--sleeps",
        action="store_true",
        default=None,
        help="it sleeps between the site's wake times",
    )
    retired = command(commands, "retire", "let a board take no more part")
    retired.add_argument("board_id", help="its id")
    people_cli.add_arguments(commands)
    release_cli.add_arguments(commands)
    argcomplete.autocomplete(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 1 for a failure, 2 for a wrong setting."""
    arguments = _arguments(argv)
    try:
        found = settings.find()
        options = settings.read(found)
    except ValueError as why:
        print(why, file=sys.stderr)
        return 2
    loglines.begin(options.log_level, options.log_format)
    try:
        if arguments.command in operating.COMMANDS:
            return operating.run(options, found, arguments)
        if arguments.command == "enroll":
            return enroll(options, arguments)
        if arguments.command == "map":
            board, site, sleeps = arguments.board_id, arguments.site, arguments.sleeps
            return _perform(options, Mapping(board, site, OPERATOR, None, sleeps))
        if arguments.command == "retire":
            return _perform(options, Retirement(arguments.board_id, OPERATOR))
        if arguments.command == "release":
            return release_cli.run(options, arguments)
        if arguments.command in ("user", "token", "password"):
            return people_cli.run(_accounts(options), arguments)
        return serve(options)
    except (BrokerError, Refusal, Locked, OSError, ValueError) as why:
        print(str(why) or "another process holds the database; try again", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
