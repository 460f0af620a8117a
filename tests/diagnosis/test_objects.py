"""Functions that write what they compute to an object: a function of its attributes under jit, and what writes them back."""

from __future__ import annotations

import copy
import functools
import linecache
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis import diagnose_call
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.diagnosis.objects.attributes import attributes_of

pytestmark = pytest.mark.usefixtures("unhurried")


X = jnp.array(np.random.default_rng(0).normal(size=(20, 2)), jnp.float32)
Y = jnp.array([1.0 if a + b > 0 else -1.0 for a, b in np.asarray(X)], jnp.float32)


class Descent:
    def __init__(self, lr=0.1, rounds=12):
        self.lr, self.rounds, self.losses = lr, rounds, []

    def fit(self, X, y):
        """What it is for stays."""
        self.w_ = jnp.zeros(X.shape[1])
        for _ in range(self.rounds):
            error = self.predict(X) - y
            loss = jnp.mean(error**2)
            self.losses.append(float(loss))
            self.w_ = self.w_ - self.lr * X.T @ error / len(y)
        return self.losses[-1]

    def predict(self, X):
        return X @ self.w_


class Filter:
    def __init__(self, q=0.1):
        self.q, self.x, self.seen = q, jnp.zeros(()), 0

    def step(self, z):
        self.seen += 1
        if not jnp.isnan(z):
            self.x = self.x + self.q * (z - self.x)
        return self.x * 2


class Perceptron:
    def __init__(self, eta=0.5, epochs=8):
        self.eta, self.epochs = eta, epochs

    @functools.partial(jax.jit, static_argnums=0)
    def fit(self, X, y):
        self.w_ = jnp.zeros(X.shape[1])
        self.errors_ = []
        for _ in range(self.epochs):
            wrong = (y * (X @ self.w_)) <= 0
            self.errors_.append(wrong.sum())
            if not wrong.any():
                break
            self.w_ = self.w_ + self.eta * (X.T @ (wrong * y))
        return self


class Stats:
    def __init__(self):
        self.n, self.mean, self.m2 = 0, 0.0, 0.0

    def push(self, x):
        self.n += 1
        delta = x - self.mean
        self.mean += delta / self.n
        self.m2 += delta * (x - self.mean)

    @property
    def variance(self):
        return self.m2 / self.n

    def clipped(self, xs, most=2.0):
        for x in xs:
            self.push(x)
        if self.variance > most:
            return jnp.sqrt(most)
        return jnp.sqrt(self.variance)


class Table:
    def __init__(self):
        self.Q = np.zeros((3, 2), np.float32)

    def update(self, s, a, reward):
        best = self.Q[s].max()
        if reward > 0:
            self.Q[s, a] += 0.5 * (reward + best - self.Q[s, a])
        return best


class Means:
    def __init__(self, k=2, rounds=6):
        self.k, self.rounds = k, rounds

    def nearest(self, X):
        return jnp.argmin(((X[:, None] - self.centers_) ** 2).sum(-1), axis=1)

    def fit(self, X):
        self.centers_ = X[: self.k]
        for i in range(self.rounds):  # noqa: B007
            self.labels_ = self.nearest(X)
            new = jnp.stack([X.mean(0, where=(self.labels_ == j)[:, None]) for j in range(self.k)])
            moved = jnp.abs(new - self.centers_).max()
            self.centers_ = new
            if moved < 1e-3:
                break
        self.rounds_ = i + 1
        return self


class Nested:
    def __init__(self):
        self.opt = types.SimpleNamespace(m=jnp.zeros(2), t=0)
        self.w = jnp.ones(2)

    def step(self, g):
        self.opt.t += 1
        self.opt.m = 0.9 * self.opt.m + g
        if jnp.abs(g).max() > 1:
            self.w = self.w - 0.1 * self.opt.m / self.opt.t


class History:
    """Dicts that are changed by keys that are written there."""

    def __init__(self):
        self.w, self.history, self.last = jnp.zeros(2), {"loss": [], "norm": [0.5]}, {"epoch": 0}

    def step(self, X, y):
        loss, gradient = jax.value_and_grad(lambda w: jnp.mean((X @ w - y) ** 2))(self.w)
        self.w = self.w - 0.1 * gradient
        if jnp.isnan(loss):
            self.w = self.w * 0
        self.history["loss"].append(float(loss))
        self.last["loss"] = loss
        self.last["epoch"] += 1
        return loss


def absorb(stats, xs, *, weight=1.0):
    stats.push(xs.sum() * weight)
    if stats.mean > 1:
        stats.mean = stats.mean * 0.5
    return stats.mean


def with_fix(diagnosis, function, **names):
    """The names of this module with the proposed fix in them."""
    fix = fixes(diagnosis)[0]
    assert fix.proof == "compared"
    assert fix.rewrite is not None
    assert fix.rewrite.pieces
    space = {**globals(), **names}
    for name, source in fix.rewrite.sources.items():
        filename = f"<fixed {name} {id(diagnosis)}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        exec(compile(source, filename, "exec"), space)
    return space


def held(value):
    found = {path: jax.tree.leaves(each) for path, each in attributes_of(value).items()}
    return {path: np.concatenate([np.ravel(leaf) for leaf in leaves] or [[]]).tolist() for path, leaves in found.items()}


def close(a, b):
    return a.keys() == b.keys() and all(np.allclose(a[k], b[k], rtol=1e-4, atol=1e-5, equal_nan=True) for k in a)


CASES = [
    (Descent, "fit", (X, Y), [(X[:7], Y[:7]), (X, -Y)]),
    (Filter, "step", (jnp.float32(2.0),), [(jnp.float32(jnp.nan),), (jnp.float32(-1.0),)]),
    (Perceptron, "fit", (X, Y), [(X[:5], Y[:5]), (X, jnp.ones(20))]),
    (Stats, "clipped", (X[:6, 0],), [(X[:3, 1] * 9,), (X[:2, 1], 0.1)]),
    (Table, "update", (1, 0, 2.0), [(1, 0, 3.0), (2, 1, -1.0)]),
    (Means, "fit", (X,), [(X[:9],), (X * 3,)]),
    (Nested, "step", (X[0],), [(X[1] * 5,), (X[2],)]),
    (History, "step", (X, Y), [(X[:7], Y[:7]), (X, -Y)]),
]


@pytest.mark.parametrize(("kind", "name", "given", "others"), CASES, ids=[case[0].__name__ for case in CASES])
def test_result_and_attributes_are_those_of_plain_python(kind, name, given, others):
    """The proposed class does what the class does, call after call, on other values and sizes; the user's object stays."""
    mine = kind()
    before = held(mine)
    method = getattr(mine, name)
    diagnosis = jm.diagnose(method, *given)
    assert close(held(mine), before)
    new = with_fix(diagnosis, kind)[kind.__name__]
    plain, fixed = kind(), new()
    for args in (given, *others, given):
        with jax.disable_jit():
            want = getattr(plain, name)(*args)
        got = getattr(fixed, name)(*args)
        assert (got is fixed) == (want is plain)
        if want is None:
            assert got is None
        elif want is not plain:
            np.testing.assert_allclose(got, want, rtol=1e-5)
        assert close(held(fixed), held(plain)), args
    assert "What it is for stays" in diagnosis.splits[0].source or kind is not Descent


def test_an_option_that_changes_later_counts():
    """What the object holds is read at each call, not when it is traced."""
    new = with_fix(jm.diagnose(Filter().step, jnp.float32(2.0)), Filter)["Filter"]
    fixed = new()
    fixed.step(jnp.float32(1.0))
    fixed.q = 1.0
    assert float(fixed.step(jnp.float32(5.0))) == 10.0


def test_arrays_of_numpy_stay_what_they_are():
    """Whoever holds the table, too, sees what is written into it."""
    fixed = with_fix(jm.diagnose(Table().update, 1, 0, 2.0), Table)["Table"]()
    table = fixed.Q
    fixed.update(1, 0, 2.0)
    assert table is fixed.Q
    assert table[1, 0] == 1.0


def test_a_function_that_gets_the_object():
    """No method, but an argument: the function of its attributes stands before it."""
    diagnosis = jm.diagnose(jax.jit(absorb, static_argnums=0), Stats(), X[0] * 9)
    space = with_fix(diagnosis, absorb)
    plain, fixed = Stats(), Stats()
    for xs in (X[0] * 9, X[1] * 20, X[2]):
        np.testing.assert_allclose(space["absorb"](fixed, xs, weight=2.0), absorb(plain, xs, weight=2.0), rtol=1e-5)
        assert close(held(fixed), held(plain))


def test_an_object_that_holds_tracers_already():
    """After a trace that passed, the next call fails: what the trace left is told by its shape."""
    stats = Stats()
    jax.jit(stats.push)(1.0)
    assert isinstance(stats.mean, jax.core.Tracer)
    diagnosis = jm.diagnose(stats.push, jnp.ones(2))
    assert diagnosis.splits
    assert "tracers of a failed trace" in " ".join(diagnosis.notes)


def test_a_trace_that_failed_leaves_nothing():
    """What the failed trace wrote first is no attribute that the answer asks the object for."""
    mine = Means()
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(mine.fit)(X)
    assert isinstance(mine.labels_, jax.core.Tracer)
    diagnosis = jm.diagnose(mine.fit, X)
    space = with_fix(diagnosis, Means)
    assert "plain Python does not set `self.labels_` where its loop has no round" in diagnosis.splits[0].compared.differences
    assert close(held(space["Means"]().fit(X)), held(Means().fit(X)))


class Called:
    def __init__(self):
        self.w = jnp.ones(2)

    def __call__(self, x):
        return x @ self.w


def trained(model, X, y):
    for _ in range(3):
        error = model(X) - y
        if jnp.isnan(error).any():
            break
        model.w = model.w - 0.1 * X.T @ error / len(y)
    return jnp.mean(error**2)


def test_an_object_that_is_called_and_changes():
    """No piece takes it as static: it would keep what the object held at its first trace."""
    space = with_fix(jm.diagnose(trained, Called(), X, Y), trained)
    plain, fixed = Called(), Called()
    for _ in range(2):
        np.testing.assert_allclose(space["trained"](fixed, X, Y), trained(plain, X, Y), rtol=1e-5)
        assert close(held(fixed), held(plain))


class Pair:
    def __init__(self):
        self.first = Stats()
        self.second = self.first

    def add(self, x):
        self.first.push(x)
        if self.second.mean > 0:
            return self.second.mean
        return x


SEEN: list[int] = []


class Noting(Filter):
    def step(self, z):
        SEEN.append(1)
        if z > 0:
            self.x = self.x + z
        return self.x


class Mixed:
    def __init__(self):
        self.table = np.zeros(3, np.float32)
        self.view = self.table

    def write(self, x):
        self.table[0] += x
        if self.view[0] > 0:
            return self.view[0] * 2
        return x


class Base:
    def __init__(self):
        self.total = 0.0

    def part(self, x):
        return x

    def add(self, x):
        if x > 0:
            self.total = self.total + self.part(x)
        return self.total


class Derived(Base):
    def part(self, x):
        return x * 10


@pytest.mark.parametrize(
    "method", [Pair().add, Noting().step, Mixed().write, Base().add, Derived().add], ids=lambda method: method.__qualname__
)
def test_what_only_the_text_hides(method):
    """An object under two names, a global that grows, an array that is another one's, a class with a method of its own: what
    is written of one would be wrong for another."""
    diagnosis = jm.diagnose(method, jnp.float32(2.0))
    assert not any("attributes" in each.patterns for each in diagnosis.splits)
    assert diagnosis.splits or "writes to an object, which compiled code cannot" in diagnosis.reason


def test_the_class_of_an_object_that_is_given_is_told():
    """Another class may have another `push`."""
    diagnosis = jm.diagnose(jax.jit(absorb, static_argnums=0), Stats(), X[0] * 9)
    assert "it is right where `stats` is a Stats" in diagnosis.splits[0].compared.differences


def test_what_the_jit_declares_static_stays_so():
    """The function of the attributes has the static arguments that the method had."""

    method = jax.jit(Stretch.step, static_argnums=(0, 2))
    new = with_fix(jm.diagnose(method, Stretch(), jnp.float32(2.0), 3), Stretch)["Stretch"]
    plain, fixed = Stretch(), new()
    assert close(held(plain), held(fixed))
    for n in (3, 2):
        np.testing.assert_allclose(fixed.step(jnp.float32(1.0), n), plain.step(jnp.float32(1.0), n))
        assert close(held(plain), held(fixed))


class Stretch:
    def __init__(self):
        self.last = jnp.float32(0.0)

    def step(self, x, n):
        if x > self.last:
            self.last = x
        return jnp.ones(n) * self.last


class Counting:
    def __init__(self):
        self.calls = 0

    def scaled(self, x, n):
        self.calls += 1
        return x * jnp.zeros(n).shape[0]


def test_what_is_not_traced_may_be_written():
    """A counter of Python's own needs no function of attributes: n is static, as before."""
    diagnosis = jm.diagnose(Counting().scaled, X, 3)
    assert (diagnosis.kind, diagnosis.static_argnames, diagnosis.splits) == ("static", ("n",), ())


class Handing(Stats):
    def both(self, x):
        self.push(x)
        if x > 0:
            register(self)
        return self.mean


class Replay:
    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)
        if self.items[0] > 0:
            return self.items[-1]
        return x * 2


class Born:
    def maybe(self, x):
        if x > 0:
            self.best = x
        return x


class Inside:
    def __init__(self):
        self.total = jnp.zeros(())

    def run(self, x):
        def keep(v):
            self.total = self.total + v
            return v

        if keep(x) > 0:
            return x
        return -x


class Named(History):
    def step(self, X, y):
        """The dict is changed, and handed on."""
        self.w = self.w + X.sum()
        self.history["loss"].append(float(self.w[0]))
        return len(self.history)


def test_a_dict_that_is_changed_by_its_keys_and_read_as_a_whole():
    """One of them would not see the other."""
    assert not jm.diagnose(Named().step, X, Y).splits


def register(thing):
    sys.modules[__name__].LAST = copy.copy(thing)


@pytest.mark.parametrize(
    "method", [Handing().both, Replay().add, Born().maybe, Inside().run], ids=lambda method: method.__func__.__name__
)
def test_objects_that_are_more_than_their_attributes(method):
    """An object that is handed on, a list that is read as it grows, an attribute that may not be there, a function that writes
    from inside: nothing is said to be proven."""
    diagnosis = jm.diagnose(method, jnp.float32(2.0))
    assert not any("attributes" in each.patterns for each in diagnosis.splits)
    assert not [fix for fix in fixes(diagnosis) if fix.proof == "compared" and not fix.rewrite.pieces]


def test_one_object_under_two_names():
    """What one name writes the other one reads: no two sets of attributes."""

    def joined(a, b, x):
        a.push(x)
        if b.mean > 0:
            return b.mean
        return x

    both = Stats()
    diagnosis = jm.diagnose(jax.jit(joined, static_argnums=(0, 1)), both, both, jnp.float32(1.0))
    assert not diagnosis.splits


class Leaking:
    def __init__(self):
        self.w, self.seen = jnp.zeros(2), set()

    def step(self, x):
        self.w = self.w + x
        if self.w.sum() > 3:
            self.seen.add(float(x.max()))
        return self.w


def test_what_the_failed_trace_wrote_is_not_why_it_failed():
    """The tracer in `self.w` came from that trace: it was told as one of an earlier trace, and as the reason."""
    step = jm.jit(Leaking().step)
    with pytest.raises(jax.errors.TracerBoolConversionError) as failed:
        step(X[0])
    diagnosis = diagnose_call(step, (X[0],), {}, failed=failed.value)
    assert [site.code for site in diagnosis.sites][:1] == ["if self.w.sum() > 3:"]
    assert "earlier trace" not in diagnosis.reason
    assert [note for note in diagnosis.notes if "tracers of a failed trace" in note] != []
