"""update_config and get_config: flat names, what they change, and what is told."""

import json

from app import config, config_change
from protocol import ProtocolError

TEXT = json.dumps(
    {
        "board_id": "pond-1",
        "key": "00" * 32,
        "hold_s": 30,
        "broker": {
            "host": "10.0.0.2",
            "password": "secret",
            "fallback": {"host": "10.0.0.3", "port": 1884},
        },
        "wifi": [{"ssid": "barn", "password": "secret"}, {"ssid": "house"}],
    }
)


def changed(**parameters):
    values = json.loads(TEXT)
    config_change.change(
        values, {name.replace("__", "-"): parameters[name] for name in parameters}
    )
    return values


def test_what_is_told_holds_no_secret():
    told = config.shown(json.loads(TEXT))
    assert told == {
        "board_id": "pond-1",
        "hold_s": 30,
        "broker-host": "10.0.0.2",
        "broker-fallback-host": "10.0.0.3",
        "broker-fallback-port": 1884,
        "wifi-0-ssid": "barn",
        "wifi-1-ssid": "house",
    }
    assert config.shown(json.loads(TEXT), "wifi-1") == {"wifi-1-ssid": "house"}


def test_more_than_fits():
    values = {"l": [{"a": n} for n in range(20)]}
    told = config.shown(values)
    assert len(told) == 16 and told["more"] == 5


def test_changes():
    assert changed(hold_s=5)["hold_s"] == 5
    out = changed(broker__host="a", broker__tls=True, broker__fallback__port=1)
    assert out["broker"]["host"] == "a" and out["broker"]["fallback"]["port"] == 1
    assert changed(wifi__0__ssid="c")["wifi"][0] == {"ssid": "c", "password": "secret"}
    assert changed(wifi__2__ssid="c")["wifi"][2] == {"ssid": "c"}
    assert changed(wifi__0__ssid="")["wifi"] == [{"ssid": "house"}]
    assert "fallback" not in changed(broker__fallback__host="")["broker"]
    assert "password" not in changed(broker__password="")["broker"]
    out = changed(wifi__0__ssid="c", hold_s=7)
    assert out["wifi"][0]["ssid"] == "c" and out["hold_s"] == 7


def test_what_is_refused():
    for name in ("key", "board_id", "key-a", "wifi-3-ssid", "wifi-x-ssid", "hold_s-a", "wifi-0"):
        try:
            config_change.change(json.loads(TEXT), {name: "x"})
        except ProtocolError as why:
            assert why.code == "bad_parameter" and why.field == "parameters." + name, why
        else:
            raise AssertionError(name)
