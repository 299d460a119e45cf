"""Tells a board who it is: Wi-Fi, broker, id, key and wiring; and the backend of the board.

    python -m tools.provision BOARD --port /dev/ttyUSB0 --id pond-1 --broker 192.168.1.5 \\
        --wifi barn 'its password'

BOARD is a folder of boards/, whose actuators.json is taken unless --actuators names another file.
With --api URL the backend is told over its API (token: ANSWERBACK_TOKEN), else in its database.
What is missing is asked for at a terminal. Where the board has settings already, what is not
given stays as it is; the key stays, too, unless --new-key is given. Everything is checked, with
the board's own checks, before anything is written anywhere. Nothing secret is ever printed.
"""

import argparse
import getpass
import json
import sys
from pathlib import Path
from typing import Any

from protocol.limits import KEY_BYTES

from backend import settings
from backend.brokers.broker import BACKEND_USER
from backend.database.store import Locked
from backend.errors import Refusal
from backend.settings import Settings
from tools import remote, stage
from tools.provision_backend import Api, BackendError, Wish, by_database
from tools.remote import RemoteError

sys.path.append(str(stage.ROOT / "firmware"))
from app import actuator_settings  # noqa: E402 (after the path is right)
from app import settings as firmware  # noqa: E402 (after the path is right)

_ANY_KEY = "00" * KEY_BYTES
_FLAGS = {"board_id": "--id", "broker.host": "--broker", "broker": "--broker", "wifi": "--wifi"}
_WPA = range(8, 64)  # characters of a password

Values = dict[str, Any]


class Mistake(ValueError):
    """Something given can't be right; the text names the field, the reason and what to do."""


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0 where board and backend know, 1 with one line that says why not."""
    given = _arguments(argv)
    try:
        options = settings.load()
        board = stage.folder_of(given.board)
        actuators = _actuators(given.actuators or board / "actuators.json")
        _complete(given)
        values = _values(given, {})
        _check(values, board)
        present = _present(given.port)
        values = _values(given, present)
        _check(values, board)
        _finish(given, options, values, present, actuators)
    except Refusal as why:
        return _fail(f"{why}; nothing was written")
    except (
        Mistake,
        BackendError,
        Locked,
        RemoteError,
        stage.StageError,
        OSError,
        ValueError,
    ) as why:
        return _fail(str(why))
    except KeyboardInterrupt:
        return _fail("ended; the board has either its old files or the new ones")
    return 0


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def _finish(
    given: argparse.Namespace,
    options: Settings,
    values: Values,
    present: Values,
    actuators: bytes,
) -> None:
    """Both sides: the backend first, for what it knows can be told to the board again."""
    known = _known(given, options, values, present)
    values["key"] = known["key"]
    user = values["broker"].setdefault("user", given.id)
    if given.broker_password is None and user == given.id:
        values["broker"]["password"] = known["password"]
    content = json.dumps(values, indent=1).encode()
    remote.replace(given.port, {"actuators.json": actuators, "settings.json": content})
    names = ", ".join(one["ssid"] for one in values.get("wifi", [])) or "none"
    broker = values["broker"]
    print(f"{given.id} is told: broker {broker['host']}:{broker['port']}, Wi-Fi {names}")
    if given.new_key:
        print("its key is a new one; a backend that runs takes it over within a second")


def _known(
    given: argparse.Namespace, options: Settings, values: Values, present: Values
) -> dict[str, str]:
    """Key and password that backend and board are to share. Raises Refusal, BackendError."""
    held = {"key": present.get("key", ""), "password": values["broker"].get("password", "")}
    mine = held if present.get("board_id") == given.id else {}
    wish = Wish(given.id, given.site, given.pending, given.new_key, mine)
    return Api(given.api).tell(wish) if given.api else by_database(options, wish)


def _values(given: argparse.Namespace, present: Values) -> Values:
    """What settings.json is to hold, but for key and password."""
    broker = dict(present.get("broker") or {})
    if broker.get("user") == present.get("board_id"):
        broker.pop("user", None)
    asked = {
        "host": given.broker,
        "port": given.broker_port,
        "user": given.broker_user,
        "password": given.broker_password,
    }
    broker.update({name: value for name, value in asked.items() if value is not None})
    broker.setdefault("port", settings.Settings.broker_port)
    values = {**present, "board_id": given.id, "key": _ANY_KEY, "broker": broker}
    if given.wifi is not None:
        values["wifi"] = [{"ssid": ssid, "password": word} for ssid, word in given.wifi]
    if given.hold is not None:
        values["hold_s"] = given.hold
    return values


def _present(port: str) -> Values:
    """What the board holds now; {} where that is nothing to go on with. Raises RemoteError."""
    try:
        values = json.loads(remote.read(port, "settings.json") or b"{}")
        firmware.settings(values)
    except ValueError:
        return {}
    return dict(values)


def _check(values: Values, board: Path) -> None:
    """Raises Mistake. The board's own checks come first, then what it would find out too late."""
    try:
        firmware.settings(values)
    except ValueError as why:
        place, reason = _place_of(str(why))
        flag = _FLAGS.get(place) or _FLAGS.get(place.split(".")[0], f"--{place.replace('.', '-')}")
        raise Mistake(f"{place} {reason}; nothing was written, give another {flag}") from None
    if values["board_id"] == BACKEND_USER:
        raise Mistake(f"board_id {BACKEND_USER} is the backend's own; give another --id")
    real = json.loads((board / "board.json").read_text())["port"] != "unix"
    _check_host(values["broker"]["host"], real)
    for network in values.get("wifi", []):
        _check_network(network["ssid"], len(network["password"].encode()))


def _check_host(host: str, real: bool) -> None:
    if not host or any(letter in host for letter in " /:"):
        raise Mistake(f"broker.host {host!r} is no host: give a name or an address to --broker")
    if real and (host == "localhost" or host.startswith("127.")):
        reason = "is the board itself: give --broker the address of the machine with the broker"
        raise Mistake(f"broker.host {host} {reason}")


def _check_network(ssid: str, length: int) -> None:
    if not ssid:
        raise Mistake("wifi.ssid is empty: give --wifi the network's name")
    if length and length not in _WPA:
        reason = f"has {length} characters; WPA wants 8 to 63 (or none: an open network)"
        raise Mistake(
            f"wifi.password of {ssid} {reason}; nothing was written, give another --wifi"
        )


def _place_of(text: str) -> tuple[str, str]:
    """(field, reason) of what firmware/app/settings.py says of a file."""
    _, _, rest = text.partition(": ")
    place, _, reason = rest.partition(" ")
    return place, reason.split(". Correct the file")[0]


def _actuators(path: Path) -> bytes:
    """The map, checked. Raises Mistake, OSError."""
    content = path.read_bytes()
    try:
        actuator_settings.actuators(json.loads(content))
    except json.JSONDecodeError as why:
        raise Mistake(f"{path} is not JSON: {why}; nothing was written") from None
    except ValueError as why:
        place, reason = _place_of(str(why))
        raise Mistake(f"{path}: {place} {reason}; nothing was written, correct it") from None
    return content


def _complete(given: argparse.Namespace) -> None:
    """Asks for what is missing where somebody is there. Raises Mistake where nobody is."""
    given.id = given.id or _ask("board id", "--id")
    given.broker = given.broker or _ask("broker's host", "--broker")
    if given.wifi is None and sys.stdin.isatty():
        ssid = input("Wi-Fi network (empty: as it is): ")
        given.wifi = [[ssid]] if ssid else None
    for network in given.wifi or []:
        if len(network) == 1:
            network.append(_ask_password(network[0]))
        if len(network) != 2:
            raise Mistake("wifi takes a name and a password: --wifi NAME PASSWORD")


def _ask(what: str, flag: str) -> str:
    if not sys.stdin.isatty():
        raise Mistake(f"{what} is missing: give {flag}, or run this at a terminal")
    return input(f"{what}: ").strip()


def _ask_password(ssid: str) -> str:
    if not sys.stdin.isatty():
        raise Mistake(f"wifi.password of {ssid} is missing: --wifi NAME PASSWORD ('': open)")
    return getpass.getpass(f"password of {ssid} (empty: open): ")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.provision", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("board", help="a folder of boards/")
    parser.add_argument("--port", default="", help="serial port; else the only board there is")
    parser.add_argument("--id", default="", help="the board's name on broker and page")
    parser.add_argument("--broker", default="", help="host")
    parser.add_argument("--broker-port", type=int, help="1884")
    parser.add_argument("--broker-user", help="else the id")
    parser.add_argument(
        "--broker-password", help="else the one the backend made; for a user of its own, as it is"
    )
    parser.add_argument("--wifi", nargs="+", action="append", help="NAME PASSWORD, in order")
    parser.add_argument("--hold", type=int, help="seconds without a link until outputs are safe")
    parser.add_argument("--actuators", type=Path, help="another map than the board's")
    parser.add_argument("--site", help="the site to map it to")
    parser.add_argument(
        "--pending", action="store_true", help="not to be used before it is mapped"
    )
    parser.add_argument("--api", default="", help="the backend's address, where it runs elsewhere")
    parser.add_argument("--new-key", action="store_true", help="a fresh key and password")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
