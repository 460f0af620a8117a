"""Python's floats that are rounded to decimals have 64 bits, a compiled program's 32."""

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

from .helpers import applied, check, define, offered


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("round(float(x.sum()), 1)", True),
        ("float(f'{x.sum():.1f}')", True),
        ("float('%.1f' % x.sum())", True),
        ("float(format(x.sum(), '.1f'))", True),
        ("float(\n        F'{x.sum():.1f}')", True),
        ("float(x.sum())", False),
    ],
)
def test_rounding_to_decimals_is_told_of_whatever_the_data(call, told):
    """9.85 became 9.8 for 9.9, verified: the call's own data was NaN."""
    source = f"def f(x):\n    number = {call}\n    return x * number\n"
    found = jm.diagnose(define(source)["f"], jnp.array([jnp.nan, 1.0]))
    assert found.verified
    assert any("64 bits" in each for each in found.rewrites[0].compared.differences) == told


@pytest.mark.parametrize(
    ("test", "x"),
    [
        ("v > 1e30 or v == 0.1 or v * 1e300 > 1e305", [0.1, 2.0]),
        ("v * 1e300 > 1e305", [1e6, 2.0]),
        ("math.isclose(float(x.sum()), t, rel_tol=1e-9)", [3.1, 0.0]),
    ],
)
def test_numbers_that_single_precision_cannot_tell_are_said_or_nothing_is_verified(test, x):
    """`float(x[0]) == 0.1` is never true of 32 bits, and 1e300 is infinite there: verified, and other numbers came out."""
    source = f"import math\ndef f(x, t):\n    v = float(x[0])\n    if {test}:\n        return x * 0\n    return x + t\n"
    namespace = define(source)
    found = jm.diagnose(namespace["f"], jnp.array([1.0, 2.0]), 3.0)
    for which, rewrite in enumerate(found.rewrites):
        if not any("64 bits" in each for each in rewrite.compared.differences):
            want = namespace["f"](jnp.array(x), 3.1)
            with applied(found, namespace, which):
                assert np.array_equal(namespace["f"](jnp.array(x), 3.1), want)


@pytest.mark.parametrize("text", ["f'{2 * x:.1f}'", "'%.1f' % (2 * x)", "format(2 * x, '.1f')"])
def test_a_number_that_is_read_back_from_its_digits_is_rounded(text):
    """Of an integer comes a float as well."""
    source = f"def f(x):\n    return float({text}) / 4\n"
    check(source, (jnp.array(1.26),), (jnp.array(-0.31),), (jnp.array(3),))


@pytest.mark.parametrize("text", ["f'{x:.2e}'", "f'{x:.1f}0'", "f'{x:.1%}'.strip('%')", "f'{x:,.2f}'", "f'{x:.30f}'"])
def test_other_digits_are_no_rounding(text):
    assert "round" not in offered(f"def f(x):\n    return float({text}) + x\n", jnp.array(1.26))


def test_the_digits_that_are_read_back_are_those_that_fail():
    """Others that stand in the same branch are another matter."""
    source = """def f(x, k):
    y = float(f'{k:.1f}')
    if f'{x:.1f}' == '0.0':
        y = float(f'{x:.2f}')
    return y * x
"""
    assert "round" not in offered(source, jnp.array(1.26), 3.14, static=("k",))
