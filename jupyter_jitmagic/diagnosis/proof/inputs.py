"""Inputs like the failing call's, with other values: signs, zeros, NaN, orders, loop counts, thresholds moved.

Shapes, dtypes, weak types and Python's own number types stay, so that a compiled rewrite serves all of them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.diagnosis.proof.arguments import Input, JitCall, is_traced
from jupyter_jitmagic.diagnosis.proof.changes import (
    AT_LIMITS,
    QUARTER_TURNS,
    above_zero,
    apart,
    below_zero,
    cancelling,
    counted_back,
    doubled,
    doubled_above,
    every_second_zero,
    first_largest,
    first_smallest,
    infinite_and_zero,
    large,
    lone,
    near_the_end,
    noise,
    scaled,
    set_to,
    unit,
    with_infinities,
    with_nan,
    with_nan_first,
    with_nan_last,
    with_one,
    with_two_nan,
)
from jupyter_jitmagic.diagnosis.proof.leaves import as_array, kind_of, like, other_key, wide
from jupyter_jitmagic.sandbox.order_of_keys import in_order_of, is_in_another_order
from jupyter_jitmagic.usercode.ownership import is_library_type

BELOW_ZERO = "negative int"
MANY_ROUNDS = "many rounds"
"""Of a kind: counts of which a product or power outgrows 32 bits soon."""
_OTHER_KEYS = 6  # for a branch that is taken every second time, say
LARGE = 1 << 20  # bytes; leaves above stay as they are, nothing huge is copied

_BESIDE = 2e-5  # by so little two numbers differ of which 32 bits keep the difference badly


class Variations:
    """The inputs of one call, the most telling first.

    Args:
        args, kwargs: the call.
        fixed: positions and keywords that must not vary (static arguments).
    """

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], fixed: set[Any]) -> None:
        self._args, self._kwargs, self._fixed = args, dict(kwargs), fixed
        dynamic = ([None if k in fixed else a for k, a in enumerate(args)], {k: v for k, v in kwargs.items() if k not in fixed})
        self._paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(dynamic)[0]]
        self._leaves, self._tree = jax.tree_util.tree_flatten(dynamic)
        traced = [k for k, v in enumerate(self._leaves) if is_traced(v, fixed)]
        self._floats = [k for k in traced if kind_of(self._leaves[k]) == "f"]
        self._ints = [k for k in traced if kind_of(self._leaves[k]) == "i"]
        self._bools = [k for k in traced if kind_of(self._leaves[k]) == "b"]
        self._keys = [k for k in traced if kind_of(self._leaves[k]) == "key"]
        self._drawn = itertools.count(1)
        """Of each other key: what is drawn with it decides a branch as data does."""
        # scalars decide more often than arrays do
        self._floats.sort(key=lambda k: np.size(self._leaves[k]) > 1)
        self._ints.sort(key=lambda k: np.size(self._leaves[k]) > 1)

    @classmethod
    def of_call(cls, call: JitCall) -> Variations:
        """Those of a call whose static arguments stay."""
        return cls(call.args, call.kwargs, call.fixed)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Those of the call itself."""
        return (*self._args, *self._kwargs.values())

    @property
    def leaves(self) -> Sequence[Any]:
        """What may vary, in the order of the arguments."""
        leaves: list[Any] = self._leaves
        return leaves

    @property
    def floats(self) -> Sequence[int]:
        return self._floats

    @property
    def ints(self) -> Sequence[int]:
        return self._ints

    @functools.cached_property
    def are_keys_in_another_order(self) -> bool:
        """Whether a dict among the arguments is not in the order of its keys, in which JAX puts it together."""
        return any(map(is_in_another_order, self.arguments))

    def path(self, leaf: int) -> tuple[int | str, str]:
        """(the argument's position or keyword, the path below it)."""
        _, argument, *below = self._paths[leaf]
        return getattr(argument, "idx", getattr(argument, "key", "")), jax.tree_util.keystr(tuple(below))

    def is_made_an_array(self, leaf: int) -> bool:
        """Whether a leaf is an array by who makes it: a library, or a class that says so of its field (`scale: jax.Array`)."""
        if self.is_of_a_library(leaf):
            return True
        above = [*self._above(leaf)]
        if not above or not isinstance(self.leaves[leaf], jax.Array):
            return False
        at, key = above[-1]
        classes = [attribute(each, "__annotations__") or {} for each in type(at).__mro__]
        declared = [each.get(getattr(key, "name", "")) for each in classes]
        return any(word in str(each) for each in declared for word in ("Array", "ndarray"))

    def is_of_a_library(self, leaf: int) -> bool:
        """Whether a leaf stands in an object of a library's, as the state of an optimizer, which makes it as it is."""
        held_by = (type(at) for at, _ in self._above(leaf))
        return any(each.__module__ not in ("builtins", "collections") and is_library_type(each) for each in held_by)

    def _above(self, leaf: int) -> Iterator[tuple[Any, Any]]:
        """The objects that hold a leaf, from the argument inwards, each with the key of what is next."""
        _, argument, *below = self._paths[leaf]
        at: Any = self._args[argument.idx] if hasattr(argument, "idx") else self._kwargs[argument.key]
        for key in below:
            yield at, key
            if isinstance(key, jax.tree_util.GetAttrKey):
                at = getattr(at, key.name)
            elif isinstance(key, jax.tree_util.SequenceKey | jax.tree_util.DictKey):
                at = at[key.idx if isinstance(key, jax.tree_util.SequenceKey) else key.key]
            else:
                return

    def replaced(self, changed: Mapping[int, Any], kind: str) -> Input:
        """The call's input with other values of some leaves."""
        return self._with(changed, kind)

    def of(self, given: Input) -> Variations:
        """Those of another input; an option that only that gives is static."""
        return Variations(given.args, given.kwargs, self._fixed | (given.kwargs.keys() - self._kwargs.keys()))

    def call(self) -> Input:
        return self._with({}, "call")

    def nudged(self, given: Input, factor: float) -> Input:
        """The same input with every float multiplied by `factor`: where that changes the result, rounding decides."""
        return self._mapped(given, lambda v: like(v, np.asarray(v, wide(v)) * factor) if kind_of(v) == "f" else v)

    def nudged_apart(self, given: Input, share: float) -> Input:
        """The same input with each float changed by another share: of numbers in proportion one factor for all of them changes
        no order."""
        change = apart(share)
        return self._mapped(given, lambda v: like(v, change(np.asarray(v, wide(v)))) if kind_of(v) == "f" else v)

    def shaken(self, given: Input) -> Input:
        """The same input with noise on every float."""
        change = noise(1)
        return self._mapped(given, lambda v: like(v, change(np.asarray(v, wide(v)))) if kind_of(v) == "f" else v)

    def canonical(self, given: Input) -> Input:
        """The same input with Python's numbers as the arrays that `jax.jit` makes of them."""
        return self._mapped(given, as_array)

    def infinite(self) -> Iterator[Input]:
        """Infinities of both signs, whose sum is NaN, and of each. Then beside zeros, which a selection may leave out:
        what stands in their place may be infinite. At last with counts of 1: one round of a product is not the factor then."""
        arrays = [k for k in self._floats if np.size(self._leaves[k]) > 1]
        for which, first, last in ((arrays, 1, -1), (arrays[:1], 1, 1), (arrays[:1], -1, -1)) if arrays else ():
            yield self._each(which, functools.partial(with_infinities, first, last), "infinite")
        for sign in (1, -1):  # alone, where a derivative of another branch may make NaN of it
            yield from self._one(arrays[:1], with_one(sign * np.inf), "infinite")
        if len(arrays) > 1:
            yield self._each(arrays, infinite_and_zero, "infinite")
            # in two at one place their difference is NaN already, in the branch that plain Python takes as well
            yield from self._one(arrays[:3], functools.partial(with_infinities, 1, -1), "infinite")
        if arrays and (counts := [k for k in self._ints if np.ndim(self._leaves[k]) == 0]):
            change = functools.partial(with_infinities, 1, -1)
            far = {
                k: like(v, change(np.asarray(v, wide(v)))) for k in arrays if not self._is_large(k) for v in (self._leaves[k],)
            }
            yield self._with(far | {k: like(self._leaves[k], 1) for k in counts}, "infinite")

    def large(self, floats: bool) -> Iterator[Input]:
        """Whole numbers of which a product, or a sum, outgrows 32 bits; with `floats`, also those whose whole part does in
        hundredths."""
        arrays = [k for k in self._ints if np.size(self._leaves[k]) > 1]  # of any signs a sum may be small
        yield self._each(arrays or self._ints, near_the_end, "large numbers")
        for scale in (20_000_003, 50_021):
            yield self._each(self._ints, large(scale), "large numbers")
            if len(self._ints) > 1:  # one counts, perhaps, as rounds or places
                yield from self._one(self._ints[:3], large(scale), "large numbers")
        if floats and self._floats and not np.iscomplexobj(self._leaves[self._floats[0]]):
            yield self._each([*self._floats, *self._ints], large(20_000_003), "large numbers")
        if counts := [k for k in self._ints if np.ndim(self._leaves[k]) == 0]:
            yield self._each(counts, large(41), MANY_ROUNDS)
        elif self._ints:  # an exponent may be one of them
            yield self._each(self._ints, large(41), "large numbers")

    def cancelling(self) -> Iterator[Input]:
        """Arrays of floats whose sum is lost in 32 bits, and numbers that are just beside each other."""
        if arrays := [k for k in self._floats if np.size(self._leaves[k]) > 2]:
            yield self._each(arrays, cancelling, "large numbers")
        first, *others = [k for k in self._floats if not np.iscomplexobj(self._leaves[k])] or [-1]
        shape = np.shape(self._leaves[first]) if others else ()
        if alike := [k for k in others if np.shape(self._leaves[k]) == shape]:  # places beside each other, told apart by little
            near = np.asarray(self._leaves[first], np.float64) * (1 + _BESIDE)
            yield self.replaced({k: like(self._leaves[k], near) for k in alike}, "large numbers")

    def past_limits(self) -> Iterator[Input]:
        """Floats past limits of probabilities, and at them."""
        for change in AT_LIMITS if self._floats else ():
            yield self._each(self._floats, change, "at limits")

    def at_turns(self) -> Iterator[Input]:
        """Single floats as angles of quarter turns in degrees, one by one; and arrays of them."""
        for number in QUARTER_TURNS:
            yield from self._one([k for k in self._floats if not np.ndim(self._leaves[k])][:3], set_to(number), "at limits")
        if arrays := [k for k in self._floats if np.ndim(self._leaves[k])]:
            yield from self._one(arrays[:3], lambda values: np.resize(QUARTER_TURNS, np.shape(values)), "at limits")

    def far(self, factor: float) -> Iterator[Input]:
        """Large floats of both signs, as one and apart: a product of two keeps its sign."""
        for each in (factor, -factor) if self._floats else ():
            yield self._each(self._floats, scaled(each), "larger")
            yield from self._one(self._floats[:2], scaled(each), "larger")

    def below_zero(self) -> Iterator[Input]:
        """Single integers as they count from the end, one by one and all; arrays whose first number is the largest, or the
        smallest: what is counted back from its place is below 0; and both."""
        numbers = [k for k in self._ints if not np.ndim(self._leaves[k])]
        floats, ints = ([k for k in kind if np.size(self._leaves[k]) > 1] for kind in (self._floats, self._ints))
        arrays = [k for k in floats or ints if not np.iscomplexobj(self._leaves[k])]
        yield from self._one(numbers[:4], counted_back, BELOW_ZERO)
        if len(numbers) > 1:
            yield self._each(numbers, counted_back, BELOW_ZERO)
        for change in (first_largest, first_smallest) if arrays else ():
            first = self._each(arrays[:2], change, "noise")
            yield first
            if numbers:
                yield self.of(first)._each(numbers, counted_back, BELOW_ZERO)

    def tied(self) -> Iterator[Input]:
        """Equal numbers apart from each other, with limits below all of them, and above."""
        if any(np.size(self._leaves[k]) > 1 for k in self._floats):
            yield self._each(self._floats, doubled_above, "doubled")
            yield self._each(self._floats, lambda v: -doubled_above(v), "doubled")

    def nan_in_one(self) -> Iterator[Input]:
        """NaN all through one array of several: what is not chosen computes with it, and loses the gradients of the others.
        The same with the other sign, for which the other branch may be chosen."""
        arrays = [k for k in self._floats if np.size(self._leaves[k]) > 1]
        for k in arrays[:3] if len(arrays) > 1 else ():
            lost = self._each([k], lambda values: values * np.nan, "nan")
            yield lost
            yield self.nudged(lost, -1)

    def core(self) -> Iterator[Input]:
        """The few inputs on which every rewrite is run."""
        yield self.call()
        if self._ints:
            yield from self._one(self._ints[:3], lambda v: v + 1, "count")
            yield from self._one(self._ints[:3], lambda v: v * 0, "count")
        if self._floats:
            yield self._each(self._floats, lambda v: -v, "negated")
            yield from self._one(self._floats[:1], with_nan, "nan")
            yield self._each([*self._floats, *self._keys], noise(1), "noise")
            if arrays := [k for k in self._floats if np.size(self._leaves[k]) > 1]:
                yield self._each(arrays, doubled, "doubled")
                # a 0 in the place of nothing is the largest here
                yield self._each(arrays, below_zero, "negated")
                if labels := [k for k in self._ints if np.size(self._leaves[k]) > 1]:
                    yield self._each(labels, doubled, "lone")
                    # nor is there a group 0 then
                    below = {k: like(v, below_zero(np.asarray(v, wide(v)))) for k in arrays for v in (self._leaves[k],)}
                    above = {k: like(v, np.abs(np.asarray(v)) + 1) for k in labels for v in (self._leaves[k],)}
                    yield self._with(below | above, "count")
            yield self._each(self._floats, np.zeros_like, "zero")
            yield self._each([*self._floats, *self._ints], lambda v: v[::-1] if v.ndim else v, "reversed")
            yield from self._one(self._floats[1:2], with_nan, "nan")
            yield from self._one(arrays[:2], with_nan_first, "nan")
            yield from self._one(arrays[:2][-1:], with_nan_last, "nan")  # what is grouped may come first in the middle
            yield from self._one(arrays[:1], with_two_nan, "nan")
            if len(self._floats) > 1:  # of several numbers one alone decides a sign, a division or a logarithm
                single = [k for k in self._floats if not np.ndim(self._leaves[k])]
                yield from self._one(single[:4], np.zeros_like, "zero")
                yield from self._one(single[:4], lambda v: -v, "negated")
                if len(single) > 2:  # what JAX's min and max lose in one that is NaN may show where the others are equal alone
                    alike = self._each(single, set_to(2), "nan")
                    yield self.of(alike)._each(single[1:2], with_nan, "nan")
            if len(arrays) > 1:  # what one of them lets through may be taken for what the other does
                yield from self._one(arrays[:2], below_zero, "negated")
            yield from self._between()
        elif self._ints:
            yield self._each([*self._ints, *self._keys], lambda v: v[::-1] if v.ndim else v + 2, "reversed")
            if any(np.size(self._leaves[k]) > 2 for k in self._ints):
                yield self._each(self._ints, doubled, "doubled")
            numbers = [k for k in self._ints if not np.ndim(self._leaves[k])]
            yield from self._one(numbers[:2], set_to(97), "large count")  # what is computed of it may outgrow an array
            yield from self._between()
        if self.are_keys_in_another_order:  # which item comes first may matter where what they have in common is about used up
            for share in (0.27, 0.11):
                yield from self._one([k for k in self._floats if not np.ndim(self._leaves[k])][:8], scaled(share), "smaller")
        yield from self._alone()
        for k in self._bools[:2]:
            yield self._each([k], np.logical_not, "flag")
            if np.size(self._leaves[k]) > 1:  # a mask that lets nothing through, and one that lets all
                yield self._each([k], np.zeros_like, "flag")
                yield self._each([k], np.ones_like, "flag")
        if len(self._bools) > 1:
            yield self._each(self._bools, np.ones_like, "flag")
            yield self._each(self._bools, np.zeros_like, "flag")

    def _between(self) -> Iterator[Input]:
        """A single number as a limit that lets the largest element of the first array through alone, or all but the smallest:
        these also with NaN among them, where what was asked of all of them first is False."""
        numbers = [k for k in (*self._floats, *self._ints) if not np.ndim(self._leaves[k])]
        array = next((k for k in (*self._floats, *self._ints) if np.size(self._leaves[k]) > 1), None)
        if array is None or not numbers or np.iscomplexobj(self._leaves[array]) or self._is_large(array):
            return
        values = np.unique(np.asarray(self._leaves[array], np.float64))
        values = values[np.isfinite(values)]
        for low, high in ((values[-2], values[-1]), (values[0], values[1])) if len(values) > 2 else ():
            for k in numbers[:2]:
                yield self._each([k], set_to((low + high) / 2 if kind_of(self._leaves[k]) == "f" else low), "between")
        if len(values) > 2 and array in self._floats and numbers[0] in self._floats:  # an integer may be a place or a size
            below = self._each(numbers[:1], set_to(values[0] - 1), "nan")
            yield self.of(below)._each([array], with_nan, "nan")

    def _alone(self) -> Iterator[Input]:
        """Of integers: one that occurs once beside another that fills the array, and of two arrays the second full of the
        first's largest number, its smallest: they have one in common. Without a sign 0 is its own opposite."""
        arrays = [k for k in self._ints if np.size(self._leaves[k]) > 1]
        yield from self._one(arrays[:1], lone, "lone")
        unsigned = [k for k in arrays if self._leaves[k].dtype.kind == "u"]
        yield from self._one(unsigned[:2], every_second_zero, "lone")
        if len(arrays) > 1 and not self._is_large(arrays[0]):
            values = np.asarray(self._leaves[arrays[0]])
            for number in dict.fromkeys((int(values.max()), int(values.min()))):
                yield self._each(arrays[1:2], set_to(number), "lone")

    def _is_large(self, k: int) -> bool:
        return bool(attribute(self._leaves[k], "nbytes", 0) > LARGE)

    def more(self, literals: Sequence[float] = ()) -> Iterator[Input]:
        """Further inputs, for branches that the core did not reach; `literals` are numbers that the code compares with."""
        numbers = [k for k in (*self._floats, *self._ints) if np.size(self._leaves[k]) == 1]
        for _ in range(_OTHER_KEYS if self._keys else 0):
            yield self._each(self._keys, noise(1), "noise")
        if arrays := [k for k in (*self._floats, *self._ints) if np.size(self._leaves[k]) > 1]:
            yield self._each(arrays, above_zero, "moved")  # `if (d <= 0).any()`
        for number in literals[:6]:
            for k in numbers[:4]:
                whole = kind_of(self._leaves[k]) == "i"
                if not whole or number % 1 == 0:  # infinity is no whole number
                    yield self._each([k], set_to(number), "moved")
        for k in arrays[:2]:
            whole = kind_of(self._leaves[k]) == "i"
            fitting = [number for number in literals[:6] if not whole or number % 1 == 0]
            yield from (self._each([k], with_one(number), "moved") for number in fitting)
        for number in filter(np.isfinite, literals[:6]):
            for k in numbers[:4]:
                step = 1 if kind_of(self._leaves[k]) == "i" else max(abs(number) * 0.1, 0.1)
                yield self._each([k], set_to(int(number) + step if step == 1 else number + step), "moved")
                yield self._each([k], set_to(int(number) - step if step == 1 else number - step), "moved")
        if self._floats:  # where `arccos` and `sqrt(1 - x * x)` end, beside which code takes care
            yield self._each(self._floats, unit, "moved")
        for k in self._floats[:6]:
            yield from self._one([k], with_nan, "nan") if k not in self._floats[:2] else ()
            yield from self._one([k], lambda v: -v, "negated")
            yield from self._one([k], lambda v: v * 3 + 1, "larger")
            yield from self._one([k], np.zeros_like, "zero")
            yield from self._one([k], lambda v: v * 0.1, "smaller")
        for k in self._ints[:4]:
            yield from self._one([k], lambda v: v * 0 + 1, "count")
            yield from self._one([k], lambda v: v * 2 + 3, "count")
            yield from self._one([k], lambda v: v - 1, "count")
            yield from self._one([k], lambda v: v * 0 + 10, "count")
            yield from self._one([k], lambda v: -v, BELOW_ZERO)
        for scalar in numbers[:4]:
            for other in [k for k in (*self._floats, *self._ints) if k != scalar][:4]:
                values = np.asarray(self._leaves[other], np.float64) if np.size(self._leaves[other]) else np.zeros(1)
                for value in (values.mean(), values.max() + 1, values.min() - 1):
                    if np.isfinite(value):
                        yield self._each([scalar], set_to(value), "moved")
        for seed in range(2, 14):
            yield self._each([*self._floats, *self._keys], noise(seed), "noise")
            scale = 10.0 ** ((seed % 5) - 2)
            yield self._each(self._floats, scaled(scale), "larger" if scale > 1 else "smaller")
            yield self._each([*self._ints], set_to(seed), "count")

    # -- making them -----------------------------------------------------------------------------------

    def _one(self, which: Sequence[int], change: Callable[[Any], Any], kind: str) -> Iterator[Input]:
        for k in which:
            yield self._each([k], change, kind)

    def _each(self, which: Sequence[int], change: Callable[[Any], Any], kind: str) -> Input:
        changed = {}
        for k in which:
            value = self._leaves[k]
            if kind_of(value) == "key":
                changed[k] = other_key(value, next(self._drawn))
            elif np.size(value) and attribute(value, "nbytes", 0) <= LARGE:
                with np.errstate(all="ignore"):
                    changed[k] = like(value, change(np.asarray(value, wide(value))))
        return self._with(changed, kind)

    def _with(self, changed: Mapping[int, Any], kind: str) -> Input:
        leaves = [changed.get(k, v) for k, v in enumerate(self._leaves)]
        return self._assembled(leaves, kind)

    def _assembled(self, leaves: Sequence[Any], kind: str, given: Input | None = None) -> Input:
        """An input of these leaves; its static arguments are those of `given`, or the call's."""
        positional, keywords = jax.tree_util.tree_unflatten(self._tree, leaves)
        static_args, static_kwargs = (given.args, given.kwargs) if given is not None else (self._args, self._kwargs)
        if self.are_keys_in_another_order:
            positional = [in_order_of(old, new) for old, new in zip(self._args, positional, strict=True)]
            keywords = {name: in_order_of(self._kwargs[name], new) for name, new in keywords.items()}
        args = tuple(a if k in self._fixed else positional[k] for k, a in enumerate(static_args))
        return Input(args, {k: keywords.get(k, v) for k, v in static_kwargs.items()}, kind)

    def _mapped(self, given: Input, change: Callable[[Any], Any]) -> Input:
        dynamic = (
            [None if k in self._fixed else a for k, a in enumerate(given.args)],
            {k: given.kwargs[k] for k in self._kwargs if k not in self._fixed},  # and no option of `given` alone
        )
        leaves = jax.tree_util.tree_leaves(dynamic)
        return self._assembled([change(v) if is_traced(v, self._fixed) else v for v in leaves], given.kind, given)
