"""What a diagnosis says of failures that are no matter of static or traced values: what it is, and the cure, in a sentence."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.base.looking import is_a, parts_of
from jupyter_jitmagic.base.outputs import WHAT_TO_RETURN, refused_output
from jupyter_jitmagic.base.refused import REFUSED_FILL, REFUSED_INDEX, REFUSED_LIST
from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind, code_of
from jupyter_jitmagic.diagnosis.sites.buffers import Gone
from jupyter_jitmagic.diagnosis.sites.finding import raised_by_user
from jupyter_jitmagic.diagnosis.sites.keeping import Keeping, keeping
from jupyter_jitmagic.diagnosis.sites.leaks import Holder, leaks
from jupyter_jitmagic.diagnosis.statics.registered import (
    is_hashable,
    is_known,
    is_of_a_library,
    library_of_fields,
    registered,
    registered_results,
    traces_arrays_alone,
    traces_bound,
    traces_frozen,
)
from jupyter_jitmagic.diagnosis.statics.search import call_error
from jupyter_jitmagic.diagnosis.words import reasons

CONCRETIZATIONS = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)
ASYNC = "An async function returns a coroutine, which is not a JAX type: jit the computation that it awaits."


def for_refused(call: Call, refused: tuple[Argument, ...]) -> str:
    argument = refused[0]
    path, leaf = argument.bad_leaves[0]
    if isinstance(leaf, np.ndarray):
        told = f"{path} is a NumPy array of {_contents(leaf)}, which JAX has no type for: {_numbers_of(leaf, path)}."
        return f"{told} {unused}" if (unused := _unused(call, argument, path)) else told
    if leaf is argument.value:
        text = (
            f"{argument.name} is {_a(type(leaf))}, which jit can take neither traced (not an array) nor static (not hashable)."
        )
        return f"{text} {_registered(call, argument) or _frozen(call, argument) or _hashable_instead(leaf)}"
    text = f"{path} is {_a(type(leaf))}, which is not a JAX type"
    fields = tuple(each.removeprefix(f"{argument.name}.") for each, _ in argument.bad_leaves)
    if cure := for_fields(call, argument, fields):
        return f"{text}. {cure}"
    if argument.has_array:
        return text + f", and {argument.name} holds arrays, so it cannot be static: take {path} out of it before the call."
    text += f", and {_a(type(argument.value))} cannot be static: pass {_hashable_container(argument.value)}"
    bound = _bound(call, argument)
    if not bound or not traces_bound(call, argument):
        return f"{text}."
    return (
        f"{text}, or put `{bound}` under jit, with which the call traces; for another {argument.name} it is a jit of its own."
    )


def _bound(call: Call, argument: Argument) -> str:
    """How an argument is bound beforehand, where the others may be given as they are; "" where they may not."""
    if not call.name.isidentifier() or not argument.name.isidentifier() or code_of(call.fun) is None:
        return ""
    parameters, name = inspect.signature(call.fun).parameters, argument.name
    given = [*parameters][: len(call.args)]
    parameter = parameters.get(name)  # none where it is one of `**options`
    by_place = parameter is not None and parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    if name in given[1:-1] or (by_place and name not in given[:1]):
        return ""
    return f"functools.partial({call.name}, {name if given[:1] == [name] else f'{name}={name}'})"


def for_filter_jit(argument: Argument, beside: str) -> str:
    """That equinox's jit takes the argument, and what there is beside it."""
    path, leaf = argument.bad_leaves[0]
    return f"{path} is {_a(type(leaf))}, which is not a JAX type: equinox.filter_jit keeps what is no array as it is. {beside}"


def _unused(call: Call, argument: Argument, path: str) -> str:
    """That a value of a dict is not used, where the call traces without it, which was tried."""
    if not is_a(argument.value, dict) or len(argument.bad_leaves) != 1:
        return ""
    key = next((key for key in argument.value if path == f"{argument.name}[{key!r}]"), None)
    if key is None:
        return ""
    rest = {other: value for other, value in argument.value.items() if other != key}
    args, kwargs = call.with_values({argument.name: rest})
    if call_error(bind(call.fun, args, kwargs, call.declared), frozenset(), 2.0) is not None:
        return ""
    return f"{call.name} does not use it: without that key the call traces."


def _contents(array: np.ndarray) -> str:
    if array.dtype.names:
        return f"records ({', '.join(array.dtype.names)})"
    return {"M": "dates", "m": "time differences", "U": "strings", "S": "byte strings", "O": "Python objects"}.get(
        array.dtype.kind, str(array.dtype)
    )


def _numbers_of(array: np.ndarray, path: str) -> str:
    """What is to be done with an array of no numbers."""
    if array.dtype.names:
        return f"pass its fields as a dict, `{{name: {path}[name] for name in {path}.dtype.names}}`"
    if array.dtype.kind in "mM":
        return "take its numbers (.astype('int64'), or a difference in seconds) before the call"
    if array.dtype.kind in "US":
        return "encode them as integers before the call"
    items = array.reshape(-1)[:_MOST_ITEMS]
    if all(isinstance(item, int | float | np.number) for item in items):
        return "make an array of numbers of it (.astype(float)) before the call"
    if all(isinstance(item, jax.Array | np.ndarray | list | tuple) for item in items):
        return f"pass a list, `list({path})`"
    return "pass what is computed with as numbers or arrays"


_MOST_ITEMS = 1000


def _hashable_instead(value: Any) -> str:
    kind = type(value).__name__
    if dataclasses.is_dataclass(value):
        fields = [field for field in dataclasses.fields(value) if not is_hashable(getattr(value, field.name, None))]
        also = f", and with hashable values for {', '.join(field.name for field in fields)}," if fields else ""
        return f"With @dataclass(frozen=True){also} {kind} could be static."
    if isinstance(value, slice):  # hashable from Python 3.12 on
        return "Pass its start and stop as numbers and make those static (from Python 3.12 on a slice can be static itself)."
    own = next((each for each in (dict, list, tuple) if isinstance(value, each) and type(value) is not each), None)
    if own is not None:
        return f"Pass {_a(own)} in its place, which jit takes apart ({own.__name__}(…))."
    if isinstance(value, (set, list, dict)):
        return f"Pass {_hashable_container(value)} in its place and make that static."
    if is_of_a_library(type(value)):
        return "Pass what it holds as arguments of their own, or a frozen dataclass with it, and make that static."
    return f"Pass a hashable object in its place, or make {kind} a pytree (jax.tree_util.register_dataclass)."


def _registered(call: Call, argument: Argument) -> str:
    """The advice to make a dataclass that holds arrays a pytree, which was tried."""
    found = registered(call, argument)
    if found is None:
        return ""
    if not found.traces:  # integers may decide shapes or rounds
        numbers = tuple(each.name for each in dataclasses.fields(argument.value) if _is_int(argument.value, each.name))
        tried = dict.fromkeys((*((name,) for name in numbers[:_MOST_TRIED]), numbers)) if numbers else ()
        held = (registered(call, argument, each) for each in tried)
        found = next((each for each in held if each is not None and each.traces), found)
    proven = "; with that the call traces" if found.traces else ""
    return f"It holds arrays: put {_register(type(argument.value), found.fixed)}, and they are traced{proven}."


_MOST_TRIED = 4  # integers as static fields, one by one


def _register(kind: type, fixed: tuple[str, ...]) -> str:
    """What makes a dataclass a pytree."""
    static = f" ({', '.join(fixed)} as static fields: metadata={{'static': True}})" if fixed else ""
    return f"@jax.tree_util.register_dataclass above {kind.__name__}{static}"


def _frozen(call: Call, argument: Argument) -> str:
    """The advice to make a dataclass of plain values frozen, and static, which was tried."""
    if not traces_frozen(call, argument):
        return ""
    kind, static = type(argument.value).__name__, sorted({*call.declared, argument.name})
    names = f'"{static[0]}"' if len(static) == 1 else "(" + ", ".join(f'"{name}"' for name in static) + ")"
    return (
        f"With @dataclass(frozen=True) above {kind}, and static_argnames={names} in the jit, the call traces; each new value "
        f"of {argument.name} compiles again. (A frozen object is not changed: dataclasses.replace makes another.)"
    )


def for_fields(call: Call, argument: Argument, fields: tuple[str, ...]) -> str:
    """The advice to make leaves of a registered dataclass static fields, where the call traces with that; else ""."""
    held = fields_to_hold(call, argument, fields)
    alone = _arrays_alone(call, argument)
    if not held or is_of_a_library(type(argument.value)):
        return alone.strip()
    kind, all_of, several = type(argument.value).__name__, " and ".join(held), len(held) > 1
    verb, noun = ("are", "static fields") if several else ("is", "a static field")
    how = _STATIC_FIELD[library_of_fields(type(argument.value))]
    traces = f"as {noun} ({how}) the call traces, and each new value compiles again"
    return f"{all_of} {verb} among the leaves of {kind}: {traces}.{alone}"


_STATIC_FIELD = {
    "": "dataclasses.field(metadata={'static': True}), or among its meta_fields",
    "equinox": "equinox.field(static=True)",
    "flax": "flax.struct.field(pytree_node=False)",
}
"""By the library that the class is made with."""


def fields_to_hold(call: Call, argument: Argument, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The leaves of a registered dataclass with which, as static fields, the call traces; () where it does not."""
    if not is_known(argument.value) or not fields or any(not hasattr(argument.value, each) for each in fields):
        return ()
    numbers = tuple(each.name for each in dataclasses.fields(argument.value) if _is_int(argument.value, each.name))
    tried = (tuple(dict.fromkeys(each)) for each in (fields, (*fields, *numbers)))
    return next((each for each in tried if (found := registered(call, argument, each)) is not None and found.traces), ())


def _arrays_alone(call: Call, argument: Argument) -> str:
    """That equinox's jit cures it, for one of its modules, which was tried."""
    if library_of_fields(type(argument.value)) != "equinox" or not traces_arrays_alone(call):
        return ""
    return " equinox.filter_jit in the place of jax.jit traces arrays alone: with it the call traces."


def _is_int(value: Any, name: str) -> bool:
    return isinstance(getattr(value, name, None), int)


def _hashable_container(value: Any) -> str:
    return (
        "a frozenset" if isinstance(value, set) else "a tuple" if isinstance(value, list) else "a tuple or a frozen dataclass"
    )


def _a(kind: type | str) -> str:
    """ "a dict", "an Axis"."""
    name = kind if isinstance(kind, str) else kind.__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def for_unhashable_function(call: Call) -> str | None:
    """An object that is called and has no hash, by which `jax.jit` finds what it has compiled."""
    try:
        hash(call.fun)
    except TypeError as error:
        name = type(call.fun).__name__
        return (
            f"jax.jit cannot take an object of {name}: it has no hash ({error}). Put the jit on its method "
            "(`jax.jit(it.__call__)`, the arrays that it holds being constants then) or on a function that takes it as an "
            "argument (`equinox.filter_jit` takes one of equinox's modules)."
        )
    return None


def for_keys_without_order(call: Call) -> str | None:
    """A dict among the arguments whose keys cannot be sorted, as JAX sorts them to take a dict apart."""
    for argument in call.arguments:
        keys = _without_order(argument.value)
        if keys is not None:
            plain = all(isinstance(key, str | bytes | int | float | complex | None) for key in keys)
            kinds = " and ".join(sorted({type(key).__name__ for key in keys}))
            named = f"the keys {_cut(', '.join(map(repr, keys)), 80)} ({kinds})" if plain else f"keys of {kinds}"
            return (
                f"{argument.name} holds a dict with {named}, which have no order, and jit sorts keys: make all of them strings."
            )
    return None


def _without_order(value: Any) -> list[Any] | None:
    """The keys of the first dict in it that cannot be sorted."""
    inside: Iterable[Any] = ()
    if is_a(value, dict):
        keys = list(dict.keys(value))
        try:
            sorted(keys)
        except Exception:
            return keys
        inside = dict.values(value)
    elif is_a(value, (list, tuple)):
        inside = parts_of(value)
    return next((found for each in inside if (found := _without_order(each)) is not None), None)


def for_unhashable_static(call: Call) -> str | None:
    """An argument that is declared static and cannot be."""
    for argument in call.arguments:
        if argument.name in call.declared and not argument.hashable:
            kind = type(argument.value).__name__
            cure = "a tuple" if isinstance(argument.value, (list, set)) else "a hashable value (a tuple, a frozen dataclass)"
            return f"{argument.name} is declared static, but a {kind} is not hashable: pass {cure}."
    return None


def for_deleted(call: Call, gone: Gone) -> str:
    """The call needs an array whose memory is gone."""
    if gone.argument in call.donated:
        return (
            f"{gone.holder} is donated: an earlier call took over its memory, so the array cannot be used again. Go on with "
            "what that call returned, or pass a copy (jnp.copy)."
        )
    return (
        f"The array in {gone.holder} was deleted, or donated to an earlier call: its memory is gone. Make it again, or go on "
        "with what that call returned."
    )


def for_other_failure(call: Call, error: BaseException, plain: BaseException | None) -> str:
    """One sentence: what it is, if it is no matter of static arguments. `plain` is what plain Python raises on this call."""
    if plain is not None and re.search(r"\w*Tracer\b", str(error)) and not isinstance(error, _JAX_OWN):
        error = plain  # the same failure, without words about tracers
    text = " ".join(str(error).split())
    for rule in (_leak, _inner_trace) if isinstance(error, CONCRETIZATIONS) else _RULES:  # its text names the user's variables
        sentence = rule(call, error, text)
        if sentence:
            return _with_plain(sentence) if plain is not None and type(plain) is type(error) else sentence
    if plain is None and (sentence := _own_check(call, error, text)):
        return sentence
    name = type(error).__name__
    if plain is None:
        return f"{name}: {_cut(text)}, where plain Python does not fail. No static argument alone cures it."
    return f"{name}: {_cut(text)}. Plain Python fails in the same way.{NO_PART_ALONE}"


def _with_plain(sentence: str) -> str:
    """What is said of static arguments follows on that plain Python fails, too."""
    end = next((each for each in (NO_PART, NO_PART_ALONE) if sentence.endswith(each)), None)
    return f"{sentence.removesuffix(end)} Plain Python fails in the same way.{end}" if end else sentence


def with_static(sentence: str, call: Call, names: frozenset[str]) -> str:
    """What is said of such a failure, where other code cures it beside static arguments."""
    sentence = sentence.replace(f"of {call.name} cures it.", f"of {call.name} alone cures it.")
    return without_static(sentence) + reasons.for_static_as_well(names)


def without_static(sentence: str) -> str:
    """The same without what is said of static arguments."""
    return sentence.removesuffix(NO_PART).removesuffix(NO_PART_ALONE)


def _leak(call: Call, error: BaseException, text: str) -> str | None:
    if not isinstance(error, _JAX_OWN):
        return None
    leak = next(leaks(call), None)
    if leak is None and not isinstance(error, jax.errors.UnexpectedTracerError):
        return None
    text = "A tracer of an earlier trace is used again"
    if leak is not None:
        text += f": {leak.text} still holds one"
    if kept := keeping(error, leak.name if leak is not None else ""):
        text += f"{', and' if leak is not None else ':'} line {kept.line} keeps it (`{kept.code}`), in {kept.function} as "
        text += f"{kept.traced_by} traces it"
    return f"{text}. {_returned(kept)}"


def for_left_tracer(call: Call, holder: Holder, kept: Keeping | None) -> str:
    """The call traces, and `holder` holds a tracer afterwards."""
    name = call.name.rpartition(".")[2]
    return (
        f"`{name}` traces, and leaves a tracer in {holder.text}. It is no number: this call gives what it should, and what "
        f"uses {holder.text} later fails. {_returned(kept)}"
    )


def _returned(kept: Keeping | None) -> str:
    """What is to be done with a value that was kept."""
    if kept is None or kept.traced_by == "jit":
        return "Return such values from the function and keep nothing traced outside."
    if kept.traced_by == "scan":
        return f"Return it from {kept.function} as the second result: scan gives what all rounds gave, stacked."
    if kept.traced_by in ("fori_loop", "while_loop", "while_body"):
        return f"Give it on in what {kept.function} returns, or use lax.scan, which stacks what each round gives beside that."
    return f"Return it from {kept.function}, and keep nothing traced outside."


def _missing_attribute(call: Call, error: BaseException, text: str) -> str | None:
    found = re.search(r"(?:Tracer|Array|ArrayImpl)'? (?:object )?has no attribute '?(\w+)", text)
    if not found or not isinstance(error, AttributeError):
        return None
    return f"JAX arrays have no .{found[1]}, which arrays of other libraries may have. No static argument plays a part in it."


_CARRY = r"input carry (?:component )?(\S+) has type (\S+) but the corresponding output carry component has type (\S+?),? "
_OUTPUTS = r"output of \S+(?: at \S+)? has (?:pytree )?(?:type|structure) (.+?)"
_BRANCHES = rf"{_OUTPUTS} but the corresponding {_OUTPUTS}(?:, so|\.? |$)"


def _carry(call: Call, error: BaseException, text: str) -> str | None:
    if re.search(r"carry|body_fun (input|output)|body function", text) and re.search(r"type|dtype|shape|structure", text):
        found = re.search(_CARRY, text)
        what = f"{found[1]} starts as {found[2]} and is {found[3]} after a step" if found else _cut(text)
        return f"The carry of a JAX loop changes its type: {what}. Start it with the type that the body returns."
    if re.search(r"true_fun and false_fun|branch(es)? .*(output|must have)|cond branches", text):
        found = re.search(_BRANCHES, text)
        what = f"one gives {found[1]}, another {found[2]}" if found else _cut(text)
        return f"The branches of lax.cond or lax.switch must give the same type: {what}."
    return None


NO_PART = " Static arguments play no part in it."
NO_PART_ALONE = " No static argument plays a part in it."


def _in_place(call: Call, error: BaseException, text: str) -> str | None:
    if "immutable" in text and "item assignment" in text:
        return "JAX arrays are immutable: write x = x.at[i].set(v) in place of x[i] = v." + NO_PART
    if REFUSED_FILL.search(text):
        return "JAX arrays have no .fill, being immutable: write x = jnp.full_like(x, v) in place of x.fill(v)." + NO_PART
    if REFUSED_INDEX.search(text):
        return (
            "JAX arrays take no list (no non-tuple sequence) as an index: write x[jnp.array([i, j])] in place of x[[i, j]]."
            + NO_PART
        )
    if REFUSED_LIST.search(text) and "where requires" not in text:
        return f"{text.split()[0]} of jax.numpy takes no list, as NumPy's does: give it jnp.array([…])." + NO_PART
    if isinstance(error, ValueError) and "setting an array element" in text:
        return "A traced value is written into a NumPy array: fill a JAX array with .at[i].set(v), or stack the values."
    return None


def _grad(call: Call, error: BaseException, text: str) -> str | None:
    if "grad requires" in text:
        return "jax.grad needs floats, and got integers: pass floats (or jnp.asarray(x, float))."
    if "only defined for scalar-output" in text:
        shape = re.search(r"shape: (\([\d, ]*\))", text)
        got = f"an array of shape {shape[1]}" if shape else "something else"
        return f"jax.grad needs a function that returns one number, and this one returns {got}: sum it, or use jax.jacobian."
    return None


def _key(call: Call, error: BaseException, text: str) -> str | None:
    if "invalid PRNG key" in text or "requires a PRNG key" in text or "PRNGKey" in text or "key_data.ndim" in text:
        return f"jax.random wants a key and got something else ({_cut(text, 90)}): make one with jax.random.key(seed)."
    return None


def _axis_name(call: Call, error: BaseException, text: str) -> str | None:
    found = re.search(r"unbound axis name: (\w+)", text)
    if not found:
        return None
    return (
        f"No vmap or shard_map around this line has an axis named {found[1]!r}: give it that axis_name, or use the name it has."
    )


REWRITE_THAT_BODY = "Rewrite that body (jnp.where, lax.cond), or give it the value from outside."
"""What is said of an inner trace; not beside a rewrite, which does so."""
_KEYS = r"with \d+ child keys? (.+?)"


def _tree(call: Call, error: BaseException, text: str) -> str | None:
    if not re.search(r"pytree structure error|[Kk]ey mismatch|node (type|arity) mismatch", text):
        return None
    found = re.search(rf"{_KEYS} but at the same key path .*? {_KEYS}(?: ,|,| so|$)", text)
    what = f"one has the keys {found[1]}, the other {found[2]}" if found else _cut(text, 120)
    return f"Two pytrees that are walked together differ in their structure: {what}. No static argument plays a part in it."


def _output(call: Call, error: BaseException, text: str) -> str | None:
    fun = call.fun
    if inspect.isgeneratorfunction(fun):
        return "A generator function returns a generator, which is not a JAX type: return an array of the values."
    refused = refused_output(error)
    if refused is None:
        return None
    if found := registered_results(call):
        put = " and ".join(_register(kind, fixed) for kind, fixed in found.items())
        return f"The function returns {refused}, which is not a JAX type: put {put}; with that the call traces."
    return f"The function returns {refused}, which is not a JAX type: {WHAT_TO_RETURN}."


def _inner_trace(call: Call, error: BaseException, text: str) -> str | None:
    if not isinstance(error, CONCRETIZATIONS) and not re.search(r"traced array|Tracer\(", text):
        return None
    who = re.search(r"while tracing the function (\w+|<lambda>) at \S+ for (\w+)", text)
    inner = "a function that JAX itself traces (scan, while_loop, vmap, checkpoint, an inner jit)"
    if who and who[1] != call.name.rsplit(".", 1)[-1]:
        inner = f"{'the lambda' if who[1] == '<lambda>' else who[1]}, traced by {who[2]},"
    return (
        f"Inside {inner} every argument is traced, also without the outer jit, so no static argument of {call.name} cures it. "
        f"{REWRITE_THAT_BODY}"
    )


_OF_SHAPES = re.compile(r"\b(?:shape|dimension|broadcast|axis|rank|ndim|Incompatible|incompatible)")
_OF_PARAMETERS = re.compile(r"unexpected keyword argument|required (?:positional|keyword-only) argument|multiple values for")


def _shapes(call: Call, error: BaseException, text: str) -> str | None:
    refuses = isinstance(error, TypeError | ValueError | IndexError) and not raised_by_user(error, call)
    if not refuses or not _OF_SHAPES.search(text) or _OF_PARAMETERS.search(text):  # a parameter may be called `axis`
        return None
    mapped = re.findall(r"had size (\d+): (axis \S+ of \w+(?: \w+)?)", text)
    if mapped:
        text = "vmap maps axes of different sizes, " + " but ".join(f"{axis} has {size}" for size, axis in mapped[:3])
    return f"The shapes do not fit: {_cut(text)}. No static argument plays a part in it."


def _refused_argument(call: Call, error: BaseException, text: str) -> str | None:
    """JAX takes no such argument, and the function was not reached."""
    refused = [found for argument in call.refused for found in argument.bad_leaves]
    if not refused or not re.match(r"Error interpreting argument to|Argument .* is not a valid JAX type", text):
        return None
    path, leaf = refused[0]
    return f"{path} is {_a(type(leaf))}, which is not a JAX type: use it outside of {call.name}, and pass numbers and arrays."


def _own_check(call: Call, error: BaseException, text: str) -> str | None:
    """Plain Python passes, so it is the tracer that is refused, by the user's check or by what the line calls."""
    if code_of(call.fun) is None or not re.search(r"racer|numpy|ndarray|array", text):
        return None
    text = re.sub(r"\b(Dynamic\w*|Shadow|Jit|JVP|Batch\w*)Tracer\b", "Tracer", text)
    if not raised_by_user(error, call):
        return f"What is called there takes no traced array ({_cut(text)}): use its counterpart in jax.numpy, if there is one."
    return f"The function's own check refuses a traced array ({_cut(text)}): let it accept jax.Array as well."


_JAX_OWN = (jax.errors.UnexpectedTracerError, *CONCRETIZATIONS)
_RULES = (
    _refused_argument, _leak, _in_place, _missing_attribute, _carry, _grad, _key, _axis_name, _tree, _output, _inner_trace,
    _shapes,
)  # fmt: skip


def _cut(text: str, most: int = 160) -> str:
    text = text.split(" See https")[0].replace("jaxlib._jax.ArrayImpl", "Array").rstrip(".,;: ")
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + " …"
