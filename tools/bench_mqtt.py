"""Raw MQTT for the benchmark: paho clients as lean as they get, and the broker's own ceiling.

One round trip of the ceiling is: A publishes a message of a command's size with QoS 1, the broker
hands it to B with QoS 1, B publishes one of the same size back with QoS 1, the broker hands that
to A. Four PUBLISH and four PUBACK in all; A keeps many under way and starts the next one with
each answer. A and B are processes of their own, on the same broker as everything else.
"""

import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from protocol.topics import ACK, COMMANDS, topic

spawn = multiprocessing.get_context("spawn")

PAYLOAD = bytes(300)  # about what a signed command or ack has
_START_SECONDS = 20.0


@dataclass(frozen=True)
class Login:
    """A broker's address and somebody who may use it; the client id is the user's name."""

    host: str
    port: int
    user: str
    password: str


def make_client(login: Login, client_id: str = "") -> paho.Client:
    """A client that is not connected yet, with any number of messages in flight."""
    name = client_id or login.user
    client = paho.Client(CallbackAPIVersion.VERSION2, name, clean_session=True)
    client.username_pw_set(login.user, login.password)
    client.max_inflight_messages_set(0)
    client.on_socket_open = no_delay
    return client


def subscribe_then(client: paho.Client, topic: str, begin: Callable[[], object]) -> None:
    """Have a client subscribe as soon as it is connected, and begin once that is granted."""

    def connected(*_: Any) -> None:
        client.subscribe(topic, 1)

    def subscribed(*_: Any) -> None:
        begin()

    client.on_connect, client.on_subscribe = connected, subscribed


def no_delay(client: Any, userdata: Any, sock: Any) -> None:
    """For `on_socket_open`: without it small packets wait for 40 ms and more."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def ceiling(backend: Login, board: Login, window: int, seconds: float) -> float:
    """Round trips per second with `window` of them under way. Raises RuntimeError."""
    ours, theirs = spawn.Pipe()
    answering = spawn.Process(target=_answer, args=(board, theirs), daemon=True)
    answering.start()
    theirs.close()
    try:
        if not ours.poll(_START_SECONDS):
            raise RuntimeError("the answering client did not reach the broker")
        ours.recv()
        return _in_process(backend, board.user, window, seconds)
    finally:
        answering.terminate()
        answering.join()


def _in_process(login: Login, board_id: str, window: int, seconds: float) -> float:
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_ask, args=(login, board_id, window, seconds, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(_START_SECONDS + 3 * seconds):
            raise RuntimeError("the asking client did not finish")
        return float(ours.recv())
    finally:
        process.terminate()
        process.join()


def _answer(login: Login, ready: Connection) -> None:
    """B: answers every message."""
    client = make_client(login)
    back = topic(login.user, ACK)
    subscribe_then(client, topic(login.user, COMMANDS), lambda: ready.send(True))

    def answer(*_: Any) -> None:
        client.publish(back, PAYLOAD, 1)

    client.on_message = answer
    client.connect(login.host, login.port)
    client.loop_forever()


def _ask(login: Login, board_id: str, window: int, seconds: float, result: Connection) -> None:
    """A: keeps `window` under way; the first tenth of the time is not counted."""
    client = make_client(login)
    there = topic(board_id, COMMANDS)
    answers = 0

    def begin() -> None:
        for _number in range(window):
            client.publish(there, PAYLOAD, 1)

    def answered(*_: Any) -> None:
        nonlocal answers
        answers += 1
        client.publish(there, PAYLOAD, 1)

    subscribe_then(client, topic(board_id, ACK), begin)
    client.on_message = answered
    client.connect(login.host, login.port)
    _loop_until(client, time.perf_counter() + 0.3 + seconds / 10)
    before, began = answers, time.perf_counter()
    _loop_until(client, began + seconds)
    result.send((answers - before) / (time.perf_counter() - began))


def _loop_until(client: paho.Client, end: float) -> None:
    while time.perf_counter() < end:
        client.loop(0.05)
