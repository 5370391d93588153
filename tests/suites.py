"""How the plugin's tests run suites of their own; and a real device for them: a terminal that answers in brackets."""

import os
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def run(suite: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run the suite with the plugin, in a process of its own."""
    return suite.runpytest_subprocess("-p", "devshim.pytest_plugin", "-p", "no:cacheprovider", *options, timeout=60)


@contextmanager
def echo() -> Iterator[str]:
    """The path of a terminal that answers each piece that it gets: `x` with `<x>`."""
    master, slave = os.openpty()
    tty.setraw(slave)

    def serve() -> None:
        while (data := os.read(master, 100)) != b"stop":
            os.write(master, b"<" + data + b">")

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.write(slave, b"stop")
        server.join()
        os.close(slave)
        os.close(master)
