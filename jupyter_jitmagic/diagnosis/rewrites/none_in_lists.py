"""A list that holds None where data says that there is nothing, and is read without: `[v for v in found if v is not None]`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.as_loops import as_a_loop
from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined_by_ways
from jupyter_jitmagic.diagnosis.rewrites.numbered import negated
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import bound_once, walk
from jupyter_jitmagic.source.nones import asks_for_none, is_none

_Edits = list[tuple[ast.AST | tuple[int, int], str]]


def left_out(spot: Spot) -> Iterator[Step]:
    """`found.append(None if n == 0 else s / n)` … `some = [v for v in found if v is not None]` → `if n != 0:
    some.append(s / n)`; also where an `if` and its `else` bind what is appended behind it."""
    asked, code = spot.asked(), spot.code
    match asked[1] if asked is not None else None:
        case ast.IfExp(test=test, body=body, orelse=orelse) as choice:
            made = code.parents[choice]
            name, edits = _item(spot, made, choice), _as_a_test(spot, made, choice)
        case ast.If(test=test, body=[ast.Assign() as one], orelse=[ast.Assign() as other]) as choice if not code.is_elif(
            choice
        ):
            body, orelse = one.value, other.value
            name, edits = _bound_and_appended(spot, choice, one, other)
        case _:
            return
    if not name or is_none(body) == is_none(orelse):
        return
    read = _read_without_none(spot, name)
    if read and edits:
        holds = code.expr(test) if is_none(orelse) else negated(spot, test)
        value = code.expr(body if is_none(orelse) else orelse)
        new_name = _name_without_none(spot, name)
        text: _Edits = [(place, new.format(test=holds, value=value, held=new_name or name)) for place, new in edits]
        if new_name:
            changed = [code.span(place) if isinstance(place, ast.AST) else place for place, _ in text]
            named = [node for node in walk(spot.function or code.tree) if isinstance(node, ast.Name) and node.id == name]
            spans = [code.span(node) for node in named]
            read = [(code.region([code.statement(read[0][0])]), "")]  # type: ignore[arg-type]
            outside = [*changed, read[0][0]]
            text += [(at, new_name) for at in spans if not any(a <= at[0] < b for a, b in outside)]  # type: ignore[misc]
        yield spot.step("if", *text, *read)


def _name_without_none(spot: Spot, name: str) -> str:
    """The name that what is no None gets, if all that reads the list makes it: `some = [v for v in found if v is not None]`."""
    function = spot.function or spot.code.tree
    read = [node for node in walk(function) if isinstance(node, ast.comprehension) and spot.code.src(node.iter) == name]
    if len(read) != 1 or not isinstance(function, ast.FunctionDef):
        return ""
    made = spot.code.parents[read[0]]
    match made, spot.code.parents[made]:
        case ast.ListComp(elt=ast.Name()), ast.Assign(targets=[ast.Name(id=new)]) as statement:
            once = bound_once(function, new) is made and spot.code.on_own_lines([statement])
            return new if once and statement in function.body else ""
    return ""


def _item(spot: Spot, made: ast.AST, choice: ast.IfExp) -> str:
    """The list that the choice goes into."""
    match made, spot.code.parents[made]:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[only]), ast.Expr() if only is choice:
            return name
        case ast.ListComp(elt=only), ast.Assign(targets=[ast.Name(id=name)]) if only is choice:
            return name
    return ""


def _as_a_test(spot: Spot, made: ast.AST, choice: ast.IfExp) -> _Edits:
    """What stands for the choice: a test around the append, or one more of the comprehension; `{test}` and `{value}` in it."""
    code, statement = spot.code, spot.code.statement(made)
    if isinstance(made, ast.Call):
        text = f"if {{test}}:\n{code.indent(statement)}    {{held}}.append({{value}})"
        return [(statement, text)] if code.on_own_lines([statement]) else []
    if isinstance(made, ast.ListComp) and len(made.generators) == 1 and not made.generators[0].ifs:
        end = code.span(made.generators[0].iter)[1]
        return [(choice, "{value}"), ((end, end), " if {test}")]
    return []


def _bound_and_appended(spot: Spot, choice: ast.If, one: ast.Assign, other: ast.Assign) -> tuple[str, _Edits]:
    """(the list, the lines) of `if c: v = None`, `else: v = s`, behind which `found.append(v)` is all that reads v."""
    code, block = spot.code, spot.code.block(choice)
    after = block[block.index(choice) + 1 :][:1]
    match one.targets, other.targets, after:
        case [ast.Name(id=name)], [ast.Name(id=same)], [ast.Expr(value=ast.Call(func=called, args=[ast.Name(id=appended)]))]:
            if not name == same == appended or code.is_elif(choice) or not code.on_own_lines([choice, *after]):
                return "", []
        case _:
            return "", []
    reads = [node for node in walk(spot.function or code.tree) if isinstance(node, ast.Name) and node.id == name]
    if sum(isinstance(node.ctx, ast.Load) for node in reads) > 1:
        return "", []
    match called:
        case ast.Attribute(value=ast.Name(id=held), attr="append"):
            indent = code.indent(choice)
            lines = f"{indent}if {{test}}:\n{indent}    {{held}}.append({{value}})\n"
            return held, [(code.region([choice, *after]), lines)]
    return "", []


def _read_without_none(spot: Spot, name: str) -> _Edits:
    """Edits of all that read the list, which none does but for the values in it; [] where one asks for more."""
    code, edits = spot.code, _Edits()
    for node in walk(spot.function or code.tree):
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
            continue
        if isinstance(code.parents[node], ast.Attribute):
            if code.parents[node].attr != "append":  # type: ignore[attr-defined]
                return []
            continue
        match code.parents[node]:
            case ast.comprehension(target=ast.Name(id=item), iter=only, ifs=[test]) if only is node:
                if asks_for_none(test, item) is not False:
                    return []
                made = code.parents[code.parents[node]]
            case _:
                return []
        match made:
            case ast.ListComp(elt=ast.Name(id=same), generators=[_]) if same == item:
                edits.append((made, name))
            case ast.ListComp() | ast.GeneratorExp():
                edits.append(((code.span(node)[1], code.span(test)[1]), ""))
            case _:
                return []
    return edits


def out_of_a_helper(spot: Spot) -> Iterator[Step]:
    """`[ratio(c) for c in cs]`, where `ratio` returns None early → a loop, in which its lines can stand, and then these."""
    code, call = spot.code, spot.node
    if not isinstance(call, ast.Call) or not isinstance(spot.function, ast.FunctionDef):
        return
    helper = helper_of(spot, call)
    if not isinstance(helper, ast.FunctionDef) or not any(map(_gives_nothing, walk(helper))):
        return
    match code.parents[call], code.statement(call):
        case ast.ListComp(elt=only) as made, ast.Assign(targets=[ast.Name(id=name)]) if only is call:
            if _read_without_none(spot, name):
                yield from as_a_loop(spot, made)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[only]), ast.Expr() if only is call:
            if _read_without_none(spot, name):
                yield from inlined_by_ways(spot, call)


def _gives_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Return) and (node.value is None or is_none(node.value))


RULES: list[Rule] = [left_out]
OUTWARD: list[Rule] = [out_of_a_helper]
