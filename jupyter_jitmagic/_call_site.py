"""Which line of the user's made a call."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from jupyter_jitmagic._jax_internals import is_jax_frame

_OURS = str(Path(__file__).parent)


def is_users(filename: str) -> bool:
    """Whether code of this file is neither ours, nor JAX's, nor of an installed library."""
    return not filename.startswith((_OURS, "<frozen")) and not is_jax_frame(filename) and "site-packages" not in filename


def call_site(depth: int = 1) -> str:
    """The innermost line outside this package, JAX and installed libraries, as "file.py:12"; outside the first two if all are
    libraries; "" if there is none."""
    frame: FrameType | None = sys._getframe(depth)
    library = ""
    while frame is not None:
        filename = frame.f_code.co_filename
        if is_users(filename):
            return f"{filename}:{frame.f_lineno}"
        if not library and not filename.startswith(_OURS) and not is_jax_frame(filename):
            library = f"{filename}:{frame.f_lineno}"
        frame = frame.f_back
    return library
