"""Checks a YAML document against one of our schemas, and says what is wrong where, as a person would."""

from __future__ import annotations

import json
import os
from typing import Any

from devshim.errors import ConfigError
from devshim.fitting import fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from devshim.yamltext import Document, Path, Place

SCHEMAS = os.path.join(os.path.dirname(__file__), "schemas")

TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping (key: value)",
    "array": "a list",
    "null": "nothing",
}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most"}


def check(document: Document, schema_name: str) -> None:
    """Raise ConfigError with file:line:column for the first thing in document that the schema does not allow.

    The library that says so takes longer to load than a run to start, and is loaded where something may be wrong.
    """
    with open(os.path.join(SCHEMAS, f"{schema_name}.json"), encoding="utf-8") as file:
        schema = json.load(file)
    if fits(document.data, schema):
        return
    import jsonschema

    found = [
        complaint
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document.data)
        for complaint in complaints(document, error)
    ]
    if found:
        place, message = min(found, key=lambda complaint: (complaint[0].line, complaint[0].column))
        raise ConfigError(f"{place}: {message}")


def complaints(document: Document, error: Any) -> Iterator[tuple[Place, str]]:
    """A validator's error as places and words; an unknown key is one complaint for each."""
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        for key in unknown_keys(error):
            yield document.place((*path, key), key=True), unknown_key(key, list(error.schema["properties"]))
    elif error.validator == "required":
        # Next to an unknown key the missing one is most likely that, misspelt.
        for key in error.validator_value if not unknown_keys(error) else ():
            if key not in error.instance:
                only = error.schema.get("properties", {}).get(key, {}).get("const")
                hint = f"; write {key}: {only}" if only is not None else ""
                yield document.place(path), f'"{key}" is missing{inside(path)}{hint}'
    else:
        yield document.place(path), words(path, error)


def unknown_keys(error: Any) -> list[str]:
    """The keys of a mapping that its schema does not know; none where the schema allows any."""
    strict = error.schema.get("additionalProperties", True) is False
    return [key for key in error.instance if key not in error.schema.get("properties", {})] if strict else []


def unknown_key(key: str, known: list[str]) -> str:
    """The message for a key that does not exist, with the nearest one that does."""
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
    return f'unknown key "{key}"; {hint}'


def words(path: Path, error: Any) -> str:
    """What is wrong with one value."""
    limit, value = error.validator_value, error.instance
    what = f'"{path[-1]}"' if path and isinstance(path[-1], str) else "this"
    if error.validator == "type":
        kinds = [limit] if isinstance(limit, str) else limit
        hint = "; put it into quotes" if "string" in kinds and isinstance(value, (int, float)) else ""
        if kinds == ["object"] and "required" in error.schema:
            hint = f"; it needs {' and '.join(error.schema['required'])}"
        return f"{what} must be {' or '.join(TYPES[kind] for kind in kinds)}, not {shown(value)}{hint}"
    if error.validator in ("enum", "const"):
        from difflib import get_close_matches

        choices = [limit] if error.validator == "const" else limit
        near = get_close_matches(str(value), map(str, choices), n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        if str(value) in map(str, choices):
            hint = ", without quotes"
        return f"{what} is {shown(value)}, but must be {' or '.join(map(str, choices))}{hint}"
    if error.validator in ("minimum", "exclusiveMinimum", "maximum"):
        return f"{what} is {shown(value)}: must be {BOUNDS[error.validator]} {limit}"
    if error.validator in ("minItems", "minLength") and limit == 1:
        return f"{what} must not be empty"
    explained = error.schema.get("description")
    return f"{what}: {shown(value)} does not fit{f': {explained}' if explained else ''}"


def inside(path: Path) -> str:
    """Where in the document, in words, for a key that has no place of its own."""
    names = [str(step) if isinstance(step, str) else f"[{step}]" for step in path]
    return f" in {''.join(names)}" if names else ""


def shown(value: Any) -> str:
    """A value as it would be written in YAML, cut to a readable length."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
