"""Items that a branch or a loop sets or adds to: arrays of NumPy, of JAX, lists; histograms, tallies, grids."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def under_a_condition(w: Writer, n: Names) -> Draft:
    """`out[i] += x[i]` where a test holds."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    out = w.pick("out", "result", "clipped")
    host = w.maybe()
    if host:
        w.use("np")
        w.draft.differentiable = False
    w.line(f"{out} = {'np' if host else 'jnp'}.{w.pick(f'zeros({x}.shape[0])', f'zeros(len({x}))', f'ones({x}.shape)')}")
    value = w.pick(f"{x}[i]", f"{x}[i] * 2.0", f"{x}[i] - {t}", t, "1.0", "1")
    test = w.pick(f"{x}[i] > {t}", f"{x}[i] < {t} and i > 0", f"abs({x}[i]) > {t} or {x}[i] == 0.5", f"not {x}[i] > {t}")
    sign = w.pick("+=", "-=", "*=", "=")
    set_it = f"{out}[i] {sign} {value}" if host else f"{out} = {out}.at[i].{_METHODS[sign]}({value})"
    otherwise = ""
    if w.maybe(0.4):
        second = w.pick(t, "-1.0", f"{x}[i] / 2")
        otherwise = f"\n    else:\n        {out}[i] = {second}" if host else ""
        otherwise = otherwise or f"\n    else:\n        {out} = {out}.at[i].set({second})"
    w.line(f"for i in range({x}.shape[0]):\n    if {test}:\n        {set_it}{otherwise}")
    if host:
        return w.end(*w.chance.choice([("array", out), ("scalar", f"{out}.sum()"), ("scalar", f"{out}[-1]")]))
    return w.end(*w.chance.choice([("array", out), ("scalar", f"jnp.sum({out})"), ("tuple", f"({out}, {out}.max())")]))


_METHODS = {"+=": "add", "-=": "subtract", "*=": "multiply", "=": "set"}


def tally(w: Writer, n: Names) -> Draft:
    """Counts or sums by bin, the bin being data."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    group = w.take(n.group, "labels", ("n",))
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            tally = {w.pick("[0, 0, 0]", "[0] * 3", "[0.0, 0.0, 0.0]", "[0.0] * 3")}
            for i in range({x}.shape[0]):
                if {x}[i] > {t}:
                    tally[int({group}[i])] += {w.pick("1", f"{x}[i]")}
        """)
        return w.end(*w.chance.choice([("array", "jnp.array(tally)"), ("count", "max(tally)"), ("scalar", "sum(tally)")]))
    if form == 1:
        w.line(f"""
            tally = jnp.zeros(3{w.pick("", ", dtype=int")})
            for {n.item}, which in zip({x}, {group}):
                if {n.item} > {t}:
                    tally = tally.at[which].add({w.pick("1", "2")})
        """)
        return w.end("array", w.pick("tally", "tally / jnp.maximum(tally.sum(), 1)", "tally.at[0].set(0)"))
    if form == 2:
        w.line(f"""
            low, high = 0, 0
            for {n.item} in {x}:
                if {n.item} < {t}:
                    low += 1
                elif {n.item} > {t} + 1:
                    high += 1
        """)
        return w.end("tuple", w.pick("(low, high)", "low, high", "{'low': low, 'high': high}"))
    w.line(f"""
        edges = [{w.pick("-1.0, 0.0, 1.0", "0.0, 0.5, 2.0")}]
        counts = [0 for _ in edges]
        for {n.item} in {x}:
            for k, edge in enumerate(edges):
                if {n.item} <= edge:
                    counts[k] += 1
                    {w.pick("break", "break", "continue")}
    """)
    w.draft.parameters = [each for each in w.draft.parameters if each.name == x]
    return w.end("array", "jnp.array(counts)")


def masked_update(w: Writer, n: Names) -> Draft:
    """`x[m] = v` in its spellings."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(
            f"{n.index} = jnp.where({x} {w.pick('<', '>')} {t})",
            f"out = {x}.at[{n.index}].{w.pick('set(0.0)', 'add(1.0)', f'multiply({t})')}",
        )
    elif form == 1:
        w.use("np")
        w.draft.differentiable = False
        w.line(f"out = np.array({x})", f"out[out {w.pick('<', '>')} {t}] {w.pick('= 0', '+= 1.5', '*= 0.5', f'= {t}')}")
        w.line(f"out = {w.pick('jnp.asarray(out)', 'out * 1.0')}")
    elif form == 2:
        w.line(f"{n.mask} = {x} > {t}", f"out = {x}.at[{n.mask}].set({x}[{n.mask}] {w.pick('* 2.0', '- 1.0', f'+ {t}')})")
    elif form == 3:
        w.line(f"out = {x}\nif {x}.max() > {t}:\n    out = out.at[jnp.argmax({x})].set({w.pick('0.0', t, f'{x}.mean()')})")
    else:
        w.line(f"at = jnp.argmin(jnp.abs({x} - {t}))", f"out = {x}.at[at].set(0.0)")
        w.line(f"if at > {w.pick('0', '1')}:\n    out = out.at[at - 1].multiply(0.5)")
    return w.end(*w.chance.choice([("array", "out"), ("scalar", "out.sum()")]))


def grid(w: Writer, n: Names) -> Draft:
    """Cells of a matrix, in a double loop."""
    A, t = w.take(n.matrix, "floats", ("n", "m")), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            count = 0
            for i in range({A}.shape[0]):
                for j in range({A}.shape[1]):
                    if {A}[i, j] > {t}:
                        count += {w.pick("1", f"{A}[i, j]", "j")}
        """)
        return w.end("count", "count")
    if form == 1:
        w.line(f"""
            out = jnp.zeros_like({A})
            for i in range({A}.shape[0]):
                for j in range({A}.shape[1]):
                    if {A}[i, j] {w.pick(">", "<")} {t}:
                        out = out.at[i, j].set({w.pick("1.0", f"{A}[i, j]")})
                    {w.pick("else", f"elif {A}[i, j] == 0.5")}:
                        out = out.at[i, j].set({w.pick("-1.0", t)})
        """)
        return w.end("array", "out")
    if form == 2:
        w.line(f"""
            for row in {A}:
                if row.sum() > {t}:
                    return {w.pick("row.mean()", "row[0]", "1.0")}
        """)
        return w.end("scalar", w.pick("0.0", "-1.0", t))
    w.line(f"""
        best = {w.pick("-1e9", f"{A}[0, 0]", "None")}
        where = (0, 0)
        for i in range({A}.shape[0]):
            for j in range({A}.shape[1]):
                if {w.pick("GUARD", "GUARD")}{A}[i, j] > best:
                    best = {A}[i, j]
                    where = (i, j)
    """)
    born = any("best = None" in line for line in w.draft.body)
    w.draft.body = [line.replace("GUARD", "best is None or " if born else "") for line in w.draft.body]
    return w.end("tuple", w.pick("(best, where)", "best, where[0]"))


def swapped(w: Writer, n: Names) -> Draft:
    """Two items that change places, as in a sort."""
    x = w.take(n.x, "floats", ("n",))
    form = w.chance.randrange(3)
    if form == 0:
        w.use("np")
        w.draft.differentiable = False
        w.line(f"""
            a = np.array({x})
            for i in range(len(a)):
                for j in range(len(a) - 1 - i):
                    if a[j] > a[j + 1]:
                        a[j], a[j + 1] = a[j + 1], a[j]
        """)
        return w.end(*w.chance.choice([("array", "a"), ("scalar", "a[len(a) // 2]")]))
    if form == 1:
        w.line(f"""
            a = list({x})
            for i in range(1, len(a)):
                if a[i] < a[i - 1]:
                    a[i], a[i - 1] = a[i - 1], a[i]
        """)
        return w.end("array", "jnp.array(a)")
    i, j = w.take("i", "int", values=(1, 0, 2)), w.take("j", "int", values=(3, 4, 2))
    w.line(f"if {x}[{i}] > {x}[{j}]:\n    {x} = {x}.at[{i}].set({x}[{j}]).at[{j}].set({x}[{i}])")
    return w.end("array", x)


WAYS = [under_a_condition, under_a_condition, tally, tally, masked_update, masked_update, grid, grid, swapped]
