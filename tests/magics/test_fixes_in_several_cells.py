"""A fix that changes several cells: all of it comes in one, which runs; where that cannot be, the rest is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from shells import Shell


@pytest.fixture
def notebook(shell: Shell) -> Shell:
    shell.ok("import jax, jax.numpy as jnp\nfrom functools import partial")
    return shell


def last(shell: Shell) -> int:
    """The number of the cell that ran last."""
    return int(shell.ip.execution_count) - 1


def said(shell: Shell) -> str:
    """What `%jitfix` says, in one line."""
    shell.ip.rl_next_input = None
    return " ".join(shell.ok("%jitfix").text.split())


def fixed(shell: Shell) -> str:
    """The cell that `%jitfix` gives."""
    said(shell)
    return str(shell.ip.rl_next_input)


LAGGED = """\
def lagged(x, lag):
    d = x[lag:] - x[:-lag]
    if d.max() > 1:
        return d / d.max()
    return d
"""
LAGGED_FIXED = """\
def lagged(x, lag):
    d = x[lag:] - x[:-lag]
    return jax.lax.cond(d.max() > 1, lambda: d / d.max(), lambda: d * 1.0)
"""
GROUPED = """\
def grouped(x, tol):
    x = jnp.sort(x) * 2.0 + 1.0
    groups = {}
    for v in x.tolist():
        groups.setdefault(round(v / tol), []).append(v)
    return len(groups)
"""


def test_a_rewrite_and_the_option_of_a_jit_in_another_cell(notebook: Shell) -> None:
    """The call that failed runs as it stands in the fixed cell."""
    notebook.ok(LAGGED)
    number = last(notebook)
    notebook.run("answer = jax.jit(lagged)(jnp.array([1.0, 2.0, 4.0, 8.0]), 1)")
    assert f"into the cell, with lagged of cell [{number}] above." in said(notebook)
    cell = fixed(notebook)
    assert cell == (f'{LAGGED_FIXED}\n\nanswer = jax.jit(lagged, static_argnames="lag")(jnp.array([1.0, 2.0, 4.0, 8.0]), 1)')
    notebook.ok(cell)
    assert notebook.names["answer"].tolist() == [0.25, 0.5, 1.0]


def test_the_cell_that_is_fixed_is_the_one_with_the_jit(notebook: Shell) -> None:
    """Not the one with the call, and its imports stay on top; another function's jit stays as it is."""
    notebook.ok(LAGGED)
    notebook.ok("import math\nfrom functools import partial\n# steps\nother = jax.jit(jnp.sin)\nfast = jax.jit(lagged)")
    notebook.run("answer = fast(jnp.array([1.0, 2.0, 4.0, 8.0]), 1)")
    assert fixed(notebook) == (
        f"import math\nfrom functools import partial\n\n{LAGGED_FIXED}\n\n# steps\nother = jax.jit(jnp.sin)\n"
        'fast = jax.jit(lagged, static_argnames="lag")'
    )


@pytest.mark.parametrize(
    ("jitted", "plain"),
    [("jax.jit(grouped)", "grouped"), ("jax.jit(partial(grouped, tol=0.5))", "partial(grouped, tol=0.5)")],
)
def test_a_split_takes_jit_off_in_the_cell_that_has_it(notebook: Shell, jitted: str, plain: str) -> None:
    """What it gives runs, and calls the pieces from plain Python."""
    notebook.ok(GROUPED)
    notebook.ok(f"find = {jitted}")
    notebook.run("found = find(jnp.array([0.1, 0.2, 1.4, 1.6]), tol=0.5)")
    cell = fixed(notebook)
    assert cell.startswith("@jax.jit\ndef grouped_before(") and cell.endswith(f"\n\n\nfind = {plain}")
    notebook.ok(cell)
    assert notebook.ok("find(jnp.array([0.1, 0.2, 1.4, 1.6]), tol=0.5)").value == 3


def test_a_split_where_the_call_that_fails_puts_it_under_jit(notebook: Shell) -> None:
    """Its own cell with the pieces alone would fail again."""
    notebook.ok(GROUPED)
    notebook.run("found = jax.jit(grouped)(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)")
    cell = fixed(notebook)
    assert cell.endswith("\n\n\nfound = grouped(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)")
    notebook.ok(cell)
    assert notebook.names["found"] == 3


def test_a_split_of_a_helper_of_another_cell_takes_the_magic_off(notebook: Shell) -> None:
    """The cell of the helper alone would leave the function under `%%jit`, where it fails again."""
    notebook.ok(GROUPED)
    counted = "%%jit\ndef counted(x, tol):\n    return grouped(x, tol) + 1\n"
    notebook.run(counted + "found = counted(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)")
    cell = fixed(notebook)
    assert cell.startswith("@jax.jit\ndef grouped_before(") and "%%jit" not in cell
    notebook.ok(cell)
    assert notebook.names["found"] == 4


def test_a_split_of_a_helper_takes_jit_off_the_function_that_calls_it(notebook: Shell) -> None:
    """Three cells: the helper, the function, and the jit."""
    notebook.ok(GROUPED)
    notebook.ok("def counted(x, tol):\n    return grouped(x, tol) + 1")
    notebook.ok("find = jax.jit(counted)")
    notebook.run("found = find(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)")
    cell = fixed(notebook)
    assert cell.endswith("\n\n\nfind = counted")
    notebook.ok(cell)
    assert notebook.ok("find(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)").value == 4


def test_a_changed_helper_leaves_the_jit_of_its_caller(notebook: Shell) -> None:
    """The jitted function looks its helper up again: no other cell is to be run again."""
    notebook.ok("def helper(x):\n    if x.sum() > 0:\n        return x\n    return -x")
    notebook.ok("def f(x):\n    return helper(x) + 1")
    notebook.ok("fast = jax.jit(f)")
    notebook.run("found = fast(jnp.ones(2))")
    assert "again" not in said(notebook)
    notebook.ok(str(notebook.ip.rl_next_input))
    assert notebook.ok("fast(jnp.ones(2))").value.tolist() == [2.0, 2.0]


def test_a_cell_that_is_indented_as_a_whole_takes_its_fix(notebook: Shell) -> None:
    """As one that was pasted from within a block."""
    notebook.ok("    @jax.jit\n    def rolled(x, n):\n        return jnp.repeat(x, n)")
    notebook.run("found = rolled(jnp.ones(2), 3)")
    cell = fixed(notebook)
    assert cell == '@jax.jit(static_argnames="n")\ndef rolled(x, n):\n    return jnp.repeat(x, n)'


def test_a_split_under_vmap_is_not_taken_for_done(notebook: Shell) -> None:
    """Its arrays have no value for plain Python either: that jit is left, and no cell claims to be the fix."""
    notebook.ok(GROUPED)
    notebook.ok("find = jax.jit(grouped)\nrows = jax.jit(jax.vmap(grouped, in_axes=(0, None)))")
    notebook.run("found = find(jnp.array([0.1, 0.2, 1.4, 1.6]), 0.5)")
    text = said(notebook)
    assert "Take jit off grouped in cell" in text
    assert "find = " not in str(notebook.ip.rl_next_input)


def test_a_changed_helper_of_an_earlier_cell_comes_along(notebook: Shell) -> None:
    """The cell runs as it is, and its %%jit takes what it took."""
    notebook.ok("def helper(x):\n    if x.sum() > 0:\n        return x\n    return -x")
    number = last(notebook)
    ran = notebook.run("%%jit\ndef f(x, n):\n    return helper(jnp.repeat(x, n))\n\nfound = f(jnp.ones(2), 3)")
    assert f"%jitfix puts it into the cell, with helper of cell [{number}] above." in " ".join(ran.text.split())
    cell = fixed(notebook)
    assert cell == (
        "%%jit --static n\ndef helper(x):\n    return jnp.where(x.sum() > 0, x, -x)\n\n\n"
        "def f(x, n):\n    return helper(jnp.repeat(x, n))\n\nfound = f(jnp.ones(2), 3)"
    )
    notebook.ok(cell)
    assert notebook.names["found"].tolist() == [1.0] * 6
    assert not hasattr(notebook.names["helper"], "lower")


def test_the_line_of_jit_names_its_functions_where_it_would_take_another(notebook: Shell) -> None:
    """A helper that is reached through an alias of an earlier cell is used by none of the cell."""
    notebook.ok("def helper(x):\n    if x.sum() > 0:\n        return x\n    return -x")
    notebook.ok("table = lambda x: helper(x)")
    notebook.run("%%jit\ndef f(x, n):\n    return table(jnp.repeat(x, n))\n\nfound = f(jnp.ones(2), 3)")
    cell = fixed(notebook)
    assert cell.startswith("%%jit f --static n\ndef helper(x):")
    notebook.ok(cell)
    assert not hasattr(notebook.names["helper"], "lower")


def test_a_helper_of_a_later_cell_is_shown(notebook: Shell) -> None:
    """Its own cell, run again, would put the old one back."""
    notebook.ok("%%jit\ndef f(x, n):\n    return helper(jnp.repeat(x, n))")
    notebook.ok("def helper(x):\n    if x.sum() > 0:\n        return x\n    return -x")
    number = last(notebook)
    ran = notebook.run("found = f(jnp.ones(2), 3)")
    assert f"shows what belongs in cell [{number}]" in " ".join(ran.text.split())
    assert f"helper in cell [{number}]" in said(notebook)
    assert notebook.ip.rl_next_input == "%%jit --static n\ndef f(x, n):\n    return helper(jnp.repeat(x, n))"


def test_a_method_cannot_stand_in_another_cell(notebook: Shell) -> None:
    """Its class is not made again for it: the change is shown."""
    notebook.ok(
        "class Net:\n    def act(self, x):\n        if x.sum() > 0:\n            return x\n        return -x\n\nnet = Net()"
    )
    notebook.run("%%jit\ndef f(x, n):\n    return net.act(jnp.repeat(x, n))\n\nfound = f(jnp.ones(2), 3)")
    assert "Net.act in cell" in said(notebook)
    assert notebook.ip.rl_next_input.startswith("%%jit --static n\ndef f(x, n):")


@pytest.mark.parametrize("head", ["import numpy as np; ", ""])
def test_what_is_put_above_stands_before_its_use(notebook: Shell, head: str) -> None:
    """An import on the line of the call is no import to stand below."""
    notebook.ok(LAGGED)
    notebook.run(f"%%time\n{head}answer = jax.jit(lagged)(jnp.array([1.0, 2.0, 4.0, 8.0]), 1)")
    cell = fixed(notebook)
    assert cell.startswith("%%time\ndef lagged(")
    notebook.ok(cell)
    assert notebook.names["answer"].shape == (3,)


FILED = (
    "import jax.numpy as jnp\n\ndef embed(x, n):\n    return jnp.repeat(x, n)\n\ndef other(x, n):\n    return jnp.tile(x, n)\n"
)


def test_a_function_of_a_module_is_known_by_what_its_name_stands_for(
    notebook: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`jax.jit(tools.embed)` takes the option, as `jax.jit(net.apply)` does; the module's other function does not."""
    (tmp_path / "tools_of_a_file.py").write_text(FILED)
    monkeypatch.syspath_prepend(tmp_path)
    notebook.ok("import tools_of_a_file as tools")
    notebook.ok("class Net:\n    pass\n\nnet = Net()\nnet.apply = tools.embed")
    notebook.ok("fast = jax.jit(net.apply)\nslow = jax.jit(tools.other)")
    notebook.run("fast(jnp.ones(2), 3)")
    assert fixed(notebook) == 'fast = jax.jit(net.apply, static_argnames="n")\nslow = jax.jit(tools.other)'


def test_a_name_of_a_module_that_means_another_function_takes_nothing(
    notebook: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`embed` of the notebook is not the module's."""
    (tmp_path / "more_tools_of_a_file.py").write_text(FILED + "\nimport jax\nfast = jax.jit(embed)\n")
    monkeypatch.syspath_prepend(tmp_path)
    notebook.ok("import more_tools_of_a_file as tools")
    notebook.ok("def embed(x, n):\n    return x")
    notebook.ok("mine = jax.jit(embed)")
    notebook.run("tools.fast(jnp.ones(2), 3)")
    said(notebook)
    assert notebook.ip.rl_next_input is None


def test_a_redefinition_ends_what_a_name_meant(notebook: Shell) -> None:
    """`jax.jit(lagged)` below another `lagged` is that one's."""
    notebook.ok(LAGGED)
    notebook.ok("fast = jax.jit(lagged)")
    notebook.ok("def lagged(x, lag):\n    return x")
    notebook.ok("second = jax.jit(lagged)")
    notebook.run("fast(jnp.array([1.0, 2.0, 4.0, 8.0]), 1)")
    assert fixed(notebook).endswith('\nfast = jax.jit(lagged, static_argnames="lag")')


@pytest.mark.parametrize(
    "jitted",
    [
        'fast = jax.jit(jax.vmap(repeated, in_axes=(0, None)), static_argnames="n")',
        'fast = partial(jax.jit, static_argnames="n")(repeated)',
        '@partial(jax.jit, static_argnames=("m", "n"))',
    ],
)
def test_the_option_is_shown_as_it_is_typed(notebook: Shell, jitted: str) -> None:
    """Not as a decorator, where the cell has a call; nothing is made up for a line that does not stand in the cell."""
    body = "def repeated(x, n, m=1):\n    return jnp.repeat(x, n)"
    before = jitted.replace(', static_argnames="n"', "").replace('("m", "n")', '"m"')
    notebook.ok(f"{before}\n{body}\nfast = repeated" if jitted.startswith("@") else f"{body}\n\n{before}")
    notebook.run("fast(jnp.ones((2, 2)), 3)")
    text = said(notebook)
    assert jitted in text
    assert "@jax.jit(" not in text


def test_an_option_of_a_file_is_shown_as_a_decorator(notebook: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell holds the line."""
    (tmp_path / "jitted_in_a_file.py").write_text(FILED + "\nimport jax\nfast = jax.jit(embed)\n")
    monkeypatch.syspath_prepend(tmp_path)
    notebook.ok("import jitted_in_a_file as tools")
    notebook.run("tools.fast(jnp.ones(2), 3)")
    assert '@jax.jit(static_argnames="n")' in said(notebook)


LEAKY = """\
def leaky(x):
    if x.sum() > 0:
        return x
    return 0.1 * x
"""
TRANSFORM = """\
from typing import NamedTuple

class Transformed(NamedTuple):
    init: object
    apply: object

def transform(fun):
    return Transformed(lambda: None, lambda x: fun(x) * 2)
"""


@pytest.mark.parametrize(
    ("made", "used"),
    [("net = transform(leaky)", "net.apply"), ('table = {"leaky": leaky, "tanh": jnp.tanh}', 'lambda x: table["leaky"](x)')],
)
def test_what_holds_a_changed_function_comes_along(notebook: Shell, made: str, used: str) -> None:
    """What a library made of it, or a table of functions: it held the old one, and the fixed cell failed."""
    notebook.ok(TRANSFORM)
    notebook.ok(f"{LEAKY}\n{made}")
    notebook.ok("def step(x, n):\n    return jnp.zeros(n) + APPLY(x)".replace("APPLY", f"({used})"))
    notebook.run("answer = jax.jit(step)(jnp.array([-1.0, -2.0]), 2)")
    cell = fixed(notebook)
    assert f"\n\n\n{made}\n" in cell
    notebook.ok(cell)
    assert notebook.names["answer"].shape == (2,)


def test_cells_that_made_something_of_what_changes_are_named(notebook: Shell) -> None:
    """An instance keeps its class, a wrapper its function: those cells are to be run again, in their order."""
    notebook.ok(TRANSFORM)
    notebook.ok(LEAKY)
    notebook.ok("net = transform(leaky)")
    number = last(notebook)
    notebook.ok("apply = jax.jit(net.apply)")
    notebook.run("apply(jnp.ones(2))")
    text = said(notebook)
    assert f"Then run cell [{number}] again, which makes net of leaky. Then run cell [{number + 1}] again, which" in text


def test_a_function_keeps_the_old_one_as_a_default(notebook: Shell) -> None:
    """The cell of the helper takes the fix, those of the functions that have it as a default are to be run again."""
    notebook.ok("def sign(x):\n    if x.sum() > 0:\n        return x\n    return -x")
    notebook.ok("def helper(x, by=sign):\n    return by(x)")
    number = last(notebook)
    notebook.run("%%jit\ndef outer(x):\n    return helper(x)\nouter(jnp.array([-1.0, -2.0]))")
    text = said(notebook)
    assert f"Then run cell [{number}] again" in text, text


def test_an_instance_of_a_changed_class_is_made_again(notebook: Shell) -> None:
    """The one that was made before has the old method."""
    notebook.ok("class Model:\n    def __call__(self, x):\n        if x.sum() > 0:\n            return x\n        return -x")
    notebook.ok("model = Model()")
    number = last(notebook)
    notebook.ok("def predict(x):\n    return model(x)")
    notebook.run("answer = jax.jit(predict)(jnp.array([-1.0, -2.0]))")
    assert f"Then run cell [{number}] again, which makes model of Model." in said(notebook)
    notebook.ok(str(notebook.ip.rl_next_input))
    notebook.ok("model = Model()")
    assert notebook.ok("jax.jit(predict)(jnp.array([-1.0, -2.0]))").value.tolist() == [1.0, 2.0]


BRANCHING = "def f(x):\n    if x.sum() > 1:\n        return g(x)\n    return -x\n"
HELPER = "def g(x):\n    return x * 2 if x[0] > 0 else x\n"


@pytest.mark.parametrize("text", [BRANCHING.replace("-x", "x - 100"), "def g(x):\n    return x * 7\n"])
def test_what_is_defined_otherwise_since_is_not_put_back(notebook: Shell, text: str) -> None:
    """A fix of the old one would undo the edit, and was never compared with it."""
    notebook.ok(HELPER)
    notebook.run(f"%%jit\n{BRANCHING}f(jnp.arange(4.0))")
    notebook.ok(text)
    notebook.ip.rl_next_input = None
    error = notebook.run("%jitfix").error
    assert f"cell [{last(notebook) - 1}] defines {text[4]} otherwise since" in str(error)
    assert notebook.ip.rl_next_input is None


USED = "def scale(x):\n    return x * 2\n", "class Gain:\n    def of(self, x):\n        return x * 2\n\ngain = Gain()\n"


@pytest.mark.parametrize("helper", USED)
def test_a_helper_that_is_defined_otherwise_since_was_never_compared(notebook: Shell, helper: str) -> None:
    """What the fix calls and leaves as it is was another function when it was proven."""
    call = "scale(x)" if helper == USED[0] else "gain.of(x)"
    notebook.ok(helper)
    notebook.ok("def mean(x):\n    return x")
    notebook.run(f"%%jit\ndef f(x):\n    y = {call}\n    if y.mean() > 1:\n        return y\n    return -x\nf(jnp.arange(4.0))")
    notebook.ok("def mean(x):\n    return 0 * x\ndef y(x):\n    return x")
    notebook.ok(helper.replace("x * 2", "x if x is None else x * 3"))
    error = notebook.run("%jitfix").error
    named = "scale" if helper == USED[0] else "Gain.of"
    assert f"cell [{last(notebook) - 1}] defines {named} otherwise since" in str(error)


def test_what_is_defined_alike_since_takes_the_fix_and_so_does_a_fixed_cell(notebook: Shell) -> None:
    notebook.ok(HELPER)
    notebook.run(f"%%jit\n{BRANCHING}f(jnp.arange(4.0))")
    notebook.ok(HELPER.replace("def g", "@jax.jit\ndef g"))
    cell = fixed(notebook)
    notebook.ok(cell)
    assert fixed(notebook) == cell
