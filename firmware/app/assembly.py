"""Puts the parts of a board together, once; nothing of this takes memory while it runs."""

import asyncio
import os

from protocol.topics import COMMANDS, topic

from . import actuators, board, connection
from .clock import Clock, ticks_ms
from .commands import Dispatcher
from .journal import Journal
from .latch import Latch
from .link import Link
from .mqtt import Codec
from .node import Node
from .outbox import Outbox
from .presence import Presence
from .wifi import Wifi


def assembled(flash, settings, config, slot="", slot_state=""):
    """A Node, made from what `settings.load` returned, with the journal on `flash`.

    `slot` and `slot_state`: which release runs, and what is to be said of it.
    """
    node = Node()
    node.slot, node.slot_state, node.updating = slot, slot_state, False
    node.flash, node.hold_s, node.ntp = flash, settings["hold_s"], settings["ntp"]
    node.health_s, node.reached_ms = settings["health_s"], None
    node.id, node.key = settings["board_id"], settings["key"]
    node.trying, node.sleeper, node.leaving = False, None, False
    node.heard_ms, node.restarting = ticks_ms(), None
    node.held, node.failed, node.camera, node.sensors = set(), None, None, None
    node.due = asyncio.Event()
    node.outbox, node.clock = Outbox(), Clock()
    node.actuators = actuators.build(config, board)
    node.boot = os.urandom(4).hex()
    _connect(node, settings)
    node.latched = node.commands.latch.on
    node.watchdog = board.Watchdog()
    return node


def _connect(node, settings):
    """What commands the board, and what speaks for it."""
    journal, latch = Journal(node.flash, node.boot), Latch(node.flash)
    node.commands = Dispatcher(
        node.key, node.boot, node.clock, journal, node.actuators, latch, node.serve,
        node.acknowledge, node.restart, node.hello,
    )  # fmt: skip
    node.presence = Presence(node.id, node.key, node.boot, node.outbox)
    node.wifi = Wifi(settings["wifi"])
    node.link = Link(
        settings["addresses"], codec(node, settings["broker"]), node.outbox,
        topic(node.id, COMMANDS), node, settings["tls"],
    )  # fmt: skip


def codec(node, broker):
    """What speaks MQTT, for these settings of a broker."""
    return Codec(
        node.id, broker["user"] or node.id, broker["password"],
        connection.KEEPALIVE_S, node.heard,
    )  # fmt: skip
