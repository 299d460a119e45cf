"""A release on its way into the spare slot; see update_firmware."""

import asyncio
import errno
import os

from micropython import const
from protocol import ProtocolError, signature

from . import once
from .actuators import Fault
from .clock import ticks_add, ticks_diff, ticks_ms
from .flash import Flash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MANIFEST_BYTES = const(16384)
_TRIES = const(5)  # one after another in which not one byte came
_PAUSE_MS = const(1000)
_BLOCK = const(4096)  # of littlefs; also what a power cut may take of a download
_SPARE_BYTES = const(32768)  # for the journal and what else grows
_MOVING_MS = const(100)

_NEW = "/update.json"
_MARK = "/release.json"


class Part:
    """A file that grows: what `download.get` writes to."""

    def __init__(self, path, size, files, count):
        self.path, self.size, self._files, self._count = path, size, files, count
        self._file: Any = None
        self._unkept = 0

    def have(self):
        """Bytes on flash."""
        return self._files.size(self.path) or 0

    def begin(self, at, length):
        """Raises Fault (bad_release) where it is not the length it should be."""
        if self.size is None and length > _MANIFEST_BYTES:
            raise Fault("bad_release", {})
        if self.size is not None and at + length != self.size:
            raise Fault("bad_release", {})
        if at not in (0, self.have()):
            raise OSError(errno.EIO)
        self._file = open(self.path, "ab" if at else "wb")  # noqa: SIM115 (closed by `end`)

    def write(self, piece):
        """A block at a time is on flash for good."""
        self._count(len(piece))
        self._file.write(piece)
        self._unkept += len(piece)
        if self._unkept >= _BLOCK:
            self._unkept = 0
            self._file.flush()

    def end(self):
        """All of it is on flash."""
        if self._file:
            self._file.close()
            self._file = None


class Release:
    """`address`: what `download.split` returned of the manifest; `wanted`: version and sha256."""

    def __init__(self, node, address, wanted, seconds):
        self._node, self._wanted = node, wanted
        self._host, self._port, self._path = address
        self._peer = None
        self._spare = "/" + once("slots").other(node.slot)
        self._give_up = ticks_add(ticks_ms(), seconds * 1000)
        self._fetched = 0
        self._get = once("download").get
        self._files = once("files")

    def result(self):
        """Of the command."""
        slot, version = self._spare[1:], self._wanted["version"]
        return {"version": version, "slot": slot, "bytes": self._fetched}

    async def install(self):
        """All of it, to the beginning of its trial. False where it runs already.

        Raises Fault, OSError (of the flash).
        """
        if await self._is("/" + self._node.slot + _MARK):
            self._spare = "/" + self._node.slot
            return False
        await self._fetch_manifest()
        await self._check_space()
        self._files.remove(self._spare + _MARK)
        self._files.remove_others(self._spare, _NEW)
        for name, size, sha in self._files.entries(_NEW):
            await self._bring(name, size, sha)
        os.rename(_NEW, self._spare + _MARK)
        rules, flash = once("slots"), Flash()
        state = rules.parse(flash.read(rules.FILE))
        running = (self._node.slot, rules.NONE, 0, state[3])
        flash.replace(rules.FILE, rules.encode(rules.begin(running)))
        return True

    async def _fetch_manifest(self):
        if not await self._is(_NEW):
            self._files.remove(_NEW)
            await self._download(Part(_NEW, None, self._files, self._counted), self._path)
            if not await self._is(_NEW):
                raise Fault("bad_release", {})
        try:
            parts, tail = self._files.signed_parts(_NEW)
            signature.check(parts, tail, self._node.key)
            if self._files.version(_NEW) != self._wanted["version"]:
                raise ValueError
            for _ in self._files.entries(_NEW):
                pass
        except (ProtocolError, ValueError):
            raise Fault("bad_release", {})

    async def _is(self, path):
        return await self._files.digest(path) == self._wanted["sha256"].lower()

    async def _check_space(self):
        """Before anything is thrown away. Raises Fault (no_space)."""
        need, have = _SPARE_BYTES, self._files.free(_BLOCK)
        for size in self._files.sizes(self._spare):
            have += (size + _BLOCK - 1) // _BLOCK * _BLOCK
        for _, size, _ in self._files.entries(_NEW):
            need += (size + _BLOCK - 1) // _BLOCK * _BLOCK
        if need > have:
            raise Fault("no_space", {"need": need, "free": have})

    async def _bring(self, name, size, sha):
        """One file, from wherever it is."""
        place = self._spare + "/" + name
        if await self._files.digest(place) == sha:
            return
        self._files.make_folder(place)
        part = Part(self._spare + "/part." + sha[:16], size, self._files, self._counted)
        here = "/" + self._node.slot + "/" + name
        if await self._files.digest(here) == sha:
            await self._files.copy(here, part.path)
        else:
            await self._download(part, self._path[: self._path.rfind("/") + 1] + name)
        if await self._files.digest(part.path) != sha:
            self._files.remove(part.path)
            raise Fault("bad_release", {"file": name})
        os.rename(part.path, place)

    async def _download(self, part, path):
        """All of it on flash, over as many connections as it takes. Raises Fault."""
        if part.size == 0:
            open(part.path, "wb").close()
        failures = 0
        while part.size is None or part.have() < part.size:
            before = self._fetched
            try:
                await self._get(
                    await self._where(), self._host, path, part.size and part.have() or 0,
                    self._give_up, part,
                )  # fmt: skip
                if part.size is None:
                    return
            except OSError:
                failures = 0 if self._fetched > before else failures + 1
                if failures == _TRIES or ticks_diff(self._give_up, ticks_ms()) <= 0:
                    raise Fault("download", {"bytes": self._fetched})
                await asyncio.sleep_ms(_PAUSE_MS)
                while not self._node.network_up():
                    await asyncio.sleep_ms(_PAUSE_MS)
            finally:
                part.end()

    async def _where(self):
        """The server's address; looking up a name may block, so nothing may move."""
        while self._peer is None:
            while self._host.strip("0123456789.") and self._node.moving():
                await asyncio.sleep_ms(_MOVING_MS)
            self._peer = once("dial").peer(self._host, self._port)
        return self._peer

    def _counted(self, count):
        self._fetched += count
