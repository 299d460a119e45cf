"""What goes out to boards, each in its own dialect and by its own link; after the commit."""

import logging
from typing import Any

from protocol import ProtocolError

from backend.core import Core
from backend.dialects.registry import DIALECTS
from backend.links import Links
from backend.work import Outcome

log = logging.getLogger(__name__)


def send(core: Core, links: Links, outcome: Outcome) -> None:
    """Publish all that one transaction has to say to boards."""
    for board_id, message in outcome.publish:
        _command(core, links, board_id, message)
    for board_id, (topic, payload, qos) in outcome.said:
        board = core.roster.get(board_id)
        if board is not None:
            links.publish(core.roster.link_of(board), topic, payload, qos)


def _command(core: Core, links: Links, board_id: str, message: dict[str, Any]) -> None:
    board = core.roster.get(board_id)
    if board is None:
        return
    try:
        link = core.roster.link_of(board)
        for topic, payload, qos in DIALECTS[board.dialect].write(board.facts, message):
            links.publish(link, topic, payload, qos)
    except ProtocolError as why:  # a bug, but of one message: the others are to go out
        core.refused[why.code] += 1
        log.error("can't send %s to %s: %s", message["command_id"], board_id, why)
