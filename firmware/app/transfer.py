"""Sending pictures: one after another, a few chunks at a time.

Rules of this file:
- no more than _WINDOW messages unconfirmed, and none while others wait: commands get through;
- a chunk is read from flash when its turn comes, and read again where the outbox had to drop it;
- nothing is given up because the link is gone: the outbox goes on when it is back;
- sent is a picture of which everything that was asked for was confirmed.
"""

import asyncio

from micropython import const
from protocol import image
from protocol.messages import COMPLETED, FAILED
from protocol.topics import IMAGE

from . import once

_WINDOW = const(2)
_CROWD = const(6)  # messages in the outbox, chunks included
_LOOK_MS = const(10)
_HEADER = const(-1)


async def run(node, command_id, image_id, parts):
    """Send a picture, or all unsent ones if `image_id` is None, and say what became of it.

    `parts` are its chunks as [(first, last)], None for all. Without a `command_id` nobody is told.
    """
    pictures = once("pictures").Pictures()
    state, error = COMPLETED, None
    chunks = size = images = 0
    # Looked up only now: a job before this one may have changed its name.
    for name in [pictures.find(image_id)] if image_id else pictures.names("u"):
        try:
            sent = await _send(node, pictures, name, parts)
            chunks, size, images = chunks + sent[0], size + sent[1], images + 1
        except OSError:  # it may have been deleted in between
            state, error = FAILED, "storage"
    if command_id:
        result = {"chunks": chunks, "bytes": size, "images": images}
        node.finish(command_id, state, error, result)


async def _send(node, pictures, name, parts):
    """(chunks, bytes) once the header and all those of `parts` were confirmed."""
    if name is None:
        raise OSError("it is gone")
    size, digest, captured, width, height = pictures.facts(name)
    header = (name[8:], size, image.CHUNK_SIZE, captured, width, height, digest)
    last = image.chunks_of(size, image.CHUNK_SIZE) - 1
    parts = parts or [(0, last)]

    def publish(index):
        if index == _HEADER:
            return node.publish(IMAGE, lambda key: image.encode_header(header, key))
        at = index * image.CHUNK_SIZE
        data = pictures.read(name, at, min(image.CHUNK_SIZE, size - at))
        return node.publish(IMAGE, lambda key: image.encode_chunk(name[8:], index, data, key))

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
        if len(flying) < _WINDOW and node.unconfirmed() < _CROWD:
            index = again.pop() if again else next(todo, None)
            if index is not None:
                flying.append((index, publish(index)))
                await asyncio.sleep_ms(0)
                continue
            if not flying:
                return
        await asyncio.sleep_ms(_LOOK_MS)


def _indexes(parts):
    yield _HEADER
    for first, last in parts:
        yield from range(first, last + 1)
