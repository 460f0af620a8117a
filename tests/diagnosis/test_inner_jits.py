"""Helpers under a jit of their own: what they need static is named there, and nothing that is data is."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis.fixes import fixes

X = jnp.ones((2, 3))


@jax.jit
def repeated(x: Any, n: int) -> Any:
    return jnp.repeat(x, n)


@partial(jax.jit, static_argnums=(1,))
def folded(x: Any, mode: str, n: int) -> Any:
    x = jnp.repeat(x, n)
    return x if mode == "a" else -x


@partial(jax.jit, static_argnames=["mode"], inline=True)
def scaled(x: Any, mode: str, n: int) -> Any:
    return jnp.repeat(x, n) * (2 if mode == "a" else 3)


@jax.jit
def branching(x: Any, limit: float) -> Any:
    return x if x.sum() > limit else -x


def through(x: Any, n: int) -> Any:
    return repeated(x, n) + 1


def by_itself(x: Any) -> Any:
    return repeated(x, 3) + 1


def of_two(x: Any, mode: str, n: int) -> Any:
    return folded(x, mode, n).sum() + repeated(x, n).sum()


def with_options(x: Any, n: int) -> Any:
    return scaled(x, "a", n)


def of_data(x: Any) -> Any:
    return repeated(x, x.sum().astype(int))


def limited(x: Any, limit: float) -> Any:
    return branching(x, limit)


@pytest.mark.parametrize(
    ("fun", "args", "static", "lines"),
    [
        (through, (X, 3), ("n",), ['@jax.jit(static_argnames="n")']),
        (by_itself, (X,), (), ['@jax.jit(static_argnames="n")']),
        (
            of_two,
            (X, "a", 2),
            ("mode", "n"),
            ['@partial(jax.jit, static_argnames=("mode", "n"))', '@jax.jit(static_argnames="n")'],
        ),
        (with_options, (X, 2), ("n",), ['@partial(jax.jit, static_argnames=("mode", "n"), inline=True)']),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_both_jits_name_what_is_static(fun: Any, args: Any, static: tuple[str, ...], lines: list[str]) -> None:
    """The options of the helper are joined with those that it has."""
    found = jm.diagnose(fun, *args)
    assert found.kind == "not_staticness", "no static argument of the function alone cures it"
    (fix,) = fixes(found)
    assert (fix.proof, fix.static_argnames) == ("traced", static)
    assert sorted(source.splitlines()[0] for source in fix.rewrite.sources.values()) == sorted(lines)
    space = {**globals()}
    for source in fix.rewrite.sources.values():
        exec(source, space)
    again = type(fun)(fun.__code__, space, fun.__name__, fun.__defaults__)
    assert jnp.shape(jax.jit(again, static_argnames=static)(*args)) == jnp.shape(again(*args))
    assert str(found).startswith(f"{fun.__name__} cannot be traced")


TWICE = """
import jax
import jax.numpy as jnp


@jax.jit
def repeated(x, n):
    return jnp.repeat(x, n)


again = jax.jit(repeated.__wrapped__)


def both(x, n):
    return repeated(x, n) + again(x, n)
"""


def test_a_jit_that_no_decorator_writes_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jits of one function, one of them made by a call: nothing is said that is not the whole cure."""
    (tmp_path / "jitted_twice.py").write_text(TWICE)
    monkeypatch.syspath_prepend(tmp_path)
    both = importlib.import_module("jitted_twice").both
    assert all(fix.proof != "traced" for fix in fixes(jm.diagnose(both, X, 2)))


@pytest.mark.parametrize(("fun", "args"), [(of_data, (X,)), (limited, (X, 2.0))], ids=["a length", "a branch"])
def test_what_is_data_is_not_named_static(fun: Any, args: Any) -> None:
    """A length that is computed, a branch on an array: naming an argument static would not do."""
    assert all(fix.proof != "traced" for fix in fixes(jm.diagnose(fun, *args)))


def test_the_functions_own_static_set_needs_no_helper() -> None:
    """`folded` holds its mode static already; with n given by the code nothing of it is to be changed."""

    def fixed(x: Any, mode: str) -> Any:
        return jnp.zeros(len(mode)) + x.sum()

    found = jm.diagnose(fixed, X, "abc")
    assert (found.kind, found.static_argnames, found.rewrites) == ("static", ("mode",), ())


def drawn(key: Any, f: Any, x: Any, n: int) -> Any:
    chain = []
    for each in jax.random.split(key, n):
        x = f(x + jax.random.normal(each), 0.5)
        if x > 1:
            x = x - 1
        chain.append(x)
    return jnp.stack(chain)


def test_what_a_helper_that_is_given_under_jit_hides_is_static_beside_its_rewrite():
    """Its own jit stops the trace before the number of rounds is met."""
    found = jm.diagnose(drawn, jax.random.key(0), branching, jnp.array(0.3), 4)
    assert set(found.static_argnames) == {"f", "n"} and found.rewrites[0].verified
    assert "f and n must be static as well" in found.reason


def test_a_cell_with_a_helper_that_is_given_runs_again_fixed(shell: Any):
    """`%%jit` puts both functions under jit, the one that is handed on too."""
    shell.run(
        "%%jit\nimport jax.numpy as jnp\n\ndef capped(x):\n    if x > 2:\n        return 2.0 * jnp.sign(x)\n    return x\n\n"
        "def repeated(f, x, n):\n    out = []\n    for i in range(n):\n        x = f(x) + i\n        out.append(x)\n"
        "    return jnp.stack(out)\n\nlast = repeated(capped, 1.5, 4)"
    )
    shell.ok("%jitfix")
    shell.ok(str(shell.ip.rl_next_input))
    assert shell.names["last"].tolist() == [1.5, 2.5, 4.0, 5.0]
