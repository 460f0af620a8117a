"""Negative steps, loops that run backwards, windows in a loop, batches of which the last is shorter, queues of fixed size."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def from_the_back(w: Writer, n: Names) -> Draft:
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"""
            for i in range({x}.shape[0] - 1, -1, -1):
                if {x}[i] > {t}:
                    return {w.pick("i", f"{x}[i]", f"{x}[:i + 1].sum()")}
        """)
        return w.end("scalar", w.pick("-1", "0.0"))
    if form == 1:
        w.line(f"""
            value = {w.pick("0.0", t, "0")}
            for i in reversed(range({x}.shape[0])):
                value = {x}[i] + {w.pick("0.5", "0.9")} * value
                if value < 0:
                    value = {w.pick("0.0", "0", "-value")}
        """)
        return w.end("scalar", "value")
    if form == 2:
        w.line(f"""
            out = []
            running = {w.pick("0.0", f"{x}[-1]")}
            for {n.item} in {x}[::-1]:
                running = max(running, {n.item}) if {n.item} > {t} else running * 0.5
                out.append(running)
            out.reverse()
        """)
        return w.end("array", "jnp.array(out)")
    if form == 3:
        w.line(f"""
            for k in range(1, {x}.shape[0] + 1):
                if {x}[-k] > {t}:
                    return {w.pick("k", f"{x}[-k]")}
        """)
        return w.end("scalar", w.pick("0", "0.0", "-1"))
    w.line(f"every = {x}[::{w.pick('-1', '-2', '2')}]\nif every[0] > {t}:\n    every = every[::-1]")
    return w.end(*w.chance.choice([("array", "every"), ("scalar", "every[0] - every[-1]")]))


def moving(w: Writer, n: Names) -> Draft:
    """A window that moves, the place of the loop being Python's, what is done data."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    k = w.take(w.pick("k", "width", "lag"), "size", values=(2, 3, 1, 4))
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            best = {w.pick("-jnp.inf", "0.0", "-1e9")}
            for i in range({x}.shape[0] - {k} + 1):
                s = {x}[i:i + {k}].{w.pick("sum()", "mean()", "max()")}
                if s > best:
                    best = s
        """)
        return w.end("scalar", "best")
    if form == 1:
        w.line(f"""
            total = 0.0
            for start in range(0, {x}.shape[0], {k}):
                batch = {x}[start:start + {k}]
                if batch.mean() > {t}:
                    total += {w.pick("batch.sum()", "1", "batch[0]")}
        """)
        return w.end("scalar", "total")
    if form == 2:
        w.line(f"""
            out = []
            for i in range({x}.shape[0]):
                window = {x}[max(0, i - {k}):i + 1]
                out.append({w.pick("window.mean()", "window.max()")} if {x}[i] > {t} else {w.pick(f"{x}[i]", "0.0", "0")})
        """)
        return w.end("array", "jnp.array(out)")
    w.line(f"""
        recent = [0.0] * {k}
        for {n.item} in {x}:
            if {n.item} > {t}:
                recent.pop(0)
                recent.append({n.item})
    """)
    return w.end("scalar", w.pick("sum(recent)", "max(recent)", f"sum(recent) / {k}"))


def at_data(w: Writer, n: Names) -> Draft:
    """A window whose place another array or the array itself gives."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    at = w.pick(
        f"jnp.argmax({x})",
        f"jnp.argmin({x})",
        f"jnp.argmax({x} > {t})",
        f"jnp.searchsorted(jnp.sort({x}), {t})",
        f"int(({x} > {t}).sum())",
    )
    w.line(f"at = {at}")
    window = w.pick(
        f"{x}[at:]",
        f"{x}[:at]",
        f"{x}[at:at + 2]",
        f"{x}[:at + 1]",
        f"{x}[max(at - 1, 0):at + 2]",
        f"{x}[at::-1]",
        f"jnp.sort({x})[-at:]",
    )
    w.line(f"part = {window}")
    return w.end(
        *w.chance.choice(
            [
                ("scalar", "part.sum()"),
                ("scalar", "part.mean()"),
                ("scalar", "jnp.max(part)"),
                ("count", "len(part)"),
                ("scalar", "part[0]"),
                ("ragged", "part"),
            ]
        )
    )


WAYS = [from_the_back, from_the_back, moving, moving, at_data]
