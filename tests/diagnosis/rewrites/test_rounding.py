"""Numbers that rounding decides: compiled they may be others, and a rewrite is not wrong for that."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof.decimals import IN_DOUBLE
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.rounding import (
    BY_EQUALITY,
    IN_SINGLE,
    LATER,
    NEVER,
    ends_by_floats,
    explained_by_rounding,
    rounding_decides,
)
from jupyter_jitmagic.diagnosis.proof.verify import BY_ROUNDING, XLAS_NAN, Differs, compare
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.purity import impurity

from .helpers import applied, check, define

X = jnp.float32(0.5)


def signs(x):
    """As an optimizer's step by a gradient that is 0 but for rounding: its size is 1 whatever the gradient is."""
    return jnp.where((x * 1e6).astype(int) % 2 == 0, 1.0, -1.0)


def compared(fun, rewrite, uncompiled):
    plain = Plain(fun, [], {}, Variations((X,), {}, set()), 2.0)
    wrong = dict.fromkeys(("negated", "zero", "larger", "smaller", "noise", "reversed", "nan"), "")
    return compare(plain, lambda given: rewrite(*given.args), wrong, Deadline(2.0), None, lambda given: uncompiled(*given.args))


def test_compiling_alone_may_change_what_the_last_digits_decide():
    count, notes, _ = compared(signs, lambda x: -signs(x), signs)
    assert count and notes == (BY_ROUNDING,)


def test_what_the_same_operations_give_otherwise_is_wrong():
    with pytest.raises(Differs):
        compared(signs, lambda x: -signs(x), lambda x: -signs(x))


def test_what_the_last_digits_do_not_decide_is_wrong():
    with pytest.raises(Differs):
        compared(lambda x: x * 2, lambda x: x * 3, lambda x: x * 2)


def test_nan_that_jax_itself_leaves_out_of_a_maximum_refuses_no_rewrite():
    """On CPUs XLA's maximum of some thousand numbers leaves NaN out, without jit, too; NumPy's does not."""
    namespace = define("def f(x, t):\n    return x[x > t].max()\n")
    found = propose(namespace["f"], (jnp.sin(jnp.arange(2000.0)), 0.25), {})
    assert found.rewrites and found.rewrites[0].verified


def test_what_a_number_of_pythons_does_otherwise_is_no_rounding():
    """Under jit a number is an array: an answer that is another for this is wrong, however near it would be."""
    fun = define(
        "def f(x, y):\n    if isinstance(x, (int, float)):\n        x = x + 1\n    if x > y:\n        return x\n    return y\n"
    )["f"]
    assert not propose(fun, (2.0, 4.0), {}).rewrites


def test_what_arithmetic_of_pythons_raises_and_the_code_catches_is_chosen_where_it_would_be_raised():
    namespace = define(
        "def f(x, y):\n    if x > 1:\n        x = x * 2\n    try:\n        return x / y\n"
        "    except ZeroDivisionError:\n        return -1.0\n"
    )
    plain = namespace["f"]
    exec(propose(plain, (2.0, 4.0), {}).rewrites[0].source, namespace)
    fixed = jax.jit(namespace["f"])
    for x, y in ((2.0, 4.0), (2.0, 0.0), (0.5, 0.0), (0.5, -2.0)):
        assert fixed(x, y) == plain(x, y)


def test_where_64_bits_of_plain_python_decide_it_is_said():
    """0.7 of 32 bits is less than Python's 0.7: seven bins of 0.1 fill it with 32 bits alone."""
    bins = check("def f(x, w):\n    return int(float(x) / w)\n", (jnp.array(0.35), 0.1), seconds=20.0)
    assert IN_DOUBLE in bins.rewrites[0].compared.differences
    limit = check(
        "def f(x, y):\n    if float(x) > 0.1:\n        return y\n    return -y\n", (jnp.array(0.5), 2.0), seconds=20.0
    )
    assert IN_DOUBLE in limit.rewrites[0].compared.differences
    alike = check("def f(x, y):\n    if x > 0.1:\n        return y\n    return -y\n", (jnp.array(0.5), 2.0), seconds=20.0)
    assert alike.rewrites[0].compared.differences == ()


def test_edges_of_64_bits_are_said_where_no_number_met_one():
    """A number at an edge of NumPy's is on the other side of the same edge with 32 bits."""
    source = (
        "def f(x, n):\n    edges = np.linspace(float(x.min()), float(x.max()), n + 1)\n    best = -1\n    where = 0\n"
        "    for k in range(n):\n        count = ((x >= edges[k]) & (x < edges[k + 1])).sum()\n"
        "        if count > best:\n            best, where = count, k\n    return where\n"
    )
    found = check(source, (jnp.array([0.3, -1.2, 0.9, 2.3]), 3), static=("n",), seconds=20.0)
    assert IN_DOUBLE in found.rewrites[0].compared.differences


def test_what_is_no_rounding_at_a_limit_is_refused():
    def turned(x, limit):
        return jnp.where(x == jnp.float32(0.7), 5.0, jnp.where(x > limit, 1.0, 0.0))

    def straight(x, limit):
        return jnp.where(x > limit, 1.0, 0.0)

    fun, given = define("def f(x, limit):\n    return 1.0 if float(x) > limit else 0.0\n")["f"], (jnp.array(0.5), 0.1)
    nan = {"nan": ""}

    def notes(rewrite):
        plain = Plain(fun, impurity(fun, given)[1], {}, Variations(given, {}, set()), 20.0)
        return compare(plain, lambda each: jax.jit(rewrite)(*each.args), nan, Deadline(20.0))[1]

    assert IN_DOUBLE in notes(straight)
    with pytest.raises(Differs, match="decimal"):
        notes(turned)


def test_what_rounding_decides_in_one_part_excuses_no_other():
    """Another number of the result was excused by a part in which the last digits decide."""

    def fun(x):
        return jnp.sin(x * 1e8), 2 * x

    def rewrite(given):
        (x,) = given.args
        return jnp.sin(x * 1e8), x * (2 if given.kind == "call" else 3)

    plain = Plain(fun, [], {}, Variations((X,), {}, set()), 2.0)
    with pytest.raises(Differs, match="differs on"):
        compare(plain, rewrite, {}, Deadline(2.0))


def test_what_no_time_is_left_for_is_not_put_down_to_rounding():
    """A run that was stopped by its time gives no result, as one that fails: a wrong number passed, unsaid."""
    given = Variations((X,), {}, set()).call()
    for was_stopped in (True, False):
        decides = explained_by_rounding(lambda _: None, lambda _, known=was_stopped: known, [], [given], X, 2 * X)
        assert decides is not was_stopped


@pytest.mark.parametrize("seconds", [2.0, 0.0])
def test_the_last_digits_are_asked_for_where_the_time_for_varied_inputs_is_over(seconds):
    def asked(fun):
        plain = Plain(fun, [], {}, Variations((X,), {}, set()), 2.0)
        given = next(each for each in plain.variations.core() if each.kind != "call")
        plain.run(plain.variations.call(), first=True)
        plain._deadline = Deadline(seconds)
        (want,) = plain.run(given, seconds=1.0)
        return rounding_decides(plain, given, want + 0.01, want)

    assert asked(lambda x: jnp.sin((x + 1) * 1e8)) and not asked(lambda x: 2 * x)


def test_nan_that_compiling_alone_takes_for_a_number_is_said_of_loops_as_well():
    """XLA leaves out what is multiplied by False; a program with loops is run by NumPy for that, not by JAX without jit."""

    def fun(x):
        return x * 2

    nan = dict.fromkeys(("negated", "zero", "larger", "smaller", "noise", "reversed"), "")

    def notes(by_numpy):
        plain = Plain(fun, [], {}, Variations((jnp.ones(3),), {}, set()), 2.0)
        return compare(plain, lambda given: jnp.nan_to_num(fun(*given.args)), nan, Deadline(2.0), by_numpy)[1]

    assert notes(lambda given: fun(*given.args)) == (XLAS_NAN,)
    with pytest.raises(Differs):
        notes(lambda given: fun(*given.args) + 1)


STEPS = "def f(y, b, h):\n    t = 0.0\n    while t < b:\n        y = y - 0.5 * h * y\n        t += h\n    return y\n"


def test_a_loop_that_adds_up_steps_is_said_to_count_in_32_bits():
    """With steps of 0.25 it goes as often; with steps of 0.1 plain Python goes eleven times to 1.0 and compiled code ten."""
    found = propose(define(STEPS)["f"], (1.0, 1.0, 0.25), {})
    assert IN_SINGLE in found.rewrites[0].compared.differences


def test_a_loop_that_goes_otherwise_in_32_bits_is_shown_with_the_reason():
    """Nothing was found, without a reason; it is not verified, as it gives other numbers on this very call."""
    found = propose(define(STEPS)["f"], (1.0, 1.0, 0.1), {})
    assert not found.rewrites
    (shown,) = found.unverified
    assert "its numbers have 32 bits" in shown.reason and "0.59874 instead of 0.5688" in shown.reason


def test_a_loop_over_whole_steps_is_said_to_differ_in_nothing():
    """Its limit is an array's, and so is what is counted."""
    source = "def f(x, b):\n    t = jnp.zeros(())\n    while t < b:\n        t = t + 1\n    return x * t\n"
    found = propose(define(source)["f"], (jnp.ones(2), jnp.array(3.0)), {})
    assert IN_SINGLE not in found.rewrites[0].compared.differences


def test_a_step_that_is_left_out_counts_in_32_bits_as_well():
    found = propose(define(STEPS.replace(", h)", ", h=0.05)"))["f"], (1.0, 2.0), {})
    assert not found.rewrites and "its numbers have 32 bits" in found.unverified[0].reason


def test_a_count_of_rounds_that_a_tolerance_ends_by_a_break_is_said_to_differ_perhaps():
    """The comparison stands in the body of the compiled loop, and a flag in its test."""
    source = (
        "def f(x, tol):\n    n = 0\n    while True:\n        new = 0.5 * (x + 2.0 / x)\n        n += 1\n"
        "        if jnp.abs(new - x).max() < tol:\n            break\n        x = new\n    return new, n\n"
    )
    found = check(source, (jnp.array([1.0, 3.0]), 1e-3)).rewrites[0]
    assert any(said.startswith(LATER) for said in found.compared.differences)


@pytest.mark.parametrize(
    ("numbers", "decides"), [([0.1, 0.2, 0.05, 0.35], True), ([1.0, 2.0, 0.5, 3.5], False), ([0.0, 0.0, 0.3, 0.3], False)]
)
def test_rounding_decides_between_sums_and_what_they_are_compared_with(numbers, decides):
    """One factor for all numbers keeps such an equality; equal numbers and exact sums stay equal whatever rounds."""

    def is_above(x):
        return x[0] + x[1] + x[2] > x[3]

    plain = Plain(is_above, [], {}, Variations((jnp.array(numbers),), {}, set()), 2.0)
    want = is_above(jnp.array(numbers))
    assert rounding_decides(plain, plain.variations.call(), ~want, want) is decides


def test_arrays_of_numpy_are_what_rounding_decides_only_where_their_numbers_change():
    """Two of 64 bits were taken for different ones, so that any difference from such a result was one of rounding."""
    plain = Plain(lambda x: np.asarray(x, np.float64) * 2, [], {}, Variations((jnp.arange(3.0),), {}, set()), 2.0)
    given = plain.variations.call()
    assert not rounding_decides(plain, given, jnp.arange(3.0), plain.run(given)[0])


ROOT = """
def f(x0, f_tol=1e-6, max_iter=50):
    x = x0
    for it in range(max_iter):
        fx = x**3 - 2 * x - 5
        if abs(fx) < f_tol:
            break
        x = x - fx / (3 * x**2 - 2)
    else:
        return jnp.nan, max_iter
    return x, it
"""


@pytest.mark.parametrize("tolerance", [1e-6, 1e-5, 1e-3])
def test_what_is_verified_on_the_call_is_what_the_users_own_jit_gives(tolerance):
    """XLA's quickest code met this tolerance, and the code of the user's jit did not: NaN after fifty rounds, and called equal.
    Which processors round so is theirs; where the loop ends, nothing else may be verified."""
    namespace = define(ROOT)
    want = namespace["f"](2.0, tolerance)
    found = propose(namespace["f"], (2.0, tolerance), {}, seconds=10.0)
    assert found.rewrites or found.unverified
    if found.rewrites:
        with applied(found, namespace):
            got = jax.jit(namespace["f"], static_argnames=found.rewrites[0].static_argnames)(2.0, tolerance)
        assert jnp.allclose(got[0], want[0], rtol=1e-4) and abs(int(got[1]) - want[1]) <= 2


def test_programs_whose_loops_end_by_floats_are_compiled_as_the_users_are():
    """A flag in a scan ends one, too; a count does not."""

    def until(x):
        return jax.lax.while_loop(lambda x: abs(x) > 1e-3, lambda x: x / 2, x)

    def flagged(x):
        def halved(carry, _):
            x, done = carry
            done = done | (abs(x) < 1e-3)
            return (jnp.where(done, x, x / 2), done), None

        return jax.lax.scan(halved, (x, False), None, length=9)[0][0]

    def counted(x):
        return jax.lax.fori_loop(0, 9, lambda k, x: jnp.where(x > 1.0, x / 2, x), x)

    assert [ends_by_floats(jax.make_jaxpr(f)(1.0)) for f in (until, flagged, counted, jnp.sin)] == [True, True, False, False]


def test_a_vector_that_turns_round_in_each_round_is_another_where_rounding_ends_the_loop_a_round_later():
    """Its last sign goes by the number of rounds, which is rounding's: the answer says so, and is one."""
    source = """
def f(A, n_iter=100, tol=1e-6):
    v = jnp.ones(len(A)) / jnp.sqrt(len(A))
    last = jnp.inf
    for _ in range(n_iter):
        w = A @ v
        v = w / jnp.linalg.norm(w)
        value = v @ A @ v
        if abs(value - last) < tol:
            break
        last = value
    return value, v
"""
    found = propose(define(source)["f"], (jnp.array([[2.0, 1.0], [1.0, 3.0]]),), {}, (), seconds=30)
    assert found.rewrites, found
    said = found.rewrites[0].compared.differences
    assert any("rounding may end the loop" in each for each in said) and not any("whole numbers" in each for each in said)


def test_whole_numbers_that_rounding_decides_are_those_of_numpy_or_of_jax():
    """Of 10 / 12 * 255 JAX itself may make 213 where NumPy has 212: a rewrite with the same operations may give either."""

    def levels(n):
        return jnp.round(n / 12 * 255).astype(int)

    own = levels(jnp.array([3, 10]))

    def told(by, by_numpy):
        plain = Plain(levels, [], {}, Variations((jnp.array([3, 10]),), {}, set()), 2.0)

        def rewrite(given):
            made = levels(*given.args)
            return made.at[1].add(by) if given.kind == "call" else made

        plainly = (own.at[1].add(by_numpy),)
        with mock.patch.object(plain, "uncompiled", lambda given, seconds: plainly if given.kind == "call" else None):
            return BY_ROUNDING in compare(plain, rewrite, {}, Deadline(2.0))[1]

    assert told(-1, -1)
    for by, by_numpy in ((-1, 0), (-1, -2), (-2, -2), (-60, -60)):
        with pytest.raises(Differs):
            told(by, by_numpy)


def test_a_total_that_gets_to_one_in_double_precision_alone_is_said():
    """Drawing by inversion: with u = 1 plain Python's sum of probabilities rounds up to it, a compiled one never does."""
    source = """
def f(u):
    rate, k, p = 3.0, 0, math.exp(-3.0)
    total = p
    while u > total:
        k += 1
        p *= rate / k
        total += p
    return k
"""
    proposals = check(source, (jnp.array(0.7),), (jnp.array(0.01),), (jnp.array(0.99),))
    assert any(NEVER in each for each in proposals.rewrites[0].compared.differences)


BY_HAND = "def f(x):\n    n = len(x)\n    mean = x.sum() / n\n    spread = ((x - mean) ** 2).sum()\n    if spread == 0:\n"
EQUAL = {
    "a spread by hand": BY_HAND + "        return x\n    return x / spread\n",
    "a product beside a number": "def f(x):\n    if x[0] * 0.1 - x[1] != 0:\n        return x\n    return -x\n",
    "in a loop": (
        "def f(x):\n    v, n = x[0], 0\n    while v > 1:\n        if v * 0.3 - 0.9 == 0:\n            n += 1\n"
        "        v = v / 2\n    return n\n"
    ),
}
NOT_BY_ROUNDING = {
    "JAX's own spread": "def f(x):\n    if x.std() == 0:\n        return x\n    return x / x.std()\n",
    "a length": "def f(x):\n    norm = jnp.sqrt((x * x).sum())\n    if norm == 0:\n        return x\n    return x / norm\n",
    "a helper's, compiled in plain Python as well": (
        "@jax.jit\ndef is_near(x):\n    return x[0] * 0.1 - x[1] == 0\n\ndef f(x):\n    return x if is_near(x) else -x\n"
    ),
    "whole numbers": "def f(x):\n    k = jnp.round(x[0]).astype(int)\n    return x if k * 3 - 2 == 1 else -x\n",
    "an order": "def f(x):\n    return x if x[0] * 0.1 - x[1] > 0 else -x\n",
}


@pytest.mark.parametrize("source", EQUAL.values(), ids=EQUAL)
def test_that_rounding_may_decide_whether_computed_floats_are_equal_is_said(source):
    """`var == 0` took the other branch: XLA multiplies by 1 / 20, and takes the product unrounded into the difference."""
    x = jnp.array([2.0, 5.0, 3.0])
    found = check(source, (x,), (-x,), (x[:2],))
    assert BY_EQUALITY in found.rewrites[0].compared.differences


@pytest.mark.parametrize("source", NOT_BY_ROUNDING.values(), ids=NOT_BY_ROUNDING)
def test_of_what_is_computed_alike_nothing_is_said(source):
    x = jnp.array([2.0, 5.0, 3.0])
    found = check(source, (x,), (-x,), (x[:2],))
    assert BY_EQUALITY not in found.rewrites[0].compared.differences
