"""A call that plain `jax.jit` refuses before it traces, as an argument that is declared static has no hash.

JAX leaves no frame of its own in that traceback. The call is taken from the line that failed, where its function and arguments
can be looked up without running any of the user's code: names, numbers, and arrays that `jax.numpy` or NumPy makes of those.

No IPython.
"""

from __future__ import annotations

import ast
import linecache
from types import FrameType, ModuleType
from typing import Any

from jupyter_jitmagic.base.looking import ABSENT, attribute, attributes, in_class
from jupyter_jitmagic.recording.guards.failed_calls import FailedCall
from jupyter_jitmagic.source.rebuilding import is_plain_jit
from jupyter_jitmagic.usercode.places import in_characters, position

_MAKERS = ("jax.numpy", "numpy")


class _Unknown(Exception):
    """It cannot be looked up."""


def refused_call(error: BaseException) -> FailedCall | None:
    """The call that raised this, None where it cannot be looked up."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return None
    frame = step.tb_frame
    node = _call_at(frame, step.tb_lasti, step.tb_lineno)
    try:
        fun: Any = _value(node.func, frame) if node is not None else None
        if node is None or not is_plain_jit(fun):
            return None
        args = (*_owner(node.func, frame), *(_value(each, frame) for each in node.args))
        kwargs = {_named(each): _value(each.value, frame) for each in node.keywords}
    except _Unknown:
        return None
    return FailedCall(fun, args, kwargs, {})


def _call_at(frame: FrameType, instruction: int, line: int) -> ast.Call | None:
    filename = frame.f_code.co_filename
    place = in_characters(position(frame.f_code, instruction, line), filename)
    if place.column is None or place.end_line is None or place.end_column is None:
        return None
    lines = "".join(linecache.getlines(filename)[place.line - 1 : place.end_line]).splitlines()
    if not lines:
        return None
    lines[-1] = lines[-1][: place.end_column]
    lines[0] = lines[0][place.column :]
    try:
        node = ast.parse(f"({chr(10).join(lines)})", mode="eval").body
    except SyntaxError:
        return None
    return node if isinstance(node, ast.Call) else None


def _owner(function: ast.expr, frame: FrameType) -> tuple[Any, ...]:
    """The object that a method is given first."""
    if not isinstance(function, ast.Attribute):
        return ()
    owner = _value(function.value, frame)
    in_its_class = in_class(owner, function.attr, ABSENT) is not ABSENT
    return (owner,) if in_its_class and function.attr not in (attributes(owner) or {}) else ()


def _named(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise _Unknown
    return keyword.arg


def _value(node: ast.expr, frame: FrameType) -> Any:
    """What an expression stands for, or would give."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            spaces = (frame.f_locals, frame.f_globals, frame.f_builtins)
            found = next((space[name] for space in spaces if name in space), ABSENT)
        case ast.Attribute(owner, name):
            holder = _value(owner, frame)
            found = vars(holder).get(name, ABSENT) if isinstance(holder, ModuleType) else attribute(holder, name, ABSENT)
            if found is ABSENT and is_plain_jit(method := in_class(holder, name)):
                found = method
        case ast.Tuple(parts) | ast.List(parts):
            made = [_value(each, frame) for each in parts]
            return tuple(made) if isinstance(node, ast.Tuple) else made
        case ast.Dict(keys, values):
            return {_value(key or node, frame): _value(value, frame) for key, value in zip(keys, values, strict=True)}
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)):
            return -number
        case ast.Call(ast.Attribute(owner, name), args, []) if _is_maker(owner, frame):
            return getattr(_value(owner, frame), name)(*(_value(each, frame) for each in args))
        case _:
            raise _Unknown
    if found is ABSENT:
        raise _Unknown
    return found


def _is_maker(node: ast.expr, frame: FrameType) -> bool:
    owner = _value(node, frame)
    return isinstance(owner, ModuleType) and owner.__name__ in _MAKERS
