"""What cells of notebooks hold: samplers with a burn-in and keys of the new style, states in classes, indices that are kept,
statements that share a line, least squares on selected rows, histories of a search, functions within functions."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def sampled(w: Writer, n: Names) -> Draft:
    """A chain of draws, of which the first are left out."""
    w.use("jax")
    w.draft.differentiable = False
    x, rate = w.take(n.x, "floats", ("n",)), w.take(n.rate, "float", values=(0.5, 0.1, 1.0, 0.75))
    burn = w.pick("2", "3")
    w.line(f"""
        key = jax.random.{w.pick("key", "key", "PRNGKey")}({w.pick("0", "7")})
        at = {x}.mean()
        {n.kept} = []
        for i in range(8):
            key, step, choose = jax.random.split(key, 3)
            new = at + {rate} * jax.random.normal(step)
            if jax.random.uniform(choose) < jnp.exp({w.pick("(at ** 2 - new ** 2) / 2", "abs(at) - abs(new)")}):
                at = new
            if i >= {burn}{w.pick("", " and i % 2 == 0")}:
                {n.kept}.append({w.pick("at", "at * 2", "(at, new)")})
    """)
    return w.end(*w.chance.choice([("scalar", f"jnp.array({n.kept}).mean()"), ("array", f"jnp.array({n.kept})")]))


def state_in_a_class(w: Writer, n: Names) -> Draft:
    """What a loop carries has names."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    if w.maybe():
        w.use("NamedTuple", "jax")
        w.draft.helpers.append("class State(NamedTuple):\n    level: jax.Array\n    hits: int\n")
        change, end = "state = state._replace(level=state.level + v, hits=state.hits + 1)", "tuple(state)"
    else:
        w.use("dataclasses", "jax")
        w.draft.helpers.append(
            "@jax.tree_util.register_dataclass\n@dataclasses.dataclass\nclass State:\n    level: jax.Array\n    hits: int\n"
        )
        change, end = (
            "state = dataclasses.replace(state, level=state.level + v, hits=state.hits + 1)",
            "(state.level, state.hits)",
        )
    w.line(f"""
        state = State({x}[0] * 0, 0)
        for v in {x}:
            if v {w.pick(">", "<=")} {t} and state.level {w.pick("<", ">")} 3.0:
                {change}
    """)
    return w.end(*w.chance.choice([("tuple", end), ("scalar", "state.level"), ("count", "state.hits")]))


def indices_kept(w: Writer, n: Names) -> Draft:
    """Places that a loop finds, by which another array is read."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    found = w.pick("peaks", "at", "crossings")
    test = w.pick(f"{x}[i] > {x}[i - 1] and {x}[i] > {t}", f"({x}[i] - {t}) * ({x}[i - 1] - {t}) < 0", f"{x}[i] > {t}")
    w.line(f"""
        {found} = []
        for i in range(1, len({x})):
            if {test}:
                {found}.append({w.pick("i", "i", "i - 1")})
    """)
    form = w.chance.randrange(4)
    if form == 0:
        return w.end("count", w.pick(f"len({found})", f"sum({found})"))
    if form == 1:
        w.line(f"if not {found}:\n    return {w.pick('0.0', t)}")
        return w.end("scalar", w.pick(f"{x}[jnp.array({found})].mean()", f"{x}[{found}[0]]", f"{x}[{found}[-1]] * {t}"))
    if form == 2:
        w.line(f"if len({found}) < 2:\n    return {w.pick('0.0', '-1.0')}")
        return w.end("scalar", w.pick(f"jnp.diff(jnp.array({found})).mean()", f"jnp.array({found}).max() * 1.0"))
    return w.end("tuple", f"(len({found}), sum({x}[i] for i in {found}))")


def on_one_line(w: Writer, n: Names) -> Draft:
    """Statements that share a line."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            {n.total} = 0.0; k = 0
            for v in {x}:
                if v > {t}: {n.total} += v; k += 1
                else: {n.total} *= 0.5
        """)
        return w.end("tuple", f"{n.total}, k")
    if form == 1:
        w.line(f"""
            {n.kept} = [{x}[0]]
            for v in {x}[1:]:
                if abs(v - {n.kept}[-1]) > {t}: {n.kept}.append(v)
        """)
        return w.end(*w.chance.choice([("scalar", f"sum({n.kept})"), ("count", f"len({n.kept})")]))
    if form == 2:
        w.line(f"""
            lo, hi = -4.0, 4.0; i = 0
            while hi - lo > 0.5 and i < 20:
                mid = (lo + hi) / 2; i += 1
                if ({x} - mid).sum() > {t}: lo = mid
                else: hi = mid
        """)
        return w.end("scalar", "(lo + hi) / 2")
    w.line(f"""
        if {x}.max() > {t}: scale = {x}.max()
        elif {x}.min() < -{t}: scale = -{x}.min()
        else: scale = 1.0
    """)
    return w.end("array", f"{x} / scale")


def fitted(w: Writer, n: Names) -> Draft:
    """Algebra on the rows that are kept."""
    a, x = w.take(n.matrix, "floats", ("n", "3")), w.take(n.x, "floats", ("n",))
    t = w.take(n.limit, "float", values="limit")
    w.line(f"{n.mask} = {w.pick(f'{x} > {t}', f'jnp.abs({x}) < {t}', f'({x} > {t}) | ({x} < 0)')}")
    w.line(f"A, b = {a}[{n.mask}], {x}[{n.mask}]")
    if w.maybe(0.4):
        w.line(f"if {w.pick('len(b) == 0', 'A.shape[0] < 1')}:\n    return {w.pick('0.0', '-1.0')}")
    ridge = w.pick("jnp.eye(3)", "0.5 * jnp.eye(3)")
    end = w.pick(
        f"jnp.linalg.solve(A.T @ A + {ridge}, A.T @ b).sum()",
        f"jnp.linalg.det(A.T @ A + {ridge})",
        f"(jnp.linalg.inv(A.T @ A + {ridge}) @ (A.T @ b))[0]",
        'jnp.einsum("ij,i->j", A, b).sum()',
        'jnp.einsum("ij,ik->jk", A, A).trace()',
        "jnp.linalg.norm(A, axis=1).sum()",
        "((A - A.mean(axis=0)) ** 2).sum()",
        "(A * b[:, None]).sum(axis=0).max()",
    )
    return w.end("scalar", end)


def history(w: Writer, n: Names) -> Draft:
    """A search and what it went through."""
    x, rate = w.take(n.x, "floats", ("n",)), w.take(n.rate, "float", values=(0.5, 0.1, 0.25))
    tol = w.take("tol", "float", values="tolerance")
    past = w.pick("losses", "history", "trace")
    w.line(f"""
        guess, step = 0.0, 1.0
        {past} = []
        for it in range(12):
            gap = guess - {x}.mean()
            {past}.append(gap ** 2)
            if {w.pick("abs(gap) < tol", f"it > 0 and abs({past}[-1] - {past}[-2]) < tol")}:
                break
            {w.pick("step = step * 0.9", "if gap > 0: step = step * 0.5", "step *= 0.8 if it > 3 else 1.0")}
            guess = guess - {rate} * step * gap
    """)
    ends = [("scalar", "guess"), ("tuple", f"(guess, len({past}))"), ("scalar", f"{past}[-1]"), ("scalar", f"min({past})")]
    assert tol
    return w.end(*w.chance.choice(ends))


def within(w: Writer, n: Names) -> Draft:
    """A function within the function, which decides on what it is given and on what stands around it."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    scale = w.pick(f"{x}.std() + 1.0", "2.0", f"{t} * {t} + 1.0")
    w.line(f"""
        scale = {scale}

        def {n.helper}(v{w.pick("", ", slope=0.1")}):
            if v > {t}:
                return v / scale
            return {w.pick("0.1 * v", "v - scale", "-scale", "0.0")}

    """)
    end = w.pick(
        f"sum({n.helper}(v) for v in {x})",
        f"max({n.helper}(v) for v in {x})",
        f"{n.helper}({n.helper}({x}[0]))",
        f"{n.helper}({x}.sum()) - {n.helper}({x}[-1])",
    )
    if w.maybe(0.3):
        return w.end("array", f"jnp.array([{n.helper}(v) for v in {x}])")
    return w.end("scalar", end)


def guarded(w: Writer, n: Names) -> Draft:
    """What a first condition keeps a second one from."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    form = w.chance.randrange(4)
    if form == 0:
        w.line(f"""
            if any(v != 0 and 1 / v > {t} for v in {x}):
                return {w.pick(f"{x}.sum()", f"{x}.max()")}
        """)
        return w.end("scalar", w.pick("0.0", f"{x}.min()"))
    if form == 1:
        w.line(f"""
            i = len({x}) - 1
            while i >= 0 and {x}[i] {w.pick("<=", ">", "!=")} {t}:
                i -= 1
        """)
        return w.end(*w.chance.choice([("count", "i"), ("scalar", f"{x}[: i + 1].sum()"), ("scalar", f"{x}[max(i, 0)]")]))
    if form == 2:
        w.line(
            f"first = next(({w.pick('i', 'i', 'i + 1')} for i, v in enumerate({x}) if v > {t}), {w.pick('-1', f'len({x})')})"
        )
        return w.end(*w.chance.choice([("count", "first"), ("scalar", f"{x}[:first].sum()")]))
    w.line(f"low = {x}.min(); spread = {x}.max() - low")
    return w.end("array", f"({x} - low) / spread if spread > 0 and {t} < 2 else {x} * 0")


def skipped(w: Writer, n: Names) -> Draft:
    """One pass that leaves some out: means and spreads that run along."""
    x, t = w.take(n.x, "floats", ("n",), values="missing"), w.take(n.limit, "float", values="limit")
    w.line(f"""
        mean, m2, k = 0.0, 0.0, 0
        for v in {x}:
            if jnp.isnan(v){w.pick("", f" or v > {t}")}:
                continue
            k += 1
            delta = v - mean
            mean += delta / k
            m2 += delta * (v - mean)
    """)
    assert t
    return w.end(
        *w.chance.choice([("scalar", "mean"), ("scalar", "m2 / k if k > 1 else 0.0"), ("tuple", "(mean, k)"), ("count", "k")])
    )


def by_order(w: Writer, n: Names) -> Draft:
    """A whole number that chooses a way, and data beside it."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    order = w.take("order", "size", values=(1, 2, 3), default=w.pick("1", "2"))
    w.line(f"""
        if {order} == 1:
            {n.total} = jnp.abs({x}).sum()
        elif {order} == 2:
            {n.total} = {w.pick(f"({x} ** 2).sum()", f"{x}[{x} > {t}].sum()")}
        else:
            {n.total} = {w.pick(f"{x}[{x} < {t}].sum()", f"{x}.max()")}
        if {n.total} > {t}:
            {n.total} = {n.total} / 2
    """)
    return w.end("scalar", n.total)


def of_kinds(w: Writer, n: Names) -> Draft:
    """What asks for the kind of its arguments."""
    x, t = w.take(n.x, "floats", ("n",)), w.take(n.limit, "float", values="limit")
    w.line(
        w.pick(
            f"{x} = jnp.asarray({x})\nif {x}.ndim == 0:\n    {x} = {x}[None]",
            f"if isinstance({x}, list):\n    {x} = jnp.array({x})",
            f'if hasattr({x}, "shape") and len({x}.shape) > 1:\n    {x} = {x}.ravel()',
            f"if jnp.issubdtype({x}.dtype, jnp.integer):\n    {x} = {x} * 1.0",
        )
    )
    w.line(f"if {x}.sum() > {t}:\n    {x} = {x} - {t}")
    return w.end(*w.chance.choice([("scalar", f"{x}[{x} > 0].sum()"), ("array", f"{x} * 2")]))


WAYS = [
    sampled,
    state_in_a_class,
    indices_kept,
    on_one_line,
    fitted,
    history,
    within,
    guarded,
    skipped,
    by_order,
    of_kinds,
]
