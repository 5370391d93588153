"""Traces in a suite: where they are, replayed and recorded, and what a run says of them."""

import pytest
from harness import run_devshim_verb
from suites import echo, run

pytest_plugins = ["pytester"]


def test_a_trace_is_looked_for_beside_the_test_then_at_the_root(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.devshim_trace("/dev/ttyUSB0", "no-such")
        def test_named(devshim): ...

        @pytest.mark.devshim_trace("/dev/ttyUSB0")
        @pytest.mark.parametrize("baud", [9600])
        def test_unnamed(devshim, baud): ...
        """
    )
    result = run(suite, "--strict-markers")
    result.assert_outcomes(errors=2)
    text = result.stdout.str()
    assert f"{suite.path}/traces/no-such.trace" in text
    assert "/test_unnamed-9600.trace" in text


REPLAYS = """
    import pytest

    @pytest.mark.devshim_trace("/dev/acme0", "acme")
    def test_says_the_same(devshim):
        assert devshim.run("head", "-c", "3", "/dev/acme0").calls[-2].name == "read"

    @pytest.mark.devshim_trace("/dev/acme0", "acme")
    def test_says_something_else(devshim):
        devshim.run("sh", "-c", "echo hello > /dev/acme0")
"""


def test_a_mark_replays_a_trace_and_a_mismatch_fails_the_test(suite: pytest.Pytester) -> None:
    suite.mkdir("traces")
    program = ("head", "-c", "3", "/dev/box")
    suite.path.joinpath("box.py").write_text(
        "from devshim import Device\nclass Box(Device):\n    def read(self, size): return b'box'[:size]\n"
    )
    words = ("record", "-o", "traces/acme.trace", "-d", "/dev/box=box.py", "--", *program)
    assert run_devshim_verb(*words, cwd=suite.path).returncode == 0
    suite.makepyfile(REPLAYS)
    result = run(suite)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E * the program: open(/dev/box, O_WRONLY*", "E * the trace: * open(/dev/box, O_RDONLY) = *"]
    )


ECHO = """
import os, sys, tty
import pytest

PROGRAM = '''
import os, sys, tty
fd = os.open("/dev/ttyUSB9", os.O_RDWR | os.O_NOCTTY)
tty.setraw(fd)
for word in sys.argv[1:]:
    os.write(fd, word.encode())
    print(os.read(fd, 100).decode())
'''
WORDS = os.environ.get("WORDS", "one").split()

@pytest.mark.devshim_trace("/dev/ttyUSB9")
def test_program(devshim):
    result = devshim.run(sys.executable, "-c", PROGRAM, *WORDS, timeout=60)
    assert result.stdout.split() == [f"<{word}>" for word in WORDS]
    assert "write" in [call.name for call in result.calls]

@pytest.mark.devshim_trace("/dev/ttyUSB9", name="own")
def test_own(devshim):
    assert "ttyUSB9" in os.listdir("/dev")
    fd = os.open("/dev/ttyUSB9", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    for word in WORDS:
        os.write(fd, word.encode())
        assert os.read(fd, 100).decode() == f"<{word}>"
    os.close(fd)
    assert [call.name for call in devshim.calls if call.name != "ioctl"][:3] == ["open", "write", "read"]
"""


def traces(suite: pytest.Pytester) -> dict[str, bytes]:
    return {str(path.relative_to(suite.path)): path.read_bytes() for path in suite.path.glob("traces/**/*.*")}


def test_a_node_is_recorded_where_the_bench_has_another_name_and_replayed_without_it(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_echo=ECHO)
    missing = run(suite, "--devshim-record", "once")
    missing.assert_outcomes(errors=2)
    way = "*: /dev/ttyUSB9 is not there, so *; --devshim-real /dev/ttyUSB9=NODE says where it is"
    missing.stdout.fnmatch_lines([way])
    with echo() as real:
        recorded = run(suite, "--devshim-record", "once", "--devshim-real", f"/dev/ttyUSB9={real}")
    recorded.assert_outcomes(passed=2)
    recorded.stdout.fnmatch_lines(["traces/test_echo/test_program.trace: recorded", "traces/own.trace: recorded"])
    assert set(traces(suite)) == {"traces/own.trace", "traces/test_echo/test_program.trace"}
    run(suite).assert_outcomes(passed=2)


SEVERAL = """
import os, tty
import pytest

def say(node, word):
    fd = os.open(node, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    os.write(fd, word.encode())
    answer = os.read(fd, 100).decode()
    os.close(fd)
    assert answer == f"<{word}>"

@pytest.mark.devshim_trace("/dev/ttyUSB8", "left")
@pytest.mark.devshim_trace("/dev/ttyUSB9", "right")
def test_apart(devshim):
    say("/dev/ttyUSB8", "one")
    say("/dev/ttyUSB9", "two")
    say("/dev/ttyUSB8", "three")

@pytest.mark.devshim_trace("/dev/ttyUSB8")
@pytest.mark.devshim_trace("/dev/ttyUSB9")
def test_together(devshim):
    say("/dev/ttyUSB8", os.environ.get("WORD", "one"))
    say("/dev/ttyUSB9", "two")
"""


def test_a_test_has_several_traces_one_for_each_node_or_one_for_all(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(test_echo=SEVERAL)
    with echo() as left, echo() as right:
        real = ("--devshim-real", f"/dev/ttyUSB8={left}", "--devshim-real", f"/dev/ttyUSB9={right}")
        recorded = run(suite, "--devshim-record", "once", *real)
        recorded.assert_outcomes(passed=2)
        names = ["traces/left.trace", "traces/right.trace", "traces/test_echo/test_together.trace"]
        recorded.stdout.fnmatch_lines_random([f"{name}: recorded" for name in names])
        first = traces(suite)
        assert sorted(first) == names
        assert b"ttyUSB9" not in first[names[0]] and b"ttyUSB8" not in first[names[1]]
        suite.path.joinpath(names[1]).unlink()
        run(suite, "--devshim-record", "once", *real).assert_outcomes(passed=2)
        assert [path for path, text in traces(suite).items() if first[path] != text] == [names[1]]
    monkeypatch.setenv("WORD", "other")
    result = run(suite)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *mismatch*"])
    assert "no test names it" not in result.stdout.str()


def test_new_records_again_what_does_not_match_any_more_and_nothing_else(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(test_echo=ECHO)
    with echo() as real:
        options = "--devshim-real", f"/dev/ttyUSB9={real}", "--devshim-record", "new"
        run(suite, *options).assert_outcomes(passed=2)
        first = traces(suite)
        run(suite, *options).assert_outcomes(passed=2)
        assert traces(suite) == first
        monkeypatch.setenv("WORDS", "one two")
        result = run(suite)
        result.assert_outcomes(failed=2)
        result.stdout.fnmatch_lines(["E *the trace has no more writes", 'E *write(/dev/ttyUSB9, "two", 3)'])
        run(suite, *options, "-k", "own").assert_outcomes(passed=1, deselected=1)
    second = traces(suite)
    assert [path for path in second if second[path] != first[path]] == ["traces/own.trace"]
    run(suite, "-k", "own").assert_outcomes(passed=1, deselected=1)


def test_a_failing_test_leaves_the_trace_that_was_there(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.makepyfile(
        """
        import os, pytest

        @pytest.mark.devshim_trace("/dev/ttyUSB9")
        def test_sometimes(devshim):
            open("/dev/ttyUSB9", "rb", buffering=0).close()
            assert "FAILS" not in os.environ
        """
    )
    with echo() as real:
        options = "--devshim-real", f"/dev/ttyUSB9={real}", "--devshim-record", "all"
        run(suite, *options).assert_outcomes(passed=1)
        before = traces(suite)
        assert before
        monkeypatch.setenv("FAILS", "1")
        run(suite, *options).assert_outcomes(failed=1)
    assert traces(suite) == before


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_tells_of_traces_that_are_used_in_part_or_not_at_all(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    if workers:
        pytest.importorskip("xdist")
    suite.makepyfile(test_echo=ECHO)
    monkeypatch.setenv("WORDS", "one two")
    with echo() as real:
        run(suite, "--devshim-record", "once", "--devshim-real", f"/dev/ttyUSB9={real}").assert_outcomes(passed=2)
    monkeypatch.delenv("WORDS")
    for stale in ("old.trace", "test_gone/test_it.trace", "test_echo/test_renamed.trace"):
        suite.path.joinpath("traces", stale).parent.mkdir(exist_ok=True)
        suite.path.joinpath("traces", stale).write_bytes(b"")
    result = run(suite, *(("-p", "xdist", "-n", str(workers)) if workers else ()))
    result.assert_outcomes(passed=2)
    text = result.stdout.str()
    for name in ("old", "test_gone/test_it", "test_echo/test_renamed"):
        assert f"traces/{name}.trace: no test names it any more" in text
    result.stdout.fnmatch_lines(['traces/own.trace:*: 2 events of the trace were not used; the first: write(*"two"*'])
    if not workers:
        assert "no test names it" not in run(suite, "test_echo.py::test_own").stdout.str()


def test_a_mismatch_fails_the_test_whatever_that_made_of_it(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_echo=ECHO
        + """
@pytest.mark.devshim_trace("/dev/ttyUSB9", "own")
def test_swallows(devshim):
    fd = os.open("/dev/ttyUSB9", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    with pytest.raises(OSError):
        os.write(fd, b"two")

@pytest.mark.devshim_trace("/dev/ttyUSB9", "own")
def test_expects(devshim):
    with pytest.raises(AssertionError, match="mismatch: byte 0"):
        devshim.run(sys.executable, "-c", PROGRAM, "two", check=False)
    """
    )
    with echo() as real:
        options = "--devshim-record", "once", "--devshim-real", f"/dev/ttyUSB9={real}", "-k", "own"
        run(suite, *options).assert_outcomes(passed=1, deselected=3)
    result = run(suite, "-k", "swallows or expects")
    result.assert_outcomes(passed=1, failed=1, deselected=2)
    text, _, _ = result.stdout.str().partition("short test summary info")  # which is longer where $CI is set
    assert text.count("mismatch: byte 0 is 0x74 't', recorded 0x6f 'o'") == 1
    assert "--devshim-record=new records this test again" in text


def test_calls_are_compared_by_what_they_say(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from devshim import Device
        from devshim.trace.event import Event

        class Box(Device):
            def write(self, data): ...

        def calls(devshim, *texts):
            return devshim.run("sh", "-c", "; ".join(f"printf {text} > /dev/box" for text in texts)).calls

        def test_same(devshim):
            devshim.plug("/dev/box", Box())
            first = calls(devshim, "x")
            assert first == calls(devshim, "x")
            assert devshim.calls == first + first
            assert [call for call in first if call.name == "write"] != [Event("write", "/dev/box", data=b"x", result=1)]
            assert first != calls(devshim, "y")

        def test_other(devshim):
            devshim.plug("/dev/box", Box())
            assert calls(devshim, "x", "y") == calls(devshim, "x", "z")
        """
    )
    result = run(suite)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E * they do not say the same", 'E *- write(/dev/box, "y", 1) = 1', 'E *+ write(/dev/box, "z", 1) = 1']
    )
