"""Loops whose end depends on traced values."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.rounding import other_rounds
from jupyter_jitmagic.diagnosis.rewrites import engine, propose, returning

from .helpers import applied, check, define, offered


def test_a_traced_count_becomes_fori_loop_also_for_no_round():
    source = """
def f(x, n):
    total = 0.0
    for i in range(n):
        total = total + x * i  # weighted
    return total
"""
    first = check(source, (jnp.array(2.0), 4), (jnp.array(2.0), 0), (jnp.array(1.0), 9)).rewrites[0]
    assert first.patterns == ("fori_loop",) and "# weighted" in first.source
    assert "0, 4 and 5 iterations" in first.compared.branches


def test_steps_and_the_index_after_the_loop_are_kept():
    source = """
def f(x, n):
    i = 0
    for i in range(n, 0, -2):
        x = x + i
    return x, i
"""
    check(source, (jnp.array(2.0), 7), (jnp.array(2.0), 8), (jnp.array(1.0), 1))


def test_a_while_loop_carries_its_counter():
    source = """
def f(x, tol):
    n = 0
    while jnp.abs(x) > tol and n < 100:
        x = x / 2
        n += 1
    return x, n
"""
    first = check(source, (jnp.array(2.0), 0.1), (jnp.array(0.0), 0.1)).rewrites[0]
    assert "while_loop" in first.patterns


def test_break_becomes_a_flag_and_what_follows_it_is_skipped():
    source = """
def f(x, tol):
    for i in range(20):
        new = 0.5 * (x + 2.0 / x)
        if jnp.abs(new - x) < tol:
            break
        x = new
    return x
"""
    check(source, (jnp.array(1.0), 0.1), (jnp.array(1.0), 1e-3), (jnp.array(5.0), 100.0))


def test_continue_and_for_else_keep_their_meaning():
    source = """
def f(xs, limit):
    total = 0.0
    for x in xs:
        if x < 0:
            continue
        total = total + x
        if total > limit:
            break
    else:
        total = total * 2
    return total
"""
    xs = jnp.array([1.0, -2.0, 3.0])
    check(source, (xs, jnp.array(2.0)), (xs, jnp.array(20.0)), (-xs, jnp.array(0.5)))


def test_a_return_inside_a_loop_gives_the_index_found():
    source = """
def f(xs, limit):
    for i, x in enumerate(xs):
        if x > limit:
            return i
    return -1
"""
    xs = jnp.array([1.0, 2.0, 3.0])
    check(source, (xs, jnp.array(1.5)), (xs, jnp.array(5.0)), (xs, jnp.array(0.0)))


def test_a_variable_set_only_in_the_loop_gets_a_first_value():
    source = """
def f(x, n):
    for i in range(n):
        x = jnp.sin(x)
        change = jnp.abs(x).max()
    return x, change
"""
    check(source, (jnp.ones(3), 2), (jnp.ones(3), 5))


def test_a_list_that_grows_with_a_traced_count_is_named():
    namespace = define("def f(x, n):\n    out = []\n    for i in range(n):\n        out.append(x)\n    return jnp.stack(out)\n")
    proposals = propose(namespace["f"], (jnp.array(1.0), 3), {})
    assert not proposals.rewrites and "length of out" in proposals.obstacles[0]


def test_a_continue_before_a_break_leaves_the_flag_alone():
    source = """
def f(xs, limit):
    total, n = 0.0, 0
    for x in xs:
        if x < 0:
            continue
        if total + x > limit:
            break
        total = total + x
        n += 1
    return total, n
"""
    xs = jnp.array([1.0, -2.0, 3.0, 1.0])
    check(source, (xs, jnp.array(4.5)), (xs, jnp.array(0.5)), (-xs, jnp.array(9.0)))


def test_a_function_that_ends_in_a_call_of_itself_is_a_loop():
    source = "def f(a, b):\n    if b == 0:\n        return a\n    return f(b, a % b)\n"
    calls = [(jnp.int32(a), jnp.int32(b)) for a, b in ((54, 24), (5, 0), (17, 4))]
    assert "while_loop" in check(source, *calls).rewrites[0].patterns


def test_none_as_the_first_best_becomes_a_flag():
    """Of a traced number of rounds. Where there is none, plain Python gives None, so that it is right on this call only."""
    source = (
        "def f(x, n):\n    best, at = None, -1\n    for i in range(n):\n        v = x[i] * 2\n"
        "        if best is None or v > best:\n            best, at = v, i\n    return best, at\n"
    )
    found = propose(define(source)["f"], (jnp.array([1.0, 3.0, 2.0]), jnp.array(2)), {}).unverified[0]
    assert "has_best = False" in found.source and "jnp.logical_not(has_best) | (v > best)" in found.source
    assert found.reason.endswith("it does not serve calls in which best stays None")


def test_none_that_is_asked_for_after_the_loop_is_the_flag():
    source = (
        "def f(x, n):\n    last = None\n    k = 0\n    while k < n:\n        if x[k] > 0:\n            last = x[k]\n"
        "        k += 1\n    return 0.0 if last is None else last + 1\n"
    )
    x = jnp.array([-1.0, 3.0, -2.0])
    assert "has_last" in check(source, (x, jnp.array(1)), (x, jnp.array(3)), (-x, jnp.array(3))).rewrites[0].source


def test_a_variable_born_in_the_body_of_a_while_whose_first_test_is_known():
    """The trace stops in the second round, where the variable has a value; before the loop it has none."""
    source = (
        "def f(x):\n    change = 10.0\n    z = x\n    while change > 0.5:\n        last = z\n        z = z * 0.5\n"
        "        change = abs(z - last)\n    return z + last\n"
    )
    check(source, (jnp.array(3.0),), (jnp.array(100.0),), (jnp.array(0.1),))
    check(source, (jnp.array(30),), (jnp.array(100),))


def test_lines_for_a_log_in_a_branch_are_written_when_it_is_taken():
    source = (
        "def f(x, c):\n    log.info('norm %s', x.sum())\n    if x.sum() > c:\n        log.warning('above %s', c)\n"
        "        x = x / 2\n    return x * 3\n"
    )
    header = "import logging\nlog = logging.getLogger('rewrites')\nlog.setLevel('INFO')\n"
    found = check(header + source, (jnp.ones(2), 1.0), (jnp.ones(2), 3.0)).rewrites[0].source
    assert "jax.debug.callback(lambda c: log.warning('above %s', c), c)" in found
    assert "jax.debug.callback(lambda value: log.info('norm %s', value), x.sum())" in found


def test_a_function_that_changes_a_log_is_not_run():
    namespace = define(
        "import logging\nlog = logging.getLogger('a')\ndef f(x):\n    log.setLevel(10)\n    return x if x > 0 else -x\n"
    )
    found = propose(namespace["f"], (jnp.array(1.0),), {})
    assert not found.rewrites and "it changes what is logged" in str(found.obstacles)


def test_warnings_in_a_branch_are_given_when_it_is_taken():
    source = "def f(x, c):\n    if x.sum() > c:\n        warnings.warn(f'above {c}')\n        x = x / 2\n    return x * 3\n"
    found = check("import warnings\n" + source, (jnp.ones(2), 1.0), (jnp.ones(2), 3.0)).rewrites[0].source
    assert "jax.debug.callback(lambda c: warnings.warn(f'above {c}'), c)" in found


def test_an_integer_that_a_round_makes_a_float_is_always_a_float():
    """Of no round plain Python gives the integer back; a program has one type, which the answer says."""
    source = "def f(a):\n    while a > 3:\n        a = a * 0.5\n    return a\n"
    first = check(source, (jnp.array(5),), (jnp.array(1),)).rewrites[0]
    assert "always floats, where plain Python's branches give integers or floats" in first.compared.differences


def test_what_begins_with_another_type_than_a_round_gives_is_cast_in_one_line():
    """`x * a` of an int and a float: a shape that stays needs no broadcast."""
    source = "def f(x, a, n):\n    for _ in range(n):\n        x = x * a\n    return x\n"
    first = check(source, (jnp.ones(3), 0.5, jnp.int32(3)), (jnp.ones(3, int), 0.5, jnp.int32(0))).rewrites[0]
    assert "x = jnp.asarray(x, jnp.result_type(x, jax.eval_shape(body_fun, 0, x).dtype))\n" in first.source


def test_a_result_that_is_never_a_float_may_not_become_one():
    """The rule above is for what plain Python gives as both."""
    source = "def f(x, n):\n    total = x[0]\n    for i in range(n):\n        total = total + x[i]\n    return total\n"
    first = check(source, (jnp.array([1, 2, 3]), jnp.array(2))).rewrites[0]
    assert first.compared.differences == ()


BELLMAN = """
def f(u, P, beta, tol=1e-5):
    v = jnp.zeros(u.shape[0])
    err = 1.0
    it = 0
    while err > tol:
        v_new = jnp.max(u + beta * jnp.einsum("ijk,k->ij", P, v), axis=1)
        err = jnp.max(jnp.abs(v_new - v))
        v = v_new
        it += 1
    return v, it
"""


def test_a_loop_until_a_tolerance_may_end_a_round_elsewhere_and_says_so():
    """Operation by operation it gives plain Python's count; compiled, XLA rounds otherwise."""
    generator = np.random.default_rng(0)
    P = generator.random((4, 3, 4))
    given = [
        jnp.asarray(generator.normal(size=(4, 3)), jnp.float32),
        jnp.asarray(P / P.sum(-1, keepdims=True), jnp.float32),
        0.9,
    ]
    namespace = define(BELLMAN)
    found = propose(namespace["f"], tuple(given), {})
    said = " ".join(found.rewrites[0].compared.differences)
    assert "XLA's rounding may end the loop a round earlier or later" in said


@pytest.mark.parametrize(
    ("code", "limit", "said"),
    [
        ("t = 0.0\n    while t < q:\n        t += 0.1\n        x = x * 1.5\n    return x", 0.25, True),
        ("t = 0.0\n    while t < q:\n        t += 0.1\n        x = x * 1.5\n    return x", jnp.float32(0.25), True),
        ("t = 0.0\n    while t < x.max():\n        t += q\n    return t * x", jnp.float32(0.3), False),
        ("e = x.max()\n    while e > q:\n        x = x * 0.5\n        e = x.max()\n    return x", 0.1, False),
    ],
    ids=["python's floats", "an array as the limit", "an array is added", "no sum"],
)
def test_a_loop_that_ends_by_a_sum_of_pythons_floats_says_that_it_has_fewer_bits(code, limit, said):
    """Ten times 0.1 is less than 1 with 64 bits, and more with 32."""
    fun = define(f"def f(x, q):\n    {code}\n")["f"]
    rewrite = propose(fun, (jnp.array([1.0, 2.0]), limit), {}).rewrites[0]
    assert sum("counts in 32 bits" in words for words in rewrite.compared.differences) == said


def test_a_step_that_the_call_leaves_out_may_be_given_as_one_that_32_bits_round():
    fun = define(
        "def f(x, end, dt=0.5):\n    t = 0.0\n    while t < end:\n        t += dt\n        x = x * 1.5\n    return x\n"
    )["f"]
    rewrite = propose(fun, (jnp.array([1.0, 2.0]), 2.0), {}).rewrites[0]
    assert any("counts in 32 bits" in words for words in rewrite.compared.differences)


def test_a_loop_that_counts_another_round_is_refused():
    """Near it is not enough: by NumPy both have to give the same."""

    def got(given):
        return given.args[0] * 1.0, jnp.array(7)

    def exactly(given):
        return given.args[0] * 1.0, jnp.array(7)

    given = Input((jnp.array(2.0),), {}, "call")
    plain = Plain(lambda x: (x * 1.0, 8), [], {}, Variations(given.args, {}, set()), 5.0)
    want = plain.run(given)[0]

    def same(given):
        return given.args[0] * 1.0, jnp.array(8)

    def steady(*_):
        return False

    assert other_rounds(plain, given, got(given), want, exactly, steady) == ""
    assert ": 7 here for 8" in other_rounds(plain, given, got(given), want, same, steady)
    assert other_rounds(plain, given, (got(given)[0] * 2, jnp.array(7)), want, lambda given: want, steady) == ""


def test_a_tolerance_below_what_floats_can_tell_ends_a_loop_anywhere():
    """Further than a few rounds is right only where plain Python's own count hangs on its last digits."""
    given = Input((jnp.array(2.0),), {}, "call")
    plain = Plain(lambda x: (x * 1.0, 31), [], {}, Variations(given.args, {}, set()), 5.0)
    want = plain.run(given)[0]
    got = given.args[0] * 1.0, jnp.array(44)
    assert other_rounds(plain, given, got, want, lambda given: want, lambda *_: False) == ""
    assert "some rounds" in other_rounds(plain, given, got, want, lambda given: want, lambda *_: True)
    assert other_rounds(plain, given, got, want, lambda given: got, lambda *_: True) == ""


def test_a_place_that_is_none_at_first_and_that_nobody_asks_for():
    source = (
        "def f(costs):\n    best_k, best = None, float('inf')\n    for k, c in enumerate(costs):\n        if c < best:\n"
        "            best, best_k = c, k\n    return best_k, best\n"
    )
    found = check(source, (jnp.array([3.0, 1.0, 2.0]),), (jnp.array([0.5, 1.0, 2.0]),))
    assert "calls in which best_k stays None (it is -1 then)" in found.rewrites[0].compared.not_reached


def test_a_loop_that_leaves_over_what_follows_the_first_serves_one_element():
    source = (
        "def f(x, t):\n    total = x[0]\n    for v in x[1:]:\n        if total > t:\n            return total\n"
        "        total = total + v\n    return total\n"
    )
    check(source, (jnp.array([1.0, 2.0, 3.0]), 2.0), (jnp.array([1.0]), 2.0), (jnp.array([1.0, -2.0]), 0.0))


def test_a_list_that_each_round_makes_anew_is_no_state_of_the_loop():
    """Nothing of it is seen by another round."""
    source = """
def f(x, tol):
    done = jnp.inf
    while done > tol:
        new = []
        for j in range(2):
            new.append((x[j] + 1) / 2)
        new = jnp.stack(new)
        done = jnp.abs(new - x).max()
        x = new
    return x
"""
    x = jnp.array([0.0, 5.0])
    proposals = check(source, (x, 0.1), (-x, 0.1), (x, 100.0))
    assert "while_loop" in proposals.rewrites[0].patterns


def test_a_list_that_is_another_one_by_another_name_stays_where_it_was():
    namespace = define(
        "def f(x, n):\n    seen = []\n    new = [0.0]\n    i = 0\n    while i < n:\n        new = seen\n"
        "        new.append(x * i)\n        i += 1\n    return sum(seen) + 0.0 * x\n"
    )
    assert not propose(namespace["f"], (jnp.array(2.0), jnp.array(3)), {}).rewrites


def test_rounds_that_place_items_of_a_list_are_skipped_and_not_counted():
    """A traced number finds no item of Python's list."""
    source = """
def f(x):
    edges = [-1.0, 0.0, 1.0]
    counts = [0 for _ in edges]
    for v in x:
        for k, edge in enumerate(edges):
            if v <= edge:
                counts[k] += 1
                break
    return jnp.array(counts)
"""
    first = check(source, (jnp.array([0.5, -2.0, 5.0]),), (jnp.array([-1.0, 0.0, 0.25]),)).rewrites[0]
    assert "for k, edge in enumerate(edges):" in first.source


def test_a_table_that_is_left_out_may_be_given():
    """Then it is data: a rewrite that takes its numbers for NumPy's is none."""
    source = """
def f(income, brackets=(1000, 4000), rates=(0.1, 0.2)):
    owed = 0
    lower = 0
    for b, r in zip(brackets, rates):
        if income > b:
            owed += (b - lower) * r
            lower = b
        else:
            owed += (income - lower) * r
            return owed
    return owed + (income - lower) * 0.3
"""
    check(source, (jnp.array(2000.0),), (jnp.array(500.0),), (jnp.array(2000.0), (100, 300)), (90.0, (50, 70), (0.5, 0.6)))


def test_what_a_loop_over_parts_of_several_lengths_returns_keeps_its_first_find():
    """No array holds lines of several lengths: their rounds stay, and a later one changes nothing."""
    source = """
def f(board):
    lines = [board[0], board[1], board[:, 0], board[:, 1], jnp.diag(board)]
    for line in lines:
        s = line.sum()
        if s == 3:
            return 1
        if s == -3:
            return -1
    return s
"""
    wide = jnp.array([[1, 1, 1], [-2, -1, 0]])
    square = jnp.array([[1, 1], [2, -4]])
    found = check(source, (jnp.array([[1, 2], [-2, -1]]),), (square,), (wide,), (jnp.zeros((2, 2), int),), (-wide,))
    assert "result = 0" in found.rewrites[0].source


def test_a_loop_returns_several_values_by_the_side_of_a_chain():
    source = """
def f(x, step):
    for k in range(6):
        if x < 0:
            return k, False
        elif x > 5:
            return k, True
        x = x + step
    return 6, False
"""
    check(source, (jnp.array(1.0), 1.0), (jnp.array(1.0), -1.0), (jnp.array(1.0), 0.0))


def test_a_loop_whose_number_bounds_slices_keeps_its_few_rounds():
    """A counter under `while_loop` would be traced, and the slice of unknown length; what is returned in the middle is chosen
    beside what is returned in the end."""
    x, a = jnp.array([-1.0, 2.0, 3.0, -4.0]), jnp.arange(4.0) + 1
    check(
        "def f(x, a):\n    total = 0.0\n    for i in range(x.shape[0]):\n        if x[i] > 0:\n"
        '            return {"sum": a[: i + 1].sum(), "at": i}\n        total = total + x[i]\n'
        '    return {"sum": total, "at": -1}\n',
        (x, a),
        (-x, a),
        (-jnp.abs(x), a),
        (x[:1], a[:1]),
    )


def test_whole_numbers_that_outgrow_an_array_are_said_and_refuse_nothing():
    """Plain Python's go on without bound."""
    source = "def f(n):\n    x, y = 0, 1\n    for _ in range(n):\n        x, y = y, x + y\n    return x\n"
    found = check(source, (jnp.array(27),), (jnp.array(3),))
    assert any("without bound" in said for said in found.rewrites[0].compared.differences)


@pytest.mark.parametrize(
    "body",
    [
        "a, b = 0, 1\n    while n > 0:\n        a, b = b, a + b\n        n -= 1\n    return a",
        "out = 1\n    while n > 1:\n        out = out * n\n        n = n - 1\n    return out",
    ],
)
def test_whole_numbers_that_outgrow_an_array_are_said_though_the_call_is_small(body):
    found = propose(define(f"def f(n):\n    {body}\n")["f"], (6,), {})
    assert "whole numbers grow without bound" in " ".join(found.rewrites[0].compared.differences)


def test_a_raise_that_begins_each_round_is_the_end_of_the_loop_and_a_check_behind_it():
    source = """
def f(x, tol, rounds):
    n = 0
    error = tol + 1
    while error > tol:
        if n >= rounds:
            raise RuntimeError(f"no convergence in {rounds} rounds")
        else:
            n += 1
        new = 0.5 * (x + 2.0 / x)
        error = jnp.abs(new - x)
        x = new
    return x
"""
    first = check(source, (jnp.array(3.0), 1e-3, 20), (jnp.array(9.0), 1e-3, 20)).rewrites[0]
    assert "(n < rounds)" in first.source and "jnp.where(error > tol, jnp.nan, x)" in first.source
    with applied(check(source, (jnp.array(3.0), 1e-3, 20)), namespace := define(source)):
        assert jnp.isnan(jax.jit(namespace["f"])(jnp.array(900.0), 1e-6, 2))


@pytest.mark.parametrize("how", ["while total < limit", "for _ in range(n)", "for v in x"])
def test_a_raise_in_the_middle_of_a_loop_stands_behind_it(how):
    source = f"""
def f(x, limit, n):
    total = 0.0
    k = 0
    {how}:
        v = x[k]
        k = k + 1
        if v < 0:
            raise ValueError(f"negative at {{k}}")
        total = total + v
        if total > 100:
            break
    return total
"""
    ones, n = jnp.ones(6), jnp.array(5)
    first = check(source, (ones, 3.0, n), (ones * 2, 5.0, n), (jnp.arange(6.0) * 40, 150.0, n)).rewrites[0]
    assert any("cannot raise" in text for text in first.compared.differences)


def test_a_raise_that_its_own_function_catches_ends_the_loop_and_does_what_follows():
    source = """
def f(x):
    try:
        while x > 1:
            if x > 50:
                raise ValueError("too large")
            x = x / 2
    except ValueError:
        x = x * 0
    return x
"""
    check(source, (jnp.array(9.0),), (jnp.array(100.0),), (jnp.array(0.5),), (jnp.array(50.0),))


def test_a_loop_that_is_only_continued_stays_the_loop_that_it_is():
    source = """
def f(x):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] < 0:
            continue
        total = total + x[i]
    return total
"""
    first = check(source, (jnp.array([1.0, -2.0, 3.0]),), (-jnp.ones(3),)).rewrites[0]
    assert "for i in range(x.shape[0]):" in first.source and "while" not in first.source


def test_a_search_among_named_arrays_keeps_its_rounds_also_where_they_are_not_alike():
    source = """
def f(a, b):
    for field in [a, b]:
        if jnp.any(jnp.isnan(field)):
            return False
    return True
"""
    a, b = jnp.ones(2), jnp.ones((2, 3))
    first = check(source, (a, b), (a * jnp.nan, b), (a, b * jnp.nan)).rewrites[0]
    assert "for field in [a, b]:" in first.source


def test_what_is_returned_behind_a_loop_stands_for_what_it_has_not_found_yet():
    source = """
def f(x, tol):
    for i in range(30):
        step = (x * x - 2.0) / (2.0 * x)
        x = x - step
        if jnp.abs(step) < tol:
            return x, True
    return x, False
"""
    first = check(source, (jnp.array(1.0), 1e-3), (jnp.array(1.0), -1.0)).rewrites[0]
    assert "result = (x, False)" in first.source and "eval_shape" not in first.source


def test_what_no_round_sets_keeps_its_fraction():
    """`round(a)` is an integer of JAX's, and c a float before the first round: cast to it, 1.5 would be 1 behind no round."""
    source = """def f(x, a, b):
    n = 0
    c = a * 0.5
    if b > -1:
        n += 1
    else:
        m = 0
        while m < 4 and c > a + 1:
            m += 1
            c = round(a)
            a = round(b)
    c *= x[-1]
    return a, b, c, n
"""
    x = jnp.array([1.0, 2.0])
    none, some = (x, jnp.array(3.0), jnp.array(-2.0)), (x, jnp.array(-7.0), jnp.array(-2.5))
    check(source, (x, jnp.array(1.0), jnp.array(2.0)), none, some, seconds=20.0)


def test_a_random_key_beside_it_narrows_nothing_of_what_a_loop_carries():
    """A typed key has no type in common with others: what an int may begin is cast beside it, and 1.5 is made no integer."""
    source = """def f(key, x, c):
    while x > 1:
        key, sub = jax.random.split(key)
        x = x / 2
        c = jax.random.randint(sub, (), 0, 9)
    return c * 2, jax.random.uniform(key)
"""
    key = jax.random.key(0)
    none, some = (key, jnp.array(0.5), 3), (key, jnp.array(5.0), 3)
    check(source, some, none, seconds=20.0)
    refused = propose(define(source)["f"], (key, jnp.array(5.0), jnp.array(1.5)), {})
    assert not refused.rewrites


def test_a_float_before_a_loop_whose_rounds_give_integers():
    """`error = 1.0` only begins the loop; nothing was found, as the carry changed its type."""
    source = (
        "def f(A, most=20):\n    s = jnp.zeros(A.shape[0], dtype=int)\n    i, error = 0, 1.0\n"
        "    while error > 0 and i < most:\n        new = jnp.argmax(A + s, axis=1)\n"
        "        error = jnp.max(jnp.abs(new - s))\n        s = new\n        i = i + 1\n    return s\n"
    )
    a = jnp.sin(jnp.arange(9.0)).reshape(3, 3)
    found = check(source, (a,), (-a,), (a, 0), (a, 1))
    assert "while_loop" in found.rewrites[0].patterns


def test_of_a_rewrite_within_another_trace_nobody_is_told_to_write_it():
    """Nor that no static argument cures it, where one is needed beside the rewrite."""
    namespace = define(
        "def f(c, n):\n    z = 0j\n    for i in range(n):\n        z = z * z + c\n        if jnp.abs(z) > 2.0:\n"
        "            return i\n    return n\nmapped = jax.vmap(f, in_axes=(0, None))\n"
    )
    found = jm.diagnose(namespace["mapped"], jnp.array([0.3 + 0.5j, 2 + 2j]), 5)
    assert found.rewrites and found.static_argnames == ("n",)
    assert "no static argument of f alone cures it. n must be static as well." in found.reason


def test_a_name_that_the_test_of_a_loop_binds_within_a_call():
    """The parentheses of the call were taken for those around `:=`, so nothing was found."""
    source = "def f(x):\n    n = 0\n    while abs(e := x * x - 2) > 1e-3 and n < 50:\n        x = x - e / (2 * x)\n"
    source += "        n += 1\n    return x, n\n"
    check(source, (1.0,), (3.0,), (1.5,))


@pytest.mark.parametrize(
    "test",
    [
        "i < len(x) and (new := total + x[i]) <= u",
        "i < len(x) and x[i] > 0 and (new := total + x[i]) <= u and i < 9",
        "i < len(x) and (a := 2 * x[i]) < u and (x[i] > 9 or i < 9) and (new := a + total) < 3 * u",
    ],
)
@pytest.mark.parametrize(
    "end", ["        i += 1\n", "        i += 1\n        if i > 2:\n            continue\n        total += 1\n"]
)
def test_a_name_that_the_test_of_a_loop_binds_behind_a_guard(test, end):
    """It is bound where the guard lets it, as the first of a round; nothing was found."""
    source = f"def f(x, u):\n    total, i = 0.0, 0\n    while {test}:\n        total = new\n{end}    return total, i\n"
    x = jnp.array([1.0, 3.0, 2.0, 5.0])
    check(source, (x, 6.5), (x, 99.0), (x, 0.0), (-x, 3.0), (x[:1], 3.0))


@pytest.mark.parametrize(
    ("head", "inside", "end"),
    [
        ("while (n := n - 1) >= 0:", "if x > u:\n            break", "x"),
        ("while (n := n - 1) >= 0:", "if x > u:\n            break", "x, n"),
        ("while (n := n - 1):", "if x > u:\n            return -x, n", "x, n"),
        (
            "while (n := n - 1) >= 0:",
            "if x < 1:\n            continue\n        x = x + 1\n        if x > u:\n            break",
            "x, n",
        ),
        ("while (e := abs(x - 3 * u)) > 0.5:", "if x < 0:\n            x = -x\n            continue", "x, e"),
    ],
)
def test_a_count_that_the_test_of_a_loop_binds_where_the_loop_is_left(head, inside, end):
    """The count goes on while the loop does: not once more when it was left, also where no array is read in the test."""
    source = f"def f(x, u, n=9):\n    {head}\n        {inside}\n        x = (x + u) * 0.75\n    return {end}\n"
    x = jnp.array(0.25)
    check(source, (x, 3.0), (x, 9.0), (4 * x, 3.0), (20 * x, 3.0), (x, 3.0, 4), (-x, 3.0, 1), (-3 * x, 4.0))


@pytest.mark.parametrize(
    ("head", "end"),
    [
        ("for i, a in enumerate(x):", "i, a, total"),
        ("for i, a in enumerate(x, 1):", "i * 2, total"),
        ("for a in x:", "a + total"),
        ("for a, b in zip(x, x[::-1]):", "a - b, total"),
    ],
)
def test_what_a_loop_goes_through_may_be_read_behind_its_break(head, end):
    """It is the element at which the loop ended, or the last one."""
    body = "        total += a\n        if total >= u:\n            break\n"
    x = jnp.array([1.0, 2.0, 3.0])
    found = check(
        f"def f(x, u):\n    total = 0.0\n    {head}\n{body}    return {end}\n", (x, 2.5), (x, 0.5), (x, 99.0), (x[::-1], 3.0)
    )
    assert "eval_shape" not in found.rewrites[0].source  # it begins as the first one, and not as zeros of its shape


def test_the_flag_of_a_break_is_its_test():
    """What follows a `break` in the middle of a round is chosen by the flag itself, as one would write it."""
    source = (
        "def f(x, p):\n    n = 0\n    while n < 20:\n        x = x + p\n        if jnp.sum(x) > 30:\n            break\n"
        "        n += 1\n    return x, n\n"
    )
    p = jnp.array([0.5, 1.0, 0.25])
    first = check(source, (p, p), (p, 4 * p), (p, 40 * p), (p, -p), seconds=60.0).rewrites[0]
    assert "done = jnp.sum(x) > 30\n" in first.source and "n = jnp.where(done, n, n + 1)" in first.source


def test_the_round_in_which_a_loop_was_left_is_read_behind_it():
    """Arrays of another size in each round: the rounds stay Python's, their number and what was measured are kept."""
    source = (
        "def f(x, y, tol):\n    for degree in range(1, 4):\n        v = jnp.vander(x, degree + 1)\n"
        "        rest = jnp.abs(v.sum(1) - y).max()\n        if rest < tol:\n            break\n    return degree, rest\n"
    )
    x, y = jnp.array([0.5, 1.0, -1.0]), jnp.array([1.0, 2.0, 0.5])
    check(source, *((x, y, tol) for tol in (3.0, 0.6, 0.9, -1.0)), seconds=20.0)


MET = {
    "majority": """
def f(x):
    held, count = None, 0
    for v in x:
        if count == 0:
            held = v
        count += 1 if v == held else -1
    return held
""",
    "longest run": """
def f(x):
    held, count, best, most = None, 0, None, 0
    for v in x:
        if v != held:
            held, count = v, 1
        else:
            count += 1
        if count > most:
            most, best = count, held
    return best, most
""",
}


@pytest.mark.parametrize("how", MET)
def test_what_is_compared_with_a_number_that_is_none_at_first_equals_none(how):
    """Not with the zero that stands for it."""
    x = jnp.array([0, 0, 1, 0, 2, 2, 0, 2, 2, 2])
    assert check(MET[how], (x + 1,), (x,), (x * 0,), (x[::-1],)).rewrites[0].verified


def test_what_a_round_leaves_out_is_asked_the_other_way_round():
    """`if not (i == j)` is no line that a person would write."""
    source = (
        "def f(x, t):\n    out = x\n    for i in range(3):\n        for j in range(3):\n            if i == j:\n"
        "                continue\n            if x[i] * x[j] > t:\n                continue\n"
        "            out = out.at[i].add(x[j])\n    return out\n"
    )
    x = jnp.array([1.0, 2.0, -1.0])
    assert "if i != j:\n" in check(source, (x, 0.0), (x, 5.0), (-x, 1.0)).rewrites[0].source


def test_a_loop_without_end_is_left_by_data_or_by_its_own_counter():
    """What the counter's test returns is set in each round, as that of data is: one of the two may be asked for."""
    source = (
        "def f(x, up, limit=20):\n    steps = 0\n    while True:\n        if x >= up:\n            return 1, steps\n"
        "        if steps == limit:\n            return 0, steps - 1\n        x = x * 1.5 if steps % 2 == 0 else x - 0.25\n"
        "        steps += 1\n"
    )
    check(source, *[(jnp.array(x), 4.0) for x in (0.75, -1.0, 5.0, 0.0)])


LEFT_IN_THE_MIDDLE = {
    "two loops at once": """
def f(a, target):
    found = None
    for i in range(a.shape[0]):
        for j in range(i + 1, a.shape[0]):
            if abs(a[i] + a[j] - target) < 0.001:
                found = (i, j)
                break
        else:
            continue
        break
    if found is None:
        return -1, -1
    return found
""",
    "a step behind the test": """
def f(a, target):
    x, limit = a.sum(), 0
    while True:
        rest = x * x - target * target
        limit += 1
        if abs(rest) < 0.5 or limit > 9:
            break
        step = 0.25 * rest
        x = x - step / 4.0
    return x, step
""",
    "a step of each item": """
def f(a, target):
    total = 0.0
    for v in a:
        if total > target:
            break
        step = v * 2.0
        total = total + step
    return total, step
""",
}


@pytest.mark.parametrize("how", LEFT_IN_THE_MIDDLE)
def test_what_a_loop_left_in_the_middle_has_set_is_read_behind_it(how):
    a = jnp.array([1.0, 4.0, 2.5, 3.0, 7.0])
    assert check(LEFT_IN_THE_MIDDLE[how], (a, 5.5), (a[::-1], 10.0), (a[:3], 3.5), (a, 2.5)).rewrites[0].verified


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, tol):\n    err = jnp.ones((1, 1))\n    while err > tol:\n        new = 0.5 * (x + 2 / x)\n"
        "        err = jnp.abs(new - x)\n        x = new\n    return x\n",
        "def f(x, tol):\n    k = 0\n    while True:\n        new = jnp.cos(x)\n        if abs(new - x) < tol:\n"
        "            return new, k\n        x = new\n        k += 1\n",
        "def f(x, tol):\n    for k in range(9):\n        x = x * x\n        if jnp.abs(x) > 9.0 + tol:\n"
        "            return jnp.array([k])\n    return jnp.array([9])\n",
        pytest.param(
            "def f(x, tol):\n    if x.max(keepdims=True) > tol:\n        return x.sum()\n    return x.mean()\n",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_test_of_an_array_of_one_element_is_its_truth(source):
    """As an error of shape (1, 1) gives it: a loop's test and a flag have no axes."""
    check(source, *((jnp.full((1, 1), x), 1e-3) for x in (1.5, 0.7, 1.0)))


@pytest.mark.parametrize(
    "body",
    [
        "best = jnp.inf\nfor v in x:\n    if v * v < best:\n        best = v * v\n        out = v\nreturn out",
        "best = jnp.inf\nfor i in range(len(x)):\n    if x[i] < best:\n        best, k = x[i], i\nreturn k",
        "for v in x:\n    if v > 0:\n        out = jnp.stack([v, v * 2])\nreturn out",
        "for i in range(len(x)):\n    for j in range(i):\n        if x[i] > x[j]:\n            pair = (j, i)\nreturn pair",
        "i = 0\nwhile i < len(x):\n    if x[i] > 1:\n        k = i\n    i += 1\nreturn k",
    ],
)
def test_what_a_branch_in_a_loop_gives_first_is_kept_in_rounds_without_it(body):
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    found = check(f"def f(x):\n{lines}", (jnp.array([1.0, 3.0, -4.0]),), (jnp.array([0.5, 2.0, 1.0]),)).rewrites[0]
    assert "# set before it is read" in found.source


def test_what_both_branches_of_a_round_give_has_no_other_start():
    source = (
        "def f(x):\n    s = 0.0\n    for v in x:\n        if v > 0:\n            y = v\n        else:\n            y = -v\n"
    )
    assert "set before" not in check(f"{source}        s += y\n    return s\n", (jnp.array([1.0, -3.0]),)).rewrites[0].source


def test_what_a_branch_alone_reads_is_not_carried_by_the_loops_around():
    source = (
        "def f(x):\n    start, end = 0, len(x) - 1\n    while start < end:\n        swapped = False\n"
        "        for i in range(start, end):\n            if x[i] > x[i + 1]:\n                a, b = x[i + 1], x[i]\n"
        "                x = x.at[i].set(a).at[i + 1].set(b)\n                swapped = True\n        if not swapped:\n"
        "            break\n        end -= 1\n        for i in range(end, start, -1):\n            if x[i] < x[i - 1]:\n"
        "                a, b = x[i - 1], x[i]\n                x = x.at[i].set(a).at[i - 1].set(b)\n"
        "        start += 1\n    return x\n"
    )
    first = check(source, (jnp.array([3, 1, 4, 2]),), (jnp.array([1, 2, 3, 4]),), (jnp.array([4, 3, 2, 1, 0]),)).rewrites[0]
    assert "x, i = " not in first.source


@pytest.mark.parametrize(
    "body",
    [
        "return max(jnp.median(x[g == k]) for k in range(int(g.max()) + 1))",
        "least = min([x[k] * (k + 1) for k in range(g[1], g.max())])\n    return least + x.sum()",
        "if any(x[k] > x[k + 1] for k in range(g.max())):\n        return -1.0\n    return x[g.max()]",
        "return jnp.where(all(x[k] < x[k + 1] for k in range(g.max())), 1.0, 2.0)",
        "total = sum(x[k] ** 2 for k in range(g.max()) if x[k] > 0)\n    return total / g.size",
        "return max(x[k] * 2 for k in range(g.max()) if k % 2 == 0)",
    ],
)
def test_what_python_gathers_over_as_many_numbers_as_data_says_is_a_loop(body):
    x = jnp.array([1.0, 2.0, -3.0, 4.0, 5.0, 6.0])
    calls = [(x, jnp.array(g)) for g in ([0, 3, 1, 2, 1, 4], [3, 0, 1, 1, 2, 0], [1, 1, 0, 2, 2, 0])]
    check(f"def f(x, g):\n    {body}\n", *calls, seconds=30.0)


def test_a_name_that_such_numbers_share_stays_what_it_was():
    source = "def f(x, n):\n    k = 2.0\n    return max(x[k] for k in range(n)) * k\n"
    found = propose(define(source)["f"], (jnp.arange(4.0), jnp.array(3)), {}, seconds=5.0)
    assert not found.rewrites or "k = 0" not in found.rewrites[0].source


@pytest.mark.parametrize("names", ["a, b", "i, j", "a, i"])
def test_what_a_loop_goes_through_has_no_name_that_python_keeps_for_itself(names):
    first, second = names.split(", ")
    source = (
        f"def f(x):\n    total = 0.0\n    for {first}, {second} in zip(x[:-1], x[1:]):\n        if {second} < {first}:\n"
        f"            break\n        total += {first} * {second}\n    return total\n"
    )
    check(source, (jnp.array([1.0, 2.0, 3.0, 2.0]),), (jnp.array([3.0, 1.0]),), (jnp.arange(3.0),))


def test_what_is_none_again_beside_another_name():
    """`total, n = None, 0` in a loop: the flag is bound in the name's place."""
    found = check(
        "def f(params, rows, every=2):\n    total, n = None, 0\n    for row in rows:\n        if jnp.isnan(row).any():\n"
        "            continue\n        total = row if total is None else total + row\n        n += 1\n"
        "        if n == every:\n            params = params - total / n\n            total, n = None, 0\n"
        "    if n > 0:\n        params = params - total / n\n    return params\n",
        (jnp.ones(2), jnp.arange(10.0).reshape(5, 2)),
        (jnp.ones(2), jnp.arange(10.0).reshape(5, 2).at[1].set(jnp.nan)),
        (jnp.ones(2), jnp.full((5, 2), jnp.nan)),
    )
    assert "has_total = False" in found.rewrites[0].source


def test_a_return_in_a_loop_over_the_leaves_of_a_tree_keeps_the_loop(monkeypatch):
    """Leaves are of different shapes: the many ways to compile the loop, none of which works, are not tried first."""
    monkeypatch.setattr(engine, "MAX_TRACES", 12)
    source = """
def f(grads, scale, good):
    for leaf in jax.tree_util.tree_leaves(grads):
        if not jnp.all(jnp.isfinite(leaf)):
            return jnp.maximum(scale / 2, 1.0), 0
    return scale, good + 1
"""
    good, bad = [jnp.ones(2), jnp.ones(3)], [jnp.array([jnp.inf, 1.0]), jnp.ones(3)]
    scale, count = jnp.float32(8.0), jnp.int32(1)
    first = check(source, (good, scale, count), (bad, scale, count)).rewrites[0]
    assert "while" not in first.patterns and "flag" in first.patterns


KMEANS = """
def f(x, centers):
    labels = None
    for _ in range(10):
        nearest = jnp.argmin(((x[:, None] - centers[None]) ** 2).sum(-1), axis=1)
        if labels is not None and (nearest == labels).all():
            break
        labels = nearest
        mine = [(labels == j)[:, None] for j in range(centers.shape[0])]
        centers = jnp.stack([jnp.where(m, x, 0).sum(0) / jnp.maximum(m.sum(), 1) for m in mine])
    return centers, labels
"""


def test_what_is_none_in_the_first_round_of_a_loop_that_ends_by_it_is_an_array_as_long_as_the_argument():
    """`labels is not None and …` is no fact of the call there: Python's own `if` around the rest would be one round's."""
    points = jax.random.normal(jax.random.key(0), (12, 2))
    first = check(KMEANS, (points, points[:3]), (points * 2, points[4:6]), (points[:7], points[:2])).rewrites[0]
    assert "labels = jnp.zeros(x.shape[:1], int)" in first.source
    assert "has_labels & (labels" not in first.source  # set a line above
    assert "done = has_labels & (nearest == labels).all()" in first.source  # Python's own in the first round, then an array's


def test_whether_a_name_is_none_is_not_asked_again_behind_the_question():
    source = """
def f(x, tol):
    last = None
    for _ in range(30):
        x = jnp.cos(x)
        if last is not None and last == x:
            break
        last = x
    return x
"""
    first = check(source, (jnp.array(0.5), 0.1), (jnp.array(-2.0), 0.1)).rewrites[0]
    assert first.source.count("has_last &") == 1 and "done = has_last & (last == x)" in first.source


@pytest.mark.parametrize("value", ["len(edges)", "edges.sum() - v"])
def test_a_loop_with_an_else_that_returns_never_gives_none(value):
    """It was said of it that the result is -1 where plain Python reaches no return."""
    source = f"""
def f(v, edges):
    for i in range(len(edges)):
        if v < edges[i]:
            return i
    else:
        return {value}
"""
    calls = [(jnp.array(v), jnp.array([1.0, 2.0, 4.0])) for v in (1.5, 0.0, 9.0)]
    first = check(source, *calls).rewrites[0]
    assert "None" not in " ".join((*first.compared.differences, *first.compared.not_reached))


def test_a_loop_with_an_else_that_returns_after_more_than_one_line_gives_its_value_behind_the_loop():
    source = """
def f(x, t):
    for i, v in enumerate(x):
        if v > t:
            return v * 2
    else:
        rest = x.sum()
        return rest - t
"""
    first = check(source, (jnp.arange(4.0), 1.5), (jnp.arange(4.0), 9.0)).rewrites[0]
    assert "None" not in " ".join((*first.compared.differences, *first.compared.not_reached))


def test_a_break_at_the_top_is_asked_in_the_loops_test():
    """What the loop made in the round before stays: it is not made again in the round that breaks."""
    source = """
def f(x, most=100):
    error, count = 1e9, 0
    while error > 0.1:
        if count >= most:
            break
        y = x * 0.5
        error = y.sum()
        x = y + 0
        count += 1
    return y
"""
    x = jnp.arange(3.0)
    first = check(source, (x,), (x, 2), (x, 1), (10 * x, 3)).rewrites[0]
    assert "(error > 0.1) & (count < most)" in first.source


def test_a_loop_is_left_from_within_one_that_stands_in_it():
    source = """
def f(x, table):
    for row in range(3):
        for column in range(4):
            if table[row, column] > x:
                return row, column
    return -1, -1
"""
    table = jnp.arange(12.0).reshape(3, 4)
    check(source, (jnp.array(4.5), table), (jnp.array(-1.0), table), (jnp.array(10.0), table), (jnp.array(11.0), table))


def test_a_return_behind_a_loop_in_a_loop():
    """Newton's method with halved steps: no step is small enough."""
    source = """
def f(x):
    for k in range(6):
        y = x * x - 2
        if abs(y) < 1e-3:
            return x, k, True
        step = 1.0
        while step > 0.1:
            at = x - step * y / (2 * x)
            if abs(at * at - 2) < abs(y):
                break
            step = step * 0.5
        else:
            return x, k, False
        x = at
    return x, k + 1, False
"""
    check(source, *[(jnp.array(start),) for start in (1.0, 30.0, -1.5, 1e6, 1.4142135)])


def test_a_list_is_as_long_as_the_counter_that_is_moved_beside_it():
    """Systematic resampling: many rounds add nothing, and the list is full in the end."""
    source = """
def f(weights, u):
    n = len(weights)
    positions = (jnp.arange(n) + u) / n
    total = jnp.cumsum(weights)
    out = []
    i = j = 0
    while i < n:
        if positions[i] < total[j] or j == n - 1:
            out.append(j)
            i += 1
        else:
            j += 1
    return jnp.array(out)
"""
    weights = jnp.array([0.1, 0.2, 0.3, 0.4])
    check(source, (weights, 0.5), (weights[::-1], 0.1), (jnp.array([0.9, 0.1]), 0.9), (jnp.array([0.0, 0.0, 1.0]), 0.0))


def test_a_list_that_a_break_may_leave_short_is_not_taken_for_full():
    source = """
def f(x, limit):
    out = []
    i = 0
    while i < len(x):
        if x[i] > limit:
            break
        if x[i] > 0:
            out.append(x[i])
            i += 1
        else:
            x = x.at[i].add(1.0)
    return sum(out), len(out)
"""
    x = jnp.array([1.0, -0.5, 3.0, 9.0])
    check(source, (x, 5.0), (x, 20.0), (x, 0.5), (-x, 5.0))


@pytest.mark.parametrize("last", ["break", "k = k + 100\n            break", "continue"])
def test_what_stands_behind_a_loop_that_found_nothing_leaves_the_loop_around_it(last):
    """Newton's method with its step halved: the `else` of the inner loop belongs to the outer one."""
    source = f"""
def f(x, limit=8):
    k = 0
    for _ in range(limit):
        step = -(x * x - 2) / (2 * x)
        for j in range(4):
            new = x + 0.5**j * step
            if jnp.abs(new * new - 2) < 0.7 * jnp.abs(x * x - 2):
                x = new
                break
        else:
            {last}
        k += 1
    return x, k
"""
    check(source, *[(jnp.array(x),) for x in (3.0, 1.0, 0.05, -4.0)])
    check(source.replace("for _ in range(limit):", "while jnp.abs(x * x - 2) > 1e-3 and k < limit:"), (jnp.array(3.0),))


def test_whole_numbers_that_grow_by_a_share_are_floats_from_the_start():
    """With no round plain Python gives back the int that it was given: nothing was found, after all the time there is."""
    source = (
        "def f(balance, goal, rates, deposit=0):\n    years = 0\n    while balance < goal:\n"
        "        rate = rates[1] if balance > 5000 else rates[0]\n        balance += rate * balance\n"
        "        balance += deposit\n        years += 1\n    return years, balance\n"
    )
    rates = (0.03, 0.05)
    found = propose(define(source)["f"], (jnp.array(1000), jnp.array(1500), rates), {}, (), ()).rewrites[0]
    assert "always floats, where plain Python's branches give integers or floats" in found.compared.differences
    check(source, (jnp.array(1000), jnp.array(1500), rates), (jnp.array(4000), jnp.array(9000), (0.01, 0.5), jnp.array(300)))


def test_a_return_out_of_a_loop_in_a_loop():
    """What it returns is not known before, and what the function returns in the end stands for it."""
    source = """
def f(x, step=1.0):
    for it in range(4):
        t, fx = step, (x**2).sum()
        while ((x - t * x**3) ** 2).sum() > fx * (1 - 0.1 * t):
            t *= 0.5
            if t < 0.05:
                return x, fx, it
        x = x - t * x**3
    return x, (x**2).sum(), 4
"""
    check(
        source,
        (jnp.array([1.5, -0.5]),),
        (jnp.array([5.0, 1.0]),),
        (jnp.array([0.1]),),
        (jnp.array([3.0, 2.5]), 0.06),
        seconds=15,
    )


@pytest.mark.parametrize("given", ["x, i", "x, total, i", "{'x': x, 'i': i}", "x, total"])
def test_what_an_inner_loop_returns_stands_for_what_it_has_not_found_yet(given):
    """All its names, the outer loop's own among them, have a value before it."""
    source = f"""
def f(x):
    for i in range(6):
        total = jnp.sum(x ** 2)
        step = 1.0
        while jnp.sum((x - step) ** 2) > total:
            step *= 0.5
            if step < 1e-2:
                return {given}
        x = x - 0.3 * step
    at_last = jnp.sum(x ** 2)
    return {given.replace("total", "at_last" if given == "x, total" else "jnp.sum(x ** 2)")}
"""
    check(source, (jnp.array([1.0, 2.0, 0.5]),), (jnp.array([-1.0, 0.0]),), (jnp.array([9.0]),))


def test_two_returns_out_of_loops_in_each_other_are_answered_at_once():
    """A line search with both ways out: all ways that begin with nothing came first, and the time was up."""
    source = """
def f(x, step=1.0, tol=1e-2):
    for it in range(4):
        g = x**3
        if jnp.linalg.norm(g) < tol:
            return x, (x**2).sum(), it
        t, fx = step, (x**2).sum()
        while ((x - t * g) ** 2).sum() > fx * (1 - 0.1 * t):
            t *= 0.5
            if t < 0.05:
                return x, fx, it
        x = x - t * g
    return x, (x**2).sum(), 4
"""
    calls = [(jnp.array([1.5, -0.5]),), (jnp.array([5.0, 1.0]),), (jnp.array([0.1]),), (jnp.array([3.0, 2.5]), 0.06)]
    check(source, *calls, seconds=8)


MEETING = """
def drawn(key, a, b):
    x = a + jax.random.normal(key)
    if x * 0 + a == b:
        return x, x
    found = False
    while not found:
        key, sub = jax.random.split(key)
        y = b + jax.random.normal(sub)
        found = jnp.abs(y - a) > 1e-3 * jnp.abs(a - b) and a != b
    return x, y

def f(key, a, b):
    x, y = drawn(key, a, b)
    return x - y
"""


def test_a_loop_behind_a_return_runs_where_it_is_come_to_alone():
    """With both sides computed it has no end where plain Python returns before it; its first value is set in a round."""
    key = jax.random.PRNGKey(0)
    calls = [(key, jnp.array(a), jnp.array(b)) for a, b in ((4.0, -4.0), (1.0, 1.0), (0.0, 2.0))]
    patterns = check(MEETING, *calls, seconds=30.0).rewrites[0].patterns
    assert "cond" in patterns and "where" not in patterns


def test_both_sides_are_not_computed_where_one_is_a_loop_and_a_return():
    source = "def f(x):\n    if x <= 0:\n        return x\n    while x * x > 2:\n        x = x / 2\n    return x\n"
    patterns = offered(source, jnp.array(9.0))
    assert "cond" in patterns and "where" not in patterns


def test_a_loop_without_an_end_is_no_matter_of_rounding_where_both_sides_are_computed():
    """Should a rule compute both sides all the same, what has no end there is refused, and not put down to 32 bits."""
    source = MEETING.replace("def f(key, a, b):", "def f(key, a, b, scale=0.5):").replace(
        "(key, a, b)\n", "(key, scale * a, scale * b)\n"
    )
    args = (jax.random.PRNGKey(0), 4.0, -4.0, 0.8)
    with (
        mock.patch.object(returning, "may_have_no_end", lambda _: False),
        mock.patch.object(returning.Returning, "_is_bound_before", lambda *_: True),
    ):
        found = propose(define(source)["f"], args, {}, seconds=4.0)
    assert any("it takes too long" in each for each in found.obstacles), found
    assert not any("where" in each.patterns for each in found.rewrites)


def test_what_an_inner_loop_returns_is_not_computed_before_it_where_that_may_cost():
    """Or may be infinite in its derivative: a solution stands in the loop alone."""
    source = """
def f(x):
    for i in range(4):
        step = 1.0
        while jnp.sum((x - step) ** 2) > 2:
            step *= 0.5
            if step < 1e-2:
                return jnp.linalg.solve(jnp.diag(x), x)
        x = x - 0.3 * step
    last = x * 2
    return last
"""
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0]),), {})
    assert all(each.source.count("solve(") == 1 for each in found.rewrites)


@pytest.mark.parametrize("name", ["j", "k"])
def test_the_first_number_of_a_range_that_data_begins(name):
    """`next(…, -1)` over it is a loop that breaks; the name of its number is its own."""
    source = f"""
def f(x):
    top = 0
    for k, v in enumerate(x):
        if v > x[top]:
            top = k
    return next(({name} * 2 for {name} in range(top, len(x)) if x[{name}] < 2 and x[{name}] > 0), -1), top, k
"""
    x = jnp.array([1.0, 5.0, 3.0, 1.5, 7.0, 2.5, 1.0])
    found = check(source, (x,), (x[:5],), (-x,), (x[:2],), (x[:1],), seconds=10.0)
    assert "for" in found.rewrites[0].patterns
    assert "for" not in offered(source.replace(", -1), top", "), top"), x)
