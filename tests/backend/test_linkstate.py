"""Addresses of brokers, and the time between tries; without any network."""

from pathlib import Path
from typing import Any

import pytest

from backend.brokers.address import check, read
from backend.brokers.linkstate import Address, Tries
from backend.errors import Invalid
from tests.support.certificates import authority

KNOWN = Address("a.example", 1883, "ann", "secret")


def test_the_pauses_grow_by_chance_up_to_the_cap_and_never_end() -> None:
    tries = Tries(cap=60.0)
    waits = [tries.failed("no").wait for _ in range(2_000)]
    assert all(0.75 <= wait / min(2.0**n, 60) <= 1 for n, wait in enumerate(waits[:10]))
    assert all(45 <= wait <= 60 for wait in waits[10:]) and len(set(waits[10:])) > 1_900
    tries.worked()
    assert tries.failed("no").wait <= 1.0


def test_what_waiting_will_not_mend_waits_the_longest_at_once() -> None:
    told = Tries(cap=60.0).failed("wrong password", hopeless=True)
    assert told.wait >= 45 and told.attempt == 1 and not told.again


def test_the_same_again_is_known_as_such() -> None:
    tries = Tries()
    assert [tries.failed(why).again for why in ("a", "a", "b")] == [False, True, False]


def test_a_url_is_an_address() -> None:
    assert Address.of("mqtt://u:p%40x@h:1") == Address("h", 1, "u", "p@x")
    assert Address.of("mqtts://h") == Address("h", 8883, tls=True)
    assert "p@x" not in repr(Address.of("mqtt://u:p%40x@h:1"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "mqtt://a.example"),
        ("host", "a.example:1883"),
        ("host", "a..example"),
        ("host", "a b"),
        ("host", "x" * 64),
        ("host", "-a"),
        ("host", "fe80::zz"),
        ("port", 0),
        ("port", 65536),
        ("port", -1),
        ("username", ""),
        ("ca", "no certificate"),
        ("ca", "-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_a_wrong_address_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    given: dict[str, Any] = {
        "host": "a.example",
        "port": 1,
        "username": "u",
        "password": "p",
        "tls": True,
    }
    check(Address(**given))
    with pytest.raises(Invalid) as refused:
        check(Address(**{**given, field: value}))
    assert refused.value.field == field and "secret" not in str(refused.value)


def test_an_authority_is_for_tls(tmp_path: Path) -> None:
    ca = authority(tmp_path).path.read_text()
    check(Address("10.0.0.1", 8883, tls=True, ca=ca))
    with pytest.raises(Invalid, match="set tls"):
        check(Address("::1", 1883, ca=ca))


@pytest.mark.parametrize(
    "change", [{"host": "b.example"}, {"port": 2}, {"username": "bob"}, {"tls": True}]
)
def test_a_password_goes_nowhere_else_unless_given_again(change: dict[str, Any]) -> None:
    asked = {"host": "a.example", "port": 1883, "username": "ann"}
    assert read(asked, KNOWN) == KNOWN
    with pytest.raises(Invalid) as refused:
        read({**asked, **change}, KNOWN)
    assert refused.value.field == "password" and next(iter(change)) in refused.value.reason
    assert read({**asked, **change, "password": "new"}, KNOWN).password == "new"
    assert read({**asked, **change, "password": ""}, KNOWN).password == ""
