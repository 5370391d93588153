"""@hook: Python functions in the place of a library's, in unmodified programs."""

import importlib.util
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from math import pi, sin
from pathlib import Path

import pytest
from clients import require
from harness import BuildFailed, Outcome

from devshim import embedding

Run = Callable[..., Outcome]

pytestmark = pytest.mark.skipif(embedding.shared_library() is None, reason="this Python has no shared libpython")

COS = """
from ctypes import c_double
from devshim import hook

@hook("libm.so.6", "cos", c_double, [c_double]{more})
def cos(x, original):
    {body}
"""


@pytest.fixture
def hooked(devshim_run: Run, tmp_path: Path) -> Run:
    """Run a program with a model file inside: hooked(code, *words)."""

    def run(code: str, *words: str | Path, **further: object) -> Outcome:
        (tmp_path / "model.py").write_text(code)
        return devshim_run(*words, options=["--in-process", "--model", str(tmp_path / "model.py")], **further)

    return run


def cos(body: str, more: str = "") -> str:
    """A model file with a function in the place of cos()."""
    return COS.format(body=body, more=more)


@pytest.mark.client("mawk", "gawk")
@pytest.mark.parametrize("awk", ["mawk", "gawk"])
def test_awk_s_cosine_is_a_python_function_that_may_ask_the_library(hooked: Run, awk: str) -> None:
    got = hooked(cos("return 40 + original() + original(x)"), awk, "BEGIN {print cos(0), sin(0), substr(cos(3), 1, 5)}")

    assert (got.stdout, got.returncode) == ("42 0 38.02\n", 0), got.stderr


@pytest.mark.parametrize(
    ("what", "printed"),
    [("ways", "7 7 7\n"), ("threads", "5600\n"), ("fork", "7 7 7\n"), ("crowd", "0\n"), ("errno", "7 4711\n")],
)
def test_a_function_is_replaced_for_calls_addresses_names_and_threads_and_fork_children(
    hooked: Run, program: Callable[..., Path], what: str, printed: str
) -> None:
    got = hooked(cos("return 7"), program("hooked", "-lm", "-ldl"), what)

    assert (got.stdout, got.returncode) == (printed, 0), got.stderr


@pytest.mark.parametrize(
    ("more", "printed", "outcome"),
    [("", "1 1 1\n", "the library's own answers"), (", default=5.0", "5 5 5\n", "it gets 5.0")],
)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 1 / 0", "ZeroDivisionError"),
        ("pass", "is a return missing?"),
        ("raise SystemExit(3)", "SystemExit"),
        ("return 'text'", "TypeError"),
    ],
)
def test_a_function_that_fails_is_told_once_and_the_program_gets_an_answer(
    hooked: Run, program: Callable[..., Path], more: str, printed: str, outcome: str, body: str, said: str
) -> None:
    got = hooked(cos(body, more), program("hooked", "-lm", "-ldl"), "ways")

    assert (got.stdout, got.returncode) == (printed, 1)
    assert said in got.stderr and outcome in got.stderr and got.stderr.count("Traceback") <= 1


JUMPS = """
from ctypes import c_double, c_size_t, c_void_p
from devshim import hook

@hook("libm.so.6", "cos", c_double, [c_double])
def cos(x):
    return sum(range(1000)) * 0 + 7

@hook("libc.so.6", "qsort", None, [c_void_p, c_size_t, c_size_t, c_void_p])
def sort(base, count, size, compare, original):
    original()
"""


def test_a_handler_s_jump_waits_until_the_python_function_has_come_to_its_end(
    hooked: Run, program: Callable[..., Path]
) -> None:
    got = hooked(JUMPS, program("hooked_jumps", "-lm"), "handler")

    assert (got.stdout, got.stderr, got.returncode) == ("50 jumps, 7.0\n", "", 0)


def test_a_thread_that_jumps_out_of_the_original_has_the_library_s_functions_from_then_on(
    hooked: Run, program: Callable[..., Path]
) -> None:
    got = hooked(JUMPS, program("hooked_jumps", "-lm"), "original")

    assert (got.stdout, got.returncode) == ("3 jumps, 3 signals, blocked: 0, 0, 0.5\n", 0)
    assert got.stderr.startswith("devshim: qsort: this thread has jumped out of a hooked function (longjmp), so it")
    assert got.stderr.count("\n") == 1


ELSEWHERE = """
import signal, threading
from ctypes import c_char_p, c_double, c_int, c_void_p
from devshim import hook

@hook("libm.so.6", "cos", c_double, [c_double])
def cos(x):
    {body}
    return 7

@hook("libc.so.6", "execv", c_int, [c_char_p, c_void_p])
def execute(path, argv, original):
    return original()
"""


def test_a_handler_with_a_stack_of_its_own_is_no_jump(hooked: Run, program: Callable[..., Path]) -> None:
    interrupted = "signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)"
    got = hooked(ELSEWHERE.format(body=interrupted), program("hooked_elsewhere", "-lm"), "stack")

    assert (got.stdout, got.stderr, got.returncode) == ("7.0 -1.0 7.0\n", "", 0)


def test_a_vfork_child_that_executes_leaves_its_parent_the_python_functions(
    hooked: Run, program: Callable[..., Path]
) -> None:
    got = hooked(ELSEWHERE.format(body="pass"), program("hooked_elsewhere", "-lm"), "vfork")

    assert (got.stdout, got.stderr, got.returncode) == ("7.0 0 7.0\n", "", 0)


MULTIPLY = """
from ctypes import c_char, c_double, c_int
import numpy
from devshim import array, hook, reference

FLAG, SIZE, FACTOR = reference(c_char), reference(c_int), reference(c_double)

@hook("libblas.so.3", "dgemm_", None, [
    FLAG, FLAG, SIZE, SIZE, SIZE, FACTOR, array(c_double, length=lambda lda, k: lda * k), SIZE,
    array(c_double, length=lambda ldb, n: ldb * n), SIZE, FACTOR, array(c_double, length=lambda ldc, n: ldc * n), SIZE,
])
def dgemm(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    a = numpy.asarray(a).reshape((lda, k), order="F")[:m]
    b = numpy.asarray(b).reshape((ldb, n), order="F")[:k]
    c = numpy.asarray(c).reshape((ldc, n), order="F")[:m]
    c[:] = alpha * a @ b + beta * c
    open({told!r}, "w").write(f"{{transa}} {{m}} {{n}} {{k}}")
"""


@pytest.mark.client("libblas.so.3")
@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="NumPy is not installed")
def test_a_program_s_matrix_product_is_computed_by_numpy_in_the_program_s_own_memory(
    hooked: Run, program: Callable[..., Path], tmp_path: Path
) -> None:
    try:
        multiply = program("multiply", "-l:libblas.so.3")
    except BuildFailed:
        pytest.skip("the linker does not find libblas.so.3")
    plain = subprocess.run([multiply], capture_output=True, text=True, check=True, timeout=60)
    told = tmp_path / "told"

    got = hooked(MULTIPLY.format(told=str(told)), multiply)

    assert (got.stdout, got.returncode) == (plain.stdout, 0), got.stderr
    assert told.read_text() == "b'N' 2 2 3"


LOUDNESS = """
from ctypes import c_double, c_int, c_void_p
from devshim import array, hook

@hook("libebur128.so.1", "ebur128_loudness_global", c_int, [c_void_p, array(c_double, length=1)])
def loudness(state, lufs, original):
    error = original()
    lufs[0] -= 10
    return error
"""


@pytest.mark.client("loudgain")
def test_an_audio_tool_s_loudness_is_measured_by_a_python_function(hooked: Run, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "tone.wav"), "wb") as tone:
        tone.setparams((1, 2, 48000, 0, "NONE", ""))
        samples = (int(8000 * sin(2 * pi * 997 * at / 48000)) for at in range(48000))
        tone.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    plain = subprocess.run(
        [require("loudgain"), "-O", tmp_path / "tone.wav"], capture_output=True, text=True, check=True, timeout=60
    )

    got = hooked(LOUDNESS, "loudgain", "-O", tmp_path / "tone.wav")

    assert lufs(got.stdout) == pytest.approx(lufs(plain.stdout) - 10, abs=0.02), got.stderr
    assert got.returncode == 0


def lufs(printed: str) -> float:
    """The loudness in the last line of loudgain's table."""
    return float(printed.splitlines()[-1].split("\t")[1].split()[0])


def test_hooks_need_the_interpreter_inside_and_say_so(devshim_run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(cos("return 1"))

    got = devshim_run("true", options=["--model", str(tmp_path / "model.py")])

    assert got.returncode == 2 and got.stderr.count("\n") == 1 and "add --in-process" in got.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (cos("return 1").replace("libm.so.6", "libnowhere.so.1"), "libnowhere.so.1: cannot open shared object"),
        (cos("return 1").replace('"cos"', '"cosine"'), "no such function"),
        (cos("return 1").replace("[c_double]", "3 * [c_double]"), "cos must take the 3 described"),
    ],
    ids=["library", "function", "parameters"],
)
def test_a_hook_that_cannot_be_is_refused_in_one_line_before_the_program_starts(
    hooked: Run, code: str, said: str
) -> None:
    got = hooked(code, "touch", "/nowhere")

    assert got.returncode == 2 and got.stderr.count("\n") == 1 and said in got.stderr


def test_only_programs_that_call_the_function_get_the_interpreter(hooked: Run) -> None:
    require("mawk")
    maps = (
        'grep -c libpython /proc/self/maps; mawk \'BEGIN {while ((getline line < "/proc/self/maps") > 0) '
        "found += line ~ /libpython/; print (found > 0), cos(0)}'"
    )

    got = hooked(cos("return 7"), "sh", "-c", maps)

    assert got.stdout == "0\n1 7\n", got.stderr


def test_a_python_program_has_the_hooks_from_its_first_line_on(hooked: Run, program: Callable[..., Path]) -> None:
    library = program("cosine", "-shared", "-fPIC", "-lm")
    script = f"import ctypes; call = ctypes.CDLL('{library}').cosine; call.restype = ctypes.c_double; print(call())"

    for words in (["-c", script], ["-m", "timeit", "-n1", "-r1", "-s", script, "pass"]):
        got = hooked(cos("return 7"), sys.executable, *words)

        assert (got.stdout.splitlines()[0], got.returncode) == ("7.0", 0), got.stderr


def test_a_python_of_another_version_that_opens_no_device_goes_its_way(hooked: Run) -> None:
    got = hooked(cos("return 7"), "sh", "-c", f"{require('python3.10')} -c 'print(1)'")

    assert (got.stdout, got.stderr, got.returncode) == ("1\n", "", 0)


def test_a_python_program_lends_its_interpreter_with_its_first_device(hooked: Run, tmp_path: Path) -> None:
    box = tmp_path / "box.py"
    box.write_text("from devshim import Device\n\nclass Box(Device):\n    def read(self, size): return b'box'\n")
    script = (
        "import ctypes, os; os.read(os.open('/dev/box0', os.O_RDONLY), 3);"
        "import math; print(math.cos(0), os.path.basename(ctypes.CDLL('libm.so.6')._name))"
    )

    got = hooked(cos("return 7"), sys.executable, "-c", script, devices=[f"/dev/box0={box}"])

    own = "7.0" if "math" in sys.builtin_module_names else "1.0"  # Python's own modules keep the library's
    assert got.stdout == f"{own} libm.so.6\n", got.stderr
    assert os.environ.get("DEVSHIM_RUN") is None
