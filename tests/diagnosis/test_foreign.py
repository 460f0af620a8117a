"""Data of other libraries among the arguments: what to pass instead is said, and what JAX takes is not spoken of."""

from __future__ import annotations

import array
import collections
import io
from types import SimpleNamespace
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


class Measured:
    """As a tensor of another library's."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.values


class Net:
    def __init__(self, w: Any) -> None:
        self.w = w

    def predict(self, x: Any) -> Any:
        return x @ self.w


def shifted(rng: Any, x: Any) -> Any:
    return x + rng.normal()


def distance(p: Any) -> Any:
    return jnp.hypot(p["x"], p["y"])


RECORDS = np.array([(3.0, 4.0)], dtype=[("x", "f4"), ("y", "f4")])


@pytest.mark.filterwarnings("ignore:Python iterable type")
@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (doubled, ((jnp.ones(2) for _ in range(2)),), "x is a generator, which jit does not take: pass `list(x)`"),
        (doubled, (map(abs, [1.0]),), "x is an iterator, which jit does not take: pass `list(x)`"),
        (doubled, (io.StringIO("3.0"),), "x is an open stream, which jit does not take: pass what was read from it"),
        (doubled, (memoryview(b"abc"),), "pass `np.asarray(x)`"),
        (doubled, (array.array("d", [1.0]),), "pass `np.asarray(x)`"),
        (doubled, (bytearray(b"ab"),), "pass `np.frombuffer(x, np.uint8)`"),
        (doubled, (Measured(np.ones(2)),), "x is a Measured with `__array__`, which jit does not take: pass `np.asarray(x)`"),
        (shifted, (np.random.default_rng(0), 1.0), "pass a key (`jax.random.key(seed)`)"),
        (distance, (RECORDS,), "`{name: p[name] for name in p.dtype.names}`"),
        (sum, (np.array([np.ones(2), np.ones(3)], dtype=object),), "pass a list, `list("),
        (doubled, (np.array([None, "a"], dtype=object),), "pass what is computed with as numbers or arrays"),
        (doubled, (collections.Counter("abca"),), "Pass a dict in its place, which jit takes apart"),
        (doubled, (SimpleNamespace(scale=2.0),), "Pass what it holds as arguments of their own"),
    ],
)
def test_what_to_pass_for_odd_objects_is_true(fun: Any, args: Any, said: str) -> None:
    """Not that the function's own check refuses a traced array, nor a conversion that fails."""
    found = jm.diagnose(jax.jit(fun), *args)
    assert found.kind == "not_staticness" and said in found.reason
    assert "own check" not in found.reason


def test_a_dict_of_fields_serves_as_the_records_do() -> None:
    """What is said of an array of records."""
    fields = {name: RECORDS[name] for name in RECORDS.dtype.names}
    assert jax.jit(distance)(fields).tolist() == distance(RECORDS).tolist() == [5.0]


def test_a_key_of_a_dict_that_is_not_used_is_named() -> None:
    """Strings in a batch beside its numbers; where they are used nothing is said of that."""
    batch = {"image": jnp.ones(2), "id": np.array(["a", "b"])}
    unused = jm.diagnose(jax.jit(lambda batch: batch["image"].sum()), batch)
    assert "batch['id'] is a NumPy array of strings" in unused.reason
    assert "does not use it: without that key the call traces." in unused.reason
    used = jm.diagnose(jax.jit(lambda batch: batch["image"].sum() + (batch["id"] == "a").sum()), batch)
    assert "does not use it" not in used.reason


def test_a_lock_is_refused_by_jax_and_not_by_the_function(shell: Any) -> None:
    """The call is not traced again: its error tells."""
    shell.ok("import threading")
    shell.run("def locked(lock, x):\n    with lock:\n        return x\njax.jit(locked)(threading.Lock(), 1.0)")
    said = " ".join(shell.run("%jitfix").text.split())
    assert "lock is a lock, which is not a JAX type: use it outside of locked" in said and "own check" not in said


def test_a_method_of_an_object_with_arrays_is_static_with_its_price() -> None:
    """The arrays are constants of the program; equality by value would be no cure for them."""
    found = jm.diagnose(jax.jit(lambda predict, x: predict(x).sum()), Net(jnp.ones(2)).predict, jnp.ones((3, 2)))
    assert found.static_argnames == ("predict",)
    assert "A Net is compared by identity" in found.reason and "It holds arrays: make Net a pytree" in found.reason
    assert "__eq__" not in found.reason
