"""Lists to which a branch on a traced value appends."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.proof.differing import is_wider
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.sandbox.purity import impurity

from .helpers import applied, check, define, offered

X = jnp.array([1.0, -2.0, 3.0])
CALLS = [(X, jnp.array(0.5)), (X, jnp.array(3.5)), (-X, jnp.array(-0.5))]


@pytest.mark.parametrize(
    "end", ["sum(parts)", "len(parts)", "sum(parts) / max(len(parts), 1)", "max(parts)", "sum(p * p for p in parts)"]
)
def test_what_a_branch_appends_goes_in_and_is_counted_where_it_is_kept(end):
    source = (
        "def f(x, c):\n    parts = [x.mean()]\n    if x.sum() > c:\n        parts.append(c)\n    parts.append(x[0])\n"
        f"    if c > 0:\n        parts.append(c * 2)\n    return {end}\n"
    )
    check(source, *CALLS)


def test_two_lists_of_two_branches():
    source = (
        "def f(x, c):\n    up, down = 0, 0\n    gains = []\n    losses = []\n    for i in range(1, 3):\n"
        "        if x[i] > x[i - 1]:\n            gains.append(x[i] - x[i - 1])\n"
        "        else:\n            losses.append(x[i] - c)\n"
        "    return sum(gains), len(losses), sum(losses)\n"
    )
    found = check(source, *CALLS).rewrites[0].source
    assert "losses_kept.append(jnp.logical_not(chosen))" in found


def test_a_list_that_becomes_an_array_is_a_selection():
    source = (
        "def f(x, c):\n    kept_ones = []\n    for v in x:\n        if v > c:\n            kept_ones.append(v * 2)\n"
        "    return jnp.array(kept_ones).sum()\n"
    )
    check(source, *CALLS)


def test_a_list_whose_length_is_needed_says_where():
    source = "def f(x, c):\n    parts = []\n    if c > 0:\n        parts.append(c)\n    return {0: parts}\n"
    found = propose(define(source)["f"], CALLS[0], {})
    assert not found.rewrites and found.why_not == "the length of parts depends on values, and `return {0: parts}` needs it"


def test_other_effects_in_the_branch_are_left_alone():
    """A `print` is none of them: compiled code can do it."""
    source = "def f(x, c):\n    parts = []\n    if c > 0:\n        parts.append(c)\n        {other}\n    return sum(parts)\n"
    seen = define(source.format(other="seen.append(1)"))
    seen["seen"] = []
    assert not propose(seen["f"], CALLS[0], {}).rewrites and seen["seen"] == []
    printing = propose(define(source.format(other="print(c)"))["f"], CALLS[0], {})
    assert "debug.print" in printing.rewrites[0].source


def test_names_of_the_branch_alone_stand_beside_what_it_appends():
    source = """
def f(x, c):
    parts = []
    for k in range(3):
        if c > k:
            part = x[k] * c
            parts.append(part.sum())
    return sum(parts) / len(parts), jnp.array(parts).max()
"""
    assert "kept.append(" in check(source, *[(x, c + 1.5) for x, c in CALLS]).rewrites[0].source


def test_groups_of_unique_labels_fill_a_list():
    source = """
def f(x, labels):
    means = []
    for label in jnp.unique(labels):
        means.append(x[labels == label].mean())
    return sum(means) / len(means)
"""
    x, labels = jnp.array([1.0, 5.0, 3.0, 2.0]), jnp.array([0, 1, 0, 2])
    assert check(source, (x, labels), (x, labels * 0)).rewrites[0].verified


def test_an_item_that_the_branch_reads_from_its_own_list_is_none_that_can_be_left_out():
    source = (
        "def f(x, c):\n    parts = [c]\n    for k in range(3):\n        if c > k:\n            last = parts[-1]\n"
        "            parts.append(last + x[k])\n    return sum(parts)\n"
    )
    assert not any("kept.append(" in each.source for each in propose(define(source)["f"], CALLS[0], {}).rewrites)


def test_the_last_value_that_was_there_is_none_at_first():
    source = (
        "def f(x, c=0.3):\n    out = []\n    last = None\n    for v in x:\n        if jnp.isnan(v):\n"
        "            out.append(jnp.nan if last is None else last)\n            continue\n"
        "        last = v if last is None else c * v + (1 - c) * last\n        out.append(last)\n    return jnp.array(out)\n"
    )
    nan = jnp.nan
    check(source, *[(jnp.array(x),) for x in ([1.0, nan, 2.0, 3.0], [nan, nan, 2.0], [1.0, 2.0])])


@pytest.mark.parametrize(
    ("moved", "now"),
    [
        ("recent.pop(0)\n            recent.append(v)", "[*recent[1:], v"),
        ("recent.append(v * 2)\n            recent.pop(0)", "[*recent[1:], "),
        ("recent.insert(0, v)\n            recent.pop()", ", *recent[:-1]]"),
    ],
)
def test_a_list_that_keeps_its_length_is_a_value(moved, now):
    source = (
        f"def f(x, c):\n    recent = [0.0] * 2\n    for v in x:\n        if v > c:\n            {moved}\n"
        "    return jnp.array(recent)\n"
    )
    assert now in check(source, *CALLS).rewrites[0].source


def test_a_list_that_another_name_holds_is_changed_in_place():
    source = (
        "def f(x, c):\n    recent = [0.0, 0.0]\n    seen = recent\n    for v in x:\n        if v > c:\n"
        "            recent.pop(0)\n            recent.append(v)\n    return seen[0] + recent[1]\n"
    )
    assert not propose(define(source)["f"], CALLS[0], {}).rewrites


def test_a_list_with_one_item_a_round_is_not_padded_where_integers_stay_floats():
    """What has as many elements as plain Python's list comes before the whole array with a count."""
    source = (
        "def f(x, limit=None):\n    out, last, gap = [], jnp.nan, 0\n    for v in x:\n        if jnp.isnan(v):\n"
        "            gap += 1\n            if limit is not None and gap > limit:\n                out.append(jnp.nan)\n"
        "            else:\n                out.append(last)\n        else:\n            gap = 0\n            last = v\n"
        "            out.append(v)\n    return jnp.array(out)\n"
    )
    check(source, (jnp.array([1.0, jnp.nan, jnp.nan, 4.0]),), (jnp.array([jnp.nan, 2.0]),))


def test_a_list_that_a_helper_returns_has_room_for_no_round_at_all():
    """`range(1, len(x) - 1)` has no round for a short array, and its length is not negative."""
    check(
        "def peaks(x, least):\n    found = []\n    for i in range(1, len(x) - 1):\n"
        "        if x[i] > x[i - 1] and x[i] > x[i + 1] and x[i] > least:\n            found.append(i)\n"
        "    return jnp.array(found)\n\n\n"
        "def f(x):\n    p = peaks(x, 0.0)\n    if p.size == 0:\n        return 0, 0.0\n    return p.size, x[p].mean()\n",
        (jnp.array([0.0, 1.0, 0.2, 0.8, 0.1]),),
        (jnp.array([0.0, -1.0, -2.0]),),
        (jnp.array([1.0]),),
    )


def test_a_list_that_is_born_and_filled_in_a_branch():
    source = (
        "def f(x, t):\n    if x[0] > t:\n        terms = [x.mean()]\n        terms.append(t)\n"
        "    else:\n        terms = [x.max(), 1.0]\n    return sum(terms)\n"
    )
    check(source, (jnp.array([1.0, -2.0]), 0.5), (jnp.array([1.0, -2.0]), 1.5))


@pytest.mark.parametrize("grows", ["x * 1.5", "x * rate", "x / 2 + x", "jnp.sqrt(x) + x"])
@pytest.mark.parametrize("end", ["jnp.array(path).max()", "sum(path)"])
def test_a_list_that_grows_until_a_limit_holds_the_kind_that_its_values_become(grows, end):
    """An int that the first round makes a float: the array is one of floats from the start."""
    source = f"""
def f(x, n, limit, rate=1.5):
    path = [x]
    for _ in range(n):
        x = {grows}
        if x > limit:
            break
        path.append(x)
    return {end}
"""
    check(source, (1.0, 9, 6.0), (1, 9, 6.0), (2, 4, 50), static=("n",))


def test_what_a_list_will_hold_is_known_though_the_call_itself_appends_nothing():
    source = """
def f(x, limit):
    kept = []
    level = 1.0
    for v in x:
        level = 0.5 * level + v
        if level > limit:
            break
        kept.append(level * v)
    return sum(kept)
"""
    x = jnp.array([0.25, -0.5, -0.25, 1.0])
    check(source, (x, -0.75), (x, 5.0), (-x, 0.5))


def test_a_loop_goes_through_a_list_that_grows_by_values():
    """Gram-Schmidt: what is no new direction is skipped, and later ones are made orthogonal to those that are kept alone."""
    source = """
def rank(A):
    basis = []
    for v in A:
        for b in basis:
            # what lies along b
            v = v - jnp.dot(v, b) * b
        n = jnp.linalg.norm(v)
        if n > 1e-3:
            basis.append(v / n)
    return len(basis)
"""
    square = jnp.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 1.0, 1.0]])
    found = check(source, (square,), (jnp.eye(3),), (jnp.ones((4, 2)),), (jnp.zeros((2, 2)),), name="rank")
    assert "for b, is_kept in zip(basis, kept):" in found.rewrites[0].source
    assert "# what lies along b" in found.rewrites[0].source


def test_a_loop_that_stops_early_goes_through_a_list_that_grows_by_values():
    source = """
def spread(x, apart):
    chosen = []
    for v in x:
        near = False
        for c in chosen:
            if abs(v - c) < apart:
                near = True
                break
        if not near:
            chosen.append(v)
    return sum(chosen)
"""
    x = jnp.array([1.0, 1.2, 3.0, 2.9])
    check(source, (x, 0.5), (x, 5.0), (x, 0.0), (x[:2], 0.1), name="spread")


FILTERED = """
def kept(x, t):
    out = []
    for v in x:
        if v > t:
            out.append(v * 2)
    return jnp.array(out).sum(), len(out)
"""
RUNS = """
def runs(x, t):
    found = []
    current = x[0] * 0
    for v in x:
        if v > t:
            current = current + v
        else:
            found.append(current)
            current = current * 0
    found.append(current)
    return max(found), jnp.array(found)[0]
"""
BALANCE = """
def balance(x, t):
    price = 100.0
    log = []
    for r in x:
        price = price * (1 + r)
        if price < 100.0:
            price = price + t
            log.append(price)
    return price, sum(log)
"""


@pytest.mark.parametrize(("name", "source"), [("kept", FILTERED), ("runs", RUNS), ("balance", BALANCE)])
def test_a_list_is_of_its_values_dtype_where_jax_has_another_by_itself(name, source):
    """float32 data with 64 bits switched on: the buffer of a list is no float64."""
    with jax.enable_x64(True):
        x = jnp.array([0.5, -1.0, 0.25, 2.0], jnp.float32)
        found = check(source, (x, 0.25), (-x, 0.5), name=name)
        assert "float64" not in str(jax.eval_shape(define(found.rewrites[0].source)[name], x, 0.25))


def test_indices_that_a_branch_appends_are_integers_though_an_empty_list_makes_floats():
    source = """
def peaks(x, t):
    at = []
    for i in range(1, len(x) - 1):
        if x[i] > x[i - 1] and x[i] > t:
            at.append(i)
    return jnp.array(at).sum()
"""
    x = jnp.array([1.0, 3.0, 2.0, 4.0, 0.0])
    found = check(source, (x, 0.5), (x, 3.5), name="peaks")
    assert "always int32, where an empty list makes float32 in plain Python" in found.rewrites[0].compared.differences


def test_integers_for_floats_that_are_no_empty_lists_are_wrong():
    assert is_wider(jnp.array(0), jnp.array(0.0)) and not is_wider(jnp.array(3), jnp.array(3.0))
    assert not is_wider(jnp.array([0, 1]), jnp.array([0.0, 1.0]))


def test_floats_of_fewer_bits_hold_what_an_empty_list_makes_and_not_what_was_computed():
    third = jnp.float32(1 / 3)
    assert is_wider(jnp.float16(0.0), jnp.float32(0.0)) and not is_wider(third.astype(jnp.float16), third)


def test_draws_have_a_dtype_of_their_own_beside_data_of_few_bits():
    source = """
def chain(x, rate):
    at = x.mean()
    found = []
    for i in range(3):
        new = at + rate * jax.random.normal(jax.random.key(i))
        if new ** 2 < 4.0:
            at = new
        found.append(at)
    return jnp.array(found).sum()
"""
    x = jnp.array([0.5, -1.0, 0.25], jnp.bfloat16)
    text = check(source, (x, 0.3), (-x, 0.1), name="chain").rewrites[0].source
    assert "float_" in text or "zeros" not in text


def test_a_list_whose_items_a_loop_on_data_exchanges_is_an_array():
    source = (
        "def f(x):\n    a = [v for v in x]\n    for i in range(1, len(a)):\n        j = i\n"
        "        while j > 0 and a[j - 1] > a[j]:\n            a[j - 1], a[j] = a[j], a[j - 1]\n            j -= 1\n"
        "    return jnp.array(a)\n"
    )
    x = jnp.array([3.0, 1.0, 2.0, 2.0, -1.0])
    assert "a.at[j - 1].set(a[j]).at[j].set(a[j - 1])" in check(source, (x,), (x[:1],), (-x,)).rewrites[0].source
    check(source.replace("[v for v in x]", "list(x)"), (x,), (x[:1],), (-x,))


def test_an_item_set_in_a_branch_is_chosen_itself():
    """`if d > 1: speed[i] = 0.0`, in a loop over known places: the item is chosen, and not the list."""
    source = (
        "def f(x, s):\n    speed = [s] * len(x)\n    for i in range(len(x) - 1):\n        if abs(x[i + 1] - x[i]) > 1:\n"
        "            speed[i] = 0.0\n        if speed[-i] < 0.3:\n            speed[-i] = 0.3\n    return speed\n"
    )
    first = check(source, (X, 2.0), (-2 * X, 0.1), (X, 3), seconds=60.0).rewrites[0]
    assert "speed[i] = jnp.where(abs(x[i + 1] - x[i]) > 1, 0.0, speed[i])" in first.source
    assert "speed[-i] = jnp.where(speed[-i] < 0.3, 0.3, speed[-i])" in first.source


def test_a_quotient_that_is_appended_where_its_divisor_is_none_is_evaluated_there_alone():
    """Evaluated always, its gradient is NaN where the divisor is 0, though nobody takes the quotient."""
    source = (
        "def f(x, y):\n    slopes = []\n    for i in range(len(x)):\n        for j in range(i + 1, len(x)):\n"
        "            if x[j] != x[i]:\n                slopes.append((y[j] - y[i]) / (x[j] - x[i]))\n"
        "    return jnp.median(jnp.array(slopes))\n"
    )
    x, y = jnp.array([1.0, 2.0, 2.0, 4.0]), jnp.array([0.5, -1.0, 3.0, 2.0])
    found = check(source, (x, y), (-y, x), (jnp.array([3.0, 1.0, 2.0, 5.0]), y), seconds=20.0).rewrites[0]
    assert found.verified
    assert "cond(x[j] != x[i]" in found.source


@pytest.mark.parametrize(
    "body",
    [
        "if m.any():\n            found[c] = x[m].mean()",
        "if m.sum() == 0:\n            continue\n        found[c] = x[m].mean()",
    ],
)
def test_a_dict_by_the_number_of_the_round_whose_values_alone_are_asked(body):
    source = (
        f"def f(x, y):\n    found = {{}}\n    for c in range(3):\n        m = y == c\n        {body}\n"
        "    return sum(found.values()) / len(found)\n"
    )
    calls = [(X, jnp.array(labels)) for labels in ([0, 1, 0], [2, 2, 2], [0, 1, 2])]
    assert check(source, *calls, seconds=20.0).rewrites[0].verified


def test_a_dict_whose_keys_are_asked_stays_one():
    source = (
        "def f(x, t):\n    found = {}\n    for c in range(3):\n        if x[c] > t:\n            found[c] = x[c]\n"
        "    return max(found)\n"
    )
    rewrites = propose(define(source)["f"], (X, 0.0), {}).rewrites
    assert not any("append" in each.source for each in rewrites)


SHORTEST_PATHS = """
def f(graph, start):
    n = len(graph)
    dist = [float("inf")] * n
    dist[start] = 0
    done = [False] * n
    for _ in range(n):
        {nearest}
        done[near] = True
        for k in range(n):
            if graph[near][k] <= 0 or done[k]:
                continue
            if dist[k] > dist[near] + graph[near][k]:
                dist[k] = dist[near] + graph[near][k]
    return dist
"""
NEAREST = """least, near = float("inf"), 0
        for k in range(n):
            if done[k]:
                continue
            if dist[k] < least:
                least, near = dist[k], k"""
FIRST_OPEN = """near = -1
        for k in range(n):
            if not done[k] and (near == -1 or dist[k] < dist[near]):
                near = k"""
GRAPHS = [
    jnp.array([[0, 3, 0, 0, 1], [0, 0, 2, 0, 0], [0, 0, 0, 5, 0], [1, 0, 0, 0, 2], [0, 1, 0, 8, 0]]),
    jnp.array([[0, 1, 9, 0, 0], [0, 0, 2, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 2], [0, 0, 0, 8, 0]]),
]


@pytest.mark.parametrize("nearest", [NEAREST, FIRST_OPEN])
def test_lists_of_which_a_loop_sets_items_where_data_says_are_given_back_as_lists(nearest):
    calls = [(graph, start) for graph in GRAPHS for start in (0, 2, 3)]
    found = check(SHORTEST_PATHS.format(nearest=nearest), *calls).rewrites[0]
    assert "return list(dist)" in found.source and any(said.startswith("always floats") for said in found.compared.differences)


def test_a_list_that_a_compiled_loop_carries_is_made_an_array_where_it_is_made():
    source = """
def f(x):
    n = len(x)
    taken = [False] * n
    total = 0.0
    for _ in range(2):
        at = -1
        for k in range(n):
            if not taken[k] and (at == -1 or x[k] > x[at]):
                at = k
        taken[at] = True
        total += x[at]
    return total, taken
"""
    check(source, *[(x,) for x, _ in CALLS])


def test_bits_of_a_list_set_where_data_says():
    source = """
def f(x, c):
    bits = [0] * 4
    for v in range(3):
        if x[v] > c:
            bits[v] |= 1 << v
    return bits
"""
    check(source, *CALLS)


@pytest.mark.parametrize(
    ("made", "grows", "end"),
    [
        ("kept: list[float] = []", "kept.append(v)", "sum(kept)"),
        ("kept: set[int] = set()", "kept.add(int(v))", "len(kept)"),
        ("kept: dict[int, int] = {}", "kept[int(v)] = kept.get(int(v), 0) + 1", "max(kept.values(), default=0)"),
        ("kept: deque[float] = deque()", "kept.append(v)", "len(kept)"),
    ],
)
def test_a_container_may_be_bound_with_an_annotation(made, grows, end):
    source = f"""
from collections import deque
def f(x, c):
    {made}
    for v in x:
        if v > c:
            {grows}
    return {end}
"""
    check(source, *CALLS)


def test_a_row_that_has_a_name_is_set_at_its_place_in_the_list():
    source = """
def f(ts, a, b):
    out = [[0.0] * 2 for _ in range(len(ts))]
    for i in range(len(ts)):
        row = out[i]
        x = a + ts[i]
        if x <= 0.0:
            row[0] = -1.0
        else:
            row[0] = b / x
            row[1] = -row[0] * b
    return out
"""
    calls = [(jnp.array(ts), 0.5, 2.0) for ts in ([1.0, -1.0, 0.25], [-1.0, -2.0, -3.0], [1.0, 2.0, 3.0])]
    assert check(source, *calls).rewrites[0].verified


def test_a_name_that_stands_for_two_rows_stays():
    source = """
def f(x):
    out = [[0.0, 0.0], [0.0, 0.0]]
    row = out[0]
    if x[0] > 0:
        row[0] = x[0]
        row = out[1]
        row[0] = x[1]
    return out
"""
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0]),), {})
    namespace = define(source)
    for k, _ in enumerate(found.rewrites):
        with applied(found, namespace, k):
            assert [[float(v) for v in row] for row in namespace["f"](jnp.array([3.0, 4.0]))] == [[3.0, 0.0], [4.0, 0.0]]


@pytest.mark.parametrize("made", ["a, b = jnp.array(a), jnp.array(b)", "a = jnp.array(a)\n    b = jnp.array(b)"])
def test_lists_that_grow_together_are_as_long_as_each_other(made):
    """Each had its own list of what counts, and nothing knew that `a * b` is of one length."""
    source = (
        "def f(x, t):\n    a, b = [], []\n    for i in range(len(x)):\n        if x[i] > t:\n            a.append(float(i))\n"
        f"            b.append(x[i])\n    {made}\n    if len(a) < 2:\n        return jnp.nan\n"
        "    return jnp.sum((a - a.mean()) * b) / jnp.sum(a**2)\n"
    )
    x = jnp.array([0.3, 0.9, 0.1, 0.7, 1.5])
    found = check(source, (x, jnp.array(0.5)), (x, jnp.array(1.0)), (-x, jnp.array(-0.8))).rewrites[0].source
    assert "kept = []" in found and "b_items_kept" not in found


def test_lists_that_grow_apart_as_well_have_flags_of_their_own():
    source = (
        "def f(x, t):\n    a, b = [], []\n    for i in range(len(x)):\n        if x[i] > t:\n            a.append(x[i])\n"
        "            b.append(x[i])\n        if x[i] < 0:\n            b.append(-x[i])\n"
        "    return jnp.sum(jnp.array(a)) - jnp.sum(jnp.array(b))\n"
    )
    x = jnp.array([0.3, -0.9, 0.1, 0.7, -1.5])
    check(source, (x, jnp.array(0.2)), (-x, jnp.array(0.2)))


def test_the_largest_of_a_list_is_its_first_also_for_gradients():
    """`jnp.max` would share the gradient among equal ones; and of a list that stays empty the flags are flags."""
    source = (
        "def f(x, t):\n    out = [0.0]\n    for i in range(len(x) - 1):\n        if x[i] - x[i + 1] > t:\n"
        "            out.append(x[i] - x[i + 1])\n    return max(out)\n"
    )
    ties = jnp.array([2.0, 1.0, 0.0, 3.0, 2.0])
    found = check(source, (jnp.array([0.3, -1.2, 2.0, 0.1]), 0.5), (ties, 0.5), (ties[:1], 0.5))
    namespace = define(source)
    with applied(found, namespace):
        assert jnp.allclose(jax.grad(namespace["f"])(ties, 0.5), jnp.array([1.0, -1.0, 0.0, 0.0, 0.0]))


def test_the_largest_of_a_list_is_one_that_counts_where_all_of_these_are_infinite():
    """Of zeros and infinities `argmax` takes the first place, which another item has."""
    source = (
        "def f(x, t):\n    out = []\n    for i in range(len(x)):\n        if x[i] < t:\n            y = 1\n"
        "            out.append(x[i])\n    return max(out)\n"
    )
    lone = jnp.array([5.0, -jnp.inf, 7.0])
    check(source, (jnp.array([0.3, -1.2, 2.0, 0.1]), 0.5), (lone, 0.0))


@pytest.mark.parametrize(
    "end", ["return max(gains) if gains else 0.0", "if not gains:\n        return -1.0\n    return sum(gains) / len(gains)"]
)
def test_whether_anything_was_kept_is_asked_of_the_flags(end):
    source = (
        "def f(x, t):\n    gains = []\n    for i in range(len(x)):\n        for j in range(i + 1, len(x)):\n"
        f"            if x[j] - x[i] > t:\n                gains.append(x[j] - x[i])\n    {end}\n"
    )
    x = jnp.array([0.3, -1.2, 2.0, 0.1])
    found = check(source, (x, 0.5), (-jnp.sort(-x), 0.5))
    assert "import numpy" not in found.rewrites[0].source


HELPERS = {
    "a loop": "def g(x):\n    out = []\n    for v in x:\n        if v > 0:\n            out.append(v)\n    return out\n",
    "a comprehension": "def g(x):\n    return [v for v in x if v > 0]\n",
    "a generator": "def g(x):\n    for v in x:\n        if v > 0:\n            yield v\n",
}


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("end", ["sum(v * v for v in g(x))", "[i * v for i, v in enumerate(g(x))][0]", "max(g(x)) - min(g(x))"])
def test_a_list_that_a_helper_filters_is_taken_where_it_is_called(helper, end):
    """The first thing that a comprehension runs over is worked out once, outside of it, so the helper's lines may stand before
    its statement; nothing was found."""
    check(HELPERS[helper] + f"def f(x):\n    return {end}\n", (X,), (jnp.array([-1.0, 4.0, 0.5]),), seconds=10.0)


def test_a_list_of_what_a_part_of_an_array_holds_is_of_its_kind():
    source = "def f(x):\n    out = [x[0]]\n    for v in x[1:]:\n        if v >= out[-1]:\n            out.append(v)\n"
    calls = [(jnp.array([3, 1, 4, 2]),), (jnp.array([0.5, 1.5, 0.25]),)]
    assert "x.dtype" in check(f"{source}    return sum(out)\n", *calls).rewrites[0].source


@pytest.mark.parametrize(
    "grows",
    [
        "        (up if v > t else down).append(v - t)\n",
        "        side = up if v > t else down\n        w = v - t\n        side.append(w)\n",
        "        side = up if (v >= t if len(x) > 2 else v > t) else down\n        side.append(v - t)\n",
    ],
)
def test_a_list_that_data_chooses_to_be_appended_to_is_a_branch(grows):
    source = f"def f(x, t):\n    up, down = [], []\n    for v in x:\n{grows}    return sum(up), len(down)\n"
    x = jnp.array([1.0, 2.0, 3.0])
    check(source, (x, 1.5), (x, 9.0), (-x, -2.5), seconds=10.0)


def test_lists_in_a_dict_of_which_data_chooses_one_get_names_of_their_own():
    source = (
        'def f(x, t):\n    parts = {"up": [], "down": []}\n    for v in x:\n'
        '        parts["up" if v > t else "down"].append(v)\n    return sum(parts["up"]) - len(parts["down"])\n'
    )
    x = jnp.array([1.0, 2.0, 3.0])
    check(source, (x, 1.5), (x, 9.0), (-x, -2.5), seconds=10.0)


def test_a_given_list_that_a_choice_may_be_is_changed_for_the_caller():
    """Plain Python changes the caller's list: that is an effect, whichever name it goes by."""
    call = (jnp.ones(3), [])
    named = (
        "def f(x, given):\n    mine = []\n    some = mine if len(x) > 2 else given\n    some.append(x)\n    return len(mine)\n"
    )
    assert "it changes some" in impurity(define(named)["f"], call, {})[0]
    chosen = "def f(x, given):\n    mine, own = [], []\n    (mine if x[0] > 2 else given).append(x)\n    return len(mine)\n"
    assert "it changes " in impurity(define(chosen)["f"], call, {})[0]
    assert impurity(define(chosen.replace("else given", "else own"))["f"], call, {})[0] == ""


@pytest.mark.parametrize(
    "body",
    [
        "i = min(range(len(p)), key=lambda k: (p[k, 0], p[k, 1]))\n    return p[i]",
        "i = max(range(len(p)), key=lambda k: (p[k, 0], -p[k, 1]))\n    return i, p[i, 1]",
        "return min(p, key=lambda row: (row[0] ** 2, row[1]))",
        "rows = sorted(p, key=lambda row: (row[0], -row[1]))\n    return rows[0], rows[-1]",
        "order = sorted(range(len(p)), key=lambda i: (p[i, 0], p[i, 1]), reverse=True)\n"
        "    return jnp.array([p[i, 1] for i in order])",
    ],
)
def test_keys_of_several_parts_are_compared_part_by_part(body):
    calls = [[[0.0, 0], [1, 0], [0, -1.5], [1, 1]], [[0.0, 0], [-1, 1], [-1, 1], [2, 2.5]], [[1.0, 3], [1, 2], [1, 2], [1, 4]]]
    check(f"def f(p):\n    {body}\n", *((jnp.array(each),) for each in calls), seconds=10.0)


@pytest.mark.parametrize("end", ["s, jnp.array(out)", "s, sum(out)", "s + jnp.stack(out).max(), jnp.array(out[1:])"])
def test_a_list_that_a_loop_fills_is_full_behind_it_where_a_return_alone_leaves_it(end):
    first = "jnp.zeros(len(x))" if "s, jnp" in end else "0.0" if "sum" in end else "jnp.zeros(len(x) - 1)"
    source = (
        "def f(x, c):\n    s, out = 1.0, []\n    for t in range(x.shape[0]):\n        s = s * x[t]\n"
        f"        if s < c:\n            return -jnp.inf, {first}\n        out.append(s)\n    return {end}\n"
    )
    found = check(source, (X, -9.0), (X, 1.0), (X, 2.0), (-X, -5.0), (X[:2], -9.0), seconds=20.0)
    assert "[:out_length]" not in found.rewrites[0].source


def test_a_list_is_not_full_where_the_loop_that_fills_it_may_raise_within_a_try():
    source = (
        "def f(x, c):\n    out = []\n    try:\n        for v in x:\n            if v < c:\n"
        "                raise ValueError\n            out.append(v)\n    except ValueError:\n        pass\n"
        "    return sum(out)\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (X, -9.0), {})
    assert found.rewrites
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            for c in (-9.0, 0.0, 2.0):
                assert jax.jit(namespace["f"])(X, c) == define(source)["f"](X, c)


@pytest.mark.parametrize("test", ["k % 3", "n[i] & 6", "k and k % 4", "k > 2 and k % 3"])
def test_a_number_that_decides_counts_once(test):
    """`len(out)` became the sum of the numbers that were asked about, which is the same where each is 0 or 1."""
    source = (
        f"def f(x, n):\n    out = []\n    for i, k in enumerate(n):\n        if {test}:\n            out.append(x[i])\n"
        "    return len(out), sum(out)\n"
    )
    x = jnp.array([1.0, 2.0, 4.0, 3.0])
    found = check(source, *[(x, jnp.array(n)) for n in ([0, 3, 5, 2], [0, 1, 1, 0], [6, 6, 0, 2], [8, 4, 7, 9])])
    assert not any(f"kept.append({test})" in each.source for each in found.rewrites)


MERGED = (
    "def f(row):\n    {tiles}\n    out = []\n    i = 0\n    score = 0\n    while i < len(tiles):\n"
    "        if i + 1 < len(tiles) and tiles[i] == tiles[i + 1]:\n            out.append(2 * tiles[i])\n"
    "            score += 2 * tiles[i]\n            i += 2\n        else:\n            out.append(tiles[i])\n"
    "            i += 1\n    return jnp.array(out + [0] * (len(row) - len(out))), score\n"
)


@pytest.mark.parametrize(
    "tiles",
    [
        "tiles = [v for v in row if v != 0]",
        "tiles = []\n    for v in row:\n        if v != 0:\n            tiles.append(v)",
    ],
)
def test_a_loop_goes_up_to_the_length_of_what_was_kept(tiles):
    """It has no more rounds than there was room for, and each round fills one place, whichever of its branches is taken; the
    items are of what they are computed from, floats too."""
    rows = ([2, 2, 0, 4], [2, 2, 2, 2], [4, 0, 4, 4], [0, 0, 0, 0], [2, 4, 8, 16])
    calls = [(jnp.array(each),) for each in rows]
    found = check(MERGED.format(tiles=tiles), *calls, (jnp.array([1.5, 1.5, 0.0, 3.0]),))
    text = found.rewrites[0].source
    assert "out = jnp.zeros(len(tiles), tiles.dtype)" in text and "out_length + 1, out_length + 1" not in text


@pytest.mark.parametrize(
    "body",
    [
        "if v > 0:\n            out.append(v)\n        elif v > -1:\n            out.append(2 * v)",
        "if v > 0:\n            out.append(v)\n            continue\n        if v > -1:\n            out.append(-v)",
    ],
)
def test_appends_of_which_a_round_comes_to_one_alone_have_one_place(body):
    source = f"def f(x):\n    out = []\n    for v in x:\n        {body}\n    return len(out), sum(out)\n"
    found = check(source, *((jnp.array(each),) for each in ([1.0, -2.0, -0.5], [-3.0, -2.0, -1.5], [1.0, 2.0, 3.0])))
    assert "jnp.zeros(len(x), x.dtype)" in found.rewrites[0].source


def test_a_float_of_the_module_makes_floats_of_the_numbers_in_a_list():
    """Of whole numbers beside it the array of its rounds was one of integers, and cut them off: no rewrite was right."""
    source = """
STEP = 0.5

def f(x, rate):
    found = []
    for _ in range(300):
        if x > 1.0:
            x = x - STEP * rate
        else:
            x = x + STEP
        found.append(x)
    return jnp.array(found)
"""
    first = check(source, (jnp.array(3.0), 0.25), (jnp.array(-2.0), 1.5), (3, 1)).rewrites[0]
    assert "fori_loop" in first.patterns and "result_type(x, float, rate)" in first.source


@pytest.mark.parametrize("call", ["float(np.mean(ious))", "np.median(ious)", "np.sum(ious) / len(ious)", "np.max(ious)"])
def test_what_numpy_computes_of_a_list_whose_items_data_chooses(call):
    """`np.mean(scores) if scores else nan`, as a metric over classes that may be absent."""
    source = f"""
import numpy as np
import jax.numpy as jnp
def f(pred, label):
    ious = []
    for c in range(3):
        inter = ((pred == c) & (label == c)).sum()
        union = ((pred == c) | (label == c)).sum()
        if union == 0:
            continue
        ious.append(inter / union)
    return {call} if ious else float("nan")
"""
    calls = [(jnp.array(a), jnp.array(b)) for a, b in (([0, 1, 1], [0, 1, 0]), ([4, 4], [5, 5]), ([2, 1], [2, 2]))]
    check(source, *calls)


@pytest.mark.parametrize("asked", ["sum(last) / len(last) if last else 0.5", "0.5 if not last else sum(last) / len(last)"])
def test_a_part_of_a_list_that_grows_is_asked_whether_it_has_any(asked):
    """A list's truth is its length; in a compiled loop it is a part of a buffer, whose truth is another."""
    source = f"""
def f(x):
    found = []
    for v in x:
        if v > 0:
            found.append(v)
            if len(found) == 5:
                break
    last = found[-4:]
    return {asked}
"""
    x = jnp.array([1.0, -2.0, 3.0, 5.0, -1.0, 2.0, 7.0, 4.0])
    check(source, (x,), (-x,), (x[:3],), (-jnp.abs(x),))


TAKEN = {
    "reversed[-2:] if len(reversed) >= 2 else reversed": "the last",
    "reversed if len(reversed) < 2 else reversed[-2:]": "the last, asked the other way round",
    "reversed[:2] if len(reversed) > 2 else reversed": "the first",
}


@pytest.mark.parametrize("taken", TAKEN, ids=TAKEN.values())
def test_a_slice_of_a_list_that_grows_needs_no_question(taken):
    # a slice of a shorter list is all of it
    source = (
        "def f(x):\n    reversed, before = [], 0.0\n    for v in x:\n        if v * before < 0:\n"
        "            reversed.append(v)\n"
        f"        before = v\n    if len(reversed) < 1:\n        return 0.0\n    used = {taken}\n"
        "    return sum(used) / len(used)\n"
    )
    x = jnp.array([1.0, -2.0, -3.0, 4.0, 5.0, -1.0])
    check(source, (x,), (abs(x),), (abs(x).at[-1].set(-1.0),), (x[::-1] * 2,))


def test_a_choice_between_a_list_and_other_items_stays():
    # of three items, the last two are not all
    source = (
        "def f(x):\n    found = []\n    for v in x:\n        if v > 0:\n            found.append(v)\n"
        "    used = found[-2:] if len(found) > 3 else found\n    return sum(used)\n"
    )
    assert "slice" not in offered(source, X)
