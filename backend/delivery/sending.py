"""What goes out to boards, each in its own dialect and by its own link; after the commit."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from protocol import ProtocolError

from backend.brokers.links import Links
from backend.brokers.outbox import Outbox
from backend.delivery.core import Core
from backend.delivery.lifecycle import SENT
from backend.delivery.work import Outcome
from backend.dialects.registry import DIALECTS

log = logging.getLogger(__name__)


def send(core: Core, links: Links, outcome: Outcome, outbox: Outbox) -> None:
    """Publish all that one transaction has to say to boards, or have it published later. What is
    waiting and not wanted any more is taken back before that.
    """
    for _, row in outcome.changes:
        if row["cancelling"] or row["status"] != SENT:
            outbox.withdraw(row["id"])
    for board_id, message in outcome.publish:
        for publish in _messages(core, links, board_id, message):
            at = outcome.later.get(message["command_id"])
            if at is None:
                publish()
            else:
                outbox.put(message["command_id"], at, publish)
    for board_id, (topic, payload, qos) in outcome.said:
        board = core.roster.get(board_id)
        if board is not None:
            links.publish(core.roster.link_of(board), topic, payload, qos)


def _messages(
    core: Core, links: Links, board_id: str, message: dict[str, Any]
) -> list[Callable[[], bool]]:
    """What publishes a command."""
    board = core.roster.get(board_id)
    if board is None:
        return []
    try:
        link = core.roster.link_of(board)
        said = DIALECTS[board.dialect].write(board.facts, message)
        return [functools.partial(links.publish, link, *one) for one in said]
    except ProtocolError as why:  # a bug, but of one message: the others are to go out
        core.refused[why.code] += 1
        about = {"board": board_id, "command": message["command_id"]}
        log.error("can't send to %s: %s: %s", *about.values(), why, extra=about)
        return []
