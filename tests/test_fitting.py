"""What fits is what the library allows, too, and what users write mostly fits: then the library is not needed."""

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import devshim
from devshim import yamltext
from devshim.fitting import RULES, fits

HERE = Path(devshim.__file__).parent
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted((HERE / "schemas").glob("*.json"))}
DEVICES = {path.stem: yamltext.load(path).data for path in sorted((HERE / "devices").glob("*.yml"))}
CONFIG = {
    "version": 1,
    "devices": [{"path": "/dev/ttyUSB0", "model": "gps", "with": {"latitude": 52.52}}],
    "describe": ["motor.h"],
    "model": "files.py",
    "deny": ["/dev/video*"],
    "only_plugged": True,
    "hide_real": False,
    "scenario": [{"at": "2s", "unplug": "/dev/ttyUSB0"}, {"at": 3.5, "plug": "/dev/ttyUSB0"}],
}
EXAMPLES = [("config", CONFIG), *((f"device-{data['device']}", data) for data in DEVICES.values())]

SCALARS = st.none() | st.booleans() | st.integers(-300, 300) | st.floats() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
LIMITS = {
    "type": st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null", ["array", "string"]]),
    "const": VALUES,
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "minimum": st.integers(-9, 9),
    "maximum": st.integers(-9, 9),
    "minLength": st.integers(0, 3),
    "pattern": st.sampled_from(["a", "^[0-9]+$", "^$"]),
    "minItems": st.integers(0, 3),
    "maxItems": st.integers(0, 3),
    "required": st.lists(st.text(max_size=1), max_size=2, unique=True),
    "uniqueItems": st.booleans(),  # a keyword that is not known
}
NAMES = st.sampled_from(["", "a", "0", "path", "at"])
SCHEMA = st.recursive(
    st.fixed_dictionaries({}, optional=LIMITS),
    lambda inner: st.fixed_dictionaries(
        {},
        optional=LIMITS
        | {
            "items": inner,
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
        },
    ),
    max_leaves=4,
)


def allowed(value: object, schema: object) -> bool:
    """What the library says."""
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(("name", "data"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_what_users_write_fits_and_needs_no_library(name, data) -> None:
    assert allowed(data, SCHEMAS[name])
    assert fits(data, SCHEMAS[name])


@settings(max_examples=500, deadline=None)
@given(VALUES | st.dictionaries(NAMES, VALUES, max_size=3), SCHEMA)
def test_what_fits_a_schema_is_allowed_by_it(value, schema) -> None:
    if fits(value, schema):
        assert allowed(value, schema)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_what_fits_our_schemas_after_any_change_is_allowed(example, data) -> None:
    name, original = example
    root = {"": deepcopy(original)}
    place, key = root, ""
    while place[key] and isinstance(place[key], (dict, list)) and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    if isinstance(place, dict) and key and data.draw(st.booleans()):
        place[data.draw(st.sampled_from(["new", "path", "at"]))] = place.pop(key)
    else:
        place[key] = data.draw(VALUES)
    assert fits(root[""], SCHEMAS[name]) <= allowed(root[""], SCHEMAS[name])


def test_our_schemas_have_no_keyword_that_is_not_known() -> None:
    def keywords(schema: dict) -> set[str]:
        inner = [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
        inner += schema.get("properties", {}).values()
        return set(schema).union(*map(keywords, inner))

    assert set().union(*map(keywords, SCHEMAS.values())) <= set(RULES)


def test_a_configuration_that_fits_is_read_without_the_library(tmp_path) -> None:
    file = tmp_path / "devshim.yml"
    file.write_text("version: 1\ndevices:\n  - {path: /dev/ttyUSB0, model: gps}\n")
    code = f"import sys; from devshim.config import load; load({str(file)!r}); print('jsonschema' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "False\n"
