"""Makes firmware smaller before it is compiled; what a program does stays the same.

- Constants of other modules become their values: slim_values.
- What a board never does goes: a `try` for what only CPython has, types.
- Comprehensions become loops: slim_loops.
- Texts for people lie in one piece: slim_texts.
- Modules that are in memory together become one: slim_bundles.
- Names become short, and few: slim_names.

Beside that, `names` are what app/start.py makes names of before all else is loaded, in one
piece of memory. A name is never let go, so one that comes later leaves a hole that stays:
- the long texts of what is always in memory; as names they take half of it;
- all names of what every board loads now and then.

    python -m tools.slim moving         what the short names in a traceback of app/moving.mpy mean
"""

import ast
import sys
import threading
from collections.abc import Iterator
from copy import deepcopy
from functools import cache

from tools import umqtt
from tools.slim_bundles import bundled, home, moved
from tools.slim_loops import with_loops
from tools.slim_names import Names
from tools.slim_sources import EMULATED, FIRMWARE, staying, trees
from tools.slim_texts import SHORT, Texts
from tools.slim_values import without_constants

_LONGEST = 200  # characters of what is made a name; MicroPython takes 255 bytes
_NO_BOARD_HAS = {"hmac", "JSONEncoder"}

# What a board without sensors and without a camera loads, and lets go again.
_NOW_AND_THEN = (
    "app.assembly", "app.checks", "app.settings", "app.actuator_settings", "app.recovery",
    "app.origin", "app.prove", "app.health", "app.slots", "app.dial", "app.hello",
    "app.controls", "app.services", "app.get_log", "app.errorlog", "app.config",
    "app.update_config", "app.config_change", "app.config_trial", "app.sleep", "app.rtc",
    "app.update_firmware", "app.restarting", "app.farewell", "protocol.reports",
    "protocol.startup", "app.joining", "app.wake_schedule",
)  # fmt: skip

_LOCK = threading.RLock()


def slimmed(text: str, module: str) -> str:
    """The source of the module with this dotted name, made smaller. From any thread."""
    with _LOCK:  # CPython 3.11 counts the depth of all threads' trees together, and fails
        return _slimmed(text, module)


def turned(text: str) -> str:
    """A program that changes attributes of the firmware's modules, by the names these have."""
    with _LOCK:
        return _names_of_all().turned(ast.unparse(moved(ast.parse(text), "")))


def names() -> bytes:
    """See above; one a line. From any thread."""
    with _LOCK:
        return _names()


@cache
def _slimmed(text: str, module: str) -> str:
    tree, place = _plain(ast.parse(text), module), home(module)
    if place == module:
        return _short(moved(tree, module), module)
    return _short(bundled({**_plain_trees(), module: tree})[place], place)


def _short(tree: ast.Module, place: str) -> str:
    tree = _texts().shared(tree) if place in _always() else tree
    tree = _texts().told(tree) if place == "app" else tree
    return ast.unparse(ast.fix_missing_locations(_names_of_all().renamed(tree, place)))


def _plain(tree: ast.Module, module: str) -> ast.Module:
    tree = _OnBoard().visit(tree)
    # What a package imports, it hands on.
    return with_loops(without_constants(tree, module) if "." in module else tree)


@cache
def _plain_trees() -> dict[str, ast.Module]:
    return {module: _plain(deepcopy(tree), module) for module, tree in trees().items()}


@cache
def _on_board() -> dict[str, ast.Module]:
    return bundled(_plain_trees())


@cache
def _names() -> bytes:
    found: set[str] = set()
    for module in _always():
        found.update(_texts_in(_small(module)))
    for module in _NOW_AND_THEN:
        found.update(_names_in(_small(module)))
    return "".join(f"{name}\n" for name in sorted(found)).encode()


@cache
def _names_of_all() -> Names:
    """The fixed part and umqtt have names of their own, packages and the emulation partly so;
    so has `slots`, which is in the fixed part, too, and is asked over the cable.
    """
    fixed = {module: tree for module, tree in _plain_trees().items() if "." not in module}
    partly = {f"/emulation/{path.stem}.mpy": path for path in EMULATED.glob("*.py")}
    partly |= {path.parent.name: path for path in FIRMWARE.rglob("__init__.py")}
    known = {module: ast.parse(path.read_text()) for module, path in partly.items()}
    mine = {module: tree for module, tree in _plain_trees().items() if module not in fixed}
    homes = {module: home(module) for module in mine if home(module) != module}
    others = [*fixed.values(), *known.values(), mine["app.slots"]]
    others.append(ast.parse(umqtt.fetch().read_text()))
    return Names({**mine, **known}, others, homes)


@cache
def _texts() -> Texts:
    return Texts(_on_board()[module] for module in _always())


@cache
def _always() -> list[str]:
    """What is always in memory, as a board has it."""
    return sorted({home(module) for module in staying()} & _on_board().keys() - {"micropython"})


class _OnBoard(ast.NodeTransformer):
    """What is for CPython or for mypy goes."""

    def visit_Try(self, node: ast.Try) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        asked = {getattr(one, kind, "") for one in ast.walk(node) for kind in ("module", "attr")}
        return node.handlers[0].body if asked & _NO_BOARD_HAS else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        self.generic_visit(node)
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        target, value = node.target, node.value
        return ast.Assign([target], value, lineno=node.lineno) if value else None


def _small(module: str) -> ast.Module:
    return ast.parse(_short(deepcopy(_on_board()[module]), module))


def _texts_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None  # a docstring, which no board has
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and SHORT < len(value) <= _LONGEST and value.isprintable():
            yield value


def _names_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.value,) if 0 < len(node.value) <= SHORT else ()
        elif isinstance(node, ast.ImportFrom):
            yield from (one.name for one in node.names)


def main(arguments: list[str]) -> None:
    """See the head of this file."""
    for name in arguments:
        for module in trees():
            if name in (module.rpartition(".")[2], home(module).rpartition(".")[2]):
                for short, meant in sorted(_names_of_all().meant(module).items()):
                    print(f"{module}: {short} is {meant}")


if __name__ == "__main__":
    main(sys.argv[1:])
