"""Rules that the user gives JAX for derivatives are rewritten as what calls them is."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose

pytestmark = pytest.mark.usefixtures("unhurried")


@jax.custom_vjp
def clipped(x, most):
    return x


def forwards(x, most):
    return x, most


def backwards(most, g):
    norm = jnp.abs(g).max()
    if norm > most:
        g = g * most / norm
    return g, None


clipped.defvjp(forwards, backwards)


@jax.custom_jvp
def root(x):
    return jnp.sqrt(x)


@root.defjvp
def root_rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    slope = 0.5 / root(x)
    if x < 0.01:
        slope = 5.0
    return root(x), slope * dx


def test_a_branch_in_a_backward_rule_is_cured():
    found = diagnose(lambda w, most: jax.grad(lambda w: (clipped(w, most) ** 2).sum())(w), jnp.arange(3.0), 1.0)
    assert found.verified and [*found.rewrites[0].sources] == ["backwards"]


def test_a_branch_in_a_forward_rule_is_cured():
    found = diagnose(lambda x: jax.jvp(root, (x,), (1.0,)), 0.5)
    assert found.verified and [*found.rewrites[0].sources] == ["root_rule"]
