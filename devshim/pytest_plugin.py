"""The pytest plugin: the fixture `devshim`, the mark `devshim_trace`, and the options --devshim-*.

pytest loads it in every run where devshim is installed, so it imports nothing of ours before its fixture or its mark is
used.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from devshim.session.session import Session
    from devshim.session.traces import Traces

RECORD = ("none", "once", "new", "all")
SHOWN = 200
"""Calls in the report of a failing test."""

MARK = "devshim_trace"

_session: Any = pytest.StashKey()
_passed: Any = pytest.StashKey()
_failed: Any = pytest.StashKey()
_again: Any = pytest.StashKey()  # --devshim-record=new: the test runs a second time, on the real device
_mismatched: Any = pytest.StashKey()
_alone: Any = pytest.StashKey()  # nothing has failed in a test but the replay
_told: Any = pytest.StashKey()  # what a test says of its traces, until it is in a report


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("devshim", "devices written in Python")
    group.addoption(
        "--devshim-record",
        choices=RECORD,
        default="none",
        help="how tests with devshim_trace treat real devices: none, the default, never touches one; once records what"
        " has no trace yet; new does so, too, where a test does something else than its trace has; all records anew",
    )
    group.addoption(
        "--devshim-only-plugged",
        action="store_true",
        help="refuse, in every test, device nodes that are not plugged",
    )
    group.addoption(
        "--devshim-real",
        action="append",
        default=[],
        metavar="NODE=REALNODE",
        help="where to record: the bench has REALNODE for what tests call NODE (may be given several times)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "devshim_trace(node, name): plug what the trace NAME has recorded; by default traces/MODULE/TEST.trace",
    )
    for pair in config.getoption("--devshim-real"):
        if not all(part.startswith("/") for part in pair.partition("=")[::2]):
            raise pytest.UsageError(f"--devshim-real {pair}: write NODE=REALNODE, such as /dev/ttyUSB0=/dev/ttyACM3")
    config.pluginmanager.register(Summary(config), "devshim-summary")


@pytest.fixture
def devshim(request: pytest.FixtureRequest) -> Iterator[Session]:
    """Plug devices for this test: devshim.plug(node, model), run, start, until, after, calls, clock."""
    from devshim.session.session import Session

    traces = traces_of(request)
    session = Session(request.config.getoption("--devshim-only-plugged"), traces.recording())
    session.test_file, session.replays.quiet = str(request.path), True
    request.node.stash[_session] = session
    try:
        traces.plug(session)
        yield session
    finally:
        session.close()
        traces.end(request.node.stash.get(_passed, False))
        note(request.node, session, traces)
    if session.failures and not request.node.stash.get(_failed, False):  # else its report has told of them
        pytest.fail("\n".join(session.failures), pytrace=False)


def traces_of(request: pytest.FixtureRequest) -> Traces:
    """What the test's marks say."""
    from devshim.session.traces import Traces, pairs

    option = request.config.getoption
    mode = "all" if request.node.stash.get(_again, False) else option("--devshim-record")
    traces = Traces(request.path, request.config.rootpath, request.node.name, mode, pairs(option("--devshim-real")))
    for mark in request.node.iter_markers(MARK):
        traces.take(*mark.args, **mark.kwargs)
    return traces


def note(item: pytest.Item, session: Session, traces: Traces) -> None:
    """Keep what is to be said of a test's traces."""
    replays = session.replays
    recorded = dict.fromkeys(traces.recorded, "")
    item.stash[_mismatched] = replays.mismatched
    left = replays.left if item.stash.get(_passed, False) else {}  # where it failed there is more to be said of it
    item.stash[_told] = {"used": dict.fromkeys(replays.paths, ""), "left": left, "recorded": recorded}


@pytest.fixture(autouse=True)
def _devshim_only_plugged(request: pytest.FixtureRequest) -> None:
    """With --devshim-only-plugged, tests that plug nothing meet no device either."""
    if request.config.getoption("--devshim-only-plugged"):
        request.getfixturevalue("devshim").open()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """With --devshim-record=new, a test that does something else than its trace has is run again, and recorded."""
    if item.config.getoption("--devshim-record") != "new" or item.get_closest_marker(MARK) is None:
        return None
    from _pytest.runner import runtestprotocol  # as pytest-rerunfailures does it

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if any(report.failed for report in reports) and item.stash.get(_mismatched, None):
        item.stash[_again] = True
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, None]:
    """A test that met a mismatch fails with it, whatever it made of the program's error."""
    outcome = yield
    session = pyfuncitem.stash.get(_session, None)
    if session is None:
        return
    try:
        session.raise_mismatch()
    except AssertionError as mismatch:
        mismatch.__suppress_context__ = True
        pyfuncitem.stash[_alone] = outcome.excinfo is None
        outcome.force_exception(mismatch.with_traceback(outcome.excinfo[2] if outcome.excinfo else None))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """A failing test's calls on devices are a section of its report; what is to be said of its traces goes along."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[_passed], item.stash[_failed] = report.passed, report.failed
    if report.when == "teardown":
        report.devshim = item.stash.get(_told, {})
    session = item.stash.get(_session, None)
    if session is None or not report.failed:
        return
    if call.excinfo is not None and report.when == "call" and item.stash.get(_alone, False):
        report.longrepr = call.excinfo.getrepr(style="value")
    lines = session.lines(SHOWN)
    said = str(call.excinfo.value) if call.excinfo is not None else ""
    if any(line not in said and ": close(" not in line for line in lines):
        report.sections.append(("Device calls", "\n".join(lines)))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Traces and lists of calls that do not say the same, in the manner of devshim diff."""
    if op != "==" or "devshim.trace.comparison" not in sys.modules:
        return None
    from devshim.trace.comparison import CallList, explained, is_calls
    from devshim.trace.format.reader import Trace

    sides: list[Any] = [left, right]
    if not any(isinstance(side, (CallList, Trace)) for side in sides):
        return None
    if not all(isinstance(side, Trace) or is_calls(side) for side in sides):
        return None
    names = [getattr(side, "path", "the calls") for side in sides]
    return [f"{names[0]} == {names[1]}: they do not say the same", *explained(*sides)]


class Summary:
    """What a run has to say of its traces: those recorded, used in part, or named by no test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.kept: dict[str, dict[str, str]] = {}

    def keep(self, told: dict[str, dict[str, str]]) -> None:
        """Take in what was said, by kind and path."""
        for kind, entries in told.items():
            self.kept.setdefault(kind, {}).update(entries)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Before any is deselected: which traces do they name?"""
        marked = [item for item in items if item.get_closest_marker(MARK) is not None]
        if not marked:
            return
        from devshim.session.unused import Collected

        config = self._config
        start = config.invocation_params.dir
        covered = [Path(start, argument).resolve() for argument in config.args if "::" not in argument]
        collected = Collected(config.rootpath, covered)
        for item in marked:
            marks = [(mark.args, mark.kwargs) for mark in item.iter_markers(MARK)]
            named = [(args[0] if args else "", args[1] if len(args) > 1 else more.get("name")) for args, more in marks]
            collected.add(item.path, item.name, named)
        self.keep({"unused": {str(path): "" for path in collected.unused()}})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Here, or in the process that workers of xdist report to."""
        self.keep(getattr(report, "devshim", {}))

    def pytest_sessionfinish(self) -> None:
        """A worker of xdist tells what it has collected."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["devshim"] = {"unused": self.kept.get("unused", {})}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take that in."""
        self.keep(getattr(node, "workeroutput", {}).get("devshim", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the user."""
        if not any(entries for kind, entries in self.kept.items() if kind != "used"):
            return
        from devshim.session.unused import lines

        text = lines(self.kept, self._config.rootpath)
        if text:
            terminalreporter.section("devshim traces", yellow=True)
            for line in text:
                terminalreporter.line(line)
