"""Calls like the failing one that its caller may make as well: an argument left out or None, arrays of other sizes, other kinds
of numbers, indices at the end.

A rewrite has to serve those that plain Python takes. Each needs a trace of its own, so they come most telling first.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.inputs import LARGE, Variations
from jupyter_jitmagic.diagnosis.proof.kinds import asks_for_flags, asks_for_rank, kinds_asked_for, takes_boxes
from jupyter_jitmagic.diagnosis.proof.leaves import as_integers, in_rank, in_shape, kind_of, like, rounded
from jupyter_jitmagic.diagnosis.proof.optional_items import (
    asked_together,
    draws,
    handed_on,
    items_asked_for,
    looked_up,
    names_asked_for_none,
    parts_of,
    picks,
    with_none_in,
    without_items,
)
from jupyter_jitmagic.diagnosis.proof.ordering import fits_an_int, stays_beside, whole_in_order, whole_near

MANY = 3  # calls with integers on which a rewrite fails, which are not told one by one
LONG, MOST = 100, 40  # elements along an axis, from which on a loop takes long; other calls that are thought of
NOT_EMPTY, SINGLE_ROW = "on arrays that are not empty", "on a single row"
TOLERANCE = 0.1  # floats below it are often tolerances, with which a loop ends at once where they are 1
ARRAYS_OF_INTEGERS = "on arrays of integers"
ARRAYS_OF_SINGLE_INTEGERS = "where single numbers are arrays of integers"
ALL_INTEGERS, AS_INTEGERS = "where all numbers are integers", " and all numbers are integers"
AS_A_FLOAT = " as a float"


@dataclass(frozen=True)
class OtherCall:
    """Another call of the function.

    Attributes:
        given: its arguments; `given.kind` is "left out", "none", "given", "number", "own arrays", "size", "rank", "end" or
            "negative int".
        words: what is different, to go on after "fails" or "differs", as "with tol left out".
        promised: a rewrite that fails there is none; where False, the answer says where it fails.
        sought: a rewrite that serves it is preferred; where False, it is only said of one that fails there or gives something
            else.
        by_value: not sought, but what it gives is compared; else only whether it traces, and its floats.
        alone: of these values, others of which may ask for what is left out.
        value: which static number or word is another one, as "where n is 0".
        names: the arguments that are given, left out or None.
        instead: of an argument that is None where it is left out; asked for where plain Python takes no earlier one of its
            kind (a number, say).
    """

    given: Input
    words: str
    promised: bool = True
    sought: bool = True
    alone: bool = False
    value: str = ""
    names: tuple[str, ...] = ()
    instead: bool = False
    by_value: bool = False


def other_calls(
    fun: Callable[..., Any],
    given: Input,
    variations: Variations,
    trees: Sequence[ast.AST],
    static: Collection[str | int] = (),
    run: Callable[[], tuple[Any] | None] = lambda: None,
) -> list[OtherCall]:
    """The other calls, most telling first; `trees` are the sources of the function and its helpers, `run` gives (plain Python's
    result on the call itself,)."""
    make = _Maker(fun, given, variations, trees, static, run)
    in_turn = itertools.chain(
        make.left_out(),
        make.none(),
        make.given(),
        itertools.islice(make.sizes(), 2),
        make.of_another_rank(),
        make.beside_masks(),
        make.numbers_for_rows(),
        make.numbers_for_arrays(),
        make.of_arrays_not_empty(),
        make.single_numbers(),
        make.of_another_function(),
        make.of_kinds_asked_for(),
        make.ends(),
        make.sizes_apart(),
        itertools.islice(make.sizes(), 2, None),
        make.empty_lists(),
        make.empty_options(),
        make.arrays_of_numbers(),
        make.places_for_masks(),
        make.given_as_integers(),
    )
    return list(_no_more_than(MOST, in_turn))


def _no_more_than(most: int, calls: Iterable[OtherCall]) -> Iterator[OtherCall]:
    """So many of them, beside those that stand for one of these."""
    for call in calls:
        most -= not call.instead
        if most < 0:
            return
        yield call


def where_it_fails(words: Iterable[str]) -> str:
    """Half a sentence on the calls on which a rewrite fails; what is one of them and something more is not told again.

    Example:
        >>> where_it_fails(["where n is an int", "where n is the int 0", "on arrays of float16"])
        'it fails where n is an int, on arrays of float16'
    """
    each = list(dict.fromkeys(words))
    kept = [word for word in each if not any(one != word and _holds(one, word) for one in each)]
    of_integers = [word for word in kept if OF_INTEGERS.search(word) and not _GIVEN.fullmatch(word)]
    if len(of_integers) >= MANY:
        kept = ["where integers stand for some floats", *(word for word in kept if word not in of_integers)]
    return f"it fails {', '.join(kept)}"


OF_INTEGERS = re.compile(r"\b(int|ints|integers|int\d+)\b")
_MASK = re.compile(r"(^|_)mask$")
_GIVEN = re.compile(r"where (.+?) (?:is|are) given(.*)")


def _holds(one: str, other: str) -> bool:
    """Whether another call is this one and something more."""
    given, more = _GIVEN.fullmatch(one), _GIVEN.fullmatch(other)
    if given and more and not given[2]:
        return set(given[1].split(" and ")) <= set(more[1].split(" and "))
    if one == ALL_INTEGERS:
        ends, begins = (ALL_INTEGERS, AS_INTEGERS, ARRAYS_OF_SINGLE_INTEGERS), f"{ALL_INTEGERS},"
        return other.endswith(ends) or other.startswith(begins)
    return other.startswith((f"{one} beside ", f"{one} where ")) or (
        one.endswith(" is an int") and other == f"{one.removesuffix('an int')}the int 0"
    )


def like_number(value: Any, number: int) -> Any:
    """A whole number as an array of JAX where the value is one, else Python's own."""
    return jnp.asarray(number) if isinstance(value, jax.Array) else number


def _holds_numbers(value: Any) -> bool:
    """Whether it is a container of Python's numbers alone, as a table of rates is."""
    if not isinstance(value, tuple | list | dict):
        return False
    leaves = jax.tree_util.tree_leaves(value)
    return bool(leaves) and all(type(leaf) in (int, float) for leaf in leaves)


def _is_function(value: Any) -> bool:
    """Whether an argument is a function, and no module with parameters of its own."""
    return callable(value) and not isinstance(value, type) and jax.tree_util.all_leaves([value])


def _first_given(*args: Any) -> Any:
    return args[0]


class _Maker:
    def __init__(
        self,
        fun: Callable[..., Any],
        given: Input,
        variations: Variations,
        trees: Sequence[ast.AST],
        static: Collection[str | int],
        run: Callable[[], tuple[Any] | None] = lambda: None,
    ) -> None:
        self._fun, self._static, self._run = fun, static, run
        self._call, self._variations, self._trees = given, variations, trees
        self._parameters: Mapping[str, inspect.Parameter] = {}
        self._bound: dict[str, Any] = {}
        try:
            signature = inspect.signature(fun)
            self._bound = dict(signature.bind(*given.args, **given.kwargs).arguments)
            self._parameters = signature.parameters
        except (TypeError, ValueError):
            pass  # a callable without a signature has no defaults that could be told
        self._leaves = variations.leaves

    # -- arguments ----------------------------------------------------------------------------------------

    def left_out(self) -> Iterator[OtherCall]:
        """Each argument that has a default, left out; then all of them."""
        optional = [name for name in self._bound if self._default(name) is not inspect.Parameter.empty]
        for names in [*([name] for name in optional[:6]), *([optional] if len(optional) > 1 else [])]:
            yield self._called({name: value for name, value in self._bound.items() if name not in names}, "left out", names)
        yield from self._not_needed([name for name in optional if self._default(name) is None])
        yield from self._further()

    def _further(self) -> Iterator[OtherCall]:
        """What `**options` takes, and a dict's keys that the code asks for, left out one by one."""
        named = {name: value for name, value in self._bound.items() if self._is_single(name)}
        for name, changed, item in without_items(named, self._trees):
            yield replace(self._called({**self._bound, name: changed}, "left out", [item]), promised=False)
        for name, parameter in self._parameters.items():
            given = self._bound.get(name, {}) if parameter.kind is parameter.VAR_KEYWORD else {}
            for key in list(given)[:4]:
                others = {each: value for each, value in given.items() if each != key}
                yield replace(self._called({**self._bound, name: others}, "left out", [key]), promised=False)

    def _not_needed(self, names: Sequence[str]) -> Iterator[OtherCall]:
        """What is None where it is left out may be needed by one side of a choice alone: left out, and the numbers 0."""
        numbers = {name: type(value)(0) for name, value in self._bound.items() if type(value) in (int, float)}
        numbers |= {
            name: jnp.zeros_like(value)
            for name, value in self._bound.items()
            if isinstance(value, jax.Array) and value.ndim == 0 and kind_of(value) in ("f", "i")
        }
        numbers = {name: value for name, value in numbers.items() if name not in self._static}
        for name in names[:3] if numbers else ():
            others = {each: value for each, value in {**self._bound, **numbers}.items() if each != name}
            call = self._called(others, "left out", [name])
            yield replace(
                call, words=f"{call.words} and {'numbers' if len(numbers) > 1 else next(iter(numbers))} 0", alone=True
            )

    def none(self) -> Iterator[OtherCall]:
        """None for each argument of which the code speaks so, then beside numbers for what is None where it is left out: of
        `if low is not None and … elif high is not None and …` only these two together reach the second test."""
        named = {node.id for tree in self._trees for node in names_asked_for_none(tree)} & {*self._parameters}
        absent = [name for name in self._parameters if name in named and name not in self._bound and name not in self._static]
        for name in (name for name in self._parameters if name in named and self._is_single(name)):
            default = self._default(name)
            value = self._bound.get(name, default)
            if default is None or value is None or value is inspect.Parameter.empty:
                continue
            call = self._called({**self._bound, name: None}, "none", [name])
            yield call if name in self._bound else replace(call, promised=False)
            others = [each for each in absent if self._default(each) is None]
            if others and name not in self._bound:
                beside = self._called({**self._bound, name: None, **dict.fromkeys(others, 0.5)}, "none", [name])
                yield replace(beside, words=f"{call.words} and {' and '.join(others)} given", promised=False)
        for name, changed, item in with_none_in(self._bound, self._trees):
            yield replace(self._called({**self._bound, name: changed}, "none", [item]), promised=False)

    def given(self) -> Iterator[OtherCall]:
        """Numbers that are left out, given as the data that they would be then, at last as ints; what is None may be one, what
        is empty may hold some."""
        keys = self._keys_left_out()
        for name in self._parameters:
            default = self._default(name)
            counts = type(default) in (int, bool) and name not in self._static
            numbers = isinstance(default, float) or counts or default is None or _holds_numbers(default)
            if name in keys:
                yield self._called({**self._bound, name: keys[name]}, "given", [name])
            elif name not in self._bound and type(default) in (tuple, list) and not default:
                yield self._called({**self._bound, name: type(default)((1, 2))}, "given", [name])
            elif name not in self._bound and default is None and name not in self._static and _MASK.search(name):
                yield from self._given_masks(name)
                yield from (replace(self._called({**self._bound, name: n}, "given", [name]), instead=True) for n in (0.5, 1))
            elif name not in self._bound and numbers:
                in_place_of_none = 2 if name in self._static else 0.5  # of one alone nothing is compared
                yield self._called({**self._bound, name: in_place_of_none if default is None else default}, "given", [name])
                if default is None and name in self._static:
                    yield replace(self._called({**self._bound, name: 1}, "given", [name]), instead=True)
                    # no rounds: a list of so many has no place for any
                    none = self._called({**self._bound, name: 0}, "given", [name])
                    yield replace(none, words=f"where {name} is 0", sought=False)
                if counts:  # a degree of freedom, a flag: another one decides otherwise
                    another = not default if type(default) is bool else default + 1
                    yield self._called({**self._bound, name: another}, "given", [name])
                    if type(default) is int:  # a weight, where the list of what it weighs is one of ints
                        as_float = self._called({**self._bound, name: default + 0.5}, "given", [name])
                        yield replace(as_float, words=f"{as_float.words}{AS_A_FLOAT}")
                if default is None and name not in self._static:
                    yield from self._given_rows(name)
        absent = {name: self._default(name) for name in self._parameters if name not in {*self._bound, *self._static, *keys}}
        single = {name: each for name, each in absent.items() if each is None or type(each) in (int, float)}
        others = {name: each or (1 if type(each) is int else 0.5) for name, each in single.items()}
        for names in [each for tree in self._trees for each in asked_together(list(others), tree) if len(each) > 1][:2]:
            yield self._called({**self._bound, **{name: others[name] for name in names}}, "given", names)
        floats = {name: self._default(name) for name in self._parameters if name not in self._bound}
        floats = {name: each for name, each in floats.items() if isinstance(each, float)}
        if keys and (rates := [name for name in floats if name not in self._static]):  # `if rate > 0 and key is not None`
            yield self._called({**self._bound, **keys, **dict.fromkeys(rates, 0.5)}, "given", [*rates, *keys])
        whole = {name: int(np.rint(each)) or 1 for name, each in floats.items() if np.isfinite(each)}
        large = {name: each for name, each in whole.items() if abs(floats[name]) >= TOLERANCE}
        for ints in [each for each in (large if len(large) < len(whole) else {}, whole) if each]:
            yield self._given_as_ints(ints)
        if whole and (beside := {name: 1 for name, each in single.items() if each is None}):
            yield self._given_as_ints({**whole, **beside})  # a way of its own, where another float may be missing
        for name in (name for name in self._parameters if name not in {*self._bound, *self._static}):
            if _holds_numbers(table := self._default(name)) and any(type(each) is float for each in jax.tree.leaves(table)):
                whole_table = jax.tree.map(lambda each: int(np.rint(each)) if np.isfinite(each) else each, table)
                yield self._given_as(name, whole_table, "ints")

        yield from self._holding_more()
        yield from self._handed_on()

    def _holding_more(self) -> Iterator[OtherCall]:
        """What a dict may hold that is left out, or does not hold what the code asks it for."""
        for name in (name for name in self._parameters if self._is_single(name) and name not in self._static):
            held = self._bound.get(name, self._default(name))
            if held is not None and type(held) is not dict:
                continue
            asked = dict(items_asked_for(name, self._trees))
            for key in [key for key in asked if key not in (held or {})][:2]:
                call = self._called({**self._bound, name: {**(held or {}), key: asked[key]}}, "given", [name])
                yield replace(call, words=f"where {name} holds {key!r}")

    def _handed_on(self) -> Iterator[OtherCall]:
        """Numbers that `**options` may hold, as what these are handed on to says."""
        for name, parameter in self._parameters.items():
            held = self._bound.get(name, {})
            for key, number in handed_on(name, self._trees).items() if parameter.kind is parameter.VAR_KEYWORD else ():
                if key not in held and key not in self._parameters:
                    yield self._called({**self._bound, name: {**held, key: number}}, "given", [key])

    def _keys_left_out(self) -> dict[str, Any]:
        """What is None where it is left out, and what JAX's random functions are given."""
        drawn = {name for tree in self._trees for name in draws(tree)}
        absent = (name for name in self._parameters if name not in self._bound and name in drawn)
        return {name: jax.random.key(0) for name in absent if self._default(name) is None}

    def _given_rows(self, name: str) -> Iterator[OtherCall]:
        """An argument as an array like the first of floats, as weights are, a tuple that is taken apart, a mask, a count."""
        if parts := parts_of(name, self._trees):
            yield self._given_as(name, tuple((np.arange(parts) / 2).tolist()), "a tuple")
        rows = next((self._leaves[k] for k in self._arrays() if kind_of(self._leaves[k]) == "f"), None)
        if rows is not None and any(looked_up(tree, name) for tree in self._trees):  # a weight for each class
            yield self._given_as(name, like(rows, np.linspace(0.5, 1.5, np.shape(rows)[-1])), "an array")
        elif rows is not None:
            yield self._given_as(name, like(rows, np.full(np.shape(rows), 0.5)), "an array")
        elif all(kind_of(leaf) != "f" for leaf in self._leaves):  # labels alone: weights beside them are floats all the same
            shapes = dict.fromkeys(np.shape(self._leaves[k]) for k in self._arrays())
            yield from (self._given_as(name, jnp.full(shape, 0.5), "an array of floats") for shape in shapes if shape)
        is_picked = rows is not None and any(picks(tree, name) for tree in self._trees)
        if rows is not None and is_picked:
            yield self._given_as(name, jnp.arange(np.shape(rows)[0]) % 3 != 1, "a mask")
        yield replace(self._called({**self._bound, name: 1}, "given", [name]), instead=is_picked)  # a count is no float
        yield from (replace(call, instead=True) for call in self._given_otherwise(name))

    def _given_masks(self, name: str) -> Iterator[OtherCall]:
        """An argument that is called a mask: of an array's own shape, or of its rows."""
        shape: tuple[int, ...] = next((np.shape(self._leaves[k]) for k in self._arrays()), ())
        for size in dict.fromkeys((shape, shape[:1])) if shape else ():
            mask = (jnp.arange(math.prod(size)) % 3 != 1).reshape(size)
            yield replace(self._given_as(name, mask, "a mask"), instead=size != shape)

    def _given_otherwise(self, name: str) -> Iterator[OtherCall]:
        """An argument that no number can stand for: places, as a tuple of whole numbers; an array like the result, as where one
        starts, or with a number for each row or column."""
        if parts := parts_of(name, self._trees):
            yield self._given_as(name, (0,) * parts, "a tuple")
        arrays = [self._leaves[k] for k in self._arrays()]
        kind, number = ("f", 0.5) if any(kind_of(leaf) == "f" for leaf in self._leaves) else ("i", 1)
        results = [leaf for leaf in jax.tree_util.tree_leaves(self._run()) if kind_of(leaf) == kind and np.ndim(leaf)]
        of_results = [np.shape(leaf) for leaf in results if np.size(leaf) <= LARGE]
        rows = next((np.shape(leaf) for leaf in arrays if np.ndim(leaf) > 1), ())
        tried = {np.shape(leaf) for leaf in arrays if kind_of(leaf) == kind == "f"}
        for shape in dict.fromkeys((*of_results, *(np.shape(leaf) for leaf in arrays), rows[:1], rows[-1:])):
            if shape and shape not in tried:
                yield self._given_as(name, jnp.full(shape, number), "an array")

    def _given_as_ints(self, ints: Mapping[str, int]) -> OtherCall:
        call = self._called({**self._bound, **ints}, "given", list(ints))
        return replace(call, words=f"{call.words} as {'ints' if len(ints) > 1 else 'an int'}")

    def _given_as(self, name: str, value: Any, what: str) -> OtherCall:
        call = self._called({**self._bound, name: value}, "given", [name])
        return replace(call, words=f"{call.words} as {what}")

    def _default(self, name: str) -> Any:
        parameter = self._parameters[name]
        return parameter.default if self._is_single(name) else inspect.Parameter.empty

    def _is_single(self, name: str) -> bool:
        return self._parameters[name].kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

    def _called(self, bound: Mapping[str, Any], kind: str, names: Sequence[str]) -> OtherCall:
        """The call with these arguments, by position as far as that goes."""
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        gap = False
        for name, parameter in self._parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                kwargs.update(bound.get(name, {}))
            elif parameter.kind is parameter.VAR_POSITIONAL:
                args += bound.get(name, ()) if not gap else ()
            elif name not in bound:
                gap = True
            elif gap or parameter.kind is parameter.KEYWORD_ONLY or name in self._call.kwargs:
                kwargs[name] = bound[name]
                gap = True
            else:
                args.append(bound[name])
        named = " and ".join(names) if len(names) < 3 else "all optional arguments"
        verb = "is" if len(names) == 1 else "are"
        words = {"left out": f"with {named} left out", "none": f"with {named}=None", "given": f"where {named} {verb} given"}[
            kind
        ]
        return OtherCall(Input(tuple(args), kwargs, kind), words, promised=kind != "given", names=tuple(names))

    # -- sizes --------------------------------------------------------------------------------------------

    def sizes(self) -> Iterator[OtherCall]:
        """All arrays in other sizes: what is equal stays equal, what is one stays one; larger, one row, one column, no row."""
        arrays = self._arrays()
        known = sorted({size for k in arrays for size in self._leaves[k].shape if size > 1})
        yield from self._filled()
        first = {self._leaves[k].shape[0] for k in arrays if self._leaves[k].shape[0] > 1}
        if not known:
            if any(0 not in self._leaves[k].shape for k in arrays):
                yield self._resized(
                    {k: tuple(3 if s == 1 else s for s in self._leaves[k].shape) for k in arrays}, "larger arrays"
                )
            return
        larger = {size: size + 1 + k for k, size in enumerate(known)}
        row = self._mapped(dict.fromkeys(first, 1), SINGLE_ROW.removeprefix("on "))
        is_long = known[-1] > LONG
        if is_long:  # plain Python takes shorter ones sooner: for larger ones there may be no time
            least = max((size for size in known if size <= LONG), default=3) + 1
            shorter = {size: least + k for k, size in enumerate(each for each in known if each > LONG)}
            yield self._mapped(shorter, "arrays of other sizes")
            yield row
        yield self._mapped(larger, "arrays of other sizes")
        counted = [k for k in self._variations.ints if self._number(k) in larger]
        if counted:
            yield self._mapped(larger, "arrays of other sizes", {k: larger[self._number(k)] for k in counted})
        if not is_long:
            yield row
        if others := set(known) - first:
            yield self._mapped(dict.fromkeys(others, 1), "rows of a single element")
        yield self._mapped(dict.fromkeys(first, 0), "empty arrays", promised=False)
        yield from self._without_columns(arrays, others)
        counts = [k for k in self._variations.ints if self._number(k) > 0]
        if counts:  # which plain Python may ask first: `x[:k].max() if k > 0 else 0.0`
            words = f"empty arrays where {' and '.join(map(self._name, counts))} {'are' if len(counts) > 1 else 'is'} 0"
            yield self._mapped(dict.fromkeys(first, 0), words, dict.fromkeys(counts, 0), promised=False)
        for size in sorted(first)[:3] if len(first) > 1 else ():  # a loop over the others asks for their elements
            alone = [k for k in arrays if self._leaves[k].shape[0] == size]
            if any(map(self._variations.is_of_a_library, alone)):
                continue  # a model's parameters, whose sizes go with each other's
            names = list(dict.fromkeys(map(self._name, alone)))
            words = f"where {' and '.join(names)} alone {'are' if len(names) > 1 else 'is'} empty"
            yield replace(self._mapped({size: 0}, "", promised=False), words=words)

    def _without_columns(self, arrays: Sequence[int], others: Collection[int]) -> Iterator[OtherCall]:
        """Rows that hold nothing; `others`: sizes of no first axis, and of a square there is none."""
        shapes = {k: self._leaves[k].shape for k in arrays}
        if others:
            empty = {k: (shape[:1] + tuple(0 if size in others else size for size in shape[1:])) for k, shape in shapes.items()}
        else:
            empty = {k: _with_size(shape, len(shape) - 1, 0) for k, shape in shapes.items() if len(shape) > 1}
        if empty:
            yield replace(self._resized(empty, "rows without elements"), promised=False)

    def _filled(self) -> Iterator[OtherCall]:
        """The call with elements where arrays have none: a loop over nothing traces, whatever it does."""
        sizes = {size for k in self._arrays() for size in self._leaves[k].shape}
        if 0 in sizes:
            yield self._mapped({0: min((size for size in sizes if size > 1), default=3)}, NOT_EMPTY.removeprefix("on "))

    def of_another_rank(self) -> Iterator[OtherCall]:
        """An axis more or less, where the code asks how many there are, and where there is one, two: for arrays like the first
        one, all alike; where it asks, like that with the most axes."""
        arrays, asks = self._arrays(), any(asks_for_rank(tree) for tree in self._trees)
        shapes = [self._leaves[k].shape for k in arrays] or [(0,)]
        shape = max(shapes, key=len) if asks else shapes[0]
        boxes = len(shape) == 2 and any(map(takes_boxes, self._trees))
        if 0 in shape or not (asks or boxes or len(shape) == 1):
            return
        alike = [k for k in arrays if self._leaves[k].shape == shape]
        axes = len(shape) + 1 if boxes or len(shape) == 1 else len(shape) - 1
        words = f"on arrays of {'one axis' if axes == 1 else f'{axes} axes'}"
        changed = {k: in_rank(self._leaves[k], axes) for k in alike}
        yield replace(self._as_number(changed, words, "rank"), promised=False, sought=asks, by_value=True)

    def beside_masks(self) -> Iterator[OtherCall]:
        """An axis more for what stands beside a mask of its shape: `image[mask]` of one with channels, `rows[mask]`."""
        arrays = self._arrays()
        masks = [k for k in arrays if kind_of(self._leaves[k]) == "b" and len(self._leaves[k].shape) > 0]
        if masks:
            shape = self._leaves[masks[0]].shape
            others = [k for k in arrays if k not in masks and self._leaves[k].shape == shape and 0 not in shape]
            changed = {k: in_rank(self._leaves[k], len(shape) + 1) for k in others}
            words = f"where {' and '.join(dict.fromkeys(map(self._name, others)))} has an axis more than {self._name(masks[0])}"
            if others:
                yield replace(self._as_number(changed, words, "rank"), promised=False, sought=False, by_value=True)

    def numbers_for_rows(self) -> Iterator[OtherCall]:
        """Arrays of one axis in the place of rows, where another array has a number for each row."""
        shapes = {k: np.shape(self._leaves[k]) for k in self._arrays() if not self._variations.path(k)[1]}
        lengths = {shape[0] for shape in shapes.values() if len(shape) == 1}
        for k in [k for k, shape in shapes.items() if len(shape) == 2 and shape[0] in lengths and 0 not in shape][:2]:
            changed = {k: in_rank(self._leaves[k], 1)}
            call = self._as_number(changed, f"where {self._name(k)} has one axis", "rank")
            yield replace(call, promised=False, sought=False, by_value=True)

    def numbers_for_arrays(self) -> Iterator[OtherCall]:
        """A single number for one of several arrays of one shape, as a weight or a step that is the same for all: elements that
        are chosen among are stretched, where plain Python gives the number itself."""
        arrays = [k for k in self._arrays() if kind_of(self._leaves[k]) == "f" and not self._variations.path(k)[1]]
        shapes = [np.shape(self._leaves[k]) for k in arrays]
        alike = [k for k, shape in zip(arrays, shapes, strict=True) if shapes.count(shape) > 1]
        for k in alike[:2]:
            call = self._as_number({k: 0.5}, f"where {self._name(k)} is a single number", "rank")
            yield replace(call, promised=False, sought=False, by_value=True)

    def empty_lists(self) -> Iterator[OtherCall]:
        """Nothing in a list that is an argument: a loop over it leaves Python's own numbers, whose division by 0 raises."""
        for name in [name for name, value in self._bound.items() if type(value) is list and value][:2]:
            call = self._called({**self._bound, name: []}, "given", [name])
            yield replace(call, given=replace(call.given, kind="size"), words=f"where {name} is an empty list", promised=False)

    def empty_options(self) -> Iterator[OtherCall]:
        """Nothing in a list, tuple or dict that is left out, as `table=()`."""
        defaults = {name: self._default(name) for name in self._parameters if name not in self._bound}
        for name in [name for name, value in defaults.items() if type(value) in (list, tuple, dict) and value][:2]:
            call = self._called({**self._bound, name: type(defaults[name])()}, "given", [name])
            yield replace(call, words=f"where {name} is empty", promised=False, sought=False, by_value=True)

    def of_arrays_not_empty(self) -> Iterator[OtherCall]:
        """What is optional, left out and given beside arrays that are not empty, where the call's own are: what plain Python
        asks of one may fail where there is none."""
        for filled in self._filled():
            given = filled.given
            make = _Maker(self._fun, given, self._variations.of(given), self._trees, self._static)
            yield from itertools.chain(make.left_out(), make.none(), make.given())

    def sizes_apart(self) -> Iterator[OtherCall]:
        """Equal sizes made different: a square that is none any more, one array longer than another. Of an array with one axis
        beside a square nobody knows along which of the two it goes."""
        arrays = self._arrays()
        seen: set[tuple[int, ...]] = set()
        for k in arrays:
            shape = self._leaves[k].shape
            twice = next((size for size in shape if size > 1 and shape.count(size) > 1), None)
            if twice is not None:
                axis = shape.index(twice)
                lone = not any(twice in self._leaves[m].shape for m in arrays if m != k)
                apart = [{k: _with_size(shape, at, twice + 1)} for at in (axis, shape.index(twice, axis + 1))]
                in_turn = [replace(self._resized(new, "arrays that are not square"), promised=lone) for new in apart]
                yield in_turn[0]
                rows = {m: _with_size(self._leaves[m].shape, 0, twice + 1) for m in arrays if self._leaves[m].shape[0] == twice}
                if set(rows) != {k} and (key := (twice, *rows)) not in seen:
                    seen.add(key)
                    either = any(len(new) == 1 for new in rows.values())
                    yield replace(self._resized(rows, "arrays that are not square"), promised=not either)
                yield in_turn[1]
        for k in arrays[:3] if len(arrays) > 1 else ():
            shape = self._leaves[k].shape
            if shape[0] > 1 and any(shape[0] in self._leaves[m].shape for m in arrays if m != k):
                for size in (shape[0] + 1, 1):
                    other = self._resized({k: _with_size(shape, 0, size)}, "arrays of different lengths")
                    yield replace(other, promised=False)

    def _arrays(self) -> list[int]:
        return [
            k
            for k, leaf in enumerate(self._leaves)
            if kind_of(leaf) in ("f", "i", "b") and np.ndim(leaf) and attribute(leaf, "nbytes", LARGE + 1) <= LARGE
        ]

    def _number(self, k: int) -> int:
        return int(self._leaves[k]) if np.ndim(self._leaves[k]) == 0 else -1

    def _may_be_places(self, k: int) -> bool:
        """Whether an array's whole numbers are places of some array."""
        largest = max((size for other in self._arrays() for size in self._leaves[other].shape), default=0)
        values = np.asarray(self._leaves[k])
        return kind_of(self._leaves[k]) == "i" and bool(np.all((values >= 0) & (values < largest)))

    def _mapped(
        self, sizes: Mapping[int, int], words: str, numbers: Mapping[int, int] | None = None, promised: bool = True
    ) -> OtherCall:
        shapes = {k: tuple(sizes.get(size, size) for size in self._leaves[k].shape) for k in self._arrays()}
        return replace(self._resized(shapes, words, numbers), promised=promised)

    def _resized(
        self, shapes: Mapping[int, tuple[int, ...]], words: str, numbers: Mapping[int, int] | None = None
    ) -> OtherCall:
        changed = {k: in_shape(self._leaves[k], shape) for k, shape in shapes.items() if shape != self._leaves[k].shape}
        changed |= {k: like(self._leaves[k], np.asarray(number)) for k, number in (numbers or {}).items()}
        return OtherCall(self._variations.replaced(changed, "size"), f"on {words}")

    # -- numbers ------------------------------------------------------------------------------------------

    def single_numbers(self) -> Iterator[OtherCall]:
        """Every single number in another kind: an int for a float, a float for an int, a number for an array of one."""
        numbers = (*self._variations.floats, *self._variations.ints)
        single = [k for k in numbers if np.ndim(self._leaves[k]) == 0 and not self._variations.is_made_an_array(k)]
        floats: dict[int, Any] = {}
        halves: dict[int, float] = {}
        for k in single[:4]:
            value = np.asarray(self._leaves[k])
            if value.dtype.kind == "c" or not fits_an_int(value):
                continue
            name = self._name(k)
            if value.dtype.kind == "f" or value.dtype.name == "bfloat16":
                floats[k], whole = value, whole_near(value)
                kept = all(stays_beside(value, whole, self._leaves[other]) for other in single if other != k)
                alone = not self._variations.path(k)[1]  # an argument of its own, and no leaf among others
                yield replace(self._as_number({k: whole}, f"where {name} is an int"), promised=kept and alone)
                if whole:
                    yield replace(self._as_number({k: 0}, f"where {name} is the int 0"), promised=False)
            else:
                halves[k] = float(value) + 0.5
                yield replace(self._as_number({k: halves[k]}, f"where {name} is a float"), promised=False)
                if type(self._leaves[k]) is int and any(asks_for_flags(tree) for tree in self._trees):
                    yield replace(self._as_number({k: True}, f"where {name} is True"), promised=False)
        if len(floats) > 1:
            within = [k for k in floats if self._variations.path(k)[1]]
            # arrays that stand in a state are made as they are; a share or rate among others is whole nowhere
            as_they_are = [k for k in within if isinstance(self._leaves[k], jax.Array) or 0 < abs(self._leaves[k]) < 1]
            ints = self._as_number(whole_in_order(floats), "where all single numbers are ints")
            yield replace(ints, promised=not as_they_are)
        if floats and halves:  # `k * c ** order`: an order of a half beside whole amounts
            exchanged = self._as_number(whole_in_order(floats) | halves, "where ints and floats stand for each other")
            yield replace(exchanged, promised=False)
        if single:
            arrays = {k: as_jax(self._leaves[k]) for k in single if not isinstance(self._leaves[k], jax.Array)}
            pythons = {k: np.asarray(self._leaves[k]).item() for k in single if isinstance(self._leaves[k], jax.Array)}
            if arrays:
                yield self._as_number(arrays, "where numbers are arrays of their own", "own arrays")
            if pythons:
                yield self._as_number(pythons, "where single numbers are Python's")

    def of_another_function(self) -> Iterator[OtherCall]:
        """Integers beside functions that give what they are given, for those that are arguments: what these make of integers
        is integers for some, as polynomials, and floats for others."""
        floats = {k: np.asarray(self._leaves[k]) for k in self._variations.floats if not np.iscomplexobj(self._leaves[k])}
        single = {k: value for k, value in floats.items() if value.ndim == 0 and fits_an_int(value)}
        functions = [name for name, value in self._bound.items() if _is_function(value)]
        if not floats or not functions:
            return
        whole = {k: as_jax(rounded(np.asarray(value, np.float64))) for k, value in floats.items() if value.ndim}
        ints = self._variations.replaced(whole | whole_in_order(single), "number")
        args = tuple(_first_given if _is_function(value) else value for value in ints.args)
        kwargs = {name: _first_given if _is_function(value) else value for name, value in ints.kwargs.items()}
        words = f"where numbers are integers and {' and '.join(functions)} {'give' if len(functions) > 1 else 'gives'} integers"
        yield OtherCall(Input(args, kwargs, "number"), words, promised=False)

    def of_kinds_asked_for(self) -> Iterator[OtherCall]:
        """A number of Python's for an array of which the code asks whether it is one: under jit it is an array all the same."""
        asked = kinds_asked_for(self._trees)
        filled = [k for k in self._arrays() if np.size(self._leaves[k])]
        for kind in (float, int):
            of_kind = [k for k in filled if kind.__name__ in asked.get(self._name(k), ())]
            numbers = {k: kind(np.nan_to_num(np.asarray(self._leaves[k], np.float64).flat[0])) for k in of_kind}
            for k, number in numbers.items():
                words = f"where {self._name(k)} is {'a' if kind is float else 'an'} {kind.__name__}"
                yield replace(self._as_number({k: number}, words), promised=False)
            if len(numbers) > 1:
                words = f"where {' and '.join(map(self._name, numbers))} are {kind.__name__}s"
                yield replace(self._as_number(numbers, words), promised=False)

    def arrays_of_numbers(self) -> Iterator[OtherCall]:
        """Arrays of integers in the place of floats, and the other way round."""
        arrays = [k for k in self._arrays() if not self._variations.is_of_a_library(k)]
        floats = [k for k in arrays if kind_of(self._leaves[k]) == "f" and not np.iscomplexobj(self._leaves[k])]
        ints = [k for k in arrays if kind_of(self._leaves[k]) == "i"]
        if floats:
            whole = {k: as_jax(rounded(np.asarray(self._leaves[k], np.float64))) for k in floats}
            yield replace(self._as_number(whole, ARRAYS_OF_INTEGERS), promised=False)
        floating = [k for k in self._variations.floats if not self._variations.is_of_a_library(k)]
        single = {k: self._leaves[k] for k in floating if np.ndim(self._leaves[k]) == 0}
        single = {
            k: value
            for k, value in single.items()
            if kind_of(value) == "f" and not np.iscomplexobj(value) and fits_an_int(value)
        }
        alone = not floats and any(isinstance(value, jax.Array) for value in single.values())  # else `single_numbers` has it
        if single and (len(single) + len(floats) > 1 or alone):
            numbers = {k: like_number(value, int(np.rint(float(value))) or 1) for k, value in single.items()}
            every = {**(whole if floats else {}), **numbers}
            yield replace(self._as_number(every, ALL_INTEGERS), promised=False)
        pythons = {k: jnp.asarray(int(np.rint(v)) or 1) for k, v in single.items() if isinstance(v, float)}
        if pythons:  # of a Python int nobody minds that it became a float; of an array its dtype is asked
            every = {**(whole if floats else {}), **pythons}
            words = f"{ALL_INTEGERS}, single ones arrays" if floats else ARRAYS_OF_SINGLE_INTEGERS
            yield replace(self._as_number(every, words), promised=False, sought=False, by_value=True)
        strong = {k: jnp.asarray(int(np.rint(float(v))) or 1, int) for k, v in single.items() if isinstance(v, jax.Array)}
        if strong:  # a loop's carry is promoted from a weak type, and from no other
            words = f"where single numbers are arrays of {jax.dtypes.canonicalize_dtype(int)}"
            yield replace(self._as_number(strong, words), promised=False, sought=False)
            beside = {**(whole if floats else {}), **numbers, **strong}
            if len(beside) > len(strong):  # beside a float the carry is one
                words = f"where all numbers are integers, single ones arrays of {jax.dtypes.canonicalize_dtype(int)}"
                yield replace(self._as_number(beside, words), promised=False, sought=False)
        weak = [k for k in self._variations.ints if attribute(self._leaves[k], "weak_type", False)]
        if weak:  # as `jnp.array(10)` is, and nothing that JAX has counted
            words = f"where {' and '.join(map(self._name, weak))} {'are' if len(weak) > 1 else 'is'} not weakly typed"
            yield replace(self._as_number({k: as_jax(self._leaves[k]) for k in weak}, words), promised=False)
        own, shorter = (np.float64, np.float32) if jax.config.jax_enable_x64 else (np.float32, np.float16)
        jaxs = [k for k in (*floats, *single) if isinstance(self._leaves[k], jax.Array)]
        full = [k for k in jaxs if self._leaves[k].dtype == own]
        if full:
            short = {k: as_jax(np.asarray(self._leaves[k]).astype(shorter)) for k in full}
            words = f"on arrays of {shorter.__name__}"
            yield replace(self._as_number(short, words), promised=False, sought=False)
            if single and floats:
                beside = short | {k: as_jax(own(value)) for k, value in single.items()}
                words = f"on arrays of {shorter.__name__} beside numbers that are arrays of {own.__name__}"
                yield replace(self._as_number(beside, words), promised=False, sought=False)
        held = {k: as_jax(_spread(self._leaves[k])) for k in (*floats, *ints) if self._leaves[k].dtype != np.uint8}
        if held:  # whose sums and counts go past their end
            yield replace(self._as_number(held, "on arrays of uint8"), promised=False, sought=False, by_value=True)
            beside = {k: value for k, value in held.items() if not self._may_be_places(k)}
            if 0 < len(beside) < len(held):  # places that are spread out are outside their array, and plain Python fails
                words = f"where {' and '.join(map(self._name, beside))} {'hold' if len(beside) > 1 else 'holds'} uint8"
                yield replace(self._as_number(beside, words), promised=False, sought=False, by_value=True)
        halves = {k: as_jax(np.asarray(self._leaves[k]) + 0.5) for k in ints}
        if ints:
            yield replace(self._as_number(halves, "on arrays of floats"), promised=False)
        for k in ints[:3] if len(ints) > 1 else ():  # values beside places: plain Python takes no floats for these
            yield replace(self._as_number({k: halves[k]}, f"where {self._name(k)} holds floats"), promised=False)

    def places_for_masks(self) -> Iterator[OtherCall]:
        """Whole numbers, ones and zeros, where a mask picks elements: in plain Python they are places."""
        for k in self._arrays():
            name = self._name(k)
            if kind_of(self._leaves[k]) == "b" and any(picks(tree, name) for tree in self._trees):
                places = as_jax(np.asarray(self._leaves[k]).astype(int))
                call = self._as_number({k: places}, f"where {name} holds whole numbers")
                yield replace(call, promised=False, sought=False, by_value=True)

    def given_as_integers(self) -> Iterator[OtherCall]:
        """Numbers that are left out given as integers, as all others are: there is no float left."""
        defaults = {name: self._default(name) for name in self._parameters if name not in self._bound}
        numbers = {name: each for name, each in defaults.items() if isinstance(each, float) or _holds_numbers(each)}
        if numbers:
            named = self._called({**self._bound, **numbers}, "given", list(numbers))
            args, kwargs = jax.tree_util.tree_map(as_integers, (named.given.args, dict(named.given.kwargs)))
            words = f"{named.words}{AS_INTEGERS}"
            yield OtherCall(Input(args, kwargs, "given"), words, promised=False, sought=False)

    def _name(self, k: int) -> str:
        """What a leaf is called in the function's parameters, as "cfg['n']"."""
        key, below = self._variations.path(k)
        names = list(self._parameters)
        return (names[key] if isinstance(key, int) and key < len(names) else str(key)) + below

    def _as_number(self, changed: Mapping[int, Any], words: str, kind: str = "number") -> OtherCall:
        return OtherCall(self._variations.replaced(changed, kind), words)

    # -- the end of the array -----------------------------------------------------------------------------

    def ends(self) -> Iterator[OtherCall]:
        """Integers that may be indices, at both ends of the arrays and beyond the last whole window."""
        sizes = sorted({size for k in self._arrays() for size in self._leaves[k].shape if size > 1}, reverse=True)[:3]
        static = [v for v in (*self._call.args, *self._call.kwargs.values()) if isinstance(v, int) and not isinstance(v, bool)]
        steps = [n for n in dict.fromkeys(static) if n > 1][:3]
        single = [k for k in self._variations.ints if np.ndim(self._leaves[k]) == 0]
        for k in single[:2]:
            places = [place for size in sizes for place in (*(size // step for step in steps if size % step), size - 1)]
            for place in dict.fromkeys((*places, *sizes, 0, -1)):
                if place != self._number(k):
                    changed = {k: like(self._leaves[k], np.asarray(place))}
                    kind = "end" if place >= 0 else "negative int"
                    yield OtherCall(self._variations.replaced(changed, kind), f"where {self._name(k)} is {place}")


def _spread(leaf: Any) -> np.ndarray[Any, Any]:
    """An array's numbers all over what eight bits hold, the same where they were the same."""
    whole = np.rint(np.nan_to_num(np.asarray(leaf, np.float64), posinf=7, neginf=-7) * 2)
    return (whole * 37 % 256).astype(np.uint8)


def _with_size(shape: Iterable[int], axis: int, size: int) -> tuple[int, ...]:
    return tuple(size if k == axis else old for k, old in enumerate(shape))
