"""What people write, a family a module; each has ``write(writer, names)``, which gives a draft."""

from __future__ import annotations

from collections.abc import Callable

from ..program import Draft, Writer
from ..vocabulary import Names
from . import (
    backwards,
    branches,
    builtins,
    exits,
    filled,
    groups,
    habits,
    lengths,
    loops,
    machines,
    notebooks,
    objects,
    optional,
    pairs,
    policies,
    recursion,
    scripts,
    selections,
    sizes,
    structures,
    studies,
    tables,
    training,
    updates,
    windows,
)

FAMILIES: dict[str, Callable[[Writer, Names], Draft]] = {
    "lengths": lengths.write,
    "branches": branches.write,
    "optional": optional.write,
    "loops": loops.write,
    "recursion": recursion.write,
    "windows": windows.write,
    "sizes": sizes.write,
    "objects": objects.write,
    "updates": updates.write,
    "groups": groups.write,
    "tables": tables.write,
    "exits": exits.write,
    "backwards": backwards.write,
    "builtins": builtins.write,
    "filled": filled.write,
    "machines": machines.write,
    "structures": structures.write,
    "selections": selections.write,
    "habits": habits.write,
    "training": training.write,
    "studies": studies.write,
    "notebooks": notebooks.write,
    "policies": policies.write,
    "scripts": scripts.write,
    "pairs": pairs.write,
}
LATER = (
    "updates",
    "groups",
    "tables",
    "exits",
    "backwards",
    "builtins",
    "selections",
    "habits",
    "training",
    "studies",
    "notebooks",
    "policies",
    "scripts",
    "pairs",
)
"""Families that came later, which stand in more places and are called in more ways."""
SHARES = [
    "lengths",
    "lengths",
    "branches",
    "branches",
    "optional",
    "loops",
    "loops",
    "windows",
    "sizes",
    "objects",
    "recursion",
    "lengths",
    *LATER,
    *LATER,
    "filled",
]
"""The families in the order in which programs are drawn from them."""
