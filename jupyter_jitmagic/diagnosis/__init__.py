"""Why a trace failed, and what cures it: every concretization site, the smallest static set, rewrites that were run.

The way of an answer::

    diagnose ─▶ sites.finding      ─▶ every site, its arguments, what the values were          (one pass over the function)
             ─▶ statics.search     ─▶ smallest static set, proven by `trace_error(...) is None`
             ─▶ rewrites.propose   ─▶ rewrites for the sites that no static argument cures, run and compared
             ─▶ words.reasons      ─▶ one or two sentences

The seam between the two halves (sites and static sets here, source changes in `rewrites/`):

``find_sites(fun, args, kwargs, static=(), *, seconds=1.0) -> Found``  (in `finding`)
    Runs `fun` on the call's values with tracers that carry the values, those arguments named in `static` (parameter names;
    "args[1]" for an element of ``*args``) as they are. Never raises. ``Found.sites`` is a tuple of `Site`, one for each
    expression (``line column end_line end_column`` from the instruction's position; several may share a line, unlike in
    ``Diagnosis.sites``), in the order met. ``Found.observed[i]`` is what Python got at ``sites[i]``, in order (bools
    of an `if`, ints of a `range`; at most 100). ``Found.error`` is the exception that ended the run, if it is one that plain
    Python would meet as well, ``Found.complete`` tells whether the run came to the function's end.

``trace_error(fun, args, kwargs, static=()) -> BaseException | None``  (in `search`)
    What ``jax.jit(fun, static...).trace(*args, **kwargs)`` raises; None if it traces. Output is swallowed.

``rewrites.propose(fun, args, kwargs, sites, static=(), *, seconds=2.0) -> tuple[list[Rewrite], list[Rewrite]]``
    (rewrites, unverified): for the sites of ``find_sites(fun, args, kwargs, static)``, best first; every rewrite traces with
    `static` and cures all sites. `fun` is the plain function (unwrapped of jit), partial, bound method or callable. Never
    raises.
"""

from __future__ import annotations

import jax  # noqa: F401 (before any module of this room has begun: what follows JAX's import needs them whole)

from jupyter_jitmagic.diagnosis.diagnosing import diagnose, diagnose_call
from jupyter_jitmagic.diagnosis.sites.finding import find_sites
from jupyter_jitmagic.diagnosis.statics.search import trace_error
from jupyter_jitmagic.diagnosis.types import Change, Comparison, Diagnosis, Found, Kind, Rewrite, Site

__all__ = [
    "Change", "Comparison", "Diagnosis", "Found", "Kind", "Rewrite", "Site",
    "diagnose", "diagnose_call", "find_sites", "trace_error",
]  # fmt: skip
