"""`%jitlines --roll`: an unrolled loop as one loop of lax, only where it gives the same numbers, with the price of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax.numpy as jnp
import pytest
from IPython.core.error import UsageError
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.records.log import log


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
    assert re.search(r"deep: as one lax\.(fori_loop|scan)", text), "which of them is for the time that proving takes"
    assert "- for i in range(40): # forty" in text and re.search(r"jax\.lax\.(fori_loop\(0, 40, |scan\()body_fun, \(", text)
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
    assert re.search(r"fori_loop\(0, n, |jnp\.arange\(n\)", deep.ok("%jitlines --roll power(x, 30)").text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--roll deep", "--roll takes a call"),
        ("--roll jnp.sin(x)", "no Python loop makes up half of sin's program"),
        ("--roll short(x)", "no Python loop makes up half of short's program"),
        ("--roll stopped(x)", "the loop in line 7 of stopped stays as it is: no loop of lax was found that gives the same"),
        ("--roll calling(x)", "the loop that was unrolled is in stopped, and not calling's own: give a call of that function"),
    ],
)
def test_what_cannot_be_one_loop_is_one_line(deep: Shell, line: str, message: str) -> None:
    deep.ok(
        "def short(x):\n    for _ in range(3):\n        x = x + 1\n    return x\n\n"
        "def stopped(x):\n    for k in range(99):\n        x = jnp.sin(x) + k\n        if k > 30:\n            break\n"
        "    return x\n\n"
        "def calling(x):\n    return stopped(x)"
    )
    ran = deep.run(f"%jitlines {line}")
    assert isinstance(ran.error, UsageError) and message in str(ran.error)


def test_a_list_that_the_loop_fills_becomes_the_outputs_of_a_scan(deep: Shell) -> None:
    deep.ok(
        "%%jit --quiet\ndef path(x):\n    out = [x]\n    for i in range(1, 41):\n        x = x + 0.1 * jnp.cos(x) / i\n"
        "        out.append(x)\n    return jnp.stack(out)"
    )
    deep.ok("path(x)")
    text = " ".join(deep.ok("%jitlines --roll path(x)").text.split())
    assert "path: as one lax.scan" in text and "jnp.concatenate([jnp.stack(out), out_of_loop])" in text


def test_jitfix_puts_the_loop_into_the_functions_cell(deep: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the next failure it is about that again."""
    put: list[str] = []
    monkeypatch.setattr(deep.ip, "set_next_input", lambda text, replace=False: put.append(text))
    cell = (
        "%%jit --quiet\nk = 2.0\n\nclass Model:\n    def run(self, x):\n        out = []\n        for i in range(40):\n"
        "            out.append(jnp.sin(x) * i)\n        return jnp.stack(out)\n\nmodel = Model()\n\n\n"
        "def path(x):\n    out = []\n    for i in range(40):\n        x = jnp.sin(x) * k + i  # here\n        out.append(x)\n"
        "    return jnp.stack(out)\n\n# after it\npath(x)"
    )
    deep.ok(cell)
    assert "%jitfix puts it into the cell." in " ".join(deep.ok("%jitlines --roll path(x)").text.replace("`", "").split())
    deep.ok("%jitfix")
    head, tail = cell.split("def path(x):\n")[0], "    return jnp.stack(out)\n\n# after it\npath(x)"
    assert put[0].startswith(head + "def path(x):\n    def body_fun(x, i):\n") and put[0].endswith(tail)
    assert "x = jnp.sin(x) * k + i  # here" in put[0]
    before = deep.names["path"](deep.names["x"])
    deep.ok(put[0])
    assert bool(jnp.allclose(before, deep.names["path"](deep.names["x"]), rtol=1e-4))
    deep.run("%%jit --quiet\ndef bad(x):\n    if x.sum() > 0:\n        return x\n    return -x\n\nbad(x)")
    deep.ok("%jitfix")
    assert "def bad(x):" in put[-1]


def panel(shell: Shell, entry: int) -> dict[str, Any]:
    from jupyter_jitmagic.magics.panel_lines import rolled_for_panel

    return rolled_for_panel(shell.ip, {"entry": entry})


def test_the_panel_has_it_measured_with_made_up_arguments(deep: Shell) -> None:
    from jupyter_jitmagic.magics.panel_lines import for_panel

    deep.ok("deep(x, 3.0)")
    (entry,) = log.entries
    assert for_panel(deep.ip, {"entry": entry})["loop"] == {"line": 4, "rounds": 40}
    calls = int(jm.stats().calls.iloc[0])
    found = panel(deep, entry)
    assert found["title"] in ("deep: as one lax.fori_loop", "deep: as one lax.scan")
    assert (
        "-    for i in range(40):  # forty" in found["diff"] and "(x * 1.0, total)" in found["diff"]
    )  # an int x is served, too
    assert "instead of 200" in found["said"][0] and "made-up arguments of this entry's types" in found["said"][1]
    assert "compiling that was recorded earlier" in found["said"][1]
    assert jm.stats().calls.tolist() == [calls] and list(log.entries) == [entry]
    before, after = found["fix"]["before"], found["fix"]["after"]
    assert before.startswith("%%jit") and after.split("def deep")[0] == before.split("def deep")[0]
    old, _ = deep.names["deep"](deep.names["x"], 3.0)
    deep.ok(after)
    new, _ = deep.names["deep"](deep.names["x"], 3.0)
    assert "for i in range(40)" not in after and bool(jnp.allclose(old, new, rtol=1e-4))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("jax.debug.print('{}', x[0])", "does more than compute"),
        ("x = jax.lax.while_loop(lambda c: c[0] < 5, lambda c: c + 1, x)", "has a while loop"),
        ("x = x + jax.random.normal(key, x.shape)", "cannot be made up"),
    ],
)
def test_what_must_not_run_with_made_up_arguments_is_one_line(deep: Shell, body: str, message: str) -> None:
    deep.ok(f"%%jit\ndef long(x, key):\n    for i in range(30):\n        x = jnp.sin(x)\n    {body}\n    return x")
    deep.ok("long(x, jax.random.key(0)).block_until_ready()")
    with pytest.raises(jm.OptionError, match=message):
        panel(deep, next(reversed(log.entries)))


def test_donated_arguments_are_no_trouble_and_a_thread_may_not_ask(deep: Shell) -> None:
    deep.ok("%%jit --donate y\ndef given(y):\n    for i in range(30):\n        y = jnp.sin(y)\n    return y")
    deep.ok("given(jnp.ones(4)).block_until_ready()")
    entry = next(reversed(log.entries))
    assert "both measured now" in panel(deep, entry)["said"][1]
    with ThreadPoolExecutor(1) as pool, pytest.raises(jm.OptionError, match="between cells"):
        pool.submit(panel, deep, entry).result()
