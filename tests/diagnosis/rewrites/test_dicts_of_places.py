"""Searches through a grid or a graph whose queue holds places, and whose distances are a dict of them."""

import warnings

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

OPEN = jnp.array([[0, 0, 1], [1, 0, 1], [0, 0, 0]])
SHUT, ROUND = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), jnp.array([[0, 0, 0], [0, 1, 0], [0, 1, 0]])

STEPS = "    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):\n            i, j = r + dr, c + dc\n"
FREE = "0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and grid[i, j] == 0"

NESTED = f"""
from collections import deque

def f(grid):
    waiting, met = deque([((0, 0), 0)]), {{(0, 0)}}
    while waiting:
        (r, c), far = waiting.popleft()
        if (r, c) == (2, 2):
            return far
    {STEPS}            if {FREE} and (i, j) not in met:
                met.add((i, j))
                waiting.append(((i, j), far + 1))
    return -1
"""
KEPT = f"""
def f(grid):
    far = {{(0, 0): 0}}
    waiting = [(0, 0)]
    while waiting:
        r, c = waiting.pop(0)
    {STEPS}            if {FREE} and (i, j) not in far:
                far[(i, j)] = far[(r, c)] + 1
                waiting.append((i, j))
    END
"""


@pytest.mark.parametrize(
    "source",
    [
        NESTED.replace("waiting, met = deque([((0, 0), 0)]), {(0, 0)}", "waiting = deque([((0, 0), 0)])\n    met = {(0, 0)}"),
        KEPT.replace("END", "return far.get((2, 2), -1)"),
        KEPT.replace("END", "return len(far), far[(2, 2)] if (2, 2) in far else -1"),
    ],
)
def test_a_search_through_a_grid_is_compiled(source):
    check(source, (OPEN,), (SHUT,), (ROUND,), seconds=10.0)


GONE_ON = """
from collections import deque

def f(grid, start, goal):
    rows, cols = grid.shape
    start = (int(start[0]), int(start[1]))
    goal = (int(goal[0]), int(goal[1]))
    queue = deque([(start, 0)])
    seen = {start}
    while queue:
        (r, c), far = queue.popleft()
        if (r, c) == goal:
            return far, len(seen)
        for dr, dc in [(0, 1), (1, 0), (0, -1), (-1, 0)]:
            at = (r + dr, c + dc)
            if not (0 <= at[0] < rows and 0 <= at[1] < cols):
                continue
            if at in seen or grid[at] == 1:
                continue
            seen.add(at)
            queue.append((at, far + 1))
    return -1, len(seen)
"""
TO = jnp.array([0, 0]), jnp.array([2, 2])


def test_a_search_goes_on_to_the_next_neighbour_by_continue():
    """What keeps a place from being met twice stands above in the loop over neighbours."""
    check(GONE_ON, (OPEN, *TO), (SHUT, *TO), (ROUND, *TO[::-1]), (OPEN[:2, :2], TO[0], TO[0]), seconds=20.0)


def test_a_place_that_is_not_marked_may_be_met_for_ever():
    """The test above has a rewrite of the same search within that time."""
    marked = "            seen.add(at)\n"
    for source in (GONE_ON.replace(marked, f"            if far > 1:\n    {marked}"), GONE_ON.replace(marked, "")):
        found = propose(define(source)["f"], (OPEN, *TO), {}, seconds=20.0)
        assert not found.rewrites and not any("rejected" in each for each in found.obstacles)
        assert any("queue" in each for each in found.obstacles)


def test_a_place_beyond_the_grid_is_none_of_the_dict():
    """A mask tells of its last place for one beyond it."""
    check(KEPT.replace("END", "return far.get((2, 2), -1)"), (OPEN,), (OPEN[:2, :2],), (OPEN[:2],), seconds=10.0)


CAUGHT = "try:\n        return far[(2, 2)]\n    except KeyError:\n        return -1"


@pytest.mark.parametrize("end", ["return sum(far.values())", "return max(far)", "far.pop((0, 0))\n    return len(far)", CAUGHT])
def test_a_dict_of_which_more_is_asked_stays(end):
    assert "set" not in offered(KEPT.replace("END", end), OPEN)


def test_parts_that_are_taken_out_whole_stay_together():
    source = NESTED.replace("(r, c), far = waiting.popleft()", "at, far = waiting.popleft()\n        r, c = at")
    source = source.replace(
        "waiting, met = deque([((0, 0), 0)]), {(0, 0)}", "waiting = deque([((0, 0), 0)])\n    met = {(0, 0)}"
    )
    assert "tuples" not in offered(source.replace("if (r, c)", "if at"), OPEN)


NEAR = jnp.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
GRAPHS = [(NEAR, 0), (NEAR[:3, :3], 2), (NEAR * 0, 3), (jnp.array([[0, 1, 1], [0, 0, 0], [0, 1, 0]]), 1)]
LEVELS = """def near_to(near, u):
    return [v for v in range(near.shape[0]) if near[u, v]]


def f(near, source):
    n = near.shape[0]
    level = {BEGUN: 0}
    queue = [BEGUN]
    while queue:
        u = queue.pop(0)
        LOOP
            TESTv not in level:
                level[v] = level[u] + 1
                queue.append(v)
    return jnp.array([level.get(k, -1) for k in range(n)])
"""
LOOPS = [
    ("for v in range(n):", "if near[u, v] and "),
    ("for v in near_to(near, u):", "if "),
    ("for v in [w for w in range(n) if near[u, w]]:", "if "),
]


@pytest.mark.parametrize("begun", ["source", "int(source)"])
@pytest.mark.parametrize(("loop", "test"), LOOPS)
def test_a_search_through_a_graph_counts_the_steps_to_each_node(loop, test, begun):
    source = LEVELS.replace("BEGUN", begun).replace("LOOP", loop).replace("TEST", test)
    check(source, *GRAPHS, seconds=10.0)


def test_it_may_begin_at_a_node_that_the_code_tells():
    source = LEVELS.replace("BEGUN", "0").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    check(source.replace("near, source", "near"), *((near,) for near, _ in GRAPHS), seconds=10.0)


def test_a_set_may_begin_with_a_node_that_is_data():
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[1][0]).replace("TEST", LOOPS[1][1])
    source = source.replace("level = {source: 0}", "seen = {source}").replace("v not in level", "v not in seen")
    source = source.replace("level[v] = level[u] + 1", "seen.add(v)")
    source = source.replace("return jnp.array([level.get(k, -1) for k in range(n)])", "return len(seen)")
    assert check(source, *GRAPHS, seconds=10.0).rewrites


def test_a_node_below_0_is_another_key_and_said():
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    found = diagnose(define(source)["f"], *GRAPHS[0]).rewrites
    assert found and found[0].compared and any("below 0" in each for each in found[0].compared.differences)


KEPT_LATER = [
    ("for v in [w for w in range(n) if near[u, w]]:", "if ", "return level.get(v, -1)"),  # the last that is near
    ("for v in [w for w in range(n) if near[u, w] and len(queue) < 2]:", "if ", ""),  # asked before the queue grows
    ("for v in [w for w in range(n) if w not in level]:", "if near[u, v] and ", ""),
    ("for v in [w for w in left if near[u, w]]:", "left.remove(v)\n            if ", ""),
]


@pytest.mark.parametrize(("loop", "test", "end"), KEPT_LATER)
def test_what_a_loop_changes_is_asked_before_it(loop, test, end):
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", loop).replace("TEST", test)
    if end:
        source = source.replace("return jnp.array([level.get(k, -1) for k in range(n)])", end)
    source = source.replace("queue = [", "left = [1, 2]\n    queue = [")
    assert "for" in offered(LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[2][0]).replace("TEST", "if "), *GRAPHS[0])
    assert "for" not in offered(source, *GRAPHS[0])


def test_several_tests_are_asked_together():
    """`a or b` and another `if` behind it: both hold."""
    loop = "for v in [w for w in range(n) if near[u, w] or w == 0 if w != 2]:"
    check(LEVELS.replace("BEGUN", "source").replace("LOOP", loop).replace("TEST", "if "), *GRAPHS, seconds=10.0)


OTHERWISE = [
    ("level[v] = level[u] + 1", "level[v] = len(level)"),  # plain Python counts before it puts
    ("level.get(k, -1)", "level.get((k, 0), -1)"),
    ("u = queue.pop(0)", "u = queue.pop(0)\n        for v in range(2):\n            u = u + 0 * v"),
    ("level[v] = level[u] + 1", "level[(v, u)] = 1"),
]


@pytest.mark.parametrize(("old", "new"), OTHERWISE)
def test_other_dicts_of_nodes_give_plain_pythons_numbers_or_none(old, new):
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    f = define(source.replace(old, new))["f"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # no rule raises
        found = diagnose(f, *GRAPHS[0])
    if found.rewrites:
        check(source.replace(old, new), *GRAPHS, static=found.static_argnames, seconds=10.0)
    assert bool(found.rewrites) == ("level[(v, u)]" not in new and "(k, 0)" not in new)


def test_a_place_that_is_taken_from_a_list_is_taken_once():
    source = """def f(near, start):
    level = {start: 0}
    left = [3, 2, 1]
    for v in range(3):
        if near[0, v] and v not in level:
            level[left.pop()] = v
    return level.get(1, -1)
"""
    assert "set" not in offered(source, *GRAPHS[0])
    assert "set" in offered(source.replace("level[left.pop()] = v", "level[v] = left.pop()"), *GRAPHS[0])


def test_a_key_of_another_length_is_none_of_the_dict():
    source = KEPT.replace("END", "return far.get((0, 0, 0), 5)")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # no rule raises
        assert "set" not in offered(source, OPEN)


def test_a_set_in_parentheses_or_over_lines_begins_as_one():
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    source = source.replace("level = {source: 0}", "seen = (\n        {source}\n    )").replace(
        "v not in level", "v not in seen"
    )
    source = source.replace("level[v] = level[u] + 1", "seen.add(v)")
    check(source.replace("return jnp.array([level.get(k, -1) for k in range(n)])", "return len(seen)"), *GRAPHS, seconds=10.0)


def test_costs_that_are_integers_here_may_be_floats_later():
    """No array of integers holds what another call gives."""
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    assert "set" in offered(source, *GRAPHS[0])
    assert "set" not in offered(source.replace("level[u] + 1", "level[u] + near[u, v]"), *GRAPHS[0])


def test_there_are_as_many_places_as_the_loop_counts_that_puts_something_there():
    """Another loop with a variable of the same name counts something else."""
    source = LEVELS.replace("BEGUN", "source").replace("LOOP", LOOPS[0][0]).replace("TEST", LOOPS[0][1])
    before = "total = 0.0\n    for v in range(rates.shape[1]):\n        total += rates[source, v]\n    n = near"
    source = source.replace("n = near", before, 1).replace("near, source)", "near, rates, source)")
    source = source.replace("range(n)])", "range(n)]), total")
    rates = jnp.arange(16.0).reshape(4, 4)
    check(source, (NEAR, rates, 0), (NEAR, rates[:, :2], 0), (NEAR[:3, :3], rates, 1), seconds=10.0)


def test_a_dict_that_python_alone_fills_stays_one():
    source = """def f(x):
    square = {0: 0}
    for v in range(4):
        FILL
    return sum(square.get(k, 0) for k in range(4)) + (x[0] if x[0] > 0 else -x[0])
"""
    x = jnp.array([1.0, -2.0, 0.0, 3.0])
    assert "set" in offered(source.replace("FILL", "if x[v] > 0:\n            square[v] = v * v"), x)
    assert "set" not in offered(source.replace("FILL", "square[v] = v * v"), x)
