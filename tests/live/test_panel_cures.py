"""Advice on misses as the panel gets it: on real misses in a real shell, with the cell that takes the fix."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from shells import Shell

from jupyter_jitmagic.live import comms
from jupyter_jitmagic.live.question_answers import QUERIES
from jupyter_jitmagic.magics.miss_advice import for_panel, without_static
from jupyter_jitmagic.records.log import log


def test_a_needless_static_argument_comes_with_its_proof_and_the_cell_without_it(shell: Shell) -> None:
    shell.ok("import jupyter_jitmagic as jm\njm.options.tell_after_s = 0")
    cell = "%%jit --quiet --static n\ndef cured_scale(x, n):\n    return x * n"
    shell.ok(cell)
    for n in (2, 3, 4, 5):
        shell.ok(f"cured_scale(jnp.ones(3), n={n});")
    cures: Any = for_panel(shell.ip, {})["cures"]
    (cure,) = [each for each in cures if each["name"] == "cured_scale"]
    assert cure["proof"].startswith("traced without its value") and "need not be static" in cure["text"]
    assert cure["fix"]["before"].rstrip() == cell
    assert cure["fix"]["after"].splitlines()[0] == "%%jit --quiet"
    assert "-%%jit --quiet --static n" in cure["fix"]["diff"] and "+%%jit --quiet" in cure["fix"]["diff"]
    assert cure["place"]["line"] == 1 and cure["place"]["cell"]
    assert cure["function"] and cure["misses"] == 3
    assert cure["what"] == "take n off the static arguments" and (cure["before"], cure["after"]) == (4, 1)
    assert cure["saves_s"] == cure["cost_s"] and cure["last_s"] > 0
    shell.ok("jm.options.reset()")


def test_a_line_about_a_miss_or_an_advice_links_to_its_row_where_a_panel_listens(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.ok("import jupyter_jitmagic as jm\njm.options.tell_after_s = 0")
    shell.ok("%%jit --quiet\ndef linked(x):\n    return x\nlinked(jnp.ones(3));")
    assert "commandlinker" not in shell.ok("linked(jnp.ones(4));").html
    monkeypatch.setattr(comms, "is_heard", lambda: True)
    monkeypatch.setattr(comms, "epoch", lambda: "e1")
    shell.ok("jm.options.tell_after_s = 0")
    told = shell.ok("linked(jnp.ones(5)); linked(jnp.ones(5, int));")
    misses = [miss.id for miss in log.misses]
    assert f"{{&quot;miss&quot;: {misses[-1]}, &quot;epoch&quot;: &quot;e1&quot;}}" in told.html
    assert "Show in the panel" not in told.text
    shell.ok("jm.options.reset()")


def test_the_table_says_that_the_recording_is_paused(shell: Shell) -> None:
    shell.ok("%%jit --quiet\ndef slept(x):\n    return x\nslept(1.0);")
    assert "paused" not in shell.ok("%jitstats").text
    QUERIES["pause"]({"on": True})
    try:
        assert "calls made since then are not counted" in " ".join(shell.ok("%jitstats").text.split())
    finally:
        QUERIES["pause"]({"on": False})


F = "def f(x, n, m):\n    return x\n"
G = "def g(n):\n    return n\n"
H = "def h(n, k):\n    return n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"%%jit --static n,m --quiet\n{F}", f"%%jit --static m --quiet\n{F}"),
        (f"%%jit --static=f.n\n{F}", f"%%jit\n{F}"),
        (f"%%jit --static n\n{F}{G}", f"%%jit --static g.n\n{F}{G}"),
        (f"%%jit --static m,n,k --quiet\n{F}{G}{H}", f"%%jit --static m,g.n,h.n,k --quiet\n{F}{G}{H}"),
        (f"%%jit --static n,g.n\n{F}{G}", f"%%jit --static g.n\n{F}{G}"),
        (f"%%jit g --static n\n{F}{G}", None),
        (f"%%jit --static f.n,g.n\n{F}{G}", f"%%jit --static g.n\n{F}{G}"),
        (f"%%jit --static n , m\n{F}", f"%%jit --static m\n{F}"),
        (f"%%jit --static m , n --quiet\n{F}", f"%%jit --static m --quiet\n{F}"),
        (f"%%jit --static m --quiet --static= n\n{F}", None),
        (f"%%jit f  --static m --static n\n{F}", f"%%jit f  --static m\n{F}"),
        (f"%%jit --static n f --check\n{F}", f"%%jit f --check\n{F}"),
        (f"%%jit --static 'n,m'\n{F}", None),
        (f"\n%%time\n%%jit --static n,m\n{F}", f"\n%%time\n%%jit --static m\n{F}"),
        (f'@partial(jax.jit, static_argnames=("n", "m"))\n{F}', f'@partial(jax.jit, static_argnames="m")\n{F}'),
        (f'@jm.jit(static_argnames="n")\n{F}', f"@jm.jit(static_argnames=())\n{F}"),
        (f'{F}h = jax.jit(f, static_argnames=["n"])\n', f"{F}h = jax.jit(f, static_argnames=())\n"),
        (f"@jm.jit(static_argnames=NAMES)\n{F}", None),
        (f"@jm.jit(static_argnums=1)\n{F}", None),
        ("def f(x:\n", None),
    ],
)
def test_one_static_name_is_taken_back_where_it_is_said_in_one_clear_place(before: str, after: str | None) -> None:
    assert without_static(before, "f", "n") == after


def test_asking_before_anything_was_recorded_imports_nothing() -> None:
    """The panel asks in a thread of its own, perhaps while a cell is in the middle of the import."""
    ask = "import sys; from jupyter_jitmagic.magics.miss_advice import for_panel; assert for_panel(None, {}) == {'cures': []}"
    nothing = "assert not {'jax', 'jupyter_jitmagic.recording'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", f"{ask}; {nothing}"], check=True, timeout=60)
