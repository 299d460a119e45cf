"""Runs emulated boards against any broker until Ctrl-C, one line for each thing that happens.

    python -m tools.emulate -n 20 --broker mqtt://192.168.1.5 --boards boards.json

The boards file is a list of what the backend says when it enrolls a board, each with the name of
its actuators: [{"board_id": "pond-1", "key": "...", "password": "...", "actuators": "pond"}, ...].
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from tools import stage, umqtt
from tools.emulator import EmulatorError
from tools.fleet import BoardSpec, Fleet, describe

VAR = stage.ROOT / "var"


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0 after Ctrl-C, 1 where the boards could not be started."""
    arguments = _arguments(argv)
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        specs = read_specs(arguments.boards, arguments.n)
        fleet = Fleet(
            specs,
            arguments.directory,
            broker_address(arguments.broker),
            lambda board_id, event: tqdm.write(describe(board_id, event)),
            firmware=arguments.firmware and stage.read(arguments.firmware),
        )
    except (EmulatorError, stage.StageError, umqtt.FetchError) as error:
        print(error, file=sys.stderr)
        return 1
    run(fleet, ending)
    return 0


def run(fleet: Fleet, ending: threading.Event) -> None:
    """Starts the boards with a progress bar, and stops them when `ending` is set."""
    try:
        for _ in tqdm(fleet.starting(), total=len(fleet.boards), unit="board", leave=False):
            if ending.is_set():
                break
        ending.wait()
    finally:
        fleet.stop()


def read_specs(path: Path, count: int) -> list[BoardSpec]:
    """The first `count` boards of a boards file. Raises EmulatorError."""
    try:
        rows = json.loads(path.read_text())
        specs = [BoardSpec(**row) for row in rows[:count]]
    except FileNotFoundError as error:
        raise EmulatorError(f"there is no {path}: enroll boards and list them there") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise EmulatorError(f"{path} is no list of boards: {error}") from error
    if len(specs) < count:
        raise EmulatorError(f"{path} has {len(specs)} boards, not {count}: enroll more")
    return specs


def broker_address(url: str) -> tuple[str, int]:
    """(host, port) of mqtt://host:port. Raises EmulatorError."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname:
        raise EmulatorError(f"{url!r} is no broker: write mqtt://host:port")
    return parts.hostname, parts.port or 1883


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.emulate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-n", type=int, default=20, help="how many boards (20)")
    parser.add_argument("--broker", default="mqtt://127.0.0.1", help="mqtt://host:port")
    parser.add_argument("--boards", type=Path, required=True, help="the boards file")
    parser.add_argument(
        "--directory", type=Path, default=VAR / "boards", help="where their flash images are"
    )
    parser.add_argument(
        "--firmware", type=Path, help="a folder made by tools.stage; else it is staged now"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
