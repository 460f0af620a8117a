"""Queues and stacks that a loop empties while data fills them: `while queue: u = queue.pop(0) … queue.append(v)`.

A compiled loop has room for a known number of items. How many there can be is told by the marks that keep such a loop from
going on for ever: what is marked once is not met again, so the lines behind the mark run at most once for each place of the
marks.
"""

from __future__ import annotations

import ast
import collections
from collections.abc import Iterator
from dataclasses import dataclass, field

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.containers import as_arrays
from jupyter_jitmagic.diagnosis.rewrites.rounds import rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Rule, Spot, Step
from jupyter_jitmagic.source.code import SCOPES, Edit, loaded, stored, target_names, walk_scope


def emptied_by_a_loop(spot: Spot) -> Iterator[Step]:
    """`while queue:` of a list or deque → a buffer, and where its items begin and end."""
    function, asked = spot.function, spot.asked()
    inside = walk_scope([asked[1]]) if asked is not None else ()
    loops = [at for at in (*spot.code.ancestors(spot.node), *inside) if isinstance(at, ast.While) and _emptied(spot, at.test)]
    if not loops or not isinstance(function, ast.FunctionDef):
        return
    loop = loops[0]
    name = _emptied(spot, loop.test)
    queue = _Queue(spot, function, loop, name)
    if not queue.is_ours():
        return
    sets = [each for each in dict.fromkeys(loaded(loop.body)) if isinstance(spot.locals.get(each), set)]
    if sets:  # their numbers become places of an array first
        yield from as_arrays(spot, loop, sorted(sets))
        return
    spread = queue.spread()
    yield spread if spread is not None else queue.step()


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
        return bool(items) and self.width >= 0 and not any(isinstance(each, ast.Starred) for each in items)

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
            if items is None:
                self._refuse(call)
            statement = self.spot.code.statement(call)
            if statement not in list(walk_scope(self.loop.body)):
                self._refuse(call)
            region, places = self._marked(statement)
            loops = []
            for at in self.spot.code.ancestors(statement):
                if at is region:
                    break
                if isinstance(at, ast.For | ast.While):
                    loops.append(at)
            rounds = [rounds_of(self.spot, each) for each in loops]
            if None in rounds:
                self._refuse(call)
            times = [str(len(items or ())), *[each for each in rounds if each]]
            parts.append(" * ".join([places, *[_operand(each) for each in times if each != "1"]]))
        parts = [f"{len(list(group))} * {part}" if parts.count(part) > 1 else part for part, group in _grouped(parts)]
        return " + ".join([*parts, *([str(len(self.first))] if self.first else [])])

    def _marked(self, statement: ast.stmt) -> tuple[ast.AST, str]:
        """(what runs at most once for each place of the marks, how many places there are) around a statement."""
        code = self.spot.code
        for at in code.ancestors(statement):
            if at is self.loop:
                break
            if isinstance(at, ast.If) and not at.orelse:
                for part in _conjuncts(at.test):
                    places = self._marks(part, at.body)
                    if places:
                        return at, places
        for number, each in enumerate(self.loop.body):
            match each:
                case ast.If(test=test, body=[ast.Continue()], orelse=[]):
                    places = self._marks(ast.UnaryOp(ast.Not(), test), self.loop.body[number + 1 :])
                    behind = [n for s in self.loop.body[number + 1 :] for n in ast.walk(s)]
                    if places and statement in behind:
                        return self.loop, places
        raise Obstacle(
            f"how long {self.name} gets depends on data: nothing marks what was in it, so no size is known to be enough for it"
        )

    def _marks(self, test: ast.expr, block: list[ast.stmt]) -> str:
        """The number of places of an array whose place is free, as the test says, and is taken in the block; "" for others."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=ast.Subscript(value=ast.Name(id=name)) as place):
                free: ast.expr = ast.Constant(False)
            case ast.Call(args=[ast.Subscript(value=ast.Name(id=name)) as place], func=func) if (
                self.spot.code.src(func).rpartition(".")[2] == "logical_not"
            ):
                free = ast.Constant(False)
            case ast.Compare(
                left=ast.Subscript(value=ast.Name(id=name)) as place, ops=[ast.Eq() | ast.Lt() as how], comparators=[free]
            ):
                if isinstance(how, ast.Lt) and not (isinstance(free, ast.Constant) and free.value == 0):
                    return ""
            case _:
                return ""
        marks = self.spot.locals.get(name)
        if not isinstance(marks, list | jax.Array | np.ndarray):
            return ""
        given = [value for s in block if (value := _set_at(s, name, place)) is not None]
        if not given or not all(map(self._takes, given, [free] * len(given))):
            return ""
        every = [value for s in walk_scope(self.loop.body) if isinstance(s, ast.stmt) for value in _stored_in(s, name)]
        if any(value is None or not self._takes(value, free) for value in every):
            return ""
        flat = isinstance(marks, list) or marks.ndim == 1
        return f"len({name})" if flat else f"{name}.size"

    def _takes(self, value: ast.expr, free: ast.expr) -> bool:
        """Whether a value that is put at a place says for ever that it is not free."""
        match free, value:
            case ast.Constant(value=False | 0), ast.Constant(value=True | 1):
                return True
            case ast.Constant(value=True | 1), ast.Constant(value=False | 0):
                return True
            case _, ast.Constant(value=int() | float() as number):
                return isinstance(_number(free), int | float) and number >= 0 >= (_number(free) or 0) != number
            case _, ast.BinOp(
                left=ast.Subscript(slice=taken), op=ast.Add(), right=ast.Constant(value=int() | float() as number)
            ):
                # a distance, one more than that of the item that was taken, which had one
                below = _number(free) in (-1, 0, -1.0, 0.0, float("inf"))
                return below and number > 0 and ast.dump(taken) in {ast.dump(each) for each in self._taken()}
            case ast.Constant(value=0), ast.Name(id=name):
                return self._is_counted(name)
            case ast.Name(id=before), ast.Name(id=after):
                # where both are one, plain Python's loop has no end
                return before != after and not {before, after} & set(stored(self.loop.body))
        return False

    def _is_counted(self, name: str) -> bool:
        """Whether a name stands for 1 or more in the loop: it begins at 0 or more and is counted up before it."""
        stores = [s for s in walk_scope(self.function.body) if isinstance(s, ast.stmt) and name in _targets(s)]
        raised = [
            s for s in stores if isinstance(s, ast.AugAssign) and isinstance(s.op, ast.Add) and (_number(s.value) or 0) > 0
        ]
        made = [
            s for s in stores if isinstance(s, ast.Assign) and (_number(s.value) or 0) >= 0 and _number(s.value) is not None
        ]
        around = [at for at in self.spot.code.ancestors(self.loop) if isinstance(at, ast.stmt) and at is not self.function]
        blocks = [self.spot.code.block(at) for at in around]
        before = [s for at, block in zip(around, blocks, strict=True) for s in block[: block.index(at)]]
        return len(made) + len(raised) == len(stores) and any(s in before for s in raised)

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
        self._edit(self.made, f"\n{code.indent(self.made)}".join(lines))
        return spot.step("buffer", *(((a, b), text) for a, b, text in self.edits))

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


def _targets(statement: ast.stmt) -> list[str]:
    """The names that an assignment binds."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [name for target in targets for name in target_names(target)]
    return []


def _conjuncts(test: ast.expr) -> Iterator[ast.expr]:
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _conjuncts(value)
        case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case _:
            yield test


def _set_at(statement: ast.stmt, name: str, place: ast.Subscript) -> ast.expr | None:
    """What a statement puts at a place of an array: `seen[v] = x`, `seen = seen.at[v].set(x)`."""
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=same), slice=at)], value=value):
            pass
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Attribute(value=ast.Name(id=same), attr="at"), slice=at), attr="set"
                ),
                args=[value],
            ),
        ) if target == same:
            pass
        case _:
            return None
    return value if same == name and ast.dump(at) == ast.dump(place.slice) else None


def _stored_in(statement: ast.stmt, name: str) -> list[ast.expr | None]:
    """What a statement puts anywhere in an array; None for what is not known."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    own = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and n.id == name]
    stores = [
        n for n in own if isinstance(n.ctx, ast.Store) or any(n in ast.walk(t) for t in targets if isinstance(t, ast.Subscript))
    ]
    if not stores:
        return []
    match statement:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=same))], value=value) if same == name:
            return [value]
        case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Attribute(attr="set"), args=[value])):
            return [value]
    return [None]


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Attribute(attr="inf"):
            return float("inf")
    return None


def _operand(text: str) -> str:
    return text if text.isidentifier() or text.isdigit() or text.endswith(")") else f"({text})"


def _grouped(parts: list[str]) -> Iterator[tuple[str, list[str]]]:
    for part in dict.fromkeys(parts):
        yield part, [each for each in parts if each == part]


RULES: list[Rule] = [emptied_by_a_loop]
