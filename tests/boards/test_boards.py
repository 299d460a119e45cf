"""Every folder of boards/: its facts agree with each other, with the chip and with the firmware.

What a chip's pins are good for stands in boards/chips.json, with its source, and nowhere else.
"""

import csv
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from app import actuator_settings
from app import actuators as kinds

from tools import stage

BOARDS = sorted(path.parent for path in stage.BOARDS.glob("*/board.json"))
REAL = [board for board in BOARDS if board.name != "UNIX"]
MAPS = [*(board / "actuators.json" for board in REAL), *stage.BOARDS.glob("UNIX/actuators/*.json")]
PIN_FIELDS = ("pin", "fill_pin", "drain_pin")
SPELLED_OUT = {"safe", "active_low", "hold_s", "longest_s"}

Config = dict[str, Any]


def name_of(path: Path) -> str:
    return str(path.relative_to(stage.BOARDS))


each_board = pytest.mark.parametrize("board", BOARDS, ids=name_of)
each_real_board = pytest.mark.parametrize("board", REAL, ids=name_of)
each_map = pytest.mark.parametrize("path", MAPS, ids=name_of)


@cache
def facts(board: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((board / "board.json").read_text())
    return found


def chip(board: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stage.BOARDS / "chips.json").read_text())
    part: dict[str, Any] = found[facts(board)["mcu"]]
    return part


def pins(board: Path) -> list[tuple[str, int]]:
    """(name, GPIO) of each line of pins.csv."""
    rows = csv.reader((board / "pins.csv").read_text().splitlines())
    return [(name, int(gpio.removeprefix("GPIO"))) for name, gpio in rows]


def driven(path: Path) -> dict[str, int]:
    """{actuator.field: GPIO} of a map."""
    checked: dict[str, Config] = actuator_settings.actuators(json.loads(path.read_text()))
    return {
        f"{name}.{field}": config[field]
        for name, config in checked.items()
        for field in PIN_FIELDS
        if field in config
    }


def reserved(board: Path) -> dict[int, str]:
    """{GPIO: why it must not be driven} of the chip and of the board around it."""
    both = [*chip(board)["reserved"].items(), *facts(board)["reserved"].items()]
    return {gpio: why for why, gpios in both for gpio in gpios}


def offences(board: Path, path: Path) -> dict[str, str]:
    """{actuator.field: why its GPIO must not be driven}, for all that are."""
    forbidden = reserved(board)
    return {place: forbidden[gpio] for place, gpio in driven(path).items() if gpio in forbidden}


def test_there_are_boards() -> None:
    assert {board.name for board in BOARDS} >= {
        "ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3", "ESP32_CAM", "UNIX"
    }  # fmt: skip
    folders = {path.name for path in stage.BOARDS.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == {board.name for board in BOARDS}


@each_board
def test_it_has_what_a_board_has(board: Path) -> None:
    assert facts(board)["id"] == board.name
    assert (board / facts(board)["docs"]).read_text().strip()
    files = stage.files(board)
    assert {"boot.py", "main.py", "a/app/talking.mpy", "console.mpy"} <= set(files)


@each_board
def test_pins_have_one_name_and_one_gpio(board: Path) -> None:
    names = Counter(name for name, _ in pins(board))
    gpios = Counter(gpio for _, gpio in pins(board))
    assert [name for name, count in (names + Counter()).items() if count > 1] == []
    assert [gpio for gpio, count in gpios.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch("[A-Z][A-Z0-9_]*", name)] == []


@each_map
def test_the_firmware_takes_the_map_and_every_pin_has_a_name(path: Path) -> None:
    board = path.parent if path.parent.name != "actuators" else path.parents[1]
    wired = driven(path)
    assert wired
    assert len(set(wired.values())) == len(wired)
    assert set(wired.values()) <= {gpio for _, gpio in pins(board)}


@each_real_board
def test_every_pin_is_one_of_the_chip(board: Path) -> None:
    assert chip(board)["source"]
    assert {gpio for _, gpio in pins(board)} <= set(chip(board)["gpio"])


@each_real_board
def test_nothing_is_driven_that_must_not_be(board: Path) -> None:
    assert offences(board, board / "actuators.json") == {}


@each_real_board
def test_a_wrong_map_is_found(board: Path, tmp_path: Path) -> None:
    path = tmp_path / "actuators.json"
    for gpio, why in reserved(board).items():
        relay = {"kind": "switch", "pin": gpio, "longest_s": 5}
        path.write_text(json.dumps({"actuators": {"relay": relay}}))
        assert offences(board, path) == {"relay.pin": why}


@each_real_board
def test_analogue_inputs_work_beside_wifi(board: Path) -> None:
    analogue = {gpio for name, gpio in pins(board) if name.startswith("ANALOG")}
    assert analogue <= set(chip(board)["adc_with_wifi"])
    assert not analogue & set(driven(board / "actuators.json").values())


@each_real_board
def test_what_safety_hangs_on_is_spelled_out(board: Path) -> None:
    given: dict[str, Config] = json.loads((board / "actuators.json").read_text())["actuators"]
    for name, config in given.items():
        wanted = {*SPELLED_OUT, "kind", "longest_s", kinds.KINDS[config["kind"]].RATE} - {""}
        assert wanted <= set(config), name
        assert config["safe"] == 0, f"{name}: nothing is on where nobody asked for it"


@each_real_board
def test_the_documentation_names_every_wire(board: Path) -> None:
    text = (board / "board.md").read_text()
    names = {gpio: name for name, gpio in pins(board)}
    for place, gpio in driven(board / "actuators.json").items():
        target = place.split(".")[0]
        assert re.search(rf"\| `{target}` \|.*\| GPIO {gpio} \| {names[gpio]} \|", text), place
    for gpio, why in reserved(board).items():
        assert re.search(rf"^\| [\d, ]*\b{gpio}\b[\d, ]* \| .*\|$", text, re.MULTILINE), (
            gpio,
            why,
        )
    assert "WIRING.md" in text and "datasheet" in text.lower()


def test_the_table_of_chips_has_what_the_datasheets_say() -> None:
    """The pins nobody may ever take off the table by accident."""
    table = json.loads((stage.BOARDS / "chips.json").read_text())
    known = {
        "esp32": [0, 2, 5, 12, 15, *range(6, 12), *range(34, 40), 1, 3],
        "esp32s3": [0, 3, 45, 46, *range(26, 38), 19, 20],
        "esp32c3": [2, 8, 9, *range(11, 18), 18, 19],
    }
    for name, gpios in known.items():
        held = {gpio for part in table[name]["reserved"].values() for gpio in part}
        assert set(gpios) <= held <= set(table[name]["gpio"]), name
