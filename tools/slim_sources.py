"""The firmware's sources, as trees, and which file imports which."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
EMULATED = FIRMWARE.parent / "boards" / "UNIX" / "modules"

_ROOTS = (FIRMWARE, FIRMWARE / "lib")
_ASSEMBLY = "app.assembly"


@cache
def trees() -> dict[str, ast.Module]:
    """{dotted name: source} of the firmware's modules that are no packages. Not to be changed."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): ast.parse(path.read_text())
        for root in _ROOTS
        for path in root.rglob("*.py")
        if path.stem != "__init__" and (root != FIRMWARE or "lib" not in path.parts)
    }


@cache
def staying() -> set[str]:
    """The modules that are always in memory."""
    return _imported_by(_ASSEMBLY) - {_ASSEMBLY}


def imported_from(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of what is imported from; `package` is whose module it stands in."""
    parts = (package if node.level else "", node.module or "")
    return ".".join(part for part in parts if part)


def _imported_by(module: str) -> set[str]:
    """That module and all that come with it, but for what is imported in a function."""
    found: set[str] = set()
    todo = [module]
    while todo:
        one = todo.pop()
        if one in trees() and one not in found:
            found.add(one)
            todo += _imports(one)
    return found


def _imports(module: str) -> Iterator[str]:
    for line in trees()[module].body:
        if isinstance(line, ast.ImportFrom):
            name = imported_from(line, module.rpartition(".")[0])
            yield from (name, *(f"{name}.{one.name}" for one in line.names))
