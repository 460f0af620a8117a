"""Three options of an ODE step: two flags and a name, each read by its own `if`. All are static, none of the numbers is."""

import jax.numpy as jnp


def field(t, y):
    return jnp.stack([y[1], -jnp.sin(y[0]) - 0.1 * y[1] + 0.2 * jnp.cos(t)])


def step(t, y, h, method, correct, clip_angle):
    k1 = field(t, y)
    if method == 1:
        out = y + h * k1
    elif method == 2:
        out = y + h * field(t + h / 2, y + h / 2 * k1)
    else:
        k2 = field(t + h / 2, y + h / 2 * k1)
        k3 = field(t + h / 2, y + h / 2 * k2)
        out = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + field(t + h, y + h * k3))
    if correct:
        out = y + h / 2 * (k1 + field(t + h, out))
    return out.at[0].set((out[0] + jnp.pi) % (2 * jnp.pi) - jnp.pi) if clip_angle else out


y0 = jnp.array([3.1, 0.5])

FUNCTION = "step"
CALLS = [
    ((0.0, y0, 0.1, 4, True, True), {}),
    ((0.3, y0, 0.2, 1, False, True), {}),
    ((0.0, y0, jnp.array(0.05), 2), {"correct": True, "clip_angle": False}),
]
KIND = "static"
STATIC = [("method", "correct", "clip_angle")]
SITES = ["if method == 1:", "elif method == 2:", "if correct:"]
CATEGORY = "flags"
