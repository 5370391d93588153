"""What a model file declares beside devices: the functions marked with @opening and @hook."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from devshim import modelclass
from devshim.errors import SpecError
from devshim.model.hook import hooks_of
from devshim.model.opening import openings_of

if TYPE_CHECKING:
    from types import ModuleType

    from devshim.model.hook import Hook
    from devshim.model.opening import Opening

IN_FILE = re.compile(r"(?P<file>.+\.py)(?::\w+)?")
IN_MODULE = re.compile(r"(?P<module>\w+(?:\.\w+)*):\w+")


class Declared(NamedTuple):
    """What is in force for a run, in the order of the files and of their lines."""

    openings: list[Opening]
    hooks: list[Hook]


def declared(files: list[str], models: list[str], in_process: bool) -> Declared | None:
    """Load files and look into them and into the modules of models, as named by -d; None: nothing is declared there.

    Raises SpecError where a file cannot be loaded, a file named for the purpose declares nothing, or functions are to
    be replaced in a program that the interpreter is not in.
    """
    found = Declared([], [])
    for name in files:
        modelclass.missing(Path(name))
        if not take(found, modelclass.module_of(Path(name))):
            raise SpecError(f"{name} declares nothing: no function in it is marked with @opening or @hook")
    for module in {id(module): module for module in map(module_named, models) if module is not None}.values():
        if module.__name__ not in {modelclass.module_of(Path(name)).__name__ for name in files}:
            take(found, module)
    if found.hooks and not in_process:
        raise SpecError(f"{found.hooks[0].where} needs the interpreter inside the program; add --in-process")
    return found if found.openings or found.hooks else None


def take(found: Declared, module: ModuleType) -> bool:
    """Add what a module declares itself; whether it does."""
    own: list[Any] = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    openings, hooks = openings_of(own), hooks_of(own)
    found.openings.extend(openings)
    found.hooks.extend(hooks)
    return bool(openings or hooks)


def module_named(model: str) -> ModuleType | None:
    """The module that a model was loaded from, where its text names a file or a module."""
    in_file = IN_FILE.fullmatch(model)
    if in_file is not None and Path(in_file["file"]).is_file():
        return modelclass.module_of(Path(in_file["file"]))
    in_module = IN_MODULE.fullmatch(model)
    return sys.modules.get(in_module["module"]) if in_module is not None else None
