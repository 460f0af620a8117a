"""A scan that starts from Python numbers, sums of booleans, a mean of a comparison and integer division: dtypes settle by themselves."""

import jax.numpy as jnp
from jax import lax


def streaks(returns, threshold):
    def body(carry, r):
        run, longest = carry
        run = jnp.where(r > threshold, run + 1, 0)
        return (run, jnp.maximum(run, longest)), run

    (_, longest), runs = lax.scan(body, (0, 0), returns)
    wins = sum(r > threshold for r in returns)
    return longest, runs, wins, (returns > threshold).mean(), wins // 2


FUNCTION = "streaks"
CALLS = [
    ((jnp.array([0.1, 0.2, -0.1, 0.3]), 0.0), {}),
    ((jnp.array([1.0, 1.0]), jnp.array(2.0)), {}),
    ((jnp.arange(3.0),), {"threshold": 1}),
]
KIND = "traces"
CATEGORY = "dtypes"
