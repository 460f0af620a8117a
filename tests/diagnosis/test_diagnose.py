"""The answer as a whole: its kind, the smallest static set, and the reason in a sentence."""

import enum
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.diagnosis import diagnose, trace_error

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

    assert diagnose(compared, X, 0.7).kind == "rewrite"
    assert diagnose(sized, X, 0.5).static_argnames == ("share",)


def test_arrays_and_unhashable_arguments_are_never_proposed():
    def f(x, cfg):
        return [x for _ in range(cfg["n"])]

    answer = diagnose(f, X, {"n": 3})
    assert answer.kind == "rewrite" and answer.static_argnames == ()


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
