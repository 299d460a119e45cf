"""Parameters nobody passes by name become PLACES, then _11, _12 and so on, in their order."""

import ast
from collections.abc import Set

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# In the ROM of every port, for `math` and `uctypes`; see slim_names.
PLACES = ("pi", "sin", "cos", "tan", "erf", "exp", "PTR", "INT", "acos", "asin", "atan")

_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


class Parameters(ast.NodeTransformer):
    """`passed`: names that some call gives with a = behind them."""

    def __init__(self, passed: Set[str]) -> None:
        self._passed = passed
        self._new: dict[str, str] = {}  # of the functions around

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, Function):
            return self._inside(node)
        self.generic_visit(node)
        if isinstance(node, ast.Name):
            node.id = self._new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = self._new.get(node.arg, node.arg)
        return node

    def _inside(self, node: Function) -> ast.AST:
        around = self._new
        defaults = [self.visit(one) for one in node.args.defaults]  # these are of the outside
        wanted = [name for name in _parameters(node) if name not in self._passed | _bound_in(node)]
        new = {name: _at(len(around) + number) for number, name in enumerate(wanted)}
        self._new = {**around, **new}
        self.generic_visit(node)
        self._new, node.args.defaults = around, defaults  # type: ignore[assignment]
        return node


def _at(number: int) -> str:
    return PLACES[number] if number < len(PLACES) else f"_{number}"


def _parameters(node: Function) -> list[str]:
    """Those that can be given by their place, but `self`, which every port has."""
    given = (*node.args.posonlyargs, *node.args.args, node.args.vararg, node.args.kwarg)
    return [one.arg for one in given if one and one.arg != "self"]


def _bound_in(function: Function) -> set[str]:
    """What a function or comprehension inside of it, an import or an `except` gives a value to."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, _SCOPES) and node is not function:
            found |= {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}
            found |= {one.id for one in ast.walk(node) if is_set(one)}  # type: ignore[attr-defined]
        found |= bound(node)
    return found


def bound(node: ast.AST) -> set[str]:
    """The names a node gives a value to where they are no nodes themselves."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {one.asname or one.name for one in node.names}
    if isinstance(node, ast.Global | ast.Nonlocal):
        return set(node.names)
    return {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()


def is_set(node: ast.AST) -> bool:
    """Whether it gives a value to a name."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
