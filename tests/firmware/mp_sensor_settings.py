"""/sensors.json: what is taken, and what a person is told otherwise."""

import json

from app import sensor_settings

PROBE = {"kind": "analog", "pin": 34, "unit": "mg/l"}
LOW = {"name": "low", "below": 4}
TAKEN = {"feeder1": {"pin": 16}, "valve1": {"fill_pin": 17, "drain_pin": 18}}


def read(sensors, **more):
    data = json.dumps(dict(more, sensors=sensors)).encode()
    return sensor_settings.sensors(data, TAKEN)[1]


def complaint(sensors, **more):
    try:
        read(sensors, **more)
    except ValueError as why:
        assert "/sensors.json" in str(why) and "mpremote" in str(why), why
        return str(why)
    raise AssertionError("was taken: " + repr(sensors))


def probe(**members):
    return {"oxygen1": dict(PROBE, **members)}


def test_defaults_are_filled_in():
    out = read({"oxygen1": PROBE, "water1": {"kind": "ds18b20", "pin": 4}}, every_s=30)
    oxygen, water = out["oxygen1"], out["water1"]
    assert oxygen["every_s"] == 30 and oxygen["decimals"] == 2 and oxygen["limits"] == []
    assert oxygen["scale"] == 1 and oxygen["offset"] == 0
    assert oxygen["low"] < -1e15 and oxygen["high"] > 1e15
    assert water["unit"] == "°C" and water["rom"] == ""
    assert read({}) == {}


def test_every_kind_is_taken():
    out = read(
        {
            "a": probe(points=[[0, 0], [100, 5.5]], every_s=5)["oxygen1"],
            "b": {"kind": "digital", "pin": 5, "pull_up": 1},
            "c": {"kind": "ds18b20", "pin": 4, "rom": "28ff0000000000ab"},
            "d": {"kind": "ds18b20", "pin": 4, "rom": "28ff0000000000ac"},
            "e": {"kind": "dht22", "pin": 6, "value": "temperature"},
            "f": {"kind": "dht22", "pin": 6, "value": "humidity"},
            "g": {"kind": "module", "module": "my_sensor", "config": {"any": [1]}},
            "h": {"kind": "dht11", "pin": 7, "value": "humidity", "limits": [LOW]},
        }
    )
    assert len(out) == 8 and out["h"]["limits"][0]["hysteresis"] == 0


def test_what_is_wrong_is_named():
    for field, members in (
        ("kind", {"kind": "magic"}),
        ("kind", {"kind": 7}),
        ("pin", {"pin": "x"}),
        ("pin is GPIO 16, which feeder1", {"pin": 16}),
        ("pin is GPIO 18, which valve1", {"pin": 18}),
        ("points", {"points": [[1, 2]]}),
        ("points", {"points": [[1, 2], [1, 3]]}),
        ("points", {"points": [[2, 2], [1, 3]]}),
        ("points", {"points": [[1, 2], [2]]}),
        ("points", {"points": [[1, 2], [2, "3"]]}),
        ("scale", {"scale": "2"}),
        ("scale is not one of", {"points": [[1, 2], [2, 3]], "scale": 2}),
        ("low is above high", {"low": 5, "high": 4}),
        ("unit", {"unit": "x" * 17}),
        ("decimals", {"decimals": 7}),
        ("every_s", {"every_s": 0}),
        ("every_s", {"every_s": 0.5}),
        ("colour", {"colour": "red"}),
        ("limits must be a list", {"limits": {}}),
        ("limits.name", {"limits": [{"below": 4}]}),
        ("limits.below", {"limits": [{"name": "low"}]}),
        ("limits.above", {"limits": [{"name": "low", "above": "4"}]}),
        ("limits.below is not one of", {"limits": [dict(LOW, above=5)]}),
        ("limits.hysteresis", {"limits": [dict(LOW, hysteresis=-1)]}),
        ("limits.for_s", {"limits": [dict(LOW, for_s=3601)]}),
        ("limits must have names", {"limits": [LOW, LOW]}),
    ):
        said = complaint(probe(**members))
        assert "oxygen1" in said and field in said, said


def test_what_is_wrong_elsewhere_is_named():
    dht = {"kind": "dht22", "pin": 6, "value": "temperature"}
    for field, sensors, more in (
        ("every_s", {}, {"every_s": 0}),
        ("keep", {}, {"keep": 5}),
        ("often", {}, {"often": 5}),
        ("sensors must be an object", [], {}),
        ("a b has a name", {"a b": PROBE}, {}),
        ("oxygen1 must be an object", {"oxygen1": 7}, {}),
        ("must be 16 at most", {"s" + str(n): dict(PROBE, pin=n + 20) for n in range(17)}, {}),
        ("b.pin is GPIO 34, which a has", {"a": PROBE, "b": PROBE}, {}),
        ("b.pin is GPIO 6, which a has", {"a": dht, "b": dict(dht, kind="dht11")}, {}),
        ("value", {"a": dict(dht, value="pressure")}, {}),
        ("every_s must be 2 or more", {"a": dict(dht, every_s=1)}, {}),
        ("rom", {"a": {"kind": "ds18b20", "pin": 4, "rom": "28"}}, {}),
        ("module", {"a": {"kind": "module"}}, {}),
        (
            "limits must be 16 at most",
            probe(limits=[dict(LOW, name=str(n)) for n in range(17)]),
            {},
        ),
    ):
        said = complaint(sensors, **more)
        assert field in said, said


def test_what_is_no_json_is_told():
    for data in (b"", b"{", b"\xff\xfe", b"[]", b"7"):
        try:
            sensor_settings.sensors(data, {})
        except ValueError as why:
            assert "/sensors.json" in str(why), why
        else:
            raise AssertionError(data)
