"""`if bandwidth == "auto"` on an array or a number: the comparison with a string is a plain False, tracer or not."""

import jax.numpy as jnp


def kde(points, at, bandwidth=None):
    if bandwidth is None or bandwidth == "auto":
        bandwidth = points.std() * points.shape[0] ** -0.2
    z = (at[:, None] - points[None, :]) / bandwidth
    return jnp.exp(-0.5 * z**2).mean(axis=1) / bandwidth


pts = jnp.array([0.0, 0.4, 1.0, 3.0])

FUNCTION = "kde"
CALLS = [
    ((pts, jnp.array([0.5, 2.0]), 0.3), {}),
    ((pts, jnp.array([0.5])), {}),
    ((pts, jnp.array([0.0])), {"bandwidth": jnp.array(1.0)}),
]
KIND = "traces"
CATEGORY = "sentinel"
