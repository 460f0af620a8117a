"""What a small study is made of: parts of a table in both axes, dicts that gather, states with names, what is not known yet
(None), places at the end of an array, powers, halves of halves, orders by a key, patience."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def both_axes(w: Writer, n: Names) -> Draft:
    """The rows and the columns that are kept, of a square table."""
    a, x = w.take(n.matrix, "floats", ("m", "m")), w.take(n.x, "floats", ("m",))
    t = w.take(n.limit, "float", values="limit")
    w.line(f"{n.mask} = {x} {w.pick('>', '<=', '!=')} {t}")
    part = w.pick(f"{a}[{n.mask}][:, {n.mask}]", f"{a}[{n.mask}, :][:, {n.mask}]", f"{a}[:, {n.mask}][{n.mask}]")
    if w.maybe(0.3):
        w.line(f"{n.index} = jnp.where({n.mask})[0]")
        part = w.pick(
            f"{a}[{n.index}][:, {n.index}]", f"{a}[jnp.ix_({n.index}, {n.index})]", f"{a}[{n.index}[:, None], {n.index}]"
        )
    w.line(f"part = {part}")
    end = w.pick(
        "part.sum()",
        "jnp.trace(part)",
        "(part ** 2).sum()",
        "part.sum(axis=0).sum()",
        f"{x}[{n.mask}] @ part @ {x}[{n.mask}]",
        "jnp.abs(part - part.T).sum()",
        "jnp.diag(part).sum()",
        f"(part @ {x}[{n.mask}]).sum()",
    )
    return w.end("scalar", end)


def gathered(w: Writer, n: Names) -> Draft:
    """A dict in which a loop adds up."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"""
            seen = {{"above": 0, "below": 0}}
            for v in {x}:
                if v > {t}:
                    seen["above"] += 1
                else:
                    seen["below"] += {w.pick("1", "1", "2")}
        """)
        return w.end(*w.chance.choice([("count", 'seen["above"] - seen["below"]'), ("count", "max(seen.values())")]))
    if form == 1:
        group = w.take(n.group, "labels", ("n",))
        w.line(f"""
            sums = {w.pick("{}", "dict()")}
            for g, v in zip({group}, {x}):
                key = int(g)
                sums[key] = sums.get(key, 0.0) + v
        """)
        return w.end("scalar", w.pick("max(sums.values())", "sum(sums.values())", f"len(sums) * {t}"))
    if form == 2:
        w.line(f"""
            state = {{"best": {w.pick("-jnp.inf", "0.0")}, "at": -1}}
            for i in range({x}.shape[0]):
                if {x}[i] > state["best"] and {x}[i] < {t}:
                    state["best"] = {x}[i]
                    state["at"] = i
        """)
        return w.end(*w.chance.choice([("scalar", 'state["best"]'), ("count", 'state["at"]')]))
    if form == 3:
        w.line(f"""
            moments = {{name: 0.0 for name in ("first", "second")}}
            for v in {x}:
                if {w.pick(f"v > {t}", f"abs(v) < {t}")}:
                    moments["first"] += v
                    moments["second"] += v ** 2
        """)
        return w.end("scalar", w.pick('moments["second"] - moments["first"] ** 2', "sum(moments.values())"))
    w.line(f"""
        report = {{"mean": {x}.mean()}}
        if {x}.max() > {t}:
            report["alarm"] = True
            report["excess"] = {x}.max() - {t}
        else:
            report["alarm"] = False
            report["excess"] = {w.pick("0.0", "0")}
    """)
    return w.end("tuple", w.pick("report", '(report["alarm"], report["excess"])'))


def not_yet(w: Writer, n: Names) -> Draft:
    """None until something is known."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"""
            best = None
            for i, v in enumerate({x}):
                cost = {w.pick(f"abs(v - {t})", f"(v - {t}) ** 2")}
                if best is None or cost < best[0]:
                    best = (cost, i)
        """)
        return w.end(*w.chance.choice([("count", "best[1]"), ("scalar", "best[0]"), ("tuple", "best")]))
    if form == 1:
        w.line(f"""
            previous = None
            jumps = 0
            for v in {x}:
                if previous is not None and abs(v - previous) > {t}:
                    jumps += 1
                previous = v
        """)
        return w.end("count", "jumps")
    if form == 2:
        w.line(f"""
            first = None
            for i in range(len({x})):
                if first is None and {x}[i] > {t}:
                    first = i
        """)
        return w.end("count", w.pick("-1 if first is None else first", "first if first is not None else len(" + x + ")"))
    if form == 3:
        w.line(f"""
            last = None
            gaps = []
            for i in range({x}.shape[0]):
                if {x}[i] > {t}:
                    if last is not None:
                        gaps.append(i - last)
                    last = i
        """)
        return w.end("count", w.pick("sum(gaps)", "len(gaps)", "max(gaps) if gaps else 0"))
    w.line(f"""
        low = high = None
        for v in {x}:
            if v < {t}:
                low = v if low is None else min(low, v)
            else:
                high = v if high is None else max(high, v)
        if low is None or high is None:
            return {w.pick("0.0", "-1.0")}
    """)
    return w.end("scalar", w.pick("high - low", "0.5 * (low + high)"))


def states(w: Writer, n: Names) -> Draft:
    """States that have names, and modes that data chooses."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"""
            state = "idle"
            events = 0
            for v in {x}:
                if state == "idle" and v > {t}:
                    state = "active"
                    events += 1
                elif state == "active" and v < {w.pick("0", t)}:
                    state = "idle"
        """)
        return w.end("count", "events")
    if form == 1:
        w.line(f'trend = "up" if {x}[-1] > {x}[0] else "down"\nif trend == "up":\n    return {x}.max()')
        return w.end("scalar", w.pick(f"{x}.min()", t))
    if form == 2:
        w.line(f"""
            if {x}.mean() > {t}:
                mode = "mean"
            elif {x}.max() > {t}:
                mode = "max"
            else:
                mode = "none"
            scale = {{"mean": 1.0, "max": 0.5, "none": 0.0}}[mode]
        """)
        return w.end("scalar", f"scale * {x}.sum()")
    if form == 3:
        w.line(f"""
            verdict = "stable"
            if {x}.std() > {t}:
                verdict = "unstable"
        """)
        w.draft.differentiable = False
        return w.end("tuple", w.pick("verdict", f"(verdict, {x}.mean())"))
    w.line(f"""
        direction = 0
        turns = 0
        for a, b in zip({x}[:-1], {x}[1:]):
            new = {w.pick("1 if b > a else -1", "(1 if b > a else -1 if b < a else direction)")}
            if direction != 0 and new != direction:
                turns += 1
            direction = new
    """)
    return w.end("count", "turns")


def around_a_peak(w: Writer, n: Names) -> Draft:
    """Windows at a place that is found, up to the end of the array."""
    x = w.take(n.x, "floats", ("n",))
    place = w.pick(f"jnp.argmax({x})", f"int(jnp.argmax(jnp.abs({x})))", f"jnp.argmin({x})")
    w.line(f"peak = {place}")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"part = {x}[{w.pick('max(0, peak - 1)', 'max(peak - 2, 0)', 'jnp.maximum(peak - 1, 0)')}:peak + 2]")
        return w.end("scalar", w.pick("part.mean()", "part.sum()", "part.std()"))
    if form == 1:
        w.line(f"before, after = {x}[:peak], {x}[peak:]")
        return w.end("scalar", w.pick("after.mean() - before.sum()", "after.sum() * len(before)", "len(after) - len(before)"))
    if form == 2:
        t = w.take(n.limit, "float", values="limit")
        w.line(f"""
            left = peak
            while left > 0 and {x}[left - 1] > {t}:
                left -= 1
            right = peak
            while right < len({x}) - 1 and {x}[right + 1] > {t}:
                right += 1
        """)
        return w.end(*w.chance.choice([("count", "right - left"), ("scalar", f"{x}[left:right + 1].sum()")]))
    if form == 3:
        return w.end("array", w.pick(f"jnp.roll({x}, -peak)", f"jnp.concatenate([{x}[peak:], {x}[:peak]])"))
    w.line(f"if peak == 0 or peak == len({x}) - 1:\n    return {x}[peak]")
    w.line(f"a, b, c = {x}[peak - 1], {x}[peak], {x}[peak + 1]")
    return w.end("scalar", w.pick("(a + b + c) / 3", "b + 0.25 * (a - c)"))


def powers(w: Writer, n: Names) -> Draft:
    """Powers of a matrix, as many as data says."""
    a = w.take(n.matrix, "floats", ("m", "m"), "positive")
    form = w.chance.randrange(4)
    if form == 0:
        k = w.take("k", "int", values=(3, 0, 1, 2))
        w.line(f"P = {a} / {a}.sum(axis=1, keepdims=True)")
        return w.end("array", w.pick(f"jnp.linalg.matrix_power(P, {k})[0]", f"jnp.linalg.matrix_power(P, int({k}))"))
    if form == 1:
        w.line(f"""
            P = {a} / {a}.sum(axis=1, keepdims=True)
            Q = P @ P
            rounds = 0
            while jnp.abs(Q - P).max() > 1e-3 and rounds < 20:
                P, Q = Q, Q @ Q
                rounds += 1
        """)
        return w.end("array", "Q[0]")
    if form == 2:
        w.line(f"""
            A = {a} / 10.0
            term = jnp.eye(A.shape[0])
            total = term
            for k in range(1, {w.pick("12", "20")}):
                term = term @ A / k
                total = total + term
                if jnp.abs(term).max() < 1e-4:
                    break
        """)
        return w.end("array", "total")
    k = w.take("k", "whole", values=(5, 0, 1, 6))
    w.line(f"""
        result = jnp.eye({a}.shape[0])
        base = {a} / 4.0
        left = {k}
        while left > 0:
            if left % 2 == 1:
                result = result @ base
            base = base @ base
            left //= 2
    """)
    return w.end("array", "result")


def halves(w: Writer, n: Names) -> Draft:
    """Functions that call themselves on parts, and not last."""
    f = n.function
    form = w.chance.randrange(3)
    if form == 0:
        x = w.take(n.x, "floats", ("n",))
        w.line(f"if len({x}) == 1:\n    return {x}[0]\nmid = len({x}) // 2\nleft, right = {f}({x}[:mid]), {f}({x}[mid:])")
        return w.end(
            "scalar", w.pick("left if left > right else right", "max(left, right)", "left + right if left > 0 else right")
        )
    if form == 1:
        a, b = w.take("a", "float", values=(0.0, -1.0, 0.5)), w.take("b", "float", values=(1.0, 2.0, 1.5))
        w.take("depth", "size", values=(3, 2), default="3")
        w.line(f"""
            mid = 0.5 * ({a} + {b})
            coarse = ({b} - {a}) * mid ** 3
            fine = 0.5 * ({b} - {a}) * ((0.5 * ({a} + mid)) ** 3 + (0.5 * (mid + {b})) ** 3)
            if depth == 0 or abs(fine - coarse) < {w.pick("1e-2", "0.1")}:
                return fine
        """)
        return w.end("scalar", f"{f}({a}, mid, depth - 1) + {f}(mid, {b}, depth - 1)")
    k = w.take("k", "whole", values=(3, 0, 1, 4))
    x = w.take(n.rate, "float", values=(0.5, 2.0, -1.0, 1.5))
    w.line(f"if {k} == 0:\n    return {w.pick('0.0', x)}")
    return w.end("scalar", w.pick(f"{x} / (1.0 + {f}({k} - 1, {x}))", f"{x} + 1.0 / (2.0 + {f}({k} - 1, {x}))"))


def in_order(w: Writer, n: Names) -> Draft:
    """Orders by a key, pairs that are compared."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"order = sorted(range(len({x})), key=lambda i: {w.pick(f'abs({x}[i] - {t})', f'-{x}[i]', f'{x}[i]')})")
        return w.end("scalar", w.pick(f"{x}[order[0]]", f"{x}[order[-1]] - {x}[order[0]]", f"{x}[jnp.array(order[:1])].sum()"))
    if form == 1:
        return w.end("scalar", f"{w.pick('min', 'max')}({x}, key=lambda v: {w.pick(f'abs(v - {t})', f'(v - {t}) ** 2')})")
    if form == 2:
        return w.end("count", f"min((abs(v - {t}), i) for i, v in enumerate({x}))[1]")
    if form == 3:
        y = w.take(n.y, "floats", ("n",))
        w.line(f"pairs = sorted(zip({x}, {y}){w.pick('', ', reverse=True')})")
        return w.end("scalar", w.pick("pairs[0][1]", f"sum(b for a, b in pairs if a > {t})"))
    w.line(f"""
        ranked = sorted({x}, reverse={w.pick("True", "False")})
        total = 0.0
        for rank, v in enumerate(ranked):
            if v > {t}:
                total += v / (rank + 1)
    """)
    return w.end("scalar", "total")


def patience(w: Writer, n: Names) -> Draft:
    """Steps until nothing gets better any more."""
    x = w.take(n.x, "floats", ("n",))
    rate = w.take(n.rate, "float", values=(0.1, 0.3, 0.5))
    w.draft.differentiable = False
    least = w.pick("1e-3", "1e-2")
    w.line(f"""
        value = 0.0
        best, wait = jnp.inf, 0
        for step in range({w.pick("15", "30")}):
            loss = (({x} - value) ** 2).mean()
            if loss < best - {least}:
                best, wait = loss, 0
            else:
                wait += 1
            if wait >= {w.pick("2", "3")}:
                break
            value = value + {rate} * ({x} - value).mean()
    """)
    return w.end(*w.chance.choice([("scalar", "value"), ("scalar", "best"), ("count", "step")]))


WAYS = [both_axes, both_axes, gathered, gathered, not_yet, not_yet, states, around_a_peak, around_a_peak, powers, halves,
        in_order, patience]  # fmt: skip
