"""What a diagnosis says, as plain data. A leaf: imports nothing of ours.

The names and meanings of `Diagnosis`, `Site` and `Rewrite` are the public contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["traces", "static", "rewrite", "static+rewrite", "not_staticness"]

FILTER_JIT = "filter_jit"
"""The pattern of a rewrite that puts equinox's jit in the place of JAX's."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place where Python needed the value of a traced argument (a concretization site).

    Attributes:
        filename, line: where it is, as tracebacks name it (a cell has IPython's file name).
        code: that physical line, stripped, comment included.
        operation: what Python did there: "if", "while", "assert", "bool", "range", "int", "float", "index", "slice", "shape",
            "mask", "flags", "numpy", "math", "item", "format", "in", "static parameter", "invalid argument", ...
        arguments: paths in the jitted function's own parameters, as "x", "cfg['n']", "params[0].w".
        detail: half a sentence in JAX's words, as "decides a shape".
        column, end_line, end_column: the expression within the source (0-based columns in characters, as `ast`), or None.
        function: the name of the function in which it stands.
        proven: seen by running the function, not concluded from an error's text.
        values: short form of each argument named, as "f32[4]" or "5".
    """

    filename: str
    line: int
    code: str
    operation: str
    arguments: tuple[str, ...] = ()
    detail: str = ""
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    function: str = ""
    proven: bool = True
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One edit of a rewrite: where, and by which pattern ("where", "cond", "fori_loop", "size=", "jnp", ...)."""

    filename: str
    line: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a rewrite was compared with the plain function: on how many inputs, and which branches were reached.

    Attributes:
        inputs: the number of inputs on which results (structure, shapes, dtypes, values) were equal.
        branches: what was taken there ("both branches", "0, 1 and 7 iterations").
        not_reached: what no input reached.
        differences: where the rewrite is known to give something else, a sentence each.
        beside: what it was compared with; not plain Python where that refuses the call, as it sets elements of JAX's arrays.
    """

    inputs: int = 0
    branches: str = ""
    not_reached: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    beside: str = "plain Python"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A changed source that traces, was run compiled, and gave the plain function's results.

    Attributes:
        sources: for each name at module or class level, the whole top-level statement that replaces it in its own globals.
        source: the function's own new source, or the first of `sources`.
        changes: what was changed where.
        diff: unified diff of all sources.
        compared: on how many inputs, which branches; None if it was only traced.
        verified: it was re-traced, run compiled and compared.
        reason: why it could not be compared, if it was not.
        static_argnames: the static arguments that it needs beside the rewrite.
        filenames: for each of `sources` the file in which the old statement stands.
        pieces: of a split, the functions under jit that `sources` define beside the function, which itself is not any more.
        price: of a split, what it costs, as far as it was measured.
        slight: of a split, that hardly anything is left to compile, or that a piece is compiled in each round of a loop.
        padded: not verified only because its caller gets more: whole arrays, and how many of their elements plain Python gives.
        for_none: not verified only because its caller gets a number where plain Python returns None.
    """

    sources: dict[str, str]
    source: str
    changes: tuple[Change, ...]
    diff: str
    compared: Comparison | None = None
    verified: bool = False
    reason: str = ""
    static_argnames: tuple[str, ...] = ()
    filenames: dict[str, str] = field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    price: str = ""
    slight: bool = False
    padded: bool = False
    for_none: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns used, each once, in order."""
        return tuple(dict.fromkeys(change.pattern for change in self.changes))

    @property
    def brings_its_jit(self) -> bool:
        """Whether no other jit may stand over the function any more: it is in pieces, or under a library's own jit."""
        return bool(self.pieces) or FILTER_JIT in self.patterns

    @property
    def is_rolled(self) -> bool:
        """Whether the rounds of a loop are compiled once, and not each for itself."""
        return not {"fori_loop", "while_loop", "scan", "vmap", "map"}.isdisjoint(self.patterns)


@dataclass(frozen=True, slots=True)
class Found:
    """What one run over the function found.

    Attributes:
        sites: one for each expression, in the order met; several may share a line.
        observed: for each site the values that Python got there, in order (bools of an `if`, ints of a `range`; at most 100).
        roots: for each site the parameters ("n", "args[1]") that its value was computed from.
        numbers: for each site whether its value came from Python numbers by Python's own arithmetic alone, so that static
            arguments would cure it.
        error: what ended the run, if plain Python would meet it as well.
        complete: the run came to the function's end.
        proven: the function was run; False if errors' texts had to do.
        effect: what the run was about to do that cannot be taken back, and so ended there.
        shapes: the shapes of all that was computed under jit, in the order in which they were first met, and of the
            result.
    """

    sites: tuple[Site, ...] = ()
    observed: tuple[tuple[Any, ...], ...] = ()
    roots: tuple[frozenset[str], ...] = ()
    numbers: tuple[bool, ...] = ()
    error: BaseException | None = None
    complete: bool = False
    proven: bool = True
    effect: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()

    def has_other_shapes(self, other: Found) -> bool:
        """Whether the two runs computed arrays of different shapes, as far as both came, in whatever order."""
        both = None if self.complete and other.complete else min(len(self.shapes), len(other.shapes))
        return set(self.shapes[:both]) != set(other.shapes[:both])


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was concluded from one call: why it does not trace, and what cures it. ``print`` shows it as text.

    Attributes:
        function: its qualified name.
        kind: "traces"; "static", "rewrite" or "static+rewrite": what cures the call; "not_staticness": it fails for another
            reason, or the reason is unknown (`reason` says which).
        static_argnames, static_argnums: the smallest verified static set; numbers for what has no name to give.
        sites: every place that needed a traced argument's value, in the order met, one for each line.
        rewrites: those that were run and equal to plain Python, best first; each cures all that the static arguments leave.
        unverified: rewrites that only trace, or give the caller something else, with the reason.
        splits: where no rewrite was found: the function in pieces under jit, around the lines that plain Python alone can run.
        classes: where no rewrite was found: the class of an argument with fields static with which the call was traced. Its
            objects are to be made anew.
        partial: where nothing cures every place: edits that cure some, and give plain Python's results; `reason` says what is
            left.
        sizes_to_give: where no rewrite was found: (parameter, value) of those that the call leaves out and plain Python works
            out of its data. With these given, and static beside `static_argnames`, the call traces.
        runs_plainly: plain Python was seen to run this call; asked only where nothing else cures it.
        stopped: the search came to its time limit: what cures the call may not have been found.
        verified: the proposed answer was traced again and, if a rewrite is part of it, compared.
        reason: one or two plain sentences.
        notes: what is to be known beside it, a sentence each.
        error: what the trace raised: type and message.
        seconds: what the diagnosis took, by the wall clock.
        declared_argnames, declared_argnums: what the jit declares static already; the static set holds it as well.
        undeclared: what the jit declares static and cannot be, as arrays: `static_argnames` is to stand there without it.
        jit: the jit that takes the static arguments, as the user spells it where it is a library's own (``nnx.jit``).
        equations: of the program with `static_argnames`, where it is so large that compiling it may take minutes, or takes long
            beside a rewrite that compiles its rounds once; else 0.

    Example:
        >>> d = jm.diagnose(conditional_double, jnp.asarray(3.0), 2.0)
        >>> d.kind, d.rewrites[0].changes[0].pattern
        ('rewrite', 'where')
    """

    function: str
    kind: Kind
    static_argnames: tuple[str, ...] = ()
    static_argnums: tuple[int, ...] = ()
    sites: tuple[Site, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    unverified: tuple[Rewrite, ...] = ()
    splits: tuple[Rewrite, ...] = ()
    classes: tuple[Rewrite, ...] = ()
    partial: tuple[Rewrite, ...] = ()
    sizes_to_give: tuple[tuple[str, int], ...] = ()
    runs_plainly: bool = False
    stopped: bool = False
    verified: bool = False
    reason: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0
    declared_argnames: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    jit: str = "jax.jit"
    declared_argnums: tuple[int, ...] = ()
    equations: int = 0

    def __str__(self) -> str:
        """The answer as a terminal shows it."""
        return as_text(self)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able dicts, lists, strings and numbers."""
        from dataclasses import asdict

        plain: dict[str, Any] = _jsonable(asdict(self))
        return plain


as_text: Callable[[Diagnosis], str] = repr
"""How an answer is written; whoever knows displays puts another in its place."""


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return value
