"""NumPy's and SciPy's functions, however they came into the module."""

from __future__ import annotations

from ..program import Draft, Writer
from ..vocabulary import Names


def write(w: Writer, n: Names) -> Draft:
    x = w.take(n.x, "floats", ("n",), "positive")
    w.draft.differentiable = False  # plain Python's NumPy takes no tracer
    kind = w.chance.choice(list(CALLS))
    w.use("np" if kind == "np" else kind)
    expression, gives = w.chance.choice(CALLS[kind])
    if "{y}" in expression:
        w.take(n.y, "floats", ("n",), "positive")
    if "{g}" in expression:
        w.take(n.group, "labels", ("n",))
    expression = expression.format(x=x, y=n.y, g=n.group)
    if "\n" in expression:
        setup, _, expression = expression.rpartition("\n")
        w.line(setup)
    if gives == "array" and w.maybe(0.4):
        return w.end("scalar", f"({expression}).sum()")
    w.line(f"{n.total} = {expression}")
    if w.maybe(0.3) and gives == "scalar":
        t = w.take(n.limit, "float", values="limit")
        w.line(f"if {n.total} > {t}:\n    {n.total} = {t}")
    return w.end(gives, n.total)  # type: ignore[arg-type]


CALLS: dict[str, list[tuple[str, str]]] = {
    "np": [
        ("np.maximum.accumulate({x})", "array"),
        ("np.minimum.accumulate({x})", "array"),
        ("np.add.accumulate({x})", "array"),
        ("np.subtract.outer({x}, {y})", "array"),
        ("np.multiply.outer({x}, {x})", "array"),
        ("np.add.reduce({x})", "scalar"),
        ("np.maximum.reduce({x})", "scalar"),
        ("sums = np.zeros(3)\nnp.add.at(sums, {g}, {x})\nsums", "array"),
        ("np.sqrt({x}) + np.exp(-{x})", "array"),
        ("np.where({x} > 1, {x}, 0.0)", "array"),
        ("np.interp(0.75, np.sort({x}), {y})", "scalar"),
        ("np.dot({x}, {y})", "scalar"),
        ("np.clip({x}, 0.5, 1.5)", "array"),
        ("np.diff({x})", "array"),
        ("np.sort({x})[::-1]", "array"),
        ("np.median({x})", "scalar"),
        ("np.linalg.norm({x} - {y})", "scalar"),
        ("np.hypot({x}, {y})", "array"),
        ("np.bincount({g}, weights={x}, minlength=3)", "array"),
        ("np.log(np.array({x}))", "array"),
        ("np.einsum('i,j->ij', {x}, {y})", "array"),
        ("np.percentile({x}, 50)", "scalar"),
        ("np.float64({x}.sum())", "scalar"),
        ("np.convolve({x}, np.ones(2), mode='same')", "array"),
        ("np.heaviside({x} - 1, 0.5)", "array"),
    ],
    "gammaln": [("gammaln({x})", "array"), ("gammaln({x} + 1) - gammaln({y} + 1)", "array"), ("gammaln({x}.sum())", "scalar")],
    "expit": [("expit({x} - {y})", "array")],
    "erf": [("0.5 * (1 + erf({x} / 1.5))", "array")],
    "logsumexp": [("logsumexp({x})", "scalar"), ("logsumexp({x}, b={y})", "scalar")],
    "norm": [("norm.cdf({x})", "array"), ("norm.logpdf({x}, 0.5, 2.0)", "array"), ("norm.ppf({x} / (1 + {x}))", "array")],
    "stats": [("stats.norm.pdf({x})", "array"), ("stats.gamma.logpdf({x}, 2.0)", "array"), ("stats.expon.cdf({x})", "array")],
    "special": [("special.betaln({x}, {y})", "array"), ("special.xlogy({x}, {y})", "array"), ("special.digamma({x})", "array")],
}
