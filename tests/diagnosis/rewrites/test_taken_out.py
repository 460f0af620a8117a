"""An item that data takes out of a list of known length."""

import jax.numpy as jnp
import pytest

from .helpers import check, check_with_gradients, offered

X, Z = jnp.array([3.0, 1.0, 3.5, 2.0, 5.0]), jnp.array([1.0, 7.0, 7.0, 2.0, -1.0])

SERVED = {
    "the largest and the smallest": """
def f(x):
    left = list(x)
    left.remove(max(left))
    left.remove(min(left))
    return sum(left) / len(left)
""",
    "in each round": """
def f(x):
    out = []
    for scale in (1.0, -2.0):
        left = [scale * v for v in x]
        left.remove(max(left))
        out.append(sum(left))
    return jnp.array(out)
""",
    "one that was looked for": """
def f(x):
    left = list(x)
    worst = min(left)
    left.remove(worst)
    return jnp.array(left)
""",
    "at a place": """
def f(x):
    left = [v * 2 for v in x]
    del left[int(x.argmax())]
    return jnp.array(left)
""",
    "at a place, and read": """
def f(x):
    left = list(x)
    top = left.pop(left.index(max(left)))
    return top, jnp.array(left)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_the_list_is_made_anew_without_it(how):
    check(SERVED[how], (X,), (Z,))


def test_what_is_left_has_its_gradient():
    check_with_gradients(SERVED["the largest and the smallest"], (X,), (jnp.array([2.0, 9.0, 4.0]),))


def test_a_dict_that_loses_a_key_is_no_list():
    source = """
def f(x):
    left = {0: x[0], 1: x[1]}
    gone = left.pop(int(x[2]))
    return gone, left
"""
    assert "delete" not in offered(source, jnp.array([3.0, 1.0, 1.0]))


def test_an_item_that_is_not_there_may_be_handled():
    source = """
def f(x, v):
    left = list(x)
    try:
        left.remove(v)
    except ValueError:
        left.pop()
    return jnp.array(left)
"""
    assert "delete" not in offered(source, X, X[1])
