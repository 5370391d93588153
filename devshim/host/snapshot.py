"""What /sys and udev's database show of a real device, and the links that lead to its node, as they are now."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from devshim.model.device import Link
from devshim.trace.event import Node

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
    and /sys/class, udev's record, and the links to the node under /dev.  What cannot be read is left out.
    """
    found: dict[str, Any] = {}
    number = sysfs_folder(node.kind, node.rdev)
    folder = os.path.realpath(number)
    if folder.startswith("/sys/devices/"):
        take_link(found, number)
        for level in levels(folder):
            take_folder(found, level)
            take_class_links(found, level)
            take_record(found, level)
    for link in links_to(node.path):
        take_link(found, link)
    return found


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
    """An attribute that everybody may read."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o444:
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError:
        return  # drivers fail here as they please: what is not there cannot be replayed
    if len(content) <= MOST_BYTES:
        found[path] = content


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
