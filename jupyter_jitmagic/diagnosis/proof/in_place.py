"""Functions that do with JAX's arrays what NumPy's alone take: the same code as on NumPy's arrays.

`x[i] = v` becomes `x = SET(x, v, i)`, which changes an array of a run of ours (`uncompiled`) in place. Where such a run is
differentiated, the new array takes the old one's place: what NumPy would have changed beside it, no run reads. `f(x[i])` gives
a part that is put back behind it, as `f` may change it. `x.fill(v)` is
`x[...] = v`; a list that is an index, or that a function of JAX's does not take, becomes an array.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

import jax
import jax.numpy as jnp

from jupyter_jitmagic.base.refused import REFUSED_LIST
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.source.names import loaded, stored

ON_NUMPY = "the same code on NumPy arrays"
STAYS = "the caller's arrays stay as they are, where NumPy's would be changed"


def set_at(array: Any, value: Any, *path: Any) -> Any:
    """`array[path[0]][path[1]]… = value`; gives what stands for the array from then on."""
    first, *rest = path
    if rest and isinstance(array, jax.core.Tracer) and all(_is_number(part) for part in path[:-1]):
        last = rest[-1] if type(rest[-1]) is tuple else (rest[-1],)
        return set_at(array, value, (*path[:-1], *last))
    if rest:
        inner = array[first]
        made = set_at(inner, value, *rest)
        return array if made is inner else set_at(array, made, first)
    if isinstance(array, jax.core.Tracer):
        return uncompiled.set_in_place(array, first, value)
    array[first] = value
    return array


def _is_number(part: Any) -> bool:
    return isinstance(part, int) or (isinstance(part, jax.core.Tracer) and part.ndim == 0 and part.dtype.kind in "iu")


def in_the_place_of(array: Any, made: Any) -> Any:
    """`array += …`: NumPy's array would hold what was `made` of it, by all its names."""
    uncompiled.replaced_in_place(array)
    return made


def as_index(index: Any) -> Any:
    """What stands between brackets, a list as the array that it is for NumPy."""
    return jnp.asarray(index) if isinstance(index, list) and index else index


def called_with_arrays(function: Any, *args: Any, **options: Any) -> Any:
    """A call, whose lists are arrays where a function of JAX's takes none."""
    try:
        return function(*args, **options)
    except TypeError as error:
        if not REFUSED_LIST.search(str(error)):
            raise
    return function(*(jnp.asarray(each) if isinstance(each, list | tuple) else each for each in args), **options)


PART, PUT_BACK = "__jitmagic_part__", "__jitmagic_put_back__"
SET, IN_PLACE = "__jitmagic_set__", "__jitmagic_in_place__"
INDEX, CALLED = "__jitmagic_index__", "__jitmagic_called__"
INSTEAD = {
    **{SET: set_at, IN_PLACE: in_the_place_of, INDEX: as_index, CALLED: called_with_arrays},
    **{PART: uncompiled.part_apart, PUT_BACK: uncompiled.put_back},
}


class Setting(ast.NodeTransformer):
    """A text whose arrays are changed in place by `SET` and `IN_PLACE`."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._count = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        around, self._own = self._own, _own_names(node)
        self.generic_visit(node)
        self._own = around
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        updates: list[ast.stmt] = []
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Subscript):
            return self._set(target, node.value, node) or node
        if len(node.targets) > 1:
            return self._set_in_turn(node)
        if not isinstance(target, ast.Tuple) or not _are_apart(target):
            return node
        for k, part in enumerate(target.elts):
            if not isinstance(part, ast.Subscript):
                continue
            self._count += 1
            name = f"__jitmagic_part_{self._count}__"
            made = self._set(part, ast.Name(name, ast.Load()), node)
            if made is None:
                return node
            updates.append(made)
            target.elts[k] = ast.copy_location(ast.Name(name, ast.Store()), part)
        return [node, *updates]

    def _set_in_turn(self, node: ast.Assign) -> Any:
        """`m[i, j] = m[j, i] = v`."""
        self._count += 1
        name = f"__jitmagic_part_{self._count}__"
        made: list[ast.stmt] = [_at(ast.Assign([ast.Name(name, ast.Store())], node.value), node)]
        for each in node.targets:
            value = ast.Name(name, ast.Load())
            update = self._set(each, value, node) if isinstance(each, ast.Subscript) else None
            made.append(update or _at(ast.Assign([each], value), node))
        return made

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        new = ast.BinOp(_read(node.target), node.op, node.value)
        if isinstance(node.target, ast.Subscript):
            return self._set(node.target, new, node) or node
        if not isinstance(node.target, ast.Name) or node.target.id not in self._own:
            return node
        call = ast.Call(ast.Name(IN_PLACE, ast.Load()), [_read(node.target), new], [])
        return _at(ast.Assign([ast.Name(node.target.id, ast.Store())], call), node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        match node.value:
            case ast.Call(func=ast.Attribute(value=ast.Name() as array, attr="fill"), args=[value], keywords=[]):
                made = self._set(ast.Subscript(array, ast.Constant(...), ast.Store()), value, node)
                if made is not None:
                    return made
            case ast.Call(func=ast.Name()) as call:
                parts = self._with_parts_apart(call)
                if parts is not None:
                    return [*(self.visit(each) for each in parts[0]), self.generic_visit(node), *parts[1]]
        self.generic_visit(node)
        return node

    def _with_parts_apart(self, call: ast.Call) -> tuple[list[ast.stmt], list[ast.stmt]] | None:
        """What stands before a call that is given parts of arrays, which then have names, and what puts them back behind it;
        None where it is given none, or the whole array beside one."""
        before: list[ast.stmt] = []
        behind: list[ast.stmt] = []
        for k, part in enumerate(call.args):
            match part:
                case ast.Subscript(value=ast.Name(id=name), slice=index) if name in self._own:
                    if sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(call)) > 1:
                        return None
                    self._count += 1
                    own, place = (f"__jitmagic_{what}_{self._count}__" for what in ("part", "place"))
                    before.append(_at(ast.Assign([ast.Name(place, ast.Store())], _index(index)), call))
                    at = [ast.Name(name, ast.Load()), ast.Name(place, ast.Load())]
                    before.append(_at(ast.Assign([ast.Name(own, ast.Store())], _called(PART, *at)), call))
                    back = _called(PUT_BACK, at[0], ast.Name(own, ast.Load()), at[1])
                    behind.append(_at(ast.Assign([ast.Name(name, ast.Store())], back), call))
                    call.args[k] = ast.copy_location(ast.Name(own, ast.Load()), part)
        return (before, behind) if before else None

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        may_be_lists = any(isinstance(each, ast.List | ast.Tuple | ast.Name | ast.BinOp | ast.ListComp) for each in node.args)
        if not isinstance(node.func, ast.Attribute) or not may_be_lists:
            return node
        return ast.copy_location(ast.Call(ast.Name(CALLED, ast.Load()), [node.func, *node.args], node.keywords), node)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.List | ast.Name):
            node.slice = ast.copy_location(ast.Call(ast.Name(INDEX, ast.Load()), [node.slice], []), node.slice)
        return node

    def _set(self, target: ast.Subscript, value: ast.expr, at: ast.stmt) -> ast.stmt | None:
        """The statement that sets it; None where what is set is no part of a local variable or of its attributes."""
        path: list[ast.expr] = []
        inner: ast.expr = target
        while isinstance(inner, ast.Subscript):
            path.insert(0, inner.slice)
            inner = inner.value
        root: ast.expr = inner
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id not in self._own:
            return None
        places = [ast.Call(ast.Name(INDEX, ast.Load()), [_index(part)], []) for part in path]
        call = ast.Call(ast.Name(SET, ast.Load()), [_read(inner), value, *places], [])
        inner.ctx = ast.Store()  # type: ignore[attr-defined]
        return _at(ast.Assign([inner], call), at)


def _called(function: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), [*args], [])


def _own_names(node: ast.FunctionDef) -> set[str]:
    """Variables of a function that no other function has."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    outside = {name for each in ast.walk(node) if isinstance(each, ast.Global | ast.Nonlocal) for name in each.names}
    return ({each.arg for each in given} | set(stored(node.body))) - outside


def _are_apart(target: ast.Tuple) -> bool:
    """Whether no index of what is set is set beside it."""
    names = {name for part in target.elts if not isinstance(part, ast.Subscript) for name in loaded([_read(part)])}
    return not any(names & loaded([part]) for part in target.elts if isinstance(part, ast.Subscript))


def _read(target: ast.expr) -> ast.expr:
    """What is set, as it is read."""
    read = copy.deepcopy(target)
    for node in ast.walk(read):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            node.ctx = ast.Load()  # type: ignore[attr-defined]
    return read


def _index(part: ast.expr) -> ast.expr:
    """What stands between brackets as an expression of its own: `1:n, 0` has none."""
    if isinstance(part, ast.Slice):
        ends: list[ast.expr] = [ast.Constant(None) if end is None else end for end in (part.lower, part.upper, part.step)]
        return ast.Call(ast.Name("slice", ast.Load()), ends, [])
    if isinstance(part, ast.Tuple):
        return ast.Tuple([_index(each) for each in part.elts], ast.Load())
    return part


def _at(made: ast.stmt, node: ast.AST) -> ast.stmt:
    return ast.fix_missing_locations(ast.copy_location(made, node))
