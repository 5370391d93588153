"""Paths relative to a directory of a device's tree in /sys: what libudev and find use for all that they look at."""

import os
import subprocess

import pytest

from devshim import Attribute, Device, Link, Session

ABOVE = "/sys/devices/platform"


class Odd(Device):
    def surroundings(self, node, major, minor):
        return {
            f"{ABOVE}/one/deep/er/file": b"deep\n",
            f"{ABOVE}/one/level": Attribute(lambda: 5),
            f"{ABOVE}/one/link": Link("deep/er"),
            f"{ABOVE}/one/away": Link("../onetwo/file"),
            f"{ABOVE}/onetwo/file": b"beside\n",
        }


@pytest.fixture
def odd():
    with Session() as session:
        yield session.plug("/dev/odd", Odd())


@pytest.fixture
def directory(odd):
    fd = os.open(f"{ABOVE}/one", os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def content(path, directory):
    fd = os.open(path, os.O_RDONLY, dir_fd=directory)
    try:
        return os.read(fd, 99)
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("deep/er/file", b"deep\n"),
        ("link/file", b"deep\n"),
        ("./deep//er/../er/file", b"deep\n"),
        ("away", b"beside\n"),
        ("../onetwo/file", b"beside\n"),
        ("level", b"5\n"),
    ],
)
def test_a_relative_path_leads_to_what_lies_there(directory, path, expected):
    for _ in range(3):  # the second time its directory is known
        assert content(path, directory) == expected


def test_a_name_is_not_glued_to_its_directory(directory):
    with pytest.raises(FileNotFoundError):
        content("two/file", directory)


def test_a_link_is_opened_itself_where_the_program_wants_that(directory):
    fd = os.open("link", os.O_PATH | os.O_NOFOLLOW, dir_fd=directory)
    try:
        assert os.readlink("link", dir_fd=directory) == os.readlink("", dir_fd=fd) == "deep/er"
    finally:
        os.close(fd)


def test_a_directory_that_has_gone_stays_empty_though_its_like_comes_back(odd, directory):
    assert content("level", directory) == b"5\n"
    odd.unplug()
    odd.plug()

    with pytest.raises(FileNotFoundError):
        content("deep/er/file", directory)
    with pytest.raises(FileNotFoundError):
        content("level", directory)
    with open(f"{ABOVE}/one/level") as file:
        assert file.read() == "5\n"


def test_all_of_a_tree_below_sys_is_on_its_file_system(odd):
    paths = [f"{ABOVE}/one/deep/er/file", f"{ABOVE}/one/deep", f"{ABOVE}/one/level", ABOVE]
    shown = subprocess.run(["stat", "-f", "-c", "%t", *paths], capture_output=True, text=True, check=True)

    assert len(set(shown.stdout.split())) == 1
