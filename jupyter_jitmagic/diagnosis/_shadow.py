"""The shadow run: the function is executed on the call's values with tracers that carry the value and where it came from.

JAX operations on shadow tracers are recorded as a graph and evaluated only when Python needs a value (a concretization), so a
run costs about as much as a trace. At a concretization the site is recorded and answered with the value, so that the run
goes on and meets the sites behind it.

Where JAX (or the user's code) would catch its own error and go on another way, the run must not answer. So under an exception
handler that could catch it JAX's own error is raised first; when that error turns out to end the run, the run is repeated with
this concretization answered (and what was learnt of JAX's own code is remembered).
"""

from __future__ import annotations

import dataclasses
import enum
import operator
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import thread_time as clock  # under load a thread waits: that is no work
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic._jax_internals import trace_parts

from ._call import Call, is_readable, leaves_of
from ._places import catches, is_library, is_library_type, is_user, position
from ._quiet import Effect, OutOfTime, rerun

_parts = trace_parts()
if _parts is None:
    raise ImportError("this JAX has no trace classes that a shadow run could use")

_NOTHING: Any = object()
_LOOPED = 64  # visits of one site after which a loop that eats the time is left
_Key = tuple[Any, ...]
_learnt: dict[_Key, bool] = {}  # answers to questions that JAX's own code asks, by the places in JAX


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


class Unread(BaseException):
    """A value that the run must not read: too large to be computed with in passing, deleted, or a tracer of an outer trace."""


_UNREAD = Unread()


class _Node:
    """One value of the graph: a constant, or the outputs of a primitive that were not computed yet."""

    __slots__ = ("args", "params", "primitive", "values")

    def __init__(self, primitive: Any = None, args: Any = (), params: Any = None, values: Any = None) -> None:
        self.primitive, self.args, self.params, self.values = primitive, args, params, values

    def clear(self) -> None:
        self.primitive = self.params = self.values = None
        self.args = ()


class _Ref(NamedTuple):
    """One output of a node. Not the tracer: that may stand for another value after ``x[i] = v``."""

    node: _Node
    output: int


class ShadowTrace(_parts.Trace):  # type: ignore[misc, name-defined]
    """The trace at the top of a shadow run."""

    __slots__ = ("run",)

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self.run: Any = run

    def stage_value(self, val: Any) -> Any:
        return self.run.constant(self, val)

    def process_primitive(self, primitive: Any, tracers: Any, params: Any, /) -> Any:
        return self.run.bind(self, primitive, tracers, params)

    def process_call(self, primitive: Any, fun: Any, tracers: Any, params: Any, /) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def process_custom_jvp_call(self, primitive: Any, fun: Any, jvp: Any, tracers: Any, /, **_: Any) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def process_custom_vjp_call(self, primitive: Any, fun: Any, fwd: Any, bwd: Any, tracers: Any, /, **_: Any) -> Any:
        with _parts.set_current_trace(self):  # type: ignore[union-attr]
            return fun.call_wrapped(*tracers)

    def cur_qdd(self, x: Any) -> Any:
        return x.cur_qdd()


class ShadowTracer(_parts.Tracer):  # type: ignore[misc, name-defined]
    """A tracer with a value behind it: `leaves` are the call's leaves that it depends on.

    `number` is the Python number that Python's own arithmetic gives without jit; `_NOTHING` once JAX or NumPy had a part in it.
    """

    __slots__ = ("index", "leaves", "node", "number")

    def __init__(self, trace: Any, aval: Any, node: _Node, index: int, leaves: frozenset[int], number: Any = _NOTHING) -> None:
        super().__init__(trace, aval)
        self.node, self.index, self.leaves, self.number = node, index, leaves, number

    # every way in which Python asks for the value: answered, or left to JAX's own error

    def _ask(self, how: str, force: Callable[[Any], Any], refuse: Callable[[], Any]) -> Any:
        run = self._trace.run
        key, answer = run.question(self, how)
        if answer:
            return run.answer(self, key, how, force)
        try:
            return refuse()
        except Exception as error:
            run.refused(key, error)
            raise

    def __bool__(self) -> bool:
        return bool(self._ask("bool", bool, super().__bool__))

    def __int__(self) -> int:
        return int(self._ask("int", int, super().__int__))

    def __float__(self) -> float:
        return float(self._ask("float", float, super().__float__))

    def __complex__(self) -> complex:
        return complex(self._ask("complex", complex, super().__complex__))

    def __index__(self) -> int:
        return operator.index(self._ask("index", operator.index, super().__index__))

    def __hex__(self) -> Any:
        return self._ask("index", hex, super().__hex__)

    def __oct__(self) -> Any:
        return self._ask("index", oct, super().__oct__)

    def __hash__(self) -> int:
        if not self._trace.run.alive:
            return id(self.node)
        return int(self._ask("hash", hash, lambda: _refuse_hash(self)))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("array", lambda value: np.asarray(value, *args), super().__array__)

    def _as_text(self, plain: str) -> str:
        """A tracer's text is no error; but a key made of it may be missing: then the value's text is tried."""
        run = self._trace.run
        if not run.alive or self.number is _NOTHING:
            return plain
        key, _ = run.question(self, "text", certain=False)
        if run.decided.get(key):
            return str(run.answer(self, key, "text", str))
        run.refused(key, None)
        return plain

    def __repr__(self) -> str:
        return self._as_text(super().__repr__())

    def __str__(self) -> str:
        return self._as_text(super().__repr__())

    def __format__(self, spec: str) -> str:
        if not spec:
            return self._as_text(super().__repr__())
        return str(self._ask("format", lambda value: format(value, spec), lambda: object.__format__(self, spec)))

    def item(self, *args: Any) -> Any:
        return self._ask("item", lambda value: np.asarray(value).item(*args), lambda: self.aval.item.fun(self, *args))

    def tolist(self) -> Any:
        return self._ask("tolist", lambda value: np.asarray(value).tolist(), super().tolist)

    def tobytes(self, order: Any = "C") -> Any:
        return self._ask("tobytes", lambda value: np.asarray(value).tobytes(order), super().tobytes)

    def __len__(self) -> int:
        return int(self._ask("len", len, super().__len__)) if self.shape == () else int(super().__len__())

    def __iter__(self) -> Iterator[Any]:
        found = self._ask("iter", iter, super().__iter__) if self.shape == () else super().__iter__()
        return found  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        """JAX refuses it. The run goes on as NumPy would, so that the sites behind it are met."""
        run = self._trace.run
        if not run.alive or not self.shape or _is_caught(sys._getframe(1), run):
            super().__setitem__(index, value)
            return
        run.record(self, "setitem", None)  # first: a mask among the indices is no site of its own in `x[mask] = v`
        changed = self.at[index].set(value)
        if not isinstance(changed, ShadowTracer):
            super().__setitem__(index, value)
            return
        self.node, self.index, self.leaves, self.number = changed.node, changed.index, changed.leaves, _NOTHING

    def to_concrete_value(self) -> Any:
        """JAX's own question, mostly "is there a value?": that is no need of it."""
        if not _wants_value(sys._getframe(1)):
            return None
        run = self._trace.run
        key, answer = run.question(self, "value")
        if answer:
            return run.answer(self, key, "value", lambda value: value)
        run.refused(key, None)
        return None


def _is_caught(frame: FrameType | None, run: _Run) -> bool:
    while frame is not None and frame is not run.top:
        if catches(frame):
            return True
        frame = frame.f_back
    return False


def _refuse_hash(tracer: ShadowTracer) -> int:
    raise TypeError(f"unhashable type: {type(tracer).__name__!r}")


_ASKING = frozenset({"__bool__", "__int__", "__index__", "__float__", "__complex__", "__hex__", "__oct__"})
_NEEDING = frozenset({"expand_bool_indices", "_is_slice_element_none_or_constant_or_symbolic"})


def _wants_value(frame: FrameType | None) -> bool:
    """Whether JAX asks for the value because it cannot do without (not only to take a quicker way if there is one)."""
    depth, concrete = 0, False
    while frame is not None and depth < 8:
        name = frame.f_code.co_name
        if name in _NEEDING or name == "concrete_or_error":
            return True
        if name == "is_concrete":
            concrete = True
        elif name in _ASKING:
            return True
        elif name != "to_concrete_value" and not name.startswith("<"):
            return False
        frame, depth = frame.f_back, depth + 1
    return not concrete


# Python's arithmetic on Python numbers stays Python's: with static arguments these would be numbers

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
    "divmod": divmod,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "round": round,
}


def _is_over(value: Any) -> bool:
    return isinstance(value, ShadowTracer) and not value._trace.run.alive


_NUMBERS = (bool, int, float, complex, np.number, np.bool_)


def _number_of(value: Any) -> Any:
    if isinstance(value, ShadowTracer):
        return value.number
    return value if isinstance(value, _NUMBERS) else _NOTHING


def _with_number(result: Any, compute: Callable[[], Any]) -> Any:
    """`result` with the number that Python would have, where Python has one."""
    if result is NotImplemented:
        return result
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            number = compute()
    except Exception:
        return result
    for tracer, one in zip(result, number, strict=True) if isinstance(result, tuple) else [(result, number)]:
        if isinstance(tracer, ShadowTracer) and tracer.number is _NOTHING:
            tracer.number = one
    return result


def _operator(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ShadowTracer, *others: Any) -> Any:
        if name in ("__eq__", "__ne__") and (_is_over(self) or (others and _is_over(others[0]))):
            return (self is others[0]) == (name == "__eq__")  # a key that JAX or an lru_cache kept
        plain = getattr(super(ShadowTracer, self), name)
        if name in ("__mul__", "__rmul__") and isinstance(others[0], (list, tuple, str, bytes)):
            return self._ask("index", lambda number: others[0] * number, lambda: plain(*others))
        numbers = [_number_of(value) for value in (self, *others)]
        if any(number is _NOTHING for number in numbers):
            return plain(*others)
        with _parts.set_current_trace(self._trace):  # type: ignore[union-attr]
            result = plain(*others)
        return _with_number(result, lambda: compute(*numbers))

    method.__name__ = name
    return method


def _install_operators() -> None:
    for name, compute in (_BINARY | _COMPARE | _UNARY).items():
        if hasattr(_parts.Tracer, f"__{name}__"):  # type: ignore[union-attr]
            setattr(ShadowTracer, f"__{name}__", _operator(f"__{name}__", compute))
    for name, compute in _BINARY.items():
        if hasattr(_parts.Tracer, f"__r{name}__"):  # type: ignore[union-attr]
            setattr(ShadowTracer, f"__r{name}__", _operator(f"__r{name}__", lambda a, b, compute=compute: compute(b, a)))


_install_operators()


class ShadowText(str):
    """A string argument that tells when it is compared, hashed or looked up."""

    __slots__ = ("leaf", "run")
    run: Any
    leaf: int

    def _tell(self, how: str) -> None:
        if self.run.alive:
            self.run.told(self, how)

    def __eq__(self, other: object) -> bool:
        self._tell("compare")
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        self._tell("compare")
        return str.__ne__(self, other)

    def __hash__(self) -> int:
        self._tell("hash")
        return str.__hash__(self)

    def __contains__(self, part: object) -> bool:
        self._tell("compare")
        return str.__contains__(self, part)  # type: ignore[operator]

    def __reduce__(self) -> Any:
        return str, (str(self),)


class _Run:
    """The state of one run: what was asked, answered and refused."""

    def __init__(self, call: Call, seconds: float, decided: dict[_Key, bool]) -> None:
        self.call, self.decided = call, decided
        self.deadline = clock() + seconds
        self.half = clock() + 0.4 * seconds
        self.events: list[Event] = []
        self.by_place: dict[_Key, Event] = {}
        self.refusals: list[tuple[_Key, BaseException | None, FrameType | None, int]] = []
        self.nodes: list[_Node] = []
        self.top: FrameType | None = None
        self.alive = True
        self.unknown: set[int] = set()

    # the graph

    def constant(self, trace: ShadowTrace, value: Any, leaves: frozenset[int] = frozenset(), number: Any = _NOTHING) -> Any:
        node = _Node(values=[value])
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
        refs = tuple(_Ref(arg.node, arg.index) if isinstance(arg, ShadowTracer) else arg for arg in args)
        node = _Node(primitive, refs, params)
        self.nodes.append(node)
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
        if tracer.number is not _NOTHING:
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
                needed = [arg.node for arg in node.args if isinstance(arg, _Ref) and arg.node.values is None]
                if needed:
                    stack.extend(needed)
                    continue
                args = [arg.node.values[arg.output] if isinstance(arg, _Ref) else arg for arg in node.args]
                out = node.primitive.bind(*args, **self._concrete_params(node.params))
                node.values = list(out) if node.primitive.multiple_results else [out]
                node.args, node.params = (), None
                stack.pop()
        return tracer.node.values[tracer.index]

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

    def question(self, tracer: Any, how: str, certain: bool = True) -> tuple[_Key, bool]:
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
            if code.co_filename != __file__:
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
    def _library_key(key: _Key) -> _Key:
        """The part of the key that lies in libraries, if all of the handlers do (the last entry is the user's own frame)."""
        places = [place for place in key[1:] if is_library(place[0])]
        return (key[0], *places) if len(places) == len(key) - 2 and places else ()

    def answer(self, tracer: Any, key: _Key, how: str, force: Callable[[Any], Any]) -> Any:
        if tracer.number is _NOTHING and tracer.leaves & self.unknown:
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

    def refused(self, key: _Key, error: BaseException | None) -> None:
        frame = self._user_frame(sys._getframe(2))
        self.refusals.append((key, error, frame, frame.f_lasti if frame else -1))

    def refused_outright(self, error: BaseException) -> None:
        """JAX found a tracer where it takes none and asked for no value: the site is the user's line, the tracer is at hand.

        So with ``nondiff_argnums`` of custom_vjp. Not where a tracer of another trace leaked.
        """
        if not isinstance(error, jax.errors.UnexpectedTracerError):
            return
        user, found = None, None
        traceback = error.__traceback__
        while traceback is not None:
            if is_user(traceback.tb_frame.f_code, self.call):
                user, found = traceback, None
            else:
                mine = [value for value in traceback.tb_frame.f_locals.values() if isinstance(value, ShadowTracer)]
                found = mine[0] if len(mine) == 1 and mine[0]._trace.run is self else found
            traceback = traceback.tb_next
        if user is not None and found is not None:
            number = found.number is not _NOTHING
            self._record(user.tb_frame, user.tb_frame, "value", found.leaves, number, str(found.aval), error, user.tb_lasti)

    def told(self, text: ShadowText, how: str) -> None:
        frame = self._user_frame(sys._getframe(3))
        if frame is not None:
            self._record(frame, sys._getframe(3), how, frozenset({text.leaf}), True, "str", str(text))

    def record(self, tracer: ShadowTracer, how: str, result: Any) -> Event:
        asking = sys._getframe(2 if how == "setitem" else 3)
        frame = self._user_frame(asking) or asking
        number = tracer.number is not _NOTHING
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
        if len(event.observed) < 100 and not isinstance(result, BaseException) and getattr(result, "size", 1) <= 1000:
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
            if frame.f_code.co_filename != __file__:
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
    decided: dict[_Key, bool] = {}
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


def _blamed(run: _Run, error: BaseException | None) -> _Key | None:
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
            call.fun(*args, **kwargs)

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
        return run.constant(trace, leaf, frozenset({number}), leaf if isinstance(leaf, _NUMBERS) else _NOTHING)
    except Exception:
        return _mirror(run, trace, path, leaf, leaves) if mirrors else leaf


def _mirror(run: _Run, trace: ShadowTrace, path: str, leaf: Any, leaves: list[tuple[str, Any]]) -> Any:
    """A copy of an options object with its numbers and strings shadowed; other objects as they are."""
    kind = type(leaf)
    fields = getattr(leaf, "__dict__", None)
    made_otherwise = "__new__" in {name for base in kind.__mro__[:-1] for name in vars(base)}
    if not isinstance(fields, dict) or not fields or made_otherwise or is_library_type(kind):
        return leaf
    if isinstance(leaf, (type, enum.Enum)) or path.count(".") > 3:
        return leaf
    copy = object.__new__(kind)
    for name, value in fields.items():
        told = isinstance(value, (*_NUMBERS, str)) or dataclasses.is_dataclass(value)
        copy.__dict__[name] = _shadow(run, trace, f"{path}.{name}", value, leaves, True) if told else value
    return copy
