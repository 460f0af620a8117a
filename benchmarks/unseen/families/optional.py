"""Optional arguments, left at their defaults or given."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",), w.pick("mixed", "positive"))
    t = w.take(n.limit, "float", values="limit")
    w.chance.choice(OPTIONS)(w, n)
    if w.maybe(0.4):
        w.chance.choice(OPTIONS)(w, n)
    w.line(
        w.pick(
            f"if {x}.sum() > {t}:\n    {x} = {x} / 2",
            f"if jnp.any({x} > {t}):\n    return {x}.sum()",
            f"if {t} > 0:\n    {x} = {x} - {t}",
            f"{t} = max({t}, 0.0)",
        )
    )
    return w.end("scalar", w.pick(f"{x}.sum()", f"jnp.mean({x}) + {t}", f"({x} ** 2).sum()"))


def weights(w: Writer, n: Names) -> None:
    name = w.pick("weights", "w", "mask") if n.x not in ("weights", "w") else "wts"
    w.take(name, "floats or none", ("n",), "positive", "None")
    w.line(
        w.pick(
            f"if {name} is not None:\n    {n.x} = {n.x} * {name}",
            f"if {name} is None:\n    {name} = jnp.ones_like({n.x})\n{n.x} = {n.x} * {name} / {name}.sum()",
            f"if {name} is not None and jnp.sum({name}) > 2:\n    {n.x} = {n.x} * {name} / jnp.sum({name})",
        )
    )


def number(w: Writer, n: Names) -> None:
    name = n.rate
    w.take(name, "float", values="share", default="None")
    w.line(
        w.pick(
            f"{name} = {name} or 0.5",
            f"if {name} is None:\n    {name} = 0.25",
            f"{name} = 0.5 if {name} is None else {name}",
            f"if {name} is None:\n    {name} = {n.x}.max()",
            f"{name} = {name} if {name} is not None else jnp.mean({n.x})",
        )
    )
    w.line(f"{n.x} = {n.x} * {name}")


def limit(w: Writer, n: Names) -> None:
    w.take(n.upper, "float", values="limit", default=w.pick("None", "None", "1.5", "2"))
    default = w.draft.parameters[-1].default
    guard = f"{n.upper} is not None and " if default == "None" else ""
    w.line(
        w.pick(
            f"if {guard}{n.x}.max() > {n.upper}:\n    {n.x} = jnp.minimum({n.x}, {n.upper})",
            f"if {guard}{n.limit} > {n.upper}:\n    {n.limit} = {n.upper}",
        )
    )


def tolerance(w: Writer, n: Names) -> None:
    w.take("eps", "float", values=(0.5, 0.0, 0.25), default=w.pick("0.0", "1e-3", "0.5"))
    w.line(f"if eps > 0:\n    {n.x} = {n.x} + eps" if w.maybe() else f"{n.x} = {n.x} / (jnp.abs({n.x}).max() + (eps or 1.0))")


def way(w: Writer, n: Names) -> None:
    default = w.pick('"none"', '"scale"')
    w.take("mode", "choice", values=("none", "scale"), default=default)
    w.line(f'if mode == "scale" and {n.x}.max() > {n.limit}:\n    {n.x} = {n.x} / 2.0')


OPTIONS = [weights, number, number, limit, limit, tolerance, way]
