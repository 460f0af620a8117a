"""Sets of tuples, counters and what is asked of them, written as the dicts that `associated` makes arrays of."""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.associated import Counted, kind_of
from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import target_names, walk, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


def set_of_tuples(spot: Spot) -> Iterator[Step]:
    """`seen = {(0, 0)}`, `seen.add((x, y))` → `seen = {(0, 0): True}`, `seen[(x, y)] = True`; a list alike, of which nothing is
    asked but whether a tuple is in it."""
    code, function = spot.code, spot.function
    for statement in walk_scope(function.body) if isinstance(function, ast.FunctionDef) else ():
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Set(elts=first) | ast.List(elts=first)):
                pass
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="set"), args=[] | [ast.List(elts=_)] as given)
            ) if spot.is_builtin("set"):
                first = given[0].elts if given and isinstance(given[0], ast.List) else []
            case _:
                continue
        edits: list[_Edit] = [(statement.value, f"{{{', '.join(f'{code.expr(each)}: True' for each in first)}}}")]
        of_tuples, asked = False, False
        adds = "append" if isinstance(statement.value, ast.List) else "add"
        for use in walk(function or code.tree):
            if not (isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load)):
                continue
            parent = code.parents[use]
            match parent, code.parents.get(code.parents.get(parent, parent)):
                case ast.Attribute(attr=attr), ast.Expr(value=ast.Call(args=[item])) as whole if attr == adds:
                    edits.append((whole, f"{name}[{code.src(item)}] = True"))
                    of_tuples |= isinstance(item, ast.Tuple) or (isinstance(item, ast.Name) and _is_tuple(spot, item))
                case (ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[only]), _) if only is use:
                    asked = True
                case (ast.Call(func=ast.Name(id="len")), _) if adds == "add":
                    pass
                case _:
                    break
        else:
            if of_tuples and (asked or adds == "add"):
                yield spot.step("keys", *edits)
                return


def _is_tuple(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and fact.sort == "tuple"


def asked_by_lambda(spot: Spot) -> Iterator[Step]:
    """`max(votes, key=lambda k: votes[k])` → `key=votes.get`."""
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case ast.Call(
                func=ast.Name(id="max" | "min" | "sorted"),
                args=[ast.Name(id=name)],
                keywords=[
                    ast.keyword(
                        arg="key",
                        value=ast.Lambda(
                            args=ast.arguments(args=[ast.arg(arg=key)]),
                            body=ast.Subscript(value=ast.Name(id=asked), slice=ast.Name(id=by)),
                        ) as function,
                    ),
                    *_,
                ],
            ) if name == asked and by == key and isinstance(spot.locals.get(name, {}), dict):
                yield spot.step("keys", (function, f"{name}.get"))


def made_together(spot: Spot) -> Iterator[Step]:
    """`a, b = Counter(x.tolist()), Counter(y.tolist())` → two lines."""
    code = spot.code
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                pass
            case _:
                continue
        given = {each.id for value in values for each in walk(value) if isinstance(each, ast.Name)}
        apart = given.isdisjoint(target_names(node.targets[0])) and all(isinstance(name, ast.Name) for name in names)
        if apart and code.on_own_lines([node]) and any(kind_of(spot, value) for value in values):
            lines = [f"{code.src(name)} = {code.expr(value)}" for name, value in zip(names, values, strict=True)]
            yield spot.step("keys", (node, f"\n{code.indent(node)}".join(lines)))


_NAMES = ("counts", "other_counts", "further_counts")
_OF_BOTH = {
    ast.BitAnd: ("min({0}[{2}], {1}[{2}])", "{0}"),
    ast.Sub: ("max({0}[{2}] - {1}[{2}], 0)", "{0}"),
}
"""What is left of a key of two counters."""


def of_two_counters(spot: Spot) -> Iterator[Step]:
    """`sum((a & b).values())` → `sum(min(a[k], b[k]) for k in a)`."""
    code = spot.code
    for node in walk_scope(spot.function.body) if isinstance(spot.function, ast.FunctionDef) else ():
        match node:
            case (
                ast.Call(
                    func=ast.Name(id="sum"),
                    args=[ast.Call(func=ast.Attribute(value=ast.BinOp() as both, attr="values"), args=[])],
                    keywords=[],
                )
                | ast.Call(func=ast.Attribute(value=ast.BinOp() as both, attr="total"), args=[], keywords=[])
            ):
                pass
            case _:
                continue
        sides = [both.left, both.right]
        if not spot.is_builtin("sum"):
            return
        statement = code.statement(node)
        made = [side for side in sides if isinstance(side, ast.Call) and kind_of(spot, side) is Counted]
        if type(both.op) in _OF_BOTH and made and code.on_own_lines([statement]) and _runs_once(code, statement, node):
            fresh = [code.fresh(*_NAMES[k:]) for k, _ in enumerate(made)]
            indent, start = code.indent(statement), code.region([statement])[0]
            lines = "".join(f"{indent}{name} = {code.src(side)}\n" for name, side in zip(fresh, made, strict=True))
            yield spot.step("keys", ((start, start), lines), *zip(made, fresh, strict=True))
            return
        if type(both.op) in _OF_BOTH and all(isinstance(side, ast.Name) and _is_counted(spot, side.id) for side in sides):
            elt, over = _OF_BOTH[type(both.op)]
            names = (*map(code.src, sides), code.fresh("k", "key"))
            yield spot.step("keys", (node, f"sum({elt.format(*names)} for {names[2]} in {over.format(*names)})"))


def _runs_once(code: Code, statement: ast.stmt, node: ast.AST) -> bool:
    """Whether a part of a statement may as well be worked out before it."""
    around = (ast.comprehension, ast.Lambda, ast.IfExp, ast.BoolOp)
    return not isinstance(statement, ast.While | ast.FunctionDef) and not any(
        isinstance(at, around) for at in _between(code, node)
    )


def _is_counted(spot: Spot, name: str) -> bool:
    """Whether a name is a counter of what an array holds, and nothing else."""
    assert isinstance(spot.function, ast.FunctionDef)
    made = [
        node.value
        for node in walk_scope(spot.function.body)
        if isinstance(node, ast.Assign) and name in {n for target in node.targets for n in target_names(target)}
    ]
    return len(made) == 1 and kind_of(spot, made[0]) is Counted


def counted_by_name(spot: Spot) -> Iterator[Step]:
    """`Counter(x.tolist()).most_common(1)` → the counter under a name of its own; `statistics.mode(x.tolist())` is its key."""
    code, statement = spot.code, spot.code.statement(spot.node)
    if not code.on_own_lines([statement]) or isinstance(statement, ast.While | ast.FunctionDef) or code.is_elif(statement):
        return
    for node in walk(statement):
        if not isinstance(node, ast.Call) or in_another_scope(code, node, statement):
            continue
        makes = spot.value(node.func)
        is_mode = getattr(makes, "__module__", "") == "statistics" and getattr(makes, "__name__", "") == "mode"
        bound = isinstance(statement, ast.Assign) and statement.value is node
        if (makes is collections.Counter and node.args and not bound) or is_mode:
            name, start = code.fresh("counts", "tally"), code.region([statement])[0]
            counter = spot.module("collections", "Counter") if is_mode else code.src(node.func)
            line = f"{code.indent(statement)}{name} = {counter}({', '.join(map(code.src, node.args))})\n"
            yield spot.step("keys", ((start, start), line), (node, f"{name}.most_common(1)[0][0]" if is_mode else name))
            return


def _between(code: Code, node: ast.AST) -> Iterator[ast.AST]:
    for at in code.ancestors(node):
        if isinstance(at, ast.stmt):
            return
        yield at


def counted_one_by_one(spot: Spot) -> Iterator[Step]:
    """`Counter(int(k) for k, v in zip(ks, x) if v > 0)` → a loop that adds to a counter, as other rules know it."""
    code = spot.code
    made = next((at for at in code.ancestors(spot.node) if isinstance(at, ast.GeneratorExp | ast.ListComp | ast.stmt)), None)
    match made, code.parents.get(made) if made is not None else None:
        case (
            ast.GeneratorExp(elt=item, generators=[rounds]) | ast.ListComp(elt=item, generators=[rounds]),
            ast.Call(func=func, args=[_], keywords=[]) as call,
        ) if spot.value(func) is collections.Counter and isinstance(made, ast.expr):
            statement = code.statement(call)
        case _:
            return
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call and code.on_own_lines([statement]):
            indent = code.indent(statement)
        case _:
            return
    if {*target_names(rounds.target)} & {*code.live_after(statement)}:
        return  # a loop's variables are the function's own
    lines = [f"{name} = {code.src(func)}()", f"for {code.src(rounds.target)} in {code.expr(rounds.iter)}:"]
    tests = " and ".join(map(code.operand if len(rounds.ifs) > 1 else code.expr, rounds.ifs))
    lines += [f"    if {tests}:"] if tests else []
    lines.append(f"{'        ' if tests else '    '}{name}[{code.expr(item)}] += 1")
    yield spot.step("keys", (code.region([statement]), "".join(f"{indent}{line}\n" for line in lines)))


RULES: list[Rule] = [made_together, set_of_tuples, asked_by_lambda, of_two_counters, counted_by_name, counted_one_by_one]
