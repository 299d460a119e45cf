"""The event stream and the server under it: flushed at once, bounded, gone when nobody listens."""

import socket
import threading
import time
from typing import Any

import pytest

from backend.web import stream as stream_module
from backend.web.server import Server
from tests.backend.running import PATIENCE, eventually
from tests.web.site import Client, Site


class Watcher:
    """A raw connection that reads an event stream; `status` and `head` are those of its answer."""

    def __init__(self, site: Site, **headers: str) -> None:
        lines = {"Host": "test", "Authorization": f"Bearer {site.token}"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket = socket.create_connection(("127.0.0.1", site.server.port), PATIENCE)
        self.socket.sendall(f"GET /api/v1/events HTTP/1.1\r\n{head}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.head = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            self.head[name] = value

    def next_event(self) -> dict[str, str]:
        """The next event's fields; {} at the end of the stream."""
        event: dict[str, str] = {}
        while line := self.file.readline():
            name, _, value = line.decode().strip().partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
            elif not name and event:
                return event
        return {}

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def watchers(site: Site) -> int:
    return len(site.station.backend.events._watchers)


def test_events_come_at_once_and_in_order(site: Site, program: Client) -> None:
    watcher = Watcher(site)
    assert watcher.status == 200
    assert watcher.head["Content-Type"] == "text/event-stream"
    eventually(lambda: watchers(site) == 1)
    posted = program.feed().json
    site.station.answer(site.station.next_command(), "accepted", "completed")
    seen = [watcher.next_event() for _ in range(4)]
    watcher.close()
    assert [event["event"] for event in seen] == ["command"] * 4
    assert [event["id"] for event in seen] == sorted((event["id"] for event in seen), key=int)
    assert all(posted["id"] in event["data"] for event in seen)
    assert '"status":"COMPLETED"' in seen[-1]["data"] and '"at":"20' in seen[-1]["data"]


def test_a_watcher_that_comes_back_gets_what_it_missed(site: Site, program: Client) -> None:
    posted = program.feed().json
    site.station.answer(site.station.next_command(), "accepted", "completed")
    path = f"commands/{posted['id']}"
    eventually(lambda: program.call("GET", path).json["status"] == "COMPLETED")
    first = program.call("GET", path).json["history"][1]["id"]
    watcher = Watcher(site, Last_Event_ID=str(first))
    assert [watcher.next_event()["id"] for _ in range(2)] == [str(first + 1), str(first + 2)]
    watcher.close()


@pytest.mark.parametrize("last", ["abc", "-1", "1" * 30])
def test_a_wrong_last_event_id_is_refused(site: Site, program: Client, last: str) -> None:
    reply = program.call("GET", "events", Last_Event_ID=last)
    assert (reply.status, reply.json["field"]) == (400, "Last-Event-ID")
    reply = program.call("GET", f"events?last_event_id={last}")
    assert (reply.status, reply.json["field"]) == (400, "last_event_id")


def test_streams_are_bounded_and_one_that_left_makes_room(
    site: Site, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "STREAMS_MAX", 2)
    open_ones = [Watcher(site), Watcher(site)]
    assert [watcher.status for watcher in open_ones] == [200, 200]
    refused = program.call("GET", "events")
    assert (refused.status, refused.json["error"]) == (503, "too_many_streams")
    assert refused.headers["Retry-After"]
    open_ones.pop().close()

    def let_in() -> Any:
        watcher = Watcher(site)
        open_ones.append(watcher)
        return watcher.status == 200

    eventually(let_in)
    for watcher in open_ones:
        watcher.close()


def test_a_client_that_left_is_forgotten(site: Site, program: Client) -> None:
    watcher = Watcher(site)
    eventually(lambda: watchers(site) >= 1)
    watcher.close()

    def gone() -> bool:
        program.call("GET", "tokens")
        site.station.startup()  # an event, so that something is written
        return watchers(site) == 0

    eventually(gone)


def test_a_stream_ends_when_its_token_is_revoked(
    site: Site, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.delivery.events.HEARTBEAT_SECONDS", 0.05)
    made = program.call("POST", "tokens", {"name": "watcher"}).json
    watcher = Watcher(site, Authorization=f"Bearer {made['token']}")
    assert watcher.status == 200
    program.call("DELETE", f"tokens/{made['id']}")
    assert watcher.next_event() == {}
    watcher.close()


def test_a_busy_stream_ends_as_well_when_its_token_is_revoked(site: Site, program: Client) -> None:
    made = program.call("POST", "tokens", {"name": "busy watcher"}).json
    watcher = Watcher(site, Authorization=f"Bearer {made['token']}")
    site.station.startup()
    assert watcher.next_event()["event"] == "board"
    program.call("DELETE", f"tokens/{made['id']}")
    ended = threading.Event()

    def read_all() -> None:
        while watcher.next_event():
            pass
        ended.set()

    threading.Thread(target=read_all, daemon=True).start()

    def something_happens() -> bool:
        site.station.startup()
        return ended.is_set()

    eventually(something_happens)
    watcher.close()


def test_the_server_stops_quickly_with_streams_open(site: Site) -> None:
    server = Server(site.app, "127.0.0.1", 0)
    server.start()
    before = site.server
    site.server = server
    open_ones = [Watcher(site) for _ in range(5)]
    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    site.server = before
    assert took < 10  # seconds; a stream is written to every 15
    for watcher in open_ones:
        assert watcher.next_event() == {}
        watcher.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def test_a_taken_port_says_what_to_do(site: Site) -> None:
    with pytest.raises(OSError, match=f"port {site.server.port}.*HTTP_PORT"):
        Server(site.app, "127.0.0.1", site.server.port).start()


def test_small_packets_are_not_held_back(site: Site) -> None:
    watcher = Watcher(site)
    sockets = [channel.socket for channel in site.server._server.active_channels.values()]
    options = {one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in sockets}
    watcher.close()
    assert options == {1}


def test_streams_hold_no_request_back(site: Site, program: Client) -> None:
    open_ones = [Watcher(site) for _ in range(20)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(site.program().feed().status))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers == [202] * 8
    for watcher in open_ones:
        watcher.close()
