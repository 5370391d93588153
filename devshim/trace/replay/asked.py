"""What a command line asks of a replay; and the replay that this makes, in the host."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devshim.model.device import Device
    from devshim.trace.event import Event
    from devshim.trace.replay.matching import Same
    from devshim.trace.replay.replay import Replay

FAIL, REAL, RECORD = "fail", "real", "record"


class ReplayAsked:
    """A trace and how it is to be replayed.

    trace   its path, or its name in the catalogue
    speed   0: as fast as possible, else how many times as fast as recorded
    match   a Python file with a function same(recorded, call)
    on_miss who answers what the trace does not have: "fail": nobody; "real": the real node; "record": it too, and the
            trace is extended; else a model
    patience  seconds for which a program may wait for what cannot come, where other things may end that; None: as usual
    until   the event after which the model answers all; 0: none
    check   run on the real devices, and compare
    maps    where nodes of the trace are plugged, by their recorded path
    """

    def __init__(self, trace: str = "") -> None:
        self.trace = trace
        self.strict = False
        self.loose = False
        self.speed = 0.0
        self.match: str | None = None
        self.on_miss = FAIL
        self.until = 0
        self.patience: float | None = None
        self.fail_on_unused = False
        self.check = False
        self.maps: dict[str, str] = {}

    def load(self) -> Replay:
        """The replay.  Raises a DevshimError."""
        from devshim.trace.catalogue import find
        from devshim.trace.replay.ahead import Rules
        from devshim.trace.replay.matching import same
        from devshim.trace.replay.replay import Replay

        rules = Rules(self.strict, self.loose, matcher(self.match) if self.match else same, self.speed)
        replay = Replay(find(self.trace), rules, self.until, self.fail_on_unused)
        if self.patience is not None:
            replay.patience = self.patience
        return replay

    def devices(self, replay: Replay, taken: dict[str, Device]) -> dict[str, Device]:
        """The devices of the trace's nodes, by where they are plugged; less those that others have taken.

        Raises SpecError where the trace has not what is asked for.
        """
        from devshim import spec
        from devshim.errors import SpecError

        found: dict[str, Device] = {}
        for recorded in self.maps:
            if recorded not in replay.nodes:
                raise SpecError(f"--map {recorded}: {replay.path} has only {', '.join(replay.nodes) or 'no node'}")
        for recorded in replay.nodes:
            node = self.maps.get(recorded, recorded)
            if node in taken:
                continue
            if node in found:
                raise SpecError(f"--map: two nodes of {replay.path} at {node}")
            device = replay.device(recorded)
            if replay.nodes[recorded].kind == "sysfs":
                pass  # nobody calls it
            elif self.on_miss in (REAL, RECORD):
                replay.hand_over(recorded, node, record=self.on_miss == RECORD)
            elif self.on_miss != FAIL:
                text = f"{node}={self.on_miss}"
                replay.fall_back(recorded, next(iter(spec.build([spec.parse(text)]).values())))
            found[node] = device
        return found


def matcher(path: str) -> Same:
    """The comparison of calls that a Python file defines; where it returns None, our own decides.

    Raises SpecError where there is none.
    """
    from devshim.errors import SpecError
    from devshim.modelclass import missing, module_of
    from devshim.trace.replay import matching

    missing(path)
    theirs = getattr(module_of(path), "same", None)
    if not callable(theirs):
        raise SpecError(f"{path} defines no function same(recorded, call)")

    def same(recorded: Event, call: Event) -> bool:
        said = theirs(recorded, call)
        return matching.same(recorded, call) if said is None else bool(said)

    return same
