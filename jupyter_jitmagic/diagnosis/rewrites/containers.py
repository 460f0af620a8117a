"""Lists, deques and sets that a loop fills, where data ends the loop: arrays of a known size, and how much of them counts.

A compiled loop carries arrays of fixed shapes. So a list becomes a buffer as long as the loop can make it, with a count; what
reads the list reads `buffer[:count]`, a value of unknown length that other rules follow. A `deque(maxlen=k)` becomes an array
of k that is shifted, a set of small whole numbers one truth value for each number.
"""

from __future__ import annotations

import ast
import collections
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NoReturn

from jupyter_jitmagic.diagnosis.rewrites.elements import element, is_array
from jupyter_jitmagic.diagnosis.rewrites.inserting import appended_instead, inserted_first
from jupyter_jitmagic.diagnosis.rewrites.lists import made_apart, named_first, rows_of_tuples
from jupyter_jitmagic.diagnosis.rewrites.met_once import values_met_once, without_int
from jupyter_jitmagic.diagnosis.rewrites.numbered import numbers_of
from jupyter_jitmagic.diagnosis.rewrites.rounds import (
    Counter,
    counters_of,
    is_exhausted,
    left_of,
    length_limit,
    rounds_coming_to,
    rounds_of,
)
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import SCOPES, Edit, is_returned, leaves, loaded, stored, walk_scope, words

_MADE_ARRAYS = words("array asarray stack")
_LEAVING = (ast.Break, ast.Continue, ast.Return, ast.Raise)
_READ_WHOLE = words("sum max min sorted list tuple enumerate zip reversed any all")


def asked_of_a_container(spot: Spot) -> Iterator[Step]:
    """`max(recent)` of a deque, `x in seen`, `seen.add(x)`, `left.remove(x)` of a set: an array in its place."""
    match spot.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="remove")) if isinstance(spot.locals.get(name), set):
            with contextlib.suppress(Obstacle):
                yield from as_arrays(spot, outermost(spot, spot.node), [name])
            return
        case ast.Call(func=ast.Name(id="max" | "min" | "sum" | "sorted" | "any" | "all"), args=[ast.Name(id=name)]):
            pass
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add")):
            pass
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]):
            pass
        case _:
            return
    if isinstance(spot.locals.get(name), collections.deque | set):
        with contextlib.suppress(Obstacle):
            yield from as_arrays(spot, outermost(spot, spot.node))


def filled_in_a_branch(spot: Spot) -> Iterator[Step]:
    """`if test: out.append(v); i += 1`: an array in the place of the list."""
    asked = spot.asked()
    if asked is None or not isinstance(asked[1], ast.If) or leaves([asked[1]], (ast.Break, ast.Continue, ast.Return)):
        return  # a loop's business
    if _filled(asked[1]) or any(map(inserted_first, walk_scope([asked[1]]))):
        with contextlib.suppress(Obstacle):
            yield from as_arrays(spot, outermost(spot, asked[1]))


def outermost(spot: Spot, node: ast.AST) -> ast.stmt:
    """The outermost loop around a place, within its function; the statement itself where there is none."""
    found = spot.code.statement(node)
    for at in spot.code.ancestors(node):
        if isinstance(at, SCOPES):
            break
        if isinstance(at, ast.For | ast.While):
            found = at
    return found


def as_arrays(spot: Spot, around: ast.stmt, names: Sequence[str] = ()) -> Iterator[Step]:
    """The function with arrays in the place of what a loop or branch fills, or of these containers, for their own rules to go
    on with."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    turned = list(appended_instead(spot, around))
    if turned:
        yield from turned
        return
    edits: list[Edit] = []
    excludes: dict[str, str] = {}
    for name in names or _filled(around):
        apart = made_apart(spot, function, name) or rows_of_tuples(spot, function, name) or named_first(spot, function, name)
        if apart is not None:
            yield apart
            return
        made = _maker(spot, function, around, name)
        if made is None:
            return
        edits += made.edited()
        excludes |= made.excludes
    if edits:
        yield spot.step("buffer", *(((start, end), text) for start, end, text in edits), excludes=excludes)


def _filled(around: ast.stmt) -> list[str]:
    """Names of containers to which a loop or branch adds."""
    found = []
    for node in walk_scope([around]):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "appendleft" | "add"), args=[_]):
                found.append(name)
    return list(dict.fromkeys(found))


def _maker(spot: Spot, function: ast.FunctionDef, around: ast.stmt, name: str) -> _Container | None:
    """The container of this name, where it is bound once, in a statement of its own before that."""
    stores = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]
    inside = {
        n
        for scope in ast.walk(function)
        if isinstance(scope, ast.FunctionDef | ast.Lambda) and scope is not function
        for n in ast.walk(scope)
    }
    if len(stores) != 1 or any(isinstance(n, ast.Name) and n.id == name for n in inside):
        return None
    made = spot.code.statement(stores[0])
    if (
        not isinstance(made, ast.Assign)
        or made.targets != [stores[0]]
        or made.lineno > around.lineno
        or made in ast.walk(around)
    ):
        return None
    held = spot.locals.get(name)
    if isinstance(held, list) and isinstance(made.value, ast.List):
        return _GrowingList(spot, function, name, made)
    if isinstance(held, collections.deque) and isinstance(made.value, ast.Call) and held.maxlen is not None:
        return _Window(spot, function, name, made)
    if isinstance(held, set) and isinstance(made.value, ast.Call | ast.Set):
        return _Marks(spot, function, name, made)
    return None


class _Container(ABC):
    """A container's name, the statement that makes it, and the edits that make it an array."""

    def __init__(self, spot: Spot, function: ast.FunctionDef, name: str, made: ast.Assign) -> None:
        self.spot, self.function, self.name, self.made = spot, function, name, made
        self.edits: list[Edit] = []
        self.excludes: dict[str, str] = {}
        self.length = spot.code.fresh(f"{name}_length", f"length_of_{name}")

    def edited(self) -> list[Edit]:
        code = self.spot.code
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name) and node.id == self.name and isinstance(node.ctx, ast.Load):
                self.use(node, code.parents[node])
        self.make()
        return self.edits

    @abstractmethod
    def make(self) -> None:
        """The statement that makes it."""

    @abstractmethod
    def use(self, node: ast.Name, parent: ast.AST) -> None:
        """A place that reads it or adds to it."""

    # -- what the kinds share -----------------------------------------------------------------------------

    def replace(self, node: ast.AST, text: str) -> None:
        self.edits.append((*self.spot.code.span(node), text))

    def statement_of(self, attribute: ast.Attribute) -> tuple[ast.Expr, ast.expr]:
        """(statement, what is added) of `name.append(v)` on lines of its own."""
        code = self.spot.code
        call = code.parents[attribute]
        match call, code.parents[call]:
            case ast.Call(args=[value], keywords=[]), ast.Expr() as statement if code.on_own_lines([statement]):
                if not isinstance(value, ast.Starred):
                    return statement, value
        self.refuse(attribute)

    def lines(self, statement: ast.stmt, *lines: str) -> None:
        """These lines in the place of a statement."""
        self.replace(statement, f"\n{self.spot.code.indent(statement)}".join(lines))

    def refuse(self, node: ast.AST) -> NoReturn:
        code = self.spot.code
        statement = code.src(code.statement(node)).splitlines()[0]
        raise Obstacle(f"the length of {self.name} would depend on the number of rounds, and `{statement}` needs it as it is")

    def appended(self) -> list[tuple[ast.Expr, ast.expr]]:
        found = []
        for node in ast.walk(self.function):
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr="append" | "appendleft" | "add") if name == self.name:
                    found.append(self.statement_of(node))
        return found

    def is_builtin_call(self, parent: ast.AST, *names: str) -> bool:
        spot = self.spot
        return (
            isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Name)
            and parent.func.id in names
            and spot.is_builtin(parent.func.id)
        )

    def is_test(self, node: ast.Name, parent: ast.AST) -> bool:
        match parent:
            case ast.If() | ast.While() | ast.IfExp():
                return parent.test is node
            case ast.BoolOp():
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
        return False

    def zeros(self, size: str, values: list[ast.expr]) -> str:
        """`jnp.zeros(size, dtype)`, fit to hold the values."""
        try:
            shape, dtype = element(self.spot, self.function, self.made, values)
        except LookupError:
            self.refuse(self.made)
        shape = f"({size}, {shape})" if shape else size
        return f"{self.name} = {self.spot.jnp('zeros')}({shape}{', ' + dtype if dtype else ''})"


class _GrowingList(_Container):
    """`out = []` … `out.append(v)` → a buffer and its length."""

    whole = False
    """All of the buffer counts in the end."""

    @property
    def first(self) -> list[ast.expr]:
        assert isinstance(self.made.value, ast.List)
        return self.made.value.elts

    def edited(self) -> list[Edit]:
        self.appends = self.appended()
        self.capacity = self._capacity()
        self.index = self._index()
        return super().edited()

    def _index(self) -> str:
        """Where round `i` of `range(n)` puts its element, each one, if nobody asks how many there are by then; else ""."""
        if not self.whole or len(self.appends) != 1:
            return ""
        statement, _ = self.appends[0]
        code = self.spot.code
        match self._loops_around(statement):
            case [
                ast.For(
                    target=ast.Name(id=index), iter=ast.Call(func=ast.Name(id="range"), args=[_], keywords=[]), body=body
                ) as loop
            ] if statement in body and self.spot.is_builtin("range") and index not in stored(body):
                reads = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == self.name]
                others = [n for n in reads if isinstance(n.ctx, ast.Load) and n not in ast.walk(statement)]
                inside = {*ast.walk(loop)}
                if all(n not in inside and (is_returned(code, n) or self._is_taken_whole(code.parents[n])) for n in others):
                    return f"{index} + {len(self.first)}" if self.first else index
        return ""

    def _array(self, value: ast.expr) -> str:
        """An element as text: a list or tuple as the array that it becomes with the others."""
        text = self.spot.code.expr(value)
        return f"{self.spot.jnp('array')}({text})" if isinstance(value, ast.List | ast.Tuple) else text

    @staticmethod
    def _is_taken_whole(parent: ast.AST) -> bool:
        return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr in _MADE_ARRAYS

    @property
    def counted(self) -> str:
        return self.name if self.whole else f"{self.name}[:{self.length}]"

    def make(self) -> None:
        if any(isinstance(each, ast.Starred) for each in self.first):
            self.refuse(self.made)
        text = self.zeros(self.capacity, [*self.first, *(value for _, value in self.appends)])
        text += "".join(f".at[{place}].set({self._array(each)})" for place, each in enumerate(self.first))
        self.lines(self.made, text, *([] if self.index else [f"{self.length} = {len(self.first)}"]))

    def _capacity(self) -> str:
        """As many elements as there can be."""
        together = self._moved_together()
        if together is not None:
            self.whole = all(is_exhausted(self.spot, counter, self.function) for counter in together) and not self.first
            text = left_of(self.spot, together)
            return f"{text} + {len(self.first)}" if self.first else text
        chosen = {
            statement: rounds_coming_to(self.spot, loops[0], statement)
            for statement, _ in self.appends
            if len(loops := self._loops_around(statement)) == 1
        }
        self.whole = all(chosen.get(statement) or self._surely(statement) for statement, _ in self.appends)
        parts: list[str] = []
        alone = len(self.first)
        for statement, value in self.appends:
            loops = self._loops_around(statement)
            known = chosen.get(statement)
            bounds = [known] if known else [rounds_of(self.spot, loop) for loop in loops]
            if bounds == [None] and len(self.appends) == 1 and (limit := length_limit(self.spot, loops[0], self.name)):
                return f"max({limit}, {alone})" if alone else limit
            if bounds == [None] and (elements := values_met_once(self.spot, loops[0], self.name, value)):
                bounds, alone = [elements], alone + 1  # and what it begins with
            if None in bounds:
                raise Obstacle(
                    f"the length of {self.name} would depend on the number of rounds, and nothing says how many there are"
                )
            if not bounds:
                alone += 1
            else:
                parts.append(
                    " * ".join(each if len(bounds) == 1 or each.isidentifier() else f"({each})" for each in bounds if each)
                )
        numbers = [part for part in parts if part.isdigit()]
        fixed = alone + sum(map(int, numbers))
        texts = [part for part in parts if not part.isdigit()]
        return " + ".join([*texts, *([str(fixed)] if fixed or not texts else [])])

    def _surely(self, statement: ast.stmt) -> bool:
        """Whether every round of the loops around it comes to this statement."""
        at: ast.AST = statement
        while at is not self.function and self.made not in getattr(at, "body", []):
            above = self.spot.code.parents[at]
            if above is self.function or self.made in getattr(above, "body", []):
                return True
            if not isinstance(above, ast.For) or at not in above.body or leaves(above.body, _LEAVING):
                return False
            at = above
        return False

    def _loops_around(self, statement: ast.stmt) -> list[ast.For | ast.While]:
        found = []
        for at in self.spot.code.ancestors(statement):
            if at is self.function or self.made in getattr(at, "body", []):
                break
            if isinstance(at, ast.For | ast.While):
                found.append(at)
        return found

    def _moved_together(self) -> list[Counter] | None:
        """The counters of which one is moved by one beside each append, where each is below its limit then: there are no more
        elements than the counters have places."""
        found: dict[str, Counter] = {}
        seen: set[tuple[ast.AST, str]] = set()
        for statement, _ in self.appends:
            loops = self._loops_around(statement)
            if not loops or not isinstance(loops[0], ast.While):
                return None
            beside = [
                each.target.id
                for each in self.spot.code.block(statement)
                if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name)
            ]
            moved = [
                each
                for each in counters_of(self.spot, loops[0].test)
                if each.name in beside and each.rise == 1 and not each.start
            ]
            if len(moved) != 1 or (loops[0], moved[0].name) in seen or not self._once(loops[0], moved[0].name):
                return None
            counter = moved[0]
            seen.add((loops[0], counter.name))
            if counter.name in found and ast.dump(found[counter.name].limit) != ast.dump(counter.limit):
                return None
            found.setdefault(counter.name, counter)
        return list(found.values()) if len(found) > 1 else None

    @staticmethod
    def _once(loop: ast.While, name: str) -> bool:
        return (
            sum(
                isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name) and n.target.id == name
                for n in walk_scope(loop.body)
            )
            == 1
        )

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="append"):
                statement, value = self.statement_of(parent)
                if self.name in loaded([value]):
                    self.refuse(node)
                added = f"{self.name} = {self.name}.at[{self.index or self.length}].set({self._array(value)})"
                self.lines(statement, added, *([] if self.index else [f"{self.length} += 1"]))
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                self.replace(parent, self.length)
            case _ if is_returned(code, node):
                self.replace(node, f"list({self.name})" if self.whole else self.counted)
            case ast.Call(func=ast.Attribute(attr=attr, value=owner), args=[only], keywords=[]) if (
                only is node and attr in _MADE_ARRAYS and spot.fact(owner) is not None
            ) or (attr in _MADE_ARRAYS and spot.value(owner) is not None):
                self.replace(parent, self.counted)
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[only, *_]) if only is node:
                self.replace(node, self.counted)
            case ast.Call() if node in parent.args and self.is_builtin_call(parent, *_READ_WHOLE):
                self.replace(node, self.counted)
                if self.is_builtin_call(parent, "max", "min", "sorted"):
                    self.excludes = {"nan": "NaN, of which max(), min() and sorted() take account by its place alone"}
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as back))):
                self.replace(parent.slice, f"{self.length} - {back}")
            case ast.Subscript(slice=ast.Constant(value=int() as place)) if place >= 0:
                pass
            case ast.Subscript(slice=ast.Slice()):
                self.replace(node, f"list({self.name})" if self.whole and is_returned(code, parent) else self.counted)
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[only]) if only is node:
                found = f"{spot.jnp('any')}({self.counted} == {code.operand(parent.left)})"
                self.replace(parent, found if isinstance(op, ast.In) else f"{spot.jnp('logical_not')}({found})")
            case ast.For() | ast.comprehension() if parent.iter is node:
                self.replace(node, self.counted)
            case _ if self.is_test(node, parent):
                self.replace(
                    parent if isinstance(parent, ast.UnaryOp) else node,
                    f"{self.length} == 0" if isinstance(parent, ast.UnaryOp) else f"{self.length} > 0",
                )
            case _:
                self.refuse(node)


class _Window(_Container):
    """`recent = deque(maxlen=k)` … `recent.append(v)` → an array of k, shifted, of which the last ones count."""

    @property
    def size(self) -> str:
        assert isinstance(self.made.value, ast.Call)
        sizes = [keyword.value for keyword in self.made.value.keywords if keyword.arg == "maxlen"] or self.made.value.args[1:2]
        if not sizes:
            self.refuse(self.made)
        return self.spot.code.expr(sizes[0])

    @property
    def counted(self) -> str:
        return f"{self.name}[{self.size} - {self.length}:]"

    def make(self) -> None:
        assert isinstance(self.made.value, ast.Call)
        first = self.made.value.args[:1]
        if first and not (isinstance(first[0], ast.List | ast.Tuple) and not first[0].elts):
            self.refuse(self.made)
        text = self.zeros(self.size, [value for _, value in self.appended()])
        self.lines(self.made, text, f"{self.length} = 0")

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="append"):
                statement, value = self.statement_of(parent)
                if self.name in loaded([value]):
                    self.refuse(node)
                shifted = f"{spot.jnp('roll')}({self.name}, -1, axis=0).at[-1].set({code.expr(value)})"
                self.lines(
                    statement,
                    f"{self.name} = {shifted}",
                    f"{self.length} = min({self.length} + 1, {self.size})",
                )
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                self.replace(parent, self.length)
            case ast.Call(func=ast.Attribute(attr=attr), args=[only], keywords=[]) if only is node and attr in _MADE_ARRAYS:
                self.replace(parent, self.counted)
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[ast.Call()]):
                self.refuse(node)
            case ast.Call() if node in parent.args and self.is_builtin_call(parent, *_READ_WHOLE):
                self.replace(node, self.counted)
                if self.is_builtin_call(parent, "max", "min", "sorted"):
                    self.excludes = {"nan": "NaN, of which max(), min() and sorted() take account by its place alone"}
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int()))):
                pass
            case ast.Subscript(slice=ast.Constant(value=int() as place)) if place >= 0:
                self.replace(parent.slice, f"{self.size} - {self.length}{f' + {place}' if place else ''}")
            case ast.Attribute(attr="maxlen"):
                self.replace(parent, self.size)
            case ast.For() | ast.comprehension() if parent.iter is node:
                self.replace(node, self.counted)
            case _:
                self.refuse(node)


class _Marks(_Container):
    """`seen = set()` … `seen.add(i)`, `i in seen` → `seen = seen.at[i].set(True)`, `seen[i]`, of numbers that are places."""

    def make(self) -> None:
        value, counted = self.made.value, numbers_of(self.spot, self.made.value)
        if counted is not None:
            start, size = counted
            held = f"{self.spot.jnp('arange')}({size}) >= {start}" if start != "0" else f"{self.spot.jnp('ones')}({size}, bool)"
            self.lines(self.made, f"{self.name} = {held}")
            return
        first = value.elts if isinstance(value, ast.Set) else []
        if isinstance(value, ast.Call) and (value.args or not self.is_builtin_call(value, "set")):
            self.refuse(self.made)
        code, spot = self.spot.code, self.spot
        text = f"{self.name} = {spot.jnp('zeros')}({self._places()}, bool)"
        self.lines(self.made, text + "".join(f".at[{code.expr(each)}].set(True)" for each in first))

    def _places(self) -> str:
        """How many numbers there can be: the numbers are places of an array."""
        numbers = {ast.dump(without_int(value)) for _, value in self.appended()}
        for node in ast.walk(self.function):
            match node:
                case ast.Subscript(value=ast.Name(id=array), slice=index) if self._is_argument(array):
                    for axis, part in enumerate(index.elts if isinstance(index, ast.Tuple) else [index]):
                        if ast.dump(part) in numbers:
                            beyond = f"numbers in {self.name} that are no places of {array}"
                            self.excludes = dict.fromkeys(("count", "negative int", "moved", "number", "size", "end"), beyond)
                            return f"{array}.shape[{axis}]"
        self.refuse(self.made)

    def _is_argument(self, name: str) -> bool:
        """Whether a name stands for an array that the function is given and keeps."""
        arguments = {each.arg for each in ast.walk(self.function.args) if isinstance(each, ast.arg)}
        return name in arguments - set(stored(self.function.body)) and is_array(self.spot, name)

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="add"):
                statement, value = self.statement_of(parent)
                self.lines(statement, f"{self.name} = {self.name}.at[{code.expr(value)}].set(True)")
            case ast.Attribute(attr="discard" | "remove"):
                statement, value = self.statement_of(parent)
                self.lines(statement, f"{self.name} = {self.name}.at[{code.expr(value)}].set(False)")
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                self.replace(parent, f"{spot.jnp('sum')}({self.name})")
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[only]) if only is node:
                found = f"{self.name}[{code.expr(parent.left)}]"
                self.replace(parent, found if isinstance(op, ast.In) else f"{spot.jnp('logical_not')}({found})")
            case ast.While(test=test) if test is node and (rounds := self._rounds(parent)):
                start, _ = code.span(parent)
                self.edits.append((start, code.span(test)[1], f"for _ in range({rounds})"))
            case _ if self.is_test(node, parent):
                self.replace(node, f"{spot.jnp('any')}({self.name})")
            case _:
                self.refuse(node)

    def _rounds(self, loop: ast.While) -> str:
        """How many rounds `while left:` has, each of which takes one number out of it; "" where that is not sure."""
        counted = numbers_of(self.spot, self.made.value)
        taken = [
            node
            for node in ast.walk(self.function)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.name
        ]
        if counted is None or len(taken) != 1 or taken[0].attr != "remove" or loop.orelse:
            return ""
        statement = self.spot.code.statement(taken[0])
        if statement not in loop.body or leaves(loop.body[: loop.body.index(statement)], ast.Continue):
            return ""
        start, size = counted
        return size if start == "0" else f"{size} - {start}"


RULES: list[Rule] = [asked_of_a_container]
IN_BRANCHES: list[Rule] = [filled_in_a_branch]
