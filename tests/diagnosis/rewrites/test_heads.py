"""Attention over what a cache holds so far: rows that are reshaped into heads, transposed, and multiplied head by head."""

import jax
import jax.numpy as jnp
import pytest

from .helpers import check, offered

Q = jnp.array([1.0, 2.0, -1.0, 0.5])
K = jax.random.normal(jax.random.PRNGKey(0), (5, 4))
V = jnp.cos(3.0 * K)
HEADS = "def heads(x, n=2):\n    return x.reshape(*x.shape[:-1], n, -1)\n\n"
SERVED = {
    "the rest of the shape": """
def f(q, K, V, pos):
    k, v = K[: pos + 1].reshape(-1, 2, 2), V[: pos + 1].reshape(-1, 2, 2)
    s = jnp.einsum("hd,thd->ht", q.reshape(2, 2), k)
    return jnp.einsum("ht,thd->hd", jax.nn.softmax(s, axis=-1), v).reshape(-1)
""",
    "its own length": """
def f(q, K, V, pos):
    k, v = K[: pos + 1].reshape(pos + 1, 2, 2), V[: pos + 1].reshape(pos + 1, 2, 2)
    s = (q.reshape(2, 2) * k).sum(-1)
    w = jnp.exp(s - s.max(0))
    w = w / w.sum(0, keepdims=True)
    return (w[..., None] * v).sum(0)
""",
    "in a helper": """
def f(q, K, V, pos):
    k, v = heads(K[: pos + 1]), heads(V[: pos + 1])
    s = jnp.einsum("hd,thd->ht", heads(q), k) / jnp.sqrt(k.shape[-1])
    return jnp.einsum("ht,thd->hd", jax.nn.softmax(s, axis=-1), v).reshape(-1)
""",
    "head by head": """
def f(q, K, V, pos):
    k = jnp.swapaxes(K[: pos + 1].reshape(-1, 2, 2), 0, 1)
    v = V[: pos + 1].reshape(-1, 2, 2).transpose(1, 0, 2)
    s = k @ q.reshape(2, 2, 1)
    return (jax.nn.softmax(s[..., 0], axis=-1)[:, None] @ v)[:, 0]
""",
    "moved": """
def f(q, K, V, pos):
    k = jnp.moveaxis(K[: pos + 1].reshape(-1, 2, 2), 0, -1)
    return (q.reshape(2, 1, 2) @ k).sum(), k.sum(axis=2), V[:2]
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_rows_become_heads(how):
    """The axis of unknown length stays one, wherever it goes; a split was said for each of these."""
    check(HEADS + SERVED[how], *((Q, K, V, jnp.array(pos)) for pos in (2, 0, 4)), seconds=10.0)


@pytest.mark.parametrize("shape", ["4, -1", "2, -1, 2"])
def test_elements_that_go_to_another_row_are_no_rows(shape):
    """Where the first axis is another one, the mask is not of its rows."""
    source = f"def f(x, n):\n    return x[:n].reshape({shape}).sum(axis=0)[0]\n"
    assert "where" not in offered(source, jnp.arange(24.0).reshape(6, 4), jnp.array(4))
