"""Calls of a program: the first, and others of every kind that the answer has to serve."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .program import Call, Parameter

FIRST = {"n": 6, "m": 3, "k": 4}
OTHER_SIZES = ({"n": 9, "m": 4, "k": 4}, {"n": 1, "m": 3, "k": 4}, {"n": 3, "m": 3, "k": 4})
EXACT = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0]
POOLS: dict[str, list[object]] = {
    "mixed": [-2.0, -1.25, -0.5, 0.25, 0.75, 1.5, 2.0, 3.0, 0.1, -0.3, 0.0],
    "positive": [0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0, 0.3, 0.7],
    "missing": [-1.0, 0.5, 1.25, 2.0, 3.0, 0.75, float("nan")],
    "share": [0.1, 0.25, 0.5, 0.6, 0.75, 0.9],
    "limit": [0.5, 0.0, -0.75, 1.0, 2.5, -3.0, 5.0],
    "small": [0, 1, 2, 3],
    "sizes": [2, 3, 1, 4],
    "places": [1, 0, 2, 4, 3],
    "window": [2, 0, 1, 5, 4],
    "tolerance": [0.01, 0.5, 0.1],
}


@dataclass(frozen=True)
class Style:
    """How numbers are given in a call."""

    array: bool = False
    other_kind: bool = False
    dtype: str = ""
    """Of arrays of floats, where it is another."""


def calls(
    parameters: Sequence[Parameter],
    chance: random.Random,
    widely: bool = False,
    manner: Callable[[list[Parameter], random.Random], Calls] | None = None,
) -> tuple[Call, ...]:
    """The first call and others; the same for the same chance. `widely`: some in half precision, as integers, by name;
    `manner`: a class of Calls."""
    writer = (manner or Calls)(list(parameters), chance)
    if widely:
        writer.dtype = chance.choice(("float16", "bfloat16", "int32", *[""] * 12))
        writer.by_name = chance.random() < 0.15
    return tuple(writer.all())


class Calls:
    """Small arrays, and every kind of call."""

    def __init__(self, parameters: list[Parameter], chance: random.Random) -> None:
        self.parameters, self.chance = parameters, chance
        self.arrays_first = chance.random() < 0.5
        self.held: dict[str, str] = {}
        """Values that stay from call to call: what may be static is changed in calls of its own."""
        self.left_out = {each.name for each in parameters if each.default and chance.random() < 0.7}
        self.every = [field for each in parameters for field in (each.fields or (each,))]
        self.dtype = ""
        self.by_name = False
        self.pool: tuple[object, ...] = ()
        self.far: dict[str, object] = {}

    def all(self) -> list[Call]:
        style = Style(array=self.arrays_first, dtype=self.dtype)
        first = self.call("first", FIRST, style)
        found = [first]
        found += [self.call("other values", FIRST, style) for _ in range(5)]
        found += [self.call(f"lengths {_words(sizes)}", sizes, style) for sizes in OTHER_SIZES if self.has_sizes()]
        if any(each.kind in ("float", "int", "floats") for each in self.every):
            found += [self.call("int for float and float for int", FIRST, replace(style, other_kind=True)) for _ in range(6)]
            found.append(
                self.call(
                    "numbers as arrays" if not style.array else "Python numbers", FIRST, replace(style, array=not style.array)
                )
            )
        for each in self.parameters:
            if each.default:
                found += self.defaults(each, style)
            elif each.chooses:
                kept = self.held.pop(each.name)
                found.append(self.call(f"another {each.name}", FIRST, style, unlike={each.name: kept}))
                self.held[each.name] = kept
        return once([*found, *self.edges(first, style)])

    def edges(self, first: Call, style: Style) -> Iterator[Call]:
        """Values at the edges: NaN, infinities, ties, bounds beyond everything, no rounds."""
        self.chance = random.Random(first.arguments)
        arrays = [each for each in self.every if each.kind == "floats"]
        if arrays and style.dtype != "int32":
            yield self.call("NaN among the values", FIRST, style, pool=(-1.0, 0.5, float("nan"), float("nan"), 2.0))
            yield self.call("infinities", FIRST, style, pool=(-1.0, 0.5, float("inf"), float("-inf"), 2.0, 3.0, 0.0))
        if arrays:
            yield self.call("ties", FIRST, style, pool=(1.0, 2.0, 2.0))
            yield self.call("zeros", FIRST, style, pool=(0.0,))
        for each in self.every:
            if each.kind == "float" and each.values == "limit" and each.name not in self.left_out:
                for beyond in (99.0, -99.0):
                    yield self.call("a bound beyond everything", FIRST, style, far={each.name: beyond})
            if each.kind in ("int", "whole"):
                yield self.call("0 rounds", FIRST, style, far={each.name: 0})

    def has_sizes(self) -> bool:
        return any(each.shape for each in self.every)

    def defaults(self, each: Parameter, style: Style, sizes: dict[str, int] = FIRST) -> list[Call]:
        before = set(self.left_out)
        self.left_out = before - {each.name}
        given = self.call(f"{each.name} given", sizes, style)
        out = [given]
        if each.default == "None":
            out.append(self.call(f"{each.name} is None", sizes, style, fixed={each.name: "None"}))
        self.left_out = before | {each.name}
        out.append(self.call(f"{each.name} left out", sizes, style))
        self.left_out = before
        return out

    def call(
        self,
        about: str,
        sizes: dict[str, int],
        style: Style,
        fixed: dict[str, str] | None = None,
        unlike: dict[str, str] | None = None,
        pool: tuple[object, ...] = (),
        far: dict[str, object] | None = None,
    ) -> Call:
        self.pool, self.far = pool, far or {}
        positional: list[str] = []
        named: list[str] = []
        for each in self.parameters:
            if each.name in self.left_out and each.name not in (fixed or {}):
                continue
            text = (fixed or {}).get(each.name) or self.value(each, sizes, style, (unlike or {}).get(each.name, ""))
            if (
                (each.default and (named or len(positional) < self.parameters.index(each) or self.chance.random() < 0.6))
                or named
                or self.by_name
            ):
                named.append(f'"{each.name}": {text}')
            else:
                positional.append(text)
        comma = "," if len(positional) == 1 else ""
        return Call(f"(({', '.join(positional)}{comma}), {{{', '.join(named)}}})", about)

    def value(self, each: Parameter, sizes: dict[str, int], style: Style, unlike: str) -> str:
        if each.kind == "tree":
            return self.tree(each, {field.name: self.value(field, sizes, style, "") for field in each.fields})
        if each.name in self.far:
            return self.number(each, self.far[each.name], style)
        pool = list(POOLS[each.values]) if isinstance(each.values, str) else list(each.values)
        if each.chooses:
            pool = [False, True] if each.kind == "flag" else POOLS["sizes"] if each.values == "mixed" else pool
            if each.name not in self.held:
                texts = [repr(value) for value in pool if repr(value) != unlike]
                self.held[each.name] = self.chance.choice(texts)
                if unlike:
                    return self.held.pop(each.name)
            return self.held[each.name]
        if each.kind in ("float", "int", "whole"):
            if each.values == "tolerance" or each.kind == "whole":
                style = replace(style, other_kind=False)  # a tolerance as an integer is 0, which no iteration meets
            return self.number(each, self.chance.choice(pool), style)
        shape = [sizes[size] if size in sizes else int(size) for size in each.shape]
        return self.array(each, pool, shape, style)

    def tree(self, each: Parameter, texts: dict[str, str]) -> str:
        if each.made_by:
            return f"{each.made_by}({', '.join(f'{name}={text}' for name, text in texts.items())})"
        return "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"

    def array(self, each: Parameter, pool: list[object], shape: list[int], style: Style) -> str:
        if each.kind == "bools":
            pool = [True, False]
        elif each.kind in ("labels", "counts"):
            pool = [0, 1, 2] if each.kind == "labels" else [0, 1, 2, 3]
        elif each.kind == "ints" and each.values == "mixed":
            pool = [-2, -1, 0, 1, 2, 3, 5]
        if self.pool and each.kind == "floats":
            pool = [value for value in self.pool if each.values != "positive" or not float(str(value)) <= 0] or pool
        whole = (
            (style.other_kind or style.dtype == "int32")
            and each.kind == "floats"
            and each.values in ("mixed", "positive", "limit")
        )
        if whole:
            pool = [1, 2, 3, 4] if each.values == "positive" else [-2, -1, 0, 1, 2, 3]

        fits = whole or style.dtype != "int32"  # NaN and shares are no integers
        of = f", dtype=jnp.{style.dtype}" if style.dtype and fits and each.kind == "floats" and not style.other_kind else ""
        return f"jnp.array({self.elements(each, pool, shape)}{of})"

    def elements(self, each: Parameter, pool: list[object], shape: list[int]) -> str:
        """An array's elements, drawn from the pool."""

        def nested(sizes: list[int]) -> str:
            if not sizes:
                return element(self.chance.choice(pool))
            return "[" + ", ".join(nested(sizes[1:]) for _ in range(sizes[0])) + "]"

        return nested(shape)

    def number(self, each: Parameter, value: object, style: Style) -> str:
        """A single number as text."""
        is_float = each.kind == "float"
        if style.other_kind and is_float:
            value = round(float(str(value)))
        elif style.other_kind or is_float:
            value = float(str(value))
        return f"jnp.array({value!r})" if style.array else repr(value)


def element(value: object) -> str:
    """A number as text."""
    return {"nan": "jnp.nan", "inf": "jnp.inf", "-inf": "-jnp.inf"}.get(repr(value), repr(value))


def _words(sizes: dict[str, int]) -> str:
    return " and ".join(str(sizes[name]) for name in ("n", "m"))


def once(found: list[Call]) -> list[Call]:
    once: dict[str, Call] = {}
    for call in found:
        once.setdefault(call.arguments, call)
    return list(once.values())
