"""A list that is filled up to a length behind the loop that fills it: as a loop, which other rules go on with; and where it is
cut to that length, too, an item for each place of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, loaded, stored, walk, walk_scope


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


def in_an_expression(spot: Spot) -> Iterator[Step]:
    """`return jnp.array(out + [v] * (n - len(out)))` → `out += [v] * (n - len(out))` on a line before, where nothing reads the
    list behind that; how long it was has a name then."""
    function, code = spot.function, spot.code
    if spot.asked() is None or not isinstance(function, ast.FunctionDef):
        return
    for statement in function.body:
        if statement.lineno < spot.node.lineno or isinstance(statement, _COMPOUND) or not code.on_own_lines([statement]):  # type: ignore[attr-defined]
            continue
        found = {name: (node, value, length) for node, name, value, length in _padded_within(function, statement)}
        if not found or not all(_is_filled_until(spot, function, name) for name in found):
            continue
        indent, lines, edits = (
            code.indent(statement),
            [],
            [*_named_for_it(spot, function, [node for node, *_ in found.values()])],
        )
        for name, (node, value, length) in found.items():
            uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and n.lineno >= statement.lineno]
            counts = [code.parents[use] for use in uses if use not in set(ast.walk(node))]
            if not all(_is_length(spot, each) and each in set(walk_scope([statement])) for each in counts):
                return
            if counts:
                count = code.fresh(f"{name}_count", f"number_of_{name}")
                lines.append(f"{indent}{count} = len({name})\n")
                edits += [(code.span(each), count) for each in counts]
            lines.append(f"{indent}{name} += [{code.expr(value)}] * ({code.expr(length)} - len({name}))\n")
            edits.append((code.span(node), name))
        start = code.region([statement])[0]
        yield spot.step("list", ((start, start), "".join(lines)), *edits)
        return


def _is_filled_until(spot: Spot, function: ast.FunctionDef, name: str) -> bool:
    """Whether a list is filled by a `while`, so that nothing but what fills it up tells how long it gets."""
    made = [n for n in walk(function) if isinstance(n, ast.Attribute) and n.attr == "append"]
    appended = [each for each in made if isinstance(each.value, ast.Name) and each.value.id == name]
    loops = (isinstance(at, ast.While) for each in appended for at in spot.code.ancestors(each))
    return isinstance(spot.locals.get(name), list) and any(loops)


def _named_for_it(spot: Spot, function: ast.FunctionDef, sums: Sequence[ast.BinOp]) -> Iterator[tuple[tuple[int, int], str]]:
    """The edits that drop `pad = n - len(out)`, which nothing reads but these sums."""
    code = spot.code
    within = {node for each in sums for node in ast.walk(each)}
    for node in function.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if any(isinstance(n, ast.Name) and n.id == name for n in within):
                reads = (n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and n is not node.targets[0])
                if all(read in within for read in reads) and code.on_own_lines([node]) and isinstance(node.value, ast.BinOp):
                    yield code.region([node]), ""


_COMPOUND = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef)


def _is_length(spot: Spot, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and spot.is_builtin("len")


def _padded_within(function: ast.FunctionDef, statement: ast.stmt) -> Iterator[tuple[ast.BinOp, str, ast.expr, ast.expr]]:
    """(the sum, list, item, length) of each `out + [v] * (n - len(out))` in a statement; of two lists that are appended to in
    turns the lengths are one."""
    for node in walk_scope([statement]):
        match node:
            case ast.BinOp(
                left=ast.Name(id=name), op=ast.Add(), right=ast.BinOp(left=ast.List(elts=[item]), op=ast.Mult(), right=times)
            ):
                times = (bound_once(function, times.id) if isinstance(times, ast.Name) else None) or times
            case _:
                continue
        match times:
            case ast.BinOp(left=length, op=ast.Sub(), right=taken):
                taken = (bound_once(function, taken.id) if isinstance(taken, ast.Name) else None) or taken
            case _:
                continue
        match taken:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)], keywords=[]):
                alike = counted == name or _blocks(function, counted) == _blocks(function, name)
                steady = not isinstance(item, ast.Starred) and _is_steady(item, name) and name not in loaded([length])
                if alike and steady and isinstance(bound_once(function, name), ast.List):  # of which nobody else holds it
                    yield node, name, item, length


def _blocks(function: ast.FunctionDef, name: str) -> list[int]:
    """The blocks, by identity, in which a list's items are appended; one of its own where other methods are called."""
    found = []
    for node in walk(function):
        for block in (getattr(node, part, None) for part in ("body", "orelse", "finalbody")):
            for each in block if isinstance(block, list) else ():
                match each:
                    case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=method))) if of == name:
                        found.append(id(block) if method == "append" else id(each))
    return sorted(found)


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


def _negative(length: ast.expr) -> dict[str, str]:
    """What is given up where a caller may give the length."""
    is_named = isinstance(length, ast.Name)
    return {"negative int": "a negative length, which cuts from the end in Python"} if is_named else {}


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


RULES: list[Rule] = [cut_to_a_length, as_a_loop, in_an_expression]
