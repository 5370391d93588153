"""Closes: each is told once, before the next open, whichever thread of the host notices it first."""

import sys
from collections.abc import Iterator

import pytest

from devshim import Device, File, Session

OPENS = 300
AGAIN = f"""
import os
for _ in range({OPENS}):
    os.close(os.open("/dev/box", os.O_RDWR))
"""


class Opening(File):
    """One open of a Box."""

    def close(self) -> None:
        box = self.device
        box.log.append("close")
        if box.goes and len(box.log) == OPENS:
            box.unplug()


class Box(Device):
    """Notes opens and closes; goes: in the middle it is unplugged by a close."""

    goes: bool = False

    def setup(self) -> None:
        self.log: list[str] = []

    def open(self, flags: int) -> File:
        self.log.append("open")
        return Opening()


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


def test_who_opens_and_closes_in_turn_is_noticed_so(session: Session) -> None:
    box = session.plug("/dev/box", Box())

    session.run(sys.executable, "-c", AGAIN)

    session.until(lambda: len(box.log) == 2 * OPENS)
    assert box.log == ["open", "close"] * OPENS


def test_a_close_may_unplug_its_device(session: Session) -> None:
    box = session.plug("/dev/box", Box(goes=True))

    result = session.run(sys.executable, "-c", AGAIN, check=False)

    assert "FileNotFoundError" in result.stderr or "[Errno 19]" in result.stderr  # whichever is first
    assert box.log == ["open", "close"] * (OPENS // 2)
