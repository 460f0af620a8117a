"""%%jit over real cells in a real shell: what it takes, and that everything else is as if the magic were not there."""

from __future__ import annotations

import ast
import inspect
import traceback
from pathlib import Path
from textwrap import dedent

import pytest
from IPython.core.error import UsageError
from shells import Shell

from jupyter_jitmagic.magics.cell_tree import Request, plan


def cell(text: str) -> str:
    return dedent(text).strip()


def is_jitted(function: object) -> bool:
    return hasattr(function, "lower") and hasattr(function, "__wrapped__")


def lines_of(error: BaseException, shell: Shell) -> list[int]:
    """Line numbers of the traceback that lie in cells."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno or 0 for frame in frames if frame.filename in shell.ip.compile._filename_map]


# ------------------------------------------------------------------------------------------------ what it takes


def test_takes_the_function_and_shows_the_last_expression(shell: Shell) -> None:
    ran = shell.ok("%%jit\ndef f(x):\n    return x * 2\n\nf(jnp.arange(3))")
    assert ran.value.tolist() == [0, 2, 4]
    assert "Out[" in ran.text
    assert is_jitted(shell.names["f"])


def test_says_in_one_line_what_it_took(shell: Shell) -> None:
    assert shell.ok("%%jit\ndef f(x):\n    return x").text.strip() == "%%jit takes f"


def test_quiet_says_nothing(shell: Shell) -> None:
    assert shell.ok("%%jit --quiet\ndef f(x):\n    return x").text.strip() == ""


@pytest.mark.parametrize(
    ("line", "given"),
    [("import haiku as hk", "hk.without_apply_rng(hk.transform(model))"), ("from numpyro.infer import NUTS", "NUTS(model)")],
)
def test_a_function_that_a_library_takes_without_jit_is_left_alone(line: str, given: str) -> None:
    """Haiku refuses one under jit, and the cell failed; what it makes of it is for jit. JAX's own take either."""
    text = f"{line}\ndef model(x):\n    return x\n\nnet = {given}\n\ndef predict(x):\n    return net(x)\n"
    decided = plan(ast.parse(text), Request(), {})
    assert [each.name for each in decided.taken] == ["predict"] and "without jit" in decided.left["model"]
    text = text.replace(given, "jax.vmap(model)").replace(line, "import jax")
    assert [each.name for each in plan(ast.parse(text), Request(), {}).taken] == ["model", "predict"]


@pytest.mark.parametrize(
    "made",
    [
        "lambda x: rate * x",
        "update",
        "(update, rate)",
        "partial(update, 2.0)",
        "Transformation(lambda params: (), update=update)",
    ],
)
def test_a_factory_of_functions_is_left_alone(made: str) -> None:
    """What is called at module level to make an optimiser's rule or a step gives functions, which no compiled function can."""
    text = "def clip(rate):\n    def update(x):\n        return rate * x\n    return {}\n\ndef step(x):\n    return rule(x)\n"
    decided = plan(ast.parse(text.format(made)), Request(), {})
    assert [each.name for each in decided.taken] == ["step"] and "factory" in decided.left["clip"]
    for array in ("update(rate)", "jax.lax.map(update, rate)", "jax.vmap(update)(rate)"):
        assert [each.name for each in plan(ast.parse(text.format(array)), Request(), {}).taken] == ["clip", "step"]


def test_helpers_that_another_function_calls_are_not_taken(shell: Shell) -> None:
    shell.ok(
        cell("""
        %%jit
        def helper(x):
            return x + 1

        def chosen(x):
            return x

        def outer(x, *, how=chosen):
            def inner():
                return helper(how(x))
            return inner()
        """)
    )
    assert is_jitted(shell.names["outer"])
    assert not is_jitted(shell.names["helper"]) and not is_jitted(shell.names["chosen"])


def test_a_local_of_the_same_name_is_no_reference(shell: Shell) -> None:
    shell.ok("%%jit\ndef scale(x):\n    return x\n\ndef other(scale):\n    return scale * 2\n")
    assert is_jitted(shell.names["scale"])
    assert is_jitted(shell.names["other"])


def test_methods_count_as_functions_that_refer(shell: Shell) -> None:
    shell.ok(
        cell("""
        %%jit
        def helper(x):
            return x

        class A:
            def m(self, x):
                return helper(x)

        def f(x):
            return x
        """)
    )
    assert not is_jitted(shell.names["helper"])
    assert is_jitted(shell.names["f"])


def test_recursion_is_no_other_function(shell: Shell) -> None:
    shell.ok("%%jit --static n\ndef power(x, n):\n    return x * power(x, n - 1) if n else 1.0\n")
    assert is_jitted(shell.names["power"])
    assert shell.ok("power(2.0, 3)").value == 8


def test_generators_coroutines_and_classes_are_left_alone(shell: Shell) -> None:
    ran = shell.ok(
        "%%jit\ndef gen():\n    yield 1\n\nasync def co():\n    return 1\n\nclass A:\n    pass\n\n"
        "def f(x):\n    def nested():\n        yield x\n    return x\n"
    )
    assert inspect.isgeneratorfunction(shell.names["gen"])
    assert inspect.iscoroutinefunction(shell.names["co"])
    assert inspect.isclass(shell.names["A"])
    assert is_jitted(shell.names["f"])
    assert "gen (a generator)" in ran.text
    assert "co (a coroutine)" in ran.text


@pytest.mark.parametrize(
    "prelude, decorator",
    [
        ("import numba", "@numba.njit"),
        ("import numba as nb", "@nb.jit(nopython=True)"),
        ("from numba import njit", "@njit(parallel=True)"),
        ("import equinox as eqx", "@eqx.filter_jit"),
        ("import equinox as eqx, functools", "@functools.partial(eqx.filter_jit, donate='all')"),
        ("from flax import nnx", "@nnx.jit"),
        ("import torch", "@torch.compile"),
    ],
)
def test_functions_under_other_compilers_are_left_alone(prelude: str, decorator: str) -> None:
    """Whether or not the library is installed: what a name stands for is read from the cell's imports."""
    import ast

    from jupyter_jitmagic.magics.cell_tree import Request, plan

    tree = ast.parse(f"{prelude}\n{decorator}\ndef theirs(x):\n    return x\n\ndef ours(x):\n    return x\n")
    decided = plan(tree, Request(), {})
    assert [taken.name for taken in decided.taken] == ["ours"]
    assert decided.left["theirs"].startswith("under ")


def test_a_jit_that_is_not_jax_by_the_namespace_is_left_alone(shell: Shell) -> None:
    shell.ok("def jit(f):\n    f.mine = True\n    return f")
    ran = shell.run("%%jit\n@jit\ndef f(x):\n    return x")
    assert isinstance(ran.error, UsageError)
    assert "f is under jit" in ran.text


def test_names_choose(shell: Shell) -> None:
    """What is not named is not spoken of, also where it could not be taken."""
    cell = "def a(x):\n    return x\n\ndef b(x):\n    return x\n\nc = lambda x: x + 1\nd = lambda x: x\ndef e():\n    yield"
    assert shell.ok(f"%%jit b, c\n{cell}").text.strip() == "%%jit takes b, c"
    assert [is_jitted(shell.names[name]) for name in "abcd"] == [False, True, True, False]
    assert shell.names["c"](1) == 2


BLOCKS = {
    "if": "if 1:\n    {}",
    "else": "if 0:\n    pass\nelse:\n    {}",
    "elif": "if 0:\n    pass\nelif 1:\n    {}",
    "for": "for _ in [1]:\n    {}",
    "for else": "for _ in []:\n    pass\nelse:\n    {}",
    "while": "while True:\n    {}\n    break",
    "try": "try:\n    {}\nfinally:\n    pass",
    "except": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}",
    "try else": "try:\n    pass\nexcept ZeroDivisionError:\n    pass\nelse:\n    {}",
    "finally": "try:\n    pass\nfinally:\n    {}",
    "except*": "try:\n    raise ExceptionGroup('', [ValueError()])\nexcept* ValueError:\n    {}",
    "with": "import contextlib\nwith contextlib.suppress(KeyError):\n    {}",
    "async with": "import contextlib\nasync with contextlib.AsyncExitStack():\n    {}",
    "match": "match 1:\n    case 1:\n        {}",
    "match in if": "if 1:\n    match 1:\n        case 1:\n            {}",
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_function_inside_a_block_is_taken_when_named_and_else_told(shell: Shell, kind: str) -> None:
    """It is the cell's own function wherever it stands; which block keeps it from being taken unasked is said."""
    body = BLOCKS[kind].format("def f(x): return x")
    assert is_jitted(shell.ok(f"%%jit f\n{body}\nf").value)
    block = {"else": "if", "elif": "if", "except": "try", "finally": "try", "except*": "try"}.get(kind, kind.split()[-1])
    block = {"for else": "for", "try else": "try", "match in if": "if"}.get(kind, block)
    ran = shell.run(f"%%jit\n{body}")
    assert str(ran.error) == f"%%jit: no function to take: f is defined inside `{block}`; name it to take it: %%jit f"
    ran = shell.ok(f"%%jit\n{body}\ndef g(x): return x")
    assert ran.text.strip() == f"%%jit takes g; leaves alone f (defined inside `{block}`)" and not is_jitted(shell.names["f"])


def test_a_function_defined_inside_a_block_and_outside_is_taken_both_times(shell: Shell) -> None:
    for cell in ("def f(x): return x\nif 0:\n    def f(x): return x", "if 0:\n    def f(x): return x\ndef f(x): return x"):
        assert is_jitted(shell.ok(f"%%jit\n{cell}\nf").value)
    assert is_jitted(shell.ok("%%jit\ndef f(x): return x\nif 1:\n    def f(x): return x\nf").value)


def test_of_a_method_it_says_where_its_jit_belongs(shell: Shell) -> None:
    cell = "class K:\n    def go(self, x): return x"
    assert "K.go is a method: decorate it in its class" in str(shell.run(f"%%jit\n{cell}").error)
    assert "K.go is a method: decorate it in its class" in str(shell.run(f"%%jit go\n{cell}").error)
    made = "class K:\n    def __init__(self): self.n = 0\n    def go(self, x): return x"
    assert "K.go is a method: decorate it in its class" in str(shell.run(f"%%jit\n{made}").error)
    jitted = "class K:\n    @partial(jax.jit, static_argnums=0)\n    def go(self, x): return x"
    assert "K.go has a jit of its own: run the cell without %%jit" in str(shell.run(f"%%jit\n{jitted}").error)


# ------------------------------------------------------------------------------------------------ decorators and options


def test_jit_goes_outside_all_decorators(shell: Shell) -> None:
    shell.ok(
        cell("""
        %%jit
        import functools
        seen = []
        def spy(f):
            @functools.wraps(f)
            def inner(*args):
                seen.append(args)
                return f(*args)
            return inner

        @spy
        @jax.vmap
        def f(x):
            return x * 2

        f(jnp.arange(2.0)), f(jnp.arange(2.0))
        """)
    )
    assert is_jitted(shell.names["f"])
    assert len(shell.names["seen"]) == 1, "the decorators are traced, so they run once"


@pytest.mark.parametrize(
    "decorator",
    [
        "@jax.jit(static_argnames='n')",
        "@functools.partial(jax.jit, static_argnames=('n',))",
        "@partial(jax.jit, static_argnums=1)",
        "@jit(static_argnums=(1,))",
        "@fast(static_argnames='n')",
    ],
)
def test_where_jax_jit_stood_its_options_stay(shell: Shell, decorator: str) -> None:
    shell.ok("import functools\nfrom functools import partial\nfrom jax import jit\nfast = jax.jit")
    ran = shell.ok(f"%%jit\n{decorator}\ndef f(x, n):\n    return jnp.zeros(n) + x\n\nf(1.0, 3)")
    assert ran.value.shape == (3,)


def test_jit_stays_inside_the_decorators_that_stood_outside_it(shell: Shell) -> None:
    shell.ok(
        cell("""
        %%jit
        def tag(f):
            f2 = lambda *a: f(*a)
            f2.inner = f
            return f2

        @tag
        @jax.jit
        def f(x):
            return x
        """)
    )
    assert not is_jitted(shell.names["f"])
    assert is_jitted(shell.names["f"].inner)


def test_static_adds_to_the_options_that_stood_there(shell: Shell) -> None:
    """One given by number, one by the magic, each usable by position and by keyword."""
    shell.ok(
        "%%jit --static n\nfrom functools import partial\n@partial(jax.jit, static_argnums=1)\ndef f(x, m, n):\n"
        "    return jnp.zeros((m, n)) + x"
    )
    assert shell.ok("f(1.0, 2, 3)").value.shape == (2, 3)
    assert shell.ok("f(1.0, m=2, n=3)").value.shape == (2, 3)


def test_static_goes_to_each_function_that_has_the_argument(shell: Shell) -> None:
    ran = shell.ok(
        cell("""
        %%jit --static n
        def f(x, n):
            return jnp.zeros(n) + x

        def g(n):
            return jnp.ones(n)

        def h(x):
            return x

        f(1.0, 3), g(n=4), h(1)
        """)
    )
    assert [value.shape for value in ran.value] == [(3,), (4,), ()]


def test_static_for_one_function_only(shell: Shell) -> None:
    shell.ok("%%jit --static f.n\ndef f(n):\n    return jnp.ones(n)\n\ndef g(n):\n    return n + 1\n\nf(2)")
    assert shell.ok("g(jnp.arange(2))").value.tolist() == [1, 2], "g's n is traced: an array would not hash"


def test_static_of_a_positional_only_argument(shell: Shell) -> None:
    assert shell.ok("%%jit --static n\ndef f(x, n, /):\n    return jnp.zeros(n) + x\n\nf(1.0, 3)").value.shape == (3,)


def test_static_into_keyword_arguments(shell: Shell) -> None:
    assert shell.ok(
        "%%jit --static n\ndef f(x, **options):\n    return jnp.zeros(options['n']) + x\n\nf(1.0, n=3)"
    ).value.shape == (3,)


def test_donate(shell: Shell) -> None:
    shell.ok("%%jit --donate x\ndef f(x):\n    return x + 1\n\na = jnp.arange(4.0)\nf(a)")
    assert shell.names["a"].is_deleted()


# ------------------------------------------------------------------------------------------------ as if it were not there


def test_lines_are_numbered_as_the_editor_shows_them(shell: Shell) -> None:
    ran = shell.run("%%jit\ndef f(x):\n    y = x + 1\n    raise KeyError('here')\n\nf(1.0)")
    assert isinstance(ran.error, KeyError)
    assert lines_of(ran.error, shell) == [6, 4]
    assert "raise KeyError('here')" in ran.stdout, "the traceback shows the source"


def test_blank_lines_above_the_magic_count(shell: Shell) -> None:
    ran = shell.run("\n\n%%jit\ndef f(x):\n    raise KeyError('here')\n\nf(1.0)")
    assert ran.error is not None
    assert lines_of(ran.error, shell) == [7, 5]


def test_source_and_docstring(shell: Shell) -> None:
    source = 'def f(x):\n    """Twice."""\n    return x * 2  # really\n'
    shell.ok("%%jit\n" + source)
    assert inspect.getsource(shell.names["f"]) == source
    assert shell.names["f"].__doc__ == "Twice."
    assert shell.names["f"].__module__ == "__main__"
    assert shell.names["f"].__name__ == "f"


def test_source_of_a_decorated_function_begins_at_its_decorator(shell: Shell) -> None:
    source = "@jax.vmap\ndef f(x):\n    return x * 2\n"
    shell.ok("%%jit\n" + source)
    assert inspect.getsource(shell.names["f"]) == source


def test_other_magics_work_inside(shell: Shell) -> None:
    ran = shell.ok("%%jit\ndef f(x):\n    return x\n\nhere = %pwd\n%time y = f(1)\nz = !echo hello\nhere, z")
    assert ran.value[1] == ["hello"]
    assert "Wall time" in ran.text


OTHERS = ["%%time", "%%timeit -n1 -r1", "%%prun -q", "%%capture", "%%by_transform", "%%by_run_cell"]
"""Cell magics that run the cell as IPython does, each in its own way, two of the user's own among them."""


@pytest.fixture
def others(shell: Shell) -> Shell:
    """A shell that knows magics of the user's, one of which leaves out the syntax-tree transformers."""
    ip = shell.ip
    ip.register_magic_function(lambda line, cell: exec(ip.transform_cell(cell), ip.user_ns), "cell", "by_transform")
    ip.register_magic_function(lambda line, cell: ip.run_cell(cell).raise_error(), "cell", "by_run_cell")
    return shell


FAILED = {
    "none": "",
    "syntax": "%%jit\ndef f(x:\n    return x",
    "indentation": "%%jit\ndef f(x):\nreturn x",
    "a wrong option": "%%jit --nope\ndef f(x):\n    return x",
    "twice": "%%jit\n%%jit\ndef f(x):\n    return x",
    "the function": "%%jit\ndef f(x):\n    return 1 / 0\n\nf(1)",
    "interrupted": "%%jit\ndef f(x):\n    return x\n\nraise KeyboardInterrupt",
    "another transformer": "%%jit\ndef f(x):\n    return x\n\nrefused",
    "syntax below another": "%%time\n%%jit\ndef f(x:\n    return x",
}


@pytest.mark.parametrize("before", FAILED)
def test_any_other_cell_magic_above_or_below_whatever_failed_before(others: Shell, before: str) -> None:
    """The function is jitted and the cell ran."""
    from IPython.core.error import InputRejected

    class Refuses(ast.NodeVisitor):
        def visit_Name(self, node: ast.Name) -> None:
            if node.id == "refused":
                raise InputRejected("refused")

        def visit(self, node: ast.AST) -> ast.AST:
            super().visit(node)
            return node

    others.ip.ast_transformers.insert(0, Refuses())
    others.names["seen"] = seen = []
    for other in OTHERS:
        assert not FAILED[before] or others.run(FAILED[before]).error is not None
        for first in (f"{other}\n%%jit\n", f"%%jit\n{other}\n", f"%%jit\n\n{other}\n")[: None if before == "none" else 1]:
            seen.clear()
            ran = others.ok(f"{first}def f(x):\n    return x + 1\n\nseen.append(f)")
            assert len(seen) in (1, 2) and is_jitted(seen[-1]), first  # %%timeit may run it twice
            assert ("%%jit takes f" in ran.text or "%%capture" in first) and not ran.stderr


@pytest.mark.parametrize("other", [other for other in OTHERS if other != "%%capture"])
def test_what_is_wrong_below_another_cell_magic_is_one_line(others: Shell, other: str) -> None:
    others.names["seen"] = seen = []
    for line, rest, message in [("--nope", "", "unknown option --nope"), ("", "def g(:\n", "line 5")]:
        ran = others.run(f"{other}\n%%jit {line}\ndef f(x):\n    return x\nseen.append(1)\n{rest}")
        text = ran.text + str(ran.error)
        assert message in text and "unloaded" not in text
        assert isinstance(ran.error, UsageError | SyntaxError | None) and not seen
        assert is_jitted(others.ok("%%jit\ndef f(x):\n    return x\n\nf").value), "the transformer is still there"


def test_timeit_says_once_what_was_taken(shell: Shell) -> None:
    assert shell.ok("%%timeit -n3 -r2\n%%jit\ndef f(x):\n    return x").text.count("%%jit takes") == 1


@pytest.mark.parametrize("other", ["python", "bash", "script cat", "debug", "sx"])
def test_a_magic_that_knows_no_magics_is_refused_beside_it(shell: Shell, other: str) -> None:
    for first in (f"%%{other}\n%%jit\n", f"%%jit\n%%{other}\n"):
        ran = shell.run(first + "def f(x):\n    return x")
        assert isinstance(ran.error, UsageError)
        assert f"%%{other.split()[0]}" in str(ran.error) and "does not run the cell as IPython does" in str(ran.error)


def test_a_cells_text_can_be_written_to_a_file_with_its_magic(shell: Shell, tmp_path: Path) -> None:
    shell.ok(f"%%writefile {tmp_path / 'cell.txt'}\n%%jit\ndef f(x):\n    return x\n")
    assert (tmp_path / "cell.txt").read_text() == "%%jit\ndef f(x):\n    return x\n"
    ran = shell.run(f"%%jit\n%%writefile {tmp_path / 'other.txt'}\ndef f(x):\n    return x\n")
    assert isinstance(ran.error, UsageError) and not (tmp_path / "other.txt").exists()


def test_top_level_await(shell: Shell) -> None:
    assert shell.ok("%%jit\nimport asyncio\ndef f(x):\n    return x\n\nawait asyncio.sleep(0, 'slept')").value == "slept"


def test_dataclasses_and_annotations(shell: Shell) -> None:
    ran = shell.ok(
        cell("""
        %%jit --static c
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass(frozen=True)
        class C:
            n: int = 2

        def f(x: jax.Array, c: C) -> jax.Array:
            return jnp.zeros(c.n) + x

        f(1.0, C(3))
        """)
    )
    assert ran.value.shape == (3,)


def test_imports_from_the_future_stay_first(shell: Shell) -> None:
    """Another cell magic compiles the cell as a whole."""
    ran = shell.ok("%%time\n%%jit --watch\nfrom __future__ import annotations\ndef f(x: nowhere):\n    return x")
    assert is_jitted(shell.names["f"]) and "%%jit takes f" in ran.text


def test_a_semicolon_keeps_the_value_quiet(shell: Shell) -> None:
    assert "Out[" not in shell.ok("%%jit\ndef f(x):\n    return x\n\nf(1);").text


def test_leaves_no_names_of_its_own(shell: Shell) -> None:
    before = set(shell.names)
    shell.ok("%%jit\ndef f(x):\n    return x")
    assert {name for name in set(shell.names) - before if not name.startswith("_i")} == {"f"}


def test_a_user_name_that_shadows_ours_changes_nothing(shell: Shell) -> None:
    shell.ok("jit = 3\njupyter_jitmagic = None\njm = None\ntake = None")
    shell.ok("%%jit\ndef f(x):\n    return x")
    assert is_jitted(shell.names["f"])


def test_the_notebook_history_keeps_the_cell_as_typed(shell: Shell) -> None:
    cell = "%%jit\ndef f(x):\n    return x"
    shell.ok(cell)
    assert shell.ip.history_manager.input_hist_raw[-1] == cell


def test_from_code_the_magic_runs_the_cell_and_returns_its_value(shell: Shell) -> None:
    assert shell.ip.run_cell_magic("jit", "--static n", "def f(n):\n    return jnp.ones(n)\n\nf(2)").tolist() == [1, 1]
    assert inspect.getsource(shell.names["f"]).startswith("def f(n)")


def test_from_code_an_error_comes_out(shell: Shell) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        shell.ip.run_cell_magic("jit", "", "def f(x):\n    return x\n\n1 / 0")
    assert lines_of(caught.value, shell) == [5]


def test_a_terminal_goes_on_asking_for_lines(shell: Shell) -> None:
    assert shell.ip.check_complete("%%jit")[0] == "incomplete"
    assert shell.ip.check_complete("%%jit\ndef f(x):\n    return x\n\n")[0] == "complete"


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "cell, message",
    [
        ("%%jit g\nspoiled = 1\ndef f(x):\n    return x", "g is not a function of this cell (it has f)"),
        ("%%jit\nspoiled = 1", "this cell defines no function"),
        ("%%jit --static m\nspoiled = 1\ndef f(x, n):\n    return x", "--static m: no argument m (f has x, n)"),
        ("%%jit --static g.n\nspoiled = 1\ndef f(x, n):\n    return x", "--static g.n: g is not taken (taken: f)"),
        ("%%jit --static rest\nspoiled = 1\ndef f(x, *rest):\n    return x", "*rest collects arguments"),
        ("%%jit --static\nspoiled = 1\ndef f(x):\n    return x", "--static: expected"),
        ("%%jit --static 3\nspoiled = 1\ndef f(x):\n    return x", "'3' is not a name"),
        ("%%jit --sttaic n\nspoiled = 1\ndef f(x):\n    return x", "unknown option --sttaic: did you mean --static?"),
        (
            "%%jit f --static m\nspoiled = 1\ndef f(x):\n    return x\ndef g(x, m):\n    return x",
            "no argument m (f has x); g has it, and %%jit f,g takes that, too",
        ),
        ("%%jit --on-miss explode\nspoiled = 1\ndef f(x):\n    return x", "explode"),
        ("%%jit --max-compiles 0\nspoiled = 1\ndef f(x):\n    return x", "'0' is not a whole number above 0"),
        ("%%jit 'f\nspoiled = 1\ndef f(x):\n    return x", "No closing quotation"),
        ("%%jit gen\nspoiled = 1\ndef gen():\n    yield 1", "gen cannot be taken: it is a generator"),
        ("%%jit\nspoiled = 1\ndef gen():\n    yield 1", "no function to take: gen is a generator"),
        ("%%jit\nspoiled = 1\ndef a(x):\n    return b(x)\n\ndef b(x):\n    return a(x)", "name one: %%jit a"),
        ("%%jit\n%%jit\nspoiled = 1\ndef f(x):\n    return x", "the magic stands twice"),
    ],
)
def test_bad_input_is_one_line_and_nothing_ran(shell: Shell, cell: str, message: str) -> None:
    ran = shell.run(cell)
    assert isinstance(ran.error, UsageError)
    (line,) = ran.text.strip().splitlines()
    assert line.startswith("UsageError: %%jit: ")
    assert message.lower() in line.lower()
    assert "spoiled" not in shell.names
    assert "f" not in shell.names
    with pytest.raises(UsageError):
        shell.ip.run_cell_magic("jit", *cell.removeprefix("%%jit").split("\n", 1))
    assert "spoiled" not in shell.names


def test_an_error_leaves_the_next_cell_whole(shell: Shell) -> None:
    shell.run("%%jit nope\ndef f(x):\n    return x")
    assert is_jitted(shell.ok("%%jit\ndef f(x):\n    return x\n\nf").value)


def test_a_syntax_error_is_pythons_own_with_its_line_and_place_marked(shell: Shell) -> None:
    ran = shell.run("%%jit\nspoiled = 1\ndef f(x):\n    return (x +\n")
    assert isinstance(ran.error, SyntaxError) and ran.error.lineno == 4
    assert "spoiled" not in shell.ip.user_ns
    assert "^" in ran.text and "line 4" in ran.text


def test_a_traceback_shows_the_magic_as_it_was_typed(shell: Shell) -> None:
    ran = shell.run("%%jit --quiet\n1 / 0\ndef f(x):\n    return x")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "%%jit --quiet" in ran.text and "run_cell_magic" not in ran.text
