"""Items that are added to a list by `+=`, `extend` or `+`, as appends."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X = jnp.array([2.0, -1.0, 5.0, 0.5, 3.0, -4.0])
CALLS = [(X, 0.7), (-X, 0.0), (X[:2], -9.0), (X, 99.0)]
LOOP = "def f(x, t):\n    out = []\n    for v in x:\n        if v > t:\n            {added}\n    return {end}\n"


@pytest.mark.parametrize(
    ("added", "end"),
    [
        ("out += [v]", "len(out), sum(out)"),
        ("out = out + [v * 2]", "jnp.array(out).sum()"),
        ("out.extend([v])", "max(out, default=0.0)"),
        ("out += [v, -v]", "len(out)"),
    ],
)
def test_what_is_added_to_a_list_is_appended(added, end):
    assert check(LOOP.format(added=added, end=end), *CALLS, seconds=20.0).rewrites[0].verified


def test_a_list_made_anew_whose_name_is_an_arrays_later_is_appended_to():
    end = "out.max(initial=0), out.sum()"
    source = LOOP.replace("    return", "    out = jnp.array(out)\n    out = out.at[:1].add(2.0)\n    return")
    assert check(source.format(added="out = out + [v]", end=end), *CALLS, seconds=20.0).rewrites[0].verified


def test_a_list_made_anew_behind_an_array_of_its_name_keeps_what_it_was():
    """`kept` holds the list as it was before the second loop."""
    loops = (
        "    out = jax.tree.map(abs, out)\n    kept = out\n    for v in x:\n        if v > t:\n            out = out + [v]\n"
    )
    f = define(f"def f(x, t):\n    out = [x[0]]\n{loops}    return len(kept)\n")["f"]
    assert not any("out.append" in each.source for each in propose(f, CALLS[0], {}).rewrites)


def test_a_list_that_begins_with_a_number_and_reads_its_last():
    source = LOOP.replace("out = []", "out = [0.0]").format(added="out += [out[-1] + v]", end="out[-1]")
    assert check(source, *CALLS, seconds=20.0).rewrites[0].verified


@pytest.mark.parametrize(
    ("held", "end"),
    [("best = out", "len(best)"), ("kept.append(out)", "sum(map(len, kept))"), ("best = (out, v)", "len(best[0])")],
)
def test_a_list_made_anew_that_has_another_name_is_not_appended_to(held, end):
    """The other name holds the list as it was."""
    loop = f"    for v in x:\n        {held}\n        if v > t:\n            out = out + [v]\n"
    f = define(f"def f(x, t):\n    best, kept, out = [], [], []\n{loop}    return {end}\n")["f"]
    assert not any("out.append" in each.source for each in propose(f, CALLS[0], {}).rewrites)
    assert float(jnp.asarray(f(*CALLS[0])).sum()) >= 0


def test_a_list_made_anew_in_a_loop_over_itself_is_not_appended_to():
    loop = "    for v in out:\n        if v > t:\n            out = out + [v]\n"
    source = f"def f(x, t):\n    out = [x[0]]\n{loop}    return len(out)\n"
    assert not any("out.append" in each.source for each in propose(define(source)["f"], CALLS[0], {}).rewrites)
