"""Looks at directories in every way that a program may, and says where two of them differ: agreeing.py DIRECTORY..."""

import ctypes
import glob
import os
import stat
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.realpath.restype = ctypes.c_char_p
LETTERS = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "f", stat.S_IFCHR: "c", stat.S_IFSOCK: "s"}
found: dict[str, tuple[str, int, int, str, str]] = {}  # type, inode, size, mode and link of each path


def check(well: bool, *words: object) -> None:
    if not well:
        print(*words)


def facts(status: os.stat_result, link: str) -> tuple[str, int, int, str, str]:
    mode = status.st_mode
    return LETTERS.get(stat.S_IFMT(mode), "?"), status.st_ino, status.st_size, f"{stat.S_IMODE(mode):o}", link


def walk(directory: str) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    with os.scandir(directory) as entries:
        listed = {entry.name: entry for entry in entries}
    check(sorted(listed) == sorted(os.listdir(directory)) == sorted(os.listdir(fd)), "listdir", directory)
    by_glob = {os.path.basename(path) for path in glob.glob(f"{glob.escape(directory)}/*")}
    check(by_glob == {name for name in listed if name[0] != "."}, "glob", directory)
    for name, entry in listed.items():
        path = os.path.join(directory, name)
        status = os.lstat(path)
        for way, other in (
            ("scandir", entry.stat(follow_symlinks=False)),
            ("fstatat", os.stat(name, dir_fd=fd, follow_symlinks=False)),
        ):
            check(other == status, way, path, other, status)
        check(entry.inode() == status.st_ino, "d_ino", path)
        check(entry.is_dir(follow_symlinks=False) == stat.S_ISDIR(status.st_mode), "d_type", path)
        check(entry.is_symlink() == stat.S_ISLNK(status.st_mode), "d_type", path)
        link = os.readlink(path) if entry.is_symlink() else ""
        found[path] = facts(status, link)
        if link:
            follow(path, directory, link, fd)
        elif entry.is_dir():
            walk(path)
        elif stat.S_ISREG(status.st_mode) and status.st_mode & 0o444:
            look_into(path, name, fd, status)
    os.close(fd)


def follow(path: str, directory: str, link: str, fd: int) -> None:
    """A symbolic link: both realpaths, and what is at its end."""
    check(os.readlink(os.path.basename(path), dir_fd=fd) == link, "readlinkat", path)
    real = os.path.realpath(path)
    check(os.path.realpath(os.path.join(directory, link)) == real, "realpath", path)
    by_libc = libc.realpath(os.fsencode(path), None)
    check(os.path.exists(path) == (by_libc is not None), "exists", path)
    if by_libc is not None:
        check(os.fsdecode(by_libc) == real, "realpath(3)", path, by_libc, real)
        check(os.stat(path) == os.stat(real), "stat", path)


def look_into(path: str, name: str, fd: int, status: os.stat_result) -> None:
    """A file: opened by its path and in its directory it is the same one."""
    try:
        by_path, beside = os.open(path, os.O_RDONLY), os.open(name, os.O_RDONLY, dir_fd=fd)
    except OSError as problem:
        print("open", problem)
        return
    for one in (by_path, beside):
        check(os.fstat(one) == status, "fstat", path, os.fstat(one), status)
        check(os.readlink(f"/proc/self/fd/{one}") == path, "/proc/self/fd", path)
    check(read(by_path) == read(beside), "content", path)
    os.close(by_path)
    os.close(beside)


def read(fd: int) -> object:
    try:
        return os.read(fd, 65536)
    except OSError as problem:
        return problem.errno


def main() -> None:
    for directory in sys.argv[1:]:
        walk(directory)
    form = "%p\\t%y\\t%i\\t%s\\t%m\\t%l\\n"
    command = ["find", *sys.argv[1:], "-mindepth", "1", "-printf", form]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    by_find = {path: (kind, int(inode), int(size), mode, link) for path, kind, inode, size, mode, link in
               (line.split("\t") for line in lines)}  # fmt: skip
    for path in sorted(by_find.keys() | found.keys()):
        check(by_find.get(path) == found.get(path), "find", path, by_find.get(path), found.get(path))
    listing = subprocess.run(["ls", "-ARi", *sys.argv[1:]], capture_output=True, text=True, check=True).stdout
    by_ls = set()
    for block in listing.strip().split("\n\n"):
        directory, *names = block.splitlines()
        by_ls |= {(int(inode), f"{directory[:-1]}/{name}") for inode, name in (line.split(None, 1) for line in names)}
    check(by_ls == {(facts[1], path) for path, facts in found.items()}, "ls", by_ls ^ {
        (facts[1], path) for path, facts in found.items()
    })  # fmt: skip
    print(len(found), "looked at")


main()
