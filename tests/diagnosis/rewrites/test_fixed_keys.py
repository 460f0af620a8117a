"""Dicts whose keys are written in the code, to whose items a loop adds by keys that are data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

LABELS = jnp.array([0, 1, 1, 0, 1])
COUNTED = "def f(labels):\n    counts = {0: 0, 1: 0}\n    for l in labels:\n        counts[int(l)] += 1\n"


@pytest.mark.parametrize(
    "end",
    [
        "counts",
        "{k: v / len(labels) for k, v in counts.items()}",
        "counts[0] / (counts[0] + counts[1])",
        "sum(counts.values())",
    ],
)
def test_the_dict_stays_one_whose_items_are_counted(end):
    """`+=` adds no key: the answer was that the keys come from data, and arrays of keys where none was returned."""
    calls = [LABELS, 1 - LABELS, LABELS * 0, LABELS[:1], LABELS * 1.4, LABELS.astype(bool)]
    found = check(f"{COUNTED}    return {end}\n", *((each,) for each in calls))
    assert ", n in counts.items()}" in found.rewrites[0].source
    assert "KeyError" in str(found.rewrites[0].compared)


def test_what_is_added_keeps_its_gradient():
    source = (
        "def f(labels, w):\n    sums = {0: 0.0, 1: 0.0, -1: 2}\n    for l, v in zip(labels, w):\n"
        "        if v > 0:\n            sums[int(l)] += v**2\n    return sums[0] - sums[1] * sums[-1]\n"
    )
    w = jnp.array([1.0, 2.0, -0.5, 3.0, 0.0])
    calls = [(LABELS, w), (-LABELS, w), (LABELS * 0, -w), (LABELS[:2], w[:2])]
    found = check(source, *calls)
    namespace = define(source)
    want = [jax.grad(namespace["f"], 1)(*call) for call in calls]
    with applied(found, namespace):
        got = [jax.grad(namespace["f"], 1)(*call) for call in calls]
    assert all(jnp.allclose(one, other) for one, other in zip(got, want, strict=True))


def test_a_dict_that_has_another_name_as_well_is_no_other_dict():
    source = COUNTED.replace("    for", "    same = [counts]\n    for") + "    return same[0]\n"
    assert not propose(define(source)["f"], (LABELS,), {}).rewrites
