"""Words that data chooses and that are only told: `status = "ok" if r < t else "bad"`, `print(status, r)`.

No string stands for a choice in compiled code; a choice of what is told is met by the rules for branches and messages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.chosen_lists import both_ways, choices_around
from jupyter_jitmagic.diagnosis.rewrites.printing import is_message
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import loaded, stored, walk


def told_each_way(spot: Spot) -> Iterator[Step]:
    """`print("ok" if t else "bad", r)` → `if t: print("ok", r)`, `else: print("bad", r)`."""
    code = spot.code
    choice = next((each for each in choices_around(spot) if _is_word(each)), None)
    if choice is None:
        return
    statement = code.statement(choice)
    if isinstance(statement, ast.Assign) and statement.value is choice:
        yield from _where_it_is_told(spot, statement, choice.test, code.src(choice.body), code.src(choice.orelse))
        return
    call = code.parents[choice]
    alone = isinstance(statement, ast.Expr) and statement.value is call and code.on_own_lines([statement])
    if not alone or not isinstance(call, ast.Call) or not is_message(spot, call):
        return
    yield both_ways(spot, statement, choice)


def told_after_a_branch(spot: Spot) -> Iterator[Step]:
    """`if t: status = "ok"`, `else: status = "bad"`; or with the other word set in the line before."""
    asked, code = spot.asked(), spot.code
    match asked[1] if asked is not None else None:
        case ast.If(body=[ast.Assign(targets=[ast.Name(id=name)])], orelse=orelse) as statement if not code.is_elif(statement):
            pass
        case _:
            return
    block = code.block(statement)
    place = block.index(statement)
    before = [] if orelse else block[place - 1 : place]
    one, other = _words_of(code, statement.body, name), _words_of(code, orelse or before, name)
    if one and other:
        yield from _where_it_is_told(spot, statement, statement.test, one, other, *before)


def _words_of(code: Code, statements: list[ast.stmt], name: str) -> str:
    """The choice of words that one statement gives a name, as an expression; "" where it does something else."""
    match statements:
        case [ast.Assign(targets=[ast.Name(id=same)], value=word)] if same == name and _is_word(word):
            return code.src(word)
        case [ast.If(test=test, body=body, orelse=[_] as orelse)]:
            one, other = _words_of(code, body, name), _words_of(code, orelse, name)
            return f"({one} if {code.src(test)} else {other})" if one and other else ""
    return ""


def _where_it_is_told(
    spot: Spot, statement: ast.stmt, test: ast.expr, one: str, other: str, *before: ast.stmt
) -> Iterator[Step]:
    """The choice at the places where the name is told, if nothing else is done with it."""
    code, function = spot.code, spot.function
    if function is None or not code.on_own_lines([*before, statement]):
        return
    stores = {node.id for node in walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)} or {""}
    if len(stores) > 1:
        return  # a test binds another by `:=`
    (name,) = stores
    own = {node for each in (*before, statement) for node in walk(each)}
    uses = [node for node in code.of_kind(function, ast.Name) if node.id == name and node not in own]
    block = code.block(statement)
    changed = set(stored(block[block.index(statement) + 1 :]))
    if loaded([ast.parse(one), ast.parse(other)]) & changed:
        return  # further tests would be asked of other numbers there
    behind = {node for each in block[block.index(statement) + 1 :] for node in walk(each)}
    if not uses or not behind.issuperset(uses) or not all(_is_told(spot, code, use) for use in uses):
        return
    named = isinstance(test, ast.Name) and test.id not in changed
    chosen = code.src(test) if named else code.fresh("chosen", f"chosen_{name}")
    line = "" if named else f"{code.indent(statement)}{chosen} = {code.expr(test)}\n"
    words = f"({one} if {chosen} else {other})"
    gone = [(code.region([each]), "") for each in before]
    yield spot.step("message", *gone, (code.region([statement]), line), *((use, words) for use in uses))


def _is_word(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_word(node.body) and _is_word(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_told(spot: Spot, code: Code, use: ast.Name) -> bool:
    call = code.parents[use]
    return (
        isinstance(call, ast.Call) and isinstance(code.parents[call], ast.Expr) and use in call.args and is_message(spot, call)
    )


RULES: list[Rule] = [told_each_way, told_after_a_branch]
