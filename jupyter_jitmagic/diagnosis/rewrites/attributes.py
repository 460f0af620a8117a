"""Attributes that are written below a test on data: a variable in their place, which a choice or a loop can carry."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.rewrites.inlining import Inlining
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step, is_traced_value, leaves_of
from jupyter_jitmagic.sandbox.own_making import made_here, made_in_lists
from jupyter_jitmagic.source.code import Code, leaves
from jupyter_jitmagic.source.methods import is_users_class
from jupyter_jitmagic.source.names import SCOPES, LiveAt, live_before, stored, walk, walk_scope


def as_variables(spot: Spot) -> Iterator[Step]:
    """`if test: state.v = new` → `state_v = state.v`, `if test: state_v = new`, `state.v = state_v`.

    Of objects that the function makes, and of arguments that jit takes apart: of others the caller would see the write.
    """
    called = next(_called_in_branches(spot), None)
    if called is not None:
        yield called
        return
    statement, function, code = chosen_or_repeated(spot), spot.function, spot.code
    if statement is None or not isinstance(function, ast.FunctionDef):
        return
    attributes = [node for node in walk(statement) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    written = list(dict.fromkeys(code.src(node) for node in attributes if isinstance(node.ctx, ast.Store)))
    roots = {node.value.id for node in attributes if code.src(node) in written and isinstance(node.value, ast.Name)}
    if not written or not all(_is_own(spot, function, root) and _only_attributes(statement, root) for root in roots):
        return
    if not _apart(statement, roots, made_in_lists(function.body, spot.value)):
        return
    for text in written:
        root, _, attribute = text.partition(".")
        if not _is_plain(spot.locals.get(root), attribute):
            return
    replaced = [node for node in attributes if code.src(node) in written]
    yield in_their_place(spot, statement, replaced, {text: text.replace(".", "_") for text in written})


def chosen_or_repeated(spot: Spot) -> ast.stmt | None:
    """The `if` or loop of a test on data, on lines of its own, that no return leaves: with it, the loop that it leaves."""
    asked, function, code = spot.asked(), spot.function, spot.code
    if asked is None or not isinstance(asked[1], ast.If | ast.While) or not isinstance(function, ast.FunctionDef):
        return None
    statement: ast.stmt = asked[1]
    if isinstance(statement, ast.If) and leaves([statement], (ast.Break, ast.Continue)):
        loops = [at for at in code.ancestors(statement) if isinstance(at, ast.For | ast.While)]
        statement = loops[0] if loops else statement
    if leaves([statement], ast.Return) or code.is_elif(statement) or not code.on_own_lines([statement]):
        return None
    return statement if function in code.ancestors(statement) else None


def in_their_place(spot: Spot, statement: ast.stmt, places: Sequence[ast.expr], wanted: Mapping[str, str]) -> Step:
    """A name for each of the places that a statement writes: it gets the value before, and the place its last one behind."""
    code = spot.code
    names = {text: code.fresh(name, f"{name}_now") for text, name in wanted.items()}
    indent, (start, end) = code.indent(statement), code.region([statement])
    replaced = [(node, names[code.src(node)]) for node in places]
    read = live_before([_renamed(statement, replaced)], LiveAt(frozenset(names.values())))  # both branches may set it
    before = "".join(f"{indent}{name} = {text}\n" for text, name in names.items() if name in read)
    after = "".join(f"{indent}{text} = {name}\n" for text, name in names.items())
    return spot.step("attribute", ((start, start), before), *replaced, ((end, end), after))


def _renamed(statement: ast.stmt, replaced: Sequence[tuple[ast.expr, str]]) -> ast.stmt:
    """A copy of a statement with names in these places."""
    copied = copy.deepcopy((statement, replaced))
    new = {id(place): ast.Name(name, place.ctx) for place, name in copied[1]}  # type: ignore[attr-defined]

    class Renaming(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return new.get(id(node)) or self.generic_visit(node)

    made: ast.stmt = Renaming().visit(copied[0])
    return made


def _called_in_branches(spot: Spot) -> Iterator[Step]:
    """`if test: account.put(v)` → what `put` does, in its place: a choice would do it on both sides."""
    asked, function = spot.asked(), spot.function
    if asked is None or not isinstance(asked[1], ast.If) or not isinstance(function, ast.FunctionDef):
        return
    for node in walk_scope([*asked[1].body, *asked[1].orelse]):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=root))) as call):
                listed = root in made_in_lists(function.body, spot.value)
                if listed and (made := Inlining.of(replace(spot, node=call), call)) is not None:
                    yield from made.by_ways()


def _is_own(spot: Spot, function: ast.FunctionDef, root: str) -> bool:
    """Whether nobody but the function sees what is written to the object of a name."""
    if root in {each.arg for each in walk(function.args) if isinstance(each, ast.arg)} - set(stored(function.body)):
        if _is_own_in_a_caller(spot, function, root):
            return True
        value = spot.locals.get(root)
        parts = list(leaves_of(value))
        return spot.entry and all(part is not value for part in parts) and any(isinstance(p, jax.core.Tracer) for p in parts)
    return root in made_here(function.body, spot.value)


def _is_own_in_a_caller(spot: Spot, function: ast.FunctionDef, root: str) -> bool:
    """Whether it is the object of a method, and the caller made it as one of a list, or for this call alone,
    `Model(n).fit(X)` (of others: `own_objects`)."""
    caller = next(iter(spot.callers()), None)
    if caller is None or root != next((each.arg for each in function.args.args), ""):
        return False
    match caller.node, caller.function:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)), ast.FunctionDef() as around:
            return method == function.name and name in made_in_lists(around.body, caller.value)
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name() as made), attr=method)), ast.FunctionDef():
            return method == function.name and is_users_class(caller.value(made))
    return False


def _only_attributes(statement: ast.stmt, root: str) -> bool:
    """Whether an object is only asked for its attributes there, and none of them is called: a method would see the old ones."""
    first = set()
    at = statement
    while isinstance(at, ast.If):  # its tests come before what it writes
        first |= set(walk(at.test))
        at = at.orelse[0] if len(at.orelse) == 1 else ast.Pass()
    inside = [node for node in walk(statement) if node not in first]
    if any(isinstance(node, SCOPES) and root in {n.id for n in walk(node) if isinstance(n, ast.Name)} for node in inside):
        return False
    called = {node.func for node in inside if isinstance(node, ast.Call)}
    owners = {node.value for node in inside if isinstance(node, ast.Attribute) and node not in called}
    return all(node in owners for node in inside if isinstance(node, ast.Name) and node.id == root)


def _apart(statement: ast.stmt, roots: Collection[str], lists: Mapping[str, set[str]]) -> bool:
    """Whether no other name in the statement may stand for one of these objects: of a list, another may be the same."""
    names = {node.id for node in walk(statement) if isinstance(node, ast.Name)}
    return not any(
        lists[root] & names or any(lists[root] & lists[other] for other in names & set(lists) if other != root)
        for root in roots
        if root in lists
    )


def _is_plain(owner: Any, attribute: str) -> bool:
    """Whether an attribute is there and holds what is written to it: no property, no hook."""
    kind = type(owner)
    hook: Any = kind.__setattr__
    if hook not in (object.__setattr__, SimpleNamespace.__setattr__) or not hasattr(owner, attribute):
        return False
    held = inspect.getattr_static(kind, attribute, None)
    return not isinstance(held, property) and (not hasattr(held, "__set__") or inspect.ismemberdescriptor(held))


def by_its_name(spot: Spot) -> Iterator[Step]:
    """`bins[i % 3].put(v)` of a list of objects → `one = bins[i % 3]`, and what `put` does to `one`."""
    code = spot.code
    match spot.node:
        case ast.Call(func=ast.Attribute(value=ast.Subscript(value=ast.Name(id=name)) as item, attr=method)) as call:
            statement, held = code.statement(call), spot.locals.get(name)
        case _:
            return
    if not isinstance(held, list) or len({type(each) for each in held}) != 1 or is_traced_value(held[0]):
        return
    if not code.on_own_lines([statement]):
        return
    one, start = code.fresh("one", f"one_of_{name}"), code.region([statement])[0]
    line = f"{code.indent(statement)}{one} = {code.src(item)}\n"
    named = Code(code.replace(((start, start), line), (item, one)))
    here = replace(spot, code=named, locals={**spot.locals, one: held[0]})
    for each in walk(named.tree):
        match each:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=called)) if (owner, called) == (one, method):
                made = Inlining.of(replace(here, node=each), each)
                yield from made.by_ways() if made is not None else ()


RULES: list[Rule] = [as_variables]
OUTWARD: list[Rule] = [by_its_name]
