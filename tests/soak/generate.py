"""Makes random scripts: legal calls and illegal ones, by several processes and threads; the same for the same seed."""

from __future__ import annotations

import os
import random

from tests.soak.expected import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, NODES, POLLIN, POLLOUT, Expected, Step
from tests.soak.expectedcalls import Calls
from tests.soak.telling import RESET, can_be_told, is_free

VARIABLES = 8
MOST_ACTORS = 9
SIZES = (0, 1, 7, 8, 9, 16, 100, 1000, 4096, 7935, 7936, 7937, 8192, 20_000, 70_000, 301_000)
HUGE = (4 << 20) + 17
WEIGHTS = {
    "open": 14, "close": 6, "dup": 5, "flags": 5, "read": 16, "write": 16, "seek": 3, "stat": 2, "flock": 4,
    "send": 2, "poll": 10, "ioctl": 16, "echo": 2, "fork": 4, "exec": 1, "signal": 3, "kill": 1,
}  # fmt: skip


class Generator:
    """One script, and the answers that it must get."""

    def __init__(self, seed: int, length: int) -> None:
        self.random = random.Random(seed)
        self.length = length
        self.world = Calls()
        self.steps: list[Step] = []
        self.answers: list[Expected | None] = []

    def make(self) -> list[Step]:
        """The steps, at most `length` and some that had to follow."""
        for node in range(4):
            self.do(Step(0, "open", (0, node, os.O_RDWR)))
            self.do(Step(0, "ioctl", (0, RESET, 0, 0, 0)))
            self.do(Step(0, "close", (0,)))
        while len(self.steps) < self.length:
            step = self.propose()
            if step is not None:
                self.do(step)
        return self.steps

    def do(self, step: Step) -> None:
        """Take a step, and join those whose waiting it has ended."""
        self.steps.append(step)
        self.answers.append(self.world.apply(step))
        for actor in self.world.due():
            self.do(Step(actor, "join"))
        if step.name == "send" and self.world.passing is not None:
            free = [actor for actor in self.world.actors if is_free(self.world, actor)]
            self.do(Step(self.random.choice(free), "receive", (self.variable(), self.random.randint(0, 1))))

    # ---- What may be done now

    def variable(self) -> int:
        """Any."""
        return self.random.randrange(VARIABLES)

    def propose(self) -> Step | None:
        """A step, or None where it would be one whose answer cannot be told."""
        world = self.world
        name = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if name in ("signal", "kill"):
            return self.propose_event(name)
        actors = [actor for actor in world.actors if actor not in world.blocked]
        if not actors:
            return self.propose_event("signal")
        actor = self.random.choice(actors)
        step: Step | None = getattr(self, "propose_" + name)(actor)
        return step if step is not None and can_be_told(world, step) else None

    # ---- Each kind of step

    def propose_event(self, name: str) -> Step | None:
        """A signal to one that waits; the end of a process."""
        world = self.world
        if name == "signal" and world.blocked:
            return Step(self.random.choice(list(world.blocked)), "signal", (self.random.randint(0, 1),))
        victims = [actor for actor, process in world.actors.items() if process]
        if not victims or (len(world.actors) - len(world.blocked) < 2 and self.random.random() < 0.9):
            return None
        victim = self.random.choice(victims)
        step = Step(victim, "kill")
        return step if can_be_told(world, step) else None

    def propose_open(self, actor: int) -> Step:
        flags = self.random.choice((os.O_RDWR, os.O_RDWR, os.O_RDWR, os.O_RDONLY, os.O_WRONLY))
        flags |= self.random.choice((0, os.O_NONBLOCK, os.O_CLOEXEC, 0, os.O_CLOEXEC | os.O_NONBLOCK))
        node = self.random.choice((0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 6, 7, 8))
        if NODES[node] == "ttyS90":
            flags = flags & ~os.O_ACCMODE | os.O_RDWR | os.O_NOCTTY
        elif NODES[node] != "not-there" and self.random.random() < 0.1:
            flags |= self.random.choice((os.O_CREAT | os.O_EXCL, os.O_DIRECTORY, os.O_TRUNC, os.O_CREAT, os.O_APPEND))
        return Step(actor, "open", (self.variable(), node, flags))

    def propose_close(self, actor: int) -> Step:
        return Step(actor, "close", (self.variable(),))

    def propose_dup(self, actor: int) -> Step:
        return Step(
            actor, "dup", (self.variable(), self.variable(), self.random.randint(0, 4), self.random.randint(5, 30))
        )

    def propose_flags(self, actor: int) -> Step:
        return Step(actor, "flags", (self.variable(), self.random.randint(0, 4), self.random.randint(0, 1)))

    def transfer(self, actor: int, name: str) -> Step:
        size = HUGE if self.random.random() < 0.002 else self.random.choice(SIZES)
        address = self.random.choices((0, 1, 2, 3, 4), (20, 1, 1, 2, 1))[0]
        offset = self.random.choices((-1, 0, 5, 299_990, 400_000, -5), (12, 1, 1, 1, 1, 1))[0]
        variable = self.variable()
        process = self.world.processes[self.world.actors[actor]]
        description = process.table.get(process.variables[variable], (None, False))[0]
        if address == 4:
            size = min(size, 4096)
        if address == 3:
            size = min(size, 8 if name == "write" or self.random.random() < 0.5 else 15)
        if description is not None and description.node in ("zero", "null") and address:
            address = 0
        parts = self.random.choices((0, 1, 3, 8), (12, 1, 2, 1))[0]
        if size < parts:
            parts = 0
        return Step(actor, name, (variable, size, address, parts, offset, self.random.randint(0, 250)))

    def propose_read(self, actor: int) -> Step:
        return self.transfer(actor, "read")

    def propose_write(self, actor: int) -> Step:
        return self.transfer(actor, "write")

    def propose_seek(self, actor: int) -> Step:
        offset = self.random.choice((0, 1, 100, 299_999, 300_000, 400_000, -1, -300_001))
        return Step(actor, "seek", (self.variable(), offset, self.random.randint(0, 3)))

    def propose_stat(self, actor: int) -> Step:
        return Step(actor, "stat", (self.variable(), self.random.choice((0, 1, 2, 4, 5, 6))))

    def propose_flock(self, actor: int) -> Step:
        operation = self.random.choice(
            (LOCK_SH, LOCK_EX, LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN)
        )
        return Step(actor, "flock", (self.variable(), operation))

    def propose_send(self, actor: int) -> Step:
        return Step(actor, "send", (self.variable(),))

    def propose_poll(self, actor: int) -> Step:
        wait = int(self.random.random() < 0.3)
        events = self.random.choice((POLLIN, POLLIN, POLLOUT, POLLIN | POLLOUT))
        return Step(actor, "poll", (self.variable(), events, self.random.randint(0, 3), wait))

    def propose_ioctl(self, actor: int) -> Step:
        kind = self.random.choice((1, 2, 3, 3, 4, 5, 6, 7, 8, 10, 10, 11, 11))
        variable, address, more = self.variable(), 0, 0
        process = self.world.processes[self.world.actors[actor]]
        description = process.table.get(process.variables[variable], (None, False))[0]
        word = self.random.choice((0, 1, 5, 63, 200))
        if kind == 3:
            word, more = (
                self.random.choice((0, 1, 8, 64, 100, 7000, 7900, 9000, 100_000)),
                self.random.choice((0, 1, 13)),
            )
        elif kind == 4:
            word = self.random.choice((0, 255, 256, -1, 70_000))
        elif kind == 5:
            more = self.variable()
        elif kind == 6:
            word = self.random.randint(0, 15)
        elif kind == RESET:
            word = self.random.choice((1, 2, 30))
        if kind in (1, 2, 3) and description is not None and description.node.startswith("cell"):
            address = self.random.choices((0, 1, 2, 3, 4), (20, 1, 1, 1, 1))[0]
            address = 0 if (kind, address) == (2, 3) else address
            word = min(word, 4096) if address == 4 and kind == 3 else word
        return Step(actor, "ioctl", (variable, kind, word, address, more))

    def propose_echo(self, actor: int) -> Step:
        return Step(
            actor, "echo", (self.variable(), self.random.choice((1, 10, 100, 900)), self.random.randint(0, 250))
        )

    def propose_fork(self, actor: int) -> Step | None:
        new = len({step.words[1] for step in self.steps if step.name == "fork"}) + 1
        if new >= MOST_ACTORS + 8 or len(self.world.actors) > MOST_ACTORS:
            return None
        return Step(actor, "fork", (self.random.choice((0, 0, 1, 2, 3, 3)), new))

    def propose_exec(self, actor: int) -> Step | None:
        process = self.world.actors[actor]
        alone = sum(other == process for other in self.world.actors.values()) == 1
        return Step(actor, "exec") if alone else None
