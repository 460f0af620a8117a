"""The one of what was selected that has the least or the largest key, and where an item of a list of such stands."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_jitmagic.diagnosis.rewrites.operations import Called, called
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.rewrites.reducing import Reducing

_NAN = {"nan": "the place that max() and min() give to NaN"}
_SAME_NAN = {"nan": "NaN, of which a list counts the very same object alone"}


def by_key(flow: Reducing, node: ast.Call, known: Called, found: Ragged, key: ast.expr) -> str:
    """`min(s, key=k)` → the element where, of those that count, the key is least; of equal ones the first, as in Python."""
    if found.axis or found.flat or found.grid or found.times:
        flow.stop(node)
    refuse_where_caught(flow, node)
    values = flow.named(flow.as_array(known.arguments[0], found), "values", "candidates")
    sign, array = known.operation.neutral, flow.jnp("asarray")
    match key:
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=item)], defaults=[]), body=ast.Tuple(elts=[_, _, *_] as parts)):
            facts = [flow.spot.fact(part) for part in parts]  # the opposite of an unsigned 0 is 0
            turned = ["~" if fact is not None and fact.dtype in ("u", "b") else "-" for fact in facts]
            signs = turned if sign == "-" else [""] * len(parts)
            keys = [f"{one}{array}([{flow.text(part)} for {item} in {values}])" for one, part in zip(signs, parts, strict=True)]
            flow.excludes |= _NAN
            return f"{values}[{flow.jnp('lexsort')}(({', '.join(reversed(keys))}, ~{enclosed(found.mask)}))[0]]"
        case ast.Lambda(args=ast.arguments(args=[ast.arg(arg=item)], defaults=[]), body=body):
            text, fact = f"{array}([{flow.text(body)} for {item} in {values}])", flow.spot.fact(body)
        case ast.Lambda():
            flow.stop(node)
        case _:
            item = flow.fresh("v", "item")
            text, fact = f"{array}([{flow.operand(key)}({item}) for {item} in {values}])", None
    flow.inexact |= fact is None
    dtype = fact.dtype if fact is not None and fact.dtype else "f" if flow.exact else "i"  # what serves integers serves floats
    keys_name = flow.named(text, "keys", "key_of_each")
    place = flow.place_of_most(keys_name, replace(found, ndim=1, dtype=dtype, pad="", direct=False), sign)
    return f"{values}[{place}]"


def sought(flow: Reducing, node: ast.Call, known: Called) -> Ragged | None:
    """`s.index(v)`, `s.count(v)` of a list: its place among those that count, and how many of them are equal to it."""
    found = flow.visit(known.arguments[0])
    flow.plain(*known.arguments[1:], *(each.value for each in known.keywords))
    if found is None:
        return None
    if known.form != "method" or len(known.arguments) != 2 or not found.listed or found.ndim > 1 or found.times or found.group:
        flow.stop(node)
    if known.name == "count":
        text = flow.named(flow.as_array(known.arguments[0], found), "values", "candidates")
        flow.excludes |= _SAME_NAN if found.dtype == "f" else {}
        flow.replace(node, f"{flow.jnp('sum')}({enclosed(found.mask)} & ({text} == {flow.operand(known.arguments[1])}))")
        return None
    refuse_where_caught(flow, node)
    place = place_of(flow, known.arguments[0], known.arguments[1], found)
    flow.replace(node, place if found.front else f"{flow.jnp('cumsum')}({found.mask})[{place}] - 1")
    return None


def place_of(flow: Reducing, values: ast.expr, item: ast.expr, found: Ragged) -> str:
    """The first place of an item in the whole array; of `s.index(max(s))` that of the largest, be it NaN."""
    text = flow.named(flow.as_array(values, found), "values", "candidates")
    match item:
        case ast.Call(func=ast.Name(id="max" | "min" as which), args=[same], keywords=[]) if flow.spot.is_builtin(which):
            if ast.dump(same) == ast.dump(values):
                return flow.place_of_most(text, found, "-" if which == "max" else "+")
    equal = f"({text} == {flow.operand(item)})"
    flow.inexact |= found.dtype == "f"
    if flow.exact and found.dtype == "f":  # a list finds the NaN that it holds
        isnan = flow.jnp("isnan")
        equal = f"({equal} | ({isnan}({text}) & {isnan}({flow.text(item)})))"
    return f"{flow.jnp('argmax')}({enclosed(found.mask)} & {equal})"


def chosen_alike(flow: Reducing, place: ast.expr, found: Ragged) -> str:
    """`kids[scores.index(max(scores))]`, where the scores are those of the kids: the place in the whole array; else ""."""
    match place:
        case ast.Name(id=name) if name in flow.places_in_all:
            if flow.places_in_all[name] != found.mask:
                flow.stop(place)
            return name
        case ast.Call() as call if (sought_in := _list_and_item(flow, call)) is not None:
            values, item = sought_in
        case _:
            return ""
    held = flow.visit(values)
    if held is None or not held.listed or held.ndim > 1 or held.times or held.front or held.mask != found.mask:
        return ""
    flow.plain(item)
    refuse_where_caught(flow, call)
    flow.state.seen[place] = None
    return place_of(flow, values, item, held)


def held_place(flow: Reducing, name: str, value: ast.expr) -> tuple[str, str] | None:
    """(the place in the whole array, the mask) of `best = scores.index(max(scores))`, where all that is done with it is to
    read lists that are as long as the scores: `kids[best]`, `scores[best]`."""
    function = flow.spot.function
    if function is None or not isinstance(value, ast.Call) or (sought_in := _list_and_item(flow, value)) is None:
        return None
    if flow.stores(name) != 1 or (held := flow.visit(sought_in[0])) is None:
        return None
    reads = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id == name and is_read(each)]
    for read in reads:
        match flow.code.parents[read]:
            case ast.Subscript(value=ast.Name(id=array), slice=index) if index is read and flow.stores(array) == 1:
                if (
                    array in flow.state.names
                    and flow.state.names[array].mask == held.mask
                    and not flow.state.names[array].front
                ):
                    continue
        return None
    place = chosen_alike(flow, value, held)
    return (place, held.mask) if place and reads else None


def is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _list_and_item(flow: Reducing, call: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """s and v of `s.index(v)`."""
    known = called(flow.spot, call)
    if known is None or known.name != "index" or known.form != "method" or len(known.arguments) != 2 or known.keywords:
        return None
    return known.arguments[0], known.arguments[1]


def refuse_where_caught(flow: Reducing, node: ast.expr) -> None:
    """Where nothing is selected, or no item is equal, compiled code raises nothing that could be caught."""
    if any(isinstance(at, ast.Try) and at.handlers for at in flow.code.ancestors(node)):
        flow.stop(node)
