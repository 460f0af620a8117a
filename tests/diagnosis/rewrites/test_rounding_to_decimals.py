"""Python's floats that are rounded to decimals have 64 bits, a compiled program's 32."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import define


@pytest.mark.parametrize(("call", "told"), [("round(float(x.sum()), 1)", True), ("float(x.sum())", False)])
def test_rounding_to_decimals_is_told_of_whatever_the_data(call, told):
    """9.85 became 9.8 for 9.9, verified: the call's own data was NaN."""
    source = f"def f(x):\n    number = {call}\n    return x * number\n"
    found = jm.diagnose(define(source)["f"], jnp.array([jnp.nan, 1.0]))
    assert found.verified
    assert any("64 bits" in each for each in found.rewrites[0].compared.differences) == told
