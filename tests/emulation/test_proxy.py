"""The bad network, with raw sockets on both sides."""

import socket
import time
from collections.abc import Iterator

import pytest

from tools.proxy import Proxy

SECONDS = 5.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        yield server


@pytest.fixture
def proxy(listener: socket.socket) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", listener.getsockname()[1], seed=1) as proxy:
        yield proxy


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), SECONDS)


def pair(proxy: Proxy, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """(near, far) ends of a connection through the proxy."""
    near = connect(proxy)
    far, _ = listener.accept()
    far.settimeout(SECONDS)
    return near, far


def receive(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = end.recv(count - len(data))
        assert more, f"ended after {data!r}"
        data += more
    return data


def test_bytes_pass_both_ways_and_the_end_too(proxy: Proxy, listener: socket.socket) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        near.sendall(b"question")
        assert receive(far, 8) == b"question"
        near.shutdown(socket.SHUT_WR)
        assert far.recv(1) == b""
        answer = bytes(range(256)) * 4000
        far.sendall(answer)
        far.close()
        assert receive(near, len(answer)) == answer
        assert near.recv(1) == b""
    assert proxy.accepted == 1


def test_drop_resets_both_sides(proxy: Proxy, listener: socket.socket) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        assert proxy.drop() == 1
        for end in (near, far):
            with pytest.raises(ConnectionResetError):
                end.recv(1)
        assert proxy.drop() == 0


def test_refuse_hits_new_connections_only(proxy: Proxy, listener: socket.socket) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        proxy.refuse(True)
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        near.sendall(b"still")
        assert receive(far, 5) == b"still"
        proxy.refuse(False)
        again, far_again = pair(proxy, listener)
        again.close()
        far_again.close()


def test_a_silent_link_takes_connections_and_says_nothing(
    proxy: Proxy, listener: socket.socket
) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        proxy.silence(True)
        near.sendall(b"lost?")
        far.sendall(b"here?")
        far.shutdown(socket.SHUT_WR)
        with connect(proxy):
            for end in (near, far):
                end.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    end.recv(1)
                end.settimeout(SECONDS)
        proxy.silence(False)
        assert receive(far, 5) == b"lost?"
        assert receive(near, 5) == b"here?"
        assert near.recv(1) == b""


def test_what_follows_a_late_chunk_waits_for_it(proxy: Proxy, listener: socket.socket) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        proxy.delay(0.5, 0.2)
        sent = time.monotonic()
        near.sendall(b"a")  # the first draw of seed 1 is below 0.5
        near.sendall(b"bcdefgh")
        assert receive(far, 8) == b"abcdefgh"
        assert time.monotonic() - sent >= 0.2


def test_latency_is_added_each_way(proxy: Proxy, listener: socket.socket) -> None:
    near, far = pair(proxy, listener)
    with near, far:
        proxy.latency(0.1)
        sent = time.monotonic()
        near.sendall(b"ping")
        far.sendall(receive(far, 4))
        receive(near, 4)
        assert time.monotonic() - sent >= 0.2


def test_no_target_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Proxy("127.0.0.1", port) as proxy, pytest.raises(ConnectionResetError):
        connect(proxy).recv(1)
