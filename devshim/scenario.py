"""Scenarios: what is plugged and unplugged while a program runs, as devshim.yml lists it.

    scenario:
      - {at: 2s, unplug: /dev/ttyUSB0}
      - {at: 2500ms, plug: /dev/ttyUSB0}

Times count from when the program may start.  A device whose first step is `plug` is not there until then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim.errors import ConfigError, SpecError
from devshim.spec import check_node

if TYPE_CHECKING:
    from devshim.yamltext import Document

TIME = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min)")
UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}


class Step(NamedTuple):
    """One thing that happens.

    at     seconds after the program may start
    plug   whether the device is plugged, else it is unplugged
    node   which one
    where  for messages: file:line:column
    """

    at: float
    plug: bool
    node: str
    where: str


def steps(document: Document) -> tuple[Step, ...]:
    """The steps of a configuration, in the order in which they happen.  Raises ConfigError with file:line:column."""
    entries: list[dict[str, Any]] = document.data.get("scenario", [])
    return tuple(sorted((step(document, at) for at in range(len(entries))), key=lambda step: step.at))


def step(document: Document, number: int) -> Step:
    """One step."""
    entry, path = document.data["scenario"][number], ("scenario", number)
    actions = [name for name in ("plug", "unplug") if name in entry]
    if len(actions) != 1:
        raise document.error(path, "a step is `plug: NODE` or `unplug: NODE`, one of them")
    where = document.place((*path, actions[0]))
    try:
        node = check_node(entry[actions[0]], str(where))
    except SpecError as problem:
        raise ConfigError(str(problem)) from None
    return Step(seconds(document, (*path, "at"), entry["at"]), actions[0] == "plug", node, str(where))


def seconds(document: Document, path: tuple[str | int, ...], value: Any) -> float:
    """A time, such as 2s, 500ms, 1min, or a number of seconds."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise document.error(path, f"{value}: a time is 0 or more")
        return float(value)
    match = TIME.fullmatch(value)
    if match is None:
        raise document.error(path, f'"{value}" is no time; write 2s, 500ms or 1min')
    return float(match[1]) * UNITS[match[2]]


def absent_at_first(steps: Iterable[Step], nodes: Collection[str]) -> set[str]:
    """The nodes that are not plugged before a step does it.

    Raises ConfigError where a step's node has no device, or the step would change nothing.
    """
    there: dict[str, bool] = {}
    absent = set()
    for step in steps:
        if step.node not in nodes:
            raise ConfigError(f"{step.where}: no device for {step.node}; list it under `devices`, or with -d")
        if step.node not in there and step.plug:
            absent.add(step.node)
        elif there.get(step.node, True) == step.plug:
            state = "plugged" if step.plug else "unplugged"
            raise ConfigError(f"{step.where}: {step.node} is {state} already at that time")
        there[step.node] = step.plug
    return absent
