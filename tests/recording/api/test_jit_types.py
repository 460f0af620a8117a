"""A typed `jit` keeps the parameters and the return type: asked of mypy."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from checkout import ROOT

CHECKED = """
    import functools
    import jupyter_jitmagic as jm

    @jm.jit
    def plain(x: float, n: int = 2) -> float:
        return x * n

    @jm.jit(static_argnames="n")
    def made(x: float, n: int) -> float:
        return x * n

    class Model:
        @jm.jit
        def step(self, x: float) -> str:
            return str(x)

    reveal_type(plain(1.0, n=3))
    reveal_type(made(1.0, 3))
    reveal_type(Model().step(1.0))
    reveal_type(plain.__wrapped__)
    plain("text")
    made(1.0)
    Model().step("text")
    jm.stats("call")
    jm.jit(max, timing="blocked")

    def fixed(found: jm.Diagnosis, jitted: jm.JitFunction[[float], float]) -> float:
        return jitted(float(found.seconds))
"""


CONFIG = """
[mypy]
mypy_path = {root}
follow_imports = silent
ignore_missing_imports = true
[mypy-jax.*,jaxlib.*,numpy.*,pandas.*,IPython.*]
follow_imports = skip
follow_imports_for_stubs = true
"""
"""What the types of `jit` do not depend on need not be read, which takes mypy twenty times as long."""


def test_parameters_and_return_types_are_kept(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api")
    file = tmp_path / "checked.py"
    file.write_text(textwrap.dedent(CHECKED), encoding="utf-8")
    config = tmp_path / "mypy.ini"
    config.write_text(CONFIG.format(root=ROOT), encoding="utf-8")
    said, error, _ = api.run(["--config-file", str(config), "--cache-dir", str(tmp_path), str(file)])
    lines = [line.split(": ", 2)[1:] for line in said.splitlines() if ": note: Revealed" in line or ": error:" in line]
    assert [text for kind, text in lines if kind == "note"][:3] == [
        'Revealed type is "float"',
        'Revealed type is "float"',
        'Revealed type is "str"',
    ], said + error
    errors = [text for kind, text in lines if kind == "error"]
    assert len(errors) == 5, said
    assert "Literal['functions'" in errors[3] and "overload" in errors[4]  # the choices are part of the types
    assert 'incompatible type "str"; expected "float"' in errors[0] and 'expected "float"' in errors[2]
    assert "Missing positional argument" in errors[1]
