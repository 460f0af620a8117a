"""The smallest static set that makes a call trace, proven by tracing; guided by where the values at the sites came from."""

from __future__ import annotations

import itertools
import linecache
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import thread_time as clock  # under load a thread waits: that is no work
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import captured_tracer_error
from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, count_equations, not_compilable
from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind, leaves_of
from jupyter_jitmagic.diagnosis.sites.finding import find_call_sites
from jupyter_jitmagic.diagnosis.sites.loops import builds_python, surrounds
from jupyter_jitmagic.diagnosis.types import Found, Site
from jupyter_jitmagic.sandbox.rerun import OutOfTime, rerun

MOST_TRACES = 24  # tried per answer at most
_FEW, _SHORT = (8, 24), 0.3  # counts that tell how a program grows, and seconds for the trace of each


class TraceTooLong(TimeoutError):
    """A trace was stopped by its time limit."""


def trace_error(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], static: Iterable[str] = ()
) -> BaseException | None:
    """What tracing the call raises with these arguments static; None if it traces. What the function prints is swallowed.

    Example:
        >>> trace_error(jnp.zeros, (3,), {})  # TypeError: Shapes must be 1D sequences of concrete values …
        >>> trace_error(jnp.zeros, (3,), {}, static=["shape"]) is None
        True
    """
    return call_error(bind(fun, args, kwargs), frozenset(static))


def call_error(call: Call, static: frozenset[str], seconds: float = 5.0) -> BaseException | None:
    """`trace_error` for a call whose arguments are named already; what it declares is static too."""
    return trace_call(call, static, seconds)[0]


def trace_call(
    call: Call, static: frozenset[str], seconds: float = 5.0, *, then: Callable[[], object] = lambda: None
) -> tuple[BaseException | None, Any]:
    """(`call_error`, what ``jax.jit(…).trace`` gave). `then` looks at what the trace has changed, before it is put back."""
    options = call.jit_options([*sorted(call.declared), *sorted(static - call.declared)])

    def trace() -> Any:
        if call.keeps_options:
            traced = _trace_arrays(call, static)
        else:
            traced = jax.jit(call.fun, **options).trace(*call.args, **call.kwargs)
        then()
        return traced

    try:
        traced = rerun(trace, seconds)
        return captured_tracer_error(traced) or not_compilable(traced.jaxpr), traced
    except OutOfTime:
        return TraceTooLong(f"tracing took longer than {seconds:.1f} s"), None
    except (Exception, GeneratorExit, SystemExit) as error:
        return error, None


def _trace_arrays(call: Call, static: frozenset[str]) -> Any:
    """The trace of a jit that keeps every leaf static that is no array, and what does not fit JAX out of the result."""
    values = {each.name: each.value for each in call.arguments if each.name not in static | call.declared}
    leaves, tree = jax.tree_util.tree_flatten(values)

    def run(arrays: list[Any]) -> Any:
        given = iter(arrays)
        filled = [leaf if call.is_kept(leaf) else next(given) for leaf in leaves]
        args, kwargs = call.with_values(jax.tree_util.tree_unflatten(tree, filled))
        return [out for out in jax.tree_util.tree_leaves(call.fun(*args, **kwargs)) if isinstance(out, jax.Array)]

    return jax.jit(run).trace([leaf for leaf in leaves if not call.is_kept(leaf)])


@dataclass
class StaticSet:
    """The static set that the search came to.

    Attributes:
        static: the smallest set that traces, if `cured`; else the arguments that must be static beside a rewrite.
        wider: like `static` when not cured, with every argument that cures some site.
        refused: arguments that jit takes neither traced nor static.
        left: what a run with `static` met.
        tried: how many sets were traced; `bounded`: more were left.
        equations: of the program with `static`, if `cured`; 0 where they were not counted.
        extrapolated: they were told by fewer rounds: the trace itself takes too long.
    """

    static: frozenset[str] = frozenset()
    cured: bool = False
    wider: frozenset[str] = frozenset()
    refused: tuple[Argument, ...] = ()
    left: Found = field(default_factory=Found)
    tried: int = 0
    bounded: bool = False
    floats: frozenset[str] = frozenset()
    equations: int = 0
    extrapolated: bool = False


class _Tracer:
    """Traces each set once, within the bounds."""

    def __init__(self, call: Call, deadline: float) -> None:
        self.call, self.deadline = call, deadline
        self.known: dict[frozenset[str], bool] = {}
        self.equations: dict[frozenset[str], int] = {}
        self.bounded = False
        self.extrapolated = False

    def works(self, static: frozenset[str]) -> bool:
        if static not in self.known:
            if len(self.known) >= MOST_TRACES or clock() > self.deadline:
                self.bounded = True
                return False
            left = max(self.deadline - clock(), 0.05)
            error, traced = trace_call(self.call, static, left)
            count = count_equations(traced.jaxpr) if error is None else 0
            if isinstance(error, TraceTooLong):
                count = self._by_fewer_rounds(static)
            self.known[static], self.equations[static] = error is None or count > MANY_EQUATIONS, count
            self.extrapolated |= error is not None and count > MANY_EQUATIONS
        return self.known[static]

    def _by_fewer_rounds(self, static: frozenset[str]) -> int:
        """How many equations a program has whose trace takes too long, by its traces with smaller counts; 0 where that is not
        known."""
        values = {name: self.call.argument(name).value for name in static}
        counts = {name: value for name, value in values.items() if type(value) is int and value > _FEW[-1]}
        found = []
        for few in _FEW if counts else ():
            args, kwargs = self.call.with_values(dict.fromkeys(counts, few))
            error, traced = trace_call(bind(self.call.fun, args, kwargs, self.call.declared), static, _SHORT)
            if error is not None:
                return 0
            found.append(count_equations(traced.jaxpr))
        if len(counts) != 1 or found[0] >= found[1]:
            return 0  # whose rounds they are is not known
        each = (found[1] - found[0]) / (_FEW[1] - _FEW[0])
        return int(found[1] + each * (next(iter(counts.values())) - _FEW[1]))

    def cured(self, static: frozenset[str], left: Found, floats: frozenset[str] = frozenset()) -> StaticSet:
        """The search's end with a set that works."""
        equations = self.equations.get(static, 0)
        found = StaticSet(static, True, static, (), left, len(self.known), self.bounded, floats, equations)
        found.extrapolated = self.extrapolated
        return found


def search(call: Call, found: Found, seconds: float = 1.0) -> StaticSet:
    """The smallest static set for a call that does not trace; `found` is the run with nothing but the declared static."""
    tracer = _Tracer(call, clock() + seconds)
    must, refused = _must(call)
    if refused:
        return StaticSet(must, False, must, refused, found)
    static, left = must, found
    floats: frozenset[str] = frozenset()
    for _ in range(8):
        curing, data = _curing(call, left, static)
        floats |= data
        if curing - static:
            static |= curing
        if static and tracer.works(static):
            static = _smaller(tracer, static, must)
            return tracer.cured(static, left, floats)
        if clock() > tracer.deadline:
            break
        again = find_call_sites(call, static, seconds=max(tracer.deadline - clock(), 0.05)) if static else found
        if not (_curing(call, again, static)[0] - static):
            left = again
            break
        left = again
    if not found.proven:
        return _blind(call, tracer, must, found)
    hoped = static | _curing(call, found, frozenset(), told_by_trace=True)[0]
    if hoped != static and tracer.works(hoped):
        static = _smaller(tracer, hoped, must)
        return tracer.cured(static, left, floats)
    small = must | _needed_beside_a_rewrite(call, found)
    if small != static:
        left = find_call_sites(call, small, seconds=0.5) if small else found
    return StaticSet(small, False, static | _sizes_beside_data(call, left), (), left, len(tracer.known), tracer.bounded, floats)


def _must(call: Call) -> tuple[frozenset[str], tuple[Argument, ...]]:
    """Arguments that jit refuses as traced: those that can be static, and those that cannot."""
    bad = call.refused
    return (
        frozenset(argument.name for argument in bad if argument.hashable),
        tuple(argument for argument in bad if not argument.hashable),
    )


def _curing(
    call: Call, found: Found, static: frozenset[str], *, told_by_trace: bool = False
) -> tuple[frozenset[str], frozenset[str]]:
    """(arguments that cure some site by being static, floats that would but are data).

    `told_by_trace`: also those whose number went through JAX or NumPy, which may leave a number alone that is no tracer (the
    ``nondiff_argnums`` of custom_jvp, ``np.squeeze(n)``): whether that is so, a trace will tell.
    """
    curing: set[str] = set()
    data: set[str] = set()
    deciding: set[str] = set()
    for site, roots, number in zip(found.sites, found.roots, found.numbers, strict=True):
        names = roots - static - call.declared
        if site.operation == "in place":
            continue
        if not (number or told_by_trace) or not names or not all(call.argument(name).hashable for name in names):
            continue
        floats = {name for name in names if _is_float(call, site, name)}
        if floats and not _float_decides(call, found, site, floats):
            data |= floats
            continue
        curing |= names
        deciding |= names if site.operation in _DECIDES else set()
    # a record whose floats are data stays data, though a branch asks for an integer beside them (`state.time >= last`)
    records = {name for name in data - deciding if not call.argument(name).is_float}
    return frozenset(curing - records), frozenset(data)


_DECIDES = frozenset({"shape", "slice", "static parameter", "range", "index"})
_TO_INTEGER = frozenset({"int", "round", "math", "float", "numpy"})


def _float_decides(call: Call, found: Found, site: Site, names: set[str]) -> bool:
    """A float is data unless it decides a shape, a Python loop or a static parameter of JAX.

    Where it is turned into an int, the trace with another value of it tells: another program, another shape. A loop that goes
    on until it is reached (`while t < end: xs.append(…)`) tells by the shapes alone: rounds without them are `while_loop`'s. So
    does a place in a list (`RATES[sum(x > t for t in TOPS)]`): a look-up takes it as data.
    """
    if site.operation in _DECIDES - {"index"}:
        return True
    if site.operation in ("while", "index"):
        return shapes_depend(call, found, site, frozenset(names))
    if site.operation not in _TO_INTEGER:
        return False
    question = (site.filename, site.line, site.column, site.operation, frozenset(names))
    if question not in call.found_out:
        told = shapes_depend(call, found, site, frozenset(names)) or _program_depends(call, found, names, site)
        call.found_out[question] = told
    return bool(call.found_out[question])


def _program_depends(call: Call, found: Found, names: set[str], site: Site) -> bool:
    """Whether other values lead to another program where they come to the site as well: a way past it tells nothing."""
    static = frozenset(_curable_by_value(call))
    first = _shapes(call, static)
    if first is None:  # what changes arrays in place has no program
        return shapes_depend(call, found, site, frozenset(names))
    trials = [(chosen, factor) for chosen in (*([name] for name in sorted(names)), sorted(names)) for factor in (0.5, 1.7, 3.1)]
    for chosen, factor in trials[:9]:
        values = {name: _scaled(call.argument(name).value, factor) for name in chosen}
        args, kwargs = call.with_values(values)
        another = bind(call.fun, args, kwargs, call.declared)
        other = _shapes(another, static)
        if other is not None and other != first and _is_reached(site, another):
            return True
    return False


def _is_reached(site: Site, call: Call) -> bool:
    found = find_call_sites(call, frozenset(), seconds=0.2)
    return not found.complete or any((each.filename, each.line) == (site.filename, site.line) for each in found.sites)


_SIZES = frozenset({"shape", "slice", "static parameter", "range"})
MAYBE_SIZES = _TO_INTEGER | {"item"}
"""Operations that make a whole number, which may be a size."""


def counts_beside_data(call: Call, left: Found) -> frozenset[str]:
    """Whole numbers that take part in a site together with arrays, as the length in `bincount(labels, minlength=n)`."""
    whole = {argument.name for argument in call.arguments if type(argument.value) is int}
    beside = [site.arguments for site in left.sites if set(site.arguments) - whole]
    return frozenset(name for names in beside for name in names if name in whole)


def numbers_of_groups(call: Call, left: Found) -> frozenset[str]:
    """Whole numbers that may say how many groups there are where JAX is not told (`bincount(labels)`)."""
    grouped = any(re.match(r"[\w.]*\b(bincount|segment_\w+)\(", _text_at(site)) for site in left.sites)
    return frozenset(argument.name for argument in call.arguments if grouped and type(argument.value) is int)


def sizes_through_jax(call: Call, left: Found) -> frozenset[str]:
    """Python numbers that decide a shape after jnp computed with them: to be static, and jnp's part made by NumPy or Python."""
    found: set[str] = set()
    for site, roots, number in zip(left.sites, left.roots, left.numbers, strict=True):
        names = roots - call.declared
        if number or not names or not all(_is_number(call.argument(name).value) for name in names):
            continue
        if site.operation == "static parameter" and _counts_elements(site):
            continue
        if site.operation in _SIZES or (site.operation in MAYBE_SIZES and shapes_depend(call, left, site, names)):
            found |= names
    return frozenset(found)


def _counts_elements(site: Site) -> bool:
    """Whether how many elements are found is what JAX asks for there (`jnp.where(mask)`), which is no size of the caller's."""
    return re.match(r"[\w.]*\b(where|nonzero|flatnonzero|argwhere|unique\w*)\(", _text_at(site)) is not None


def _text_at(site: Site) -> str:
    return linecache.getline(site.filename, site.line)[site.column :] if site.column is not None else ""


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, (bool, np.bool_))


def shapes_depend(call: Call, found: Found, site: Site, names: frozenset[str]) -> bool:
    """Whether other values of these arguments lead to other shapes where they come to the site as well: a way past it tells
    nothing."""
    for name in sorted(names):
        for factor in (0.4, 2.6):
            other = _found_with_another(call, name, factor)
            reached = any((each.filename, each.line) == (site.filename, site.line) for each in other.sites)
            if reached and found.has_other_shapes(other):
                return True
    return False


def _found_with_another(call: Call, name: str, factor: float) -> Found:
    """What a run with another number in an argument finds; each is run once, as several sites ask for it."""
    question = ("another number", name, factor)
    if question not in call.found_out:
        args, kwargs = call.with_values({name: _scaled(call.argument(name).value, factor)})
        other = bind(call.fun, args, kwargs, call.declared)
        call.found_out[question] = find_call_sites(other, frozenset(), seconds=0.2)
    found: Found = call.found_out[question]
    return found


def _scaled(value: Any, factor: float) -> Any:
    """A number, or a tuple or record of numbers, with other numbers in it, apart from each other."""
    leaves, tree = jax.tree_util.tree_flatten(value)
    numbers = [type(leaf)(leaf * factor ** (place + 1)) if _is_number(leaf) else leaf for place, leaf in enumerate(leaves)]
    return jax.tree_util.tree_unflatten(tree, numbers)


def _curable_by_value(call: Call) -> list[str]:
    return [argument.name for argument in call.arguments if argument.hashable]


def _shapes(call: Call, static: frozenset[str]) -> list[str] | None:
    """The program as a list of operations with their shapes, without its numbers; None if it does not trace."""
    try:
        jitted = jax.jit(call.fun, **call.jit_options(static | call.declared))
        jaxpr = rerun(lambda: jitted.trace(*call.args, **call.kwargs).jaxpr, 1.0)
        return [f"{equation.primitive} {[str(out.aval) for out in equation.outvars]}" for equation in jaxpr.eqns]
    except (Exception, OutOfTime):
        return None


def _smaller(tracer: _Tracer, static: frozenset[str], must: frozenset[str]) -> frozenset[str]:
    """Drop what is not needed, one argument after the other; what jit refuses as traced stays."""
    for name in sorted(static - must):
        if len(static) > 1 and tracer.works(static - {name}):
            return _smaller(tracer, static - {name}, must)
    return static


_NO_REWRITE = frozenset({"shape", "slice", "static parameter", "hash", "index", "invalid argument", "call", "match"})


def _needed_beside_a_rewrite(call: Call, found: Found) -> frozenset[str]:
    """Arguments to make static although a rewrite is needed too: switches, and what decides a shape.

    Not where a line needs data as well, nor for the count of a Python loop in which data decides: a rewrite of that loop takes
    the count traced, unless the loop appends to a list.
    """
    rows = list(zip(found.sites, found.roots, found.numbers, strict=True))
    data_lines = {
        (site.filename, site.line)
        for site, roots, number in rows
        if not _by_static(call, roots, number)
        or (any(_is_float(call, site, name) for name in roots) and not _float_decides(call, found, site, set(roots)))
    }
    needed: set[str] = set()
    for site, roots, number in rows:
        listed = site.operation == "range" and builds_python(site)
        if not _by_static(call, roots, number) or ((site.filename, site.line) in data_lines and not listed):
            continue
        switches = {name for name in roots if call.argument(name).is_flag or call.argument(name).bad_leaves}
        loop = listed or (site.operation == "range" and not surrounds(site, data_lines))
        if site.operation in _NO_REWRITE or switches == roots or loop:
            needed |= roots
    return frozenset(name for name in needed if not call.argument(name).is_float)


def _sizes_beside_data(call: Call, found: Found) -> frozenset[str]:
    """Python integers that decide a length together with data, as size does in x[i * size : (i + 1) * size]."""
    rows = zip(found.sites, found.roots, strict=True)
    sized = frozenset().union(*(roots for site, roots in rows if site.operation in ("slice", "shape", "static parameter")))
    return frozenset(name for name in sized if isinstance(call.argument(name).value, (int, np.integer)))


def _is_float(call: Call, site: Site, name: str) -> bool:
    """Whether what a site needs of an argument is a float: the argument, or the fields of it that come there."""
    argument = call.argument(name)
    if argument.is_float:
        return True
    there = [leaf for path, leaf in leaves_of(argument.value) if name + path in site.arguments]
    return bool(there) and all(isinstance(leaf, (float, np.floating)) for leaf in there)


def _by_static(call: Call, roots: frozenset[str], number: bool) -> bool:
    return number and bool(roots) and all(call.argument(name).hashable for name in roots)


def blind_search(call: Call, found: Found, seconds: float = 1.0) -> StaticSet:
    """The search where the run told of no site and yet plain Python works: JAX refused a tracer and asked for no value."""
    return _blind(call, _Tracer(call, clock() + seconds), _must(call)[0], found)


def _blind(call: Call, tracer: _Tracer, must: frozenset[str], found: Found) -> StaticSet:
    """Without knowing where values came from: all that can be static, then less and less; smallest sets first if few."""
    able = [argument.name for argument in call.arguments if argument.hashable and argument.name not in call.declared]
    able.sort(key=lambda name: call.argument(name).is_float)
    everything = frozenset(able) | must
    if not everything or not tracer.works(everything):
        return StaticSet(must, False, must, (), found, len(tracer.known), tracer.bounded)
    if len(able) <= 4:
        for count in range(1, len(able) + 1):
            for names in itertools.combinations(able, count):
                if must <= set(names) and tracer.works(frozenset(names)):
                    return tracer.cured(frozenset(names), found)
    static = _smaller(tracer, everything, must)
    return tracer.cured(static, found)
