"""What every test may use: `devshim run`, C programs, client programs by name; and the summary of missing clients."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import MISSING, Client, add_system_folders, clients, require
from harness import Outcome, build_program, run_devshim, run_devshim_verb
from hypothesis import HealthCheck, settings

# A busy machine is no failure: no deadline for one example, and slow generation is not judged.
settings.register_profile("devshim", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("devshim")

# What a shell's `&` or nohup(1) has us ignore, the programs under test would ignore, too.
for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(ignored) is signal.SIG_IGN:
        signal.signal(ignored, signal.default_int_handler if ignored == signal.SIGINT else signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Say which worker runs which test, where several do (--dist loadgroup)."""
    if config.getoption("dist") != "loadgroup":
        return None
    from together import Together

    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def system_folders_on_path() -> Iterator[None]:
    """Let tests call i2cdetect and its kin by name as an ordinary user, whose PATH lacks /usr/sbin."""
    before = os.environ["PATH"]
    os.environ["PATH"] = add_system_folders(before)
    yield
    os.environ["PATH"] = before


@pytest.fixture
def client() -> Callable[[str], str]:
    """Return a function from a client's name in clients.txt to its path; it skips the test where it is missing."""
    return require


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return build(name, *flags): the path of tests/shim/programs/NAME.c, compiled once a session for these flags."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent  # the workers' common one
    folder = folder / "programs"
    folder.mkdir(exist_ok=True)
    return lambda name, *flags: build_program(name, flags, folder)


@pytest.fixture(scope="session")
def devshim_run() -> Callable[..., Outcome]:
    """Return harness.run_devshim: `devshim run` as a user starts it, in a process of its own."""
    return run_devshim


@pytest.fixture(scope="session")
def devshim_verb() -> Callable[..., Outcome]:
    """Return harness.run_devshim_verb, for the other verbs: devices, doctor."""
    return run_devshim_verb


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("client"):
        for name in marker.args:
            require(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the missing clients once, with the line that installs them."""
    skipped: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _, found, name = reason.partition(MISSING)
        if found:
            skipped[name] = skipped.get(name, 0) + 1
    if skipped:
        summarise(terminalreporter, {name: clients()[name] for name in sorted(skipped)}, sum(skipped.values()))


def summarise(terminal: pytest.TerminalReporter, missing: dict[str, Client], tests: int) -> None:
    terminal.section("missing clients", yellow=True)
    terminal.line(f"{tests} tests skipped for want of: {' '.join(missing)}")
    packages = sorted({one.package for one in missing.values() if one.required})
    if packages:
        terminal.line(f"to run them: make clients    (or: apt-get install {' '.join(packages)})")
    without = [one.name for one in missing.values() if not one.required]
    if without:
        terminal.line(f"no Debian package, never required: {' '.join(without)}")
