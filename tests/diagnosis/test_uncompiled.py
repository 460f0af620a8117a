"""NumPy's way to JAX's results: the same values and dtypes, and nothing compiled for a new shape."""

from __future__ import annotations

import itertools
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jupyter_jitmagic.diagnosis.uncompiled import running as uncompiled
from jupyter_jitmagic.diagnosis.uncompiled.numpy_ops import operation
from jupyter_jitmagic.diagnosis.uncompiled.programs import evaluate
from jupyter_jitmagic.diagnosis.uncompiled.recorded import Recordings
from jupyter_jitmagic.sandbox.clock import Deadline
from jupyter_jitmagic.sandbox.limit import OutOfTime

FLOATS = jnp.array([[0.5, -1.25, 3.0, 0.0], [2.5, jnp.nan, -0.75, 1.0], [1.5, -2.5, jnp.inf, 0.25]])
INTS = jnp.array([[3, -1, 4, 0], [7, 5, -9, 2], [6, -5, 3, 8]])
PLACES = jnp.array([1, 0, -1, 9])

ONE_ARRAY = [
    "x + 1", "x * 0.5", "-x", "x / 3", "x // 2", "x % 3", "x ** 2", "abs(x)", "x > 1", "jnp.sign(x)", "jnp.maximum(x, 1)",
    "jnp.clip(x, -1, 2)", "jnp.where(x > 0, x, 0)", "x.sum()", "x.mean(axis=1)", "x.max(axis=0)", "x.min()", "x.prod()",
    "jnp.any(x > 2)", "jnp.all(x > 2, axis=0)", "jnp.argmax(x[0])", "jnp.argmin(x, axis=1)", "jnp.cumsum(x, axis=1)",
    "jax.scipy.special.gammainc(jnp.abs(x) + 1, 2.0)", "jax.scipy.special.polygamma(1, jnp.abs(x) + 1)",
    "lax.reduce_precision(x * 1.0, 5, 2)", "lax.reduce_precision(x * 1.0, 8, 23)",
    "x.flatten('F')", "x.reshape(2, 6, order='F')",
    "jnp.cumprod(x[0])", "lax.cummax(x, axis=1)", "x.T", "x.reshape(2, 6)", "x[::-1]", "x[1:, ::2]", "x[..., None]",
    "x[0]", "x[-1, 2]", "x[9]", "x[(1,)]", "x[None, 1:9, -1]", "x[...]", "x[()]", "x[2:1]", "x[True]", "x[np.int32(1)]",
    "x[jnp.argmin(x[0])]", "x[jnp.argmin(x[0]) - 2, 1:]", "x[jnp.argmax(x) + 9]", "x[jnp.argmax(x) - 99]",
    "x[:, jnp.argmin(x[1])]", "x[jnp.argmin(x[0]), ..., None]", "x + x[0]", "x * x[:, :1]", "x[0] - x[:, :1]",
    "x > x[1]", "x[:0] + x[0]",
    "jnp.concatenate([x, x], axis=1)", "jnp.stack([x, x])", "jnp.pad(x, ((1, 0), (0, 2)))", "jnp.roll(x, 1, axis=1)",
    "jnp.sort(x, axis=1)", "jnp.argsort(x[0])",
    "lax.top_k(x, 3)", "lax.top_k(jnp.concatenate([x[0], -x[0] * 0, x[0]]), 9)",
    "x @ x.T", "jnp.einsum('ij,kj->ik', x, x)", "jnp.tensordot(x, x, 2)",
    "x[PLACES[:3]]", "x[:, PLACES]", "jnp.take(x[0], PLACES)", "jnp.take_along_axis(x, jnp.abs(INTS) % 4, axis=1)",
    "x.at[1].set(7)", "x.at[PLACES[:3]].add(2)", "x.at[0, PLACES].multiply(3)", "x.at[:, 1].max(1)",
    "x.at[jnp.array([0, 5])].set(1)", "x.at[1, 2].set(x[0, 0])", "x.at[-1].add(x[0])", "x.at[1:, ::2].set(0)",
    "x.at[9].set(1)", "x.at[jnp.argmin(x[0]) - 2, 1:].set(3)",
    "x.at[jnp.argmax(x) + 9].add(1)", "x.at[0].set(x[0].astype(jnp.int32))", "x.at[0].add(x[0] > 1)", "x.at[1].set(2**24 + 1)",
    "x.at[1].get()",
    "x.at[0].set(1, mode='drop')", "(x > 1).at[0].set(True)", "x[np.array([True, False, True])]",
    "[row.sum() for row in x]", "list(x[0])", "list(x[:0])", "jnp.array([v * 2 for v in x[0]])",
    "jnp.tril(x)", "jnp.diff(x)", "jnp.searchsorted(jnp.arange(5), x[0])", "x.astype(jnp.int32)", "x.astype(jnp.float16)",
    "jnp.isnan(x)", "jnp.nan_to_num(x)", "jnp.round(x)", "jnp.floor(x)", "jnp.linspace(0, 1, 5) * x[0, 0]", "jnp.eye(3) @ x",
    "jax.nn.one_hot(PLACES, 5)", "jax.vmap(lambda row: row.sum() * row)(x)",
    "jax.ops.segment_sum(x[0], jnp.array([0, 2, 0, 1]), 3)",
    "lax.dynamic_slice_in_dim(x, PLACES[0] + 5, 2)", "lax.dynamic_update_slice_in_dim(x, x[:1], 2, 0)", "lax.rem(x, x + 1)",
    "lax.scan(lambda c, row: (c + row, c), x[0], x)", "lax.fori_loop(0, 3, lambda i, c: c + x[i], x[0])",
    "lax.while_loop(lambda c: c[1] < 4, lambda c: (c[0] + x, c[1] + 1), (x, 0))",
    "lax.cond(x[0, 0] > 0, lambda: x, lambda: -x)",
    "lax.switch(PLACES[3], [lambda: x, lambda: -x])", "jax.tree.map(lambda v: v * 2, {'a': x, 'b': (x, 3)})",
    "lax.map(lambda row: row.max(), x)", "lax.associative_scan(jnp.add, x)", "x.sum(where=x > 1)",
    "jnp.histogram(x[0], bins=3)[0]", "jnp.stack([x, x], axis=1)", "jnp.unstack(x)", "jnp.split(x, 2, axis=1)",
    "lax.pad(x, jnp.zeros((), x.dtype), ((-1, 2, 0), (1, -2, 1)))", "jnp.searchsorted(jnp.sort(x[0]), x[1])",
    "lax.sort((jnp.sign(x), x), dimension=1, num_keys=2)", "jnp.lexsort((x[0], x[1]))", "jnp.unique(x[0], size=6)",
    "jnp.nonzero(x > 0, size=5, fill_value=0)", "jnp.digitize(x, jnp.arange(4))", "jnp.empty((2, 3)).shape",
]  # fmt: skip
FLOATS_ALONE = [
    "x.at[0, 0].add(2.5)",
    "jnp.sqrt(x)", "jnp.exp(x)", "jnp.log(x)", "jnp.log1p(x)", "jnp.sin(x)", "jnp.tanh(x)", "jnp.arctan2(x, 2.0)", "x ** 1.5",
    "jax.nn.sigmoid(x)", "jax.nn.softmax(x[0])", "jax.nn.relu(x)", "jnp.std(x[0])", "jnp.var(x, axis=1)", "jnp.median(x[0])",
    "jnp.linalg.norm(x[0])", "jax.scipy.special.erf(x)", "jax.scipy.special.gammaln(jnp.abs(x))", "jnp.logaddexp(x, x)",
    "jnp.angle(lax.complex(x * 0, -x))",
    "jax.scipy.special.logsumexp(x[0])", "jnp.nanmean(x)", "jnp.percentile(x[0], 30)", "jnp.interp(0.3, jnp.arange(4.0), x[0])",
]  # fmt: skip
PLAINLY = [
    "x.at[x > 1].set(0)", "x.at[x > 1].add(x[x > 1])", "x.at[x[:, 0] > 1].set(x[0])", "x[x > 1]", "x[x[:, 0] > 1]",
    "x[x > 99]", "x[0][x[1] > 1]",
]  # fmt: skip
"""What has no shape before it is run."""
CASES = [("FLOATS", text) for text in (*ONE_ARRAY, *FLOATS_ALONE)] + [("INTS", text) for text in ONE_ARRAY]


def function(text):
    return eval(f"lambda x: {text}", globals())  # noqa: S307 - the expressions above


def alike(got, want):
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
        np.testing.assert_allclose(np.asarray(a, np.float64), np.asarray(b, np.float64), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("text", PLAINLY)
@pytest.mark.parametrize("x", [FLOATS, INTS], ids=["floats", "ints"])
def test_masks_choose_and_write_what_they_do_in_jax(x, text):
    alike(uncompiled.run(function(text), (x,), {}, Deadline(20)), function(text)(x))


@pytest.mark.parametrize("text", ["x.at[0].set(x)", "x.at[0].no_such_update(x)", "x[jnp.ones(9, bool)]", "list(x[0, 0])"])
def test_what_jax_refuses_is_refused_in_its_words(text):
    with pytest.raises(Exception) as want:
        function(text)(FLOATS)
    with pytest.raises(type(want.value)) as got:
        uncompiled.run(function(text), (FLOATS,), {}, Deadline(20))
    assert str(got.value).split("_")[0] == str(want.value).split("_")[0]


def test_a_run_that_is_known_reads_and_writes_at_other_places():
    """Numbers that are arrays are given anew; a mask is asked for, and with another one Python runs."""

    def fun(x, i):
        runs.append(1)
        return x.at[i].set(x[i] * 2)[x > 0]

    runs = []
    known = Recordings(lambda: None, lambda seen: None)
    for x, i in [((1.0, 2.0, 3.0), 0), ((4.0, 5.0, 6.0), 2), ((-1.0, 2.0, 3.0), 1)]:
        given = (jnp.array(x), jnp.array(i))
        alike(
            uncompiled.run(fun, given, {}, Deadline(20), recordings=known, same="fun"), given[0].at[i].multiply(2)[given[0] > 0]
        )
    assert len(runs) == 2


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_plain_python_and_a_program_give_what_jax_gives(kind, text):
    fun, x = function(text), globals()[kind]
    want = fun(x)
    alike(uncompiled.run(fun, (x,), {}, Deadline(20)), want)
    alike(uncompiled.evaluate(jax.jit(fun).trace(x), [x], Deadline(20)), jax.tree.map(jnp.asarray, want))


@pytest.mark.parametrize("text", ["x[0]", "x[i]", "x[i, None]", "x[-i]", "x[i + 9]", "x[i:]", "x * x[:1]", "x + x[:, None]"])
def test_what_is_read_and_what_has_two_shapes_is_as_weak_as_with_jax(text):
    """Where every index is a number within bounds nothing of JAX's is asked, and neither for arrays that are broadcast."""
    kinds = []

    def plain(x, i):
        found = eval(text, {"x": x, "i": i})  # noqa: S307 - the expressions above
        kinds.append(jax.typeof(found))
        return found

    for x in (jnp.arange(3), jnp.ones(3), jnp.full(3, 2.0), jnp.ones((3, 3), bool)):
        for i in (1, jnp.uint8(1), jnp.asarray(2)):
            kinds.clear()
            try:
                want = plain(x, i)
            except TypeError:
                continue  # bool times bool, minus of uint8, an array as the bound of a slice, in JAX
            alike(uncompiled.run(plain, (x, i), {}, Deadline(20)), want)
            assert kinds[0].str_short() == kinds[1].str_short() and kinds[0].weak_type == kinds[1].weak_type


def test_a_known_run_reads_no_element_that_is_not_there():
    """Its index comes from data: where that is out of bounds the run is one of JAX's rules."""
    recordings = Recordings(lambda: None, lambda seen: None)

    def plain(x, i):
        return x[i] * 2

    x = jnp.arange(4.0)
    for i in (1, 3, -4, 4, 99, -9):
        got = uncompiled.run(plain, (x, jnp.asarray(i)), {}, Deadline(20), None, recordings, "it")
        assert got == plain(x, i), i


def test_python_gets_every_value_it_asks_for():
    def plain(x):
        total = 0.0
        for row in x:
            if row.sum() > 0:
                total += float(row[0]) * int(row.argmax())
        return (
            total,
            [v.item() for v in x[0]],
            x[x > 0],
            jnp.nonzero(x[0] > 0)[0],
            jnp.unique(x[0]),
            f"{x[0, 0]:.2f}",
            np.asarray(x),
        )

    x = jnp.nan_to_num(FLOATS)
    got, want = uncompiled.run(plain, (x,), {}, Deadline(20)), plain(x)
    for a, b in zip(got, want, strict=True):
        assert np.array_equal(a, b), (a, b)


def test_gradients_of_plain_python_are_computed_too():
    def plain(x):
        total = 0.0
        for value in x:
            total = total + (jnp.sin(value) if value > 0 else value * value)
        return total

    x = jnp.array([0.5, -1.5, 2.0])
    alike(uncompiled.run(jax.grad(plain), (x,), {}, Deadline(20)), jax.grad(plain)(x))


def test_nothing_is_compiled_for_another_shape():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration, **_: compiled.append(event) if "backend_compile" in event else None
    )
    for length in (41, 43):
        x = np.linspace(-1, 1, length, dtype=np.float32)
        given = jnp.asarray(x)
        compiled.clear()
        uncompiled.run(lambda v: jnp.where(v > 0, jnp.sin(v), v).sum() + v[v > 0].max(), (given,), {}, Deadline(20))
    assert compiled == []


def test_python_s_numbers_keep_their_types():
    """A number beside an array is weakly typed, one too large for it is refused, a power keeps its exponent."""
    x = jnp.array([1, 2, 3])

    def plain(x):
        return x + 1, 1 - x, x / 2, x * 1.5, 2 // (x + 1), x**2, 2**x, -x, ~x, abs(x), x == 2, True & (x > 1), x @ x

    alike(uncompiled.run(plain, (x,), {}, Deadline(20)), plain(x))
    with pytest.raises(OverflowError):
        uncompiled.run(lambda x: x + 2**40, (x,), {}, Deadline(20))


def test_floats_in_total_order():
    values = np.array([-np.nan, -np.inf, -1.0, -0.0, 0.0, 2.0, np.inf, np.nan], np.float32)
    for name in ("le_to", "lt_to"):
        compared = operation(name)({}, values[:, None], values[None, :])
        places = np.arange(len(values))
        want = places[:, None] <= places[None, :] if name == "le_to" else places[:, None] < places[None, :]
        assert np.array_equal(compared, want)


@pytest.mark.parametrize("limits", [(3.0, 9.0, 1.0), (3.0, 3.0, 3.0)])
def test_a_loop_under_vmap_goes_on_where_it_does(limits):
    """Rows that have ended keep what they have, whatever shape that is."""

    def row(limit, x):
        return lax.while_loop(lambda c: c[0] < limit, lambda c: (c[0] * 2, c[1] + c[0], c[2] + 1), (1.0, x, 0))

    given = jnp.array(limits), jnp.arange(6.0).reshape(3, 2)
    fun = jax.jit(jax.vmap(row))
    got = evaluate(fun.trace(*given), given, Deadline(5.0))
    for one, other in zip(got, fun(*given), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_a_loop_without_end_is_stopped():
    traced = jax.jit(lambda x: lax.while_loop(lambda c: c < 1, lambda c: c * 1.0, x)).trace(jnp.array(0.5))
    with pytest.raises(OutOfTime):
        uncompiled.evaluate(traced, [jnp.array(0.5)], Deadline(0.2))


OPERANDS = [
    jnp.array([-7.0, -1.5, 0.25, 2.0]), jnp.array([3, -2, 5, -7]), jnp.ones((2, 1)), jnp.arange(4.0).astype(jnp.bfloat16),
    jnp.float32(2.5), 2, -0.5,
]  # fmt: skip


@pytest.mark.parametrize("apply", [operator.mul, operator.floordiv, operator.lt, operator.pow])
def test_an_operator_gives_what_jax_gives_for_arrays_of_every_shape_beside_each_other(apply):
    """One program serves arrays of all shapes: dtype and shape are still those of each pair."""
    for left, right in itertools.product(OPERANDS[:-2], OPERANDS):
        alike(uncompiled.run(apply, (left, right), {}, Deadline(20)), apply(left, right))


def test_an_operator_between_weakly_typed_arrays_is_weakly_typed():
    def plain(x):
        weak = jnp.asarray(2) * x
        return weak, weak * jnp.float16(0.5), (weak**2) * jnp.float16(0.5), (jnp.ones(3) * x) * jnp.float16(0.5)

    x = jnp.asarray(1.5)
    alike(uncompiled.run(plain, (x,), {}, Deadline(20)), plain(x))


def test_a_matrix_with_an_infinite_number_is_taken_apart_in_time():
    """LAPACK finds no end for the singular values of this one, where it looks at rewrites on infinite data; others are kept."""
    program = jax.jit(lambda x: jnp.linalg.svd(x, compute_uv=False)).trace(jnp.ones((4, 3)))
    rows = np.array([[np.inf, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], np.float32)
    assert np.isnan(np.asarray(evaluate(program, [rows], Deadline(60.0)))).all()
    rows[0, 0] = 2.0
    found = np.asarray(evaluate(program, [rows], Deadline(60.0)))
    np.testing.assert_allclose(found, np.linalg.svd(rows, compute_uv=False), rtol=1e-4)


def test_short_floats_are_computed_with_more_bits_and_rounded_once():
    """As XLA does; of these every operation was compiled by JAX for every shape, which took most of a diagnosis's time."""

    def plain(x, y):
        chosen = jnp.where(x > y, x * y, x - y)
        return chosen, jnp.sort(chosen)[::-1], jnp.exp(x) / (1 + jnp.tanh(y)), x @ y, jnp.argmax(x), x.astype(int), jnp.round(x)

    x = jnp.array([0.1, 1.5, -2.25, 3.0, 0.7], jnp.bfloat16)
    y = jnp.array([0.3, 1.25, 7.0, -0.5, 0.2], jnp.bfloat16)
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        listener := lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
    )
    try:
        found = uncompiled.run(plain, (x, y), {}, Deadline(20))
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)
    alike(found, plain(x, y))
    assert not compiled


PARTS_OF_KEYS = {
    "each in turn": lambda keys: [jax.random.normal(key) for key in keys],
    "each second": lambda keys: jax.random.key_data(keys[1::2]),
    "one": lambda keys: jax.random.uniform(keys[-1], (3,)),
    "in rows": lambda keys: jax.random.key_data(keys.reshape(2, 3)[1]),
}


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
@pytest.mark.parametrize("how", PARTS_OF_KEYS)
def test_keys_are_taken_out_of_an_array_by_their_numbers(how, impl, monkeypatch):
    """2,000 rounds that draw with a key each compiled as many slices: JAX's own is not asked for any."""
    keys = jax.random.split(jax.random.key(3, impl=impl), 6)
    want = PARTS_OF_KEYS[how](keys)
    monkeypatch.setattr(lax.slice_p, "impl", None)
    got = uncompiled.run(PARTS_OF_KEYS[how], (keys,), {}, Deadline(20))
    monkeypatch.undo()
    jax.tree.map(np.testing.assert_array_equal, got, want)
