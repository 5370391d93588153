"""Promised descriptors: whose they are, and when they are closed."""

import os

import pytest

from devshim.host.promises import Promises


def descriptor() -> int:
    """Any."""
    return os.open(os.devnull, os.O_RDONLY)


def test_a_promise_is_kept_once() -> None:
    promises, fd = Promises(), descriptor()
    promises.joined(3)
    ticket = promises.make(fd, 3)

    assert (promises.redeem(ticket), promises.redeem(ticket)) == (fd, None)

    os.close(fd)


def test_what_a_process_did_not_fetch_is_closed_when_it_dies_and_nothing_else() -> None:
    promises, its, others = Promises(), descriptor(), descriptor()
    promises.joined(3)
    promises.joined(4)
    promises.make(its, 3)
    kept = promises.make(others, 4)

    promises.left(3)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(its)
    assert len(promises) == 1
    assert promises.redeem(kept) == others
    os.close(others)


def test_an_answer_to_the_dead_promises_nothing() -> None:
    promises, fd = Promises(), descriptor()
    promises.joined(3)
    promises.left(3)

    ticket = promises.make(fd, 3)

    assert promises.redeem(ticket) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
