"""Lists of tuples sorted by a traced key (`cand.sort(key=lambda c: c[0])`, as in a beam search); sorted lists compared."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining, in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.over_items import items_text, ranks_of
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.names import stored, walk, walk_scope

BESIDE_NAN = {"nan": "NaN, which sorting by comparisons leaves in no order that is known"}


def key_written_there(spot: Spot) -> Iterator[Step]:
    """`sorted(xs, key=strength)` → `key=lambda c: (p[c], q[c])`, where that is what it returns: each part is a key."""
    match spot.node:
        case ast.Call(keywords=keywords) if spot.kind == BOOL:
            keys = [each.value for each in keywords if each.arg == "key" and isinstance(each.value, ast.Name | ast.Attribute)]
        case _:
            return
    for key in keys:
        made = Inlining.of(spot, ast.copy_location(ast.Call(key, [ast.Name("item")], []), key))
        if made is None:
            continue
        match made.function:
            case ast.FunctionDef(
                args=ast.arguments(args=[ast.arg(arg=each)], defaults=[], vararg=None, kwarg=None, kwonlyargs=[]),
                body=[*said, ast.Return(ast.Tuple(elts=[_, _, *_] as parts))],
            ) if all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in said):
                text = ", ".join(map(made.source.expr, parts))
                yield spot.step("key", (key, f"lambda {each}: ({text})"), drops=made.changed)


def by_all_their_parts(spot: Spot) -> Iterator[Step]:
    """`events.sort()` of tuples of numbers → `events.sort(key=lambda item: (item[0], item[1]))`, as Python does; of
    `events = sorted([(s, 1) for s in a] + [(e, -1) for e in b])` a line of its own."""
    node, code = spot.node, spot.code
    if spot.kind != BOOL or not isinstance(node, ast.Call) or any(each.arg == "key" for each in node.keywords):
        return
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="sort"), args=[]):
            width = _width(spot.locals.get(name))
        case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name(id=name)]) if spot.is_builtin("sorted"):
            width = _width(spot.locals.get(name))
        case ast.Call(func=ast.Name(id="sorted"), args=[ast.BinOp() | ast.ListComp() | ast.GeneratorExp() as listed]) if (
            spot.is_builtin("sorted")
        ):
            width = _width_of(listed)
        case _:
            return
    if width < 2:
        return
    item = code.fresh("item", "each", "item_to_sort")
    key = f"key=lambda {item}: ({', '.join(f'{item}[{number}]' for number in range(width))})"
    statement, options = code.statement(node), "".join(f", {code.src(each)}" for each in node.keywords)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node and not isinstance(node.args[0], ast.Name):
            if code.on_own_lines([statement]):
                indent, given = code.indent(statement), items_text(spot, node.args[0])
                lines = f"{indent}{name} = {given}\n{indent}{name}.sort({key}{options})\n"
                yield spot.step("key", (code.region([statement]), lines))
        case _ if not node.args or isinstance(node.args[0], ast.Name):
            given = f"{code.src(node.args[0])}, " if node.args else ""
            yield spot.step("key", (node, f"{code.src(node.func)}({given}{key}{options})"))


def _width(held: object) -> int:
    """Of how many numbers each tuple of a list consists; 0 of others."""
    if not isinstance(held, list) or not held or not all(isinstance(each, tuple) for each in held):
        return 0
    widths = {len(each) if all(map(_is_number, each)) else 0 for each in held}
    return widths.pop() if len(widths) == 1 else 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, jax.Array, np.generic)) and np.ndim(value) == 0


def _width_of(listed: ast.expr) -> int:
    """The same of what `[(s, 1) for s in a] + [(e, -1) for e in b]` lists."""
    match listed:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            widths = {_width_of(left), _width_of(right)}
            return widths.pop() if len(widths) == 1 else 0
        case ast.ListComp(elt=ast.Tuple(elts=parts)) | ast.GeneratorExp(elt=ast.Tuple(elts=parts)):
            return len(parts) if not any(isinstance(each, ast.Tuple | ast.Starred) for each in parts) else 0
    return 0


def sorted_by_a_key(spot: Spot) -> Iterator[Step]:
    """`sorted(cand, key=lambda c: c[0])` → the items in the order that `jnp.argsort` gives of their keys."""
    node, code = spot.node, spot.code
    if spot.kind != BOOL or not isinstance(node, ast.Call):
        return
    match node:
        case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name() as items]) if spot.is_builtin("sorted"):
            in_place = False
        case ast.Call(func=ast.Attribute(value=ast.Name() as items, attr="sort"), args=[]):
            in_place = True
        case _:
            return
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    key, reverse = given.pop("key", None), given.pop("reverse", None)
    backwards = isinstance(reverse, ast.Constant) and reverse.value is True
    known = reverse is None or (isinstance(reverse, ast.Constant) and isinstance(reverse.value, bool))
    held = spot.locals.get(items.id)
    match key:
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)]), body=body):
            asked = code.operand(body)
        case ast.Name() | ast.Attribute():
            each = code.fresh("item", "item_to_sort")
            asked = f"{code.src(key)}({each})"
        case _:
            return
    if given or not known or not isinstance(held, list):
        return
    statement = code.statement(node)
    alone = isinstance(statement, ast.Expr) and statement.value is node
    if not held or alone != in_place or not code.on_own_lines([statement]):
        return
    order = code.fresh("order", f"order_of_{items.id}")
    columns, place = code.fresh("columns", f"columns_of_{items.id}"), code.fresh("place", "number")
    keys = f"{spot.jnp('stack')}([{asked} for {each} in {items.id}])"
    indent = code.indent(statement)
    stacked = f"{spot.jax('tree.map')}(lambda *each: {spot.jnp('stack')}(each), *{items.id})"
    sort = f"{spot.jnp('argsort')}({keys}{', descending=True' if backwards else ''})"
    sort = ranks_of(spot, key, items.id, turned=backwards) or sort
    lines = f"{indent}{order} = {sort}\n{indent}{columns} = {stacked}\n"
    made = f"[{spot.jax('tree.map')}(lambda column: column[{place}], {columns}) for {place} in {order}]"
    start = code.region([statement], comments=True)[0]
    new = f"{items.id} = {made}" if in_place else made
    yield spot.step("argsort", ((start, start), lines), (node, new), excludes=BESIDE_NAN)


def same_items(spot: Spot) -> Iterator[Step]:
    """`sorted(x) == [1, 10]`, `x.tolist() == [1, 2]` → `jnp.array_equal(…)`: equally many, each as large."""
    code, around = spot.code, spot.node
    while isinstance(around, ast.expr) and not isinstance(around, ast.Compare):
        around = code.parents[around]
    match around:
        case ast.Compare(left=one, ops=[ast.Eq() | ast.NotEq() as op], comparators=[other]):
            sides = [_items(spot, each) for each in (one, other)]
        case _:
            return
    if None in sides or all(isinstance(each, ast.List) for each in (one, other)):
        return
    same = f"{spot.jnp('array_equal')}({', '.join(map(str, sides))})"
    yield spot.step("jnp", (around, same if isinstance(op, ast.Eq) else f"{spot.jnp('logical_not')}({same})"))


def _items(spot: Spot, node: ast.expr) -> str | None:
    """A list of numbers as an array: of a traced array, or as it stands there."""
    match node:
        case ast.Call(func=ast.Name(id="sorted" | "list" as name), args=[array], keywords=[]) if spot.is_builtin(name):
            text = spot.code.src(array)
            text = f"{spot.jnp('sort')}({text})" if name == "sorted" else text
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
            text = spot.code.operand(array)
        case ast.List(elts=[_, *_] as each) if all(isinstance(e, ast.Constant) and type(e.value) in (int, float) for e in each):
            return f"{spot.jnp('array')}({spot.code.src(node)})"
        case _:
            return None
    fact = spot.fact(array)
    return text if fact is not None and fact.sort == "array" and fact.ndim == 1 else None


def pairs_spelled_out(spot: Spot) -> Iterator[Step]:
    """`sorted((float(u), float(v)) for u, v in zip(a, b))` → `sorted(zip(a, b))`; of `(float(v), i) for i, v in enumerate(a)`
    the places are `jnp.arange(len(a))`."""
    code = spot.code
    for node in walk(code.statement(spot.node)):
        match node:
            case ast.Call(func=ast.Name(id="sorted"), args=[items, *_]) if spot.is_builtin("sorted"):
                columns = _columns(spot, items)
            case _:
                continue
        if columns:
            options = "".join(f", {each.arg}={code.src(each.value)}" for each in node.keywords)
            yield spot.step("zip", (node, f"sorted(zip({', '.join(columns)}){options})"))
            return


def _columns(spot: Spot, items: ast.expr) -> list[str]:
    """The arrays of which tuples of Python's numbers are made, one by one; none where it is something else."""
    code = spot.code
    match items:
        case ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as arrays, keywords=[]) if spot.is_builtin("zip"):
            inner = [without_tolist(each) for each in arrays]
            return list(map(code.expr, inner)) if inner != arrays and all(_is_column(spot, each) for each in inner) else []
        case (
            ast.GeneratorExp(elt=ast.Tuple(elts=parts), generators=[ast.comprehension(ifs=[]) as over])
            | ast.ListComp(elt=ast.Tuple(elts=parts), generators=[ast.comprehension(ifs=[]) as over])
        ):
            pass
        case _:
            return []
    match over:
        case ast.comprehension(
            target=ast.Tuple(elts=targets), iter=ast.Call(func=ast.Name(id="zip"), args=given, keywords=[])
        ) if spot.is_builtin("zip") and len(targets) == len(given):
            arrays = [without_tolist(each) for each in given]
            texts = list(map(code.operand, arrays))
        case ast.comprehension(
            target=ast.Tuple(elts=targets), iter=ast.Call(func=ast.Name(id="enumerate"), args=[array], keywords=[])
        ) if spot.is_builtin("enumerate") and len(targets) == 2:
            arrays = [without_tolist(array)]
            texts = [f"{spot.jnp('arange')}(len({code.src(arrays[0])}))", code.operand(arrays[0])]
        case _:
            return []
    if (
        len(parts) < 2
        or not all(isinstance(each, ast.Name) for each in targets)
        or not all(_is_column(spot, a) for a in arrays)
    ):
        return []
    by_name = {each.id: text for each, text in zip(targets, texts, strict=True) if isinstance(each, ast.Name)}
    columns = [_column(part, by_name) for part in parts]
    return columns if all(columns) else []


def _column(part: ast.expr, by_name: Mapping[str, str]) -> str:
    """What a part of each tuple is in all of them: `float(v)` of the elements of x is `x.astype(float)`."""
    match part:
        case ast.Name(id=name) | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="item"), args=[], keywords=[]):
            return by_name.get(name, "")
        case ast.Call(func=ast.Name(id="float" | "int" as kind), args=[ast.Name(id=name)], keywords=[]) if name in by_name:
            return f"{by_name[name]}.astype({kind})"
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            column = _column(inner, by_name)
            return f"-{column}" if column else ""
    return ""


def _is_column(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.sort in ("array", "host") and fact.ndim == 1


def without_tolist(node: ast.expr) -> ast.expr:
    match node:
        case ast.Call(func=ast.Attribute(value=array, attr="tolist"), args=[], keywords=[]):
            return array
    return node


def sorted_together(spot: Spot) -> Iterator[Step]:
    """`sorted(zip(a, b))` → pairs of `a[order]` and `b[order]`, where `order` is that of `jnp.lexsort((b, a))`."""
    node, code = spot.call("sorted"), spot.code
    match node:
        case ast.Call(args=[ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as columns, keywords=[])], keywords=keywords):
            pass
        case _:
            return
    texts = _zipped(spot, columns)
    if not texts:
        return
    backwards = False
    keys = texts
    for each in keywords:
        match each:
            case ast.keyword(arg="reverse", value=ast.Constant(value=bool() as backwards)):
                pass
            case ast.keyword(
                arg="key",
                value=ast.Lambda(
                    args=ast.arguments(args=[ast.arg(arg=name)]),
                    body=ast.Subscript(value=ast.Name(id=of), slice=ast.Constant(value=int() as place)),
                ),
            ) if name == of and 0 <= place < len(columns):
                keys = [texts[place]]
            case _:
                return
    statement = code.statement(node)
    if not code.on_own_lines([statement]) or isinstance(statement, ast.While) or in_another_scope(code, node, statement):
        return
    if len(keys) > 1:
        sort = f"{spot.jnp('lexsort')}(({', '.join(reversed(keys))}))"
        sort += "[::-1]" if backwards else ""  # pairs that are equal are the same pair
    else:
        sort = f"{spot.jnp('argsort')}({keys[0]}{', descending=True' if backwards else ''})"
    order, start = code.fresh("order", "order_of_both"), code.region([statement], comments=True)[0]
    pairs = f"zip({', '.join(f'{each}[{order}]' for each in texts)})"
    made = pairs if isinstance(code.parents[node], ast.For | ast.comprehension | ast.Starred) else f"list({pairs})"
    yield spot.step(
        "argsort", ((start, start), f"{code.indent(statement)}{order} = {sort}\n"), (node, made), excludes=BESIDE_NAN
    )


def first_of_all_pairs(spot: Spot) -> Iterator[Step]:
    """`max(zip(a, b))` → `(a[i], b[i])`, where `i` is the last of `jnp.lexsort((b, a))`, that of `min(zip(a, b))` the first."""
    node, code = spot.call("max", "min"), spot.code
    match node:
        case ast.Call(
            func=ast.Name(id=name),
            args=[ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as columns, keywords=[])],
            keywords=[],
        ):
            texts = _zipped(spot, columns)
        case _:
            return
    statement = code.statement(node)
    plain = isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
    if not texts or not plain or not code.on_own_lines([statement]) or in_another_scope(code, node, statement):
        return
    place, start = code.fresh("place", f"place_of_{name}"), code.region([statement], comments=True)[0]
    sort = f"{spot.jnp('lexsort')}(({', '.join(reversed(texts))}))[{0 if name == 'min' else -1}]"
    pair = f"({', '.join(f'{each}[{place}]' for each in texts)})"
    yield spot.step(
        "argsort", ((start, start), f"{code.indent(statement)}{place} = {sort}\n"), (node, pair), excludes=BESIDE_NAN
    )


def _zipped(spot: Spot, columns: Sequence[ast.expr]) -> list[str]:
    """Arrays of one axis, as text, that are run over side by side: the places of `range(len(a))` are one; nothing where one
    is something else."""
    found = []
    for each in columns:
        match each:
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if spot.is_builtin("range"):
                found.append(f"{spot.jnp('arange')}({', '.join(map(spot.code.src, args))})")
            case _ if (fact := spot.fact(each)) is not None and fact.sort == "array" and fact.ndim == 1:
                found.append(spot.code.operand(each))
            case _:
                return []
    return found if spot.is_builtin("zip") else []


def sorted_by_several_keys(spot: Spot) -> Iterator[Step]:
    """`sorted(range(n), key=lambda i: (-count[i], i))` → `jnp.lexsort` of an array for each key, the last one first."""
    node, code = spot.call("sorted"), spot.code
    match node:
        case ast.Call(
            args=[values],
            keywords=[
                ast.keyword(
                    arg="key", value=ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)]), body=ast.Tuple(elts=parts))
                )
            ],
        ) if len(parts) > 1 and not any(isinstance(part, ast.Starred) for part in parts):
            pass
        case _:
            return
    items = code.expr(values)
    of_numbers = isinstance(values, ast.Call) and code.src(values.func) == "range" and len(values.args) == 1
    if not of_numbers and not isinstance(values, ast.Name):
        return  # what is made there may be gone after the first key
    asarray = spot.jnp("asarray")
    keys = [f"{asarray}([{code.expr(part)} for {each} in {items}])" for part in reversed(parts)]
    order = f"{spot.jnp('lexsort')}(({', '.join(keys)}))"
    if of_numbers:
        yield spot.step("argsort", (node, order), excludes=BESIDE_NAN)
        yield spot.step("argsort", (node, f"list({order})"), excludes=BESIDE_NAN)
    else:
        yield spot.step("argsort", (node, f"{asarray}({items})[{order}]"), excludes=BESIDE_NAN)


def what_is_kept(spot: Spot) -> Iterator[Step]:
    """`kept = [v for v in x if v > t]`, `kept.sort(key=lambda v: -v)` → `kept = sorted(kept, reverse=True)`, which other rules
    know."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.comprehension):
        return
    match code.statement(asked[0]):
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp() as kept) if asked[1] in kept.generators:
            pass
        case _:
            return
    for node in ast.walk(spot.function) if spot.function is not None else ():
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=each), attr="sort"), args=[]) as call):
                options = _as_options(spot, call.keywords) if each == name else None
                if options is not None and code.on_own_lines([node]):
                    yield spot.step("sorted", (call, f"{name} = sorted({', '.join([name, *options])})"))
                    return


def _as_options(spot: Spot, keywords: list[ast.keyword]) -> list[str] | None:
    """The options of `sorted`, without a key that turns the order alone; None where there is another key."""
    match keywords:
        case [ast.keyword(arg="key", value=ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)]), body=body))]:
            turned = isinstance(body, ast.UnaryOp) and isinstance(body.op, ast.USub)
            return ["reverse=True"] if turned and spot.code.src(body.operand) == each else None  # type: ignore[attr-defined]
    return None if any(each.arg != "reverse" for each in keywords) else [f"reverse={spot.code.src(k.value)}" for k in keywords]


def reversed_in_a_branch(spot: Spot) -> Iterator[Step]:
    """`if c: items.reverse()` of a list made here → `items = items[::-1]`, which either branch may give."""
    asked = spot.asked()
    around = asked[1] if asked is not None else None
    if spot.kind != BOOL or not isinstance(around, ast.If):
        return
    edits: list[tuple[ast.AST | tuple[int, int], str]] = []
    for node in walk_scope([*around.body, *around.orelse]):
        match node:
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(name), attr="reverse"), args=[], keywords=[])):
                if isinstance(spot.locals.get(name), list) and has_no_other_name(spot, name):
                    edits.append((node, f"{name} = {name}[::-1]"))
    if edits:
        yield spot.step("list", *edits)


def has_no_other_name(spot: Spot, name: str) -> bool:
    """Whether a list is made by the function itself, and no other name or container holds it."""
    if spot.function is None:
        return False
    nodes = list(ast.walk(spot.function))
    made = [node.value for node in nodes if isinstance(node, ast.Assign) and name in stored([node])]
    read = [node for node in nodes if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)]
    holders = ast.Assign | ast.List | ast.Tuple | ast.Dict
    alone = not any(isinstance(spot.code.parents[node], holders) for node in read)
    return alone and bool(made) and all(map(_is_made, made))


def _is_made(value: ast.expr) -> bool:
    """Whether an expression makes a list of its own: a display, a part, `[0.0] * k`, `list(…)`, `sorted(…)`."""
    match value:
        case ast.List() | ast.ListComp() | ast.Subscript():
            return True
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return isinstance(left, ast.List) or isinstance(right, ast.List)
        case ast.Call(func=ast.Name(id="list" | "sorted")):
            return True
    return False


RULES: list[Rule] = [
    key_written_there,
    pairs_spelled_out,
    same_items,
    reversed_in_a_branch,
    what_is_kept,
    sorted_together,
    first_of_all_pairs,
    sorted_by_a_key,
    sorted_by_several_keys,
    by_all_their_parts,
]
