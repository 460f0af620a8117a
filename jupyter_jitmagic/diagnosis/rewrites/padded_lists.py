"""A list that is filled up to a length behind the loop that fills it: as a loop, which other rules go on with, also where it
is filled up within an expression; and where it is cut to that length, too, an item for each place of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import COMPREHENSIONS, bound_once, loaded, stored, walk, walk_scope


def as_a_loop(spot: Spot) -> Iterator[Step]:
    """`out += [v] * (n - len(out))` behind the loop → `while len(out) < n: out.append(v)`; with `out.extend(…)`, too."""
    code = spot.code
    for statement, name, value, length in _padded_behind(spot):
        if not _is_steady(value, name) or name in loaded([length]) or not isinstance(spot.locals.get(name), list):
            continue
        indent = code.indent(statement)
        lines = f"{indent}while len({name}) < {code.expr(length)}:\n{indent}    {name}.append({code.expr(value)})\n"
        yield spot.step("list", (code.region([statement]), lines))
        return


@dataclass(frozen=True)
class _Sum:
    """`out + [v] * (n - len(out))`.

    Attributes:
        node: the sum.
        name: of the list.
        item, length: what fills it up, and to which length.
        named: the names that stand for `n - len(out)` and for `len(out)` in it.
    """

    node: ast.BinOp
    name: str
    item: ast.expr
    length: ast.expr
    named: tuple[str, ...]


def in_an_expression(spot: Spot) -> Iterator[Step]:
    """`return jnp.array(out + [v] * (n - len(out)))` → `out += [v] * (n - len(out))` on a line before, where nothing reads the
    list behind that; how long it was has a name then."""
    function, code = spot.function, spot.code
    if spot.asked() is None or not isinstance(function, ast.FunctionDef):
        return
    for statement in function.body:
        if hasattr(statement, "body") or statement.lineno < spot.node.lineno or not code.on_own_lines([statement]):  # type: ignore[attr-defined]
            continue
        sums = list(_sums(spot, function, statement))
        if not sums or not all(_is_filled_until(spot, function, each.name) for each in sums):
            continue
        indent, lines = code.indent(statement), list[str]()
        named = dict.fromkeys(name for each in sums for name in each.named)
        gone = {node for each in sums for node in ast.walk(each.node)}
        edits: list[tuple[tuple[int, int], str]] = [(code.region([made]), "") for made in code.unread(named, gone, statement)]
        for each in sums:
            uses = [n for n in walk_scope([statement]) if isinstance(n, ast.Name) and n.id == each.name]
            counts = [code.parents[use] for use in uses if not any(use in ast.walk(one.node) for one in sums)]
            if not all(_is_length(spot, count) for count in counts):
                return
            if counts:
                count = code.fresh(f"{each.name}_count", f"number_of_{each.name}")
                lines.append(f"{indent}{count} = len({each.name})\n")
                edits += [(code.span(asked), count) for asked in counts]
            missing = f"{code.expr(each.length)} - len({each.name})"
            lines.append(f"{indent}{each.name} += [{code.expr(each.item)}] * ({missing})\n")
            edits.append((code.span(each.node), each.name))
        start = code.region([statement])[0]
        yield spot.step("filled up", ((start, start), "".join(lines)), *edits)
        return


def _sums(spot: Spot, function: ast.FunctionDef, statement: ast.stmt) -> Iterator[_Sum]:
    """The sums in a statement; of two lists that are appended to in turns the lengths are one."""
    code = spot.code
    for node in walk_scope([statement]):
        if any(isinstance(at, COMPREHENSIONS) for at in code.ancestors(node)):
            continue
        match node:
            case ast.BinOp(
                left=ast.Name(id=name), op=ast.Add(), right=ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=times)
            ) if not isinstance(item, ast.Starred) and _is_steady(item, name):
                pass
            case _:
                continue
        named = list[str]()
        match _resolved(spot, times, named):
            case ast.BinOp(left=length, op=ast.Sub(), right=taken) if name not in loaded([length]):
                taken = _resolved(spot, taken, named)
            case _:
                continue
        since = min((code.statement(made).lineno for each in named if (made := bound_once(function, each))), default=0)
        match taken:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)], keywords=[]) if (
                _is_held_alone(spot, function, name, statement, since)
                and _is_held_alone(spot, function, counted, statement, since)
                and (counted == name or _are_filled_alike(spot, function, counted, name))
            ):
                yield _Sum(node, name, item, length, tuple(named))


def _resolved(spot: Spot, node: ast.expr, named: list[str]) -> ast.expr:
    """What a name stands for in a line above."""
    made = spot.code.bound_above(node.id, node) if isinstance(node, ast.Name) else None
    if made is None or not isinstance(node, ast.Name):
        return node
    named.append(node.id)
    return made


def _is_held_alone(spot: Spot, function: ast.FunctionDef, name: str, statement: ast.stmt, since: int) -> bool:
    """Whether a list is made here and has no other name, nothing but `append` changes it, from the line `since` on nothing, and
    behind the statement nothing reads it."""
    code, inside = spot.code, set(walk_scope(function.body))
    made = bound_once(function, name)
    uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    here = set(ast.walk(statement))
    for use in uses:
        if use not in inside:
            return False
        if use in here:
            continue
        match code.parents[use]:
            case ast.Attribute(attr="append"):
                read = False
            case parent:
                read = True
                item = isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load)
                if not (_is_length(spot, parent) or item or _is_asked(parent, use)):
                    return False
        if use.lineno > statement.lineno or (since and use.lineno >= since and not (read and use.lineno <= statement.lineno)):
            return False
    if not isinstance(made, ast.List) or any(isinstance(each, ast.Starred) for each in made.elts):
        return False
    statement_made = code.statement(made)
    return isinstance(statement_made, ast.Assign) and len(statement_made.targets) == 1  # and not `out = other = []`


def _is_asked(parent: ast.AST, use: ast.Name) -> bool:
    denied = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    return denied or (isinstance(parent, ast.If | ast.While) and parent.test is use)


def _are_filled_alike(spot: Spot, function: ast.FunctionDef, one: str, other: str) -> bool:
    """Whether two lists begin alike, and each line that appends to one is next to one that appends to the other."""
    made = [bound_once(function, name) for name in (one, other)]
    lines = [_appends(spot, function, name) for name in (one, other)]
    alike = len({len(each.elts) if isinstance(each, ast.List) else -1 for each in made}) == 1 and len(lines[0]) == len(lines[1])
    return alike and all(
        spot.code.block(a) is spot.code.block(b) and abs(spot.code.block(a).index(a) - spot.code.block(b).index(b)) == 1
        for a, b in zip(*lines, strict=True)
    )


def _appends(spot: Spot, function: ast.FunctionDef, name: str) -> list[ast.stmt]:
    found = (n for n in walk(function) if isinstance(n, ast.Attribute) and n.attr == "append")
    return [spot.code.statement(n) for n in found if isinstance(n.value, ast.Name) and n.value.id == name]


def _is_filled_until(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether a list is filled by a `while`, so that nothing but what fills it up tells how long it gets."""
    loops = (isinstance(at, ast.While) for each in _appends(spot, function, name) for at in spot.code.ancestors(each))
    return isinstance(spot.locals.get(name), list) and any(loops)


def _is_length(spot: Spot, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and spot.is_builtin("len")


def cut_to_a_length(spot: Spot) -> Iterator[Step]:
    """`(out + [v] * n)[:n]` → `[out[i] if i < len(out) else v for i in range(n)]`, of a list that data fills."""
    function, code = spot.function, spot.code
    if spot.asked() is None or not isinstance(function, ast.FunctionDef):
        return
    for node in walk(function):
        cut = _cut(node)
        if cut is None or not _is_filled_here(spot, cut[0]) or not _is_a_count(spot, cut[2]):
            continue
        yield spot.step("cut", (node, _by_place(spot, *cut)), excludes=_negative(cut[2]))
        return
    for statement, name, value, length in _padded_behind(spot):
        uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and n.lineno > statement.lineno]
        cuts = [code.parents[use] for use in uses]
        if not cuts or not all(_is_cut_to(cut, use, length) for cut, use in zip(cuts, uses, strict=True)):
            continue
        steady = _is_steady(value, name) and name not in loaded([length, value])
        if steady and _is_filled_here(spot, name) and _is_a_count(spot, length):
            text = _by_place(spot, name, value, length)
            yield spot.step("cut", (code.region([statement]), ""), *((cut, text) for cut in cuts), excludes=_negative(length))
            return


def cut_and_filled(spot: Spot) -> Iterator[Step]:
    """`row[:k] + [pad] * (len(row) - k)` → as long as before, with `pad` from k on."""
    code = spot.code
    for node in (at for at in [spot.node, *code.ancestors(spot.node)] if isinstance(at, ast.BinOp)):
        match node:
            case ast.BinOp(
                left=ast.Subscript(value=row, slice=ast.Slice(lower=None, upper=ast.expr() as end, step=None)),
                op=ast.Add(),
                right=ast.BinOp(
                    left=ast.List(elts=[item]),
                    op=ast.Mult(),
                    right=ast.BinOp(left=ast.Call(func=ast.Name(id="len"), args=[whole]), op=ast.Sub(), right=taken),
                ),
            ) if ast.dump(row) == ast.dump(whole) and ast.dump(end) == ast.dump(taken) and spot.is_builtin("len"):
                pass
            case _:
                continue
        fact, held = spot.fact(row), spot.value(row)
        of_rows = isinstance(held, list) and any(getattr(each, "ndim", 0) for each in held)
        is_table = fact is not None and fact.sort == "array" and fact.ndim > 1
        if isinstance(item, ast.Starred) or of_rows or is_table:
            return
        jnp, text = spot.jnp, code.expr(row)
        kept = f"{jnp('arange')}(len({text})) < {code.operand(end)}"
        filled = f"{jnp('where')}({kept}, {jnp('asarray')}({text}), {code.expr(item)})"
        yield spot.step("filled up", (node, f"list({filled})"), excludes=_CUT_FROM_THE_END)
        return


_CUT_FROM_THE_END = {"negative int": "a negative length, which cuts from the end in Python"}


def _negative(length: ast.expr) -> dict[str, str]:
    """What is given up where a caller may give the length."""
    return _CUT_FROM_THE_END if isinstance(length, ast.Name) else {}


def _is_a_count(spot: Spot, length: ast.expr) -> bool:
    """Whether a length stands there, or is given: one that is computed may be negative where arrays are shorter."""
    if isinstance(length, ast.Name) and isinstance(spot.function, ast.FunctionDef):
        made = bound_once(spot.function, length.id)
        given = any(each.arg == length.id for each in walk(spot.function.args) if isinstance(each, ast.arg))
        rebound = length.id in stored(spot.function.body)
        return isinstance(made, ast.Constant) or (not rebound and (given or isinstance(spot.value(length), int)))
    return isinstance(length, ast.Constant)


def _is_filled_here(spot: Spot, name: str) -> bool:
    """Whether the trace stopped where a list gets its items."""
    made = spot.code.statement(spot.node)
    kept = isinstance(made, ast.Assign) and isinstance(made.value, ast.ListComp) and name in stored([made])
    return kept or isinstance(spot.locals.get(name), list)


def _cut(node: ast.AST) -> tuple[str, ast.expr, ast.expr] | None:
    """(list, item, length) of `(out + [v, v])[:2]`, `(out + [v] * n)[:n]`."""
    match node:
        case ast.Subscript(
            value=ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=more),
            slice=ast.Slice(lower=None, upper=ast.expr() as length, step=None),
            ctx=ast.Load(),
        ):
            pass
        case _:
            return None
    match more, length:
        case ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=times), _ if ast.dump(times) == ast.dump(length):
            pass
        case ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=ast.Constant(value=int() as most)), ast.Constant(
            value=int() as n
        ) if 0 <= n <= most:
            pass
        case ast.List(elts=[item, *others]), ast.Constant(value=int() as n) if (
            0 <= n <= 1 + len(others) and len({ast.dump(each) for each in (item, *others)}) == 1
        ):
            pass
        case _:
            return None
    return (name, item, length) if _is_steady(item, name) and name not in loaded([length, item]) else None


def _is_cut_to(cut: ast.AST, use: ast.Name, length: ast.expr) -> bool:
    match cut:
        case ast.Subscript(value=of, slice=ast.Slice(lower=None, upper=ast.expr() as upper, step=None), ctx=ast.Load()):
            return of is use and ast.dump(upper) == ast.dump(length)
    return False


def _by_place(spot: Spot, name: str, item: ast.expr, length: ast.expr) -> str:
    place, code = spot.code.fresh("i", "place"), spot.code
    return f"[{name}[{place}] if {place} < len({name}) else {code.expr(item)} for {place} in range({code.expr(length)})]"


def _padded_behind(spot: Spot) -> Iterator[tuple[ast.stmt, str, ast.expr, ast.expr]]:
    """The statements behind a test on data that fill up a list, with what `_padded` tells of them."""
    function = spot.function
    if spot.asked() is None or not isinstance(function, ast.FunctionDef):
        return
    for statement in function.body:
        padded = _padded(statement)
        if padded is not None and statement.lineno >= spot.node.lineno and spot.code.on_own_lines([statement]):  # type: ignore[attr-defined]
            yield statement, *padded


def _padded(statement: ast.stmt) -> tuple[str, ast.expr, ast.expr] | None:
    """(list, item, length up to which the item fills it)."""
    match statement:
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=more):
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(left=ast.Name(id=of), op=ast.Add(), right=more)) if (
            of == name
        ):
            pass
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[more], keywords=[])):
            pass
        case _:
            return None
    match more:
        case ast.BinOp(
            left=ast.List(elts=[item]),
            op=ast.Mult(),
            right=ast.BinOp(
                left=length, op=ast.Sub(), right=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)], keywords=[])
            ),
        ) if counted == name and not isinstance(item, ast.Starred):
            return name, item, length
    return None


def _is_steady(value: ast.expr, name: str) -> bool:
    """Whether an item is the same each time that it is asked for: a value that is there, or the list's last item."""
    match value:
        case ast.Subscript(value=ast.Name(id=of), slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1))) if (
            of == name
        ):
            return True
    return name not in loaded([value]) and not any(
        isinstance(each, ast.Call | ast.NamedExpr | ast.Await) for each in walk(value)
    )


RULES: list[Rule] = [cut_and_filled, cut_to_a_length, as_a_loop, in_an_expression]
