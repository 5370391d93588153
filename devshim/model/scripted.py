"""A text device made of data instead of Python: what a YAML file says becomes a class derived from Serial.

A dialogue is a list, asked from the top; the first entry that fits a line answers it:

    on: "VOLT?"                               these very characters
    on: 'VOLT (?P<volt>\\d+\\.\\d+)'             a regular expression, because it has a named group: the whole line
    pattern: 'AT\\+C.*'                        a regular expression without one
    every: 1s                                 no line at all: said again and again (ms, s, min, or a parameter's name)

Then `set` changes what the device remembers, `pause` lets time pass, and `say` answers, in this order.
In `say`, {name} and {name:.3f} stand for a parameter, for what was set, or for a group of the pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devshim.model.naming import NameTaken
from devshim.model.parameters import convert_bool
from devshim.model.serial import Pause, Serial
from devshim.model.template import Template, Value
from devshim.model.timing import Every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, ClassVar

Path = tuple[str | int, ...]

#: What `set` may turn a group into; each takes the text that the program wrote.
TYPES: dict[str, Callable[[str], Value]] = {"text": str, "int": int, "float": float, "bool": convert_bool}
RESULTS: dict[str, type[Value]] = {"text": str, "int": int, "float": float, "bool": bool}
DURATION = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?(ms|s|min)?")
SECONDS = {None: 1.0, "ms": 0.001, "s": 1.0, "min": 60.0}


class ScriptError(ValueError):
    """The data describes no device; `path` leads to the value (or, with `key`, to the key) that is wrong."""

    def __init__(self, path: Path, message: str, key: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.key = key


@dataclass(frozen=True)
class Rule:
    """One entry of a dialogue: which lines it takes, what it remembers of them, and what it answers."""

    pattern: re.Pattern[str]
    groups: Mapping[str, Callable[[str], Value]]
    constants: Mapping[str, Value]
    answers: tuple[Template | Pause, ...]


class ScriptedSerial(Serial):
    """A text device whose dialogue is data.  What it remembers are attributes, as of any other device."""

    _rules: ClassVar[tuple[Rule, ...]] = ()
    _unknown: ClassVar[Template | None] = None
    _remembered: ClassVar[tuple[str, ...]] = ()

    def unknown(self, line: str) -> Any:
        """Answer a line by the dialogue; a number that is none counts as a line that nothing fits."""
        for rule in self._rules:
            match = rule.pattern.fullmatch(line)
            if match is None:
                continue
            groups = {name: text or "" for name, text in match.groupdict().items()}
            try:
                changes = {name: convert(groups[name]) for name, convert in rule.groups.items()}
            except ValueError:
                break
            for name, value in {**rule.constants, **changes}.items():
                setattr(self, name, value)
            return self._filled(rule.answers, groups)
        return self._unknown.fill({**self._values(), "line": line}) if self._unknown else None

    def _values(self) -> dict[str, Value]:
        return {name: getattr(self, name) for name in self._remembered}

    def _filled(self, answers: tuple[Template | Pause, ...], groups: Mapping[str, str]) -> Iterator[str | Pause]:
        for answer in answers:
            # Looked up for each answer: after a pause, another line may have changed what is remembered.
            yield answer if isinstance(answer, Pause) else answer.fill({**groups, **self._values()})


def serial_class(name: str, data: Mapping[str, Any]) -> type[ScriptedSerial]:
    """The class that a checked `device: serial` document describes.

    data is what devshim/schemas/device-serial.json allows.  Raises ScriptError for what a schema cannot see:
    a wrong pattern, an unknown field, a name that is taken.
    """
    return SerialScript(name, data).made()


class SerialScript:
    """Turns one document into a class."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name = name
        self.entries: list[Mapping[str, Any]] = data.get("dialogue") or []
        self.data = data
        self.flags = re.IGNORECASE if data.get("ignore_case") else 0
        self.parameters: dict[str, Value] = {}
        self.state: dict[str, Value] = {}

    def made(self) -> type[ScriptedSerial]:
        """The class."""
        for name, default in (self.data.get("parameters") or {}).items():
            check_name(ScriptedSerial, name, ("parameters", name), ScriptedSerial.parameters)
            self.parameters[name] = default
        patterns = {at: self.pattern(at, entry) for at, entry in enumerate(self.entries) if "every" not in entry}
        self.check_order(patterns)
        sets = {at: self.remembered(at, pattern) for at, pattern in patterns.items()}
        rules = tuple(Rule(pattern, *sets[at], self.answers(at, pattern)) for at, pattern in patterns.items())
        reports = {f"_report_{at}": self.report(at) for at, entry in enumerate(self.entries) if "every" in entry}
        unknown = self.data.get("unknown")
        namespace: dict[str, Any] = {
            "__doc__": self.data.get("description") or f"{self.name}, a device described in YAML.",
            "__annotations__": {name: type(value) for name, value in self.parameters.items()},
            **self.state,
            **self.parameters,
            **reports,
            "_rules": rules,
            "_unknown": None if unknown is None else self.template(unknown, ("unknown",), ["line"]),
            "_remembered": (*self.parameters, *self.state),
        }
        if "newline" in self.data:
            namespace["newline"] = self.data["newline"]
        try:
            return type(self.name, (ScriptedSerial,), namespace)
        except NameTaken as problem:
            raise ScriptError((), str(problem)) from problem

    def pattern(self, at: int, entry: Mapping[str, Any]) -> re.Pattern[str]:
        """What a line must be for an entry to answer it."""
        given = [key for key in ("on", "pattern") if key in entry]
        if len(given) != 1:
            raise ScriptError(("dialogue", at), 'an entry needs one of "on", "pattern" and "every"')
        text = entry[given[0]]
        if given == ["on"] and "(?P<" not in text:
            return re.compile(re.escape(text), self.flags)
        try:
            return re.compile(text, self.flags)
        except (re.error, RecursionError, OverflowError) as problem:
            raise ScriptError(("dialogue", at, given[0]), f"{text!r} is no regular expression: {problem}") from problem

    def check_order(self, patterns: Mapping[int, re.Pattern[str]]) -> None:
        """Refuse an entry that is never reached, because an earlier one takes exactly the same lines."""
        seen: dict[str, int] = {}
        for at, pattern in patterns.items():
            if seen.setdefault(pattern.pattern, at) != at:
                first = seen[pattern.pattern] + 1
                raise ScriptError(("dialogue", at), f"never reached: entry {first} takes the same line")

    def remembered(
        self, at: int, pattern: re.Pattern[str]
    ) -> tuple[dict[str, Callable[[str], Value]], dict[str, Value]]:
        """What an entry sets: groups with their types, and constants.  Notes each new name as state."""
        groups: dict[str, Callable[[str], Value]] = {}
        constants: dict[str, Value] = {}
        for name, value in (self.entries[at].get("set") or {}).items():
            path = ("dialogue", at, "set", name)
            if name in pattern.groupindex:
                if value not in TYPES:
                    known = ", ".join(TYPES)
                    raise ScriptError(path, f'"{name}" is a group of the pattern, so write its type: {known}')
                groups[name] = TYPES[value]
                self.remember(name, RESULTS[value](), path)
            else:
                constants[name] = self.remember(name, value, path)
        return groups, constants

    def remember(self, name: str, value: Value, path: Path) -> Value:
        """Take a name into what the device remembers; its type is that of the first value."""
        known = self.parameters if name in self.parameters else self.state
        if name not in known and name in ScriptedSerial.parameters:
            known[name] = ScriptedSerial.parameters[name].default
        elif name not in known:
            check_name(ScriptedSerial, name, path)
            # A constant tells the type alone: before it is set, the name is 0, false or empty.
            known[name] = type(value)()
        kind = type(known[name])
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise ScriptError(path, f'"{name}" is {type(value).__name__} here, but {kind.__name__} elsewhere')
        return value

    def answers(self, at: int, pattern: re.Pattern[str]) -> tuple[Template | Pause, ...]:
        """What an entry says, with its pauses."""
        entry = self.entries[at]
        said = entry.get("say", [])
        steps: list[Any] = [said] if isinstance(said, str) else said
        made: list[Template | Pause] = []
        if "pause" in entry:
            made.append(Pause(seconds(entry["pause"], ("dialogue", at, "pause"))))
        for number, step in enumerate(steps):
            path: Path = ("dialogue", at, "say") if isinstance(said, str) else ("dialogue", at, "say", number)
            if isinstance(step, str):
                made.append(self.template(step, path, pattern.groupindex))
            else:
                made.append(Pause(seconds(step["pause"], (*path, "pause"))))
        return tuple(made)

    def report(self, at: int) -> Every:
        """What an `every` entry says again and again."""
        entry = self.entries[at]
        other = next((key for key in entry if key not in ("every", "say")), None)
        if other is not None:
            raise ScriptError(("dialogue", at, other), f'"{other}" does not go with "every"', key=True)
        said = entry.get("say", [])
        lines = [said] if isinstance(said, str) else said
        if not lines or not all(isinstance(line, str) for line in lines):
            raise ScriptError(("dialogue", at), 'an entry with "every" needs "say": a text, or a list of texts')
        templates = [self.template(line, ("dialogue", at, "say"), ()) for line in lines]

        def say_all(device: ScriptedSerial) -> None:
            for template in templates:
                device.say(template.fill(device._values()))

        period = entry["every"]
        if isinstance(period, str) and isinstance(self.parameters.get(period), (int, float)):
            return Every(period, say_all)
        return Every(seconds(period, ("dialogue", at, "every")), say_all)

    def template(self, text: str, path: Path, extra: Any) -> Template:
        """A text with fields, each of which is known here and fits its format."""
        try:
            made = Template(text)
        except ValueError as problem:
            raise ScriptError(path, f"{text!r}: {problem}; a brace itself is written {{{{ or }}}}") from problem
        known = {**dict.fromkeys(extra, ""), **self.state, **self.parameters}
        for name in made.names:
            if name not in known:
                raise ScriptError(path, f"{{{name}}} is not known here; known: {', '.join(known) or 'nothing'}")
        try:
            made.fill(known)
        except ValueError as problem:
            raise ScriptError(path, f"{text!r}: {problem}") from problem
        return made


def check_name(
    base: type, name: str, path: Path, allowed: Mapping[str, Any] | tuple[()] = (), key: bool = True
) -> None:
    """Raise ScriptError for a name that is no Python name, or that the base class uses itself.

    key: the name is the key at the path's end, not the value there.
    """
    if not name.isidentifier() or name.startswith("_"):
        raise ScriptError(path, f'"{name}" must be a word of letters, digits and _', key)
    if hasattr(base, name) and name not in allowed:
        raise ScriptError(path, f'"{name}" means something else to every such device; choose another name', key)


def seconds(value: Value, path: Path) -> float:
    """A time in seconds, from a number or from text such as 200ms, 1.5s, 2min."""
    match = DURATION.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        raise ScriptError(path, f"{value!r} is no time; write 200ms, 1.5s, 2min")
    return float(match[1]) * SECONDS[match[2]]
