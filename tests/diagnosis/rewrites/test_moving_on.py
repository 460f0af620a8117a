"""Loops that move a number on as far as an inner loop came (`i = j`), and the lists that they fill, an item a round."""

import ast

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites.moving_on import moves_on

from .helpers import check

RUNS = (
    "def f(x):\n    out = []\n    i = 0\n    while i < len(x):\n        j = i\n        while j < len(x) and x[j] == x[i]:\n"
    "            j += 1\n        out.append({item})\n        i = j\n    return {end}\n"
)
X = jnp.array([0, 2, 2, 5, 5, 5, 0, 0, 0, 0])
CALLS = [(X,), (X[1:3],), (X[:1],), (-X[::-1],)]


@pytest.mark.parametrize(
    ("item", "end"),
    [
        ("j - i", "max(out), len(out)"),
        ("x[i]", "sum(out), out[-1]"),
        ("i", "jnp.array(out).sum() + len(out)"),
        ("x[i] * (j - i)", "max(out), min(out)"),
    ],
)
def test_what_two_loops_find_in_runs_has_no_more_items_than_the_array(item, end):
    found = check(RUNS.format(item=item, end=end), *CALLS)
    assert "jnp.zeros(len(x), " in found.rewrites[0].source


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param(
            "    while i < n:\n        k = 1\n        while i + k < n and x[i + k] >= x[i + k - 1]:\n            k += 1\n"
            "        sizes.append(k)\n        i += k\n",
            id="so much further",
        ),
        pytest.param(
            "    while i < n:\n        j = i + 1\n        while j < n and abs(x[j] - x[i]) <= tol:\n            j += 1\n"
            "        sizes.append(j - i)\n        i = j\n",
            id="one further at once",
        ),
        pytest.param(
            "    while i < n:\n        if x[i] < tol:\n            i += 1\n            continue\n        first = i\n"
            "        while i < n and x[i] >= tol:\n            i += 1\n        sizes.append(i - first)\n",
            id="the number itself",
        ),
        pytest.param(
            "    while i < n - 1:\n        first = i\n        while i < n - 1 and x[i + 1] - x[i] <= tol:\n            i += 1\n"
            "        if i > first:\n            sizes.append(i - first + 1)\n        i += 1\n",
            id="pairs",
        ),
    ],
)
def test_so_with_other_ways_to_move_on(loop):
    source = f"def f(x, tol=1.5):\n    n = x.shape[0]\n    sizes = []\n    i = 0\n{loop}    return len(sizes), sum(sizes)\n"
    x = jnp.array([0.0, 2.0, 2.5, 5.0, 5.5, 5.0, 0.0, 1.0, 0.5, 7.0])
    check(source, (x,), (x, 0.75), (x[::-1],), (x[:1],), (x[3:5], 9.0))


def test_starts_and_stops_are_as_long_as_each_other():
    source = (
        "def f(x, level):\n    starts, stops = [], []\n    i = 0\n    while i < len(x):\n        if x[i] <= level:\n"
        "            i += 1\n            continue\n        j = i + 1\n        while j < len(x) and x[j] > level:\n"
        "            j += 1\n        starts.append(i)\n        stops.append(j)\n        i = j\n    if not starts:\n"
        "        return -1, 0\n    widths = jnp.array(stops) - jnp.array(starts)\n    k = jnp.argmax(widths)\n"
        "    return jnp.array(starts)[k], widths[k]\n"
    )
    x = jnp.array([0.0, 2.0, 2.0, 5.0, 0.5, 5.0, 0.0, 3.0])
    check(source, (x, 1.0), (x, 9.0), (x, -1.0), (x[1:2], 1.0), (x[:1], 1.0))


@pytest.mark.parametrize(
    ("body", "moves"),
    [
        ("j = i\nwhile x[j]:\n    j += 1\ni = j", True),  # where it stays, it stays for ever
        ("j = i\nwhile x[j]:\n    j += 1\ntotal += j\ni = j", True),
        ("j = i + 1\nwhile x[j]:\n    j -= 1\ni = j", False),
        ("if x[i]:\n    i = 0\ni += 1", False),
        ("if x[i] and up:\n    i += 1\nelse:\n    up = True", False),  # it stays once, and then goes on
        ("if x[i]:\n    i += 1\nelse:\n    x = x.at[i].set(1)", False),
        ("if x[i]:\n    i += 1\nelse:\n    x[i] = 1", False),
        ("if rest.pop():\n    i += 1", False),
        ("k = step\nwhile x[k]:\n    k += 1\ni += k", False),  # nobody knows where that began
        ("i = max(i + 1, x[i])", True),
        ("i, k = i + 2, i", True),
        ("i, k = k, i + 2", False),
        ("for k in range(3):\n    if x[k]:\n        break\n    i += 1\ni += 1", True),
        ("while x[i]:\n    i += 1\n    if x[i] > 2:\n        i = 0\n        break\ni += 1", False),
        ("if x[i]:\n    continue\ni += 1", True),
        ("if x[i]:\n    i = 0\n    continue\ni += 1", False),
    ],
)
def test_which_loops_move_a_number_on(body, moves):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    loop = ast.parse(f"while i < n:\n{lines}").body[0]
    assert isinstance(loop, ast.While)
    assert moves_on(loop, "i") is moves
