"""What JAX's own frames on the stack tell: the call under jit and its options, what is being lowered or compiled."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax


class JitOptions(NamedTuple):
    """Static and donated arguments of one jitted function, as JAX resolved them."""

    static_argnums: tuple[int, ...] = ()
    static_argnames: tuple[str, ...] = ()
    donate_argnums: tuple[int, ...] = ()
    donate_argnames: tuple[str, ...] = ()


def jit_options(jitted: Any, given: dict[str, Any] | None = None) -> JitOptions:
    """How `jitted` takes its arguments; from `given`, the arguments of ``jax.jit``, where JAX does not tell."""
    info = getattr(jitted, "_jit_info", None)
    source = {name: getattr(info, name, (given or {}).get(name)) for name in JitOptions._fields}
    return JitOptions(**{name: _as_tuple(value) for name, value in source.items()})


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,) if isinstance(value, int | str) else tuple(value)


class PlainCall(NamedTuple):
    """A call of a function under plain ``jax.jit``: the function, its arguments, and its jit options."""

    fun: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: JitOptions


def failed_plain_call(frame: FrameType) -> PlainCall | None:
    """The call under plain ``jax.jit`` that this frame of a failed trace makes; None if it makes none.

    What JAX itself puts under jit (every ``jnp`` function called outside a trace) does not count.

    JAX cuts its own frames out of tracebacks except in IPython or with ``JAX_TRACEBACK_FILTERING=off``.
    """
    found = _jit_call(frame)
    return None if found is None or _is_jax_function(found.fun) else found


def _is_jax_function(fun: Callable[..., Any]) -> bool:
    return is_jax_module(getattr(fun, "__module__", None) or "")


def innermost_jit_call(frame: FrameType | None) -> PlainCall | None:
    """The innermost call under ``jax.jit`` on the stack from `frame` outwards; None if JAX does not show one."""
    while frame is not None:
        found = _jit_call(frame)
        if found is not None:
            return found
        frame = frame.f_back
    return None


def _jit_call(frame: FrameType) -> PlainCall | None:
    code = frame.f_code
    if code.co_name != "cache_miss" or not code.co_filename.replace("\\", "/").endswith("jax/_src/pjit.py"):
        return None
    seen = frame.f_locals
    if any(name not in seen for name in ("fun", "args", "kwargs", "jit_info")):
        return None
    info = seen["jit_info"]
    options = JitOptions(**{name: _as_tuple(getattr(info, name, None)) for name in JitOptions._fields})
    return PlainCall(seen["fun"], seen["args"], seen["kwargs"], options)


def traced_on_stack(frame: FrameType | None) -> Any:
    """The jaxpr of the innermost call under ``jax.jit`` on the stack from `frame` outwards; None where JAX does not show it."""
    while frame is not None:
        if frame.f_code.co_name == "_pjit_call_impl_python" and is_jax_frame(frame.f_code.co_filename):
            return frame.f_locals.get("jaxpr")
        frame = frame.f_back
    return None


def is_jax_frame(filename: str) -> bool:
    """Whether a file belongs to JAX itself."""
    return filename.startswith(_JAX_FOLDER) or filename.startswith("jax.")


def is_jax_module(name: str) -> bool:
    """Whether a module of this name is JAX's own."""
    return name.partition(".")[0] in ("jax", "jaxlib")


def is_callback(code: CodeType) -> bool:
    """Whether frames of this code are where a running program calls back into Python, as by `jax.pure_callback`.

    Never where JAX calls that otherwise: what compiles in a callback is then taken for the call's.
    """
    return code.co_name == "_wrapped_callback" and is_jax_frame(code.co_filename)


_JAX_FOLDER = jax.__file__.rsplit("__init__", 1)[0]

_HOLDS_DEVICES = ("lower_sharding_computation", "_cached_compilation")


def processes_compiled_for(frame: FrameType | None) -> tuple[int, ...]:
    """The processes on whose devices runs what is being lowered or compiled on this stack, from `frame` outwards.

    Empty where JAX does not show its devices: then nothing is known of other processes.
    """
    while frame is not None:
        if frame.f_code.co_name in _HOLDS_DEVICES and is_jax_frame(frame.f_code.co_filename):
            devices = frame.f_locals.get("device_assignment", frame.f_locals.get("da"))
            if devices is not None:
                return tuple(sorted({device.process_index for device in devices}))
        frame = frame.f_back
    return ()


def lowered_text(frame: FrameType | None) -> str:
    """The program that is being compiled on this stack, from `frame` outwards, without source locations; "" where not shown."""
    while frame is not None:
        if frame.f_code.co_name == "_cached_compilation" and is_jax_frame(frame.f_code.co_filename):
            try:
                return str(frame.f_locals["computation"].operation.get_asm(enable_debug_info=False))
            except (KeyError, AttributeError):
                return ""
        frame = frame.f_back
    return ""
