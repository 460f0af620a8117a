"""Questions to single statements of a function that is to be cut."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterator

from jupyter_jitmagic.sandbox.known_effects import MUTATORS
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.names import SCOPES, free_names, stored, target_names, walk_scope

_SIMPLE = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr
_ONCE = (
    ast.Call,
    ast.BinOp,
    ast.UnaryOp,
    ast.Subscript,
    ast.Slice,
    ast.Attribute,
    ast.Tuple,
    ast.List,
    ast.keyword,
    ast.Starred,
)
_SPEAKING = frozenset({"print", "warn", "input", "display", "debug", "info", "warning", "error", "exception", "log"})

_TAKING = frozenset({"pop", "popitem", "setdefault", "popleft"})
_CHANGING = _TAKING | MUTATORS | {"appendleft", "extendleft", "put_nowait", "send"}


def blocks_of(stmt: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement that is no scope of its own and may be cut inside."""
    if isinstance(stmt, SCOPES):
        return
    for name in ("body", "orelse"):
        block = getattr(stmt, name, None)
        if isinstance(block, list) and block and not isinstance(stmt, ast.Try):
            yield block


def may_isolate(code: Code, stmt: ast.stmt, node: ast.AST) -> bool:
    """Whether an expression of a statement is evaluated once and before what is made of it, so that it may stand alone."""
    if not isinstance(stmt, _SIMPLE) or not isinstance(node, ast.Call | ast.Subscript | ast.BinOp | ast.Compare):
        return False
    if isinstance(stmt, ast.AugAssign | ast.AnnAssign) and getattr(stmt, "value", None) is None:
        return False
    if any(_is_place(each) for each in (node, getattr(getattr(node, "func", None), "value", None))):
        return False
    for at in code.ancestors(node):
        if at is stmt:
            return True
        if at is node:
            continue
        if isinstance(at, ast.Compare) and len(at.ops) == 1:
            continue
        if not isinstance(at, _ONCE) or isinstance(getattr(at, "ctx", None), ast.Store):
            return False
    return False


def is_more(stmt: ast.stmt, node: ast.AST) -> bool:
    """Whether a statement computes anything beside this expression and its names."""
    inside = {part for part in ast.walk(node) if part is not node}
    calls = [part for part in ast.walk(stmt) if isinstance(part, ast.Call | ast.BinOp | ast.Compare | ast.Subscript)]
    alone = isinstance(node, ast.Call) and node.func in inside
    return any(part is not node and not (alone and part is node) for part in calls)


def _is_place(node: ast.AST | None) -> bool:
    """Whether it is `x.at[i]`, which is no value of its own."""
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "at"


def operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        called = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*called, *(a for a in node.args if not isinstance(a, ast.Starred)), *(k.value for k in node.keywords if k.arg)]
    if isinstance(node, ast.Subscript):
        return [node.value, node.slice]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return []


def is_conversion(node: ast.expr) -> bool:
    """Whether an expression makes a number of Python's of its operand."""
    if not isinstance(node, ast.Call):
        return False
    func = node.func
    return (isinstance(func, ast.Name) and func.id in ("int", "float", "bool", "complex", "len", "str")) or (
        isinstance(func, ast.Attribute) and func.attr in ("item", "tolist")
    )


def computes_with(stmt: ast.stmt, number: ast.expr) -> bool:
    """Whether a statement computes arrays beside a number of Python's (`jnp.zeros(int(n) + 1)`); what is made of such a number
    alone (`k = max(int(n), 1)`) is no work for a piece."""
    inside = set(ast.walk(number))
    for node in ast.walk(stmt):
        match node:
            case ast.Call(func=ast.Attribute()) if node not in inside and not is_conversion(node):
                return True
            case ast.Subscript(ctx=ast.Load()) | ast.BinOp(op=ast.MatMult()) if node not in inside:
                return True
    return False


def is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def own_stores(stmt: ast.stmt) -> list[str]:
    """Names that this statement itself binds, not the statements inside it."""
    if isinstance(stmt, ast.For):
        return target_names(stmt.target)
    return [] if any(True for _ in blocks_of(stmt)) else stored([stmt])


def head_stores(stmt: ast.stmt) -> list[str]:
    """Names that a compound statement binds outside its blocks."""
    return stored(child for child in ast.iter_child_nodes(stmt) if not isinstance(child, ast.stmt))


def free_names_of(stmt: ast.stmt) -> set[str]:
    """Names that a local function takes from around it."""
    if isinstance(stmt, ast.Assign):
        return free_names(stmt.value)
    return free_names(stmt)


def changed_roots(stmt: ast.stmt) -> set[str]:
    """Names whose objects a statement changes in place, as far as its text shows."""
    found = set()
    for node in walk_scope([stmt]):
        target: ast.AST | None = None
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            target = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            target = node.value.func
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return found


def changes_outside(stmt: ast.stmt, own: Collection[str]) -> bool:
    """Whether a statement changes in place, by its text, what is none of a function's `own` names: what a trace does once."""
    for node in walk_scope([stmt]):
        target: ast.AST | None = None
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            target = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            alone = any(isinstance(each, ast.Expr) and each.value is node for each in walk_scope([stmt]))
            if node.func.attr in (_CHANGING if alone else _TAKING):
                target = node.func
        while isinstance(target, ast.Attribute | ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name) and target.id not in own:
            return True
    return False


def speaks(node: ast.expr) -> bool:
    """Whether an expression prints, warns or logs: what a trace does once and with tracers."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _SPEAKING
    is_jax = "jax" in ast.unparse(node.func)
    return isinstance(node.func, ast.Attribute) and node.func.attr in _SPEAKING and not is_jax


def statement_of(text: str) -> ast.stmt:
    """One statement alone (also a `return`)."""
    inside = ast.parse("def _():\n" + "".join(f"    {line}\n" for line in text.splitlines())).body[0]
    assert isinstance(inside, ast.FunctionDef)
    return inside.body[0]


def is_no_statement(text: str) -> bool:
    try:
        statement_of(text)
    except SyntaxError:
        return True
    return False


def fresh(wanted: str, taken: set[str]) -> str:
    """`wanted`, or with a number where that is taken; taken from now on."""
    name = next(name for name in itertools.chain([wanted], (f"{wanted}_{n}" for n in itertools.count(2))) if name not in taken)
    taken.add(name)
    return name
