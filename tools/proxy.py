"""A TCP proxy that behaves like a bad network, on command, while it runs.

Bytes are never lost, doubled or reordered within a connection (TCP does not do that): they come
late, or not at all because the connection ends. One thread, which runs an asyncio loop.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LINGER_RESET = struct.pack("ii", 1, 0)
_CHUNK = 65536


class Proxy:
    """Forwards connections on 127.0.0.1:`port` to `host`:`target_port`.

        with Proxy("127.0.0.1", 1883) as proxy:
            connect("127.0.0.1", proxy.port)
            proxy.drop()

    `accepted` counts the connections it took in, `passed` the chunks it handed on. `seed` makes
    the choice of delayed chunks repeat.
    """

    def __init__(self, host: str, target_port: int, port: int = 0, seed: int = 0) -> None:
        self._target, self.port = (host, target_port), port
        self.accepted = self.passed = 0
        self._random = random.Random(seed)
        self._latency, self._share, self._seconds = 0.0, 0.0, 0.0
        self._pairs: set[_Pair] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> "Proxy":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "Proxy":
        """Listens; `port` is known from then on. Raises OSError where it is taken."""
        self._thread.start()
        self._await(self._listen)
        return self

    def stop(self) -> None:
        """Ends every connection and the thread."""
        self._await(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def drop(self) -> int:
        """Resets every connection (RST to both sides); how many there were."""
        return self._await(self._drop)

    def refuse(self, refusing: bool) -> None:
        """While True nothing listens, so connecting fails at once. What is open stays."""
        self._await(self._close_listener if refusing else self._listen)

    def silence(self, silent: bool) -> None:
        """While True the link is half-open: connections are taken, and nothing gets through.

        Not even that one side has closed. What was held back comes afterwards, in order; end the
        connections with `drop` where it never should.
        """
        self._await(self._hold if silent else self._release)

    def delay(self, share: float, seconds: float) -> None:
        """That share of the chunks (0 to 1) comes `seconds` late, and what follows it waits."""
        self._share, self._seconds = share, seconds

    def latency(self, seconds: float) -> None:
        """Everything comes that much later, each way."""
        self._latency = seconds

    def _lateness(self) -> float:
        late = self._random.random() < self._share
        return self._latency + (self._seconds if late else 0.0)

    def _await(self, act: Callable[[], Awaitable[T]]) -> T:
        """Runs `act` in the proxy's thread."""

        async def run() -> T:
            return await act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close_listener(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _hold(self) -> None:
        self._flowing.clear()

    async def _release(self) -> None:
        self._flowing.set()

    async def _drop(self) -> int:
        dropped = len(self._pairs)
        for pair in list(self._pairs):
            pair.reset()
        self._pairs.clear()
        return dropped

    async def _end(self) -> None:
        await self._close_listener()
        await self._drop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # asyncio 3.11 would log `stop` as error
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            pair.add(far_writer)
            async with asyncio.TaskGroup() as tasks:
                self._forward(tasks, reader, far_writer)
                self._forward(tasks, far_reader, writer)
            pair.close()
        except* OSError:
            pass  # one side is gone, so the other goes too
        finally:
            self._pairs.discard(pair)
            pair.reset()

    def _forward(
        self, tasks: asyncio.TaskGroup, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One direction, in two tasks that end with it. They raise OSError at a reset."""
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        tasks.create_task(self._collect(reader, late))
        tasks.create_task(self._deliver(late, writer))

    async def _collect(
        self, reader: asyncio.StreamReader, late: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        chunk = b"not the end"
        while chunk:
            chunk = await reader.read(_CHUNK)
            late.put_nowait((self._loop.time() + self._lateness(), chunk))

    async def _deliver(
        self, late: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        chunk = b"not the end"
        while chunk:
            due, chunk = await late.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
            self.passed += 1
        writer.write_eof()


class _Pair:
    """The two ends of one connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writers = [writer]
        self._ended = False

    def add(self, writer: asyncio.StreamWriter) -> None:
        """Raises ConnectionResetError where it was reset before it had both ends."""
        self._writers.append(writer)
        if self._ended:
            self.reset()
            raise ConnectionResetError

    def close(self) -> None:
        """In good order: what was written still arrives."""
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """At once, with RST; harmless where it is closed."""
        self._ended = True
        for writer in self._writers:
            raw: socket.socket = writer.get_extra_info("socket")
            if not writer.is_closing():
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
                writer.transport.abort()
