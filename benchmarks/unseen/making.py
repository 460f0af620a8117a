"""A program by its name: the same name gives the same program."""

from __future__ import annotations

import random
from collections.abc import Iterator

from . import inputs, manners, places
from .families import FAMILIES, LATER, SHARES
from .program import Clash, Program, Writer
from .vocabulary import names


def programs(count: int, seed: int = 0, family: str = "", place: str = "", manner: str = "") -> Iterator[Program]:
    """`count` programs from number `seed` on, of all families in turn or of one."""
    for number in range(seed, seed + count):
        yield program(family or SHARES[number % len(SHARES)], number, place, manner)


def program(family: str, number: int, place: str = "", manner: str = "") -> Program:
    """The program of this family and number; in `place` if one is named and the function can stand there; called in a
    manner of `manners`."""
    for attempt in range(100):
        chance = random.Random(f"{family}/{number}/{attempt}")
        own = names(chance)
        try:
            draft = FAMILIES[family](_writer(chance, own.function), own)
        except Clash:
            continue
        draft.parameters.sort(key=lambda each: bool(each.default))
        later = family in LATER or place in places.WIDER[len(places.SHARES) :]
        where = place or chance.choice(places.WIDER if later else places.SHARES)
        placed = places.PLACES[where](draft, own, chance)
        if placed is None and place:
            continue
        if placed is None:
            where, placed = "straight", places.straight(draft, own, chance)
        code = manners.called(placed.code, manner, chance) if manner else placed.code
        widely = later and "grad(" not in code and not manner
        calls = inputs.calls(placed.parameters, chance, widely, manners.MANNERS[manner])
        return Program(family, where, number, code, placed.function, placed.plain, calls, tuple(placed.parameters), draft.gives)
    raise ValueError(f"no function of the family {family} can stand {place}")


def _writer(chance: random.Random, function: str) -> Writer:
    writer = Writer(chance, function)
    if chance.random() < 0.3:
        writer.draft.document = chance.choice(DOCUMENTS)
    return writer


DOCUMENTS = ("One step of the model.", "See the lecture notes, section 3.", "TODO: speed this up", "Returns the statistic.")
