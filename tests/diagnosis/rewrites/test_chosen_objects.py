"""Objects of a user's own dataclass, chosen whole by data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

PLAIN = "from dataclasses import dataclass\n@dataclass\nclass Case:\n    x: object\n    score: object\n    name: str = 'case'\n"
X = jnp.array([3.0, 1.0, 2.0, 5.0])
CALLS = [(X, X[::-1] * 1.1), (X * 2, X), (X, X), (X * 0, X * 0), (-X, X), (X[:1], X[1:2]), (X * jnp.nan, X)]
MADE = "def f(p, q):\n    a = Case(p, (p ** 2).sum())\n    b = Case(q, (q ** 2).sum())\n"


@pytest.mark.parametrize(
    "choice",
    [
        "    best = a if a.score > b.score else b\n",
        "    if a.score > b.score:\n        best = a\n    else:\n        best = b\n",
        "    best = a\n    for each in (b, Case(p - q, (p - q).max())):\n"
        "        best = each if each.score > best.score else best\n",
    ],
)
def test_an_object_is_chosen_field_by_field(choice):
    """JAX takes no such object apart: the answer was that it cannot leave compiled code, which nobody asked for."""
    source = PLAIN + MADE + choice + "    return best.x.sum() * best.score + len(best.name)\n"
    found = check(source, *CALLS)
    namespace = define(source)
    want = [jax.grad(namespace["f"], (0, 1))(*call) for call in CALLS[:5]]
    with applied(found, namespace):
        got = [jax.grad(namespace["f"], (0, 1))(*call) for call in CALLS[:5]]
    assert jnp.allclose(jnp.array(got), jnp.array(want), rtol=1e-4)
    assert "Case(jnp.where(" in "".join(found.rewrites[0].source.split())


@pytest.mark.parametrize(
    "end",
    [
        "    best = a if a.score > b.score else b\n    best.score = 0.0\n    return a.score + best.x.sum()\n",
        "    b.name = 'other'\n    best = a if a.score > b.score else b\n    return len(best.name) * best.score\n",
    ],
)
def test_an_object_that_is_written_to_or_has_another_text_is_not(end):
    """A new object is not the one that was chosen, and a text is no number."""
    found = propose(define(PLAIN + MADE + end)["f"], CALLS[0], {})
    assert not (found.rewrites or found.unverified)


def test_a_number_that_is_equal_in_both_by_chance_is_chosen_as_well():
    """Python has one 3: that both fields hold the same object says nothing of the next call."""
    source = PLAIN + (
        "def f(p, q, k=3):\n    a = Case(p, p.sum(), k)\n    b = Case(q, q.sum(), 3)\n"
        "    best = a if a.score > b.score else b\n    return best.x.sum() * best.name\n"
    )
    found = check(source, CALLS[0], (*CALLS[0], 5), (*CALLS[1], 5))
    assert not any("where k is given" in said for said in found.rewrites[0].compared.differences)


@pytest.mark.parametrize("first", [1.0, jnp.array(1.0)])
def test_a_registered_one_is_chosen_leaf_by_leaf_by_names_of_its_own(first):
    """The leaves had the names of the objects, whose fields the test asks for."""
    source = "import jax\n@jax.tree_util.register_dataclass\n" + PLAIN.replace(
        "from dataclasses import dataclass\n", ""
    ).replace("    name: str = 'case'\n", "")
    source = "from dataclasses import dataclass\n" + source
    source += "def f(a, b):\n    best = a if a.score > b.score else b\n    return best.x * best.score\n"
    namespace = define(source)
    case = namespace["Case"]
    found = propose(namespace["f"], (case(X, first), case(X + 1, first + 1)), {}, seconds=8.0)
    calls = [(case(X, s), case(X + 1, t)) for s, t in ((1.0, 2.0), (2.0, 1.0), (1.0, 1.0), (jnp.nan, 1.0), (3, 1))]
    want = [namespace["f"](*call) for call in calls]
    with applied(found, namespace):
        got = [jax.jit(namespace["f"])(*call) for call in calls]
    assert jnp.allclose(jnp.array(got), jnp.array(want))
