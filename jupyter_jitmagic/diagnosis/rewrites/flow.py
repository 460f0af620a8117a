"""Follows values of unknown length through the statements of a function, from where they are selected to where they are used.

The walk begins at the outermost statement around the place where the trace stopped and ends with the function. A name that a
loop or branch gives a shorter value keeps its array; a mask of its own, made before the loop, is narrowed in its place.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites import beside_nothing
from jupyter_jitmagic.diagnosis.rewrites.branching import Branching
from jupyter_jitmagic.diagnosis.rewrites.choosing import held_place
from jupyter_jitmagic.diagnosis.rewrites.cutting import between, is_own_count
from jupyter_jitmagic.diagnosis.rewrites.narrowing import asks_for_none
from jupyter_jitmagic.diagnosis.rewrites.operations import is_module, set_by_where
from jupyter_jitmagic.diagnosis.rewrites.ragged import Leaves, Ragged, SetsInPlace, enclosed
from jupyter_jitmagic.diagnosis.rewrites.repeating import refuse_others
from jupyter_jitmagic.diagnosis.rewrites.rules import Obstacle, Spot
from jupyter_jitmagic.diagnosis.rewrites.selecting import is_axis, is_places, places_of, selection
from jupyter_jitmagic.diagnosis.rewrites.selection import Selection
from jupyter_jitmagic.diagnosis.rewrites.tracking import words_of
from jupyter_jitmagic.source.names import loaded, stored, target_names


class Flow(Branching):
    """One walk. `edits()` is what came of it."""

    def __init__(
        self, spot: Spot, levels: dict[int, int], exact: bool = False, guarded: bool = False, leaving: bool = False
    ) -> None:
        super().__init__(spot)
        self.leaving = leaving
        self.levels, self.exact, self.guarded = levels, exact, guarded
        self.site = spot.node
        self.pattern = "where"
        self.excludes: dict[str, str] = {}
        self.found = False
        self.bound_at: dict[str, ast.stmt] = {}
        self.assigned: dict[ast.Assign, None] = {}
        self.cuts: tuple[tuple[int, int], ...] = ()
        self.parted = False
        """What leaves is a list of tuples, of whose parts the caller gets an array each."""
        self.note = ""
        self.loops = []
        self.rounds = {}
        self.outgrown = set()
        self.repeats = False  # something comes as often as data says
        self.emptied: list[beside_nothing.Emptied] = []

    # -- selections ---------------------------------------------------------------------------------------

    def select(self, node: ast.expr) -> Ragged | None:
        made = selection(self, node)
        return None if made is None else self.made(node, made)

    def visit(self, node: ast.expr) -> Ragged | None:
        found = super().visit(node)
        if self.repeats:
            refuse_others(self, node)
        return found

    def made(self, node: ast.expr, made: Selection) -> Ragged:
        """The edits of a selection."""
        self.found = True
        if node is self.site or self.pattern == "where":
            self.pattern = made.pattern
        self.excludes |= made.excludes
        text, ragged = self.selected(made.array, made.ragged) if made.fills else (made.array, made.ragged)
        self.replace(node, text)
        return ragged

    # -- statements ---------------------------------------------------------------------------------------

    def follow(self) -> None:
        """All statements from the outermost one around the site to the end of its function."""
        function = self.spot.function
        if function is None or isinstance(function, ast.Lambda):
            if function is not None:
                self.inside(set(), [function.body])
                return
            raise Obstacle("the selection stands in no function")
        start = next(at for at in self.code.ancestors(self.site) if at in function.body)
        assert isinstance(start, ast.stmt)
        self.begins = start.lineno
        self.block(function.body[function.body.index(start) :])

    def block(self, statements: list[ast.stmt]) -> None:
        known = dict(self.state.masks)
        for statement in statements:
            self.statement(statement)
        now = self.state.masks  # what a line in the block binds may not be bound behind it
        self.state.masks = {text: name for text, name in known.items() if now.get(text) == name}

    def statement(self, node: ast.stmt) -> None:
        self.current = node
        match node:
            case ast.Assign(targets=targets, value=value):
                self.assigned[node] = None
                self._assign(node, targets, value)
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                self._assign(node, [target], value)
            case ast.AugAssign():
                self._augmented(node)
            case ast.Return(value=ast.expr() as value):
                self._returned(value)
            case ast.Expr(value=value):
                if not self._appended(value):
                    self.plain(value)
            case ast.If():
                self._if(node)
            case ast.For():
                self._for(node)
            case ast.While():
                self._loop(node, node.body, lambda: self._head(node.test))
            case ast.With():
                self.plain(*(item.context_expr for item in node.items))
                self.block(node.body)
            case ast.FunctionDef():
                self._inner(node)
            case ast.Assert():
                self.truth(node.test)
            case ast.Return() | ast.Pass() | ast.Break() | ast.Continue() | ast.Import() | ast.ImportFrom() | ast.Raise():
                pass
            case _:
                if loaded([node]) & set(self.state.names):
                    self.stop(node)

    def left_early(self, node: ast.If) -> bool:
        if (emptied := beside_nothing.returned_early(self, node)) is None:
            return False
        self.emptied.append(emptied)
        return True

    def _returned(self, value: ast.expr) -> None:
        for emptied in self.emptied:
            if not beside_nothing.is_kept(self, emptied, value):
                self.stop(emptied.choice.test)
        if self.leaving and self._whole(value):
            return
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        for part in parts:
            ragged = self.visit((self._columns(part) or [part.value if isinstance(part, ast.Starred) else part])[0])
            if ragged is not None and not self._as_before(part, ragged):
                raise Leaves(
                    f"`{self.code.src(part)}` has a length that depends on values, and it is what the function returns: "
                    "no array of a fixed shape can hold it"
                )

    def _as_before(self, part: ast.expr, ragged: Ragged) -> bool:
        """A result that this call does not come to (`reduction="none"`) stays as long as it is; whether it is one."""
        reached = self.spot.is_reached(part) or not self.spot.is_reached(self.spot.node)
        if reached or ragged.group or ragged.listed or ragged.grid:
            return False
        self.replace(part, self.shortened(part, ragged))
        calls = f"calls that return `{self.code.src(part)}`"
        self.note = f"{calls} fail under jit as before: its length depends on data"
        self.excludes = self.excludes | {"static value": calls}
        return True

    def _whole(self, value: ast.expr) -> bool:
        """`return x[m], y[m]` → `return x[front], y[front], count`; whether there was anything to do."""
        parts = list(value.elts) if isinstance(value, ast.Tuple) and len(value.elts) > 1 else [value]
        columns = {number: self._columns(part) for number, part in enumerate(parts)}
        found = {
            number: ragged
            for number, part in enumerate(parts)
            if (ragged := self.visit(columns[number][0] if columns[number] else part)) is not None
        }
        if not found:
            return False
        if any((each.listed and each.ndim > 1) or each.flat or each.group or each.axis for each in found.values()):
            self.stop(value)
        self.parted |= any(columns[number] for number in found)
        alike = len({each.mask for each in found.values()}) == 1
        counts = [self.counted(each) for each in ([next(iter(found.values()))] if alike else found.values())]
        if len(counts) == 1:
            number = next(iter(found))
            counts = [self._own_count((columns[number] or parts[number:])[0]) or self.count(found[number])]
        for number, each in found.items():
            for part in columns[number] or [parts[number]]:
                self.ordered(part, each)
        texts = [
            f"({', '.join(map(self.text, columns[number]))})" if columns[number] else self.text(part)
            for number, part in enumerate(parts)
        ]
        places = range(len(parts), len(parts) + len(counts))
        if alike and (told := [number for number, text in enumerate(texts) if text == counts[0] and number not in found]):
            counts, places = [], range(told[0], told[0] + 1)  # `return xs, len(xs)`: the caller takes these two as before
        self.replace(value, ", ".join([*texts, *counts]))
        self.cuts = tuple((number, places[0 if alike else place]) for place, number in enumerate(found))
        return True

    def _columns(self, part: ast.expr) -> list[ast.expr]:
        """The lists of `list(zip(values, lengths))`, which are of one length; [] of anything else."""
        match part:
            case ast.Call(func=ast.Name(id="list"), args=[ast.Call(func=ast.Name(id="zip"), args=[_, _, *_] as each)]):
                found = [self.visit(one) for one in each]
                first = found[0]
                alike = first is not None and all(one is not None and one.mask == first.mask for one in found)
                return list(each) if alike and self.spot.is_builtin("list") and self.spot.is_builtin("zip") else []
        return []

    def _own_count(self, part: ast.expr) -> str:
        """The variable that counts a list that a rule made a buffer of."""
        match part:
            case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.Name() as count, step=None)) if is_own_count(
                self.spot, count
            ):
                return count.id
            case ast.Call(func=ast.Attribute(attr="array" | "asarray"), args=[array, *_]):
                return self._own_count(array)
        return ""

    def _assign(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> None:
        target = targets[0]
        if len(targets) == 1 and isinstance(target, ast.Tuple | ast.List):
            self._unpacked(node, list(target.elts), value)
            return
        if self._places(node, targets, value):
            return
        if len(targets) == 1 and isinstance(target, ast.Name) and (held := held_place(self, target.id, value)) is not None:
            self.replace(value, held[0])
            self.bind(node, target.id, None, value, True)
            self.places_in_all[target.id] = held[1]
            return
        found = self.visit(value)
        traced = self.is_traced(value)
        count = self.count_of(value)
        for each in targets:
            if isinstance(each, ast.Name):
                self.bind(node, each.id, found, value, traced, alone=len(targets) == 1)
                if count is not None:
                    self.counts[each.id] = count
            elif found is not None:
                self.stop(value)
            elif isinstance(each, ast.Subscript | ast.Attribute):
                self._set_at(each)
                self.plain(each.value)

    def _set_at(self, target: ast.expr) -> None:
        """`x[idx] = v`, the places being of unknown length."""
        match target:
            case ast.Subscript(value=ast.Name(name), slice=places) if loaded([places]) & set(self.state.names):
                raise SetsInPlace(f"`{self.code.src(target)}` is set at places whose number depends on data", name)

    def _places(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> bool:
        """`idx = jnp.where(c)` → `idx = c`: the places are read by their mask."""
        if len(targets) != 1 or not isinstance(targets[0], ast.Name) or not isinstance(value, ast.Call):
            return False
        if not is_places(self, value):
            return False
        if self._is_asked_by_axis(targets[0].id):
            text, found, _ = places_of(self, value)
            self.replace(value, text)
            self.found, self.pattern = True, "size="
            self.bind(node, targets[0].id, None, None, True)
            self.places_of_axes[targets[0].id] = found
            return True
        self.plain(value.args[0])
        self.found = True
        text, is_mask = self.text(value.args[0]), self.is_bool(value.args[0])
        self.replace(value, text if is_mask else f"{enclosed(text)} != 0")
        name = targets[0].id
        self.bind(node, name, None, None, True)
        self.places[name] = text if is_mask and text.isidentifier() and self.stores(text) == 1 else name
        if is_mask and self.places[name] == name:
            self.state.masks[text] = name
        return True

    def _is_asked_by_axis(self, name: str) -> bool:
        """Whether all that is read of a name is `name[0]`, `name[1]`."""
        function = self.spot.function or self.code.tree
        reads = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id == name]
        around = [self.code.parents[each] for each in reads if isinstance(each.ctx, ast.Load)]
        return self.stores(name) == 1 and all(isinstance(each, ast.Subscript) and is_axis(each.slice) for each in around)

    def _unpacked(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> None:
        traced = self.is_traced(value)
        if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
            # all are read before one is bound: `a, b = x[m], a[m]`
            read = [(self.visit(each), each, self.is_traced(each), self.is_float(each)) for each in value.elts]
            for target, (found, element, is_traced, is_float) in zip(targets, read, strict=True):
                if isinstance(target, ast.Name):
                    self.bind(node, target.id, found, element, is_traced, alone=False, is_float=is_float)
                elif found is not None:
                    self.stop(value)
            return
        many = selection(self, value, several=True)
        if many is not None:
            self.found, self.pattern = True, many.pattern
            self.excludes |= many.excludes
            self.replace(value, many.array)
            for target, ragged in zip(targets, many.several, strict=False):
                if not isinstance(target, ast.Name):
                    self.stop(value)
                self.bind(node, target.id, ragged, None, True)
            return
        if self._sizes(node, targets, value) or self._indices(node, targets, value):
            return
        if self.visit(value) is not None:
            self.stop(value)
        for target in targets:
            for name in target_names(target):
                self.bind(node, name, None, None, traced)

    def _sizes(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> bool:
        """`n, k = X.shape` of what was selected: the count, and the other sizes as they are; whether it is that."""
        if not isinstance(value, ast.Attribute) or value.attr != "shape":
            return False
        found = self.visit(value.value)
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if found is None or not len(names) == len(targets) == found.ndim or (found.flat and not found.grid) or found.group:
            return False
        masks = found.grid or tuple(found.mask if axis == found.axis else "" for axis in range(found.ndim))
        array = self.operand(value.value)
        counts = [(self.count(Ragged(mask)) if found.grid else self.count(found)) if mask else "" for mask in masks]
        sizes = [count or f"{array}.shape[{axis}]" for axis, count in enumerate(counts)]
        self.replace(value, f"{', '.join(sizes)}{',' * (len(sizes) == 1)}")
        for count, name in zip(counts, names, strict=True):
            self.bind(node, name, None, None, bool(count))
        if not found.axis and not found.grid:
            self.counts[names[0]] = found
        return True

    def _indices(self, node: ast.stmt, targets: list[ast.expr], value: ast.expr) -> bool:
        """`rows, columns = jnp.indices(patch.shape)` of a table: how many of its own come before each; whether it is that."""
        match value:
            case ast.Call(
                func=ast.Attribute(value=owner, attr="indices"), args=[ast.Attribute(value=array, attr="shape")], keywords=[]
            ) if is_module(self.spot, owner):
                found = self.visit(array)
            case _:
                return False
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if found is None or not found.grid or not len(names) == len(targets) == found.ndim:
            return False
        axes = [f"{self.jnp('cumsum')}({found.mask}, axis={axis}) - 1" for axis in range(found.ndim)]
        self.replace(value, ", ".join(axes))
        for name in names:
            self.bind(node, name, replace(found, dtype="i", pad="", source=-1, direct=False), None, True)
        return True

    def bind(
        self,
        node: ast.stmt,
        name: str,
        ragged: Ragged | None,
        value: ast.expr | None,
        traced: bool,
        alone: bool = True,
        is_float: bool | None = None,
    ) -> None:
        """A name stands for another value from here on."""
        if is_float is None:
            is_float = value is not None and self.is_float(value)
        self.state.names.pop(name, None)
        for other, each in self.state.names.items():
            if name in words_of(each.mask) and self.bound_at.get(other) is not node and name not in self.canonical.values():
                self.stop(node)  # a mask that is still needed reads it
        for other, each in self.state.names.items():
            if name in words_of(f"{each.length} {each.least}"):
                self.state.names[other] = replace(each, length="", least="")
        self.counts.pop(name, None)
        self.rounds.pop(name, None)
        self.places.pop(name, None)
        self.places_of_axes.pop(name, None)
        self.forget({name})
        (self.traced.add if traced else self.traced.discard)(name)
        (self.floats.add if is_float else self.floats.discard)(name)
        grown = value is not None and bool(loaded([value]) & self.outgrown)
        (self.outgrown.add if grown else self.outgrown.discard)(name)
        if ragged is None:
            return
        if name in self.canonical:
            ragged = self._narrowed(node, name, ragged, value, alone)
        self.state.names[name], self.bound_at[name] = ragged, node

    def _narrowed(self, node: ast.stmt, name: str, ragged: Ragged, value: ast.expr | None, alone: bool) -> Ragged:
        """The value keeps its mask under the name that stands for it in every round."""
        mask = self.canonical[name]
        if ragged.mask != mask:
            made = ragged.mask
            lines = self.state.before.get(node, [])
            if alone and value is not None and self.text(value) == name and lines and lines[-1].startswith(f"{made} = "):
                made = lines.pop().removeprefix(f"{made} = ")
            if f"{mask} = {made}" not in self._lines_for_another(node, name):
                self.line_after(f"{mask} = {made}")
        self.forget({mask})
        return replace(ragged, mask=mask, front=False, source=-1, direct=False, pad="", length="", least="")

    def _lines_for_another(self, node: ast.stmt, name: str) -> list[str]:
        """The lines that go behind a statement, or behind the one before it if that binds another array of the same mask."""
        block, same = self.code.block(node), {other for other, mask in self.canonical.items() if mask == self.canonical[name]}
        before = block[max(block.index(node) - 1, 0) : block.index(node)]
        around = [each for each in before if set(stored([each])) & (same - {name}) and name not in stored([each])]
        return [line for each in (*around, node) for line in self.state.after.get(each, [])]

    def _augmented(self, node: ast.AugAssign) -> None:
        found = self.visit(node.value)
        if not isinstance(node.target, ast.Name):
            self._set_at(node.target)
            if found is not None:
                self.stop(node)
            return
        name = node.target.id
        old = self.state.names.get(name)
        if isinstance(node.op, ast.Add) and old is None and found is not None and found.listed:
            self.stop(node)
        if (old is None) != (found is None):
            if found is not None or old is None or (self.ndim(node.value) or 0) > 0:
                self.stop(node)
            self.state.names[name] = replace(old, pad="", direct=False)
        elif old is not None and found is not None:
            if not old.like(found):
                self.stop(node)
            self.state.names[name] = replace(old, pad="", direct=False)
        self.forget({name})
        if self.is_traced(node.value):
            self.traced.add(name)

    def _head(self, test: ast.expr) -> None:
        """The test of a loop, which is asked anew in every round: no line before the loop can hold a part of it."""
        current, self.current = self.current, None
        self.truth(test)
        self.current = current

    def _inner(self, node: ast.FunctionDef) -> None:
        """A function made here: what it reads of unknown length is reduced in it."""
        hidden = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)} | set(stored(node.body))
        names, traced = dict(self.state.names), set(self.traced)
        self.state.names = {name: each for name, each in names.items() if name not in hidden}
        self.traced |= {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        self.block(node.body)
        self.state.names, self.traced = names, traced

    # -- branches and loops -------------------------------------------------------------------------------

    # -- lists that grow ----------------------------------------------------------------------------------

    def _appended(self, value: ast.expr) -> bool:
        """`out.append(v)` below a test on data is what `selections.collected` makes a comprehension of."""
        match value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend")) if name in self.state.names:
                self.stop(value)
        return False

    # -- updates by a mask --------------------------------------------------------------------------------

    def _updated_by_mask(self, node: ast.Call, place: ast.Subscript, array: ast.expr) -> bool:
        if self._is_set_later(node, place, array):
            return True
        made = selection(self, place, array)
        if made is None or made.pattern != "where" or len(node.args) != 1 or node.keywords:
            return False
        assert isinstance(node.func, ast.Attribute)
        value = self.visit(node.args[0])
        if value is not None and not value.like(made.ragged):
            self.stop(node)
        if self.visit(array) is not None:
            self.stop(node)
        text = self.operand(array)
        new = set_by_where(self.jnp, node.func.attr, text, self.text(node.args[0]))
        self.found = True
        held, given = self.spot.fact(array), self.spot.fact(node.args[0])
        exactly = (
            (held.exactly, given.exactly) if held is not None and given is not None and given.sort != "number" else ("", "")
        )
        cast = f".astype({text}.dtype)" if exactly[0] != exactly[1] else ""  # `.at` keeps the array's dtype
        self.replace(node, f"{self.jnp('where')}({made.ragged.broadcast}, {new}, {text}){cast}")
        return True

    def _is_set_later(self, node: ast.Call, place: ast.Subscript, array: ast.expr) -> bool:
        """`X.at[mask, j].set(v)` behind the site: the trace comes there by itself, and `slice_updates` knows it."""
        parts = place.slice.elts if isinstance(place.slice, ast.Tuple) else []
        if not any(self.is_bool(part) and (self.ndim(part) or 0) > 0 for part in parts) or self.site in set(ast.walk(place)):
            return False
        read = [part for part in parts if not isinstance(part, ast.Slice)]
        return all(self.visit(each) is None for each in (*node.args, *read, array)) and not node.keywords

    def between(self, array: ast.expr, part: ast.Slice, at: int) -> str:
        text, excludes = between(self, array, part, at)
        self.excludes |= excludes
        return text

    # -- what came of it ----------------------------------------------------------------------------------

    def edits(self) -> list[tuple[ast.AST | tuple[int, int], str]]:
        for statement in list(self.assigned):
            self._without(statement)
        while self._drop_unused():
            pass
        return [((start, end), new) for start, end, new in (*self._line_edits(), *self.state.edits)]

    def _drop_unused(self) -> bool:
        """Lines that bind what nothing reads go; whether one went."""
        words = [line for lines in (*self.state.before.values(), *self.state.after.values()) for line in lines]
        written = " ".join([*words, *(new for _, _, new in self.state.edits)])
        read = Counter(re.findall(r"[A-Za-z_]\w*", written)) + Counter(
            node.id for node in ast.walk(self.code.tree) if isinstance(node, ast.Name)
        )
        for lines in self.state.before.values():
            for line in lines:
                name = line.partition(" = ")[0]
                if name.isidentifier() and read[name] == 1:
                    lines.remove(line)
                    return True
        return False

    def _without(self, node: ast.Assign) -> None:
        """A statement that has become `x = x` goes, and a question for None that has nothing else to do."""
        if not self.code.on_own_lines([node]) or self.text(node.value) != self.text(node.targets[0]):
            return
        empty: ast.stmt = node
        while len(self.code.block(empty)) == 1 and empty not in self.state.before and empty not in self.state.after:
            around = self.code.parents.get(empty)
            if not (isinstance(around, ast.If) and not around.orelse and asks_for_none(around.test)):
                return
            empty = around
        if len(node.targets) == 1:
            start, end = self.code.region([empty])
            if any(a < end and start < b for a, b, _ in self.state.edits if b - a > end - start):
                return  # within a block that was written anew
            self.state.edits = [edit for edit in self.state.edits if not (start <= edit[0] and edit[1] <= end)]
            self.state.edits.append((start, end, ""))
