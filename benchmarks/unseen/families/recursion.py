"""Functions that call themselves: in the tail, and not."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def tail(w: Writer, n: Names) -> Draft:
    f = n.function
    form = w.chance.randrange(3)
    if form == 0:
        a = w.take(n.limit, "float", values=(2.0, 0.5, 9.0, 1.0))
        w.take("g", "float", values=(1.0, 2.0, 0.5))
        w.line(f"new = 0.5 * (g + {a} / g)\nif abs(new - g) < {w.pick('1e-3', '0.01')}:\n    return new")
        return w.end("scalar", f"{f}({a}, new)")
    if form == 1:
        w.take("a", "whole", values=(12, 7, 18, 0, 5))
        w.take("b", "whole", values=(8, 3, 6, 1))
        w.line("if b == 0:\n    return a")
        return w.end("count", f"{f}(b, a % b)")
    x = w.take(n.x, "float", values=(3.0, 0.5, 9.0, -1.0, 1.0))
    w.take("depth", "whole", values=(0, 1), default="0")
    w.line(f"if {x} < 1 or depth >= 6:\n    return {w.pick(x, 'depth', f'{x} + depth')}")
    return w.end("scalar", f"{f}({x} / 2, depth + 1)")


def not_tail(w: Writer, n: Names) -> Draft:
    f = n.function
    form = w.chance.randrange(4)
    k = w.take(w.pick("k", "n", "order"), "whole", values=(3, 0, 1, 5, 2))
    if form == 0:
        w.line(f"if {k} <= 1:\n    return {w.pick('1', '1.0')}")
        return w.end("scalar", f"{k} * {f}({k} - 1)")
    if form == 1:
        x = w.take(n.rate, "float", values=(0.5, 2.0, -1.0, 1.5))
        w.draft.parameters.reverse()
        w.line(f"if {k} == 0:\n    return {w.pick('1.0', '1')}")
        w.line(f"half = {f}({x}, {k} // 2)\nif {k} % 2 == 0:\n    return half * half")
        return w.end("scalar", f"half * half * {x}")
    if form == 2:
        x = w.take(n.rate, "float", values=(0.5, 2.0, -1.0, 1.5))
        w.line(f"if {k} == 0:\n    return {x}")
        return w.end("scalar", f"{w.pick('0.5', x)} * {f}({k} - 1, {x}) + {w.pick('1.0', x)}")
    x = w.take(n.rate, "float", values=(0.5, 0.25, -1.0))
    w.line(f"if {k} == 0:\n    return 1.0\nif {k} == 1:\n    return {x}")
    return w.end("scalar", f"((2 * {k} - 1) * {x} * {f}({k} - 1, {x}) - ({k} - 1) * {f}({k} - 2, {x})) / {k}")


WAYS = [tail, not_tail]
