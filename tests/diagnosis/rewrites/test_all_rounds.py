"""Loops of few rounds that return from one of them, and whose lists or arrays are longer each round."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

ROMBERG = """
def f(a, b, tol):
    h = b - a
    prev = [0.5 * h * (jnp.cos(a) + jnp.cos(b))]
    for k in range(1, 5):
        h = h / 2
        row = [0.5 * prev[0] + h * jnp.cos(a + h * (2 * jnp.arange(2 ** (k - 1)) + 1)).sum()]
        for j in range(1, k + 1):
            row.append(row[-1] + (row[-1] - prev[j - 1]) / (4**j - 1))
        if abs(row[-1] - prev[-1]) < tol:
            return {value}
        prev = row
    total = prev[-1]
    return {last}
"""


@pytest.mark.parametrize(
    ("value", "last"), [("row[-1], k", "total, 9"), ("row[-1]", "total"), ('{"v": row[-1]}', '{"v": total}')]
)
def test_the_first_round_that_returns_is_chosen(value, last):
    """In the first round, in one of the middle, in none; a split was said."""
    source = ROMBERG.replace("{value}", value).replace("{last}", last)
    a, b = jnp.array(0.0), jnp.array(3.0)
    check(source, (a, b, jnp.array(1e-2)), (a, b, jnp.array(10.0)), (a, b, jnp.array(0.0)), seconds=10.0)


@pytest.mark.parametrize("line", ["print(k)", "if k > 9:\n            raise ValueError(k)"])
def test_rounds_that_would_be_noticed_are_not_run(line):
    """Of a round that plain Python does not come to nothing is to be seen."""
    source = (
        ROMBERG.replace("{value}", "row[-1]")
        .replace("{last}", "total")
        .replace("        prev = row", f"        {line}\n        prev = row")
    )
    fun = define(source)["f"]
    found = propose(fun, (jnp.array(0.0), jnp.array(3.0), jnp.array(1e-2)), {})
    assert not any("are_asked" in text or "asked.append" in text for each in found.rewrites for text in each.sources.values())
