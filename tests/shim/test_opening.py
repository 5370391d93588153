"""@opening: functions that answer where a program opens a path, any path; from a host of its own and inside it."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome

from devshim import embedding

Run = Callable[..., Outcome]

INSIDE = pytest.param(
    ["--in-process"],
    id="inside",
    marks=pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython"),
)
BOTH_HOSTS = pytest.mark.parametrize("host", [pytest.param([], id="beside"), INSIDE])

TEXT = """
import errno, os, sys
from devshim import File, REAL, opening, real

class Text(File):
    def __init__(self, text):
        self.text = text

    def read(self, size):
        got, self.text = self.text[:size], self.text[size:]
        return got
"""


@pytest.fixture
def model(tmp_path: Path) -> Callable[[str], list[str]]:
    """Return model(code): the options that bring a model file with TEXT and this code into a run."""

    def write(code: str) -> list[str]:
        file = tmp_path / "model.py"
        file.write_text(TEXT + code)
        return ["--model", str(file)]

    return write


@BOTH_HOSTS
def test_a_function_answers_with_a_file_wherever_the_path_lies(
    devshim_run: Run, model: Callable[[str], list[str]], host: list[str]
) -> None:
    options = model("@opening('/data/*')\ndef data(path, flags, mode):\n    return Text(path.encode() + b'\\n')\n")

    got = devshim_run("cat", "/data/one", "/data/deep/two", options=[*options, *host])

    assert (got.stdout, got.returncode) == ("/data/one\n/data/deep/two\n", 0), got.stderr


@BOTH_HOSTS
def test_every_way_to_open_a_path_is_asked_about_and_gets_the_lowest_descriptor(
    devshim_run: Run, model: Callable[[str], list[str]], program: Callable[..., Path], tmp_path: Path, host: list[str]
) -> None:
    (tmp_path / "there").mkdir()
    options = model("@opening('*/there/asked')\ndef data(path, flags, mode):\n    return Text(b'hello')\n")

    got = devshim_run(program("ways_to_open"), tmp_path / "there", "asked", options=[*options, *host])

    ways = ["open", "openat", "syscall", "fopen", "relative", "dots", "freopen"]
    assert got.stdout == "".join(f"{way} hello\n" for way in ways), got.stderr


@BOTH_HOSTS
def test_what_raises_is_the_program_s_error_and_real_goes_on_as_ever(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path, host: list[str]
) -> None:
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "yours").write_text("yours\n")
    options = model(
        f"@opening('{tmp_path}/*')\n"
        "def only_mine(path, flags, mode):\n"
        "    if not path.endswith('/mine'):\n"
        "        raise PermissionError(errno.EACCES, 'not yours')\n"
        "    return REAL\n"
    )

    got = devshim_run("cat", tmp_path / "mine", tmp_path / "yours", options=[*options, *host], env={"LC_ALL": "C"})

    assert (got.stdout, got.returncode) == ("mine\n", 1)
    assert got.stderr.endswith("yours: Permission denied\n")


@BOTH_HOSTS
def test_a_real_descriptor_is_the_program_s_from_then_on(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path, host: list[str]
) -> None:
    (tmp_path / "elsewhere").write_text("from elsewhere\n")
    options = model(
        f"@opening('/etc/redirected')\ndef other(path, flags, mode):\n"
        f"    return real.open('{tmp_path}/elsewhere', flags)\n"
    )

    got = devshim_run("sh", "-c", "read line </etc/redirected; echo $line", options=[*options, *host])

    assert (got.stdout, got.returncode) == ("from elsewhere\n", 0), got.stderr


@BOTH_HOSTS
def test_the_function_sees_flags_mode_and_a_path_that_is_not_utf_8(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path, host: list[str]
) -> None:
    options = model(
        f"@opening('{tmp_path}/\u00fc*')\ndef note(path, flags, mode):\n"
        "    seen = os.fsencode(path)[-2:], bool(flags & os.O_CREAT), oct(mode)\n"
        "    return Text(repr(seen).encode())\n"
    )
    script = (
        "import os, sys; name = os.fsencode(sys.argv[1]) + b'/\\xc3\\xbc\\xff';"
        "fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o640); print(os.read(fd, 99))"
    )

    got = devshim_run(sys.executable, "-c", script, tmp_path, options=[*options, *host])

    assert got.stdout == repr(repr((b"\xbc\xff", True, "0o640")).encode()) + "\n", got.stderr
    assert {entry.name for entry in tmp_path.iterdir()} - {"__pycache__"} == {"model.py"}


@BOTH_HOSTS
def test_a_function_that_fails_costs_the_program_an_io_error_and_the_run_its_exit_code(
    devshim_run: Run, model: Callable[[str], list[str]], host: list[str]
) -> None:
    options = model(
        "@opening('/data/raises')\ndef raising(path, flags, mode):\n    return 1 // 0\n"
        "@opening('/data/forgets')\ndef forgetting(path, flags, mode):\n    pass\n"
    )
    script = "cat /data/raises /data/forgets /data/raises; exit 0"

    got = devshim_run("sh", "-c", script, options=[*options, *host], env={"LC_ALL": "C"})

    assert got.stderr.count("Input/output error") == 3 and got.returncode == 1
    assert "ZeroDivisionError" in got.stderr and "is a return missing?" in got.stderr


@BOTH_HOSTS
def test_a_model_s_own_file_declares_openings_too_and_plugged_nodes_are_asked_about(
    devshim_run: Run, tmp_path: Path, host: list[str]
) -> None:
    file = tmp_path / "box.py"
    file.write_text(
        "import sys\nfrom devshim import Device, REAL, opening\n\n"
        "class Box(Device):\n    def read(self, size):\n        return b'box'\n\n"
        "@opening('/dev/box*')\ndef show(path, flags, mode):\n"
        "    print('asked about', path, file=sys.stderr)\n    return REAL\n"
    )

    got = devshim_run("head", "-c", "3", "/dev/box0", devices=[f"/dev/box0={file}"], options=host)

    assert (got.stdout, got.stderr) == ("box", "asked about /dev/box0\n")


def test_the_first_declaration_that_does_not_say_real_counts(
    devshim_run: Run, model: Callable[[str], list[str]]
) -> None:
    options = model(
        "@opening('*')\ndef nobody(path, flags, mode):\n    return REAL\n"
        "@opening('/data/[!b]*', '/data/b?')\ndef first(path, flags, mode):\n    return Text(b'first ')\n"
        "@opening('/data/*')\ndef second(path, flags, mode):\n    return Text(b'second ')\n"
    )

    got = devshim_run("cat", "/data/a", "/data/b", "/data/bc", "/data/bcd", options=options)

    assert got.stdout == "first second first second ", got.stderr


@BOTH_HOSTS
def test_one_pattern_may_answer_now_and_leave_alone_or_refuse_then(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path, host: list[str]
) -> None:
    (tmp_path / "real").write_text("real ")
    options = model(
        f"@opening('{tmp_path}/*')\ndef some(path, flags, mode):\n"
        "    if path.endswith('no'): raise OSError(errno.EACCES, 'no')\n"
        "    return REAL if path.endswith('real') else Text(os.path.basename(path).encode() + b' ')\n"
    )
    names = ["a", "b", "real", "c", "real", "no", "d", "e", "real"]

    got = devshim_run("cat", *(tmp_path / name for name in names), options=[*options, *host], env={"LC_ALL": "C"})

    assert got.stdout == "a b real c real d e real ", got.stderr
    assert got.stderr.endswith("no: Permission denied\n")


def test_a_devshim_yml_names_model_files_relative_to_itself(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path
) -> None:
    model("@opening('/data/x')\ndef data(path, flags, mode):\n    return Text(b'x')\n")
    (tmp_path / "devshim.yml").write_text("version: 1\nmodel: model.py\n")

    got = devshim_run("cat", "/data/x", options=["-c", str(tmp_path / "devshim.yml")], cwd="/")

    assert (got.stdout, got.returncode) == ("x", 0), got.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "declares nothing: no function in it is marked with @opening or @hook"),
        ("@opening('data/*')\ndef data(path, flags, mode): return REAL\n", "a pattern of absolute paths"),
        ("@opening()\ndef data(path, flags, mode): return REAL\n", "@opening needs a pattern"),
    ],
)
def test_a_model_file_that_declares_nothing_or_nonsense_is_refused_in_one_line(
    devshim_run: Run, model: Callable[[str], list[str]], code: str, said: str
) -> None:
    got = devshim_run("touch", "/nowhere", options=model(code))

    assert got.returncode == 2 and got.stderr.count("\n") == 1 and said in got.stderr


@BOTH_HOSTS
def test_a_child_of_an_opening_s_program_is_asked_about_too_and_descriptors_outlive_exec(
    devshim_run: Run, model: Callable[[str], list[str]], host: list[str]
) -> None:
    options = model("@opening('/data/*')\ndef data(path, flags, mode):\n    return Text(b'text\\n')\n")

    got = devshim_run("sh", "-c", "exec 3</data/x; sh -c 'head -n 1 <&3; cat /data/y'", options=[*options, *host])

    assert got.stdout == "text\ntext\n", got.stderr


def test_once_the_host_is_lost_files_are_files_again(
    devshim_run: Run, model: Callable[[str], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("really\n")
    options = model(f"@opening('{tmp_path}/file')\ndef die(path, flags, mode):\n    os.kill(os.getpid(), 9)\n")

    got = devshim_run("cat", tmp_path / "file", options=options)

    assert got.stdout == "really\n"
    assert os.path.exists(tmp_path / "file")


@BOTH_HOSTS
def test_a_file_is_a_session_over_a_socket(
    devshim_run: Run, model: Callable[[str], list[str]], host: list[str]
) -> None:
    options = model(
        "import socket\n"
        "@opening('/data/session')\ndef session(path, flags, mode):\n"
        "    return socket.create_connection(('127.0.0.1', PORT)).detach()\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        file = Path(options[1])
        file.write_text(file.read_text().replace("PORT", str(server.getsockname()[1])))
        answering = threading.Thread(target=answer_once, args=[server])
        answering.start()

        got = devshim_run("sh", "-c", "exec 3<>/data/session; echo hello >&3; cat <&3", options=[*options, *host])
        answering.join()

    assert (got.stdout, got.returncode) == ("HELLO\n", 0), got.stderr


def answer_once(server: socket.socket) -> None:
    """Answer one line in capital letters."""
    connection = server.accept()[0]
    with connection, connection.makefile("rwb") as lines:
        lines.write(lines.readline().upper())


@pytest.mark.parametrize("program", ["import ctypes; open('/etc/hosts').close()", "open('/etc/hostname').close()"])
@BOTH_HOSTS
def test_every_open_of_a_python_program_may_be_looked_at(
    devshim_run: Run, model: Callable[[str], list[str]], host: list[str], program: str
) -> None:
    options = model("@opening('*')\ndef show(path, flags, mode):\n    print(path, file=sys.stderr)\n    return REAL\n")

    got = devshim_run(sys.executable, "-S", "-c", program + "; print('done')", options=[*options, *host])

    assert (got.stdout, got.returncode) == ("done\n", 0), got.stderr
    assert "/etc/host" in got.stderr
