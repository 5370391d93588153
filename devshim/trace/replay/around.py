"""What is around a replayed node: files and links as recorded; those of /sys that failed or were written, with that."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from devshim.model.attribute import Attribute
from devshim.model.device import Device
from devshim.trace.event import Node, SysFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from devshim.trace.replay.replay import Replay


def surroundings(node: Node) -> Mapping[str, Any]:
    """What surroundings() of a replayed device returns."""
    if not any(isinstance(content, SysFile) for content in node.surroundings.values()):
        return node.surroundings
    return {path: shown(path, content) for path, content in node.surroundings.items()}


def shown(path: str, content: Any) -> Any:
    """A file or link of the picture; who is told of uevents is the business of whoever lays the picture out."""
    if not isinstance(content, SysFile):
        return content
    return content.content if path.endswith("/uevent") else Recorded(content).attribute()


class ReplayFolder(Device):
    """A recorded folder of /sys with what is around it; nothing of it is a node."""

    carrier = "none"

    def begin(self, replay: Replay, node: Node) -> None:
        """Take a node of a trace."""
        self._node = node

    def surroundings(self, node: str, major: int, minor: int) -> Mapping[str, Any]:
        """As recorded."""
        return surroundings(self._node)


class Recorded:
    """A file of /sys that answers as it was recorded to; what was not written then is taken and shown."""

    def __init__(self, file: SysFile) -> None:
        self._file = file
        self._content = file.content
        self._failure = file.failure

    def attribute(self) -> Attribute:
        """The file."""
        mode = self._file.mode
        return Attribute(self._show if mode & 0o444 else None, self._store if mode & 0o222 else None, mode)

    def _show(self) -> bytes:
        fail(self._failure)
        return self._content

    def _store(self, data: bytes) -> None:
        fail(self._file.writes.get(data, ""))
        if not self._failure:
            self._content = data.rstrip(b"\0\n") + b"\n"


def fail(name: str) -> None:
    """Raise the OSError of an errno's name; "" is none."""
    if name:
        number = getattr(errno, name)
        raise OSError(number, os.strerror(number))
