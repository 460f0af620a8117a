"""Objects, and rows with words, that a test on data chooses of a list that stands in the code."""

import pytest

from .helpers import check, offered

BANDS = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Band:
    name: str
    low: float
    top: float
    rate: float = 0.1

BANDS = [Band("a", 0.0, 10.0), Band("b", 10.0, 20.0, 0.25), Band("c", 20.0, 1e9, 0.5)]
ROWS = (("a", 0.0, 10.0, 0.1), ("b", 10.0, 20.0, 0.25), ("c", 20.0, 1e9, 0.5))
"""

SERVED = {
    "the first that passes": """
def f(x):
    band = next(b for b in BANDS if b.low <= x < b.top)
    return band.rate * (x - band.low)
""",
    "under the name it is looked for with": """
def f(x):
    b = next(b for b in BANDS if b.low <= x if x < b.top)
    return b.rate * (x - b.low)
""",
    "a row": """
def f(x):
    name, low, top, rate = next(r for r in ROWS if r[1] <= x < r[2])
    return rate * (x - low)
""",
    "an item of the list where none passes": """
def f(x):
    band = next((b for b in BANDS if b.low > x), BANDS[-1])
    return band.rate * (x - band.low)
""",
    "none where none passes": """
def f(x):
    band = next((b for b in BANDS if b.low > x), None)
    if band is None:
        return 0.0
    return band.rate * (x - band.low)
""",
    "the nearest": """
def f(x):
    b = min(BANDS, key=lambda b: abs(b.low - x))
    return b.rate * x
""",
    "the farthest, a row": """
def f(x):
    return max(ROWS, key=lambda r: (r[1] - x) ** 2)[3] * x
""",
    "the last of those that pass": """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    if not ok:
        return 0.0
    return ok[-1].rate * x
""",
    "a sum over those that pass": """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    return sum(b.rate for b in ok) / len(ok)
""",
    "a loop over those that pass": """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    s = 0.0
    for b in ok:
        s = s + b.rate * (x - b.low)
    return s
""",
    "the dearest of those that pass": """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    return max(ok, key=lambda b: b.rate).low + x
""",
    "its truth is asked, and the first is no less true": """
def f(x):
    band = next((b for b in BANDS if b.top < x), None)
    if not band:
        return 0.0
    return band.rate * x
""",
    "two loops over those that pass": """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    s = 0.0
    for b in ok:
        for c in ok:
            s = s + b.rate * c.low * (min(BANDS, key=lambda b: b.top).rate)
    return s
""",
    "a list of the function's own": """
def f(x):
    tiers = [("low", 0.0, 10.0, 0.1), ("high", 10.0, 1e9, 0.25)]
    tier = next(t for t in tiers if t[1] <= x < t[2])
    return tier[3] * (x - tier[1])
""",
    "how many tops are passed": """
def f(x):
    n = sum(x >= b.low for b in BANDS)
    return BANDS[n - 1].rate * x
""",
}
VALUES = [(12.0,), (3.0,), (10.0,), (25.5,), (1.0,)]


@pytest.mark.parametrize("source", SERVED.values(), ids=SERVED)
def test_what_is_chosen_is_told_by_its_place(source):
    # each field that is read comes from a column of its own; on other numbers the answer is plain Python's
    found = check(BANDS + source, *VALUES)
    assert "lookup" in found.rewrites[0].patterns or source is SERVED["the farthest, a row"]


BOUND_AGAIN = """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    ok = ok[:1] if x > 11.0 else ok
    return sum(b.rate for b in ok)
"""
HANDED_ON = """
def cost(band, x):
    return band.rate * x

def f(x):
    ok = [b for b in BANDS if b.low <= x]
    return sum(map(lambda b: cost(b, x), ok))
"""


READ_BEHIND = """
def f(x):
    ok = [b for b in BANDS if b.low <= x]
    b = BANDS[1]
    for b in ok:
        pass
    return b.rate * x
"""
THE_FIRST = """
def f(x):
    band = next((b for b in BANDS if b.low > x), None)
    return x if band is BANDS[0] else 2 * x
"""
KEPT_OF_ANOTHER = """
def f(x):
    rows = BANDS
    ok = [b for b in rows if b.low <= x]
    rows = rows[1:]
    return ok[0].rate * x + rows[0].rate
"""
TABLE_BOUND_AGAIN = """
def f(x):
    rows = BANDS
    band = next((b for b in rows if b.low <= x), None)
    rows = rows[1:]
    return rows[0].rate if band is None else band.rate * x + rows[0].rate
"""
OTHERWISE = {
    "bound again": BOUND_AGAIN,
    "handed on": HANDED_ON,
    "read behind the loop": READ_BEHIND,
    "is it the first": THE_FIRST,
    "another list by then, or none": TABLE_BOUND_AGAIN,
    "another list than those were kept of": KEPT_OF_ANOTHER,
}


@pytest.mark.parametrize("source", OTHERWISE.values(), ids=OTHERWISE)
def test_what_is_read_otherwise_is_not_told_by_places(source):
    # a list that is bound twice, or whose items go elsewhere whole, stays a list of items
    assert "index" not in offered(BANDS + source, 12.0)


def test_the_fields_of_a_row_come_from_the_list_that_it_was_chosen_of():
    # by the time that they are read, another list has the name
    source = "def f(x):\n    rows = BANDS\n    b = min(rows, key=lambda b: abs(b.low - x))\n    rows = rows[1:]\n"
    source += "    return b.rate * x + rows[0].rate\n"
    assert "lookup" not in offered(BANDS + source, 12.0)
