"""Sending pictures: one after another, a few chunks at a time.

Rules of this file:
- no more than _WINDOW messages unconfirmed, and none while others wait: commands get through;
- a chunk is read from flash when its turn comes, and read again where the outbox had to drop it;
- nothing is given up because the link is gone: the outbox goes on when it is back;
- nothing is sent without the memory it takes on its way out, for that would end the program;
- sent is a picture of which everything that was asked for was confirmed.
"""

import asyncio

from micropython import const
from protocol.messages import COMPLETED, FAILED
from protocol.topics import IMAGE

from . import once

_WINDOW = const(2)
_CROWD = const(6)  # messages in the outbox, chunks included
_LOOK_MS = const(10)
_HEADER = const(-1)
_MESSAGE_BYTES = const(1280)  # a chunk with all that is around it
_COPIES = const(3)  # as signed, as a packet, and on the wire
_AGAIN_MS = const(200)
_TRIES = const(50)


async def run(node, command_id, image_id, parts):
    """Send a picture, or all unsent ones if `image_id` is None. See camera_jobs.

    `parts` are its chunks as [(first, last)], None for all.
    """
    pictures, image = once("pictures").Pictures(), once("image", "protocol")
    state, error = COMPLETED, None
    chunks = size = images = 0
    # Looked up only now: a job before this one may have changed its name.
    for name in [pictures.find(image_id)] if image_id else pictures.names("u"):
        try:
            sent = await _send(node, pictures, image, name, parts)
            chunks, size, images = chunks + sent[0], size + sent[1], images + 1
        except OSError:  # it may have been deleted in between
            state, error = FAILED, "storage"
    return state, error, {"chunks": chunks, "bytes": size, "images": images}


async def _send(node, pictures, image, name, parts):
    """(chunks, bytes) once the header and all those of `parts` were confirmed."""
    if name is None:
        raise OSError("it is gone")
    size, digest, captured, width, height = pictures.facts(name)
    image_id = pictures.id_of(name)
    header = (image_id, size, image.CHUNK_SIZE, captured, width, height, digest)
    last = image.chunks_of(size, image.CHUNK_SIZE) - 1
    parts = parts or [(0, last)]

    def publish(index):
        if index == _HEADER:
            return node.publish(IMAGE, lambda key: image.encode_header(header, key))
        at = index * image.CHUNK_SIZE
        data = pictures.read(name, at, min(image.CHUNK_SIZE, size - at))
        return node.publish(IMAGE, lambda key: image.encode_chunk(image_id, index, data, key))

    await _drain(node, publish, _indexes(parts))
    pictures.mark_sent(name)
    chunks = sum(part[1] - part[0] + 1 for part in parts)
    short = last * image.CHUNK_SIZE + image.CHUNK_SIZE - size if parts[-1][1] == last else 0
    return chunks, chunks * image.CHUNK_SIZE - short


async def _drain(node, publish, todo):
    """Publish all of `todo`; returns when each was confirmed."""
    flying: list = []  # (index, Message)
    again: list = []  # indexes of what the outbox had to drop
    while True:
        again.extend(index for index, message in flying if message.data == b"")
        flying = [one for one in flying if one[1].data]
        if len(flying) < _WINDOW and len(node.outbox) < _CROWD:
            index = again.pop() if again else next(todo, None)
            if index is not None:
                await _room()
                flying.append((index, publish(index)))
                await asyncio.sleep_ms(0)
                continue
            if not flying:
                return
        await asyncio.sleep_ms(_LOOK_MS)


async def _room():
    """Wait until there is memory for a message on its way out. Raises MemoryError."""
    for _ in range(_TRIES):
        try:
            pieces = [bytearray(_MESSAGE_BYTES) for _ in range(_COPIES)]
            pieces.clear()
            return
        except MemoryError:
            await asyncio.sleep_ms(_AGAIN_MS)
    raise MemoryError


def _indexes(parts):
    yield _HEADER
    for first, last in parts:
        yield from range(first, last + 1)
