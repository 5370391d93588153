"""Steps aside for what the host does itself: in a process whose own calls reach devices, its calls are real ones."""

from __future__ import annotations

from devshim.host import _channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    Parameters = ParamSpec("Parameters")
    Result = TypeVar("Result")


class Aside:
    """Lets this thread's calls be real ones for a while; elsewhere than in such a process nothing changes."""

    def __enter__(self) -> None:
        self._before = _channel.aside(1)

    def __exit__(self, *failure: object) -> None:
        _channel.aside(self._before)


def aside(method: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a method's calls be real ones."""

    def call(*arguments: Parameters.args, **keywords: Parameters.kwargs) -> Result:
        with Aside():
            return method(*arguments, **keywords)

    call.__doc__ = method.__doc__
    return call
