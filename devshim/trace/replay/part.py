"""A trace as a spec: /dev/ttyUSB0=file.trace plugs one node of a trace, wherever one likes."""

from __future__ import annotations

from devshim.errors import SpecError
from devshim.model.device import Device
from devshim.model.part import Part
from devshim.trace.replay.asked import ReplayAsked


class TraceNode(Part):
    """Answers from a trace; a mismatch fails the run."""

    #: The file, or the name of a recording that comes with devshim.
    trace: str = ""
    #: Which node of the trace, where it has several and none of the path at which this is plugged.
    recorded: str = ""
    #: Want every call in its order, and no other.
    strict: bool = False
    #: Match by request and argument alone, in any order.
    loose: bool = False
    #: How many times as fast as recorded; 0: as fast as possible.
    speed: float = 0.0
    #: A Python file with a function same(recorded, call).
    match: str = ""
    #: Fail where events were left over at the end.
    fail_on_unused: bool = False

    #: The path at which this is plugged, where that is known before.
    plugged_at = ""

    def plug_into(self, device: Device | None) -> Device:
        """Be the device.  Raises SpecError, TraceError."""
        if device is not None:
            raise TypeError(f"a trace stands alone; {type(device).__name__} is plugged there already")
        asked = ReplayAsked(self.trace)
        asked.strict, asked.loose, asked.speed = self.strict, self.loose, self.speed
        asked.match, asked.fail_on_unused = self.match or None, self.fail_on_unused
        replay = asked.load()
        recorded = self.recorded or (self.plugged_at if self.plugged_at in replay.nodes else "")
        if not recorded:
            if len(replay.nodes) != 1:
                nodes = ", ".join(replay.nodes) or "none"
                raise SpecError(f"{self.trace}: which of its nodes? recorded=NODE tells; it has {nodes}")
            (recorded,) = replay.nodes
        return replay.device(recorded)
