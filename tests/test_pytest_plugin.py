"""The pytest plugin, as a user's own test suite meets it: each run is a pytest of its own, in a process of its own."""

from __future__ import annotations

import re

import pytest

pytest_plugins = "pytester"

STEP = """
import jax
import jax.numpy as jnp
import pytest
import jupyter_jitmagic as jm

@jm.jit
def step(x):
    return x * 2

@jax.jit
def plain(x):
    return x + 1

"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest on a file with this text; the plugin is given by hand, as this environment's package may be another one."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run_(text: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_theirs=text)
        return pytester.runpytest_subprocess("-p", "jupyter_jitmagic.pytest_plugin", "--strict-markers", *arguments)

    return run_


def test_nothing_is_imported_where_nothing_is_used(run) -> None:
    """Loaded in every run of pytest, it brings neither JAX nor a room of ours."""
    result = run("""
import sys

def test_imports():
    ours = {name for name in sys.modules if name.startswith("jupyter_jitmagic")}
    assert ours == {"jupyter_jitmagic", "jupyter_jitmagic.pytest_plugin"}
    assert not {"jax", "pandas", "numpy", "IPython"} & set(sys.modules)
""")
    result.assert_outcomes(passed=1)


def test_the_marker_and_the_fixture(run) -> None:
    """A test fails where a function compiles more often than it may, and the reason stands in its failure."""
    result = run(
        STEP
        + """
@pytest.mark.max_compiles(2)
def test_three_shapes():
    for n in (3, 4, 5):
        step(jnp.ones(n))

@pytest.mark.max_compiles(1)
def test_plain_jit_counts_too():
    plain(jnp.ones(3)), plain(jnp.ones(4))

@pytest.mark.max_compiles(2)
def test_two_shapes_and_others_of_one_name():
    step(jnp.ones(6)), step(jnp.ones(7)), step(jnp.ones(7))
    for add in (lambda x: x + 1, lambda x: x + 2, lambda x: x + 3):
        jax.jit(add)(jnp.ones(3))

@pytest.mark.max_compiles(0)
def test_the_own_error_is_what_fails():
    step(jnp.ones(8))
    assert False, "theirs"

@pytest.mark.max_compiles("twice")
def test_wrong_mark():
    pass

def test_compiles_again(no_recompile):
    step(jnp.ones(3))
    step(jnp.ones(20))

def test_plain_compiles_again(no_recompile):
    plain(jnp.ones(21))
    plain(jnp.ones(22))

def test_once_whatever_came_before(no_recompile):
    step(jnp.ones(30)), plain(jnp.ones(30))
    for _ in range(3):
        step(jnp.ones(30)), plain(jnp.ones(30))
"""
    )
    result.assert_outcomes(passed=2, failed=6)
    said = result.stdout.str()
    assert re.search(r"step compiled 3 times and may compile 2 times in this test:\n  test_theirs.py:\d+: first call\n", said)
    assert re.search(r"test_theirs.py:\d+: x is f32\[5\] now and was f32\[4\] before", said)
    assert "plain compiled 2 times and may compile once in this test" in said
    assert "AssertionError: theirs" in said and "step compiled once and may compile never" not in said
    assert "give one whole number, 0 or more: @pytest.mark.max_compiles(2)" in said
    assert "step would compile again in a no_recompile block: x is f32[20] now and was f32[" in said
    assert re.search(r"plain would compile again in a no_recompile block: x is f32\[22\] now and was f32\[21\] before", said)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_the_summary(run, workers: tuple[str, ...]) -> None:
    """``--jit`` ends with the functions that compiled, how often and why; workers' compiles are in it."""
    result = run(
        STEP
        + """
def test_steps():
    for n in (3, 4, 5):
        step(jnp.ones(n))
    plain(jnp.ones(3))
""",
        "--jit",
        *workers,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["=*what compiled (--jit)*=", "* compiles, * tracing, lowering and compiling"])
    result.stdout.re_match_lines_random(
        [r"  step: 3 compiles, .*, test_theirs.py:\d+: x is f32\[5\] now and was f32\[4\] before", r"  plain: 1 compile, .*"]
    )
