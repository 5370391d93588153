"""plugged(): devices for the body of a `with`, for scripts, notebooks, and single steps of a test."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from devshim.model.device import Device
from devshim.model.part import Part
from devshim.session.session import Session, current


@contextlib.contextmanager
def plugged(
    devices: Mapping[str, Device | Part | str],
    only_plugged: bool = False,
    load: Sequence[str | os.PathLike[str]] = (),
) -> Iterator[Session]:
    """Plug devices for the body of a `with`, in this process and the programs that it starts.

    devices: models or specs by node.  load: model files whose openings and hooks are obeyed.  Where a session is open
    already, as in a test, they are plugged into that.  Raises SpecError; and ModelError at the end, where a model
    failed.
    """
    outer = current()
    session = outer if outer is not None else Session(only_plugged)
    before, declared = set(session._plugs()), session._declared.state()
    try:
        for path in load:
            session.load(path)
        for node, model in devices.items():
            session.plug(node, model)
        yield session
    finally:
        if outer is None:
            session.close()
        else:
            for plug in session._plugs():
                if plug not in before and plug.plugged:
                    session.unplug(plug.node)
            session._declared.back_to(declared)
    if outer is None:
        session.check()
