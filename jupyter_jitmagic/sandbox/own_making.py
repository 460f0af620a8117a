"""Names that stand for something of a function's own making, read from its text: nobody notices what it changes of that."""

from __future__ import annotations

import ast
import builtins
import collections
import copy
import dataclasses
import functools
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

_COPIES = (copy.copy, copy.deepcopy, dataclasses.replace)


def value_of(node: ast.AST, function: types.FunctionType) -> Any:
    """What a (dotted) name of the function's globals, closure or builtins is; None where unknown. A name of its own is
    not the global of that name."""
    if isinstance(node, ast.Name):
        if node.id in function.__code__.co_freevars and function.__closure__:
            try:
                return function.__closure__[function.__code__.co_freevars.index(node.id)].cell_contents
            except ValueError:
                return None
        if node.id not in _asked_for(function.__code__):
            return None
        return function.__globals__.get(node.id, getattr(builtins, node.id, None))
    if isinstance(node, ast.Attribute):
        owner = value_of(node.value, function)
        return getattr(owner, node.attr, None) if isinstance(owner, types.ModuleType | type) else None
    return None


@functools.lru_cache(maxsize=64)
def _asked_for(code: types.CodeType) -> frozenset[str]:
    """The names that a function and those within it look up among the globals (and those of attributes)."""
    inner = (_asked_for(each) for each in code.co_consts if isinstance(each, types.CodeType))
    return frozenset(code.co_names).union(*inner)


def own_names(nodes: list[ast.AST], function: types.FunctionType) -> set[str]:
    """Names that the function binds to something of its own making: stored, and never just another name of an argument."""
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    aliases: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign):
            held = [each for each in ways(node.value) if isinstance(each, ast.Name | ast.Attribute | ast.Subscript)]
            if any(root_of(each) not in stored and not _is_made(each, function) for each in held):
                aliases |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return stored - aliases


def ways(node: ast.expr) -> list[ast.expr]:
    """What an expression may be: itself, or either side of a choice."""
    if isinstance(node, ast.IfExp):
        return [*ways(node.body), *ways(node.orelse)]
    return [node]


def sets_of_own_making(body: list[ast.stmt], made: frozenset[str] = frozenset()) -> Iterator[ast.Subscript]:
    """Items that are set of what the same branch made before, whatever the name stands for elsewhere: `x = jnp.zeros(n)` and
    `x[1:-1] = v` in the one branch, `x = v` in the other.

    Args:
        body: statements that come one after the other.
        made: names of what was made before them.
    """
    for statement in body:
        fields = (getattr(statement, field, None) for field in ("body", "orelse", "finalbody"))
        blocks = [inner for inner in fields if isinstance(inner, list) and inner]
        blocks += [each.body for each in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))]
        bound = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if not blocks:
            targets = getattr(statement, "targets", [getattr(statement, "target", None)])
            items = (each for each in targets if isinstance(each, ast.Subscript))
            yield from (each for each in items if isinstance(each.value, ast.Name) and each.value.id in made)
        made -= bound
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr=makes))) if makes in _MAKERS:
                made |= {name}
        for block in blocks:
            yield from sets_of_own_making(block, made)


_FULL = ("zeros", "ones", "full", "empty")
_MAKERS = frozenset({*_FULL, *(f"{name}_like" for name in _FULL), "arange", "linspace", "eye", "copy"})


def made_here(body: Iterable[ast.AST], value: Callable[[ast.expr], Any]) -> set[str]:
    """Names that stand for objects which the function itself makes, by a call of their class or as a copy, or for one of a list
    of such objects.

    Args:
        body: the function's statements.
        value: what a name of its globals stands for.
    """
    return set().union(*_made_here(body, value))


def made_in_lists(body: Iterable[ast.AST], value: Callable[[ast.expr], Any]) -> dict[str, set[str]]:
    """Those that stand for one of a list, with the names of these lists."""
    return _made_here(body, value)[1]


def _made_here(body: Iterable[ast.AST], value: Callable[[ast.expr], Any]) -> tuple[set[str], dict[str, set[str]]]:
    nodes = [node for part in body for node in ast.walk(part)]
    within = {id(name) for node in nodes if isinstance(node, ast.comprehension) for name in ast.walk(node.target)}
    named = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in within]
    stores = collections.Counter(node.id for node in named if isinstance(node.ctx, ast.Store))
    found: set[str] = set()
    lists: set[str] = set()
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
                pairs += zip(targets, values, strict=True)
            case ast.Assign(targets=[target], value=value_given):
                pairs.append((target, value_given))
    for pair in pairs:
        match pair:
            case ast.Name(id=name), given if stores[name] == 1:
                if _makes(given, value):
                    found.add(name)
                elif _makes_all(given, value):
                    lists.add(name)
    return found, _one_of(nodes, lists, stores) if lists else {}


def _makes(node: ast.expr, value: Callable[[ast.expr], Any]) -> bool:
    """Whether an expression is a new object, by a call of its class or as a copy."""
    return isinstance(node, ast.Call) and (isinstance(made := value(node.func), type) or made in _COPIES)


def _makes_all(node: ast.expr, value: Callable[[ast.expr], Any]) -> bool:
    """Whether it is a list of new objects."""
    match node:
        case ast.ListComp(elt=each):
            return _makes(each, value)
        case ast.List(elts=[_, *_] as elts):
            return all(_makes(each, value) for each in elts)
    return False


def _one_of(nodes: Iterable[ast.AST], lists: Collection[str], stores: Mapping[str, int]) -> dict[str, set[str]]:
    """Variables that stand for one of the items of such lists: of a loop over them, or of a place in them."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        match node:
            case ast.For(target=target, iter=items):
                pairs = _rounds(target, items)
            case ast.Assign(targets=[target], value=ast.Subscript(value=items, slice=index)) if _is_place(index):
                pairs = [(target, items)]
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id="min" | "max"), args=[items], keywords=[_])):
                pairs = [(target, items)]
            case _:
                continue
        for one, of in pairs:
            if isinstance(one, ast.Name) and isinstance(of, ast.Name) and of.id in lists:
                found.setdefault(one.id, []).append(of.id)
    return {name: set(of) for name, of in found.items() if stores[name] == len(of)}


def _is_place(index: ast.expr) -> bool:
    return isinstance(index, ast.Name | ast.Constant | ast.UnaryOp | ast.BinOp)


def _rounds(target: ast.expr, items: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """What a loop binds, each with what it runs over: `for i, (a, v) in enumerate(zip(accounts, x))`."""
    match target, items:
        case ast.Tuple(elts=[_, inner]), ast.Call(func=ast.Name(id="enumerate"), args=[of, *_]):
            return _rounds(inner, of)
        case ast.Tuple(elts=parts), ast.Call(func=ast.Name(id="zip"), args=many) if len(parts) == len(many):
            return [pair for part, of in zip(parts, many, strict=True) for pair in _rounds(part, of)]
    return [(target, items)]


def _is_made(node: ast.AST, function: types.FunctionType) -> bool:
    """A part of what a function of JAX or NumPy gives (`jnp.sort(x)[::-1]`), a slice of a list made there (`sorted(x)[:k]`)."""
    match node:
        case ast.Subscript(value=ast.Call(func=ast.Name(id="sorted" | "list") as makes), slice=ast.Slice()):
            return value_of(makes, function) in (sorted, list)
        case ast.Subscript(value=ast.ListComp() | ast.List(), slice=ast.Slice()):
            return True
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    owner = function.__globals__.get(root_of(node.func) or "") if isinstance(node, ast.Call) else None
    return isinstance(owner, types.ModuleType) and owner.__name__.split(".")[0] in ("jax", "numpy")


def root_of(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
