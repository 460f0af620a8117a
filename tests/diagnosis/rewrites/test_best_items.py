"""The least or largest of the items that a test on data keeps."""

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose

from .helpers import check, check_with_gradients, define, offered, propose

X = jnp.array([1.0, -2.0, 3.0, 0.5, 2.5, 3.0])
CALLS = ((X,), (jnp.abs(X[::-1]),), (X[:3] * 2,), (jnp.array([2.0, 2.0]),))
SERVED = {
    "tuples of a comprehension": "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    return min(ok)[1], max(ok)",
    "tuples at once": "d, i = min((abs(v - 2), i) for i, v in enumerate(x) if v > 0)\n    return d + x[i], i",
    "numbers by a key": "ok = [i for i in range(len(x)) if x[i] > 0]\n    return max(ok, key=lambda i: x[i])",
    "numbers by another name": "ok = [i for i in range(len(x)) if x[i] > 0]\n    return min(ok, key=lambda j: (-x[j], j))",
    "tuples by a part": "ok = [(i, v) for i, v in enumerate(x) if v > 0]\n    return max(ok, key=lambda p: p[1])",
    "tuples by a sum": "ok = [(i, v) for i, v in enumerate(x) if v > 0]\n    return min(ok, key=lambda p: p[0] * 0.4 + p[1])",
    "a default": "return min((i for i, v in enumerate(x) if v > 2.7), key=lambda i: x[i], default=-1)",
    "asked whether there is one": "ok = [(v, i) for i, v in enumerate(x) if v > 2.7]\n    if not ok:\n        return -1.0\n"
    "    return min(ok)[0] + len(ok)",
    "sorted first": "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    ok.sort(key=lambda p: -p[0])\n"
    "    best = ok[0]\n    return best[0], ok[0][1]",
    "the first of a sort": "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    return sorted(ok, reverse=True)[0][1]",
    "the second of a sort": "ranked = sorted(((v, i) for i, v in enumerate(x) if v > 0), reverse=True)\n"
    "    if len(ranked) < 2:\n        return -1\n    return ranked[1][1]",
    "all of them": "return min([(v, i) for i, v in enumerate(x)])",
    "of a list with a name": "pairs = [(abs(v), i) for i, v in enumerate(x)]\n    d, i = max(pairs)\n    return d, i",
    "a list that a loop fills": "ok = []\n    for i in range(len(x)):\n        for j in range(i):\n"
    "            d = x[i] - x[j]\n            if d > -9:\n                ok.append((d, i, j))\n    return max(ok)",
}


@pytest.mark.parametrize("how", SERVED)
def test_the_one_that_is_asked_for_stands_at_its_place(how):
    """Nothing was found: how many are kept depends on data."""
    assert check(f"def f(x):\n    {SERVED[how]}\n", *CALLS).rewrites[0].verified


OK = "ok = [v for v in x if v > 0]\n    "
DRAWN = {
    "at once": f"{OK}return ok[jax.random.randint(key, (), 0, len(ok))]",
    "by a name": f"{OK}i = jax.random.randint(key, (), 0, len(ok))\n    return ok[i] + ok[0] - ok[-1]",
    "beside the best": "ok = [i for i in range(len(x)) if x[i] > 0]\n    if jax.random.uniform(key) < 0.5:\n"
    "        return ok[jax.random.randint(key, (), 0, len(ok))]\n    return max(ok, key=lambda i: x[i])",
    "of a list that a loop fills": "ok = []\n    for v in x:\n        if v > 0:\n            ok.append(v)\n"
    "    return ok[jax.random.randint(key, (), 0, len(ok))]",
    "from the end": f"{OK}return ok[jnp.argmax(x) % 2 - 1]",
}


@pytest.mark.parametrize("how", DRAWN)
def test_one_at_a_place_that_data_tells_stands_behind_those_before_it(how):
    """An action of those that are legal: it was said that their number is data."""
    keys = [jax.random.PRNGKey(seed) for seed in range(3)]
    calls = [(key, x) for key, (x,) in zip(keys, CALLS[:3], strict=True)]
    first = check(f"def f(key, x):\n    {DRAWN[how]}\n", *calls).rewrites[0]
    assert first.verified and "jnp.logical_not(is_kept)" in first.source


def test_what_is_not_kept_poisons_no_gradient():
    """A ratio whose divisor is 0 is left out: its derivative is not computed."""
    source = "def f(x):\n    ok = [(3 / v, i) for i, v in enumerate(x) if v > 0]\n    return min(ok)[0] if ok else 0.0\n"
    check_with_gradients(source, (X,), (X.at[0].set(0.0),), (-jnp.abs(X),))


@pytest.mark.parametrize(
    "body",
    [
        "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    best = min(ok)\n    ok.remove(best)\n    return min(ok)[1]",
        "ok = [(v, i) for i, v in enumerate(x) if v > 9]\n    some = ok or [(x[0], 0)]\n    return min(some)[1] + len(ok)",
        "it = enumerate(x)\n    return min((v, i) for i, v in it if v > 0)[1], sum(1 for _ in it)",
    ],
)
def test_a_list_that_is_used_otherwise_and_an_iterator_have_no_such_arrays(body):
    found = propose(define(f"def f(x):\n    {body}\n")["f"], (X,), {})
    assert not any("lexsort" in each.patterns for each in found.rewrites)


@pytest.mark.parametrize(
    "body",
    [
        "try:\n        return min((v, i) for i, v in enumerate(x) if v > 0)[1]\n    except ValueError:\n        return -1",
        "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    try:\n        return min(ok)[1]\n    except ValueError:\n"
        "        return -1",
    ],
)
def test_the_error_of_nothing_to_choose_from_is_asked_for(body):
    """The handler's value comes where nothing is kept."""
    check(f"def f(x):\n    {body}\n", (X,), (-jnp.abs(X),), (X[:3],), seconds=20.0)


def test_the_error_of_a_place_that_is_not_there_is_not_caught_away():
    body = "ok = [(v, i) for i, v in enumerate(x) if v > 0]\n    ok.sort()\n    try:\n        return ok[0][1]\n"
    assert propose(define(f"def f(x):\n    {body}    finally:\n        x = x\n")["f"], (X,), {}).rewrites
    assert not propose(define(f"def f(x):\n    {body}    except IndexError:\n        return -1\n")["f"], (X,), {}).rewrites


@pytest.mark.parametrize("asked", ["max(ok)", "sorted(ok, reverse=True)[0]", "min(ok)"])
def test_of_equal_items_the_first_has_the_gradient(asked):
    """As in plain Python, whose sort and extremes keep the order of what is equal."""
    namespace = define(
        "def f(x, w):\n    ok = [(v, u) for v, u in zip(x, w) if v > 0]\n"
        f"    best = {asked}\n    return best[0] * 2 + best[1]\n"
    )
    f, x, w = namespace["f"], jnp.array([3.0, 3.0, -1.0, 3.0]), jnp.array([5.0, 5.0, 0.0, 5.0])
    found = diagnose(f, x, w)
    assert found.verified and "tie" not in str(found.rewrites[0].compared)
    for text in found.rewrites[0].sources.values():
        exec(text, namespace)
    for got, want in zip(jax.grad(jax.jit(namespace["f"]), (0, 1))(x, w), jax.grad(f, (0, 1))(x, w), strict=True):
        assert jnp.array_equal(got, want)


@pytest.mark.parametrize(
    "tests",
    [
        "if v <= 0:\n            continue\n        if v < 3 or i == 0:\n            found.append((i, float(v)))",
        "if v > 0:\n            if v < 3 or i == 0:\n                found.append((i, float(v)))",
        "if v > 0:\n            if v < 3:\n                if all(v >= x[k] for k in (0, 1)):\n"
        "                    found.append((i, float(v)))",
    ],
)
def test_what_several_tests_keep(tests):
    """It was said that the length of the list depends on data, though only its best item and its length are asked for."""
    end = "found.sort(key=lambda s: -s[1])\n    if not found:\n        return 0, -1.0\n    return len(found), found[0][1]"
    source = f"def f(x):\n    found = []\n    for i, v in enumerate(x):\n        {tests}\n    {end}\n"
    check(source, (X,), (-X,), (X * 0,), (X[::-1] + 0.5,), seconds=8.0)


@pytest.mark.parametrize(
    ("named", "item"),
    [
        ("cost = y.sum() * t", "(cost, t)"),
        ("ratio = t / y.sum()\n            cost = ratio * ratio", "(cost, ratio)"),
        ("near = jnp.abs(y - t)\n            cost = near.min()", "(cost, near.max(), t)"),
        ("cost = jnp.var(y[y < t])", "(cost, t)"),
    ],
    ids=["number", "quotient", "array", "selection"],
)
def test_what_is_named_for_the_item_alone(named, item):
    """It stood in the way: lines before the `append`, below the test."""
    source = (
        "def f(x, y, low):\n    found = []\n    for t in x:\n        if t > low:\n"
        f"            {named}\n            found.append({item})\n    return min(found)\n"
    )
    y = jnp.array([-9.0, 0.5, 2.5])
    check(source, (X, y, 1.5), (-X, y, -2.5), (X, y, 0.0), seconds=20.0)


def test_what_is_named_for_the_item_and_read_elsewhere():
    """Of the last item that was kept: that is no value of each round."""
    source = (
        "def f(x, low):\n    found = []\n    cost = 0.0\n    for t in x:\n        if t > low:\n            {} = t * 2\n"
        "            found.append(({}, t))\n    return min(found)[0] + cost\n"
    )
    assert "lexsort" in offered(source.format("price", "price"), X, 1.5)
    assert "lexsort" not in offered(source.format("cost", "cost"), X, 1.5)
