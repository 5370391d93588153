"""Whether a value is as a JSON schema wants it, by the few keywords that our schemas have.

True is certain. False may also mean that a keyword is not known here: then the library has the word (schema.py), which
knows them all and can say what is wrong.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Schema = dict[str, Any]

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "null": (type(None),),
    "object": (dict,), "array": (list,),
}  # fmt: skip


def fits(value: Any, schema: Schema) -> bool:
    """Whether a schema certainly allows a value (json-schema.org, draft 2020-12)."""
    return all(keyword in RULES and RULES[keyword](value, limit, schema) for keyword, limit in schema.items())


def is_of(value: Any, kinds: str | list[str]) -> bool:
    """Whether a value is of one of these kinds; true and false are no numbers."""
    return any(type(value) in KINDS.get(kind, ()) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def is_one_of(value: Any, choices: list[Any]) -> bool:
    """Whether a plain value is among others of its own kind: 1 is not true."""
    return type(value) not in (list, dict) and any(type(value) is type(one) and value == one for one in choices)


def members_fit(value: Any, properties: dict[str, Schema]) -> bool:
    """Whether the members of a mapping that have a schema of their own fit."""
    return all(fits(value[name], schema) for name, schema in properties.items() if name in value)


def others_fit(value: Any, wanted: bool | Schema, known: dict[str, Schema]) -> bool:
    """The same of the members that have none."""
    others = [one for name, one in value.items() if name not in known]
    return all(fits(one, wanted) for one in others) if isinstance(wanted, dict) else wanted or not others


def of(kind: str, rule: Callable[[Any, Any, Schema], bool]) -> Callable[[Any, Any, Schema], bool]:
    """A rule that says nothing of other kinds of values."""
    return lambda value, limit, schema: not is_of(value, kind) or rule(value, limit, schema)


#: Keyword to what it wants of a value; limit is what stands behind it in the schema.
RULES: dict[str, Callable[[Any, Any, Schema], bool]] = {
    "$schema": lambda value, limit, schema: True,
    "title": lambda value, limit, schema: True,
    "description": lambda value, limit, schema: True,
    "type": lambda value, limit, schema: is_of(value, limit),
    "const": lambda value, limit, schema: is_one_of(value, [limit]),
    "enum": lambda value, limit, schema: is_one_of(value, limit),
    "minimum": of("number", lambda value, limit, schema: bool(value >= limit)),
    "maximum": of("number", lambda value, limit, schema: bool(value <= limit)),
    "minLength": of("string", lambda value, limit, schema: len(value) >= limit),
    "pattern": of("string", lambda value, limit, schema: re.search(limit, value) is not None),
    "minItems": of("array", lambda value, limit, schema: len(value) >= limit),
    "maxItems": of("array", lambda value, limit, schema: len(value) <= limit),
    "items": of("array", lambda value, limit, schema: all(fits(one, limit) for one in value)),
    "required": of("object", lambda value, limit, schema: all(name in value for name in limit)),
    "properties": of("object", lambda value, limit, schema: members_fit(value, limit)),
    "additionalProperties": of(
        "object", lambda value, limit, schema: others_fit(value, limit, schema.get("properties", {}))
    ),
}
