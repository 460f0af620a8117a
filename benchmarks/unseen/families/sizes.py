"""Sizes that are known and are computed through jnp."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def of_a_shape(w: Writer, n: Names) -> Draft:
    X = w.take(n.matrix, "floats", ("n", "m"))
    form = w.chance.randrange(6)
    if form == 0:
        size = w.pick("jnp.prod(jnp.array(S))", "jnp.array(S).prod()", "int(jnp.prod(jnp.asarray(S)))").replace(
            "S", f"{X}.shape"
        )
        w.line(f"size = {size}")
        return w.end("array", f"{X}.reshape({w.pick('size', '1, size')})")
    if form == 1:
        k = w.take("k", "size", values=(2, 3, 8))
        w.line(f"top = {w.pick(f'jnp.minimum({X}.shape[0], {k})', f'jnp.minimum({k}, len({X}))')}")
        return w.end("array", f"{X}[:top]")
    if form == 2:
        half = w.pick("int(jnp.ceil(N / 2))", "jnp.ceil(N / 2).astype(int)", "jnp.floor(N / 2).astype(jnp.int32)")
        w.line(f"half = {half.replace('N', f'{X}.shape[0]')}")
        return w.end("array", f"{X}[:half]")
    if form == 3:
        w.line(f"depth = int(jnp.log2({X}.shape[0]))\nfor _ in range(depth):\n    {X} = {X} * 0.5 + 1.0")
        return w.end("array", X)
    if form == 4:
        w.line(f"n = jnp.max(jnp.array({X}.shape))")
        return w.end("array", w.pick("jnp.eye(n)", "jnp.zeros((n, n))", f"jnp.linspace(0.0, 1.0, n) * {X}.sum()"))
    w.line(f"n = jnp.asarray({X}.shape[0]) {w.pick('+ 1', '* 2')}")
    return w.end("array", f"jnp.zeros(n).at[0].set({X}.sum())")


def of_a_number(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",))
    k = w.take(w.pick("k", "n_bins", "order"), "size", values=(4, 3, 9))
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"side = {w.pick(f'int(jnp.sqrt({k}))', f'jnp.sqrt({k}).astype(int)', f'int(jnp.ceil(jnp.sqrt({k})))')}")
        return w.end("array", f"jnp.ones((side, side)) * {x}.sum()")
    if form == 1:
        w.line(f"width = {w.pick(f'jnp.asarray({k}) + 1', f'jnp.maximum({k}, 2)', f'jnp.abs({k})')}")
        return w.end("array", f"jnp.linspace(0.0, {x}.max(), {w.pick('width', 'int(width)')})")
    if form == 2:
        w.line(f"levels = int(jnp.log2({k}))\nfor i in range(levels):\n    {x} = {x} + i")
        return w.end("array", x)
    if form == 3:
        w.line(f"powers = jnp.arange({w.pick(f'jnp.floor({k} / 2)', f'jnp.ceil({k} / 2)', f'{k}')})")
        return w.end("array", f"{x}[:, None] ** powers")
    w.line(f"grid = jnp.zeros({w.pick(f'jnp.array({k})', f'(jnp.array({k}), 2)', f'int(jnp.round({k} / 2))')})")
    return w.end("array", f"grid + {x}.mean()")


WAYS = [of_a_shape, of_a_number]
