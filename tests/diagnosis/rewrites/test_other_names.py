"""Arrays of NumPy by two names."""

import jax.numpy as jnp
import pytest

from .helpers import check

X = jnp.array([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])
SERVED = {
    "the whole": """
def f(x):
    out = np.array(x)
    other = out
    other[0] = 0.5
    if out.max() > 1:
        out[1:] = 0
    return out
""",
    "a row": """
def f(x):
    table = np.array(x)
    row = table[0]
    row[-1] = 2.0
    if row.sum() > 1:
        table[-1] = row * 2
    return table
""",
    "two rows, of which one is set as a whole": """
def f(x):
    table = np.array(x)
    first = table[0]
    last = table[-1]
    first[0] = 4.0
    if last[0] > 0:
        last[:] = first * 0.5
    return table
""",
    "written below a test on data": """
def f(x):
    marks = np.zeros(x.shape)
    last = x[-1]
    other = marks[-1]
    for i in range(x.shape[1]):
        if last[i] > 0:
            other[i] = 1
        else:
            marks[0, i] = last[i]
    return marks, other.sum()
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_the_first_name_stands_for_the_second(how):
    """Nothing was found."""
    found = check("import numpy as np\n" + SERVED[how], (X,), (-X,), (X * 3,), (jnp.zeros((2, 3)),))
    assert found.rewrites[0].verified


def test_an_element_is_a_number_that_stays_as_it_was():
    source = """
import numpy as np

def f(x):
    out = np.array(x)
    first = out[0]
    out[0] = 5.0
    if out.sum() > 1:
        out[-1] = first
    return out
"""
    check(source, (X[0],), (-X[0],), (X[1],))
