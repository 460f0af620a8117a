"""Paths of arguments and of what is in them: "cfg", "cfg.rate", "p['w'][0]", "args[1]"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile

FEW = 4  # paths that are read one by one
_STEP = re.compile(r"^[^.\[]+|\.[^.\[]+|\[[^\]]*\]")


def is_part(path: str, whole: str) -> bool:
    """Whether `path` is `whole` or leads on from it: "n.rate" from "n"; "nn" does not."""
    return path == whole or path.startswith((f"{whole}[", f"{whole}."))


def root(path: str) -> str:
    """The argument that a path begins with: "state" of "state.params['w']"."""
    found = _STEP.match(path)
    return found[0] if found else path


def summed_up(paths: Iterable[str], texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """(path, its text in `texts`, "" without one); where there are many, those of one argument become one.

    Example:
        >>> summed_up([f"state.params['w{k}']" for k in range(38)], {})
        [('state.params', '38 leaves')]
    """
    every = list(paths)
    if len(every) <= FEW:
        return [(path, texts.get(path, "")) for path in every]
    groups: dict[str, list[str]] = {}
    for path in every:
        groups.setdefault(root(path), []).append(path)
    return [
        (group[0], texts.get(group[0], "")) if len(group) == 1 else (_holder(group), f"{len(group)} leaves")
        for group in groups.values()
    ]


def _holder(paths: list[str]) -> str:
    """The longest path that leads to all of these."""
    steps = [_STEP.findall(path) if "".join(_STEP.findall(path)) == path else [path] for path in paths]
    return "".join(step[0] for step in takewhile(lambda each: len(set(each)) == 1, zip(*steps, strict=False))) or root(paths[0])
