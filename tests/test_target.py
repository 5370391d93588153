"""The program's environment, and the search for the program."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devshim import rundirectory, target
from devshim.errors import ShimNotBuilt, TargetFailed


@pytest.fixture
def short() -> Iterator[str]:
    """A directory with a path short enough for sockets below it."""
    with tempfile.TemporaryDirectory(prefix="room-", dir="/tmp") as path:
        yield path


class TestEnvironment:
    """What a program of a run finds."""

    def test_puts_the_shim_before_the_users_preload(self) -> None:
        found = target.target_environment({"LD_PRELOAD": "one.so two.so:three.so"}, "/run", "/shim.so")

        assert found["LD_PRELOAD"] == "/shim.so:one.so:two.so:three.so"

    def test_does_not_load_the_shim_twice(self) -> None:
        assert target.target_environment({"LD_PRELOAD": "/shim.so"}, "/run", "/shim.so")["LD_PRELOAD"] == "/shim.so"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (None, "verify_asan_link_order=0"),
            ("detect_leaks=0", "detect_leaks=0:verify_asan_link_order=0"),
            ("verify_asan_link_order=1", "verify_asan_link_order=1"),
        ],
    )
    def test_lets_the_address_sanitizer_start_unless_the_user_says_otherwise(
        self, before: str | None, after: str
    ) -> None:
        environment = {} if before is None else {"ASAN_OPTIONS": before}

        assert target.target_environment(environment, "/run", "/shim.so")["ASAN_OPTIONS"] == after

    def test_leaves_the_users_own_environment_alone(self) -> None:
        environment = {"HOME": "/home"}

        target.target_environment(environment, "/run", "/shim.so")

        assert environment == {"HOME": "/home"}


class TestShim:
    """Where LD_PRELOAD finds the shim."""

    def test_that_is_not_built_says_what_to_do(self, short: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(target, "SHIM", os.path.join(short, "libdevshim.so"))

        with pytest.raises(ShimNotBuilt, match=r"make build"):
            target.shim_path(short)

    @pytest.mark.parametrize("letter", [" ", ":"])
    def test_is_a_link_where_the_loader_could_not_read_its_path(
        self, short: str, monkeypatch: pytest.MonkeyPatch, letter: str
    ) -> None:
        shim = Path(short, f"a{letter}b.so")
        shim.touch()
        monkeypatch.setattr(target, "SHIM", str(shim))
        run = rundirectory.make_run_directory({"TMPDIR": short})

        link = target.shim_path(run)

        assert os.readlink(link) == str(shim)
        assert letter not in link


class TestFindProgram:
    """The search for the program, as a shell searches."""

    def test_takes_the_first_on_path_that_may_be_executed(self, tmp_path: Path) -> None:
        for name, mode in (("a", 0o644), ("b", 0o755), ("c", 0o755)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "tool").touch(mode)
        environment = {"PATH": f"{tmp_path}/missing:{tmp_path}/a:{tmp_path}/b:{tmp_path}/c"}

        assert target.find_program("tool", environment) == f"{tmp_path}/b/tool"

    def test_an_empty_part_of_path_is_this_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "tool").touch(0o755)
        monkeypatch.chdir(tmp_path)

        assert target.find_program("tool", {"PATH": "/missing:"}) == "./tool"

    @pytest.mark.parametrize(
        ("name", "code", "line"),
        [
            ("tool", 127, "tool: no such program on $PATH; there is one in this directory: ./tool"),
            ("./missing", 127, "./missing: no such program"),
            ("", 127, "the program's name is empty"),
            ("./text", 126, "./text: may not be executed (chmod +x?)"),
            ("./folder", 126, "./folder: is a directory"),
        ],
    )
    def test_that_fails_has_the_shells_exit_code(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int, line: str
    ) -> None:
        (tmp_path / "tool").touch(0o755)
        (tmp_path / "text").touch(0o644)
        (tmp_path / "folder").mkdir()
        monkeypatch.chdir(tmp_path)

        with pytest.raises(TargetFailed) as caught:
            target.find_program(name, {"PATH": "/missing"})

        assert (caught.value.exit_code, str(caught.value)) == (code, line)


class TestStart:
    """start(): the exec itself."""

    def test_gives_the_program_the_mask_and_python_own_ignored_signals_back(self, tmp_path: Path) -> None:
        seen = tmp_path / "seen"
        words = ["dd", "if=/proc/self/status", f"of={seen}", "status=none"]

        pid = target.start(target.find_program("dd", os.environ), words, dict(os.environ), {signal.SIGUSR2})
        os.waitpid(pid, 0)

        lines = [line.split() for line in seen.read_text().splitlines() if line.startswith("Sig")]
        masks = {name.strip(":"): int(value, 16) for name, value in lines if "/" not in value}
        assert masks["SigBlk"] == 1 << signal.SIGUSR2 - 1
        assert masks["SigIgn"] & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1) == 0

    def test_a_file_that_no_kernel_executes_has_exit_code_126(self, tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_bytes(b"\x7fELF" + bytes(100))
        program.chmod(0o755)

        with pytest.raises(TargetFailed, match="this machine cannot run it; devshim doctor") as caught:
            target.start(str(program), [str(program)], dict(os.environ), ())

        assert caught.value.exit_code == 126
