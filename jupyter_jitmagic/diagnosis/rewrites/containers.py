"""Lists, deques and sets that a loop fills, where data ends the loop: arrays of a known size, and how much of them counts.

A compiled loop carries arrays of fixed shapes. So a list becomes a buffer as long as the loop can make it, with a count; what
reads the list reads `buffer[:count]`, a value of unknown length that other rules follow. A `deque(maxlen=k)` becomes an array
of k that is shifted (`windows`), a set of small whole numbers one truth value for each number.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import re
from collections.abc import Iterator, Sequence

from jupyter_jitmagic.diagnosis.rewrites.as_array import Container
from jupyter_jitmagic.diagnosis.rewrites.bound_again import follows_line_by_line, under_its_own_name
from jupyter_jitmagic.diagnosis.rewrites.elements import copied_array, is_array
from jupyter_jitmagic.diagnosis.rewrites.growing import (
    GrowingList,
)
from jupyter_jitmagic.diagnosis.rewrites.grown_arrays import as_list
from jupyter_jitmagic.diagnosis.rewrites.inserting import (
    appended_instead,
    inserted_first,
    is_taken_in_front,
    last_items_set,
    set_at_its_end,
)
from jupyter_jitmagic.diagnosis.rewrites.joined_lists import joined_by_name, refuse_where_a_caller_joins_it
from jupyter_jitmagic.diagnosis.rewrites.kept_numbers import as_numbers
from jupyter_jitmagic.diagnosis.rewrites.kept_tuples import a_list_for_each_part
from jupyter_jitmagic.diagnosis.rewrites.lists import (
    emptied_instead,
    made_apart,
    named_first,
    popped_first,
    rest_one_by_one,
    rows_of_tuples,
)
from jupyter_jitmagic.diagnosis.rewrites.marks import owner_and_places
from jupyter_jitmagic.diagnosis.rewrites.met_once import without_int
from jupyter_jitmagic.diagnosis.rewrites.numbered import numbers_of
from jupyter_jitmagic.diagnosis.rewrites.rounds import run_over_by_name
from jupyter_jitmagic.diagnosis.rewrites.rules import NoWay, Obstacle, Rule, Spot, Step
from jupyter_jitmagic.diagnosis.rewrites.windows import TrimmedList, Window, trimming
from jupyter_jitmagic.source.code import Edit, leaves
from jupyter_jitmagic.source.names import SCOPES, bound_to, loaded, stored, walk_scope


def asked_of_a_container(spot: Spot) -> Iterator[Step]:
    """`max(recent)` of a deque, `x in seen`, `seen.add(x)`, `left.remove(x)` of a set: an array in its place."""
    match spot.node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="remove" | "discard")) if isinstance(
            spot.locals.get(name), set
        ):
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
    held = [name for name in stored([asked[1]]) if isinstance(spot.locals.get(name), list | collections.deque | set)]
    if (emptied := next(filter(None, (emptied_instead(spot, name) for name in held)), None)) is not None:
        yield emptied
        return
    if _filled(asked[1]) or any(map(inserted_first, walk_scope([asked[1]]))):
        try:
            yield from as_arrays(spot, outermost(spot, asked[1]))
        except NoWay:
            raise
        except Obstacle:
            return


def outermost(spot: Spot, node: ast.AST) -> ast.stmt:
    """The outermost loop around a place, within its function; the statement itself where there is none."""
    found = spot.code.statement(node)
    for at in spot.code.ancestors(node):
        if isinstance(at, SCOPES):
            break
        if isinstance(at, ast.For | ast.While):
            found = at
    return found


def read_by_number(spot: Spot, loop: ast.While) -> list[str]:
    """Lists that the function fills elsewhere, and of which a loop reads items at places that it counts itself."""
    counted, function = set(stored(loop.body)), spot.function
    filled = _filled(function) if isinstance(function, ast.FunctionDef) else []
    found = []
    for node in walk_scope([loop]):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=place) if name in filled and counted & loaded([place]):
                found.append(name)
    return [name for name in dict.fromkeys(found) if isinstance(spot.locals.get(name), list)]


def as_arrays(spot: Spot, around: ast.stmt, names: Sequence[str] = ()) -> Iterator[Step]:
    """The function with arrays in the place of what a loop or branch fills, or of these containers, for their own rules to go
    on with."""
    function = spot.function
    if not isinstance(function, ast.FunctionDef):
        return
    filled = [*_filled(around), *filter(None, map(inserted_first, walk_scope([around])))]
    renamed = next(filter(None, (under_its_own_name(spot, function, name) for name in names or filled)), None)
    if renamed is not None:
        yield renamed
        return
    for other in (appended_instead, as_list):
        steps = list(other(spot, around))
        if steps:
            yield from steps
            return
    for name in names or _filled(around):
        inner = _filled_within(spot, function, around, name)
        if inner is not None:  # a row of what the loop around it fills
            yield from as_arrays(spot, inner, [name])
            return
    edits: list[Edit] = []
    excludes: dict[str, str] = {}
    containers: list[Container] = []
    together: list[GrowingList] = []
    for name in names or _filled(around):
        if (emptied := emptied_instead(spot, name)) is not None:
            yield emptied
            return
        for first in (
            *(made_apart, last_items_set, rest_one_by_one, rows_of_tuples, a_list_for_each_part),
            *(popped_first, named_first, run_over_by_name, joined_by_name),
        ):
            if (apart := first(spot, function, name)) is not None:
                yield apart
                return
        refuse_where_a_caller_joins_it(spot, function, name)
        made = _maker(spot, function, around, name)
        if made is None:
            return
        together = _growing_together(spot, function, made, together)
        containers.append(made)
    for made in containers:
        try:
            edits += made.edited()
        except Obstacle:
            if (numbers := as_numbers(spot, function, made.name)) is None:
                raise
            yield numbers
            return
        excludes |= made.excludes
    if edits:
        yield spot.step("buffer", *(((start, end), text) for start, end, text in edits), excludes=excludes)


def _growing_together(spot: Spot, function: ast.FunctionDef, made: Container, before: list[GrowingList]) -> list[GrowingList]:
    """Those before and this one, where it grows with the last of them line by line; else a new beginning."""
    if not isinstance(made, GrowingList):
        return []
    if before and follows_line_by_line(spot, function, made.name, before[-1].name):
        made.grows_with(before)
        return [*before, made]
    return [made]


def _filled_within(spot: Spot, function: ast.FunctionDef, around: ast.stmt, name: str) -> ast.stmt | None:
    """The loop that fills a list which each round of the loop around it makes anew; None for other lists."""
    stores = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    if len(stores) != 1 or stores[0] not in ast.walk(around):
        return None
    made = spot.code.statement(stores[0])
    if made is around or not isinstance(made, ast.Assign):
        return None
    block = spot.code.block(made)
    later = (each for each in block[block.index(made) + 1 :] if name in loaded([each]))
    return next((each for each in later if isinstance(each, ast.For | ast.While)), None)


def _filled(around: ast.stmt) -> list[str]:
    """Names of containers to which a loop or branch adds, or from whose end it takes."""
    found = []
    for node in walk_scope(around.body if isinstance(around, ast.FunctionDef) else [around]):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop" | "clear"), args=[], keywords=[]):
                found.append(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if is_taken_in_front(node):
                found.append(name)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append" | "appendleft" | "add" | "remove"), args=[_]
            ):
                found.append(name)
            case ast.Assign() if name := set_at_its_end(node):
                found.append(name)
    return list(dict.fromkeys(found))


def _maker(spot: Spot, function: ast.FunctionDef, around: ast.stmt, name: str) -> Container | None:
    """The container of this name, where it is bound once, in a statement of its own before that."""
    trimmed = trimming(spot, function, name)
    cut = set() if trimmed is None else {*ast.walk(trimmed.statement)}
    bound = (n for n in ast.walk(function) if n not in cut and isinstance(n, ast.Name) and n.id == name)
    stores = [n for n in bound if not isinstance(n.ctx, ast.Load)]
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
    if trimmed is not None and isinstance(held, list) and isinstance(made.value, ast.List):
        return TrimmedList(spot, function, name, made, trimmed)
    if isinstance(held, list) and (isinstance(made.value, ast.List) or copied_array(spot, made.value) is not None):
        return GrowingList(spot, function, name, made)
    if isinstance(held, collections.deque) and isinstance(made.value, ast.Call):
        if held.maxlen is not None:
            return Window(spot, function, name, made)
        return GrowingList(spot, function, name, made) if _is_spelled_out(made.value) else None
    if isinstance(held, set) and isinstance(made.value, ast.Call | ast.Set):
        return _Marks(spot, function, name, made)
    return None


def _is_spelled_out(made: ast.Call) -> bool:
    """Whether the items with which a deque begins stand there."""
    match made.args:
        case [] | [ast.List() | ast.Tuple()]:
            return not made.keywords
    return False


class _Marks(Container):
    """`seen = set()` … `seen.add(i)`, `i in seen` → `seen = seen.at[i].set(True)`, `seen[i]`, of numbers that are places."""

    def make(self) -> None:
        value, counted = self.made.value, numbers_of(self.spot, self.made.value)
        if counted is not None:
            start, size = counted
            held = f"{self.spot.jnp('arange')}({size}) >= {start}" if start != "0" else f"{self.spot.jnp('ones')}({size}, bool)"
            self.lines(self.made, f"{self.name} = {held}")
            return
        first = value.elts if isinstance(value, ast.Set) else []
        match value:
            case ast.Call(args=[ast.List(elts=given) | ast.Tuple(elts=given)], keywords=[]):
                first = given
            case ast.Call() if value.args:
                self.refuse(self.made)
        if isinstance(value, ast.Call) and not self.is_builtin_call(value, "set"):
            self.refuse(self.made)
        text = f"{self.name} = {self.spot.jnp('zeros')}({self._places()}, bool)"
        self.lines(self.made, text + "".join(f".at[{self._place(each)}].set(True)" for each in first))

    def _places(self) -> str:
        """How many numbers there can be, or pairs of them: they are places of an array."""
        added = [each for _, value in self.appended() for each in self._items(value)]
        added += self._looked_for()  # `best, k = cost[i, j], j`, `seen.add(k)`, where `j in seen` is asked
        for node in ast.walk(self.function):
            found = owner_and_places(node) if isinstance(node, ast.Subscript) else None
            if found is None or not self._is_kept(found[0]):
                continue
            array, places = found[0], [*map(ast.dump, found[1])]
            for value in added:
                parts = [ast.dump(without_int(part)) for part in _parts(value)]
                for axis in range(len(places)):
                    if places[axis : axis + len(parts)] == parts:
                        self.excludes = _beyond(f"numbers in {self.name} that are below 0, or no places of {array}")
                        if len(parts) == self.spot.locals[array].ndim > 1:
                            return f"{array}.shape"
                        axes = [f"{array}.shape[{axis + place}]" for place in range(len(parts))]
                        return axes[0] if len(axes) == 1 else f"({', '.join(axes)})"
        self.refuse(self.made)

    def _looked_for(self) -> list[ast.expr]:
        """What is asked to be in it."""
        asked = [node for node in ast.walk(self.function) if isinstance(node, ast.Compare) and len(node.ops) == 1]
        held = [each for each in asked if isinstance(each.comparators[0], ast.Name) and each.comparators[0].id == self.name]
        return [each.left for each in held if isinstance(each.ops[0], ast.In | ast.NotIn)]

    def _items(self, value: ast.expr) -> list[ast.expr]:
        """What is added, and what it was when it went into the list from which it was taken: `i, j = stack.pop()`."""
        code, own = self.spot.code, ast.dump(value)
        for node in ast.walk(self.function):
            match node:
                case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr))) if (
                    attr in ("pop", "popleft") and ast.dump(ast.parse(code.src(target), mode="eval").body) == own
                ):
                    given = [
                        call.args[0]
                        for call in ast.walk(self.function)
                        if isinstance(call, ast.Call) and code.src(call.func) == f"{name}.append" and len(call.args) == 1
                    ]
                    return [value, *given]
        return [value]

    def _is_kept(self, name: str) -> bool:
        """Whether a name stands for an array that the function is given, or takes from around it, and keeps."""
        return name not in stored(self.function.body) and is_array(self.spot, name)

    def use(self, node: ast.Name, parent: ast.AST) -> None:
        code, spot = self.spot.code, self.spot
        match parent:
            case ast.Attribute(attr="add"):
                statement, value = self.statement_of(parent)
                place = self._place(value)
                if self._may_be_none_found(value):  # -1 would be the last place
                    place = f"{spot.jnp('where')}({place} < 0, {self.name}.size, {place})"
                self.lines(statement, f"{self.name} = {self.name}.at[{place}].set(True)")
            case ast.Attribute(attr="clear"):
                self.lines(self.cleared(parent), f"{self.name} = {spot.jnp('zeros_like')}({self.name})")
            case ast.Attribute(attr="discard" | "remove"):
                statement, value = self.statement_of(parent)
                self.lines(statement, f"{self.name} = {self.name}.at[{self._place(value)}].set(False)")
            case ast.Call(args=[only]) if only is node and self.is_builtin_call(parent, "len"):
                self.replace(parent, f"{spot.jnp('sum')}({self.name})")
            case ast.Compare(ops=[ast.In() | ast.NotIn() as op], comparators=[only]) if only is node:
                found = f"{self.name}[{self._place(parent.left)}]"
                self.replace(parent, found if isinstance(op, ast.In) else f"{spot.jnp('logical_not')}({found})")
            case ast.While(test=test) if test is node and (rounds := self._rounds(parent)):
                start, _ = code.span(parent)
                self.edits.append((start, code.span(test)[1], f"for _ in range({rounds})"))
            case ast.For(target=ast.Name(id=number)) if parent.iter is node and (bounds := self._in_order()):
                self._go_through(parent, node, number, bounds)
            case _ if self.is_test(node, parent):
                self.replace(node, f"{spot.jnp('any')}({self.name})")
            case _:
                self._use_all(node, parent)

    def _use_all(self, node: ast.Name, parent: ast.AST) -> None:
        """`sum(load[v] for v in seen)`, `for v in sorted(seen)`: all numbers that there can be, and whether each is in it."""
        code = self.spot.code
        whole: ast.AST = node
        one_axis = numbers_of(self.spot, self.made.value) is None and re.fullmatch(r"\w+\.shape\[\d+\]", self._places())
        sorts = isinstance(parent, ast.Call) and self.is_builtin_call(parent, "sorted") and not parent.keywords
        if sorts:
            whole, parent = parent, code.parents[parent]
        match parent:
            case ast.comprehension(target=ast.Name(id=number), iter=over) if (
                over is whole and one_axis and (sorts or self._in_any_order(parent))
            ):
                self.replace(whole, f"range(len({self.name})) if {self.name}[{number}]")
            case ast.For(target=ast.Name(id=number)) if one_axis and sorts and self._is_over(parent, number):
                self._go_through(parent, whole, number, f"len({self.name})")
            case _:
                self.refuse(node)

    def _is_over(self, loop: ast.For, number: str) -> bool:
        """Whether a loop leaves the set as it is, of which `sorted` has made a copy, and nobody asks for its last number."""
        used = (node.value for node in ast.walk(loop) if isinstance(node, ast.Attribute))
        changes = any(isinstance(owner, ast.Name) and owner.id == self.name for owner in used)
        return not changes and number not in self.spot.code.live_after(loop)

    def _go_through(self, loop: ast.For, over: ast.AST, number: str, bounds: str) -> None:
        """The loop over all numbers within the bounds, with those that are not in the set left out."""
        code, first = self.spot.code, loop.body[0]
        if not code.on_own_lines([first]):
            self.refuse(loop)
        self.replace(over, f"range({bounds})")
        start, indent = code.span(first)[0], code.indent(first)
        self.edits.append((start, start, f"if not {self.name}[{number}]:\n{indent}    continue\n{indent}"))

    def _in_any_order(self, loop: ast.comprehension) -> bool:
        """Whether a comprehension's values are added up, or one of them is chosen, whatever their order."""
        call = self.spot.code.parents[self.spot.code.parents[loop]]
        alone = isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords
        return alone and self.is_builtin_call(call, "sum", "min", "max", "any", "all")

    def _may_be_none_found(self, value: ast.expr) -> bool:
        """Whether it is a name that begins as a number below 0, as in `best, k = jnp.inf, -1`."""
        made = [each for each in ast.walk(self.function) if isinstance(each, ast.Assign)]
        pairs = [pair for each in made for pair in bound_to(each) if isinstance(value, ast.Name) and pair[0].id == value.id]
        return any(isinstance(given, ast.UnaryOp) and isinstance(given.op, ast.USub) for _, given in pairs)

    def _place(self, value: ast.expr) -> str:
        return ", ".join(map(self.spot.code.expr, _parts(value)))

    def _in_order(self) -> str:
        """The bounds of the numbers in it, where a set gives them in order: those of `set(range(n))`, each in the place of its
        own number; "" for others."""
        start, size = numbers_of(self.spot, self.made.value) or ("", "")
        return size if start == "0" else f"{start}, {size}" if start == "1" else ""

    def _rounds(self, loop: ast.While) -> str:
        """How many rounds `while left:` has, each of which takes one number out of it; "" where that is not sure."""
        counted = numbers_of(self.spot, self.made.value)
        taken = [
            node
            for node in ast.walk(self.function)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.name
        ]
        block = self.spot.code.block(self.made)
        before = [each for each in taken if loop in block and self.spot.code.statement(each) in block[: block.index(loop)]]
        taken = [each for each in taken if each not in before]
        if counted is None or len(taken) != 1 or taken[0].attr != "remove" or loop.orelse:
            return ""
        discards = sum(each.attr == "discard" for each in before)  # of what is no number of it, none goes out
        if any(each.attr not in ("discard", "remove") for each in before) or (discards and len(before) > 1):
            return ""  # two may be the same number
        statement = self.spot.code.statement(taken[0])
        if statement not in loop.body or leaves(loop.body[: loop.body.index(statement)], ast.Continue):
            return ""
        start, size = counted
        if discards:
            words = f"what is left out of {self.name} is none of its numbers"
            self.excludes = _beyond(words) | {"between": words}
        less = len(before) if start == "0" else f"{start} - {len(before)}" if before else start
        return f"{size} - {less}" if less else size


def _beyond(words: str) -> dict[str, str]:
    """Inputs on which a number may be no place of an array."""
    return dict.fromkeys(("count", "large count", "negative int", "moved", "number", "size", "end"), words)


def _parts(value: ast.expr) -> list[ast.expr]:
    """The numbers of a pair, or the number."""
    return value.elts if isinstance(value, ast.Tuple) else [value]


RULES: list[Rule] = [asked_of_a_container]
IN_BRANCHES: list[Rule] = [filled_in_a_branch]
