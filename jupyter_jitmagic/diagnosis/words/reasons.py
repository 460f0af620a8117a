"""What a diagnosis says in one or two plain sentences."""

from __future__ import annotations

import functools
import linecache
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from types import FunctionType, MethodType, ModuleType
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.jaxprs import MANY_EQUATIONS, SOME_EQUATIONS
from jupyter_jitmagic.base.looking import attributes, has
from jupyter_jitmagic.base.paths import is_part, summed_up
from jupyter_jitmagic.diagnosis.call.calls import Call
from jupyter_jitmagic.diagnosis.sites.finding import one_for_each_line
from jupyter_jitmagic.diagnosis.statics.registered import is_of_a_library
from jupyter_jitmagic.diagnosis.statics.search import StaticSet
from jupyter_jitmagic.diagnosis.types import Found, Rewrite, Site


def for_traces(call: Call, but: str) -> str:
    """`but`: what is wrong all the same, as half a sentence or more."""
    return f"{call.name} traces, but {but}" if but else f"{call.name} traces: nothing is wrong with this call."


def for_static(call: Call, search: StaticSet, found: Found, *, is_rolled: bool = False) -> str:
    """`is_rolled`: a rewrite that compiles its rounds once was found."""
    names = sorted(search.static)
    sites = [site for site, roots in zip(found.sites, found.roots, strict=True) if roots & search.static]
    needed = _needed(sites[0]) if sites else ""
    if needed and all(any(is_part(path, name) for path in sites[0].arguments) for name in names):
        text = needed  # it names them all
    else:
        text = f"{_and(names)} {'is' if len(names) == 1 else 'are'} needed while tracing" + (f": {needed}" if needed else "")
    traces = "a call with fewer rounds traces" if search.extrapolated else "the call traces"
    text += f". With {'it' if len(names) == 1 else 'them'} static {traces}; each new value compiles again."
    often = frozenset(name for name in names if call.seen.get(name, (0, 0))[0] > 1)
    text += f" {_seen(call, often)}." if often else ""
    text += "".join(_by_identity(name, call.argument(name).value) for name in names)
    text += "".join(_floats_along(name, call.argument(name).value, sites) for name in names)
    in_a_loop = any(site.operation == "range" for site in sites)
    if search.equations > (SOME_EQUATIONS if in_a_loop else MANY_EQUATIONS):
        slow = "may take minutes" if search.equations > MANY_EQUATIONS else "takes long where each round needs the last one"
        text += f" The program has {_counted(search)} equations: compiling it {slow}."
        if is_rolled:
            text += " In the rewrite its rounds are compiled once."
        elif in_a_loop:
            text += " In a notebook, `%jitlines --roll` and the call then try its loop as one of lax, and measure both."
    if search.bounded:
        text += " (The search was cut off by its limit: a smaller set was not ruled out.)"
    return text


def for_static_otherwise(call: Call, search: StaticSet, said: str) -> str:
    """`said`: how a call that traces gives something else than plain Python, as half a sentence."""
    names = sorted(search.static - call.declared)
    return f" With {_and(names)} alone static, {call.name} {said}"


def for_fields(left: Found, words: str) -> str:
    """What a field of a registered dataclass is needed for, and the cure, `words`."""
    site = next(iter(one_for_each_line(left.sites)), None)
    return f"{_needed(site)}. {words}" if site is not None else words


def for_numbers_held(names: Sequence[str]) -> str:
    """Why numbers that are only computed with are static all the same."""
    decide = "decide" if len(names) > 1 else "decides"
    return f" {_and(sorted(names))} {decide} the shape or the form of what comes out, so that no program takes it as data."


def for_numbers_of_the_host(split: bool) -> str:
    """Why numbers are static with which a library computes outside of JAX."""
    text = " They are read by a function on the host, which cannot be traced."
    way = " The split leaves it in plain Python: there a new value recompiles nothing, unless it changes a size."
    return f"{text}{way}" if split else text


_COUNTERS = re.compile(
    r"t|i|it|iter(ation)?(_num)?|((time|global|n)_?)?step(_num|_count)?|epoch|episode|tick|frame|round|generation|count"
    r"|(batch_)?(idx|index)"
)
"""Names of what is counted up from call to call."""


def for_counters(call: Call, search: StaticSet, rewrites: tuple[Rewrite, ...]) -> str:
    """The price of a static argument whose name says that each call has another value, where a rewrite takes it as data."""
    if not rewrites or not rewrites[0].verified:
        return ""
    new = search.static - call.declared - {*rewrites[0].static_argnames}
    counted = sorted(name for name in new if _COUNTERS.fullmatch(name) and type(call.argument(name).value) is int)
    if not counted:
        return ""
    by = rewrites[0].patterns[0]
    ups = "counts" if len(counted) == 1 else "count"
    return f" Where {_and(counted)} {ups} up, 1,000 calls compile 1,000 times; the other way ({by}) compiles once."


def for_lost_gradient(data: frozenset[str]) -> str:
    """There is no loop of lax beside static arguments."""
    if not data:
        return ""
    every = _and(sorted(data))
    return f" One program for every {every} (`lax.fori_loop`) would have no gradient in reverse mode, which is taken here."


def _counted(search: StaticSet) -> str:
    """How many equations; where tracing them takes too long, as fewer rounds tell."""
    return f"{'about ' * search.extrapolated}{search.equations:,}"


def for_many_equations(search: StaticSet, counts: frozenset[str]) -> str:
    """A rewrite is proposed because the program with static arguments is too large to be compiled."""
    what = _and(sorted(counts))
    return (
        f"With {what} static the call traces, but as {_counted(search)} equations, which may take minutes to compile. "
        f"The rewrite takes {what} as data."
    )


def for_changing(call: Call, changing: frozenset[str], left: Found) -> str:
    """A rewrite is proposed because static arguments would compile in nearly every call."""
    site = next((site for site in one_for_each_line(left.sites) if set(site.arguments) & changing), None)
    where = f" Line {site.line} needs it as a Python value; the rewrite does not." if site and len(changing) == 1 else ""
    return f"{_seen(call, changing)}: static, {'it' if len(changing) == 1 else 'they'} would compile for each.{where}"


def for_effect(call: Call, site: Site | None, effect: str) -> str:
    """The function was run no further than to something that cannot be taken back."""
    if site is None:
        return f"Unknown: {call.name} was not traced again, because {effect}. No static argument and no rewrite could be tried."
    needs = _needed(site) if site.arguments else f"Line {site.line} needs the value of a traced argument"
    return f"{needs}. What cures it is unknown: {call.name} was not traced again, because {effect}."


def for_slow_trace(took: float) -> str:
    return (
        f"Unknown: tracing takes longer than {took:.1f} s, so no static argument and no rewrite could be tried. Raise "
        "jupyter_jitmagic.options.advice_limit_s, or call the function with smaller inputs."
    )


def for_stopped(waited: float) -> str:
    """The answer as a whole came to its limit, whatever took the time."""
    return (
        f"Unknown: the search for an answer was stopped after {waited:.1f} s. Raise jupyter_jitmagic.options.advice_limit_s, "
        "or call the function with smaller inputs."
    )


def for_stopped_rewrites(waited: float) -> str:
    """The search came to its limit while it looked for other code."""
    return (
        f"What else cures it is unknown: the search was stopped after {waited:.1f} s. Raise "
        "jupyter_jitmagic.options.advice_limit_s, or call the function with smaller inputs."
    )


def for_slow_search(search: StaticSet, took: float) -> str:
    tried = f"{search.tried} set{'s' * (search.tried != 1)} of static arguments"
    return (
        f"Unknown: one trace takes {took:.1f} s, and the search ended after {tried}. Raise "
        "jupyter_jitmagic.options.advice_limit_s, or call the function with smaller inputs."
    )


def _seen(call: Call, names: frozenset[str]) -> str:
    """ "n had 12 values in 12 recorded calls"."""
    return _and([f"{name} had {call.seen[name][0]} values in {call.seen[name][1]} recorded calls" for name in sorted(names)])


def _by_identity(name: str, value: Any) -> str:
    """A word of warning where the static value is an object that compares by identity (the trap of a static `self`)."""
    kind = type(value)
    made = _made_where_it_is_called(value)
    if made:
        return f" {made} that is made anew for each call is another value each time, and compiles again: make {name} once."
    if isinstance(value, MethodType):
        own = _by_identity(f"{name}.__self__", value.__self__)
        return own.replace(f"after {name}.__self__ was", f"after {name}, its method, was") if own else ""
    hashing: Any = kind.__hash__
    if hashing is not object.__hash__ or (callable(value) and has(value, "__qualname__")):
        return ""
    if isinstance(value, type | ModuleType | Enum):
        return ""
    seen = f" A {kind.__name__} is compared by identity: after {name} was traced, changes of its attributes are not seen."
    if is_of_a_library(kind):
        return seen
    if any(isinstance(leaf, jax.Array | np.ndarray) for leaf in jax.tree_util.tree_leaves(attributes(value) or {})):
        return f"{seen} It holds arrays: make {kind.__name__} a pytree, and they are data."
    return f"{seen} Give {kind.__name__} __eq__ and __hash__ (a frozen dataclass has them), or make it a pytree."


def _floats_along(name: str, value: Any, sites: Sequence[Site]) -> str:
    """The price of a record that is static as a whole, where floats in it are only computed with."""
    if not (isinstance(value, tuple) and hasattr(value, "_fields")):
        return ""
    wanted = list(dict.fromkeys(path for site in sites for path in site.arguments if is_part(path, name)))
    floats = [f"{name}.{field}" for field in value._fields if isinstance(getattr(value, field), float)]
    along = [path for path in floats if path not in wanted]
    if not along or not wanted or name in wanted:
        return ""
    several = len(along) > 1
    return (
        f" {_and(along)} {'are' if several else 'is'} static with it: where {'they change' if several else 'it changes'}, pass "
        f"{_and(wanted)} as {'arguments of their own' if len(wanted) > 1 else 'an argument of its own'} and make that static."
    )


def _made_where_it_is_called(value: Any) -> str:
    """What kind of function a value is, of those that are often made where they are given; "" for others."""
    if isinstance(value, functools.partial):
        return "A partial"
    if not isinstance(value, FunctionType):
        return ""
    if value.__name__ == "<lambda>":
        return "A lambda"
    return "A function within a function" if "<locals>" in value.__qualname__ else ""


NO_ARRAY = "no array of a fixed shape holds just what it returns"
LENGTH_IS_DATA = "the length of what it returns depends on data itself: no array of a fixed shape holds just that"
TEXT = "it returns a string, which cannot leave compiled code: return numbers and choose the string outside"
OUT_OF_TIME = "the time for an answer was up before all known ways were tried (raise jupyter_jitmagic.options.advice_limit_s)"
_NOT_PROVEN = "none that was found is proven"


def for_unproven(found: Sequence[Rewrite], split: Rewrite | None) -> str:
    """Why none of those found is given first; beside a split, which is, the others are named without their faults."""
    reason = found[0].reason
    if split is not None and (written := "not compared: it writes the global ") in reason:
        return f"it writes the global {reason.partition(written)[2]}, which under jit is done at each compile alone"
    is_right_here = split is not None and reason.startswith("right on this call, but")
    return f"the one that was found is {reason}" if is_right_here else _NOT_PROVEN


def for_static_as_well(names: frozenset[str]) -> str:
    """A sentence on the static arguments that other code needs beside it."""
    return f" {_and(sorted(names))} must be static as well."


def for_rewrite(
    call: Call, search: StaticSet, left: Found, found_rewrite: bool, why_not: str = "", split: Rewrite | None = None
) -> str:
    """`why_not`: what stands in the way of every rewrite, where that is known; `split`: what was found in its place."""
    sites = [site for site in one_for_each_line(left.sites) if site.operation != "call"]
    counts = {argument.name for argument in call.arguments if isinstance(argument.value, int)}
    data = [site for site in sites if not counts.issuperset(site.arguments)]
    computed = [site for site in sites if not site.arguments]  # in a loop its first round alone may be
    site = next(iter((*data, *computed, *sites)), None)
    text = ""
    if site is not None and not site.proven:
        needed = _paths(site) or "a traced argument"
        text = f"Line {site.line} needs the value of {needed}. No set of static arguments was found."
    elif site is not None and not found_rewrite and (listed := _unhashable_numbers(call, left)):
        return f"{_needed(site)}. {listed}"
    elif site is not None and (sized := _sizes_in_containers(call, left)):
        text = sized + (" The rewrite takes it as data." if found_rewrite else "")
    elif site is not None:
        text = _data(call, search, site)
    if search.static:
        text += for_static_as_well(search.static)
        text += "".join(_by_identity(name, call.argument(name).value) for name in sorted(search.static - call.declared))
    if not found_rewrite:
        text += f" No rewrite: {why_not.rstrip('.')}." if why_not else " No rewrite of the whole is known."
        text += f" {_split(split)}" if split else ""
    if search.bounded:
        text += " (The search was cut off by its limit.)"
    return text.strip()


def for_written(call: Call, rewrite: Rewrite) -> str:
    """A function that writes what it computes to an object."""
    pieces = _and([f"`{each}`" for each in rewrite.pieces])
    name = call.name.rpartition(".")[2]
    return (
        f"`{name}` writes to an object what it computes. Under jit Python runs once, while it is traced, and writes tracers. "
        f"{pieces} takes the attributes and gives the new ones back; `{name}` writes them."
    )


def for_not_written(call: Call, why_not: str) -> str:
    """The same where no function of the attributes is found."""
    name = call.name.rpartition(".")[2]
    way = f"`{name}` writes to an object, which compiled code cannot: let a function take the attributes and return them"
    return f"{way} ({why_not})." if why_not else f"{way}."


def for_inner_jits(call: Call, rewrite: Rewrite) -> str:
    """Helpers under a jit of their own need arguments static there."""
    helpers = _and([f"`{name}`" for name in rewrite.sources])
    several = len(rewrite.sources) > 1
    they = "are under jit themselves: what they do" if several else "is under jit itself: what it does"
    return f"{helpers} {they} not name static is traced there, whatever `{call.name}` holds static."


def for_another_choice(choice: str, reason: str) -> str:
    """`choice`: another value of a static argument, as "normalize=True", with which the reason for a rewrite holds."""
    return f"Static arguments alone would do in this call, but not with {choice}: {reason[:1].lower()}{reason[1:]}"


def for_untraced_choice(choice: str, left: Found) -> str:
    """`choice`: another value of a static argument, with which the call needs more than that; `left`: what for."""
    site = next(iter(one_for_each_line(left.sites)), None)
    needed = f": line {site.line} needs the value of {_paths(site) or 'a traced argument'}" if site is not None else ""
    return f" With {choice} that does not suffice{needed}."


def for_options_left_out(names: Iterable[str], none: Collection[str] = ()) -> str:
    """Options that are static beside a rewrite, though the call leaves them out, or gives them as `none`."""
    listed = sorted(names)
    these = (
        "they are static beside the rewrite, so that they" if len(listed) > 1 else "it is static beside the rewrite, so that it"
    )
    return f"{_and(listed)} {'are' if len(listed) > 1 else 'is'} {_missing(listed, none)} here: {these} may be given."


def _missing(names: Collection[str], none: Collection[str]) -> str:
    """How options that have no value are missing."""
    return " or ".join(("left out",) * (not set(names) <= set(none)) + ("None",) * any(name in none for name in names))


def for_options_to_hold(names: Iterable[str], none: Collection[str] = ()) -> str:
    """Options that the call leaves out, or gives as `none`, beside a static set."""
    listed = sorted(names)
    if not listed:
        return ""
    several = len(listed) > 1
    held = "they are given, they have" if several else "it is given, it has"
    return f" {_and(listed)} {'are' if several else 'is'} {_missing(listed, none)} here: where {held} to be static as well."


def for_settings_left_out(kinds: Mapping[str, str]) -> str:
    """Settings that the call leaves out, by their class, which jit refuses."""
    told = (
        f" {name} is left out here: jit takes a given {kind} neither traced (no array) nor static (not hashable); with "
        f"@dataclass(frozen=True) above {kind}, {name} may be static."
        for name, kind in kinds.items()
    )
    return "".join(told)


def for_words(names: Sequence[str]) -> str:
    """Arguments that are data here and that the code takes as words, too."""
    are, them = ("are texts", "them") if len(names) > 1 else ("is a text", "it")
    return f"Where {_and(names)} {are}, for which the code asks, jit takes {them} as static alone."


def _split(split: Rewrite) -> str:
    lines = [str(change.line) for change in split.changes if change.pattern == "split"]
    where = f"line{'s' * (len(lines) > 1)} {_and(lines)}"
    pieces = _and(split.pieces)
    return f"The split leaves {where} in plain Python, and {pieces} under jit."


_SIZES = ("shape", "static parameter", "slice", "hash", "range")
"""Operations of sites that need a number to know a shape, or how often a loop runs."""


def _sizes_in_containers(call: Call, left: Found) -> str:
    """What a size among other things is needed for, and that it could be static out of its list or dict; "" if none is."""
    kept = [
        (site, roots, number)
        for site, roots, number in zip(left.sites, left.roots, left.numbers, strict=True)
        if number and len(roots) == 1 and site.operation in _SIZES
    ]
    if not kept:
        return ""
    first = kept[0][1]
    alike = [each for each in kept if each[1] == first]
    sites, roots, numbers = zip(*alike, strict=True)
    listed = _unhashable_numbers(call, replace(left, sites=sites, roots=roots, numbers=numbers))
    return f"{_needed(sites[0])}. {listed}" if listed else ""


def _unhashable_numbers(call: Call, left: Found) -> str:
    """Where sizes stand in a list or dict: out of it they could be static."""
    roots = frozenset().union(*left.roots)
    arguments = [argument for argument in call.arguments if argument.name in roots]
    if (
        not arguments
        or not all(left.numbers)
        or not all(isinstance(argument.value, (list, set, dict)) for argument in arguments)
    ):
        return ""
    name, value = arguments[0].name, arguments[0].value
    kind = type(value).__name__
    text = f"{name} is a {kind}, which is not hashable and so cannot be static"
    paths = list(dict.fromkeys(path for site in left.sites for path in site.arguments))
    own = "an argument of its own and make that" if len(paths) == 1 else "arguments of their own and make those"
    alone = f"{text}: pass {_and(paths)} as {own} static"
    leaves = [*value] if kind == "set" else jax.tree_util.tree_leaves(value)
    holds_data = not all(isinstance(leaf, bool | int | float | complex | str) for leaf in leaves)
    if kind == "dict":
        switches = {f"{name}[{key!r}]" for key, each in value.items() if isinstance(each, bool | str)}
        sized = all(site.operation in _SIZES or switches.issuperset(site.arguments) for site in left.sites)
        return "" if not sized else f"{alone}." if holds_data else f"{alone}, or make {name} a frozen dataclass."
    return f"{alone}." if holds_data else f"{text}: pass a tuple and make {name} static."


def _data(call: Call, search: StaticSet, site: Site) -> str:
    """What the site needs, and why no static argument gives it."""
    numbers = {argument.name for argument in call.arguments if isinstance(argument.value, bool | int | float | complex | str)}
    roots = {path: re.split(r"[.\[]", path)[0] for path in site.arguments}
    able = {path for path, root in roots.items() if path in numbers or root in search.floats}
    could = list(dict.fromkeys(roots[path] for path in site.arguments if path in able))
    others = [path for path in site.arguments if path not in able]
    if could and others:
        needing = f"`{_expression(site)}` still needs the value of {_and([path for path, _ in summed_up(others, {})])}"
        return f"Making {_and(could)} static does not help: {needing}, which is data."
    paths = _paths(site)
    if not paths and site.operation != "invalid argument":
        return (
            f"Line {site.line} needs a value that depends on no traced argument, but jnp computes it, and what jnp computes "
            "under jit is traced. Python's own arithmetic, math and NumPy leave it a plain value."
        )
    text = f"Line {site.line} needs " + (
        f"the value of {paths}, which is data" if paths else "a value that is computed under jit"
    )
    floats = sorted(search.floats)
    if floats and could:
        return f"{text}: {_and(floats)} could be static, but a number that is only computed with would compile once per value."
    return f"{text}; making an argument static does not help."


def _expression(site: Site) -> str:
    """The code that needs the value; its whole line where the place within is not known."""
    line = linecache.getline(site.filename, site.line)
    on_this_line = site.end_line == site.line and site.column is not None and site.end_column is not None
    return (line[site.column : site.end_column].strip() if on_this_line and line.strip() == site.code else "") or site.code


def _and(names: Any) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def _needed(site: Site) -> str:
    """ "n (5) decides a shape"."""
    detail = site.detail or "is needed as a Python value"
    if len(site.arguments) > 1:
        detail = re.sub(r"^is\b", "are", re.sub(r"^(decide)s\b", r"\1", detail))
    return f"{_paths(site)} {detail}"


def _paths(site: Site) -> str:
    return _and([f"{path} ({text})" if text else path for path, text in summed_up(site.arguments, site.values)])
