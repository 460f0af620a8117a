"""Places of a matrix that a condition finds: pairs of particles, edges of a graph, cells of a grid."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    square = w.maybe(0.7)
    table = w.take(n.matrix, "floats", ("n", "n") if square else ("n", "m"), values=w.pick("mixed", "positive"))
    limit = w.take(n.limit, "float", values="limit")
    test = w.pick(f"{table} > {limit}", f"({table} < {limit}) & ({table} > 0)", f"jnp.abs({table}) <= {limit}")
    mask = n.mask
    w.line(f"{mask} = {test}")
    if square and w.maybe(0.3):
        w.line(f"{mask} = jnp.triu({mask}, 1)")
    rows, columns = found(w, mask)
    x = w.take(n.x, "floats", ("n",))
    y = x if square else w.take(n.y, "floats", ("m",))
    read = f"{table}[{rows}, {columns}]"
    again = w.pick(read, read, f"{table}[{mask}]", f"jnp.compress({mask}.ravel(), {table}.ravel())")
    value = w.pick(
        f"{x}[{rows}] * {y}[{columns}]",
        f"({x}[{rows}] - {y}[{columns}]) ** 2",
        f"{x}[{rows}] * {y}[{columns}] / {again}",
        f"{x}[{rows}] * jnp.exp(-{again})",
        f"jnp.sqrt(jnp.abs({again}) + 1.0) * {y}[{columns}]",
        again,
    )
    if w.maybe():
        w.line(f"{n.kept} = {value}")
        value = n.kept
    return ends(w, n, value, rows, columns, x)


def found(w: Writer, mask: str) -> tuple[str, str]:
    """The lines that look for the places; gives the texts of their rows and columns."""
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"i, j = jnp.{w.pick('where', 'nonzero')}({mask})")
        return "i", "j"
    if form == 1:
        w.line(f"found = jnp.argwhere({mask})")
        return "found[:, 0]", "found[:, 1]"
    if form == 2:
        w.line(f"places = jnp.argwhere({mask})", "rows, cols = places[:, 0], places[:, 1]")
        return "rows", "cols"
    w.line(f"found = jnp.nonzero({mask})")
    return "found[0]", "found[1]"


def ends(w: Writer, n: Names, value: str, rows: str, columns: str, x: str) -> Draft:
    form = w.chance.randrange(7)
    if form == 0:
        return w.end("scalar", w.pick(f"0.5 * jnp.sum({value})", f"({value}).sum()"))
    if form == 1:
        return w.end("scalar", f"jnp.sum({value}) / max(len({rows}), 1)")
    if form == 2:
        return w.end("array", f"jnp.zeros({x}.shape[0]).at[{rows}].add({value})")
    if form == 3:
        w.draft.differentiable = False
        return w.end("count", w.pick(f"{rows}.shape[0]", f"jnp.sum({rows} < {columns})", f"len({rows})"))
    if form == 4:
        w.line(f"if len({rows}) == 0:\n    return 0.0")
        return w.end("scalar", w.pick(f"jnp.max({value})", f"jnp.mean({value})", f"jnp.min({value})"))
    if form == 5:
        w.line(f"{n.total} = 0.0", f"for a, b in zip({rows}, {columns}):\n    {n.total} = {n.total} + {x}[a]")
        return w.end("scalar", n.total)
    return w.end("scalar", f"jnp.sum({value} * ({rows} != {columns}))")
