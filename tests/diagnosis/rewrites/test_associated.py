"""Dicts and counters whose keys are data: arrays of keys and values, in the dict's own order."""

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import applied, check, define, offered

X = jnp.array([2, 1, 2, 3, 1, 2, 0])
IMPORTS = "import statistics\nfrom collections import Counter, defaultdict\n\n"
SERVED = {
    "asked before it is set": """
def f(x):
    seen = {}
    for i, v in enumerate(x):
        need = int(4 - v)
        if need in seen:
            return seen[need], i
        seen[int(v)] = i
    return -1, -1
""",
    "begun with a key": """
def f(x):
    count = {0: 1}
    total = found = 0
    for v in x:
        total += int(v)
        found += count.get(total - 3, 0)
        count[total] = count.get(total, 0) + 1
    return found
""",
    "the best of each": """
def f(x):
    best = {}
    for i, v in enumerate(x):
        k = int(v)
        if k not in best or i % 3 > best[k]:
            best[k] = i % 3
    total = 0
    for k, v in best.items():
        total += k * v
    return total, len(best), max(best.values())
""",
    "the first of each": """
def f(x):
    first = {}
    for i, v in enumerate(x):
        first.setdefault(int(v), i)
    return max(first.values())
""",
    "visits": """
def f(x):
    visits = defaultdict(int)
    at = 0
    for v in x:
        at += int(v) - 1
        visits[at] += 1
    return sum(1 for n in visits.values() if n > 1), max(visits, key=visits.get)
""",
    "a counter": """
def f(x):
    tally = Counter(x.tolist())
    winner, votes = tally.most_common(1)[0]
    return winner, votes, tally[3], sum(n * n for n in tally.values())
""",
    "the best by a lambda": """
def f(x):
    votes = {}
    for v in x:
        votes[int(v)] = votes.get(int(v), 0) + 1
    return max(votes, key=lambda k: votes[k]), min(votes, key=lambda k: votes[k])
""",
    "what two counters share": """
def f(x):
    a, b = Counter(x.tolist()), Counter((x // 2).tolist())
    return sum((a & b).values()), sum((a - b).values())
""",
    "what two counters share, written where it is asked": """
def f(x):
    return 2.0 * sum((Counter(x.tolist()) & Counter((x // 2).tolist())).values()) / len(x)
""",
    "keyed by tuples": """
def f(x):
    counts = {}
    for a, b in zip(x[:-1], x[1:]):
        key = (int(a), int(b))
        counts[key] = counts.get(key, 0) + 1
    best = max(counts, key=counts.get)
    return best, counts[best], len(counts)
""",
    "places that were visited, counted": """
def f(x):
    seen = {(0, 0): 1}
    a = b = 0
    for m in x:
        if m == 0:
            a += 1
        elif m == 1:
            a -= 1
        else:
            b += 1
        seen[(a, b)] = seen.get((a, b), 0) + 1
    return len(seen), max(seen.values())
""",
    "a set of places that were visited": """
def f(x):
    seen = {(0, 0)}
    a, b, again = 0, 0, 0
    for m in x:
        a, b = a + (1 if m == 0 else -1), b + int(m == 2)
        if (a, b) in seen:
            again += 1
        seen.add((a, b))
    return len(seen), again
""",
    "the mode": "def f(x):\n    return statistics.mode(x.tolist())\n",
    "a counter in a comprehension": """
def f(x):
    return sum(k for k, n in Counter(x.tolist()).items() if n > 1), max(n for n in Counter(int(v) for v in x).values())
""",
    "the elements of both": "def f(x):\n    return len(set(x.tolist()) & set((x // 2).tolist()))\n",
    "the same elements": "def f(x):\n    return Counter(x.tolist()) == Counter((x * x // 2).tolist())\n",
    "spread": """
def f(x):
    s = [float(v) for v in x]
    return statistics.stdev(s) / statistics.fmean(s), statistics.median(s)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_a_dict_keyed_by_data_is_arrays(how):
    """It gives what plain Python gives, ties in the dict's own order."""
    found = check(IMPORTS + SERVED[how], (X,), (X[::-1],), (X * X,), (X[:5] % 2 + 1,))
    assert found.rewrites[0].verified


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    d = {}\n    for v in x:\n        d[int(v)] = v\n    return d\n",
        "def f(x):\n    d = defaultdict(int)\n    for v in x:\n        d[int(v)] += 1\n    return d[7], len(d)\n",
        "def f(x):\n    d = {}\n    for v in x:\n        d[int(v)] = v\n        del d[2]\n    return len(d)\n",
    ],
)
def test_what_arrays_cannot_be_stays_a_dict(source):
    """One that comes out, one that a read makes longer, one that loses keys."""
    found = jm.diagnose(define(IMPORTS + source)["f"], X)
    assert not found.rewrites


def test_weights_added_up_by_key_have_a_largest_one():
    """The values are floats: where one is NaN, Python's `max` goes by their order, and the answer says so."""
    source = (
        "def f(x, w):\n    d = {}\n    for v, each in zip(x, w):\n        d[int(v)] = d.get(int(v), 0.0) + each\n"
        "    return max(d, key=d.get), len(d)\n"
    )
    w = jnp.arange(7.0) - 3
    found = check(source, (X, w), (X[::-1], w * w), (X * X, -w)).rewrites[0]
    assert found.verified and any("NaN" in each for each in (*found.compared.differences, *found.compared.not_reached))


@pytest.mark.parametrize(
    "end",
    ["Counter(votes).most_common(1)[0][0]", "statistics.mode([2 * v for v in votes])", "len(set(votes)) + len(Counter(votes))"],
)
def test_votes_of_the_nearest_are_counted(end):
    """A list of numbers that is no array's: its counter was left."""
    source = (
        "def f(x, d):\n    near = sorted(zip(d, x), key=lambda t: t[0])[:4]\n"
        f"    votes = [int(l) for _, l in near]\n    return {end}\n"
    )
    d = jnp.array([0.5, 0.1, 3.0, 0.7, 0.2, 9.0, 0.3])
    check(IMPORTS + source, (X, d), (X[::-1], d), (X * X, -d), seconds=20.0)


VOTES = "votes = {}\n    for v in x:\n        if v > 0:\n            k = int(v)\n            votes[k] = votes.get(k, 0) + 1\n"


@pytest.mark.parametrize(
    "body",
    [
        f"{VOTES}    return max(votes, key=votes.get) if votes else -1",
        f"{VOTES}    if not votes:\n        return -1\n    return max(votes, key=votes.get) + len(votes)",
        "counts = Counter(int(v) for v in x if v > 0)\n    return counts.most_common(1)[0][0] if counts else -1",
        "return Counter(int(v) for v in x if v > -5).most_common(1)[0][0]",
    ],
)
def test_whether_anything_was_counted_is_asked_of_what_is_there(body):
    """Nothing was found, or a split: the truth of a dict whose keys are data."""
    x = jnp.array([1.0, 2.5, -2.0, 2.0, 1.5, 2.2])
    check(f"from collections import Counter\ndef f(x):\n    {body}\n", (x,), (-x,), (x[:3],), (jnp.abs(x - 2.0),))


@pytest.mark.parametrize(("behind", "is_written"), [("c[1] * v", False), ("c[1] * w", True)])
def test_a_comprehension_whose_variable_means_something_else_behind_it_is_made_no_loop(behind, is_written):
    """A loop's variables are the function's own: `v` would be the last element."""
    source = (
        "from collections import Counter\n"
        "def f(ks, x):\n    v = w = 3.0\n    c = Counter(int(k) for k, v in zip(ks, x) if v > 0)\n"
        f"    return {behind}\n"
    )
    assert ("keys" in offered(source, jnp.array([1, 1, 2]), jnp.array([0.5, -1.0, 2.0]))) == is_written


@pytest.mark.parametrize(
    "body",
    [
        "for i in range(len(ids) - n + 1):\n        g = tuple(ids[i : i + n].tolist())\n"
        "        counts[g] = counts.get(g, 0) + 1",
        "for i in range(len(ids) - n + 1):\n        counts[tuple(int(v) for v in ids[i : i + n])] += 1",
    ],
)
def test_windows_of_an_array_are_keys(body):
    """N-grams, of any length: a comprehension has a frame of its own, in which `n` has no value."""
    made = "{}" if "get" in body else "Counter()"
    source = (
        f"from collections import Counter\ndef f(ids, n=2):\n    counts = {made}\n    {body}\n"
        "    return max(counts.values()), len(counts)\n"
    )
    namespace = define(source)
    f, runs = namespace["f"], ([1, 2, 1, 2, 3], [1, 1, 1, 1], [3, 1, 2, 3, 1, 2])
    wanted = [f(jnp.array(ids), n) for ids in runs for n in (1, 2, 3)]
    with applied(jm.diagnose(f, jnp.array(runs[0])), namespace):
        fixed = jax.jit(namespace["f"], static_argnames="n")
        assert [tuple(map(int, fixed(jnp.array(ids), n))) for ids in runs for n in (1, 2, 3)] == wanted


@pytest.mark.parametrize("part", ["[0][1]", "[0][0][1]"])
def test_the_most_common_of_pairs(part):
    source = (
        "from collections import Counter\ndef f(ids):\n    counts = Counter()\n    for a, b in zip(ids, ids[1:]):\n"
        f"        counts[int(a), int(b)] += 1\n    return counts.most_common(1){part}\n"
    )
    check(source, *((jnp.array(ids),) for ids in ([1, 2, 1, 2, 3], [1, 1, 1, 4, 1], [3, 1, 2, 3, 1])))
