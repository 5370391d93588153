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
