"""A method that calls a staticmethod of its class: the branch is in the helper, the attribute is closed over with self."""

import jax.numpy as jnp


class Limiter:
    def __init__(self, dx):
        self.dx = dx

    @staticmethod
    def minmod(a, b):
        if a * b <= 0:
            return 0.0
        return a if abs(a) < abs(b) else b

    def slope(self, left, mid, right):
        return self.minmod((mid - left) / self.dx, (right - mid) / self.dx)


def slope_fixed(left, mid, right):
    a, b = (mid - left) / 0.5, (right - mid) / 0.5
    return jnp.where(a * b <= 0, 0.0, jnp.where(abs(a) < abs(b), a, b))


def _call(*v):
    return tuple(jnp.array(x) for x in v), {}


FUNCTION = "Limiter(0.5).slope"
CALLS = [_call(1.0, 2.0, 4.0), _call(1.0, 3.0, 2.0), _call(0.0, 2.0, 2.5), _call(1.0, 1.0, 1.0)]
KIND = "rewrite"
FIXED = "slope_fixed"
SITES = ["if a * b <= 0:", "return a if abs(a) < abs(b) else b"]
CATEGORY = "method"
