"""Where plain Python raises and compiled code goes on, and where a rewrite gives up an input on purpose: both are said."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof.raising import raised
from jupyter_jitmagic.diagnosis.rewrites import judging, propose
from jupyter_jitmagic.diagnosis.uncompiled.shared import ReadLater

from .helpers import applied, check, define

X = jnp.array([-0.5, 0.1, 0.75, 0.25])


@pytest.fixture(autouse=True)
def time_for_other_calls(monkeypatch):
    """What is tried must not depend on how busy the machine is."""
    monkeypatch.setattr(judging, "OTHERS_WITHIN", 60.0)


def told(source, *args):
    """What the first rewrite's comparison says of differences."""
    (first, *_) = propose(define(source)["f"], args, {}, seconds=240.0).rewrites
    return first.compared.differences, first.compared.not_reached


@pytest.mark.parametrize(
    ("body", "argument", "said"),
    [
        (
            "    r = 1 / a\n    return x * r if x.sum() > 0 else x\n",
            2.0,
            "ZeroDivisionError in line 8",
        ),
        ("    return x * math.sqrt(a)\n", 2.0, "ValueError in line 8"),
        ("    return x * math.log(a)\n", 2.0, "ValueError in line 8"),
        ("    kinds = [1, 3, 5]\n    return x * kinds.index(a)\n", jnp.array(3), "ValueError in line 9"),
        ("    return x if 7 % a == 0 else -x\n", 2, "ZeroDivisionError in line 8"),
        ("    return x / (1 + math.exp(a * float(x[0])))\n", 2.0, "OverflowError in line 8"),
    ],
)
def test_an_exception_that_is_lost_is_said(body, argument, said):
    """Each argument is varied: where plain Python raised on one of them, the answer names the exception and its line."""
    differences, _ = told(f"def f(x, a):\n{body}", X, argument)
    assert any(f"where plain Python raises {said}" in each for each in differences)


def test_an_index_past_the_end_of_what_is_no_array_of_jaxs_is_said():
    """NumPy raises there, and compiled code takes the nearest element; JAX's own arrays do that in plain Python as well."""
    source = "def f(x, i):\n    v = x[int(i)]\n    return v if v > 0 else -v\n"
    said = " ".join(told(source, np.asarray(X), 2)[0])
    assert "where plain Python raises IndexError in line 8" in said
    assert told(source, X, 2)[0] == ()


def test_of_several_numbers_each_is_moved_alone():
    """All of them negated give the same quotient."""
    source = "def f(s, k, t):\n    if t <= 0:\n        return s - k\n    return math.log(s / k) / math.sqrt(t)\n"
    said = " ".join(told(source, 1.0, 1.1, 0.5)[0])
    assert "ZeroDivisionError in line 10" in said and "ValueError in line 10" in said


def test_a_check_whose_message_is_printed_is_said_once():
    differences, _ = told("def f(x, a):\n    assert a > 0, 'positive'\n    return x * a\n", X, 2.0)
    assert len(differences) == 1 and "compiled code cannot raise" in differences[0]


def test_nothing_is_said_where_plain_python_raises_nowhere():
    assert told("def f(x, a):\n    return x * math.exp(-a * a)\n", X, 2.0) == ((), ())


def test_pieces_that_overlap_are_driven_and_said_to_differ():
    """`i > j` makes a longer array in Python: that is no matter of inputs that were not reached."""
    source = "def f(r, i, j):\n    return jnp.concatenate([r[:i], r[i:j][::-1], r[j:]])\n"
    differences, not_reached = told(source, X, jnp.array(1), jnp.array(3))
    overlap = "pieces that overlap or leave a gap, which make a longer or shorter array"
    assert overlap in differences and overlap not in not_reached


def test_a_mask_that_lets_nothing_through_is_tried():
    differences, _ = told("def f(m):\n    return jnp.nonzero(m)[0][-1]\n", jnp.array([True, False, True]))
    assert any("where plain Python raises IndexError in line 8" in each for each in differences)


def test_a_negative_bound_is_driven_where_a_rewrite_gives_it_up():
    differences, not_reached = told("def f(x, k):\n    return x[k:].mean()\n", X, jnp.array(2))
    negative = "a negative bound, which counts from the end in Python"
    assert negative in differences and negative not in not_reached
    exact = told("def f(x, k):\n    return x[-k:].mean()\n", X, jnp.array(2))
    assert all(negative not in each for each in exact)  # right for each k, and compared there


def test_a_window_whose_bounds_are_both_negative_is_driven_and_said_to_differ():
    """`x[i - w : i + w + 1]` with an i that counts from the end: the place of its start is right, that of its end is not."""
    source = "def f(x, i, w):\n    return x[i - w : i + w + 1].mean()\n"
    x = jnp.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    differences, not_reached = told(source, x, jnp.array(4), jnp.array(2))
    negative = "a negative bound, which counts from the end in Python"
    assert negative in differences and negative not in not_reached
    source = "def f(x, w):\n    i = jnp.argmax(x)\n    return x[i - w : i + w + 1].sum()\n"
    assert negative in told(source, x, jnp.array(2))[0]  # where the largest number stands at the beginning


def test_what_is_counted_back_from_the_place_of_the_largest_is_below_0_where_that_stands_first():
    """No other input brings the peak to the beginning, where plain Python counts from the end: the rewrite has to as well."""
    source = "def f(x, k):\n    i = jnp.argmax(x)\n    return jnp.where(x.max() > k, x[: i - 2].sum() / x.max(), jnp.nan)\n"
    t = jnp.linspace(-3.0, 3.0, 200)
    x = jnp.sin(t) + 0.01 * jnp.cos(37 * t)
    for each in (x, jnp.round(100 * x).astype(int)):
        namespace = define(source)
        found = propose(namespace["f"], (each, 0.5), {}, seconds=240.0)
        first = each.at[0].set(each.max() + 1)
        want = namespace["f"](first, 0.5)
        with applied(found, namespace):
            assert np.allclose(jax.jit(namespace["f"])(first, 0.5), want)


def test_a_number_of_pythons_beside_an_array_of_few_bits_is_said_to_fail():
    """`lax.cond` has one type for both branches: 0.0 is of 32 bits."""
    source = "def f(x):\n    s = x.sum()\n    if s == 0:\n        return 0.0\n    return (x * x).sum() / s\n"
    first = propose(define(source)["f"], (X,), {}, seconds=240.0).rewrites[0]
    fails = any("it fails on arrays of float16" in each for each in first.compared.differences)
    assert fails == ("cond" in first.patterns)


def test_a_number_of_32_bits_beside_arrays_of_few_is_said_to_fail():
    """Weights of float16 and a limit that is an array of its own: one branch is of 32 bits then."""
    source = "def f(x, most):\n    n = jnp.sqrt((x * x).sum())\n    if n > most:\n        x = x / n * most\n    return x\n"
    first = propose(define(source)["f"], (X, 1.0), {}, seconds=240.0).rewrites[0]
    fails = any("beside numbers that are arrays of float32" in each for each in first.compared.differences)
    assert fails == ("cond" in first.patterns)


def test_data_may_decide_how_many_bits_a_float_has():
    """A bound that is an array of float32 where the other branch is of float16: plain Python's own type depends on data."""
    source = "def f(x, a):\n    if x.sum() > 0:\n        r = a\n    else:\n        r = x.mean()\n    return r * 2\n"
    assert propose(define(source)["f"], (X.astype(jnp.float16), 1.5), {}).rewrites


def test_other_callers_of_a_changed_helper_are_named():
    """What calls it with the int of a size may not take what the helper gives now."""
    source = (
        "def bound(v, most):\n    return most if v > most else v\n\n"
        "def zeros(n):\n    return jnp.zeros(bound(n, 8))\n\n"
        "def unlike(n):\n    return n\n\n"
        "def f(x, most):\n    return x * bound(x.sum(), most)\n"
    )
    _, not_reached = told(source, X, 2.0)
    assert not_reached == ("zeros, which calls bound as well",)


def test_what_is_differentiated_is_no_other_caller_of_its_helper():
    """`jax.grad(total)` is a call of `total`: it was named as one that was not reached."""
    source = (
        "import jax\n\ndef bound(v, most):\n    return most if v > most else v\n\n"
        "def total(x, most):\n    return bound(x.sum(), most)\n\nf = jax.value_and_grad(total)\n"
    )
    _, not_reached = told(source, X, 2.0)
    assert not any("total" in each for each in not_reached)


IN_A_LOOP = """def f(caps):
    s = 0.0
    for i, c in enumerate(caps):
        if c < 0:
            msg = f"bad {i}"
            raise ValueError(msg)
        s += c
    return s
"""
CHAIN = """def f(v, m):
    if v <= 0:
        raise ValueError("v")
    elif m <= 0:
        raise ValueError("m")
    else:
        return v * m
"""


def test_a_message_in_a_variable_is_the_message():
    """`msg = f"…"` before `raise E(msg)`, as many write it; the check in the loop keeps what it says."""
    (first, *_) = propose(define(IN_A_LOOP)["f"], (abs(X),), {}, seconds=240.0).rewrites
    assert 'jax.debug.print("bad {i}", i=i)' in first.source
    other = IN_A_LOOP.replace("ValueError(msg)", "ValueError(text)").replace("f(caps)", "f(caps, text='t')")
    (first, *_) = propose(define(other)["f"], (abs(X),), {}, seconds=240.0).rewrites
    assert "bad" not in first.source.split("debug.print")[1].split("\n")[0], "what is raised says something else"


def test_checks_in_a_chain_with_the_result_behind_them_mark_it():
    """`elif` after a `raise` is an `if`: the result is NaN where any of them fails, also where the call does not reach it."""
    (first, *_) = propose(define(CHAIN)["f"], (2.0, 3.0), {}, seconds=240.0).rewrites
    space = define(CHAIN)
    exec(first.source, space)
    given = jax.jit(space["f"])
    assert float(given(2.0, 3.0)) == 6.0
    assert jnp.isnan(given(-2.0, 3.0)) and jnp.isnan(given(2.0, 0.0)) and jnp.isnan(given(-1.0, -1.0))


def test_a_float_that_no_int_of_jits_holds_is_not_tried_as_one():
    """1e17 as a Python int is refused by jit itself, which is no word about the rewrite."""
    fun = define("def f(v):\n    if v <= 0:\n        raise ValueError('v')\n    return v / 2\n")["f"]
    assert propose(fun, (1e17,), {}, seconds=240.0).rewrites


def test_a_check_at_the_end_of_each_round_ends_the_loop():
    """`msg = "…"`, then `raise E(msg.format(n))`, as numerical libraries have it: a flag says that it failed, and the string is
    no part of what the loop carries."""
    source = (
        "def f(x, tol, n):\n    k, d = 0, 1.0\n    while d > tol:\n        x = x / 2\n        d = jnp.max(jnp.abs(x))\n"
        "        k += 1\n        if k > n:\n            msg = 'no end after {} rounds'\n"
        "            raise ValueError(msg.format(k))\n    return x\n"
    )
    space = define(source)
    (first, *_) = propose(space["f"], (X, 0.1, 20), {}, seconds=240.0).rewrites
    assert first.verified and "failed = k > n" in first.source
    plain = define(source)["f"]
    exec(first.source, space)
    given = jax.jit(space["f"])
    for tol in (0.1, 0.3, 2.0):
        np.testing.assert_allclose(given(X, tol, 20), plain(X, tol, 20), rtol=1e-6)
    assert jnp.isnan(given(X, 1e-3, 3)).all()


def test_a_count_is_not_marked_as_a_float_is():
    """NaN would make 3 a 3.0: where the check fails, its message is printed."""
    source = (
        "def f(x, t):\n    k = 0\n    for v in x:\n        if v > t:\n            k += 1\n    if k > 3:\n"
        "        raise ValueError('many')\n    return k\n"
    )
    (first, *_) = propose(define(source)["f"], (X, 0.2), {}, seconds=240.0).rewrites
    assert "jax.debug.print" in first.source and "nan" not in first.source


def test_a_case_that_never_holds_is_one_that_raises():
    """`assert False, "…"` in the other branch says what `raise` would."""
    source = (
        "def f(x, t):\n    m = x <= t\n    if jnp.any(m):\n        last = x[m][-1]\n    else:\n"
        "        assert False, 'no point is low'\n    return last * 2\n"
    )
    (first, *_) = check(source, (X, 0.1), (X[::-1], 0.5)).rewrites
    assert 'jax.debug.print("no point is low")' in first.source and "assert" not in first.source


def test_an_elif_that_raises_is_a_check_of_what_follows():
    source = (
        "def f(a, b):\n    if a == 0:\n        return b\n    elif a * b > 9:\n        raise ValueError('large')\n"
        "    else:\n        while b > 1.0:\n            b = b / 2\n        return b + a\n"
    )
    first = check(source, (jnp.array(1.0), jnp.array(4.0)), (jnp.array(0.0), jnp.array(2.0)), (jnp.array(3.0), jnp.array(0.5)))
    assert "invalid" in first.rewrites[0].source


def test_what_a_run_of_ours_does_not_know_is_told_of_no_plain_python():
    """An array that another name has changed holds nothing for such a run; NumPy's would."""
    assert raised(ReadLater("it is read later"), []) is None
    assert raised(ZeroDivisionError("division by zero"), []) is not None


LIFT = """
def f(alpha, angles, outside="clip"):
    too_far = (alpha < angles[0]) | (alpha > angles[-1])
    if too_far.any():
        if outside == "raise":
            raise ValueError(f"{too_far.sum()} angles lie outside")
        elif outside == "nan":
            alpha = jnp.where(too_far, jnp.nan, alpha)
    return alpha * 2
"""


@pytest.mark.parametrize("outside", ["nan", "clip"])
def test_what_an_option_raises_for_data_is_printed_with_that_option(outside, capfd):
    far, near = jnp.array([-2.0, 4.0, 12.0]), jnp.array([1.0, 2.0])
    angles = jnp.array([0.0, 10.0])
    found = check(LIFT, (far, angles, outside), (near, angles, "raise"), (far, angles, "nan"), static=("outside",)).rewrites[0]
    assert any("compiled code cannot raise" in said for said in found.compared.differences)
    space = define(LIFT)
    exec(compile(found.source, "<rewrite>", "exec"), space)
    jax.block_until_ready(jax.jit(space["f"], static_argnames="outside")(far, angles, "raise"))
    jax.effects_barrier()
    assert "2 angles lie outside" in capfd.readouterr().out


def test_a_word_for_which_this_data_raises_is_tried_with_other_data():
    """Plain Python raises for it on the call's own arrays alone: a rewrite that always does is told of."""
    source = """
def f(alpha, angles, outside="clip"):
    too_far = (alpha < angles[0]) | (alpha > angles[-1])
    if too_far.any():
        if outside == "raise" and True:
            raise ValueError("outside")
        alpha = jnp.clip(alpha, angles[0], angles[-1])
    return alpha * 2
"""
    space = define(source)
    found = propose(space["f"], (jnp.array([-2.0, 4.0]), jnp.array([0.0, 10.0]), "clip"), {}, (), ("outside",), seconds=240.0)
    assert found.rewrites, found
    assert all(any("raise" in said for said in each.compared.differences) for each in found.rewrites), found
