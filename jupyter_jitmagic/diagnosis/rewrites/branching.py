"""Values of unknown length through branches and loops, whose rounds may shorten what they go on with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from jupyter_jitmagic.diagnosis.rewrites import beside_nothing
from jupyter_jitmagic.diagnosis.rewrites.narrowing import Narrowing
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.reshaping import number
from jupyter_jitmagic.diagnosis.rewrites.safety import safety_of
from jupyter_jitmagic.source.names import loaded, read_first, stored, target_names, walk


class _Narrows(Exception):
    """A choice in a loop shortens what its other rounds go on with: the mask has to be made before that loop."""

    def __init__(self, loop: ast.stmt, becoming: dict[str, Ragged]) -> None:
        self.loop, self.becoming = loop, becoming


def _of_both(entry: Ragged | None, left: Ragged) -> Ragged | None:
    """What is known of a selection before each round of a loop, which leaves it as long as it was; None where it does not."""
    if entry is None or replace(left, source=entry.source, pad=entry.pad, direct=entry.direct) != entry:
        return None
    pad = entry.pad if entry.pad == left.pad else ""
    return replace(left, pad=pad, direct=entry.direct and left.direct)


def _gone_on_with(loop: ast.For | ast.While) -> set[str]:
    """Names with whose value of the round before a round may begin; what the loop itself binds is anew in each."""
    names = read_first(loop.body)
    return names - {*target_names(loop.target)} if isinstance(loop, ast.For) else names


def _either(one: Ragged | None, two: Ragged | None) -> Ragged | None:
    """What is known of a selection behind a branch whose sides leave it as long as each other; None where they do not."""
    both = _of_both(one, two) if two is not None else None
    return both if both is None or one is None or one.source == both.source else replace(both, source=-1)


def _appended_to(statements: list[ast.stmt]) -> set[str]:
    """The lists that statements append to."""
    return {
        each.func.value.id
        for statement in statements
        for each in walk(statement)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Attribute)
        and each.func.attr in ("append", "extend")
        and isinstance(each.func.value, ast.Name)
    }


class Branching(Narrowing):
    """What a branch or a loop leaves behind."""

    loops: list[ast.For | ast.While]
    """Those that the walk is in, the outermost first."""
    outgrown: set[str]
    """Lists to which a round appends only where it counts, and what is made of them: another rule follows these."""

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements in their order; `flow.Flow` knows what each of them does."""
        raise NotImplementedError

    def bind(self, node: ast.stmt, name: str, ragged: Ragged | None, value: ast.expr | None, traced: bool) -> None:
        """A name stands for another value from here on; `flow.Flow` knows."""
        raise NotImplementedError

    def left_early(self, node: ast.If) -> bool:
        """Whether a choice returns an array of nothing where there is nothing; `flow.Flow` keeps it in mind."""
        raise NotImplementedError

    def either_side(self, node: ast.IfExp) -> Ragged | None:
        return beside_nothing.either_side(self, node)

    def _if(self, node: ast.If) -> None:
        if self.left_early(node):
            return
        if (made := beside_nothing.in_a_statement(self, node)) is not None:
            name, value, found = made
            self.bind(node, name, found, value, True)
            return
        self.truth(node.test)
        entry = self.state.copy()
        behind: dict[str, Ragged] = {}  # names with a mask of their own from here on, which have that of others up to here
        for _ in range(3):
            traced = set(self.traced)
            self.block(node.body)
            one = dict(self.state.names)
            self.state.names = dict(entry.names)
            self.block(node.orelse)
            two = dict(self.state.names)
            self.current = node
            self.traced |= traced
            live = self.code.live_after(node)
            apart = [name for name in {*one, *two} if one.get(name) != two.get(name) and name in live]
            met = {name: both for name in apart if (both := _either(one.get(name), two.get(name))) is not None}
            met |= {
                name: own
                for name, own in behind.items()
                if all(
                    (held is not None and held.mask == own.mask)
                    or (held == entry.names.get(name) and name not in stored(block))
                    for held, block in ((one.get(name), node.body), (two.get(name), node.orelse))
                )
            }
            unmet = [name for name in apart if name not in met]
            if not unmet:  # none is apart, perhaps
                self.state.names = {name: each for name, each in one.items() if two.get(name) == each} | met
                return
            carried = {name for loop in self.loops for name in _gone_on_with(loop) | self.code.live_after(loop)}
            if not carried & set(unmet) and self.masked_in_branches(node, entry.names, [one, two], unmet):
                self.state.names |= met
                return
            becoming = {name: one.get(name) or two[name] for name in unmet}
            for loop in self.loops:
                again = {
                    name: each for name, each in becoming.items() if name not in entry.names and name in _gone_on_with(loop)
                }
                if again:
                    raise _Narrows(loop, again)
            self.state, before = entry.copy(), entry.names
            first = [name for name in unmet if name in before] if not carried & set(unmet) else []
            self.own_masks(node, first or unmet, becoming)  # the others may have one together
            for name in set(first or unmet) - carried - behind.keys():
                if (own := self.state.names.pop(name, None)) is not None:
                    behind[name] = own
                if name in before:
                    self.state.names[name] = before[name]
            entry = self.state.copy()
        self.stop(node)

    def _loop(self, node: ast.For | ast.While, body: list[ast.stmt], head: object = None) -> None:
        """A loop whose rounds may shorten what they go on with."""
        entry = self.state.copy()
        for _ in range(4):
            self.loops.append(node)
            try:
                self.forget({*stored(body)})  # a mask of what a round binds anew is another one in the next
                if callable(head):
                    head()
                self.block(body)
            except _Narrows as narrows:
                if narrows.loop is not node:
                    raise
                self.state = entry.copy()
                self.own_masks(node, list(narrows.becoming), narrows.becoming)
                entry = self.state.copy()
                continue
            finally:
                self.loops.pop()
            self.current = node
            left = self.state.names
            again = (
                _gone_on_with(node)
                | self.code.live_after(node)
                | (loaded([node.test]) if isinstance(node, ast.While) else set())
            )
            apart = [
                name
                for name in {*left, *entry.names}
                if left.get(name) != entry.names.get(name) and name in again and name in {*stored(body)}
            ]
            if not apart:
                self.state.names = {name: each for name, each in left.items() if entry.names.get(name) == each or name in again}
                self.block(node.orelse)
                return
            if any(name not in left for name in apart):
                self.stop(node, f"`{apart[0]}` has a length that depends on data in some rounds of a loop")
            becoming = {name: left[name] for name in apart}
            met = {name: both for name in apart if (both := _of_both(entry.names.get(name), left[name])) is not None}
            self.state = entry.copy()
            self.state.names |= met
            self.own_masks(node, [name for name in apart if name not in met], becoming)
            entry = self.state.copy()
        self.stop(node)

    def _for(self, node: ast.For) -> None:
        if (counted := self._counted(node)) is not None:
            self._numbered(node, *counted)
            return
        found = self._iterated(node.iter)
        for name in target_names(node.target):
            self.bind(node, name, None, None, self.is_traced(node.iter) or found is not None)
        if found is None:
            self._loop(node, node.body)
            return
        if found.flat or found.axis or found.group or not self.code.on_own_lines([*node.body, *node.orelse]):
            self.stop(node)
        self.require(found, safety_of(self.spot, node.body))
        before = {*self.state.names}
        self._loop(node, node.body)
        if {*stored(node.orelse)} & (before | self.state.names.keys()):  # behind a `break` it is what it was
            self.stop(node)
        if {*target_names(node.target)} & loaded(node.orelse):  # the last of all is none of those that count, perhaps
            self.stop(node)
        self._guarded(node, found)
        self.outgrown |= _appended_to([*node.body, *node.orelse])

    def _counted(self, node: ast.For) -> tuple[Ragged, int, int] | None:
        """(selection, first number, how many rounds fewer) of `for i in range(1, len(s) - 2):`, s being read by its places."""
        match node:
            case ast.For(
                target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=[*firsts, last], keywords=[]), orelse=[]
            ) if len(firsts) < 2 and self.spot.is_builtin("range"):
                pass
            case _:
                return None
        first = number(firsts[0]) if firsts else 0
        length, fewer = (last.left, number(last.right)) if _takes_some(last) else (last, 0)
        if first is None or first < 0 or fewer is None or fewer < 0 or name in stored(node.body):
            return None
        match length:
            case (
                ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=array)])
                | ast.Attribute(value=ast.Name(id=array), attr="size")
                | ast.Subscript(value=ast.Attribute(value=ast.Name(id=array), attr="shape"), slice=ast.Constant(value=0))
            ) if array in self.state.names and array not in stored(node.body):
                found = self.count_of(length)
            case _:
                return None
        if found is None or found.ndim > 1 or found.flat or found.group or found.listed or found.times:
            return None
        if name in self.code.live_after(node) or not self.code.on_own_lines(node.body):
            return None
        return found, first, fewer

    def _numbered(self, node: ast.For, found: Ragged, first: int, fewer: int) -> None:
        """`for i in range(len(s)):` → a round for each place, its body below `if i < count:`. Through a number of rounds
        that is data goes no gradient."""
        assert isinstance(node.target, ast.Name)
        name, (_, front), count = node.target.id, self.in_front("", found), self.count(found)
        self.bind(node, name, None, None, False)
        self.rounds[name] = first, front.mask if not fewer else ""
        self.require(found, safety_of(self.spot, node.body))
        self._loop(node, node.body)
        self.outgrown |= _appended_to(node.body)
        less = f" - {fewer}" if fewer else ""
        rounds = f"{first}, " * bool(first) + f"{enclosed(front.mask)}.size{less}"
        self._below(node, f"for {name} in range({rounds}):", f"{name} < {count}{less}")

    def _guarded(self, node: ast.For, found: Ragged) -> None:
        """`for v in s:` → `for v, counts in zip(data, mask):` with its body below `if counts:`."""
        code = self.code
        test = self.fresh("counts", "taken", "present")
        target, values = code.src(node.target), self.text(node.iter)
        zipped = self._zipped(node.iter)
        if zipped is None:
            head = f"for {target}, {test} in zip({values}, {found.mask}):"
            if isinstance(node.target, ast.Tuple) and not target.startswith("("):
                head = f"for ({target}), {test} in zip({values}, {found.mask}):"
        elif zipped == "zip":
            head = f"for {target.strip('()')}, {test} in zip({values[:-1].split('(', 1)[1]}, {found.mask}):"
        else:
            assert isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Call)
            at, value = (code.src(each) for each in node.target.elts)
            values = self.text(node.iter.args[0])
            if self._zipped(node.iter.args[0]) == "zip" and isinstance(node.target.elts[1], ast.Tuple):
                value, values = value.strip("()"), values[:-1].split("(", 1)[1]
            start = "".join(f", {code.src(each)}" for each in (*node.iter.args[1:], *node.iter.keywords))
            head = f"for {at}, ({value}, {test}) in enumerate(zip({values}, {found.mask}){start}):"
        self._below(node, head, test)

    def _below(self, node: ast.For, head: str, test: str) -> None:
        """The loop with another head, its body below a test."""
        indent = self.code.indent(node)
        inner = indent + "    "
        body = self._block_text(node.body, inner + "    ")
        behind = f"{indent}else:\n{self._block_text(node.orelse, inner)}" if node.orelse else ""
        region = self.code.region([node])
        self.state.edits = [edit for edit in self.state.edits if not (region[0] <= edit[0] and edit[1] <= region[1])]
        self.state.edits.append((*region, f"{indent}{head}\n{inner}if {test}:\n{body}{behind}"))

    def _zipped(self, node: ast.expr) -> str | None:
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        return name if name in ("zip", "enumerate") and self.spot.is_builtin(name) else None

    def _block_text(self, statements: list[ast.stmt], indent: str) -> str:
        """Statements with their edits and the lines around them, at another indentation."""
        return self.code.block_text(statements, indent, [*self.state.edits, *self._line_edits(statements)])

    def _line_edits(self, within: list[ast.stmt] | None = None) -> Iterator[tuple[int, int, str]]:
        inside = None if within is None else {part for each in within for part in ast.walk(each)}
        for lines, place in ((self.state.after, 1), (self.state.before, 0)):
            for statement in list(lines):
                if inside is not None and statement not in inside:
                    continue
                at, indent = self.code.region([statement])[place], self.code.indent(statement)
                yield at, at, "".join(f"{indent}{line}\n" for line in lines[statement])
                if inside is not None:
                    del lines[statement]


def _takes_some(node: ast.expr) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
