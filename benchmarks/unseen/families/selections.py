"""What is chosen by data, further: sources and consumers that are less common, and two arrays chosen by one mask."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def _given(w: Writer, n: Names) -> tuple[str, str]:
    return w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")


def together(w: Writer, n: Names) -> Draft:
    """Two arrays, one mask."""
    x, t = _given(w, n)
    y = w.take(n.y, "floats", ("n",))
    test = w.pick(f"{x} > {t}", f"({x} > {t}) & ({y} < 2.0)", f"~jnp.isnan({y})", f"{y} != 0", f"jnp.abs({x} - {y}) < {t}")
    if w.maybe():
        w.line(f"{n.mask} = {test}", f"a, b = {x}[{n.mask}], {y}[{n.mask}]")
    else:
        w.line(f"{n.index} = jnp.{w.pick('where', 'nonzero')}({test})[0]", f"a = {x}[{n.index}]\nb = {y}[{n.index}]")
    if w.maybe(0.3):
        w.line(w.pick("b = b / 2.0", "a = a - a.mean()", "b = jnp.abs(b)", "a = jnp.sort(a)"))
    end = w.pick(
        "a @ b",
        "jnp.dot(a, b) / len(a)",
        "((a - b) ** 2).mean()",
        "jnp.abs(a - b).max()",
        "(a * b).sum()",
        "jnp.sum(a) / jnp.sum(jnp.abs(b))",
        "jnp.outer(a, b).sum()",
        "jnp.sqrt(jnp.mean((a - b) ** 2))",
        "jnp.average(a, weights=jnp.abs(b))",
        "b[jnp.argmax(a)]",
        "a[jnp.argsort(b)][0]",
        "jnp.all(a >= b)",
        "(a > b).sum()",
        "sum(u * v for u, v in zip(a, b))",
        "jnp.einsum('i,i->', a, b)",
        "jnp.concatenate([a, b]).sum()",
        "jnp.max(jnp.stack([a, b]))",
        "jnp.maximum(a, b).sum()",
        "jnp.where(a > b, a, b).mean()",
    )
    return w.end("count" if end in ("jnp.all(a >= b)", "(a > b).sum()") else "scalar", end)


def further_sources(w: Writer, n: Names) -> Draft:
    """Dynamic slices with a traced size, sets of values, trimming, sizes of new arrays."""
    x, t = _given(w, n)
    form = w.chance.randrange(9)
    k = n.kept
    if form == 0:
        w.use("lax")
        size = w.take("count", "int", values=(2, 1, 3, 4))
        w.line(
            f"{k} = "
            + w.pick(f"lax.dynamic_slice({x}, (0,), ({size},))", f"lax.dynamic_slice_in_dim({x}, 0, {size})", f"{x}[:{size}]")
        )
    elif form == 1:
        y = w.take(n.y, "floats", ("m",))
        w.line(f"{k} = jnp.{w.pick('union1d', 'intersect1d', 'setdiff1d', 'setxor1d')}({x}, {y})")
    elif form == 2:
        w.line(
            w.pick(
                f"{k} = jnp.unique_values({x})",
                f"{k} = jnp.unique_counts({x}).values",
                f"_, first = jnp.unique({x}, return_index=True)\n{k} = {x}[first]",
                f"{k}, _ = jnp.unique({x}, return_counts=True)",
                f"values, counts = jnp.unique({x}, return_counts=True)\n{k} = values[counts == 1]",
            )
        )
    elif form == 3:
        w.line(f"{k} = jnp.delete({x}, {w.pick(f'jnp.where({x} > {t})[0]', f'jnp.nonzero({x} < {t})[0]', f'{x} > {t}')})")
    elif form == 4:
        w.line(f"how_many = int(({x} > {t}).sum())")
        new = ("jnp.zeros(how_many)", "jnp.ones(how_many)", "jnp.linspace(0.0, 1.0, how_many)", "jnp.full(how_many, 2.0)")
        w.line(f"{k} = {w.pick(*new)}")
    elif form == 5:
        w.line(f"order = jnp.argsort({x})\n{k} = {x}[order[:int(({x} > {t}).sum())]]")
    elif form == 6:
        w.line(f"{k} = jnp.trim_zeros({x})" if w.maybe() else f"{k} = {x}[:int(jnp.argmax({x}))]")
    elif form == 7:
        w.line(
            f"first, last = {x}[{x} > {t}], {x}[{x} <= {t}]\n{k} = jnp.concatenate([{w.pick('first, last', 'last, first')}])"
        )
    else:
        w.line(f"{k} = jnp.array(list(filter(lambda v: v > {t}, {x})))")
    return _consumed(w, n)


def usual(w: Writer, n: Names) -> Draft:
    x, t = _given(w, n)
    w.line(f"{n.kept} = {x}[{x} {w.pick('>', '<=', '!=')} {t}]")
    return _consumed(w, n)


def _consumed(w: Writer, n: Names) -> Draft:
    k = n.kept
    end, gives = w.chance.choice(
        [
            (f"max({k})", "scalar"),
            (f"min({k})", "scalar"),
            (f"sorted({k})[0]", "scalar"),
            (f"({k}[1:] - {k}[:-1]).sum()", "scalar"),
            (f"jnp.sum({k}[1:] * {k}[:-1])", "scalar"),
            (f"sum(abs(b - a) for a, b in zip({k}, {k}[1:]))", "scalar"),
            (f"sum(i * v for i, v in enumerate({k}))", "scalar"),
            (f"{k}[jnp.argsort({k})][-1]", "scalar"),
            (f"jnp.any({k} > 1.0)", "count"),
            (f"({k} > 0).sum()", "count"),
            (f"jnp.all({k} > 0)", "count"),
            (f"{k}.at[0].set(5.0).sum()", "scalar"),
            (f"jax.nn.softmax({k}).max()", "scalar"),
            (f"jax.scipy.special.logsumexp({k})", "scalar"),
            (f"jnp.searchsorted(jnp.sort({k}), 0.5)", "count"),
            (f"jnp.histogram({k}, bins=jnp.array([-2.0, 0.0, 1.0, 4.0]))[0]", "array"),
            (f"jnp.quantile({k}, jnp.array([0.25, 0.5]))", "array"),
            (f"jnp.cumsum({k})[-1]", "scalar"),
            (f"jnp.diff(jnp.sort({k})).max()", "scalar"),
            (f"{k}.sum() if len({k}) else 0.0", "scalar"),
            (f"{k}.mean() if {k}.size > 1 else jnp.nan", "scalar"),
            (f"jnp.linalg.norm({k}, 1)", "scalar"),
            (f"jnp.linalg.norm({k}, jnp.inf)", "scalar"),
            (f"{k}[len({k}) // 2]", "scalar"),
            (f"{k}[-2:].sum()", "scalar"),
            (f"{k}[::2].sum()", "scalar"),
            (f"jnp.ptp({k})", "scalar"),
            (f"jnp.trapezoid({k})", "scalar"),
            (f"jnp.polyval({k}, 0.5)", "scalar"),
            (f"jnp.array([{k}.min(), {k}.mean(), {k}.max()])", "array"),
            (f"{{'mean': {k}.mean(), 'n': len({k})}}", "tuple"),
            (f"jnp.zeros(3).at[:len({k})].add(1.0)", "array"),
        ]
    )
    if "jax." in end:
        w.use("jax")
    return w.end(gives, end)  # type: ignore[arg-type]


def by_group(w: Writer, n: Names) -> Draft:
    """Sums and medians by group of what is chosen."""
    x, t = _given(w, n)
    group = w.take(n.group, "labels", ("n",))
    form = w.chance.randrange(4)
    if form == 0:
        w.use("jax")
        w.line(f"{n.mask} = {x} > {t}")
        which = w.pick("segment_sum", "segment_max")
        return w.end("array", f"jax.ops.{which}({x}[{n.mask}], {group}[{n.mask}], num_segments=3)")
    if form == 1:
        w.line(f"{n.mask} = {x} > {t}")
        return w.end("array", f"jnp.zeros(3).at[{group}[{n.mask}]].add({x}[{n.mask}])")
    if form == 2:
        w.line(f"{n.mask} = {x} {w.pick('>', '<')} {t}")
        weights = w.pick("", f", weights={x}[{n.mask}]")
        return w.end("array", f"jnp.bincount({group}[{n.mask}]{weights}, length=3)")
    w.line(f"out = []\nfor g in range(3):\n    part = {x}[{group} == g]\n    if len(part) == 0:\n        continue")
    w.draft.body += [f"    out.append({w.pick('jnp.median(part)', 'part.max() - part.min()', 'part[0]')})"]
    return w.end(*w.chance.choice([("scalar", "sum(out)"), ("count", "len(out)")]))


WAYS = [together, together, further_sources, further_sources, usual, usual, by_group]
