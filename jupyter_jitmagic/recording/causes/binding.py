"""The arguments of a call by name: which are static, which were left to their defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `index` is its position, None if passed by `keyword`; `name` is how the user writes it."""

    name: str
    index: int | None
    value: Any
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    arguments: tuple[Argument, ...]
    defaults: dict[str, Any]
    parameters: tuple[inspect.Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)


_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def bind(fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound:
    """Name every argument, in the order of the parameters; keywords in JAX's (sorted) order, as JAX ignores the written one."""
    parameters = parameters_of(fun)
    positional = [parameter.name for parameter in parameters if parameter.kind in _BY_POSITION]
    star = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), "args")
    double_star = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), "kwargs")
    known = {p.name for p in parameters if p.kind is not inspect.Parameter.POSITIONAL_ONLY}
    found = [
        Argument(positional[i] if i < len(positional) else f"{star}[{i - len(positional)}]", i, value)
        for i, value in enumerate(args)
    ]
    found += [
        Argument(name if name in known or not parameters else f"{double_star}[{name!r}]", None, kwargs[name], name)
        for name in sorted(kwargs)
    ]
    given = {argument.name for argument in found}
    defaults = {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty and parameter.name not in given
    }
    return Bound(tuple(found), defaults, parameters)


def named_arguments(fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names under which we speak of them, as "x" and "rest[0]"."""
    return {argument.name: argument.value for argument in bind(fun, args, kwargs).arguments}


def static_arguments(
    fun: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], nums: Iterable[int], names: Iterable[str]
) -> dict[str, Any]:
    """The static arguments of a call by name; `nums` and `names` as JAX resolved them."""
    numbers, keywords = set(nums), set(names)
    if not numbers and not keywords:
        return {}
    return {
        argument.name: argument.value
        for argument in bind(fun, args, kwargs).arguments
        if (argument.keyword in keywords if argument.index is None else argument.index in numbers)
    }


def parameters_of(fun: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """The parameters, or none where the function does not tell (as some builtins)."""
    try:
        return tuple(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        return ()


def resolve_statics(
    parameters: Sequence[inspect.Parameter],
    argnums: int | Iterable[int] | None,
    argnames: str | Iterable[str] | None,
    given: int,
) -> tuple[frozenset[int], frozenset[str]]:
    """Positions and names of the static arguments; as in ``jax.jit``, either is inferred where only the other is given."""
    nums = None if argnums is None else tuple([argnums] if isinstance(argnums, int) else argnums)
    names = None if argnames is None else frozenset([argnames] if isinstance(argnames, str) else argnames)
    positional = [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    places = {p.name: i for i, p in enumerate(parameters) if p.kind in _BY_POSITION}
    if nums is None and names is not None:
        return frozenset(places[name] for name in names if name in places), names
    size = len(places) or given
    resolved = frozenset(num if num >= 0 else num + size for num in nums or ())
    if names is None:
        names = frozenset(name for name in positional if places[name] in resolved)
    return resolved, names
