"""Methods of classes whose objects are arguments, or are made while tracing."""

import ast
import functools
import operator
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.source import methods

from .helpers import applied, check, define

CLASS = (
    "from dataclasses import dataclass\nfrom typing import NamedTuple\n"
    "{kind}\n    lo: float\n    hi: float\n\n    def clipped(self, v):\n        if v < self.lo:\n            return self.lo\n"
    "        return v\n\n    @property\n    def width(self):\n        if self.hi > self.lo:\n"
    "            return self.hi - self.lo\n        return self.lo * 0\n"
)
TUPLE = "class Limits(NamedTuple):"
DATA = "@jax.tree_util.register_dataclass\n@dataclass(frozen=True)\nclass Limits:"
CALLS = [(0.0, 2.0, -1.0), (0.0, 2.0, 1.5), (1.0, 0.5, 0.0)]


@pytest.mark.parametrize("kind", [TUPLE, DATA])
@pytest.mark.parametrize("body", ["limits.clipped(x) + limits.width", "type(limits)(limits.lo, x).clipped(limits.hi)"])
def test_a_method_of_an_argument_is_rewritten_in_its_class(kind, body):
    namespace = define(CLASS.format(kind=kind) + f"def f(limits, x):\n    return {body}\n")
    calls = [(namespace["Limits"](jnp.float32(lo), jnp.float32(hi)), jnp.float32(x)) for lo, hi, x in CALLS]
    wanted = [namespace["f"](*args) for args in calls]
    found = propose(namespace["f"], calls[0], {}).rewrites[0]
    assert set(found.sources) <= {"Limits.clipped", "Limits.width"} and "both" in found.compared.branches
    assert namespace["Limits"].clipped.__code__.co_filename != "<rewrite>"  # the user's class stays as it is
    for name, source in found.sources.items():
        space = dict(namespace)
        exec(compile(source, "<rewrite>", "exec"), space)
        setattr(namespace["Limits"], name.split(".")[1], space[name.split(".")[1]])
    for args, want in zip(calls, wanted, strict=True):
        np.testing.assert_allclose(jax.jit(namespace["f"])(*args), want)


@pytest.mark.parametrize("kind", [TUPLE, DATA])
def test_a_function_and_then_a_method_that_it_calls_are_rewritten(kind):
    """The function's own text is the same in both drafts, and finds the changed method in the second alone."""
    namespace = define(
        CLASS.format(kind=kind) + "def f(limits, x):\n    if x > 1:\n        x = x * 2\n    return limits.clipped(x)\n"
    )
    calls = [(namespace["Limits"](jnp.float32(lo), jnp.float32(hi)), jnp.float32(x)) for lo, hi, x in CALLS]
    wanted = [namespace["f"](*args) for args in calls]
    found = propose(namespace["f"], calls[0], {})
    assert set(found.rewrites[0].sources) == {"f", "Limits.clipped"}
    with applied(found, namespace):
        for args, want in zip(calls, wanted, strict=True):
            np.testing.assert_allclose(jax.jit(namespace["f"])(*args), want)


@pytest.mark.parametrize("body", ["limits(x) * 2", "jax.vmap(limits)(jnp.stack([x, 2 * x])).sum()", "type(limits)(x, 2.0)(x)"])
def test_what_an_object_does_when_it_is_called_is_rewritten_in_its_class(body):
    source = CLASS.format(kind=TUPLE).replace("def clipped", "def __call__") + f"def f(limits, x):\n    return {body}\n"
    namespace = define(source)
    calls = [(namespace["Limits"](jnp.float32(lo), jnp.float32(hi)), jnp.float32(x)) for lo, hi, x in CALLS]
    found = propose(namespace["f"], calls[0], {})
    first = (found.rewrites or found.unverified)[0]  # what vmap does has no value in plain Python
    assert set(first.sources) == {"Limits.__call__"} and "lo" in first.source
    if "vmap" in body:
        return
    wanted = [namespace["f"](*args) for args in calls]
    exec(compile(first.sources["Limits.__call__"], "<rewrite>", "exec"), namespace)
    namespace["Limits"].__call__ = namespace["__call__"]
    for args, want in zip(calls, wanted, strict=True):
        np.testing.assert_allclose(jax.jit(namespace["f"])(*args), want)


WRAPPED = (
    "import functools\n\nclass counted:\n    def __init__(self, fun):\n        functools.update_wrapper(self, fun)\n\n"
    "    def __call__(self, *args):\n        return self.__wrapped__(*args)\n\n"
    "@counted\ndef other(limits, x):\n    return limits(x)\n\n"
    "def reader(limits, x):\n    return other(limits, x)\n\n"
)


@pytest.mark.parametrize(("called", "compared"), [("limits", True), ("functools.partial(other, limits)", False)])
def test_functions_beside_it_that_cannot_be_made_again_hinder_only_who_calls_them(called, compared):
    """A notebook holds more than the function that fails: who reads such a name is not run."""
    source = CLASS.format(kind=TUPLE).replace("def clipped", "def __call__") + WRAPPED
    namespace = define(source + f"def f(limits, x):\n    return {called}(x) * 2\n")
    found = propose(namespace["f"], (namespace["Limits"](0.0, 2.0), jnp.float32(-1.0)), {})
    assert bool(found.rewrites) == compared


def test_what_a_named_tuple_of_functions_reaches_is_rewritten():
    """As `hk.transform` gives one; the function stands in a closure of the library's. What holds it comes along."""
    source = (
        "from typing import NamedTuple\nclass Net(NamedTuple):\n    init: object\n    apply: object\n"
        "def forward(x):\n    if x.sum() > 3:\n        x = x / 2\n    return x\n"
        "net = Net(None, functools.partial(forward))\ndef f(x):\n    return net.apply(x) * 2\n"
    )
    found = propose(define(source)["f"], (jnp.arange(3.0),), {}).rewrites[0]
    assert set(found.sources) == {"forward", "net"} and found.verified


def test_methods_that_are_named_as_those_of_arrays_stay_those_of_arrays():
    source = (
        "from typing import NamedTuple\nclass Scores(NamedTuple):\n    x: float\n    def mean(self):\n"
        "        if self.x.sum() > 0:\n            return self.x.mean()\n        return -self.x.mean()\n"
        "def f(scores, y):\n    return scores.mean() * y.mean()\n"
    )
    namespace = define(source)
    args = namespace["Scores"](jnp.array([1.0, -3.0])), jnp.arange(3.0)
    assert set(propose(namespace["f"], args, {}).rewrites[0].sources) == {"Scores.mean"}


def test_an_object_whose_method_only_computes_is_run_and_compared():
    """`update` changes a dict; a class's own method is what its code says."""
    source = (
        "class Momentum:\n    def __init__(self, rate):\n        self.rate = rate\n"
        "    def update(self, p, g):\n        return p - self.rate * g\n"
        "rule = Momentum(0.5)\ndef f(p, g):\n    if jnp.isnan(g).any():\n        return p\n    return rule.update(p, g)\n"
    )
    args = jnp.ones(2), jnp.array([1.0, 2.0])
    assert propose(define(source)["f"], args, {}).rewrites
    writes = source.replace("        return p - self", "        self.rate = 0.1\n        return p - self")
    assert not propose(define(writes)["f"], args, {}).rewrites


def test_what_calls_a_changed_method_of_a_global_object_is_changed_as_well():
    """The function was made again for the method alone, and its source is the user's all the same."""
    namespace = define(
        "class Switch:\n    def __init__(self, low, high):\n        self.low, self.high = low, high\n\n"
        "    def turned(self, value, on):\n        if value < self.low:\n            return True\n"
        "        if value > self.high:\n            return False\n        return on\n\n"
        "switch = Switch(1.0, 3.0)\n\n"
        "def f(values, on=False):\n    count = 0\n    for value in values:\n        on = switch.turned(value, on)\n"
        "        if on:\n            count += 1\n    return count\n"
    )
    found = propose(namespace["f"], (jnp.array([0.5, 2.0, 4.0]),), {}).rewrites[0]
    assert set(found.sources) == {"Switch.turned", "f"}


LED = """
from functools import partial

def leaky(v):
    if v > 0:
        return v
    return 0.1 * v

class Net:
    def __init__(self, w):
        self.w = w

    def inner(self, x):
        return self.w * leaky(x)

    def middle(self, x):
        return self.inner(x) + 1

    def outer(self, x):
        return self.middle(x) * 2

    @partial(jax.jit, static_argnums=0)
    def jitted(self, x):
        return self.middle(x) * 2

net = Net(3.0)

def of_global(x):
    return net.middle(x)
"""


@pytest.mark.parametrize("called", ["net.outer", "net.middle", "net.jitted", "of_global"])
def test_a_helper_that_another_method_of_the_object_calls_is_rewritten(called):
    namespace = define(LED)
    answer = jm.diagnose(operator.attrgetter(called)(types.SimpleNamespace(**namespace)), -1.5)
    assert answer.rewrites and set(answer.rewrites[0].sources) == {"leaky"} and "both" in answer.rewrites[0].compared.branches
    wanted = [namespace["Net"](3.0).inner(x) for x in (-1.5, 0.0, 2.0)]
    with applied(answer, namespace):
        np.testing.assert_allclose([jax.jit(namespace["net"].inner)(x) for x in (-1.5, 0.0, 2.0)], wanted)


LIBRARY = """
import functools

class Layer:
    def __init_subclass__(cls):
        for name, method in [*vars(cls).items()]:
            if callable(method):
                setattr(cls, name, _counted(method))

    def apply(self, x):
        return self(x)

def _counted(method):
    @functools.wraps(method)
    def counted(self, *args):
        return method(self, *args)
    return counted
"""


def test_a_method_that_a_library_wraps_is_rewritten_in_its_class(monkeypatch):
    """As flax wraps those of its modules: the first method of the class was then taken for the library's own class."""
    library = types.ModuleType("layers_of_tests")
    library.__file__ = "/nowhere/site-packages/layers_of_tests.py"
    exec(compile(LIBRARY, library.__file__, "exec"), vars(library))
    monkeypatch.setitem(sys.modules, "layers_of_tests", library)
    namespace = define(
        "from layers_of_tests import Layer\nclass Net(Layer):\n    def __call__(self, x):\n        if jnp.isnan(x).any():\n"
        "            x = jnp.zeros_like(x)\n        return x + 1\n\nnet = Net()\n\ndef f(x):\n    return net.apply(x)\n"
    )
    (found, *_) = propose(namespace["f"], (jnp.ones(3),), {}).rewrites
    assert set(found.sources) == {"Net.__call__"} and "both" in found.compared.branches


INTERVAL = """
class Interval:
    def __init__(self, lo, hi):
        self.lo, self.hi = lo, hi

    def __mul__(self, k):
        if k < 0:
            return Interval(self.hi * k, self.lo * k)
        return Interval(self.lo * k, self.hi * k)

    def __radd__(self, k):
        return Interval(self.lo + k, (self.hi if self.hi > 0 else 0.0) + k)

    def __lt__(self, other):
        if self.hi < other.lo:
            return True
        return False


"""


@pytest.mark.parametrize(
    "body",
    [
        "    a = Interval(x.min(), x.max())\n    b = a * k\n    return b.lo, b.hi\n",
        "    a = Interval(x.min(), x.max())\n    a *= k\n    return a.lo - a.hi\n",
        "    a = Interval(x.min(), x.max())\n    return (k + a).hi\n",
        "    a, b = Interval(x.min(), x.max()), Interval(k, 9.0)\n    if a < b:\n        return b.lo - a.hi\n    return 0.0\n",
    ],
)
def test_an_operator_of_the_users_class_is_rewritten_there(body):
    namespace = define(INTERVAL + "def f(x, k):\n" + body)
    f, x = namespace["f"], jnp.array([1.0, -2.0, 3.0])
    calls = (x, 2.0), (x, -2.0), (-jnp.abs(x), 5.0)
    wanted = [f(*call) for call in calls]
    found = propose(f, calls[0], {}, (), (), seconds=15.0)
    for name, text in found.rewrites[0].sources.items():
        exec(compile(text, "<rewrite>", "exec"), namespace)
        if method := name.partition(".")[2]:
            setattr(namespace["Interval"], method, namespace[method])
    for call, want in zip(calls, wanted, strict=True):
        got = jax.jit(namespace["f"])(*call)
        assert jax.tree.all(jax.tree.map(lambda a, b: bool(jnp.allclose(a, b)), got, want))
    assert any(name.startswith("Interval.__") for name in found.rewrites[0].sources)


OPERATED = """
class Base:
    def __add__(self, other):
        return "Base.__add__"

    def __lt__(self, other):
        return "Base.__lt__"


class Made(Base):
    def __radd__(self, other):
        return "Made.__radd__"

    def __gt__(self, other):
        return "Made.__gt__"


class Kept:
    def __iadd__(self, other):
        return "Kept.__iadd__"

    def __add__(self, other):
        return "Kept.__add__"


items = same = [1]
items += (2,)
kept = Kept()
kept += 1
answers = [Base() + Made(), Base() + Base(), Base() < Made(), Made() + Base(), kept, items is same, items]
"""


def test_who_computes_with_an_operator_is_asked_in_pythons_order():
    """A class made of the left side's comes first, and what is changed in place stays itself."""
    plain: dict[str, object] = {}
    exec(OPERATED, plain)
    asked = functools.partial(methods.operated, getattr, lambda value, name: hasattr(value, name))
    made: dict[str, object] = {methods.LOOK_UP: getattr, methods.OPERATE: asked}
    tree = methods.looking_up(ast.parse(OPERATED), ["__add__", "__lt__"], {})
    exec(compile(ast.fix_missing_locations(tree), "<operated>", "exec"), made)
    assert made["answers"] == plain["answers"]


CHOSEN = """
    def chosen(self):
        if self.x.sum() > 1.0:
            return self.x / self.x.sum()
        return self.x
"""
MADE = {
    "in __init__": "class Made:\n    def __init__(self, x):\n        self.x = x\n        self.y = self.chosen()\n" + CHOSEN,
    "by a class that it is made of": (
        "class Base:\n    def __init__(self, x):\n        self.x = x\n        self.y = self.chosen()\n" + CHOSEN + "\n\n"
        "class Made(Base):\n    def __init__(self, x):\n        super().__init__(x)\n        self.n = 2\n"
    ),
    "in __post_init__": (
        "import dataclasses\n\n\n@dataclasses.dataclass(frozen=True)\nclass Made:\n    x: object\n\n"
        '    def __post_init__(self):\n        object.__setattr__(self, "y", self.chosen())\n' + CHOSEN
    ),
    "of a pytree": (
        "@jax.tree_util.register_pytree_node_class\nclass Made:\n    def __init__(self, x):\n        self.x = x\n"
        "        self.y = self.chosen()\n" + CHOSEN + "\n    def tree_flatten(self):\n        return (self.x, self.y), None\n\n"
        "    @classmethod\n    def tree_unflatten(cls, aux, parts):\n        made = object.__new__(cls)\n"
        "        made.x, made.y = parts\n        return made\n"
    ),
}
ENDS = [
    "made = Made(x)\n    return made.y * 2 + made.x",
    "return [Made(x * k).y.max() for k in range(3)], isinstance(Made(x), Made)",
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("how", MADE)
def test_what_an_object_calls_while_it_is_made_is_rewritten_in_its_class(how, end):
    """The object is one of the user's class all the same, and the class stays as it is."""
    namespace = define(MADE[how] + f"\n\ndef f(x):\n    {end}\n")
    cls, method = namespace["Made"], namespace["Made"].chosen
    x, small = jnp.array([1.0, 2.0]), jnp.array([0.1, 0.2])
    wanted = [namespace["f"](each) for each in (x, small)]
    found = propose(namespace["f"], (x,), {}, (), seconds=30)
    assert found.rewrites and namespace["Made"] is cls and cls.chosen is method
    with applied(found, namespace):
        for each, want in zip((x, small), wanted, strict=True):
            jax.tree.map(np.testing.assert_allclose, jax.jit(namespace["f"])(each), want)


def test_a_class_that_notices_who_is_made_of_it_is_left_alone():
    """A registry of the user's gets no class of ours."""
    source = (
        "class Shape:\n    known = []\n\n    def __init_subclass__(cls):\n        Shape.known.append(cls)\n\n\n"
        "class Made(Shape):\n    def __init__(self, x):\n        self.x = x\n        self.y = self.chosen()\n"
    )
    namespace = define(source + CHOSEN + "\n\ndef f(x):\n    return Made(x).y\n")
    propose(namespace["f"], (jnp.array([1.0, 2.0]),), {})
    assert namespace["Shape"].known == [namespace["Made"]]


def test_what_is_in_an_object_is_asked_of_its_method():
    """`in` makes a bool of whatever `__contains__` gives, so the method is called by its name."""
    source = (
        "from dataclasses import dataclass\n\n@jax.tree_util.register_dataclass\n@dataclass\nclass Span:\n"
        "    lo: jax.Array\n    hi: jax.Array\n\n    def __contains__(self, v):\n        return self.lo <= v <= self.hi\n\n"
        "    def __truediv__(self, other):\n        if 0 in other:\n            return Span(self.lo * 0, self.hi * 0)\n"
        "        return Span(self.lo / other.hi, self.hi / other.lo)\n\n"
        "def f(a, b):\n    found = Span(a, a + 1.0) / Span(b, b + 2.0)\n"
        "    return found.lo if b not in Span(a, a + 1.0) else found.hi\n"
    )
    a, b = jnp.array(1.0), jnp.array(3.0)
    check(source, (a, b), (a, b - 4.0), (a, b * 0), (a, b - 1.5))
