"""Lists, tuples and dicts indexed by a traced value."""

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

TABLES = """
RATES = [0.1, 0.2, 0.4]
MASSES = {1: 1.008, 2: 4.0026, 6: 12.011}
KERNELS = [lambda r: r, lambda r: r**2, jnp.exp]
MATRICES = (jnp.eye(2), jnp.ones((2, 2)), jnp.zeros((2, 2)))
LAYERS = [{"w": jnp.ones(2) * k, "b": 1.0 * k} for k in range(3)]
BY_NAME = {1: jnp.sin, 2: jnp.cos}
"""


@pytest.mark.parametrize(
    "body",
    [
        "return x * RATES[n]",
        "return x * [1.0, 2.0, 3.0][n]",
        pytest.param("return x * MASSES[n]", marks=pytest.mark.slow),
        pytest.param("return x * MASSES.get(n, 0.5)", marks=pytest.mark.slow),
        pytest.param("return x * {1: 10.0, 2: 20.0}[n]", marks=pytest.mark.slow),
        pytest.param("return KERNELS[n](x)", marks=pytest.mark.slow),
        pytest.param("return BY_NAME[n](x)", marks=pytest.mark.slow),
        pytest.param("return MATRICES[n] * x", marks=pytest.mark.slow),
        pytest.param("return LAYERS[n]['w'] * x + LAYERS[n]['b']", marks=pytest.mark.slow),
    ],
)
def test_a_table_is_read_by_a_traced_key(body):
    source = f"{TABLES}\ndef f(x, n):\n    {body}\n"
    check(source, (jnp.array(2.0), 1), (jnp.array(3.0), 2))


def test_tuples_of_traced_arrays_are_picked_array_by_array():
    """As the layers of a network that are an argument: NumPy is not asked for the shape of a tuple of them."""
    layers = [(jnp.ones(2) * k, jnp.array(1.0 * k)) for k in range(3)]
    source = "def f(layers, x, n):\n    w, b = layers[n]\n    return w * x + b\n"
    check(source, (layers, jnp.array(2.0), 1), (layers, jnp.array(3.0), 2))


def test_a_table_by_a_word_that_a_loop_goes_through():
    # the word is Python's own in each round, the place in its list is data
    tables = "EMIT = {'island': [0.1, 0.4, 0.5], 'sea': [0.3, 0.2, 0.7]}\n"
    source = tables + (
        "def one(state, k):\n    return math.log(EMIT[state][k])\n\n"
        "def f(x, k):\n    total = 0.0\n    for state in EMIT:\n        total += x * one(state, k)\n    return total\n"
    )
    check(source, (jnp.array(2.0), jnp.array(1)), (jnp.array(3.0), jnp.array(2)), (jnp.array(3.0), jnp.array(0)))


def test_things_of_other_shapes_cannot_be_picked():
    namespace = define("LAYERS = [jnp.ones(2), jnp.ones(3)]\ndef f(n):\n    return LAYERS[n]\n")
    proposals = propose(namespace["f"], (1,), {})
    assert not proposals.rewrites
    assert any("different shapes" in reason for reason in proposals.obstacles)


def test_a_dict_of_places_is_looked_up_by_both_numbers():
    """A key that is missing gives the default. (Plain Python takes hashable numbers alone.)"""
    table = "REWARDS = {(0, 3): 1.0, (1, 3): -1.0, (2, 0): 0.5}\n"
    source = table + "def f(state, cost):\n    row, col = state\n    return REWARDS.get((row, col), cost)\n"
    states = [tuple(map(np.int32, place)) for place in ((0, 3), (1, 3), (2, 2), (3, 0))]
    first = check(source, *[(state, jnp.array(-0.04)) for state in states]).rewrites[0]
    assert "jnp.all(jnp.asarray(list(REWARDS)) == jnp.asarray((row, col)), axis=1)" in " ".join(first.source.split())


def test_a_function_that_is_picked_and_called_later():
    source = "def f(x, k):\n    rule = [lambda v: v, lambda v: v ** 2, lambda v: -v][k]\n    return rule(x) + rule(2 * x)\n"
    check(source, *[(jnp.array([1.0, -2.0]), jnp.array(k)) for k in (1, 0, 2)])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("RATES[n]", "IndexError"),
        ("{0: 1.0, 1: 2.0}[n]", "KeyError"),
        ("MASSES.get(n, 0.5)", ""),
        ("[1.0, x][int(x > 2)]", ""),
    ],
)
def test_a_lookup_that_python_refuses_is_said(body, said):
    """Compiled code cannot raise: past the ends, or without the key, it takes another element."""
    namespace = define(f"{TABLES}\ndef f(x, n):\n    return x * {body}\n")
    proposals = propose(namespace["f"], (jnp.array(2.0), 1), {})
    assert proposals.rewrites
    for rewrite in proposals.rewrites:
        told = "; ".join(rewrite.compared.not_reached)
        assert ("Python raises" in told) == bool(said) and said in told


@pytest.mark.parametrize(
    "body",
    [
        "return {0: x, 1: -x, 2: x * x}[int(n)]",
        pytest.param("return [x.sum(), 2.0, x.mean()][int(n)]", marks=pytest.mark.slow),
        pytest.param("return {0: -x, 2: x * 2}.get(int(n), x)", marks=pytest.mark.slow),
    ],
)
def test_what_a_literal_table_computes_counts_by_its_shape(body):
    """It counted as a number, and a number beside an array as of another shape."""
    source = f"def f(x, n):\n    {body}\n"
    check(source, *[(jnp.array([1.0, -2.0]), jnp.array(n)) for n in (1, 0, 2)])


def test_a_function_that_is_asked_for_with_a_default():
    """It was answered nothing."""
    source = "OPS = {0: jnp.sin, 3: jnp.cos}\ndef f(x, n):\n    return OPS.get(int(n), jnp.abs)(x)\n"
    check(source, *[(jnp.array([1.0, -2.0]), jnp.array(n)) for n in (0, 3, 1, -1)])


def test_a_row_of_a_table_of_lists_is_picked_from_whatever_tells_the_row():
    """`dp[i - 1][w - wt]`, as a knapsack reads the row above: only a literal number told the row."""
    source = """
def f(values, weights):
    dp = [[0.0] * 4 for _ in range(3)]
    for i in range(1, 3):
        wt = weights[i - 1]
        for w in range(4):
            dp[i][w] = dp[i - 1][w]
            if wt <= w:
                dp[i][w] = jnp.maximum(dp[i][w], dp[i - 1][w - wt] + values[i - 1])
    return dp[2][3]
"""
    values = jnp.array([6.0, 10.0])
    check(source, *[(values, jnp.array(weights)) for weights in ([1, 2], [2, 3], [3, 1], [5, 4])])


def test_a_table_of_lists_that_were_computed_is_read_by_two_traced_keys():
    """`score[i][j]`, as an alignment is traced back through the lists that held its scores: numbers of the code's own alone
    could be picked from."""
    source = """
def f(a, b):
    score = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            score[i][j] = jnp.maximum(score[i - 1][j - 1] + (a[i - 1] == b[j - 1]), score[i - 1][j])
    i, j, matches = len(a), len(b), 0
    while i > 0 and j > 0:
        if score[i][j] == score[i - 1][j]:
            i -= 1
        else:
            i, j, matches = i - 1, j - 1, matches + 1
    return matches, score[-1][-1]
"""
    lines = [([0, 1, 2, 1], [0, 2, 1]), ([2, 2, 2, 2], [2, 1, 2]), ([0, 0, 0, 0], [1, 1, 1])]
    check(source, *[(jnp.array(a), jnp.array(b)) for a, b in lines])


@pytest.mark.parametrize(
    "body",
    [
        "row = ROWS[-1]\n    for i in range(3):\n        if a <= ENDS[i]:\n            row = ROWS[i]\n            break",
        "for i in range(3):\n        if a <= ENDS[i]:\n            row = ROWS[i]\n            break\n"
        "        elif i == 2:\n            row = ROWS[-1]",
        "for i in range(3):\n        if a <= ENDS[i]:\n            row, end = ROWS[i], ENDS[i]\n            break\n"
        "        elif i == 2:\n            row, end = ROWS[-1], ENDS[-1]\n    x = x * end",
    ],
)
def test_a_row_of_a_table_is_found_by_a_loop(body):
    """The row stays a list: beside another list no array can be chosen."""
    tables = "ENDS = [1.0, 2.0, 3.0]\nROWS = [[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]]\n"
    calls = [(jnp.array(2.0), 1.5), (jnp.array(2.0), -1.0), (jnp.array(1.0), 9.0)]
    check(f"{tables}def f(x, a):\n    {body}\n    return row[0] * x + row[1]\n", *calls, seconds=5.0)


MOVED = """
NAMES = ["up", "down", "left"]
MOVES = {"down": (1, 0), "up": (-1, 0), "left": (0, -1)}
COSTS = {"up": 2.0, "down": 0.5, "left": 1.0}
def f(x, ks):
    names = list(MOVES)
    y, total = 0, 0.0
    for k in ks:
        dy, dx = MOVES[names[k]]
        y += dy
        total += x * COSTS[NAMES[k]] + dx
    return y, total
"""


def test_what_a_table_says_of_a_word_that_is_picked():
    """The word is no result: it was said that a string cannot leave compiled code."""
    check(
        MOVED, (jnp.array(2.0), jnp.array([0, 2, 1])), (jnp.array(-1.0), jnp.array([1, 1])), (jnp.array(1.0), jnp.array([-1]))
    )


@pytest.mark.parametrize("costs", ['{"up": 2.0, "down": 0.5}', '{"up": 2, "down": 0.5, "left": True}'])
def test_a_table_without_a_word_or_of_several_kinds_is_not_picked_from(costs):
    source = MOVED.replace('{"up": 2.0, "down": 0.5, "left": 1.0}', costs)
    assert not propose(define(source)["f"], (jnp.array(2.0), jnp.array([0, 1])), {}).rewrites


FEES = "FEES = {1: (5.0, 1.0), 2: (9.0, 2.0), 4: (12.0, 2.5)}\nRATES = {1: 5.0, 2: 9.0, 4: 12.0}\n"


@pytest.mark.parametrize(
    "body",
    [
        "base, per = FEES.get(int(n), (20.0, 3.0))\n    return base + per * x",
        "fee = FEES.get(n.item())\n    if fee is None:\n        return 0.0 * x\n    return fee[0] + fee[1] * x",
        "rate = RATES.get(int(n), None)\n    return rate * x if rate is not None else x",
        "rate = RATES.get(int(n))\n    if rate is None:\n        rate = 20.0\n    return rate * x",
    ],
)
def test_what_is_given_for_a_key_that_is_not_there(body):
    """A tuple, None with a question behind it, and what is set where it is None."""
    calls = [(jnp.array(n), jnp.array(3.0)) for n in (1, 4, 3, 0)]
    assert "lookup" in check(f"{FEES}def f(n, x):\n    {body}\n", *calls).rewrites[0].patterns


@pytest.mark.parametrize(
    "end", ["return rate", "return [rate, x]", "if x > 1 and rate is None:\n        return x\n    return x * rate"]
)
def test_none_that_goes_further_stays_none(end):
    body = "rate = RATES.get(int(n))\n    {}"
    assert "lookup" in offered(f"{FEES}def f(n, x):\n    {body.format('return x if rate is None else rate')}\n", *ASKED)
    assert "lookup" not in offered(f"{FEES}def f(n, x):\n    {body.format(end)}\n", *ASKED)


ASKED = jnp.array(1), jnp.array(3.0)


def test_a_float_of_32_bits_is_no_key_of_64():
    """0.1 of an array is another number, and Python finds nothing there."""
    table = "OFF = {0.25: 0.1, 0.1: 0.2}\nHALVES = {0.25: 0.1, 0.5: 0.2}\n"
    source = "def f(x):\n    return x * {}.get(float(x), 0.0)\n"
    assert "lookup" in offered(table + source.format("HALVES"), jnp.array(0.25))
    assert "lookup" not in offered(table + source.format("OFF"), jnp.array(0.25))
    compared = check(table + source.format("OFF"), (0.25,), (0.1,), (0.3,)).rewrites[0].compared
    assert compared is not None and any("32 bits" in each for each in compared.differences)
