"""The flash of an emulated board: a littlefs image in a file, read and written from outside.

Only while the board is off: littlefs knows one owner at a time.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from littlefs import LittleFS

BLOCK_BYTES = 4096


class FlashImage:
    """The littlefs image at `path`; made empty with `kib` KiB where there is none."""

    def __init__(self, path: Path, kib: int = 512) -> None:
        self.path = path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # the board's key will be in it
            path.write_bytes(_open(block_count=kib * 1024 // BLOCK_BYTES).context.buffer)

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError."""
        return _content(self._mounted(), name)

    def files(self) -> dict[str, bytes]:
        """{path without the leading slash: content} of everything on it."""
        filesystem = self._mounted()
        return {name: _content(filesystem, name) for name in _walk(filesystem)}

    def write(self, files: Mapping[str, bytes | str]) -> None:
        """Puts {path: content} on it, making folders; the other files stay."""
        filesystem = self._mounted()
        for name, content in files.items():
            filesystem.makedirs("/".join(name.split("/")[:-1]), exist_ok=True)
            with filesystem.open(name, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        self.path.write_bytes(filesystem.context.buffer)

    def remove(self, name: str) -> None:
        """Deletes a file. Raises FileNotFoundError."""
        filesystem = self._mounted()
        filesystem.remove(name)
        self.path.write_bytes(filesystem.context.buffer)

    def _mounted(self) -> LittleFS:
        data = self.path.read_bytes()
        filesystem = _open(block_count=len(data) // BLOCK_BYTES, mount=False)
        filesystem.context.buffer = bytearray(data)
        filesystem.mount()
        return filesystem


def _open(block_count: int, mount: bool = True) -> LittleFS:
    """With the sizes MicroPython's VfsLfs2 uses."""
    return LittleFS(
        block_size=BLOCK_BYTES,
        block_count=block_count,
        prog_size=32,
        read_size=32,
        lookahead_size=32,
        mount=mount,
    )


def _walk(filesystem: LittleFS) -> Iterator[str]:
    for folder, _, names in filesystem.walk("/"):
        for name in names:
            yield f"{folder}/{name}".lstrip("/")


def _content(filesystem: LittleFS, name: str) -> bytes:
    # The open file does not keep its filesystem alive: whoever opens it has to.
    with filesystem.open(name, "rb") as file:
        return bytes(file.read())
