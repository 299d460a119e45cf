"""Makes firmware smaller before it is compiled: constants of other modules become their values.

On a board a name takes memory for as long as it runs, and so does its place in each module that
imports it. What is replaced:
- `from x import NAME`, where the firmware's module x says `NAME = ` a whole number, or a text so
  short that MicroPython keeps it as a name anyway, and NAME in x, too. One that nobody imports
  stays, so that a test can set it to something else;
- such a constant itself, where nothing needs it any more;
- the import of `const`, which the compiler carries out.
What a package imports, it hands on: an `__init__.py` stays as it is.

Beside that, `names` are what app/start.py makes names of before all else is loaded, in one
piece of memory. A name is never let go, so one that comes later leaves a hole that stays:
- the long texts of what is always in memory; as names they take half of it;
- all names of what every board loads now and then.
"""

import ast
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

_FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"
_ROOTS = (_FIRMWARE, _FIRMWARE / "lib")
_LONGEST = 200  # characters of what is made a name; MicroPython takes 255 bytes
_SHORT = 10  # characters: MicroPython's MICROPY_ALLOC_PARSE_INTERN_STRING_LEN

# What a board without sensors and without a camera loads, and lets go again.
_NOW_AND_THEN = (
    "app.assembly", "app.checks", "app.settings", "app.actuator_settings", "app.recovery",
    "app.origin", "app.prove", "app.health", "app.slots", "app.dial", "app.hello",
    "app.controls", "app.services", "app.get_log", "app.errorlog", "app.config",
    "app.update_config", "app.config_change", "app.config_trial", "app.sleep", "app.rtc",
    "app.update_firmware", "app.restarting", "app.farewell", "protocol.reports",
    "protocol.startup", "app.joining", "app.wake_schedule",
)  # fmt: skip

Value = int | str

_LOCK = threading.RLock()


def slimmed(text: str, module: str) -> str:
    """The source of the module with this dotted name, made smaller. From any thread."""
    with _LOCK:  # CPython 3.11 counts the depth of all threads' trees together, and fails
        return _slimmed(text, module)


@cache
def _slimmed(text: str, module: str) -> str:
    tree = _Values(module).visit(ast.parse(text))
    used = {node.id for node in ast.walk(tree) if _is_read(node)} | _attributes()
    idle = _constants().get(module, {}).keys() - used
    tree.body = [line for line in tree.body if _constant(line) not in idle]
    return ast.unparse(ast.fix_missing_locations(tree))


def names() -> bytes:
    """See above; one a line, with a ~ where the slot is to stand. From any thread."""
    with _LOCK:
        return _names()


@cache
def _names() -> bytes:
    found: set[str] = set()
    for module in _imported_by("app.assembly"):
        found.update(_texts_in(_small(module)))
    for module in _NOW_AND_THEN:
        found |= {module, "/~/" + module.replace(".", "/") + ".mpy", *_names_in(_small(module))}
    return "".join(f"{name}\n" for name in sorted(found)).encode()


class _Values(ast.NodeTransformer):
    """Puts the values where imported constants stand; the imports go."""

    def __init__(self, module: str) -> None:
        self._package = module.rpartition(".")[0]
        self._values = {**_shared().get(module, {})}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        known = _constants().get(_from(node, self._package), {})
        mine = [one.name for one in node.names if one.name in known and not one.asname]
        self._values.update({one: known[one] for one in mine})
        node.names = [one for one in node.names if one.name not in (*mine, "const")]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        read = _is_read(node) and node.id in self._values
        return ast.Constant(self._values[node.id]) if read else node


@cache
def _trees() -> dict[str, ast.Module]:
    """{dotted name: source} of the firmware's modules that are no packages."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): ast.parse(path.read_text())
        for root in _ROOTS
        for path in root.rglob("*.py")
        if path.stem != "__init__" and (root != _FIRMWARE or "lib" not in path.parts)
    }


@cache
def _constants() -> dict[str, dict[str, Value]]:
    """{module: {name: value}} of what can be replaced."""
    return {module: dict(_values_in(tree)) for module, tree in _trees().items()}


@cache
def _shared() -> dict[str, dict[str, Value]]:
    """Of `_constants`, those that some other module imports."""
    found: dict[str, dict[str, Value]] = {}
    for importer, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = _from(node, importer.rpartition(".")[0])
                known = _constants().get(module, {})
                names = {one.name for one in node.names} & known.keys()
                found.setdefault(module, {}).update({name: known[name] for name in names})
    return found


@cache
def _attributes() -> set[str]:
    """Every name that is asked for as `something.name` anywhere."""
    nodes = (node for tree in _trees().values() for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _values_in(tree: ast.Module) -> Iterator[tuple[str, Value]]:
    known: dict[str, Value] = {}
    for line in tree.body:
        name, value = _constant(line), None
        if name.isupper() and isinstance(line, ast.Assign):
            value = _value(line.value, known)
        if type(value) is int or isinstance(value, str) and len(value) <= _SHORT:
            known[name] = value
            yield name, value


def _constant(line: ast.stmt) -> str:
    """The name a line of a module gives a value to, or ""."""
    if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
        return line.targets[0].id
    return ""


def _value(node: ast.expr, known: dict[str, Value]) -> object:
    """What such an expression is, or None where it is more than constants."""
    try:
        code = compile(ast.Expression(node), "constant", "eval")
        return eval(code, {"__builtins__": {}}, dict(known))
    except (NameError, TypeError):
        return None


def _is_read(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _from(node: ast.ImportFrom, package: str) -> str:
    """The dotted name of what is imported from; `package` is whose module it stands in."""
    parts = (package if node.level else "", node.module or "")
    return ".".join(part for part in parts if part)


def _imported_by(module: str) -> set[str]:
    """That module and all that come with it, but for what is imported in a function."""
    found: set[str] = set()
    todo = [module]
    while todo:
        one = todo.pop()
        if one in _trees() and one not in found:
            found.add(one)
            todo += _imports(one)
    return found


def _imports(module: str) -> Iterator[str]:
    for line in _trees()[module].body:
        if isinstance(line, ast.ImportFrom):
            name = _from(line, module.rpartition(".")[0])
            yield from (name, *(f"{name}.{one.name}" for one in line.names))


def _texts_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None  # a docstring, which no board has
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and _SHORT < len(value) <= _LONGEST and value.isprintable():
            yield value


def _small(module: str) -> ast.Module:
    return ast.parse(slimmed(ast.unparse(_trees()[module]), module))


def _names_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.value,) if 0 < len(node.value) <= _SHORT else ()
        elif isinstance(node, ast.ImportFrom):
            yield from (one.name for one in node.names)
