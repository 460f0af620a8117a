"""Lists of numbers or tuples that data puts in order, or of which a loop keeps the k best: arrays, a column for each part.

`best.append((d, i))`, `best = sorted(best)[:k]` in each round is the same as all of them put in order behind the loop, of which
the first k are kept; so is a heap of bounded size, whose own order nobody sees.
"""

from __future__ import annotations

import ast
import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from jupyter_jitmagic.diagnosis.rewrites.columns import OtherUse, Reads
from jupyter_jitmagic.diagnosis.rewrites.rules import Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import loaded, stored, walk_scope

_NAN = {"nan": "NaN, which sorting by comparisons leaves in no order that is known"}
_PUSHES = (heapq.heappush, heapq.heapreplace, heapq.heappushpop)


def in_columns(spot: Spot) -> Iterator[Step]:
    """`near.append((d, y))` … `near.sort()` → `near_d.append(d)`, `near_y.append(y)` … `jnp.lexsort((near_y, near_d))`."""
    function, statement = spot.function, spot.code.statement(spot.node)
    if not isinstance(function, ast.FunctionDef):
        return
    part: ast.AST = statement.test if isinstance(statement, ast.If | ast.While) else statement
    if isinstance(statement, ast.For):
        part = statement.iter
    for name in sorted(loaded([part])):
        if isinstance(spot.locals.get(name), list):
            try:
                yield _Ranked(spot, function, name).step()
            except OtherUse:
                continue
            return


@dataclass(frozen=True)
class _Order:
    """How a list is put in order: by which key, and whether backwards."""

    key: ast.Lambda | None
    backwards: bool


@dataclass
class _Ranked:
    """A list that is filled in one place and put in order in another.

    Attributes:
        made: the statement that makes it, empty.
        around: the outermost loop in which it is filled.
        parts: what each item consists of.
        columns: a name for each of these.
    """

    spot: Spot
    function: ast.FunctionDef
    name: str
    items: list[ast.expr] = field(default_factory=list)
    order: _Order | None = None
    kept: str = ""
    heap: bool = False
    alias: str = ""
    added: ast.stmt | None = None
    gone: set[ast.AST] = field(default_factory=set)
    edits: list[Edit] = field(default_factory=list)

    # -- what is done with it ------------------------------------------------------------------------------

    def step(self) -> Step:
        code, function = self.spot.code, self.function
        uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == self.name]
        inner = {n for s in walk_scope(function.body) if isinstance(s, ast.FunctionDef | ast.Lambda) for n in ast.walk(s)}
        stores = [n for n in uses if isinstance(n.ctx, ast.Store)]
        made = code.statement(stores[0]) if stores else None
        if not inner.isdisjoint(uses) or not isinstance(made, ast.Assign) or not code.on_own_lines([made]):
            raise OtherUse
        self.made = made
        match made:
            case ast.Assign(targets=[ast.Name()], value=ast.List(elts=[])):
                self.around = self._loop(made)
                self._fills(self.around)
            case ast.Assign(targets=[ast.Name()], value=ast.ListComp(elt=item)):
                self.around, self.items = made, [item]
                self.gone |= set(ast.walk(made))
            case _:
                raise OtherUse
        if self.heap:
            self.order = _Order(None, True)
        behind = code.block(made)[code.block(made).index(self.around) + 1 :]
        self.alias = self._other_name(behind)
        sorts = [] if self.heap else self._ranks([each for each in behind if self._is_named(each)])
        if self.order is None or not self.items or (self.heap and not self.kept):
            raise OtherUse
        if self.alias:
            uses += [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == self.alias]
        first = self.items[0]
        parts = [each.elts if isinstance(each, ast.Tuple) else [each] for each in self.items]
        self.width = len(parts[0]) if isinstance(first, ast.Tuple) else 0
        if self.alias and not self.width:
            raise OtherUse  # a sorted list of numbers is one array already
        if any(
            len(each) != len(parts[0]) or isinstance(one, ast.Tuple) != isinstance(first, ast.Tuple)
            for one, each in zip(self.items, parts, strict=True)
        ):
            raise OtherUse
        self._are_numbers([part for each in parts for part in each])
        self.columns = self._names(parts[0])
        self._make(parts)
        reads = Reads(self.spot, self.around, self.name, self.columns, self.width, self.heap)
        for node in uses:
            if node not in self.gone:
                reads.read(node)
        text = self._in_order(self.order, self.kept, reads.used)
        if sorts:
            indent = code.indent(sorts[0])
            self.edits.append((*code.region(sorts[:1]), "".join(f"{indent}{line}\n" for line in text)))
            self.edits += [(*code.region([each], comments=True), "") for each in sorts[1:]]
        else:
            end, indent = code.region([self.around])[1], code.indent(self.around)
            self.edits.append((end, end, "".join(f"{indent}{line}\n" for line in text)))
        self.edits += reads.edits
        return self.spot.step("argsort", *(((start, end), new) for start, end, new in self.edits), excludes=_NAN)

    def _loop(self, made: ast.Assign) -> ast.stmt:
        """The statement beside the one that makes it in which it is filled."""
        block = self.spot.code.block(made)
        around = next((each for each in block[block.index(made) + 1 :] if self.name in loaded([each])), None)
        if not isinstance(around, ast.For):
            raise OtherUse
        self.gone |= set(ast.walk(made))
        return around

    def _fills(self, around: ast.stmt) -> None:
        """What the loop does with the list: it adds an item, puts it in order, keeps the first ones."""
        code = self.spot.code
        adding = [n for n in walk_scope([around]) if isinstance(n, ast.Expr) and self._added(n) is not None]
        if not adding:
            raise OtherUse
        guard = next((at for at in code.ancestors(adding[0]) if isinstance(at, ast.If) and self._is_guard(at)), None)
        if guard is not None:
            self._guarded(guard)
            if any(n in set(ast.walk(around)) - set(ast.walk(guard)) - set(ast.walk(self.made)) for n in self._uses()):
                raise OtherUse
            return
        if len(adding) != 1 or not code.on_own_lines(adding):
            raise OtherUse
        item = self._added(adding[0])
        assert item is not None
        self.items.append(item)
        self.gone |= set(ast.walk(adding[0]))
        block = code.block(adding[0])
        after = block[block.index(adding[0]) + 1 :]
        ranks = self._ranks([each for each in after if self.name in {*loaded([each]), *stored([each])}])
        for each in ranks:
            self.edits.append((*code.region([each], comments=True), ""))
        self.added = adding[0]
        inside = [n for n in self._uses() if n in set(ast.walk(around)) and n not in self.gone]
        if inside or (ranks and self.name in loaded([self.items[0]])):
            raise OtherUse

    def _is_named(self, statement: ast.stmt) -> bool:
        return not {self.name, self.alias}.isdisjoint({*loaded([statement]), *stored([statement])})

    def _other_name(self, behind: Sequence[ast.stmt]) -> str:
        """The name that the list has once it is in order, where its own is not read any more: `near = sorted(found)[:k]`."""
        for place, statement in enumerate(behind):
            match statement:
                case ast.Assign(targets=[ast.Name(id=other)], value=value) if other != self.name and self.name in loaded(
                    [value]
                ):
                    taken = value.value if isinstance(value, ast.Subscript) else value
                    match taken:
                        case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name()]):
                            pass
                        case ast.Name() if taken is not value:
                            pass
                        case _:
                            return ""
                    later = any(self.name in loaded([each]) for each in behind[place + 1 :])
                    return other if stored(self.function.body).count(other) == 1 and not later else ""
        return ""

    def _uses(self) -> list[ast.Name]:
        return [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == self.name]

    def _added(self, statement: ast.stmt) -> ast.expr | None:
        """The item that a statement adds."""
        match statement:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item], keywords=[])
            ) if name == self.name and not isinstance(item, ast.Starred):
                return item
            case ast.Expr(value=ast.Call(func=func, args=[ast.Name(id=name), item], keywords=[])) if name == self.name:
                if self.spot.value(func) in _PUSHES:
                    self.heap = True
                    return item
        return None

    def _is_guard(self, node: ast.If) -> bool:
        """`if len(best) < k or d < best[-1][0]:`, `if len(heap) < k:`: what is left out would not be among the first k."""
        return self.name in loaded([node.test]) and any(
            isinstance(each, ast.Call) and self._is_length(each) for each in ast.walk(node.test)
        )

    def _is_length(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
                return name == self.name and self.spot.is_builtin("len")
        return False

    def _limit(self, test: ast.expr) -> str:
        """k of `len(best) < k`, alone or with `or …` behind it."""
        match test:
            case ast.BoolOp(op=ast.Or(), values=[first, *_]):
                return self._limit(first)
            case ast.Compare(left=left, ops=[ast.Lt()], comparators=[limit]) if self._is_length(left):
                return self.spot.code.operand(limit)
        return ""

    def _guarded(self, guard: ast.If) -> None:
        """`if len(heap) < k: push` … `elif s > heap[0][0]: replace` → all of it added, of which k are kept."""
        code = self.spot.code
        limit = self._limit(guard.test)
        sides = [guard.body, *([guard.orelse] if guard.orelse else [])]
        if guard.orelse:
            match guard.orelse:
                case [ast.If(test=test, body=body, orelse=[])] if self._reads_the_worst(test):
                    sides = [guard.body, body]
                case [ast.Expr(value=ast.Call(func=func))] if self.spot.value(func) is heapq.heappushpop:
                    pass
                case _:
                    raise OtherUse
        elif not isinstance(guard.test, ast.BoolOp) or len(guard.test.values) != 2:
            raise OtherUse  # those that come first are kept, then
        elif not self._reads_the_worst(guard.test.values[1]):
            raise OtherUse
        added = [[item for each in side if (item := self._added(each)) is not None] for side in sides]
        if not limit or code.is_elif(guard) or any(len(each) != 1 for each in added):
            raise OtherUse
        if len({ast.dump(each[0]) for each in added}) != 1 or not code.on_own_lines([guard]):
            raise OtherUse
        rest = [each for side in sides for each in side if self._added(each) is None]
        ranked = self._ranks(rest) if rest else []
        bounded = bool(rest) != bool(guard.orelse)  # the last of more than k goes, or the worst is replaced
        if ranked != rest or not bounded or (not self.heap and (self.order is None or bool(guard.orelse))):
            raise OtherUse
        if self.kept and self.kept != limit:
            raise OtherUse
        self.items.append(added[0][0])
        self.kept, self.added = limit, guard
        self.gone |= set(ast.walk(guard))

    def _reads_the_worst(self, test: ast.expr) -> bool:
        """A comparison with the item that goes next: `d < best[-1][0]`, `s > heap[0][0]`."""
        place = "0" if self.heap or self._pushes() else "-1"
        reads = [n for n in ast.walk(test) if isinstance(n, ast.Name) and n.id == self.name]
        parents = self.spot.code.parents
        worst = [isinstance(at := parents[n], ast.Subscript) and ast.unparse(at.slice) == place for n in reads]
        return isinstance(test, ast.Compare) and len(test.ops) == 1 and worst == [True]

    def _pushes(self) -> bool:
        calls = [n for n in ast.walk(self.around) if isinstance(n, ast.Call)]
        return any(self.spot.value(each.func) in _PUSHES for each in calls)

    def _ranks(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements, from the first on, that put the list in order and keep its first items; notes how."""
        found = []
        for statement in statements:
            if not self._ranked(statement):
                break
            found.append(statement)
            self.gone |= set(ast.walk(statement))
        return found

    def _ranked(self, statement: ast.stmt) -> bool:
        if not self.spot.code.on_own_lines([statement]):
            return False
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="sort"), args=[])) if (
                name == self.name
            ):
                return self._is_order(statement.value.keywords)  # type: ignore[attr-defined]
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Subscript(value=held, slice=ast.Slice(None, upper, None))):
                if target not in (self.name, self.alias) or upper is None or not self._is_sorted(held) or self.order is None:
                    return False
                return self._is_kept(upper)
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target in (self.name, self.alias):
                return isinstance(value, ast.Call) and self._is_sorted(value)
            case ast.Delete(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower, None, None))]) if lower:
                return name == self.name and self.order is not None and self._is_kept(lower)
            case ast.If(
                test=ast.Compare(left=left, ops=[ast.Gt()], comparators=[limit]),
                body=[ast.Expr(value=ast.Call() as call)],
                orelse=[],
            ) if self._is_length(left):
                match call:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[], keywords=[]):
                        return name == self.name and self.order is not None and not self.heap and self._is_kept(limit)
                    case ast.Call(func=func, args=[ast.Name(id=name)], keywords=[]):
                        return name == self.name and self.spot.value(func) is heapq.heappop and self._is_kept(limit)
        return False

    def _is_kept(self, limit: ast.expr) -> bool:
        text = self.spot.code.operand(limit)
        same = self.kept in ("", text) and not (isinstance(limit, ast.UnaryOp))
        self.kept = text
        return same

    def _is_sorted(self, node: ast.expr) -> bool:
        """Whether it is the list, put in order there or before."""
        match node:
            case ast.Name(id=name):
                return name == self.name
            case ast.Call(func=ast.Name(id="sorted"), args=[ast.Name(id=name)]) if self.spot.is_builtin("sorted"):
                return name == self.name and self._is_order(node.keywords)
        return False

    def _is_order(self, keywords: Sequence[ast.keyword]) -> bool:
        key: ast.Lambda | None = None
        backwards = False
        for keyword in keywords:
            match keyword:
                case ast.keyword(arg="key", value=ast.Lambda() as given):
                    key = given
                case ast.keyword(arg="reverse", value=ast.Constant(value=bool() as backwards)):
                    pass
                case _:
                    return False
        order = _Order(key, backwards)
        alike = self.order is None or _text_of(self.order) == _text_of(order)
        self.order = order
        return alike

    # -- the new text --------------------------------------------------------------------------------------

    def _are_numbers(self, parts: Sequence[ast.expr]) -> None:
        for part in parts:
            fact = self.spot.fact(part)
            if fact is None or fact.ndim != 0 or fact.dtype not in ("f", "i", "u"):
                raise OtherUse

    def _names(self, parts: Sequence[ast.expr]) -> list[str]:
        if not self.width:
            return [self.name]
        words = [part.id if isinstance(part, ast.Name) else str(place) for place, part in enumerate(parts)]
        if len(set(words)) < len(words):
            words = list(map(str, range(len(words))))
        return [self.spot.code.fresh(f"{self.name}_{word}", f"{self.name}_of_{word}") for word in words]

    def _make(self, parts: list[list[ast.expr]]) -> None:
        code = self.spot.code
        indent = code.indent(self.made)
        if self.added is None:
            assert isinstance(self.made.value, ast.ListComp)
            start, end = code.span(self.made.value.elt)
            first, stop = code.span(self.made.value)
            texts = [
                f"{column} = {code.text[first:start]}{code.expr(part)}{code.text[end:stop]}"
                for column, part in zip(self.columns, parts[0], strict=True)
            ]
            self.edits.append((*code.span(self.made), f"\n{indent}".join(texts)))
            return
        if self.width:
            lines = f"\n{indent}".join(f"{column} = []" for column in self.columns)
            self.edits.append((*code.span(self.made), lines))
        indent = code.indent(self.added)
        texts = [f"{column}.append({code.expr(part)})" for column, part in zip(self.columns, parts[0], strict=True)]
        self.edits.append((*code.span(self.added), f"\n{indent}".join(texts)))

    def _in_order(self, order: _Order, kept: str, reads: set[str]) -> list[str]:
        """The lines that put the columns in order."""
        spot, code = self.spot, self.spot.code
        array = spot.jnp("array")
        keys = [re.sub(r"\w+", lambda found: f"{array}({found[0]})", key) for key in self._keys(order.key)]
        descending = ", descending=True" if order.backwards else ""
        name = code.fresh("order", f"order_of_{self.name}")
        sort = self._several(keys, order.backwards) if len(keys) > 1 else f"{spot.jnp('argsort')}({keys[0]}{descending})"
        cut = f"[:{kept}]" if kept else ""
        read = [column for column in self.columns if column in reads]
        return [f"{name} = {sort}{cut}", *(f"{column} = {array}({column})[{name}]" for column in read)]

    def _several(self, keys: Sequence[str], backwards: bool) -> str:
        """The order by several keys. Backwards it is that of the last ones first, read from its end, which leaves equal ones as
        they stand; with the opposites of the keys, unsigned 0 would stay the least."""
        lexsort = self.spot.jnp("lexsort")
        if not backwards:
            return f"{lexsort}(({', '.join(keys[::-1])}))"
        turned = ", ".join(f"{key}[::-1]" for key in keys[::-1])
        return f"len({self.columns[0]}) - 1 - {lexsort}(({turned}))[::-1]"

    def _keys(self, key: ast.Lambda | None) -> list[str]:
        if key is None:
            return self.columns
        match key.args:
            case ast.arguments(posonlyargs=[], args=[ast.arg(arg=each)], vararg=None, kwonlyargs=[], kwarg=None, defaults=[]):
                pass
            case _:
                raise OtherUse
        parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
        return [self._key(part, each) for part in parts]

    def _key(self, part: ast.expr, each: str) -> str:
        """A key of one item as one of all of them."""
        match part:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._key(operand, each)
                return inner.removeprefix("-") if inner.startswith("-") else f"-{inner}"
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as place)) if (
                name == each and self.width
            ):
                if 0 <= place < self.width:
                    return self.columns[place]
            case ast.Name(id=name) if name == each and not self.width:
                return self.name
        raise OtherUse


def _text_of(order: _Order) -> tuple[str, bool]:
    return ("" if order.key is None else ast.dump(order.key), order.backwards)


RULES: list[Rule] = [in_columns]
