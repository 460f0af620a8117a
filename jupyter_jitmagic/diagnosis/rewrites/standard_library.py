"""Python's own functions on lists: `bisect`, `heapq.nsmallest`, `len(set(x.tolist()))`, `for layer in layers[:depth]`."""

from __future__ import annotations

import ast
import bisect
import collections
import heapq
import itertools
import statistics
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED
from jupyter_jitmagic.diagnosis.rewrites.elements import listed_numbers
from jupyter_jitmagic.diagnosis.rewrites.facts import Fact
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.sets_of_places import SET_ORDER, mask_of
from jupyter_jitmagic.diagnosis.rewrites.slices import SLICE_ERRORS, traced
from jupyter_jitmagic.diagnosis.rewrites.sorting import without_tolist
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import stored, target_names, walk, walk_scope

_SIDES = {bisect.bisect_left: "", bisect.bisect_right: ', side="right"'}
_IN_ORDER = {UNORDERED: "a search in what is in no order", "nan": "the place that a search gives to NaN"}
_EXTREMES = {max: ">", min: "<"}
_NAN = {"nan": "the order that Python's own functions give to NaN"}


def bisected(spot: Spot) -> Iterator[Step]:
    """`bisect.bisect(points, v)` → `jnp.searchsorted(jnp.asarray(points), v, side="right")`; between `lo` and `hi` clipped."""
    node = _call_inside(spot)
    if node is None or len(node.args) < 2:
        return
    side, bounds = _SIDES.get(spot.value(node.func)), dict(zip(("lo", "hi"), node.args[2:], strict=False))
    bounds |= {each.arg: each.value for each in node.keywords if each.arg is not None}
    if side is not None and len(bounds) == len(node.args) - 2 + len(node.keywords) and set(bounds) <= {"lo", "hi"}:
        points, value = map(spot.code.expr, node.args[:2])
        text = f"{spot.jnp('searchsorted')}({spot.jnp('asarray')}({points}), {value}{side})"
        for bound, limited in (("hi", "minimum"), ("lo", "maximum")):  # which is what it gives where they are turned round
            if bound in bounds:
                text = f"{spot.jnp(limited)}({text}, {spot.code.expr(bounds[bound])})"
        yield spot.step("searchsorted", (node, text), excludes=_IN_ORDER)


def smallest(spot: Spot) -> Iterator[Step]:
    """`heapq.nsmallest(k, xs)` → `jnp.sort(jnp.asarray(xs))[:k]`; of the largest the order is turned round."""
    node = _call_inside(spot)
    if node is None or len(node.args) != 2 or node.keywords:
        return
    function = spot.value(node.func)
    if function in (heapq.nsmallest, heapq.nlargest):
        count, values = map(spot.code.expr, node.args)
        turned = "[::-1]" if function is heapq.nlargest else ""
        text = f"{spot.jnp('sort')}({spot.jnp('asarray')}({values})){turned}[:{count}]"
        yield spot.step("sort", (node, text), excludes=_NAN)
        yield spot.step("sort", (node, f"list({text})"), excludes=_NAN)


def accumulated(spot: Spot) -> Iterator[Step]:
    """`itertools.accumulate(x, max)` → `lax.associative_scan(lambda a, b: jnp.where(b > a, b, a), jnp.asarray(x))`: of equal
    values the first has the gradient, as of Python's; `lax.cummax` divides it between them."""
    inside = [node for node in walk(spot.node) if isinstance(node, ast.Call)]
    for node in [*inside, *(at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.Call))]:
        if spot.value(node.func) is itertools.accumulate and len(node.args) == 2 and not node.keywords:
            sign = _EXTREMES.get(spot.value(node.args[1]))
            if sign is not None:
                which = f"lambda a, b: {spot.jnp('where')}(b {sign} a, b, a)"
                values = f"{spot.jnp('asarray')}({spot.code.expr(node.args[0])})"
                text = f"{spot.lax('associative_scan')}({which}, {values})"
                yield spot.step("scan", (node, text), excludes=_NAN)
            return


def _call_inside(spot: Spot) -> ast.Call | None:
    """The call at which the trace stopped, inside of which Python's own code asks for values."""
    return spot.node if isinstance(spot.node, ast.Call) else None


def spelled_out(spot: Spot) -> Iterator[Step]:
    """`set(int(v) for v in x)`, `{int(v) for v in x}`, `set(map(int, x))` → `set(x.tolist())`; of a `Counter` as well."""
    code, edits = spot.code, list[tuple[ast.AST, str]]()
    for node in walk(code.statement(spot.node)):
        match node:
            case ast.SetComp() if array := _as_numbers(spot, node):
                edits.append((node, f"set({array}.tolist())"))
            case ast.Call(func=func, args=[items], keywords=[]) if spot.value(func) in (set, collections.Counter):
                if array := _as_numbers(spot, items):
                    edits.append((node, f"{code.src(func)}({array}.tolist())"))
    if edits:
        yield spot.step("tolist", *edits)


def _as_numbers(spot: Spot, items: ast.expr) -> str:
    """The array of one axis whose elements are taken one by one as Python's own numbers, as text; "" for others."""
    match items:
        case (
            ast.GeneratorExp(elt=elt, generators=[ast.comprehension(target=ast.Name(id=name), iter=array, ifs=tests)])
            | ast.ListComp(elt=elt, generators=[ast.comprehension(target=ast.Name(id=name), iter=array, ifs=tests)])
            | ast.SetComp(elt=elt, generators=[ast.comprehension(target=ast.Name(id=name), iter=array, ifs=tests)])
        ):
            pass
        case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="int" | "float") as made, array], keywords=[]):
            name, tests, elt = "", [], ast.Call(made, [ast.Name("", ast.Load())], [])
        case _:
            return ""
    fact = spot.fact(array)
    if fact is None or fact.ndim != 1 or fact.sort not in ("array", "host"):
        return ""
    text = spot.code.operand(array)
    if tests:
        if not isinstance(array, ast.Name) or not all(_is_of_each(spot, test, name) for test in tests):
            return ""
        asked = [spot.code.edited(*spot.code.span(test), _renamed(spot.code, test, name, array.id)) for test in tests]
        text += f"[{asked[0] if len(asked) == 1 else ' & '.join(f'({each})' for each in asked)}]"
    match elt:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=each), attr="item"), args=[], keywords=[]) if each == name:
            return text
        case ast.Call(func=ast.Name(id="int" | "float" as kind), args=[ast.Name(id=each)], keywords=[]) if each == name:
            return text if kind == "float" and fact.dtype == "f" else f"{text}.astype({kind})"  # a caller may give floats
    return ""


def _is_of_each(spot: Spot, test: ast.expr, name: str) -> bool:
    """Whether a test of one element is one of all elements, where the array stands in its place."""
    others = {part.id for part in walk(test) if isinstance(part, ast.Name)} - {name}
    plain = all(isinstance(part, _ELEMENTWISE) for part in walk(test))
    numbers = [spot.fact(part) for part in walk(test) if isinstance(part, ast.Name) and part.id in others]
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and plain and all(each and each.ndim == 0 for each in numbers)


def _renamed(code: Code, test: ast.expr, name: str, other: str) -> list[tuple[int, int, str]]:
    return [(*code.span(part), other) for part in walk(test) if isinstance(part, ast.Name) and part.id == name]


_ELEMENTWISE = (
    ast.Compare | ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.expr_context
    | ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq | ast.NotEq
)  # fmt: skip


def different_ones(spot: Spot) -> Iterator[Step]:
    """`len(set(x.tolist()))` → `len(jnp.unique(x))`, `len({a, b, c})`, as of other functions to which the order is nothing;
    `sorted(set(x.tolist()))` → `jnp.unique(x)`, as in `for v in set(x.tolist())`."""
    code = spot.code
    asked = spot.node
    if isinstance(asked, ast.Subscript):  # `set(x[x > 0].tolist())` stops there
        around = itertools.takewhile(lambda at: not isinstance(at, ast.stmt), code.ancestors(asked))
        asked = next((at for at in around if isinstance(at, ast.Call) and code.src(at.func).endswith(".tolist")), asked)
    match asked:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]) as node:
            made, fact, text = code.parents[node], spot.fact(array), code.src(array)
        case ast.Call(func=ast.Name(id="set"), args=[numbers], keywords=[]) as made:
            fact, text = listed_numbers(spot, numbers), f"{spot.jnp('asarray')}({code.src(numbers)})"
        case ast.Set(elts=items) as made if not any(isinstance(each, ast.Starred) for each in items):
            fact, text = _of_single_numbers(spot, items), f"{spot.jnp('array')}([{', '.join(map(code.expr, items))}])"
        case _:
            return
    is_set = isinstance(made, ast.Set) or (isinstance(made, ast.Call) and spot.value(made.func) is set)
    if not isinstance(made, ast.expr) or not is_set or fact is None or fact.ndim != 1:
        return
    unique, excludes = f"{spot.jnp('unique')}({text})", _NAN if fact.dtype == "f" else {}
    match code.parents[made]:
        case ast.Call(func=ast.Name(id="len" | "sum" | "max" | "min" | "sorted" as of), args=[only], keywords=[]) as whole if (
            only is made and spot.is_builtin(of)
        ):
            yield spot.step("unique", (whole if of == "sorted" else made, unique), excludes=excludes)
        case (
            ast.Call(func=ast.Name(id="sorted"), keywords=[ast.keyword(arg="reverse", value=ast.Constant(value=True))]) as whole
        ):
            yield spot.step("unique", (whole, f"{unique}[::-1]"), excludes=excludes)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[only]) if only is made and isinstance(made, ast.Set):
            yield spot.step("list", (made, f"({', '.join(map(code.expr, made.elts))},)"), excludes=excludes)
        case ast.For() | ast.comprehension() as loop if loop.iter is made:
            yield spot.step("unique", (made, unique), excludes=excludes, note=SET_ORDER)


def _of_single_numbers(spot: Spot, items: Sequence[ast.expr]) -> Fact | None:
    """What numbers that stand side by side make as one array; None where one is no number."""
    facts = [spot.fact(each) for each in items]
    if not all(each is not None and (each.sort == "number" or (each.sort == "array" and each.ndim == 0)) for each in facts):
        return None
    kinds = [each.dtype for each in facts if each is not None]
    return Fact("array", 1, "f" if "f" in kinds else "i", len(facts), (len(facts),))


def most_frequent(spot: Spot) -> Iterator[Step]:
    """`max(set(votes), key=votes.count)` → of the most frequent values the smallest."""
    code = spot.code
    for node in code.ancestors(spot.node):
        match node:
            case ast.Call(
                func=ast.Name(id="max"),
                args=[ast.Call(func=ast.Name(id="set"), args=[items])],
                keywords=[ast.keyword(arg="key", value=ast.Attribute(value=counted, attr="count"))],
            ) if ast.dump(items) == ast.dump(counted) and spot.is_builtin("max") and spot.is_builtin("set"):
                array = without_tolist(items)
                fact = spot.fact(array) if array is not items else listed_numbers(spot, items)
            case ast.stmt():
                return
            case _:
                continue
        statement = code.statement(node)
        alone = code.on_own_lines([statement]) and not isinstance(statement, ast.While) and not code.is_elif(statement)
        if (
            fact is None
            or fact.ndim != 1
            or fact.dtype not in ("i", "u")
            or not alone
            or in_another_scope(code, node, statement)
        ):
            return
        values, counts = code.fresh("distinct", "different"), code.fresh("counts", "how_often")
        start, text = code.region([statement], comments=True)[0], code.src(array)
        given = text if array is not items else f"{spot.jnp('asarray')}({text})"
        line = f"{values}, {counts} = {spot.jnp('unique')}({given}, size=len({text}), fill_value=0, return_counts=True)\n"
        chosen = (node, f"{values}[{spot.jnp('argmax')}({counts})]")
        yield spot.step("unique", ((start, start), code.indent(statement) + line), chosen, note=_FIRST_OF_SET)
        return


_FIRST_OF_SET = "of equally frequent values it is the smallest, where Python takes the first of its set"


def rounds_of_a_part(spot: Spot) -> Iterator[Step]:
    """`for layer in layers[:depth]:` of a list → `for k in range(min(depth, len(layers))):` and `layer = layers[k]`."""
    code, node = spot.code, spot.node
    if not isinstance(node, ast.Subscript) or type(spot.error).__name__ not in SLICE_ERRORS:
        return
    loop = code.parents[node]
    match node.slice:
        case ast.Slice(lower=None, upper=ast.expr() as upper, step=None) if traced(spot, upper):
            pass
        case _:
            return
    if not isinstance(loop, ast.For) or loop.iter is not node or not isinstance(spot.value(node.value), list | tuple):
        return
    if not code.on_own_lines([loop.body[0]]):
        return
    place, items = code.fresh("k", "place", "number"), code.src(node.value)
    start = code.region([loop.body[0]], comments=True)[0]
    line = f"{code.indent(loop.body[0])}{code.src(loop.target)} = {items}[{place}]\n"
    head = f"range({spot.jnp('minimum')}({code.expr(upper)}, len({items})))"
    excludes = {"negative int": "a negative bound, which counts from the end"}
    yield spot.step("range", (loop.target, place), (node, head), ((start, start), line), excludes=excludes)


_OF_STATISTICS = {
    statistics.mean: ("mean", ""),
    statistics.fmean: ("mean", ""),
    statistics.median: ("median", ""),
    statistics.stdev: ("std", ", ddof=1"),
    statistics.variance: ("var", ", ddof=1"),
    statistics.pstdev: ("std", ""),
    statistics.pvariance: ("var", ""),
}


def of_statistics(spot: Spot) -> Iterator[Step]:
    """`statistics.stdev(xs)` → `jnp.std(jnp.asarray(xs), ddof=1)`; of a generator a list is made."""
    node = _call_inside(spot)
    if node is None or len(node.args) != 1 or node.keywords or spot.value(node.func) not in _OF_STATISTICS:
        return
    (name, option), values = _OF_STATISTICS[spot.value(node.func)], node.args[0]
    text = spot.code.expr(values)
    if isinstance(values, ast.GeneratorExp):
        text = f"[{text[1:-1]}]"
    yield spot.step(name, (node, f"{spot.jnp(name)}({spot.jnp('asarray')}({text}){option})"), excludes=_NAN)


_OF_SETS = {ast.BitAnd: "intersect1d", ast.BitOr: "union1d", ast.Sub: "setdiff1d", ast.BitXor: "setxor1d"}


def named_sets(spot: Spot) -> Iterator[Step]:
    """`seen = set(x.tolist())` … `len(seen & other)`, `v in seen` → the set itself where its name stands, which rules know."""
    code, function = spot.code, spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    if any(mask_of(spot, node) is not None for node in walk(function) if isinstance(node, ast.expr)):
        return  # of places, which masks tell
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    gone: dict[ast.AST | tuple[int, int], str] = {}
    for made in walk_scope(function.body):
        for name, value in _bound(made):
            if not _is_set(spot, value) or not code.on_own_lines([code.statement(value)]):
                continue
            named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
            array = {node.id for node in walk(value) if isinstance(node, ast.Name)} & set(stored(function.body))
            once = sum(isinstance(node.ctx, ast.Store) for node in named) == 1
            asked = [node for node in named if isinstance(node.ctx, ast.Load)]
            if not once or array or not all(_is_asked_as_a_whole(code, node) for node in asked):
                return
            edits += [_asked_of(code, node, _counted(spot, node, value)) for node in asked]
            gone[code.region([code.statement(value)])] = ""
    if edits:
        yield spot.step("set", *edits, *gone.items())


def _counted(spot: Spot, use: ast.Name, made: ast.expr) -> str:
    """A set of an array's whole numbers, where it is asked how many they are or for their sum, as the array of those."""
    code = spot.code
    match made:
        case ast.Call(args=[ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[])]):
            fact = spot.fact(array)
            whole = fact is not None and fact.ndim == 1 and fact.dtype in ("i", "u")
            parent = code.parents[use]
            of = parent.func.id if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) else ""
            if whole and (_is_truth(code, use) or of in ("len", "sum", "max", "min")):
                return f"{spot.jnp('unique')}({code.src(array)})"
    return code.operand(made)


def _is_set(spot: Spot, node: ast.expr) -> bool:
    """`set(x.tolist())`, or what is in one such set and in (not in) another."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return type(op) in _OF_SETS and bool(_listed(spot, left, "set")) and bool(_listed(spot, right, "set"))
    return bool(_listed(spot, node, "set"))


def _bound(made: ast.AST) -> list[tuple[str, ast.expr]]:
    """What a statement that is nothing else binds: names and what they are."""
    match made:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            pairs = [(each.id, value) for each, value in zip(names, values, strict=True) if isinstance(each, ast.Name)]
            sets = all(isinstance(value, ast.Call) and isinstance(value.func, ast.Name) for value in values)
            return pairs if sets and len(pairs) == len(names) else []
    return []


def _is_asked_as_a_whole(code: Code, use: ast.Name) -> bool:
    """`len(seen)`, `seen & other`, `sorted(seen)`, `v in seen`, `if seen:`."""
    if _is_truth(code, use):
        return True
    match code.parents[use]:
        case ast.Compare():
            return True
        case ast.BinOp(op=op):
            return type(op) in _OF_SETS
        case ast.Call(func=ast.Name(id="len" | "sum" | "max" | "min" | "sorted"), args=[_], keywords=[]):
            return True
    return False


def _is_truth(code: Code, use: ast.expr) -> bool:
    """Whether it is the test of a statement, or of `not`."""
    parent = code.parents[use]
    asks = isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert) and use is parent.test
    return asks or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))


def _asked_of(code: Code, use: ast.expr, made: str) -> tuple[ast.AST, str]:
    """An edit that asks a set itself where its name is asked; whether it has elements, by their number."""
    if not _is_truth(code, use):
        return use, made
    parent = code.parents[use]
    return (parent, f"len({made}) == 0") if isinstance(parent, ast.UnaryOp) else (use, f"len({made}) > 0")


def asked_for_members(spot: Spot) -> Iterator[Step]:
    """`some = {int(v) for v in x if v > 0}`, of which is asked what is in it → a list; for `len(some)` the set stays."""
    code, function, made, is_array = spot.code, spot.function, spot.code.statement(spot.node), False
    match made:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.SetComp() as value):
            text = f"[{code.src(value)[1:-1]}]"
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Name(id="set"), args=[ast.GeneratorExp() as items], keywords=[]) as value,
        ) if spot.is_builtin("set"):
            text = f"[{code.src(items).removeprefix('(').removesuffix(')')}]"
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(
                func=ast.Name(id="set"),
                args=[ast.Call(func=ast.Attribute(value=ast.Subscript() as part, attr="tolist"))],
                keywords=[],
            ) as value,
        ) if spot.is_builtin("set") and (fact := spot.fact(part)) is not None and fact.ndim == 1:
            text, is_array = code.src(part), True
        case _:
            return
    if not isinstance(function, ast.FunctionDef):
        return
    named = [node for node in walk(function) if isinstance(node, ast.Name) and node.id == name]
    edits: list[tuple[ast.AST, str]] = []
    for node in named:
        match code.parents[node]:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[only]) if only is node:
                pass
            case ast.Call(func=ast.Name(id="len"), args=[_]) if spot.is_builtin("len"):
                edits.append((node, f"{spot.jnp('unique')}({text})" if is_array else code.src(value)))
            case _ if _is_truth(code, node):
                edits += [_asked_of(code, node, name)] if is_array else []
            case _ if node not in made.targets:
                return
    again = {each.id for each in walk(value) if isinstance(each, ast.Name)} & set(stored(function.body))
    once = sum(isinstance(node.ctx, ast.Store) for node in named) == 1
    asked = any(isinstance(code.parents[node], ast.Compare) for node in named)
    if once and asked and not (edits and again - {*target_names(value)}):
        yield spot.step("list", (value, text), *edits, excludes=_NAN if is_array else {})


def of_two_sets(spot: Spot) -> Iterator[Step]:
    """`len(set(a.tolist()) & set(b.tolist()))` → `len(jnp.intersect1d(a, b))`; all of a statement, which are asked together."""
    code, edits, name = spot.code, list[tuple[ast.AST, str]](), ""
    statement = code.statement(spot.node)
    for node in walk(statement):
        match node:
            case ast.Call(
                func=ast.Name(id="len" | "sum" | "max" | "min" as of), args=[ast.BinOp(left=left, op=op, right=right)]
            ):
                one, other = _listed(spot, left, "set"), _listed(spot, right, "set")
                if one and other and type(op) in _OF_SETS and spot.is_builtin(of):
                    name = name or _OF_SETS[type(op)]
                    edits.append((node.args[0], f"{spot.jnp(_OF_SETS[type(op)])}({one}, {other})"))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OF_SETS and _is_truth(code, node):
                one, other = _listed(spot, left, "set"), _listed(spot, right, "set")
                if one and other:
                    name = name or _OF_SETS[type(op)]
                    edits.append(_asked_of(code, node, f"{spot.jnp(_OF_SETS[type(op)])}({one}, {other})"))
    if edits:
        yield spot.step(name, *edits, excludes=_NAN)


def compared_sets(spot: Spot) -> Iterator[Step]:
    """`set(a.tolist()) <= set(b.tolist())` → `jnp.all(jnp.isin(a, b))`, `v in set(a.tolist())` → `jnp.isin(v, a)`; all of a
    statement."""
    jnp, edits = spot.jnp, list[tuple[ast.AST, str]]()
    for node in walk(spot.code.statement(spot.node)):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                one, other = _listed(spot, left, "set"), _listed(spot, right, "set")
            case _:
                continue
        if isinstance(op, ast.In | ast.NotIn) and other and (fact := spot.fact(left)) is not None and fact.ndim == 0:
            inside = f"{jnp('isin')}({spot.code.expr(left)}, {other})"
            edits.append((node, inside if isinstance(op, ast.In) else f"{jnp('logical_not')}({inside})"))
        elif one and other:
            within, around = (f"{jnp('all')}({jnp('isin')}({a}, {b}))" for a, b in ((one, other), (other, one)))
            texts: dict[type[ast.cmpop], str] = {
                ast.LtE: within,
                ast.GtE: around,
                ast.Eq: f"({within} & {around})",
                ast.NotEq: f"{jnp('logical_not')}({within} & {around})",
            }
            if type(op) not in texts:
                return
            edits.append((node, texts[type(op)]))
    if edits:
        yield spot.step("isin", *edits)


def same_elements(spot: Spot) -> Iterator[Step]:
    """`Counter(a.tolist()) == Counter(b.tolist())` → both in order are the same."""
    for node in [spot.node, *spot.code.ancestors(spot.node)]:
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]):
                one, other = _listed(spot, left, "Counter"), _listed(spot, right, "Counter")
                if one and other:
                    text = f"{spot.jnp('array_equal')}({spot.jnp('sort')}({one}), {spot.jnp('sort')}({other}))"
                    text = text if isinstance(op, ast.Eq) else f"{spot.jnp('logical_not')}({text})"
                    yield spot.step("sort", (node, text), excludes=_NAN)
                return
            case ast.stmt():
                return


def _listed(spot: Spot, node: ast.expr, maker: str) -> str:
    """The array of `set(x.tolist())`, or of a `Counter`; "" for others."""
    match node:
        case ast.Call(func=func, args=[ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[])]):
            makes = spot.value(func)
            fact = spot.fact(array)
            wanted = makes is set if maker == "set" else makes is collections.Counter
            return spot.code.src(array) if wanted and fact is not None and fact.ndim == 1 else ""
    return ""


RULES: list[Rule] = [
    of_statistics,
    spelled_out,
    asked_for_members,
    named_sets,
    of_two_sets,
    compared_sets,
    same_elements,
    bisected,
    smallest,
    accumulated,
    most_frequent,
    different_ones,
    rounds_of_a_part,
]

__all__ = ["RULES"]
