"""LAPACK prints nothing for us, and the user's own least squares are as they were."""

from __future__ import annotations

import threading

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call
from jupyter_jitmagic.sandbox.lapack import silent_lapack

TABLE = np.array([[1.0, np.nan], [2.0, 3.0], [0.5, 1.0]])


def fitted(t, x):
    return np.polyval(np.polyfit(t, x, 1), t)


def test_what_lapack_says_of_nan_reaches_no_cell(capfd):
    """NumPy's error is the same; a question asked with NaN and infinities among the inputs says nothing beside its answer."""
    with silent_lapack(), pytest.raises(np.linalg.LinAlgError, match="did not converge in Linear Least Squares"):
        np.linalg.lstsq(TABLE, TABLE[:, 0], rcond=None)
    found = diagnose_call(fitted, (jnp.arange(4.0), jnp.array([1.0, 2.0, 4.0, 3.0])), {})
    assert found.rewrites
    heard = capfd.readouterr()
    assert "DLASCL" not in heard.out + heard.err


def test_other_threads_and_later_calls_ask_lapack_itself():
    solved = []

    def solve():
        solved.append(np.linalg.lstsq(TABLE[1:], TABLE[1:, 0], rcond=None)[0])

    before = np.linalg._umath_linalg.lstsq
    with silent_lapack(), silent_lapack():
        thread = threading.Thread(target=solve)
        thread.start()
        thread.join()
        solve()
    assert np.linalg._umath_linalg.lstsq is before and len(solved) == 2
    np.testing.assert_array_equal(*solved)
