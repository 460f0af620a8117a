"""Asked for the least squares of NaN, LAPACK prints what it thinks of it, past Python, into the user's cell: runs for us are
refused before, as they are behind."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_ROUTINES = ("lstsq", "lstsq_m", "lstsq_n")  # NumPy 2, and its two of former ones
_module: Any = getattr(np.linalg, "_umath_linalg", None)
"""Where NumPy finds them; where it does not any more, LAPACK prints."""
_lock = threading.Lock()
_plain: dict[str, Callable[..., Any]] = {}
_threads: list[int] = []
"""Those that are in here, once for each time."""


@contextlib.contextmanager
def silent_lapack() -> Iterator[None]:
    """This thread solves no least squares of numbers that are not finite: it gets NumPy's error at once. May be nested; other
    threads are let through."""
    thread = threading.get_ident()
    with _lock:
        if not _threads:
            _plain.update({name: getattr(_module, name) for name in _ROUTINES if hasattr(_module, name)})
            for name, routine in _plain.items():
                setattr(_module, name, _refusing(routine))
        _threads.append(thread)
    try:
        yield
    finally:
        with _lock:
            _threads.remove(thread)
            if not _threads:
                for name, routine in _plain.items():
                    setattr(_module, name, routine)
                _plain.clear()


def _refusing(routine: Callable[..., Any]) -> Callable[..., Any]:
    def solve(table: Any, *others: Any, **options: Any) -> Any:
        if threading.get_ident() in _threads and not np.isfinite(table).all():
            raise np.linalg.LinAlgError("SVD did not converge in Linear Least Squares")
        return routine(table, *others, **options)

    return solve
