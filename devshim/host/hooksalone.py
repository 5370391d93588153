"""Hooks alone in a program whose devices are answered elsewhere: called by shim/embed.c in what a session starts."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from devshim.host import _channel, hooks, ownprocess
from devshim.host.blame import Blame
from devshim.host.log import Log
from devshim.host.told import Told


class Alone:
    """Who hears of functions that fail, where there is no host."""

    def __init__(self, told: str) -> None:
        self.blame = Blame(Log())
        self.failures: list[str] = Told(told)


def start(asked: dict[str, Any]) -> None:
    """Load the model files and have their functions called in this program; what goes wrong is said in one line."""
    if sys.flags.no_site and not sys.orig_argv:  # brought along: the program's streams are not a model's
        sys.stdin, sys.stdout = None, sys.stderr
    alone = Alone(os.path.join(asked["run"], "failed"))
    try:
        from devshim import modelfile

        found = modelfile.declared(asked["models"], [], in_process=True)
        _channel.meet(ownprocess.shim_entry())
        hooks.install(alone, found.hooks if found is not None else [])
    except BaseException as error:
        from devshim.cli import explain

        alone.failures.append(str(error))
        explain(error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}({error})"))
    gc.freeze()
