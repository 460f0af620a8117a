"""`keep=True`: a definition that ran again reuses what was compiled if it surely means the same, and only then."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.api import keeping

X = np.arange(4, dtype=np.float32)


@pytest.fixture(autouse=True)
def fresh() -> None:
    keeping._kept.clear()


def rerun(before: str, change: str, cell: str | None = None) -> tuple[str, Any, Any]:
    """The outcome of the call after the second definition, what it returned, and what plain Python returns then."""
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "jnp": jnp, "np": np, "jax": jax}
    definition = before[before.index("@jm.jit") :]
    exec(compile(before, "<cell 1>", "exec"), space)
    space["step"](X)
    exec(compile(change, "<cell 2>", "exec"), space)
    exec(compile("\n" + (cell or definition), "<cell 3>", "exec"), space)
    out = space["step"](X)
    plain = space["step"].__wrapped__(X)
    return str(jm.stats("calls").outcome.iloc[-1]), out, plain


DEFINED = "rate = 2.0\ndef helper(x): return x + 1\n@jm.jit(keep=True)\ndef step(x, n=3): return helper(x) * rate * n"


@pytest.mark.parametrize("change", ["", "rate = 2.0", "def helper(x): return x + 1", "other = 5", "import jax.numpy as jnp"])
def test_the_same_definition_hits(change: str) -> None:
    outcome, out, plain = rerun(DEFINED, change)
    assert outcome == "hit"
    np.testing.assert_allclose(out, plain)


def test_settings_read_by_attribute_are_compared_by_attribute() -> None:
    before = "class C: pass\nc = C()\nc.rate = 2.0\n@jm.jit(keep=True)\ndef step(x): return x * c.rate"
    assert rerun(before, "c.epoch = 3")[0] == "hit"
    keeping._kept.clear()
    outcome, out, plain = rerun(before, "c.rate = 3.0")
    assert outcome == "miss"
    np.testing.assert_allclose(out, plain)


def space_after(*cells: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "jnp": jnp, "np": np, "jax": jax}
    for cell in cells:
        exec(compile(cell, "<cell>", "exec"), space)
    return space


RATE, STEP, CALL = "rate = 2.0", "@jm.jit(keep=True)\ndef step(x): return x * rate", "first = step(np.float32(1))"


def test_what_changes_between_the_definition_and_the_first_call_counts() -> None:
    space = space_after(RATE, STEP, CALL, STEP, "rate = 3.0", CALL)
    assert space["first"] == 3
    assert jm.stats("misses").cause.iloc[-1] == "new_function"
    helper = "def helper(x): return x + 1"
    uses = "@jm.jit(keep=True)\ndef step(x): return helper(x)\n"
    assert space_after(uses + helper, CALL, uses + helper.replace("1", "5"), CALL)["first"] == 6


def test_each_kept_entry_is_compared_when_it_is_used_again() -> None:
    space = space_after(RATE, STEP, CALL, "step(np.ones(3))", STEP, CALL, "rate = 3.0", "second = step(np.ones(3))")
    assert space["first"] == 2 and space["second"].tolist() == [3, 3, 3]
    space = space_after(
        RATE, STEP, CALL, STEP, "rate = 3.0", "out = jax.jit(lambda x: step(x))(1.0)", "text = step.lower(1.0).as_text()"
    )
    assert space["out"] == 3 and "3.0" in space["text"]


def test_once_every_entry_was_used_again_calls_go_as_always() -> None:
    space = space_after(RATE, STEP, CALL, "step(np.ones(3))", STEP, CALL)
    assert space["step"]._state.guard is not None
    space["step"](np.ones(3))
    assert space["step"]._state.guard is None
    assert jm.stats("calls").outcome.tail(2).tolist() == ["hit", "hit"]


@pytest.mark.parametrize(
    "change",
    ["rate = 3.0", "def helper(x): return x + 2", "def helper(x, k=1): return x + k", "rate = jnp.float32(2)"],
)
def test_what_the_trace_read_has_changed_so_it_compiles(change: str) -> None:
    outcome, out, plain = rerun(DEFINED, change)
    assert outcome == "miss"
    np.testing.assert_allclose(out, plain)


@pytest.mark.parametrize(
    "cell",
    [
        "@jm.jit(keep=True)\ndef step(x, n=3): return helper(x) * rate * n + 1",
        "@jm.jit(keep=True)\ndef step(x, n=4): return helper(x) * rate * n",
        "@jm.jit(keep=True, static_argnames='n')\ndef step(x, n=3): return helper(x) * rate * n",
        "@jm.jit\ndef step(x, n=3): return helper(x) * rate * n",
    ],
)
def test_another_definition_compiles(cell: str) -> None:
    outcome, out, plain = rerun(DEFINED, "", cell)
    assert outcome == "miss"
    np.testing.assert_allclose(out, plain)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("g = 2\n@jm.jit(keep=True)\ndef step(x): return jnp.arange(3) * g", "g = 2.0"),
        ("g = 0.0\n@jm.jit(keep=True)\ndef step(x): return 1 / jnp.float32(g)", "g = -0.0"),
        ("g = jnp.asarray(2.0)\n@jm.jit(keep=True)\ndef step(x): return x.astype(jnp.bfloat16) * g", "g = jnp.float32(2)"),
        ("def act(x): return jnp.arange(3) * 2\n@jm.jit(keep=True)\ndef step(x): return act(x)",
         "def act(x): return jnp.arange(3) * 2.0"),
        ("ks = [2.0]\n@jm.jit(keep=True)\ndef step(x, k=ks): return x * k[0]", "ks[0] = 3.0"),
        ("g = 2.0\n@jm.jit(keep=True)\ndef step(x): return x * globals()['g']", "g = 3.0"),
        ("g = 2.0\n@jm.jit(keep=True)\ndef step(x): return x * eval('g')", "g = 3.0"),
        ("from operator import add as op\n@jm.jit(keep=True)\ndef step(x): return op(x, 2)", "from operator import mul as op"),
        ("def act(x): return x * act.k\nact.k = 2\n@jm.jit(keep=True)\ndef step(x): return act(x)", "act.k = 3"),
        ("import enum\nclass E(enum.Enum):\n  A = 1\nm = E.A\n@jm.jit(keep=True)\ndef step(x): return x * m.value",
         "class E(enum.Enum):\n  A = 2\nm = E.A"),
        ("class C:\n  k = 2.0\n  def act(self, x): return x * self.k\no = C()\n"
         "@jm.jit(keep=True)\ndef step(x): return o.act(x)",
         "o.k = 3.0"),
        ("class C:\n  rate = 2.0\n@jm.jit(keep=True)\ndef step(x): return x * C.rate", "C.rate = 3.0"),
        ("@jm.jit(keep=True)\ndef step(x): return x * np.get_printoptions()['precision']", "np.set_printoptions(precision=5)"),
    ],
)  # fmt: skip
def test_no_change_however_small_is_missed(before: str, change: str) -> None:
    try:
        outcome, out, plain = rerun(before, change)
    finally:
        np.set_printoptions(precision=8)
    assert outcome == "miss"
    np.testing.assert_array_equal(out, plain)
    assert np.asarray(out).dtype == np.asarray(plain).dtype or not isinstance(plain, jax.Array)


@pytest.mark.parametrize(
    ("cell", "another"),
    [
        ("def step(x): return jnp.arange(3) * 2", "def step(x): return jnp.arange(3) * 2.0"),
        ("def step(x): return jnp.arange(3) * (2, 3)[0]", "def step(x): return jnp.arange(3) * (2.0, 3)[0]"),
        ("def step(x): return x * 1", "def step(y): return y * 1"),
    ],
)
def test_code_that_differs_in_a_type_or_a_name_compiles(cell: str, another: str) -> None:
    outcome, out, plain = rerun(f"@jm.jit(keep=True)\n{cell}", "", f"@jm.jit(keep=True)\n{another}")
    assert outcome == "miss"
    assert out.dtype == plain.dtype


@pytest.mark.parametrize(
    "before",
    [
        "table = {'f': lambda x: x}\n@jm.jit(keep=True)\ndef step(x): return [f(x) for f in table.values()][0]",
        "table = {'f': lambda x: x * np.random.rand()}\n@jm.jit(keep=True)\ndef step(x): return table['f'](x)",
        "big = np.ones(2_000_000, np.float32)\n@jm.jit(keep=True)\ndef step(x): return x * big[:4]",
        "@jm.jit(keep=True)\ndef step(x): return x * np.random.rand()",
        "import time\n@jm.jit(keep=True)\ndef step(x): return x * time.time()",
        "from random import random\n@jm.jit(keep=True)\ndef step(x): return x * random()",
        "@jm.jit\ndef inner(x): return x\n@jm.jit(keep=True)\ndef step(x): return inner(x)",
    ],
)
def test_where_it_cannot_be_sure_it_compiles(before: str) -> None:
    definition = before[before.rindex("@jm.jit") :]
    outcome, _, _ = rerun(before, "", definition)
    assert outcome == "miss"


def test_a_mutated_array_compiles() -> None:
    outcome, out, plain = rerun("w = np.ones(4, np.float32)\n@jm.jit(keep=True)\ndef step(x): return x * w", "w[0] = 7")
    assert outcome == "miss"
    np.testing.assert_allclose(out, plain)


def test_a_change_back_and_forth_is_never_served_stale() -> None:
    """An entry traced under the old value and one under the new: no single answer is right, so it compiles."""
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm}
    cell = "@jm.jit(keep=True)\ndef step(x): return x * rate"
    exec("rate = 2.0\n" + cell, space)
    space["step"](X)
    space["rate"] = 3.0
    space["step"](X[:2])
    exec(cell, space)
    np.testing.assert_allclose(space["step"](X), X * 3)


def test_closures_compile() -> None:
    def make(k: float) -> Any:
        def step(x: Any) -> Any:
            return x * k

        return jm.jit(step, keep=True)

    np.testing.assert_allclose(make(2.0)(X), X * 2)
    np.testing.assert_allclose(make(3.0)(X), X * 3)


def test_a_cell_with_keep_runs_again_without_compiling(shell: Shell) -> None:
    cell = "%%jit --keep --quiet\ndef step(x):\n    return x * 2\nstep(jnp.ones(3));"
    shell.ok(cell)
    misses = len(shell.ok("import jupyter_jitmagic as jm\njm.stats('misses')").value)
    shell.ok(cell)
    shell.ok("\n\n" + cell)
    assert len(shell.ok("jm.stats('misses')").value) == misses
    shell.ok(cell.replace("* 2", "* 5"))
    assert shell.ok("float(step(jnp.ones(3))[0])").value == 5.0


def test_a_cell_with_check_warns_below(shell: Shell) -> None:
    with pytest.warns(jm.CheckWarning, match="step computes something other than plain Python"):
        shell.ok("%%jit --check --quiet\ndef step(flag):\n    return 1.0 if flag is True else 2.0\nstep(True);")
