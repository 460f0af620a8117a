"""Selections whose length depends on values (`x[mask]`, `x[:n]`, `nonzero`, `unique`, `compress`) → all elements and a mask.

No array under jit can have such a length. Often nobody needs it: what follows is elementwise and ends in a sum, a mean, a
largest element, a count. So the selection becomes the whole array (the fixed-size form of `nonzero` or `unique`), and each
reduction of what was computed from it is told which elements count. Where the selection itself leaves the function, or meets
something that is neither elementwise nor a known reduction, no rewrite is right, and the reason is said.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ._code import COMPREHENSIONS, target_names
from ._padding import ELEMENTWISE, FRONT, GATHERED, SPREAD, Flow, Valid
from ._rules import Obstacle, Rule, Spot, Step
from .slices import cut_at


def boolean_mask(spot: Spot) -> Iterator[Step]:
    """`x[x > 0].mean()` → `jnp.mean(x, where=x > 0)`; so too `compress` and `extract`."""
    node = spot.node
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        if type(spot.error).__name__ != "NonConcreteBooleanIndexError":
            return
        array, mask = node.value, node.slice
        if isinstance(mask, ast.Tuple):
            return
    elif isinstance(node, ast.Call) and _named(node) in ("compress", "extract") and len(node.args) == 2 and not node.keywords:
        mask, array = node.args
    else:
        return
    try:
        yield from _masked(spot, node, mask, array)
    except Obstacle:
        reduced = next((at for at in spot.code.ancestors(node) if isinstance(at, ast.Call) and _has_where(at)), None)
        if reduced is None or not isinstance(node, ast.Call):
            raise
        # what is reduced leaves out the rest already: the same elements in front, in the same order
        yield spot.step("size=", (node, _with(spot.code.src(node), f"size={spot.code.operand(mask)}.size, fill_value=0")))


def _has_where(call: ast.Call) -> bool:
    return any(keyword.arg == "where" for keyword in call.keywords)


def _masked(spot: Spot, node: ast.expr, mask: ast.expr, array: ast.expr) -> Iterator[Step]:
    if _own_scope(spot, node) is not None:
        text = spot.code.src(mask) if isinstance(mask, ast.Name) else f"({spot.code.src(mask)})"
        valid = Valid(text, SPREAD, *_axes(spot, array, mask))
        yield from _for_floats_and_ints(spot, node, spot.code.operand(array), valid, spot.code.statement(node), [], "where")
        return
    statement = _hoistable(spot, node)
    name, line = _bound(spot, statement, mask, "kept")
    valid = Valid(name, SPREAD, *_axes(spot, array, mask))
    yield from _for_floats_and_ints(spot, node, spot.code.operand(array), valid, statement, [line] if line else [], "where")


def _for_floats_and_ints(
    spot: Spot,
    node: ast.expr,
    text: str,
    valid: Valid,
    statement: ast.stmt,
    lines: list[str],
    pattern: str,
    excludes: dict[str, str] | None = None,
) -> Iterator[Step]:
    """The step; and where it uses an infinity, the one for integers as well."""
    for integer in (False, True):
        flow = Flow(spot, node, text, valid)
        flow.integer = integer
        scope = _own_scope(spot, node)
        if scope is None:
            flow.follow(statement)
        elif lines or flow.visit(scope) is not None:
            flow.stop(scope)
        yield _finished(spot, flow, statement, lines, pattern, excludes)
        if not flow.bounded:
            return


def filtered(spot: Spot) -> Iterator[Step]:
    """`[v for v in x if v > 0]` → all of x, and `kept = x > 0`, which `len`, `sum`, `max`, … are told."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.comprehension):
        return
    code, comprehension = spot.code, asked[1]
    node = code.parents[comprehension]
    if not isinstance(node, ast.ListComp | ast.GeneratorExp) or len(node.generators) != 1:
        return
    statement = _hoistable(spot, node)
    head = f"for {code.src(comprehension.target)} in {code.expr(comprehension.iter)}"
    test = " and ".join(map(code.operand, comprehension.ifs)) if len(comprehension.ifs) > 1 else code.src(comprehension.ifs[0])
    name = code.fresh("kept", "selected", "chosen")
    lines = [f"{name} = {spot.jnp('asarray')}([{test} {head}], bool)"]
    plain = isinstance(comprehension.iter, ast.Name | ast.Attribute | ast.Subscript)
    if plain and code.src(node.elt) == code.src(comprehension.target):
        values = f"{spot.jnp('asarray')}({code.src(comprehension.iter)})"
    else:
        values = code.fresh("values", "candidates")
        lines.append(f"{values} = {spot.jnp('asarray')}([{code.src(node.elt)} {head}])")
    yield from _for_floats_and_ints(spot, node, values, Valid(name, SPREAD), statement, lines, "where")


def collected(spot: Spot) -> Iterator[Step]:
    """`for v in x: if v > 0: out.append(v)` → `out = [v for v in x if v > 0]`, which `filtered` goes on with."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If) or asked[1].orelse:
        return
    code, node = spot.code, asked[1]
    loop = code.parents[node]
    match node.body:
        case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[element]))]:
            pass
        case _:
            return
    if not isinstance(loop, ast.For) or loop.body != [node] or loop.orelse:
        return
    if set(target_names(loop.target)) & code.live_after(loop):
        return
    block = code.block(loop)
    before = block[: block.index(loop)]
    match before[-1] if before else None:
        case ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[])) as maker if made == name:
            pass
        case _:
            return
    head = f"for {code.src(loop.target)} in {code.expr(loop.iter)} if {code.src(node.test)}"
    region = (code.region([maker])[0], code.region([loop])[1])
    yield spot.step("list", (region, f"{code.indent(loop)}{name} = [{code.src(element)} {head}]\n"))


def sliced_by_data(spot: Spot) -> Iterator[Step]:
    """`x[:n].mean()` with a traced n → `jnp.mean(x, where=jnp.arange(x.shape[0]) < n)`."""
    cut = cut_at(spot)
    if cut is None or not isinstance(spot.node, ast.Subscript) or not isinstance(spot.node.ctx, ast.Load) or cut.updates:
        return
    node, code = spot.node, spot.code
    array = code.operand(node.value)
    rows = getattr(spot.value(node.value), "ndim", 1) > 1
    if cut.axis and isinstance(node.slice, ast.Tuple) and not cut.step and len(node.slice.elts) == cut.axis + 1:
        if any(isinstance(part, ast.Slice) for part in node.slice.elts[: cut.axis]):
            return
        array += f"[{', '.join(map(code.src, node.slice.elts[: cut.axis]))}]"  # `x[i, :n]` is `x[i][:n]`
        rows = getattr(spot.value(node.value), "ndim", 0) > cut.axis + 1
    elif cut.axis != 0 or cut.step or not cut.alone:
        return
    local = _own_scope(spot, node) is not None
    statement = code.statement(node) if local else _hoistable(spot, node)
    index = f"{spot.jnp('arange')}({array}.shape[0])"
    tests = []
    if cut.lower is not None:
        tests.append(f"{index} >= {code.operand(cut.lower)}")
    if cut.upper is not None:
        tests.append(f"{index} < {code.operand(cut.upper)}")
    mask = tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)
    name = code.fresh("kept", "counts")
    order = FRONT if cut.lower is None else SPREAD
    excludes = {"negative int": "a negative bound, which counts from the end in Python"}
    valid = Valid(f"({mask})" if local else name, order, rows)
    lines = [] if local else [f"{name} = {mask}"]
    yield from _for_floats_and_ints(spot, node, array, valid, statement, lines, "where", excludes)


def fixed_size(spot: Spot) -> Iterator[Step]:
    """`jnp.nonzero(c)` → `jnp.nonzero(c, size=c.size, fill_value=0)` and a mask of what was found; so `unique` and its kin."""
    node = spot.node
    if not isinstance(node, ast.Call) or type(spot.error).__name__ != "ConcretizationTypeError":
        return
    name = _named(node)
    if any(k.arg == "size" for k in node.keywords):
        return
    if name in ("nonzero", "where", "flatnonzero", "argwhere") and len(node.args) == 1 and not node.keywords:
        yield from _found(spot, node, name)
    elif name == "unique" and any(k.arg in ("return_inverse", "axis") for k in node.keywords):
        # the inverse is as long as the array; what else is made of the padded values, the comparison judges
        yield spot.step("size=", (node, _with(spot.code.src(node), f"size={spot.code.operand(node.args[0])}.size")))
    elif name in ("unique", "intersect1d", "setdiff1d", "union1d"):
        yield from _distinct(spot, node, name)


def _found(spot: Spot, node: ast.Call, name: str) -> Iterator[Step]:
    code = spot.code
    use = code.parents[node] if name == "flatnonzero" else code.parents[code.parents[node]]
    if name != "argwhere" and (k := _constant_index(use)) is not None and k >= 0:  # only the k-th place is used
        yield spot.step("size=", (node, _with(code.src(node), f"size={k + 1}, fill_value=0")))
        return
    statement = _hoistable(spot, node)
    mask, line = _bound(spot, statement, node.args[0], "found")
    ndim = max(1, getattr(spot.value(node.args[0]), "ndim", 1))
    known = code.fresh("kept", "counts")
    valid = Valid(known, FRONT, rows=name == "argwhere")
    text = f"{code.src(node.func)}({mask}, size={spot.jnp('size')}({mask}), fill_value=0)"
    flow = Flow(spot, node, text, valid if name in ("flatnonzero", "argwhere") else (valid,) * ndim)
    flow.follow(statement)
    lines = [line] if line else []
    if any(known in new for _, _, new in flow.edits):
        lines.append(f"{known} = {spot.jnp('arange')}({spot.jnp('size')}({mask})) < {spot.jnp('count_nonzero')}({mask})")
    yield _finished(spot, flow, statement, lines, "size=")


def _distinct(spot: Spot, node: ast.Call, name: str) -> Iterator[Step]:
    code = spot.code
    statement = _hoistable(spot, node)
    flags = [k.arg for k in node.keywords if k.arg and k.arg.startswith("return_")]
    if (name != "unique" and (flags or len(node.args) != 2)) or any(
        k.arg and not k.arg.startswith("return_") for k in node.keywords
    ):
        return
    owner = code.src(node.func).removesuffix(name)
    first = code.src(node.args[0])
    if name == "union1d":
        first = f"{owner}concatenate([{owner}ravel({first}), {owner}ravel({code.src(node.args[1])})])"
    size = f"{code.operand(node.args[0])}.size" if name != "union1d" else f"{owner}size({first})"
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name(id=many)])], value=value) if value is node:
            if name != "unique" or flags != ["return_counts"]:
                return
            valid = Valid(f"({many} > 0)", FRONT)
            flow = Flow(spot, node, _with(code.src(node), f"size={size}, fill_value=0"), (valid, valid))
            flow.follow(statement)
            yield _finished(spot, flow, statement, [], "size=")
            return
    if flags:
        return
    values, counts = code.fresh("distinct", "distinct_values"), code.fresh("counts", "how_often")
    lines = [f"{values}, {counts} = {owner}unique({first}, size={size}, fill_value=0, return_counts=True)"]
    valid = Valid(f"({counts} > 0)", FRONT)
    if name in ("intersect1d", "setdiff1d"):
        member = f"{owner}isin({values}, {code.src(node.args[1])}{', invert=True' if name == 'setdiff1d' else ''})"
        known = code.fresh("common" if name == "intersect1d" else "kept", "kept")
        lines.append(f"{known} = ({counts} > 0) & {member}")
        valid = Valid(known, SPREAD)
    yield from _for_floats_and_ints(spot, node, values, valid, statement, lines, "size=")


def _hoistable(spot: Spot, node: ast.expr) -> ast.stmt:
    """The statement of a node that is evaluated just once and always when the statement is, or an Obstacle."""
    statement = spot.code.statement(node)
    for at in spot.code.ancestors(node):
        if at is statement:
            break
        if isinstance(at, (ast.Lambda, ast.IfExp, ast.BoolOp, *COMPREHENSIONS)) and at is not node:
            raise Obstacle(
                f"`{spot.code.src(node)}` has a length that depends on values, inside an expression of its own scope"
            )
    if isinstance(statement, ast.While | ast.For) or not spot.code.on_own_lines([statement]):
        raise Obstacle(f"`{spot.code.src(node)}` has a length that depends on values")
    return statement


def _own_scope(spot: Spot, node: ast.expr) -> ast.expr | None:
    """The whole expression around a node that is evaluated anew in a comprehension or lambda; None outside of one."""
    at: ast.AST = node
    for parent in itertools.islice(spot.code.ancestors(node), 1, None):
        if isinstance(parent, ast.stmt):
            return None
        if isinstance(parent, (ast.Lambda, *COMPREHENSIONS)):
            return at if isinstance(at, ast.expr) and at is getattr(parent, "elt", getattr(parent, "body", None)) else None
        at = parent
    return None


def _bound(spot: Spot, statement: ast.stmt, mask: ast.expr, wish: str) -> tuple[str, str]:
    """A name for the mask and the line that binds it ("" where it is a name that stays what it is)."""
    code = spot.code
    if isinstance(mask, ast.Name):
        function = spot.function
        stores = [n for n in ast.walk(function or code.tree) if isinstance(n, ast.Name) and n.id == mask.id]
        if sum(isinstance(n.ctx, ast.Store) for n in stores) <= 1:
            return mask.id, ""
    name = code.fresh(wish, "kept", "selected", "chosen")
    return name, f"{name} = {code.src(mask)}"


def _axes(spot: Spot, array: ast.expr, mask: ast.expr) -> tuple[bool, bool]:
    a, m = _ndim(spot, array), _ndim(spot, mask)
    if a is None:
        return False, False
    if m is None:
        return False, a > 1
    if m not in (a, 1):
        raise Obstacle(f"`{spot.code.src(spot.node)}` has a length that depends on values")
    return m < a, m == a and a > 1


def _ndim(spot: Spot, node: ast.expr) -> int | None:
    """The number of axes of an elementwise expression of known variables."""
    match node:
        case ast.Constant():
            return 0
        case ast.Name():
            value = spot.value(node)
            return 0 if isinstance(value, bool | int | float) else getattr(value, "ndim", None)
        case ast.UnaryOp(operand=operand):
            return _ndim(spot, operand)
        case ast.BinOp(left=left, right=right) if not isinstance(node.op, ast.MatMult):
            parts = [left, right]
        case ast.Compare(left=left, comparators=comparators):
            parts = [left, *comparators]
        case ast.Call(args=[_, *_] as parts) if _named(node) in ELEMENTWISE:
            pass
        case _:
            return None
    found = [_ndim(spot, part) for part in parts]
    return None if None in found else max(n for n in found if n is not None)


def _finished(
    spot: Spot, flow: Flow, statement: ast.stmt, lines: list[str], pattern: str, excludes: dict[str, str] | None = None
) -> Step:
    """The step of a flow's edits, with `lines` before the statement of the site."""
    edits: list[tuple[ast.AST | tuple[int, int], str]] = [((start, end), new) for start, end, new in flow.edits]
    if lines:
        start = spot.code.region([statement])[0]
        indent = spot.code.indent(statement)
        edits.insert(0, ((start, start), "".join(f"{indent}{line}\n" for line in lines)))
    return spot.step(pattern, *edits, excludes=excludes)


def groups(spot: Spot) -> Iterator[Step]:
    """`segment_sum(x, ids)[ids]`, `bincount(ids)[ids]`: how many groups is data, but no more than there are elements.

    The groups are numbered anew by `unique(ids, return_inverse=True, size=…)`; what is read back by `ids` is the same.
    """
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Call) or type(spot.error).__name__ != "ConcretizationTypeError":
        return
    name = _named(node)
    if any(k.arg in ("num_segments", "length", "minlength") for k in node.keywords):
        return
    if name.startswith("segment_") and len(node.args) == 2:
        ids, size = node.args[1], "num_segments"
    elif name == "bincount" and node.args:
        ids, size = node.args[0], "length"
    else:
        return
    flat = (
        isinstance(ids, ast.Call)
        and isinstance(ids.func, ast.Attribute)
        and ids.func.attr in ("ravel", "flatten")
        and not ids.args
    )
    inner = ids.func.value if flat and isinstance(ids, ast.Call) and isinstance(ids.func, ast.Attribute) else ids
    statement = _hoistable(spot, node)
    group = code.fresh("group", "group_number")
    text = code.src(inner)
    line = f"_, {group} = {spot.jnp('unique')}({text}, return_inverse=True, size={code.operand(inner)}.size)"
    start, end = code.span(node)
    call = code.edited(start, end, [(*code.span(ids), f"{group}.ravel()" if flat else group)])
    flow = Flow(spot, node, _with(call, f"{size}={group}.size"), Valid(text, GATHERED))
    flow.group_name = group
    flow.follow(statement)
    yield _finished(spot, flow, statement, [line], "size=")


def _named(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _constant_index(node: ast.AST) -> int | None:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        return node.slice.value
    return None


def _with(call: str, keyword: str) -> str:
    body = call[:-1].rstrip().removesuffix(",")
    return f"{body}, {keyword})"


RULES: list[Rule] = [boolean_mask, fixed_size, groups, filtered, collected, sliced_by_data]
