"""What one operation makes in plain Python's runs, where data is its size."""

import ast
import math

import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.proof.room import MAKERS, Room, in_room
from jupyter_jitmagic.diagnosis.proof.verify import WRAPS
from jupyter_jitmagic.sandbox.rerun import OutOfTime
from tests.diagnosis.rewrites.helpers import define

LARGE = [
    ("zeros", (100,), {}),
    ("ones", ((4, 30),), {}),
    ("full", ([11, 10], 0.5), {}),
    ("empty", (), {"shape": np.array([20, 20])}),
    ("eye", (11,), {}),
    ("tri", (5, 30), {}),
    ("identity", (11,), {}),
    ("arange", (3, 200), {}),
    ("arange", (1,), {"stop": 200}),
    ("linspace", (0, 1, 101), {}),
]
SMALL = [
    ("zeros", ((2, 3),), {}),
    ("arange", (0, 100), {"step": 50}),
    ("arange", (10**6, 10**6 + 3), {}),
    ("arange", (5, 2), {}),
    ("eye", (2, 100), {}),
    ("identity", (5, float), {}),
    ("linspace", (0.0, 1.0), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), LARGE)
def test_an_array_with_more_elements_than_there_is_room_for_is_not_made(name, args, kwargs):
    room = Room()
    make = room.instead()[f"__jitmagic_numpy_{name}__"]
    with room.of(60), pytest.raises(OutOfTime):
        make(*args, **kwargs)


@pytest.mark.parametrize(("name", "args", "kwargs"), [*LARGE, *SMALL])
def test_without_a_bound_and_below_it_it_is_numpys_own(name, args, kwargs):
    room, key = Room(), f"__jitmagic_numpy_{name}__"
    made, own = room.instead()[key](*args, **kwargs), MAKERS[key](*args, **kwargs)
    assert made.shape == own.shape and made.dtype == own.dtype
    with room.of(own.size):
        assert room.instead()[key](*args, **kwargs).shape == own.shape


def test_what_numpy_refuses_it_refuses_with_its_own_words():
    room = Room()
    with room.of(10):
        for args in ((-5,), ((-5, -5),), ("four",)):
            with pytest.raises((ValueError, TypeError)):
                room.instead()["__jitmagic_numpy_zeros__"](*args)


def test_as_large_as_in_the_call_itself_it_may_be_in_varied_calls(unhurried):
    """A function with a table of its own is compared on as many inputs as one without."""

    def f(x, t):
        table = np.zeros(5_000_000, dtype=np.float32)
        y = x * 2 if x.sum() > t else x
        return y + jnp.asarray(table[:3])

    compared = jm.diagnose(f, jnp.ones(3), jnp.float32(1)).rewrites[0].compared
    assert compared is not None and "both" in compared.branches


def test_a_name_of_the_functions_own_is_none_of_numpys():
    """`from numpy import *` brings names that parameters have as well."""

    def f(x, t, full=False):
        y = x * 2 if x.sum() > t else x
        return y + 1 if full else y

    f = type(f)(f.__code__, {**f.__globals__, "full": np.full}, "f", f.__defaults__)
    found = jm.diagnose(f, jnp.ones(3), jnp.float32(1))
    assert found.rewrites and found.rewrites[0].verified


def test_a_module_that_a_function_imports_by_the_name_of_another_is_the_one_it_imports():
    def f(x):
        import jax.numpy as np

        a = np.zeros(3)
        if x > 0:
            a = a.at[0].set(x)
        return a

    assert jm.diagnose(f, jnp.array(2.0)).rewrites


BOUNDED = [
    "math.factorial(n)",
    "math.comb(n, n // 2)",
    "math.perm(n)",
    "3**n",
    "pow(7, n)",
    "1 << n",
    "[0.5] * n",
    "n * (1, 2)",
    "sum(range(n))",
    "[*range(3), max(*range(n))]",
    "len([*range(n)])",
    "list(map(abs, range(n)))",
    "math.prod(range(1, n))",
]


@pytest.mark.parametrize("text", BOUNDED)
def test_one_operation_of_pythons_own_is_bounded(text):
    """A small number gives what Python gives, a large one ends the run at once: what it makes looks at no clock."""
    room = Room()
    tree = in_room(ast.parse(f"def f(n):\n    return {text}"))
    bounded = ast.unparse(ast.fix_missing_locations(tree)).replace("math.prod", "prod")
    for name in ("factorial", "comb", "perm"):
        bounded = bounded.replace(f"math.{name}", f"__jitmagic_math_{name}__")
    names = {"math": math, "prod": math.prod, **room.instead()}
    exec(bounded, names)
    exec(f"def own(n):\n    return {text}", names)
    with room.of(2**22):
        assert names["f"](30) == names["own"](30)
        with pytest.raises(OutOfTime):
            names["f"](2**30)


def test_what_has_no_such_size_is_left_alone():
    for text in ("x**2", "x * n", "for i in range(n):\n    pass", "zip(range(n), x)", "x @ y", "pow(x, 2, 7)[0]"):
        tree = ast.parse(text)
        assert "__jitmagic" not in ast.unparse(in_room(tree)).replace("__jitmagic_pow__(x, 2, 7)", "")
    own = "def f(x, range, pow):\n    return sum(range(3)) + pow(2, x)"
    assert ast.unparse(in_room(ast.parse(own))) == own
    assert "__jitmagic" not in ast.unparse(in_room(ast.parse("sum(range(n))"), {"range": None}))
    for line in ("pow = max", "def pow(a, b):\n        return a", "from math import pow", "import numpy as pow"):
        inner = f"def f(x):\n    {line}\n    return pow(x, 3)"
        assert "__jitmagic" not in ast.unparse(in_room(ast.parse(inner))), line


def test_numbers_that_no_size_is_known_of_end_the_run_too():
    room = Room()
    power, listed = room.instead()["__jitmagic_Pow__"], room.instead()["__jitmagic_range__"]
    with room.of(2**22):
        assert room.instead()["__jitmagic_math_perm__"](5, 10**9) == 0
        for make, given in ((power, (3, 2**1100)), (listed, (2**63,))):
            with pytest.raises(OutOfTime):
                make(*given)


def test_a_power_in_place_changes_an_array_of_numpys_in_place():
    """`x **= n` is no `x = x**n` for who holds the array by another name."""
    made = "a = np.array([1.0, 2.0])\n    b, n = a, len(a)\n    a **= n"
    source = f"def f(x, t):\n    {made}\n    return x + b[1] if x.sum() > t else x\n"
    found = jm.diagnose(define(source)["f"], jnp.ones(2), 1.0)
    assert found.rewrites and found.rewrites[0].verified


@pytest.mark.parametrize("text", ["math.factorial(n)", "math.comb(n, n // 2)", "3**n % 7", "(1 << n) % 5", "len([0] * n)"])
def test_an_answer_comes_where_large_numbers_would_take_hours(text):
    """The inputs of the comparison have whole numbers of thirty bits among them."""
    source = f"def f(x):\n    n = int(x.max())\n    return {text} * 1.0 + x[0]\n"
    fun = define(source)["f"]
    found = jm.diagnose(fun, jnp.array([3, 2, 4]))
    assert found.kind == "rewrite"


def test_a_power_that_outgrows_32_bits_is_told():
    """Python's `3**n` grows without bound, a compiled one wraps around; as the first call's is small, it is said."""
    fun = define("def f(x):\n    n = int(x.max())\n    return 3**n % 7 + x[0]\n")["f"]
    found = jm.diagnose(fun, jnp.array([3, 2, 4])).rewrites
    assert found and found[0].compared and WRAPS in found[0].compared.differences
