"""Specs as typed, the models that they name, and the devices that several of them make."""

import sys
from pathlib import Path

import pytest

from devshim.errors import ConfigError, DevshimError, SpecError
from devshim.model.i2c import I2cBus
from devshim.spec import Spec, build, load, parse, split

HORN = """
from devshim.model.device import Device

class Horn(Device):
    "A horn."
    pitch: float = 440.0
    name: str = "horn"
    notes: list[int] = []
    loud: bool = False
"""


@pytest.fixture
def horn(tmp_path: Path) -> Path:
    file = tmp_path / "horn.py"
    file.write_text(HORN)
    return file


def refusal(text: str) -> str:
    """The one line that a spec is refused with."""
    with pytest.raises(DevshimError) as caught:
        build([parse(text)])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


# ---- What is typed ----------------------------------------------------------------------------------


def test_node_model_and_parameters_are_taken_apart():
    spec = parse("/dev/ttyUSB0=gps,latitude=52.5,longitude=13.4")

    assert (spec.node, spec.model) == ("/dev/ttyUSB0", "gps")
    assert spec.parameters == {"latitude": "52.5", "longitude": "13.4"}


def test_a_value_may_contain_an_equals_sign():
    assert parse("/dev/x=gps,name=a=b").parameters == {"name": "a=b"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('name="a, b"', "a, b"),
        ("name='a, b'", "a, b"),
        ("name=[1,2]", "[1,2]"),
        ("name={'a': [1, (2, 3)]}", "{'a': [1, (2, 3)]}"),
        ("name=Bob's", "Bob's"),
        ('name=5" x 3"', '5" x 3"'),
        ("name=a(b", "a(b"),
        ("name=", ""),
        ('name=""', ""),
    ],
)
def test_commas_inside_quotes_and_brackets_belong_to_the_value(text, value):
    assert parse(f"/dev/x=gps,{text},last=1").parameters == {"name": value, "last": "1"}


def test_a_model_with_commas_may_be_quoted():
    spec = parse('/dev/x="my,model.py",a=1')
    assert (spec.model, spec.parameters) == ("my,model.py", {"a": "1"})


def test_a_url_keeps_its_commas_and_its_own_parameters():
    spec = parse("/dev/x=socket://host:7000?a=1,b=2")
    assert (spec.model, spec.parameters) == ("socket://host:7000?a=1,b=2", {})


@pytest.mark.parametrize("node", ["/dev//ttyX", "//dev/ttyX", "/dev/./ttyX", "/dev/pts/../ttyX"])
def test_a_node_is_normalised(node):
    assert parse(f"{node}=gps").node == "/dev/ttyX"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gps", "gps: no node; write NODE=MODEL, such as /dev/NAME=gps"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0: no model; write NODE=MODEL, such as /dev/ttyUSB0=MODEL"),
        ("/dev/x=", "no model after /dev/x="),
        ("ttyUSB0=gps", '"ttyUSB0" is no node; it must be an absolute path'),
        ("=gps", '"" is no node'),
        ("/dev=gps", "/dev is a folder"),
        ("/=gps", "/ is a folder"),
        ("/dev/x=gps,loud", '"loud" is no param=value'),
        ("/dev/x=gps,a b=1", '"a b=1" is no param=value'),
        ("/dev/x=gps,a=1,a=2", 'parameter "a" is set twice'),
        ('/dev/x=gps,a="1', '" is missing at the end'),
        ("/dev/x=gps,a=[1,(2]", ") is missing at the end"),
    ],
)
def test_a_spec_that_is_none_is_refused_with_the_way_out(text, says):
    assert says in refusal(text)


def test_split_gives_back_what_was_joined():
    assert split("a,b=1,c='x,y',d=[1,[2,3]]", "") == ["a", "b=1", "c='x,y'", "d=[1,[2,3]]"]


# ---- The model that is named ------------------------------------------------------------------------


def test_the_only_device_of_a_file_is_taken(horn):
    device = load(parse(f"/dev/horn={horn},pitch=220,loud=yes,notes=[1,2]"))

    assert (type(device).__name__, device.pitch, device.loud, device.notes) == ("Horn", 220.0, True, [1, 2])


def test_two_specs_of_one_file_share_its_class(horn):
    one, two = build([parse(f"/dev/a={horn}"), parse(f"/dev/b={horn}")]).values()

    assert type(one) is type(two)
    assert one is not two


def test_a_device_that_a_file_only_imports_is_not_its_own(horn, tmp_path):
    (tmp_path / "duo.py").write_text("from horn import Horn\nclass Duo(Horn): ...\n")

    assert type(load(parse(f"/dev/x={tmp_path}/duo.py"))).__name__ == "Duo"


def test_of_several_devices_the_one_named_like_the_file_is_taken(tmp_path):
    file = tmp_path / "fog_horn.py"
    file.write_text(HORN + "class FogHorn(Horn): ...\nclass _Hidden(Horn): ...\n")

    assert type(load(parse(f"/dev/x={file}"))).__name__ == "FogHorn"


def test_several_devices_are_named_and_one_is_asked_for(tmp_path):
    file = tmp_path / "brass.py"
    file.write_text(HORN + "class Tuba(Horn): ...\n")

    assert f"{file} has several devices: Horn, Tuba; write {file}:Horn" in refusal(f"/dev/x={file}")
    assert type(load(parse(f"/dev/x={file}:Tuba"))).__name__ == "Tuba"


def test_a_class_of_a_module_on_the_path_is_found(horn, monkeypatch):
    monkeypatch.syspath_prepend(str(horn.parent))
    monkeypatch.delitem(sys.modules, "horn", raising=False)

    assert type(load(parse("/dev/x=horn:Horn"))).__name__ == "Horn"


def test_the_catalogue_and_the_import_give_the_same_class():
    from devshim.devices import BenchSupply

    assert type(load(parse("/dev/x=bench_supply"))) is BenchSupply


def test_another_packages_entry_point_is_a_name(horn, tmp_path, monkeypatch):
    info = tmp_path / "brass-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brass\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[devshim.devices]\nbig_horn = horn:Horn\nno_horn = horn:HORNS\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "horn", raising=False)

    assert type(load(parse("/dev/x=big_horn"))).__name__ == "Horn"
    assert "no_horn (horn:HORNS): AttributeError" in refusal("/dev/x=no_horn")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("bench_suply", 'no model "bench_suply"; did you mean "bench_supply"?'),
        ("nothing-like-it", 'no model "nothing-like-it"; a model is a pyserial URL, file.py'),
        ("/dev/null", 'no model "/dev/null"; a model is'),
        ("{folder}/hornn.py", '{folder}/hornn.py: no such file; did you mean "{folder}/horn.py"?'),
        ("{folder}/horn.py:Hron", "{folder}/horn.py has no class Hron; did you mean Horn?"),
        ("{folder}/horn.py:HORN", "{folder}/horn.py has no class HORN; did you mean Horn?"),
        ("{folder}/missing.yml", "{folder}/missing.yml: no such file"),
        ("{folder}.py", "{folder}.py: no such file"),
        ("no.such.module:Class", 'no module named "no"'),
        ("os:path", "os:path is no device"),
        ("foo://bar", "ValueError: invalid URL, protocol 'foo' not known"),
    ],
)
def test_a_model_that_is_not_there_is_refused_with_the_way_out(model, says, horn):
    folder = str(horn.parent)

    assert says.format(folder=folder) in refusal("/dev/x=" + model.format(folder=folder))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = 1\nclass Horn(:\n", ":2: invalid syntax"),
        ("import no_such_module\n", ":1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from os import no_such_name\n", ":1: ImportError: cannot import name 'no_such_name'"),
        ("def f():\n    return 1 / 0\n\nf()\n", ":2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", ":1: SystemExit: 3"),
        ("raise ValueError('two\\nlines')\n", ":1: ValueError: two lines"),
        ("", " defines no device"),
        ("from devshim.model.device import Device\n", " defines no device"),
        ("x = '\0'\n", "null bytes"),
    ],
)
def test_a_model_file_that_does_not_load_is_one_line_with_its_place(code, says, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text(code)

    assert f"{file}{says}" in refusal(f"/dev/x={file}") or says in refusal(f"/dev/x={file}")


def test_a_broken_file_is_read_again_when_it_was_mended(tmp_path):
    file = tmp_path / "mended.py"
    file.write_text("raise ValueError\n")
    refusal(f"/dev/x={file}")

    file.write_text(HORN + "# a longer file, so that no compiled one of the same size and second is taken\n")

    assert type(load(parse(f"/dev/x={file}"))).__name__ == "Horn"


def test_a_setup_that_fails_is_one_line_with_its_place(tmp_path):
    file = tmp_path / "shy.py"
    file.write_text(
        "from devshim.model.device import Device\nclass Shy(Device):\n    def setup(self):\n        int('x')\n"
    )

    assert f"{file}:4: ValueError: invalid literal" in refusal(f"/dev/x={file}")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("pich=220", 'Horn has no parameter "pich"; did you mean "pitch"?'),
        ("pitch=high", "pitch='high' is not float"),
        ("loud=perhaps", "loud='perhaps' is not bool"),
        ("notes=1", "notes=1 is no list; write it as notes=[1,2]"),
        ("notes=[a,b]", "notes=[a,b] is no list"),
        ("notes={1}", "notes={1} is no list"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(setting, says, horn):
    assert says in refusal(f"/dev/x={horn},{setting}")


# ---- Several of them --------------------------------------------------------------------------------


def test_each_node_gets_its_device_in_the_order_typed(horn):
    devices = build([parse(f"/dev/b={horn}"), parse(f"/dev/a={horn},pitch=1")])

    assert list(devices) == ["/dev/b", "/dev/a"]
    assert devices["/dev/a"].pitch == 1.0


def test_two_devices_at_one_node_are_refused(horn):
    with pytest.raises(SpecError, match="/dev/x has a device already: /dev/x=bench_supply"):
        build([parse("/dev/x=bench_supply"), parse(f"/dev//x={horn}")])


def test_chips_of_one_node_share_a_bus():
    bus = build([parse("/dev/i2c-1=pca9536"), parse("/dev/i2c-1=pca9536,address=0x42")])["/dev/i2c-1"]

    assert isinstance(bus, I2cBus)
    assert sorted(bus.chips) == [0x41, 0x42]


def test_two_chips_of_one_address_are_refused():
    with pytest.raises(SpecError, match="0x41"):
        build([parse("/dev/i2c-1=pca9536"), parse("/dev/i2c-1=pca9536")])


def test_a_chip_does_not_join_a_serial_port():
    with pytest.raises(SpecError, match="joins an I2C bus, but a BenchSupply is plugged there"):
        build([parse("/dev/x=bench_supply"), parse("/dev/x=pca9536")])


def test_a_device_in_yaml_says_where_it_is_wrong(tmp_path):
    file = tmp_path / "bad.yml"
    file.write_text("version: 1\ndevice: serial\nnewlines: x\n")

    with pytest.raises(ConfigError) as caught:
        load(Spec("/dev/x", str(file), {}, "x"))
    assert str(caught.value) == f'{file}:3:1: unknown key "newlines"; did you mean "newline"?'


def test_nothing_of_yaml_is_imported_for_python_models(horn):
    import subprocess

    code = f"from devshim.spec import *; build([parse('/dev/x={horn}')]); import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout

    assert not {"yaml", "jsonschema", "serial", "importlib.metadata"} & set(loaded.split())
