"""Openings and hooks of a session: obeyed in this process and in the programs it starts, gone at its end."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devshim import REAL, Device, File, ModelError, SpecError, embedding, plugged
from devshim.session.session import Session

INSIDE = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")

SHOW = "import sys; sys.stdout.write(open(sys.argv[1]).read())"

OPENING = """
from devshim import File, opening

class Text(File):
    text = b"loaded"

    def read(self, size):
        got, self.text = self.text[:size], self.text[size:]
        return got

@opening("/loaded/*")
def loaded(path, flags, mode):
    return Text()
"""

HOOK = """
from ctypes import c_double
from devshim import hook

@hook("libm.so.6", "cos", c_double, [c_double])
def cos(x):
    return {answer}
"""


class Text(File):
    """Holds a text that is read once."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def read(self, size: int) -> bytes:
        got, self.text = self.text[:size], self.text[size:]
        return got


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


def shown(path: str) -> str:
    """What a program that somebody starts finds there."""
    return subprocess.run([sys.executable, "-c", SHOW, path], capture_output=True, text=True, timeout=60).stdout


def exits_with_what_is_there(path: str) -> None:
    """In a process of multiprocessing: end well where the path says what it was given for."""
    with open(path, "rb", buffering=0) as file:
        os._exit(0 if file.read(99) == path.encode() else 1)


def test_this_process_and_whatever_it_starts_ask_an_opening(session: Session) -> None:
    @session.opening("/data/*")
    def data(path: str, flags: int, mode: int) -> File:
        return Text(path.encode())

    process = multiprocessing.get_context("fork").Process(target=exits_with_what_is_there, args=("/data/forked",))
    process.start()
    process.join(60)

    assert Path("/data/own").read_text() == "/data/own"
    assert session.run("cat", "/data/program").stdout == "/data/program"
    assert shown("/data/subprocess") == "/data/subprocess"
    assert process.exitcode == 0
    opened = [call.node for call in session.calls if call.name == "open"]
    assert sorted(opened) == ["/data/forked", "/data/own", "/data/program", "/data/subprocess"]


def test_an_opening_s_failures_and_refusals_are_told(session: Session) -> None:
    def refuse(path: str, flags: int, mode: int) -> object:
        raise PermissionError(13, "no") if path.endswith("no") else RuntimeError("broken")

    assert session.opening("/data/*", refuse) is refuse
    with pytest.raises(PermissionError):
        os.open("/data/no", os.O_RDONLY)
    with pytest.raises(OSError, match="Input/output error"):
        os.open("/data/broken", os.O_RDONLY)
    assert [call.error for call in session.calls] == ["EACCES", "EIO"]
    assert ["RuntimeError: broken" in failure for failure in session.failures] == [True]


def test_what_an_opening_leaves_alone_is_as_ever(session: Session, tmp_path: Path) -> None:
    asked = []

    def look(path: str, flags: int, mode: int) -> object:
        asked.append(path)
        return REAL

    (tmp_path / "file").write_text("really")
    session.opening(f"{tmp_path}/*", look)

    assert (tmp_path / "file").read_text() == "really"
    assert session.run("cat", tmp_path / "file").stdout == "really"
    assert asked == 2 * [str(tmp_path / "file")]


@pytest.mark.parametrize("what", [("data/*",), (), ("/data/*", 7), (7, print)])
def test_an_opening_that_matches_nothing_is_refused(session: Session, what: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="pattern"):
        session.opening(*what)  # type: ignore[call-overload]


def test_a_model_file_is_loaded_for_the_body_of_a_with_also_inside_a_session(session: Session, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(OPENING)
    session.plug("/dev/box", Device())
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(3):
        with plugged({}, load=[tmp_path / "model.py"]):
            descriptor = os.open("/loaded/x", os.O_RDONLY)  # still open when the opening goes
            assert os.read(descriptor, 3) == b"loa"
        with pytest.raises(OSError, match="No such device"):
            os.read(descriptor, 3)
        os.close(descriptor)
        assert not os.path.exists("/loaded/x") and shown("/loaded/x") == ""
    session.devices["/dev/box"].unplug()
    session.plug("/dev/box", Device())

    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_is_asked_once_the_session_is_over(tmp_path: Path) -> None:
    with Session() as session:
        session.opening("/data/*", lambda path, flags, mode: Text(b"x"))
        held = os.open("/data/held", os.O_RDONLY)
    with pytest.raises(FileNotFoundError):
        os.open("/data/own", os.O_RDONLY)
    os.close(held)


def test_a_file_that_declares_nothing_is_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("")
    with pytest.raises(SpecError, match="declares nothing"):
        session.load(tmp_path / "model.py")


# ---- Hooks


@INSIDE
@pytest.mark.client("mawk")
def test_a_hook_reaches_the_programs_that_are_started_and_devices_stay_the_session_s(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text(HOOK.format(answer="7"))
    session.opening("/data/*", lambda path, flags, mode: Text(path.encode()))
    session.load(tmp_path / "model.py")
    script = 'BEGIN {getline line < "/data/awk"; print cos(0), line; system("mawk \\"BEGIN {print cos(0)}\\"")}'

    assert session.run("mawk", script).stdout == "7 /data/awk\n7\n"
    assert session.failures == []


@INSIDE
@pytest.mark.client("mawk")
def test_a_hook_that_fails_in_a_program_is_a_failure_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(HOOK.format(answer="1 / 0"))
    with pytest.raises(ModelError, match="ZeroDivisionError"), plugged({}, load=[tmp_path / "model.py"]) as session:
        assert session.run("mawk", "BEGIN {print cos(0)}").stdout == "1\n"


CALLER = """
#include <math.h>
double call_cos(double x) { return cos(x); }
"""


@INSIDE
@pytest.mark.client("mawk")
def test_a_hook_reaches_libraries_of_this_process_and_its_fork_children_and_is_undone(tmp_path: Path) -> None:
    (tmp_path / "caller.c").write_text(CALLER)
    (tmp_path / "model.py").write_text(HOOK.format(answer="7"))
    library = tmp_path / "libcaller.so"
    compiled = subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-o", library, tmp_path / "caller.c", "-lm"], check=False
    )
    if compiled.returncode:
        pytest.skip("no C compiler")
    call_cos = ctypes.CDLL(str(library)).call_cos
    call_cos.restype, call_cos.argtypes = ctypes.c_double, [ctypes.c_double]
    assert call_cos(0) == 1

    with plugged({}, load=[tmp_path / "model.py"]) as session:
        assert call_cos(0) == 7
        child = os.fork()
        if child == 0:
            os._exit(int(call_cos(0)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        with pytest.raises(SpecError, match="replaced in this session already"):
            session.load(tmp_path / "model.py")

    assert call_cos(0) == 1
    assert subprocess.run(["mawk", "BEGIN {print cos(0)}"], capture_output=True, text=True).stdout == "1\n"
