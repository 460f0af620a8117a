"""Sets of the places at which a mask holds."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

TABLE = jnp.array([[0, 3, 0, 1, 0], [0, 0, 0, 2, 0], [5, 1, 0, 0, 0]])

SERVED = {
    "a set that grows": """
def f(c):
    seen, curve = set(), []
    for site in c:
        seen |= set(np.flatnonzero(site >= 1).tolist())
        curve.append(len(seen))
    return jnp.array(curve)
""",
    "both of them": """
def f(c):
    a, b = set(np.flatnonzero(c[0]).tolist()), set(np.flatnonzero(c[-1]).tolist())
    return len(a & b) / max(len(a | b), 1), len(a - b), len(a ^ b)
""",
    "asked for one": """
def f(c):
    low = set(np.where(c.sum(0) < 2)[0].tolist())
    return jnp.array([1.0 if k in low else -1.0 for k in range(3)]), 4 not in low, 7 in low
""",
    "by methods, and whether there are any": """
def f(c):
    a = set(np.nonzero(c[0] > 0)[0].tolist())
    a.update(set(np.flatnonzero(c[1] > 1).tolist()))
    both = a.intersection(set(np.flatnonzero(c[-1]).tolist()))
    if both:
        return len(both)
    return -len(a)
""",
}


SERVED |= {
    "each of them in order": """
def f(c):
    a, b = set(np.flatnonzero(c[0]).tolist()), set(np.flatnonzero(c[-1]).tolist())
    total = 0
    for k in sorted(a & b):
        if c[0, k] > 4:
            continue
        total = 2 * total + c[0, k]
    return total, sum(c[-1, k] for k in a - b), sum(a | b)
""",
    "a loop over a set with a name": """
def f(c):
    a = set(np.flatnonzero(c[0]).tolist())
    for k in a:
        c = c.at[0, k].set(1)
    return c
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_sets_of_places_are_masks(how):
    """Nothing was found: a set holds no tracers."""
    check(SERVED[how], (TABLE,), (TABLE[::-1],), (TABLE * 0,), (TABLE[:2] + 1,))


@pytest.mark.parametrize(
    "end",
    [
        "return jnp.array(sorted(a))",
        "for k in sorted(a):\n        a |= set(np.flatnonzero(c[1]).tolist())\n    return len(a)",
        "for k in sorted(a):\n        a.update(set(np.flatnonzero(c[1]).tolist()))\n    return len(a)",
        "for k in sorted(a):\n        c = c + k\n    return c, k",
        "for k in sorted(a, reverse=True):\n        c = c.at[0, k].set(c[0, 0] + 1)\n    return c",
        "for k in enumerate(a):\n        c = c.at[0, k[1]].set(k[0])\n    return c",
        "a.add(2)\n    return len(a)",
        "b = a\n    b |= set(np.flatnonzero(c[1]).tolist())\n    return len(a)",
    ],
)
def test_sets_of_which_more_is_asked_stay_sets(end):
    assert "mask" not in offered(f"def f(c):\n    a = set(np.flatnonzero(c[0]).tolist())\n    {end}\n", TABLE)


def test_it_is_said_that_a_set_need_not_be_in_order():
    """Of numbers below 8 it happens to be, so that no small input tells."""
    source = "def f(c):\n    total = 0\n    for k in {}:\n        total = 2 * total + c[k]\n    return total\n"
    calls = [(row,) for row in TABLE]
    for over, said in (("sorted(set(np.flatnonzero(c).tolist()))", False), ("(set(np.flatnonzero(c).tolist()))", True)):
        compared = check(source.format(over), *calls).rewrites[0].compared
        assert compared is not None and any("in order" in each for each in compared.differences) is said
