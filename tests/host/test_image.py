"""The image of a host's modules: as they are now, whatever lies in compiled files."""

import importlib.util
import marshal
import os
import py_compile
from pathlib import Path
from types import CodeType
from typing import Any

from devshim.host import image


def spec_of(file: Path) -> Any:
    """The spec with which a file would be imported."""
    return importlib.util.spec_from_file_location(file.stem, file)


def value_in(code: bytes | None) -> object:
    """What a module sets `value` to."""
    assert code is not None
    module: dict[str, object] = {}
    body = marshal.loads(code)
    assert isinstance(body, CodeType)
    exec(body, module)
    return module["value"]


def test_a_module_s_code_is_that_of_its_compiled_file(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("value = 1\n")
    compiled = Path(str(py_compile.compile(str(source))))
    assert image.code_of(spec_of(source)) == compiled.read_bytes()[image.HEAD :]


def test_an_edit_is_never_ignored(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("value = 1\n")
    py_compile.compile(str(source))
    before = source.stat()
    source.write_text("value = 22\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))  # another size
    assert value_in(image.code_of(spec_of(source))) == 22

    py_compile.compile(str(source))
    source.write_text("value = 33\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 5_000_000_000))  # another time
    assert value_in(image.code_of(spec_of(source))) == 33


def test_a_module_that_was_never_compiled_is_in_it_too(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("value = 4\n")
    assert value_in(image.code_of(spec_of(source))) == 4


def test_a_compiled_file_that_names_its_source_by_hash_is_looked_at_by_python_itself(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("value = 5\n")
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    assert value_in(image.code_of(spec_of(source))) == 5
