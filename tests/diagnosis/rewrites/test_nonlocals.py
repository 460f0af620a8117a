"""Functions within a function that write its variables."""

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm

from .helpers import check, define

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5, 0.25, 4.0])

SERVED = {
    "in a loop": """
def f(x):
    count = 0
    def visit(v):
        nonlocal count
        if v > 0.5:
            count += 1
            return v
        return 0.0
    total = 0.0
    for v in x:
        total += visit(v)
    return total, count
""",
    "in branches, twice": """
def f(x):
    total, n = 0.0, 0
    def add(v):
        nonlocal total, n
        total += v
        n += 1
        return total
    for v in x:
        if v > 1:
            if add(v) > 3:
                total = total / 2
        elif v < -1:
            add(-v)
    return total / n if n else 0.0
""",
    "beside what it gives back": """
def f(x):
    best, where = -jnp.inf, -1
    def look(i, v):
        nonlocal best, where
        if v > best:
            best, where = v, i
    for i in range(len(x)):
        look(i, x[i])
    return best, where
""",
}
IN_A_CLOSURE = """
def make(scale):
    def g(x):
        x = x * scale
        balance = 1.5
        def pay(amount):
            nonlocal balance
            if amount > balance:
                return False
            balance -= amount
            return True
        refused = 0
        for v in x:
            if not pay(abs(v)):
                refused += 1
        return balance, refused
    return g

f = make(0.5)
"""
STAYS = {
    "a total that was read before": """
def f(x):
    total = 0.0
    def bump(v):
        nonlocal total
        if v > 1:
            total += 1.0
        return v
    for v in x:
        total += bump(v)
    return total
""",
    "an argument that is the variable": """
def f(x):
    now = x[0]
    def step(v):
        nonlocal now
        if v > 0:
            now = now - 1
        return v * 2
    out = 0.0
    for _ in range(3):
        given = step(now)
        out += given
    return out, now
""",
}


@pytest.mark.parametrize("how", SERVED)
def test_their_lines_stand_where_they_are_called(how):
    """Nothing was found."""
    found = check(SERVED[how], (X,), (-X,), (X[::-1] * 2,))
    assert found.rewrites[0].verified and "nonlocal" not in found.rewrites[0].source


@pytest.mark.parametrize("why", STAYS)
def test_what_the_statement_has_read_before_is_not_read_again(why):
    for each in check(STAYS[why], (X,), (-X,), (X[::-1] * 2,)).rewrites:
        assert "inline" not in each.patterns


def test_a_function_that_is_made_by_another_one():
    """Nothing was found: the variables are those of the function that is made."""
    found = jm.diagnose(define(IN_A_CLOSURE)["f"], X)
    assert found.rewrites and "nonlocal" not in found.rewrites[0].source


@pytest.mark.parametrize("limit", [0.5, 1e9])
def test_what_a_side_writes_before_it_returns_is_kept(limit):
    """Also where no input takes that side while it is proven."""
    source = f"""
def f(x, t):
    s = 0.0
    def push(v, most={limit}):
        nonlocal s
        if v > most:
            s = s * 0.5 + v
            return s
        s = s - t
        return -v
    out = [push(v) for v in x]
    return jnp.stack(out), s
"""
    check(source, (X, 0.25), (X * 1e10, 0.25), (-X, 2.0))


ENDS = {
    "in front of several ends": """
        if jnp.abs(w).mean() < 0.5:
            removed += 1
            return jnp.zeros_like(w)
        # a bias
        if w.ndim < 2:
            return w
        return jnp.where(jnp.abs(w) < 1.0, 0.0, w)
""",
    "in two of three": """
        if jnp.max(w) < 0.5:
            removed += 1
            return w * 0.0
        elif jnp.max(w) < 2.0:
            removed += 2
            size = jnp.sum(w)
            return w / (1.0 + size * size)
        else:
            return w
""",
    "one within the other": """
        big = jnp.max(w)
        if big > 0.75:
            if big > 2.0:
                removed += 10
                return w * 2.0
            return w
        removed += 1
        return w - 1.0
""",
    "behind a choice that goes on": """
        if w.ndim == 2:
            w = w * 2.0
        if jnp.max(w) < 2.0:
            removed = removed + jnp.sum(w)
            return w
        return -w
""",
}


@pytest.mark.parametrize("where", ENDS)
def test_a_function_that_counts_on_its_way_to_one_of_several_ends(where):
    """Given to `jax.tree.map`, its lines can stand in no other place; nothing was found, or a split."""
    source = f"""
def f(tree):
    removed = 0
    def leaf(w):
        nonlocal removed{ENDS[where]}
    pruned = jax.tree.map(leaf, tree)
    return pruned, removed
"""
    trees = [
        {"w": jnp.array([[0.5, 3.0], [-0.3, 0.9]]), "b": jnp.array([0.1, -0.2])},
        {"w": jnp.array([[0.5, 0.25], [-0.3, 0.0]]), "b": jnp.array([1.0, 1.25])},
        {"w": jnp.zeros((2, 2)), "b": jnp.array([2.0, 4.0])},
    ]
    check(source, *((tree,) for tree in trees))


def test_calls_are_written_out_in_the_order_in_which_they_are_made():
    """`-` is above `*` in the tree, and its right side is called last."""
    source = """
def f(x):
    hits = 0
    def g(v):
        nonlocal hits
        if v < 0:
            return -v
        hits += 1
        if v > 2:
            hits = hits * 2
            return 1.0 / v
        return v * 3
    total = g(x[0])
    total = total * g(x[2]) - g(x[1])
    return total, hits
"""
    calls = [(jnp.array(v),) for v in ([1.0, 2.0, 0.5], [3.5, 0.5, 0.5], [-1.0, 0.5, 3.0], [0.5, 3.0, -1.0])]
    check(source, *calls, seconds=20.0)
