"""GPIO chips as programs meet them: readiness, several processes and requests, bad pointers, a chip that is pulled."""

import sys

import pytest
from harness import run_devshim

pytest.importorskip("gpiod")

MODELS = """
from devshim import GpioChip, Line, wire


class Panel(GpioChip):
    number_of_lines: int = 32
    button, lamp = Line(3, "BUTTON"), Line(17, "LAMP")

    def requested(self, line):
        if line.consumer.startswith("press"):
            self.after(0.1, self.press, self.line(line.offset))

    def press(self, line):
        line.value = 1
        line.value = 0


class Looped(Panel):
    '''Lamp and button are wired to each other.'''

    def setup(self):
        wire(self.lamp, self.button)


class Pulled(Panel):
    '''Is pulled 0.1 s after a program has got its lamp, and back after another 0.3 s.'''

    pulls = 0

    def requested(self, line):
        if line.name == "LAMP" and not self.pulls:
            self.pulls += 1
            self.after(0.1, self.unplug)

    def unplugged(self):
        super().unplugged()
        import threading
        threading.Timer(0.3, self.plug).start()
"""


@pytest.fixture
def run(tmp_path):
    """Run a Python program with a chip of MODELS at /dev/gpiochip0; it must end well. Return what it printed."""
    (tmp_path / "models.py").write_text(MODELS)

    def run(program, model="Panel"):
        (tmp_path / "program.py").write_text(program)
        devices = [f"/dev/gpiochip0={tmp_path / 'models.py'}:{model}"]
        outcome = run_devshim(sys.executable, tmp_path / "program.py", devices=devices)
        assert outcome.returncode == 0, outcome.stderr
        assert outcome.stderr == ""
        return outcome.stdout.splitlines()

    return run


def test_poll_and_epoll_see_events_of_several_requests(run):
    assert run(
        """
import gpiod, select
from gpiod.line import Edge
chip = gpiod.Chip("/dev/gpiochip0")
edges = gpiod.LineSettings(edge_detection=Edge.BOTH)
requests = {r.fd: r for r in (chip.request_lines({n: edges}, consumer="press %d" % n) for n in (3, 4, 5))}
idle = chip.request_lines({6: edges})
epoll = select.epoll()
for fd in (*requests, idle.fd):
    epoll.register(fd, select.EPOLLIN | select.EPOLLOUT)
seen = []
while len(seen) < 6:
    for fd, events in epoll.poll(5):
        assert events == select.EPOLLIN, events
        seen += [(e.line_offset, e.event_type.name, e.line_seqno) for e in requests[fd].read_edge_events()]
print(sorted(seen))
print(epoll.poll(0), select.select([*requests], [], [], 0))
"""
    ) == [
        "[(3, 'FALLING_EDGE', 2), (3, 'RISING_EDGE', 1), (4, 'FALLING_EDGE', 2), (4, 'RISING_EDGE', 1), "
        "(5, 'FALLING_EDGE', 2), (5, 'RISING_EDGE', 1)]",
        "[] ([], [], [])",
    ]


def test_threads_wait_in_reads_of_their_own_requests(run):
    assert run(
        """
import gpiod, os, threading
from gpiod.line import Edge
chip = gpiod.Chip("/dev/gpiochip0")
edges = gpiod.LineSettings(edge_detection=Edge.RISING)
sizes = []
threads = []
for n in range(8):
    request = chip.request_lines({n: edges}, consumer="press")
    threads.append(threading.Thread(target=lambda request=request: sizes.append(len(os.read(request.fd, 480)))))
    threads[-1].start()
for thread in threads:
    thread.join(10)
print(sizes)
"""
    ) == ["[48, 48, 48, 48, 48, 48, 48, 48]"]


def test_a_line_that_was_closed_can_be_asked_for_at_once(run):
    assert run(
        """
import gpiod
chip = gpiod.Chip("/dev/gpiochip0")
for _ in range(500):
    request = chip.request_lines({3: None, 17: None})
    assert chip.get_line_info(3).used
    request.release()
    assert not chip.get_line_info(3).used
print("free")
"""
    ) == ["free"]


def test_a_request_lives_until_its_last_descriptor_is_closed(run):
    assert run(
        """
import gpiod, os
chip = gpiod.Chip("/dev/gpiochip0")
request = chip.request_lines({3: None})
copy = os.dup(request.fd)
reading, writing = os.pipe()
child = os.fork()
if not child:
    os.close(copy)
    os.close(writing)
    os.read(reading, 1)
    os._exit(0)
request.release()
print(chip.get_line_info(3).used)
os.close(copy)
print(chip.get_line_info(3).used)
os.close(writing)
os.waitpid(child, 0)
print(chip.get_line_info(3).used)
"""
    ) == ["True", "True", "False"]


def test_a_process_that_is_killed_gives_its_lines_back(run):
    assert run(
        """
import gpiod, os, signal, subprocess, sys
program = 'import gpiod; r = gpiod.Chip("/dev/gpiochip0").request_lines({17: None}); print(flush=True); input()'
child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
chip = gpiod.Chip("/dev/gpiochip0")
chip.watch_line_info(17)
print(chip.get_line_info(17).used)
child.kill()
print(chip.read_info_event().event_type.name)
chip.request_lines({17: None})
"""
    ) == ["True", "LINE_RELEASED"]


def test_one_process_watches_what_another_does(run):
    assert run(
        """
import gpiod, subprocess, sys
chip = gpiod.Chip("/dev/gpiochip0")
chip.watch_line_info(17)
program = 'import gpiod; gpiod.Chip("/dev/gpiochip0").request_lines({17: None}, consumer="other").release()'
subprocess.run([sys.executable, "-c", program], check=True)
for _ in range(2):
    event = chip.read_info_event()
    print(event.event_type.name, event.line_info.consumer)
"""
    ) == ["LINE_REQUESTED other", "LINE_RELEASED None"]


def test_an_output_that_is_wired_to_an_input_makes_edges(run):
    assert run(
        """
import gpiod
from gpiod.line import Direction, Edge, Value
chip = gpiod.Chip("/dev/gpiochip0")
heard = chip.request_lines({3: gpiod.LineSettings(edge_detection=Edge.BOTH)})
lamp = chip.request_lines({17: gpiod.LineSettings(direction=Direction.OUTPUT)})
for value in (Value.ACTIVE, Value.INACTIVE):
    lamp.set_value(17, value)
print([event.event_type.name for event in heard.read_edge_events()], heard.get_value(3))
""",
        "Looped",
    ) == ["['RISING_EDGE', 'FALLING_EDGE'] Value.INACTIVE"]


def test_a_requests_descriptor_is_as_the_kernel_makes_it(run):
    assert run(
        """
import errno, fcntl, gpiod, os
chip = gpiod.Chip("/dev/gpiochip0")
request = chip.request_lines({3: None})
print(fcntl.fcntl(request.fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY)
print(fcntl.fcntl(request.fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC != 0)
os.set_blocking(request.fd, False)
for call in (lambda: os.read(request.fd, 48), lambda: os.read(request.fd, 47), lambda: os.write(request.fd, b"1")):
    try:
        call()
    except OSError as problem:
        print(errno.errorcode[problem.errno])
"""
    ) == ["True", "True", "EAGAIN", "EINVAL", "EBADF"]


def test_pointers_into_nowhere_are_efault_and_leave_lines_free(run):
    assert run(
        """
import ctypes, errno, gpiod, mmap, os, struct
libc = ctypes.CDLL(None, use_errno=True)
libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]
fd = os.open("/dev/gpiochip0", os.O_RDWR)
answers = set()
chips = 0x8044B401, 0xC100B405, 0xC100B406, 0xC250B407, 0xC048B402, 0xC16CB403, 0xC030B404, 0xC048B40B, 0xC004B40C
for request in chips:
    for address in (0, 8, 0xFFFF800000000000):
        answers.add((libc.ioctl(fd, request, address), errno.errorcode[ctypes.get_errno()]))
print(answers)

# Readable, but not writable: the line is taken, its descriptor cannot be told, and so it is given back.
memory = mmap.mmap(-1, 4096)
memory[0:4] = struct.pack("I", 3)
memory[560:564] = struct.pack("I", 1)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
libc.mprotect(ctypes.c_void_p(address), 4096, 1)
before = len(os.listdir("/proc/self/fd"))
print(libc.ioctl(fd, 0xC250B407, address), errno.errorcode[ctypes.get_errno()])
print(len(os.listdir("/proc/self/fd")) == before, gpiod.Chip("/dev/gpiochip0").get_line_info(3).used)
"""
    ) == ["{(-1, 'EFAULT')}", "-1 EFAULT", "True False"]


def test_a_chip_that_is_pulled_hangs_up_and_comes_back_with_free_lines(run):
    assert run(
        """
import errno, gpiod, os, select, time
chip = gpiod.Chip("/dev/gpiochip0")
chip.watch_line_info(3)
request = chip.request_lines({17: None, 3: gpiod.LineSettings(edge_detection=gpiod.line.Edge.BOTH)})
poll = select.poll()
poll.register(request.fd, select.POLLIN)
while not poll.poll(5000)[0][1] & select.POLLHUP:
    pass
for call in (lambda: os.read(request.fd, 48), lambda: request.get_value(17), lambda: chip.get_line_info(3)):
    try:
        call()
    except OSError as problem:
        print(errno.errorcode[problem.errno])
print(os.path.exists("/dev/gpiochip0"), os.path.exists("/sys/bus/gpio/devices/gpiochip0"))
deadline = time.monotonic() + 60
while not os.path.exists("/dev/gpiochip0") and time.monotonic() < deadline:
    select.select([], [], [], 0.01)
with gpiod.Chip("/dev/gpiochip0") as again:
    new = again.request_lines({17: None, 3: None})
    request.release()
    chip.close()
    print(again.get_line_info(17).used)
""",
        "Pulled",
    ) == ["ENODEV", "ENODEV", "ENODEV", "False False", "True"]


def test_libgpiod_takes_the_node_for_a_chip_and_ls_agrees(run):
    assert run(
        """
import gpiod, os
print(gpiod.is_gpiochip_device("/dev/gpiochip0"))
status = os.stat("/dev/gpiochip0")
number = "%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
print(open("/sys/bus/gpio/devices/gpiochip0/dev").read() == number + "\\n")
print(os.path.realpath("/sys/dev/char/%s/subsystem" % number))
print(os.listdir("/sys/bus/gpio/devices"))
"""
    ) == ["True", "True", "/sys/bus/gpio", "['gpiochip0']"]
