"""Conditions that Python itself can answer while tracing (None, shapes, types, flags) stay Python's, around those on data.

`if limit is not None and norm > limit:` → `if limit is not None:` around `if norm > limit:`, which other rules cure. So a call
without the optional argument, or on another shape, takes the way that plain Python takes.
"""

from __future__ import annotations

import ast
import collections
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import jax

from jupyter_jitmagic.base.looking import attributes
from jupyter_jitmagic.diagnosis.rewrites.host_sizes import FILLING
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import always_returns, leaves
from jupyter_jitmagic.source.names import SCOPES, given_for, loaded, none_by_default, stored, walk

_LONGEST_TWICE = 4  # lines of a block that may stand twice
_LONGEST_BESIDE_NONE = 12  # where the other block cannot be traced at all, as it needs what is None


def apart(spot: Spot) -> Iterator[Step]:
    """`if fact and data:` → `if fact:` around `if data:`; `or` and conditional expressions alike."""
    if spot.kind != BOOL or not isinstance(spot.node, ast.expr):
        return
    asked = _test_around(spot)
    if asked is None:
        return
    owner, test = asked
    conjunction = not (isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or))
    values = test.values if isinstance(test, ast.BoolOp) else [test]
    changing = _written_in_loops(spot) - _numbers_of_rounds(spot)  # a test is asked anew in each round, unlike a size
    facts = [value for value in values if _is_known(spot, value, changing) or _is_a_container(spot, value, owner)]
    if any(isinstance(node, ast.Break | ast.Return) for node in walk(owner)):
        facts = [value for value in facts if not _is_carried(spot, value)]
    rest = [value for value in values if value not in facts]
    named = [f"{name} is not None" for name in _maybe_none(spot, rest) if conjunction]
    if not rest or not (facts or named):
        return
    word = " and " if conjunction else " or "
    first, then = _joined(spot, word, facts, named), _joined(spot, word, rest)
    if isinstance(owner, ast.IfExp):
        yield _expression(spot, owner, conjunction, first, then)
    elif not spot.code.is_elif(owner):
        yield from _statement(spot, owner, conjunction, first, then)


def _is_carried(spot: Spot, node: ast.expr) -> bool:
    """Whether it asks something that a loop around it sets: what is None in the first round is not in the others, and where
    the loop ends by data there is one body for all rounds."""
    return any(loaded([node]) & {*stored(loop.body)} for loop in _loops_around(spot))


def _is_a_container(spot: Spot, node: ast.expr, owner: ast.AST) -> bool:
    """Whether it is a container of Python's, which is empty or not by then, whatever it holds; what is done below the test
    itself makes it neither longer nor shorter."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _is_a_container(spot, node.operand, owner)
    if not isinstance(node, ast.Name):
        return False
    for each in walk(owner):
        match each:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == node.id and attr in FILLING:
                return False
    return isinstance(spot.locals.get(node.id), list | tuple | dict | set | collections.deque)


def _joined(spot: Spot, word: str, nodes: list[ast.expr], more: Sequence[str] = ()) -> str:
    alone = len(nodes) + len(more) == 1
    return word.join(
        [*(spot.code.src(n) if alone or isinstance(n, ast.Compare) else spot.code.operand(n) for n in nodes), *more]
    )


def none_or(spot: Spot) -> Iterator[Step]:
    """`a = a or 0.5`, where a may be None → `a = 0.5 if a is None else a or 0.5`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.BoolOp):
        return
    code, node = spot.code, asked[1]
    first = node.values[0]
    if (
        asked[0] is not first
        or not isinstance(first, ast.Name)
        or _is_test(spot, node)
        or first.id not in _parameters(spot)
        or _guarded(spot, first.id)
    ):
        return
    text = code.src(node)
    if isinstance(node.op, ast.Or):
        later = " or ".join(map(code.operand, node.values[1:])) if len(node.values) > 2 else code.expr(node.values[1])
        new = f"{later} if {first.id} is None else ({text})"
    else:
        new = f"None if {first.id} is None else ({text})"
    parent = code.parents[node]
    start, end = code.span(node)
    enclosed = code.text[start - 1 : start] == "(" and code.text[end : end + 1] == ")"
    plain = enclosed or isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return)
    yield spot.step("if", (node, new if plain else f"({new})"))


def _test_around(spot: Spot) -> tuple[ast.If | ast.IfExp, ast.expr] | None:
    """The `if` or conditional expression whose test the node is a part of by `and` or `or` alone, and that test."""
    at: ast.AST = spot.node
    while isinstance(spot.code.parents.get(at), ast.BoolOp):
        at = spot.code.parents[at]
    parent = spot.code.parents.get(at)
    if isinstance(parent, ast.If | ast.IfExp) and at is parent.test and isinstance(at, ast.expr):
        return parent, at
    return None


def _is_test(spot: Spot, node: ast.AST) -> bool:
    parent = spot.code.parents[node]
    return isinstance(parent, ast.If | ast.IfExp | ast.While | ast.Assert) and node is parent.test


def _expression(spot: Spot, node: ast.IfExp, conjunction: bool, facts: str, rest: str) -> Step:
    code = spot.code
    yes, no = code.operand(node.body), code.operand(node.orelse)
    inner = f"({yes} if {rest} else {no})"
    text = f"{inner} if {facts} else {no}" if conjunction else f"{yes} if {facts} else {inner}"
    parent = code.parents[node]
    plain = isinstance(parent, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword)
    enclosed = code.text[code.span(node)[0] - 1 : code.span(node)[0]] == "("
    return spot.step("if", (node, text if plain or enclosed else f"({text})"))


def _statement(spot: Spot, node: ast.If, conjunction: bool, facts: str, rest: str) -> Iterator[Step]:
    code = spot.code
    indent, inner = code.indent(node), code.indent(node) + "    "
    twice = node.orelse if conjunction else node.body
    if leaves(twice, ast.Return) and not always_returns(twice):
        return
    most = _LONGEST_BESIDE_NONE if conjunction and _needs_what_is_none(node) else _LONGEST_TWICE
    if twice and code.block_text(twice, inner).count("\n") > most:
        return
    body, other = (
        code.block_text(node.body, inner + "    "),
        code.block_text(node.orelse, inner + "    ") if node.orelse else "",
    )
    nested = f"{inner}if {rest}:\n{body}" + (f"{inner}else:\n{other}" if other else "")
    if conjunction:
        after = f"{indent}else:\n{code.block_text(node.orelse, inner)}" if node.orelse else ""
        text = f"{indent}if {facts}:\n{nested}{after}"
    elif not node.orelse and always_returns(node.body):  # what follows is reached where neither holds
        again = code.block_text(node.body, inner)
        text = f"{indent}if {facts}:\n{again}{indent}if {rest}:\n{again}"
    else:
        text = f"{indent}if {facts}:\n{code.block_text(node.body, inner)}{indent}else:\n{nested}"
    yield spot.step("if", (code.region([node]), text))


def _needs_what_is_none(node: ast.If) -> bool:
    """Whether the test asks that a name is not None, and it or what follows reads more of it."""
    for each in ast.walk(node.test):
        match each:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                named = [n for part in (node.test, *node.body) for n in ast.walk(part) if isinstance(n, ast.Name)]
                if sum(n.id == name for n in named) > 1:
                    return True
    return False


# -- facts ------------------------------------------------------------------------------------------------


def is_fact(spot: Spot, node: ast.expr) -> bool:
    """Whether Python knows the truth of an expression while tracing, for every value of what is traced."""
    return _is_known(spot, node, changing=_written_in_loops(spot))


def raised_by_data(spot: Spot, statements: Sequence[ast.stmt]) -> list[ast.Raise]:
    """Each `raise` in there of which data decides. One below a test of facts (`else: raise ValueError(mode)`), or behind one
    that returns, is met while tracing, or never."""
    return [node for node in leaves(statements, ast.Raise) if isinstance(node, ast.Raise) and _by_data(spot, node, statements)]


def _by_data(spot: Spot, raised: ast.Raise, statements: Sequence[ast.stmt]) -> bool:
    code = spot.code
    for at in code.ancestors(raised):
        deciding = [at] if isinstance(at, ast.If) else []
        if isinstance(at, ast.stmt):
            block = code.block(at)
            before = block[: block.index(at)]
            deciding += [each for each in before if isinstance(each, ast.If) and always_returns(each.body)]
        if any(is_fact(spot, each.test) and not _raises_by_choice(spot, each, raised) for each in deciding):
            return False
        if at in statements:
            break
    return True


def _raises_by_choice(spot: Spot, node: ast.If, raised: ast.Raise) -> bool:
    return raised in node.body and is_option(spot, node.test)


def is_option(spot: Spot, test: ast.expr) -> bool:
    """`mode == "raise"` or `strict`, of a parameter that holds a word or a flag: with it, data decides what raises."""
    match test:
        case ast.Compare(left=ast.Name(name), ops=[ast.Eq()], comparators=[ast.Constant(value=str())]) | ast.Name(name):
            return name in _parameters(spot) and isinstance(spot.locals.get(name), str | bool)
    return False


_ABOUT = frozenset({"isinstance", "issubclass", "callable", "hasattr", "len", "type"})
_OF_SHAPE = frozenset({"shape", "ndim", "size", "dtype"})


def _is_known(spot: Spot, node: ast.AST, changing: frozenset[str]) -> bool:
    def known(*nodes: ast.AST) -> bool:
        return all(_is_known(spot, inner, changing) for inner in nodes)

    match node:
        case ast.Constant():
            return True
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], left=left, comparators=[ast.Constant(value=None)]):
            return isinstance(left, ast.Name) or _is_item(left) or _is_field(left)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], left=ast.Constant(value=str()), comparators=[ast.Name(id=name)]):
            return name not in changing and type(spot.locals.get(name)) is dict
        case ast.Compare():
            return known(node.left, *node.comparators)
        case ast.BoolOp():
            return known(*node.values)
        case ast.UnaryOp():
            return known(node.operand)
        case ast.BinOp():
            return known(node.left, node.right)
        case ast.Tuple() | ast.List():
            return known(*node.elts)
        case ast.Call(func=ast.Name(id=name)) if name in _ABOUT and spot.is_builtin(name):
            return True
        case ast.Attribute() if node.attr in _OF_SHAPE and not isinstance(spot.held(node), jax.core.Tracer):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=index):
            return known(index)
        case ast.Name():
            return node.id not in changing and _is_plain(spot.value(node), node.id in spot.locals)
        case ast.Attribute(value=ast.Name(id=owner)):
            held = attributes(spot.locals.get(owner)) or {}
            return owner in spot.locals and node.attr in held and _is_plain(held[node.attr], True)
    return False


def _is_item(node: ast.expr) -> bool:
    """Whether it is `options["cap"]`, `limits[0]` or `options.get("cap")`, which is None or not as the caller says."""
    match node:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant()):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="get"), args=[ast.Constant()]):
            return True
    return False


def _is_field(node: ast.expr) -> bool:
    """Whether it is `self.cap` or `options.loss.cap`: of another object it may be None."""
    while isinstance(node, ast.Attribute):
        node = node.value
        if isinstance(node, ast.Name):
            return True
    return False


def _is_plain(value: Any, is_local: bool) -> bool:
    """A number, word or flag of Python's own; an unknown name is none."""
    if isinstance(value, jax.core.Tracer):
        return False
    return isinstance(value, bool | int | float | str) or (value is None and is_local)


def _written_in_loops(spot: Spot) -> frozenset[str]:
    """Names that a loop around the place writes: what is Python's number now may be traced in the next round."""
    return frozenset(stored(_loops_around(spot)))


def _numbers_of_rounds(spot: Spot) -> set[str]:
    """Names of the numbers of the rounds around a place: while Python runs the loops, it knows them in each round."""
    return {name for loop in _loops_around(spot) if (name := _number_of_round(spot, loop)) and name not in stored(loop.body)}


def _loops_around(spot: Spot) -> list[ast.For | ast.While]:
    """The loops of the same function around a place."""
    within = itertools.takewhile(lambda at: not isinstance(at, SCOPES), spot.code.ancestors(spot.node))
    return [at for at in within if isinstance(at, ast.For | ast.While)]


def _number_of_round(spot: Spot, loop: ast.For | ast.While) -> str:
    """The `k` of `for k in range(n)` and `for k, v in enumerate(x)`; "" of other loops."""
    match loop:
        case (
            ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range" as called)))
            | ast.For(target=ast.Tuple(elts=[ast.Name(id=name), _]), iter=ast.Call(func=ast.Name(id="enumerate" as called)))
        ) if spot.is_builtin(called):
            return name
    return ""


def _maybe_none(spot: Spot, values: list[ast.expr]) -> list[str]:
    """Names whose truth is asked, and which are None in some call as far as the function says."""
    found = []
    for value in values:
        name = value.operand if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not) else value
        if value is name and isinstance(name, ast.Name) and name.id in _optional(spot) and not _guarded(spot, name.id):
            found.append(name.id)
    return found


def _optional(spot: Spot) -> set[str]:
    """Parameters that may be None: those of which the functions around the place say so, and a helper's that is given one of
    these."""
    given: set[str] = set()
    for caller, place in itertools.pairwise([*reversed([*spot.callers()]), spot]):
        optional = _said_to_be_optional(caller) | given
        handed = given_for(place.function.args, caller.node) if place.function and isinstance(caller.node, ast.Call) else {}
        given = {name for name, value in handed.items() if isinstance(value, ast.Name) and value.id in optional}
    return _said_to_be_optional(spot) | given


def _said_to_be_optional(spot: Spot) -> set[str]:
    """Parameters whose default is None, or that the function compares with None: its own, and those of functions around it that
    it reads."""
    found: set[str] = set()
    own: set[str] = set()
    for function in spot.code.ancestors(spot.node):
        if isinstance(function, ast.FunctionDef):
            found |= (none_by_default(function.args) | (set(compared_with_none(function)) & _named_by(function))) - own
            own |= _named_by(function) | set(stored(function.body))
        elif isinstance(function, ast.Lambda):
            own |= _named_by(function)
    return found


def _named_by(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    return {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}


def _parameters(spot: Spot) -> set[str]:
    """The parameters of the function around the place."""
    return _named_by(spot.function) if isinstance(spot.function, ast.FunctionDef) else set()


def compared_with_none(tree: ast.AST) -> Iterator[str]:
    """Names of which a piece of source asks whether they are None."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
                yield name


def _guarded(spot: Spot, name: str) -> bool:
    """Whether the place is reached only where the name is not None."""
    below: ast.AST = spot.node
    for at in spot.code.ancestors(spot.node):
        if isinstance(at, ast.If | ast.IfExp) and below is not at.test:
            body = at.body if isinstance(at.body, list) else [at.body]
            wanted = ast.IsNot if below in body else ast.Is
            values = at.test.values if isinstance(at.test, ast.BoolOp) and wanted is ast.IsNot else [at.test]
            if any(_says(value, name, wanted) for value in values):
                return True
        below = at
    return False


def _says(node: ast.expr, name: str, operator: type[ast.cmpop]) -> bool:
    match node:
        case ast.Compare(left=ast.Name(id=found), ops=[op], comparators=[ast.Constant(value=None)]):
            return found == name and isinstance(op, operator)
    return False


RULES: list[Rule] = [apart, none_or]
