"""Lists of words that data chooses: `signal.append("buy" if v > m else "sell")`, `signal.count("buy")` → numbers with these
names, as for a variable that stands for one of a few."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from jupyter_jitmagic.diagnosis.rewrites.lookups import NO_KEY
from jupyter_jitmagic.diagnosis.rewrites.named_states import constant_names, sides, token
from jupyter_jitmagic.diagnosis.rewrites.rules import BOOL, Rule, Spot, Step
from jupyter_jitmagic.source.code import first_line
from jupyter_jitmagic.source.names import bound_once, loaded, stored, walk

_Edit = tuple[ast.AST | tuple[int, int], str]


class _Refused(Exception):
    """A word is used in a way in which a number does not stand for it."""


def as_numbers(spot: Spot) -> Iterator[Step]:
    """The first list of the function that the choice at the place puts words into."""
    function, asked = spot.function, spot.asked()
    if spot.kind != BOOL or asked is None or not isinstance(function, ast.FunctionDef):
        return
    if any(isinstance(each, ast.Try) for each in walk(function)):
        return  # a word that is not there may be handled
    words = {token(spot, node) for node in walk(asked[1]) if isinstance(node, ast.Constant)} - {None}
    lists = [
        node.targets[0].id for node in walk(function) if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    for name in dict.fromkeys(lists) if words else ():
        made = bound_once(function, name)
        if not isinstance(made, ast.List | ast.ListComp):
            continue
        try:
            found = _Words(spot, function, name, made)
        except _Refused:
            continue
        if words & set(found.named):
            spot.refuse_where_caught(KeyError, ValueError)
            yield spot.step("numbers", *found.edits(), excludes=NO_KEY if found.tables else {})
            return


class _Words:
    """A list of words, and every place at which one of them is given or asked for.

    Raises:
        _Refused: more is asked of them.
    """

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.List | ast.ListComp) -> None:
        self.spot, self.code, self.function, self.name = spot, spot.code, function, name
        self.tokens: dict[ast.expr, str] = {}
        self.tables: list[tuple[ast.Subscript, ast.Dict]] = []
        self.items = Counter[str]()
        given = [*(made.elts if isinstance(made, ast.List) else [made.elt]), *self._appended()]
        self.column = next((at for each in given if (at := self._place_of_word(each)) is not None), None)
        for each in given:
            self._given(self._word_in(each))
        for use in self._loads(name):
            self._asked_of_list(use)
        followed: set[str] = set()
        while new := set(self.items) - followed:  # a variable for an item may be given to another
            for item in new:
                followed.add(item)
                for use in self._loads(item):
                    self._asked_of_item(use)
        bound = Counter(n.id for n in walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        if any(bound[item] != times for item, times in self.items.items()):
            raise _Refused  # it is something else as well
        self.named = list(dict.fromkeys(self.tokens.values()))

    def edits(self) -> list[_Edit]:
        code, by_word = self.code, constant_names(self.spot, self.named)
        edits: list[_Edit] = [(node, by_word[word]) for node, word in self.tokens.items()]
        for asked, table in self.tables:
            held = {token(self.spot, key): code.expr(value) for key, value in zip(table.keys, table.values, strict=True) if key}
            numbers = ", ".join(held.get(word, "0") for word in self.named)
            edits.append((asked, f"{self.spot.jnp('array')}([{numbers}])[{code.expr(asked.slice)}]"))
        first = self.function.body[ast.get_docstring(self.function, clean=False) is not None]
        start, numbers = code.offset(first_line(first), 0), ", ".join(map(str, range(len(by_word))))
        return [*edits, ((start, start), f"{code.indent(first)}{', '.join(by_word.values())} = {numbers}\n")]

    def _loads(self, name: str) -> list[ast.Name]:
        return [n for n in walk(self.function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]

    def _appended(self) -> Iterator[ast.expr]:
        for use in self._loads(self.name):
            match self.code.parents[use]:
                case ast.Attribute(attr="append") as method:
                    call = self.code.parents[method]
                    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
                        raise _Refused
                    yield call.args[0]

    def _place_of_word(self, item: ast.expr) -> int | None:
        """Where the word stands in `("spilled", v)`; None where an item is a word itself."""
        parts = item.elts if isinstance(item, ast.Tuple) else []
        words = [at for at, part in enumerate(parts) if any(token(self.spot, side) for side in sides(part))]
        return words[0] if words else None

    def _word_in(self, item: ast.expr) -> ast.expr:
        if self.column is None:
            return item
        if not isinstance(item, ast.Tuple) or len(item.elts) <= self.column:
            raise _Refused
        return item.elts[self.column]

    def _given(self, value: ast.expr) -> None:
        """A word, or one of several, or an item."""
        for side in sides(value):
            word = token(self.spot, side) if isinstance(side, ast.Constant) else None
            if word is not None and word != "None":
                self.tokens[side] = word
            elif not self._is_item(side):
                raise _Refused

    def _is_item(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.items
            case ast.Subscript(value=ast.Name(id=name), slice=at):
                return name == self.name and self.column is None and not isinstance(at, ast.Slice)
            case ast.Subscript(value=ast.Subscript(value=ast.Name(id=name)), slice=ast.Constant(value=place)):
                return name == self.name and place == self.column
        return False

    def _asked_of_list(self, use: ast.expr) -> None:
        code, parent = self.code, self.code.parents[use]
        match parent:
            case ast.Attribute(attr="append"):
                pass
            case ast.Attribute(attr="count" | "index") as method if self.column is None:
                call = code.parents[method]
                if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
                    raise _Refused
                self._given(call.args[0])
            case ast.Call(func=ast.Name(id="len"), args=[_]):
                pass
            case ast.Subscript(value=value, slice=ast.Slice(), ctx=ast.Load()) as part if value is use:
                self._asked_of_list(part)
            case ast.Subscript(value=value, ctx=ast.Load()) as item if value is use:
                self._asked_of_item(item if self.column is None else self._part_of(item))
            case ast.For(iter=over, target=target) | ast.comprehension(iter=over, target=target) if over is use:
                self._named(target)
            case ast.Call(func=ast.Name(id="zip" | "enumerate" as how), args=args, keywords=[]) as call if use in args:
                match code.parents[call]:
                    case ast.For(target=ast.Tuple(elts=targets)) | ast.comprehension(target=ast.Tuple(elts=targets)):
                        self._named(targets[1 if how == "enumerate" else args.index(use)])
                    case _:
                        raise _Refused
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[over]) if (
                over is use and self.column is None
            ):
                self._given(left)
            case _:
                raise _Refused

    def _part_of(self, item: ast.expr) -> ast.expr:
        match self.code.parents[item]:
            case ast.Subscript(value=value, slice=ast.Constant(value=place)) as part if value is item and place == self.column:
                return part
        raise _Refused

    def _named(self, target: ast.expr) -> None:
        if self.column is not None:
            if not isinstance(target, ast.Tuple) or len(target.elts) <= self.column:
                raise _Refused
            target = target.elts[self.column]
        if not isinstance(target, ast.Name):
            raise _Refused
        self.items[target.id] += 1

    def _asked_of_item(self, use: ast.expr) -> None:
        match self.code.parents[use]:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[other]):
                self._given(other if left is use else left)
            case ast.Compare(
                left=left, ops=[ast.In() | ast.NotIn()], comparators=[ast.Tuple(elts=given) | ast.List(elts=given)]
            ):
                if left is not use:
                    raise _Refused
                for each in given:
                    self._given(each)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is use:
                self.items[name] += 1
            case ast.Subscript(value=table, slice=index, ctx=ast.Load()) as asked if index is use:
                held = bound_once(self.function, table.id) if isinstance(table, ast.Name) else table
                if not isinstance(held, ast.Dict) or not all(map(self._is_number, held.values)):
                    raise _Refused
                for key in held.keys:
                    if key is None or token(self.spot, key) is None:
                        raise _Refused
                self.tables.append((asked, held))
            case _:
                raise _Refused

    def _is_number(self, node: ast.expr) -> bool:
        value = node.operand if isinstance(node, ast.UnaryOp) else node
        if isinstance(value, ast.Constant):
            return isinstance(value.value, bool | int | float)
        fact = self.spot.fact(node)
        own = set(stored(self.function.body))
        return fact is not None and fact.ndim == 0 and fact.sort == "number" and not own & loaded([node])


RULES: list[Rule] = [as_numbers]
