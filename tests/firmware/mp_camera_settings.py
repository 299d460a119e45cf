"""camera.json: what it makes of the file, and what each mistake is told as."""

import json
import sys

sys.path.append(__file__.rsplit("/", 1)[0])

from app import actuator_settings, camera_settings  # noqa: E402
from mp_fakes import CONFIG, Flash  # noqa: E402 (after the path is right)

PINS = {"data": [5, 12, 13, 14, 36, 39, 34, 35], "pclk": 23, "vsync": 25, "href": 26}
PINS.update({"sda": 27, "scl": 32, "xclk": 0})


def loaded(content, actuators=None):
    flash = Flash()
    text = content if isinstance(content, str) else json.dumps(content)
    flash.replace("camera.json", text.encode())
    return camera_settings.load(flash, actuators)


def why_not(content, actuators=None):
    try:
        loaded(content, actuators)
    except ValueError as why:
        return str(why)
    return None


def test_without_the_file_there_is_no_camera():
    assert camera_settings.load(Flash()) is None


def test_a_model_is_enough():
    config = loaded({"model": "AI_THINKER"})
    assert config["data"] == (5, 18, 19, 21, 36, 39, 34, 35)
    assert config["wires"]["sda"] == 26 and config["wires"]["reset"] == -1
    assert (config["width"], config["height"], config["quality"]) == (640, 480, 80)
    assert config["flash_pin"] is None and config["xclk_mhz"] == 20
    assert loaded({}) == config
    built_in = loaded({"model": "built_in", "frame_size": "QVGA", "flash_pin": 4})
    assert built_in["data"] is None and built_in["wires"] == {} and built_in["flash_pin"] == 4


def test_pins_of_ones_own():
    config = loaded({"pins": PINS})
    assert config["data"] == tuple(PINS["data"])
    assert config["wires"]["scl"] == 32 and config["wires"]["powerdown"] == -1


def test_each_mistake_is_named():
    short = dict(PINS, data=PINS["data"][:7])
    high = dict(PINS, data=PINS["data"][:7] + [49])
    no_sda = {name: PINS[name] for name in PINS if name != "sda"}
    for content, words in (
        ("{", "/camera.json is not JSON"),
        ([], "must be an object"),
        ({"modell": "AI_THINKER"}, "/camera.json: modell is not one of"),
        ({"model": "M5"}, "model must be one of AI_THINKER, built_in"),
        ({"model": None}, "model must be one of"),
        ({"frame_size": "8K"}, "frame_size must be one of"),
        ({"frame_size": ["VGA"]}, "frame_size must be one of"),
        ({"quality": 0}, "quality must be from 1 to 100"),
        ({"quality": 50.5}, "quality must be a whole number"),
        ({"xclk_mhz": 40}, "xclk_mhz must be one of 10, 20"),
        ({"flash_pin": 49}, "flash_pin must be from 0 to 48"),
        ({"flash_pin": None}, "flash_pin must be a whole number"),
        ({"flash_active_low": 1}, "flash_active_low must be true or false"),
        ({"flash_pin": 5}, "flash_pin use GPIO 5, which the camera has already"),
        ({"model": "AI_THINKER", "pins": PINS}, "pins are known from the model"),
        ({"pins": []}, "pins.data must be the list of the 8 data pins"),
        ({"pins": short}, "pins.data must be the list of the 8 data pins"),
        ({"pins": high}, "pins.data has a pin that must be from 0 to 48"),
        ({"pins": no_sda}, "pins.sda is missing"),
        ({"pins": dict(PINS, reset="x")}, "pins.reset must be a whole number"),
        ({"pins": dict(PINS, pclk=-1)}, "pins.pclk must be from 0 to 48"),
        ({"pins": dict(PINS, miso=3)}, "pins.miso is not one of data, pclk"),
        ({"pins": dict(PINS, sda=23)}, "pins use GPIO 23, which the camera has already"),
    ):
        why = why_not(content)
        assert why and words in why, (content, why)
        assert "mpremote fs cp camera.json" in why


def test_a_pin_is_not_an_actuators_too():
    actuators = actuator_settings.actuators(CONFIG)
    assert "pins use GPIO 18, which valve1 has already" in why_not({}, actuators)
    assert "flash_pin" in why_not({"model": "built_in", "flash_pin": 21}, actuators)
    assert why_not({"model": "built_in", "flash_pin": 4}, actuators) is None
