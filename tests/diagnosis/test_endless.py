"""Loops of plain Python without an end are told by what they go by, before their time is up."""

from __future__ import annotations

import ast
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof import endless
from jupyter_jitmagic.diagnosis.proof.endless import Rounds, read_and_counted
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.plain import MANY_MORE, MOST_OPERATIONS, Plain
from jupyter_jitmagic.diagnosis.uncompiled.programs import Watch
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited
from jupyter_jitmagic.sandbox.purity import impurity

PLACE = ("file", 1)


def told(first, following, names=("x",), counters=()):
    """The round in which a loop over `x` is told to be endless; None where it is not within 200."""
    rounds = Rounds()
    x = first
    for n in range(200):
        if rounds.repeats(PLACE, sys._getframe(), (*names, "n"), (*counters, "n")):
            return n
        x = following(x)
    return None


@pytest.mark.parametrize(
    ("first", "following"),
    [
        (jnp.float32(np.nan), lambda x: x * 2),
        (jnp.float32(1.0), lambda x: x * 0.5),
        (1.0, lambda x: -x),
        ({"w": [np.ones(2), (1, None)]}, lambda x: {"w": [np.ones(2), (1, None)]}),
        ("a", lambda x: x),
    ],
)
def test_what_does_not_change_any_more_has_no_end(first, following):
    """NaN, what has become 0, what goes back and forth, containers made anew."""
    assert told(first, following) is not None


@pytest.mark.parametrize(
    ("first", "following"),
    [
        (0, lambda x: x + 1),
        (jnp.arange(3), lambda x: x + 1),
        (np.arange(3), lambda x: np.add(x, 1, out=x)),
        ([], lambda x: x.append(1) or x),
        (iter(range(1000)), lambda x: x),
        ([1.0].pop, lambda x: x),
        (object(), lambda x: x),
    ],
)
def test_what_changes_or_cannot_be_compared_may_end(first, following):
    """Numbers, arrays changed in place, lists that grow, iterators, what takes from a list, objects."""
    assert told(first, following) is None


def test_what_is_only_added_to_and_never_read_decides_nothing():
    """The number of rounds goes on for ever beside a value that stays."""
    found = read_and_counted(ast.parse("while abs(x) > tol:\n    x = f(x)\n    n += 1\n    total += x").body[0])
    assert found == (("abs", "f", "n", "tol", "total", "x"), ("n", "total"))
    read = read_and_counted(ast.parse("while abs(x) > tol and n < 9:\n    x = f(x)\n    n += 1").body[0])
    assert read[1] == ()


def test_what_a_function_of_its_own_reads_is_compared():
    """`n` is only added to in the loop, and a function that is called there reads it."""
    rounds = Rounds()
    n = 0

    def late():
        return n > 150

    ended = False
    while not late() and not ended:
        ended = rounds.repeats(PLACE, sys._getframe(), ("late", "n"), ("n",))
        n += 1
    assert n > 150


def test_a_loop_that_is_asked_for_its_rounds_may_do_the_same_in_each():
    """Who asks ends it."""
    assert read_and_counted(ast.parse("while True:\n    yield x").body[0]) is None


def test_another_call_of_the_same_loop_is_another_loop():
    """Recursion begins with what the caller's round began with."""
    rounds = Rounds()

    def down(depth):
        x = 1
        found = rounds.repeats(PLACE, sys._getframe(), ("x",), ())
        return found or (depth > 0 and down(depth - 1)) or x == 2

    assert not down(100)


def until_small(x, limit):
    rounds = 0
    while jnp.sum(x**2) > limit:
        x = x * 0.5
        rounds += 1
    return x, rounds


def plain_of(fun, *args):
    _, units = impurity(fun, args, {})
    plain = Plain(fun, units, {}, Variations(args, {}, set()), 60.0)
    assert plain.agrees()
    return plain


def test_a_varied_input_whose_loop_has_no_end_is_left_out():
    """Below 0 no sum of squares comes: the values are 0 after some 150 rounds, and stay so."""
    plain = plain_of(until_small, jnp.array([3.0, 4.0]), 2.0)
    negated = plain.variations.replaced({1: -2.0}, "negated")
    assert plain.uncompiled(negated, 60.0) is None and plain.too_slow
    longer = plain.variations.replaced({1: 1e-6}, "smaller")
    assert int(plain.uncompiled(longer, 60.0)[0][1]) > 10


def test_a_varied_input_may_take_so_many_operations_on_every_machine():
    """Not a time alone: the inputs that are compared are the same on a slow machine."""
    plain = plain_of(counting, jnp.float32(3.0))
    few = plain.variations.replaced({0: jnp.float32(30.0)}, "larger")
    many = plain.variations.replaced({0: jnp.float32(1e6)}, "larger")
    assert float(plain.uncompiled(few, 60.0)[0]) == 30
    assert plain.uncompiled(many, 60.0) is None and plain.too_slow
    assert plain.operations < MOST_OPERATIONS + MANY_MORE * 100


def counting(x):
    at = jnp.float32(0.0)
    while at < x:
        at = at + 1
    return at


def test_too_many_operations_end_a_run():
    watch = Watch(Deadline(60.0), 100)
    with pytest.raises(OutOfTime):
        for _ in range(200):
            watch.tick()
    assert watch.operations <= 120


def rounds_of_plain_python(x):
    for _ in range(50):
        x = x * 0.5 + 1
    return x


def test_a_slow_run_of_the_call_itself_takes_no_time_from_the_others():
    """JAX may need long for what NumPy does at once; without patience nothing is known of other inputs."""
    _, units = impurity(rounds_of_plain_python, (jnp.ones(3),), {})
    variations = Variations((jnp.ones(3),), {}, set())
    assert not Plain(rounds_of_plain_python, units, {}, variations, 0.0).agrees()
    assert Plain(rounds_of_plain_python, units, {}, variations, 0.0, patience=60.0).agrees()


def test_a_run_that_is_long_for_what_it_compiles_is_made_once_more():
    """Slices of another size in each round: NumPy does them at once, and what JAX has compiled it need not compile again."""

    def slices_of_each_size(x):
        total = x[0] * 0
        for k in range(1, 9):
            total = total + x[:-k].sum() * x[k:].max()
        return total

    given = (jnp.arange(1017.0) / 1017,)
    _, units = impurity(slices_of_each_size, given, {})
    plain = Plain(slices_of_each_size, units, {}, Variations(given, {}, set()), 5.0, patience=1e-4)
    plain._deadline = Deadline(0.0)
    assert limited(60.0, plain.agrees) and plain.failed is None


@pytest.mark.parametrize(("grows", "looked"), [(True, False), (False, True)])
def test_a_list_that_grows_in_every_round_is_not_kept(grows, looked, monkeypatch):
    """Its loop repeats nothing, and to keep it each time took as long as all else; one that does not grow is looked at."""
    states = []
    monkeypatch.setattr(endless, "_state", lambda *given: states.append(given))
    rounds, held, place = Rounds(), [], ("f.py", 3)
    rounds.begin(place, sys._getframe())
    for k in range(100):
        held.append(k)
        assert not rounds.repeats(place, sys._getframe(), ("held", "k"), ())
        del held[(k + 1 if grows else 0) :]
    assert bool(states) is looked
