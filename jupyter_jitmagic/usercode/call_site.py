"""Which line of the user's made a call."""

from __future__ import annotations

import sys
from types import FrameType

from jupyter_jitmagic.base.jax_frames import is_jax_frame
from jupyter_jitmagic.usercode.ownership import is_ours, is_users


def user_depth() -> int:
    """The `stacklevel` for ``warnings.warn`` in the function that asks: the innermost frame that is the user's."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and not is_users(frame.f_code.co_filename):
        frame, depth = frame.f_back, depth + 1
    return depth


def call_site(depth: int = 1) -> str:
    """The innermost line outside this package, JAX and installed libraries, as "file.py:12"; outside the first two if all are
    libraries; "" if there is none."""
    frame: FrameType | None = sys._getframe(depth)
    library = ""
    while frame is not None:
        filename = frame.f_code.co_filename
        if is_users(filename):
            return f"{filename}:{frame.f_lineno}"
        if not library and not is_ours(filename) and not is_jax_frame(filename):
            library = f"{filename}:{frame.f_lineno}"
        frame = frame.f_back
    return library
