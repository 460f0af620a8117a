"""How a program is called, beside the small arrays of `inputs`: arrays and loops as long as users' are, several types of
numbers in one call, data that begins odd."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax

from .inputs import FIRST, Calls, Style, element, once
from .program import Call, Parameter

LENGTHS = (300, 1000, 3000)
ROUNDS = (30, 100)
"""How many times as many rounds as a loop over a literal range has."""
NUMBERS = ("{}", "np.float32({})", "np.float64({})", "jnp.float16({})", "jnp.asarray({})", "jnp.bfloat16({})")
WHOLE_NUMBERS = ("{}", "np.int32({})", "np.int64({})", "jnp.int32({})", "jnp.int8({})")
COUNTED = re.compile(r"(?<![\w.])range\((\d+)\)")


class Large(Calls):
    """Arrays of some hundred or thousand elements; few calls, as each takes plain Python long."""

    def all(self) -> list[Call]:
        style = Style(array=self.arrays_first)
        n = LENGTHS[0] if any(each.shape.count("n") > 1 for each in self.every) else self.chance.choice(LENGTHS)
        sizes = {"n": n, "m": self.chance.choice((3, 8, 20)), "k": 4}
        found = [self.call("first", sizes, style), self.call("other values", sizes, style)]
        found += [self.call(f"lengths {length} and {sizes['m']}", {**sizes, "n": length}, style) for length in (n // 2 + 1, 1)]
        for each in self.parameters:
            if each.default:
                found += self.defaults(each, style, sizes)
        if any(each.kind == "floats" for each in self.every):
            found.append(self.call("NaN among the values", sizes, style, pool=(-1.0, 0.5, float("nan"), 2.0)))
            found.append(self.call("infinities", sizes, style, pool=(-1.0, 0.5, float("inf"), float("-inf"), 2.0)))
            found.append(self.call("ties", sizes, style, pool=(1.0, 2.0, 2.0)))
        if any(each.kind in ("float", "int", "floats") for each in self.every):
            found.append(self.call("int for float and float for int", sizes, replace(style, other_kind=True)))
        return once(found)

    def elements(self, each: Parameter, pool: list[object], shape: list[int]) -> str:
        """Elements of the pool in an order that repeats late; those of floats all different, but where ties are asked for."""
        size = math.prod(shape)
        start = self.chance.randrange(1000)
        values = ", ".join(map(element, pool))
        place = f"((jnp.arange({size}) * 7919 + {start}) % 10007 % {len(pool)})"
        floats = any(isinstance(value, float) for value in pool) and not self.pool
        apart = f" + jnp.arange({size}) * 37 % {max(size, 1)} * 1e-4" if floats else ""
        return f"(jnp.array([{values}])[{place}]{apart}).reshape({tuple(shape)})"


class Mixed(Calls):
    """Each array of floats or integers in a type of its own, numbers as NumPy's and as arrays of theirs."""

    def array(self, each: Parameter, pool: list[object], shape: list[int], style: Style) -> str:
        wide = bool(jax.config.jax_enable_x64)
        floats = ("float16", "bfloat16", "float32", "float32", *["float64"] * 2 * wide)
        whole = ("int8", "uint8", "int16", "int32", *["int64"] * 2 * wide)
        kinds = {"floats": floats, "ints": whole[2:], "labels": whole, "counts": whole}
        if each.kind not in kinds or style.other_kind:
            return super().array(each, pool, shape, style)
        dtype = self.held.setdefault(f"type of {each.name}", self.chance.choice(kinds[each.kind]))
        return f"jnp.asarray({super().array(each, pool, shape, replace(style, dtype=''))}, dtype=jnp.{dtype})"

    def number(self, each: Parameter, value: object, style: Style) -> str:
        text = super().number(each, value, style)
        if style.other_kind or style.array:
            return text
        ways = NUMBERS if each.kind == "float" else WHOLE_NUMBERS
        return self.held.setdefault(f"type of {each.name}", self.chance.choice(ways)).format(text)


class Odd(Calls):
    """The call that is asked about holds NaN, infinities, ties, one row or none."""

    def all(self) -> list[Call]:
        style = Style(array=self.arrays_first)
        way = self.chance.randrange(6)
        pools: dict[int, tuple[object, ...]] = {
            0: (-1.0, 0.5, float("nan"), 2.0),
            1: (-1.0, 0.5, float("inf"), float("-inf"), 2.0),
            2: (1.0, 2.0, 2.0),
            3: (0.0,),
        }
        sizes = {4: {**FIRST, "n": 1}, 5: {**FIRST, "n": 0}}.get(way, FIRST)
        return once([self.call("first", sizes, style, pool=pools.get(way, ())), *super().all()])


class OfNumpy(Calls):
    """Arrays of NumPy's 64 bits, which jit makes 32 of; at last whole numbers whose products outgrow those."""

    scale = 1

    def all(self) -> list[Call]:
        found = super().all()
        if any(each.kind == "ints" for each in self.every):
            self.scale = 50_021
            found.append(self.call("large whole numbers", FIRST, Style()))
        return once(found)

    def array(self, each: Parameter, pool: list[object], shape: list[int], style: Style) -> str:
        text = super().array(each, pool, shape, replace(style, dtype="")).replace("jnp.", "np.")
        return f"{text} * {self.scale}" if self.scale != 1 and each.kind == "ints" else text


MANNERS: dict[str, Callable[..., Calls]] = {"": Calls, "large": Large, "mixed": Mixed, "odd": Odd, "numpy": OfNumpy}
"""`""` is for the small calls of `inputs`."""


def called(code: str, manner: str, chance: Any) -> str:
    """The code of a program that is called in this manner: loops over literal ranges are longer where all is."""
    if "import numpy as np" not in code:
        code = f"import numpy as np\n{code}"
    if manner != "large":
        return code
    times = chance.choice(ROUNDS)
    return COUNTED.sub(lambda found: f"range({int(found[1]) * times})" if int(found[1]) > 1 else found[0], code)
