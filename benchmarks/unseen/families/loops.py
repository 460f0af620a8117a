"""Loops: with a tolerance, with `break`, counters, lists carried, None at first, variables born in the body."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def until_close(w: Writer, n: Names) -> Draft:
    """An iteration until it moves less than a tolerance."""
    a = w.take(n.limit, "float", values=(2.0, 0.5, 3.0, 10.0, 1.0))
    tol = w.take("tol", "float", values="tolerance", default=w.pick("", "1e-3", "0.01"))
    step = w.pick(f"0.5 * (g + {a} / g)", f"jnp.cos(g) + {a} * 0.01", f"g - 0.3 * (g - {a})")
    w.line(f"g = {w.pick('1.0', a, f'{a} / 2', '1')}")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            change = 1.0
            while change > {tol}:
                new = {step}
                change = abs(new - g)
                g = new
        """)
    elif form == 1:
        w.line(f"""
            count = 0
            while abs({step} - g) > {tol} and count < 20:
                g = {step}
                count += 1
        """)
        if w.maybe():
            return w.end("tuple", "(g, count)")
    elif form == 2:
        w.line(f"""
            for i in range({w.pick("10", "12")}):
                new = {step}
                if abs(new - g) < {tol}:
                    break
                g = new
        """)
        if w.maybe(0.4):
            return w.end("tuple", "(g, i)")
    else:
        w.line(f"""
            while True:
                new = {step}
                if jnp.abs(new - g) <= {tol}:
                    break
                g = new
        """)
        if w.maybe(0.3):
            return w.end("scalar", "new")
    return w.end("scalar", "g")


def first_hit(w: Writer, n: Names) -> Draft:
    """Where something happens first."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            found = -1
            for i in range(len({x})):
                if {x}[i] > {t}:
                    found = i
                    break
        """)
        return w.end("count", "found")
    if form == 1:
        w.line(f"""
            for i in range({x}.shape[0]):
                if {x}[i] > {t}:
                    return {w.pick("i", f"{x}[i]", "i * 1.0")}
        """)
        return w.end("scalar", w.pick("-1", "0.0", "jnp.nan"))
    if form == 2:
        w.line(f"""
            i = 0
            while i < {x}.shape[0] and {x}[i] <= {t}:
                i += 1
        """)
        return w.end("count", "i")
    w.line(f"""
        {n.total} = 0.0
        for {n.item} in {x}:
            if {n.item} > {t}:
                {w.pick("continue", "break")}
            {n.total} += {n.item}
    """)
    return w.end("scalar", n.total)


def best_so_far(w: Writer, n: Names) -> Draft:
    """None before the first, or a number that all beat; `min` with a key."""
    x = w.take(n.x, "floats", ("n",))
    rate = w.take(n.rate, "float", values="share")
    score = w.pick(f"{x}[i] - {rate} * i", f"{x}[i] ** 2 * {rate}", f"jnp.sin({x}[i]) + {rate}")
    best = w.pick("best", "top", "best_score")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            {best} = None
            for i in range({x}.shape[0]):
                value = {score}
                if {best} is None or value > {best}:
                    {best} = value
        """)
        return w.end("scalar", best)
    if form == 1:
        w.line(f"""
            {best} = None
            at = -1
            for i in range(len({x})):
                value = {score}
                if {best} is None or value < {best}:
                    {best}, at = value, i
        """)
        return w.end("tuple", f"({best}, at)")
    if form == 2:
        w.line(f"""
            {best} = {w.pick("-jnp.inf", "-1e9", "0", "0.0")}
            at = 0
            for i, {n.item} in enumerate({x}):
                if {n.item} * {rate} > {best}:
                    {best} = {n.item} * {rate}
                    at = i
        """)
        return w.end("tuple", f"({best}, at)")
    key = w.pick(f"(({x} - c) ** 2).sum()", f"abs({x}[0] - c * {rate})")
    w.line(f"""
        candidates = [0.0, 0.5, 1.0, 2.0]
        {best} = {w.pick("min", "max")}(candidates, key=lambda c: {key})
    """)
    return w.end("scalar", best)


def counting(w: Writer, n: Names) -> Draft:
    """Counters and sums that a branch in the loop moves; ints and floats mixed."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    start = w.pick("0", "0.0", "0")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            count = {start}
            for {n.item} in {x}:
                if {n.item} > {t}:
                    count += 1
        """)
        return w.end("count", "count")
    if form == 1:
        w.line(f"""
            run = 0
            longest = 0
            for i in range({x}.shape[0]):
                if {x}[i] > {t}:
                    run += 1
                else:
                    run = 0
                longest = max(longest, run)
        """)
        return w.end("count", "longest")
    if form == 2:
        otherwise = w.pick("0", "0.0", "1")
        w.line(f"""
            {n.total} = {start}
            for i in range(len({x})):
                {n.total} = {n.total} + ({x}[i] if {x}[i] > {t} else {otherwise})
        """)
        return w.end("scalar", n.total)
    w.line(f"""
        wealth = {w.pick("1", "1.0", t)}
        peak = wealth
        worst = 0.0
        for {n.item} in {x}:
            wealth = wealth * (1 + 0.1 * {n.item})
            if wealth > peak:
                peak = wealth
            worst = max(worst, (peak - wealth))
    """)
    return w.end("scalar", "worst")


def carried_lists(w: Writer, n: Names) -> Draft:
    """Lists that a loop fills: every round, or in a branch, or by replacing."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    out = w.pick("path", "history", "out", "states")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            state = {w.pick("0.0", t, "0")}
            {out} = []
            for {n.item} in {x}:
                if {n.item} > state:
                    state = {n.item}
                else:
                    state = state * 0.5
                {out}.append(state)
        """)
        return w.end("array", f"jnp.{w.pick('array', 'stack')}({out})")
    if form == 1:
        w.line(f"""
            {out} = [{w.pick("0.0", "0")}]
            for {n.item} in {x}:
                {out}.append(max({out}[-1] + {n.item}, {w.pick("0.0", t)}))
        """)
        return w.end(*w.chance.choice([("array", f"jnp.array({out})"), ("scalar", f"max({out})"), ("scalar", f"{out}[-1]")]))
    if form == 2:
        w.line(f"""
            {out} = []
            for i in range(1, {x}.shape[0]):
                if {x}[i] > {x}[i - 1]:
                    {out}.append({x}[i] - {x}[i - 1])
        """)
        ends = [("scalar", f"sum({out})"), ("count", f"len({out})"), ("scalar", f"sum({out}) + len({out})")]
        return w.end(*w.chance.choice(ends))
    w.line(f"""
        levels = [0.0, 0.0, 0.0]
        for i in range({x}.shape[0]):
            if {x}[i] > {t}:
                levels[i % 3] = levels[i % 3] + {x}[i]
    """)
    return w.end(*w.chance.choice([("array", "jnp.array(levels)"), ("scalar", "sum(levels)")]))


def born_inside(w: Writer, n: Names) -> Draft:
    """A variable that the loop's body makes and that is read after it."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            err = 10.0
            z = {t}
            while err > 0.5:
                last = z
                z = z * 0.5
                err = abs(z - last)
        """)
        return w.end("scalar", "z + last")
    if form == 1:
        w.line(f"""
            for {n.item} in {x}:
                if {n.item} > {t}:
                    level = {n.item} * 2
                else:
                    level = {n.item}
        """)
        return w.end("scalar", "level")
    w.line(f"""
        z = {x}.sum()
        for k in range(4):
            slope = 2 * z - {t}
            if abs(slope) < 0.5:
                break
            z = z - 0.25 * slope
    """)
    return w.end("tuple", "(z, slope)")


def counted_rounds(w: Writer, n: Names) -> Draft:
    """As many rounds as a number says; none, too."""
    x = w.take(n.x, "floats", ("n",))
    k = w.take(w.pick("steps", "n_iter", "rounds"), "int", values=(3, 0, 1, 5))
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            {n.total} = {w.pick("0", "0.0", "1")}
            for i in range({k}):
                {n.total} = {n.total} + {w.pick(f"{x}.mean() * i", "0.5", f"{x}[0]")}
        """)
        return w.end("scalar", n.total)
    if form == 1:
        w.line(f"""
            for _ in range({k}):
                if {x}.sum() > {w.pick("1.0", "0.5")}:
                    {x} = {x} * 0.5
                else:
                    {x} = {x} + 0.25
        """)
        return w.end("array", x)
    w.line(f"""
        i = 0
        while i < {k}:
            {x} = {x} - 0.1 * {x}
            i += 1
    """)
    return w.end("array", x)


WAYS = [until_close, until_close, first_hit, best_so_far, counting, carried_lists, carried_lists, born_inside, counted_rounds]
