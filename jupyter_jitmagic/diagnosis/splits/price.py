"""What a split costs, measured while it is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import jax

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.compiling import soon
from jupyter_jitmagic.diagnosis.splits.cutting import Piece
from jupyter_jitmagic.diagnosis.splits.program import Program

CALLS_TIMED = 20


class Prices:
    """The pieces under jit; notes how they are called. `listed`: arguments of which tuples are made, static in the pieces.

    Attributes:
        callables: what stands in the pieces' places, by name.
        known: what is called from now on has other sizes anyway, and tells nothing.
    """

    def __init__(self, program: Program, filtering: bool, listed: Collection[str] = ()) -> None:
        self.program, self.listed = program, listed
        self.known = False
        self._args: dict[str, tuple[Any, ...]] = {}
        self._trees: dict[str, dict[str, set[Any]]] = {piece.name: {} for piece in program.pieces}
        self._shapes: dict[str, dict[str, set[Any]]] = {piece.name: {} for piece in program.pieces}
        self._jitted: dict[str, Callable[..., Any]] = {}
        for piece in program.pieces:
            function = program.functions[piece.name]
            static = program.static.get(piece.key, ())
            if filtering:
                import equinox

                self._jitted[piece.name] = equinox.filter_jit(function)
            else:
                self._jitted[piece.name] = jax.jit(function, static_argnames=static or None, compiler_options=soon())
        self.callables = {piece.name: self._noting(piece) for piece in program.pieces}

    def _noting(self, piece: Piece) -> Callable[..., Any]:
        jitted, name = self._jitted[piece.name], piece.name

        def call(*args: Any) -> Any:
            self._args.setdefault(name, args)
            for given, arg in zip(piece.inputs, args, strict=True) if not self.known else ():
                leaves, tree = jax.tree_util.tree_flatten(arg)
                self._trees[name].setdefault(given, set()).add(tree)
                self._shapes[name].setdefault(given, set()).add(tuple(attribute(leaf, "shape", ()) for leaf in leaves))
            return jitted(*args)

        return call

    def settle(self) -> None:
        """What is called from now on has other sizes anyway."""
        self.known = True

    def words(self, function: str) -> str:
        """The price in a sentence or two."""
        names = [piece.name for piece in self.program.pieces]
        parts = [f"`{function}` is plain Python then, and not to be put under jit itself"]
        for piece in self.program.pieces:
            for again in self._again(piece):
                parts.append(f"`{piece.name}` compiles again for each {again}")
        if self.listed:  # tuples are compared by ==, where jit tells a static 1 from 1.0
            parts.append("values in it that are equal, as 1, 1.0 and True, share what is compiled")
        if len(names) > 1 and (cost := self._dispatch()):
            parts.append(f"one more dispatch costs about {cost}")
        return "; ".join(parts) + "."

    def _again(self, piece: Piece) -> list[str]:
        """Of what each new one compiles a piece again: values that are static there, and what was seen to change."""
        own = {*self.program.cut.parameters} - {*self.listed}  # of the function's own static arguments it is said elsewhere
        static = [name for name in self.program.static.get(piece.key, ()) if name not in own]
        trees = [name for name, seen in self._trees[piece.name].items() if len(seen) > 1 and name not in static]
        sizes = [name for name, seen in self._shapes[piece.name].items() if len(seen) > 1 and name not in (*static, *trees)]
        every = (("value", static), ("structure", trees), ("size", sizes))
        return [f"{what} of {', '.join(f'`{name}`' for name in names)}" for what, names in every if names]

    def _dispatch(self) -> str:
        """What one call of a jitted function with a piece's arguments takes that does nothing, as a text; "" if unknown."""
        name, args = next(reversed(self._args.items()), ("", ()))
        leaves = [leaf for leaf in jax.tree_util.tree_leaves(args) if isinstance(leaf, jax.Array)]
        if not name or not leaves:
            return ""
        nothing = jax.jit(lambda *values: values[0])
        nothing(*leaves)
        times = []
        for _ in range(CALLS_TIMED):
            begin = time.perf_counter()
            nothing(*leaves)
            times.append(time.perf_counter() - begin)
        return f"{max(1, round(min(times) * 1e6))} µs"
