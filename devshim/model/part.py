"""Part: a model that is no node of its own but joins a device, as a chip joins a bus."""

from __future__ import annotations

from devshim.model.device import Calls, Device, Plug, every_of
from devshim.model.naming import check_names
from devshim.model.parameters import Parameter, collect_parameters, copy_default, set_parameters
from devshim.model.timing import Every, Timer, start_timers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, dataclass_transform
else:
    from devshim.model.device import dataclass_transform


@dataclass_transform(kw_only_default=True)
class Part:
    """What Device and Part share for their authors: parameters by keyword, setup, @every, after and wake."""

    #: The calls on the device that this part belongs to; see Device.calls.
    calls = Calls()

    parameters: ClassVar[dict[str, Parameter]] = {}
    timers: ClassVar[tuple[Every, ...]] = ()
    _plug: Plug | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_names(cls)
        cls.parameters = collect_parameters(cls)
        cls.timers = tuple(every_of(cls))

    def __init__(self, **parameters: Any) -> None:
        copy_default(self)
        set_parameters(self, parameters)
        self.setup()

    def setup(self) -> None:
        """Called once, when all parameters are set; override instead of __init__."""

    def plug_into(self, device: Device | None) -> Device:
        """Join the device that is plugged at a node, or make the one that this part needs; return it.

        Raises TypeError where the device there is of another kind.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it can be plugged into")

    def plugged(self) -> None:
        """The device that this part belongs to has been plugged in (again); timers run from now."""

    def unplugged(self) -> None:
        """The device that this part belongs to has been taken away."""

    def attached(self, plug: Plug) -> None:
        """Called by the device when it is plugged, or when this part joins one that is."""
        self._plug = plug
        self.plugged()
        start_timers(self)

    def wake(self) -> None:
        """Ask waiting calls on the device again."""
        if self._plug is not None:
            self._plug.wake(None)

    def after(self, seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call back once in so many seconds, unless .cancel() is called on what this returns first."""
        if self._plug is None:
            raise RuntimeError(f"{type(self).__name__}: after() needs a part of a plugged device")
        return self._plug.after(seconds, lambda: callback(*args))

    @property
    def node(self) -> str | None:
        """The path of the device that this part belongs to, or None where that is not plugged."""
        return self._plug.node if self._plug is not None else None
