"""Gradients of what runs without compiling: its operations taken backwards, one by one, each by JAX's own rule.

`jax.grad` takes a function apart anew at each call, which costs a hundred times what the numbers do. Here JAX is asked for its
rule once for each kind of operation (`backward_rules`). What takes part in no gradient stays None, as JAX's symbolic zeros do:
0 times infinity would be NaN. Where a rule is not known, `NotKnown` says that JAX itself has to be asked.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import trace_parts
from jupyter_jitmagic.diagnosis.uncompiled.backward_rules import (
    FLAT,
    Flags,
    NotKnown,
    Pull,
    Refused,
    has_rule,
    rule_of,
    rule_of_numbers,
    rule_of_place,
)
from jupyter_jitmagic.diagnosis.uncompiled.indexing import Place
from jupyter_jitmagic.diagnosis.uncompiled.programs import (
    Operation,
    Program,
    Values,
    Watch,
    plain_value,
    program_of,
    scan_order,
    scan_parts,
)
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Tape
from jupyter_jitmagic.sandbox.limit import OutOfTime

_parts: Any = trace_parts()
_GOLDEN = (math.sqrt(5) - 1) / 2
Step = tuple[Operation, Sequence[int], Sequence[int]]
"""An operation with the places of its operands and its results."""


def of_tape(tape: Tape, count: int, watch: Watch) -> list[Any]:
    """The gradient of a run's one result in the first `count` of its values.

    Raises:
        NotKnown: JAX has to tell.
        OutOfTime: the watch's deadline is over.
    """
    values = tape.values
    cotangents = {tape.result: np.ones_like(values[tape.result])} if tape.result >= 0 else {}
    with np.errstate(all="ignore"):
        _sweep(tape.steps, values, set(range(count)), cotangents, watch)
    return [_or_zeros(cotangents.get(k), values[k]) for k in range(count)]


def of_program(closed: Any, args: Values, wanted: Sequence[int], watch: Watch) -> list[Any]:
    """The gradient of the weighted sum of all floats that a program gives (`weights`), in those of its arguments.

    Raises:
        NotKnown: JAX has to tell.
        OutOfTime: the watch's deadline is over.
    """
    program = program_of(closed.jaxpr)
    flags = [k in wanted for k in range(len(args))]
    with np.errstate(all="ignore"):
        values = program.values(list(map(plain_value, closed.consts)), args, watch)
        found = _through(program, values, _first_cotangents([values[k] for k in program.out]), flags, watch)
    return [_or_zeros(found[k], args[k]) for k in wanted]


def can_go(closed: Any, wanted: Sequence[int]) -> bool:
    """Whether `of_program` has a rule for each operation that may take part, on every way through the program: so that what
    JAX cannot differentiate is found by JAX."""
    return _rules_of(closed.jaxpr, [k in wanted for k in range(len(closed.jaxpr.invars))]) is not None


def _rules_of(jaxpr: Any, active: Flags) -> list[bool] | None:
    """Which results of a program take part where these arguments do; None where an operation has no rule."""
    known = {variable for variable, is_active in zip(jaxpr.invars, active, strict=True) if is_active}
    for equation in jaxpr.eqns:
        given = [not hasattr(atom, "val") and atom in known for atom in equation.invars]
        if not any(given):
            continue
        name, params = equation.primitive.name, equation.params
        if any(_is_complex(atom.aval) for atom in equation.outvars):
            return None
        inner: list[tuple[Any, Flags]] = []
        if name in _JITTED:
            inner = [(params["jaxpr"], given)]
        elif name == "cond":
            inner = [(branch, given[1:]) for branch in params["branches"]]
        elif name == "scan":
            if params["length"] > MANY_ROUNDS:
                return None
            inner = [(params["jaxpr"], [_has_floats(atom.aval) for atom in _open(params["jaxpr"]).invars])]
        elif not has_rule(name) and any(map(_is_float, equation.outvars)):
            return None
        if any(_rules_of(_open(program), flags) is None for program, flags in inner):
            return None
        known.update(filter(_is_float, equation.outvars))
    return [not hasattr(atom, "val") and atom in known for atom in jaxpr.outvars]


def is_one_way(closed: Any, wanted: Sequence[int]) -> bool:
    """Whether what a program gives goes through a loop that has no reverse mode, for certain; else JAX has to tell."""
    jaxpr = closed.jaxpr
    return _goes_round(jaxpr, [k in wanted for k in range(len(jaxpr.invars))], list(map(_is_float, jaxpr.outvars)))


def _goes_round(jaxpr: Any, active: Flags, wanted: Flags) -> bool:
    """Whether floats that are wanted go from an active argument through the state of a while loop."""
    known = {variable for variable, flag in zip(jaxpr.invars, active, strict=True) if flag}
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name not in (*_JITTED, "cond", "scan", "while") and not has_rule(name) and any(map(_is_float, equation.outvars)):
            return False
        if name not in FLAT and any(not hasattr(atom, "val") and atom in known for atom in equation.invars):
            known.update(filter(_is_float, equation.outvars))
    needed = {atom for atom, flag in zip(jaxpr.outvars, wanted, strict=True) if flag and not hasattr(atom, "val")}
    for equation in reversed(jaxpr.eqns):
        out = [atom in needed for atom in equation.outvars]
        if not any(out):
            continue
        name, params = equation.primitive.name, equation.params
        given = [not hasattr(atom, "val") and atom in known for atom in equation.invars]
        inner: list[tuple[Any, Flags]] = []
        if name == "while":
            state = _after_rounds(params, given) or given[_constants(params) :]
            if any(a and b for a, b in zip(state, out, strict=True)):
                return True
        elif name in _JITTED:
            inner = [(params["jaxpr"], given)]
        elif name == "cond":
            inner = [(branch, given[1:]) for branch in params["branches"]]
        if any(_goes_round(_open(program), flags, out) for program, flags in inner):
            return True
        if name not in FLAT:
            needed.update(atom for atom in equation.invars if not hasattr(atom, "val") and _is_float(atom))
    return False


def _depending(jaxpr: Any, active: Flags) -> list[bool] | None:
    """Which floats that a program gives depend on active arguments by floats; None where an operation is not known."""
    known = {variable for variable, flag in zip(jaxpr.invars, active, strict=True) if flag}
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        given = [not hasattr(atom, "val") and atom in known for atom in equation.invars]
        if name in FLAT or not any(given) or not any(map(_is_float, equation.outvars)):
            continue
        if name in _JITTED:
            out = _depending(_open(params["jaxpr"]), given)
        elif name == "while":
            out = _after_rounds(params, given)
        elif name == "cond":
            ways = [_depending(_open(each), given[1:]) for each in params["branches"]]
            out = None if None in ways else [any(each) for each in zip(*filter(None, ways), strict=True)]
        else:
            out = [True] * len(equation.outvars) if has_rule(name) else None
        if out is None:
            return None
        known.update(atom for atom, flag in zip(equation.outvars, out, strict=True) if flag and _is_float(atom))
    return [not hasattr(atom, "val") and atom in known for atom in jaxpr.outvars]


def _after_rounds(params: dict[str, Any], given: Flags) -> list[bool] | None:
    """Which floats of a while loop's state depend on its active operands after any number of rounds: what begins as a fixed
    number may be computed of an active one in the first."""
    first = params["cond_nconsts"]
    constants, state = list(given[first : _constants(params)]), list(given[_constants(params) :])
    while True:
        after = _depending(_open(params["body_jaxpr"]), [*constants, *state])
        if after is None:
            return None
        joined = [before or now for before, now in zip(state, after, strict=True)]
        if joined == state:
            return state
        state = joined


def _constants(params: dict[str, Any]) -> int:
    return int(params["cond_nconsts"]) + int(params["body_nconsts"])


def _is_float(atom: Any) -> bool:
    return _has_floats(atom.aval)


def _has_floats(aval: Any) -> bool:
    dtype = getattr(aval, "dtype", None)
    return dtype is not None and bool(jax.dtypes.issubdtype(dtype, np.floating))


def _is_complex(aval: Any) -> bool:
    dtype = getattr(aval, "dtype", None)  # that of a key is none of NumPy's
    return dtype is not None and bool(jax.dtypes.issubdtype(dtype, np.complexfloating))


def _open(program: Any) -> Any:
    return getattr(program, "jaxpr", program)


# -- a run, backwards -----------------------------------------------------------------------------------


def _sweep(steps: Sequence[Step], values: Values, active: set[int], cotangents: dict[int, Any], watch: Watch) -> None:
    """Add the cotangents of all that leads from the active places to those whose cotangents are given."""
    for compute, given, out in steps:
        if not active.isdisjoint(given):
            if compute is own_rule:
                raise NotKnown("a rule of its own")
            if (how := _READINGS.get(compute)) is not None and _is_refused(how):
                raise Refused(f"{how} of what is differentiated")
            if how is not None:
                raise NotKnown(how)
            active.update(k for k in out if _differentiable(values[k]))
    for compute, given, out in reversed(steps):
        found = [cotangents.get(k) for k in out]
        if all(each is None for each in found) or active.isdisjoint(given):
            continue
        watch.tick()
        try:
            pulled = _pull_of(compute)([values[k] for k in given], found, [k in active for k in given], watch)
        except (NotKnown, OutOfTime):
            raise
        except Exception as error:
            raise NotKnown(f"{type(error).__name__}: {error}") from error
        for k, cotangent in zip(given, pulled, strict=True):
            if cotangent is None or k not in active:
                continue
            if cotangent.shape != values[k].shape or cotangent.dtype != values[k].dtype:
                raise NotKnown("a cotangent of another form")
            cotangents[k] = cotangents[k] + cotangent if k in cotangents else cotangent


def own_rule(args: Values, watch: Watch) -> Values:
    """Stands in a run where a function begins that has its own rule for being differentiated."""
    return []


def reading(how: str) -> Operation:
    """Stands in a run where Python reads an array in this way (`READERS`)."""
    return _MARKS[how]


READERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "complex": complex,
    "an array of NumPy": np.asarray,
    "a text": lambda x: format(x, ".2f"),
    "a list": lambda x: x.tolist(),
    "bytes": lambda x: x.tobytes(),
}
"""Ways to read an array for which it is no matter of course that they go under `jax.grad`."""
_MARKS: dict[str, Operation] = {how: lambda args, watch, _=how: [] for how in READERS}  # type: ignore[misc]
_READINGS = {mark: how for how, mark in _MARKS.items()}


@functools.cache
def _is_refused(how: str) -> bool:
    """Whether this JAX refuses it where it is differentiated."""

    def read(x: Any) -> Any:
        READERS[how](x)
        return x

    try:
        with _parts.eval_context():
            jax.grad(read)(1.0)
    except Exception:
        return True
    return False


def _differentiable(value: Any) -> bool:
    if type(value) is not np.ndarray:
        return False
    if value.dtype.kind == "c":
        raise NotKnown("complex numbers")
    return value.dtype.kind == "f" or (value.dtype.kind == "V" and _has_floats(value))


def _through(
    program: Program,
    values: Values,
    cotangents: Values,
    wanted: Flags,
    watch: Watch,
    places: Sequence[int] | None = None,
) -> list[Any]:
    """The cotangents of a program's arguments (or of what is in these `places`), of those of its results and all that was
    computed in it."""
    places = program.given if places is None else places
    found: dict[int, Any] = {}
    for k, cotangent in zip(program.out, cotangents, strict=True):
        if cotangent is not None and _differentiable(values[k]):
            found[k] = found[k] + cotangent if k in found else cotangent
    active = {k for k, is_wanted in zip(places, wanted, strict=True) if is_wanted and _differentiable(values[k])}
    _sweep(program.steps, values, active, found, watch)
    return [found.get(k) if k in active else None for k in places]


def _or_zeros(cotangent: Any, value: Any) -> Any:
    return np.zeros(np.shape(value), np.asarray(value).dtype) if cotangent is None else cotangent


def weights(shape: tuple[int, ...], first: int) -> Any:
    """Factors from 1 to 2 for the elements of a result, of which `first` come before: 1 for the first of all, another for each
    that follows, so that no errors (and no gradients, as of what is normalized) cancel in a sum.

    Source: the fractional parts of multiples of the golden ratio, D. Knuth, The Art of Computer Programming, vol. 3, 6.4.
    """
    places = first + np.arange(math.prod(shape)).reshape(shape)
    return 1 + places * _GOLDEN % 1


def _first_cotangents(results: Values) -> list[Any]:
    """The weights of results that have a gradient, None for others."""
    starts = itertools.accumulate((np.size(value) for value in results), initial=0)
    return [
        weights(np.shape(value), first).astype(value.dtype) if _differentiable(value) else None
        for value, first in zip(results, starts, strict=False)
    ]


# -- operations, backwards ------------------------------------------------------------------------------


def _pull_of(compute: Any) -> Pull:
    owner = getattr(compute, "__self__", None)
    if type(owner) is Place:
        return rule_of_place(owner, compute.__name__)
    known: Pull | None = getattr(compute, "backwards", None)
    if known is None:
        known = compute.backwards = _made_ready(compute)
    return known


def _made_ready(compute: Operation) -> Pull:
    if (jaxpr := getattr(compute, "open_program", None)) is not None:
        return _of_open(jaxpr)
    if (program := getattr(compute, "program", None)) is not None:
        return _of_jitted(program)
    if (numbers := getattr(compute, "numbers", None)) is not None:
        return rule_of_numbers(numbers)
    found = getattr(compute, "equation", None)
    if found is None:
        raise NotKnown(str(compute))
    primitive, params = found
    name = primitive.name
    return _STRUCTURED[name](params) if name in _STRUCTURED else rule_of(primitive, params)


def _of_jitted(closed: Any) -> Pull:
    program, consts = program_of(_open(closed)), list(map(plain_value, getattr(closed, "consts", ())))

    def pull(args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
        return _through(program, program.values(consts, args, watch), cotangents, wanted, watch)

    return pull


def _of_open(jaxpr: Any) -> Pull:
    """A program whose constants are its first operands."""
    program = program_of(jaxpr)
    count = len(program.consts)

    def pull(args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
        values = program.values(args[:count], args[count:], watch)
        return _through(program, values, cotangents, wanted, watch, [*program.consts, *program.given])

    return pull


def _of_cond(params: dict[str, Any]) -> Pull:
    branches = [_of_jitted(each) for each in params["branches"]]
    reached = functools.cache(lambda given: [_reaches(_open(each), given) for each in params["branches"]])

    def pull(args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
        chosen = min(max(int(args[0]), 0), len(branches) - 1)
        found = list(branches[chosen](args[1:], cotangents, wanted[1:], watch))
        met = reached(tuple(each is not None for each in cotangents))
        for k, value in enumerate(args[1:]):  # one that another branch would use gets zeros, and not nothing
            if found[k] is None and wanted[k + 1] and any(each[k] for each in met):
                found[k] = np.zeros_like(value)
        return [None, *found]

    return pull


def _reaches(jaxpr: Any, wanted: Flags) -> list[bool]:
    """Which arguments of a program those of its results depend on by floats."""
    needed = {atom for atom, is_wanted in zip(jaxpr.outvars, wanted, strict=True) if is_wanted and not hasattr(atom, "val")}
    for equation in reversed(jaxpr.eqns):
        if equation.primitive.name not in FLAT and not needed.isdisjoint(equation.outvars):
            needed.update(atom for atom in equation.invars if not hasattr(atom, "val") and _is_float(atom))
    return [variable in needed for variable in jaxpr.invars]


def _of_scan(params: dict[str, Any]) -> Pull:
    if params["length"] > MANY_ROUNDS:
        raise NotKnown("a scan of many rounds")
    closed = params["jaxpr"]
    body, of_body = program_of(_open(closed)), list(map(plain_value, getattr(closed, "consts", ())))

    def pull(args: Values, cotangents: Values, wanted: Flags, watch: Watch) -> Values:
        constants, carried = scan_parts(params, args)
        fixed, state, rows = list(args[:constants]), list(args[constants : constants + carried]), args[constants + carried :]
        kept = []
        for k in scan_order(params):
            values = body.values(of_body, [*fixed, *state, *(plain_value(row[k]) for row in rows)], watch)
            kept.append((k, values))
            state = [values[place] for place in body.out[:carried]]
        flags = [*wanted[:constants], *map(_differentiable, state), *wanted[constants + carried :]]
        carry = [
            _or_zeros(each, value) if _differentiable(value) else None
            for each, value in zip(cotangents[:carried], state, strict=True)
        ]
        of_fixed = [np.zeros_like(value) if flag else None for value, flag in zip(fixed, wanted, strict=False)]
        of_rows = [np.zeros_like(row) if flag else None for row, flag in zip(rows, wanted[constants + carried :], strict=True)]
        for k, values in reversed(kept):
            of_out = [*carry, *(None if each is None else each[k] for each in cotangents[carried:])]
            found = _through(body, values, of_out, flags, watch)
            of_fixed = [a if a is None or b is None else a + b for a, b in zip(of_fixed, found, strict=False)]
            before = found[constants : constants + carried]
            carry = [
                None if old is None else np.zeros_like(old) if new is None else new
                for old, new in zip(carry, before, strict=True)
            ]
            for row, new in zip(of_rows, found[constants + carried :], strict=True):
                if row is not None and new is not None:
                    row[k] = new
        return [*of_fixed, *carry, *of_rows]

    return pull


_STRUCTURED: dict[str, Callable[[dict[str, Any]], Pull]] = {
    "jit": lambda params: _of_jitted(params["jaxpr"]),
    "pjit": lambda params: _of_jitted(params["jaxpr"]),
    "cond": _of_cond,
    "scan": _of_scan,
}
_JITTED = ("jit", "pjit")
MANY_ROUNDS = 10  # of a scan; JAX's own program for them runs sooner
