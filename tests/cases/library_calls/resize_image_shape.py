"""jax.image.resize: the target shape is made of two arguments, the method is a string. Three static arguments in one call."""

import jax
import jax.numpy as jnp


def thumbnail(image, height, width, method, gamma=1.0):
    small = jax.image.resize(image, (height, width, image.shape[-1]), method=method)
    return jnp.clip(small, 0.0, 1.0) ** gamma


img = jnp.linspace(0.0, 1.0, 4 * 6 * 3).reshape(4, 6, 3)

FUNCTION = "thumbnail"
CALLS = [
    ((img, 2, 3, "bilinear"), {}),
    ((img, 8, 3, "nearest", 0.5), {}),
    ((img[:3],), {"height": 3, "width": 2, "method": "bilinear", "gamma": jnp.array(2.2)}),
]
KIND = "static"
STATIC = [("height", "width", "method")]
SITES = ["small = jax.image.resize(image, (height, width, image.shape[-1]), method=method)"]
CATEGORY = "image"
