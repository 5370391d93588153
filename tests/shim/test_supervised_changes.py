"""The engine `seccomp`: a static program is told what others are told of a node's name, and that it is no socket."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Outcome

from devshim.cli.seccomp import problem

MAILBOX = f"/dev/changes0={Path(__file__).with_name('models.py')}:Mailbox"

pytestmark = pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}")


def test_a_static_program_is_told_what_a_dynamic_one_is_told(
    program: Callable[..., Path], devshim_run: Callable[..., Outcome], tmp_path: Path
) -> None:
    said = {}
    for flags in ((), ("-static",)):
        other = tmp_path / "other"
        other.touch()
        outcome = devshim_run(program("changes", *flags), "/dev/changes0", other, devices=[MAILBOX])
        assert outcome.returncode == 0, outcome
        said[flags] = outcome.stdout.splitlines()

    assert said[()] == said[("-static",)]
    assert [line for line in said[()] if ": 0" not in line and ": -1" not in line] == [
        "modified(): 2000 ",
        "modified(): 4000 ",
        "modified(): 6000 ",
        'write(fd, "12345678", 8): 8 ',
        "sigtimedwait(&all, NULL, &long_enough) == SIGIO: 1 ",
    ]
    assert "mkdir(node, 0700): -1 File exists" in said[()]
    assert "getsockname(fd, (struct sockaddr *)&name, &size): -1 Socket operation on non-socket" in said[()]
