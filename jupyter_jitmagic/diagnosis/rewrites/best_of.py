"""The object of a list that has the least or the largest key: `best = max(cands, key=lambda c: c.score)`, `best.value`.

An array has no objects, but each of their attributes makes one, of which the best one's stands at its place.
"""

from __future__ import annotations

import ast
import dataclasses
import dis
import types
from collections.abc import Iterator
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.usercode.ownership import is_users_text

_NAN = {"nan": "the place that max() and min() give to NaN"}
_MOVES = words("append insert extend remove pop clear sort reverse")
_CHANGES = _MOVES | words("add update discard setdefault popitem popleft appendleft extendleft rotate setattr print")
_STORES = words("STORE_ATTR STORE_SUBSCR STORE_GLOBAL STORE_DEREF DELETE_ATTR DELETE_SUBSCR")
_SAME = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """More is asked of the object than its attributes."""


def best_object(spot: Spot) -> Iterator[Step]:
    """`best = max(cands, key=k)` → `k = jnp.argmax(…)`, `best.value` → `jnp.asarray([c.value for c in cands])[k]`."""
    node, code = spot.call("min", "max"), spot.code
    match node:
        case ast.Call(
            func=ast.Name(id=which),
            args=[ast.Name(id=items)],
            keywords=[ast.keyword(arg="key", value=ast.Lambda(args=ast.arguments(args=[ast.arg(arg=each)])) as key)],
        ) if spot.kind == BOOL and _are_objects(spot.locals.get(items)):
            pass
        case _:
            return
    assert node is not None
    statement, function = code.statement(node), spot.function
    if not isinstance(function, ast.FunctionDef) or not code.on_own_lines([statement]) or _is_moved(function, statement, items):
        return
    place = f"{spot.jnp(f'arg{which}')}({spot.jnp('asarray')}([{code.expr(key.body)} for {each} in {items}]))"
    try:
        match statement, code.parents[node]:
            case ast.Assign(targets=[ast.Name(id=best)], value=value), _ if value is node:
                chosen = _Chosen(spot, function, items, each, code.fresh(f"place_of_{best}", f"place_of_the_{best}"))
                edits: list[_Edit] = [(statement, f"{chosen.place} = {place}"), *chosen.uses(best, statement)]
            case _, ast.Attribute(attr=name, ctx=ast.Load()) as read:
                edits = [(read, f"{spot.jnp('asarray')}([{each}.{name} for {each} in {items}])[{place}]")]
            case _:
                return
    except _Refused:
        return
    yield spot.step(f"arg{which}", *edits, excludes=_NAN)


def _are_objects(held: Any) -> bool:
    """Whether it is a list of objects of one class of the user's that JAX does not take apart."""
    if not isinstance(held, list) or not held or len({type(each) for each in held}) > 1:
        return False
    methods = [each for each in vars(type(held[0])).values() if hasattr(each, "__code__")]
    own = any(is_users_text(each.__code__.co_filename) for each in methods) or dataclasses.is_dataclass(held[0])
    return own and jax.tree_util.all_leaves(held)


def _is_moved(function: ast.FunctionDef, statement: ast.stmt, items: str) -> bool:
    """Whether the list may be in another order, or hold others, when the object is asked."""
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == items and attr in _MOVES:
                if node.lineno > statement.lineno:
                    return True
            case ast.For() | ast.While() if statement in ast.walk(node):
                if any(isinstance(n, ast.Attribute) and n.attr in _MOVES and _is(n.value, items) for n in ast.walk(node)):
                    return True
    return (
        sum(_is(node, items) and isinstance(node.ctx, ast.Store) for node in ast.walk(function) if isinstance(node, ast.Name))
        != 1
    )


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _changes_nothing(kind: type, method: str, seen: set[str]) -> bool:
    """Whether a method, and those of its class that it names, stores nothing but in variables of its own."""
    found = getattr(kind, method, None)
    if not isinstance(found, types.FunctionType):
        return False
    seen.add(method)
    named = found.__code__.co_names
    inner = [
        name for name in named if name not in seen and isinstance(getattr(kind, name, None), types.FunctionType | property)
    ]
    return (
        _CHANGES.isdisjoint(named)
        and _STORES.isdisjoint(each.opname for each in dis.get_instructions(found))
        and all(_changes_nothing(kind, name, seen) for name in inner)
    )


class _Chosen:
    """The edits for what is asked of the object that was found."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, items: str, each: str, place: str) -> None:
        self.spot, self.code, self.function = spot, spot.code, function
        self.items, self.each, self.place = items, each, place

    def uses(self, best: str, made: ast.stmt) -> list[_Edit]:
        code, edits = self.code, list[_Edit]()
        named = [node for node in ast.walk(self.function) if _is(node, best) and node not in ast.walk(made)]
        writes: dict[ast.stmt, ast.Attribute] = {}
        reads: list[ast.Attribute] = []
        asked: dict[ast.Call, ast.Attribute] = {}
        for node in named:
            parent = code.parents[node]
            if not isinstance(parent, ast.Attribute):
                raise _Refused
            around = code.parents[parent]
            if isinstance(parent.ctx, ast.Load) and not (isinstance(around, ast.Call) and around.func is parent):
                reads.append(parent)
            elif isinstance(around, ast.Call) and self._is_asked(parent, around):
                asked[around] = parent
            elif isinstance(around, ast.AugAssign) or (isinstance(around, ast.Assign) and around.targets == [parent]):
                writes[around] = parent
            else:
                raise _Refused
        inside = [(*code.span(read), self._read(read.attr)) for read in reads]
        for call, method in asked.items():
            start, end = code.span(call)
            inside.append((start, end, self._read(code.text[start + len(code.src(method.value)) + 1 : end])))
        for statement, target in writes.items():
            edits.append((code.region([statement]), self._written(statement, target, inside)))
        spans = [code.region([statement]) for statement in writes]
        return edits + [((a, b), text) for a, b, text in inside if not any(s <= a and b <= e for s, e in spans)]

    def _is_asked(self, method: ast.Attribute, call: ast.Call) -> bool:
        """Whether a call is of a method that changes nothing, with what is the same for every object."""
        given = (*call.args, *(keyword.value for keyword in call.keywords))
        parts = [part for each in given for part in ast.walk(each)]
        plain = all(isinstance(part, _SAME) and getattr(part, "id", "") != self.each for part in parts)
        return plain and _changes_nothing(type(self.spot.locals[self.items][0]), method.attr, set())

    def _read(self, attribute: str) -> str:
        return f"{self.spot.jnp('asarray')}([{self.each}.{attribute} for {self.each} in {self.items}])[{self.place}]"

    def _written(self, statement: ast.stmt, target: ast.Attribute, reads: list[tuple[int, int, str]]) -> str:
        """`best.count += 1` → the same of the one at its place, and of none of the others."""
        code, indent = self.code, self.code.indent(statement)
        if not code.on_own_lines([statement]) or not isinstance(statement, ast.Assign | ast.AugAssign):
            raise _Refused
        value = code.edited(*code.span(statement.value), reads)
        if isinstance(statement, ast.AugAssign):
            begin, end = code.span(target)[1], code.span(statement.value)[0]
            sign = code.text[begin:end].strip().removesuffix("=")
            value = value if isinstance(statement.value, ast.Constant | ast.Name) else f"({value})"
            value = f"{self._read(target.attr)} {sign} {value}"
        new, number = code.fresh("new", f"new_{target.attr}"), code.fresh("number", "which")
        item = code.fresh("item", "each", "one")
        held = f"{item}.{target.attr}"
        chosen = f"{self.spot.jnp('where')}({number} == {self.place}, {new}, {held})"
        lines = [f"{new} = {value}", f"for {number}, {item} in enumerate({self.items}):", f"    {held} = {chosen}"]
        return "".join(f"{indent}{line}\n" for line in lines)


RULES: list[Rule] = [best_object]
