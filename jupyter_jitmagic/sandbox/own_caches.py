"""The user's function made again with caches of its own, so that what runs for us fills none of the user's.

JAX keeps traces and programs by function object, `functools.lru_cache` its results in the wrapper. So the function, the jitted
and the cached helpers that it names, and the functions that lead to these are made again from their code, in copies of their
globals.
"""

from __future__ import annotations

import functools
import types
from typing import Any

from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.source.rebuilding import Rebuilt, is_plain_jit, jitted_as
from jupyter_jitmagic.source.units import NoSource
from jupyter_jitmagic.usercode.ownership import is_library


class OwnCaches(Rebuilt):
    """Functions made again with empty caches. `made` are those under `functools.lru_cache`.

    Example:
        >>> OwnCaches().of(step)  # the helpers that step calls are traced and compiled anew
    """

    def __init__(self) -> None:
        super().__init__({})
        self.made: list[Any] = []

    def of(self, fun: Any) -> Any:
        """`fun` with caches of its own; as it is where it is neither a function of Python's nor made of one."""
        try:
            if isinstance(fun, types.FunctionType) and not is_library(fun.__code__.co_filename):
                return self._made.get(id(fun)) or self._calling_itself(fun)
            if isinstance(fun, functools.partial):
                return functools.partial(self.of(fun.func), *fun.args, **fun.keywords)
            if isinstance(fun, types.MethodType):
                return types.MethodType(self.of(fun.__func__), fun.__self__)
        except NoSource:
            return fun
        return fun

    def _calling_itself(self, fun: types.FunctionType) -> types.FunctionType:
        """The function made again; one that calls itself by its name in the module calls the new one."""
        made = self._function(fun)
        for name in fun.__code__.co_names:
            if fun.__globals__.get(name) is fun:
                made.__globals__[name] = made
        return made

    def make(self, fun: Any) -> Any:
        if not self.affected(fun):
            return fun
        if id(fun) not in self._made:
            self._keep.append(fun)
            if isinstance(fun, functools._lru_cache_wrapper):
                made = functools.lru_cache(**fun.cache_parameters())(self.of(fun.__wrapped__))
                self.made.append(made)
            elif is_plain_jit(fun):
                made = jitted_as(fun, self.of(fun.__wrapped__))
            else:
                made = self.of(fun)
            self._made.setdefault(id(fun), made)
        return self._made[id(fun)]

    def _reaches(self, fun: Any) -> bool:
        if isinstance(fun, functools._lru_cache_wrapper) or is_plain_jit(fun):
            return not is_library(getattr(attribute(fun.__wrapped__, "__code__", None), "co_filename", "<frozen"))
        return isinstance(fun, types.FunctionType | functools.partial | types.MethodType) and super()._reaches(fun)

    def _instance(self, value: Any) -> Any:
        return value
