"""A rewrite serves what a caller may call as well: optional arguments, other sizes and kinds of numbers, the ends."""

from __future__ import annotations

import ast
import itertools
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.diagnosis.proof import serving
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.changes import noise
from jupyter_jitmagic.diagnosis.proof.decimals import uses_math
from jupyter_jitmagic.diagnosis.proof.differing import differs
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.other_calls import other_calls, where_it_fails
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.serving import Served
from jupyter_jitmagic.diagnosis.rewrites import judging, propose
from jupyter_jitmagic.diagnosis.rewrites.engine import Search
from jupyter_jitmagic.source.compared import compared_with

from .helpers import applied, check, define

X = jnp.array([1.0, 2.0, 5.0])


def served(source: str, first, *others, static=(), **keywords):
    """Propose for the first call; what is called verified has to give plain Python's results on the others too."""
    namespace = define(source)
    f = namespace["f"]
    found = propose(f, first, keywords, (), static, seconds=30)  # no answer of these ends with its time, on a busy machine
    calls = [(first, keywords), *others]
    wanted = [f(*args, **kwargs) for args, kwargs in calls]
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            for (args, kwargs), want in zip(calls, wanted, strict=True):
                got = jax.jit(namespace["f"], static_argnames=static)(*args, **kwargs)
                assert not differs(got, want), (namespace, args, kwargs)
    return found


def test_a_default_of_none_is_left_out():
    source = "def f(x, a=None):\n    a = a or 0.5\n    return x * a\n"
    found = served(source, (X, jnp.array(2.0)), ((X,), {}), ((X, jnp.array(0.0)), {}), ((X, None), {}))
    assert "a = 0.5 if a is None else jnp.where(a, a, 0.5)" in found.rewrites[0].source


def test_none_in_a_conditional_expression():
    source = (
        "def f(x, lower=None, upper=None):\n    lower = x.min() if lower is None else lower\n"
        "    upper = upper if upper else x.max()\n    return (x - lower) / (upper - lower)\n"
    )
    found = served(source, (X,), ((X,), {}), ((X, 0.5), {}), ((X,), {"upper": jnp.array(0.0)}), upper=jnp.array(10.0))
    assert "jnp.where(upper, upper, x.max()) if upper is not None else x.max()" in found.rewrites[0].source


def test_a_test_for_none_stays_pythons_around_the_test_on_data():
    source = (
        "def f(x, g, limit=None):\n    norm = jnp.linalg.norm(g)\n    if limit is not None and norm > limit:\n"
        "        g = g * (limit / norm)\n    return x - g\n"
    )
    found = served(source, (X, X, 1.0), ((X, X), {}), ((X, X, 100.0), {}))
    assert "    if limit is not None:\n" in found.rewrites[0].source


def test_a_helper_may_be_given_none_where_its_caller_may_be():
    source = (
        "def jitter(key, x, scale):\n    if jax.random.bernoulli(key):\n        x = x[::-1]\n    if scale:\n"
        "        x = x + scale * jax.random.normal(key, x.shape)\n    return x\n\n"
        "def f(key, xs, scale=None):\n    keys = jax.random.split(key, len(xs))\n"
        "    return jnp.stack([jitter(k, x, scale=scale) for k, x in zip(keys, xs)])\n"
    )
    key, xs = jax.random.key(0), jnp.arange(12.0).reshape(4, 3)
    found = served(source, (key, xs), ((key, xs, 0.5), {}), ((key, xs, 0.0), {}))
    assert "if scale is not None:" in found.rewrites[0].source


def test_an_item_that_may_be_none_stays_pythons():
    source = (
        "def f(x, limits):\n    low, high = limits\n    if low is not None and x < low:\n        return low\n"
        "    if high is not None and x > high:\n        return high\n    return x\n"
    )
    x = jnp.array(0.5)
    found = served(source, (x, (-1.0, 1.0)), ((x, (None, 0.1)), {}), ((x, (0.8, None)), {}), ((x, (None, None)), {}))
    assert "if low is not None:" in found.rewrites[0].source


def test_an_item_that_a_loop_goes_over_may_be_none():
    source = (
        "def f(xs, limits):\n    out = []\n    for x, (low, high) in zip(xs, limits):\n"
        "        if low is not None and x < low:\n            x = low\n"
        "        elif high is not None and x > high:\n            x = high\n"
        "        out.append(x)\n    return jnp.array(out)\n"
    )
    xs = jnp.array([2.0, -3.0])
    others = ([(None, 1.0), (-1.0, 1.0)], [(None, None), (None, 1.0)])
    assert served(source, (xs, [(0.0, 1.0), (-1.0, 1.0)]), *(((xs, limits), {}) for limits in others)).rewrites


def test_an_int_that_is_zero_is_a_call_of_its_own():
    """With 1 plain Python fails as well; with 0 it does not come to the draw."""
    source = (
        "def f(x, key, rate):\n    if rate == 0:\n        return x\n    if jax.random.bernoulli(key, 1 - rate):\n"
        "        return x / (1 - rate)\n    return x * 0\n"
    )
    found = propose(define(source)["f"], (X, jax.random.key(0), 0.5), {}, seconds=30)
    assert "where rate is the int 0" in " ".join(found.rewrites[0].compared.differences)


def test_a_key_that_may_be_missing_stays_pythons():
    source = (
        "def f(x, options):\n    if 'cap' in options and x > options['cap']:\n        x = options['cap']\n"
        "    if options.get('floor') is not None and x < options['floor']:\n        x = options['floor']\n    return x * 2\n"
    )
    x, both = jnp.array(3.0), {"cap": 2.0, "floor": 0.0}
    found = served(source, (x, both), ((x, {"cap": 1.0}), {}), ((-x, {"floor": 0.0}), {}), ((x, {}), {}))
    assert "if 'cap' in options:" in found.rewrites[0].source


def test_three_numbers_of_which_one_is_nan():
    """min and max of the others agree where these are equal alone: there Python takes no account of the NaN."""
    source = (
        "def f(a, b, c):\n    low, high = min(a, b, c), max(a, b, c)\n    if low == high:\n        return low * 3\n"
        "    return (a + b + c) - low * high\n"
    )
    one, nan = jnp.array(1.0), jnp.array(jnp.nan)
    assert served(source, (one, one + 1, one + 2), ((one, nan, one), {}), ((one, one, one), {})).rewrites


def test_several_choices_after_the_largest_of_three_numbers():
    """What is lost in `jnp.max` of them (ties, NaN) is found before each of the choices below was tried with it."""
    source = """
def f(r, g, b):
    top, low = max(r, g, b), min(r, g, b)
    if top == low:
        return 0.0
    if top == r:
        h = (g - b) / (top - low)
    elif top == g:
        h = 2 + (b - r) / (top - low)
    else:
        h = 4 + (r - g) / (top - low)
    return h * 60
"""
    one = jnp.array(1.0)
    assert served(source, (one * 0.3, -one * 0.2, one * 0.8), ((one, one, -one), {}), ((one, one, one), {})).rewrites


def test_a_test_of_shapes_stays_pythons_though_it_stands_behind():
    source = "def f(x, flip):\n    if flip and x.shape[0] == x.shape[1]:\n        return x.T\n    return x\n"
    square, wide = jnp.arange(9.0).reshape(3, 3), jnp.arange(6.0).reshape(2, 3)
    found = served(source, (square, jnp.array(True)), ((wide, jnp.array(True)), {}), ((square, jnp.array(False)), {}))
    assert found.rewrites and "if x.shape[0] == x.shape[1]:" in found.rewrites[0].source


def test_or_keeps_its_own_first_part():
    source = "def f(x, low=None):\n    if low is None or x.sum() > low:\n        x = x * 2\n    return x\n"
    assert served(source, (X, jnp.array(1.0)), ((X,), {}), ((X, 100.0), {})).rewrites


def test_a_choice_between_an_image_and_its_transpose_serves_squares_only():
    source = "def f(x, flip):\n    return x.T if flip else x\n"
    found = served(source, (jnp.eye(3), jnp.array(True)))
    assert not found.rewrites
    assert "not square" in found.unverified[0].reason


@pytest.mark.parametrize("side", ["return rate", "return rate * 1", "return (rate)"])
def test_an_int_is_given_where_a_float_stood(side):
    source = f"def f(x, rate):\n    if x.sum() > 0:\n        return 0.0\n    y = jnp.linalg.norm(x) / x[0]\n    {side}\n"
    assert served(source, (X, 0.5), ((X, 1), {}), ((-X, 2), {})).rewrites


def test_a_carry_that_begins_as_an_int_becomes_a_float():
    source = "def f(x, target):\n    while abs(target - x) > 0.01:\n        x = x + 0.5 * (target - x)\n    return x\n"
    floats = jnp.array(0.5), jnp.array(2.0)
    assert served(
        source, floats, ((jnp.array(1), jnp.array(2.0)), {}), ((0, jnp.array(2.0)), {}), ((5.0, jnp.array(2)), {})
    ).rewrites


def test_arrays_of_other_lengths():
    source = (
        "def f(xs, w):\n    total = 0.0\n    for k, v in enumerate(xs):\n"
        "        if v > 0:\n            total = total + w[k] * v\n    return total\n"
    )
    assert served(source, (X, X), ((X[:1], X[:1]), {}), ((jnp.arange(7.0) - 3, jnp.ones(7)), {})).rewrites


def test_a_batch_past_the_end_is_shorter_in_python():
    source = "def f(x, k, size):\n    return x[k * size : (k + 1) * size].sum()\n"
    five = jnp.arange(5.0)
    found = served(source, (five, jnp.array(0), 2), ((five, jnp.array(2), 2), {}), static=("size",))
    assert found.rewrites or "differs" in found.unverified[0].reason


def test_a_list_is_indexed_from_its_end_by_negative_numbers_and_the_answer_says_so():
    source = "KINDS = [lambda x: x, lambda x: -x, jnp.sin]\n\ndef f(x, which):\n    return KINDS[which](x)\n"
    found = served(source, (X, jnp.array(1)), ((X, jnp.array(2)), {}))
    assert any("negative" in said for said in found.rewrites[0].compared.differences)


def test_what_fails_on_empty_arrays_says_so():
    source = "def f(x, i):\n    return x[i] if i < len(x) else 0.0\n"
    rewrite = served(source, (X, jnp.array(1)), ((X, jnp.array(5)), {})).rewrites[0]
    assert any("empty arrays" in said for said in rewrite.compared.differences)


def test_all_numbers_are_ints_at_once():
    source = (
        "def f(cut, mass):\n    if cut < 0:\n        s = 0.0\n    elif cut < 1:\n        s = cut * mass\n"
        "    else:\n        s = jnp.log(cut)\n    return s\n"
    )
    assert served(source, (7.0, 0.75), ((2, 1), {}), ((0, 1), {}), ((7, 0), {})).rewrites


def test_an_argument_that_was_left_out_is_given_beside_one_by_name():
    source = (
        "def f(x, t, high=None, eps=0.0):\n    if high is not None and x.max() > high:\n        x = jnp.minimum(x, high)\n"
        "    return x / (x.max() + (eps or 1.0)) - t\n"
    )
    found = served(source, (X, 0.5), ((X, 0.5, 3.0), {"eps": 0.25}), ((X, 0.5), {}), high=2.0)
    assert "jnp.where(eps, eps, 1.0)" in found.rewrites[0].source


def test_weights_that_were_left_out_are_given():
    source = "def f(x, w=None):\n    x = x * (1.0 if w is None or w.sum() < 2 else w)\n    return x if x.sum() > 1 else -x\n"
    assert served(source, (X,), ((X, X), {}), ((X, X / 8), {})).rewrites


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    total = 0\n    for v in x:\n        if v > 0:\n            total += v\n    return total\n",
        "def f(x):\n    s = 0\n    for i in range(len(x)):\n        s = s + (x[i] if x[i] > 0 else 0)\n    return s\n",
        "def f(x):\n    kept = x[x > 0]\n    if len(kept) == 0:\n        return 0\n    return kept.max() - kept.min()\n",
    ],
)
def test_a_sum_of_integers_stays_one(source):
    """Python's 0 is no proof that plain Python gives floats for integers, nor is its -1."""
    whole = jnp.array([3, -1, 4])
    assert served(source, (jnp.array([0.5, -1.5]),), ((whole,), {}), ((-whole[:1],), {})).rewrites
    assert served(source, (whole,), ((jnp.array([0.5, -1.5]),), {}), ((-X,), {})).rewrites
    source = source.replace("return 0\n", "return -1\n")
    assert served(source, (whole,), ((jnp.array([0.5, -1.5]),), {}), ((-X,), {})).rewrites


def test_bounds_between_which_nothing_lies_in_this_call():
    """Plain Python gives its 0 here, and floats for bounds with something between them: a program gives floats."""
    source = (
        "def inner(x, a, b):\n    s = x[a:b]\n    if len(s) == 0:\n        return 0\n    return jnp.median(s)\n\n"
        "def f(x, a, b):\n    return jnp.array([inner(x, a, b), inner(x * 2, a, b)])\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (X, jnp.array(2), jnp.array(1)), {})
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"])
        assert fixed(X, 2, 1).tolist() == [0, 0] and fixed(X, 0, 2).tolist() == [1.5, 3.0]


@pytest.mark.parametrize("short", [X[:1], jnp.zeros((2, 1))], ids=["one element", "rows of one element"])
def test_a_sum_that_is_an_int_for_all_arrays_of_one_length_is_one_there(short):
    """That it is a float for longer arrays does not tell: those have another program."""
    source = (
        "def up(x):\n    steps = []\n    for i in range(1, x.shape[0]):\n        if x[i] > x[i - 1]:\n"
        "            steps.append(x[i] - x[i - 1])\n    return jnp.asarray(sum(steps))\n\n\n"
        "def f(x):\n    return up(x) if x.ndim == 1 else jnp.stack([up(row) for row in x])\n"
    )
    longer = X if short.ndim == 1 else jnp.array([[1.0, 2.0, 5.0], [3.0, 2.0, 1.0]])
    assert served(source, (longer,), ((short,), {})).rewrites


def test_what_compiling_alone_makes_of_nan_is_said_and_refuses_nothing():
    """XLA leaves out what is multiplied by False: 0 where plain Python's NaN * False is NaN."""
    source = "def f(x, w):\n    s = x * 2 if x > 0 else x / 2\n    return s * (x <= w)\n"
    found = served(source, (jnp.array(0.5), jnp.array(1.0)), ((jnp.array(2.0), jnp.array(1.0)), {}))
    assert found.rewrites


def test_numbers_in_a_librarys_object_stay_of_the_kind_that_it_gives_them():
    """Nobody hands an optimizer's state on with an integer in the place of a float."""
    source = (
        "def f(state, x):\n    if jnp.isfinite(x).all():\n        return state._replace(sign=state.sign * 0.5), x\n"
        "    else:\n        return state, x\n"
    )
    state = jnp.linalg.slogdet(jnp.array([[2.0, 0.5], [0.1, 1.0]]))
    found = propose(define(source)["f"], (state, jnp.ones(3)), {})
    assert found.rewrites and not any("sign" in each for each in found.rewrites[0].compared.differences)


def test_the_best_of_groups_whose_sums_are_all_negative():
    """A round that plain Python has not, for a group that is not there, sums to 0."""
    source = (
        "def f(x, labels):\n    best = None\n    for g in jnp.unique(labels):\n        value = x[labels == g].sum()\n"
        "        if best is None or value > best:\n            best = value\n    return best\n"
    )
    x, labels = jnp.array([0.25, -0.5, 3.0, 0.75]), jnp.array([1, 2, 0, 1])
    served(source, (x, labels), ((-x - 4, labels + 1), {}), ((x, labels * 0 + 1), {}))


def test_a_rewrite_that_finds_no_end_where_plain_python_does_is_refused():
    """A negative float to a power is complex in Python and NaN as JAX's array, with which no round is the last: that plain
    Python finds no end with an array either was taken for rounding."""
    source = (
        "def f(key, a, b):\n    top = (0.5 - a) ** (a - 1.5)\n    while True:\n"
        "        key, one, two = jax.random.split(key, 3)\n        x = jax.random.uniform(one)\n"
        "        if jax.random.uniform(two) * top <= x ** (a - 1) * (1 - x) ** (b - 1):\n            return x\n"
    )
    found = propose(define(source)["f"], (jax.random.PRNGKey(0), 0.4, 3.0), {})
    assert not found.rewrites and any("nan instead of" in each for each in found.obstacles), found


def test_an_array_beside_a_square_may_go_along_either_axis():
    """As many particles as dimensions: nobody knows along which `best` goes, and where it does not fit is no answer lost."""
    source = (
        "def f(points, value, best):\n    k = jnp.argmin(value)\n    if value[k] < jnp.sum(best**2):\n"
        "        best = points[k]\n    return points - best\n"
    )
    points, value = jnp.array([[1.0, 2.0], [0.5, 0.1]]), jnp.array([2.0, 8.0])
    assert served(source, (points, value, jnp.array([3.0, 3.0])), ((points, value, jnp.array([0.0, 0.1])), {})).rewrites


def test_where_all_numbers_are_integers_decisions_go_the_other_way_too():
    """A branch that gives back an int as it is: `limit * 1.0` in its place is wrong, though the call's own way is the other."""
    source = "def f(x, limit):\n    if x.mean() > limit:\n        return [limit, True]\n    return [0, False]\n"
    x = jnp.array([0.0, 0.75, -2.0, -0.3, 2.0, -0.5])
    found = check(source, (x, jnp.array(0.5)), (jnp.array([2, -2, 3]), jnp.array(-3))).rewrites[0]
    assert "* 1.0" not in found.source


def test_integers_are_tried_though_there_is_no_time_for_other_calls():
    """Branches of one type for floats may be of two for integers: whether a rewrite traces there is always known."""
    f = define("def f(x, a):\n    return x + 0.5 if x.sum() > a else x\n")["f"]
    variations = Variations((X, jnp.array(2.0)), {}, set())
    plain = Plain(f, [], {}, variations, 10.0)
    calls = other_calls(f, variations.call(), variations, [])
    found = Served(f, plain, (), calls, seconds=0.0)
    assert [taken.call.words for taken in found.taken] == ["on arrays of integers", "where all numbers are integers"]


def test_an_int_for_a_float_is_compared_where_other_values_of_the_floats_raise():
    """`noise` on the other end of the interval loses the change of sign, with a float there as well."""
    source = (
        "def f(a, b, k, tol=1e-5):\n    g = lambda x: jnp.cos(x) - k * x\n    fa, fb = g(a), g(b)\n"
        "    if fa * fb > 0:\n        raise ValueError('no sign change')\n    for _ in range(50):\n"
        "        c = (fa * b - fb * a) / (fa - fb)\n        if abs(b - a) < tol:\n            break\n        fc = g(c)\n"
        "        if fc * fb > 0:\n            b, fb = c, fc\n        elif fa * fc > 0:\n            a, fa = c, fc\n"
        "        else:\n            break\n    return c\n"
    )
    served(source, (0.0, 2.0, 1.0), ((0, 2.0, 1.0), {}), ((0.0, 2, 1.0), {}), ((0, 2, 1), {}))


def test_the_int_of_zero_is_zero():
    given = (jnp.array(0.0), 0.3)
    variations = Variations(given, {}, set())
    found = other_calls(lambda a, b: a + b, variations.call(), variations, [])
    assert next(call.given.args for call in found if call.words == "where a is an int")[0] == 0
    assert next(call.given.args for call in found if call.words == "where b is an int")[1] == 1


def test_of_long_arrays_shorter_ones_are_tried_first():
    """Plain Python takes them sooner; the answer does not say that other sizes were not compared."""
    source = "def f(x):\n    total = 0.0\n    for v in x:\n        if v > total:\n            total = v\n    return total\n"
    namespace = define(source)
    given = (jnp.sin(jnp.arange(120.0)),)
    variations = Variations(given, {}, set())
    sizes = [call for call in other_calls(namespace["f"], variations.call(), variations, ()) if call.given.kind == "size"]
    lengths = [call.given.args[0].size for call in sizes]
    assert lengths[0] < 10 and lengths[1] == 1 and lengths[2] > 120
    assert sizes[0].words == sizes[2].words
    first = propose(namespace["f"], given, {}).rewrites[0]
    assert "arrays of other sizes" not in first.compared.not_reached


def test_an_integer_of_jaxs_in_the_place_of_a_float_keeps_its_dtype_or_that_is_said():
    """Plain Python ends this loop at once for an integer, and gives it back; compiled, it is a float."""
    source = """
def f(target, tol=0.01):
    g = target
    for i in range(12):
        new = g - 0.3 * (g - target)
        if abs(new - g) < tol:
            break
        g = new
    return g
"""
    namespace = define(source)
    rewrite = propose(namespace["f"], (jnp.float32(2.5),), {}).rewrites[0]
    exec(rewrite.source, namespace)
    assert jax.jit(namespace["f"])(jnp.array(3)).dtype == jnp.float32
    assert any("where all numbers are integers" in each for each in rewrite.compared.differences)


def test_an_integer_of_jaxs_for_a_float_has_no_weak_type():
    """A loop's carry is promoted from a weak type alone: with `jnp.int32(3)` the halves are no such carry, which is said."""
    source = (
        "def f(x, eps):\n    n = 0\n    while abs(x) > eps:\n        x = x / 2\n        n += 1\n"
        "        if n > 60:\n            break\n    return x, n\n"
    )
    found = check(source, (jnp.float32(0.7), 0.1), (jnp.asarray(3), 0.1)).rewrites[0]
    assert "where single numbers are arrays of int32" in str(found.compared.differences)


def test_an_integer_that_jax_has_counted_has_no_weak_type_either():
    """`jnp.array(10)` has one, and `mask.sum()` none: the loop's carry is a float from the begin, and has no reverse mode for
    the floats that may come as well."""
    source = "def f(a):\n    x = a\n    while abs(x * x - a) > 1e-3 * a:\n        x = 0.5 * (x + a / x)\n    return x\n"
    found = check(source, (jnp.array(10),), (jnp.ones(9, bool).sum(),), (jnp.array(2.0),)).rewrites[0]
    assert any("not reverse-differentiable" in each for each in found.compared.differences)


def test_single_numbers_that_are_arrays_may_be_shorter_floats_too():
    """`lax.cond` gives 0.0 of 32 bits on one side: with `jnp.float16(2)` it fails, which is said."""
    source = "def f(x, y):\n    r = jnp.hypot(x, y)\n    if r > 0:\n        return jnp.arctan2(y, x)\n    return 0.0\n"
    found = propose(define(source)["f"], (jnp.float32(0.7), jnp.float32(0.1)), {}).rewrites
    assert all("it fails on arrays of float16" in each.compared.differences for each in found if "cond" in each.source)
    assert "cond" in found[0].source


def test_a_further_keyword_is_left_out():
    """`**options` that the code asks for by name: the rewrite needs what plain Python only looks for, and says so."""
    source = "def f(x, **options):\n    if options.get('shift', 0.0) > 0:\n        x = x + options['shift']\n    return x\n"
    found = propose(define(source)["f"], (X,), {"shift": jnp.array(1.0)}, (), (), seconds=30)
    assert "fails with shift left out" in " ".join(found.rewrites[0].compared.differences)


def test_one_array_alone_is_empty():
    """A compiled loop traces its body, which asks for an element of what plain Python goes through without one."""
    source = """
def f(x, y, t):
    hits = 0
    for a in x:
        for b in y:
            if abs(a - b) < t:
                break
        else:
            hits += 1
    return hits
"""
    found = propose(define(source)["f"], (jnp.arange(4.0), X, 0.2), {}, (), (), seconds=30)
    told = " ".join(found.rewrites[0].compared.differences)
    assert "y alone is empty" in told or "while_loop" not in found.rewrites[0].source


def test_sizes_in_which_plain_pythons_result_has_one_shape_or_another():
    """A place of three numbers: one side gives it back, the other makes one of two. That is no array of a fixed shape."""
    source = (
        "def f(pos, walls):\n    r, c = pos[0] + 1, pos[1]\n    if r >= walls.shape[0] or walls[r, c]:\n"
        "        return pos, -1.0\n    return jnp.array([r, c]), 0.0\n"
    )
    walls = jnp.array([[False, True], [False, False]])
    calls = [(jnp.array(place), walls) for place in ([0, 0], [0, 1], [1, 0])]
    found = check(source, *calls, seconds=20.0).rewrites[0]
    assert "on arrays of other sizes" in " ".join(found.compared.differences)


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 4.0], [1.0, np.nan, 4.0], [np.nan], [2.5], [np.inf, 1.0], [[1.0, 2.0], [3.0, -9.0]]]
)
def test_noise_is_as_large_as_the_numbers_vary(values: list) -> None:
    """As `np.nanstd` tells, or as large as a single number."""
    given = np.array(values)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spread = np.nanstd(given) or np.nanmax(np.abs(given))
    drawn = np.random.default_rng(7).normal(size=given.shape) * (spread if np.isfinite(spread) else 1.0)
    np.testing.assert_array_equal(noise(7)(given), given + drawn)


def test_empty_arrays_beside_a_count_of_0_that_is_asked_first():
    """With the call's own count plain Python fails on them, so that nothing was said, and the rewrite failed."""
    source = "def f(x, k):\n    return jnp.max(x[:k]) if k > 0 else -jnp.inf\n"
    assert served(source, (X, jnp.int32(2)), ((jnp.zeros(0), jnp.int32(0)), {}), ((X, jnp.int32(0)), {})).rewrites


def test_a_key_that_is_left_out_is_given_with_the_rate_beside_it():
    """The rate was then a tracer of which Python asked for the value."""
    source = (
        "def f(x, rate=0.0, key=None):\n    if x.sum() > 3:\n        x = x / x.sum()\n"
        "    if rate > 0 and key is not None:\n        x = x * jax.random.bernoulli(key, 1 - rate, x.shape) / (1 - rate)\n"
        "    return x\n"
    )
    key = jax.random.PRNGKey(1)
    found = served(source, (X,), ((X, 0.25, key), {}), ((X, 0.0, key), {}), ((X, 0.25), {}), ((-X,), {"key": key}))
    assert found.rewrites and not any("key" in each for each in found.rewrites[0].compared.differences)


def test_with_64_bits_integers_that_become_floats_are_seen():
    """Plain Python's int64 beside a float was made one before the two were compared: nothing was ever said."""
    source = """
def f(x):
    best = -jnp.inf
    for v in x:
        if v > best:
            best = v
    return best
"""
    with jax.enable_x64(True):
        first = check(source, (jnp.array([0.5, 2.0, 1.0]),)).rewrites[0]
    assert "on arrays of integers it gives float64, plain Python int64" in first.compared.differences


def test_where_a_rewrite_gives_floats_for_integers_it_is_not_said_to_fail():
    """It was: "it fails on arrays of integers", which it takes."""
    source = """
def f(x):
    last = 0.0
    out = []
    for v in x:
        if math.isnan(v):
            out.append(last)
        else:
            last = v
            out.append(v)
    return jnp.array(out)
"""
    first = check("import math\n" + source, (jnp.array([1.0, jnp.nan, 2.0, jnp.nan]),)).rewrites[0]
    assert "on arrays of integers it gives float32, plain Python int32" in first.compared.differences
    assert not any("it fails on arrays of integers" in each for each in first.compared.differences)


def test_sizes_that_a_branch_on_both_signs_alone_refuses():
    """Pairs: where the first is negative and the second positive, three numbers are too many."""
    source = (
        "def f(x, k):\n    if x[0] >= 0:\n        gain = jnp.flip(-k, 0)\n    elif x[1] <= 0:\n        gain = -k\n"
        "    else:\n        gain = -jnp.array([k[0], k[0]])\n    return gain * x\n"
    )
    k = jnp.array([0.5, 1.0])
    found = check(source, *((jnp.array(x), k) for x in ([-1.0, 2.0], [1.0, 2.0], [-2.0, -1.0])))
    assert found.rewrites[0].verified and "other sizes" in " ".join(found.rewrites[0].compared.differences)


def test_integers_beside_an_array_of_one_are_a_call_too():
    """With a float beside it an integer array becomes one in the first round; among ints `lax.while_loop` refuses it."""
    source = "def f(a, b):\n    d = b - a\n    while d > 3:\n        d = d - 6.5\n    return d\n"
    found = propose(define(source)["f"], (jnp.float32(0.3), 7.0), {}).rewrites[0]
    assert "single ones arrays of int32" in str(found.compared.differences)


def test_floats_of_other_bits_than_plain_pythons_are_said():
    """The list's buffer has JAX's own floats, whatever is put into it."""
    source = """
def f(w):
    losses = []
    for _ in range(4):
        losses.append((w * w).sum())
        if losses[-1] < 1e-3:
            break
        w = w / 2
    return losses[-1]
"""
    found = propose(define(source)["f"], (X,), {}).rewrites[0]
    assert "on arrays of float16 it gives float32, plain Python float16" in found.compared.differences


def test_none_in_the_place_of_an_axis_or_a_size_is_static_once_it_is_given():
    sources = {
        "axis": "    s = m.sum(axis)\n    if axis is None and s == 0:\n        return m\n    return m / s\n",
        "k": "    y = m[:k] if k else m\n    if y.sum() > 0:\n        return y\n    return -y\n",
        "": "    if most is not None and m.sum() > most:\n        return m / most\n    return m if m[0] > 0 else -m\n",
    }
    for static, body in sources.items():
        found = diagnose(define(f"def f(m, {static or 'most'}=None):\n{body}")["f"], X).rewrites[0]
        assert found.static_argnames == ((static,) if static else ())


@pytest.mark.parametrize("test", ["not jnp.isfinite(x.sum())", "(x[1:] ** 2).sum() < 1e-6"])
def test_sizes_beside_a_result_of_one_size(test):
    """`return jnp.array([1.0, 0, 0])` where three numbers mean nothing: more of them have no such answer."""
    source = f"def f(x):\n    if {test}:\n        return jnp.array([1.0, 0.0, 0.0])\n    return x[1:] * 2.0\n"
    x = jnp.array([0.5, 0.2, 0.3, -0.4])
    found = check(source, (x,), (x.at[0].set(jnp.nan),), (x.at[1:].set(0.0),))
    assert found.rewrites[0].verified and "other sizes" in " ".join(found.rewrites[0].compared.differences)


def test_what_is_empty_where_it_is_left_out_may_hold_numbers():
    """`a in ()` asks nothing of `a`; with numbers in it, it does."""
    source = "def f(a, good=(1, 3), bad=()):\n    if a in good:\n        return 1.0\n    return -1.0 if a in bad else 0.0\n"
    served(source, (jnp.array(5),), ((jnp.array(2), (1, 3), (2,)), {}), ((jnp.array(0), (), (2, 4)), {}))


def test_a_flag_in_the_place_of_an_int_is_told_where_the_code_asks_for_flags():
    source = (
        "def f(x, n):\n    if isinstance(n, bool):\n        return x if n else -x\n    total = 0.0\n"
        "    for _ in range(int(n)):\n        if x > 0:\n            total = total + x\n    return total\n"
    )
    found = diagnose(define(source)["f"], jnp.array(-0.5), 2)
    assert any("where n is True" in said for rewrite in found.rewrites for said in rewrite.compared.differences)


def test_whole_numbers_of_pythons_own_floats_have_64_bits():
    """`int(0.29 * 100)` is 28; of 32 bits it is 29."""
    source = "def f(price, x):\n    c = int(price * 100)\n    return c if x > 0 else x\n"
    found = diagnose(define(source)["f"], 0.5, jnp.array(3.0))
    assert any("0.29 * 100" in said for said in found.rewrites[0].compared.differences)


def test_what_is_none_where_it_is_left_out_may_be_a_pair():
    source = (
        "def f(x, span=None):\n    if span is not None:\n        lo, hi = span\n"
        "        if x < lo or x > hi:\n            return x * 0\n    if x > 10:\n        return x / 10\n    return x\n"
    )
    others = [((jnp.array(x), (0.0, 11.0)), {}) for x in (-1.0, 3.0, 10.5, 20.0)]
    served(source, (jnp.array(3.0),), *others, ((jnp.array(30.0),), {}))


def test_a_quotient_of_pythons_own_floats_has_64_bits():
    """`0.6 // 0.1` is 5; of 32 bits it is 6."""
    source = "def f(t, period, x):\n    k = t // period\n    return k + x if x > 0 else k\n"
    said = diagnose(define(source)["f"], 1.0, 0.5, jnp.array(3.0)).rewrites[0].compared.differences
    assert any("rounding decides" in each or "64 bits" in each for each in said)


def test_an_array_of_flags_is_no_question_for_what_is_a_flag():
    """`jnp.zeros(shape, bool)` was one, and `True` in the place of an index has no rewrite."""
    source = (
        "def f(x, seed, tol):\n    mask = jnp.zeros(x.shape, bool).at[seed].set(True)\n    size = 0\n"
        "    while mask.sum() != size:\n        size = mask.sum()\n"
        "        mask = (mask | jnp.roll(mask, 1, 0)) & (x < tol)\n    return mask, size\n"
    )
    assert check(source, (jnp.arange(6.0).reshape(3, 2), (0, 1), 4.0)).rewrites


def test_a_call_that_takes_another_branch_for_its_ints_refuses_no_rewrite():
    """`jnp.quantile` takes no int in plain Python, either: as ints 0.1 and 0.8 were equal, and it was not reached."""
    source = (
        "def f(x, low, high):\n    if low >= high:\n        return 0.0\n"
        "    kept = (x >= jnp.quantile(x, low)) & (x <= jnp.quantile(x, high))\n"
        "    if jnp.sum(kept) == 0:\n        return 0.0\n    return jnp.var(x[kept])\n"
    )
    found = served(source, (X, 0.1, 0.8), ((X, 0.8, 0.1), {}), ((X, 0.4, 0.6), {}))
    assert found.rewrites


def test_an_option_that_is_left_out_narrows_a_selection_where_it_is_given():
    """No call came to these sides: a comparison of a selection is a mask of it all the same."""
    source = (
        "def f(x, low=None, high=None):\n    v = x[~jnp.isnan(x)]\n    if low is not None:\n        v = v[v >= low]\n"
        "    if high is not None:\n        v = v[(v <= high) & (v > 0)]\n    return jnp.median(v)\n"
    )
    x = jnp.array([1.0, jnp.nan, 2.0, 5.0, -3.0])
    others = [((x, 1.5), {}), ((x,), {"high": 2.0}), ((x, 1.0, 4.0), {})]
    found = served(source, (x,), *others)
    assert found.rewrites


def test_places_are_narrowed_by_an_option_that_is_left_out():
    source = (
        "def f(x, least=None):\n    at = jnp.where(x[1:-1] > jnp.maximum(x[:-2], x[2:]))[0] + 1\n"
        "    if at.size and least is not None:\n        at = at[x[at] >= least]\n    return x[at].sum(), at.size\n"
    )
    x = jnp.array([0.0, 3.0, 1.0, 5.0, 2.0, 7.0, 0.0])
    found = served(source, (x,), ((x, 4.0), {}), ((x * 0,), {}), ((x, 9.0), {}))
    assert found.rewrites


def test_calls_with_floats_are_given_up_where_what_serves_them_is_wrong_otherwise():
    """Made floats for a call with one, integers would come out as floats on the call itself."""
    source = (
        "def f(a, b):\n    if abs(a) == 1:\n        return (a, 0)\n    s, r = (1, 0), (0, 1)\n    one, other = a, b\n"
        "    while other != 0:\n        q = one // other\n        one, other = other, one - q * other\n"
        "        s = (s[1], s[0] - q * s[1])\n    return (s[0], one)\n"
    )
    check(source, (jnp.array(8), jnp.array(6)), (jnp.array(1), jnp.array(5)), (jnp.array(240), jnp.array(46)))
    source = (
        "def f(n, a, b):\n    if n == 1:\n        return a\n    elif n == 2:\n        return b\n    n -= 2\n"
        "    while n > 0:\n        b, a = (a + b, b)\n        n -= 1\n    return b\n"
    )
    first = check(source, (jnp.array(7), 1, 2), (jnp.array(1), 1, 2), (jnp.array(2), 3, 4)).rewrites[0]
    assert "* 1.0" not in first.source


def test_a_mask_that_a_call_leaves_out_is_given_one():
    source = (
        "def f(x, y, mask=None):\n    if mask is not None:\n        x, y = x[mask], y[mask]\n    d = (x - y).mean()\n"
        "    if d > 0:\n        return d\n    return -d * 2\n"
    )
    x, y, mask = jnp.array([1.0, 2.0, 4.0]), jnp.array([3.0, 1.0, 0.5]), jnp.array([True, False, True])
    found = check(source, (x, y), (y, x), (x, y, mask), (y, x, mask), seconds=15.0).rewrites[0]
    assert "where=" in found.source


def test_integers_alone_are_said_to_fail_where_they_do_with_what_is_left_out_given_too():
    source = (
        "def f(x, top=2.0):\n    s = x.sum()\n    if s > top:\n        y = s * 1.5\n        z = jnp.log(y)\n"
        "        return top\n    return s\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([1.0, 2.0]),), {}, (), (), seconds=15.0)
    told = " ".join(found.rewrites[0].compared.differences)
    with applied(found, namespace):
        try:
            assert jax.jit(namespace["f"])(jnp.array([1, 2]), 2) == 2
        except TypeError:
            assert "where top is given and all numbers are integers" in told


def test_a_number_is_given_for_an_array_where_the_code_asks_for_its_kind():
    source = (
        "def f(x, low):\n    def at(one):\n        if one < low:\n            return low * one\n        return one + low\n"
        "    if isinstance(x, float):\n        return at(x)\n    return jnp.stack([at(one) for one in x])\n"
    )
    found = propose(define(source)["f"], (X, jnp.array(2.0)), {}, (), (), seconds=30)
    assert any("fails where x is a float" in each for each in found.rewrites[0].compared.differences)
    without = source.replace("isinstance(x, float)", "x.ndim == 0")
    found = propose(define(without)["f"], (X, jnp.array(2.0)), {}, (), (), seconds=30)
    assert not any("x is a float" in each for each in found.rewrites[0].compared.differences)


def test_rows_of_one_element_that_plain_python_repeats_are_said():
    """A length past such a row makes a mask that is longer: plain Python adds the one element up several times."""
    source = """
def f(emb, tokens, lengths):
    most = int(lengths.max())
    h = emb[tokens[:, :most]]
    m = jnp.arange(most)[None, :] < lengths[:, None]
    return (h * m[..., None]).sum(1) / lengths[:, None]
"""
    emb, tokens = jnp.arange(12.0).reshape(6, 2), jnp.array([[1, 2, 3], [4, 5, 0]])
    calls = [(emb, tokens, jnp.array(lengths)) for lengths in ([2, 1], [3, 2], [1, 1])]
    found = check(source, *calls, seconds=20.0).rewrites[0]
    assert "on rows of a single element it gives something else" in found.compared.differences


def test_a_tuple_that_a_call_leaves_out_is_given_as_integers_beside_others():
    """Of the two ways the one by branches fails there."""
    source = (
        "def f(x, bounds=(0.0, 1.0)):\n    lo, hi = bounds\n    if x < lo:\n        return lo\n    if x > hi:\n"
        "        return hi\n    return x\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (0.5,), {}, (), (), seconds=15.0)
    for which, each in enumerate(found.rewrites):
        with applied(found, namespace, which):
            try:
                assert jax.jit(namespace["f"])(2, (0, 1)) == 1
            except TypeError:
                assert "where bounds is given and all numbers are integers" in " ".join(each.compared.differences)


@pytest.mark.parametrize(
    ("source", "args", "static", "words"),
    [
        (
            "def f(x, how):\n"
            "    s = 0\n"
            "    for v in x:\n"
            "        if v > 1:\n"
            "            s = s + (v * 0.5 if how == 'half' else v)\n"
            "        else:\n"
            "            s = s + 1\n"
            "    return s\n",
            (X, "half"),
            ("how",),
            "with another static value where all numbers are integers",
        ),
        (
            "def f(bids, reserve=None):\n"
            "    order = jnp.argsort(-bids)\n"
            "    winner = int(order[0])\n"
            "    if bids[winner] == -jnp.inf:\n"
            "        return -1, 0.0\n"
            "    if len(bids) > 1 and bids[order[1]] > -jnp.inf:\n"
            "        price = bids[order[1]]\n"
            "    else:\n"
            "        price = reserve if reserve is not None else 0.0\n"
            "    return winner, price\n",
            (X, 1.5),
            (),
            "where all numbers are integers",
        ),
        (
            "def f(logits, eos=2, most=None):\n"
            "    n = len(logits) if most is None else min(most, len(logits))\n"
            "    out = []\n"
            "    for t in range(n):\n"
            "        token = jnp.argmax(logits[t])\n"
            "        if token == eos:\n"
            "            break\n"
            "        out.append(token)\n"
            "    return len(out)\n",
            (jnp.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [1.0, 0.0, 0.0]]),),
            ("most",),
            "where most is 0",
        ),
    ],
)
def test_where_a_call_unlike_in_two_ways_and_one_of_no_rounds_fail_is_said(source, args, static, words):
    """Branches of one type with another static value, and as integers, and yet of two where both are so."""
    rewrites = propose(define(source)["f"], args, {}, (), static, seconds=30).rewrites
    failing = [each for each in rewrites if {"cond", "buffer"} & {change.pattern for change in each.changes}]
    told = [re.split(r"it fails |, ", " ".join(each.compared.differences)) for each in failing]
    assert failing and all(any(item.startswith(words) for item in items) for items in told)


@pytest.mark.parametrize(
    ("fun", "number", "alone"), [(lambda n, x: x + 1 / n, 0, True), (lambda n, x: x + len(n.shape), 3, False)]
)
def test_a_number_that_is_divided_by_zero_fails_by_its_value_and_not_by_its_kind(fun, number, alone):
    given = (jnp.float32(2.0), jnp.float32(1.0))
    plain = Plain(fun, [], {}, Variations(given, {}, set()), 10.0)
    served, asked = Served(fun, plain, (), [], seconds=5.0), Input((number, given[1]), {}, "number")
    assert plain.uncompiled(asked, 5.0) is None
    assert served._values_alone_fail(asked) == alone


@pytest.mark.parametrize("default", ["jax.random.key(0)", "jax.random.PRNGKey(0)", "jnp.ones(3)", "np.ones(3)"])
def test_an_array_or_a_key_may_be_what_is_left_out(default):
    """A key is compared with nothing but keys, and an array with each of its elements."""
    source = (
        "import numpy as np\n"
        f"def f(x, n=3, key={default}):\n    total = 0.0\n    for k in range(n):\n"
        "        if x.std() == 0:\n            continue\n        total += x[k]\n    return total\n"
    )
    check(source, (jnp.array([1.0, 2.0, 4.0]),), (jnp.ones(3),))


def test_a_number_that_a_call_leaves_out_may_be_none():
    source = (
        "def f(y, mu, lower=0.0, upper=None):\n    ll = 0.0\n    for i in range(len(y)):\n"
        "        if lower is not None and y[i] <= lower:\n            ll += lower - mu\n"
        "        elif upper is not None and y[i] >= upper:\n            ll += mu - upper\n"
        "        else:\n            ll += (y[i] - mu) ** 2\n    return -ll\n"
    )
    found = served(source, (X, 0.5), ((X, 0.5, None), {}), ((X, 0.5, None, 2.0), {}), ((X, 0.5, 1.0, 4.0), {}))
    assert found.rewrites or any("lower=None" in why for why in found.reasons)


def test_options_that_one_test_asks_for_are_given_together():
    source = (
        "def f(x, rd, c=None, periods=0, most=9.0):\n    if c is not None and periods > 0:\n"
        "        rd = min(jnp.sqrt(rd**2 + c**2 * periods), most)\n"
        "    new = jnp.sqrt(x.sum() * rd)\n    return new if new > 3 else 3.0\n"
    )
    served(source, (X, 2.0), ((X, 2.0, 0.5), {}), ((X, 2.0, 0.5, 1), {}), ((X, 2.0, 30.0, 2), {}), ((X, 0.1), {"periods": 3}))


def test_a_tolerance_that_is_left_out_stays_data_where_static_does_not_cure_what_fails_with_it():
    """Whole numbers at the start fail with a tolerance given, static or not: made static, an array could not be given."""
    source = (
        "def f(a, b, tol=1e-3):\n    for _ in range(25):\n        m = 0.5 * (a + b)\n        if abs(m**3 - 2) < tol:\n"
        "            break\n        if m**3 > 2:\n            b = m\n        else:\n            a = m\n    else:\n"
        "        m = jnp.nan\n    return m\n"
    )
    found = diagnose(define(source)["f"], jnp.array(0.0), jnp.array(3.0))
    assert found.rewrites and found.rewrites[0].static_argnames == ()


@pytest.mark.parametrize(
    "way", ["return jnp.zeros(2) if far else d", "if far:\n        return jnp.array([1.0, 0.0])\n    return d"]
)
def test_sizes_in_which_plain_python_gives_another_shape_by_its_values_refuse_nothing(way):
    """The literal says how long the vectors are; with longer ones no compiled code could do what plain Python does."""
    source = f"def f(p, q, r):\n    d = q - p\n    far = (d * d).sum() > r\n    {way}\n"
    p, q = jnp.array([0.0, 1.0]), jnp.array([2.0, 0.5])
    found = check(source, *((p, q, jnp.array(r)) for r in (1.0, 9.0)), seconds=8.0).rewrites[0]
    assert "on arrays of other sizes" in " ".join(found.compared.differences)


COUNTED = (
    "def f(x, labels=None):\n    if x[0] > 2:\n        x = x * 2.0\n    if labels is not None:\n        kinds = {}\n"
    "        for each in labels.tolist():\n            kinds[each] = kinds.get(each, 0) + 1\n        x = x * len(kinds)\n"
    "    return x\n"
)


def test_what_is_optional_is_given_also_where_there_is_no_time_for_other_calls(monkeypatch):
    """What is optional is given to a rewrite though nothing else is: it traces there too."""
    monkeypatch.setattr(judging, "OTHERS_WITHIN", 0.0)
    labels = jnp.array([1.0, 1.0, 2.0])
    found = served(COUNTED, (X,), ((X, labels), {}))
    assert found.rewrites and "optional arguments given" not in found.rewrites[0].compared.not_reached


def test_what_is_optional_is_traced_where_plain_python_takes_too_long(monkeypatch):
    """An optional argument that plain Python had no time for is said where the rewrite does not trace with it."""
    monkeypatch.setattr(judging, "OTHERS_WITHIN", 0.0)
    monkeypatch.setattr(serving, "OPTIONAL_WITHIN", 0.0)
    compared = propose(define(COUNTED)["f"], (X,), {}, seconds=30).rewrites[0].compared
    assert "it may fail where labels is given: it does not trace there, and plain Python takes too long" in compared.differences


def test_what_is_optional_is_traced_where_the_search_has_no_time(monkeypatch):
    """An optional argument that plain Python takes and the search had no time for is said where the rewrite fails with it."""
    source = COUNTED.replace("labels.tolist()", "sorted(set(labels.tolist()), key=lambda v: hash(v) % 7)")
    namespace = define(source)
    monkeypatch.setattr(Search, "_other_calls", lambda self, draft: [self._others(), []][1])
    compared = propose(namespace["f"], (X,), {}, seconds=30).rewrites[0].compared
    assert any(said.startswith("it fails ") and "where labels is given" in said for said in compared.differences)


def test_a_list_of_batches_may_be_empty():
    """What is left of a loop over none are Python's own numbers: `total / n` of two of them raised in a branch not taken."""
    source = (
        "def f(p, batches):\n    total, n = 0.0, 0\n    for x in batches:\n        if (x > 0).any():\n"
        "            total += (p * x).sum()\n            n += len(x)\n    return total / n if n else 0.0\n"
    )
    served(source, (jnp.array(2.0), [X, -X]), ((jnp.array(2.0), []), {}), ((jnp.array(2.0), [-X]), {}))


def test_an_optional_number_is_given_though_its_code_does_not_take_every_one():
    """`math.log(prior / (1 - prior))` takes no negative prior: that it fails there was taken for a refusal of any, and the
    rewrite, which raised where one was given, did not say so."""
    source = (
        "import math\ndef f(x, upper=2.0, prior=None):\n    total = 0.0 if prior is None else math.log(prior / (1 - prior))\n"
        "    for i, each in enumerate(x):\n        total += each - 0.5\n        if total >= upper:\n            return i + 1\n"
        "    return -1\n"
    )
    served(source, (X,), ((X,), {"prior": 0.3}), ((X, 20.0, 0.9), {}))


def test_a_rate_is_given_as_an_int_beside_a_tolerance_that_is_none():
    """With 1 for the tolerance, too, a loop has no round: that `lambda lr: lr / 2, lambda lr: lr` fails there was unsaid."""
    variations = Variations((X,), {}, set())
    found = other_calls(lambda x, rate=0.5, tol=1e-3: x * rate, variations.call(), variations, [])
    given = [(each.words, each.given.args[1:]) for each in found if "as an int" in each.words or "as ints" in each.words]
    assert given == [("where rate is given as an int", (1,)), ("where rate and tol are given as ints", (1, 1))]


def test_a_rate_is_given_as_an_int_beside_what_is_none():
    """The way that `cycles` opens has a float of its own to be mended: that `lambda: least, lambda: least + 0.1` fails there
    was unsaid, as an int was given where `cycles` is None alone."""
    source = (
        "def f(step, least=1e-3, cycles=None):\n    t = step / 100\n    if cycles is not None:\n        if t >= 1.0:\n"
        "            return least\n        t = (t * cycles) % 1.0\n    elif t > 1:\n        return least\n"
        "    return least + 0.1 * (1 - t)\n"
    )
    served(source, (jnp.array(40),), ((jnp.array(40), 0, 3), {}), ((jnp.array(400), 2, 3), {}), ((jnp.array(400), 2), {}))


def test_what_other_options_reach_is_reached():
    """The other side of `entry is None` was compared where entry is given, and called not reached by any input."""
    source = (
        "def f(x, share=0.5, entry=None):\n    high = x[0] if entry is None else entry\n    for i, each in enumerate(x):\n"
        "        high = max(high, each)\n        if each <= high * (1 - share):\n            return i, each\n"
        "    return len(x) - 1, x[-1]\n"
    )
    found = served(source, (X[::-1],), ((X,), {"entry": 20.0}))
    assert not any(each.startswith("line 2") for each in found.rewrites[0].compared.not_reached)


def said(source, *args, static=()):
    """What the answer says of other calls than these."""
    found = propose(define(source)["f"], args, {}, (), static, seconds=30)
    return " ".join(found.rewrites[0].compared.differences)


KNAPSACK = (
    "def f(values, weights, room):\n    best = [0] * (room + 1)\n    for v, w in zip(values, weights):\n"
    "        for c in range(room, w - 1, -1):\n            if best[c - w] + v > best[c]:\n"
    "                best[c] = best[c - w] + v\n    return best[room]\n"
)


def test_one_of_several_arrays_of_integers_may_hold_floats():
    """With floats for places plain Python fails, so that nothing was compared where the values alone are floats: cut to
    integers, unsaid. Where what is put there says of which dtype it is, nothing is cut."""
    values, weights = jnp.array([60, 100, 120]), jnp.array([1, 2, 3])
    assert "holds floats" not in said(KNAPSACK, values, weights, 5, static=("room",))
    check(KNAPSACK, (values, weights, 5), (values * 0.375, weights, 5), static=("room",))
    by_a_helper = "def worth(v):\n    return v * 2\n\n" + KNAPSACK.replace("+ v", "+ worth(v)")
    assert "where values holds floats" in said(by_a_helper, values, weights, 5, static=("room",))


def test_rows_without_elements_are_said():
    """Of a square there are no other sizes, and `x[:, :0]` was tried of none."""
    source = (
        "def f(cost):\n    free, total = set(range(cost.shape[1])), 0.0\n    for row in range(cost.shape[0]):\n"
        "        if not free:\n            continue\n        job = min(free, key=lambda j: cost[row, j])\n"
        "        free.remove(job)\n        total += cost[row, job]\n    return total\n"
    )
    assert "rows without elements" in said(source, jnp.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]]))


def test_a_table_that_is_left_out_is_given_as_ints():
    """`window=(0.0, 4.0)` was tried as it is alone."""
    variations = Variations((X,), {}, set())
    found = other_calls(lambda x, window=(0.0, 4.5): x, variations.call(), variations, [])
    assert (0, 4) in [each.given.args[1] for each in found if each.words == "where window is given as ints"]


def test_what_options_hand_on_is_given():
    """`knee` of a helper, given by `**settings`: the rewrite asked for its value, and did not say so."""
    source = (
        "def gain(level, threshold=2.0, knee=6.0):\n    if knee > 0 and abs(level) <= knee / 2:\n        return level / knee\n"
        "    return 0.0 if level < threshold else level - threshold\n\n"
        "def f(x, **settings):\n    worst = 0.0\n    for v in x:\n        worst = min(worst, -gain(v, **settings))\n"
        "    return worst\n"
    )
    served(source, (X,), ((X,), {"knee": 0.0}), ((X,), {"threshold": 1.0, "knee": 4.0}))


@pytest.mark.parametrize("x", [jnp.arange(4.0), jnp.arange(8.0).reshape(4, 2)])
def test_who_asks_how_many_axes_there_are_is_given_one_more_and_one_less(x):
    """What only arrays of another rank reach is cured as well."""
    source = """
def f(x, axis=0):
    if x.sum() > 100.0:
        x = x / 2
    if x.ndim == 2:
        if x[0, 1] > 0.0:
            x = -x
    elif x[0] < 0.5:
        x = x + 1
    return x.sum(axis)
"""
    served(
        source, (x,), ((jnp.arange(3.0),), {}), ((-jnp.arange(6.0).reshape(3, 2),), {}), ((jnp.arange(6.0).reshape(3, 2),), {})
    )


def test_where_a_rewrite_fails_on_arrays_with_another_number_of_axes_is_said():
    """Plain Python takes them, and what stops the trace there has no cure."""
    source = """
def f(x):
    if x.sum() > 100.0:
        x = x / 2
    if x.ndim == 2:
        x = x - len({round(float(v), 1) for v in x[0]})
    return x
"""
    found = propose(define(source)["f"], (jnp.arange(4.0),), {}, (), seconds=30)
    assert "it fails on arrays of 2 axes" in str(found.rewrites[0].compared), found


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        (["where n is an int", "where n is the int 0"], "where n is an int"),
        (["where n is the int 0"], "where n is the int 0"),
        (["on arrays of float16", "on arrays of float16 beside numbers that are arrays of float32"], "on arrays of float16"),
        (
            [
                "on a single row",
                "where all numbers are integers",
                "where all numbers are integers, single ones arrays of int32",
                "where w is given and all numbers are integers",
                "on a single row where all numbers are integers",
            ],
            "on a single row, where all numbers are integers",
        ),
        (["on a single row where all numbers are integers"], "on a single row where all numbers are integers"),
        (["where w is given and all numbers are integers"], "where w is given and all numbers are integers"),
        (["where w is given", "where w is given as an int", "where w and t are given as ints"], "where w is given"),
        (
            ["where p is an int", "where all single numbers are ints", "on arrays of integers", "on arrays of float16"],
            "where integers stand for some floats, on arrays of float16",
        ),
        (["where w and t are given", "where w is given as an int"], "where w and t are given, where w is given as an int"),
    ],
)
def test_what_fails_on_more_than_another_call_does_is_not_told_again(failing, said):
    """A reader learns no more from it."""
    assert where_it_fails(failing) == f"it fails {said}"


def test_what_was_left_out_is_given_as_an_array_like_the_result():
    """No number can stand for it, and no array that is given: `q @ before`."""
    source = """
def f(x, before=None):
    q = jnp.array([x.sum(), x[0], x[1]]) if x.sum() > 0 else jnp.array([0.0, x[1], x[0]])
    if before is not None and q @ before < 0:
        q = -q
    return q
"""
    pair = jnp.array([1.0, 2.0])
    assert served(source, (pair,), ((-pair,), {}), ((pair, -jnp.ones(3)), {}), ((-pair, jnp.ones(3)), {})).rewrites


def test_places_that_were_left_out_are_given_as_whole_numbers():
    source = """
def f(grid, start=None):
    if start is not None:
        r, c = start
        if grid[r, c] == 1:
            grid = grid.at[r, c].set(2)
    return grid if grid.sum() > 3 else -grid
"""
    grid = jnp.ones((2, 3), int)
    assert served(source, (grid,), ((grid, (0, 2)), {}), ((0 * grid,), {"start": (1, 1)})).rewrites


def test_what_is_called_a_mask_is_given_as_one_of_the_arrays_shape():
    source = """
def f(image, mask=None):
    if mask is None:
        mask = image > 0
    return image[mask].sum() if image[mask].size else -1
"""
    image = jnp.array([[0, 2, 3], [1, 0, 5]])
    found = served(source, (image,), ((image, image > 2), {}), ((0 * image,), {}), ((image, image > 9), {}))
    assert not any("mask" in each for each in found.rewrites[0].compared.differences)


def test_a_split_serves_what_was_left_out_as_a_number_for_each_row():
    """A piece that cuts each row at a number of its own cannot be under jit, though none was given."""
    source = """
def f(tokens, starts=None):
    lengths = [int((row > 0).sum()) for row in tokens]
    rows = []
    for k, (row, n) in enumerate(zip(tokens, lengths)):
        row = row[:n] * 2
        if starts is not None:
            row = row.at[:starts[k]].set(0)
        rows.append(row)
    return rows
"""
    namespace = define(source)
    f = namespace["f"]
    tokens = jnp.array([[3, 1, 0, 0], [2, 2, 5, 0]])
    want = [row.tolist() for row in f(tokens, jnp.array([1, 2]))]
    splits = diagnose(f, tokens).splits
    assert splits
    for split in splits:
        exec("".join(split.sources.values()), namespace)
        assert [row.tolist() for row in namespace["f"](tokens, jnp.array([1, 2]))] == want


def test_what_stands_for_a_number_that_was_left_out_takes_no_place_of_other_sizes():
    names = [f"p{k}" for k in range(6)]
    scope = define(f"def f(x, {', '.join(f'{name}=None' for name in names)}):\n    return x[:, :1] * x.sum()\n")
    variations = Variations((jnp.ones((3, 4)),), {}, set())
    found = other_calls(scope["f"], variations.call(), variations, [], run=lambda: (jnp.ones((3, 1)),))
    assert sum(call.instead for call in found) >= len(names)
    assert {"size", "number"} <= {call.given.kind for call in found}


def test_a_number_called_by_a_mask_is_no_mask():
    scope = define("def f(x, mask_value=None, token_mask=None):\n    return x\n")
    variations = Variations((jnp.ones(3),), {}, set())
    found = [call for call in other_calls(scope["f"], variations.call(), variations, []) if not call.instead]
    assert any(call.given.args[1:] == (0.5,) for call in found if call.names == ("mask_value",))
    given = [call.words for call in found if call.names == ("token_mask",)]
    assert given and all(words.endswith("as a mask") for words in given)


def test_an_option_that_stands_in_an_index_may_be_a_count():
    """A mask that may stand there asks for the truth of an array: then a number is tried as well."""
    source = """
def f(x, t, window=None):
    y = x * 2 if x.sum() > t else x
    if window:
        y = y.at[:max(0, len(x) - window)].set(0.0)
    return y
"""
    namespace = define(source)
    f, x = namespace["f"], jnp.arange(1.0, 5.0)
    found = propose(f, (x, jnp.float32(3)), {}, seconds=20.0)
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"])
        for t, window in itertools.product((3, 30), (None, 1, 3, 9)):
            given = {} if window is None else {"window": window}
            np.testing.assert_allclose(fixed(x, jnp.float32(t), **given), f(x, jnp.float32(t), **given))


def test_a_state_whose_numbers_are_arrays_need_not_be_served_as_integers():
    """Branches that give floats on the one side and integers on the other: it is said, and the whole is no longer refused."""
    source = """
def f(params, state):
    grads = [2 * p / state["scale"] for p in params]
    if jnp.isfinite(grads[0]).all():
        return [p - g for p, g in zip(params, grads)], {"scale": state["scale"] * 2}
    return params, {"scale": state["scale"] / 2}
"""
    calls = [([X, jnp.array(value)], {"scale": jnp.array(scale)}) for value, scale in ((0.5, 8.0), (1.5, 2.0))]
    first = check(source, *calls, ([X / 0, jnp.array(1.0)], {"scale": jnp.array(4.0)})).rewrites[0]
    assert first.verified and "integers stand for some floats" in " ".join(first.compared.differences)


def _told(source, *args):
    """What the answer says of its first rewrite's differences, and what it did not reach."""
    compared = diagnose(define(source)["f"], *args).rewrites[0].compared
    return " ".join(compared.differences), " ".join(compared.not_reached)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "def f(x):\n    good = x[jnp.isfinite(x)]\n    return jnp.abs(good - good[0]).max()\n",
            "on arrays of 2 axes it gives something else",
        ),
        ("def f(x, t=1.0):\n    return jnp.append(x[x > t], t).sum()\n", "it fails on arrays of 2 axes"),
    ],
)
def test_a_selection_of_one_axis_says_what_it_does_with_two(source, words):
    """Plain Python's `x[mask]` is one row of numbers for arrays of any number of axes."""
    assert words in _told(source, X)[0]


def test_what_serves_arrays_of_two_axes_says_nothing_of_them():
    assert "2 axes" not in _told("def f(x, t=1.0):\n    return x[x > t].sum()\n", X)[0]


@pytest.mark.parametrize(
    ("source", "args", "words"),
    [
        (
            "def f(x):\n    best = -1\n    for v in x:\n        if v > best:\n            best = v\n    return best\n",
            (X,),
            "on arrays of uint8 it gives something else",
        ),
        (
            "def f(x):\n    s = x[x > 2]\n    return sum(s) / max(len(s), 1)\n",
            (jnp.array([5, 2, 7]),),
            "of uint8",
        ),
    ],
)
def test_where_integers_of_few_bits_wrap_around_otherwise_it_is_said(source, args, words):
    assert words in _told(source, *args)[0]


def test_integers_of_few_bits_that_are_served_are_not_spoken_of():
    assert "uint8" not in _told("def f(x):\n    return x if x.sum() > 3 else x * 2\n", X)[0]


def test_options_of_which_nobody_says_what_there_are_were_not_tried():
    source = "def f(x, **opts):\n    y = x.mean() if x.sum() > 0 else x.max()\n    return y * opts.get('scale', 1.0)\n"
    assert "options in **opts" in _told(source, X)[1]
    given = diagnose(define(source)["f"], X, scale=2.0)
    assert "**opts" not in " ".join(given.rewrites[0].compared.not_reached)


def test_where_a_table_that_is_left_out_may_be_empty_it_is_said():
    source = (
        "def f(x, prices={1: 2.5, 3: 4.0}):\n"
        "    total = 0\n"
        "    for v in x:\n"
        "        total += prices.get(int(v), 0.0)\n"
        "    return total\n"
    )
    assert "it fails where prices is empty" in _told(source, jnp.array([3, -2, 1]))[0]
    served = "def f(x, table=(1.0, 2.0)):\n    return x * sum(table) if x.sum() > 3 else x\n"
    assert "is empty" not in _told(served, X)[0]


WEIGHED = """
def f(x, weight=1):
    stack = []
    for v in x:
        if v > 0:
            stack.append(v * weight)
        elif stack:
            stack.pop()
    return sum(stack)
"""
REMEMBERED = """
def f(x, scale=1):
    known, total = {}, 0
    for v in x:
        if int(v) not in known:
            known[int(v)] = int(v) * scale
        total += known[int(v)]
    return total
"""


@pytest.mark.parametrize(("source", "option"), [(WEIGHED, "weight"), (REMEMBERED, "scale")])
def test_a_whole_number_that_is_left_out_may_be_a_float_which_is_said(source, option):
    """What a list held was made an array of ints: of a weight of 0.5 the whole part was taken, and nothing said so. As a static
    argument it would be no different."""
    namespace = define(source)
    found = diagnose(namespace["f"], jnp.array([3, 1, 4, -1, 5])).rewrites[0]
    assert option not in found.static_argnames
    assert f"where {option} is given as a float it gives something else" in found.compared.differences


def said_of(source, *args):
    """What is said of the first rewrite for a call."""
    return " ".join(diagnose(define(source)["f"], *args).rewrites[0].compared.differences)


def test_whole_numbers_in_the_place_of_a_mask_are_places():
    """`x[keep]` takes the elements at these places then, and the rewrite those where it is not 0: nothing said so."""
    x = jnp.array([1.0, -2.0, 3.0, 0.5])
    assert "keep holds whole numbers" in said_of("def f(x, keep):\n    return jnp.median(x[keep])\n", x, x > 0)


def test_a_branch_that_has_a_shape_of_its_own_with_another_option_is_told():
    """`jnp.where` stretches the number to the array's shape, and nothing said so."""
    source = "def f(x, full=False):\n    if x[0] < 0:\n        return 0.0\n    if full:\n        return x\n    return x.sum()\n"
    assert "with full=True it gives the shape (3,) always" in said_of(source, jnp.array([1.0, 2.0, 3.0]))


def test_what_a_dict_may_hold_is_asked_for():
    """A key that the code asks for and the call's dict has not: a flag of it decides under jit as data does."""
    source = "def f(x, o=None):\n    o = o or {}\n    t = 0.0\n    for v in x:\n        if v > 0:\n            t += v\n"
    source += "        elif o.get('neg'):\n            t -= v\n    return t\n"
    x = jnp.array([1.0, -2.0, 3.0])
    assert "it fails where o holds 'neg'" in said_of(source, x)
    served = source.replace("o=None", "o={}").replace("o.get('neg')", "o.get('neg', False)")
    check(served, (x, {}), (x, {"neg": True}), (x, {"neg": False}))


def test_a_field_that_is_none_in_another_object_stays_a_question_of_pythons():
    """Asked with a limit, called without; `jnp.where` has no place for None."""
    source = "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Cap:\n    cap: float = None\n\n"
    source += "    def __call__(self, v):\n        if self.cap is not None and v > self.cap:\n            return self.cap\n"
    source += "        return v\n\ncap = Cap(1.0)\n"
    namespace = define(source)
    found = propose(namespace["cap"], (2.0,), {})
    with applied(found, namespace):
        assert jax.jit(namespace["Cap"](1.0))(2.0) == 1.0
        assert jax.jit(namespace["Cap"]())(2.0) == 2.0


def test_whole_numbers_that_one_branch_gives_back_are_told():
    """The branch is taken by none of the call's numbers as integers, and the answer makes floats of both."""
    source = "def f(x):\n    t = x.max()\n    if t <= 0:\n        return x\n    return x / t\n"
    assert "on arrays of integers it gives always floats" in said_of(source, jnp.array([1.0, -2.0, 3.0]))


def test_a_static_count_that_is_given_is_two_first():
    """With one place nothing is compared, so that a choice among places was left as it was."""
    source = "def f(a, d, n=None):\n    k = n or 1\n    free = [0.0] * k\n    wait = 0.0\n    for u, v in zip(a, d):\n"
    source += "        j = min(range(k), key=lambda q: free[q])\n        start = max(u, free[j])\n        wait += start - u\n"
    source += "        free[j] = start + v\n    return wait\n"
    a, d = jnp.array([0.0, 1.0, 1.5, 4.0]), jnp.array([2.0, 1.0, 3.0, 1.0])
    namespace = define(source)
    wanted = namespace["f"](a, d, 2)
    with applied(diagnose(namespace["f"], a, d), namespace):
        np.testing.assert_allclose(jax.jit(namespace["f"], static_argnames="n")(a, d, n=2), wanted, rtol=1e-6)


def test_a_float_beside_whole_amounts():
    """Each number was an int for itself, and all of them were, but never some ints and the order a half."""
    source = "def f(c, k, order):\n    if order == 0:\n        return -k\n    elif order == 1:\n        return -k * c\n"
    source += "    return -k * c ** order\n"
    check(source, (2.0, 0.5, 1), (2, 3, 1.5), (2, 3, 0), (2.0, 3, 2))


def test_a_function_that_gives_integers_for_integers():
    """A root finder begins with ints, which `jnp.cos` makes floats of and a polynomial does not."""
    source = "def f(fun, a, b, tol=1e-3):\n    fa, fb = fun(a), fun(b)\n    while jnp.abs(fb) > tol:\n"
    source += "        a, b = b, b - fb * (b - a) / (fb - fa)\n        fa, fb = fb, fun(b)\n    return b\n"
    assert "failed" not in str(propose(define(source)["f"], (jnp.cos, 1 + 0.5j, 2.0), {}, (), ("fun",)).obstacles)
    check(source, (jnp.cos, 1.0, 2.0), (lambda x: x**3 - 2 * x - 5, 2, 3), (lambda x: x - 1, 0, 1), static=("fun",))


def test_two_arrays_of_which_the_code_asks_whether_they_are_numbers():
    """Asked for one at a time the other was no number, and the branch was never taken."""
    source = "def f(t, v):\n    if isinstance(t, (int, float)) and isinstance(v, (int, float)):\n        return t * 2 + v\n"
    source += "    return jnp.where(v > 3, t, t - v) if v.max() > 2 else t\n"
    assert "where t and v are floats" in said_of(source, jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))


def test_what_math_keeps_of_two_places_beside_each_other():
    """Two places some metres apart: of 32 bits the second digit is wrong."""
    source = "def f(p, q):\n    a, b = map(math.radians, p)\n    c, d = map(math.radians, q)\n"
    source += "    flat = 6371.0 * math.hypot(c - a, math.cos(a) * (d - b))\n    return flat if flat < 0.5 else 2 * flat\n"
    places = jnp.array([52.52, 13.40]), jnp.array([48.85, 2.35])
    assert "64 bits here" in said_of(source, *places)
    by_name = "from math import cos, hypot, radians\n\n" + source.replace("math.", "")
    assert "64 bits here" in said_of(by_name, *places)
    source = "def f(p, dist):\n    flat = jnp.hypot(*jnp.sin(dist - p))  # by hypot(a, b)\n"
    source += "    return flat if flat < 0.5 else mul(2, flat)\n"
    source = f"from operator import mul\n\n{source}"
    assert "64 bits" not in said_of(source, *places)
    assert not uses_math(source, define(source))


def test_the_key_of_an_item_is_no_word_that_an_argument_is_compared_with():
    source = 'def f(stock, t):\n    return stock["tea"] if stock["tea"] < t else t * 2\n'
    found = diagnose(define(source)["f"], {"tea": 1.0}, 2.0)
    assert found.rewrites and "text" not in found.reason
    assert [*compared_with(ast.parse('kw.get("mode", "fast") == mode'), "mode")] == ["fast"]


def test_integer_arrays_for_pythons_own_floats_that_give_floats_are_told():
    """A branch's 1.0 makes the choice a float, and of an array of integers the dtype is asked."""
    found = propose(define("def f(x):\n    if x < 1:\n        x = 1.0\n    return x\n")["f"], (0.5,), {}, (), seconds=30)
    told = "where single numbers are arrays of integers it gives always floats"
    assert any(each.startswith(told) for each in found.rewrites[0].compared.differences)


def test_integer_arrays_for_pythons_own_floats_are_not_spoken_of_where_they_are_served():
    found = propose(define("def f(x):\n    if x < 1:\n        x = x + 1\n    return x\n")["f"], (0.5,), {}, (), seconds=30)
    assert found.rewrites and not any("integers" in each for each in found.rewrites[0].compared.differences)


def test_a_number_for_an_array_is_told_where_it_comes_back_as_an_array():
    """Chosen among elements it is stretched."""
    source = "def f(x, y):\n    if x.sum() > 1:\n        x = y\n    else:\n        x = x + y\n    return x\n"
    found = propose(define(source)["f"], (X, X / 2), {}, (), seconds=30)  # of more than one element
    told = "where y is a single number it gives an array of one number"
    assert any(each.startswith(told) for each in found.rewrites[0].compared.differences)


def test_numbers_for_rows_are_told_of():
    """What is kept of rows is masked row by row."""
    source = (
        "def f(draws, u):\n    kept = [draws[0]]\n    for x, v in zip(draws[1:], u[1:]):\n        if v < 0:\n"
        "            kept.append(x)\n    return jnp.stack(kept).mean(axis=0)\n"
    )
    found = propose(define(source)["f"], (jnp.arange(6.0).reshape(3, 2), X[:3]), {}, (), seconds=30)
    assert any("where draws has one axis" in each for each in found.rewrites[0].compared.differences)
    alone = source.replace(".mean(axis=0)", ".mean()").replace("jnp.stack(kept)", "sum(each.sum() for each in kept)")
    served = propose(define(alone)["f"], (jnp.arange(6.0).reshape(3, 2), X[:3]), {}, (), seconds=30)
    assert served.rewrites and not any("one axis" in each for each in served.rewrites[0].compared.differences)


def test_rows_beside_a_mask_are_told_of_as_images_are():
    source = "def f(x, mask):\n    n = int(mask.sum())\n    return jnp.zeros_like(x).at[:n].set(x[mask])\n"
    found = propose(define(source)["f"], (X, X > 1), {}, (), seconds=30)
    assert any("where x has an axis more than mask" in each for each in found.rewrites[0].compared.differences)
