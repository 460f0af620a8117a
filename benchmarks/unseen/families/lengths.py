"""Lengths that depend on data: sources × pipelines × ends."""

from __future__ import annotations

from collections.abc import Callable

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    if w.maybe(0.12):
        return _rows(w, n)
    source = w.chance.choice(SOURCES)
    source(w, n)
    for _ in range(w.chance.choice([0, 0, 1, 1, 1, 2])):
        w.chance.choice(PIPELINES)(w, n)
    return w.chance.choice(ENDS)(w, n)


def _data(w: Writer, n: Names, values: str = "mixed") -> str:
    return w.take(n.x, "floats", ("n",), values)


def _limit(w: Writer, n: Names) -> str:
    return w.take(n.limit, "float", values="limit")


# -- sources: each leaves an array of unknown length in n.kept --------------------------------------


def masked(w: Writer, n: Names) -> None:
    form = w.chance.randrange(5)
    if form == 0:
        x = _data(w, n, "missing")
        w.line(f"{n.kept} = {x}[~jnp.isnan({x})]")
    elif form == 1:
        x, t = _data(w, n), _limit(w, n)
        w.remark("only what is above the limit", "drop small values", "selection")
        w.line(f"{n.mask} = {x} {w.pick('>', '>=', '<')} {t}", f"{n.kept} = {x}[{n.mask}]")
    elif form == 2:
        x, t = _data(w, n), _limit(w, n)
        w.line(f"{n.kept} = {x}[({x} > {t}) & ({x} < {w.pick('2.0', '1.75', '3.5')})]")
    elif form == 3:
        x, y, t = _data(w, n), w.take(n.y, "floats", ("n",)), _limit(w, n)
        w.line(f"{n.kept} = {x}[{y} > {t}]")
    else:
        x, t = _data(w, n), _limit(w, n)
        w.line(f"{n.kept} = {x}[jnp.abs({x}) {w.pick('>', '<=')} {t}]")


def indexed(w: Writer, n: Names) -> None:
    x, t = _data(w, n), _limit(w, n)
    test = f"{x} {w.pick('>', '<', '>=')} {t}"
    w.line(
        w.pick(
            f"{n.index} = jnp.nonzero({test})[0]",
            f"({n.index},) = jnp.where({test})",
            f"{n.index} = jnp.where({test})[0]",
            f"{n.index} = jnp.argwhere({test})[:, 0]",
            f"{n.index} = jnp.argwhere({test}).ravel()",
            f"{n.index} = jnp.flatnonzero({test})",
        )
    )
    w.line(w.pick(f"{n.kept} = {x}[{n.index}]", f"{n.kept} = jnp.take({x}, {n.index})"))


def unique(w: Writer, n: Names) -> None:
    group = w.take(n.group, "labels", ("n",))
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"{n.kept} = jnp.unique({group}) * 1.0")
    elif form == 1:
        w.line(f"_, {n.kept} = jnp.unique({group}, return_counts=True)", f"{n.kept} = {n.kept} / {group}.shape[0]")
    else:
        x = _data(w, n)
        w.line(f"{n.kept} = jnp.unique({x})")


def library(w: Writer, n: Names) -> None:
    x = _data(w, n)
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"{n.kept} = jnp.compress({x} > {_limit(w, n)}, {x})")
    elif form == 1:
        w.line(f"{n.kept} = jnp.extract({x} > {_limit(w, n)}, {x})")
    elif form == 2:
        w.line(f"{n.kept} = jnp.delete({x}, {w.pick(f'jnp.argmax({x})', f'jnp.argmin({x})')})")
    elif form == 3:
        w.line(f"{n.kept} = jnp.repeat({x}, {w.take('counts' if n.x != 'counts' else 'times', 'counts', ('n',))})")
    else:
        w.line(f"{n.kept} = {x}[jnp.isfinite({x})]")


def counted(w: Writer, n: Names) -> None:
    x = _data(w, n)
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"how_many = int(({x} > {_limit(w, n)}).sum())", f"{n.kept} = {x}[:how_many]")
    elif form == 1:
        w.line(f"how_many = int(jnp.sum({x} > {_limit(w, n)}))", f"{n.kept} = jnp.arange(how_many) * 0.5")
    elif form == 2:
        a, b = w.take("start", "int", values="places"), w.take("stop", "int", values="places")
        w.line(f"{n.kept} = {x}[{a}:{b}]")
    elif form == 3:
        w.line(f"{n.kept} = {x}[-{w.take('last', 'int', values=(2, 1, 3))}:]")
    else:
        w.line(f"{n.kept} = jnp.split({x}, [{w.take('at', 'int', values='places')}])[{w.pick('0', '1')}]")


def listed(w: Writer, n: Names) -> None:
    x, t = _data(w, n), _limit(w, n)
    value = w.pick(n.item, f"{n.item} * 2.0", f"{n.item} - {t}", f"{n.item} ** 2")
    if w.maybe():
        w.line(f"{n.kept} = jnp.array([{value} for {n.item} in {x} if {n.item} > {t}])")
        return
    w.line(
        f"{n.kept} = []",
        f"""
        for {n.item} in {x}:
            if {n.item} > {t}:
                {n.kept}.append({value})
        """,
        f"{n.kept} = jnp.array({n.kept})",
    )


SOURCES: list[Callable[[Writer, Names], None]] = [masked, masked, indexed, indexed, unique, library, counted, listed]

# -- pipelines: n.kept becomes another array of unknown length --------------------------------------


def arithmetic(w: Writer, n: Names) -> None:
    k = n.kept
    w.line(
        w.pick(
            f"{k} = {k} * 2.0 + 1.0",
            f"{k} = jnp.log1p(jnp.abs({k}))",
            f"{k} = {k} - {k}.mean()",
            f"{k} = jnp.exp(-{k})",
            f"{k} = ({k} - 0.5) ** 2",
            f"{k} = jnp.sqrt(jnp.abs({k}))",
            f"{k} = {k} / 4.0",
        )
    )


def masked_again(w: Writer, n: Names) -> None:
    w.line(f"{n.kept} = {n.kept}[{n.kept} {w.pick('<', '>')} {w.pick('2.0', '0.25', '1.0')}]")


def joined(w: Writer, n: Names) -> None:
    k = n.kept
    other = w.take(n.y, "floats", ("n",)) if w.maybe(0.4) else ""
    w.line(
        f"{k} = jnp.concatenate([{k}, {other}])"
        if other
        else w.pick(f"{k} = jnp.append({k}, 0.0)", f"{k} = jnp.concatenate([jnp.zeros(1), {k}])", f"{k} = jnp.append({k}, {k})")
    )


def ordered(w: Writer, n: Names) -> None:
    k = n.kept
    w.line(w.pick(f"{k} = jnp.sort({k})", f"{k} = {k}[::-1]", f"{k} = jnp.sort({k})[::-1]", f"{k} = jnp.flip({k})"))


def running(w: Writer, n: Names) -> None:
    k = n.kept
    w.line(w.pick(f"{k} = jnp.cumsum({k})", f"{k} = jnp.clip({k}, -1.0, 1.5)", f"{k} = jnp.diff({k})"))


def in_a_helper(w: Writer, n: Names) -> None:
    name = w.pick("_rescale", "squash", "_transform")
    w.draft.helpers.append(
        f"def {name}(z):\n    return {w.pick('z * 0.5 + 1.0', 'jnp.tanh(z)', 'z - jnp.max(z)', 'z[z > 0]')}\n"
    )
    w.line(f"{n.kept} = {name}({n.kept})")


PIPELINES = [arithmetic, arithmetic, masked_again, joined, ordered, running, in_a_helper]

# -- ends -------------------------------------------------------------------------------------------


def reduced(w: Writer, n: Names) -> Draft:
    k = n.kept
    return w.end(
        "scalar",
        w.pick(
            f"{k}.sum()",
            f"jnp.sum({k})",
            f"{k}.mean()",
            f"jnp.mean({k})",
            f"{k}.std()",
            f"jnp.var({k})",
            f"jnp.median({k})",
            f"jnp.quantile({k}, 0.25)",
            f"jnp.percentile({k}, 75)",
            f"{k}.max()",
            f"jnp.min({k})",
            f"jnp.linalg.norm({k})",
            f"jnp.sqrt(jnp.sum({k} ** 2))",
            f"jnp.prod({k})",
            f"jnp.max({k}) - jnp.min({k})",
            f"{k} @ {k}",
            f"sum({k})",
        ),
    )


def counted_up(w: Writer, n: Names) -> Draft:
    k = n.kept
    end = w.pick(f"len({k})", f"{k}.size", f"{k}.shape[0]", f"jnp.argmax({k})", f"len({k}) > 2", f"(jnp.mean({k}), len({k}))")
    return w.end("tuple" if end.startswith("(") else "count", end)


def guarded(w: Writer, n: Names) -> Draft:
    k = n.kept
    test = w.pick(f"len({k}) == 0", f"{k}.size == 0", f"{k}.shape[0] < 2", f"len({k}) == 0")
    w.line(f"if {test}:\n    return {w.pick('0.0', 'jnp.nan', '-1.0', '0')}")
    return w.end(
        "scalar", w.pick(f"{k}.mean()", f"jnp.max({k})", f"{k}.sum() / len({k})", f"{k}[-1] - {k}[0]", f"jnp.median({k})")
    )


def one_of_them(w: Writer, n: Names) -> Draft:
    return w.end("scalar", w.pick(f"{n.kept}[0]", f"{n.kept}[-1]", f"{n.kept}[0] + {n.kept}[-1]", f"{n.kept}[1]"))


def looped(w: Writer, n: Names) -> Draft:
    value = w.pick(n.item, f"{n.item} ** 2", f"jnp.sin({n.item})", f"{n.item} * 0.5")
    start = w.pick("0.0", "0", "1.0")
    w.line(
        f"{n.total} = {start}",
        f"for {n.item} in {n.kept}:\n    {n.total} = {n.total} + {value}"
        if w.maybe()
        else f"for {n.item} in {n.kept}:\n    {n.total} += {value}",
    )
    return w.end("scalar", n.total)


def written(w: Writer, n: Names) -> Draft:
    x, t = _data(w, n), _limit(w, n)
    w.line(f"ix = jnp.where({x} < {t})[0]", f"{n.total} = {x}.at[ix].set({w.pick('0.0', t, '-1.0')})")
    return w.end("array", w.pick(n.total, f"{n.total} + jnp.sum({n.kept})", f"{n.total} * len({n.kept})"))


def of_fixed_size(w: Writer, n: Names) -> Draft:
    k = n.kept
    return w.end(
        "array",
        w.pick(
            f"jnp.pad({k}, (0, 40 - len({k})))",
            f"jnp.zeros(40).at[: {k}.shape[0]].set({k})",
            f"jnp.histogram({k}, bins=4, range=(-2.0, 2.0))[0]",
            f"jnp.histogram({k}, 3)[0]",
        ),
    )


def returned(w: Writer, n: Names) -> Draft:
    return w.end("ragged", n.kept)


ENDS = [reduced, reduced, reduced, counted_up, guarded, one_of_them, looped, written, of_fixed_size, returned]


def _rows(w: Writer, n: Names) -> Draft:
    """Rows of a matrix that are chosen by their values."""
    X = w.take(n.matrix, "floats", ("n", "m"))
    y = w.take(n.y, "floats", ("n",))
    t = _limit(w, n)
    w.line(
        w.pick(
            f"rows = {X}[{y} > {t}]",
            f"{n.mask} = {y} > {t}\nrows = {X}[{n.mask}]",
            f"{n.index} = jnp.where({X}[:, 0] > {t})[0]\nrows = {X}[{n.index}]",
            f"rows = {X}[jnp.all({X} > {t}, axis=1)]",
        )
    )
    end = w.pick(
        "rows.T @ rows",
        "rows.mean(axis=0)",
        "rows.sum(axis=0)",
        "jnp.max(rows, axis=0)",
        "jnp.median(rows, axis=0)",
        "jnp.linalg.norm(rows)",
        "rows.sum()",
        "jnp.cov(rows.T)",
    )
    return w.end("scalar" if end in ("jnp.linalg.norm(rows)", "rows.sum()") else "array", end)
