"""A loop until a tolerance: compiled, XLA rounds otherwise, and may end it a round earlier or later than plain Python.

Such a rewrite is right if both give the same operation by operation, which NumPy tells, and the compiled one gives nearly that.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import equations_in, within
from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.bounding import is_unended
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun, differs, parts_that_differ, same_dtypes, shapes
from jupyter_jitmagic.diagnosis.proof.leaves import as_array
from jupyter_jitmagic.diagnosis.proof.side_by_side import side_by_side
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import OutOfTime
from jupyter_jitmagic.sandbox.results import leaf_as_numbers, number_kind, same_numbers
from jupyter_jitmagic.source.units import plain_function

if TYPE_CHECKING:
    from jupyter_jitmagic.diagnosis.proof.plain import Plain

LATER = "compiled, XLA's rounding may end the loop a round earlier or later"
ANY_ROUND = "compiled, XLA's rounding may end the loop some rounds earlier or later"
SECONDS = 1.0  # for a plain run by NumPy
NUDGES = (1 + 3e-6, 1 - 3e-6)  # factors that change the last digits
_NEAR = 1e-2  # relative to the largest number
_TOLERANCE = 0.02  # what is not above it is a tolerance, perhaps
_ROUNDS, _SHARE = 2, 0.03  # by so many, or such a share, a count of rounds may differ


def other_rounds(
    plain: Plain,
    given: Input,
    got: Any,
    want: Any,
    exactly: Callable[[Input], Any] | None,
    rounding_decides: Callable[[Plain, Input, Any, Any], bool],
) -> str:
    """Half a sentence on how compiling alone makes the difference between two results; "" where it does not.

    Args:
        got, want: the rewrite's result and plain Python's, which differ.
        exactly: the rewrite, computed by NumPy.
        rounding_decides: whether plain Python's own result changes with the last digits of its input: a tolerance below what
            the floats can tell ends a loop anywhere.
    """
    if exactly is None or shapes(got) != shapes(want) or not same_dtypes(got, want):
        return ""
    counts = _counts(got, want)
    if counts is None:
        return ""
    if not alike_by_operations(plain, given, exactly):
        return ""
    if not counts:
        return LATER
    near = abs(counts[0] - counts[1]) <= max(_ROUNDS, _SHARE * abs(counts[1]))
    if not near and not rounding_decides(plain, given, got, want):
        return ""
    return f"{LATER if near else ANY_ROUND}: {counts[0]} here for {counts[1]}"


def alike_by_operations(plain: Plain, given: Input, exactly: Callable[[Input], Any]) -> bool:
    """Whether a rewrite gives plain Python's result where both are computed by NumPy, operation by operation."""
    try:
        by_operations = exactly(given)
    except CannotRun:
        return False
    plainly = plain.uncompiled(given, SECONDS)
    return plainly is not None and not differs(by_operations, plainly[0])


def stopped_by_rounding(given: Input, got: Any, want: Any, exactly: Callable[[Input], Any] | None) -> bool:
    """Whether a compiled loop was stopped that ends as plain Python's does where nothing is compiled (`exactly`)."""
    if exactly is None or not is_unended(got):
        return False
    try:
        return not differs(exactly(given), want)
    except CannotRun:
        return False


def _counts(got: Any, want: Any) -> tuple[int, ...] | None:
    """The two whole numbers that differ most, () where none does; None where the results are not near each other."""
    found: tuple[int, ...] = ()
    for one, other in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True):
        a, b = np.asarray(leaf_as_numbers(one)), np.asarray(leaf_as_numbers(other))
        if b.dtype.kind == "O":
            return None  # an integer of Python's beyond 64 bits
        if number_kind(b.dtype) in "fc":
            finite = np.abs(b[np.isfinite(b)])
            size = float(finite.max()) if finite.size else 0.0
            if not np.all(same_numbers(a, b, _NEAR, _NEAR * size)):
                return None
        elif not np.array_equal(a, b):
            if b.ndim or b.dtype.kind not in "iu":
                return None
            new = int(a), int(b)
            found = max(found or new, new, key=lambda pair: abs(pair[0] - pair[1]))
    return found


def rounding_decides(plain: Plain, given: Input, got: Any, want: Any) -> bool:
    """Whether the plain function itself gives another result when its input changes in the last digits, or is in float32."""
    arrays = [] if plain.asks_for_kinds else [plain.variations.canonical(given)]
    nudged = [plain.variations.nudged(given, factor) for factor in NUDGES]
    nudged += [plain.variations.nudged_apart(given, factor - 1) for factor in NUDGES]
    run = functools.partial(plain.run, seconds=plain.for_another())  # also where the time for varied inputs is over
    return explained_by_rounding(run, plain.was_stopped, arrays, nudged, got, want)


def explained_by_rounding(
    run: Callable[[Input], Any],
    was_stopped: Callable[[Input], bool],
    arrays: Sequence[Input],
    nudged: Sequence[Input],
    got: Any,
    want: Any,
) -> bool:
    """Whether `run` gives another result for one of these inputs in every part that differs here, as what rounding decides in
    one part excuses no other.

    Args:
        run: plain Python's result for an input, in a tuple; None where it gives none.
        was_stopped: whether a run gave none for want of time: then it is not known what rounding does.
        arrays: the input with arrays of JAX in the place of Python's numbers.
        nudged: the input with other last digits.
        got, want: the rewrite's result and plain Python's, which differ.
    """
    differing = parts_that_differ(got, want)
    for other in (*arrays, *nudged):
        again = run(other)
        if again is None and any(other is each for each in arrays):
            continue  # it is not served with arrays of JAX, which is no word about rounding
        if again is None and was_stopped(other):
            continue
        if again is None or not differs(got, again[0]):
            return True
        differing -= parts_that_differ(again[0], want)
        if not differing:
            return True
    return False


_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_CONVERT = "convert_element_type"
_EXACT = 1 << 10
"""Steps that are multiples of one part in so many add up without rounding."""


def may_end_elsewhere(plain: Plain, program: Any, leaves: Sequence[Any]) -> str:
    """The same half sentence where no input showed it: a loop ends by a comparison of floats, and a whole number is given back
    that may be the count of its rounds; or IN_SINGLE where it ends by a sum of Python's floats, as ``while t < 1.0: t += dt``.

    Args:
        leaves: what the program takes.
    """
    results = [np.asarray(leaf_as_numbers(leaf)) for leaf in jax.tree_util.tree_leaves(plain.first)]
    counted = any(leaf.ndim == 0 and leaf.dtype.kind in "iu" for leaf in results)
    if counted and any(map(_compares_floats, _tests(program.jaxpr))):
        return LATER
    function = plain_function(plain.function)
    left_out = function.__defaults__ or () if function is not None else ()  # another call may give them as 0.1
    return IN_SINGLE if not jax.config.jax_enable_x64 and _adds_up_in_double(program.jaxpr.jaxpr, leaves, left_out) else ""


def _adds_up_in_double(jaxpr: Any, leaves: Sequence[Any], left_out: Sequence[Any]) -> bool:
    """Whether a loop of a program, none within another, ends by a float that begins as one of Python's and to which such a one
    is added in each round: plain Python adds them up with 64 bits."""
    own = {var for var, leaf in zip(jaxpr.invars, leaves, strict=False) if isinstance(leaf, float)}

    def is_own(var: Any) -> bool:  # a literal has a value
        return hasattr(var, "val") or var in own

    for equation in jaxpr.eqns:
        if equation.primitive.name == _CONVERT and is_own(equation.invars[0]):
            own.update(equation.outvars)
        if equation.primitive.name != "while":
            continue
        test, body = equation.params["cond_jaxpr"].jaxpr, equation.params["body_jaxpr"].jaxpr
        of_test, of_body = equation.params["cond_nconsts"], equation.params["body_nconsts"]
        compared = {var for each in test.eqns if each.primitive.name in _COMPARISONS for var in each.invars if not is_own(var)}
        compared |= {each.invars[0] for each in test.eqns if each.primitive.name == _CONVERT and each.outvars[0] in compared}
        given = dict(zip(body.invars, equation.invars[of_test:], strict=True))
        made = {each.outvars[0]: each for each in body.eqns if each.primitive.name in ("add", "add_any", "sub")}
        for k, (carried, out) in enumerate(zip(body.invars[of_body:], body.outvars, strict=True)):
            step = made.get(out) if not hasattr(out, "val") else None
            if step is None or number_kind(out.aval.dtype) != "f" or carried not in step.invars or not is_own(given[carried]):
                continue
            added = next((var for var in step.invars if var is not carried), carried)
            constant = added in body.invars[:of_body] and is_own(given[added])
            inexact = hasattr(added, "val") and (_is_one_of(added.val, left_out) or not float(_EXACT * added.val).is_integer())
            if test.invars[of_test + k] in compared and (constant or inexact):
                return True
    return False


def _is_one_of(number: Any, values: Sequence[Any]) -> bool:
    return any(isinstance(value, float) and value == number for value in values)


NEVER = (
    "compiled, in single precision, the loop may never meet its tolerance and not end where numbers are large, or the "
    "tolerance is small: plain Python computes in double"
)
_OTHER, _SMALLER = (1234.5, 98765.4, 43210.7, 0.37, 0.61, 1.71, 7.3), 1e-6
_LARGE = 12345.6  # all floats so much larger: a bisection then ends among numbers between which 32 bits leave wide gaps
_PATIENCE = 20  # times as long as plain Python, and not less than a moment, a loop by NumPy may take
_LATER = 4  # times as long as it takes on the call, and not less than that
_MOMENT = 0.03


def may_never_end(plain: Plain, program: Any, by_numpy: Callable[[float], Callable[[Input], Any]], seconds: float) -> str:
    """NEVER where a loop ends by a comparison of floats, which are Python's, and finds no end on numbers on which plain
    Python's does. `by_numpy`: the rewrite, computed within so many seconds."""
    varied = plain.variations
    deadline = Deadline(seconds)
    floats = _of_tests(plain, program)[:3]
    own = ((k, varied.leaves[k]) for k in floats)
    factors = ((k, value, factor) for k, value in own for factor in (_OTHER if abs(value) > _TOLERANCE else (_SMALLER,)))
    others = (varied.replaced({k: value * factor}, "larger") for k, value, factor in factors)
    together = itertools.islice(varied.far(_LARGE), 1) if floats else ()
    patience = float(_PATIENCE)
    for given in itertools.chain([varied.call()] if floats else [], others, together):
        begin = time.thread_time()
        found = plain.uncompiled(given, min(_MOMENT, deadline.left()))
        if deadline.over():
            return ""
        if found is None:
            continue
        took, left = time.thread_time() - begin, deadline.left()
        most = left if given.kind == "call" else max(_MOMENT, patience * took)
        begin = time.thread_time()
        try:
            by_numpy(min(most, left))(given)
        except CannotRun as error:
            if str(error).startswith(OutOfTime.__name__):
                return NEVER if most < left else ""
        if given.kind == "call" and took > 0:  # on which it was compared: it has an end, and takes so much longer
            patience = max(patience, _LATER * (time.thread_time() - begin) / took)
    return ""


IN_SINGLE = "compiled code counts in 32 bits, plain Python in 64: steps as 0.1, added up to a limit, may be one more or less"
_STEPS = (0.1, 0.3, 1.0, 2.0)


def may_count_otherwise(plain: Plain, program: Any, by_numpy: Callable[[float], Callable[[Input], Any]], seconds: float) -> str:
    """IN_SINGLE where a loop ends by a comparison of floats, which are Python's, and gives something else with steps or limits
    that 32 bits round: the numbers of the call may be such as 0.25, with which it does not."""
    varied = plain.variations
    deadline = Deadline(seconds)
    inputs = (
        varied.replaced({k: math.copysign(step, varied.leaves[k])}, "decimal")
        for step, k in itertools.product(_STEPS, _of_tests(plain, program)[:8])
    )
    both = side_by_side(plain.uncompiled, lambda given: by_numpy(deadline.left())(given), inputs, _MOMENT, deadline)
    return IN_SINGLE if any(differs(got, want) for _, got, want in both) else ""


def counts_in_single(plain: Plain, given: Input, got: Any) -> bool:
    """Whether plain Python itself gives a rewrite's result where its numbers are of 32 bits, as compiled code has them."""
    left_out = _float_defaults(plain.function, given)
    own = left_out or any(isinstance(leaf, float) for leaf in plain.variations.leaves)
    if jax.config.jax_enable_x64 or plain.asks_for_kinds or not own:
        return False
    canonical = plain.variations.canonical(given)
    again = plain.run(replace(canonical, kwargs=canonical.kwargs | left_out))
    return again is not None and not differs(got, again[0])


def _float_defaults(function: Any, given: Input) -> dict[str, Any]:
    """Python's floats that stand for what a call leaves out, as the arrays that `jax.jit` makes of numbers."""
    plain = plain_function(function)
    if plain is None:
        return {}
    own = inspect.signature(plain)
    try:
        taken = own.bind(*given.args, **given.kwargs).arguments
    except TypeError:  # a method's object is given apart
        return {}
    left = {name: each for name, each in own.parameters.items() if name not in taken and each.kind is not each.POSITIONAL_ONLY}
    return {name: as_array(each.default) for name, each in left.items() if isinstance(each.default, float)}


def _of_tests(plain: Plain, program: Any) -> list[int]:
    """Python's floats and NumPy's, as places among the leaves, where a loop ends by a comparison of floats: of 32 bits, as
    compiled code has them."""
    if jax.config.jax_enable_x64 or not any(map(_compares_floats, _tests(program.jaxpr))):
        return []
    return [k for k in plain.variations.floats if _is_double(plain.variations.leaves[k])]


def _is_double(leaf: Any) -> bool:
    """Whether a number is Python's float or an array of NumPy's with no axes, which have 64 bits."""
    return isinstance(leaf, float) or (isinstance(leaf, np.ndarray) and leaf.ndim == 0 and leaf.dtype == np.float64)


def ends_by_floats(jaxpr: Any) -> bool:
    """Whether a loop of a closed jaxpr ends, or does nothing any more, by a comparison of floats: where it does, every
    rounding counts, and only code that is made as the user's jit makes it tells (all but surely: its rounds are counted)."""
    flags = (_leading_to(equation.params["jaxpr"].jaxpr, ()) for equation in equations_in(jaxpr) if _is_scan(equation))
    return any(map(_compares_floats, itertools.chain(_tests(jaxpr), flags)))


def _is_scan(equation: Any) -> bool:
    return bool(equation.primitive.name == "scan")


def _tests(jaxpr: Any) -> Iterator[list[Any]]:
    """What the tests of a program's loops consist of, those within others too: its equations."""
    for equation in equations_in(jaxpr):
        if equation.primitive.name == "while":
            yield [*equation.params["cond_jaxpr"].jaxpr.eqns, *_flags_of(equation)]


def _flags_of(loop: Any) -> list[Any]:
    """What a round computes the flags of, by which its loop ends: `while True: … if error < tol: break`."""
    test, body = loop.params["cond_jaxpr"].jaxpr, loop.params["body_jaxpr"].jaxpr
    return _leading_to(body, test.invars[loop.params["cond_nconsts"] :])


def _leading_to(body: Any, carried: Sequence[Any]) -> list[Any]:
    """The equations of a round that the flags among its results come from: of those `carried`, where they are given."""
    results = [out for out in body.outvars if not hasattr(out, "val")]
    if carried:
        pairs = zip(carried, body.outvars, strict=True)
        results = [out for var, out in pairs if var.aval.dtype == bool and not hasattr(out, "val")]
    wanted = {out for out in results if out.aval.dtype == bool}
    found = []
    for equation in reversed(body.eqns):
        if wanted.intersection(equation.outvars):
            found.append(equation)
            wanted.update(var for var in equation.invars if not hasattr(var, "val"))
    return found


BY_EQUALITY = "compiled, XLA's rounding may decide otherwise whether computed floats are equal (`==`, `!=`)"
_SUMS, _PRODUCTS = ("add", "add_any", "sub"), ("mul", "div")


def decides_by_equality(jaxpr: Any) -> bool:
    """Whether a program asks floats that round otherwise where they are compiled whether they are equal: a sum takes the
    product in it unrounded (FMA), and a quotient by a constant is a product. What JAX's own functions compute is compiled in
    plain Python as well."""
    rounds: set[Any] = set()
    products: set[Any] = set()
    for equation in jaxpr.eqns:
        name, operands = equation.primitive.name, [var for var in equation.invars if not hasattr(var, "val")]
        inner = [] if name in _CALLS else [*within(equation)]
        if any(map(decides_by_equality, inner)):
            return True
        if name in ("eq", "ne") and not rounds.isdisjoint(operands):
            return True
        of_floats = number_kind(equation.outvars[0].aval.dtype) == "f" if equation.outvars else False
        if not of_floats or name in _CALLS:
            continue
        if name in _PRODUCTS or (name in _SAME and not products.isdisjoint(operands)):
            products.update(equation.outvars)
        if (name in _SUMS and not products.isdisjoint(operands)) or not rounds.isdisjoint(operands):
            rounds.update(equation.outvars)
    return False


_CALLS = ("jit", "pjit", "custom_jvp_call", "custom_vjp_call")
_SAME = (_CONVERT, "broadcast_in_dim", "reshape", "squeeze", "neg", "copy")


def _compares_floats(equations: Sequence[Any]) -> bool:
    return any(
        (equation.primitive.name in _COMPARISONS and number_kind(equation.invars[0].aval.dtype) == "f")
        or any(_compares_floats(inner.eqns) for inner in within(equation))
        for equation in equations
    )
