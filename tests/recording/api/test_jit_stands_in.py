"""Whatever Python and JAX ask of a jitted function, ours answers as `jax.jit`'s own does."""

from __future__ import annotations

import collections.abc
import copy
import dataclasses
import doctest
import functools
import inspect
import pydoc
import types
import typing
import weakref
from collections.abc import Callable
from typing import Any

import jax
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.base.values import Value


def fun(x: float, n: int = 2) -> float:
    """Doc.

    >>> 1
    1
    """
    return x * n


def owner(f: Any) -> Any:
    return type("Owner", (), {"m": f, "s": staticmethod(f), "c": classmethod(f), "p": property(f)})


def dispatched(f: Any) -> Any:
    generic = functools.singledispatch(lambda x: 0)
    generic.register(f)
    return generic.dispatch(float) is f, generic(2.0)


def known_to_chex(f: Any) -> bool:
    """What `chex.assert_max_traces` asks to refuse a function that is jitted already."""
    return any(name in str(type(f)) for name in ("PmapFunction", "PjitFunction"))


def in_module(f: Any) -> list[str]:
    module = types.ModuleType("__main__")
    module.__dict__["step"] = f
    return [test.name for test in doctest.DocTestFinder().find(module, "m", module=False)]


def slope_of_custom(f: Any) -> Any:
    custom = jax.custom_jvp(f)
    custom.defjvps(lambda tangent, out, x, n: tangent * 3, None)
    return custom.__name__, float(jax.grad(custom)(2.0, 2.0)), str(inspect.signature(custom))


def partly_bound(f: Any) -> Any:
    class Owner:
        m = functools.partialmethod(f, n=3)
        bound = functools.partialmethod(f)

        def __mul__(self, n: int) -> int:
            return 7 * n

    made = Owner()
    return [type(made.m), made.m.args == (made,), made.m.keywords, type(made.bound), str(inspect.signature(Owner.m))]


def by_name(f: Any) -> Any:
    class Owner:
        s = staticmethod(f)
        c = classmethod(lambda cls, x: f(x))
        cached = functools.cached_property(lambda self: f(2.0))

    return Owner.s(2.0), Owner().s(2.0), Owner.c(2.0), Owner().cached, Owner.__dict__["s"].__wrapped__ is f


def single_method(f: Any) -> Any:
    class Owner:
        generic = functools.singledispatchmethod(lambda self, x: 0)

    Owner.generic.register(float, staticmethod(f))
    return Owner().generic(2.0), Owner().generic("2")


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(inspect, name) for name in dir(inspect) if name.startswith("is")},
    **{name: getattr(inspect, name) for name in ("getdoc", "getcomments", "getsource", "getmodule", "signature")},
    "unwrap": lambda f: inspect.unwrap(f) is fun,
    "annotations": inspect.get_annotations,
    "hints": typing.get_type_hints,
    "optional": lambda f: typing.Optional[f] is not None,  # noqa: UP045
    "kinds": lambda f: [
        isinstance(f, kind)
        for kind in (
            jax.stages.Wrapped, collections.abc.Callable, collections.abc.Hashable, collections.abc.Iterable, type,
            types.FunctionType, types.MethodType, types.BuiltinFunctionType,
        )
    ],
    "name of its type": lambda f: type(f).__name__,
    "refused by chex": known_to_chex,
    "called without arguments": lambda f: f(),
    "called with too many": lambda f: f(1.0, 2, 3),
    "as a file": inspect.getfile,
    "compared": lambda f: (f == f, f != f, f == fun, bool(f), hash(f) == hash(f)),
    "sorted": lambda f: sorted([f, f]),
    "copied": lambda f: (copy.copy(f)(2.0), copy.deepcopy(f)(2.0), type(copy.copy(f)) is type(f)),
    "weakly": lambda f: (weakref.ref(f)() is f, len(weakref.WeakKeyDictionary({f: 1}))),
    "partial": lambda f: (functools.partial(f, 1).func is f, functools.partial(f, n=3)(2.0)),
    "Partial": lambda f: (jax.tree_util.Partial(f, 2.0).args, float(jax.tree_util.Partial(f, 2.0)())),
    "a pytree": lambda f: jax.tree.structure(f) == jax.tree.structure(0),
    "wrapped": lambda f: (functools.wraps(f)(lambda x: x).__name__, functools.cache(f).__wrapped__ is f),
    "reduced": lambda f: functools.reduce(f, [1.0, 2.0]),
    "lowered through Partial": lambda f: jax.tree_util.Partial(f).func.lower(2.0).as_text(),
    "partialmethod": partly_bound,
    "in a class by name": by_name,
    "its call": lambda f: (callable(f.__call__), f.__call__(2.0), inspect.getdoc(f.__call__)),
    "parts of a partial": lambda f: [hasattr(f, name) for name in ("func", "args", "keywords", "__code__", "__self__")],
    "dispatched": dispatched,
    "dispatched as a method": single_method,
    "dispatching": lambda f: functools.singledispatch(f)(2.0),
    "in a class": lambda f: (owner(f).m is f, owner(f).s is f, type(owner(f)().m), type(owner(f).c)),
    "signature of a method": lambda f: str(inspect.signature(owner(f)().m)),
    "in a dataclass": lambda f: dataclasses.make_dataclass("D", [("f", object, f)])().f(2.0),
    "doctests": lambda f: [test.name for test in doctest.DocTestFinder().find(f, "f", module=False)],
    "doctests of a module": in_module,
    "described": pydoc.describe,
    "a new attribute": lambda f: (setattr(f, "mine", 1), f.mine, vars(f)["mine"]),
    "no such attribute": lambda f: f.no_such,
    "named_call": lambda f: (jax.named_call(f).__name__, float(jax.named_call(f)(2.0))),
    "transformed": lambda f: [t(f).__name__ for t in (jax.vmap, jax.grad, jax.checkpoint, jax.jit, jax.value_and_grad)],
    "checkpoint": lambda f: str(jax.make_jaxpr(jax.checkpoint(f))(2.0)),
    "jaxpr": lambda f: str(jax.make_jaxpr(f)(2.0)),
    "nested jaxpr": lambda f: str(jax.make_jaxpr(jax.jit(f))(2.0)),
    "custom_jvp": slope_of_custom,
    "eval_shape": lambda f: (jax.eval_shape(f, 2.0), f.eval_shape(2.0, n=3)),
    "locations in the program": lambda f: f.lower(2.0).as_text(debug_info=True),
    "as a static value": lambda f: (Value(f).text, Value(f) == Value(f)),
    "help": lambda f: pydoc.plain(pydoc.render_doc(f)),
}  # fmt: skip
"""Not among them: `jax.eval_shape` asks for the very type, where an argument is static; and `__call__`, which holds the
closure, is nothing that the type can be asked for, as in ``type(f).__call__(f, x)``, or that can be set without effect."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_ours_answers_as_jaxs_own(question: str) -> None:
    def answer(f: Any) -> Any:
        try:
            return QUESTIONS[question](f)
        except Exception as error:
            return type(error), str(error).replace("jaxlib._jax.", "")

    bare, ours = answer(jax.jit(fun)), answer(jm.jit(fun))
    assert ours == bare


@pytest.mark.parametrize("options", [{"static_argnums": 1}, {"static_argnames": "n"}])
def test_eval_shape_takes_static_arguments(options: dict[str, Any]) -> None:
    def head(x: Any, n: int) -> Any:
        return x[:n]

    bare, ours = jax.jit(head, **options), jm.jit(head, **options)
    x = jax.ShapeDtypeStruct((5,), "float32")
    for call in (lambda f: f.eval_shape(x, 3), lambda f: f.eval_shape(x, n=3)):
        assert call(ours) == call(bare)
