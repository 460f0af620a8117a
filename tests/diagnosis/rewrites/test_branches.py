"""`if`, ternaries and early returns on traced values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic import diagnose
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.proof.differing import ALWAYS_COMPLEX
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.diagnosis.rewrites.promoting import BY_ZERO

from .helpers import applied, check, define

DOUBLE = """
def f(x, threshold):
    if x > threshold:
        return x * 2
    else:
        return x
"""


def test_the_lesson_gets_where_first_and_cond_second():
    proposals = check(DOUBLE, (jnp.array(5.0), 0.0), (jnp.array(-2.0), 0.0), (jnp.array(1.0), 10.0))
    first, second = proposals.rewrites
    assert first.patterns == ("where",) and second.patterns == ("cond",)
    assert "return jnp.where(x > threshold, x * 2, x)" in first.source
    assert first.verified and first.compared.inputs >= 6 and first.compared.branches == "both branches"
    assert not first.compared.not_reached


def test_a_change_names_the_line_of_the_file_as_tracebacks_count():
    proposals = check(DOUBLE, (jnp.array(5.0), 0.0))
    assert proposals.rewrites[0].changes[0].line == 9
    assert proposals.rewrites[0].diff.count("+    return") == 1


def test_a_division_is_not_evaluated_where_it_was_not_chosen():
    source = """
def f(x, n):
    if n > 0:
        return x / n
    return x * 0.0
"""
    assert check(source, (jnp.array(3.0), jnp.array(2.0)), (jnp.array(3.0), jnp.array(0.0))).rewrites[0].patterns == ("cond",)


def test_values_of_before_stay_on_the_side_that_assigns_nothing():
    source = """
def f(grad, max_norm):
    norm = jnp.linalg.norm(grad)
    scale = jnp.ones(())
    if norm > max_norm:
        scale = max_norm / norm  # shrink
        grad = grad * scale
        norm = jnp.linalg.norm(grad)
    return grad, norm, scale
"""
    first = check(source, (jnp.array([3.0, 4.0]), 1.0), (jnp.array([0.3, 0.4]), 1.0), (jnp.zeros(2), 1.0)).rewrites[0]
    assert "# shrink" in first.source


def test_branches_of_two_shapes_get_no_rewrite():
    namespace = define("def f(x):\n    if x.sum() > 0:\n        return x\n    return x.sum()\n")
    assert not propose(namespace["f"], (jnp.ones(3),), {}).rewrites


def test_a_branch_that_gives_an_int_and_one_that_gives_a_float_array_give_a_float_and_it_is_said():
    """A program has one type for each result."""
    source = "def f(x):\n    if x > 0:\n        return x * 0.5\n    return x\n"
    first = check(source, (jnp.array(3),), (jnp.array(-2),)).rewrites[0]
    assert "always floats, where plain Python's branches give integers or floats" in first.compared.differences


@pytest.mark.parametrize("arguments", [(1.0, 2.0, 5.0), (1.0, 3.0, 1.0)])
def test_a_branch_that_gives_real_and_one_that_gives_complex_numbers_give_complex_ones_and_it_is_said(arguments):
    """Which of the two a call takes depends on values alone, so it is said once and of no kind of numbers."""
    source = """
def f(a, b, c):
    disc = b * b - 4 * a * c
    if disc < 0:
        root = jnp.sqrt(-disc) * 1j
    else:
        root = jnp.sqrt(disc)
    return (-b + root) / (2 * a)
"""
    first = check(source, arguments).rewrites[0]
    compared = first.compared
    assert [words for words in compared.differences if words.startswith("always")] == [ALWAYS_COMPLEX]
    assert BY_ZERO in (*compared.differences, *compared.not_reached)
    assert "jnp.sqrt(disc) * (1 + 0j)" in first.source


@pytest.mark.parametrize(("last", "differs"), [("jnp.abs((2 * c / (-b + root)) ** 2)", True), ("jnp.abs(root)", False)])
def test_nan_among_complex_numbers_for_infinity_is_said_where_an_input_shows_it(last, differs):
    """Though the result is a real number again, of which nothing is always complex."""
    source = f"""
def f(a, b, c):
    d = b * b - 4 * a * c
    if d >= 0:
        root = jnp.sqrt(d)
    else:
        root = 1j * jnp.sqrt(-d)
    return {last}
"""
    compared = check(source, (1.0, 3.0, 2.0), (1.0, 1.0, 2.0)).rewrites[0].compared
    assert BY_ZERO in (compared.differences if differs else compared.not_reached)


def test_a_loop_that_begins_with_a_real_number_and_goes_on_with_complex_ones_begins_with_a_complex_one():
    source = """
def f(c, limit=20):
    z = 0.0
    n = 0
    while abs(z) <= 2 and n < limit:
        z = z * z + c
        n += 1
    return n, z
"""
    check(source, (jnp.array(0.3 + 0.6j),), (jnp.array(1 + 1j),), (jnp.array(0.1j), 3))


EVEN = """
def f(img):
    if img.max() == img.min():
        return jnp.zeros_like(img)
    return (img - img.min()) / (img.max() - img.min())
"""


def test_a_branch_that_only_equal_integers_take_gives_a_float_and_it_is_said():
    """An array of integers takes it where all of them are equal, and no other."""
    first = check(EVEN, (jnp.array([1.0, 3.0]),), (jnp.ones(2),), (jnp.array([1, 3]),)).rewrites[0]
    assert any(each.endswith("where plain Python's branches give integers or floats") for each in first.compared.differences)


def test_a_branch_that_a_single_integer_takes_gives_a_float_and_it_is_said():
    """A single row of one element takes it whatever it is."""
    first = check(EVEN, (jnp.array([[1, 2], [3, 5]]),), (jnp.ones((2, 2), int),)).rewrites[0]
    assert "on a single row it gives float32, plain Python int32" in first.compared.differences


def test_a_side_effect_in_a_branch_is_named_and_not_rewritten():
    namespace = define("LOG = []\ndef f(x):\n    if x > 0:\n        LOG.append(1)\n        x = x + 1\n    return x\n")
    proposals = propose(namespace["f"], (jnp.array(3.0),), {})
    assert not proposals.rewrites and not proposals.unverified
    assert "LOG.append" in proposals.obstacles[0]


def test_a_function_with_side_effects_is_not_run():
    source = "LOG = []\ndef f(x):\n    LOG.append(1)\n    if x > 0:\n        x = x + 1\n    return x\n"
    namespace = define(source)
    proposals = propose(namespace["f"], (jnp.array(3.0),), {})
    assert not proposals.rewrites
    assert "traced, not compared: it changes LOG" in proposals.unverified[0].reason


def test_what_would_keep_a_tracer_beyond_its_trace_is_no_rewrite():
    """`history.append(float(loss))`: with `jnp.asarray` it traces, and what is kept there is a tracer that nobody can use."""
    source = "HISTORY = []\ndef f(x):\n    HISTORY.append(float(x.sum()))\n    return x * 2\n"
    namespace = define(source)
    proposals = propose(namespace["f"], (jnp.ones(3),), {})
    assert not proposals.rewrites and not proposals.unverified and not namespace["HISTORY"]
    assert "what is kept there would be a tracer; return the value" in proposals.why_not


def test_a_helper_is_rewritten_and_the_users_namespace_stays():
    source = """
def relu(x):
    return x if x > 0 else 0.0 * x

def f(x):
    return relu(x) + 1
"""
    proposals = check(source, (jnp.array(2.0),), (jnp.array(-2.0),))
    assert list(proposals.rewrites[0].sources) == ["relu"]


@pytest.mark.parametrize(
    ("held", "called"),
    [
        ("TABLE = {'relu': relu}", "TABLE['relu'](x)"),
        ("STEPS = [abs, relu]", "STEPS[1](x)"),
        ("NESTED = {'a': (1, [relu])}", "NESTED['a'][1][0](x)"),
        ("fast = partial(call, relu)", "fast(x)"),
        ("slow = partial(call, how=relu)", "slow(x=x)"),
    ],
)
def test_a_helper_is_rewritten_that_stands_in_a_table(held, called):
    """Or is given to a partial: the table kept the old one, and nothing was found."""
    source = f"""
from functools import partial

def call(how, x):
    return how(x)

def relu(x):
    return x if x > 0 else 0.0 * x

{held}

def f(x):
    return {called} + 1
"""
    (first, *_) = check(source, (jnp.array(2.0),), (jnp.array(-2.0),)).rewrites
    assert list(first.sources) == ["relu", held.split(" = ")[0]]


def test_match_on_a_traced_value_becomes_a_choice():
    source = """
def f(x, kind):
    match kind:
        case 0 | 1:
            return x * 2
        case k if k > 5:
            return x * k
        case _:
            return x
"""
    x = jnp.array(3.0)
    check(source, (x, jnp.array(0)), (x, jnp.array(7)), (x, jnp.array(3)))


def test_a_match_that_takes_all_ends_the_function():
    """It was said that the result is nan where plain Python reaches no return, and such a return was added."""
    source = """
def f(x, kind):
    if x < 0:
        return x * 2
    match kind:
        case "square":
            return x * x
        case _:
            return x / 2
"""
    first = check(source, (jnp.array(3.0), "square"), (jnp.array(-3.0), "square"), static=("kind",)).rewrites[0]
    assert "nan" not in first.source and not first.compared.differences


def test_a_match_of_several_parts_becomes_choices():
    """No pattern takes a tracer for True: the code traced, gave something else, and was answered by pieces alone."""
    source = """
def f(x, low=0.0, high=1.0):
    on, switches = False, 0
    for v in x:
        match (on, bool(v < low), bool(v > high)):
            case (False, True, _):
                on = True
                switches += 1
            case (True, _, True) if switches < 3:
                on = False
            case (True, low_now, _):
                switches += 10 * low_now
            case _:
                pass
    return on, switches
"""
    x = jnp.array([0.5, -1.0, -2.0, 2.0, -1.0, 0.5, 3.0])
    check(source, (x,), (-x,), (x[:1],), (x, -1.5, 0.4), seconds=8.0)


def test_a_match_that_names_the_whole_of_its_parts_is_left():
    source = (
        "def f(x):\n    match (x, bool(x > 0)):\n        case (_, True):\n            return x\n"
        "        case both:\n            return both[0] * 2\n"
    )
    assert not propose(define(source)["f"], (jnp.array(3.0),), {}).rewrites


def test_items_of_a_dict_set_in_a_branch_go_through_cond():
    source = """
def f(x):
    out = {"n": 0}
    if x > 0:
        out["n"] += 1
        out["y"] = x / 2
    else:
        out["y"] = x * 2
    return out
"""
    check(source, (jnp.array(3.0),), (jnp.array(-3.0),))


def test_a_chain_of_three_tests_becomes_select():
    source = """
def f(x, kind):
    if kind == 0:
        y, n = x, 0
    elif kind == 1:
        y, n = x * 2, 1
    elif kind == 2:
        y, n = x * 3, 2
    else:
        y, n = -x, 3
    return y, n
"""
    calls = [(jnp.array(3.0), jnp.array(k)) for k in range(4)]
    assert check(source, *calls).rewrites[0].patterns == ("select",)


def test_an_int_beside_a_float_is_made_a_float_for_cond():
    source = "def f(x, h):\n    return (1 - x / h) / h if x < h else 0\n"
    first = check(source, (jnp.array(1.0), jnp.array(2.0)), (jnp.array(3.0), jnp.array(2.0))).rewrites[0]
    assert "lambda: 0.0" in first.source


def test_an_option_that_was_left_out_may_be_given():
    """Its own test is then one of data, and the same answer serves it."""
    source = (
        "def f(x, t, hi=None):\n    if hi is not None and t > hi:\n        t = hi\n"
        "    if x.sum() > t:\n        x = x / 2\n    return x\n"
    )
    x = jnp.array([1.0, 2.0])
    check(source, (x, jnp.array(0.5)), (x, jnp.array(2.5), jnp.array(1.5)), (x, jnp.array(0.5), 1.5), (x, jnp.array(9.0)))


def test_a_branch_that_needs_what_may_be_none_beside_a_long_one():
    """None has no items: where it is left out, nothing of that branch may be traced."""
    source = (
        "def f(x, given=None):\n    out = kept = 0.0\n    for i in range(len(x)):\n"
        "        if given is not None and given[i] >= 0:\n            out = given[i]\n        else:\n"
        "            a = x[i] * 2\n            b = a + kept\n            c = b - 1\n            out = c / 2\n"
        "            if out > 1:\n                kept = kept + out\n"
        "    return out, kept\n"
    )
    x = jnp.array([1.0, 2.0, 3.0])
    check(source, (x,), (x, jnp.array([-1.0, 2.0, -1.0])), (x, jnp.zeros(3)), (-x,), seconds=10.0)


def test_a_tuple_is_compared_with_one_that_has_a_name():
    source = (
        "import types\ngrid = types.SimpleNamespace(goal=(3, 2))\n\n"
        "def f(p):\n    x, y = p\n    done = (x, y) == grid.goal\n    return 1.0 if done else -0.1\n"
    )
    check(source, (jnp.array([3, 2]),), (jnp.array([3, 3]),), (jnp.array([0, 1]),))


def test_sizes_that_plain_python_takes_in_one_branch_alone_are_said_to_fail():
    """The other branch unpacks two: with three the compiled function has no such branch."""
    source = "def f(p):\n    x, y = p[0] + 1, p[1]\n    if x > 4:\n        x, y = p\n    return jnp.array([x, y])\n"
    found = check(source, (jnp.array([1, 2]),), (jnp.array([7, 2]),))
    assert any(said.startswith("it fails on ") for said in found.rewrites[0].compared.differences)


@pytest.mark.parametrize("order", ["<", "<=", ">", ">=", "==", "!="])
def test_tuples_are_compared_element_by_element(order):
    source = f"def f(a, b):\n    if (a[0], a[1]) {order} (b[0], b[1]):\n        return a\n    return b\n"
    pairs = [([1, 5], [1, 6]), ([2, 5], [1, 6]), ([1, 5], [1, 5]), ([1, 7], [2, 5])]
    check(source, *[(jnp.array(a), jnp.array(b)) for a, b in pairs])


def test_a_variable_that_holds_a_tuple_is_compared_element_by_element():
    source = (
        "def f(x, t):\n    best = (-jnp.inf, -1)\n    for i in range(x.shape[0]):\n"
        "        if (x[i] * t, i) > best:\n            best = (x[i] * t, i)\n    return best\n"
    )
    check(source, (jnp.array([1.0, 3.0, 2.0]), 0.5), (jnp.array([2.0, 2.0, -1.0]), -1.0))


def test_the_largest_of_tuples():
    x = jnp.array([1.5, -0.5, 1.5, 3.0])
    for name in ("max", "min"):
        check(f"def f(x, t):\n    return {name}((v - t, -i) for i, v in enumerate(x))\n", (x, 0.5), (-x, 1.0))


def test_a_place_that_moves_by_a_table_or_stays():
    """One element beside a table of two has two shapes, as data decides: that refuses nothing, and is said."""
    source = (
        "def f(position, action, walls):\n    after = position + jnp.array([[0, 1], [1, 0]])[action]\n"
        "    if walls[after[0], after[1]]:\n        after = position\n    return after\n"
    )
    walls = jnp.zeros((3, 3), bool).at[1, 0].set(True)
    check(source, (jnp.array([0, 0]), 0, walls), (jnp.array([0, 0]), 1, walls), (jnp.array([1, 1]), 1, walls))


def test_a_constant_in_the_place_of_a_count_is_of_the_counts_kind():
    """`good = 0`: an int for an int, and on the call with a float a float; never the other way round."""
    source = (
        "def f(w, g, scale, good):\n    if jnp.isfinite(g).all():\n        w = w - g / scale\n        good += 1\n"
        "    else:\n        scale = scale / 2\n        good = 0\n    return w, scale, good\n"
    )
    w, g = jnp.array([1.0, 2.0]), jnp.array([0.5, 1.0])
    four, two = jnp.asarray(4.0), jnp.asarray(2)
    check(source, (w, g, four, two), (w, g.at[0].set(jnp.inf), four, two), (w, g, four, jnp.asarray(2.5)))


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        (
            "def f(v, x):\n    for i in range(len(x) - 1):\n        if x[i] <= v < x[i + 1]:\n            return v - x[i]\n",
            [(0.5,), (1.0,), (2.2,)],
        ),
        (
            "def f(v, x):\n    if v > 2:\n        return v * 2, 1\n    elif v > -5:\n        return x.sum() * v, 0\n",
            [(1.5,), (3.0,), (-1,)],
        ),
    ],
)
def test_a_function_that_may_end_without_a_return_is_answered_for_the_ways_that_return(source, calls):
    x = jnp.array([0.0, 1.0, 2.0, 4.0])
    rewrite = check(source, *((*call, x) for call in calls)).rewrites[0]
    assert "where plain Python reaches no return and gives None" in " ".join(rewrite.compared.differences)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def f(x):\n    if x.sum() < 2:\n        return None\n    return x.mean()\n", "jnp.nan"),
        ("def f(x):\n    return jnp.argmax(x) if x.sum() > 2 else None\n", "-1"),
        (
            "def f(x):\n    if x.size == 0:\n        return None\n    if x[0] > 0:\n        return x[0]\n    return None\n",
            "jnp.nan",
        ),
        ("def f(x):\n    d = x.sum()\n    if d < 2:\n        return\n    return d, x > d\n", ""),
    ],
)
def test_a_number_stands_for_a_none_that_is_written_and_is_not_verified(source, text):
    """Its callers ask for None: the rewrite serves those alone that ask for the number instead, and says so."""
    x = jnp.array([1.0, 3.0, 2.0])
    found = diagnose(define(source)["f"], x)
    assert not found.rewrites
    if not text:
        assert not any(each.for_none for each in found.unverified)
        return
    first = next(each for each in found.unverified if each.for_none)
    number = text.removeprefix("jnp.")
    assert text in first.source and first.reason == f"its values are right, but where plain Python gives None it gives {number}"
    assert "None or a value" in found.reason
    assert "x.size == 0" not in source or "return None" in first.source


def test_a_split_that_leaves_the_loop_in_plain_python_comes_after_a_number_for_none():
    source = """
def f(g, a, b):
    if g(a) * g(b) > 0:
        return None
    while b - a > 1e-3:
        m = 0.5 * (a + b)
        if g(a) * g(m) <= 0:
            b = m
        else:
            a = m
    return 0.5 * (a + b)
"""
    found = diagnose(define(source)["f"], lambda x: x**2 - 2, jnp.array(0.0), jnp.array(2.0))
    first = fixes(found)[0].rewrite
    assert first.for_none and "while_loop" in first.patterns


@pytest.mark.parametrize(
    "body",
    [
        "if a < 0:\n    return v\nif b > 5:\n    raise ValueError('b')\nreturn 2.0 * v",
        "if a < 0:\n    return v\nif b <= 5:\n    return 2.0 * v\nraise ValueError('b')",
        "if a < 0:\n    return v\nelif b <= 5:\n    return 2.0 * v\nelse:\n    raise ValueError('b')",
        "if a >= 0:\n    if b > 5:\n        raise ValueError('b')\n    return 2.0 * v\nreturn v",
    ],
)
def test_a_check_of_one_way_says_nothing_of_the_other(body):
    """What comes first returns whatever the check behind it says; `else: raise`, or one at the end, is such a check."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    v = jnp.array([0.5, 1.5])
    check(f"def f(a, b, v):\n{lines}", (1.0, 2.0, v), (-1.0, 2.0, v), (-1.0, 9.0, v), (-1, 9, v))


def test_a_case_may_return_where_what_is_left_raises():
    """`else: raise` behind cases of which some return and others assign."""
    check(
        "def f(v, ecc):\n    if ecc < 1:\n        m = v * ecc\n    elif 1 + ecc * jnp.cos(v) < 0:\n        return jnp.nan\n"
        "    elif ecc > 2:\n        m = jnp.exp(v)\n    else:\n        raise ValueError('near parabolic')\n    return m / 2\n",
        (0.5, 0.3),
        (3.0, 1.5),
        (0.5, 3.0),
    )


def test_a_loop_that_returns_or_raises_in_the_end():
    check(
        "def f(a, tol):\n    x = a\n    for i in range(20):\n        new = 0.5 * (x + a / x)\n        if abs(new - x) < tol:\n"
        "            return new, i\n        x = new\n    raise RuntimeError('no convergence')\n",
        (2.0, 1e-3),
        (9.0, 1e-2),
    )


def test_a_message_behind_an_early_return_is_told_where_it_is_reached(capfd):
    namespace = define("def f(x):\n    if x < 0:\n        return x\n    print('reached', x)\n    return 2 * x\n")
    found = propose(namespace["f"], (1.0,), {})
    for which in range(len(found.rewrites)):
        with applied(found, namespace, which):
            jax.jit(namespace["f"])(-1.0)
            jax.effects_barrier()
            assert capfd.readouterr().out == ""
            jax.jit(namespace["f"])(1.0)
            jax.effects_barrier()
            assert capfd.readouterr().out == "reached 1.0\n"


def test_a_branch_with_a_question_of_pythons_own_gives_floats_in_each_of_its_results():
    """On a table of integers one result is an int and the others are floats: it was multiplied by 1.0 again and again."""
    source = """def f(x, xp, fp, extrapolate=False):
    i = int(jnp.searchsorted(xp, x))
    if i == 0:
        if not extrapolate:
            return fp[0]
        i = 1
    t = (x - xp[i - 1]) / (xp[i] - xp[i - 1])
    return (1 - t) * fp[i - 1] + t * fp[i]
"""
    xp, fp = jnp.array([0.0, 1.0, 2.0, 4.0]), jnp.array([1, 3, -2, 5])
    found = check(source, (1.5, xp, fp * 1.0), (-1.0, xp, fp * 1.0), (-0.5, xp, fp * 0.5))
    assert " * 1.0) * 1.0" not in found.rewrites[0].source


EXCESS = """
def f(x, t):
    if x.max() > t:
        n = jnp.linalg.norm(x)
        return {"norm": n, "most": x.max() - t, "loud": True}
    return {"norm": 0.0, "most": -1.0, "loud": False}
"""


@pytest.mark.parametrize("limit", [0.5, jnp.float32(0.5), jnp.float16(0.5)], ids=["float", "float32", "float16"])
def test_a_number_beside_an_array_of_few_bits_is_given_its_dtype(limit):
    """`lax.cond` has one type for both branches, and a number of Python's would be of 32 bits there."""
    x = jnp.array([1.0, -2.0, 3.0], jnp.float16)
    found = check(EXCESS, (x, limit), (-x / 8, limit))
    assert "cond" in found.rewrites[0].patterns
    assert "asarray(-1.0, jnp.result_type(x, t, float))" in found.rewrites[0].source


@pytest.mark.parametrize("header", ["def f(step, warmup=100, *, total=1000):\n", "warmup, total = 100, 1000\ndef f(step):\n"])
def test_branches_are_reached_whose_limits_are_defaults_or_globals(header):
    """A schedule: its numbers stand in no comparison themselves."""
    source = header + (
        "    if step < warmup:\n        return 0.1 * step / warmup\n    elif step > total:\n        return 0.0\n"
        "    return 0.05 * (1 + jnp.cos(jnp.pi * (step - warmup) / (total - warmup)))\n"
    )
    found = propose(define(source)["f"], (jnp.asarray(5),), {}).rewrites[0]
    assert found.compared.branches == "both branches"
    assert not any("line" in what for what in found.compared.not_reached)


def test_branches_that_replace_fields_of_a_registered_class():
    """`return replace(s, best=loss)` and `return s` in two branches: looking for a rewrite failed at `jnp.where` of objects."""
    source = (
        "from dataclasses import dataclass, replace\n\n@jax.tree_util.register_dataclass\n@dataclass\nclass Stopper:\n"
        "    best: jax.Array\n    wait: jax.Array\n\ndef f(s, loss, patience=3):\n    if loss < s.best:\n"
        "        return replace(s, best=loss, wait=jnp.array(0))\n    wait = s.wait + 1\n    if wait >= patience:\n"
        "        return replace(s, wait=-wait)\n    return replace(s, wait=wait)\n"
    )
    namespace = define(source)
    calls = [namespace["Stopper"](jnp.array(1.0), jnp.array(wait)) for wait in (0, 2)]
    proposals = propose(namespace["f"], (calls[0], jnp.array(1.5)), {}, seconds=20.0)
    assert proposals.rewrites, proposals
    wanted = [jax.tree.leaves(namespace["f"](s, jnp.array(loss))) for s in calls for loss in (0.5, 1.5)]
    with applied(proposals, namespace):
        found = [jax.tree.leaves(jax.jit(namespace["f"])(s, jnp.array(loss))) for s in calls for loss in (0.5, 1.5)]
    assert jax.tree.map(float, found) == jax.tree.map(float, wanted)


def test_branches_that_give_several_ints_get_all_their_floats_at_once():
    """One at a time, a loop that carries many of them ended with the search's steps."""
    names = [f"v{number}" for number in range(12)]
    begin = "".join(f"    {name} = a\n" for name in names)
    turned = "".join(f"            {name} = 1 / {name}\n" for name in names)
    source = (
        f"def f(a, n):\n{begin}    for _ in range(n):\n        if v0 != 0:\n{turned}        else:\n"
        f"            v0 = v1 + 1\n    return {' + '.join(names)}\n"
    )
    found = check(source, (9, 3), (2, 3), (7.5, 3), (jnp.array(9), 3), static=("n",))
    assert [change.pattern for change in found.rewrites[0].changes] == ["cond", "cond"]


def test_choices_of_which_two_are_the_same_are_one_choice():
    source = """
def f(a, b, tol, n=20):
    for _ in range(n):
        c = 0.5 * (a + b)
        if abs(c * c - 2) < tol:
            return c
        if c * c < 2:
            a = c
        else:
            b = c
    return b
"""
    found = check(source, (0.5, 3.0, 0.01), (1.0, 2.0, 0.5), (1.0, 2.0, 0.0))
    assert "result, result)" not in found.rewrites[0].source and "done, done)" not in found.rewrites[0].source


def test_an_operand_of_or_that_no_input_makes_true_is_named():
    """The branch itself was taken both ways, by the other operand."""
    source = "def f(x, a):\n    if x.sum() > 0 or x[0] * a > 1e30:\n        return x * 2\n    return x - 1\n"
    compared = propose(define(source)["f"], (jnp.array([1.0, 2.0]), 0.5), {}).rewrites[0].compared
    assert compared.branches == "both branches"
    assert any("`x[0] * a > 1e+30` true" in what for what in compared.not_reached)


def test_an_operand_that_asks_for_no_data_is_no_branch():
    source = "def f(x, key=None):\n    if key is not None and x.sum() > 0:\n        return x * 2\n    return x - 1\n"
    key = jax.random.key(0)
    assert not propose(define(source)["f"], (jnp.array([1.0, 2.0]), key), {}).rewrites[0].compared.not_reached


STATES = """
from typing import NamedTuple

class State(NamedTuple):
    x: float
    v: float
    hits: int

def step(s, dt):
    x = s.x + s.v * dt
    if x * s.x < 0:
        s = s._replace(hits=s.hits + 1)
    return s._replace(x=x, v=s.v - x * dt)

def f(x, hits, n=9, dt=0.5, stop=3):
    s = State(x, x * 0.5, hits)
    for _ in range(n):
        s = step(s, dt)
        if s.hits >= stop:
            return s
    return s
"""


def test_a_record_that_is_replaced_below_tests_and_returned_early():
    """`jnp.where` was tried on it, and `result * 1.0`, until no trace was left."""
    numbers = [(jnp.array(x), jnp.array(k)) for x, k in ((1.0, 0), (-1.0, 2), (0.5, 3), (0.0, 0))]
    found = check(STATES, *numbers, seconds=10.0)
    assert "where(done, result, s)" not in found.rewrites[0].source


def test_numbers_that_are_all_above_zero_are_tried():
    """Of nine of both signs: noise seldom gives them."""
    source = "def f(A):\n    if (A <= 0).any():\n        return A + 1.0\n    return A\n"
    found = propose(define(source)["f"], (jnp.arange(9.0).reshape(3, 3) - 4.2,), {})
    assert found.rewrites[0].compared.branches == "both branches"


@pytest.mark.parametrize("asked", ["up is True", "up is not False", "not (up is False)", "(up is True) == True"])
def test_a_flag_that_is_asked_by_identity_is_one_when_traced(asked):
    source = f"def f(x):\n    up = False\n    for v in x:\n        if v > 1.0:\n            up = True\n    if {asked}:\n"
    check(f"{source}        return x * 2\n    return x\n", (jnp.array([0.5, 2.0]),), (jnp.array([0.5, 0.2]),))


def test_a_loop_until_a_flag_is_true_by_identity():
    source = "def f(x):\n    done = False\n    while done is False:\n        done = True\n        if x[0] > x[1]:\n"
    source += "            x = x.at[0].add(-1.0)\n            done = False\n    return x\n"
    check(source, (jnp.array([3.0, 1.0]),), (jnp.array([0.0, 1.0]),))


_BY_A_WORD = """
def f(x, t, mode="mean"):
    y = x
    if x.sum() > t:
        if mode == "mean":
            y = x - x.mean()
        elif mode == "max":
            y = x - x.max()
        else:
            raise ValueError(mode)
    return y
"""
_RETURNING_BY_A_WORD = """
def f(x, t, mode="mean"):
    if x.sum() > t:
        if mode == "mean":
            return x - x.mean()
        elif mode == "max":
            return x - x.max()
        raise ValueError(mode)
    return x
"""
_ROUNDS_BY_A_WORD = """
def f(x, t, mode="mean"):
    while x.sum() > t:
        if mode == "mean":
            x = x - x.mean()
        elif mode == "max":
            x = x - x.max()
        else:
            raise ValueError(f"unknown mode {mode}")
    return x
"""


@pytest.mark.parametrize("source", [_BY_A_WORD, _RETURNING_BY_A_WORD, _ROUNDS_BY_A_WORD])
def test_a_raise_that_a_word_decides_is_met_while_tracing(source):
    """Nothing of it needs compiled code that raises."""
    x = jnp.array([1.0, 2.0, 4.0])
    found = check(source, (x, 0.5), (-x, 0.5), (x, 100.0))
    assert found.rewrites[0].source.count("raise ValueError") == 1
    namespace = define(source)
    with applied(found, namespace):
        fixed = jax.jit(namespace["f"], static_argnames="mode")
        assert jnp.allclose(fixed(x, 0.5, mode="max"), x - 4.0)
        with pytest.raises(ValueError, match="median"):
            fixed(x, 0.5, mode="median")


def test_a_raise_that_data_decides_is_none_of_a_word():
    check_of_data = "        if x.max() > 9:\n            raise ValueError(mode)\n"
    source = f"def f(x, mode='a'):\n    if x.sum() > 0:\n{check_of_data}        x = x * 2\n    return x\n"
    found = check(source, (jnp.array([1.0, 2.0]),), (jnp.array([1.0, -2.0]),))
    assert "raise" not in found.rewrites[0].source


RECORD = """
from typing import NamedTuple

class State(NamedTuple):
    total: float
    count: float
    last: float

def f(s, v):
    if v > s.last:
        return s._replace(last=v, count=s.count + 1)
    return State(s.total + v * 0.5, s.count * 1.0, last=v)
"""


def test_branches_that_give_a_record_are_made_alike_field_by_field():
    """Of integers the whole record was multiplied by 1.0 (TypeError), for each way to write the rest."""
    namespace = define(RECORD)
    state, found = namespace["State"], propose(namespace["f"], (namespace["State"](1.0, 0.0, 2.0), 3.0), {})
    assert found.rewrites
    assert "total=s.total * 1.0" in found.rewrites[0].source
    with applied(found, namespace):
        for given in (state(1, 2, 3), state(1.0, 2.0, 3.0)):
            for value in (5, 1, 2.5):
                want, got = namespace["f"](given, value), jax.jit(namespace["f"])(given, value)
                assert list(want) == list(got)


def test_an_array_that_is_changed_in_a_place_that_there_may_not_be_is_one_of_numbers_that_say_so():
    """Nothing was found: no single number says that there is no such array."""
    source = "def f(b, c):\n    for r in range(b.shape[0] - 1, -1, -1):\n        if b[r, c] == 0:\n"
    source += "            return b.at[r, c].set(5)\n"
    board = jnp.array([[0, 0, 1], [0, 0, 2], [0, 1, 2]])
    found = check(source, (board, 1), (board, 0), (board[:2], 1))
    assert "the result is an array of -1" in " ".join(found.rewrites[0].compared.differences)


def test_an_array_set_in_place_behind_a_return_is_handed_to_the_branches():
    """Neither side may change what stands around both."""
    source = """
def f(x, limit, n=2):
    out = np.array(x)
    if x.sum() > limit:
        return jnp.asarray(out)
    for k in range(n):
        if out[k] > 0:
            out[k:k + 2] = k
        out[-1] += 1
    return jnp.asarray(out)
"""
    x = jnp.array([1.0, -2.0, 3.0, 4.0])
    found = check(source, *((given, jnp.float32(limit)) for given in (x, -x) for limit in (9.0, 1.0)), seconds=20.0)
    assert not any("nonlocal" in each.source for each in found.rewrites)


def test_a_test_that_a_flag_chooses():
    """`if a < b if up else a > b:` asks data on both sides of Python's own question; nothing was found."""
    source = """
def f(x, down=False):
    a = x.copy()
    swaps = 0
    for j in range(len(a) - 1):
        if (a[j] < a[j + 1]) if down else (a[j] > a[j + 1]):
            a[j], a[j + 1] = a[j + 1], a[j]
            swaps += 1
    return a, swaps
"""
    check(source, *((np.array(x),) for x in ([5, 1, 4, 2, 8], [1, 2, 3], [3, 2, 2, 1])))


def test_the_number_of_a_round_is_asked_by_python():
    """In the first round there is no dose before, of which `&` would ask."""
    source = (
        "def f(x):\n    doses = []\n    for k, v in enumerate(x):\n        dose = v * 2\n"
        "        if k and doses[-1] >= 6 and dose > doses[-1]:\n            dose = doses[-1]\n        doses.append(dose)\n"
        "    return jnp.array(doses)\n"
    )
    x = jnp.array([1.0, 4.0, 9.0, 2.0])
    found = check(source, (x,), (-x,), (x[::-1],), (x[:1],), seconds=10.0)
    assert "        if k:\n" in found.rewrites[0].source
