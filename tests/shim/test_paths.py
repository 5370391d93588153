"""Where paths lead: plugged nodes by every name and function, ordinary paths untouched."""

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from plugged import LIBRARY, Plugged, unshimmed

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="the shim is not built: make build")

NODE = "/dev/ttyDS0"
LINK = "/dev/serial-ds/by-id/gps"
REAL = "/dev/full"  # a node that each Linux system has
CHARACTER = "character special file"


@pytest.fixture
def plugged(tmp_path: Path) -> Plugged:
    run = tmp_path / "run"
    run.mkdir()
    return Plugged(run)


@pytest.fixture
def look(program: Callable[..., Path]) -> Path:
    return program("look")


def answers(text: str) -> dict[str, str]:
    """Return what look printed, by function."""
    return dict(line.split(": ", 1) for line in text.splitlines())


def kind(plugged: Plugged, *paths: str | Path, follow: bool = True) -> list[str]:
    """Return what stat(1) calls each path, and its device number."""
    words = ["stat", *(["-L"] if follow else []), "-c", "%F %t:%T", *paths]
    return plugged.output(*words).splitlines()


# ---- What a node is


def test_all_functions_agree_on_a_plugged_node(plugged: Plugged, look: Path) -> None:
    plugged.device(NODE)

    told = answers(plugged.output(look, NODE))

    shown = {answer for answer in told.values() if re.match(r"\d+ \d+:\d+ ", answer)}
    assert len(shown) == 1, told
    assert shown.pop().startswith(f"{stat.S_IFCHR | 0o660:o} 512:1 ")
    assert told["access"] == "0 0 -1"
    assert told["realpath"] == told["canonicalize_file_name"] == NODE
    assert told["readlinkat"] == "EINVAL"


def test_a_block_device_is_one(plugged: Plugged) -> None:
    plugged.device("/dev/sdDS", stat.S_IFBLK | 0o600)

    assert kind(plugged, "/dev/sdDS") == ["block special file 200:1"]


def test_functions_relative_to_a_directory_agree_too(plugged: Plugged, look: Path) -> None:
    plugged.device(NODE)

    relative = answers(plugged.output(look, "/dev", "ttyDS0"))

    absolute = answers(plugged.output(look, NODE))
    assert relative == {function: absolute[function] for function in relative}


def test_a_node_lies_on_the_file_system_of_dev(plugged: Plugged, look: Path) -> None:
    plugged.device(NODE)
    plugged.device("/dev/bus-ds/001/002")

    expected = answers(plugged.output(look, "/dev"))["statfs"]

    assert answers(plugged.output(look, NODE))["statfs"] == expected
    assert answers(plugged.output(look, "/dev/bus-ds/001/002"))["statfs"] == expected
    assert answers(plugged.output(look, "/dev/bus-ds"))["statfs"] == expected


def test_mode_owner_and_times_are_kept_for_the_next_process(plugged: Plugged) -> None:
    plugged.device(NODE)

    plugged.output("chmod", "604", NODE)
    plugged.output("touch", "-d", "2020-01-02T00:00:00Z", NODE)

    assert plugged.output("stat", "-c", "%a %Y", NODE) == "604 1577923200\n"


def test_a_descriptor_changes_the_node_as_its_path_does(plugged: Plugged) -> None:
    plugged.device(NODE)
    script = f"""
import os
fd = os.open({NODE!r}, os.O_PATH)
os.chmod(f"/proc/self/fd/{{fd}}", 0o640)
print(oct(os.stat({NODE!r}).st_mode), oct(os.fstat(fd).st_mode))
"""
    assert plugged.output(sys.executable, "-c", script) == "0o20640 0o20640\n"


def test_access_is_judged_by_the_nodes_mode(plugged: Plugged) -> None:
    plugged.device(NODE, stat.S_IFCHR | 0o000)
    script = f"test -e {NODE} && echo there; test -r {NODE} || echo not to be read"
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    for folder in [plugged.folder, *plugged.folder.parents]:
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & stat.S_ISVTX and len(folder.parts) > 2:
            os.chmod(folder, 0o755)

    outcome = plugged.run(*drop, "sh", "-c", script)  # nobody may have no right to this Python's libraries

    assert outcome.stdout == "there\nnot to be read\n", outcome.stderr


# ---- Ways to a node


@pytest.mark.parametrize(
    "path",
    [
        "//dev//ttyDS0",
        "/dev/./ttyDS0",
        "/dev/../dev/ttyDS0",
        "/usr/../dev/ttyDS0",
        "/dev/serial-ds/../ttyDS0",
        "/dev/serial-ds/by-id/../../ttyDS0",
        f"/proc/self/root{NODE}",
        LINK,
    ],
)
def test_every_way_to_write_a_path_leads_to_the_node(plugged: Plugged, path: str) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")

    assert kind(plugged, path) == [f"{CHARACTER} 200:1"]
    assert plugged.output("realpath", path) == f"{NODE}\n"


@pytest.mark.parametrize("path", [f"{NODE}/", f"{NODE}/.", f"{NODE}/x", f"{LINK}/", f"{LINK}/x"])
def test_a_node_is_no_directory(plugged: Plugged, path: str) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")

    assert "Not a directory" in plugged.run("stat", path).stderr


def test_a_way_through_the_tree_leads_back_to_what_is_real(plugged: Plugged) -> None:
    plugged.link(LINK, "../../ttyDS0")

    assert kind(plugged, "/dev/serial-ds/by-id/../../null") == [f"{CHARACTER} 1:3"]


def test_a_plugged_link_is_a_link(plugged: Plugged) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")

    assert kind(plugged, LINK, follow=False) == ["symbolic link 0:0"]
    assert plugged.output("readlink", LINK) == "../../ttyDS0\n"
    assert kind(plugged, "/dev/serial-ds/by-id") == ["directory 0:0"]


def test_real_links_lead_to_a_plugged_node(plugged: Plugged, tmp_path: Path) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")
    (tmp_path / "port").symlink_to(NODE)
    (tmp_path / "port2").symlink_to("port")
    (tmp_path / "ids").symlink_to("/dev/serial-ds/by-id")
    (tmp_path / "dev").symlink_to("/dev")

    ways = [tmp_path / way for way in ("port", "port2", "ids/gps", "dev/ttyDS0")]

    assert kind(plugged, *ways) == [f"{CHARACTER} 200:1"] * 4
    assert plugged.output("realpath", *ways) == f"{NODE}\n" * 4


def test_links_in_a_circle_are_too_many(plugged: Plugged) -> None:
    plugged.link("/dev/circle-ds/a", "b")
    plugged.link("/dev/circle-ds/b", "a")

    assert "Too many levels of symbolic links" in plugged.run("stat", "-L", "/dev/circle-ds/a").stderr


def test_a_link_to_nothing_dangles(plugged: Plugged) -> None:
    plugged.link(LINK, "../../nothing-ds")

    assert "No such file" in plugged.run("stat", "-L", LINK).stderr
    assert kind(plugged, LINK, follow=False) == ["symbolic link 0:0"]


def test_relative_paths_count_from_the_working_directory(plugged: Plugged) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")
    script = """
stat -L -c '%t:%T' dev/ttyDS0
cd dev
stat -L -c '%t:%T' ttyDS0 serial-ds/by-id/gps
cd serial-ds/by-id
stat -L -c '%t:%T' gps ../../ttyDS0 ../../null
"""
    assert plugged.output("sh", "-c", script, cwd="/").split() == ["200:1"] * 5 + ["1:3"]


def test_a_relative_path_upwards_leads_to_the_node(plugged: Plugged, tmp_path: Path) -> None:
    plugged.device(NODE)
    up = "../" * (len(tmp_path.parts) - 1)

    assert plugged.output("stat", "-c", "%t:%T", f"{up}dev/ttyDS0", cwd=tmp_path) == "200:1\n"


def test_a_directory_of_the_tree_is_a_working_directory_by_its_own_name(plugged: Plugged) -> None:
    plugged.link(LINK, "../../ttyDS0")
    script = "cd /dev/serial-ds/by-id && /bin/pwd && readlink /proc/self/cwd && cd .. && pwd -P && cd .. && pwd -P"

    output = plugged.output("bash", "-c", script)

    assert output.split() == ["/dev/serial-ds/by-id", "/dev/serial-ds/by-id", "/dev/serial-ds", "/dev"]


def test_descriptors_have_the_nodes_name(plugged: Plugged) -> None:
    plugged.device(NODE)
    script = f"""
import os
fd = os.open({NODE!r}, os.O_PATH)
print(os.readlink(f"/proc/self/fd/{{fd}}"), os.readlink(f"/proc/{{os.getpid()}}/fd/{{fd}}"))
for name in f"/proc/self/fd/{{fd}}", f"/dev/fd/{{fd}}", f"/proc/{{os.getpid()}}/fd/{{fd}}":
    print(os.path.realpath(name), oct(os.stat(name).st_mode))
os.dup2(fd, 0)
print(oct(os.stat("/dev/stdin").st_mode), os.path.islink("/dev/stdin"))
"""
    lines = plugged.output(sys.executable, "-c", script).splitlines()

    assert lines == [f"{NODE} {NODE}", *[f"{NODE} 0o20660"] * 3, "0o20660 True"]


# ---- Real nodes


def test_a_plugged_node_stands_before_the_real_one(plugged: Plugged, tmp_path: Path) -> None:
    plugged.device(REAL)
    (tmp_path / "link").symlink_to(REAL)
    (tmp_path / "dev").symlink_to("/dev")

    ways = [REAL, tmp_path / "link", tmp_path / "dev" / "full", "/usr/../dev/full"]

    assert kind(plugged, *ways) == [f"{CHARACTER} 200:1"] * 4


def test_a_hidden_node_is_not_there(plugged: Plugged, tmp_path: Path) -> None:
    plugged.hide(REAL)
    (tmp_path / "link").symlink_to(REAL)

    for path in REAL, tmp_path / "link":
        assert "No such file" in plugged.run("stat", "-L", path).stderr
        assert plugged.run("test", "-e", path).returncode == 1


def test_other_nodes_stay_as_they_are(plugged: Plugged, look: Path) -> None:
    plugged.device(NODE)

    for path in "/dev/null", "/dev", "/", "/dev/nothing-ds", "/etc/passwd", "/proc/sys", "nothing", "":
        without = answers(unshimmed([str(look), path]))
        assert answers(plugged.output(look, path)) == without


# ---- Making and removing names


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["rm", NODE], "Device or resource busy"),
        (["mv", NODE, "/dev/elsewhere-ds"], "Device or resource busy"),
        (["mkdir", NODE], "File exists"),
        (["ln", "-s", "x", NODE], "File exists"),
        (["mkfifo", NODE], "File exists"),
        (["truncate", "-s", "0", "-c", f"{NODE}/x"], "Not a directory"),
        (["ls", f"{NODE}/"], "Not a directory"),
        (["bash", "-c", f"cd {NODE}"], "Not a directory"),
    ],
)
def test_a_plugged_node_stays_until_it_is_unplugged(plugged: Plugged, command: list[str], said: str) -> None:
    plugged.device(NODE)

    assert said in plugged.run(*command).stderr
    assert kind(plugged, NODE) == [f"{CHARACTER} 200:1"]


def test_names_can_be_made_and_removed_in_the_tree_only(plugged: Plugged) -> None:
    plugged.device(NODE)
    plugged.link(LINK, "../../ttyDS0")
    directory = os.path.dirname(LINK)
    script = f"""
ln -s ../../ttyDS0 {directory}/own
mkdir {directory}/more
stat -L -c '%t:%T' {directory}/own
mv {directory}/own {directory}/more/own
ls -R {directory}
rm {directory}/more/own
rmdir {directory}/more
rm {LINK}
ls {directory}
"""
    output = plugged.output("sh", "-c", script)

    assert output == f"200:1\n{directory}:\ngps\nmore\n\n{directory}/more:\nown\n"
    assert not os.path.lexists(directory)


def test_an_ordinary_tree_of_files_is_handled_as_ever(plugged: Plugged, tmp_path: Path) -> None:
    plugged.device(NODE)
    script = """
mkdir -p a/b && echo text > a/b/c && ln a/b/c a/hard && ln -s b/c a/soft && cp -a a copy && mv a/hard a/moved
chmod 640 a/moved && touch -d 2020-01-01 a/moved && mkfifo a/pipe && truncate -s 2 a/b/c
find . | sort && stat -c '%a %s %h %F' a/moved a/soft a/pipe && realpath --relative-to=. a/soft && cat copy/soft
rm -r a copy && ls
"""
    outputs = []
    for folder in "with", "without":
        (tmp_path / folder).mkdir()
    outputs.append(plugged.output("sh", "-ec", script, cwd=tmp_path / "with"))
    outputs.append(unshimmed(["sh", "-ec", f"cd {tmp_path / 'without'}; {script}"]))

    assert outputs[0] == outputs[1]


def test_nodes_outside_dev_work_too(plugged: Plugged, tmp_path: Path) -> None:
    node = plugged.device(str(tmp_path / "ports" / "a"))
    (tmp_path / "real").mkdir()
    beside = plugged.device(str(tmp_path / "real" / "b"))

    assert kind(plugged, node, beside) == [f"{CHARACTER} 200:1", f"{CHARACTER} 200:2"]
    assert plugged.output("stat", "-c", "%t:%T", "ports/a", "real/b", cwd=tmp_path).split() == ["200:1", "200:2"]


def test_writing_through_a_link_makes_no_real_file(plugged: Plugged, tmp_path: Path) -> None:
    plugged.device(str(tmp_path / "real" / "node"))
    (tmp_path / "real").mkdir()
    (tmp_path / "port").symlink_to(tmp_path / "real" / "node")
    create = "import os; os.open('port', os.O_CREAT | os.O_WRONLY)"

    for command in (["sh", "-c", "echo > port"], ["sh", "-c", "echo > real/node"], [sys.executable, "-c", create]):
        plugged.run(*command, cwd=tmp_path)  # nobody answers: it fails

        assert os.listdir(tmp_path / "real") == []
