"""devshim.yml: what it may say, and the line that says what is wrong in it."""

import errno
from pathlib import Path

import pytest

from devshim.config import Config, load
from devshim.errors import ConfigError
from devshim.spec import build

WHOLE = """\
version: 1
devices:
  - path: /dev/ttyUSB0
    model: bench_supply
    with: {limit: 12, name: "0123"}
  - {path: /dev/horn, model: "models/horn.py:Horn"}
  - {path: /dev/far, model: "socket://host:1/x.py"}
describe: [motor.h, acme.motors]
deny:
  - /dev/video*
  - /dev/sda=EPERM
only_plugged: true
"""


@pytest.fixture
def written(tmp_path: Path):
    """Return a function that writes a devshim.yml and returns its path."""

    def write(text: str) -> str:
        file = tmp_path / "devshim.yml"
        file.write_text(text)
        return str(file)

    return write


def test_all_of_it_is_read(written, tmp_path):
    config = load(written(WHOLE))

    assert [(spec.node, spec.model, spec.parameters) for spec in config.devices] == [
        ("/dev/ttyUSB0", "bench_supply", {"limit": 12, "name": "0123"}),
        ("/dev/horn", f"{tmp_path}/models/horn.py:Horn", {}),
        ("/dev/far", "socket://host:1/x.py", {}),
    ]
    assert config.describe == (f"{tmp_path}/motor.h", "acme.motors")
    assert config.deny == (("/dev/video*", errno.EACCES), ("/dev/sda", errno.EPERM))
    assert config.only_plugged


def test_almost_nothing_is_enough(written):
    file = written("version: 1\n")

    assert load(file) == Config(file)


def test_one_text_stands_for_a_list_of_one(written):
    config = load(written("version: 1\ndeny: /dev/video0\ndescribe: a.h\n"))

    assert config.deny == (("/dev/video0", errno.EACCES),)
    assert len(config.describe) == 1


def test_files_are_found_beside_it_from_any_working_directory(written, tmp_path, monkeypatch):
    written("version: 1\ndevices: [{path: /dev/x, model: ./bell.yml}]\n")
    (tmp_path / "bell.yml").write_text("version: 1\ndevice: serial\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    devices = build(load("../devshim.yml").devices)

    assert type(devices["/dev/x"]).__name__ == "Bell"


def test_what_a_model_refuses_is_said_with_the_place_of_its_entry(written):
    file = written("version: 1\ndevices:\n  - path: /dev/x\n    model: bench_supply\n    with: {limits: 5}\n")

    with pytest.raises(Exception, match='BenchSupply has no parameter "limits"; did you mean "limit"') as caught:
        build(load(file).devices)
    assert str(caught.value).startswith(f"{file}:4:12: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": it is empty; it begins with version: 1"),
        ("- a\n", ":1:1: this must be a mapping (key: value), not a list; it needs version"),
        ("devices: []\n", ':1:1: "version" is missing; write version: 1'),
        ("device: []\n", ':1:1: unknown key "device"; did you mean "devices"?'),
        ('version: "1"\n', ':1:10: "version" is "1", but must be 1, without quotes'),
        ("version: 2\n", ':1:10: "version" is 2, but must be 1'),
        ("version: 1\ndevise: []\n", ':2:1: unknown key "devise"; did you mean "devices"?'),
        ("version: 1\nxyz: []\n", ':2:1: unknown key "xyz"; known here: version, devices'),
        ("version: 1\ndevices: {}\n", ':2:10: "devices" must be a list, not a mapping'),
        ("version: 1\ndevices: [{path: /dev/x}]\n", ':2:11: "model" is missing in devices[0]'),
        ("version: 1\ndevices: [{path: /dev/x, model: 5}]\n", ':2:33: "model" must be text, not 5; put it into quotes'),
        ("version: 1\ndevices: [a]\n", ':2:11: this must be a mapping (key: value), not "a"; it needs path and model'),
        ("version: 1\ndevices: [{path: x, model: gps}]\n", ':2:18: "x" is no node'),
        ("version: 1\ndevices: [{path: /dev, model: gps}]\n", ":2:18: /dev is a folder"),
        ("version: 1\nonly_plugged: yes\n", ':2:15: "only_plugged" must be true or false, not "yes"'),
        ("version: 1\ndeny: [/dev/x=EWHAT]\n", ":2:8: \"/dev/x=EWHAT\": 'EWHAT' is no errno"),
        ("version: 1\nversion: 1\n", ':2:1: "version" stands here twice'),
        ("version: 1\ndevices: [\n", ":3:1: "),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(text, says, written):
    file = written(text)

    with pytest.raises(ConfigError) as caught:
        load(file)
    assert f"{file}{says}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_first_of_several_mistakes_is_named(written):
    file = written("version: 1\ndeny: 7\nonly_plugged: 8\n")

    with pytest.raises(ConfigError, match=':2:7: "deny" must be text or a list'):
        load(file)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="No such file or directory"):
        load(str(tmp_path / "no.yml"))
