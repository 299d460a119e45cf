"""A program does the same, in the same order, with loops in place of comprehensions."""

import ast

import pytest

from tools.slim_loops import with_loops
from tools.slim_sources import trees

_COMPREHENSIONS = (ast.ListComp, ast.DictComp, ast.GeneratorExp)

# The bodies of functions of `xs` (numbers) and `log`, which notes its argument and returns it.
LOOPED = (
    "return [x + 1 for x in xs]",
    "return {x: log(-x) for x in xs if log(x) % 2}",
    "return [(a, b) for a, b in enumerate(xs)]",
    "x = 7\n    ys = [x for x in xs]\n    return x, ys",
    "xs = [x for x in xs if x]\n    return xs",
    "return sum(log(x) for x in xs)",
    "return sorted([-x for x in xs]) + xs",
    "return ','.join(str(x) for x in xs)",
    "return xs + [log(x) for x in xs] + [log(2 * x) for x in xs]",
    "return dict({x: 1 for x in xs}, y=[log(x) for x in xs])",
    "return [x for x in xs] and log(1)",
    "if [x for x in xs if x > 2]:\n        return log(1)\n    return log(2)",
    "if not xs:\n        return 0\n    elif [x for x in xs]:\n        return 1\n    return 2",
    "for y in [x + 1 for x in xs]:\n        log([z for z in range(y)])\n    return 0",
    "try:\n        return [log(1 // x) for x in xs]\n    except ZeroDivisionError:\n"
    "        return [log(-x) for x in xs]",
    "return min((x for x in xs), default=3)",
)
LEFT = (
    "return log(5) + sum([log(x) for x in xs])",  # 5 comes first
    "return xs and [log(x) for x in xs]",
    "return [x for x in xs] if log(len(xs)) else [log(-x) for x in xs]",
    "return [log(x) for x in xs][0] if len(xs) > 3 else min((x for x in xs), default=3)",
    "return any(log(x) > 1 for x in xs)",
    "return xs[1] + sum([log(x) for x in xs])",  # which may not be there
    "return 1 < len(xs) < len([log(x) for x in xs])",
    "return xs and 1 // xs[0], [log(x) for x in xs]",
    "return [[y for y in xs] for x in xs]",
    "return [x for x in xs if x if log(x)]",
    "return [(lambda: x)() for x in xs]",
    "return log(1) if not xs else all(log(x) for x in xs)",
    "n = 0\n    while [x for x in xs if x > n]:\n        n = log(n + 1)\n    return n",
)
GIVEN: tuple[list[int], ...] = ([], [0], [1, 2, 3], [3, 0, 2, 2])


def outcome(tree: ast.Module, xs: list[int]) -> tuple[object, list[object]]:
    """(what the function in it returns, what it has noted in that order)."""
    noted: list[object] = []

    def log(value: object) -> object:
        noted.append(value)
        return value

    space: dict[str, object] = {}
    exec(compile(tree, "sample", "exec"), space)
    try:
        return space["f"](list(xs), log), noted  # type: ignore[operator]
    except Exception as why:
        return repr(why), noted


def left_in(tree: ast.Module) -> int:
    """How many comprehensions there are."""
    return sum(isinstance(node, _COMPREHENSIONS) for node in ast.walk(tree))


@pytest.mark.parametrize("body", LOOPED + LEFT)
def test_it_does_the_same_in_the_same_order(body: str) -> None:
    text = f"def f(xs, log):\n    {body}\n"
    before, after = ast.parse(text), with_loops(ast.parse(text))
    assert (left_in(after) < left_in(before)) is (body in LOOPED)
    for xs in GIVEN:
        assert outcome(after, xs) == outcome(before, xs)


def test_in_a_class_and_at_the_top_all_stays() -> None:
    text = "a = [x for x in (1, 2)]\nclass B:\n    c = [x for x in (1, 2)]\n"
    assert ast.unparse(with_loops(ast.parse(text))) == ast.unparse(ast.parse(text))


def test_few_are_left_in_the_firmware() -> None:
    before = sum(left_in(tree) for tree in trees().values())
    after = sum(left_in(with_loops(ast.parse(ast.unparse(tree)))) for tree in trees().values())
    assert before > 60 and after < before / 3
