"""A dataclass of settings that jit takes neither traced nor static: its class frozen, with what the rest of the call needs."""

from __future__ import annotations

import linecache
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from shells import Shell

import jupyter_jitmagic as jm

IMPORTS = "import jax\nimport jax.numpy as jnp\nfrom dataclasses import dataclass\n"
SETTINGS = "{above}\nclass Settings:\n    clip: float = 1.0\n    copies: int = 2\n\n"
CLIPPED = """\
@jax.jit
def clipped(g, settings):
    norm = jnp.linalg.norm(g)
    if norm > settings.clip:
        g = g * settings.clip / norm
    return jnp.tile(g, settings.copies)
"""
TILED = "@jax.jit\ndef tiled(g, settings):\n    return jnp.tile(g, settings.copies)\n"


def fixed(shell: Shell, cell: str) -> str:
    """The cell that `%jitfix` gives in the place of a failing one."""
    assert shell.run(cell).error is not None
    shell.ok("%jitfix")
    return str(shell.ip.rl_next_input)


@pytest.mark.parametrize(
    ("above", "after"),
    [("@dataclass", "@dataclass(frozen=True)"), ("@dataclass(eq=True)", "@dataclass(frozen=True, eq=True)")],
)
@pytest.mark.parametrize(("function", "name"), [(CLIPPED, "clipped"), (TILED, "tiled")])
def test_the_class_is_frozen_beside_what_the_rest_needs(
    shell: Shell, above: str, after: str, function: str, name: str, unhurried: None
) -> None:
    """It was said that it could be static if it were frozen, and nothing was known of the test on data."""
    cell = IMPORTS + SETTINGS.format(above=above) + function + f"{name}(jnp.array([3.0, 4.0]), Settings())"
    new = fixed(shell, cell)
    assert after in new and 'static_argnames="settings"' in new
    wanted = jnp.tile(jnp.array([0.6, 0.8]) if name == "clipped" else jnp.array([3.0, 4.0]), 2)
    assert jnp.allclose(shell.ok(new).value, wanted)


def test_a_class_in_another_cell_is_frozen_there(shell: Shell, unhurried: None) -> None:
    shell.ok(IMPORTS + SETTINGS.format(above="@dataclass"))
    assert shell.run(CLIPPED + "clipped(jnp.ones(2), Settings())").error is not None
    said = shell.ok("%jitfix").text
    assert "+ @dataclass(frozen=True)" in said and "lax.cond" in said


def test_one_that_the_function_changes_is_not_frozen() -> None:
    """And nothing is said of how a frozen one fails: the user has none."""
    from dataclasses import dataclass

    @dataclass
    class Counts:
        n: int

    def counting(x: jax.Array, counts: Counts) -> jax.Array:
        counts.n += 1
        return jnp.zeros(counts.n) + x

    given = Counts(2)
    found = jm.diagnose(counting, jnp.float32(1.0), given)
    assert found.classes == () and "FrozenInstance" not in found.reason and not found.verified
    assert given == Counts(2) and type(given) is Counts


RESTOCKED = """
def restocked(demand, settings):
    level, pipeline, cost = settings.copies * 20.0, [], 0.0
    for day, d in enumerate(demand):
        level += sum(q for due, q in pipeline if due == day)
        sold = min(level, d)
        level -= sold
        cost += jnp.exp(-level / 10) + jnp.square(d - sold)
        if level <= settings.clip:
            pipeline.append((day + 2, 60.0 - level))
    return cost, level
"""


def test_the_pieces_that_the_reason_speaks_of_are_shown(unhurried: None) -> None:
    """What is static when frozen needs a rewrite there is none of: the split was named, and not given."""
    namespace: dict[str, Any] = {}
    filename = "/tmp/ipykernel_1/restocked.py"
    text = IMPORTS + SETTINGS.format(above="@dataclass") + RESTOCKED
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace["__name__"] = "__main__"
    exec(compile(text, filename, "exec"), namespace)
    demand, settings = jnp.array([10.0, 15.0, 8.0, 30.0, 12.0]), namespace["Settings"]()
    found = jm.diagnose(namespace["restocked"], demand, settings)
    assert ("The split leaves" in found.reason) == bool(found.splits)
    want = namespace["restocked"](demand, settings)
    for split in found.splits:
        for source in split.sources.values():
            exec(source, namespace)
        assert jnp.allclose(jnp.array(namespace["restocked"](demand, namespace["Settings"]())), jnp.array(want))
