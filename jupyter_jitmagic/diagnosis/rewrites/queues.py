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

from jupyter_jitmagic.diagnosis.rewrites.as_loops import looped
from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays
from jupyter_jitmagic.diagnosis.rewrites.marks import most_items, together
from jupyter_jitmagic.diagnosis.rewrites.rounds import rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import Edit
from jupyter_jitmagic.source.names import SCOPES, loaded, stored, walk_scope


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
        yield from _filled_by_a_comprehension(spot, function)
        return
    loop = loops[0]
    name = _emptied(spot, loop.test)
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


def _filled_by_a_comprehension(spot: Spot, function: ast.FunctionDef) -> Iterator[Step]:
    """`queue = deque([i for i in range(n) if …])` above a loop that empties it → `queue = deque()` and a loop that appends."""
    code, statement = spot.code, spot.code.statement(spot.node)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.ListComp() as given):
            empty = "[]"
        case ast.Assign(
            targets=[ast.Name(id=name)], value=ast.Call(func=func, args=[ast.ListComp() as given], keywords=[])
        ) if code.src(func).rpartition(".")[2] == "deque":
            empty = f"{code.src(func)}()"
        case _:
            return
    block = code.block(statement)
    if not any(
        isinstance(at, ast.While) and _emptied(spot, at.test) == name for at in walk_scope(block[block.index(statement) :])
    ):
        return
    if given.generators[0].ifs and (lines := looped(spot, given, name, empty)) is not None:
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
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]), ops=[ast.Gt() | ast.NotEq()]) if (
            isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value == 0
        ):
            pass
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]):
            pass
        case _:
            return ""
    return name if isinstance(spot.locals.get(name, []), list | collections.deque) else ""


@dataclass
class _Queue:
    """A list that a loop empties.

    Attributes:
        width: how many numbers each item has, where it is a tuple; 0 where it is a number.
        first: the item that it holds at first.
        first_in: whether items are taken from the front.
    """

    spot: Spot
    function: ast.FunctionDef
    loop: ast.While
    name: str
    width: int = 0
    first: list[ast.expr] = field(default_factory=list)
    first_in: bool = False
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
                if args and not first:
                    return False
            case _:
                return False
        if self.made in ast.walk(self.loop) or self.made.lineno > self.loop.lineno:
            return False
        self.first = first
        items = [*first, *self._added()]
        widths = set(map(self._width, items))
        self.width = widths.pop() if len(widths) == 1 else -1
        parts = [part for each in items for part in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]
        if any(isinstance(part, ast.Starred | ast.Tuple | ast.List) for part in parts):
            return False
        facts = [fact for part in parts if (fact := self.spot.fact(part)) is not None]
        return bool(items) and self.width >= 0 and not any(fact.dtype in ("f", "c") for fact in facts)

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
        """The number of items that are ever added, at most, as text."""
        parts = []
        for call, items in self._adding():
            statement = self.spot.code.statement(call)
            if items is None:
                self._refuse(call)
            if statement not in list(walk_scope(self.loop.body)):
                parts.append(self._above(statement, len(items or ())))
                continue
            part = most_items(self.spot, self.function, self.loop, statement, len(items or ()), list(self._taken()), self.first)
            if part is None:
                raise Obstacle(
                    f"how long {self.name} gets depends on data: nothing marks what was in it, so no size is known to be enough"
                )
            parts.append(part)
        return " + ".join([*together(parts), *([str(len(self.first))] if self.first else [])])

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
        for node in self._reads():
            self._use(node)
        self._edit(self.loop.test, f"{self.start} < {self.end}" if self.first_in else f"{self.end} > 0")
        shape = f"({self._capacity()}, {self.width})" if self.width else self._capacity()
        made = f"{self.name} = {spot.jnp('zeros')}({shape}, int)"
        made += "".join(f".at[{place}].set({self._item(each)})" for place, each in enumerate(self.first))
        lines = [made, *([f"{self.start} = 0"] if self.first_in else []), f"{self.end} = {len(self.first)}"]
        after = self._made_after(shape)
        indent = f"\n{code.indent(self.made)}"
        if after is None:
            self._edit(self.made, indent.join(lines))
        else:
            self.edits.append((*code.region([self.made]), ""))
            end = code.span(after)[1]
            self.edits.append((end, end, indent + indent.join(lines)))
        return spot.step("buffer", *(((a, b), text) for a, b, text in self.edits))

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

    def _refuse(self, node: ast.AST) -> None:
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
            case ast.Assign(targets=[_], value=value) if taken and value is call and whole:
                if statement not in self.loop.body or statement is not self.loop.body[0]:
                    self._refuse(node)
                if taken == "first":
                    self._edit(call, f"{self.name}[{self.start}]")
                    end = code.span(statement)[1]
                    self.edits.append((end, end, f"{indent}{self.start} += 1"))
                else:
                    begin = code.span(statement)[0]
                    self.edits.append((begin, begin, f"{self.end} -= 1{indent}"))
                    self._edit(call, f"{self.name}[{self.end}]")
            case ast.Expr(value=ast.Call() as added) if added is call and whole and isinstance(parent, ast.Attribute):
                items = next((items for each, items in self._adding() if each is added), None)
                if items is None:
                    self._refuse(node)
                elif len(items) == 1:
                    text = f"{self.name} = {self.name}.at[{self.end}].set({self._item(items[0])})"
                    self._edit(statement, f"{text}{indent}{self.end} += 1")
                else:
                    jnp = self.spot.jnp
                    values = f"{jnp('array')}([{', '.join(map(code.expr, items))}])"
                    text = f"{self.name} = {self.name}.at[{self.end} + {jnp('arange')}({len(items)})].set({values})"
                    self._edit(statement, f"{text}{indent}{self.end} += {len(items)}")
            case _ if isinstance(parent, ast.Call) and code.src(parent.func) == "len":
                self._edit(parent, f"({self.end} - {self.start})" if self.first_in else self.end)
            case _:
                self._refuse(node)

    def _item(self, item: ast.expr) -> str:
        text = self.spot.code.expr(item)
        return f"{self.spot.jnp('array')}({text})" if self.width else text


RULES: list[Rule] = [of_the_queue_module, emptied_by_a_loop]
