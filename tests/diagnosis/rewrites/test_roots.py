"""Roots between two ends, which SciPy finds for numbers alone."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define, offered

IMPORTS = "import scipy.optimize as so\nfrom scipy.optimize import brentq, root_scalar\n\n"
IMPORTS += "def value(r, flows):\n    return sum(c / (1 + r) ** i for i, c in enumerate(flows))\n\n"
SERVED = {
    "with arguments": "def f(x):\n    return brentq(value, -0.5, 1.0, args=(x,))\n",
    "of a lambda": "def f(x):\n    r = so.bisect(lambda v: value(v, x), -0.5, 1.0, xtol=1e-7)\n    return x * r\n",
    "its root alone": "def f(x):\n    return root_scalar(lambda v: value(v, x), bracket=[-0.5, x[1] / 30]).root + 1\n",
}
FLOWS = jnp.array([-100.0, 30.0, 50.0, 60.0])


@pytest.mark.parametrize("how", SERVED)
def test_a_root_between_two_ends(how):
    """Halved as often as a float has digits; it is said that jax.grad takes it for a constant."""
    found = check(IMPORTS + SERVED[how], (FLOWS,), (FLOWS.at[0].set(-80.0),), (FLOWS.at[3].set(20.0),))
    assert any("constant by jax.grad" in each for each in found.rewrites[0].compared.differences)


def test_an_end_that_is_data_has_no_part_in_the_gradient():
    """What jax.grad gives through the ends is no derivative of the root; it is said to be a constant, and is one."""
    source = "def f(a):\n    return root_scalar(lambda v: v**3 - a, bracket=[0, a + 1]).root + a\n"
    namespace = define(IMPORTS + source)
    with applied(propose(namespace["f"], (jnp.array(3.0),), {}), namespace):
        assert jax.grad(namespace["f"])(jnp.array(3.0)) == 1.0


@pytest.mark.parametrize(
    "call",
    [
        "brentq(value, -0.5, 1.0, args=(x,), full_output=True)[0]",
        "so.newton(value, 0.1, args=(x,))",
        "so.brentq(value, -0.5, 1.0, x)",
    ],
)
def test_what_asks_for_more_than_the_root_is_no_bisection(call):
    """All that SciPy found out, a start that is no bracket, arguments that may be several."""
    assert "fori_loop" not in offered(f"{IMPORTS}def f(x):\n    return {call}\n", FLOWS)


def test_where_its_error_is_caught_nothing_is_written():
    """Compiled code raises nothing where both ends have the same sign."""
    source = "def f(x):\n    try:\n        return brentq(value, -0.5, 1.0, args=(x,))\n"
    source += "    except ValueError:\n        return jnp.nan\n"
    assert "fori_loop" not in offered(IMPORTS + source, FLOWS)
