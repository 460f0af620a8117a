"""What is done step by step with a rule for the odd case: tables over two sequences, running statistics that leave NaN out,
calibration to a tolerance, rows that cannot be scaled, windows with strides, ranks with ties, rows of a sparse matrix."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def two_sequences(w: Writer, n: Names) -> Draft:
    """A table over two sequences: edits, what is common, warped distances, a band beside the diagonal."""
    form = w.chance.randrange(4)
    if form == 3:
        x, y = w.take(n.x, "floats", ("n",)), w.take(n.y, "floats", ("m",))
        far = w.pick("jnp.inf", "1e9", 'float("inf")')
        w.line(f"""
            D = jnp.full(({x}.shape[0] + 1, {y}.shape[0] + 1), {far})
            D = D.at[0, 0].set(0.0)
            for i in range({x}.shape[0]):
                for j in range({y}.shape[0]):
                    cost = {w.pick(f"abs({x}[i] - {y}[j])", f"({x}[i] - {y}[j]) ** 2")}
                    D = D.at[i + 1, j + 1].set(cost + min(D[i, j + 1], D[i + 1, j], D[i, j]))
        """)
        return w.end("scalar", "D[-1, -1]")
    w.draft.differentiable = False
    a, b = w.take("a", "counts", ("n",)), w.take("b", "counts", ("m",))
    if form == 0:
        w.line(f"""
            previous = list(range(len({b}) + 1))
            for i in range(len({a})):
                current = [i + 1]
                for j in range(len({b})):
                    cost = 0 if {a}[i] == {b}[j] else 1
                    current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + cost))
                previous = current
        """)
        return w.end("count", "previous[-1]")
    if form == 1:
        rows, columns = f"len({a}) + 1", f"len({b}) + 1"
        w.line(f"""
            L = {w.pick(f"[[0] * ({columns}) for _ in range({rows})]", f"np.zeros(({rows}, {columns}), dtype=int)")}
            for i in range(1, len({a}) + 1):
                for j in range(1, len({b}) + 1):
                    if {a}[i - 1] == {b}[j - 1]:
                        L[i][j] = L[i - 1][j - 1] + 1
                    else:
                        L[i][j] = max(L[i - 1][j], L[i][j - 1])
        """)
        w.use("np")
        return w.end("count", "L[-1][-1]")
    w.line(f"""
        i = j = matched = 0
        while i < len({a}) and j < len({b}):
            if {a}[i] == {b}[j]:
                matched += 1
                j += 1
            i += 1
    """)
    return w.end("count", w.pick("matched", "j == len(b)", "i - matched"))


def running(w: Writer, n: Names) -> Draft:
    """Statistics that are kept up from value to value; what to do with NaN."""
    x = w.take(n.x, "floats", ("n",), "missing")
    missing = w.pick("jnp.isnan(v)", "v != v", "not jnp.isfinite(v)")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            count, mean, m2 = 0, 0.0, 0.0
            for v in {x}:
                if {missing}:
                    continue
                count += 1
                delta = v - mean
                mean += delta / count
                m2 += delta * (v - mean)
            if count < 2:
                return {w.pick("0.0", 'float("nan")', "jnp.nan")}
        """)
        return w.end("scalar", w.pick("m2 / (count - 1)", "jnp.sqrt(m2 / count)", "mean + m2"))
    if form == 1:
        rate = w.take(n.rate, "float", values=(0.5, 0.1, 0.9))
        w.line(f"""
            level = None
            out = []
            for v in {x}:
                if not ({missing}):
                    level = v if level is None else (1 - {rate}) * level + {rate} * v
                out.append({w.pick("0.0 if level is None else level", "level if level is not None else jnp.nan")})
        """)
        return w.end("array", "jnp.array(out)")
    if form == 2:
        w.take("how", "choice", values=("omit", "zero", "propagate"), default='"omit"')
        w.line(f"""
            if how == "omit":
                {x} = {x}[~jnp.isnan({x})]
            elif how == "zero":
                {x} = jnp.where(jnp.isnan({x}), 0.0, {x})
            if {x}.size == 0:
                return {w.pick("0.0", "jnp.nan")}
        """)
        return w.end("scalar", w.pick(f"{x}.mean()", f"{x}.sum() / {x}.size", f"({x} ** 2).mean()"))
    w.line(f"""
        last = 0.0
        gaps = 0
        filled = []
        for v in {x}:
            if {missing}:
                gaps += 1
            else:
                last = v
            filled.append({w.pick("last", "last if gaps < 3 else 0.0")})
    """)
    return w.end(
        *w.chance.choice([("array", "jnp.stack(filled)"), ("tuple", "(sum(filled), gaps)"), ("array", "jnp.array(filled)")])
    )


def calibrated(w: Writer, n: Names) -> Draft:
    """A parameter that is moved until a quantity meets its target."""
    x = w.take(n.x, "floats", ("n",), "positive")
    target = w.take("target", "float", values=(0.5, 0.25, 2.0, 1.0))
    form = w.chance.randrange(3)
    of = w.pick(f"jnp.mean(1 / (1 + mid * {x}))", f"jnp.exp(-mid * {x}).mean()")
    if form == 0:
        w.line(f"""
            low, high = 0.0, {w.pick("8.0", "10.0")}
            for _ in range({w.pick("20", "30", "12")}):
                mid = (low + high) / 2
                value = {of}
                if abs(value - {target}) < {w.pick("1e-3", "0.01")}:
                    break
                if value > {target}:
                    low = mid
                else:
                    high = mid
        """)
        w.draft.differentiable = False
        return w.end("scalar", w.pick("mid", "value", "0.5 * (low + high)"))
    if form == 1:
        w.draft.differentiable = False
        w.line(f"""
            high = 1.0
            while jnp.exp(-high * {x}).mean() > {target} and high < 100:
                high *= 2
            low = 0.0
            while high - low > {w.pick("0.05", "0.1")}:
                mid = 0.5 * (low + high)
                if {of} > {target}:
                    low = mid
                else:
                    high = mid
        """)
        return w.end("scalar", w.pick("low", "high", "mid if high < 50 else -1.0"))
    w.draft.differentiable = False
    w.line(f"""
        z0, z1 = 0.0, 1.0
        f0 = {x}.mean() * z0 - {target}
        for k in range(8):
            f1 = jnp.tanh(z1 * {x}).mean() - {target}
            if abs(f1) < 1e-3 or f1 == f0:
                return {w.pick("z1", "(z1, k)")}
            z0, z1, f0 = z1, {w.pick("jnp.clip", "np.clip")}(z1 - f1 * (z1 - z0) / (f1 - f0), -5.0, 5.0), f1
    """)
    w.use("np")
    pair = any("(z1, k)" in line for line in w.draft.body)
    return w.end("tuple" if pair else "scalar", "(z1, -1)" if pair else "z1")


def rows(w: Writer, n: Names) -> Draft:
    """Rows that are scaled, but for those that cannot be."""
    a = w.take(n.matrix, "floats", ("n", "m"))
    form = w.chance.randrange(4)
    if form == 0:
        least, other = w.pick("0", "1e-6"), w.pick("row * 0", "jnp.zeros_like(row)")
        w.line(f"""
            out = []
            for row in {a}:
                spread = {w.pick("row.max() - row.min()", "row.std()", "jnp.ptp(row)")}
                out.append((row - row.{w.pick("min", "mean")}()) / spread if spread > {least} else {other})
        """)
        return w.end("array", w.pick("jnp.stack(out)", "jnp.array(out)"))
    if form == 1:
        w.line(f"""
            out = {a}
            for i in range({a}.shape[0]):
                total = {a}[i].sum()
                if total != 0:
                    out = out.at[i].set({a}[i] / total)
                elif {w.pick("i > 0", f"{a}[i, 0] > 0")}:
                    out = out.at[i].set({w.pick("0.0", "1.0 / out.shape[1]")})
        """)
        return w.end("array", "out")
    if form == 2:
        t = w.take(n.limit, "float", values="limit")
        w.line(f"""
            norms = jnp.sqrt(({a} ** 2).sum(axis=1))
            for i, size in enumerate(norms):
                if size > {t} and size > 0:
                    {a} = {a}.at[i].multiply({w.pick(t, "1.0")} / size)
        """)
        return w.end("array", a)
    w.line(f"""
        kept = [row for row in {a} if {w.pick("row.sum() > 0", "jnp.all(row > -1)", "row[0] < row[-1]")}]
        if not kept:
            return {w.pick("0.0", "-1.0")}
    """)
    return w.end("scalar", w.pick("sum(row.max() for row in kept) / len(kept)", "jnp.stack(kept).mean()", "kept[-1].sum()"))


def strides(w: Writer, n: Names) -> Draft:
    """Windows that begin every few places."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    w.take("width", "size", values=(3, 2, 4), default="3")
    w.take("stride", "size", values=(2, 1, 3), default="2")
    form = w.chance.randrange(4)
    begins = f"range(0, len({x}) - width + 1, stride)"
    if form == 0:
        w.line(f"""
            flagged = []
            for start in {begins}:
                part = {x}[start:start + width]
                if {w.pick("part.max()", "jnp.median(part)", "part.mean()")} > {t}:
                    flagged.append(start)
        """)
        return w.end("count", w.pick("len(flagged)", "flagged[0] if flagged else -1", "sum(flagged)"))
    if form == 1:
        w.line(f"""
            best, at = {w.pick("-jnp.inf", "0.0")}, -1
            for start in {begins}:
                score = {x}[start:start + width].sum()
                if score > {t} and (at < 0 or score > best):
                    best, at = score, start
        """)
        return w.end("tuple", "(best, at)")
    if form == 2:
        w.line(f"""
            out = []
            for start in range(0, len({x}), stride):
                part = {x}[start:start + width]
                out.append(part[part > {t}].sum() if len(part) == width else {w.pick("0.0", "part.sum()")})
        """)
        return w.end("array", "jnp.array(out)")
    w.line(f"""
        start = 0
        pieces = 0
        while start + width <= len({x}):
            if {x}[start:start + width].{w.pick("min", "mean")}() > {t}:
                pieces += 1
                start += width
            else:
                start += stride
    """)
    return w.end("count", w.pick("pieces", "pieces * width + start"))


def ranks(w: Writer, n: Names) -> Draft:
    """Places in an order, with a rule for what is equal."""
    w.draft.differentiable = False
    x = w.take(n.x, "floats", ("n",), (1.0, 2.0, 2.0, 3.0, 0.5))
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"""
            out = []
            for v in {x}:
                less = sum(1 for u in {x} if u < v)
                same = sum(1 for u in {x} if u == v)
                out.append(less + (same + 1) / 2)
        """)
        return w.end("array", "jnp.array(out)")
    if form == 1:
        w.line(f"""
            order = jnp.argsort({x})
            ranks = jnp.zeros(len({x}))
            i = 0
            while i < len({x}):
                j = i
                while j + 1 < len({x}) and {x}[order[j + 1]] == {x}[order[i]]:
                    j += 1
                for k in range(i, j + 1):
                    ranks = ranks.at[order[k]].set((i + j) / 2 + 1)
                i = j + 1
        """)
        return w.end("array", "ranks")
    if form == 2:
        w.line(f"""
            ranked = sorted({x}{w.pick("", ", reverse=True")})
            place, dense = 0, []
            for k, v in enumerate(ranked):
                if k == 0 or v != ranked[k - 1]:
                    place += 1
                dense.append(place)
        """)
        return w.end("count", w.pick("dense[-1]", "sum(dense)", "max(dense) - min(dense)"))
    if form == 3:
        y = w.take(n.y, "floats", ("n",), (1.0, 2.0, 2.0, 3.0, 0.5))
        w.line(f"""
            concordant = discordant = ties = 0
            for i in range(len({x})):
                for j in range(i):
                    s = ({x}[i] - {x}[j]) * ({y}[i] - {y}[j])
                    if s > 0:
                        concordant += 1
                    elif s < 0:
                        discordant += 1
                    else:
                        ties += 1
        """)
        return w.end(
            *w.chance.choice(
                [
                    ("count", "concordant - discordant"),
                    ("scalar", "(concordant - discordant) / max(concordant + discordant, 1)"),
                    ("count", "ties"),
                ]
            )
        )
    k = w.take("k", "size", values=(2, 1, 3), default="2")
    w.line(f"""
        order = sorted(range(len({x})), key=lambda i: {w.pick(f"(-{x}[i], i)", f"{x}[i]", f"-{x}[i]")})
        cut = {x}[order[min({k}, len({x})) - 1]]
        chosen = [i for i in order if {x}[i] >= cut]
    """)
    return w.end("count", w.pick("len(chosen)", "chosen[0]", "sum(chosen)"))


def sparse(w: Writer, n: Names) -> Draft:
    """Rows of a sparse matrix, runs of equal keys, links that are followed."""
    form = w.chance.randrange(3)
    if form == 0:
        x = w.take(n.x, "floats", ("n",))
        ends = w.take("ends", "ints", ("4",), (0, 1, 2, 3, 4))
        w.line(f"""
            ends = jnp.sort({ends})
            sums = []
            for r in range(len(ends) - 1):
                total = 0.0
                for k in range({w.pick("ends[r], ends[r + 1]", "int(ends[r]), int(ends[r + 1])")}):
                    total += {x}[k]
                sums.append(total)
        """)
        return w.end("array", w.pick("jnp.array(sums)", "jnp.stack(sums)"))
    if form == 1:
        x, keys = w.take(n.x, "floats", ("n",)), w.take(n.group, "labels", ("n",))
        w.line(f"""
            sums, current, total = [], {keys}[0], 0.0
            for key, v in zip({keys}, {x}):
                if key != current:
                    sums.append(total)
                    current, total = key, 0.0
                total += v
            sums.append(total)
        """)
        return w.end("scalar", w.pick("max(sums)", "sum(sums)", "sums[0]", "sums[-1]"))
    w.draft.differentiable = False
    rows, cols = w.take("rows", "labels", ("n",)), w.take("cols", "labels", ("n",))
    w.line(f"""
        degree = jnp.zeros(3, dtype=int)
        edges = 0
        for i, j in zip({rows}, {cols}):
            if {w.pick("i != j", "i < j")}:
                degree = degree.at[i].add(1).at[j].add(1)
                edges += 1
        if edges == 0:
            return {w.pick("0", "-1")}
    """)
    return w.end("count", w.pick("degree.max()", "jnp.sum(degree == 1)", "jnp.argmax(degree)"))


WAYS = [two_sequences, running, calibrated, rows, strides, ranks, sparse]
