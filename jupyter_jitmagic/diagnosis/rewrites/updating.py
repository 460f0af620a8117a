"""What `x.at[s].set(v)` does with places or values of unknown length."""

from __future__ import annotations

import ast

from jupyter_jitmagic.diagnosis.rewrites.indexing import Indexing
from jupyter_jitmagic.diagnosis.rewrites.operations import SET_BY_WHERE, set_by_where
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed


class Updating(Indexing):
    """Updates of an array at places, or by values, of which nobody knows how many there are."""

    def _update(self, node: ast.Call) -> bool:
        """`x.at[s].set(v)`, s or v of unknown length: what does not count is dropped."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in SET_BY_WHERE:
            return False
        place = node.func.value
        if not (isinstance(place, ast.Subscript) and isinstance(place.value, ast.Attribute) and place.value.attr == "at"):
            return False
        array = place.value.value
        if self._updated_by_mask(node, place, array) or self._updated_cut(node, place, array):
            return True
        if isinstance(place.slice, ast.Slice) and len(node.args) == 1 and self._updated_slice(node, place.slice, array):
            return True
        parts = list(place.slice.elts) if isinstance(place.slice, ast.Tuple) else [place.slice]
        found = [None if isinstance(part, ast.Slice) else self.visit(part) for part in parts]
        self.plain(*(bound for part in parts if isinstance(part, ast.Slice) for bound in (part.lower, part.upper) if bound))
        values = [self.visit(arg) for arg in node.args]
        if self.visit(array) is not None:
            self.stop(node)
        ragged = [each for each in (*found, *values) if each is not None]
        if not ragged:
            self.plain(*(each.value for each in node.keywords))
            return True
        if any(not each.like(ragged[0]) for each in ragged) and all(each.is_lined_up for each in ragged):
            found, values = (
                [each and self.ordered(part, each) for part, each in zip(nodes, read, strict=True)]
                for nodes, read in ((parts, found), (node.args, values))
            )
            ragged = [each for each in (*found, *values) if each is not None]
        axis = next((number for number, index in enumerate(found) if index is not None), -1)
        rows = axis == 0 and all(each is None or self._are_rows_of(each, ragged[0]) for each in values)
        if axis < 0 or node.keywords or not (rows or all(each.like(ragged[0]) for each in ragged)):
            self.stop(node)
        if node.func.attr == "add" and len(ragged) > 1 and rows and values[0] is not None and not values[0].behind:
            added = node.args[0]
            self.replace(added, f"{self.jnp('where')}({ragged[0].mask}, {self.text(added)}, 0)")
            return True
        for number, (part, index) in enumerate(zip(parts, found, strict=True)):
            if index is not None:
                outside = f"{self.operand(array)}.shape[{number}]"
                self.replace(part, f"{self.jnp('where')}({index.mask}, {self.text(part)}, {outside})")
                break
        end = self.code.span(node)[1]
        self.state.edits.append((end - 1, end - 1, ', mode="drop"'))
        return True

    @staticmethod
    def _are_rows_of(value: Ragged, index: Ragged) -> bool:
        """Whether there is a row for each place of an index."""
        return value.mask == index.mask and not (value.axis or value.flat or value.listed or value.group or index.behind)

    def _updated_cut(self, node: ast.Call, place: ast.Subscript, array: ast.expr) -> bool:
        """`A.at[j:, c].set(v)`, v computed of what is cut alike: its elements stand where they are to be put."""
        parts = list(place.slice.elts) if isinstance(place.slice, ast.Tuple) else [place.slice]
        cuts = [number for number, part in enumerate(parts) if isinstance(part, ast.Slice) and (part.lower or part.upper)]
        value = self.visit(node.args[0]) if cuts and len(node.args) == 1 and not node.keywords else None
        ndim = self.ndim(array)
        if value is None or ndim is None or value.listed or value.group or value.times or self.current is None:
            return False
        others = [part for part in parts if not isinstance(part, ast.Slice)]
        facts = [self.spot.fact(part) for part in others]
        if any(isinstance(part, ast.Slice) and part.step is not None for part in parts) or any(
            fact is None or fact.ndim != 0 or fact.dtype not in ("i", "u") for fact in facts
        ):
            return False
        before = self.state.copy()
        masks = [self.between(array, part, number) for number, part in enumerate(parts) if number in cuts]  # type: ignore[arg-type]
        left, first = ndim - len(others), sum(isinstance(part, ast.Slice) for part in parts[: cuts[0]])
        behind = left - 1 - first
        if value.grid:
            fits = cuts == [0, 1] and not others and value.grid == (*masks, *[""] * (left - 2))
        else:
            fits = not value.flat and masks == [value.mask] and value.behind == behind and value.ndim <= left
        lined_up = any(
            name == value.mask and f"({self.operand(array)}.shape[" in text for text, name in self.state.masks.items()
        )
        if ndim == 1 and not lined_up:
            fits = False  # of another array, which may be longer
        if not fits or self.visit(array) is not None:
            self.state = before
            return False
        self.plain(
            *others, *(bound for part in parts if isinstance(part, ast.Slice) for bound in (part.lower, part.upper) if bound)
        )
        index = ", ".join(":" if isinstance(part, ast.Slice) else self.text(part) for part in parts)
        whole, old = self.operand(array), f"{self.operand(array)}[{index}]" if others else self.operand(array)
        assert isinstance(node.func, ast.Attribute)
        new = set_by_where(self.jnp, node.func.attr, old, self.text(node.args[0]))
        text = f"{self.jnp('where')}({value.broadcast}, {new}, {old})"
        if others:
            text = f"{whole}.at[{index}].set({text})"
        elif (fact := self.spot.fact(array)) is None or fact.dtype != value.dtype:
            text = f"{text}.astype({whole}.dtype)"  # as `.at` does
        self.replace(node, text)
        return True

    def between(self, array: ast.expr, part: ast.Slice, at: int) -> str:
        """A mask of the places of an axis that a slice takes; `flow.Flow` knows."""
        raise NotImplementedError

    def _updated_slice(self, node: ast.Call, part: ast.Slice, array: ast.expr) -> bool:
        """`x.at[i:j].set(v)`, v as long as the slice → v's elements where they belong."""
        value = self.visit(node.args[0])
        if value is None or part.step is not None or self.current is None:
            return False
        if value.ndim > 1 or value.listed or self.visit(array) is not None:
            self.stop(node)
        assert isinstance(node.func, ast.Attribute)
        text, _ = self.in_front(self.text(node.args[0]), value)
        old = self.operand(array)
        places = self.named(f"{self.jnp('arange')}({old}.shape[0])", "places", "indices")
        bounds = [(each, sign) for each, sign in ((part.lower, ">="), (part.upper, "<")) if each is not None]
        self.plain(*(each for each, _ in bounds))
        tests = [f"({places} {sign} {self.operand(each)})" for each, sign in bounds]
        shifted = f"{places} - {self.operand(part.lower)}" if part.lower is not None else places
        new = set_by_where(self.jnp, node.func.attr, old, f"{enclosed(text)}[{shifted}]")
        self.replace(node, f"{self.jnp('where')}({' & '.join(tests) or 'True'}, {new}, {old})")
        return True

    def _updated_by_mask(self, node: ast.Call, place: ast.Subscript, array: ast.expr) -> bool:
        """`x.at[mask].set(v)`, `x.at[jnp.where(c)].add(v)` → a choice."""
        raise NotImplementedError
