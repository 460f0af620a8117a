"""Write docs/tables.md from the one place that says what every column means; `--check` only says whether it is up to date."""

# ruff: noqa: E501 (a row of a Markdown table is one line)

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tables.md"
sys.path.insert(0, str(ROOT))

LEVELS = {
    "functions": "One row for each jitted function.",
    "entries": "One row for each cache entry.",
    "calls": "One row for each call, in the order in which calls ended.",
    "misses": "One row for each cause of a miss.",
    "others": "One row for each function that compiled outside `jm.jit`: plain `jax.jit`, libraries, JAX's own operations.",
    "diagnoses": "One row for each failed trace that was diagnosed.",
}

HEAD = """# The tables

`jm.stats(level)` gives them as `pandas.DataFrame`; `%jitstats --level LEVEL` shows them, `-o VAR` stores them.
Times are seconds; `started_s` and `last_used_s` are Unix time. A value that was not measured is missing, never 0.

(Written by `scripts/write_docs.py` from `COLUMNS` in `jupyter_jitmagic/tables.py`.)
"""

MEASURED = """## What is measured, when and how

| value | begins | ends | not in it |
|---|---|---|---|
| `trace_s` | the Python function begins to run on placeholders | its jaxpr is done | compiles inside it, which count as such; missing if JAX had the trace already |
| `lower_s` | the jaxpr is handed on | its StableHLO is done | |
| `compile_s` | XLA begins (or the disk cache is read, `disk_hit`) | the executable is there | |
| `dispatch_s` | the call begins | the call has returned | what runs on after that: JAX runs asynchronously |
| `execute_s` | the latest of: the call begins, its compile has ended, the device is done with the calls before | the outputs are ready | the device's time for earlier calls |
| `last_used_s` | | the latest call of the entry began | |

Phases come from JAX's own monitoring events in the calling thread, so a nested jit's or an eager operation's compile counts once, to the
call around it. Under eager `grad` and `vmap`, `trace_s` is all from the call's beginning to the first lowering.

| `execute_how` | how the end was seen | how good it is |
|---|---|---|
| `blocked` | the call waited for all its outputs (`timing="block"`) | as a `block_until_ready` around the call gives it |
| `observed` | by a thread that waits beside the caller, on the smallest output; where the caller has waited for the last ones itself, by the caller, when it makes its next call | begin and end together are known to 10 % of the time or better, and the middle is shown; else it is refused. So it is at most 5 % from what this call took, if the caller waited as it did before (see below). Looking costs processor time, which calls below a millisecond may show: on all cores of a busy machine some per cent |
| `averaged` | a loop runs ahead of the device: two ends were seen, `averaged_over` calls apart, between which the device did not rest; or one, so many calls after the first of a loop that found the device at rest | the mean of these calls, known to 10 % or better: of each of them as far as they are alike. Of entries that come by turns each call is told by its caller's returns, where JAX holds that back because it is too far ahead (32 calls on the CPU); else their span is shared out in the proportion in which their calls took when each was seen alone, between its own end and that of the call before: a mean of many, and where they differ much also of several spans, until each entry's mean is known to 10 % (2σ); else they are unobserved, and so they are where some calls last many times as long as most. A pause of the device, a compile, an error or a call whose device is not known breaks a span. What the caller gives the device beside, under plain `jax.jit` or operation by operation, is not seen: where it is not waited for, it is part of the mean. What the device had to do before the first call of a loop is none: the first calls of some loops are waited for (each, after one that came late), and where they last more than four times as long as most, a loop's mean is told only if that is less than a tenth of it |
| `unobserved` | not at all, or not well enough: `execute_s` is missing, and `why_unobserved` says why; `%jitstats` says it below the table where many hits have none | a dispatch time never stands in for it |

A loop that runs ahead of the device, with executions of 0.2 ms or more, has one end seen in some 32 calls, and after eight in a row without a rest fewer, down to one in some 160; it holds two small
outputs at most, or a large one alone; where entries come by turns some calls of each are seen alone as well, for which up to 44
outputs are held until then, together no more than 1 MiB, and of those above that one: eighty in a row at
most, and sixteen where the mean of each is known well (a hundred where their own returns tell); then a pause, twice as long and a twelfth of the loop at most,
of which the span is shared out where those before it and behind it took alike; below 2 ms, where the device rests
each few calls (`float(loss)` each tenth step), only the last call before such a rest is looked at, or the last before one of another function, and only of some. A span in which it rested for more than a tenth is refused;
of shorter rests half is taken off: what was left to do from each call on has to fit into the time until the end, and a rest that was seen counts as often as the caller was away for as long. Otherwise watched are the first calls of an entry and all that take 1 ms or longer, at most two at a
time; shorter ones in samples: a few in a row each
`jm.options.watch_every_s`, more and more seldom where much is known or nothing comes of it (a loop that runs ahead of the device).
The first two of a row only tell when the device is free: one was picked by the clock, which meets long calls more often than short ones, and
the next is slowed down by the watching itself. Refused are ends that the GIL or a busy
processor may have kept us from seeing in time, whichever thread had them (Linux says how often a thread has waited, and for how long it had no
processor; elsewhere a result is asked now and then, and two answers have to be near enough to each other), ends that were seen while
anything was traced or compiled, results that were there when the
call returned if the caller stood still inside it, and calls whose predecessors on the device were not seen to end and are not negligible. Where the caller sees the end itself, it must have given up the processor only once since the call: then it
has waited for the result and for nothing else (`block_until_ready` does; where it cannot be told, as `float(x)` and `np.asarray(x)`
mostly wait twice, the thread beside it sees the ends). Linux alone tells that; elsewhere the thread sees all ends. Now and then it looks
as well, and a call that lasts half as long again as the last that it saw is refused: a caller that turns from waiting for results
to one other wait a little longer than they take (a sleep, a read) is shown that time, for 64 calls at most. Calls that began before a
compile in another thread had ended may have waited for it: `unobserved`.
A watched output is held until its end was seen, and where the caller sees that itself until the next call, for 30 ms and 1.1 times the
expected time at most: it is no second array in `jax.live_arrays()`, but one that the caller drops before lives on until then.
The medians of functions and entries are of hits: the first call after a compile stands for no other.
On the CPU, calls of several threads may overlap: an averaged time is then the share that a call had of the device.

**On an accelerator** the same holds: it works through what one process gives it in its order, which is all that a mean rests on, and JAX
holds a caller back some 30 calls ahead there as well. On one H100 (JAX 0.11.2, loops as in `make bench`, another program beside them
on other cores), steps of 6 ms had a time in 88 to 100 % of the hits, 0.97 to 1.01 of the wall time of a step, at 0.999 to 1.000 of the
loop's bare speed; steps of 0.4 ms that never wait 88 to 91 %, 0.96 to 1.00, at 0.98 to 0.995. What differs there:

* A program of many small kernels (`scan` or `fori_loop` over small arrays, `while_loop`) is launched kernel by kernel inside the call, so
  that `dispatch_s` is nearly all of its time: the device has ended soon after the call returns, and `execute_s` is mostly empty.
* Where the device rests each few steps of 0.4 ms, few had a time: 1 % with `float(loss)` each tenth step, 7 to 42 % in epochs of 40 and
  100 steps with pauses between them (80 to 87 % in an earlier version on a machine that did nothing else).
* Of callers that wait for each call of 2 ms only some 60 % had a time (98 % at 6 ms): the ends of the others were seen too late.
* What `jax.device_put` and `jnp.asarray` transfer is no part of a call. A NumPy array among the arguments is: JAX hands it to the device inside
  each call, so it counts as `dispatch_s` and as `execute_s`. One of 128 MiB took 20 ms of a call whose program takes 0.1 ms.
* An array of more than 1 MiB that a function reads as a global is not fetched to be compared when the name is bound anew: it is told as another
  array, not as a changed one.
* Advice compiles for the device: an answer with a rewrite took 1.6 times what it took on that machine's CPU. With `JAX_PLATFORMS=cuda` alone
  `jax.debug.print` cannot run there, and code that prints in a branch has no rewrite: `cuda,cpu` leaves both.

A caller that computes from call to call keeps the GIL from the thread that looks for the end: that asks for it after
`sys.getswitchinterval()`, 5 ms, and by then the caller has made its next call. So on Linux, of callers that compute for most of the time
and are 0.3 ms or longer away, a few calls in a row each `watch_every_s` are looked at with an interval of 10 µs, from the moment in which
one is handed over until its end is seen or its caller is back. It is the whole process's and is put back each time; one that somebody else sets
meanwhile stays. Executions of 1.5 ms or longer have a time then, if that can be told of most of those looked at; of shorter ones it is known how long they took
at most, and so how long the device rested in the loop at least, which is what the line below a cell says. `timing="dispatch"` looks for no end and leaves the interval alone.
A program that calls back into Python (`jax.pure_callback`, `jax.debug.print`) waits for the GIL itself, and less long in the calls that are looked at so: their times, and that line, hold for these.
Where another thread computes without pause, or there is more to do than processors, less is observed. Not
measured: executions under `timing="dispatch"`, of inlined calls and errors, of calls without an output that
can be waited for, and under an eager transformation, where the call's outputs are placeholders. Work that other code (eager operations,
functions that are not under `jm.jit`) gives the device between a call and its end is included.

## What is kept

| option of `jm.options` | default | what happens beyond |
|---|---|---|
| `keep_calls` | 2,000,000 rows of calls | the oldest are folded into the totals |
| `keep_entries` | 20,000 cache entries | the oldest dead ones go; where one function has more, those made longest ago count as dead. Their calls stay, as their function's |
| `keep_misses` | 100,000 misses | the oldest go |

The totals of functions (`calls hits misses trace_s lower_s compile_s dispatch_s` …) stay exact for ever.
"""


def page() -> str:
    from jupyter_jitmagic.tables import COLUMNS

    parts = [HEAD]
    for level in [*LEVELS, *(level for level in COLUMNS if level not in LEVELS)]:
        rows = "\n".join(f"| `{name}` | {meaning.replace('|', chr(92) + '|')} |" for name, meaning in COLUMNS[level].items())
        parts.append(f"## {level}\n\n{LEVELS.get(level, '')}\n\n| column | meaning |\n|---|---|\n{rows}\n")
    parts.append(MEASURED)
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/tables.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not up to date")
    check = parser.parse_args().check
    text = page()
    if check:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        print("docs/tables.md is up to date" if fresh else "docs/tables.md is not up to date: run scripts/write_docs.py")
        return 0 if fresh else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
