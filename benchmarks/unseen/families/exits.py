"""Functions that are left early: several returns in a loop, nested helpers, `for … else`, results of several parts."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def several_returns(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            {n.total} = {w.pick("0.0", "0")}
            for i in range({x}.shape[0]):
                if {x}[i] < {w.pick("-1.0", "-1.5")}:
                    return {w.pick("-1.0", "-1", f"{x}[i]")}
                {n.total} = {n.total} + {x}[i]
                if {n.total} > {t}:
                    return {w.pick(n.total, "i", f"{n.total} - {t}")}
        """)
        return w.end("scalar", w.pick(n.total, "0.0", f"{n.total} / {x}.shape[0]"))
    if form == 1:
        w.line(f"""
            for i in range({x}.shape[0] - 1):
                if {x}[i] > {t} and {x}[i + 1] <= {t}:
                    return {w.pick("i", f"({x}[i], i)", f"{x}[i]")}
        """)
        pair = "(" in w.draft.body[-1].split("return")[1]
        return w.end("tuple" if pair else "scalar", f"({t}, -1)" if pair else w.pick("-1", "0.0"))
    if form == 2:
        w.line(f"""
            for {n.item} in {x}:
                if {n.item} > {t}:
                    found = {n.item}
                    break
            else:
                found = {w.pick("0.0", "-1.0", t, f"{x}.min()")}
        """)
        return w.end("scalar", w.pick("found", "found * 2"))
    w.line(f"""
        g = {w.pick("0.0", t)}
        for step in range({w.pick("5", "8")}):
            change = {w.pick(f"0.5 * ({x}.mean() - g)", f"{x}.sum() * 0.1 - g")}
            if abs(change) < {w.pick("0.05", "1e-3")}:
                return {w.pick("g, step", "g, True", "{'value': g, 'steps': step}")}
            g = g + change
    """)
    kind = w.draft.body[-2].split("return ")[1]
    return w.end("tuple", {"g, step": "g, -1", "g, True": "g, False"}.get(kind, "{'value': g, 'steps': 5}"))


def nested_helpers(w: Writer, n: Names) -> Draft:
    """A function within the function, or helpers that call helpers, each with an early return."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    small = w.pick("0.0", "0", "v * 0.5", "-v")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            def {n.helper}(v):
                if v > {t}:
                    return {w.pick("v", "v - " + t, "1.0")}
                if v < -1:
                    return {w.pick("-1.0", "-1")}
                return {small}

        """)
        of_all = f"[{n.helper}(v) for v in {x}]"
        ends = [("scalar", f"sum({of_all[1:-1]})"), ("array", f"jnp.array({of_all})"), ("scalar", f"{n.helper}({x}.sum())")]
        return w.end(*w.chance.choice(ends))
    if form == 1:
        w.draft.helpers.append(
            f"def level(v, top):\n    if v > top:\n        return top\n    return {w.pick('v', 'v * 0.5', '0.0')}\n"
        )
        w.draft.helpers.append(
            "def both(v, top):\n    if v < 0:\n        return level(-v, top)\n    return "
            + w.pick("level(v, top) + 1", "level(v, top)", "level(v / 2, top)")
            + "\n"
        )
        return w.end(
            "scalar",
            w.pick(f"both({x}.mean(), {t})", f"both({x}[0], {t}) * both({x}[-1], {t})", f"sum(both(v, {t}) for v in {x})"),
        )
    if form == 2:
        above, below = w.pick("v - top, 1", "v - top, 1.0", "top, 2"), w.pick("0.0, 0", "v, 0", "v, -1")
        w.draft.helpers.append(f"def split(v, top):\n    if v > top:\n        return {above}\n    return {below}\n")
        w.line(f"rest, taken = split({x}.{w.pick('sum()', 'max()', 'mean()')}, {t})")
        return w.end(*w.chance.choice([("tuple", "(rest, taken)"), ("scalar", "rest * taken"), ("scalar", "rest + taken")]))
    refused = w.pick("jnp.isnan(v).any()", "v.max() > 2", "(v < 0).all()")
    w.draft.helpers.append(f"def checked(v):\n    if {refused}:\n        return None\n    return v * {w.pick('2.0', '0.5')}\n")
    w.line(f"better = checked({x})\nif better is None:\n    return {w.pick('0.0', t, '-1.0')}")
    return w.end("scalar", w.pick("better.sum()", "better.mean()", f"better[0] - {t}"))


def of_several_parts(w: Writer, n: Names) -> Draft:
    """A tuple or a dict comes back, its parts of different kinds."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    first = w.pick(f"{x}.max()", f"{x}.sum()", t)
    texts = {
        "tuple": ("({a}, {b})", "({c}, {d})"),
        "dict": ('{{"value": {a}, "count": {b}}}', '{{"value": {c}, "count": {d}}}'),
        "list": ("[{a}, {b}]", "[{c}, {d}]"),
    }
    one, other = texts[w.pick("tuple", "tuple", "dict", "list")]
    parts = {
        "a": first,
        "b": w.pick("1", "True", "1.0", f"({x} > {t}).sum()"),
        "c": w.pick("0.0", f"{x}.min()", "0"),
        "d": w.pick("0", "False", "-1"),
    }
    if parts["b"] == "True":
        parts["d"] = "False"
    elif parts["d"] == "False":
        parts["d"] = "0"
    w.line(f"if {x}.mean() > {t}:\n    return {one.format(**parts)}")
    return w.end("tuple", other.format(**parts))


def while_with_exits(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            i = {x}.shape[0] - 1
            while i >= 0 and {x}[i] > {t}:
                i -= 1
        """)
        return w.end("count", w.pick("i", "i + 1", f"{x}.shape[0] - 1 - i"))
    if form == 1:
        w.line(f"""
            left, right = 0, {x}.shape[0]
            ordered = jnp.sort({x})
            while left < right:
                middle = (left + right) // 2
                if ordered[middle] < {t}:
                    left = middle + 1
                else:
                    right = middle
        """)
        return w.end("count", "left")
    w.line(f"""
        value = {w.pick(t, f"{x}.sum()")}
        rounds = 0
        while True:
            if value < {w.pick("1.0", "0.25")}:
                return {w.pick("value", "rounds", "value, rounds")}
            value = value / 2
            rounds += 1
            if rounds == {w.pick("4", "6")}:
                break
    """)
    pair = any("return value, rounds" in line for line in w.draft.body)
    return w.end("tuple" if pair else "scalar", "value, -1" if pair else w.pick("value", "rounds", "-1"))


WAYS = [several_returns, several_returns, nested_helpers, nested_helpers, of_several_parts, while_with_exits]
