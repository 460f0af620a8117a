"""value_and_grad of a loss that takes the flag and the degree as arguments: grad hands arguments that it does not differentiate on as
they are, so static outer arguments reach the branches."""

import jax
import jax.numpy as jnp


def loss(coef, x, y, degree, log_scale):
    design = jnp.stack([x**k for k in range(degree + 1)], axis=1)
    pred = design @ coef[: degree + 1]
    if log_scale:
        pred = jnp.exp(pred)
    return jnp.mean((pred - y) ** 2)


def fit_step(coef, x, y, degree, log_scale, lr):
    value, g = jax.value_and_grad(loss)(coef, x, y, degree, log_scale)
    return coef - lr * g, value


x = jnp.linspace(0.0, 1.0, 4)

FUNCTION = "fit_step"
CALLS = [
    ((jnp.zeros(3), x, x**2, 2, True, 0.1), {}),
    ((jnp.ones(3), x, x, 1, False, jnp.array(0.1)), {}),
    ((jnp.ones(2), x, x), {"degree": 0, "log_scale": True, "lr": 1}),
]
KIND = "static"
STATIC = [("degree", "log_scale")]
SITES = ["design = jnp.stack([x**k for k in range(degree + 1)], axis=1)", "pred = design @ coef[: degree + 1]", "if log_scale:"]
CATEGORY = "grad body"
