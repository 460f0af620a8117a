"""The traced arguments of a call in one short line, names first and large containers folded."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_jitmagic.recording.causes.leaves import Leaf
from jupyter_jitmagic.recording.causes.signatures import _BRACKETS, Node, Signature, _Budget, _leaf_count, _node_text

_UNFOLDED = 2
"""A container of so many leaves is shown as it is."""


def arguments_text(signature: Signature) -> str:
    """The arguments by name: those that fit first, then the folded ones.

    Example:
        >>> arguments_text(signature_of(step, (params, x, y), {}))
        'x f32[96,64] · y i32[96] · params {6}'
    """
    folded = {name for name, node in signature.structure if _leaf_count(node) > _UNFOLDED}
    texts = sorted(argument_texts(signature), key=lambda pair: pair[0] in folded)
    return " · ".join(f"{name} {text}" for name, text in texts)


def argument_texts(signature: Signature) -> list[tuple[str, str]]:
    """The traced arguments in their order, each by name and in short."""
    leaves = iter(signature.leaves)
    return [
        (name, _folded(node, leaves) if _leaf_count(node) > _UNFOLDED else _node_text(node, leaves, _Budget(_UNFOLDED)))
        for name, node in signature.structure
    ]


def _folded(node: Node | None, leaves: Iterator[Leaf]) -> str:
    """A container by its kind and the number of its leaves, as "{6}" or "TrainState(12)"."""
    count = _leaf_count(node)
    for _ in range(count):
        next(leaves)
    kind = node.kind if node is not None else ""
    left, right = _BRACKETS.get(kind, (f"{kind}(", ")"))
    return f"{left}{count}{right}"
