"""SIGTERM under load: what is under way is finished, nothing that got its 202 is lost."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.backend.installation import Installation
from tests.backend.running import eventually
from tests.support.processes import children
from tools.chaos_http import Api

SECONDS = 5.0  # in which it has to end
PING = {"board_id": "pond", "command_type": "ping", "expires_in": 3600}
BODY = json.dumps(PING)


class Customer:
    """Posts over one connection until that is closed; `accepted` has the ids of its commands."""

    def __init__(self, port: int, token: str) -> None:
        self.accepted: list[str] = []
        self.other: list[int] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def run(self) -> float:
        """Returns when (monotonic) the backend left it alone."""
        while True:
            try:
                self._connection.request("POST", "/api/v1/commands", BODY, self._headers)
                answer = self._connection.getresponse()
                said = json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                return time.monotonic()
            if answer.status == 202:
                self.accepted.append(said["id"])
            else:
                self.other.append(answer.status)

    def watch(self) -> bytes:
        """All of an event stream, to its end."""
        self._connection.request("GET", "/api/v1/events", headers=self._headers)
        return self._connection.getresponse().read()  # IncompleteRead where it is cut off


@pytest.mark.parametrize("words", [("serve",), ("worker", "web")])
def test_nothing_accepted_is_lost_and_nobody_waits_for_a_dead_socket(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    installation = Installation(tmp_path)
    installation.run("enroll", "pond")
    token = installation.run("token", "a test").stdout.strip()
    customers = [Customer(installation.http, token) for _ in range(6)]
    watcher = Customer(installation.http, token)
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(len(customers) + 1))
        processes = [stack.enter_context(installation.running(word)) for word in words]
        ended = _end(customers, watcher, threads, processes)
    accepted = [one for customer in customers for one in customer.accepted]
    with sqlite3.connect(installation.folder / "answerback.db") as db:
        kept = {row[0] for row in db.execute("SELECT id FROM command")}
    assert len(accepted) > 50 and set(accepted) <= kept
    assert ended < SECONDS


def _end(
    customers: list[Customer],
    watcher: Customer,
    threads: ThreadPoolExecutor,
    processes: list[subprocess.Popen[str]],
) -> float:
    """Load it, end its processes, and return how long that took, the customers' waiting too."""
    stream = threads.submit(watcher.watch)
    running = [threads.submit(customer.run) for customer in customers]
    eventually(lambda: sum(len(customer.accepted) for customer in customers) > 50)
    began = time.monotonic()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(SECONDS + 5) for process in processes] == [0] * len(processes)
    took = time.monotonic() - began
    last = max(one.result(SECONDS) for one in running)
    assert b"event: command" in stream.result(SECONDS)
    return max(took, last - began)


def test_a_broker_that_hangs_and_a_watcher_that_does_not_read_hold_nothing_up(
    tmp_path: Path,
) -> None:
    installation = Installation(tmp_path)
    installation.run("enroll", "pond")
    token = installation.run("token", "a test").stdout.strip()
    api = Api(installation.http, token)
    with installation.running("serve") as process, socket.socket() as deaf:
        deaf.connect(("127.0.0.1", installation.http))
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        deaf.sendall(head.encode())
        eventually(lambda: api.call("GET", "health")[1]["mqtt"]["connected"])
        (broker,) = children(process.pid)
        os.kill(broker, signal.SIGSTOP)
        assert api.call("POST", "commands", PING)[0] == 202
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < SECONDS


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with Installation(tmp_path).running("serve") as process:
        process.send_signal(signal.SIGSTOP)  # both wait, and are there at once
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        assert process.wait(SECONDS) in (-signal.SIGTERM, -signal.SIGINT)
