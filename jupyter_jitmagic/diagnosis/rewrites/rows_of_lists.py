"""Lists that are put into the front of an array's row: their items are set there one by one, and a number counts them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from jupyter_jitmagic.diagnosis.rewrites.marks import put
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import bound_once, bound_to, loaded, stored, walk_scope

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
    if spot.kind != BOOL or not isinstance(function, ast.FunctionDef) or not spot.is_builtin("len"):
        return
    for node in walk_scope(function.body):
        if (row := _put(spot, node)) is not None and (edits := _edits(spot, function, row)):
            yield spot.step("at", *edits)
            return


def _put(spot: Spot, node: ast.AST) -> _Put | None:
    if not isinstance(node, ast.Assign) or (found := put(node)) is None:
        return None
    array, (*row, last), value = found
    match value:
        case ast.Name(id=name):
            pass
        case ast.Call(func=ast.Attribute(attr="array" | "asarray", value=owner), args=[ast.Name(id=name)], keywords=[]) if (
            is_module(spot, owner)  # with a dtype, items may be others than they were
        ):
            pass
        case _:
            return None
    match last:
        case ast.Slice(lower=None | ast.Constant(value=0), upper=ast.expr() as end, step=None) if _is_length(spot, end, name):
            pass
        case _:
            return None
    if not isinstance(spot.locals.get(name), list) or any(isinstance(each, ast.Slice | ast.Starred) for each in row):
        return None
    anew = isinstance(node.targets[0], ast.Name)
    return _Put(node, array, row, name, anew) if spot.code.on_own_lines([node]) else None


def _is_length(spot: Spot, node: ast.expr, name: str) -> bool:
    """`len(tokens)`, or a name that is bound to it once."""
    if isinstance(node, ast.Name) and isinstance(spot.function, ast.FunctionDef):
        node = bound_once(spot.function, node.id) or node
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=counted)]):
            return counted == name
    return False


def _edits(spot: Spot, function: ast.FunctionDef, row: _Put) -> list[_Edit]:
    """What is written in place of the list; nothing where more is done with it, or the array is asked for meanwhile."""
    code = spot.code
    block = code.block(row.statement)
    before = block[: block.index(row.statement)]
    made = [each for each in before if row.name in stored([each]) and isinstance(each, ast.Assign)]
    if len(made) != 1:
        return []
    between = before[before.index(made[0]) + 1 :]
    changing = {row.array, *(name for each in row.places for name in loaded([each]))}
    if changing & set(stored(between)) or row.array in loaded(between) or row.name in loaded(row.places):
        return []
    if leaves(between, (ast.Return, ast.Break, ast.Continue)):
        return []  # then it is not put there
    targets = [(one, value) for one, value in bound_to(made[0]) if one.id == row.name]
    if not all(isinstance(value, ast.List) and not value.elts for _, value in targets):
        return []
    count = code.fresh(f"{row.name}_length", f"length_of_{row.name}", "count")
    edits: list[_Edit] = [(code.region([row.statement]), ""), *((one, count) for one, _ in targets)]
    edits += [(value, "0") for _, value in targets]
    known = {one for one, _ in targets} | set(ast.walk(row.statement))
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != row.name or node in known:
            continue
        match code.parents[node], code.parents[code.parents[node]]:
            case (ast.Call(func=ast.Name(id="len")) as call, _):
                edits.append((call, count))
            case (ast.Attribute(attr="append"), ast.Call(args=[item], keywords=[]) as call) if (
                isinstance(statement := code.parents[call], ast.Expr)
                and code.on_own_lines([statement])
                and any(statement in set(ast.walk(each)) for each in between)
                and not isinstance(item, ast.Starred)
                and row.name not in loaded([item])
            ):
                lines = row.one(spot, count, code.expr(item)), f"{count} += 1"
                edits.append((statement, f"\n{code.indent(statement)}".join(lines)))
            case _:
                return []
    return edits if targets else []


RULES: list[Rule] = [set_one_by_one]
