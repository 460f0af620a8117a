"""Numbers kept between two limits: Python's answer at a limit, for NaN, and its gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof.decimals import LIMITS_IN_DOUBLE

from .helpers import applied, check, define

FORMS = [
    outer.format(inner)
    for outer, inner in (
        (f"{name}({first})", f"{other}({second})")
        for name, other, limit, bound in (("min", "max", "1", "-1.0"), ("max", "min", "-1", "1.0"))
        for first in ("{}, " + limit, limit + ", {}")
        for second in ("x * 2, " + bound, bound + ", x * 2")
    )
]


@pytest.mark.parametrize("form", FORMS)
def test_a_number_kept_between_two_limits_and_its_gradient_are_pythons(form):
    source = f"def f(x):\n    return {form} * 3.0\n"
    numbers = [0.25, 0.5, -0.5, 0.75, -2.0, jnp.nan, jnp.inf]
    proposals = check(source, *((jnp.float32(number),) for number in numbers))
    namespace = define(source)
    wanted = [jax.grad(lambda x: namespace["f"](x) + 0.0 * x)(number) for number in numbers[:5]]
    with applied(proposals, namespace):
        got = [jax.grad(lambda x: namespace["f"](x) + 0.0 * x)(number) for number in numbers[:5]]
    np.testing.assert_array_equal(got, wanted)


def test_whole_numbers_are_clipped():
    found = check(
        "def f(i, x):\n    k = max(0, min(i, 4))\n    return x[k]\n",
        (jnp.array(7), jnp.arange(5.0)),
        (jnp.array(-1), jnp.arange(5.0)),
    )
    assert "jnp.clip(i, 0, 4)" in found.rewrites[0].source


def test_a_gradient_is_pythons_where_a_state_meets_a_limit():
    """An integer of Python's that is returned as the limit counts as the float that it is compiled."""
    source = (
        "def f(x):\n    acc = 0.0\n    for w in x:\n        acc = min(jnp.sin(acc * 0.0 + 0.0) + acc + w, 1)\n    return acc\n"
    )
    proposals = check(source, (jnp.array([0.5, 0.25, 0.75]),))
    namespace = define(source)
    at_limit = jnp.array([1.0, 0.0, 0.0])
    wanted = jax.grad(namespace["f"])(at_limit)
    with applied(proposals, namespace):
        np.testing.assert_array_equal(jax.grad(namespace["f"])(at_limit), wanted)


@pytest.mark.parametrize(("eps", "said"), [("1e-12", True), ("1e-7", True), ("0.125", False)])
def test_limits_that_32_bits_lose_are_told(eps, said):
    source = (
        "def f(y, p):\n    total = 0.0\n    for i in range(y.shape[0]):\n"
        f"        pi = min(max(p[i], {eps}), 1 - {eps})\n"
        "        total = total - (y[i] * math.log(pi) + (1 - y[i]) * math.log(1 - pi))\n    return total / y.shape[0]\n"
    )
    found = check(source, (jnp.array([1.0, 0.0, 1.0]), jnp.array([0.25, 0.25, 0.75])))
    assert (LIMITS_IN_DOUBLE in found.rewrites[0].compared.differences) == said
