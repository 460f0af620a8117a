"""Places among the different values of an array, asked of a list or a dict of them."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, Y = jnp.array([3, 1, 3, 2, 7]), jnp.array([5, 5, 4, -1, 4])

SERVED = {
    "of a list": """
def f(x):
    levels = sorted(set(x.tolist()))
    return jnp.array([levels.index(v) for v in x.tolist()])
""",
    "from the largest": """
def f(x):
    levels = sorted(set(x.tolist()), reverse=True)
    return jnp.array([levels.index(v) + 1 if v >= 0 else 0 for v in x.tolist()])
""",
    "of a dict": """
def f(x):
    rank = {v: i for i, v in enumerate(sorted(set(x.tolist())))}
    return jnp.array([rank[v] for v in x.tolist()])
""",
    "of a dict made of a list": """
def f(x):
    levels = sorted(set(x.tolist()))
    rank = {v: i for i, v in enumerate(levels)}
    return jnp.array([rank[v] for v in x.tolist()]), len(levels)
""",
    "of NumPy's unique values": """
def f(x):
    u = np.unique(x)
    return jnp.array([int(np.where(u == v)[0][0]) for v in x])
""",
    "of those as a list": """
def f(x):
    u = jnp.unique(x).tolist()
    return sum(u.index(v) for v in x.tolist())
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_places_among_different_values_are_looked_for(how):
    check(SERVED[how], (X,), (Y,))


def test_a_list_that_loses_an_item_is_asked_as_it_is():
    """Its places are no longer those among all values."""
    source = """
def f(x):
    levels = sorted(set(x.tolist()))
    levels.remove(3)
    return jnp.array([levels.index(v) for v in x.tolist() if v != 3])
"""
    assert "argmax" not in offered(source, X)


def test_a_table_that_is_changed_keeps_its_items():
    source = """
def f(x):
    rank = {v: i for i, v in enumerate(sorted(set(x.tolist())))}
    rank[3] = 100
    return jnp.array([rank[v] for v in x.tolist()])
"""
    assert "argmax" not in offered(source, X)


def test_a_value_that_is_not_among_them_may_be_handled():
    source = """
def f(x, v):
    levels = sorted(set(x.tolist()))
    try:
        return levels.index(int(v))
    except ValueError:
        return -1
"""
    assert "argmax" not in offered(source, X, X[0])
