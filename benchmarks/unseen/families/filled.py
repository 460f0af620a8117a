"""Lists and deques that a loop fills until data ends it: paths, merges, windows of the last values."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


ENDS = (
    "jnp.array({out}).mean()",
    "jnp.stack({out}).max()",
    "sum({out})",
    "{out}[-1] - {out}[0]",
    "jnp.array({out}).sum() / len({out})",
    "jnp.median(jnp.array({out}))",
    "jnp.asarray({out})[-1]",
)


def until(w: Writer, n: Names) -> Draft:
    """A path that is kept until it crosses a limit."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    out, level = w.pick("path", "out", "states"), w.pick("level", "total", "s")
    change = w.pick(f"{level} + v", f"0.5 * {level} + v", f"{level} - v * v")
    w.line(f"{out} = []\n{level} = {w.pick('0.0', '1.0')}")
    leaves = [f"if {level} {w.pick('>', '<', '>=')} {t}:", "    break"]
    grows = f"{out}.append({w.pick(level, f'{level} * v', 'v')})"
    if w.maybe(0.4):
        head = ["i = 0", f"while i < len({x}) and {level} {w.pick('<', '<=')} {t} + 2:"]
        body = [f"v = {x}[i]", f"{level} = {change}", grows, "i += 1"]
    else:
        head = [f"for v in {x}:"]
        body = [f"{level} = {change}", *leaves, grows] if w.maybe() else [f"{level} = {change}", grows, *leaves]
    w.draft.body += [*head, *(f"    {line}" for line in body)]
    if w.maybe(0.25):
        return w.end("count", f"len({out})")
    w.draft.body += [f"if len({out}) == 0:", f"    return {w.pick('0.0', '-1.0')}"]
    return w.end("scalar", w.pick(*ENDS).format(out=out))


def merge(w: Writer, n: Names) -> Draft:
    """Two arrays in order become one."""
    for array, length in (("a", "n"), ("b", "m")):
        w.take(array, "floats", (length,))
    less = w.pick("<=", "<")
    w.line(f"""
        a, b = jnp.sort(a), jnp.sort(b)
        out = []
        i = j = 0
        while i < len(a) and j < len(b):
            if a[i] {less} b[j]:
                out.append(a[i])
                i += 1
            else:
                out.append(b[j])
                j += 1
    """)
    if w.maybe(0.7):
        w.line("""
            while i < len(a):
                out.append(a[i])
                i += 1
            while j < len(b):
                out.append(b[j])
                j += 1
        """)
        if w.maybe(0.6):
            return w.end("array", "jnp.array(out)")
    return w.end("scalar", w.pick("jnp.array(out).sum()", "jnp.stack(out)[0] * 2", "sum(out)"))


def window(w: Writer, n: Names) -> Draft:
    """The last values, until they are alike."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    w.use("deque")
    k = w.pick("2", "3")
    calm = w.pick(f"max(recent) - min(recent) < {t}", f"sum(recent) / len(recent) > {t}", f"recent[-1] - recent[0] > {t}")
    w.line(f"""
        recent = deque(maxlen={k})
        for i in range(len({x})):
            recent.append({x}[i])
            if len(recent) == {k} and {calm}:
                return i
    """)
    return w.end("count", "-1")


WAYS = [until, until, merge, window]
