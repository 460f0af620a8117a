"""A branch that appends to a list which its loop goes through, and does more."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

V = jnp.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 2.0, 1.0]])
BASIS = """
def f(v, tol=1e-3):
    basis, volume = [], 1.0
    for row in v:
        for b in basis:
            row = row - jnp.dot(b, row) * b
        norm = jnp.sqrt(jnp.sum(row**2))
        if norm > tol:
            {}
    return {}
"""
ENDS = {
    "how many": "len(basis), volume",
    "a sum over them": "volume, sum((jnp.outer(b, b) for b in basis), jnp.zeros((3, 3)))",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_basis_of_rows_that_do_not_depend_on_each_other(end):
    source = BASIS.format("basis.append(row / norm)\n            volume *= norm", end)
    found = check(source, (V,), (V[::-1],), (jnp.zeros((2, 3)),), (V[:1],), (V, 1.5), seconds=10)
    # how many there are an array in the list's place tells as well
    assert ("apart" in found.rewrites[0].patterns) == (end != ENDS["how many"])


@pytest.mark.parametrize(
    "branch",
    [
        "volume *= norm\n            basis.append(row * volume)",  # it appends what the branch has made before
        "basis.append(row / norm)\n            volume *= len(basis)",  # it asks the list
        "basis.append(row / norm)\n            basis = basis[-2:]",
    ],
    ids=["made before", "asks the list", "another list"],
)
def test_what_goes_on_with_the_other_stays_together(branch):
    assert "apart" not in offered(BASIS.format(branch, "len(basis), volume"), V)
