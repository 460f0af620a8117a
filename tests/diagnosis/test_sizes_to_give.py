"""Sizes that a call leaves out and the function works out of its data: given and static, the call traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.display.advice import advice
from jupyter_jitmagic.display.text import to_text


def one_hot(y, classes=None):
    if classes is None:
        classes = int(y.max()) + 1
    return jax.nn.one_hot(y, classes)


def adjacency(edges, n=None):
    n = edges.max() + 1 if n is None else n
    return jnp.zeros((n, n)).at[edges[:, 0], edges[:, 1]].set(1.0)


def first_words(tokens, lengths, *, longest=None):
    longest = longest or int(max(lengths))
    return tokens[:, :longest]


def one_hot_of_another_name(y, classes=None):
    columns = jnp.max(y) + 1 if classes is None else classes
    return jnp.zeros((y.size, columns)).at[jnp.arange(y.size), y].set(1.0)


def one_hot_by_a_word(y, classes="auto", dtype="float32"):
    if classes == "auto":
        columns = jnp.max(y + 1)
    else:
        columns = classes
    return jax.nn.one_hot(y, columns, dtype=dtype)


@pytest.mark.parametrize(
    ("function", "arguments", "sizes"),
    [
        (one_hot_of_another_name, (jnp.array([0, 2, 1]),), {"classes": 3}),
        (one_hot_by_a_word, (jnp.array([0, 2, 1]),), {"classes": 3}),
        (one_hot, (jnp.array([0, 2, 1]),), {"classes": 3}),
        (adjacency, (jnp.array([[0, 1], [1, 3]]),), {"n": 4}),
        (first_words, (jnp.arange(12).reshape(3, 4), jnp.array([1, 3, 2])), {"longest": 3}),
    ],
)
def test_a_size_that_the_caller_may_give_is_named_with_its_value(function, arguments, sizes):
    found = jm.diagnose(function, *arguments)
    assert dict(found.sizes_to_give) == sizes and not found.rewrites
    traced = jax.jit(function, static_argnames=tuple(sizes))(*arguments, **sizes)
    np.testing.assert_array_equal(traced, function(*arguments))
    text = " ".join(to_text(advice(found)).split())
    (name, value), *_ = sizes.items()
    assert "Give the size · traced" in text and f"(…, {name}={value})" in text and f'static_argnames="{name}"' in text
    assert "Leave jit off" not in text


def test_a_size_that_does_not_make_it_trace_is_not_named():
    def largest(x, k=None):
        if k is None:
            k = int(x.max())
        return x[x > k].tolist()

    assert jm.diagnose(largest, jnp.arange(4.0)).sizes_to_give == ()


def test_a_size_that_differs_from_place_to_place_is_not_named():
    def split(x, n=None):
        n = int(x[0]) if n is None else n
        first = x[:n]
        n = int(x[1])
        return first, x[:n]

    assert jm.diagnose(split, jnp.array([1, 2, 3])).sizes_to_give == ()


def test_where_a_rewrite_serves_every_call_no_size_is_asked_for():
    def scaled(x, k=None):
        if k is None:
            k = int(x.max())
        return x * k

    found = jm.diagnose(scaled, jnp.arange(4))
    assert found.rewrites and found.sizes_to_give == ()
