"""Generator functions of which the caller takes all items."""

import jax.numpy as jnp

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([1.0, 3.0, 2.0, -1.0, 5.0, 0.5])
PEAKS = """def peaks(x):
    for i in range(1, len(x) - 1):
        if x[i] > x[i - 1] and x[i] > x[i + 1]:
            yield x[i]

"""


def test_a_list_of_all_that_is_yielded():
    found = check(
        f"{PEAKS}def f(x):\n    found = list(peaks(x))\n    return len(found), sum(found)\n", (X,), (X[:2],), (X[::-1],)
    )
    assert not any("yield" in text for text in found.rewrites[0].sources.values())


def test_a_loop_over_all_that_is_yielded():
    source = "def f(x, t):\n    n = 0\n    for k, v in enumerate(peaks(x)):\n        if v > t:\n"
    source += "            n += k + 1\n    return n\n"
    check(PEAKS + source, (X, 1.0), (X, 4.0), (X[:1], 0.0))


def test_a_generator_whose_last_loop_returns_early():
    source = "def until(x, t):\n    for v in x:\n        if v > t:\n            return\n        yield v\n\n"
    source += "def f(x, t):\n    n = 0\n    for v in until(x, t):\n        n += 1\n    return n\n"
    found = propose(define(source)["f"], (X, 2.5), {})
    assert "`yield`" not in found.why_not  # what the list of unknown length meets is another question


def test_items_of_another_generator():
    source = "def both(x):\n    yield x[0]\n    yield from peaks(x)\n\ndef f(x):\n    return max(both(x))\n"
    check(PEAKS + source, (X,), (X[:1],), (X[::-1],))


def test_a_trace_that_stops_in_the_loop_over_its_items_is_compared():
    source = "def pairs(x):\n    for i in range(1, len(x)):\n        yield x[i - 1], x[i]\n\n"
    source += "def f(x):\n    n = 0\n    for a, b in pairs(x):\n        if a < b:\n            n += 1\n    return n\n"
    assert check(source, (X,), (X[:1],), (X[::-1],)).rewrites[0].verified


def test_items_that_never_end_are_not_made_beforehand():
    source = "def steps(x):\n    while True:\n        if x > 0:\n            yield x\n        x = x - 1\n\n"
    source += "def f(x):\n    n = 0.0\n    for v in steps(x):\n        n = n + v\n        if v < 2:\n"
    source += "            break\n    return n\n"
    found = propose(define(source)["f"], (jnp.array(6.5),), {})
    assert not any("append" in text for each in (*found.rewrites, *found.unverified) for text in each.sources.values())
