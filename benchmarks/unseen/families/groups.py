"""Groups: a loop over unique labels, means by group, majority, one-hot tables."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    return w.chance.choice(WAYS)(w, n)


def over_unique(w: Writer, n: Names) -> Draft:
    x, group = w.take(n.x, "floats", ("n",)), w.take(n.group, "labels", ("n",))
    value = w.pick(
        f"{x}[{group} == g].mean()",
        f"{x}[{group} == g].sum()",
        f"jnp.sum(jnp.where({group} == g, {x}, 0.0))",
        f"jnp.max({x}[{group} == g])",
        f"({group} == g).sum()",
        f"{x}[{group} == g].std()",
    )
    form = w.chance.randrange(4)
    counted = value.startswith("(") and value.endswith("== g).sum()")
    if form == 0:
        w.line(f"{n.total} = {w.pick('0.0', '0', '1.0')}\nfor g in jnp.unique({group}):\n    {n.total} += {value}")
        return w.end("scalar", n.total)
    if form == 1:
        w.line(f"parts = []\nfor g in jnp.unique({group}):\n    parts.append({value})")
        return w.end(
            "count" if counted else "scalar", w.pick("max(parts)", "sum(parts)", "sum(parts) / len(parts)", "len(parts)")
        )
    if form == 2:
        w.line(f"parts = jnp.array([{value} for g in jnp.unique({group})])")
        return w.end("scalar", w.pick("parts.max()", "parts.mean()", "jnp.max(parts) - jnp.min(parts)", "parts.sum()"))
    w.line(f"""
        best = {w.pick("None", "None", "-jnp.inf")}
        for g in jnp.unique({group}):
            value = {value}
            if {w.pick("TEST", "TEST")}value > best:
                best = value
    """)
    born = any("best = None" in line for line in w.draft.body)
    w.draft.body = [line.replace("TEST", "best is None or " if born else "") for line in w.draft.body]
    return w.end("scalar", "best")


def over_classes(w: Writer, n: Names) -> Draft:
    """A loop over as many classes as a number says."""
    x, group = w.take(n.x, "floats", ("n",)), w.take(n.group, "labels", ("n",))
    k = w.take(w.pick("k", "n_classes", "K"), "size", values=(3, 4, 2))
    form = w.chance.randrange(4)
    empty = w.pick("0.0", "0", "jnp.nan", "-1.0")
    if form == 0:
        w.line(f"""
            means = []
            for c in range({k}):
                members = {x}[{group} == c]
                if len(members) == 0:
                    means.append({empty})
                else:
                    means.append(members.{w.pick("mean", "sum", "max")}())
        """)
        return w.end("array", "jnp.array(means)")
    if form == 1:
        w.line(f"means = jnp.stack([{x}[{group} == c].{w.pick('mean', 'sum')}() for c in range({k})])")
        return w.end("array", w.pick("means", "means - means.mean()"))
    if form == 2:
        w.line(f"""
            means = [({x}[{group} == c].mean() if ({group} == c).any() else {empty}) for c in range({k})]
        """)
        return w.end("array", "jnp.array(means)")
    w.line(f"""
        means = jnp.zeros({k})
        for c in range({k}):
            {n.mask} = {group} == c
            if jnp.sum({n.mask}) > {w.pick("0", "1")}:
                means = means.at[c].set({x}[{n.mask}].{w.pick("mean", "sum", "min")}())
    """)
    return w.end(*w.chance.choice([("array", "means"), ("scalar", "means.max()"), ("count", "jnp.argmax(means)")]))


def majority(w: Writer, n: Names) -> Draft:
    w.draft.differentiable = False  # it is about labels
    group = w.take(n.group, "labels", ("n",))
    form = w.chance.randrange(5)
    if form == 0:
        w.line(f"values, counts = jnp.unique({group}, return_counts=True)")
        return w.end("count", w.pick("values[jnp.argmax(counts)]", "counts.max()", "len(values)", "values[counts > 1].sum()"))
    if form == 1:
        w.line(f"values, counts = jnp.unique({group}, return_counts=True)\nshare = counts / {group}.size")
        return w.end("scalar", w.pick("-jnp.sum(share * jnp.log(share))", "1 - (share ** 2).sum()", "share.max()"))
    if form == 2:
        w.line(f"values, inverse = jnp.unique({group}, return_inverse=True)\nx = {w.take(n.x, 'floats', ('n',))}")
        return w.end("scalar", w.pick("jnp.sum(x * inverse)", "x[inverse == 0].sum()", "(x - values[inverse]).sum()"))
    if form == 3:
        w.line(f"counts = jnp.bincount({group})")
        return w.end("count", w.pick("counts.max()", "jnp.argmax(counts)", "(counts > 0).sum()", "len(counts)"))
    w.line(f"n_groups = int({group}.max()) + 1\ncounts = jnp.zeros(n_groups).at[{group}].add(1)")
    return w.end("scalar", w.pick("counts.max()", "counts.sum()", "(counts ** 2).sum()", "jnp.sum(counts == 0)"))


WAYS = [over_unique, over_unique, over_classes, over_classes, majority]
