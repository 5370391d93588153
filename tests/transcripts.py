"""Transcripts of real clients on real drivers, made into traces with what their /sys and /run/udev held."""

from __future__ import annotations

import ast
import errno
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from devshim.model.device import Link
from devshim.trace.convert.recording import Recording
from devshim.trace.convert.strace import read
from devshim.trace.convert.writing import write_trace
from devshim.trace.event import Node, SysFile

Around = bytes | Link | SysFile

FILE = re.compile(r"F (?P<mode>\d+) size=\d+ (?P<path>/\S+)(?: = (?P<content>.*)| ! errno (?P<errno>\d+))?$")
LINK = re.compile(r"L (?P<path>/\S+) -> (?P<target>.*)$")
HEADING = re.compile(
    r"## (?P<path>/\S+)(?: -> (?P<target>\S+)| 0o(?P<mode>\d+) .*rdev (?P<major>\d+) (?P<minor>\d+).*)?$"
)


def tree(listing: Path) -> tuple[dict[str, Around], dict[str, tuple[int, tuple[int, int]]]]:
    """The files and links that a listing of /sys and /run/udev has, and (mode, device number) of nodes."""
    found: dict[str, Around] = {}
    nodes: dict[str, tuple[int, tuple[int, int]]] = {}
    record: list[str] = []
    path = ""
    for line in [*listing.read_text(errors="surrogateescape").splitlines(), "## /end"]:
        if heading := HEADING.match(line):
            if path.startswith("/run/udev/"):
                found[path] = "".join(f"{one}\n" for one in record if one).encode("utf-8", "surrogateescape")
            path, record = heading["path"], []
            if heading["target"] and heading["target"] != path:
                found[path] = Link(posixpath.relpath(heading["target"], posixpath.dirname(path)))
            if heading["mode"]:
                nodes[path] = (int(heading["mode"], 8), (int(heading["major"]), int(heading["minor"])))
        elif link := LINK.match(line):
            found[link["path"]] = Link(link["target"])
        elif file := FILE.match(line):
            content = ast.literal_eval(file["content"]) if file["content"] else b""
            content = content.encode("latin-1", "replace") if isinstance(content, str) else content
            mode = int(file["mode"], 8)
            failure = errno.errorcode[int(file["errno"])] if file["errno"] else ""
            plain = mode & 0o222 == 0 and not failure
            found[file["path"]] = content if plain else SysFile(content, mode, failure)
        else:
            record.append(line)
    return found, nodes


def convert(case: Path, trace: Path, more: Iterable[str] = ()) -> int:
    """Make a trace of a case; how many events it has.  more: nodes that were there and are not in the transcript."""
    recording = read(case / "strace")
    for _ in recording.events():
        pass
    around: dict[str, Around] = {}
    known: dict[str, tuple[int, tuple[int, int]]] = {}
    for listing in sorted(case.parent.glob("sys-*.txt")):
        files, nodes = tree(listing)
        around.update(files)
        known.update(nodes)
    events = recording.events

    def with_surroundings() -> Iterator[Any]:
        yield from events()
        surround(recording, around, known)
        recording.header.nodes.update({path: Node(path) for path in more if path not in recording.header.nodes})

    recording.events = with_surroundings
    return write_trace(recording, os.fspath(trace))


def surround(recording: Recording, around: dict[str, Around], known: dict[str, tuple[int, tuple[int, int]]]) -> None:
    """Give what a listing has to the nodes; what the transcript itself shows is newer."""
    nodes: dict[str, Node] = recording.header.nodes
    if not any(path.startswith("/dev/") for path in nodes):
        nodes.update({path: Node(path) for path in known})
    for path, (mode, rdev) in known.items():
        if path not in nodes:
            continue
        node = nodes[path]
        if node.rdev == (0, 0):
            node.mode, node.rdev = mode & 0o7777, rdev
            node.kind = "block" if mode & 0o170000 == 0o060000 else "tty" if path.startswith("/dev/tty") else "char"
    if not nodes:
        return
    first = next(iter(nodes.values()))
    shown = {path: content for path, content in first.surroundings.items() if content or isinstance(content, Link)}
    for path, content in shown.items():
        if isinstance(content, SysFile) and not content.content and path in around:
            listed = around[path]
            content.content = listed.content if isinstance(listed, SysFile) else bytes(listed)
    both: dict[str, Around] = {**first.surroundings, **around, **shown}
    first.surroundings = dict(sorted(without_what_is_below_links(both).items()))


def without_what_is_below_links(found: dict[str, Around]) -> dict[str, Around]:
    """The same without entries that lie below a link, or below a file."""
    return {path: content for path, content in found.items() if not any(above in found for above in parents(path))}


def parents(path: str) -> Iterator[str]:
    """The directories above a path."""
    while (path := posixpath.dirname(path)) not in ("/", ""):
        yield path
