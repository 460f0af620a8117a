"""Matrices and volumes: masks in two and three axes, rows and columns that are chosen, pairs of indices."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def _matrix(w: Writer, n: Names) -> tuple[str, str]:
    return w.take(n.matrix, "floats", ("n", "m")), w.take(n.limit, "float", values="limit")


_REDUCED = ("sum()", "mean()", "max()", "std()", "min()", "size", "prod()", "var()")


def of_all_cells(w: Writer, n: Names) -> Draft:
    if w.maybe(0.4):
        A, t = w.take("volume", "floats", ("n", "m", "2")), w.take(n.limit, "float", values="limit")
    else:
        A, t = _matrix(w, n)
    test = w.pick(f"{A} > {t}", f"jnp.abs({A}) < {t}", f"({A} > {t}) & ({A} < 2.0)", f"~({A} <= {t})")
    w.line(f"{n.kept} = {A}[{test}]")
    form = w.chance.randrange(3)
    if form == 0:
        end = w.pick(*_REDUCED)
        return w.end("count" if end == "size" else "scalar", f"{n.kept}.{end}")
    if form == 1:
        w.line(f"if {n.kept}.size == 0:\n    return {w.pick('0.0', 'jnp.nan', t)}")
        return w.end("scalar", f"{n.kept}.{w.pick('mean()', 'max()')}")
    return w.end(
        "scalar",
        w.pick(f"jnp.sort({n.kept})[0]", f"jnp.median({n.kept})", f"{n.kept}[-1]", f"({n.kept} ** 2).sum() / {n.kept}.size"),
    )


def rows_and_columns(w: Writer, n: Names) -> Draft:
    A, t = _matrix(w, n)
    w.line(
        w.pick(
            f"part = {A}[{A}.sum(axis=1) > {t}]",
            f"part = {A}[:, {A}.max(axis=0) > {t}]",
            f"part = {A}[{A}[:, 0] > {t}][:, 1:]",
            f"part = {A}[jnp.any({A} > {t}, axis=1)]",
            f"part = {A}[:, {A}[0] < {t}]",
            f"rows = jnp.nonzero({A}[:, -1] > {t})[0]\npart = {A}[rows]",
            f"part = jnp.compress({A}.min(axis=1) < {t}, {A}, axis=0)",
        )
    )
    end = w.pick(
        "part.sum()",
        "part.mean()",
        "part.shape[0]",
        "part.shape[1]",
        "jnp.max(part)",
        "part.size",
        "part.sum(axis=0).max()",
        "jnp.linalg.norm(part)",
    )
    return w.end("count" if "shape" in end or end == "part.size" else "scalar", end)


def pairs(w: Writer, n: Names) -> Draft:
    A, t = _matrix(w, n)
    w.draft.differentiable = False  # most of what comes out are places
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"r, c = jnp.where({A} {w.pick('>', '<')} {t})")
        return w.end(
            "scalar", w.pick(f"{A}[r, c].sum()", "r.sum() + c.sum()", "(r * c).max()", "len(r)", "r.mean() - c.mean()")
        )
    if form == 1:
        w.line(f"places = jnp.argwhere({A} > {t})")
        return w.end("scalar", w.pick("places.shape[0]", "places[:, 0].sum()", "places.sum(axis=0)", "places.mean(axis=0)"))
    if form == 2:
        w.line(f"r, c = jnp.nonzero({A} > {t})\nif len(r) == 0:\n    return {w.pick('-1', '0')}")
        return w.end("count", w.pick("r[0]", "r[0] + c[0]", "r[-1]"))
    if form == 3:
        w.line(f"i, j = jnp.unravel_index(jnp.argmax({A}), {A}.shape)\nif {A}[i, j] > {t}:\n    {A} = {A}.at[i, :].set(0.0)")
        return w.end("array", A)
    w.line(f"""
        hits = []
        for i in range({A}.shape[0]):
            for j in range(i{w.pick("", " + 1")}, {A}.shape[1]):
                if {A}[i, j] > {t}:
                    hits.append({w.pick(f"{A}[i, j]", "i + j", "1.0")})
    """)
    return w.end("scalar", w.pick("sum(hits)", "len(hits)"))


def by_row(w: Writer, n: Names) -> Draft:
    """A loop over rows, each judged on its own."""
    A, t = _matrix(w, n)
    of_row = w.pick(
        "row.max()", "row[row > 0].sum()", "jnp.linalg.norm(row)", "row[0] if row[0] > row[-1] else row[-1]", "row.sum()"
    )
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"out = []\nfor row in {A}:\n    out.append({of_row})")
        return w.end("array", "jnp.array(out)")
    if form == 1:
        w.line(f"out = jnp.stack([{of_row} for row in {A}])")
        return w.end("array", w.pick("out", "out - out.mean()"))
    if form == 2:
        w.line(f"""
            total = {w.pick("0.0", "0")}
            for i in range({A}.shape[0]):
                row = {A}[i]
                if row.sum() > {t}:
                    total += {of_row}
                elif row.max() < {t}:
                    continue
                else:
                    total -= {w.pick("1", "0.5", t)}
        """)
        return w.end("scalar", "total")
    w.line(f"""
        for i, row in enumerate({A}):
            if jnp.all(row > {t}):
                return {w.pick("i", "row.sum()", "row[-1]")}
            if row[0] == {w.pick("0.5", "-2.0")}:
                return {w.pick("-2", "0.0")}
    """)
    return w.end("scalar", w.pick("-1", "0.0"))


def conditioned(w: Writer, n: Names) -> Draft:
    """A decision about the whole matrix."""
    A, t = _matrix(w, n)
    w.line(
        w.pick(
            f"if jnp.any(jnp.isnan({A})):\n    {A} = jnp.nan_to_num({A})",
            f"if {A}.max() > {t}:\n    {A} = {A} / {A}.max()",
            f"if jnp.allclose({A}.sum(axis=1), 1.0):\n    return {A}.sum()",
            f"if {A}.shape[0] > 1 and {A}[0].sum() > {t}:\n    {A} = {A} - {A}[0]",
            f"norms = jnp.linalg.norm({A}, axis=1)\nif (norms > {t}).any():\n    {A} = {A} / jnp.maximum(norms, 1.0)[:, None]",
        )
    )
    return w.end("scalar", w.pick(f"{A}.sum()", f"{A}.mean()", f"{A}[0, 0]", f"jnp.max({A}, axis=0).sum()"))


WAYS = [of_all_cells, of_all_cells, rows_and_columns, rows_and_columns, pairs, pairs, by_row, by_row, conditioned]
