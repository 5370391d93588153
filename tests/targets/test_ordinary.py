"""Ordinary work is untouched: the scripts of ordinary/ say the same with a device plugged as without devshim."""

import re
import shutil

import pytest
from harness import devshim_environment, run
from targets.tours import HERE, METER

WORK = {  # the scripts, each with the clients that it needs
    "broken_pipes": (),
    "configure": (),
    "find_head": ("find",),
    "find_xargs": ("find", "xargs"),
    "gcc": (),
    "git": ("git",),
    "here_documents": (),
    "java": ("javac",),
    "make": ("make",),
    "node": ("node",),
    "perl": ("perl",),
    "pytest": (),
    "python": ("debian-python3",),
    "signals": (),
    "ssh": ("ssh",),
    "standard_devices": (),
    "tar": ("tar",),
}

ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": f"{who}@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_AUTHOR_DATE": "2024-05-01T12:00:00Z",
    "GIT_COMMITTER_DATE": "2024-05-01T12:00:00Z",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHON": shutil.which("python3") or "python3",
}


def test_every_script_is_in_the_list():
    assert {path.stem for path in (HERE / "ordinary").glob("*.sh")} == WORK.keys()


@pytest.mark.parametrize("work", WORK)
def test_ordinary_work_is_untouched(work, client, devshim_run, tmp_path):
    for name in WORK[work]:
        client(name)
    words = ("sh", HERE / "ordinary" / f"{work}.sh")

    without = alone(*words, cwd=fresh(tmp_path / "work"), env=ENVIRONMENT)
    with_devshim = devshim_run(*words, devices=[METER], cwd=fresh(tmp_path / "work"), env=ENVIRONMENT)

    assert with_devshim.stdout == without.stdout
    assert steady(with_devshim.stderr) == steady(without.stderr)
    assert with_devshim.returncode == without.returncode


def test_find_sees_all_of_dev_and_the_plugged_node_beside_it(devshim_run):
    words = ("find", "/dev", "-xdev", "-path", "/dev/pts", "-prune", "-o", "-printf", r"%p %y %m\n")

    without = alone(*words).stdout.splitlines()
    with_devshim = devshim_run(*words, devices=[METER]).stdout.splitlines()

    assert sorted([*without, "/dev/meter0 c 666"]) == sorted(with_devshim)


def fresh(folder):
    """Return the folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def alone(*command, cwd=None, env=None):
    """Run a command without devshim."""
    return run([str(word) for word in command], cwd=cwd, env=devshim_environment(env))


def steady(text):
    """Return what programs say on standard error, without the numbers of processes and the places in memory."""
    return re.sub(r"\b\d{3,}\b|0x[0-9a-f]+|/tmp/\w+\.[os]\b", "N", text)
