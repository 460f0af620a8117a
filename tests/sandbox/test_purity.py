"""What a run of a function changes is read from its code: a method named as a container's is judged by what it belongs to."""

import collections
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.sandbox.purity import impurity


class Track:
    """Its `append` changes nothing."""

    def __init__(self, log=None):
        self.log = log

    def append(self, value):
        return value

    def noted(self, value):
        return self.log.append(value)


Held = collections.namedtuple("Held", "log")


def appends(x, log, track):
    log.append(x)


def appends_to_an_attribute(x, held, track):
    held.log.append(x)


def asks_its_method(x, held, track):
    held.noted(x)


def hands_it_on(x, log, track):
    appends(x, log, track)


@pytest.mark.parametrize("track", [None, Track()])
@pytest.mark.parametrize(
    "fun, held",
    [
        (appends, []),
        (appends, collections.deque()),
        (appends_to_an_attribute, Track([])),
        (appends_to_an_attribute, Held([])),
        (asks_its_method, Track([])),
        (hands_it_on, []),
    ],
)
def test_a_container_is_changed_whoever_else_has_a_method_of_that_name(fun, held, track):
    assert "it changes" in impurity(fun, (1.0, held, track))[0]


@pytest.mark.parametrize(
    "fun, held",
    [(appends, Track()), (appends_to_an_attribute, Track(Track())), (asks_its_method, Track(Track())), (hands_it_on, Track())],
)
def test_a_users_method_that_only_computes_is_no_change(fun, held):
    assert impurity(fun, (1.0, held, None))[0] == ""


def test_the_method_of_an_object_beside_a_container_is_its_own():
    assert impurity(appends, (1.0, Track(), []))[0] == ""


rng = np.random.default_rng(0)


def takes_a_row(x):
    def scored(rng):
        return rng.sum()

    return scored(x)


def takes_a_generator(rng, x):
    return x + rng.normal()


def test_a_parameter_is_not_the_global_of_its_name():
    assert impurity(takes_a_row, (np.ones(3),))[0] == ""
    assert impurity(takes_a_generator, (None, 1.0))[0] == ""
    assert "it uses host randomness" in impurity(takes_a_generator, (rng, 1.0))[0]


def sets(buffer, value):
    buffer[0] = value


def sets_through_another(buffer, value):
    sets(buffer, value)


def sets_its_own(x):
    mine = np.zeros(3)
    sets_through_another(mine, x)
    return mine


def sets_what_it_is_given(x):
    mine = np.zeros(3)
    sets(mine, x[0])
    sets(x, 1.0)
    return mine


def hands_on_what_sets(x, call):
    mine = [0.0]
    sets(mine, x[0])
    call(sets, x)
    return mine


@pytest.mark.parametrize("fun, noticed", [(sets_its_own, False), (sets_what_it_is_given, True), (hands_on_what_sets, True)])
def test_what_helpers_do_to_arrays_of_their_callers_making_is_not_noticed(fun, noticed):
    assert ("in place" in impurity(fun, (np.ones(3), print)[: fun.__code__.co_argcount])[0]) is noticed


def draw(n):
    return np.random.rand(n)


def counts_with_a_name_of_its_own(x):
    total = 0.0
    for draw in range(3):
        total += x[draw]
    return total


def is_given_a_function_of_that_name(draw, x):
    return draw(x)


def keeps_it_for_a_function_within(x):
    draw = x.sum()
    return [each * draw for each in (lambda: (x, draw))()]


def has_it_as_the_parameter_of_one_within(x):
    double = lambda draw: draw * 2  # noqa: E731
    return double(x)


def asks_for_the_global_within(x):
    return (lambda n: x + draw(n))(3)


@pytest.mark.parametrize(
    "fun",
    [counts_with_a_name_of_its_own, keeps_it_for_a_function_within, has_it_as_the_parameter_of_one_within],
    ids=lambda f: f.__name__,
)
def test_a_name_of_its_own_is_not_the_global_of_that_name(fun):
    """Another cell's function that draws numbers is not called by a loop whose variable has its name."""
    assert impurity(fun, (np.ones(3),))[0] == ""


def test_a_parameter_that_is_called_is_not_the_global_of_its_name():
    """`rk4_step(f, …)` calls what it is given, not the notebook's `f`."""
    assert impurity(is_given_a_function_of_that_name, (np.sum, np.ones(3)))[0] == ""


def test_a_function_that_is_given_is_looked_at_whatever_its_parameter_is_called():
    """What the call hands over draws random numbers."""
    assert impurity(is_given_a_function_of_that_name, (draw, 3))[0].startswith("it uses host randomness")
    assert impurity(lambda f, x: f(x), (draw, 3))[0].startswith("it uses host randomness")


def test_a_global_that_an_inner_function_asks_for_is_found():
    """A lambda's own global is the function's as well."""
    assert impurity(asks_for_the_global_within, (np.ones(3),))[0].startswith("it uses host randomness")


def draws_from(x, seed=0):
    return x + np.random.default_rng(seed).normal()


def draws_from_another(x, seed=None):
    seed = seed or 0
    return x + np.random.default_rng(seed).normal()


def test_a_generator_that_is_made_from_a_known_number_gives_the_same_each_time():
    assert impurity(draws_from, (1.0,))[0] == "" == impurity(draws_from, (1.0, 3))[0]
    assert impurity(lambda x: x * np.random.RandomState(0).rand(), (1.0,))[0] == ""
    for fun, args in ((draws_from, (1.0, None)), (draws_from, (1.0, np.arange(2))), (draws_from_another, (1.0, 1))):
        assert "it uses host randomness" in impurity(fun, args)[0]


def sorts_what_is_chosen(x):
    chosen = x[x > 0]
    ordered = chosen.sort()
    return ordered[0] + x[x < 0].sort()[-1]


def sorts_in_place(x):
    part = x[1:]
    part.sort()
    return part


def test_a_method_of_arrays_that_gives_a_sorted_one_changes_nothing():
    """A list's and NumPy's `sort` changes what it is called of, and gives None."""
    x = np.array([1.0, -2.0, 3.0])
    assert impurity(sorts_what_is_chosen, (jnp.asarray(x),))[0] == ""
    assert "it changes" in impurity(sorts_what_is_chosen, (x,))[0]
    assert "it changes" in impurity(sorts_in_place, (jnp.asarray(x),))[0]


class Counted:
    """What it holds for all its objects is no object's own."""

    seen: ClassVar[dict] = {}
    log: ClassVar[list] = []
    rows: ClassVar[list] = [[0.0]]
    mine: ClassVar[list] = []

    def __init__(self, x):
        self.x, self.mine = x, []
        self.mine.append(x)

    def keep(self):
        self.seen[len(self.seen)] = self.x

    def keep_within(self):
        self.rows[0][0] = self.x

    def note(self):
        self.log.append(self.x)

    def own(self):
        self.mine.append(self.x)


def keeps(x):
    Counted(x).keep()
    return x


def keeps_within(x):
    Counted(x).keep_within()
    return x


def notes(x):
    made = Counted(x)
    made.note()
    return x


def keeps_its_own(x):
    made = Counted(x)
    made.own()
    return made.mine


@pytest.mark.parametrize(
    "fun, noticed",
    [
        (keeps, "it changes self.seen in place"),
        (keeps_within, "it changes self.rows in place"),
        (notes, "it changes self.log in place"),
        (keeps_its_own, ""),
    ],
)
def test_what_a_class_holds_for_all_its_objects_is_not_the_own_of_one(fun, noticed):
    assert impurity(fun, (1.0,))[0].partition(" (")[0] == noticed
