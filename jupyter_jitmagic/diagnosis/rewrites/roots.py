"""SciPy's root finders between two ends (`brentq`, `bisect`, `root_scalar(…, bracket=…)`), which need numbers: a bisection of
as many rounds as a float has digits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.host_functions import host_names
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step

_FINDERS = frozenset(f"scipy.optimize.{name}" for name in ("brentq", "brenth", "ridder", "bisect", "toms748"))
_TOLERANCES = frozenset({"xtol", "rtol", "maxiter", "disp", "method", "k"})
_ROUNDS = 64  # halves what lies between the ends below the last digit of a float, also of 64 bits
_NAN = {"nan": "NaN, of which SciPy gives an end or raises"}
_NOTES = "the root is found to the last digit of its floats, and taken for a constant by jax.grad"


def by_bisection(spot: Spot) -> Iterator[Step]:
    """`v = brentq(f, a, b, args=(z,))` → a function that halves the bracket, 64 times in a `fori_loop`."""
    node, code = spot.node, spot.code
    if isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Call) or (asked := _asked(spot, node)) is None:
        return
    function, low, high, args = asked
    replaced = code.parents[node] if _is_root_of(spot, node) else node
    statement = code.statement(node)
    if in_another_scope(code, node, statement) or not code.on_own_lines([statement]) or code.is_elif(statement):
        return
    if isinstance(statement, ast.While | ast.For):
        return  # its test is asked in each round
    spot.refuse_where_caught(ValueError, RuntimeError)
    indent, jnp = code.indent(statement), spot.jnp
    lines = []
    called = code.src(function)
    if not isinstance(function, ast.Name | ast.Attribute):
        called = code.fresh("objective", "function_of_root")
        lines.append(f"{called} = {code.src(function)}")
    a, b, middle = code.fresh("low", "low_end"), code.fresh("high", "high_end"), code.fresh("middle", "half_way")
    halved, bracket, same = code.fresh("halved", "narrowed"), code.fresh("bracket", "ends"), code.fresh("same", "same_sign")
    sign, where = jnp("sign"), jnp("where")
    lines += [
        f"def {halved}(_, {bracket}):",
        f"    {a}, {b} = {bracket}",
        f"    {middle} = 0.5 * ({a} + {b})",
        f"    {same} = {sign}({called}({a}{args})) * {sign}({called}({middle}{args})) > 0",
        f"    return {where}({same}, {middle}, {a}), {where}({same}, {b}, {middle})",
        "",
        f"{a}, {b} = {jnp('asarray')}({code.expr(low)}, float), {jnp('asarray')}({code.expr(high)}, float)",
        f"{a}, {b} = {spot.lax('fori_loop')}(0, {_ROUNDS}, {halved}, ({a}, {b}))",
    ]
    start = code.region([statement], comments=True)[0]
    text = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
    # where an end is computed of data, its derivative is not the root's
    root = f"{spot.lax('stop_gradient')}(0.5 * ({a} + {b}))"
    yield spot.step("fori_loop", ((start, start), text), (replaced, root), excludes=_NAN, note=_NOTES)


def _asked(spot: Spot, call: ast.Call) -> tuple[ast.expr, ast.expr, ast.expr, str] | None:
    """(the function, one end, the other, its further arguments as text) of a call that gives a root alone."""
    names, given = host_names(spot, call.func), {each.arg: each.value for each in call.keywords}
    further = given.pop("args", None)
    if _FINDERS & set(names):
        if set(given) - _TOLERANCES or len(call.args) not in (3, 4) or (further is not None and len(call.args) == 4):
            return None
        function, low, high, *rest = call.args
        further = rest[0] if rest else further
    elif "scipy.optimize.root_scalar" in names and len(call.args) == 1 and _is_root_of(spot, call):
        match given.pop("bracket", None):
            case ast.List(elts=[low, high]) | ast.Tuple(elts=[low, high]) if not set(given) - _TOLERANCES:
                function = call.args[0]
            case _:
                return None
    else:
        return None
    match further:
        case None | ast.Tuple(elts=[]):
            args = ""
        case ast.Tuple(elts=parts):
            args = "".join(f", {spot.code.src(part)}" for part in parts)
        case _:
            return None
    return function, low, high, args


def _is_root_of(spot: Spot, call: ast.Call) -> bool:
    parent = spot.code.parents[call]
    return isinstance(parent, ast.Attribute) and parent.attr == "root" and parent.value is call


RULES: list[Rule] = [by_bisection]
