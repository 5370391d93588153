"""What the user asks of a recording: where it goes, what it is of, what it tells."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from devshim.host.host import Host
    from devshim.host.recorder import Recorder, Wanted
    from devshim.model.description import Descriptions
    from devshim.trace.replay.asked import ReplayAsked


class RecordAsked:
    """The options of `devshim record` beside those of `devshim run`; handed to the host as it is, by the fork."""

    def __init__(self) -> None:
        self.trace = ""
        """Path of the trace."""
        self.nodes: list[str] = []
        """Real nodes."""
        self.names: dict[str, str] = {}
        """By real node: another name, by which programs find it in this run, and the trace calls it."""
        self.with_models = True
        """Record plugged models, too."""
        self.stable = False
        """Leave times out."""
        self.snapshot = False
        """Take down what /sys and udev show of the nodes."""
        self.with_command = False
        """Say in the trace how the program was called."""
        self.check: ReplayAsked | None = None
        """A trace to compare with as the program goes; then nothing is kept, and nothing but that is told."""
        self.program: list[str] = []
        """The program and its arguments."""

    def wanted(self) -> Wanted:
        """The trace's path and first line."""
        import platform
        import sys

        from devshim import __version__
        from devshim.host.recorder import Wanted
        from devshim.trace.event import Header

        header = Header(f"devshim {__version__}", "record", platform.machine(), order=sys.byteorder)
        header.word = 8 if sys.maxsize > 1 << 32 else 4
        header.program = os.path.basename(self.program[0])
        header.command = self.program if self.with_command else []
        header.stable = self.stable
        return Wanted(self.trace, header)

    def begin(self, run: str, host: Host, described: Descriptions | None, all_nodes: bool) -> Recorder:
        """Prepare the host of a run for it, before anything is plugged; for the host.

        Raises SpecError for a node that is none, OSError where the run's directory has no room.
        """
        from devshim.errors import SpecError
        from devshim.host.recorded import RecordedNodes
        from devshim.host.recorder import Recorder
        from devshim.host.snapshot import surroundings

        nodes = RecordedNodes(
            os.path.join(run, "recorded"),
            host.registry,
            described.all if described is not None else (),
            surroundings if self.snapshot else None,
        )
        nodes.with_models = self.with_models
        recorder = Recorder(run, self.wanted(), nodes, host.log)
        if self.check is not None:
            from devshim.trace.replay.check import Checking

            replay = self.check.load()
            for node in replay.nodes:
                replay.device(node)
            recorder.checking = Checking(replay, host.log.message)
            recorder.recording.checked = recorder.checking.event
        host.record(nodes, all_nodes)
        for node in self.nodes:
            try:
                name = self.names.get(node, "")
                if os.path.realpath(node).startswith("/sys/") and os.path.isdir(node):
                    nodes.add_folder(node)
                    continue
                nodes.also_unopened(nodes.add_hardware(node, name))
                if name:
                    host.picture.lead(name, os.path.realpath(node))
            except OSError as problem:
                way = "is it plugged in? without -d whatever the program opens is recorded"
                way = way if problem.errno == errno.ENOENT else "sudo, or the group that owns it, may help"
                raise SpecError(f"{node}: {problem.strerror}; {way}") from None
        return recorder

    def take_over(self, run: str, say: Callable[[str], object]) -> None:
        """Finish the trace of a run whose host was killed; for the waiter."""
        from devshim.host.takeover import finish_trace

        finish_trace(run, self.wanted(), say)
