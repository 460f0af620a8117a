"""The shape and dtype of what a container will hold, in names that have a value where it is made."""

from __future__ import annotations

import ast

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.rewrites.facts import Fact
from jupyter_jitmagic.diagnosis.rewrites.rules import Spot
from jupyter_jitmagic.source.code import stored

_BY_KIND = (("c", "complex"), ("f", ""), ("i", "int"), ("u", "int"), ("b", "bool"))


def element(spot: Spot, function: ast.FunctionDef, made: ast.stmt, values: list[ast.expr]) -> tuple[str, str]:
    """(its shape as text, "" for a number; its dtype as text, "" for JAX's own float) of all values of a container.

    Raises:
        LookupError: they are not alike, or nothing that is known before tells.
    """
    return _Elements(spot, function, made).of(values)


class _Elements:
    def __init__(self, spot: Spot, function: ast.FunctionDef, made: ast.stmt) -> None:
        self.spot, self.function = spot, function
        arguments = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
        block = spot.code.block(made)
        self.before = arguments | set(stored(block[: block.index(made)]))

    def of(self, values: list[ast.expr]) -> tuple[str, str]:
        facts = [self.spot.fact(value) for value in values]
        known = [fact for fact in facts if fact is not None and _is_number(fact)]
        if not known or len({fact.ndim for fact in known}) > 1:
            raise LookupError
        if known[0].ndim == 0:
            return "", self._dtype(values, facts)
        shape = next((text for value in values if (text := self._shape(value))), "")
        if not shape:
            raise LookupError
        return f"*{shape}", self._dtype(values, facts)

    def _dtype(self, values: list[ast.expr], facts: list[Fact | None]) -> str:
        found = [self._carrier(value) for value in values]
        if all(name for name, _ in found) and all(fact is None or fact.dtype for fact in facts):
            names = list(dict.fromkeys(found))
            if len(names) == 1 and names[0][1]:
                return f"{names[0][0]}.dtype"
            return f"{self.spot.jnp('result_type')}({', '.join(dict.fromkeys(name for name, _ in names))})"
        kinds = {fact.dtype for fact in facts if fact is not None}
        return next((dtype for kind, dtype in _BY_KIND if kind in kinds), "")

    def _carrier(self, value: ast.expr) -> tuple[str, bool]:
        """(name of an array or number that is known before and of whose dtype a value is, whether it is surely an array)."""
        fact = self.spot.fact(value)
        match value:
            case ast.Name(id=name) if name in self.before and self._keeps_kind(name, fact):
                return name, fact is not None and fact.sort == "array" and not self._was_number(name)
            case ast.Name(id=name):
                array = self._iterated(name)
                return array, bool(array)
            case ast.Subscript(value=ast.Name(id=name) as owner) if name in self.before:
                of_owner = self.spot.fact(owner)
                if of_owner is not None and of_owner.sort in ("array", "host"):
                    return name, True
        return "", False

    def _keeps_kind(self, name: str, fact: Fact | None) -> bool:
        """Whether all that the function gives a name is of the kind that it has from the start."""
        kinds = set()
        for node in ast.walk(self.function):
            if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)):
                continue
            match self.spot.code.statement(node):
                case ast.Assign(targets=[ast.Name()], value=value):
                    told = self.spot.fact(value)
                    kinds.add(told.dtype if told is not None else "")
                case _:
                    return False
        return fact is not None and bool(fact.dtype) and kinds <= {fact.dtype}

    def _was_number(self, name: str) -> bool:
        """Whether a name may stand for a number of Python's when the container is made."""
        for node in ast.walk(self.function):
            match node:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    fact = self.spot.fact(value)
                    if fact is None or fact.sort != "array":
                        return True
        return False

    def _iterated(self, name: str) -> str:
        """The array over which a loop's variable runs."""
        for node in ast.walk(self.function):
            match node:
                case ast.For(target=ast.Name(id=target), iter=ast.Name(id=array)) if target == name and array in self.before:
                    if is_array(self.spot, array):
                        return array
        return ""

    def _shape(self, value: ast.expr) -> str:
        match value:
            case ast.Name(id=name) if name in self.before and is_array(self.spot, name):
                return f"{name}.shape"
            case ast.Name(id=name) if array := self._iterated(name):
                return f"{array}.shape[1:]"
            case ast.Subscript(value=ast.Name(id=array), slice=index) if array in self.before and is_array(self.spot, array):
                return "" if isinstance(index, ast.Slice | ast.Tuple) else f"{array}.shape[1:]"
            case ast.Name(id=name):
                shape = getattr(self.spot.locals.get(name), "shape", None)
                same = [each for each in sorted(self.before) if getattr(self.spot.locals.get(each), "shape", ()) == shape]
                return f"{same[0]}.shape" if shape and same else ""
        return ""


def _is_number(fact: Fact) -> bool:
    return (fact.sort in ("array", "host", "number") or bool(fact.dtype)) and fact.ndim >= 0


def is_array(spot: Spot, name: str) -> bool:
    """Whether a name stands for an array (or a traced number)."""
    return isinstance(spot.locals.get(name, spot.globals.get(name)), jax.Array | np.ndarray)
