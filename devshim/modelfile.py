"""What a model file declares beside devices: the functions marked with @opening and @hook."""

from __future__ import annotations

import os
import sys

from devshim import modelclass
from devshim.errors import SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from devshim.model.hook import Hook
    from devshim.model.opening import Opening


class Declared:
    """What is in force for a run, in the order of the files and of their lines."""

    def __init__(self) -> None:
        self.openings: list[Opening] = []
        self.hooks: list[Hook] = []


def declared(files: list[str], models: list[str], in_process: bool) -> Declared | None:
    """Load files and look into them and into the modules of models, as named by -d; None: nothing is declared there.

    Raises SpecError where a file cannot be loaded, a file named for the purpose declares nothing, or functions are to
    be replaced in a program that the interpreter is not in.
    """
    found = Declared()
    for name in files:
        modelclass.missing(name)
        if not take(found, modelclass.module_of(name)):
            raise SpecError(f"{name} declares nothing: no function in it is marked with @opening or @hook")
    for module in {id(module): module for module in map(module_named, models) if module is not None}.values():
        if module.__name__ not in {modelclass.module_of(name).__name__ for name in files}:
            take(found, module)
    if found.hooks and not in_process:
        raise SpecError(f"{found.hooks[0].where} needs the interpreter inside the program; add --in-process")
    return found if found.openings or found.hooks else None


def take(found: Declared, module: ModuleType) -> bool:
    """Add what a module declares itself; whether it does.  A file that does has imported the one or the other."""
    own: list[Any] = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    before = len(found.openings) + len(found.hooks)
    if "devshim.model.opening" in sys.modules:
        from devshim.model.opening import openings_of

        found.openings.extend(openings_of(own))
    if "devshim.model.hook" in sys.modules:
        from devshim.model.hook import hooks_of

        found.hooks.extend(hooks_of(own))
    return len(found.openings) + len(found.hooks) > before


def module_named(model: str) -> ModuleType | None:
    """The module that a model was loaded from, where its text names a file or a module."""
    before, colon, name = model.rpartition(":")
    file = before if colon and name.isidentifier() else model
    if file.endswith(".py") and os.path.isfile(file):
        return modelclass.module_of(file)
    return sys.modules.get(file) if colon else None
