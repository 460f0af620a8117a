"""The answer as a whole: its kind, the smallest static set, and the reason in a sentence."""

import enum
import functools
import math
import sys
import warnings
from datetime import timedelta

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.diagnosis import diagnose, find_sites, trace_error
from jupyter_jitmagic.diagnosis.call.calls import bind
from jupyter_jitmagic.diagnosis.statics.otherwise import decides_what_comes_out
from jupyter_jitmagic.display import to_text
from jupyter_jitmagic.display.advice import Context, advice

X = jnp.arange(4.0)


def test_the_lesson_s_function_is_not_cured_by_a_static_threshold():
    def conditional_double(x, threshold):
        if x > threshold:
            return x * 2
        else:
            return x

    answer = diagnose(conditional_double, jnp.array(5.0), threshold=0.0)
    assert answer.kind == "rewrite" and answer.static_argnames == ()
    assert answer.sites[0].code == "if x > threshold:" and answer.sites[0].arguments == ("x", "threshold")
    assert "data" in answer.reason and "static does not help" in answer.reason


def test_a_size_is_static_and_the_set_was_traced():
    def padded(x, n):
        return jnp.zeros(n).at[: x.shape[0]].set(x)

    answer = diagnose(padded, X, 6)
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static", ("n",), True)
    assert trace_error(padded, (X, 6), {}, ["n"]) is None


def test_a_function_that_traces_needs_nothing():
    answer = diagnose(lambda x: x + 1, X)
    assert answer.kind == "traces" and answer.sites == () and answer.verified


def test_positional_only_and_star_arguments_are_static_by_number():
    def f(n, /, x):
        return jnp.zeros(n) + x[0]

    def g(x, *sizes):
        return jnp.zeros(sizes) + x[0]

    assert diagnose(f, 3, X).static_argnums == (0,)
    assert diagnose(g, X, 2, 3).static_argnums == (1, 2)


def test_names_that_reach_kwargs_are_static_by_name():
    def f(x, **options):
        return x.sum() if options["total"] else x

    assert diagnose(f, X, total=True).static_argnames == ("total",)


def test_what_the_function_declares_already_is_part_of_the_answer():
    @functools.partial(jax.jit, static_argnames="n")
    def f(x, n, m):
        return jnp.zeros((n, m)) + x[0]

    assert diagnose(f, X, 2, 3).static_argnames == ("n", "m")


def test_a_float_that_is_compared_is_data_and_one_that_decides_a_shape_is_static():
    def compared(x, limit):
        return x * 2 if limit > 0.5 else x

    def sized(x, share):
        return x[: int(share * x.shape[0])]

    def place(x, at):
        if at < 0 or at > len(x) - 1:  # whole numbers of floats that pick elements decide no shape, whichever way is taken
            return 0.0
        k = int(at)
        return x[k] + (at - k) * (x[min(k + 1, len(x) - 1)] - x[k])

    assert diagnose(compared, X, 0.7).kind == "rewrite"
    assert diagnose(sized, X, 0.5).static_argnames == ("share",)
    assert diagnose(place, X, 0.5).kind == "rewrite"


def test_arrays_and_unhashable_arguments_are_never_proposed():
    def f(x, cfg):
        return [x for _ in range(cfg["n"])]

    answer = diagnose(f, X, {"n": 3})
    assert answer.kind == "rewrite" and answer.static_argnames == ()


@pytest.mark.parametrize(
    ("held", "value", "kind", "said"),
    [
        (("x", "n"), 3, "static", "leave it traced. With that the call traces."),
        (("x",), 3, "static", "With `n` static in its place the call traces"),
        (("n",), jnp.int32(3), "not_staticness", "`n` is declared static, and is an array, which has no hash: pass `int(n)`"),
    ],
)
def test_an_array_that_is_declared_static(held, value, kind, said):
    """It was said to pass a tuple."""

    def f(x, n):
        return jnp.zeros(n) + x.sum()

    answer = diagnose(jax.jit(f, static_argnames=held), X, value)
    assert (answer.kind, answer.verified) == (kind, True)
    assert said in answer.reason
    assert answer.static_argnames == (("n",) if kind == "static" else ())


class Mode(enum.Enum):
    A = 1


@pytest.mark.parametrize("value", ["mean", Mode.A, jnp.sin, np.dtype("float32"), ("a", 1)])
def test_arguments_that_are_no_jax_type_are_static_where_hashable(value):
    assert diagnose(lambda x, mode: x, X, value).static_argnames == ("mode",)


def test_both_are_said_where_both_are_needed():
    def f(x, k, name):
        best = jax.lax.top_k(x, k)[0]
        return best[best > 1] if name == "a" else best

    answer = diagnose(f, X, 2, "a")
    assert answer.kind == "static+rewrite" and set(answer.static_argnames) == {"k", "name"}


def leak():
    kept = []
    jax.jit(lambda x: kept.append(x) or x)(1.0)

    def f(x):
        return x + kept[0]

    return f


def carry(x):
    return jax.lax.fori_loop(0, 3, lambda i, c: c * 0.5, jnp.zeros((), int) + 1) + x


def in_place(x):
    x[0] = 1.0
    return x


def in_place_behind_a_site(x, bins):
    counts = jnp.zeros(bins)
    lowest = float(x.min())
    counts[0] += lowest
    return counts


async def coroutine(x):
    return x


def scanned(x):
    return jax.lax.scan(lambda c, t: (c + 1 if c > 0 else c, t), 0.0, x)


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (leak(), (X,), "closure variable kept[0]"),
        (carry, (X,), "carry"),
        (in_place, (np.ones(3),), ".at["),
        (in_place_behind_a_site, (X, 4), ".at["),
        (coroutine, (X,), "async"),
        (lambda x: x @ jnp.ones(7), (X,), "shapes"),
        (lambda x: "text", (X,), "str"),
        (scanned, (X,), "traced"),
        (lambda x, cfg: x, (X, {"name": "a"}), "cfg['name'] is a str"),
    ],
)
def test_other_failures_are_told_in_a_sentence(fun, args, said):
    answer = diagnose(fun, *args)
    assert answer.kind == "not_staticness"
    assert said in answer.reason


def test_nothing_of_the_call_is_changed_or_printed(capsys):
    def f(x, n):
        print("hello")
        np.random.rand()
        return jnp.zeros(n) + x[0]

    state = np.random.get_state()[2]
    diagnose(f, X, 3)
    assert capsys.readouterr().out == "" and np.random.get_state()[2] == state


@pytest.mark.parametrize("fun", [len, functools.partial(jnp.zeros, dtype=int), 3])
def test_whatever_is_called_there_is_an_answer(fun):
    assert diagnose(fun, 2).reason


def test_the_answer_is_json_able():
    import json

    json.dumps(diagnose(lambda x: 1 if x > 0 else 2, 1.0).to_dict())


kept = []


class Counter:
    made = 0

    def __init__(self):
        self.calls = []


def test_what_the_function_changes_is_put_back():
    counter = Counter()

    def f(x, n):
        kept.append(x)
        Counter.made += 1
        counter.calls.append(n)
        return jnp.zeros(n) + x[0]

    assert diagnose(f, X, 3).static_argnames == ("n",)
    assert (kept, Counter.made, counter.calls) == ([], 0, [])


def test_what_other_threads_print_is_not_lost(capsys):
    import threading

    over = threading.Event()
    printed = []

    def speak():
        while not over.wait(0.0005):
            print("from another thread")
            printed.append(1)

    def f(x, threshold):
        print("from the function")
        if x.sum() > threshold:
            return x * 2
        return x

    thread = threading.Thread(target=speak)
    thread.start()
    diagnose(f, X, 3)
    over.set()
    thread.join()
    out = capsys.readouterr().out
    assert out.count("from another thread") == len(printed) > 0 and "from the function" not in out


def test_a_function_is_not_run_beyond_what_cannot_be_put_back():
    """What was met before is told, and why it ends there."""
    import subprocess

    def f(x):
        if x.sum() > 0:
            subprocess.run(["touch", "/nowhere/at/all"], check=True)
        return x

    answer = diagnose(f, X)
    assert answer.sites[0].code == "if x.sum() > 0:" and not answer.verified
    assert "was not traced again, because it starts a process (line " in answer.reason


def test_a_loop_that_never_ends_on_concrete_values_is_stopped():
    def f(x):
        n = int(x[1])
        while n != 0:
            n += 2
        return x

    found = find_sites(f, (X,), {}, seconds=0.2)
    assert [site.operation for site in found.sites] == ["int"] and not found.complete


def test_deleted_and_huge_arrays_are_not_read():
    gone = jnp.arange(3.0) + 1
    gone.delete()
    huge = np.broadcast_to(np.float32(1), (2**26,))
    for x in (gone, huge):
        answer = diagnose(lambda x: x if x.sum() > 0 else -x, x)
        assert answer.kind == "rewrite" and answer.sites[0].operation == "ternary"


def test_jitted_methods_take_self_as_an_argument():
    class Model:
        @jax.jit
        def step(self, x, n):
            return x[:n]

    assert diagnose(Model().step, X, 2).static_argnames == ("self", "n")


def test_jax_may_refuse_a_tracer_without_asking_for_its_value():
    @functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
    def pooled(x, size):
        return x.reshape(-1, size).max(axis=1)

    pooled.defvjp(lambda x, size: (pooled(x, size), x), lambda size, saved, g: (saved,))
    answer = diagnose(lambda x, size: pooled(x, size).sum(), X, 2)
    assert (answer.kind, answer.static_argnames) == ("static", ("size",))
    many = diagnose(lambda x, a, b, c, d, size: pooled(x + a + b + c + d, size).sum(), X, 1, 2, 3, 4, 2)
    assert many.static_argnames == ("size",)


def test_a_variable_that_no_branch_sets_for_a_tracer_tells_of_static_arguments():
    """`isinstance(pad, int)` is False for a tracer, and what its branch would have set is missing behind it."""

    def padded(x, pad, size, more=0):
        if isinstance(pad, int):
            pad = (pad, pad)
        if isinstance(pad, tuple):
            wide = jnp.pad(x, pad)
        wide = wide[: wide.shape[0] - more]
        return wide[: wide.shape[0] // size * size].reshape(-1, size).sum(1)

    found = diagnose(padded, X, 1, 2)
    assert (found.kind, found.static_argnames, found.verified) == ("static", ("pad", "size"), True)
    assert "more is left out here: where it is given, it has to be static as well" in found.reason

    def misspelled(x, n):
        return x * fcator  # noqa: F821

    assert diagnose(misspelled, X, 2).kind == "not_staticness"


def test_a_key_made_of_a_traced_number_is_a_site():
    answer = diagnose(lambda params, i: params[f"w{i}"], {"w1": X}, 1)
    assert (answer.kind, answer.static_argnames) == ("static", ("i",))
    assert answer.sites[0].arguments == ("i",)


def test_an_error_that_the_user_raises_again_still_tells_the_site():
    def f(x, n):
        try:
            return jnp.zeros(n)
        except TypeError as error:
            raise ValueError("bad n") from error

    answer = diagnose(f, X, 3)
    assert answer.kind == "static" and answer.sites[0].code == "return jnp.zeros(n)"


def test_a_count_of_steps_that_a_function_of_math_reads_may_be_data():
    """A schedule: static it compiles again for each step, so the other way is shown."""

    def rate(step, warmup, total, base=1e-3):
        if step < warmup:
            return base * step / max(1, warmup)
        if step >= total:
            return 0.0
        return 0.5 * base * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

    found = diagnose(rate, 30, 10, 100)
    assert found.kind == "static" and found.static_argnames == ("step", "warmup", "total")
    assert found.rewrites and "jnp.cos" in found.rewrites[0].source
    assert "one program for every step, warmup and total" in to_text(advice(found, Context(jitfix="")))
    assert not diagnose(lambda x, width: x / math.sqrt(width), X, 4).rewrites


def test_where_a_window_begins_may_be_data():
    """Static, a batch's number compiles again for each batch; what decides a length alone stays static."""

    def loss(x, i, size):
        batch = x[i * size : (i + 1) * size]
        return (batch**2).mean()

    found = diagnose(loss, jnp.arange(12.0), 1, 4)
    assert found.kind == "static" and found.static_argnames == ("i", "size")
    assert found.rewrites and all(each.static_argnames == ("size",) and each.verified for each in found.rewrites)
    assert "Where i counts up, 1,000 calls compile 1,000 times" in found.reason
    assert not diagnose(lambda x, n: x[:n].mean(), X, 2).rewrites


def test_beside_a_name_that_has_to_be_static_a_number_may_be_data():
    """The other way keeps the name static, and says so."""

    def price(kind, quantity):
        total = {"a": 1.0, "b": 2.0}[kind] * quantity
        if quantity > 10:
            total = total * 0.9
        return total

    found = diagnose(price, "a", 12)
    assert found.kind == "static" and found.static_argnames == ("kind", "quantity")
    assert found.rewrites and all(each.static_argnames == ("kind",) and each.verified for each in found.rewrites)
    shown = to_text(advice(found, Context(jitfix="")))
    assert "Another way: jnp.where + static kind: one program for every quantity" in shown


def test_a_count_that_may_be_data_has_a_rewrite_beside_the_static_answer():
    def f(x, n):
        for _ in range(n):
            x = x * 0.5
        return x

    answer = diagnose(f, X, 3)
    assert answer.kind == "static" and answer.static_argnames == ("n",)
    assert answer.rewrites and answer.rewrites[0].patterns == ("fori_loop",)


def test_numpy_arguments_are_not_changed():
    def f(x):
        x[0] = 7.0
        if x.sum() > 0:
            x[1] = 5.0
        return x

    given = np.ones(3)
    assert diagnose(f, given).kind == "rewrite"
    assert list(given) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("taken", [np.array, np.asarray, lambda x: np.array(x, np.float64)], ids=["array", "asarray", "dtype"])
def test_what_numpy_takes_of_an_argument_is_written_to_without_it(taken):
    """A copy that plain Python makes is one in every run of ours, and what it shares with the caller's array is not shared."""

    def f(x, u):
        kept = taken(x)
        for i in range(len(kept)):
            if u[i] < 0.5:
                kept[i] *= -1
        return jnp.asarray(kept)

    given = np.array([1.0, 2.0, 3.0])
    assert diagnose(f, given, np.array([0.1, 0.9, 0.2])).kind == "rewrite"
    assert list(given) == [1.0, 2.0, 3.0]


def test_a_loop_that_would_lose_the_gradient_is_not_offered_and_it_is_said() -> None:
    """Beside a static count, where a gradient is taken: of the function or inside of it."""

    def power(x, n):
        out = 1.0
        for _ in range(n):
            out = out * x
        return out

    def step(x, n):
        return jax.value_and_grad(lambda x: power(x, n))(x)

    for fun in (jax.grad(power), step):
        answer = diagnose(fun, jnp.asarray(1.5), 3)
        assert answer.kind == "static" and not answer.rewrites
        assert "would have no gradient in reverse mode, which is taken here" in answer.reason
    assert "gradient" not in diagnose(power, jnp.asarray(1.5), 3).reason


@pytest.mark.parametrize(
    ("fun", "args", "said"),
    [
        (lambda x: x.fill(0.0), (X,), "no .fill"),
        (lambda x, cfg: x.reshape(cfg["rows"], -1), (X, {"rows": 2}), "pass cfg['rows'] as an argument of its own"),
        (lambda x, cfg: x.reshape(cfg["rows"], -1) if cfg["on"] else x, (X, {"rows": 2, "on": True}), "a frozen dataclass"),
        (lambda x, shape: x.reshape(shape), (X, [2, 2]), "pass a tuple"),
    ],
)
def test_reasons_say_what_to_do(fun, args, said):
    assert said in diagnose(fun, *args).reason


def test_an_argument_is_named_though_its_name_begins_another_ones():
    def f(x, n, nn):
        return x + jnp.zeros(nn).sum() + jnp.zeros(n).sum()

    answer = diagnose(f, X, 3, 4)
    assert answer.static_argnames == ("n", "nn")
    assert answer.reason.startswith("n and nn are needed while tracing")


def test_a_static_self_that_compares_by_identity_is_warned_of():
    """The best-known trap of JAX: what a static object holds is frozen at the trace."""

    class Model:
        def __init__(self, degree):
            self.degree = degree

        def power(self, x):
            return sum(x**k for k in range(self.degree))

    d = diagnose(jax.jit(Model.power), Model(3), jnp.ones(2))
    assert d.kind == "static" and d.static_argnames == ("self",)
    assert "changes of its attributes are not seen" in d.reason and "__hash__" in d.reason


def test_a_static_number_or_function_is_not_warned_of():
    assert "identity" not in diagnose(lambda x, n: jnp.zeros(n) + x, 1.0, 3).reason
    assert "identity" not in diagnose(lambda x, f: f(x), 1.0, jnp.sin).reason


@jax.jit
def _scaled(x):
    return x * 2


def _deleted():
    array = jnp.arange(4.0)
    array.delete()
    return array


GONE = _deleted()


@pytest.mark.parametrize(
    "fun, args, said, line",
    [
        (lambda x, n: x + n, (GONE, 2), "The array in x was deleted", "lambda x, n: x + n"),
        (lambda x: x + GONE, (X,), "The array in the global GONE was deleted", "x + GONE"),
        (jax.jit(lambda x: x * 3, donate_argnums=0), (GONE,), "x is donated: an earlier call took over its memory", "x * 3"),
        (lambda x: jax.grad(lambda v: v * 2)(x), (X,), "returns an array of shape (4,)", "jax.grad"),
        (lambda x: jax.lax.cond(x[0] > 0, lambda v: v.sum(), lambda v: v, x), (X,), "float32[], another float32[4]", "cond"),
        (lambda x: jax.vmap(lambda v: jax.lax.psum(v, "i"))(x), (X,), "an axis named 'i'", "psum"),
        (lambda x: x - None, (X,), "TypeError: unsupported operand type(s) for -: 'Array'", "None"),
        (lambda t: t, (np.array(["2020-01-01"], "datetime64[D]"),), "a NumPy array of dates", "lambda t: t"),
        (lambda x, s: x * len(s), (X, {1, 2}), "Pass a frozenset", "len(s)"),
        (lambda x: {"a": x, "b": "name"}, (X,), "returns a str at ['b']", None),
        (lambda x: jax.tree.map(lambda a, b: a + b, {"a": x, "b": x}, {"a": x}), (X,), "differ in their structure", "tree.map"),
    ],
)
def test_other_failures_are_told_in_plain_words(fun, args, said, line):
    found = diagnose(fun, *args)
    assert found.kind == "not_staticness"
    assert said in found.reason
    assert line is None or line in found.sites[0].code
    assert "Tracer" not in found.reason


def test_a_deleted_argument_that_the_program_does_not_read_does_no_harm():
    assert diagnose(lambda x, y: y * 2, GONE, X).kind == "traces"


def test_a_number_that_jax_hands_on_as_it_is_can_still_be_static():
    """custom_jvp stops the gradient of its nondiff arguments, np.random a seed through NumPy: both leave numbers alone."""

    @functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
    def series(x, n):
        return sum(x**k for k in range(n))

    series.defjvp(lambda n, primals, tangents: (primals[0], tangents[0]))
    assert diagnose(lambda x, n: series(x, n), 0.5, 3).static_argnames == ("n",)
    assert diagnose(lambda x, seed: x + np.random.RandomState(seed).rand(), X, 3).static_argnames == ("seed",)


def test_where_plain_python_gets_further_and_fails_too_both_lines_are_shown():
    def fun(x, n):
        pad = jnp.zeros(n)
        return pad + x

    found = diagnose(fun, X, 3)
    assert found.kind == "not_staticness"
    assert [site.code for site in found.sites] == ["pad = jnp.zeros(n)", "return pad + x"]


def test_a_name_beside_numbers_is_static_by_keyword_only():
    """JAX concludes no number from a name where numbers are given too."""
    fun = functools.partial(jax.jit, static_argnums=1, static_argnames="m")(lambda x, n, m: jnp.zeros((n, m)) + x)
    assert diagnose(fun, 1.0, 2, m=3).kind == "traces"
    found = diagnose(fun, 1.0, 2, 3)
    assert found.kind == "static" and found.static_argnames == ("n", "m")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a slice is hashable")
def test_a_slice_cannot_be_static_before_python_3_12():
    assert "Pass its start and stop" in diagnose(lambda x, part: x[part], X, slice(0, 2)).reason


def test_a_way_that_was_not_traced_is_not_told_as_the_cure():
    """The int here decides a shape: what usually replaces int() would not do."""
    answer = diagnose(lambda x: jnp.ones(int(x.sum())), X)
    assert answer.kind == "rewrite" and not answer.verified
    assert "No rewrite" in answer.reason and ".astype" not in answer.reason


def flipped(x, limit, flip):
    if flip and x.sum() > limit:
        x = -x
    return x


def by_mode(x, mode="keep"):
    if mode == "shrink" and x.max() > 1:
        x = x / x.max()
    return x * 2


def without_nan(x, how="omit"):
    if how == "omit":
        x = x[~jnp.isnan(x)]
    elif how == "zero":
        x = jnp.where(jnp.isnan(x), 0.0, x)
    return x.sum()


def slope_without_nan(x, how="omit"):
    return jax.grad(without_nan)(x, how)


def without_nan_as_told(x, how):
    return without_nan(x, how)


@pytest.mark.parametrize(
    ("fun", "args", "name"),
    [
        (flipped, (X, 1.0, False), "flip"),
        (by_mode, (X, "keep"), "mode"),
        (slope_without_nan, (X, "zero"), "how"),
        (without_nan_as_told, (X, "zero"), "how"),
    ],
)
def test_a_flag_is_not_the_cure_where_its_other_value_needs_data(fun, args, name):
    answer = diagnose(fun, *args)
    assert (answer.kind, answer.static_argnames) == ("static+rewrite", (name,))
    assert answer.rewrites[0].static_argnames == (name,)
    assert answer.reason.startswith("Static arguments alone would do in this call, but not with ")


def by_order(x, order):
    if order == 1:
        return jnp.abs(x).sum()
    return x[x > 0].sum()


def test_another_number_of_a_static_argument_may_need_a_rewrite_as_well():
    """With `order=1` it traces; the other order selects by a mask."""
    answer = diagnose(by_order, X, 1)
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static+rewrite", ("order",), True)
    assert "but not with order=2: line " in answer.reason


def test_a_number_at_whose_limit_data_decides_is_data():
    """`if y == last: return 1.0 if x == goal else -1.0`: static, each y alone would trace, but the last."""
    answer = diagnose(_caught, 2, 3, 4)
    assert answer.kind == "rewrite" and answer.verified and "but not with y=" in answer.reason


def _caught(x, goal, y, last=9):
    y += 1
    if y == last:
        return 1.0 if x == goal else -1.0
    return 0.0


def test_plain_python_is_not_said_to_fail_where_it_does_not():
    def f(x):
        return x * (2.0 + {"ArrayImpl": 1.0}.get(type(x).__name__))

    said = diagnose(f, X).reason
    assert "where plain Python does not fail" in said and "in the same way" not in said


def test_a_number_that_a_function_in_c_refuses_for_its_type_is_a_site_beside_those_on_data():
    """A timedelta reads no clock: it is a number's, and no reason to leave a line in plain Python."""

    def f(x, days):
        if x.sum() > 0:
            x = x * 2
        return x * timedelta(days=days).total_seconds()

    found = diagnose(f, X, 2)
    assert (found.kind, found.static_argnames) == ("static+rewrite", ("days",)) and found.rewrites[0].verified


def test_a_count_of_no_rounds_tells_nothing_of_the_rounds():
    """With n static this call traces; with any other n the test on data in the loop's body would stop it."""

    def f(x, n):
        for _ in range(n):
            if x.sum() > 0.5:
                x = x * 0.5
            else:
                x = x + 0.25
        return x

    found = diagnose(f, jnp.arange(3.0), 0)
    assert found.kind == "rewrite" and found.rewrites[0].verified

    def g(x, n):
        for k in range(n):
            x = x * k
        return x

    assert diagnose(g, jnp.arange(3.0), 0).kind == "static"


class Side(enum.IntEnum):
    LEFT = 0
    RIGHT = 1


def trimmed(x, side, n):
    if side == Side.LEFT:
        return x[1:].sum()
    return x[n]


def test_a_member_of_an_enumeration_is_varied_as_the_number_that_it_is():
    """It has no member for every number; that is no fault of the search."""
    assert diagnose(trimmed, jnp.arange(5.0), Side.RIGHT, 1).kind == "static"
    assert not faults.details()


def test_a_place_in_an_image_is_data_however_early_another_place_returns():
    """Another value that takes another way through the function meets other shapes, which tells nothing of sizes."""

    def sample(image, x, y):
        if x < 0 or y < 0 or x > image.shape[1] - 1 or y > image.shape[0] - 1:
            return 0.0
        return image[int(jnp.floor(y)), int(jnp.floor(x))] * x

    answer = diagnose(sample, jnp.arange(6.0).reshape(2, 3), 1.2, 0.5)
    assert (answer.kind, answer.static_argnames) == ("rewrite", ()) and answer.rewrites


def test_a_float_that_decides_a_size_through_jnp_is_static_beside_a_way_past_it():
    def scaled(x, part):
        if part > 1:
            return x
        return x[: int(jnp.ceil(part * 4))] * 2

    answer = diagnose(scaled, jnp.arange(6.0), 0.6)
    assert (answer.kind, answer.static_argnames) == ("static+rewrite", ("part",))


def above_or_at(x, t):
    """Python's own number is a limit, an array of labels is not."""
    if isinstance(t, (int, float)):
        keep = x >= t
    else:
        keep = x == t
    return x[keep].sum()


def test_a_number_that_is_asked_for_its_kind_is_static_beside_a_rewrite():
    """A tracer is of another kind: the other lines would run."""
    found = diagnose(above_or_at, jnp.array([1.0, -1.0, 2.0]), 0.5)
    assert (found.kind, found.static_argnames) == ("static+rewrite", ("t",))
    assert found.rewrites[0].verified


def scaled_by_kind(x, kind=None):
    total = x.sum()
    if total > 0:
        total = total * 2
    if kind == "neg":
        total = -total
        if x[0] > 1:
            total = total + 1
    return total


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {"kind": None}), ((None,), {}), ((), {})], ids=["None", "in place", "left out"]
)
def test_a_word_that_is_none_in_the_call_is_static_beside_a_rewrite(args, kwargs):
    """Once it is given, jit refuses it as data."""

    found = diagnose(scaled_by_kind, jnp.arange(3.0), *args, **kwargs)
    assert found.rewrites[0].static_argnames == ("kind",)
    assert "if x[0]" not in found.rewrites[0].source
    assert not any("given" in each for each in found.rewrites[0].compared.differences)  # no array is
    assert f"kind is {'None' if args or kwargs else 'left out'} here" in found.reason


def test_an_option_that_is_left_out_is_named_beside_a_static_set():
    """Given, it would be traced, and the call would fail again; what Python does not need the value of is not named."""

    def frequency(df, n, smoothing=False, scale=1.0):
        if smoothing:
            return scale * n / (1 + df)
        if df == 0:
            raise ZeroDivisionError
        return scale * n / df

    found = diagnose(frequency, 1, 3)
    assert (found.kind, found.static_argnames) == ("static", ("df",))
    assert "smoothing is left out here" in found.reason and "scale" not in found.reason
    assert "left out" not in diagnose(frequency, 1, 3, False).reason


def test_a_number_that_is_none_where_it_is_left_out_is_named_where_a_branch_asks_for_it():
    """The static answer traced, and failed as soon as the number was given: `if years:` asks for its value."""

    def month(day, years=None, shift=None):
        found = 1
        for n in (31, 28, 31):
            if day <= n:
                break
            day, found = day - n, found + 1
        if years:
            found += 12 * years
        return found if shift is None else found + shift

    found = diagnose(month, 45)
    assert (found.kind, found.static_argnames) == ("static", ("day",))
    assert "years is left out here" in found.reason and "shift" not in found.reason
    assert "left out" not in diagnose(month, 45, 2).reason


def trended(trend, x):
    if trend == "linear":
        return x
    return x * 2 if trend > 1 else x


def test_data_that_the_code_takes_as_a_word_too_is_said_to_be_static_then():
    found = diagnose(trended, jnp.array(2.0), X)
    assert found.rewrites and found.reason.endswith(
        "Where trend is a text, for which the code asks, jit takes it as static alone."
    )


RATE = 4000


def test_a_float_that_a_branch_asks_for_is_named_where_it_is_left_out():
    """One that is only computed with is not."""

    def windowed(x, k, scale=1.0, offset=0.0):
        out = x[:k] + offset
        if scale != 1.0:
            out = out * scale
        return jnp.sum(out)

    found = diagnose(windowed, jnp.arange(5.0), 3)
    assert (found.kind, found.static_argnames) == ("static", ("k",))
    assert "scale is left out here: where it is given, it has to be static as well." in found.reason
    assert "offset" not in found.reason


def test_a_share_of_which_a_count_is_made_is_named_where_it_is_left_out():
    """Given, it decides a shape: the rewrite would not trace."""

    def faded(x, low, fade=None, gain=None):
        x = x * (1.0 if gain is None else gain)
        if x.sum() < low:
            x = x * 2
        if fade is not None and fade > 0:
            return x.at[: int(RATE * fade)].multiply(jnp.linspace(0.0, 1.0, int(RATE * fade)))
        return x

    found = diagnose(faded, jnp.arange(9.0), 2.0)
    assert found.rewrites and "fade is left out here" in found.reason and "gain" not in found.reason


def test_floats_that_decide_how_long_a_list_grows_are_static():
    """No array of a fixed size holds what the loop appends; a loop that only computes goes on as data."""

    def simulated(x, dt, end):
        xs, t = [x], 0.0
        while t < end:
            xs.append(xs[-1] - dt * xs[-1])
            t += dt
        return jnp.stack(xs)

    def halved(x, end):
        while end > 1.0:
            x, end = x * 0.9, end / 2
        return x

    found = diagnose(simulated, jnp.array(1.0), 0.25, 1.0)
    assert (found.kind, set(found.static_argnames)) == ("static", {"dt", "end"})
    assert diagnose(halved, jnp.array(1.0), 9.0).kind == "rewrite"


def test_a_diagnosis_warns_of_nothing_that_it_tries_itself():
    """Numbers that are varied overflow, and complex ones have no integers near them: the user has done neither."""

    def orbit(c, n):
        z = c * 0
        for _ in range(n):
            z = z * z + c
            if abs(z).sum() > 2:
                break
        return z

    def scaled(x):
        return x / x.sum() if x.sum() > 0 else x

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert diagnose(orbit, jnp.array([-0.75 + 0.1j, 1 + 1j]), 10).verified
        assert diagnose(scaled, jnp.array([1e30, 3e38, -1e-30])).kind == "rewrite"
    assert [str(each.message) for each in warned] == []


def test_what_the_user_is_to_be_warned_of_is_warned_of():
    """A diagnosis does not use up the one time that a warning of the user's own code is shown."""

    def careful(x):
        if x.sum() > 0:
            warnings.warn("above", stacklevel=1)
        return x

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")  # once for each place
        diagnose(careful, jnp.ones(2))
        shown = len(warned)
        careful(jnp.ones(2))
    assert shown == 0 and [str(each.message) for each in warned] == ["above"]


@pytest.mark.parametrize(
    ("fun", "args", "static"),
    [
        (lambda x, q: jnp.quantile(x, q) if 0 <= q <= 1 else None, (X, 0.5), ("q",)),
        (lambda x, a, b: x[:2] if a > b else x, (X, 1.0, 2.0), ("a", "b")),
        (lambda x, name, lr: {"lr": lr, "x": x} if lr > 0.5 else {"x": x}, (X, "sgd", 0.7), ("name", "lr")),
    ],
    ids=["nothing", "shape", "keys"],
)
def test_a_number_that_is_computed_with_is_static_where_no_program_takes_it_as_data(fun, args, static):
    """It decides the shape or the form of what comes out; each value compiles again, which is said."""
    answer = diagnose(fun, *args)
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static", static, True)
    assert "no program takes it as data" in answer.reason and "compiles again" in answer.reason
    jax.jit(fun, static_argnames=static).trace(*args)


def test_a_number_that_decides_a_length_is_static_where_the_function_could_be_split():
    """A check stands before the line that makes a size of it: the split, which was the answer, is another way."""

    def levels(s, field):
        if (2 * s) % 1 != 0:
            raise ValueError("neither half nor whole")
        m = s - jnp.arange(int(2 * s + 1))
        return jnp.linalg.eigvalsh(field * jnp.diag(m))

    answer = diagnose(levels, 1.5, X[0])
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static", ("s",), True)
    assert "no program takes it as data" in answer.reason
    assert [each.verified for each in answer.splits] == [True]


def test_numbers_that_only_a_library_of_the_host_reads_are_static():
    """SciPy designs the filter and JAX cannot; what the function itself compares stays data, and so does an array there."""
    from scipy import signal, stats

    def filtered(x, taps, cutoff):
        return jnp.convolve(x, jnp.asarray(signal.firwin(taps, cutoff)), mode="same")

    def half_width(x, alpha):
        return stats.t.ppf(1 - alpha / 2, len(x) - 1) * x.std()

    answer = diagnose(filtered, X, 3, 0.3)
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static", ("taps", "cutoff"), True)
    assert "on the host" in answer.reason and [each.verified for each in answer.splits] == [True]
    assert diagnose(half_width, X, 0.1).static_argnames == ("alpha",)
    assert diagnose(half_width, X, jnp.array(0.1)).kind == "rewrite"


def test_a_number_that_a_rewrite_takes_as_data_is_not_static():
    """Nor is one beside an array that decides as well: static would not cure it."""
    assert diagnose(lambda x, q: x * q if q > 1 else x, X, 0.5).kind == "rewrite"
    answer = diagnose(lambda x, q: None if x.sum() > q else x, X, 0.5)
    assert answer.kind == "rewrite" and not answer.static_argnames


def test_numbers_that_give_another_dtype_alone_decide_no_form():
    """A program gives the wider of two dtypes; of two shapes it can give one."""

    def counted(x, q):
        return x.sum() if q > 1 else 0

    def cut(x, q):
        return x[:2] if q > 1 else x

    for fun, decides in ((counted, False), (cut, True)):
        call = bind(fun, (X, 0.5), {}, frozenset())
        assert decides_what_comes_out(call, frozenset({"q"}), ["q"]) is decides


def test_a_number_that_no_rewrite_is_known_for_is_data_all_the_same():
    """What comes out has one shape for all of its values, so that a program may take it."""

    def rooted(x, q):
        try:
            return x * math.gamma(q - 0.1) if q > 0 else x
        except ValueError:
            return x

    answer = diagnose(rooted, X, 0.5)
    assert answer.kind == "rewrite" and not answer.static_argnames and not answer.rewrites
    assert "`except ValueError` catches" in answer.reason


def test_an_attribute_that_a_function_gives_itself_is_taken_back():
    """Its first one was left behind, a tracer in it; one that is there keeps its value."""

    def remembers(x):
        remembers.last = x.sum()
        return x if x.sum() > 0 else -x

    def counts(x):
        counts.calls += 1
        return x if x.sum() > 0 else -x

    counts.calls = 10
    diagnose(remembers, X)
    diagnose(counts, X)
    assert not hasattr(remembers, "last") and counts.calls == 10


def first_and_last(x, level):
    first, last = jnp.where(x > level)[0][[0, -1]]
    return last - first


def without_sites(x):
    return x.sum().lenght


@pytest.mark.parametrize(("function", "args"), [(first_and_last, (0.5,)), (without_sites, ())])
def test_what_plain_python_cannot_do_either_is_said_to_be_so(function, args):
    """Also where the search met a place that needs a value, and went on as NumPy does."""
    answer = diagnose(function, X, *args)
    assert (answer.kind, answer.rewrites) == ("not_staticness", ())
    assert answer.sites[-1].operation == "error" and "Plain Python fails in the same way." in answer.reason


def truncated(x, limit):
    return math.trunc(limit) + x.max()


def test_what_python_truncates_is_data_and_no_static_argument():
    """Of an array `math.trunc` makes nothing, in plain Python either."""
    answer = diagnose(truncated, X, 2.7)
    assert (answer.kind, answer.static_argnames) == ("rewrite", ())
    assert "jnp.trunc(limit).astype(int)" in answer.rewrites[0].source
    assert "Plain Python fails in the same way" in diagnose(truncated, X, jnp.float32(2.7)).reason


RATES, TOPS = [0.1, 0.25, 0.5], [10.0, 20.0]


def test_a_float_that_is_counted_to_a_place_in_a_list_is_data():
    # as where it is compared in an `if`; a look-up takes it, and a static income would compile once for each
    def tax(income):
        return RATES[sum(income > top for top in TOPS)] * income

    found = diagnose(tax, 12.0)
    assert found.kind == "rewrite" and not found.static_argnames and found.rewrites
    assert diagnose(lambda x, k: x * RATES[k], X, 1).kind == "static"  # a whole number that is the place itself
