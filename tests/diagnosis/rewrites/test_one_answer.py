"""Loops over what Python holds that are left with one answer."""

import jax.numpy as jnp
import numpy as np

from .helpers import check

X = jnp.arange(12.0).reshape(3, 4)


def test_items_of_a_dict_that_have_to_be_alike_are_all_asked():
    source = """
def f(params, limit):
    for name, values in params.items():
        if values.ndim == 0:
            continue
        if jnp.isnan(values).any() or jnp.abs(values).max() > limit:
            return False
    return True
"""
    good = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3), "s": jnp.array(9.0)}
    bad = good | {"b": jnp.array([0.0, jnp.nan, 1.0])}
    first = check(source, (good, 2.0), (bad, 2.0), (good, 0.5), (good | {"w": jnp.full((2, 3), 7.0)}, 2.0)).rewrites[0]
    assert "return jnp.logical_not(found)" in first.source and "lax" not in first.source


def test_a_question_that_python_answers_stays_one_and_the_lists_of_the_loop_are_pythons():
    source = """
def f(offsets, rows):
    done = []
    for offset, row in zip(offsets, rows):
        if offset in done:
            continue
        start = max(0, offset)
        done.append(-offset)
        if start >= len(row):
            return True
        if row[start:].max() > 8:
            return True
    return False
"""
    calls = [((0, 1, -1), X), ((0, 1, -1), X - 4), ((0, 4), X - 4), ((2,), X)]
    first = check(source, *calls, static=("offsets",)).rewrites[0]
    assert "return found" in first.source and "done.append(-offset)" in first.source


def test_where_the_rounds_are_data_or_the_answers_are_several_another_way_is_taken():
    for_data = "def f(x):\n    for v in x:\n        if v < 0:\n            return False\n    return True\n"
    check(for_data, (jnp.arange(3.0),), (jnp.arange(3.0) - 1,))
    several = """
def f(parts, t):
    for k, part in enumerate(parts):
        if part.sum() > t:
            return k
    return -1
"""
    parts = [jnp.ones(2), jnp.ones(3), jnp.ones(4)]
    check(several, (parts, 2.5), (parts, 1.0), (parts, 9.0))


def test_numpys_arrays_are_asked_alike():
    source = (
        "def f(parts):\n    for part in parts:\n        if np.isnan(part).any():\n            return False\n    return True\n"
    )
    parts = (np.ones(2, np.float32), np.ones(3, np.float32))
    check("import numpy as np\n" + source, (parts,), ((parts[0] * np.nan, parts[1]),))
