"""devshim.yml: what a run plugs, describes and denies, so that nobody types it twice.

    version: 1
    devices:
      - path: /dev/ttyUSB0
        model: gps                      # as after NODE= on the command line, without parameters
        with: {latitude: 52.52}
    describe: [motor.h]                 # files that describe ioctls
    model: [files.py]                   # files with @opening and @hook functions
    deny: ["/dev/video*", "/dev/sda=EPERM"]
    only_plugged: true
    hide_real: true                     # of the machine's own devices nothing is seen
    scenario:
      - {at: 2s, unplug: /dev/ttyUSB0}  # scenario.py

Relative paths are relative to the file.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from devshim import deny as rules
from devshim import scenario, schema, yamltext
from devshim.errors import ConfigError, SpecError
from devshim.scenario import Step
from devshim.spec import Spec, check_node
from devshim.yamltext import Document, Path

#: A model or description that names a file, as opposed to one known by its name or as package.module:Class.
FILE = re.compile(r".+\.(?:py(?::\w+)?|ya?ml|h|trace(?:\.zst)?)")


class Config(NamedTuple):
    """What a devshim.yml says.

    file          it, as given
    devices       what to plug, in order; paths in it are absolute
    describe      files that describe ioctls, with absolute paths
    models        files with @opening and @hook functions, with absolute paths
    deny          (shell pattern, errno) of nodes that may not be opened
    only_plugged  whether every device node that is not plugged is refused
    hide_real     whether the machine's own devices cannot be seen
    scenario      what is plugged and unplugged meanwhile, in order
    """

    file: str
    devices: tuple[Spec, ...] = ()
    describe: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    deny: tuple[rules.Rule, ...] = ()
    only_plugged: bool = False
    hide_real: bool = False
    scenario: tuple[Step, ...] = ()


def load(file: str) -> Config:
    """Read a devshim.yml.

    Raises ConfigError in one line, with file:line:column, where it cannot be read, is no YAML, has an unknown
    key, or holds what cannot be.
    """
    document = yamltext.load(file)
    if document.data is None:
        raise ConfigError(f"{file}: it is empty; it begins with version: 1")
    schema.check(document, "config")
    data: dict[str, Any] = document.data
    folder = os.path.dirname(os.path.abspath(file))
    return Config(
        file,
        tuple(device(document, at, folder) for at in range(len(data.get("devices", [])))),
        tuple(beside(folder, name) for name in listed(data.get("describe", []))),
        tuple(beside(folder, name) for name in listed(data.get("model", []))),
        tuple(denied(document, path, text) for path, text in placed(data, "deny")),
        data.get("only_plugged", False),
        data.get("hide_real", False),
        scenario.steps(document),
    )


def device(document: Document, at: int, folder: str) -> Spec:
    """One entry of `devices`."""
    entry = document.data["devices"][at]
    path: Path = ("devices", at)
    where = document.place((*path, "model"))
    try:
        node = check_node(entry["path"], str(document.place((*path, "path"))))
    except SpecError as problem:
        raise ConfigError(str(problem)) from None
    return Spec(node, beside(folder, entry["model"]), dict(entry.get("with", {})), str(where))


def beside(folder: str, name: str) -> str:
    """A name of a file as an absolute path, relative to the configuration; other names stay."""
    return os.path.normpath(os.path.join(folder, name)) if FILE.fullmatch(name) and "://" not in name else name


def listed(value: str | list[str]) -> list[str]:
    """One text or several, as a list."""
    return [value] if isinstance(value, str) else value


def placed(data: dict[str, Any], key: str) -> list[tuple[Path, str]]:
    """One text or several under a key, each with its path."""
    value = data.get(key, [])
    return [((key,), value)] if isinstance(value, str) else [((key, at), text) for at, text in enumerate(value)]


def denied(document: Document, path: Path, text: str) -> rules.Rule:
    """GLOB or GLOB=ERRNO; without one the program gets EACCES, as with --deny."""
    try:
        return rules.parse(text)
    except ValueError as problem:
        raise document.error(path, f'"{text}": {problem}') from None
