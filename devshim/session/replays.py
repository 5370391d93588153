"""The traces that a session replays: what did not match, and what was left of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from devshim.session.failures import Mismatch

if TYPE_CHECKING:
    from devshim.model.device import Device
    from devshim.trace.replay.replay import Replay

WAY_OUT = (
    "  where the program or the device has changed, pytest --devshim-record=new records this test again,"
    " with the device there"
)


def replayed(path: str, nodes: Iterable[str]) -> list[tuple[str, Device]]:
    """The devices that replay a trace at these nodes: of the same nodes there, or of its only one.

    Several nodes of one trace are one replay, so that what was done on one comes before or after what was done on the
    other as it did.  Raises SpecError, TraceError.
    """
    from devshim.trace.replay.replay import Replay

    made: list[tuple[str, Device]] = []
    replay = Replay(path)
    for node in nodes:
        recorded = node if node in replay.nodes or len(replay.nodes) != 1 else next(iter(replay.nodes))
        if recorded in replay.devices:
            replay = Replay(path)
        made.append((node, replay.device(recorded, node)))
    return made


class Replays:
    """Knows every replay that a session has plugged.

    left   what there was to say of each at the end, by the trace's path: the session is over then
    quiet  whether mismatches are kept for take_mismatch(), and not told on stderr at once
    """

    def __init__(self) -> None:
        self._replays: list[Replay] = []
        self.left: dict[str, str] = {}
        self.quiet = False

    def plugged(self, device: Device) -> None:
        """Take in a device, if it is replayed."""
        module = sys.modules.get("devshim.trace.replay.replay")
        replay = getattr(device, "replay", None)
        if module is not None and isinstance(replay, module.Replay) and replay not in self._replays:
            self._replays.append(replay)
            replay.quiet = self.quiet

    @property
    def paths(self) -> list[str]:
        """The traces' files."""
        return [replay.path for replay in self._replays]

    @property
    def mismatched(self) -> list[str]:
        """Those of them in which a program did not find what it did."""
        return [replay.path for replay in self._replays if replay.mismatches]

    def take_mismatch(self, failures: list[str]) -> Mismatch | None:
        """What has not matched since the last time, taken out of a session's failures; under the lock."""
        texts = []
        for replay in self._replays:
            texts += replay.complaints
            replay.complaints.clear()
        for text in texts:
            if text in failures:
                failures.remove(text)
        return Mismatch("\n".join(map(with_our_way_out, texts))) if texts else None

    def end(self) -> Iterator[str]:
        """At the end: what is to be counted as a failure."""
        for replay in self._replays:
            if replay.quiet:
                yield from map(with_our_way_out, replay.complaints)
            for text, failure in replay.report():
                if failure:
                    yield text
                else:
                    self.left[replay.path] = text


def with_our_way_out(text: str) -> str:
    """A mismatch with the way out that a test has, instead of the command line's."""
    from devshim.trace.replay.mismatch import WAYS

    return text.replace(f"  {WAYS}", WAY_OUT)
