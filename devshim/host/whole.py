"""A composite device at its nodes: its functions are plugged and pulled as one."""

from __future__ import annotations

from devshim.host.companions import free_node
from devshim.host.plugs import DevicePlug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.host.host import Host
    from devshim.model.composite import Composite


class WholePlug(DevicePlug):
    """What holds the functions of a composite device together; it has no node of its own."""

    has_node = False

    def __init__(self, host: Host, node: str, device: Composite) -> None:
        super().__init__(host, node, device, 0)
        self.composite = device
        self.parts: list[DevicePlug] = []

    def attach(self) -> None:
        """Plug all functions (again), then tell the device.  Raises SpecError; then none of them is plugged."""
        if self.parts:
            for plug in self.parts:
                self.host.replug_one(plug)
        else:
            self._plug_parts()
        super().attach()

    def _plug_parts(self) -> None:
        device = self.composite
        device.placed(self.node)
        try:
            for name, node in device.places(self.node).items():
                plug = self.host.plug(free_node(self.host, node), device.parts[name])
                self.parts.append(plug)
                plug.whole = self
        except BaseException:
            self._pull()
            raise

    def detach(self) -> None:
        """Pull all functions, then tell the device."""
        for plug in reversed(self.parts):
            self.host.unplug_one(plug)
        super().detach()

    def _pull(self) -> None:
        for plug in reversed(self.parts):
            plug.whole = None
            self.host.unplug_one(plug)
        self.parts.clear()
