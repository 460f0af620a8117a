"""Running the user's function without the user noticing: what it prints and draws at random leaves no trace."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator
from io import StringIO

import numpy as np


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what the function prints and warns; its random state is put back."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with contextlib.redirect_stdout(StringIO()), contextlib.redirect_stderr(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
