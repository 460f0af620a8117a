"""Calls that need a value, and JAX's own in their place: `math.`, `float()`, `.item()`, caches."""

from __future__ import annotations

import ast
import functools
import math
import types
from collections.abc import Iterator

import jax.numpy as jnp
import jax.scipy.special
import numpy as np

from jupyter_jitmagic.base.looking import text_attribute
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact
from jupyter_jitmagic.diagnosis.rewrites.over_items import (
    any_all,
    by_map,
    by_reduce,
    extremum,
    filtered_sum,
    first_that,
    least_of_a_set,
    least_that_passes,
    position,
    sort,
)
from jupyter_jitmagic.diagnosis.rewrites.rules import ARRAY, INDEX, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import words

# math functions by another name in jax.numpy; the rest have the same
_MATH = {
    "acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "acosh": "arccosh", "asinh": "arcsinh",
    "atanh": "arctanh", "fabs": "abs", "pow": "power",
}  # fmt: skip
_MATH_SPECIAL = {"erf": "erf", "erfc": "erfc", "lgamma": "gammaln", "gamma": "gamma"}
_MATH_TO_INT = words("floor ceil trunc")
_MATH_OF_ALL = words("asinh atan atan2 copysign degrees erf erfc fabs hypot radians tanh")
"""What raises for no float."""
_MATH_OF_WHOLE = words("pow fmod fabs copysign")
_FEW_ITEMS = 256  # of a list, each an output of the program by itself


def math_call(spot: Spot) -> Iterator[Step]:
    """`math.sqrt(x)` → `jnp.sqrt(x)`."""
    node = spot.node
    if not isinstance(node, ast.Call):
        return
    function = spot.value(node.func)
    if text_attribute(function, "__module__") not in ("math", "cmath"):
        return
    name: str = function.__name__
    if name not in _MATH_OF_ALL:
        spot.refuse_where_caught(ValueError, OverflowError)
    args = [spot.code.expr(a) for a in node.args]
    if name == "log" and len(args) == 2:
        text = f"{spot.jnp('log')}({args[0]}) / {spot.jnp('log')}({args[1]})"
        yield spot.step("jnp", (node, f"({text})"))
    elif name in _MATH_TO_INT:
        whole = _OF_FLOATS if _may_be_float(spot, node.args[0]) else None
        yield spot.step("jnp", (node, f"{spot.jnp(name)}({args[0]}).astype(int)"), excludes=whole)
    elif name in _MATH_SPECIAL:
        yield spot.step("jnp", (node.func, spot.jax(f"scipy.special.{_MATH_SPECIAL[name]}")))
    elif name == "fsum":
        yield spot.step("jnp", (node, f"{spot.jnp('sum')}({spot.jnp('asarray')}({args[0]}))"))
        yield spot.step("jnp", (node, f"{spot.jnp('sum')}({spot.jnp('asarray')}({args[0]}, float))"))
    elif name == "dist":
        difference = f"{spot.jnp('asarray')}({args[0]}) - {spot.jnp('asarray')}({args[1]})"
        yield spot.step("jnp", (node, f"{spot.jnp('linalg.norm')}({difference})"))
    elif name == "isclose" and len(args) == 2:
        yield spot.step("jnp", (node, _is_close(spot, node, *args)))
    elif name == "remainder":
        raise Obstacle("math.remainder is another one than jnp.remainder")
    elif name == "factorial":
        yield spot.step("jnp", (node, f"{spot.jnp('round')}({spot.jax('scipy.special.gamma')}({args[0]} + 1.0)).astype(int)"))
    elif name in ("comb", "perm") and len(args) == 2:
        yield from _ways_to_choose(spot, node, name, *args)
    elif hasattr(jnp, _MATH.get(name, name)):
        yield spot.step("jnp", (node.func, spot.jnp(_MATH.get(name, name))))
        if name in _MATH_OF_WHOLE and args:  # a float of whole numbers, too
            edit = (node.args[0], f"{spot.jnp('asarray')}({args[0]}, float)")
            yield spot.step("jnp", (node.func, spot.jnp(_MATH.get(name, name))), edit)
    else:
        raise Obstacle(f"jax.numpy has no {name}, which math computes on the host")


_NOT_EXACT = "it counts by logarithms, so that a large number is near and not exact"


def _ways_to_choose(spot: Spot, node: ast.Call, name: str, n: str, k: str) -> Iterator[Step]:
    """`math.comb(n, k)`, `math.perm(n, k)`: n! / (k! (n - k)!), or in order, n! / (n - k)!."""
    ways = f"{spot.jax('scipy.special.comb')}({n}, {k})"
    if name == "perm":
        ways = f"{ways} * {spot.jax('scipy.special.factorial')}({k})"
    text = f"{spot.jnp('round')}({ways})"
    drafts = [(text, _NOT_EXACT), (f"{text}.astype(int)", f"{_NOT_EXACT}, and one beyond the integers of arrays is lost")]
    if isinstance(spot.code.parents[node], ast.Return | ast.Tuple):  # what is computed with goes further as a float
        drafts.reverse()
    for text, note in drafts:
        yield spot.step("comb", (node, text), note=note)


def _is_close(spot: Spot, node: ast.Call, one: str, other: str) -> str:
    """`math.isclose` by jnp's, which has other tolerances, adds them up, and takes the relative one of its second number."""
    given = {each.arg: spot.code.expr(each.value) for each in node.keywords}
    relative = given.get("rel_tol", "1e-09")
    pairs = [(one, other), (other, one)] if "rel_tol" in given else [(one, other)]
    parts = [f"{spot.jnp('isclose')}({a}, {b}, rtol={relative}, atol=0.0)" for a, b in pairs]
    if "abs_tol" in given:
        apart = f"{spot.code.operand(node.args[0])} - {spot.code.operand(node.args[1])}"
        parts.append(f"({spot.jnp('abs')}({apart}) <= {given['abs_tol']})")
    return f"({' | '.join(parts)})" if len(parts) > 1 else parts[0]


_FLOAT_CALLS = words(
    "mean std var exp log sqrt norm sin cos tan tanh softmax sigmoid dot vdot trapezoid linspace cosh sinh log2 log10"
)


def number(spot: Spot) -> Iterator[Step]:
    """`float(x)` → `jnp.asarray(x, float)`, or nothing where x is a float for sure; `int`, `bool`, `complex` alike."""
    node = spot.call("float", "int", "bool", "complex")
    if node is None or not node.args or node.keywords:
        return
    code, name = spot.code, node.func.id  # type: ignore[attr-defined]
    if name == "int":
        spot.refuse_where_caught(ValueError, OverflowError)
    argument = node.args[0]
    text = code.expr(argument)
    bare = _bare(spot, node, argument)
    asarray = spot.jnp("asarray")
    if name == "complex" and len(node.args) == 2:
        parts = ", ".join(f"{asarray}({code.expr(a)}, float)" for a in node.args)
        yield spot.step("complex", (node, f"{spot.lax('complex')}({parts})"))
    elif name == "bool" and _is_counted(spot, node):  # True + True is 2 in Python, and True of arrays
        asked = text if isinstance(argument, ast.Compare) else f"{asarray}({text}, bool)"
        yield spot.step("bool", (node, f"{spot.jnp('where')}({asked}, 1, 0)"))
    elif name == "bool" and _is_flag(spot, argument):
        yield spot.step("bool", (node, bare))
    elif name == "float" and _is_float(argument) and not _wider(spot, argument):
        yield spot.step("float", (node, bare))
        yield spot.step("float", (node, f"{asarray}({text}, float).reshape(())"))
    elif name == "int" and _is_whole(spot, argument):
        yield spot.step("int", (node, bare))
    else:
        whole = _OF_FLOATS if name == "int" and _may_be_float(spot, argument) else None
        yield spot.step(name, (node, f"{asarray}({text}, {name})"), excludes=whole)
        yield spot.step(name, (node, f"{asarray}({text}, {name}).reshape(())"), excludes=whole)


def _is_flag(spot: Spot, node: ast.expr) -> bool:
    """Whether it is a single flag of arrays: a comparison, or `jnp.all(x > 0)`."""
    fact = spot.fact(node)
    return (isinstance(node, ast.Compare) and len(node.ops) == 1) or (fact is not None and fact.dtype == "b" and not fact.ndim)


_OF_FLOATS = {
    "not whole": "NaN, infinity and floats beyond the integers of arrays, of which Python's int() raises or gives "
    "the number itself"
}


def _may_be_float(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is None or fact.dtype not in ("i", "u", "b")


_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Invert)


def _is_counted(spot: Spot, node: ast.expr) -> bool:
    """Whether one computes with a truth value, or with the name that it is given."""
    parent = spot.code.parents[node]
    match parent:
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.AugAssign(op=op):
            return isinstance(op, _ARITHMETIC)
        case ast.Assign(targets=[ast.Name(id=name)]):
            uses = ast.walk(spot.function) if spot.function is not None else ()
            named = [n for n in uses if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
            return any(not isinstance(spot.code.parents[n], ast.Assign) and _is_counted(spot, n) for n in named)
    return False


def _wider(spot: Spot, node: ast.expr) -> str:
    """`float` or `int` where an array's type is narrower than the number that Python makes of it."""
    fact = spot.fact(node)
    return _WIDER.get(fact.exactly, "") if fact is not None else ""


_WIDER = {
    **dict.fromkeys(("float16", "bfloat16"), "float"),
    **dict.fromkeys(("int8", "int16", "uint8", "uint16"), "int"),
}


def _is_float(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div) or _is_float(node.left) or _is_float(node.right)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", "") in _FLOAT_CALLS
    return False


def _is_whole(spot: Spot, node: ast.expr) -> bool:
    """Whether an expression is one whole number, whatever is given: a place (`jnp.argmax(x)`), how many pass a test, or one
    that is drawn (`jax.random.randint(key, (), 0, n)`)."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)) or node.keywords:
        return False
    of_module = isinstance(spot.value(node.func.value), types.ModuleType)
    if spot.value(node.func) is jax.random.randint:
        return len(node.args) == 4 and spot.code.src(node.args[1]) == "()"
    if len(node.args) != of_module:
        return False
    counted = node.args[0] if of_module else node.func.value
    if node.func.attr == "sum":
        return isinstance(counted, ast.Compare)
    return node.func.attr in _WHOLE_CALLS


_WHOLE_CALLS = words("argmax argmin nanargmax nanargmin count_nonzero")


def _bare(spot: Spot, node: ast.expr, inner: ast.expr) -> str:
    """The inner expression in place of the outer one."""
    parent = spot.code.parents[node]
    inside = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute | ast.Subscript | ast.BoolOp | ast.Await)
    return spot.code.operand(inner) if inside else spot.code.expr(inner)


def item(spot: Spot) -> Iterator[Step]:
    """`x.item()` → `x`; `x.tolist()` → `x`, or `list(x)` where it has few elements and the list itself is wanted."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in ("item", "tolist"):
        return
    inner = node.func.value
    if not node.args and (wider := _wider(spot, inner)):
        yield spot.step(node.func.attr, (node, f"{spot.code.operand(inner)}.astype({wider})"))
        yield spot.step(node.func.attr, (node, f"{spot.code.operand(inner)}.reshape(()).astype({wider})"))
    elif not node.args:
        yield spot.step(node.func.attr, (node, _bare(spot, node, inner)))
        yield spot.step(node.func.attr, (node, f"{spot.code.operand(inner)}.reshape(())"))
        fact = spot.fact(inner)
        if node.func.attr == "tolist" and fact is not None and 0 < math.prod(fact.shape) <= _FEW_ITEMS:
            of, row = spot.code.expr(inner), spot.code.fresh("row", "line")
            listed = {1: f"list({of})", 2: f"[list({row}) for {row} in {of}]"}.get(len(fact.shape))
            if listed is not None:
                yield spot.step("tolist", (node, listed))
    else:
        owner = spot.code.operand(inner) + ("" if len(node.args) > 1 else ".ravel()")
        yield spot.step("item", (node, f"{owner}[{', '.join(map(spot.code.expr, node.args))}]"))


def popcount(spot: Spot) -> Iterator[Step]:
    """`bin(n).count("1")` → `lax.population_count(n)`."""
    node = spot.call("bin")
    if node is None:
        return
    attribute = spot.code.parents[node]
    call = spot.code.parents.get(attribute)
    if isinstance(attribute, ast.Attribute) and attribute.attr == "count" and isinstance(call, ast.Call):
        counted = [a.value for a in call.args if isinstance(a, ast.Constant)]
        bits, number = spot.lax("population_count"), node.args[0]
        text = f"{bits}({spot.jnp('abs')}({spot.code.expr(number)}))"
        of = next((each.args[0] for each in ast.walk(number) if isinstance(each, ast.Call) and _makes_an_int(each)), None)
        if of is not None and _is_unsigned(spot.fact(of)):
            text = f"{bits}({spot.jnp('abs')}({spot.code.expr(of)})).astype(int)"  # an int has a bit less
        if counted == ["1"]:  # of a negative number bin() shows the absolute value
            yield spot.step("population_count", (call, text))


def _makes_an_int(call: ast.Call) -> bool:
    """Whether it is what `int(x)` has become."""
    match call:
        case ast.Call(func=ast.Attribute(attr="asarray"), args=[_, ast.Name(id="int")]):
            return True
    return False


def _is_unsigned(fact: Fact | None) -> bool:
    return fact is not None and fact.dtype == "u"


def divided(spot: Spot) -> Iterator[Step]:
    """`a / b` in a side that plain Python does not take, b being Python's own 0 → `jnp.divide(a, b)`, which raises nothing."""
    node = spot.node
    if isinstance(spot.error, ZeroDivisionError) and isinstance(node, ast.BinOp) and type(node.op) in _DIVIDING:
        name = spot.jnp(_DIVIDING[type(node.op)])
        yield spot.step("jnp", (node, f"{name}({spot.code.expr(node.left)}, {spot.code.expr(node.right)})"))


_DIVIDING: dict[type, str] = {ast.Div: "divide", ast.FloorDiv: "floor_divide", ast.Mod: "mod"}


def cached(spot: Spot) -> Iterator[Step]:
    """A helper under `functools.lru_cache` hashes its arguments: call what it wraps."""
    node = spot.node
    if not isinstance(node, ast.Call) or "unhashable" not in str(spot.error):
        return
    if isinstance(spot.value(node.func), functools._lru_cache_wrapper):
        yield spot.step("uncached", (node.func, f"{spot.code.src(node.func)}.__wrapped__"))


def numpy_table(spot: Spot) -> Iterator[Step]:
    """`TABLE[i]`, TABLE a NumPy array → `jnp.asarray(TABLE)[i]`; `np.arange(n)[i]`, too."""
    node = spot.node
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return
    if spot.kind in (ARRAY, INDEX) or isinstance(spot.error, IndexError | TypeError):
        fact = spot.fact(node.value) if isinstance(node.value, ast.Call | ast.BinOp | ast.Subscript) else None
        made = fact is not None and fact.sort == "host" and fact.ndim > 0
        if made or isinstance(spot.held(node.value), np.ndarray):
            place = spot.code.with_parentheses(node.value) if isinstance(node.value, ast.BinOp) else node.value
            yield spot.step("jnp", (place, f"{spot.jnp('asarray')}({spot.code.src(node.value)})"))


def type_check(spot: Spot) -> Iterator[Step]:
    """A check that raises because under jit the array is no `np.ndarray` (or number): admit `jax.Array` too."""
    statement = spot.code.statement(spot.node)
    if isinstance(statement, ast.Raise):
        guard = spot.code.parents[statement]
        if not isinstance(guard, ast.If):
            return
        for call in _isinstance_calls(spot, guard.test):
            kinds = call.args[1]
            listed = [spot.code.src(e) for e in kinds.elts] if isinstance(kinds, ast.Tuple) else [spot.code.src(kinds)]
            yield spot.step("isinstance", (kinds, f"({', '.join([*listed, spot.jax('Array')])})"))
    elif isinstance(spot.node, ast.Call) and spot.call("len") is not None and isinstance(spot.error, TypeError):
        name = spot.code.src(spot.node.args[0])
        for test in [at.test for at in spot.code.ancestors(statement) if isinstance(at, ast.If)]:
            for call in _isinstance_calls(spot, test):
                if spot.code.src(call.args[0]) == name:  # which may be a list as well
                    text = f'{spot.code.src(call)} or getattr({name}, "ndim", None) == 0'
                    yield spot.step("ndim", (call, text if call is test else f"({text})"))


def _isinstance_calls(spot: Spot, test: ast.expr) -> list[ast.Call]:
    """`isinstance(x, …)` on a traced value."""
    found = [
        n for n in ast.walk(test) if isinstance(n, ast.Call) and spot.code.src(n.func) == "isinstance" and len(n.args) == 2
    ]
    return [n for n in found if isinstance(spot.value(n.args[0]), jax.core.Tracer)]


RULES: list[Rule] = [
    least_of_a_set,
    least_that_passes,
    math_call,
    number,
    item,
    by_map,
    by_reduce,
    extremum,
    any_all,
    position,
    first_that,
    filtered_sum,
    sort,
    popcount,
    divided,
    cached,
    numpy_table,
    type_check,
]
