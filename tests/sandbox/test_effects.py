"""Advice adds no side effect: what a failing function does beside computing happens as often with advice as without."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from checkout import ROOT
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.sandbox.rerun import Effect, Reach, rerun, undoing
from jupyter_jitmagic.sandbox.undo import of_dict
from tests.jax_oracle import events
from tests.trials.effects import KINDS, SHORT, elsewhere, wrong

X = jnp.arange(3.0)


@pytest.mark.parametrize("name", SHORT)
def test_an_effect_happens_as_often_with_advice_as_without(shell: Shell, name: str) -> None:
    """One of each family, each a failing call in a real shell, counted against plain `jax.jit`."""
    assert wrong(name, shell) == ""


@pytest.mark.parametrize("name", KINDS)
def test_an_effect_is_refused_or_put_back(name: str) -> None:
    """Every kind, without a shell: what is there after the function was to run for us is what is there if it was not."""
    left = []
    for runs in (False, True):
        names: dict[str, Any] = {"__name__": __name__}
        with elsewhere():
            exec("import os, sys\n" + KINDS[name].ready, names)
            exec(compile(f"def f():\n{indent(dedent(KINDS[name].effect), '    ')}", "<cell>", "exec"), names)
            if runs:
                with contextlib.suppress(Effect), undoing(Reach(names["f"])):
                    rerun(names["f"])
            try:
                exec(f"counted = repr({KINDS[name].count})", names)
            except Exception as error:  # there is nothing to count
                names["counted"] = repr(error)
            left.append(names["counted"])
    assert left[0] == left[1]


@pytest.mark.slow
def test_every_kind_of_effect() -> None:
    assert len(KINDS) >= 72
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "tests.trials.effects"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_answer_says_why_the_function_was_not_traced_again(shell: Shell) -> None:
    """With the site and its arguments from the user's own call, which was the only one."""
    shell.ok("numbers = iter(range(9))")
    ran = shell.run("%%jit\ndef f(x, n):\n    next(numbers)\n    return jnp.zeros(n) + x\n\nf(1.0, 3)")
    text = " ".join(ran.displays[-1]["text/plain"].split())
    assert text.startswith("f cannot be traced") and "jnp.zeros(n)" in text and "it comes from n (3)" in text
    assert "n (3) decides a shape. What cures it is unknown: f was not traced again, because it advances numbers" in text
    assert "static_argnames" not in text


def test_one_of_many_arguments_is_named_by_its_place_where_nothing_was_traced_again(shell: Shell) -> None:
    shell.ok("numbers = iter(range(9))")
    ran = shell.run("%%jit\ndef f(x, *args):\n    next(numbers)\n    return jnp.zeros(args[1]) + x\n\nf(1.0, 2, 3)")
    text = " ".join(ran.displays[-1]["text/plain"].split())
    assert "args[1] (3) decides a shape. What cures it is unknown" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("if x.sum() > 0: return x", "decides which branch Python takes"),
        ("while x.sum() > 0: x = x - 1", "decides whether a Python loop goes on"),
        ("return float(x.sum())", "Python needs this value now"),
        ("return x.sum().item()", "Python needs this value now"),
        ("return x.reshape(n)", "decides a shape"),
    ],
)
def test_a_site_is_named_rightly_where_nothing_was_traced_again(shell: Shell, line: str, said: str) -> None:
    """From the traceback of a cell, in which, unlike a script's, JAX's own frames stand."""
    shell.ok("numbers = iter(range(9))")
    ran = shell.run(f"%%jit\ndef f(x, n):\n    next(numbers)\n    {line}\n    return -x\n\nf(jnp.ones(3), 3)")
    text = " ".join(ran.displays[-1]["text/plain"].split())
    assert f"{said}; it comes from" in text and "was not traced again" in text


def test_an_object_that_has_every_attribute_is_not_followed() -> None:
    """One that answers anything with itself ended no search for its innermost function."""

    class Anything:
        def __getattr__(self, name):
            return self

    anything = Anything()

    def f(x):
        return x if (anything.scale is not None) and x > 0 else -x

    assert jm.diagnose(f, 1.0).kind == "rewrite"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the instructions of Python 3.13")
def test_a_module_imported_in_the_body_is_followed_at_once() -> None:
    """Python 3.13 stores an imported module and loads it in one instruction."""

    def f(x, n):
        import os

        os.sync()
        return jnp.zeros(n) + x

    assert "file descriptors" in jm.diagnose(f, 1.0, 3).reason


def test_a_property_that_is_kept_once_asked_does_not_cost_the_advice() -> None:
    class Table:
        @functools.cached_property
        def scale(self):
            return 2.0

    table = Table()

    def f(x):
        y = x * table.scale
        return y if y > 0 else -y

    answer = jm.diagnose(f, 1.0)
    assert answer.kind == "rewrite" and answer.verified and "scale" not in vars(table)


def test_what_is_met_behind_a_site_ends_the_answer_there(tmp_path: Path) -> None:
    """The run that looks for sites goes to the first effect and no further; nothing is advised that needs a trace beyond."""
    log = tmp_path / "log"

    def f(x, n):
        y = jnp.zeros(n) + x
        with open(log, "a") as file:
            file.write("seen")
        return y

    found = jm.diagnose(f, 1.0, 3)
    assert [site.arguments for site in found.sites] == [("n",)] and not found.static_argnames and not found.verified
    assert "was not traced again, because it writes to a file (line " in found.reason and not log.exists()


def test_a_handler_of_the_users_does_not_let_an_effect_pass(tmp_path: Path) -> None:
    def f(x, n):
        try:
            (tmp_path / "log").write_text("seen")
        except BaseException as error:
            print(error)
        return jnp.zeros(n) + x

    assert "it writes to a file" in jm.diagnose(f, 1.0, 3).reason and not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails", [False, True])
def test_an_effect_that_was_caught_ends_the_run_all_the_same(tmp_path: Path, fails: bool) -> None:
    """Whatever the function does then: it may have taken another way than it would have."""

    def f() -> None:
        with contextlib.suppress(BaseException):
            (tmp_path / "log").write_text("seen")
        if fails:
            raise ValueError

    with pytest.raises(Effect, match="it writes to a file"):
        rerun(f)


def test_a_passing_function_with_effects_is_not_traced_again_for_advice(shell: Shell) -> None:
    """ "n need not be static" is found by tracing twice more: not where that would be noticed."""
    jm.options.tell_after_s = 0.0
    try:
        shell.ok("import itertools\ntraced = itertools.count()")
        shell.ok("%%jit --static n\ndef f(x, n):\n    next(traced)\n    return x * n")
        shell.ok("for n in range(4): f(1.0, n)")
        assert shell.ok("next(traced)").value == 4
    finally:
        jm.options.reset()


def test_a_trace_that_sleeps_is_not_repeated(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)

    sleep.__module__ = "time"  # by which it is known
    monkeypatch.setattr(time, "sleep", sleep)
    shell.ok("import time")
    ran = shell.run("%%jit\ndef f(x, n):\n    time.sleep(0.0625)\n    return jnp.zeros(n) + x\n\nf(1.0, 3)")
    assert slept.count(0.0625) == 1
    assert "because it sleeps (line 3)" in " ".join(ran.displays[-1]["text/plain"].split())


def test_a_diagnosis_ends_in_time_by_the_wall_clock() -> None:
    """Waiting counts: a function that waits without Python hearing of it."""
    import select

    def f(x, n):
        select.select([], [], [], 0.6)
        return jnp.zeros(n) + x + (1 if x > 0 else 2)

    jm.options.advice_limit_s = 1.0
    try:
        begin = time.perf_counter()
        found = jm.diagnose(f, 1.0, 3)
        assert time.perf_counter() - begin < 6  # 13 s where each wait was allowed four times its time
        assert found.reason.startswith("Unknown") and not found.verified
    finally:
        jm.options.reset()


def test_a_helper_s_first_call_after_a_diagnosis_is_traced_and_compiled() -> None:
    """JAX's caches of the user's jitted helpers hold nothing that a diagnosis put there, and neither do those of functools."""
    import functools

    @jax.jit
    def helper(x):
        return jnp.sin(x) * 2

    @functools.lru_cache
    def cached(n):
        return n + 1

    def f(x, t):
        y = helper(x) + cached(3)
        if y.sum() > t:
            return y
        return -y

    found = jm.diagnose(f, X, 0.5)
    assert found.sites and cached.cache_info().currsize == 0
    with events() as seen:
        jax.block_until_ready(helper(X))
    assert {"jaxpr_trace_duration", "backend_compile_duration"} <= {name.rpartition("/")[2] for name in seen}
    with events() as seen, pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(f)(X, 0.5)
    assert any("jaxpr_trace" in name for name in seen)


def test_a_dict_is_put_back_whose_new_keys_are_not_found_again() -> None:
    """A key's hash may follow what it stands for: such a dict is filled anew."""

    class Changing:
        now = 1

        def __hash__(self) -> int:
            return self.now

    key = Changing()
    held: dict[Any, int] = {"a": 1}
    restore = of_dict(held)
    held[key], held["a"] = 2, 3
    key.now = 2
    restore()
    assert held == {"a": 1}


def test_a_cache_that_a_function_keeps_by_a_traced_number_is_left_as_it_was() -> None:
    tables: dict[int, Any] = {}

    def weighed(x: Any, n: int) -> Any:
        if n not in tables:
            tables[n] = jnp.arange(n) + 1.0
        return x * tables[n].sum() if x.sum() > 0 else x

    answer = jm.diagnose(weighed, jnp.array([1.5, -1.0]), 3)
    assert tables == {} and "failed" not in answer.reason
