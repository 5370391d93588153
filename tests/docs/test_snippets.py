"""Every snippet of the documents is run: files are written, commands must print what the document says."""

from pathlib import Path

import pytest
from clients import require
from docs import snippets
from harness import ROOT, environment_with_commands, run

DOCUMENTS = ("README.md", "devices/README.md", "traces/README.md", "devshim/ARCHITECTURE.md")
READ = {name: snippets.read(ROOT / name) for name in DOCUMENTS}
SESSIONS = [
    pytest.param(name, session, id=f"{name}:{session.line}")
    for name, document in READ.items()
    for session in document.sessions
]


@pytest.mark.parametrize(("name", "session"), SESSIONS)
def test_a_session_prints_what_the_document_says(name: str, session: snippets.Session, tmp_path: Path) -> None:
    for client in session.needs:
        require(client)
    for file, text in READ[name].files.items():
        (tmp_path / file).write_text(text)
    environment = environment_with_commands(tmp_path / "bin")

    for command in session.commands:
        merged = ["bash", "-c", f"{{ {command.words}\n}} 2>&1"]
        outcome = run(merged, env=environment, cwd=tmp_path, timeout=60)
        assert snippets.matches(command.output, outcome.stdout), (
            f"{name}:{session.line}: $ {command.words}\n--- the document says\n{command.output}"
            f"--- it printed\n{outcome.stdout}"
        )
    assert outcome.returncode == session.exit_code


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_a_document_is_used_by_one_of_its_sessions(name: str) -> None:
    commands = "\n".join(command.words for session in READ[name].sessions for command in session.commands)

    unused = [file for file in READ[name].files if file not in commands and Path(file).stem not in commands]

    assert not unused, f"{name} shows {', '.join(unused)}, but no command in it uses them"


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200


@pytest.mark.parametrize("expected", ["a\nb\n", "a\n…\nb", "a\n…\n", "…\nb", "…a\nb", "a…\nb\n\n", "…"])
def test_wildcards_stand_for_text_and_for_lines(expected: str) -> None:
    assert snippets.matches(expected, "a\nb\n")


@pytest.mark.parametrize("expected", ["a\n", "b\na\n", "a…b\n", "a\nb\nc\n", "a\n…\nc\n"])
def test_wildcards_do_not_hide_a_difference(expected: str) -> None:
    assert not snippets.matches(expected, "a\nb\n")
