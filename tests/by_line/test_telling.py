"""Below a cell: a Python loop that tracing unrolled at a cost, and a large array that became a constant."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jax.numpy as jnp
import pytest
from shells import Shell

import jupyter_jitmagic as jm
from jupyter_jitmagic.by_line.telling import ProgramTeller


@pytest.fixture
def telling(shell: Shell) -> Iterator[Shell]:
    """A shell that tells of every compile, however cheap."""
    jm.reset()
    jm.options.tell_after_s = 0.0
    shell.ok("x = jnp.ones(8)")
    yield shell
    jm.options.reset()
    jm.reset()


def told(telling: Shell, cell: str) -> str:
    """What is shown below a cell, however it is broken into lines."""
    return " ".join(telling.ok(cell).text.split())


DEEP = "def deep(x, n=60):\n    y = x\n    for _ in range(n):\n        y = jnp.sin(y) * 2\n    return y\n"


def test_an_unrolled_loop_is_told_once_with_its_rounds_and_its_part(telling: Shell) -> None:
    text = told(telling, f"%%jit --quiet\n{DEEP}\ndeep(x)")
    assert "deep: the loop in cell [3], line 4 was unrolled 60 times: 120 of 120 equations, traced and compiled in " in text
    assert "unrolled" not in told(telling, "deep(jnp.ones(9))"), "once"


def test_it_is_told_of_plain_jit_too(telling: Shell) -> None:
    text = told(telling, f"{DEEP}\nf = jax.jit(deep)\nf(x).block_until_ready()")
    assert "deep: the loop in cell [3], line 3 was unrolled 60 times: " in text and "of 120 equations" in text


def test_a_loop_in_a_helper_is_told_where_it_stands(telling: Shell) -> None:
    telling.ok(DEEP)
    text = told(telling, "%%jit --quiet\ndef outer(x):\n    return deep(x).sum()\n\nouter(x)")
    assert "outer: the loop in cell [3], line 3 was unrolled 60 times: 120 of 121 equations" in text


@pytest.mark.parametrize(
    "body",
    [
        "return jax.lax.fori_loop(0, 60, lambda _, v: jnp.sin(v) * 2, x)",
        "for _ in range(3):\n        x = jnp.sin(x)\n    return x",
        "return jnp.sin(x) + jnp.sin(x) + jnp.sin(x)",
    ],
)
def test_what_is_no_unrolled_loop_is_not_told(telling: Shell, body: str) -> None:
    assert "unrolled" not in told(telling, f"%%jit --quiet\ndef f(x):\n    {body}\n\nf(x)")


@pytest.mark.parametrize("jit", ["%%jit --quiet\n", "@jax.jit\n"])
def test_the_loop_that_calls_the_function_is_not_the_one_that_was_unrolled(telling: Shell, jit: str) -> None:
    deep = DEEP.replace("y = x\n", "y = jnp.cos(x)\n")
    text = told(telling, f"{jit}{deep}\nfor _ in range(3):\n    deep(x)")
    assert "deep: the loop in cell [3], line 4 was unrolled 60 times: 120 of 121 equations" in text


def test_a_comprehension_that_was_unrolled_counts_once(telling: Shell) -> None:
    text = told(telling, "%%jit --quiet\ndef f(x):\n    parts = [jnp.sin(x * k) for k in range(30)]\n    return parts\n\nf(x)")
    assert "the loop in cell [3], line 3 was unrolled 30 times: 60 of 60 equations" in text


def test_what_jax_itself_repeats_is_no_loop_of_the_users(telling: Shell) -> None:
    body = "for _ in range(2):\n        x = x + jax.random.normal(jax.random.key(0), (8,)) + jax.lax.erf_inv(x)\n    return x"
    for jit in ("%%jit --quiet\n", "@jax.jit\n"):
        assert "unrolled" not in told(telling, f"{jit}def f(x):\n    {body}\n\nf(x)")


def test_what_cost_little_is_not_told(telling: Shell) -> None:
    jm.options.tell_after_s = 1000.0
    assert "unrolled" not in told(telling, f"%%jit --quiet\n{DEEP}\ndeep(x)")


def test_a_large_constant_is_told_once_with_its_name_its_line_and_its_bytes(telling: Shell) -> None:
    telling.ok("table = jnp.ones((2200, 2200))")
    text = told(
        telling,
        "%%jit --quiet\ndef look(x):\n    y = x * 2\n    return y.sum() + table[0, 0] * (table @ table)[1, 1]\n\nlook(x)",
    )
    assert "look: table (f32[2200,2200], cell [4], line 4) is a constant of 19 MB in the compiled program" in text
    assert "and in each further one. As an argument of look it is in none (traced)." in " ".join(text.split())
    assert "constant" not in told(telling, "look(jnp.ones(9))")


@pytest.mark.parametrize(
    "body",
    ["return (x * table.sum()).sum() if np.asarray(table)[0, 0] > 0 else x", "return x * table[0, 0] + of_table()"],
    ids=["its values are needed", "a helper names it as well"],
)
def test_a_constant_that_was_not_seen_to_serve_as_an_argument_gets_no_such_advice(telling: Shell, body: str) -> None:
    telling.ok("import numpy as np\ntable = jnp.ones((2200, 2200))\ndef of_table():\n    return table.sum()")
    text = told(telling, f"%%jit --quiet look\ndef look(x):\n    {body}\n\nlook(x)")
    assert "is a constant of 19 MB" in text and "As an argument" not in text


def test_a_constant_of_a_closure_serves_beside_static_arguments(telling: Shell) -> None:
    text = told(
        telling,
        "import jupyter_jitmagic as jm\ndef make():\n    table = jnp.ones((2200, 2200))\n"
        "    def look(x, n, *, k=1):\n        return x[:n] * table[k, 0]\n"
        "    return jm.jit(look, static_argnames=('n', 'k'))\nlook = make()\nlook(x, 2, k=3)",
    )
    assert "table (f32[2200,2200]" in text and "As an argument of look it is in none (traced)." in text


def test_small_constants_are_not_told(telling: Shell) -> None:
    telling.ok("small = jnp.ones((200, 200))")
    assert "constant" not in told(telling, "%%jit --quiet\ndef look(x):\n    return x.sum() + small.sum()\n\nlook(x)")


def test_a_numpy_array_of_a_closure_has_its_name(telling: Shell) -> None:
    telling.ok(
        "import numpy as np\ndef make():\n    weights = np.ones((2200, 2200), np.float32)\n    def use(x):\n"
        "        return (x @ jnp.asarray(weights)).sum()\n    return use\nuse = jax.jit(make())"
    )
    text = told(telling, "import jupyter_jitmagic as jm\nuse = jm.jit(make())\nuse(jnp.ones(2200))")
    assert "weights (f32[2200,2200]" in text and "19 MB" in text


def test_a_constant_of_plain_jit_is_told_too(telling: Shell) -> None:
    telling.ok("table = jnp.ones((2200, 2200))")
    text = told(telling, "@jax.jit\ndef look(x):\n    return x @ table\nlook(jnp.ones(2200)); look(jnp.ones((2, 2200)));")
    assert text.count("look: table (f32[2200,2200], cell [4], line 3) is a constant of 19 MB in the compiled program") == 1


def test_arrays_that_one_name_holds_are_told_as_one(telling: Shell) -> None:
    """Of a dict of parameters and of a method's object; none of them large by itself."""
    telling.ok("params = {'a': jnp.ones((1500, 1500)), 'b': [jnp.ones((1500, 1400))], 'unused': jnp.ones((3000, 3000))}")
    text = told(telling, "%%jit --quiet\ndef f(x):\n    return x @ params['a'] @ params['b'][0]\n\nf(jnp.ones(1500));")
    assert "f: params (2 arrays, cell [4], line 3) are constants of 17 MB in the compiled program" in text
    assert "As an argument of f it is in none (traced)." in text
    telling.ok("class Net:\n    def __init__(self): self.w = jnp.ones((2200, 2200))\n    def run(self, x): return x @ self.w")
    text = told(telling, "import jupyter_jitmagic as jm\nrun = jm.jit(Net().run)\nrun(jnp.ones(2200));")
    assert "Net.run: self.w (f32[2200,2200]" in text and "is a constant of 19 MB" in text and "As an argument" not in text


def test_no_code_runs_where_names_are_looked_for(telling: Shell) -> None:
    """What a name stands for may do anything when it is asked, and may hold itself."""
    telling.ok("class Odd:\n    def __getattr__(self, name): raise KeyError(name)\n    def __len__(self): raise KeyError\n"
               "odd = Odd()\nodd.own = odd\nodd.again = [odd]\nodd.table = jnp.ones((2200, 2200))")  # fmt: skip
    text = told(telling, "%%jit --quiet\ndef f(x):\n    return x @ odd.table\n\nf(jnp.ones(2200));")
    assert "f: odd.table (f32[2200,2200]" in text and not jm.faults.details()


def test_while_a_cell_runs_nothing_of_the_users_is_traced_for_a_constant() -> None:
    """It waits for the cell's end, and is told once."""
    table = jnp.ones((2200, 2200))
    traced = []

    @jm.jit
    def look(x):
        traced.append(1)
        return x * table.sum()

    teller = ProgramTeller(lambda filename, line: f"line {line}", time.time())
    look(1.0)
    assert teller.lines(running=True) == [] and len(traced) == 1
    (told,) = teller.lines()
    assert "is a constant of 19 MB" in told and teller.lines() == []


def test_a_compile_that_goes_on_while_it_is_looked_is_told_when_it_has_ended() -> None:
    """In a kernel a thread looks while the cell runs: at what compiled before, during a longer one."""
    jm.options.tell_after_s = 0.0
    teller = ProgramTeller(lambda filename, line: f"line {line}", time.time())

    @jm.jit
    def deep(x):
        assert teller.lines(running=True) == []
        for _ in range(30):
            x = jnp.sin(x) * 2
        return x

    try:
        deep(1.0)
        (told,) = teller.lines(running=True)
        assert "was unrolled 30 times" in told and teller.lines() == []
    finally:
        jm.options.reset()
