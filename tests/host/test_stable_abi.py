"""The host's C module is built once for all later Pythons: what only shows where it runs in another one."""

import re
from pathlib import Path

import devshim

HOST = Path(devshim.__file__).parent / "host"


def test_no_format_has_a_number_sign_which_means_one_thing_in_the_headers_and_another_in_an_older_python() -> None:
    calls = re.compile(r'(?:Py_BuildValue|PyArg_Parse\w*|PyObject_CallFunction|PyObject_CallMethod)\([^;]*?"([^"]*)"')
    formats = [form for path in HOST.glob("*.c") for form in calls.findall(path.read_text())]
    assert len(formats) > 10
    assert [form for form in formats if "#" in form] == []


def test_none_true_and_false_are_counted_though_newer_headers_take_them_for_immortal() -> None:
    text = (HOST / "_channel.h").read_text()
    assert all(f"#undef Py_RETURN_{name}" in text for name in ("NONE", "TRUE", "FALSE"))
    assert [path.name for path in HOST.glob("*.[ch]") if "<Python.h>" in path.read_text()] == ["_channel.h"]
    assert not [path for path in HOST.glob("*.c") if re.search(r"return Py_(None|True|False);", path.read_text())]
