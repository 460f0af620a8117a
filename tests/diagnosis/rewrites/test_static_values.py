"""A rewrite beside a static argument serves its other values too, or is not called verified."""

from __future__ import annotations

import dataclasses
import re

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.proof.plain import Plain
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import applied, check, define

X = jnp.array([0.5, 2.0, -1.0])


def test_sites_behind_another_name_are_cured_as_well():
    namespace = define(
        "def f(x, how):\n"
        "    if how == 'max':\n"
        "        return x.max() if x.sum() > 1 else x.min()\n"
        "    if x[0] > 0:\n"
        "        return x.sum()\n"
        "    return x.mean()\n"
    )
    f = namespace["f"]
    diagnosis = diagnose(f, X, "sum")
    assert diagnosis.kind == "static+rewrite" and diagnosis.static_argnames == ("how",)
    with applied(propose(f, (X, "sum"), {}, (), ("how",)), namespace):
        fixed = jax.jit(namespace["f"], static_argnames="how")
        for x in (X, -X, X * 0.1):
            for how in ("sum", "max"):
                assert jnp.allclose(fixed(x, how), f(x, how))


def test_sites_behind_another_flag_and_count_are_cured_as_well():
    namespace = define(
        "def f(x, n, train):\n"
        "    w = jnp.zeros(n + 1)\n"
        "    if x[0] > 0:\n"
        "        w = w + 1\n"
        "    if n == 0 or not train:\n"
        "        return w.sum() if x[1] > 0 else x.sum()\n"
        "    return w.sum() * x[0]\n"
    )
    f = namespace["f"]
    with applied(propose(f, (X, 3, True), {}, (), ("n", "train")), namespace):
        fixed = jax.jit(namespace["f"], static_argnames=("n", "train"))
        for x in (X, -X):
            for n, train in ((3, True), (0, True), (3, False), (1, False)):
                assert jnp.allclose(fixed(x, n, train), f(x, n, train))


def test_sites_behind_a_setting_in_an_object_are_cured_as_well():
    """A flag and a name that a static object of the user's holds are switched in copies of it; the object itself stays."""
    namespace = define(
        "class Config:\n"
        "    def __init__(self, square, how):\n"
        "        self.square, self.how = square, how\n\n"
        "def f(x, config):\n"
        "    if config.how == 'max':\n"
        "        return x.max() if x.sum() > 1 else x.min()\n"
        "    if config.square:\n"
        "        return (x**2).sum() if x[0] > 0 else x.sum()\n"
        "    return x.mean() if x[1] > 0 else x[1]\n"
    )
    f, Config = namespace["f"], namespace["Config"]
    config = Config(False, "mean")
    diagnosis = diagnose(f, X, config)
    assert (diagnosis.kind, diagnosis.static_argnames, diagnosis.verified) == ("static+rewrite", ("config",), True)
    assert vars(config) == {"square": False, "how": "mean"}
    exec(diagnosis.rewrites[0].source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames="config")
    for x in (X, -X, X * 0.1):
        for other in (config, Config(True, "mean"), Config(False, "max")):
            assert jnp.allclose(fixed(x, other), f(x, other))


def test_what_has_no_rewrite_for_another_value_is_not_called_verified():
    namespace = define(
        "def f(x, keep):\n    if x[0] > 0:\n        x = x * 2\n    if not keep:\n        return x[x > 0]\n    return x\n"
    )
    proposals = propose(namespace["f"], (X, True), {}, (), ("keep",))
    assert not proposals.rewrites
    assert "another static value" in proposals.unverified[0].reason


def test_numbers_that_the_code_compares_with_are_tried():
    namespace = define(
        "def f(c, gamma):\n    if gamma == 1:\n        return jnp.log(c)\n    return c ** (1 - gamma) / (1 - gamma)\n"
    )
    rewrite = propose(namespace["f"], (jnp.array(2.0), jnp.array(2.0)), {}).rewrites[0]
    assert "both branches" in rewrite.compared.branches
    assert rewrite.compared.not_reached == ()


def test_an_option_that_the_call_leaves_out_may_be_given_beside_the_rewrite():
    """A flag and a name of which Python needs the value are static in the fix, and what stands behind them is cured."""
    namespace = define(
        "def f(x, doubled=False, how='sum', sign=True):\n"
        "    if x.sum() > 0:\n"
        "        x = x * 2\n"
        "    if doubled:\n"
        "        x = x + 1 if x[0] > 1 else x - 1\n"
        "    if how == 'mean':\n"
        "        return x.mean() * sign\n"
        "    return x.sum() * sign\n"
    )
    f = namespace["f"]
    diagnosis = diagnose(f, X)
    rewrite = diagnosis.rewrites[0]
    assert diagnosis.kind == "rewrite" and diagnosis.static_argnames == ()
    assert set(rewrite.static_argnames) == {"doubled", "how"}
    assert "doubled and how are left out here" in diagnosis.reason
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for x in (X, -X):
        for options in ({}, {"doubled": True}, {"how": "mean"}, {"doubled": True, "how": "mean", "sign": False}):
            assert jnp.allclose(fixed(x, **options), f(x, **options))


def test_an_option_that_is_left_out_may_make_floats_of_whole_numbers_by_its_data_as_the_call_does():
    """Integers or floats, as the data decides, with every option: the rewrite gives floats, and says so."""
    namespace = define(
        "def f(w, limit, order=2):\n"
        "    if order == 2:\n"
        "        acc = (w ** 2).sum()\n"
        "    else:\n"
        "        acc = w[w < limit].sum()\n"
        "    if acc > limit:\n"
        "        acc = acc / 2\n"
        "    return acc\n"
    )
    f = namespace["f"]
    rewrite = diagnose(f, jnp.array([-1, -1, 1, 3, -2, -2]), 5.0).rewrites[0]
    assert rewrite.static_argnames == ("order",)
    assert any("always floats" in words for words in rewrite.compared.differences)
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames="order")
    for w in (jnp.array([-1, -1, 1, 3, -2, -2]), jnp.array([9, 3, 4])):
        for order in (2, 3):
            assert fixed(w, 5.0, order=order) == f(w, 5.0, order=order)


@pytest.mark.parametrize(("default", "second", "third"), [(1, 2, 3), ("'sum'", "'energy'", "'below'")])
def test_an_option_that_the_call_leaves_out_may_be_given_as_none_of_those_that_the_code_names(default, second, third):
    """What stands in the `else` is cured as well."""
    namespace = define(
        f"def f(x, t, order={default}):\n    if order == {default}:\n        acc = jnp.abs(x).sum()\n"
        f"    elif order == {second}:\n        acc = (x ** 2).sum()\n    else:\n        acc = x[x < t].sum()\n"
        "    if acc > t:\n        acc = acc / 2\n    return acc\n"
    )
    f = namespace["f"]
    rewrite = diagnose(f, X, 0.5).rewrites[0]
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for order in (default, second, third):
        given = order.strip("'") if isinstance(order, str) else order
        assert jnp.allclose(fixed(X, 0.5, order=given), f(X, 0.5, order=given))


def test_a_size_that_the_call_leaves_out_may_be_given_beside_the_rewrite():
    """A number of groups makes a list, a number of rounds bounds a loop that data ends."""
    namespace = define(
        "def f(x, groups=3, rounds=20):\n"
        "    parts = []\n"
        "    for g in range(groups):\n"
        "        part = x[g * len(x) // groups : (g + 1) * len(x) // groups]\n"
        "        parts.append(part.sum() / x.sum() if x.sum() > 0 else 0.0)\n"
        "    y = x.sum()\n"
        "    for _ in range(rounds):\n"
        "        if y < 1:\n"
        "            break\n"
        "        y = y / 2\n"
        "    return jnp.array(parts), y\n"
    )
    f = namespace["f"]
    rewrite = diagnose(f, X).rewrites[0]
    assert "groups" in rewrite.static_argnames
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for x in (X, -X):
        for options in ({}, {"groups": 1}, {"groups": 2, "rounds": 1}):
            assert all(jnp.allclose(a, b) for a, b in zip(fixed(x, **options), f(x, **options), strict=True))


def test_a_float_that_the_call_leaves_out_is_static_where_it_decides_a_size():
    """`int(jnp.ceil(horizon / step))`: the step too, once a caller gives it; one that is only compared with stays data."""
    namespace = define(
        "def f(x, horizon, step=0.25, tol=0.5):\n"
        "    n = int(jnp.ceil(horizon / step))\n"
        "    if x > tol:\n"
        "        x = x / 2\n"
        "    return x * jnp.linspace(0, 1, n)\n"
    )
    f = namespace["f"]
    rewrite = diagnose(f, jnp.array(0.7), 2.0).rewrites[0]
    assert set(rewrite.static_argnames) == {"horizon", "step"}
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for options in ({}, {"step": 0.5}, {"tol": 0.9}):
        assert jnp.allclose(fixed(0.7, 2.0, **options), f(0.7, 2.0, **options))


def test_an_integer_that_the_call_leaves_out_is_data_where_the_rewrite_takes_it_so():
    """`x.sum() > most` asks for the value of both; what cures that needs neither."""
    f = define("def f(x, most=2, axis=0):\n    if x.sum(axis=axis) > most:\n        return x - most\n    return x\n")["f"]
    answer = diagnose(f, X)
    assert answer.rewrites[0].static_argnames == ("axis",)
    assert "axis is left out here" in answer.reason and "most is" not in answer.reason
    assert not any("most is given" in each for each in answer.rewrites[0].compared.differences)


def test_an_integer_that_the_call_leaves_out_is_static_where_the_rewrite_needs_it():
    """Either it is static or the rewrite serves it as data: an answer does not fail where it is given."""
    source = "def f(x, k=2):\n    n = int((x > 0).sum()) + k\n    return jnp.zeros(5).at[:n].set(1.0).sum()\n"
    rewrite = diagnose(define(source)["f"], X).rewrites[0]
    assert rewrite.static_argnames == ("k",) or not any("k is given" in each for each in rewrite.compared.differences)


def test_floats_that_the_call_leaves_out_are_static_where_they_decide_a_loop_of_python():
    """The helper's list has as many items as `horizon / dt`: a rewrite that failed where either is given was all there was."""
    namespace = define("""
def path(x, dt, horizon):
    t, points = 0.0, [x]
    while t <= horizon:
        points.append(points[-1] + dt)
        t += dt
    return jnp.stack(points)

def f(x, dt=0.5, horizon=1.0, most=3.0):
    last = path(x, dt, horizon)[-1]
    if last > most:
        last = last * 0.5
    return last
""")
    f = namespace["f"]
    answer = diagnose(f, jnp.array(2.0))
    assert "dt and horizon are left out here" in answer.reason
    rewrite = answer.rewrites[0]
    assert set(rewrite.static_argnames) == {"dt", "horizon"} and not any(
        "given" in each for each in rewrite.compared.not_reached
    )
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for options in ({}, {"horizon": 2.0}, {"dt": 0.25, "most": 2.5}):
        assert jnp.allclose(fixed(2.0, **options), f(2.0, **options))


def test_a_word_that_the_code_does_not_name_stands_for_its_else():
    namespace = define(
        "def payoff(s, k, kind='put'):\n"
        "    low = max(0, k - s) if kind == 'put' else max(0, s - k)\n"
        "    return max(low, k - s) if kind == 'put' else max(low, s - k)\n"
    )
    payoff = namespace["payoff"]
    with applied(propose(payoff, (95.0, 100.0, "put"), {}, (), ("kind",)), namespace):
        fixed = jax.jit(namespace["payoff"], static_argnames="kind")
        for kind in ("put", "call"):
            for s in (90.0, 100.0, 110.0, jnp.nan):
                assert jnp.allclose(fixed(s, 100.0, kind), payoff(s, 100.0, kind), equal_nan=True)


def test_an_option_that_is_none_or_a_word_is_static_where_it_is_given():
    """A word is no argument of a compiled function, and the call leaves it out."""
    source = """
def f(x, ord=None):
    if ord == "inf":
        return jnp.max(jnp.abs(x))
    n = jnp.sum(x**2)
    if n > 1:
        return n
    return n * n
"""
    namespace = define(source)
    answer = diagnose(namespace["f"], jnp.array([1.0, -3.0]))
    assert "ord is left out here" in answer.reason
    rewrite = answer.rewrites[0]
    assert rewrite.static_argnames == ("ord",)
    exec(rewrite.source, namespace)
    assert jax.jit(namespace["f"], static_argnames="ord")(jnp.array([1.0, -3.0]), ord="inf") == 3.0


def test_names_that_a_table_of_the_module_holds_are_other_values():
    """`kind, power = WAYS[how]`: what the names beside the call's decide is cured as well."""
    namespace = define(
        "WAYS = {'mean': (0, 1), 'largest': (1, 1), 'squares': (0, 2)}\n\n"
        "def f(x, how):\n"
        "    kind, power = WAYS[how.lower()]\n"
        "    if kind:\n"
        "        return math.sqrt(x.max() ** 2)\n"
        "    return math.atan2((x**power).mean(), 2.0)\n"
    )
    f = namespace["f"]
    diagnosis = diagnose(f, X, "mean")
    assert diagnosis.kind == "static+rewrite" and diagnosis.verified
    with applied(propose(f, (X, "mean"), {}, (), ("how",)), namespace):
        for how in ("mean", "largest", "squares"):
            assert jnp.allclose(jax.jit(namespace["f"], static_argnames="how")(X, how), f(X, how))


def test_what_another_name_needs_where_an_option_is_left_out_is_cured_as_well():
    """The call gives the option and is of a name that needs none: its helper was left as it was, and failed once called."""
    namespace = define(
        "def estimate(v):\n"
        "    return math.log(v) - 0.7\n\n\n"
        "def f(x, y, rate=None, how='plain'):\n"
        "    if how == 'plain':\n"
        "        return x * y\n"
        "    if how == 'rated':\n"
        "        if x < 2.0:\n"
        "            return 2.0 * y\n"
        "        if rate is None:\n"
        "            rate = estimate(x)\n"
        "        return rate * y\n"
    )
    f = namespace["f"]
    proposals = propose(f, (3.0, 0.5, 0.2, "plain"), {}, (), ("how",))
    with applied(proposals, namespace):
        fixed = jax.jit(namespace["f"], static_argnames="how")
        for x in (1.0, 3.0, 5.0):
            assert jnp.allclose(fixed(x, 0.5, how="rated"), f(x, 0.5, how="rated"))
            assert jnp.allclose(fixed(x, 0.5, 0.2, "rated"), f(x, 0.5, 0.2, "rated"))


def test_what_an_option_needs_where_another_is_left_out_is_cured_as_well():
    """The call gives the barrier and leaves the kind out: a put without one is another way through the code."""
    source = (
        "def f(x, k, barrier=None, kind='call'):\n"
        "    if barrier is not None and jnp.max(x) >= barrier:\n"
        "        return 0.0\n"
        "    if kind == 'call':\n"
        "        return max(jnp.mean(x) - k, 0.0)\n"
        "    return max(k - jnp.mean(x), 0.0)\n"
    )
    namespace = define(source)
    f, x = namespace["f"], jnp.array([1.0, 2.0, 3.0])
    rewrite = diagnose(f, x, 1.0, 9.0).rewrites[0]
    assert rewrite.static_argnames == ("kind",)
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames="kind")
    for options in ({"kind": "put"}, {}, {"kind": "put", "barrier": 9.0}, {"barrier": 2.0}):
        for k in (1.0, 5.0):
            assert jnp.allclose(fixed(x, k, **options), f(x, k, **options))


def lost(r):
    if r > 0:
        return r
    return -2 * r


@dataclasses.dataclass(frozen=True)
class Prices:
    high: float = 5.0


PRICES = Prices()


def sold(x, loss=lost, prices=PRICES, kind=jnp.float32, scale=1.0):
    return sum(loss(each) * prices.high * scale for each in x).astype(kind)


@pytest.mark.parametrize("count", ["int(np.ceil((end - start) / step))", "int((end - start) / step)"])
@pytest.mark.parametrize("end", [2.0, 3])
def test_floats_of_which_numpy_makes_the_size_of_a_buffer_are_static_and_the_buffer_is_one_of_jax(count, end):
    """As integrators have it: no operation of JAX has that size, what is returned tells."""
    namespace = define(
        "import numpy as np\n"
        "def f(y0, start, step, end):\n"
        f"    n = {count}\n"
        "    y = np.zeros(n + 1)\n"
        "    y[0] = y0\n"
        "    x = start\n"
        "    for k in range(n):\n"
        "        y[k + 1] = y[k] + step * jnp.sin(x * y[k])\n"
        "        x += step\n"
        "    return y\n"
    )
    f = namespace["f"]
    found = diagnose(f, 1.0, 0.0, 0.25, end)
    assert found.kind == "static+rewrite" and found.verified
    assert set(found.static_argnames) == {"start", "step", "end"}
    for text in found.rewrites[0].sources.values():
        exec(text, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=found.static_argnames)
    for given in ((1.0, 0.0, 0.25, end), (0.5, 1.0, 0.5, end), (0.5, 0.0, 0.125, 1.5)):
        assert jnp.allclose(fixed(*given), f(*given), atol=1e-5)


def test_functions_and_settings_that_are_left_out_are_static_beside_the_rewrite():
    """Where a caller gives them jit takes them so alone."""
    answer = diagnose(sold, jnp.array([1.0, -2.0]))
    assert answer.rewrites and answer.kind == "rewrite"
    assert set(answer.rewrites[0].static_argnames) == {"loss", "prices", "kind"}
    assert "kind, loss and prices are left out here" in answer.reason


def test_a_flag_that_the_call_does_not_reach_is_static_too():
    """Behind a test of data that is False here, and compared with True: given as data, it would fail, or be no True."""
    namespace = define(
        "def f(x, rate=0.1, *, compound=True, up=True):\n"
        "    gain = x * rate\n"
        "    if gain > 1 and compound:\n"
        "        x = x + gain\n"
        "    return x if up is True else -x\n"
    )
    f = namespace["f"]
    diagnosis = diagnose(f, X[0])
    rewrite = diagnosis.rewrites[0]
    assert set(rewrite.static_argnames) == {"compound", "up"}
    exec(rewrite.source, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=rewrite.static_argnames)
    for x in (X[0], X[0] * 40):
        for options in ({"compound": True}, {"compound": False}, {"up": True}, {"up": False}):
            assert jnp.allclose(fixed(x, **options), f(x, **options))


def test_a_static_bound_that_is_negative_is_said_where_the_rewrite_counts_from_the_front():
    source = "def f(x, t, k):\n    return x[jnp.nonzero(x > t)[0][:k]].sum()\n"
    namespace = define(source)
    f, x = namespace["f"], jnp.array([1.0, -2.0, 3.0, 0.5, 2.5])
    diagnosis = diagnose(f, x, 0.0, 2)
    assert diagnosis.verified and "where k is negative" in str(diagnosis)
    backwards = define("def f(x, t, k):\n    return x[x > t][-k:].sum()\n")["f"]
    assert "negative" not in str(diagnose(backwards, x, 0.0, 2))  # it gives plain Python's result there, too


def test_a_flag_for_which_there_is_no_time_is_traced_at_least(monkeypatch):
    """A report each tenth round, from a flag that is off: what counts the rounds is traced once the loop is lax's."""
    source = (
        "def f(w, tol=1e-3, max_iter=12, verbose=False):\n    for it in range(max_iter):\n        new = w - 0.1 * jnp.sin(w)\n"
        "        if verbose and it % 10 == 0:\n            print(f'round {it}: {new}')\n"
        "        if jnp.max(jnp.abs(new - w)) < tol:\n            break\n        w = new\n    return w\n"
    )
    monkeypatch.setattr(Plain, "uncompiled", only_the_calls_own(Plain.uncompiled))
    namespace = define(source)
    w = jnp.array([0.5, 1.0])
    with applied(propose(namespace["f"], (w,), {}, (), ("verbose",)), namespace):
        fixed = jax.jit(namespace["f"], static_argnames="verbose")
        assert jnp.allclose(fixed(w, verbose=True), fixed(w))


def only_the_calls_own(run):
    """`Plain.uncompiled` that has time for the call's own input alone."""

    def uncompiled(plain, given, seconds):
        return run(plain, given, seconds if given.kind == "call" else -1.0)

    return uncompiled


@pytest.mark.parametrize("given", [(), ("normal",)])
def test_another_static_value_may_need_what_is_none(given):
    """The degrees of freedom of one distribution of two (with 6 the largest is 1 but for rounding)."""
    source = (
        "import math\ndef f(r, dist='normal', nu=None):\n    z = (r - r.mean()) / r.std()\n    if dist == 't':\n"
        "        z = z * math.sqrt((nu - 2) / nu)\n    if z.max() > 1:\n        z = z / 2\n    return (z ** 2).sum()\n"
    )
    namespace = define(source)
    wanted = namespace["f"](X, "t", 8.0)
    found = diagnose(namespace["f"], X, *given)
    with applied(found, namespace):
        assert jnp.allclose(jax.jit(namespace["f"], static_argnames="dist")(X, "t", 8.0), wanted)


def test_a_count_of_no_rounds_is_served():
    """Plain Python draws nothing and gives 0; the compiled loop's body is traced all the same, and took a key of none."""
    source = (
        "def f(key, x, n):\n    hits = 0\n    for k in jax.random.split(key, n):\n"
        "        if jax.random.uniform(k) < x:\n            hits += 1\n    return hits / (n + 1)\n"
    )
    namespace = define(source)
    answer = diagnose(namespace["f"], jax.random.key(0), jnp.array(0.5), 40)
    assert answer.static_argnames == ("n",) and answer.rewrites
    assert not any("where n is 0" in each for each in answer.rewrites[0].compared.differences)
    plain = namespace["f"]
    exec(compile(answer.rewrites[0].source, "<rewrite>", "exec"), namespace)
    for n in (0, 1, 40):
        given = jax.random.key(1), jnp.array(0.5), n
        assert jax.jit(namespace["f"], static_argnums=2)(*given) == plain(*given)


def test_words_that_begin_and_end_as_the_code_asks_are_tried():
    """Only `kind="down…"` comes to the second test, which was left for Python to decide: the call with it raised, unsaid."""
    source = (
        "def f(path, barrier, kind='up-and-out'):\n    knocked = False\n    for s in path:\n"
        "        if kind.startswith('up') and s >= barrier:\n            knocked = True\n            break\n"
        "        if kind.startswith('down') and s <= barrier:\n            knocked = True\n            break\n"
        "    alive = not knocked if kind.endswith('out') else knocked\n    if not alive:\n        return 0.0\n"
        "    return path[-1]\n"
    )
    namespace = define(source)
    calls = [(X, 2.0, kind) for kind in ("up-and-out", "up-and-in", "down-and-out", "down-and-in")]
    wanted = [namespace["f"](*call) for call in calls]
    with applied(diagnose(namespace["f"], X, 2.0), namespace):
        fixed = jax.jit(namespace["f"], static_argnames="kind")
        assert all(jnp.allclose(fixed(*call), want) for call, want in zip(calls, wanted, strict=True))


def test_a_value_with_which_the_rewrite_makes_what_cannot_be_returned_is_named():
    """Plain Python returns a string there, compiled code cannot: no site of the code's own stops the trace."""
    diagnosis = diagnose(
        define(
            "def f(x, t, mode):\n"
            "    if x.sum() > t:\n"
            "        x = x / x.sum()\n"
            "    if mode == 'clip':\n"
            "        return jnp.clip(x, 0.0, 1.0)\n"
            "    if mode == 'list':\n"
            "        return [a + 1 for a in x]\n"
            "    return str(float(x.sum()))\n"
        )["f"],
        X,
        0.5,
        "clip",
    )
    told = " ".join(diagnosis.rewrites[0].compared.differences)
    assert "fails where mode is 'other'" in told and "'list'" not in told


@pytest.mark.parametrize("given", [(), (jnp.mean,)], ids=["left out", "given"])
def test_another_function_may_not_take_what_the_rewrite_gives_it(given):
    """`where=` is no option of the median's, nor alone of the maximum's: it is said, and of the mean's it holds."""
    source = "def f(x, agg=jnp.mean):\n    return agg(x[x > 1])\n"
    x = jnp.array([1.0, 2.0, 0.0, 3.0])
    found = propose(define(source)["f"], (x, *given), {}, (), ("agg",), seconds=5.0)
    said = " ".join(found.rewrites[0].compared.differences)
    assert re.search(r"fails .*agg(=| is )jnp\.max", said) and "<function" not in said
    check(source, (x, *given), (x * 2, *given), static=("agg",))
