"""What becomes one module on a board: all that stays, and nothing takes the place of another."""

import ast
import builtins

import pytest

from tools.slim_bundles import BUNDLES, bundled, home
from tools.slim_sources import staying, trees


def test_all_that_stays_is_in_a_bundle_and_every_name_is_a_module() -> None:
    assert [one for one in staying() - {"micropython"} if home(one) == one] == []
    named = {f"{bundle.split('.')[0]}.{name}" for bundle in BUNDLES for name in BUNDLES[bundle]}
    assert named <= trees().keys()
    assert not set(BUNDLES) & trees().keys()


@pytest.mark.parametrize("bundle", BUNDLES)
def test_nothing_in_a_bundle_takes_the_place_of_another(bundle: str) -> None:
    found = bundled(trees())[bundle]
    defined = [
        line.name for line in found.body if isinstance(line, ast.FunctionDef | ast.ClassDef)
    ]
    stored = [line.targets[0] for line in found.body if isinstance(line, ast.Assign)]
    defined += [one.id for one in stored if isinstance(one, ast.Name)]
    lines = [line for line in found.body if isinstance(line, ast.Import | ast.ImportFrom)]
    defined += [one.asname or one.name for line in lines for one in line.names]
    assert len(defined) > 5 and sorted(set(defined)) == sorted(defined)
    assert not set(defined) & set(dir(builtins)), "some module means Python's own"


def test_nobody_asks_for_a_module_that_is_in_a_bundle() -> None:
    gone = {f"{bundle.split('.')[0]}.{name}" for bundle in BUNDLES for name in BUNDLES[bundle]}
    for module, tree in bundled(trees()).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                package = module.rpartition(".")[0] if node.level else ""
                source = ".".join(part for part in (package, node.module or "") if part)
                asked = {source, *(f"{source}.{one.name}" for one in node.names)}
                assert not asked & gone, f"{module}: {ast.unparse(node)}"
