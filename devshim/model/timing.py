"""@every and the timers that a device may start; whose clock they run on is the host's business."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Timer(Protocol):
        """What after() returns."""

        def cancel(self) -> None:
            """Do not call back any more; harmless when it already happened."""

else:
    Timer = object


class Every:
    """A method called again and again while its device is plugged; made by @every."""

    def __init__(self, period: float | str, method: Callable[[Any], object]) -> None:
        self.period = period
        self.method = method
        self.name = method.__name__
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.method.__get__(instance, owner)

    def seconds(self, device: Any) -> float:
        """The period in force now; looked up anew for each tick where it names a parameter."""
        value = getattr(device, self.period) if isinstance(self.period, str) else self.period
        return float(value)


def every(seconds: float | str) -> Callable[[Callable[[Any], object]], Every]:
    """Call the decorated method each so many seconds, for the first time after one period.

    A string names the parameter that holds the period.  A period of 0 or less means "not now": looked at
    again when the device is plugged anew.
    """
    return lambda method: Every(seconds, method)


def start_timers(device: Any) -> None:
    """Start all @every timers of a device that was just plugged."""
    plug = device._plug
    for timer in type(device).timers:
        schedule(device, plug, timer)


def schedule(device: Any, plug: Any, timer: Every) -> None:
    """Let one tick come, and after it the next, as long as the device stays at this plug."""
    seconds = timer.seconds(device)
    if seconds <= 0:
        return

    def tick() -> None:
        if device._plug is not plug:
            return
        try:
            getattr(device, timer.name)()
        finally:
            schedule(device, plug, timer)

    plug.after(seconds, tick)
