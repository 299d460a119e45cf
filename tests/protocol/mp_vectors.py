"""vectors.json and lax.json, case by case: the verdicts both interpreters share."""

import binascii
import gc
import json

from protocol import ProtocolError, conditions, decode, encode, topics
from protocol.signature import key_from_hex
from protocol.verbs import check_parameters, check_target

FOLDER = __file__.rsplit("/", 1)[0]
KEY = bytes(range(32))


def to_bytes(text):
    return bytes(ord(character) for character in text)


def hex_of(key):
    return binascii.hexlify(key).decode()


def lax(kind, data):
    """A value that is as good as any other, or a ProtocolError."""
    try:
        value = decode(kind, to_bytes(data), KEY)
    except ProtocolError:
        return
    encode(kind, value, KEY)


def unwrap(message):
    conditions.unwrap(message)
    return message


CALLS = {
    "decode": lambda kind, data: decode(kind, to_bytes(data), KEY),
    "round_trip": lambda kind, message: decode(kind, encode(kind, message, KEY), KEY),
    "parse": lambda text: list(topics.parse(text)),
    "topic": topics.topic,
    "parameters": lambda verb, parameters: check_parameters(verb, parameters).kind,
    "target": check_target,
    "conditions": conditions.check,
    "wrap": lambda message: conditions.wrap(message, message["conditions"]),
    "unwrap": unwrap,
    "key": lambda text: hex_of(key_from_hex(text)),
    "lax": lax,
}


def cases(name):
    with open(FOLDER + "/" + name, encoding="utf-8") as file:
        for line in file:
            if line[0] == "{":
                case = json.loads(line.rstrip(",\n"))
                if len(line) > 2000:  # it would leave a hole in a small heap
                    line = None
                    gc.collect()
                yield case


def verdict(case):
    """("returns", value), ("raises", [code, field]), or what else came out of it."""
    try:
        return "returns", CALLS[case["call"]](*case["args"])
    except ProtocolError as error:
        return "raises", [error.code, error.field]
    except Exception as error:
        return "breaks", repr(error)


def agrees(got, case):
    how, what = got
    if how not in case:
        return False
    wanted = case[how]
    if how == "raises" and wanted[1] is None:
        return what[0] == wanted[0]
    return what == wanted and type(what) is type(wanted)


def check(calls, name="vectors.json", at_least=1):
    wrong, count = [], 0
    for case in cases(name):
        if case["call"] in calls:
            count += 1
            got = verdict(case)
            if not agrees(got, case):
                wanted = case.get("returns", case.get("raises"))
                wrong.append("{}: got {}, wanted {}".format(case["name"], got, wanted)[:500])
    assert not wrong, "\n" + "\n".join(wrong)
    assert count >= at_least, count


def test_messages_read():
    check(("decode",), at_least=300)


def test_messages_written():
    check(("round_trip",), at_least=10)


def test_topics():
    check(("parse", "topic"), at_least=50)


def test_parameters_and_targets():
    check(("parameters", "target"), at_least=70)


def test_conditions():
    check(("conditions", "wrap", "unwrap"), at_least=40)


def test_keys():
    check(("key",), at_least=8)


def test_what_only_one_parser_takes():
    check(("lax",), "lax.json", at_least=20)
