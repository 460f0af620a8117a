"""The numbered fixes of a diagnosis, in the order in which `%jitfix N` and every display count them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jupyter_jitmagic.diagnosis.types import Diagnosis, Rewrite

Proof = Literal["compared", "traced", "unverified"]


@dataclass(frozen=True, slots=True)
class Fix:
    """One way out: arguments to make static, a rewrite, or both; or a split, which is a rewrite with `pieces`.

    The static arguments are all that are needed, those that the jit declares already included; none where it declares them all.
    `proof` is "compared" (run and equal to plain Python), "traced" (static arguments of the function or of a jit in it, which
    change nothing that is computed), or "unverified" (a rewrite that traces and was not compared).
    """

    number: int
    proof: Proof
    static_argnames: tuple[str, ...] = ()
    static_argnums: tuple[int, ...] = ()
    rewrite: Rewrite | None = None
    equations: int = 0
    """Of a program that is traced, and so large that compiling it may take long; else 0."""
    undeclared: tuple[str, ...] = ()
    """Static arguments that the jit declares and must not."""


def fixes(diagnosis: Diagnosis) -> list[Fix]:
    """Every fix, the proposed one first, those that were not compared last; empty if nothing cures it. Static arguments come
    first, unless they make so large a program that compiling it may take long.

    A split that leaves hardly anything to compile comes after a rewrite that gives its caller more.
    """
    rewrites = (*diagnosis.rewrites, *diagnosis.classes, *diagnosis.splits, *diagnosis.unverified)
    every: list[Rewrite | None] = [*sorted(rewrites, key=_rank)]
    if diagnosis.kind == "static" and (diagnosis.static_argnames or diagnosis.static_argnums):
        smaller = [each for each in diagnosis.rewrites if each.verified] if diagnosis.equations else []
        every.insert(len(smaller), None)
    found: list[Fix] = []
    for number, rewrite in enumerate(every, 1):
        if rewrite is None:
            static = diagnosis.static_argnames, diagnosis.static_argnums
            found.append(Fix(number, "traced", *static, equations=diagnosis.equations, undeclared=diagnosis.undeclared))
        else:
            proof: Proof = "unverified" if not rewrite.verified else "compared" if rewrite.compared is not None else "traced"
            found.append(Fix(number, proof, *_lacking(_needed(rewrite, diagnosis), diagnosis), rewrite))
    return found


def _rank(rewrite: Rewrite) -> int:
    if rewrite.verified:
        return 2 if rewrite.slight else 0
    if rewrite.padded or rewrite.for_none:
        return 1
    return 4 if rewrite.pieces else 3  # a whole that is not compared is still more than pieces that are not


def _needed(rewrite: Rewrite, diagnosis: Diagnosis) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The static arguments beside a rewrite; none beside a split, whose pieces name their own."""
    if diagnosis.kind == "static+rewrite" and not rewrite.static_argnames and not rewrite.pieces:
        return diagnosis.static_argnames, diagnosis.static_argnums
    return rewrite.static_argnames, ()


def _lacking(needed: tuple[tuple[str, ...], tuple[int, ...]], diagnosis: Diagnosis) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The static arguments that are needed; nothing if the jit declares them all."""
    names, numbers = needed
    there = set(names) <= set(diagnosis.declared_argnames) and set(numbers) <= set(diagnosis.declared_argnums)
    return ((), ()) if there else needed
