"""Dicts whose keys are strings that data chooses."""

import jax.numpy as jnp
import pytest

from .helpers import check, define, propose

HEAD = "from collections import Counter, defaultdict\n"
X = jnp.array([1.0, -2.0, 3.0, -0.5, 0.25, 0.0])
SERVED = {
    "chosen at the item": """
def f(x):
    d = {"up": 0.0, "down": 0.0}
    last = x[0]
    for v in x[1:]:
        d["up" if v > last else "down"] += v
        last = v
    return d["up"] - d["down"]
""",
    "a name of three, of a defaultdict": """
def f(x):
    counts = defaultdict(int)
    for v in x:
        if v > 1:
            kind = "high"
        elif v > 0:
            kind = "mid"
        else:
            kind = "low"
        counts[kind] += 1
    return counts["high"] * 2 + counts["mid"] - counts["low"]
""",
    "two dicts by one name": """
def f(x):
    sums = {"pos": 0.0, "neg": 0.0}
    counts = {"pos": 0, "neg": 0}
    for v in x:
        side = "pos" if v > 0 else "neg"
        sums[side] += v
        counts[side] += 1
    return sums["pos"] / max(counts["pos"], 1), sums["neg"]
""",
    "missing ones by get": """
def f(x):
    votes = {}
    for v in x:
        name = "pos" if v > 0 else "neg"
        votes[name] = votes.get(name, 0) + 1
    return votes.get("pos", 0) - votes.get("neg", 0)
""",
    "all values, and given back": """
def f(x):
    score = {"buy": 0.0, "sell": 0.0, "hold": 0.5}
    for v in x:
        score["buy" if v < -1 else "sell" if v > 1 else "hold"] += abs(v)
    score["hold"] += sum(score.values())
    return score
""",
}
STAYS = {
    "a key that may be missing": """
def f(x):
    d = {}
    for v in x:
        d["pos" if v > 0 else "neg"] = v
    return d.get("neg", 0.0) + d["pos"]
""",
    "two values for a missing key": """
def f(x):
    d = {}
    for v in x:
        d["pos" if v > 0 else "neg"] = v
    return d.get("pos", 0.0) - d.get("neg", 1.0)
""",
    "how many keys there are": """
def f(x):
    d = {}
    for v in x:
        d["pos" if v > 0 else "neg"] = v
    return len(d.values()) + d.get("pos", 0.0)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_names_of_keys_become_numbers(how):
    """Nothing was found, or a split."""
    found = check(HEAD + SERVED[how], (X,), (-X,), (X[::-1] * 2,), (jnp.zeros(6),))
    way = "if" if how == "chosen at the item" else "numbers"  # there a branch for each key needs no list
    assert found.rewrites[0].verified and way in found.rewrites[0].patterns


@pytest.mark.parametrize("why", STAYS)
def test_what_a_list_does_not_know_stays_a_dict(why):
    found = propose(define(HEAD + STAYS[why])["f"], (X,), {}, (), ())
    assert not any("numbers" in each.patterns for each in found.rewrites)


COUNTED = """
def f(x):
    counts = {"low": 0, "mid": 0, "high": 0}
    for v in x:
        if v < -1:
            counts["low"] += 1
        elif v > 1:
            counts["high"] += 1
        else:
            counts["mid"] += 1
    top = max(counts, key=counts.get)
    return 1.0 if top == "high" else -1.0 if top == "low" else 0.0
"""


def test_the_key_of_the_largest_count():
    """Nothing was found; of equal counts it is the first."""
    x = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25])
    check(COUNTED, (x,), (-x,), (x * 0,), (x * 3,), (jnp.array([2.0, -2.0, 0.0, 2.0, -2.0, 0.0]),))


def test_the_key_itself_is_not_returned():
    source = COUNTED[: COUNTED.index("    return")] + "    return top\n"
    assert not propose(define(source)["f"], (jnp.arange(6.0),), {}).rewrites


STREAKS = """
def f(x):
    best = {"win": 0, "loss": 0}
    current, length = None, 0
    for v in x:
        kind = "win" if v > 0 else "loss"
        if kind == current:
            length += 1
        else:
            current, length = kind, 1
        best[kind] = max(best[kind], length)
    return best
"""


def test_keys_that_are_compared_with_one_that_is_none_yet():
    x = jnp.array([1.0, 2.0, -1.0, 3.0, 1.0, 0.5, -2.0])
    found = check(STREAKS, (x,), (-x,), (jnp.ones(4),), (x[:1],)).rewrites[0]
    assert "WIN, LOSS = 0, 1" in found.source and "current, length = -1, 0" in found.source


def test_keys_that_are_none_by_identity():
    source = STREAKS.replace("if kind == current:", "if current is not None and kind == current:")
    x = jnp.array([1.0, 2.0, -1.0, 3.0, 1.0, 0.5, -2.0])
    check(source, (x,), (-x,), (jnp.ones(4),))


GRADE = """
POINTS = {"A": 4.0, "B": 3.0, "F": 0.0}

def letter(score):
    if score >= 90:
        return "A"
    elif score >= 50:
        return "B"
    return "F"

"""
SCORES = [(jnp.array(x),) for x in ([95.0, 60.0, 20.0], [5.0, 60.0, 20.0, 50.0, 90.0], [90.0])]


@pytest.mark.parametrize("returned", ["x.sum(), counts", "{'mean': x.mean(), 'counts': counts}", "[counts, (counts['A'], x)]"])
def test_a_dict_may_be_a_part_of_what_is_returned(returned):
    """Only one that was the whole result was made numbers."""
    body = f"    for v in x:\n        counts[letter(v)] += 1\n    return {returned}\n"
    check(f'{GRADE}def f(x):\n    counts = {{"A": 0, "B": 0, "F": 0}}\n{body}', *SCORES)


@pytest.mark.parametrize(
    "body",
    [
        "points = [POINTS[letter(v)] for v in x]\n    return sum(points) / len(points)",
        "return sum([POINTS[letter(v)] for v in x if v > 10])",
        "best = sum(1 for v in x if letter(v) == 'A')\n"
        "    share = sum(letter(v) == 'B' for v in x) / len(x)\n    return best, share",
        "failed = any(letter(v) == 'F' for v in x)\n    v = x.mean()\n    return v, failed",
    ],
)
def test_a_helper_that_gives_a_name_is_called_in_a_comprehension(body):
    """It has no place for the helper's lines: the comprehension is written out as its loop, with names that are free."""
    check(f"{GRADE}def f(x):\n    {body}\n", *SCORES)


@pytest.mark.parametrize(
    "body",
    [
        "v = x.sum()\n    points = [POINTS[letter(v)] for v in x]\n    return sum(points) * v",
        "v = x.sum()\n    return v * sum(POINTS[letter(v)] for v in x if v > 10 and v != 60)",
        "v = x.sum()\n    if x.size > 1:\n        total = sum(POINTS[letter(v + 1)] * v for v in x)\n"
        "    else:\n        total = v\n    return total + v",
    ],
)
def test_the_names_of_a_comprehension_are_its_own(body):
    """Its loop would overwrite a variable of the same name, in the very statement, too: the loop's gets another."""
    check(f"{GRADE}def f(x):\n    {body}\n", *SCORES)


@pytest.mark.parametrize("first", ["next((letter(v) for v in x), 'none')", "next(iter([letter(v) for v in x]))"])
def test_a_generator_that_is_asked_for_one_item_stays(first):
    source = f"{GRADE}def f(x):\n    first = {first}\n    return x.sum() if first == 'A' else x[0]\n"
    assert all("next((items)" not in each.source for each in propose(define(source)["f"], SCORES[0], {}).rewrites)


def test_states_of_the_same_names_are_numbered_once():
    body = "a = sum(letter(v) == 'A' for v in x)\n    b = sum(letter(v) == 'B' for v in x * 2)\n    return a, b"
    found = check(f"{GRADE}def f(x):\n    {body}\n", *SCORES).rewrites[0]
    assert found.source.count("= 0, 1, 2") == 1


STEPS = """
POINTS = {"low": 1.0, "mid": 2.0, "big": 4.0}
AFTER = {"big": "low", "low": "mid", "mid": "big"}

def kind(v):
    if v > 1:
        return "big"
    elif v < 0:
        return "low"
    return "mid"

"""


@pytest.mark.parametrize(
    "body",
    [
        "BIG, LOW, MID = 0, 1, 2\n    t = 0.0\n    for u in x:\n        s = AFTER[kind(u)]\n"
        "        if s == 'big':\n            t = t + u\n    return t + BIG",
        "t = sum(POINTS[kind(v)] for v in x)\n    for u in x:\n        s = AFTER[kind(u)]\n"
        "        if s == 'big':\n            t = t + u\n    return t",
        "LOW, BIG = False, True\n    t = 0.0\n    for u in x:\n        s = 'big' if u > 1 else 'low'\n"
        "        if s == 'big':\n            t = t + u\n    return t, LOW",
        "t = 0\n    s = 'low'\n    for u in x:\n        if u > 1:\n            s = 'LOW'\n"
        "        elif u < 0:\n            s = 'low'\n"
        "        if s == 'LOW':\n            t = t + 1\n    return t",
    ],
)
def test_numbers_that_states_have_already_and_their_tables(body):
    """A table stood above the names it reads; two states had one name; False and True were taken for 0 and 1."""
    check(f"{STEPS}def f(x):\n    {body}\n", *((jnp.array(x),) for x in ([2.0, -1.0, 0.5], [0.5, 3.0, 3.0], [-1.0, -2.0, 0.5])))
