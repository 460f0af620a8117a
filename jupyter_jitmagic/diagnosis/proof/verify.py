"""Whether a rewrite gives plain Python's results: both are run, on the call's own inputs and on varied ones."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from jupyter_jitmagic.diagnosis.proof.arguments import Input, traced_leaves
from jupyter_jitmagic.diagnosis.proof.decimals import DECIMAL, IN_DOUBLE, OWN_DECIMAL, OWN_IN_DOUBLE
from jupyter_jitmagic.diagnosis.proof.differing import (
    COMPLEX,
    NEVER_WHOLE,
    OF_NO_ITEMS,
    REPEATS_NUMBER,
    CannotRun,
    Differs,
    DiffersInSingle,
    as_promised,
    differs,
    differs_on,
    is_one_of_both,
    is_wider,
    lost_to_nan,
    never_whole,
    repeats_number,
    same_dtypes,
    shapes,
    too_large,
    weak_type_note,
    wider_words,
    with_empties_of,
    with_even_lists,
    with_whole_nan_of,
)
from jupyter_jitmagic.diagnosis.proof.in_place import ON_NUMPY, STAYS
from jupyter_jitmagic.diagnosis.proof.leaves import kind_of
from jupyter_jitmagic.diagnosis.proof.ordering import UNORDERED, loses_order
from jupyter_jitmagic.diagnosis.proof.own_numbers import (
    OUTSIDE,
    is_outside,
    nan_for_a_number,
    otherwise_as_arrays,
    turns_complex,
)
from jupyter_jitmagic.diagnosis.proof.plain import Plain, why_it_failed
from jupyter_jitmagic.diagnosis.proof.raising import goes_on, words
from jupyter_jitmagic.diagnosis.proof.rounding import (
    ANY_ROUND,
    LATER,
    NEVER,
    SECONDS,
    alike_by_operations,
    counts_in_single,
    other_rounds,
    rounding_decides,
    stopped_by_rounding,
)
from jupyter_jitmagic.diagnosis.types import Comparison
from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.copies import fresh
from jupyter_jitmagic.sandbox.order_of_keys import (
    GOES_BY_KEYS,
    in_order_of_keys,
    is_in_another_order,
    turned_round,
)
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.source.units import NoSource

_SOME = 8
"""On so many inputs at most it is looked which dtypes plain Python gives."""
OVERLAP = "overlap"  # of `Step.excludes`: inputs that plain Python gives another shape, as the rewrite says


def by_numpy(fun: Callable[..., Any], traced: Any, static: Sequence[str | int], seconds: float) -> Callable[[Input], Any]:
    """What runs the traced program of `fun` on inputs like those of its trace, nothing compiled.

    It raises `CannotRun` where compiling has to tell.
    """
    deadline = Deadline(seconds)

    def run(given: Input) -> Any:
        leaves = traced_leaves(fun, given, static)
        try:
            return rerun(lambda: uncompiled.evaluate(traced, leaves, deadline))
        except (Exception, OutOfTime, Effect) as error:
            raise CannotRun(f"{type(error).__name__}: {error}") from None

    return run


def compare(
    plain: Plain,
    rewrite: Callable[[Input], Any],
    excludes: Mapping[str, str],
    deadline: Deadline,
    exactly: Callable[[Input], Any] | None = None,
    uncompiled_rewrite: Callable[[Input], Any] | None = None,
    *,
    cut: bool = False,
    elsewhere: Sequence[Any] = (),
    stepwise: Callable[[Input], Any] | None = None,
    at_any_round: bool = False,
) -> tuple[int, tuple[str, ...], tuple[Input, ...]]:
    """Run a rewrite beside the plain function; `exactly`: the same by NumPy, where rounding may end a loop elsewhere;
    `uncompiled_rewrite`: it as JAX runs it without jit, where compiling alone may make a number of NaN; `stepwise`: it by
    NumPy, operation by operation, as what compiling does to last digits is no other result; `cut`: it gave whole arrays, which
    were cut off, so that an empty one tells no dtype and no shape (`jnp.array([])` is of floats); `elsewhere`: plain Python's
    results for arrays that are not empty, where the call's own are; `at_any_round`: a loop of it ends by comparing floats, so
    that rounding may end it elsewhere and leave something far from plain Python's (a vector that turns round in each round).

    Returns:
        how many inputs gave equal results; what differs without being wrong (weak types); the inputs.

    Raises:
        Differs: the results differ on some input, or the plain function cannot be run on the call's own.
    """
    equal: list[Input] = []
    results: list[Any] = []
    first: Any = None
    wider: tuple[Any, str, str] | None = None  # floats where plain Python gives integers, and the words for it
    unsure = 0
    call_shapes: list[tuple[int, ...]] = []
    notes: dict[str, None] = {}
    plain.met = set()
    for given, want in itertools.chain(plain.runs(), plain.below_zero()):
        given_up = falls_under(plain, given, want, excludes, call_shapes if equal else None)
        if given_up:
            if given_up not in plain.met and _gives_otherwise(plain, rewrite, given, want):
                plain.met.add(given_up)
            continue
        try:
            got = rewrite(given)
        except CannotRun:
            raise
        except (Exception, Effect) as error:
            raise Differs(f"it fails when run ({type(error).__name__}: {str(error)[:120]})") from None
        got = with_empties_of(got, want) if cut else got
        promised = as_promised(got, want, excludes)
        if COMPLEX in excludes and differs(promised, want):
            plain.met.add(COMPLEX)
        want = promised
        difference = differs(got, want)
        results.append(want)
        if difference and given.kind != "call" and not differs(got, with_whole_nan_of(got, want)):
            notes[WHOLE_NAN] = None
            continue
        if difference and given.kind != "call" and (as_arrays := otherwise_as_arrays(plain, given, got, want)):
            notes[as_arrays] = None
            continue
        if difference and given.kind != "call" and repeats_number(got, want):
            notes[f"{REPEATS_NUMBER}{OF_NO_ITEMS}"] = None
            continue
        if difference and is_wider(got, want):
            wider = wider or (got, f"it differs on {_words(given)}: {difference}", wider_words(got, want))
        elif difference and (rounds := other_rounds(plain, given, got, want, exactly, rounding_decides)):
            if not any(said.startswith((LATER, ANY_ROUND)) for said in notes):
                notes[rounds] = None
        elif difference and at_any_round and given.kind != "call" and exactly and alike_by_operations(plain, given, exactly):
            notes = {said: None for said in notes if not said.startswith((LATER, ANY_ROUND))} | {ANY_ROUND: None}
            unsure += 1
            continue
        elif difference and given.kind != "call" and stopped_by_rounding(given, got, want, exactly):
            notes[NEVER] = None
            continue
        elif difference and _may_lose(plain, given) and lost_to_nan(got, want):
            notes[BESIDE_NAN] = None
        elif (
            difference
            and given.kind == "doubled"
            and plain.takes_gradients
            and same_dtypes(got, want)
            and shapes(got) == shapes(want)
        ):
            notes[AT_TIE] = None
        elif difference and given.kind in ("nan", "infinite") and _gives(uncompiled_rewrite or exactly, given, want):
            notes[XLAS_NAN] = None
        elif difference and given.kind == "nan" and plain.gives(got, given):
            pass  # NumPy alone gives something else
        elif difference and _is_rounding(plain, given, got, want, uncompiled_rewrite, stepwise):
            notes[BY_ROUNDING] = None
        elif difference and given.kind != "call" and too_large(want):
            notes[WRAPS] = None
            continue
        elif difference and given.kind in (DECIMAL, OWN_DECIMAL) and rounding_decides(plain, given, got, want):
            notes[IN_DOUBLE if given.kind == DECIMAL else OWN_IN_DOUBLE] = None
            continue
        elif difference and given.kind == "doubled" and (_gives(uncompiled_rewrite, given, want) or plain.gives(got, given)):
            unsure += 1  # what is computed of equal numbers is equal but for rounding
            continue
        elif difference and given.kind != "call" and plain.casts_nan(given):
            notes[WHOLE_NAN] = None
            continue
        elif difference:
            if given.kind != "call" and (turns_complex(plain.first, got, want) or rounding_decides(plain, given, got, want)):
                if said := nan_for_a_number(plain, plain.first, got, want):
                    notes[said] = None
                unsure += 1
                continue
            if given.kind == "call" and counts_in_single(plain, given, got):
                raise DiffersInSingle(f"{SINGLE}: {difference}")
            raise differs_on(given, f"it differs on {_words(given)}: {difference}")
        if not equal:
            call_shapes, first = shapes(want), got
        equal.append(given)
        if given.kind == "call" and (note := weak_type_note(got, want)):
            notes[note] = None
        if deadline.over():
            break
    if wider is not None:
        if not any(same_dtypes(wider[0], with_even_lists(result)) for result in (*results, *elsewhere)):
            raise Differs(wider[1])
        notes[wider[2]] = None
    if plain.failed is not None and not equal:
        raise Differs(why_it_failed(plain.failed))
    if not equal or equal[0].kind != "call" or unsure > len(equal):
        raise Differs("its results could not be compared")
    if never_whole(first, [*results, *elsewhere]):
        notes[NEVER_WHOLE] = None
    return len(equal), tuple(notes), tuple(equal)


def may_be_wider(plain: Plain, given: Input, got: Any, want: Any) -> bool:
    """Whether floats in the place of plain Python's integers are as on the call itself, where that was compared, or of the
    dtypes that plain Python gives there, or in `given` with other data."""
    if same_dtypes(want, plain.first) or same_dtypes(got, plain.first):
        return True
    others = itertools.islice(plain.variations.of(given).core(), _SOME)
    return any((found := plain.run(other)) is not None and same_dtypes(got, found[0]) for other in others)


def beside_infinities(plain: Plain, rewrite: Callable[[Input], Any], excludes: Mapping[str, str], seconds: float) -> str:
    """Half a sentence where a rewrite that is right otherwise gives something else for infinite data: 0 in the place of what a
    selection leaves out, times infinity, is NaN. `rewrite` computes it by NumPy."""
    if plain.ran_infinite:
        return ""  # it was compared
    deadline = Deadline(seconds)
    call_shapes = shapes(plain.first)
    lost = ""
    for given in plain.variations.infinite():
        found = plain.elsewhere(given, min(SHORT, deadline.left()))
        if found is None or deadline.over() or falls_under(plain, given, found[0], excludes, call_shapes):
            continue
        want = found[0]
        try:
            got = rewrite(given)
        except CannotRun:
            return lost
        if (
            not differs(got, want)
            or is_wider(got, want)
            or rounding_decides(plain, given, got, want)
            or plain.gives(got, given)
        ):
            continue
        if not lost_to_nan(got, want, values_too=True):
            return BESIDE_INFINITE
        lost = LOST_TO_INFINITE
    return lost


SHORT = 0.06  # seconds for a plain run on infinite data
LOST_TO_INFINITE = "where data is infinite it may give NaN and plain Python a number"
BESIDE_INFINITE = "where data is infinite it may give something else than plain Python"


def falls_under(
    plain: Plain, given: Input, want: Any, excludes: Mapping[str, str], call_shapes: list[tuple[int, ...]] | None
) -> str:
    """Which of `Step.excludes` an input falls under; "" for none."""
    if given.kind in excludes:
        return given.kind
    if UNORDERED in excludes and loses_order(plain.variations.call(), given):
        return UNORDERED
    if given.kind == "infinite" and "nan" in excludes:
        return "nan"
    if want is None and "nothing" in excludes:
        return "nothing"
    if OUTSIDE in excludes and is_outside(given, want):
        return OUTSIDE
    if call_shapes is None or shapes(want) == call_shapes:
        return ""
    return next((kind for kind in ("another shape", OVERLAP) if kind in excludes), "")


def _gives_otherwise(plain: Plain, rewrite: Callable[[Input], Any], given: Input, want: Any) -> bool:
    """Whether a rewrite is seen to give something else on an input on which it promises nothing."""
    try:
        got = rewrite(given)
    except (Exception, Effect):
        return False
    return bool(differs(got, want)) and not rounding_decides(plain, given, got, want)


def _may_lose(plain: Plain, given: Input) -> bool:
    """Whether a gradient that a function gives may be lost to NaN on an input, which is said then."""
    return given.kind == "infinite" or (given.kind == "nan" and plain.gives_gradients)


XLAS_NAN = (
    "compiled, XLA takes some NaN for a number (it leaves out what is multiplied by False, and abs(x) >= 0 is true for it)"
)
WHOLE_NAN = "NaN, of which NumPy and XLA make different whole numbers"
BESIDE_NAN = "its gradient is not finite where some data is NaN (or infinite, perhaps) and plain Python's is"
SINGLE = "it differs from plain Python as its numbers have 32 bits, with which plain Python gives the same, and not 64"
WRAPS = "plain Python's whole numbers grow without bound, the compiled function's wrap around"
AT_TIE = "its gradient is another where numbers are equal"
"""Said where nothing better is found: at a kink both may be right."""
BY_ROUNDING = "compiled, XLA rounds otherwise, and rounding decides some numbers here, in plain Python as well"


def _is_rounding(plain: Plain, given: Input, got: Any, want: Any, *uncompiled_rewrites: Callable[[Input], Any] | None) -> bool:
    """Whether compiling alone makes the difference (the rewrite that is not compiled gives plain Python's very numbers), where
    the last digits of the input make as much: a gradient that is 0 but for rounding, divided by its own size; a system of
    equations that are nearly the same. Arrays of whole numbers have no last digits: there both give the same by NumPy, a step
    from what plain Python gives by JAX (10 / 12 * 255, rounded)."""
    if shapes(got) != shapes(want) or not same_dtypes(got, want):
        return False
    if any(_gives(each, given, want) for each in uncompiled_rewrites):
        return rounding_decides(plain, given, got, want)
    if any(kind_of(leaf) in ("f", "c") for leaf in jax.tree_util.tree_leaves((given.args, given.kwargs))):
        return False
    plainly = plain.uncompiled(given, SECONDS)
    if plainly is None or not is_one_of_both(got, want, plainly[0]):
        return False
    return not differs(got, plainly[0]) or any(_gives(each, given, plainly[0]) for each in uncompiled_rewrites)


def _gives(rewrite: Callable[[Input], Any] | None, given: Input, want: Any) -> bool:
    try:
        return rewrite is not None and not differs(rewrite(given), want)
    except (Exception, OutOfTime, Effect):
        return False  # then it is not known that compiling alone makes the difference


def depends_on_order(fun: Callable[..., Any], given: Input, seconds: float) -> bool:
    """Whether plain Python gives something else for the same dicts in the order of their keys, in which jit hands them over;
    False where two runs are not through within so many seconds each."""
    if not any(map(is_in_another_order, (*given.args, *given.kwargs.values()))):
        return False
    kwargs = {name: in_order_of_keys(each) for name, each in given.kwargs.items()}
    alike = Input(tuple(map(in_order_of_keys, given.args)), kwargs, given.kind)
    try:
        one, other = (rerun(functools.partial(computed, fun, each), seconds) for each in (alike, given))
        return bool(differs(one, other))
    except (Exception, OutOfTime, Effect):
        return False  # what fails, or takes long, is told elsewhere


def in_another_order(fun: Callable[..., Any], given: Input, seconds: float) -> str:
    """Half a sentence where plain Python gives something else for a call's dicts with their items turned round; "" where these
    are in another order than that of the keys already, which is compared."""
    if any(map(is_in_another_order, (*given.args, *given.kwargs.values()))):
        return ""
    turned = Input(turned_round(given.args), {name: turned_round(each) for name, each in given.kwargs.items()}, given.kind)
    return ANOTHER_ORDER if depends_on_order(fun, turned, seconds) else ""


ANOTHER_ORDER = f"{GOES_BY_KEYS}, and where they are in another one plain Python gives something else"


def computed(fun: Callable[..., Any], given: Input) -> Any:
    """What a function of the user's gives on an input, run for us."""
    return rerun(lambda: jax.block_until_ready(fun(*fresh(given.args), **fresh(given.kwargs))))


def _words(given: Input) -> str:
    return {"call": "the call's own input"}.get(given.kind, f"an input varied ({given.kind})")


def comparison(
    plain: Plain,
    inputs: int,
    notes: tuple[str, ...],
    excludes: Mapping[str, str],
    run: Callable[[Input], Any] | None = None,
) -> Comparison:
    """What is told of a comparison; `run`: what may raise as plain Python does, as the pieces of a split."""
    met = dict.fromkeys(what for kind, what in excludes.items() if kind in plain.met)
    told = [found for given, found in plain.raised if run is None or goes_on(run, given)]
    differences = dict.fromkeys((*notes, *met))
    differences |= dict.fromkeys(words(told, [*differences, *excludes.values()]))
    not_reached = dict.fromkeys((*plain.coverage.missing(), *(what for what in excludes.values() if what not in met)))
    if plain.changes_given and not any("in place" in note for note in notes):
        differences[STAYS] = None
    beside = {"beside": ON_NUMPY} if plain.on_numpy else {}
    return Comparison(inputs, plain.coverage.words(), tuple(not_reached), tuple(differences), **beside)


__all__ = ["Comparison", "Differs", "NoSource", "Plain", "beside_infinities", "by_numpy", "compare", "comparison", "types"]
