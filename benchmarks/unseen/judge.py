"""What is wrong with an answer: it is run on other calls and compared with plain Python. Never asks the engine."""

from __future__ import annotations

import contextlib
import copy
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np

from benchmarks.advice import attempt, execute, expression, jit_with, load, notebook, quiet

from .compare import changed_numbers, difference, has_floats, signature
from .gradients import NO_REVERSE, UNSTABLE, forward_difference, gradient_difference
from .program import Program

RIGHT, TRACES, PADDED, SPLIT, NOTHING, WRONG, GRADIENT, UNSAID, AGAIN, STATIC, SLOW, BROKEN = (
    "right",
    "traces",
    "right, padded",
    "right, split",
    "answered nothing",
    "wrong result",
    "wrong gradient",
    "no reverse, unsaid",
    "asks again",
    "static is wrong",
    "over the limit",
    "no program",
)
VERDICTS = (RIGHT, TRACES, PADDED, SPLIT, NOTHING, WRONG, GRADIENT, UNSAID, AGAIN, STATIC, SLOW, BROKEN)
"""`right, padded`: for an array of unknown length that is returned, a way that gives the whole array and a count. `right,
split`: no rewrite is known, but the function in jitted pieces around the lines that plain Python alone runs. `asks again`:
the answer to a call that left an argument out does not trace where it is given. `no program`: plain Python itself fails on
every call, which is the generator's fault."""
LIMIT_S = 10.0
PLAIN_S = 3.0
"""What plain Python may take for a call; one that takes longer is left out."""
UNTRACEABLE = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
SAYS_NO_REVERSE = re.compile(r"reverse|differentiat|gradient", re.IGNORECASE)
"""Words in which an answer says that it cannot be differentiated."""
LOSES_GRADIENTS = re.compile(r"(?<![\w.])(float|round)\(|\.item\(")
"""What makes a number of Python's of an array's: plain Python has no gradient through it, which is no truth about one."""
OTHER_LENGTH = re.compile(r"a longer or shorter array")
"""Words in which an answer says that plain Python's array has another length on some inputs."""
SIZES = re.compile(
    r"only for|past (an|the) end|other sizes|these sizes|same length|fails [^.]*(row|empty arrays|is empty)", re.IGNORECASE
)
"""Words in which an answer says that it holds for given sizes."""
_OF_KIND = "(of integers|of floats|is an int|is a float|are integers)"
KINDS = re.compile(rf"fails [^.]*{_OF_KIND}|{_OF_KIND}[^.;]* gives something else", re.IGNORECASE)
"""Words in which it says that it fails for other kinds of numbers, or gives something else."""
DTYPE = re.compile(r"gives \w+, plain Python \w+")
"""Words in which it says that its numbers are of another dtype for some kinds of numbers."""
NAN_ALONE = re.compile(r"gives? to NaN|NaN, (of )?which")
"""Words in which it says that it puts NaN into another place, or takes it otherwise."""

FORWARD = re.compile(r"in forward mode")
"""Words in which it says that forward mode loses what reverse mode keeps."""
WRAPS = re.compile(r"wrap around")
"""Words in which it says that whole numbers outgrow those of compiled code."""
INFINITE = re.compile(r"where data is infinite")
"""Words in which it says that it gives something else for infinite data."""


@dataclass
class Verdict:
    """What came of one program."""

    program: Program
    form: str
    outcome: str
    about: str = ""
    kind: str = ""
    patterns: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    seconds: float = 0.0
    answer: str = ""
    inputs: int = 0
    gradients: int = 0
    """On how many calls the answer was compared, and on how many its gradient."""

    def line(self) -> str:
        what = f"{self.kind} {'+'.join(self.patterns)} {' '.join(self.static)}".strip()
        return f"{self.program.name} ({self.program.place}, {self.form}): {self.outcome}: {self.about} [{what}]"


@dataclass
class Truth:
    """The calls on which plain Python gives something, and what."""

    calls: list[tuple[str, tuple, dict]] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    of_floats: set[Any] = field(default_factory=set)
    """The types of arguments for which it gave floats."""
    of_others: set[Any] = field(default_factory=set)
    """Those for which it gave none, on some call."""


def ask(module: ModuleType, args: tuple, kwargs: dict) -> Any:
    """The engine's answer to a call of the program."""
    import jupyter_jitmagic as jm

    return jm.diagnose(expression(module, module.FUNCTION), *args, **kwargs)


def judge(program: Program, folder: Path, form: str = "module", answered: Callable[..., Any] = ask) -> Verdict:
    """The verdict on what `answered` (as `ask`) says of a program."""
    path = folder / f"{program.name.replace('-', '_')}_{form}.py"
    path.write_text(program.text(), encoding="utf-8")
    with opened(path, form) as module:
        truth = true_results(module)
        if isinstance(truth, str):
            return Verdict(program, form, BROKEN, truth)
        given = truth.calls[0][1:]
        before = copy.deepcopy([leaf for leaf in jax.tree_util.tree_leaves(given) if isinstance(leaf, np.ndarray)])
        begin = time.perf_counter()
        with quiet():
            answer = answered(module, *given)
        seconds = time.perf_counter() - begin
        after = [leaf for leaf in jax.tree_util.tree_leaves(given) if isinstance(leaf, np.ndarray)]
    verdict = Verdict(program, form, RIGHT, kind=answer.kind, static=tuple(answer.static_argnames), seconds=seconds)
    verdict.answer = answer_text(answer)
    if answer.rewrites:
        verdict.patterns = answer.rewrites[0].patterns
    if any(difference(now, then) for now, then in zip(after, before, strict=True)):
        verdict.outcome, verdict.about = WRONG, "asking changed an array among the arguments"
        return verdict
    conclude(verdict, answer, truth, path)
    if verdict.outcome == RIGHT and seconds > LIMIT_S:
        verdict.outcome, verdict.about = SLOW, f"{seconds:.1f} s"
    return verdict


@contextlib.contextmanager
def opened(path: Path, form: str) -> Iterator[ModuleType]:
    """The program as a fresh module, or as one cell that was run, "notebook": in one whose other cells hold such names."""
    if form != "module":
        yield notebook().load(path, beside=form == "notebook")
        return
    module = load(path)
    try:
        yield module
    finally:
        sys.modules.pop(module.__name__, None)


def true_results(module: ModuleType) -> Truth | str:
    truth, error = Truth(), ""
    plain = expression(module, module.PLAIN)
    for number, (args, kwargs) in enumerate(module.CALLS):
        with limited(PLAIN_S):
            state, result = attempt(plain, args, kwargs)
        if state == "ok":
            truth.calls.append((str(number), args, kwargs))
            truth.results.append(result)
            (truth.of_floats if has_floats(result) else truth.of_others).add(signature(args, kwargs))
        else:
            error = f"{type(result).__name__}: {result}"
    return truth if truth.calls else error


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """TimeoutError for what runs longer, as a loop does whose tolerance became 0 in a call of other kinds of numbers."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"no end after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def conclude(verdict: Verdict, answer: Any, truth: Truth, path: Path) -> None:
    """Run the answer that would be taken: the static set where it is enough, else the first rewrite."""
    rewrite = answer.rewrites[0] if answer.rewrites and answer.kind != "static" else None
    padded = [each for each in answer.unverified if each.padded] if rewrite is None else []
    rewrite = rewrite or next(iter(padded), None)
    split = next(iter(answer.splits), None) if rewrite is None and answer.kind != "static" else None
    rewrite = rewrite or split
    if (answer.kind == "not_staticness" and rewrite is None) or (rewrite is None and "rewrite" in answer.kind):
        verdict.outcome, verdict.about = NOTHING, (answer.reason or answer.error)[:200]
        return
    data = [each.name for each in verdict.program.parameters if each.name in answer.static_argnames and not each.may_be_static]
    if answer.kind == "static" and data:
        verdict.outcome, verdict.about = STATIC, f"{', '.join(data)} is data"
        return
    static = rewrite.static_argnames if rewrite else answer.static_argnames
    with opened(path, verdict.form) as module, opened(path, verdict.form) if verdict.form == "module" else again(path) as plain:
        try:
            for name, source in (rewrite.sources if rewrite else {}).items():
                execute(module, name, source)
            fun = expression(module, module.FUNCTION)
        except Exception as error:
            verdict.outcome, verdict.about = WRONG, f"cannot be executed: {type(error).__name__}: {error}"
            return
        run = Run(
            verdict,
            answer,
            rewrite,
            fun if split else jit_with(fun, static, answer.static_argnums),  # its pieces are under jit
            fun,
            expression(plain, plain.PLAIN),
            static,
            truth,
        )
        run.results()
        if verdict.outcome == RIGHT and padded:
            verdict.outcome = PADDED
        elif verdict.outcome == RIGHT and answer.kind != "traces":
            run.gradients()
    if verdict.outcome == RIGHT and split:
        verdict.outcome, verdict.about = SPLIT, answer.reason[:200]
    if verdict.outcome == RIGHT and answer.kind == "traces":
        verdict.outcome = TRACES


@contextlib.contextmanager
def again(path: Path) -> Iterator[ModuleType]:
    """A module beside a cell: the shell has one namespace."""
    with opened(path, "module") as module:
        yield module


@dataclass
class Run:
    """An answer on the calls of its program."""

    verdict: Verdict
    answer: Any
    rewrite: Any
    jitted: Any
    eager: Any
    plain: Any
    static: tuple[str, ...]
    truth: Truth
    longer: set[str] = field(default_factory=set)
    """Calls, by number, on which plain Python's array has another length, as the answer says."""

    def results(self) -> None:
        for (number, args, kwargs), want in zip(self.truth.calls, self.truth.results, strict=True):
            call = self.verdict.program.calls[int(number)]
            if not self.serves(args, kwargs, call.about):
                continue
            state, got = attempt(self.jitted, args, kwargs)
            if state != "ok" and self.rewrite is None and number != self.truth.calls[0][0] and not self.static:
                continue  # it traced as it was, on the call that was asked about
            wrong = f"raises {type(got).__name__}: {got}" if state != "ok" else self.difference(got, want, args, kwargs)
            if wrong and state == "ok" and self.of_rounding(args, kwargs, want):
                wrong = ""
            if wrong.startswith("shape") and OTHER_LENGTH.search(self.words()):
                self.longer.add(number)  # which the answer says; no program of one shape gives it
                continue
            if wrong and state != "ok" and self.given_anew(args, kwargs) and isinstance(got, UNTRACEABLE):
                self.verdict.outcome = AGAIN
            elif wrong:
                self.verdict.outcome = WRONG if self.rewrite or state == "ok" else STATIC
            if wrong:
                self.verdict.about = f"call {number} ({call.about}): {' '.join(wrong.split())[:200]}"
                return
            self.verdict.inputs += 1

    def difference(self, got: Any, want: Any, args: tuple, kwargs: dict) -> str:
        """Where plain Python gives an integer here and a float on another call of these types, a program gives floats."""
        cut = self.cut(got, want)
        if cut is not got and not any(map(np.size, jax.tree_util.tree_leaves(want))):
            return ""  # `jnp.array([])` is of floats, whatever would have been in it
        got = cut
        wrong = difference(got, want)
        if wrong.startswith("dtype") and not difference(want, got, may_be_float=True):
            # `jnp.array([])` is of floats: where a list may be empty, plain Python's own type depends on data
            of_others = signature(args, kwargs) in self.truth.of_others
            return "" if of_others or not all(map(has_floats, self.elsewhere(args, kwargs))) else wrong
        if not wrong.startswith("dtype") or difference(got, want, may_be_float=True):
            return wrong
        if signature(args, kwargs) in self.truth.of_floats or DTYPE.search(self.words()):
            return ""
        return "" if any(map(has_floats, self.elsewhere(args, kwargs))) else wrong

    def elsewhere(self, args: tuple, kwargs: dict) -> list[Any]:
        """What plain Python gives for other numbers of the same types."""
        others: list[tuple[str, Any]] = []
        with contextlib.suppress(TimeoutError), limited(PLAIN_S):  # the time may be up between two of them, too
            others += (attempt(self.plain, *each) for each in changed_numbers(args, kwargs))
        return [result for state, result in others if state == "ok"]

    def serves(self, args: tuple, kwargs: dict, about: str) -> bool:
        """Whether the answer claims to serve a call: an array is no static argument, and its own words may name sizes."""
        parameters = self.verdict.program.parameters
        named = self.named(args, kwargs)
        if any(isinstance(named.get(name), jax.Array) for name in self.static):
            return False
        if any(each.chooses and each.name in self.given_anew(args, kwargs) - {*self.static} for each in parameters):
            return False  # a flag or mode that the call in question left out: nobody asked whether it may be traced
        words = self.words()
        if "int for float" in about and KINDS.search(words):
            return False
        if "NaN" in about and any("NaN" in kind for kind in (*self.not_reached(), *self.order_of_nan())):
            return False
        if about == "large whole numbers" and WRAPS.search(words):
            return False
        if about == "infinities" and INFINITE.search(words):
            return False
        lost = "grad(" in self.verdict.program.code and "gradient is not finite where some data is NaN" in words
        if lost and ("NaN" in about or about == "infinities"):
            return False  # what it gives is the gradient
        return not (("length" in about or "another" in about) and SIZES.search(words))

    def given_anew(self, args: tuple, kwargs: dict) -> set[str]:
        """Arguments that the call in question left out, or gave None for."""
        first = self.named(*self.truth.calls[0][1:])
        return {name for name, value in self.named(args, kwargs).items() if value is not None and first.get(name) is None}

    def named(self, args: tuple, kwargs: dict) -> dict[str, Any]:
        return {**dict(zip((each.name for each in self.verdict.program.parameters), args, strict=False)), **kwargs}

    def words(self) -> str:
        told = [self.answer.reason, *self.answer.notes]
        if self.rewrite is not None:
            told.append(self.rewrite.reason)
            if self.rewrite.compared is not None:
                told += self.rewrite.compared.differences
        return " ".join(told)

    def not_reached(self) -> tuple[str, ...]:
        compared = self.rewrite.compared if self.rewrite is not None else None
        return compared.not_reached if compared is not None else ()

    def order_of_nan(self) -> tuple[str, ...]:
        """Words in which an answer says that it puts NaN into another place."""
        compared = self.rewrite.compared if self.rewrite is not None else None
        return tuple(each for each in compared.differences if NAN_ALONE.search(each)) if compared is not None else ()

    def cut(self, got: Any, want: Any) -> Any:
        """Arrays that came padded with their count, which is last, without the padding."""
        wanted = want if isinstance(want, tuple) else (want,)
        if not (isinstance(got, tuple) and len(got) == len(wanted) + 1 and "count" in self.words()):
            return got
        short = tuple(_first(each, int(got[-1])) for each in got[:-1])
        return short if isinstance(want, tuple) else short[0]

    def of_rounding(self, args: tuple, kwargs: dict, want: Any) -> bool:
        """Whether the same code gives plain Python's numbers operation by operation: then compiling alone rounds otherwise.
        Whole numbers and flags are arrays for it, as they are under jit: what these do otherwise (`2 ** -1`) is no rounding."""
        static = {*self.static, *(each.name for each in self.verdict.program.parameters if each.chooses)}
        named = [each.name in static for each in self.verdict.program.parameters] + len(args) * [False]
        given = tuple(arg if held else as_arrays(arg) for held, arg in zip(named, args, strict=False))
        with jax.disable_jit():
            state, got = attempt(self.eager, given, {k: v if k in static else as_arrays(v) for k, v in kwargs.items()})
        return state == "ok" and not difference(self.cut(got, want), want)

    def gradients(self) -> None:
        if SAYS_NO_REVERSE.search(self.words()) or LOSES_GRADIENTS.search(self.verdict.program.code):
            return
        for number, args, kwargs in self.truth.calls:
            call = self.verdict.program.calls[int(number)]
            if number in self.longer or not self.serves(args, kwargs, call.about):
                continue
            unordered = UNSTABLE.search(self.verdict.program.code) is not None
            wrong = gradient_difference(self.jitted, self.plain, args, kwargs, unordered)
            if wrong is None:
                continue
            if wrong and wrong != NO_REVERSE:
                with jax.disable_jit():  # where compiling alone rounds otherwise, a tie may go to another element
                    wrong = gradient_difference(self.eager, self.plain, args, kwargs, unordered) and wrong
            if wrong:
                self.verdict.outcome = UNSAID if wrong == NO_REVERSE else GRADIENT
                self.verdict.about = f"call {number} ({call.about}): {' '.join(wrong.split())[:200]}"
                return
            self.verdict.gradients += 1
            if not FORWARD.search(self.words()) and (wrong := forward_difference(self.jitted, self.plain, args, kwargs)):
                self.verdict.outcome, self.verdict.about = GRADIENT, f"call {number} ({call.about}): {wrong[:200]}"
                return


def as_arrays(value: Any) -> Any:
    """An argument with arrays for Python's whole numbers and flags."""
    return jax.tree_util.tree_map(lambda leaf: jax.numpy.asarray(leaf) if type(leaf) in (int, bool) else leaf, value)


def answer_text(answer: Any) -> str:
    """The answer as one reads it in a folder of failures."""
    out = [f"kind: {answer.kind}   static: {answer.static_argnames or answer.static_argnums}", f"reason: {answer.reason}"]
    out += [f"note: {note}" for note in answer.notes]
    for title, rewrites in (("rewrite", answer.rewrites), ("split", answer.splits), ("unverified", answer.unverified)):
        for each in rewrites[:2]:
            out += [
                f"--- {title}: {', '.join(each.patterns)} {each.reason}",
                f"compared: {each.compared}",
                *each.sources.values(),
            ]
    return "\n".join(out)


def _first(whole: Any, count: int) -> Any:
    """So many elements of an array; of the arrays that hold the parts of tuples so many tuples."""
    if isinstance(whole, tuple):
        return list(zip(*(each[:count] for each in whole), strict=True))
    return whole[:count] if np.ndim(whole) else whole
