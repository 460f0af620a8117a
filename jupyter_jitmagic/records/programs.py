"""A compiled program as plain text facts that mean the same in every process, and the first in which two programs differ.

JAX's cache key as `recording` holds it compares identities, too; what is sent to another process or kept in a file may not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    given: str = ""
    """Digest of what always makes another program: the function, types, placement, options, donation. What else differs (a
    static value, how an argument was passed) may come to the same."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "function": self.function,
            "facts": dict(self.facts),
            "digest": self.digest,
            "call_site": self.call_site,
            "given": self.given,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Program:
        facts = {str(name): str(value) for name, value in dict(given["facts"]).items()}
        texts = [str(given[name]) for name in ("digest", "call_site", "given")]
        return cls(str(given["function"]), facts, *texts)


def program_of(function: str, key: Any, donated: Sequence[str] = (), call_site: str = "", *, devices: bool = False) -> Program:
    """The program of a cache key (`recording.causes.signatures.Signature`).

    Args:
        function: its qualified name.
        key: the key; None where it is not known.
        donated: what the function donates.
        devices: the devices count by name; else only how many they are, as each process has its own.
    """
    leaves: dict[str, str] = {}
    calling: dict[str, str] = {}
    options: dict[str, str] = {}
    if key is not None:
        for leaf in key.leaves:
            leaves[leaf.path] = leaf.text
            if leaf.devices:
                several = "," in leaf.devices
                leaves[f"{leaf.path} on"] = leaf.devices if devices and several else _count(leaf.devices)
            for name in ("sharding", "layout", "typing"):
                if value := getattr(leaf, name, ""):
                    leaves[f"{leaf.path} {name}"] = value
        calling |= {name: _anywhere(text) for name, text in key.static.items()}
        calling |= {f"{name} passed": how for name, how in key.passed}
        calling["structure"] = _digest([_structure(node) for _, node in key.structure])
        options |= {name: _anywhere(value) for name, value in key.config if name not in _OWN_TO_EACH}
        if key.transformation:
            options["under"] = key.transformation
    if donated:
        options["donated"] = ", ".join(donated)
    facts = leaves | calling | options
    kept = dict(list(facts.items())[:MOST_FACTS])
    return Program(function, kept, _digest([function, facts]), call_site, _digest([function, leaves, options]))


def _anywhere(text: str) -> str:
    """A text without what differs from process to process: addresses, and the order in which a set shows its items."""
    text = re.sub(r"\b0x[0-9a-fA-F]+", "0x…", text)
    if "frozenset(" not in text:
        return text
    return re.sub(r"frozenset\(.*", "frozenset(…", text) if "…" in text else " ".join(sorted(re.findall(r"[^\s{}(),]+", text)))


def _structure(node: Any) -> Any:
    """A container of an argument without what only this process knows of it."""
    if node is None:
        return None
    metadata = [_anywhere(part.value.text) for part in node.metadata]
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


def told(who: str, program: Program, others: str, other: Program, verb: str = "compiled") -> str:
    """The difference in a line, as "process 3 compiled step for f32[31,8], the others for f32[32,8]: x"."""
    found = first_difference(program, other)
    name = short_name(program.function)
    if found is None:
        return f"{who} and {others} {verb} the same {name}"
    if not found.place:
        return f"{who} {verb} {name}, {others} {short_name(other.function)}"
    if found.place == "structure":
        return f"{who} {verb} {name} for another structure of its arguments than {others}"
    if found.one == found.other:
        return f"{who} {verb} {name} for other arguments than {others}, beyond the first {MOST_FACTS} places"
    if found.place in ("donated", "under") or " " in found.place or found.place.startswith("jax_"):
        return f"{who} {verb} {name} with {found.place} {found.one}, {others} with {found.other}"
    return f"{who} {verb} {name} for {found.one}, {others} for {found.other}: {found.place}"


class Differing(NamedTuple):
    """One function, and how some processes differ from most."""

    function: str
    differs: str
    who: str
    place: str = ""
    theirs: str = ""
    others: str = ""
    call_site: str = ""


def most(at: Mapping[Any, Program | None]) -> Program | None:
    """What most have; of equally many what the first has."""
    counts = Counter(_digest_of(program) for program in at.values())
    most = max(counts.values())
    return next(program for program in at.values() if counts[_digest_of(program)] == most)


def groups_of(odd: Mapping[Any, Program | None]) -> list[list[Any]]:
    groups: dict[str, list[Any]] = {}
    for who, program in odd.items():
        groups.setdefault(_digest_of(program), []).append(who)
    return list(groups.values())


def others_than(kind: str, everyone: Mapping[Any, Any], whos: Sequence[Any]) -> str:
    rest = [who for who in everyone if who not in whos]
    return "the others" if len(rest) != 1 else named(kind, rest)


def _digest_of(program: Program | None) -> str:
    return program.digest if program is not None else ""


def named(kind: str, numbers: Iterable[Any]) -> str:
    """As "process 3" or "processes 1, 2 and 5"."""
    each = [str(number) for number in numbers]
    if len(each) == 1:
        return f"{kind} {each[0]}"
    plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
    return f"{plural} {', '.join(each[:-1])} and {each[-1]}"
