"""Masks of names to which branches and loops give a shorter value: bound before the statement, narrowed in it."""

from __future__ import annotations

import ast
from dataclasses import replace

from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.diagnosis.rewrites.tracking import Tracking
from jupyter_jitmagic.source import nones
from jupyter_jitmagic.source.names import stored, target_names, walk


class Narrowing(Tracking):
    """What the sides of a branch, or the rounds of a loop, leave of an array."""

    def __init__(self, spot: Spot) -> None:
        super().__init__(spot)
        self.canonical: dict[str, str] = {}
        self.begins = 0
        """The line at which the walk began."""

    def _all_of(self, name: str, axis: int, node: ast.stmt) -> str:
        """A mask that lets all of a name's elements pass; None where it is None, and made in the branch."""
        every = f"{self.jnp('ones')}({name}.shape[{axis}], bool)"
        is_made = isinstance(node, ast.If) and nones.asks_for_none(node.test, name) is True
        return f"{every} if {name} is not None else None" if is_made else every

    def masked_in_branches(
        self, node: ast.If, entry: dict[str, Ragged], sides: list[dict[str, Ragged]], apart: list[str]
    ) -> bool:
        """`if limit is not None: x, w = x[k], w[k]` → `kept` of ones before it, and `kept = k` at the end of the branch;
        whether that was possible: one side alone makes shorter what was whole. Names that it makes alike have one mask, those
        of another branch with the same test, too. `if w is not None: w = w[k]` needs none: None has no elements."""
        if self._is_of_an_option(node, sides, apart):
            self.state.names = {name: each for name, each in sides[1].items() if sides[0].get(name) == each}
            self.state.names[apart[0]] = replace(sides[0][apart[0]], source=-1, direct=False, pad="")
            self.state.optional.add(apart[0])
            return True
        groups: dict[tuple[int, str, int], list[str]] = {}
        for name in apart:
            made = [number for number, side in enumerate(sides) if name in side]
            ragged = sides[made[0]].get(name)
            plain = ragged is not None and not (ragged.flat or ragged.group or ragged.listed or ragged.grid)
            if len(made) > 1 or name in entry or ragged is None or not plain or name not in self.bound_before(node):
                return False
            groups.setdefault((made[0], ragged.mask, ragged.axis), []).append(name)
        for (side, mask, axis), names in groups.items():
            body = (node.body, node.orelse)[side]
            names.sort(key=self.state.optional.__contains__)
            known = ast.dump(node.test), side, mask, axis
            kept = self.state.chosen.get(known, "") if self._stay(known, node.test) else ""
            if not kept:
                kept = self.state.chosen[known] = self.fresh("kept", "chosen", "valid", f"{names[0]}_kept")
                if asks_for_none(node.test) and side == 0 and self._stay(known, node.test):
                    self.state.options[kept] = self.code.src(node.test)
                self.current = node
                self.line_before(f"{kept} = {self._all_of(names[0], axis, node)}")
                self.current = body[-1]
                self.line_after(f"{kept} = {mask}")
            self.current = node
            for name in names:
                self.state.names[name] = replace(sides[side][name], mask=kept, front=False)
        both = {name: each for name, each in sides[0].items() if sides[1].get(name) == each}
        self.state.names = both | {name: self.state.names[name] for name in apart}
        return True

    def _is_of_an_option(self, node: ast.If, sides: list[dict[str, Ragged]], apart: list[str]) -> bool:
        """Whether a branch does nothing but to make shorter what may be None."""
        match node:
            case ast.If(
                test=ast.Compare(left=ast.Name(id=name), ops=[ast.IsNot()], comparators=[ast.Constant(None)]), orelse=[]
            ) if apart == [name] and name in sides[0]:
                ragged = sides[0][name]
                plain = not (ragged.flat or ragged.group or ragged.listed or ragged.grid)
                return plain and not set(stored(node.body)) & _names_in(ragged.mask)
        return False

    def shortened(self, part: ast.expr, ragged: Ragged) -> str:
        """Plain Python's value of an expression, as text. Where its mask hangs on a question for None, it is asked: a call that
        leaves nothing out has always been traced."""
        array = self.operand(part)
        chosen = f"{array}[{':, ' * ragged.axis}{ragged.mask}]"
        asked = self.state.options.get(ragged.mask, "")
        text = f"{chosen} if {asked} else {array}" if asked else chosen
        return f"({text})" if asked and not isinstance(self.code.parents[part], ast.Return) else text

    def _stay(self, known: tuple[str, int, str, int], test: ast.expr) -> bool:
        """Whether a test and a mask are, where they stand again, what they were."""
        names = {each.id for each in walk(test) if isinstance(each, ast.Name)} | _names_in(known[2])
        function = self.spot.function
        given = set() if function is None else {each.arg for each in walk(function.args) if isinstance(each, ast.arg)}
        return all(self.stores(name) < (1 if name in given else 2) for name in names)

    def own_masks(self, node: ast.stmt, names: list[str], becoming: dict[str, Ragged]) -> None:
        """A mask for each name, made before the statement, that stands for its length however often it is bound in it."""
        self.current = node
        entry = dict(self.state.names)
        for name in names:
            if name in self.canonical:
                continue
            held = entry.get(name)
            ragged = becoming[name]
            again = held is not None and held.listed  # `found = [v for v in found if v > t]`
            if ragged.flat or ragged.group or (ragged.listed and not again) or not (held or name in self.bound_before(node)):
                self.stop(node, f"`{name}` has a length that depends on data")
            beside = [other for other in names[: names.index(name)] if self._go_together(node, (other, name), becoming, entry)]
            mask = self.canonical[beside[0]] if beside else self.fresh("kept", "chosen", "valid", f"{name}_kept")
            if not beside:
                self.line_before(f"{mask} = {self._all_of(name, ragged.axis, node) if held is None else held.mask}")
            self.canonical[name] = mask
            length = ragged.length if held is None or held.length == ragged.length else ""
            known = replace(held or ragged, mask=mask, front=False, source=-1, direct=False, pad="", length=length)
            self.state.names[name] = known

    def _go_together(
        self, node: ast.stmt, names: tuple[str, str], becoming: dict[str, Ragged], entry: dict[str, Ragged]
    ) -> bool:
        """Whether a loop makes two arrays shorter alike, by `x, y = x[k], y[k]` or in two lines one after the other: they are
        as long as each other in each round, and have one mask."""
        one, other = (becoming[name] for name in names)
        before = [entry[name].mask if name in entry else "" for name in names]
        if (
            not isinstance(node, ast.For | ast.While)
            or (one.mask, one.axis) != (other.mask, other.axis)
            or before[0] != before[1]
        ):
            return False
        stores = [
            [n for n in walk(node) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
            for name in names
        ]
        if [len(each) for each in stores] != [1, 1]:
            return False
        first, second = (self.code.statement(each[0]) for each in stores)
        block = self.code.block(first)
        return second in block and abs(block.index(first) - block.index(second)) <= 1

    def was_whole(self, mask: ast.expr) -> bool:
        """Whether a mask was made before the walk, and so when what it selects from was whole."""
        if not isinstance(mask, ast.Name) or self.stores(mask.id) != 1 or self.spot.function is None:
            return False
        made = [n for n in self.code.below(self.spot.function) if isinstance(n, ast.Name) and n.id == mask.id]
        return any(isinstance(n.ctx, ast.Store) and n.lineno < self.begins for n in made)

    def bound_before(self, node: ast.stmt) -> set[str]:
        """Names that have a value where a statement begins: when the trace failed, or by one of its block that comes before."""
        block = self.code.block(node)
        before = [each for each in block[: block.index(node)] if isinstance(each, ast.Assign)]
        return set(self.spot.locals) | {name for each in before for target in each.targets for name in target_names(target)}


def asks_for_none(test: ast.expr) -> bool:
    """Whether Python itself answers a test, whatever is traced."""
    return isinstance(test, ast.Compare) and all(isinstance(each, ast.Is | ast.IsNot) for each in test.ops)


def _names_in(text: str) -> set[str]:
    return {each.id for each in walk(ast.parse(text, mode="eval")) if isinstance(each, ast.Name)}
