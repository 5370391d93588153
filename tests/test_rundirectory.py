"""The run's directory: made, held while somebody of the run lives, swept up after those who were killed."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import devshim_environment

from devshim import rundirectory
from devshim.errors import TargetFailed

MAKE = """
import os, sys
from devshim import rundirectory
path = rundirectory.make_run_directory({"TMPDIR": sys.argv[1]})
os.mkdir(path + "/tree")
child = os.fork() if sys.argv[2] == "with a child" else 1
if child:
    print(path, child, flush=True)
sys.stdin.read()
"""
"""Makes a run's directory and lives until its standard input ends."""


@pytest.fixture
def short() -> Iterator[str]:
    """A directory with a path short enough for sockets below it."""
    with tempfile.TemporaryDirectory(prefix="room-", dir="/tmp") as path:
        yield path


class TestRunDirectory:
    """make_run_directory and remove_run_directory."""

    def test_lies_below_tmpdir_and_lets_pass_who_knows_its_name(self, short: str) -> None:
        path = rundirectory.make_run_directory({"TMPDIR": short})

        around = os.path.dirname(path)
        assert os.path.dirname(around) == short
        assert [os.stat(directory).st_mode & 0o7777 for directory in (around, path)] == [0o711, 0o711]

        rundirectory.remove_run_directory(path)
        assert os.listdir(short) == []

    def test_has_another_name_each_time(self, short: str) -> None:
        assert len({rundirectory.make_run_directory({"TMPDIR": short}) for _ in range(10)}) == 10

    def test_is_absolute_where_tmpdir_is_not(self, short: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(short)

        assert rundirectory.make_run_directory({"TMPDIR": "."}).startswith(short + "/devshim-")

    @pytest.mark.parametrize("length", range(40, 70))
    def test_leaves_room_for_a_socket(self, short: str, length: int) -> None:
        parent = os.path.join(short, "x" * (length - len(short) - 1))
        os.mkdir(parent)

        path = rundirectory.make_run_directory({"TMPDIR": parent})
        rundirectory.remove_run_directory(path)

        assert len(path + "/socket") <= 107
        assert path.startswith(parent) == (length <= rundirectory.LONGEST_PARENT)

    def test_that_cannot_be_made_says_what_to_do(self) -> None:
        with pytest.raises(
            TargetFailed, match=r"cannot make the run's directory in /no/such: No such file.*; set TMPDIR"
        ):
            rundirectory.make_run_directory({"TMPDIR": "/no/such"})

    def test_is_removed_with_read_only_directories_and_links_but_not_what_they_lead_to(self, short: str) -> None:
        kept = Path(short, "kept")
        kept.mkdir()
        (kept / "file").touch()
        run = Path(rundirectory.make_run_directory({"TMPDIR": short}))
        (run / "tree/sys").mkdir(parents=True)
        (run / "tree/sys/file").touch()
        (run / "tree/link").symlink_to(kept)
        (run / "tree/sys").chmod(0o555)

        rundirectory.remove_run_directory(str(run))

        assert not run.exists()
        assert (kept / "file").exists()

    def test_that_is_gone_already_is_no_failure(self, short: str, capfd: pytest.CaptureFixture[str]) -> None:
        rundirectory.remove_run_directory(os.path.join(short, "gone"))

        assert capfd.readouterr().err == ""


class TestASweep:
    """Whoever makes a run's directory removes those that nobody holds any more, and no others."""

    def test_removes_what_a_killed_owner_has_left(self, short: str) -> None:
        with owner(short) as (process, path, _):
            process.kill()
            process.wait()
            assert os.path.isdir(path)

            ours = rundirectory.make_run_directory({"TMPDIR": short})

            assert os.listdir(short) == [os.path.basename(os.path.dirname(ours))]

    def test_leaves_the_living_alone(self, short: str) -> None:
        with owner(short) as (_, path, _):
            for _ in range(3):
                rundirectory.remove_run_directory(rundirectory.make_run_directory({"TMPDIR": short}))

            assert os.path.isdir(path + "/tree")

    def test_leaves_it_to_a_fork_of_the_killed_owner_while_that_lives(self, short: str) -> None:
        with owner(short, "with a child") as (process, path, child):
            process.kill()
            process.wait()
            rundirectory.sweep(short)
            assert os.path.isdir(path)

            pidfd = os.pidfd_open(child)
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            assert select.select([pidfd], [], [], 60)[0]
            os.close(pidfd)
            rundirectory.sweep(short)

            assert os.listdir(short) == []

    def test_takes_what_was_half_made_or_half_removed(self, short: str) -> None:
        Path(short, "devshim-00000001").mkdir()
        Path(short, "devshim-00000002").mkdir()
        Path(short, "devshim-00000002/owner").touch()

        rundirectory.sweep(short)

        assert os.listdir(short) == []

    def test_touches_nothing_that_only_looks_like_one(self, short: str) -> None:
        kept = Path(short, "kept")
        kept.mkdir()
        (kept / "owner").touch()
        Path(short, "devshim-00000001").symlink_to(kept)
        Path(short, "devshim-00000002").write_text("a file")
        for name in ("devshim-00000003", "devshim-0000004", "devshim-0000000g", "devshim-"):
            Path(short, name).mkdir()
            Path(short, name, "something").touch()
        Path(short, "devshim-0000004/owner").touch()
        before = sorted(os.listdir(short))

        rundirectory.sweep(short)

        assert sorted(os.listdir(short)) == before
        assert os.listdir(kept) == ["owner"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_leaves_other_users_alone(self, short: str) -> None:
        theirs = Path(short, "devshim-00000001")
        theirs.mkdir()
        (theirs / "owner").touch()
        os.chown(theirs, 65534, 65534)

        rundirectory.sweep(short)

        assert theirs.is_dir()

    def test_meets_others_that_sweep_and_begin_without_a_word(self, short: str) -> None:
        for number in range(40):
            Path(short, f"devshim-{number:08x}").mkdir()
            Path(short, f"devshim-{number:08x}/owner").touch()
        begun = [owner_process(short, "alone") for _ in range(6)]
        try:
            paths = [process.stdout.readline().split()[0] for process in begun if process.stdout]

            assert sorted(os.listdir(short)) == sorted(path.split("/")[-2] for path in paths)
        finally:
            outputs = [process.communicate() for process in begun]
        assert [err for _, err in outputs] == [""] * 6


def owner_process(parent: str, how: str) -> subprocess.Popen[str]:
    """A process that holds a new run's directory until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", MAKE, parent, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=devshim_environment(),
    )


@contextlib.contextmanager
def owner(parent: str, how: str = "alone") -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """The same, with the directory and the process's child."""
    with owner_process(parent, how) as process:
        assert process.stdout is not None
        path, child = process.stdout.readline().split()
        try:
            yield process, path, int(child)
        finally:
            process.kill()
