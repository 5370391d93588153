"""What makes every program that this process starts a target: three variables, put in and taken out again."""

from __future__ import annotations

from collections.abc import MutableMapping

from devshim import target


class Environment:
    """Changes `variables` so that programs started with them join a run; restore() undoes it."""

    def __init__(self, variables: MutableMapping[str, str], run_directory: str, shim: str) -> None:
        self._variables = variables
        changed = target.target_environment(variables, run_directory, shim)
        self.ours = {name: value for name, value in changed.items() if variables.get(name) != value}
        self._before = {name: variables.get(name) for name in self.ours}
        variables.update(self.ours)

    def restore(self) -> None:
        """Put back what was there; what somebody else has changed meanwhile is his."""
        for name, value in self.ours.items():
            if self._variables.get(name) != value:
                continue
            before = self._before[name]
            if before is None:
                del self._variables[name]
            else:
                self._variables[name] = before
