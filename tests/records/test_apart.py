"""What tells entries of one function apart, on real entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_files import golden

import jupyter_jitmagic as jm
from jupyter_jitmagic.records.apart import Apart, Telling, told_apart
from jupyter_jitmagic.records.log import EntryRecord, log

X = jnp.ones((4, 3))


def model(width: int = 2) -> dict[str, Any]:
    return {f"layer{i}": {"w": jnp.ones((width, 2)), "b": jnp.ones(2)} for i in range(3)}


def entries_of(call: Callable[[Any], object], **options: Any) -> list[EntryRecord]:
    """The entries that `call` makes of a function of anything."""
    jm.reset()
    call(jm.jit(lambda p=0, x=0, y=0, n=0: jnp.sum(jnp.asarray(x)), **options))
    log.fold()
    return list(log.entries.values())


def labels(entries: list[EntryRecord]) -> list[str]:
    found = told_apart(entries)
    return [found.label(entry.id) for entry in entries]


def test_entries_of_a_model_are_told_apart_by_the_axis_that_varies() -> None:
    """Not by the model, which is the same in all of them, nor by what varies together with that axis."""
    found = entries_of(lambda f: [f(model(), jnp.ones((n, 64)), jnp.ones(n, int)) for n in (96, 40, 32)])
    assert labels(found) == ["x.shape[0]=96", "x.shape[0]=40", "x.shape[0]=32"]
    assert found[0].arguments == "x f32[96,64] · y i32[96] · p {6}"


def test_a_static_value_comes_first() -> None:
    found = entries_of(lambda f: [f(x=jnp.ones(k), n=n) for k, n in ((3, 1), (3, 2), (4, 1))], static_argnames="n")
    assert labels(found) == ["n=1, x.shape[0]=3", "n=2, x.shape[0]=3", "n=1, x.shape[0]=4"]


def test_what_has_most_values_comes_first() -> None:
    """Where there is room for one of them only, it says most."""
    found = entries_of(lambda f: [f(x=jnp.ones(k), n=n) for k, n in ((3, 1), (4, 1), (5, 2), (3, 2))], static_argnames="n")
    assert labels(found)[0] == "x.shape[0]=3, n=1"


def test_one_leaf_in_a_large_tree_is_named_by_its_path() -> None:
    def call(f: Any) -> None:
        f(model(2))
        f({**model(2), "layer1": model(5)["layer1"]})

    assert labels(entries_of(call)) == ["p['layer1']['w'].shape[0]=2", "p['layer1']['w'].shape[0]=5"]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (lambda f: f(x=X), lambda f: f(x=X.astype(int)), ["x=f32[4,3]", "x=i32[4,3]"]),
        (lambda f: f(x=X), lambda f: f(x=X[0]), ["x=f32[4,3]", "x=f32[3]"]),
        (lambda f: f(x=jnp.float32(1)), lambda f: f(x=1.0), ["x=f32[]", "x=~f32[]"]),
        (lambda f: f(0, X), lambda f: f(0, x=X), ["x passed=positional", "x passed=keyword"]),
        (lambda f: f(x=X), lambda f: f(x=[X]), ["x=f32[4,3]", "x=–"]),
        (lambda f: f(x=X), lambda f: jax.grad(lambda v: f(x=v))(X), ["under=–", "under=grad"]),
        (
            lambda f: f(x=jax.device_put(X, jax.devices()[0])),
            lambda f: f(x=X),
            ["x on=cpu:0", "x on=any device"],
        ),
    ],
)
def test_whatever_jax_compares_can_tell_two_entries_apart(one: Any, other: Any, said: list[str]) -> None:
    assert labels(entries_of(lambda f: (one(f), other(f)))) == said


def test_entries_that_look_the_same_go_by_their_numbers() -> None:
    class Same:
        def __repr__(self) -> str:
            return "Same()"

    found = entries_of(lambda f: [f(x=X, n=Same()) for _ in range(2)], static_argnames="n")
    assert labels(found) == [f"entry={entry.id}" for entry in found]


def test_an_only_entry_needs_nothing_to_be_told_apart() -> None:
    assert labels(entries_of(lambda f: f(x=X))) == [""]


def test_what_is_kept_up_to_date_says_the_same_as_what_is_made_anew() -> None:
    found = entries_of(lambda f: [f(model(w), jnp.ones((n, 2))) for w in (2, 3) for n in (5, 6)])
    telling = Telling()
    for upto in range(1, len(found) + 1):
        assert telling.apart(found[:upto]) == told_apart(found[:upto])


@pytest.mark.parametrize("case", golden("labels"), ids=lambda case: case["line"])
def test_the_line_of_an_entry_is_the_golden_one(case: Any) -> None:
    """The panel writes it alike: vitest reads the same file."""
    facts = dict(case["entry"])
    apart = Apart(tuple(case["names"]), {7: tuple(facts.pop("apart"))})
    assert apart.line(EntryRecord(id=7, function=1, **facts)) == case["line"]


def test_the_leaves_of_an_entry_are_looked_at_once() -> None:
    """A model of 400 leaves that misses ever again costs its newest entry's leaves each time, not those of all."""
    leaf = np.ones(2, "f4")
    tree = {f"p{i}": leaf for i in range(400)}
    found = entries_of(lambda f: [f(tree, jnp.ones(n)) for n in range(1, 6)])
    read: list[int] = []

    class Watched(Telling):
        def _look_at(self, leaves: tuple[Any, ...]) -> None:
            read.append(len(leaves))
            super()._look_at(leaves)

    telling = Watched()
    telling.apart(found[:4])
    read.clear()
    assert telling.apart(found).names == ("x.shape[0]",)
    assert read == [401]
