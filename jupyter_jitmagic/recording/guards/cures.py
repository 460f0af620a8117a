"""What to do about misses: rules over the history of one function, each proven on what was recorded or by tracing again.

`RULES` is a list of small functions; each looks for one habit that makes a function compile again and again, and returns advice
or nothing. A rule speaks of facts only: signatures that would be one if the habit were given up, an argument without whose
value the function was traced, shapes that were seen.
"""

from __future__ import annotations

import functools
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, NoneType
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base.causes import Cause, CauseName
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.looking import attribute, is_a
from jupyter_jitmagic.base.options import options
from jupyter_jitmagic.base.wording import duration, percent, short_name
from jupyter_jitmagic.recording.causes.binding import named_arguments, parameters_of, static_arguments
from jupyter_jitmagic.recording.causes.leaves import Leaf
from jupyter_jitmagic.recording.causes.signatures import Signature
from jupyter_jitmagic.recording.guards import padding
from jupyter_jitmagic.recording.guards.checking import unnoticed
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.records.log import log
from jupyter_jitmagic.usercode.origin import WRAPPED_LIMIT, Origin

_MISSES_KEPT = 1000
_HISTORIES = 1000
_RETRACE_AFTER = 3
"""Values of a static argument after which it is tried whether the function needs them."""


class Miss(NamedTuple):
    """One miss as the rules see it. `entry` finds its hits."""

    signature: Signature
    causes: tuple[Cause, ...]
    cost_s: float
    entry: int
    call_site: str
    code: weakref.ref[CodeType] | None = None
    """What the function was made from: one and the same where a definition runs again in a loop, another for each cell."""


class Plain(NamedTuple):
    """An object of a user's class that holds only plain values: the class, where its `__init__` stands, its attributes."""

    kind: str
    filename: str
    values: dict[str, object]


class Advice(NamedTuple):
    """What would have saved compiles. `misses` and `cost_s` are what the habit has cost so far, `call_site` the line that most
    of these calls came from."""

    rule: str
    function: str
    argument: str
    text: str
    misses: int
    cost_s: float
    call_site: str = ""
    what: str = ""
    """What to do, in a few words."""
    why: str = ""
    """The part of `text` that is told where a table of `ladders` tells the rest."""
    before: int = 0
    after: int = 0
    """Compiles that were, and that would have been enough."""
    saves_s: float = 0.0
    last_s: float = 0.0
    """Unix time of the latest of these misses."""
    ladders: tuple[padding.Ladder, ...] = ()
    helper: str = ""
    """Code that the change needs, where it is the same for everyone."""
    origin: tuple[object, ...] = ()
    """Of the functions whose misses these are, as their rows have it."""
    plain: Plain | None = None
    """Of a static argument that hashes by identity, what one of its values held."""

    @property
    def names(self) -> str:
        """Those of its functions that live, as the tables name them: a definition that ran twice may have made two."""
        records = [record for record in tuple(log.functions.values()) if record.origin == self.origin]
        living = [record.name for record in records if record.alive and not record.superseded]
        more = f" and {len(living) - 2} more" if len(living) > 3 else ""
        return ", ".join(living[:2] if more else living) + more or short_name(self.function)

    def speaks_of(self, cause: Cause) -> bool:
        """Whether this is a cause of the misses that the advice is about."""
        return cause.cause == _CAUSE_OF[self.rule] and (cause.argument == self.argument or cause.cause == "shape")

    @property
    def id(self) -> str:
        """Names the advice, however much it has cost meanwhile."""
        return f"{self.rule} {self.function} {self.argument}"

    def line(self, place: Callable[[str, int], str]) -> str:
        """The advice for the reader; `place` names a line, as "cell [7], line 3"."""
        filename, _, line = self.call_site.rpartition(":")
        called = f" (called in {place(filename, int(line))})" if filename and line.isdigit() else ""
        return f"{self.names}{called}: {self.text}."


@dataclass(slots=True)
class History:
    """The misses of one function and of those created before it at the same place. `needless` are arguments that were static
    and without whose value it was traced."""

    function: str
    origin: tuple[object, ...] = ()
    misses: list[Miss] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    """Unix time of each miss."""
    tried: set[str] = field(default_factory=set)
    needless: set[str] = field(default_factory=set)
    plain: dict[str, Plain] = field(default_factory=dict)
    """Of static arguments that hash by identity, the latest value's contents."""
    last_s: float = 0.0
    """Unix time of the latest miss."""

    def with_cause(self, cause: str, argument: str) -> list[Miss]:
        """The misses of which this is the only cause, so that it alone is to blame for their cost."""
        return [miss for miss in self.misses if {(found.cause, found.argument) for found in miss.causes} == {(cause, argument)}]

    def last_of(self, miss: Miss) -> float:
        """Unix time of a miss of this history."""
        return next(moment for each, moment in zip(self.misses, self.moments, strict=True) if each is miss)

    def arguments_with(self, cause: str) -> Iterator[str]:
        yield from dict.fromkeys(found.argument for miss in self.misses for found in miss.causes if found.cause == cause)


Rule = Callable[[History], Iterator[Advice]]


class Histories:
    """The histories of all functions, by where they are defined; plain data, bounded."""

    def __init__(self) -> None:
        self._by_origin: dict[Origin, History] = {}

    def __iter__(self) -> Iterator[History]:
        return iter(tuple(self._by_origin.values()))

    def note(self, origin: Origin, function: str, miss: Miss) -> History:
        """Add one miss; the history of the function it belongs to."""
        if origin not in self._by_origin and len(self._by_origin) >= _HISTORIES:
            self._by_origin.pop(next(iter(self._by_origin)))
        history = self._by_origin.setdefault(origin, History(function, origin))
        history.last_s = time.time()
        history.moments.append(history.last_s)  # first: another thread that reads finds each miss with its moment
        history.misses.append(miss)
        del history.misses[:-_MISSES_KEPT], history.moments[:-_MISSES_KEPT]
        return history

    def clear(self) -> None:
        self._by_origin.clear()


histories = Histories()
log.forgetters.append(histories.clear)


def advice_on(history: History) -> tuple[Advice, ...]:
    """All advice on one function, what costs most first."""
    found = [advice for rule in RULES for advice in rule(history)]
    return tuple(sorted(found, key=lambda advice: -advice.cost_s))


# ---- the rules


def static_without_need(history: History) -> Iterator[Advice]:
    """Each new value compiles, and the function traces without knowing it."""
    for argument in history.arguments_with("static_value"):
        misses = history.with_cause("static_value", argument)
        if argument not in history.needless or not misses:
            continue
        if any(miss.signature.transformation for miss in history.misses):
            continue  # under grad, a loop over a traced number may be what cannot be transformed
        values = len({cause.now for miss in misses for cause in miss.causes}) + 1
        text = (
            f"{argument} has had {values} values, {_again(misses)}; "
            f"it need not be static: {short_name(history.function)} traces without its value"
        )
        yield _advice("static_without_need", history, argument, text, misses, what=f"take {argument} off the static arguments")


def static_by_identity(history: History) -> Iterator[Advice]:
    """Static objects that look the same and hash by identity."""
    for argument in history.arguments_with("static_identity"):
        misses = history.with_cause("static_identity", argument)
        if not misses:
            continue
        value = next(static.value for static in misses[-1].signature.statics if static.argument == argument)
        if value.kind in ("function", "method", "partial"):
            cure = f"make {value.text} once, outside what runs again"
        elif value.is_own_class:
            cure = f"make {value.kind} a frozen dataclass, or define its __eq__ and __hash__"
        else:
            cure = "pass the same object each time"
        text = f"{argument} looks the same each time but hashes by identity, {_again(misses)}: {cure}"
        plain = history.plain.get(argument) if value.is_own_class else None
        yield _advice("static_by_identity", history, argument, text, misses, what=cure, plain=plain)


def weak_type_flips(history: History) -> Iterator[Advice]:
    """The same value once as a Python number, once as an array."""
    for argument in history.arguments_with("weak_type"):
        misses = history.with_cause("weak_type", argument)
        leaf = _leaf(misses[-1].signature, argument) if misses else None
        if leaf is None or not _would_merge(history, functools.partial(_as_array, argument)):
            continue
        text = (
            f"{argument} comes with and without weak type (a Python number here, an array there), {_again(misses)}: "
            f"jnp.asarray({argument}, jnp.{leaf.dtype}) makes them the same"
        )
        yield _advice(
            "weak_type_flips", history, argument, text, misses, what=f"write jnp.asarray({argument}, jnp.{leaf.dtype})"
        )


def number_flips(history: History) -> Iterator[Advice]:
    """A Python number that is an int here and a float there."""
    for argument in history.arguments_with("dtype"):
        misses = history.with_cause("dtype", argument)
        leaves = [leaf for miss in history.misses if (leaf := _leaf(miss.signature, argument)) is not None]
        kinds = {leaf.dtype.rstrip("0123456789") for leaf in leaves}
        if not misses or not all(leaf.weak and not leaf.shape for leaf in leaves) or kinds != {"int", "float"}:
            continue
        text = f"{argument} is an int here and a float there, {_again(misses)}: write it as a float everywhere"
        yield _advice("number_flips", history, argument, text, misses, what=f"write {argument} as a float everywhere")


def one_way_of_calling(history: History) -> Iterator[Advice]:
    """The same argument by position here and by keyword there."""
    for argument in history.arguments_with("calling_convention"):
        misses = history.with_cause("calling_convention", argument)
        if not misses:
            continue
        ways = dict.fromkeys(way for miss in misses for cause in miss.causes for way in (cause.before, cause.now))
        text = f"{argument} is passed in different ways ({', '.join(ways)}), {_again(misses)}: write the calls in one way"
        yield _advice("one_way_of_calling", history, argument, text, misses, what=f"pass {argument} in one way")


def made_anew(history: History) -> Iterator[Advice]:
    """The jitted function is created again each time, by the same definition (a cell that is run again is another one)."""
    misses = [miss for miss in history.with_cause("new_function", "") if miss.code and miss.code is history.misses[-1].code]
    if len(misses) >= 2:
        text = f"it has been created again {len(misses)} times, {_again(misses)}: move its definition out of what runs again"
        yield _advice("made_anew", history, "", text, misses, what="move its definition out of what runs again")


def shape_churn(history: History) -> Iterator[Advice]:
    """Ever new sizes of an axis: what padding to powers of two would have saved, and what it would have cost."""
    misses = [miss for miss in history.misses if {cause.cause for cause in miss.causes} == {"shape"}]
    axes = padding.varying_axes([miss.signature for miss in history.misses])
    if len(misses) < 3 or not axes:
        return
    weights = [(miss.signature, 1 + _hits(miss.entry)) for miss in history.misses]
    before, ladders = padding.ladders(weights, axes)
    if not ladders:
        return
    coarse = ladders[0]
    names = _axes(axes)
    why = f"{names} had {before} sizes, {_again(misses)}"
    text = (
        f"{why}: padded to powers of two (and the rest masked) "
        f"{_compiles(coarse.compiles)} in place of {before}, {percent(coarse.share)} padding"
    )
    finer = [f"{_compiles(ladder.compiles)} with {percent(ladder.share)}" for ladder in ladders[1:]]
    if finer:
        text += f" (in finer steps {', '.join(finer)})"
    saves = _cost(misses) * (before - coarse.compiles) / max(1, before - 1)
    yield _advice(
        "shape_churn", history, next(iter(axes)), text, misses,
        what=f"pad {names} to powers of two", before=before, after=coarse.compiles, saves_s=saves, ladders=ladders,
        helper=padding.helper(), why=why,
    )  # fmt: skip


def _axes(axes: Mapping[str, Iterable[int]]) -> str:
    """As "axis 0 of x and y": the same axis of several arguments is named once."""
    paths: dict[tuple[int, ...], list[str]] = {}
    for path, found in list(axes.items())[:3]:
        paths.setdefault(tuple(sorted(found)), []).append(path)
    named = [
        f"{'axis' if len(found) == 1 else 'axes'} {_and(map(str, found))} of {_and(same)}" for found, same in paths.items()
    ]
    return ", ".join([*named, *(["…"] if len(axes) > 3 else [])])


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


RULES: tuple[Rule, ...] = (
    static_without_need,
    static_by_identity,
    weak_type_flips,
    number_flips,
    one_way_of_calling,
    made_anew,
    shape_churn,
)


_CAUSE_OF: dict[str, CauseName] = {
    "static_without_need": "static_value",
    "static_by_identity": "static_identity",
    "weak_type_flips": "weak_type",
    "number_flips": "dtype",
    "one_way_of_calling": "calling_convention",
    "made_anew": "new_function",
    "shape_churn": "shape",
}
"""The cause of the misses that a rule speaks of: of one argument, or, where sizes are padded, of all."""


# ---- what the rules share


def _advice(rule: str, history: History, argument: str, text: str, misses: Sequence[Miss], **more: Any) -> Advice:
    """`more`: other fields of `Advice` than what follows from the misses, which would all have been saved."""
    sites = Counter(miss.call_site for miss in misses if miss.call_site)
    site = sites.most_common(1)[0][0] if sites else ""
    cost = _cost(misses)
    facts: dict[str, Any] = {"before": len(misses) + 1, "after": 1, "saves_s": cost}
    facts |= {"last_s": history.last_of(misses[-1]), "origin": history.origin}
    return Advice(rule, history.function, argument, text, len(misses), cost, site, **{**facts, **more})


def _cost(misses: Iterable[Miss]) -> float:
    return sum(miss.cost_s for miss in misses)


def _again(misses: Sequence[Miss]) -> str:
    return f"{_compiles(len(misses))} more, {duration(_cost(misses))}"


def _compiles(count: int) -> str:
    return "1 compile" if count == 1 else f"{count} compiles"


def _as_array(path: str, leaf: Leaf) -> Leaf:
    return leaf._replace(weak=False) if leaf.path == path else leaf


def _leaf(signature: Signature, path: str) -> Leaf | None:
    return next((leaf for leaf in signature.leaves if leaf.path == path), None)


def _would_merge(history: History, change: Callable[[Leaf], Leaf]) -> bool:
    """Whether signatures that differ now would be the same with every leaf changed so."""
    keys = [(miss.signature.leaves, miss.signature.structure, miss.signature.passed) for miss in history.misses]
    merged = {(*map(change, leaves), structure, passed) for leaves, structure, passed in keys}
    return len(merged) < len({(*leaves, structure, passed) for leaves, structure, passed in keys})


def _hits(entry: int) -> int:
    record = log.known_entry(entry)
    return record.hits if record is not None else 0


# ---- does it need the static value? tried by tracing

_LONGEST_TRACE_S = 0.5
"""A trace that took longer is not made twice more for advice."""


def try_without(history: History, facts: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Trace the function once without the value of each static argument that has cost several compiles.

    An argument is `needless` if that works and gives outputs of the same shapes and dtypes. Nothing is compiled or run, and
    each argument is tried once.
    """
    parameters = [parameter.name for parameter in parameters_of(facts.fun)]
    for argument in list(history.arguments_with("static_value")):
        found = history.with_cause("static_value", argument)
        if argument in history.tried or len(found) < _RETRACE_AFTER - 1 or _cost(found) < options.tell_after_s:
            continue  # tracing runs the function's body: not for advice that nobody is told
        history.tried.add(argument)
        place = parameters.index(argument) if argument in parameters else -1
        value = kwargs.get(argument, args[place] if 0 <= place < len(args) else None)
        if not is_a(value, (bool, int, float, complex)):
            continue
        nums = tuple(num for num in facts.jit_options.static_argnums if num != place)
        names = tuple(name for name in facts.jit_options.static_argnames if name != argument)
        if _traces_alike(facts, args, kwargs, nums, names):
            history.needless.add(argument)


def _traces_alike(
    facts: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any], nums: tuple[int, ...], names: tuple[str, ...]
) -> bool:
    from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun

    given = facts.jit_options

    def again(*args: Any, **kwargs: Any) -> Any:
        return facts.fun(*args, **kwargs)

    with_value, without = (
        jax.jit(again, static_argnums=given.static_argnums, static_argnames=given.static_argnames),
        jax.jit(again, static_argnums=nums, static_argnames=names),
    )
    try:
        with unnoticed(facts.fun, named_arguments(facts.fun, args, kwargs)):
            found = [
                rerun(functools.partial(each.eval_shape, *args, **kwargs), _LONGEST_TRACE_S) for each in (with_value, without)
            ]
    except (Exception, Effect, OutOfTime):
        return False
    return bool(_outputs(found[0]) == _outputs(found[1]))


def _outputs(out: Any) -> Any:
    leaves, tree = jax.tree_util.tree_flatten(out)
    return tree, [(leaf.shape, leaf.dtype) for leaf in leaves]


def _code_of(facts: Jitted) -> weakref.ref[CodeType] | None:
    inner = facts.jitted
    for _ in range(WRAPPED_LIMIT):
        code = attribute(inner, "__code__")
        if isinstance(code, CodeType):
            return weakref.ref(code)
        inner = attribute(inner, "__wrapped__") or attribute(inner, "func") or attribute(inner, "__func__")
        if inner is None:
            break
    return None


def _note_plain(history: History, facts: Jitted, missed: Missed) -> None:
    names = {cause.argument for cause in missed.causes if cause.cause == "static_identity"}
    if not names:
        return
    given = facts.jit_options
    values = static_arguments(facts.fun, missed.args, missed.kwargs, given.static_argnums, given.static_argnames)
    for name in names & values.keys():
        if found := _plain(values[name]):
            history.plain[name] = found


def _plain(value: Any) -> Plain | None:
    """Read without running the user's code."""
    kind: Any = type(value)
    code = getattr(kind.__dict__.get("__init__"), "__code__", None)
    if kind.__getattribute__ is not object.__getattribute__ or type(kind) is not type or not isinstance(code, CodeType):
        return None
    held = dict(object.__getattribute__(value, "__dict__")) if kind.__dictoffset__ else {}
    return Plain(kind.__qualname__, code.co_filename, held) if all(map(_is_plain, held.values())) else None


def _is_plain(value: Any) -> bool:
    """Whether it is equal to another that looks the same, and hashes alike."""
    if isinstance(value, tuple):
        return type(value) is tuple and len(value) <= _PARTS and all(map(_is_plain, value))
    if isinstance(value, (str, bytes)):
        return type(value) in (str, bytes) and len(value) <= _PARTS
    return type(value) in (bool, int, float, complex, NoneType) and value == value  # no nan


_PARTS = 1000


def note_miss(facts: Jitted, missed: Missed) -> None:
    """Add a miss to its function's history and find out what can only be found out while the arguments are at hand. An
    `Observer`."""
    try:
        miss = Miss(missed.signature, missed.causes, missed.cost_s, missed.entry, missed.call_site, _code_of(facts))
        history = histories.note(facts.origin, facts.record.qualname, miss)
        if log.shells:
            _note_plain(history, facts, missed)
        if log.shells and (missed.trace_s or 0.0) <= _LONGEST_TRACE_S and not missed.signature.transformation:
            try_without(history, facts, missed.args, missed.kwargs)
    except Exception as error:
        faults.report("looking for what would save compiles", error)
