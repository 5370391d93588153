"""Which steps have just one right answer: nobody else waits for the same, and nothing stale may end a wait."""

from __future__ import annotations

from collections.abc import Iterator

from tests.soak.expected import LOCK_NB, LOCK_UN, Description, Expected, Step, World
from tests.soak.expectedcalls import Calls

COUNT, RESET, TAKE, ANOTHER = 8, 10, 11, 5
LOCKED_BY_ALL = ("zero", "null", "ttyS90")
"""The real nodes' locks are everybody's, and a port's the kernel's."""
NEVER_WAITING = ("zero", "null", "ttyS90")
NUMBERED = ("open", "close", "dup", "send", "receive", "fork", "exec")
"""Steps that make or lose descriptors, or count on which there are."""


def is_free(world: World, actor: int) -> bool:
    """Whether no thread of an actor's process waits: that may hold one of the shim's own descriptors."""
    return not any(world.actors[other] == world.actors[actor] for other in world.blocked)


ON_VARIABLE = ("close", "dup", "flags", "read", "write", "seek", "stat", "flock", "send", "poll", "ioctl", "echo")


def is_stale(world: World, step: Step) -> bool:
    """Whether a step is on a descriptor that was closed: its number may be one of the shim's own during a wait."""
    process = world.processes[world.actors[step.actor]]
    number = process.variables[step.words[0]] if step.name in ON_VARIABLE else -1
    return number >= 0 and number not in process.table


def polled(world: World) -> list[Description]:
    """Files on which a poll waits."""
    return [world.description_of(step) for step in world.blocked.values() if step.name == "poll"]


def can_be_told(world: World, step: Step) -> bool:
    """Whether there is one right answer to a step of an actor that does not wait."""
    if step.name == "kill":
        return not polled(world)  # after a death all look again
    if is_stale(world, step) and not is_free(world, step.actor):
        return False
    if step.name in NUMBERED and not is_free(world, step.actor):
        return False
    if step.name == "exec":
        return list(world.actors.values()).count(world.actors[step.actor]) == 1
    if step.name == "ioctl" and step.words[1] == ANOTHER and not is_free(world, step.actor):
        return False
    if step.name == "poll" and step.words[2] == 3 and not is_free(world, step.actor):
        return False  # an epoll descriptor, too
    if step.name not in ("read", "write", "ioctl", "poll", "flock", "flags"):
        return True
    process = world.processes[world.actors[step.actor]]
    description = process.table.get(process.variables[step.words[0]], (None, False))[0]
    if description is None:
        return step.name != "poll" or not step.words[3]
    if step.name == "flags":  # a driver may look at O_NONBLOCK once or again and again
        return all(world.description_of(other) is not description for other in world.blocked.values())
    if step.name in ("read", "write") and description.node == "ttyS90":
        return False  # what lies there is the line discipline's business
    if step.name == "flock" and description.node in LOCKED_BY_ALL:
        return False
    others = [world.description_of(other).node for other in world.blocked.values()]
    if step.name in ("read", "write") and description.nonblock and description in polled(world):
        return False  # the next change would let the poll look, too
    if step.name == "poll" and step.words[3]:
        known = not (description.asked or description.stale & step.words[1] & ~world.ready(description))
        return known and description.node not in (*others, "ttyS90", "records0")
    may_wait = not description.nonblock and description.node not in NEVER_WAITING
    if step.name == "ioctl":
        may_wait = step.words[1] == TAKE and not description.nonblock
    if step.name == "flock":
        may_wait = not step.words[1] & (LOCK_NB | LOCK_UN)
    return not may_wait or description.node not in others


def answers(steps: list[Step]) -> Iterator[Expected | None]:
    """What a script must answer, step by step.  Raises KeyError or ValueError where it makes no sense (any more)."""
    world = Calls()
    for step in steps:
        waits = step.actor in world.blocked
        if step.name == "join" and step.actor not in world.due():
            raise ValueError(f"{step}: it would wait for ever")
        if step.name != "join" and world.due():
            raise ValueError(f"{step}: somebody is to be joined")
        if step.name not in ("join", "kill") and waits != (step.name == "signal"):
            raise ValueError(f"{step}: whether it waits is otherwise")
        if step.name not in ("join", "signal") and not can_be_told(world, step):
            raise ValueError(f"{step}: more than one answer would be right")
        yield world.apply(step)
