"""A WSGI application under Apache's mod_wsgi reads a chip: many processes, threads and interpreters, in either host."""

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import pytest
from clients import require
from harness import ROOT, devshim_command, devshim_environment

from devshim import embedding

pytestmark = pytest.mark.client("apache2", "mod_wsgi")

REQUESTS, AT_ONCE = 48, 12
PATIENCE = 30  # seconds

APPLICATION = r"""
import fcntl, os

I2C_SLAVE = 0x0703  # linux/i2c-dev.h

def application(environ, start_response):
    fd = os.open("/dev/i2c-1", os.O_RDWR)
    try:
        fcntl.ioctl(fd, I2C_SLAVE, 0x48)
        os.write(fd, b"\0")
        high, low = os.read(fd, 2)
    finally:
        os.close(fd)
    with open("/proc/self/maps") as maps:
        inside = "/_channel." in maps.read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%.4f %d" % (((high << 8 | low) >> 4) * 0.0625, inside)]
"""

CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
Listen 127.0.0.1:{port}
ErrorLog {folder}/errors
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
User www-data
Group www-data
StartServers 3
Mutex pthread
WSGIScriptAlias / {folder}/application.py
WSGISocketPrefix {folder}/socket
"""

DAEMON = "WSGIDaemonProcess chip processes=2 threads=4\nWSGIProcessGroup chip\n"
MODULES = "/usr/lib/apache2/modules"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that the server's processes can read after they became another user, as tmp_path is not."""
    with TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(what: Callable[[], object], server: subprocess.Popen[str]) -> None:
    """Look again and again whether something has become so, while the server lives."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert server.poll() is None and time.monotonic() < deadline, server.communicate()
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody does on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pid_in(folder: Path) -> int:
    """The server's process, once it is ready; else 0."""
    file = folder / "pid"
    return int(file.read_text() or 0) if file.exists() else 0


def ask(port: int) -> str:
    """What the application answers."""
    with urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE) as answer:
        text: bytes = answer.read()
    return text.decode()


def all_may_read(path: Path) -> bool:
    """Whether the path leads there for other users, too."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in [path, *path.parents])


@pytest.mark.parametrize("mode", ["prefork", "daemon"])
@pytest.mark.parametrize("host", ["beside", "inside"])
def test_concurrent_requests_read_the_chip(folder: Path, mode: str, host: str) -> None:
    if host == "inside" and (embedding.shared_library() is None or not all_may_read(ROOT / "devshim")):
        pytest.skip("no shared libpython, or the server's user cannot read this checkout")
    debian_s = subprocess.run(["/usr/bin/python3", "-V"], capture_output=True, text=True, check=False).stdout
    if host == "inside" and embedding.VERSION not in debian_s:
        pytest.skip(f"mod_wsgi has {debian_s.strip()}, these tests another one")
    (folder / "application.py").write_text(APPLICATION)
    port = free_port()
    configuration = CONFIGURATION.format(folder=folder, port=port, modules=MODULES)
    (folder / "conf").write_text(configuration + (DAEMON if mode == "daemon" else ""))
    for name in ("application.py", "conf"):
        (folder / name).chmod(0o644)
    options = ["--in-process"] if host == "inside" else []
    words = ["run", *options, "-d", "/dev/i2c-1=tmp102,celsius=21.5", "--"]
    command = [*devshim_command(), *words, require("apache2"), "-f", str(folder / "conf"), "-DFOREGROUND"]

    with subprocess.Popen(  # in a session of its own, for apache ends its whole process group
        command,
        env=devshim_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            until(lambda: pid_in(folder) and listens(port), server)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                answers = set(pool.map(lambda _: ask(port), range(REQUESTS)))
        finally:
            if server.poll() is None:
                os.kill(pid_in(folder) or server.pid, signal.SIGTERM)
            errors = server.communicate(timeout=PATIENCE)[1]

    assert answers == {f"21.5000 {int(host == 'inside')}"}, errors + (folder / "errors").read_text()
    assert (server.returncode, errors) == (0, "")
