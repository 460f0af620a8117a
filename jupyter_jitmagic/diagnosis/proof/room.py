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

_NAMES = ("zeros", "ones", "empty", "full", "eye", "identity", "tri", "arange", "linspace")
MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {f"__jitmagic_numpy_{name}__": getattr(np, name) for name in _NAMES}
)
"""What makes arrays of a size that it is given, by what it is called in the text that is run."""


class Room:
    """How many elements an array of NumPy's may have.

    Example:
        >>> room = Room()
        >>> zeros = room.instead()["__jitmagic_numpy_zeros__"]
        >>> with room.of(10):
        ...     zeros((4, 4))
        Traceback (most recent call last):
        jupyter_jitmagic.sandbox.rerun.OutOfTime
    """

    def __init__(self) -> None:
        self._elements = math.inf

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
            if self._elements < math.inf:
                with contextlib.suppress(TypeError, ValueError, IndexError):  # NumPy says what is wrong with it
                    if _size(make, args, kwargs) > self._elements:
                        raise OutOfTime
            return make(*args, **kwargs)

        return made


def _size(make: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> float:
    """How many elements the array has that is asked for."""
    if make is np.arange:
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args[:2], args[2] if len(args) > 2 else 1)
        return max(0.0, (float(stop) - float(start)) / float(step))
    if make is np.linspace:
        return operator.index(args[2] if len(args) > 2 else kwargs.get("num", 50))
    if make in (np.eye, np.identity, np.tri):
        rows = operator.index(args[0] if args else kwargs["N"])
        columns = args[1] if len(args) > 1 else kwargs.get("M")
        return rows * (rows if columns is None or make is np.identity else operator.index(columns))
    shape = args[0] if args else kwargs.get("shape", ())
    return math.prod(map(operator.index, shape)) if isinstance(shape, tuple | list) else operator.index(shape)
