"""This very process as a target of its own session: its calls on plugged nodes meet the models, too."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devshim.host.host import Host

AVAILABLE = find_spec("devshim.host.ownprocess") is not None


def attach(run_directory: str, host: Host) -> None:
    """Let this process's own calls on plugged nodes meet the models."""
    if AVAILABLE:
        from devshim.host import ownprocess

        ownprocess.attach(run_directory, host)


def detach() -> None:
    """Undo attach()."""
    if AVAILABLE:
        from devshim.host import ownprocess

        ownprocess.detach()
