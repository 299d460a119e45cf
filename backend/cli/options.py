"""What the parts of the command line share."""

import argparse
from typing import Any


def command(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    """Add a command to argparse's subparsers; its own --help says what the list of all says."""
    sentence = f"{about[0].upper()}{about[1:]}."
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=sentence)
    return parser
