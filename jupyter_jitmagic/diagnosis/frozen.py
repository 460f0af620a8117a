"""A dataclass of settings that jit takes neither traced nor static: frozen it can be static, beside what the rest needs.

The class itself stays as it is while this is tried: an object of a class below it is handed over, which refuses what a frozen
one refuses.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jupyter_jitmagic.base.looking import attribute, attributes, has
from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind
from jupyter_jitmagic.diagnosis.static_fields import units_of
from jupyter_jitmagic.diagnosis.statics.registered import is_hashable
from jupyter_jitmagic.diagnosis.types import Change, Diagnosis, Rewrite
from jupyter_jitmagic.source.code import Code
from jupyter_jitmagic.source.units import NoSource
from jupyter_jitmagic.usercode.ownership import is_library_type

PATTERN = "frozen"


def frozen_call(call: Call, argument: Argument) -> Call | None:
    """The call with the argument's dataclass frozen; None for what is no plain dataclass of hashable values."""
    value, kind = argument.value, type(argument.value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type) or is_library_type(kind):
        return None
    made_by_others = any(dataclasses.is_dataclass(base) for base in kind.__mro__[1:])
    by_hand = any(has(value, name) for name in ("__post_init__", "__slots__"))
    if made_by_others or by_hand or type(kind) is not type or not attribute(kind, "__dataclass_params__").init:
        return None
    names = [field.name for field in dataclasses.fields(value)]
    values = [getattr(value, name, None) for name in names]
    if set(attributes(value) or {}) - set(names) or not all(map(is_hashable, values)):
        return None
    made: Any = object.__new__(_refusing(kind, frozenset(names)))
    vars(made).update(zip(names, values, strict=True))
    args, kwargs = call.with_values({argument.name: made})
    return replace(bind(call.fun, args, kwargs, call.declared), seen=call.seen, jit=call.jit)


def _refusing(kind: type, names: frozenset[str]) -> type:
    """A class below a dataclass, each of whose attributes is set once: when its object is made."""

    def set_once(self: Any, name: str, value: object) -> None:
        if name not in names or name in vars(self):
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def refuse(self: Any, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def by_value(self: Any) -> int:
        return hash(tuple(getattr(self, name) for name in sorted(names)))

    held = {"__setattr__": set_once, "__delattr__": refuse, "__hash__": by_value, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), held)


def with_frozen(call: Call, argument: Argument, found: Diagnosis) -> tuple[Rewrite, ...]:
    """The class frozen, with what `found`, the answer to the call with its object frozen, says beside it; () where nothing
    cures that call, or the class's text is not known."""
    if found.static_argnums or not ((found.kind == "static" and found.verified) or found.rewrites):
        return ()
    made = _frozen_class(call, type(argument.value))
    if made is None:
        return ()
    if found.kind == "static":
        return (replace(made, static_argnames=found.static_argnames),)
    return tuple(_together(made, each, found.static_argnames) for each in found.rewrites)


def splits_with_frozen(call: Call, argument: Argument, found: Diagnosis) -> tuple[Rewrite, ...]:
    """The pieces in which `found` gives the function; with the class frozen where one takes something static, as its object."""
    made = _frozen_class(call, type(argument.value)) if found.splits else None
    if made is None:
        return ()
    return tuple(_together(made, each, ()) if _holds_static(each) else each for each in found.splits)


def _holds_static(split: Rewrite) -> bool:
    return any("static_arg" in text for text in split.sources.values())


def _together(made: Rewrite, beside: Rewrite, static: Iterable[str]) -> Rewrite:
    """One change of the class and of the functions."""
    return replace(
        beside,
        sources={**made.sources, **beside.sources},
        changes=(*made.changes, *beside.changes),
        diff=f"{made.diff}\n{beside.diff}",
        filenames={**made.filenames, **beside.filenames},
        static_argnames=tuple(dict.fromkeys((*static, *beside.static_argnames))),
    )


def _frozen_class(call: Call, kind: type) -> Rewrite | None:
    """The class with `frozen=True`; None where its text is not known, or says more than that it is a dataclass."""
    try:
        unit = next(units_of(kind, call), None)
    except NoSource:
        return None
    if unit is None:
        return None
    code = Code(unit.text)
    (node,) = code.tree.body
    assert isinstance(node, ast.ClassDef)
    text = None
    for each in node.decorator_list:
        match each:
            case ast.Name() | ast.Attribute() if code.src(each).endswith("dataclass"):
                text = code.replace((each, f"{code.src(each)}(frozen=True)"))
            case ast.Call(args=[], keywords=keywords) if code.src(each.func).endswith("dataclass"):
                kept = [code.src(keyword) for keyword in keywords if keyword.arg != "frozen"]
                text = code.replace((each, f"{code.src(each.func)}({', '.join(['frozen=True', *kept])})"))
    if text is None or len(node.decorator_list) != 1:
        return None
    name = kind.__name__
    lines = unit.text.splitlines(), text.splitlines()
    diff = "\n".join(difflib.unified_diff(*lines, f"{name} (now)", f"{name} (fixed)", lineterm="", n=3))
    change = Change(unit.filename, unit.first_line, PATTERN)
    return Rewrite({name: text}, text, (change,), diff, None, True, filenames={name: unit.filename})
