"""Elements of JAX's arrays set as NumPy's are: compared with the same code on NumPy's arrays, as plain Python refuses it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.rewrites import propose

from .helpers import HEADER, applied, define

X = jnp.array([1.0, -2.0, 3.0, -0.5, 2.5])
M = jnp.arange(12.0).reshape(4, 3) - 5


def on_numpy(source: str, name: str = "f"):
    """The function with NumPy in the place of JAX: what it would give there."""
    namespace: dict = {}
    exec((HEADER + source).replace("jnp.", "np.").replace("import jax.numpy as jnp", ""), namespace)
    return namespace[name]


KERNEL = """
class Economy:
    def __init__(self, P, y, beta):
        self.P, self.y, self.beta, self.n = P, y, beta, y.shape[0]
        self.Q = self.kernel()

    def kernel(self):
        Q = jnp.zeros((self.n, self.n))
        for i in range(self.n):
            for j in range(self.n):
                Q[i, j] = self.beta * self.y[j] / self.y[i] * self.P[i, j]
        return Q

    def prices(self):
        return (jnp.eye(self.n) - self.Q) @ self.y


def made(P, y, beta):
    return Economy(P, y, beta)


def f(P, y, beta):
    return made(P, y, beta).prices()
"""

CELLS = """
class Cell:
    def __init__(self, W, steps):
        self.W, self.steps = W, steps
        self.states = jnp.zeros((steps + 1, W.shape[0]))
        self.states[0] = 0.5

    def run(self, x):
        for t in range(self.steps):
            self.states[t + 1] = jnp.tanh(self.states[t] @ self.W + x)
            self.states[t + 1, 0] *= 2.0
        return self.states[1:]


def f(W, x):
    cell = Cell(W, 3)
    return cell.run(x).sum(0) + cell.states[-1]
"""

SERVED = {
    "in a method that an object's making calls": (KERNEL, (jnp.array([[0.5, 0.5], [0.2, 0.8]]), jnp.array([1.0, 2.0]), 0.9)),
    "an array that an object holds": (CELLS, (jnp.eye(3) * 0.3 + 0.1, jnp.array([0.1, -0.2, 0.3]))),
    "in a loop": (
        "def f(x):\n    out = jnp.zeros(x.shape[0])\n    for i in range(x.shape[0]):\n"
        "        out[i] = x[max(i - 2, 0) : i + 1].mean()\n    return out\n",
        (X,),
    ),
    "by a mask": ("def f(x):\n    y = x * 2\n    y[y < 0] = 0\n    return y.sum()\n", (X,)),
    "a column of an argument": ("def f(m):\n    m[:, 0] = 0.0\n    return m @ m.T\n", (M,)),
    "in a branch": (
        "def f(x, t):\n    w = jnp.ones_like(x)\n    if x.mean() > t:\n        w[0] = 0.5\n    else:\n        w[-1] = 0.5\n"
        "    return (w * x).sum() / w.sum()\n",
        (X, 0.0),
    ),
    "in a helper": (
        "def fill(a, v):\n    for i in range(a.shape[0]):\n        a[i, i] = v\n    return a\n\n"
        "def f(m, v):\n    return fill(m.T @ m, v).sum(0)\n",
        (M, 0.3),
    ),
    "a part of a part, in a loop that a check ends": (
        "def f(m, w, tol):\n    p, q = jnp.ones((2, 3, 3)), jnp.zeros((2, 3, 3))\n    error, n = tol + 1, 0\n"
        "    while error > tol:\n        if n > 60:\n            raise ValueError('no end')\n        else:\n"
        "            error = 0\n            for i in range(2):\n                q[i][:, :] = 0.4 * p[i] + w * (m.T @ m)\n"
        "                error += abs(q[i] - p[i]).max()\n            p[:, :, :] = q[:, :, :]\n"
        "            n += 1\n    return p\n",
        (M, 0.3, 0.01),
    ),
    "a row in a helper": (
        "def fill_up(d, w):\n    for i in range(1, len(d)):\n        if d[i - 1] + w < d[i]:\n"
        "            d[i] = d[i - 1] + w\n\n"
        "def f(m, w):\n    out = m * 1.0\n    for r in range(out.shape[0]):\n        fill_up(out[r], w)\n    out = out.T\n"
        "    for r in range(len(out)):\n        fill_up(out[r], w)\n    return out.T\n",
        (M, 0.3),
    ),
    "a column in a helper, behind a function that is given a list": (
        "def fill(a, v, k):\n    for i in range(a.shape[0]):\n        a[i] = v[i] * k\n\n"
        "def f(m, k):\n    ends = jnp.cumsum([1] + list(m.shape))\n    out = jnp.zeros((m.shape[0], 2))\n"
        "    for c in range(2):\n        fill(out[:, c], m[:, c], k + ends[c])\n    return out\n",
        (M, 0.3),
    ),
    "a list as an index": ("def f(x, a):\n    return x[[2, 0]] * a\n", (X, 2.0)),
    "rows that change places": (
        "def f(m, a):\n    m = m * a\n    if abs(m[1][0]) < abs(m[0][0]):\n        m[[0, 1]] = m[[1, 0]]\n    return m\n",
        (M, 2.0),
    ),
    "rows of an argument that change places": ("def f(m):\n    m[[0, 1]] = m[[1, 0]]\n    return m\n", (M,)),
    "a list as data": ("def f(x, a):\n    return jnp.max([x.min() + a, x[0]])\n", (X, 2.0)),
    "filled": ("def f(x, a):\n    y = jnp.empty_like(x)\n    y.fill(a)\n    return y + x\n", (X, 2.0)),
    "a row's element that is asked for later": (
        "def f(m, a):\n    u = jnp.zeros((2, 2))\n    for i in range(2):\n        u[i][0] = m[i][0] * m[i][0] + a\n"
        "        if u[0][0] == 0:\n            raise ValueError('zero')\n    return u\n",
        (M, 2.0),
    ),
    "at places whose number is data": (
        "def f(m, x):\n    v = m * 2\n    idx = jnp.where(x[:3] > 0)[0]\n    v[:, idx] = 0\n    v[idx] = 1\n    return v\n",
        (M, X),
    ),
    "at places that are counted and read beside it": (
        "def f(x, t):\n    y = x * 2\n    idx = jnp.where((abs(y) < t) & (y != 0))\n    y[idx] *= t / abs(y)[idx]\n"
        "    found = len(idx[0])\n    nonzero = jnp.where(y != 0)\n    y[nonzero] = 1.0 / y[nonzero]\n    return y, found\n",
        (X, 3.0),
    ),
    "by an operator that .at has no method for": (
        "def f(m, t):\n    near = abs(m[:, 0]) < t\n    out = jnp.zeros(5, bool)\n    for i in range(2):\n"
        "        out[i : i + 4] |= near\n    return out\n",
        (M, 3.0),
    ),
    "a line that also takes the least of two": (
        "def f(x, k):\n    x[0] = min(x[0], k - 1)\n    x[1] = max(x[1], 0)\n    return x\n",
        (X, 3),
    ),
    "counts that are known later": (
        "def f(x):\n    values, counts = jnp.unique(x, return_counts=True)\n    counts[counts < 2] = 0\n"
        "    return (counts * values).sum()\n",
        (jnp.array([1, 3, 1, 1, 0, 3]),),
    ),
    "of a copy, round by round": (
        "def f(u, a):\n    for _ in range(3):\n        new = u.copy()\n"
        "        new[1:-1] = u[1:-1] + a * (u[2:] - 2 * u[1:-1] + u[:-2])\n        u = new\n    return u\n",
        (X, 0.1),
    ),
    "two at once": ("def f(x):\n    x[0], x[1] = x[1], x[0]\n    return x\n", (X,)),
    "row by row": (
        "def f(m):\n    out = jnp.zeros((4, 3))\n    for i in range(4):\n        for j in range(3):\n"
        "            out[i][j] = m[i][j] if m[i][j] > 0 else 0.1 * m[i][j]\n    return out\n",
        (M,),
    ),
    "places that come twice": (
        "def f(x, i):\n    out = jnp.zeros(5)\n    out[i] += 1.0\n    return out * x\n",
        (X, jnp.array([0, 2, 2])),
    ),
    "while something holds": (
        "def f(x, tol):\n    w = jnp.ones(5)\n    k = 0\n    while jnp.abs(w - x).max() > tol and k < 20:\n"
        "        w[k % 5] = x[k % 5]\n        k += 1\n    return w, k\n",
        (X, 0.1),
    ),
}


@pytest.mark.parametrize("how", SERVED)
def test_it_is_equal_to_the_same_code_on_numpy_arrays(how):
    """The rewrite is verified, says with what it was compared, and gives what NumPy gives for the call."""
    source, args = SERVED[how]
    namespace = define("@jax.jit\n" + source if source.startswith("def f(") else source)
    found = jm.diagnose(namespace["f"], *args)
    assert found.kind == "not_staticness" and found.verified
    assert found.rewrites[0].compared.beside == "the same code on NumPy arrays"
    assert "equal to the same code on NumPy arrays" in " ".join(str(found).split())
    wanted = on_numpy(source)(*(np.array(a) if hasattr(a, "shape") else a for a in args))
    with applied(found, namespace):
        for got, want in zip(*(v if isinstance(v, tuple) else (v,) for v in (namespace["f"](*args), wanted)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5)


OTHERWISE = {
    "another name": "    y = x\n    y[0] = 9.0\n    return x + y\n",
    "a row": "    r = m[0]\n    r[1] = 9.0\n    return m.sum()\n",
    "each row": "    for r in m:\n        r[0] = 0.0\n    return m\n",
    "asarray": "    y = jnp.asarray(x)\n    y[0] = 9.0\n    return x + y\n",
    "reshape": "    y = x.reshape(1, -1)\n    y[0, 0] = 9.0\n    return x\n",
    "transposed": "    t = m.T\n    t[0, 1] = 9.0\n    return m @ t\n",
    "flipped": "    y = jnp.flip(x)\n    y[0] = 9.0\n    return x.sum()\n",
    "ravel": "    y = m.ravel()\n    y[0] = 9.0\n    return m\n",
    "split": "    a, b = jnp.split(x[:4], 2)\n    a[0] = 9.0\n    return x + b.sum()\n",
    "both names of one": "    a = b = jnp.zeros(3)\n    a[0] = x[0]\n    b[1] = x[1]\n    return a\n",
    "as a whole": "    y = x\n    y += 1\n    y[0] = 0.0\n    return x\n",
    "rows that change places": "    m[0], m[1] = m[1], m[0]\n    return m\n",
    "what is kept": "    d = {'a': x}\n    d['a'][0] = 9.0\n    return x\n",
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_where_numpy_changes_more_nothing_is_shown(how):
    """What NumPy's array is changed by is seen by another name there, and not by `.at[…].set`."""
    source = "def f(x, m):\n" + OTHERWISE[how]
    f = define(source)["f"]
    found = propose(f, (X, M), {}, jm.diagnose(f, X, M).sites)
    assert not found.rewrites and not found.unverified


def test_a_part_that_is_read_no_more_is_no_obstacle():
    source = "def f(x):\n    r = x[1:]\n    r[0] = 9.0\n    return r.sum()\n"
    assert jm.diagnose(define(source)["f"], X).verified


def test_the_callers_own_array_is_said_to_stay():
    """NumPy's would be changed."""
    found = jm.diagnose(define("def f(x, lo):\n    x[x < lo] = lo\n    return x\n")["f"], X, 0.0)
    assert "the caller's arrays stay as they are" in " ".join(found.rewrites[0].compared.differences)
    found = jm.diagnose(define("def f(x, lo):\n    y = x * 1\n    y[y < lo] = lo\n    return y\n")["f"], X, 0.0)
    assert found.verified and not any("stay" in each for each in found.rewrites[0].compared.differences)


def test_its_gradient_is_that_of_arrays_that_are_made_anew():
    """Roots of what is not positive, which nothing takes, leave no NaN in it."""
    source = "def f(x):\n    out = x * 1\n    m = x > 0\n    out[m] = jnp.sqrt(x[m])\n    return out\n"
    found = jm.diagnose(define(source)["f"], X)
    assert found.verified and "jnp.sqrt(jnp.where(m, x, 1))" in found.rewrites[0].source


def test_static_arguments_that_it_needs_beside_the_rewrite_are_said():
    """Plain Python fails whatever is static; the rewrite traces with `k` static alone."""
    source = "def f(x, k):\n    m = jnp.zeros(x.shape)\n    idx = jnp.argsort(x)[-k:]\n    m[idx] = 1.0\n    return m * x\n"
    found = jm.diagnose(define(source)["f"], X, 3)
    assert found.verified and found.kind == "not_staticness" and found.static_argnames == ("k",)
    assert "k must be static as well" in found.reason and "play no part" not in found.reason
    found = jm.diagnose(define(source.replace("-k:", "-3:"))["f"], X, 3)
    assert found.verified and found.static_argnames == () and "play no part" in found.reason


@pytest.mark.parametrize("count", ["int(jnp.ceil((end - start) / step))", "int((end - start) / step)"])
def test_floats_that_a_size_is_made_of_are_static_beside_it(count):
    """`n = int(jnp.ceil((end - start) / step))`, then a buffer of so many that is filled step by step."""
    source = (
        f"def f(y0, start, step, end):\n    n = {count}\n    y = jnp.zeros(n + 1)\n    y[0] = y0\n    for k in range(n):\n"
        "        y[k + 1] = y[k] - step * y[k]\n    return y\n"
    )
    namespace = define(source)
    found = jm.diagnose(namespace["f"], 1.5, 0.0, 0.25, 1.0)
    assert found.verified and set(found.static_argnames) == {"start", "step", "end"}
    for text in found.rewrites[0].sources.values():
        exec(text, namespace)
    fixed = jax.jit(namespace["f"], static_argnames=found.static_argnames)
    for args in ((1.5, 0.0, 0.25, 1.0), (-0.5, 1.0, 0.5, 4.0)):
        np.testing.assert_allclose(fixed(*args), on_numpy(source)(*args), rtol=1e-5)


def test_what_else_stands_in_the_way_is_said():
    """A size that is data beside elements that are set: `.at[…].set` alone would not do."""
    source = "def f(levels):\n    seen = jnp.zeros(jnp.max(levels) + 1)\n"
    source += "    for v in levels:\n        seen[v] += 1\n    return seen\n"
    found = jm.diagnose(define(source)["f"], jnp.array([1, 0, 2]))
    assert not found.rewrites and "x.at[i].set(v)" in found.reason and "which is data" in found.reason
    assert "play no part" not in found.reason and {site.operation for site in found.sites} == {"shape", "in place"}


def test_elements_that_another_call_alone_sets_are_set_as_well():
    """`if pad > 0: y = jnp.zeros(…); y[pad:-pad] = x` beside `else: y = x`, called with pad=0."""
    source = (
        "def f(x, w, pad):\n    if pad > 0:\n        y = jnp.zeros(x.shape[0] + 2 * pad)\n        y[pad:-pad] = x\n    else:\n"
        "        y = x\n    out = jnp.zeros(y.shape[0] - 2)\n    for i in range(out.shape[0]):\n"
        "        out[i] += (w * y[i : i + 3]).sum()\n    return out.max()\n"
    )
    namespace, w = define(source), jnp.array([1.0, -2.0, 0.5])
    found = jm.diagnose(namespace["f"], X, w, 0)
    assert found.verified and found.static_argnames == ("pad",)
    exec(found.rewrites[0].source, namespace)
    for pad in (0, 1, 2):
        np.testing.assert_allclose(
            jax.jit(namespace["f"], static_argnames="pad")(X, w, pad), on_numpy(source)(X, w, pad), rtol=1e-5
        )


@pytest.mark.parametrize("given", [jnp.zeros(3), np.zeros(3)])
def test_what_only_changes_its_arguments_has_no_rewrite(given):
    """Compiled, it would give nothing and change nothing; the answer says what to return."""
    source = "def f(out, v):\n    for i in range(len(out)):\n        if v > i:\n            out[i] = v\n"
    found = jm.diagnose(define(source)["f"], given, 2.0)
    assert not (found.rewrites or found.splits or found.unverified)
    assert "let it return the array" in found.reason
    found = jm.diagnose(define(source + "    return out\n")["f"], given, 2.0)
    assert found.verified


def test_a_line_that_the_call_does_not_reach_sets_elements_as_well():
    """`a[0] += 1` in a branch that this call does not take: nothing of the caller's could be changed there either."""
    source = "def f(a):\n    if a[0] + 1 < a[1]:\n        a[0] += 1\n        return a\n    a[0] = 0\n    a[1] += a[2]\n"
    source += "    return a\n"
    namespace = define(source)
    found = jm.diagnose(namespace["f"], jnp.array([0, 1, 2]))
    assert found.verified
    exec(found.rewrites[0].source, namespace)
    for values in ([0, 1, 2], [0, 3, 5]):
        np.testing.assert_array_equal(jax.jit(namespace["f"])(jnp.array(values)), on_numpy(source)(np.array(values)))


def test_what_a_helper_changes_has_its_gradient_where_data_is_nan():
    """The run that is differentiated makes another array of it, which its caller does not see."""
    source = "def push(b, v):\n    b[0] = v\n    b[1] += v * 2\n\n"
    source += "def f(x):\n    b = jnp.zeros(3)\n    push(b, x.sum())\n    return (b * x[:3]).sum()\n"
    found = jm.diagnose(define(source)["f"], X)
    assert found.verified and found.rewrites[0].compared.differences == ()


def test_a_copy_of_which_a_helper_changes_elements_changes_nothing_else():
    """`m[[0, 1]]` is a copy in NumPy, and stays one."""
    source = "def push(b, v):\n    b[0] = v\n\n"
    source += "def f(m, v):\n    m = m * 1.0\n    push(m[jnp.array([0, 1])], v)\n    return m.sum()\n"
    namespace = define(source)
    found = jm.diagnose(namespace["f"], M, 2.0)
    assert found.rewrites
    for text in found.rewrites[0].sources.values():
        exec(text, namespace)
        np.testing.assert_allclose(jax.jit(namespace["f"])(M, 2.0), M.sum(), rtol=1e-5)


def test_two_parts_of_one_array_that_a_helper_changes_may_be_one_and_the_same():
    """Where `w` is 0 both names stand for one row: as values of their own they would be two."""
    source = (
        "def move(a, b):\n    for i in range(3):\n        a[i] = a[i] + b[i]\n        b[i] = 0.0\n\n"
        "def f(x, w):\n    m = np.ones((3, 3))\n    for k in range(2):\n        if x[k] > 0:\n"
        "            move(m[k], m[k + w])\n        m = m * 2\n    return m\n"
    )
    assert not jm.diagnose(define(source)["f"], jnp.array([1.0, -1.0, 2.0]), 1).rewrites


def test_an_option_that_is_static_beside_the_rewrite_plays_a_part():
    """The call leaves the option out, and the rewrite names it."""
    source = (
        "def f(x, how='low'):\n    y = x * 2\n    y[y < 0] = 0 if how == 'low' else 1\n    return jnp.cumsum([y.sum(), 1.0])\n"
    )
    found = jm.diagnose(define(source)["f"], X)
    assert found.verified and found.rewrites[0].static_argnames == ("how",) and "play no part" not in found.reason


def test_a_system_that_rounding_decides_is_answered_and_said():
    """Equations that are nearly the same: compiled, XLA rounds otherwise, and so does plain Python where last digits change."""
    source = (
        "def f(y, h, p):\n    n = len(y)\n    lags = jnp.ones((n - p - h + 1, p + 1))\n    for j in range(1, p + 1):\n"
        "        lags[:, j] = y[p - j : n - h - j + 1]\n    b = jnp.linalg.solve(lags.T @ lags, lags.T @ y[p + h - 1 :])\n"
        "    return y[p + h - 1 :] - lags @ b\n"
    )
    namespace, y = define(source), jnp.cumsum(jax.random.uniform(jax.random.PRNGKey(0), (40,)))
    found = jm.diagnose(namespace["f"], y, 8, 4)
    assert found.verified and set(found.static_argnames) == {"h", "p"}
    exec(found.rewrites[0].source, namespace)
    fixed, want = jax.jit(namespace["f"], static_argnames=("h", "p"))(y, 8, 4), on_numpy(source)(np.float64(y), 8, 4)
    np.testing.assert_allclose(fixed, want, atol=2e-3)
