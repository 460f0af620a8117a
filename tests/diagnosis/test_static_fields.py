"""Numbers among the leaves of a dataclass that JAX takes apart: its class with static fields, as a person would write it."""

from __future__ import annotations

import jax.numpy as jnp
import pytest
from shells import Shell

CLASS = """\
@jax.tree_util.register_dataclass
@dataclass
class Model:
    grid: jax.Array
    {field}
"""
SOLVE = """\
@jax.jit
def solve(model, c):
    return jnp.zeros(model.size) + c * model.grid.sum()
"""
FIELD = "from dataclasses import dataclass, field"
CALL = "solve(Model(jnp.ones(2), 3), 0.5)"


def fixed(shell: Shell, cell: str, text: str) -> str:
    """The cell that `%jitfix` gives in the place of a failing one; `text`: what is said of it."""
    assert shell.run(cell).error is not None
    said = " ".join(shell.ok("%jitfix").text.split())
    assert text in said and "Leave jit off" not in said and "which is data" not in said
    return str(shell.ip.rl_next_input)


@pytest.mark.parametrize(
    ("imports", "field", "static"),
    [
        (FIELD, "size: int", 'size: int = field(metadata={"static": True})'),
        (FIELD, "size: int = 4", 'size: int = field(default=4, metadata={"static": True})'),
        ("import dataclasses\nfrom dataclasses import dataclass", "size: int", 'dataclasses.field(metadata={"static": True})'),
    ],
)
def test_a_size_among_the_leaves_is_made_a_static_field(shell: Shell, imports: str, field: str, static: str) -> None:
    """It was said that this is data, and to leave jit off, or the function came in pieces."""
    cell = f"import jax\nimport jax.numpy as jnp\n{imports}\n{CLASS.format(field=field)}{SOLVE}{CALL}"
    after = fixed(shell, cell, "model.size (3) decides a shape. size is among the leaves of Model: as a static field")
    assert static in after and after.count("import") == cell.count("import")
    assert shell.ok(after).value.tolist() == [1.0, 1.0, 1.0]


def test_a_class_in_another_cell_is_changed_there(shell: Shell) -> None:
    """It keeps no trace of its cell, as it has no methods."""
    shell.ok(
        f"import jax\nimport jax.numpy as jnp\nfrom dataclasses import dataclass, field\n{CLASS.format(field='size: int')}"
    )
    assert shell.run(SOLVE + CALL).error is not None
    shell.ok("%jitfix")
    shell.ok(str(shell.ip.rl_next_input))
    assert shell.ok(SOLVE + CALL).value.shape == (3,)


def test_a_word_among_the_leaves_is_made_one_too(shell: Shell) -> None:
    """JAX refuses it before any line runs."""
    cell = (
        "import jax\nimport jax.numpy as jnp\nfrom dataclasses import dataclass, field\n"
        f"{CLASS.format(field='act: str')}"
        "@jax.jit\ndef f(model):\n    return getattr(jnp, model.act)(model.grid)\nf(Model(jnp.zeros(2), 'tanh'))"
    )
    after = fixed(shell, cell, "act is among the leaves of Model")
    assert 'act: str = field(metadata={"static": True})' in after
    assert shell.ok(after).value.tolist() == [0.0, 0.0]


def test_a_class_that_lists_its_leaves_is_not_changed(shell: Shell) -> None:
    """Its fields' metadata say nothing there."""
    shell.ok(
        "import jax\nimport jax.numpy as jnp\nfrom dataclasses import dataclass\nfrom functools import partial\n"
        "@partial(jax.tree_util.register_dataclass, data_fields=['grid', 'size'], meta_fields=[])\n"
        f"@dataclass\nclass Model:\n    grid: jax.Array\n    size: int\n{SOLVE}"
    )
    shell.run(CALL)
    said = " ".join(shell.run("%jitfix").text.split())
    assert "or among its meta_fields" in said and "field(metadata" not in str(shell.ip.rl_next_input)


def test_what_is_data_stays_data(shell: Shell) -> None:
    """A float that is only compared is no static field."""
    cell = (
        "import jax\nimport jax.numpy as jnp\nfrom dataclasses import dataclass\n"
        f"{CLASS.format(field='limit: float')}"
        "@jax.jit\ndef f(model):\n    if model.limit > 1:\n        return model.grid * 2\n    return model.grid\n"
        "f(Model(jnp.ones(2), 2.0))"
    )
    assert shell.run(cell).error is not None
    said = " ".join(shell.ok("%jitfix").text.split())
    assert "static field" not in said
    assert shell.ok(str(shell.ip.rl_next_input)).value.tolist() == jnp.full(2, 2.0).tolist()
