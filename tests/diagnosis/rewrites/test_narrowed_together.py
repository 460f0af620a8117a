"""Arrays that a loop makes shorter by one mask are as long as each other in each round: outliers left out of a fit."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from tests.diagnosis.rewrites.helpers import applied, check, define, propose

X = jnp.arange(8.0)
FIT = """
    for _ in range({rounds}):
        dx = x - x.mean()
        slope = jnp.sum(dx * y) / jnp.sum(dx ** 2)
        rest = y - slope * dx - y.mean()
        keep = jnp.abs(rest) < 2 * rest.std()
{narrowed}
    return slope, len(x)
"""
CALLS = [
    (X, 2 * X + jnp.array([0.1, -0.1, 0.0, 9.0, 0.1, -0.2, 0.1, 0.0])),
    (X, X + jnp.array([0.1, -0.1, 0.05, -0.05, 0.2, -0.2, 0.1, 0.0])),
    (X[:5], jnp.array([1.0, 2.5, 0.5, 40.0, 5.5])),
]
AT_ONCE, IN_TURN = "        x, y = x[keep], y[keep]\n", "        x = x[keep]\n        y = y[keep]\n"
LEFT = "        if keep.all():\n            break\n"


@pytest.mark.parametrize("narrowed", [AT_ONCE, IN_TURN, LEFT + AT_ONCE, LEFT + IN_TURN])
@pytest.mark.parametrize("begun", ["", "    good = jnp.isfinite(y)\n    x, y = x[good], y[good]"])
def test_both_have_one_mask(begun, narrowed):
    found = check(f"def f(x, y):\n{begun}{FIT.format(rounds=3, narrowed=narrowed)}", *CALLS, seconds=20.0)
    assert found.rewrites[0].source.count("jnp.ones(") <= 1


def test_until_nothing_is_left_out_with_weights():
    source = "def f(x, y, w):\n    while True:\n        slope = jnp.sum(w * x * y) / jnp.sum(w * x ** 2)\n"
    source += "        rest = y - slope * x\n"
    source += "        ok = jnp.abs(rest) < 4 * jnp.median(jnp.abs(rest))\n        if ok.sum() == len(x):\n            break\n"
    source += "        x, y, w = x[ok], y[ok], w[ok]\n    return slope, x.size\n"
    x = X + 1
    calls = [(x, 2 * x + jnp.array(e), jnp.ones(8)) for e in ([0.1, -0.1, 0.2, 9.0, 0.1, -0.2, 0.15, 0.3], [0.1, 0.2] * 4)]
    check(source, *calls, seconds=20.0)


@pytest.mark.parametrize(
    "narrowed",
    [
        "        x = x[keep]\n        slope = slope + y.sum()\n        y = y[keep]\n",  # as long as it was
        "        x = x[keep]\n        y = y[y > y.mean() - 3 * y.std()]\n        x, y = x[: len(y)], y[: len(x)]\n",
        "        x = x[keep]\n        x = x[x < 7]\n        y = y[keep][: len(x)]\n",
    ],
)
def test_what_is_made_shorter_otherwise_has_its_own(narrowed):
    """Either no rewrite, or one that is right: what is read between two lines is not shorter yet."""
    source = f"def f(x, y):{FIT.format(rounds=2, narrowed=narrowed)}"
    namespace = define(source)
    found = propose(namespace["f"], CALLS[0], {}, seconds=20.0)
    wanted = [namespace["f"](*args) for args in CALLS[:2]]
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            for args, want in zip(CALLS, wanted, strict=False):
                assert [float(a) for a in namespace["f"](*args)] == pytest.approx([float(b) for b in want], rel=1e-4)
