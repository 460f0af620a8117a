"""What a static set makes of a loop is counted: a program that no one can wait for is not called the fix."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from jupyter_jitmagic.diagnosis import diagnose
from jupyter_jitmagic.diagnosis.fixes import fixes
from jupyter_jitmagic.display.advice import advice
from jupyter_jitmagic.display.text import to_text

ROUNDS = 2200


pytestmark = pytest.mark.usefixtures("unhurried")


def appended(x, n):
    out = []
    for k in range(n):
        x = jnp.sin(x) * 0.5 + k
        out.append(x)
    return jnp.stack(out)


def carried(x, n):
    for k in range(n):
        x = x * 0.5 + k
    return x


def named(x, n):
    out = {}
    for k in range(n):
        x = jnp.sin(x) * 0.5 + k
        out[f"round {k}"] = x
    return out


def test_a_dict_of_many_rounds_is_traced_and_said_to_take_minutes():
    """No loop of lax fills it."""
    found = diagnose(named, jnp.array(0.5), ROUNDS)
    assert found.kind == "static" and found.static_argnames == ("n",) and not found.rewrites
    counted = len(jax.make_jaxpr(lambda x: named(x, ROUNDS))(0.5).eqns)
    assert abs(found.equations - counted) <= 0.02 * counted
    text = to_text(advice(found))
    assert "Perhaps · traced: " in text and "compiling may take minutes" in text and "Fix ·" not in text


def test_of_some_hundred_rounds_it_is_said_how_many_equations_they_make():
    found = diagnose(named, jnp.array(0.5), 500)
    assert found.kind == "static" and found.equations == 0
    text = " ".join(to_text(advice(found)).split())
    assert "equations: compiling it takes long where each round needs the last one" in text and "%jitlines --roll" in text


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [500, ROUNDS])
def test_a_list_of_many_rounds_comes_first_as_a_loop_of_lax_with_its_length_static(rounds):
    found = diagnose(appended, jnp.array(0.5), rounds)
    assert found.kind == "static" and found.equations > 3 * rounds
    first, second = fixes(found)
    assert first.proof == "compared" and "fori_loop" in first.rewrite.patterns and first.static_argnames == ("n",)
    assert second.rewrite is None and second.static_argnames == ("n",)
    space = {"jax": jax, "jnp": jnp}
    exec(first.rewrite.source, space)
    made = jax.jit(space["appended"], static_argnames="n")
    plain = appended(jnp.array(0.5), rounds)
    assert jnp.allclose(made(jnp.array(0.5), rounds), plain, rtol=1e-5)
    text = " ".join(to_text(advice(found)).split())
    assert "In the rewrite its rounds are compiled once." in text and "Fix · traced, run on" in text


def test_a_list_of_some_hundred_equations_has_the_loop_as_another_way():
    found = diagnose(appended, jnp.array(0.5), 200)
    assert found.equations == 0
    first, second = fixes(found)
    assert first.rewrite is None and "fori_loop" in second.rewrite.patterns and second.proof == "compared"


def test_few_rounds_are_no_reason_for_doubt():
    found = diagnose(appended, jnp.array(0.5), 5)
    assert found.equations == 0 and "Fix · traced\n" in to_text(advice(found))


def test_a_loop_that_need_not_be_unrolled_comes_first():
    found = diagnose(carried, jnp.array(0.5), ROUNDS)
    assert found.kind == "rewrite" and "fori_loop" in fixes(found)[0].rewrite.patterns
    assert "equations" in found.reason


@pytest.mark.slow
def test_rounds_that_are_too_many_to_trace_are_told_by_fewer():
    found = diagnose(named, jnp.array(0.5), 30 * ROUNDS)
    assert found.kind == "static" and found.static_argnames == ("n",)
    few, more = (len(jax.make_jaxpr(lambda x, n=n: named(x, n))(0.5).eqns) for n in (10, 110))
    assert abs(found.equations - (few + (more - few) / 100 * (30 * ROUNDS - 10))) <= 0.02 * found.equations
    assert (
        "compiling it may take minutes" in found.reason
        and "%jitlines --roll" in found.reason
        and "Fix ·" not in to_text(advice(found))
    )


def scheduled(params, step, rate):
    return params * rate * (step / 100 if step < 100 else 1.0)


def test_the_price_of_a_static_counter_is_said():
    """A parameter that counts up by its name compiles in each call; the rewrite beside it compiles once."""
    found = diagnose(scheduled, jnp.arange(3.0), 10, 0.1)
    assert found.kind == "static" and found.rewrites
    assert "Where step counts up, 1,000 calls compile 1,000 times; the other way (where) compiles once." in found.reason


def test_no_price_is_said_of_a_size():
    found = diagnose(lambda x, size: x * 2 if size > 3 else x, jnp.arange(3.0), 10)
    assert found.kind == "static" and "1,000 times" not in found.reason
