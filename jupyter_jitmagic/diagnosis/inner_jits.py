"""Static arguments of a jit within the function: `@jax.jit` over a helper traces every argument anew, whatever the jit outside
holds static, so both have to name it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax

from jupyter_jitmagic.base.jax_frames import jit_options
from jupyter_jitmagic.base.looking import has
from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.statics.search import StaticSet, search, trace_call
from jupyter_jitmagic.diagnosis.types import Change, Rewrite
from jupyter_jitmagic.sandbox.own_caches import OwnCaches
from jupyter_jitmagic.source.code import Code, apply_edits
from jupyter_jitmagic.source.rebuilding import is_plain_jit
from jupyter_jitmagic.source.units import NoSource, Unit, unit_of
from jupyter_jitmagic.usercode.ownership import is_users_text

PATTERN = "inner jit"
_MOST = 8  # names of helpers that are tried one by one


@dataclass
class _Helper:
    """A jitted helper: its function, its parameters that its own jit holds static, and those that no call gave a tracer."""

    jitted: Any
    function: Any
    declared: tuple[str, ...]
    concrete: set[str] | None = None

    def met(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """One more call of it, within a trace."""
        given = inspect.signature(self.function).bind(*args, **kwargs)
        given.apply_defaults()
        here = {name for name, value in given.arguments.items() if name not in self.declared and _may_be_static(value)}
        self.concrete = here if self.concrete is None else self.concrete & here


class _Helpers(OwnCaches):
    """The user's function with what `jit` makes of each helper in the place of that helper's own jit."""

    def __init__(self, jit: Callable[[_Helper], Any], known: dict[Any, _Helper]) -> None:
        super().__init__()
        self._jit, self._known = jit, known

    def make(self, fun: Any) -> Any:
        if not is_plain_jit(fun) or not is_users_text(fun.__wrapped__.__code__.co_filename):
            return super().make(fun)
        if id(fun) not in self._made:
            self._keep.append(fun)
            helper = self._known.setdefault(fun, _Helper(fun, fun.__wrapped__, _declared(fun)))
            self._made[id(fun)] = self._jit(replace(helper, function=self.of(fun.__wrapped__)))
        return self._made[id(fun)]


def static_within(call: Call, seconds: float) -> Rewrite | None:
    """The helpers whose jit has to hold arguments static for the call to trace, with their options; None where that is not
    what the call needs.

    Args:
        call: the failing call, of which no static argument alone makes it trace.
        seconds: of work, for the search.

    Returns:
        The statements of the helpers with their options, traced together with the static arguments of the function itself.
    """
    known, result = _opened(call, seconds)
    if not known:
        return None
    names, numbers = call.static_names(result.static)
    if not result.cured or result.extrapolated or numbers:
        return None
    trace_call(replace(call, fun=_Helpers(lambda helper: _watched(helper, known), known).of(call.fun)), result.static, seconds)
    wanted = {fun: tuple(sorted(helper.concrete)) for fun, helper in known.items() if helper.concrete}
    if not 0 < sum(map(len, wanted.values())) <= _MOST:
        return None

    def traces(static: Mapping[Any, tuple[str, ...]]) -> bool:
        fun = _Helpers(lambda helper: _jitted(helper, static), known).of(call.fun)
        return trace_call(replace(call, fun=fun), result.static, seconds)[0] is None

    if not traces(wanted):
        return None
    for fun, of_helper in list(wanted.items()):
        for name in of_helper:
            fewer = {**wanted, fun: tuple(each for each in wanted[fun] if each != name)}
            if traces(fewer):
                wanted = fewer
    try:
        return _rewrite({fun: each for fun, each in wanted.items() if each}, known, names)
    except NoSource:
        return None


def static_without(call: Call, seconds: float) -> frozenset[str]:
    """The static arguments that a call needs as far as its trace gets without the jits of the helpers that it names or is
    given; none where there is no such helper.

    Args:
        call: the failing call.
        seconds: of work, for the search.
    """
    known, result = _opened(call, seconds)
    return result.static if known else frozenset()


def _opened(call: Call, seconds: float) -> tuple[dict[Any, _Helper], StaticSet]:
    """The jitted helpers of a call, and what has to be static where they are under no jit of their own."""
    known: dict[Any, _Helper] = {}
    helpers = _Helpers(lambda helper: helper.function, known)
    opened = replace(call, fun=helpers.handing_on(helpers.of(call.fun), [each.value for each in call.arguments]))
    error, _ = trace_call(opened, frozenset(), seconds) if known else (None, None)
    if error is None:
        return known, StaticSet(frozenset(), True)
    return known, search(opened, find_call_sites(opened, frozenset()), seconds)


def _may_be_static(value: Any) -> bool:
    if any(isinstance(leaf, jax.Array | jax.core.Tracer) or has(leaf, "dtype") for leaf in jax.tree_util.tree_leaves(value)):
        return False
    try:
        hash(value)
    except Exception:
        return False
    return True


def _declared(fun: Any) -> tuple[str, ...]:
    """The parameters that a jit holds static, by name."""
    given, parameters = jit_options(fun), list(inspect.signature(fun.__wrapped__).parameters)
    by_number = (parameters[number] for number in given.static_argnums if -len(parameters) <= number < len(parameters))
    return tuple(dict.fromkeys((*given.static_argnames, *by_number)))


def _watched(helper: _Helper, known: Mapping[Any, _Helper]) -> Any:
    """The helper without its jit, noting what it is called with."""

    def watching(*args: Any, **kwargs: Any) -> Any:
        known[helper.jitted].met(args, kwargs)
        return helper.function(*args, **kwargs)

    return watching


def _jitted(helper: _Helper, static: Mapping[Any, tuple[str, ...]]) -> Any:
    return jax.jit(helper.function, static_argnames=(*helper.declared, *static.get(helper.jitted, ())))


# ------------------------------------------------------------------------------------------------ as code


def _rewrite(wanted: Mapping[Any, tuple[str, ...]], known: Mapping[Any, _Helper], static: tuple[str, ...]) -> Rewrite:
    from jupyter_jitmagic.diagnosis.rewrites.sources import changed_sources

    texts: dict[Unit, str] = {}
    changes = []
    for fun, names in wanted.items():
        function = fun.__wrapped__
        if function.__globals__.get(function.__name__) is not fun:
            raise NoSource(f"{function.__qualname__} is not under jit by its decorator alone")
        unit = unit_of(function.__code__, function.__globals__)
        text, line = _with_option(texts.get(unit, unit.text), function, (*known[fun].declared, *names))
        texts[unit] = text
        changes.append(Change(unit.filename, unit.first_line + line - 1, PATTERN))
    made = changed_sources(texts)
    source = next(iter(made.sources.values()))
    return Rewrite(
        made.sources, source, tuple(changes), made.diff, None, True, static_argnames=static, filenames=made.filenames
    )


def _with_option(text: str, function: Any, static: tuple[str, ...]) -> tuple[str, int]:
    """(the statement with `static_argnames` at the jit over the function, the line of that jit in it).

    Raises:
        NoSource: no decorator of the statement is that jit.
    """
    from jupyter_jitmagic.diagnosis.splits.jits import Jits

    code = Code(text)
    jits = Jits(function.__globals__)
    for decorator in _decorators(code, function.__name__):
        if not jits.is_jit(decorator):
            continue
        written = ", ".join(f'"{name}"' for name in static)
        option = f"static_argnames={written if len(static) == 1 else f'({written})'}"
        if not isinstance(decorator, ast.Call):
            return apply_edits(text, [(code.span(decorator)[1], code.span(decorator)[1], f"({option})")]), decorator.lineno
        there = [each for each in decorator.keywords if each.arg in ("static_argnums", "static_argnames")]
        if len(there) > 1 or any(each.arg is None for each in decorator.keywords):
            break
        if there:
            begin, end = code.span(there[0].value)
            begin -= len(str(there[0].arg)) + 1
            if code.text[begin:end].split("=")[0] != there[0].arg:
                break
            return apply_edits(text, [(begin, end, option)]), decorator.lineno
        last = max((code.span(each)[1] for each in (*decorator.args, *(k.value for k in decorator.keywords))), default=0)
        if last:
            return apply_edits(text, [(last, last, f", {option}")]), decorator.lineno
        break
    raise NoSource(f"{function.__name__} is put under jit in a way that is not known")


def _decorators(code: Code, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(code.tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield from node.decorator_list
