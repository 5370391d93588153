"""Attribute writes on models wait for their turn: while a session is open they take the lock that calls hold.

`sensor.celsius = 80` in a test then never falls into the middle of a call.  A C method does it, because models write
attributes on the way of every call; see set_attribute in host/_lock.c.
"""

from __future__ import annotations

from devshim.host._channel import guarded_setattr
from devshim.host.lock import lock
from devshim.model.device import File
from devshim.model.part import Part

GUARDED: tuple[type, ...] = (File, Part)
_users = 0


def guard() -> None:
    """Begin to take the lock; each call of it wants one of unguard()."""
    global _users
    _users += 1
    if _users == 1:
        setter = guarded_setattr(lock)
        for cls in GUARDED:
            cls.__setattr__ = setter  # type: ignore[method-assign]


def unguard() -> None:
    """Leave attribute writes alone again."""
    global _users
    _users -= 1
    if _users == 0:
        for cls in GUARDED:
            del cls.__setattr__
