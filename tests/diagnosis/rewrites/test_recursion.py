"""Functions that call themselves until a traced number says stop."""

import textwrap

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.diagnosis.rewrites.engine import Search

from .helpers import check, define, offered

FACTORIAL = "def f(k):\n    if k <= 1:\n        return 1\n    return k * f(k - 1)\n"
NUMBERS = [(jnp.array(k),) for k in (4, 0, 1, 6, 2)]


def test_a_factorial_is_a_loop_from_its_base():
    found = check(FACTORIAL, *NUMBERS).rewrites[0]
    assert "fori_loop(2, k + 1, body_fun, result)" in found.source and "cond" not in found.source


def test_a_ternary_and_an_else_say_the_same():
    check("def f(k):\n    return 1 if k <= 1 else k * f(k - 1)\n", *NUMBERS)
    check("def f(k):\n    if k < 2:\n        return 1\n    else:\n        return k * f(k - 1)\n", *NUMBERS)


@pytest.mark.parametrize("base", ["k in (0, 1)", "k == 0 or k == 1", "k in [1, 0]", "k < 1 or k == 1"])
def test_a_base_may_be_one_of_several_numbers(base):
    check(f"def f(k):\n    return 1 if {base} else k * f(k - 1)\n", *NUMBERS)
    check(f"def f(k):\n    if {base}:\n        return 1\n    return k * f(k - 1)\n", *NUMBERS)


def test_a_base_that_depends_on_the_number_is_kept():
    check("def f(k):\n    if k <= 1:\n        return k + 10\n    return k * f(k - 1)\n", *NUMBERS)


def test_a_recurrence_of_two_terms_carries_both():
    source = (
        "def f(k, x):\n    if k == 0:\n        return 1.0\n    if k == 1:\n        return x\n"
        "    return ((2 * k - 1) * x * f(k - 1, x) - (k - 1) * f(k - 2, x)) / k\n"
    )
    check(source, *[(jnp.array(k), jnp.array(0.3)) for k in (3, 0, 1, 5)])


def test_steps_of_two_end_at_either_base():
    source = "def f(k):\n    if k <= 0:\n        return k + 1.0\n    return k * f(k - 2)\n"
    check(source, *[(jnp.array(k),) for k in (5, 6, 1, 0, 2)])


def test_a_power_by_halves_counts_its_calls_first():
    source = (
        "def f(x, k):\n    if k == 0:\n        return 1.0\n    half = f(x, k // 2)\n    if k % 2 == 0:\n"
        "        return half * half\n    return half * half * x\n"
    )
    check(source, *[(jnp.array(1.5), jnp.array(k)) for k in (5, 0, 1, 8, 3)])


BY_SQUARES = """def f(x, k):
    if k == 0:
        return jnp.eye(2)
    if k % 2 == 1:
        return x @ f(x, k - 1)
    half = f(x, k // 2)
    return half @ half
"""
FROM_ONE = """def f(x, k):
    if k == 1:
        return x
    if not k % 2:
        part = f(x, k // 2)
        return part * part
    else:
        return f(x, k - 1) * (x + k)
"""


@pytest.mark.parametrize(
    ("source", "x", "first"), [(BY_SQUARES, jnp.array([[0.5, 0.5], [0.25, 0.75]]), 0), (FROM_ONE, jnp.array(1.25), 1)]
)
def test_an_odd_number_and_half_of_an_even_one_are_a_round_for_each_digit(source, x, first):
    """The calls take away one or halve: nothing was found for both."""
    check(source, *[(x, jnp.array(k)) for k in (6, first, 1, 5, 8, 11)], seconds=10.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [("k % 2 == 1", "k % 3 == 1"), ("k - 1", "k - 3"), ("k // 2", "k // 4"), ("return half @ half", "return half @ half * k")],
)
def test_other_steps_between_numbers_are_no_digits(old, new):
    assert "for" not in offered(BY_SQUARES.replace(old, new), jnp.eye(2), jnp.array(3))


def test_a_method_that_calls_itself():
    source = (
        "class Model:\n    def term(self, k, x):\n        if k == 0:\n            return x\n"
        "        return 0.5 * self.term(k - 1, x) + x\n\nmodel = Model()\ndef f(k, x):\n    return model.term(k, x)\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array(3), jnp.array(2.0)), {})
    assert "fori_loop(1, k + 1" in found.rewrites[0].sources["Model.term"]


@pytest.mark.parametrize(
    "last",
    ["return f(f(k - 1, x), x)", "return [k, f(k - 1, x)]"],
)
def test_other_recursion_is_left_alone(last):
    """Calls within calls, and results that are no numbers."""
    namespace = define(f"def f(k, x):\n    if k <= 0:\n        return k\n    {last}\n")
    assert not propose(namespace["f"], (jnp.array(3), jnp.array(1)), {}).rewrites


def test_a_method_that_calls_itself_becomes_a_loop():
    source = (
        "class Numbers:\n    def gcd(self, a, b):\n        if b == 0:\n            return a\n"
        "        return self.gcd(b, a % b)\n"
    )
    namespace = define(source)
    found = propose(namespace["Numbers"]().gcd, (jnp.array(0), jnp.array(3)), {})
    assert "while_loop" in found.rewrites[0].patterns
    exec(compile("class Mended:\n" + textwrap.indent(found.rewrites[0].source, "    "), "<rewrite>", "exec"), namespace)
    assert jax.jit(namespace["Mended"]().gcd)(12, 18) == 6


SEARCH = (
    "{jit}\ndef f(arr, target, lo=0, hi=None):\n    if hi is None:\n        hi = len(arr) - 1\n"
    "    if lo > hi:\n        return -1\n"
    "    mid = (lo + hi) // 2\n    if arr[mid] == target:\n        return mid\n    if arr[mid] < target:\n"
    "        return f(arr, target, mid + 1, hi)\n    return f(arr, target, lo, mid - 1)\n"
)


@pytest.mark.parametrize("jit", ["@jax.jit", ""])
def test_a_function_that_calls_its_own_jit_is_proven_so(jit):
    """In there all arguments are traced: what works while they are Python's numbers is no answer."""
    namespace = define(SEARCH.format(jit=jit))
    arr = jnp.array([1, 3, 5, 7, 9])
    found = diagnose(namespace["f"], arr, 7).rewrites[0]
    assert "while_loop" in found.patterns or not jit
    exec(compile(found.source, "<rewrite>", "exec"), namespace)
    fixed = namespace["f"] if jit else jax.jit(namespace["f"])
    assert [int(fixed(arr, number)) for number in (7, 1, 9, 4)] == [3, 0, 4, -1]


def test_a_default_of_none_is_filled_in_before_the_loop_where_calls_pass_a_name_for_a_number():
    check(
        "def f(a, guess=None, depth=0):\n    if guess is None:\n        guess = a / 2\n    better = 0.5 * (guess + a / guess)\n"
        "    if abs(better - guess) < 1e-4 or depth > 50:\n        return better\n    return f(a, better, depth + 1)\n",
        (9.0,),
        (2.0, 1.0),
        (4,),
    )


def test_a_call_whose_result_is_returned_by_name_is_in_the_tail():
    source = (
        "def f(u, i):\n    j = 2 * i + 1\n    if j < len(u) and u[j] > u[i]:\n        a, b = u[i], u[j]\n"
        "        u = u.at[i].set(b).at[j].set(a)\n        u = f(u, j)\n    return u\n"
    )
    check(source, (jnp.array([1, 4, 3, 5]), 0), (jnp.array([5, 4]), 0), (jnp.array([1.0, 2.0, 0.0, 3.0, 9.0]), 1))


def test_a_call_behind_which_more_is_computed_is_not_in_the_tail():
    source = "def f(x, n):\n    if x > n:\n        x = f(x - 1.0, n)\n        x = x * 2\n    return x\n"
    assert not propose(define(source)["f"], (jnp.array(3.0), 1.0), {}).rewrites


def test_another_form_of_a_recursion_without_end_is_not_tried(monkeypatch):
    """Tests that are evaluated both ways end no recursion, by `where` as little as by `cond`."""
    namespace = define(
        """
def f(a, v, lo, hi):
    if lo > hi:
        return -1
    mid = (lo + hi) // 2
    if a[mid] == v:
        return mid
    if a[mid] < v:
        return f(a, v, mid + 1, hi)
    return f(a, v, lo, mid - 1)
"""
    )
    endless = []
    monkeypatch.setattr(Search, "trace", lambda *args, made=Search.trace: noted(made(*args), endless))
    found = propose(namespace["f"], (jnp.array([1, 3, 5, 7]), jnp.array(5), jnp.array(0), jnp.array(3)), {})
    assert found.rewrites[0].verified
    assert len(endless) <= 1


def noted(outcome, endless):
    if isinstance(outcome, RecursionError):
        endless.append(outcome)
    return outcome


COLLATZ = "def f(n):\n    if n == 1:\n        return 0\n    return 1 + f(n // 2 if n % 2 == 0 else 3 * n + 1)\n"


def test_a_count_of_calls_is_a_total_of_the_loop():
    """`return 1 + f(…)` of a number that does not only grow smaller: what is added on the way back is added on the way down."""
    found = check(COLLATZ, *[(jnp.array(n),) for n in (6, 1, 7, 2)])
    assert found.rewrites[0].compared is not None and "while_loop" in found.rewrites[0].patterns


@pytest.mark.parametrize(
    "last",
    [
        "return k * f(k - 1, x * 2)",
        "return k * f(k - x, x)",
        "return f(k - 1, x * 3) * x * (k + 1)",
        "return 2 * f(k - 1, x) if k % 2 else f(k - 2, x + 1)",
        "return f(k - 1, x) if x > k else f(k - 2, x + 1)",
        "return x * (f(k - 1, x) if x > k else 3 * f(k - 2, x + 1))",
    ],
)
def test_a_product_is_gathered_though_other_arguments_change(last):
    """All factors are known on the way down; so are those of calls that a choice picks, and a choice of calls alone."""
    check(
        f"def f(k, x):\n    if k <= 0:\n        return x + 1\n    {last}\n",
        *[(jnp.array(k), jnp.array(2)) for k in (4, 0, 1, 5)],
    )


@pytest.mark.parametrize("last", ["f(x + 1) - 1 / x", "f(x + 1) / x"])
def test_what_is_taken_away_from_a_call_or_divides_it_is_gathered(last):
    source = (
        f"def f(x):\n    if x < 0:\n        return f(1 - x) {last[9]} jnp.tan(x)\n"
        f"    if x < 6:\n        return {last}\n    return jnp.log(x)\n"
    )
    check(source, *[(jnp.array(x),) for x in (2.5, 8.0, -1.3, 0.25, 6.0)])


@pytest.mark.parametrize("last", ["k - f(k - 1, x + 1)", "(k + f(k - 1, x + 1)) * x", "k + f(k - 1, f(k - 2, x + 1))"])
def test_what_asks_for_the_order_of_the_calls_is_not_gathered(last):
    """A difference, a sum of a product, and a call within a call are no one total."""
    namespace = define(f"def f(k, x):\n    if k <= 0:\n        return k\n    return {last}\n")
    assert not propose(namespace["f"], (jnp.array(3), jnp.array(1)), {}).rewrites


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("def f(x, y, k):\n    if k < 0:\n        return f(y, x, -k)\n    return (x * y**2).sum() * k\n", (1, -3, 0)),
        (
            'def f(x, y, k):\n    """Order."""\n    if x[0] < y[0]:\n        return f(x=y, y=x, k=k)\n    return x - k * y\n',
            (2, 1),
        ),
    ],
)
def test_a_call_of_itself_with_its_arguments_turned_round_is_no_loop(source, calls):
    """What is asked first is asked once."""
    x, y = jnp.array([1.0, 2.0]), jnp.array([3.0, -1.0])
    given = [(x, y, jnp.array(k)) for k in calls]
    first = check(source, *given, (y, x, jnp.array(1))).rewrites[0]
    assert "while" not in first.source and "f(" not in first.source.split("\n", 1)[1]


def test_a_recursion_that_python_ends_may_have_branches_of_lax():
    """Its imports were not known where the function called itself."""
    source = """
def halves(a, b, depth=2):
    m = (a + b) / 2
    if depth == 0 or abs(b - a) < 0.5:
        return jnp.sin(m) * (b - a)
    return halves(a, m, depth - 1) + halves(m, b, depth - 1)
"""
    space = define(source)
    for name in ("jax", "lax"):
        space.pop(name, None)
    found = diagnose(jax.jit(space["halves"]), jnp.array(0.0), jnp.array(1.0))
    assert found.rewrites and "from jax import lax" in found.rewrites[0].source and "lax.cond(" in found.rewrites[0].source


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, a):\n    if a < 0:\n        return f(x, a + 360.0)\n    return x * a\n",
        "def f(x, a):\n    if jnp.abs(x * a).max() > 10:\n        return f(x, a / 2)\n    return x - a\n",
        "def f(x, a):\n    if a > x[0]:\n        return f(x[::-1], a - 1)\n    return x - a\n",
    ],
)
def test_what_may_have_to_be_asked_again_is_a_loop(source):
    """One step was enough on all inputs that were tried, and the next caller needs two."""
    x = jnp.array([1.0, 2.0, 3.0])
    calls = [(x, jnp.array(a)) for a in (-100.0, -500.0, 3.0, 9.0)]
    check(source, *calls)


def test_what_is_gathered_before_a_float_is_met_is_one_from_the_start():
    """Integers would wrap around on the way, where plain Python adds them to the float."""
    source = "def f(n, s):\n    if n <= 0:\n        return s\n    return f(n - 1, s / 2) * n\n"
    calls = [(jnp.array(n), 2.0) for n in (4, 0, 15)]
    assert "product = 1.0" in check(source, *calls).rewrites[0].source
