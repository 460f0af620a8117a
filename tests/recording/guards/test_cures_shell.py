"""What is told below a cell, in a real IPython shell."""

from __future__ import annotations

from shells import Shell


def test_a_recompile_is_told_below_the_cell_with_its_cell_and_line(shell: Shell) -> None:
    shell.ok("import jupyter_jitmagic as jm\njm.options.tell_after_s = 0")
    shell.ok("%%jit --quiet\ndef told_step(x):\n    return x + 1\ntold_step(jnp.ones(4))")
    ran = shell.ok("y = jnp.ones(5)\ntold_step(y);")
    number = shell.ip.execution_count - 1
    assert "told_step recompiled (" in ran.text
    assert f"x is f32[5] now and was f32[4] before, cell [{number}], line 2." in " ".join(ran.text.split())
    assert "told_step recompiled (" in ran.html
    shell.ok("jm.options.reset()")


def test_a_stale_global_is_told_below_the_cell_that_used_it(shell: Shell) -> None:
    shell.ok("rate = 2.0")
    shell.ok("%%jit --quiet\ndef grow(x):\n    return x * rate\ngrow(1.0);")
    assert "still uses" not in shell.ok("rate = 3.0").text
    told = shell.ok("grow(1.0);").text
    assert "grow still uses the old rate: rate is 3.0 now and was 2.0" in told
    assert "still uses" not in shell.ok("grow(1.0);").text


def test_no_alarm_after_the_cell_was_run_again(shell: Shell) -> None:
    cell = "%%jit --quiet\ndef grow(x):\n    return x * rate\ngrow(1.0);"
    shell.ok("rate = 2.0")
    shell.ok(cell)
    shell.ok("rate = 3.0")
    assert "still uses" not in shell.ok(cell).text
    assert "still uses" not in shell.ok("grow(1.0);").text


def test_helpers_and_imports_that_run_again_unchanged_are_no_alarm(shell: Shell) -> None:
    shell.ok("def helper(x):\n    return jnp.sin(x)")
    shell.ok("%%jit --quiet\ndef use(x):\n    return helper(x)\nuse(1.0);")
    shell.ok("import jax.numpy as jnp\n\ndef helper(x):\n    return jnp.sin(x)")
    assert "still uses" not in shell.ok("use(1.0);").text
    shell.ok("def helper(x):\n    return jnp.cos(x)")
    assert "use still uses the old helper" in shell.ok("use(1.0);").text


def test_functions_under_jit_that_call_each_other_are_no_alarm(shell: Shell) -> None:
    shell.ok("%%jit --quiet\ndef inner(x):\n    return x * 2")
    shell.ok("%%jit --quiet\ndef outer(x):\n    return inner(x) + 1\nouter(1.0);")
    for _ in range(3):
        assert "still uses" not in shell.ok("inner(jnp.ones(3)); inner(1.0); outer(1.0);").text
    shell.ok("%%jit --quiet\ndef inner(x):\n    return x * 3")
    assert "outer still uses the old inner" in shell.ok("outer(1.0);").text


def test_the_table_of_misses_ends_with_what_would_have_saved_them(shell: Shell) -> None:
    shell.ok("%config JitMagic.tell_after_s = 0")
    shell.ok("%%jit --static n --quiet\ndef scaled(x, n):\n    return x * n\nfor n in range(4):\n    scaled(jnp.ones(3), n)")
    text = " ".join(shell.ok("%jitstats scaled --level misses").text.split())
    assert "it need not be static: scaled traces without its value" in text
    assert "need not be static" not in shell.ok("%jitstats --level entries").text
    shell.ok("import jupyter_jitmagic as jm\njm.options.reset()")


def test_what_is_told_is_escaped(shell: Shell) -> None:
    shell.ok("mark = '<b>2</b>'")
    shell.ok("%%jit --quiet\ndef use(x):\n    return x * len(mark)\nuse(1.0);")
    shell.ok("mark = '<i>3</i>'")
    assert "<i>" not in shell.ok("use(1.0);").html
