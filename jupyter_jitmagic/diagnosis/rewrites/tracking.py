"""What a walk knows of names: which are traced, which are the length of a selection."""

from __future__ import annotations

import ast
import re

from jupyter_jitmagic.diagnosis.rewrites.consumers import Operations
from jupyter_jitmagic.diagnosis.rewrites.operations import FLAGS, is_module
from jupyter_jitmagic.diagnosis.rewrites.ragged import Ragged, enclosed
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot, is_traced_value
from jupyter_jitmagic.source.names import bound_once


class Tracking(Operations):
    """The names of the function that is walked through."""

    def __init__(self, spot: Spot) -> None:
        super().__init__(spot)
        self.traced = {name for name, value in spot.locals.items() if is_traced_value(value)}
        self.places: dict[str, str] = {}  # names of `jnp.where(c)`, which hold c now → the text of c
        self.places_of_axes: dict[str, Ragged] = {}  # names of `jnp.where(c)` of which each axis is asked alone
        self.inverses: dict[
            str, tuple[Ragged, str]
        ] = {}  # names of numbers of distinct values: what there is of these, of how many
        self.places_in_all: dict[str, str] = {}  # names of a place in the whole array of a selection → the selection's mask
        self.counts: dict[str, Ragged] = {}  # names of the length of a selection
        self.floats: set[str] = set()
        self._looked_up: set[str] = set()  # names of which it is being asked what they count: `x = jnp.asarray(x)` has no end

    def is_bool(self, node: ast.expr) -> bool:
        fact = self.spot.fact(node)
        return self._says_so(node) if fact is None else fact.dtype == "b"

    def _says_so(self, node: ast.expr) -> bool:
        """Whether it is a mask by its text alone, as in lines that no run comes to."""
        match node:
            case ast.Compare():
                return True
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return self.is_bool(operand)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
                return self.is_bool(left) and self.is_bool(right)
            case ast.Call(func=ast.Attribute(attr=name, value=owner)):
                return name in FLAGS and is_module(self.spot, owner)
            case ast.Name(id=name) if isinstance(self.spot.function, ast.FunctionDef):
                value = bound_once(self.spot.function, name)
                return value is not None and self.is_bool(value)
        return False

    def count_of(self, node: ast.expr) -> Ragged | None:
        """The selection whose length an expression is: `len(s)`, `s.size`, `s.shape[0]`, `jnp.sum(mask)`, or a name for it."""
        match node:
            case ast.Name(id=name):
                return self.counts.get(name) or self._counted_before(name)
            case ast.Call(func=ast.Name(id="len"), args=[inner]):
                pass
            case (
                ast.Call(func=ast.Name(id="int"), args=[inner])
                | ast.Call(func=ast.Attribute(value=inner, attr="item" | "astype"))
            ):
                return self.count_of(inner)
            case ast.Call(func=ast.Attribute(attr="asarray"), args=[inner, *_]):
                return self.count_of(inner)
            case ast.Call(func=ast.Attribute(attr="sum" | "count_nonzero"), args=[inner], keywords=[]):
                return self._of_mask(inner)
            case ast.Call(func=ast.Attribute(value=inner, attr="sum"), args=[], keywords=[]):
                return self._of_mask(inner)
            case ast.Attribute(attr="size", value=inner):
                pass
            case ast.Subscript(value=ast.Attribute(attr="shape", value=inner), slice=ast.Constant(value=0)):
                pass
            case _:
                return None
        found = self.visit(inner)
        whole = (
            isinstance(node, ast.Attribute) and found is not None and found.ndim > 1 and not found.flat
        )  # a size of all axes
        return found if found is not None and not found.axis and not whole else None

    def _of_mask(self, node: ast.expr) -> Ragged | None:
        """What a mask selects, where an expression counts it."""
        fact = self.spot.fact(node)
        if fact is None or fact.dtype != "b" or fact.ndim != 1 or self.visit(node) is not None:
            return None
        text = self.text(node)
        steady = all(self.stores(part.id) <= 1 for part in ast.walk(node) if isinstance(part, ast.Name))
        return Ragged(enclosed(text)) if steady else None

    def _counted_before(self, name: str) -> Ragged | None:
        """`n = int(jnp.sum(mask))` above the place where the trace stopped."""
        function = self.spot.function
        if name in self._looked_up or self.stores(name) != 1 or function is None or isinstance(function, ast.Lambda):
            return None
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [name]:
                self._looked_up.add(name)
                found = self.count_of(node.value)
                self._looked_up.discard(name)
                return found
        return None

    def is_traced(self, node: ast.expr) -> bool:
        """Whether an expression is computed from traced values (an array's shape alone does not count)."""
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
        return any(part.id in self.state.names or (part.id in self.traced and not self.spot.asks_shape(part)) for part in names)

    def is_traced_text(self, text: str) -> bool:
        """Whether a piece of source text that the walk made reads what is traced, beyond its shape."""
        shapes = re.sub(r"[\w.]+\.(shape|size|ndim)\b", self._unless_a_field, text)
        return bool(words_of(shapes) & (self.traced | set(self.state.names)))

    def _unless_a_field(self, asked: re.Match[str]) -> str:
        """Nothing for the shape of an array; a field that has such a name as it is."""
        node = ast.parse(asked[0], mode="eval").body
        return asked[0] if isinstance(node, ast.Attribute) and is_traced_value(self.spot.held(node)) else ""


def words_of(text: str) -> set[str]:
    """The names in a piece of source text, and what else is a word."""
    return set(re.findall(r"[A-Za-z_]\w*", text))
