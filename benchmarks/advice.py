"""Judge the advice: ``python -m benchmarks.advice [FOLDER …] [--form FORM …] [--cold] [--only TEXT] [--quiet]``.

Runs `jupyter_jitmagic.diagnose` on the first call of every case (a module with FUNCTION, CALLS, KIND and, by kind, STATIC,
ALSO, SITES) and prints what was right and wrong by kind, every miss in a line, and times. The truth of a case is read
after the answer was given and never by the engine. A rewrite is judged by running it on all CALLS of its case: its sources are
executed in a fresh copy of the module, its static arguments applied, its results compared with the plain function's.

Each case is asked as a module and pasted whole into one cell (`benchmarks.cells`; ``--form`` for one of them, or for what
`%jitfix` finds below a cell with `jax.jit` or ``%%jit``). The answers must be the same in every form.

Times are of `diagnose` alone, in an engine that has answered one question before; the plain function is called first (so that
its operations are compiled, as after a plain call) unless --cold.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib.util
import io
import pathlib
import statistics
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import jax
import numpy as np

from benchmarks.cells import CELL_FORMS, Notebook, Pasted, error_of, takes

HERE = pathlib.Path(__file__).resolve().parent.parent
DEFAULTS = [HERE.parent / "shared" / "corpus", HERE / "tests" / "cases"]
UNHURRIED_S = 1.5
"""An answer that took longer may have ended with its time: it cannot be compared."""
NOT_CASES = {"verify.py", "conftest.py", "__init__.py"}


@dataclass
class Verdict:
    """What came of one case. `problems` is empty where all is right."""

    path: pathlib.Path
    kind: str
    form: str = "module"
    answer: str = ""
    said: tuple[Any, ...] = ()
    kind_right: bool = False
    first_site: bool | None = None
    all_sites: bool | None = None
    with_rewrite: bool = False
    rewrite_works: bool | None = None
    verified_wrong: bool = False
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    folders = options.folders or [folder for folder in DEFAULTS if folder.is_dir()]
    paths = [path for folder in folders for path in cases_in(pathlib.Path(folder)) if options.only in str(path)]
    if not paths:
        print("no cases found: name a folder with cases")
        return 1
    if options.unhurried:
        unhurried()
    warm_up()
    clock = time.process_time if options.cpu else time.perf_counter
    verdicts: dict[str, list[Verdict]] = {form: [] for form in options.form or ["module", "diagnose"]}
    apart = 0
    for path in paths:
        of_path = []
        for form in verdicts:
            if form == "module" or takes(path.read_text(encoding="utf-8"), form):
                verdict = judge(path, form=form, cold=options.cold, rewrites=not options.no_rewrites, clock=clock)
                verdicts[form].append(verdict)
                of_path.append(verdict)
                for problem in () if options.quiet else verdict.problems:
                    print(f"{label(path)} ({form}): {' '.join(problem.split())}", flush=True)
        for other in of_path[1:]:
            if other.said != of_path[0].said and max(other.seconds, of_path[0].seconds) < UNHURRIED_S:
                apart += 1
                print(f"{label(path)}: {other.form} says {other.said}, {of_path[0].form} {of_path[0].said}", flush=True)
    for form, judged in verdicts.items():
        print(f"\n== {form}" if form == "module" else f"\n== pasted into one cell: {form}")
        report(judged, folders, options)
    if len(verdicts) > 1:
        print(f"\ncases with another answer in a cell: {apart}")
    return 1 if apart or any(verdict.problems for judged in verdicts.values() for verdict in judged) else 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="advice", description="Judge the advice on cases with proven answers.")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, help="folders (or files) with cases")
    parser.add_argument(
        "--form", action="append", choices=["module", *CELL_FORMS], help="how a case is asked (may be repeated)"
    )
    parser.add_argument("--cold", action="store_true", help="no plain call before: nothing is compiled yet")
    parser.add_argument("--no-rewrites", action="store_true", help="kinds, static sets and sites alone: nothing is run")
    parser.add_argument("--only", default="", help="cases whose path contains this text")
    parser.add_argument("--cpu", action="store_true", help="count the process's own time: on a busy machine")
    parser.add_argument("--quiet", action="store_true", help="the table alone, no line for each miss")
    parser.add_argument("--unhurried", action="store_true", help="six times the time for an answer: on a busy machine")
    parser.add_argument("--times", action="store_true", help="the ten slowest cases")
    return parser.parse_args(argv)


def unhurried() -> None:
    """Six times the time for an answer, and no thread's waiting counts as work."""
    from jupyter_jitmagic.base.options import options
    from jupyter_jitmagic.diagnosis.rewrites import judging
    from jupyter_jitmagic.sandbox import clock, limit

    judging.OTHERS_WITHIN *= 6
    options.advice_limit_s, clock.WAITING, limit._PATIENCE = 60.0, 40, 40


def cases_in(folder: pathlib.Path) -> list[pathlib.Path]:
    if folder.is_file():
        return [folder]
    found = [path for path in sorted(folder.rglob("*.py")) if path.name not in NOT_CASES and not path.name.startswith("test_")]
    return [path for path in found if "CALLS" in path.read_text(encoding="utf-8")]


def load(path: pathlib.Path) -> ModuleType:
    """The case as a fresh module, in `sys.modules` as an imported one would be."""
    name = f"case_{path.stem}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with quiet():
        spec.loader.exec_module(module)
    return module


_numbers = iter(range(10**9))


@contextlib.contextmanager
def quiet() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def attempt(fun: Any, args: tuple, kwargs: dict) -> tuple[str, Any]:
    with quiet():
        try:
            return "ok", fun(*args, **kwargs)
        except Exception as error:
            return "error", error


def warm_up() -> None:
    """One question before the clock starts: imports and JAX's own start-up are not an answer's time."""
    from jupyter_jitmagic.diagnosis import diagnose

    def first(x: Any, n: int) -> Any:
        return x * 2 if x.sum() > n else jax.numpy.zeros(n)

    with quiet():
        diagnose(first, jax.numpy.ones(3), 3)


def judge(
    path: pathlib.Path,
    *,
    form: str = "module",
    cold: bool = False,
    rewrites: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:
    verdict = Verdict(path, "", form)
    try:
        module, diagnosis = ask(verdict, cold, rewrites, clock)
    except Exception as error:
        verdict.problems.append("diagnose raised " + f"{type(error).__name__}: {error}")
        return verdict
    verdict.kind = module.KIND
    verdict.said = said(diagnosis)
    judge_kind(verdict, module, diagnosis, run=rewrites)
    judge_sites(verdict, module, diagnosis)
    if rewrites and form in ("module", "diagnose"):  # of the others the fixed cell was run
        judge_rewrites(verdict, module, diagnosis, module.CALLS)
    if form == "module":
        sys.modules.pop(module.__name__, None)
    return verdict


def ask(
    verdict: Verdict, cold: bool = False, rewrites: bool = True, clock: Callable[[], float] = time.perf_counter
) -> tuple[ModuleType, Any]:
    """The case, loaded in the verdict's form, and the answer to its first call."""
    from jupyter_jitmagic.diagnosis.diagnosing import diagnose_call

    if verdict.form != "module":
        pasted = notebook().answered(verdict.path, verdict.form)
        verdict.seconds = pasted.answer.seconds
        judge_fixed(verdict, pasted)
        return notebook().load(verdict.path), pasted.answer
    module = load(verdict.path)
    verdict.kind = module.KIND
    fun, (args, kwargs) = expression(module, module.FUNCTION), module.CALLS[0]
    if not cold:
        attempt(fun, args, kwargs)
    gc.collect()
    begin = clock()
    try:
        return module, diagnose_call(fun, args, kwargs, rewrites=rewrites)
    finally:
        verdict.seconds = clock() - begin


@functools.cache
def notebook() -> Notebook:
    return Notebook()


def said(diagnosis: Any) -> tuple[Any, ...]:
    """What has to be the same however a function was defined."""
    patterns = diagnosis.rewrites[0].patterns if diagnosis.rewrites else ()
    return diagnosis.kind, diagnosis.static_argnames, diagnosis.static_argnums, patterns


def judge_fixed(verdict: Verdict, pasted: Pasted) -> None:
    """The cell with the fix in it, as `%jitfix` made it, has to give what the plain function gives."""
    if pasted.fixed is None:
        return
    module = load(verdict.path)
    args, kwargs = module.CALLS[0]
    state, want = attempt(expression(module, module.FUNCTION), args, kwargs)
    error = error_of(pasted.fixed)
    if state == "ok" and (error is not None or not same(pasted.fixed.result, want)):
        verdict.problems.append(f"the fixed cell gives {error or pasted.fixed.result!r}, not {want!r}"[:230])
        verdict.verified_wrong = True


def expression(module: ModuleType, text: str) -> Any:
    return eval(text, vars(module))  # noqa: S307 - FUNCTION is an expression by the cases' own definition


def judge_kind(verdict: Verdict, module: ModuleType, diagnosis: Any, *, run: bool) -> None:
    accepted = {module.KIND, *getattr(module, "ALSO", ())}
    names = set(diagnosis.static_argnames) | {f"#{number}" for number in diagnosis.static_argnums}
    verdict.answer = diagnosis.kind + (f" {sorted(names)}" if names else "")
    verdict.kind_right = diagnosis.kind in accepted
    if not verdict.kind_right:
        verdict.problems.append(f"kind {diagnosis.kind}, not {module.KIND}: {diagnosis.reason or diagnosis.error}"[:230])
        return
    if diagnosis.kind == "static" and getattr(module, "STATIC", None):
        sets = [set(map(str, names)) for names in module.STATIC]
        if names not in sets:
            verdict.kind_right = False
            verdict.problems.append(f"static {sorted(names)}, not {module.STATIC}")
    if diagnosis.kind == "static+rewrite" and hasattr(module, "FIXED_STATIC") and names != set(module.FIXED_STATIC):
        verdict.kind_right = False
        verdict.problems.append(f"static {sorted(names)} beside the rewrite, not {module.FIXED_STATIC}")
    if run and diagnosis.kind == "static" and diagnosis.verified:
        check_static(verdict, module, diagnosis)


def check_static(verdict: Verdict, module: ModuleType, diagnosis: Any) -> None:
    """A verified static set has to serve the first call at least: run it there."""
    fun = expression(module, module.FUNCTION)
    args, kwargs = module.CALLS[0]
    want = attempt(fun, args, kwargs)
    got = attempt(jit_with(fun, diagnosis.static_argnames, diagnosis.static_argnums), args, kwargs)
    if got[0] != "ok" or want[0] != "ok" or not same(got[1], want[1]):
        verdict.verified_wrong = True
        verdict.problems.append(f"verified, but static {diagnosis.static_argnames} fails: {got[1]!r}"[:200])


def jit_with(fun: Any, names: Any, numbers: Any = ()) -> Any:
    options: dict[str, Any] = {}
    if names:
        options["static_argnames"] = tuple(names)
    if numbers:
        options["static_argnums"] = tuple(numbers)
    return lambda *args, **kwargs: jax.jit(fun, **options)(*args, **kwargs)


def judge_sites(verdict: Verdict, module: ModuleType, diagnosis: Any) -> None:
    truth = [line.strip() for line in getattr(module, "SITES", [])]
    if not truth or module.KIND == "traces":
        return
    found = [site.code for site in diagnosis.sites]
    verdict.first_site = bool(found) and found[0] == truth[0]
    verdict.all_sites = all(line in found for line in truth)
    if not verdict.first_site:
        verdict.problems.append(f"first site {found[0] if found else None!r}, not {truth[0]!r}"[:230])


def judge_rewrites(verdict: Verdict, module: ModuleType, diagnosis: Any, calls: Any) -> None:
    """Every rewrite that is called verified is run on all calls; the first one is the advice."""
    wanted = module.KIND in ("rewrite", "static+rewrite")
    verdict.with_rewrite = bool(diagnosis.rewrites)
    if wanted:
        verdict.rewrite_works = False
    if wanted and not diagnosis.rewrites:
        why = f"; unverified: {diagnosis.unverified[0].reason}" if diagnosis.unverified else f": {diagnosis.reason}"
        verdict.problems.append(f"no verified rewrite{why}"[:230])
    plain = [attempt(expression(module, module.FUNCTION), args, kwargs) for args, kwargs in calls]
    for number, rewrite in enumerate(diagnosis.rewrites):
        trouble = rewrite_trouble(verdict, rewrite, module.FUNCTION, calls, plain)
        if number == 0 and wanted:
            verdict.rewrite_works = not trouble
        if trouble:
            verdict.problems.append(f"rewrite {number + 1} ({', '.join(rewrite.patterns)}) {trouble}"[:230])
            verdict.verified_wrong |= rewrite.verified


def rewrite_trouble(verdict: Verdict, rewrite: Any, function: str, calls: Any, plain: Any) -> str:
    module = load(verdict.path) if verdict.form == "module" else notebook().load(verdict.path)
    try:
        for name, source in rewrite.sources.items():
            execute(module, name, source)
        fun = expression(module, function)
        jitted = jit_with(fun, rewrite.static_argnames)
        for number, ((args, kwargs), (state, want)) in enumerate(zip(module.CALLS, plain, strict=True)):
            got_state, got = attempt(jitted, args, kwargs)
            if state != "ok":
                continue
            if got_state != "ok":
                return f"raises on call {number + 1}: {type(got).__name__}: {got}"
            if not same(got, want):
                return f"differs on call {number + 1}: {got!r} not {want!r}"
    except Exception as error:
        return f"cannot be executed: {f'{type(error).__name__}: {error}'}"
    finally:
        if verdict.form == "module":
            sys.modules.pop(module.__name__, None)
    return ""


def execute(module: ModuleType, name: str, source: str) -> None:
    """Replace `name` ("f", "Class.method") in `module` by executing its new top-level statement in the module's globals."""
    code = compile(source, f"<rewrite of {name}>", "exec")
    owner, _, method = name.rpartition(".")
    if not owner:
        exec(code, vars(module))
        return
    before = dict(vars(module))
    exec(code, vars(module))
    made = vars(module)
    target = module
    for part in owner.split("."):
        target = getattr(target, part)
    if made.get(method) is not before.get(method):
        setattr(target, method, made[method])
        if method in before:
            made[method] = before[method]


def same(got: Any, want: Any) -> bool:
    """Equal in structure, shape, kind of dtype and value; a Python number in `want` asks for no particular array type."""
    got_leaves, got_tree = jax.tree_util.tree_flatten(got)
    want_leaves, want_tree = jax.tree_util.tree_flatten(want)
    return str(got_tree) == str(want_tree) and all(map(same_leaf, got_leaves, want_leaves))


def same_leaf(got: Any, want: Any) -> bool:
    if isinstance(want, str) or isinstance(got, str):
        return got == want
    got_array, want_array = np.asarray(got), np.asarray(want)
    if jax.dtypes.issubdtype(getattr(want, "dtype", want_array.dtype), jax.dtypes.prng_key):
        got_array, want_array = np.asarray(jax.random.key_data(got)), np.asarray(jax.random.key_data(want))
    kinds = {got_array.dtype.kind.replace("V", "f"), want_array.dtype.kind.replace("V", "f")}
    loose = {"i", "u"} | ({"f"} if isinstance(want, (int, float)) and not isinstance(want, bool) else set())
    return (
        got_array.shape == want_array.shape
        and (len(kinds) == 1 or kinds <= loose)
        and np.allclose(got_array, want_array, rtol=1e-4, atol=1e-5, equal_nan=True)
    )


def report(verdicts: list[Verdict], folders: Any, options: argparse.Namespace) -> None:
    print(f"jax {jax.__version__}, {len(verdicts)} cases in {', '.join(map(str, folders))}")
    by_kind: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_kind[verdict.kind].append(verdict)
    print(f"{'kind':<16}{'cases':>6}{'kind and set right':>20}{'first site':>12}{'all sites':>11}{'rewrite works':>15}")
    for kind, group in [*sorted(by_kind.items()), ("all", verdicts)]:
        row = [share(group, name) for name in ("kind_right", "first_site", "all_sites", "rewrite_works")]
        print(f"{kind:<16}{len(group):>6}{row[0]:>20}{row[1]:>12}{row[2]:>11}{row[3]:>15}")
    wrong = [verdict for verdict in verdicts if verdict.verified_wrong]
    print(f"verified though wrong on some call: {len(wrong)}")
    for name, with_rewrite in (("without a rewrite", False), ("with a rewrite", True)):
        times = sorted(verdict.seconds * 1e3 for verdict in verdicts if verdict.with_rewrite == with_rewrite)
        if times:
            middle, high, most = statistics.median(times), percentile(times, 95), times[-1]
            print(f"time {name}: median {middle:.0f} ms, p95 {high:.0f} ms, most {most:.0f} ms")
    if options.times:
        for verdict in sorted(verdicts, key=lambda verdict: -verdict.seconds)[:10]:
            print(f"  {verdict.seconds * 1e3:7.0f} ms  {label(verdict.path)}  {verdict.answer}")


def share(group: list[Verdict], name: str) -> str:
    judged = [getattr(verdict, name) for verdict in group if getattr(verdict, name) is not None]
    return f"{sum(judged)}/{len(judged)}" if judged else "-"


def percentile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def label(path: pathlib.Path) -> str:
    return f"{path.parent.name}/{path.stem}"


if __name__ == "__main__":
    sys.exit(main())
