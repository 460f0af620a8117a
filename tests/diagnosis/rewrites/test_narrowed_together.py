"""Arrays that a loop makes shorter by one mask are as long as each other in each round: outliers left out of a fit."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from tests.diagnosis.rewrites.helpers import check, offered

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
    assert found.rewrites[0].source.count("& keep") == 1


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
        "        x = x[keep]\n        y = y[y > y.mean() - 2 * y.std()]\n",
        "        x, y = x[keep], y[:-1]\n",
    ],
)
def test_what_is_made_shorter_otherwise_has_its_own(narrowed):
    source = "def f(x, y):\n    total = 0.0\n    for _ in range(2):\n        keep = jnp.abs(x - x.mean()) < 1.2 * x.std()\n"
    source += f"{narrowed}        total += x.sum() - y.mean()\n    return total, len(x), y.max()\n"
    check(source, *CALLS)


def test_what_is_read_between_both_is_not_shorter_yet():
    """With one mask for both `y.sum()` would leave out what is still there."""
    source = "def f(x, y):\n    total = 0.0\n    for _ in range(2):\n        keep = jnp.abs(x - x.mean()) < 1.2 * x.std()\n"
    source += "        x = x[keep]\n{}        y = y[keep]\n    return total, len(x), y.max()\n"
    assert "where" in offered(source.format(""), *CALLS[0])
    assert "where" not in offered(source.format("        total += y.sum()\n"), *CALLS[0])
