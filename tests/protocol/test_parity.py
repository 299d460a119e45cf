"""Both interpreters make the same of the same bytes.

The one difference allowed: MicroPython's JSON parser takes some of what is not JSON. It shows as
a message that CPython's own parser refuses; what MicroPython then made of it passed every check.
"""

import json
import subprocess
from collections.abc import Iterator

from protocol import ProtocolError, decode, encode

from tests import unix_port
from tests.protocol import corpus, make_vectors
from tests.protocol.samples import KEY

COUNT = 10_000
FIXED_SEED = 20_260_101
SECONDS = 100
TAIL = len(',"sig":""}') + 64


def here(kind: str, data: bytes) -> str:
    """What CPython makes of it, in the words of mp_runner/verdicts.py."""
    try:
        return "value " + json.dumps(decode(kind, data, KEY))
    except ProtocolError as error:
        return f"refused {error.code}"


def there(messages: list[tuple[str, bytes]]) -> Iterator[str]:
    """What MicroPython makes of each."""
    done = subprocess.run(
        unix_port.command("verdicts.py", KEY.hex()),
        input="".join(f"{kind} {data.hex()}\n" for kind, data in messages),
        env=unix_port.environment(),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    yield from done.stdout.split("\n")[:-1]


def is_json(data: bytes) -> bool:
    """Whether CPython's parser takes the signed body."""
    try:
        json.loads((data[:-TAIL] + b"}").decode())
    except (ValueError, RecursionError):
        return False
    return True


def agree(kind: str, data: bytes, cpython: str, micropython: str) -> bool:
    """Same verdict, same value; or not JSON at all, and then refused or a checked value."""
    if cpython.startswith("value ") and micropython.startswith("value "):
        return bool(json.loads(cpython[6:]) == json.loads(micropython[6:]))
    if micropython.startswith("value ") and not is_json(data):
        encode(kind, json.loads(micropython[6:], strict=False), KEY)
        return True
    return cpython.split()[0] == micropython.split()[0] == "refused"


def compare(seed: int) -> None:
    messages = list(corpus.messages(seed, COUNT))
    verdicts = list(there(messages))
    assert len(verdicts) == COUNT
    wrong = []
    for (kind, data), micropython in zip(messages, verdicts, strict=True):
        cpython = here(kind, data)
        if not agree(kind, data, cpython, micropython):
            wrong.append(f"{kind} {data!r}\n  CPython: {cpython}\n  MicroPython: {micropython}")
    assert not wrong, f"seed {seed}, {len(wrong)} of {COUNT}:\n" + "\n".join(wrong[:10])
    accepted = sum(verdict.startswith("value ") for verdict in verdicts)
    assert COUNT // 50 < accepted < COUNT // 2  # the corpus is neither all good nor all bad


def test_ten_thousand_changed_messages() -> None:
    compare(FIXED_SEED)


def test_ten_thousand_others_each_time(seed: int) -> None:
    compare(seed)


def test_the_vectors_are_what_their_script_says() -> None:
    for name, groups in make_vectors.DOCUMENTS.items():
        stored = (make_vectors.FOLDER / name).read_text(encoding="utf-8")
        assert stored == make_vectors.document(*groups), f"{name}: file and script disagree"
