"""What /sys and udev's database show of a real device, and the links that lead to its node, as they are now."""

from __future__ import annotations

import errno
import os
import stat

from devshim.model.device import Link
from devshim.trace.event import Node, SysFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOST_BYTES = 4096
"""Of one attribute: sysfs gives a page, and what is larger is no attribute."""

MOST_FILES = 400
MOST_LEVELS = 8

LINK_FOLDERS = ("/dev/serial", "/dev/disk", "/dev/input", "/dev/snd", "/dev/v4l", "/dev/char", "/dev/block")
"""Where udev puts links to nodes; two levels of them are looked at."""

NOT_READ = ("rom", "resource", "config", "vpd", "autosuspend", "uevent_helper")
"""Attributes that are no text, or whose reading does something."""


def sysfs_folder(kind: str, rdev: tuple[int, int]) -> str:
    """The folder of a device number in /sys; kind is "block", or anything else for a character device."""
    return f"/sys/dev/{'block' if kind == 'block' else 'char'}/{rdev[0]}:{rdev[1]}"


def surroundings(node: Node) -> dict[str, Any]:
    """What there is around a node: paths to bytes of files and to Links.

    Its folder in /sys with its attributes, the folders above it as far as they are devices, the links to it in /sys/dev
    and /sys/class, udev's record, and the links to the node under /dev.  What this user may not read is left out.
    """
    found: dict[str, Any] = {}
    number = sysfs_folder(node.kind, node.rdev)
    folder = os.path.realpath(number)
    if folder.startswith("/sys/devices/"):
        take_link(found, number)
        take_levels(found, folder)
    for link in links_to(node.path):
        take_link(found, link)
    return found


def surroundings_of_folder(path: str) -> dict[str, Any]:
    """The same of a folder of /sys, with the groups of attributes that it has; path may be a link to it."""
    found: dict[str, Any] = {}
    folder = os.path.realpath(path)
    if os.path.islink(path):
        take_link(found, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)))
    take_levels(found, folder)
    if folder not in levels(folder):
        take_folder(found, folder)
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_dir(follow_symlinks=False) and not os.path.exists(os.path.join(entry.path, "uevent")):
            take_folder(found, entry.path)
    return found


def take_levels(found: dict[str, Any], folder: str) -> None:
    """A device's folder and those above it, each with its links and its record."""
    for level in levels(folder):
        take_folder(found, level)
        take_class_links(found, level)
        take_record(found, level)


def levels(folder: str) -> Iterator[str]:
    """The folders of a device and of those that it hangs on, nearest first."""
    for _ in range(MOST_LEVELS):
        if folder in ("/sys/devices", "/sys", "/"):
            return
        if os.path.exists(os.path.join(folder, "uevent")):
            yield folder
        folder = os.path.dirname(folder)


def take_folder(found: dict[str, Any], folder: str) -> None:
    """The attributes and links of one folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if len(found) >= MOST_FILES:
            return
        if os.path.islink(path):
            take_link(found, path)
        elif not name.startswith(NOT_READ):
            take_file(found, path)


def take_file(found: dict[str, Any], path: str) -> None:
    """An attribute: what it shows, or how reading it fails, and its mode where programs may write it."""
    try:
        status = os.stat(path)
    except OSError:
        return  # it has gone
    if not stat.S_ISREG(status.st_mode):
        return
    content, failure = read(path) if status.st_mode & 0o444 else (b"", "")
    if content is None:
        return
    mode = stat.S_IMODE(status.st_mode)
    if path.startswith("/sys/") and not path.endswith("/uevent") and (failure or mode & 0o222):
        found[path] = SysFile(content, mode, failure)
    elif not failure:
        found[path] = content


def read(path: str) -> tuple[bytes | None, str]:
    """What a file shows, and the name of the errno with which reading it fails; None where it is no attribute."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as problem:
        failure = errno.errorcode.get(problem.errno or 0, "EIO")
        return (None, "") if problem.errno in (errno.ENOENT, errno.EACCES, errno.EPERM) else (b"", failure)
    return (content, "") if len(content) <= MOST_BYTES else (None, "")


def take_link(found: dict[str, Any], path: str) -> None:
    """A symbolic link."""
    try:
        found[path] = Link(os.readlink(path))
    except OSError:
        return  # it has gone, or is none


def take_class_links(found: dict[str, Any], folder: str) -> None:
    """The links to a device in its class, or on its bus."""
    try:
        subsystem = os.path.realpath(os.path.join(folder, "subsystem"), strict=True)
    except OSError:
        return
    name = os.path.basename(folder)
    for place in (subsystem, os.path.join(subsystem, "devices")):
        link = os.path.join(place, name)
        if os.path.islink(link) and os.path.realpath(link) == folder:
            take_link(found, link)


def take_record(found: dict[str, Any], folder: str) -> None:
    """What udev's database says of a device."""
    try:
        with open(os.path.join(folder, "dev")) as file:
            number = file.read().strip()
        subsystem = os.path.basename(os.readlink(os.path.join(folder, "subsystem")))
    except OSError:
        number, subsystem = "", subsystem_of(folder)
    if number:
        take_file(found, f"/run/udev/data/{'b' if subsystem == 'block' else 'c'}{number}")
    elif subsystem:
        take_file(found, f"/run/udev/data/+{subsystem}:{os.path.basename(folder)}")


def subsystem_of(folder: str) -> str:
    """The name of a device's subsystem, empty where it has none."""
    try:
        return os.path.basename(os.readlink(os.path.join(folder, "subsystem")))
    except OSError:
        return ""


def links_to(node: str) -> Iterator[str]:
    """The links under /dev that lead to a node."""
    for top in LINK_FOLDERS:
        for folder, folders, names in os.walk(top):
            if folder.count("/") >= top.count("/") + 1:
                folders.clear()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.islink(path) and os.path.realpath(path) == node:
                    yield path
