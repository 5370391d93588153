"""A real call that blocks holds up nobody: who asked waits, and gets what it returned."""

import errno
import threading

import pytest

from devshim.model.device import WAIT
from devshim.trace.replay.aside import Aside


def test_a_call_that_is_done_at_once_answers_at_once() -> None:
    assert Aside(lambda: None).ask("key", lambda: 7) == 7


def test_a_call_that_blocks_answers_when_it_is_over() -> None:
    gate, told = threading.Event(), threading.Event()
    aside = Aside(told.set)
    assert aside.ask("key", gate.wait) is WAIT
    assert aside.has("key") and aside.ask("other", lambda: "meanwhile") == "meanwhile"
    gate.set()
    assert told.wait(10)
    assert aside.ask("key", lambda: "not made again") is True
    assert not aside.has("key")


def test_what_a_call_raises_is_raised() -> None:
    def refused() -> None:
        raise OSError(errno.ENODEV, "gone")

    with pytest.raises(OSError, match="gone"):
        Aside(lambda: None).ask("key", refused)
