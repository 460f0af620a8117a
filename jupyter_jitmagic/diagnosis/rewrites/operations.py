"""One table of array operations, each in all its spellings (`jnp.max(x)`, `x.max()`, `max(x)`, `lax.…`).

A row says what the operation does with an array of which only some elements count (`ragged.py`), and whether it may be
evaluated on those that do not: its value and its derivative there must be finite, or a gradient becomes NaN.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_jitmagic.base.looking import attribute, text_attribute
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import bound_once

LINEAR, TOTAL, PARTIAL = 0, 1, 3
"""How safe an elementwise operation is: finite and with a derivative that needs no finite operand; finite for finite operands;
not everywhere. (2 stands for: only an operand that is 1 is known to be safe.)"""


@dataclass(frozen=True)
class Operation:
    """A row of the table.

    Attributes:
        sort: what is done: "elementwise", "where", "extreme", "by nan", "sort", "argsort", "place", "sought", "running",
            "flat", "count", "norm", "join", "pad", "beside", "roll", "fit", "polynomial", "stack", "product", "shift",
            "like", "drawn", "one hot".
        safety: of an elementwise one, LINEAR, TOTAL or PARTIAL.
        neutral: of one that is told a neutral element: that element ("" where `where=` serves).
        spelled: its name in jax.numpy where it is another.
    """

    sort: str
    safety: int = LINEAR
    neutral: str = ""
    spelled: str = ""


def _rows(names: str, sort: str, safety: int = LINEAR, neutral: str = "") -> dict[str, Operation]:
    return {name: Operation(sort, safety, neutral) for name in names.split()}


TABLE: dict[str, Operation] = {
    **_rows(
        "add subtract negative positive astype asarray array float32 float64 int32 int64 conj real imag equal not_equal less "
        "less_equal greater greater_equal isnan isinf isfinite logical_and logical_or logical_not logical_xor invert "
        "bitwise_and bitwise_or bitwise_xor bitwise_not float int bool stop_gradient",
        "elementwise",
    ),
    **_rows(
        "abs absolute fabs multiply square exp exp2 expm1 sin cos tan tanh sinh cosh sinc arctan sign floor ceil round rint "
        "trunc clip maximum minimum where nan_to_num deg2rad rad2deg relu relu6 sigmoid softplus gelu silu swish elu "
        "leaky_relu log_sigmoid selu celu hard_tanh soft_sign erf erfc expit logaddexp logaddexp2 heaviside fix around mod "
        "remainder fmod floor_divide left_shift right_shift sigmoid_binary_cross_entropy l2_loss huber_loss squared_error gcd "
        "lcm fmax fmin log1p arcsin arctanh arcsinh select copysign",
        "elementwise",
        TOTAL,
    ),
    **_rows(
        "log log2 log10 sqrt cbrt rsqrt reciprocal divide true_divide power float_power hypot arccos arccosh arctan2 gammaln "
        "lgamma digamma polygamma xlogy xlog1py entr rel_entr kl_div logit erfinv ndtri i0 i0e i1 i1e betaln gammainc "
        "gammaincc zeta pow angle",
        "elementwise",
        PARTIAL,
    ),
    **_rows("sum mean prod any all nansum nanmean nanprod", "where"),
    **_rows("std var nanstd nanvar logsumexp", "where", TOTAL),
    **_rows("max amax nanmax", "extreme", neutral="-"),
    **_rows("min amin nanmin", "extreme", neutral="+"),
    **_rows("ptp", "extreme", neutral="ptp"),
    "median": Operation("by nan", spelled="nanmedian"),
    "quantile": Operation("by nan", spelled="nanquantile"),
    "percentile": Operation("by nan", spelled="nanpercentile"),
    "nanmedian": Operation("by nan", spelled="nanmedian"),
    "nanquantile": Operation("by nan", spelled="nanquantile"),
    "nanpercentile": Operation("by nan", spelled="nanpercentile"),
    **_rows("argmax nanargmax", "place", neutral="-"),
    **_rows("argmin nanargmin", "place", neutral="+"),
    **_rows("index count", "sought"),
    **_rows("sort sorted", "sort"),
    **_rows("argsort", "argsort"),
    **_rows("cumsum nancumsum", "running", neutral="0"),
    **_rows("cumprod nancumprod", "running", neutral="1"),
    **_rows("cummax", "running", neutral="-"),
    **_rows("cummin", "running", neutral="+"),
    **_rows("ravel flatten squeeze copy list tuple tolist", "flat"),
    **_rows("size len", "count"),
    "count_nonzero": Operation("count nonzero"),
    "average": Operation("average"),
    "norm": Operation("norm"),
    "softmax": Operation("softmax"),
    "log_softmax": Operation("softmax"),
    **_rows("concatenate hstack append insert", "join"),
    **_rows("stack vstack column_stack", "stack"),
    "vander": Operation("powers"),
    **_rows("dot matmul vdot inner", "product"),
    "outer": Operation("outer"),
    "einsum": Operation("einsum"),
    **_rows("trace diag diagonal inv det slogdet cholesky solve solve_triangular", "square"),
    **_rows("triu tril", "triangle"),
    **_rows("diff ediff1d", "shift"),
    "pad": Operation("pad"),
    **_rows("polyfit lstsq", "fit"),
    "pinv": Operation("pseudo inverse"),
    "polyval": Operation("polynomial", TOTAL),
    "convolve": Operation("convolution"),
    "trapezoid": Operation("trapezoid"),
    "histogram": Operation("histogram"),
    **_rows("ones_like zeros_like full_like empty_like", "like"),
    "flip": Operation("flip"),
    **_rows("repeat tile", "beside"),
    "roll": Operation("roll"),
    "expand_dims": Operation("expand"),
    "one_hot": Operation("one hot"),
    "atleast_1d": Operation("flat"),
    "isin": Operation("member"),
    "searchsorted": Operation("searchsorted"),
    "digitize": Operation("searchsorted"),
    "interp": Operation("interp"),
    "take_along_axis": Operation("along"),
    "take": Operation("take"),
    **_rows("transpose swapaxes moveaxis", "transpose"),
    "reshape": Operation("reshape"),
    "bincount": Operation("bincount"),
    "unique": Operation("unique"),
    **_rows("cov corrcoef", "covariance"),
    "categorical": Operation("drawn"),
    "choice": Operation("chosen"),
    **_rows("segment_sum segment_max segment_min segment_prod", "segment"),
}

BINARY: dict[type[ast.operator], int] = {
    ast.Add: LINEAR, ast.Sub: LINEAR, ast.Mult: TOTAL, ast.Div: PARTIAL, ast.FloorDiv: PARTIAL, ast.Mod: PARTIAL,
    ast.Pow: PARTIAL, ast.BitAnd: LINEAR, ast.BitOr: LINEAR, ast.BitXor: LINEAR, ast.LShift: TOTAL, ast.RShift: TOTAL,
}  # fmt: skip

SET_BY_WHERE = {
    "set": "{v}", "add": "{x} + {v}", "multiply": "{x} * ({v})", "mul": "{x} * ({v})", "subtract": "{x} - ({v})",
    "divide": "{x} / ({v})", "power": "{x} ** ({v})", "min": "{minimum}({x}, {v})", "max": "{maximum}({x}, {v})",
}  # fmt: skip
"""`x.at[mask].method(v)` as a choice: the new value."""


def set_by_where(jnp: Callable[[str], str], method: str, old: str, value: str) -> str:
    """What a method of `x.at[mask]` puts in the place of the old value; `jnp` spells a function of `jax.numpy`."""
    template = SET_BY_WHERE[method]
    functions = {name: jnp(name) for name in ("minimum", "maximum") if name in template}
    return template.format(x=old, v=value, **functions)


MAKES_ARRAYS = words("array asarray stack")
"""What makes an array of a list."""

FLAGS = words(
    "isnan isfinite isinf isin isclose logical_and logical_or logical_not logical_xor less greater equal not_equal less_equal "
    "greater_equal"
)
"""Functions that give a flag for each element."""
OUTGROWING = words("exp exp2 expm1 sinh cosh")
"""What is infinite from some hundreds on."""


FLOATS = words("mean std var average median quantile percentile exp exp2 expm1 sin cos tan tanh sigmoid softmax norm linspace")
"""What gives floats of integers, beside the operations that are not safe everywhere."""


@dataclass(frozen=True)
class Called:
    """A call of the table: the operation's name, its arguments (a method's array first), and how it is spelled."""

    name: str
    operation: Operation
    arguments: list[ast.expr]
    keywords: list[ast.keyword]
    form: str  # "method", "function" or "builtin"

    def keyword(self, name: str) -> ast.expr | None:
        return next((each.value for each in self.keywords if each.arg == name), None)


def called(spot: Spot, node: ast.Call) -> Called | None:
    """What a call does, if the table knows it."""
    func = node.func
    if isinstance(func, ast.Attribute):
        name = func.attr
        if is_module(spot, func.value):
            arguments, form = list(node.args), "function"
        else:
            arguments, form = [func.value, *node.args], "method"
    elif isinstance(func, ast.Name):
        if is_looked_up(spot, func):
            return None  # it is another function for another option
        value = spot.value(func)
        name, arguments = func.id, list(node.args)
        if spot.is_builtin(name):
            form = "builtin"
        else:
            module = text_attribute(value, "__module__")
            if not module.startswith(("jax", "numpy", "builtins")):
                return None
            name, form = attribute(value, "__name__", name), "function"
    else:
        return None
    operation = TABLE.get(name)
    return Called(name, operation, arguments, list(node.keywords), form) if operation is not None else None


def is_looked_up(spot: Spot, func: ast.expr) -> bool:
    """Whether a call calls what an option chooses: `REDUCE[how](x)`, `REDUCE.get(how, jnp.mean)(x)`, or a name for that."""
    function = spot.function
    named = bound_once(function, func.id) if isinstance(func, ast.Name) and isinstance(function, ast.FunctionDef) else None
    match named or func:
        case ast.Subscript() | ast.IfExp() | ast.Call(func=ast.Attribute(attr="get")):
            return True
    return False


def is_module(spot: Spot, owner: ast.expr) -> bool:
    """Whether functions of a module are called through this name."""
    if isinstance(owner, ast.Attribute) and spot.value(owner) is None:
        return is_module(spot, owner.value)  # `jax.numpy.linalg`
    return isinstance(spot.value(owner), types.ModuleType)
