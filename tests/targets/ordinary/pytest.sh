# A small library's tests, one of which fails.
mkdir lib && echo 'def double(x): return 2 * x' > lib/__init__.py
printf 'import lib, os, pytest, subprocess\n\n' > test_lib.py
printf '@pytest.mark.parametrize("x", range(20))\ndef test_double(x, tmp_path): assert lib.double(x) == x + x\n' >> test_lib.py
printf 'def test_capture(capfd):\n    os.system("echo out"); assert capfd.readouterr().out == "out\\n"\n' >> test_lib.py
printf 'def test_child(): assert subprocess.check_output(["echo", "x"]) == b"x\\n"\n' >> test_lib.py
printf 'def test_wrong(): assert lib.double(1) == 3\n' >> test_lib.py
"$PYTHON" -m pytest -q -p no:cacheprovider -p no:xdist -p no:benchmark -p no:hypothesispytest --rootdir . . | sed 's/ in [0-9.]*s//; s/0x[0-9a-f]*//'
