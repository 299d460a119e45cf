"""`python -m backend`: run the backend, or look after its boards, users and tokens."""

import argparse
import contextlib
import getpass
import json
import logging
import sys
from typing import Any

from backend import boards, settings
from backend.accounts import ADMIN, Accounts
from backend.application import Application, ending_signals
from backend.broker import BrokerError
from backend.dialects.registry import DIALECTS
from backend.errors import Refusal
from backend.schema import open_database
from backend.settings import Settings
from backend.writer import now_ms


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
    for key, value in boards.enroll(arguments.board_id, now_ms(), arguments.name, *spoken).items():
        print(f"{key}={value}")
    return 0


def _options(text: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        read = json.loads(text)
        if isinstance(read, dict):
            return read
    raise ValueError('--options: must be a JSON object, such as {"prefix": "device"}')


def token(options: Settings, name: str) -> int:
    """Make a bearer token for the administrator and print it, once."""
    print(_accounts(options).create_token(ADMIN, name))
    return 0


def password(options: Settings, user: str) -> int:
    """Ask for a new password (or read it as a line) and set it; the user's sessions end."""
    accounts = _accounts(options)
    asks = f"new password for {user}: "
    wanted = getpass.getpass(asks) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    accounts.set_password(user, wanted)
    print("set; sign in with it")
    return 0


def _accounts(options: Settings) -> Accounts:
    open_database(options.database)
    accounts = Accounts()
    if first := accounts.ensure_admin():
        print(f"the user {ADMIN} was made; sign in with {first}", file=sys.stderr)
    return accounts


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="run the backend (the default)")
    board = commands.add_parser("enroll", help="make a board known; prints its key and password")
    board.add_argument("board_id")
    board.add_argument("--name", default="", help="what people call it")
    board.add_argument("--dialect", default="answerback", choices=DIALECTS, help="what it speaks")
    board.add_argument(
        "--options", default="{}", help="JSON: what a dialect must be told of its board"
    )
    program = commands.add_parser("token", help="make a bearer token; prints it once")
    program.add_argument("name", help="what it is for")
    person = commands.add_parser("password", help="set a user's password; asks for it")
    person.add_argument("user", nargs="?", default=ADMIN)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0, 1 for a failure, 2 for a wrong setting."""
    arguments = _arguments(argv)
    try:
        options = settings.load()
    except ValueError as why:
        print(why, file=sys.stderr)
        return 2
    logging.basicConfig(
        level=options.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        if arguments.command == "enroll":
            return enroll(options, arguments)
        if arguments.command == "token":
            return token(options, arguments.name)
        if arguments.command == "password":
            return password(options, arguments.user)
        return serve(options)
    except (BrokerError, Refusal, OSError, ValueError) as why:
        print(why, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
