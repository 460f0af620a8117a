"""What is known of each expression of a draft, from one plain run on the call's own input in which every one tells its value.

Rules ask `Spot.fact(node)`: how many axes it has, which kind of numbers, of which Python type it is. Values are not kept.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.proof.bounding import BOUNDED, BoundedLoops, bounded_while_loop
from jupyter_jitmagic.diagnosis.proof.derived import TRANSFORMS, Derived
from jupyter_jitmagic.diagnosis.proof.filtering import ArraysAlone
from jupyter_jitmagic.diagnosis.proof.row_by_row import INSTEAD, row_by_row
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.methods import looking_up, names_of_methods
from jupyter_jitmagic.source.rebuilding import Rebuilt
from jupyter_jitmagic.source.units import Unit

_TELL = "__jitmagic_fact__"
_COMPILES = re.compile(r"\b(?:while_loop|fori_loop|scan|associative_scan|map|vmap|jit|pjit|pmap)\b")
"""What runs compiled in plain Python as well, faster than by NumPy."""
_Place = tuple[int, int, int, int]
Facts = Mapping[Unit, Mapping[_Place, "Fact"]]


@dataclass(frozen=True)
class Fact:
    """What an expression's value was.

    Attributes:
        sort: "array" (JAX's), "host" (NumPy's), "number", "list", "tuple", "dict", "function", "module", "none" or
            "other".
        ndim: the axes of an array (0 for a number), the length of a list or tuple; -1 where visits differed.
        dtype: "b", "i", "f", "c", "u", or "" for what has none.
        length: of the first axis, or of a list; -1 where visits differed.
        shape: of an array; () where visits differed.
        exactly: the dtype of an array in full, "" where visits differed, and for numbers of Python's.
    """

    sort: str
    ndim: int = -1
    dtype: str = ""
    length: int = -1
    shape: tuple[int, ...] = ()
    exactly: str = ""

    def joined(self, other: Fact) -> Fact:
        if self == other:
            return self
        same = self.sort == other.sort
        return Fact(
            self.sort if same else "other",
            self.ndim if self.ndim == other.ndim else -1,
            self.dtype if self.dtype == other.dtype else "",
            self.length if self.length == other.length else -1,
            self.shape if self.shape == other.shape else (),
            self._exactly_with(other),
        )

    def _exactly_with(self, other: Fact) -> str:
        """A number of Python's takes the dtype of the arrays that it meets."""
        if "number" in (self.sort, other.sort):
            return self.exactly or other.exactly
        return self.exactly if self.exactly == other.exactly else ""


def fact_of(value: Any) -> Fact:
    """The fact about a value."""
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic):  # as np.float64 is a float
        kinds: dict[type, str] = {bool: "b", int: "i", float: "f"}
        return Fact("number", 0, kinds.get(type(value), "c"))
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        sort = "array" if isinstance(value, jax.Array) else "host"
        kind = "f" if jax.dtypes.issubdtype(value.dtype, np.floating) else getattr(value.dtype, "kind", "")  # a key has none
        exactly = jax.dtypes.canonicalize_dtype(value.dtype).name if kind in ("i", "u", "f", "c") else ""
        return Fact(sort, value.ndim, kind, np.shape(value)[0] if value.ndim else -1, np.shape(value), exactly)
    if isinstance(value, list | tuple):
        return Fact("list" if isinstance(value, list) else "tuple", len(value), "", len(value))
    if isinstance(value, dict):
        return Fact("dict")
    if value is None:
        return Fact("none")
    if isinstance(value, types.ModuleType):
        return Fact("module")
    return Fact("function" if callable(value) else "other")


class _Telling(ast.NodeTransformer):
    """Every expression that is read, wrapped in a call that notes its value and gives it back."""

    def __init__(self, unit: int) -> None:
        self.unit = unit

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.JoinedStr | ast.pattern | ast.arguments | ast.Constant):
            return node
        place = _place(node)
        match node:
            case ast.AnnAssign():
                node.value = self.visit(node.value) if node.value is not None else None
                return node
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                node.body = [self.visit(statement) for statement in node.body]
                return node
            case ast.Call(func=ast.Attribute() as func):
                func.value = self.visit(func.value)
                node.args = [self.visit(arg) for arg in node.args]
                node.keywords = [self.visit(keyword) for keyword in node.keywords]
            case ast.Call():
                node.args = [self.visit(arg) for arg in node.args]
                node.keywords = [self.visit(keyword) for keyword in node.keywords]
            case _:
                self.generic_visit(node)
        if not isinstance(node, ast.expr) or isinstance(node, ast.Starred | ast.Slice | ast.Yield | ast.YieldFrom | ast.Await):
            return node
        if not isinstance(getattr(node, "ctx", None), ast.Load | None):
            return node
        if place is None:
            return node
        told = ast.Call(
            ast.Name(_TELL, ast.Load()),
            [ast.Tuple([ast.Constant(number) for number in (self.unit, *place)], ast.Load()), node],
            [],
        )
        return ast.copy_location(told, node)


def _place(node: ast.AST) -> _Place | None:
    if not isinstance(node, ast.expr) or node.end_lineno is None or node.end_col_offset is None:
        return None
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def facts_of(
    fun: Callable[..., Any],
    texts: Mapping[Unit, str],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    imports: Mapping[Unit, str],
    seconds: float,
    told: Facts | None = None,
) -> Facts:
    """The facts about the expressions of these texts, from a plain run of `fun` with them; what was not reached has none.

    `told`: of other runs, which are kept as they are.
    """
    units = list(texts)
    before = told or {}
    found: dict[Unit, dict[_Place, Fact]] = {unit: dict(before.get(unit, {})) for unit in units}

    traced: dict[Unit, dict[_Place, Fact]] = {unit: {} for unit in units}
    telling = found

    def tell(place: tuple[int, int, int, int, int], value: Any) -> Any:
        known = telling[units[place[0]]]
        if place[1:] in before.get(units[place[0]], ()):
            return value
        new = fact_of(value)
        old = known.get(place[1:])
        known[place[1:]] = new if old is None else old.joined(new)
        return value

    codes = {}
    methods = frozenset(name for unit in units for name in names_of_methods(unit.text))
    for number, unit in enumerate(units):
        tree = looking_up(
            _Telling(number).visit(row_by_row(ast.parse(texts[unit]), unit.globals, TRANSFORMS)), methods, unit.globals
        )
        tree = BoundedLoops().visit(tree) if texts[unit] != unit.text else tree  # NumPy stops one without an end, XLA none
        codes[unit] = unit.compiled(ast.fix_missing_locations(tree), "<jitmagic facts>")
    with contextlib.suppress(Exception, OutOfTime, Effect):  # what was told before it ended is known
        derived = Derived(first_by_jax=True)
        rebuilt = Rebuilt(codes, dict(imports), {_TELL: tell, BOUNDED: bounded_while_loop, **INSTEAD, **derived.instead()})
        made = rebuilt.handing_on(rebuilt.make(fun), (*args, *kwargs.values()))
        given, named = fresh(tuple(args)), fresh(dict(kwargs))
        try:
            if not uncompiled.can_run():
                raise NotImplementedError
            rerun(lambda: uncompiled.run(made, given, named, Deadline(seconds / 2)), seconds)
        except (Exception, OutOfTime) as error:
            if not _is_its_own(error):  # NumPy may not take what JAX does, or a loop of JAX's may be long
                try:
                    if isinstance(error, OutOfTime) and not any(map(_COMPILES.search, texts.values())):
                        raise  # JAX takes longer for rounds of Python's
                    rerun(lambda: made(*given, **named), seconds)
                except OutOfTime:  # a trace gets further, up to the first value that it needs
                    telling = traced
                    rerun(lambda: ArraysAlone(made, {}).trace(*given, **named), seconds)
    return {unit: {**traced[unit], **known} for unit, known in found.items()}


def _is_its_own(error: BaseException) -> bool:
    """Whether the code would fail with JAX as it did with NumPy: nothing of ours stood between the two. JAX would compile all
    that comes before, to say the same."""
    if isinstance(error, OutOfTime | AttributeError | NotImplementedError) or "_Tracer" in str(error):
        return False
    if type(error) is jax.errors.ConcretizationTypeError:
        return False  # what an array of JAX's has, and no tracer; the truth or number of one of ours is known
    ours = os.path.dirname(uncompiled.__file__)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return sum(frame.f_code.co_filename.startswith(ours) for frame in frames) == 1


def all_told(facts: Facts, texts: Mapping[Unit, str]) -> bool:
    """Whether every simple statement that reads a name was reached."""
    for unit, told in facts.items():
        lines = {line for place in told for line in range(place[0], place[2] + 1)}
        for node in ast.walk(ast.parse(texts.get(unit, unit.text))):
            if not isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
                continue
            reads = any(isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) for part in ast.walk(node))
            if reads and not lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)):
                return False
    return True


def fact_at(facts: Facts, unit: Unit, node: ast.expr) -> Fact | None:
    """The fact about one expression of a unit's text."""
    place = _place(node)
    return None if place is None else facts.get(unit, {}).get(place)
