"""Reads lines `kind hex-of-message` and prints for each what this interpreter makes of it.

    micropython verdicts.py KEY < lines

`value {...}` (the decoded message as JSON), `refused code`, or `broken TypeName: text` for any
other exception, which nothing may raise.
"""

import binascii
import json
import sys

sys.path.pop(0)
from protocol import ProtocolError, decode  # noqa: E402 (after the path is right)


def verdict(kind, data, key):
    try:
        return "value " + json.dumps(decode(kind, data, key))
    except ProtocolError as error:
        return "refused " + error.code
    except Exception as error:
        return "broken {}: {}".format(type(error).__name__, error)


def main(key_hex):
    key = binascii.unhexlify(key_hex)
    for line in sys.stdin:
        kind, data = line.split(" ")
        print(verdict(kind, binascii.unhexlify(data.strip()), key))


main(sys.argv[1])
