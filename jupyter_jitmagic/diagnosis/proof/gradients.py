"""Whether a rewrite has plain Python's gradient: finite wherever plain Python's is, and the same where nothing has a kink."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import as_jax
from jupyter_jitmagic.diagnosis.proof import edges as at_edges
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.changed import (
    in_floats,
    with_floats,
    with_masks,
    with_one_array,
    with_whole_arrays,
)
from jupyter_jitmagic.diagnosis.proof.changes import unit
from jupyter_jitmagic.diagnosis.proof.differentiable import Leaves, is_real, leaves_of, total_of
from jupyter_jitmagic.diagnosis.proof.differing import Differs, shapes
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.proof.verify import BESIDE_NAN
from jupyter_jitmagic.diagnosis.uncompiled import backward
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.diagnosis.uncompiled.backward_rules import NotKnown
from jupyter_jitmagic.diagnosis.uncompiled.programs import Watch, as_operand
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.sandbox.results import same_numbers

MOST_INPUTS = 12
SHORT = 0.15  # seconds for one gradient
NO_REVERSE = "jax.grad does not go through a loop whose number of rounds is data (not reverse-differentiable)"
_STEP, _CLOSE = 1e-2, 2e-2
_EDGES = {
    "zero": "at zero",
    "zero part": "where a part of the data is zero",
    "unit": "where a number is 1",
    "all nan": "where all of an array is NaN",
    "outgrown": "where numbers are far from 0, so that an exponential outgrows its floats",
    "equal": "where numbers are equal",
    "count": "where a count is an edge (0, 1)",
    "negative int": "for negative numbers",
    "lone": "where one of the integers stands alone",
    "lone mask": "where a mask lets one element through",
    "between": "for some single number",
    "negated": "where all numbers have the other sign",
}
_REFUSED = object()  # JAX has no gradient of what it took the function for
_TIES = ("zero", "equal", "tied")  # kinds of inputs on which floats are equal to each other


class DiffersAtEdge(Differs):
    """A gradient that is another at edges alone (all zeros, no rounds, a tie, all signs turned): the next best answer, with a
    word about it, and one (`beside`) about NaN."""

    def __init__(self, message: str, beside: str = "") -> None:
        super().__init__(message)
        self.beside = beside


class DiffersBesideNan(Differs):
    """A gradient that is lost where data is NaN, of which the code speaks: an answer where there is no other, with a word."""


class OneWay(Exception):
    """A loop has no reverse mode; JAX would say so after it has taken everything apart."""


class Gradients:
    """The gradients of one function's plain runs, shared by all its rewrites.

    Args:
        fun: the user's function.
        plain: it, ready to be run.
        static: its static arguments, by name or position.
        minds_nan: its code asks for NaN, so that what is left out because of one must not come back in the gradient.
    """

    def __init__(self, fun: Callable[..., Any], plain: Plain, static: Sequence[str | int], minds_nan: bool = False) -> None:
        self._fun, self._plain, self._static, self._minds_nan = fun, plain, static, minds_nan
        self._known: dict[int, Any] = {}
        self._leaves_of: dict[int, tuple[Input, Leaves]] = {}
        self._unknown: set[int] = set()
        """Inputs on which plain Python's was stopped by its time."""
        self._equal: list[Input] | None = None
        self._zeros: Sequence[Input] | None = None
        self._ones: Input | None = None
        self._outgrown: Sequence[Input] | None = None
        self._without: Sequence[Input] | None = None
        self._far: Sequence[Input] | None = None
        self._as_floats: Sequence[Input] | None = None
        self.of_one_shape = False  # where plain Python's result has another, a rewrite promises nothing
        self._met: dict[float, Input] = {}
        self._floats: frozenset[int] = frozenset()
        """Which of the rewrite's results are floats: there plain Python may give an integer of its own, as a limit."""
        self.cut = ""
        """What the last comparison left out, as it ended by its time; "" if it did not."""

    def compare(
        self,
        rewrite: Callable[..., Any],
        inputs: Sequence[Input],
        seconds: float,
        program: Any = None,
        *,
        traces: bool = True,
    ) -> str:
        """Compare on these inputs of one signature; gives half a sentence where the rewrite has no gradient, or none that is
        finite where data is NaN, of which the code does not speak. `program`: its trace on a call, perhaps of other sizes;
        `traces`: it can be traced as a whole.

        Raises:
            DiffersAtEdge: the rewrite's gradient is another at edges, and right elsewhere.
            DiffersBesideNan: it is not finite where data is made NaN, and right elsewhere.
            Differs: the rewrite's gradient is another.
        """
        self.cut = ""
        if not uncompiled.can_run() or not inputs:
            return ""
        first = self._apart(inputs[0])
        if not first.values:
            return self._of_floats(rewrite, inputs[0], seconds) if traces else ""
        if not (program is None or _any_floats(program.out_info)):
            return ""  # the sum of no floats has a gradient of zeros, in plain Python as well
        results = jax.tree_util.tree_leaves(None if program is None else program.out_info)
        self._floats = frozenset(k for k, leaf in enumerate(results) if is_real(leaf))
        deadline, for_ties = Deadline(seconds), Deadline(2 * seconds)  # the first of a session wait for what JAX compiles
        try:
            find = functools.partial(self._of_rewrite, rewrite, first, program)
            gradient = rerun(find, 2 * seconds) if traces else functools.partial(self._by_running, rewrite)
        except OutOfTime:
            self.cut = "gradients"
            return ""
        except (Exception, Effect) as error:
            if not any(self._plainly(given) is not None or id(given) in self._unknown for given in inputs[:MOST_INPUTS]):
                return ""  # plain Python's has none either
            return NO_REVERSE if "while_loop" in str(error) or "fori_loop" in str(error) else "jax.grad of it fails"
        compared = 0
        edges: dict[str, None] = {}
        tie = beside_nan = minded_nan = ""
        not_finite = _holds_none_finite(first.values)
        missing = self._missing(inputs[0])
        unminded = [] if self._minds_nan else [*(given for given in inputs if given.kind == "nan"), *missing]
        minded = [given for given in inputs if self._minds_nan or given.kind != "nan"]
        others = [*(missing if self._minds_nan else unminded[-6:]), *self._infinite(inputs[0])]
        own, ties = _in_order(minded), list(self._ties(inputs[0]))
        if program is None or at_edges.is_steep(program):
            ties += self._zero_parts(inputs[0])
            if program is None or at_edges.is_steep_at_one(program):
                ties.append(self._at_one(inputs[0]))
        if program is not None:
            ties += self._at_limits(inputs[0], at_edges.limits_of(program))
        if program is not None and at_edges.outgrows(program):
            ties += self._outgrowing(inputs[0])
        for given in [*own[:3], *ties, *own[3:], *others]:
            if (for_ties if any(given is tie for tie in ties) else deadline).over():
                self.cut = "gradients at edges and beside NaN" if compared else "gradients"
                break
            leaves = self._apart(given)
            got = gradient(leaves)
            if got is _REFUSED:
                if self._plainly(given) is not None:
                    raise Differs(f"jax.grad of it fails on {_words(given)}")
                continue  # plain Python's has none either
            if got is None or (
                _finite(got) and given.kind not in _TIES and (compared > 1 or given.kind in ("nan", "infinite"))
            ):
                continue
            want = self._of_plain(given)
            if want is None or not _finite(want):
                continue
            if not _finite(got) and given.kind == "nan" and self._minds_nan and _has_new_nan(leaves.values, first.values):
                minded_nan = "its gradient is not finite where data is NaN, where plain Python's is"
                continue
            if not _finite(got) and (kind := _edge(given, leaves)) in _EDGES:
                edges[_EDGES[kind]] = None
                continue
            if not _finite(got) and given.kind == "tied":
                continue  # it was moved to where the code may not be meant to be
            if not _finite(got) and (given.kind == "infinite" or any(given is one for one in unminded)):
                beside_nan = BESIDE_NAN
                continue
            if not _finite(got) and self._minds_nan and not_finite:
                minded_nan = minded_nan or (
                    f"its gradient is not finite on {_words(given)}, where plain Python's is: some of the call's data is not"
                )
                continue
            if not _finite(got):
                raise Differs(f"its gradient is not finite on {_words(given)}, where plain Python's is")
            compared += 1
            if _alike(got, want) or not self._has_floats(given):
                continue
            right = self._right_one(given, got, want)
            if right == "plain":
                raise Differs(f"its gradient is another on {_words(given)}")
            if right == "neither" and given.kind in ("call", *_TIES):
                tie = tie or f"its gradient is another at a tie{', as in this call' if given.kind == 'call' else ''}"
        if minded_nan:
            raise DiffersBesideNan(minded_nan)
        if edges or tie:
            lost = f"its gradient is not finite {' and '.join(edges)}, where plain Python's is"
            raise DiffersAtEdge(lost if edges else tie, beside_nan)
        return beside_nan

    def _of_rewrite(self, rewrite: Callable[..., Any], first: Leaves, program: Any) -> Callable[[Leaves], Any]:
        """What gives its gradient for leaves like these, None where that fails. It raises what JAX does."""

        @functools.cache
        def by_jax() -> Any:
            return jax.jit(jax.grad(total_of(rewrite, first))).trace(first.values, first.others)

        in_order, wanted = Leaves.in_order, first.places
        if program is None or not _takes(program, in_order(first)):
            program = jax.jit(total_of(rewrite, first)).trace(first.values, first.others)
            in_order, wanted = Leaves.one_by_one, range(len(first.values))
        variables = program.jaxpr.jaxpr.invars
        if not backward.can_go(program.jaxpr, wanted):
            if backward.is_one_way(program.jaxpr, wanted):
                raise OneWay("while_loop")
            by_jax()
            return lambda leaves: _gradient(by_jax(), leaves)

        def gradient(leaves: Leaves) -> Any:
            def backwards() -> Any:
                given = [as_operand(leaf, each.aval) for leaf, each in zip(in_order(leaves), variables, strict=True)]
                return backward.of_program(program.jaxpr, given, wanted, Watch(Deadline(SHORT)))

            try:
                return rerun(backwards)
            except NotKnown:
                try:
                    return _gradient(rerun(by_jax), leaves)
                except Exception:  # as of a sum into no elements
                    return _REFUSED
            except (Exception, OutOfTime, Effect):
                return None

        return gradient

    def _by_running(self, rewrite: Callable[..., Any], leaves: Leaves) -> Any:
        """The gradient of what only plain Python can run, None where that fails."""
        found = self._found(rewrite, leaves, "rewrite")
        return None if found is None else found[1]

    def one_way(self, rewrite: Callable[..., Any], given: Input, seconds: float) -> str:
        """Half a sentence where plain Python has a gradient, and JAX none through a loop of what only plain Python can run.
        What `compare` takes there goes back through such a loop."""
        leaves = self._apart(given)
        if not leaves.values or self._plainly(given) is None:
            return ""
        total = total_of(rewrite, leaves)
        try:
            rerun(lambda: jax.grad(lambda values: total(values, leaves.others))(leaves.values), seconds)
        except (Exception, OutOfTime, Effect) as error:
            return NO_REVERSE if "while_loop" in str(error) else ""
        return ""

    def _of_floats(self, rewrite: Callable[..., Any], given: Input, seconds: float) -> str:
        """Half a sentence where a call with floats for Python's integers, or for complex numbers, has a gradient, and the
        rewrite's loop has none."""
        if self._as_floats is None:
            self._as_floats = [in_floats(self._fun, given, self._static)]
        leaves = self._apart(self._as_floats[0])
        if not leaves.values or self._of_plain(self._as_floats[0]) is None:
            return ""
        try:
            rerun(functools.partial(self._of_rewrite, rewrite, leaves, None), seconds)
        except (Exception, OutOfTime, Effect) as error:
            return NO_REVERSE if "while_loop" in str(error) or "fori_loop" in str(error) else ""
        return ""

    def _ties(self, given: Input) -> Sequence[Input]:
        """Inputs in which floats are equal: near whole numbers, all of an array, these in groups of one size, two and two, all
        single numbers, and arrays above these, as limits."""
        if self._equal is None:
            values = leaves_of(self._fun, given, self._static).values
            flat = with_floats(self._fun, given, self._static, at_edges.flat)
            in_turn = with_whole_arrays(self._fun, flat, self._static, at_edges.in_turn)
            near = with_floats(self._fun, given, self._static, np.round)
            ties = [near, flat, in_turn]
            if any(np.size(value) > 2 for value in values):
                ties.append(with_floats(self._fun, given, self._static, at_edges.in_pairs))
            if sum(np.ndim(value) == 0 for value in values) > 1:
                ties.append(with_floats(self._fun, given, self._static, at_edges.numbers_alike))
            self._equal = [replace(each, kind="equal") for each in ties]
            leaves = jax.tree_util.tree_leaves((given.args, given.kwargs))
            if any(kind_of(leaf) == "b" and np.ndim(leaf) for leaf in leaves):
                lone = with_masks(self._fun, given, self._static, at_edges.first_alone)
                self._equal.append(replace(lone, kind="lone mask"))
            if any(np.ndim(value) for value in values):
                self._equal.append(replace(with_floats(self._fun, flat, self._static, at_edges.far_below), kind="tied"))
        return self._equal

    def _some_arrays(self, given: Input) -> Sequence[int]:
        """Which arrays of several are changed alone, counted from 0."""
        arrays = [value for value in leaves_of(self._fun, given, self._static).values if np.ndim(value)]
        return list(dict.fromkeys((0, 1, len(arrays) - 1))) if len(arrays) > 1 else []

    def _zero_parts(self, given: Input) -> Sequence[Input]:
        """Inputs in which one array of several is zero, the first row of each, or its first element; all of them beside single
        numbers that are not: `if norm < eps`."""
        if self._zeros is None:
            values = leaves_of(self._fun, given, self._static).values
            arrays = [value for value in values if np.ndim(value)]
            which = self._some_arrays(given)
            made = [with_one_array(self._fun, given, self._static, k, np.zeros_like) for k in which]
            rows = [at_edges.first_row_zero] if any(np.ndim(value) > 1 for value in arrays) else []
            changes = [*rows, at_edges.first_zero] if arrays else []
            changes += [at_edges.arrays_zero] if arrays and len(arrays) < len(values) else []
            made += [with_floats(self._fun, given, self._static, change) for change in changes]
            self._zeros = [replace(each, kind="zero part") for each in made]
        return self._zeros

    def _at_one(self, given: Input) -> Input:
        """An input of numbers 1 and of unit vectors."""
        if self._ones is None:
            self._ones = replace(with_floats(self._fun, given, self._static, unit), kind="unit")
        return self._ones

    def _at_limits(self, given: Input, limits: Sequence[float]) -> Sequence[Input]:
        """Inputs that meet the numbers of a minimum or maximum exactly, where JAX's passes half of the gradient."""
        for limit in limits:
            if limit not in self._met:
                change = functools.partial(at_edges.first_at, limit)
                self._met[limit] = replace(with_floats(self._fun, given, self._static, change), kind="tied")
        return [self._met[limit] for limit in limits]

    def _outgrowing(self, given: Input) -> Sequence[Input]:
        """Inputs far from 0 and from each other: what is left out may be infinite, as no number that counts is."""
        if self._outgrown is None:
            masked = with_masks(self._fun, given, self._static, at_edges.second_of_two)
            changes = [functools.partial(change, sign) for change in (at_edges.far_apart, at_edges.far_off) for sign in (1, -1)]
            made = [with_floats(self._fun, masked, self._static, change) for change in changes]
            self._outgrown = [replace(each, kind="outgrown") for each in made]
        return self._outgrown

    def _missing(self, given: Input) -> Sequence[Input]:
        """Inputs with NaN at other places than where the values were compared: at the end, in every second place, everywhere (a
        comparison lets none pass then, and what stands in its place is NaN as well), and in all of one array of several, beside
        which numbers are left whose gradient is 0 then."""
        if self._without is None:
            changes = (at_edges.nan_last, at_edges.nan_in_turn, at_edges.nan_everywhere)
            made = [with_floats(self._fun, given, self._static, change) for change in changes]
            self._without = [replace(each, kind="nan") for each in made]
            for k in self._some_arrays(given) if self._minds_nan else []:
                alone = with_one_array(self._fun, given, self._static, k, at_edges.nan_everywhere)
                self._without.append(replace(alone, kind="all nan"))
        return self._without

    def _infinite(self, given: Input) -> Sequence[Input]:
        """Inputs with one infinite number, of either sign in the middle, and among others that no limit lets pass; with single
        numbers that are infinite, as a limit is that is switched off."""
        if self._far is None:
            changes: list[Callable[[Any], Any]] = [functools.partial(at_edges.one_infinite, sign) for sign in (1, -1)]
            changes.append(at_edges.one_infinite_alone)
            if any(np.ndim(value) == 0 for value in leaves_of(self._fun, given, self._static).values):
                changes += [functools.partial(at_edges.all_limits, sign) for sign in (1, -1)]
            made = [with_floats(self._fun, given, self._static, change) for change in changes]
            self._far = [replace(each, kind="infinite") for each in made]
        return self._far

    def _apart(self, given: Input) -> Leaves:
        """`leaves_of` an input, which is asked for by each rewrite."""
        if id(given) not in self._leaves_of:
            self._leaves_of[id(given)] = given, leaves_of(self._fun, given, self._static)
        return self._leaves_of[id(given)][1]

    def _has_floats(self, given: Input) -> bool:
        """Whether plain Python gives arrays of floats, and no number of its own, which has no gradient."""
        result = self._plain.uncompiled(given, SHORT)
        if self.of_one_shape and shapes(result) != shapes(self._plain.first):
            return False
        kinds = [(kind_of(leaf), isinstance(leaf, float)) for leaf in jax.tree_util.tree_leaves(result)]
        return any(kind == "f" for kind, _ in kinds) and not any(own for _, own in kinds)

    def _of_plain(self, given: Input) -> Any:
        """Plain Python's gradient, or None where it has none, or no finite value."""
        found = self._plainly(given)
        if found is None or not np.isfinite(found[0]) or (self._plain.on_numpy and not self._is_whole(given, found[0])):
            return None
        return found[1]

    def _is_whole(self, given: Input, value: Any) -> bool:
        """Whether the run that is differentiated gave what the run itself gives: an array that a helper changes in place is
        another one for its caller there."""
        leaves = self._apart(given)
        total, same = total_of(self._plain.function, leaves), leaves.same("plain total")
        whole = self._plain.computed(lambda each: total(*each), [leaves.values, leaves.others], SHORT, same)
        return whole is None or bool(np.isclose(whole, value, rtol=_CLOSE, equal_nan=True))

    def _plainly(self, given: Input) -> Any:
        """Plain Python's value and gradient, or None where it has none."""
        key = id(given)
        if key not in self._known:
            leaves = self._apart(given)
            self._known[key] = self._found(self._plain.function, leaves, "plain")
            if self._plain.too_slow:
                self._unknown.add(key)
        return self._known[key]

    def _found(self, fun: Callable[..., Any], leaves: Leaves, whose: str) -> Any:
        """The value and gradient of what plain Python runs."""
        total, same = total_of(fun, leaves), leaves.same(f"{whose} total")
        try:
            return self._plain.gradient(lambda each: total(*each), leaves.values, leaves.others, SHORT, same)
        except NotKnown:
            pass
        both, same = jax.value_and_grad(total), leaves.same(f"{whose} gradient")
        return self._plain.computed(lambda each: both(*each), [leaves.values, leaves.others], SHORT, same)

    def _right_one(self, given: Input, got: Any, want: Any) -> str:
        """Whose gradient is right by small steps of plain Python's own results: "plain", "rewrite" (plain Python lost it in
        `float(x)`), "neither" (at a kink), or "" where they do not tell."""
        leaves = self._apart(given)
        for seed in (0, 1, 2):
            generator = np.random.default_rng(seed)
            way = [generator.choice((-1.0, 1.0), np.shape(v)) for v in leaves.values]
            expected, other = _along(want, way), _along(got, way)
            size = abs(expected - other)
            if size <= _CLOSE * max(abs(expected), abs(other), 1e-3):
                continue
            largest = max(float(np.nanmax(np.abs(np.asarray(v)), initial=1.0)) for v in leaves.values)
            step = _STEP * largest / 10
            ends = [self._at(leaves, way, sign * step) for sign in (1, -1, 0.5, -0.5)]
            if any(value is None for value in ends):
                return ""
            wide, narrow = (ends[0] - ends[1]) / (2 * step), (ends[2] - ends[3]) / step
            if abs(wide - narrow) > 0.2 * size:
                return ""
            if self._is_kink(ends, leaves, step):
                return "neither"
            near = [name for name, slope in (("plain", expected), ("rewrite", other)) if abs(narrow - slope) < 0.2 * size]
            return near[0] if near else "neither"
        return ""

    def _is_kink(self, ends: Sequence[Any], leaves: Leaves, step: float) -> bool:
        """Whether the slopes on the two sides differ."""
        here = self._at(leaves, [np.zeros(np.shape(v)) for v in leaves.values], 0.0)
        if here is None:
            return False
        left, right = (here - ends[1]) / step, (ends[0] - here) / step
        return bool(abs(left - right) > _CLOSE * max(abs(left), abs(right), 1e-3) * 5)

    def _at(self, leaves: Leaves, way: Sequence[Any], step: float) -> Any:
        moved = [
            as_jax((np.asarray(v, np.float64) + step * w).astype(v.dtype)) for v, w in zip(leaves.values, way, strict=True)
        ]
        total = total_of(self._plain.function, leaves, self._floats)
        same = leaves.same(f"plain total of {sorted(self._floats)}")
        found = self._plain.computed(lambda each: total(*each), [moved, leaves.others], SHORT, same)
        return None if found is None or not np.isfinite(found) else float(found)


def _edge(given: Input, leaves: Leaves) -> str:
    """The kind of an input: one that was varied until an array of it is all zeros, or all the same, is that edge."""
    arrays = [np.asarray(value) for value in leaves.values if np.size(value) > 1]
    if given.kind in _EDGES or given.kind == "call":
        return given.kind
    if any(not array.any() for array in arrays):
        return "zero"
    return "equal" if any((array == array.flat[0]).all() for array in arrays) else given.kind


def _any_floats(result: Any) -> bool:
    return any(map(is_real, jax.tree_util.tree_leaves(result)))


def _takes(program: Any, leaves: Sequence[Any]) -> bool:
    """Whether a program was traced for arguments like these."""
    avals = [variable.aval for variable in program.jaxpr.jaxpr.invars]
    return [(each.shape, each.dtype) for each in map(jax.typeof, leaves)] == [(each.shape, each.dtype) for each in avals]


def _gradient(traced: Any, leaves: Leaves) -> Any:
    try:
        return rerun(functools.partial(uncompiled.evaluate, traced, leaves.one_by_one(), Deadline(SHORT)))
    except (Exception, OutOfTime, Effect):
        return None


def _in_order(inputs: Sequence[Input]) -> list[Input]:
    """The call's own, then those that are not special, then edges."""
    special = [given for given in inputs if given.kind in ("zero", "nan")]
    others = [given for given in inputs if given.kind not in ("zero", "nan")]
    return [*others[:3], *special[:6], *others[3:]][:MOST_INPUTS]


def _finite(gradients: Any) -> bool:
    return all(np.all(np.isfinite(np.asarray(g))) for g in jax.tree_util.tree_leaves(gradients))


def _alike(got: Any, want: Any) -> bool:
    pairs = zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    return all(_near(np.asarray(a), np.asarray(b)) for a, b in pairs)


def _near(got: Any, want: Any) -> bool:
    wide, absolute = (5e-2, 2e-2) if want.dtype.itemsize < 4 else (1e-3, 1e-4)
    return bool(np.all(same_numbers(got, want, wide, absolute)))


def _has_new_nan(values: Sequence[Any], first: Sequence[Any]) -> bool:
    nan = ([bool(np.isnan(np.asarray(value, np.float64)).any()) for value in each] for each in (values, first))
    return any(has and not had for has, had in zip(*nan, strict=False))


def _holds_none_finite(values: Sequence[Any]) -> bool:
    return not all(np.isfinite(np.asarray(value, np.float64)).all() for value in values)


def _along(gradients: Any, way: Sequence[Any]) -> float:
    return float(sum(np.sum(np.asarray(g, np.float64) * w) for g, w in zip(gradients, way, strict=True)))


def _words(given: Input) -> str:
    if given.kind in ("left out", "none", "given", "static value"):
        return "some input"  # of a call that is named beside it
    return {"call": "the call's own input"}.get(given.kind, f"an input varied ({given.kind})")
