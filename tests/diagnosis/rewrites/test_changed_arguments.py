"""Helpers that change an argument in place: their lines stand in the place of their calls."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import check, define

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25, 4.0])
SERVED = {
    "in a branch": """
def push(buf, v):
    buf[1:] = buf[:-1]
    buf[0] = v

def f(x):
    buf = np.zeros(4)
    for v in x:
        if v > 0:
            push(buf, v)
    return buf.mean()
""",
    "a row and a column": """
def push(buf, v):
    buf[1:] = buf[:-1]
    buf[0] = v

def f(x):
    table = np.zeros((3, 3))
    for k in range(3):
        if x[k] > 0:
            push(table[k], x[k])
        push(table[:, k], x[k] * 2)
    return table
""",
    "the test is in the helper": """
def note(log, v, cut):
    if v > cut:
        log.append(v)

def f(x):
    log = []
    for v in x:
        note(log, v, 0.5)
    return sum(log)
""",
    "it says whether it did": """
def relax(dist, u, v, w):
    if dist[u] + w < dist[v]:
        dist[v] = dist[u] + w
        return True
    return False

def f(x):
    dist = [0.0, 9.0, 9.0]
    changed = 0
    for u, v, w in ((0, 1, x[0]), (1, 2, x[1]), (0, 2, x[2])):
        if v > 0 and relax(dist, u, v, w):
            changed += 1
    return dist[2], changed
""",
    "places that are data": """
def deposit(rho, at, q):
    i = int(at)
    rho[i] += q

def f(x):
    rho = np.zeros(5)
    for v in x:
        deposit(rho, abs(v), v)
    return rho
""",
    "defined within": """
def f(x):
    cost = [[9.0] * 3 for _ in range(3)]
    def link(c, i, j, v):
        if v < c[i][j]:
            c[i][j] = v
    for k, v in enumerate(x):
        link(cost, int(k % 3), int(k % 2), v)
    return jnp.array(cost)
""",
    "a dict, an object": """
class Bank:
    def __init__(self):
        self.cash = 3.0

def lend(bank, state, amount):
    state["n"] += 1
    if bank.cash >= amount:
        bank.cash -= amount
        state["loans"] += 1

def f(x):
    bank = Bank()
    state = {"n": 0, "loans": 0}
    for a in x:
        lend(bank, state, a)
    return bank.cash, state
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_what_a_helper_changes_for_its_caller_is_a_value(how):
    """It gives what plain Python gives, whichever way the helper went."""
    found = check(SERVED[how], (X,), (-X,), (X[::-1] * 0.5,))
    assert found.rewrites[0].verified and "inline" in found.rewrites[0].patterns


def test_a_choice_never_does_what_one_side_does_to_the_callers_items():
    """Where its lines cannot stand in the caller (it returns within a loop), nothing that sets them on both sides is shown."""
    source = """
def f(x):
    dist = [0.0, 9.0]
    return [relax(dist, x[0]) for _ in range(2)][1], dist[1]

def relax(dist, w):
    if w < dist[1]:
        dist[1] = w
        return True
    return False
"""
    found = jm.diagnose(define(source)["f"], X)
    assert not found.rewrites and not found.unverified
