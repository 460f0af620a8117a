"""Numbers that are known while tracing, but traced because jnp computes with them: `int(jnp.sqrt(k))` with a static k.

Under jit every jnp function gives a traced value, also of a shape or of a static argument. Python's, math's and NumPy's
arithmetic leaves the number a number. Where NumPy has no such function (the user's own helper, lax), the lines that compute
it are evaluated while tracing, with `jax.ensure_compile_time_eval`.
"""

from __future__ import annotations

import ast
import contextlib
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attributes, text_attribute
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value
from jupyter_jitmagic.source.code import Function, words
from jupyter_jitmagic.source.names import COMPREHENSIONS, given_for, target_names, walk, walk_scope

Edit = tuple[ast.AST | tuple[int, int], str]
EVALUATING = "ensure_compile_time_eval"
_STATIC_ATTRIBUTES = words("shape ndim size dtype")
_PYTHON = words("int float bool complex abs max min round sum len range tuple list sorted zip enumerate reversed divmod pow")
_SIMPLE = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Tuple, ast.List, ast.Subscript, ast.Slice, ast.IfExp, ast.Starred,
)  # fmt: skip

_WORDS = (("size", "length", "count", "number"), ("chosen", "known"))
"""What numbers are called that are known while tracing, and what masks are."""

FILLING = words("append extend insert add update pop remove setdefault clear")
_OF_NOTHING = re.compile("zero-size array|empty sequence|with size 0$")
_WHOLE = words("ceil floor trunc isqrt gcd lcm comb perm factorial")
"""Functions of `math` that give a whole number, which may be a size."""
_TAKE_DATA = words("linspace logspace geomspace full tile broadcast_to")
"""jnp functions of a size and of values that need not be known."""


@dataclass
class Known:
    """What an expression that is known while tracing consists of.

    Attributes:
        functions: the jnp functions that it calls.
        foreign: it calls what NumPy does not have.
        statements: assignments that make the traced names in it.
        traced: something in it is traced.
    """

    functions: dict[ast.Call, None] = field(default_factory=dict)
    foreign: bool = False
    statements: dict[ast.stmt, None] = field(default_factory=dict)
    traced: bool = False


def while_tracing(spot: Spot) -> Iterator[Step]:
    """`n = int(levels(k))` → the same below `with jax.ensure_compile_time_eval():`."""
    yield from _while_tracing(spot, known_parts(spot))


def arguments_while_tracing(spot: Spot) -> Iterator[Step]:
    """`helper(x, levels(k))`: `levels(k)` in a line of its own, evaluated while tracing; what a loop carries stays traced."""
    if isinstance(spot.node, ast.Call) and spot.value(spot.node.func) not in (jax.lax.fori_loop, jax.lax.scan):
        yield from _while_tracing(spot, _traced_parts(spot, _operands(spot.node)))


def known_shape(spot: Spot) -> Iterator[Step]:
    """`x.reshape(shape)` of an array that is known → `x.reshape(tuple(shape.tolist()))`: each element of it would be traced."""
    node = spot.node
    if not isinstance(node, ast.Call) or "Shapes must be 1D" not in str(spot.error):
        return
    for given in (*node.args, *(each.value for each in node.keywords)):
        value = spot.value(given)
        if isinstance(value, jax.Array) and value.ndim == 1 and not is_traced_value(value):
            yield spot.step("compile-time", (given, f"tuple({spot.code.operand(given)}.tolist())"))


def _while_tracing(spot: Spot, parts: list[tuple[ast.expr, Known]]) -> Iterator[Step]:
    code = spot.code
    if spot.function is None or isinstance(spot.function, ast.Lambda):
        return
    statement = code.statement(spot.node)
    makers: dict[ast.stmt, None] = {}
    for _, known in parts:
        makers |= known.statements
    if not parts or not all(code.on_own_lines([each]) for each in (*makers, statement)):
        return
    if any(
        isinstance(at, ast.With) and EVALUATING in code.src(at.items[0].context_expr)
        for each in (*makers, statement)
        for at in code.ancestors(each)
    ):
        return  # it did not help
    if any(isinstance(each, ast.For) for each in makers):
        return
    if any(isinstance(at, (*COMPREHENSIONS, ast.Lambda)) for at in code.ancestors(spot.node) if not isinstance(at, ast.stmt)):
        return
    hoisted = [(root, known) for root, known in parts if not isinstance(root, ast.Name | ast.Constant)]
    whole = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and statement.value is not None
    if whole and hoisted and _known(spot, statement.value) is not None:  # type: ignore[attr-defined]
        makers[statement] = None
        hoisted = []
    if isinstance(statement, ast.While | ast.For) and hoisted and spot.node is not getattr(statement, "iter", None):
        return
    evaluate = f"with {spot.jax(EVALUATING)}():\n"
    edits: list[Edit] = []
    for group in _runs(spot, list(makers)):
        indent = code.indent(group[0])
        edits.append((code.region(group), f"{indent}{evaluate}{code.block_text(group, indent + '    ')}"))
    if hoisted:
        edits += _hoisted(spot, statement, [root for root, _ in hoisted], evaluate)
    if edits:
        yield spot.step("compile-time", *edits)


def _hoisted(spot: Spot, statement: ast.stmt, roots: list[ast.expr], evaluate: str) -> list[Edit]:
    """The edits that give the expressions names, evaluated while tracing just before the statement."""
    code = spot.code
    names: dict[str, str] = {}
    for root in roots:
        mask = isinstance(root, ast.UnaryOp | ast.Compare)
        free = [word for word in _WORDS[mask] if word not in names.values()]
        names.setdefault(code.expr(root), code.fresh(*free))
    named: dict[ast.AST, str] = {}
    for root in sorted(roots, key=lambda each: -len(code.src(each))):  # `k * n + 2` before the `k * n` in it
        for each in _again(spot, statement, root):
            if named.keys().isdisjoint((each, *code.ancestors(each))):
                named[each] = names[code.expr(root)]
    edits: list[Edit] = [*named.items()]
    indent, start = code.indent(statement), code.region([statement])[0]
    lines = "".join(f"{indent}    {name} = {text}\n" for text, name in names.items())
    block = code.block(statement)
    before = block[block.index(statement) - 1] if block[0] is not statement else None
    if isinstance(before, ast.With) and EVALUATING in code.src(before.items[0].context_expr):
        start = code.region([before])[1]
    else:
        lines = f"{indent}{evaluate}{lines}"
    return [((start, start), lines), *edits]


def _again(spot: Spot, statement: ast.stmt, root: ast.expr) -> list[ast.expr]:
    """The expression and those of the statement's own line that say the same."""
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        return [root]
    text, inner = ast.dump(root), (*COMPREHENSIONS, ast.Lambda)
    same = [each for each in walk(statement) if isinstance(each, ast.expr) and ast.dump(each) == text]
    return [each for each in same if not any(isinstance(at, inner) for at in spot.code.ancestors(each)) or each is root]


def _runs(spot: Spot, statements: list[ast.stmt]) -> list[list[ast.stmt]]:
    """The statements in groups of those that follow one another."""
    groups: list[list[ast.stmt]] = []
    for each in sorted(statements, key=lambda node: node.lineno):
        block = spot.code.block(each)
        last = groups[-1][-1] if groups else None
        if last is not None and last in block and block.index(last) + 1 == block.index(each):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def known_parts(spot: Spot) -> list[tuple[ast.expr, Known]]:
    """The expressions at the place where the trace stopped that are traced though they are known while tracing."""
    if isinstance(spot.error, ZeroDivisionError) or _OF_NOTHING.search(str(spot.error)):
        return []  # of nothing, for which no size has to be known
    node = spot.node
    if isinstance(node, ast.For):
        node = node.iter
    elif isinstance(node, ast.Return | ast.Assign | ast.Expr) and node.value is not None:
        node = node.value
    if not isinstance(node, ast.expr):
        return []
    whole = _known(spot, node) if not (isinstance(node, ast.Call) and is_jnp(spot, node.func)) else None
    if whole is not None and _computes_with_an_option(spot, node):
        return []
    if whole is not None:
        return [(node, whole)] if whole.traced else []
    return _traced_parts(spot, _operands(node))


def _computes_with_an_option(spot: Spot, node: ast.expr) -> bool:
    """Whether it is a float that `math` computes with a float that was left out: once it is given, that is data."""
    if not isinstance(node, ast.Call) or _module_of(spot, node.func) != "math":
        return False
    if text_attribute(spot.value(node.func), "__name__") in _WHOLE:
        return False
    return any(
        isinstance(spot.locals.get(name), float) and name in _parameters(spot) - set(spot.static)
        for part in node.args
        for name in _read(part)
    )


def _traced_parts(spot: Spot, roots: Iterator[ast.expr]) -> list[tuple[ast.expr, Known]]:
    found = [(root, _known(spot, root)) for root in roots]
    called = spot.node.func.attr if isinstance(spot.node, ast.Call) and isinstance(spot.node.func, ast.Attribute) else ""
    if called not in _TAKE_DATA and any(known is None and not isinstance(root, ast.Constant) for root, known in found[1:]):
        return []  # it needs the value of data as well
    return [(root, known) for root, known in found if known is not None and known.traced]


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            for part in (*args, *(k.value for k in keywords)):
                yield from _items(part)
            if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Subscript):  # x.at[:n].set(v)
                yield from _items(func.value.slice)
        case ast.Subscript(slice=index):
            yield from _items(index)
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Compare(left=left, comparators=others):
            yield from (left, *others)


def _items(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _items(element)
    elif isinstance(node, ast.Slice):
        yield from (bound for bound in (node.lower, node.upper, node.step) if bound is not None)
    else:
        yield node.value if isinstance(node, ast.Starred) else node


def _known(spot: Spot, node: ast.expr) -> Known | None:
    """What an expression consists of, if shapes, constants and static values alone make it."""
    known = Known()
    return known if _collect(spot, node, known, frozenset()) else None


def _collect(spot: Spot, node: ast.expr, known: Known, seen: frozenset[str]) -> bool:
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Attribute):
        if node.attr in _STATIC_ATTRIBUTES:
            return True
        value = spot.held(node)
        if value is not None and not isinstance(value, types.ModuleType):
            return not is_traced_value(value)
        return not isinstance(spot.value(node.value), types.ModuleType) and _collect(spot, node.value, known, seen)
    if isinstance(node, ast.Name):
        return _collect_name(spot, node, known, seen)
    if isinstance(node, ast.Call):
        return _collect_call(spot, node, known, seen)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        for each in node.generators:
            if not _collect(spot, each.iter, known, seen):  # `f(v) for v in v` goes through the v outside
                return False
            seen |= set(target_names(each.target))
            if not all(_collect(spot, test, known, seen) for test in each.ifs):
                return False
        return _collect(spot, node.elt, known, seen)
    if not isinstance(node, _SIMPLE):
        return False
    parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    known.traced |= any(isinstance(spot.value(part), jax.Array) for part in parts)  # what is made of it here is traced
    return all(_collect(spot, part, known, seen) for part in parts)


def _collect_name(spot: Spot, node: ast.Name, known: Known, seen: frozenset[str]) -> bool:
    if node.id in seen:
        return True
    value = spot.value(node)
    if value is not None and not is_traced_value(value):
        return not (_holds_data(spot, value) or _is_data_later(spot, node.id))
    if node.id not in spot.locals or (node.id in _parameters(spot) and node.id not in spot.static):
        return False
    makers = _makers(spot, node.id)
    if not makers:
        return False
    known.traced = True
    for statement, made in makers:
        known.statements[statement] = None
        if not _collect(spot, made, known, seen | {node.id}):
            return False
    return True


def _holds_data(spot: Spot, value: object) -> bool:
    """Whether objects in a list, which are leaves to JAX, have traced attributes, or get some in a loop around the place."""
    found = [held for held in map(attributes, value) if held] if isinstance(value, list | tuple) else []
    loops = [at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.For | ast.While)] if found else []
    sets = any(
        isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) for loop in loops[-1:] for each in walk(loop)
    )
    return sets or any(is_traced_value(dict(held)) for held in found)


def _is_data_later(spot: Spot, name: str) -> bool:
    """Whether a loop around the place or a call that led here binds a name to what comes of data: known at first alone."""
    return _is_bound_to_data(spot, name) or any(
        _is_data_later(caller, each) for caller in list(spot.callers())[:1] for each in _given(spot.function, caller.node, name)
    )


def _given(function: Function | None, call: ast.AST, name: str) -> list[str]:
    """The names of which a caller makes what it gives for a parameter."""
    if not isinstance(function, ast.FunctionDef) or not isinstance(call, ast.Call):
        return []
    value = given_for(function.args, call).get(name)
    return [*_read(value)] if value is not None else []


def _is_bound_to_data(spot: Spot, name: str) -> bool:
    code = spot.code
    loops = [at for at in code.ancestors(spot.node) if isinstance(at, ast.For | ast.While)]
    if not loops:
        return False
    bound = [at for at in walk_scope([loops[-1]]) if isinstance(at, ast.Assign | ast.AugAssign | ast.NamedExpr | ast.For)]
    data = {each for each in _parameters(spot) if each not in spot.static and is_traced_value(spot.locals.get(each))}
    wanted, seen = [name], {name}
    while wanted:
        each = wanted.pop()
        for at in bound:
            targets = at.targets if isinstance(at, ast.Assign) else [at.target]
            if any(each in target_names(target) for target in targets):
                tests = [up.test for up in code.ancestors(at) if isinstance(up, ast.If | ast.While)]
                value = at.iter if isinstance(at, ast.For) else at.value
                read = {one for root in (value, *tests) for one in _read(root)}
                if read & data:
                    return True
                wanted += read - seen
                seen |= read
    return False


def _read(node: ast.AST) -> Iterator[str]:
    """The names of which an expression needs more than a shape."""
    if isinstance(node, ast.Attribute) and node.attr in _STATIC_ATTRIBUTES:
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return
    if isinstance(node, ast.Name):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _read(child)


def _parameters(spot: Spot) -> set[str]:
    """The parameters of the function and of those around it: what they hold at first comes from outside."""
    functions = [at for at in spot.code.ancestors(spot.node) if isinstance(at, ast.FunctionDef | ast.Lambda)]
    return {each.arg for function in functions for each in walk(function.args) if isinstance(each, ast.arg)}


def _collect_call(spot: Spot, node: ast.Call, known: Known, seen: frozenset[str]) -> bool:
    func = node.func
    parts = [*node.args, *(k.value for k in node.keywords)]
    if isinstance(func, ast.Name) and func.id in _PYTHON and spot.is_builtin(func.id):
        if func.id == "len" and len(parts) == 1:
            return True
    elif is_jnp(spot, func):
        known.traced = True
        if _in_numpy(spot, func):
            known.functions[node] = None
        else:
            known.foreign = True
    elif isinstance(func, ast.Attribute) and not isinstance(spot.value(func.value), types.ModuleType):
        owner = spot.value(func.value)
        match func.value:
            case ast.Subscript(value=ast.Attribute(attr="at")):  # x.at[i].set(v)
                known.foreign = True
        if owner is None or is_traced_value(owner):
            parts.append(func.value)  # a method of an array: NumPy's have it too
        elif callable(getattr(type(owner), func.attr, None)):
            known.traced = known.foreign = True
    else:
        module = _module_of(spot, func)
        if module.partition(".")[0] not in ("math", "numpy", "builtins", "operator"):
            known.traced = known.foreign = True
            if not callable(spot.value(func)) or _holds_traced(spot.value(func)):
                return False
    return all(_collect(spot, part, known, seen) for part in parts)


def _module_of(spot: Spot, func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        owner = spot.value(func.value)
        return owner.__name__ if isinstance(owner, types.ModuleType) else ""
    return text_attribute(spot.value(func), "__module__")


def is_jnp(spot: Spot, func: ast.expr) -> bool:
    value = spot.value(func.value) if isinstance(func, ast.Attribute) else None
    while isinstance(func, ast.Attribute) and value is None and isinstance(func.value, ast.Attribute):
        func = func.value
        value = spot.value(func.value)
    return isinstance(value, types.ModuleType) and value.__name__.startswith("jax.numpy")


def _in_numpy(spot: Spot, func: ast.expr) -> bool:
    target: Any = np
    for part in path_of(spot, func).split("."):
        target = getattr(target, part, None)
    return target is not None


def path_of(spot: Spot, func: ast.expr) -> str:
    """The name below NumPy of a jnp function: "linalg.norm"."""
    assert isinstance(func, ast.Attribute)
    owner = spot.value(func.value)
    below = owner.__name__.removeprefix("jax.numpy").lstrip(".") if isinstance(owner, types.ModuleType) else ""
    return f"{below}.{func.attr}" if below else func.attr


def _holds_traced(function: Any) -> bool:
    """Whether a function of the user's closes over something traced."""
    with contextlib.suppress(ValueError):  # a cell without a value
        return any(is_traced_value(cell.cell_contents) for cell in getattr(function, "__closure__", None) or ())
    return True


def _makers(spot: Spot, name: str) -> list[tuple[ast.stmt, ast.expr]]:
    """The statements that bind a name in its function, with what they make it of; none where one cannot be read, or where
    things are put into what it holds."""
    function = spot.function
    if function is None or isinstance(function, ast.Lambda) or _is_filled(spot, function, name):
        return []
    stores = sum(n.id == name and not isinstance(n.ctx, ast.Load) for n in spot.code.of_kind(function, ast.Name))
    found: list[tuple[ast.stmt, ast.expr]] = []
    for statement in spot.code.of_kind(function, ast.For, ast.Assign, ast.AugAssign, ast.AnnAssign):
        if isinstance(statement, ast.For) and name in target_names(statement.target):
            found.append((statement, statement.iter))
        elif isinstance(statement, ast.Assign) and name in [n for t in statement.targets for n in target_names(t)]:
            found.append((statement, statement.value))
        elif isinstance(statement, ast.AugAssign | ast.AnnAssign) and name in target_names(statement.target):
            if statement.value is None:
                return []
            found.append((statement, statement.value))
    return found if len(found) == stores else []


def _is_filled(spot: Spot, function: ast.AST, name: str) -> bool:
    """Whether items of a list or dict are set, appended or taken out in the function; the name may be an array's by now."""
    holds = isinstance(spot.value(ast.Name(name, ast.Load())), list | dict | set)
    held = [node.value for node in spot.code.of_kind(function, ast.Attribute) if holds or node.attr in FILLING]
    held += [node.value for node in spot.code.of_kind(function, ast.Subscript) if not isinstance(node.ctx, ast.Load)]
    return any(_root(each) == name for each in held)


def _root(node: ast.expr) -> str:
    """`table` of `table[i][j]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


RULES: list[Rule] = [while_tracing, known_shape]
OUTWARD: list[Rule] = [arguments_while_tracing]
