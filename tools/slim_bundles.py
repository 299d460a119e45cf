"""What a board has in memory together becomes one module: see BUNDLES.

A module by itself takes some 200 bytes of a board's memory and more: its name and its path, a
dictionary, and a place in that for each name it imports from its neighbours, which all of them
do. In the sources each stays a file of its own, and is imported by its own name.
"""

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache

from tools.slim_sources import imported_from, trees

# {bundle: its modules}. While one is loaded it leaves a hole for each of its functions, which only
# the next fills: so these are not one.
BUNDLES = {
    "protocol.core": ("errors", "fields", "limits", "messages", "signature", "topics", "verbs"),
    "app.moving": (
        "clock",
        "actuators",
        "answers",
        "board",
        "commands",
        "journal",
        "latch",
        "work",
    ),
    "app.talking": ("connection", "link", "mqtt", "node", "outbox", "presence", "wifi", "wire"),
    "app.sensing": ("readings", "sampling", "sensors", "thresholds"),
}
_HOMES = {
    f"{bundle.partition('.')[0]}.{name}": bundle
    for bundle, names in BUNDLES.items()
    for name in names
}

Trees = Mapping[str, ast.Module]


def home(module: str) -> str:
    """The dotted name of the module which has this one's content on a board."""
    return _HOMES.get(module, module)


def moved(tree: ast.Module, module: str) -> ast.Module:
    """The same module, but for where it finds what it imports. Changes `tree`."""
    tree = _Moved(module).visit(tree)
    tree.body = tree.body or [ast.Pass()]
    return tree


def bundled(sources: Trees) -> dict[str, ast.Module]:
    """The modules as a board has them, made of those of `sources`; these stay as they are."""
    found = {module: moved(deepcopy(tree), module) for module, tree in sources.items()}
    cores = {home(module) for module in sources if home(module) != module}
    whole = {core: _joined(core, found) for core in sorted(cores)}
    return {**{name: tree for name, tree in found.items() if home(name) == name}, **whole}


def _joined(core: str, found: Trees) -> ast.Module:
    imports: list[ast.stmt] = []
    body: list[ast.stmt] = []
    for module in _in_order(core):
        for line in found[module].body:
            at_top = isinstance(line, ast.Import | ast.ImportFrom)
            (imports if at_top else body).append(line)
    once = {ast.unparse(line): line for many in imports for line in _one_by_one(many)}
    doc: ast.stmt = ast.Expr(ast.Constant("See tools/slim_bundles.py."))
    return ast.fix_missing_locations(ast.Module([doc, *once.values(), *body], []))


def _one_by_one(line: ast.stmt) -> Iterator[ast.stmt]:
    """An import of several names as one of each."""
    assert isinstance(line, ast.Import | ast.ImportFrom)
    for name in line.names:
        one = deepcopy(line)
        one.names = [name]
        yield one


@cache
def _in_order(core: str) -> list[str]:
    """The modules of a bundle, each after those it imports."""
    found: list[str] = []

    def add(module: str) -> None:
        if module not in found and home(module) == core:
            for line in trees()[module].body:
                if isinstance(line, ast.ImportFrom):
                    for one in _imported(line, module):
                        add(one)
            found.append(module)

    for module in sorted(_HOMES):
        add(module)
    return found


def _imported(line: ast.ImportFrom, module: str) -> list[str]:
    """The dotted names of what may be modules."""
    source = imported_from(line, _package(module))
    return [source, *(f"{source}.{one.name}" for one in line.names)]


class _Moved(ast.NodeTransformer):
    """Of one module: what it imports from a bundle comes from there, or is there already."""

    def __init__(self, module: str) -> None:
        self._package, self._home = _package(module), home(module)
        self._modules: dict[str, str] = {}  # {its name here: dotted name} of those in bundles
        self._new = _told_apart().get(module, {})

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST] | None:
        source = imported_from(node, self._package)
        if home(source) != source and home(source) != self._home:
            return _import(home(source), node.names)
        if home(source) != source:
            assert not any(one.asname for one in node.names), f"{self._home}: {ast.unparse(node)}"
            return None
        inside = [one for one in node.names if f"{source}.{one.name}" in _HOMES]
        if not inside:
            return node
        self._modules.update({one.asname or one.name: f"{source}.{one.name}" for one in inside})
        node.names = [one for one in node.names if one not in inside]
        homes = {home(f"{source}.{one.name}") for one in inside} - {self._home}
        bundles = [ast.alias(one.rpartition(".")[2]) for one in sorted(homes)]
        rest: list[ast.AST] = [node] if node.names else []
        return [*rest, _import(source, bundles)] if bundles else rest

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        of = node.value.id if isinstance(node.value, ast.Name) else ""
        if of not in self._modules:
            return self.generic_visit(node)
        module = self._modules[of]
        name = _told_apart().get(module, {}).get(node.attr, node.attr)
        if home(module) == self._home:
            return ast.Name(name, node.ctx)
        return ast.Attribute(ast.Name(self._bundle(of), ast.Load()), name, node.ctx)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._modules:  # handed to somebody
            assert home(self._modules[node.id]) != self._home, f"{self._home} can't hand on itself"
            node.id = self._bundle(node.id)
        node.id = self._new.get(node.id, node.id)
        return node

    def _bundle(self, name: str) -> str:
        return home(self._modules[name]).rpartition(".")[2]


def _import(module: str, names: list[ast.alias]) -> ast.ImportFrom:
    return ast.ImportFrom(module, names, 0)


def _package(module: str) -> str:
    """Where a relative import of that module, or package, begins."""
    return module.rpartition(".")[0] or module


@cache
def _told_apart() -> dict[str, dict[str, str]]:
    """{module: {name: another}} of what two modules of a bundle have at their top."""
    found: dict[str, dict[str, str]] = {}
    taken: set[tuple[str, str]] = set()
    for module in sorted(_HOMES):
        for name in _made_at_top(trees()[module]):
            if (home(module), name) in taken:
                assert name[0] == "_", f"{module}.{name} has the name of another module's"
                found.setdefault(module, {})[name] = f"{name}_{module.rpartition('.')[2]}"
            taken.add((home(module), name))
    return found


def _made_at_top(tree: ast.Module) -> set[str]:
    found = {getattr(line, "name", "") for line in tree.body}
    for line in tree.body:
        if isinstance(line, ast.Assign):
            found |= {node.id for node in ast.walk(line.targets[0]) if isinstance(node, ast.Name)}
    return found - {""}
