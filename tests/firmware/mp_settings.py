"""/settings.json and /actuators.json: what is taken, and what a person is told otherwise."""

import json

from app import actuator_settings, settings

GOOD = {
    "board_id": "pond-1",
    "key": "00" * 32,
    "broker": {"host": "10.0.0.2", "user": "pond-1", "password": "p"},
    "wifi": [{"ssid": "barn", "password": "w"}],
}
FEEDER = {"kind": "feeder", "pin": 16, "grams_per_second": 10, "longest_s": 120}
LIGHT = {"kind": "switch", "pin": 17, "longest_s": 60}


class Files:
    def __init__(self, **files):
        self.files = files

    def read(self, name):
        return self.files.get(name.split(".")[0])


def complaint(call, given):
    """What `call` says is wrong with `given`."""
    try:
        call(given)
    except ValueError as error:
        return str(error)
    raise AssertionError("was taken: " + repr(given))


def changed(base, **members):
    out = dict(base)
    for name in members:
        if members[name] is None:
            out.pop(name)
        else:
            out[name] = members[name]
    return out


def test_defaults_are_filled_in():
    out = settings.settings(GOOD)
    assert out["hold_s"] == 30 and out["broker"]["port"] == 1883 and out["key"] == bytes(32)
    assert settings.settings(changed(GOOD, wifi=None))["wifi"] == []
    out = actuator_settings.actuators({"actuators": {"f": FEEDER}})
    assert out["f"]["safe"] == 0 and out["f"]["active_low"] == 0
    assert actuator_settings.actuators({"actuators": {}}) == {}


def test_wrong_settings_name_the_field():
    for field, members in (
        ("board_id", {"board_id": "a b"}),
        ("board_id", {"board_id": None}),
        ("key", {"key": "00"}),
        ("key", {"key": 5}),
        ("broker.port", {"broker": {"host": "a", "port": 0}}),
        ("broker.host", {"broker": {}}),
        ("broker", {"broker": "a"}),
        ("broker.tls", {"broker": {"host": "a", "tls": 1}}),
        ("broker.ca", {"broker": {"host": "a", "tls": True}}),
        ("broker.fallback", {"broker": {"host": "a", "fallback": 1}}),
        ("broker.fallback.host", {"broker": {"host": "a", "fallback": {"port": 1}}}),
        ("wifi", {"wifi": {}}),
        ("wifi.ssid", {"wifi": [{}]}),
        ("hold_s", {"hold_s": 0}),
        ("holds", {"holds": 5}),
    ):
        said = complaint(settings.settings, changed(GOOD, **members))
        assert said.startswith("/settings.json: " + field + " "), said
        assert "mpremote" in said


def test_the_addresses_of_brokers():
    out = settings.settings(GOOD)
    assert out["addresses"] == [("10.0.0.2", 1883)]
    both = {"host": "a", "tls": True, "ca": "ca.der", "fallback": {"host": "b"}}
    out = settings.settings(changed(GOOD, broker=both))
    assert out["addresses"] == [("a", 8883), ("b", 8883)]


def test_wrong_actuators_name_the_field():
    for field, given in (
        ("f.kind", changed(FEEDER, kind="pump")),
        ("f.kind", changed(FEEDER, kind=None)),
        ("f.pin", changed(FEEDER, pin=49)),
        ("f.pin", changed(FEEDER, pin=None)),
        ("f.pin", changed(FEEDER, pin=True)),
        ("f.grams_per_second", changed(FEEDER, grams_per_second=0)),
        ("f.longest_s", changed(FEEDER, longest_s=3601)),
        ("f.safe", changed(FEEDER, safe=1)),
        ("f.safe", changed(FEEDER, safe=2)),
        ("f.speed", changed(FEEDER, speed=2)),
        ("f.active_low", {"kind": "motor", "pin": 1, "longest_s": 5, "active_low": True}),
        ("f", 5),
    ):
        said = complaint(actuator_settings.actuators, {"actuators": {"f": given}})
        assert said.startswith("/actuators.json: " + field + " "), said
    for given in (5, {}, {"actuators": 5}, {"actuators": {"a b": LIGHT}}):
        assert complaint(actuator_settings.actuators, given).startswith("/actuators.json")
    many = {"l{}".format(n): changed(LIGHT, pin=n) for n in range(17)}
    assert "16" in complaint(actuator_settings.actuators, {"actuators": many})


def test_no_gpio_twice():
    said = complaint(
        actuator_settings.actuators, {"actuators": {"f": FEEDER, "l": changed(LIGHT, pin=16)}}
    )
    assert "l.pin is GPIO 16, which f.pin has already" in said
    valve = {"kind": "valve", "fill_pin": 4, "drain_pin": 4, "longest_s": 5}
    assert "GPIO 4" in complaint(actuator_settings.actuators, {"actuators": {"v": valve}})


def test_files():
    one = json.dumps(GOOD).encode()
    two = json.dumps({"actuators": {"f": FEEDER}}).encode()
    out = settings.load(Files(settings=one, actuators=two))
    assert out[0]["board_id"] == "pond-1" and out[1]["f"]["pin"] == 16
    assert "missing" in complaint(settings.load, Files(settings=one))
    assert "not JSON" in complaint(settings.load, Files(settings=b"{", actuators=two))
    assert "not JSON" in complaint(settings.load, Files(settings=b"\xff", actuators=two))
