"""``auto=True``: a trace that fails is made to work by the smallest proven set of static arguments, once."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import jax
from jax import jit as jax_jit

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.recording.jitted import Jitted


class Target(Protocol):
    """What is put under jit anew."""

    facts: Jitted

    @property
    def name(self) -> str: ...
    def use(self, jitted: Any, jit_arguments: dict[str, Any]) -> None: ...


class Auto:
    """Cures failing traces of one function. Later calls pay nothing: they call what the cure put in place."""

    def cure(self, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException) -> bool:
        """Make the proven arguments static; False if there are none, and then nothing has changed."""
        if not isinstance(error, jax.errors.ConcretizationTypeError | jax.errors.TracerIntegerConversionError | TypeError):
            return False
        try:
            return self._cure(target, args, kwargs)
        except Warning:  # what we say, made an error by the user's filters
            raise
        except Exception as fault:
            faults.report("looking for static arguments (auto)", fault)
            return False

    def _cure(self, target: Target, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        from jupyter_jitmagic.diagnosis import diagnose

        found = diagnose(target.facts.jitted, *args, **kwargs)
        if found.kind != "static" or not found.verified:
            return False
        options = target.facts.jit_options
        names = tuple(dict.fromkeys([*options.static_argnames, *found.static_argnames]))
        nums = tuple(dict.fromkeys([*options.static_argnums, *found.static_argnums]))
        arguments = {name: value for name, value in target.facts.jit_arguments.items() if not name.startswith("static_arg")}
        if names:
            arguments["static_argnames"] = names
        if found.static_argnums:  # then JAX concludes no number from a name: each needs its own
            arguments["static_argnums"] = nums
        target.use(jax_jit(target.facts.fun, **arguments), arguments)
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items() if name.startswith("static_arg"))
        message = f"auto: {target.name} does not trace as it was; from now on it is jit({shown})"
        warnings.warn(message, UserWarning, stacklevel=5)
        return True
