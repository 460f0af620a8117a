"""Slices with traced bounds that are put together to a whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define, offered

X = jnp.array([3.0, 1.0, 4.0, 1.5, 9.0])
M = jnp.arange(10.0).reshape(5, 2)


def _calls(array, *numbers):
    return [(array, jnp.array(number)) for number in numbers]


@pytest.mark.parametrize(
    ("body", "calls", "text"),
    [
        ("jnp.concatenate([jnp.zeros(k), x[: len(x) - k]])", _calls(X, 1, 0, 5), "jnp.roll(x, k, axis=0)"),
        ("jnp.concatenate([jnp.full((k, 2), jnp.nan), x[:-k]])", _calls(M, 1, 4), "[:, None] < k"),
        ("jnp.hstack([x[k:], jnp.full(k, x[-1])])", _calls(X, 2, 0, 5), "jnp.roll(x, -k, axis=0)"),
        ("jnp.pad(x[:-k], (k, 0)) * x", _calls(X, 2, 4), "jnp.roll(x, k, axis=0)"),
        ("jnp.concatenate([jnp.zeros_like(x[:k]), x[k:]])", _calls(X, 1, 0, 5, 9), "jnp.zeros_like(x), x)"),
        ("jnp.concatenate([jnp.zeros(k), jnp.ones(len(x) - k)]) * x", _calls(X, 1, 0, 5), "jnp.ones(len(x))"),
        ("jnp.concatenate([x[:k], x[k : k + 2][::-1], x[k + 2 :]])", _calls(X, 1, 0, 3, 4, 9), "x[::-1]"),
        ("jnp.concatenate([jnp.flip(x[:k], axis=0), x[k:]])", _calls(M, 2, 0, 5, 9), "jnp.roll(x[::-1], "),
        ("jnp.concatenate([jnp.flip(x[:k], 0), x[k:]])", _calls(M, 2, 0, 5, 9), "jnp.roll(x[::-1], "),
        ("jnp.concatenate([x[:k], jnp.flip(x[k : k + 2]), x[k + 2 :]])", _calls(X, 1, 0, 3, 4, 9), "x[::-1]"),
        ("jnp.concatenate([jnp.full(k, -jnp.inf), x[: len(x) - k] + 2.0])", _calls(X, 1, 0, 5), "jnp.roll(x + 2.0, k, axis=0)"),
        (
            "jnp.concatenate([jnp.zeros(k), x[: len(x) - k] * {0: 2.0}[0]])",
            _calls(X, 1, 5),
            "jnp.roll(x * {0: 2.0}[0], k, axis=0)",
        ),
        ("jnp.concatenate([-x[k:], jnp.zeros(k)])", _calls(X, 2, 0, 5), "jnp.roll(-x, -k, axis=0)"),
        ("jnp.concatenate([jnp.zeros((k, 2)), 3 * x[:-k]])", _calls(M, 1, 4), "jnp.roll(3 * x, k, axis=0)"),
        ("jnp.concatenate([jnp.ones(k, int), x[:k], x[2 * k :]])", _calls(X, 1, 2, 0), "jnp.roll(x, k, axis=0)"),
    ],
)
def test_pieces_that_make_a_whole_are_moved_to_their_places(body, calls, text):
    assert text in check(f"def f(x, k):\n    return {body}\n", *calls).rewrites[0].source


def test_all_axes_that_are_turned_round_are_no_first_one():
    """`jnp.flip(x[:k])` of rows turns the columns, too: no draft was to be refused for it."""
    source = "def f(x, k):\n    return jnp.concatenate([jnp.flip(x[:k]), x[k:]])\n"
    found = propose(define(source)["f"], (M, jnp.array(2)), {})
    assert not any("rejected" in each for each in found.obstacles)


@pytest.mark.parametrize("pieces", ["x[k:], x[:k]", "x[-k:], x[:-k]"])
def test_a_rotation_is_one_whose_bounds_python_limits(pieces):
    found = check(f"def f(x, k):\n    return jnp.concatenate([{pieces}])\n", *_calls(X, 1, 0, 4, 5, 7, -2, -9))
    assert "where" not in found.rewrites[0].source


def test_each_piece_may_be_of_another_array():
    source = "def f(a, b, k):\n    return jnp.concatenate([a[:k], b[k:]]), jnp.append(b[:k], a[k:])\n"
    numbers = jnp.arange(5)
    assert check(source, *((X, numbers, jnp.array(k)) for k in (2, 0, 5, 8))).rewrites[0].verified


def test_pieces_in_another_order_begin_where_python_limits_them():
    source = "def f(x, i, j):\n    return jnp.concatenate([x[:i], x[j:], x[i:j]])\n"
    places = [(1, 3), (0, 5), (2, 9), (2, 2)]
    assert check(source, *((X, jnp.array(i), jnp.array(j)) for i, j in places)).rewrites[0].verified


T = jnp.array([[5, 6, 7, 0, 0], [8, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
LENGTHS = jnp.array([3, 0, 5])


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("jnp.concatenate([jnp.full(gap, -1, row.dtype), row[:n]])", "jnp.roll(row, gap, axis=0)"),
        ("jnp.concatenate([jnp.zeros(gap, int), jnp.arange(n)])", "jnp.arange(len(row)) - gap"),
        ("jnp.pad(row[:n], (gap, 0), constant_values=-1)", "< gap, -1, "),
        ("jnp.pad(row[:n], (gap, 0), mode='constant')", "< gap, 0, "),
        ("jnp.append(jnp.zeros(gap, bool), jnp.ones(n, bool))", "< gap"),
        ("jnp.concatenate([row[gap:], jnp.zeros(gap, row.dtype)])", "jnp.roll(row, n, axis=0)"),
    ],
)
def test_a_gap_is_as_long_as_what_its_name_stands_for(piece, text):
    source = (
        "def f(rows, lengths):\n"
        "    out = []\n"
        "    for row, n in zip(rows, lengths):\n"
        "        gap = len(row) - n\n"
        f"        out.append({piece})\n"
        "    return jnp.stack(out)\n"
    )
    assert text in check(source, (T, LENGTHS), (T[:1], LENGTHS[1:2])).rewrites[0].source


def test_a_padded_table_is_moved_by_rows():
    source = (
        "def f(track, n):\n    missing = track.shape[0] - n\n"
        "    return jnp.pad(track[:n], ((missing, 0), (0, 0)), constant_values=7.5)\n"
    )
    assert "axis=0" in check(source, *_calls(M, 2, 0, 5)).rewrites[0].source


def test_pieces_may_have_names_of_their_own():
    source = (
        "def f(x, k):\n"
        "    rest = len(x) - k\n"
        "    silence = jnp.zeros(k)\n"
        "    body = x[:rest]\n"
        "    return x + jnp.concatenate([silence, body])\n"
    )
    made = check(source, *_calls(X, 2, 0, 5)).rewrites[0].source
    assert "silence" not in made and "jnp.roll(x, k, axis=0)" in made


def test_a_gap_that_was_told_before_the_length_changed_is_another():
    source = "def f(x, n):\n    gap = len(x) - n\n    n = n - 1\n    return jnp.concatenate([jnp.zeros(gap), x[:n]])[-4:]\n"
    found = propose(define(source)["f"], (X, jnp.array(2)), {})
    assert not any("roll" in each.source for each in (*found.rewrites, *found.unverified))


@pytest.mark.parametrize(
    ("source", "others"),
    [
        ("def f(x, k, width=5):\n    return jnp.concatenate([x[:k], jnp.zeros(width - k)])\n", [7, 3]),
        ("N = 5\n\ndef f(x, k):\n    return jnp.concatenate([x[:k], jnp.zeros(N - k)])\n", []),
        ("def f(x, k, y=jnp.arange(5.0)):\n    return jnp.concatenate([x[:k], jnp.zeros(len(y) - k)])\n", [jnp.arange(7.0)]),
    ],
)
def test_a_number_that_is_as_large_by_chance_is_no_length(source, others):
    """With another width plain Python makes another array, and so does what is written for it."""
    namespace = define(source)
    plain, found = namespace["f"], propose(namespace["f"], (X, jnp.array(2)), {})
    static = ("width",) if "width" in source else ()
    with applied(found, namespace):
        for given in [(), *((other,) for other in others)]:
            want = plain(X, jnp.array(2), *given)
            got = jax.jit(namespace["f"], static_argnames=static)(X, jnp.array(2), *given)
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("bound", ["n = len(x)", "n, = x.shape", "n = x.size"])
def test_a_name_that_is_bound_to_the_length_is_one(bound):
    source = f"def f(x, k):\n    {bound}\n    return jnp.concatenate([x[:k], jnp.zeros(n - k)])\n"
    check(source, *_calls(X, 2, 0, 5), (X[:3], jnp.array(1)))


def test_rows_of_a_table_change_places_as_elements_do():
    check("def f(x, k):\n    return jnp.concatenate([x[k:], x[:k]])\n", *_calls(X, 2), *_calls(M, 1, 4))


@pytest.mark.parametrize(
    "joined", ["jnp.hstack((jnp.arange(i), jnp.arange(i + 1, n)))", "jnp.append(jnp.arange(i), jnp.arange(i + 1, n))"]
)
def test_all_places_but_one_are_counted(joined):
    """What is joined has a name that is read where nothing else is called."""
    source = f"def f(x, i):\n    n = x.shape[0]\n    kept = {joined}\n    return x[kept]\n"
    x = jnp.arange(6.0) ** 2
    first = check(source, (x, jnp.array(2)), (x, jnp.array(0)), (x, jnp.array(5)), (x[:1], jnp.array(0))).rewrites[0]
    assert "jnp.where(jnp.arange(n - 1) < i, jnp.arange(n - 1), jnp.arange(n - 1) + 1)" in first.source


def test_a_table_is_as_long_as_the_code_made_it():
    """Best value at each capacity: the table is shifted by a weight that is data; a weight beyond it is left out before."""
    source = """def f(weights, values, capacity):
    best = jnp.zeros(capacity + 1)
    for w, v in zip(weights, values):
        w = int(w)
        if w > capacity or v <= 0:
            continue
        taken = jnp.concatenate([jnp.full(w, -jnp.inf), best[: capacity + 1 - w] + v])
        best = jnp.maximum(best, taken)
    return best
"""
    w, v = jnp.array([1, 3, 4]), jnp.array([15.0, 20.0, 30.0])
    others = [(w + 5, v, 5), (jnp.array([2, 2, 2, 0]), jnp.array([3.0, 3.0, -1.0, 4.0]), 4), (w[:1], v[:1], 0)]
    assert "jnp.roll" in check(source, (w, v, 5), *others, static=("capacity",)).rewrites[0].source


def test_another_slice_that_is_added_is_no_number():
    """`x[:k] + y[:k]` are two pieces: neither stands for both."""
    source = "def f(x, y, k):\n    return jnp.concatenate([x[:k] + y[:k], jnp.zeros(len(x) - k)])\n"
    assert "where" in offered(source.replace("y[:k]", "2.0"), X, X[::-1], jnp.array(2))
    assert "where" not in offered(source, X, X[::-1], jnp.array(2))


def test_what_does_something_beside_giving_a_number_is_no_such_number():
    """`x[:k] + told()` in two pieces tells twice, the whole array once."""
    source = "def one():\n    return 1.0\n\ndef f(x, k):\n    return jnp.concatenate([x[k:] + ONE, x[:k] + ONE])\n"
    merged = check(source.replace("ONE", "1.0"), *_calls(X, 2, 0, 5)).rewrites[0].source
    called = check(source.replace("ONE", "one()"), *_calls(X, 2, 0, 5)).rewrites[0].source
    assert merged.count("1.0") == 1 and called.count("one()") == 2


def test_pieces_that_are_made_and_as_long_as_data_says_are_no_whole():
    source = "def f(x, k):\n    return jnp.concatenate([jnp.full(k, 2.0), jnp.zeros(k)]).sum() + x[0]\n"
    assert "where" in offered(source.replace("jnp.zeros(k)", "jnp.zeros(len(x) - k)"), X, jnp.array(2))
    assert "where" not in offered(source, X, jnp.array(2))


def test_a_shift_beyond_the_table_that_nothing_leaves_out_is_none():
    """`table[: n - d]` counts from the end where d is larger than n."""
    source = """def f(delays, n):
    table = jnp.zeros(n)
    for d in delays:
        d = int(d)
        LEAVE
        table = jnp.concatenate([jnp.ones(d), table[: n - d] + 1.0])
    return table
"""
    delays = jnp.array([1, 2])
    assert propose(define(source.replace("LEAVE", "if d > n:\n            break"))["f"], (delays, 5), {}, (), ("n",)).rewrites
    assert not propose(define(source.replace("LEAVE", "pass"))["f"], (delays, 5), {}, (), ("n",)).rewrites
