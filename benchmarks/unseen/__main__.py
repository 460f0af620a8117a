"""``python -m benchmarks.unseen [--count 400] [--seed 0] [--family …] [--place …] [--manner …] [--fails FOLDER]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import jax

from benchmarks.advice import percentile, unhurried, warm_up

from . import judge as judging
from .families import FAMILIES
from .judge import BROKEN, NOTHING, PADDED, RIGHT, SPLIT, TRACES, VERDICTS, Verdict, judge
from .making import program, programs
from .manners import MANNERS
from .places import PLACES

FORMS = ("module", "cell", "notebook")
ANSWERED = (RIGHT, TRACES, PADDED)
"""What compiles as a whole."""
CACHED = 40
"""Programs after which JAX forgets what it compiled."""


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    if options.only:
        wanted = [program(*_named(name), options.place, options.manner) for name in options.only]
    else:
        wanted = list(programs(options.count, options.seed, options.family, options.place, options.manner))
    if options.show:
        for each in wanted:
            print(f"# {each.name}, {each.place}\n{each.text()}\n")
        return 0
    if options.unhurried:
        unhurried()
        judging.LIMIT_S, judging.PLAIN_S = 60.0, 20.0
    warm_up()
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder:
        for place, each in enumerate(wanted):
            if place % CACHED == CACHED - 1:
                jax.clear_caches()  # else a few hundred programs fill the memory
            form = options.form or FORMS[each.number % len(FORMS)]
            verdict = judge(each, Path(folder), form)
            verdicts.append(verdict)
            if verdict.outcome not in ANSWERED:
                print(verdict.line(), flush=True)
                if options.fails:
                    write_failure(options.fails, verdict)
    print()
    report(verdicts)
    return 0 if all(verdict.outcome in (*ANSWERED, SPLIT, NOTHING) for verdict in verdicts) else 1


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="unseen", description="Judge the advice on programs made at random.")
    parser.add_argument("--count", type=int, default=400, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the number of the first")
    parser.add_argument("--family", default="", choices=["", *FAMILIES], help="one family alone")
    parser.add_argument("--place", default="", choices=["", *PLACES], help="all functions standing there")
    parser.add_argument("--manner", default="", choices=[*MANNERS], help="how they are called: as users' data is, or small")
    parser.add_argument("--form", default="", choices=["", *FORMS], help="how a program is asked (else all in turn)")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help='programs by name, as "loops-17"')
    parser.add_argument("--fails", type=Path, default=None, help="a folder for what is not right, a file each")
    parser.add_argument("--show", action="store_true", help="print the programs and judge nothing")
    parser.add_argument("--unhurried", action="store_true", help="six times the time for an answer: on a busy machine")
    return parser.parse_args(argv)


def _named(name: str) -> tuple[str, int]:
    family, _, number = name.rpartition("-")
    return family, int(number)


def write_failure(folder: Path, verdict: Verdict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{verdict.outcome.replace(' ', '_')}__{verdict.program.name}.py"
    told = "\n".join(f"# {line}" for line in [verdict.line(), *verdict.answer.splitlines()])
    path.write_text(f"{verdict.program.text()}\n\n{told}\n", encoding="utf-8")


def report(verdicts: list[Verdict]) -> None:
    counted = [verdict for verdict in verdicts if verdict.outcome != BROKEN]
    compared = sum(verdict.gradients > 0 for verdict in counted)
    every = Counter(verdict.outcome for verdict in verdicts)
    print(f"jax {jax.__version__}, {len(counted)} programs, gradients compared in {compared}")
    for title, key in (
        ("family", lambda verdict: verdict.program.family),
        ("place", lambda verdict: verdict.program.place),
        ("form", lambda verdict: verdict.form),
    ):
        groups: dict[str, Counter[str]] = defaultdict(Counter)
        for verdict in verdicts:
            groups[key(verdict)][verdict.outcome] += 1
        print(f"\n{title:<12}" + "".join(f"{name:>20}" for name in VERDICTS if every[name]))
        for name, counts in [*sorted(groups.items()), ("all", every)]:
            print(f"{name:<12}" + "".join(f"{counts[outcome] or '':>20}" for outcome in VERDICTS if every[outcome]))
    if counted:
        whole, split = sum(every[outcome] for outcome in ANSWERED), every[SPLIT]
        print(f"\nanswered as a whole {whole / len(counted):.1%}, with splits {(whole + split) / len(counted):.1%}")
    times = sorted(verdict.seconds * 1e3 for verdict in counted)
    if times:
        print(f"\ntime: median {percentile(times, 50):.0f} ms, p95 {percentile(times, 95):.0f} ms, most {times[-1]:.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
