"""`python -m backend user ...`, `password` and `token`: people looked after at the keyboard.

Each function prints what there is to say and returns the exit code; it raises a Refusal.
"""

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import Any

from backend.cli.options import command
from backend.people import tokens
from backend.people import users as people
from backend.people.access import ROLES, VIEWER
from backend.people.accounts import ADMIN, Accounts
from backend.people.audit import Actor
from backend.people.credentials import SCOPES
from backend.people.users import People


def at_the_keyboard(user: str = "") -> Actor:
    """Who does what is done here, in the name of a user or of nobody."""
    return Actor(user, "command line")


def asked_password(user: str) -> str:
    """A new password: asked for, or read as a line."""
    wanted = f"new password for {user}: "
    return getpass.getpass(wanted) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def password(accounts: Accounts, user: str) -> int:
    """Ask for a user's new password and set it; their sessions end."""
    People(accounts).set_password(at_the_keyboard(), user, asked_password(user))
    print("set; sign in with it")
    return 0


def token(
    accounts: Accounts, name: str, user: str, scopes: list[str], expires_in: int | None
) -> int:
    """Make a token for a user and print it, once."""
    actor = at_the_keyboard(people.found(user).name)
    print(tokens.make(actor, accounts, name, scopes or list(SCOPES), expires_in)[1])
    return 0


def _list(who: People, arguments: argparse.Namespace) -> None:
    for user in people.all_users():
        sites = " ".join(f"{site}={role}" for site, role in user["sites"].items())
        disabled = "disabled" if user["disabled"] else ""
        print(" ".join(filter(None, (f"{user['name']:20} {user['role']:8}", disabled, sites))))


def _add(who: People, arguments: argparse.Namespace) -> None:
    name = arguments.name
    who.add(at_the_keyboard(), name, arguments.role, asked_password(name))


def _role(who: People, arguments: argparse.Namespace) -> None:
    who.change(at_the_keyboard(), arguments.name, role=arguments.role)


def _disable(who: People, arguments: argparse.Namespace) -> None:
    who.change(at_the_keyboard(), arguments.name, disabled=True)


def _enable(who: People, arguments: argparse.Namespace) -> None:
    who.change(at_the_keyboard(), arguments.name, disabled=False)


def _remove(who: People, arguments: argparse.Namespace) -> None:
    who.remove(at_the_keyboard(), arguments.name)


def _sign_out(who: People, arguments: argparse.Namespace) -> None:
    who.sign_out(at_the_keyboard(), arguments.name)


def _member(who: People, arguments: argparse.Namespace) -> None:
    if arguments.role == "none":
        who.leave(at_the_keyboard(), arguments.name, arguments.site)
    else:
        who.join(at_the_keyboard(), arguments.name, arguments.site, arguments.role)


_Do = Callable[[People, argparse.Namespace], None]
# name -> (what it does, what it is, its arguments after the user's name)
_DEEDS: dict[str, tuple[_Do, str, dict[str, dict[str, Any]]]] = {
    "list": (_list, "everybody, with their role and their roles at sites", {}),
    "add": (
        _add,
        "a new user; asks for the password",
        {"--role": {"choices": ROLES, "default": VIEWER, "help": f"else {VIEWER}"}},
    ),
    "role": (_role, "another role", {"role": {"choices": ROLES}}),
    "disable": (_disable, "let nothing of theirs in any more", {}),
    "enable": (_enable, "let them in again", {}),
    "remove": (_remove, "delete a user; their commands stay", {}),
    "sign-out": (_sign_out, "end all their sessions and JWTs", {}),
    "member": (
        _member,
        "a role at a site, or none",
        {"site": {"help": "its id"}, "role": {"choices": (*ROLES, "none")}},
    ),
}


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `user`, `token` and `password` to the program's commands."""
    deeds = command(commands, "user", "look after users").add_subparsers(
        dest="deed", metavar="DEED", required=True
    )
    for name, (_, about, more) in _DEEDS.items():
        parser = command(deeds, name, about)
        if name != "list":
            parser.add_argument("name", help="of the user")
        for argument, settings in more.items():
            parser.add_argument(argument, **settings)
    program = command(commands, "token", "make a bearer token; prints it once")
    program.add_argument("name", help="what it is for")
    program.add_argument("--user", default=ADMIN, help=f"whose it is ({ADMIN})")
    program.add_argument("--scope", action="append", default=[], choices=SCOPES, help="else all")
    program.add_argument("--expires-in", type=int, metavar="SECONDS", help="else never")
    person = command(commands, "password", "set a user's password; asks for it")
    person.add_argument("user", nargs="?", default=ADMIN, help=f"else {ADMIN}")


def run(accounts: Accounts, arguments: argparse.Namespace) -> int:
    """What one of these commands says. The database must be open, and have an administrator."""
    if arguments.command == "token":
        wanted = (arguments.name, arguments.user, arguments.scope, arguments.expires_in)
        return token(accounts, *wanted)
    if arguments.command == "password":
        return password(accounts, arguments.user)
    _DEEDS[arguments.deed][0](People(accounts), arguments)
    if arguments.deed != "list":
        print("done")
    return 0
