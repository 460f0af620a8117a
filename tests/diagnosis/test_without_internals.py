"""A JAX without the trace classes: the search over public API stands in, and what is not proven says so."""

import functools

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.diagnosis import diagnose, find_sites
from jupyter_jitmagic.diagnosis.sites import finding

X = jnp.arange(4.0)


@pytest.fixture
def without_shadow(monkeypatch):
    monkeypatch.setattr(finding, "_run_shadow", None)


def test_the_trace_classes_are_there_in_this_jax():
    parts = internals.trace_parts()
    assert parts is not None
    assert {"process_primitive", "invalidate", "is_valid"} <= set(dir(parts.Trace))
    assert {"to_concrete_value", "__bool__", "__index__", "__array__"} <= set(dir(parts.Tracer))
    assert str(parts.typeof(1)) == "~int32[]" and parts.is_foreign(X) is False


def test_a_captured_tracer_is_noticed():
    kept = []
    jax.jit(lambda x: kept.append(x) or x)(X)
    traced = jax.jit(lambda x: x + kept[0]).trace(X)
    assert isinstance(internals.captured_tracer_error(traced), jax.errors.UnexpectedTracerError)
    assert internals.captured_tracer_error(jax.jit(lambda x: x + 1).trace(X)) is None
    assert internals.captured_tracer_error(object()) is None


def test_the_current_trace_is_put_back_after_an_interrupt():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), internals.keep_trace():
        jax.jit(interrupted)(X)
    assert not isinstance(X + 1, jax.core.Tracer)


def test_the_static_set_is_found_by_tracing_alone(without_shadow):
    def f(x, n, scale, flag):
        return jnp.zeros(n) + x[0] * scale if flag else x

    answer = diagnose(f, X, 3, 2.0, True)
    assert (answer.kind, answer.static_argnames, answer.verified) == ("static", ("n", "flag"), True)
    assert [site.proven for site in answer.sites] == [False]
    assert answer.sites[0].code == "return jnp.zeros(n) + x[0] * scale if flag else x"


def test_data_and_other_failures_are_told_apart_by_running_plain_python(without_shadow):
    assert diagnose(lambda x: x if x.sum() > 0 else -x, X).kind == "rewrite"
    assert diagnose(lambda x: x @ jnp.ones(7), X).kind == "not_staticness"
    assert not find_sites(lambda x: x, (X,), {}).proven


def test_declared_static_arguments_count_there_too(without_shadow):
    @functools.partial(jax.jit, static_argnums=1)
    def f(x, n, m):
        return jnp.zeros((n, m))

    assert diagnose(f, X, 2, 3).static_argnames == ("n", "m")
