"""Python's own functions on traced values: conversions, `round`, `divmod`, `sorted`, `any`, generators that count, `math`."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def converted(w: Writer, n: Names) -> Draft:
    """A number of Python's made of an array's, and what is done with it."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    a = w.pick(f"{x}[0]", f"{x}.sum()", f"{x}.mean()", t, f"{x}[-1] * 3")
    number = w.pick(
        f"int({a})",
        f"float({a})",
        f"round({a})",
        f"round(float({a}), 1)",
        f"int(round({a}))",
        f"abs(float({a}))",
        f"float({a}) // 2",
        f"float({a}) % 2",
        f"int({a}) // 2",
        f"int({a}) % 3",
        f"-(-int({a}) // 2)",
        f"bool({a})",
        f"({a}).item()" if a != t else f"float({a})",
        f"int({a} > 0) + int({a} > 1)",
        f"float({a}) ** 2",
        f"int({a}) ** 2",
    )
    w.line(f"number = {number}")
    w.draft.differentiable = False
    w.line(
        w.pick(
            "out = number * 2",
            f"out = {x} * number",
            "out = number",
            f"out = number + {x}.max()",
            f"out = {x}.sum() if number > 1 else number",
        )
    )
    array = "out = " + x in "\n".join(w.draft.body) and "if number" not in w.draft.body[-1]
    return w.end("array" if array else "scalar", "out")


def of_math(w: Writer, n: Names) -> Draft:
    w.use("math")
    w.draft.differentiable = False
    x, t = w.take(n.x, "floats", ("n",), "positive"), w.take(n.limit, "float", values="limit")
    a = w.pick(f"{x}.sum()", f"{x}[0]", f"{x}.mean()")
    w.line(
        "value = "
        + w.pick(
            f"math.sqrt({a})",
            f"math.floor({a})",
            f"math.ceil({a})",
            f"math.log({a})",
            f"math.log({a}, 2)",
            f"math.exp(-{a})",
            f"math.copysign({a}, {t})",
            f"math.fabs({t})",
            f"math.isnan({t})",
            f"math.isclose({a}, {t})",
            f"math.hypot({a}, {t})",
            f"math.trunc({t})",
            f"math.fmod({t}, 2)",
            f"math.pow({a}, 2)",
            f"math.radians({a})",
            f"math.atan2({a}, {t})",
            f"math.fsum({x})",
            f"math.prod({x})",
            f"math.dist({x}, {x} * 2)",
            f"math.erf({t})",
            f"math.lgamma({a})",
        )
    )
    return w.end("scalar", w.pick("value", "value * 2", f"value + {x}.max()"))


def counted(w: Writer, n: Names) -> Draft:
    """Generators that count, look for, and add up."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    test = w.pick(f"v > {t}", f"v < {t} and v > -1", f"abs(v) > {t} or v == 0.5", f"not v > {t}", f"-1 < v <= {t}")
    end, gives = w.chance.choice(
        [
            (f"sum(1 for v in {x} if {test})", "count"),
            (f"len([v for v in {x} if {test}])", "count"),
            (f"any({test} for v in {x})", "count"),
            (f"all({test} for v in {x})", "count"),
            (f"sum(v for v in {x} if {test})", "scalar"),
            (f"sum([v * 2 if {test} else 0 for v in {x}])", "scalar"),
            (f"sum({test} for v in {x})", "count"),
            (f"max([v for v in {x} if {test}], default=0.0)", "scalar"),
            (f"next((v for v in {x} if {test}), {w.pick('0.0', '-1.0', t)})", "scalar"),
            (f"next((i for i, v in enumerate({x}) if {test}), -1)", "count"),
            (f"[i for i, v in enumerate({x}) if {test}][0]", "count"),
            (f"max(range(len({x})), key=lambda i: {x}[i])", "count"),
            (f"min({x}, key=lambda v: abs(v - {t}))", "scalar"),
            (f"max(v * w for v, w in zip({x}, {x}[1:]))", "scalar"),
            (f"sum(a < b for a, b in zip({x}, {x}[1:]))", "count"),
            (f"jnp.array([v if {test} else -v for v in {x}])", "array"),
            (f"[v * 2 for v in {x} if {test}][-1]", "scalar"),
        ]
    )
    return w.end(gives, end)  # type: ignore[arg-type]


def sorted_values(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(6)
    if form == 0:
        w.line(f"ordered = sorted({x}{w.pick('', ', reverse=True', ', key=lambda v: -v', ', key=abs')})")
        return w.end(
            "scalar", w.pick("ordered[0]", "ordered[-1] - ordered[0]", "ordered[len(ordered) // 2]", "sum(ordered[1:])")
        )
    if form == 1:
        w.line(f"order = sorted(range(len({x})), key=lambda i: {x}[i])")
        return w.end("count", w.pick("order[0]", "order[-1]"))
    if form == 2:
        return w.end("scalar", f"sorted([{x}[0], {t}, {x}[-1]])[1]")
    if form == 3:
        w.line(f"low, high = min({x}[0], {t}), max({x}[0], {t})")
        return w.end("scalar", w.pick("high - low", "low * high", "(low + high) / 2"))
    if form == 4:
        w.line(f"whole, rest = divmod({w.pick(t, f'{x}.sum()')}, {w.pick('2', '1.5', '3')})")
        return w.end(*w.chance.choice([("tuple", "(whole, rest)"), ("scalar", "whole + rest"), ("scalar", "rest")]))
    w.line(f"a, b = {x}[0], {t}\nif a > b:\n    a, b = b, a")
    return w.end("scalar", w.pick("b - a", "a * 2 + b", "a"))


WAYS = [converted, converted, of_math, counted, counted, sorted_values]
