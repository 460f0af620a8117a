"""Lists, deques and sets that a loop fills, where data ends the loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

X = jnp.array([1.0, 3.0, 2.0, -1.0, 5.0])
UNTIL = (
    "def f(x, c):\n    out = []\n    for v in x:\n        c = c - v\n        out.append(c * v)\n"
    "        if c < 0:\n            break\n"
)
CALLS = [(X, jnp.array(5.5)), (X, jnp.array(50.0)), (X[:2], jnp.array(-1.0))]


@pytest.mark.parametrize(
    "end",
    [
        "jnp.stack(out).mean()",
        "len(out)",
        "out[-1] + len(out)",
        "sum(out)",
        "jnp.array(out).max() - out[0]",
        "sum(out) / len(out)",
    ],
)
def test_a_list_that_grows_until_a_break_is_a_buffer_and_its_length(end):
    found = check(f"{UNTIL}    return {end}\n", *CALLS)
    assert "buffer" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    ("check_first", "test"),
    [
        pytest.param(False, "if x[k] > c or k >= n:", id="or"),
        pytest.param(True, "if k > n:", id="first"),
        pytest.param(False, "if x[k] > c:\n            break\n        if k >= n:", id="two"),
    ],
)
def test_a_loop_without_a_test_has_the_rounds_that_its_break_leaves_it(check_first, test):
    """One at least; a check before the counter moves comes one round later."""
    test, moves = f"        {test}\n            break\n", "        k += 1\n"
    body = test + moves if check_first else moves + test
    source = (
        "def f(x, c, n):\n    out = []\n    k = 0\n    while True:\n        out.append(x[k] * c)\n"
        f"        if x[k] > 4:\n            break\n{body}    return jnp.array(out).std(), len(out), out[-1]\n"
    )
    x = jnp.array([1.0, 3.0, 2.0, -1.0, 3.5, 0.5, 2.5])
    check(source, (x, 2.5, 4), (x, 9.0, 5), (x, 9.0, 0), (x, 9.0, -3), (2 * x, 9.0, 3), static=("n",), seconds=30.0)


@pytest.mark.parametrize(
    ("first", "test", "room"),
    [("0", "i <= len(x) - 2", "len(x)"), ("0", "i <= len(x) - 1", "len(x)"), ("1", "i <= len(x) - n", "max(len(x) - n, 1)")],
)
def test_a_counter_that_may_be_at_its_limit_has_one_round_more(first, test, room):
    source = (
        f"def f(x, m, n=2):\n    found = []\n    i = {first}\n    while {test}:\n        if x[i] > m:\n"
        "            found.append(i)\n            i += 2\n        else:\n            i += 1\n"
        "    if not found:\n        return -1, 0\n    return found[0], len(found)\n"
    )
    x = jnp.array([1, 2, 1, 2, 3, 1, 2])
    found = check(
        source, (x, jnp.array(1)), (x, jnp.array(3)), (-x, jnp.array(-3)), (x[1:], jnp.array(0)), (x[:2], jnp.array(0))
    )
    assert f"jnp.zeros({room}, int)" in found.rewrites[0].source


@pytest.mark.parametrize(
    ("loop", "pattern"),
    [
        (UNTIL, "buffer"),
        ("def f(x, c):\n    out = []\n    for v in x:\n        if v > c:\n            out.append(v)\n", "where"),
    ],
)
def test_the_name_of_a_list_may_become_that_of_its_array(loop, pattern):
    found = check(f"{loop}    out = jnp.array(out)\n    return out.mean() + jnp.max(out)\n", (X, jnp.array(2.5)), (X[:2], -4.5))
    assert pattern in found.rewrites[0].patterns


def test_a_list_front_to_back_whose_array_is_changed_under_its_name():
    found = check(
        "def f(r, d, gamma=0.9, scale=False):\n    adv = []\n    a = 0.0\n    for t in reversed(range(len(r))):\n"
        "        if d[t]:\n            a = r[t]\n        else:\n            a = r[t] + gamma * a\n        adv.insert(0, a)\n"
        "    adv = jnp.array(adv)\n    if scale and len(adv) > 1:\n        adv = adv / (adv.std() + 1e-3)\n    return adv\n",
        (jnp.sin(jnp.arange(130.0)), jnp.arange(130) % 7 == 0),
        (X, X > 2),
    )
    assert "buffer" in found.rewrites[0].patterns


def test_a_list_made_before_what_tells_its_length_is_known_moves_behind_it():
    found = check(
        "def f(x, c):\n    out = []\n    # how many\n    n = x.shape[0]\n    for k in range(n):\n        c = c - x[k]\n"
        "        out.append(c)\n        if c < 0:\n            break\n    return sum(out)\n",
        *CALLS,
    )
    assert "    # how many\n    n = x.shape[0]\n    out = jnp.zeros(n" in found.rewrites[0].source


ROWS = (
    "def f(img, t):\n    out = []\n    for i in range(img.shape[0]):\n        row = []\n        for j in range(img.shape[1]):\n"
    "            if img[i, j] > t:\n                row.append(1.0)\n            else:\n"
    "                row.append(img[i, j] / t)\n        out.append(row)\n    return jnp.array(out)\n"
)


def test_rows_that_are_filled_one_by_one_make_an_array_of_rows():
    image = jnp.sin(jnp.arange(600.0)).reshape(20, 30)
    found = check(ROWS, (image, 0.5), (image[:3, :4], -0.2), (image[:1], 2.0))
    assert "jnp.zeros((img.shape[0], img.shape[1]))" in found.rewrites[0].source


def test_windows_of_rows_and_columns_in_two_loops_are_no_pairs_of_places():
    image = jnp.sin(jnp.arange(480.0)).reshape(8, 60)
    windows = ROWS.replace("            if", "            m = img[i : i + 2, j : j + 2].sum()\n            if").replace(
        "img[i, j] / t", "m / t"
    )
    found = check(windows, (image, 0.5), (image[:3, :4], -0.2), (image[:, :45], 0.1))
    assert "[places, :][:, window]" in found.rewrites[0].source


def test_a_row_that_is_changed_later_stays_a_list():
    """An array in the list would not be changed with it."""
    image = jnp.sin(jnp.arange(600.0)).reshape(20, 30)
    changed = ROWS.replace("        out.append(row)\n", "        out.append(row)\n        row[0] = 5.0\n")
    assert not any("buffer" in each.patterns for each in propose(define(changed)["f"], (image, 0.5), {}).rewrites)


def test_such_a_list_that_is_returned_comes_whole_with_its_length():
    namespace = define(f"{UNTIL}    return jnp.array(out)\n")
    found = propose(namespace["f"], CALLS[0], {})
    assert not found.rewrites
    padded = found.unverified[0]
    assert "return out, out_length" in padded.source and "the caller gets the whole array" in padded.reason
    want = [namespace["f"](*args) for args in CALLS]
    exec(padded.source, namespace)
    for args, plain in zip(CALLS, want, strict=True):
        got, length = jax.jit(namespace["f"])(*args)
        np.testing.assert_allclose(got[:length], plain, rtol=1e-6)


def test_a_list_of_ints_that_may_stay_empty_comes_whole():
    """`jnp.array([])` is of floats, whatever would have been in the list."""
    source = (
        "def f(logits, end):\n    tokens = []\n    for step in range(logits.shape[0]):\n"
        "        token = jnp.argmax(logits[step])\n        if token == end:\n            break\n"
        "        tokens.append(token)\n    return jnp.array(tokens), len(tokens)\n"
    )
    rows = jnp.array([[0.1, 2.0, 0.3], [0.0, 0.1, 4.0], [3.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    found = propose(define(source)["f"], (rows, 0), {})
    assert "the caller gets the whole array" in found.unverified[0].reason


def test_two_lists_made_in_one_line_are_filled_below_several_ifs():
    source = (
        "def f(x, low, high):\n    small, big = [], []\n    for v in x:\n        if v > 0:\n            if v < low:\n"
        "                small.append(v)\n            elif v > high:\n                big.append(v)\n"
        "    return len(small), len(big), sum(small) - sum(big)\n"
    )
    check(source, (X, 1.0, 2.5), (-X, 1.0, 2.5), (X, 0.0, 9.0))


def test_rows_are_kept_in_a_buffer_of_their_shape():
    source = (
        "def f(x, c):\n    h = x\n    rows = []\n    while h.sum() > c and len(rows) < 6:\n"
        "        h = h / 2\n        rows.append(h)\n"
        "    return len(rows)\n"
    )
    check(source, (X, jnp.array(1.0)), (X, jnp.array(20.0)))
    uncounted = source.replace("len(rows) < 6", "h.sum() > 0.1").replace("len(rows)\n", "rows[0]\n")
    assert not propose(define(uncounted)["f"], (X, jnp.array(1.0)), {}).rewrites  # nothing counts the rounds
    source = source.replace("    rows = []\n", "    rows = []\n    k = 0\n").replace("len(rows) < 6", "k < 6")
    check(source.replace("rows.append(h)\n", "rows.append(h)\n        k += 1\n"), (X, jnp.array(1.0)), (X, jnp.array(20.0)))


MERGE = (
    "def f(a, b):\n    out = []\n    i = j = 0\n    while i < len(a) and j < len(b):\n        if a[i] <= b[j]:\n"
    "            out.append(a[i])\n            i += 1\n        else:\n            out.append(b[j])\n            j += 1\n{rest}"
)
REST = (
    "    while i < len(a):\n        out.append(a[i])\n        i += 1\n"
    "    while j < len(b):\n        out.append(b[j])\n        j += 1\n"
)
SORTED = [(jnp.array([1.0, 4.0, 6.0]), jnp.array([2.0, 3.0])), (jnp.array([1.0]), jnp.array([2.0, 3.0]))]


@pytest.mark.parametrize(
    "rest", [REST, "    out += list(a[i:])\n    out += list(b[j:])\n", "    out.extend(a[i:])\n    out.extend(b[j:])\n"]
)
def test_two_sorted_arrays_are_merged_into_one_as_long_as_both(rest):
    found = check(MERGE.format(rest=rest + "    return jnp.array(out)\n"), *SORTED)
    assert "jnp.zeros(len(a) + len(b)" in found.rewrites[0].source and "return out\n" in found.rewrites[0].source


def test_a_merge_that_leaves_a_rest_out_has_no_known_length():
    found = propose(define(MERGE.format(rest="    return jnp.array(out)\n"))["f"], SORTED[0], {})
    assert not found.rewrites and "return out, out_length" in found.unverified[0].source


def test_a_deque_is_an_array_that_is_shifted():
    source = (
        "from collections import deque\ndef f(x, tol):\n    recent = deque(maxlen=3)\n    for i in range(len(x)):\n"
        "        recent.append(x[i])\n        if len(recent) == 3 and max(recent) - min(recent) < tol:\n"
        "            return i\n    return -1\n"
    )
    x = jnp.array([1.0, 3.0, 2.0, 2.1, 2.0, 9.0])
    check(source, (x, jnp.array(0.2)), (x, jnp.array(0.001)), (x, jnp.array(50.0)))


RUNS = jnp.array([1, 1, 0, 2, 2, 2, 0, 0, 1])
OTHER_RUNS = [(RUNS[::-1],), (RUNS * 0,), (RUNS[:1],)]


@pytest.mark.parametrize("held", ["[]", "deque()", "deque(maxlen=3)"])
def test_a_list_or_deque_that_is_cleared_holds_nothing(held):
    found = check(
        f"from collections import deque\ndef f(x):\n    run = {held}\n    best = 0\n    for v in x:\n"
        "        if run and v < run[-1]:\n            run.clear()\n        run.append(v)\n"
        "        best = max(best, len(run) + sum(run))\n    return best\n",
        (RUNS,),
        *OTHER_RUNS,
    )
    assert "run_length = 0" in found.rewrites[0].source


def test_a_queue_that_is_cleared_goes_on_behind_what_was_in_it():
    check(
        "from collections import deque\ndef f(x):\n    queue = deque()\n    served = 0\n    for v in x:\n"
        "        queue.append(v)\n        if v == 0:\n            queue.clear()\n        elif len(queue) > 2:\n"
        "            served += queue.popleft()\n    return served, len(queue)\n",
        (RUNS,),
        *OTHER_RUNS,
    )


def test_marks_are_cleared():
    table = jnp.array([5.0, 7.0, 11.0])
    found = check(
        "def f(x, table):\n    seen = set()\n    laps, total = 0, 0.0\n    for v in map(int, x):\n        if v in seen:\n"
        "            seen.clear()\n            laps += 1\n        seen.add(v)\n        total += table[v]\n"
        "    return laps, total, len(seen)\n",
        (RUNS, table),
        *[(x, table) for (x,) in OTHER_RUNS],
    )
    assert "jnp.zeros_like(seen)" in found.rewrites[0].source


KEPT = (
    "def f(x):\n    held = []\n    hits = 0\n    for k in x:\n        if k in held:\n            hits += 1\n"
    "            held.remove(k)\n{more}    return hits, len(held), sum(held)\n"
)


@pytest.mark.parametrize(
    "more",
    [
        "        elif len(held) == 2:\n            held.pop(0)\n        held.append(k)\n",
        "        else:\n            held.append(k)\n",
        "        elif k == 3:\n            held.remove(held[-1])\n        held.append(k)\n",
    ],
)
def test_an_item_that_is_removed_from_a_list_leaves_no_hole(more):
    x = jnp.array([1, 2, 1, 4, 4, 2, 3, 5, 1, 1, 2])
    check(KEPT.format(more=more), (x,), (x[:2],), (x[2:],), (x * 0,))


ANEW = "def f(x):\n    run = []\n    best = {first}\n    for v in x:\n{body}    return {result}\n"
LEFT = "        if run and v != run[-1]:\n            run = []\n        run.append(v)\n"
SUMMED = "        if v == 0:\n            best += sum(run)\n            run = []\n        else:\n            run.append(v)\n"


@pytest.mark.parametrize(
    ("body", "result"),
    [(f"{LEFT}        best = max(best, len(run))\n", "best"), (SUMMED, "best"), (LEFT, "jnp.array(run).sum()")],
)
def test_a_list_that_a_loop_makes_anew_is_emptied(body, result):
    found = check(ANEW.format(first=0, body=body, result=result), (RUNS,), *OTHER_RUNS)
    assert "buffer" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (f"{LEFT}        if len(run) > len(best):\n            best = run\n", "sum(best)"),
        (f"{LEFT}        best = max(run, best, key=len)\n", "sum(best)"),
        (f"{LEFT}        best.append(run)\n", "sum(sum(each) for each in best)"),
    ],
)
def test_a_list_that_something_else_holds_is_not_emptied(body, result):
    assert "run_length" not in str(
        propose(define(ANEW.format(first="[]", body=body, result=result))["f"], (RUNS,), {}).rewrites
    )


VISITED = (
    "def f(links, start):\n    seen = set()\n    at = start\n    while at not in seen:\n"
    "        seen.add(at)\n        at = {next}\n"
    "    return len(seen)\n"
)


def test_a_set_of_places_that_were_visited_is_a_mask():
    links = jnp.array([1, 2, 0, 4, 3])
    found = check(VISITED.format(next="int(links[at])"), *[(links, k) for k in (0, 3)])
    assert "seen = jnp.zeros(links.shape[0], bool)" in found.rewrites[0].source


def test_a_set_of_numbers_that_are_no_places_stays():
    """Nothing says how large they become."""
    assert not propose(define(VISITED.format(next="int(links.sum() + at) % 7"))["f"], (jnp.arange(5), 1), {}).rewrites


def test_nan_among_what_a_loop_kept_is_nan_in_its_median_below_vmap_as_well():
    source = (
        "def one(x, c):\n    out = []\n    i = 0\n    while i < len(x) and c > 0:\n        c = c - jnp.abs(x[i])\n"
        "        out.append(x[i])\n        i += 1\n    return jnp.median(jnp.array(out))\n\n"
        "def f(xs, c):\n    return jax.vmap(one, in_axes=(0, None))(xs, c)\n"
    )
    namespace = define(source)
    rows = jnp.array([[1.0, 2.0, 3.0], [0.5, 4.0, 9.0]])
    with applied(propose(namespace["f"], (rows, jnp.array(4.0)), {}), namespace):
        got = jax.jit(namespace["f"])(rows.at[0, 1].set(jnp.nan), jnp.array(4.0))
    assert jnp.isnan(got[0]) and got[1] == 2.25


RETURNED = {
    "filtered": "    out = []\n    for v in x:\n        if v > 0:\n            out.append(v * 2)\n    return out\n",
    "ended by a sum that begins as a number": (
        "    s = 0.0\n    out = []\n    for v in x:\n        s = s + v\n        out.append(s)\n        if s > 3:\n"
        "            break\n    return out, s\n"
    ),
    "two": (
        "    up, down = [], []\n    for v in x:\n        if v > 0:\n            up.append(v)\n        else:\n"
        "            down.append(-v)\n    return up, down\n"
    ),
}


@pytest.mark.parametrize("body", RETURNED.values(), ids=RETURNED)
def test_a_list_that_is_returned_comes_as_an_array_with_its_count(body):
    namespace = define(f"def f(x):\n{body}")
    plain = namespace["f"]
    found = propose(plain, (jnp.array([1.0, -2.0, 3.0, 4.0]),), {})
    padded = found.unverified[0]
    assert not found.rewrites and padded.padded and "in the place of a list" in padded.reason
    exec(compile(padded.source, "<padded>", "exec"), namespace)
    for x in (jnp.array([1.0, -2.0, 3.0, 4.0]), jnp.array([-1.0, -2.0]), jnp.array([5.0, 1.0, 1.0])):
        want, got = plain(x), jax.jit(namespace["f"])(x)
        lists = want if isinstance(want, tuple) else (want,)
        lists = [each for each in lists if isinstance(each, list)]
        for array, count, each in zip(got, got[-len(lists) :], lists, strict=False):
            np.testing.assert_allclose(array[: int(count)], each)


TOUR = """
def f(D):
    n = D.shape[0]
    tour = [0]
    left = set(range(1, n))
    while left:
        last = tour[-1]
        near = min(left, key=lambda j: D[last, j])
        tour.append(near)
        left.remove(near)
    return jnp.array(tour)
"""
NEAR = jnp.array([[0.0, 2.0, 9.0, 1.0], [2.0, 0.0, 6.0, 4.0], [9.0, 6.0, 0.0, 3.0], [1.0, 4.0, 3.0, 0.0]])


def test_a_set_of_numbers_of_which_each_round_takes_one_out_has_as_many_rounds():
    """The first of the nearest is taken, also where all that are left are equally far or unreachable."""
    far = jnp.full((3, 3), jnp.inf)
    found = check(TOUR, (NEAR,), (NEAR[:3, :3],), (far,), (jnp.zeros((5, 5)),), (NEAR[:1, :1],))
    assert "for _ in range(n - 1):" in found.rewrites[0].source


def test_a_set_that_some_rounds_leave_as_it_is_has_no_known_number_of_rounds():
    source = TOUR.replace("left.remove(near)", "if D[last, near] > 0:\n            left.remove(near)")
    assert not any("range(n - 1):" in each.source for each in propose(define(source)["f"], (NEAR,), {}).rewrites)


def test_the_first_of_the_least_among_those_that_pass_a_test():
    source = (
        "def f(x, taken):\n    return min((i for i in range(x.shape[0]) if not taken[i]), key=lambda i: x[i]), "
        "max((i for i in range(x.shape[0]) if taken[i] != 0), key=lambda i: x[i])\n"
    )
    x, taken = jnp.array([jnp.inf, 2.0, 2.0, -1.0]), jnp.array([0, 1, 0, 1])
    check(source, (x, taken), (x, 1 - taken), (jnp.full(4, jnp.inf), taken), (-x, taken))


def test_an_array_that_a_loop_makes_longer():
    source = (
        "def f(x0, us, limit=3.0):\n    path = jnp.array([x0])\n    for u in us:\n        x = 0.9 * path[-1] + u\n"
        "        path = jnp.concatenate([path, jnp.array([x])])\n        if x > limit:\n            break\n"
        "    return path.max(), path.shape[0]\n"
    )
    us = jnp.array([0.5, 1.0, 2.0, 0.25, 0.5])
    found = check(source, (0.5, us), (0.5, us / 10), (5.0, us), seconds=30.0)
    assert "path = path.at[path_length].set(x)" in found.rewrites[0].source


def test_an_argument_that_a_loop_makes_longer():
    source = (
        "def f(table, tokens, n=3):\n    start = tokens.shape[0]\n    for _ in range(n):\n"
        "        new = table[tokens[-1]]\n        tokens = jnp.append(tokens, new)\n        if new == 0:\n            break\n"
        "    return tokens[-1], len(tokens) - start, tokens.sum()\n"
    )
    table = jnp.array([1, 2, 3, 0])
    found = check(source, (table, jnp.array([1])), (table, jnp.array([2, 2])), (table, jnp.array([0])), seconds=30.0)
    assert "jnp.concatenate([tokens, jnp.zeros(n, tokens.dtype)])" in found.rewrites[0].source


def test_a_list_that_begins_as_an_array():
    source = (
        "def f(prompt, x):\n    seen = list(prompt)\n    for v in x:\n        if v > 0:\n            seen.append(v)\n"
        "    return sum(seen), len(seen), seen[-1]\n"
    )
    x = jnp.array([1.0, -2.0, 3.0])
    found = check(source, (x, -x), (x, x), (x, x * 0), seconds=30.0)
    assert "seen = jnp.concatenate([prompt, jnp.zeros(len(x), prompt.dtype)])" in found.rewrites[0].source


def test_integers_put_behind_an_empty_array_of_floats_stay_floats():
    """`jnp.array([])` is of floats, and so is all that is put behind it: a list would hold integers."""
    source = (
        "def f(n):\n    out = jnp.array([])\n    for i in range(5):\n        out = jnp.append(out, i * n)\n"
        "        if n * i > 3:\n            break\n    return out.sum()\n"
    )
    found = propose(define(source)["f"], (jnp.array(2),), {})
    assert all("out.append" not in rewrite.source for rewrite in found.rewrites)


NEAREST = (
    "def f(w, start):\n    n = w.shape[0]\n    dist = jnp.full(n, jnp.inf).at[start].set(0.0)\n    left = set(range(n))\n"
    "    while left:\n        u = min(left, key=lambda i: dist[i])\n        left.remove(u)\n        for v in left:\n"
    "            if dist[u] + w[u, v] < dist[v]:\n                dist = dist.at[v].set(dist[u] + w[u, v])\n    return dist\n"
)
WAYS = jnp.abs(jnp.sin(jnp.arange(16.0).reshape(4, 4) + 0.3))


@pytest.mark.slow
def test_a_loop_over_the_numbers_that_are_left_in_a_set():
    found = check(NEAREST, (WAYS, 0), (WAYS, 3), (WAYS[:3, :3], 1))
    assert "left = jnp.ones(n, bool)" in found.rewrites[0].source


def test_a_list_that_its_own_loop_makes_shorter_is_not_taken_for_the_numbers_left():
    source = (
        "def f(x):\n    left = list(range(6))\n    n = 0\n    for i in left:\n        if x[i] > 0:\n"
        "            left.remove(i)\n            n += i\n    return n\n"
    )
    assert not propose(define(source)["f"], (jnp.array([1.0, -1.0, 2.0, 3.0, -2.0, 1.0]),), {}).rewrites


def test_a_search_whose_marks_are_a_set_of_its_start():
    source = (
        "from collections import deque\ndef f(adj, goal):\n    seen = set([0])\n    queue = deque([(0, 0)])\n    while queue:\n"
        "        u, d = queue.popleft()\n        if u == goal:\n            return d\n        for v in range(adj.shape[0]):\n"
        "            if adj[u, v] > 0 and v not in seen:\n                seen.add(v)\n"
        "                queue.append((v, d + 1))\n    return -1\n"
    )
    ring = jnp.roll(jnp.eye(4, dtype=int), 1, 1)
    found = check(source, (ring, 2), (ring * 0, 3), (ring, 0))
    assert "seen = jnp.zeros(adj.shape[1], bool).at[0].set(True)" in found.rewrites[0].source


ASKED = (
    "def f(x, t):\n    path = [x]\n    steps = [t]\n    while x < 20.0 and t < 9.0:\n        x = x * 1.5 + t\n"
    "        t = t - x * 0.1\n        path.append(x - t)\n        steps.append(t)\n    return "
)


@pytest.mark.parametrize(
    "asked", ["len(path)", "sum(path), len(path)", "max(path), min(steps)", "path[-1] + steps[-1]", "sum(steps) / len(steps)"]
)
def test_a_list_of_which_a_few_numbers_are_asked_may_be_as_long_as_data_wants(asked):
    numbers = [(jnp.array(1.5), jnp.array(0.5)), (jnp.array(30.0), jnp.array(0.5)), (jnp.array(0.1), jnp.array(2.0))]
    assert ".append" not in check(ASKED + asked + "\n", *numbers).rewrites[0].source


@pytest.mark.parametrize("asked", ["path", "path[0]", "max(path, default=0.0)", "[v * 2 for v in path]"])
def test_a_list_of_which_more_is_asked_needs_its_items(asked):
    assert not propose(define(ASKED + asked + "\n")["f"], (jnp.array(1.5), jnp.array(0.5)), {}).rewrites


@pytest.mark.parametrize("asked", ["max(path)", "min(path)", "path[-1]", "max(path) - min(path), len(path)"])
def test_what_is_asked_of_a_list_that_may_be_empty_is_kept_and_that_is_said(asked):
    """Of an empty one plain Python raises."""
    numbers = [(jnp.array(1.5), jnp.array(0.5)), (jnp.array(0.1), jnp.array(2.0)), (jnp.array(-1.5), jnp.array(1.0))]
    found = check(ASKED.replace("path = [x]", "path = []") + asked + "\n", *numbers).rewrites[0]
    assert ".append(x - t)" not in found.source
    assert any("asked of path while it is empty, plain Python raises" in each for each in found.compared.differences)


def test_the_largest_of_an_empty_list_of_arrays_is_not_known():
    source = ASKED.replace("path = [x]", "path = []").replace("x - t", "jnp.stack([x, t])") + "path[-1]\n"
    assert not propose(define(source)["f"], (jnp.array(1.5), jnp.array(0.5)), {}).rewrites


def test_the_largest_of_a_list_that_may_be_empty_or_what_a_handler_gives():
    """Whether it holds anything is asked first."""
    source = ASKED.replace("path = [x]", "path = []").replace("return ", "try:\n        return ")
    source += "max(path)\n    except ValueError:\n        return -1.0\n"
    calls = [(jnp.array(x), jnp.array(t)) for x, t in ((1.5, 0.5), (30.0, 0.5), (0.1, 2.0))]
    assert [float(define(source)["f"](*each)) == -1.0 for each in calls] == [False, True, False]
    check(source, *calls, seconds=20.0)


SAMPLED = """
def f(key, n):
    kept, tries = [], 0
    while len(kept) < n:
        key, own = jax.random.split(key)
        v = jax.random.uniform(own)
        tries += 1
        if v > 0.4:
            kept.append(v)
    return jnp.array(kept), tries
"""


def test_a_list_whose_loop_ends_when_it_is_full_is_an_array_of_that_length():
    """It was one of unknown length: split, or padded."""
    found = check(SAMPLED, (jax.random.key(1), 3), (jax.random.key(2), 5), (jax.random.key(3), 1), static=("n",))
    assert "kept = jnp.zeros(n)" in found.rewrites[0].source and "return kept, tries" in found.rewrites[0].source


@pytest.mark.parametrize("left", ["if tries > 4:\n            break", "if tries > 4:\n            kept.pop()", "n -= 1"])
def test_a_list_that_may_not_be_full_in_the_end_is_none(left):
    source = SAMPLED.replace("tries += 1", "tries += 1\n        " + left)
    assert not propose(define(source)["f"], (jax.random.key(1), 3), {}, (), ("n",)).rewrites


TAILS = (
    "def f(a):\n    tails = []\n    for x in a:\n        lo, hi = 0, len(tails)\n        while lo < hi:\n"
    "            mid = (lo + hi) // 2\n            if tails[mid] < x:\n                lo = mid + 1\n            else:\n"
    "                hi = mid\n        if lo == len(tails):\n            tails.append(x)\n        else:\n"
    "            tails[lo] = x\n    return len(tails)\n"
)
NUMBERS = jnp.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0])


def test_items_of_a_growing_list_at_places_that_are_never_negative():
    check(TAILS, (NUMBERS,), (NUMBERS[::-1],), (NUMBERS[:1],), (NUMBERS * 0,))


def test_items_at_places_that_may_count_from_the_end_are_read_from_there():
    """Behind what counts a buffer has room, from whose end nothing is counted."""
    source = (
        "def f(a):\n    kept = [a[0]]\n    for x in a:\n        k = len(kept) - 1\n"
        "        while kept[k] > x and k > -len(kept):\n            k = k - 1\n"
        "        if kept[k] < x:\n            kept.append(x)\n    return len(kept)\n"
    )
    assert "kept[k % kept_length]" in check(source, (NUMBERS,), (NUMBERS[::-1],), (-NUMBERS,)).rewrites[0].source


def test_a_list_grows_by_what_its_own_last_item_tells_until_a_test_ends_it():
    source = (
        "def f(rate, start, n):\n"
        "    left = [start]\n"
        "    made = [0.0]\n"
        "    for _ in range(1, n):\n"
        "        used = rate * left[-1]\n"
        "        left.append(left[-1] - used)\n"
        "        made.append(made[-1] + used * (1.5 - made[-1]))\n"
        "        if left[-1] < 1.0:\n"
        "            break\n"
        "    most = max(made)\n"
        "    return most, made.index(most), left[-1], len(left)\n"
    )
    calls = [(jnp.float32(rate), jnp.float32(start), 8) for rate, start in ((0.4, 4.0), (0.1, 9.0), (0.9, 2.0), (0.3, 1.1))]
    rewritten = check(source, *calls, static=("n",)).rewrites[0]
    assert "buffer" in rewritten.patterns and not rewritten.pieces


PARKED = """
def f(events, room=2):
    inside = set()
    away = 0
    for e in events:
        e = int(e)
        if e > 0:
            if len(inside) < room and e not in inside:
                inside.add(e)
            else:
                away += 1
        elif -e in inside:
            inside.remove(-e)
    return away, len(inside)
"""
EVENTS = [[1, 2, 3, -2, 3, -7, 1], [5, -5, 5, 5, -5], [-1, -2, 0], [9, 8, 7, -8, 7, 6]]


@pytest.mark.parametrize("take", ["inside.remove(-e)", "inside.discard(-e)"])
def test_a_set_of_any_numbers_may_lose_some_again(take):
    source = PARKED.replace("inside.remove(-e)", take)
    found = check(source, *((jnp.array(each),) for each in EVENTS))
    assert "set()" not in found.rewrites[0].source


def test_what_a_set_may_not_have_is_discarded_where_it_has():
    source = PARKED.replace(
        "        elif -e in inside:\n            inside.remove(-e)", "        else:\n            inside.discard(-e)"
    )
    check(source, *((jnp.array(each),) for each in EVENTS))


def test_piles_that_are_searched_by_bisect_and_replaced_or_added():
    source = (
        "import bisect\n\ndef f(x):\n    tails = []\n    for v in x:\n        place = bisect.bisect_left(tails, v)\n"
        "        if place == len(tails):\n            tails.append(v)\n        else:\n            tails[place] = v\n"
        "    return len(tails)\n"
    )
    numbers = [[3, 1, 4, 1, 5, 9, 2, 6], [5, 4, 3], [1, 1, 1, 2], [7], [2, 8, -3, 9, 9, 10]]
    check(source, *((jnp.array(each),) for each in numbers))


BRACKETS = """
PAIRS = {4: 1, 5: 2, 6: 3}

def f(tokens):
    stack = []
    for t in tokens:
        t = int(t)
        if t in PAIRS.values():
            stack.append(t)
        elif t in PAIRS:
            if not stack or stack.pop() != PAIRS[t]:
                return False
    return not stack
"""


def test_an_item_that_is_taken_where_there_is_one_is_compared_behind_that():
    tokens = [[1, 2, 5, 4, 3, 6], [1, 5], [4], [1, 0, 2, 5, 4, 7], [1, 1, 4], [3, 6, 6]]
    check(BRACKETS, *((jnp.array(each),) for each in tokens))


def test_an_item_that_is_taken_in_an_elif_where_there_is_one():
    """Nothing was found: how often something is appended is data."""
    source = (
        "def f(tokens):\n    stack = []\n    for t in tokens:\n        if t > 0:\n            stack.append(t)\n"
        "        elif not stack or stack.pop() != -t:\n            return False\n    return not stack\n"
    )
    tokens = [[1, 2, -2, -1], [1, 2, -1, -2], [1, -1, 2], [-2, 2], [3]]
    check(source, *((jnp.array(each),) for each in tokens))


DECODED = """
def f(table, most):
    token, out = 1, []
    for t in range(most):
        token = jnp.argmax(table[token])
        if token == 2:
            break
        out.append(token)
    while len(out) < most:
        out.append(0)
    return jnp.array(out)
"""


def test_a_list_that_a_last_loop_fills_up_has_a_known_length():
    """Padding by hand: it was split where the list begins."""
    tables = [[[0.1, 0.2, 0.3], [0.9, 0.0, 0.1], [1.0, 0.0, 0.0]], [[0.9, 0.0, 0.1]] * 3, [[0.0, 0.1, 0.9]] * 3]
    found = check(DECODED, *((jnp.array(each), n) for each, n in zip(tables, (4, 3, 5), strict=True)), static=("most",))
    assert "out = jnp.zeros(most, int)" in found.rewrites[0].source


def test_a_list_that_may_be_longer_than_its_last_loop_fills_it():
    source = DECODED.replace("range(most)", "range(2 * most)")
    assert not propose(define(source)["f"], (jnp.array([[0.1, 0.2, 0.3]] * 3), 4), {}, (), ("most",)).rewrites


def test_what_a_set_has_not_may_not_be_caught_by_a_handler():
    """A list raises another error there, and compiled code none."""
    caught = "            try:\n                inside.remove(-e)\n            except KeyError:\n                away += 1"
    source = PARKED.replace("        elif -e in inside:\n            inside.remove(-e)", f"        else:\n{caught}")
    found = propose(define(source)["f"], (jnp.array(EVENTS[0]),), {})
    assert not found.rewrites and "`except KeyError` catches" in found.why_not


@pytest.mark.parametrize(
    "cut",
    [
        "hist.append(x)\n        if len(hist) > k:\n            hist.pop(0)",
        "hist.append(x)\n        if len(hist) > k:\n            hist = hist[-k:]",
        "if len(hist) == k:\n            del hist[0]\n        hist.append(x)",
    ],
)
def test_a_list_that_keeps_the_last_few_has_room_for_these_in_a_loop_without_a_limit(cut):
    source = f"""
def f(x, tol, k=3):
    hist = []
    while True:
        x = x * 0.7 + 0.1
        {cut}
        if len(hist) == k and max(hist) - min(hist) < tol:
            break
    return x, hist[-1]
"""
    found = check(source, (2.0, 0.01), (0.4, 0.001))
    assert "roll" in found.rewrites[0].source


@pytest.mark.parametrize(
    ("merged", "line"),
    [
        ("level[-2:] = [(level[-1] + level[-2]) / 2]", "item = "),
        ("m = (level[-1] + level[-2]) / 2\n            level[-2:] = [m]", "m = "),
    ],
)
def test_the_last_items_of_a_list_in_one(merged, line):
    """As in pool-adjacent-violators; beside it a pair takes the place of a pair."""
    source = f"""
def f(y):
    level = []
    for v in y:
        level.append(v)
        while len(level) > 1 and level[-2] > level[-1]:
            {merged}
        if len(level) > 1:
            level[-2:] = [v * 0, v]
    return jnp.array(level).sum()
"""
    found = check(source, (jnp.array([1.0, 3.0, 2.0, 5.0, 4.0, 0.5]),), (jnp.array([3.0, 2.0, 1.0, 1.0, 4.0, 0.5]),))
    assert line in found.rewrites[0].source


def test_a_size_that_only_the_new_code_needs_is_static_where_it_is_left_out():
    """A deque takes a tracer for its length, zeros do not. No bound below 0 is spoken of, and no second length of x."""
    f = define(
        "from collections import deque\ndef f(x, tol, k=3):\n    last = deque(maxlen=k)\n    for v in x:\n"
        "        tol = tol * 0.9\n        last.append(v)\n        if sum(last) > tol:\n            break\n"
        "    return sum(last), tol\n"
    )["f"]
    found = jm.diagnose(f, X, 6.0)
    (rewrite, *_) = found.rewrites
    assert rewrite.static_argnames == ("k",) and "k is left out here" in found.reason
    told = " ".join((*rewrite.compared.not_reached, *rewrite.compared.differences))
    assert "negative bound" not in told and "second loop count" not in told and "k is given" not in told


def test_two_results_of_unknown_length_of_which_each_became_known_by_itself_have_counts():
    """The second was compared whole with plain Python's, and so refused."""
    source = """
def f(x, g):
    ids = jnp.unique(g)
    out = []
    for k in ids:
        out.append(jnp.median(x[g == k]))
    return ids, jnp.stack(out)
"""
    fun = (namespace := define(source))["f"]
    x, g = jnp.arange(6.0), jnp.array([0, 5, 5, 1, 0, 5])
    padded = propose(fun, (x, jnp.array([0, 0, 1, 1, 2, 2])), {}, seconds=20.0).unverified[0]
    assert padded.padded
    wanted = fun(x, g)
    exec(padded.source, namespace)
    ids, out, *counts = jax.jit(namespace["f"])(x, g)
    assert jnp.array_equal(ids[: counts[0]], wanted[0]) and jnp.allclose(out[: counts[-1]], wanted[1])


DISTINCT = """
def f(x, k):
    seen = []
    for v in jnp.sort(x):
        if not seen or v != seen[-1]:
            seen.append(v)
    return seen[k]
"""


@pytest.mark.parametrize("k", [1, 0, -1, -2])
def test_a_list_is_asked_whether_it_is_empty_before_its_last_item(k):
    """What fills it made a comprehension of it that read itself, and that it is empty at first was taken for known."""
    x, whole = jnp.array([3.0, 1.0, 2.0, 1.0]), jnp.array([5, 5, 1, 7, 7])
    found = check(DISTINCT, (x, k), (-x, k), (whole, k), static=("k",))
    assert "values.dtype" in found.rewrites[0].source


@pytest.mark.parametrize(
    ("item", "of", "merged"),
    [("v", "", "(one + other) / 2"), ("[v, 1]", "[0]", "[(one[0] + other[0]) / 2, one[1] + other[1]]")],
)
def test_items_that_are_taken_and_one_that_is_put_in_their_place_make_no_longer_list(item, of, merged):
    """As the blocks of an isotonic regression: how often that happens depends on data, and how many there are does not."""
    source = (
        f"def f(x):\n    blocks = []\n    for v in x:\n        blocks.append({item})\n"
        f"        while len(blocks) > 1 and blocks[-2]{of} > blocks[-1]{of}:\n            other = blocks.pop()\n"
        f"            one = blocks.pop()\n            blocks.append({merged})\n    return len(blocks), blocks[-1]{of}\n"
    )
    x = jnp.array([1.0, 3.0, 2.0, 4.0, 3.5])
    assert "blocks_length += 1" in check(source, (x,), (-x,), (x[::-1],), (jnp.sort(x),)).rewrites[0].source


def test_more_items_than_were_taken_make_a_list_of_unknown_length():
    source = (
        "def f(x, n):\n    left = [n]\n    total = 0.0\n    while left:\n        at = left.pop()\n        total += x[at]\n"
        "        if x[at] > 0:\n            continue\n        left.append(at // 2)\n        left.append(at // 3)\n"
        "    return total\n"
    )
    assert not propose(define(source)["f"], (jnp.array([1.0, -2.0, 3.0, -1.0]), jnp.array(3)), {}).rewrites


@pytest.mark.parametrize(
    "end",
    [
        "return sum(steps) / len(steps) if steps else x",
        "if not steps:\n        return 0.0\n    return sum(steps)",
        "return steps[-1] * 2 if steps and x > 0 else x",
        "if len(steps) > 9 or not steps:\n        x = x + 1\n    return x",
    ],
)
def test_whether_a_list_of_which_numbers_are_kept_has_items_is_asked_of_its_length(end):
    """The question alone made the list one of unknown length, for which there was no rewrite."""
    source = (
        f"def f(x, least):\n    steps = []\n    while x > least:\n        steps.append(x)\n        x = x * 0.6\n    {end}\n"
    )
    found = check(source, (2.9, 0.3), (0.2, 0.3), (1.7, 1.5), (40.0, 0.1))
    assert "numbers" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    "left",
    ["set(range(n)) - {start}", "{j for j in range(n) if j != start}", "[j for j in range(n) if j != start]"]
    + [f"{made}(range(n))\n    left.remove(start)" for made in ("set", "list")],
)
def test_a_set_that_begins_without_a_number_has_one_round_less(left):
    """No rewrite was found for any of them."""
    source = (
        TOUR.replace("def f(D):", "def f(D, start):").replace("tour = [0]", "tour = [start]").replace("set(range(1, n))", left)
    )
    check(source, (NEAR, 0), (NEAR, 2), (NEAR[:3, :3], 1))


def test_two_numbers_that_are_taken_out_before_are_two():
    # discard() may leave out the same one twice, remove() raises then
    for how, known in (("remove", True), ("discard", False)):
        begins = f"list(range(n))\n    left.{how}(start)\n    left.{how}(other)" if known else ""
        begins = begins or f"set(range(n))\n    left.{how}(start)\n    left.{how}(other)"
        source = TOUR.replace("def f(D):", "def f(D, start, other):").replace("tour = [0]", "tour = [start]")
        source = source.replace("set(range(1, n))", begins)
        found = propose(define(source)["f"], (NEAR, 0, 2), {})
        assert bool(found.rewrites) == known
        if known:
            check(source, (NEAR, 0, 2), (NEAR, 2, 1))


def test_a_set_has_a_place_for_what_is_asked_to_be_in_it():
    """`bj` is no place of an array in the code, but `j` is, which it was before."""
    source = """
def f(cost):
    n = len(cost)
    inside = {0}
    total = 0.0
    while len(inside) < n:
        best, bj = jnp.inf, -1
        for i in range(n):
            for j in range(n):
                if i in inside and j not in inside and cost[i, j] < best:
                    best, bj = cost[i, j], j
        inside.add(bj)
        total += best
    return total
"""
    check(source, (NEAR,), (NEAR.T + 1,), (NEAR[:3, :3],), (NEAR[:1, :1],), seconds=10)


def test_a_number_that_says_that_none_was_found_is_no_last_place():
    # a found fault: `.at[-1].set(True)` marked the last one, which was then left out
    source = """
def f(cost):
    used, total = set(), 0.0
    for i in range(len(cost)):
        best, k = jnp.inf, -1
        for j in range(len(cost)):
            if j not in used and cost[i, j] < best:
                best, k = cost[i, j], j
        used.add(k)
        total += best if k >= 0 else 0.0
    return total
"""
    check(source, (NEAR + jnp.eye(4) * 9,), ((NEAR + 1).at[0].set(jnp.inf),), ((NEAR + 1).at[:2].set(jnp.inf),), seconds=10)


def test_places_that_are_counted_by_the_lists_own_length_are_followed():
    """Two edits overlapped, one in the other, and the search ended with an error of its own."""
    source = "def f(x):\n    out = []\n    for v in x:\n        if v > 0:\n            out.append(v)\n"
    source += "        if v > 1:\n            out.append(v * v)\n    total = 0.0\n    for i in range(len(out)):\n"
    source += "        total += out[i] * out[(i + 1) % len(out)] + out[i - len(out)]\n    return total\n"
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    found = check(source, (x,), (-x,), (x[:2],))
    assert "out[(i + 1) % out_length]" in found.rewrites[0].source


COUNTED = """
def f(x):
    adjusted = [0.0] * len(x)
    games = [0, 0]
    full = 0
    for v in x:
        side = int(v > 0)
        games[side] += 1
        adjusted[side] = v
        if games == [2, 2]:
            games = [0, 0]
            full += 1
        if games != [1, 0]:
            full += 10
    {end}
"""


@pytest.mark.parametrize(
    "end", ["return games, full", "adjusted = jnp.array(adjusted)\n    return adjusted, full, tuple(games)"]
)
def test_lists_of_which_data_sets_items_are_compared_and_come_out_as_they_were(end):
    # a list stays a list, and what was made an array under its name stays one
    source = COUNTED.format(end=end)
    check(source, (X,), (-X,), (X * 0 + 1,), (X.at[::2].multiply(-1),), seconds=20.0)
