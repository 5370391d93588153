"""The pytest plugin: the fixture `devshim`, the mark `devshim_trace`, and the options --devshim-*.

pytest loads it in every run where devshim is installed, so it imports nothing of ours before its fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from devshim.session.session import Session

RECORD = ("none", "once", "new", "all")
SHOWN = 200
"""Calls in the report of a failing test."""

_session: Any = pytest.StashKey()
_passed: Any = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("devshim", "devices written in Python")
    group.addoption(
        "--devshim-record",
        choices=RECORD,
        default="none",
        help="how tests with devshim_trace treat real devices: none, the default, never touches one; once records what"
        " has no trace yet; new goes on where a trace ends; all records anew",
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


@pytest.fixture
def devshim(request: pytest.FixtureRequest) -> Iterator[Session]:
    """Plug devices for this test: devshim.plug(node, model), run, start, until, after, calls, clock."""
    from devshim.session.session import Session
    from devshim.session.traces import Traces, pairs

    option = request.config.getoption
    real = pairs(option("--devshim-real"))
    traces = Traces(request.path, request.config.rootpath, request.node.name, option("--devshim-record"), real)
    for mark in request.node.iter_markers("devshim_trace"):
        traces.take(*mark.args, **mark.kwargs)
    session = Session(option("--devshim-only-plugged"), traces.recording())
    session.test_file = str(request.path)
    request.node.stash[_session] = session
    try:
        traces.plug(session)
        yield session
    finally:
        session.close()
        traces.end(request.node.stash.get(_passed, False))
    if session.failures:
        pytest.fail("\n".join(session.failures), pytrace=False)


@pytest.fixture(autouse=True)
def _devshim_only_plugged(request: pytest.FixtureRequest) -> None:
    """With --devshim-only-plugged, tests that plug nothing meet no device either."""
    if request.config.getoption("--devshim-only-plugged"):
        request.getfixturevalue("devshim").open()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """A failing test's calls on devices are a section of its report."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.stash[_passed] = report.passed
    session = item.stash.get(_session, None)
    if session is None or not report.failed:
        return
    lines = session.lines(SHOWN)
    if lines:
        report.sections.append(("Device calls", "\n".join(lines)))
