"""Runs a function on tracers that carry the values, and notes each time that Python asks for one."""

from __future__ import annotations

import dataclasses
import enum
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import thread_time as clock  # under load a thread waits: that is no work
from types import CodeType, FrameType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import attribute, attributes, is_a
from jupyter_jitmagic.diagnosis.call.calls import Call, is_readable, is_user, leaves_of
from jupyter_jitmagic.diagnosis.sites import shadow
from jupyter_jitmagic.diagnosis.sites.integers import numbers_refused
from jupyter_jitmagic.diagnosis.sites.shadow import (
    NOTHING,
    NUMBERS,
    Key,
    Node,
    Ref,
    ShadowText,
    ShadowTrace,
    ShadowTracer,
    _parts,
)
from jupyter_jitmagic.diagnosis.uncompiled.programs import Watch, as_operand, operation_of
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, rerun
from jupyter_jitmagic.usercode.ownership import is_library, is_library_type
from jupyter_jitmagic.usercode.places import catches, position

_OWN_FILES = (shadow.__file__, __file__)
_BY_NUMPY_S = 0.1  # seconds that one operation may take before it is compiled
_LOOPED = 64  # visits of one site after which a loop that eats the time is left
_learnt: dict[Key, bool] = {}  # answers to questions that JAX's own code asks, by the places in JAX


@dataclass(eq=False)
class Event:
    """One concretization as it happened."""

    how: str
    frame_code: CodeType
    instruction: int
    line: int
    globals: dict[str, Any]
    via: tuple[str, ...]
    stack: tuple[tuple[CodeType, int], ...]
    leaves: frozenset[int]
    number: bool
    aval: str
    observed: list[Any] = field(default_factory=list)
    visits: int = 0


@dataclass
class Outcome:
    """What a shadow run gave: the events in order, how it ended."""

    events: list[Event]
    error: BaseException | None = None
    complete: bool = False
    seconds: float = 0.0
    effect: str = ""
    """What it was about to do that cannot be taken back."""
    shapes: tuple[tuple[int, ...], ...] = ()
    """The shapes of all that was computed under jit, in the order in which they were first met, and of the result."""


class Unread(BaseException):
    """A value that the run must not read: too large to be computed with in passing, deleted, or a tracer of an outer trace."""


_UNREAD = Unread()


class _Run:
    """The state of one run: what was asked, answered and refused."""

    def __init__(self, call: Call, seconds: float, decided: dict[Key, bool]) -> None:
        self.call, self.decided = call, decided
        self.deadline = clock() + seconds
        self.half = clock() + 0.4 * seconds
        self.events: list[Event] = []
        self.by_place: dict[Key, Event] = {}
        self.refusals: list[tuple[Key, BaseException | None, FrameType | None, int]] = []
        self.nodes: list[Node] = []
        self.top: FrameType | None = None
        self.alive = True
        self.unknown: set[int] = set()
        self.shapes: dict[tuple[int, ...], None] = {}

    # the graph

    def constant(self, trace: ShadowTrace, value: Any, leaves: frozenset[int] = frozenset(), number: Any = NOTHING) -> Any:
        node = Node(values=[value])
        self.nodes.append(node)
        return ShadowTracer(trace, _parts.typeof(value), node, 0, leaves, number)  # type: ignore[union-attr]

    def bind(self, trace: ShadowTrace, primitive: Any, args: Any, params: Any) -> Any:
        if clock() > self.deadline:
            raise OutOfTime
        args = tuple(args)
        params = {name: self._needed(param) for name, param in params.items()}
        avals = [arg.aval if isinstance(arg, ShadowTracer) else _parts.typeof(arg) for arg in args]  # type: ignore[union-attr]
        out_avals, _effects = primitive.abstract_eval(*avals, **params)
        leaves = frozenset().union(*(arg.leaves for arg in args if isinstance(arg, ShadowTracer)))
        refs = tuple(Ref(arg.node, arg.index) if isinstance(arg, ShadowTracer) else arg for arg in args)
        node = Node(primitive, refs, params, avals=out_avals if primitive.multiple_results else [out_avals])
        self.nodes.append(node)
        self.shapes.update((attribute(aval, "shape", ()), None) for aval in node.avals)
        if primitive.multiple_results:
            return [ShadowTracer(trace, aval, node, index, leaves) for index, aval in enumerate(out_avals)]
        return ShadowTracer(trace, out_avals, node, 0, leaves)

    def _needed(self, param: Any) -> Any:
        """A parameter of a primitive: JAX compiles it into the program, so a traced one is a concretization."""
        if isinstance(param, ShadowTracer):
            return self.answer(param, (), "value", lambda value: value)
        if type(param) is tuple and any(isinstance(item, ShadowTracer) for item in param):
            return tuple(self._needed(item) for item in param)
        return param

    def value(self, tracer: ShadowTracer) -> Any:
        """The concrete value; computes what it needs, each operation once, without recursion."""
        if tracer.number is not NOTHING:
            return tracer.number
        stack = [tracer.node]
        with _parts.eval_context():  # type: ignore[union-attr]
            while stack:
                node = stack[-1]
                if node.values is not None:
                    stack.pop()
                    continue
                if clock() > self.deadline:
                    raise OutOfTime
                needed = [arg.node for arg in node.args if isinstance(arg, Ref) and arg.node.values is None]
                if needed:
                    stack.extend(needed)
                    continue
                args = [arg.node.values[arg.output] if isinstance(arg, Ref) else arg for arg in node.args]
                node.values = self._computed(node.primitive, args, self._concrete_params(node.params), node.avals)
                node.args, node.params = (), None
                stack.pop()
        return tracer.node.values[tracer.index]

    def _computed(self, primitive: Any, args: list[Any], params: dict[str, Any], avals: Any) -> list[Any]:
        """The values of one operation, by NumPy where it has it: nothing is compiled for the shapes that the run comes to. A
        loop of many rounds is better compiled."""
        given = [as_operand(arg, _parts.typeof(arg)) for arg in args]  # type: ignore[union-attr]
        try:
            with np.errstate(all="ignore"):
                return list(operation_of(primitive, params, avals)(given, Watch(Deadline(_BY_NUMPY_S))))
        except OutOfTime:
            out = primitive.bind(*args, **params)
            return list(out) if primitive.multiple_results else [out]

    def _concrete_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """The primitive's parameters with shadow tracers among a jaxpr's constants replaced by their values."""
        changed = {}
        for name, param in params.items():
            consts = getattr(param, "consts", None)
            if consts and any(isinstance(const, ShadowTracer) for const in consts) and hasattr(param, "replace"):
                values = [self.value(const) if isinstance(const, ShadowTracer) else const for const in consts]
                changed[name] = param.replace(consts=values)
        return params | changed if changed else params

    # concretizations

    def question(self, tracer: Any, how: str, certain: bool = True) -> tuple[Key, bool]:
        """Who asks (a key), and whether to answer: no, while JAX or the user may catch the error and go on without."""
        if not self.alive:
            return (), False
        if clock() > self.deadline:
            raise OutOfTime
        frame: FrameType | None = sys._getframe(2)
        path: list[Any] = [how]
        caught, user = not certain, None
        while frame is not None and frame is not self.top:
            code = frame.f_code
            if code.co_filename not in _OWN_FILES:
                if user is None:
                    path.append((code.co_filename, code.co_qualname, frame.f_lasti))
                    if is_user(code, self.call):
                        user = frame
                if catches(frame):
                    caught = True
                    if user is not None:
                        path.append((code.co_filename, code.co_qualname, frame.f_lasti))
            frame = frame.f_back
        key = tuple(path)
        if not caught:
            return key, True
        inner = self._library_key(key)
        return key, self.decided.get(key, _learnt.get(inner, False) if inner else False)

    @staticmethod
    def _library_key(key: Key) -> Key:
        """The part of the key that lies in libraries, if all of the handlers do (the last entry is the user's own frame)."""
        places = [place for place in key[1:] if is_library(place[0])]
        return (key[0], *places) if len(places) == len(key) - 2 and places else ()

    def answer(self, tracer: Any, key: Key, how: str, force: Callable[[Any], Any]) -> Any:
        if tracer.number is NOTHING and tracer.leaves & self.unknown:
            self.record(tracer, how, _UNREAD)
            raise Unread
        try:
            result = force(self.value(tracer))
        except OutOfTime:
            raise
        except Exception as error:
            self.record(tracer, how, error)
            raise
        event = self.record(tracer, how, result)
        if how == "bool" and event.visits > _LOOPED and clock() > self.half:
            return not result
        return result

    def refused(self, key: Key, error: BaseException | None) -> None:
        frame = self._user_frame(sys._getframe(2))
        self.refusals.append((key, error, frame, frame.f_lasti if frame else -1))

    def refused_outright(self, error: BaseException) -> None:
        """JAX or a function in C found a tracer where it takes none and asked for no value: the site is the user's line, the
        tracer is at hand.

        So with ``nondiff_argnums`` of custom_vjp. Not where a tracer of another trace leaked.
        """
        user, found = None, None
        traceback = error.__traceback__
        while traceback is not None:
            if is_user(traceback.tb_frame.f_code, self.call):
                user, found = traceback, None
            else:
                mine = [value for value in traceback.tb_frame.f_locals.values() if isinstance(value, ShadowTracer)]
                found = mine[0] if len(mine) == 1 and mine[0]._trace.run is self else found
            traceback = traceback.tb_next
        how, refused = "integer", numbers_refused(error, user)
        if isinstance(error, jax.errors.UnexpectedTracerError) and found is not None:
            how, refused = "value", [found]
        if user is None:
            return
        for each in refused:
            number, aval = each.number is not NOTHING, str(each.aval)
            self._record(user.tb_frame, user.tb_frame, how, each.leaves, number, aval, error, user.tb_lasti)

    def told(self, text: ShadowText, how: str) -> None:
        frame = self._user_frame(sys._getframe(3))
        if frame is not None:
            self._record(frame, sys._getframe(3), how, frozenset({text.leaf}), True, "str", str(text))

    def record(self, tracer: ShadowTracer, how: str, result: Any) -> Event:
        asking = sys._getframe(2 if how in ("setitem", "flags") else 3)
        frame = self._user_frame(asking) or asking
        number = tracer.number is not NOTHING
        return self._record(frame, asking, how, tracer.leaves, number, tracer.aval.str_short(short_dtypes=True), result)

    def _record(
        self,
        frame: FrameType,
        asking: FrameType,
        how: str,
        leaves: frozenset[int],
        number: bool,
        aval: str,
        result: Any,
        instruction: int | None = None,
    ) -> Event:
        at = frame.f_lasti if instruction is None else instruction
        place = (frame.f_code, *position(frame.f_code, at, frame.f_lineno))
        event = self.by_place.get(place)
        if event is None:
            via = tuple(self._between(asking, frame))
            stack = tuple(self._callers(frame))
            event = Event(how, frame.f_code, at, frame.f_lineno, frame.f_globals, via, stack, leaves, number, aval)
            self.by_place[place] = event
            self.events.append(event)
        event.visits += 1
        event.leaves |= leaves
        event.number &= number
        if len(event.observed) < 100 and not isinstance(result, BaseException) and attribute(result, "size", 1) <= 1000:
            event.observed.append(result)
        return event

    def _user_frame(self, frame: FrameType | None) -> FrameType | None:
        while frame is not None and frame is not self.top:
            if is_user(frame.f_code, self.call):
                return frame
            frame = frame.f_back
        return None

    def _callers(self, frame: FrameType | None) -> Iterator[tuple[CodeType, int]]:
        """The user's lines that led here, innermost first."""
        while frame is not None and frame is not self.top:
            if is_user(frame.f_code, self.call):
                yield frame.f_code, frame.f_lineno
            frame = frame.f_back

    @staticmethod
    def _between(frame: FrameType | None, user: FrameType) -> Iterator[str]:
        """The library functions between the user's line and the question, outermost first, as "module.name"."""
        names = []
        while frame is not None and frame is not user:
            if frame.f_code.co_filename not in _OWN_FILES:
                names.append(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}")
            frame = frame.f_back
        return reversed(names)


class _Over:
    """What remains of a run: tracers that JAX's caches may keep hold nothing of the user's."""

    alive = False


_OVER = _Over()


def run_shadow(
    call: Call, static: frozenset[str], seconds: float = 1.0, mirrors: bool = True
) -> tuple[Outcome, list[tuple[str, Any]], list[str]]:
    """(outcome, the leaves as [(path, value)], the argument that each leaf belongs to). Never raises, except on Ctrl-C.

    `mirrors`: options objects come as copies whose fields tell of their use; when that ends in an error, it is tried without.
    """
    decided: dict[Key, bool] = {}
    begin = clock()
    for _ in range(24):
        left = seconds - (clock() - begin)
        run = _Run(call, max(left, 0.01), decided)
        outcome, leaves, owners = _run_once(run, call, static, mirrors)
        flipped = None if outcome.complete or left <= 0 else _blamed(run, outcome.error)
        if flipped is None:
            break
        decided[flipped] = True
        inner = run._library_key(flipped)
        if inner:
            _learnt[inner] = True
    outcome.seconds = clock() - begin
    if mirrors and outcome.error is not None and any("." in path for path, _ in leaves):
        plain = run_shadow(call, static, max(seconds - outcome.seconds, 0.05), mirrors=False)
        if plain[0].complete or not outcome.events:
            return plain
    return outcome, leaves, owners


def _blamed(run: _Run, error: BaseException | None) -> Key | None:
    """The refusal that ended the run: its error is in the chain of the run's error, or it was met in the same instruction."""
    if error is None:
        return None
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(chain) < 20:
        chain.append(link)
        link = link.__cause__ or link.__context__
    refusals = [refusal for refusal in run.refusals if not run.decided.get(refusal[0])]
    for key, refused, _frame, _at in reversed(refusals):
        if refused is not None and any(refused is link for link in chain):
            return key
    places = [place for link in chain for place in _user_place(link, run)]
    for key, _refused, frame, at in reversed(refusals):
        if (frame, at) in places or (key[0] == "text" and "ShadowTracer<" in str(error)):
            return key
    return None


def _user_place(error: BaseException, run: _Run) -> list[tuple[FrameType | None, int]]:
    """The user's innermost frame in the error's traceback and where it stood."""
    found: list[tuple[FrameType | None, int]] = []
    traceback = error.__traceback__
    while traceback is not None:
        if is_user(traceback.tb_frame.f_code, run.call):
            found = [(traceback.tb_frame, traceback.tb_lasti)]
        traceback = traceback.tb_next
    return found


def _run_once(run: _Run, call: Call, static: frozenset[str], mirrors: bool) -> tuple[Outcome, list[tuple[str, Any]], list[str]]:
    trace = ShadowTrace(run)
    leaves: list[tuple[str, Any]] = []
    owners: list[str] = []
    values = {}
    for argument in call.arguments:
        if argument.name in static or argument.name in call.declared:
            continue
        shadows = [_shadow(run, trace, argument.name + path, leaf, leaves, mirrors) for path, leaf in leaves_of(argument.value)]
        owners.extend([argument.name] * (len(leaves) - len(owners)))
        values[argument.name] = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(argument.value), shadows)
    args, kwargs = call.with_values(values)
    outcome = Outcome(run.events)

    def through() -> None:
        run.top = sys._getframe()
        with _parts.set_current_trace(trace):  # type: ignore[union-attr]
            result = call.fun(*args, **kwargs)
        shapes = [attribute(leaf, "shape", None) for leaf in jax.tree_util.tree_leaves(result)]
        run.shapes.update((shape, None) for shape in shapes if isinstance(shape, tuple))

    try:
        rerun(through, max(run.deadline - clock() + 0.05, 0.0))
        outcome.complete = True
    except Effect as met:
        outcome.effect = str(met)
    except (OutOfTime, Unread):
        outcome.error = None
    except (Exception, GeneratorExit, SystemExit) as error:
        run.refused_outright(error)
        outcome.error = error
    finally:
        outcome.shapes = tuple(run.shapes)
        run.alive = False
        run.top = None
        trace.run = _OVER
        trace.invalidate()
        for node in run.nodes:
            node.clear()
        run.nodes.clear()
    return outcome, leaves, owners


def _shadow(run: _Run, trace: ShadowTrace, path: str, leaf: Any, leaves: list[tuple[str, Any]], mirrors: bool) -> Any:
    """The leaf as the function meets it in the shadow run; what jit refuses comes as it is, but strings tell of their use, and
    a plain object comes as a copy whose numbers and strings tell."""
    number = len(leaves)
    leaves.append((path, leaf))
    if run.call.is_kept(leaf):
        return leaf
    if isinstance(leaf, str):
        text = ShadowText(leaf)
        text.run, text.leaf = run, number
        return text
    if _parts.is_foreign(leaf):  # type: ignore[union-attr]
        return leaf
    if not is_readable(leaf):
        run.unknown.add(number)
    try:
        return run.constant(trace, leaf, frozenset({number}), leaf if isinstance(leaf, NUMBERS) else NOTHING)
    except Exception:
        return _mirror(run, trace, path, leaf, leaves) if mirrors else leaf


def _mirror(run: _Run, trace: ShadowTrace, path: str, leaf: Any, leaves: list[tuple[str, Any]]) -> Any:
    """A copy of an options object with its numbers and strings shadowed; other objects as they are."""
    kind = type(leaf)
    fields = attributes(leaf)
    made_otherwise = "__new__" in {name for base in kind.__mro__[:-1] for name in vars(base)}
    if type(fields) is not dict or not fields or made_otherwise or is_library_type(kind):
        return leaf
    if is_a(leaf, (type, enum.Enum)) or path.count(".") > 3:
        return leaf
    copy = object.__new__(kind)
    held = attributes(copy)
    if held is None:
        return leaf
    for name, value in fields.items():
        told = isinstance(value, (*NUMBERS, str)) or dataclasses.is_dataclass(value)
        held[name] = _shadow(run, trace, f"{path}.{name}", value, leaves, True) if told else value
    return copy
