"""Whole numbers of a range that are kept in a set, or chosen one by one: `set(range(n))`, `i for i in range(n) if test`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.names import loaded, target_names


def left_as_a_set(spot: Spot) -> Iterator[Step]:
    """`left = list(range(n))`, of which numbers are only taken out by `left.remove(i)` → `left = set(range(n))`; so for all
    but one, `[i for i in range(n) if i != start]`, also where `start` is data."""
    match spot.node, spot.code.statement(spot.node):
        case (
            (
                ast.Call(func=ast.Name(id="min" | "max"), args=[ast.Name(id=name)], keywords=[ast.keyword(arg="key")])
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="remove"))
            ),
            _,
        ) if isinstance(spot.locals.get(name), list):
            pass
        case _, ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp()):
            pass
        case _:
            return
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    made: list[tuple[ast.expr, str]] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        parent = spot.code.parents[node]
        match parent:
            case ast.Assign(
                targets=[ast.Name()],
                value=ast.Call(func=ast.Name(id="list") as func, args=[ast.Call(func=ast.Name(id="range"))]),
            ) if spot.is_builtin("list") and spot.is_builtin("range") and not made:
                made.append((func, "set"))
            case ast.Assign(
                targets=[ast.Name()],
                value=ast.ListComp(
                    elt=ast.Name(id=item),
                    generators=[
                        ast.comprehension(
                            target=ast.Name(id=each),
                            iter=ast.Call(func=ast.Name(id="range")),
                            ifs=[ast.Compare(ops=[ast.NotEq()])],
                        )
                    ],
                ) as listed,
            ) if item == each and spot.is_builtin("range") and not made:
                made.append((listed, f"{{{spot.code.src(listed)[1:-1]}}}"))
            case ast.Attribute(attr="remove") | ast.While() | ast.Compare(ops=[ast.In() | ast.NotIn()]):
                pass
            case ast.For() if parent.iter is node and not _takes_out(parent, name):
                pass
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                pass
            case ast.Call(func=ast.Name(id="min" | "max"), args=[_], keywords=[ast.keyword(arg="key")]):
                pass
            case _:
                return
    if made:
        yield spot.step("set", *made)


def left_out_at_once(spot: Spot) -> Iterator[Step]:
    """`left = set(range(n)) - {start}`, `{i for i in range(n) if i != start}` → all, and `left.discard(start)`."""
    code, function = spot.code, spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    asked = {code.statement(spot.node)}
    match spot.node:
        case ast.Call(func=ast.Name(id="min" | "max"), args=[ast.Name(id=name), *_]):
            asked |= {
                each for each in ast.walk(function) if isinstance(each, ast.Assign) and name in target_names(each.targets[0])
            }
    for statement in asked:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.BinOp(
                    left=ast.Call(func=ast.Name(id="set"), args=[ast.Call(func=ast.Name(id="range")) as numbers]),
                    op=ast.Sub(),
                    right=ast.Set(elts=[out]),
                ),
            ) if not isinstance(out, ast.Starred):
                pass
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.SetComp(
                    elt=ast.Name(id=item),
                    generators=[
                        ast.comprehension(
                            target=ast.Name(id=each),
                            iter=ast.Call(func=ast.Name(id="range")) as numbers,
                            ifs=[ast.Compare(left=ast.Name(id=compared), ops=[ast.NotEq()], comparators=[out])],
                        )
                    ],
                ),
            ) if item == each == compared and item not in loaded([out]):
                pass
            case _:
                continue
        if name not in loaded([out]) and spot.is_builtin("set") and spot.is_builtin("range") and code.on_own_lines([statement]):
            indent = code.indent(statement)
            lines = f"{indent}{name} = set({code.src(numbers)})\n{indent}{name}.discard({code.expr(out)})\n"
            yield spot.step("set", (code.region([statement]), lines))
            return


def _takes_out(loop: ast.For, name: str) -> bool:
    """Whether a loop over a list takes items out of it, and so leaves others out."""
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
        for part in loop.body
        for node in ast.walk(part)
    )


def numbers_of(spot: Spot, value: ast.expr) -> tuple[str, str] | None:
    """(first, limit) of `set(range(first, limit))` with numbers that are known while tracing, as text."""
    match value:
        case ast.Call(func=ast.Name(id="set"), args=[ast.Call(func=ast.Name(id="range"), args=bounds)]) if len(bounds) < 3:
            known = all(is_fact(spot, bound) for bound in bounds) and spot.is_builtin("set") and spot.is_builtin("range")
            low = spot.code.operand(bounds[0]) if len(bounds) == 2 else "0"
            return (low, spot.code.operand(bounds[-1])) if known else None
    return None


def chosen_numbers(spot: Spot, values: ast.expr) -> tuple[str, str, list[str]] | None:
    """(the range, its variable, tests that leave a number out) of `i for i in range(n) if test`, or of a set of a range's
    numbers."""
    code = spot.code
    match values:
        case ast.GeneratorExp(elt=ast.Name(id=item), generators=[ast.comprehension(target=ast.Name(id=name), ifs=[_, *_])]) | (
            ast.ListComp(elt=ast.Name(id=item), generators=[ast.comprehension(target=ast.Name(id=name), ifs=[_, *_])])
        ) if item == name:
            loop = values.generators[0]
            match loop.iter:
                case ast.Call(func=ast.Name(id="range"), args=[_]) if spot.is_builtin("range"):
                    return code.src(loop.iter), name, [negated(spot, test) for test in loop.ifs]
        case ast.Name(id=name) if isinstance(spot.locals.get(name), set):
            function = spot.function
            made = [n for n in ast.walk(function) if isinstance(n, ast.Assign)] if function is not None else []
            counted = [numbers_of(spot, n.value) for n in made if name in target_names(n.targets[0])]
            if len(counted) == 1 and counted[0] is not None:
                item = code.fresh("i", "j", "number")
                return f"range({counted[0][1]})", item, [f"{item} not in {name}"]
    return None


_OPPOSITE: dict[type[ast.cmpop], str] = {ast.In: "not in", ast.NotIn: "in", ast.Eq: "!=", ast.NotEq: "=="}
_OF_WHOLE_NUMBERS: dict[type[ast.cmpop], str] = {ast.Lt: ">=", ast.GtE: "<", ast.Gt: "<=", ast.LtE: ">"}  # NaN is in no order


def negated(spot: Spot, test: ast.expr) -> str:
    """The opposite of a test, as a person would write it."""
    code = spot.code
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand) | ast.Call(func=ast.Attribute(attr="logical_not"), args=[operand]):
            return code.expr(operand)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPPOSITE:
            return f"{code.operand(left)} {_OPPOSITE[type(operator)]} {code.operand(right)}"
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OF_WHOLE_NUMBERS:
            facts = [spot.fact(left), spot.fact(right)]
            if all(fact is not None and fact.dtype == "i" for fact in facts):
                return f"{code.operand(left)} {_OF_WHOLE_NUMBERS[type(operator)]} {code.operand(right)}"
    return f"not {code.operand(test)}"


RULES: list[Rule] = [left_as_a_set, left_out_at_once]
