"""`%jitlines --roll`: an unrolled loop as one loop of lax, only where it gives the same numbers, with the price of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError
from shells import Shell

import jupyter_jitmagic as jm


@pytest.fixture
def deep(shell: Shell) -> Iterator[Shell]:
    jm.reset()
    shell.ok(
        "%%jit\ndef deep(x, k=2.0):\n    total = 0.0\n    for i in range(40):  # forty\n        x = jnp.sin(x) * k\n"
        "        total = total + x.sum()\n    return x, total"
    )
    shell.ok("x = jnp.ones(50)")
    yield shell
    jm.reset()


def test_the_loop_becomes_one_and_both_prices_are_told(deep: Shell) -> None:
    text = " ".join(deep.ok("%jitlines --roll deep(x)").text.split())
    assert "deep: as one lax.fori_loop" in text
    assert "- for i in range(40): # forty" in text and "jax.lax.fori_loop(0, 40, body_fun, (" in text
    assert "instead of 160" in text and "compiles in " in text and "executes in " in text
    assert "rounds_of_this_loop" not in text and "both measured now" in text
    deep.ok("deep(x)")
    assert "compiling that was recorded earlier" in " ".join(deep.ok("%jitlines --roll deep(x)").text.split())


def test_nothing_of_it_is_recorded_and_the_function_stays_as_it_is(deep: Shell) -> None:
    deep.ok("before = deep(x)")
    calls = int(jm.stats().calls.iloc[0])
    deep.ok("%jitlines --roll deep(x)")
    assert jm.stats().calls.tolist() == [calls]
    assert deep.ok("bool((deep(x)[1] == before[1]).all())").value is True


def test_what_compiling_took_is_known_of_a_call_that_was_recorded(deep: Shell) -> None:
    from jupyter_jitmagic.by_line.rolling import rolled

    found = rolled(deep.names["deep"], (deep.names["x"],), {}, 12.5)
    assert found.unrolled.compile_s == 12.5 and found.rolled.equations < found.unrolled.equations == 160


def test_a_static_length_stays_static(deep: Shell) -> None:
    deep.ok("%%jit --static n\ndef power(x, n):\n    for _ in range(n):\n        x = jnp.tanh(x) + 1\n    return x")
    assert "jax.lax.fori_loop(0, n, " in deep.ok("%jitlines --roll power(x, 30)").text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--roll deep", "--roll takes a call"),
        ("--roll jnp.sin(x)", "no Python loop makes up half of sin's program"),
        ("--roll short(x)", "no Python loop makes up half of short's program"),
        ("--roll listed(x)", "is no `for … in range(n)` of listed's own"),
    ],
)
def test_what_cannot_be_one_loop_is_one_line(deep: Shell, line: str, message: str) -> None:
    deep.ok(
        "def short(x):\n    for _ in range(3):\n        x = x + 1\n    return x\n\n"
        "def listed(x):\n    for k in list(range(40)):\n        x = jnp.sin(x) + k\n    return x"
    )
    ran = deep.run(f"%jitlines {line}")
    assert isinstance(ran.error, UsageError) and message in str(ran.error)
