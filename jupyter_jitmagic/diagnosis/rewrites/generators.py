"""Generator functions → functions that give a list, which other rules follow.

What asks a generator for its items one by one cannot be seen from its own lines. So the caller is looked at: where it takes all
of them anyway, they may as well be made beforehand.
"""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.yielding import in_its_callers_loop
from jupyter_jitmagic.source.code import Code, Edit, always_returns, leaves, words
from jupyter_jitmagic.source.names import COMPREHENSIONS, free_names, loaded, shared, stored, target_names, walk_scope
from jupyter_jitmagic.source.units import NoSource, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text
from jupyter_jitmagic.usercode.places import frames_of, position

_TAKING_ALL = words("list tuple sum max min sorted")
_PASSING_ON = words("enumerate zip")


def made_at_once(spot: Spot) -> Iterator[Step]:
    """`yield v` → `items.append(v)`, and `return items`, where the caller takes all that is yielded."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    within = list(walk_scope(function.body))
    yields = [node for node in within if isinstance(node, ast.Yield | ast.YieldFrom)]
    returns = [node for node in within if isinstance(node, ast.Return)]
    if not yields or any(each.value is not None for each in returns):
        return
    caller = next(iter(spot.callers()), None)
    some = any(isinstance(at, ast.If) for each in yields for at in code.ancestors(each))  # added up as they come, with no list
    one_by_one = some or any(isinstance(node, ast.While) for node in within)
    one_by_one = one_by_one or (caller is not None and _is_left_early(caller))
    if caller is not None and one_by_one and any(in_its_callers_loop(caller)):
        raise NoWay(f"how much of {function.name} is taken depends on data")
    if caller is not None and _reads_what_its_loop_writes(spot, function, caller):
        raise NoWay(f"{function.name} goes by what the loop over it changes")
    if not _is_taken_whole(spot, ends_by_itself=not any(isinstance(node, ast.While) for node in within)):
        return
    items = code.fresh("items", f"{function.name}_items", "yielded")
    edits: list[Edit] = []
    for node in yields:
        statement = code.parents[node]
        if not isinstance(statement, ast.Expr) or node.value is None:
            return
        if isinstance(node, ast.Yield):
            edits.append((*code.span(statement), f"{items}.append({code.expr(node.value)})"))
            continue
        if not code.on_own_lines([statement]):
            return
        each, indent = code.fresh("item", "each", "one"), code.indent(statement)
        edits.append((*code.span(statement), f"for {each} in {code.src(node.value)}:\n{indent}    {items}.append({each})"))
    edits += [(*code.span(each), _left(code, function, each, items)) for each in returns]
    body = function.body[ast.get_docstring(function) is not None :]
    if not body or not code.on_own_lines([body[0]]) or not code.on_own_lines([body[-1]]):
        return
    indent = code.indent(body[0])
    start, end = code.region([body[0]], comments=True)[0], code.region([body[-1]])[1]
    edits.insert(0, (start, start, f"{indent}{items} = []\n"))
    if not always_returns(body):
        edits.append((end, end, f"{indent}return {items}\n"))
    yield spot.step("list", *(((a, b), text) for a, b, text in edits))


def _reads_what_its_loop_writes(spot: Spot, function: ast.FunctionDef, caller: Spot) -> bool:
    """Whether a generator within a function reads variables of it that the loop over its items sets between them, or sets
    those that it reads."""
    loop = next((at for at in caller.code.ancestors(caller.node) if isinstance(at, ast.stmt)), None)
    if not isinstance(loop, ast.For) or spot.code.function(function) is None:
        return False
    sets = {*stored(loop.body), *target_names(loop.target)}
    return bool(free_names(function) & sets or shared(function.body) & loaded(loop.body))


def _is_left_early(caller: Spot) -> bool:
    loop = next((at for at in caller.code.ancestors(caller.node) if isinstance(at, ast.stmt)), None)
    return isinstance(loop, ast.For) and bool(leaves(loop.body, (ast.Break, ast.Return)))


def _is_taken_whole(spot: Spot, ends_by_itself: bool) -> bool:
    """Whether the caller takes all items, as `sum(steps(x))` and a loop do; a loop that is left early does so as far as nobody
    can tell where the items come to an end by themselves."""
    frames = frames_of(spot.error, lambda name: name in spot.drafts or is_users_text(name))
    for frame, instruction in itertools.islice(frames, 1, None):
        found = _expression(spot, frame, instruction)
        if found is None:
            return False
        taken = _takes_all(*found, ends_by_itself)
        if taken is not None:
            return taken
    return False


def _expression(spot: Spot, frame: types.FrameType, instruction: int) -> tuple[Code, ast.expr] | None:
    """The expression at which a frame stands, and its text."""
    where, offset = position(frame.f_code, instruction, 0), 0
    if frame.f_code.co_filename in spot.drafts:
        text = spot.drafts[frame.f_code.co_filename][1]
    else:
        try:
            unit = unit_of(frame.f_code, frame.f_globals)
        except NoSource:
            return None
        text, offset = unit.text, unit.first_line - 1
    code = Code(text)
    end = (where.end_line or where.line) - offset, 10**6 if where.end_column is None else where.end_column
    node = code.at(where.line - offset, where.column or 0, *end)
    if isinstance(node, ast.For):  # Python 3.11 says no more of where a loop asks for its next item
        node = node.iter
    elif isinstance(node, COMPREHENSIONS):
        node = node.generators[0].iter
    return (code, node) if isinstance(node, ast.expr) else None


def _takes_all(code: Code, node: ast.expr, ends_by_itself: bool) -> bool | None:
    """Whether a place takes all items; None where another generator gives them on."""
    for at in code.ancestors(node):
        parent = code.parents.get(at)
        match at, parent:
            case ast.Call(func=ast.Name(id=name)), _ if name in _TAKING_ALL:
                return True
            case ast.YieldFrom(), _:
                return None
            case _, ast.YieldFrom():
                return None
            case _, ast.Call(func=ast.Name(id=name)) if name in _PASSING_ON:
                continue
            case _, ast.comprehension() if parent.iter is at:
                continue  # of a generator expression the call that it is given to decides
            case ast.comprehension(), ast.GeneratorExp():
                continue
            case ast.comprehension(), _:
                return True
            case _, ast.For() if parent.iter is at:
                return ends_by_itself or not leaves(parent.body, (ast.Break, ast.Return, ast.Raise))
        if not isinstance(at, ast.expr | ast.comprehension):
            return False
    return False


def _left(code: Code, function: ast.FunctionDef, each: ast.Return, items: str) -> str:
    """What takes the place of a return: a loop that the function ends with is left by `break`."""
    around = next((at for at in code.ancestors(each) if isinstance(at, ast.For | ast.While)), None)
    return "break" if around is function.body[-1] and not around.orelse else f"return {items}"


RULES: list[Rule] = [made_at_once]
