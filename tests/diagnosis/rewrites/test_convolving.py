"""Convolutions of what was selected, and reductions of it by a ufunc."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check_with_counts, check_with_gradients, define

X = jnp.array([0.5, -2.0, 3.0, -1.0, 1.5, 4.0, 1.25, -0.5])
CALLS = [(X,), (X[::-1],), (jnp.abs(X) + 2,), (-X,), (jnp.array([-1.0, -1, 3, -1, -1, -1, -1, -1]),)]
"""The last ones with fewer elements than a kernel has."""


@pytest.mark.parametrize("mode", ["", ', mode="same"', ', "valid"', ', mode="full"'])
@pytest.mark.parametrize("kernel", ["jnp.array([1.0, 2.0, -1.0])", "jnp.array([1.0, 2.0, 0.5, 3.0])"])
def test_a_selection_is_convolved(kernel, mode):
    """It was said to need a value of a length that depends on data."""
    source = (
        f"def f(x):\n    s = x[x > 0]\n    y = jnp.convolve(s, {kernel}{mode})\n    return (y ** 2).sum() + y.max() * len(y)\n"
    )
    check_with_gradients(source, *CALLS, seconds=20.0)


def test_so_it_is_by_a_helper_with_the_kernel_in_front():
    source = "def smoothed(v, n=3):\n    return jnp.convolve(jnp.ones(n) / n, v, mode='same')\n\n"
    source += "def f(x):\n    s = x[x > 0]\n    y = smoothed(s)\n    return y.std() + y[0]\n"
    check_with_gradients(source, *CALLS[:4], seconds=20.0)


def test_what_leaves_the_function_comes_with_its_count():
    source = "def f(x):\n    return jnp.convolve(x[x > 0], jnp.array([1.0, 2.0, 0.5]), mode='same')\n"
    check_with_counts(source, *CALLS, seconds=20.0)


def test_a_mode_or_kernel_that_is_not_known_is_left_alone():
    for call in ("jnp.convolve(s, s)", "jnp.convolve(s, jnp.ones(3), precision='highest')"):
        found = propose(define(f"def f(x):\n    s = x[x > 0]\n    return {call}.sum()\n")["f"], (X,), {}, seconds=5.0)
        assert not found.rewrites


@pytest.mark.parametrize("ufunc", ["logaddexp", "add", "multiply", "maximum", "minimum"])
def test_a_ufunc_reduces_a_selection(ufunc):
    source = f"def f(x):\n    s = x[x > 0]\n    return 2 * jnp.{ufunc}.reduce(s * s)\n"
    check_with_gradients(source, *CALLS[:4], seconds=20.0)
