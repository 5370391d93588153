"""From the text that names a model to its class: names, files, modules, YAML, URLs.

Each kind of text has one recogniser in KINDS, asked in order; the first that knows the text answers.
"""

from __future__ import annotations

import _frozen_importlib
import _frozen_importlib_external
import os
import sys

from devshim import catalogue
from devshim.errors import DevshimError, SpecError
from devshim.model.device import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from types import ModuleType
    from typing import Any, NoReturn, TypeVar

    Result = TypeVar("Result")


class Model:
    """What a text named: the class, the keywords that the text itself sets, and what kind of text it was."""

    def __init__(self, cls: type[Any], fixed: dict[str, Any], kind: str) -> None:
        self.cls = cls
        self.fixed = fixed
        self.kind = kind


class Kind:
    """One way of naming a model: its name for people, and how the class is got from a text; None from other texts."""

    def __init__(self, name: str, find: Callable[[str], Model | None]) -> None:
        self.name = name
        self.find = find


def find(model: str) -> Model:
    """The class that a text names.  Raises SpecError, or ConfigError for YAML, in one line."""
    for kind in KINDS:
        found = kind.find(model)
        if found is not None:
            return found
    raise SpecError(nothing_known(model))


def split_class(model: str) -> tuple[str, str | None]:
    """What stands before :Class, and the class; None where there is none."""
    before, colon, cls = model.rpartition(":")
    return (before, cls) if colon and cls.isidentifier() else (model, None)


def is_word(text: str, more: str) -> bool:
    """Whether a text is made of letters, digits and these signs alone."""
    return bool(text) and all(sign.isalnum() or sign in more for sign in text)


def from_name(name: str) -> Model | None:
    """gps: a file of the catalogue, else another package's entry point."""
    if not is_word(name, "_-"):
        return None
    file = catalogue.file_of(name)
    if file is not None:
        return Model(yaml_class(file) if file.endswith(".yml") else class_in_file(file, None), {}, "catalogue")
    point = catalogue.entry_points().get(name)
    if point is None:
        return None
    cls = guarded(f"{name} ({point.value})", None, point.load)
    if not is_model(cls):
        raise SpecError(f"{name}: the entry point {point.value} is no device class")
    return Model(cls, {}, "entry point")


def from_python_file(model: str) -> Model | None:
    """file.py or file.py:Class."""
    file, cls = split_class(model)
    return Model(class_in_file(file, cls), {}, "file") if file.endswith(".py") else None


def from_yaml_file(model: str) -> Model | None:
    """file.yml: a device without any Python."""
    return Model(yaml_class(model), {}, "YAML file") if model.endswith((".yml", ".yaml")) else None


def from_module(model: str) -> Model | None:
    """package.module:Class; the working directory counts as a place for modules, as with `python -m`."""
    name, cls = split_class(model)
    if cls is None or not all(part.isidentifier() for part in name.split(".")):
        return None
    look_in(os.getcwd())

    try:
        module = guarded(name, None, lambda: imported(name))
    except SpecError as problem:
        missing = problem.__cause__
        if isinstance(missing, ModuleNotFoundError) and missing.name and f"{name}.".startswith(f"{missing.name}."):
            raise SpecError(f'no module named "{missing.name}"') from None
        raise
    return Model(class_named(module, cls, name), {}, "module")


def from_url(model: str) -> Model | None:
    """A pyserial URL: a port elsewhere."""
    scheme, mark, _ = model.partition("://")
    if not mark or not is_word(scheme, "_+-"):
        return None
    from importlib.util import find_spec

    if find_spec("serial") is None:
        raise SpecError("a URL needs pyserial; install it with: pip install pyserial")
    from devshim.model.serial_url import SerialUrl

    return Model(SerialUrl, {"url": model}, "URL")


def from_trace(model: str) -> Model | None:
    """file.trace: a recording answers."""
    if not model.endswith((".trace", ".trace.zst")):
        return None
    from devshim.trace.replay.part import TraceNode

    return Model(TraceNode, {"trace": model}, "trace")


KINDS = (
    Kind("a pyserial URL", from_url),
    Kind("file.py or file.py:Class", from_python_file),
    Kind("file.trace", from_trace),
    Kind("file.yml", from_yaml_file),
    Kind("package.module:Class", from_module),
    Kind("a name that `devshim devices` lists", from_name),
)


def nothing_known(model: str) -> str:
    """The message for a text that names no model, with the nearest name or every way to name one."""
    from difflib import get_close_matches

    if os.path.isdir(model):
        return f"{model} is a folder, not a model's file"
    for suffix in catalogue.SUFFIXES:
        if os.path.isfile(model + suffix):
            return f'no model "{model}"; did you mean "{model}{suffix}"?'
    known = [*catalogue.names(), *catalogue.entry_points()]
    near = get_close_matches(model.lower(), known, n=1)
    if near:
        return f'no model "{model}"; did you mean "{near[0]}"?'
    return f'no model "{model}"; a model is {", ".join(kind.name for kind in KINDS[:-1])}, or {KINDS[-1].name}'


def yaml_class(file: str) -> type[Any]:
    """The class of a YAML device; YAML is imported only here, as most runs use none."""
    missing(file)
    from pathlib import Path

    from devshim import yamldevice

    return yamldevice.load_class(Path(file))


def class_in_file(file: str | PathLike[str], name: str | None) -> type[Any]:
    """A device class of a Python file: the one asked for, else the only one that the file itself defines."""
    missing(file)
    module = module_of(file)
    if name is not None:
        return class_named(module, name, str(file))
    own = [cls for cls in vars(module).values() if is_model(cls) and cls.__module__ == module.__name__]
    own = [cls for cls in dict.fromkeys(own) if not cls.__name__.startswith("_")]
    if len(own) > 1:
        # tmp102.py may hold Tmp102 and what else it takes.
        plain = stem_of(file).replace("_", "").lower()
        own = [cls for cls in own if cls.__name__.lower() == plain] or own
    if len(own) == 1:
        only: type[Any] = own[0]
        return only
    names = [cls.__name__ for cls in own]
    if names:
        raise SpecError(f"{file} has several devices: {', '.join(names)}; write {file}:{names[0]}")
    raise SpecError(f"{file} defines no device: a class that is derived from Device, Serial, I2cChip, ...")


def class_named(module: ModuleType, name: str, origin: str) -> type[Any]:
    """The device class of that name in a module."""
    cls = getattr(module, name, None)
    if is_model(cls):
        assert isinstance(cls, type)
        return cls
    if cls is not None:
        raise SpecError(f"{origin}:{name} is no device: it is not derived from Device, Serial, I2cChip, ...")
    from difflib import get_close_matches

    known = [each for each, value in vars(module).items() if is_model(value) and value.__module__ == module.__name__]
    near = get_close_matches(name, known, n=1) or known[:1]
    hint = f"; did you mean {near[0]}?" if near else ""
    raise SpecError(f"{origin} has no class {name}{hint}")


def is_model(value: object) -> bool:
    """Whether something is a class that can be plugged: a device, or a part that joins one (plug_into)."""
    return isinstance(value, type) and (issubclass(value, Device) or hasattr(value, "plug_into"))


def stem_of(file: str | PathLike[str]) -> str:
    """A file's name without its folder and suffix."""
    return os.path.splitext(os.path.basename(file))[0]


def missing(file: str | PathLike[str]) -> None:
    """Raise SpecError where a file is not there or is none; the nearest name beside it is the way out."""
    if os.path.isfile(file):
        return
    if os.path.isdir(file):
        raise SpecError(f"{file} is a folder, not a model's file")
    from difflib import get_close_matches
    from pathlib import Path

    path = Path(file)
    # Their common suffix makes short names too much alike.
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    near = get_close_matches(path.stem, [each.stem for each in beside if each.suffix == path.suffix], n=1)
    hint = f'; did you mean "{path.parent / near[0]}{path.suffix}"?' if near else ""
    raise SpecError(f"{file}: no such file{hint}")


def module_of(file: str | PathLike[str]) -> ModuleType:
    """The module that a file holds; loaded once, and under its own name where it is one of the catalogue."""
    known = catalogue.module_name(os.fspath(file))
    if known is not None:
        return guarded(str(file), file, lambda: imported(known))
    resolved = os.path.realpath(file)
    # A name that no import statement can ask for, so that the file never stands in for a real module.
    name = f"{stem_of(file)} ({resolved})"
    if name in sys.modules:
        return sys.modules[name]
    spec = _frozen_importlib_external.spec_from_file_location(name, resolved)
    assert spec is not None
    assert spec.loader is not None
    module = _frozen_importlib.module_from_spec(spec)
    look_in(os.path.dirname(resolved))
    sys.modules[name] = module
    try:
        guarded(str(file), file, lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
    except SpecError:
        del sys.modules[name]
        raise
    return module


def imported(name: str) -> ModuleType:
    """The module of that name."""
    from importlib import import_module

    return import_module(name)


def look_in(folder: str) -> None:
    """Let a model import what lies beside it; last in line, so that a json.py there replaces nothing."""
    if folder not in sys.path:
        sys.path.append(folder)


def guarded(origin: str, file: str | PathLike[str] | None, load: Callable[[], Result]) -> Result:
    """What load() returns; what goes wrong in the author's code becomes one line with its file and line."""
    try:
        return load()
    except DevshimError:
        raise
    except (Exception, SystemExit) as problem:
        raise_as_line(origin, file, problem)


def raise_as_line(origin: str, file: str | PathLike[str] | None, problem: BaseException) -> NoReturn:
    """Raise SpecError for a failure of the author's code: file:line: what."""
    if isinstance(problem, SyntaxError):
        line = f":{problem.lineno}" if problem.lineno else ""
        shown = problem.filename if problem.filename and not same_file(problem.filename, origin) else origin
        raise SpecError(f"{shown}{line}: {problem.msg}") from problem
    place = last_place(problem, str(file)) if file is not None else ""
    raise SpecError(f"{place or origin + ': '}{in_words(problem)}") from problem


def same_file(one: str, other: str) -> bool:
    """Whether two paths lead to the same file."""
    return os.path.realpath(one) == os.path.realpath(other)


def line_about(problem: BaseException, cls: type[Any]) -> str:
    """A failure of a class's own code in one line, with the place in the file that defines the class."""
    ours = cls.__module__.startswith("devshim.model.")
    file = None if ours else getattr(sys.modules.get(cls.__module__), "__file__", None)
    return (last_place(problem, file) if file else "") + in_words(problem)


def in_words(problem: BaseException) -> str:
    """An exception as one line: its type and what it says."""
    said = " ".join(str(problem).split())
    if type(problem).__module__.startswith("devshim."):
        return said
    return f"{type(problem).__name__}: {said}" if said else type(problem).__name__


def last_place(problem: BaseException, file: str) -> str:
    """The last place in a file that a failure has passed, as "file:line: "; "" where it has passed none."""
    import traceback

    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if same_file(frame.filename, file):
            return f"{file}:{frame.lineno}: "
    return ""
