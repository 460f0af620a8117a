"""Functions made again also within the objects of libraries that hold them: a solver its objective, a sampler its density."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

from jupyter_jitmagic.base.looking import attributes
from jupyter_jitmagic.source.rebuilding import Rebuilt, shallow_copy
from jupyter_jitmagic.source.units import Unit
from jupyter_jitmagic.usercode.ownership import is_library_type

_MOST = 500  # objects that are looked into; a larger graph is left as it is
_DEEPEST = 40  # of objects within each other: Python's own stack is not much deeper


class RebuiltWithin(Rebuilt):
    """`Rebuilt`, which also looks into library's objects, bound methods of theirs included, and copies those that lead to a
    changed function."""

    _looked = _depth = 0
    _settling = False
    """What is reached from the first thing that was asked about is being found, or is known: nothing is looked into again."""

    def affected(self, fun: Any) -> bool:
        """Objects hold one another: what was seen from within such a circle is looked at again with what was found by then."""
        if self._settling:
            return super().affected(fun)
        self._settling = True
        found, known = super().affected(fun), -1
        while (count := sum(self._affected.values())) != known:
            known = count
            self._affected = {key: True for key, reaches in self._affected.items() if reaches}
            self._looked = 0
            found = super().affected(fun)
        return found

    def make(self, fun: Any) -> Any:
        if not self.affected(fun):
            return fun
        if id(fun) not in self._made and isinstance(fun, types.MethodType) and self.affected(fun.__self__):
            self._keep.append(fun)
            self._made[id(fun)] = types.MethodType(self.make(fun.__func__), self.make(fun.__self__))
        elif id(fun) not in self._made and self._holds(fun):
            self._keep.append(fun)
            made = self._made[id(fun)] = shallow_copy(fun)
            for name, each in (attributes(fun) or {}).items():
                object.__setattr__(made, name, self._new(each))
        return super().make(fun)

    def _reaches(self, fun: Any) -> bool:
        if isinstance(fun, types.MethodType) and self._may_reach(fun.__self__) and self.affected(fun.__self__):
            return True
        if _is_librarys(fun):
            self._looked += 1
            if self._looked <= _MOST and self._depth < _DEEPEST and self._leads(fun):
                return True
        return super()._reaches(fun)

    def _leads(self, fun: Any) -> bool:
        self._depth += 1
        try:
            return self._holds(fun)
        finally:
            self._depth -= 1

    def _holds(self, fun: Any) -> bool:
        return _is_librarys(fun) and self._any_affected((attributes(fun) or {}).values())

    def _may_reach(self, value: Any) -> bool:
        return super()._may_reach(value) or _is_librarys(value)


def made_again(fun: Any, texts: dict[Unit, types.CodeType], *given: Any, arguments: Iterable[Any] = (), **options: Any) -> Any:
    """`fun` with its changed parts, and those of the functions among its call's arguments (further ones: `Rebuilt`); objects of
    libraries are looked into where nothing else leads to any, as that may take long."""
    rebuilt = Rebuilt(texts, *given, **options)
    made = rebuilt.handing_on(rebuilt.make(fun), arguments)
    return made if made is not fun or not texts else RebuiltWithin(texts, *given, **options).make(fun)


def _is_librarys(value: Any) -> bool:
    """Whether it is an object of a library's class with attributes; no function, class, module or array."""
    kind = type(value)
    functions = (types.FunctionType, types.MethodType, types.ModuleType, type, functools.partial, functools._lru_cache_wrapper)
    return not isinstance(value, functions) and is_library_type(kind) and bool(attributes(value)) and not hasattr(kind, "dtype")
