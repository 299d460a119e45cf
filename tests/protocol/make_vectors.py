"""Writes vectors.json: what goes in, and what both interpreters must make of it.

    python -m tests.protocol.make_vectors

The verdicts are written here by hand and the bytes are signed with the standard library's hmac;
nothing of the protocol package is imported, so a vector is a second opinion. One case a line:

    {"name": ..., "call": ..., "args": [...], "returns": value}
    {"name": ..., "call": ..., "args": [...], "raises": [code, field]}

Bytes stand as text with one character for each byte. A field of null: both refuse, each at its
own step (one parser refuses what the other leaves to the checks).
"""

import copy
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.protocol import odd_json, samples, verb_samples
from tests.protocol.samples import KEY, MESSAGES, body_of, signed

Case = dict[str, Any]

FOLDER = Path(__file__).parent
LONG_ID = "a" * 64


def case(name: str, call: str, *args: object, **verdict: object) -> Case:
    return {"name": name, "call": call, "args": list(args), **verdict}


def accepted(name: str, kind: str, data: bytes, value: object) -> Case:
    return case(name, "decode", kind, data.decode("latin-1"), returns=value)


def refused(name: str, kind: str, data: bytes, code: str, field: str | None) -> Case:
    return case(name, "decode", kind, data.decode("latin-1"), raises=[code, field])


def changed(kind: str, **members: object) -> dict[str, Any]:
    return {**copy.deepcopy(MESSAGES[kind]), **members}


def messages() -> Iterator[Case]:
    """Every kind as it should be, and each of its members missing or wrong."""
    for kind, message in MESSAGES.items():
        yield accepted(f"{kind}: a good one", kind, signed(message), message)
        yield case(f"{kind}: written and read", "round_trip", kind, message, returns=message)
        for field in message:
            rest = {name: value for name, value in message.items() if name != field}
            wanted = ("malformed", field)
            yield refused(f"{kind}: no {field}", kind, signed(rest), *wanted)
        for field, values in samples.WRONG[kind].items():
            wanted = ("malformed", field)
            for bad in values:
                label = f"{kind}: {field} is {json.dumps(bad)[:40]}"
                yield refused(label, kind, signed(changed(kind, **{field: bad})), *wanted)
        for members in samples.RIGHT[kind]:
            good = changed(kind, **members)
            label = f"{kind}: {json.dumps(members)[:50]}"
            yield accepted(label, kind, signed(good), good)


def writing() -> Iterator[Case]:
    """What encode refuses."""
    bad_status = changed("status", status="dozing")
    extra = changed("status", mood="fine")
    ack = changed("ack", result={f"{n:064}": samples.LONGEST_TEXT for n in range(16)})
    for name, kind, message, error in (
        ("a wrong member", "status", bad_status, ["malformed", "status"]),
        ("a member too many", "status", extra, ["malformed", "mood"]),
        ("no object", "status", ["online"], ["malformed", "status"]),
        ("a lone surrogate", "ack", changed("ack", message="\ud800"), ["malformed", "message"]),
        ("too large", "ack", ack, ["too_large", "ack"]),
    ):
        yield case(f"written: {name}", "round_trip", kind, message, raises=error)


def signatures() -> Iterator[Case]:
    """Bytes whose signature is not what it should be."""
    status = MESSAGES["status"]
    good = signed(status)
    flipped = bytes([good[-3] ^ 1])
    spaced = json.dumps(status)[:-1].encode() + b" " + good[good.index(b',"sig"') :]
    for name, data in (
        ("another key", signed(status, bytes(32))),
        ("none", json.dumps(status).encode()),
        ("cut off", good[:-1]),
        ("half of it cut off", good[:-34]),
        ("half of the message cut off", good[: len(good) // 2]),
        ("the start cut off", good[1:]),
        ("something after it", good + b" "),
        ("a NUL after it", good + b"\0"),
        ("another member after it", good[:-1] + b',"a":1}'),
        ("a space before it", spaced),
        ("first instead of last", b"{" + good[good.index(b'"sig"') : -1] + b"," + good[1:50]),
        ("in capitals", good[:-66] + good[-66:-2].upper() + b'"}'),
        ("one digit wrong", good[:-3] + flipped + b'"}'),
        ("one byte of the message changed", good.replace(b"online", b"onlime")),
        ("online made offline", good.replace(b"online", b"offline")),
        ("no hexadecimal digits", good[:-66] + b"z" * 64 + b'"}'),
        ("only NULs", good[:-66] + bytes(64) + b'"}'),
        ("nothing else", samples.sealed(b"{}")),
        ("no bytes at all", b""),
        ("an empty object", b"{}"),
        ("only the closing", good[-2:]),
    ):
        yield refused(f"signature: {name}", "status", data, "bad_signature", "sig")
    doubled = samples.sealed(good)
    yield accepted("signature: an older one before it", "status", doubled, status)


def sizes() -> Iterator[Case]:
    """At and over the limit of 4,096 bytes."""
    status = MESSAGES["status"]
    fits = samples.padded(status, 4096)
    yield accepted("size: 4096 bytes", "status", fits, status)
    over = samples.padded(status, 4097)
    yield refused("size: 4097 bytes", "status", over, "too_large", "status")
    yield refused("size: 4097 bytes of anything", "ack", b"x" * 4097, "too_large", "ack")


def syntax() -> Iterator[Case]:
    """Signed bodies that are not what JSON is, or not an object."""
    for name, body, field in odd_json.BROKEN:
        data = samples.sealed(body)
        yield refused(f"syntax: {name}", "status", data, "malformed", field)
    status = MESSAGES["status"]
    for name, body in (
        ("spaces and lines", json.dumps(status, indent=2).encode()),
        ("another order", body_of(dict(reversed(status.items())))),
        ("a member too many", body_of({"zzz": {"a": [1, None]}, **status})),
        ("a member twice, the last one counts", b'{"session":"x",' + body_of(status)[1:]),
        ("escaped letters", body_of(status).replace(b"online", b"\\u006fnline")),
    ):
        yield accepted(f"syntax: {name}", "status", samples.sealed(body), status)


def numbers_in_parameters() -> Iterator[Case]:
    """Numbers no board can carry, inside an object of scalars."""
    for text, field in (
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", "parameters"),
        (b"-1e999", "parameters"),
        (b"1e39", "parameters"),
        (b"9" * 400, "parameters"),
    ):
        body = body_of(MESSAGES["command"]).replace(b"20.25", text)
        label = f"command: amount is {text.decode()[:20]}"
        yield refused(label, "command", samples.sealed(body), "malformed", field)


def topics() -> Iterator[Case]:
    """Topics taken apart and put together."""
    for leaf in verb_samples.LEAVES:
        text = f"devices/pond-1/{leaf}"
        yield case(f"topic: {text}", "parse", text, returns=["pond-1", leaf])
        yield case(f"topic of {leaf}", "topic", "pond-1", leaf, returns=text)
    longest = f"devices/{LONG_ID}/ack"
    yield case("topic: the longest id", "parse", longest, returns=[LONG_ID, "ack"])
    for text in verb_samples.BAD_TOPICS:
        yield case(f"topic: {text[:30]!r}", "parse", text, raises=["malformed", "topic"])
    for board_id in ("", "a" * 65, "a/b", "a+", "#", "é", "a b", 7, None, ["a"]):
        error = ["malformed", "board_id"]
        yield case(f"topic of {str(board_id)[:9]!r}", "topic", board_id, "ack", raises=error)
    for leaf in ("", "data", "acks", "#", "ack/"):
        yield case(f"topic of leaf {leaf!r}", "topic", "a", leaf, raises=["malformed", "topic"])


def verbs() -> Iterator[Case]:
    """Parameters and targets of every command type."""
    for verb, parameters, kind in verb_samples.GOOD_PARAMETERS:
        label = f"parameters: {verb} {json.dumps(parameters)[:40]}"
        yield case(label, "parameters", verb, parameters, returns=kind)
    for verb, parameters, field in verb_samples.BAD_PARAMETERS:
        label = f"parameters: {verb} {json.dumps(parameters)[:50]}"
        error = ["bad_parameter", "parameters." + field]
        yield case(label, "parameters", verb, parameters, raises=error)
    unknown = ["unknown_type", "command_type"]
    for verb in ("explode", "Feed", "feed ", ""):
        yield case(f"parameters: {verb!r}", "parameters", verb, {}, raises=unknown)
    for verb, target, code in verb_samples.TARGETS:
        verdict: dict[str, Any] = {"raises": [code, "target"]} if code else {"returns": None}
        label = f"target: {verb} {target!r}"
        yield case(label, "target", verb, target, verb_samples.ACTUATORS, **verdict)


def conditions() -> Iterator[Case]:
    """Conditions, of which commands, and how such a command stands on the wire."""
    feed = ("feed", {"amount": 1})
    for each in samples.CONDITIONS:
        label = f"conditions: {json.dumps(each)}"
        yield case(label, "conditions", [each], *feed, returns=None)
    yield case("conditions: four", "conditions", samples.CONDITIONS, *feed, returns=None)
    for each, member in verb_samples.BAD_CONDITIONS:
        label = f"conditions: {json.dumps(each)[:60]}"
        error = ["bad_parameter", f"conditions[1].{member}"]
        yield case(label, "conditions", [samples.CONDITIONS[0], each], *feed, raises=error)
    wrong = ["bad_parameter", "conditions"]
    for few in samples.WRONG["command"]["conditions"]:
        yield case(f"conditions: {json.dumps(few)[:40]}", "conditions", few, *feed, raises=wrong)
    for verb, parameters in verb_samples.STOPS:
        label = f"conditions: of {verb} {parameters}"
        yield case(label, "conditions", samples.CONDITIONS, verb, parameters, raises=wrong)
    command = {**MESSAGES["command"], "conditions": samples.CONDITIONS}
    marked = {**command, "command_type": "feed_if"}
    yield case("conditions: wrapped", "wrap", command, returns=marked)
    yield case("conditions: unwrapped", "unwrap", marked, returns=command)
    yield case("conditions: not marked", "unwrap", command, raises=wrong)
    strange = {**command, "command_type": "dance_if"}
    yield case("conditions: of what?", "unwrap", strange, raises=["unknown_type", "command_type"])
    bare = ["unknown_type", "command_type"]  # what a board that knows no conditions says
    yield case("conditions: marked", "parameters", "feed_if", {"amount": 1}, raises=bare)


def keys() -> Iterator[Case]:
    """Keys as hexadecimal digits."""
    yield case("key: good", "key", KEY.hex(), returns=KEY.hex())
    yield case("key: capitals", "key", KEY.hex().upper(), returns=KEY.hex())
    for text in ("", "00" * 31, "00" * 33, "0" * 63, "zz" * 32, " " + "0" * 63):
        yield case(f"key: {text[:20]!r}", "key", text, raises=["malformed", "key"])


def lax() -> Iterator[Case]:
    """Not JSON, or odd JSON, that MicroPython's parser takes: a checked value or a refusal."""
    for name, kind, body in odd_json.LAX:
        data = samples.sealed(body).decode("latin-1")
        yield case(f"lax: {name}", "lax", kind, data, returns=None)


GROUPS = (
    messages,
    writing,
    signatures,
    sizes,
    syntax,
    numbers_in_parameters,
    topics,
    verbs,
    conditions,
    keys,
)


def line_of(each: Case) -> str:
    """JSON with only lone surrogates escaped: MicroPython can't join an escaped pair."""
    text = json.dumps(each, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):04x}", text)


def document(*groups: Any) -> str:
    """A JSON array with one case a line, so that a board can read it line by line."""
    lines = [line_of(each) for group in groups for each in group()]
    return "[\n" + ",\n".join(lines) + "\n]\n"


DOCUMENTS = {"vectors.json": GROUPS, "lax.json": (lax,)}

if __name__ == "__main__":
    for name, groups in DOCUMENTS.items():
        (FOLDER / name).write_text(document(*groups), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")
