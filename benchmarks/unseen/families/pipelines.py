"""Lengths that depend on data, two to four steps long: what `lengths` does with them, and parts that are set, padded or turned,
tables of all pairs, other spellings of what selects and of what a list is given."""

from __future__ import annotations

from collections.abc import Callable

from ..program import Draft, Writer
from ..vocabulary import Names
from . import lengths


def write(w: Writer, n: Names) -> Draft:
    w.chance.choice(SOURCES)(w, n)
    for _ in range(w.chance.choice([2, 2, 3, 4])):
        w.chance.choice(STEPS)(w, n)
    return w.chance.choice(ENDS)(w, n)


# -- sources ----------------------------------------------------------------------------------------


def grown(w: Writer, n: Names) -> None:
    x, t = w.take(n.x, "floats", ("n",), "mixed"), w.take(n.limit, "float", values="limit")
    more = w.pick("{k} += [{v}]", "{k} = {k} + [{v}]", "{k}.extend([{v}])", "{k} += [{v} * 2.0]").format(k=n.kept, v=n.item)
    w.line(
        f"{n.kept} = []",
        f"""
        for {n.item} in {x}:
            if {n.item} > {t}:
                {more}
        """,
        f"{n.kept} = jnp.{w.pick('array', 'asarray')}({n.kept})",
    )


def placed(w: Writer, n: Names) -> None:
    x, t = w.take(n.x, "floats", ("n",), "mixed"), w.take(n.limit, "float", values="limit")
    places = w.pick(f"jnp.argwhere({x} > {t}).squeeze(-1)", f"jnp.argwhere({x} > {t}).reshape(-1)", f"({x} > {t}).nonzero()[0]")
    w.line(f"{n.index} = {places}")
    w.line(f"{n.kept} = {w.pick(f'jnp.take({x}, {n.index}, axis=0)', f'{x}.take({n.index})', f'{x}[{n.index}]')}")


SOURCES = [*lengths.SOURCES, grown, placed]

# -- steps ------------------------------------------------------------------------------------------


def _becomes(*made: str) -> Callable[[Writer, Names], None]:
    def step(w: Writer, n: Names) -> None:
        w.line(f"{n.kept} = {w.pick(*made).format(k=n.kept)}")

    return step


part_set = _becomes(
    "{k}.at[1:].multiply(2)", "{k}.at[:-1].add(0.5)", "{k}.at[::2].set(0)", "{k}.at[-2:].set(1.0)", "{k}.at[0].set(0)"
)
longer = _becomes(
    "jnp.pad({k}, (1, 0))", "jnp.pad({k}, (0, 2))", "jnp.tile({k}, 2)", "jnp.repeat({k}, 2)", "jnp.hstack([{k}, {k}])"
)
turned = _becomes(
    "jnp.roll({k}, 1)", "jnp.roll({k}, -1) - {k}", "{k}[jnp.argsort(-{k})]", "{k}.sort()", "jnp.cumsum({k}[::-1])[::-1]"
)
shaped = _becomes("{k}.reshape(-1, 1).sum(axis=1)", "jnp.expand_dims({k}, 0).squeeze(0)", "{k}[:, None][:, 0]")
scaled = _becomes(
    "({k} - {k}.mean()) / ({k}.std() + 1e-6)",
    "{k} / jnp.arange(1, len({k}) + 1)",
    "jnp.exp({k} - {k}.max())",
    "{k} * jnp.arange({k}.size)",
)
STEPS = [*lengths.PIPELINES, part_set, part_set, longer, turned, turned, shaped, scaled]

# -- ends -------------------------------------------------------------------------------------------


def of_all_pairs(w: Writer, n: Names) -> Draft:
    table = w.pick("jnp.outer({k}, {k})", "jnp.abs({k}[:, None] - {k})", "{k}[:, None] * {k}[None, :]").format(k=n.kept)
    w.line(f"table = {table}")
    return w.end("scalar", w.pick("table.sum()", "jnp.linalg.norm(table)", "table.max()", "jnp.trace(table)"))


def numbered(w: Writer, n: Names) -> Draft:
    k = n.kept
    w.line(
        f"{n.total} = 0.0",
        w.pick(
            f"for i in range(len({k})):\n    {n.total} = {n.total} * 0.5 + {k}[i]",
            f"for i in range({k}.shape[0]):\n    if {k}[i] > 0:\n        {n.total} += {k}[i]",
            f"for i in range(1, len({k})):\n    {n.total} += ({k}[i] - {k}[i - 1]) ** 2",
            f"for i, {n.item} in enumerate({k}):\n    {n.total} += i * {n.item}",
        ),
    )
    return w.end("scalar", n.total)


ENDS = [*lengths.ENDS, of_all_pairs, numbered, numbered]
