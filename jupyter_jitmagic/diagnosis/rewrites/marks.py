"""How many items a loop can add to a list at most, where marks keep it from meeting anything twice.

What is marked once (`seen[v] = True`, `dist[v] = dist[u] + 1`, `img[i, j] = new`) is not free any more, so the lines behind the
question whether it is (`if not seen[v]`, `dist[v] < 0`, `img[i, j] == old`) run at most once for each place of the marks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.rounds import conjuncts, rounds_of
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import leaves
from jupyter_jitmagic.source.names import bound_to, loaded, stored, target_names, walk_scope


def most_items(
    spot: Spot,
    function: ast.FunctionDef,
    loop: ast.While,
    statement: ast.stmt,
    count: int,
    taken: Sequence[ast.expr],
    first: Sequence[ast.expr] = (),
) -> str | None:
    """The number of items that a statement in a loop adds at most, `count` at once, as text; None where nothing marks them.

    `taken`: what names an item that was read from the list; `first`: the items that it holds at first.
    """
    found = _Marked(spot, function, loop, taken, first).around(statement)
    if found is None:
        return None
    region, places = found
    loops = []
    for at in spot.code.ancestors(statement):
        if at is region:
            break
        if isinstance(at, ast.For | ast.While):
            loops.append(at)
    rounds = [rounds_of(spot, each) for each in loops]
    if None in rounds:
        return None
    times = [str(count), *[each for each in rounds if each]]
    return " * ".join([places, *[_operand(each) for each in times if each != "1"]])


def together(parts: Sequence[str]) -> list[str]:
    """Texts of numbers that are added up, each once."""
    return [f"{list(parts).count(part)} * {part}" if list(parts).count(part) > 1 else part for part in dict.fromkeys(parts)]


@dataclass
class _Marked:
    spot: Spot
    function: ast.FunctionDef
    loop: ast.While
    taken: Sequence[ast.expr]
    first: Sequence[ast.expr]

    def around(self, statement: ast.stmt) -> tuple[ast.AST, str] | None:
        """(what runs at most once for each place of the marks, how many places there are) around a statement."""
        code = self.spot.code
        for at in code.ancestors(statement):
            if at is self.loop:
                break
            if isinstance(at, ast.If) and _is_in(statement, at.body):
                for part in conjuncts(at.test):
                    places = self._marks(part, at.body, statement) or self._counts_down(part, at)
                    if places:
                        return at, places
        if marked := self._marked_when_taken(statement):
            return self.loop, marked
        for at in code.ancestors(statement):
            if isinstance(at, ast.For | ast.While) and (places := self._behind_continue(at.body, statement)):
                return at, places
            if at is self.loop:
                break
        return None

    def _behind_continue(self, body: list[ast.stmt], statement: ast.stmt) -> str:
        """The number of places of the marks where a round goes no further for one that is not free, above a statement."""
        for number, each in enumerate(body):
            match each:
                case ast.If(test=test, body=[ast.Continue()], orelse=[]):
                    behind = body[number + 1 :]
                    places = next(filter(None, (self._marks(part, behind, statement) for part in _denied(test))), "")
                    if places and _is_in(statement, behind):
                        return places
        return ""

    def _marked_when_taken(self, statement: ast.stmt) -> str:
        """The number of places of the marks where what is taken off the end is marked, `u = stack.pop()`, `seen[u] = True`, and
        `stack.append(v)` stands below the question whether v is free; "" for others.

        An item may be there several times. When it is first taken, what it adds is above all that was there, so all of it is
        marked by the time that the item is taken again, which adds nothing: each place adds once. (What else is asked must be
        the same each time.)
        """
        match self.loop.body, statement:
            case (
                [
                    ast.Assign(
                        targets=[target], value=ast.Call(func=ast.Attribute(value=ast.Name(id=one), attr="pop"), args=[])
                    ),
                    *rest,
                ],
                ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=other), attr="append"), args=[item])),
            ) if one == other:
                taken = [ast.parse(self.spot.code.src(each), mode="eval").body for each in _parts(target)]
            case _:
                return ""
        inside = [*walk_scope(self.loop.body)]
        around = [at for at in self.spot.code.ancestors(statement) if isinstance(at, ast.If) and at in inside]
        if not around or any(isinstance(each, ast.Continue | ast.Break | ast.Return) for each in inside):
            return ""
        targets = [name for s in walk_scope(rest) if isinstance(s, ast.For) for name in target_names(s.target)]
        same = {*targets, *target_names(target), *loaded([item])}
        for part in conjuncts(around[0].test):
            free = self._free(part)
            if free is None or [*map(ast.dump, free[1])] != [*map(ast.dump, _parts(item))]:
                continue
            name, _, value = free
            asked_again = loaded([each.test for each in around]) & ({one, *stored(rest)} - same - {name})
            if asked_again or not _is_in(statement, around[0].body):
                continue
            marks = self.spot.locals.get(name)
            first = next((k for k, s in enumerate(rest) if _is_set_at(s, name, taken)), None)
            if first is None or _is_in(statement, rest[:first]) or not isinstance(marks, list | jax.Array | np.ndarray):
                continue
            if loaded(taken) & set(stored(rest)):
                continue
            every = [put for s in walk_scope(self.loop.body) if isinstance(s, ast.stmt) for put in _stored_in(s, name)]
            if all(put is not None and self._takes(put, value, own=False) for put in every):
                return _number_of_places(name, marks, len(free[1]))
        return ""

    def _free(self, test: ast.expr) -> tuple[str, list[ast.expr], ast.expr] | None:
        """(name of the marks, the place, what stands where it is free) of a question whether a place is free."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=ast.Subscript() as place):
                free: ast.expr = ast.Constant(False)
            case ast.Call(args=[ast.Subscript() as place], func=func) if (
                self.spot.code.src(func).rpartition(".")[2] == "logical_not"
            ):
                free = ast.Constant(False)
            case ast.Compare(left=ast.Subscript() as place, ops=[ast.Lt()], comparators=[ast.Constant(value=0)]):
                free = ast.Constant(-1)
            case ast.Compare(left=ast.Subscript() as place, ops=[ast.Eq()], comparators=[free]):
                pass
            case _:
                return None
        found = owner_and_places(place)
        return None if found is None else (*found, free)

    def _marks(self, test: ast.expr, block: list[ast.stmt], statement: ast.stmt) -> str:
        """The number of places of an array whose place is free, as the test says, and is taken in the block around a statement;
        "" for others."""
        match test:
            case ast.Compare(left=ast.Subscript() as place, ops=[ast.NotEq()], comparators=[free]):
                found = owner_and_places(place)
                asked = None if found is None else (*found, free)
            case _:
                asked = self._free(test)
        if asked is None:
            return ""
        name, places, free = asked
        marks = self.spot.locals.get(name)
        if not isinstance(marks, list | jax.Array | np.ndarray):
            return ""
        first = next((k for k, s in enumerate(block) if _is_set_at(s, name, places)), None)
        if first is None or (_is_in(statement, block[:first]) and leaves(block[:first], (ast.Continue, ast.Break, ast.Return))):
            return ""  # some rounds leave it before it is marked
        if loaded(places) & set(stored(block[:first])):
            return ""
        every = [value for s in walk_scope(self.loop.body) if isinstance(s, ast.stmt) for value in _stored_in(s, name)]
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotEq):  # what is put there is what it is asked for
            is_mark = _number(free) is not None and all(value and ast.dump(value) == ast.dump(free) for value in every)
        else:
            own = _is_added(statement, places)
            is_mark = all(value is not None and self._takes(value, free, own) for value in every)
        if not is_mark:
            return ""
        return _number_of_places(name, marks, len(places))

    def _counts_down(self, test: ast.expr, choice: ast.If) -> str:
        """The number of places of an array whose items are only counted down in the loop: each meets a number once."""
        match test:
            case ast.Compare(left=ast.Subscript() as place, ops=[ast.Eq()], comparators=[goal]) if _number(goal) is not None:
                found = owner_and_places(place)
            case _:
                return ""
        block = self.spot.code.block(choice)
        before = block[block.index(choice) - 1] if block.index(choice) else None
        name, places = found or ("", [])
        marks = self.spot.locals.get(name)
        if before is None or not isinstance(marks, list | jax.Array | np.ndarray):
            return ""
        lowered = _lowered(before)
        if lowered is None or (lowered[0], [*map(ast.dump, lowered[1])]) != (name, [*map(ast.dump, places)]):
            return ""
        within = [s for s in walk_scope(self.loop.body) if isinstance(s, ast.stmt) and _stored_in(s, name)]
        return _number_of_places(name, marks, len(places)) if all((_lowered(s) or ("",))[0] == name for s in within) else ""

    def _takes(self, value: ast.expr, free: ast.expr, own: bool) -> bool:
        """Whether a value that is put at a place says for ever that it is not free; `own`: what is marked is what is added."""
        match free, value:
            case ast.Constant(value=False | 0), ast.Constant(value=True | 1):
                return True
            case ast.Constant(value=True | 1), ast.Constant(value=False | 0):
                return True
            case _, ast.Constant(value=int() | float() as number):
                return isinstance(_number(free), int | float) and number >= 0 >= (_number(free) or 0) != number
            case _, ast.BinOp(left=ast.Subscript() as read, op=ast.Add(), right=ast.Constant(value=int() | float() as number)):
                # a distance, one more than that of the item that was taken, which had one
                below = _number(free) in (-1, 0, float("inf"))
                return below and number > 0 and self._is_taken(read)
            case _, ast.BinOp(left=ast.Constant(value=int() as most), op=ast.Sub(), right=ast.Subscript() as read):
                # the other of two colours than that of the item that was taken, which had one
                return own and (_number(free) or 0) < 0 and self._is_taken(read) and self._begins_with(read, most)
            case _, ast.Name(id=name) if _number(free) in (0, -1) and self._is_counted(name, least=1 + int(_number(free) or 0)):
                return True
            case _, ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=ast.Constant(value=int(number))) if number > 0:
                return _number(free) in (0, -1) and self._only_rises(name)
            case ast.Name(id=before), ast.Name(id=after):
                # where both are one, plain Python's loop has no end
                return before != after and not {before, after} & set(stored(self.loop.body))
        return False

    def _is_taken(self, read: ast.Subscript) -> bool:
        """Whether what is read is of the item that was taken."""
        found = owner_and_places(read)
        items = [each.elts if isinstance(each, ast.Tuple) else [each] for each in self.taken]
        return found is not None and [*map(ast.dump, found[1])] in [[*map(ast.dump, item)] for item in items]

    def _begins_with(self, read: ast.Subscript, most: int) -> bool:
        """Whether the first items are marked before the loop, with one of the numbers 0 to `most`, as are all outside of it."""
        name = (owner_and_places(read) or ("",))[0]
        within = list(walk_scope(self.loop.body))
        outside = [s for s in walk_scope(self.function.body) if s not in within]
        puts = [found for s in outside if isinstance(s, ast.stmt) and (found := put(s)) is not None and found[0] == name]
        in_range = all((number := _number(value)) is not None and 0 <= number <= most for *_, value in puts)
        marked = [[*map(ast.dump, places)] for _, places, _ in puts]
        items = [each.elts if isinstance(each, ast.Tuple) else [each] for each in self.first]
        return in_range and bool(items) and all([*map(ast.dump, item)] in marked for item in items)

    def _is_counted(self, name: str, least: int) -> bool:
        """Whether a name stands for that (0 or 1) or more in the loop: it begins at 0 or more, and is counted up before it."""
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
        given = any(isinstance(each, ast.arg) and each.arg == name for each in ast.walk(self.function.args))
        known = bool(made) and not given and len(made) + len(raised) == len(stores)
        return known and (not least or any(s in before for s in raised))

    def _only_rises(self, name: str) -> bool:
        """Whether a name is never below 0: in the user's own text, which loops may have been compiled of since, it begins at 0
        or more wherever it is bound, and otherwise something is added to it."""
        nodes = list(ast.walk(ast.parse(self.spot.unit.text)))
        made = [
            target
            for node in nodes
            if isinstance(node, ast.Assign)
            for target, value in bound_to(node)
            if target.id == name and (number := _number(value)) is not None and number >= 0
        ]
        raised = [
            node.target
            for node in nodes
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and (_number(node.value) or 0) > 0
        ]
        stores = [
            node for node in nodes if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        ]
        given = any(isinstance(node, ast.arg) and node.arg == name for node in nodes)
        return bool(made) and not given and all(any(each is one for one in (*made, *raised)) for each in stores)


def _parts(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple | ast.List) else [node]


def _number_of_places(name: str, marks: object, depth: int) -> str:
    """How many places the marks have, as text; "" where that is not known."""
    if isinstance(marks, list):
        return f"len({name})" if depth == 1 else f"sum(map(len, {name}))" if depth == 2 else ""
    return f"len({name})" if isinstance(marks, jax.Array | np.ndarray) and marks.ndim == 1 else f"{name}.size"


def _lowered(statement: ast.stmt) -> tuple[str, list[ast.expr]] | None:
    """(name, places) of `left[v] -= 1` and `left = left.at[v].add(-1)`."""
    match statement:
        case ast.AugAssign(target=ast.Subscript() as target, op=ast.Sub(), value=value) if (_number(value) or 0) > 0:
            return owner_and_places(target)
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Attribute(value=ast.Name(id=same), attr="at"), slice=at), attr="add"
                ),
                args=[value],
            ),
        ) if target == same and (_number(value) or 0) < 0:
            return same, at.elts if isinstance(at, ast.Tuple) else [at]
    return None


def _is_in(statement: ast.stmt, block: list[ast.stmt]) -> bool:
    return any(statement in ast.walk(each) for each in block)


def _denied(test: ast.expr) -> Iterator[ast.expr]:
    """What holds where a test does not: of `r < 0 or img[r, c] != old`, that `img[r, c] == old`, too."""
    match test:
        case ast.BoolOp(op=ast.Or(), values=values):
            for value in values:
                yield from _denied(value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _denied(left)
            yield from _denied(right)
        case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
            yield ast.Compare(left, [ast.Eq()], [right])
        case ast.Compare(left=left, ops=[ast.GtE()], comparators=[right]):
            yield ast.Compare(left, [ast.Lt()], [right])
        case _:
            yield ast.UnaryOp(ast.Not(), test)


def _targets(statement: ast.stmt) -> list[str]:
    """The names that an assignment binds."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [name for target in targets for name in target_names(target)]
    return []


def owner_and_places(read: ast.expr) -> tuple[str, list[ast.expr]] | None:
    """("seen", [r, c]) of `seen[r, c]` and `seen[r][c]`."""
    match read:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=places)):
            return name, places
        case ast.Subscript(value=ast.Name(id=name), slice=place):
            return name, [place]
        case ast.Subscript(value=ast.Subscript() as owner, slice=place):
            found = owner_and_places(owner)
            return None if found is None else (found[0], [*found[1], place])
    return None


def put(statement: ast.stmt) -> tuple[str, list[ast.expr], ast.expr] | None:
    """(name, places, value) of `seen[v] = x`, `seen[r][c] = x`, `seen = seen.at[v].set(x)`."""
    match statement:
        case ast.Assign(targets=[ast.Subscript() as target], value=value):
            found = owner_and_places(target)
            return None if found is None else (*found, value)
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Attribute(value=ast.Name(id=same), attr="at"), slice=at), attr="set"
                ),
                args=[value],
            ),
        ) if target == same:
            return same, at.elts if isinstance(at, ast.Tuple) else [at], value
    return None


def _is_added(statement: ast.stmt, places: Sequence[ast.expr]) -> bool:
    """Whether a statement adds these places to a list: `queue.append((r, c))`."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"), args=[item])):
            parts = item.elts if isinstance(item, ast.Tuple | ast.List) else [item]
            return [*map(ast.dump, parts)] == [*map(ast.dump, places)]
    return False


def _is_set_at(statement: ast.stmt, name: str, places: Sequence[ast.expr]) -> bool:
    """Whether a statement puts something at a place of an array."""
    found = put(statement)
    return found is not None and found[0] == name and [*map(ast.dump, found[1])] == [*map(ast.dump, places)]


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
        case ast.Assign(targets=[ast.Subscript() as target], value=value) if (owner_and_places(target) or ("",))[0] == name:
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
