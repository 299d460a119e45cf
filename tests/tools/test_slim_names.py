"""What the short names of compiled firmware must not change: what a program does."""

import ast
import re
from pathlib import Path
from typing import Any

from tools.slim_names import SPARE, Names
from tools.slim_parameters import PLACES

WIRE = """
_open = []
class Wire:
    def __init__(self, sock, *, level=3):
        self._sock, self.level = sock, level
        self._again = 1
    def _step(self, function, *rest):
        return [function(one, level) for one in rest for level in (self.level,)]
    def steps(self, function, rest, found=None):
        found = found or sorted(rest, key=lambda one: -one)
        _open.append(rest)
        later = lambda rest: self._step(function, *rest)
        try:
            return later(found) + [self._again, len(_open), found is rest]
        except ValueError as why:
            return str(why)
"""
SEALED = """
from wire import Wire
class Sealed(Wire):
    def __init__(self, sock):
        super().__init__(sock, level=5)
        self._calm = sock
    def _quiet(self, sock):
        return self._calm, self._sock, self._again, sock, self._kept
    def quiet(self, sock):
        return self._quiet(sock)
    _kept = property(lambda self: self._calm * 2)
def seen(wire):
    pairs = wire.steps(lambda one, level: (one, level), [1, 2], found=None)
    return pairs, wire.quiet(9), wire._kept
"""
TREES = {"app.wire": ast.parse(WIRE), "app.sealed": ast.parse(SEALED)}


def run(texts: dict[str, str]) -> Any:
    """What the two of them say."""
    wire: dict[str, Any] = {}
    exec(texts["app.wire"], wire)
    sealed: dict[str, Any] = {"Wire": wire["Wire"]}
    exec(texts["app.sealed"].replace("from wire import Wire", ""), sealed)
    return sealed["seen"](sealed["Sealed"](7))


def test_a_program_does_the_same() -> None:
    names = Names(TREES, [ast.parse("from wire import Wire; seen, Sealed")])
    short = {
        module: ast.unparse(names.renamed(ast.parse(ast.unparse(tree)), module))
        for module, tree in TREES.items()
    }
    assert run(short) == run({"app.wire": WIRE, "app.sealed": SEALED})
    assert "_again" not in short["app.sealed"] and "function" not in short["app.wire"]
    assert "_kept" in short["app.sealed"], "a value of a class"
    assert "level=3" in short["app.wire"], "somebody gives it by its name"


def test_a_family_shares_its_names_and_they_can_be_read_again() -> None:
    names = Names(TREES, [ast.parse("from wire import Wire; seen, Sealed")])
    meant = names.meant("app.wire")
    assert meant == names.meant("app.sealed") and "_again" in meant.values()
    assert not set(meant) & set(meant.values())


def test_no_source_has_a_name_that_a_short_one_could_be() -> None:
    sources = [path for root in ("firmware", "boards") for path in Path(root).rglob("*.py")]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    names = {getattr(node, kind, "") for node in nodes for kind in ("id", "attr", "arg", "name")}
    assert "once" in names
    assert not [name for name in names if name and re.fullmatch(r"_(\w|\d+)", name)]
    assert len({*SPARE, *PLACES} - names) == len(SPARE) + len(PLACES)
