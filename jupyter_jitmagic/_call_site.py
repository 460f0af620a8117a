"""Which line of the user's made a call."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

from jupyter_jitmagic._jax_internals import is_jax_frame

_OURS = str(Path(__file__).parent)


def call_site(depth: int = 1) -> str:
    """The innermost line outside this package, JAX and installed libraries, as "file.py:12"; outside the first two if all are
    libraries; "" if there is none."""
    frame: FrameType | None = sys._getframe(depth)
    library = ""
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_OURS) and not is_jax_frame(filename):
            place = f"{filename}:{frame.f_lineno}"
            if "site-packages" not in filename and not filename.startswith("<frozen"):
                return place
            library = library or place
        frame = frame.f_back
    return library
