"""Attributes that are written below a test on data: a variable in their place, which a choice or a loop can carry."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.sandbox.purity import made_here
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import SCOPES, stored


def as_variables(spot: Spot) -> Iterator[Step]:
    """`if test: state.v = new` → `state_v = state.v`, `if test: state_v = new`, `state.v = state_v`.

    Of objects that the function makes, and of arguments that jit takes apart: of others the caller would see the write.
    """
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.If | ast.While) or not isinstance(function, ast.FunctionDef):
        return
    statement: ast.stmt = asked[1]
    if isinstance(statement, ast.If) and leaves([statement], (ast.Break, ast.Continue)):
        loops = [at for at in code.ancestors(statement) if isinstance(at, ast.For | ast.While)]
        statement = loops[0] if loops else statement
    if leaves([statement], ast.Return) or code.is_elif(statement) or not code.on_own_lines([statement]):
        return
    if function not in code.ancestors(statement):
        return
    attributes = [node for node in ast.walk(statement) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    written = list(dict.fromkeys(code.src(node) for node in attributes if isinstance(node.ctx, ast.Store)))
    roots = {node.value.id for node in attributes if code.src(node) in written and isinstance(node.value, ast.Name)}
    if not written or not all(_is_own(spot, function, root) and _only_attributes(statement, root) for root in roots):
        return
    names: dict[str, str] = {}
    for text in written:
        root, _, attribute = text.partition(".")
        if not _is_plain(spot.locals.get(root), attribute):
            return
        names[text] = code.fresh(f"{root}_{attribute}", f"{root}_{attribute}_now")
    indent, (start, end) = code.indent(statement), code.region([statement])
    before = "".join(f"{indent}{name} = {text}\n" for text, name in names.items())
    after = "".join(f"{indent}{text} = {name}\n" for text, name in names.items())
    replaced = [(node, names[code.src(node)]) for node in attributes if code.src(node) in names]
    yield spot.step("attribute", ((start, start), before), *replaced, ((end, end), after))


def _is_own(spot: Spot, function: ast.FunctionDef, root: str) -> bool:
    """Whether nobody but the function sees what is written to the object of a name."""
    if root in {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)} - set(stored(function.body)):
        value = spot.locals.get(root)
        parts = jax.tree_util.tree_leaves(value)
        return spot.entry and all(part is not value for part in parts) and any(isinstance(p, jax.core.Tracer) for p in parts)
    return root in made_here(function.body, spot.value)


def _only_attributes(statement: ast.stmt, root: str) -> bool:
    """Whether an object is only asked for its attributes there, and none of them is called: a method would see the old ones."""
    inside = list(ast.walk(statement))
    if any(isinstance(node, SCOPES) and root in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} for node in inside):
        return False
    called = {node.func for node in inside if isinstance(node, ast.Call)}
    owners = {node.value for node in inside if isinstance(node, ast.Attribute) and node not in called}
    return all(node in owners for node in inside if isinstance(node, ast.Name) and node.id == root)


def _is_plain(owner: Any, attribute: str) -> bool:
    """Whether an attribute is there and holds what is written to it: no property, no hook."""
    kind = type(owner)
    hook: Any = kind.__setattr__
    if hook not in (object.__setattr__, SimpleNamespace.__setattr__) or not hasattr(owner, attribute):
        return False
    held = inspect.getattr_static(kind, attribute, None)
    return not isinstance(held, property) and (not hasattr(held, "__set__") or inspect.ismemberdescriptor(held))


RULES: list[Rule] = [as_variables]
