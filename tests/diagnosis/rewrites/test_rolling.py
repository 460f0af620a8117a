"""A loop of many rounds around a place that cannot be traced becomes one compiled loop."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis.rewrites import engine, propose, rolling, stepped

from .helpers import applied, check, define

N = 130
X = jax.random.normal(jax.random.PRNGKey(0), (N,))
ROWS = jax.random.normal(jax.random.PRNGKey(1), (N, 3))
GAPS = jnp.where(jnp.arange(N) % 7 == 0, jnp.nan, X)


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        pytest.param(
            "def f(x):\n    c = 0\n    for i in range(1, len(x)):\n        if x[i] * x[i - 1] < 0:\n            c += 1\n"
            "    return c\n",
            [(X,), (-jnp.abs(X),)],
            id="range",
        ),
        pytest.param(
            "def f(w, X, y, delta=1.0):\n    total = 0.0\n    for xi, yi in zip(X, y):\n        r = yi - jnp.dot(w, xi)\n"
            "        if jnp.abs(r) <= delta:\n            total += 0.5 * r**2\n        else:\n"
            "            total += delta * (jnp.abs(r) - 0.5 * delta)\n    return total / len(y)\n",
            [(jnp.ones(3), ROWS, X), (jnp.zeros(3), ROWS[:50], X[:50])],
            id="zip",
        ),
        pytest.param(
            "def f(x):\n    best, at = -1.0, 0\n    for i, v in enumerate(x):\n        if v * 2 > best + 1:\n"
            "            best, at = v * 2, i\n    return best, at\n",
            [(X,), (jnp.zeros(N),)],
            id="enumerate",
        ),
        pytest.param(
            "def f(x, alpha=0.1):\n    out = [x[0]]\n    for v in x[1:]:\n"
            "        if jnp.isnan(v):\n            out.append(out[-1])\n"
            "        else:\n            out.append(alpha * v + (1 - alpha) * out[-1])\n    return jnp.stack(out)\n",
            [(X,), (GAPS.at[0].set(0.0),)],
            id="list",
        ),
        pytest.param(
            "def f(x):\n    out = np.zeros(len(x))\n    acc = 0.0\n    for i in range(len(x)):\n        if x[i] > 0:\n"
            "            acc += x[i]\n        else:\n            acc *= 0.5\n        out[i] = acc\n    return out\n",
            [(X,), (-X,)],
            id="numpy",
        ),
        pytest.param(
            "def f(x):\n    n, mean = 0, 0.0\n    for v in x:\n        if jnp.isnan(v):\n            continue\n        n += 1\n"
            "        mean += (v - mean) / n\n    return mean\n",
            [(GAPS,), (X,)],
            id="continue",
        ),
        pytest.param(
            "def f(x):\n    y = jnp.zeros_like(x)\n    for i in range(x.shape[0]):\n        for j in range(x.shape[1]):\n"
            "            if x[i, j] > 0:\n                y = y.at[i, j].set(x[i, j])\n            else:\n"
            "                y = y.at[i, j].set(0.1 * x[i, j])\n    return y\n",
            [(ROWS[:60],), (-ROWS[:40],)],
            id="nested",
        ),
        pytest.param(
            "def f(x, m, gamma=0.99):\n    R, out = 0.0, []\n    for r, alive in reversed(list(zip(x, m))):\n"
            "        R = r + gamma * R if alive else r\n        out.insert(0, R)\n    return jnp.stack(out)\n",
            [(X, X > -1), (X, X > 1)],
            id="inserted in front",
        ),
        pytest.param(
            "def f(x, m):\n    R = 0.0\n    out = []\n    for r, end in zip(reversed(x), reversed(m)):\n        if end:\n"
            "            R = 0.0\n        R = r + 0.5 * R\n        out.insert(0, R)\n    return out[0], out[-1], sum(out)\n",
            [(X, X > 1), (X, X > -1)],
            id="read at its ends",
        ),
        pytest.param(
            "def f(x, m):\n    a = 0.0\n    out = []\n    for t in reversed(range(len(x))):\n"
            "        nxt = x[t + 1] if t + 1 < len(x) else 0.0\n        delta = x[t]\n        if not m[t]:\n"
            "            delta += 0.9 * nxt\n        a = delta if m[t] else delta + 0.8 * a\n        out.insert(0, a)\n"
            "    return out\n",
            [(X, X > 1), (X, X > -1)],
            id="reversed range",
        ),
        pytest.param(
            "def f(p, steps):\n    path = [jnp.argmax(p)]\n    for row in reversed(steps):\n"
            "        path.insert(0, int(row[path[0]]))\n    return jnp.array(path)\n",
            [(ROWS[0], jnp.argsort(ROWS, axis=1)), (-ROWS[0], jnp.argsort(-ROWS, axis=1))],
            id="read while it grows",
        ),
    ],
)
def test_a_loop_of_many_rounds_is_compiled_once(source, calls):
    found = check(source, *calls, seconds=30.0)
    assert "fori_loop" in found.rewrites[0].patterns


def test_a_sampler_s_steps_are_one_compiled_loop():
    """Thirty draws of random numbers, each compiled for itself, take XLA half a minute."""
    source = (
        "def logp(x):\n    return -0.5 * jnp.sum(x**2)\n\n\n"
        "def f(key, x, n, step=0.5):\n    accepted = 0\n    chain = []\n    for i in range(n):\n"
        "        key, a, b = jax.random.split(key, 3)\n        new = x + step * jax.random.normal(a, x.shape)\n"
        "        if jnp.log(jax.random.uniform(b)) < logp(new) - logp(x):\n            x = new\n            accepted += 1\n"
        "        chain.append(x)\n    return jnp.stack(chain), accepted / n\n"
    )
    namespace = define(source)
    call = (jax.random.PRNGKey(3), jnp.zeros(2), 20)
    found = propose(namespace["f"], call, {}, static=("n",), seconds=30.0)
    assert "fori_loop" in found.rewrites[0].patterns
    chain, accepted = namespace["f"](*call)
    with applied(found, namespace):
        got, rate = jax.jit(namespace["f"], static_argnames="n")(*call)
    np.testing.assert_allclose(got, chain, rtol=1e-5)
    np.testing.assert_allclose(rate, accepted, rtol=1e-6)


def test_burn_in_and_thinning_are_counted_and_a_new_style_key_is_carried_and_given_back():
    source = (
        "def f(key, n, x, burn=10, thin=2):\n    xs = []\n    y = x\n    for i in range(n):\n"
        "        key, k1, k2 = jax.random.split(key, 3)\n        x = 0.5 * y + jax.random.normal(k1)\n"
        "        y = 0.5 * x + jax.random.normal(k2)\n"
        "        if i >= burn and (i - burn) % thin == 0:\n            xs.append(jnp.array([x, y]))\n"
        "    return jnp.array(xs), key\n"
    )
    namespace = define(source)
    call = (jax.random.key(1), 25, 0.0)
    found = propose(namespace["f"], call, {}, static=("n", "burn", "thin"), seconds=30.0, rolls=True)
    assert "fori_loop" in found.rewrites[0].patterns and "padded" not in found.rewrites[0].patterns
    chain, key = namespace["f"](*call)
    with applied(found, namespace):
        got, other = jax.jit(namespace["f"], static_argnames=("n", "burn", "thin"))(*call)
    np.testing.assert_allclose(got, chain, rtol=1e-5)
    assert jax.random.key_data(key).tolist() == jax.random.key_data(other).tolist()


def test_a_random_walk_that_data_ends_gives_back_its_new_style_key():
    source = (
        "def f(key, x):\n    n = 0\n    while x < 3.0:\n        key, sub = jax.random.split(key)\n"
        "        x = x + jax.random.uniform(sub)\n        n += 1\n    return key, x, n\n"
    )
    namespace = define(source)
    call = (jax.random.key(0), jnp.array(0.0))
    found = propose(namespace["f"], call, {}, seconds=30.0)
    assert "while_loop" in found.rewrites[0].patterns
    key, *numbers = namespace["f"](*call)
    with applied(found, namespace):
        other, *got = jax.jit(namespace["f"])(*call)
    np.testing.assert_allclose(got, numbers, rtol=1e-5)
    assert jax.random.key_data(key).tolist() == jax.random.key_data(other).tolist()


def test_its_gradient_is_plain_python_s():
    source = (
        "def f(w, x):\n    total = 0.0\n    for v in x:\n        if v > w:\n            total += (v - w) ** 2\n"
        "        else:\n            total += 0.1 * (w - v) * w\n    return total\n"
    )
    namespace = define(source)
    want = jax.grad(namespace["f"])(0.3, X)
    found = propose(namespace["f"], (0.3, X), {}, seconds=30.0)
    assert "fori_loop" in found.rewrites[0].patterns
    with applied(found, namespace):
        got = jax.grad(namespace["f"])(0.3, X)
    np.testing.assert_allclose(got, want, rtol=1e-4)


MANY_ROWS = jax.random.normal(jax.random.PRNGKey(2), (700, 3))


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        pytest.param(
            "def f(r, a):\n    n = len(r)\n    s = jnp.zeros(n)\n    s = s.at[0].set(jnp.var(r))\n"
            "    for t in range(1, n):\n        s = s.at[t].set(0.1 + a * r[t - 1] ** 2 + 0.8 * s[t - 1])\n    ll = 0.0\n"
            "    for t in range(n):\n        ll += -0.5 * (jnp.log(s[t]) + r[t] ** 2 / s[t])\n"
            "    if jnp.isnan(ll):\n        return -jnp.inf\n    return ll\n",
            [(MANY_ROWS[:, 0], 0.1), (MANY_ROWS[:, 1].at[3].set(jnp.nan), 0.1)],
            id="two loops, one name",
            marks=pytest.mark.slow,  # two minutes
        ),
        pytest.param(
            "def f(X, w):\n    if w[0] > 0:\n        w = w * 2\n    out = []\n    for row in X:\n"
            "        w = 0.9 * w + 0.1 * row - 0.01 * row**2\n        out.append(jnp.tanh(w))\n    return jnp.stack(out)\n",
            [(MANY_ROWS, jnp.ones(3)), (MANY_ROWS, -jnp.ones(3))],
            id="a list of what is computed",
        ),
    ],
)
def test_a_loop_that_stands_in_no_way_is_compiled_once_where_it_would_make_a_large_program(source, calls):
    """It traces, but as thousands of equations, which nobody can wait for."""
    found = check(source, *calls, seconds=20.0)
    assert "fori_loop" in found.rewrites[0].patterns and " for " not in found.rewrites[0].source


@pytest.mark.parametrize(
    ("first", "end", "placed"),
    [
        ("[]", "jnp.array(out)", "out.at[k].set("),
        ("[x]", "jnp.stack(out)", "out.at[k + 1].set("),
        ("[]", "jnp.array(out) + out[-1]", "out.at[out_length].set("),
    ],
)
def test_a_list_is_filled_by_its_loop_s_own_number_where_nobody_asks_for_its_length(first, end, placed):
    source = (
        f"def f(x, n):\n    out = {first}\n    for k in range(n):\n        if x > k:\n            x = x * 0.9\n"
        f"        else:\n            x = x + 0.1 * k\n        out.append(x)\n    return {end}\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (1.0, 60), {}, static=("n",), seconds=30.0)
    assert placed in found.rewrites[0].source
    want = namespace["f"](1.0, 60)
    with applied(found, namespace):
        np.testing.assert_allclose(jax.jit(namespace["f"], static_argnames="n")(1.0, 60), want, rtol=1e-4)


def test_the_length_of_a_full_list_is_known_behind_its_loop():
    """A Viterbi path: the second list is as long as the first one and one more."""
    source = (
        "def f(delta, A):\n    back = []\n    for t in range(1, 70):\n        s = delta[:, None] + A\n"
        "        back.append(jnp.argmax(s, axis=0))\n        delta = jnp.max(s, axis=0) - t * 0.01\n"
        "    path = [int(jnp.argmax(delta))]\n    for b in reversed(back):\n        path.append(int(b[path[-1]]))\n"
        "    return jnp.array(path[::-1])\n"
    )
    delta, A = jnp.array([0.1, 0.5]), jnp.array([[-0.3, -1.2], [-0.9, -0.5]])
    namespace = define(source)
    found = propose(namespace["f"], (delta, A), {}, seconds=30.0, rolls=True)
    assert found.rewrites[0].source.count("fori_loop") == 2 and "len(back) + 1" in found.rewrites[0].source
    want = namespace["f"](delta, A)
    with applied(found, namespace):
        np.testing.assert_array_equal(jax.jit(namespace["f"])(delta, A), want)


def test_loops_come_before_a_place_that_a_slow_trace_reaches_behind_them(monkeypatch):
    """Each step would trace their rounds again; a time of zero stands for a slow machine."""
    source = (
        "def f(x):\n    for k in range(60):\n        x = jnp.sin(x) * 0.5 + 0.1 * k\n        x = x - x**2 * 0.01\n"
        "    if x.sum() > 0:\n        return x\n    return -x\n"
    )
    assert check(source, (jnp.arange(3.0),)).rewrites[0].patterns[0] == "where"
    monkeypatch.setattr(engine, "SLOW_TRACE", 0.0)
    assert check(source, (jnp.arange(3.0),)).rewrites[0].patterns == ("fori_loop", "where")


def test_rows_of_numbers_make_an_array():
    """`out.append([s, i])`, of which an array is made."""
    found = check(
        "def f(b, s, i):\n    out = [[s, i]]\n    for d in range(60):\n        new = b * s * i\n        if new > s:\n"
        "            new = s\n        s, i = s - new, 0.9 * i + new\n        out.append([s, i])\n    return jnp.array(out)\n",
        (0.3, 0.9, 0.1),
        (3.0, 0.9, 0.5),
        seconds=30.0,
    )
    assert "out.at[d + 1].set(jnp.array([s, i]))" in found.rewrites[0].source


def test_a_short_loop_stays_python_s():
    found = check(
        "def f(x):\n    c = 0.0\n    for v in x:\n        if v > 0:\n            c += v\n    return c\n",
        (X[:5],),
        (-X[:5],),
    )
    assert "fori_loop" not in found.rewrites[0].patterns


def test_a_loop_that_cannot_be_rolled_is_unrolled(monkeypatch):
    """The layers of a model are no array."""
    monkeypatch.setattr(rolling, "MOST_UNROLLED", 20)
    source = (
        "def f(layers, x):\n    for i in range(len(layers)):\n        w, b = layers[i]\n        x = x @ w + b\n"
        "        if x.sum() > 0:\n            x = jnp.tanh(x)\n    return x\n"
    )
    sizes = [3 + k % 2 for k in range(5)]
    layers = [(jnp.ones((m, n)) * 0.1, jnp.full(n, 0.1)) for m, n in itertools.pairwise(sizes)]
    found = propose(define(source)["f"], (layers, jnp.ones(3)), {}, seconds=30.0)
    assert found.rewrites and "fori_loop" not in found.rewrites[0].patterns


AMERICAN_OPTION = """
def f(S, K, T, kind="put", n=12):
    dt = T / n
    u = math.exp(0.25 * math.sqrt(dt))
    d = 1 / u
    p = (math.exp(0.03 * dt) - d) / (u - d)

    def payoff(s):
        return max(s - K, 0.0) if kind == "call" else max(K - s, 0.0)

    v = [payoff(S * u**j * d ** (n - j)) for j in range(n + 1)]
    exercised = -1
    for i in reversed(range(n)):
        for j in range(i + 1):
            hold = p * v[j + 1] + (1 - p) * v[j]
            if payoff(S * u**j * d ** (i - j)) > hold:
                exercised = i
                hold = payoff(S * u**j * d ** (i - j))
            v[j] = hold
        v.pop()
    return v[0], exercised
"""


def test_a_loop_that_is_unrolled_at_last_serves_the_other_words_too():
    """The search that leaves the loop as it is asks for other calls itself, where the first one came to none."""
    calls = [(*numbers, kind) for kind in ("put", "call") for numbers in ((100.0, 105.0, 0.5), (50.0, 40.0, 1.0))]
    found = check(AMERICAN_OPTION, *calls, static=("kind", "n"), seconds=60.0)
    assert "fori_loop" not in found.rewrites[0].patterns


def test_a_list_that_is_filled_in_front_until_a_break():
    source = (
        "def f(x, limit=2.0):\n    out = []\n    total = 0.0\n    for i, v in reversed(list(enumerate(x))):\n"
        "        total += v * v * i\n        if total > limit:\n            break\n        out.insert(0, total)\n"
        "    return sum(out), len(out)\n"
    )
    found = check(source, (X / 40,), (X * 0,), (X / 70,), seconds=30.0)
    assert "out.at[out_length].set(total)" in found.rewrites[0].source


def test_what_needs_the_order_of_a_list_filled_in_front_keeps_it():
    """A list that is sorted while it grows has another order than one that is turned round."""
    source = (
        "def f(x):\n    out = []\n    for v in x:\n        out.insert(0, v if v > 0 else 0.0)\n"
        "        out.sort()\n    return jnp.array(out)\n"
    )
    found = propose(define(source)["f"], (X[:5],), {}, ())
    assert all("append" not in rewrite.source for rewrite in found.rewrites)


def test_tuples_that_become_rows_of_an_array():
    source = (
        "def f(x, v, n, k=4.0, dt=0.01):\n    traj = [(x, v)]\n    peak, at = x, 0\n    for i in range(n):\n"
        "        v = v - k * x * dt\n        x = x + v * dt\n        if x > peak:\n            peak, at = x, i\n"
        "        traj.append((x, v))\n    return jnp.array(traj), traj[-1][0], len(traj), peak, at\n"
    )
    found = check(source, (0.4, 2.0, N), (-0.4, 0.1, N), static=("n",), seconds=30.0)
    assert "fori_loop" in found.rewrites[0].patterns
    assert "traj = jnp.zeros((n + 1, 2), " in found.rewrites[0].source


def test_tuples_that_are_returned_stay_tuples():
    source = (
        "def f(x):\n    out = []\n    total = 0.0\n    for v in x:\n        if v > 0:\n            total += v\n"
        "        out.append((v, total))\n    return out\n"
    )
    found = propose(define(source)["f"], (X,), {}, ())
    assert all("jnp.array([v, total])" not in rewrite.source for rewrite in found.rewrites)


def test_a_rolled_draft_that_gives_something_else_leaves_the_loop_as_it_is(monkeypatch):
    """The number of a compiled round is an array: what tells the two apart is computed otherwise there."""
    monkeypatch.setattr(rolling, "MOST_UNROLLED", 20)
    source = (
        "def f(x):\n    for i in range(8):\n        x = x + (1.0 if isinstance(i, int) else 2.0)\n        x = x * 0.5 + i\n"
        "    if x > 3:\n        return x - 3\n    return x\n"
    )
    namespace = define(source)
    found = propose(namespace["f"], (1.0,), {}, seconds=30.0, rolls=True)
    assert found.rewrites and "fori_loop" not in found.rewrites[0].patterns


def test_rounds_that_a_field_of_an_argument_counts():
    """`batch.r.shape[0]` is known while tracing: sixty rounds are one loop, and no sixty copies of its body."""
    source = (
        "from typing import NamedTuple\nclass Batch(NamedTuple):\n    r: object\n    done: object\n"
        "def f(q, r, done):\n    batch = Batch(r, done)\n    targets = []\n    for i in range(batch.r.shape[0]):\n"
        "        if batch.done[i]:\n            targets.append(batch.r[i])\n        else:\n"
        "            targets.append(batch.r[i] + 0.9 * q[i % 3].max() * jnp.exp(-q[0, 0]) * 2 + q[1, 1])\n"
        "    return jnp.stack(targets)\n"
    )
    found = check(source, (ROWS[:3], X, X > 0), (ROWS[1:4], -X, X > 1), seconds=30.0)
    assert "fori_loop" in found.rewrites[0].patterns


EDITS = """def f(a, b):
    n, m = len(a), len(b)
    dp = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if a[i - 1] == b[j - 1]:
                dp[i][j] = dp[i - 1][j - 1] + 1
            else:
                dp[i][j] = max(dp[i - 1][j], dp[i][j - 1])
    return dp[n][m]
"""


def test_a_table_of_lists_is_an_array_where_its_places_are_counted_by_a_compiled_loop():
    found = check(EDITS, (jnp.arange(25) % 4, jnp.arange(20) % 3), (jnp.arange(3), jnp.arange(4)[::-1]))
    assert "dp.at[i, j].set(" in found.rewrites[0].source


def test_a_list_of_numbers_that_two_loops_change_is_an_array():
    """The value of an option, from its last step back to the first."""
    source = (
        "def f(s, k, up=1.1, n=30):\n    values = [max(k - s * up ** (n - 2 * i), 0.0) for i in range(n + 1)]\n"
        "    for step in range(n - 1, -1, -1):\n        for i in range(step + 1):\n"
        "            wait = 0.49 * (values[i] + values[i + 1])\n"
        "            values[i] = max(wait, k - s * up ** (step - 2 * i))\n    return values[0]\n"
    )
    found = check(source, (jnp.array(1.0), jnp.array(1.2)), (jnp.array(1.0), jnp.array(0.7)))
    assert "values.at[i].set(" in found.rewrites[0].source


@pytest.mark.slow
def test_a_large_program_whose_loops_cannot_be_rolled_keeps_them():
    """A list that gets shorter with each round is no loop of lax; the rewrite without one was looked for in vain."""
    source = (
        "def f(s, k, up, n):\n    values = [max(k - s * jnp.exp(up * (2 * j - n)), 0) for j in range(n + 1)]\n"
        "    for i in range(n - 1, -1, -1):\n"
        "        values = [max(k - s * jnp.exp(up * (2 * j - i)), 0.5 * (values[j + 1] + values[j])) for j in range(i + 1)]\n"
        "    return values[0]\n"
    )
    calls = [(jnp.array(s), jnp.array(100.0), jnp.array(0.1), 16) for s in (100.0, 80.0, 130.0)]
    check(source, *calls, static=("n",), seconds=4.0)


def test_a_loop_of_which_no_rolled_draft_traces_keeps_its_rounds():
    """Nothing that the rules know makes an array from the loop's number to a length: all that follows the rolled loop fails."""
    source = (
        "def f(x):\n    h = jnp.bincount(x, length=16)\n    best_at, best = 0, -1.0\n    for t in range(1, 16):\n"
        "        low, high = h[:t].sum(), h[t:].sum()\n        if low == 0 or high == 0:\n            continue\n"
        "        mean = (h[t:] * jnp.arange(t, 16)).sum() / high - (h[:t] * jnp.arange(t)).sum() / low\n"
        "        between = low * high * mean ** 2\n        if between > best:\n            best_at, best = t, between\n"
        "    return best_at, best\n"
    )
    x = jnp.asarray(np.random.default_rng(0).integers(0, 16, 30))
    proposals = check(source, (x,), (x // 4,), (x * 0 + 15,), seconds=8.0)
    assert "fori_loop" not in proposals.rewrites[0].patterns


def test_a_loop_of_few_rounds_is_rolled_where_its_program_is_too_large():
    """Sixteen rounds of two exponentials are 4,600 equations and more: nothing so large is compiled for an answer."""
    source = (
        "from jax.scipy.linalg import expm\n"
        "def f(a, y):\n    total = 0.0\n    for i in range(len(y)):\n        if y[i] == 1:\n"
        "            total = total + expm(a).sum()\n        else:\n            total = total - expm(a * 0.5).sum()\n"
        "    return total\n"
    )
    found = propose(define(source)["f"], (jnp.eye(2), jnp.arange(16) % 2), {}, seconds=20.0, run=False)
    assert "fori_loop" in found.unverified[0].patterns, found


COUNTED = {
    "at the end of a round": (
        "def f(y, dt=0.02):\n    t = 0.0\n    while t < 5.0:\n        if y > 1.0:\n            y = y - dt * (y - 0.5)\n"
        "        else:\n            y = y - dt * 0.1 * y\n        t += dt\n    return y\n"
    ),
    "in its middle, read behind the loop": (
        "def f(y):\n    t, ys = 0, []\n    while t < 300:\n        if y > 1.0:\n            y = y * 0.99\n        t = t + 2\n"
        "        ys.append(y * t)\n    return jnp.array(ys), t\n"
    ),
    "down, by a factor": (
        "class P:\n    def __init__(self):\n        self.least = 1e-4\n\n\np = P()\n\n\n"
        "def f(y):\n    h = 1.0\n    while h >= p.least or h > 0.5:\n"
        "        if y > 0.3:\n            y = y - 0.02 * h\n        h *= 0.95\n    return y\n"
    ),
}


@pytest.mark.parametrize("how", COUNTED)
def test_a_while_that_pythons_own_numbers_count_has_as_many_rounds_whatever_the_data_is(how):
    """It is a loop over the values of its number, and a compiled one with it."""
    found = check(COUNTED[how], (jnp.float32(3.0),), (jnp.float32(0.2),), seconds=20.0)
    assert "fori_loop" in found.rewrites[0].patterns and "while_loop" not in found.rewrites[0].source


NOT_COUNTED = {
    "data ends it": "t = t + y",
    "it may go on": "t += 0.05\n        if y > 2.5:\n            t -= 0.01",
    "two numbers end it": "t += 0.05\n        end += 0.01",
    "it has no end": "t *= 1.0",
    "a power of it": "t = t ** 0.9 + 0.1",
}


@pytest.mark.parametrize("how", NOT_COUNTED)
def test_a_while_that_anything_else_ends_is_not_counted_first(how, monkeypatch):
    """Its rounds are not known before it runs."""
    asked, made = [], []
    monkeypatch.setattr(rolling, "stepped", lambda *given: asked.append(stepped.stepped(*given)) or asked[-1])
    monkeypatch.setattr(rolling, "over_its_values", lambda *given: made.append(given) or stepped.over_its_values(*given))
    body = f"        if y > 1.0:\n            y = y * 0.9\n        {NOT_COUNTED[how]}\n    return y\n"
    propose(define(f"def f(y):\n    t, end = 0.01, 9.0\n    while t < end:\n{body}")["f"], (jnp.float32(3.0),), {}, seconds=1.0)
    assert asked and not any(asked) and not made


@pytest.mark.parametrize("first, head", [("t = 0.0", "while t < 20.0:"), ("pass", "for t in self.times:")])
def test_a_loop_that_changes_an_object_keeps_its_form(first, head):
    """No compiled loop carries what it writes there: numbering its rounds would help nobody."""
    source = f"""
class Run:
    def __init__(self):
        self.history, self.times = [], [0.1 * k for k in range(200)]

    def run(self, y):
        {first}
        {head}
            if y > 1.0:
                y = y * 0.99 - 0.001 * y * y
            self.history.append(y + t)
            t += 0.1
        return jnp.array(self.history)


def f(y):
    made = Run()
    return made.run(y)
"""
    found = propose(define(source)["f"], (jnp.float32(3.0),), {}, seconds=20.0)
    assert found.rewrites and f"{head}\n        y = " in found.rewrites[0].source


@pytest.mark.parametrize("asked", ["all(bits[-3:])", "max(bits) < 2", "sum(bits[:2]) < 2", "min(bits[-2:]) > -1"])
def test_what_a_list_holds_before_the_loop_has_filled_it(asked):
    """Its buffer is full in the end alone: what stands behind is nothing yet."""
    source = f"""
def f(x):
    level, bits = 0.0, []
    for v in x:
        bits.append(1.0 if v > level else -v - level)
        if {asked}:
            level += 0.25
        else:
            level = level * 0.5
    return jnp.array(bits), level
"""
    found = check(source, (X,), (-X,), (X[:70],), seconds=20.0)
    assert found.rewrites[0].verified and {"fori_loop", "while_loop", "scan"} & {*found.rewrites[0].patterns}
