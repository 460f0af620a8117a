"""NumPy's functions of tracers of ours: what they give, and that an error which arrives in them ends no process."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.call.calls import bind
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.uncompiled import running
from jupyter_jitmagic.sandbox.clock import Deadline


def uncompiled(fun, x):
    return running.run(fun, (x,), {}, Deadline(10.0))


def in_a_shadow_run(fun, x):
    return find_call_sites(bind(fun, (x,), {}), frozenset())


@pytest.mark.parametrize("run", [uncompiled, in_a_shadow_run])
def test_numpy_finds_how_results_are_wrapped_without_code_of_python_s(run, monkeypatch):
    """In JAX's `__getattr__` the end of a limit or an interrupt could arrive, and NumPy's ufuncs do not survive it there."""
    asked, plain = [], jax.core.Tracer.__getattr__
    monkeypatch.setattr(jax.core.Tracer, "__getattr__", lambda tracer, name: asked.append(name) or plain(tracer, name))

    def fun(x):
        return [
            np.log(x),
            np.add(x[0], 1.0),
            np.maximum(np.ones(3), x),
            np.divmod(x, 2.0),
            np.add.reduce(x),
            np.sin(x, out=out),
        ]

    out = np.zeros(3)
    run(fun, jnp.array([1.0, 2.0, 3.0]))
    assert np.allclose(out, np.sin([1.0, 2.0, 3.0])) and "__array_wrap__" not in asked


class Below(np.ndarray):
    """A class of the user's."""


class Quantity:
    __array_priority__ = 3.0

    def __array__(self, dtype=None, copy=None):
        return np.ones(3)

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return "quantity", np.asarray(array)


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])


@pytest.mark.parametrize(
    "fun",
    [
        np.log,
        lambda x: np.sin(x[0]),
        lambda x: np.add(x, np.float32(2)),
        lambda x: np.add(np.ones(3), x),
        lambda x: np.divmod(x[1], 2.0),
        lambda x: np.add(np.ones(3).view(Below), x),
        lambda x: np.add(x, MASKED),
        lambda x: np.add(x, Quantity()),
        lambda x: np.add(x, np.ones(3).view(Below), subok=False),
        lambda x: np.add(x, 1.0, out=np.zeros(3).view(Below)),
        lambda x: np.add.reduce(x),
        lambda x: np.linalg.inv(jnp.diag(x)),
    ],
)
def test_numpy_gives_of_them_what_it_gives_of_arrays_of_jax(fun):
    """Of the same class, too: another operand's class wraps the result."""
    x = jnp.array([1.0, 2.0, 3.0])
    got, plain = uncompiled(fun, x), fun(x)
    assert type(got) is type(plain) and repr(got) == repr(plain)
