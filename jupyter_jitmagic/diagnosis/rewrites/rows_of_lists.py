"""Lists that are put into the front of an array's row: their items are set there one by one, and a number counts them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import loaded, stored, walk_scope

_Edit = tuple[ast.AST | tuple[int, int], str]


class _Put(NamedTuple):
    """`ids[b, :len(tokens)] = tokens`, or `ids = ids.at[b, :len(tokens)].set(jnp.array(tokens))`."""

    statement: ast.Assign
    array: str
    places: list[ast.expr]
    """Of the row; the list's items stand along the axis behind them."""
    name: str
    """The list's."""
    anew: bool
    """The array is made anew each time, as JAX's are."""

    def one(self, spot: Spot, place: str, item: str) -> str:
        """The statement that sets one item."""
        index = ", ".join([*map(spot.code.src, self.places), place])
        if self.anew:
            return f"{self.array} = {self.array}.at[{index}].set({item})"
        return f"{self.array}[{index}] = " + (f"({item})" if "\n" in item else item)


def set_one_by_one(spot: Spot) -> Iterator[Step]:
    """`tokens = []` … `tokens.append(t)` … `ids[b, :len(tokens)] = tokens` → `n = 0` … `ids[b, n] = t`, `n += 1`."""
    function = spot.function
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef):
        return
    for node in walk_scope(function.body):
        if (put := _put(spot, node)) is not None and (edits := _edits(spot, function, put)):
            yield spot.step("at", *edits)
            return


def _put(spot: Spot, node: ast.AST) -> _Put | None:
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=array), slice=place)], value=value):
            anew = False
        case ast.Assign(
            targets=[ast.Name(id=array)],
            value=ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Attribute(value=ast.Name(id=same), attr="at"), slice=place), attr="set"
                ),
                args=[value],
                keywords=[],
            ),
        ) if array == same:
            anew = True
        case _:
            return None
    match value:
        case ast.Name(id=name):
            pass
        case ast.Call(func=ast.Attribute(attr="array" | "asarray", value=owner), args=[ast.Name(id=name)], keywords=[]) if (
            is_module(spot, owner)  # with a dtype, items may be others than they were
        ):
            pass
        case _:
            return None
    *row, last = place.elts if isinstance(place, ast.Tuple) else [place]
    match last:
        case ast.Slice(lower=None | ast.Constant(value=0), upper=ast.expr() as end, step=None) if _is_length(spot, end, name):
            pass
        case _:
            return None
    if not isinstance(spot.locals.get(name), list) or any(isinstance(each, ast.Slice | ast.Starred) for each in row):
        return None
    return _Put(node, array, row, name, anew) if spot.code.on_own_lines([node]) else None


def _is_length(spot: Spot, node: ast.expr, name: str) -> bool:
    """`len(tokens)`, or a name that is bound to it once."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)]):
            return counted == name and spot.is_builtin("len")
        case ast.Name(id=number) if isinstance(spot.function, ast.FunctionDef):
            made = [each for each in walk_scope(spot.function.body) if isinstance(each, ast.stmt) and number in stored([each])]
            made = [each for each in made if not isinstance(each, ast.For | ast.While | ast.If | ast.With | ast.Try)]
            match made:
                case [ast.Assign(targets=[ast.Name()], value=ast.Call() as value)]:
                    return _is_length(spot, value, name)
    return False


def _edits(spot: Spot, function: ast.FunctionDef, put: _Put) -> list[_Edit]:
    """What is written in place of the list; nothing where more is done with it, or the array is asked for meanwhile."""
    code = spot.code
    block = code.block(put.statement)
    before = block[: block.index(put.statement)]
    made = [each for each in before if put.name in stored([each]) and isinstance(each, ast.Assign)]
    if len(made) != 1:
        return []
    between = before[before.index(made[0]) + 1 :]
    changing = {put.array, *(name for each in put.places for name in loaded([each]))}
    if changing & set(stored(between)) or put.array in loaded(between) or put.name in loaded(put.places):
        return []
    if leaves(between, (ast.Return, ast.Break, ast.Continue)):
        return []  # then it is not put there
    targets = _made_empty(made[0], put.name)
    count = code.fresh(f"{put.name}_length", f"length_of_{put.name}", "count")
    edits: list[_Edit] = [(code.region([put.statement]), ""), *((each, text or count) for each, text in targets)]
    known = {each for each, _ in targets} | set(ast.walk(put.statement))
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != put.name or node in known:
            continue
        match code.parents[node], code.parents[code.parents[node]]:
            case (ast.Call(func=ast.Name(id="len")) as call, _):
                edits.append((call, count))
            case (ast.Attribute(attr="append"), ast.Call(args=[item], keywords=[]) as call) if (
                isinstance(statement := code.parents[call], ast.Expr)
                and code.on_own_lines([statement])
                and any(statement in set(ast.walk(each)) for each in between)
                and not isinstance(item, ast.Starred)
                and put.name not in loaded([item])
            ):
                lines = put.one(spot, count, code.expr(item)), f"{count} += 1"
                edits.append((statement, f"\n{code.indent(statement)}".join(lines)))
            case _:
                return []
    return edits if targets else []


def _made_empty(statement: ast.Assign, name: str) -> list[tuple[ast.expr, str]]:
    """(target, "") and (value, "0") of a list that is made empty, alone or beside others; nothing for another one."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=own) as target], value=ast.List(elts=[]) as value) if own == name:
            return [(target, ""), (value, "0")]
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            for one, empty in zip(targets, values, strict=True):
                match one, empty:
                    case ast.Name(id=own), ast.List(elts=[]) if own == name:
                        return [(one, ""), (empty, "0")]
    return []


RULES: list[Rule] = [set_one_by_one]
