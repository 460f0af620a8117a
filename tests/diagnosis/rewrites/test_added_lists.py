"""Lists of arrays that are added."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, Y = jnp.array([1.2, 3.4, 2.2, 5.0, 3.4]), jnp.array([2.2, 0.4, 1.1, 3.4])

USES = {
    "counted": "counts = collections.Counter({})\n    return sum(c**3 - c for c in counts.values() if c > 1)",
    "sorted": "s = sorted({})\n    return s[0], s[len(s) // 2]",
    "the largest": "s = {}\n    return max(s) - min(s)",
}


@pytest.mark.parametrize("listed", ["x.tolist() + y.tolist()", "x.tolist() + y.tolist() + x.tolist()"], ids=["two", "three"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_lists_that_are_added_are_those_of_one_array(use, listed):
    source = f"import collections\n\ndef f(x, y):\n    {use.format(listed)}\n"
    check(source, (X, Y), (Y, X), (X[:1], Y[:1]), (X * 0, Y))


def test_rows_and_other_numbers_are_no_such_lists():
    # rows are lists in a list; an int stays one beside floats
    source = "def f(x, y):\n    s = x.tolist() + y.tolist()\n    return max(s)\n"
    assert "list" in offered(source, X, Y)
    assert "list" not in offered(source, X, jnp.array([1, 2]))
    assert "list" not in offered(source.replace("max(s)", "s[0]"), X[:, None], Y[:, None])
