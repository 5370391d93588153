"""Specs: NODE=MODEL[,param=value...] as typed, and the devices that several of them make together.

The text is split on commas that stand outside quotes and brackets:

    /dev/ttyUSB0=gps,latitude=52.5      /dev/i2c-1=bme280,address=0x77      /dev/x=box.py:Box,name="a, b",ports=[1,2]

A URL (socket://host:port) is one piece; what it takes stands after its `?`.
"""

from __future__ import annotations

import os

from devshim import modelclass
from devshim.errors import DevshimError, SpecError
from devshim.model.device import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

LONGEST_NODE, LONGEST_NAME = 1023, 255
"""In bytes.  NAME_MAX of linux/limits.h, and a quarter of PATH_MAX: the run's directory comes before it."""

EXAMPLE = "ttyUSB0"

CLOSING = {"[": "]", "(": ")", "{": "}"}


class Spec:
    """One device to be plugged.

    node        where: an absolute, normalised path
    model       what: a name, file.py, file.py:Class, package.module:Class, file.yml or a URL
    parameters  set by keyword; text is converted to the parameter's type
    where       for messages: the text as typed, or file:line:column
    """

    def __init__(self, node: str, model: str, parameters: dict[str, Any], where: str) -> None:
        self.node = node
        self.model = model
        self.parameters = parameters
        self.where = where


def parse(text: str) -> Spec:
    """Read NODE=MODEL[,param=value...].  Raises SpecError where it is none, or NODE cannot be one."""
    node, equals, rest = text.partition("=")
    if not text:
        raise SpecError("an empty text is no device; write NODE=MODEL, such as /dev/ttyUSB0=gps")
    if not equals:
        lacks, example = ("model", f"{text}=MODEL") if text.startswith("/") else ("node", f"/dev/NAME={text}")
        raise SpecError(f"{text}: no {lacks}; write NODE=MODEL, such as {example}")
    checked = check_node(node, text)
    if is_url(rest):
        return Spec(checked, rest, {}, text)
    model, *settings = split(rest, text)
    if not model:
        raise SpecError(f"{text}: no model after {node}=; `devshim devices` lists some")
    return Spec(checked, unquoted(model), dict(named(settings, text)), text)


def is_url(model: str) -> bool:
    """Whether a model's text is a URL, and so keeps its commas."""
    scheme, mark, _ = model.partition("://")
    return bool(mark) and scheme.replace("-", "").replace("+", "").isalnum()


def check_node(node: str, where: str) -> str:
    """The node's path, normalised.  Raises SpecError for one that is not absolute, or is a folder."""
    if not os.path.isabs(node) or "\0" in node:
        raise SpecError(f'{where}: "{node}" is no node; it must be an absolute path, such as /dev/{EXAMPLE}')
    # normpath keeps two leading slashes, which mean the same as one on Linux.
    path = "/" + os.path.normpath(node).lstrip("/")
    if len(os.fsencode(path)) > LONGEST_NODE or any(len(os.fsencode(name)) > LONGEST_NAME for name in path.split("/")):
        raise SpecError(
            f"{path[:40]}...: this node's path is too long; {LONGEST_NODE} bytes in all and {LONGEST_NAME} in a name"
        )
    if os.path.isdir(path):
        raise SpecError(f"{where}: {path} is a folder; plug the device at a path in it, such as {path}/{EXAMPLE}")
    top, proc, process, *_ = [*os.path.realpath(os.path.dirname(path)).split("/"), "", ""]
    if (top, proc) == ("", "proc") and (process.isdigit() or process in ("self", "thread-self")):
        raise SpecError(f"{where}: {path} is another file in each process; plug the device at a path of its own")
    return path


def named(settings: Iterable[str], where: str) -> Iterator[tuple[str, str]]:
    """The param=value pairs behind a model.  Raises SpecError for a piece that is none, or a name that comes twice."""
    seen = set()
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise SpecError(f'{where}: "{setting}" is no param=value; put a value with commas into quotes')
        if name in seen:
            raise SpecError(f'{where}: parameter "{name}" is set twice')
        seen.add(name)
        yield name, unquoted(value)


def split(text: str, where: str) -> list[str]:
    """The pieces of text between commas that stand outside quotes and brackets; they keep their quotes."""
    pieces, start, closing, quote = [], 0, "", ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and (at == start or text[at - 1] in "=,[({: "):
            # Only where a value may begin, so that an apostrophe in a word is one.
            quote = sign
        elif sign in CLOSING and (closing or text[at - 1] == "="):
            closing = CLOSING[sign] + closing
        elif closing and sign == closing[0]:
            closing = closing[1:]
        elif sign == "," and not closing:
            pieces.append(text[start:at])
            start = at + 1
    if quote or closing:
        raise SpecError(f"{where}: {quote or closing[0]} is missing at the end")
    return [*pieces, text[start:]]


def unquoted(value: str) -> str:
    """A value without the quotes around it."""
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" else value


def load(spec: Spec) -> Any:
    """The model that a spec names, with its parameters set: a Device, or a part that joins one (plug_into).

    Raises SpecError (ConfigError for YAML) in one line: no such model, code that does not load, an unknown
    parameter, a value that does not convert, or a setup() that fails.
    """
    try:
        found = modelclass.find(spec.model)
    except SpecError as problem:
        raise SpecError(f"{spec.where}: {problem}") from problem
    return make(found, spec)


def make(found: modelclass.Model, spec: Spec) -> Any:
    """An instance of a model's class, with the parameters of a spec."""
    from devshim.model.parameters import BadParameter

    try:
        values = {name: readable(found.cls, name, value) for name, value in spec.parameters.items()}
        return found.cls(**{**found.fixed, **values})
    except BadParameter as problem:
        raise SpecError(f"{spec.where}: {problem}") from problem
    except DevshimError:
        raise
    except (Exception, SystemExit) as problem:
        raise SpecError(f"{spec.where}: {modelclass.line_about(problem, found.cls)}") from problem


def readable(cls: type[Any], name: str, value: Any) -> Any:
    """A value as the parameter's own conversion takes it: the text of a list or mapping is read as Python writes it."""
    parameter = cls.parameters.get(name)
    if parameter is None or not isinstance(value, str):
        return value
    kind = getattr(parameter.type, "__origin__", parameter.type)
    if kind not in (list, tuple, dict, set):
        return value
    from ast import literal_eval

    from devshim.model.parameters import BadParameter

    try:
        made = literal_eval(value)
        if isinstance(made, (list, tuple)) and kind in (list, tuple, set):
            return kind(made)
        if isinstance(made, kind):
            return made
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    example = {list: "[1,2]", tuple: "(1,2)", dict: "{'a':1}", set: "{1,2}"}[kind]
    raise BadParameter(f"{cls.__name__}: {name}={value} is no {kind.__name__}; write it as {name}={example}")


def build(specs: Iterable[Spec]) -> dict[str, Device]:
    """The devices of several specs by node, in the order of the specs.

    A part (a chip) joins the device that is at its node already, or makes the one that it needs (its bus).
    Raises SpecError where two devices want the same node, or a part does not fit the device there; then
    nothing is left half-done, because nothing is plugged yet.
    """
    devices: dict[str, Device] = {}
    makers: dict[str, Spec] = {}
    for spec in specs:
        model = load(spec)
        there = devices.get(spec.node)
        if hasattr(model, "plug_into"):
            devices[spec.node] = joined(model, there, spec)
        elif there is None:
            devices[spec.node] = model
        else:
            raise SpecError(f"{spec.where}: {spec.node} has a device already: {makers[spec.node].where}")
        makers.setdefault(spec.node, spec)
    return devices


def joined(part: Any, there: Device | None, spec: Spec) -> Device:
    """The device that a part has joined, or brought along."""
    try:
        if hasattr(part, "plugged_at"):
            part.plugged_at = spec.node
        device: Device = part.plug_into(there)
    except (TypeError, ValueError, OSError) as problem:
        raise SpecError(f"{spec.where}: {problem}") from problem
    return device
