"""Other static values than the call's: which plain Python takes, and whether a rewrite gives there what plain Python gives."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import NoneType
from typing import Any

import jax.numpy as jnp

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.arguments import ARRAYS_ALONE, Input, JitCall, other_options, other_statics
from jupyter_jitmagic.diagnosis.proof.differing import (
    CannotRun,
    Differs,
    as_promised,
    differs,
    is_wider,
    shapes,
    wider_words,
)
from jupyter_jitmagic.diagnosis.proof.other_calls import OtherCall
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.rounding import other_rounds, rounding_decides
from jupyter_jitmagic.diagnosis.proof.verify import OVERLAP, by_numpy, may_be_wider
from jupyter_jitmagic.diagnosis.rewrites.compiled import bounded_and_jitted
from jupyter_jitmagic.diagnosis.rewrites.drafts import Traced
from jupyter_jitmagic.diagnosis.rewrites.rules import ANOTHER_SHAPE, NOTHING
from jupyter_jitmagic.source.compared import compared_with, compared_words
from jupyter_jitmagic.source.units import Unit

_MOST_STATICS = 8  # other static values that are tried
_MOST_OPTIONS = 6  # values of options that the call leaves out, likewise
_MOST_DATA = 12  # other arrays for which such a call may not raise
_NUMBERS = (0.5, 3.0)  # in the place of None: a share, and what has to be more than 2, as degrees of freedom
_MOST_COMPARED = 2  # of each, those for which the rewrite is compiled


def _like(plain: Plain, given: Input, raises: bool) -> Iterator[Input]:
    """An input, and those with other data in its arrays: where the function raises (`if outside == "raise"`), data may be what
    it raises for."""
    yield from (given, plain.variations.canonical(given), plain.variations.shaken(given))
    if raises:
        others = (each for each in plain.variations.of(given).core() if each.kind != "nan")
        yield from (replace(each, kind=given.kind) for each in itertools.islice(others, _MOST_DATA))


class OtherValues:
    """Of the static arguments of one call, and of options that it leaves out."""

    def __init__(self, call: JitCall) -> None:
        self._call = call
        self.taken: list[tuple[Input, Any]] = []
        """Inputs that plain Python takes, with its results."""
        self.compared: list[Input] = []
        """Those of them on which the last rewrite gives the same."""
        self._otherwise: list[Input] = []
        """Those of them on which it gives something else, and says so."""

    @property
    def served(self) -> list[tuple[Input, Any]]:
        """Those of `taken` on which nothing says that the last rewrite gives something else."""
        return [(given, want) for given, want in self.taken if not any(given is each for each in self._otherwise)]

    def find(self, plain: Plain, units: Sequence[Unit], trees: Sequence[ast.AST]) -> list[OtherCall]:
        """The calls with values that the code (`units`, as `trees`) speaks of, or others, which plain Python takes."""
        read = zip(units, trees, strict=True)
        words = list(dict.fromkeys(word for unit, tree in read for word in compared_words(tree, unit.globals)))
        raises = any(isinstance(node, ast.Raise | ast.Assert) for tree in trees for node in ast.walk(tree))
        found = []

        def compared(name: str) -> list[int | str]:
            return [value for tree in trees for value in compared_with(tree, name)]

        own = Input(self._call.args, dict(self._call.kwargs), "static value")
        options = other_options(self._call, words, compared)
        for option in itertools.islice(options, _MOST_OPTIONS):
            said = _as_written(option)
            for changed in _like(plain, replace(own, kwargs={**own.kwargs, **option}), raises):
                if self._is_taken(plain, changed):
                    found.append(OtherCall(changed, f"with {said}", promised=False))
                    for name, without in self._left_out(plain, changed):
                        found.append(OtherCall(without, f"with {said} and {name} left out", promised=False))
                    break
                if plain.gave_up(changed) and all(type(value) is bool for value in option.values()):
                    found.append(OtherCall(changed, f"with {said}", promised=False))  # it is traced at least
                    break
            else:
                for name, beside in self._given(plain, replace(own, kwargs={**own.kwargs, **option})):
                    found.append(OtherCall(beside, f"with {said} and {name} given", promised=False))
        for args, kwargs in itertools.islice(other_statics(self._call, words), _MOST_STATICS):
            given = Input(args, kwargs, "static value")
            for changed in _like(plain, given, raises):
                if self._is_taken(plain, changed):
                    found.append(OtherCall(changed, "with another static value", value=self._told(changed)))
                    for name, without in self._left_out(plain, changed):
                        found.append(OtherCall(without, f"with {name} left out and another static value"))
                    break
            else:
                for name, beside in self._given(plain, given):
                    found.append(OtherCall(beside, f"with another static value and {name} given", promised=False))
        return found

    def _given(self, plain: Plain, given: Input) -> Iterator[tuple[str, Input]]:
        """A number for what is left out and None, by name: this static value may be what needs it (`dist="t"`, `nu`)."""
        if any(isinstance(each, int) for each in self._call.static):
            return
        bound = inspect.signature(self._call.fun).bind(*given.args, **given.kwargs)
        absent = [
            name
            for name, parameter in bound.signature.parameters.items()
            if parameter.default is None and name not in bound.arguments and name not in self._call.static
        ]
        for name, number in itertools.product(absent[:2], _NUMBERS):
            changed = replace(given, kwargs={**given.kwargs, name: number})
            if not plain.gave_up(changed) and self._is_taken(plain, changed):
                yield name, changed
                return

    def _left_out(self, plain: Plain, given: Input) -> Iterator[tuple[str, Input]]:
        """What is None where it is left out, by name, and the call without it: its code may run for this static value alone."""
        if any(isinstance(each, int) for each in self._call.static):
            return  # which argument stands at that place would be another one
        bound = inspect.signature(self._call.fun).bind(*given.args, **given.kwargs)
        optional = [name for name in bound.arguments if bound.signature.parameters[name].default is None]
        for name in [name for name in optional if bound.arguments[name] is not None and name not in self._call.static][:2]:
            others = {each: value for each, value in bound.arguments.items() if each != name}
            without = inspect.BoundArguments(bound.signature, others)
            changed = replace(given, args=without.args, kwargs=without.kwargs)
            if self._is_taken(plain, changed):
                yield name, changed

    def compare(self, plain: Plain, traced: Traced, seconds: float, inputs: Sequence[Input] = ()) -> list[str]:
        """What is to be said of a rewrite that gives plain Python's results there.

        Args:
            inputs: those on which it does so with the call's own values.

        Raises:
            Differs: it gives others.
        """
        self.compared, self._otherwise = [], []
        if ANOTHER_SHAPE in traced.draft.excludes:
            return []  # other sizes go past an end, which the rewrite says
        said = []
        programs = {id(call.given): program for call, program in traced.others}
        compared = [(given, want, programs[id(given)]) for given, want in self.taken if id(given) in programs]
        options = [each for each in compared if len(each[0].kwargs) > len(self._call.kwargs)]
        statics = [each for each in compared if len(each[0].kwargs) == len(self._call.kwargs)]
        negative = {id(each[0]): name for each in statics if (name := self.negative(each[0]))}
        below = [each for each in statics if id(each[0]) in negative]
        counted = [each for each in statics if id(each[0]) not in negative]
        for given, want, program in (*counted[:_MOST_COMPARED], *options[:_MOST_COMPARED], *below[:_MOST_COMPARED]):
            if want is None and NOTHING in traced.draft.excludes:
                continue
            try:
                got = by_numpy(self._call.fun, program, self._call.static, seconds)(given)
            except CannotRun:
                try:
                    got = bounded_and_jitted(self._call, traced)(given)
                except Exception:
                    continue  # an empty array or the like, which the search has looked at
            want = as_promised(got, want, traced.draft.excludes)
            if OVERLAP in traced.draft.excludes and shapes(got) != shapes(want):
                continue
            difference = differs(got, want)
            self.compared += [] if difference else [given]
            if not difference and shapes(want) != shapes(plain.first):
                said += self._of_another_shape(plain, given, want, inputs)
            if difference and is_wider(got, want) and may_be_wider(plain, given, got, want):
                said.append(wider_words(got, want))
                continue
            exactly = (
                by_numpy(self._call.fun, program, self._call.static, seconds) if difference and traced.draft.loops else None
            )
            if difference and other_rounds(plain, given, got, want, exactly, rounding_decides):
                continue
            if difference and id(given) in negative:
                said.append(f"where {negative[id(given)]} is negative")
                self._otherwise.append(given)
            elif difference and not rounding_decides(plain, given, got, want):
                raise Differs(f"it differs with another static value: {difference}")
        return said

    def _of_another_shape(self, plain: Plain, given: Input, want: Any, inputs: Sequence[Input]) -> list[str]:
        """Where the value decides a result's shape, a branch may have one of its own, which is that of all others then."""
        always = shapes(want)
        for each in inputs[:_MOST_DATA]:
            args = tuple(
                given.args[k] if k in self._call.fixed and k < len(given.args) else arg for k, arg in enumerate(each.args)
            )
            fixed = {k: v for k, v in given.kwargs.items() if k in self._call.fixed or k not in each.kwargs}
            result = plain.run(Input(args, {**each.kwargs, **fixed}, given.kind))
            if result is not None and len(found := shapes(result[0])) == len(always) and found != always:
                one, other = next(pair for pair in zip(always, found, strict=True) if pair[0] != pair[1])
                return [
                    f"{self._said(given)} it gives the shape {one} always, where plain Python's branches give {other} or {one}"
                ]
        return []

    def _said(self, given: Input) -> str:
        option = {name: value for name, value in given.kwargs.items() if name not in self._call.kwargs}
        return f"with {_as_written(option)}" if option else self._told(given)

    def negative(self, given: Input) -> str:
        """The name of the static count that is negative there and not in the call; "" for none."""
        counts = (
            (name, ours, theirs) for name, ours, theirs in self._statics(given) if type(ours) is int and type(theirs) is int
        )
        return next((name for name, ours, theirs in counts if theirs < 0 <= ours), "")

    def _told(self, given: Input) -> str:
        """Which static number or word is another one there, in words; "" where none is."""
        known = {int, bool, str, NoneType}
        plain = (each for each in self._statics(given) if {type(each[1]), type(each[2])} <= known or _is_of_jnp(each[2]))
        return next((f"where {name} is {_spelled(theirs)}" for name, ours, theirs in plain if ours != theirs), "")

    def _statics(self, given: Input) -> Iterator[tuple[str, Any, Any]]:
        """(name, value in the call, value there) of each static argument."""
        for key in sorted(self._call.fixed - {ARRAYS_ALONE}, key=str):
            if isinstance(key, str):
                yield key, self._call.kwargs.get(key), given.kwargs.get(key)
            elif key < min(len(self._call.args), len(given.args)):
                names = list(inspect.signature(self._call.fun).parameters)
                yield names[min(key, len(names) - 1)], self._call.args[key], given.args[key]

    def _is_taken(self, plain: Plain, given: Input) -> bool:
        """Whether plain Python runs with these static values; its result is kept."""
        result = plain.run(given)
        if result is not None:
            self.taken.append((given, result[0]))
        return result is not None


def _as_written(options: Mapping[str, Any]) -> str:
    """ "agg=jnp.max and n=2"."""
    return " and ".join(f"{name}={_spelled(value)}" for name, value in options.items())


def _spelled(value: Any) -> str:
    return f"jnp.{value.__name__}" if _is_of_jnp(value) else repr(value)


def _is_of_jnp(value: Any) -> bool:
    name = attribute(value, "__name__", "") if callable(value) else ""
    return bool(name) and getattr(jnp, name, None) is value
