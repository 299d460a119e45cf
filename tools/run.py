"""`make run`: the broker, the backend and emulated boards in one terminal, until Ctrl-C.

The boards run the real firmware under the real MicroPython, in a small world of their own
(tools/world.py). Data is kept in `var/` between runs.
`make emulate N=20` is the same with twenty boards.
"""

import argparse
import itertools
import logging
import sys
import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from backend import settings
from backend.application import Application, ending_signals
from backend.brokers.broker import BrokerError, EmbeddedBroker
from backend.delivery.events import Event
from backend.errors import Conflict
from backend.fleet import boards
from tools.emulator import EmulatorError
from tools.fleet import BoardSpec, Fleet, describe
from tools.stage import StageError
from tools.umqtt import FetchError
from tools.world import World

HEAP = "192K"  # as boards/UNIX/board.json has it; 160K is enough, too
KINDS = ("pond", "museum")  # in turn, for one board each: the actuators wired to it
SHOWN = ("pin", "pwm", "reset", "watchdog")


def say(line: str) -> None:
    """One line for one thing that happened, with the time."""
    now = f"{datetime.now():%H:%M:%S.%f}"[:-3]
    sys.stdout.write(f"{now} {line}\n")  # in one piece: several threads say something
    sys.stdout.flush()


def enroll(application: Application, count: int) -> list[BoardSpec]:
    """Boards pond-1, museum-1, pond-2, ..., made known to the backend where they are not yet."""
    specs = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        board_id = f"{kind}-{number // len(KINDS) + 1}"
        try:
            told = application.enroll(board_id)
        except Conflict:
            told = boards.credentials(board_id)
        specs.append(BoardSpec(**told, actuators=kind))
    return specs


def line_of(kind: str, data: dict[str, Any]) -> str:
    """An event about a board or a command as a line."""
    if kind == "board":
        state = "online" if data["online"] else "offline"
        return f"{data['id']:12} {state}"
    words = [data["command_type"], data["target"], *map(str, data["parameters"].values())]
    error = f" ({data['last']['error']})" if data["last"]["error"] else ""
    return f"{data['board_id']:12} {' '.join(filter(None, words))}: {data['status']}{error}"


def narrate(batches: Iterable[list[Event]]) -> None:
    """Print what becomes of commands, and when boards come and go."""
    online: dict[str, bool | None] = {}
    for _, kind, data in itertools.chain.from_iterable(batches):
        if kind not in ("board", "command"):
            continue
        if kind == "board":
            if online.get(data["id"]) == data["online"]:
                continue
            online[data["id"]] = data["online"]
        say(line_of(kind, data))


def welcome(application: Application) -> None:
    """How to get in."""
    kept = application.settings.data_dir
    print(f"\n  Answerback is at {application.url}")
    if application.admin_password:
        print(f"  sign in as admin with the password {application.admin_password}")
        print("  (it is shown this once; `make password` sets another one)")
    else:
        print("  sign in as admin (`make password` sets a new password)")
    print(f"  Ctrl-C ends everything; what happened is kept in {kept}\n", flush=True)


def run(
    application: Application, specs: list[BoardSpec], ending: threading.Event, verbose: bool
) -> None:
    """Run until `ending` is set."""
    port = application.settings.broker_port
    shown = (*SHOWN, "console") if verbose else SHOWN

    def show(board_id: str, event: dict[str, Any]) -> None:
        if event["event"] in shown:
            say(describe(board_id, event))

    fleet = Fleet(
        specs,
        application.settings.data_dir / "boards",
        (EmbeddedBroker.host, port),
        show,
        heap=HEAP,
        serial=True,
    )
    world = World((str(spec.actuators), fleet.boards[spec.board_id]) for spec in specs)
    with application.backend.events.subscribe(None) as events:
        threading.Thread(target=narrate, args=(events,), daemon=True).start()
        try:
            with world:
                for board_id in fleet.starting():
                    port_name = fleet.boards[board_id].port
                    say(f"{board_id:12} serial console: mpremote connect {port_name} resume")
                    if ending.is_set():
                        break
                application.wait(ending)
        finally:
            began = time.monotonic()
            fleet.stop()
            application.stop()
            say(f"ended in {time.monotonic() - began:.1f} s")


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 1 where it could not start, in one line that says why."""
    parser = argparse.ArgumentParser(prog="python -m tools.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-n", type=int, default=len(KINDS), help="how many boards (2)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show their consoles, too")
    arguments = parser.parse_args(argv)
    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    ending = ending_signals()
    try:
        options = settings.load()
        if options.broker_url is not None:
            raise ValueError("BROKER_URL: make run has its own broker; unset it, or use serve")
        application = Application(options)
        specs = enroll(application, arguments.n)
        application.start()
        welcome(application)
        run(application, specs, ending, arguments.verbose)
    except (BrokerError, EmulatorError, StageError, FetchError, OSError, ValueError) as why:
        print(f"answerback: {why}", file=sys.stderr)
        return 1
    return 1 if application.backend.failed.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
