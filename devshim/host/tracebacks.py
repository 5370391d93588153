"""Tracebacks as authors of models need them: of their own lines, without ours."""

from __future__ import annotations

import os

OURS = tuple(os.path.join(os.path.dirname(os.path.dirname(__file__)), part, "") for part in ("host", "model"))


def model_traceback(exception: BaseException) -> str:
    """The traceback of what a model raised, from the model's first line on; of what we raise about it, the words."""
    import traceback

    frames = exception.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(exception), exception, frames)).rstrip()
