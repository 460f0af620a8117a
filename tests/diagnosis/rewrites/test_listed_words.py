"""Lists of words that data chooses."""

import jax.numpy as jnp
import pytest

from .helpers import check, offered

X, Y = jnp.array([1.0, 3.0, -2.0, 2.0, -5.0, 0.0]), jnp.array([0.0, 0.0, -1.0, 4.0])

SERVED = {
    "how many are one of them": """
def f(x):
    signs = ["up" if v > 0 else "flat" if v == 0 else "down" for v in x]
    return signs.count("up"), sum(1 for s in signs if s in ("down", "flat"))
""",
    "neighbours that differ": """
def f(x):
    signs = []
    for v in x:
        signs.append("up" if v > 0 else "down")
    return sum(1 for a, b in zip(signs, signs[1:]) if a != b)
""",
    "the last of them": """
def f(x):
    signs = ["up" if v > 0 else "down" for v in x]
    last = signs[-1]
    return x.sum() if last == "up" else -x.sum()
""",
    "looked up in a table": """
WORTH = 2.5

def f(x):
    worth = {"high": WORTH, "low": -1.0, "mid": 0.5}
    found = []
    for v in x:
        if v > 1:
            found.append("high")
        elif v < -1:
            found.append("low")
        else:
            found.append("mid")
    return jnp.array([worth[kind] for kind in found])
""",
    "beside numbers": """
def f(x):
    events = []
    for v in x:
        if v > 1:
            events.append(("high", v - 1))
        elif v < 0:
            events.append(("low", -v))
    return sum(v for kind, v in events if kind == "high"), len(events)
""",
    "whether it is there": """
def f(x):
    signs = ["up" if v > 0 else "down" for v in x]
    return jnp.where("down" in signs, x.min(), x.max()), len(signs)
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_words_in_a_list_are_numbers_with_these_names(how):
    """One branch gives a str, and nothing was found."""
    check(SERVED[how], (X,), (Y,), (-X,))


@pytest.mark.parametrize(
    "end",
    [
        "return signs[0], x.sum()",
        "try:\n        return {'up': 1.0}[signs[0]]\n    except KeyError:\n        return -1.0",
        "print(signs)\n    return signs.count('up')",
        "return sum(len(s) for s in signs)",
        "names = {'up': 'rises', 'down': 'falls'}\n    return sum(names[s] == 'rises' for s in signs)",
        "for s in signs:\n        s = s + '!'\n    return signs.count('up')",
    ],
)
def test_words_of_which_more_is_asked_stay(end):
    source = f"def f(x):\n    signs = ['up' if v > 0 else 'down' for v in x]\n    {end}\n"
    assert "numbers" not in offered(source, X)
