"""What has no derivative at the edge of a test: filled before it is computed, for what the test does not let through.

`n = sqrt(s)`, `if n > 0: x = x / n`: neither `where` nor `cond` keeps the gradient at `s == 0`, as it goes through the root,
whose slope is infinite there, times 0.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from jupyter_jitmagic.diagnosis.rewrites.harmless import harmless
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.code import Code, always_returns, leaves, words
from jupyter_jitmagic.source.names import loaded, read_first, stored, walk_scope

_STEEP = words("sqrt rsqrt cbrt log log2 log10 log1p norm hypot reciprocal arctan2")
"""Functions with an infinite slope somewhere, and none where they are given 1."""


_NEVER_ZERO = words("sqrt rsqrt cbrt norm hypot reciprocal std")
"""Those that give no 0 for what is filled."""


def filled_first(spot: Spot) -> Iterator[Step]:
    """`n = sqrt(s)`, `if n > c: g = g / n` → `chosen = n > c`, `n = sqrt(where(chosen, s, 1))`, `if chosen: g = g / n`."""
    asked = spot.asked()
    choice = _choice(spot, *asked) if asked is not None else None
    if choice is None or _asks_facts(spot, choice.test):
        return
    test = choice.test
    before = _definitions(spot, choice.statement)
    for true in (True, False):
        arm = choice.arms[not true]
        kept = choice.read_elsewhere & _always_set(choice.arms[true]) - set(_stored(arm))  # the other arm has another number
        needed = _needed(before, loaded(arm) - set(_bound_first(arm)) | kept)
        elsewhere = loaded(choice.arms[true]) | choice.read_elsewhere - kept
        elsewhere |= {test.id} if isinstance(test, ast.Name) else set()
        if not set(needed) & elsewhere:  # it is another number there
            yield from _steps(spot, choice, true, {name: before[name] for name in needed})


def in_a_comprehension(spot: Spot) -> Iterator[Step]:
    """`[v * log(v) for v in xs if v > 0]` → `[v * log(where(v > 0, v, 1)) for v …]`, which the walk goes on with."""
    asked, code = spot.asked(), spot.code
    if asked is None or not isinstance(asked[1], ast.comprehension):
        return
    made = code.parents[asked[1]]
    if not isinstance(made, ast.ListComp | ast.GeneratorExp):
        return
    match made.generators:
        case [ast.comprehension(ifs=[test])]:
            element = made.elt
        case _:
            return
    if not harmless([test]) or _asks_facts(spot, test):
        return
    where, chosen = spot.jnp("where"), code.expr(test)
    steep = _steep_in(spot, [element])  # also of what the test does not ask about: it may be 0 where nothing reads it
    if steep:
        edits = [(code.with_parentheses(each), f"{where}({chosen}, {code.expr(each)}, 1)") for each in steep]
        yield spot.step("filled", *edits)


def _asks_facts(spot: Spot, test: ast.expr) -> bool:
    """Whether a part of a test is Python's own, which stands around the rest first."""
    return isinstance(test, ast.BoolOp) and any(is_fact(spot, part) for part in test.values)


@dataclass(frozen=True)
class _Choice:
    """A choice between two arms, the true one first, in or as a statement; what else reads names that are set before it."""

    test: ast.expr
    statement: ast.stmt
    arms: tuple[Sequence[ast.AST], Sequence[ast.AST]]
    read_elsewhere: set[str]


class _Definition(NamedTuple):
    """What a name is set to."""

    value: ast.expr
    asked: ast.If | None = None
    """`if name is None:`, where it is set below that."""
    then: tuple[ast.stmt, ...] = ()
    """What makes another number of it: `n = n + eps`, also below a fact, as `if eps is not None:`."""

    def reads(self) -> set[str]:
        return loaded([self.value, *self.then])


def _choice(spot: Spot, test: ast.expr, asker: ast.AST) -> _Choice | None:
    code = spot.code
    statement = code.statement(asker)
    if not code.on_own_lines([statement]) or code.is_elif(statement):
        return None
    live = code.live_after(statement)
    if isinstance(asker, ast.IfExp) and code.function(asker) is code.function(statement):
        if any(isinstance(each, ast.comprehension | _COMPREHENDED) for each in code.ancestors(asker)):
            return None
        inside = {each for part in (asker.test, asker.body, asker.orelse) for each in ast.walk(part)}
        anew = set(stored([statement])) if isinstance(statement, ast.Assign) else set()
        beside = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and each not in inside} - anew
        beside |= {each.id for each in ast.walk(statement) if _is_read(each) and each not in inside}
        return _Choice(test, statement, ([asker.body], [asker.orelse]), live - anew | beside)
    if not isinstance(asker, ast.If) or leaves([*asker.body, *asker.orelse], (ast.Break, ast.Continue)):
        return None
    if asker.orelse or not always_returns(asker.body):
        return _Choice(test, asker, (asker.body, asker.orelse), live)
    block = code.block(asker)
    is_whole = not isinstance(code.parents[asker], ast.stmt) or block is getattr(spot.function, "body", None)
    return _Choice(test, asker, (asker.body, block[block.index(asker) + 1 :]), set()) if is_whole else None


_COMPREHENDED = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _is_read(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _steps(spot: Spot, choice: _Choice, true: bool, again: Mapping[str, _Definition]) -> Iterator[Step]:
    """The choice with these names computed again, and what its arm takes the root of, say, filled."""
    if not again:
        return  # what an arm alone computes is spared by `cond`
    code, test = spot.code, choice.test
    settled = {name for name, each in again.items() if _is_never_zero(each.value)}
    inside = [each for each in _steep_in(spot, choice.arms[not true]) if not _is_product(each, settled)]
    chosen = test.id if isinstance(test, ast.Name) else code.fresh("chosen", "is_chosen")

    def fill(operand: ast.expr) -> str:
        spread = _deviation(operand)
        text = code.edited(*code.span(operand), [(*_name_of(code, spread), "var")]) if spread else code.expr(operand)
        made = f"{spot.jnp('where')}({chosen}, {text}, 1)" if true else f"{spot.jnp('where')}({chosen}, 1, {text})"
        return f"{spot.jnp('sqrt')}({made})" if spread else made

    indent = code.indent(choice.statement)
    lines = "" if chosen == code.src(test) else f"{indent}{chosen} = {code.expr(test)}\n"
    given: list[tuple[tuple[int, int], str]] = []
    for name, each in again.items():
        steep = [operand for operand in _steep_in(spot, [each.value]) if not _is_product(operand, settled)]
        edits = [(*code.with_parentheses(operand), fill(operand)) for operand in steep]
        line = f"{name} = {code.edited(*code.with_parentheses(each.value), edits)}"
        if each.asked is not None:  # what was given is no longer known by then
            before, own = code.region([each.asked])[0], code.fresh(f"given_{name}", f"{name}_as_given")
            given.append(((before, before), f"{code.indent(each.asked)}{own} = {name}\n"))
            line = f"if {own} is None:\n{indent}    {line}"
        lines += f"{indent}{line}\n" + "".join(code.block_text([then], indent) for then in each.then)
    start = code.region([choice.statement])[0]
    filled = [(code.with_parentheses(operand), fill(operand)) for operand in inside]
    yield spot.step("filled", *given, ((start, start), lines), (test, chosen), *filled)


def _is_never_zero(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _NEVER_ZERO
    return False


def _is_product(operand: ast.expr, settled: set[str]) -> bool:
    """Whether it is one of these names, or their product."""
    if isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.Mult):
        return _is_product(operand.left, settled) and _is_product(operand.right, settled)
    return isinstance(operand, ast.Name) and operand.id in settled


def _bound_first(arm: Sequence[ast.AST]) -> set[str]:
    """Names that an arm sets before it reads them."""
    statements = [each for each in arm if isinstance(each, ast.stmt)]
    return set(stored(statements)) - read_first(statements)


def _always_set(arm: Sequence[ast.AST]) -> set[str]:
    """Names that an arm sets whatever its own choices are."""
    return {name for each in arm if isinstance(each, ast.Assign) for name in stored([each])}


def _stored(arm: Sequence[ast.AST]) -> list[str]:
    return stored([each for each in arm if isinstance(each, ast.stmt)])


def _definitions(spot: Spot, node: ast.stmt) -> dict[str, _Definition]:
    """The names that stand for a number of the test's own way: each set in a line of its own before it, in the same block or
    one around its `if`, of what no line in between changes, and steep, or computed of one that is."""
    found: dict[str, _Definition] = {}
    for statement in _before(spot, node):
        changed = set(stored([statement]))
        more = _more_of(spot, statement, found)
        found = {name: each for name, each in found.items() if not (changed & {name, *each.reads()})} | more
        pairs: list[tuple[ast.expr, ast.expr]] = []
        asked = None
        match statement:
            case ast.If(
                test=ast.Compare(left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Constant(value=None)]),
                body=[ast.Assign(targets=[ast.Name(id=target) as only], value=value)],
                orelse=[],
            ) if name == target:
                pairs, asked = [(only, value)], statement
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                pairs += zip(targets, values, strict=True)
            case ast.Assign(targets=[one], value=value):
                pairs.append((one, value))
        for one, value in pairs:
            steep = bool(_steep_in(spot, [value]) or (asked is None and loaded([value]) & found.keys()))
            if steep and isinstance(one, ast.Name) and not changed & loaded([value]):
                found[one.id] = _Definition(value, asked)
    return found


def _more_of(spot: Spot, statement: ast.stmt, found: Mapping[str, _Definition]) -> dict[str, _Definition]:
    """The name of which a statement makes another number, computed of itself and of what is not steep, as it is set then."""
    made = statement
    if isinstance(made, ast.If) and not made.orelse and len(made.body) == 1 and is_fact(spot, made.test):
        made = made.body[0]
    match made:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in found and name in loaded([value]):
            pass
        case ast.AugAssign(target=ast.Name(id=name), value=value) if name in found:
            pass
        case _:
            return {}
    before = found[name]
    if before.asked is not None or _steep_in(spot, [value]) or not spot.code.on_own_lines([statement]):
        return {}
    return {name: before._replace(then=(*before.then, statement))}


def _before(spot: Spot, node: ast.stmt) -> list[ast.stmt]:
    """The statements before one in its own block, and before each `if` around it."""
    code, block = spot.code, spot.code.block(node)
    parent = code.parents[node]
    around = _before(spot, parent) if isinstance(parent, ast.If) else []
    return [*around, *block[: block.index(node)]]


def _needed(before: dict[str, _Definition], read: set[str]) -> list[str]:
    """Those of these names that are read, with what they are computed of, in order."""
    wanted = read & before.keys()
    for name in reversed(before):
        if name in wanted:
            wanted |= before[name].reads() & before.keys()
    return [name for name in before if name in wanted]


def _steep_in(spot: Spot, nodes: Sequence[ast.AST]) -> list[ast.expr]:
    """The operands of what has an infinite slope, but for those that such operands are computed of."""
    found: list[ast.expr] = []
    for node in walk_scope(nodes):
        operand = _steep_operand(node)
        if operand is None or not _is_data(spot, operand) or _is_filled(operand):
            continue
        if not any(_steep_operand(each) is not None for each in walk_scope([operand]) if each is not node):
            found.append(operand)
    return found


def _steep_operand(node: ast.AST) -> ast.expr | None:
    """Of which number an expression has an infinite slope somewhere."""
    match node:
        case ast.BinOp(op=ast.Div(), right=divisor) if not isinstance(divisor, ast.Constant):
            return divisor
        case ast.BinOp(left=base, op=ast.Pow(), right=power) if not _is_natural(power):
            return base
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[operand, *_]) if name in _STEEP:
            return operand
        case ast.Call() if _deviation(node) is not None:
            return node
    return None


def _deviation(node: ast.AST) -> ast.Attribute | None:
    """The `x.std` or `jnp.std` of a call, the root of a variance: that is what is filled."""
    match node:
        case ast.Call(func=ast.Attribute(attr="std") as function):
            return function
    return None


def _name_of(code: Code, function: ast.Attribute) -> tuple[int, int]:
    """Where the name behind the dot stands."""
    end = code.span(function)[1]
    return end - len(function.attr), end


def _is_natural(power: ast.expr) -> bool:
    return isinstance(power, ast.Constant) and isinstance(power.value, int) and power.value > 0


def _is_data(spot: Spot, operand: ast.expr) -> bool:
    """Whether a traced value may take part."""
    names = {each.id: each for each in ast.walk(operand) if _is_read(each)}
    return any(
        is_traced_value(spot.locals[name])
        if name in spot.locals
        else not (spot.code.is_global(name, each) and name in spot.globals)
        for name, each in names.items()
    )


def _is_filled(operand: ast.expr) -> bool:
    match operand:
        case ast.Call(func=ast.Attribute(attr="where")):
            return True
    return False


def is_steep_where_filled(node: ast.AST) -> bool:
    """Whether it has an infinite slope somewhere, and is given 1 for what is not chosen: `log(where(v > 0, v, 1))`."""
    match _steep_operand(node):
        case ast.Call(func=ast.Attribute(attr="where"), args=[_, *values]):
            return any(isinstance(each, ast.Constant) and each.value == 1 for each in values)
    return False


RULES: list[Rule] = [filled_first, in_a_comprehension]
