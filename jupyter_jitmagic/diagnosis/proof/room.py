"""NumPy's own arrays in plain Python's runs: where data is their size, a varied input may ask for gigabytes, and one call of
NumPy's looks at no clock."""

from __future__ import annotations

import contextlib
import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from jupyter_jitmagic.sandbox.rerun import OutOfTime


class Room:
    """How many elements an array of NumPy's may have.

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
        """What the text calls in the places of NumPy's functions, by name."""
        return {name: self._bounded(make) for name, make in MAKERS.items()}

    def _bounded(self, make: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(make)
        def made(*args: Any, **kwargs: Any) -> Any:
            size = 0.0
            with contextlib.suppress(TypeError, ValueError, IndexError, ArithmeticError):  # NumPy says what is wrong with it
                size = max(_SIZES[make](*args, **kwargs), 0)
            if size > self._elements:
                raise OutOfTime
            if self._elements == math.inf:
                self.largest = max(self.largest, size)
            return make(*args, **kwargs)

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


_SIZES: Mapping[Callable[..., Any], Callable[..., float]] = MappingProxyType(
    {
        **dict.fromkeys((np.zeros, np.ones, np.empty, np.full), _of_shape),
        **dict.fromkeys((np.eye, np.tri), _of_table),
        np.identity: _of_square,
        np.arange: _of_range,
        np.linspace: _of_places,
    }
)
"""How many elements an array has that is asked for: of the arguments as NumPy takes them."""
MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType({f"__jitmagic_numpy_{each.__name__}__": each for each in _SIZES})
"""What makes arrays of a size that it is given, by what it is called in the text that is run."""
