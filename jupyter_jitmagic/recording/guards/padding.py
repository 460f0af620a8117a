"""Ever new sizes of an axis, padded: how many compiles that leaves, and how much of what is computed is padding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_jitmagic.recording.causes.leaves import Leaf
from jupyter_jitmagic.recording.causes.signatures import Signature

STEPS = (1, 2, 4)
"""Sizes between two powers of two that are padded to: the power itself, and one or three between."""


class Ladder(NamedTuple):
    """Padding with so many `steps` from one power of two to the next. `share`: padding to data, 0.59 for 59 %."""

    steps: int
    compiles: int
    share: float


def varying_axes(signatures: Sequence[Signature]) -> dict[str, set[int]]:
    """By path of a leaf, the axes whose size differs between calls that agree in rank."""
    shapes: dict[str, set[tuple[Any, ...]]] = {}
    for signature in signatures:
        for leaf in signature.leaves:
            shapes.setdefault(leaf.path, set()).add(leaf.shape)
    varying: dict[str, set[int]] = {}
    for path, seen in shapes.items():
        if len(seen) < 3 or len({len(shape) for shape in seen}) != 1:
            continue
        axes = {axis for axis, sizes in enumerate(zip(*seen, strict=True)) if len(set(sizes)) > 1}
        if axes and all(isinstance(size, int) for shape in seen for size in shape):
            varying[path] = axes
    return varying


def ladders(calls: Sequence[tuple[Signature, int]], axes: Mapping[str, set[int]]) -> tuple[int, tuple[Ladder, ...]]:
    """How many programs there were, and what each ladder would have left of them, the coarsest first.

    Args:
        calls: each signature that compiled, and how many calls used it.
        axes: what `varying_axes` found.

    Returns:
        No ladders where even the coarsest leaves more than half of the programs, or there is nothing to pad.
    """
    before = len({_shapes(signature, axes, 0) for signature, _ in calls})
    seen = sum(weight * _elements(signature, axes, 0) for signature, weight in calls)
    found: list[Ladder] = []
    for steps in STEPS:
        left = len({_shapes(signature, axes, steps) for signature, _ in calls})
        if not seen or (left > before / 2 and not found) or left >= before:
            break
        if not found or left > found[-1].compiles:
            padded = sum(weight * _elements(signature, axes, steps) for signature, weight in calls)
            found.append(Ladder(steps, left, padded / seen - 1))
    return before, tuple(found)


def rounded_up(size: int, steps: int) -> int:
    """The next size of a ladder; `steps` 0 leaves it as it is.

    Example:
        >>> [rounded_up(33, steps) for steps in (0, 1, 2, 4)]
        [33, 64, 48, 40]
    """
    if size <= 0 or not steps:
        return size
    power = 1 << (size.bit_length() - 1)
    step = max(1, power // steps)
    return power + -(-(size - power) // step) * step


def helper() -> str:
    """The function that pads an array to a power of two and says what of it is data."""
    return _HELPER


_HELPER = '''\
def padded(x, axis=0):
    """`x` with zeros up to the next power of two along `axis`, and which of that are data."""
    size = x.shape[axis]
    room = 1 << max(size - 1, 0).bit_length()
    widths = [(0, room - size if each == axis else 0) for each in range(x.ndim)]
    return jnp.pad(x, widths), jnp.arange(room) < size
'''


def _shapes(signature: Signature, axes: Mapping[str, set[int]], steps: int) -> tuple[Any, ...]:
    """The signature's key with these axes padded."""
    leaves = tuple(leaf._replace(aval="", shape=_padded(leaf, axes, steps)) for leaf in signature.leaves)
    return (leaves, signature.statics, signature.passed, signature.config, signature.transformation)


def _padded(leaf: Leaf, axes: Mapping[str, set[int]], steps: int) -> tuple[Any, ...]:
    chosen = axes.get(leaf.path, ())
    return tuple(rounded_up(size, steps) if axis in chosen else size for axis, size in enumerate(leaf.shape))


def _elements(signature: Signature, axes: Mapping[str, set[int]], steps: int) -> int:
    return sum(math.prod(_padded(leaf, axes, steps)) for leaf in signature.leaves if leaf.path in axes)
