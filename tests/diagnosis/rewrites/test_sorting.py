"""Lists of tuples that are sorted by a traced key."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.proof.differing import Differs
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.verify import compare
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.sandbox.clock import Deadline

from .helpers import applied, check, define

BEAMS = """def f(logp):
    beams = [(0.0, [])]
    for t in range(logp.shape[0]):
        cand = []
        for score, seq in beams:
            for v in range(logp.shape[1]):
                cand.append((score + logp[t, v], seq + [v]))
        {sorted_by}
    return jnp.array(beams[0][1]), beams[0][0]
"""
LOGP = jnp.log(jnp.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]]))


@pytest.mark.parametrize(
    "sorted_by",
    [
        "cand.sort(key=lambda c: c[0], reverse=True)\n        beams = cand[:2]",
        "beams = sorted(cand, key=lambda c: -c[0])[:2]",
    ],
)
def test_a_beam_search_sorts_by_argsort_and_equal_scores_keep_their_order(sorted_by):
    found = check(BEAMS.format(sorted_by=sorted_by), (LOGP,), (LOGP[::-1],), (LOGP * 0,))
    assert "jnp.argsort(" in found.rewrites[0].source


def test_items_of_different_structures_are_left_alone():
    source = BEAMS.format(sorted_by="beams = sorted(cand, key=lambda c: -c[0])[:2]").replace("seq + [v]", "seq + [v] * (v + 1)")
    assert not propose(define(source)["f"], (LOGP,), {}).rewrites


def test_a_list_of_arrays_is_sorted_by_a_function_that_has_a_name():
    """As the corners of a simplex are, which no lambda sorts."""
    source = "def cost(p):\n    return (p[0] - 1.0) ** 2 + (p[1] - p[0]) ** 2\n\n"
    source += "def f(p):\n    corners = [p] + [p.at[i].add(0.5) for i in range(len(p))]\n    corners.sort(key=cost{})\n"
    source += "    return corners[0], corners[-1] - corners[1]\n"
    for order in ("", ", reverse=True"):
        check(source.format(order), (jnp.array([0.0, 1.5]),), (jnp.array([2.0, 2.0]),), (jnp.array([1.5, 0.0]),))


PIXELS, PLACES = jnp.array([3, 1, 200, 7, 9, 3], jnp.uint8), jnp.arange(6)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, y):\n    pairs = [(a, b) for a, b in zip(x, y)]\n    pairs.sort(key=lambda q: q[0], reverse=True)\n"
        "    return jnp.array([b for a, b in pairs])\n",
        "def f(x, y):\n    near = []\n    for i in range(x.shape[0]):\n        near.append((x[i], y[i]))\n"
        "    near = sorted(near, key=lambda q: q[0], reverse=True)[:3]\n    return jnp.array([b for a, b in near])\n",
        "def f(x, y):\n    return max((i for i in range(6) if y[i] > 1), key=lambda i: x[i])\n",
        "def f(x, y):\n    near = []\n    for i in range(x.shape[0]):\n        near.append((x[i], y[i]))\n"
        "    near.sort(reverse=True)\n    return jnp.array([b for a, b in near])\n",
        "def f(x, y):\n    near = []\n    for i in range(x.shape[0]):\n        near.append((x[i], x[i] // 4, y[i]))\n"
        "    near = sorted(near, key=lambda q: (q[1], q[0]), reverse=True)\n    return jnp.array([c for a, b, c in near])\n",
    ],
)
def test_numbers_without_a_sign_are_turned_round_with_zero_among_them(source):
    """The opposite of 0 is 0, which stands before the opposites of all others."""
    check(source, (PIXELS, PLACES), (jnp.array([3, 0, 200, 7, 0, 255], jnp.uint8), PLACES), seconds=20.0)


def test_the_opposite_of_numbers_without_a_sign_is_refused_where_zero_is_not_in_the_call():
    """Of 1 to 200 it has the right order; the comparison has to make a 0."""

    def plain(x):
        return max(range(x.shape[0]), key=lambda i: x[i])

    given = (PIXELS,)
    found = Plain(plain, [], {}, Variations(given, {}, set()), 20.0)
    with pytest.raises(Differs, match="lone"):
        compare(found, lambda each: jnp.argmin(-each.args[0]), {}, Deadline(20.0))
    found = Plain(plain, [], {}, Variations(given, {}, set()), 20.0)
    assert compare(found, lambda each: jnp.argmin(~each.args[0]), {}, Deadline(20.0))[0] > 3


@pytest.mark.parametrize(
    "body",
    [
        "    top = sorted(range(len(x)), key=lambda i: (-x[i], i))[:2]\n    return jnp.array(top), sum(y[i] for i in top)\n",
        "    order = sorted(range(len(x)), key=lambda i: (x[i], -y[i]))\n"
        "    return sum(k * y[i] for k, i in enumerate(order))\n",
        "    near = sorted(x, key=lambda v: (abs(v - y[0]), v))\n    return near[0], near[-1]\n",
    ],
)
def test_the_first_key_decides_and_the_next_where_it_is_equal(body):
    """What is made on the way is made anew for each key."""
    x, y = jnp.array([2, 5, 5, 1, 5]), jnp.array([3.0, 1.0, 4.0, 4.0, 2.0])
    source = f"def f(x, y):\n{body}"
    check(source, (x, y), (x * 0, y), (x[::-1], y), (x.astype(jnp.uint8) * 0, y), seconds=20.0)
    once = "    return sorted((v for v in x), key=lambda v: (-v, v))[0]\n"
    check(f"def f(x, y):\n{once}", (x, y), (x[::-1], y))
    named = "    values = (v for v in x)\n    return sorted(values, key=lambda v: (-v, v))[0]\n"
    assert not propose(define(f"def f(x, y):\n{named}")["f"], (x, y), {}).rewrites


def test_of_numbers_without_a_sign_the_largest_by_two_keys():
    source = "def f(p, x):\n    return max(range(len(p)), key=lambda i: (p[i], x[i]))\n"
    check(source, (PIXELS, PLACES), (jnp.array([3, 0, 200, 7, 0, 200], jnp.uint8)[: PIXELS.size], PLACES), seconds=20.0)


@pytest.mark.parametrize("options", ["", "reverse=True", "key=lambda v: -v"])
def test_what_a_comprehension_keeps_is_sorted_in_place(options):
    """Nothing was found: the list stayed one of a length that depends on data."""
    source = (
        "def f(x):\n    kept = [v for v in x if v > 0.5]\n"
        f"    kept.sort({options})\n    return kept[0] - 2 * kept[-1] if kept else 0.0\n"
    )
    x = jnp.array([1.0, -3.0, 2.5, 0.75])
    assert check(source, (x,), (-x,), (x - 3.0,)).rewrites[0].verified


@pytest.mark.parametrize("how", ["", ", reverse=True", ", key=lambda p: p[1]", ", key=lambda p: p[0], reverse=True"])
def test_two_arrays_that_are_sorted_together(how):
    """Nothing was found, or a split."""
    source = f"def f(a, b):\n    area, before = 0.0, 0.0\n    for v, w in sorted(zip(a, b){how}):\n"
    source += "        area = area * 0.5 + (v - before) * w\n        before = v\n    return area\n"
    a, b = jnp.array([1.0, -2.0, 1.0, 0.5]), jnp.array([3.0, 1.0, -1.0, 1.0])
    check(source, (a, b), (b, a), (a * 0, b), (a, b * 0), (a[:1], b[:1]))


REVERSED = """
def f(a, b):
    ends = [a[1], b[1]]
    if ends[1] < ends[0]:
        ends.reverse()
    starts = [a[0], b[0]]
    if starts[1] < starts[0]:
        starts.reverse()
    return jnp.where(ends[0] > starts[1], ends[0] - starts[1], 0.0) / (ends[1] - starts[0])
"""


def test_a_list_that_is_reversed_in_a_branch():
    """The list made here is chosen as one, either way round; where it has another name, that one would keep its order."""
    calls = [
        (jnp.array(a), jnp.array(b)) for a, b in (([0.5, 2.0], [1.0, 1.5]), ([1.0, 1.5], [0.0, 3.0]), ([0.0, 1.0], [2.0, 3.0]))
    ]
    assert check(REVERSED, *calls, seconds=60.0).rewrites[0].verified
    other = REVERSED.replace("    starts = ", "    kept = ends\n    starts = ", 1).replace("(ends[1]", "(kept[1]")
    assert not propose(define(other)["f"], calls[0], {}, seconds=60.0).rewrites


@pytest.mark.parametrize(
    "asked", ["sorted(x) == [1, 10]", "sorted(x) != sorted(y)", "y.tolist() == [10, 1]", "list(x) == [1, 10]"]
)
def test_lists_of_the_numbers_of_arrays_are_compared(asked):
    source = f"def f(x, y):\n    if {asked}:\n        return 1.5\n    return 1.0\n"
    ten, other = jnp.array([10, 1]), jnp.array([1, 10])
    assert check(source, (ten, other), (other, ten), (ten, ten + 1)).rewrites[0].verified
    if "list(x)" not in asked:  # lists that are not equally long are told apart without a look at what they hold
        longer = jnp.array([1, 10, 3])
        assert check(source, (longer, ten), (longer, other)).rewrites[0].verified


@pytest.mark.parametrize(
    "end",
    [
        "sorted((float(u), float(v)) for u, v in zip(x, y))[0][1]",
        "sum(v for _, v in sorted([(-u.item(), int(v)) for u, v in zip(x, y)], reverse=True)[:2])",
        "sorted(zip(x.tolist(), y.tolist()))[-1][1]",
        "[i for _, i in sorted((float(v), i) for i, v in enumerate(x))[:2]]",
    ],
)
def test_pairs_of_numbers_that_are_made_one_by_one_are_sorted_together(end):
    """Of `sorted(zip(x, y))` a rewrite was known; the numbers of Python's came to one array, of which the rows were sorted."""
    x, y = jnp.array([3.0, 1.0, 3.0, 2.0]), jnp.array([4, 7, 1, 5])
    check(f"def f(x, y):\n    return {end}\n", (x, y), (-x, y), (y * 1.0, y), seconds=20.0)


@pytest.mark.parametrize(
    "body",
    [
        "out = sorted(zip(a, b), key=lambda p: -p[1])\n    return out[0][0], out[-1][1]",
        "total = 0.0\n    for k, v in sorted(zip(a, b), key=lambda p: p[1] / p[0])[:2]:\n        total += v - k\n"
        "    return total",
        "best = sorted(enumerate(a), key=lambda p: p[1], reverse=True)[:2]\n    return [i for i, _ in best]",
        "pairs = sorted(zip(a, b), key=lambda t: (t[0], -t[1]))\n    return pairs[-1]",
    ],
)
def test_what_zip_and_enumerate_give_is_sorted_by_a_key(body):
    calls = [([1.0, 7, 3, 7], [1.0, 2, 3, 4]), ([1.0, 1, 1, 1], [2.0, 2, 3, 1]), ([4.0, 3, 2, 1], [1.0, 2, 2, 2])]
    check(f"def f(a, b):\n    {body}\n", *((jnp.array(a), jnp.array(b)) for a, b in calls), seconds=10.0)


ROWS = jnp.array([[4.0, 7.0], [1.0, 3.0], [5.0, 6.0], [1.0, 2.0]])


@pytest.mark.parametrize("rows", ["sorted(x.tolist())", "sorted(x.tolist(), reverse=True)", "sorted((2 * x).tolist())"])
def test_rows_in_the_order_of_lists(rows):
    """An array of rows was sorted as one of numbers would be, row by row, which is something else."""
    source = (
        f"def f(x):\n    total, end = 0.0, -jnp.inf\n    for lo, hi in {rows}:\n        if lo > end:\n"
        "            total += hi - lo\n            end = hi\n    return total, end\n"
    )
    found = check(source, (ROWS,), (ROWS[::-1],), (ROWS[:, ::-1],), (jnp.round(ROWS / 4),))
    assert "jnp.lexsort(" in found.rewrites[0].source


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("sorted(x.tolist())", "[rows[0]]"),
        ("x[jnp.argsort(x[:, 0])]", "[list(rows[0])]"),
        ("sorted(x, key=lambda row: row[0])", "[list(rows[0])]"),
    ],
)
def test_intervals_are_merged_in_their_order(order, first):
    source = (
        f"def f(x):\n    rows = {order}\n    merged = {first}\n    for lo, hi in rows[1:]:\n"
        "        if lo <= merged[-1][1]:\n            merged[-1][1] = max(merged[-1][1], hi)\n"
        "        else:\n            merged.append([lo, hi])\n"
        "    return sum(hi - lo for lo, hi in merged), len(merged)\n"
    )
    check(source, (ROWS,), (ROWS[::-1],), (jnp.array([[0.0, 2.0], [1.0, 3.0], [5.0, 6.0]]),), seconds=30.0)


def test_a_row_that_is_changed_in_two_lists_is_not_changed_in_one():
    """`merged[0]` is `rows[0]`."""
    source = (
        "def f(x):\n    rows = sorted(x.tolist())\n    merged = [rows[0]]\n    for lo, hi in rows[1:]:\n"
        "        if lo <= merged[-1][1]:\n            merged[-1][1] = max(merged[-1][1], hi)\n"
        "        else:\n            merged.append([lo, hi])\n    return len(merged), rows[0][1]\n"
    )
    assert not propose(define(source)["f"], (ROWS,), {}).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "order = sorted(range(len(x)), key=strength, reverse=True)\n    return jnp.array(order), x[jnp.array(order)]",
        "rows = list(range(len(x)))\n    rows.sort(key=strength)\n    return jnp.array(rows)",
        "return max(range(len(x)), key=strength)",
    ],
)
def test_the_parts_that_a_function_of_its_own_returns_are_keys(body):
    """They were stacked to a table, which has no order of its rows."""
    source = f"def f(x, y):\n    def strength(i):\n        return y[i], -x[i]\n\n    {body}\n"
    x, y = jnp.array([3.0, 1.0, 2.0, 5.0]), jnp.array([1, 0, 1, 1])
    check(source, (x, y), (-x, y), (x, y * 0), (x * 0, y))


@pytest.mark.parametrize(
    "made",
    [
        "events = sorted([(s, 1) for s in x] + [(e, -1) for e in y])",
        "events = [(s, 1) for s in x] + [(e, -1) for e in y]\n    events.sort()",
        "events = []\n    for s, e in zip(x, y):\n        events.append((s, 1))\n        events.append((e, -1))\n"
        "    events.sort()",
        "events = [(e, -1) for e in y] + [(s, 1) for s in x]\n    events = sorted(events, reverse=True)[::-1]",
    ],
)
def test_tuples_are_in_the_order_of_all_their_parts(made):
    """Two at the same time: the one that ends comes first."""
    source = (
        f"def f(x, y):\n    {made}\n    now = most = 0\n    for _, step in events:\n        now += step\n"
        "        most = max(most, now)\n    return most\n"
    )
    x, y = jnp.array([1, 2, 4, 3]), jnp.array([3, 5, 6, 4])
    check(source, (x, y), (x, x + 1), (x[::-1] * 2, y + 4))


@pytest.mark.parametrize("text", ["sorted(range(len(s)), key=lambda i: s[i], reverse=down)", "sorted(s, reverse=down)"])
@pytest.mark.parametrize("default", ["True", "False"])
def test_an_order_that_an_option_says(text, default):
    source = f"def f(s, down={default}):\n    order = {text}\n    return order[0], order[-1]\n"
    found = check(source, *((each,) for each in (jnp.array([3.0, 1.0, 2.0, 3.0]), jnp.array([1, 1, 4]), jnp.array([7.0]))))
    namespace = define(source)
    for down in (True, False):
        with applied(found, namespace):
            got = jax.jit(namespace["f"], static_argnames="down")(jnp.array([3.0, 1.0, 2.0, 3.0]), down)
        want = define(source)["f"](jnp.array([3.0, 1.0, 2.0, 3.0]), down)
        assert [float(each) for each in got] == [float(each) for each in want]


MERGED = """
def f(starts, ends):
    merged = []
    for lo, hi in {}:
        if merged and lo <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], hi))
        else:
            merged.append((lo, hi))
    lengths = [hi - lo for lo, hi in merged]
    return sum(lengths), len(merged), max(lengths, default=0)
"""


@pytest.mark.parametrize("order", ["sorted(zip(starts, ends))", "spans"])
def test_spans_that_are_merged_in_their_order(order):
    """Neither was answered in time: what was put in the list was an int where another call has floats."""
    source = MERGED.format(order)
    if order == "spans":
        line = "    spans = sorted((min(s, e), max(s, e)) for s, e in zip(starts, ends))\n"
        source = source.replace("    merged = []\n", f"{line}    merged = []\n")
    s, e = jnp.array([10, 1, 30, 4, 12, 50]), jnp.array([15, 5, 35, 8, 22, 55])
    calls = [(s, e), (s / 4, e / 4), (s[:1], e[:1]), (s * 0, e), (e - 20, e)]
    found = check(source, *calls, seconds=8)
    assert "jnp.result_type(" in found.rewrites[0].source


def test_generated_pairs_in_the_order_of_all_their_parts():
    source = """
def f(a, b):
    pairs = sorted((p, q - p) for p, q in zip(a, b))
    first, gap = pairs[0]
    for p, d in pairs[1:]:
        if p > first:
            gap += d * (p - first)
            first = p
    return first, gap
"""
    a, b = jnp.array([3.0, 1.0, 3.0, 2.0]), jnp.array([1.0, 5.0, 0.5, 2.0])
    check(source, (a, b), (b, a), (a[:1], b[:1]), (a * 0, b))


@pytest.mark.parametrize(
    "gives",
    [
        "max(zip(x, y))[1]",
        "min(zip(x, y))",
        "max(zip(y, x, range(len(x))))[2]",
        "sum(i * n for n, (_, i) in enumerate(sorted(zip(x, range(len(x))), reverse=True)))",
        "min(zip(x, range(1, len(x) + 1)))[1] if len(x) > 1 else 0",
    ],
)
def test_pairs_of_arrays_and_places(gives):
    """Of equal first numbers the second ones decide."""
    x, y = jnp.array([2.0, 0.5, 2.0, 0.5]), jnp.array([1.0, 4.0, 3.0, -4.0])
    check(f"def f(x, y):\n    return {gives}\n", (x, y), (-x, y), (x[:3], y[1:]), (x[:2], -y[:2]))


def test_rows_in_the_order_of_their_costs_to_which_a_row_is_added():
    """Plain Python has a list there: `+` joins, where an array's would add."""
    source = (
        "def cost(p):\n    return (p[0] - 1.0) ** 2 + p[1] ** 2\n\n\ndef f(simplex):\n    pts = sorted(simplex, key=cost)\n"
        "    centre = sum(pts[:-1]) / (len(pts) - 1)\n    moved = 2 * centre - pts[-1]\n    if cost(moved) >= cost(pts[0]):\n"
        "        return jnp.stack([pts[0]] + [(pts[0] + p) / 2 for p in pts[1:]]), False\n"
        "    return jnp.stack(pts[:-1] + [moved]), True\n"
    )
    first = jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = check(source, (first,), (first[::-1] + 2,), (first * 0.25 - 2,), seconds=10.0)
    assert "list(" in found.rewrites[0].source
