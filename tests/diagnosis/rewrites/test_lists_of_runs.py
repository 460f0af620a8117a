"""Lists of lists that a loop collects, of which numbers alone are asked."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

ROWS = [
    (jnp.array(row), 1.0) for row in ([2.0, 3.0, 0.5, 4.0, 0.0, 1.5, 2.5, 5.0], [0.0, 0.5, 0.25], [3.0, 2.0, 4.0], [5.0], [0.0])
]
ABOVE = """
def f(x, t):
    runs, run = [], []
    for v in x:
        if v > t:
            run.append(v)
        elif run:
            runs.append(run)
            run = []
    if run:
        runs.append(run)
    {}
"""
BETWEEN = """
def f(x, t, least=2):
    runs = []
    run = [x[0]]
    for before, v in zip(x[:-1], x[1:]):
        if v - before <= t:
            run.append(v)
        else:
            if len(run) >= least:
                runs.append(run)
            run = [v]
    if len(run) >= least:
        runs.append(list(run))
    {}
"""


@pytest.mark.parametrize(
    "source",
    [
        ABOVE.format("return len(runs), max((sum(r) for r in runs), default=0.0)"),
        BETWEEN.format("return sum(len(r) for r in runs) / len(x), max((r[-1] - r[0] for r in runs), default=-1.0)"),
        ABOVE.format("return sum(max(r) - min(r) for r in runs), len(runs[-1]) if runs else 0"),
        ABOVE.format(
            "best = 0.0\n    for r in runs:\n        if len(r) > 1:\n            best = best + r[0]\n    return best, len(runs)"
        ),
        BETWEEN.format("return len(runs), len(run), sum(run)"),
        BETWEEN.format("return max((sum(run) for run in runs), default=0.0), len(runs)"),
        BETWEEN.replace("[x[0]]", "[x[0] > 2]")
        .replace("[v]", "[v > 2]")
        .replace("append(v)", "append(v > 2)")
        .format("return sum(sum(r) for r in runs), len(runs)"),
        ABOVE.replace("append(v)", "append(v > 2)").format("return sum(sum(r) for r in runs), len(runs)"),
    ],
)
def test_what_is_asked_of_each_run_is_a_number_that_grows_with_it(source):
    """Bursts, spells, episodes: no list of lists of unknown lengths is any array, nor need it be."""
    assert "numbers" in check(source, *ROWS, seconds=12.0).rewrites[0].patterns


COUNTED = ABOVE.format("return len(runs), max((sum(r) for r in runs), default=0.0)")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max((sum(r) for r in runs), default=0.0)", "sum(sum(r[1:]) for r in runs)"),
        ("max((sum(r) for r in runs), default=0.0)", "len(max(runs, key=len))"),
        ("            run = []\n", "            t = t + 1\n"),
        (
            "            runs.append(run)\n            run = []\n",
            "            runs.append(run)\n            t = len(run)\n            run = []\n",
        ),
        ("    runs, run = [], []\n", "    runs, run = [[0.0]], []\n"),
        ("run.append(v)\n", "run.append(v + len(run))\n"),
        ("run.append(v)\n", "run.append(next(iter([v])))\n"),
        ("run.append(v)\n", "run.append((v, t))\n"),
        ("            run = []\n", "            if v < -1:\n                continue\n            run = []\n"),
        ("    runs, run = [], []\n", "    runs, run = [], []\n    same = run\n"),
        (
            "            run.append(v)\n",
            "            run.append(v)\n            t = t + runs[0][0] if runs else t\n            runs = runs\n",
        ),
    ],
)
def test_runs_of_which_more_is_asked_stay_lists(old, new):
    assert "numbers" in offered(COUNTED, *ROWS[0])
    assert "numbers" not in offered(COUNTED.replace(old, new), *ROWS[0])
