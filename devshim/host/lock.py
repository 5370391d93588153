"""The lock under which models are called: one for the whole interpreter, `devshim.lock` to its users."""

from __future__ import annotations

from devshim.host._channel import Lock

#: Calls, timers and attribute writes take it; `with devshim.lock:` makes one turn of several steps.
lock = Lock()
