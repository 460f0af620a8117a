"""A trace that fails in a cell: JAX's own error stays, a proven answer comes below it, and %jitfix puts it into the cell."""

from __future__ import annotations

import functools
import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import jax
import pytest
from IPython.core.error import UsageError
from shells import Ran, Shell

import jupyter_jitmagic as jm


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    jm.reset()
    yield
    jm.reset()
    assert jm.faults.details() == ""


LESSON = dedent("""\
    %%jit
    def conditional_double(x, threshold):
        if x > threshold:
            return x * 2
        else:
            return x

    conditional_double(jnp.float32(3.0), 2.0)""")

PADDED = dedent("""\
    def padded(x, n):
        # zeros behind
        return jnp.zeros(n, x.dtype).at[: x.size].set(x)

    padded(jnp.ones(3), 5)""")


def fails(shell: Shell, cell: str) -> Ran:
    ran = shell.run(cell)
    assert ran.error is not None
    return ran


def below(ran: Ran) -> str:
    """What stands below the error."""
    return "\n".join(data["text/plain"] for data in ran.displays)


def fixed(shell: Shell, line: str = "%jitfix") -> str:
    """The cell that %jitfix makes; it must run."""
    shell.ok(line)
    cell: str = shell.ip.rl_next_input
    shell.ok(cell)
    return cell


def test_the_lesson(shell: Shell) -> None:
    """A static threshold would not help; the rewrite does, and it was compared with plain Python."""
    ran = fails(shell, LESSON)
    assert isinstance(ran.error, jax.errors.TracerBoolConversionError)
    assert "TracerBoolConversionError" in ran.stdout, "JAX's own error stays"
    text = below(ran)
    assert text.startswith("conditional_double cannot be traced\n  cell [")
    assert "line 3  if x > threshold:" in text
    assert "it comes from x" in text
    assert "Making threshold static does not help: x > threshold still needs" in text
    assert "both branches taken, equal to plain Python" in text
    assert "+     return jnp.where(x > threshold, x * 2, x)" in text
    assert "%%jit --static" not in text
    assert fixed(shell) == dedent("""\
        %%jit
        def conditional_double(x, threshold):
            return jnp.where(x > threshold, x * 2, x)

        conditional_double(jnp.float32(3.0), 2.0)""")


def test_the_answer_is_recorded(shell: Shell) -> None:
    fails(shell, LESSON)
    (row,) = jm.stats("diagnoses").to_dict("records")
    assert (row["function"], row["kind"], row["verified"]) == ("conditional_double", "rewrite", True)


def test_a_static_argument_goes_on_the_magics_line(shell: Shell) -> None:
    ran = fails(shell, "%%jit --quiet\n" + PADDED)
    assert "%%jit --static n " in below(ran)
    assert fixed(shell) == "%%jit --quiet --static n\n" + PADDED


def test_it_joins_the_static_arguments_that_stand_there(shell: Shell) -> None:
    fails(shell, "%%jit --static m\ndef f(m, n):\n    return jnp.zeros((m, n))\n\nf(2, 3)")
    assert fixed(shell).startswith("%%jit --static m,n\n")


def test_it_names_the_function_where_another_has_an_argument_of_that_name(shell: Shell) -> None:
    fails(shell, "%%jit\ndef f(n):\n    return jnp.zeros(n)\n\ndef g(n):\n    return n + 1\n\ng(1)\nf(3)")
    assert fixed(shell).startswith("%%jit --static f.n\n")
    fails(shell, "%%jit --static n f\ndef f(n, m):\n    return jnp.zeros((n, m))\n\ndef g(n):\n    return n + 1\n\nf(2, 3)")
    assert fixed(shell).startswith("%%jit --static n,m f\n")


@pytest.mark.parametrize(
    "line, after",
    [
        ("--static a , b", "--static a , b,n"),
        ("--static=a,b --quiet", "--static=a,b,n --quiet"),
        ("--quiet --static a --static b  f", "--quiet --static a --static b,n  f"),
        ("f", "f --static a,b,n"),
    ],
)
def test_the_magics_line_is_changed_as_little_as_it_can_be(shell: Shell, line: str, after: str) -> None:
    body = "def f(a, b, n):\n    return jnp.zeros((a, b, n))\n\nf(1, 2, 3)"
    fails(shell, f"%%jit {line}\n{body}")
    assert fixed(shell) == f"%%jit {after}\n{body}"


BRANCH = "    if x > 0:\n        return x\n    return -x\n"
CURED = "    return jnp.where(x > 0, x, -x)\n"


@pytest.mark.parametrize(
    "cell",
    [
        "%%jit\nif 1:\n    def f(x):\n        return x + 1\ndef f(x):\n{}f(1.0)",
        "%%jit\ndef f(x):\n    return x + 1\nif 1:\n    pass\ndef f(x):\n{}f(1.0)",
        "@jax.jit\ndef f(x):\n{}g = f\n@jax.jit\ndef f(x):\n    return x\ng(1.0)",
        "@jax.jit\ndef f(x):\n{}g = f\nif 1:\n    @jax.jit\n    def f(x):\n        return x\ng(1.0)",
        "class K:\n    @jax.jit\n    def f(x):\n        return x\nclass K:\n    @jax.jit\n    def f(x):\n%sK.f(1.0)",
        "%%prun -q\n%%jit\nif 1:\n    def f(x):\n        return x + 1\ndef f(x):\n{}f(1.0)",
    ],
)
def test_of_several_definitions_the_one_that_ran_is_edited(shell: Shell, cell: str) -> None:
    deep = ["    " + line for line in BRANCH.splitlines(True)], ["    " + line for line in CURED.splitlines(True)]
    before = cell.replace("{}", BRANCH).replace("%s", "".join(deep[0]))
    fails(shell, before)
    assert fixed(shell) == cell.replace("{}", CURED).replace("%s", "".join(deep[1]))


@pytest.mark.parametrize(
    "cell, after",
    [
        ("%%jit f\nf = lambda n: jnp.zeros(n)\nf(3)", "%%jit f --static n\nf = lambda n: jnp.zeros(n)\nf(3)"),
        ("f = jax.jit(lambda n: jnp.zeros(n))\nf(3)", 'f = jax.jit(lambda n: jnp.zeros(n), static_argnames="n")\nf(3)'),
        (
            "g = lambda n: jnp.zeros(n)\nf = jax.jit(g)\nf(3)",
            'g = lambda n: jnp.zeros(n)\nf = jax.jit(g, static_argnames="n")\nf(3)',
        ),
        (
            "%%jit\ndef g(n):\n    return n\nf = jax.jit(lambda n: jnp.zeros(n))\nf(3)",
            '%%jit\ndef g(n):\n    return n\nf = jax.jit(lambda n: jnp.zeros(n), static_argnames="n")\nf(3)',
        ),
        (
            "f = jax.jit(lambda m: m); g = jax.jit(lambda n: jnp.ones(n))\ng(3)",
            'f = jax.jit(lambda m: m); g = jax.jit(lambda n: jnp.ones(n), static_argnames="n")\ng(3)',
        ),
        ("f = jax.jit(lambda n: n); g = jax.jit(lambda n: jnp.ones(n))\ng(3)", None),
        (
            "f = jax.jit(\n    lambda x, n: jnp.zeros(n) + (x if x > 0 else -x),\n)\nf(1.0, 3)",
            'f = jax.jit(\n    lambda x, n: jnp.zeros(n) + jnp.where(x > 0, x, -x), static_argnames="n",\n)\nf(1.0, 3)',
        ),
    ],
)
def test_a_lambda_gets_its_static_arguments_where_it_is_jitted(shell: Shell, cell: str, after: str | None) -> None:
    """On the magic's line only if the magic took it; and nowhere if it cannot be told which of two it is."""
    fails(shell, cell)
    if after is None:
        ran = shell.run("%jitfix")
        assert "several lambdas stand where this one was made" in ran.text
    else:
        assert fixed(shell) == after


def test_static_and_rewrite_together(shell: Shell) -> None:
    body = "    y = jnp.zeros(n)\n    if x.sum() > 0:\n        y = y + 1\n    return y"
    fails(shell, f"%%jit\ndef both(x, n):\n{body}\n\nboth(jnp.ones(3), 5)")
    assert fixed(shell) == dedent("""\
        %%jit --static n
        def both(x, n):
            y = jnp.zeros(n)
            y = jnp.where(x.sum() > 0, y + 1, y)
            return y

        both(jnp.ones(3), 5)""")


@pytest.mark.parametrize(
    "before, after",
    [
        ("@jax.jit\n", '@jax.jit(static_argnames="n")\n'),
        ("@jax.jit()\n", '@jax.jit(static_argnames="n")\n'),
        ("@jax.jit(donate_argnums=())\n", '@jax.jit(donate_argnums=(), static_argnames="n")\n'),
        ("@jax.jit(static_argnames='x2')\n", '@jax.jit(static_argnames=("x2", "n"))\n'),
        ("@jax.jit(static_argnums=2, static_argnames='x2')\n", '@jax.jit(static_argnames=("x2", "n"))\n'),
        ("@partial(jax.jit, static_argnames='x2', static_argnums=2)\n", '@partial(jax.jit, static_argnames=("x2", "n"))\n'),
        ("@partial(jax.jit)\n", '@partial(jax.jit, static_argnames="n")\n'),
        ("é = 1; from jax import jit as fast\n@fast\n", 'é = 1; from jax import jit as fast\n@fast(static_argnames="n")\n'),
    ],
)
def test_plain_jax_jit_gets_a_hint_and_the_same_cure(shell: Shell, before: str, after: str) -> None:
    shell.ok("from functools import partial")
    cell = PADDED.replace("(x, n)", "(x, n, x2=None)") if "x2" in before else PADDED
    ran = fails(shell, before + cell)
    assert below(ran).split() == [
        "%jitfix",
        "finds",
        "out",
        "why",
        "this",
        "cannot",
        "be",
        "traced,",
        "and",
        "puts",
        "the",
        "fix",
        "into",
        "the",
        "cell.",
    ]
    assert "padded cannot be traced" in below(shell.ok("%jitfix"))
    assert shell.ip.rl_next_input == after + cell
    shell.ok(shell.ip.rl_next_input)


def test_plain_jax_jit_called_on_the_function(shell: Shell) -> None:
    fails(shell, "def g(x, n):\n    return jnp.zeros(n) + x\n\nfast = jax.jit(g)\nfast(1.0, 3)")
    assert 'fast = jax.jit(g, static_argnames="n")' in fixed(shell)


def test_the_jit_of_a_library_gets_the_option(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """As flax's `nnx.jit`, which takes its modules, and `jax.jit` would not."""

    class Jitted:
        def __init__(self, fun: Any = None, **options: Any) -> None:
            functools.update_wrapper(self, fun)
            self.jitted_fn = jax.jit(fun, **options)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.jitted_fn(*args, **kwargs)

        def lower(self, *args: Any, **kwargs: Any) -> Any:
            return self.jitted_fn.lower(*args, **kwargs)

    def jit(fun: Any = None, **options: Any) -> Any:
        return Jitted(fun, **options) if fun is not None else lambda fun: Jitted(fun, **options)

    Jitted.__module__ = jit.__module__ = "deep.compilation"
    library = ModuleType("deep")
    library.jit = jit  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deep", library)
    fails(shell, "import deep\n\n@deep.jit\ndef g(x, n):\n    return jnp.zeros(n) + x\n\ng(1.0, 3)")
    assert '@deep.jit(static_argnames="n")' in below(shell.ok("%jitfix"))
    assert '@deep.jit(static_argnames="n")\ndef g' in fixed(shell)


def test_the_call_may_fail_in_a_later_cell(shell: Shell) -> None:
    """The advice names the cell of the function, and %jitfix brings that cell."""
    shell.ok("%%jit\ndef f(x):\n    if x > 1:\n        return x\n    return 2 * x")
    number = shell.ip.execution_count - 1
    ran = fails(shell, "f(jnp.float32(2.0))")
    assert f"cell [{number}], line 3" in below(ran)
    assert fixed(shell) == "%%jit\ndef f(x):\n    return jnp.where(x > 1, x, 2 * x)"


def test_blank_lines_at_the_end_are_no_hindrance(shell: Shell) -> None:
    """A terminal ends a cell with them, and the history drops them."""
    shell.ok("%%jit\ndef f(x):\n    if x > 1:\n        return x\n    return 2 * x\n\n\n")
    fails(shell, "f(jnp.float32(2.0))")
    assert fixed(shell) == "%%jit\ndef f(x):\n    return jnp.where(x > 1, x, 2 * x)"


def test_blank_lines_above_and_other_magics_keep_their_place(shell: Shell) -> None:
    fails(
        shell,
        "\n%%jit\n%time y = 1\ndef f(x):\n    if x > 1:\n        return x\n    return 2 * x\n\n%pwd\nf(jnp.float32(2.0))",
    )
    assert fixed(shell) == (
        "\n%%jit\n%time y = 1\ndef f(x):\n    return jnp.where(x > 1, x, 2 * x)\n\n%pwd\nf(jnp.float32(2.0))"
    )


def test_a_helper_in_another_cell_is_changed_there(shell: Shell) -> None:
    """The failing cell needs no change: the helper's is what %jitfix brings."""
    shell.ok("def helper(x):\n    if x > 0:\n        return x\n    return -x")
    number = shell.ip.execution_count - 1
    ran = fails(shell, "%%jit\ndef f(x):\n    return helper(x) * 2\n\nf(jnp.float32(1.0))")
    assert f"%jitfix puts it into cell [{number}]." in below(ran)
    assert fixed(shell) == "def helper(x):\n    return jnp.where(x > 0, x, -x)"


def test_a_helper_in_a_file_is_shown_as_a_diff(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell holds it."""
    (tmp_path / "helpers_in_a_file.py").write_text("def helper(x):\n    if x > 0:\n        return x\n    return -x\n")
    monkeypatch.syspath_prepend(tmp_path)
    shell.ok("from helpers_in_a_file import helper")
    fails(shell, "%%jit\ndef f(x):\n    return helper(x) * 2\n\nf(jnp.float32(1.0))")
    shell.ip.rl_next_input = None
    assert "+     return jnp.where(x > 0, x, -x)" in below(shell.ok("%jitfix"))
    assert shell.ip.rl_next_input is None


REPEATED = "def f(x, n):\n    return jnp.repeat(x, n)\n"


def test_a_static_argument_goes_into_the_cell_that_calls_jit(shell: Shell) -> None:
    """Neither the function's cell nor the one that failed; a cell with another function of that name is not touched."""
    shell.ok(f"{REPEATED}old = jax.jit(f)")
    shell.ok(REPEATED)
    shell.ok("fast = jax.jit(f)")
    fails(shell, "fast(jnp.ones(2), 3)")
    shell.ok("%jitfix")
    assert shell.ip.rl_next_input == 'fast = jax.jit(f, static_argnames="n")'
    shell.ok(shell.ip.rl_next_input)
    assert shell.ok("fast(jnp.ones(2), 3)").value.shape == (6,)


@pytest.mark.parametrize(
    ("jitted", "wanted"),
    [
        ("jax.jit(jax.vmap(f, in_axes=(0, None)))", 'jax.jit(jax.vmap(f, in_axes=(0, None)), static_argnames="n")'),
        ("jax.jit(partial(f))", 'jax.jit(partial(f), static_argnames="n")'),
    ],
)
def test_a_function_under_another_call_within_jit(shell: Shell, jitted: str, wanted: str) -> None:
    """`jax.jit(jax.vmap(f))`: the option is jit's."""
    shell.ok(f"from functools import partial\n{REPEATED}")
    shell.ok(f"fast = {jitted}")
    fails(shell, "fast(jnp.ones((2, 2)), 3)")
    shell.ok("%jitfix")
    assert shell.ip.rl_next_input == f"fast = {wanted}"


@pytest.mark.parametrize("decorated", [True, False])
def test_a_function_of_a_file_under_jit_in_a_cell(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decorated: bool
) -> None:
    """The cell with `jax.jit(f)` takes the option, unless it is the file's own jit that needs it."""
    name = f"functions_in_a_file_{decorated}"
    head = "import jax\nimport jax.numpy as jnp\n" + "@jax.jit\n" * decorated
    (tmp_path / f"{name}.py").write_text(head + REPEATED)
    monkeypatch.syspath_prepend(tmp_path)
    shell.ok(f"from {name} import f")
    shell.ok("fast = jax.jit(f)")
    fails(shell, "f(jnp.ones(2), 3)" if decorated else "fast(jnp.ones(2), 3)")
    shell.ip.rl_next_input = None
    shell.ok("%jitfix")
    assert shell.ip.rl_next_input == (None if decorated else 'fast = jax.jit(f, static_argnames="n")')


def test_a_method_that_its_object_puts_under_jit(shell: Shell) -> None:
    """`self.run = jax.jit(self.f)`."""
    cell = "class Model:\n    def __init__(self):\n        self.run = jax.jit(self.f)\n\n"
    shell.ok(cell + "    def f(self, x, n):\n        return jnp.repeat(x, n)")
    fails(shell, "Model().run(jnp.ones(2), 3)")
    assert 'self.run = jax.jit(self.f, static_argnames="n")' in fixed(shell)


def test_what_was_put_under_jit_in_a_cell_of_its_own_is_put_there_again(shell: Shell) -> None:
    """The jitted function is the one of before; where jit stands over the function itself nothing more is to be done."""
    shell.ok("def f(x):\n    if x > 0:\n        return x\n    return -x")
    shell.ok("fast = jax.jit(f)")
    number = shell.ip.execution_count - 1
    fails(shell, "fast(jnp.float32(1.0))")
    assert f"Then run cell [{number}] again, which puts f under jit." in below(shell.ok("%jitfix"))
    shell.ok("@jax.jit\ndef g(x):\n    if x > 0:\n        return x\n    return -x")
    fails(shell, "g(jnp.float32(1.0))")
    assert "again" not in below(shell.ok("%jitfix"))


@pytest.mark.parametrize("head", ["%%time\n", "\n%%time\n"])
def test_a_cell_that_is_timed_has_its_source(shell: Shell, head: str) -> None:
    """``%%time`` compiles it under a name of its own, of which Python knows no text; a later one hides an earlier."""
    cell = head + "@jax.jit\ndef f(x):\n    if x > 0:\n        return x\n    return -x\n\nvalue = f(jnp.float32(1.0))"
    number = shell.ip.execution_count
    ran = fails(shell, cell)
    assert f"cell [{number}], line {3 + head.count(chr(10))}" in below(shell.ok("%jitfix")) + below(ran)
    assert (
        shell.ip.rl_next_input
        == head + "@jax.jit\ndef f(x):\n    return jnp.where(x > 0, x, -x)\n\nvalue = f(jnp.float32(1.0))"
    )
    shell.ok(shell.ip.rl_next_input)
    shell.ok("%%time\ndef halved(x):\n    while x > 1:\n        x = x / 2\n    return x")
    number = shell.ip.execution_count - 1
    shell.ok("%%time\nother = 1\nanother = 2\nthird = 3\nfourth = 4")
    text = below(fails(shell, "jax.jit(halved)(3.0)")) + below(shell.ok("%jitfix"))
    assert f"cell [{number}], line 3  while x > 1:" in text and "while_loop" in text


def test_a_number_beyond_the_fixes_lists_them(shell: Shell) -> None:
    fails(shell, LESSON)
    ran = shell.run("%jitfix 9")
    assert isinstance(ran.error, UsageError)
    assert "there is no fix 9 (1: jnp.where" in ran.text


def test_the_users_own_exception_gets_no_lecture(shell: Shell) -> None:
    ran = fails(shell, "%%jit\ndef f(x):\n    raise KeyError('mine')\n\nf(1.0)")
    assert below(ran) == ""


def test_an_error_passed_on_is_not_diagnosed_twice(shell: Shell) -> None:
    """A cell that runs another cell and raises its error again: told again where it is seen, found and recorded once."""
    ran = fails(shell, f"get_ipython().run_cell({LESSON!r}).raise_error()")
    assert below(ran).count("conditional_double cannot be traced") == 2
    assert len(jm.stats("diagnoses")) == 1


@pytest.mark.parametrize("cell", ["jnp.ones(3) + jnp.ones(4)", "jnp.dot(jnp.ones(3), jnp.ones(4))"])
def test_a_failing_jax_operation_outside_a_trace_gets_nothing(shell: Shell, cell: str) -> None:
    """JAX puts its own operations under jit; that is not the user's trace."""
    assert below(fails(shell, cell)) == ""
    assert "the last failure was no trace" in str(shell.run("%jitfix").error)


def test_what_is_static_already_is_no_part_of_the_fix(shell: Shell) -> None:
    text = below(fails(shell, LESSON.replace("%%jit", "%%jit --static threshold")))
    assert "+     return jnp.where(x > threshold, x * 2, x)" in text
    assert "--static" not in text and "compiles again" not in text
    assert fixed(shell).startswith("%%jit --static threshold\ndef conditional_double(x, threshold):\n    return jnp.where(")


def test_a_method_whose_self_is_static_by_number(shell: Shell) -> None:
    """The rewrite leaves the decorator; a further static argument turns its numbers into names."""
    method = dedent("""\
        import functools
        class K:
            @functools.partial(jax.jit, static_argnums=0)
            def go(self, x, n):
                {}
        K().go(1.0, 3)""")
    fails(shell, method.format("return x if x > 0 else -x"))
    assert "static_argnums=0)\n    def go(self, x, n):\n        return jnp.where(x > 0, x, -x)" in fixed(shell)
    fails(shell, method.format("return jnp.zeros(n) + x"))
    assert '@functools.partial(jax.jit, static_argnames=("self", "n"))\n' in fixed(shell)


def test_what_the_users_code_refuses_gets_no_rewrite(shell: Shell) -> None:
    """A raise that plain Python meets as well is not to be replaced by a nan."""
    text = below(fails(shell, "%%jit\ndef f(x, n):\n    if n > 3:\n        raise ValueError('n!')\n    return x\n\nf(1.0, 5)"))
    assert "no static argument cures it" in text and "Plain Python fails in the same way" in text
    assert "Perhaps" not in text and "nan" not in text


def test_an_unhashable_static_argument_is_told(shell: Shell) -> None:
    text = below(fails(shell, "%%jit --static n\ndef f(x, n):\n    return jnp.zeros(n) + x\n\nf(1.0, [3])"))
    assert "n is declared static, but a list is not hashable: pass a tuple." in text


@pytest.mark.parametrize(
    ("before", "after", "call"),
    [
        ("smooth = jax.jit(f, static_argnums=(0,))", 'smooth = jax.jit(f, static_argnames="n")', "smooth(jnp.arange(4.0), 2)"),
        ('smooth = jax.jit(f, static_argnames=("x", "n"))', 'smooth = jax.jit(f, static_argnames="n")', "smooth(x, n=2)"),
    ],
)
def test_an_array_that_is_declared_static_is_traced_in_the_fixed_cell(shell: Shell, before: str, after: str, call: str) -> None:
    """Plain `jax.jit` refuses it before it traces: nothing was said, and `%jitfix` took it for no trace."""
    shell.ok("x = jnp.ones(4)")
    shell.ok(f"def f(x, n):\n    return x[:n] * 2\n{before}")
    assert "%jitfix finds out why" in below(fails(shell, call))
    said = " ".join(shell.ok("%jitfix").text.split())
    assert "x is declared static, and is an array, which has no hash: leave it traced." in said
    cell = str(shell.ip.rl_next_input)
    assert cell.endswith(after)
    shell.ok(cell)
    assert shell.ok(call).value.shape == (2,)


def test_what_meets_a_tracer_that_was_left_behind_is_told_who_left_it(shell: Shell) -> None:
    """Plain `jax.jit` says nothing when it is left: the cell that uses it fails, and `%jitfix` took it for no trace."""
    shell.ok("kept = {}\n\n@jax.jit\ndef step(x):\n    kept['x'] = x * 2\n    return x")
    number = int(shell.ip.execution_count) - 1
    shell.ok("step(1.0)")
    text = below(fails(shell, "kept['x'] + 1"))
    assert f"A value here is a tracer, and no number: step (cell [{number}], line" in text
    assert "Let step return it" in text
    assert "kept it outside of itself" in " ".join(shell.run("%jitfix").text.split())


def test_a_method_is_refused_with_its_object(shell: Shell) -> None:
    """It is looked up without being called, and nothing of the line runs again."""
    shell.ok(
        "import functools\n\nclass Model:\n    @functools.partial(jax.jit, static_argnums=(0, 1))\n"
        "    def step(self, params):\n        return params['w'] * 2\n\nmodel = Model()"
    )
    fails(shell, "model.step({'w': jnp.ones(2)})")
    assert "params is declared static, and is a pytree with arrays" in " ".join(shell.ok("%jitfix").text.split())
    shell.names["made"] = []
    fails(shell, "def make():\n    made.append(1)\n    return {'w': jnp.ones(2)}\n\nmodel.step(make())")
    shell.run("%jitfix")
    assert shell.names["made"] == [1]


def test_an_interrupted_trace_is_not_traced_again(shell: Shell) -> None:
    """Who stops a trace wants it stopped."""
    shell.names["traced"] = []
    cell = "%%jit\ndef f(x):\n    traced.append(1)\n    raise KeyboardInterrupt\n\nf(1.0)"
    assert below(fails(shell, cell)) == ""
    assert shell.names["traced"] == [1]


@pytest.mark.parametrize("other", ["1 / 0", "def f(:", "raise jm.RecompileError", "jnp.ones(3) + jnp.ones(4)"])
def test_a_fix_belongs_to_the_last_failure_only(shell: Shell, other: str) -> None:
    """After another error nothing is put into a cell, and one line says why."""
    shell.ok("import jupyter_jitmagic as jm")
    fails(shell, LESSON)
    for no_failure in ("2 + 2", "%jitfix 9", "%no_such_magic", "raise KeyboardInterrupt"):
        shell.run(no_failure)
        shell.ip.rl_next_input = None
        shell.ok("%jitfix")
        assert shell.ip.rl_next_input, no_failure
    fails(shell, other)
    shell.ip.rl_next_input = None
    ran = shell.run("%jitfix")
    assert isinstance(ran.error, UsageError) and len(str(ran.error).splitlines()) == 1
    assert "the last failure was no trace" in str(ran.error) and not shell.ip.rl_next_input


def test_an_error_outside_any_trace_gets_nothing(shell: Shell) -> None:
    assert below(fails(shell, "1 / 0")) == ""
    assert isinstance(shell.run("%jitfix").error, UsageError)


def test_a_failure_that_is_no_staticness_says_what_it_is(shell: Shell) -> None:
    text = below(fails(shell, "%%jit\ndef f(x, y):\n    return x @ y\n\nf(jnp.ones(3), jnp.ones(4))"))
    assert "no static argument cures it" in text
    assert "cell [" in text


def test_a_passing_cell_shows_nothing(shell: Shell) -> None:
    assert below(shell.ok("%%jit --quiet\ndef f(x):\n    return x\n\ny = f(1)")) == ""


def test_nothing_of_the_users_is_kept(shell: Shell) -> None:
    """After the next error has taken the place of the traceback, the failing call's arguments are free."""
    fails(shell, "%%jit\ndef f(x):\n    if x.sum() > 1:\n        return x\n    return 2 * x\n\nbig = jnp.ones(1000)\nf(big)")
    alive = weakref.ref(shell.names["big"])
    shell.run("del big\n1 / 0")
    shell.run("2 / 0")
    gc.collect()
    assert alive() is None


def test_a_diagnosis_shows_as_advice_in_a_notebook(shell: Shell) -> None:
    import jupyter_jitmagic.diagnosis.types as types

    diagnosis = types.Diagnosis("f", "static", ("n",), verified=True)
    data, _ = shell.ip.display_formatter.format(diagnosis)
    assert "f cannot be traced" in data["text/html"]
    assert "Fix" in data["text/plain"]
    shell.ok("import jupyter_jitmagic as jm\n\ndef f(x):\n    return x if x > 0 else -x")
    number = shell.ip.execution_count - 1
    data, _ = shell.ip.display_formatter.format(shell.ok("jm.diagnose(f, 1.0)").value)
    assert f"cell [{number}], line 4" in data["text/plain"] and f"cell [{number}], line 4" in data["text/html"]


@pytest.mark.parametrize("place", ["cell_tree.plan", "wrapping.wrap", "marked_cell.taken_words", "request.read_jit_line"])
def test_a_fault_of_ours_leaves_the_cell_as_plain_python_and_the_magic_in_place(
    shell: Shell, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython would take out for good a transformer that raises."""
    import importlib

    from jupyter_jitmagic.magics import marked_cell

    room, name = place.split(".")
    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    cell = "%%jit\ndef f(x):\n    return x * 2\n\nf(3.0)"
    with monkeypatch.context() as patch:
        for module in (importlib.import_module(f"jupyter_jitmagic.magics.{room}"), marked_cell):
            patch.setattr(module, name, lambda *_: 1 / 0, raising=False)
        assert float(shell.ok(cell).value) == 6.0
        assert shell.ok("1 + 1").value == 2
    assert len(told) == 1 and "the cell runs without jit" in told[0]
    jm.faults.clear()
    shell.ok(cell)
    assert jm.stats().misses.tolist() == [1]


def test_a_fault_while_explaining_leaves_the_error_as_it_is(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_jitmagic.magics import failures

    told: list[str] = []
    monkeypatch.setattr(jm.faults, "show", told.append)
    monkeypatch.setattr(failures, "failed_call", lambda *_: 1 / 0)
    ran = shell.run("%%jit\ndef f(x):\n    return x if x > 0 else -x\n\nf(3.0)")
    assert type(ran.error).__name__ == "TracerBoolConversionError"
    assert "ZeroDivisionError" not in ran.text and len(told) == 1
    jm.faults.clear()


def test_a_time_that_another_function_of_the_name_took_is_not_told(shell: Shell) -> None:
    shell.ok("%%jit\ndef padded(x, n=None):\n    return x * 2\n\npadded(jnp.ones(3))")
    assert jm.stats("misses")["cost_s"].iloc[-1] > 0
    assert "(about" not in below(fails(shell, "%%jit\n" + PADDED))
    cell = "%%jit\ndef padded(x, n=None):\n    return x * 2 if n is None else jnp.zeros(n)\n\npadded(jnp.ones(3))\n"
    shell.ok(cell)
    assert "(about" in below(fails(shell, "padded(jnp.ones(3), 5)"))


LEVELS = dedent("""\
    def levels(x, k):
        y = jnp.tanh(x) * k
        z = y * 2 + 1  # twice
        u = jnp.unique(z)
        s = jnp.sin(u) + u.sum()
        return s[::-1] * 2

    found = levels(jnp.arange(4.0), 3)""")


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("head", ["%%jit", "%%jit levels --static k", "@jax.jit"])
def test_a_split_takes_jit_from_the_function_to_its_pieces(shell: Shell, head: str) -> None:
    """The name of the function works as before, from plain Python; what is under jit are the pieces."""
    shell.ok("import jax, jax.numpy as jnp")
    fails(shell, f"{head}\n{LEVELS}")
    cell = fixed(shell)
    assert cell.startswith("%%jit levels_before,levels_after\n" if head.startswith("%%") else "@jax.jit\ndef levels_before(")
    assert "z = y * 2 + 1  # twice" in cell
    names = shell.names
    assert not hasattr(names["levels"], "lower") and hasattr(names["levels_after"], "lower")
    assert names["found"].shape == (4,)


METER = dedent("""\
    class Meter:
        def __init__(self):
            self.peak = 0.0

        def NAME(self, x):
            if x.max() > self.peak:
                self.peak = x.max()
            return x / self.peak

    meter = Meter()
    found = [jax.jit(METHOD)(x) for x in jnp.array([[1.0, 2.0], [4.0, 3.0]])]""")


@pytest.mark.parametrize(("name", "method"), [("step", "meter.step")])
def test_a_method_that_writes_to_its_object(shell: Shell, name: str, method: str) -> None:
    """The cell calls the method itself, which writes what the function under jit gives."""
    shell.ok("import jax, jax.numpy as jnp")
    fails(shell, METER.replace("NAME", name).replace("METHOD", method))
    cell = fixed(shell)
    assert cell.endswith(f"found = [{method}(x) for x in jnp.array([[1.0, 2.0], [4.0, 3.0]])]")
    assert float(shell.names["meter"].peak) == 4.0
    assert [each.tolist() for each in shell.names["found"]] == [[0.5, 1.0], [1.0, 0.75]]


def test_a_split_leaves_the_other_functions_of_the_cell_taken(shell: Shell) -> None:
    """`jax.jit(levels)` in the same cell becomes `levels`, and --static stays with who else has the argument."""
    shell.ok("import jax, jax.numpy as jnp")
    other = "def padded(x, k):\n    return jnp.zeros(k).at[: x.size].set(x)\n\n"
    fails(shell, f"%%jit --static k\n{other}{LEVELS}")
    assert fixed(shell).startswith("%%jit padded,levels_before,levels_after --static k\n")
    fails(shell, LEVELS.replace("found = levels(", "found = jax.jit(levels)("))
    shell.ok("%jitfix")
    assert shell.ip.rl_next_input.endswith("found = levels(jnp.arange(4.0), 3)")


def test_imports_that_a_fix_needs_stand_below_those_of_the_cell(shell: Shell):
    cell = """%%jit
"Filters."
import jax.numpy as jnp

RATE = 0.5


def halved(x):
    return x * RATE


def settled(x):
    while jnp.max(x) > 1:
        x = halved(x)
    return x


settled(jnp.array([3.0, 2.0]))"""
    shell.names.pop("jax")
    assert shell.run(cell).error is not None
    text = fixed(shell)
    assert "import jax.numpy as jnp\nfrom jax import lax\n\nRATE" in text and text.count("import") == 2
    assert "\n\n\ndef settled(x):\n    def " in text
    shell.ok(text)
