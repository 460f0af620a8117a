"""Values of unknown length, followed through statements, helpers and loops to where they are used."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof.arguments import JitCall
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.results import of_lengths_by_data
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, check_with_counts, check_with_gradients, define, offered

X = jnp.array([2.0, -1.0, 5.0, 0.5, 3.0, -4.0])
Y = jnp.array([1.0, 3.0, -2.0, 4.0, 0.0, 6.0])
ROWS = jnp.arange(12.0).reshape(6, 2) - 5
CALLS = [(X,), (-X,), (jnp.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),)]


@pytest.mark.parametrize(
    "body",
    [
        "big = x[x > 0]\nbig = big[big > 1]\nreturn big.mean()",
        "s = jnp.sort(x[x > -2])\nreturn s[0], s[-1], s[len(s) // 2]",
        "return jnp.argmax(x[x > 0]), x[x > 0][1]",
        "n = len(x[x > 0])\nreturn (jnp.linspace(0, 1, n + 2) ** 2).sum()",
        "return jnp.concatenate([x[x > 0], x[x < 0]]).sum()",
        "pos = x[x > 0]\ns = 0.0\nfor i, v in enumerate(pos):\n    s = s + i * v\nreturn s",
        pytest.param(
            "pos = x[x > 0]\nreturn (pos[1:] * pos[:-1]).sum(), jnp.diff(pos).mean(), jnp.ediff1d(pos).max()",
            marks=pytest.mark.slow,
        ),
        pytest.param("pos = x[x > 0]\nd = jnp.abs(pos[:, None] - pos[None, :])\nreturn d.max()", marks=pytest.mark.slow),
        pytest.param("while x.size > 2:\n    x = x[x > x.min()]\nreturn x.sum()", marks=pytest.mark.slow),
        pytest.param("idx = jnp.where(x > 0)\nreturn x[idx].mean(), x.at[idx].set(0.0)", marks=pytest.mark.slow),
        pytest.param("if len(x[x > 0]) > 2:\n    return x.sum()\nreturn -x.sum()", marks=pytest.mark.slow),
        pytest.param("def scale(v):\n    return v / v.max()\nreturn scale(x[x > 0]).mean()", marks=pytest.mark.slow),
    ],
)
def test_what_is_done_with_a_selection(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert check(f"def f(x):\n{lines}", *CALLS).rewrites[0].verified


def test_an_array_that_shrinks_in_every_round_keeps_a_mask():
    source = """
def f(x):
    for _ in range(3):
        mu, sd = x.mean(), x.std()
        x = x[jnp.abs(x - mu) <= 1.2 * sd]
    return x.mean(), len(x)
"""
    assert "kept = kept & (jnp.abs(x - mu) <= 1.2 * sd)" in check(source, (X,), (Y,)).rewrites[0].source


def test_rows_that_are_dropped_are_zero_in_products():
    source = """
def f(X, y):
    ok = ~jnp.isnan(X).any(axis=1)
    X, y = X[ok], y[ok]
    return jnp.linalg.solve(X.T @ X, X.T @ y)
"""
    gone = (ROWS + Y[:, None] ** 2).at[1, 1].set(jnp.nan)
    assert "X.T @ X, X.T @ y" in check(source, (gone, Y), (gone.at[1, 1].set(0.0), Y)).rewrites[0].source


def test_a_helper_that_selects_and_one_that_is_given_a_selection_are_put_in_place_of_their_calls():
    source = """
def positive(v, least=0.0):
    keep = v > least
    return v[keep]

def spread(v):
    c = v - v.mean()
    return jnp.sqrt(jnp.mean(c * c))

def f(x):
    return spread(positive(x))
"""
    assert "inline" in check(source, *CALLS).rewrites[0].patterns


def test_what_is_not_selected_spoils_no_gradient():
    source = """
def f(x, w):
    v = x[~jnp.isnan(x)]
    return ((v - w) ** 2).mean() + jnp.log(v[v > 0] + w).sum()
"""
    x = X.at[1].set(jnp.nan)
    namespace = define(source)
    plain = namespace["f"]
    with applied(check(source, (x, 2.0), (X, 1.0)), namespace):
        for argument in (0, 1):
            got = jax.jit(jax.grad(namespace["f"], argument))(x, 2.0)
            np.testing.assert_allclose(got, jax.grad(plain, argument)(x, 2.0), rtol=1e-5)


def test_extremes_serve_whole_numbers_too():
    rewrite = check("def f(x):\n    return x[x > 1].min(), x[x > 1].max()\n", (X,), (X.astype(int),)).rewrites[0]
    assert ".astype(x.dtype)" in rewrite.source


def test_a_window_past_the_end_is_shorter():
    calls = [(X, jnp.array(1)), (X, jnp.array(5))]
    assert "window" in check("def f(x, i):\n    return x[i : i + 3].mean()\n", *calls).rewrites[0].patterns


def test_a_slice_that_goes_backwards_is_one_that_goes_forwards():
    calls = [(X, jnp.array(4), jnp.array(1)), (X, jnp.array(9), jnp.array(0)), (X, jnp.array(1), jnp.array(3))]
    assert "x[::-1].sum(where=" in check("def f(x, i, j):\n    return x[i:j:-1].sum()\n", *calls).rewrites[0].source
    assert check("def f(x, i, j):\n    return len(x[i::-1])\n", *calls).rewrites[0].verified


@pytest.mark.parametrize(
    "loop",
    [
        "for k in range(1, 4):\n        q += (v[k:] * v[:-k]).sum() / (v**2).sum()",
        pytest.param("for k in (1, 3):\n        q += jnp.abs(v[k:] - v[:-k]).max()", marks=pytest.mark.slow),
        pytest.param(
            "for k in range(1, 3):\n        q += v[k:].sum()\n    for k in [2]:\n        q += v[k:].sum()",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_lies_some_rounds_apart_in_a_selection_is_shifted_by_the_number_of_the_round(loop):
    """Autocorrelations of what is left without missing values."""
    source = f"def f(x):\n    v = x[x > -3]\n    v = v - v.mean()\n    q = 0.0\n    {loop}\n    return q\n"
    found = check(source, (X,), (Y,), (jnp.array([1.0, 2.0, -5.0, 4.0, 8.0]),), (jnp.concatenate([X, Y, -X]),))
    assert found.rewrites[0].verified and "[k:]" in found.rewrites[0].source


@pytest.mark.parametrize(
    "end",
    [
        "return (v[1:] * v[:-1]).sum()",
        pytest.param("return (v[2:] - v[:-2]).std() + jnp.diff(v).mean()", marks=pytest.mark.slow),
        pytest.param(
            "q = 0.0\n    for k in (1, 2):\n        q += (v[k:] * v[:-k]).mean()\n    return q", marks=pytest.mark.slow
        ),
    ],
)
def test_parts_of_what_is_left_without_missing_values_have_plain_pythons_gradient(end):
    """What is missing was multiplied with, and its part in the gradient is 0 times NaN."""
    source = f"def f(x):\n    v = x[~jnp.isnan(x)]\n    {end}\n"
    namespace = define(source)
    gone = X.at[2].set(jnp.nan)
    found, want = propose(namespace["f"], (gone,), {}), jax.grad(namespace["f"])(gone)
    assert found.rewrites[0].verified
    with applied(found, namespace):
        assert jnp.allclose(jax.grad(namespace["f"])(gone), want, rtol=1e-4)


def test_rounds_that_begin_at_nothing_shift_nothing():
    """`x[:-0]` is empty, where `x[0:]` is everything."""
    source = "def f(x):\n    v = x[x > 0]\n    q = 0.0\n    for k in range(0, 2):\n        q += v[:-k].sum()\n    return q\n"
    assert "[k:]" not in check(source, (X,), (Y,)).rewrites[0].source


@pytest.mark.parametrize(
    "body",
    [
        "X = X[ok]\nn, k = X.shape\nreturn X.sum(axis=0) / (n - k)",
        pytest.param("X = X[:, X[0] > t]\nn, k = X.shape\nreturn X.sum() / n * k", marks=pytest.mark.slow),
        pytest.param("v = X[ok, 0]\n(n,) = v.shape\nreturn (v * jnp.arange(n)).sum() / n", marks=pytest.mark.slow),
        pytest.param("X = X[ok]\nn, _ = X.shape\nreturn X.mean(axis=0) if n > 2 else X.sum(axis=0)", marks=pytest.mark.slow),
    ],
)
def test_the_sizes_of_what_was_selected_are_its_count_and_those_of_the_other_axes(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    source = f"def f(X, t):\n    ok = X[:, 0] > t\n{lines}"
    assert check(source, (ROWS, -4.0), (ROWS * 2, -1.0), (ROWS, -9.0)).rewrites[0].verified


def test_the_size_of_rows_or_columns_that_are_chosen_counts_all_their_elements():
    calls = [(ROWS, 1.0), (-ROWS, 1.0)]
    assert check("def f(X, t):\n    part = X[:, X[0] > t]\n    return part.size\n", *calls).rewrites[0].verified
    assert check("def f(X, t):\n    part = X[X[:, 0] > t]\n    return part.sum() / part.size\n", *calls).rewrites[0].verified


def test_the_place_that_a_search_gives_to_nan_is_not_promised():
    source = "def f(x, p, u):\n    n = int((jnp.cumsum(x) < p).sum()) + 1\n    return jnp.searchsorted(jnp.cumsum(x[:n]), u)\n"
    calls = [(jnp.array([0.5, 0.25, 0.125]), p, u) for p, u in ((0.6, 0.7), (0.1, 0.2))]
    compared = check(source, *calls).rewrites[0].compared
    assert any("NaN" in said for said in (*compared.differences, *compared.not_reached))


@pytest.mark.parametrize("chosen", ["X.min(axis=1) < t, X, axis=0", "X[0] > t, X, axis=1"])
def test_rows_or_columns_that_compress_chooses(chosen):
    source = f"def f(X, t):\n    part = jnp.compress({chosen})\n    return part.sum(axis=0).max() if len(part) else part.size\n"
    source = source if "axis=0" in chosen else f"def f(X, t):\n    return jnp.compress({chosen}).mean(axis=1)\n"
    assert check(source.replace(" if len(part) else part.size", ""), (ROWS, 1.0), (-ROWS, 0.0)).rewrites[0].verified


def test_a_selection_within_a_comprehension_is_told_by_its_own_name():
    """From Python 3.12 on that name is gone when the trace has stopped."""
    rewrite = check("def f(X):\n    return jnp.stack([row[row > 0].sum() for row in X])\n", (ROWS,), (-ROWS,)).rewrites[0]
    assert "row.sum(where=(row > 0))" in rewrite.source


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ("left, right = jnp.split(x, [k])\nreturn left.mean() - right.mean()", [(X, jnp.array(2)), (X, jnp.array(4))]),
        ("return x[-k:].mean()", [(X, jnp.array(2)), (X, jnp.array(6))]),
        ("return jnp.delete(x, k).mean()", [(X, jnp.array(2)), (X, jnp.array(0))]),
        ("a, b = x[:k], x[k:]\nreturn a.max() - b.min()", [(X, jnp.array(2)), (X, jnp.array(4))]),
    ],
)
def test_lengths_that_are_arguments(body, calls):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert check(f"def f(x, k):\n{lines}", *calls).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.concatenate([x[:i], jnp.array([9.0]), x[i:]])",
        pytest.param("return jnp.concatenate([x[:i], x[i:j][::-1], x[j:]])", marks=pytest.mark.slow),
        pytest.param("return x.at[i:j].set(x[i:j][::-1])", marks=pytest.mark.slow),
    ],
)
def test_pieces_that_make_an_array_of_known_length(body):
    calls = [(X, jnp.array(2), jnp.array(4)), (X, jnp.array(0), jnp.array(6)), (X, jnp.array(3), jnp.array(3))]
    assert check(f"def f(x, i, j):\n    {body}\n", *calls).rewrites[0].verified


def test_places_counted_from_a_traced_one():
    source = "def f(x, i):\n    return x[jnp.arange(i - 1, i + 2)].sum()\n"
    assert "i - 1 + jnp.arange(3)" in check(source, (X, jnp.array(2)), (X, jnp.array(4))).rewrites[0].source


def test_a_window_that_is_returned_and_may_pass_the_end_is_not_verified():
    proposals = propose(define("def f(x, i):\n    return x[i : i + 3] * 2\n")["f"], (X, jnp.array(2)), {})
    assert not proposals.rewrites and "past the end" in proposals.unverified[0].reason


def test_counts_of_nothing_are_not_put_into_a_logarithm():
    source = (
        "def f(x):\n    _, n = jnp.unique(x, return_counts=True)\n    p = n / x.size\n    return -jnp.sum(p * jnp.log(p))\n"
    )
    calls = [(jnp.array([1, 2, 2, 9]),), (jnp.array([5, 5, 5, 5]),)]
    assert "jnp.log(jnp.where((n > 0), p, 1))" in check(source, *calls).rewrites[0].source


def test_a_filtered_list_that_is_returned_comes_whole_with_its_count():
    x = jnp.array([0.5, 3.0, -1.0, 2.0])
    check_with_counts("def f(x, t):\n    return jnp.array([v * 2 for v in x if v > t])\n", (x, 1.0), (x, 5.0), (x, -2.0))


def test_selections_that_are_returned_together_come_whole_with_their_counts():
    source = "def f(x, y):\n    ok = x > 0\n    {}\n"
    for returned, counts in (("return x[ok], y[ok], x.sum()", [2]), ("return x[ok], y[y > 4]", [2, 1])):
        namespace = define(source.format(returned))
        given = jnp.array([0.5, -3.0, 1.0]), jnp.array([1.0, 2.0, 5.0])
        wanted = namespace["f"](*given)
        found = propose(namespace["f"], given, {})
        assert "whole arrays" in found.unverified[0].reason or counts == [2, 1]
        exec(compile(found.unverified[0].source, "<rewrite>", "exec"), namespace)
        got = jax.jit(namespace["f"])(*given)
        assert [int(count) for count in got[len(wanted) :]] == counts
        for number, (one, want) in enumerate(zip(got, wanted, strict=False)):
            assert one[: len(want)].tolist() == want.tolist() if number < 2 else one == want


def test_a_mask_stays_where_nothing_is_returned_whole():
    assert check("def f(x):\n    return x[x > 0].sum(), x.sum()\n", *CALLS).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "n = len(s)\n    return (jnp.arange(1, n + 1) * s).sum() / n",
        "s = jnp.sort(s)\n    return jnp.sum(jnp.arange(1, len(s) + 1) * s)",
        "return jnp.sum(jnp.arange(0, s.size) * s) + jnp.sum(jnp.arange(1, s.size) * jnp.diff(s))",
    ],
)
def test_numbers_as_many_as_were_selected(body):
    check(f"def f(x):\n    s = x[x > 0]\n    {body}\n", *CALLS)


OF_LABELS = (
    "def f(logits, labels):\n    valid = labels != -100\n    logits = logits[valid]\n    labels = labels[valid]\n"
    "    logp = jax.nn.log_softmax(logits{axis})\n    return -{picked}.mean()\n"
)
LOGITS = jnp.array([[1.0, 0.2], [0.3, 2.0], [0.1, 0.4]])
LABELS = [(LOGITS, jnp.array([0, -100, 1])), (LOGITS[:2], jnp.array([0, 1])), (LOGITS, jnp.array([1, 0, -100]))]


@pytest.mark.parametrize(
    ("axis", "picked"),
    [
        ("", "logp[jnp.arange(len(labels)), labels]"),
        (", axis=1", "logp[jnp.arange(labels.shape[0]), labels]"),
        (", -1", "jnp.take_along_axis(logp, labels[:, None], axis=1)"),
    ],
)
def test_one_element_of_each_row_that_was_selected(axis, picked):
    check(OF_LABELS.format(axis=axis, picked=picked), *LABELS)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_softmax_over_what_was_selected(name):
    """What was not selected does not weigh, be it NaN, and the gradient is plain Python's."""
    source = f"def f(x):\n    return (jax.nn.{name}(x[x > 0]) ** 2).sum()\n"
    found = check(source, (jnp.array([1.0, -2.0, 3.0]),), (jnp.array([jnp.nan, 2.0, 3.0]),), (jnp.array([0.5, 0.7]),))
    assert "where=kept" in found.rewrites[0].source


def test_what_has_no_value_for_an_empty_array_is_asked_for_none_where_a_mask_of_nothing_is_made():
    source = (
        "def f(x, rate):\n    idx = jnp.where(jnp.diff(jnp.sign(x)) != 0)[0]\n    if idx.size < 2:\n        return 0.0\n"
        "    return 0.5 / (jnp.diff(idx) / rate).mean()\n"
    )
    check(source, (jnp.array([1.0, -1.0, 1.0, 2.0, -1.0]), 2.0), (jnp.array([1.0]), 2.0), (jnp.array([1.0, 2.0]), 2.0))


@pytest.mark.parametrize("at", ["idx", "idx + 0.5", "2.5"])
def test_what_is_missing_is_interpolated_from_the_points_that_are_there(at):
    source = (
        f"def f(x):\n    good = ~jnp.isnan(x)\n    idx = jnp.arange(len(x))\n    return jnp.interp({at}, idx[good], x[good])\n"
    )
    calls = [[1.0, jnp.nan, 3.0, 5.0], [jnp.nan, 2.0, jnp.nan, jnp.nan, 4.0], [1.0, 2.0, jnp.nan], [jnp.nan, 7.0]]
    check(source, *[(jnp.array(each),) for each in calls])


def test_points_of_a_long_series_are_compared_while_they_are_in_order():
    """A search among points that are in no order gives any place, which depends on how many points there are."""
    source = "def f(t, y):\n    ok = ~jnp.isnan(y)\n    return jnp.interp(t, t[ok], y[ok])\n"
    t = jnp.arange(365.0)
    y = jnp.where(t % 9 == 0, jnp.nan, jnp.sin(t))
    found = check(source, (t, y), (t * 2, jnp.where(t % 7 == 3, jnp.nan, y)))
    assert found.rewrites[0].verified
    compared = found.rewrites[0].compared
    assert "points that are not in increasing order" in (*compared.not_reached, *compared.differences)


def test_points_that_were_selected_otherwise_than_their_values_are_left_alone():
    source = "def f(x, y):\n    return jnp.interp(0.5, x[x > 0], y[y > 0])\n"
    assert not propose(define(source)["f"], (jnp.array([1.0, -2.0, 3.0]), jnp.array([1.0, 2.0, -3.0])), {}).rewrites


def test_the_front_of_an_array_out_of_a_helper():
    source = "def front(x, mask):\n    return x[:int(mask.sum())]\n\ndef f(x, mask):\n    return front(x, mask).mean()\n"
    x = jnp.array([1.0, 5.0, 2.0])
    found = check(source, (x, jnp.array([True, False, True])), (x, jnp.array([True, True, True])))
    assert set(found.rewrites[0].sources) == {"f"}  # the helper stays as it is


@pytest.mark.parametrize(
    "body",
    [
        "    for i in range(9):\n        keep = jnp.abs(x - x.mean()) <= 2.0 * x.std()\n        if keep.sum() == x.size:\n"
        "            break\n        x = x[keep]\n    return x.mean(), i\n",
        "    while True:\n        m = x.mean()\n        keep = jnp.abs(x - m) <= 2.0 * x.std()\n        if keep.all():\n"
        "            return m\n        x = x[keep]\n",
        "    for i in range(3):\n        keep = jnp.abs(x - x.mean()) <= 2.0 * x.std()\n        if keep.sum() != x.size:\n"
        "            x = x[keep]\n    return x.mean()\n",
        "    keep = x < 40\n    if x.sum() > 20:\n        x = x[keep]\n    return x.max() + x.sum()\n",
    ],
    ids=["break", "return", "in a branch of each round", "in one branch"],
)
def test_a_choice_that_shortens_an_array_or_ends_the_shortening(body):
    """The mask is what rounds go on with, and what the choice is made of."""
    x = jnp.array([1.0, 2, 1, 2, 1, 2, 1, 2, 50])
    check(f"def f(x):\n{body}", (x,), (-x,), (x[::-1] * 3,), (jnp.array([3.0, 4, 5, 100, 5, 4, 4, 3, -70]),))


def test_arrays_that_an_option_makes_shorter_have_one_mask():
    source = (
        "def f(x, w, ignore=None):\n    if ignore is not None:\n        keep = x != ignore\n        x = x[keep]\n"
        "        w = w[keep]\n    return (x * w).sum() / w.sum(), x.mean(), len(w)\n"
    )
    found = check(source, (X, Y, 5.0), (X, Y), (X, Y, 7.0), (Y, X, 0.0))
    assert found.rewrites[0].source.count("jnp.ones(") == 1


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.unique(t[t > 0]).size, jnp.unique(t[t > 0]).sum()",
        "v, c = jnp.unique(t[t > 0], return_counts=True)\np = c / c.sum()\nreturn v[jnp.argmax(c)], -(p * jnp.log(p)).sum()",
    ],
)
def test_distinct_values_of_what_is_selected_from_a_table(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    table = jnp.array([[3, 5, 5], [-8, 2, 3]])
    check(f"def f(t):\n{lines}", (table,), (-table,), (jnp.array([[1], [1], [-1]]),), (jnp.array([4, 4, -4, 2]),))


FURTHER = {
    "deleted by a mask": "    return jnp.delete(x, x > 1).sum()\n",
    "deleted by places": "    at = jnp.where(x > 1)[0]\n    k = jnp.delete(x, at)\n    return (k[1:] - k[:-1]).sum()\n",
    "deleted from a selection": "    k = x[x > 0]\n    k = jnp.delete(k, jnp.where(k > 1)[0])\n    return k.sum(), len(k)\n",
    "deleted by its own mask": "    k = x[x > 0]\n    return jnp.delete(k, (k > 1) & (k < 3)).sum()\n",
    "contracted": "    m = x > 0\n    a, b = x[m], x[::-1][m]\n    return jnp.einsum('i,i->', a, b)\n",
    "integrated": "    return jnp.trapezoid(x[x > 0])\n",
    "its first is set": "    k = x[x > 0]\n    return k.at[0].set(5.0).sum()\n",
    "in one of two": "    return jnp.setxor1d(x, jnp.array([5.0, 0.5, 7.0])).sum()\n",
    "distinct values": "    return jnp.unique_values(x * x).sum()\n",
    "a histogram in a range": "    k = x[x > 0]\n    return jnp.histogram(k, 4), jnp.histogram(k, 3, range=(-1.0, 2.0))[0]\n",
    "a fixed size": "    k = x[x > 0] * 2\n    return jnp.pad(k, (0, len(x) - len(k)))\n",
    "a fixed size filled": "    k = x[x > 0]\n    return jnp.pad(k, (0, 9 - k.size), constant_values=-1.0)\n",
    "a fixed size joined": "    k = x[x > 0]\n    return jnp.concatenate([k, jnp.zeros(len(x) - len(k))])\n",
    "a fixed size joined to": "    k = x[x > 0]\n    return jnp.concatenate((k, jnp.full((9 - k.size,), -1.0)))\n",
    "a line through places": "    k = x[x > 0]\n    return jnp.polyfit(jnp.arange(len(k)) * 1.0, k, 1)\n",
    "columns of rows": (
        "    k = jnp.stack([x, x[::-1] + x**2, x**3], axis=1)[x > 0]\n    return jnp.corrcoef(k, rowvar=False)\n"
    ),
    "what places have to do with values": "    k = x[x > 0]\n    return jnp.corrcoef(jnp.arange(len(k)), k)[0, 1]\n",
    "a histogram": "    k = x[x > 0]\n    return jnp.histogram(k, bins=jnp.array([-2.0, 1.0, 4.0]))[0]\n",
    "its largest": "    return jnp.linalg.norm(x[x < 3], jnp.inf)\n",
    "each with each": "    return jnp.outer(x[x > 0], x[x < 4]).sum()\n",
    "as many are set": "    k = x[x > 0]\n    return jnp.zeros(8).at[:len(k)].add(1.0)\n",
    "its last is added to": "    k = x[x > 0]\n    return k.at[-1].add(2.0).sum()\n",
    "all but the first are set": "    k = x[x > 0]\n    return k.at[1:].multiply(2).sum()\n",
    "all but the last are set": "    k = x[x > 0].at[:-1].add(1.5)\n    return (k * jnp.arange(len(k))).sum()\n",
    "its last ones are set": "    k = x[x > 0]\n    k = k.at[-2:].set(k.mean())\n    return k.std()\n",
    "each other one is set": "    k = x[x > 0]\n    return k.at[::2].set(0).sum(), k.at[1:-1:2].min(0.5).sum()\n",
    "its ends are padded": "    k = jnp.sort(x[x > 0])\n    return jnp.diff(jnp.pad(k, (1, 2), constant_values=1.0)).max()\n",
    "differences from a first number": (
        "    k = x[x > 0]\n    return jnp.diff(k, prepend=0.5).max(), jnp.diff(k, prepend=k[:1]).sum()\n"
    ),
    "differences to a last number": (
        "    k = jnp.nonzero(x > 0)[0]\n    return jnp.diff(k, append=9).sum(), jnp.diff(k, prepend=-1, append=len(x)).max()\n"
    ),
    "beyond its points": "    k = x[x > 0]\n    return jnp.interp(x, jnp.cumsum(k), k, left=-1.0, right=x.min())\n",
    "numbers from 1.0": (
        "    k = x[x > 0]\n    return k @ 0.9 ** -jnp.arange(1.0, len(k) + 1.0), jnp.dot(k, jnp.arange(1, 1 + len(k)))\n"
    ),
    "numbers down to 1": "    k = jnp.sort(x[x > 0])\n    w = jnp.arange(len(k), 0, -1)\n    return (k / w).sum() / w.sum()\n",
    "it begins with nothing": "    k = x[x > 0]\n    return jnp.cumsum(jnp.pad(k, (1, 0)))[:-1].sum(), jnp.pad(k, 1).std()\n",
    "it is rolled": "    k = x[x > 0]\n    return (jnp.roll(k, -1) - k).max(), (jnp.roll(k, 2) * k).sum()\n",
    "it comes twice": "    k = x[x > 0]\n    return jnp.cumsum(jnp.tile(k, 2)).max(), jnp.cumsum(jnp.repeat(k, 2)).sum()\n",
    "places in a column": "    i = jnp.argwhere(x > 0)\n    return x[i.squeeze(-1)].sum() + x[i.reshape(-1)].max()\n",
    "taken along the first axis": "    i = jnp.nonzero(x > 0)[0]\n    return jnp.take(x, i, axis=0).sum()\n",
    "places by a method": "    i = (x > 0).nonzero()[0]\n    return x.take(i).sum() + x[i].max()\n",
    "selected by a method": "    k = x.compress(x > 0)\n    return jnp.sort(k)[-1] + x.repeat((x > 0).astype(int)).mean()\n",
    "members": "    k = x[x > 0]\n    return jnp.isin(x, k).sum(), jnp.isin(x[0], k), jnp.isin(x[None], -k).any(axis=1)\n",
    "members of them": "    k = x[x > 0]\n    return jnp.isin(k, jnp.array([5.0, 0.5])).mean(), jnp.isin(k, x[x < 4]).sum()\n",
    "an axis that goes": "    k = x[x > 0]\n    return jnp.expand_dims(k, 0).squeeze(0).max() + k[:, None].squeeze(1)[0]\n",
    "between its places": "    k = x[x > 0]\n    return jnp.interp(jnp.ones(2) / 3, jnp.linspace(0, 1, k.size), k)\n",
    "the norm of each with each": "    k = x[x > 0]\n    return jnp.linalg.norm(jnp.outer(k, k))\n",
}


@pytest.mark.filterwarnings("ignore:scatter inputs have incompatible types")
def test_what_is_set_makes_no_wider_array():
    """`k.at[-2:].set(0.5)` of integers stays an array of integers."""
    source = "def f(x):\n    k = x[x > 0]\n    k = k.at[-2:].set(0.5)\n    return k.sum()\n"
    found = check(source, (X,), (jnp.array([3, -1, 2, 5]),))
    assert "integers" not in str(found.rewrites[0].compared)


def test_an_axis_that_is_an_option_can_mean_no_other_of_one_axis():
    """`x.mean(axis)` with axis=None, 0 or -1 of what has one axis; rows that were chosen have more, and it may mean another."""
    source = (
        "def f(x, mode, axis=None):\n    x = x[x > 0]\n    if mode == 'mean':\n        return x.mean(axis)\n"
        "    return jnp.median(x, axis) + x.max(axis=axis)\n"
    )
    calls = [(X, mode, axis) for mode in ("mean", "median") for axis in (None, 0, -1)]
    check(source, *calls, static=("mode", "axis"), seconds=20.0)
    rows = define("def f(x, axis=None):\n    return x[x[:, 0] > 0].mean(axis)\n")["f"]
    assert not propose(rows, (jnp.ones((3, 2)), None), {}, (), ("axis",)).rewrites


def test_the_default_of_an_extreme_is_what_it_is_of_nothing():
    """Also of an empty array, and by a key; a default that is no number is left alone."""
    source = "def f(x, t):\n    high = [v for v in x if v > t]\n    return len(high), max(high, default=0.0)\n"
    found = check(source, (X, 0.5), (X, 99.0), (X[:0], 0.5), (jnp.ones(3), 0.5))
    assert "fails on empty" not in str(found.rewrites[0].compared)
    by_key = source.replace("max(high, default=0.0)", "max(high, key=abs, default=0.0)")
    check(by_key, (X, 0.5), (X, 99.0), (X, -9.0), (jnp.ones(3), 0.5))
    namespace = define(source.replace("max(high, default=0.0)", "max(high, default=None)"))
    assert not propose(namespace["f"], (X, 0.5), {}).rewrites


@pytest.mark.parametrize(
    "loop",
    [
        "for i in range(len(k)):\n        s = s * 0.5 + jnp.log(k[i] + 1)",
        "for i in range(1, k.shape[0]):\n        s += (k[i] - k[i - 1]) ** 2 * i",
        "for i in range(k.size - 1):\n        if k[i + 1] > k[i]:\n            s += k[i + 1]",
    ],
)
def test_rounds_that_are_counted_by_a_selection_have_a_gradient(loop):
    """There are as many as places, and those behind the last that counts change nothing."""
    found = check(
        f"def f(x):\n    k = x[x > 0]\n    s = 0.0\n    {loop}\n    return s\n", *CALLS, (-jnp.ones(3),), seconds=20.0
    )
    assert "jax.grad" not in str(found.rewrites[0].compared)
    assert "range(" in found.rewrites[0].source


def test_a_number_that_is_read_behind_its_loop_stays_plain_pythons():
    source = (
        "def f(x):\n    k = x[x > 0]\n    i = 0\n    for i in range(len(k)):\n        x = x + k[i]\n    return i + x.sum()\n"
    )
    check(source, *CALLS, (-jnp.ones(3),), seconds=20.0)


@pytest.mark.parametrize(
    "end", ["k.at[-3::2].set(0).sum()", "k.at[1:].add(x[1:]).sum()", "jnp.tile(k, x[0].astype(int)).sum()"]
)
def test_parts_of_unknown_places_or_lengths_are_left_alone(end):
    """The first of each other one from the end, numbers for places of which nobody knows how many there are."""
    assert not propose(define(f"def f(x):\n    k = x[x > 0]\n    return {end}\n")["f"], (X,), {}).rewrites


@pytest.mark.parametrize("body", FURTHER.values(), ids=FURTHER)
def test_what_else_is_done_with_a_selection(body):
    check(f"def f(x):\n{body}", (X,), (-X,), (X[::-1],))


@pytest.mark.parametrize("name", ["max", "min"])
def test_of_equal_ones_pythons_max_gives_the_first_which_takes_the_gradient(name):
    namespace = define(f"def f(x):\n    return {name}(x[x > 0])\n")
    found = propose(namespace["f"], (jnp.array([1.0, 3.0, -2.0, 3.0, 1.0]),), {})
    with applied(found, namespace):
        for x in (jnp.array([1.0, 3.0, -2.0, 3.0, 1.0]), jnp.array([2.0, -1.0, 2.0, 2.0, 2.0])):
            slope = jax.grad(jax.jit(namespace["f"]))(x)
            assert slope.sum() == 1 and slope[jnp.argmax(slope)] == 1 and int(jnp.argmax(slope)) in (0, 1)


def test_a_divisor_is_filled_with_one_where_nothing_may_be_selected():
    """Were it filled with an element, 0 divided by 0 would take the gradient away where the mask holds nowhere."""
    source = "def f(x, t):\n    y = jnp.zeros(3)\n    return y.at[t > 0].set(jnp.tanh(2 * x[t > 0] / t[t > 0]))\n"
    x, calls = jnp.arange(3.0), [jnp.array([0.0, 1.0, 2.0]), -jnp.ones(3), jnp.zeros(3)]
    namespace = define(source)
    plain = namespace["f"]
    rewrite = check(source, *((x, t) for t in calls)).rewrites[0]
    exec(rewrite.source, namespace)
    for t in calls:
        got, want = (jax.grad(lambda *given, f=f: f(*given).sum(), (0, 1))(x, t) for f in (namespace["f"], plain))
        assert all(map(jnp.allclose, got, want))


def test_attention_over_the_part_of_a_cache_that_is_filled():
    """Softmax over an axis of unknown length that is not the first, of keys that a helper repeats, and values cut alike."""
    source = """
def cut(cache, pos):
    filled = cache.at[:pos, :, :].get()
    return jnp.repeat(filled, 2, axis=1)

def f(q, keys, values, pos):
    k = cut(keys, pos)
    v = cut(values, pos)
    scores = jnp.einsum("hd,shd->hs", q, k) / jnp.sqrt(q.shape[-1])
    w = jax.nn.softmax(scores, axis=-1)
    return jnp.einsum("hs,shd->hd", w, v)
"""
    keys = jnp.sin(jnp.arange(24.0)).reshape(6, 1, 4)
    calls = [(jnp.ones((2, 4)), keys, keys * 2 + 1, jnp.array(pos)) for pos in (3, 5, 6)]
    assert "where=kept" in check(source, *calls).rewrites[0].source


def test_softmax_of_rows_whose_length_is_unknown():
    source = """
def f(x, y, n):
    scores = x @ y[:n].T
    return jax.nn.softmax(scores, axis=1) @ y[:n]
"""
    x, y = jnp.arange(6.0).reshape(3, 2) / 5, jnp.cos(jnp.arange(10.0)).reshape(5, 2)
    check(source, (x, y, jnp.array(3)), (x, y, jnp.array(1)), (x, y, jnp.array(5)))


def test_a_choice_of_a_selection_in_rounds_that_begin_anew():
    source = (
        "def f(y, q, mask=None):\n    total = 0.0\n    for i in range(2):\n        e = y - q[:, i]\n"
        "        if mask is not None:\n            e = e[mask]\n        total += e.mean() * (i + 1)\n    return total\n"
    )
    y = jnp.array([1.0, 5.0, 2.0])
    q = jnp.array([[1.0, 0.0], [2.0, 1.0], [4.0, 4.0]])
    found = check(source, (y, q, y > 1), (y, q, y > 3), (y, q, None))
    assert "kept = mask" in found.rewrites[0].source


def test_a_choice_of_a_selection_that_rounds_go_on_with():
    source = (
        "def f(x, masks, last=None):\n    for i in range(2):\n        if last is not None:\n            x = x[masks[i]]\n"
        "        x = x * 2\n    return x.sum()\n"
    )
    x = jnp.array([1.0, 5.0, 2.0])
    found = propose(define(source)["f"], (x, jnp.array([[True, True, True], [True, False, True]]), 1), {}, ())
    assert all("kept = masks[i]" not in rewrite.source for rewrite in found.rewrites)


@pytest.mark.parametrize(
    ("body", "first", "second"),
    [
        ("return min(x[x > t])", (jnp.array([1.0, 3.0, 2.0]), 1.5), (jnp.array([1.0, 2.0, jnp.inf]), 5.0)),
        ("return min(x[x > t])", (jnp.array([1, 3, 2]), 1), (jnp.array([7, 1, 3, 7]), 5)),
        ("return max(x[x < t])", (jnp.array([1, 3, 2]), 3), (jnp.array([7, 1, 3, 1]), 2)),
        (
            "return min(jnp.intersect1d(x, t))",
            (jnp.array([0, 2, -2, 1]), jnp.array([-2, -1, 1])),
            (jnp.array([3, -2, 3, 0]), jnp.array([-1, 3, 2])),
        ),
    ],
)
def test_the_extreme_of_what_is_chosen_is_never_of_the_rest(body, first, second):
    """What is chosen may be as far as what stands for the rest: an infinity, or the largest of all where the least is asked."""
    rewrite = check(f"def f(x, t):\n    {body}\n", first, second).rewrites[0]
    assert rewrite.verified


@pytest.mark.parametrize(
    "args",
    [
        (jnp.array([1.0, 2.0, 3.0]), 1.5),
        (jnp.array([3, 1, 2]), 2),
        (jnp.array([1, 2, 3]), jnp.array([2, 2, 5, 7])),
    ],
)
def test_proof_chooses_one_element_alone(args):
    """A limit between the two largest elements; of two arrays of integers all of the second equal to one of the first."""
    inputs = [given.args for given in Variations(args, {}, set()).core()]
    x = args[0]
    if jnp.ndim(args[1]) == 0:
        assert any(((x > limit) == (x == x.max())).all() for same, limit in inputs if (same == x).all())
    else:
        assert any(jnp.unique(other).tolist() == [int(x.max())] for same, other in inputs if (same == x).all())


OPTIONAL_X, OPTIONAL_MASK = jnp.arange(6.0), jnp.array([True, False, True, True, False, True])
OPTIONAL_W = jnp.linspace(0.1, 0.9, 6)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "    if mask is not None:\n        x = x[mask]\n        if w is not None:\n            w = w[mask]\n"
            "    if w is None:\n        return x.mean()\n    return (x * w).sum() / w.sum()\n",
            id="one in the other",
        ),
        pytest.param(
            "    if mask is not None:\n        x = x[mask]\n    if w is None:\n        return x.mean()\n"
            "    if mask is not None:\n        w = w[mask]\n    return (x * w).sum() / w.sum()\n",
            id="asked for again",
        ),
        pytest.param(
            "    if w is None:\n        w = jnp.ones(len(x))\n    if mask is not None:\n        x = x[mask]\n"
            "    if mask is not None:\n        w = w[mask]\n    return (x * w).max(initial=-9.0)\n",
            id="twice in a row",
        ),
    ],
)
def test_an_optional_mask_of_two_arrays_one_of_which_may_be_left_out(body):
    """Both have one mask; a branch fills what it leaves out, and a question for None that has nothing left to do goes."""
    calls = [(OPTIONAL_X, OPTIONAL_MASK), (OPTIONAL_X, OPTIONAL_MASK, OPTIONAL_W), (OPTIONAL_X, ~OPTIONAL_MASK, OPTIONAL_W)]
    found = check(f"def f(x, mask=None, w=None):\n{body}", *calls)
    source = found.rewrites[0].source
    assert source.count("jnp.ones(x.shape[0], bool)") == 1 and "w is not None" not in source


@pytest.mark.parametrize(
    "body",
    [
        "    x = x if mask is None else x[mask]\n    return jnp.sqrt(jnp.mean(x**2))\n",
        "    y = x[mask] if mask is not None else x\n    return y.sum() / x.sum()\n",
        "    a = x if mask is None else x[mask]\n    b = w if mask is None else w[mask]\n    return (a * b).sum() / b.sum()\n",
    ],
)
def test_a_choice_by_an_optional_mask_in_an_expression(body):
    check(f"def f(x, w, mask=None):\n{body}", (OPTIONAL_X, OPTIONAL_W, OPTIONAL_MASK), (OPTIONAL_X, OPTIONAL_W))


def test_a_mask_that_is_another_one_where_it_is_asked_for_again():
    """It is not taken for the first one."""
    source = (
        "def f(x, w, mask=None):\n    if mask is not None:\n        x = x[mask]\n    total = x.sum()\n"
        "    mask = None if mask is None else ~mask\n    if mask is not None:\n        w = w[mask]\n"
        "    return total - w.sum()\n"
    )
    check(source, (OPTIONAL_X, OPTIONAL_W, OPTIONAL_MASK))


def test_a_result_of_unknown_length_that_this_call_does_not_come_to_stays_as_it_is():
    """`reduction="none"`: what is asked for is proven, and what is not served is said."""
    source = (
        "def f(loss, labels, ignore=None, reduction='mean'):\n    if ignore is not None:\n"
        "        loss = loss[labels != ignore]\n"
        "    if reduction == 'mean':\n        return loss.mean()\n    if reduction == 'sum':\n        return loss.sum()\n"
        "    return loss\n"
    )
    labels = jnp.array([0, 1, 2, 1, 0, 1])
    calls = [(OPTIONAL_X, labels, 1), (OPTIONAL_X, labels, 2, "sum"), (OPTIONAL_X, labels), (OPTIONAL_X, labels, None, "none")]
    found = check(source, *calls, static=("reduction",))
    assert "calls that return `loss` fail under jit" in " ".join(found.rewrites[0].compared.differences)
    namespace = define(source)
    with applied(found, namespace), pytest.raises(jax.errors.NonConcreteBooleanIndexError):
        jax.jit(namespace["f"], static_argnames="reduction")(OPTIONAL_X, labels, 1, "none")


def test_a_result_of_unknown_length_that_data_may_come_to_is_none_of_a_rewrite():
    source = "def f(x):\n    x = x[x > 0]\n    if x.sum() > 100:\n        return x\n    return x.sum() * jnp.ones(2)\n"
    assert not propose(define(source)["f"], (OPTIONAL_X,), {}).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "    return x.at[m].set(jnp.interp(idx[m], idx[~m], x[~m]))\n",
        "    if m.any():\n        x = x.at[m].set(jnp.interp(idx[m], idx[~m], x[~m]))\n    return x\n",
        "    return jnp.interp(idx[m], idx[~m], x[~m]).sum()\n",
    ],
)
def test_gaps_are_filled_between_the_points_that_are_known(body):
    """What is sought is of unknown length as well, and comes out where it is asked for."""
    x = jnp.array([3.0, jnp.nan, 2.0, jnp.nan, jnp.nan, 5.0])
    source = f"def f(x):\n    idx = jnp.arange(len(x))\n    m = jnp.isnan(x)\n{body}"
    check(source, (x,), (x[::-1],), (jnp.array([jnp.nan, 1.0, 2.0, 7.0, jnp.nan, 4.0]),), (jnp.arange(6.0),))


def test_points_of_different_lengths_are_no_points():
    source = "def f(x):\n    m = x > 0\n    return jnp.interp(x[m], x[m], x[x > 1])\n"
    assert not propose(define(source)["f"], (jnp.array([3.0, -1.0, 2.0, 0.5]),), {}).rewrites


def test_names_that_are_bound_at_once_are_read_before():
    """`a` of the right side is not yet what the left side makes it."""
    source = "def f(v, a):\n    ok = a > 0\n    a, b = v[ok], a[ok]\n    return jnp.all(a >= b), b.sum()\n"
    v, a = jnp.array([0.5, -0.5, 1.5, 2.0]), jnp.array([0.25, -1.0, 3.0, 1.0])
    check(source, (v, a), (v, -a), (a, v), (v, a - 9))


def test_names_that_are_bound_one_after_the_other_are_not():
    """What is selected twice has another length."""
    source = "def f(v, a):\n    ok = a > 0\n    a = v[ok]\n    b = a[ok]\n    return b.sum()\n"
    v, a = jnp.array([0.5, -0.5, 1.5, 2.0]), jnp.array([0.25, -1.0, 3.0, 1.0])
    assert not propose(define(source)["f"], (v, a), {}).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "jnp.sort(m[:, m[0] > t], axis=0)[-1].mean()",
        "jnp.sort(m[m[:, 0] > t]).sum(axis=0)[0]",
        "jnp.argsort(m[:, m[0] > t], axis=0)[0].sum()",
    ],
)
def test_what_was_selected_is_put_in_order_along_another_axis(body):
    table = jnp.array([[3.0, -1.0, 2.0, 0.5], [1.0, 4.0, -2.0, 0.5], [2.0, 0.0, 5.0, -1.0]])
    check(f"def f(m, t):\n    return {body}\n", (table, 0.7), (-table, -2.5), (table[:, ::-1], 0.0))


def test_a_quotient_of_what_was_selected_is_one_beside_it():
    """A logarithm of it is taken there as well, for which 1 will do: no element that counts has to be looked for."""
    source = "def f(p, q):\n    m = (p > 0) & (q > 0)\n    return jnp.sum(p[m] * jnp.log(p[m] / q[m]))\n"
    p, q = jnp.array([0.5, 0.0, 0.25, 0.25]), jnp.array([0.25, 0.5, 0.0, 0.25])
    text = check(source, (p, q), (q, p), (p, p)).rewrites[0].source
    assert "jnp.log(jnp.where(m, p, 1) / jnp.where(m, q, 1))" in text and "argmax" not in text


def test_a_size_that_is_made_of_itself_beside_a_selection():
    """`n = int(n)` says nothing of what n counts."""
    source = "def f(x, n):\n    n = int(n)\n    return x[x > 0].sum() + jnp.arange(n).sum()\n"
    assert check(source, (X, 3), (-X, 5), static=("n",)).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "s = [r for r in rows if jnp.all(r > -3)]\nif not s:\n    return -1.0\nreturn sum(r.max() for r in s) / len(s)",
        "kept = rows[rows[:, 0] > -3]\nreturn jnp.stack([r / jnp.sum(r * r) for r in kept]).mean(axis=0)",
        "kept = [row for row in rows if row[0] > -3]\nc = sum(kept) / len(kept)\nreturn sum((r - c) @ (r - c) for r in kept)",
    ],
)
def test_what_is_made_of_each_row_that_is_kept(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert check(f"def f(rows):\n{lines}", (ROWS,), (-ROWS,), (ROWS[::-1] * 0.5,)).rewrites[0].verified


def test_a_sum_of_the_rows_that_are_kept_says_what_it_is_where_there_are_none():
    """Plain Python gives the number 0 there, compiled code an array of zeros."""
    found = check("def f(rows):\n    return sum(r * 2 for r in rows if r[0] > 0)\n", (ROWS,), (ROWS[::-1] * 0.5,))
    assert any("adds up no items" in each for each in found.rewrites[0].compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "return 0.1 + 0.9 * sum(r * 2 for r in rows if r[0] > 0)",
        "n = 0.5\nfor r in rows:\n    if r[0] > 0:\n        n = n + r\nreturn n",
    ],
)
def test_a_number_and_the_rows_that_are_kept_say_what_they_are_where_there_are_none(body):
    """Plain Python gives that number there, compiled code an array of it; it is no length that depends on data."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    found = check(f"def f(rows):\n{lines}", (ROWS,), (ROWS[::-1] * 0.5,))
    assert any("gives that number alone" in each for each in found.rewrites[0].compared.differences)


def test_a_number_in_an_arrays_place_is_no_length_that_depends_on_data():
    def depends(fun):
        return of_lengths_by_data(JitCall(fun, (jnp.array([[1.0, 2.0], [-1.0, 3.0]]),), {}), 5.0)

    assert depends(lambda rows: rows[rows > 0])
    assert not depends(lambda rows: sum((row for row in rows if row[0] > 0), 0.5))
    assert not depends(lambda rows: rows * 2)


@pytest.mark.parametrize(
    "body",
    [
        "kept = [(i, v) for i, v in enumerate(x) if v > 0]\nreturn sum(i * v for i, v in kept) if kept else -1.0",
        "kept = [(v, w) for v, w in zip(x, x[::-1]) if v > w]\nreturn sum(v for v, _ in kept), sum(w * w for _, w in kept)",
        "kept = [(v, i, v * v) for i, v in enumerate(x) if v > 0]\ns = 0.0\nfor v, _, q in kept:\n    s = s + v * q\nreturn s",
    ],
)
def test_tuples_that_a_comprehension_keeps(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    assert check(f"def f(x):\n{lines}", *CALLS).rewrites[0].verified


@pytest.mark.parametrize("made", ["(x ** 2).mean()", "jnp.nan if x.size == 0 else jnp.log(x * x).sum()"])
def test_what_a_branch_leaves_out_is_filled_there(made):
    """Its NaN would come back in the gradient."""
    source = f"def f(x, how='omit'):\n    if how == 'omit':\n        x = x[~jnp.isnan(x)]\n    return {made}\n"
    namespace = define(source)
    f, x = namespace["f"], jnp.array([2.0, jnp.nan, -1.0, 0.5])
    found = check(source, (x,), static=("how",))
    with applied(found, namespace):
        assert jnp.allclose(jax.grad(namespace["f"])(x), jax.grad(f)(x))


@pytest.mark.parametrize(
    "body",
    [
        "w = 0.5 ** jnp.arange(v.shape[0])[::-1]\n    return (w * v).sum() / w.sum()",
        "w = 0.5 ** jnp.arange(len(v))\n    return (w * v[::-1]).sum()",
        "return (jnp.flip(v) * v).sum() + (v[::-1] - jnp.linspace(0, 1, len(v))).max(initial=0)",
        "u = jnp.sort(v)[::-1]\n    return (u * jnp.arange(1, u.shape[0] + 1)).sum()",
    ],
)
def test_what_is_turned_round_is_as_long_as_what_it_was_before(body):
    source = f"def f(x):\n    v = x[x > 0]\n    {body}\n"
    check(
        source, *((jnp.array(x),) for x in ([1.0, -2.0, 3.0, 5.0], [2.0, 1.0, 0.5, 4.0], [-1.0, -1.0, 7.0, -3.0])), seconds=8.0
    )


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize(
    "local",
    [
        "k = lambda p, q=2.0: jnp.exp(-((p - q) ** 2))",
        "def k(p, q=2.0):\n        d = p - q\n        return jnp.exp(-(d**2))",
    ],
)
def test_a_function_of_the_functions_own_is_given_a_selection(local, below):
    """Wherever it stands: one below the selection was not known there, and no array was said to hold the selection. Where
    nothing calls it any more it goes."""
    lines = [local, "v = x[x > 0]"]
    source = "def f(x):\n" + "".join(f"    {line}\n" for line in (lines[::-1] if below else lines))
    calls = [(jnp.array(x),) for x in ([1.0, -2.0, 3.0, 5.0], [-1.0, -2.0, 4.0], [2.0])]
    alone = check(source + "    return k(v).sum()\n", *calls).rewrites[0]
    assert "lambda" not in alone.source and "def k" not in alone.source
    both = check(source + "    return k(v).mean() - k(x, q=1.0).mean()\n", *calls).rewrites[0]
    assert local.splitlines()[0] in both.source


def test_what_an_image_holds_is_counted_below_a_mask_of_its_shape():
    source = """
def f(image, w):
    some = image > 0
    heavy = jnp.bincount(image[some], w[some], length=8)
    return jnp.bincount(image[some], length=8), heavy
"""
    image = jnp.array([[0, 2, 2], [7, 0, 1]])
    w = jnp.arange(6.0).reshape(2, 3)
    check(source, (image, w), (0 * image, w), (image[:1], w[:1]))


def test_the_lengths_of_runs_between_where_they_begin_and_where_they_end():
    """As many begins as ends, put together in another order."""
    source = """
def f(x, least):
    change = jnp.flatnonzero(x[1:] != x[:-1]) + 1
    starts = jnp.concatenate([jnp.array([0]), change])
    ends = jnp.concatenate([change, jnp.array([x.shape[0]])])
    lengths = ends - starts
    return lengths.max(), (x[starts] * lengths).sum(), jnp.sum(lengths >= least)
"""
    runs = jnp.array([1, 1, 2, 2, 2, 3, 1, 1])
    check(source, (runs, 2), (runs[:3], 1), (0 * runs, 3), (jnp.arange(5), 1), (runs[:1], 1))


def test_pieces_of_other_selections_are_not_taken_for_as_long():
    source = """
def f(x, y):
    rises, falls = jnp.flatnonzero(x > 0), jnp.flatnonzero(y > 0)
    begins = jnp.concatenate([jnp.array([0]), rises])
    ends = jnp.concatenate([falls, jnp.array([x.shape[0]])])
    return (ends - begins).sum() if rises.size == falls.size else 0
"""
    x, y = jnp.array([1.0, -1.0, 2.0, 3.0]), jnp.array([1.0, 2.0, -1.0, 0.5])
    assert "size=" not in offered(source, x, y)


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.stack([share(y, z, c) for c in range(2)])",
        "return sum(share(y, z, c) for c in range(2)) / 2",
        "return jnp.array([guarded(y, z, c) for c in range(2)])",
    ],
)
def test_a_helper_that_a_comprehension_gives_a_selection_is_written_out(body):
    """Its lines have no place in a comprehension."""
    source = f"""
def share(y, z, c):
    p = y > c
    q = z > c
    return (p & q).sum() / jnp.maximum((p | q).sum(), 1)


def guarded(y, z, c):
    either = ((y > c) | (z > c)).sum()
    if either == 0:
        return -1.0
    return ((y > c) & (z > c)).sum() / either


def f(x, t):
    keep = x != t
    y, z = x[keep], -x[keep]
    {body}
"""
    check(source, (X, 5.0), (-X, 1.0), (0 * X, 0.0), (X[:1], 9.0))


def test_an_array_that_is_updated_by_a_mask_which_no_call_came_to():
    """The trace stopped at a selection above it, in the function of a loop, whose lines plain Python does not run."""
    source = """
def f(w, cap):
    while (w > cap + 1e-6).any():
        over = w > cap
        excess = jnp.sum(w[over] - cap)
        w = w.at[over].set(cap)
        free = w < cap
        w = w.at[free].add(excess * w[free] / w[free].sum())
    return w
"""
    check(source, (jnp.array([0.5, 0.2, 0.3]), 0.4), (jnp.array([0.7, 0.2, 0.1]), 0.4), (jnp.array([0.3, 0.7]), 0.9))


def test_what_one_side_of_a_choice_makes_shorter_is_whole_on_the_other():
    """As where an option asks for the most probable ones alone."""
    source = """
def f(x, u, top=None):
    order = jnp.argsort(-x)
    p = x[order]
    if top is not None and top < 1.0:
        n = int(jnp.searchsorted(jnp.cumsum(p), top)) + 1
        p = p[:n]
        p = p / p.sum()
    total = 0.0
    for i, v in enumerate(p):
        total += v
        if u < total:
            return order[i]
    return order[len(p) - 1]
"""
    p = jnp.array([0.1, 0.5, 0.15, 0.25])
    check(source, (p, 0.6, 0.7), (p, 0.95), (p, 0.95, 1.0), (p, 0.99, 0.3), (p[1:2] * 2, 0.5, 0.5), seconds=20.0)


def test_a_list_of_those_that_pass_a_test_may_be_tested_again_for_an_option():
    """The list is made anew in the branch, of fewer of the same items."""
    source = """
def f(x, least=None):
    found = [i for i in range(1, len(x)) if x[i] > x[i - 1]]
    if least is not None:
        found = [i for i in found if x[i] >= least]
    return len(found), sum(x[i] for i in found)
"""
    check(source, (X,), (X, 1.0), (X, 99.0), (-X, -2.0), (X[:1],))


def test_what_is_interpolated_at_nan_is_nan():
    """Behind the points that count there were none that differ, and of NaN came the last value."""
    source = """
def f(x, at):
    y = jnp.sort(x[x > 0])
    curve = jnp.insert(jnp.cumsum(y) / y.sum(), 0, 0.0)
    return jnp.interp(at, jnp.linspace(0, 1, len(y)), y), curve[len(curve) // 2], curve[-1]
"""
    calls = [(X, at) for at in (0.3, 1.0, -1.0, 2.0, jnp.nan)]
    check(source, *calls, (-X, 0.7), (X[:1], 0.5), seconds=20.0)


@pytest.mark.parametrize(
    "order",
    [
        "sorted(found, key=lambda i: -x[i])",
        "sorted(found, key=lambda i: x[i], reverse=True)",
        "sorted(found, key=lambda i: (jnp.round(x[i]), -i), reverse=True)",
    ],
)
def test_those_that_pass_a_test_are_put_in_order_by_a_key(order):
    """Equal keys stay as they are, backwards as well."""
    source = f"""
def f(x, t):
    found = [i for i in range(len(x)) if x[i] > t]
    best = {order}
    return len(best), sum(x[i] for i in best[:2]), sum(k * i for k, i in enumerate(best))
"""
    ties = jnp.array([1.0, 3.0, 1.0, 3.0, 2.0, 3.0])
    check(source, (ties, 0.5), (X, 0.0), (X, 99.0), (X[:1], 0.0), (ties, 2.5), seconds=20.0)


def test_a_choice_of_the_users_own_stretches_a_single_element():
    """`jnp.where(cut, x[:n], x)` is no branch: with one element chosen plain Python has it everywhere."""
    source = "def f(x, cut):\n    n = jnp.sum(x > 0)\n    return jnp.where(cut, x[:n], x).sum()\n"
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0, 3.0]), True), {})
    assert not found.rewrites


def test_a_negative_bound_of_an_option_is_told():
    """The call leaves the option out, and no input gave one that counts from the end."""
    source = (
        "def f(x, t, most=None):\n    found = [v for v in x if v > t]\n"
        "    if most is not None:\n        found = found[:most]\n    return sum(found), len(found)\n"
    )
    first = check(source, (X, 1.0), (X, 1.0, 1), (X, 99.0, 2)).rewrites[0]
    assert "a negative bound" in " ".join((*first.compared.differences, *first.compared.not_reached))


@pytest.mark.parametrize(
    "rest",
    [
        "(jnp.diff(ys) / jnp.diff(ts)).max()",
        "((ys[1:] - ys[:-1]) / (ts[1:] - ts[:-1])).sum()",
        "jnp.log(jnp.diff(ts)).sum() + (1 / jnp.diff(ts)).max()",
        "(ys[1:] / (ts - ts[0])[1:]).sum()",
    ],
)
def test_a_difference_of_what_counts_nowhere_divides_by_nothing(rest):
    """What fills one selection is equal everywhere, and its differences are 0: a gradient through them would be NaN."""
    source = f"""
def f(t, y):
    fresh = jnp.append(True, jnp.diff(t) > 0)
    ts, ys = t[fresh], y[fresh]
    return {rest}
"""
    twice = jnp.array([0.0, 1.0, 1.0, 2.5, 2.5, 2.5, 4.0])
    value = jnp.array([1.0, 2.0, 9.0, 3.0, -8.0, 7.0, 6.0])
    calls = [(twice, value), (jnp.arange(7.0), value), (twice.at[3:].set(2.5), value)]
    check_with_gradients(source, *calls, seconds=20.0)


def test_a_power_of_differences_keeps_its_gradient():
    """The base that fills the selection meets a difference that is none of plain Python's, and may be negative."""
    source = "def f(x):\n    v = x[x != 0]\n    return jnp.sum(v[1:] ** jnp.diff(v))\n"
    calls = [(jnp.array(v),) for v in ([1.5, 2.3, 0.0, 3.0, 0.0], [-1.5, 2.3, 0.0, 3.0, 0.0], [0.0, 1.0, 2.0, 0.0, 4.0])]
    check_with_gradients(source, *calls, seconds=20.0)


@pytest.mark.parametrize(
    "end",
    [
        "(organ[None, :] >= jnp.linspace(0.0, 5.0, 4)[:, None]).mean(axis=1)",
        "clipped(organ)",
    ],
)
def test_what_a_mask_of_several_axes_selects_may_be_followed_along_one(end):
    """Where its elements get another axis beside them, or a loop makes them fewer."""
    source = f"""
def clipped(values):
    while True:
        middle, width = jnp.median(values), jnp.std(values)
        kept = values[jnp.abs(values - middle) <= 1.5 * width]
        if kept.size == values.size:
            break
        values = kept
    return middle, width

def f(dose, structure):
    organ = dose[structure > 0]
    return {{"of": {end}, "size": organ.size}}
"""
    dose = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4)) ** 3, jnp.float32)
    check(source, (dose, jnp.arange(12).reshape(3, 4) % 3), (dose.T, jnp.ones((4, 3))))


def test_a_list_that_grows_over_labels_may_be_sorted_and_cut():
    source = """
def f(labels, amount):
    different = jnp.unique(labels)
    sums = []
    for label in different:
        sums.append(amount[labels == label].sum())
    sums = jnp.sort(jnp.array(sums))[::-1]
    top = max(1, len(different) // 2)
    return sums[:top].sum() / sums.sum()
"""
    labels, amount = jnp.array([4, 2, 4, 9, 2, 7, 1]), jnp.array([1.0, 5.0, 2.0, 3.0, 8.0, 1.0, 4.0])
    check(source, (labels, amount), (labels * 0, amount), (labels[::-1], amount))


def test_of_nothing_selected_there_is_no_first_one():
    """And with what is added behind it there is no difference."""
    source, x = (
        "def f(x):\n    k = x[x > 0]\n    return jnp.diff(k, prepend={}, append=9.0).sum()\n",
        jnp.array([1.0, -2.0, 3.0]),
    )
    assert "where" not in offered(source.format("k[:1]"), x)
    assert "where" in offered(source.format("0.5"), x)


def test_from_a_part_on_there_may_be_one_more():
    """`jnp.arange(0.1, n + 0.1)` has n elements, or n + 1."""
    source, x = "def f(x):\n    k = x[x > 0]\n    return jnp.arange({0}, len(k) + {0}).sum()\n", jnp.array([1.0, -2.0, 3.0])
    assert not propose(define(source.format(0.1))["f"], (x,), {}).rewrites
    assert propose(define(source.format(1.0))["f"], (x,), {}).rewrites


@pytest.mark.parametrize(("asked", "is_served"), [("diff(k, axis=0)", True), ("diff(k)", True), ("ediff1d(k)", False)])
def test_differences_of_rows_go_along_an_axis(asked, is_served):
    """`ediff1d` goes from the end of a row to the beginning of the next one."""
    source = f"def f(x):\n    k = jnp.stack([x, x[::-1] + x**2], axis=1)[x > 0]\n    return jnp.{asked}.sum()\n"
    found = propose(define(source)["f"], (jnp.array([1.0, -2.0, 3.0, 0.5, -1.0]),), {}, seconds=5.0)
    assert bool(found.rewrites) is is_served
    assert is_served or any("ediff1d(k)" in each and "depends on data" in each for each in found.obstacles)


def test_a_norm_of_rows_that_do_not_count_has_a_gradient():
    """Two points that are not chosen are one: between them there is no direction."""
    source = "def f(x, ok):\n    return jnp.linalg.norm(jnp.diff(x[ok], axis=0), axis=1).sum()\n"
    points = jnp.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [6.0, 8.0], [3.0, 4.0]])
    chosen = jnp.array([True, False, True, True, False])
    check_with_gradients(source, (points, chosen), (points, ~chosen.at[3].set(False)))
