"""Ordinary work: programs that have nothing to do with the devices do what they do without devshim."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Outcome, run, run_devshim

MODELS = Path(__file__).with_name("models.py")
DEVICES = [f"/dev/hot0={MODELS}:Hot", f"/dev/ttyUSB77={MODELS}:Echo"]
QUIET = {"LC_ALL": "C", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent", "NO_COLOR": "1"}

CONFIGURE = r"""
# In the manner of a ./configure: many small programs, redirections, here-documents, compilers, traps.
exec 5>config.log 6>&1 7<&0 </dev/null
trap 'rm -rf conftest*' 0 1 2 15
ac_try() { echo "$1" >&5; (eval "$1") >&5 2>&1; test $? = 0; }
echo checking shell features
for ac_word in gcc cc sed awk grep install mkdir; do
  for ac_dir in $(echo "$PATH" | tr : ' '); do
    if test -x "$ac_dir/$ac_word"; then echo "found $ac_word"; break; fi
  done
done
for ac_header in stdio.h stdlib.h termios.h sys/ioctl.h linux/i2c-dev.h nothing/here.h; do
  cat > conftest.c <<EOF
#include <$ac_header>
int main(void) { return 0; }
EOF
  if ac_try 'cc -c conftest.c -o conftest.o'; then echo "$ac_header yes"; else echo "$ac_header no"; fi
done
for ac_type in int long 'void *' 'struct nothing'; do
  printf '#include <stdio.h>\nint main(void) { printf("%%d\\n", (int)sizeof(%s)); return 0; }\n' "$ac_type" > conftest.c
  if ac_try 'cc conftest.c -o conftest'; then echo "sizeof $ac_type: $(./conftest)"; else echo "no $ac_type"; fi
done
mkdir -p conftestdir/a/b; cd conftestdir/a/b; pwd | sed 's,.*/conftestdir,conftestdir,'; cd ../../..
ln -s conftestdir/a conftestlink; (cd -P conftestlink && ls); test -L conftestlink && echo links
umask 027; : > conftestfile; ls -l conftestfile | cut -c1-10
i=0; while test $i -lt 50; do i=$(expr $i + 1); echo "line $i" | sed "s/line/LINE/" >> conftestlines; done
sort -r conftestlines | head -3; wc -l < conftestlines | tr -d ' '; grep -c 'LINE 1' conftestlines
awk 'BEGIN { for (i = 0; i < 5; i++) print i, i * i }' | tee conftestsquares | tail -1
cat > conftest.in <<'EOF'
prefix=@prefix@
EOF
sed 's,@prefix@,/usr/local,' conftest.in
find conftestdir -type d | sort
(exit 3); echo "code $?"; sh -c 'kill -TERM $$' 2>&5; echo "code $?"
printf '%s\n' /dev/null /dev/zero /dev/tty | xargs -n1 ls -ld 2>&5 | cut -c1-10
head -c 4 /dev/zero | od -An -tx1; : > /dev/null; test -c /dev/null && echo device
mkfifo conftestfifo; (echo through > conftestfifo) & read -r word < conftestfifo; wait; echo $word
tar cf conftest.tar conftestdir conftestlines; tar tf conftest.tar | sort
exec 6>&- 5>&-
echo done; exit 4
"""

LIBRARY = {
    "small/__init__.py": "def double(x):\n    return 2 * x\n",
    "test_small.py": """
import os, subprocess, sys, tempfile, threading
from small import double

def test_double():
    assert double(2) == 4

def test_process():
    assert subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout == b"1\\n"

def test_files(tmp_path):
    (tmp_path / "a").write_text("x")
    assert os.listdir(tmp_path) == ["a"] and os.stat("/dev/null").st_rdev

def test_wrong():
    assert double(2) == 5
""",
}


def same(script: str, folder: Path, code: int = 0, hide: str = "") -> None:
    """Run a script without and with devshim, in equal folders, and expect the same output and exit code."""
    without, within = (prepare(folder, name) for name in ("without", "within"))
    expected = run(["sh", "-c", script], env={**os.environ, **QUIET}, cwd=without)
    outcome = run_devshim("sh", "-c", script, devices=DEVICES, env=QUIET, cwd=within)

    assert answer(outcome, within, hide) == answer(expected, without, hide)
    assert expected.returncode == code, expected.stderr


def prepare(folder: Path, name: str) -> Path:
    """A copy of folder/work, or an empty folder."""
    path = folder / name / "here"
    if (folder / "work").exists():
        shutil.copytree(folder / "work", path, symlinks=True)
    else:
        path.mkdir(parents=True)
    return path


def answer(outcome: Outcome, folder: Path, hide: str) -> tuple[int, list[str], str]:
    lines = [line for line in outcome.stdout.replace(str(folder), "HERE").splitlines() if not hide or hide not in line]
    return outcome.returncode, lines, outcome.stderr.replace(str(folder), "HERE")


def test_a_configure_script(tmp_path: Path) -> None:
    same(CONFIGURE, tmp_path, code=4)


def test_git(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    work = tmp_path / "work"
    work.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    when = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}
    environment = {**os.environ, **QUIET, **when}
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        (work / f"file-{words[0]}").write_text("text\n" * 100)
        subprocess.run([*git, *words], cwd=work, env=environment, check=True)

    same("git status && git log --stat && git diff && git add -A && git status -s && git gc -q && git fsck", tmp_path)


def test_pytest_of_a_small_library(tmp_path: Path) -> None:
    for name, text in LIBRARY.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    options = "-q -p no:cacheprovider --no-header --tb=line"

    same(
        f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest {options} | sed 's/ in [0-9.]*s//'; exit 1",
        tmp_path,
        code=1,
    )


def test_tar(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "a/b").mkdir(parents=True)
    (work / "a/b/file").write_bytes(os.urandom(100_000))
    (work / "a/link").symlink_to("b/file")

    pack = "mkfifo a/fifo && tar czf t.tgz --sort=name a && tar tzf t.tgz"
    same(f"{pack} && mkdir out && tar xzf t.tgz -C out && diff -r a/b out/a/b && ls -R out", tmp_path)


def test_find_of_dev(tmp_path: Path) -> None:
    """The plugged nodes are seen, and else all is as ever; what comes and goes by itself is left out."""
    passing = "-path /dev/pts -o -path /dev/shm -o -path /dev/mqueue"
    script = (
        f"find /dev -printf '%p %y %m %u %g\\n' \\( {passing} \\) -prune"
        " | grep -v 'hot0\\|ttyUSB77\\|/dev/serial\\|/dev/bus' | sort"
    )

    same(script, tmp_path)

    script = "find /dev -path /dev/shm -prune -o \\( -name hot0 -o -name ttyUSB77 \\) -print | sort"
    found = run_devshim("sh", "-c", script, devices=DEVICES)
    assert found.stdout == "/dev/hot0\n/dev/ttyUSB77\n"


@pytest.mark.parametrize(
    "tool", ["ssh -V", "perl -e 'print 1 + 1'", "node -p 1+1", "java -version", "make --version", "gdb -v"]
)
def test_tools_that_start(tool: str, tmp_path: Path) -> None:
    if shutil.which(tool.split()[0]) is None:
        pytest.skip(f"needs {tool.split()[0]}")
    same(tool, tmp_path)
