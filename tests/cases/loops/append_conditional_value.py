"""A list grows by one number per round, whose value an if decides: the length is a shape, only the value is data."""

import jax.numpy as jnp


def pnl_with_stop(returns, stop):
    equity, curve = 1.0, []
    stopped = False
    for r in returns:
        if not stopped:
            equity = equity * (1.0 + r)
        if equity < stop:
            stopped = True
        curve.append(equity)
    return jnp.array(curve)


def pnl_with_stop_fixed(returns, stop):
    equity, curve = 1.0, []
    stopped = jnp.array(False)
    for r in returns:
        equity = jnp.where(stopped, equity, equity * (1.0 + r))
        stopped = stopped | (equity < stop)
        curve.append(equity)
    return jnp.stack(curve)


r = jnp.array([0.1, -0.3, 0.2, 0.5])

FUNCTION = "pnl_with_stop"
CALLS = [((r, 0.8), {}), ((r, jnp.array(0.1)), {}), ((r[:1], jnp.array(2.0)), {})]
KIND = "rewrite"
FIXED = "pnl_with_stop_fixed"
SITES = ["if equity < stop:"]
CATEGORY = "append"
