"""SciPy's `interp1d`, made in the function or before it."""

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import HEADER, applied, define

IMPORTS = "from scipy import interpolate\nfrom scipy.interpolate import interp1d, CubicSpline\n"
T = jnp.array([0.0, 1.0, 2.0, 5.0])
R = jnp.array([1.0, 3.0, 2.0, 0.0])
AT = jnp.array([0.5, 1.5, 4.0])


@pytest.mark.parametrize(
    ("made", "beyond"),
    [
        ("interp1d(xs, ys)", None),
        ("interp1d(xs, ys, kind='linear', fill_value='extrapolate')", 7.0),
        ("interpolate.interp1d(xs, ys, bounds_error=False, fill_value=(0.0, 9.0))", 7.0),
        ("interp1d(xs, ys, bounds_error=False)", -1.0),
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_straight_lines_between_points(made, beyond, before):
    """Inside of the points and beyond them the rewrite gives SciPy's numbers, whoever made the interpolation."""
    inside = f"def f(x, xs, ys):\n    g = {made}\n    return jnp.exp(g(x))\n"
    outside = "def f(x, xs, ys):\n    return jnp.exp(g(x))\n"
    header = HEADER + IMPORTS
    if before:
        header += f"xs, ys = np.array([0.0, 1.0, 2.0, 5.0]), np.array([1.0, 3.0, 2.0, 0.0])\ng = {made}\n"
    namespace = define(outside if before else inside, header)
    proposals = propose(namespace["f"], (AT, T, R), {}, seconds=20.0)
    assert "jnp.interp(" in proposals.rewrites[0].source, proposals
    places = [AT, AT[:1]] + ([jnp.array([beyond, 0.5])] if beyond is not None else [])
    wanted = [namespace["f"](x, T, R) for x in places]
    with applied(proposals, namespace):
        for x, want in zip(places, wanted, strict=True):
            np.testing.assert_allclose(namespace["f"](x, T, R), want, rtol=1e-4, atol=1e-5)


def test_an_error_that_is_lost_is_said():
    namespace = define("def f(x, xs, ys):\n    return interp1d(xs, ys)(x) + 1\n", HEADER + IMPORTS)
    rewrite = propose(namespace["f"], (AT, T, R), {}, seconds=20.0).rewrites[0]
    assert any("gives NaN, for which SciPy raises" in each for each in rewrite.compared.differences)


def test_curves_are_left_to_scipy():
    """A cubic interpolation has no straight lines, and of a spline's object the class is named."""
    namespace = define("def f(x, xs, ys):\n    return interp1d(xs, ys, kind='cubic')(x)\n", HEADER + IMPORTS)
    assert not propose(namespace["f"], (AT, T, R), {}).rewrites
    header = HEADER + IMPORTS + "g = CubicSpline([0.0, 1.0, 2.0], [1.0, 2.0, 0.0])\n"
    namespace = define("def f(x):\n    return g(x) + 1\n", header)
    found = propose(namespace["f"], (AT,), {})
    assert not found.rewrites and "CubicSpline" in found.why_not
