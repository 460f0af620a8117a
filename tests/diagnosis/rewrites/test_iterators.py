"""Iterators of `itertools` that data ends or divides, and lists that are gathered by keys that are data."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose, told

from .helpers import check, define, offered

X = jnp.array([1.0, 2.0, 2.5, -1.0, -2.0, 3.0, 0.5])
G = jnp.array([1, 0, 2, 1, 1, 0, 0])
IMPORTS = "from collections import defaultdict\nfrom itertools import accumulate, dropwhile, groupby, takewhile\n\n"
SERVED = {
    "until": """
def f(x, g):
    return sum(takewhile(lambda v: v > x.mean(), x)), len(list(takewhile(lambda k: k != 2, g.tolist())))
""",
    "from then on": """
def f(x, g):
    rest = list(dropwhile(lambda v: v > 0, x))
    return max(rest) if rest else 0.0
""",
    "until what was added up": """
def f(x, g):
    gains = [max(v, 0.0) for v in x]
    return sum(1 for _ in takewhile(lambda total: total < 5, accumulate(gains))), len(list(dropwhile(lambda v: v > 1, gains)))
""",
    "the longest run": """
def f(x, g):
    longest = 0
    for key, group in groupby(g.tolist()):
        length = len(list(group))
        if key == 1 and length > longest:
            longest = length
    return longest
""",
    "runs by a key": "def f(x, g):\n    return max([sum(1 for _ in run) for up, run in groupby(x, key=lambda v: v > 0)])\n",
    "the first of each run": """
def f(x, g):
    tokens = [k for k, _ in groupby(g.tolist()) if k != 0]
    ups = sum(1 for _ in groupby(x, key=lambda v: v > 0))
    total = 0
    for k, run in groupby(g):
        total = total + k
    return len(tokens), sum(tokens), ups, total
""",
    "what a run holds": """
def f(x, g):
    wettest, spells = 0.0, 0
    for wet, days in groupby(x, key=lambda v: v > 0):
        if wet:
            total = sum(days)
            spells += 1
            if total > wettest:
                wettest = total
    return wettest, spells, sum(max(run) for k, run in groupby(g.tolist()))
""",
    "a run that becomes a list by its own name": """
def f(x, g):
    best = 0.0
    for up, run in groupby(x, lambda v: v > 0):
        run = list(run)
        if up and len(run) >= 2:
            best = max(best, max(run) - min(run))
    decayed = 0.0
    for _, run in groupby(g):
        for v in run:
            decayed = decayed * 0.5 + v
    return best, decayed
""",
    "lists by key": """
def f(x, g):
    groups = defaultdict(list)
    for k, v in zip(g, x):
        groups[int(k)].append(v)
    total = 0.0
    for k, members in groups.items():
        total += k * sum(members) / len(members)
    return total
""",
    "lists that are begun when they are asked for": """
def f(x, g):
    groups = {}
    for i, k in enumerate(g):
        groups.setdefault(int(k), []).append(x[i])
    return sum(np.median(jnp.array(members)) for members in groups.values())
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_data_divides_keeps_its_length(how):
    """It gives what plain Python gives, also where there is one run or group, and where nothing is taken."""
    found = check(IMPORTS + SERVED[how], (X, G), (-X, G[::-1]), (jnp.abs(X), G * 0 + 1), (X[::-1], jnp.arange(7) % 2))
    assert found.rewrites[0].verified


@pytest.mark.parametrize(
    "body",
    [
        "return sum(max(run) + len(list(run)) for k, run in groupby(g.tolist()))",
        "return sum(v for k, run in groupby(g) for _ in range(2) for v in run)",
        "n = 0\n    for k, run in groupby(g):\n        g = g + 1\n        n += sum(run)\n    return n",
        "n = 0\n    for k, run in groupby(g):\n        n = n + k\n    return n + len(list(run))",
        "return sum(1 for row in x.reshape(1, -1) for k, _ in groupby(row))",
    ],
)
def test_a_run_that_is_read_twice_has_no_elements_left(body):
    """A run behind the loop is not of its round; and what a comprehension around it binds is not known above the statement."""
    assert "runs" not in offered(f"{IMPORTS}def f(x, g):\n    {body}\n", X, G)


def test_what_comes_without_an_end_is_no_list():
    """Plain Python stops where the test fails; a list of all of it would fill the memory."""
    source = "def f(x, t):\n    return sum(1 for _ in takewhile(lambda v: v < t, accumulate(repeat(x))))\n"
    fun = define(IMPORTS.replace("import accumulate", "import repeat, accumulate") + source)["f"]
    assert fun(2.0, 5.0) == 2
    assert not propose(fun, (jnp.array(2.0), jnp.array(5.0)), {}).rewrites


def test_keys_that_int_makes_are_whole_for_floats_too():
    """Asked with whole labels, called with floats of which several are one key."""
    floats = jnp.array([1.2, 0.1, 2.0, 1.7, 1.5, 0.9, 0.0])
    check(IMPORTS + SERVED["lists by key"], (X, G), (X, floats))
    check("def f(g):\n    d = {}\n    for k in g:\n        d[int(k)] = 1\n    return len(d)\n", (G,), (floats,))


def test_what_is_called_is_asked_before_plain_python_is_run(monkeypatch):
    """A call of two arguments is hardly ever one of `takewhile`, and to know of its second one takes a plain run. What is
    called may be an object without a hash."""
    asked = []
    monkeypatch.setattr(told, "facts_of", lambda *args: asked.append(args) or {})
    check(
        "import dataclasses\n\n@dataclasses.dataclass\nclass Scale:\n    by: float\n\n"
        "    def __call__(self, x, shift):\n        return x * self.by + shift\n\n"
        "scale = Scale(2.0)\n\n"
        "def f(x, t):\n    return x * 2 if scale(x, t).sum() > 0 else x - t\n",
        (X, 0.5),
        (-X, 0.5),
    )
    assert asked == []


def test_a_dict_of_selections():
    """Nothing was found, or a split."""
    source = "def f(x, lab):\n    groups = {k: x[lab == k] for k in range(3)}\n"
    source += "    within = sum(((g - g.mean()) ** 2).sum() for g in groups.values() if len(g) > 0)\n"
    source += "    return within + groups[1].sum() * len(groups)\n"
    x = jnp.array([1.0, -2.0, 1.0, 0.5, 3.0])
    check(source, (x, jnp.array([0, 1, 1, 2, 0])), (x, jnp.array([0, 0, 0, 0, 0])), (-x, jnp.array([2, 1, 1, 5, 2])))
