"""Selections that are filled up to a length, or cut to it."""

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define, offered

X, OTHER, NONE = jnp.array([1.0, -2.0, 3.0, 4.0]), jnp.array([-1.0, -2.0, -3.0, 4.0]), jnp.array([-1.0, -2.0, -3.0, -4.0])


@pytest.mark.parametrize(
    "body",
    [
        "if len(v) < n:\n        v = jnp.concatenate([v, jnp.zeros(n - len(v))])\n    return v[:n]",
        "if v.size < n:\n        v = jnp.pad(v, (0, n - v.size))\n    else:\n        v = v[:n]\n    return v",
        "k = n - v.shape[0]\n    if k > 0:\n        v = jnp.pad(v, (0, k), constant_values=-1)\n    return v[:n] * 2",
        "return jnp.pad(v, (0, max(0, n - len(v))))[:n]",
        "return jnp.append(v, jnp.full(n - len(v), 7.0)) if len(v) < n else v[:n]",
    ],
)
@pytest.mark.parametrize("n", [2, 6])
def test_a_selection_that_is_filled_up_or_cut_has_a_known_length(body, n):
    source = f"def f(x, n):\n    v = x[x > 0]\n    {body}\n"
    check(source, (X, n), (OTHER, n), (NONE, n), static=("n",), seconds=10.0)


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.concatenate([jnp.full(len(x) - len(v), 7.0), v])",
        "gap = x.size - v.size\n    return jnp.hstack((jnp.zeros(gap), v)) * 2",
        "return jnp.append(jnp.zeros(x.shape[0] - v.shape[0]), v)",
        "return jnp.pad(v, (len(x) - len(v), 0), constant_values=-1)",
    ],
)
def test_what_fills_a_selection_up_may_stand_before_it(body):
    check(f"def f(x):\n    v = x[x > 0]\n    {body}\n", (X,), (OTHER,), (NONE,), (-NONE,), (X[:1],), seconds=10.0)


def test_what_is_filled_up_in_front_and_then_cut_is_not_turned_round():
    """The first n of what stands behind zeros are not those of what is turned round."""
    source = "def f(x, n):\n    v = x[x > 0]\n    return jnp.concatenate([jnp.zeros(n - len(v)), v])[:n]\n"
    check(source, (X, 6), (OTHER, 6), (NONE, 6), static=("n",), seconds=10.0)


def test_rows_are_filled_up_by_rows():
    source = (
        "def f(x, n):\n    rows = x[x[:, 0] > 0]\n"
        "    return jnp.concatenate([rows, jnp.zeros((n - rows.shape[0], x.shape[1]))]) if len(rows) < n else rows[:n]\n"
    )
    table = jnp.array([[1.0, 2.0], [-1.0, 3.0], [2.0, 5.0], [4.0, 4.0]])
    check(source, (table, 3), (-table, 3), (table * 0, 3), (abs(table), 3), static=("n",), seconds=10.0)


@pytest.mark.parametrize(
    "body",
    [
        "v = v[:n]\n    while len(v) < n:\n        v.append(0.0)\n    return jnp.array(v)",
        "v = v[:n] + [0.0] * (n - len(v))\n    return jnp.array(v)",
        "if len(v) > n:\n        v = v[:n]\n    while len(v) < n:\n        v.append(0.0)\n    return jnp.array(v)",
        "if len(v) >= n:\n        del v[n:]\n    v += [0.0] * (n - len(v))\n    return jnp.array(v)",
    ],
)
def test_so_has_a_list_of_which_an_array_is_made(body):
    source = f"def f(x, n):\n    v = [a for a in x if a > 0]\n    {body}\n"
    check(source, (X, 3), (OTHER, 3), (NONE, 3), (-NONE, 3), static=("n",), seconds=10.0)


@pytest.mark.parametrize("cut", ["", "if len(v) > n:\n        v = v[:n]\n    ", "v = v[:n]\n    "])
@pytest.mark.parametrize("end", ["if a < 0:\n            break", "if a < 0:\n            continue"])
def test_so_has_one_that_a_loop_fills_until_data_ends_it(cut, end):
    """Tokens up to the end of a sentence: the length of the list was said to be data where it is cut in a branch."""
    source = f"def f(x, n):\n    v = []\n    for a in x:\n        {end}\n        v.append(a)\n    {cut}"
    source += "while len(v) < n:\n        v.append(0.0)\n    return jnp.array(v)\n"
    check(source, *((given, 3 if cut else 4) for given in (X, OTHER, NONE, -NONE)), static=("n",), seconds=20.0)


TOKENS = "tokens = [a for a in x if a > 0]\n    "
GROWN = "tokens = []\n    i = 0\n    while i < len(x):\n        if x[i] > 0:\n            tokens.append(x[i] * 2)\n"
GROWN += "        i += 1\n    "


@pytest.mark.parametrize(
    "body",
    [
        f"{TOKENS}return jnp.array(tokens + [0.0] * (n - len(tokens)))",
        f"{GROWN}k = len(tokens)\n    padded = tokens + [-1.0] * (n - k)\n    return jnp.array(padded)",
        f"{TOKENS}return jnp.asarray(tokens[:n] + [7.0] * max(0, n - len(tokens)))",
        f"{TOKENS}return jnp.array([0.0] * (n - len(tokens)) + tokens)",
        f"{TOKENS}k = n - len(tokens)\n    return jnp.array(tokens + [0.0] * k), jnp.array([1] * len(tokens) + [0] * k)",
    ],
)
def test_a_list_that_is_filled_up_within_an_expression(body):
    """Before it or behind it, and what says which of its items were there: the list was said to have a length from data."""
    source = f"def f(x, n):\n    {body}\n"
    first = check(source, *((given, 4) for given in (X, OTHER, NONE, -NONE)), static=("n",), seconds=20.0).rewrites[0]
    assert "array(jnp." not in first.source  # what stands for the list is an array


def test_so_is_one_that_a_helper_fills_up():
    source = "def filled(v, n, item=0.0):\n    return v + [item] * (n - len(v))\n\n"
    source += "def f(x, n):\n    v = [a for a in x if a > 0]\n    return jnp.array(filled(v, n))\n"
    check(source, *((given, 5) for given in (X, OTHER, NONE, -NONE)), static=("n",), seconds=20.0)


@pytest.mark.parametrize(
    "body",
    [
        f"{TOKENS}return jnp.array(tokens + [0.0] * (n - len(x)))",
        f"{TOKENS}return jnp.array([1] * len(tokens) + [0] * (n - len(x)))",
        f"{TOKENS}return tokens + [0.0] * (n - len(tokens))",
    ],
)
def test_a_list_that_is_not_filled_up_or_stays_a_list_is_left_alone(body):
    assert "filled up" not in offered(f"def f(x, n):\n    {body}\n", X, 6, static=("n",))


@pytest.mark.parametrize("body", ["v = jnp.pad(v, (0, n - len(v)))", "v = jnp.concatenate([v, jnp.zeros(n - len(v))])"])
def test_more_than_fit_are_said_to_be_cut_off(body):
    """Plain Python keeps them all: its array is longer then."""
    source = f"def f(x, n):\n    v = x[x > 0]\n    if len(v) < n:\n        {body}\n    return v\n"
    fun = (namespace := define(source))["f"]
    found = propose(fun, (OTHER, 2), {}, (), ("n",), seconds=10.0)
    told = (*found.rewrites[0].compared.differences, *found.rewrites[0].compared.not_reached)
    assert "more than n elements of v, all of which plain Python keeps" in told
    with applied(found, namespace):
        np.testing.assert_array_equal(namespace["f"](OTHER, 2), fun(OTHER, 2))


def test_what_is_no_length_of_the_selection_fills_nothing_up():
    source = "def f(x, y):\n    v = x[x > 0]\n    return jnp.pad(v, (0, 5 - len(y)))\n"
    found = propose(define(source)["f"], (X, X), {}, seconds=5.0)
    assert not found.rewrites


MERGE = """
def merged(row):
    tiles = [t for t in row if t != 0]
    {made}
    i = 0
    while i < len(tiles):
        if i + 1 < len(tiles) and tiles[i] == tiles[i + 1]:
            out.append(2 * tiles[i])
            gained += 2 * tiles[i]
            i += 2
        else:
            out.append(tiles[i])
            i += 1
    {filled}

def f(board):
    new, score = np.zeros(board.shape, dtype=int), 0
    for r in range(board.shape[0]):
        new[r], gained = merged(board[r])
        score += gained
    return jnp.array(new), score, not np.array_equal(new, board)
"""


@pytest.mark.parametrize(
    ("made", "filled"),
    [
        ("out, gained = [], 0", "return out + [0] * (len(row) - len(out)), gained"),
        ("out = []\n    gained = 0", "out += [0] * (len(row) - len(out))\n    return out, gained"),
    ],
    ids=["in the return", "before it"],
)
def test_what_a_helper_fills_up_is_a_row_of_an_array(made, filled):
    """A loop over what was kept of a row goes on as long as the row at most, and so its list has room there."""
    boards = [[[2, 2, 4, 0], [0, 4, 0, 4]], [[0, 0, 0, 0], [2, 4, 2, 4]], [[2, 4, 8, 16], [8, 8, 8, 8]]]
    check(MERGE.format(made=made, filled=filled), *((jnp.array(board),) for board in boards), seconds=30.0)


@pytest.mark.parametrize(
    "body",
    [
        "return jnp.pad(x[:n], (0, MAX - n), constant_values=-1.0)",
        "return jnp.concatenate([x[:n], jnp.full(MAX - n, 7.0)])",
        "return jnp.concatenate([jnp.zeros(MAX - n), x[:n]])",
        "return jnp.pad(jnp.outer(x, x)[:n], ((0, MAX - n), (0, 0)))",
        "return jnp.concatenate([jnp.outer(x, x)[:n], jnp.ones((MAX - n, x.size))])",
    ],
)
def test_a_part_whose_length_is_a_number_is_filled_up_by_what_that_leaves(body):
    """`MAX - n` is what is missing of `x[:n]`; its length was not known for that of what is filled up."""
    check(f"MAX = 6\n\ndef f(x, n):\n    {body}\n", *((X, jnp.array(n)) for n in (2, 0, 4)), seconds=10.0)


def test_flags_that_are_filled_up_stay_flags():
    source = "def f(x, n):\n    return jnp.pad(x[:n], (0, 6 - n))\n"
    namespace = define(source)
    found = propose(namespace["f"], (X, jnp.array(2)), {})
    with applied(found, namespace):
        assert namespace["f"](X > 0, jnp.array(3)).dtype == bool


def test_a_number_that_is_not_where_it_was_cut_fills_nothing_up():
    assert "filled up" not in offered("def f(x, n, m):\n    return jnp.pad(x[:n], (0, 6 - m))\n", X, jnp.array(2), jnp.array(2))
