"""Nodes that the kernel makes beside a device's own, such as /dev/input/js0: they come and go with it."""

from __future__ import annotations

import itertools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from devshim.host.host import Host
    from devshim.host.plugs import DevicePlug
    from devshim.model.companion import Companion


def plug_companions(host: Host, plug: DevicePlug, companions: Mapping[str, Companion]) -> None:
    """Plug what belongs beside a device that was just plugged, unless it is there: a user's, or what several share."""
    for node, companion in companions.items():
        there = host.plug_at(node)
        if there is not None:
            if isinstance(there.device, type(companion)):
                there.device.join(companion)
            continue
        beside = host.plug(free_node(host, node), companion)
        beside.gives_way = True
        if not companion.common:
            beside.whole = plug  # whoever pulls one of them pulls the device
            plug.companions.append(beside)


def free_node(host: Host, node: str) -> str:
    """A node whose * is a number that neither the run nor, as far as it is seen, the machine has."""
    if "*" not in node:
        return node
    names = (node.replace("*", str(number)) for number in itertools.count())
    return next(
        name for name in names if host.plug_at(name) is None and not (os.path.lexists(name) and host.tree.is_seen(name))
    )
