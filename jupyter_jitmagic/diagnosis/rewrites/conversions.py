"""Calls that need a value, and JAX's own in their place: `math.`, `float()`, `.item()`, `max`, `sorted`, caches."""

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
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.numbered import chosen_numbers
from jupyter_jitmagic.diagnosis.rewrites.rules import ARRAY, BOOL, INDEX, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES

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
_FEW = 16  # elements of an array that may be compared one by one in the program


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
    elif hasattr(jnp, _MATH.get(name, name)):
        yield spot.step("jnp", (node.func, spot.jnp(_MATH.get(name, name))))
        if name in _MATH_OF_WHOLE and args:  # a float of whole numbers, too
            edit = (node.args[0], f"{spot.jnp('asarray')}({args[0]}, float)")
            yield spot.step("jnp", (node.func, spot.jnp(_MATH.get(name, name))), edit)
    else:
        raise Obstacle(f"jax.numpy has no {name}, which math computes on the host")


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
    elif name == "bool" and isinstance(argument, ast.Compare) and len(argument.ops) == 1:
        yield spot.step("bool", (node, bare))
    elif name == "float" and _is_float(argument) and not _wider(spot, argument):
        yield spot.step("float", (node, bare))
        yield spot.step("float", (node, f"{asarray}({text}, float).reshape(())"))
    else:
        whole = _OF_FLOATS if name == "int" and _may_be_float(spot, argument) else None
        yield spot.step(name, (node, f"{asarray}({text}, {name})"), excludes=whole)
        yield spot.step(name, (node, f"{asarray}({text}, {name}).reshape(())"), excludes=whole)


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


def by_map(spot: Spot) -> Iterator[Step]:
    """`list(map(float, xs))` → `[float(v) for v in xs]`, which other rules go on with: `map` calls what is written in C."""
    code = spot.code
    asked = spot.node.iter if isinstance(spot.node, ast.For | ast.comprehension) else spot.node
    for node in ast.walk(asked) if isinstance(asked, ast.expr) else ():
        match node:
            case ast.Call(func=ast.Name(id="map"), args=[function, values], keywords=[]) if spot.is_builtin("map"):
                if not isinstance(spot.value(function), type | types.BuiltinFunctionType):
                    continue
            case _:
                continue
        item = code.fresh("v", "item")
        made = f"{code.src(function)}({item}) for {item} in {code.operand(values)}"
        around = code.parents[node]
        listed = isinstance(around, ast.Call) and code.src(around.func) == "list" and around.args == [node]
        alone = isinstance(around, ast.Call) and around.args == [node] and not around.keywords
        over = isinstance(around, ast.For | ast.comprehension)
        yield spot.step(
            "list", (around, f"[{made}]") if listed else (node, f"[{made}]" if over else made if alone else f"({made})")
        )
        return


def _of_tuples(args: list[ast.expr]) -> bool:
    """Whether tuples are compared: those given, or those of a comprehension."""
    match args:
        case [ast.GeneratorExp(elt=each) | ast.ListComp(elt=each)]:
            return isinstance(each, ast.Tuple)
        case [ast.List(elts=several) | ast.Tuple(elts=several)]:
            return any(isinstance(each, ast.Tuple) for each in several)
    return len(args) > 1 and any(isinstance(each, ast.Tuple) for each in args)


def extremum(spot: Spot) -> Iterator[Step]:
    """`max(a, b)` → `jnp.where(b > a, b, a)`, Python's answer for NaN and at a tie, where `jnp.maximum(a, b)` halves the
    gradient; it comes first beside a whole number, where a tie is rare, and of integers, which have no gradient."""
    node = spot.call("max", "min")
    if node is None or any(isinstance(a, ast.Starred) for a in node.args):
        return
    if node.keywords:
        yield from _extremum_by(spot, node)
        return
    name: str = node.func.id  # type: ignore[attr-defined]
    sign, pair, reduction = (">", "maximum", "max") if name == "max" else ("<", "minimum", "min")
    code, args = spot.code, node.args
    if _of_tuples(args):
        values = f"[{', '.join(map(code.expr, args))}]" if len(args) > 1 else _listed(spot, args[0])
        each = f"{spot.jax('tree.map')}(lambda p, q: {spot.jnp('where')}(b {sign} a, p, q), b, a)"
        yield spot.step("where", (node, f"{spot.module('functools', 'reduce')}(lambda a, b: {each}, {values})"))
        return
    if len(args) == 2:
        a, b = args
        paired = spot.step(pair, (node, f"{spot.jnp(pair)}({code.expr(a)}, {code.expr(b)})"))
        chosen = f"{spot.jnp('where')}({code.operand(b)} {sign} {code.operand(a)}, {code.expr(b)}, {code.expr(a)})"
        facts = [spot.fact(each) for each in args]
        whole = [fact is not None and fact.dtype in ("i", "u", "b") for fact in facts]
        if all(whole) or any(isinstance(each, ast.Constant) and known for each, known in zip(args, whole, strict=True)):
            yield paired
        yield spot.step("where", (node, chosen))
        yield paired
        return
    known = spot.fact(args[0]) if len(args) == 1 else None
    long = known is not None and known.sort == "array" and known.length > _FEW
    if long and isinstance(args[0], ast.Name | ast.Attribute):
        excludes = {"nan": "NaN, of which max() and min() take no account but in the first place"}
        yield spot.step(reduction, (node, f"{spot.jnp(reduction)}({code.expr(args[0])})"), excludes=excludes)
        first = f"{code.expr(args[0])}[{spot.jnp(f'arg{reduction}')}({code.expr(args[0])})]"
        yield spot.step(f"arg{reduction}", (node, first), excludes=excludes)
        return
    values = f"[{', '.join(map(code.expr, args))}]" if len(args) > 1 else _listed(spot, args[0])
    yield spot.step(reduction, (node, f"{spot.jnp(reduction)}({spot.jnp('asarray')}({values}))"))
    lambda_ = f"lambda a, b: {spot.jnp('where')}(b {sign} a, b, a)"
    yield spot.step("where", (node, f"{spot.module('functools', 'reduce')}({lambda_}, {values})"))


def least_that_passes(spot: Spot) -> Iterator[Step]:
    """`min((i for i in range(n) if free[i]), key=k)`: stopped at the test within."""
    asked = spot.asked()
    inner = asked[1] if asked is not None else None
    if not isinstance(inner, ast.comprehension):
        return
    call = spot.code.parents[spot.code.parents[inner]]
    match call:
        case ast.Call(func=ast.Name(id="min" | "max" as name), keywords=[_]) if spot.is_builtin(name):
            if chosen_numbers(spot, call.args[0]) is not None:
                yield from _extremum_by(spot, call)


def _extremum_by(spot: Spot, node: ast.Call) -> Iterator[Step]:
    """`min(xs, key=k)` → `xs[jnp.argmin(keys)]`; of a range, the argmin itself; of several things, the one in each leaf."""
    key = node.keywords[0]
    if key.arg != "key" or len(node.keywords) > 1 or not node.args:
        return
    code, name = spot.code, f"arg{node.func.id}"  # type: ignore[attr-defined]
    excludes = {"nan": "the place that max() and min() give to NaN"}
    if len(node.args) == 1 and (chosen := chosen_numbers(spot, node.args[0])) is not None:
        numbers, target, tests = chosen
        keys = f"{spot.jnp('asarray')}({_keys(spot, key.value, numbers)})"
        left_out = " or ".join(tests)
        others = f"{spot.jnp('asarray')}([{left_out} for {target} in {numbers}], bool)"
        for turned in ("~", "-") if name == "argmax" else ("",):  # of integers: the opposite of an unsigned 0 is 0
            yield spot.step(name, (node, f"{spot.jnp('lexsort')}(({turned}{keys}, {others}))[0]"), excludes=excludes)
        return
    listed = _listed(spot, node.args[0]) if len(node.args) == 1 else f"[{', '.join(map(code.expr, node.args))}]"
    place = f"{spot.jnp(name)}({spot.jnp('asarray')}({_keys(spot, key.value, listed)}))"
    values = node.args[0]
    if isinstance(values, ast.Call) and code.src(values.func) == "range" and len(node.args) == 1:
        start = f"{code.operand(values.args[0])} + " if len(values.args) == 2 else ""
        if len(values.args) < 3:
            yield spot.step(name, (node, f"{start}{place}"), excludes=excludes)
        return
    yield spot.step(name, (node, f"{spot.jnp('asarray')}({listed})[{place}]"), excludes=excludes)
    stacked = f"lambda *items: {spot.jnp('stack')}([{spot.jnp('asarray')}(item) for item in items])[{place}]"
    yield spot.step(name, (node, f"{spot.jax('tree.map')}({stacked}, *{listed})"), excludes=excludes)


def _keys(spot: Spot, key: ast.expr, listed: str) -> str:
    """The list of the keys of all items."""
    code = spot.code
    if isinstance(key, ast.Lambda) and len(key.args.args) == 1 and not key.args.defaults:
        return f"[{code.expr(key.body)} for {key.args.args[0].arg} in {listed}]"
    item = code.fresh("v", "item")
    return f"[{code.operand(key)}({item}) for {item} in {listed}]"


def _listed(spot: Spot, node: ast.expr) -> str:
    """An iterable as something that becomes an array: a generator as a list."""
    if isinstance(node, ast.GeneratorExp):
        text = spot.code.src(node)
        return f"[{text[1:-1] if text.startswith('(') and text.endswith(')') else text}]"
    return spot.code.expr(node)


def any_all(spot: Spot) -> Iterator[Step]:
    """`any(w < 0)` → `jnp.any(w < 0)`; a generator becomes a list first."""
    node = spot.call("any", "all")
    if node is None and isinstance(spot.node, ast.expr):  # the truth of a generator's element is asked inside the call
        for at in spot.code.ancestors(spot.node):
            if (
                isinstance(at, ast.Call)
                and isinstance(at.func, ast.Name)
                and at.func.id in ("any", "all")
                and spot.kind == BOOL
            ):
                node = at
                break
            if isinstance(at, ast.stmt):
                break
    if node is None or len(node.args) != 1:
        return
    name: str = node.func.id  # type: ignore[attr-defined]
    argument = node.args[0]
    if not isinstance(argument, ast.GeneratorExp | ast.List | ast.ListComp):
        yield spot.step(name, (node, f"{spot.jnp(name)}({spot.code.expr(argument)})"))
    yield spot.step(name, (node, f"{spot.jnp(name)}({spot.jnp('array')}({_listed(spot, argument)}))"))


def first_that(spot: Spot) -> Iterator[Step]:
    """`next((f(v) for v in xs if v > 0), d)` → the first of all `f(v)` whose test holds, or d."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.comprehension) or len(asked[1].ifs) != 1:
        return
    around = code.parents[asked[1]]
    call = code.parents[around]
    if not isinstance(around, ast.GeneratorExp) or not isinstance(call, ast.Call) or len(around.generators) != 1:
        return
    if code.src(call.func) != "next" or not spot.is_builtin("next") or len(call.args) != 2 or call.args[0] is not around:
        return
    loop = asked[1]
    over = f"for {code.src(loop.target)} in {code.expr(loop.iter)}"
    tests, values = f"[{code.expr(loop.ifs[0])} {over}]", f"[{code.expr(around.elt)} {over}]"
    array, default = spot.jnp("array"), code.expr(call.args[1])
    statement = code.statement(call)
    before: list[tuple[tuple[int, int], str]] = []
    hits = f"{array}({tests})"
    straight = not any(isinstance(at, (*SCOPES, *COMPREHENSIONS)) for at in code.ancestors(call) if at in code.below(statement))
    if isinstance(statement, ast.Assign | ast.Return | ast.Expr) and straight and code.on_own_lines([statement]):
        name, start = code.fresh("hits", "holds"), code.region([statement])[0]
        before, hits = [((start, start), f"{code.indent(statement)}{name} = {hits}\n")], name
    chosen = f"{spot.jnp('where')}({spot.jnp('any')}({hits}), {array}({values})[{spot.jnp('argmax')}({hits})], {default})"
    yield spot.step("argmax", (call, chosen), *before, risky=not harmless([around.elt]))


def position(spot: Spot) -> Iterator[Step]:
    """`values.index(v)` of a list → `jnp.argmax(jnp.asarray(values) == v)`."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) != 1:
        return
    if node.func.attr in ("index", "count") and isinstance(spot.value(node.func.value), list | tuple):
        if node.func.attr == "index":
            spot.refuse_where_caught(ValueError)
        what = "argmax" if node.func.attr == "index" else "sum"
        equal = f"{spot.jnp('asarray')}({spot.code.src(node.func.value)}) == {spot.code.operand(node.args[0])}"
        yield spot.step(what, (node, f"{spot.jnp(what)}({equal})"))


def filtered_sum(spot: Spot) -> Iterator[Step]:
    """`sum(v for v in xs if v > 0)` → `sum(jnp.where(v > 0, v, 0) for v in xs)`; `any`, `all` alike."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.comprehension):
        return
    code, comprehension = spot.code, asked[1]
    around = code.parents[comprehension]
    call = code.parents[around]
    name = code.src(call.func) if isinstance(call, ast.Call) and len(call.args) == 1 else ""
    if (
        not isinstance(around, ast.GeneratorExp | ast.ListComp)
        or name not in ("sum", "any", "all")
        or not spot.is_builtin(name)
    ):
        raise Obstacle("the length of what the comprehension keeps would depend on data")
    test = " and ".join(map(code.operand, comprehension.ifs)) if len(comprehension.ifs) > 1 else code.expr(comprehension.ifs[0])
    neutral = {"sum": "0", "any": "False", "all": "True"}[name]
    start = code.span(comprehension.iter)[1]
    end = code.span(comprehension.ifs[-1])[1]
    while code.text[end : end + 1] == ")" and code.text[start:end].count("(") > code.text[start:end].count(")"):
        end += 1
    value = f"{spot.jnp('where')}({test}, {code.expr(around.elt)}, {neutral})"
    yield spot.step("where", (around.elt, value), ((start, end), ""))


def sort(spot: Spot) -> Iterator[Step]:
    """`sorted(xs)` → `jnp.sort(jnp.asarray(xs))`."""
    node = spot.call("sorted")
    if node is None or len(node.args) != 1:
        return
    reverse, key = False, None
    for keyword in node.keywords:
        if keyword.arg == "key":
            key = keyword.value
        elif keyword.arg != "reverse" or not isinstance(keyword.value, ast.Constant):
            raise Obstacle("sorted() with an order that is not written out")
        else:
            reverse = bool(keyword.value.value)
    if key is not None:
        yield from _sorted_by(spot, node, key, reverse)
        return
    excludes = {"nan": "the order that sorted() gives to NaN"}
    array = f"{spot.jnp('asarray')}({_listed(spot, node.args[0])})"
    texts = [f"{spot.jnp('sort')}({array}){'[::-1]' if reverse else ''}"]
    if reverse:  # equal numbers keep their order: each has its own part in a gradient
        texts.append(f"{spot.jnp('sort')}({array}[::-1])[::-1]")
    for text in texts:
        yield spot.step("sort", (node, text), excludes=excludes)
    for text in texts:
        yield spot.step("sort", (node, f"list({text})"), excludes=excludes)


def _sorted_by(spot: Spot, node: ast.Call, key: ast.expr, reverse: bool) -> Iterator[Step]:
    """`sorted(xs, key=k)` → `xs[jnp.argsort(keys)]`; of a range, the argsort itself."""
    code, values = spot.code, node.args[0]
    keys = _keys(spot, key, code.expr(values))
    order = f"{spot.jnp('argsort')}({spot.jnp('asarray')}({keys}){', descending=True' if reverse else ''})"
    excludes = {"nan": "the order that sorted() gives to NaN"}
    if isinstance(values, ast.Call) and code.src(values.func) == "range" and len(values.args) == 1:
        yield spot.step("argsort", (node, order), excludes=excludes)
        yield spot.step("argsort", (node, f"list({order})"), excludes=excludes)
    else:
        array = f"{spot.jnp('asarray')}({_listed(spot, values)})"
        yield spot.step("argsort", (node, f"{array}[{order}]"), excludes=excludes)


def popcount(spot: Spot) -> Iterator[Step]:
    """`bin(n).count("1")` → `lax.population_count(n)`."""
    node = spot.call("bin")
    if node is None:
        return
    attribute = spot.code.parents[node]
    call = spot.code.parents.get(attribute)
    if isinstance(attribute, ast.Attribute) and attribute.attr == "count" and isinstance(call, ast.Call):
        counted = [a.value for a in call.args if isinstance(a, ast.Constant)]
        text = f"{spot.lax('population_count')}({spot.jnp('asarray')}({spot.code.expr(node.args[0])}))"
        if counted == ["1"]:
            shown = "negative numbers, of which bin() shows the absolute value"
            yield spot.step("population_count", (call, text), excludes={"negative int": shown})


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
    """`TABLE[i]`, TABLE a NumPy array → `jnp.asarray(TABLE)[i]`."""
    node = spot.node
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return
    if spot.kind in (ARRAY, INDEX) or isinstance(spot.error, IndexError | TypeError):
        value = spot.value(node.value)
        if isinstance(value, np.ndarray):
            yield spot.step("jnp", (node.value, f"{spot.jnp('asarray')}({spot.code.src(node.value)})"))


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
        for at in spot.code.ancestors(statement):
            for call in _isinstance_calls(spot, at.test) if isinstance(at, ast.If) else []:
                if spot.code.src(call.args[0]) == name:
                    parent = spot.code.parents[call]
                    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
                        yield spot.step("ndim", (parent, f"{spot.jnp('ndim')}({name}) > 0"))
                    else:
                        yield spot.step("ndim", (call, f"{spot.jnp('ndim')}({name}) == 0"))


def _isinstance_calls(spot: Spot, test: ast.expr) -> list[ast.Call]:
    """`isinstance(x, …)` on a traced value."""
    found = [
        n for n in ast.walk(test) if isinstance(n, ast.Call) and spot.code.src(n.func) == "isinstance" and len(n.args) == 2
    ]
    return [n for n in found if isinstance(spot.value(n.args[0]), jax.core.Tracer)]


RULES: list[Rule] = [
    least_that_passes,
    math_call,
    number,
    item,
    by_map,
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
