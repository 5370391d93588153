"""Steps aside for what the host does itself: in a process whose own calls reach devices, its calls are real ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from devshim.host import _channel


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Let this thread's calls be real ones for a while; elsewhere than in such a process nothing changes."""
    before = _channel.aside(1)
    try:
        yield
    finally:
        _channel.aside(before)
