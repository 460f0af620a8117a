"""`keep=True` never gives an old result: whatever a trace meets outside its arguments, it gives what a new `jax.jit` gives."""

from __future__ import annotations

import builtins
import contextlib
import decimal
import inspect
import locale
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jupyter_jitmagic as jm
from jupyter_jitmagic.recording.api import keeping

X = np.arange(4, dtype=np.float32)
OURS = str(Path(jm.__file__).parent)
MADE = "def make():\n  n = 0\n  def count(x=0):\n    nonlocal n; n += 1; return x + n\n  return count\ncount = make()\n"
MODULE = "import types\nmine = types.ModuleType('mine')\nmine.k = 2\n"
BUILTINS = "import builtins; builtins.jitmagic_k = "
BOX = "import types\nbox = types.SimpleNamespace(n=0)\n"
ENVIRON = "import os\nfrom os import environ\nos.environ['JITMAGIC_K'] = '1'\n"
OPTIONS = ("jax_debug_nans", "jax_default_prng_impl")

SITUATIONS = {
    "a global rebound by the trace": ("n = 0", "global n; n += 1; return x + n", ""),
    "a global set by the trace and rebound since": ("n = 0", "global n; n = 5; return x", "n = 7"),
    "a global made by the trace": ("", "global n; n = 1; return x", "del n"),
    "a global deleted by the trace": ("n = 0", "global n; del n; return x", "n = 2"),
    "a nonlocal of a helper": (MADE, "return x + count()", ""),
    "a closure cell of a helper": (
        "def make(k):\n  def scale(x): return x * k\n  return scale\nscale = make(2)", "return scale(x)", "scale = make(3)",
    ),
    "an attribute written": (BOX, "box.n += 1; return x + box.n", ""),
    "a name put among Python's own": (BUILTINS + "2", "return x * jitmagic_k", BUILTINS + "3"),
    "a name put among Python's own for one of them": (BUILTINS + "abs", "return x * jitmagic_k(-2)", BUILTINS + "float"),
    "a name put among Python's own and read by a helper": (
        BUILTINS + "2\ndef scale(x): return x * jitmagic_k", "return scale(x)", BUILTINS + "3",
    ),
    "an attribute of a module": (MODULE, "return x * mine.k", "mine.k = 3"),
    "a list that grows": ("n = []", "n.append(1); return x + len(n)", ""),
    "a list that grows and is not read": ("n = []", "n.append(1); return x", ""),
    "a dict that is filled": ("n = {}", "n['n'] = n.get('n', 0) + 1; return x + n['n']", ""),
    "a class attribute counted": ("class C:\n  n = 0", "C.n += 1; return x + C.n", ""),
    "an attribute of a class": ("class C:\n  n = 0", "return x + C.n", "C.n = 1"),
    "a default in a helper": ("def count(into=[]):\n  into.append(1)\n  return len(into)", "return x + count()", ""),
    "an attribute of a helper": ("def count(): count.n += 1; return count.n\ncount.n = 0", "return x + count()", ""),
    "an iterator": ("it = iter([1, 2])", "return x + list(it)[0]", "it = iter([5, 6])"),
    "NumPy's generator": ("np.random.seed(0)", "return x + np.random.randint(1000)", ""),
    "NumPy's generator by another name": ("r = np.random\nr.seed(0)", "return x + r.randint(1000)", ""),
    "NumPy by another name": ("np.random.seed(0)", "m = np; return x + m.random.randint(1000)", ""),
    "NumPy imported in the body": ("np.random.seed(0)", "from numpy.random import randint; return x + randint(1000)", ""),
    "a generator's method": ("draw = np.random.default_rng(0).integers", "return x + draw(1000)", ""),
    "Python's generator": ("import random\nrandom.seed(0)", "return x + random.randrange(1000)", ""),
    "the environment": (ENVIRON, "return x + int(os.environ['JITMAGIC_K'])", "os.environ['JITMAGIC_K'] = '2'"),
    "the environment by name": (ENVIRON, "return x + int(environ['JITMAGIC_K'])", "os.environ['JITMAGIC_K'] = '2'"),
    "NumPy's print options": ("", "return x + len(str(np.ones(1) / 3))", "np.set_printoptions(precision=3)"),
    "NumPy's print options set by the trace": (
        "", "p = np.get_printoptions()['precision']; np.set_printoptions(precision=p - 1); return x + p", "",
    ),
    "NumPy's print options by another name": (
        "from numpy import get_printoptions as had", "return x + had()['precision']", "np.set_printoptions(precision=3)",
    ),
    "NumPy's error handling": ("", "return x + len(np.geterr()['divide'])", "np.seterr(divide='ignore')"),
    "NumPy's error handling around the call": (
        "", "return x + len(np.geterr()['divide'])",
        "with np.errstate(divide='ignore'): step(X[:2])\nwith np.errstate(divide='ignore'): step(X)",
    ),
    "JAX's options": ("", "return x + jax.config.jax_debug_nans", "jax.config.update('jax_debug_nans', True)"),
    "JAX's options unnamed": (
        "", "return jax.random.key_data(jax.random.key(0))", "jax.config.update('jax_default_prng_impl', 'rbg')",
    ),
    "the locale": (
        "import locale", "return x + len(locale.setlocale(locale.LC_ALL))", "locale.setlocale(locale.LC_ALL, 'C.UTF-8')",
    ),
    "the decimal context": ("import decimal", "return x + len(str(decimal.Decimal(1) / 3))", "decimal.getcontext().prec = 5"),
    "a context variable": ("import contextvars\nv = contextvars.ContextVar('v', default=1)", "return x + v.get()", "v.set(2)"),
    "the warnings' filters": ("import warnings", "return x + len(warnings.filters)", "warnings.simplefilter('error')"),
    "a file": ("from numpy import loadtxt as read\nnp.savetxt(file, [1])", "return x + read(file)", "np.savetxt(file, [2])"),
    "a function that a callback goes on calling": (
        MADE, "return jax.pure_callback(count, jax.ShapeDtypeStruct(x.shape, x.dtype), x)", "count = make()",
    ),
    "what was traced ahead of time": ("k = 2", "return x * k", "k = 3; step.lower(X[:2]); k = 2; step(X[:2])"),
    "what was traced under a transformation": (
        "k = 3.0", "return (x * k).sum()", "jax.grad(step)(X[:2]); k = 2.0; step(X[:2])",
    ),
    "what was traced within another function": ("k = 3", "return x * k", "jax.jit(lambda x: step(x))(X[:2]); k = 2"),
    "what was traced for another placement": ("k = 3", "return x * k", "k = 2; step(jax.device_put(X, jax.devices()[0]))"),
}  # fmt: skip
"""What stands before the function, its body, and what happens before it is defined again."""


@pytest.fixture
def put_back() -> Iterator[None]:
    """What the situations set for the whole process is as it was."""
    keeping._kept.clear()
    options = {name: getattr(jax.config, name) for name in OPTIONS}
    place = locale.setlocale(locale.LC_ALL)
    yield
    for name, value in options.items():
        jax.config.update(name, value)
    locale.setlocale(locale.LC_ALL, place)
    vars(builtins).pop("jitmagic_k", None)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_last_result_is_that_of_a_new_function(situation: str, tmp_path: Path, put_back: None) -> None:
    """Defined, called, changed, defined and called again: results and what a trace leaves are as under plain `jax.jit`."""
    before, body, change = SITUATIONS[situation]
    options = {name: getattr(jax.config, name) for name in OPTIONS}

    def last(decorator: str) -> Any:
        space = {"__name__": "__main__", "jm": jm, "jnp": jnp, "np": np, "jax": jax, "X": X, "file": tmp_path / "n"}
        cell = f"{decorator}\ndef step(x): {body}\nout = step(X)"
        for name, value in options.items():
            jax.config.update(name, value)
        locale.setlocale(locale.LC_ALL, "C")
        with warnings.catch_warnings(), np.errstate(), np.printoptions(), decimal.localcontext():
            for text in (before, cell, change, cell):
                exec(compile(text, "<cell>", "exec"), space)
            left = space.get("n")
            with contextlib.suppress(NameError, IndexError):  # the first call has used up what it reads
                space["two"] = space["step"](X[:2])
        return np.asarray(space["out"]).tolist(), np.asarray(space.get("two")).tolist(), left, space.get("n")

    assert last("@jm.jit(keep=True)") == last("@jax.jit")


@pytest.mark.parametrize("reads", ["from time import perf_counter as now", "from datetime import datetime\nnow = datetime.now"])
def test_what_reads_a_clock_compiles_again(reads: str) -> None:
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "X": X}
    cell = "@jm.jit(keep=True)\ndef step(x): return x * bool(now())\nstep(X)"
    for text in (reads, cell, cell):
        exec(text, space)
    assert jm.stats("calls").outcome.tolist()[-2:] == ["miss", "miss"]


@pytest.mark.parametrize(
    ("before", "body", "change", "why"),
    [
        ("n = 0", "global n; n += 1; return x", "", "its trace changes n"),
        ("n = []", "n.append(1); return x", "", "its trace changes n"),
        ("k = 2", "return x * k", "k = 3", "changed since: k"),
        ("", "open; return x", "", "it cannot be known for sure what step reads by `open`"),
        ("", "return x + len(str(np.ones(1)))", "np.set_printoptions(precision=4)", "changed since: NumPy's print options"),
    ],
)
def test_a_miss_says_why_the_earlier_function_did_not_go_on(before: str, body: str, change: str, why: str) -> None:
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "np": np, "X": X}
    cell = f"@jm.jit(keep=True)\ndef step(x): {body}\nstep(X)"
    with np.printoptions():
        for text in (before, cell, change, cell):
            exec(text, space)
    last = jm.stats("misses").iloc[-1]
    assert (last.cause, last.now) == ("new_function", why)


def test_what_is_usual_in_a_jitted_function_is_known_well_enough_to_be_kept() -> None:
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "jax": jax, "jnp": jnp, "np": np, "X": X}
    before = (
        "import math, functools\nfrom functools import partial\nfrom jax import lax, random, vmap\nw = jnp.ones(4)\nlr = 0.1"
    )
    body = """
    assert x.ndim == 1 and isinstance(lr, float), f"{x.shape}"
    key = random.key(0)
    noise = jax.random.normal(key, x.shape, dtype=np.float32) + random.uniform(key)
    carry, _ = lax.scan(lambda c, v: (c + v, None), jnp.float32(0), x)
    y = jax.nn.relu(jnp.einsum("i,i->", x, w)) + math.sqrt(2) + np.sin(np.pi) + carry * sum([1, len(x)])
    return vmap(partial(jnp.add, y))(noise * lr), jax.tree.map(functools.partial(jnp.multiply, 2), {"y": y})
"""
    cell = f"@jm.jit(keep=True)\ndef step(x): {body}\nstep(X)"
    for text in (before, cell, cell):
        exec(text, space)
    last = jm.stats("calls").iloc[-1]
    assert last.outcome == "hit", jm.stats("misses").now.iloc[-1]


def test_what_a_users_own_module_holds_is_compared_by_its_value() -> None:
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm, "X": X}
    cell = "@jm.jit(keep=True)\ndef step(x): return x * mine.k\nstep(X)"
    for text in (MODULE, cell, cell):
        exec(text, space)
    assert jm.stats("calls").outcome.iloc[-1] == "hit"


@pytest.mark.parametrize("arguments", ["", "on_miss='raise'", "on_miss='eager'", "static_argnames='n'"])
def test_a_function_that_may_be_kept_is_as_any_other(arguments: str) -> None:
    """Name, signature, program, errors and budgets are those of the user's function."""
    space: dict[str, Any] = {"__name__": "__main__", "jm": jm}
    exec(f"@jm.jit(keep=True, {arguments})\ndef step(x, n=2):\n  'Doc.'\n  return x * n", space)
    step = space["step"]
    bare = jax.jit(step.__wrapped__, **({"static_argnames": "n"} if "static" in arguments else {}))
    assert inspect.signature(step) == inspect.signature(bare) and step.__doc__ == "Doc."
    assert step.lower(X).as_text() == bare.lower(X).as_text()
    assert OURS not in step.lower(X).as_text(debug_info=True)
    assert step(X, n=3).tolist() == bare(X, n=3).tolist()
    if "raise" in arguments:
        with pytest.raises(jm.RecompileError, match="x is f32"):
            step(X[:2], n=3)
    if "eager" in arguments:
        assert type(step(X[:2], n=3)) is np.ndarray
    for jitted in (step, bare):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'm'"):
            jitted(X, m=1)
