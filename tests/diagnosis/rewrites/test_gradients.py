"""A rewrite has plain Python's gradient, or is not called verified, or the answer says that it has none."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.proof.arguments import Input
from jupyter_jitmagic.diagnosis.proof.differing import Differs, lost_to_nan
from jupyter_jitmagic.diagnosis.proof.filtering import ArraysAlone
from jupyter_jitmagic.diagnosis.proof.gradients import DiffersAtEdge, Gradients
from jupyter_jitmagic.diagnosis.proof.inputs import Variations
from jupyter_jitmagic.diagnosis.proof.plain import PATIENCE, Plain
from jupyter_jitmagic.diagnosis.proof.verify import AT_TIE, BESIDE_NAN, LOST_TO_INFINITE, beside_infinities, compare
from jupyter_jitmagic.diagnosis.rewrites import propose
from jupyter_jitmagic.sandbox.clock import Deadline

from .helpers import applied, check, check_with_gradients, define, offered


def compared(plain, rewrite, *values):
    inputs = [Input((jnp.asarray(value),), {}, "call") for value in values]
    run = Plain(plain, [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    return Gradients(plain, run, ()).compare(rewrite, inputs, 5.0)


def test_a_gradient_is_lost_only_where_plain_python_has_one():
    """A square root has none at 0, whoever computes it."""

    def plain(x):
        return jnp.sqrt(x) if x >= 0 else 0.0 * x

    def rewrite(x):
        return jnp.where(x >= 0, jnp.sqrt(x), 0.0 * x)

    with pytest.raises(Differs, match="not finite on the call's own input"):
        compared(plain, rewrite, 4.0, -4.0)
    assert compared(plain, rewrite, 4.0, 0.0) == ""


def test_another_finite_gradient_is_found_as_well():
    def plain(x):
        return x * x if x > 0 else x

    def rewrite(x):
        return jnp.where(x > 0, jax.lax.stop_gradient(x) * x, x)

    with pytest.raises(Differs, match="gradient is another"):
        compared(plain, rewrite, 3.0)


def test_a_kink_has_no_one_gradient_and_the_call_may_stand_on_it():
    """Python's max takes one side; jnp.maximum shares: the next best answer."""

    def plain(x):
        return x if x >= 0 else 0.0 * x

    def rewrite(x):
        return jnp.maximum(x, 0.0)

    with pytest.raises(DiffersAtEdge, match="at a tie"):
        compared(plain, rewrite, 0.0, 2.0, -2.0)
    assert compared(plain, rewrite, 2.0, -2.0) == ""
    with pytest.raises(DiffersAtEdge, match=r"at a tie$"):
        compared(plain, rewrite, 0.2, 2.0, -2.0)


def test_a_rewrite_that_is_right_at_the_tie_comes_before_one_that_is_not():
    namespace = define("def f(t):\n    return max(t, 0.0) * 2.0\n")
    found = propose(namespace["f"], (jnp.array(3.0),), {})
    with applied(found, namespace):
        assert jax.grad(namespace["f"])(0.0) == 2.0


def test_ties_are_driven_to_behind_a_limit_that_the_call_does_not_pass():
    source = (
        "def f(x, t):\n    recent = [0.0] * 3\n    for v in x:\n        if v > t:\n            recent.pop(0)\n"
        "            recent.append(v)\n    return max(recent)\n"
    )
    namespace, x = define(source), jnp.array([1.5, -0.5, 1.5, 0.1])
    found = propose(namespace["f"], (x, jnp.array(5.0)), {})
    wanted = jax.grad(namespace["f"])(x, -0.75)
    with applied(found, namespace):
        assert jnp.array_equal(jax.grad(jax.jit(namespace["f"]))(x, jnp.array(-0.75)), wanted)


def test_ties_between_groups_are_driven_to():
    """Sums by group are equal where all numbers are, and the groups are of one size."""
    source = (
        "def f(x, group):\n    sums = [0.0] * 3\n    for i in range(x.shape[0]):\n        if x[i] > 0:\n"
        "            sums[int(group[i])] += x[i]\n    return max(sums)\n"
    )
    namespace = define(source)
    x, group = jnp.array([1.0, 3.0, 0.5, 2.0, -1.0, 0.75]), jnp.array([0, 0, 0, 1, 2, 0])
    tie = jnp.ones(6), jnp.array([0, 1, 2, 0, 1, 2])
    want = jax.grad(namespace["f"])(*tie)
    found = propose(namespace["f"], (x, group), {})
    with applied(found, namespace):
        assert jnp.array_equal(jax.grad(namespace["f"])(*tie), want)


def test_a_gradient_that_is_lost_where_data_is_nan_is_told():
    """The code does not speak of NaN, so that this refuses no rewrite."""

    def plain(x):
        return x[0] if x[0] > x[1] else 0.5 * x[0]

    def rewrite(x):
        return jnp.where(x[0] > x[1], x[0], 0.5 * x[0]) + 0.0 * x[1] / jnp.where(jnp.isnan(x[1]), 0.0, 1.0)

    run = Plain(plain, [], {}, Variations((jnp.array([2.0, 1.0]),), {}, set()), 5.0)
    missing = Input((jnp.array([2.0, jnp.nan]),), {}, "nan")
    call = Input((jnp.array([2.0, 1.0]),), {}, "call")
    assert "NaN" in Gradients(plain, run, ()).compare(rewrite, [call, missing], 5.0)
    with pytest.raises(Differs):
        Gradients(plain, run, (), minds_nan=True).compare(rewrite, [call, missing], 5.0)


def test_nan_in_what_is_not_chosen_is_looked_for_at_several_places():
    """A group of missing values alone is never the best one: plain Python's gradient does not see it."""

    def plain(x):
        return x[0] if x[0] > x[3] else 0.5 * x[0]

    def rewrite(x):
        return jnp.where(x[0] > x[3], x[0], 0.5 * x[0]) + 0.0 * x[3] / jnp.where(jnp.isnan(x[3]), 0.0, 1.0)

    given = (jnp.array([2.0, 1.0, 0.5, 1.0]),)
    run = Plain(plain, [], {}, Variations(given, {}, set()), 5.0)
    assert "NaN" in Gradients(plain, run, ()).compare(rewrite, [Input(given, {}, "call")], 5.0)


def test_a_function_that_gives_a_gradient_is_told_where_it_is_lost_to_nan():
    source = (
        "def best(v, p):\n    best = None\n    for i in range(v.shape[0]):\n        value = jnp.sin(v[i]) + p\n"
        "        if best is None or value > best:\n            best = value\n    return best\n\n"
        "def f(v, p):\n    return jax.value_and_grad(best)(v, p)\n"
    )
    found = propose(define(source)["f"], (jnp.array([0.25, 3.0, 0.75]), 0.75), {})
    told = [said for said in found.rewrites[0].compared.differences if "NaN" in said]
    assert [said for said in told if said != LOST_TO_INFINITE] == [BESIDE_NAN]  # that one where infinities are run in time
    value, gradient = jnp.array(1.0), jnp.array([0.0, 1.0])
    assert lost_to_nan((value, gradient * jnp.nan), (value, gradient))
    assert not lost_to_nan((value * jnp.nan, gradient), (value, gradient))
    assert not lost_to_nan((value, 1 - gradient), (value, gradient))


@pytest.mark.parametrize("patience", [PATIENCE, 0.0])
def test_a_function_that_gives_a_gradient_is_compared_beside_a_value_of_nan(monkeypatch, patience):
    """Python's `max` of NaN keeps its place, `jnp.max` has no gradient there: also where a few inputs must do, for time."""
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.proof.plain.PATIENCE", patience)
    source = (
        "def largest(v, p):\n    parts = [jnp.where(v.max() > p, (k * v).sum(), 0.0) for k in (1.0, 2.0)]\n"
        "    return max(parts) if v[0] > p else v[1]\n\n"
        "def f(v, p):\n    return jax.value_and_grad(largest)(v, p)\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([0.25, 3.0, 0.75]), 0.1), {})
    far = jnp.array([jnp.inf, 1.0, -jnp.inf])
    wanted = namespace["f"](far, 0.1)[1]
    told = found.rewrites[0].compared.differences
    with applied(found, namespace):
        assert jnp.array_equal(jax.jit(namespace["f"])(far, 0.1)[1], wanted), (told, found.rewrites[0].diff)


def test_a_gradient_beside_a_number_that_is_infinite_and_not_selected_is_kept():
    """What follows the one that is selected is not, and its difference to it is infinite, filled before its exponential."""
    source = (
        "def f(x, t):\n    above = jnp.exp(-jnp.diff(x[x > t]))\n    out = 0.0\n    for v in above:\n        out += v\n"
        "    return out\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([0.25, 3.0, -0.75, 1.0]), jnp.array(0.5)), {})
    assert BESIDE_NAN not in found.rewrites[0].compared.differences
    far = jnp.array([-1.0, jnp.inf, -1.0, 0.0])
    wanted = jax.grad(namespace["f"])(far, 0.5)
    with applied(found, namespace):
        np.testing.assert_array_equal(jax.grad(namespace["f"])(far, 0.5), wanted)


@pytest.mark.parametrize(
    ("chosen", "lost"), [("(a - b) ** 2 if a > limit else 0.5 * (a - b)", True), ("a if a > limit else 0.5 * a", False)]
)
def test_a_gradient_that_is_lost_to_nan_in_another_array_is_told(chosen, lost):
    """Both sides are computed, and the one that is not taken multiplies by the NaN; without it nothing is lost."""
    source = (
        "def f(x, y, limit):\n    def loss(p):\n"
        f"        return sum({chosen} for a, b in zip(p, y))\n"
        "    value, slope = jax.value_and_grad(loss)(x)\n"
        "    if value > limit:\n        slope = slope * 0.5\n    return x - slope\n"
    )
    namespace = define(source)
    x, y = jnp.array([3.0, -0.3, 3.0, 1.5]), jnp.array([2.0, 0.1, -0.3, 0.0])
    found = propose(namespace["f"], (x, y, 1.0), {}, seconds=100.0)
    first = next(each for each in found.rewrites if "cond" not in each.patterns)
    assert (BESIDE_NAN in first.compared.differences) == lost
    with applied(found, namespace, found.rewrites.index(first)):
        assert bool(jnp.isnan(jax.jit(namespace["f"])(x, y * jnp.nan, 1.0)[1])) == lost


def test_a_gradient_that_is_lost_where_a_limit_is_infinite_is_told():
    """A limit that is switched off: `limit * (v - limit)`, which is not taken then, is infinite."""
    source = "def f(v, limit):\n    if v > limit:\n        return limit * (v - 0.5 * limit)\n    return 0.5 * v * v\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array(2.0), 1.0), {})
    rewrites = [each for each in found.rewrites if "where" in each.patterns]
    assert rewrites and all(BESIDE_NAN in each.compared.differences for each in rewrites)
    with applied(found, namespace, found.rewrites.index(rewrites[0])):
        assert jnp.isnan(jax.grad(namespace["f"])(2.0, jnp.inf))


def test_a_gradient_that_is_lost_where_a_group_has_one_member_is_told():
    """Its deviation is 0, whose gradient is NaN, also where another group's is chosen."""
    source = (
        "def f(x, labels):\n    best = None\n    for g in jnp.unique(labels):\n        s = x[labels == g].std()\n"
        "        if best is None or s > best:\n            best = s\n    return best\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([3.0, 0.25, 1.5, 0.75, -0.25, 2.0]), jnp.array([1, 2, 1, 2, 0, 0])), {})
    alone = jnp.array([0, 0, 2, 2, 1, 0])
    for which, each in enumerate(found.rewrites):
        with applied(found, namespace, which):
            slope = jax.grad(namespace["f"])(jnp.array([3.0, 0.75, 0.5, 3.0, 0.25, 0.75]), alone)
        assert not jnp.isnan(slope).any() or any("stands alone" in said for said in each.compared.differences)
    assert found.rewrites


def test_what_plain_python_lost_by_float_may_be_there_again():
    def plain(x):
        return float(x) * x

    def rewrite(x):
        return x * x

    assert compared(plain, rewrite, 3.0) == ""


def test_a_mean_that_is_nan_backwards_is_not_called_verified():
    namespace = define("def f(x, w):\n    m = ~jnp.isnan(x)\n    return ((x[m] - w) ** 2).mean()\n")
    given = jnp.array([1.0, jnp.nan, 5.0]), jnp.array(1.0)
    found = propose(namespace["f"], given, {})
    want = jax.grad(namespace["f"], 1)(*given)
    for which, rewrite in enumerate(found.rewrites):
        assert rewrite.verified
        with applied(found, namespace, which):
            assert jnp.allclose(jax.grad(namespace["f"], 1)(*given), want)
    assert found.rewrites or "gradient" in found.unverified[0].reason


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_answer_says_that_a_while_loop_has_no_reverse_mode(dtype):
    namespace = define("def f(x, n):\n    while x < n:\n        x = x * 2\n    return x\n")
    rewrite = propose(namespace["f"], (jnp.array(1.0, dtype), 10.0), {}).rewrites[0]
    assert any("not reverse-differentiable" in said for said in rewrite.compared.differences)


@pytest.mark.parametrize("given", [[0.0, 2.0], [1.0, 2.0]])
def test_a_varied_input_of_zeros_alone_is_the_edge_at_zero(given):
    """Each number twice of [0, 2] is [0, 0]: the usual guard against a division by a length of zero was not proven."""

    def plain(v):
        n = jnp.linalg.norm(v)
        return v if n == 0 else v / n

    def rewrite(v):
        n = jnp.linalg.norm(v)
        return jnp.where(n == 0, v, v / n)

    inputs = [Input((jnp.array(each),), {}, kind) for each, kind in ((given, "call"), ([0.0, 0.0], "doubled"))]
    run = Plain(plain, [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    with pytest.raises(DiffersAtEdge, match="not finite at zero"):
        Gradients(plain, run, ()).compare(rewrite, inputs, 5.0)


def test_an_array_that_is_zero_beside_others_is_an_edge():
    """All zeros is none: there plain Python's own gradient is lost."""

    def plain(trees):
        total = jnp.sqrt(sum(jnp.sum(each**2) for each in trees))
        norms = [jnp.sqrt(jnp.sum(each**2)) for each in trees]
        return sum(each.sum() / norm if norm > 0 else each.sum() for each, norm in zip(trees, norms, strict=True)) / total

    def rewrite(trees):
        total = jnp.sqrt(sum(jnp.sum(each**2) for each in trees))
        norms = [jnp.sqrt(jnp.sum(each**2)) for each in trees]
        chosen = [jnp.where(n > 0, each.sum() / n, each.sum()) for each, n in zip(trees, norms, strict=True)]
        return sum(chosen) / total

    given = Input(([jnp.array([1.0, 2.0]), jnp.array([3.0, -1.0])],), {}, "call")
    run = Plain(plain, [], {}, Variations(given.args, {}, set()), 5.0)
    with pytest.raises(DiffersAtEdge, match="where a part of the data is zero"):
        Gradients(plain, run, ()).compare(rewrite, [given], 5.0)


def test_zeros_beside_a_tolerance_are_an_edge():
    """With the tolerance zero as well, no vector is below it."""

    def plain(v, eps):
        n = jnp.sqrt(jnp.sum(v**2))
        return v if n < eps else v / n

    def rewrite(v, eps):
        n = jnp.sqrt(jnp.sum(v**2))
        return jnp.where(n < eps, v, v / n)

    given = Input((jnp.array([1.0, 2.0]), 0.1), {}, "call")
    run = Plain(plain, [], {}, Variations(given.args, {}, set()), 5.0)
    with pytest.raises(DiffersAtEdge, match="where a part of the data is zero"):
        Gradients(plain, run, ()).compare(rewrite, [given], 5.0)


def test_an_array_that_is_all_nan_beside_others_is_an_edge():
    """None of its numbers is left then, and the gradient of what stands beside them is 0 in plain Python."""

    def plain(y, theta):
        kept = ~jnp.isnan(y)
        return jnp.sum(y[kept] * jnp.log((theta * theta)[kept]))

    def rewrite(y, theta):
        kept = ~jnp.isnan(y)
        first = jnp.argmax(kept)
        odds = theta * theta
        filled = jnp.where(kept, y, y[first]), jnp.where(kept, odds, odds[first])
        return jnp.sum(filled[0] * jnp.log(filled[1]), where=kept)

    given = Input((jnp.array([1.0, jnp.nan, 2.0]), jnp.array([0.2, 0.5, 0.8])), {}, "call")
    run = Plain(plain, [], {}, Variations(given.args, {}, set()), 5.0)
    with pytest.raises(DiffersAtEdge, match="where all of an array is NaN"):
        Gradients(plain, run, (), minds_nan=True).compare(rewrite, [given], 5.0)


def test_single_numbers_that_are_equal_are_a_tie():
    """JAX's minimum of an array shares the gradient among them, where Python's takes the first."""

    def plain(a, b, c):
        return min(a, b, c) * 3

    def rewrite(a, b, c):
        return jnp.min(jnp.asarray([a, b, c])) * 3 + 0 * (a + b + c)

    given = Input(tuple(map(jnp.float32, (1.0, 2.0, 3.0))), {}, "call")
    run = Plain(plain, [], {}, Variations(given.args, {}, set()), 5.0)
    with pytest.raises(DiffersAtEdge, match="at a tie"):
        Gradients(plain, run, ()).compare(rewrite, [given], 5.0)


def test_a_gradient_that_is_lost_in_the_call_itself_is_no_edge():
    """There the rewrite is not verified, be it all zeros; one that is keeps it."""
    source = "def f(v):\n    n = jnp.linalg.norm(v)\n    if n == 0:\n        return v\n    return v / n\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.zeros(2),), {})
    assert not any(each.verified and {"cond", "filled"} & {*each.patterns} == {"cond"} for each in found.rewrites)
    for which, _ in enumerate(found.rewrites):
        with applied(found, namespace, which):
            assert (jax.grad(lambda v: namespace["f"](v).sum())(jnp.zeros(2)) == 1).all()


def test_a_loop_without_a_reverse_mode_says_so_where_this_call_gives_nan():
    """A search that finds nothing here, and something in other calls."""
    source = "def f(x, t):\n    while x < t:\n        x = x * 2\n    return jnp.sqrt(4.0 - x)\n"
    found = propose(define(source)["f"], (jnp.array(1.0), 9.0), {})
    assert any("not reverse-differentiable" in said for said in found.rewrites[0].compared.differences)


def test_integers_have_no_gradient_that_could_be_lost():
    namespace = define("def f(n):\n    while n < 100:\n        n = n * 2\n    return n\n")
    rewrite = propose(namespace["f"], (jnp.array(3),), {}).rewrites[0]
    assert rewrite.compared.differences == ()


def test_pythons_integers_may_be_floats_in_the_next_call():
    """A call with 3 is one with 3.5 tomorrow, whose gradient the loop would lose; that of a count is none."""
    namespace = define("def f(x, limit):\n    while x < limit:\n        x = x * 2\n    return x\n")
    rewrite = propose(namespace["f"], (3, 50), {}).rewrites[0]
    assert any("not reverse-differentiable" in said for said in rewrite.compared.differences)
    namespace = define("def f(n):\n    k = 0\n    while n > 0:\n        n = n // 10\n        k += 1\n    return k\n")
    assert not any("reverse" in said for said in propose(namespace["f"], (123,), {}).rewrites[0].compared.differences)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    for i in range(20):\n        if abs(x) < 0.1:\n            break\n        x = x / 2\n    return x\n",
        "def f(x):\n    k = 0\n    while k < 20 and abs(x) > 0.1:\n        x = x * 0.7\n        k += 1\n    return x * 2.0\n",
    ],
)
def test_a_loop_of_at_most_so_many_rounds_has_a_way_that_keeps_the_gradient(source):
    namespace = define(source)
    want = jax.grad(namespace["f"])(1.0)
    found = propose(namespace["f"], (jnp.array(1.0),), {})
    way = next(k for k, rewrite in enumerate(found.rewrites) if "fori_loop" in rewrite.patterns)
    assert "reverse" not in "".join(found.rewrites[way].compared.differences)
    with applied(found, namespace, way):
        assert jnp.allclose(jax.grad(jax.jit(namespace["f"]))(1.0), want)


def test_the_largest_element_takes_the_gradient_alone():
    namespace = define("def f(x):\n    return max(x) * 2.0\n")
    equal = jnp.array([1.0, 3.0, 3.0])
    want = jax.grad(namespace["f"])(equal)
    found = propose(namespace["f"], (jnp.array([1.0, 3.0, 2.0]),), {})
    with applied(found, namespace):
        assert jnp.array_equal(jax.grad(jax.jit(namespace["f"]))(equal), want)


def test_what_is_not_taken_is_not_divided_by():
    source = "def f(x, y):\n    spread = x - y\n    return spread and x / spread\n"
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array(4.0), jnp.array(4.0)), {})
    with applied(found, namespace):
        assert jnp.isfinite(jax.grad(jax.jit(namespace["f"]))(4.0, 4.0))


def test_a_way_that_keeps_the_gradient_comes_before_one_that_serves_integers_too():
    """The answer says where it fails; `jnp.where` would be NaN backwards."""
    source = (
        "def f(x, a):\n    level = x[0]\n    for i in range(1, len(x)):\n        if jnp.isnan(x[i]):\n            continue\n"
        "        level = a * x[i] + (1 - a) * level\n    return level\n"
    )
    namespace = define(source)
    given = jnp.array([1.0, jnp.nan, 3.0]), jnp.array(0.5)
    want = jax.grad(namespace["f"], 1)(*given)
    found = propose(namespace["f"], given, {})
    with applied(found, namespace):
        assert jnp.allclose(jax.grad(jax.jit(namespace["f"]), 1)(*given), want)


def test_a_plain_gradient_that_is_stopped_by_its_time_is_not_called_none(monkeypatch):
    """Asked for a second time, too, with other runs between."""
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.proof.gradients.SHORT", 0.0)

    def plain(x):
        while x < 10:
            x = x * 2
        return x

    def rewrite(x):
        return jax.lax.while_loop(lambda x: x < 10, lambda x: x * 2, x)

    given = Input((jnp.asarray(3.0),), {}, "call")
    run = Plain(plain, [], {}, Variations(given.args, {}, set()), 5.0)
    gradients = Gradients(plain, run, ())
    for _ in range(2):
        assert "not reverse-differentiable" in gradients.compare(rewrite, [given], 5.0)
        run.uncompiled(given, 5.0)


def test_nan_lets_a_second_condition_decide_and_the_gradient_is_compared_there():
    """The largest of numbers beside NaN is no number: the first condition is False, and what it chose has no gradient."""
    source = (
        "def f(x, low):\n    if jnp.max(x) >= low:\n        out = x.max()\n    elif x[0] > low:\n        out = 1.0\n"
        "    else:\n        out = x.max()\n    return out\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([0.0, 0.75, 2.0, -2.0]), 1.0), {})
    with applied(found, namespace):
        gradient = jax.grad(namespace["f"])(jnp.array([0.5, 0.0, jnp.nan, 2.0]), 0.0)
    assert jnp.isfinite(gradient).all() or "NaN" in "; ".join(found.rewrites[0].compared.differences)


def test_nan_in_each_array_is_minded_where_the_code_asks_for_it():
    """Not only in the first two arrays: a product with what is not chosen makes NaN of a gradient that is 0."""
    source = "def f(w, g, scale):\n    if jnp.isfinite(g).all():\n        w = w - g / scale\n    return w\n"
    found = propose(define(source)["f"], (jnp.ones(2), jnp.array([0.5, 1.0]), jnp.asarray(4.0)), {}).rewrites[0]
    assert found.patterns == ("cond",)


def test_a_step_that_is_given_up_for_nan_is_answered_and_its_gradient_told():
    """`if isnan(energy): return q`: what was computed before is NaN for `cond`, too; plain Python's gradient is not."""
    source = (
        "def f(q, step):\n    moved = q + step * q**3\n    energy = (moved**2).sum()\n"
        "    if jnp.isnan(energy):\n        return q\n    if energy < 10.0:\n        return moved\n    return q\n"
    )
    namespace = define(source)
    q = jnp.array([1.0, -2.0])
    rewrite = propose(namespace["f"], (q, 0.1), {}).rewrites[0]
    assert "its gradient is not finite where data is NaN, where plain Python's is" in rewrite.compared.differences


@pytest.mark.parametrize(("all_of_them", "told"), [(False, LOST_TO_INFINITE), (True, "")])
def test_infinite_data_is_looked_at_where_the_comparison_did_not_come_to_it(all_of_them, told):
    """It is among the inputs of what takes a gradient, as the last; there may have been no time for it."""
    given = (jnp.array([1.0, 2.0]),)
    plain = Plain(lambda x: x.sum(), [], {}, Variations(given, {}, set()), 5.0)
    plain.takes_gradients = True
    runs = plain.runs()
    assert len([next(runs)] if not all_of_them else list(runs)) >= 1
    assert beside_infinities(plain, lambda run: (run.args[0] * 0).sum() + run.args[0].sum(), {}, 5.0) == told


def test_a_gradient_in_an_answer_is_told_where_an_infinity_stands_in_one_of_two_arrays():
    """In both at one place, their difference is NaN in every branch, and nothing is seen."""
    source = (
        "def f(x, w, t):\n    def loss(p):\n"
        "        return jnp.sum((p - x) ** 2) if jnp.sum(p) > t else jnp.sum(jnp.abs(p - x))\n"
        "    value, slope = jax.value_and_grad(loss)(w)\n    if jnp.isnan(value):\n        return jnp.zeros_like(slope)\n"
        "    return slope\n"
    )
    namespace = define(source)
    given = (jnp.array([2.0, 0.1, 0.25]), jnp.array([0.25, 3.0, -1.25]), jnp.array(1.0))
    far = jnp.array([jnp.inf, 3.0, -jnp.inf])
    found = propose(namespace["f"], given, {})
    wanted = namespace["f"](given[0], far, given[2])
    with applied(found, namespace):
        got = namespace["f"](given[0], far, given[2])
    assert BESIDE_NAN in found.rewrites[0].compared.differences or jnp.array_equal(got, wanted)


def test_a_curvature_in_an_answer_is_kept_from_an_infinity_in_another_branch():
    """`where` multiplies 0 by it; only a lone infinity tells, beside others plain Python's is NaN as well."""
    source = (
        "def e(x):\n    if x[0] > 0:\n        return (x**3).sum()\n    return (x**2).sum()\n\n\n"
        "def f(x):\n    return jax.hessian(e)(x) @ x\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([-0.5, 2.0, 1.0]),), {})
    far = jnp.array([-1.0, -jnp.inf, 2.0])
    wanted = namespace["f"](far)
    with applied(found, namespace):
        got = namespace["f"](far)
    said = {BESIDE_NAN, LOST_TO_INFINITE}.intersection(found.rewrites[0].compared.differences)
    assert said or jnp.array_equal(got, wanted, equal_nan=True)


def test_every_edge_at_which_a_gradient_is_lost_is_told():
    """Where nothing passes the test, be it for zeros or for numbers below zero."""
    namespace = define("def f(p):\n    return -sum(v * jnp.log(v) for v in p if v > 0)\n")
    found = propose(namespace["f"], (jnp.array([0.5, -1.0, 2.0]),), {}).rewrites[0]
    said = " ".join(found.compared.differences)
    with applied(propose(namespace["f"], (jnp.array([0.5, -1.0, 2.0]),), {}), namespace):
        slopes = [jax.grad(namespace["f"])(x) for x in (jnp.zeros(3), -jnp.ones(3))]
    assert all(jnp.isfinite(slope).all() for slope in slopes) or ("at zero" in said and "other sign" in said)


def test_a_gradient_is_right_where_all_that_a_loop_leaves_out_is_nan():
    """What fills the places behind the last one kept is NaN itself then, and its square no number, whoever leaves it out."""
    source = (
        "def f(x, t):\n    taken = jnp.take(x, jnp.flatnonzero(x >= t))\n    total = 0\n"
        "    for v in taken:\n        total += v ** 2\n    return total\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([-1.25, -0.3, 0.25, 2.0]), -3.0), {})
    missing = jnp.full(4, jnp.nan)
    with applied(found, namespace):
        slope = jax.grad(namespace["f"])(missing, 1.0)
    assert BESIDE_NAN in found.rewrites[0].compared.differences or not jnp.isnan(slope).any()


def test_nan_in_one_array_is_looked_at_where_the_other_branch_is_taken():
    """The call's own numbers all take the square, whose slope beside NaN is NaN for plain Python as well."""
    source = (
        "def loss(p, q):\n    return sum((a - b) ** 2 if a > 0 else 0.5 * (a - b) for a, b in zip(p, q))\n\n"
        "def f(p, q):\n    return p - 0.1 * jax.grad(loss)(p, q)\n"
    )
    found = propose(define(source)["f"], (jnp.array([1.0, 2.0]), jnp.array([3.0, -1.0])), {})
    assert BESIDE_NAN in found.rewrites[0].compared.differences


def by_rank(x, limit):
    total = 0.0
    for rank, v in enumerate(sorted(x, reverse=True)):
        if v > limit:
            total += v / (rank + 1)
    return total


def test_a_function_that_takes_a_gradient_is_run_on_equal_numbers_apart_from_each_other():
    """`sorted(x, reverse=True)` leaves equal numbers in their order, and each has its own part in the gradient."""
    source = (
        "def by_rank(x, limit):\n    total = 0.0\n    for rank, v in enumerate(sorted(x, reverse=True)):\n"
        "        if v > limit:\n            total += v / (rank + 1)\n    return total\n\n"
        "def f(x, limit):\n    return jax.grad(by_rank)(x, limit)\n"
    )
    namespace = define(source)
    tie = jnp.array([1.0, 2.0, 1.0, 2.0, -1.0])
    want = namespace["f"](tie, 0.5)
    found = propose(namespace["f"], (jnp.array([0.0, 0.25, -0.3, 0.75, -2.0]), 0.0), {}, seconds=20.0)
    with applied(found, namespace):
        assert jnp.array_equal(jax.jit(namespace["f"])(tie, 0.5), want)


def test_a_gradient_that_is_turned_round_at_a_tie_alone_is_told():
    """At a kink both may be right: it is an answer, where there is none that gives plain Python's."""

    def turned(x, limit):
        ranked = jnp.sort(x)[::-1]
        return jnp.sum(jnp.where(ranked > limit, ranked, 0.0) / jnp.arange(1, x.size + 1))

    def straight(x, limit):
        ranked = jnp.sort(x[::-1])[::-1]
        return jnp.sum(jnp.where(ranked > limit, ranked, 0.0) / jnp.arange(1, x.size + 1))

    given = jnp.array([0.0, 0.25, -0.3, 0.75, -2.0]), jnp.array(0.1)
    for rewrite, notes in ((turned, (AT_TIE,)), (straight, ())):
        plain = Plain(jax.grad(by_rank), [], {}, Variations(given, {}, set()), 20.0)
        plain.takes_gradients = True
        gradient = jax.jit(jax.grad(rewrite))
        assert compare(plain, lambda each, gradient=gradient: gradient(*each.args), {"nan": "NaN"}, Deadline(20.0))[1] == notes


def test_the_last_of_equal_numbers_is_not_taken_for_the_first():
    """Nothing is above the limit where all is zero, so that other equal numbers have to show it."""

    def last(x, limit):
        best, at = limit, -1
        for i, v in enumerate(x):
            if v > limit and v >= best:
                best, at = v, i
        return at

    def first(x, limit):
        return jnp.where(jnp.any(x > limit), jnp.argmax(x), -1)

    given = jnp.array([0.5, 3.0, -1.0, 2.0, 0.25, -0.5]), jnp.array(0.1)
    plain = Plain(last, [], {}, Variations(given, {}, set()), 20.0)
    with pytest.raises(Differs, match="doubled"):
        compare(plain, lambda each: jax.jit(first)(*each.args), {}, Deadline(20.0))


class Asked:
    """A deadline that is over after so many questions; a short one never is."""

    def __init__(self, seconds):
        self.left = seconds if seconds >= 1 else float("inf")

    def over(self):
        self.left -= 1
        return self.left < 0


def test_ties_are_asked_for_before_the_time_is_spent_on_more_of_the_same(monkeypatch):
    """Where the first gradients take long, as all do that JAX has to compile for; what is right at ties, too, passes."""
    monkeypatch.setattr("jupyter_jitmagic.diagnosis.proof.gradients.Deadline", Asked)
    values = [jnp.array([0.5, 2.0, -1.0]) * k for k in range(1, 9)]
    inputs = [Input((value,), {}, "call" if k == 0 else "noise") for k, value in enumerate(values)]

    def plain(x):
        return max(list(x))

    def first(x):
        return x[jnp.argmax(x)]

    run = Plain(plain, [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    with pytest.raises(Differs):
        Gradients(plain, run, ()).compare(jnp.max, inputs, 4.0)
    assert Gradients(plain, run, ()).compare(first, inputs, 4.0) == ""


def test_gradients_are_compared_on_larger_arrays_where_the_call_has_one_element():
    """One element makes no group beside the best one, whose `std` of a single element has no gradient."""
    groups = (
        "def f(x, labels):\n    best = None\n    for g in jnp.unique(labels):\n"
        "        FIRST\n        value += 1\n        if best is None or value > best:\n            best = value\n"
        "    return best\n"
    )
    whole = "def f(x, labels):\n    if labels.max() > 0:\n        return x.std() * 2\n    return x.std()\n"
    one = jnp.array([0.1]), jnp.array([0])
    unfollowed = groups.replace("FIRST", "[value] = [x[labels == g].std()]")
    followed = groups.replace("FIRST", "value = x[labels == g].std()")
    for source, lost in ((unfollowed, True), (followed, False), (whole, False)):
        found = propose(define(source)["f"], one, {}, seconds=20.0)
        assert ("gradient is not plain Python's on some larger arrays" in str(found.rewrites[0].compared)) == lost
        assert "it fails on larger arrays" not in str(found.rewrites[0].compared)


def test_a_gradient_is_not_looked_for_where_no_float_comes_out():
    """Of whole numbers alone the gradient is zero; a float beside them has one, which is compared."""
    traced = []

    def rewrite(x):
        traced.append(x)
        return jnp.sum(x > 0), jax.lax.stop_gradient(x) * x

    inputs = [Input((jnp.asarray([1.0, -2.0]),), {}, "call")]
    run = Plain(lambda x: (jnp.sum(x > 0), x * x), [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    whole, both = (jax.jit(fun).trace(*inputs[0].args) for fun in (lambda x: jnp.sum(x > 0), rewrite))
    traced.clear()
    assert Gradients(run.function, run, ()).compare(rewrite, inputs, 5.0, whole) == "" and not traced
    with pytest.raises(Differs, match="gradient is another"):
        Gradients(run.function, run, ()).compare(rewrite, inputs, 5.0, both)


def test_results_of_one_element_are_differentiated_as_they_are():
    """Several results, single numbers and arrays, NumPy's among them: the gradient is that of their sum."""

    def plain(x):
        return x[0] * 2, jnp.sum(x) ** 2, x * 3, np.float32(1.5), 4

    def rewrite(x):
        return x[0] * 2, jnp.sum(x) ** 2, x * 3, np.float32(1.5), 4

    def other(x):
        return jax.lax.stop_gradient(x[0]) * 2, jnp.sum(x) ** 2, x * 3, np.float32(1.5), 4

    assert compared(plain, rewrite, [1.0, 2.0]) == ""
    with pytest.raises(Differs, match="gradient is another"):
        compared(plain, other, [1.0, 2.0])


def test_a_slope_is_infinite_where_a_number_is_one():
    """`sqrt(1 - x * x)` ends at 1, as at a unit vector's own axis, beside which code takes care."""

    def plain(q):
        s = jnp.sqrt(1 - q[0] * q[0])
        return q[1] if s < 1e-3 else q[1] / s

    def rewrite(q):
        s = jnp.sqrt(1 - q[0] * q[0])
        return jax.lax.cond(s < 1e-3, lambda: q[1], lambda: q[1] / s)

    with pytest.raises(DiffersAtEdge, match="not finite where a number is 1"):
        compared(plain, rewrite, [0.3, 0.5])


def test_a_gradient_goes_through_what_is_printed():
    """`print(f"{x}")` shows one of JAX's tracers in a gradient; it takes no format."""
    source = """
def f(x):
    for k in range(5):
        print(f"{k}: {x}")
        if x > 3:
            break
        x = x * x
    return x
"""
    found = propose(define(source)["f"], (jnp.float32(1.3),), {}).rewrites[0]
    assert any("jax.grad does not go through" in said for said in found.compared.differences)


def test_gradients_are_compared_where_arrays_alone_are_traced():
    """As under equinox's jit: that program tells that its results have floats, as `jax.jit`'s does."""

    def plain(x):
        n = jnp.linalg.norm(x)
        return x / n if n > 1 else x

    def rewrite(x):
        n = jnp.linalg.norm(x)
        return jax.lax.cond(n > 1, lambda: x / n, lambda: x)

    inputs = [Input((jnp.asarray(x),), {}, kind) for x, kind in (([0.5, 2.0], "call"), ([0.0, 0.0], "zero"))]
    run = Plain(plain, [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    program = ArraysAlone(rewrite, {}).trace(*inputs[0].args)
    with pytest.raises(DiffersAtEdge, match="not finite at zero"):
        Gradients(run.function, run, ()).compare(rewrite, inputs, 5.0, program)


def test_what_is_left_out_outgrows_no_exponential():
    """Of logarithms of probabilities: `exp(0 - top)` is infinite where all that counts is far below 0."""
    source = "def f(s, m):\n    k = s[m]\n    top = k.max()\n    return jnp.log(jnp.exp(k - top).sum()) + top\n"
    namespace = define(source)
    f = namespace["f"]
    mask = jnp.array([True, False, True])
    found = propose(f, (jnp.array([1.0, -2.0, 3.0]), mask), {}, (), (), seconds=30)
    for far in (jnp.array([-900.0, 20.0, -905.0]), jnp.array([900.0, -20.0, 905.0])):
        want = jax.grad(f)(far, mask)
        with applied(found, namespace):
            assert jnp.allclose(jax.grad(namespace["f"])(far, mask), want)


def test_a_gradient_lost_where_an_exponential_outgrows_its_floats():
    def plain(x, m):
        return jnp.exp(x[m] - x[m].max()).sum()

    def rewrite(x, m):
        return jnp.exp(x - jnp.where(m, x, -jnp.inf).max()).sum(where=m)

    inputs = [Input((jnp.array([1.0, 2.0, 3.0]), jnp.array([True, True, True])), {}, "call")]
    run = Plain(plain, [], {}, Variations(inputs[0].args, {}, set()), 5.0)
    program = jax.jit(rewrite).trace(*inputs[0].args)
    with pytest.raises(DiffersAtEdge, match="outgrows"):
        Gradients(run.function, run, ()).compare(rewrite, inputs, 5.0, program)


def test_what_fills_a_selection_fills_an_empty_one():
    """With an element of the array, which has none then."""
    namespace = define("def f(x, t):\n    bad = x[x < t]\n    return jnp.log1p(jnp.exp(t - bad)).sum()\n")
    f = namespace["f"]
    found = propose(f, (jnp.array([0.5, 3.0, -1.0]), 1.0), {}, (), (), seconds=30)
    with applied(found, namespace):
        assert jax.jit(namespace["f"])(jnp.zeros(0), 1.0) == f(jnp.zeros(0), 1.0)


def test_a_gradient_of_what_is_normalized_is_compared_though_its_sum_has_none():
    def plain(x):
        return x / x.sum()

    def rewrite(x):
        return jax.lax.stop_gradient(x / x.sum())

    with pytest.raises(Differs, match="its gradient is another"):
        compared(plain, rewrite, jnp.array([1.0, 2.0, 4.0]))


def test_equal_numbers_that_are_sorted_backwards_keep_their_order_in_the_gradient():
    """The error at a tie cancels in the sum of the results."""
    source = "def f(x):\n    return jnp.stack(sorted([x[0], x[1], x[2]], reverse=True))\n"
    namespace = define(source)
    f, tied, weights = namespace["f"], jnp.array([2.0, 1.0, 2.0]), jnp.array([1.0, 10.0, 100.0])
    found = propose(f, (jnp.array([1.0, 3.0, 2.0]),), {}, (), (), seconds=30)
    want = jax.grad(lambda x: f(x) @ weights)(tied)
    with applied(found, namespace):
        assert jnp.array_equal(jax.grad(lambda x: namespace["f"](x) @ weights)(tied), want)


@pytest.mark.parametrize(
    ("source", "given", "left_out"),
    [
        (  # the deviation is computed only where no scale is given
            "def f(x, scale=None):\n    s = x.std() if scale is None else scale\n    if s < 1e-6:\n"
            "        return x - x.mean()\n    return (x - x.mean()) / s\n",
            (jnp.array([1.0, 2.0, 3.0]), 2.0),
            (jnp.array([2.0, 2.0, 2.0]),),
        ),
        (
            "def f(x, t, w=None):\n    r = jnp.sqrt(jnp.sum(x**2)) if w is None else jnp.sum(w * x)\n    if r > t:\n"
            "        return x * t / r\n    return x\n",
            (jnp.array([1.0, 2.0, 3.0]), 1.0, jnp.array([1.0, 2.0, 3.0])),
            (jnp.zeros(3), 1.0),
        ),
    ],
)
def test_a_gradient_is_compared_with_each_optional_argument_left_out(source, given, left_out):
    namespace = define(source)
    found = propose(namespace["f"], given, {}, (), (), seconds=30)
    want = jax.grad(lambda x: namespace["f"](x, *left_out[1:]).sum())(left_out[0])
    with applied(found, namespace):
        got = jax.grad(lambda x: namespace["f"](x, *left_out[1:]).sum())(left_out[0])
    assert np.allclose(got, want)


def test_a_gradient_that_is_lost_with_an_optional_argument_left_out_is_told():
    source = (
        "def f(x, t, w=None):\n    if w is None:\n        w = jnp.sqrt(jnp.sum(x**2))\n"
        "    ok = w > t\n    return jnp.sum(x) / w if ok else jnp.sum(x)\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (jnp.array([1.0, 2.0, 3.0]), 1.0, 2.0), {}, (), (), seconds=30)
    with applied(found, namespace):
        got = jax.grad(lambda x: namespace["f"](x, 1.0))(jnp.zeros(3))
    told = " ".join(found.rewrites[0].compared.differences)
    assert bool(jnp.isfinite(got).all()) or "with w left out its gradient is not finite" in told


@pytest.mark.parametrize("static", [(), ("ddof",)])
def test_a_gradient_is_compared_with_another_number_that_is_left_out(static):
    """One element through the mask, and a degree of freedom less: nothing is divided by nothing beside the test."""
    source = (
        "def f(x, m, ddof=0):\n    v = x[m]\n    if v.size <= ddof:\n        return 0.0\n"
        "    return jnp.sqrt(jnp.sum((v - v.mean()) ** 2) / (v.size - ddof)) + v.sum()\n"
    )
    namespace = define(source)
    x, lone = jnp.array([1.0, -2.0, 3.0]), jnp.array([True, False, False])
    found = propose(namespace["f"], (x, x > 0), {}, (), static, seconds=30)
    with applied(found, namespace):
        got = jax.grad(namespace["f"])(x, lone, 1)
    told = " ".join(found.rewrites[0].compared.differences)
    assert bool(jnp.isfinite(got).all()) or "its gradient is not finite where a mask lets one element through" in told


def test_a_gradient_at_the_edge_of_a_test_counts_more_than_an_array_for_a_number_that_is_left_out():
    """`where` serves an array of them and loses the gradient at 0, for which the test is written; `cond` takes a number."""
    source = (
        "def f(t, tau=None):\n    z = t if tau is None else t / tau\n    if t == 0:\n        load = 1.0\n    else:\n"
        "        load = (1 - jnp.exp(-z)) / z\n    return load - jnp.exp(-z)\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (2.0,), {"tau": None}, (), (), seconds=30)
    again = propose(namespace["f"], (2.0,), {}, (), (), seconds=30)
    for each in (found, again):
        want = [jax.grad(namespace["f"])(0.0, *tau) for tau in ((), (3.0,))]
        with applied(each, namespace):
            got = [jax.grad(namespace["f"])(0.0, *tau) for tau in ((), (3.0,))]
        assert jnp.allclose(jnp.array(got), jnp.array(want))


def test_one_way_in_which_gradients_differ_on_other_calls_is_said_once():
    """A root of a negative number is left out, and its gradient is NaN, whichever limits are given."""
    source = (
        "def f(y, tol, f_max=5.0, f_min=0.2):\n    err = jnp.linalg.norm(y)\n"
        "    return y * (min(f_max, max(f_min, 0.9 * (tol / err) ** 0.5)) if err > 0 else f_max)\n"
    )
    found = propose(define(source)["f"], (jnp.array([0.25, 3.0]), 1e-3), {})
    told = " ".join(found.rewrites[0].compared.differences)
    assert "where f_max is given and where f_min is given (and 1 more) its gradient is not finite on some input" in told
    assert told.count("f_max") == told.count("f_min") == 1


def test_what_is_left_out_because_it_is_infinitely_small_is_said_to_spoil_the_gradient():
    """An infinity that a limit lets pass gives plain Python no finite value; one below it is left out of plain Python's."""

    def plain(x):
        x = x * jnp.arange(x.size)
        return (x[x > 0] ** 2).sum()

    def rewrite(x):
        x = x * jnp.arange(x.size)
        return (x * x).sum(where=x > 0)

    assert compared(plain, rewrite, [1.0, 0.5, -2.0, 3.0]) == BESIDE_NAN


def test_a_loop_on_complex_numbers_says_that_real_ones_have_no_reverse_mode():
    source = """
def f(c, limit=2.0):
    z, n = c, 0
    while abs(z) <= limit and n < 20:
        z = z * z + c
        n += 1
    return abs(z), n
"""
    found = propose(define(source)["f"], (jnp.array(0.3 + 0.6j),), {}, seconds=20.0)
    whole = [each for each in found.rewrites if "while_loop" in each.source]
    assert whole and all(any("not reverse-differentiable" in said for said in each.compared.differences) for each in whole)


def test_the_first_value_alone_is_computed_where_others_have_no_derivative():
    """`next()` of a generator: 0 / 0 at a place that is not chosen would make its gradient NaN."""
    source = """
def f(d, t):
    def crossing(k):
        return t[k - 1] + (t[k] - t[k - 1]) * d[k - 1] / (d[k - 1] - d[k])
    steps = range(1, len(t))
    return next((crossing(k) for k in steps if d[k - 1] <= 0 and d[k] > 0), -1.0)
"""
    d, t = jnp.array([-1.0, -1.0, -0.5, 2.0, 2.0, -1.0, 3.0]), jnp.arange(7.0)
    check_with_gradients(source, (d, t), (jnp.abs(d), t), (-jnp.ones(7), t))


def test_a_gradient_that_is_lost_beside_nan_of_the_calls_own_is_said_where_there_is_no_other_answer():
    """A step that leaves out a batch whose loss is not finite; the gradient goes through that of each batch."""
    source = """
def loss(w, x):
    return jnp.mean((jnp.tanh(x @ w) - 0.5) ** 2)

def f(w, batches):
    total, good = jnp.zeros_like(w), 0
    for i in range(len(batches)):
        value, gradient = jax.value_and_grad(loss)(w, batches[i])
        if not jnp.isfinite(value):
            continue
        total = total + gradient
        good += 1
    return w - 0.1 * total / jnp.maximum(good, 1)
"""
    batches = jnp.linspace(-1.0, 1.0, 24).reshape(3, 4, 2).at[1, 2, 0].set(jnp.nan)
    proposals = check(source, (jnp.array([0.5, -1.0]), batches), (jnp.array([0.5, 2.0]), batches[:1]))
    assert any(
        "not finite on the call's own input, where plain Python's is: some of the call's data is not" in each
        for each in proposals.rewrites[0].compared.differences
    )


def test_a_range_that_is_made_before_its_bound_changes_is_not_made_again():
    source = """
def f(d, t):
    first = 1
    steps = range(first, len(t))
    first = first + 2
    return next((t[k] / d[k] for k in steps if d[k] > first), -1.0)
"""
    d, t = jnp.array([0.0, 4.0, -0.5, 5.0, 2.0]), jnp.arange(5.0) + 1.0
    check(source, (d, t), (d[::-1] + 1.0, t))
    assert "cond" not in offered(source, d, t)


def test_a_tie_at_the_top_beside_other_numbers():
    # where all numbers are equal, plain Python has no gradient here either: what is there twice has to be the largest
    source = (
        "def f(x, low):\n    scale = x.std() + 1.0\n\n    def one(v):\n        if v > low:\n            return v / scale\n"
        "        return v - scale\n    return max(one(v) for v in x)\n"
    )
    x = jnp.array([-2.0, -1.25, 0.1, 0.0, 0.25, 3.0])
    check_with_gradients(source, (x, 2.5), (jnp.array([-2.0, 3.0, 3.0, 0.25, -1.25, -0.3]), 0.0), seconds=20.0)
