"""Constants of other modules become their values.

On a board a name takes memory for as long as it runs, and so does its place in each module that
imports it. What is replaced:
- `from x import NAME`, where the firmware's module x says `NAME = ` a whole number, or a text so
  short that MicroPython keeps it as a name anyway, and NAME in x, too. One that nobody imports
  stays, so that a test can set it to something else;
- such a constant itself, where nothing needs it any more;
- the import of `const`, which the compiler carries out.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import TypeGuard

from tools.slim_sources import imported_from, trees
from tools.slim_texts import SHORT

Value = int | str


def without_constants(tree: ast.Module, module: str) -> ast.Module:
    """The same tree, that of the module with this dotted name, with values instead of names."""
    tree = _Values(module).visit(tree)
    used = {node.id for node in ast.walk(tree) if _is_read(node)} | _attributes()
    idle = _constants().get(module, {}).keys() - used
    tree.body = [line for line in tree.body if _constant(line) not in idle]
    return tree


class _Values(ast.NodeTransformer):
    """Puts the values where imported constants stand; the imports go."""

    def __init__(self, module: str) -> None:
        self._package = module.rpartition(".")[0]
        self._values = {**_shared().get(module, {})}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        known = _constants().get(imported_from(node, self._package), {})
        mine = [one.name for one in node.names if one.name in known and not one.asname]
        self._values.update({one: known[one] for one in mine})
        node.names = [one for one in node.names if one.name not in (*mine, "const")]
        return node if node.names else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        read = _is_read(node) and node.id in self._values
        return ast.Constant(self._values[node.id]) if read else node


@cache
def _constants() -> dict[str, dict[str, Value]]:
    """{module: {name: value}} of what can be replaced."""
    return {module: dict(_values_in(tree)) for module, tree in trees().items()}


@cache
def _shared() -> dict[str, dict[str, Value]]:
    """Of `_constants`, those that some other module imports."""
    found: dict[str, dict[str, Value]] = {}
    for importer, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = imported_from(node, importer.rpartition(".")[0])
                known = _constants().get(module, {})
                names = {one.name for one in node.names} & known.keys()
                found.setdefault(module, {}).update({name: known[name] for name in names})
    return found


@cache
def _attributes() -> set[str]:
    """Every name that is asked for as `something.name` anywhere."""
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _values_in(tree: ast.Module) -> Iterator[tuple[str, Value]]:
    known: dict[str, Value] = {}
    for line in tree.body:
        name, value = _constant(line), None
        if name.isupper() and isinstance(line, ast.Assign):
            value = _value(line.value, known)
        if type(value) is int or isinstance(value, str) and len(value) <= SHORT:
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
