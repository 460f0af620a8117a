"""Matrix algorithms with pivots and ranks, graphs and sparse tables, strided windows, recursion on trees of arrays."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def elimination(w: Writer, n: Names) -> Draft:
    """Rows are exchanged where the pivot asks for it."""
    a = w.take(n.matrix, "floats", ("m", "m"))
    pivot = w.pick(
        "k + int(jnp.argmax(jnp.abs(U[k:, k])))", "k + jnp.argmax(jnp.abs(U[k:, k]))", "jnp.argmax(jnp.abs(U[k:, k])) + k"
    )
    w.line(f"U = {a} * 1.0\nsign = 1.0\nfor k in range(U.shape[0]):\n    p = {pivot}\n    if p != k:")
    if w.maybe():
        w.draft.body += ["        U = U.at[jnp.array([k, p])].set(U[jnp.array([p, k])])"]
    else:
        w.draft.body += ["        row = U[k]", "        U = U.at[k].set(U[p]).at[p].set(row)"]
    w.draft.body += ["        sign = -sign"]
    small = w.pick("U[k, k] == 0", "jnp.abs(U[k, k]) < 1e-6")
    if w.maybe():
        w.draft.body += [f"    if {small}:", "        return 0.0"]
    else:
        w.draft.body += [f"    if {small}:", "        continue"]
    w.draft.body += ["    for i in range(k + 1, U.shape[0]):", "        U = U.at[i].add(-U[i, k] / U[k, k] * U[k])"]
    return w.end("scalar", w.pick("sign * jnp.prod(jnp.diag(U))", "sign * jnp.diag(U).prod()", "jnp.abs(jnp.diag(U)).sum()"))


def independent(w: Writer, n: Names) -> Draft:
    """Rows that are (nearly) made of those before are left out."""
    a = w.take(n.matrix, "floats", ("n", "m"))
    w.line(f"""
        basis = []
        for row in {a}:
            for q in basis:
                row = row - (row @ q) * q
            size = jnp.{w.pick("linalg.norm(row)", "sqrt(jnp.sum(row ** 2))")}
            if size > {w.pick("1e-3", "1e-4")}:
                basis.append(row / size)
    """)
    return w.end(*w.chance.choice([("count", "len(basis)"), ("scalar", "sum(q[0] for q in basis)")]))


def power(w: Writer, n: Names) -> Draft:
    """The largest eigenvalue, until it stays."""
    a = w.take(n.matrix, "floats", ("m", "m"), "positive")
    tol = w.take("tol", "float", values="tolerance", default=w.pick("", "1e-3"))
    w.draft.differentiable = False
    w.line(f"""
        v = jnp.ones({a}.shape[0])
        value = 0.0
        for _ in range({w.pick("30", "50")}):
            u = {a} @ v
            new = jnp.{w.pick("linalg.norm(u)", "max(jnp.abs(u))")}
            v = u / new
            if abs(new - value) < {tol}:
                break
            value = new
    """)
    return w.end(*w.chance.choice([("scalar", "value"), ("scalar", "new"), ("array", "v")]))


def reached(w: Writer, n: Names) -> Draft:
    """A graph by its edges: what changes nothing ends the rounds."""
    x = w.take(n.x, "floats", ("n",), "positive")
    ends = w.take(w.pick("targets", "heads", "dst"), "labels", ("n",))
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            labels = jnp.arange({x}.size)
            changed = True
            while changed:
                new = labels.at[{ends}].min(labels)
                new = jnp.minimum(new, new[{ends}])
                changed = jnp.any(new != labels)
                labels = new
        """)
        return w.end(*w.chance.choice([("array", "labels"), ("count", "len(jnp.unique(labels))"), ("count", "labels.max()")]))
    if form == 1:
        w.line(f"""
            distance = jnp.full({x}.size + 3, jnp.inf).at[0].set(0.0)
            for _ in range({x}.size):
                before = distance
                for i in range({x}.size):
                    through = distance[i] + {x}[i]
                    if through < distance[{ends}[i]]:
                        distance = distance.at[{ends}[i]].set(through)
                if jnp.array_equal(distance, before):
                    break
        """)
        return w.end(*w.chance.choice([("array", "distance"), ("scalar", "distance[1]")]))
    w.line(f"""
        out = jnp.zeros(3)
        for value, target in zip({x}, {ends}):
            if value {w.pick(">", "<=")} 1.0:
                out = out.at[target].{w.pick("add(value)", "max(value)", "add(1.0)")}
        degree = {w.pick(f"jnp.zeros(3).at[{ends}].add(1.0)", f"jnp.bincount({ends}, length=3)")}
    """)
    return w.end("array", w.pick("jnp.where(degree > 0, out / jnp.maximum(degree, 1), 0.0)", "out * degree"))


def strided(w: Writer, n: Names) -> Draft:
    """Windows that jump."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    k, stride = w.pick("3", "2"), w.pick("2", "3")
    width = f"w_{k}" if w.maybe(0.2) else k
    w.draft.body += [f"{width} = {k}"] if width != k else []
    value = w.pick("part.mean()", "part.max() - part.min()", "jnp.abs(part).sum()", "part.std()")
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            best = {w.pick("-jnp.inf", "0.0")}
            for s in range(0, len({x}) - {width} + 1, {stride}):
                part = {x}[s:s + {width}]
                value = {value}
                if value > {t} and value > best:
                    best = value
        """)
        return w.end("scalar", "best")
    if form == 1:
        w.line(f"""
            hits = []
            for s in range(0, {x}.shape[0] - {width} + 1, {stride}):
                part = {x}[s:s + {width}]
                if {value} > {t}:
                    hits.append({w.pick("part.sum()", "s", "part[0]")})
        """)
        whole = any("append(s)" in line for line in w.draft.body)
        return w.end("count" if whole else "scalar", w.pick("sum(hits)", "sum(hits)", "len(hits)"))
    w.line(f"""
        s = 0
        total = 0.0
        while s + {width} <= len({x}):
            part = {x}[s:s + {width}]
            if {value} > {t}:
                total = total + part.sum()
                s = s + {width}
            else:
                s = s + 1
    """)
    return w.end("scalar", "total")


def tree(w: Writer, n: Names) -> Draft:
    """A function that goes down a tree of arrays."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    inner = w.pick("down", "total_of", "visit")
    leaf = w.pick(
        "    if node.max() > level:\n        return node.sum()\n    return 0.0",
        "    return node.sum() if node.sum() > level else node.mean()",
        "    if (node > level).any():\n        node = node - level\n    return jnp.abs(node).sum()",
    )
    both = w.pick("max", "sum")
    w.draft.helpers.append(
        f"def {inner}(node, level):\n"
        f"    if isinstance(node, dict):\n        return sum({inner}(child, level) for child in node.values())\n"
        f"    if isinstance(node, (list, tuple)):\n        return {both}([{inner}(child, level) for child in node])\n{leaf}\n"
    )
    shape = w.pick(f'{{"w": {x}, "rest": [{x} * 2, -{x}]}}', f'[{x}, {{"a": {x} + 1, "b": ({x}[::-1], {x} * 0.5)}}]')
    w.line(f"parts = {shape}")
    return w.end("scalar", w.pick(f"{inner}(parts, {t})", f"{inner}(parts, {t}) * 2"))


WAYS = [elimination, independent, power, reached, reached, strided, strided, tree]
