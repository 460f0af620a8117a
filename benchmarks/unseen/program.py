"""What a family writes: a function, its parameters and what it gives; and the module made of it."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "floats", "ints", "labels", "counts", "bools", "float", "int", "whole", "size", "flag", "choice", "floats or none", "tree"
]
Gives = Literal["scalar", "count", "array", "ragged", "tuple"]
"""A float, an integer, an array whose shape the arguments' shapes decide, one whose shape their values decide, a tuple."""

HEADERS = {
    "jnp": "import jax.numpy as jnp",
    "jax": "import jax",
    "lax": "from jax import lax",
    "np": "import numpy as np",
    "math": "import math",
    "warnings": "import warnings",
    "functools": "import functools",
    "dataclasses": "import dataclasses",
    "NamedTuple": "from typing import NamedTuple",
    "gammaln": "from scipy.special import gammaln",
    "expit": "from scipy.special import expit",
    "logsumexp": "from scipy.special import logsumexp",
    "erf": "from scipy.special import erf",
    "norm": "from scipy.stats import norm",
    "stats": "from scipy import stats",
    "special": "from scipy import special",
    "lax_scan": "from jax.lax import scan",
    "deque": "from collections import deque",
}


@dataclass(frozen=True)
class Parameter:
    """An argument: what it holds, its sizes by name, and what its values look like.

    Attributes:
        kind: "float" and "int" are numbers that are data, "whole" ones that nobody gives as floats; "size", "flag" and "choice"
            decide a program and may be static; a "tree" holds others.
        shape: names of sizes, as ("n", "m").
        values: what to take values from, as "mixed", "positive", "missing" (some are NaN), or the values themselves.
        default: the text of its default, "" if it has none.
        fields: of a tree, what it holds.
        made_by: of a tree, the class that holds it, "" for a dict.
    """

    name: str
    kind: Kind
    shape: tuple[str, ...] = ()
    values: str | tuple[object, ...] = "mixed"
    default: str = ""
    fields: tuple[Parameter, ...] = ()
    made_by: str = ""

    @property
    def chooses(self) -> bool:
        """Whether it chooses a program: under jit it has to be static."""
        return self.kind in ("size", "flag", "choice")

    @property
    def may_be_static(self) -> bool:
        return self.chooses or self.kind in ("int", "whole")


@dataclass
class Draft:
    """A function as a family writes it. `body` lines are indented relative to the function."""

    name: str
    parameters: list[Parameter] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    gives: Gives = "scalar"
    helpers: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=lambda: {"jnp"})
    document: str = ""
    differentiable: bool = True

    def signature(self, first: str = "") -> str:
        written = [each.name + (f"={each.default}" if each.default else "") for each in self.parameters]
        return ", ".join([first, *written] if first else written)

    def text(self, first: str = "", begin: Sequence[str] = ()) -> str:
        """The function; `first` is its self, `begin` are lines before its own."""
        lines = [f'"""{self.document}"""'] if self.document else []
        body = textwrap.indent("\n".join([*lines, *begin, *self.body]), "    ")
        return f"def {self.name}({self.signature(first)}):\n{body}\n"

    def data(self) -> Parameter | None:
        """The array that the function is about, if it has one of floats."""
        return next((each for each in self.parameters if each.kind == "floats" and not each.default), None)


@dataclass(frozen=True)
class Call:
    """Arguments as text, and in a word what is special about them."""

    arguments: str
    about: str


@dataclass(frozen=True)
class Program:
    """A module with FUNCTION, PLAIN (what is true of it) and CALLS, as the cases of `tests/cases` have them."""

    family: str
    place: str
    number: int
    code: str
    function: str
    plain: str
    calls: tuple[Call, ...]
    parameters: tuple[Parameter, ...]
    gives: Gives

    @property
    def name(self) -> str:
        return f"{self.family}-{self.number}"

    def text(self) -> str:
        calls = "\n".join(f"    {call.arguments},  # {call.about}" for call in self.calls)
        return f'{self.code}\n\nFUNCTION = "{self.function}"\nPLAIN = "{self.plain}"\nCALLS = [\n{calls}\n]\n'


class Clash(Exception):
    """Two parameters would have one name: the program has to be written anew."""


class Writer:
    """Chance and a draft to write on."""

    def __init__(self, chance: random.Random, name: str = "") -> None:
        self.chance = chance
        self.draft = Draft(name)

    def pick(self, *options: str) -> str:
        return self.chance.choice(options)

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def take(
        self,
        name: str,
        kind: Kind,
        shape: tuple[str, ...] = (),
        values: str | tuple[object, ...] = "mixed",
        default: str = "",
    ) -> str:
        """Add a parameter; gives its name. One that is there already stays as it is."""
        before = next((each for each in self.draft.parameters if each.name == name), None)
        if before is None:
            self.draft.parameters.append(Parameter(name, kind, shape, values, default))
        elif (before.kind, before.shape) != (kind, shape):
            raise Clash(name)
        return name

    def use(self, *imports: str) -> None:
        self.draft.imports |= set(imports)

    def line(self, *lines: str) -> None:
        """Add lines, each dedented as a block."""
        for text in lines:
            self.draft.body += textwrap.dedent(text).strip("\n").split("\n")

    def remark(self, *options: str) -> None:
        """A comment, now and then."""
        if self.maybe(0.3):
            self.line(f"# {self.pick(*options)}")

    def end(self, gives: Gives, expression: str) -> Draft:
        self.line(f"return {expression}")
        self.draft.gives = gives
        return self.draft
