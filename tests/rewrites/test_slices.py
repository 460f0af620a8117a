"""Windows with a traced start and a known length."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.arange(12.0)
M = jnp.arange(24.0).reshape(6, 4)


@pytest.mark.parametrize(
    ("body", "array"),
    [
        ("return x[i : i + 3]", X),
        ("return x[i - 1 : i + 2] * 2", X),
        pytest.param("size = 2\n    return x[i * size : (i + 1) * size]", X, marks=pytest.mark.slow),
        pytest.param("w = x.shape[0] // 4\n    return x[i : i + w]", X, marks=pytest.mark.slow),
        pytest.param("return x[:, i : i + 2]", M, marks=pytest.mark.slow),
        pytest.param("return x[i : i + 2, 1:3]", M, marks=pytest.mark.slow),
        pytest.param("return x[i : i + 2, i : i + 2]", M, marks=pytest.mark.slow),
    ],
)
def test_a_window_becomes_a_dynamic_slice(body, array):
    first = check(f"def f(x, i):\n    {body}\n", (array, jnp.array(1)), (array, jnp.array(2))).rewrites[0]
    assert "dynamic_slice" in first.patterns


@pytest.mark.parametrize(
    "body",
    [
        "return x.at[i : i + 3].set(7.0)",
        "return x.at[i : i + 3].add(jnp.ones(3))",
        pytest.param("return x.at[:i].set(0.0)", marks=pytest.mark.slow),
        pytest.param("return x.at[i:].multiply(2.0)", marks=pytest.mark.slow),
    ],
)
def test_an_update_of_a_window(body):
    check(f"def f(x, i):\n    {body}\n", (X, jnp.array(2)), (X, jnp.array(5)))
