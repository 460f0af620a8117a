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
        if self._updated_by_mask(node, place, array):
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
