"""The one door to what JAX does not publish. Each function has a public fallback and a contract test."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from types import FunctionType
from typing import Any, NamedTuple, cast

import jax
import numpy as np

TRACE_EVENT = "/jax/core/compile/jaxpr_trace_duration"
LOWER_EVENT = "/jax/core/compile/jaxpr_to_mlir_module_duration"
COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"
DISK_HIT_EVENT = "/jax/compilation_cache/cache_hits"

_PUBLIC_OPTIONS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_device",
    "jax_disable_jit",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_threefry_partitionable",
)


def jit_config() -> list[tuple[str, Any]]:
    """The configuration in JAX's cache key, as (name, value): options, mesh contexts, the axis environment.

    Without the internals: the options that are known to matter, and the abstract mesh.
    """
    try:
        from jax._src import config, mesh

        rows = list(zip(config.trace_context_names(), config.trace_context(), strict=True))
        return [*rows, ("concrete_mesh", mesh.get_concrete_mesh())]
    except Exception:
        rows = [(name, getattr(jax.config, name)) for name in _PUBLIC_OPTIONS if hasattr(jax.config, name)]
        return [*rows, ("abstract_mesh", jax.sharding.get_abstract_mesh())]


def value_below(tracer: Any) -> Any:
    """What a tracer of `jax.grad` stands for, or of `jax.vmap` its first element; None of one that has no value.

    Without the internals: None.
    """
    if not isinstance(tracer, jax.core.Tracer):
        return tracer
    if (primal := getattr(tracer, "primal", None)) is not None:
        return value_below(primal)
    if not hasattr(tracer, "batch_dim"):
        return None
    axis, held = tracer.batch_dim, value_below(getattr(tracer, "val", None))
    if held is None or type(axis) is not int:
        return held
    try:
        with jax.ensure_compile_time_eval():
            return held[(*[slice(None)] * axis, 0)]
    except Exception:  # an empty batch, or another meaning of these names
        return None


def options_set() -> list[tuple[str, Any]]:
    """Every option of JAX that this thread sees now, as (name, value); without the internals those that are known to matter."""
    names = getattr(jax.config, "values", None) or _PUBLIC_OPTIONS
    return [(name, getattr(jax.config, name)) for name in names if hasattr(jax.config, name)]


@contextlib.contextmanager
def in_config(values: list[tuple[str, Any]]) -> Iterator[bool]:
    """In the block this thread has the configuration `values`, as `jit_config` gave them; False where not all can be had.

    Without the internals: the options that have a context manager of their own.
    """
    with contextlib.ExitStack() as entered:
        now = dict(jit_config())
        for name, value in values:
            if name in now and not _is_same(now[name], value):
                with contextlib.suppress(Exception):  # what cannot be entered shows in the comparison below
                    entered.enter_context(_config_context(name, value))
        got = jit_config()
        yield len(got) == len(values) and all(a == b and _is_same(x, y) for (a, x), (b, y) in zip(got, values, strict=True))


def _is_same(one: Any, other: Any) -> bool:
    return one is other or bool(one == other)


def _config_context(name: str, value: Any) -> contextlib.AbstractContextManager[Any]:
    try:
        return _swapped(_config_holder(name), value)
    except (ImportError, AttributeError, StopIteration):
        return cast(contextlib.AbstractContextManager[Any], getattr(jax, name.removeprefix("jax_"))(value))


@functools.cache
def _config_holder(name: str) -> Any:
    """What holds an option's value, thread by thread."""
    from jax._src import config, mesh

    own_name = "device_context" if name == "concrete_mesh" else name
    holders = [config.config._value_holders.get(name), *(getattr(module, own_name, None) for module in (mesh, config))]
    return next(holder for holder in holders if holder is not None)


@contextlib.contextmanager
def _swapped(holder: Any, value: Any) -> Iterator[None]:
    heard = getattr(holder, "_update_thread_local_hook", None) or (lambda _: None)
    before = holder.swap_local(value)
    try:
        heard(value)
        yield
    finally:
        holder.set_local(before)
        heard(before if type(before) is type(value) else None)


class _Plain:
    """Public fallback of the trace state: `value` is True where a call is not traced and jit not disabled.

    Inside a trace every operation gives a tracer; one that compiles nothing is asked, as JAX may be in the middle of compiling.
    An eager transformation cannot be told this way.
    """

    @property
    def value(self) -> bool:
        return not jax.config.jax_disable_jit and not isinstance(jax.device_put(0.0), jax.core.Tracer)


class _DisableJit:
    """Public fallback of the ``jax_disable_jit`` option."""

    @property
    def value(self) -> bool:
        return bool(jax.config.jax_disable_jit)


def _trace_state() -> tuple[Any, Any]:
    """(holder, idle): outside every trace and transformation ``holder.value is idle``. Reading it takes about 25 ns."""
    try:
        from jax._src import core

        holder, idle = core.trace_state_strong_ref, core.eval_trace
        if _can_follow_disable_jit() and (holder.value is idle or not core.trace_state_clean()):
            return holder, idle
    except (ImportError, AttributeError):
        pass
    return _Plain(), True


def _concrete_array() -> type | None:
    try:
        from jax._src.array import ArrayImpl

        return cast(type, ArrayImpl)
    except ImportError:
        return None


def _disable_jit() -> Any:
    try:
        from jax._src import config

        bool(config.disable_jit.value)
        return config.disable_jit
    except (ImportError, AttributeError):
        return _DisableJit()


class _DisableJitFollower:
    """Hears of every change of ``jax_disable_jit``, so that no call needs to ask for it."""

    def __init__(self) -> None:
        self._threads: set[int] = set()
        self._everywhere = False
        self._changed: Callable[[bool], None] | None = None

    def follow(self, changed: Callable[[bool], None]) -> None:
        self._changed = changed
        DISABLE_JIT._add_hooks(self._global, self._local)
        if DISABLE_JIT.get_local() is True:
            self._local(True)

    def unfollow(self) -> None:
        DISABLE_JIT._update_global_hook = DISABLE_JIT._update_thread_local_hook = None

    def _global(self, value: bool | None) -> None:
        self._everywhere = bool(value)
        self._tell()

    def _local(self, value: bool | None) -> None:
        if value:
            self._threads.add(get_ident())
        else:
            self._threads.discard(get_ident())
        self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self._everywhere or bool(self._threads))


def _can_follow_disable_jit() -> bool:
    return (
        getattr(DISABLE_JIT, "_update_global_hook", ...) is None
        and getattr(DISABLE_JIT, "_update_thread_local_hook", ...) is None
        and hasattr(DISABLE_JIT, "_add_hooks")
    )


DISABLE_JIT = _disable_jit()
TRACE, IDLE = _trace_state()
"""Where `IDLE` is True, the public fallback is in use: eager transformations are not told from plain calls."""
_follower = _DisableJitFollower() if not isinstance(TRACE, _Plain) else None
CONCRETE_ARRAY: type | None = _concrete_array() if _follower else None
"""The type of arrays that are no tracers, if one look at it can stand for a look at `TRACE`."""


def _aval_of_array() -> Callable[[Any], Any] | None:
    getter = getattr(getattr(CONCRETE_ARRAY, "aval", None), "fget", None)
    if getter is None or isinstance(getter, FunctionType):  # Python would read attributes of anything
        return None
    try:
        getter(_NoArray())
    except TypeError:
        return getter  # type: ignore[no-any-return]
    return None


class _NoArray:
    aval = None


AVAL_OF_ARRAY = _aval_of_array()
"""What `CONCRETE_ARRAY` holds as ``aval``; it refuses anything else with a TypeError, without a look at its attributes. That is
quicker than to ask for the type and then for the attribute. None where JAX's array has no such thing."""


def follow_disable_jit(changed: Callable[[bool], None]) -> None:
    """Call `changed` with whether jit is disabled in some thread, now and at every change.

    Without the internals nothing is called: `TRACE` then tells it too, at a higher price.
    """
    if _follower is not None:
        _follower.follow(changed)


def unfollow_disable_jit() -> None:
    if _follower is not None:
        _follower.unfollow()


_TRANSFORMATIONS = {"JVPTrace": "jvp", "LinearizeTrace": "grad", "BatchTrace": "vmap"}


def transformations() -> str | None:
    """The eager transformations around this call, outermost first, as "grad" or "vmap of grad"; "" for none.

    None inside an enclosing trace, where a call compiles and executes nothing, and where that cannot be told.
    """
    if TRACE.value is IDLE:
        return ""
    try:
        from jax._src import core

        return _named(core.trace_ctx.trace) or "axis"
    except (ImportError, AttributeError, KeyError):
        return None


def transformations_of(leaves: Iterable[Any]) -> str:
    """The eager transformations that a call's arguments came under, also where JAX has left them to compile; "" for none."""
    try:
        return max((_named(leaf._trace) for leaf in leaves if issubclass(type(leaf), jax.core.Tracer)), key=len, default="")
    except (ImportError, AttributeError, KeyError):
        return ""


def _named(trace: Any) -> str:
    from jax._src import core

    names = []
    while trace is not core.eval_trace:
        names.append(_TRANSFORMATIONS[type(trace).__name__])
        trace = trace.parent_trace
    return " of ".join(reversed(names))


def cache_size(jitted: Any) -> int | None:
    """How many kinds of calls JAX's C++ dispatch can answer alone; None where it does not tell. Grows with every new kind."""
    try:
        size = jitted._cache_size()
    except Exception:
        return None
    return size if isinstance(size, int) else None


def value_under(tracer: Any) -> tuple[Any, str]:
    """What an eager transformation computes with in `tracer`'s place, and along which axis it is batched, as "batch axis 1".

    That is what a call under ``vmap`` or ``grad`` compiles for. The tracer itself where that cannot be told.
    """
    value, axes = tracer, []
    while isinstance(value, jax.core.Tracer):
        inner = getattr(value, "val", None)
        if inner is None:
            inner = getattr(value, "primal", None)
        if inner is None:
            return tracer, ""
        if getattr(value, "batch_dim", None):
            axes.append(f"batch axis {value.batch_dim}")
        value = inner
    return value, ", ".join(axes)


def unused_inputs(traced: Any) -> frozenset[int]:
    """Which leaves of its arguments a trace (``jax.jit(f).trace(…)``) does not use; none where that cannot be told."""
    try:
        from jax._src.interpreters import partial_eval

        jaxpr = traced.jaxpr.jaxpr
        _, used = partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
        return frozenset(i for i, is_used in enumerate(used) if not is_used)
    except Exception:
        return frozenset()


def hide_frames(filename: str) -> None:
    """Keep a file's frames out of compiled programs' source locations and of the tracebacks that JAX shortens, as JAX's own."""
    try:
        from jax._src import source_info_util, traceback_util

        source_info_util.register_exclusion(filename)
        traceback_util.register_exclusion(filename)
    except (ImportError, AttributeError):
        return


def told_by(leaf: Any) -> Any:
    """The array that tells when this output is there: of an array of keys the one below it, which has no other name."""
    if type(leaf) is CONCRETE_ARRAY or not isinstance(leaf, jax.Array):
        return leaf
    return getattr(leaf, "_base_array", leaf)


class TraceParts(NamedTuple):
    """What a custom trace is built from: see `trace_parts`."""

    Trace: Any
    Tracer: Any
    set_current_trace: Callable[[Any], Any]
    eval_context: Callable[[], Any]
    typeof: Callable[[Any], Any]
    is_foreign: Callable[[Any], bool]


def trace_parts() -> TraceParts | None:
    """The base classes and contexts for a trace of our own; None if this JAX has them no more (then search by public API).

    Example:
        >>> parts = trace_parts()
        >>> with parts.set_current_trace(my_trace): fun(*my_tracers)
    """
    try:
        from jax._src import core, dtypes

        parts = TraceParts(
            core.Trace,
            core.Tracer,
            core.set_current_trace,
            core.eval_context,
            lambda value: core.typeof(dtypes.canonicalize_value(value)),
            lambda value: isinstance(value, core.Tracer),
        )
        with core.eval_context():
            parts.typeof(1)
        return parts
    except Exception:
        return None


def placed_like(old: Any, values: Any) -> jax.Array | None:
    """An array of NumPy's, of the shape and dtype of `old`, as one of JAX's that lies where that lies: a tenth of what
    `jax.device_put` takes. None where only that can: without the internals, and for an array on several devices.

    Example:
        >>> placed_like(x, -np.asarray(x))
    """
    try:
        from jax._src.lib import xla_client

        if type(old.sharding) is not jax.sharding.SingleDeviceSharding or (values.shape, values.dtype) != (
            old.shape,
            old.dtype,
        ):
            return None
        made = xla_client.batched_device_put(old.aval, old.sharding, [values], list(old.devices()), old.committed)
        return cast("jax.Array", made)
    except Exception:
        return None


def placed(values: Any, weak_type: bool = False) -> jax.Array | None:
    """An array of NumPy's as one of JAX's on the default device, as `jax.device_put` gives it and in a tenth of its time. None
    where only that can: without the internals, for dtypes that it changes, and where another device is the default."""
    try:
        found = _default_place()
        if found is None or values.dtype not in _AS_THEY_ARE or jax.config.jax_default_device is not None:
            return None
        from jax._src import core
        from jax._src.lib import xla_client

        sharding, devices = found
        aval = core.ShapedArray(values.shape, values.dtype, weak_type=weak_type)
        return cast("jax.Array", xla_client.batched_device_put(aval, sharding, [values], devices, False))
    except Exception:
        return None


_AS_THEY_ARE = frozenset(map(np.dtype, ("bool", "float32", "int32")))


def as_jax(values: Any) -> jax.Array:
    """A NumPy array as one of JAX's; nothing is compiled for its shape, as `jnp.asarray` does."""
    values = np.asarray(values)
    made = placed(values)
    return cast("jax.Array", jax.device_put(values)) if made is None else made


@functools.cache
def _default_place() -> tuple[Any, list[Any]] | None:
    """(sharding, devices) of what is put on the one device there is; None where there are several."""
    devices = jax.local_devices()
    return (jax.sharding.SingleDeviceSharding(devices[0]), devices) if len(devices) == 1 else None


def captured_tracer_error(traced: Any) -> BaseException | None:
    """The error that a call of this trace (``jax.jit(f).trace(…)``) meets because it captured a tracer of another, ended trace.

    Tracing and lowering do not notice such a leak. None without the internals: then it stays unnoticed until the call.
    """
    try:
        from jax._src import core

        leaked = [const for const in getattr(traced, "_consts", ()) if isinstance(const, core.Tracer)]
        return escaped_tracer_error(leaked[0]) if leaked and core.trace_state_clean() else None
    except (ImportError, AttributeError):
        return None


def escaped_tracer_error(tracer: Any) -> BaseException | None:
    """The error that a use of this tracer of an ended trace meets; None without the internals."""
    try:
        from jax._src import core

        return cast(BaseException, core.escaped_tracer_error(tracer))
    except (ImportError, AttributeError):
        return None


_TRACED = re.compile(r"being traced when the value leaked was (\S+) at (.+):(\d+) traced for (\w+)")


def traced_when_kept(error: BaseException) -> tuple[str, str, int, str] | None:
    """The function that was traced when a tracer was kept (its name, file and line) and what traced it ("scan"), as the words
    of an `UnexpectedTracerError` tell; None where they do not."""
    found = _TRACED.search(str(error))
    return (found[1].rsplit(".", 1)[-1], found[2], int(found[3]), found[4]) if found is not None else None


def keep_trace() -> contextlib.AbstractContextManager[Any]:
    """After the block this thread's current trace and options are what they were before: an interrupt, or the end of a limit,
    that arrives while a context of JAX's is being entered leaves it entered.

    Without the internals JAX's own clean-up has to do.
    """
    try:
        from jax._src.core import trace_ctx

        return _KeptTrace(trace_ctx, trace_ctx.trace, _thread_states())
    except (ImportError, AttributeError):
        return contextlib.nullcontext()


@functools.cache
def _thread_states() -> tuple[Any, ...]:
    """What holds a value for each thread: options, meshes, axes' names."""
    from jax._src import config, core, mesh

    held = getattr(config.config, "_value_holders", {}).values()  # without them the trace is put back all the same
    named = [value for module in (config, core, mesh) for value in vars(module).values()]
    states = {id(each): each for each in (*held, *named) if not isinstance(each, type)}
    return tuple(each for each in states.values() if hasattr(each, "get_local") and hasattr(each, "set_local"))


class _KeptTrace:
    """A class, as a generator costs more than all that is done here."""

    __slots__ = ("_before", "_context", "_states")

    def __init__(self, context: Any, before: Any, states: tuple[Any, ...]) -> None:
        self._context, self._before = context, before
        self._states = [(state, state.get_local()) for state in states]

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        for state, value in self._states:
            if (now := state.get_local()) is not value:
                state.set_local(value)
                heard = getattr(state, "_update_thread_local_hook", None) or (lambda _: None)
                heard(value if type(value) is type(now) else None)
        if self._context.trace is not self._before:
            self._context.set_trace(self._before)


def whole_tracebacks() -> contextlib.AbstractContextManager[Any]:
    """In the block JAX leaves tracebacks of errors as they are: a filtered copy names the last instruction of a frame, not the
    failing one, and to make it takes longer than most operations that fail.

    Without the internals this holds for all threads.
    """
    try:
        return _WholeTracebacks(_config_holder("jax_traceback_filtering"), *_reading_stacks())
    except (ImportError, AttributeError, StopIteration):
        return _whole_tracebacks_for_all()


class _WholeTracebacks:
    """Sets the option for this thread; and JAX reads the whole stack at each of its functions that an error leaves, to see
    whether another is around it, before it asks for the option, which makes no difference then. (A class, as above.)"""

    __slots__ = ("_before", "_filtering", "_module", "_reads")

    def __init__(self, filtering: Any, module: Any, reads: Callable[[BaseException], bool]) -> None:
        self._filtering, self._module, self._reads = filtering, module, reads

    def __enter__(self) -> None:
        self._before = self._filtering.swap_local("off")
        self._module._is_under_reraiser = self._asks_first

    def __exit__(self, *_: object) -> None:
        self._module._is_under_reraiser = self._reads
        self._filtering.set_local(self._before)

    def _asks_first(self, error: BaseException) -> bool:
        return self._filtering.value == "off" or self._reads(error)


@functools.cache
def _reading_stacks() -> tuple[Any, Callable[[BaseException], bool]]:
    from jax._src import traceback_util

    return traceback_util, traceback_util._is_under_reraiser


@contextlib.contextmanager
def _whole_tracebacks_for_all() -> Iterator[None]:
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        yield
    finally:
        jax.config.update("jax_traceback_filtering", before)


class Distributed(NamedTuple):
    """This process in a program of several: its number, how many there are, and the client of JAX's key-value store."""

    process: int
    processes: int
    client: Any


def distributed() -> Distributed | None:
    """What ``jax.distributed.initialize`` has set up; None in a program of one process, and where JAX does not show it.

    No backend is started for it, and nobody is waited for.
    """
    try:
        from jax._src.distributed import global_state as state

        if state.client is None or state.num_processes is None or state.num_processes < 2:
            return None
        return Distributed(int(state.process_id), int(state.num_processes), state.client)
    except (ImportError, AttributeError):
        return None


def start_profile(folder: str, options: Any) -> Any:
    """Begin a profile; what `stop_profile` takes.

    Raises:
        RuntimeError: one is being taken already.
    """
    session = getattr(jax.profiler, "ProfileSession", None)
    if session is not None:
        return session(profiler_options=options).start()
    jax.profiler.start_trace(folder, profiler_options=options)
    return None


def stop_profile(session: Any) -> Any:
    """End a profile and give its data without writing them (most of the time that `jax.profiler.stop_trace` takes goes into a
    file for another viewer); None where they had to be written to the folder given."""
    if session is not None:
        return session.stop()
    try:
        from jax._src import profiler

        state, clear = profiler._profile_state, profiler.clear_metadata
        with state.lock:
            stop = state.profile_session.stop_and_get_profile_data
            data = stop()
            state.reset()
            clear()
        return data
    except (ImportError, AttributeError):
        jax.profiler.stop_trace()
        return None
