"""What firmware says to people, in one piece: `said(first, end)` instead of each text by itself.

As an object of its own a text takes 64 bytes and more of a board's memory, as a name a place in
the table of names. So the long texts in the functions of what is always in memory become parts of
one, which stands in app/__init__.py as TEXTS.
"""

import ast
from collections.abc import Iterable, Iterator

SHORT = 10  # characters: MicroPython's MICROPY_ALLOC_PARSE_INTERN_STRING_LEN


class Texts:
    """Of these sources."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self.whole = ""
        self._place: dict[str, int] = {}
        for text in sorted({text for tree in trees for text in _in_functions(tree)}):
            self._place[text] = len(self.whole)
            self.whole += text

    def shared(self, tree: ast.Module) -> ast.Module:
        """The same tree, its texts taken out of the whole."""
        mine = _Said(self._place)
        for node in _functions(tree):
            mine.visit(node)
        if mine.count:
            tree.body.insert(1, ast.ImportFrom("app", [ast.alias("said")], 0))
        return tree

    def told(self, tree: ast.Module) -> ast.Module:
        """app/__init__.py, with all of it."""
        for line in tree.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "TEXTS":
                line.value = ast.Constant(self.whole)
        return tree


class _Said(ast.NodeTransformer):
    def __init__(self, place: dict[str, int]) -> None:
        self._place, self.count = place, 0

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if not isinstance(node.value, ast.Constant):  # a docstring, which no board has
            self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        place = self._place.get(node.value) if isinstance(node.value, str) else None
        if place is None:
            return node
        self.count += 1
        ends: list[ast.expr] = [ast.Constant(place), ast.Constant(place + len(str(node.value)))]
        return ast.Call(ast.Name("said", ast.Load()), ends, [])


def _in_functions(tree: ast.Module) -> Iterator[str]:
    for function in _functions(tree):
        docs = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Expr)}
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                long = len(node.value) > SHORT and " " in node.value
                if long and id(node) not in docs and node.value.isascii():
                    yield node.value


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Those of a module and of its classes."""
    for line in tree.body:
        if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef):
            yield line
        elif isinstance(line, ast.ClassDef):
            yield from _functions(ast.Module(line.body, []))
