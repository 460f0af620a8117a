"""Queues and stacks that a loop empties while data fills them: `while queue: u = queue.pop(0) … queue.append(v)`.

A compiled loop has room for a known number of items. How many there can be is told by the marks that keep such a loop from
going on for ever (`marks`).
"""

from __future__ import annotations

import ast
import collections
import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from jupyter_jitmagic.diagnosis.rewrites.as_loops import looped
from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays
from jupyter_jitmagic.diagnosis.rewrites.marks import most_items, together
from jupyter_jitmagic.diagnosis.rewrites.never_longer import Changes
from jupyter_jitmagic.diagnosis.rewrites.ragged import enclosed
from jupyter_jitmagic.diagnosis.rewrites.rounds import known_length, rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit, leaves
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, target_names, walk_scope


def emptied_by_a_loop(spot: Spot) -> Iterator[Step]:
    """`while queue:` of a list or deque → a buffer, and where its items begin and end."""
    function, asked = spot.function, spot.asked()
    if not isinstance(function, ast.FunctionDef):
        return
    inside = walk_scope([asked[1]]) if asked is not None else ()
    loops = [at for at in (*spot.code.ancestors(spot.node), *inside) if isinstance(at, ast.While) and _emptied(spot, at.test)]
    if not loops and asked is not None and isinstance(asked[1], ast.If):
        loops = list(_filled_above(spot, function, asked[1]))
    if not loops:
        yield from _filled_by_a_comprehension(spot, function, spot.code.statement(spot.node))
        return
    loop = loops[0]
    name = _emptied(spot, loop.test)
    made = next((each for each in function.body if isinstance(each, ast.Assign) and name in target_names(each)), None)
    if made is not None and (filled := list(_filled_by_a_comprehension(spot, function, made))):
        yield from filled
        return
    if added := list(_added_at_once(spot, loop, name)):
        yield spot.step("list", *added)
        return
    if flat := _flattened(spot, function, name):
        yield spot.step("tuples", *flat)
        return
    ours = _Queue(spot, function, loop, name)
    if not ours.is_ours():
        return
    if (begun := ours.begun() or ours.begun_each_time()) is not None:
        yield begun
        return
    sets = [each for each in dict.fromkeys(loaded(loop.body)) if isinstance(spot.locals.get(each), set)]
    if sets:  # their numbers become places of an array first
        yield from as_arrays(spot, loop, sorted(sets))
        return
    spread = ours.spread()
    yield spread if spread is not None else ours.step()


def _added_at_once(spot: Spot, loop: ast.While, name: str) -> Iterator[tuple[ast.stmt, str]]:
    """`queue += [u, v]` in the loop → `queue.extend([u, v])`."""
    for node in walk_scope(loop.body):
        match node:
            case ast.AugAssign(target=ast.Name(id=target), op=ast.Add(), value=ast.List() | ast.Tuple() | ast.ListComp()) if (
                target == name
            ):
                yield node, f"{name}.extend({spot.code.expr(node.value)})"


def _flattened(spot: Spot, function: ast.FunctionDef, name: str) -> list[tuple[ast.AST, str]]:
    """Items that hold tuples, as tuples of numbers: `queue.append(((r, c), d + 1))` → `queue.append((r, c, d + 1))`, where each
    is taken apart when it is taken out, `(r, c), d = queue.popleft()`."""
    items: list[ast.expr] = []
    targets: list[ast.expr] = []
    for use in [n for n in walk_scope(function.body) if isinstance(n, ast.Name) and n.id == name]:
        parent = spot.code.parents[use]
        call = spot.code.parents.get(parent)
        match call:
            case ast.Call(func=ast.Attribute(attr="append" | "appendleft"), args=[item]) if parent is call.func:
                items.append(item)
                continue
            case ast.Call(func=ast.Attribute(attr="pop" | "popleft")) if parent is call.func:
                taken = spot.code.parents[call]
                targets += taken.targets if isinstance(taken, ast.Assign) else [call]
                continue
        match parent:
            case ast.Assign(value=ast.List(elts=first)):
                items += first
            case ast.Assign(value=ast.Call(func=func, args=[ast.List(elts=first)])) if spot.code.src(func).endswith("deque"):
                items += first
            case ast.Assign(value=ast.List() | ast.Call(args=[])) | ast.While() | ast.Call(func=ast.Name(id="len")):
                pass
            case _:
                return []
    shape = next((_shape(spot, each) for each in targets), ())
    if not any(shape) or any(_shape(spot, each) != shape for each in (*items, *targets)):
        return []
    edits: list[tuple[ast.AST, str]] = [(each, f"({', '.join(_parts(spot, each))})") for each in items]
    return [*edits, *((each, ", ".join(_parts(spot, each))) for each in targets)]


def _shape(spot: Spot, node: ast.expr) -> tuple[int, ...]:
    """Of each part of an item or a target how many numbers it holds, 0 for a number; () for what is no tuple."""
    if not isinstance(node, ast.Tuple):
        return ()
    return tuple(len(part.elts) if isinstance(part, ast.Tuple) else _length(spot, part) for part in node.elts)


def _length(spot: Spot, part: ast.expr) -> int:
    fact = spot.fact(part) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) else None
    return fact.length if fact is not None and fact.sort == "tuple" and fact.length > 0 else 0


def _parts(spot: Spot, node: ast.expr) -> Iterator[str]:
    assert isinstance(node, ast.Tuple)
    for part in node.elts:
        if isinstance(part, ast.Tuple):
            yield from map(spot.code.expr, part.elts)
        elif length := _length(spot, part):
            yield from (f"{spot.code.src(part)}[{number}]" for number in range(length))
        else:
            yield spot.code.expr(part)


def _filled_by_a_comprehension(spot: Spot, function: ast.FunctionDef, statement: ast.stmt) -> Iterator[Step]:
    """`queue = deque([2 * i for i in range(n)])` above a loop that empties it → `queue = deque()` and a loop that appends."""
    code = spot.code
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp() as given):
            empty = "[]"
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=func, args=[ast.ListComp() | ast.GeneratorExp() as given], keywords=[]),
        ) if code.src(func).rpartition(".")[2] == "deque" or (code.src(func) == "list" and spot.is_builtin("list")):
            empty = "[]" if code.src(func) == "list" else f"{code.src(func)}()"
        case _:
            return
    block = code.block(statement)
    if not any(
        isinstance(at, ast.While) and _emptied(spot, at.test) == name for at in walk_scope(block[block.index(statement) :])
    ):
        return
    if (lines := looped(spot, given, name, empty)) is not None:
        yield spot.step("for", (statement, f"\n{code.indent(statement)}".join(lines)))


def of_the_queue_module(spot: Spot) -> Iterator[Step]:
    """`q = queue.Queue()`, `q.put(v)`, `q.get()`, `q.empty()` → a list, which no thread shares: one that waits is none."""
    function, code = spot.function, spot.code
    if not isinstance(function, ast.FunctionDef):
        return
    for made in walk_scope(function.body):
        match made:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func, args=[], keywords=[])):
                kind = spot.value(func)
            case _:
                continue
        if kind not in (queue.Queue, queue.LifoQueue, queue.SimpleQueue):
            continue
        edits: list[tuple[ast.AST, str]] = [(made.value, "[]")]
        uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and n is not made.targets[0]]
        for use in uses:
            method = code.parents[use]
            call = code.parents[method]
            match call:
                case ast.Call(func=ast.Attribute(attr="put"), args=[_], keywords=[]) if isinstance(
                    code.parents[call], ast.Expr
                ):
                    edits.append((method, f"{name}.append"))  # either gives None
                case ast.Call(func=ast.Attribute(attr="get" | "get_nowait"), args=[], keywords=[]):
                    edits.append((call, f"{name}.pop({'' if kind is queue.LifoQueue else '0'})"))
                case ast.Call(func=ast.Attribute(attr="qsize"), args=[], keywords=[]):
                    edits.append((call, f"len({name})"))
                case ast.Call(func=ast.Attribute(attr="empty"), args=[], keywords=[]):
                    around = code.parents[call]
                    denied = isinstance(around, ast.UnaryOp) and isinstance(around.op, ast.Not)
                    edits.append((around, name) if denied else (call, f"len({name}) == 0"))
                case _:
                    return
        yield spot.step("list", *edits)
        return


def _filled_above(spot: Spot, function: ast.FunctionDef, choice: ast.If) -> Iterator[ast.While]:
    """The loops that empty what a choice above them adds to."""
    added = {node.value.id for node in walk_scope([choice]) if _adds_to(node)}  # type: ignore[attr-defined]
    for at in walk_scope(function.body):
        if isinstance(at, ast.While) and at.lineno > choice.lineno and _emptied(spot, at.test) in added:
            yield at


def _adds_to(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "append" and isinstance(node.value, ast.Name)


def _emptied(spot: Spot, test: ast.expr) -> str:
    """The list that a loop's test asks for items; "" for other tests."""
    match test:
        case ast.Name(id=name):
            pass
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]), ops=[ast.Gt() | ast.NotEq() | ast.GtE()]
        ) if _least(test) is not None:
            pass
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            pass
        case _:
            return ""
    return name if isinstance(spot.locals.get(name, []), list | collections.deque) else ""


def _least(test: ast.expr) -> int | None:
    """The loop goes on while there are more items than this: 0 of `len(queue) > 0`; None for other tests."""
    match test:
        case ast.Compare(ops=[ast.NotEq()], comparators=[ast.Constant(value=0)]):
            return 0
        case ast.Compare(ops=[ast.Gt()], comparators=[ast.Constant(value=int(number))]):
            return number if number >= 0 else None
        case ast.Compare(ops=[ast.GtE()], comparators=[ast.Constant(value=int(number))]):
            return number - 1 if number > 0 else None
        case ast.Compare():
            return None
    return 0


@dataclass
class _Queue:
    """A list that a loop empties.

    Attributes:
        width: how many numbers each item has, where it is a tuple; 0 where it is a number.
        first: the items that it holds at first.
        counted: the `range(…)` of which it holds the numbers at first, in the place of these.
        first_in: whether items are taken from the front.
        turns: whether there is room for those alone that are there at once: in a queue what is added at the back takes the
            place of what was taken from the front.
        peeks: whether an item is looked at behind the loop, of which there may have been none from the start.
    """

    spot: Spot
    function: ast.FunctionDef
    loop: ast.While
    name: str
    width: int = 0
    first: list[ast.expr] = field(default_factory=list)
    counted: ast.Call | None = None
    first_in: bool = False
    turns: bool = False
    peeks: bool = False
    edits: list[Edit] = field(default_factory=list)

    # -- what it is ---------------------------------------------------------------------------------------

    def is_ours(self) -> bool:
        """Whether the function makes it before the loop, as a list of numbers or tuples of them."""
        names = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == self.name]
        stores = [n for n in names if isinstance(n.ctx, ast.Store)]
        inner = [n for scope in walk_scope(self.function.body) if isinstance(scope, SCOPES) for n in ast.walk(scope)]
        if len(stores) != 1 or any(n in names for n in inner):
            return False
        self.made = self.spot.code.statement(stores[0])
        match self.made:
            case ast.Assign(targets=[ast.Name()], value=ast.List(elts=first)):
                pass
            case ast.Assign(targets=[ast.Name()], value=ast.Call(func=func, args=args, keywords=[])) if (
                self.spot.code.src(func).rpartition(".")[2] == "deque"
            ):
                first = args[0].elts if args and isinstance(args[0], ast.List | ast.Tuple) else []
                self.counted = self._range(args[0]) if args and not first else None
                if args and not first and self.counted is None:
                    return False
            case ast.Assign(targets=[ast.Name()], value=ast.Call() as listed) if (counted := self._range(listed)) is not None:
                first, self.counted = [], counted
            case _:
                return False
        if self.made in ast.walk(self.loop) or self.made.lineno > self.loop.lineno:
            return False
        self.first = first
        items = [*first, *self._added()]
        widths = {*map(self._width, items), *([0] if self.counted is not None else [])}
        self.width = widths.pop() if len(widths) == 1 else -1
        parts = [part for each in items for part in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]
        if any(isinstance(part, ast.Starred | ast.Tuple | ast.List) for part in parts):
            return False
        facts = [fact for part in parts if (fact := self.spot.fact(part)) is not None]
        return bool(items or self.counted) and self.width >= 0 and not any(fact.dtype in ("f", "c") for fact in facts)

    def _range(self, given: ast.expr) -> ast.Call | None:
        """The `range(…)` that is listed, as `list(range(n))`."""
        builtin = self.spot.is_builtin
        match given:
            case ast.Call(func=ast.Name(id="range"), keywords=[]) if builtin("range"):
                return given
            case ast.Call(func=ast.Name(id="list"), args=[inner], keywords=[]) if builtin("list"):
                return self._range(inner)
        return None

    def _width(self, item: ast.expr) -> int:
        fact = None if isinstance(item, ast.Tuple | ast.List) else self.spot.fact(item)
        if fact is not None:
            return fact.ndim if fact.sort == "tuple" else 0
        return len(item.elts) if isinstance(item, ast.Tuple | ast.List) else 0

    def _added(self) -> list[ast.expr]:
        """The items that are added one by one, or in a list that stands there."""
        found: list[ast.expr] = []
        for _, items in self._adding():
            found += items or []
        return found

    def _adding(self) -> Iterator[tuple[ast.Call, list[ast.expr] | None]]:
        """The calls that add, with what they add; None where that is no list that stands there."""
        for node in walk_scope(self.function.body):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]) if name == self.name:
                    yield node, [item]
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="extend"),
                    args=[ast.List(elts=items) | ast.Tuple(elts=items)],
                ) if name == self.name:
                    yield node, items
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend")) if name == self.name:
                    yield node, None

    def begun(self) -> Step | None:
        """`queue = deque()`, `queue.append(start)` above the loop → `queue = deque([start])`."""
        code, block = self.spot.code, self.spot.code.block(self.made)
        above = block[block.index(self.made) + 1 : block.index(self.loop)] if self.loop in block else []
        using = [each for each in above if self.name in loaded([each])]
        calls = {code.statement(call): items or [] for call, items in self._adding()}
        if self.first or not using or not all(map(calls.get, using)) or not code.on_own_lines([self.made, *using]):
            return None
        if using != above[above.index(using[0]) :][: len(using)]:
            return None  # other lines stand between: what they bind may be among the items
        assert isinstance(self.made, ast.Assign)
        listed = f"[{', '.join(code.expr(item) for each in using for item in calls[each])}]"
        made = f"{code.src(self.made.value.func)}({listed})" if isinstance(self.made.value, ast.Call) else listed
        gone = [(code.region([each]), "") for each in (self.made, *using[1:])]
        return self.spot.step("list", (using[0], f"{self.name} = {made}"), *gone)

    def begun_each_time(self) -> Step | None:
        """`queue = deque()` above an outer loop, `queue.append(start)` before each loop that empties it → made anew there."""
        code = self.spot.code
        adding = [(code.statement(call), items) for call, items in self._adding()]
        outside = [(at, items) for at, items in adding if at not in list(walk_scope(self.loop.body))]
        if self.first or len(outside) != 1 or any(isinstance(n, ast.Break) for n in walk_scope(self.loop.body)):
            return None  # after a break it need not be empty
        begins, items = outside[0]
        block = code.block(begins)
        users = {n for part in (self.made, begins, self.loop) for n in ast.walk(part)}
        names = {n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == self.name}
        beside = self.loop in block and self.made not in block and block.index(begins) < block.index(self.loop)
        if not beside or not items or not names <= users or not code.on_own_lines([self.made, begins]):
            return None
        assert isinstance(self.made, ast.Assign)
        listed = f"[{', '.join(map(code.expr, items))}]"
        made = f"{code.src(self.made.value.func)}({listed})" if isinstance(self.made.value, ast.Call) else listed
        return self.spot.step("list", (begins, f"{self.name} = {made}"), (code.region([self.made]), ""))

    def spread(self) -> Step | None:
        """`stack.extend(v for v in …)` → a loop that appends."""
        code = self.spot.code
        for call, items in self._adding():
            statement = code.parents[call]
            match call.args:
                case [ast.GeneratorExp() | ast.ListComp() as given] if items is None and len(given.generators) == 1:
                    made, indent = given.generators[0], code.indent(code.statement(call))
                    if not isinstance(statement, ast.Expr) or not code.on_own_lines([statement]):
                        return None
                    lines, inner = f"for {code.src(made.target)} in {code.src(made.iter)}:\n", f"{indent}    "
                    if made.ifs:
                        lines += f"{inner}if {' and '.join(map(code.operand, made.ifs))}:\n"
                        inner += "    "
                    text = f"{indent}{lines}{inner}{self.name}.append({code.expr(given.elt)})\n"
                    return self.spot.step("for", (code.region([statement]), text))
        return None

    # -- how many items there can be ----------------------------------------------------------------------

    def _capacity(self) -> str:
        """The number of items that are ever added, at most, as text; where marks tell none, of those that are there at once,
        which may be no more than at first."""
        parts = []
        room = self._changes().most_room(self.loop)
        for call, items in self._adding():
            statement = self.spot.code.statement(call)
            if items is None:
                self._refuse(call)
            if statement not in list(walk_scope(self.loop.body)):
                parts.append(self._above(statement, len(items or ())))
                continue
            part = most_items(self.spot, self.function, self.loop, statement, len(items or ()), list(self._taken()), self.first)
            if part is None and room is not None and len(items or ()) == 1:
                self.turns = True
                continue
            if part is None:
                raise Obstacle(
                    f"how long {self.name} gets depends on data: nothing marks what was in it, so no size is known to be enough"
                )
            parts.append(part)
        if self.counted is not None:
            count = known_length(self.spot, self.counted)
            parts.append(count if count is not None else self._refuse(self.made))
        known = len(self.first) + (room if self.turns and room is not None else 0)
        return " + ".join([*together(parts), *([str(known)] if known else [])])

    def _above(self, statement: ast.stmt, count: int) -> str:
        """How many items a statement above the loop adds at most."""
        around = [at for at in self.spot.code.ancestors(statement) if isinstance(at, ast.For | ast.While | ast.FunctionDef)]
        loops = around[: around.index(self.function)]
        rounds = [rounds_of(self.spot, at) for at in loops if isinstance(at, ast.For | ast.While)]
        if statement.lineno > self.loop.lineno or None in rounds:
            self._refuse(statement)
        return " * ".join(
            [
                *([str(count)] if count > 1 or not rounds else []),
                *(str(each) if str(each).isidentifier() else f"({each})" for each in rounds),
            ]
        )

    def _changes(self) -> Changes:
        return Changes([call for call, _ in self._adding()], self._taking())

    def _taking(self) -> list[ast.AST]:
        """The calls that take an item out."""
        found = [node for node in self._reads() if self._is_taken(node)]
        return [self.spot.code.parents[self.spot.code.parents[node]] for node in found]

    def _taken(self) -> Iterator[ast.expr]:
        """What names an item that was taken out."""
        for node in walk_scope(self.loop.body):
            match node:
                case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if (
                    name == self.name
                ):
                    loads = ast.parse(self.spot.code.src(target), mode="eval").body
                    yield loads
                    if isinstance(target, ast.Tuple):
                        yield ast.parse(f"a[{self.spot.code.src(target).strip('()')}]", mode="eval").body.slice  # type: ignore[attr-defined]

    # -- the new text -------------------------------------------------------------------------------------

    def step(self) -> Step:
        """The function with a buffer in the place of the list."""
        spot, code = self.spot, self.spot.code
        self.start = self.end = ""
        taken = [self._is_taken(node) for node in self._reads()]
        self.first_in = "first" in taken
        if self.first_in and "last" in taken:
            self._refuse(self.loop)
        self.end = code.fresh(f"{self.name}_end" if self.first_in else f"{self.name}_length", f"end_of_{self.name}")
        self.start = code.fresh(f"{self.name}_start", f"start_of_{self.name}") if self.first_in else "0"
        capacity = self._capacity()  # which tells whether items turn
        for node in self._reads():
            self._use(node)
        least = _least(self.loop.test)
        left = f"{self.end} - {self.start}" if self.first_in else self.end
        self._edit(self.loop.test, f"{self.start} < {self.end}" if self.first_in and not least else f"{left} > {least}")
        shape = f"({capacity}, {self.width})" if self.width else capacity
        made, held = self._begun_with(shape)
        lines = [f"{self.name} = {made}", *([f"{self.start} = 0"] if self.first_in else []), f"{self.end} = {held}"]
        after = self._made_after(shape)
        indent = f"\n{code.indent(self.made)}"
        note = (
            f"of no items {self.name}[0] raises IndexError in plain Python; the compiled function goes on" if self.peeks else ""
        )
        if after is None:
            self._edit(self.made, indent.join(lines))
        else:
            self.edits.append((*code.region([self.made]), ""))
            end = code.span(after)[1]
            self.edits.append((end, end, indent + indent.join(lines)))
        return spot.step("buffer", *(((a, b), text) for a, b, text in self.edits), note=note)

    def _begun_with(self, shape: str) -> tuple[str, str]:
        """The buffer as it is at first, and how many items it holds then."""
        jnp = self.spot.jnp
        made = f"{jnp('zeros')}({shape}, int)"
        if self.counted is None:
            made += "".join(f".at[{place}].set({self._item(each)})" for place, each in enumerate(self.first))
            return made, str(len(self.first))
        numbers = f"{jnp('arange')}({', '.join(map(self.spot.code.src, self.counted.args))})"
        count = str(known_length(self.spot, self.counted))
        return numbers if count == shape else f"{made}.at[:{count}].set({numbers})", count

    def _place(self, number: str) -> str:
        """Where an item stands of which this is the number among all that were ever added."""
        turning = self.turns and self.first_in
        return f"{enclosed(number)} % len({self.name})" if turning else number

    def _made_after(self, shape: str) -> ast.stmt | None:
        """The statement below its own at which all that the shape names is known; None where that is so at its own.

        Raises:
            Obstacle: what stands between needs the list, or changes what it begins with.
        """
        code = self.spot.code
        block = code.block(self.made)
        below = block[block.index(self.made) + 1 :]
        needed = {node.id for node in ast.walk(ast.parse(shape)) if isinstance(node, ast.Name)}
        needed -= {each.arg for each in ast.walk(self.function.args) if isinstance(each, ast.arg)}
        needed -= {*stored(block[: block.index(self.made)])}
        last = max(
            (place for place, each in enumerate(below) if each.lineno < self.loop.lineno and needed & {*stored([each])}),
            default=-1,
        )
        if last < 0:
            return None
        between = below[: last + 1]
        alone = code.on_own_lines([self.made]) and code.on_own_lines([between[-1]])
        if not alone or self.loop in between or self.name in loaded(between) or {*loaded([self.made])} & {*stored(between)}:
            self._refuse(between[-1])
        return between[-1]

    def _edit(self, node: ast.AST, text: str) -> None:
        self.edits.append((*self.spot.code.span(node), text))

    def _refuse(self, node: ast.AST) -> NoReturn:
        code = self.spot.code
        text = code.src(code.statement(node)).splitlines()[0]
        raise Obstacle(f"the length of {self.name} depends on data, and `{text}` needs it")

    def _reads(self) -> list[ast.Name]:
        inside_test = set(ast.walk(self.loop.test))
        found = [n for n in ast.walk(self.function) if isinstance(n, ast.Name) and n.id == self.name and n not in inside_test]
        return [n for n in found if isinstance(n.ctx, ast.Load)]

    def _is_taken(self, node: ast.Name) -> str:
        """Whether an item is taken at the front ("first") or at the back ("last") there."""
        attribute = self.spot.code.parents[node]
        call = self.spot.code.parents[attribute]
        match call:
            case ast.Call(func=ast.Attribute(attr="popleft"), args=[]) if call.func is attribute:
                return "first"
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)]) if call.func is attribute:
                return "first"
            case ast.Call(func=ast.Attribute(attr="pop"), args=[]) if call.func is attribute:
                return "last"
        return ""

    def _use(self, node: ast.Name) -> None:
        code = self.spot.code
        parent = code.parents[node]
        call = code.parents[parent]
        statement = code.statement(node)
        taken = self._is_taken(node)
        whole = code.on_own_lines([statement])
        indent = f"\n{code.indent(statement)}"
        match statement:
            case ast.Expr(value=value) | ast.Assign(targets=[_], value=value) if taken and value is call and whole:
                inside = statement in [*walk_scope(self.loop.body)]
                if not inside or (statement is not self.loop.body[0] and not self._changes().takes_once(self.loop)):
                    self._refuse(node)  # it might be empty by then
                begin, end = code.span(statement)
                if isinstance(statement, ast.Expr):
                    self._edit(statement, f"{self.start} += 1" if taken == "first" else f"{self.end} -= 1")
                elif taken == "first":
                    self._edit(call, f"{self.name}[{self._place(self.start)}]")
                    self.edits.append((end, end, f"{indent}{self.start} += 1"))
                else:
                    self.edits.append((begin, begin, f"{self.end} -= 1{indent}"))
                    self._edit(call, f"{self.name}[{self.end}]")
            case ast.Expr(value=ast.Call() as added) if added is call and whole and isinstance(parent, ast.Attribute):
                items = next((items for each, items in self._adding() if each is added), None)
                if items is None:
                    self._refuse(node)
                elif len(items) == 1:
                    text = f"{self.name} = {self.name}.at[{self._place(self.end)}].set({self._item(items[0])})"
                    self._edit(statement, f"{text}{indent}{self.end} += 1")
                else:
                    jnp = self.spot.jnp
                    values = f"{jnp('array')}([{', '.join(map(code.expr, items))}])"
                    place = self._place(f"{self.end} + {jnp('arange')}({len(items)})")
                    text = f"{self.name} = {self.name}.at[{place}].set({values})"
                    self._edit(statement, f"{text}{indent}{self.end} += {len(items)}")
            case _ if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load) and self._is_there(statement):
                self.peeks |= self.counted is not None and statement not in self.loop.body
                match code.src(parent.slice):
                    case "0":
                        self._edit(parent, f"{self.name}[{self._place(self.start)}]")
                    case "-1":
                        self._edit(parent, f"{self.name}[{self._place(f'{self.end} - 1')}]")
                    case _:
                        self._refuse(node)
            case _ if isinstance(parent, ast.Call) and code.src(parent.func) == "len":
                self._edit(parent, f"({self.end} - {self.start})" if self.first_in else self.end)
            case _:
                self._refuse(node)

    def _is_there(self, statement: ast.stmt) -> bool:
        """Whether there is an item where a statement looks at the first or the last: the loop has just asked, or goes on until
        few are left."""
        if statement in self.loop.body:
            changing = {*self._taking(), *(call for call, _ in self._adding())}
            above = self.loop.body[: self.loop.body.index(statement) + 1]
            return not any(node in changing for each in above for node in ast.walk(each))
        inside = statement in [*walk_scope(self.loop.body)]
        return (
            not inside
            and statement.lineno > self.loop.lineno
            and bool(_least(self.loop.test))
            and bool(self.first or self.counted)
            and not leaves(self.loop.body, ast.Break)
        )

    def _item(self, item: ast.expr) -> str:
        text = self.spot.code.expr(item)
        return f"{self.spot.jnp('array')}({text})" if self.width else text


RULES: list[Rule] = [of_the_queue_module, emptied_by_a_loop]
