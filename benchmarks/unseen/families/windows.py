"""Windows whose place is data: batches, neighbourhoods, reversals."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def _end(w: Writer, n: Names, window: str) -> Draft:
    w.line(f"part = {window}")
    end = w.pick("part", "part.sum()", "part.mean()", "jnp.max(part)", "(part ** 2).sum()", "part * 2.0", "part[0]", "part[-1]")
    return w.end("ragged" if end in ("part", "part * 2.0") else "scalar", end)


def batch(w: Writer, n: Names) -> Draft:
    X = w.take(n.matrix, "floats", ("n", "m")) if w.maybe(0.4) else w.take(n.x, "floats", ("n",))
    k = w.take(w.pick("k", "i", "batch"), "int", values=(0, 1, 2, 3))
    b = w.take(w.pick("b", "batch_size", "size"), "size")
    return _end(w, n, w.pick(f"{X}[{k} * {b} : ({k} + 1) * {b}]", f"{X}[{k} * {b}:{k} * {b} + {b}]"))


def neighbours(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",))
    i = w.take(w.pick("i", "t", "pos"), "int", values="window")
    form = w.chance.randrange(5)
    if form == 0:
        return _end(w, n, f"{x}[{i} : {i} + {w.pick('2', '3')}]")
    if form == 1:
        return _end(w, n, f"{x}[max({i} - 1, 0) : {i} + 2]")
    if form == 2:
        return _end(w, n, f"{x}[jnp.arange({i} - 1, {i} + 2) % {x}.shape[0]]")
    if form == 3:
        h = w.take("width", "size")
        return _end(w, n, f"{x}[{i}:{i} + {h}]")
    return _end(w, n, w.pick(f"{x}[:{i}]", f"{x}[{i}:]", f"{x}[{i}:-1]"))


def from_the_end(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",))
    k = w.take("k", "int", values=(2, 1, 3, 5))
    return _end(w, n, w.pick(f"{x}[-{k}:]", f"{x}[:-{k}]", f"{x}[{x}.shape[0] - {k}:]", f"{x}[::-1][:{k}]"))


def reversal(w: Writer, n: Names) -> Draft:
    """A part turned round, as in 2-opt."""
    x = w.take(n.x, "floats", ("n",))
    i, j = w.take("i", "int", values=(1, 0, 2)), w.take("j", "int", values=(3, 4, 5, 2))
    w.line(
        w.pick(
            f"{n.total} = jnp.concatenate([{x}[:{i}], {x}[{i}:{j}][::-1], {x}[{j}:]])",
            f"{n.total} = {x}.at[{i}:{j}].set({x}[{i}:{j}][::-1])",
            f"{n.total} = jnp.concatenate([{x}[{i}:], {x}[:{i}]])",
        )
    )
    return w.end("array", n.total)


def written(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",))
    i = w.take("i", "int", values="window")
    value = w.take(n.rate, "float", values="share")
    return w.end(
        "array", w.pick(f"{x}.at[{i}:{i} + 2].set({value})", f"{x}.at[:{i}].add({value})", f"{x}.at[{i}:].multiply({value})")
    )


WAYS = [batch, batch, neighbours, neighbours, from_the_end, reversal, written]
