"""python3 -m devshim in a checkout, by an interpreter that is too old: one line, whatever the verb."""

import pytest
from harness import devshim_environment, run


@pytest.mark.parametrize("name", ["python3.9", "python3.10"])
@pytest.mark.parametrize("words", [["run", "-d", "/dev/ttyUSB0=gps", "--", "true"], ["doctor"], []])
def test_an_interpreter_that_is_too_old_is_named(client, name, words):
    python = client(name)

    outcome = run([python, "-m", "devshim", *words], env=devshim_environment({"PYTHONDONTWRITEBYTECODE": "1"}))

    version, _, rest = outcome.stderr.partition(" is too old: 3.11 or later is needed (")
    assert version.startswith(f"devshim: Python {name.removeprefix('python')}."), outcome.stderr
    assert (rest, outcome.returncode) == (f"{python})\n", 125)
