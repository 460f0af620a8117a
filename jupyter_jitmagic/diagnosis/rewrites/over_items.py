"""Builtins over many items, and JAX's own in their place: `max`, `min`, `any`, `all`, `sum`, `sorted`, `next`, `.index`."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterator

import jax

from jupyter_jitmagic.diagnosis.rewrites.chosen_items import holds_items
from jupyter_jitmagic.diagnosis.rewrites.effects import refuse_skipped_effects
from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.naming import renamed
from jupyter_jitmagic.diagnosis.rewrites.none_first import told_by_a_flag
from jupyter_jitmagic.diagnosis.rewrites.numbered import chosen_numbers
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Obstacle, Spot, Step
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, bound_once, loaded, stored, walk

LONG = 30  # characters of an expression that no one writes twice


def by_map(spot: Spot) -> Iterator[Step]:
    """`list(map(float, xs))` → `[float(v) for v in xs]`, which other rules go on with, as `a, b = map(float, xs)`: `map` calls
    what is written in C, and of two lists as well."""
    code, asked = spot.code, spot.node
    match spot.node:
        case ast.For(iter=items) | ast.comprehension(iter=items) | ast.Assign(value=items):
            asked = items
        case ast.Tuple(ctx=ast.Store()) | ast.List(ctx=ast.Store()) | ast.Name(ctx=ast.Store()):
            asked = getattr(code.statement(spot.node), "value", asked)
    for node in walk(asked) if isinstance(asked, ast.expr) else ():
        match node:
            case ast.Call(func=ast.Name(id="map"), args=[function, values, *more], keywords=[]) if spot.is_builtin("map"):
                if not isinstance(spot.value(function), type | types.BuiltinFunctionType):
                    continue
            case _:
                continue
        if len(more) > 1 or any(isinstance(each, ast.Starred) for each in (values, *more)):
            continue
        item = ", ".join([code.fresh("v", "item"), *(code.fresh("w", "other") for _ in more)])
        over = f"zip({code.expr(values)}, {code.expr(more[0])})" if more else code.operand(values)
        made = f"{code.src(function)}({item}) for {item} in {over}"
        around = code.parents[node]
        listed = isinstance(around, ast.Call) and code.src(around.func) == "list" and around.args == [node]
        alone = isinstance(around, ast.Call) and around.args == [node] and not around.keywords
        looped = isinstance(around, ast.For | ast.comprehension | ast.Assign)
        yield spot.step(
            "list", (around, f"[{made}]") if listed else (node, f"[{made}]" if looped else made if alone else f"({made})")
        )
        return


def by_reduce(spot: Spot) -> Iterator[Step]:
    """`reduce(max, xs)` → `max(xs)`, `jax.tree.reduce(max, tree)` → `max(jax.tree.leaves(tree))`."""
    code = spot.code
    match spot.node:
        case ast.Call(func=called, args=[ast.Name(id="max" | "min" as name), values, *first], keywords=[]) if spot.is_builtin(
            name
        ):
            function = spot.value(called)
        case _:
            return
    if function in (jax.tree.reduce, jax.tree_util.tree_reduce):
        items = f"{spot.jax('tree.leaves')}({code.expr(values)})"
    elif function is functools.reduce:
        items = code.operand(values)
    else:
        return
    listed = f"[{code.expr(first[0])}, *{items}]" if first else items
    yield spot.step(name, (spot.node, f"{name}({listed})"))


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
    gradient; it comes first of integers, which have no gradient, and of what is long, which the other would compute twice."""
    node = spot.call("max", "min")
    if node is None or any(isinstance(a, ast.Starred) for a in node.args):
        return
    if node.keywords:
        yield from _extremum_or_default(spot, node)
        yield from _extremum_by(spot, node)
        return
    name: str = node.func.id  # type: ignore[attr-defined]
    sign, pair, reduction = (">", "maximum", "max") if name == "max" else ("<", "minimum", "min")
    code, args = spot.code, node.args
    if _of_tuples(args):
        values = f"[{', '.join(map(code.expr, args))}]" if len(args) > 1 else items_text(spot, args[0])
        each = f"{spot.jax('tree.map')}(lambda p, q: {spot.jnp('where')}(b {sign} a, p, q), b, a)"
        yield spot.step("where", (node, f"{spot.module('functools', 'reduce')}(lambda a, b: {each}, {values})"))
        return
    if len(args) == 2:
        a, b = args
        paired = spot.step(pair, (node, f"{spot.jnp(pair)}({code.expr(a)}, {code.expr(b)})"))
        chosen = f"{spot.jnp('where')}({code.compared(b)} {sign} {code.compared(a)}, {code.expr(b)}, {code.expr(a)})"
        facts = [spot.fact(each) for each in args]
        whole = [fact is not None and fact.dtype in ("i", "u", "b") for fact in facts]
        long = any(len(code.src(each)) > LONG for each in args)
        if long or all(whole):
            yield paired
        yield spot.step("where", (node, chosen))
        yield paired
        return
    known = spot.fact(args[0]) if len(args) == 1 else None
    if known is not None and known.sort == "array":  # of whatever length: in the next call there may be many more
        excludes = {"nan": "NaN, of which max() and min() take no account but in the first place"}
        array = code.expr(args[0])
        yield spot.step(reduction, (node, f"{spot.jnp(reduction)}({array})"), excludes=excludes)
        named = isinstance(args[0], ast.Name | ast.Attribute)
        values = array if named else code.fresh("values", "items")
        first = f"{array if named else f'({values} := {array})'}[{spot.jnp(f'arg{reduction}')}({values})]"
        yield spot.step(f"arg{reduction}", (node, first), excludes=excludes)
        return
    values = f"[{', '.join(map(code.expr, args))}]" if len(args) > 1 else items_text(spot, args[0])
    yield spot.step(reduction, (node, f"{spot.jnp(reduction)}({spot.jnp('asarray')}({values}))"))
    lambda_ = f"lambda a, b: {spot.jnp('where')}(b {sign} a, b, a)"
    yield spot.step("where", (node, f"{spot.module('functools', 'reduce')}({lambda_}, {values})"))


def _extremum_or_default(spot: Spot, node: ast.Call) -> Iterator[Step]:
    """`max(xs, default=d)` → `max(xs) if len(xs) else d`: how many there are is known, which of them is the largest is not."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[items], keywords=[ast.keyword(arg="default", value=default)]):
            code = spot.code
        case _:
            return
    values, asked = code.expr(items), f"len({code.src(items)})"
    if not isinstance(items, ast.Name | ast.Attribute):
        values = code.fresh("values", "items")
        asked = f"({values} := {items_text(spot, items)})"
        if isinstance(items, ast.Call):
            asked = f"len{asked}"
    text = f"{name}({values}) if {asked} else {code.expr(default)}"
    alone = isinstance(code.parents[node], ast.Return | ast.Assign)
    yield spot.step("if", (node, text if alone else f"({text})"))


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


def least_of_a_set(spot: Spot) -> Iterator[Step]:
    """`left.discard(start)`, later `min(left, key=k)`: that one first, as it needs the set as it is."""
    match spot.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add" | "remove" | "discard")):
            function = spot.function
        case _:
            return
    for node in ast.walk(function) if isinstance(spot.locals.get(name), set) and function is not None else ():
        match node:
            case ast.Call(func=ast.Name(id="min" | "max" as which), args=[ast.Name(id=asked)], keywords=[_]):
                if asked == name and spot.is_builtin(which) and chosen_numbers(spot, node.args[0]) is not None:
                    yield from _extremum_by(spot, node)
                    return


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
    listed = items_text(spot, node.args[0]) if len(node.args) == 1 else f"[{', '.join(map(code.expr, node.args))}]"
    if len(node.args) == 1 and isinstance(held := spot.held(node.args[0]), dict):
        if any(isinstance(each, str) for each in held):
            return  # no array has them
        listed = f"list({listed})"
    ranks = ranks_of(spot, key.value, listed, turned=name == "argmax")
    place = f"{ranks}[0]" if ranks else f"{spot.jnp(name)}({spot.jnp('asarray')}({_keys(spot, key.value, listed)}))"
    values = node.args[0]
    if isinstance(values, ast.Call) and code.src(values.func) == "range" and len(node.args) == 1:
        start = f"{code.operand(values.args[0])} + " if len(values.args) == 2 else ""
        if len(values.args) < 3:
            yield spot.step(name, (node, f"{start}{place}"), excludes=excludes)
        return
    if len(node.args) == 1 and holds_items(spot, values):
        yield spot.step(name, (node, f"{listed}[{place}]"), excludes=excludes)
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


def ranks_of(spot: Spot, key: ast.expr, listed: str, turned: bool) -> str:
    """The order of all items by `lambda p: (p[0], p[1])`, the first part first; "" for a key of one part."""
    match key:
        case ast.Lambda(args=ast.arguments(args=[each], defaults=[]), body=ast.Tuple(elts=[_, _, *_] as parts)):
            array = spot.jnp("asarray")
            facts = [spot.fact(part) for part in parts]  # the opposite of an unsigned 0 is 0
            signs = ["" if not turned else "~" if fact is not None and fact.dtype in ("u", "b") else "-" for fact in facts]
            keys = [
                f"{sign}{array}([{spot.code.expr(part)} for {each.arg} in {listed}])"
                for sign, part in zip(reversed(signs), reversed(parts), strict=True)
            ]
            return f"{spot.jnp('lexsort')}(({', '.join(keys)}))"
    return ""


def items_text(spot: Spot, node: ast.expr) -> str:
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
    if isinstance(argument, ast.GeneratorExp):
        refuse_skipped_effects(spot, [argument])
    if not isinstance(argument, ast.GeneratorExp | ast.List | ast.ListComp):
        yield spot.step(name, (node, f"{spot.jnp(name)}({spot.code.expr(argument)})"))
    yield spot.step(name, (node, f"{spot.jnp(name)}({spot.jnp('array')}({items_text(spot, argument)}))"))


def first_that(spot: Spot) -> Iterator[Step]:
    """`next((f(v) for v in xs if v > 0), d)` → the first of all `f(v)` whose test holds, or d; without one, plain Python raises
    where none holds."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.comprehension) or len(asked[1].ifs) != 1:
        return
    around = code.parents[asked[1]]
    call = code.parents[around]
    if not isinstance(around, ast.GeneratorExp) or not isinstance(call, ast.Call) or len(around.generators) != 1:
        return
    if code.src(call.func) != "next" or not spot.is_builtin("next") or call.args[:1] != [around]:
        return
    if len(call.args) == 1:
        spot.refuse_where_caught(StopIteration)
    loop = asked[1]
    refuse_skipped_effects(spot, [around])
    over = f"for {code.src(loop.target)} in {code.expr(loop.iter)}"
    tests, values = f"[{code.expr(loop.ifs[0])} {over}]", f"[{code.expr(around.elt)} {over}]"
    is_itself = isinstance(loop.target, ast.Name) and ast.unparse(around.elt) == loop.target.id
    start = _first_number(spot, loop.iter) if is_itself else None
    if start is not None and not _goes_over(loop.iter):
        tests += " + [False]"  # there may be no round at all
    array = spot.jnp("array")
    statement = code.statement(call)
    before: list[tuple[tuple[int, int], str]] = []
    hits = f"{array}({tests})"
    straight = not any(isinstance(at, (*SCOPES, *COMPREHENSIONS)) for at in code.ancestors(call) if at in code.below(statement))
    if isinstance(statement, ast.Assign | ast.Return | ast.Expr) and straight and code.on_own_lines([statement]):
        name, begin = code.fresh("hits", "holds"), code.region([statement])[0]
        before, hits = [((begin, begin), f"{code.indent(statement)}{name} = {hits}\n")], name
    at = f"{spot.jnp('argmax')}({hits})"
    chosen = f"{array}({values})[{at}]" if start is None else f"({start} + {at})" if start else at
    if before and isinstance(call.args[-1], ast.Constant) and call.args[-1].value is None:
        yield from _or_none(spot, call, chosen, hits, before[0])
    if len(call.args) > 1:
        chosen = f"{spot.jnp('where')}({spot.jnp('any')}({hits}), {chosen}, {code.expr(call.args[1])})"
    risky = not harmless([around.elt])
    once = list(_computed_once(spot, call, around, hits, before[0])) if before and len(call.args) > 1 else []
    yield from once if risky else ()
    yield spot.step("argmax", (call, chosen), *before, risky=risky)
    yield from () if risky else once


def _goes_over(over: ast.expr) -> bool:
    """`range(len(x))`, `range(x.shape[0])`, `range(10)`, which have no round for nothing alone."""
    match over:
        case ast.Call(args=[ast.Constant()]) | ast.Call(args=[ast.Call(func=ast.Name(id="len"), args=[ast.Name()])]):
            return True
        case ast.Call(args=[ast.Subscript(value=ast.Attribute(attr="shape"))]) | ast.Call(args=[ast.Attribute(attr="size")]):
            return True
    return False


def _first_number(spot: Spot, over: ast.expr) -> str | None:
    """Where a range of steps of 1 begins ("" at 0); None of all else."""
    match over:
        case ast.Call(func=ast.Name(id="range"), args=[_], keywords=[]) if spot.is_builtin("range"):
            return ""
        case ast.Call(func=ast.Name(id="range"), args=[first, _], keywords=[]) if spot.is_builtin("range"):
            return spot.code.operand(first)
    return None


def _computed_once(
    spot: Spot, call: ast.Call, around: ast.GeneratorExp, hits: str, before: tuple[tuple[int, int], str]
) -> Iterator[Step]:
    """The value of the first item alone, and that only where there is one: others may have no finite derivative."""
    code, loop, function = spot.code, around.generators[0], spot.function
    over = loop.iter
    if isinstance(over, ast.Name) and isinstance(function, ast.FunctionDef):
        made = bound_once(function, over.id)
        over = made if made is not None and not loaded([made]) & {*stored(function.body)} else over
    at, start = f"{spot.jnp('argmax')}({hits})", _first_number(spot, over)
    match loop.target, over:
        case ast.Name(id=name), _ if start is not None:
            items = {name: f"{start} + {at}" if start else at}
        case ast.Name(id=name), ast.Name() if (fact := spot.fact(over)) is not None and fact.sort == "array":
            items = {name: f"{code.src(over)}[{at}]"}
        case _:
            return
    place, lines = before
    new = {name: code.fresh(f"first_{name}", f"{name}_of_the_first") for name in items}
    lines += "".join(f"{code.indent(code.statement(call))}{new[name]} = {text}\n" for name, text in items.items())
    value = renamed(spot, around.elt, new)
    either = f"lambda: {value}, lambda: {code.expr(call.args[1])}"
    yield spot.step("cond", (call, f"{spot.lax('cond')}({spot.jnp('any')}({hits}), {either})"), (place, lines))


def _or_none(spot: Spot, call: ast.Call, chosen: str, hits: str, before: tuple[tuple[int, int], str]) -> Iterator[Step]:
    """`k = next((…), None)` with `if k is None` behind it: a flag says whether there is one; where none is, k is any item."""
    place, lines = before
    if (found := told_by_a_flag(spot, call, f"{spot.jnp('any')}({hits})")) is not None:
        line, answers = found
        yield spot.step("argmax", (call, chosen), (place, lines + line), *answers)


def position(spot: Spot) -> Iterator[Step]:
    """`values.index(v)` of a list, or of what has become an array of it → `jnp.argmax(jnp.asarray(values) == v)`."""
    node = spot.code.parents.get(spot.node) if isinstance(spot.node, ast.Attribute) else spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) != 1:
        return
    lacks_it = isinstance(spot.error, AttributeError) and "Tracer" in str(spot.error)  # of `jnp.sort(x).index(v)`
    listed = lacks_it or isinstance(spot.value(node.func.value), list | tuple | jax.core.Tracer)
    if node.func.attr in ("index", "count") and listed:
        if node.func.attr == "index":
            spot.refuse_where_caught(ValueError)
        what = "argmax" if node.func.attr == "index" else "sum"
        equal = f"{spot.jnp('asarray')}({spot.code.src(node.func.value)}) == {spot.code.operand(node.args[0])}"
        yield spot.step(what, (node, f"{spot.jnp(what)}({equal})"))


def tests_of(spot: Spot, loop: ast.comprehension) -> tuple[str, tuple[int, int]]:
    """What a comprehension asks of each item, as one test, and where that stands, the `if` included."""
    code = spot.code
    test = " and ".join(map(code.operand, loop.ifs)) if len(loop.ifs) > 1 else code.expr(loop.ifs[0])
    start, end = code.span(loop.iter)[1], code.span(loop.ifs[-1])[1]
    while code.text[end : end + 1] == ")" and code.text[start:end].count("(") > code.text[start:end].count(")"):
        end += 1
    return test, (start, end)


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
    test, tests = tests_of(spot, comprehension)
    neutral = {"sum": "0", "any": "False", "all": "True"}[name]
    value = f"{spot.jnp('where')}({test}, {code.expr(around.elt)}, {neutral})"
    yield spot.step("where", (around.elt, value), (tests, ""))


def sort(spot: Spot) -> Iterator[Step]:
    """`sorted(xs)` → `jnp.sort(jnp.asarray(xs))`."""
    node = spot.call("sorted")
    if node is None or len(node.args) != 1:
        return
    reverse, key, flag = False, None, ""
    for keyword in node.keywords:
        if keyword.arg == "key":
            key = keyword.value
        elif isinstance(keyword.value, ast.Constant):
            reverse = bool(keyword.value.value)
        elif is_fact(spot, keyword.value) and type(spot.value(keyword.value)) is bool:
            flag = spot.code.src(keyword.value)  # which only jnp's own functions take
        else:
            raise Obstacle("sorted() with an order that is not written out")
    descending = f", descending={flag or reverse}" if flag or reverse else ""
    if key is not None:
        yield from _sorted_by(spot, node, key, descending)
        return
    excludes = {"nan": "the order that sorted() gives to NaN"}
    if flag:
        yield spot.step(
            "sort",
            (node, f"{spot.jnp('sort')}({spot.jnp('asarray')}({items_text(spot, node.args[0])}){descending})"),
            excludes=excludes,
        )
        return
    fact = spot.fact(node.args[0])
    if fact is not None and fact.sort == "array" and fact.ndim == 2:  # of rows that were lists, compared item by item
        rows = node.args[0].id if isinstance(node.args[0], ast.Name) else spot.code.fresh("rows", "lines")
        array = rows if isinstance(node.args[0], ast.Name) else f"({rows} := {spot.code.expr(node.args[0])})"
        order = f"{spot.jnp('lexsort')}({rows}.T[::-1])"
        yield spot.step("lexsort", (node, f"{array}[{order}{'[::-1]' if reverse else ''}]"), excludes=excludes)
        return
    array = f"{spot.jnp('asarray')}({items_text(spot, node.args[0])})"
    texts = [f"{spot.jnp('sort')}({array}){'[::-1]' if reverse else ''}"]
    if reverse:  # equal numbers keep their order: each has its own part in a gradient
        texts.append(f"{spot.jnp('sort')}({array}[::-1])[::-1]")
    for text in texts:
        yield spot.step("sort", (node, text), excludes=excludes)
    for text in texts:
        yield spot.step("sort", (node, f"list({text})"), excludes=excludes)


def _sorted_by(spot: Spot, node: ast.Call, key: ast.expr, descending: str) -> Iterator[Step]:
    """`sorted(xs, key=k)` → `xs[jnp.argsort(keys)]`; of a range, the argsort itself; of `zip(a, b)` its list, by a name."""
    code, values = spot.code, node.args[0]
    if (
        isinstance(values, ast.Call)
        and code.src(values.func) in ("zip", "enumerate")
        and spot.is_builtin(code.src(values.func))
    ):
        statement = code.statement(node)
        if code.on_own_lines([statement]) and not in_another_scope(code, node, statement):
            name, start = code.fresh("pairs", "items", "zipped"), code.region([statement])[0]
            line = f"{code.indent(statement)}{name} = list({code.src(values)})\n"
            yield spot.step("zip", ((start, start), line), (values, name))
        return
    keys = _keys(spot, key, code.expr(values))
    order = f"{spot.jnp('argsort')}({spot.jnp('asarray')}({keys}){descending})"
    if several := ranks_of(spot, key, code.expr(values), turned=bool(descending)):
        if descending not in ("", ", descending=True"):
            raise Obstacle("sorted() by several keys in an order that is not written out")
        order = several
    excludes = {"nan": "the order that sorted() gives to NaN"}
    if isinstance(values, ast.Call) and code.src(values.func) == "range" and len(values.args) == 1:
        yield spot.step("argsort", (node, order), excludes=excludes)
        yield spot.step("argsort", (node, f"list({order})"), excludes=excludes)
    else:
        array = f"{spot.jnp('asarray')}({items_text(spot, values)})"
        yield spot.step("argsort", (node, f"{array}[{order}]"), excludes=excludes)
        yield spot.step("argsort", (node, f"list({array}[{order}])"), excludes=excludes)  # to which a list may be added
