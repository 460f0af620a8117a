"""What a branch does beside giving values."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.printing import is_message
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import SCOPES, name_of, read_first, shared, stored, walk_scope
from jupyter_jitmagic.source.units import attributes_set

_TAKING = words("pop popleft popitem setdefault")
"""Methods that change what they are called on, and give something back."""


def refuse_effects(spot: Spot, stmts: Sequence[ast.stmt]) -> None:
    """Raise Obstacle for what must happen on one side only and no choice of values can express."""
    own = _born(stmts)
    around = spot.function.body if isinstance(spot.function, ast.FunctionDef) else []
    if written := sorted(shared(around, (ast.Global,)).intersection(stored(stmts))):
        raise Obstacle(f"one branch writes the global {written[0]}, a side effect that lax.cond and jnp.where would always do")
    for node in walk_scope(stmts):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _TAKING and name not in own:
                raise Obstacle(f"how often `{name}.{attr}` runs depends on data, and what {name} holds cannot")
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
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in own:
                continue
            if isinstance(called, ast.Attribute) and called.attr in ("append", "extend", "insert"):
                raise Obstacle(f"how often `{spot.code.src(called)}` runs depends on data, and the length of a list cannot")
            raise Obstacle(
                f"one branch calls {spot.code.src(node.value.func)} for its effect, which would happen on both sides"
            )


def _born(stmts: Sequence[ast.stmt]) -> set[str]:
    """Names of lists, sets and dicts that these statements make themselves: what is put into them is no effect."""
    nodes = list(walk_scope(stmts))
    made = Counter(name for node in nodes if (name := _of_a_new_one(node)))
    bound = Counter(node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
    return {name for name in made if made[name] == bound[name]} - read_first(stmts)


def _of_a_new_one(node: ast.AST) -> str:
    """The name to which a statement gives a new container; "" of any other node."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value):
            displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
            return name if isinstance(value, displays) else ""
    return ""


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


def refuse_names_set_on_the_way(spot: Spot, nodes: Sequence[ast.AST]) -> None:
    """Raise Obstacle for `z := …` in what plain Python evaluates on one side alone, where z has another value otherwise."""
    named = {each.target for node in nodes for each in walk_scope([node]) if isinstance(each, ast.NamedExpr)}
    function = spot.function
    if not named or function is None:
        return
    elsewhere = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    for node in walk_scope(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node not in named:
            elsewhere.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere.update(node.names)
    if both := elsewhere & {each.id for each in named}:
        raise Obstacle(f"`{min(both)} := …` is evaluated on one side alone, and {min(both)} has another value otherwise")


_GIVES = frozenset({"int", "float", "abs", "bool", "item", "round", "len", "min", "max", "sum", "astype", "isnan", "asarray"})
_MODULES = frozenset({"jax.numpy", "jax.lax", "numpy", "math"})


def only_gives(spot: Spot, nodes: Sequence[ast.AST]) -> bool:
    """Whether nothing is done beside giving a value, as far as is known: it may be done more often, or in another order."""
    for node in (each for root in nodes for each in ast.walk(root)):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if isinstance(node, ast.Call):
            name = name_of(node)
            module = spot.value(node.func.value) if isinstance(node.func, ast.Attribute) else None
            if name not in _GIVES and getattr(module, "__name__", "") not in _MODULES:
                return False
    return True


def refuse_skipped_effects(spot: Spot, nodes: Sequence[ast.AST]) -> None:
    """Raise Obstacle for what is done beside giving a value where plain Python evaluates on one side alone, or up to some
    element: `z := …`, and calls of functions within the function, or of methods, that write what others read."""
    refuse_names_set_on_the_way(spot, nodes)
    for node in walk_scope(nodes):
        if isinstance(node, ast.Call) and (written := _written_by(spot, node.func, frozenset())):
            raise Obstacle(f"`{spot.code.src(node.func)}` writes {written}, and plain Python does not always call it")


def _written_by(spot: Spot, called: ast.expr, seen: frozenset[str]) -> str:
    """What a function of the user's writes beside its own variables, "" for nothing that is seen."""
    if isinstance(called, ast.Attribute):
        classes = [each for each in spot.globals.values() if isinstance(each, type)]
        codes = [getattr(vars(each).get(called.attr), "__code__", None) for each in classes]
        stored = (name for code in codes if code for name in attributes_set(code))
        return next((f"its {each}" for each in stored), "")
    if not isinstance(called, ast.Name) or called.id in seen:
        return ""
    for function in ast.walk(spot.code.tree):
        if isinstance(function, ast.FunctionDef) and function.name == called.id:
            calls = [node.func for node in walk_scope(function.body) if isinstance(node, ast.Call)]
            inner = (_written_by(spot, each, seen | {called.id}) for each in calls)
            return min(shared(function.body), default="") or next(filter(None, inner), "")
    return ""


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
