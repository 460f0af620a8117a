"""Selections whose length depends on values: all elements and a mask, or a reason why not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.diagnosis.proof.verify import BESIDE_INFINITE, LOST_TO_INFINITE, XLAS_NAN
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, check_with_counts, define, offered

X = jnp.array([2.0, -1.0, 5.0, 0.5])
ORDERS = [(X,), (-X,), (jnp.array([1.0, 2.0, 3.0, 4.0]),)]


@pytest.mark.parametrize(
    "expression",
    [
        "x[x > 0].mean()",
        "jnp.mean(jnp.sqrt(x[x > 0]))",
        pytest.param("x[x > 0].sum() / x[x > 0].size", marks=pytest.mark.slow),
        pytest.param("jnp.max(x[x > -10]) + len(x[x > 0])", marks=pytest.mark.slow),
        pytest.param("jnp.median(x[x > -10])", marks=pytest.mark.slow),
        pytest.param("jnp.linalg.norm(x[x > 0])", marks=pytest.mark.slow),
        pytest.param("x[x > 0] @ x[x > 0]", marks=pytest.mark.slow),
        pytest.param("jnp.sum(jnp.compress(x > 0, x))", marks=pytest.mark.slow),
        pytest.param("sum(x[x > 0])", marks=pytest.mark.slow),
        pytest.param("x[x > -10][0]", marks=pytest.mark.slow),
    ],
)
def test_a_masked_selection_that_ends_in_a_reduction(expression):
    assert check(f"def f(x):\n    return {expression}\n", *ORDERS).rewrites[0].verified


def test_what_is_computed_from_a_selection_stays_masked():
    source = """
def f(x, labels):
    low = x[labels == 0]  # the first class
    high = x[labels == 1]
    centred = low - low.mean()
    return jnp.sqrt(jnp.mean(centred**2)), high.max(), low.shape[0]
"""
    labels = jnp.array([0, 1, 1, 0])
    first = check(source, (X, labels), (-X, jnp.array([1, 1, 0, 0]))).rewrites[0]
    assert "# the first class" in first.source


def test_a_selection_of_rows_is_reduced_along_the_first_axis():
    source = "def f(x, keep):\n    return x[keep].mean(axis=0)\n"
    rows = jnp.arange(8.0).reshape(4, 2)
    check(source, (rows, jnp.array([True, False, True, True])), (rows, jnp.array([False, False, True, False])))


def test_a_selection_that_is_returned_comes_in_front_with_its_count_and_says_that_this_is_more():
    found = propose(define("def f(x):\n    return x[x > 0]\n")["f"], (X,), {})
    assert not found.rewrites
    assert "the caller gets the whole array" in found.unverified[0].reason
    assert "return x[front], count" in found.unverified[0].source


@pytest.mark.parametrize(
    "body",
    [
        "v, n = jnp.unique(x, return_counts=True)\n    p = n / x.size\n    return -jnp.sum(p * jnp.log(p))",
        "return jnp.unique(x).size",
        pytest.param("return len(jnp.unique(x)) / x.size", marks=pytest.mark.slow),
        pytest.param("return jnp.unique(x).sum()", marks=pytest.mark.slow),
        pytest.param("return jnp.intersect1d(x, jnp.array([1, 3, 4])).size", marks=pytest.mark.slow),
        pytest.param("return jnp.setdiff1d(x, jnp.array([1, 3])).size", marks=pytest.mark.slow),
        pytest.param("u = jnp.unique(x)\n    return u[0], u[-1], u.max()", marks=pytest.mark.slow),
    ],
)
def test_unique_and_its_kin_get_a_size(body):
    calls = [(jnp.array([3, 1, 1, 2, 3]),), (jnp.array([4, 4, 4, 4, 4]),), (jnp.array([0, 1, 2, 3, 4]),)]
    assert "size=" in check(f"def f(x):\n    {body}\n", *calls).rewrites[0].patterns


@pytest.mark.parametrize("distinct", ["jnp.unique_values(x)", "jnp.unique(x)", "jnp.unique(x[x != 2])"])
def test_several_nan_are_one_value_or_several_as_each_function_has_it(distinct):
    """To `unique` all NaN are one; to `unique_values`, as the array API's standard has it, each is a value of its own."""
    x = jnp.array([1.0, 2.0, 3.0, 1.0, 4.0, 2.0])
    check(f"def f(x):\n    d = {distinct}\n    return jnp.nansum(d), len(d)\n", (x,), (x.at[1:4].set(jnp.nan),))


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.where(x > 0)[0][0] * 2",
        "i = jnp.nonzero(x > 0)[0]\n    return i[0], i[-1]",
        pytest.param("(i,) = jnp.nonzero(x > 0)\n    return x[i].sum(), i.size", marks=pytest.mark.slow),
        pytest.param("i = jnp.flatnonzero(x)\n    return jnp.mean(x[i])", marks=pytest.mark.slow),
        pytest.param("i = jnp.argwhere(x > 0)\n    return jnp.sum(x[i[:, 0]])", marks=pytest.mark.slow),
    ],
)
def test_nonzero_and_its_kin_get_a_size(body):
    assert "size=" in check(f"def f(x):\n    {body}\n", *ORDERS).rewrites[0].patterns


@pytest.mark.parametrize(
    "body",
    [
        "rows, cols = jnp.argwhere(x > t).T\n    return (x[rows, cols] * cols).sum(), len(rows)",
        "i, j = jnp.transpose(jnp.argwhere(x > t))\n    return i.sum() - j.sum()",
        "return x[tuple(jnp.argwhere(x > t).T)].sum()",
        "return jnp.argwhere(x > t).T[1].max(initial=0)",
    ],
)
def test_places_turned_to_an_array_for_each_axis(body):
    x = jnp.sin(jnp.arange(12.0)).reshape(3, 4)
    check(f"def f(x, t):\n    {body}\n", (x, 0.3), (-x, 0.0), (x, 2.0), (x[:2], -0.5))


def test_the_head_of_a_record_is_masked():
    source = "def f(record, n):\n    kept = record[:n]\n    return kept.mean(), kept.max()\n"
    check(source, (X, jnp.array(3)), (X, jnp.array(1)), (X, jnp.array(4)))
    check("def f(x, a, b):\n    return jnp.sum(x[a:b])\n", (X, jnp.array(1), jnp.array(3)), (X, jnp.array(0), jnp.array(4)))


def test_groups_that_are_read_back_by_their_numbers():
    source = """
def f(scores, receivers):
    peak = jax.ops.segment_max(scores, receivers)
    e = jnp.exp(scores - peak[receivers])
    return e / jax.ops.segment_sum(e, receivers)[receivers]
"""
    check(source, (X, jnp.array([0, 0, 1, 3])), (X, jnp.array([7, 7, 7, 2])))


@pytest.mark.slow
def test_group_means_by_the_inverse_of_unique():
    source = """
def f(x, group):
    ids, inverse = jnp.unique(group, return_inverse=True)
    total = jax.ops.segment_sum(x, inverse, num_segments=ids.shape[0])
    count = jnp.bincount(group)
    return x - total[inverse] / count[group]
"""
    check(source, (X, jnp.array([4, 9, 4, 9])), (X, jnp.array([1, 1, 1, 1])))


@pytest.mark.parametrize("module", ["jnp", "np"])
def test_counts_of_labels_below_a_length_that_is_given(module):
    """The length is static beside it; that labels of it or more are not counted is said."""
    source = (
        f"def f(labels, w, n):\n    return {module}.bincount(labels, minlength=n), {module}.bincount(labels, w, minlength=n)\n"
    )
    labels, w = jnp.array([0, 2, 2, 1]), jnp.array([1.0, 2.0, 0.5, 4.0])
    found = check(source, (labels, w, 4), (labels // 2, w, 4), static=("n",))
    assert any("labels of n or more" in said for said in found.rewrites[0].compared.not_reached)


@pytest.mark.parametrize(
    "body",
    [
        "rows = [r for r in x if not jnp.isnan(r).any()]\n    return jnp.stack(rows).mean(axis=0)",
        "rows = [r for r in x if jnp.all(r > 0)]\n    return jnp.vstack(rows).sum()",
        "kept = [r.sum() for r in x if not jnp.isnan(r[0])]\n    return sum(kept) / len(kept)",
    ],
)
def test_a_filter_whose_test_is_a_call(body):
    check(
        f"def f(x):\n    {body}\n",
        (jnp.array([[1.0, 2.0], [jnp.nan, 1.0], [3.0, 4.0]]),),
        (jnp.array([[1.0, 2.0], [3.0, -1.0], [3.0, 4.0]]),),
    )


@pytest.mark.parametrize("keeps", ["lambda v: lo <= v <= 4", "between", "lambda v: v > lo"])
def test_what_filter_keeps(keeps):
    source = (
        "def between(v):\n    return v > 0 and v < 4\n\n"
        f"def f(x, lo):\n    kept = list(filter({keeps}, x))\n    return jnp.array(kept).sum() / len(kept)\n"
    )
    check(source, (jnp.array([1.0, 5.0, 3.0]), 0.0), (jnp.array([2.0, 2.5, 7.0]), 1.0))


REPEATED = """
def alone(v, counts):
    w = v * 2
    return (jnp.repeat(w, counts) + 1).sum()

def beside(v, counts):
    ids = jnp.repeat(jnp.arange(counts.shape[0]), counts)
    return jax.ops.segment_sum(v, ids, num_segments=3)

def made_below(v, counts):
    ids = jnp.repeat(jnp.arange(counts.shape[0]), counts)
    e = jnp.exp(v - v.max())
    return e / jax.ops.segment_sum(e, ids, num_segments=3)[ids]

def looked_up(table, chosen, counts):
    ids = jnp.repeat(jnp.arange(counts.shape[0]), counts)
    return jax.ops.segment_sum(table[chosen, :], ids, num_segments=3)
"""


def test_repeats_take_the_length_of_an_array_that_they_are_used_with():
    """Any other that has it on this call has another on the next."""
    namespace, v, counts = define(REPEATED), jnp.arange(6.0), jnp.array([2, 3, 1])
    alone = propose(namespace["alone"], (v[:3], jnp.array([0, 2, 1])), {}).rewrites
    assert alone and all("repeat" not in each.source for each in alone)
    for name in ("beside", "made_below"):
        assert "total_repeat_length=v.shape[0]" in propose(namespace[name], (v, counts), {}).rewrites[0].source


def test_repeats_are_as_many_as_the_rows_that_are_looked_up_and_not_as_the_table_has():
    """On this call both have six."""
    table, chosen, counts = jnp.arange(12.0).reshape(6, 2), jnp.array([0, 1, 5, 2, 3, 4]), jnp.array([2, 1, 3])
    first = propose(define(REPEATED)["looked_up"], (table, chosen, counts), {}).rewrites[0]
    assert "total_repeat_length=chosen.shape[0]" in first.source


@pytest.mark.parametrize(
    "lines",
    [
        "    p = x[:n]; q = y[:n]\n    return (p * q).sum() / p.sum()\n",
        "    for k in (1, 2): t = x[k:n].sum(); x = x + t  # twice\n    return x\n",
    ],
)
def test_selections_in_statements_that_share_a_line(lines):
    """The lines that they need are made room for."""
    x = jnp.arange(1.0, 6.0)
    check(f"def f(x, y, n):\n{lines}", (x, x * x, jnp.array(3)), (x[:4], x[1:], jnp.array(2)))


def test_two_calls_of_one_helper_whose_selections_meet():
    source = (
        "def cut(x, pos):\n    return x[:pos]\n\n"
        "def f(query, keys, values, pos):\n    k = cut(keys, pos)\n    v = cut(values, pos)\n"
        "    return jax.nn.softmax(k @ query) @ v\n"
    )
    keys, query = jnp.arange(12.0).reshape(6, 2) / 7, jnp.ones(2)
    check(source, (query, keys, keys + 1, jnp.array(3)), (query, keys[:4], keys[:4], jnp.array(1)))


def test_slices_beside_an_index_are_of_one_length():
    source = "def f(x, y, n):\n    d = x[1, :n[1]] - y[1, :n[1]]\n    return (d ** 2).mean()\n"
    x = jnp.arange(12.0).reshape(3, 4)
    check(source, (x, x * 2, jnp.array([1, 3, 2])), (x[:2], -x[:2], jnp.array([4, 2])))


def test_an_element_that_is_asked_by_an_argument_may_count_from_the_end():
    source = "def f(x, value, n=0):\n    return jnp.where(x == value)[0][n]\n"
    body = "def f(x, value, n=0):\n    hits = jnp.where(x == value)[0]\n    return hits[n]\n"
    x = jnp.array([3, 1, 3, 2, 3])
    for each in (source, body):
        check(each, (x, 3), (x, 3, 2), (x, 3, -1), (x, 3, -3), (x[:3], 3, jnp.array(1)))


@pytest.mark.parametrize(
    "loop",
    [
        "while len(x) > 0:\n        k = x[0]\n        n += 1\n        rest = x[1:]\n        x = rest[rest - k > t]",
        "while x.size > 1:\n        n += 1\n        x = x[1:]\n        x = x[x < x.max() - t]",
    ],
)
def test_a_list_of_work_that_grows_shorter_in_each_round(loop):
    """As non-maximum suppression goes on with what overlaps the best one little."""
    x = jnp.array([0.1, 0.2, 0.9, 1.5, 1.7, 2.5])
    source = f"def f(x, t=0.5):\n    n = 0\n    {loop}\n    return n\n"
    check(source, (x,), (x, 0.05), (x[::-1],), (x[:1],), (x[:4], 2.0))


@pytest.mark.parametrize(
    ("source", "args", "told"),
    [
        (
            "def f(B, v, t):\n    m = v > t\n    return jnp.linalg.solve(B[m][:, m], v[m]) @ v[m]\n",
            (jnp.arange(9.0).reshape(3, 3) + jnp.eye(3), jnp.array([0.5, -1.0, 2.0]), jnp.array(0.0)),
            LOST_TO_INFINITE,
        ),
        (
            "def f(B, v, t):\n    m = v > t\n    return v[m] @ B[m][:, m] @ v[m]\n",
            (jnp.arange(9.0).reshape(3, 3), jnp.array([0.5, -1.0, 2.0]), jnp.array(0.0)),
            "",
        ),
        ("def f(x, t):\n    return jnp.trapezoid(x[x != t])\n", (jnp.array([0.5, -1.0, 2.0]), jnp.array(0.5)), BESIDE_INFINITE),
        ("def f(x, t):\n    return (x[x > t] ** 2).sum()\n", (jnp.array([0.5, -1.0, 2.0]), jnp.array(0.0)), ""),
    ],
)
def test_what_infinite_data_makes_of_a_selection_is_told(source, args, told):
    """0 in the place of what is left out, times infinity, is NaN; JAX's trapezoids take the last value from their sum. Of a sum
    nothing is said, which gives plain Python's."""
    compared = propose(define(source)["f"], args, {}).rewrites[0].compared
    assert [said for said in compared.differences if "infinite" in said] == [told] * bool(told)


def test_what_xla_alone_leaves_out_beside_an_infinity_refuses_no_rewrite():
    """Compiled, `inf * False` is 0 and not NaN, in any code: said, as it is of NaN."""
    source = """
def part(p, x):
    places = jnp.argwhere(x > p["t"])
    rows, cols = places[:, 0], places[:, 1]
    return jnp.sum(jnp.sqrt(jnp.abs(x[rows, cols]) + 1.0) * p["w"][cols] * (rows != cols))


def f(p, x):
    return jax.value_and_grad(part)(p, x)
"""
    given = {"t": 0.5, "w": jnp.arange(6.0) / 3}
    x = jnp.sin(jnp.arange(36.0)).reshape(6, 6)
    namespace = define(source)
    far = x.at[0, 0].set(jnp.inf)
    want = namespace["f"](given, far)
    found = propose(namespace["f"], (given, x), {}, seconds=20.0)
    with applied(found, namespace):
        got = jax.jit(namespace["f"])(given, far)
    same = all(jnp.array_equal(a, b, equal_nan=True) for a, b in zip(*map(jax.tree.leaves, (got, want)), strict=True))
    first = found.rewrites[0]
    assert first.verified and (same or XLAS_NAN in first.compared.differences)  # not every processor's code leaves it out


def test_what_one_round_of_a_product_makes_of_infinite_data_is_told():
    """A power by a loop begins at the identity, whose zeros make NaN of what plain Python returns as it is."""
    source = "def f(P, k):\n    P = P / P.sum(axis=1, keepdims=True)\n    return jnp.linalg.matrix_power(P, int(k))\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.arange(1.0, 10.0).reshape(3, 3), jnp.array(3)), {})
    far = jnp.array([[1.0, jnp.inf, 1.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    wanted = namespace["f"](far, jnp.array(1))
    with applied(found, namespace):
        got = jax.jit(namespace["f"])(far, jnp.array(1))
    assert LOST_TO_INFINITE in found.rewrites[0].compared.differences or jnp.array_equal(got, wanted, equal_nan=True)


GUARDED = """
def impurity(y, floor=0.0):
    if len(y) == 0:
        return floor
    p = y.mean()
    return 2 * p * (1 - p)

"""


def test_a_helper_that_returns_early_is_followed():
    """Its ways become an `if` and an `else` in the caller, each call's own; the numbers of an empty side count as well."""
    source = GUARDED + (
        "def f(x, y, t):\n    left, right = y[x <= t], y[x > t]\n    n = len(y)\n"
        "    return len(left) / n * impurity(left) + len(right) / n * impurity(right, 0.5)\n"
    )
    y = jnp.array([0.0, 1.0, 1.0, 0.0])
    proposals = check(source, (X, y, 1.0), (X, y, 9.0), (X, y, -9.0), (X[:2], y[:2], 0.0), seconds=20.0)
    assert "if" not in proposals.rewrites[0].patterns and "impurity(" not in proposals.rewrites[0].source


def test_lines_with_a_return_in_a_loop_do_not_stand_in_the_caller():
    helper = "def g(y):\n    for v in y:\n        if v > 2:\n            return v * 0 + 7.0\n    return y.sum()\n\n"
    namespace = define(helper + "def f(x):\n    return g(x[x > 0]) + 1\n")
    assert not any("inline" in each.patterns for each in propose(namespace["f"], (X,), {}).rewrites)


def test_few_lines_behind_an_if_that_returns_in_one_way_alone_stand_in_both():
    helper = "def g(y):\n    if len(y) < 3:\n        if y.sum() > 4:\n            return 1.0\n    return y.sum()\n\n"
    source = helper + "def f(x):\n    return g(x[x > 0]) + 1\n"
    found = check(source, (X,), (-X,), (X[:2],), (X[:2] * 9,), (X * 0,), seconds=20.0)
    assert "inline" in found.rewrites[0].patterns


@pytest.mark.parametrize("part", ["pos[-k:].sum()", "pos[:-k].sum()", "jnp.sort(pos)[-k:].mean() - x[x <= 0].sum()"])
def test_a_part_counted_from_the_end_by_an_argument(part):
    """`-k` of what was selected counts from its own end; -0 is its beginning."""
    calls = [(X, 2), (X, 1), (X, 9), (X[:2], 1)] + ([(X, 0)] if "mean" not in part else [])
    check(f"def f(x, k):\n    pos = x[x > 0]\n    return {part}\n", *calls, static=("k",), seconds=20.0)


def test_a_mask_beside_one_place():
    """`x[m, -1]` is one column of the rows; a mask beside an array of places meets it pair by pair and is left alone."""
    rows = jnp.arange(12.0).reshape(4, 3)
    source = "def f(x, i):\n    m = x[:, 0] > 2\n    return (x[m, -1] * 2 - x[m, i]).sum()\n"
    check(source, (rows, 1), (-rows, 0), (rows[:2], jnp.array(2)))
    pairs = "def f(x, i):\n    m = x[:, 0] > 2\n    return x[m, i].sum()\n"
    namespace = define(pairs)
    assert not propose(namespace["f"], (rows, jnp.array([0, 1, 2])), {}).rewrites


@pytest.mark.parametrize(
    "fit",
    [
        "jnp.polyfit(x[m], y[m], 1)",
        "jnp.polyfit(x[m], y[m], 1, w=y[m] ** 2 + 1)",
    ],
)
def test_a_fit_to_what_was_selected(fit):
    """Points that do not count weigh nothing, wherever they are; NaN among them is no matter."""
    x, y = jnp.array([0.0, 1.0, 2.0, 3.0, 4.0]), jnp.array([1.0, jnp.nan, 2.0, 4.0, 3.0])
    source = f"def f(x, y, t):\n    m = ~jnp.isnan(y) & (x > t)\n    return {fit} * 2\n"
    check(source, (x, y, -1.0), (x, y.at[1].set(0.0), 0.5), (x[::-1], y, -9.0), seconds=20.0)


def test_a_fit_to_rows_that_were_selected():
    """Rows of zeros take no part in least squares."""
    source = (
        "def f(X, y, t):\n    keep = jnp.abs(y - y.mean()) <= t * y.std()\n"
        "    return jnp.linalg.lstsq(X[keep], y[keep])[0] * 2\n"
    )
    x, y = jnp.array([0.0, 1.0, 2.0, 3.0, 4.0]), jnp.array([1.0, 2.2, 9.0, 4.0, 5.5])
    X = jnp.stack([x, x * 0 + 1], axis=1)
    check(source, (X, y, 1.3), (X, y, 9.0), (X[:4], -y[:4], 1.5), seconds=20.0)


@pytest.mark.parametrize(
    "fit", ["jnp.linalg.lstsq(a[m], y[m])[3]", "jnp.polyfit(y[m], y[:2], 1)", "jnp.polyfit(y[m], y[m], 1, full=True)[0]"]
)
def test_what_depends_on_the_number_of_points_is_no_fit_alone(fit):
    """Singular values are those of all rows; points of two lengths do not meet; options say more."""
    namespace = define(f"def f(a, y, t):\n    m = y > t\n    return {fit}\n")
    a, y = jnp.arange(8.0).reshape(4, 2) ** 2, jnp.array([1.0, -1.0, 2.0, -2.0])
    assert not propose(namespace["f"], (a, y, 0.0), {}).rewrites


def test_rows_are_set_where_their_numbers_are_found():
    """`out.at[idx].set(x[idx] @ W)`: a row for each place that counts."""
    source = (
        "def f(x, gates, W):\n    out = jnp.zeros_like(x)\n    for e in range(W.shape[0]):\n"
        "        idx = jnp.where(gates == e)[0]\n        out = out.at[idx].set(x[idx] @ W[e])\n    return out\n"
    )
    x, W = jnp.arange(8.0).reshape(4, 2), jnp.stack([jnp.eye(2), 2 * jnp.eye(2)])
    check(source, (x, jnp.array([0, 1, 0, 2]), W), (x, jnp.array([1, 1, 1, 1]), W), (x[:2], jnp.array([0, 5]), W), seconds=20.0)


def test_places_between_two_ends_as_many_as_were_selected():
    """`jnp.linspace(a, b, len(s))`, of one element its first."""
    body = "def f(x, t):\n    s = jnp.sort(x[x > t])\n    g = jnp.linspace({}, 2.0, len(s))\n    return jnp.sum(g * s)\n"
    for first in ("0.0", "t"):
        check(body.format(first), (X, 0.0), (X, 4.0), (X[:2], -9.0), seconds=20.0)


def test_a_column_of_ones_beside_what_was_selected():
    """As many ones as rows were selected stand where these stand; numbers counted up do not."""
    source = (
        "def f(x, t):\n    low = x[x[:, 0] < t]\n    A = jnp.column_stack([low[:, 0], jnp.ones(low.shape[0])])\n"
        "    return A.T @ A, A.T @ low[:, 1]\n"
    )
    rows = jnp.array([[0.5, 1.0], [2.0, 3.0], [-1.0, 2.0], [0.1, 5.0]])
    check(source, (rows, 1.0), (rows, -9.0), (rows[:2], 9.0), seconds=20.0)
    counted = source.replace("jnp.ones(low.shape[0])", "jnp.arange(low.shape[0]) * 1.0")
    namespace = define(counted)
    found = propose(namespace["f"], (rows, 1.0), {}, seconds=20.0)
    if found.rewrites:
        want = namespace["f"](rows, 0.3)
        with applied(found, namespace):
            assert all(map(jnp.allclose, namespace["f"](rows, 0.3), want))


@pytest.mark.parametrize(
    "body",
    [
        "    return [v for v in x if v > 0]\n",
        "    return [i for i in range(1, len(x)) if x[i - 1] * x[i] < 0]\n",
        "    return [i for i, v in enumerate(x) if v > 0]\n",
        "    kept = [v * 2 for v in x if v > 0]\n    return kept\n",
        "    return list(filter(lambda v: v > 0, x))\n",
        "    found = []\n    for v in x:\n        if v > 0:\n            found.append(v * v)\n    return found\n",
    ],
    ids=["values", "places", "enumerated", "named", "filter", "loop"],
)
def test_a_list_of_what_passes_a_test_comes_whole_when_it_is_returned(body):
    """As an array with its count; nothing was found where the list itself was the result."""
    assert "in the place of a list" in check_with_counts(f"def f(x):\n{body}", (X,), (-X,), (jnp.zeros(3),)).reason


def test_pairs_in_a_list_are_no_array():
    """One array of an integer and a float would make the integer a float: each part has its own."""
    namespace = define("def f(x):\n    return [(i, v) for i, v in enumerate(x) if v > 0]\n")
    found = propose(namespace["f"], (X,), {})
    assert not found.rewrites and found.unverified[0].padded
    exec(compile(found.unverified[0].source, "<rewrite>", "exec"), namespace)
    (places, values), count = jax.jit(namespace["f"])(X)
    assert jnp.issubdtype(places.dtype, jnp.integer) and values.dtype == X.dtype and count == jnp.sum(X > 0)


@pytest.mark.parametrize(
    "expression",
    [
        "max(v * 2 for v in x if v < 3)",
        "min((v for v in x if v < 3), default=0.0)",
        "max([i for i, v in enumerate(x) if v > 9], default=-1)",
        "min(abs(a - b) for a in x for b in x if a > b)",
        "max(x[i] * x[j] for i in range(len(x)) for j in range(i) if x[i] > x[j])",
        "sorted(v for v in x if v > 0)[0]",
        "math.prod(v for v in x if v > 0)",
    ],
)
def test_generators_with_a_test_are_taken_whole_where_all_are_looked_at(expression):
    """`sum` and `any` had a rule; in `max`, `min`, `sorted` and over pairs nothing was found."""
    check(f"def f(x):\n    return {expression}\n", *ORDERS)


def test_a_default_of_none_is_no_number():
    assert not propose(define("def f(x):\n    return min((v for v in x if v > 9), default=None)\n")["f"], (X,), {}).rewrites


def test_what_an_empty_array_has_no_value_for_is_asked_once():
    """The whole choice depends on the size, not each largest element in it."""
    source = "def f(x):\n    low = [v for v in x if v < 3]\n    return min(low) if low else 0.0\n"
    found = check(source, *ORDERS, (jnp.array([7.0]),)).rewrites[0].source
    assert found.count(".size") == 1


def test_a_polynomial_is_taken_at_each_of_the_points():
    source = (
        "def f(x, y, s):\n"
        "    near = jnp.where(x > s)[0]\n"
        "    if len(near) == 0:\n"
        "        return y\n"
        "    kept = x[near]\n"
        "    line = jnp.polyval(jnp.polyfit(kept, y[near], 1), kept)\n"
        "    return y.at[near].set(jnp.where(line > s, line, y[near]))\n"
    )
    y = jnp.array([1.0, 3.0, -2.0, 4.0, 0.5, 6.0])
    x = jnp.array([2.0, -1.0, 5.0, 0.5, 3.0, -4.0])
    assert check(source, (x, y, 0.0), (x, y, 9.0), (x, y, -9.0)).rewrites


def test_a_function_within_that_is_given_several_selections():
    """Each call's lines stand in its place; the second does not undo the first."""
    source = (
        "def f(x, y, t):\n    def shares(v):\n        return jnp.array([jnp.mean(v == c) for c in range(3)])\n"
        "    low, high = y[x <= t], y[x > t]\n    return jnp.abs(shares(low) - shares(high)).sum()\n"
    )
    labels = jnp.array([0, 1, 2, 1])
    assert check(source, (X, labels, 1.0), (-X, labels, 0.2), seconds=60.0).rewrites[0].verified


PAIRS = [jnp.array([[0.0, 1.0, 2.5], [1.0, 0.0, 1.5], [2.5, 1.5, 0.0]]), jnp.zeros((3, 3)), jnp.array([[0.0, 9.0], [0.5, 0.0]])]
CHARGES = [jnp.array([1.0, -1.0, 2.0]), jnp.array([1.0, 2.0, 3.0]), jnp.array([2.0, -3.0])]


@pytest.mark.parametrize(
    "lines",
    [
        "i, j = jnp.where(near)\n    return jnp.sum(q[i] * q[j] / d[i, j])",
        "p = jnp.argwhere(near)\n    return jnp.sum(q[p[:, 0]] / jnp.compress(near.ravel(), d.ravel()))",
        "i, j = jnp.where(near)\n    return jnp.zeros(len(q)).at[i].add(q[j] / d[near])",
        "found = jnp.nonzero(near)\n    return jnp.sum(d[near] * (found[0] < found[1]))",
    ],
)
def test_places_of_a_matrix_are_read_where_they_are_divided_by(lines):
    """What stands behind the places that count is the first element, a 0 here: it is filled, and the gradient stays finite."""
    source = f"def f(q, d, cut):\n    near = (d < cut) & (d > 0)\n    {lines}\n"
    calls = [(q, d, cut) for q, d, cut in zip(CHARGES, PAIRS, (2.0, 9.0, 1.0), strict=True)]
    found = check(source, *calls, seconds=30.0).rewrites[0]
    assert found.verified
    with applied(propose(define(source)["f"], calls[0], {}, seconds=30.0), namespace := define(source)):
        slope = jax.grad(lambda q: namespace["f"](q, *calls[0][1:]).sum())(calls[0][0])
        plain = jax.grad(lambda q: define(source)["f"](q, *calls[0][1:]).sum())(calls[0][0])
    assert jnp.allclose(slope, plain)


def test_a_matrix_of_integers_that_is_looked_through_is_no_mask_itself():
    source = "def f(m, x):\n    found = jnp.nonzero(m)\n    return jnp.sum(x[found[0]] * m[found])\n"
    m = jnp.array([[0, 2, 0], [3, 0, 0]])
    check(source, (m, jnp.array([1.0, 5.0])), (m * 0, jnp.array([1.0, 5.0])), (m.T, jnp.array([1.0, 5.0, 7.0])), seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        "m = (x > t) & (x < 4)\n    return jnp.trapezoid(y[m], x[m])",
        "m = ~jnp.isnan(y)\n    return jnp.trapezoid(y[m], x=x[m]) / (t + 2)",
        "return jnp.trapezoid(y[x > t], dx=0.5)",
    ],
)
def test_the_area_below_selected_points(body):
    """Between points that are neighbours once the others are left out; NaN that is left out meets no gradient."""
    y = jnp.array([1.0, 3.0, jnp.nan, 4.0]) if "isnan" in body else jnp.array([1.0, 3.0, -2.0, 4.0])
    calls = [(jnp.array([0.0, 1.0, 2.5, 3.0]), y, t) for t in (0.5, -1.0, 2.0)]
    assert check(f"def f(x, y, t):\n    {body}\n", *calls).rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "hits = jnp.where(x[:n] > t)[0]\n    return hits[-1] if len(hits) else -1",
        "kept = x[x > -3]\n    places = jnp.where(kept > t)[0]\n    return kept[places].sum() + len(places)",
        "late = jnp.nonzero(x[n:] > t)[0]\n    return x[n + late[0]] if late.size else x[0]",
    ],
)
def test_places_within_what_was_cut_off_or_selected(body):
    calls = [(X, n, t) for n, t in ((3, 0.0), (1, 3.0), (4, -2.0), (2, 9.0))]
    assert check(f"def f(x, n, t):\n    {body}\n", *calls, seconds=20.0).rewrites[0].verified


def test_places_of_a_matrix_are_counted_by_row():
    """As long as `minlength`, if no number is larger: what it says where one is."""
    source = (
        "def f(a, h):\n    i, j = jnp.nonzero(a)\n    degree = jnp.bincount(i, minlength=a.shape[0])\n"
        "    return jnp.zeros_like(h).at[j].add(h[i] / degree[i])\n"
    )
    a = jnp.array([[0, 1, 1], [1, 0, 0], [0, 1, 0]])
    h = jnp.array([1.0, -2.0, 4.0])
    assert check(source, (a, h), (a * 0, h), (a.T, h), seconds=20.0).rewrites[0].verified


DROPS = [
    "m = ~jnp.isnan(x)\n    if not m.all():\n        x = x[m]\n",
    "if jnp.any(jnp.isnan(x)):\n        x = x[~jnp.isnan(x)]\n",
    "m = jnp.logical_not(jnp.isnan(x))\n    if ~jnp.all(m):\n        x = x.compress(m)\n",
]


@pytest.mark.parametrize("drop", DROPS)
def test_a_selection_that_is_made_where_it_leaves_something_out_is_made_in_any_case(drop):
    source = f"def f(x):\n    {drop}    return jnp.mean(x) * x.shape[-1]\n"
    x = jnp.array([1.0, jnp.nan, 2.0, 4.0])
    text = check(source, (x,), (jnp.arange(4.0),)).rewrites[0].source
    assert "cond" not in text and "if " not in text


def test_a_selection_under_another_test_is_not_made_in_any_case():
    source = "def f(x, t):\n    m = ~jnp.isnan(x)\n    if not (x > t).all():\n        x = x[m]\n    return jnp.mean(x)\n"
    found = propose(define(source)["f"], (jnp.array([1.0, jnp.nan, 2.0]), 0.0), {}).rewrites
    assert found and all("> t" in each.source for each in found)


def test_a_mask_that_the_test_names_is_followed_through_a_helper():
    source = (
        "def present(x):\n    if not (found := x != 0).all():\n        x = x[found]\n    return x\n\n"
        "def f(x):\n    x = present(x)\n    if x.size == 0:\n        return jnp.nan\n    p = x / x.sum()\n"
        "    return 1 / (p**2).sum()\n"
    )
    x = jnp.array([1.0, 0.0, 3.0, 2.0])
    assert check(source, (x,), (x + 1,), (x * 0,)).rewrites[0].verified


def test_two_selections_of_one_mask_meet_in_a_loop():
    source = (
        "def f(x):\n    small = x <= 2\n    z = x[small]\n    g = jnp.log1p(jnp.abs(x[small]))\n    for _ in range(3):\n"
        "        g = g - (g * jnp.exp(g) - z) / (2 + jnp.abs(g))\n    return x.at[small].set(g)\n"
    )
    assert check(source, *ORDERS).rewrites[0].verified


def test_elements_of_a_selection_are_set_by_a_mask_of_it():
    source = "def f(x):\n    y = x[x > 0]\n    y = y.at[y > 2].set(2.0)\n    y = y.at[y < 1].add(0.5)\n    return y.mean()\n"
    assert check(source, *ORDERS).rewrites[0].verified


@pytest.mark.parametrize(
    "fit",
    [
        "found = jnp.linalg.lstsq(table[m], y[m], rcond=None)\n    return found[0]",
        "slope, start = jnp.polyfit(x[m], y[m], deg=1)\n    return slope, start",
    ],
)
def test_fits_whose_result_is_named_or_whose_degree_is(fit):
    source = f"def f(x, y):\n    m = y > 1\n    table = jnp.array([jnp.ones_like(x), x]).T\n    {fit}\n"
    x, y = jnp.arange(8.0), jnp.array([5.0, 4.9, 4.8, 4.6, 4.2, 3.3, 2.0, 0.1])
    assert check(source, (x, y), (x, y[::-1]), (x, y + 1)).rewrites[0].verified


@pytest.mark.parametrize("used", ["rest", "sizes"])
def test_what_a_fit_gives_beside_its_solution_is_that_of_all_rows(used):
    """However the names begin. What is not read may have any name."""
    fit = "w, _rest, _rank, _sizes = jnp.linalg.lstsq(a[m], y[m])"
    a, y = jnp.arange(8.0).reshape(4, 2) ** 2, jnp.array([1.0, -1.0, 2.0, 3.0])
    source = "def f(a, y, t):\n    m = y > t\n    {}\n    return w{}\n"
    assert "where" not in offered(source.format(fit, f", _{used}"), a, y, 0.0)
    assert "where" not in offered(source.format(fit.replace("w, _rest", "*w"), "[0]"), a, y, 0.0)
    assert "where" in offered(source.format(fit.replace("_r", "r"), ""), a, y, 0.0)


@pytest.mark.parametrize("spread", ["jnp.cov(x[m], rowvar=False)", "jnp.cov(x[m], rowvar=False, ddof=0)"])
def test_rows_that_are_selected_vary_together(spread):
    source = f"def f(x, t):\n    m = x[:, 0] > t\n    return {spread}\n"
    x = jnp.arange(12.0).reshape(6, 2) ** 1.5
    assert check(source, (x, 3.0), (x[::-1], 3.0), (x.at[2].set(-1.0), -2.0)).rewrites[0].verified


def test_what_is_left_out_where_it_is_found():
    """`if skip is not None and skip in x: x = x[jnp.where(x != skip)]`, and what is raised where nothing is left."""
    source = (
        "def f(x, skip=None):\n    x = x.ravel()\n    if skip is not None and skip in x:\n        x = x[jnp.where(x != skip)]\n"
        "        if len(x) == 0:\n            raise ValueError('nothing is left')\n    order = jnp.argsort(x)\n"
        "    return x[order[0]] + x.mean()\n"
    )
    x = jnp.array([[1.0, 0.0], [4.0, 3.0]])
    found = check(source, (x, 0.0), (x + 1, 0.0), (x, 4.0))
    assert found.rewrites[0].verified and " in x" not in found.rewrites[0].source


def test_the_side_that_no_call_came_to_selects_as_well():
    source = (
        "def f(x, t):\n    if x[1] > t:\n        up, down = sum(x[x > 0]), sum(x[x < 0])\n        if up >= down:\n"
        "            x = x[x >= 0]\n        else:\n            x = x[x < 0]\n    return x[jnp.argmin(jnp.abs(x))]\n"
    )
    x = jnp.array([1.0, -0.2, 0.5, -3.0])
    assert check(source, (x, -1.0), (x, 1.0), (jnp.array([2.0, 0.0, 4.0, 1.0]), -1.0)).rewrites[0].verified


def test_what_is_asked_of_empty_arrays_is_left_out_where_the_rest_fails_there_anyway():
    source = (
        "def f(x, y, t):\n    m = y > t\n    if m.sum() > 0:\n        a = x[m]\n        j = a.argmax()\n"
        "        return a[j], y[m][j]\n    return 0.0, 0.0\n"
    )
    y = jnp.array([2.0, 1.0, 3.0])
    found = check(source, (X[:3], y, 1.5), (X[:3], y, 9.0), (-X[:3], y, 1.5), seconds=10.0).rewrites[0]
    assert ".size else" not in found.source and ".size" not in found.patterns


def test_an_empty_array_is_asked_for_once_around_a_choice():
    source = (
        "def f(x, t):\n    cand = [v for v in x if v > t]\n    if not cand:\n        return t\n    return min(cand)\n",
        "def f(x, t):\n    low = x[x < t]\n    high = x[x >= t]\n    if len(low) == 0 or len(high) == 0:\n"
        "        return 0.0\n    return high.min() - low.max()\n",
    )
    for text in source:
        calls = (X, 1.5), (X, 99.0), (X, -99.0), (X[:0], 1.5)
        found = check(text, *calls, seconds=10.0).rewrites[0].source
        assert found.count(".size") == 1, found


@pytest.mark.parametrize(
    "body",
    [
        "return x.at[where(x < low)].set(low)",
        "i = flatnonzero(x > low)\n    return jnp.median(x[i]) + low",
        "kept = compress(x > low, x)\n    return median(kept) * 2",
        "u = unique(x)\n    total = 0.0\n    for v in u:\n        total += sum(where(v > low, v, low))\n    return total",
    ],
)
def test_functions_of_jax_are_known_by_their_own_names_as_well(body):
    imports = "from jax.numpy import compress, flatnonzero, median, sum, unique, where\n"
    calls = [(jnp.array([3.0, -1.0, 2.0, 2.0]), 0.5), (jnp.array([1.0, 4.0, 9.0]), 2.0)]
    check(f"{imports}def f(x, low):\n    {body}\n", *calls, seconds=5.0)


@pytest.mark.parametrize("body", ["max(x[m])", "min(x[m & (x > 0)])", "max(x[m] * 2, default=0.0)"])
def test_pythons_own_max_of_what_a_mask_of_several_axes_selects(body):
    """NaN stays where it is the first, and of equal ones the first takes the gradient."""
    m, x = jnp.array([[False, True], [True, True]]), jnp.array([[9.0, 2.0], [5.0, 5.0]])
    nan = jnp.array([[9.0, jnp.nan], [5.0, 1.0]])
    found = check(f"def f(m, x):\n    return {body}\n", (m, x), (m, -x + 7), (m, nan), (m, nan[::-1]), seconds=5.0)
    assert "ravel()" in found.rewrites[0].source


@pytest.mark.parametrize(
    "value",
    [
        "jnp.trapezoid(jnp.trim_zeros(x))",
        "jnp.trim_zeros(x, 'f').mean()",
        "len(jnp.trim_zeros(x, trim='b'))",
        "jnp.trim_zeros(x)[-1]",
    ],
)
def test_zeros_are_trimmed_by_a_mask(value):
    check(f"def f(x):\n    return {value}\n", (jnp.array([0.0, 3.0, 0.0, 2.0, 0.0]),), (jnp.array([1.0, 0.0, 0.5, 0.0, 0.0]),))


CROSS_ENTROPY = """
def f(logits, labels, weight=None, ignore=-100, smoothing=0.0):
    logp = jax.nn.log_softmax(logits, axis=-1)
    keep = labels != ignore
    logp, labels = logp[keep], labels[keep]
    nll = -logp[jnp.arange(len(labels)), labels]
    if smoothing > 0:
        nll = (1 - smoothing) * nll - smoothing * logp.mean(axis=-1)
    if weight is not None:
        nll = nll * weight[labels]
        return nll.sum() / weight[labels].sum()
    return nll.mean()
"""


def test_what_a_branch_computes_of_a_selection_is_as_long_as_it():
    """The sides were taken for selections of two lengths, as other numbers fill them. What is looked up by labels is a table:
    it was tried as rows of its own."""
    namespace = define(CROSS_ENTROPY)
    logits, labels = jnp.sin(jnp.arange(24.0)).reshape(6, 4) * 3, jnp.array([0, 3, -100, 1, -100, 2])
    found = propose(namespace["f"], (logits, labels), {})
    assert "fails" not in " ".join(found.rewrites[0].compared.differences)
    weight, others = jnp.array([1.0, 0.5, 2.0, 0.0]), jnp.array([3, 3, 2, -100, 1, 0])
    options = [{}, {"smoothing": 0.1}, {"weight": weight}, {"weight": weight, "smoothing": 0.3}, {"ignore": 3}]
    calls = [(logits * sign, each, given) for sign in (1, -1) for each in (labels, others) for given in options]
    calls = [
        (logits, jnp.clip(labels, 0), given) if "ignore" in given else (logits, labels, given)
        for logits, labels, given in calls
    ]
    wanted = [jax.value_and_grad(namespace["f"])(x, y, **given) for x, y, given in calls]
    with applied(found, namespace):
        got = [jax.jit(jax.value_and_grad(namespace["f"]))(x, y, **given) for x, y, given in calls]
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        assert jnp.allclose(one, other, atol=1e-5)


def test_what_an_elif_asks_of_a_selection_is_counted_before_its_if():
    """No line may stand between the two."""
    source = """
def f(bids, reserve, first=False):
    serious = bids[bids >= reserve]
    if len(serious) == 0:
        return 0.0
    ranked = jnp.sort(serious)[::-1]
    if first:
        pay = ranked[0]
    elif len(ranked) == 1:
        pay = reserve
    else:
        pay = jnp.maximum(ranked[1], reserve)
    return pay
"""
    bids = jnp.array([3.0, 7.5, 5.0])
    check(source, *((bids, jnp.float32(limit)) for limit in (4.0, 1.0, 6.0, 9.0)), seconds=20.0)


def test_what_a_question_of_pythons_own_makes_shorter_may_be_a_window():
    """Its length was known as a difference; behind the branch it is not."""
    source = """
def f(ids, start, end):
    bag = ids[start:end]
    if PADDING is not None:
        bag = bag[bag != PADDING]
    if bag.shape[0] == 0:
        return jnp.float32(0)
    return bag.mean()
"""
    ids = jnp.array([1.0, 2.0, 0.0, 4.0, 0.0])
    calls = [(ids, jnp.array(a), jnp.array(b)) for a, b in ((1, 4), (0, 5), (2, 3), (3, 3))]
    for padding in ("0.0", "None"):
        check(f"PADDING = {padding}\n{source}", *calls, seconds=20.0)


@pytest.mark.parametrize("taken", ["ids[counts > 1]", "ids[(counts > 1) & (ids > 0)]"])
def test_what_a_flag_makes_shorter_is_read_beside_what_it_was_selected_with(taken):
    """`counts` has the mask of `ids` up to there; arrays that are made shorter alike have one together behind it."""
    source = f"""
def f(g, v, drop=False):
    ids, counts = jnp.unique(g, return_counts=True)
    if drop:
        ids = {taken}
        rows = jnp.isin(g, ids)
        v, g = v[rows], g[rows]
    out = 0.0
    for i in ids:
        out += v[g == i].mean() ** 2
    return out, len(ids), v.sum()
"""
    v = jnp.arange(5.0)
    groups = [[1, 2, 1, 3, 3], [0, 0, 0, 1, 2], [1, 2, 3, 4, 5], [2, 2, 2, 2, 2]]
    check(source, *((jnp.array(g), v, drop) for g in groups for drop in (True, False)), static=("drop",), seconds=20.0)


def test_what_a_flag_makes_whole_again_has_no_mask_behind_it():
    source = """
def f(g, v, drop=False):
    ids, counts = jnp.unique(g, return_counts=True)
    if drop:
        ids = jnp.arange(3)
    out = 0.0
    for i in ids:
        out += v[g == i].sum() ** 2
    return out
"""
    found = propose(define(source)["f"], (jnp.array([1, 2, 1, 0]), jnp.arange(4.0), True), {}, (), ("drop",), seconds=8.0)
    assert found.rewrites or any("length" in each for each in found.obstacles)


def test_a_flag_that_is_left_out_is_followed_where_no_call_comes():
    """What picks there is known for a mask by its text; so the flag may be given, and it is said that it is static."""
    source = """
def f(g, v, drop=False):
    ids, counts = jnp.unique(g, return_counts=True)
    if drop:
        ids = ids[counts > 1]
        rows = jnp.isin(g, ids)
        v, g = v[rows], g[rows]
    out = 0.0
    for i in ids:
        out += v[g == i].mean() ** 2
    return out, len(ids)
"""
    namespace = define(source)
    calls = [(jnp.array(g), jnp.arange(4.0)) for g in ([1, 2, 1, 3], [3, 3, 0, 1], [0, 0, 2, 2])]
    found = diagnose(namespace["f"], *calls[0])
    rewrite = found.rewrites[0]
    assert "drop" in rewrite.static_argnames and "so that it may be given" in found.reason
    wanted = [namespace["f"](*args, drop) for args in calls for drop in (False, True)]
    exec(rewrite.sources["f"], namespace)
    fixed = jax.jit(namespace["f"], static_argnames="drop")
    got = [fixed(*args, drop=drop) for args in calls for drop in (False, True)]
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other)


def test_what_one_side_makes_whole_and_the_other_shorter_has_no_mask_for_both():
    source = """
def f(x, w, long=False):
    v = x[x > 0]
    if long:
        v = v[v > 1]
    else:
        v = w
    return v.sum() / len(v)
"""
    x, w = jnp.array([1.0, -2.0, 3.0, 2.0]), jnp.arange(3.0)
    for long in (True, False):
        found = propose(define(source)["f"], (x, w, long), {}, (), ("long",), seconds=8.0)
        assert not found.rewrites and any("a length that depends on data" in each for each in found.obstacles)


LOGITS = jnp.array([[2.0, 0.1, -1.0], [0.3, 0.2, 0.9], [-1.0, 3.0, 0.0], [0.0, 0.0, 0.0], [1.5, -0.5, 0.2]])
LABELS = [(LOGITS, jnp.array(t)) for t in ([0, 2, 1, -1, 1], [-1, 0, -1, -1, 2], [0, 1, 2, 0, 1])]


@pytest.mark.parametrize(
    "body",
    [
        "-(jax.nn.one_hot(t, 3) * jax.nn.log_softmax(x)).sum(-1).mean()",
        "-(jax.nn.one_hot(t, 3, dtype=jnp.float32, axis=-1) * x).sum(axis=1).sum()",
        "jax.nn.one_hot(t, 3).T @ x",
        "jnp.zeros(5).at[valid].set((jax.nn.one_hot(t, 3) * x).sum(-1))",
        "jax.vmap(lambda row, k: jax.nn.log_softmax(row)[k])(x, t).mean()",
        "jax.vmap(lambda row, k: row[k] * 2, in_axes=(0, 0))(x, t).sum()",
    ],
)
def test_rows_of_a_selection_beside_its_labels(body):
    """`one_hot` gives each label a row, and `vmap` takes rows of several axes: both were taken for elements."""
    source = (
        f"def f(logits, targets):\n    valid = targets >= 0\n    x = logits[valid]\n    t = targets[valid]\n    return {body}\n"
    )
    found = check(f"import jax\nimport jax.numpy as jnp\n{source}", *LABELS).rewrites[0]
    assert "where" in found.patterns


@pytest.mark.parametrize(
    "made",
    [
        "jax.vmap(lambda a, b: (a - b).sum(), in_axes=(None, 0))(near[:, 0], y)",
        "jax.vmap(lambda row: row * 2, 0, 1)(near).sum(0)",
    ],
)
def test_what_vmap_hands_to_every_row_or_gives_in_columns_is_no_row(made):
    source = f"import jax\ndef f(x, y):\n    near = x[x[:, 0] > 0]\n    return {made}\n"
    x = jnp.array([[1.0, 2.0], [-1.0, 0.5], [2.0, 4.0]])
    assert "where" not in offered(source, x, jnp.array([0.5, 1.0, 3.0]))


def test_one_hot_of_whole_numbers_stays_whole():
    source = (
        "import jax\ndef f(logits, targets):\n    t = targets[targets >= 0]\n"
        "    return jax.nn.one_hot(t, 3, dtype=int).max(0), jax.nn.one_hot(t, 3, dtype=int).sum(0)\n"
    )
    found = check(source, *LABELS).rewrites[0]
    assert "inf" not in found.source


@pytest.mark.parametrize("given", [None, jnp.array([0.2, 0.5, 0.7])])
def test_a_selection_in_the_place_of_what_is_left_out(given):
    """`if limits is None: limits = jnp.unique(x)`: a mask for those that are given was asked of None."""
    source = """
import jax.numpy as jnp
def f(x, y, limits=None):
    if limits is None:
        limits = jnp.unique(x)
    best, at = -1.0, 0.5
    for t in limits:
        hit = ((x >= t) & (y == 1)).mean()
        if hit > best:
            best, at = hit, t
    return at, best
"""
    x = jnp.array([0.1, 0.4, 0.35, 0.8, 0.65, 0.4])
    calls = [(x, jnp.array([0, 0, 1, 1, 1, 0])), (x[::-1], jnp.array([1, 0, 0, 1, 0, 0])), (x, jnp.zeros(6, int))]
    more = () if given is None else (given,)
    check(source, *((*call, *more) for call in calls), seconds=8.0)


def test_first_and_last_at_once():
    """`np.where(rows)[0][[0, -1]]`, as boxes of masks are found: places in a list were compared with 0."""
    source = """
import numpy as np
import jax.numpy as jnp
def f(mask):
    rows = np.any(mask, axis=1)
    if not rows.any():
        return jnp.array([0, 0])
    low, high = np.where(rows)[0][[0, -1]]
    return jnp.array([low, high])
"""
    mask = jnp.zeros((4, 3), bool).at[1, 2].set(True).at[2, 0].set(True)
    check(source, (mask,), (~mask,), (mask & False,), seconds=8.0)


@pytest.mark.parametrize(
    "chosen",
    ["kept[:, 0] <= 1", "kept[:, 0] ** 2 + kept[:, 1] ** 2 <= 1", "jnp.hypot(kept[:, 0], kept[:, 1]) < 1", "r <= 1"],
)
@pytest.mark.parametrize("end", ["len(hits) / max(len(kept), 1)", "hits.sum()", "(hits[:, 1] - 1).sum() * len(hits)"])
def test_rows_that_a_test_of_their_own_columns_selects_again(chosen, end):
    """A mask of rows was one of a length that no array holds."""
    source = "def f(s):\n    kept = s[jnp.all(s >= 0, axis=1)]\n    r = kept[:, 0] + kept[:, 1]\n"
    source += f"    hits = kept[{chosen}]\n    return {end}\n"
    s = jnp.array([[0.1, 0.2], [0.9, 0.9], [-0.5, 0.3], [1.5, 0.2], [0.7, 0.8]])
    check(source, (s,), (-s,), (s[:1],), (s * 0.5,), (jnp.abs(s),))


def test_columns_that_a_test_of_rows_selects_are_no_rows():
    # plain Python's mask is as long as the rows that are left; of the columns it selects only where both are equally many
    source = "def f(s):\n    kept = s[:, s[0] >= 0]\n    return kept[kept[:, 0] <= 1].sum()\n"
    s = jnp.array([[0.1, -0.2, 0.4], [0.9, 0.9, 0.3], [1.5, 0.3, 0.1]])
    namespace = define(source)
    found = propose(namespace["f"], (s,), {})
    assert found.rewrites
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            for each in (s, s[::-1], -s + 1):
                np.testing.assert_allclose(jax.jit(namespace["f"])(each), define(source)["f"](each), rtol=1e-5)


def test_an_option_that_stands_for_what_data_tells_may_be_data():
    """`k = x.argmax() if start is None else start`: the slice has to be cured for the data anyway."""
    source = """def f(x, start=None):
    k = jnp.argmax(x) + 1 if start is None else start
    return x[:k].mean()
"""
    namespace = define(source)
    x = jnp.array([1.0, 5.0, 2.0, 3.0])
    rewrite = diagnose(namespace["f"], x).rewrites[0]
    assert not rewrite.static_argnames
    exec(rewrite.source, namespace)
    assert jax.jit(namespace["f"])(x, jnp.array(3)) == pytest.approx(8 / 3)


@pytest.mark.parametrize("order", [1, 3.5, 0, -1, -0.5])
def test_a_norm_whose_order_is_static(order):
    """Zeros add nothing to it; where it is negative, infinities add nothing."""
    source = "def f(x, p=2):\n    return jnp.linalg.norm(x[x > 0], ord=p)\n"
    check(source, *((x, order) for x in (jnp.array([1.0, -2.0, 3.0]), jnp.array([0.5, 2.0, -1.0]))), static=("p",))


@pytest.mark.parametrize(("long", "short"), [("v", "table"), ("table", "v")])
def test_an_array_that_only_adds_up_is_not_as_long_as_repeats(long, short):
    """It has as many elements on this call, by chance."""
    source = f"""
def f(v, table, counts):
    ids = jnp.repeat(jnp.arange(counts.shape[0]), counts)
    e = jnp.exp({long}) / jnp.sum({short})
    return jax.ops.segment_sum(e, ids, num_segments=3)
"""
    first = propose(define(source)["f"], (jnp.arange(6.0), jnp.ones(6), jnp.array([2, 3, 1])), {}).rewrites[0]
    assert f"total_repeat_length={long}.shape[0]" in first.source


def test_the_rank_of_rows_that_were_selected_goes_by_their_number():
    """Of many rows of which few are kept: by all of them a direction that counts would be too small."""
    source = "def f(a, y, keep):\n    w, _, rank, _ = jnp.linalg.lstsq(a[keep], y[keep]{})\n    return keep.sum() - rank\n"
    a = jnp.stack([jnp.ones(3000), jnp.arange(3000.0) % 7 * 2e-5], axis=1)
    calls = (a, jnp.arange(3000.0), jnp.arange(3000) < 6), (a[:40], jnp.arange(40.0), jnp.arange(40) == 3)
    assert define(source.format(""))["f"](*calls[0]) == 4
    found = check(source.format(""), *calls, seconds=20.0)
    assert "rcond=" in found.rewrites[0].source
    assert "where" not in offered(source.format(", rcond=1e-3"), *calls[1])


ROWS_OF_FLOATS = [(jnp.array(row), 2.0) for row in ([1.0, 4.0, 2.5, 0.5, 6.0], [3.0, 3.0, 7.0, 4.0], [0.0, 1.0], [5.0])]


@pytest.mark.parametrize(
    "body",
    [
        "v = x[x > t].tolist()\n    return sum(v) / max(len(v), 1), len(v)",
        "idx = jnp.where(x > t)[0].tolist()\n    return idx[-1] if idx else -1, sum(x[i] for i in idx)",
        "s = 0.0\n    for v in x[x > t].tolist():\n        s = 0.5 * s + v\n    return s",
        "high, low = x[x > t].tolist(), x[x <= t].tolist()\n    return len(high) - len(low), sum(high)",
        "v = sorted(x[x > t].tolist(), reverse=True)\n    return v[0] if v else -1.0, v.count(4.0), 6.0 in v",
        "v = [a * 2 for a in x[x > t].tolist() if a < 5]\n    return jnp.array(v).sum()",
        "u = jnp.unique(x).tolist()\n    return len(u), u[-1]",
    ],
)
def test_what_was_selected_as_a_list(body):
    """`.tolist()` of it was not known, though most code that is not written for JAX goes on with a list."""
    check(f"def f(x, t):\n    {body}\n", *ROWS_OF_FLOATS)


@pytest.mark.parametrize(
    "body",
    [
        "return sum(k * v for k, v in enumerate(x[x > t], 1))",
        "return jnp.array([v / k for k, v in enumerate(x[x > t], start=1)]).sum()",
        "s = 0.0\n    for k, (u, v) in enumerate(zip(x[x > t], -x[x > t]), 2):\n        s = 0.5 * s + k * u - v\n    return s",
        "acc = best = 0\n    for k, v in enumerate(sorted([v for v in x if v > t]), 1):\n        acc += v\n"
        "        if acc > 6:\n            best = k\n            break\n    return best, acc",
    ],
)
def test_what_was_selected_is_counted_from_a_number_on(body):
    """Ranks begin at 1: `enumerate(…, 1)`."""
    check(f"def f(x, t):\n    {body}\n", *ROWS_OF_FLOATS)


def test_a_table_that_was_selected_is_no_list_of_numbers():
    source = "def f(x, t):\n    rows = x[x[:, 0] > t].tolist()\n    return sum(r[1] for r in rows + [[0.0, 1.0]])\n"
    assert not propose(define(source)["f"], (jnp.array([[1.0, 2.0], [3.0, 4.0]]), 2.0), {}).rewrites
