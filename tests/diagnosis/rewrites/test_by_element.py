"""NumPy's functions that call a Python function for each element, or take the items of an iterator."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([1.0, 2.0, 2.5, -1.0, -2.0, 3.0, 0.5])
LEVEL = """
def level(t, a):
    if t < 0:
        return 0.0
    if t < a:
        return t / a
    return 1.0

"""
SERVED = {
    "where it is called": "def f(x, a):\n    return np.vectorize(level)(x, a) * 2\n",
    "by a name": "def f(x, a):\n    each = np.vectorize(lambda t: level(t, a), otypes=[float])\n    return each(x).sum()\n",
    "a kind of number": "def f(x, a):\n    return np.vectorize(lambda t: 3 if t < a else 1, otypes=[int])(x)\n",
    "of the module": "@np.vectorize\ndef by(t, a):\n    return t if t < a else a\n\ndef f(x, a):\n    return by(x, a).sum()\n",
    "an iterator": "def f(x, a):\n    return np.fromiter((level(t, a) for t in x), float)\n",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_is_called_for_each_element(how):
    """It is jnp's own, and the function's branches are cured as anywhere; nothing was found for any of these."""
    check(LEVEL + SERVED[how], (X, jnp.array(1.5)), (-X, jnp.array(1.5)), (X[:1], jnp.array(0.3)))


def test_one_that_was_made_in_the_module_is_made_again_with_its_options():
    """The user's own keeps the function that it was made of."""
    source = (
        "def each(t, by):\n    return t if t < by else by\n\nby_each = np.vectorize(each, otypes=[float], excluded={1})\n\n"
    )
    found = check(source + "def f(x, a):\n    return by_each(x, a) + 1\n", (X, jnp.array(1.5)), (-X, jnp.array(0.5)))
    assert "by_each.pyfunc" in str(found.rewrites[0].sources)
