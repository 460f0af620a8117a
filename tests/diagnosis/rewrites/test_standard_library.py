"""Functions of Python's own on lists: searches, the smallest ones, sets, the first so many of a list."""

import warnings

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import HEADER, applied, check, define

IMPORTS = "import bisect\nimport heapq\nimport itertools\nfrom bisect import bisect_left\nfrom heapq import nlargest\n"
X = jnp.array([1.0, 3.0, 4.0, 9.0])


@pytest.mark.parametrize(
    ("expression", "calls"),
    [
        ("bisect_left(x, v) * 2", [(X, 3.5), (X, 3.0), (X, 99), (X[:1], 0.0)]),
        ("bisect.bisect(x, v) * 2", [(X, 3.5), (X, 3.0), (X, 99), (X[:1], 0.0)]),
        ("bisect_left(x, v, 1) * 2", [(X, 3.5), (X, 0.5), (X, 99)]),
        ("bisect.bisect_right(x, v, lo=1, hi=len(x) - 1)", [(X, 3.0), (X, 0.5), (X, 9.0), (X, 99)]),
        ("x[bisect.bisect_right([2, 4, 6], v)]", [(X, jnp.array(4)), (X, 1), (X, 9.5)]),
        ("sum(heapq.nsmallest(2, x - v))", [(X, 3.0), (X[::-1], 1), (X[:1], 0.0)]),
        ("nlargest(2, x - v)[0] / 2", [(X, 3.0), (X[::-1], 1)]),
        ("sum(itertools.accumulate(x * v, max))", [(X, 3.0), (X, -1.0), (X[:1], 2)]),
        ("list(itertools.accumulate([v, *x], min))[-1]", [(X, 3.0), (X - 5, 0.0), (X[:1], 2.0)]),
        ("len(set(x.tolist())) + v", [(X, 3.0), (jnp.array([2.0, 1.0, 2.0]), 1)]),
        ("len(set(jnp.round(x).tolist())) + v", [(X, 3.0), (jnp.array([2.0, 1.9, 2.0]), 1)]),
    ],
)
def test_jax_has_a_function_for_it(expression, calls):
    """Ties, places beyond the ends and fewer elements than asked for are among the calls."""
    header = HEADER + IMPORTS
    namespace = define(f"def f(x, v):\n    return {expression}\n", header)
    proposals = propose(namespace["f"], calls[0], {}, seconds=20.0)
    assert proposals.rewrites, proposals
    wanted = [namespace["f"](*args) for args in calls]
    with applied(proposals, namespace):
        for args, want in zip(calls, wanted, strict=True):
            assert jnp.allclose(jnp.asarray(namespace["f"](*args)), jnp.asarray(want))


@pytest.mark.parametrize(
    "expression",
    [
        "bisect_left(x, v, key=lambda e: -e)",
        "heapq.nsmallest(2, x, key=lambda e: -e)[0]",
        "set(x.tolist())",
        "sum(itertools.accumulate(x, max, initial=v))",
    ],
)
def test_other_uses_are_left(expression):
    """Orders of one's own, and a set itself, which is no array."""
    namespace = define(f"def f(x, v):\n    return {expression}\n", HEADER + IMPORTS)
    assert not propose(namespace["f"], (X, 3.0), {}).rewrites


def test_as_many_of_a_list_as_data_says():
    """The layers of a list that has one more, none, or fewer than asked for; of a list that is indexed as well, too."""
    source = (
        "def f(layers, x, n):\n    for W, b in layers[:n]:\n        # one layer\n"
        "        x = jnp.tanh(x @ W + b)\n    return x\n"
    )
    layers = [(jnp.eye(2) * k, jnp.full(2, 0.1 * k)) for k in (1.0, 2.0, -1.0)]
    calls = [(layers, X[:2], jnp.array(n)) for n in (2, 0, 9)]
    proposals = check(source, *calls, seconds=20.0)
    assert "negative" in str(proposals.rewrites[0].compared.differences) + str(proposals.rewrites[0].compared.not_reached)


def test_sets_that_have_names():
    """Nothing was found."""
    source = (
        "def f(a, b):\n    sa, sb = set(a.tolist()), set(b.tolist())\n    return len(sa & sb) / len(sa | sb), len(sa - sb)\n"
    )
    a, b = jnp.array([1, 2, 2, 5]), jnp.array([2, 5, 7])
    check(source, (a, b), (b, a), (a, a), (a * 0, b))


@pytest.mark.parametrize(
    "end",
    [
        "if not a & b:\n        return 0.0\n    return len(a & b) / len(a | b)",
        "both = a & b\n    return len(both) / len(a) if both else -1.0",
        "only = a - b\n    return sum(only) / (1.0 + len(only))",
        "return 1.0 if a & b else 0.0",
    ],
)
def test_what_is_in_both_of_two_sets(end):
    """Overlaps of two lists of items: whether there are any in both, how many, those of one alone."""
    rows = [([1, 2, 3, 2], [2, 4, 3]), ([1, 1, 1, 1], [2, 3, 4]), ([5, 6, 5, 6], [6, 5, 6])]
    source = f"def f(x, y):\n    a, b = set(x.tolist()), set(y.tolist())\n    {end}\n"
    check(source, *((jnp.array(x), jnp.array(y)) for x, y in rows))


def test_a_set_on_one_line_with_what_is_asked_of_it():
    """Its statement goes as a whole line: that took what stands beside it along, and the rule failed."""
    rows = (jnp.array([1, 2, 3, 2]), jnp.array([2, 4, 3])), (jnp.array([1, 1]), jnp.array([1, 5]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check("def f(x, y):\n    a = set(x.tolist()) - set(y.tolist()); return sum(a)\n", *rows)


@pytest.mark.parametrize("of", ["max", "min"])
def test_of_equal_values_the_first_has_the_gradient_of_what_is_accumulated(of):
    """`lax.cummax` divided it between them, and nobody was told."""
    source = IMPORTS + f"def f(x):\n    return sum(v * v for v in itertools.accumulate(x, {of}))\n"
    namespace = define(source)
    x = jnp.array([1.0, 2.0, 2.0, -1.0, -1.0])
    found = propose(namespace["f"], (x,), {})
    wanted = jax.grad(namespace["f"])(x)
    with applied(found, namespace):
        assert (jax.grad(jax.jit(namespace["f"]))(x) == wanted).all()


@pytest.mark.parametrize(
    "expression",
    [
        "len(set(int(v) for v in x))",
        "len({v.item() for v in x}) == len(x)",
        "max(set(map(int, x))) - sum({int(v) for v in x})",
        "len(set([int(v) for v in x]) & {int(v) for v in x[::2]})",
        "Counter(int(v) for v in x).most_common(1)[0]",
    ],
)
def test_sets_of_numbers_that_are_taken_one_by_one(expression):
    """Of `x.tolist()` a rewrite was known, of the same written out nothing."""
    source = f"from collections import Counter\n\ndef f(x):\n    return {expression}\n"
    check(source, (jnp.array([3, 1, 3, 2]),), (jnp.array([0, 0, 5, 5]),))


def test_what_is_different_in_order_is_a_selection():
    """`sorted(set(x.tolist()))` was left."""
    check("def f(x):\n    u = set(x.tolist())\n    return sum(sorted(u)[:2])\n", (jnp.array([3, 1, 3, 2]),))


@pytest.mark.parametrize(
    "made",
    [
        "{int(v) for v in wanted if v >= 0}",
        "set(int(v) for v in wanted if v >= 0)",
        "set(wanted[wanted >= 0].tolist())",
        "set(wanted.tolist())",
        "set([int(v) for v in wanted if v >= 0])",
    ],
)
def test_a_set_is_asked_for_members_and_how_many_it_has(made):
    ranked = jnp.array([3, 1, 4, 1, 5])
    check(
        f"def f(ranked, wanted):\n    some = {made}\n    hits = 0\n    for v in ranked:\n        if int(v) in some:\n"
        "            hits += 1\n    if not some:\n        return 0.0\n    return hits / len(some)\n",
        (ranked, jnp.array([1, 4, -1, 4])),
        (ranked, jnp.array([-1, -1, -1, -1])),
        (ranked, jnp.array([7, 2, 2, 0])),
    )


def test_a_loop_over_a_set_and_the_first_that_holds():
    """That a set need not keep the order, and that plain Python raises where none holds, is said."""
    x, labels = jnp.array([0.5, -1.0, 2.0, 3.0]), jnp.array([1, 0, 1, 2])
    loop = "def f(x, k):\n    t = []\n    for v in set(k.tolist()):\n        t.append(x[k == v].mean())\n    return sum(t)\n"
    found = check(loop, (x, labels), (x * x, labels[::-1]), seconds=20.0).rewrites[0]
    assert any("need not keep" in each for each in found.compared.differences)
    first = "def f(x):\n    i = next(i for i in range(len(x)) if x[i] > 1)\n    return x[i:].sum()\n"
    found = check(first, (x,), (x[::-1],), seconds=20.0).rewrites[0]
    assert any("StopIteration" in each for each in found.compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "v = [int(k[i]) for i in jnp.argsort(d)[:3]]\n    return max(set(v), key=v.count)",
        "return max(set(k.tolist()), key=k.tolist().count)",
    ],
)
def test_the_most_frequent_of_a_set(body):
    """Nothing was found; which of equally frequent ones a set of Python's has first is said not to be kept."""
    d, k = jnp.array([0.5, 3.0, 0.1, 0.2]), jnp.array([2, 1, 2, 1])
    found = check(f"def f(d, k):\n    {body}\n", (d, k), (-d, jnp.array([-2, 1, -2, -2])), seconds=20.0).rewrites[0]
    assert any("first of its set" in each for each in found.compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "return set(a.tolist()) == set(b.tolist()), set(b.tolist()) <= set(a.tolist()), set(a.tolist()) != set(b.tolist())",
        "known = set(a.tolist())\n    return sum(1 for v in b.tolist() if v in known)",
        "return all(int(v) in {int(u) for u in a} for v in b)",
        "return sum(int(v) for v in b if int(v) not in set(a.tolist()))",
    ],
)
def test_sets_are_compared_and_asked_for_elements(body):
    """Nothing was found but for what two sets share."""
    a, b = jnp.array([1, 2, 2, 5]), jnp.array([2, 5, 7])
    source = f"def f(a, b):\n    {body}\n"
    check(source, (a, b), (b, a), (a, a[::-1]), (b[:2], a), seconds=20.0)


@pytest.mark.parametrize(
    "result",
    [
        "len({int(v) for v in x if v > 0}) / x.size",
        "len(set(int(v) for v in x if v >= low if v % 2 == 0))",
        "len(set([int(v) for v in x if v != low]))",
    ],
)
def test_different_ones_of_those_that_a_test_keeps(result):
    calls = [([1, 7, 4, 2, 4, 6], 2), ([1, 1, -1, -2, 2, 2], -2), ([-1, -1, -1, -1, -2, -2], 0)]
    check(f"def f(x, low):\n    return {result}\n", *((jnp.array(each), low) for each, low in calls))


def test_a_test_that_asks_more_than_of_each_element_is_none_of_all():
    source = "def f(x, y):\n    return len({int(v) for v in x if v > y[0] or v in (1, 2)})\n"
    assert not propose(define(source)["f"], (jnp.array([1, 2, 5]), jnp.array([3])), {}).rewrites


SETS = {
    "how many differ": "return {3: 6, 2: 3, 1: 1}[len({h, abs(k), l})]",
    "asked of them": "return 1.0 if len({h, k, l}) == 3 else 2.0 * max({h, k})",
    "one among them": "return h + 10 if h in {k, l} else l",
    "one not among them": "return h + 10 if h not in {k, 2} else l",
}


@pytest.mark.parametrize("last", SETS.values(), ids=SETS)
def test_a_set_of_single_numbers(last):
    # equal numbers count once
    source = f"def f(x):\n    h, k, l = [int(v) for v in x]\n    {last}\n"
    calls = [(jnp.array(each),) for each in ([1, 2, 1], [3, 2, 1], [2, 2, 2], [0, -2, 2], [1, 1, 0])]
    check(source, *calls, seconds=20.0)
