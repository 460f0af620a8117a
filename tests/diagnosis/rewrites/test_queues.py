"""Queues and stacks that a loop empties while data fills them, and loops that end when a value comes again."""

import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import check, define, offered

LINE = jnp.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
RING = jnp.roll(jnp.eye(4, dtype=int), 1, 1)
FULL = jnp.ones((4, 4), int)

BREADTH_FIRST = """def f(adj, source):
    n = adj.shape[0]
    dist = -jnp.ones(n, dtype=jnp.int32)
    dist = dist.at[source].set(0)
    queue = [source]
    while queue:
        u = queue.pop(0)
        for v in range(n):
            if adj[u, v] and dist[v] < 0:
                dist = dist.at[v].set(dist[u] + 1)
                queue.append(v)
    return dist
"""
GRAPHS = [(LINE, 0), (LINE, 3), (RING, 2), (FULL, 1), (LINE * 0, 1)]
IMAGE = jnp.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]])


def test_a_queue_has_room_for_each_place_of_what_marks_its_items():
    text = check(BREADTH_FIRST, *GRAPHS).rewrites[0].source
    assert "queue = jnp.zeros(len(dist) + 1, int).at[0].set(source)" in text


@pytest.mark.parametrize(
    "made", ["q = deque([0])", "q = deque()\n    q.append(0)", "q = []\n    n = adj.shape[0]\n    q.append(n - n)"]
)
def test_a_deque_beside_a_list_of_marks(made):
    """Also where what it begins with is added by itself."""
    source = f"""from collections import deque
def f(adj):
    seen = [False] * adj.shape[0]
    seen[0] = True
    {made}
    while len(q) > 0:
        u = q.pop{"left()" if "deque" in made else "(0)"}
        for v in range(adj.shape[0]):
            if adj[u, v] > 0 and not seen[v]:
                seen[v] = True
                q.append(v)
    return jnp.array(seen)
"""
    text = check(source, (LINE,), (RING,), (FULL,)).rewrites[0].source
    assert f"q = jnp.zeros(len(seen) + 1, int).at[0].set({'n - n' if 'n - n' in made else '0'})" in text


@pytest.mark.slow
def test_a_stack_whose_items_are_marked_when_they_are_taken():
    source = """def f(adj, start):
    visited = jnp.zeros(adj.shape[0], bool)
    stack = [start]
    while stack:
        u = stack.pop()
        if visited[u]:
            continue
        visited = visited.at[u].set(True)
        for v in range(adj.shape[0]):
            if adj[u, v] and not visited[v]:
                stack.append(v)
    return visited
"""
    assert "len(visited) * (adj.shape[0]) + 1" in check(source, *GRAPHS).rewrites[0].source


def test_a_fill_whose_items_are_pairs_and_whose_image_is_what_marks_them():
    source = """def f(img, r, c, value):
    old = img[r, c]
    stack = [(r, c)]
    h, w = img.shape
    if old != value:
        while stack:
            i, j = stack.pop()
            if 0 <= i < h and 0 <= j < w and img[i, j] == old:
                img = img.at[i, j].set(value)
                stack.extend([(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)])
    return img
"""
    img = jnp.array([[1, 1, 0], [0, 1, 0], [2, 1, 1]])
    found = check(source, (img, 0, 0, 5), (img, 2, 0, 5), (img, 1, 0, 7), (img * 0, 1, 1, 3), (img, 0, 0, 1))
    assert "jnp.zeros((4 * img.size + 1, 2), int)" in found.rewrites[0].source


PAIRS = """from collections import deque
def f(grid):
    n, m = grid.shape
    seen = {made}
    todo = {queue}([(0, 0)])
    while todo:
        r, c = todo.{pop}()
{guards}        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            a, b = r + dr, c + dc
            if 0 <= a < n and 0 <= b < m{free}:
{mark}                todo.append((a, b))
    return {result}
"""
WALLS = [(IMAGE,), (IMAGE.T,), (IMAGE * 0,), (IMAGE * 0 + 1,), (IMAGE[:1],)]
GUARDS = "        if (r, c) in seen:\n            continue\n        if grid[r, c] == 1:\n            continue\n"
FREE = " and (a, b) not in seen and grid[a, b] == 0"


@pytest.mark.parametrize(
    ("made", "pop", "guards", "free", "mark", "result"),
    [
        ("{(0, 0)}", "popleft", "", FREE, "                seen.add((a, b))\n", "len(seen)"),
        ("set()", "pop", f"{GUARDS}        seen.add((r, c))\n", "", "", "len(seen)"),
        (
            "set()",
            "pop",
            f"{GUARDS}        if r == n - 1 and c == m - 1:\n            return True\n        seen.add((r, c))\n",
            "",
            "",
            "False",
        ),
        (
            "[[False] * m for _ in range(n)]",
            "popleft",
            "",
            " and not seen[a][b] and grid[a, b] == 0",
            "                seen[a][b] = True\n",
            "jnp.array(seen).sum()",
        ),
    ],
    ids=["added", "taken", "until a place", "rows"],
)
def test_pairs_that_were_met_mark_what_waits(made, pop, guards, free, mark, result):
    source = PAIRS.format(made=made, pop=pop, queue="deque", guards=guards, free=free, mark=mark, result=result)
    text = check(source, *WALLS, seconds=6.0).rewrites[0].source
    assert "todo = jnp.zeros((seen.size" in text or "sum(map(len, seen))" in text


def test_an_item_that_is_added_before_it_is_marked_may_be_added_without_end():
    """Some rounds go on before they mark what they added."""
    guards = (
        "        if (r, c) in seen:\n            continue\n        if r + 1 < n:\n            todo.append((r + 1, c))\n"
        "        if grid[r, c] == 1:\n            continue\n        seen.add((r, c))\n"
    )
    source = PAIRS.format(made="set()", pop="pop", queue="deque", guards=guards, free="", mark="", result="len(seen)")
    assert not propose(define(source)["f"], (IMAGE,), {}).rewrites


def test_a_fill_that_asks_for_its_borders_and_the_colour_at_once():
    """Each place is filled once, as behind the denied test its colour is the old one: four items for each."""
    found = check(
        "def f(img, r, c, new):\n    old = img[r, c]\n    if old == new:\n        return img\n    stack = [(r, c)]\n"
        "    while stack:\n        r, c = stack.pop()\n"
        "        if r < 0 or r >= img.shape[0] or c < 0 or c >= img.shape[1] or img[r, c] != old:\n            continue\n"
        "        img = img.at[r, c].set(new)\n"
        "        stack.extend([(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)])\n    return img\n",
        (IMAGE, 0, 0, 7),
        (IMAGE, 1, 2, 0),
        (jnp.zeros((4, 3), int), 2, 2, 1),
    )
    assert "jnp.zeros((img.size * 4 + 1, 2), int)" in found.rewrites[0].source


@pytest.mark.slow
def test_labels_that_a_counter_gives_are_marks():
    source = """def f(adj):
    n = adj.shape[0]
    label = jnp.zeros(n, int)
    k = 0
    for s in range(n):
        if label[s] == 0:
            k += 1
            stack = [s]
            label = label.at[s].set(k)
            while stack:
                u = stack.pop()
                stack.extend(v for v in range(n) if adj[u, v] and label[v] == 0)
                label = label.at[u].set(k)
    return label
"""
    marked = source.replace("stack.extend(v for v in range(n) if adj[u, v] and label[v] == 0)\n", "for v in range(n):\n")
    marked = marked.replace(
        "                label = label.at[u].set(k)\n",
        "                    if adj[u, v] and label[v] == 0:\n                        label = label.at[v].set(k)\n"
        "                        stack.append(v)\n",
    )
    assert check(marked, (LINE,), (RING,), (FULL,), (LINE * 0,)).rewrites
    found = propose(define(source)["f"], (LINE,), {})
    assert not found.rewrites  # what is in the stack several times is marked when it is taken, and not asked for then


@pytest.mark.parametrize(
    "changed",
    [
        ("dist = dist.at[v].set(dist[u] + 1)", "dist = dist.at[v].set(dist[u] - 1)"),
        ("if adj[u, v] and dist[v] < 0:", "if adj[u, v] and dist[v] < 2:"),
        ("queue.append(v)", "queue.append(v)\n        dist = dist.at[u].set(-1)"),
    ],
)
def test_marks_that_do_not_last_tell_no_size(changed):
    found = propose(define(BREADTH_FIRST.replace(*changed))["f"], (LINE * 0 + jnp.eye(4, k=1, dtype=int), 0), {})
    assert not found.rewrites


def test_a_loop_until_a_value_comes_again_has_room_for_each_element():
    source = """def f(succ, start):
    seen = []
    node = start
    while node not in seen:
        seen.append(node)
        node = succ[node]
    return len(seen), node
"""
    succ = jnp.array([1, 2, 3, 1, 0])
    found = check(source, (succ, 0), (succ, 4), (jnp.arange(5), 3), (jnp.array([1, 2, 3, 4, 0]), 2))
    assert "seen = jnp.zeros(succ.size + 1, int)" in found.rewrites[0].source


@pytest.mark.slow
def test_a_set_of_what_int_makes_of_places():
    source = """def f(succ):
    seen = set()
    node = 0
    while int(node) not in seen:
        seen.add(int(node))
        node = succ[node]
    return node
"""
    assert check(source, (jnp.array([1, 2, 3, 1, 0]),), (jnp.arange(5),)).rewrites


def test_numbers_of_a_range_that_a_list_loses_one_by_one():
    source = """def f(cities):
    n = len(cities)
    left = list(range(1, n))
    tour = [0]
    while left:
        last = tour[-1]
        nearest = min(left, key=lambda j: jnp.sum((cities[last] - cities[j]) ** 2))
        left.remove(nearest)
        tour.append(nearest)
    return jnp.array(tour)
"""
    cities = jnp.array([[0.0, 0.0], [3.0, 1.0], [1.0, 1.0], [2.0, 5.0], [0.0, 2.0]])
    found = check(source, (cities,), (cities[::-1],), (cities * 0,), (cities[:2],))
    assert "left = jnp.arange(n) >= 1" in found.rewrites[0].source


def test_a_set_of_numbers_that_are_no_places_is_a_buffer():
    source = """def f(labels):
    seen = set()
    for label in labels:
        if int(label) not in seen:
            seen.add(int(label))
    return len(seen)
"""
    found = check(source, (jnp.array([1, 2, 2, 3, 1]),), (jnp.array([-7, 900, -7]),), (jnp.array([4]),))
    assert found.rewrites[0].source.count("jnp.any(seen == jnp.asarray(label, int)") == 1


def test_a_list_that_ends_its_loop_by_its_length_has_room_for_that_many():
    source = """def f(table, start, end, most):
    tokens = [start]
    while len(tokens) < most and tokens[-1] != end:
        tokens.append(jnp.argmax(table[tokens[-1]]))
    return len(tokens), tokens[-1]
"""
    table = jnp.array([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.1, 0.9, 0.2]])
    calls = [(table, 2, 0, 8), (table, 0, 0, 8), (table[:, ::-1], 1, 2, 8), (table, 2, 7, 8)]
    found = check(source, *calls, static=("most",))
    assert "tokens = jnp.zeros(max(most, 1), int).at[0].set(start)" in found.rewrites[0].source


def test_a_stack_that_is_filled_once_a_round_and_emptied_while_data_says_so():
    source = """def f(x):
    n = len(x)
    spans = []
    stack = []
    for i in range(n):
        while stack and x[stack[-1]] <= x[i]:
            stack.pop()
        spans.append(i + 1 if not stack else i - stack[-1])
        stack.append(i)
    return jnp.array(spans)
"""
    calls = [jnp.array([3.0, 1.0, 2.0, 2.0, 5.0]), jnp.array([5.0, 4.0, 3.0]), jnp.array([1.0])]
    text = check(source, *[(each,) for each in calls], seconds=30.0).rewrites[0].source
    assert "stack = jnp.zeros(n, int)" in text


@pytest.mark.slow
def test_what_is_taken_from_a_stack_within_an_expression():
    source = """def f(h):
    best = 0.0
    stack = [-1]
    for i in range(len(h)):
        while stack[-1] != -1 and h[stack[-1]] >= h[i]:
            height = h[stack.pop()]
            best = jnp.maximum(best, height * (i - stack[-1] - 1))
        stack.append(i)
    while stack[-1] != -1:
        height = h[stack.pop()]
        best = jnp.maximum(best, height * (len(h) - stack[-1] - 1))
    return best
"""
    calls = [jnp.array([2.0, 1.0, 5.0, 6.0, 2.0, 3.0]), jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0])]
    text = check(source, *[(each,) for each in calls], seconds=30.0).rewrites[0].source
    assert "stack = jnp.zeros(len(h) + 1, int).at[0].set(-1)" in text


def test_an_item_that_is_taken_in_a_choice_is_not_taken_before_it():
    source = """def f(x):
    stack = [0]
    total = 0.0
    for i in range(1, len(x)):
        total += x[stack.pop()] if x[i] > 0 else 0.0
        stack.append(i)
    return total
"""
    found = propose(define(source)["f"], (jnp.array([1.0, -2.0, 3.0]),), {})
    assert all("stack.pop()\n" not in rewrite.source for rewrite in found.rewrites)


def test_a_queue_that_begins_above_the_marks_that_bound_it_is_made_below_them():
    source = """
def reached(parent):
    queue = [0]  # what is left to do
    seen = {0}
    while queue:
        node = queue.pop(0)
        for other in range(4):
            if parent[other] == node and other not in seen:
                seen.add(other)
                queue.append(other)
    return len(seen)
"""
    found = check(source, (jnp.array([2, 0, 1, 2]),), (jnp.array([1, 1, 0, 0]),), (jnp.array([3, 3, 3, 3]),), name="reached")
    text = found.rewrites[0].source
    assert text.index("seen = ") < text.index("queue = ") and "# what is left to do" in text


DEQUE = "from collections import deque\ndef f(x, t):\n    recent = deque()\n    total, best = 0.0, 0\n    for v in x:\n"
SPREAD = jnp.array([1.0, 3.0, 2.0, 0.5, 5.0, 0.5])


def test_a_window_that_data_makes_shorter_at_its_front():
    source = DEQUE + (
        "        recent.append(v)\n        total += v\n        while total > t:\n            total -= recent.popleft()\n"
        "        if len(recent) > best:\n            best = len(recent)\n    return best, total\n"
    )
    assert "top = recent[recent_start]" in check(source, (SPREAD, 4.0), (SPREAD, 0.1), (SPREAD[:1], 9.0)).rewrites[0].source
    made = source.replace("deque()", "[]").replace("popleft()", "pop(0)")
    check(made, (SPREAD, 4.0), (SPREAD, 0.1), (SPREAD[:1], 9.0))


def test_a_queue_that_one_branch_fills_and_another_serves():
    source = DEQUE + (
        "        if v > t:\n            if len(recent) < 2:\n                recent.append(v)\n            else:\n"
        "                best += 1\n        elif recent:\n            total += recent.popleft()\n"
        "    return total, best, len(recent)\n"
    )
    check(source, (SPREAD, 0.7), (SPREAD, 9.0), (SPREAD, -1.0), (-SPREAD, -2.5))


def test_the_largest_of_each_window_by_a_deque_of_places():
    source = (
        "from collections import deque\ndef f(x, k):\n    places = deque()\n    out = []\n    for i in range(len(x)):\n"
        "        while places and x[places[-1]] <= x[i]:\n            places.pop()\n        places.append(i)\n"
        "        if places[0] <= i - k:\n            places.popleft()\n        if i >= k - 1:\n"
        "            out.append(x[places[0]])\n    return jnp.array(out)\n"
    )
    found = check(source, (SPREAD, 3), (SPREAD, 1), (SPREAD[::-1], 2), static=("k",))
    assert "x[places[places_start]]" in found.rewrites[0].source


def test_a_deque_from_whose_other_end_items_come_is_left():
    source = DEQUE + "        if v > t:\n            recent.appendleft(v)\n        elif recent:\n"
    source += "            total += recent.popleft()\n    return total\n"
    assert not propose(define(source)["f"], (SPREAD, 0.7), {}).rewrites


FLOODED = """
from collections import deque

def f(grid):
    rows, cols = grid.shape
    wet = jnp.zeros(grid.shape, dtype=bool)
    queue = deque()
    for c in range(cols):
        if grid[0, c]:
            wet = wet.at[0, c].set(True)
            queue.append((0, c))
    while queue:
        r, k = queue.popleft()
        if r == rows - 1:
            return True
        for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            i, j = r + dr, k + dc
            if 0 <= i < rows and 0 <= j < cols and grid[i, j] and not wet[i, j]:
                wet = wet.at[i, j].set(True)
                queue.append((i, j))
    return False
"""


def test_a_queue_that_begins_with_those_of_a_row_that_data_chooses():
    grids = [[[1, 0, 1], [1, 1, 0], [0, 1, 0]], [[1, 1], [0, 0], [1, 1]], [[0, 0], [1, 1]], [[1, 1, 1]], [[1], [1], [1]]]
    check(FLOODED, *((jnp.array(each, dtype=bool),) for each in grids), seconds=20.0)


def test_islands_that_are_counted_with_pairs_that_a_search_took_out_and_met():
    """Pairs are added to the set as they come out of the stack, and went into it as places of the grid."""
    source = (
        "def f(grid):\n    rows, cols = grid.shape\n    seen = set()\n    count = 0\n    for r in range(rows):\n"
        "        for c in range(cols):\n            if grid[r, c] == 1 and (r, c) not in seen:\n                count += 1\n"
        "                stack = [(r, c)]\n                while stack:\n                    i, j = stack.pop()\n"
        "                    if (i, j) in seen:\n                        continue\n                    seen.add((i, j))\n"
        "                    for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0)):\n                        k, m = i + a, j + b\n"
        "                        if 0 <= k < rows and 0 <= m < cols and grid[k, m] == 1 and (k, m) not in seen:\n"
        "                            stack.append((k, m))\n    return count\n"
    )
    grids = [[[1, 0, 1], [1, 0, 0]], [[1, 1, 1], [1, 0, 1], [1, 1, 1]], [[0, 0]], [[1, 0], [0, 1]]]
    check(source, *((jnp.array(each),) for each in grids), seconds=20.0)


SPREADING = """import queue
from collections import deque
def f(grid):
    rows, cols = grid.shape
    seen = [[0] * cols for _ in range(rows)]
    islands = 0
    {above}
    for i in range(rows):
        for j in range(cols):
            if grid[i][j] == 1 and seen[i][j] != 1:
                seen[i][j] = 1
                {before}
                while {waiting}:
                    x, y = todo.{take}
                    for dx, dy in [[-1, 0], [1, 0], [0, -1], [0, 1]]:
                        a, b = x + dx, y + dy
                        if 0 <= a < rows and 0 <= b < cols and seen[a][b] != 1 and grid[a][b] == 1:
                            todo.{add}((a, b))
                            seen[a][b] = 1
                islands += 1
    return islands
"""


@pytest.mark.parametrize(
    ("above", "before", "waiting", "take", "add"),
    [
        ("todo = deque()", "todo.append((i, j))", "todo", "popleft()", "append"),
        ("pass", "todo = queue.Queue()\n                todo.put((i, j))", "not todo.empty()", "get()", "put"),
        ("pass", "todo = queue.LifoQueue()\n                todo.put((i, j))", "todo.qsize() > 0", "get()", "put"),
    ],
)
def test_a_queue_that_each_round_empties_and_those_of_the_queue_module(above, before, waiting, take, add):
    """Marked is what is not 1: it becomes 1."""
    source = SPREADING.format(above=above, before=before, waiting=waiting, take=take, add=add)
    check(source, (IMAGE,), (1 - IMAGE,), (IMAGE * 0,), seconds=10.0)


def test_what_is_counted_down_to_a_number_is_added_once():
    source = """from collections import deque
def f(adj):
    n = len(adj)
    left = [0] * n
    for i in range(n):
        for k in range(n):
            if adj[i][k]:
                left[k] += 1
    ready = deque([i for i in range(n) if left[i] == 0])
    done = 0
    while ready:
        at = ready.popleft()
        done += 1
        for k in range(n):
            if adj[at][k]:
                left[k] -= 1
                if left[k] == 0:
                    ready.append(k)
    return done == n
"""
    upwards = jnp.triu(FULL, 1)
    text = check(source, (upwards,), (LINE,), (RING,), (upwards * RING,), (LINE * 0,), seconds=10.0).rewrites[0].source
    assert "jnp.zeros(n + len(left), int)" in text


COLOURS = """def f(adj):
    n = len(adj)
    colour = [-1] * n
    {first}
    todo = [0]
    fits = True
    while todo:
        u = todo.pop(0)
        for v in range(n):
            if adj[u][v]:
                if colour[v] == -1:
                    colour[v] = 1 - colour[u]
                    todo.append(v)
                elif colour[v] == colour[u]:
                    fits = False
    return fits
"""


def test_one_of_two_colours_marks_an_item_whose_neighbour_has_the_other():
    check(COLOURS.format(first="colour[0] = 0"), (LINE,), (FULL,), (RING,), seconds=10.0)
    found = propose(define(COLOURS.format(first="pass"))["f"], (LINE,), {})
    assert not found.rewrites  # the first has none: its neighbours' neighbours get it back


NEIGHBOURS = "            for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1)):\n                a, b = i + di, j + dj\n"
PERCOLATES = f"""def f(grid):
    n, m = grid.shape
    seen = np.zeros((n, m), dtype=bool)
    stack = [(0, j) for j in range(m) if grid[0, j]]
    while stack:
        i, j = stack.pop()
        if not seen[i, j]:
            seen[i, j] = True
            if i == n - 1:
                return True
{NEIGHBOURS}                if 0 <= a < n and 0 <= b < m and grid[a, b] and not seen[a, b]:
                    stack.append((a, b))
    return False
"""


def test_a_stack_begins_with_what_a_comprehension_keeps_whose_names_are_bound_anew():
    """`j` of the comprehension is another than that of the loop; its test was said to decide a length."""
    text = check(PERCOLATES, (IMAGE,), (IMAGE.T,), (1 - IMAGE,), (jnp.ones((2, 2), int),)).rewrites[0].source
    assert "jnp.zeros((m + seen.size * 4, 2), int)" in text


def test_what_is_added_to_a_queue_by_plus_is_added_at_once():
    source = """def f(image, i, j):
    h, w = image.shape
    size = 0
    queue = [(i, j)]
    while queue:
        y, x = queue.pop(0)
        if 0 <= y < h and 0 <= x < w and image[y, x] == 1:
            image = image.at[y, x].set(0)
            size += 1
            queue += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return size
"""
    check(source, (IMAGE, 0, 2), (IMAGE, 1, 1), (IMAGE, 2, 0), (1 - IMAGE, 0, 0))


FLOOD = """
def f(grid, i, j):
    if not grid[i, j]:
        return 0
    seen = set()
    stack = [(i, j)]
    while stack:
        r, c = stack.pop()
        if (r, c) in seen or not grid[r, c]:
            continue
        seen.add((r, c))
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            if 0 <= r + dr < grid.shape[0] and 0 <= c + dc < grid.shape[1]:
                stack.append((r + dr, c + dc))
    return len(seen)
"""


def test_marks_of_an_array_from_around_the_branch():
    """Behind an early return the lines stand in a function of their own, which is not given the array."""
    grid = jnp.array([[1, 1, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]])
    check(FLOOD, (grid, 0, 0), (grid.T, 0, 0), (jnp.ones((3, 2), int), 0, 0), static=("i", "j"), seconds=10.0)


def _components(taken: str, pushed: str) -> str:
    return f"""
def f(adj):
    n = adj.shape[0]
    label = [-1] * n
    current = 0
    for root in range(n):
        if label[root] >= 0:
            continue
        {"label[root] = current" if pushed else "pass"}
        stack = [root]
        while stack:
            u = stack.pop()
            {taken or "pass"}
            for v in range(n):
                if adj[u, v] and label[v] < 0:
                    {pushed or "pass"}
                    stack.append(v)
        current += 1
    return jnp.array(label), current
"""


@pytest.mark.parametrize("taken, pushed", [("", "label[v] = current"), ("label[u] = current", "")])
def test_labels_that_are_counted_mark_what_a_stack_holds(taken, pushed):
    """Set when a place is put on the stack, or when it is taken off: it may be there several times then."""
    both = [jnp.maximum(adj, adj.T) for adj, _ in GRAPHS]
    check(_components(taken, pushed), *((adj,) for adj in both))


@pytest.mark.parametrize(
    "source",
    [
        _components("label[u] = current", "").replace("stack.pop()", "stack.pop(0)"),  # twice as many with each layer
        _components("label[u] = current\n            bound = n - u", "").replace("label[v] < 0", "label[v] < 0 and bound < v"),
    ],
    ids=["a queue", "another question each time"],
)
def test_what_is_marked_when_taken_bounds_a_stack_alone_whose_questions_stay(source):
    proposals = propose(define(source)["f"], (FULL,), {})
    assert not proposals.rewrites
    assert any("nothing marks what was in it" in each for each in proposals.obstacles), proposals.obstacles


def test_a_label_that_is_given_may_mark_nothing():
    """Of a place below 0 that gets another below 0 the question stays true: how often it is added is not known."""
    source = """
def f(adj, start, label, new):
    stack = [start]
    while stack:
        u = stack.pop()
        for v in range(adj.shape[0]):
            if adj[u, v] and label[v] < 0:
                label = label.at[v].set(new)
                stack.append(v)
    return label
"""
    chain = jnp.triu(jnp.ones((4, 4), int), 1)
    proposals = propose(define(source)["f"], (chain, 0, -jnp.ones(4, int), 3), {}, (), ("start", "new"))
    assert not proposals.rewrites
    assert any("nothing marks what was in it" in each for each in proposals.obstacles), proposals.obstacles


PREFERRED = """def f(men, women):
    free = list(range(len(men)))
    wife = jnp.full(len(men), -1)
    husband = jnp.full(len(men), -1)
    asked = [0] * len(men)
    while free:
        m = free.pop()
        w = men[m, asked[m]]
        asked[m] += 1
        if husband[w] == -1:
            wife, husband = wife.at[m].set(w), husband.at[w].set(m)
        elif women[w, m] < women[w, husband[w]]:
            free.append(husband[w])
            wife, husband = wife.at[m].set(w), husband.at[w].set(m)
        else:
            free.append(m)
    return wife
"""
MEN = jnp.array([[0, 1, 2], [1, 0, 2], [0, 1, 2]])
WOMEN = jnp.array([[1, 0, 2], [0, 2, 1], [2, 1, 0]])


def test_a_stack_to_which_each_round_adds_no_more_than_it_takes_is_never_longer():
    text = check(PREFERRED, (MEN, WOMEN), (WOMEN, MEN), (MEN[::-1], WOMEN)).rewrites[0].source
    assert "free = jnp.arange(len(men))" in text


IN_TURN = """from collections import deque
def f(work, share):
    left = work
    ends = jnp.zeros(len(work))
    queue = {made}
    now = 0.0
    while queue:
        {take}
        step = jnp.minimum(left[i], share)
        now, left = now + step, left.at[i].add(-step)
        if left[i] > 0:
            queue.append(i)
        else:
            ends = ends.at[i].set(now)
    return ends
"""


@pytest.mark.parametrize(
    ("made", "take"),
    [
        ("deque(range(len(work)))", "i = queue.popleft()"),
        ("list(range(len(work) - 1, -1, -1))", "i = queue[0]\n        queue.pop(0)"),
        ("[len(work) - 1 - i for i in range(len(work))]", "i = queue.pop(0)"),
    ],
)
def test_what_goes_back_into_a_queue_takes_the_room_of_what_was_taken(made, take):
    """However often they come again."""
    work = jnp.array([3.0, 1.0, 4.5])
    text = check(IN_TURN.format(made=made, take=take), (work, 1.0), (work[::-1], 0.25), (work[:1], 2.0)).rewrites[0].source
    assert "% len(queue)" in text


def test_a_queue_of_which_one_is_left():
    source = """def f(lives):
    ring, rounds = list(range(len(lives))), 0
    while len(ring) > 1:
        i = ring.pop(0)
        lives = lives.at[i].add(-1)
        if lives[i] > 0:
            ring.append(i)
        rounds += 1
    return ring[0], rounds
"""
    source = source.replace("ring, rounds = list(range(len(lives))), 0", "ring = list(range(len(lives)))\n    rounds = 0")
    check(source, (jnp.array([3, 1, 2]),), (jnp.array([1, 1, 1, 5]),), (jnp.array([7]),))


@pytest.mark.parametrize(
    ("taken", "added"),
    [
        ("i = queue.pop(0)", "queue.append(i)\n            queue.append(i)"),  # one more each round
        ("i = queue[0]\n        if x[i] > 0:\n            queue.pop(0)", "queue.append(i)"),  # one more where none is taken
        ("i = queue.pop(0)\n        j = queue.pop(0)", "queue.append(i)"),  # of one item there is no second
    ],
)
def test_a_queue_that_may_get_longer_or_be_empty_is_left(taken, added):
    source = f"""def f(x):
    queue = list(range(len(x)))
    total = 0.0
    while queue:
        {taken}
        total += 1.0
        if total < x.sum():
            {added}
        if total > 20:
            break
    return total
"""
    x = jnp.array([3.0, 1.0, 2.0, 1.5])
    assert "buffer" not in offered(source, x)
    assert "buffer" in offered(source.replace(taken, "i = queue.pop(0)").replace(added, "queue.append(i)"), x)


REACHED = """def f(lines, load, source):
    seen = {source}
    stack = [source]
    while stack:
        u = stack.pop()
        for v in range(len(load)):
            if v not in seen and lines[u, v] > 0:
                seen.add(v)
                stack.append(v)
"""
LOAD = jnp.array([1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    "asked",
    [
        "return sum(load[v] for v in sorted(seen)) / jnp.sum(load)",
        "return sum(load[v] for v in seen if load[v] > 1), max(load[v] for v in seen)",
        "total = 0.0\n    for v in sorted(seen):\n        total = total / 2 + load[v]\n    return total",
    ],
)
def test_what_a_set_of_places_holds_in_the_end_is_gone_through(asked):
    """As the places at which its marks are."""
    calls = [(LINE, LOAD, 0), (RING, LOAD, 2), (LINE, LOAD, 3)]
    assert "seen[v]" in check(f"{REACHED}    {asked}\n", *calls, static=("source",)).rewrites[0].source


@pytest.mark.parametrize(
    "asked",
    [
        "for v in seen:\n        total = total / 2 + load[v]",  # in an order of Python's own
        "total = max((v for v in seen), key=lambda v: load[v] % 2)",
        "total = sum(([v] for v in seen), [])[0]",
        "for v in sorted(seen):\n        total = total + load[v]\n        seen.discard(v + 1)",  # of a copy
        "for v in sorted(seen):\n        total = total + load[v]\n    total = total + v",
        "total = sum(load[v] for v in range(3) if seen)",
    ],
)
def test_what_asks_more_of_a_set_than_what_is_in_it_is_left(asked):
    """Its order, its members while they change, the last of them."""
    source = f"{REACHED}    total = 0.0\n    {asked}\n    return total\n"
    assert "buffer" not in offered(source, LINE, LOAD, 0, static=("source",))


def test_gradients_are_not_asked_of_a_static_place_that_is_none():
    """A set of marks has no place for it, which is said; an answer with nothing against it comes at once."""
    found = check(f"{REACHED}    return sum(load[v] for v in seen)\n", (LINE, LOAD, 0), static=("source",))
    told = str(found.rewrites[0].compared)
    assert "gradient" not in told and "want of time" not in told


BLOBS = """def f(img):
    labels = jnp.zeros(img.shape, int)
    current = 0
    largest = 0
    for r in range(img.shape[0]):
        for c in range(img.shape[1]):
            if img[r, c] <= 0 or labels[r, c] != 0:
                continue
            stack, area = [(r, c)], 0
            labels = labels.at[r, c].set(current + 1)
            while stack:
                y, x = stack.pop()
                area += 1
                for ny, nx in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                    if 0 <= ny < img.shape[0] and 0 <= nx < img.shape[1] and img[ny, nx] > 0 and labels[ny, nx] == 0:
                        labels = labels.at[ny, nx].set(current + 1)
                        stack.append((ny, nx))
            current += 1
            largest = max(largest, area)
    return labels, current, largest
"""


@pytest.mark.slow
def test_one_more_than_a_count_marks_what_a_stack_holds():
    """Also where the loops around are compiled, and carry the count."""
    check(BLOBS, (IMAGE,), (1 - IMAGE,), (IMAGE * 0,), seconds=30.0)


@pytest.mark.parametrize(
    "put, begun",
    [
        ("current - 1", "0"),
        ("level + 1", "0"),
        ("current + 1", "-1"),
        ("current + 1", "lax.cond(level > 2, lambda: -1, lambda: 0)"),
        ("current + 1", "lax.fori_loop(0, 2, lambda i, c: c + 1, -3)"),
    ],
)
def test_what_may_be_the_free_number_marks_nothing(put, begun):
    """One less than a count may be 0 again, and one more than what begins below 0; of data nobody knows."""
    source = f"""
def f(adj, level):
    labels = jnp.zeros(len(adj), int)
    current = {begun}
    stack = [0]
    while stack:
        u = stack.pop()
        for v in range(len(adj)):
            if adj[u, v] > 0 and labels[v] == 0:
                labels = labels.at[v].set({put})
                current += 1
                stack.append(v)
    return labels
"""
    below = jnp.triu(jnp.ones((4, 4), int), 1)
    assert "buffer" not in offered(source, below, jnp.array(3))
    assert "buffer" in offered(
        source.replace(put, "current + 1").replace(f"current = {begun}", "current = 0"), below, jnp.array(3)
    )


@pytest.mark.parametrize(
    "around",
    ["with jax.named_scope('a'):\n            {}", "for _ in range(2):\n            pass\n        else:\n            {}"],
)
def test_a_round_that_is_left_within_another_statement_may_have_added_without_taking(around):
    source = """
def f(x):
    queue = list(range(len(x)))
    total = 0.0
    while queue:
        i = queue[0]
        total += x[i]
        if total < 9:
            queue.append(i)
        AROUND
        queue.pop(0)
    return total
"""
    x = jnp.array([3.0, 1.0, 2.0])
    left = around.format("if total < 5:\n                continue" if "with" in around else "continue")
    assert "buffer" not in offered(source.replace("AROUND", left), x)
    assert "buffer" in offered(source.replace("AROUND", "pass"), x)


def test_an_item_that_is_looked_at_behind_the_loop_may_not_be_there():
    source = """def f(x):
    ring = list(range(len(x)))
    while len(ring) > 1:
        i = ring.pop(0)
        if x[i] > 0:
            ring.append(i)
            x = x.at[i].add(-1)
    return ring[0]
"""
    found = check(source, (jnp.array([1, 0, 2]),), (jnp.array([4]),))
    assert any("of no items ring[0] raises IndexError" in each for each in found.rewrites[0].compared.differences)
    empty = source.replace(
        "list(range(len(x)))", "[]\n    for k in range(len(x)):\n        if x[k] > 0:\n            ring.append(k)"
    )
    assert "buffer" not in offered(empty, jnp.array([1, 0, 2]))
