"""Rules for selections whose length depends on values: masks, `nonzero`, `unique`, `x[:n]`, filters, in a helper too.

Often nobody needs the length: what follows is elementwise and ends in a sum, a median, a largest element, a loop. So the
selection becomes the whole array and a mask (`flow.py`). Where it leaves the function that a helper is, or enters a helper,
the helper's lines are put in the place of its call (`inlining.py`) and the walk goes on there.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP
from jupyter_jitmagic.diagnosis.rewrites.as_loops import as_a_loop
from jupyter_jitmagic.diagnosis.rewrites.beside_nothing import axes_of_nothing
from jupyter_jitmagic.diagnosis.rewrites.buffers import converted, will_be_of_jax
from jupyter_jitmagic.diagnosis.rewrites.chosen_functions import by_its_key
from jupyter_jitmagic.diagnosis.rewrites.flow import Flow
from jupyter_jitmagic.diagnosis.rewrites.inlining import all_inlined, inlined, inlined_by_ways
from jupyter_jitmagic.diagnosis.rewrites.operations import called, is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Calls, Leaves, LooksUp, SetsInPlace, SharesItsLine
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, NoWay, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.selecting import unraveled
from jupyter_jitmagic.diagnosis.rewrites.slices import SLICE_ERRORS, cut_at
from jupyter_jitmagic.source.code import Code, leaves, words
from jupyter_jitmagic.source.names import loaded, name_of, stored, target_names, walk, walk_scope

OVERLAPPING = {OVERLAP: "pieces that overlap or leave a gap, which make a longer or shorter array"}
MOST_ROUNDS = 4  # of a walk, until it is known how safe what is not selected must be
_REFUSED = words("ConcretizationTypeError IndexError TypeError")
_LOOK = words(
    "nonzero where flatnonzero argwhere unique unique_values intersect1d setdiff1d setxor1d union1d compress extract delete "
    "bincount repeat split arange linspace zeros ones full segment_sum segment_max segment_min segment_prod"
)


def steps(spot: Spot) -> Iterator[Step]:
    """The function with every selection of unknown length from the site on as the whole array and a mask."""
    for exact, guarded in ((False, False), (True, False), (True, True)):
        levels: dict[int, int] = {}
        for _ in range(MOST_ROUNDS):
            before = dict(levels)
            flow = Flow(spot, levels, exact, guarded)
            flow.follow()
            if levels == before:
                break
        if not flow.found:
            return
        edits = _in_place(flow.edits())
        wanted = flow.averaged if guarded else flow.inexact or not exact
        if edits and wanted:
            excludes = flow.excludes | (OVERLAPPING if flow.apart else {})
            yield spot.step(flow.pattern, *edits, excludes=excludes, note=flow.note, exact=exact)
        if not flow.inexact and not flow.averaged:
            return


def padded(spot: Spot) -> Iterator[Step]:
    """`return x[x > 0]` → the whole array, what was selected in front, and how many that are."""
    levels: dict[int, int] = {}
    for _ in range(MOST_ROUNDS):
        before = dict(levels)
        flow = Flow(spot, levels, exact=True, leaving=True)
        flow.follow()
        if levels == before:
            break
    what, number = ("the whole array", "count") if len(flow.cuts) < 2 else ("whole arrays", "count")
    what = "whole arrays for the parts of its tuples" if flow.parted else what
    if len({count for _, count in flow.cuts}) > 1:
        number = "counts"
    returns = f"the caller gets {what}, with plain Python's elements in front, and their {number}"
    yield spot.step("padded", *_in_place(flow.edits()), excludes=flow.excludes, returns=returns, cuts=flow.cuts)


def _in_place(edits: list[tuple[ast.AST | tuple[int, int], str]]) -> list[tuple[ast.AST | tuple[int, int], str]]:
    """The edits, those at one place joined."""
    merged: dict[tuple[int, int], str] = {}
    for where, new in edits:
        assert isinstance(where, tuple)
        if where[0] == where[1]:
            merged[where] = merged.get(where, "") + new
        else:
            merged[where] = new
    return list(merged.items())


def of_unknown_length(spot: Spot) -> Iterator[Step]:
    """`x[x > 0].mean()` → `jnp.mean(x, where=x > 0)`, and whatever else is done with what was selected."""
    if is_selection(spot):
        yield from _followed(spot)


def _followed(spot: Spot) -> Iterator[Step]:
    try:
        yield from steps(spot)
    except Leaves:
        if not spot.entry:
            raise
        yield from padded(spot)
    except Calls as helper:
        found = list(inlined(spot, helper.call)) or list(inlined_by_ways(spot, helper.call))
        found = found or list(_on_lines(spot, helper.call))
        if not found:
            raise
        yield from found
    except LooksUp as looked_up:
        found = list(by_its_key(spot, looked_up.call))
        if not found:
            raise
        yield from found
    except SetsInPlace as setting:
        if not isinstance(spot.locals.get(setting.name), np.ndarray | jax.Array) and not will_be_of_jax(spot, setting.name):
            raise
        yield from converted(spot, {setting.name})
    except SharesItsLine as shared:
        yield spot.step("lines", on_lines_of_its_own(spot.code, shared.statement))
    except NoWay:
        raise
    except Obstacle:
        if not (along := _along_one_axis(spot)):
            raise
        yield spot.step("ravel", (spot.node, along))


def _along_one_axis(spot: Spot) -> str:
    """`image[mask]` of several axes as plain Python's one: `jnp.ravel(image)[jnp.ravel(mask)]`; "" of others."""
    match spot.node:
        case ast.Subscript(value=array, slice=mask) if not isinstance(mask, ast.Tuple | ast.Slice):
            mask, array = unraveled(mask, array)
            facts = spot.fact(array), spot.fact(mask)
        case _:
            return ""
    if any(each is None or each.sort not in ("array", "host") or each.ndim < 2 for each in facts):
        return ""
    if facts[0].ndim != facts[1].ndim or facts[1].dtype != "b":  # type: ignore[union-attr]
        return ""
    ravel = spot.jnp("ravel")
    return f"{ravel}({spot.code.expr(array)})[{ravel}({spot.code.expr(mask)})]"


def _on_lines(spot: Spot, call: ast.Call) -> Iterator[Step]:
    """`[f(y, c) for c in cs]`, given a selection y → a loop, in which the lines of `f` can stand."""
    made = next((at for at in spot.code.ancestors(call) if isinstance(at, ast.ListComp | ast.GeneratorExp)), None)
    if made is not None:
        yield from as_a_loop(spot, made)


def on_lines_of_its_own(code: Code, statement: ast.stmt) -> tuple[tuple[int, int], str]:
    """`a = 1; b = 2`, or `if c: a = 1` → a line for each."""
    block, owner = code.block(statement), code.parents[statement]
    first = last = block.index(statement)
    while first and block[first - 1].end_lineno == block[first].lineno:
        first -= 1
    while last + 1 < len(block) and block[last + 1].lineno == block[last].end_lineno:
        last += 1
    together = block[first : last + 1]
    start, end = code.span(together[0])[0], code.region(together)[1]
    comment = code.text[code.span(together[-1])[1] : end].lstrip(" ;")
    before = code.lines[together[0].lineno - 1].encode()[: together[0].col_offset]
    headed = isinstance(owner, ast.stmt) and not before.isspace()
    start -= (len(before) - len(before.rstrip())) if headed else 0
    indent = code.indent(together[0]) + ("    " if headed else "")
    lines = f"\n{indent}".join(code.src(each) for each in together)
    space = "  " if comment.startswith("#") else ""
    return (start, end), (f"\n{indent}" if headed else "") + lines + space + comment


def out_of_a_helper(spot: Spot) -> Iterator[Step]:
    """`positive(x).mean()`, where `positive` returns the selection: its lines in the place of the call."""
    if isinstance(spot.node, ast.Call) and type(spot.error).__name__ in (
        "NonConcreteBooleanIndexError",
        "ConcretizationTypeError",
        "TracerBoolConversionError",  # the test of a comprehension
        *SLICE_ERRORS,
    ):
        yield from inlined(spot, spot.node)
        yield from all_inlined(spot, spot.node)


def is_selection(spot: Spot) -> bool:
    node, error = spot.node, type(spot.error).__name__
    if error == "NonConcreteBooleanIndexError":
        return True
    if isinstance(node, ast.Call) and (error in _REFUSED or "Tracer" in error):
        name = name_of(node)
        if name in _LOOK:
            return not any(k.arg == "size" for k in node.keywords)
    if isinstance(node, ast.Subscript) and spot.kind != BOOL:  # else it is a test: `[i for i in range(n) if free[i]]`
        cut = cut_at(spot)
        return cut is not None and not cut.updates
    asked = spot.asked()
    return asked is not None and isinstance(asked[1], ast.comprehension)


def narrowed_by_a_choice(spot: Spot) -> Iterator[Step]:
    """`if keep.all(): break`, then `x = x[keep]`; or `if test: x = x[keep]`: the test decides on the mask, and on no length."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If):
        return
    for node in _narrowed(spot, asked[1]):
        with contextlib.suppress(Leaves, Calls):  # then the choice has to be made otherwise
            yield from steps(replace(spot, node=node))
            return


def chosen_beside_nothing(spot: Spot) -> Iterator[Step]:
    """`out[:n] if n > 0 else jnp.zeros(0)`: what is chosen by how many there are is followed, and is no choice."""
    asked = spot.asked()
    if asked is not None and isinstance(asked[1], ast.If | ast.IfExp) and _has_nothing(spot, asked[1]):
        yield from _followed(spot)


def _has_nothing(spot: Spot, choice: ast.AST) -> bool:
    """Whether an array of nothing stands in one of its sides."""
    return any(isinstance(each, ast.expr) and axes_of_nothing(spot, each) for each in walk(choice))


def _narrowed(spot: Spot, choice: ast.If) -> Iterator[ast.Subscript]:
    """Selections by a mask that the name of the array holds from then on, and that stand in the choice or are skipped by it."""
    depends: list[ast.stmt] = [choice]
    loop = next((at for at in spot.code.ancestors(choice) if isinstance(at, ast.For | ast.While)), None)
    if loop is not None and leaves([choice], (ast.Break, ast.Continue, ast.Return)):
        depends = loop.body
    for node in walk_scope(depends):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                pairs = [*zip(targets, values, strict=True)]
            case ast.Assign(targets=[target], value=value):
                pairs = [(target, value)]
        for pair in pairs:
            match pair:
                case ast.Name(id=name), ast.Subscript(value=ast.Name(id=array), slice=mask) as value:
                    fact = spot.fact(mask) if name == array else None
                    if fact is not None and fact.dtype == "b" and fact.ndim > 0:
                        yield value


def already_left_out(spot: Spot) -> Iterator[Step]:
    """`jnp.mean(jnp.compress(m, x), where=…)`: what is reduced leaves out the rest, so a size is all that is missing."""
    node = spot.node
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr not in ("compress", "extract")
    ):
        return
    around = next((at for at in spot.code.ancestors(node) if isinstance(at, ast.Call) and _has(at, "where")), None)
    if around is not None and not _has(node, "size") and node.args:
        size = f"size={spot.code.operand(node.args[0])}.size, fill_value=0"
        yield spot.step("size=", (node, f"{spot.code.src(node)[:-1].rstrip().removesuffix(',')}, {size})"))


def by_axis(spot: Spot) -> Iterator[Step]:
    """`rows, cols = jnp.argwhere(m).T` → `rows, cols = jnp.nonzero(m)`: the same places, an array for each axis."""
    node, code = spot.node, spot.code
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "argwhere":
        return
    if not is_module(spot, node.func.value) or _has(node, "size"):
        return
    match code.parents.get(node):
        case ast.Attribute(attr="T") as turned:
            pass
        case ast.Call(func=ast.Attribute(value=owner, attr="transpose"), args=[_], keywords=[]) as turned if is_module(
            spot, owner
        ):
            pass
        case _:
            return
    whole: ast.expr = turned
    match code.parents.get(turned):
        case ast.Call(func=ast.Name(id="tuple"), args=[_], keywords=[]) as made if spot.is_builtin("tuple"):
            whole = made
        case ast.Assign(targets=[ast.Tuple()]) | ast.Subscript(slice=ast.Constant(value=int())):
            pass
        case _:
            return
    start, end = code.span(node)[0], code.span(node.func)[1]
    given = code.src(node)[end - start :]
    yield spot.step("nonzero", (whole, f"{code.src(node.func.value)}.nonzero{given}"))


def the_inverse_alone(spot: Spot) -> Iterator[Step]:
    """`_, inverse = jnp.unique(x, return_inverse=True)`: the inverse is as long as the array, the size no more than that."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "unique":
        return
    if node.args and _has(node, "return_inverse") and not _has(node, "size"):
        size = f"size={spot.code.operand(node.args[0])}.size"
        yield spot.step("size=", (node, f"{spot.code.src(node)[:-1].rstrip().removesuffix(',')}, {size})"))


def _has(call: ast.Call, name: str) -> bool:
    return any(keyword.arg == name for keyword in call.keywords)


def binned(spot: Spot) -> Iterator[Step]:
    """`jnp.bincount(labels, minlength=k)` → `length=k`: labels are smaller than the length that was asked for."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "bincount":
        return
    least = next((keyword for keyword in node.keywords if keyword.arg == "minlength"), None)
    if least is None or _has(node, "length") or not is_module(spot, node.func.value):
        return
    text = f"length={spot.code.src(least.value)}"
    beyond = f"labels of {spot.code.src(least.value)} or more, for which the counts of plain Python are longer"
    start, end = spot.code.span(least.value)
    place = (spot.code.text.rindex("minlength", 0, start), end)
    yield spot.step("length=", (place, text), excludes={OVERLAP: beyond})


def repeated(spot: Spot) -> Iterator[Step]:
    """`jnp.repeat(ids, counts)` → with `total_repeat_length`: that of the array with whose elements the repeats are used."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "repeat":
        return
    if _has(node, "total_repeat_length") or len(node.args) < 2:
        return
    own = {part.id for part in walk(node) if isinstance(part, ast.Name)}
    beside = _used_with(spot, node)
    for name, value in spot.locals.items():
        if name not in own and name in beside and attribute(value, "ndim", 0) > 0:
            call = spot.code.src(node)[:-1].rstrip().removesuffix(",")
            excludes = dict.fromkeys(("count", "lone", "size", "end"), f"repeats that do not add up to the length of {name}")
            yield spot.step("size=", (node, f"{call}, total_repeat_length={name}.shape[0])"), excludes=excludes)


def _used_with(spot: Spot, node: ast.expr) -> set[str]:
    """Names in the expressions in which the value of `node`, or the variable that holds it, is used."""
    stmt = spot.code.statement(node)
    found = _as_long_as(stmt)
    match stmt:
        case ast.Assign(targets=[ast.Name(id=held)], value=value) if value is node:
            function = spot.function
            body = function.body if isinstance(function, ast.FunctionDef) else []
            users = (each for each in walk_scope(body) if isinstance(each, ast.expr))
            found = found.union(*(_as_long_as(each) for each in users if held in loaded([each])))
            later = [each for each in walk_scope(body) if isinstance(each, ast.Assign) and each.lineno > stmt.lineno]
            for each in reversed(later):  # `e = jnp.exp(x)` below, which is as long as x
                if found & {*stored([each])} - spot.locals.keys():
                    found |= _element_by_element(spot, each.value)
    return found


def _element_by_element(spot: Spot, node: ast.expr) -> set[str]:
    """Names whose elements an expression takes one by one: what is added up on the way may be of any length."""
    match node:
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.MatMult):
            return _element_by_element(spot, left) | _element_by_element(spot, right)
        case ast.UnaryOp(operand=operand):
            return _element_by_element(spot, operand)
        case ast.Call() if (known := called(spot, node)) is not None and known.operation.sort == "elementwise":
            return set[str]().union(*(_element_by_element(spot, each) for each in known.arguments))
    return set()


def _as_long_as(node: ast.AST) -> set[str]:
    """Names that may be as long as what they are used in: of `x[i]` that is `i`, and `x` only where it is sliced."""
    if isinstance(node, ast.Subscript):
        first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        return loaded([node.value]) if isinstance(first, ast.Slice | ast.Constant) else _as_long_as(first)
    if isinstance(node, ast.Name):
        return {node.id}
    return set[str]().union(*map(_as_long_as, ast.iter_child_nodes(node)))


def deleted(spot: Spot) -> Iterator[Step]:
    """`jnp.delete(x, i)` of one place → `jnp.delete(x, i, assume_unique_indices=True)`, which jit takes."""
    node = spot.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "delete":
        return
    fact = spot.fact(node.args[1]) if len(node.args) > 1 else None
    if fact is not None and fact.ndim == 0 and not _has(node, "assume_unique_indices"):
        call = spot.code.src(node)[:-1].rstrip().removesuffix(",")
        yield spot.step("size=", (node, f"{call}, assume_unique_indices=True)"))


def trimmed(spot: Spot) -> Iterator[Step]:
    """`jnp.trim_zeros(x)` → `x[m]` of what has numbers other than 0 before it and behind it, which other rules know."""
    node = spot.node
    if not isinstance(node, ast.Call) or spot.value(node.func) is not jnp.trim_zeros:
        return
    match node.args, node.keywords:
        case [_], []:
            ends = "fb"
        case ([_, ast.Constant(value=str(ends))], []) | ([_], [ast.keyword(arg="trim", value=ast.Constant(value=str(ends)))]):
            pass
        case _:
            return
    array, added = spot.code.operand(node.args[0]), spot.jnp("cumsum")
    masks = {"f": f"({added}({array} != 0) > 0)", "b": f"({added}(({array} != 0)[::-1])[::-1] > 0)"}
    if kept := [mask for end, mask in masks.items() if end in ends.lower()]:
        yield spot.step("size=", (node, f"{array}[{' & '.join(kept)}]"))


def collected(spot: Spot) -> Iterator[Step]:
    """`for v in x: if v > 0: out.append(v)` → `out = [v for v in x if v > 0]`, which the walk goes on with."""
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
    if not isinstance(loop, ast.For) or loop.body != [node] or loop.orelse or name in loaded([node.test, element]):
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


def by_filter(spot: Spot) -> Iterator[Step]:
    """`list(filter(lambda v: v > 0, xs))` → `[v for v in xs if v > 0]`, which the walk goes on with."""
    code = spot.code
    statement = code.statement(spot.node) if spot.kind == BOOL and isinstance(spot.node, ast.expr) else None
    for node in walk(statement) if statement is not None else ():
        match node:
            case ast.Call(func=ast.Name(id="filter"), args=[keeps, values], keywords=[]) if spot.is_builtin("filter"):
                pass
            case _:
                continue
        match keeps:
            case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=name)], defaults=[], vararg=None)):
                test = code.src(keeps.body)
            case ast.Constant(value=None):
                name = test = code.fresh("v", "item")
            case _:
                name = code.fresh("v", "item")
                test = f"{code.operand(keeps)}({name})"
        around = code.parents[node]
        listed = isinstance(around, ast.Call) and code.src(around.func) == "list" and len(around.args) == 1
        kept = f"[{name} for {name} in {code.expr(values)} if {test}]"
        yield spot.step("list", (around if listed else node, kept))
        return


_OF_ALL = words("max min sorted list tuple prod")


def by_generator(spot: Spot) -> Iterator[Step]:
    """`max(v for v in xs if v > 0)` → `max([v for v in xs if v > 0])`, which the walk goes on with."""
    asked, code = spot.asked(), spot.code
    made = code.parents.get(asked[1]) if asked is not None and isinstance(asked[1], ast.comprehension) else None
    call = code.parents.get(made) if isinstance(made, ast.GeneratorExp) else None
    if made is None or not isinstance(call, ast.Call) or call.args != [made]:
        return
    name = code.src(call.func).rpartition(".")[2]
    if name in _OF_ALL:
        shares = code.span(made)[0] == code.span(call.func)[1]  # the parentheses are the call's
        listed = f"[{code.src(made)[1:-1]}]"
        yield spot.step("list", (made, f"({listed})" if shares else listed))


def chosen_by_an_option(spot: Spot) -> Iterator[Step]:
    """`x = x if mask is None else x[mask]` → `if mask is not None: x = x[mask]`, whose sides may differ in length; all
    those that choose by the same mask."""
    if not (is_selection(spot) and isinstance(spot.node, ast.Subscript)):
        return
    index = ast.dump(spot.node.slice)
    statement = spot.code.statement(spot.node)
    if _as_a_statement(spot.code, statement, index) is None:
        return
    edits = [edit for each in spot.code.block(statement) if (edit := _as_a_statement(spot.code, each, index)) is not None]
    yield spot.step("lines", *edits)


def _as_a_statement(code: Code, statement: ast.stmt, index: str) -> tuple[tuple[int, int], str] | None:
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.IfExp(
                test=ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as asked], comparators=[ast.Constant(None)]),
                body=body,
                orelse=orelse,
            ),
        ) if code.on_own_lines([statement]):
            pass
        case _:
            return None
    chooses = [
        side
        for side in (body, orelse)
        for each in code.below(side)
        if isinstance(each, ast.Subscript) and ast.dump(each.slice) == index
    ]
    if len(chooses) != 1:
        return None
    chosen, other = chooses[0], orelse if chooses[0] is body else body
    reads = {each.id for each in code.below(chosen) if isinstance(each, ast.Name)}
    if not isinstance(other, ast.Name) or (other.id != target and target in reads):
        return None
    indent = code.indent(statement)
    first = "" if other.id == target else f"{indent}{target} = {other.id}\n"
    none = "None" if isinstance(asked, ast.Is) is (chosen is body) else "not None"
    value = code.expr(chosen)
    if isinstance(chosen, ast.Subscript) and code.src(chosen.value) == other.id:
        value = f"{target}[{code.src(chosen.slice)}]"
    text = f"{first}{indent}if {code.src(left)} is {none}:\n{indent}    {target} = {value}\n"
    return code.region([statement]), text


def compressed_by_method(spot: Spot) -> Iterator[Step]:
    """`x.compress(m, axis=0)` → `jnp.compress(m, x, axis=0)`, which other rules know."""
    match spot.node:
        case ast.Call(func=ast.Attribute(value=array, attr="compress") as method, args=[_, *_] as args) as node:
            if not is_module(spot, array) and spot.fact(array) is not None:
                rest = spot.code.text[spot.code.span(args[0])[1] : spot.code.span(node)[1]]
                text = f"{spot.jnp(method.attr)}({spot.code.expr(args[0])}, {spot.code.expr(array)}{rest}"
                yield spot.step("jnp", (node, text))


RULES: list[Rule] = [
    by_axis, trimmed, compressed_by_method, already_left_out, chosen_by_an_option, by_generator, of_unknown_length,
    narrowed_by_a_choice, chosen_beside_nothing, the_inverse_alone, binned, repeated, deleted, collected, by_filter,
]  # fmt: skip
OUTWARD: list[Rule] = [out_of_a_helper]

__all__ = ["OUTWARD", "RULES", "Obstacle"]
