"""Comprehensions become loops.

To MicroPython a comprehension is a function: 96 bytes of a board's memory (64 bits) for as long as
the module lies there, and more each time it runs, for itself and for what it shares with the
function around it. What is replaced stands in a function, and nothing but names and attributes is
looked at before it in its statement, so that all happens in the same order. (In a dict MicroPython
takes the value before its key, in a comprehension as in an assignment.) `any` and `all` stop at
the first, and stay as they are; so does what is made into `bytes`, which as a list takes 8 times
the memory.
"""

import ast
from collections.abc import Iterator

_WHOLE = {"sum", "min", "max", "sorted", "join", "extend", "update"}  # read all they get
_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_IDLE = (ast.Name, ast.Constant, ast.Attribute, ast.Tuple, ast.List, ast.Dict)  # can't go wrong

Function = ast.FunctionDef | ast.AsyncFunctionDef
Made = ast.ListComp | ast.DictComp | ast.GeneratorExp


def with_loops(tree: ast.Module) -> ast.Module:
    """The same tree. Changes it."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            _Loops().body_of(node)
    return ast.fix_missing_locations(tree)


class _Loops:
    """Of one function."""

    def __init__(self) -> None:
        self._count = 0

    def body_of(self, node: ast.AST) -> None:
        """All statements in a list of some node, but for those of functions inside."""
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, field, [new for line in value for new in self._line(line)])
            elif isinstance(value, list):
                for one in value:
                    if isinstance(one, ast.ExceptHandler):
                        self.body_of(one)

    def _line(self, line: ast.stmt) -> Iterator[ast.stmt]:
        if isinstance(line, Function | ast.ClassDef):
            yield line
            return
        first = {ast.If: "test", ast.For: "iter"}.get(type(line), "value")
        if isinstance(line, ast.Return | ast.Assign | ast.Expr | ast.If | ast.For):
            before: list[ast.stmt] = []
            if (value := getattr(line, first)) is not None:
                setattr(line, first, self._without(value, before)[0])
            yield from before
        self.body_of(line)
        yield line

    def _without(self, node: ast.expr, before: list[ast.stmt]) -> tuple[ast.expr, bool]:
        """What stands for it after the lines that were added, and whether nothing else has been
        done by then.
        """
        if isinstance(node, ast.ListComp | ast.DictComp) and _is_plain(node):
            return self._looped(node, before), True
        if isinstance(node, ast.BoolOp):
            node.values[0], _ = self._without(node.values[0], before)
            return node, False
        if isinstance(node, (*_SCOPES, ast.IfExp, ast.Await, ast.Yield, ast.YieldFrom)):
            return node, False
        if isinstance(node, ast.Compare) and len(node.comparators) > 1:  # it may stop at the first
            return node, False
        return node, self._parts(node, before) and isinstance(node, _IDLE)

    def _parts(self, node: ast.expr, before: list[ast.stmt]) -> bool:
        """All that is looked at in turn, until something else is done."""
        for field, value in ast.iter_fields(node):
            for place, one in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(one, ast.keyword):
                    one.value, idle = self._without(one.value, before)
                elif isinstance(one, ast.expr):
                    new, idle = self._part(node, one, before)
                    if isinstance(value, list):
                        value[place] = new
                    else:
                        setattr(node, field, new)
                else:
                    continue
                if not idle:
                    return False
        return True

    def _part(
        self, node: ast.expr, one: ast.expr, before: list[ast.stmt]
    ) -> tuple[ast.expr, bool]:
        if isinstance(one, ast.GeneratorExp) and _is_plain(one) and _reads_all(node):
            return self._looped(one, before), True
        return self._without(one, before)

    def _looped(self, node: Made, before: list[ast.stmt]) -> ast.expr:
        self._count += 1
        made, (each,) = f"made{self._count}", node.generators
        new = {name: f"{name}{self._count}_" for name in _names(each.target)}
        if isinstance(node, ast.DictComp):
            empty, add = "{}", f"{made}[{_said(node.key, new)}] = {_said(node.value, new)}"
        else:
            empty, add = "[]", f"{made}.append({_said(node.elt, new)})"
        tests = "".join(f"if {_said(test, new)}: " for test in each.ifs[:1])
        text = f"{made} = {empty}\nfor {_said(each.target, new)} in {ast.unparse(each.iter)}:\n"
        before += ast.parse(f"{text} {tests}{add}").body
        return ast.Name(made, ast.Load())


def _is_plain(node: Made) -> bool:
    """Whether it is one loop with one condition at most, and has no other scope inside."""
    inner = any(isinstance(one, _SCOPES) for one in ast.walk(node) if one is not node)
    each = node.generators[0]
    return not inner and len(node.generators) == 1 and len(each.ifs) < 2 and not each.is_async


def _reads_all(call: ast.expr) -> bool:
    """Whether it is a call of what reads all of its argument."""
    if not isinstance(call, ast.Call):
        return False
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
    return name in _WHOLE


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _said(node: ast.expr, new: dict[str, str]) -> str:
    """It, with other names."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            one.id = new.get(one.id, one.id)
    return ast.unparse(node)
