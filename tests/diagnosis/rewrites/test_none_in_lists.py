"""Lists that hold None where data says that there is nothing, and are read without."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define

X, LABELS = jnp.array([0.5, 3.0, -1.0, 2.0]), jnp.array([0, 2, 2, 0])
CALLS = [(X, LABELS), (X, 0 * LABELS), (X, LABELS + 5), (X[:1], LABELS[:1])]
MEAN = """
def mean_of(x, labels, c):
    chosen = labels == c
    if not chosen.any():
        return None
    return x[chosen].mean()
"""


@pytest.mark.parametrize(
    ("made", "of"),
    [
        ("found = [x[labels == c].sum() if (labels == c).any() else None for c in range(3)]", ""),
        ("found = []\nfor c in range(3):\n    found.append(None if (labels == c).sum() == 0 else x[labels == c].sum())", ""),
        (
            "found = []\nfor c in range(3):\n    n = (labels == c).sum()\n    if n == 0:\n        each = None\n    else:\n"
            "        each = jnp.sum(x * (labels == c)) / n\n    found.append(each)",
            "",
        ),
        ("found = [mean_of(x, labels, c) for c in range(3)]", MEAN),
        ("found = []\nfor c in range(3):\n    found.append(mean_of(x, labels, c))", MEAN),
    ],
)
@pytest.mark.parametrize(
    "read",
    [
        "some = [v for v in found if v is not None]\nif not some:\n    return 0.0, 0\nreturn sum(some) / len(some), len(some)",
        "return sum(v for v in found if v is not None)",
    ],
)
def test_what_is_none_is_left_out_of_the_list(made, of, read):
    """As it is read: none of its values, one, and all of them."""
    lines = "".join(f"    {line}\n" for line in f"{made}\n{read}".split("\n"))
    first = check(f"{of}\ndef f(x, labels):\n{lines}", *CALLS).rewrites[0]
    assert first.verified and "None" not in first.source.split("def f(")[1]


def test_a_list_that_is_asked_for_none_itself_stays():
    """How many items there are is another number then."""
    body = "    found = [x[c] if x[c] > 0 else None for c in range(2)]\n"
    source = f"def f(x, labels):\n{body}    return len(found) + sum(v for v in found if v is not None)\n"
    found = propose(define(source)["f"], CALLS[0], {})
    assert not found.rewrites and not found.unverified and found.obstacles
