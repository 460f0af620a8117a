"""What one process tells of itself: its tables and programs, and who it is. Plain enough to be sent or kept."""

from __future__ import annotations

import os
import platform
import sys
import time
from typing import Any

from jupyter_jitmagic import tables
from jupyter_jitmagic.records.log import log
from jupyter_jitmagic.records.programs import program_of

PROGRAMS = "programs"
"""A level beside those of `tables`: what was compiled, in its order, as facts that another process can compare."""

_RANKS = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
_RUNS = ("JITMAGIC_RUN", "SLURM_JOB_ID", "PMIX_NAMESPACE", "PMI_JOBID")
STARTED_S = time.time()


def whoami() -> dict[str, Any]:
    """Which process this is. `process` is its number in a program of several: JAX's, else SLURM's or MPI's; else None."""
    distributed = None
    if "jax" in sys.modules:  # who only asks engines need not import it
        from jupyter_jitmagic.base import jax_internals

        distributed = jax_internals.distributed()
    rank = next((os.environ[name] for name in _RANKS if os.environ.get(name, "").isdigit()), None)
    return {
        "process": distributed.process if distributed is not None else None if rank is None else int(rank),
        "run": next((os.environ[name] for name in _RUNS if os.environ.get(name)), ""),
        "version": sys.modules["jupyter_jitmagic"].__version__,
        "host": platform.node(),
        "pid": os.getpid(),
        "started_s": STARTED_S,
    }


def programs() -> tables.Plain:
    """What was compiled, in its order."""
    log.fold()
    rows = []
    with log.lock:
        sites = {miss.entry: miss.call_site for miss in log.misses}
        for entry in tuple(log.entries.values()):
            function = log.known_function(entry.function)
            if function is not None and entry.key is not None:
                program = program_of(function.qualname, entry.key, function.donate_argnames, sites.get(entry.id, ""))
                rows.append({"entry": entry.id, **program.to_dict()})
    names = ("entry", "function", "facts", "digest", "call_site", "given")
    return tables.Plain({name: [row[name] for row in rows] for name in names}, {})


def answer(wanted: Any) -> dict[str, Any]:
    """What an engine sends: who it is, and these levels. Without pandas, which takes an engine most of a second to import."""
    plain = {level: programs() if level == PROGRAMS else tables.plain(level) for level in wanted}
    return {"about": whoami(), "tables": {level: tuple(each) for level, each in plain.items()}}
