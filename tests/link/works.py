"""What a board does that takes memory, kind by kind, its journal full.

Each function returns whether a board did all of it in a heap of so many KiB and did not start
over; an answer may take so many seconds.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from protocol import topics

from tests.link.pictures import Viewer, board_with_camera, check, studio
from tests.link.site import Backend, site
from tests.link.test_config import answer
from tests.link.test_link import QUICK
from tests.link.test_sensors import ADC, AIR, DOOR, LOW, OXYGEN, PROBE, ROMS, WATER
from tests.link.test_sensors import files as sensor_files
from tests.link.test_sleep import sleeper
from tests.link.test_tls import Authority, sealed, sealed_board, tls_site
from tests.link.updating import made, pond, signed
from tests.support import certificates
from tools.brokers import Broker
from tools.emulator import Board
from tools.proxy import Proxy

PINGS, STOPS = 48, 16  # what a journal has room for
MEANWHILE: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("feed", "feeder1", {"amount": 1}),
    ("switch", "light1", {"state": "on", "seconds": 1}),
    ("water", "valve1", {"action": "fill", "seconds": 1}),
    ("get_config", "", {}),
    ("update_config", "", {"hold_s": 31}),
    ("get_log", "", {}),
    ("read_sensors", "", {}),
    ("list_images", "", {}),
    ("set_wake_schedule", "", {"seconds": 0}),
    ("emergency_stop", "", {}),
    ("clear_stop", "", {}),
)
LIFE_S = 2
TRIAL_S = 5


def fill_journal(backend: Backend, seconds: float) -> None:
    """As many commands as it remembers; they have expired then, so that others find room."""
    before, backend.life_s = backend.life_s, LIFE_S
    for number in range(PINGS + STOPS):
        verb = "ping" if number < PINGS else "stop"
        command_id = backend.command(verb, "", f"c0ffee00-0000-4000-8000-{number:012d}")
        backend.wait(topics.ACK, {"command_id": command_id}, seconds)
    backend.life_s = before
    time.sleep(LIFE_S)  # it is time itself that has to pass


def wired() -> dict[str, str]:
    """The files of a board with five sensors."""
    return sensor_files(
        oxygen1={**PROBE, "limits": [LOW]},
        oxygen2={**ADC, "pin": 35, "points": [[0, 1], [50000, 11]]},
        water1={"kind": "ds18b20", "pin": WATER, "rom": ROMS[0]},
        air1={"kind": "dht22", "pin": AIR, "value": "humidity", "unit": "%", "every_s": 2},
        door1={"kind": "digital", "pin": DOOR, "active_low": 1},
    )


def measure(board: Board, backend: Backend, proxy: Proxy, seconds: float) -> None:
    """A limit is crossed, and the link is gone for a moment."""
    board.set_adc(OXYGEN, 6000)
    board.set_temperatures(WATER, {ROMS[0]: 21.5})
    board.set_air(AIR, 19.5, 61.5)
    fill_journal(backend, seconds)
    backend.wait(topics.THRESHOLD, {"state": "cleared"}, seconds)
    board.set_adc(OXYGEN, 3000)
    backend.wait(topics.THRESHOLD, {"state": "crossed", "value": 3}, seconds)
    since = len(backend.heard)
    proxy.drop()
    backend.online(seconds, since)
    asked = backend.command("read_sensors")
    assert backend.result(asked, seconds)["result"] == {"readings": 5}
    backend.wait(topics.SENSORS, {}, seconds, len(backend.heard))


def sensors(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """Each kind of sensor, a limit that is crossed, readings kept while the link is gone."""
    with site(folder, broker, QUICK, wired(), f"{kib}K", seconds) as (board, backend, proxy):
        measure(board, backend, proxy, seconds)
        return len(board.log.of("boot")) == 1


def camera(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """Pictures in chunks, while commands are obeyed."""
    with studio(folder, broker, heap=f"{kib}K", seconds=seconds) as (board, viewer, _):
        fill_journal(viewer, seconds)
        viewer.result(viewer.command("list_images"), seconds)
        for _ in range(3):
            asked = viewer.command("capture_image")
            viewer.result(viewer.command("feed", "feeder1", amount=1), seconds)
            result = viewer.result(asked, seconds)["result"]
            viewer.result(viewer.command("switch", "light1", state="on", seconds=1), seconds)
            check(viewer.picture(result["image_id"], seconds), result)
        return len(board.log.of("boot")) == 1


def tls(folder: Path, _: Broker, kib: int, seconds: float) -> bool:
    """A handshake, commands, a handshake; a broker of its own."""
    folder.mkdir()
    by = Authority(folder, certificates.authority(folder))
    with tls_site(folder, by, QUICK, f"{kib}K", seconds) as (board, backend, proxy):
        fill_journal(backend, seconds)
        since = len(backend.heard)
        proxy.drop()
        backend.online(seconds, since)
        backend.result(backend.command("feed", "feeder1", amount=1), seconds)
        backend.result(backend.command("get_config"), seconds)
        return len(board.log.of("boot")) == 1


def update(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """A release is fetched, tried and confirmed."""
    made_so: Any = {"heap": f"{kib}K", "seconds": seconds}
    with pond(folder, broker, signed(made(more=20_000)), **made_so) as one:
        fill_journal(one.backend, seconds)
        if one.update(2 * seconds)["error"]:  # busy: the memory is full
            return False
        one.runs("b", "confirmed", 2 * seconds)
        one.backend.result(one.backend.command("ping"), seconds)
        return len(one.board.log.of("boot")) == 2


def config(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """A change that is kept, one that is refused, and one that loses the link."""
    with site(folder, broker, QUICK, heap=f"{kib}K", seconds=seconds) as (board, backend, _):
        fill_journal(backend, seconds)
        kept: Any = {"hold_s": 77, "wifi-0-ssid": "emulated", "wifi-1-ssid": "b"}
        backend.result(backend.command("update_config", **kept), seconds)
        wrong: Any = {"broker-port": 0}
        answer(backend, backend.command("update_config", **wrong), "rejected", seconds)
        lost: Any = {"broker-port": 1, "trial_s": TRIAL_S}
        failed = answer(
            backend, backend.command("update_config", **lost), "failed", TRIAL_S + seconds
        )
        assert failed["error"] == "reverted"
        backend.result(backend.command("get_config"), seconds)
        return len(board.log.of("boot")) == 1


def sleep(folder: Path, broker: Broker, kib: int, seconds: float) -> bool:
    """A schedule, a sleep, a wake, and no schedule any more."""
    made_so: Any = {"seconds": seconds, "heap": f"{kib}K"}
    with sleeper(folder, broker, 0.05, **made_so) as (board, backend):
        fill_journal(backend, seconds)
        wakes: Any = {"seconds": 20, "quiet_s": 1, "awake_s": 5}
        backend.result(backend.command("set_wake_schedule", **wakes), seconds)
        since = len(backend.heard)
        backend.result(backend.command("sleep"), seconds)
        backend.online(2 * seconds, since)
        backend.result(backend.command("set_wake_schedule", seconds=0), seconds)
        backend.result(backend.command("feed", "feeder1", amount=1), seconds)
        return len(board.log.of("boot")) == 2


def everything(folder: Path, _: Broker, kib: int, seconds: float) -> bool:
    """Five sensors, a camera and TLS on one board, which is told to do all else meanwhile."""
    folder.mkdir()
    by = Authority(folder, certificates.authority(folder))
    with sealed(folder, by.server("good")) as broker:
        assert broker.tls
        proxy, viewer = Proxy("127.0.0.1", broker.tls[0]), Viewer(broker)
        with proxy, contextlib.closing(viewer.connect()):
            board = board_with_camera(folder / "board", proxy.port, heap=f"{kib}K", turned=QUICK)
            with sealed_board(board, by.certificate.der):
                board.flash.write(wired())
                return do_everything(board.start(), viewer, proxy, seconds)


def do_everything(board: Board, viewer: Viewer, proxy: Proxy, seconds: float) -> bool:
    """See above; `board` has just been started."""
    viewer.online(seconds)
    measure(board, viewer, proxy, seconds)
    asked = viewer.command("capture_image")
    for verb, target, given in MEANWHILE:
        viewer.result(viewer.command(verb, target, **given), seconds)
    result = viewer.result(asked, seconds)["result"]
    check(viewer.picture(result["image_id"], seconds), result)
    return len(board.log.of("boot")) == 1


KINDS = {
    "sensors": sensors,
    "camera": camera,
    "TLS": tls,
    "update": update,
    "config": config,
    "sleep": sleep,
    "everything": everything,
}
