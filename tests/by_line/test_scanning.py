"""A Python loop written as one `lax.scan` or `lax.map`: the function then gives the same, and what is no such loop is left."""

from __future__ import annotations

import textwrap
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jupyter_jitmagic.by_line.scanning import Written, written

X = jnp.linspace(0.1, 0.9, 5)
ROWS = jnp.arange(15.0).reshape(3, 5) / 15


def forms(body: str, line: int = 0) -> list[Written]:
    """The function of this body, its first loop (else the one in this line) as one."""
    text = function(body)
    found = next(number for number, each in enumerate(text.splitlines(), 1) if " for " in f" {each.strip()}")
    return list(written(text, line or found, {"jax": jax, "jnp": jnp}))


def function(body: str) -> str:
    return "def f(x, rows):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def made(text: str) -> Any:
    space: dict[str, Any] = {"jax": jax, "jnp": jnp}
    exec(text, space)
    return space["f"]


def works(form: Written, want: Any) -> bool:
    try:
        got = jax.jit(made(form.source))(X, ROWS)
    except Exception:  # this form does not suit what it loops over
        return False
    return jax.tree_util.tree_structure(got) == jax.tree_util.tree_structure(want) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-5)
        for one, other in zip(jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want), strict=True)
    )


SAME = {
    "a list of outputs": """
        out = []
        for i in range(4):
            x = jnp.sin(x) + i
            out.append(x * 2)  # kept
        return jnp.stack(out), x
    """,
    "a list that begins with what is there": """
        path = [x]
        for _ in range(4):
            x = x + 0.1 * -x
            path.append(x)
        return jnp.stack(path)
    """,
    "two lists and a sum": """
        firsts, total = [], 0.0
        seconds = []
        firsts = []
        for i in range(1, 8, 2):
            x = jnp.tanh(x) * i
            total = total + x.sum()
            firsts.append(x)
            seconds.append(total)
        return jnp.array(firsts), jnp.stack(seconds), total
    """,
    "no list": "for i in range(2, 6):\n    x = x * i\nreturn x",
    "nothing carried": "out = []\nfor row in rows:\n    out.append(jnp.dot(row, x))\nreturn jnp.array(out)",
    "with their numbers": "for i, row in enumerate(rows):\n    x = x + i * row\nreturn x",
    "side by side": "for row, scale in zip(rows, x[:3]):\n    x = x + scale * row\nreturn x",
    "a list of arrays": "parts = [x, x * 2, x * 3]\nfor part in parts:\n    x = x + jnp.sin(part)\nreturn x",
    "a list of pairs": "pairs = [(x, 1.0), (x * 2, 2.0)]\nfor part, k in pairs:\n    x = x + k * part\nreturn x",
    "a comprehension": "return jnp.stack([jnp.sin(x * k) for k in range(4)])",
    "a comprehension of pairs": "return jnp.stack([row * k for k, row in enumerate(rows)])",
    "a choice in its body": """
        for i in range(4):
            if x.ndim == 1:
                x = x + i
            else:
                x = x - i
        return x
    """,
    "what was read after it": "y = x\nfor i in range(3):\n    y = x * i\nreturn y",
    "a length that is read": "out = []\nfor i in range(4):\n    out.append(x + i)\nreturn sum(out) / len(out)",
    "in another block": """
        if x.ndim:
            out = []
            for i in range(4):
                out.append(x * i)
            x = jnp.stack(out)
        return x
    """,
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_loop_as_one_gives_the_same(body: str) -> None:
    found = forms(body)
    want = made(function(body))(X, ROWS)
    assert any(works(form, want) for form in found), "\n".join(form.source for form in found)
    assert {form.pattern for form in found} == ({"map"} if "[jnp" in body or "[row" in body else {"scan"})


def test_it_reads_as_one_would_write_it() -> None:
    (form,) = forms(SAME["a list of outputs"])
    assert form.source == (
        "def f(x, rows):\n"
        "    def body_fun(x, i):\n"
        "        x = jnp.sin(x) + i\n"
        "        out_now = x * 2  # kept\n"
        "        return x, out_now\n"
        "\n"
        "    x, out = jax.lax.scan(body_fun, x, jnp.arange(4))\n"
        "    return jnp.stack(out), x\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "for i in range(4):\n    if i == 2:\n        break\n    x = x + 1\nreturn x",
        "for i in range(4):\n    print(i)\n    x = x + 1\nreturn x",
        "for i in range(4):\n    jax.debug.print('{}', x)\n    x = x + 1\nreturn x",
        "out = []\nfor i in range(4):\n    out.append(x)\n    out.append(x)\nreturn jnp.stack(out)",
        "out = []\nfor i in range(4):\n    if i:\n        out.append(x)\nreturn jnp.stack(out)",
        "out = []\nfor i in range(4):\n    x = x + len(out)\n    out.append(x)\nreturn jnp.stack(out)",
        "out = []\nkept = out\nfor i in range(4):\n    out.append(x)\nreturn jnp.stack(kept)",
        "out = {}\nfor i in range(4):\n    out[i] = x\nreturn out",
        "for i in range(4):\n    x = x + i\nreturn x * i",
        "for i in range(4):\n    x = x + 1\nelse:\n    x = x * 2\nreturn x",
        "return jnp.stack([x * k for k in range(4) if k])",
    ],
)
def test_a_loop_that_does_more_than_to_bind_names_is_left(body: str) -> None:
    assert forms(body) == []


def test_jax_is_imported_where_the_module_does_not_name_it() -> None:
    (form,) = written("def f(x):\n    '''Its text.'''\n    for i in range(4):\n        x = x + i\n    return x\n", 3, {})
    space: dict[str, Any] = {}
    exec(form.source, space)
    assert form.source.split()[4:6] == ["import", "jax"] and float(space["f"](1.0)) == 7.0
