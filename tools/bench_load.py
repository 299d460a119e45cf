"""The load: clicks over HTTP and what the event stream tells of them, in a process of its own.

It is made to cost little, for it shares the machine with what it measures: raw sockets, one
thread, requests made of ready bytes, and events read no further than needed. A command carries its
number as `reason`, so that its events are known by it. With a rate, clicks keep a fixed schedule
and all times count from when the click was due, not from when there was room to send it.
"""

import json
import re
import select
import socket
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tools.bench_mqtt import spawn

_EVENT_STATUS = re.compile(rb'"status":"([A-Z]+)"')
_EVENT_REASON = re.compile(rb'"reason":"(\d+)"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What to do: `rate` clicks per second, or, where it is 0, always `outstanding` under way.

    `targets` are taken in turn; `first` is the number of the first command. `watch`: there is an
    event stream; without one a command counts as over with its 202.
    """

    port: int
    token: str
    targets: list[tuple[str, str]]
    seconds: float
    rate: float = 0.0
    outstanding: int = 0
    connections: int = 32
    first: int = 0
    watch: bool = True
    amount: float = 1


@dataclass
class Times:
    """When (seconds of the monotonic clock) what happened to the commands, in order of number."""

    due: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    completed: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0

    def add(self, due: float) -> int:
        """A new command; its index. What has not happened to it yet is 0."""
        self.due.append(due)
        for times in (self.answered, self.accepted, self.completed):
            times.append(0.0)
        return len(self.due) - 1


class _Wire:
    """One keep-alive connection and the command whose answer it waits for."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.index = -1
        self._got = b""

    def send(self, request: bytes, index: int) -> None:
        self.index = index
        self.sock.sendall(request)

    def status(self) -> str:
        """Read on: the status once the answer is complete, else ""."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the backend closed a connection")
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or (length and len(body) < int(length[1])):
            return ""
        self._got = b""
        return head[9:12].decode()


class _Stream:
    """The event stream: (status, number) of the commands' steps."""

    def __init__(self, port: int, token: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        request = f"GET /api/v1/events HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
        self.sock.sendall(request.encode())
        self._rest = self.sock.recv(65536)
        if b" 200 " not in self._rest[:20]:
            raise ConnectionError(f"no event stream: {self._rest[:80]!r}")

    def read(self) -> list[tuple[bytes, int]]:
        data = self.sock.recv(1 << 20)
        if not data:
            raise ConnectionError("the backend ended the event stream")
        *events, self._rest = (self._rest + data).split(b"\n\n")
        out = []
        for event in events:
            status, reason = _EVENT_STATUS.search(event), _EVENT_REASON.search(event)
            if status and reason:
                out.append((status[1], int(reason[1])))
        return out


class Load:
    """Carries out a plan; `times` is what came of it."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.times = plan, Times()
        self._wires = {
            wire.sock: wire for wire in (_Wire(plan.port) for _ in range(plan.connections))
        }
        self._idle = list(self._wires.values())
        self._waiting: deque[int] = deque()
        self._stream = _Stream(plan.port, plan.token) if plan.watch else None
        self._sockets = [*self._wires, *([self._stream.sock] if self._stream else [])]
        self._over = 0
        self._head = (
            "POST /api/v1/commands HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {plan.token}\r\nContent-Length: "
        )

    def run(self) -> Times:
        """Until all is over, or nothing has been heard for too long."""
        cpu, began = time.process_time(), time.monotonic() + 0.05
        end = began + self.plan.seconds
        while (now := time.monotonic()) < end or self._over < len(self.times.due):
            if now > end + _DRAIN_SECONDS:
                break
            wait = self._click(now, began, end)
            self._hear(select.select(self._sockets, [], [], wait)[0])
        self.times.cpu = time.process_time() - cpu
        return self.times

    def _click(self, now: float, began: float, end: float) -> float:
        """Make the clicks that are due; how long until the next one is."""
        wait = 0.5
        if self.plan.rate:
            due = began + len(self.times.due) / self.plan.rate
            while due <= now and due < end:
                self._waiting.append(self.times.add(due))
                due = began + len(self.times.due) / self.plan.rate
            wait = max(due - now, 0.0) if due < end else wait
        elif now < end:
            for _ in range(self.plan.outstanding + self._over - len(self.times.due)):
                self._waiting.append(self.times.add(now))
        while self._waiting and self._idle:
            index = self._waiting.popleft()
            self._idle.pop().send(self._request(index), index)
        return wait

    def _request(self, index: int) -> bytes:
        board, target = self.plan.targets[index % len(self.plan.targets)]
        body = json.dumps(
            {
                "board_id": board,
                "command_type": "feed",
                "target": target,
                "parameters": {"amount": self.plan.amount},
                "reason": str(self.plan.first + index),
            }
        )
        return f"{self._head}{len(body)}\r\n\r\n{body}".encode()

    def _hear(self, ready: list[socket.socket]) -> None:
        for sock in ready:
            if self._stream and sock is self._stream.sock:
                self._events(self._stream)
            else:
                self._answer(self._wires[sock])

    def _answer(self, wire: _Wire) -> None:
        status = wire.status()
        if not status:
            return
        self.times.answered[wire.index] = time.monotonic()
        self._idle.append(wire)
        if status != "202":
            self.times.refused[status] += 1
        if status != "202" or not self.plan.watch:
            self._over += 1

    def _events(self, stream: _Stream) -> None:
        steps = stream.read()
        now = time.monotonic()
        for status, number in steps:
            index = number - self.plan.first
            if status == b"ACKNOWLEDGED":
                self.times.accepted[index] = now
            elif status not in (b"PENDING", b"SENT"):
                self._over += 1
                self.times.completed[index] = now


def perform(plan: Plan) -> Times:
    """Carry out a plan in a process of its own. Raises RuntimeError where it broke."""
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_perform, args=(plan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(plan.seconds + 2 * _DRAIN_SECONDS):
            raise RuntimeError("the load did not come to its end")
        times: Times = ours.recv()
        return times
    except EOFError as why:
        raise RuntimeError("the load broke; its last words are above") from why
    finally:
        process.terminate()
        process.join()


def _perform(plan: Plan, result: Connection) -> None:
    result.send(Load(plan).run())
