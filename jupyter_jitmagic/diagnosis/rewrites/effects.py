"""What a branch does beside giving values."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.printing import is_message
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.source.names import SCOPES, stored, walk_scope


def refuse_effects(spot: Spot, stmts: Sequence[ast.stmt]) -> None:
    """Raise Obstacle for what must happen on one side only and no choice of values can express."""
    for node in walk_scope(stmts):
        if isinstance(
            node, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal | ast.Delete | ast.With | ast.Try
        ):
            raise Obstacle(f"`{type(node).__name__.lower()}` inside a branch on a traced value cannot be chosen at run time")
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            raise Obstacle(
                f"one branch writes {spot.code.src(node)}, a side effect that lax.cond and jnp.where would always do"
            )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not is_message(spot, node.value):
            called = node.value.func
            if isinstance(called, ast.Attribute) and called.attr in ("append", "extend", "insert"):
                raise Obstacle(f"how often `{spot.code.src(called)}` runs depends on data, and the length of a list cannot")
            raise Obstacle(
                f"one branch calls {spot.code.src(node.value.func)} for its effect, which would happen on both sides"
            )


def refuse_effects_behind(spot: Spot, stmts: Sequence[ast.stmt]) -> None:
    """Raise Obstacle for what statements behind an early return do to objects of the caller's: a choice would always do it."""
    function = spot.function
    own = set(stored(function.body)) if isinstance(function, ast.FunctionDef) else set()
    for node in walk_scope(stmts):
        changed: ast.expr | None = None
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            changed = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not is_message(spot, node.value):
            changed = node.value.func
        if changed is None:
            continue
        root = changed
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name) or root.id not in own:
            does = f"writes {spot.code.src(changed)}" if changed is node else f"calls {spot.code.src(changed)} for its effect"
            raise Obstacle(f"behind the early return the function {does}, which would happen on both sides")


def refuse_changed_arguments(spot: Spot, stmts: Sequence[ast.stmt]) -> None:
    """Raise Obstacle where statements set items of what the function was given: a choice would always do it."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    given = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)} - set(stored(function.body))
    for node in walk_scope(stmts):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            root: ast.expr = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and root.id in given:
                raise Obstacle(f"one branch sets items of {root.id} for its caller, which would happen on both sides")


def prints(spot: Spot, stmts: Sequence[ast.stmt]) -> bool:
    return any(isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) for n in walk_scope(stmts))


def inside_function(spot: Spot, node: ast.AST) -> Iterator[ast.AST]:
    for at in spot.code.ancestors(node):
        if isinstance(at, SCOPES):
            return
        yield at
