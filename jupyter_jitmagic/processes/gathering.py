"""`jm.gather`: the tables of many engines of ipyparallel as one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from jupyter_jitmagic.processes.asking import TIMEOUT_S, Answers, ask
from jupyter_jitmagic.processes.differing import between
from jupyter_jitmagic.processes.levels import PROGRAMS
from jupyter_jitmagic.tables import COLUMNS, no_such_level

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_jitmagic.tables import Level


def gather(view_or_client: Any, level: Level = "functions", *, timeout_s: float = TIMEOUT_S) -> pd.DataFrame:
    """The tables of many engines in one.

    Args:
        view_or_client: a client of ipyparallel, or a view of some of its engines.
        level: as for `jm.stats`.
        timeout_s: so long an engine may take. One that is busy, gone, without the package or with another version of it is left
            out, with a warning of one line.

    Returns:
        The table of `jm.stats(level)` with the column `engine` in front, and `process` where JAX (or SLURM, MPI) numbers them.
        In that of functions, where engines have compiled different programs of one, `differs` says so in each of its rows; in
        all others it is empty.

    Raises:
        OptionError: no client or view, or no such level.

    Example:
        >>> client = ipyparallel.Cluster(n=4).start_and_connect_sync()
        >>> table = jm.gather(client)
        >>> table.groupby("function")["compile_s"].max()
        >>> table[table["differs"] != ""]
    """
    if level not in COLUMNS:
        raise no_such_level(level)
    answers = ask(view_or_client, needed(level), timeout_s)
    for note in answers.notes:
        warnings.warn(note, stacklevel=2)
    return table(answers, level)


def needed(level: str) -> list[str]:
    """What to ask engines for to make the table of a level."""
    return [level, PROGRAMS] if level == "functions" else [level]


def table(answers: Answers, level: str) -> pd.DataFrame:
    """The table of a level, of all engines that answered."""
    frame = answers.table(level)
    if level == "functions":
        told: dict[str, list[str]] = {}
        for each in between(answers):
            told.setdefault(each.function, []).append(each.differs)
        differs = ["; ".join(told.get(str(name), ())) for name in frame["function"]]
        frame.insert(list(frame.columns).index("function") + 1, "differs", _texts(differs))
    return frame


def _texts(values: list[str]) -> pd.Series[str]:
    import pandas as pd

    return pd.Series(values, dtype="str")
