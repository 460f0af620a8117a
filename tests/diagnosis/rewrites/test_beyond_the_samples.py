"""What a rewrite does on values far from the call's own: whole numbers beyond 32 bits, tolerances below what floats can tell,
places that occur twice, arrays that are not empty."""

from __future__ import annotations

import time
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.proof import rounding
from jupyter_jitmagic.diagnosis.proof.differing import CannotRun
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

WRAPS, NEVER = "whole numbers grow without bound", "may never meet its tolerance"


def said(found) -> str:
    assert found.verified
    return " ".join(found.rewrites[0].compared.differences)


@pytest.mark.parametrize(
    ("body", "args"),
    [
        ("s = int(a)\n    for _ in range(int(b)):\n        s = (1103 * s + 12345) % 65537\n    return s", (3, 4)),
        ("s = int(b)\n    return (s % 31 * 17 + int(a)) % 65537", (3, 4)),
        ("cents = int(a) * int(b)\n    if cents > 100:\n        cents = cents // 10\n    return cents", (5, 7)),
    ],
)
def test_numbers_of_pythons_that_wrap_when_compiled_are_told_of(body, args):
    """The result itself need not be large: a remainder of what wrapped around is as wrong."""
    found = jm.diagnose(define(f"def f(a, b):\n    {body}\n")["f"], *map(jnp.array, args))
    assert WRAPS in said(found)


def test_arrays_of_numpys_64_bits_wrap_as_well():
    source = "def f(x, t):\n    total = (x * x).sum()\n    if total > t:\n        total = total // 10\n    return total\n"
    assert WRAPS in said(jm.diagnose(define(source)["f"], np.array([1, 2, 3]), jnp.array(10)))


def test_they_wrap_as_well_where_pythons_loop_adds_them_up():
    """NumPy's own number of 64 bits made one of 32 is no wider kind of the same."""
    source = "def f(x):\n    s = 0\n    for v in x:\n        if v % 2 == 0:\n            s += v * v\n    return s\n"
    assert WRAPS in said(jm.diagnose(define(source)["f"], np.array([4, -7, 8])))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x, t):\n    total = (x * x).sum()\n    if total > t:\n        total = total // 10\n    return total\n",
        "def f(x, t):\n    n = 0\n    for v in x:\n        if int(v) > t:\n            n += 1\n    return n\n",
    ],
    ids=["arrays' own numbers", "a count"],
)
def test_what_wraps_in_plain_python_too_or_never_is_not_told_of(source):
    assert WRAPS not in said(jm.diagnose(define(source)["f"], jnp.array([1, 2, 3]), jnp.array(10)))


def test_a_sum_of_small_numbers_of_both_signs_is_said_to_wrap_where_they_are_large():
    """Large ones of the same signs have a small sum as well."""
    source = "def f(x):\n    s = sum(int(v) for v in x)\n    if s > 10:\n        return s\n    return -s\n"
    assert WRAPS in said(jm.diagnose(define(source)["f"], jnp.array([3, -4, 1, -2])))


def test_numbers_too_large_for_any_array_are_told_of():
    """JAX refuses Python's 20!, the compiled function goes on with one that wrapped around."""
    source = "def f(n, x):\n    r = 1\n    for i in range(1, int(n) + 1):\n        r *= i\n    return x ** int(n) / r\n"
    assert "plain Python raises OverflowError" in said(jm.diagnose(define(source)["f"], jnp.array(3), jnp.array(2.0)))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("s = 0.0\n    for v in x:\n        s += float(v)\n    return s if s > 0 else -s", True),
        ("s = np.cumsum(np.asarray(x, np.float64))[-1]\n    return s", True),
        ("s = float(x.sum())\n    return s if s > 0 else -s", False),
    ],
    ids=["Python's floats", "NumPy's", "a sum of 32 bits"],
)
def test_what_32_bits_lose_of_a_sum_of_64_is_told_of(body, told):
    found = jm.diagnose(define(f"def f(x):\n    {body}\n")["f"], jnp.array([1.0, 2.0, -4.0]))
    assert ("what is left is lost" in said(found)) is told


NEWTON = "def f(a, tol):\n    x = a\n    {loop}\n        x = 0.5 * (x + a / x){end}\n    return x\n"


def test_a_tolerance_that_single_precision_never_meets_is_told_of():
    """Plain Python's doubles meet it; the compiled loop went on for ever."""
    source = NEWTON.format(loop="while abs(x * x - a) > tol:", end="")
    assert NEVER in said(jm.diagnose(define(source)["f"], 2.0, 1e-3))
    default = source.replace("tol):", "tol=1e-10):")
    assert NEVER in said(jm.diagnose(define(default)["f"], 4.0))  # single precision meets it on this number


BISECTION = """
def f(a, lo, hi):
    while hi - lo > 1e-9:
        mid = (lo + hi) / 2
        if mid ** 3 < a:
            lo = mid
        else:
            hi = mid
    return lo
"""


def test_a_tolerance_that_is_met_until_all_numbers_are_large_is_told_of():
    """What is looked for is large only where the number and both ends are: near 1e2 the gaps are wider than 1e-6."""
    source = (
        "def f(x, lo, hi):\n    while hi - lo > 1e-6:\n        mid = (lo + hi) / 2\n        if mid * mid > x:\n"
        "            hi = mid\n        else:\n            lo = mid\n    return lo\n"
    )
    given = jnp.array(2.0), 0.0, 2.0
    assert NEVER in said(jm.diagnose(define(source)["f"], *given))
    assert NEVER not in said(jm.diagnose(define(source.replace("1e-6", "1e-3 * hi"))["f"], *given))


@pytest.mark.parametrize("kind", [float, np.array])
def test_a_loop_that_compiled_never_ends_is_stopped_where_a_round_changes_nothing(kind):
    """It was compared with a limit on its rounds, which gave the right number; of arrays the diagnosis itself had no end."""
    namespace = define(BISECTION)
    f, numbers = namespace["f"], [tuple(map(kind, given)) for given in ((3.0, 0.0, 3.0), (0.5, -1.0, 4.0), (2.0, 5.0, 1.0))]
    found = jm.diagnose(f, *numbers[0])
    assert "ends where a round changes nothing more" in said(found)
    want = [float(f(*each)) for each in numbers]
    with applied(found, namespace):
        got = [float(jax.jit(namespace["f"])(*each)) for each in numbers]
    assert got == pytest.approx(want, rel=1e-6)


def test_a_loop_whose_rounds_are_returned_and_that_never_ends_compiled_is_no_answer():
    """The number of rounds is not plain Python's where a loop is stopped."""
    source = BISECTION.replace("    while", "    n = 0\n    while").replace("    mid =", "    n += 1\n        mid =")
    found = jm.diagnose(define(source.replace("return lo", "return lo, n"))["f"], 3.0, 0.0, 3.0)
    assert not found.rewrites and not found.verified
    assert "finds no end on this call" in found.unverified[0].reason


def test_a_count_of_which_nothing_is_made_is_not_asked_for_what_changes():
    source = """
def f(x, tol=1e-11):
    y, n = x, 0
    while abs(y * y - x) > tol:
        y = 0.5 * (y + x / y)
        n += 1
    return y
"""
    namespace = define(source)
    found = jm.diagnose(namespace["f"], 2.0)
    assert found.verified, str(found)
    with applied(found, namespace):
        assert jnp.allclose(jax.jit(namespace["f"])(7.0), 7.0**0.5)


def test_a_loop_that_ends_by_its_count_as_well_is_not():
    source = NEWTON.format(loop="k = 0\n    while abs(x * x - a) > tol and k < 9:", end="\n        k += 1")
    assert NEVER not in said(jm.diagnose(define(source)["f"], 2.0, 1e-3))


PLACES = "def f(i, w):\n    out = np.zeros(4)\n    out[i] += w\n    if out.sum() > 3:\n        out = out / 2\n    return out\n"


def test_places_that_occur_twice_are_set_and_not_added_up():
    """NumPy reads every item before it sets one: of two at a place the last stays."""
    twice = np.array([0, 0, 2]), np.array([1.0, 2.0, 3.0])
    found = check(PLACES, (np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0])), twice)
    assert ".add(" not in found.rewrites[0].source


def test_a_single_place_is_added_to():
    assert ".add(" in check(PLACES, (np.array(1), np.array(4.0)), (np.array(-1), np.array(1.0))).rewrites[0].source


MEANS = """
def f(x, group):
    total = 0
    for g in jnp.unique(group):
        total += x[group == g].mean()
    return total
"""


def test_a_rewrite_for_empty_arrays_serves_others():
    """A loop of no rounds traced, with an `if` on data in its body."""
    check(MEANS, (jnp.array([]), jnp.array([])), (jnp.array([1.0, 2.0, 4.0]), jnp.array([0, 1, 1])))


def test_what_is_optional_is_given_beside_arrays_that_are_not_empty():
    """Of an empty one there is no largest element: plain Python took no call with `top`."""
    source = """
def f(x, limit, top=None):
    if top is not None and x.max() > top:
        x = jnp.minimum(x, top)
    if limit > 0:
        x = x - limit
    return (x ** 2).sum()
"""
    check(source, (jnp.array([]), 5.0), (jnp.array([1.0, 3.0]), 0.0), (jnp.array([1.0, 3.0]), 0.5, 2.0))


def test_with_another_static_value_a_result_may_be_as_wide_as_on_the_calls_own():
    """`window.mean() if … else 0` gives ints where nothing passes, here and for other widths."""
    source = """
def f(x, limit, k):
    out = []
    for i in range(x.shape[0]):
        window = x[max(0, i - k):i + 1]
        out.append(window.mean() if x[i] > limit else 0)
    return jnp.array(out)
"""
    found = jm.diagnose(define(source)["f"], jnp.array([-0.3, 0.75, -1.25, 1.5]), jnp.array(5.0), 3)
    assert found.rewrites and "always floats" in said(found)


def test_what_is_of_integers_for_every_static_value_stays_so():
    source = """
def f(x, limit, k):
    out = []
    for i in range(x.shape[0]):
        window = x[max(0, i - k):i + 1]
        out.append(len(window) if x[i] > limit else 0)
    return jnp.array(out)
"""
    found = jm.diagnose(define(source)["f"], jnp.array([-0.3, 0.75, -1.25, 1.5]), jnp.array(5.0), 3)
    assert found.rewrites and "always floats" not in said(found)


def test_a_number_with_which_a_loop_has_no_end_ends_no_search():
    """Of 0 there are halves for ever: the trace with it took what time there was, and no rewrite was found."""
    source = """
def f(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
"""
    found = jm.diagnose(define(source)["f"], 6)
    assert found.kind == "static" and found.rewrites


def test_numbers_that_code_compares_with_stand_in_arrays_too():
    """One element of 255 ends a text."""
    inputs = list(Variations((jnp.array([1, 2, 3]),), {}, set()).more([255]))
    assert any(255 in each.args[0] for each in inputs)
    assert not any(254 in each.args[0] for each in inputs)


def test_a_mean_of_nothing_is_of_floats_where_there_is_something():
    """Of empty arrays plain Python gives `[0, 0]`, on whatever input."""
    source = """
def f(x, group, k):
    return jnp.array([x[group == c].mean() if (group == c).any() else 0 for c in range(k)])
"""
    found = jm.diagnose(define(source)["f"], jnp.array([]), jnp.array([]), 2)
    assert found.rewrites and "always floats" in said(found)


VISITED = """
def f(succ, start):
    seen = set()
    node = int(start)
    while node not in seen:
        seen.add(node)
        node = {next}
    return len(seen)
"""


def test_a_set_that_a_loop_asks_before_it_adds_is_a_list():
    """A mask of places has none for a start beyond them, which JAX takes for the last."""
    succ = jnp.array([2, 1, 0, 1])
    found = check(VISITED.format(next="int(succ[node])"), *[(succ, jnp.array(k)) for k in (3, 0, 1, 5, 97)])
    assert "seen = jnp.zeros(succ.size + 1, int)" in found.rewrites[0].source


def test_a_set_of_numbers_without_a_bound_stays():
    found = jm.diagnose(define(VISITED.format(next="(node * 7 + int(succ[0])) % 1000"))["f"], jnp.array([2, 1]), jnp.array(3))
    assert not found.rewrites


@pytest.mark.parametrize(
    "body",
    [
        "return bool(x[0] > t) + bool(x[1] > t)",
        "up = bool(x[0] > t)\n    down = bool(x[1] > t)\n    return (up - down) / 2",
        "on = bool(x[0])\n    return x[int(on)] - on",
    ],
)
def test_truth_values_that_are_counted_are_numbers(body):
    x = jnp.array([1.0, 2.0, 0.0])
    check(f"def f(x, t):\n    {body}\n", (x, 1.5), (x, 0.5), (-x, 0.5), (x[::-1], 0.5))


def test_a_truth_value_that_only_decides_stays_one():
    source = "def f(x, t):\n    up = bool(x[0] > t)\n    return x.sum() if up else x.min()\n"
    assert ", 1, 0)" not in check(source, (jnp.array([1.0, 2.0]), 1.5), (jnp.array([1.0, 2.0]), 0.5)).rewrites[0].source


SQUARES = """
def f(x):
    total = 0
    for v in x:
        w = v.item()
        if w > 0:
            total += w * w
    return total
"""


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_an_item_of_a_narrow_array_is_as_wide_as_pythons(dtype):
    """`v.item() ** 2` of int8 wrapped around, and of float16 became infinite."""
    x = jnp.array([1, 2, -3], dtype=dtype)
    check(SQUARES, (x,), (jnp.array([100, 120, -3], dtype=dtype) * (3 if dtype == "float16" else 1),))


def test_an_item_of_a_usual_array_is_taken_as_it_is():
    assert "astype" not in check(SQUARES, (jnp.array([1.0, 2.0, -3.0]),)).rewrites[0].source


@pytest.mark.parametrize("tolerances", ["", ", rel_tol=0.5", ", abs_tol=0.5", ", rel_tol=0.5, abs_tol=3.0"])
def test_what_is_close_for_math_is_close_in_the_rewrite(tolerances):
    """jnp's own tolerances are others: 1e-9 was close to 0, verified."""
    source = f"def f(x, t):\n    n = 0\n    for v in x:\n        if math.isclose(v, t{tolerances}):\n            n += 1\n"
    source += "    return n\n"
    x = jnp.array([1e-9, 0.0, 1.0, 2.0, 1.4, jnp.inf, jnp.nan])
    check(source, (x, 2.0), *[(x, t) for t in (0.0, 1.0, 4.0, -1.0, float("inf"), float("nan"))])


def test_what_math_and_jnp_call_by_one_name_and_is_not_the_same_has_no_rewrite():
    source = "def f(x, t):\n    if math.remainder(x, 4.0) > t:\n        return x\n    return t\n"
    assert not jm.diagnose(define(source)["f"], jnp.array(5.0), 0.5).rewrites


def test_floats_of_which_no_whole_number_is_made_are_not_told_of():
    source = "def f(x, t):\n    if t in x.tolist():\n        return 1\n    return 0\n"
    assert WRAPS not in said(jm.diagnose(define(source)["f"], jnp.array([1.0, -2.0, 3.0]), 0.5))


@pytest.mark.parametrize("other", ["t", "0.5"])
def test_a_comparison_that_chooses_from_a_dict_is_no_chain_of_them(other):
    """`jnp.asarray([True, False]) == x.sum() > t` compares twice, and did not trace."""
    source = f"def f(x, t):\n    scale = {{True: 1.0, False: {other}}}[bool(x.sum() > t)]\n    return x * scale\n"
    x = jnp.array([1.0, 2.0])
    check(source, (x, 4.0), (x, 2.0), (-x, 0.5))


def test_a_key_that_the_dict_lacks_is_told_of():
    source = "def f(x, t):\n    return x * {1: 1.0, 2: t}[int(x.sum())]\n"
    found = jm.diagnose(define(source)["f"], jnp.array([1.0, 1.0]), 4.0)
    compared = found.rewrites[0].compared
    assert "key" in " ".join((*compared.differences, *compared.not_reached))


@pytest.mark.parametrize("number", ["float('inf')", "float('nan')"])
def test_an_infinity_that_a_cell_holds_is_no_whole_number_to_try(number):
    """`best, wait = jnp.inf, 0` in a cell, and a step that takes both: the search for a rewrite failed."""
    source = (
        f"best = {number}\ndef f(loss, best, wait):\n    if loss < best:\n        return loss, 0\n    if wait != wait:\n"
        "        return best, wait\n    return best, wait + 1\n"
    )
    check(source, (jnp.array(1.0), float("inf"), 0), (jnp.array(3.0), 2.0, 1), (jnp.array(1.0), 0.5, 4))


BETWEEN = "what plain Python's 64 tell in between is lost"


@pytest.mark.parametrize(
    ("body", "args", "expected"),
    [
        ("d = t - 2451545.0\n    if d < 0:\n        d = -d\n    return d * 24", (2451547.25,), True),
        ("hour = (t % 86400) / 3600\n    if hour < 9 or hour >= 17:\n        return 0.0\n    return 17 - hour", (1.7e9,), True),
        ("if t > 1e5:\n        return t * 0.9\n    return t", (250000.0,), False),
        ("if t > 40:\n        return t % 7\n    return t", (47.5,), False),
    ],
)
def test_digits_that_only_64_bits_have_are_told_of(body, args, expected):
    """Julian days and seconds since 1970, of which the call's own number may be one that 32 bits have."""
    found = jm.diagnose(define(f"def f(t):\n    {body}\n")["f"], *args)
    assert (BETWEEN in said(found)) == expected


def test_digits_that_jax_arrays_lack_in_plain_python_too_are_not_told_of():
    source = "def f(t):\n    if t.sum() > 0:\n        return t - 2451545.0\n    return t\n"
    assert BETWEEN not in said(jm.diagnose(define(source)["f"], jnp.array([2451547.25])))


@pytest.mark.parametrize(
    ("turned", "answer", "expected"), [("math.tan", "24.0 if c < -1 else 12.0", True), ("math.cos", "c", False)]
)
def test_quarter_turns_at_which_rounding_decides_are_told_of(turned, answer, expected):
    """`tan` of 90 degrees has the one sign in 64 bits and the other in 32: at a pole day is night."""
    body = f"c = {turned}(math.radians(lat)) * tilt\n    if tilt > 1:\n        c = c + 1\n    return {answer}"
    source = f"def f(lat, tilt):\n    {body}\n"
    found = jm.diagnose(define(source)["f"], 52.0, 0.3)
    assert ("quarter turn" in said(found)) == expected


def test_integers_that_no_array_holds_are_no_calls_to_serve():
    """Noise on seconds since 1970 as integers outgrows 32 bits, and the search for a rewrite failed."""
    source = (
        "def f(t):\n    hour = (t % 86400) / 3600\n    if hour < 9 or hour >= 17:\n        return 0.0\n    return 17 - hour\n"
    )
    check(source, (1.7e9,), (1.7e9 + 4096,))


def busy(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_many_rounds_that_have_an_end_are_not_said_to_have_none(monkeypatch):
    """NumPy takes longer for some hundred rounds than plain Python's floats do, on the call as on other numbers."""

    def by_numpy(seconds):
        def run(given):
            if seconds < 0.1:
                raise CannotRun("OutOfTime: ")
            busy(0.05)

        return run

    plain = SimpleNamespace(variations=Variations((10.0,), {}, set()), uncompiled=lambda given, seconds: (busy(0.001),))
    monkeypatch.setattr(rounding, "_of_tests", lambda plain, program: [0])
    assert rounding.may_never_end(plain, None, by_numpy, 5.0) == ""


def test_of_two_arrays_one_alone_lets_nothing_through():
    """A rewrite that asks the other array passed: both had something above 0 on each input, or neither had."""

    def asking_the_other(spot):
        yield spot.step("where", (spot.code.statement(spot.node), "return jnp.where((y > 0).any(), y.sum(), 0.0)"))

    source = "def f(x, y):\n    return y.sum() if (x > 0).any() else 0.0\n"
    x = jnp.array([1.0, -2.0, 3.0])
    found = propose(define(source)["f"], (x, x[::-1]), {}, rules=[asking_the_other], seconds=10.0)
    assert not found.rewrites
