"""A broker of each kind for a test."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from backend.brokers.broker import EmbeddedBroker
from tools.brokers import Broker, MosquittoBroker, free_port, mosquitto_binary

KINDS = ("embedded", "mosquitto")


@contextlib.contextmanager
def running(kind: str, folder: Path, users: Mapping[str, str]) -> Iterator[Broker]:
    """One of KINDS with these users, until the test is over."""
    if kind == "mosquitto" and mosquitto_binary() is None:
        pytest.skip("Mosquitto is not installed: apt install mosquitto, or brew install mosquitto")
    make = EmbeddedBroker if kind == "embedded" else MosquittoBroker
    broker = make(folder / "broker", free_port(), users)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
