"""Extensions that call libc with the interpreter held: the models need it to answer, and get it."""

import ctypes
import importlib.util
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from ctypes import c_int
from pathlib import Path
from typing import Any

import pytest

from devshim import IOR, POLLIN, WAIT, Device, Serial, ioctl
from devshim.session.session import Session

SOURCE = Path(__file__).with_name("holding.c")


class Late(Device):
    """Has something to say some time after it was opened."""

    said = b""

    def open(self, flags: int) -> Any:
        self.after(0.05, self.speak)
        return self

    def speak(self) -> None:
        self.said = b"x"
        self.wake()

    def read(self, size: int) -> Any:
        return self.said or WAIT

    def poll(self) -> int:
        return POLLIN if self.said else 0

    @ioctl(IOR("B", 1, c_int))
    def number(self) -> Any:
        return c_int(self.said[0]) if self.said else WAIT


class LatePort(Serial):
    def opened(self) -> None:
        self.after(0.05, self.speak)

    def speak(self) -> None:
        self.send(b"x")


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The extension, compiled for the Python that runs the tests."""
    include = sysconfig.get_path("include")
    if not os.path.exists(f"{include}/Python.h"):
        pytest.skip("no Python.h: apt-get install python3-dev")
    target = tmp_path_factory.mktemp("holding") / f"holding{sysconfig.get_config_var('EXT_SUFFIX')}"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", f"-I{include}", "-o", target, SOURCE], check=True, timeout=60)
    spec = importlib.util.spec_from_file_location("holding", target)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("call", ["read", "poll", "select", "epoll", "fread", "ioctl"])
def test_a_wait_for_a_computed_device_ends(session: Session, holding: Any, call: str) -> None:
    session.plug("/dev/late", Late())
    assert holding.first_byte("/dev/late", call) == b"x"


@pytest.mark.parametrize("call", ["read", "poll", "select", "epoll", "fread"])
def test_a_wait_for_a_terminal_ends(session: Session, holding: Any, call: str) -> None:
    session.plug("/dev/ttyUSB0", LatePort())
    assert holding.first_byte("/dev/ttyUSB0", call) == b"x"


def test_a_library_called_through_ctypes_may_hold_it_too(session: Session) -> None:
    session.plug("/dev/late", Late())
    libc = ctypes.PyDLL(None)
    file = os.open("/dev/late", os.O_RDONLY)
    byte = ctypes.create_string_buffer(1)
    assert libc.read(file, byte, 1) == 1
    os.close(file)
