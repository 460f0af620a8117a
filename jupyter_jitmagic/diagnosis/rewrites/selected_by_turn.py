"""Selections that stand in a list or dict, one for each of what a loop runs over, and are made where they are read instead.

`groups = [x[(x >= a) & (x < b)] for a, b in zip(edges, edges[1:])]`, later `[g.mean() for g in groups]` →
`[x[(x >= a) & (x < b)].mean() for a, b in zip(edges, edges[1:])]`. Where data says over how many it runs: `listed_selections`.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import words
from jupyter_jitmagic.source.names import COMPREHENSIONS, SCOPES, loaded, stored, target_names, walk

_Edits = list[tuple[ast.AST | tuple[int, int], str]]
_PARTS = (
    ast.Name | ast.Constant | ast.Call | ast.Tuple | ast.List | ast.Attribute | ast.Subscript | ast.Slice
    | ast.UnaryOp | ast.BinOp | ast.operator | ast.unaryop | ast.expr_context
)  # fmt: skip
"""Of what it may run over, which is written again wherever it is asked for."""

_IN_PLACE = words("append extend insert pop remove clear sort reverse update setdefault popitem add discard fill put resize")


class Refused(Exception):
    """It is read otherwise, or may be another by then."""


@dataclass(frozen=True)
class Made:
    """How a list or dict is made.

    Attributes:
        name: its name.
        statements: those that make it.
        target, over: of the loop or comprehension.
        item: what stands in it, for each of these.
        key: of a dict, what it is found by; None for a list.
        apart: names that the loop binds for the item, with their values.
    """

    name: str
    statements: list[ast.stmt]
    target: ast.expr
    over: ast.expr
    item: ast.expr
    key: ast.expr | None = None
    apart: Mapping[str, ast.expr] = field(default_factory=dict)


def made_where_it_is_read(spot: Spot) -> Iterator[Step]:
    """The selection where each item is read, and what it is made for where the list or dict is run over."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    at = code.statement(spot.node)
    made = made_by(spot, at) or made_by(spot, code.parents.get(at))
    if made is None or code.function(made.item) is not function:
        return
    if not any(spot.node in walk(each) for each in (made.item, *made.apart.values())):
        return
    fact = spot.fact(made.item)
    if fact is None or fact.ndim < 1 or not all(isinstance(part, _PARTS) for part in walk(made.over)):
        return  # a list of numbers that are made of selections stays
    with contextlib.suppress(Refused):
        yield spot.step("selection", *Reads(spot, function, made).edits())


def made_by(spot: Spot, statement: ast.AST | None) -> Made | None:
    """The list or dict that a statement makes, if it makes one, on lines of its own."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.DictComp(key=key, value=item, generators=[loop])) if (
            not loop.ifs
        ):
            found: Made | None = Made(name, [statement], loop.target, loop.iter, item, key)
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp(elt=item, generators=[loop])) if not loop.ifs:
            found = Made(name, [statement], loop.target, loop.iter, item)
        case ast.For(orelse=[]):
            found = _by_a_loop(spot, statement)
        case _:
            return None
    return found if found is not None and spot.code.on_own_lines(found.statements) else None


def _by_a_loop(spot: Spot, loop: ast.For) -> Made | None:
    """`groups = []`, `for a, b in …: groups.append(x[…])`; also with names for the mask or the selection itself."""
    code = spot.code
    *before, last = loop.body
    apart: dict[str, ast.expr] = {}
    for each in before:
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in apart:
                apart[name] = value
            case _:
                return None
    key: ast.expr | None = None
    match last:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[])):
            empty = "[]"
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=found)], value=item):
            empty, key = "{}", found
        case _:
            return None
    block = code.block(loop)
    first = block[block.index(loop) - 1] if block.index(loop) else loop
    begins = isinstance(first, ast.Assign) and code.src(first) == f"{name} = {empty}"
    if not begins or (set(target_names(loop.target)) | {*apart}) & code.live_after(loop) or name in loaded([*before, item]):
        return None
    return Made(name, [first, loop], loop.target, loop.iter, item, key, apart)


class Reads:
    """What stands elsewhere in the function of the list or dict.

    Args:
        by_data: data says over what it runs: that is asked for once, and holds the keys of a dict.
    """

    def __init__(self, spot: Spot, function: ast.FunctionDef, made: Made, by_data: bool = False) -> None:
        self.spot, self.code, self.function, self.made, self.by_data = spot, spot.code, function, made, by_data
        self.targets = target_names(made.target)
        self.overs: list[ast.expr] = []
        """In whose place stands what it runs over."""
        self.inside = {node for statement in made.statements for node in walk(statement)}
        self.taken: set[str] = set()
        self.found: _Edits = []

    def edits(self) -> _Edits:
        made, code = self.made, self.code
        last, owner = made.statements[-1], code.parents[made.statements[-1]]
        needs = loaded([made.item, made.over, *made.apart.values()]) - {*self.targets, *made.apart}
        if len({*self.targets}) < len(self.targets) or {*self.targets} & loaded([made.over]) or made.name in needs:
            raise Refused
        if any(map(_has_own_names, (made.item, *made.apart.values()))):
            raise Refused
        for node in walk(self.function):
            if not isinstance(node, ast.Name) or node in self.inside:
                continue
            if node.id in needs | {made.name} and self._is_changed(node) and self._may_come_later(node, last):
                raise Refused
            if node.id in needs and self._has_another_name(node):
                raise Refused
            if node.id != made.name or not isinstance(node.ctx, ast.Load):
                continue
            if node.lineno <= (last.end_lineno or last.lineno) or owner not in code.ancestors(node):
                raise Refused
            if code.function(node) is not self.function:
                raise Refused
            self._read(node)
        if not self.found and not self.overs:
            raise Refused
        over, kept = code.expr(made.over), ""
        if self.by_data and len(self.overs) > 1 and not isinstance(made.over, ast.Name):
            over = code.fresh("values", f"values_of_{made.name}")
            kept = f"{code.indent(made.statements[0])}{over} = {code.expr(made.over)}\n"
        return [(code.region(made.statements), kept), *self.found, *((node, over) for node in self.overs)]

    def _is_changed(self, node: ast.Name) -> bool:
        """Whether a name is bound here, or what it holds changed in place."""
        at: ast.AST = self.code.parents[node]
        while isinstance(at, ast.Subscript | ast.Attribute) and isinstance(at.ctx, ast.Load):
            at = self.code.parents[at]
        set_in_place = isinstance(at, ast.Subscript | ast.Attribute) and isinstance(at.ctx, ast.Store)
        match self.code.parents[node]:
            case ast.Attribute(attr=attr) if attr in _IN_PLACE:
                return True
        return not isinstance(node.ctx, ast.Load) or set_in_place

    def _has_another_name(self, node: ast.Name) -> bool:
        """Whether a list or dict gets another name here, or is handed to a function of the user's, which may change it."""
        fact = self.spot.fact(node)
        if fact is None or fact.sort not in ("list", "dict", "host", "other"):
            return False
        match self.code.parents[node]:
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() | ast.Tuple() | ast.List() | ast.Dict() | ast.Starred():
                return isinstance(node.ctx, ast.Load)
            case ast.Call(func=ast.Name(id=called)):
                return not self.spot.is_builtin(called)
        return False

    def _may_come_later(self, node: ast.Name, made: ast.stmt) -> bool:
        """Whether what stands here may run between what makes the list and what reads it."""
        loops = [at for at in self.code.ancestors(made) if isinstance(at, ast.For | ast.While)]
        return node.lineno > made.lineno or any(node in walk(each.target) for each in loops if isinstance(each, ast.For))

    def _read(self, use: ast.Name) -> None:
        code, made = self.code, self.made
        whole, wanted = self._asked(use)
        around = code.parents[whole]
        part = whole
        match around:
            case ast.Subscript(slice=ast.Slice()) if around.value is whole is use and self._has_parts():
                part, around = around, code.parents[around]
        match around:
            case _ if part is not whole and not isinstance(around, ast.For | ast.comprehension | ast.Call):
                raise Refused
            case ast.Call(func=ast.Name(id="len")) if self.spot.is_builtin("len"):
                self._count(whole)
            case ast.Subscript(slice=label, ctx=ast.Load()) if around.value is whole is use:
                self.found.append((around, self._item(self._found_by(label))))
            case ast.Assign(targets=[ast.Tuple(elts=targets)]) if around.value is whole and self._has_as_many(len(targets)):
                places = [self._item({self.targets[0]: str(place)}) for place in range(len(targets))]
                self.found.append((use, ", ".join(places)))
            case ast.For() | ast.comprehension() if around.iter is part:
                self._run_over(around, whole, wanted, None)
            case ast.Call(func=ast.Name(id="enumerate" | "zip" as how), args=args, keywords=[]) if self.spot.is_builtin(how):
                runs = code.parents[around]
                if not isinstance(runs, ast.For | ast.comprehension) or runs.iter is not around:
                    raise Refused
                self._run_over(runs, whole, wanted, args.index(part) + (how == "enumerate"))
            case ast.Call(func=ast.Name(id="map"), args=[called, _], keywords=[]) if (
                part is whole and self.spot.is_builtin("map") and wanted == "values" and not _has_own_names(called)
            ):
                text = f"{code.operand(called)}({self._item({})}) for {code.src(made.target)} in {code.expr(made.over)}"
                if loaded([called]) & {*self.targets}:
                    raise Refused
                self.found.append((around, f"({text})"))
            case _:
                raise Refused
        if made.key is not None and isinstance(around, ast.Subscript):
            self.spot.refuse_where_caught(KeyError)

    def _asked(self, use: ast.Name) -> tuple[ast.expr, str]:
        """(what is asked for an item after the other, whether it gives items or keys or both)."""
        match self.code.parents[use]:
            case ast.Attribute(attr="values" | "keys" | "items" as how) as method if self.made.key is not None:
                call = self.code.parents[method]
                if not isinstance(call, ast.Call) or call.args or not self._is_one_each():
                    raise Refused
                return call, how
        if self.made.key is not None and not isinstance(self.code.parents[use], ast.Subscript) and not self._is_one_each():
            raise Refused
        return use, "values" if self.made.key is None else "keys"

    def _is_one_each(self) -> bool:
        """Whether a dict has an item for each round: its keys are the numbers of the rounds, or of a `range`."""
        if self.by_data:
            return self._is_its_key() and are_distinct(self.function, self.made.over)
        if self._of_items() is not None:
            return True
        match self.made.key, self.made.target, self.made.over:
            case ast.Name(id=key), ast.Name(id=one), ast.Call(func=ast.Name(id="range")):
                return key == one and self.spot.is_builtin("range")
            case ast.Name(id=key), ast.Tuple(elts=[ast.Name(id=one), _]), ast.Call(func=ast.Name(id="enumerate")):
                return key == one and self.spot.is_builtin("enumerate")
            case ast.Name(id=key), ast.Name(id=one), ast.Tuple(elts=keys) | ast.List(elts=keys):
                texts = [ast.dump(each) for each in keys]
                return key == one and all(isinstance(each, ast.Constant) for each in keys) and len({*texts}) == len(texts)
            case ast.Name(id=key), ast.Name(id=one), ast.Name() as over:
                held = self.spot.value(over)
                plain = isinstance(held, list | tuple | range) and all(isinstance(each, int | str) for each in held)
                return key == one and plain and len({*held}) == len(held)
        return False

    def _of_items(self) -> ast.expr | None:
        """The dict of whose items each is made into one with the same key."""
        match self.made.key, self.made.target, self.made.over:
            case (
                ast.Name(id=key),
                ast.Tuple(elts=[ast.Name(id=one), ast.Name()]),
                ast.Call(func=ast.Attribute(value=held, attr="items"), args=[], keywords=[]),
            ) if key == one:
                fact = self.spot.fact(held)
                return held if fact is not None and fact.sort == "dict" else None
        return None

    def _is_its_key(self) -> bool:
        """Whether a dict finds each item by the very value that it is made for."""
        key, target = self.made.key, self.made.target
        if key is None or not isinstance(target, ast.Name):
            return False
        same = isinstance(key, ast.Name) and key.id == target.id
        return same or (self.by_data and is_key(self.spot, key, target.id, self.made.over))

    def _count(self, asked: ast.expr) -> None:
        """What has as many items, of which the length is asked."""
        match self.made.over:
            case ast.Call(func=ast.Name(id="zip" | "enumerate" | "map" | "reversed" as how)) if self.spot.is_builtin(how):
                self.found.append((asked, f"list({self.code.src(self.made.over)})"))
            case _:
                self.overs.append(asked)

    def _has_as_many(self, number: int) -> bool:
        match self.made.over:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=value)]):
                return self.made.key is None and value == number and len(self.targets) == 1
        return False

    def _found_by(self, label: ast.expr) -> dict[str, str]:
        """What the names of the loop stand for where an item is found by its place or key."""
        made, text = self.made, self.code.operand(label)
        if (held := self._of_items()) is not None:
            return dict(zip(self.targets, (text, f"{self.code.operand(held)}[{self.code.src(label)}]"), strict=True))
        if made.key is not None:
            if self._is_its_key() and (isinstance(label, ast.Name) or not self.by_data):  # of a number none may be there
                return {self.targets[0]: text}
            raise Refused
        if (last := self._last(label)) is not None:
            return last
        numbered = isinstance(label, ast.Constant) and type(label.value) is int and label.value >= 0
        if not numbered and not _counts_up(self.function, label):
            raise Refused
        match made.target, made.over:
            case ast.Name(id=one), ast.Call(func=ast.Name(id="range"), args=[_]) if self.spot.is_builtin("range"):
                return {one: text}
            case ast.Name(id=one), ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as first), _]) if (
                self.spot.is_builtin("range")
            ):
                return {one: str(first + int(text)) if numbered else f"({first} + {text})"}
            case ast.Name(id=one), ast.Name() | ast.Attribute() if self._has_places(made.over):
                return {one: f"{self.code.src(made.over)}[{text}]"}
            case ast.Tuple(elts=names), ast.Call(func=ast.Name(id="zip"), args=arrays) if len(names) == len(arrays):
                if self.spot.is_builtin("zip") and all(isinstance(each, ast.Name) for each in names):
                    if not all(map(self._has_places, arrays)):
                        raise Refused
                    return {
                        name: f"{self.code.operand(array)}[{text}]" for name, array in zip(self.targets, arrays, strict=True)
                    }
        raise Refused

    def _has_parts(self) -> bool:
        """Whether a part of what is run over is written as a part of the list is (`groups[1:]`)."""
        match self.made.over:
            case ast.Call(func=ast.Name(id="range")):
                return self.made.key is None and self.spot.is_builtin("range")
            case ast.Name() | ast.Attribute() as over:
                return self.made.key is None and self._has_places(over)
        return False

    def _last(self, label: ast.expr) -> dict[str, str] | None:
        """The same for the place -1, of what is run over by its places alone."""
        match label, self.made.target, self.made.over:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)), ast.Name(id=one), over:
                pass
            case _:
                return None
        match over:
            case ast.Call(func=ast.Name(id="range"), args=[count]) if self.spot.is_builtin("range"):
                return {one: f"({self.code.src(count)} - 1)"}
            case ast.Name() | ast.Attribute() if self._has_places(over):
                return {one: f"{self.code.src(over)}[-1]"}
        return None

    def _has_places(self, node: ast.expr) -> bool:
        """Whether what is run over is found by its number, too, as no dict is."""
        match node:
            case ast.Subscript(slice=ast.Slice()):
                return True
        return isinstance(self.spot.held(node), list | tuple | range | jax.Array | np.ndarray)

    def _run_over(self, runs: ast.For | ast.comprehension, whole: ast.expr, wanted: str, place: int | None) -> None:
        """A loop or comprehension over it, whose target it is at a place of a `zip` or `enumerate`."""
        code, target = self.code, runs.target
        if place is not None:
            if not isinstance(target, ast.Tuple) or len(target.elts) <= place:
                raise Refused
            target = target.elts[place]
        items = set(target_names(target))
        item, key = self._item_and_key(target, wanted)
        if wanted == "keys" and (held := self._of_items()) is not None:
            self.found.append((whole, code.src(held)))  # which has the same keys
            return
        if by_its_key := bool(key) and self._is_its_key():
            names = {self.targets[0]: key}
        else:
            names = {name: self._fresh(name, runs, items) for name in self.targets}
            names |= {self.targets[0]: key} if key and self._of_items() is not None else {}
        pattern = self._edited(self.made.target, names)
        if isinstance(self.made.target, ast.Tuple):
            pattern = f"({pattern})" if place is not None and not (pattern[0] == "(" and pattern.count("(") == 1) else pattern
        bound = {item: self._item(names)} if item else {}
        if key and self.made.key is not None and not by_its_key:
            bound = {key: self._edited(self.made.key, names), **bound}
        bound = {name: text for name, text in bound.items() if name != text}
        self.found.append((target, pattern))
        self.overs.append(whole)
        if isinstance(runs, ast.For):
            first = runs.body[0]
            new = {*names.values()} - items
            if not code.on_own_lines([first]) or new & ({*stored(runs.body)} | code.live_after(runs)):
                raise Refused
            start = code.region([first], comments=True)[0]
            lines = "".join(f"{code.indent(first)}{name} = {text}\n" for name, text in bound.items())
            self.found.append(((start, start), lines))
            return
        around = code.parents[runs]
        read = [each for each in (*ast.iter_child_nodes(around), *runs.ifs) if each is not runs]
        if any(map(_has_own_names, read)):
            raise Refused  # other loops of the same comprehension among them
        parts = [part for each in read for part in walk(each)]
        self.found += [
            (part, bound[part.id])
            for part in parts
            if isinstance(part, ast.Name) and part.id in bound and isinstance(part.ctx, ast.Load)
        ]

    @staticmethod
    def _item_and_key(target: ast.expr, wanted: str) -> tuple[str, str]:
        """What a loop over it calls the item and the key; "" for what it does not ask for."""
        match target:
            case ast.Name(id=item) if wanted == "values":
                return item, ""
            case ast.Name(id=key) if wanted == "keys":
                return "", key
            case ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=item)]) if wanted == "items" and key != item:
                return item, key
        raise Refused

    def _fresh(self, name: str, runs: ast.For | ast.comprehension, items: set[str]) -> str:
        """A name of the loop, another where that stands for something else: a comprehension has its names for itself."""
        if isinstance(runs, ast.comprehension):
            around = self.code.parents[runs]
            others = {node.id for node in walk(around) if isinstance(node, ast.Name)} - items
            taken: set[str] = set()
        else:
            others = {node.id for node in walk(self.function) if isinstance(node, ast.Name) and node not in self.inside}
            others |= {each.arg for each in walk(self.function.args) if isinstance(each, ast.arg)}
            taken = self.taken
        if name not in others | taken:
            taken.add(name)
            return name
        found = self.code.fresh(f"{name}_of_each", taken=taken)
        taken.add(found)
        return found

    def _item(self, names: Mapping[str, str]) -> str:
        """The selection for what these names stand for."""
        known = dict(names)
        for name, value in self.made.apart.items():
            text = self._edited(value, known)
            known[name] = text if text.isidentifier() else f"({text})"
        text = self._edited(self.made.item, known)
        plain = isinstance(self.made.item, ast.Subscript | ast.Call | ast.Name)
        return text if plain else f"({text})"

    def _edited(self, node: ast.expr, names: Mapping[str, str]) -> str:
        parts = [part for part in walk(node) if isinstance(part, ast.Name) and part.id in names]
        return self.code.edited(*self.code.span(node), [(*self.code.span(part), names[part.id]) for part in parts])


def is_key(spot: Spot, key: ast.expr, each: str, over: ast.expr) -> bool:
    """Whether a key is the value itself, as a number of Python's; `int` makes one of several that are no integers."""
    if ast.unparse(key) == f"int({each})":
        fact = spot.fact(over)
        return fact is not None and fact.dtype in ("i", "u")
    return ast.unparse(key) in (each, f"float({each})", f"{each}.item()")


def are_distinct(function: ast.FunctionDef, over: ast.expr) -> bool:
    """Whether a dict gets an item of its own for each of the values."""
    if isinstance(over, ast.Name):
        made = [each for each in walk(function) if isinstance(each, ast.stmt) and over.id in stored([each])]
        match [each for each in made if not isinstance(each, ast.FunctionDef)]:
            case [ast.Assign(targets=[ast.Name()], value=value)]:
                return not isinstance(value, ast.Name) and are_distinct(function, value)
        return False
    match over:
        case ast.Call(func=ast.Attribute(attr="unique"), keywords=[]):
            return True
    return False


def _has_own_names(node: ast.AST) -> bool:
    return any(isinstance(part, (*SCOPES, *COMPREHENSIONS, ast.comprehension)) for part in walk(node))


def _counts_up(function: ast.FunctionDef, label: ast.expr) -> bool:
    """Whether it is the variable of loops over `range` alone, and so no place counted from the end."""
    if not isinstance(label, ast.Name):
        return False
    loops = [node for node in walk(function) if isinstance(node, ast.For | ast.comprehension)]
    runs = [each.iter for each in loops if label.id in target_names(each.target)]
    ranges = [
        each for each in runs if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "range"
    ]
    stores = [node for node in walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return 0 < len(runs) == len(ranges) == sum(node.id == label.id for node in stores)


RULES: list[Rule] = [made_where_it_is_read]
