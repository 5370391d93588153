"""YAML as this project reads it: plain data only, every value with its place, nothing that surprises.

The scalars are those of YAML 1.2's core schema (yaml.org/spec/1.2.2, 10.3.2): only true and false are truth
values, no sexagesimals, no dates.  Stricter than that: a number with leading zeros stays text (0123 is a
name somebody chose, or an octal of YAML 1.1; a guess would be wrong half of the time), keys are always
text, a key that stands twice is an error, and there are no tags, no merge keys and no second document.
0b101 is a number too, for register maps.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from devshim.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path as FilePath

#: What a value is called by: the keys and list positions that lead to it.
Path = tuple[str | int, ...]

SIZE_LIMIT = 1 << 20
#: Values after aliases are followed: nine lists of nine aliases each would otherwise be 10^9 values.
VALUE_LIMIT = 100_000
DEPTH_LIMIT = 50

INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+")
FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)?(?:\.[0-9]+|(?<=[0-9])\.?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan")
BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
NULLS = ("", "~", "null", "Null", "NULL")


class Place(NamedTuple):
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Document:
    """A file's data, and for each value (and each key) the place where it stands."""

    def __init__(self, file: str, data: Any) -> None:
        self.file = file
        self.data = data
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}

    def place(self, path: Path, key: bool = False) -> Place:
        """The place of a value, or of its key; of the nearest one around it where the file does not have it."""
        for end in range(len(path), -1, -1):
            found = (self.keys.get(path[:end]) if key else None) or self.values.get(path[:end])
            if found is not None:
                return found
        return Place(self.file, 1, 1)

    def error(self, path: Path, message: str, key: bool = False) -> ConfigError:
        """The error that says where, for the caller to raise."""
        return ConfigError(f"{self.place(path, key)}: {message}")


def load(file: str | FilePath) -> Document:
    """Read a YAML file.

    Raises ConfigError, with file:line:column, where it cannot be read, is larger than 1 MiB, is not UTF-8,
    or is no YAML as described above.
    """
    name = str(file)
    try:
        with open(file, "rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as problem:
        raise ConfigError(f"{name}: {problem.strerror or problem}") from None
    if len(raw) > SIZE_LIMIT:
        raise ConfigError(f"{name}: larger than 1 MiB, which no device description is")
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Document:
    """Read YAML from bytes; `name` stands for the file in messages.  Raises ConfigError as load() does."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        column = problem.start - raw.rfind(b"\n", 0, problem.start)
        raise ConfigError(f"{name}:{line}:{column}: byte 0x{raw[problem.start]:02x} is not UTF-8") from None
    document = Document(name, None)
    root = compose(text, name)
    if root is not None:
        Builder(document).build_into(root)
    return document


def compose(text: str, name: str) -> yaml.Node | None:
    """The node tree of the one document in text, or None where it is empty."""
    loader = None
    try:
        loader = PlainLoader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        column = problem.position - text.rfind("\n", 0, problem.position)
        raise ConfigError(f"{name}:{line}:{column}: character {problem.character!r} is not allowed") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        said = ", ".join(part for part in (problem.context, problem.problem) if part)
        raise ConfigError(f"{where}: {said}") from None
    finally:
        if loader is not None:
            loader.dispose()


class PlainLoader(yaml.SafeLoader):
    """A safe loader that is used for its node tree alone; refuses tags, and trees too deep for Python's stack."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if self.depth > DEPTH_LIMIT:
            raise yaml.composer.ComposerError(None, None, f"nested more than {DEPTH_LIMIT} deep", event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.composer.ComposerError(None, None, f"tags are not allowed: {event.tag}", event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


# Nothing is resolved while composing: Builder decides what a plain scalar is.
PlainLoader.yaml_implicit_resolvers = {}


class Builder:
    """Makes plain data from a node tree and notes the places."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left = VALUE_LIMIT
        self.around: set[int] = set()

    def build_into(self, root: yaml.Node) -> None:
        """Fill the document from its root node."""
        self.document.data = self.build(root, ())

    def place_of(self, node: yaml.Node) -> Place:
        return Place(self.document.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def error(self, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{self.place_of(node)}: {message}")

    def build(self, node: yaml.Node, path: Path) -> Any:
        self.left -= 1
        if self.left < 0:
            raise self.error(node, f"more than {VALUE_LIMIT:,} values, aliases followed")
        if id(node) in self.around:
            raise self.error(node, "an alias that contains itself")
        self.document.values[path] = self.place_of(node)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        self.around.add(id(node))
        try:
            return self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        finally:
            self.around.discard(id(node))

    def sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, "a key must be a word")
            name = key.value
            if name in made:
                raise self.error(key, f'"{name}" stands here twice; first at {self.document.keys[(*path, name)]}')
            self.document.keys[(*path, name)] = self.place_of(key)
            made[name] = self.build(value, (*path, name))
        return made

    def scalar(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        return node.value if node.style else plain(node.value)


def plain(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means: true, false, null, a number, or text."""
    if text in BOOLS:
        return BOOLS[text]
    if text in NULLS:
        return None
    # A number of thousands of digits is no number; int() would refuse it or take its time.
    if len(text) > 40:
        return text
    if INT.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text
