"""Devices in an unmodified Go program that uses the standard library alone: programs/tour.go."""

import os

import pytest
from targets.tours import DEVICES, HERE, PROGRAMS, READINGS

from devshim.cli.seccomp import problem

pytestmark = [
    pytest.mark.client("go"),
    pytest.mark.skipif(problem() is not None, reason=f"the engine seccomp does not work here: {problem()}"),
]

WITH_C = """
package main

// #include <fcntl.h>
// #include <unistd.h>
// static int c_reads(char *room) { int fd = open("/dev/meter0", O_RDONLY); return (int)read(fd, room, 8); }
import "C"
import "os"
import "fmt"

func main() {
	var room [8]C.char
	whole, err := os.ReadFile("/dev/meter0")
	fmt.Println(len(whole), err, C.c_reads(&room[0]), room[0])
}
"""


@pytest.fixture
def go(monkeypatch, tmp_path_factory):
    """The words that build a program, without a look at the network or anybody's cache."""
    monkeypatch.setenv("GOCACHE", str(tmp_path_factory.getbasetemp() / "go"))
    monkeypatch.setenv("GO111MODULE", "off")
    return ["go", "build", "-o", "{}/tour"]


def test_go_uses_devices_in_all_its_ways_started_by_the_user_or_by_make(compiled, devshim_run, go, tmp_path):
    folder = compiled("go", [*go, PROGRAMS / "tour.go"])
    tally = f"/dev/tally0={HERE / 'models.py'}:Tally"

    (tmp_path / "Makefile").write_text(f"all:\n\t@cd .; {folder}/tour\n")
    for command in ([folder / "tour"], ["make", "--no-print-directory", "-sf", tmp_path / "Makefile"]):
        outcome = devshim_run(*command, devices=[*DEVICES, tally])

        said = outcome.stdout.splitlines()
        assert outcome.returncode == 0 and len(said) == 8, f"{outcome.stdout}{outcome.stderr}"
        assert all(line.startswith("ok ") for line in said)


def test_go_and_c_in_one_program_see_the_same_devices(compiled, devshim_run, go, tmp_path):
    (tmp_path / "main.go").write_text(WITH_C)
    folder = compiled("cgo", [*go, tmp_path / "main.go"])
    assert os.path.exists(folder / "tour")

    outcome = devshim_run(folder / "tour", devices=DEVICES[:1])

    assert outcome.stdout == f"{len(READINGS)} <nil> 8 {ord('d')}\n", outcome
