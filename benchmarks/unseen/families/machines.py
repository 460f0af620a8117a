"""Machines with a state: switches with hysteresis, stocks, tokens that are read one after the other, events in their order."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def switch(w: Writer, n: Names) -> Draft:
    """Two thresholds and a state between them."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    low = w.pick(f"{t} - 1.0", f"0.5 * {t}", "0.0")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            state = 0
            starts = 0
            for v in {x}:
                if state == 0:
                    if v > {t}:
                        state = 1
                        starts += 1
                elif v < {low}:
                    state = 0
        """)
        return w.end("count", w.pick("starts", "starts + state", "jnp.array([state, starts])[1]"))
    if form == 1:
        w.line(f"""
            on = False
            energy = 0.0
            for v in {x}:
                if not on and v > {t}:
                    on = True
                elif on and v < {low}:
                    on = False
                if on:
                    energy += v
        """)
        return w.end("scalar", "energy")
    if form == 2:
        w.line(f"""
            IDLE, RISING, FALLING = 0, 1, 2
            state, peak, previous = IDLE, 0.0, {x}[0]
            for v in {x}[1:]:
                match state:
                    case 0:
                        state = RISING if v > previous else IDLE
                    case 1:
                        if v < previous:
                            state = FALLING
                            peak = peak + previous
                    case _:
                        state = IDLE if v > {t} else FALLING
                previous = v
        """)
        return w.end("scalar", w.pick("peak", "peak + state"))
    w.line(f"""
        states = []
        state = {w.pick("0", "1")}
        for v in {x}:
            state = (state + 1) % 3 if v > {t} else {w.pick("state", "max(state - 1, 0)", "0")}
            states.append(state)
    """)
    return w.end(*w.chance.choice([("array", "jnp.array(states)"), ("count", "sum(states)"), ("count", "states[-1]")]))


def stock(w: Writer, n: Names) -> Draft:
    """A stock that is filled again when it runs low; what it cannot serve is lost."""
    x, t = w.take(n.x, "floats", ("n",), "positive"), w.take(n.limit, "float", values="limit")
    begin = w.pick("3.0", "5.0", f"{t} + 2")
    w.line(f"level = {begin}\nlost = 0.0\norders = 0\nfor demand in {x}:")
    lines = ["if demand > level:", "    lost += demand - level", "    level = 0.0", "else:", "    level -= demand"]
    if w.maybe():
        lines = ["level = level - demand", "if level < 0:", "    lost = lost - level", "    level = 0.0"]
    fill = [f"if level < {t}:", f"    level {w.pick('+= 4.0', '= 5.0', '+= 2.0 * demand')}", "    orders += 1"]
    if w.maybe(0.3):
        fill += ["    if orders > 2:", "        break"]
    w.draft.body += [f"    {line}" for line in [*lines, *fill]]
    return w.end(
        *w.chance.choice([("scalar", "lost"), ("scalar", "level - lost"), ("count", "orders"), ("scalar", "level * orders")])
    )


def tokens(w: Writer, n: Names) -> Draft:
    """An array of codes that is read from the left."""
    w.draft.differentiable = False
    codes = w.take(w.pick("tokens", "codes", "symbols"), "counts", ("n",))
    form = w.chance.randrange(6)
    if form == 0:
        w.line(f"""
            depth = 0
            for token in {codes}:
                if token == 1:
                    depth += 1
                elif token == 2:
                    depth -= 1
                    if depth < 0:
                        return {w.pick("False", "-1")}
        """)
        one = any("return False" in line for line in w.draft.body)
        return w.end("count", "depth == 0" if one else "depth")
    if form == 1:
        w.line(f"""
            total, number = 0, 0
            for token in {codes}:
                if token == 0:
                    total += number
                    number = 0
                else:
                    number = number * 10 + token
        """)
        return w.end("count", "total + number")
    if form == 2:
        w.line(f"""
            longest = run = 0
            previous = None
            for token in {codes}:
                run = run + 1 if previous is not None and token == previous else 1
                longest = max(longest, run)
                previous = token
        """)
        return w.end("count", "longest")
    if form == 3:
        w.line(f"""
            lengths = []
            run = 1
            for i in range(1, len({codes})):
                if {codes}[i] == {codes}[i - 1]:
                    run += 1
                else:
                    lengths.append(run)
                    run = 1
            lengths.append(run)
        """)
        return w.end("count", w.pick("max(lengths)", "len(lengths)", "sum(lengths)", "lengths[-1]"))
    if form == 4:
        w.line(f"""
            stack = []
            for token in {codes}:
                if len(stack) > 0 and stack[-1] == token:
                    stack.pop()
                else:
                    stack.append(token)
        """)
        return w.end("count", "len(stack)")
    w.line(f"""
        position = 0
        steps = 0
        while position < len({codes}) and steps < {w.pick("20", "10")}:
            jump = {codes}[position]
            position += {w.pick("jump", "jump + 1")}
            steps += 1
    """)
    return w.end("count", w.pick("steps", "position", "steps + position"))


def events(w: Writer, n: Names) -> Draft:
    """What comes next is what is due first."""
    x, until = w.take(n.x, "floats", ("n",), "positive"), w.take(n.limit, "float", values=(3.0, 1.0, 5.0, 2.5))
    form = w.chance.randrange(3)
    if form == 0:
        w.line(f"""
            due = {x}
            time = 0.0
            count = 0
            while {w.pick("True", "count < 20")}:
                i = {w.pick("int(jnp.argmin(due))", "jnp.argmin(due)")}
                if due[i] > {until}:
                    break
                time = due[i]
                due = due.at[i].add({w.pick(f"{x}[i]", "1.5")})
                count += 1
        """)
        return w.end(*w.chance.choice([("count", "count"), ("scalar", "time"), ("array", "due")]))
    if form == 1:
        w.line(f"""
            free = jnp.zeros(2)
            waited = 0.0
            arrival = 0.0
            for service in {x}:
                arrival = arrival + 0.5
                server = {w.pick("0 if free[0] <= free[1] else 1", "int(jnp.argmin(free))")}
                start = max(arrival, free[server])
                waited += start - arrival
                free = free.at[server].set(start + service)
                if start > {until}:
                    break
        """)
        return w.end("scalar", w.pick("waited", "waited + free.max()"))
    w.line(f"""
        order = jnp.argsort({x})
        used = 0.0
        taken = []
        for i in order:
            if used + {x}[i] <= {until}:
                used += {x}[i]
                taken.append(i)
    """)
    return w.end(*w.chance.choice([("scalar", "used"), ("count", "len(taken)")]))


WAYS = [switch, switch, stock, tokens, tokens, events]
