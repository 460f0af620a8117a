"""`and`, `or`, `not`, chained comparisons, `in` on traced values → `&`, `|`, `logical_not`, comparisons joined."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.rewrites.effects import refuse_skipped_effects
from jupyter_jitmagic.diagnosis.rewrites.operations import FLAGS
from jupyter_jitmagic.diagnosis.rewrites.own_calls import held_by
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves, words
from jupyter_jitmagic.source.methods import CONTAINS, is_users_class


def chained(spot: Spot) -> Iterator[Step]:
    """`lo < c <= hi` → `(lo < c) & (c <= hi)`."""
    node = spot.node
    if spot.kind != BOOL or not isinstance(node, ast.Compare) or len(node.ops) < 2:
        return
    code = spot.code
    operands = [node.left, *node.comparators]
    refuse_skipped_effects(spot, operands[2:])
    texts = [code.operand(n) for n in operands]
    parts = []
    for k, op in enumerate(node.ops):
        left, right = texts[k], texts[k + 1]
        inner = k + 1 < len(node.ops)
        if inner and not isinstance(operands[k + 1], ast.Name | ast.Attribute | ast.Constant | ast.Subscript):
            name = code.fresh("middle", f"middle_{k}")
            right, texts[k + 1] = f"({name} := {code.src(operands[k + 1])})", name
        parts.append(f"({left} {_COMPARE[type(op)]} {right})")
    yield spot.step("&", (code.with_parentheses(node), _enclosed(spot, node, " & ".join(parts))))


def of_one_element(spot: Spot) -> Iterator[Step]:
    """`while err > tol` of an array of one element → `while jnp.squeeze(err > tol)`; so is a test that leaves a loop."""
    asked = spot.asked()
    if asked is None:
        return
    statement = spot.code.statement(asked[0])
    inside = any(isinstance(at, ast.For | ast.While) for at in spot.code.ancestors(statement) if at is not statement)
    ends = isinstance(statement, ast.If) and inside and leaves([statement], (ast.Break, ast.Continue, ast.Return))
    if (isinstance(statement, ast.While) or ends) and _has_axes(spot, asked[0]):
        yield from _squeezed(spot, asked[0])


def of_one_element_elsewhere(spot: Spot) -> Iterator[Step]:
    """The same of a branch, whose `where` may do without."""
    asked = spot.asked()
    if asked is not None and isinstance(asked[1], ast.If) and _has_axes(spot, asked[0]):
        yield from _squeezed(spot, asked[0])


def _has_axes(spot: Spot, test: ast.expr) -> bool:
    """Whether a test gives an array with axes; plain Python is run for that only where one of its names has some."""
    held = (spot.held(node) for node in ast.walk(test) if isinstance(node, ast.Name | ast.Attribute))
    if not any(attribute(value, "ndim", 0) for value in held):
        return False
    fact = spot.fact(test)
    return fact is not None and fact.sort in ("array", "host", "other") and fact.ndim != 0


def _squeezed(spot: Spot, test: ast.expr) -> Iterator[Step]:
    yield spot.step("squeeze", (spot.code.with_parentheses(test), f"{spot.jnp('squeeze')}({spot.code.src(test)})"))


def short_circuit(spot: Spot) -> Iterator[Step]:
    """`a and b` → `a & b`, from the operand that is traced on; what guards it before keeps its short circuit."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.BoolOp):
        return
    code, (operand, node) = spot.code, asked
    assert isinstance(node, ast.BoolOp)
    k = node.values.index(operand)
    joined_by_cond = ""
    word, symbol, call = ("and", "&", "logical_and") if isinstance(node.op, ast.And) else ("or", "|", "logical_or")
    before, rest = node.values[:k], node.values[k + 1 :]
    refuse_skipped_effects(spot, rest)
    booleans = all(_is_boolean(n) or _was_a_flag(spot, n) for n in node.values[k:])
    if not _only_truth(spot, node) and not booleans:  # the value matters: `n or default`
        later = f" {word} ".join(map(code.operand, rest))
        first = code.expr(operand)
        a, b = (later, first) if isinstance(node.op, ast.And) else (first, later)
        joined = f"{spot.jnp('where')}({first}, {a}, {b})"
        joined_by_cond = f"({first}, lambda: {a}, lambda: {b})"
    elif booleans:
        joined = f" {symbol} ".join(code.src(n) if isinstance(n, _TIGHT) else f"({code.src(n)})" for n in node.values[k:])
        joined = f"({joined})" if before else _enclosed(spot, node, joined)
    else:
        later = f" {word} ".join(map(code.operand, rest)) if len(rest) > 1 else code.expr(rest[0])
        joined = f"{spot.jnp(call)}({code.expr(operand)}, {later})"
    guards = "".join(f"{code.operand(n)} {word} " for n in before)
    place = node if before else code.with_parentheses(node)
    yield spot.step(symbol, (place, guards + joined))
    if joined_by_cond:  # `n and x / n`: what is not taken is not computed
        yield spot.step("cond", (place, f"{guards}{spot.lax('cond')}{joined_by_cond}"))


def _only_truth(spot: Spot, node: ast.AST) -> bool:
    """Whether nothing but the truth of the expression is used."""
    parent = spot.code.parents[node]
    if isinstance(parent, ast.BoolOp):
        return _only_truth(spot, parent)
    if isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert):
        return node is parent.test
    if isinstance(parent, ast.Call):
        name = parent.func.id if isinstance(parent.func, ast.Name) else getattr(parent.func, "attr", "")
        return name in ("bool", "logical_and", "logical_or", "logical_not")
    return isinstance(parent, ast.comprehension) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))


def negation(spot: Spot) -> Iterator[Step]:
    """`not x` → `jnp.logical_not(x)`."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.UnaryOp):
        return
    operand, node = asked
    match operand:
        case ast.Call(func=func, args=[denied]) if spot.code.src(func) == spot.jnp("logical_not"):
            if isinstance(spot.code.parents[node], ast.If | ast.While):  # `if not ok: continue`, turned round
                yield spot.step("logical_not", (node, spot.code.expr(denied)))
                return
    yield spot.step("logical_not", (node, f"{spot.jnp('logical_not')}({spot.code.expr(operand)})"))


def asked_by_identity(spot: Spot) -> Iterator[Step]:
    """`while done is False` → `while not done`, of flags of Python's: once one is traced, it is neither True nor False."""
    edits: list[tuple[ast.AST, str]] = []
    for node in ast.walk(spot.function) if spot.kind == BOOL and spot.function is not None else ():
        match node:
            case ast.Compare(ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=bool() as wanted)], left=flag):
                fact = spot.fact(flag)
                if fact is not None and (fact.sort, fact.dtype) == ("number", "b"):
                    text = spot.code.operand(flag) if wanted is isinstance(op, ast.Is) else f"not {spot.code.operand(flag)}"
                    edits.append((node, _enclosed(spot, node, text) if text.startswith("not ") else text))
    if edits:
        yield spot.step("not", *edits)


def membership(spot: Spot) -> Iterator[Step]:
    """`n in (1, 2)` → `(n == 1) | (n == 2)`; in an array or a sequence of numbers → `jnp.any(x == n)`; in an object of the
    user's → what its method says, which `in` makes a bool: `box.__contains__(n)`."""
    node = spot.node
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        return
    code = spot.code
    left, right = code.operand(node.left), node.comparators[0]
    negative = isinstance(node.ops[0], ast.NotIn)
    parts = () if any(isinstance(each, ast.Starred) for each in ast.walk(node.left)) else _elements(spot, node.left)
    if _are_places(_literal(right) or spot.held(right), len(parts)):
        equal = f"{spot.jnp('asarray')}({_listed(spot, right)}) == {spot.jnp('asarray')}({code.expr(node.left)})"
        text = f"{spot.jnp('any')}({spot.jnp('all')}({equal}, axis=1))"
        yield spot.step("any", (node, f"{spot.jnp('logical_not')}({text})" if negative else text))
        return
    if isinstance(right, ast.Tuple | ast.List | ast.Set) and 1 <= len(right.elts) <= 4 and isinstance(node.left, ast.Name):
        op, join = ("!=", " & ") if negative else ("==", " | ")
        text = join.join(f"({left} {op} {code.operand(e)})" for e in right.elts)
        yield spot.step("|", (node, _enclosed(spot, node, text)))
        return
    kind = spot.value(right.func) if isinstance(right, ast.Call) else type(spot.held(right))
    if is_users_class(kind) and held_by(kind, CONTAINS) is not None:
        text = f"{code.operand(right)}.{CONTAINS}({code.expr(node.left)})"
        yield spot.step(CONTAINS, (node, f"{spot.jnp('logical_not')}({text})" if negative else text))
        return
    if parts or isinstance(node.left, ast.Tuple):
        return  # no number is a tuple
    text = f"{spot.jnp('any')}({spot.jnp('asarray')}({_listed(spot, right)}) == {left})"
    yield spot.step("any", (node, f"{spot.jnp('logical_not')}({text})" if negative else text))


def _literal(node: ast.expr) -> Any:
    """What is written there, where that is a constant throughout, or None."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _are_places(held: Any, length: int) -> bool:
    """Whether a set or list holds tuples of so many whole numbers: those of a table, no key of which is rounded."""
    if not length or not held or not isinstance(held, list | tuple | set | frozenset | dict):
        return False
    return all(type(each) is tuple and len(each) == length and {*map(type, each)} == {int} for each in held)


def _listed(spot: Spot, members: ast.expr) -> str:
    """The members of a set, a dict or a range as a list: no array is made of those."""
    values, held = spot.code.expr(members), _literal(members) or spot.held(members)
    if isinstance(members, ast.Set | ast.SetComp):
        return f"[{values[1:-1]}]"
    if isinstance(held, set | frozenset | dict):
        return f"sorted({values})"
    return f"list({values})" if isinstance(held, range) or _is_view(spot, members) else values


def _is_view(spot: Spot, node: ast.expr) -> bool:
    """`table.values()` or `table.keys()` of a dict."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="values" | "keys"), args=[], keywords=[]):
            return isinstance(spot.value(owner), dict)
    return False


def of_tuples(spot: Spot) -> Iterator[Step]:
    """`(a, b) < (c, d)` → `(a < c) | ((a == c) & (b < d))`, also of a name that holds a tuple."""
    match spot.node:
        case ast.Compare(left=one, ops=[operator], comparators=[other]) if type(operator) in _ORDERS:
            left, right = _elements(spot, one), _elements(spot, other)
            if not left or len(left) != len(right):
                return
            pairs = list(zip(left, right, strict=True))
            first, last = _ORDERS[type(operator)]
            text = f"({pairs[-1][0]} {last} {pairs[-1][1]})"
            for a, b in reversed(pairs[:-1]):
                if last == "==":
                    text = f"(({a} == {b}) & {text})"
                else:
                    text = f"(({a} {first} {b}) | {text})" if last == "!=" else f"(({a} {first} {b}) | (({a} == {b}) & {text}))"
            yield spot.step("|", (spot.node, _enclosed(spot, spot.node, text[1:-1])))


def _elements(spot: Spot, node: ast.expr) -> list[str]:
    """The elements of a tuple, as texts."""
    if isinstance(node, ast.Tuple):
        return [spot.code.operand(element) for element in node.elts]
    value = spot.value(node) if isinstance(node, ast.Name | ast.Attribute) else None
    fact = spot.fact(node) if isinstance(node, ast.Attribute) else None
    length = len(value) if type(value) is tuple else fact.length if fact is not None and fact.sort == "tuple" else 0
    return [f"{spot.code.src(node)}[{k}]" for k in range(length)]


_ORDERS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<"), ast.LtE: ("<", "<="), ast.Gt: (">", ">"), ast.GtE: (">", ">="), ast.Eq: ("==", "=="),
    ast.NotEq: ("!=", "!="),
}  # fmt: skip
"""What decides at an element before the last, and at the last."""


def _is_boolean(node: ast.expr) -> bool:
    """Surely a bool (Python's or an array's), so that `&` means `and`."""
    if isinstance(node, ast.Compare):
        return not any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops)
    if isinstance(node, ast.BoolOp):
        return all(map(_is_boolean, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return _is_boolean(node.left) and _is_boolean(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _BOOLEAN_CALLS
    return False


def _was_a_flag(spot: Spot, node: ast.expr) -> bool:
    """Whether an expression that was run gave a bool, Python's or an array's, or one in one round and the other later."""
    fact = spot.fact(node) if isinstance(node, ast.Name | ast.Attribute) else None
    return fact is not None and (fact.ndim, fact.dtype) == (0, "b")


def _enclosed(spot: Spot, node: ast.expr, text: str) -> str:
    """In parentheses where the expression around would bind tighter than `&`, or over several lines."""
    parent = spot.code.parents[node]
    tight = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute | ast.Subscript | ast.BoolOp)
    return f"({text})" if tight or "\n" in text else text


_TIGHT = ast.Call | ast.Name | ast.Attribute
_BOOLEAN_CALLS = FLAGS | words("any all allclose array_equal")
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
RULES: list[Rule] = [of_tuples, chained, membership, of_one_element, short_circuit, negation]
IDENTITY: list[Rule] = [asked_by_identity]
LAST: list[Rule] = [of_one_element_elsewhere]
