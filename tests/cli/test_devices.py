"""devshim devices: the list, one device explained, and what it says where there is none."""

import subprocess

import pytest
from harness import devshim_command, devshim_environment, run_devshim

from devshim import catalogue, modelclass
from devshim.cli import devices


def lines_of(capsys, *words: str) -> list[str]:
    assert devices.main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def test_every_device_of_the_catalogue_is_listed_with_its_kind_and_one_line(capsys):
    lines = lines_of(capsys)

    assert [line.split()[0] for line in lines[: len(catalogue.names())]] == catalogue.names()
    assert ["tmp102", "I2cChip", "TI TMP102 temperature sensor"] in [line.split(None, 2) for line in lines]
    assert not any("broken" in line for line in lines)


def test_the_list_and_every_explanation_fit_100_columns_without_colours(capsys):
    texts = [lines_of(capsys), *(lines_of(capsys, name) for name in catalogue.names())]

    assert all(len(line) <= 100 and "\033" not in line for text in texts for line in text)


def test_a_device_is_explained_with_parameters_and_an_example(capsys):
    text = "\n".join(lines_of(capsys, "tmp102"))

    assert "Datasheet: SBOS397" in text
    assert "address  int    0x48" in text
    assert "celsius  float  21.5  what the room really is" in text
    assert "devshim run -d /dev/i2c-1=tmp102,celsius=21.5 -- i2cdetect -y 1" in text


def test_a_yaml_device_is_explained_with_its_comments(capsys):
    text = "\n".join(lines_of(capsys, "bench_supply"))

    assert "A bench power supply" in text
    assert "limit  float  30.0" in text
    assert "volts, the highest that it can be set to" in text


@pytest.mark.parametrize("name", catalogue.names())
def test_the_example_of_each_device_plugs_it(name, capsys):
    words = lines_of(capsys, name)[-1].split()
    outcome = run_devshim("true", devices=[words[words.index("-d") + 1]])

    assert (outcome.stderr, outcome.returncode) == ("", 0)


def test_a_file_is_explained_like_a_name(capsys, tmp_path):
    file = tmp_path / "bell.py"
    file.write_text(
        '"""A bell.  Rings."""\nfrom devshim import Device\n\n\nclass Bell(Device):\n'
        "    #: how loud, in dB\n    loudness: int = 80\n    name: str = 'bell'  # on its plate\n"
    )

    text = "\n".join(lines_of(capsys, str(file)))

    assert "A bell.  Rings." in text
    assert "loudness  int  80    how loud, in dB" in text
    assert "name      str  bell  on its plate" in text
    assert f"-d /dev/bell0={file},loudness=80 -- PROGRAM" in text


def test_a_device_that_does_not_load_hides_no_other(capsys, tmp_path, monkeypatch):
    (tmp_path / "good.yml").write_text("version: 1\ndevice: serial\ndescription: Works.\n")
    (tmp_path / "bad.yml").write_text("version: 1\ndevice: serial\nnewlin: x\n")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)

    lines = lines_of(capsys)

    assert lines[0].startswith("bad   broken  ")
    assert lines[1] == "good  Serial  Works"


def test_names_are_bold_on_a_terminal_unless_no_color_is_set(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert lines_of(capsys, "tmp102")[0] == "\033[1mtmp102\033[0m"

    monkeypatch.setenv("NO_COLOR", "1")
    assert lines_of(capsys, "tmp102")[0] == "tmp102"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tmp12"], 'no model "tmp12"; did you mean "tmp102"?'),
        (["--long"], "devshim devices has no option --long"),
        (["gps", "modem"], "devshim devices explains one device at a time, not gps modem"),
        (["no/such.py"], "no/such.py: no such file"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_code_2(words, says, devshim_verb):
    outcome = devshim_verb("devices", *words)

    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"devshim: {says}")
    assert outcome.stderr.count("\n") == 1


def test_help_says_how_to_call_it(devshim_verb):
    outcome = devshim_verb("devices", "--help")

    assert outcome.returncode == 0
    assert outcome.stdout.startswith("usage: devshim devices [NAME]")


def test_a_reader_that_has_gone_makes_no_traceback():
    process = subprocess.Popen(
        [*devshim_command(), "devices"], env=devshim_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()

    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) != 0


def test_every_class_of_the_catalogue_can_be_imported_by_name():
    import devshim.devices

    for name in catalogue.names():
        cls = modelclass.find(name).cls
        assert getattr(devshim.devices, cls.__name__) is cls
    assert "Gps" in dir(devshim.devices)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'; it has: "):
        _ = devshim.devices.Nothing
