"""Data of other libraries among the arguments: what to pass instead is said, and what JAX takes is not spoken of."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import jupyter_jitmagic as jm


def doubled(x: Any) -> Any:
    return x * 2


def priced(table: Any, rate: float) -> Any:
    return jnp.asarray(table["price"].to_numpy()).sum() * rate


FRAME = pd.DataFrame({"price": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (priced, (FRAME, 2.0), 'table is a pandas DataFrame, which jit does not take: pass `table["column"].to_numpy()`'),
        (doubled, ({"a": FRAME},), "x['a'] is a pandas DataFrame"),
        (doubled, (FRAME["price"],), "x is a pandas Series, which jit does not take: pass `x.to_numpy()`"),
        (doubled, (np.ma.array([1, 2]),), "x is a masked array of NumPy's, which jit does not take: pass `x.filled(0)`"),
        (doubled, (scipy.sparse.eye(3, format="csr"),), "`jax.experimental.sparse.BCOO.from_scipy_sparse(x)`"),
    ],
)
def test_what_to_pass_is_said(fun: Any, args: Any, said: str) -> None:
    """A DataFrame was "unknown", as a run with it could not be undone; a Series traces, and the call fails all the same."""
    with pytest.raises((TypeError, ValueError)):
        jax.jit(fun)(*args)
    found = jm.diagnose(jax.jit(fun), *args)
    assert found.kind == "not_staticness" and said in found.reason
    assert "no static argument cures it" in str(found)


@pytest.mark.parametrize("value", [np.ones(3), [1.0, 2.0], np.float32(2)], ids=lambda v: type(v).__name__)
def test_what_jit_takes_is_not_spoken_of(value: Any) -> None:
    """NumPy's arrays and numbers, and lists of numbers."""
    assert jax.jit(doubled)(value) is not None
    assert jm.diagnose(doubled, value).kind == "traces"
