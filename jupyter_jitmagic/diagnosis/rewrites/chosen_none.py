"""A value or None, chosen by data: the value is computed in any case, and a flag says whether plain Python has it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_jitmagic.diagnosis.rewrites.inlining import helper_of, inlined
from jupyter_jitmagic.diagnosis.rewrites.none_first import asked_by_a_flag
from jupyter_jitmagic.diagnosis.rewrites.numbered import negated
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import loaded
from jupyter_jitmagic.source.nones import is_none


@dataclass(frozen=True)
class _Choice:
    """`name` becomes `value` where all tests hold (those that are negated do not) and None elsewhere, by one statement."""

    statement: ast.stmt
    name: str
    tests: list[tuple[ast.expr, bool]]
    value: ast.expr


def value_or_none(spot: Spot) -> Iterator[Step]:
    """`v = f(x) if x.sum() > 0 else None` … `if v is None` → `has_v = x.sum() > 0`, `v = f(x)` … `if not has_v`."""
    choice, function, code = _choice(spot), spot.function, spot.code
    if choice is None or not isinstance(function, ast.FunctionDef) or not code.on_own_lines([choice.statement]):
        return
    questions = [
        node for node in ast.walk(function) if _asks(node, choice.name) or _is_truth(spot, node, choice.name, choice.value)
    ]
    if not questions or not _is_steady(function, choice, questions):
        return
    flag = code.fresh(f"has_{choice.name}", f"{choice.name}_is_set")
    each = [f"{spot.jnp('logical_not')}({code.expr(t)})" if negated else code.expr(t) for t, negated in choice.tests]
    holds = functools.reduce(lambda a, b: f"{spot.jnp('logical_and')}({a}, {b})", each)
    indent = code.indent(choice.statement)
    lines = f"{indent}{flag} = {holds}\n{indent}{choice.name} = {code.expr(choice.value)}\n"
    asked: list[Edit] = [
        (*code.span(node), _is_there(spot, node, flag) if isinstance(node, ast.Name) else asked_by_a_flag(spot, node, flag))
        for node in questions
    ]
    yield spot.step(
        "flag", (code.region([choice.statement]), lines), *(((start, end), text) for start, end, text in asked), risky=True
    )


def given_up(spot: Spot) -> Iterator[Step]:
    """`if w is not None and w.sum() == 0: w = None` … `if w is None` → `has_w = w is not None and w.sum() != 0` …
    `if not has_w`."""
    asked, function, code = spot.asked(), spot.function, spot.code
    match asked[1] if asked is not None else None:
        case (
            ast.If(
                test=test, body=[ast.Assign(targets=[ast.Name(id=name) as target], value=ast.Constant(value=None))], orelse=[]
            ) as statement
        ) if not code.is_elif(statement) and code.on_own_lines([statement]):
            pass
        case _:
            return
    if not isinstance(function, ast.FunctionDef) or spot.locals.get(name) is None or _is_carried(spot, statement, name):
        return
    asks_first = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and _asks(test.values[0], name)
    parts = test.values[1:] if asks_first and isinstance(test, ast.BoolOp) else [test]
    inside = {*ast.walk(statement)}
    questions = [
        node for node in ast.walk(function) if node not in inside and (_asks(node, name) or _is_truth(spot, node, name))
    ]
    choice = _Choice(statement, name, [], target)
    if not questions or not _is_steady(function, choice, questions):
        return
    flag = code.fresh(f"has_{name}", f"{name}_is_set")
    holds = negated(spot, parts[0]) if len(parts) == 1 else f"not ({' and '.join(map(code.operand, parts))})"
    holds = f"{name} is not None and {holds}" if asks_first else holds
    edits: list[Edit] = [
        (*code.span(node), _is_there(spot, node, flag) if isinstance(node, ast.Name) else asked_by_a_flag(spot, node, flag))
        for node in questions
    ]
    line = f"{code.indent(statement)}{flag} = {holds}\n"
    yield spot.step("flag", (code.region([statement]), line), *(((start, end), text) for start, end, text in edits), risky=True)


def _choice(spot: Spot) -> _Choice | None:
    """The statement that chooses, if the trace stopped at its test."""
    asked = spot.asked()
    if asked is None:
        return None
    around, code = asked[1], spot.code
    if isinstance(around, ast.IfExp):
        statement = code.parents[around]
        sides = [around.body, around.orelse]
        targets = [statement.targets] * 2 if isinstance(statement, ast.Assign) else []
    elif isinstance(around, ast.If) and not code.is_elif(around):
        statement = around
        assigned = [_assigned_alone(side) for side in (around.body, around.orelse)]
        sides = [each.value if each is not None else ast.Constant(None) for each in assigned]
        targets = [each.targets for each in assigned if each is not None]
        name = getattr(targets[0][0], "id", "") if targets else ""
        if None in assigned and (assigned[0] is None or around.orelse or spot.locals.get(name, around) is not None):
            return None  # without an `else` it was None before
    else:
        return None
    names = {target.id for each in targets for target in each if len(each) == 1 and isinstance(target, ast.Name)}
    if len(names) != 1 or not isinstance(statement, ast.stmt) or _is_carried(spot, statement, *names):
        return None
    tests: list[tuple[ast.expr, bool]] = []
    test = around.test
    while True:
        none = [is_none(side) for side in sides]
        if none.count(True) != 1:
            return None
        tests.append((test, none[0]))
        value = sides[none.index(False)]
        if not isinstance(value, ast.IfExp) or not (is_none(value.body) or is_none(value.orelse)):
            return _Choice(statement, names.pop(), tests, value)
        test, sides = value.test, [value.body, value.orelse]


def _is_carried(spot: Spot, statement: ast.stmt, name: str) -> bool:
    """Whether the rounds of a loop hand the name on, which is the business of `none_first`: it is read up to the end of the
    statement, or behind the loop."""
    above = spot.code.parents[statement]
    loops = [at for at in spot.code.ancestors(statement) if isinstance(at, ast.For | ast.While)]
    if not loops:
        return False
    reads = [
        node
        for node in ast.walk(spot.function or spot.code.tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    inside, last = {*ast.walk(loops[0])}, statement.end_lineno or statement.lineno
    return above is not loops[0] or any(node not in inside or node.lineno <= last for node in reads)


def _assigned_alone(side: list[ast.stmt]) -> ast.Assign | None:
    return side[0] if len(side) == 1 and isinstance(side[0], ast.Assign) and len(side[0].targets) == 1 else None


def _asks(node: ast.AST, name: str) -> bool:
    """`name is None`, `name is not None`."""
    match node:
        case ast.Compare(left=ast.Name(id=asked), ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return asked == name
    return False


def _is_truth(spot: Spot, node: ast.AST, name: str, value: ast.expr | None = None) -> bool:
    """`if v and v > 1`, of a number or None."""
    if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
        return False
    fact, at = spot.fact(value if value is not None else node), spot.code.parents.get(node)
    below: ast.AST = node
    while isinstance(at, ast.BoolOp) or (isinstance(at, ast.UnaryOp) and isinstance(at.op, ast.Not)):
        below, at = at, spot.code.parents.get(at)
    return isinstance(at, ast.If | ast.IfExp) and at.test is below and (fact is None or fact.ndim == 0 or fact.sort == "none")


def _is_there(spot: Spot, node: ast.Name, flag: str) -> str:
    parent = spot.code.parents[node]
    both = f"{flag} and {node.id} != 0"
    return both if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.And) else f"({both})"


def _is_steady(function: ast.FunctionDef, choice: _Choice, questions: list[ast.AST]) -> bool:
    """Whether the flag tells what is asked: the name is None before the choice, and gets other values after all questions."""
    inside = set(ast.walk(choice.statement))
    lines = [getattr(node, "lineno", 0) for node in questions]
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != choice.name or not isinstance(node.ctx, ast.Store) or node in inside:
            continue
        if choice.statement.lineno < node.lineno < max(lines):
            return False
    return min(lines) > choice.statement.lineno


def one_by_one(spot: Spot) -> Iterator[Step]:
    """`a, b = (None, None) if missing else (x, y)` → a choice for each."""
    asked, code, function = spot.asked(), spot.code, spot.function
    statement = code.statement(spot.node)
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.IfExp(test=test, body=one, orelse=other) as choice):
            pass
        case _:
            return
    if (
        asked is None
        or function is None
        or asked[1] is not choice
        or not all(isinstance(side, ast.Tuple) for side in (one, other))
    ):
        return
    sides = [side.elts for side in (one, other) if isinstance(side, ast.Tuple) and len(side.elts) == len(targets)]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    if len(sides) < 2 or len(names) < len(targets) or names & loaded([choice]) or not any(map(is_none, sides[0] + sides[1])):
        return
    if not code.on_own_lines([statement]):
        return
    indent, flag = code.indent(statement), code.fresh("chosen", "holds")
    lines = [f"{flag} = {code.expr(test)}"]
    for target, a, b in zip(targets, *sides, strict=True):
        name, none = code.src(target), [is_none(each) for each in (a, b)]
        if none.count(True) == 1 and not _may_be_asked(spot, function, name):
            lines.append(f"{name} = {code.expr(b if none[0] else a)}")  # nothing can be done with the None
        else:
            lines.append(f"{name} = {code.expr(a)} if {flag} else {code.expr(b)}")
    yield spot.step("lines", (code.region([statement]), "".join(f"{indent}{line}\n" for line in lines)))


def _may_be_asked(spot: Spot, function: ast.AST, name: str) -> bool:
    """Whether the function asks if the name is None, or hands it to what may."""
    for node in ast.walk(function):
        if _asks(node, name) or _is_truth(spot, node, name):
            return True
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        match spot.code.parents[node]:
            case ast.BinOp() | ast.UnaryOp() | ast.Compare() | ast.IfExp() | ast.Return() | ast.AugAssign():
                pass
            case ast.Call(func=ast.Attribute(value=owner)) if is_module(spot, owner):
                pass
            case _:
                return True
    return False


def returned_none(spot: Spot) -> Iterator[Step]:
    """`if x.sum() < 0: return None` in a helper: no array stands for None, so the call is where something can be done."""
    asked, function = spot.asked(), spot.function
    if spot.entry or asked is None or not isinstance(function, ast.FunctionDef):
        return
    if isinstance(asked[1], ast.IfExp) and isinstance(spot.code.parents[asked[1]], ast.Return):
        some = is_none(asked[1].body) != is_none(asked[1].orelse)
    else:
        leaves = isinstance(asked[1], ast.If) and any(isinstance(node, ast.Return) for node in ast.walk(asked[1]))
        every = [_gives_none(node.value) for node in ast.walk(function) if isinstance(node, ast.Return)]
        some = leaves and any(every) and not all(every)
    if some:
        around = [each for each in (function, *spot.code.ancestors(function)) if isinstance(each, ast.FunctionDef)]
        own = next((each for each in around if f"def {each.name}(" in spot.unit.text), function)  # and no branch of a draft's
        raise NoWay(
            f"{own.name} returns None for some values and an array for others, which no array stands for: a number may do in "
            "the place of None, as -1 or nan"
        )
    yield from ()  # a rule is a generator


def out_of_a_helper(spot: Spot) -> Iterator[Step]:
    """`better = checked(x)`, where `checked` returns None early → `better = None if … else …`."""
    statement = spot.code.statement(spot.node)
    if isinstance(spot.node, ast.Call) and isinstance(statement, ast.Assign) and statement.value is spot.node:
        helper = helper_of(spot, spot.node)
        if helper is not None and any(isinstance(node, ast.Return) and _gives_none(node.value) for node in ast.walk(helper)):
            yield from inlined(spot, spot.node, early=True)


def _gives_none(value: ast.expr | None) -> bool:
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            return _gives_none(body) or _gives_none(orelse)
        case ast.Tuple(elts=[_, *_] as parts):
            return all(map(is_none, parts))
    return is_none(value)


RULES: list[Rule] = [returned_none, one_by_one, value_or_none, given_up]
OUTWARD: list[Rule] = [out_of_a_helper]
