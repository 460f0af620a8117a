"""Library calls and builtins that need a value."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

ONE_ARGUMENT = [
    ("np.exp(x)", "jnp.exp(x)"),
    ("np.linalg.norm(np.exp(x))", "jnp.linalg.norm(jnp.exp(x))"),
    ("math.sqrt(x.sum() + 9)", "jnp.sqrt(x.sum() + 9)"),
    ("math.atan2(x[0], 2.0)", "jnp.arctan2(x[0], 2.0)"),
    ("float(x.sum()) * 2", "jnp.asarray(x.sum(), float) * 2"),
    ("float(x.mean()) * 2", "x.mean() * 2"),
    ("int(x[0] * 3)", "jnp.asarray(x[0] * 3, int)"),
    ("bool(x[0] > 0)", "return x[0] > 0"),
    ("x.mean().item()", "return x.mean()"),
    ("max(x[0], 1.5)", "jnp.where(1.5 > x[0], 1.5, x[0])"),
    ("max(1, x.argmax())", "jnp.maximum(1, x.argmax())"),
    ("min(1.5, x[0])", "jnp.where(x[0] < 1.5, x[0], 1.5)"),
    ("any(x > 1)", "jnp.any(x > 1)"),
    ("not x[0] > 1", "jnp.logical_not(x[0] > 1)"),  # Python 3.13 places the comparison at the whole
    ("all(not v > 1 for v in x)", "jnp.logical_not(v > 1) for v in x"),
    ("all(v > 0 for v in x)", "jnp.all(jnp.array([v > 0 for v in x]))"),
    ("sorted([x[0], x[1]])[0]", "jnp.sort(jnp.asarray([x[0], x[1]]))[0]"),
]


@pytest.mark.parametrize(("expression", "expected"), ONE_ARGUMENT)
def test_a_call_that_needs_a_value_becomes_jax_own(expression, expected):
    """The converted call gives plain Python's result on the call's input and others."""
    proposals = check(f"def f(x):\n    return {expression}\n", (jnp.array([0.5, 2.0, 1.0]),), (jnp.array([-1.5, 3.0, 0.0]),))
    assert expected in proposals.rewrites[0].source


@pytest.mark.parametrize(("largest", "becomes"), [("max(x)", "x[jnp.argmax(x)]"), ("max(x * 2)", "[jnp.argmax(values)]")])
def test_the_largest_of_an_array_is_its_own_whatever_its_length(largest, becomes):
    """Not one comparison for each element of this call's array; where a NaN counts otherwise is said."""
    first = check(f"def f(x):\n    return {largest}\n", (jnp.array([0.5, 2.0]),), (jnp.array([2.0, 0.5, 2.0]),)).rewrites[0]
    assert becomes in first.source and any("NaN" in said for said in first.compared.differences)


def test_the_largest_of_a_list_keeps_pythons_answer_for_nan():
    source = "def f(x):\n    return max([x[0], x[1]])\n"
    proposals = check(source, (jnp.array([0.5, 2.0]),), (jnp.array([0.5, jnp.nan]),))
    assert "functools.reduce" in proposals.rewrites[0].source


@pytest.mark.parametrize(
    "largest",
    [
        "functools.reduce(max, [v * 2 for v in x])",
        "functools.reduce(min, list(x), 0.7)",
        "jax.tree.reduce(max, {'a': x[0], 'b': x[1:].sum()})",
        "jax.tree_util.tree_reduce(max, [x[0], x[1]], 0.0)",
    ],
)
def test_the_largest_by_reduce_is_that_of_the_list(largest):
    """`reduce(max, …)` calls what is written in C, so that nothing of it was seen."""
    calls = [jnp.array(each) for each in ([0.5, 2.0, 1.0], [3.0, 0.1, 0.1], [jnp.nan, 1.0, 2.0])]
    assert check(f"def f(x):\n    return {largest}\n", *((x,) for x in calls))


def test_a_numpy_table_indexed_by_data_becomes_an_array_of_jax():
    source = "TABLE = np.array([1.0, 2.0, 4.0], np.float32)\ndef f(i):\n    return TABLE[i]\n"
    assert "jnp.asarray(TABLE)[i]" in check(source, (jnp.array(1),), (jnp.array(2),)).rewrites[0].source


def test_a_mask_made_of_shapes_is_made_with_numpy():
    source = "def f(x):\n    odd = jnp.arange(x.shape[0]) % 2 == 1\n    return x[odd].sum()\n"
    assert "np.arange" in check(source, (jnp.arange(5.0),), (jnp.arange(4.0),)).rewrites[0].source


def test_printing_with_digits_becomes_debug_print():
    source = 'def f(x, step):\n    print(f"{step:3d}: {x.sum():.2f} {{}}")\n    return x * 2\n'
    first = check(source, (jnp.ones(2), 1)).rewrites[0]
    assert 'jax.debug.print("{step:3d}: {0:.2f} {{}}", x.sum(), step=step)' in first.source


def test_formats_by_number_and_by_name_become_fields_of_debug_print():
    """Explicit places, names, conversions and braces; what is asked of a part of an argument stays."""
    printed = "n, '{1:8.6f} {{{0}}}'.format(n, x.sum()), '{low:.1f} {}'.format(n, low=x.min())"
    source = f"def f(x, n):\n    print({printed})\n    return x * 2\n"
    first = check(source, (jnp.ones(2), 1)).rewrites[0]
    assert 'jax.debug.print("{n} {0:8.6f} {{{n}}} {1:.1f} {n}", x.sum(), x.min(), n=n)' in first.source


def test_host_random_numbers_get_no_rewrite():
    namespace = define("def f(x):\n    return np.random.normal(x)\n")
    assert not propose(namespace["f"], (jnp.ones(3),), {}).rewrites


def test_a_failed_check_marks_the_result_and_says_so():
    source = 'def f(x):\n    if x < 0:\n        raise ValueError("negative")\n    return jnp.sqrt(x)\n'
    first = check(source, (jnp.array(4.0),), (jnp.array(0.0),)).rewrites[0]
    assert "jnp.nan" in first.source and "cannot raise" in first.compared.differences[0]


def test_a_type_check_admits_jax_arrays():
    source = 'def f(x):\n    if not isinstance(x, np.ndarray):\n        raise TypeError("an array, please")\n    return x * 2\n'
    assert "(np.ndarray, jax.Array)" in check(source, (np.ones(3, np.float32),)).rewrites[0].source


def test_two_items_that_change_places_are_both_read_before_one_is_set():
    source = (
        "def f(x):\n    a = np.array(x)\n    for i in range(len(a)):\n        for j in range(len(a) - 1 - i):\n"
        "            if a[j] > a[j + 1]:\n                a[j], a[j + 1] = a[j + 1], a[j]\n    return a\n"
    )
    first = check(source, (jnp.array([3.0, 1.0, 2.0, -1.0]),), (jnp.array([1.0, 4.0, 4.0, 0.5]),)).rewrites[0]
    assert "].set(a[j + 1]).at[j + 1].set(a[j])" in first.source


def test_an_index_that_the_same_line_sets_is_refused():
    """Python sets k before it finds the second item."""
    source = "def f(x):\n    a, k = np.array(x), 0\n    if x[0] > 0:\n        k, a[k] = 1, 5.0\n    return a[k]\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([1.0, 2.0]),), {})
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            assert jax.jit(namespace["f"])(jnp.array([1.0, 2.0])) == 5.0


def test_a_buffer_of_numpy_that_is_filled_becomes_an_array_of_jax():
    source = """
def f(x):
    out = np.zeros(3)
    for i in range(3):
        out[i] = x[i] * 2
    out[0] -= 1.0
    return jnp.asarray(out)
"""
    first = check(source, (jnp.arange(3.0),)).rewrites[0]
    assert "out = jnp.zeros(3)" in first.source and "out = out.at[i].set(x[i] * 2)" in first.source


def test_what_holds_on_to_the_changed_function_is_listed_too():
    source = """
def clip(limit, x):
    return limit if x > limit else x

f = functools.partial(clip, 2.0)
"""
    assert list(check(source, (jnp.array(1.0),), (jnp.array(3.0),)).rewrites[0].sources) == ["clip", "f"]


@pytest.mark.parametrize(
    ("call", "now"), [("math.pow(x[0], 2)", "jnp.power("), ("math.fmod(x[0], 2)", "jnp.fmod("), ("math.fsum(x)", "jnp.sum(")]
)
def test_what_math_makes_of_whole_numbers_is_a_float(call, now):
    source = f"def f(x):\n    return {call}\n"
    first = check(source, (jnp.array([2.0, -3.5]),), (jnp.array([3, 4]),)).rewrites[0]
    assert now in first.source


@pytest.mark.parametrize(
    "end",
    ["return next((i for i, v in enumerate(x) if v > t), -1)", "k = next((v * 2 for v in x if v > t), 0.0)\n    return k + t"],
)
def test_the_first_that_holds(end):
    source = f"def f(x, t):\n    {end}\n"
    x = jnp.array([1.0, 5.0, 3.0])
    first = check(source, (x, jnp.array(2.0)), (x, jnp.array(9.0)), (-x, jnp.array(-4.0))).rewrites[0]
    assert "hits = jnp.array([v > t for" in first.source


@pytest.mark.parametrize(
    ("body", "said"), [("int(x) % 3", True), ("math.floor(x) % 3", True), ("int(n) % 3", False), ("int(x > 1) + x", False)]
)
def test_a_float_that_is_made_whole_may_be_one_that_python_refuses(body, said):
    """Of NaN `int()` raises, and its numbers have no end; of integers and truth values nothing is to be said."""
    namespace = define(f"import math\ndef f(x, n):\n    return {body}\n")
    proposals = propose(namespace["f"], (jnp.array(2.5), jnp.array(4)), {})
    assert proposals.rewrites
    told = "; ".join(proposals.rewrites[0].compared.not_reached)
    assert ("of which Python's int() raises or gives the number itself" in told) == said


def test_a_division_that_is_not_reached_raises_nothing():
    """With fewer elements a divisor is Python's own 0, in a side that plain Python does not take; one that it takes is left."""
    source = (
        "def f(x):\n    up = down = 0\n    for i in range(len(x) - 1):\n        if x[i + 1] > x[i]:\n            up += 1\n"
        "        elif x[i + 1] < x[i]:\n            down += 1\n    total = up + down\n"
        "    return (up - down) / total if total else 0.0\n"
    )
    check(source, (jnp.array([1.0, 3.0, 2.0]),), (jnp.array([1.0]),), (jnp.array([1.0, 1.0]),))
    always = source.replace(" if total else 0.0", "").replace("up = down = 0", "up = down = 0; zero = len(x) - 3")
    namespace = define(always.replace("/ total", "/ zero"))
    assert not propose(namespace["f"], (jnp.array([1.0, 3.0, 2.0]),), {}).rewrites


@pytest.mark.parametrize(
    "body",
    [
        "return x.tolist()",
        "return {'values': x.tolist(), 'n': len(x)}",
        "return jnp.stack([x, -x]).tolist()",
        "return np.asarray(x).tolist()",
        "return list(map(float, x))",
        "a, b = map(math.exp, (x[0], x[-1]))\n    return a - b",
        "return sum(map(float, x)), tuple(map(bool, x > 1))",
        "return jnp.array(list(map(max, x, x[::-1]))), max(map(min, x, x[::-1]))",
        "return [v + 1 for v in map(float, x)]",
        "out = []\n    for v in map(float, x):\n        out.append(v * 2)\n    return out",
        "return jnp.array(list(map(math.cos, x)))",
    ],
)
def test_lists_of_numbers_are_lists_of_scalars(body):
    """Of few elements: each is an output of the program by itself."""
    check(f"def f(x):\n    {body}\n", (jnp.array([1.0, -2.0, 3.0]),), (jnp.array([0.5]),))


def test_many_numbers_are_no_list():
    found = propose(define("def f(x):\n    return x.tolist()\n")["f"], (jnp.ones(300),), {})
    assert not found.rewrites


def test_a_map_of_the_users_own_function_is_left_to_the_rules_of_its_body():
    """What stops there stands in its own text."""
    found = check("def f(x):\n    return list(map(lambda v: v if v > 0 else -v, x))\n", (jnp.array([1.0, -2.0]),)).rewrites[0]
    assert "map(lambda" in found.source


@pytest.mark.parametrize(
    ("body", "call", "caught"),
    [
        ("y = math.exp(s)", "OverflowError", "OverflowError"),
        ("y = math.gamma(s)", "(KeyError, ValueError)", "(KeyError, ValueError)"),
        ("y = int(x.sum())", "ValueError", "ValueError"),
        ("y = np.linalg.pinv(jnp.outer(x, x) + jnp.eye(2) * s)", "np.linalg.LinAlgError", "np.linalg.LinAlgError"),
        ("y = math.sqrt(s - 0.1) if s > 0 else s", "(ArithmeticError, ValueError)", "(ArithmeticError, ValueError)"),
    ],
)
def test_what_a_handler_catches_is_no_function_of_jax(body, call, caught):
    """`jnp.exp(1000.0)` is infinite where plain Python goes on in the handler: such a rewrite was called verified."""
    source = f"def f(x, s):\n    try:\n        {body}\n    except {call}:\n        y = 1.0\n    return x * y\n"
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0]), 2.0), {})
    assert not found.rewrites and f"`except {caught}` catches what plain Python raises there" in found.why_not


def test_a_handler_of_other_errors_is_in_nobodys_way():
    source = (
        "def f(x, s):\n    try:\n        y = math.exp(s)\n    except KeyError:\n        y = 1.0\n"
        "    try:\n        z = x * math.tanh(s)\n    except ValueError:\n        z = x\n    return z * y * math.cos(s)\n"
    )
    check(source, (jnp.array([1.0, 2.0]), 2.0), (jnp.array([1.0, 2.0]), -3.0))


def test_a_handler_around_the_call_of_a_helper_catches_as_well():
    source = (
        "def grown(s):\n    return math.exp(s)\n\n\ndef f(x, s):\n    try:\n        y = grown(s)\n"
        "    except OverflowError:\n        y = 1.0\n    return x * y\n"
    )
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0]), 2.0), {})
    assert not found.rewrites and "`except OverflowError` catches" in found.why_not
    check(source.replace("OverflowError", "KeyError"), (jnp.array([1.0, 2.0]), 2.0))


@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        ("i, v = max(enumerate(x), key=lambda p: p[1])", "i = jnp.argmax(x)"),
        ("i, v = min(enumerate(x), key=operator.itemgetter(1))", "i = jnp.argmin(x)"),
        ("i, v = max(enumerate(x), key=lambda p: p[1])[0], 0", "i, v = jnp.argmax(x), 0"),
        ("v, i = 0, max(enumerate(x * x), key=lambda p: p[1])[1]", "(x * x)[jnp.argmax(x * x)]"),
    ],
)
def test_an_element_with_its_place_is_read_where_the_array_is_largest(chosen, written):
    source = f"import operator\ndef f(x):\n    {chosen}\n    return i, v\n"
    calls = [(jnp.array(each),) for each in ([1.0, 3.0, 2.0], [2.0, 2.0, -2.0], [-1.0, -1.0, -5.0])]
    assert written in check(source, *calls).rewrites[0].source


PLACES = jnp.array([0.5, 2.0, -1.0])


def test_a_place_is_a_whole_number_already():
    rewritten = check(
        "def f(x):\n    k = int(jnp.argmin(x))\n    return x[k] + int(jnp.sum(x > 0))\n", (PLACES,), (-PLACES,)
    ).rewrites[0]
    assert "k = jnp.argmin(x)\n" in rewritten.source and "asarray" not in rewritten.source


def test_parentheses_stand_beside_a_comparison_only_where_it_needs_them():
    rewritten = check("def f(x, k):\n    return max(k, x[0] - k)\n", (PLACES, 1.0), (-PLACES, 0.5)).rewrites[0]
    assert "jnp.where(x[0] - k > k, x[0] - k, k)" in rewritten.source


def test_a_number_that_is_drawn_is_a_whole_one_already():
    source = "def f(key, x):\n    k = int(jax.random.randint(key, (), 0, len(x)))\n    return x[k]\n"
    rewritten = check(source, *[(jax.random.PRNGKey(n), PLACES) for n in range(4)]).rewrites[0]
    assert "k = jax.random.randint(key, (), 0, len(x))\n" in rewritten.source


def test_one_that_is_drawn_narrower_than_pythons_is_made_an_int():
    """`int(…) + 250` of an uint8 does not wrap around."""
    source = "def f(key, x):\n    k = int(jax.random.randint(key, (), 0, 9, jnp.uint8))\n    return x[0] * (k + 250)\n"
    check(source, *[(jax.random.PRNGKey(n), PLACES) for n in range(4)])


def test_bits_of_an_unsigned_number_are_all_counted():
    """Its last is the sign of an int; and the count is an int as Python's, which does not wrap around."""
    namespace = define('def f(n):\n    return 200 * bin(int(n)).count("1")\n')
    f = namespace["f"]
    found = propose(f, (jnp.array(5, jnp.uint32),), {}, (), (), seconds=30)
    with applied(found, namespace):
        for n in (0, 7, 2**31, 2**32 - 1):
            assert jax.jit(namespace["f"])(jnp.array(n, jnp.uint32)) == f(jnp.array(n, jnp.uint32))
        assert jax.jit(namespace["f"])(jnp.array(-3)) == f(-3)


def test_bits_of_a_negative_number_are_counted_as_bin_shows_them():
    namespace = define('def f(n):\n    return bin(int(n)).count("1")\n')
    f = namespace["f"]
    found = propose(f, (jnp.array(5),), {}, (), (), seconds=30)
    with applied(found, namespace):
        for n in (-9, 0, 7, -(2**31)):
            assert jax.jit(namespace["f"])(jnp.array(n)) == f(jnp.array(n))


@pytest.mark.parametrize("body", ["np.arange(len(x))[i] * x", "x * np.linspace(0, 1, 4)[i]", "x + (2 * np.arange(4))[i]"])
def test_an_array_that_numpy_makes_in_place_is_picked_from(body):
    found = check(f"def f(x, i):\n    return jnp.sin({body})\n", *((jnp.arange(4.0), jnp.array(i)) for i in (2, 0, -1)))
    assert "jnp.asarray(" in found.rewrites[0].source


@pytest.mark.parametrize(
    "largest",
    [
        "max((x[k] * 2 for k in range(1, len(x))), default=-1)",
        "min([v + 1 for v in x], default=0.0)",
        "max(x, default=7)",
        "1 + max(map(abs, x[1:]), default=0)",
    ],
)
def test_the_largest_of_what_may_be_nothing_is_its_default_there(largest):
    check(f"def f(x):\n    return {largest}\n", (jnp.array([3, 1, -4]),), (jnp.array([3, 5]),), (jnp.array([2]),))


def test_a_number_or_one_for_each_may_be_a_list_as_well():
    """Under jit the number is an array without axes; a list has no `ndim`."""
    source = (
        "def f(votes, w=1.0):\n    if isinstance(w, (int, float)):\n        w = [w] * len(votes)\n"
        "    elif len(w) != len(votes):\n        raise ValueError('one for each')\n"
        "    return sum(a * b for a, b in zip(votes, w)) / sum(w)\n"
    )
    votes = jnp.array([1.0, 3.0, 8.0])
    check(
        source,
        (votes, 2.0),
        (votes, jnp.array([1.0, 0.5, 2.0])),
        (votes[:2], [0.5, jnp.array(0.25)]),
        (votes, jnp.array(3.0)[None] * votes),
    )


@pytest.mark.parametrize("over", ["range(len(x) - 3 + 1)", "range(1, len(x) - 1)"])
def test_the_first_place_of_a_range_that_may_be_empty(over):
    """Arrays that are shorter than the window have no round, and Python gives the default."""
    source = f"def f(x, t):\n    return next((i for i in {over} if all(x[i : i + 2] > t)), -1)\n"
    calls = [(jnp.array(row), 1.0) for row in ([0.0, 2, 3, 4, 0], [0.0, 0, 0, 0], [2.0, 2, 2, 2], [5.0, 5], [5.0])]
    assert "hits = jnp.array(" in check(source, *calls).rewrites[0].source


def test_the_first_place_is_one_number_whatever_stands_beside_it():
    source = "def f(x, t):\n    return -next(i for i in range(1, len(x)) if x[i] > t) * 2\n"
    check(source, *((jnp.array(row), 1.0) for row in ([0.0, 0, 3, 4], [3.0, 4], [0.0, 0, 0, 2])))


@pytest.mark.parametrize(
    "body",
    [
        "if k is None:\n        return -1.0\n    return x[k] - t",
        "if k is not None:\n        return x[k] * 2\n    return t",
        "last = x[-1]\n    return last if k is None else x[k] + last",
    ],
)
def test_the_first_item_or_none_is_an_item_with_a_flag(body):
    source = f"def f(x, t):\n    k = next((i for i, v in enumerate(x) if v > t), None)\n    {body}\n"
    x = jnp.array([1.0, 2.0, 3.0])
    first = check(source, (x, 1.5), (x, 5.0), (x, 0.0), (x[:1], 2.0)).rewrites[0]
    assert "has_k = jnp.any(hits)" in first.source


@pytest.mark.parametrize("body", ["return k", "return sum(v for i, v in enumerate(x) if i == k)"])
def test_where_nobody_asks_whether_it_is_none_it_is_no_item(body):
    source = f"def f(x, t):\n    k = next((i for i, v in enumerate(x) if v > t), None)\n    {body}\n"
    assert not propose(define(source)["f"], (jnp.array([1.0, 2.0]), 1.5), {}).rewrites


def test_ways_to_choose_are_counted_by_jax():
    """`math.comb` and `math.perm` take Python's numbers alone; it is said that a large one is near and not exact."""
    source = "def f(n, k):\n    ways = math.comb(n, k)\n    return 2 / (ways + 1), math.perm(n, k)\n"
    found = check(source, *((jnp.array(n), jnp.array(k)) for n, k in ((6, 2), (6, 0), (3, 5), (9, 9))))
    assert any("near and not exact" in each for each in found.rewrites[0].compared.differences)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ('f"loss {float(x.sum()):.3f} of {x.shape[0]}"', 'jax.debug.print("loss {0:.3f} of {1}", x.sum(), x.shape[0])'),
        ('f"{x.max().item():.2f}", n', 'jax.debug.print("{0:.2f} {n}", x.max(), n=n)'),
        ('f"{int((x > 1).sum()):03d} of {float(n):.1f}"', "{0:03d} of {n:.1f}"),
    ],
)
def test_numbers_that_are_made_within_what_is_printed(printed, told, capfd):
    """Python 3.11 does not know which call within an f-string with digits has failed."""
    source = f"def f(x, n):\n    print({printed})\n    return x * 2\n"
    first = check(source, (jnp.array([1.0, 2.5]), jnp.array(7))).rewrites[0]
    assert told in first.source
    said = capfd.readouterr().out.splitlines()
    assert len(said) > 1 and len(set(said)) == 1, "what the rewrite prints is what plain Python does"


def test_a_number_of_an_array_with_one_element_is_printed():
    """It has an axis, and digits are those of a number."""
    source = "def f(x):\n    print(f'{x.item():.2f}')\n    return x * 2\n"
    first = check(source, (jnp.array([1.5]),), (jnp.array([2.5]),)).rewrites[0]
    assert "jax.debug.print" in first.source


def test_the_name_of_what_a_warning_is_given_is_none_of_the_functions_own():
    source = (
        "import warnings\n\ndef low(x):\n    return (x < 2).sum(), x.sum()\n\n"
        "def f(x):\n    value = x.max() + 1\n    warnings.warn('%d of %d' % (*low(x),))\n"
        "    warnings.warn('%d of %.1f' % ((x < 2).sum(), value))\n    return x * value\n"
    )
    found = check(source, (jnp.array([1.0, 2.5]),))
    namespace = define(source)
    with applied(found, namespace), pytest.warns(UserWarning, match="^1 of 3") as told:
        jax.block_until_ready(jax.jit(namespace["f"])(jnp.array([1.0, 2.5])))
        jax.effects_barrier()
    assert [str(each.message) for each in told] == ["1 of 3", "1 of 3.5"]


@pytest.mark.parametrize("filled", ['"%d are low" % (x < 2).sum()', '"%d of %s are %s" % ((x < 2).sum(), n, "low")'])
def test_a_warning_with_a_percent_sign_is_given_when_the_number_is_there(filled):
    """What is computed for it is computed before; it was given to the callback as the whole text, over and over."""
    source = f"import warnings\n\ndef f(x, n):\n    warnings.warn({filled})\n    return x * 2\n"
    call = jnp.array([1.0, 2.5]), jnp.array(7)
    found = check(source, call)
    first = found.rewrites[0]
    namespace = define(source)
    with applied(found, namespace), pytest.warns(UserWarning, match="^1 are low|^1 of 7 are low") as told:
        jax.block_until_ready(jax.jit(namespace["f"])(*call))
        jax.effects_barrier()
    assert len(told) == 1
    assert first.patterns == ("debug.callback",) and re.search(r"% \(?value[,)]", first.source)
