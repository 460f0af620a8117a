"""The answer outside notebooks."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import weakref

import jax.numpy as jnp
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.guards.failed_calls import kept_on
from jupyter_jitmagic.records.log import log

SCRIPT = """
import jax.numpy as jnp
import jupyter_jitmagic as jm

@jm.jit
def scaled(x, n):
    return jnp.zeros(n) + x

"""


def test_a_printed_diagnosis_is_the_answer_as_text() -> None:
    def padded(x, n):
        return jnp.zeros(n).at[: x.shape[0]].set(x)

    diagnosis = jm.diagnose(padded, jnp.arange(3.0), 5)
    lines = str(diagnosis).splitlines()
    assert lines[0] == "padded cannot be traced" and lines[-1].strip() == '@jax.jit(static_argnames="n")'
    assert repr(diagnosis).startswith("Diagnosis(")


def ran(code: str, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", SCRIPT + code], input=typed, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_script_whose_traces_fail_is_told_once_where_the_answer_is() -> None:
    """And its error is JAX's own, as without us."""
    done = ran(
        "for _ in range(2):\n    try:\n        scaled(1.0, 3)\n    except TypeError:\n        jm.explain_last()\n"
        "scaled(1.0, 3)\n"
    )
    pointers = [line for line in done.stderr.splitlines() if "explain_last" in line]
    assert len(pointers) == 1 and pointers[0].startswith("jupyter_jitmagic: scaled cannot be traced as it is.")
    assert "TypeError: Shapes must be 1D sequences of concrete values" in done.stderr and done.returncode == 1
    assert done.stdout.count("scaled cannot be traced") == 2 and done.stdout.count('static_argnames="n"') == 2


def test_at_the_prompt_after_a_script_the_last_error_is_explained() -> None:
    done = ran("scaled(1.0, 3)\n", "-i", typed="jm.explain_last()\n")
    assert "scaled cannot be traced" in done.stdout and 'static_argnames="n"' in done.stdout


def test_without_a_failed_trace_one_line_says_what_to_ask() -> None:
    with pytest.raises(jm.OptionError, match=r"^the call that raised KeyError is not known; ask for it: print\(jm.diagnose"):
        try:
            raise KeyError("b")
        except KeyError:
            jm.explain_last()


def test_a_failed_call_lives_as_long_as_its_error_and_is_not_pickled_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "shells", 0)  # other tests' shells may be loaded still

    def sized(x, n, activation):
        return activation(jnp.zeros(n) + x)

    given = jnp.arange(3.0)
    alive = weakref.ref(given)
    try:
        jm.jit(sized, static_argnames="activation")(given, 3, lambda x: x)  # no lambda can be pickled
    except TypeError as error:
        assert "concrete values" in str(pickle.loads(pickle.dumps(error)))
        kept = error
    assert kept_on(kept) is not None
    del given
    assert alive() is not None
    del kept
    gc.collect()
    assert alive() is None
