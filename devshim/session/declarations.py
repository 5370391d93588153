"""What a session declares beside devices: openings and hooks, its own and those of model files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devshim import modelfile
from devshim.errors import SpecError
from devshim.host.lock import lock
from devshim.model.opening import Opening, check_patterns

if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.model.hook import Hook
    from devshim.session.serving import Serving


class Declarations:
    """The openings and hooks of one session, in the order in which they came.

    opened: gives what serves the session, which begins to if it does not yet.
    """

    def __init__(self, opened: Callable[[], Serving]) -> None:
        self._opened = opened
        self._openings: list[Opening] = []
        self._hooks: list[Hook] = []
        self._files: list[str] = []  # that the hooks are from

    def opening(self, *what: Any) -> Any:
        """Take in Session.opening()'s arguments: patterns, and perhaps a function behind them."""
        if what and callable(what[-1]):
            return self._open_by(what[:-1], what[-1])
        check_patterns(what)
        return lambda function: self._open_by(what, function)

    def _open_by(self, patterns: tuple[Any, ...], function: Callable[..., Any]) -> Callable[..., Any]:
        check_patterns(patterns)
        self._add_openings([Opening(pattern, function) for pattern in patterns])
        return function

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take in what a model file declares.  Raises SpecError where that is nothing, or cannot be."""
        found = modelfile.declared([os.fspath(path)], [], in_process=True)
        assert found is not None
        if found.hooks:
            self._add_hooks(os.path.abspath(path), found.hooks)
        if found.openings:
            self._add_openings(found.openings)

    def _add_openings(self, openings: list[Opening]) -> None:
        host = self._opened().host
        with lock:
            host.ask_about(openings)
        self._openings += openings

    def _add_hooks(self, path: str, hooks: list[Hook]) -> None:
        from devshim.host import hooks as inside

        taken = {hook.symbol for hook in self._hooks}
        for hook in hooks:
            if hook.symbol in taken:
                raise SpecError(f"{hook.where}: {hook.symbol} is replaced in this session already")
        inside.install(self._opened().host, hooks)
        self._hooks += hooks
        self._files.append(path)
        self._tell_programs()

    def _tell_programs(self) -> None:
        """Programs that are started from now on bring the hooks in by themselves."""
        from devshim import embedding

        serving = self._opened()
        embedding.prepare_hooks(serving.directory, self._files)
        with lock:
            serving.host.registry.declare(functions=[hook.symbol for hook in self._hooks])

    def failures(self, directory: str) -> list[str]:
        """What hooks did wrong in programs since the last time; directory: the run's."""
        if not self._hooks:
            return []
        from devshim import embedding

        return embedding.failures(directory)

    # ---- with plugged()

    def state(self) -> tuple[int, int, int]:
        """How much there is, for back_to()."""
        return len(self._openings), len(self._hooks), len(self._files)

    def back_to(self, state: tuple[int, int, int]) -> None:
        """Withdraw what has come since."""
        openings, hooks, files = state
        if len(self._openings) > openings:
            with lock:
                withdraw(self._opened().host, self._openings[openings:])
            del self._openings[openings:]
        if len(self._hooks) > hooks:
            from devshim.host import _channel
            from devshim.host import hooks as inside

            del self._hooks[hooks:], self._files[files:]
            _channel.unhook()
            inside.install(self._opened().host, self._hooks)
            self._tell_programs()


def withdraw(host: Host, openings: list[Opening]) -> None:
    """Ask about these no more."""
    if host.openings is not None:
        host.openings.withdraw(openings)
