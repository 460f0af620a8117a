"""The source of a function, whatever stands around it in its cell and however that was compiled."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import Any

import jax.numpy as jnp
import pytest
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.diagnosis import Diagnosis

IMPORTS = "import jax\nimport jax.numpy as jnp\nimport jupyter_jitmagic as jm\n"
FUNCTION = "def f(x):\n    if x.sum() > 0:\n        x = jnp.abs(x) + 1\n    return x\n"
FORMS = {
    "diagnose": IMPORTS + FUNCTION + "d = jm.diagnose(f, jnp.ones(3))",
    "jax.jit": IMPORTS + FUNCTION + "jax.jit(f)(jnp.ones(3))",
    "%%jit": "%%jit\n" + IMPORTS + FUNCTION + "f(jnp.ones(3))",
}
CELLS = {
    "in a block": f"import jax.numpy as jnp\nif True:\n{'    '.join(['', *FUNCTION.splitlines(keepends=True)])}",
    "after a try": f"import jax.numpy as jnp\ntry:\n    import nothing_of_that_name\nexcept ImportError:\n    pass\n{FUNCTION}",
    "with await": f"import asyncio\nimport jax.numpy as jnp\nawait asyncio.sleep(0)\n{FUNCTION}",
    "with a return": f"import jax.numpy as jnp\n{FUNCTION}return",
    "future": f"from __future__ import annotations\nimport jax.numpy as jnp\n{FUNCTION}",
    "magics and shell lines": f"%matplotlib --list\nif False:\n    !ls\nimport jax.numpy as jnp\n%time 1\n{FUNCTION}",
    "Windows newlines": f"import jax.numpy as jnp\r\n{FUNCTION}".replace("\n", "\r\n").replace("\r\r", "\r"),
    "indented": f"    import jax.numpy as jnp\n{FUNCTION}".replace("\n", "\n    "),
    "tabs": f"import jax.numpy as jnp\n{FUNCTION}".replace("    ", "\t"),
    "more bytes than characters": f"import jax.numpy as jnp\n{FUNCTION}".replace("x.sum() > 0", "'äöü→' and x.sum() > 0"),
    "after a semicolon": "import jax.numpy as jnp\nwarm = 'é'; f = lambda x: jnp.abs(x) if x.sum() > 0 else x",
    "two of one name": f"import jax.numpy as jnp\nf = g = None\n{FUNCTION}\ndef g(x):\n    return f(x)\n\n{FUNCTION}",
    "decorated": f"import jax.numpy as jnp\nfrom functools import wraps\nsame = lambda f: f\n@same\n{FUNCTION}",
    "captured": f"%%capture\nimport jax.numpy as jnp\n{FUNCTION}",
}


def fixed(shell: Shell) -> str:
    """The cell that `%jitfix` puts in the place of the failed one."""
    shell.ok("%jitfix")
    cell: str = shell.ip.rl_next_input
    return cell


def answer(function: Any, *args: Any) -> Diagnosis:
    found = jm.diagnose(function, *args)
    assert found.rewrites, (found.reason, [unverified.reason for unverified in found.unverified])
    return found


def test_a_cell_that_imports_defines_and_diagnoses_gets_its_rewrite(shell: Shell) -> None:
    shell.ok(FORMS["diagnose"])
    assert shell.names["d"].rewrites[0].patterns == ("where",)


@pytest.mark.parametrize("form", ["jax.jit", "%%jit"])
def test_the_fix_of_a_cell_that_imports_defines_and_calls_makes_it_run(shell: Shell, form: str) -> None:
    assert shell.run(FORMS[form]).error is not None
    cell = fixed(shell)
    assert "jnp.where(" in cell and cell.startswith(FORMS[form][:20])
    assert shell.ok(cell).value.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_whatever_else_a_cell_holds(shell: Shell, cell: str) -> None:
    shell.run(cell)
    answer(shell.names["f"], jnp.ones(3))


def test_the_form_in_which_a_module_is_compiled_is_known_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_module_of_cells.py").write_text(IMPORTS + FUNCTION)
    monkeypatch.syspath_prepend(tmp_path)
    import users_module_of_cells  # type: ignore[import-not-found]

    answer(users_module_of_cells.f, jnp.ones(3))


def test_a_future_import_of_an_earlier_cell_holds_in_the_rewrite(shell: Shell) -> None:
    """The inner function's annotation names nothing: whoever evaluates it fails."""
    shell.ok("from __future__ import annotations")
    shell.ok(
        "import jax.numpy as jnp\ndef f(x):\n    def inner(x: Nothing) -> Nothing:\n        return jnp.abs(x)\n"
        "    return inner(x) if x.sum() > 0 else x"
    )
    assert answer(shell.names["f"], jnp.ones(3)).rewrites[0].verified


def test_lambdas_on_one_line_are_told_apart(shell: Shell) -> None:
    """Also where the statements share a line, and where one of them must not be run."""
    shell.ok("import jax.numpy as jnp\nlog = []\nf, g = (lambda x: log.append(x)), (lambda x: jnp.abs(x) if x > 1 else -x)")
    assert "jnp.where(x > 1, jnp.abs(x), -x)" in answer(shell.names["g"], jnp.float32(2)).rewrites[0].source
    shell.ok("import jax.numpy as jnp\nf = lambda x: x if x > 0 else -x; g = lambda x: (3 * x\n    if x > 2 else -x)")
    assert "jnp.where(x > 2, 3 * x, -x)" in answer(shell.names["g"], jnp.float32(2)).rewrites[0].source


def test_definitions_of_one_name_are_told_apart(shell: Shell) -> None:
    """The rewrite is of the one that the function was made by, not of the last."""
    shell.ok(f"import jax.numpy as jnp\n{FUNCTION}old = f\n{FUNCTION.replace('+ 1', '+ 2')}")
    assert "jnp.abs(x) + 1" in answer(shell.names["old"], jnp.ones(3)).rewrites[0].source
    shell.ok(FUNCTION.replace("+ 1", "+ 3"))
    assert "jnp.abs(x) + 1" in answer(shell.names["old"], jnp.ones(3)).rewrites[0].source
    assert "jnp.abs(x) + 3" in answer(shell.names["f"], jnp.ones(3)).rewrites[0].source


def test_a_file_in_which_definitions_changed_places_is_told_as_changed(tmp_path: Path) -> None:
    """The same function still stands in it, elsewhere: the text at its line is another's."""
    path = tmp_path / "mine.py"
    path.write_text(FUNCTION + FUNCTION.replace("+ 1", "+ 2"))
    names: dict[str, Any] = {"jnp": jnp}
    exec(compile(FUNCTION, str(path), "exec"), names)
    assert isinstance(names["f"], FunctionType) and answer(names["f"], jnp.ones(3))
    path.write_text(FUNCTION.replace("+ 1", "+ 2.5") + FUNCTION)
    found = jm.diagnose(names["f"], jnp.ones(3))
    assert not found.rewrites


@pytest.mark.parametrize(
    "cell",
    [
        f"import jax, jax.numpy as jnp\nif False:\n    !ls\n    files = !ls\nodd = 7 % 2\n{FUNCTION}jax.jit(f)(jnp.ones(3))",
        f"import jax\nimport jax.numpy as jnp\n{FUNCTION}jax.jit(f)(jnp.ones(3))".replace("\n", "\n    ").join(["    ", ""]),
    ],
    ids=["a block of shell lines", "indented"],
)
def test_a_cell_that_python_cannot_read_takes_its_fix(shell: Shell, cell: str) -> None:
    assert shell.run(cell).error is not None
    assert shell.ok(fixed(shell)).value.tolist() == [2.0, 2.0, 2.0]
