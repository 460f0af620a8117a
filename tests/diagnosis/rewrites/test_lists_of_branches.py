"""Lists that a branch makes, and of which it sets items at places that data chooses."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from .helpers import check

QUATERNION = """
import jax.numpy as jnp
def f(R):
    t = jnp.trace(R)
    if t > 0:
        s = 2 * jnp.sqrt(t + 1)
        q = [s / 4, (R[2, 1] - R[1, 2]) / s, (R[0, 2] - R[2, 0]) / s, (R[1, 0] - R[0, 1]) / s]
    else:
        i = int(jnp.argmax(jnp.diagonal(R)))
        j, k = (i + 1) % 3, (i + 2) % 3
        s = 2 * jnp.sqrt(1 + R[i, i] - R[j, j] - R[k, k])
        q = [(R[k, j] - R[j, k]) / s, 0, 0, 0]
        q[1 + i], q[1 + j], q[1 + k] = s / 4, (R[i, j] + R[j, i]) / s, (R[i, k] + R[k, i]) / s
    q = jnp.array(q)
    return q if q[0] >= 0 else -q
"""
TURNS = [(jnp.diag(jnp.array(d)),) for d in ([1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0])]


def test_a_rotation_as_a_quaternion():
    """A list had no items to set where the trace stopped: it was born in a branch."""
    check(QUATERNION, *TURNS, seconds=10.0)


@pytest.mark.parametrize("begin", ["[0, 0, 0]", "[0.0] * 3", "[x[0], 0, 0]"])
def test_items_are_of_the_kind_that_is_put_there(begin):
    """Of whole numbers an array would cut what is put into it."""
    source = f"""
import jax.numpy as jnp
def f(x):
    i = int(jnp.argmax(x))
    if x[i] > 1:
        q = [x.sum(), x[0], x[1]]
    else:
        q = {begin}
        q[i] = x[i]
    return jnp.array(q) * 2
"""
    calls = [(jnp.array(x),) for x in ([1.5, 2.0, 3.0], [0.25, 0.5, 0.75], [-0.5, -0.25, -1.5])]
    check(source, *calls, seconds=8.0)
