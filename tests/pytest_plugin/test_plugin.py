"""The pytest plugin as its users meet it: suites of their own, run by pytest in a process of its own."""

import pytest
from suites import run

pytest_plugins = ["pytester"]

README = """
    import serial
    from devshim import Device, I2cBus
    from devshim.devices import Gps, Tmp102

    def test_fan_starts_when_warm(devshim):
        sensor = devshim.plug("/dev/i2c-1", I2cBus(Tmp102(celsius=80))).chips[0x48]
        assert devshim.run("i2cget", "-y", "1", "0x48").stdout == "0x50\\n"
        assert not sensor.shutdown

    def test_in_this_very_process(devshim):
        devshim.clock.manual()
        devshim.plug("/dev/ttyUSB0", Gps())
        with serial.Serial("/dev/ttyUSB0", timeout=60) as port:
            devshim.clock.step(1)
            assert port.readline().startswith(b"$GPRMC")

    def test_survives_unplug(devshim):
        port = devshim.plug("/dev/ttyUSB0", Gps())
        with devshim.start("sh", "-c", "cat /dev/ttyUSB0; echo reconnecting; sleep 100") as p:
            devshim.after(lambda call: call.name == "open" and call.node == "/dev/ttyUSB0", port.unplug)
            devshim.until(lambda: b"reconnecting" in p.stdout, timeout=60)
"""


@pytest.mark.client("i2cget")
def test_the_suite_of_the_readme_passes(suite: pytest.Pytester) -> None:
    suite.makepyfile(README)
    run(suite).assert_outcomes(passed=3)


@pytest.mark.client("i2cget")
def test_workers_that_plug_the_same_nodes_do_not_meet(suite: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    suite.makepyfile(
        """
        import pytest
        from devshim.devices import Tmp102

        @pytest.mark.parametrize("celsius", range(20, 32))
        def test_one(devshim, celsius):
            devshim.plug("/dev/i2c-1", Tmp102(celsius=celsius))
            for _ in range(3):
                assert int(devshim.run("i2cget", "-y", "1", "0x48").stdout, 16) == celsius
        """
    )
    run(suite, "-p", "xdist", "-n", "2").assert_outcomes(passed=12)


def test_a_failing_test_reports_its_calls_and_leaves_nothing_behind(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import os, threading
        from devshim import Device

        class Box(Device):
            def write(self, data): ...

        def state():
            environment = dict(os.environ) | {"PYTEST_CURRENT_TEST": ""}
            return environment, threading.active_count(), len(os.listdir("/proc/self/fd"))

        def test_first(devshim):  # what cleans up after this process stays with it
            devshim.plug("/dev/box", Box())

        def test_before():
            global before
            before = state()

        def test_fails(devshim):
            devshim.plug("/dev/box", Box())
            with open("/dev/box", "wb", buffering=0) as box:
                box.write(b"hello")
            assert devshim.run("sh", "-c", "sleep 300 & echo x").stdout == "y"

        def test_after_it():
            assert state() == before
            assert not os.path.exists("/dev/box")
        """
    )
    result = run(suite)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["*- Device calls -*", '*open("/dev/box", O_WRONLY*', '*write(/dev/box, "hello", 5) = 5']
    )


def test_a_model_that_fails_is_an_error_of_its_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest
        from devshim import Device

        class Broken(Device):
            def read(self, size): return 1 // 0

        def test_unexpected(devshim):
            devshim.plug("/dev/broken", Broken())
            devshim.run("cat", "/dev/broken", check=False)

        def test_that_fails_itself(devshim):
            devshim.plug("/dev/broken", Broken())
            devshim.run("cat", "/dev/broken")

        def test_expected(devshim):
            devshim.plug("/dev/broken", Broken())
            with pytest.raises(OSError):
                open("/dev/broken", "rb").read()
            assert "ZeroDivisionError" in devshim.failures[0]
            devshim.failures.clear()
        """
    )
    result = run(suite)
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(["*Broken at /dev/broken: read(*): ZeroDivisionError*"])
    text = result.stdout.str()
    assert "ProgramFailed: cat /dev/broken: exit code 1" in text
    assert text.count("- Device calls -") == 1  # of the error; those of the failure stand in its text


def test_a_program_that_hangs_is_killed_and_explained(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from devshim.devices import Gps

        def test_hangs(devshim):
            devshim.clock.manual()
            devshim.plug("/dev/ttyUSB0", Gps())
            devshim.run("head", "-1", "/dev/ttyUSB0", timeout=8)
        """
    )
    result = run(suite)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ProgramTimedOut: head -1 /dev/ttyUSB0: not over after 8 s; killed",
            "*head (*) waits in read of /dev/ttyUSB0",
        ]
    )


@pytest.mark.client("i2cget")
def test_only_plugged_refuses_other_nodes_and_names_the_line(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from devshim.devices import Tmp102

        def test_other_spellings_of_a_plugged_node_are_no_fault(devshim):
            devshim.plug("/dev/i2c-1", Tmp102())
            devshim.run("i2cget", "-y", "1", "0x48")

        def test_without_the_fixture():
            try:
                open("/dev/loop-control")
            except FileNotFoundError:
                pass
        """
    )
    result = run(suite, "--devshim-only-plugged")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*/dev/loop-control: refused at test_only_plugged*.py:9*"])


def test_options_are_checked_and_marks_are_known(suite: pytest.Pytester) -> None:
    suite.makepyfile("def test_nothing(): ...")
    wrong = run(suite, "--devshim-real", "ttyUSB0")
    wrong.stderr.fnmatch_lines(["*--devshim-real ttyUSB0: write NODE=REALNODE*"])
    assert "devshim_trace(node, name)" in run(suite, "--markers").stdout.str()


def test_the_plugin_imports_nothing_of_ours_before_its_fixture_is_used(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import sys

        def test_nothing():
            ours = [name for name in sys.modules if name.split(".")[0] == "devshim"]
            assert set(ours) <= {"devshim", "devshim.pytest_plugin"}
        """
    )
    run(suite).assert_outcomes(passed=1)


BESIDE = {
    "pytest_timeout": ("pytest_timeout", "--timeout", "30"),
    "pytest_cov": ("pytest_cov.plugin", "--cov", "."),
    "pytest_asyncio": ("pytest_asyncio.plugin", "-o", "asyncio_mode=auto"),
    "pytest_recording": ("pytest_recording.plugin", "--record-mode", "none"),
    "pytest_reserial": ("pytest_reserial.reserial", "--record"),
}


@pytest.mark.parametrize("plugin", BESIDE)
def test_it_works_beside_other_plugins(suite: pytest.Pytester, plugin: str) -> None:
    pytest.importorskip(plugin)
    suite.makepyfile(
        f"""
        import asyncio, sys
        import pytest
        import serial
        from devshim import Device
        from devshim.devices import Modem

        PLUGIN = "{plugin}"

        class Box(Device):
            def read(self, size): return b"x"

        def test_one(devshim):
            devshim.plug("/dev/box", Box())
            assert devshim.run("head", "-c", "1", "/dev/box").stdout == "x"

        if PLUGIN == "pytest_asyncio":
            async def test_two(devshim):
                devshim.plug("/dev/box", Box())
                process = await asyncio.create_subprocess_exec("head", "-c", "1", "/dev/box", stdout=-1)
                assert (await process.communicate())[0] == b"x"
                assert await asyncio.to_thread(lambda: open("/dev/box", "rb", buffering=0).read(1)) == b"x"

        if PLUGIN == "pytest_reserial":
            def test_two(devshim, reserial):
                devshim.plug("/dev/ttyUSB0", Modem())
                with serial.Serial("/dev/ttyUSB0", timeout=20) as port:
                    port.write(b"AT\\r")
                    assert port.read_until(b"OK\\r\\n").endswith(b"OK\\r\\n")

        if PLUGIN == "pytest_recording":
            @pytest.mark.vcr
            def test_two(devshim):
                test_one(devshim)
        """
    )
    name, *options = BESIDE[plugin]
    two = plugin in ("pytest_asyncio", "pytest_reserial", "pytest_recording")
    run(suite, "-p", name, *options).assert_outcomes(passed=1 + two)
