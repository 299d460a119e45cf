"""Bodies of messages that are not JSON, or that only one of two parsers takes for it."""

from tests.protocol.samples import MESSAGES, ack_saying, body_of

_STATUS = body_of(MESSAGES["status"])
_COMMAND = body_of(MESSAGES["command"])
_FEED = b'"command_id":"f81d4fae'
_HEAD = b'{"status":"online","boot":"b","until":0,"session":'

# name, body of a status, member that is named in the refusal (None: each parser its own)
BROKEN: tuple[tuple[str, bytes, str | None], ...] = (
    ("no value", b"{nonsense}", "status"),
    ("text instead", b'"online"}', "status"),
    ("a word that is none", _HEAD + b"nul}", "status"),
    ("True for true", _HEAD + b"True}", "status"),
    ("single quotes", b"{'status':'online'}", "status"),
    ("two objects", b"{}{}", "status"),
    ("a byte order mark", b"\xef\xbb\xbf" + _STATUS, "status"),
    ("no quote at the end", b'{"status":"online}', "status"),
    ("a NUL in a text", b'{"status":"on\0line"}', "status"),
    ("a NUL between members", _HEAD + b"\x00 1}", "status"),
    ("a byte that is not UTF-8", b'{"status":"\xff"}', "status"),
    ("half a character", b'{"status":"\xc3"}', "status"),
    ("a number with two points", _HEAD + b"1.2.3}", "status"),
    ("a number that is a minus", _HEAD + b"-}", "status"),
    ("a number with a plus", _HEAD + b"+1}", "status"),
    ("a number with an underscore", _HEAD + b"1_0}", "status"),
    ("a hexadecimal number", _HEAD + b"0x10}", "status"),
    ("NaN", _HEAD + b"NaN}", None),
    ("Infinity", _HEAD + b"Infinity}", None),
    ("1e999", _HEAD + b"1e999}", "session"),
    ("1e0", _HEAD + b"1e0}", "session"),
    ("a surrogate as bytes", b'{"status":"\xed\xa0\x80"}', None),
    ("nested 1900 deep", _HEAD + b"[" * 1900 + b"]" * 1900 + b"}", None),
    ("opened 3000 times", _HEAD + b"[" * 3000 + b"}", "status"),
    ("objects 600 deep", _HEAD + b'{"a":' * 600 + b"1" + b"}" * 601, None),
)

# name, kind, body: MicroPython takes some, CPython few or none
LAX: tuple[tuple[str, str, bytes], ...] = (
    ("a comma at the end", "status", _STATUS[:-1] + b",}"),
    ("commas twice", "status", _STATUS.replace(b",", b",,")),
    ("no commas", "status", _STATUS.replace(b",", b" ")),
    ("no colons", "status", _STATUS.replace(b":", b" ")),
    ("a leading zero", "status", _STATUS.replace(b":7", b":07")),
    ("a line break in a text", "command", _COMMAND.replace(_FEED, _FEED + b"\n")),
    ("an unknown escape", "status", _STATUS.replace(b"online", b"on\\line")),
    ("an escape that is no number", "ack", ack_saying(b"\\uZZZZ")),
    ("a member without a value", "status", b'{"status":}'),
    ("a name alone", "status", b'{"status"}'),
    ("a value alone", "status", b'{:"online"}'),
    ("a list closed by a brace", "status", b'["status"}'),
    ("a name that is a number", "status", b'{1:"status"}'),
    ("a name that is null", "command", _COMMAND.replace(b'"amount"', b"null")),
    ("a name that is a number inside", "command", _COMMAND.replace(b'"amount"', b"1")),
    ("a name that is a list", "status", b'{["status"]:"online"}'),
    ("something after a NUL", "status", _STATUS + b"\0}"),
    ("a character written too long", "status", b'{"status":"\xc0\x80"}'),
    ("a character beyond Unicode", "ack", ack_saying(b"\xf4\x90\x80\x80")),
    ("a pair of surrogates", "ack", ack_saying(b"\\ud83d\\ude00")),
    ("characters written too long", "ack", ack_saying(b"\xc0\x80\xe0\x80\x80")),
)
