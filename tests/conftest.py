"""What every test can count on.

- Files called `mp_*.py` hold plain `test_*` functions (async ones too) without fixtures. Each
  runs three times: under CPython as an ordinary test, under MicroPython with 128 KB of heap, and
  under one of 32 bits as an ESP32 has them (async ones not); one process for the file.
- A skipped test is a failure where CI=true.
- Random tests draw from `seed`, which the header prints; SEED=n repeats a run.
- `make test` runs five processes. One takes all that only computes, and the machine lets it wait;
  one takes the page, in one browser; and all of them a file at a time of what waits for real
  boards and brokers. So no test may count on having the machine for itself.
- What a test gives to `record_property` is printed at the end.
"""

import asyncio
import contextlib
import inspect
import os
import random
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import unix_port, wasm_port

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

CI = os.environ.get("CI") == "true"
SEED = int(os.environ.setdefault("SEED", str(random.randrange(10**9))))  # the workers' too
PORTS = {"micropython": unix_port.run_tests, "wasm32": wasm_port.run_tests}
COMPUTING = {"firmware", "protocol", "simulation"}  # folders
PAGE = "page"  # stands in the name of each file that needs a browser, all but the newcomer's
NICE = os.getpriority(os.PRIO_PROCESS, 0)
# Which ones begin first.
LONG = ("simulation", "protocol", "firmware", PAGE, "chaos", "test_newcomer.py", "serial", "tools")


class MicroPythonFailure(Exception):
    """A test failed under MicroPython; the text is its traceback."""


class MicroPythonFile(pytest.File):
    """The tests of one mp_*.py file; the first one that runs runs them all, in one process."""

    def collect(self) -> Iterator[pytest.Item]:
        self.results: dict[str, unix_port.Results] = {}
        found = re.findall(r"^(async )?def (test_\w+)", self.path.read_text(), re.MULTILINE)
        for port in PORTS:
            for waits, name in found:
                if waits and port == "wasm32":  # its loop belongs to JavaScript
                    continue
                yield MicroPythonItem.from_parent(
                    self, name=f"{name}[{port}]", function=name, port=port
                )

    def result(self, function: str, port: str) -> str | None:
        if port not in self.results:
            items = [item for item in self.session.items if isinstance(item, MicroPythonItem)]
            mine = [item for item in items if item.parent is self and item.port == port]
            self.results[port] = PORTS[port](self.path, [item.tested for item in mine])
        return self.results[port][function]


class MicroPythonItem(pytest.Item):
    """One `test_*` function under MicroPython."""

    def __init__(self, *, function: str, port: str, name: str, parent: MicroPythonFile) -> None:
        super().__init__(name, parent)
        self.tested, self.port = function, port

    def runtest(self) -> None:
        assert isinstance(self.parent, MicroPythonFile)
        traceback = self.parent.result(self.tested, self.port)
        if traceback is not None:
            raise MicroPythonFailure(traceback)

    def repr_failure(  # type: ignore[override]  # the base names types pytest does not export
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> object:
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name.startswith("mp_") and file_path.suffix == ".py":
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Async tests run on CPython as they do on MicroPython: each in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


# A busy machine may take its time for one example.
settings.register_profile("answerback", deadline=None)
settings.load_profile("answerback")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-seed", None) is None:
        config.option.hypothesis_seed = SEED


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        with contextlib.suppress(PermissionError):  # only root may take it back
            os.setpriority(os.PRIO_PROCESS, 0, 19 if _kind(item.nodeid) in COMPUTING else NICE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(_kind(item.nodeid)))


def _kind(nodeid: str) -> str:
    """The folder of a test, or PAGE."""
    path = Path(nodeid.partition("::")[0])
    return PAGE if PAGE in path.stem.split("_") else path.parts[1]


def _turn(kind: str) -> int:
    return LONG.index(kind) if kind in LONG else len(LONG)


class Lanes(LoadScopeScheduling):
    """One worker takes all that computes, one the page, and else each a file at a time."""

    def _split_scope(self, nodeid: str) -> str:
        kind = _kind(nodeid)
        if kind == PAGE:
            return kind
        return "computing" if kind in COMPUTING else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    config.option.loadscopereorder = False  # as sorted above
    return Lanes(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


def pytest_report_header() -> str:
    return f"random seed: {SEED} (SEED={SEED} repeats it); MicroPython: {unix_port.binary()}"


def _refuse_skip(report: Report) -> Report:
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nNothing may be skipped where CI=true."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield))


@pytest.fixture(scope="session")
def seed() -> int:
    """The number this run's random tests begin from."""
    return SEED
