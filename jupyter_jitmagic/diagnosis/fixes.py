"""The numbered fixes of a diagnosis, in the order in which `%jitfix N` and every display count them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jupyter_jitmagic.diagnosis.types import Diagnosis, Rewrite

Proof = Literal["compared", "traced", "unverified"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One way out: arguments to make static, a rewrite, or both.

    The static arguments are all that are needed, those that the jit declares already included; none where it declares them all.
    `proof` is "compared" (run and equal to plain Python), "traced" (a static set, which changes nothing that is computed), or
    "unverified" (a rewrite that traces and was not compared).
    """

    number: int
    proof: Proof
    static_argnames: tuple[str, ...] = ()
    static_argnums: tuple[int, ...] = ()
    rewrite: Rewrite | None = None
    equations: int = 0
    """Of a program that is traced, and so large that compiling it may take minutes; else 0."""


def fixes(diagnosis: Diagnosis) -> list[Fix]:
    """Every fix, the proposed one first, those that were not compared last; empty if nothing cures it."""
    found: list[Fix] = []
    static = diagnosis.static_argnames, diagnosis.static_argnums
    if diagnosis.kind == "static" and any(static):
        found.append(Fix(1, "traced", *static, equations=diagnosis.equations))
    for rewrite in (*diagnosis.rewrites, *diagnosis.unverified):
        needed = static if diagnosis.kind == "static+rewrite" and not rewrite.static_argnames else (rewrite.static_argnames, ())
        proof: Proof = "compared" if rewrite.verified else "unverified"
        found.append(Fix(len(found) + 1, proof, *_lacking(needed, diagnosis), rewrite))
    return found


def _lacking(needed: tuple[tuple[str, ...], tuple[int, ...]], diagnosis: Diagnosis) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The static arguments that are needed; nothing if the jit declares them all."""
    names, numbers = needed
    there = set(names) <= set(diagnosis.declared_argnames) and set(numbers) <= set(diagnosis.declared_argnums)
    return ((), ()) if there else needed
