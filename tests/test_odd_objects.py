"""Objects that answer oddly, wherever they stand: nothing of ours fails, none of their code runs for us, no answer changes."""

from __future__ import annotations

import linecache
import re
from itertools import count
from typing import Any

import jax
import numpy as np
import pytest
from odd_objects import ODD, READ, AttributeItems, Ordinary, ran

import jupyter_jitmagic as jm
from jupyter_jitmagic import faults
from jupyter_jitmagic.base.looking import attribute, has, is_a
from jupyter_jitmagic.base.value_texts import shown
from jupyter_jitmagic.recording.guards.captured import Captured

X, LONGER = np.ones(3, np.float32), np.ones(4, np.float32)
_BODY = "def f({parameters}):\n    {line}\n    return x * float({read})"
PLACES = {
    "a global": "obj = make()\n@jit\n" + _BODY.replace("{parameters}", "x"),
    "a name": "obj = make()\n@jit\ndef f(x):\n    {line}\n    return x * (1.0 if obj is None else 2.0)",
    "a closure": "def outer(obj):\n  def f(x):\n    {line}\n    return x * float({read})\n  return f\n"
    + "f = jit(outer(make()))",
    "a default": "@jit\n" + _BODY.replace("{parameters}", "x, obj=make()"),
    "a static argument": "obj = args = make()\n@partial(jit, static_argnums=1)\n" + _BODY.replace("{parameters}", "x, obj"),
    "an argument": "obj = args = make()\n@jit\n" + _BODY.replace("{parameters}", "x, obj"),
    "an output": "obj = make()\n@jit\ndef f(x):\n    {line}\n    return x, obj",
}
FAILING = "x = x * 2 if x.sum() > 0 else x"
numbers = count()


def made(kind: str, place: str, jit: Any, line: str = "x = x + 1", make: Any = None) -> dict[str, Any]:
    """The names of a program with such an object."""
    text = "from functools import partial\n" + PLACES[place].format(line=line, read=READ.get(kind, "obj.rate")) + "\n"
    name = f"/tmp/test_odd_{next(numbers)}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space: dict[str, Any] = {"__name__": "__main__", "jit": jit, "make": make or (lambda: ODD[kind](2.0))}
    exec(compile(text, name, "exec"), space)
    return space


def outcome(space: dict[str, Any], x: Any) -> str:
    given = (space["args"],) if "args" in space else ()
    try:
        return str(jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), space["f"](x, *given)))
    except Exception as error:
        return re.sub(r"_odd_\d+|0x\w+|id='\d+'", "…", f"{type(error).__name__}: {error}")


_NAMES = ("__jax_array__", "shape", "dtype", "weak_type", "__file__")
ASKED_BY_JAX = {"__class__", "a property", *_NAMES, *(f"loaded for {name}" for name in _NAMES)}
"""What JAX itself asks of an argument or an output that it does not know."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ODD)
def test_calls_are_as_under_plain_jit_and_no_code_of_the_object_runs_for_us(kind: str, place: str) -> None:
    """Results and errors; of the object's code runs what the function reads itself, and what JAX asks."""
    plain = made(kind, place, jax.jit)
    given = (X, X, LONGER) if place == "a global" else (X, X)
    expected = [outcome(plain, x) for x in given]
    faults.clear()
    space = made(kind, place, jm.jit)
    ran.clear()
    assert [outcome(space, x) for x in given] == expected
    for level in ("functions", "entries", "calls", "misses"):
        jm.stats(level).to_string()
    known = {"rate", "loaded for rate"} | (
        ASKED_BY_JAX if place in ("a static argument", "an argument", "an output") else set()
    )
    assert set(ran) <= known
    assert faults.details() == ""


def test_the_count_sees_code_that_runs() -> None:
    """Beside the test above: a look through ``getattr`` is one that it would see."""
    ran.clear()
    with pytest.raises(KeyError):
        getattr(AttributeItems(rate=1.0), "__name__", None)
    assert ran["__name__"] == 1


@pytest.mark.parametrize("place", ["a global", "a static argument", "an argument"])
@pytest.mark.parametrize("kind", ["items by attribute", "slots", "a callable"])
def test_a_diagnosis_beside_such_an_object_is_that_beside_an_ordinary_one(kind: str, place: str) -> None:
    """Kind, static arguments, sites and proof are the same; a dictionary is beside one that does not hash either."""

    def ordinary() -> Any:
        one = Ordinary(2.0)
        if issubclass(type(ODD[kind](2.0)), dict):
            type.__setattr__(kind_of := type("Ordinary", (Ordinary,), {"__hash__": None}), "__module__", "__main__")
            one = kind_of(2.0)
        return one

    answers = []
    for make in (None, ordinary):
        space = made(kind, place, jm.jit, FAILING, make)
        found = jm.diagnose(space["f"], X, *((space["args"],) if "args" in space else ()))
        assert faults.details() == ""
        answers.append((found.kind, found.static_argnames, len(found.sites), found.verified))
    assert answers[0] == answers[1]


def test_a_changed_item_of_such_a_configuration_is_still_told() -> None:
    """The stale-global guard reads it without asking it."""
    space = made("items by attribute", "a global", lambda fun: fun)
    captured = Captured.of(space["f"])
    assert captured.changes() == ()
    space["obj"]["rate"] = 3.0
    (change,) = captured.changes()
    assert (change.name, change.before, change.now) == ("obj", "{'rate': 2.0}", "{'rate': 3.0}")


def test_the_attribute_of_an_ordinary_object_is_watched_by_itself() -> None:
    """Beside the test above: there a change of another attribute is none."""
    space = made("items by attribute", "a global", lambda fun: fun, make=lambda: Ordinary(2.0))
    captured = Captured.of(space["f"])
    space["obj"].other = 1
    assert captured.changes() == ()
    space["obj"].rate = 3.0
    (change,) = captured.changes()
    assert (change.name, change.before, change.now) == ("obj.rate", "2.0", "3.0")


def test_an_object_that_answers_anything_can_be_put_under_jit() -> None:
    """A mock has something wrapped in it, and in that again: the search for a function ends."""
    assert outcome({"f": jm.jit(ODD["a mock"](2.0))}, X).startswith("TypeError")
    assert faults.details() == ""


def test_looking_finds_what_is_there_and_asks_nothing() -> None:
    """Beside each odd object an ordinary one, of which the same is found as by asking."""
    odd, plain = AttributeItems(rate=1.0), Ordinary(1.0)
    ran.clear()
    assert attribute(odd, "rate", "none") == "none" and not has(odd, "rate")
    assert attribute(plain, "rate") == 1.0 and has(plain, "rate")
    assert attribute(ODD["slots"](1.0), "_held") == {"rate": 1.0}
    assert is_a(ODD["a class that lies"](1.0), Ordinary) and not is_a(ODD["a class that lies"](1.0), dict)
    assert shown(ODD["no text"](1.0)) == "Untold(rate=1.0)" and shown(plain) == "Ordinary(rate=1.0)"
    assert not ran


def test_what_jax_takes_for_an_array_is_one() -> None:
    """It says so of its tracers by itself, and not by their class; other objects are no arrays."""
    seen: list[bool] = []
    jax.make_jaxpr(lambda x: (seen.append(is_a(x, jax.Array)), x)[1])(X)
    assert seen == [True] and is_a(jax.numpy.ones(2), jax.Array)
    assert not is_a(X, jax.Array) and not is_a(ODD["a mock"](1.0), jax.Array)


def test_a_diagnosis_raises_nothing_where_an_argument_cannot_be_looked_at() -> None:
    """What it cannot know it says, and the details are there to be seen; it raised what the argument raised."""

    class Refusing(dict[str, Any]):
        def __iter__(self) -> Any:
            raise KeyError("not now")

    def chosen(x: Any, options: Any) -> Any:
        return x if x.sum() > 0 else -x

    answer = jm.diagnose(chosen, jax.numpy.ones(2), Refusing(rate=1.0))
    assert "Unknown" in answer.reason and "not now" in jm.faults.details()
    jm.faults.clear()
    assert jm.diagnose(chosen, jax.numpy.ones(2), {"rate": 1.0}).verified
