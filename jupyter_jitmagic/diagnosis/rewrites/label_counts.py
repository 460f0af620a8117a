"""`jnp.bincount(labels)` without a length: how often each label occurs, of labels that occur.

It is as long as the largest label, which is data. Most of what is asked of it (the largest count, its place, a sum, how many
there are) is the same without the labels that never occur, and of the others there are no more than there are elements.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.inlining import in_another_scope
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import is_returned, words
from jupyter_jitmagic.source.names import loaded, stored, walk_scope

_SUMS = words("sum any count_nonzero")
_OF_EACH = words("sqrt square log log2 abs where asarray")
# bincount counts them as zeros, and as places they count from the end
_BELOW = {"negative int": "labels below zero"}
_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """What is asked needs the labels that do not occur."""


def of_labels(spot: Spot) -> Iterator[Step]:
    """`counts = jnp.bincount(x)` → the labels that occur and their counts; `jnp.argmax(counts)` → `labels[…]`."""
    yield from _of(spot, spot.node, sized=True)


def of_selected_labels(spot: Spot) -> Iterator[Step]:
    """The same of `x[x > 0]`, or of a name for it: how many of them there are other rules follow."""
    if not isinstance(spot.function, ast.FunctionDef) or not isinstance(spot.node, ast.Subscript | ast.Call):
        return
    here = spot.code.statement(spot.node)
    name = here.targets[0].id if isinstance(here, ast.Assign) and isinstance(here.targets[0], ast.Name) else ""
    for call in spot.code.of_kind(spot.function, ast.Call):
        if call is spot.node or not call.args:
            continue
        labels = call.args[0]
        if (isinstance(labels, ast.Name) and labels.id == name) or spot.node in ast.walk(labels):
            yield from _of(spot, call, sized=False)


def _of(spot: Spot, node: ast.AST, sized: bool) -> Iterator[Step]:
    """`sized`: there are as many labels as elements at most, and not as many as were selected."""
    code = spot.code
    match node:
        case ast.Call(func=ast.Attribute(attr="bincount", value=owner), args=[labels], keywords=[]) if is_module(spot, owner):
            pass
        case _:
            return
    fact = spot.fact(labels)
    if fact is None or fact.ndim != 1 or fact.dtype not in ("i", "u"):
        return
    statement = code.statement(node)
    if not code.on_own_lines([statement]) or not isinstance(statement, ast.Assign | ast.Return | ast.AugAssign | ast.AnnAssign):
        return
    if not isinstance(labels, ast.Name):  # `jnp.bincount(x.astype(int))`: a name for them, and asked again
        if not in_another_scope(code, node, statement):
            name, start = code.fresh("labels", "values", "of_labels"), code.region([statement])[0]
            line = f"{code.indent(statement)}{name} = {code.src(labels)}\n"
            yield spot.step("size=", ((start, start), line), (labels, name))
        return
    uses = _Uses(spot, labels.id)
    try:
        kind = ""
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node or _cast(value, node) is not None:
                cast, function = _cast(value, node), spot.function
                kind = f".astype({code.src(cast)})" if cast is not None else ""
                if not isinstance(function, ast.FunctionDef):
                    return
                block = code.block(statement)
                before = stored(block[: block.index(statement)])  # and the labels are what they were when they were counted
                made = int(labels.id in before and all(each.arg != labels.id for each in function.args.args))
                times = 2 if _kept(function, name) is not None else 1
                if _times_bound(function, name, labels.id) != (times, made):
                    return
                uses.named(function, name)
                at: ast.AST | tuple[int, int] = code.region([statement])
            case _:
                name = code.fresh("counts", "how_often")
                uses.asked(node, name)
                if not any(where is node or _is_around(where, node) for where, _ in uses.edits):
                    uses.edits.append((node, name))
                start = code.region([statement])[0]
                at = start, start
    except _Refused:
        return
    line = ""
    if uses.reads_counts:
        kept = uses.labels if uses.reads_labels else "_"
        size = f"{f'size={labels.id}.size, fill_value=0, ' if sized else ''}return_counts=True"
        line = f"{code.indent(statement)}{kept}, {name} = {spot.jnp('unique')}({labels.id}, {size})\n"
        line += f"{code.indent(statement)}{name} = {name}{kind}\n" if kind else ""
    yield spot.step("size=", (at, line), *uses.edits, excludes=_BELOW)


def _cast(value: ast.expr, node: ast.expr) -> ast.expr | None:
    """`float` of `node.astype(float)`."""
    match value:
        case ast.Call(func=ast.Attribute(attr="astype", value=counts), args=[kind], keywords=[]) if counts is node:
            return kind
    return None


def _times_bound(function: ast.FunctionDef, name: str, labels: str) -> tuple[int, int]:
    """How often each of the two is bound in the function's body."""
    stores = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
    return stores.count(name), stores.count(labels)


def _kept(function: ast.FunctionDef, name: str) -> ast.stmt | None:
    """`p = p[p > 0]`, the last that a name is bound to."""
    bound = [each for each in function.body if name in stored([each])]
    match bound[-1:]:
        case [
            ast.Assign(
                targets=[ast.Name()],
                value=ast.Subscript(
                    value=ast.Name(id=one),
                    slice=ast.Compare(left=ast.Name(id=two), ops=[ast.Gt()], comparators=[ast.Constant(value=int() as least)]),
                ),
            ) as kept
        ] if one == two == name and least >= 0 and len(bound) == 2:
            return kept
    return None


def _is_around(where: object, node: ast.AST) -> bool:
    return isinstance(where, ast.AST) and node in ast.walk(where)


class _Uses:
    """What is asked of counts, and the edits that ask it of the labels that occur alone."""

    def __init__(self, spot: Spot, array: str) -> None:
        self.spot, self.code, self.array = spot, spot.code, array
        self.edits: list[_Edit] = []
        self.labels = spot.code.fresh("labels", "values", "occurring")
        self.reads_labels = self.reads_counts = False

    def named(self, function: ast.FunctionDef, name: str) -> None:
        """All that is asked of a name."""
        kept = _kept(function, name)
        for use in walk_scope(function.body):
            if not (isinstance(use, ast.Name) and use.id == name and isinstance(use.ctx, ast.Load)):
                continue
            if kept is None or use.lineno <= kept.lineno:  # behind it are counts of labels that occur alone
                self.asked(use, name)
        scopes = (n for n in ast.walk(function) if isinstance(n, ast.FunctionDef | ast.Lambda) and n is not function)
        if any(name in loaded([scope]) for scope in scopes):
            raise _Refused

    def asked(self, use: ast.expr, text: str) -> None:
        """What is asked of the counts at one place; `text` is what stands for them there."""
        parent = self.code.parents[use]
        edits = len(self.edits)
        self._asked(use, parent, text)
        self.reads_counts |= self.reads_labels or len(self.edits) == edits

    def _asked(self, use: ast.expr, parent: ast.AST, text: str) -> None:
        match parent:
            case ast.Call(func=ast.Attribute(attr="argmax", value=owner), args=[_]) if is_module(self.spot, owner):
                self._place(parent, text)
            case ast.Attribute(value=value, attr="argmax") if value is use and self._is_called(parent):
                self._place(self.code.parents[parent], text)
            case ast.Call(func=ast.Name(id="len"), args=[_]) if self.spot.is_builtin("len"):
                self._length(parent)
            case ast.Attribute(attr="size"):
                self._length(parent)
            case ast.Attribute(attr="shape"):
                around = self.code.parents[parent]
                if not (isinstance(around, ast.Subscript) and isinstance(around.slice, ast.Constant)):
                    raise _Refused
                self._length(around)
            case ast.Subscript(value=value, slice=ast.Compare()) if value is use:
                return  # a selection of labels that occur
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=0)]) if left is use:
                self._absent(parent, text)
            case _:
                self._of_each(use, direct=True)

    def _of_each(self, use: ast.expr, direct: bool = False) -> None:
        """Something that is 0 where a count is 0, summed up in the end; or the largest count itself."""
        code, parent = self.code, self.code.parents[use]
        match parent:
            case ast.Compare(left=left, ops=[ast.Gt()], comparators=[ast.Constant(value=int() as least)]) if (
                left is use and least >= 0
            ):
                self._of_each(parent)
            case ast.Compare(left=left, ops=[ast.GtE()], comparators=[ast.Constant(value=int() as least)]) if (
                left is use and least > 0
            ):
                self._of_each(parent)
            case ast.Subscript(value=ast.Name(), slice=index) if index is use and isinstance(use, ast.Compare):
                return  # of labels that occur
            case ast.BinOp(op=ast.Mult()):
                self._of_each(parent)
            case ast.BinOp(op=ast.Div() | ast.Pow(), left=left) if left is use:
                self._of_each(parent)
            case ast.Attribute(attr=name) if self._is_called(parent):
                call = code.parents[parent]
                assert isinstance(call, ast.Call)
                if not (name in _SUMS or (name == "max" and direct)) or call.args or call.keywords:
                    raise _Refused
            case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]) if name in (
                "sum",
                "max",
                "any",
            ) and self.spot.is_builtin(name):
                if name == "max" and not direct:
                    raise _Refused
            case ast.Call(func=ast.Attribute(attr=name, value=owner), keywords=[]) if is_module(self.spot, owner):
                if name in _OF_EACH:
                    self._of_each(parent)
                elif not (name in _SUMS or (name == "max" and direct)) or len(parent.args) > 1:
                    raise _Refused
            case ast.Assign(targets=[ast.Name(id=held)], value=value) if value is use:
                function = self.spot.function
                if not isinstance(function, ast.FunctionDef):
                    raise _Refused
                kept = _kept(function, held)
                if _times_bound(function, held, held)[0] != (1 if kept is None else 2):
                    raise _Refused
                for other in walk_scope(function.body):
                    if isinstance(other, ast.Name) and other.id == held and isinstance(other.ctx, ast.Load):
                        if kept is not None and other.lineno > kept.lineno:
                            continue
                        around = code.parents[other]
                        if not (isinstance(around, ast.Subscript) and isinstance(around.slice, ast.Compare)):
                            self._of_each(other)
            case _:
                raise _Refused
        if is_returned(code, use):
            raise _Refused

    def _is_called(self, attribute: ast.Attribute) -> bool:
        call = self.code.parents[attribute]
        return isinstance(call, ast.Call) and call.func is attribute

    def _place(self, node: ast.AST, text: str) -> None:
        """Of equal counts the first, which is that of the smallest label."""
        if not isinstance(node, ast.Call) or node.keywords:
            raise _Refused
        self.reads_labels = True
        self.edits.append((node, f"{self.labels}[{self.spot.jnp('argmax')}({text})]"))

    def _absent(self, node: ast.AST, text: str) -> None:
        """How many labels do not occur: all others up to the largest do."""
        match parent := self.code.parents[node]:
            case ast.Attribute(attr="sum") if self._is_called(parent):
                asked = self.code.parents[parent]
            case ast.Call(func=ast.Attribute(attr="sum" | "count_nonzero", value=owner), args=[_]) if is_module(
                self.spot, owner
            ):
                asked = parent
            case ast.Call(func=ast.Name(id="sum"), args=[_]) if self.spot.is_builtin("sum"):
                asked = parent
            case _:
                raise _Refused
        if not isinstance(asked, ast.Call) or asked.keywords or (asked is not parent and asked.args):
            raise _Refused
        self.reads_counts = True
        alone = isinstance(self.code.parents[asked], ast.stmt)
        found = f"{self.spot.jnp('max')}({self.array}) + 1 - ({text} > 0).sum()"
        self.edits.append((asked, found if alone else f"({found})"))

    def _length(self, node: ast.AST) -> None:
        text = f"{self.spot.jnp('max')}({self.array}) + 1"
        alone = isinstance(self.code.parents[node], ast.stmt)
        self.edits.append((node, text if alone else f"({text})"))


def by_adding(spot: Spot) -> Iterator[Step]:
    """`n = int(labels.max()) + 1` before `jnp.zeros(n).at[labels].add(1)` → `jnp.bincount(labels).astype(float)`."""
    code, function = spot.code, spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    here = code.statement(spot.node)
    for made in code.of_kind(function, ast.Call):
        added = _added(spot, made)
        if added is None:
            continue
        n, labels, kind = added
        sizes = [each for each in code.of_kind(function, ast.Assign) if stored([each]) == [n]]
        named = [use for use in code.of_kind(function, ast.Name) if use.id == n]
        if len(sizes) != 1 or len(named) != 2 or _times_bound(function, n, labels) != (1, 0):
            continue  # it is asked for elsewhere, or they were others when it was
        match sizes[0].value:
            case ast.BinOp(left=largest, op=ast.Add(), right=ast.Constant(value=1)):
                counts = f"{spot.jnp('bincount')}({labels}).astype({kind})"
                if _largest_of(spot, largest) == labels and here in (sizes[0], code.statement(made)):
                    yield spot.step("size=", (code.region([sizes[0]]), ""), (made, counts), excludes=_BELOW)


def _added(spot: Spot, made: ast.Call) -> tuple[str, str, str] | None:
    """`n`, `labels` and the dtype of `jnp.zeros(n).at[labels].add(1)`."""
    match made:
        case ast.Call(
            func=ast.Attribute(
                attr="add",
                value=ast.Subscript(
                    value=ast.Attribute(
                        attr="at",
                        value=ast.Call(
                            func=ast.Attribute(attr="zeros", value=owner), args=[ast.Name(id=n), *rest], keywords=[]
                        ),
                    ),
                    slice=ast.Name(id=labels),
                ),
            ),
            args=[ast.Constant(value=1 | 1.0)],
            keywords=[],
        ) if len(rest) < 2 and is_module(spot, owner):
            return n, labels, spot.code.src(rest[0]) if rest else "float"
    return None


def _largest_of(spot: Spot, node: ast.expr) -> str | None:
    """`labels` of `int(labels.max())`, `jnp.max(labels)` and their like."""
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[value], keywords=[]) if spot.is_builtin("int"):
            return _largest_of(spot, value)
        case ast.Call(func=ast.Attribute(attr="max", value=ast.Name(id=name)), args=[], keywords=[]):
            return name
        case ast.Call(func=ast.Attribute(attr="max", value=owner), args=[ast.Name(id=name)], keywords=[]) if is_module(
            spot, owner
        ):
            return name
    return None


RULES: list[Rule] = [of_labels, by_adding]
SELECTED: list[Rule] = [of_selected_labels]
