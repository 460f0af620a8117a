"""What people are used to from Python: tuples compared, sets of what was visited, queues, nested loops with traced bounds,
lists born in a branch, tables that are looked up, `while b`, printing on the way."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def tuples(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"if ({x}[0], {t}) {w.pick('>', '<', '>=')} ({t}, {x}[-1]):\n    return {x}.sum()")
        return w.end("scalar", w.pick("0.0", t))
    if form == 1:
        w.line(f"""
            best = (-jnp.inf, -1)
            for i in range({x}.shape[0]):
                if ({x}[i] * {t}, i) > best:
                    best = ({x}[i] * {t}, i)
        """)
        return w.end("tuple", "best")
    if form == 2:
        return w.end("scalar", f"{w.pick('max', 'min')}((v - {t}, -i) for i, v in enumerate({x}))[0]")
    w.line(f"low, high = ({x}[0], {t}) if {x}[0] < {t} else ({t}, {x}[0])")
    return w.end("scalar", w.pick("high - low", "low"))


def born_in_a_branch(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    out = w.pick("terms", "parts")
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            if {x}.sum() > {t}:
                {out} = [{x}.mean()]
            else:
                {out} = [{w.pick("0.0", t)}]
            {out}.append({x}.max())
        """)
    elif form == 1:
        w.line(f"""
            if {x}[0] > {t}:
                {out} = [{x}.mean()]
                {out}.append({t})
            else:
                {out} = [{x}.max(), {w.pick("1.0", t)}]
        """)
    else:
        w.line(f"""
            {out} = {{"fit": {x}.mean()}}
            if {x}.max() > {t}:
                {out}["penalty"] = {x}.max() - {t}
            else:
                {out}["penalty"] = {w.pick("0.0", "0")}
        """)
        return w.end("scalar", w.pick(f"sum({out}.values())", f'{out}["fit"] + {out}["penalty"]'))
    return w.end(
        *w.chance.choice([("scalar", f"sum({out})"), ("scalar", f"{out}[-1] - {out}[0]"), ("array", f"jnp.array({out})")])
    )


def visited(w: Writer, n: Names) -> Draft:
    """Sets of places, queues, ways through tables of neighbours."""
    w.draft.differentiable = False
    after = w.take(w.pick("successor", "nxt", "parent"), "labels", ("4",))
    form = w.chance.randrange(4)
    if form == 0:
        start = w.take("start", "whole", values=(0, 1, 3, 2))
        w.line(f"""
            seen = set()
            node = int({start})
            while node not in seen:
                seen.add(node)
                node = int({after}[node])
        """)
        return w.end("count", w.pick("len(seen)", "node"))
    if form == 1:
        start = w.take("start", "whole", values=(0, 1, 3, 2))
        w.line(f"""
            visited = [False] * 4
            node = {start}
            steps = 0
            while not visited[node]:
                visited[node] = True
                node = {after}[node]
                steps += 1
        """)
        return w.end("count", "steps")
    if form == 2:
        w.use("deque")
        w.line(f"""
            queue = deque([0])
            seen = {{0}}
            while queue:
                node = queue.popleft()
                for other in range(4):
                    if {after}[other] == node and other not in seen:
                        seen.add(other)
                        queue.append(other)
        """)
        return w.end("count", "len(seen)")
    w.line(f"""
        root = 3
        depth = 0
        while {after}[root] != root and depth < 6:
            root = {after}[root]
            depth += 1
    """)
    return w.end("count", w.pick("root", "depth"))


def traced_bounds(w: Writer, n: Names) -> Draft:
    """Loops and comprehensions over ranges that data bounds, nested ones, too."""
    x = w.take(n.x, "floats", ("n",))
    k = w.take(w.pick("k", "steps", "order"), "int", values=(3, 0, 1, 2))
    form = w.chance.randrange(6)
    if form == 0:
        w.line(f"""
            total = 0.0
            for i in range({k}):
                for j in range(i, {k}):
                    total += {w.pick(f"{x}[0] * i * j", "1.0", f"{x}[0] ** j")}
        """)
        return w.end("scalar", "total")
    if form == 1:
        return w.end("scalar", f"sum({x}[0] {w.pick('** i', '* i', '/ (i + 1)')} for i in range({k}))")
    if form == 2:
        w.line(f"P = jnp.outer({x}, {x}) / 10.0")
        return w.end("array", f"jnp.linalg.matrix_power(P, int({k})) @ {x}")
    if form == 3:
        w.line(f"""
            i, j = 0, {x}.shape[0] - 1
            while i < j:
                if {x}[i] + {x}[j] > {k}:
                    j -= 1
                else:
                    i += 1
        """)
        return w.end("count", w.pick("i", "i + j"))
    if form == 4:
        w.line(f"""
            out = {x}
            for _ in range(int({k})):
                out = jnp.convolve(out, jnp.array([0.5, 0.5]), mode="same")
        """)
        return w.end("array", "out")
    w.line(f"""
        total = {x}[0]
        i = {k}
        while i:
            total = total * 0.5 + {w.pick("i", "1")}
            i -= 1
    """)
    return w.end("scalar", "total")


def looked_up(w: Writer, n: Names) -> Draft:
    """Python's lists, dicts and tuples of functions that data indexes."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    i = w.take(w.pick("kind", "which", "level"), "whole", values=(0, 1, 2))
    form = w.chance.randrange(6)
    if form == 0:
        w.line(f"rates = [0.1, {w.pick('0.2', t)}, 0.3]\nrate = rates[{i}]")
        return w.end("scalar", f"{x}.sum() * rate")
    if form == 1:
        w.line(f"rule = [lambda v: v, lambda v: v ** 2, lambda v: -v][{i}]")
        return w.end("array", f"rule({x})")
    if form == 2:
        w.line(f"table = {{0: {t}, 1: 0.5, 2: 2.0}}")
        return w.end("scalar", f"{x}.mean() * table[int({i})]")
    if form == 3:
        w.line(f"if {i} in (0, 2):\n    return {x}.sum()")
        return w.end("scalar", w.pick(f"{x}.max()", "0.0"))
    if form == 4:
        w.line(f"parts = [{x}.min(), {x}.mean(), {x}.max()]\nparts[{i}] = {t}")
        return w.end("array", "jnp.array(parts)")
    w.line(f"scale = {{True: 1.0, False: {t}}}[bool({x}.sum() > {t})]")
    return w.end("array", f"{x} * scale")


def said(w: Writer, n: Names) -> Draft:
    """What is printed, checked and caught on the way."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(6)
    if form == 0:
        w.line(f"""
            total = 0.0
            for i in range({x}.shape[0]):
                if {x}[i] > {t}:
                    print({w.pick('"step", i, total', 'f"step {i}: {total}"', '"over the limit"')})
                    total += {x}[i]
        """)
        return w.end("scalar", "total")
    if form == 1:
        w.line(f'assert {x}.shape[0] > 0, "empty"\nassert jnp.all(jnp.isfinite({x})), "not finite"')
        return w.end("scalar", f"({x} - {t}).sum()")
    if form == 2:
        w.line(f"""
            try:
                value = 1.0 / float({x}[0])
            except ZeroDivisionError:
                value = {w.pick("0.0", "-1.0")}
        """)
        w.draft.differentiable = False
        return w.end("scalar", f"value * {t}")
    if form == 3:
        w.line(f"if (high := {x}.max()) > {t}:\n    return high - {t}")
        return w.end("scalar", w.pick("0.0", "high"))
    if form == 4:
        w.line(f"""
            value = {x}.mean()
            print(f"mean: {{value:.3f}}")
            if value > {t}:
                value = value / 2
        """)
        return w.end("scalar", "value")
    w.line(f"""
        del_count = 0
        value = {x}.sum()
        while value > {t} and del_count < {w.pick("3", "5")}:
            value -= abs({x}[del_count % {x}.shape[0]])
            del_count += 1
        else:
            value = value * 1.0
    """)
    return w.end("tuple", "(value, del_count)")


def of_integers(w: Writer, n: Names) -> Draft:
    """Numbers in Python's manner: digits, divisors, `while b`, bits."""
    w.draft.differentiable = False
    a = w.take(w.pick("a", "number", "m"), "whole", values=(12, 7, 18, 5, 27, 6))
    form = w.chance.randrange(6)
    if form == 0:
        b = w.take("b", "whole", values=(8, 3, 6, 1))
        w.line(f"while {b}:\n    {a}, {b} = {b}, {a} % {b}")
        return w.end("count", a)
    if form == 1:
        w.line(
            f"steps = 0\nwhile {a} != 1 and steps < 30:\n    {a} = {a} // 2 if {a} % 2 == 0 else 3 * {a} + 1\n    steps += 1"
        )
        return w.end("count", "steps")
    if form == 2:
        w.line(f"total = 0\nwhile {a} > 0:\n    total += {a} % 10\n    {a} //= 10")
        return w.end("count", "total")
    if form == 3:
        w.line(f"for d in range(2, 6):\n    if {a} % d == 0:\n        return {w.pick('d', 'False')}")
        return w.end("count", "True" if "False" in w.draft.body[-1] else a)
    if form == 4:
        w.line(f"x, y = 0, 1\nfor _ in range({a}):\n    x, y = y, x + y")
        return w.end("count", "x")
    w.line(f"bits = 0\nwhile {a}:\n    bits += {a} & 1\n    {a} >>= 1")
    return w.end("count", "bits")


WAYS = [tuples, born_in_a_branch, visited, visited, traced_bounds, traced_bounds, looked_up, looked_up, said, said, of_integers]
