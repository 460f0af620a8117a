"""What one operation makes in plain Python's runs: where data is the size of NumPy's own arrays, of lists or of Python's whole
numbers (`math.factorial(n)`, `3**n`), a varied input may ask for gigabytes or hours, and no such operation looks at a clock."""

from __future__ import annotations

import ast
import contextlib
import functools
import math
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from jupyter_jitmagic.sandbox.rerun import OutOfTime
from jupyter_jitmagic.source.names import name_of


class Room:
    """How many elements an array or list may have that one operation makes; whole numbers are counted by `_of_bits`.

    Attributes:
        largest: how many the largest one had that was made without a bound, as in the call's own run.

    Example:
        >>> room = Room()
        >>> zeros = room.instead()["__jitmagic_numpy_zeros__"]
        >>> with room.of(10):
        ...     zeros((4, 4))
        Traceback (most recent call last):
        jupyter_jitmagic.sandbox.rerun.OutOfTime
    """

    def __init__(self) -> None:
        self.largest, self._elements = 0.0, math.inf

    @contextlib.contextmanager
    def of(self, elements: float) -> Iterator[None]:
        """No array has more, for a while."""
        before, self._elements = self._elements, elements
        try:
            yield
        finally:
            self._elements = before

    def instead(self) -> dict[str, Callable[..., Any]]:
        """What the text calls in the places of functions and operators, by name."""
        return {name: self._bounded(make) for name, make in {**MAKERS, **_BY_SYNTAX}.items()}

    def _bounded(self, make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            try:
                size = max(_SIZES[make](*args, **kwargs), 0)
            except OverflowError:
                size = math.inf
            except (TypeError, ValueError, IndexError, ArithmeticError):  # what is called says itself what is wrong
                size = 0
            if size > self._elements:
                raise OutOfTime
            result = make(*args, **kwargs)
            if self._elements == math.inf:
                self.largest = max(self.largest, size)
            return result

        return made


def _of_shape(shape: Any = (), *_: Any, **__: Any) -> float:
    sizes = [operator.index(each) for each in shape] if np.ndim(shape) or isinstance(shape, tuple) else [operator.index(shape)]
    return math.prod(sizes) if min(sizes, default=0) >= 0 else 0


def _of_table(N: Any = 0, M: Any = None, *_: Any, **__: Any) -> float:
    rows = operator.index(N)
    return rows * (rows if M is None else operator.index(M))


def _of_square(n: Any = 0, *_: Any, **__: Any) -> float:
    return float(operator.index(n) ** 2)


def _of_range(start: Any = 0, stop: Any = None, step: Any = 1, *_: Any, **__: Any) -> float:
    first, last = (0, start) if stop is None else (start, stop)
    return (float(last) - float(first)) / float(step)


def _of_places(start: Any, stop: Any, num: Any = 50, *_: Any, **__: Any) -> float:
    return operator.index(num) * max(np.size(start), np.size(stop))


def _of_bits(bits: float) -> float:
    """Digits cost more than elements: what multiplies two numbers of as many bits takes longer than in proportion."""
    return 16.0 * bits


def _of_factorial(n: Any) -> float:
    return _of_bits(operator.index(n) * operator.index(n).bit_length())


def _of_permutations(n: Any, k: Any = None) -> float:
    most = operator.index(n)
    chosen = most if k is None else operator.index(k)
    return _of_bits(chosen * most.bit_length()) if 0 < chosen <= most else 0


def _of_combinations(n: Any, k: Any) -> float:
    return _of_permutations(n, min(operator.index(k), operator.index(n) - operator.index(k)))


def _of_power(base: Any, exponent: Any, modulus: Any = None) -> float:
    if not isinstance(base, int) or not isinstance(exponent, int) or modulus is not None:
        return 0
    return _of_bits(exponent * base.bit_length()) if abs(base) > 1 else 0


def _of_shift(number: Any, places: Any) -> float:
    return _of_bits(places) if isinstance(number, int) and isinstance(places, int) else 0


def _of_copies(one: Any, other: Any) -> float:
    items, times = (one, other) if isinstance(one, list | tuple | str | bytes) else (other, one)
    return float(len(items) * operator.index(times))


def _of_all(*limits: Any) -> float:
    return float(len(range(*limits)))


def _of_product(*limits: Any) -> float:
    each = range(*limits)
    return _of_bits(len(each) * max(abs(each.start), abs(each.stop)).bit_length())


def _multiplied(*limits: Any) -> range:
    """A range whose numbers are multiplied."""
    return range(*limits)


_SIZES: Mapping[Callable[..., Any], Callable[..., float]] = MappingProxyType(
    {
        **dict.fromkeys((np.zeros, np.ones, np.empty, np.full), _of_shape),
        **dict.fromkeys((np.eye, np.tri), _of_table),
        np.identity: _of_square,
        np.arange: _of_range,
        np.linspace: _of_places,
        math.factorial: _of_factorial,
        math.perm: _of_permutations,
        math.comb: _of_combinations,
        **dict.fromkeys((operator.pow, operator.ipow, pow), _of_power),
        **dict.fromkeys((operator.lshift, operator.ilshift), _of_shift),
        operator.mul: _of_copies,
        range: _of_all,
        _multiplied: _of_product,
    }
)
"""How many elements has what is asked for: of the arguments as they are taken."""
MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {f"__jitmagic_{each.__module__}_{each.__name__}__": each for each in _SIZES if each.__module__ in ("numpy", "math")}
)
"""What makes arrays and numbers of a size that it is given, by what it is called in the text that is run."""
_BY_SYNTAX: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "__jitmagic_Pow__": operator.pow,
        "__jitmagic_Pow_in_place__": operator.ipow,
        "__jitmagic_LShift__": operator.lshift,
        "__jitmagic_LShift_in_place__": operator.ilshift,
        "__jitmagic_Mult__": operator.mul,
        "__jitmagic_pow__": pow,
        "__jitmagic_range__": range,
        "__jitmagic_multiplied__": _multiplied,
    }
)
_MULTIPLY = frozenset({"prod", "lcm"})
_TO_THE_END = _MULTIPLY | {"sum", "list", "tuple", "set", "frozenset", "sorted", "max", "min", "gcd", "array", "asarray"}
"""What reads all that it is given, and looks at no clock meanwhile."""
_ONE_BY_ONE = frozenset({"map", "enumerate", "reversed", "filter"})


def in_room(tree: ast.Module, names: Collection[str] = ()) -> ast.Module:
    """The text with what is bounded in the places of Python's own operators, and of ranges that one call reads to their end.
    `names`: the globals in which it runs.

    Example:
        >>> ast.unparse(in_room(ast.parse("3**n + sum(range(n)) + x**2")))
        '__jitmagic_Pow__(3, n) + sum(__jitmagic_range__(n)) + x ** 2'
    """
    own = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                own.add(name)
            case ast.alias(name=name, asname=other):
                own.add(other or name)
    changed: ast.Module = _InRoom({"pow", "range"}.difference(own, names)).visit(tree)
    return changed


class _InRoom(ast.NodeTransformer):
    def __init__(self, builtins: Collection[str]) -> None:
        self.builtins = builtins
        """Those that no name of the user's hides."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._bounded(node, node.op, node.left, node.right) or node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name) or isinstance(node.op, ast.Mult):
            return node
        value = self._bounded(node, node.op, ast.Name(node.target.id, ast.Load()), node.value, "_in_place")
        return ast.copy_location(ast.Assign([node.target], value), node) if value is not None else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        self._in_the_place_of("pow", node, "pow")
        for each in node.args if name_of(node) in _TO_THE_END else ():
            for given in _ranges(each):
                self._in_the_place_of("range", given, "multiplied" if name_of(node) in _MULTIPLY else "range")
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        self.generic_visit(node)
        for given in _ranges(node.value):
            self._in_the_place_of("range", given, "range")
        return node

    def _in_the_place_of(self, name: str, call: ast.expr, key: str) -> None:
        if name in self.builtins and isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name:
            call.func = _named(call.func, key)

    def _bounded(self, node: ast.AST, op: ast.operator, left: ast.expr, right: ast.expr, how: str = "") -> ast.expr | None:
        if isinstance(op, ast.Mult):
            is_asked = _is_display(left) or _is_display(right)
        else:
            is_asked = isinstance(op, ast.Pow | ast.LShift) and not isinstance(right, ast.Constant)
        name = type(op).__name__ + how
        return ast.copy_location(ast.Call(_named(node, name), [left, right], []), node) if is_asked else None


def _ranges(given: ast.expr) -> Iterator[ast.Call]:
    """The ranges that are read where something is: itself, starred, or what `map` and its like give one by one."""
    match given:
        case ast.Starred(value=value):
            yield from _ranges(value)
        case ast.Call(args=args) if name_of(given) in _ONE_BY_ONE:
            for each in args:
                yield from _ranges(each)
        case ast.Call():
            yield given


def _named(node: ast.AST, key: str) -> ast.Name:
    return ast.copy_location(ast.Name(f"__jitmagic_{key}__", ast.Load()), node)


def _is_display(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
