"""Branches on values: what stands in them, what they test, what they give."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def _test(w: Writer, n: Names) -> str:
    """A test of data."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    one = w.pick(
        f"{x}.sum() > {t}",
        f"jnp.mean({x}) > {t}",
        f"jnp.max({x}) >= {t}",
        f"jnp.any({x} < {t})",
        f"jnp.all({x} > {t})",
        f"{x}[0] > {t}",
        f"{x}.min() < {t} < {x}.max()",
        f"jnp.linalg.norm({x}) > {t}",
        f"{t} > 0",
        f"not {x}.sum() > {t}",
    )
    if w.maybe(0.25):
        return f"{one} {w.pick('and', 'or')} {w.pick(f'{t} != 0', f'{x}[-1] > 0', f'abs({t}) < 2')}"
    return one


def _value(w: Writer, n: Names) -> str:
    """A number."""
    x, t = n.x, n.limit
    return w.pick(
        f"{x}.sum()",
        f"{x}.mean()",
        f"{t}",
        "0.0",
        "1.0",
        f"{t} * 2",
        f"{x}[0] - {t}",
        f"jnp.log1p(jnp.abs({x}).sum())",
        f"{x}.max()",
        "0",
        "1",
    )


def _array(w: Writer, n: Names) -> str:
    x, t = n.x, n.limit
    return w.pick(
        f"{x} * 2.0",
        f"{x} - {t}",
        f"jnp.zeros_like({x})",
        f"{x} / jnp.max(jnp.abs({x}))",
        f"jnp.where({x} > 0, {x}, 0.0)",
        x,
        f"jnp.clip({x}, -1.0, 1.0)",
        f"{x} * {t}",
    )


def _either(w: Writer, n: Names) -> tuple[str, str, bool]:
    """Two values that can stand for each other, and whether they are arrays."""
    of_array = w.maybe()
    write = _array if of_array else _value
    first = write(w, n)
    second = write(w, n)
    return first, second, of_array


def returning(w: Writer, n: Names) -> Draft:
    test = _test(w, n)
    first, second, of_array = _either(w, n)
    w.remark("the usual case", "guard", "special case")
    w.line(f"if {test}:\n    return {first}")
    if w.maybe(0.3):
        third = (_array if of_array else _value)(w, n)
        w.line(f"if {_test(w, n)}:\n    return {third}")
    return w.end("array" if of_array else "scalar", second)


def assigning(w: Writer, n: Names) -> Draft:
    test = _test(w, n)
    first, second, of_array = _either(w, n)
    out = n.total
    w.line(f"if {test}:\n    {out} = {first}")
    if w.maybe(0.4):
        third = (_array if of_array else _value)(w, n)
        w.line(f"elif {_test(w, n)}:\n    {out} = {third}")
    w.line(f"else:\n    {out} = {second}")
    after = w.pick(out, f"{out} * 2", f"{out} + {n.limit}") if not of_array else w.pick(out, f"{out}.sum()", f"{out} + 1.0")
    return w.end("array" if of_array and ".sum" not in after else "scalar", after)


def updating(w: Writer, n: Names) -> Draft:
    test = _test(w, n)
    out = n.total
    w.line(f"{out} = {w.pick(n.x + '.mean()', '0.0', n.x + '.sum()', '1')}")
    w.line(f"if {test}:\n    {out} {w.pick('+=', '*=', '-=')} {_value(w, n)}")
    if w.maybe():
        w.line(
            f"if {_test(w, n)}:\n    {out} = {w.pick(out + ' / 2', '-' + out, f'max({out}, {n.limit})', f'min({out}, 1.0)')}"
        )
    return w.end("scalar", out)


def ternary(w: Writer, n: Names) -> Draft:
    test = _test(w, n)
    first, second, of_array = _either(w, n)
    if w.maybe():
        return w.end("array" if of_array else "scalar", f"{first} if {test} else {second}")
    w.line(f"{n.total} = {first} if {test} else {second}")
    return w.end("array" if of_array else "scalar", f"{n.total} * {w.pick('2.0', '0.5', '3')}")


def with_words(w: Writer, n: Names) -> Draft:
    """Something is said in a branch."""
    test = _test(w, n)
    form = w.chance.randrange(4)
    out = w.pick(f"{n.x}.sum()", f"{n.x} / {n.x}.sum()", f"{n.x}.mean() + {n.limit}")
    gives = "array" if out.startswith(f"{n.x} /") else "scalar"
    if form == 0:
        w.line(f'if {test}:\n    print("{w.pick("large", "warning: check the data", "clipping")}")')
    elif form == 1:
        w.line(f'if {test}:\n    print("limit", {n.limit})\n    {n.x} = {n.x} * 0.5')
    elif form == 2:
        w.use("warnings")
        w.line(f'if {test}:\n    warnings.warn("{w.pick("values out of range", "not normalised")}")')
    else:
        w.line(f'if {test}:\n    raise ValueError("{w.pick("values out of range", "must be smaller")}")')
    return w.end(gives, out)  # type: ignore[arg-type]


def with_facts(w: Writer, n: Names) -> Draft:
    """A conjunct that is no data: None, a shape, a flag, a type."""
    form = w.chance.randrange(4)
    x = w.take(n.x, "floats", ("n",))
    t = n.limit
    if form == 0:
        w.take(t, "float", values="limit", default="None")
        w.line(f"{n.total} = {w.pick(f'{x}.sum()', f'jnp.linalg.norm({x})')}")
        w.line(f"if {t} is not None and {n.total} > {t}:\n    {x} = {x} * {w.pick(f'({t} / {n.total})', '0.5')}")
        return w.end(*w.chance.choice([("array", x), ("scalar", f"{x}.sum()")]))
    if form == 1:
        w.take(t, "float", values="limit")
        w.line(f"if {x}.shape[0] > {w.pick('1', '2', '5')} and {x}[0] > {t}:\n    return {x}.mean()")
        return w.end("scalar", w.pick("0.0", f"{x}.sum()", t))
    if form == 2:
        w.take(t, "float", values="limit")
        flag = w.take(w.pick("normalize", "verbose", "log_scale"), "flag")
        w.line(f"if {flag} and {x}.sum() > {t}:\n    {x} = {x} / {w.pick('2.0', f'{x}.sum()')}")
        return w.end("scalar", f"{x}.max()")
    A = w.take(n.matrix, "floats", ("n", "m"))
    w.draft.parameters = [each for each in w.draft.parameters if each.name == A]
    w.take(t, "float", values="limit")
    w.line(f"if {A}.shape[0] == {A}.shape[1] and {A}[0, 0] > {t}:\n    {A} = {A}.T")
    return w.end("array", w.pick(A, f"{A} * 2.0", f"{A}.sum(axis=1)"))


def appending(w: Writer, n: Names) -> Draft:
    """A list in which branches put things."""
    test = _test(w, n)
    out = w.pick("parts", "terms", "penalties")
    w.line(f"{out} = [{w.pick('', f'{n.x}.mean()')}]")
    w.line(f"if {test}:\n    {out}.append({w.pick(f'{n.x}.sum()', n.limit, f'{n.x}.max() - {n.limit}')})")
    if w.maybe():
        w.line(f"if {_test(w, n)}:\n    {out}.append({w.pick('1.0', f'{n.limit} * 2')})")
    end = w.pick(f"sum({out})", f"len({out})", f"sum({out}) / max(len({out}), 1)")
    return w.end("count" if end.startswith("len") else "scalar", end)


def chosen_number(w: Writer, n: Names) -> Draft:
    """min, max, abs and chained ternaries of numbers."""
    a, b = w.take(n.limit, "float", values="limit"), w.take(n.rate, "float", values="share")
    x = w.take(n.x, "floats", ("n",))
    w.line(
        w.pick(
            f"step = max({a}, {x}.min())",
            f"step = min(max({a}, 0.0), {b})",
            f"step = 1.0 if {a} > {b} else (0.5 if {a} > 0 else 0)",
            f"step = {a} or {b}",
            f"step = ({a} > 0) * {b}",
            f"step = abs({a}) if {a} < 0 else {b}",
            f"step = {a} and {b}",
        )
    )
    w.line(f"if step > {w.pick('0.5', b, '0')}:\n    return {x} * step")
    return w.end("array", w.pick(x, f"{x} - step", f"jnp.zeros_like({x})"))


def many(w: Writer, n: Names) -> Draft:
    """A table of cases, as tax brackets or flow regimes."""
    v = w.take(n.limit, "float", values=(0.5, -1.0, 1.5, 2.5, 7.0, 1.0, 2.0))
    rate = w.take(n.rate, "float", values="share")
    first = w.pick("0.0", "0", rate)
    w.line(f"if {v} < 0:\n    {n.total} = {first}")
    w.line(f"elif {v} < 1:\n    {n.total} = {v} * {rate}")
    if w.maybe():
        w.line(f"elif {v} <= 2:\n    {n.total} = {w.pick(f'{rate} + ({v} - 1) * 0.5', f'{v} ** 2', '1')}")
    w.line(f"else:\n    {n.total} = {w.pick(f'jnp.sqrt({v})', f'{v} - {rate}', '2', f'jnp.log({v})')}")
    return w.end("scalar", n.total)


WAYS = [returning, assigning, updating, ternary, with_words, with_facts, appending, chosen_number, many]
