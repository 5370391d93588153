#!/bin/sh
# tools.sh: whether this machine has what building devshim needs; for each thing missing, one line with the way out.

missing=0
need() {
    echo "devshim: $1; on Debian or Ubuntu: apt-get install $2" >&2
    missing=1
}

CC=${CC:-cc}
PYTHON=${PYTHON:-python3}

if ! command -v "${CC%% *}" >/dev/null; then
    need "no C compiler ($CC)" gcc
elif ! echo '#include <stdio.h>' | $CC -fsyntax-only -x c - 2>/dev/null; then
    need "the C library's headers are missing" libc6-dev
fi

if ! command -v "$PYTHON" >/dev/null; then
    need "no $PYTHON" python3
elif ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "devshim: needs Python 3.11 or later, $PYTHON is $("$PYTHON" -V 2>&1); make PYTHON=python3.12 names another" >&2
    missing=1
else
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || need "$PYTHON has no venv module" python3-venv
    "$PYTHON" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
        need "$PYTHON has no headers (Python.h)" python3-dev
fi
exit $missing
