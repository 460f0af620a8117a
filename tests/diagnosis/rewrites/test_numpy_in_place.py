"""Arrays of NumPy that a function changes in place: its own, and its caller's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm

from .helpers import applied, check, define

SMOOTH = """
def f(u, n):
    for _ in range(n):
        for i in range(1, len(u) - 1):
            if u[i] > u[i - 1]:
                u[i] = 0.5 * (u[i - 1] + u[i + 1])
    {end}
"""


def test_an_array_of_the_callers_that_comes_back_is_compared_on_copies():
    """The caller's own is not changed by the comparison, and the difference is said."""
    u = np.array([1.0, 3.0, 2.0, 5.0])
    before = u.copy()
    found = jm.diagnose(define(SMOOTH.format(end="return u"))["f"], u, 2)
    assert found.verified and "the compiled function does not" in " ".join(found.rewrites[0].compared.differences)
    assert np.array_equal(u, before)


def test_where_nothing_comes_back_no_rewrite_is_shown():
    """Compiled, it would do nothing at all."""
    found = jm.diagnose(define(SMOOTH.format(end="pass"))["f"], np.array([1.0, 3.0, 2.0, 5.0]), 2)
    assert not found.rewrites and not found.unverified
    assert "let it return the array" in found.reason


def test_what_is_made_of_a_buffer_is_an_array_of_jax_already():
    source = """
def f(labels, weights):
    sums = np.zeros(3)
    for k in range(len(labels)):
        sums[labels[k]] += weights[k]
    sums = sums / np.maximum(sums.sum(), 1e-6)
    return sums
"""
    labels, weights = np.array([0, 2, 0]), np.array([0.5, 1.0, 2.0], np.float32)
    first = check(source, (labels, weights), (labels[::-1], weights * 2)).rewrites[0]
    assert "jnp.array(" not in first.source


@pytest.mark.parametrize("condition", ["if v[i] > limit:\n            ", ""], ids=["where it is large", "always"])
def test_a_list_of_whole_numbers_to_which_floats_are_added_is_an_array_of_floats(condition):
    """`[0] * 3` is of ints until something else is put there; an array of ints would cut the fractions off."""
    source = (
        "def f(v, limit, ids):\n    tally = [0] * 3\n    for i in range(v.shape[0]):\n"
        f"        {condition}tally[int(ids[i])] += v[i]\n    return jnp.array(tally)\n"
    )
    values, ids = jnp.array([3.0, -0.3, 0.25, 0.25]), jnp.array([2, 2, 0, 1])
    found = check(source, (values, -3.0, ids), (values, 0.0, ids), (-values, -3.0, ids[::-1]))
    assert (
        "jnp.array([0] * 3, jnp.result_type(jnp.int_, v.dtype))" in found.rewrites[0].source
    )  # ints stay ints in another call


def test_a_list_of_whole_numbers_that_counts_stays_one_of_ints():
    source = (
        "def f(v, limit, ids):\n    tally = [0] * 3\n    for i in range(v.shape[0]):\n"
        "        if v[i] > limit:\n            tally[int(ids[i])] += 1\n    return jnp.array(tally)\n"
    )
    values, ids = jnp.array([3.0, -0.3, 0.25, 0.25]), jnp.array([2, 2, 0, 1])
    assert "float" not in check(source, (values, -3.0, ids), (values, 0.0, ids)).rewrites[0].source


def test_what_the_rules_ask_of_plain_python_changes_no_array_of_the_callers():
    """Facts about expressions come from runs, which got the caller's own array: it was changed, and the rewrite refused."""
    source = (
        "def f(s, a, reward, Q):\n    best = Q[s].max()\n    if reward > 0:\n"
        "        Q[s, a] += 0.5 * (reward + best - Q[s, a])\n    return best, Q\n"
    )
    table = np.zeros((3, 2), np.float32)
    found = jm.diagnose(define(source)["f"], 1, 0, 1.0, table)
    assert found.verified and not table.any()


@pytest.mark.parametrize(
    "change", ["x[0] = 0.0\n    x = x + 1", "x *= 2", "y = x\n    y += 1", "np.clip(x, 0, 1, out=x)", "empty(x)"]
)
def test_an_array_that_is_written_to_by_whatever_name_is_said_to_stay(change):
    """A name that the function binds as well was taken for its own, and the caller's array for untouched."""
    source = f"""
import numpy as np
def empty(a):
    a[:] = 0
def f(x, t):
    {change}
    return jnp.where(x > 0, t, 0.0) if x.sum() > t else x
"""
    found = jm.diagnose(define(source)["f"], np.array([1.0, 2.0, 3.0]), 5.0)
    for rewrite in (*found.rewrites, *found.splits):
        told = rewrite.compared.differences if rewrite.compared is not None else (rewrite.reason,)
        assert any("place" in each or "arrays stay" in each for each in told)


@pytest.mark.parametrize("m", [np.array([[5, 0, 1], [2, 4, 0], [7, 7, 7]], np.int32), np.zeros((3, 3), np.int32)])
def test_elements_picked_in_a_part_of_an_array_are_set_in_the_array_itself(m):
    """`x[1:][mask]` are elements of x: NumPy's slices are parts of it."""
    source = """
def f(grid):
    while np.max(grid) >= 4:
        high = grid >= 4
        grid[high] -= 4
        grid[1:][high[:-1]] += 1
        grid[:, :-1][high[:, 1:]] += 1
        grid[0][1:] += 0
    return grid
"""
    other = np.array([[9, 1, 0], [0, 8, 3], [0, 4, 4]], np.int32)
    found = check(source, (m,), (other,), (other.T.copy(),))
    assert "while_loop" in found.rewrites[0].patterns


def test_elements_picked_of_a_copy_are_no_elements_of_the_array():
    """`x[[0, 1]]` is a new array: setting its items does nothing to x."""
    source = "def f(x, y):\n    out = np.zeros(3)\n    out[[0, 1]][1:] = y[0]\n    out[2] = y[1]\n    return out + x\n"
    found = jm.diagnose(define(source)["f"], jnp.arange(3.0), jnp.array([5.0, 7.0]))
    assert not found.rewrites


def test_what_a_call_gives_is_taken_apart_before_it_is_put_into_two_arrays():
    source = """
def f(x, w):
    low, high = np.zeros(3), np.zeros((3, 2))
    for k in range(3):
        low[k], high[k, 0] = np.sort(x * w[k])[:2]
        k_max, low[0] = x[k] + low[k], low[0] + x[0]
        high[k][1] = k_max
    return low, high
"""
    x = jnp.array([2.0, -1.0, 0.5])
    check(source, (x, x[::-1]), (-x, x), (x * 0, x))


def test_a_place_that_is_set_behind_the_element_is_read_before():
    """`x[i], i = …` sets the element at the old i."""
    source = "def f(x, i):\n    out = np.zeros(3)\n    out[i], i = divmod(x[0], 2)\n    return out, i\n"
    found = jm.diagnose(define(source)["f"], jnp.array([5.0]), jnp.array(1))
    for each in found.rewrites:
        assert "i = divmod" not in each.source


CLIPPED = """
def f(starts, values, lows):
    out = jnp.zeros(lows.shape)
    for i in range(len(lows)):
        mask = starts > lows[i]
        if not jnp.any(mask):
            continue
        s = starts[mask]
        s[s < 2.0] = 2.0
        out[i] = jnp.sum(s * values[mask])
    return out
"""


def test_what_a_mask_chose_is_a_copy_whose_elements_are_set_in_a_branch():
    """The array itself is read in the next round, and the caller's stays as it is in NumPy, too."""
    starts, values = jnp.array([0.0, 1.0, 2.0, 3.5]), jnp.array([1.0, 2.0, 3.5, 5.0])
    namespace = define(CLIPPED)
    (rewrite, *_) = jm.diagnose(namespace["f"], starts, values, jnp.array([0.0, 0.5, 9.0])).rewrites
    assert rewrite.verified and not any("in place" in each or "caller" in each for each in rewrite.compared.differences)
    exec(rewrite.source, namespace)
    for lows in ([-1.0, 2.5, 0.2], [5.0, 5.0, 5.0]):
        want = np.zeros(3, np.float32)
        for i, low in enumerate(lows):
            s = np.array(starts)[starts > low]
            s[s < 2.0] = 2.0
            want[i] = np.sum(s * np.array(values)[starts > low])
        assert np.allclose(jax.jit(namespace["f"])(starts, values, jnp.array(lows)), want)


def test_two_elements_set_to_one_value_are_set_one_after_another():
    source = """
def f(places, x):
    n = len(places)
    m = jnp.zeros((n, n))
    for i in range(n):
        for k in range(i, n):
            if places[i] == places[k]:
                m[i, k] = m[k, i] = 0.5
            else:
                m[i, k] = m[k, i] = (
                    x[i] * m[0, 0]
                    + x[k]
                )
    return m
"""
    namespace = define(source)
    (rewrite, *_) = jm.diagnose(namespace["f"], jnp.array([0, 1, 0, 2]), jnp.array([1.0, 2.0, 3.0, 4.0])).rewrites
    assert rewrite.verified
    exec(rewrite.source, namespace)
    places, x = [2, 1, 1, 1], [0.5, -1.0, 2.0, 0.0]
    want = np.zeros((4, 4), np.float32)
    for i in range(4):
        for k in range(i, 4):
            want[i, k] = want[k, i] = 0.5 if places[i] == places[k] else x[i] * want[0, 0] + x[k]
    assert np.allclose(jax.jit(namespace["f"])(jnp.array(places), jnp.array(x)), want)


def test_what_numpys_functions_change_in_place_is_a_new_array():
    source = """
def f(similarity, cutoff):
    w = similarity.copy()
    np.fill_diagonal(w, 0.0)
    np.putmask(w, w < cutoff, 0)
    np.put(w, 1, 9)
    return w / w.sum()
"""
    given = np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.4], [0.1, 0.4, 1.0]], np.float32)
    first = check(source, (given, 0.3), (given.T * 2, 0.9), (given[:2, :2], 0.0)).rewrites[0]
    assert "w = jnp.fill_diagonal(w, 0.0, inplace=False)" in first.source and "np.put(w, 1, 9, inplace=False)" in first.source
    assert ".astype(w.dtype)" in first.source


def test_putmask_takes_of_many_values_those_at_its_places_over_and_over():
    """Which `jnp.where` alone does not."""
    source = "def f(x, v):\n    a = np.zeros((2, 3))\n    np.putmask(a, a < x, v)\n    return a\n"
    x = jnp.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    found = check(source, (x, jnp.arange(1.0, 4.0)), (x, 7.0), (x, jnp.array([[1.0], [2.0]])), (x, jnp.arange(9.0)))
    assert "jnp.resize(v, a.shape)" in found.rewrites[0].source


TABLE = """
def f(weights, values, capacity=6):
    n = len(weights)
    table = [[0] * (capacity + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        w, v = weights[i - 1], values[i - 1]
        for c in range(capacity + 1):
            table[i][c] = table[i - 1][c]
            if w <= c and table[i - 1][c - w] + v > table[i][c]:
                table[i][c] = table[i - 1][c - w] + v
    return table[n][capacity]
"""


@pytest.mark.parametrize("first", ["ints", "floats"])
def test_a_table_of_whole_numbers_holds_what_the_data_is(first):
    """Of ints in the call, the table cut off the fractions of another call's floats, which was said and not mended."""
    weights = jnp.array([2, 3, 4, 5])
    calls = {"ints": (weights, jnp.array([3, 4, 5, 6])), "floats": (weights, jnp.array([3.5, 4.0, 5.25, 9.0]))}
    found = check(TABLE, calls[first], *calls.values(), (weights[:1] * 9, weights[:1]), seconds=10)
    fixed = define(TABLE)
    for args in calls.values():
        with applied(found, fixed):
            got = jax.jit(fixed["f"])(*args)
        assert got.dtype == define(TABLE)["f"](*args).dtype


def test_a_list_of_an_arrays_numbers_takes_floats_where_another_call_has_ints():
    source = """
def f(ratings, games, k=32.0):
    table = list(ratings)
    for a, b in games:
        expected = 1 / (1 + 10 ** ((table[b] - table[a]) / 400))
        table[a] = max(table[a] + k * (1 - expected), 100)
        table[b] = max(table[b] - k * (1 - expected), 100)
    return jnp.array(table)
"""
    games, ratings = jnp.array([[0, 1], [1, 2], [0, 1]]), jnp.array([1500.0, 1600.0, 1400.0])
    found = check(source, (ratings, games), (ratings.astype(int), games), (ratings, games, 16), (ratings - 1450, games))
    assert "jnp.result_type(ratings, float)" in found.rewrites[0].source


def test_a_list_of_an_arrays_numbers_in_another_order_keeps_their_dtype():
    # what is put there comes from the list itself
    source = """
def f(x):
    a = list(x)
    for i in range(len(a) - 1):
        if a[i] > a[i + 1]:
            a[i], a[i + 1] = a[i + 1], a[i]
    return jnp.array(a)
"""
    found = check(source, (jnp.array([3.0, 1.0, 2.0]),), (jnp.array([3, 1, 2]),))
    assert "result_type" not in found.rewrites[0].source


LEDGERS = {
    "set by hand in order": """
def f(values, days):
    steps = jnp.diff(values)
    table = [0] * len(steps)
    for n, d in enumerate(steps):
        place = n
        while place > 0 and table[place - 1] > d:
            table[place] = table[place - 1]
            place -= 1
        table[place] = d
    return jnp.array(table)
""",
    "the same name twice": """
def f(values, days):
    sums = [0] * 2
    for i in range(len(values)):
        if values[i] > 1:
            sums[days[i]] += values[i]
    kept = sums[0] - sums[1]
    sums = [0, 0]
    for i in range(len(values)):
        if values[i] <= 1:
            sums[days[i]] += values[i] * 2
    return kept, sums[0], sums[1]
""",
    "each of an array": """
def f(values, days):
    table = [v for v in values]
    for i in range(len(values) - 1):
        table[days[i]] = max(table[days[i]] + (values[i + 1] - table[i]) / 4, 1)
    return jnp.array(table)
""",
    "pairs that are counted": """
def f(values, days):
    best = [0] * 3
    for i, (v, d) in enumerate(zip(values, days)):
        if v > best[d] and i != 2:
            best[d] = best[d] + v
    return jnp.array(best)
""",
    "one that says that there is none": """
def f(values, days):
    best = [0] * 2
    for i in range(len(values)):
        if values[i] > 4:
            best[days[i]] = -1
        elif best[days[i]] >= 0:
            best[days[i]] += values[i]
    return best[0], best[1]
""",
}


@pytest.mark.parametrize("source", LEDGERS.values(), ids=LEDGERS)
def test_a_list_holds_what_is_put_there_in_calls_of_ints_and_of_floats(source):
    values, days = jnp.array([3, 1, 4, 1, 5]), jnp.array([0, 1, 1, 0, 0])
    found = check(source, (values, days), (values + 0.25, days), (values[::-1] * 0.5, days[::-1]))
    if "values[i + 1] - table[i]" in source:  # what is below 0 wraps around in plain Python alone
        assert any("uint8" in each for each in found.rewrites[0].compared.differences)
    else:
        check(source, (values, days), (values.astype(jnp.uint8), days))
    check(source, (values + 0.25, days), (values, days), (values - 2, days))
