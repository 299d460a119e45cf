"""Pictures on their way to the backend: one after another, a few chunks at a time.

Rules of this file:
- no more than _WINDOW messages unconfirmed, and none while others wait: commands get through;
- a chunk is read from flash when its turn comes, and read again where the outbox had to drop it;
- nothing is given up because the link is gone: the outbox goes on when it is back;
- sent is a picture of which everything that was asked for was confirmed.
"""

import asyncio

from micropython import const
from protocol import ProtocolError, image
from protocol.messages import COMPLETED, FAILED
from protocol.topics import IMAGE

_WINDOW = const(2)
_CROWD = const(6)  # messages in the outbox, chunks included
_LOOK_MS = const(10)
_JOBS = const(4)
_HEADER = const(-1)


class Transfer:
    """`capturing`: a picture is being taken. `node.camera` is this while there is work."""

    def __init__(self, node, pictures):
        self._node, self._pictures = node, pictures
        self._jobs = []  # (command id or "", image id or None, parts)
        self.capturing = False
        self._running = False
        self._chunks = self._bytes = self._count = 0

    def add(self, command_id, image_id, parts):
        """Send a picture, or all unsent ones if `image_id` is None; tell what became of it.

        Without a `command_id` nobody is told, and nothing is done where too much waits already;
        else raises ProtocolError (busy).
        """
        if len(self._jobs) >= _JOBS:
            if command_id:
                raise ProtocolError("busy", "command_type", "too many pictures are to be sent")
            return
        self._jobs.append((command_id, image_id, parts))
        if not self._running:
            self._running = True
            self._node.spawn(self._run())

    def rest(self):
        """Take no memory where there is no work."""
        if not self._running and not self.capturing:
            self._node.camera = None

    async def _run(self):
        while self._jobs:
            await self._job(*self._jobs[0])
            self._jobs.pop(0)
        self._running = False
        self.rest()

    async def _job(self, command_id, image_id, parts):
        self._chunks = self._bytes = self._count = 0
        state, error = COMPLETED, None
        # Looked up only now: a job before this one may have changed its name.
        names = [self._pictures.find(image_id)] if image_id else self._pictures.names("u")
        for name in names:
            try:
                await self._send(name, parts)
            except OSError:  # it may have been deleted in between
                state, error = FAILED, "storage"
        if command_id:
            result = {"chunks": self._chunks, "bytes": self._bytes}
            if not image_id:
                result["images"] = self._count
            self._node.finish(command_id, state, error, result)

    async def _send(self, name, parts):
        """The header and the chunks of `parts` ([(first, last)], None: all), until confirmed."""
        if name is None:
            raise OSError("it is gone")
        size, digest, captured, width, height = self._pictures.facts(name)
        image_id = name[8:]
        header = image.Header(image_id, size, image.CHUNK_SIZE, captured, width, height, digest)
        last = image.chunks_of(size, image.CHUNK_SIZE) - 1
        todo = _indexes(parts or [(0, last)])
        await self._drain(name, header, todo)
        self._pictures.mark_sent(name)
        self._count += 1

    async def _drain(self, name, header, todo):
        flying: list = []  # (index, Message)
        again: list = []  # indexes of what the outbox had to drop
        while True:
            again.extend(index for index, message in flying if message.data == b"")
            flying = [one for one in flying if one[1].data]
            if len(flying) < _WINDOW and self._node.unconfirmed() < _CROWD:
                index = again.pop() if again else next(todo, None)
                if index is not None:
                    flying.append((index, self._publish(name, header, index)))
                    await asyncio.sleep_ms(0)
                    continue
                if not flying:
                    return
            await asyncio.sleep_ms(_LOOK_MS)

    def _publish(self, name, header, index):
        if index == _HEADER:
            return self._node.publish(IMAGE, lambda key: image.encode_header(header, key))
        at = index * image.CHUNK_SIZE
        data = self._pictures.read(name, at, min(image.CHUNK_SIZE, header.size - at))
        chunk = image.Chunk(header.image_id, index, data)
        message = self._node.publish(IMAGE, lambda key: image.encode_chunk(chunk, key))
        self._chunks += 1
        self._bytes += len(data)
        return message


def _indexes(parts):
    yield _HEADER
    for first, last in parts:
        for index in range(first, last + 1):
            yield index
