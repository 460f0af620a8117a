"""Prove with plain JAX what each case of this folder says about itself: `python tests/cases/verify.py [FILE ...]`.

A case is a module with `FUNCTION`, `CALLS`, `KIND` and `CATEGORY`; `STATIC` lists every smallest static set, `FIXED` (with
`FIXED_STATIC`) is a working rewrite, `SITES` are the lines that need a traced value, `ALSO` other kinds one can defend.
Nothing of jupyter_jitmagic is imported here: the answers must not depend on the tool that is judged by them.
"""

import importlib.util
import io
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import wraps
from inspect import Parameter, signature
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

HERE = Path(__file__).parent
NAMEABLE = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
FEW = 8  # parameters up to which every static set is tried


class Outcome(NamedTuple):
    value: Any = None
    error: Exception | None = None


def cases() -> list[Path]:
    return sorted(HERE.glob("*/*.py"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"case_{path.parent.name}_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


def run(fun: Callable[..., Any], call: tuple[tuple[Any, ...], dict[str, Any]]) -> Outcome:
    args, kwargs = call
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Outcome(jax.block_until_ready(fun(*args, **kwargs)))
        except Exception as error:
            return Outcome(error=error)


def jitted(fun: Callable[..., Any], static: tuple[str, ...] = ()) -> Callable[..., Any]:
    # A new function each time: JAX's fast path keys a call by the function and its values, not by which of them are static,
    # so g(1, 2, 3) with n=2 static answers g(1, 3, 2) with k=2 static out of its cache (seen on 0.10.2 and 0.12.0.1).
    @wraps(fun)
    def fresh(*args: Any, **kwargs: Any) -> Any:
        return fun(*args, **kwargs)

    # jit itself refuses some static names, which must count as a failing call: it is applied inside
    return lambda *args, **kwargs: jax.jit(fresh, static_argnames=static)(*args, **kwargs)


def agrees(got: Any, want: Any) -> bool:
    got_leaves, got_tree = jax.tree.flatten(got)
    want_leaves, want_tree = jax.tree.flatten(want)
    return got_tree == want_tree and all(map(_leaf_agrees, got_leaves, want_leaves))


def _leaf_agrees(got: Any, want: Any) -> bool:
    if isinstance(got, str) or isinstance(want, str):
        return bool(got == want)
    arrays = []
    for leaf in (got, want):
        is_key = jax.dtypes.issubdtype(getattr(leaf, "dtype", np.float32), jax.dtypes.prng_key)
        arrays.append(np.asarray(jax.random.key_data(leaf) if is_key else leaf))
    a, b = arrays
    number = isinstance(want, (int, float)) and not isinstance(want, bool)  # Python's numbers ask for no dtype
    kinds = {"f" if k == "V" else "i" if k == "u" else k for k in (a.dtype.kind, b.dtype.kind)}
    kinds_fit = len(kinds) == 1 or (number and kinds == {"i", "f"})
    return a.shape == b.shape and kinds_fit and np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)


def parameters(fun: Callable[..., Any]) -> list[str]:
    return [p.name for p in signature(fun).parameters.values() if p.kind in NAMEABLE]


def module_lines(error: BaseException, module: ModuleType) -> list[str]:
    """The module's lines in a traceback, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [(frame.line or "").strip() for frame in frames if frame.filename == module.__file__]


def faults(path: Path) -> Iterator[str]:
    """What is wrong with the case; nothing when its truth is proven."""
    m = load(path)
    fun, calls, kind = eval(m.FUNCTION, vars(m)), m.CALLS, m.KIND  # noqa: S307 - our own files
    plain = [run(fun, call) for call in calls]

    def serves(f: Callable[..., Any], static: tuple[str, ...]) -> bool:
        f = jitted(f, static)
        return all(
            want.error is None and (got := run(f, call)).error is None and agrees(got.value, want.value)
            for call, want in zip(calls, plain, strict=True)
        )

    def traces(static: tuple[str, ...]) -> bool:
        return run(jitted(fun, static), calls[0]).error is None

    if not m.__doc__ or not m.CATEGORY:
        yield "no docstring or no category"
    broken = [p.error for p in plain if p.error is not None]
    if kind != "not_staticness" and broken:
        yield f"the plain call fails: {broken[0]!r:.150}"
    failure = run(jitted(fun), calls[0]).error
    if kind == "traces":
        if not serves(fun, ()):
            yield f"does not trace, or differs from plain Python: {failure!r:.150}"
        return
    if failure is None:
        yield "traces"
        return
    yield from _site_faults(m, failure)
    names = parameters(fun)
    if kind == "not_staticness":
        for s in (s for n in (1, 2) for s in combinations(names, n) if traces(s)):
            yield f"static {s} cures it"
    elif kind == "static":
        wanted = [tuple(s) for s in m.STATIC]
        for s in wanted:
            if not serves(fun, s):
                yield f"static {s} does not serve every call"
            if any(traces(t) for n in range(len(s)) for t in combinations(s, n)):
                yield f"static {s} is not the smallest"
        if len(names) <= FEW:
            for s in (s for n in range(1, min(map(len, wanted)) + 1) for s in combinations(names, n)):
                if set(s) not in map(set, wanted) and serves(fun, s):
                    yield f"static {s} serves every call too"
    elif kind in ("rewrite", "static+rewrite"):
        fixed, static = eval(m.FIXED, vars(m)), tuple(getattr(m, "FIXED_STATIC", ()))  # noqa: S307
        if bool(static) != (kind == "static+rewrite"):
            yield "FIXED_STATIC does not fit the kind"
        if not serves(fixed, static):
            yield "FIXED does not serve every call"
        if static and serves(fixed, ()):
            yield "FIXED needs no static argument"
        if "static" not in getattr(m, "ALSO", ()):
            for s in (s for n in (1, 2, 3) for s in combinations(names, n) if serves(fun, s)):
                yield f"static {s} alone serves every call"
    else:
        yield f"unknown kind {kind!r}"


def _site_faults(m: ModuleType, failure: Exception) -> Iterator[str]:
    sites = getattr(m, "SITES", [])
    if not sites and m.KIND != "not_staticness":
        yield "no SITES"
    source = {line.strip() for line in Path(m.__file__ or "").read_text().splitlines()}
    for site in sites:
        if site not in source:
            yield f"no such line: {site}"
    met = module_lines(failure, m)  # empty where jit refuses an argument before the body runs
    if sites and met and met[-1] != sites[0]:
        yield f"fails first at {met[-1]!r}, not at {sites[0]!r}"


if __name__ == "__main__":
    n_bad, paths = 0, [Path(a) for a in sys.argv[1:]] or cases()
    for p in paths:
        try:
            found = list(faults(p))
        except Exception as error:
            found = [f"{type(error).__name__}: {error}"]
        n_bad += bool(found)
        for fault in found:
            print(f"{p.parent.name}/{p.name}: {fault}")
    print(f"{len(paths) - n_bad} of {len(paths)} cases proven")
    sys.exit(bool(n_bad))
