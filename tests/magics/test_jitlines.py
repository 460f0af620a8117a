"""`%jitlines` and `%%jit --lines` in a real shell."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from shells import Shell

import jupyter_jitmagic as jm


@pytest.fixture
def used(shell: Shell) -> Iterator[Shell]:
    jm.reset()
    shell.ok(
        "%%jit\ndef scaled(x):\n    return jnp.tanh(x) * 3\n\n@jax.jit\ndef step(w, x):\n    y = x @ w\n"
        "    for _ in range(5):\n        y = scaled(y @ w)\n    return y\n"
    )
    shell.ok("w = jnp.ones((200, 200)) / 200")
    yield shell
    jm.reset()


def test_a_statement_is_run_and_its_function_shown_line_by_line(used: Shell) -> None:
    ran = used.ok("%jitlines step for _ in range(3): w = step(w, w)")
    assert "step · cell [2], line 5" in ran.text and "(3 calls)" in ran.text
    assert "y = scaled(y @ w)" in ran.text and "(×5)" in ran.text and "scaled · cell [2]" in ran.text
    assert used.ok("w.shape").value == (200, 200), "the statement's variables are the user's"


def test_outputs_that_nobody_holds_are_waited_for(used: Shell) -> None:
    used.ok("long = jax.jit(lambda x: jax.lax.fori_loop(0, 200, lambda _, v: v @ x, x))")
    assert "100 %" in used.ok("%jitlines long(w)").text


def test_without_a_statement_it_shows_what_is_known(used: Shell) -> None:
    used.ok("step(w, w)")
    text = used.ok("%jitlines step").text
    assert "not run: equations and XLA's estimates of entry" in text and "(×5)" in text and "time" not in text.splitlines()[1]


def test_without_a_name_every_function_that_ran_is_shown(used: Shell) -> None:
    text = used.ok("%jitlines step(w, w)").text
    assert "step · cell [2]" in text


def test_equations_of_plain_jit_are_known_too(used: Shell) -> None:
    used.ok("@jax.jit\ndef plain(x):\n    for _ in range(7):\n        x = jnp.sin(x) * 2\n    return x")
    text = used.ok("%jitlines plain(w)").text
    assert "14 (×7)" in text and "14 equations" in text


def test_objects_that_are_called_stand_apart_with_their_equations(used: Shell) -> None:
    """JAX gives all of them one name. Functions of one name, too, are told apart by their lines."""
    used.ok("class C:\n    def __call__(self, x):\n        x = jnp.sin(x)\n        return x @ x\nc = jax.jit(C())")
    used.ok("class D:\n    def __call__(self, x):\n        return x * x\nd = jax.jit(D())")
    text = used.ok("%jitlines c(w), d(w)").text
    assert "C.__call__" in text and "2 equations" in text and "D.__call__" in text and "1 equation" in text
    used.ok("def f(x):\n    return x * 2\none = jax.jit(f)\none(w)")
    used.ok("def f(x):\n    return jnp.sin(x) + jnp.cos(x)\nother = jax.jit(f)\nother(w)")
    text = used.ok("%jitlines one(w), other(w)").text
    assert "3 equations" in text and "1 equation ·" in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nosuch", "no jitted function is called nosuch (there are: "),
        ("step", "step was never called: its equations need arguments (%jitlines step STATEMENT)"),
        ("step 1 + 1", "the statement ran no program of step"),
        ("1 + 1", "the statement ran nothing compiled"),
        ("w * 2", "the statement ran no jitted function of yours"),
    ],
)
def test_what_cannot_be_shown_is_one_line(used: Shell, line: str, message: str) -> None:
    ran = used.run(f"%jitlines {line}")
    assert isinstance(ran.error, UsageError) and message in str(ran.error)


def test_a_statement_that_fails_raises_its_own_error_and_the_next_one_is_measured(used: Shell) -> None:
    ran = used.run("%jitlines step(w, w[0, 0, 0])")
    assert isinstance(ran.error, IndexError)
    assert "measuring.py" not in ran.stdout, "no frame of the profiler's is shown"
    used.ok("%jitlines step(w, w)")


def test_a_cell_shows_the_lines_of_what_it_ran(used: Shell) -> None:
    ran = used.ok("%%jit --lines\ndef cubed(x):\n    return x @ x @ x\n\ncubed(w)")
    assert "cubed · cell [4]" in ran.text and "return x @ x @ x" in ran.text
    assert "rgba(230, 140, 20" in ran.html, "the hot line is tinted"
    heads = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", ran.html)
    assert heads[:4] == ["line", "share", "", "time"], "in a narrow notebook the code is seen beside its share"


def test_a_cell_with_lines_that_fails_shows_its_error_alone(used: Shell) -> None:
    ran = used.run("%%jit --lines --quiet\ndef wrong(x):\n    raise KeyError('mine')\n\nwrong(w)")
    assert isinstance(ran.error, KeyError)
    used.ok("%jitlines step(w, w)")


def test_nothing_of_it_is_imported_before_it_is_used(shell: Shell) -> None:
    names = "[name for name in sys.modules if name.startswith(('jupyter_jitmagic.by_line', 'pandas'))]"
    code = f"import jupyter_jitmagic.magics.loading, sys; print({names})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_panel_gets_the_lines_of_an_entry_known_or_measured(used: Shell) -> None:
    from jupyter_jitmagic.magics.panel_lines import for_panel
    from jupyter_jitmagic.records.log import log

    used.ok("step(w, w)")
    entry = next(iter(log.entries))
    known = for_panel(used.ip, {"entry": entry})
    (step, helper) = known["parts"]  # type: ignore[misc]
    assert (step["name"], helper["name"]) == ("step", "scaled")
    assert step["place"] == {"cell": 2, "file": "", "line": 5} and "time" not in step["columns"]
    assert len(step["rows"]) == len(step["lines"]) == len(step["code"]) == len(step["heat"])
    assert "y = scaled(y @ w)" in step["code"][step["lines"].index(9)]
    used.ok("%jitlines step(w, w)")
    measured = for_panel(used.ip, {"entry": entry})["parts"][0]  # type: ignore[index]
    assert "time" in measured["columns"] and max(measured["heat"]) == 1.0


def test_the_panels_question_about_an_entry_that_is_gone_gets_one_line(used: Shell) -> None:
    from jupyter_jitmagic.magics.panel_lines import for_panel

    with pytest.raises(jm.OptionError, match="gone"):
        for_panel(used.ip, {"entry": 10**9})


def test_the_panel_gets_a_program_with_the_cells_lines_behind_its_own(used: Shell) -> None:
    from jupyter_jitmagic.magics.panel_programs import for_panel
    from jupyter_jitmagic.records.log import log

    used.ok("step(w, w)")
    answer: Any = for_panel(used.ip, {"entry": next(iter(log.entries)), "what": "jaxpr"})
    lines = answer["text"].split("\n")
    assert len(lines) == len(answer["at"]) and answer["length"] == len(answer["text"])
    behind = [answer["places"][at] for line, at in zip(lines, answer["at"], strict=True) if "dot_general[" in line and at >= 0]
    assert {"cell": 2, "file": "", "line": 9} in behind
