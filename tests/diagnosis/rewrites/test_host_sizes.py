"""Sizes that jnp computes of what is known: NumPy's or Python's arithmetic in its place."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import check, define

X = jnp.arange(16.0)


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("return x.reshape(-1, jnp.prod(jnp.array(x.shape)))", "math.prod(x.shape)"),
        ("n = jnp.asarray(x.shape[0]) // 2\n    return x[:n] * 2", "n = x.shape[0] // 2"),
        ("side = int(jnp.sqrt(x.size))\n    return x.reshape(side, side)", "int(np.sqrt(x.size))"),
        ("return x[: jnp.maximum(x.shape[0] - 3, 1)]", "max(x.shape[0] - 3, 1)"),
    ],
)
def test_a_size_computed_of_a_shape_leaves_jnp(body, made):
    assert made in check(f"def f(x):\n    {body}\n", (X,)).rewrites[0].source


@pytest.mark.parametrize(
    "body",
    [
        "return x[: jnp.minimum(x.shape[0], k)] * 2",
        "n = jnp.asarray(k)\n    n += 1\n    return jnp.zeros(n) + x[0]",
        "s = int(jnp.sqrt(k))\n    return x[: s * s].reshape(s, s)",
    ],
)
def test_a_size_computed_of_a_number_needs_it_static_too(body):
    diagnosis = jm.diagnose(define(f"def f(x, k):\n    {body}\n")["f"], X, 9)
    assert (diagnosis.kind, diagnosis.static_argnames) == ("static+rewrite", ("k",))
    assert diagnosis.rewrites[0].patterns == ("np",)
    assert "what jnp computes under jit is traced" in diagnosis.reason


def test_a_number_that_decides_no_shape_stays_data():
    diagnosis = jm.diagnose(define("def f(x, k):\n    return x * int(jnp.sqrt(k))\n")["f"], X, 9)
    assert (diagnosis.kind, diagnosis.static_argnames) == ("rewrite", ())
    assert diagnosis.rewrites


def test_what_numpy_does_not_have_is_evaluated_while_tracing():
    source = """
def side(k):
    return lax.max(jnp.sqrt(k), 2.0)

def f(x):
    n = int(side(x.shape[0]))
    return x.reshape(n, -1)
"""
    assert "with jax.ensure_compile_time_eval():\n        n = int" in check(source, (X,)).rewrites[0].source


def test_the_argument_of_a_helper_is_evaluated_where_it_is_made():
    source = """
def rows(k):
    return jnp.ones((k, 2))

def f(x, k):
    return rows(jnp.asarray(k) + 1) * x[0]
"""
    assert check(source, (X, 2), static=("k",)).rewrites[0].patterns == ("compile-time",)


def test_a_size_beside_data_that_need_not_be_known():
    """`linspace` needs the number of points alone."""
    source = "def f(x, k):\n    width = jnp.maximum(k, 2)\n    return jnp.linspace(0.0, x.max(), width)\n"
    found = check(source, (jnp.arange(3.0), 4), (jnp.arange(3.0), 1), static=("k",)).rewrites[0].source
    assert "max(k, 2)" in found


def test_what_is_made_of_a_known_mask_is_evaluated_with_it():
    """`~mask` is traced though mask is known: both stand in one block, once, and nothing is imported that is not used."""
    source = """
def f(X, y, folds=4):
    rows = X.shape[0]
    size = rows // folds
    errors = 0.0
    for i in range(folds):
        mask = jnp.ones(rows, bool).at[i * size : (i + 1) * size].set(False)
        w = jnp.linalg.solve(X[mask].T @ X[mask] + jnp.eye(2), X[mask].T @ y[mask])
        errors += ((X[~mask] @ w - y[~mask]) ** 2).sum()
    return errors
"""
    X, y = jnp.arange(16.0).reshape(8, 2) ** 1.5, jnp.arange(8.0)
    found = check(source, (X, y), static=("folds",)).rewrites[0].source
    assert "            chosen = ~mask\n        errors +=" in found and "y[chosen]" in found
    assert "import numpy" not in found


def test_an_item_of_a_known_array_is_evaluated_while_tracing():
    """SIZES[k] is traced under jit, though both are known."""
    source = "SIZES = jnp.array([2, 3, 4])\ndef f(x, k):\n    return jnp.zeros(int(SIZES[k])) + x[0]\n"
    check(source, (X, 1), (X, 2), static=("k",))


def test_numbers_that_decide_how_many_are_found_are_no_sizes():
    """`jnp.where(r < radius)` asks for a count; radius stays data."""
    source = """
def f(shape, radius):
    y, x = jnp.indices(shape)
    inside = jnp.where(jnp.sqrt(x**2 + y**2) < radius)
    return jnp.zeros(shape).at[inside].add(radius)
"""
    check(source, ((4, 5), 2.0), ((3, 3), 1.5), static=("shape",))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, y):\n    L = [[0] * 3 for _ in range(3)]\n    for i in range(2):\n        for j in range(2):\n"
        "            L[i + 1][j + 1] = L[i][j] + 1 if x[i] > y[j] else max(L[i][j + 1], L[i + 1][j])\n    return L[2][2]\n",
        "def f(x, y):\n    def step(v):\n        return v / y[0] if v > y[1] else 0.0\n    return max(step(v) for v in x)\n",
        "def f(x, y):\n    v = jnp.zeros(3)\n    for i in range(9):\n        new = []\n        for k in range(3):\n"
        "            new.append(jnp.max(x[k] + 0.5 * v))\n        new = jnp.array(new)\n"
        "        diff = jnp.max(jnp.abs(new - v))\n        v = new\n        if diff < y[0]:\n"
        "            break\n    return v, i\n",
        "def f(x, y):\n    x = list(x * y)\n    return max(abs(x) for x in x)\n",
    ],
)
def test_what_data_is_put_into_is_not_known_while_tracing(source):
    """A table that rounds fill, a list that becomes an array, a helper that closes over data, a comprehension whose variable
    is called as its data is."""
    given = jnp.array([0.5, 2.0, -1.0]), jnp.array([1.0, 0.25, 3.0])
    found = check(source, given, (given[1], given[0]), seconds=20.0)
    assert not any("compile-time" in each.patterns for each in found.rewrites)


def test_a_list_that_data_sets_is_no_array_of_numpys():
    rewritten = check(
        "def f(x):\n"
        "    n = x.shape[0]\n"
        "    done = [False] * n\n"
        "    total = 0.0\n"
        "    for _ in range(n):\n"
        "        u = -1\n"
        "        for v in range(n):\n"
        "            if not done[v] and x[v] > 0:\n"
        "                u = v\n"
        "        if u == -1:\n"
        "            break\n"
        "        done[u] = True\n"
        "        total = total + u * x[u]\n"
        "    return total\n",
        *((jnp.array(each),) for each in ([1.0, -1.0, 2.0], [-1.0, -2.0, -3.0], [3.0, 2.0, 1.0])),
    ).rewrites[0]
    assert "np.array" not in rewritten.source.replace("jnp.array", "") and "jnp.array([False] * n)" in rewritten.source


def test_what_is_known_in_the_first_round_alone_is_no_size():
    rewritten = check(
        "def f(a, b, most):\n"
        "    x, y = 0.0, 0.0\n"
        "    for n in range(most):\n"
        "        if x * x + y * y > 4.0:\n"
        "            return n\n"
        "        x, y = x * x - y * y + a, 2 * x * y + b\n"
        "    return most\n",
        *((jnp.float32(a), jnp.float32(b), 9) for a, b in ((0.5, 0.5), (0.1, 0.1), (3.0, 1.0))),
        static=("most",),
    ).rewrites[0]
    assert not {"np", "compile-time"} & set(rewritten.patterns) and "ensure" not in rewritten.source


def test_a_chained_comparison_in_parentheses_keeps_those_alone():
    rewritten = check(
        "def f(a, b):\n    if 1.0 <= a < 2.0 and 0.0 <= b < 3.0:\n        return a\n    return b\n",
        *((jnp.float32(a), jnp.float32(b)) for a, b in ((1.5, 1.0), (1.5, 5.0), (0.5, 1.0))),
    ).rewrites[0]
    assert "(((" not in rewritten.source


def test_what_a_helper_is_given_in_the_first_round_alone_is_no_size():
    """The stock is a number in the first round; it was computed while tracing, in a `with` of its own, for nothing."""
    rewritten = check(
        "def step(stock, sold, low):\n"
        "    order = 0\n"
        "    if stock < low:\n"
        "        order = 20 - stock\n"
        "    return min(stock + order, 50) - sold, order\n\n"
        "def f(demands, low=5):\n"
        "    stock, cost = 10, 0.0\n"
        "    for sold in demands:\n"
        "        stock, order = step(stock, sold, low)\n"
        "        if order > 0:\n"
        "            cost += 1.5 * order\n"
        "    return stock, cost\n",
        *((jnp.array(each),) for each in ([3, 4, 5, 6], [0, 0, 0], [30, 1, 1, 1])),
    ).rewrites[0]
    assert "ensure" not in "".join(rewritten.sources.values()) and "np.where" not in rewritten.source.replace("jnp", "")


def test_a_whole_number_that_is_made_of_floats_is_jnps():
    """Of 0.3 / 0.1 jnp, in single precision, makes 3, and NumPy's double 2: the same function has to round it."""
    source = (
        "def f(x, dt):\n    steps = jnp.maximum(jnp.abs(0.3 / dt), 1).astype(int)\n    return jnp.linspace(0.0, x, steps + 1)\n"
    )
    found = check(source, (1.5, 0.25), (1.5, 0.1), (2.5, 0.5), static=("dt",)).rewrites[0]
    assert found.patterns == ("compile-time",)


def test_where_numpy_has_to_make_it_of_floats_that_is_said():
    """A comprehension has no place for a block that is evaluated while tracing."""
    source = "def f(x):\n    return sum(jnp.linspace(0.0, x, int(jnp.ceil(t / 0.1))).sum() for t in (0.25, 0.5))\n"
    assert "in double precision" in " ".join(check(source, (1.0,)).rewrites[0].compared.differences)


@pytest.mark.parametrize("call", ["jnp.split(x, PLACES)", "jnp.array_split(x, OWN.places)"])
def test_places_held_as_an_array_of_jaxs_are_read_by_numpy(call):
    """jnp takes them apart, and what it makes of them is traced, though they are known."""
    source = (
        "PLACES = jnp.array([2, 3])\nclass Own:\n    places = None\nOWN = Own()\nOWN.places = PLACES\n\n"
        f"def f(x):\n    a, b, c = {call}\n    return a.sum() * b.sum() - c.sum()\n"
    )
    assert "np.asarray(" in check(source, (jnp.arange(6.0),), (jnp.arange(9.0),)).rewrites[0].source


@pytest.mark.parametrize("size", ["int(max(x))", "int(x.sum())"])
def test_a_result_whose_length_is_data_alone_is_told_as_such(size):
    """`No rewrite of the whole is known` was all that was said, above edits of the line before that cure nothing."""
    answer = jm.diagnose(define(f"def f(x):\n    n = {size}\n    return jnp.zeros(n)\n")["f"], jnp.array([1.0, 2.0, 3.0]))
    assert not (answer.rewrites or answer.splits or answer.partial)
    assert "length of what it returns depends on data itself: no array of a fixed shape holds just that" in answer.reason


def test_a_length_that_changes_with_nan_alone_is_not_told_as_data():
    """Parts by `<`, `==` and `>` are all of an array, but for NaN."""
    source = (
        "def f(x):\n    if len(x) <= 1:\n        return x\n    p = x[len(x) // 2]\n"
        "    return jnp.concatenate([f(x[x < p]), x[x == p], f(x[x > p])])\n"
    )
    answer = jm.diagnose(define(source)["f"], jnp.array([3.0, 1.0, 2.0, 2.0]))
    assert answer.rewrites or "depends on data itself" not in answer.reason


def test_a_text_that_a_helper_chooses_by_data_is_told_as_such():
    """Of the function alone it was said, of one that returns what it gives nothing."""
    source = (
        'def verdict(x):\n    word = "stable"\n    if x.std() > 1.0:\n        word = "unstable"\n    return word, x.mean()\n\n'
        "def f(x):\n    return verdict(x)\n"
    )
    answer = jm.diagnose(define(source)["f"], jnp.array([1.0, 2.0, 3.0]))
    assert not (answer.rewrites or answer.splits)
    assert "it returns a string, which cannot leave compiled code" in answer.reason


def test_a_result_of_one_length_is_not_said_to_be_of_several():
    answer = jm.diagnose(define("def f(x):\n    return x.sum() + int(jnp.zeros(int(x[0])).shape[0])\n")["f"], jnp.ones(3))
    assert "length of what it returns" not in answer.reason


def test_a_known_bound_of_a_slice_that_stands_in_the_other_is_named_once():
    source = (
        "def f(x, rate, n=4):\n    hop = jnp.round(rate * 0.02).astype(int)\n    count = int((len(x) - n) / hop) + 1\n"
        "    out = jnp.zeros((count, n))\n    for k in range(count):\n        out = out.at[k].set(x[k * hop:k * hop + n])\n"
        "    return out\n"
    )
    x = jnp.arange(12.0)
    check(source, (x, 100), (x, 200), (x[:5], 50), static=("rate",))


def test_a_float_left_out_is_computed_with_as_data_is():
    """`math.cos(jnp.radians(zenith))` of a default was evaluated while tracing, in a block of its own."""
    source = (
        "def f(lat, zenith=90.8):\n    c = math.cos(math.radians(zenith)) / math.cos(math.radians(lat))\n"
        "    if c > 1:\n        return 0.0\n    return math.acos(c)\n"
    )
    found = check(source, (52.0,), (80.0, 96.0), (0.0, 70.0)).rewrites[0]
    assert "c = jnp.cos(jnp.radians(zenith)) / jnp.cos(jnp.radians(lat))" in found.source


def test_a_shape_out_of_a_table_of_jax_is_a_tuple_of_known_numbers():
    source = """
SHAPES = jnp.array([[2, 4], [4, 2], [8, 1]])


def f(x, k):
    shape = SHAPES[k]
    return x.reshape(shape).sum(axis=1)
"""
    check(source, (jnp.arange(8.0), 0), (jnp.arange(8.0), 2), (jnp.arange(8.0), -2), static=("k",))
