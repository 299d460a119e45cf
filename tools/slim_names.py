"""The names that only the firmware itself knows become short ones, and as few as can be.

A board keeps a name for all files and for ever: its text, its hash and a place in a table that
doubles when it is full. So
- names of attributes, functions, classes and values become such as every port has in ROM anyway,
  for its mathematics (SPARE), then _a, _b and so on. One of those stands for many names: for any
  that no file, and no file whose classes it inherits from, has together;
- parameters nobody passes by name become others of these (see slim_parameters).
Left alone is what somebody else knows by its name: what Python, MicroPython, the chip's modules
and umqtt have, what the fixed part of the firmware asks for, what stands in a text anywhere, and
what an `__init__.py` hands on. People's programs may call the parameters of OPEN by name.

`meant` says what a traceback is about.
"""

import ast
import asyncio
import builtins
import hashlib
import io
import itertools
import re
import socket
import ssl
import string
import types
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from types import MappingProxyType

from tools.slim_parameters import Parameters, bound, is_set

Trees = Mapping[str, ast.Module]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_OURS = ("app", "protocol")  # packages
OPEN = ("console", "/emulation/")  # how the names of such modules begin

# Of the modules `math` and `uctypes`, which the firmware does without; a test checks that.
_SPARE = """
ceil cosh erfc fabs fmod INT8 LONG log2 modf polar sinh sqrt tanh UINT VOID acosh ARRAY asinh atan2
atanh expm1 frexp gamma INT16 INT32 INT64 isinf isnan ldexp log10 trunc SHORT UINT8 ULONG BFINT8
NATIVE lgamma sizeof UINT16 UINT32 UINT64 USHORT BF_LEN BF_POS BFINT16 BFINT32 BFUINT8 degrees
radians FLOAT32 FLOAT64 BFUINT16 BFUINT32 copysign isfinite LONGLONG bytes_at ULONGLONG addressof
BIG_ENDIAN bytearray_at LITTLE_ENDIAN
"""
SPARE = tuple(_SPARE.split())

_PYTHON = (
    builtins, str, bytes, bytearray, dict, list, set, tuple, int, float, memoryview, Exception,
    types.ModuleType, types.GeneratorType, io, io.BytesIO, io.FileIO, io.TextIOWrapper, asyncio,
    asyncio.Event, asyncio.Task, asyncio.StreamReader, socket, socket.socket, ssl, ssl.SSLContext,
    ssl.SSLSocket, hashlib, hashlib.sha256(),
)  # fmt: skip


class Names:
    """What becomes of the names in `trees`, {dotted name of a module: its source}.

    `others` are files with which these have to do: their names stay as they are. Of those that
    are among `trees` as well, the names that begin with an underscore do not. `homes`: {module:
    bundle it becomes a part of}; what such modules have at their top, the bundle has together.
    """

    def __init__(
        self,
        trees: Trees,
        others: Iterable[ast.AST],
        homes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        half = [tree for tree in others if tree in trees.values()]
        whole = [tree for tree in others if tree not in trees.values()]
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        self._passed = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
        self._bound = {module: _bound_at_top(tree) for module, tree in trees.items()}
        kept = {name for node in nodes for name in _said(node)} | _known(whole)
        kept |= {name for name in _known(half) if name[:1] != "_"}
        kept |= {part for one in (*trees, *homes.values()) for part in re.split("[./]", one)}
        self._places = _places(trees, self._bound, kept, homes)
        self._short = _shared(self._places)

    def renamed(self, tree: ast.Module, module: str) -> ast.AST:
        """The same tree, its names replaced."""
        top = self._bound.get(module) or _bound_at_top(tree)
        short = _Renamed(self._short, top).visit(tree)
        return short if module.startswith(OPEN) else Parameters(self._passed).visit(short)

    def turned(self, text: str) -> str:
        """The source of a program that changes what these modules have, for those renamed."""
        return ast.unparse(_Renamed(self._short, set()).visit(ast.parse(text)))

    def meant(self, module: str) -> dict[str, str]:
        """{short name: name in the source} of what a module has."""
        return {
            short: name
            for name, short in self._short.items()
            if any(module in family for family in self._places[name])
        }


def _places(
    trees: Trees, at_top: Mapping[str, Set[str]], kept: Set[str], homes: Mapping[str, str]
) -> dict[str, set[frozenset[str]]]:
    """{name: where it is to be told from others}, of what can be renamed."""
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    own: set[str] = set()  # somebody's for certain
    families = {module: family for family in _families(trees) for module in family}
    for module, tree in trees.items():
        mine, stored = _own(tree)
        own |= mine | at_top[module]
        for name in mine | stored | at_top[module]:
            found[name].add(families[module])
        for name in at_top[module] if module in homes else ():
            found[name].add(frozenset((homes[module],)))
    return {name: at for name, at in found.items() if name in own - kept and len(name) > 2}


def _shared(places: Mapping[str, Set[frozenset[str]]]) -> dict[str, str]:
    """{name: short name}; those with many places first, for the others then fit in between."""
    taken: dict[str, set[frozenset[str]]] = defaultdict(set)
    out = {}
    for name in sorted(places, key=lambda name: (-len(places[name]), name)):
        out[name] = next(short for short in _letters() if not taken[short] & places[name])
        taken[out[name]] |= places[name]
    return out


def _letters() -> Iterator[str]:
    """The SPARE ones, _a, _b, ... _Z, _a1, and so on: what no source has."""
    yield from SPARE
    for number in itertools.count():
        for letter in string.ascii_letters:
            yield f"_{letter}{number or ''}"


class _Renamed(ast.NodeTransformer):
    """`at_top`: the names a module has at its top, or imports; another one may be a variable's."""

    def __init__(self, short: Mapping[str, str], at_top: Set[str]) -> None:
        self._short = short
        self._bound = {name: new for name, new in short.items() if name in at_top}

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node, ast.Attribute):
            node.attr = self._short.get(node.attr, node.attr)
        elif isinstance(node, ast.Name):
            node.id = self._bound.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = self._bound.get(node.arg, node.arg)
        elif isinstance(node, (*_DEFINITIONS, ast.alias)):
            node.name = self._short.get(node.name, node.name)
        return node


def _bound_at_top(tree: ast.Module) -> set[str]:
    """What a module has, constants of the compiler excepted; and all it imports, anywhere."""
    found: set[str] = set()
    for line in _at_top(tree):
        if isinstance(line, _DEFINITIONS):
            found.add(line.name)
        elif isinstance(line, ast.Assign) and not ast.unparse(line.value).startswith("const("):
            found |= {node.id for node in ast.walk(line) if is_set(node)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {one.name for one in node.names}
    return found


def _at_top(node: ast.AST) -> Iterator[ast.AST]:
    """The lines of a module, those of a `try` or an `if` included."""
    for line in ast.iter_child_nodes(node):
        yield line
        if isinstance(line, ast.Try | ast.If | ast.ExceptHandler):
            yield from _at_top(line)


def _own(tree: ast.Module) -> tuple[set[str], set[str]]:
    """(what a module's classes and instances have, what it stores with others)."""
    mine: set[str] = set()
    stored: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            mine |= {line.name for line in node.body if isinstance(line, _DEFINITIONS)}
            typed = [line.target for line in node.body if isinstance(line, ast.AnnAssign)]
            mine |= {one.id for one in typed if isinstance(one, ast.Name)}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            at_self = isinstance(node.value, ast.Name) and node.value.id == "self"
            (mine if at_self else stored).add(node.attr)
    return mine, stored


def _said(node: ast.AST) -> set[str]:
    """The names a node needs as they are."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Import):
        return bound(node)
    if isinstance(node, ast.ImportFrom):
        ours = node.level or (node.module or "").startswith(_OURS)
        return {one.asname or one.name for one in node.names if one.asname or not ours}
    if isinstance(node, ast.keyword) and node.arg:
        return {node.arg}
    if isinstance(node, ast.ClassDef):  # its values, which are names like any variable
        values = [line for line in node.body if isinstance(line, ast.Assign)]
        return {one.id for line in values for one in ast.walk(line) if isinstance(one, ast.Name)}
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inner = (one for one in ast.walk(node) if one is not node)
        return {one.name for one in inner if isinstance(one, _DEFINITIONS)}
    return bound(node)


def _known(others: Iterable[ast.AST]) -> set[str]:
    """What others call something, and Python's own names."""
    found = {name for one in _PYTHON for name in dir(one)}
    for tree in others:
        for node in ast.walk(tree):
            found |= {getattr(node, kind, None) or "" for kind in ("attr", "id", "arg", "name")}
            found |= _said(node)
    return {name for name in found if isinstance(name, str)}


def _families(trees: Trees) -> list[frozenset[str]]:
    """Modules by themselves, or with those whose classes theirs inherit from."""
    found = [frozenset((module,)) for module in trees]
    for module, tree in trees.items():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        bases = {base.id for one in classes for base in one.bases if isinstance(base, ast.Name)}
        for line in ast.walk(tree):
            if isinstance(line, ast.ImportFrom) and bases & {one.name for one in line.names}:
                end = "." + (line.module or "").rpartition(".")[2]
                found = _joined(found, {module, *(it for it in trees if it.endswith(end))})
    return found


def _joined(families: list[frozenset[str]], some: set[str]) -> list[frozenset[str]]:
    apart = [one for one in families if not one & some]
    return [*apart, frozenset().union(*(one for one in families if one & some))]
