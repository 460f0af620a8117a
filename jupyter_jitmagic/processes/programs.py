"""A compiled program as plain text facts that mean the same in every process, and the first in which two programs differ.

JAX's cache key as `recording` holds it compares identities, too; what is sent to another process or kept in a file may not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_jitmagic.base.wording import MISSING, short_name

MOST_FACTS = 400
"""Of a large tree the first so many are kept by name; the digest is of all."""
_OWN_TO_EACH = ("jax_default_device",)
"""Options that are rightly another thing in each process."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the function, and what it was compiled for, by place, as {"x": "f32[32,8]", "n": "5"}."""

    function: str
    facts: Mapping[str, str]
    digest: str
    call_site: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"function": self.function, "facts": dict(self.facts), "digest": self.digest, "call_site": self.call_site}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Program:
        facts = {str(name): str(value) for name, value in dict(given["facts"]).items()}
        return cls(str(given["function"]), facts, str(given["digest"]), str(given.get("call_site", "")))


def program_of(function: str, key: Any, donated: Sequence[str] = (), call_site: str = "", *, devices: bool = False) -> Program:
    """The program of a cache key (`recording.causes.signatures.Signature`).

    Args:
        function: its qualified name.
        key: the key; None where it is not known.
        donated: what the function donates.
        devices: the devices count by name; else only how many they are, as each process has its own.
    """
    facts: dict[str, str] = {}
    if key is not None:
        for leaf in key.leaves:
            facts[leaf.path] = leaf.text
            if leaf.devices:
                several = "," in leaf.devices
                facts[f"{leaf.path} on"] = leaf.devices if devices and several else _count(leaf.devices)
            for name in ("sharding", "layout", "typing"):
                if value := getattr(leaf, name, ""):
                    facts[f"{leaf.path} {name}"] = value
        facts |= key.static
        facts |= {f"{name} passed": how for name, how in key.passed}
        facts |= {name: value for name, value in key.config if name not in _OWN_TO_EACH}
        facts["structure"] = _digest([_structure(node) for _, node in key.structure])
        if key.transformation:
            facts["under"] = key.transformation
    if donated:
        facts["donated"] = ", ".join(donated)
    digest = _digest([function, facts])
    kept = dict(list(facts.items())[:MOST_FACTS])
    return Program(function, kept, digest, call_site)


def _structure(node: Any) -> Any:
    """A container of an argument without what only this process knows of it."""
    if node is None:
        return None
    metadata = [part.value.text for part in node.metadata]
    return [node.kind, list(node.keys), metadata, [_structure(child) for child in node.children]]


def _count(devices: str) -> str:
    count = devices.count(",") + 1
    return "one device" if count == 1 else f"{count} devices"


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """The first fact in which two programs differ. `place` is empty where the functions do."""

    place: str
    one: str
    other: str


def first_difference(one: Program, other: Program) -> Difference | None:
    """The first difference; None if they are the same program."""
    if one.digest == other.digest:
        return None
    if one.function != other.function:
        return Difference("", one.function, other.function)
    order = list(dict.fromkeys((*one.facts, *other.facts)))
    order.sort(key=lambda place: place == "structure")  # what it consists of says more
    for place in order:
        mine, theirs = one.facts.get(place, MISSING), other.facts.get(place, MISSING)
        if mine != theirs:
            return Difference(place, mine, theirs)
    return Difference("something that is not kept", MISSING, MISSING)


def told(who: str, program: Program, others: str, other: Program) -> str:
    """The difference in a line, as "process 3 compiled step for f32[31,8], the others for f32[32,8]: x"."""
    found = first_difference(program, other)
    name = short_name(program.function)
    if found is None:
        return f"{who} and {others} compiled the same {name}"
    if not found.place:
        return f"{who} compiled {name}, {others} {short_name(other.function)}"
    if found.place == "structure":
        return f"{who} compiled {name} for another structure of its arguments than {others}"
    if found.one == found.other:
        return f"{who} compiled {name} for other arguments than {others}, beyond the first {MOST_FACTS} places"
    if found.place in ("donated", "under") or " " in found.place or found.place.startswith("jax_"):
        return f"{who} compiled {name} with {found.place} {found.one}, {others} with {found.other}"
    return f"{who} compiled {name} for {found.one}, {others} for {found.other}: {found.place}"


def named(kind: str, numbers: Iterable[Any]) -> str:
    """As "process 3" or "processes 1, 2 and 5"."""
    each = [str(number) for number in numbers]
    if len(each) == 1:
        return f"{kind} {each[0]}"
    plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
    return f"{plural} {', '.join(each[:-1])} and {each[-1]}"
