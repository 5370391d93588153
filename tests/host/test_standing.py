"""How long answers stand: a count in the registry that goes up with whatever may change one."""

import ctypes
from collections.abc import Callable, Iterator

import pytest

from devshim import IO, Device, ioctl
from devshim.host import structures, wire
from devshim.host._channel import answers_move, let_stand
from devshim.host.answering import is_own, standing
from devshim.host.lock import lock
from devshim.model.argument import BadDescription


@pytest.fixture
def registry() -> Iterator[structures.Registry]:
    """One that is counted in."""
    head = structures.Registry()
    let_stand(head)
    yield head
    let_stand(None)


@pytest.mark.parametrize("move", [answers_move, lock.acquire, lambda: let_stand(None)], ids=["say", "lock", "end"])
def test_each_is_a_move(registry: structures.Registry, move: Callable[[], None]) -> None:
    before = registry.moves
    move()
    if lock.held():
        lock.release()

    assert registry.moves == before + 1


def test_no_two_runs_count_alike(registry: structures.Registry) -> None:
    other = structures.Registry()
    let_stand(other)

    assert other.moves > registry.moves > 0


def test_nothing_is_counted_where_no_answer_stands(registry: structures.Registry) -> None:
    let_stand(None)
    before = registry.moves
    answers_move()

    assert registry.moves == before


def test_what_is_no_registry_is_refused() -> None:
    with pytest.raises(ValueError, match="no registry is so small"):
        let_stand(bytearray(100))


STANDS, NONE = wire.ANSWER_STANDS, wire.NO_PLACE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (7, (7, 0, STANDS, 0, None, NONE)),
        (b"data", (0, 0, STANDS, 0, b"data", NONE)),
        ((3, 0, 0, 0, b"data", NONE), (3, 0, STANDS, 0, b"data", NONE)),
        ((-1, 5, 0, 0, None, NONE), (-1, 5, 0, 0, None, NONE)),
        ((0, 0, wire.ANSWER_WAIT, 9, None, NONE), (0, 0, wire.ANSWER_WAIT, 9, None, NONE)),
    ],
)
def test_only_plain_answers_stand(answer: object, expected: tuple[object, ...]) -> None:
    assert standing(answer) == expected


class Asked(Device):
    """Has one query."""

    @ioctl(IO("q", 1), query=True)
    def get(self) -> int:
        """Answer."""
        return 1


class Overridden(Asked):
    """Answers it otherwise."""

    def get(self) -> int:  # type: ignore[override]
        """Answer."""
        return 2


def test_a_query_is_answered_by_itself_alone() -> None:
    handler = Asked.ioctls[IO("q", 1)]
    patched = Asked()
    patched.get = lambda: 3  # type: ignore[assignment,method-assign]

    assert handler.query
    assert [is_own(file, handler) for file in (Asked(), Overridden(), patched)] == [True, False, False]


def test_a_query_does_nothing_but_ask() -> None:
    with pytest.raises(BadDescription, match="does more than ask"):
        ioctl(IO("q", 2), ctypes.c_uint32, access="rw", query=True, keeps=True)
