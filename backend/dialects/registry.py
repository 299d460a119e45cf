"""Every dialect by name, and whose a topic is: split, never searched for a substring."""

from collections.abc import Iterable, Mapping

from protocol import ProtocolError
from protocol.topics import ID_RULE, PREFIX, is_id

from backend.dialects import esp32cam, museum
from backend.dialects.answerback import ANSWERBACK
from backend.dialects.dialect import Dialect, Facts, Subscription
from backend.dialects.esp32cam import ESP32CAM
from backend.dialects.museum import MUSEUM

DIALECTS: Mapping[str, Dialect] = {one.name: one for one in (ANSWERBACK, ESP32CAM, MUSEUM)}


def of(name: str) -> Dialect:
    """The dialect of this name. Raises ProtocolError naming those there are."""
    if name not in DIALECTS:
        raise ProtocolError("bad_parameter", "dialect", "must be one of " + ", ".join(DIALECTS))
    return DIALECTS[name]


def speaker(topic: str) -> tuple[Dialect, str | None]:
    """(dialect, board id) by the topic alone; None: a room's topic, which names no board.

    Under `devices/` a board of our own or of a museum may speak: its record says which. Raises
    ProtocolError where nobody can have said this.
    """
    first, _, rest = topic.partition("/")
    if first == PREFIX:
        board_id = rest.split("/", 1)[0]
        if not is_id(board_id):
            raise ProtocolError("malformed", "topic", ID_RULE)
        return ANSWERBACK, board_id
    if first in esp32cam.PREFIXES:
        found = esp32cam.parse(topic)
        if found is None:
            raise ProtocolError("malformed", "topic", "must hold a MAC of 12 hexadecimal digits")
        return ESP32CAM, found[0]
    if not museum.is_topic(topic):
        raise ProtocolError("malformed", "topic", "is not known")
    return MUSEUM, None


def subscriptions(
    boards: Iterable[tuple[str, Facts]], asked: Iterable[str], more: Iterable[str] = ()
) -> list[Subscription]:
    """What to subscribe to: our own, what boards (dialect, facts) or `asked` names need, `more`.

    A pattern that another one covers is left out, since a broker may deliver once for each.
    """
    facts: dict[str, list[Facts]] = {name: [] for name in (ANSWERBACK.name, *asked)}
    for name, one in boards:
        facts.setdefault(name, []).append(one)
    wanted: dict[str, int] = dict.fromkeys(more, 0)
    for name, of_dialect in facts.items():
        for pattern, qos in DIALECTS[name].patterns(of_dialect):
            wanted[pattern] = max(qos, wanted.get(pattern, 0))
    return [
        (pattern, qos)
        for pattern, qos in wanted.items()
        if not any(other != pattern and covers(other, pattern) for other in wanted) or qos > 0
    ]


def is_pattern(text: str) -> bool:
    """Whether a broker takes this for a topic pattern."""
    levels = text.split("/")
    whole = all(level in ("+", "#") or not set(level) & set("+#") for level in levels)
    return bool(text) and whole and "#" not in levels[:-1] and text.isprintable()


def covers(pattern: str, topic: str) -> bool:
    """Whether a pattern takes in a topic, or all of another pattern."""
    if topic.startswith("$") and pattern[:1] in "+#":
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or given[index] == "#" or level not in ("+", given[index]):
            return False
    return len(wanted) == len(given)
