"""The forms of notebooks: ``python -m benchmarks.forms [--count 60] [--seed 0] [--form NAME …] [--show]``.

Each program of `benchmarks.unseen` is written into the cells of a notebook in one of many forms (where jit stands, what the
function is, how the cell runs), and those are run in a real IPython shell until the call fails. `%jitfix` is asked, the cell
that it gives is run in the place of the one that it changes, the cells below it are run again, as a person would, and the
result is compared with plain Python's. Prints what was not right in a line each, and a table by form.
"""

from __future__ import annotations

import argparse
import ast
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.advice import quiet, unhurried
from benchmarks.cells import Notebook, error_of
from benchmarks.unseen.compare import difference
from benchmarks.unseen.making import programs
from benchmarks.unseen.program import Program
from jupyter_jitmagic.diagnosis.fixes import fixes

IMPORTS = "import jax\nimport jax.numpy as jnp\nimport numpy as np\nfrom functools import partial, wraps\n"
Cells = tuple[list[str], str]
"""The cells before the call, and the call's function as the last cell writes it."""


class Parts:
    """A program as a notebook holds it: what stands before its function, the function, and both with a head of imports."""

    def __init__(self, program: Program) -> None:
        tree = ast.parse(program.code)
        (node,) = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == program.function]
        lines = program.code.splitlines(keepends=True)
        self.name = program.function
        self.function = "".join(lines[node.lineno - 1 : node.end_lineno]).rstrip() + "\n"
        self.before = IMPORTS + "".join(lines[: node.lineno - 1]).rstrip() + "\n"
        self.all = f"{self.before}\n{self.function}"
        self.calls_itself = any(isinstance(each, ast.Name) and each.id == self.name for each in ast.walk(node))

    def decorated(self, *decorators: str, indent: int = 0) -> str:
        return textwrap.indent("".join(f"{each}\n" for each in decorators) + self.function, " " * indent)

    def as_method(self, *decorators: str, name: str = "") -> str:
        written = self.function.replace(f"def {self.name}(", f"def {name or self.name}(self, ", 1).replace("(self, )", "(self)")
        return textwrap.indent("".join(f"{each}\n" for each in decorators) + written, "    ")


FORMS: dict[str, Callable[[Parts], Cells]] = {
    "%%jit, all in one cell": lambda p: ([f"%%jit {p.name}\n{p.all}"], p.name),
    "%%jit, a cell of its own": lambda p: ([p.before, f"%%jit {p.name}\n{p.function}"], p.name),
    "%%time above %%jit": lambda p: ([p.before, f"%%time\n%%jit\n{p.function}"], p.name),
    "@jax.jit": lambda p: ([p.before, p.decorated("@jax.jit")], p.name),
    "@jax.jit, all in one cell": lambda p: ([f"{p.before}\n{p.decorated('@jax.jit')}"], p.name),
    "@jit": lambda p: (["from jax import jit\n" + p.before, p.decorated("@jit")], p.name),
    "another name of jax": lambda p: (["import jax as J\n" + p.before, p.decorated("@J.jit")], p.name),
    "@partial(jax.jit, …)": lambda p: ([p.before, p.decorated("@partial(jax.jit, inline=True)")], p.name),
    "comments around": lambda p: ([p.before, "# the step → ∂x\n" + p.decorated("@jax.jit  # fast") + "# after\n"], p.name),
    "%%time": lambda p: ([p.before, f"%%time\n{p.decorated('@jax.jit')}"], p.name),
    "tabs": lambda p: ([p.before, p.decorated("@jax.jit").replace("    ", "\t")], p.name),
    "fast = jax.jit(f)": lambda p: ([p.all + "\nfast = jax.jit(" + p.name + ")"], "fast"),
    "fast = jax.jit(f), later": lambda p: ([p.before, p.function, f"fast = jax.jit({p.name})"], "fast"),
    "f = jax.jit(f)": lambda p: ([p.all + f"\n{p.name} = jax.jit({p.name})"], p.name),
    "jax.jit(f)(x)": lambda p: ([p.all], f"jax.jit({p.name})"),
    "jax.jit(partial(f))": lambda p: ([p.all, f"fast = jax.jit(partial({p.name}))"], "fast"),
    "a function that makes it": lambda p: (
        [p.before, f"def make():\n{p.decorated('@jax.jit', indent=4)}    return {p.name}\n", "made = make()"],
        "made",
    ),
    "a method, self static": lambda p: (
        [p.before, f"class Model:\n{p.as_method('@partial(jax.jit, static_argnums=0)')}", "model = Model()"],
        f"model.{p.name}",
    ),
    "__call__, self static": lambda p: (
        [p.before, f"class Model:\n{p.as_method('@partial(jax.jit, static_argnums=0)', name='__call__')}", "model = Model()"],
        "model",
    ),
    "self.run = jax.jit(self.f)": lambda p: (
        [
            p.before,
            f"class Model:\n    def __init__(self):\n        self.run = jax.jit(self.{p.name})\n\n{p.as_method()}",
            "model = Model()",
        ],
        "model.run",
    ),
    "a static method": lambda p: (
        [p.before, f"class Model:\n{p.decorated('@staticmethod', '@jax.jit', indent=4)}"],
        f"Model.{p.name}",
    ),
    "within if": lambda p: ([p.before, f"if True:\n{p.decorated('@jax.jit', indent=4)}"], p.name),
    "within try": lambda p: ([p.before, f"try:\n{p.decorated('@jax.jit', indent=4)}finally:\n    pass"], p.name),
    "a decorator above jit": lambda p: (
        [
            p.before,
            "def logged(fun):\n    @wraps(fun)\n    def inner(*args, **kwargs):\n        return fun(*args, **kwargs)\n"
            "    return inner\n",
            p.decorated("@logged", "@jax.jit"),
        ],
        p.name,
    ),
    "called by another": lambda p: (
        [p.before, p.decorated("@jax.jit"), f"def main(*args, **kwargs):\n    return {p.name}(*args, **kwargs)\n"],
        "main",
    ),
    "defined twice": lambda p: (
        [p.before, f"@jax.jit\ndef {p.name}(*args):\n    return 0", p.decorated("@jax.jit")],
        p.name,
    ),
}
RIGHT, TRACES, SPLIT, PADDED, NOTHING, NO_CELL, FAILS, WRONG, PLAIN = (
    "right",
    "traces",
    "right, split",
    "right, padded",
    "nothing",
    "no cell",
    "fixed fails",
    "wrong",
    "plain fails",
)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    forms = [name for name in FORMS if not options.form or any(each in name for each in options.form)]
    if options.unhurried:
        unhurried()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    book = Notebook()
    for number, each in enumerate(programs(options.count, options.seed, place="straight")):
        form = forms[number % len(forms)]
        outcome, about = judged(book, each, form, show=options.show)
        counts[form][outcome] += 1
        if outcome not in (RIGHT, TRACES):
            print(f"{each.name:<18} {form:<28} {outcome:<12} {about}", flush=True)
    table(counts)
    return 1 if any(outcome in (NO_CELL, FAILS, WRONG) for each in counts.values() for outcome in each) else 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="forms", description="Judge %jitfix on programs in the forms of notebooks.")
    parser.add_argument("--count", type=int, default=60, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    parser.add_argument("--form", nargs="*", default=[], help="forms whose name contains one of these texts")
    parser.add_argument("--show", action="store_true", help="print the cells, and the one that %%jitfix gives")
    parser.add_argument("--unhurried", action="store_true", help="six times the time for an answer: on a busy machine")
    return parser.parse_args(argv)


def judged(book: Notebook, program: Program, form: str, *, show: bool = False) -> tuple[str, str]:
    """What came of a program in a form, and what is to be said of it."""
    parts = Parts(program)
    given = _arguments(program.calls[0].arguments)
    plain, failed = _plainly(program, parts, given)
    if failed:
        return PLAIN, failed
    before, call = FORMS[form](parts)
    if parts.calls_itself and any(cell.startswith("class ") for cell in before):
        return PLAIN, "a method is not known by its name alone"
    cells = [*before, f"answer = {call}({given})"]
    book.fresh()
    first = book.shell.execution_count
    for number, cell in enumerate(cells):
        error = error_of(book.run(cell))
        if show:
            print(f"[{first + number}] {cell}\n")
        if error is not None:
            break
    else:
        return _compared(TRACES, book, plain)
    if number < len(cells) - 1:
        return PLAIN, f"cell {number}: {error!r}"
    diagnosis = book.jitfix()
    fixed = book.shell.rl_next_input
    ways = (*diagnosis.rewrites, *diagnosis.splits)
    if not fixed:
        known = ways or diagnosis.static_argnames or diagnosis.unverified
        return (NO_CELL if known else NOTHING), diagnosis.reason
    place = _replaced(book) - first
    if show:
        print(f"%jitfix for [{first + place}]:\n{fixed}\n")
    for cell in [fixed, *cells[place + 1 :]]:
        error = error_of(book.run(cell))
        if error is not None:
            return FAILS, f"{type(error).__name__}: {str(error)[:150]!r}"
    first = fixes(diagnosis)[0].rewrite
    if first is not None and first.padded:
        whole, count = book.shell.user_ns["answer"]
        book.shell.user_ns["answer"] = whole[: int(count)]
        return _compared(PADDED, book, plain)
    proven = RIGHT if diagnosis.rewrites or not diagnosis.splits or not ways else SPLIT
    return _compared(proven, book, plain)


def _arguments(call: str) -> str:
    """``((x, 3), {"n": 1})`` as it is typed between the brackets of a call."""
    args, kwargs = ast.parse(call, mode="eval").body.elts  # type: ignore[attr-defined]
    named = (f"{key.value}={ast.unparse(value)}" for key, value in zip(kwargs.keys, kwargs.values, strict=True))
    return ", ".join([*(ast.unparse(each) for each in args.elts), *named])


def _plainly(program: Program, parts: Parts, given: str) -> tuple[Any, str]:
    """(what plain Python gives, why it gives nothing)."""
    names: dict[str, Any] = {}
    with quiet():
        try:
            exec(compile(parts.all, "<program>", "exec"), names)
            return eval(f"{program.plain}({given})", names), ""  # noqa: S307 - a program of our own
        except Exception as error:
            return None, repr(error)[:100]


def _compared(outcome: str, book: Notebook, plain: Any) -> tuple[str, str]:
    differs = difference(book.shell.user_ns.get("answer"), plain, may_be_float=True)
    return (WRONG, differs) if differs else (outcome, "")


def _replaced(book: Notebook) -> int:
    """The number of the cell that `%jitfix` has changed."""
    from jupyter_jitmagic.magics.magics import JitMagics
    from jupyter_jitmagic.magics.placing import placed

    magics = next(each for each in book.shell.magics_manager.registry.values() if isinstance(each, JitMagics))
    failure = magics.failures.last
    found = placed(book.shell, failure, fixes(failure.diagnosis)[0]) if failure is not None else None
    assert found is not None and found.cell.number is not None
    return found.cell.number


def table(counts: dict[str, Counter[str]]) -> None:
    every = sum(counts.values(), Counter[str]())
    shown = [each for each in (RIGHT, TRACES, SPLIT, PADDED, NOTHING, NO_CELL, FAILS, WRONG, PLAIN) if every[each]]
    print("\n" + f"{'form':<28}" + "".join(f"{each:>14}" for each in shown))
    for name, outcomes in [*counts.items(), ("all", every)]:
        print(f"{name:<28}" + "".join(f"{outcomes[each] or '':>14}" for each in shown))


if __name__ == "__main__":
    sys.exit(main())
