"""A list that a loop fills, as a buffer and how much of it counts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.as_array import Container
from jupyter_jitmagic.diagnosis.rewrites.elements import copied_array, listed_row
from jupyter_jitmagic.diagnosis.rewrites.inserting import is_taken_in_front
from jupyter_jitmagic.diagnosis.rewrites.met_once import values_met_once
from jupyter_jitmagic.diagnosis.rewrites.operations import MAKES_ARRAYS
from jupyter_jitmagic.diagnosis.rewrites.own_conditions import is_fact
from jupyter_jitmagic.diagnosis.rewrites.rounds import (
    Counter,
    and_more,
    counters_of,
    ends_at_its_limit,
    fills_up,
    is_exhausted,
    left_of,
    length_limit,
    rounds_coming_to,
    rounds_of,
)
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.diagnosis.rewrites.signs import is_place
from jupyter_jitmagic.diagnosis.rewrites.walking import rows_walked
from jupyter_jitmagic.source.code import Edit, in_other_branches, is_returned, is_tested, leaves, words
from jupyter_jitmagic.source.names import bound_once, loaded, stored, walk, walk_scope

READ_WHOLE = words("sum max min sorted list tuple enumerate zip reversed any all")
_ENDING = (ast.Break, ast.Continue, ast.Raise)  # a loop that is left by a return alone has had all its rounds behind it
_LEAVING = (*_ENDING, ast.Return)


_A_FEW_LESS = re.compile(r"^\(?(len\(\w+\)|\w+(?:\.size|\.shape\[0\])?)(?: - \d+)?\)?(?: - \d+)*$")
"""`len(x) - 1`, `(n - 1) - 1`."""
_LESS_A_NAME = re.compile(r"^(?!max\().* - [^\W\d]")
"""`len(x) - n`, which may be less than nothing."""


class GrowingList(Container):
    """`out = []` … `out.append(v)` → a buffer and its length."""

    whole = False
    """All of the buffer counts in the end."""
    filled = False
    """All of it counts behind the loop, which ends when it is full."""
    moved_to: ast.stmt | None = None
    """Before which it is made, where that is not where the list was."""
    start = ""
    """What counts the items that were taken from its front; "" where none are."""
    counts = begins = True
    """Its appends count, and its length is made 0 with it: of lists that grow side by side the last and the first one does."""

    @property
    def first(self) -> list[ast.expr]:
        value = self.made.value
        if isinstance(value, ast.Call) and self.copied is None and value.args:  # deque([a, b])
            value = value.args[0]
        return [listed_row(self.spot, each) for each in value.elts] if isinstance(value, ast.List | ast.Tuple) else []

    @property
    def copied(self) -> ast.expr | None:
        """The array with whose elements it begins: `list(prompt)`."""
        return copied_array(self.spot, self.made.value)

    def grows_with(self, others: Sequence[GrowingList]) -> None:
        """Has one length with lists that are made beside it and given an item wherever it is, on the line before."""
        first, last = others[0], others[-1]
        self.length, self.begins, last.counts = first.length, False, False

    def edited(self) -> list[Edit]:
        self.appends = self.appended()
        if any(map(is_taken_in_front, self._called())):
            self.start = self.spot.code.fresh(f"{self.name}_start", f"start_of_{self.name}")
            self.length = self.spot.code.fresh(f"{self.name}_end", f"end_of_{self.name}")
        self.capacity = self._capacity()
        self.index = self._index()
        return super().edited()

    def _index(self) -> str:
        """Where round `i` of `range(n)` puts its element, each one, if nobody asks how many there are by then; else ""."""
        if not (self.whole or self.filled) or len(self.appends) != 1 or self.copied is not None:
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

    def _is_made_an_array(self, rows: str) -> bool:
        """Whether nothing but an array is made of another list, so that its rows may be arrays."""
        parents = self.spot.code.parents
        reads = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == rows and isinstance(n.ctx, ast.Load)]
        adding = [n for n in reads if isinstance(at := parents[n], ast.Attribute) and at.attr == "append"]
        others = [n for n in reads if n not in adding]
        return bool(others) and all(self._is_taken_whole(parents[n]) for n in others)

    @staticmethod
    def _is_taken_whole(at: ast.AST) -> bool:
        return isinstance(at, ast.Call) and isinstance(at.func, ast.Attribute) and at.func.attr in MAKES_ARRAYS

    @property
    def counted(self) -> str:
        return self.name if self.whole else f"{self.name}[{self.start}:{self.length}]"

    @property
    def count(self) -> str:
        return f"({self.length} - {self.start})" if self.start else self.length

    def make(self) -> None:
        if any(isinstance(each, ast.Starred) for each in self.first):
            self.refuse(self.made)
        if self.copied is not None:
            self._make_longer(self.copied)
            return
        values = [*self.first, *(value for _, value in self.appends), *self._put()]
        later = self._first_use()
        try:
            text = self.zeros(self.capacity, values)
        except Obstacle:
            if later is None:
                raise
            self.moved_to, text = later, self.zeros(self.capacity, values, later)
        text += "".join(f".at[{place}].set({self._array(each)})" for place, each in enumerate(self.first))
        between = self._until(later) if later is not None else []
        if set(stored(between)) & loaded([ast.parse(text)]):
            self.moved_to = later
        counted = [] if self.index or not self.begins else [f"{self.length} = {len(self.first)}"]
        counted += [f"{self.start} = 0"] if self.start else []
        if self.moved_to is None:
            self.lines(self.made, text, *counted)
            return
        code = self.spot.code
        self.edits.append((*code.region([self.made]), ""))
        start, indent = code.region([self.moved_to], comments=True)[0], code.indent(self.made)
        self.edits.append((start, start, "".join(f"{indent}{line}\n" for line in (text, *counted))))

    def _put(self) -> Iterator[ast.expr]:
        """What takes the place of an item."""
        for node in walk_scope(self.function.body):
            match node:
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))], value=value) if name == self.name:
                    if self.name not in loaded([value]):
                        yield value

    def _first_use(self) -> ast.stmt | None:
        """The first statement beside the one that makes it in which it is used, before which it can as well be made: what tells
        its size may be known by then only. None where that is the next one."""
        code = self.spot.code
        block = code.block(self.made)
        later = next((each for each in block[block.index(self.made) + 1 :] if self.name in loaded([each])), None)
        if later is None or not self._until(later) or not code.on_own_lines([self.made]):
            return None
        return later if not loaded(self.first) & set(stored(self._until(later))) and code.on_own_lines([later]) else None

    def _until(self, later: ast.stmt) -> list[ast.stmt]:
        block = self.spot.code.block(self.made)
        return block[block.index(self.made) + 1 : block.index(later)]

    def _make_longer(self, array: ast.expr) -> None:
        """The array with room behind it."""
        spot = self.spot
        facts = [spot.fact(each) for each in (array, *(value for _, value in self.appends))]
        known = [(fact.dtype, fact.ndim) for fact in facts if fact is not None]
        if len(known) < len(facts) or len({kind for kind, _ in known}) > 1 or any(n + 1 != known[0][1] for _, n in known[1:]):
            self.refuse(self.made)
        text, rows = spot.code.src(array), known[0][1] > 1
        shape = f"({self.capacity}, *{text}.shape[1:])" if rows else self.capacity
        room = f"{spot.jnp('zeros')}({shape}, {text}.dtype)"
        made = f"{self.name} = {spot.jnp('concatenate')}([{text}, {room}])"
        self.lines(self.made, made, f"{self.length} = len({text})")

    def _capacity(self) -> str:
        """As many elements as there can be."""
        together = self._moved_together()
        if together is not None:
            self.whole = all(is_exhausted(counter, self.function) for counter in together) and not self.first
            return left_of(self.spot, together) + (f" + {len(self.first)}" if self.first else "")
        looped = {each: loops[0] for each, _ in self.appends if len(loops := self._loops_around(each)) == 1}
        chosen = {each: rounds_coming_to(self.spot, loop, each) for each, loop in looped.items()}
        if not self._is_popped():
            kept = [each for each, _ in self.appends if not chosen.get(each)]
            self.whole = all(map(self._surely, kept))
            self.filled = not self.whole and all(self._surely(each, _ENDING) for each in kept)
        if not any(chosen.values()) and (whole := self._padded_to()):
            return whole
        parts: list[str] = []
        alone = len(self.first)
        refilled = self._refilled()
        counted: list[list[ast.stmt]] = []
        for statement, value in self.appends:
            if statement in refilled or (not chosen.get(statement) and self._is_in_place_of_one(statement, counted)):
                continue
            loops = self._loops_around(statement)
            known = chosen.get(statement)
            bounds = [known] if known else [self._room_for(loop) for loop in loops]
            if bounds == [None] and len(self.appends) == 1 and (limit := length_limit(self.spot, loops[0], self.name)):
                self.filled = fills_up(self.spot, loops[0], self.name) and not self._is_popped()
                return f"max({limit}, {alone})" if alone else limit
            if bounds == [None] and (counter := self._counts(statement, loops[0])) is not None:
                self.filled = ends_at_its_limit(loops[0]) and not self._is_popped()
                return and_more(left_of(self.spot, [counter]), alone) or ""
            if bounds == [None] and (elements := values_met_once(self.spot, loops[0], self.name, value)):
                bounds, alone = [elements], alone + 1  # and what it begins with
            if bounds == [None]:
                rows, left_out = rows_walked(self.spot, loops[0], statement)
                bounds, self.excludes = [rows or None], self.excludes | left_out
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

    def _room_for(self, loop: ast.For | ast.While) -> str | None:
        """As many items as a loop's rounds, or a few more: of `while i < len(x) - 1` one for each of x, so that there is one to
        read where x has a single element; of `while i < len(x) - n` one at least."""
        rounds = rounds_of(self.spot, loop)
        if rounds is None or isinstance(loop, ast.For) or self.whole or self.filled:
            return rounds
        return f"max({rounds}, 1)" if _LESS_A_NAME.match(rounds) else _A_FEW_LESS.sub(r"\1", rounds)

    def _is_in_place_of_one(self, statement: ast.stmt, counted: list[list[ast.stmt]]) -> bool:
        """Whether a round that comes to this append comes to none of others that are counted as one; it is noted with them."""
        code = self.spot.code
        for others in counted:
            alike = all(self._loops_around(each) == self._loops_around(statement) for each in others)
            if alike and all(in_other_branches(code, each, statement) for each in others):
                others.append(statement)
                return True
        counted.append([statement])
        return False

    def _padded_to(self) -> str:
        """The length up to which a last loop fills a list that another one has filled with no more: `while len(out) < n:`."""
        loops = [self._loops_around(statement) for statement, _ in self.appends]
        if [len(each) for each in loops] != [1, 1] or self._is_popped():
            return ""
        (one,), (other,) = loops
        limit = length_limit(self.spot, other, self.name)
        most = and_more(rounds_of(self.spot, one), len(self.first))
        self.filled = limit == most and fills_up(self.spot, other, self.name)
        return limit if self.filled else ""

    def _is_behind(self, node: ast.Name) -> bool:
        """Whether a place comes after all that appends, and after the loops around that."""
        before = [at for statement, _ in self.appends for at in (statement, *self._loops_around(statement))]
        return all(node.lineno > (at.end_lineno or at.lineno) for at in before)

    def _called(self) -> Iterator[ast.Call]:
        """The calls of its methods."""
        for node in ast.walk(self.function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name == self.name:
                    yield node

    def _refilled(self) -> set[ast.stmt]:
        """The appends before which the same lines took an item from the end: they make the list no longer than it was."""
        found: set[ast.stmt] = set()
        appended = {statement for statement, _ in self.appends}
        for block in {id(block): block for block in map(self.spot.code.block, appended)}.values():
            taken = 0
            for each in block:
                match each:
                    case ast.Assign(value=ast.Call() as call) | ast.Expr(value=ast.Call() as call):
                        taken += self._takes_the_last(call)
                if each in appended and taken:
                    found.add(each)
                    taken -= 1
        return found

    def _takes_the_last(self, call: ast.Call) -> bool:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[], keywords=[]):
                return name == self.name
        return False

    def _is_popped(self) -> bool:
        return any(isinstance(call.func, ast.Attribute) and call.func.attr in TAKING for call in self._called())

    def _popped(self, attribute: ast.Attribute) -> None:
        """`stack.pop()`, `top = stack.pop()`: one item less, which is where it was."""
        code = self.spot.code
        call = code.parents[attribute]
        if isinstance(call, ast.Call) and is_taken_in_front(call):
            match code.parents[call]:
                case ast.Expr() as statement if code.on_own_lines([statement]):
                    self.lines(statement, f"{self.start} += 1")
                case ast.Assign(targets=[target]) as statement if code.on_own_lines([statement]):
                    self.lines(statement, f"{code.src(target)} = {self.name}[{self.start}]", f"{self.start} += 1")
                case _:
                    self.refuse(attribute)
            return
        match call, code.parents[call]:
            case ast.Call(args=[], keywords=[]), ast.Expr() as statement if code.on_own_lines([statement]):
                self.lines(statement, f"{self.length} -= 1")
            case ast.Call(args=[], keywords=[]), ast.Assign(targets=[target]) as statement if code.on_own_lines([statement]):
                self.lines(statement, f"{self.length} -= 1", f"{code.src(target)} = {self.name}[{self.length}]")
            case _:
                self.refuse(attribute)

    def _removed(self, statement: ast.Expr, value: ast.expr) -> None:
        """`cache.remove(v)`: all behind the first such item moves on by one place. Plain Python fails where there is none."""
        spot = self.spot
        spot.refuse_where_caught(ValueError)
        places, equal = f"{spot.jnp('arange')}(len({self.name}))", f"{self.name} == {spot.code.operand(value)}"
        found = f"({equal}) & ({places} >= {self.start})" if self.start else equal
        moved = (
            f"{spot.jnp('where')}({places} < {spot.jnp('argmax')}({found}), {self.name}, {spot.jnp('roll')}({self.name}, -1))"
        )
        self.lines(statement, f"{self.name} = {moved}", f"{self.length} -= 1")

    def _surely(self, statement: ast.stmt, leaving: tuple[type[ast.stmt], ...] = _LEAVING) -> bool:
        """Whether every round of the loops around it comes to this statement, where none is left in one of these ways."""
        at: ast.AST = statement
        while at is not self.function and self.made not in getattr(at, "body", []):
            above = self.spot.code.parents[at]
            if above is self.function or self.made in getattr(above, "body", []):
                return True
            if not isinstance(above, ast.For) or at not in above.body or leaves(above.body, leaving):
                return False
            at = above
        return False

    def _loops_around(self, statement: ast.stmt) -> list[ast.For | ast.While]:
        """The loops of which each round may come to a statement: the `else` of one comes once, behind them."""
        found = list[ast.For | ast.While]()
        below: ast.AST = statement
        for at in self.spot.code.ancestors(statement):
            if at is self.function or self.made in getattr(at, "body", []):
                break
            if isinstance(at, ast.For | ast.While) and below not in at.orelse:
                found.append(at)
            below = at
        return found

    def _moved_together(self) -> list[Counter] | None:
        """The counters of which one is moved by one beside each append, where each is below its limit then: there are no more
        elements than the counters have places."""
        found: dict[str, Counter] = {}
        seen: set[tuple[ast.AST, str]] = set()
        for statement, _ in self.appends:
            loops = self._loops_around(statement)
            counter = self._moved_beside(statement, loops[0]) if loops else None
            if counter is None or (loops[0], counter.name) in seen:
                return None
            seen.add((loops[0], counter.name))
            if counter.name in found and ast.dump(found[counter.name].limit) != ast.dump(counter.limit):
                return None
            found.setdefault(counter.name, counter)
        return list(found.values()) if len(found) > 1 else None

    def _moved_beside(self, statement: ast.stmt, loop: ast.For | ast.While) -> Counter | None:
        """The counter, from 0 on and below its limit, that is moved by one beside an append, and nowhere else in the loop."""
        if not isinstance(loop, ast.While):
            return None
        block = self.spot.code.block(statement)
        place, beside = block.index(statement), []
        for at, each in enumerate(block):
            between = block[min(place, at) : max(place, at)]  # a round that goes on there comes to the one alone
            if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name) and not leaves(between, ast.Continue):
                beside.append(each.target.id)
        counters = (each for each in counters_of(self.spot, loop.test) if each.name in beside)
        moved = [each for each in counters if each.rise == 1 and not each.start]
        return moved[0] if len(moved) == 1 and self._once(loop, moved[0].name) else None

    def _counts(self, statement: ast.stmt, loop: ast.For | ast.While) -> Counter | None:
        """The counter of the only append, below a limit that is known: it tells the length whatever other rounds there are."""
        counter = self._moved_beside(statement, loop) if len(self.appends) == 1 else None
        known = counter is not None and is_fact(self.spot, counter.limit)
        return counter if counter and known and not loaded([counter.limit]) & set(stored(loop.body)) else None

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
        in_the_end = self.whole
        self.whole = (self.whole or self.filled) and self._is_behind(node)  # until then some of it is not set
        self._use(node, parent)
        self.whole = in_the_end

    def _use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="append"):
                statement, value = self.statement_of(parent)
                (start, end), (first, last) = code.span(statement), code.span(value)  # what is added may read other lists
                listed = isinstance(value, ast.List | ast.Tuple)
                opening, closing = (f"{spot.jnp('array')}(", ")") if listed else ("", "")
                self.edits.append((start, first, f"{self.name} = {self.name}.at[{self.index or self.length}].set({opening}"))
                counting = "" if self.index or not self.counts else f"\n{code.indent(statement)}{self.length} += 1"
                self.edits.append((last, end, f"{closing}){counting}"))
            case ast.Attribute(attr="index") if isinstance(call := code.parents[parent], ast.Call) and len(call.args) == 1:
                spot.refuse_where_caught(ValueError)
                (start, end), (first, last) = code.span(call), code.span(call.args[0])
                opening, closing = ("", "") if isinstance(call.args[0], ast.Name | ast.Constant) else ("(", ")")
                self.edits.append((start, first, f"{spot.jnp('argmax')}({self.counted} == {opening}"))
                self.edits.append((last, end, f"{closing})"))
            case ast.Attribute(attr="pop" | "popleft"):
                self._popped(parent)
            case ast.Attribute(attr="remove"):
                self._removed(*self.statement_of(parent))
            case ast.Attribute(attr="clear"):
                self.lines(self.cleared(parent), f"{self.length} = {self.start or 0}")
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                if not self.whole:  # an array that is full has that length while tracing, too
                    self.replace(parent, self.count)
            case _ if is_returned(code, node):
                self.replace(node, f"list({self.name})" if self.whole else self.counted)
            case ast.Call(func=ast.Attribute(attr=attr, value=owner), args=[only], keywords=[]) if (
                only is node and attr in MAKES_ARRAYS and spot.fact(owner) is not None
            ) or (attr in MAKES_ARRAYS and spot.value(owner) is not None):
                self.replace(parent, self.counted)
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[only, *_]) if only is node:
                self.replace(node, self.counted)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=rows), attr="append"), args=[only]) if (
                only is node and self.whole
            ):
                if not self._is_made_an_array(rows):
                    self.refuse(node)
            case ast.Call() if node in parent.args and self.is_builtin_call(parent, *READ_WHOLE):
                self.replace(node, self.counted)
                if self.is_builtin_call(parent, "max", "min", "sorted"):
                    self.excludes = {"nan": "NaN, of which max(), min() and sorted() take account by its place alone"}
            case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as back))):
                self.replace(parent.slice, f"{self.length} - {back}")
            case ast.Subscript(slice=ast.Constant(value=int() as place)) if place >= 0:
                if self.start:
                    self.replace(parent.slice, f"{self.start} + {place}" if place else self.start)
            case ast.Subscript(slice=ast.Slice()):
                self.replace(node, f"list({self.name})" if self.whole and is_returned(code, parent) else self.counted)
                self._ask_for_its_length(parent)
            case ast.Subscript(slice=place) if parent.value is node and is_place(spot, self.function, place):
                if self.start:
                    self.enclose(place, f"{self.start} + ", "")
            case ast.Subscript(slice=place) if parent.value is node and _is_whole_number(spot, place):
                self.enclose(place, f"{self.start} + " if self.start else "", f" % {self.count}")  # from the end, too
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[only]) if only is node:
                found = f"{spot.jnp('any')}({self.counted} == {code.operand(parent.left)})"
                self.replace(parent, found if isinstance(op, ast.In) else f"{spot.jnp('logical_not')}({found})")
            case ast.For() | ast.comprehension() if parent.iter is node:
                self.replace(node, self.counted)
            case _ if self.is_test(node, parent):
                self.replace(
                    parent if isinstance(parent, ast.UnaryOp) else node,
                    self._asked("==" if isinstance(parent, ast.UnaryOp) else ">"),
                )
            case _:
                self.refuse(node)

    def _ask_for_its_length(self, part: ast.Subscript) -> None:
        """`last = out[-4:]`, then `if last`: a list's truth is its length, an array's is not."""
        code = self.spot.code
        match code.parents[part]:
            case ast.Assign(targets=[ast.Name(id=name)]) if bound_once(self.function, name) is part:
                uses = [each for each in walk(self.function) if isinstance(each, ast.Name) and each.id == name]
            case _:
                return
        for use in uses:
            if isinstance(use.ctx, ast.Load) and is_tested(code, use):
                denied = code.parents[use]
                none = isinstance(denied, ast.UnaryOp)
                self.replace(denied if none else use, f"len({name}) {'==' if none else '>'} 0")

    def _asked(self, how: str) -> str:
        """Whether it is empty, or not: its length beside 0."""
        return f"{self.length} {how} {self.start or 0}"


def _is_whole_number(spot: Spot, node: ast.expr) -> bool:
    fact = spot.fact(node)
    return fact is not None and (fact.dtype, fact.ndim) == ("i", 0)


TAKING = words("pop popleft clear remove")
