"""The map in ARCHITECTURE.md: every file is in it, with the job that its own first line states."""

import re
from pathlib import Path

import pytest
from harness import ROOT

PACKAGE = ROOT / "devshim"
ARCHITECTURE = PACKAGE / "ARCHITECTURE.md"
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def test_every_file_is_on_the_map_with_its_job_and_nothing_else() -> None:
    assert mapped() == sources(), "to bring the map up to date: make format"


@pytest.mark.parametrize("file", sorted(file for file in Path(PACKAGE).rglob("*.[ch]") if "devices" not in file.parts))
def test_a_c_file_begins_with_its_name_and_its_job(file: Path) -> None:
    assert file.read_text().startswith(f"/* {file.name}: ")


def mapped() -> dict[str, str]:
    table = ARCHITECTURE.read_text().partition("## Map")[2].partition("\n## ")[0]
    return dict(ROW.findall(table))


def sources() -> dict[str, str]:
    """Return each source file's path below devshim/, with the job that it states."""
    links = {PACKAGE / "devices", PACKAGE / "traces"}
    files = [
        file for file in PACKAGE.rglob("*.*") if file.suffix in (".py", ".c", ".h") and links.isdisjoint(file.parents)
    ]
    return {str(file.relative_to(PACKAGE)): job(file) for file in files if job(file)}


def job(file: Path) -> str:
    """Return the first sentence of a file, without its name; "" for an empty file."""
    text = file.read_text().removeprefix("#!/usr/bin/env python3\n")
    opening = re.match(r'(?:"""|/\* (?:[\w.]+: )?)(.*?)(?:\n\s*\*?\s*\n|"""|\*/)', text, re.DOTALL)
    if opening is None:
        return ""
    words = " ".join(line.strip().removeprefix("* ") for line in opening[1].splitlines())
    sentence = re.match(r".*?[^.\W][.](?= [A-Z]|$)|.*", words)
    assert sentence is not None
    return sentence[0].rstrip(". ")


def write_map() -> None:
    """Write the table anew from the files' first lines."""
    found = sources()
    rows = sorted(found, key=lambda name: (name.rpartition("/")[0], name))
    table = "".join(f"| `{name}` | {found[name]} |\n" for name in rows)
    before, head, rest = ARCHITECTURE.read_text().partition("| file | its job |\n|---|---|\n")
    rest = ROW.sub("\0", rest.partition("\n## ")[0]).replace("\0\n", "") + "\n## " + rest.partition("\n## ")[2]
    ARCHITECTURE.write_text(before + head + table + "\n" + rest.lstrip("\n"))


if __name__ == "__main__":
    write_map()
