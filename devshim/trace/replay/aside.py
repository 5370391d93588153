"""Real calls that may block: each is made in a thread of its own, so that it holds up nobody but who asked for it."""

from __future__ import annotations

import threading

from devshim.model.device import WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

#: Seconds for which a call is waited for at once: most are done by then.
GRACE = 0.005
#: Calls under way for one file; who asks for more waits until one is over.
MOST = 64


class Aside:
    """The calls of one file that are under way, each known by what it asks.

    done  is called, from the call's thread, when one is over that somebody was told to wait for
    """

    def __init__(self, done: Callable[[], object]) -> None:
        self._done = done
        self._calls: dict[Hashable, Call] = {}

    def has(self, key: Hashable) -> bool:
        """Whether a call is under way, or over and not asked for since."""
        return key in self._calls

    def ask(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What a call returned, or WAIT as long as it has not; asking the same again asks for that one.

        Raises what the call raised.
        """
        call = self._calls.get(key)
        if call is None:
            if len(self._calls) >= MOST:
                return WAIT
            call = self._calls[key] = Call(make, self._done)
            call.over.wait(GRACE)
        if not call.ended():
            return WAIT
        del self._calls[key]
        if call.problem is not None:
            raise call.problem
        return call.result


class Call:
    """One call."""

    def __init__(self, make: Callable[[], Any], done: Callable[[], object]) -> None:
        self.over = threading.Event()
        self.result: Any = None
        self.problem: Exception | None = None
        self._make = make
        self._done = done
        self._awaited = False
        self._turn = threading.Lock()
        threading.Thread(target=self._run, name="devshim-real", daemon=True).start()

    def ended(self) -> bool:
        """Whether it has; where not, `done` will be called."""
        with self._turn:
            self._awaited = not self.over.is_set()
            return not self._awaited

    def _run(self) -> None:
        try:
            self.result = self._make()
        except Exception as problem:  # handed to who asked
            self.problem = problem
        with self._turn:
            self.over.set()
            tell = self._awaited
        if tell:
            self._done()
